package validation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
	"hmn/synapse"
)

// orbit is a system of neurons integrated by the method of Gragg, Bulirsch &
// Stoer (modified midpoint rule, extrapolated; Hairer, Nørsett & Wanner 1993,
// II.9) in steps short enough that it is right to some ulp. It shares nothing
// with the engine but the picosecond: spikes are rounded to it.
type orbit struct {
	n       int // neurons
	y       []float64
	slopes  func(y, dy []float64)
	margin  func(i int, y []float64) float64 // neuron i fires where it reaches 0 from below
	fire    func(i int)                      // what a spike does to y
	tRef    []float64                        // no spike within it; hold: slopes look at held
	held    []bool
	free    []float64
	longest float64 // ms
	spikes  [][]float64
}

func newOrbit(n int, y []float64, longest float64) *orbit {
	return &orbit{n: n, y: y, longest: longest, tRef: make([]float64, n), held: make([]bool, n), free: make([]float64, n), spikes: make([][]float64, n)}
}

// step is the state h ms after y.
func (o *orbit) step(y []float64, h float64) []float64 {
	const columns = 8
	var table [columns][]float64
	d := make([]float64, len(y))
	for k := range columns {
		n := 2 * (k + 1)
		s := h / float64(n)
		a, b := slices.Clone(y), make([]float64, len(y))
		o.slopes(a, d)
		for j := range y {
			b[j] = y[j] + s*d[j]
		}
		for range n - 1 {
			o.slopes(b, d)
			for j := range y {
				a[j], b[j] = b[j], a[j]+2*s*d[j]
			}
		}
		o.slopes(b, d)
		for j := range y {
			b[j] = (a[j] + b[j] + s*d[j]) / 2
		}
		// Aitken–Neville in s², from the finest backwards.
		table[k] = b
		for m := k - 1; m >= 0; m-- {
			q := float64(k+1) / float64(m+1)
			for j := range y {
				table[m][j] = table[m+1][j] + (table[m+1][j]-table[m][j])/(q*q-1)
			}
		}
	}
	return table[0]
}

// over is the first neuron that is due at t.
func (o *orbit) over(t float64, y []float64) int {
	for i := range o.n {
		if t >= o.free[i]-1e-13 && o.margin(i, y) >= 0 {
			return i
		}
	}
	return -1
}

// shoot makes every neuron that is due at t fire.
func (o *orbit) shoot(t float64) {
	for i := range o.n {
		if o.held[i] && t >= o.free[i]-1e-13 {
			o.held[i] = false
		}
	}
	for i := range o.n {
		if !o.held[i] && t >= o.free[i]-1e-13 && o.margin(i, o.y) >= 0 {
			o.spike(i, t)
		}
	}
}

func (o *orbit) spike(i int, t float64) {
	o.spikes[i] = append(o.spikes[i], t)
	o.fire(i)
	o.free[i] = t + o.tRef[i]
	o.held[i] = o.tRef[i] > 0
}

// to integrates from t to end.
func (o *orbit) to(t, end float64) {
	o.shoot(t)
	for t < end {
		h := min(o.longest, end-t)
		for i := range o.n {
			if o.free[i] > t+1e-13 {
				h = min(h, o.free[i]-t)
			}
		}
		z := o.step(o.y, h)
		who := o.over(t+h, z)
		if half := o.step(o.y, h/2); who < 0 {
			if who = o.over(t+h/2, half); who >= 0 {
				h /= 2
			}
		}
		if who >= 0 && o.free[who] <= t+1e-13 {
			lo, hi := 0.0, h
			for range 60 {
				m := (lo + hi) / 2
				if k := o.over(t+m, o.step(o.y, m)); k >= 0 && o.free[k] <= t+1e-13 {
					hi, who = m, k
				} else {
					lo = m
				}
			}
			h = math.Round((t+hi)*1e9)/1e9 - t
			if h > 0 {
				o.y = o.step(o.y, h)
			}
			t += h
			o.spike(who, t)
			o.shoot(t)
			continue
		}
		o.y = z
		t += h
		o.shoot(t)
	}
}

