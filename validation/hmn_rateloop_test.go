package validation

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
)

// A hand-written simulation of a few rate units with plastic synapses among them,
// event by event: units, traces, candidates, weights. It shares no code with the
// engine. A weight that changes at a close acts at the next picosecond, a dendritic
// delay later.

// rateSynapse is one synapse of the simulation.
type rateSynapse struct {
	projection        int
	source, target    int // of the populations
	from, to          int // units; from < 0: level source −1−from
	axonal, dendritic event.Time
	phase             float64
	sign, w           float64 // magnitude as decided
	applied, x        float64 // signed weight and input as the target has them
	in, out           float64 // input and output as the synapse sees them
	zbar              float64
	outAt             event.Time
	outRaw            float64
	trace             [2]float64
	now               event.Time
	k                 int64
	open, close       instant
	value, sum        float64
}

// rateTask is an event of the simulation.
type rateTask struct {
	at   event.Time
	kind int // 0 input acts, 1 weight acts, 2 input seen, 3 output seen, 4 jump of a modulator, 5 close, 6 sample
	s    int // synapse
	x    float64
	n    int // order of entry
}

type rateTasks []rateTask

func (a rateTasks) Len() int { return len(a) }
func (a rateTasks) Less(i, j int) bool {
	if a[i].at != a[j].at {
		return a[i].at < a[j].at
	}
	if a[i].kind != a[j].kind {
		return a[i].kind < a[j].kind
	}
	return a[i].n < a[j].n
}
func (a rateTasks) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *rateTasks) Push(x any)   { *a = append(*a, x.(rateTask)) }
func (a *rateTasks) Pop() any {
	x := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return x
}

// rateSim is the simulation.
type rateSim struct {
	rule     *hmnRule
	mods     []hmnModulator
	level    [][]hmnLevel // of the sources
	f        []func(float64) float64
	bias     []float64
	order    []int // of the units: those without delay between them go from left to right
	syn      []*rateSynapse
	z, sent  []float64
	delta    float64
	tasks    rateTasks
	n        int
	windows  []hmnWindow // edge = synapse
	dw       []float64   // of each window
	samples  [][]float64
	e        []float64 // modulators at eAt
	eAt      event.Time
	overlaps int // weight changes at units whose input was not 0
}

func (m *rateSim) push(at event.Time, kind, s int, x float64) {
	m.n++
	heap.Push(&m.tasks, rateTask{at, kind, s, x, m.n})
}

// modulators moves them to t.
func (m *rateSim) modulators(t event.Time) {
	for k, q := range m.mods {
		if q.tau > 0 {
			m.e[k] *= math.Exp(-(t - m.eAt).MS() / q.tau)
		}
	}
	m.eAt = t
}

// advance takes a synapse to t: its candidate and traces. Nothing happened in
// between, and modulators stand where they stood at s.now or later without a jump.
func (m *rateSim) advance(s *rateSynapse, t event.Time) { m.integrate(s, at(t)) }

func (m *rateSim) integrate(s *rateSynapse, t instant) {
	r := m.rule
	a, b := at(s.now), t
	if s.open.compare(a) > 0 {
		a = s.open
	}
	if s.close.compare(b) < 0 {
		b = s.close
	}
	drive := s.in * s.out
	if L := b.since(a); L > 0 {
		omega := 2 * math.Pi * r.hz / 1000
		lag := a.since(at(s.now))
		part := quadrature(L, 1/r.tauFast, omega, func(x float64) float64 {
			gate := 1.0
			if r.gate {
				gate = r.kappa * math.Sin(omega*min(a.since(s.open)+x, s.close.since(b)+(L-x)))
			}
			drift := r.etaLocal
			for k, q := range m.mods {
				y := m.e[k]
				if q.tau > 0 {
					y *= math.Exp(-(a.since(at(m.eAt)) + x) / q.tau)
				}
				drift += r.etaGlobal * q.w * y
			}
			sum := 0.0
			for k, tau := range [2]float64{r.tauFast, r.tauSlow} {
				y := s.trace[k]*math.Exp(-(lag+x)/tau) - drive*tau*math.Expm1(-(lag+x)/tau)
				sum += [2]float64{r.aFast, r.aSlow}[k] * y
			}
			return gate * drift * sum
		})
		s.value += part
		s.sum += math.Abs(part)
	}
	if b.compare(t) < 0 || t.frac != 0 {
		return // at a close the traces stay where they are
	}
	d := t.since(at(s.now))
	for k, tau := range [2]float64{r.tauFast, r.tauSlow} {
		s.trace[k] = s.trace[k]*math.Exp(-d/tau) - drive*tau*math.Expm1(-d/tau)
	}
	s.now = event.Time(t.ps)
}

