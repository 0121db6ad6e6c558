package neuron

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"hmn/event"
	"hmn/event/quantity"
)

func values(pairs ...any) quantity.Values {
	v := quantity.Values{}
	for k := 0; k < len(pairs); k += 2 {
		v[pairs[k].(string)] = quantity.Value{Number: pairs[k+1].(float64)}
	}
	return v
}

func linearCell(t testing.TB, model string, pairs ...any) ClusterCell {
	t.Helper()
	l, err := NewLinear(model, values(pairs...), event.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	return ClusterCell{lin: l}
}

// randomCluster draws n linear cells, different ones, joined at random.
func randomCluster(t testing.TB, rng *rand.Rand, n int, active bool) ([]ClusterCell, []Junction) {
	var cells []ClusterCell
	for range n {
		vth := 1e5
		if active {
			vth = -55
		}
		model := []string{"iaf_psc_exp", "iaf_psc_alpha", "iaf_psc_delta"}[rng.IntN(3)]
		pairs := []any{"C_m", 50 + 200*rng.Float64(), "tau_m", 5 + 20*rng.Float64(), "E_L", -75 + 10*rng.Float64(), "V_th", vth,
			"V_reset", -78 + 10*rng.Float64(), "t_ref", float64(rng.IntN(3)), "I_e", 100 * rng.Float64()}
		if model != "iaf_psc_delta" {
			pairs = append(pairs, "tau_syn_ex", 0.3+4*rng.Float64(), "tau_syn_in", 0.3+9*rng.Float64())
		}
		cells = append(cells, linearCell(t, model, pairs...))
	}
	var js []Junction
	for b := 1; b < n; b++ {
		js = append(js, Junction{rng.IntN(b), b, 20 * rng.Float64()})
		if a := rng.IntN(n); a != b {
			js = append(js, Junction{a, b, 5 * rng.Float64()})
		}
	}
	return cells, js
}

func randomHits(rng *rand.Rand, cells []ClusterCell, rate float64, end event.Time) (hits []ClusterHit) {
	for at := event.Time(0); at < end; at += event.Time(rng.ExpFloat64() * rate * 1e9) {
		h := ClusterHit{At: at, Cell: int32(rng.IntN(len(cells))), W: 800 * (rng.Float64() - 0.25)}
		if rng.IntN(4) == 0 {
			h.At -= at % event.Millisecond // the start of a window
			if len(hits) > 0 {
				h.At = max(h.At, hits[len(hits)-1].At)
			}
		}
		if h.W < 0 {
			h.Port = PortIn
		}
		if cells[h.Cell].lin.psc == Delta {
			h.W /= 50
		}
		if rng.IntN(10) == 0 {
			h.Port, h.W = PortCurrent, 100*rng.NormFloat64()
		}
		hits = append(hits, h)
	}
	return hits
}

// TestClusterPair: two passive cells against the closed form for equal ones:
// the mean decays with τ_m, the difference with 1/(1/τ_m + 2g/C).
func TestClusterPair(t *testing.T) {
	const C, tau, g, v1, v2, el, rest = 100.0, 10.0, 7.0, -50.0, -75.0, -70.0, -68.0
	p := []any{"C_m", C, "tau_m", tau, "E_L", el, "V_th", 0.0, "I_e", (rest - el) * C / tau}
	c := NewCluster([]ClusterCell{linearCell(t, "iaf_psc_delta", p...), linearCell(t, "iaf_psc_delta", p...)}, []Junction{{0, 1, g}})
	*c.State(0, "V_m"), *c.State(1, "V_m") = v1, v2
	worst := 0.0
	for k := range event.Time(100) {
		looks := []ClusterLook{{At: k*event.Millisecond + 3e8, Cell: 0, Key: "V_m"}, {At: k*event.Millisecond + 3e8, Cell: 1, Key: "V_m"}}
		if _, err := c.Advance((k+1)*event.Millisecond, nil, looks, nil, nil); err != nil {
			t.Fatal(err)
		}
		s := looks[0].At.MS()
		sum := ((v1+v2)/2 - rest) * math.Exp(-s/tau)
		diff := (v1 - v2) / 2 * math.Exp(-s*(1/tau+2*g/C))
		worst = max(worst, math.Abs(looks[0].Value-rest-sum-diff), math.Abs(looks[1].Value-rest-sum+diff))
	}
	// A few roundings of 70 mV (1.4e-14) in each of about 25 steps, which the leak forgets.
	if worst > 2e-13 {
		t.Errorf("worst error %g mV", worst)
	}
}

// TestClusterModes compares passive clusters under exponential currents with
// the eigenvectors of the symmetrised matrix C^{-1/2} (G + L) C^{-1/2}.
func TestClusterModes(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 7))
		n := 2 + rng.IntN(9)
		var cells []ClusterCell
		for range n {
			cells = append(cells, linearCell(t, "iaf_psc_exp", "C_m", 20+300*rng.Float64(), "tau_m", 2+20*rng.Float64(), "E_L", -70+5*rng.NormFloat64(), "V_th", 1e4,
				"tau_syn_ex", 0.5+3*rng.Float64(), "tau_syn_in", 1+5*rng.Float64(), "V_reset", -90.0))
		}
		_, js := randomCluster(t, rng, n, false)
		c := NewCluster(cells, js)
		a := mat.NewSymDense(n, nil)
		b := mat.NewVecDense(n, nil) // C^{-1/2} G E_L
		for i, x := range cells {
			a.SetSym(i, i, x.lin.invM)
			b.SetVec(i, x.lin.vRest*x.lin.invM/math.Sqrt(x.lin.invC))
		}
		for _, j := range js {
			ca, cb := cells[j.A].lin.invC, cells[j.B].lin.invC
			a.SetSym(j.A, j.A, a.At(j.A, j.A)+j.G*ca)
			a.SetSym(j.B, j.B, a.At(j.B, j.B)+j.G*cb)
			a.SetSym(j.A, j.B, a.At(j.A, j.B)-j.G*math.Sqrt(ca*cb))
		}
		var eig mat.EigenSym
		if !eig.Factorize(a, true) {
			t.Fatal("no eigenvectors")
		}
		var q mat.Dense
		eig.VectorsTo(&q)
		rates := eig.Values(nil)
		x0 := mat.NewVecDense(n, nil)
		e := make([]float64, n)
		for i, x := range cells {
			v := -70 + 20*rng.NormFloat64()
			*c.State(i, "V_m") = v
			x0.SetVec(i, v/math.Sqrt(x.lin.invC))
			e[i] = 500 * rng.NormFloat64()
			*c.State(i, "I_syn_ex") = e[i]
		}
		worst := 0.0
		for _, s := range []float64{0.001, 0.3, 1, 3.7, 11, 40} {
			look := make([]ClusterLook, n)
			for i := range look {
				look[i] = ClusterLook{At: event.Time(math.Round(s * 1e9)), Cell: int32(i), Key: "V_m"}
			}
			if _, err := c.Advance(event.Time(math.Round(s*1e9))+1, nil, look, nil, nil); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				want := 0.0
				for m := range n {
					em := math.Exp(-rates[m] * s)
					z := mat.Dot(q.ColView(m), x0)*em + mat.Dot(q.ColView(m), b)*(1-em)/rates[m]
					for j := range n {
						r := cells[j].lin.invS[0]
						z += q.At(j, m) * math.Sqrt(cells[j].lin.invC) * e[j] * (em - math.Exp(-r*s)) / (r - rates[m])
					}
					want += q.At(i, m) * z * math.Sqrt(cells[i].lin.invC)
				}
				worst = max(worst, math.Abs(look[i].Value-want))
			}
		}
		// The eigenvectors are good to about n roundings of 100 mV; a rate close
		// to that of a current loses digits in the reference.
		if worst > 1e-10 {
			t.Errorf("seed %d, %d cells: worst error %g mV", seed, n, worst)
		}
	}
}