// hits are arrivals at neurons of one population.
type hit struct {
	at event.Time
	i  int
	w  float64
}

func randomHits(rng *rand.Rand, n, count int, end float64, w func(i int) float64) (all []hit) {
	for range count {
		i := rng.IntN(n)
		all = append(all, hit{ms(1.5) + event.Time(rng.Float64()*end*1e9), i, w(i)})
	}
	slices.SortFunc(all, func(a, b hit) int { return int(a.at - b.at) })
	return all
}

// follow drives the orbit with the hits and samples it at whole multiples of
// every: signals[k] are the values of all samples.
func (o *orbit) follow(hits []hit, end, every float64, arrive func(h hit), look func() []float64) (signals [][]float64) {
	t, next := 0.0, 0
	for k := 0; k <= len(hits); {
		at := end
		if k < len(hits) {
			at = hits[k].at.MS()
		}
		for s := float64(next) * every; s < at; s = float64(next) * every {
			o.to(t, s)
			t = s
			signals = append(signals, look())
			next++
		}
		o.to(t, at)
		if t = at; k == len(hits) {
			break
		}
		for k < len(hits) && hits[k].at.MS() == at {
			arrive(hits[k])
			k++
		}
	}
	return signals
}

// deliver adds a source that delivers the hits to population pop of m.
func deliver(m *network.Model, pop string, hits []hit) {
	var times [][]event.Time
	var list []synapse.Edge
	for k, h := range hits {
		times = append(times, []event.Time{h.at - event.Millisecond})
		list = append(list, edge(k, h.i, h.w, 0, event.Millisecond))
	}
	m.Populations = append(m.Populations, trains("hits-"+pop, times...))
	m.Projections = append(m.Projections, edges("hits-"+pop, pop, list...))
}

// against compares a run with an orbit: the spikes of neurons first, first+1, …
// and the samples of the records with the given indices, one neuron each.
func against(t *testing.T, name string, o *orbit, r *tape, want [][]float64, records []int, spikeTol, sampleTol float64, why string) []Check {
	t.Helper()
	count, missing, worst := 0, 0, 0.0
	for i := range o.n {
		got := r.of(uint32(i))
		count += len(o.spikes[i])
		if len(got) != len(o.spikes[i]) {
			missing += max(len(got)-len(o.spikes[i]), len(o.spikes[i])-len(got))
			continue
		}
		for k := range got {
			worst = max(worst, math.Abs(got[k].MS()-o.spikes[i][k]))
		}
	}
	if count < 10 {
		t.Errorf("%s: only %d spikes", name, count)
	}
	off := 0.0
	for c, k := range records {
		_, x := r.signal(k, c%o.n)
		if len(x) != len(want) {
			t.Fatalf("%s: %d samples, want %d", name, len(x), len(want))
		}
		for s := range x {
			off = max(off, math.Abs(x[s]-want[s][c])/(1+math.Abs(want[s][c])))
		}
	}
	return []Check{
		{Name: name + ": spikes too many or too few", Unit: "1", Got: float64(missing), Why: fmt.Sprintf("of %d", count)},
		{Name: "… worst spike", Unit: "ms", Got: worst, Tolerance: spikeTol, Why: why},
		{Name: fmt.Sprintf("… worst of %d samples", len(want)*len(records)), Unit: "1", Got: off, Tolerance: sampleTol, Why: "relative to 1 + |value|"},
	}
}

