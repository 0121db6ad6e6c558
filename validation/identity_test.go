package validation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
)

// subject is a network on which identities are tested.
type subject struct {
	name string
	make func(t *testing.T) *network.Model
	span event.Time
	// parallel says that windows hold enough work to be shared: then every one
	// of several workers must have advanced a block.
	parallel bool
}

// subjects cover every kind of population, source, rule, delay and path.
func subjects(mode mode) []subject {
	long := func(quick, short event.Time) event.Time {
		if mode == quickMode {
			return quick
		}
		return short
	}
	grow := []string{"population.E.n=10000", "population.I.n=2500",
		"projection.EE.p=0.0064", "projection.EI.p=0.0064", "projection.IE.p=0.0064", "projection.II.p=0.0064"}
	return []subject{
		{"CUBA of 12 500, delay 1.5 ms", func(t *testing.T) *network.Model { return shipped(t, "bench/cuba", grow...) }, long(100*event.Millisecond, 300*event.Millisecond), true},
		{"CUBA of 12 500, random delays", func(t *testing.T) *network.Model { return shipped(t, "bench/cuba-delays", grow...) }, long(60*event.Millisecond, 200*event.Millisecond), true},
		{"Brunel of 12 500, with Poisson input", func(t *testing.T) *network.Model { return shipped(t, "bench/brunel") }, long(12*event.Millisecond, 60*event.Millisecond), true},
		{"cuba, delay 0.1 ms", func(t *testing.T) *network.Model { return shipped(t, "cuba") }, long(40*event.Millisecond, 200*event.Millisecond), false},
		{"everything at once", everything, long(120*event.Millisecond, 600*event.Millisecond), false},
	}
}