// rungeKutta integrates a linear cluster by the classical Runge–Kutta method with
// steps of at most 1 µs between events, and finds crossings by bisection of the
// last step: it shares nothing with Cluster.
type rungeKutta struct {
	cells  []ClusterCell
	js     []Junction
	y      [][5]float64 // V, e, i, de, di
	level  []float64
	free   []float64
	hold   []bool
	spikes [][]float64
}

func (f *rungeKutta) slopes(y [][5]float64) [][5]float64 {
	d := make([][5]float64, len(y))
	for i, c := range f.cells {
		l := c.lin
		d[i][1], d[i][3] = -y[i][1]*l.invS[0]+y[i][3], -y[i][3]*l.invS[0]
		d[i][2], d[i][4] = -y[i][2]*l.invS[1]+y[i][4], -y[i][4]*l.invS[1]
		d[i][0] = (y[i][1]+y[i][2]+f.level[i])*l.invC - (y[i][0]-l.vRest)/l.tauM
	}
	for _, j := range f.js {
		current := j.G * (y[j.B][0] - y[j.A][0])
		d[j.A][0] += current * f.cells[j.A].lin.invC
		d[j.B][0] -= current * f.cells[j.B].lin.invC
	}
	for i := range d {
		if f.hold[i] {
			d[i][0] = 0
		}
	}
	return d
}

