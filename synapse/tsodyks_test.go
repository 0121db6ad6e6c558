package synapse

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

func tsodyks(sources int, pairs ...any) *Tsodyks {
	v := quantity.Values{}
	for k := 0; k < len(pairs); k += 2 {
		v[pairs[k].(string)] = quantity.Value{Number: pairs[k+1].(float64)}
	}
	return NewTsodyks(v, sources)
}

// The parameter sets are those of Markram, Wang & Tsodyks 1998 and of Tsodyks,
// Uziel & Markram 2000: a depressing and a facilitating synapse, and one with
// both.
var regimes = map[string][]any{
	"depressing":   {"U", 0.5, "tau_rec", 800.0, "tau_fac", 0.0},
	"facilitating": {"U", 0.03, "tau_rec", 130.0, "tau_fac", 530.0},
	"both":         {"U", 0.25, "tau_rec", 200.0, "tau_fac", 300.0},
}

// TestTsodyksSteadyState: at a regular rate, u∞ = U/(1 − (1 − U) E_f) and
// x∞ = (1 − E_r)/(1 − (1 − u∞) E_r) with E = e^{−Δ/τ}, the fixed points of the
// recursion. 4000 spikes reach them: every step shrinks the distance by at least
// (1 − U) E_f and (1 − u) E_r.
func TestTsodyksSteadyState(t *testing.T) {
	for name, pairs := range regimes {
		u, rec, fac := pairs[1].(float64), pairs[3].(float64), pairs[5].(float64)
		for _, hz := range []float64{5, 20, 50} {
			ms := 1000 / hz
			ef := 0.0
			if fac > 0 {
				ef = math.Exp(-ms / fac)
			}
			er := math.Exp(-ms / rec)
			wantU := u / (1 - (1-u)*ef)
			wantX := (1 - er) / (1 - (1-wantU)*er)
			s := tsodyks(1, pairs...)
			var e Emission
			for k := range 4000 {
				e = s.Spike(0, event.Time(k)*event.Time(ms*1e9))
			}
			if math.Abs(e.U-wantU) > 1e-12*wantU || math.Abs(e.X-wantX) > 1e-12*wantX {
				t.Errorf("%s at %g Hz: u, x = %.15g, %.15g, want %.15g, %.15g", name, hz, e.U, e.X, wantU, wantX)
			}
			if r := 1 - er; math.Abs(e.Refill-r) > 1e-12*r {
				t.Errorf("%s at %g Hz: refill %g, want %g", name, hz, e.Refill, r)
			}
		}
	}
}

// TestTsodyksRegimes: a train at 20 Hz depresses monotonically, facilitates
// monotonically, or goes up and then down, as in Tsodyks & Markram 1997 and
// Markram, Wang & Tsodyks 1998; above its limiting frequency the stationary
// response of a depressing synapse falls as 1/rate.
func TestTsodyksRegimes(t *testing.T) {
	gains := func(hz float64, n int, pairs []any) (g []float64) {
		s := tsodyks(1, pairs...)
		for k := range n {
			g = append(g, s.Spike(0, event.Time(float64(k)*1e12/hz)).Gain())
		}
		return g
	}
	down := gains(20, 10, regimes["depressing"])
	up := gains(20, 6, regimes["facilitating"])
	for k := 1; k < len(down); k++ {
		if down[k] >= down[k-1] {
			t.Errorf("depressing: response %d is %g after %g", k, down[k], down[k-1])
		}
	}
	for k := 1; k < len(up); k++ {
		if up[k] <= up[k-1] {
			t.Errorf("facilitating: response %d is %g after %g", k, up[k], up[k-1])
		}
	}
	both := gains(20, 40, regimes["both"])
	if top := slices.Index(both, slices.Max(both)); top == 0 || top == len(both)-1 {
		t.Errorf("both: the largest response is number %d of %v", top, both)
	}
	// A_st(r) r → 1/τ_rec: between 50 and 100 Hz the product of rate and response
	// of a synapse with τ_rec = 800 ms changes by less than 1/(r U τ_rec) = 5 %.
	at := func(hz float64) float64 { return gains(hz, 2000, regimes["depressing"])[1999] * hz }
	if a, b := at(50), at(100); math.Abs(b/a-1) > 1/(50*0.5*0.8) || math.Abs(b/1.25-1) > 0.02+1/(100*0.5*0.8) {
		t.Errorf("rate times response: %g at 50 Hz, %g at 100 Hz, want about 1/tau_rec = 1.25 Hz", a, b)
	}
}