func (m *rateSim) window(s *rateSynapse) {
	half := 0.25
	if !m.rule.gate {
		half = 0.5
	}
	s.open, s.close = phaseTime(m.rule.hz, s.phase, m.rule.phi0, s.k, -half), phaseTime(m.rule.hz, s.phase, m.rule.phi0, s.k, half)
	s.value, s.sum = 0, 0
}

// run simulates to end and samples every so often.
func (m *rateSim) run(end, every event.Time) {
	m.z, m.sent, m.e = make([]float64, len(m.f)), make([]float64, len(m.f)), make([]float64, len(m.mods))
	for i, s := range m.syn {
		s.k = -3
		for m.window(s); s.close.compare(instant{}) <= 0; m.window(s) {
			s.k++
		}
		m.push(event.Time(s.close.ps), 5, i, 0)
		s.applied = s.sign * s.w
		if s.from < 0 {
			for _, l := range m.level[-1-s.from] {
				m.push(l.at+s.axonal, 2, i, l.value)
				m.push(l.at+s.axonal+s.dendritic, 0, i, l.value)
			}
		}
	}
	for k, q := range m.mods {
		for _, j := range q.jumps {
			m.push(j.at, 4, k, j.value)
		}
	}
	for t := event.Time(0); t < end; t += every {
		m.push(t, 6, 0, 0)
	}
	compute := func(t event.Time) { // all units anew, in order
		for _, j := range m.order {
			sum := m.bias[j]
			for _, s := range m.syn {
				if s.to == j {
					sum += s.applied * s.x
				}
			}
			z := m.f[j](sum)
			if m.z[j] = z; math.Abs(z-m.sent[j]) <= m.delta {
				continue
			}
			m.sent[j] = z
			for i, s := range m.syn {
				if s.from == j {
					m.push(t+s.axonal, 2, i, z)
					if s.axonal+s.dendritic == 0 {
						s.x = z
					} else {
						m.push(t+s.axonal+s.dendritic, 0, i, z)
					}
				}
				if s.to == j {
					m.push(t+s.dendritic, 3, i, z)
				}
			}
		}
	}
	compute(0)
	for len(m.tasks) > 0 && m.tasks[0].at <= end {
		now := m.tasks[0].at
		acted := false
		for len(m.tasks) > 0 && m.tasks[0].at == now && m.tasks[0].kind <= 1 {
			q := heap.Pop(&m.tasks).(rateTask)
			s := m.syn[q.s]
			if q.kind == 0 {
				s.x = q.x
			} else {
				if s.x != 0 {
					m.overlaps++
				}
				s.applied = q.x
			}
			acted = true
		}
		if acted {
			compute(now)
			continue
		}
		q := heap.Pop(&m.tasks).(rateTask)
		switch q.kind {
		case 2:
			s := m.syn[q.s]
			m.advance(s, now)
			s.in = q.x
		case 3:
			s := m.syn[q.s]
			m.advance(s, now)
			if m.rule.center {
				d := (now - s.outAt).MS()
				s.zbar = s.zbar*math.Exp(-d/m.rule.tauZbar) - s.outRaw*math.Expm1(-d/m.rule.tauZbar)
				s.outAt, s.outRaw = now, q.x
			}
			s.out = q.x - s.zbar
		case 4:
			for _, s := range m.syn {
				m.advance(s, now)
			}
			m.modulators(now)
			m.e[q.s] += q.x
		case 5:
			s := m.syn[q.s]
			if !m.rule.gate || s.close.ps == int64(now) {
				m.integrate(s, s.close)
			}
			old := s.w
			s.w = min(max(s.w+s.value, m.rule.wMin), m.rule.wMax)
			if s.w != old {
				m.push(now+1+s.dendritic, 1, q.s, s.sign*s.w)
			}
			m.windows = append(m.windows, hmnWindow{edge: q.s, k: s.k, open: s.open, close: s.close, value: s.value, sum: s.sum})
			m.dw = append(m.dw, s.w-old)
			s.k++
			m.window(s)
			m.push(event.Time(s.close.ps), 5, q.s, 0)
		case 6:
			if now < end {
				m.samples = append(m.samples, slices.Clone(m.z))
			}
		}
	}
}

