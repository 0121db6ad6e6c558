package network

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
)

// gapModel is 2100 neurons in 8 blocks, in three groups that gap junctions join:
// clusters within A over its blocks, within B, and between C and D, of which the
// second is integrated. Chemical synapses, noise, currents and Poisson input,
// stored and generated, come on top.
func gapModel() *Model {
	psc := num("C_m", 200, "tau_m", 15, "E_L", -65, "V_th", -52, "V_reset", -66, "t_ref", 1.5, "tau_syn_ex", 3, "tau_syn_in", 7, "I_e", 120)
	m := &Model{Simulation: Simulation{Seed: 5}, Populations: []Population{
		{Name: "A", N: 1200, Model: "iaf_psc_exp", Params: psc, Init: map[string]Value{"V_m": between(-65, -53)}},
		{Name: "B", N: 860, Model: "iaf_psc_alpha", Params: psc, Init: map[string]Value{"V_m": between(-65, -53)}},
		{Name: "C", N: 20, Model: "iaf_psc_delta", Params: num("C_m", 200, "tau_m", 15, "E_L", -65, "V_th", -52, "V_reset", -66, "t_ref", 0)},
		{Name: "D", N: 20, Model: "iaf_cond_exp", Params: num("I_e", 300)},
		{Name: "fast", N: 1200, Model: "poisson", Params: num("rate", 1000)},
		{Name: "slow", N: 60, Model: "poisson", Params: num("rate", 40)},
		{Name: "ou", N: 860, Model: "ou_current", Params: num("sigma", 80, "tau", 5, "hold", 0.7)},
	}}
	gap := quantity.Values{}
	m.Projections = []Projection{
		{Name: "gapA", Source: "A", Target: "A", Rule: FixedTotalNumber, Total: 500, Weight: between(0.5, 4), Synapse: "gap_junction", SynapseParams: gap},
		{Name: "gapB", Source: "B", Target: "B", Rule: FixedTotalNumber, Total: 300, Weight: fixed(2), Synapse: "gap_junction", SynapseParams: gap},
		{Name: "gapCD", Source: "C", Target: "D", Rule: OneToOne, Weight: fixed(3), Synapse: "gap_junction", SynapseParams: gap},
		{Name: "fastA", Source: "fast", Target: "A", Rule: OneToOne, Weight: fixed(40), Dendritic: fixed(1.5)},
		{Name: "slowB", Source: "slow", Target: "B", Rule: FixedInDegree, Degree: 10, Multapses: true, Weight: between(30, 90), Dendritic: between(1, 3)},
		{Name: "slowC", Source: "slow", Target: "C", Rule: FixedInDegree, Degree: 20, Multapses: true, Weight: fixed(2), Dendritic: fixed(2)},
		{Name: "slowD", Source: "slow", Target: "D", Rule: FixedInDegree, Degree: 20, Multapses: true, Weight: fixed(6), Dendritic: fixed(2)},
		{Name: "noise", Source: "ou", Target: "B", Rule: OneToOne, Weight: fixed(1), Dendritic: fixed(1)},
		{Name: "AB", Source: "A", Target: "B", Rule: PairwiseBernoulli, P: 0.01, Weight: fixed(-60), Dendritic: between(1, 4)},
		{Name: "BA", Source: "B", Target: "A", Rule: PairwiseBernoulli, P: 0.01, Weight: fixed(30), Dendritic: fixed(1)},
	}
	return m
}

func TestCoupledIdentities(t *testing.T) {
	m := gapModel()
	for _, p := range []string{"A", "B", "C", "D"} {
		m.Records = append(m.Records, Record{What: RecordSpikes, Of: p}, Record{What: RecordVm, Of: p, Subset: []int{1, 17}, Every: 700 * event.Microsecond})
	}
	m.Records = append(m.Records, Record{What: RecordISyn, Of: "A", Subset: []int{2}, Every: 1234567}, Record{What: "g_ex", Of: "D", Subset: []int{3}, Every: 1234567})
	const span = 25 * event.Millisecond
	n := mustBuild(t, m, 2)
	want := runFor(t, n, span)
	s := n.Stats()
	for k, pop := range s.PopSpikes[:4] {
		if pop == 0 {
			t.Errorf("population %d is silent", k)
		}
	}
	if s.Synapses < 500+300+20-50 || len(n.blocks) < 5 {
		t.Errorf("%d synapses, %d blocks", s.Synapses, len(n.blocks))
	}
	joined := 0
	for _, a := range n.blocks {
		if b, ok := a.(*coupledBlock); ok && len(b.parts) > 1 {
			joined++
		}
	}
	if joined != 3 {
		t.Errorf("%d groups of joined blocks, want 3", joined)
	}
	if err := n.Reset(); err != nil {
		t.Fatal(err)
	}
	sameTape(t, "reset and split", runFor(t, n, 3*event.Millisecond, 1, 7_000_000_001, 1999, span-3*event.Millisecond-7_000_000_001-2000), want)
	for _, workers := range []int{1, 7} {
		sameTape(t, fmt.Sprint(workers, " workers"), runFor(t, mustBuild(t, m, workers), 11*event.Millisecond, 14*event.Millisecond), want)
	}
	bare := *m
	bare.Records = nil
	sameTape(t, "without samples", runFor(t, mustBuild(t, &bare, 2), span), &tape{spikes: want.spikes})
	other := *m
	other.Projections = slices.Clone(m.Projections)
	other.Projections[1].Weight = fixed(2.2)
	if slices.Equal(runFor(t, mustBuild(t, &other, 2), span).spikes, want.spikes) {
		t.Error("other conductances give the same spikes")
	}
}