// everything is a network with every model, source, rule and form of delay and
// weight, rates and spikes meeting, recorded in every way.
func everything(t *testing.T) *network.Model {
	normal := func(mean, sd, lo float64) network.Value {
		return network.Value{Form: network.Normal, A: mean, B: sd, Min: lo, HasMin: true}
	}
	grid := func(p network.Population, x int) network.Population {
		p.Dim = 2
		for i := range p.N {
			p.Positions = append(p.Positions, [3]float64{float64(i % x), float64(i / x)})
		}
		return p
	}
	psc := func(tau float64) quantity.Values {
		return values("C_m", 200.0, "tau_m", 20.0, "E_L", -65.0, "V_th", -50.0, "V_reset", -65.0, "t_ref", 2.0, "tau_syn_ex", 3.0, "tau_syn_in", tau, "I_e", 140.0)
	}
	v0 := start("V_m", uniform(-65, -50))
	m := &network.Model{Simulation: network.Simulation{Seed: 5}, Populations: []network.Population{
		grid(population("E", 1200, "iaf_psc_exp", psc(8), v0), 40),
		grid(population("A", 600, "iaf_psc_alpha", psc(20), v0), 30),
		population("D", 800, "iaf_psc_delta", values("E_L", 0.0, "V_th", 20.0, "V_reset", 5.0, "tau_m", 15.0, "t_ref", 1.0), start("V_m", normal(8, 3, -100))),
		population("P", 1200, "poisson", values("rate", 900), nil),
		population("Ps", 20, "poisson", values("sinusoid", quantity.Value{Sine: &quantity.Sinusoid{Mean: 50, Amplitude: 80, Frequency: 11, Phase: 1}}), nil),
		population("Pt", 20, "poisson", values("rate_steps", quantity.Value{Steps: [][2]float64{{0, 10}, {33.3, 200}, {77.7, 0}, {90, 60}}}), nil),
		population("Co", 30, "correlated_poisson", values("rate", 20.0, "correlation", 0.2), nil),
		population("St", 1, "step_current", values("steps", quantity.Value{Steps: [][2]float64{{10, 30}, {41.23456789, -20}, {70, 0}}}), nil),
		population("R", 40, "rate", values("f", "tanh", "b", 0.1, "noise_sigma", 0.2, "noise_hold", 7.0, "delta_z", 1e-4), nil),
		population("Rs", 1, "step_rate", values("steps", quantity.Value{Steps: [][2]float64{{0, 1}, {50, -1}}}), nil),
	}}
	var times [][]event.Time
	rng := rand.New(rand.NewPCG(9, 0))
	for range 10 {
		var train []event.Time
		for at := event.Time(rng.Int64N(2e10)); at < event.Second; at += 1 + event.Time(rng.Int64N(3e10)) {
			train = append(train, at)
		}
		times = append(times, train)
	}
	m.Populations = append(m.Populations, trains("T", times...))
	add := func(source, target, rule string, w, delay network.Value, f func(*network.Projection)) {
		p := network.Projection{Name: source + ">" + target, Source: source, Target: target, Rule: rule, Weight: w, Dendritic: delay, Synapse: "static", Autapses: false, Multapses: true}
		if f != nil {
			f(&p)
		}
		m.Projections = append(m.Projections, p)
	}
	gauss := func(p *network.Projection) {
		p.P, p.Profile = 0.4, network.Profile{Shape: "gaussian", Sigma: 3, Radius: 9}
	}
	add("E", "E", network.Distance, normal(12, 3, 0), normal(1.5, 0.7, 0.4), gauss)
	add("E", "A", network.PairwiseBernoulli, network.Value{Form: network.LogNormal, A: 2, B: 0.5}, uniform(0.8, 2), func(p *network.Projection) { p.P = 0.02 })
	add("A", "E", network.FixedInDegree, constant(-35), constant(1.2), func(p *network.Projection) { p.Degree = 30 })
	add("A", "A", network.FixedOutDegree, constant(-30), uniform(0.5, 6), func(p *network.Projection) { p.Degree = 15 })
	add("E", "D", network.FixedTotalNumber, uniform(0.05, 0.2), constant(1.5), func(p *network.Projection) { p.Total = 20000 })
	add("D", "A", network.PairwiseBernoulli, constant(6), constant(2), func(p *network.Projection) { p.P = 0.01; p.Axonal = uniform(0, 3) })
	add("P", "E", network.OneToOne, constant(15), constant(1), nil)
	add("Ps", "D", network.FixedInDegree, constant(0.8), uniform(0.5, 1), func(p *network.Projection) { p.Degree = 4 })
	add("Pt", "A", network.AllToAll, constant(1.5), constant(1.1), nil)
	add("Co", "D", network.FixedInDegree, constant(1.2), constant(0.9), func(p *network.Projection) { p.Degree = 12 })
	add("T", "D", network.PairwiseBernoulli, constant(3), uniform(0.4, 5), func(p *network.Projection) { p.P = 0.3 })
	add("St", "E", network.AllToAll, uniform(0, 1), constant(1), nil)
	add("E", "R", network.FixedInDegree, constant(0.002), constant(2), func(p *network.Projection) { p.Degree = 20 })
	// One delay: with many, changes would come at ever more times.
	add("R", "R", network.FixedInDegree, constant(0.1), constant(1), func(p *network.Projection) { p.Degree = 3 })
	add("Rs", "R", network.AllToAll, constant(0.5), constant(1), nil)
	for _, of := range []string{"E", "A", "D", "T", "Co"} {
		m.Records = append(m.Records, record("spikes", of, 0))
	}
	some := []int{0, 3, 7, 100, 399}
	for _, r := range []network.Record{record("V_m", "E", ms(0.3)), record("V_m", "A", ms(1)), record("I_syn", "A", ms(1)), record("V_m", "D", ms(0.7))} {
		r.Subset = some
		m.Records = append(m.Records, r)
	}
	m.Records = append(m.Records, record("rate", "R", ms(1)))
	return m
}

// withSamples adds records of signals to a shipped model that records spikes.
func withSamples(m *network.Model) *network.Model {
	c := *m
	c.Records = append([]network.Record(nil), m.Records...)
	if len(c.Records) == 0 {
		c.Records = append(c.Records, record("spikes", "E", 0), record("spikes", "I", 0))
	}
	return &c
}