// rateLoop makes a description and its simulation: units A of one function, B of
// another, sources; plastic synapses without delay from the sources to A and from A to B,
// with delay back and among B.
func rateLoop(seed uint64, fA, fB string, change func(*hmnRule), end event.Time) (*network.Model, *rateSim) {
	rng := rand.New(rand.NewPCG(seed, 0x72617465))
	in := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	r := coreRates(1)
	r.hz, r.bernoulli, r.tauFast, r.tauSlow = pick(rng, 40, 33.3, 8), false, 20, 200
	r.etaLocal, r.etaGlobal = 2e-5*r.hz/8, 2e-4*r.hz/8
	change(&r)
	functions := map[string]func(float64) float64{
		"relu": func(x float64) float64 { return max(0, x) }, "tanh": math.Tanh,
		"linear": func(x float64) float64 { return x }, "sigmoid": func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
		"softplus": func(x float64) float64 { return math.Log1p(math.Exp(-math.Abs(x))) + max(x, 0) },
	}
	const nA, nB, nIn = 2, 2, 3
	// With a mean that is taken at events, an event of a change that is all
	// rounding matters.
	sim := &rateSim{rule: &r, delta: 1e-15}
	units := func(f string, b float64) quantity.Values { return values("f", f, "b", b) }
	if r.center {
		sim.delta = 1e-5
		units = func(f string, b float64) quantity.Values { return values("f", f, "b", b, "delta_z", sim.delta) }
	}
	m := &network.Model{Simulation: network.Simulation{Seed: seed}}
	for range nIn {
		var steps []hmnLevel
		for t := in(0, 10); t < end.MS(); t += in(1, 30) {
			steps = append(steps, hmnLevel{ms(math.Round(t*100) / 100), in(-0.5, 1.5)})
		}
		sim.level = append(sim.level, steps)
	}
	for j := range nA + nB {
		f, b := fA, 0.1
		if j >= nA {
			f, b = fB, 0.2
		}
		sim.f, sim.bias, sim.order = append(sim.f, functions[f]), append(sim.bias, b), append(sim.order, j)
	}
	m.Populations = []network.Population{levels("in", sim.level), population("A", nA, "rate", units(fA, 0.1), nil), population("B", nB, "rate", units(fB, 0.2), nil)}
	first := map[string]int{"A": 0, "B": nA}
	size := map[string]int{"in": nIn, "A": nA, "B": nB}
	for p, q := range []struct {
		source, target    string
		axonal, dendritic float64
		sign              float64
	}{
		{"in", "A", 0, 0, 1}, {"A", "B", 0, 0, 1}, {"B", "A", 1, 0, -1}, {"B", "B", 0.5, 0.7, 1}, {"A", "A", 0, 1.2, -1}, {"in", "B", 0.3, 0.9, 1},
	} {
		d := network.Projection{Name: q.source + ">" + q.target, Source: q.source, Target: q.target, Rule: network.EdgeList, Autapses: true, Multapses: true,
			Synapse: "hmn", SynapseParams: r.values(), EdgePhases: true}
		for i := range size[q.source] {
			for j := range size[q.target] {
				x := edge(i, j, q.sign*in(0.1, 0.6), ms(q.axonal), ms(q.dendritic))
				x.Phase = pick(rng, 0, in(0, 2*math.Pi), in(0, 2*math.Pi))
				d.Edges = append(d.Edges, x)
				s := &rateSynapse{projection: p, source: i, target: j, from: -1 - i, to: first[q.target] + j, axonal: x.Axonal, dendritic: x.Dendritic,
					phase: x.Phase, sign: q.sign, w: math.Abs(x.Weight)}
				if q.source != "in" {
					s.from = first[q.source] + i
				}
				sim.syn = append(sim.syn, s)
			}
		}
		m.Projections = append(m.Projections, d)
		m.Records = append(m.Records, record(network.RecordCandidate, d.Name, 0), record(network.RecordUpdates, d.Name, 0))
	}
	for k, tau := range []float64{30, 0} {
		q := hmnModulator{tau: tau, w: 1 - 0.7*float64(k)}
		d := network.Modulator{Name: fmt.Sprint("m", k), Tau: tau, Hold: tau == 0, W: q.w, HasW: true}
		for t := in(0, 20); t < end.MS(); t += in(5, 50) {
			j := hmnLevel{ms(math.Round(t*1000) / 1000), in(-1, 1)}
			q.jumps = append(q.jumps, j)
			d.Events = append(d.Events, network.Jump{At: j.at, Amount: j.value})
		}
		sim.mods = append(sim.mods, q)
		m.Modulators = append(m.Modulators, d)
	}
	m.Records = append(m.Records, record("rate", "A", ms(0.31)), record("rate", "B", ms(0.31)))
	return m, sim
}