func (f *rungeKutta) step(y [][5]float64, h float64) [][5]float64 {
	add := func(k [][5]float64, h float64) [][5]float64 {
		z := slices.Clone(y)
		for i := range z {
			for j := range z[i] {
				z[i][j] += h * k[i][j]
			}
		}
		return z
	}
	k1 := f.slopes(y)
	k2 := f.slopes(add(k1, h/2))
	k3 := f.slopes(add(k2, h/2))
	k4 := f.slopes(add(k3, h))
	z := slices.Clone(y)
	for i := range z {
		for j := range z[i] {
			z[i][j] += h / 6 * (k1[i][j] + 2*k2[i][j] + 2*k3[i][j] + k4[i][j])
		}
	}
	return z
}

// to integrates from t to end, in ms.
func (f *rungeKutta) to(t, end, longest float64) {
	for t < end {
		h := min(longest, end-t)
		for i := range f.hold {
			if f.hold[i] {
				if f.free[i] <= t+1e-13 {
					f.hold[i] = false
				} else {
					h = min(h, f.free[i]-t)
				}
			}
		}
		over := func(y [][5]float64) int {
			for i := range y {
				if !f.hold[i] && y[i][0] >= f.cells[i].lin.vTh {
					return i
				}
			}
			return -1
		}
		z := f.step(f.y, h)
		if who := over(z); who >= 0 {
			lo, hi := 0.0, h
			for range 60 {
				m := (lo + hi) / 2
				if k := over(f.step(f.y, m)); k >= 0 {
					hi, who = m, k
				} else {
					lo = m
				}
			}
			h = math.Round((t+hi)*1e9)/1e9 - t // to the picosecond, as the clock has it
			z = f.step(f.y, h)
			f.spikes[who] = append(f.spikes[who], t+h)
			l := f.cells[who].lin
			z[who][0] = l.vTh + l.reset
			f.hold[who], f.free[who] = l.tRef > 0, t+h+l.tRef.MS()
		}
		f.y = z
		t += h
	}
}