// Integrated references of the closed-form neurons.
func checkZoo(t *testing.T) (rows []Check) {
	const rounding = "either rounds to 1 ps"
	const end, every = 300.0, 1.7
	run := func(model string, p, init []any, hits []hit, signals ...string) *tape {
		m := &network.Model{Populations: []network.Population{population("n", 1, model, values(p...), start(init...))},
			Records: []network.Record{record("spikes", "n", 0)}}
		for _, s := range signals {
			m.Records = append(m.Records, record(s, "n", ms(every)))
		}
		deliver(m, "n", hits)
		return play(t, m, ms(end))
	}

	// IntFire1: arrival by arrival, as in NEURON's code.
	rng := rand.New(rand.NewPCG(1, 20))
	hits := randomHits(rng, 1, 300, end-3, func(int) float64 { return rng.Float64() - 0.25 })
	r := run("IntFire1", []any{"tau", 12.0, "refrac", 3.0}, nil, hits, "m")
	var fired []float64
	m, last, free := 0.0, 0.0, -1.0
	for _, h := range hits {
		at := h.at.MS()
		if at < free {
			continue
		}
		m, last = m*math.Exp(-(at-max(last, free))/12)+h.w, at
		if m > 1 {
			fired, m, free = append(fired, at), 0, at+3
		}
	}
	wrong := 0
	got := r.of(0)
	for k := range max(len(got), len(fired)) {
		if k >= len(got) || k >= len(fired) || math.Abs(got[k].MS()-fired[k]) > 1e-12 {
			wrong++
		}
	}
	rows = append(rows, Check{Name: fmt.Sprintf("IntFire1: spikes of %d at another time", len(fired)), Unit: "1", Got: float64(wrong), Why: "it fires at arrivals: equal times"})

	// IntFire2.
	const taum, taus, ib = 8.0, 21.0, 0.4
	hits = randomHits(rng, 1, 250, end-3, func(int) float64 { return 1.2*rng.Float64() - 0.3 })
	o := newOrbit(1, []float64{0, ib}, 0.5)
	o.slopes = func(y, dy []float64) { dy[0], dy[1] = (y[1]-y[0])/taum, (ib-y[1])/taus }
	o.margin = func(_ int, y []float64) float64 { return y[0] - 1 }
	o.fire = func(int) { o.y[0] = 0 }
	want := o.follow(hits, end, every, func(h hit) { o.y[1] += h.w }, func() []float64 { return []float64{o.y[0], o.y[1]} })
	rows = append(rows, against(t, "IntFire2", o, run("IntFire2", []any{"taum", taum, "taus", taus, "ib", ib}, nil, hits, "m", "i"), want, []int{1, 2}, 1e-9, 1e-8, rounding)...)

	// IntFire4, whose constants come from the peaks, found here by a dense search
	// of the integrated response.
	taue, taui1, taui2, tauM := 4.0, 9.0, 23.0, 47.0
	ae, a1, a2 := 1.0, 1.0, 1.0
	f4 := func(y, dy []float64) { // m, e, i1, i2
		dy[0], dy[1] = -y[0]/tauM+ae*y[1]+a2*y[3], -y[1]/taue
		dy[2], dy[3] = -y[2]/taui1, -y[3]/taui2+a1*y[2]
	}
	peak := func(y []float64, j int) float64 { // by golden section
		o := newOrbit(1, nil, 1)
		o.slopes = f4
		at := func(s float64) float64 {
			z := slices.Clone(y)
			for range 64 {
				z = o.step(z, s/64)
			}
			return z[j]
		}
		lo, hi := 0.0, 120.0
		for range 80 {
			a, b := lo+(hi-lo)*0.381966, lo+(hi-lo)*0.618034
			if at(a) < at(b) {
				lo = a
			} else {
				hi = b
			}
		}
		return at((lo + hi) / 2)
	}
	ae /= peak([]float64{0, 1, 0, 0}, 0)
	a1 /= peak([]float64{0, 0, 1, 0}, 3)
	a2 /= peak([]float64{0, 0, 1, 0}, 0)
	hits = randomHits(rng, 1, 300, end-3, func(int) float64 { return 1.6*rng.Float64() - 0.5 })
	o = newOrbit(1, []float64{0, 0, 0, 0}, 0.5)
	o.slopes = f4
	o.margin = func(_ int, y []float64) float64 { return y[0] - 1 }
	o.fire = func(int) { o.y[0] = 0 }
	want = o.follow(hits, end, every, func(h hit) {
		if h.w > 0 {
			o.y[1] += h.w
		} else {
			o.y[2] += h.w
		}
	}, func() []float64 { return []float64{o.y[0], o.y[3]} })
	rows = append(rows, against(t, "IntFire4", o, run("IntFire4", []any{"taue", taue, "taui1", taui1, "taui2", taui2, "taum", tauM}, nil, hits, "m", "i2"), want, []int{1, 2}, 1e-9, 1e-8, rounding)...)

	// mat2_psc_exp.
	const C, tau, el, omega, ref = 100.0, 5.0, -70.0, -51.0, 2.0
	hits = randomHits(rng, 1, 300, end-3, func(int) float64 { return 3000*rng.Float64() - 700 })
	o = newOrbit(1, []float64{el, 0, 0, 0, 0}, 0.05)
	o.slopes = func(y, dy []float64) {
		dy[0] = -(y[0]-el)/tau + (y[1]+y[2]+120)/C
		dy[1], dy[2], dy[3], dy[4] = -y[1]/1, -y[2]/3, -y[3]/10, -y[4]/200
	}
	o.margin = func(_ int, y []float64) float64 { return y[0] - omega - y[3] - y[4] }
	o.fire = func(int) { o.y[3], o.y[4] = o.y[3]+37, o.y[4]+2 }
	o.tRef[0] = ref
	want = o.follow(hits, end, every, func(h hit) {
		if h.w > 0 {
			o.y[1] += h.w
		} else {
			o.y[2] += h.w
		}
	}, func() []float64 { return []float64{o.y[0], o.y[3]} })
	rows = append(rows, against(t, "mat2_psc_exp", o, run("mat2_psc_exp", []any{"I_e", 120.0}, nil, hits, "V_m", "V_th_alpha_1"), want, []int{1, 2}, 1e-9, 1e-8, rounding)...)
	return append(append(rows, checkIntFireRates(t)...), checkMAT(t)...)
}