// TestHMNRateLoop compares plastic rate units with the simulation by hand: outputs,
// candidates, changes of weights.
func TestHMNRateLoop(t *testing.T) {
	end := ms(200)
	worst, worstZ, acted, n := 0.0, 0.0, 0, 0
	for seed := range uint64(12) {
		f := [][2]string{{"relu", "tanh"}, {"tanh", "relu"}, {"tanh", "sigmoid"}, {"softplus", "tanh"}}[seed%4]
		change := []func(*hmnRule){
			func(*hmnRule) {},
			func(r *hmnRule) { r.gate = false },
			func(r *hmnRule) { r.center, r.tauZbar = true, 40 },
		}[seed%3]
		t.Run(fmt.Sprintf("%d/%s/%s", seed, f[0], f[1]), func(t *testing.T) {
			m, sim := rateLoop(seed, f[0], f[1], change, end)
			sim.run(end, ms(0.31))
			net := build(t, m, 1)
			got := &learned{}
			learn(t, net, end, got)
			net.Close()
			type id struct{ p, source, target, k int }
			want := map[id]int{}
			for i, w := range sim.windows {
				if w.close.compare(at(end)) <= 0 {
					s := sim.syn[w.edge]
					want[id{s.projection, s.source, s.target, int(w.k)}] = i
				}
			}
			faults := 0
			for _, c := range got.candidates {
				key := id{c.Synapse.Projection, int(c.Synapse.Source), int(c.Synapse.Target), int(c.K)}
				i, ok := want[key]
				if !ok {
					t.Errorf("candidate %+v does not exist", c)
					continue
				}
				delete(want, key)
				w := sim.windows[i]
				if d := math.Abs(c.Value - w.value); !(d <= 1e-10*w.sum+1e-16) {
					if faults++; faults < 4 {
						t.Errorf("%+v: want %v ± %.1g", c, w.value, 1e-10*w.sum)
					}
				} else if w.sum > 1e-6 {
					worst = max(worst, d/w.sum)
				}
				if d := math.Abs(c.DW - sim.dw[i]); !(d <= 1e-10*w.sum+1e-15) {
					t.Errorf("%+v: changes by %v", c, sim.dw[i])
				}
				n++
			}
			if len(want) > 0 {
				t.Errorf("%d candidates missing: %v", len(want), want)
			}
			for r, size := range []int{2, 2} {
				for j := range size {
					_, z := got.signal(len(m.Records)-2+r, j)
					for k := range z {
						d := math.Abs(z[k]-sim.samples[k][2*r+j]) / max(1, math.Abs(z[k]))
						if worstZ = max(worstZ, d); !(d <= 1e-10) {
							t.Fatalf("output %d of %d at %v ms: %v, want %v", j, r, 0.31*float64(k), z[k], sim.samples[k][2*r+j])
						}
					}
				}
			}
			acted += sim.overlaps
		})
	}
	if n < 1000 || acted < 1000 {
		t.Errorf("%d candidates, %d changes of weight under input: too little was compared", n, acted)
	}
	t.Logf("%d candidates, worst %.1e of Σ|segments|; %d changes of weight acted; worst output %.1e", n, worst, acted, worstZ)
}