// checkIdentities tests that a run is a function of its model alone.
func checkIdentities(t *testing.T, mode mode) (rows []Check) {
	for _, s := range subjects(mode) {
		m := withSamples(s.make(t))
		count := func(name, why string, wrong int) {
			rows = append(rows, Check{Name: s.name + ": " + name, Unit: "1", Expected: 0, Got: float64(wrong), Why: why})
		}
		n := build(t, m, 1)
		whole := &tape{}
		advance(t, n, s.span, whole)
		want, stats := whole.hash(), n.Stats()
		if len(whole.spikes) < 100 {
			t.Errorf("%s: only %d spikes: nothing is tested", s.name, len(whole.spikes))
		}
		differs := func(label string, r *tape) int {
			if r.hash() == want {
				return 0
			}
			t.Logf("%s: %s: %s", s.name, label, firstDifference(whole, r))
			return 1
		}

		if err := n.Reset(); err != nil {
			t.Fatal(err)
		}
		again := &tape{}
		advance(t, n, s.span, again)
		wrong := differs("reset", again)
		// A reset in the middle of a window, then once more.
		for _, part := range []event.Time{s.span / 3, 1} {
			if err := n.Reset(); err != nil {
				t.Fatal(err)
			}
			advance(t, n, part, &tape{})
		}
		if err := n.Reset(); err != nil {
			t.Fatal(err)
		}
		again = &tape{}
		advance(t, n, s.span, again)
		wrong += differs("reset within a window", again)
		if a, b := n.Stats(), stats; a.Spikes != b.Spikes || a.SynapticEvents != b.SynapticEvents || a.Windows != b.Windows || a.RateChanges != b.RateChanges {
			t.Logf("%s: counters after reset %+v, want %+v", s.name, a, b)
			wrong++
		}
		count("Reset then Run against a fresh network", "bit for bit: spikes, samples and counters", wrong)

		wrong = 0
		rng := rand.New(rand.NewPCG(21, 0))
		window := stats.Window
		for _, cuts := range [][]event.Time{
			{s.span / 2},
			{window},                          // a window's end
			{window - 1, 2, 1},                // beside it
			{5*window + window/3, window / 3}, // inside one window, twice
			{0, 1, 0, event.Time(rng.Int64N(int64(s.span) / 2)), event.Time(rng.Int64N(int64(s.span) / 4))},
		} {
			n := build(t, m, 2)
			r, left := &tape{}, s.span
			for _, c := range cuts {
				advance(t, n, c, r)
				left -= c
			}
			advance(t, n, left, r)
			wrong += differs(fmt.Sprintf("split after %v ms", cuts), r)
			n.Close()
		}
		count("runs split at five sets of times against one run", "bit for bit; at a window's end, beside it, twice inside it, at random", wrong)

		wrong = 0
		for _, workers := range []int{2, 7} {
			n := build(t, m, workers)
			if k := n.Stats().Blocks; k < 8 {
				t.Errorf("%s: %d blocks, want ≥ 8", s.name, k)
			}
			// Which worker takes which block is chance: run until each took one.
			took := make([]uint64, workers)
			for try := 0; try == 0 || s.parallel && slices.Contains(took, 0); try++ {
				if try == 50 {
					t.Errorf("%s: after %d runs with %d workers these blocks were advanced: %v", s.name, try, workers, took)
					break
				}
				if err := n.Reset(); err != nil {
					t.Fatal(err)
				}
				r := &tape{}
				advance(t, n, s.span, r)
				wrong += differs(fmt.Sprintf("%d workers", workers), r)
				for w, k := range n.Stats().WorkerBlocks {
					took[w] += k
				}
			}
			n.Close()
		}
		why := fmt.Sprintf("bit for bit; %d blocks", stats.Blocks)
		if s.parallel {
			why += ", every worker advanced some"
		}
		count("1 worker = 2 = 7", why, wrong)

		// Recorders.
		wrong = 0
		more := withSamples(m)
		some := []int{1, 5, 399}
		last := len(more.Records)
		for _, p := range []struct{ what, of string }{{"V_m", m.Populations[0].Name}, {"V_m", m.Populations[1].Name}} {
			r := record(p.what, p.of, ms(0.123456789))
			r.Subset = some
			more.Records = append(more.Records, r)
		}
		r := play(t, more, s.span)
		kept := r.samples[:0]
		for _, x := range r.samples {
			if x.record < last {
				kept = append(kept, x)
			}
		}
		if len(kept) == len(r.samples) {
			t.Errorf("%s: the added recorder gave nothing", s.name)
		}
		r.samples = kept
		wrong += differs("recorders added", r)
		bare := withSamples(m)
		bare.Records = bare.Records[:1]
		n = build(t, bare, 1)
		if err := n.Run(t.Context(), s.span, network.Recorder{}); err != nil {
			t.Fatal(err)
		}
		if a, b := n.Stats(), stats; a.Spikes != b.Spikes || a.SynapticEvents != b.SynapticEvents || a.Windows != b.Windows {
			t.Logf("%s: counters without recording %+v, want %+v", s.name, a, b)
			wrong++
		}
		n.Close()
		count("recorders added and removed", "spikes and other records the same bit for bit; without sinks the same counters", wrong)

		// Another seed.
		other := *m
		other.Simulation.Seed++
		r = play(t, &other, s.span)
		common := commonSpikes(whole, r)
		rows = append(rows, Check{Name: s.name + ": share of spikes that another seed repeats", Unit: "1", Expected: 0, Got: float64(common) / float64(len(whole.spikes)), Tolerance: sharedByDesign(m, whole),
			Why: "times are in ps, so chance repeats nothing; explicit spike trains and what they alone cause do not depend on the seed"})
	}
	return rows
}