// checkIntFireRates: f–I curve and rheobase of IntFire2, in closed form.
func checkIntFireRates(t *testing.T) (rows []Check) {
	worst := 0.0
	for _, ib := range []float64{1.0001, 1.01, 1.2, 2, 5, 40} {
		m := &network.Model{Populations: []network.Population{population("n", 1, "IntFire2", values("taum", 10.0, "ib", ib), nil)}}
		s := play(t, m, 2*event.Second).of(0)
		want := 10 * math.Log(ib/(ib-1))
		if len(s) < 10 {
			t.Fatalf("%d spikes with ib = %g", len(s), ib)
		}
		for k := range s {
			worst = max(worst, math.Abs(s[k].MS()-want*float64(k+1))/float64(k+1))
		}
	}
	m := &network.Model{Populations: []network.Population{population("n", 1, "IntFire2", values("ib", 1-1e-9), nil)}}
	// The slope at threshold is (ib − 1)/taum, 1e-5/ms for the least.
	return append(rows, Check{Name: "IntFire2: worst interval for six currents ib", Unit: "ms", Got: worst, Tolerance: 1e-9, Why: "taum ln(ib/(ib − 1)), rounded to 1 ps each"},
		Check{Name: "… spikes with ib = 1 − 1e-9 (rheobase 1) in 2 s", Unit: "1", Got: float64(len(play(t, m, 2*event.Second).spikes)), Why: "m approaches ib"})
}

