package neuron

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

const ms = event.Millisecond

func num(pairs ...any) quantity.Values {
	v := quantity.Values{}
	for k := 0; k < len(pairs); k += 2 {
		switch x := pairs[k+1].(type) {
		case string:
			v[pairs[k].(string)] = quantity.Value{Text: x}
		case []float64:
			v[pairs[k].(string)] = quantity.Value{List: x}
		case int:
			v[pairs[k].(string)] = quantity.Value{Number: float64(x)}
		case float64:
			v[pairs[k].(string)] = quantity.Value{Number: x}
		}
	}
	return v
}

func mustUnits(t testing.TB, v quantity.Values, n, lo, hi int, z0 []float64) *RateUnits {
	t.Helper()
	m, _ := Lookup("rate")
	if _, err := m.CheckAll(v); err != nil {
		t.Fatal(err)
	}
	r, err := NewRateUnits(v, n, lo, hi, 1, "r", z0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// loop is the least event loop that drives one population of rate units cut
// into blocks, with delayed connections among them and arrivals from outside.
type loop struct {
	blocks  []*RateUnits
	edges   []loopEdge
	pending []RateInput
	sent    []Change
}

type loopEdge struct {
	from, to uint32
	w        float64
	delay    event.Time
}

func newLoop(t testing.TB, v quantity.Values, n int, z0 []float64, edges []loopEdge, cuts ...int) *loop {
	l := &loop{edges: edges}
	cuts = append(append([]int{0}, cuts...), n)
	for k := range cuts[1:] {
		l.blocks = append(l.blocks, mustUnits(t, v, n, cuts[k], cuts[k+1], z0))
	}
	for _, e := range edges {
		for _, b := range l.blocks {
			if z0 != nil && int(e.to) >= b.lo && int(e.to) < b.hi {
				b.AddInitial(e.to, e.w*z0[e.from])
			}
		}
	}
	return l
}

// run advances through [from, to), no longer than every delay.
func (l *loop) run(t testing.TB, from, to event.Time) {
	slices.SortStableFunc(l.pending, func(a, b RateInput) int { return cmp.Compare(a.At, b.At) })
	k := 0
	for k < len(l.pending) && l.pending[k].At < to {
		k++
	}
	var out []Change
	for _, b := range l.blocks {
		var in []RateInput
		for _, x := range l.pending[:k] {
			if int(x.Unit) >= b.lo && int(x.Unit) < b.hi {
				in = append(in, x)
			}
		}
		var err error
		if out, err = b.Advance(from, to, in, out); err != nil {
			t.Fatal(err)
		}
	}
	slices.SortFunc(out, byChange)
	l.pending = slices.Delete(l.pending, 0, k)
	for _, c := range out {
		for _, e := range l.edges {
			if e.from == c.Neuron {
				l.pending = append(l.pending, RateInput{At: c.At + e.delay, Unit: e.to, Weight: e.w, Old: c.Old, New: c.New})
			}
		}
	}
	l.sent = append(l.sent, out...)
}

func (l *loop) output(i int) float64 {
	for _, b := range l.blocks {
		if i >= b.lo && i < b.hi {
			return b.Output(i)
		}
	}
	panic("no such unit")
}

// z0 = 1, z1 = 0: z_0 = 0.5 z_1(t−1) + 1, z_1 = −0.25 z_0(t−2) + 2.
func TestRateTwoUnits(t *testing.T) {
	l := newLoop(t, num("f", "linear", "b", []float64{1, 2}), 2, []float64{1, 0},
		[]loopEdge{{1, 0, 0.5, ms}, {0, 1, -0.25, 2 * ms}})
	for k := range event.Time(200) {
		l.run(t, k*ms, (k+1)*ms)
	}
	// By hand: t = 0: z = (1 + 0.5·0, 2 − 0.25·1); t = 1: z_0 = 1 + 0.5·1.75;
	// at t = 2 unit 1 sees z_0(0) = 1, no change; t = 3: it sees 1.875.
	want := []Change{{0, 1, 0, 1.75}, {ms, 0, 1, 1.875}, {3 * ms, 1, 1.75, 2 - 0.25*1.875}, {4 * ms, 0, 1.875, 1 + 0.5*(2-0.25*1.875)}}
	if !slices.Equal(l.sent[:4], want) {
		t.Errorf("first changes %v, want %v", l.sent[:4], want)
	}
	// z_0 = 1 + (2 − z_0/4)/2 → z_0 = 2/1.125, z_1 = 2 − z_0/4.
	if z := 2 / 1.125; math.Abs(l.output(0)-z) > 1e-15 || math.Abs(l.output(1)-(2-z/4)) > 1e-15 {
		t.Errorf("fixed point %v, %v, want %v, %v", l.output(0), l.output(1), z, 2-z/4)
	}
}

// solve is Gaussian elimination with pivots: a x = b.
func solve(a [][]float64, b []float64) []float64 {
	n := len(b)
	for k := range n {
		p := k
		for i := k; i < n; i++ {
			if math.Abs(a[i][k]) > math.Abs(a[p][k]) {
				p = i
			}
		}
		a[k], a[p], b[k], b[p] = a[p], a[k], b[p], b[k]
		for i := k + 1; i < n; i++ {
			f := a[i][k] / a[k][k]
			for j := k; j < n; j++ {
				a[i][j] -= f * a[k][j]
			}
			b[i] -= f * b[k]
		}
	}
	for k := n - 1; k >= 0; k-- {
		for j := k + 1; j < n; j++ {
			b[k] -= a[k][j] * b[j]
		}
		b[k] /= a[k][k]
	}
	return b
}

// The fixed point of a linear network is (1 − W)⁻¹ h, whatever the start.
func TestRateLinearNetwork(t *testing.T) {
	for seed := uint64(1); seed <= 5; seed++ {
		rng := rand.New(rand.NewPCG(seed, 1))
		const n = 30
		a := make([][]float64, n)
		h, z0 := make([]float64, n), make([]float64, n)
		var edges []loopEdge
		for i := range n {
			a[i] = make([]float64, n)
			h[i], z0[i] = rng.NormFloat64(), rng.NormFloat64()
			a[i][i] = 1
			for j := range n {
				if rng.IntN(3) == 0 {
					w := 0.15 * rng.NormFloat64()
					edges = append(edges, loopEdge{uint32(j), uint32(i), w, event.Time(1+rng.IntN(4)) * ms})
					a[i][j] -= w
				}
			}
		}
		l := newLoop(t, num("f", "linear", "b", slices.Clone(h)), n, z0, edges, 7, 20)
		for k := range event.Time(600) {
			l.run(t, k*ms, (k+1)*ms)
		}
		for i, want := range solve(a, h) {
			if got := l.output(i); !(math.Abs(got-want) <= 1e-12) {
				t.Errorf("seed %d: unit %d: %g, want %g: off by %g", seed, i, got, want, got-want)
			}
		}
	}
}

// Cutting the population into blocks or time into other windows, and stopping
// for a snapshot, changes nothing.
func TestRateCuts(t *testing.T) {
	for seed := uint64(1); seed <= 10; seed++ {
		const n, end = 12, 200 * ms
		build := func(cuts ...int) *loop {
			rng := rand.New(rand.NewPCG(seed, 3))
			z0 := make([]float64, n)
			var edges []loopEdge
			for i := range n {
				z0[i] = rng.Float64()
				for range 4 {
					edges = append(edges, loopEdge{uint32(rng.IntN(n)), uint32(i), rng.NormFloat64(), ms * event.Time(3+rng.IntN(5))})
				}
			}
			f := []string{"sigmoid", "tanh", "softplus"}[seed%3]
			v := num("f", f, "b", 0.3, "eta_b", 0.01, "r_target", 0.5, "noise_sigma", 0.2, "noise_hold", 7.3, "delta_z", 0.01, "spike_window", 11.0)
			if f == "softplus" {
				for k := range edges {
					edges[k].w *= 0.2
				}
			}
			l := newLoop(t, v, n, z0, edges, cuts...)
			for range 300 {
				l.pending = append(l.pending, RateInput{At: event.Time(rng.Int64N(int64(end))), Unit: uint32(rng.IntN(n)), Weight: 0.01 * rng.NormFloat64(), Spike: true})
			}
			return l
		}
		whole, cut := build(), build(1, 5, 6)
		rng := rand.New(rand.NewPCG(seed, 4))
		for from := event.Time(0); from < end; from += 3 * ms {
			whole.run(t, from, from+3*ms)
		}
		for from := event.Time(0); from < end+ms; {
			to := min(from+1+event.Time(rng.Int64N(int64(3*ms))), end+ms)
			cut.run(t, from, to)
			from = to
			if rng.IntN(5) == 0 {
				for k, b := range cut.blocks {
					fresh := mustUnits(t, num("f", []string{"sigmoid", "tanh", "softplus"}[seed%3], "b", 0.3, "eta_b", 0.01, "r_target", 0.5, "noise_sigma", 0.2, "noise_hold", 7.3, "delta_z", 0.01, "spike_window", 11.0), n, b.lo, b.hi, nil)
					if err := fresh.Restore(b.Snapshot()); err != nil {
						t.Fatal(err)
					}
					cut.blocks[k] = fresh
				}
			}
		}
		if len(whole.sent) < 500 || !slices.Equal(whole.sent, cut.sent) {
			t.Errorf("seed %d: %d changes whole, %d cut", seed, len(whole.sent), len(cut.sent))
		}
		for i := range n {
			if whole.output(i) != cut.output(i) {
				t.Errorf("seed %d: unit %d: %v whole, %v cut", seed, i, whole.output(i), cut.output(i))
			}
		}
	}
}

func TestRateNoise(t *testing.T) {
	const n, ticks = 100, 200
	run := func(population string, seed uint64) []Change {
		r, err := NewRateUnits(num("f", "linear", "noise_sigma", 0.7, "noise_hold", 10, "b", 3), n, 0, n, seed, population, nil)
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.Advance(0, ticks*10*ms, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := run("r", 1)
	var m, v, lag, across float64
	x := func(k int) float64 { return out[k].New - 3 }
	if len(out) != n*ticks {
		t.Fatalf("%d changes, want one per unit and tick: %d", len(out), n*ticks)
	}
	for k, c := range out { // held exactly: one change per unit and tick, at the tick
		if c.At != event.Time(k/n)*10*ms || int(c.Neuron) != k%n {
			t.Fatalf("change %d: %v", k, c)
		}
		m += x(k) / float64(len(out))
		v += x(k) * x(k) / float64(len(out))
		if k+n < len(out) {
			lag += x(k) * x(k+n) / float64(len(out)-n)
		}
		if k+1 < len(out) {
			across += x(k) * x(k+1) / float64(len(out)-1)
		}
	}
	s2, sn := 0.7*0.7, math.Sqrt(n*ticks)
	if math.Abs(m) > 4*0.7/sn || math.Abs(v-s2) > 4*s2*math.Sqrt2/sn || math.Abs(lag) > 4*s2/sn || math.Abs(across) > 4*s2/sn {
		t.Errorf("noise: mean %g, variance %g, covariance with the next tick %g, with the next unit %g; want 0, %g, 0, 0", m, v, lag, across, s2)
	}
	if !slices.Equal(out, run("r", 1)) || slices.Equal(out, run("r", 2)) || slices.Equal(out, run("s", 1)) {
		t.Error("noise must depend on seed and population and on nothing else")
	}
}

// With z = h + b between ticks, b_k+1 = b_k + η T (r − h − b_k), so
// z_k = r + (h − r)(1 − η T)^k.
func TestRateBias(t *testing.T) {
	const h, r, eta, hold = 0.25, 2.0, 0.004, 5.0
	u := mustUnits(t, num("f", "linear", "eta_b", eta, "r_target", r, "noise_hold", hold, "b", h), 1, 0, 1, nil)
	at := event.Time(0)
	for k := range 100 {
		to := at + 5*ms
		if _, err := u.Advance(at, to, nil, nil); err != nil {
			t.Fatal(err)
		}
		if want := r + (h-r)*math.Pow(1-eta*hold, float64(k)); math.Abs(u.Output(0)-want) > 1e-13 {
			t.Errorf("tick %d: z = %v, want %v", k, u.Output(0), want)
		}
		at = to
	}
	// An input that changes inside the interval counts for the time it held:
	// z = 1 on [0, 2), 4 on [2, 5): b(5) = −η ∫z = −0.1·(2 + 12).
	u = mustUnits(t, num("f", "linear", "eta_b", 0.1, "noise_hold", 5), 1, 0, 1, nil)
	u.AddInitial(0, 1)
	out, err := u.Advance(0, 6*ms, []RateInput{{At: 2 * ms, Weight: 3, New: 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Change{{0, 0, 0, 1}, {2 * ms, 0, 1, 4}, {5 * ms, 0, 4, 4 - 0.1*14}}; len(out) != 3 || out[0] != want[0] || out[1] != want[1] || math.Abs(out[2].New-want[2].New) > 1e-15 {
		t.Errorf("changes %v, want %v", out, want)
	}
}

func TestRateDelta(t *testing.T) {
	u := mustUnits(t, num("f", "linear", "delta_z", 0.5), 1, 0, 1, nil)
	var in []RateInput
	x := 0.0
	for k, y := range []float64{0.3, 0.5, 0.75, 0.5, 1.25, 1.3} {
		in = append(in, RateInput{At: event.Time(k+1) * ms, Weight: 1, Old: x, New: y})
		x = y
	}
	out, err := u.Advance(0, 10*ms, in, nil)
	// 0.5 is not more than δ away from 0; 0.75 is; then 1.25 is exactly δ away.
	if want := []Change{{3 * ms, 0, 0, 0.75}, {6 * ms, 0, 0.75, 1.3}}; err != nil || !slices.Equal(out, want) {
		t.Errorf("sent %v, %v, want %v", out, err, want)
	}
	for k, want := range []float64{0, 0.3, 0.5, 0.75, 0.5, 1.25, 1.3, 1.3} { // the output itself, at every ms
		var z [1]float64
		if u.Outputs(event.Time(k)*ms, z[:]); z[0] != want || u.OutputAt(0, event.Time(k)*ms) != want {
			t.Errorf("output at %d ms: %v, want %v", k, z[0], want)
		}
	}
	if z := u.OutputAt(0, 3*ms-1); z != 0.5 {
		t.Errorf("output just before 3 ms: %v, want 0.5", z)
	}
}

// z is the weighted number of spikes in (t − T, t] × 1000/T.
func TestRateSpikes(t *testing.T) {
	for seed := uint64(1); seed <= 10; seed++ {
		rng := rand.New(rand.NewPCG(seed, 5))
		const T = 20 * ms
		u := mustUnits(t, num("f", "linear", "spike_window", 20), 3, 0, 3, nil)
		var in []RateInput
		for range 200 {
			in = append(in, RateInput{At: event.Time(rng.Int64N(100)) * ms, Unit: uint32(rng.IntN(3)), Weight: rng.Float64(), Spike: true})
		}
		slices.SortStableFunc(in, func(a, b RateInput) int { return cmp.Compare(a.At, b.At) })
		k := 0
		for at := event.Time(0); at < 130*ms; at += ms {
			j := k
			for j < len(in) && in[j].At < at+ms {
				j++
			}
			if _, err := u.Advance(at, at+ms, in[k:j], nil); err != nil {
				t.Fatal(err)
			}
			k = j
			for i := range uint32(3) {
				want := 0.0
				for _, x := range in {
					if x.Unit == i && x.At <= at && x.At > at-T {
						want += x.Weight * 50
					}
				}
				if got := u.Output(int(i)); math.Abs(got-want) > 1e-12*(1+want) || want == 0 && math.Abs(got) > 1e-25 {
					t.Fatalf("seed %d: unit %d at %v ms: %v, want %v", seed, i, at, got, want)
				}
			}
		}
	}
	// A spike that leaves as an equal one arrives is no change.
	u := mustUnits(t, num("f", "linear", "spike_window", 20), 1, 0, 1, nil)
	out, err := u.Advance(0, 100*ms, []RateInput{{At: ms, Weight: 0.1, Spike: true}, {At: 21 * ms, Weight: 0.1, Spike: true}}, nil)
	if want := []Change{{ms, 0, 0, 5}, {41 * ms, 0, 5, 0}}; err != nil || !slices.Equal(out, want) {
		t.Errorf("%v, %v, want %v", out, err, want)
	}
}

// After 10⁷ changes the sum is the one of the inputs as they are.
func TestRateSumDoesNotDrift(t *testing.T) {
	changes := 10_000_000
	if testing.Short() {
		changes = 300_000
	}
	rng := rand.New(rand.NewPCG(1, 6))
	const k = 50
	u := mustUnits(t, num("f", "linear"), 1, 0, 1, nil)
	w, x := make([]float64, k), make([]float64, k)
	for i := range w {
		w[i] = rng.NormFloat64()
	}
	const batch = 10_000
	in := make([]RateInput, batch)
	for done := 0; done < changes; done += batch {
		for j := range in {
			i, y := rng.IntN(k), rng.NormFloat64()*math.Exp(3*rng.NormFloat64())
			in[j] = RateInput{At: event.Time(done+j) * 1000, Weight: w[i], Old: x[i], New: y}
			x[i] = y
			if rng.IntN(100) == 0 { // a weight that changes, by exchanged roles
				in[j] = RateInput{At: in[j].At, Weight: in[j].Old, Old: w[i], New: rng.NormFloat64()}
				w[i], x[i] = in[j].New, in[j].Weight
			}
		}
		if _, err := u.Advance(event.Time(done)*1000, event.Time(done+batch)*1000, in, nil); err != nil {
			t.Fatal(err)
		}
	}
	exact := new(big.Float).SetPrec(2000)
	for i := range w {
		exact.Add(exact, new(big.Float).SetPrec(2000).SetFloat64(w[i]*x[i]))
	}
	want, _ := exact.Float64()
	if got := u.Output(0); math.Abs(got-want) > math.Nextafter(math.Abs(want), math.Inf(1))-math.Abs(want) {
		t.Errorf("after %d changes %v, fresh sum %v", changes, got, want)
	}
}

func TestRateTransfers(t *testing.T) {
	for f, g := range map[string]func(x float64) float64{
		"relu": func(x float64) float64 { return max(0, x) }, "linear": func(x float64) float64 { return x },
		"sigmoid": func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, "tanh": math.Tanh,
		"softplus": func(x float64) float64 { return math.Log1p(math.Exp(x)) },
	} {
		for _, x := range []float64{-30, -2, -0.1, 0, 1e-3, 0.7, 5, 40} {
			u := mustUnits(t, num("f", f, "b", x), 1, 0, 1, nil)
			if _, err := u.Advance(0, 1, nil, nil); err != nil {
				t.Fatal(err)
			}
			if want := g(x); math.Abs(u.Output(0)-want) > 1e-15*max(1, math.Abs(want)) {
				t.Errorf("%s(%g) = %v, want %v", f, x, u.Output(0), want)
			}
		}
	}
	u := mustUnits(t, nil, 1, 0, 1, nil)
	if u.f != relu {
		t.Error("the default is not relu")
	}
}

func TestRateErrors(t *testing.T) {
	for name, in := range map[string][]RateInput{
		"overflow": {{At: 2 * ms, Unit: 7, Weight: 1e200, New: 1e200}},
		"NaN":      {{At: 2 * ms, Unit: 7, Weight: 1, New: math.NaN()}},
		"sum":      {{At: ms, Unit: 7, Weight: 1, New: 1.5e308}, {At: 2 * ms, Unit: 7, Weight: 1, New: 1.5e308}},
	} {
		for _, f := range []string{"relu", "sigmoid", "linear"} {
			u := mustUnits(t, num("f", f), 9, 5, 9, nil)
			_, err := u.Advance(0, 10*ms, in, nil)
			if !errors.Is(err, ErrNotFinite) || !strings.Contains(err.Error(), `unit 7 of "r" at 2 ms`) {
				t.Errorf("%s, %s: %v", name, f, err)
			}
		}
	}
	u := mustUnits(t, nil, 9, 5, 9, nil)
	for _, in := range [][]RateInput{{{At: 3, Unit: 5}, {At: 2, Unit: 5}}, {{At: 10, Unit: 5}}} {
		if _, err := u.Advance(0, 10, in, nil); !errors.Is(err, ErrPast) {
			t.Errorf("arrivals %v in [0, 10): %v, want ErrPast", in, err)
		}
	}
	if _, err := u.Advance(10, 20, []RateInput{{At: 9, Unit: 5}}, nil); !errors.Is(err, ErrPast) {
		t.Errorf("arrival at 9 in [10, 20): %v, want ErrPast", err)
	}
	for _, bad := range []func() (*RateUnits, error){
		func() (*RateUnits, error) { return NewRateUnits(nil, 3, 2, 4, 1, "r", nil) },
		func() (*RateUnits, error) { return NewRateUnits(nil, 3, 0, 3, 1, "r", []float64{1}) },
		func() (*RateUnits, error) { return NewRateUnits(num("b", []float64{1, 2}), 3, 0, 3, 1, "r", nil) },
		func() (*RateUnits, error) { return NewRateUnits(num("f", "cube"), 3, 0, 3, 1, "r", nil) },
	} {
		if _, err := bad(); err == nil {
			t.Error("no error for bad arguments")
		}
	}
	if err := u.Restore(RateState{}); err == nil {
		t.Error("an empty state fits four units")
	}
}

func TestRateReset(t *testing.T) {
	u := mustUnits(t, num("f", "tanh", "noise_sigma", 0.5, "eta_b", 0.01, "b", 1), 4, 0, 4, []float64{1, 2, 3, 4})
	u.AddInitial(2, 0.4)
	in := []RateInput{{At: 0, Unit: 2, Weight: 2, New: 0.2}, {At: 3 * ms, Unit: 1, Weight: 0.01, Spike: true}}
	var out [2][]Change
	for k := range out {
		var err error
		if out[k], err = u.Advance(0, 70*ms, in, nil); err != nil {
			t.Fatal(err)
		}
		s := u.Snapshot()
		u.Reset()
		if len(s.Expiries) != 1 || reflect.DeepEqual(s, u.Snapshot()) {
			t.Error("a snapshot shares its slices, or misses the counted spike")
		}
	}
	if len(out[0]) == 0 || !slices.Equal(out[0], out[1]) {
		t.Errorf("after Reset %v, before %v", out[1], out[0])
	}
}

// The bits of a noisy recurrent network of every transfer function; the same on
// every architecture and at every GOAMD64 level.
func TestRateGolden(t *testing.T) {
	h := fnv.New64a()
	for _, f := range []string{"relu", "sigmoid", "tanh", "linear", "softplus"} {
		rng := rand.New(rand.NewPCG(1, 9))
		var edges []loopEdge
		for i := range uint32(10) {
			for range 3 {
				edges = append(edges, loopEdge{uint32(rng.IntN(10)), i, 0.2 * rng.NormFloat64(), ms * event.Time(1+rng.IntN(3))})
			}
		}
		l := newLoop(t, num("f", f, "b", 0.3, "eta_b", 0.01, "r_target", 0.5, "noise_sigma", 0.2, "noise_hold", 5), 10, nil, edges)
		for k := range event.Time(50) {
			l.run(t, k*ms, (k+1)*ms)
		}
		for _, c := range l.sent {
			fmt.Fprintf(h, "%d %d %x %x\n", c.At, c.Neuron, math.Float64bits(c.Old), math.Float64bits(c.New))
		}
	}
	if got, want := h.Sum64(), uint64(0x5cb475bca21308c3); got != want {
		t.Errorf("hash of all changes %#x, want %#x", got, want)
	}
}

func TestRateAllocs(t *testing.T) {
	u := mustUnits(t, num("f", "tanh", "noise_sigma", 0.5, "noise_hold", 1), 100, 0, 100, nil)
	in := make([]RateInput, 100)
	dst := make([]Change, 0, 1000)
	at := event.Time(0)
	if a := testing.AllocsPerRun(200, func() {
		for k := range in {
			in[k] = RateInput{At: at + event.Time(k), Unit: uint32(k), Weight: 0.1, New: 0.5, Spike: k%3 == 0}
		}
		if _, err := u.Advance(at, at+ms, in, dst); err != nil {
			t.Fatal(err)
		}
		at += ms
	}); a != 0 {
		t.Errorf("Advance allocates %g times per window", a)
	}
}

func BenchmarkRateUnits(b *testing.B) {
	const n, k = 1000, 10000
	u := mustUnits(b, num("f", "tanh"), n, 0, n, nil)
	rng := rand.New(rand.NewPCG(1, 1))
	in, x := make([]RateInput, k), make([]float64, n)
	var dst []Change
	at := event.Time(0)
	events := 0
	for b.Loop() {
		for j := range in {
			i := rng.IntN(n)
			y := rng.Float64()
			in[j] = RateInput{At: at + event.Time(j)*1000, Unit: uint32(i), Weight: 0.1, Old: x[i], New: y}
			x[i] = y
		}
		dst, _ = u.Advance(at, at+k*1000, in, dst[:0])
		at += k * 1000
		events += k
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/input")
}