// TestClusterFine: spiking clusters against the fine integration, driven by 250
// arrivals and changes of current each: the same spikes, and V in between.
func TestClusterFine(t *testing.T) {
	count := 0
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 8))
		n := 2 + int(seed)/2
		cells, js := randomCluster(t, rng, n, true)
		end := 100 * event.Millisecond
		hits := randomHits(rng, cells, 0.4, end)
		f := &rungeKutta{cells: cells, js: js, level: make([]float64, n), free: make([]float64, n), hold: make([]bool, n), spikes: make([][]float64, n)}
		c := NewCluster(cells, js)
		for i := range n {
			f.y = append(f.y, [5]float64{*c.State(i, "V_m")})
		}
		now := event.Time(0)
		var looks []ClusterLook
		var want []float64
		for k := 0; k <= len(hits); k++ {
			at := end
			if k < len(hits) {
				at = hits[k].At
			}
			if mid := now + (at-now)/2; mid > now {
				f.to(now.MS(), mid.MS(), 0.002)
				for i := range n {
					looks = append(looks, ClusterLook{At: mid, Cell: int32(i), Key: "V_m"})
					want = append(want, f.y[i][0])
				}
				now = mid
			}
			f.to(now.MS(), at.MS(), 0.002)
			if now = at; k == len(hits) {
				break
			}
			h := hits[k]
			l := cells[h.Cell].lin
			for i := range f.hold {
				f.hold[i] = f.hold[i] && f.free[i] > at.MS()+1e-13
			}
			switch y := &f.y[h.Cell]; {
			case h.Port == PortCurrent:
				f.level[h.Cell] += h.W
			case l.psc == Delta:
				if !f.hold[h.Cell] {
					y[0] += h.W
				}
			case l.psc == Exp:
				y[1+h.Port] += h.W
			default:
				y[3+h.Port] += h.W * math.E / l.tauS[h.Port]
			}
			if k+1 < len(hits) && hits[k+1].At == at {
				continue // the test comes after all arrivals of the instant
			}
			for i := range n {
				if l := cells[i].lin; !f.hold[i] && f.y[i][0] >= l.vTh {
					f.spikes[i] = append(f.spikes[i], at.MS())
					f.y[i][0] = l.vTh + l.reset
					f.hold[i], f.free[i] = l.tRef > 0, at.MS()+l.tRef.MS()
				}
			}
		}
		spikes, err := c.Advance(end, hits, looks, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := make([][]float64, n)
		for _, s := range spikes {
			got[s.Cell] = append(got[s.Cell], s.At.MS())
		}
		count += len(spikes)
		for i := range n {
			if len(got[i]) != len(f.spikes[i]) {
				t.Fatalf("seed %d, cell %d: spikes at %v, want %v", seed, i, got[i], f.spikes[i])
			}
			for k := range got[i] {
				// Both round to 1 ps and may do so to different sides, which moves the
				// spikes after it by a few; the reference steps are good to
				// (ρh)⁵/120 of some mV, ρh ≤ 1/150: 1e-13 mV per step.
				if d := math.Abs(got[i][k] - f.spikes[i][k]); d > 5e-9 {
					t.Errorf("seed %d, cell %d: spike %d at %v, want %v: %g ms", seed, i, k, got[i][k], f.spikes[i][k], d)
				}
			}
		}
		for k := range looks {
			if d := math.Abs(looks[k].Value - want[k]); d > 1e-7 { // slopes of some 10 mV/ms times 5 ps
				t.Errorf("seed %d: V of cell %d at %v ms is %v, want %v", seed, looks[k].Cell, looks[k].At, looks[k].Value, want[k])
			}
		}
	}
	if count < 60 {
		t.Errorf("only %d spikes", count)
	}
}