// TestHMNDeterminismRates: plastic rate units in a closed loop, some without delay,
// run in pieces, after Reset, with more recorders, give the same bits.
func TestHMNDeterminismRates(t *testing.T) {
	end := ms(100)
	for seed := range uint64(9) {
		change := []func(*hmnRule){
			func(r *hmnRule) { r.bernoulli, r.thetaP, r.betaP = true, 0.001, 3000 },
			func(r *hmnRule) { r.betaA, r.tauCtx, r.betaG, r.tauC = 2, 50, 2, 30 },
			func(r *hmnRule) { r.center, r.tauZbar, r.soft, r.lambdaW = true, 40, true, 1e-3 },
		}[seed%3]
		m, _ := rateLoop(seed, "tanh", "relu", change, end)
		for p := range m.Projections {
			d := ms(0.4) // one per attention group
			for i := range m.Projections[p].Edges {
				if x := &m.Projections[p].Edges[i]; seed%3 == 1 && x.Axonal+x.Dendritic > 0 {
					x.Axonal, x.Dendritic = max(x.Axonal, ms(0.6)), d
				}
			}
		}
		if seed%3 == 1 { // a softmax has one dendritic delay: those without delay are another's
			m.Projections[0].SynapseParams["group"] = values("group", "input")["group"]
			m.Projections[1].SynapseParams["group"] = values("group", "forward")["group"]
		}
		if seed >= 6 {
			for p := range m.Projections {
				if m.Projections[p].SynapseParams["bernoulli"].Bool || m.Projections[p].SynapseParams["bounds"].Text == "soft" || m.Projections[p].SynapseParams["lambda_w"].Number > 0 {
					continue
				}
				m.Projections[p].SynapseParams["update"] = values("update", "continuous")["update"]
			}
		}
		n := build(t, m, 1)
		want := &learned{}
		learn(t, n, end, want)
		weights := weightBits(n, m)
		window := n.Stats().Window
		rng := rand.New(rand.NewPCG(seed, 6))
		var cuts []event.Time
		for range 6 {
			cuts = append(cuts, event.Time(rng.Int64N(int64(end))), event.Time(rng.Int64N(int64(end/window)))*window)
			if len(want.candidates) > 0 {
				c := pick(rng, want.candidates...)
				cuts = append(cuts, c.Close, c.Close+1, c.Close-1)
			}
		}
		cuts = slices.DeleteFunc(ordered(cuts), func(c event.Time) bool { return c <= 0 || c >= end })
		if err := n.Reset(); err != nil {
			t.Fatal(err)
		}
		got, at, now := &learned{}, map[event.Time][]uint64{}, event.Time(0)
		for _, c := range append(cuts, end) {
			learn(t, n, c-now, got)
			at[c], now = weightBits(n, m), c
		}
		if d := sameRun(want, got); d != "" {
			t.Errorf("seed %d, split at %v: %s", seed, cuts, d)
		}
		if !slices.Equal(at[end], weights) {
			t.Errorf("seed %d, split: final weights: %s", seed, firstBits(at[end], weights))
		}
		for _, c := range cuts {
			if err := n.Reset(); err != nil {
				t.Fatal(err)
			}
			learn(t, n, c, &learned{})
			if w := weightBits(n, m); !slices.Equal(w, at[c]) {
				t.Errorf("seed %d: weights at a split at %v are not those of a run that ends there: %s", seed, c, firstBits(at[c], w))
			}
		}
		n.Close()
		more := *m
		more.Records = slices.Clone(m.Records)
		for p := range m.Projections {
			for _, what := range hmnSignals {
				more.Records = append(more.Records, record(what, m.Projections[p].Name, ms(0.7)))
			}
		}
		n = build(t, &more, 2)
		got = &learned{}
		learn(t, n, end, got)
		got.samples = slices.DeleteFunc(got.samples, func(s sample) bool { return s.record >= len(m.Records) })
		if d := sameRun(want, got); d != "" {
			t.Errorf("seed %d, signals recorded: %s", seed, d)
		}
		if w := weightBits(n, m); !slices.Equal(w, weights) {
			t.Errorf("seed %d, signals recorded: final weights: %s", seed, firstBits(w, weights))
		}
		n.Close()
		more.Records = nil
		n = build(t, &more, 1)
		if err := n.Run(t.Context(), end, network.Recorder{}); err != nil {
			t.Fatal(err)
		}
		if w := weightBits(n, m); !slices.Equal(w, weights) {
			t.Errorf("seed %d, nothing recorded: final weights: %s", seed, firstBits(w, weights))
		}
		n.Close()
	}
}