// checkMAT: the four kinds of cortical neurons of the authors' program for their
// Figure 5B, a step of 0.6 nA from 100 to 600 ms, spikes against the closed form
// of potential and threshold.
func checkMAT(t *testing.T) (rows []Check) {
	kinds := []struct {
		name             string
		omega, a1, a2    float64
		pattern          string
		ratio            func(isi []float64) float64
		ratioLo, ratioHi float64
	}{
		{"regular spiking", -45, 30, 2, "last over second interval, adapting", func(x []float64) float64 { return x[len(x)-1] / x[1] }, 1.3, 10},
		{"intrinsic bursting", -46, 7.5, 1.5, "last over first interval, a burst at the onset", func(x []float64) float64 { return x[len(x)-1] / x[0] }, 2.5, 100},
		{"fast spiking", -55, 10, 0.2, "rate in the second half [Hz]", func(x []float64) float64 {
			sum := 0.0
			for _, d := range x[len(x)/2:] {
				sum += d
			}
			return 1000 * float64(len(x)-len(x)/2) / sum
		}, 150, 300},
		{"chattering", -39, -0.5, 0.4, "longest over shortest interval, bursts again and again", func(x []float64) float64 { return slices.Max(x) / slices.Min(x) }, 4, 100},
	}
	for _, c := range kinds {
		m := &network.Model{Populations: []network.Population{
			population("n", 1, "mat2_psc_exp", values("C_m", 100.0, "tau_m", 5.0, "E_L", -65.0, "omega", c.omega, "alpha_1", c.a1, "alpha_2", c.a2, "tau_1", 10.0, "tau_2", 200.0, "t_ref", 2.0), nil),
			population("step", 1, "step_current", values("steps", quantity.Value{Steps: [][2]float64{{99, 600}, {599, 0}}}), nil)}}
		m.Projections = []network.Projection{edges("step", "n", edge(0, 0, 1, 0, event.Millisecond))}
		r := play(t, m, 700*event.Millisecond)
		got := r.of(0)
		// V = E_L + 30 mV (1 − e^{−s/5}) from the step on. The first time from the
		// last spike at which V reaches the threshold: scanned in steps of 5 µs,
		// bisected, rounded to 1 ps.
		var want []float64
		from, free := 100.0, 0.0
		margin := func(t float64) float64 {
			v := -65.0
			if t > 100 {
				v += 30 * -math.Expm1(-(t-100)/5)
			}
			if t > 600 {
				v = -65 + 30*-math.Expm1(-500.0/5)*math.Exp(-(t-600)/5)
			}
			th := c.omega
			for _, s := range want {
				th += c.a1*math.Exp(-(t-s)/10) + c.a2*math.Exp(-(t-s)/200)
			}
			return v - th
		}
		for x := from; x < 700; x += 0.005 {
			if x+0.005 <= free || margin(max(x+0.005, free)) < 0 {
				continue
			}
			lo, hi := max(x, free), x+0.005
			for range 60 {
				if mid := (lo + hi) / 2; margin(mid) >= 0 {
					hi = mid
				} else {
					lo = mid
				}
			}
			s := math.Round(hi*1e9) / 1e9
			want = append(want, s)
			free = s + 2
		}
		worst := 0.0
		if len(got) == len(want) {
			for k := range got {
				worst = max(worst, math.Abs(got[k].MS()-want[k]))
			}
		}
		var isi []float64
		for k := 1; k < len(got); k++ {
			isi = append(isi, (got[k] - got[k-1]).MS())
		}
		if len(isi) < 3 {
			t.Fatalf("%s: %d spikes, want %d", c.name, len(got), len(want))
		}
		t.Logf("%s: intervals %.4g", c.name, isi)
		rows = append(rows,
			Check{Name: "mat2_psc_exp, " + c.name + ": spikes", Unit: "1", Expected: float64(len(want)), Got: float64(len(got)), Why: "closed form of V and threshold; parameters of the authors' program for Figure 5B of Kobayashi et al. 2009"},
			Check{Name: "… worst spike", Unit: "ms", Got: worst, Tolerance: 1e-9, Why: "either rounds to 1 ps"},
			Check{Name: "… " + c.pattern, Unit: "1", Expected: (c.ratioLo + c.ratioHi) / 2, Got: c.ratio(isi), Tolerance: (c.ratioHi - c.ratioLo) / 2, Why: "what the kind is called for"})
	}
	return rows
}