// TestClusterWindows: cut in windows of any length, looked at or not, a cluster
// does the same to the last bit.
func TestClusterWindows(t *testing.T) {
	for seed := range uint64(6) {
		run := func(step event.Time, look bool) (spikes []ClusterSpike, v []float64) {
			rng := rand.New(rand.NewPCG(seed, 9))
			cells, js := randomCluster(t, rng, 5, true)
			end := 100 * event.Millisecond
			hits := randomHits(rng, cells, 0.3, end)
			c := NewCluster(cells, js)
			k := 0
			for from := event.Time(0); from < end; from += step {
				to := min(from+step, end)
				j := k
				for j < len(hits) && hits[j].At < to {
					j++
				}
				var looks []ClusterLook
				if look {
					looks = []ClusterLook{{At: from + 12345, Cell: 3, Key: "V_m"}, {At: from + 67890, Cell: 1, Key: "I_syn"}}
				}
				m := len(spikes)
				var err error
				if spikes, err = c.Advance(to, hits[k:j], looks, spikes, nil); err != nil {
					t.Fatal(err)
				}
				for _, s := range spikes[m:] {
					if s.At < from || s.At >= to {
						t.Fatalf("spike at %v in [%v, %v)", s.At, from, to)
					}
				}
				k = j
			}
			for i := range cells {
				v = append(v, c.m.look(i, "V_m", 0, 0))
			}
			return spikes, v
		}
		one, v1 := run(100*event.Millisecond, false)
		for _, step := range []event.Time{event.Millisecond, 100 * event.Microsecond, 333_333_333} {
			many, v := run(step, true)
			if !slices.Equal(one, many) || !slices.Equal(v1, v) {
				t.Errorf("seed %d: windows of %v ms change the result", seed, step)
			}
		}
		if len(one) < 20 {
			t.Errorf("seed %d: only %d spikes", seed, len(one))
		}
	}
}

// TestClusterAlone: cells without junctions do what Linear.Replay makes of them.
func TestClusterAlone(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 10))
	cells, _ := randomCluster(t, rng, 6, true)
	end := 4 * event.Millisecond
	hits := randomHits(rng, cells, 0.02, end)
	c := NewCluster(cells, nil)
	spikes, err := c.Advance(end, hits, nil, nil, nil)
	if err != nil || len(spikes) < 5 {
		t.Fatal(len(spikes), err)
	}
	for i, x := range cells {
		st := x.lin.NewState(1)
		st.V[0] = 0
		var own []Hit
		for _, h := range hits {
			if int(h.Cell) == i {
				if h.Port == PortCurrent {
					h.Port = PortLevel
				}
				own = append(own, Hit{Off: uint32(h.At), W: h.W, Port: h.Port})
			}
		}
		want, _, err := x.lin.Replay(st, 0, 0, end, own, 0, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		k := 0
		for _, s := range spikes {
			if int(s.Cell) != i {
				continue
			}
			if k == len(want) {
				t.Fatalf("cell %d: more than %d spikes", i, k)
			}
			if d := s.At - event.Time(want[k].Off); d < -1 || d > 1 {
				t.Errorf("cell %d: spike at %v, want %v", i, s.At, event.Time(want[k].Off))
			}
			k++
		}
		if k != len(want) {
			t.Errorf("cell %d: %d spikes, want %d", i, k, len(want))
		}
	}
}

// TestClusterJoint: a linear cluster integrated by steps agrees with the Taylor
// series to the tolerance, and tightening it brings the two together.
func TestClusterJoint(t *testing.T) {
	worst := map[float64]float64{}
	for _, tol := range []float64{1e-6, 1e-9} {
		for seed := range uint64(3) {
			rng := rand.New(rand.NewPCG(seed, 11))
			cells, js := randomCluster(t, rng, 4, true)
			end := 100 * event.Millisecond
			hits := randomHits(rng, cells, 0.5, end)
			a, b := NewCluster(cells, js), NewCluster(cells, js)
			var alike []ClusterCell
			for _, x := range cells {
				alike = append(alike, ClusterCell{dyn: NewCells(linearSystem(x.lin), tol, 0, 0)})
			}
			b.m = newJoint(alike, &b.g, b.free)
			one, err1 := a.Advance(end, hits, nil, nil, nil)
			two, err2 := b.Advance(end, hits, nil, nil, nil)
			if err1 != nil || err2 != nil || len(one) != len(two) || len(one) < 10 {
				t.Fatal(err1, err2, len(one), len(two))
			}
			for k := range one {
				if one[k].Cell != two[k].Cell {
					t.Fatalf("spike %d of cells %d and %d", k, one[k].Cell, two[k].Cell)
				}
				worst[tol] = max(worst[tol], math.Abs((one[k].At - two[k].At).MS()))
			}
		}
		if worst[tol] > 100*tol+2e-9 {
			t.Errorf("tolerance %g: spikes differ by up to %g ms", tol, worst[tol])
		}
	}
	t.Logf("spikes differ by %v ms", worst)
}