// TestCoupledLearning: plastic synapses onto joined neurons give the same, to
// the last bit, whatever the split and the workers.
func TestCoupledLearning(t *testing.T) {
	m := learningModel(false)
	m.Projections = append(m.Projections, Projection{Name: "gap", Source: "E", Target: "E", Rule: FixedTotalNumber, Total: 20,
		Weight: fixed(2), Synapse: "gap_junction", SynapseParams: quantity.Values{}})
	const span = 300 * event.Millisecond
	want := runFor(t, mustBuild(t, m, 1), span)
	if len(want.rows) == 0 {
		t.Fatal("no weights")
	}
	sameTape(t, "split, 2 workers", runFor(t, mustBuild(t, m, 2), 100*event.Millisecond, 77_777_777_777, span-100*event.Millisecond-77_777_777_777), want)
}

// TestCoupledAlone: junctions of almost no conductance leave the spikes of a
// feed-forward network where they are without: one path of the engine against
// another.
func TestCoupledAlone(t *testing.T) {
	for _, model := range []string{"iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha"} {
		m := feedForward(model, 30, Record{What: RecordSpikes, Of: "T"})
		want := runFor(t, mustBuild(t, m, 1), 200*event.Millisecond)
		joined := *m
		joined.Projections = append(slices.Clone(m.Projections), Projection{Name: "gap", Source: "T", Target: "T", Rule: FixedTotalNumber, Total: 20,
			Weight: fixed(1e-9), Synapse: "gap_junction", SynapseParams: quantity.Values{}})
		// A current of 1e-9 nS · 10 mV moves V by some 1e-9 mV, and a spike of slope
		// 0.01 mV/ms by 1e-7 ms.
		closeSpikes(t, model, runFor(t, mustBuild(t, &joined, 1), 200*event.Millisecond).spikes, want.spikes, 100*event.Nanosecond)
	}
}

func TestJunctionPairs(t *testing.T) {
	m := &Model{Populations: []Population{{Name: "n", N: 5, Model: "iaf_psc_exp"}}}
	edge := func(a, b uint32, w float64) synapse.Edge { return synapse.Edge{Source: a, Target: b, Weight: w} }
	m.Projections = []Projection{{Name: "gap", Source: "n", Target: "n", Rule: EdgeList, Synapse: "gap_junction", Autapses: true, Multapses: true,
		Edges: []synapse.Edge{edge(3, 1, 2), edge(1, 3, 4), edge(0, 1, 5), edge(2, 2, 7), edge(4, 0, 0), edge(2, 4, 1), edge(2, 4, 2), edge(4, 2, 5)}}}
	check := func(what string, want ...junction) {
		t.Helper()
		got, _, err := m.junctions()
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v (%v)", what, got, want, err)
		}
	}
	check("each row", junction{0, 1, 5}, junction{1, 3, 6}, junction{2, 4, 8})
	m.Projections[0].SynapseParams = quantity.Values{"symmetric": {Bool: true}}
	check("both directions", junction{0, 1, 5}, junction{1, 3, 3}, junction{2, 4, 4})
	second := m.Projections[0]
	second.Name, second.Edges = "more", []synapse.Edge{edge(1, 0, 2)}
	m.Projections = append(m.Projections, second)
	check("two projections", junction{0, 1, 7}, junction{1, 3, 3}, junction{2, 4, 4})
}