// TestTsodyksTrain: irregular trains of several sources, against the equations
// between spikes solved step by step, du/dt = −u/τ_fac and dx/dt = (1 − x)/τ_rec
// by their propagators over quarters of each interval, and the jumps at spikes.
func TestTsodyksTrain(t *testing.T) {
	for name, pairs := range regimes {
		u0, x0 := 0.3, 0.4
		s := tsodyks(3, append(slices.Clone(pairs), "u0", u0, "x0", x0)...)
		bigU, rec, fac := pairs[1].(float64), pairs[3].(float64), pairs[5].(float64)
		type state struct {
			u, x float64
			at   event.Time
		}
		ref := []state{{u: u0, x: x0}, {u: u0, x: x0}, {u: u0, x: x0}}
		rng := rand.New(rand.NewPCG(1, 2))
		now := event.Time(0)
		for k := range 3000 {
			now += event.Time(rng.ExpFloat64() * 1e10)
			if rng.IntN(300) == 0 {
				now += 1000 * event.Second
			}
			src := rng.IntN(3)
			q := &ref[src]
			for range 4 {
				dt := (now - q.at).MS() / 4
				if fac > 0 {
					q.u *= math.Exp(-dt / fac)
				} else {
					q.u = 0
				}
				q.x = 1 + (q.x-1)*math.Exp(-dt/rec)
			}
			q.at = now
			q.u += bigU * (1 - q.u)
			want := q.u * q.x
			// Errors of a few ulp per spike die out with the resources: the spikes
			// within some τ count.
			if got := s.Spike(uint32(src), now).Gain(); math.Abs(got-want) > 1e-12 {
				t.Fatalf("%s: spike %d of source %d: %.16g, want %.16g", name, k, src, got, want)
			}
			q.x -= q.u * q.x
		}
		s.Reset()
		if e := s.Spike(1, 0); fac > 0 && e.Gain() != float64(float64(bigU+(1-bigU)*u0)*x0) {
			t.Errorf("%s: after a reset the first spike transmits %g", name, e.Gain())
		}
	}
}

// TestTsodyksLimits: time constants of 0 are their limits, also for spikes at
// one time; U = 1 empties and U = 0 transmits nothing.
func TestTsodyksLimits(t *testing.T) {
	times := []event.Time{0, 0, event.Millisecond, 5 * event.Millisecond, event.Second}
	for _, c := range []struct {
		name  string
		pairs []any
		want  []float64
	}{
		{"no memory", []any{"U", 0.3, "tau_rec", 0.0, "tau_fac", 0.0}, []float64{0.3, 0.3, 0.3, 0.3, 0.3}},
		{"U = 1", []any{"U", 1.0, "tau_rec", 100.0, "tau_fac", 50.0}, []float64{1, 0, -math.Expm1(-0.01), -math.Expm1(-0.04), -math.Expm1(-9.95)}},
		{"U = 0", []any{"U", 0.0, "tau_rec", 100.0, "tau_fac", 50.0}, []float64{0, 0, 0, 0, 0}},
		{"full again", []any{"U", 0.5, "tau_rec", 0.0, "tau_fac", 1e6, "x0", 0.0}, []float64{0.5, 0.75, 0.5 + 0.375*math.Exp(-1e-6), math.NaN(), math.NaN()}},
	} {
		s := tsodyks(1, c.pairs...)
		for k, at := range times {
			if got := s.Spike(0, at).Gain(); !math.IsNaN(c.want[k]) && math.Abs(got-c.want[k]) > 1e-12 || math.IsNaN(got) {
				t.Errorf("%s: spike %d: %g, want %g", c.name, k, got, c.want[k])
			}
		}
	}
	// τ → 0 from above: what remains of 1e-9 ms after 1 ms is 0.
	a, b := tsodyks(1, "U", 0.3, "tau_rec", 1e-9, "tau_fac", 1e-9), tsodyks(1, "U", 0.3, "tau_rec", 0.0, "tau_fac", 0.0)
	for _, at := range []event.Time{3, event.Millisecond, 2 * event.Millisecond} {
		if x, y := a.Spike(0, at*1000), b.Spike(0, at*1000); x.Gain() != y.Gain() {
			t.Errorf("at %v: tau 1e-9 ms transmits %g, tau 0 %g", at, x.Gain(), y.Gain())
		}
	}
}

func TestStages(t *testing.T) {
	if names := Stages(); !slices.Contains(names, "tsodyks2") || slices.Contains(names, "static") {
		t.Errorf("stages %v", names)
	}
	m, _ := Lookup("tsodyks2")
	for key, x := range map[string]float64{"U": 1.5, "tau_rec": -1, "tau_fac": -1, "x0": -0.1, "u0": 2} {
		if at, err := quantity.CheckAll("", m.Params, quantity.Values{key: {Number: x}}); err == nil || at != key {
			t.Errorf("%s = %g was accepted", key, x)
		}
	}
}

func BenchmarkTsodyks(b *testing.B) {
	s := tsodyks(1000, regimes["both"]...)
	b.ReportAllocs()
	k := 0
	for b.Loop() {
		s.Spike(uint32(k%1000), event.Time(k)*event.Microsecond)
		k++
	}
}