// sharedByDesign is the share of spikes that no seed changes: explicit trains.
func sharedByDesign(m *network.Model, r *tape) float64 {
	first, count := 0, 0
	for _, p := range m.Populations {
		if p.Model == "spike_train" {
			for _, s := range r.spikes {
				if int(s.ID) >= first && int(s.ID) < first+p.N {
					count++
				}
			}
		}
		first += p.N
	}
	return float64(count) / float64(len(r.spikes))
}

func commonSpikes(a, b *tape) (n int) {
	in := map[network.Spike]bool{}
	for _, s := range b.spikes {
		in[s] = true
	}
	for _, s := range a.spikes {
		if in[s] {
			n++
		}
	}
	return n
}

// firstDifference says where two tapes part.
func firstDifference(a, b *tape) string {
	for k := range min(len(a.spikes), len(b.spikes)) {
		if a.spikes[k] != b.spikes[k] {
			return fmt.Sprintf("spike %d is %v, want %v", k, b.spikes[k], a.spikes[k])
		}
	}
	if len(a.spikes) != len(b.spikes) {
		return fmt.Sprintf("%d spikes, want %d", len(b.spikes), len(a.spikes))
	}
	for k := range min(len(a.samples), len(b.samples)) {
		x, y := a.samples[k], b.samples[k]
		if x.record != y.record || x.at != y.at || len(x.values) != len(y.values) {
			return fmt.Sprintf("sample %d is of record %d at %v, want record %d at %v", k, y.record, y.at, x.record, x.at)
		}
		for i := range x.values {
			if x.values[i] != y.values[i] {
				return fmt.Sprintf("sample %d, record %d at %v ms, entry %d: %v, want %v", k, x.record, x.at, i, y.values[i], x.values[i])
			}
		}
	}
	return fmt.Sprintf("%d samples, want %d", len(b.samples), len(a.samples))
}

// checkConservation counts: spikes × out-degree = delivered + pending.
func checkConservation(t *testing.T) (rows []Check) {
	cell := values("C_m", 200.0, "tau_m", 20.0, "E_L", -65.0, "V_th", -50.0, "V_reset", -65.0, "tau_syn_ex", 3.0, "I_e", 180.0)
	for _, delays := range []string{"one", "random"} {
		const n = 2400
		m := &network.Model{Simulation: network.Simulation{Seed: 2}, Populations: []network.Population{
			population("E", n, "iaf_psc_exp", cell, start("V_m", uniform(-65, -50))),
			population("P", 50, "poisson", values("rate", 40), nil)},
			Records: []network.Record{record("spikes", "E", 0), record("spikes", "P", 0)}}
		rng := rand.New(rand.NewPCG(1, 0))
		out := make([][]event.Time, n+50) // delays of each source's synapses
		for s, size := range []int{n, 50} {
			name := m.Populations[s].Name
			p := edges(name, "E")
			for i := range size {
				for range rng.IntN(40) {
					a, d := event.Time(0), ms(1.5)
					if delays == "random" {
						a, d = event.Time(rng.Int64N(4e9)), ms(0.5)+event.Time(rng.Int64N(3e9))
					}
					p.Edges = append(p.Edges, edge(i, rng.IntN(n), 2*rng.Float64()-1, a, d))
					out[s*n+i] = append(out[s*n+i], a+d)
				}
			}
			m.Projections = append(m.Projections, p)
		}
		net := build(t, m, 2)
		end := 200 * net.Stats().Window // windows are counted whole
		r := &tape{}
		advance(t, net, end, r)
		var sent, delivered float64
		for _, s := range r.spikes {
			for _, d := range out[s.ID] {
				sent++
				if s.At+d < end {
					delivered++
				}
			}
		}
		st := net.Stats()
		rows = append(rows, Check{Name: fmt.Sprintf("spikes × out-degree − pending, delays: %s", delays), Unit: "events", Expected: delivered, Got: float64(st.SynapticEvents),
			Why: fmt.Sprintf("counted by hand from %d spikes, %.0f synaptic events sent; delivered + pending = sent", len(r.spikes), sent)})
	}
	return rows
}