func TestJunctionFaults(t *testing.T) {
	for what, c := range map[string]struct {
		change func(m *Model, p *Projection)
		want   string
	}{
		"negative":      {func(_ *Model, p *Projection) { p.Weight = fixed(-1) }, "not negative"},
		"draws below 0": {func(_ *Model, p *Projection) { p.Weight = Value{Form: Normal, A: 1, B: 1} }, "give draws a min"},
		"negative edge": {func(_ *Model, p *Projection) { p.Rule, p.Edges = EdgeList, []synapse.Edge{{Target: 1, Weight: -2}} }, "A 0 and A 1 is -2 nS"},
		"delay":         {func(_ *Model, p *Projection) { p.Dendritic = fixed(1) }, "no delay"},
		"delay of edge": {func(_ *Model, p *Projection) { p.Rule, p.Edges = EdgeList, []synapse.Edge{{Target: 1, Dendritic: 5}} }, "edge 0 has a delay"},
		"receptor":      {func(_ *Model, p *Projection) { p.Receptor = "ex" }, "takes no receptor"},
		"release":       {func(_ *Model, p *Projection) { p.Release = synapse.Release{Sites: 2, P: 0.5} }, "passes no spikes"},
		"rate units":    {func(m *Model, _ *Projection) { m.Populations[0].Model, m.Populations[0].Params = "rate", nil }, "no membrane"},
		"sources":       {func(m *Model, p *Projection) { p.Source, p.Rule = "in", AllToAll }, "no membrane"},
		"IntFire1":      {func(m *Model, _ *Projection) { m.Populations[0].Model, m.Populations[0].Params = "IntFire1", nil }, "no membrane"},
		"fixed steps": {func(m *Model, _ *Projection) {
			m.Populations[0].Model, m.Populations[0].Params = "iaf_cond_exp", num("fixed_step", 0.1)
		}, "params.fixed_step"},
		"stiff": {func(_ *Model, p *Projection) { p.Weight = fixed(1e7) }, "equalise its potential at a rate"},
		"large cluster": {func(m *Model, _ *Projection) {
			m.Populations[0].N = 17000
			m.Projections[0].Rule = EdgeList
			m.Projections[0].Edges = chain(17000)
		}, "join more than 16384 neurons"},
		"other key": {func(_ *Model, p *Projection) { p.SynapseParams = num("eta_local", 1) }, "eta_local"},
		"nothing":   {func(m *Model, _ *Projection) {}, ""},
	} {
		m := &Model{Populations: []Population{{Name: "A", N: 4, Model: "iaf_psc_exp", Params: quantity.Values{}}, {Name: "in", N: 1, Model: "poisson", Params: num("rate", 1)}}}
		m.Projections = []Projection{{Name: "gap", Source: "A", Target: "A", Rule: AllToAll, Weight: fixed(1), Synapse: "gap_junction"}}
		c.change(m, &m.Projections[0])
		if err := m.Check(); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}

func chain(n int) (edges []synapse.Edge) {
	for i := range uint32(n - 1) {
		edges = append(edges, synapse.Edge{Source: i, Target: i + 1, Weight: 1})
	}
	return edges
}

// TestCoupledVoltage: a neuron is joined to one held at its reset potential.
// While that is refractory, V relaxes to the closed form of a leak and a source
// of voltage.
func TestCoupledVoltage(t *testing.T) {
	const C, tau, g, reset, ref = 100.0, 10.0, 4.0, -80.0, 50.0
	m := &Model{Populations: []Population{
		{Name: "kick", N: 1, Model: "spike_train", Trains: [][]event.Time{{0}}},
		{Name: "n", N: 2, Model: "iaf_psc_delta", Params: num("C_m", C, "tau_m", tau, "E_L", -70, "V_th", -50, "V_reset", reset, "t_ref", ref)},
	}, Records: []Record{{What: RecordVm, Of: "n", Every: 3 * event.Millisecond}}}
	m.Projections = []Projection{
		{Name: "k", Source: "kick", Target: "n", Rule: EdgeList, Edges: []synapse.Edge{{Target: 0, Weight: 30, Dendritic: event.Millisecond}}},
		{Name: "gap", Source: "n", Target: "n", Rule: EdgeList, Edges: []synapse.Edge{{Target: 1, Weight: g}}, Synapse: "gap_junction"},
	}
	rec := &series{}
	if err := mustBuild(t, m, 1).Run(t.Context(), 50*event.Millisecond, Recorder{Samples: rec}); err != nil {
		t.Fatal(err)
	}
	rate := 1/tau + g/C
	rest := (-70/tau + reset*g/C) / rate
	for k, v := range rec.rows {
		s := 3*float64(k) - 1
		if s < 0 {
			continue
		}
		want := rest + (-70-rest)*math.Exp(-rate*s)
		if v[0] != reset || math.Abs(v[1]-want) > 2e-13 {
			t.Errorf("%v ms after the spike: %v, want %v and %v", s, v, reset, want)
		}
	}
}

func BenchmarkCoupled(b *testing.B) {
	m := gapModel()
	n := mustBuild(b, m, 1)
	b.ReportAllocs()
	for b.Loop() {
		runFor(b, n, event.Millisecond)
	}
}