func TestClusterAllocs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 12))
	cells, js := randomCluster(t, rng, 5, true)
	c := NewCluster(cells, js)
	hits := randomHits(rng, cells, 0.1, event.Second)
	k, from := 0, event.Time(0)
	spikes := make([]ClusterSpike, 0, 100)
	if n := testing.AllocsPerRun(500, func() {
		from += event.Millisecond
		j := k
		for j < len(hits) && hits[j].At < from {
			j++
		}
		spikes, _ = c.Advance(from, hits[k:j], nil, spikes[:0], nil)
		k = j
	}); n > 0 {
		t.Errorf("%v allocations per window", n)
	}
}

func BenchmarkCluster(b *testing.B) {
	for _, n := range []int{2, 20, 400} {
		b.Run(fmt.Sprintf("cells=%d/arrivals=10 per ms", n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 13))
			cells, js := randomCluster(b, rng, n, true)
			c := NewCluster(cells, js)
			hits := randomHits(rng, cells, 0.1, event.Second)
			k, from := 0, event.Time(0)
			spikes := make([]ClusterSpike, 0, 100)
			b.ReportAllocs()
			for b.Loop() {
				from += event.Millisecond
				j := k
				for j < len(hits) && hits[j].At < from {
					j++
				}
				var err error
				if spikes, err = c.Advance(from, hits[k:j], nil, spikes[:0], nil); err != nil {
					b.Fatal(err)
				}
				if k = j; from == event.Second {
					c, k, from = NewCluster(cells, js), 0, 0
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10, "ns/arrival")
		})
	}
}

// TestClusterCrossings: no crossing of a cluster's polynomials is missed, against
// a dense scan, with thresholds just above and just below a maximum.
func TestClusterCrossings(t *testing.T) {
	found, double, below := 0, 0, 0
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 14))
		cells, js := randomCluster(t, rng, 3, false)
		c := NewCluster(cells, js)
		m := c.m.(*taylor)
		for i := range cells {
			m.v[i] = -70 + 10*rng.NormFloat64()
			if cells[i].lin.psc != Delta {
				m.e[i], m.i[i] = 800*rng.Float64(), -800*rng.Float64()
			}
		}
		m.want = m.most
		if _, err := m.span(0, event.MaxTime, c.held); err != nil {
			t.Fatal(err)
		}
		const steps = 2000
		for i := range cells {
			top, at := math.Inf(-1), 0
			for k := range steps + 1 {
				if v := m.at(i, float64(k)/steps); v > top {
					top, at = v, k
				}
			}
			if at == 0 {
				continue
			}
			level := top + 1e-9*rng.NormFloat64()
			if at == steps {
				level = m.v[i] + (top-m.v[i])*rng.Float64()
			}
			if level <= m.v[i] {
				continue
			}
			m.cells[i].level = level
			x, ok := m.crossing(i)
			scan := math.Inf(1)
			for k := range steps + 1 {
				if m.at(i, float64(k)/steps) >= level {
					scan = float64(k) / steps
					break
				}
			}
			if !ok {
				below++
				if !math.IsInf(scan, 1) {
					t.Errorf("seed %d, cell %d: missed a crossing before %v", seed, i, scan)
				}
				continue
			}
			found++
			if math.Abs(m.at(i, x)-level) > 1e-11 || x > scan+1e-12 {
				t.Errorf("seed %d, cell %d: crossing at %v, V − level %g, scan %v", seed, i, x, m.at(i, x)-level, scan)
			}
			if m.at(i, 1) < level {
				double++
			}
		}
	}
	if found < 1000 || double < 100 || below < 30 {
		t.Errorf("%d crossings, %d of them double, %d near ones", found, double, below)
	}
}
