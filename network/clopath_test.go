package network

import (
	"context"
	"runtime"
	"slices"
	"testing"

	"hmn/event"
	"hmn/neuron"
)

// clopathModel is stdpModel with voltage-based plasticity between excitatory neurons.
func clopathModel(n int, model string, axonal, dendritic Value) *Model {
	m := stdpModel(n, 20, "iaf_cond_exp", axonal, dendritic)
	scale := 1.0
	for i := range m.Populations {
		if p := &m.Populations[i]; p.Model == "iaf_cond_exp" {
			p.Model, p.Init = model, nil
			switch model {
			case "aeif_cond_exp":
				p.Params = num("I_e", 650, "t_ref", 2)
			case "hh_psc_alpha":
				p.Params, scale = num("I_e", 650), 20
			}
		}
	}
	for i := range m.Projections {
		p := &m.Projections[i]
		p.Weight.A *= scale
		p.Weight.B *= scale
		if v, ok := p.SynapseParams["w_max"]; ok && scale != 1 {
			v.Number *= scale
			p.SynapseParams["w_max"] = v
		}
	}
	q := &m.Projections[m.FindProjection("EE")]
	q.Synapse, q.SynapseParams = "clopath", num("A_LTD", 1e-4*scale, "A_LTP", 5e-4*scale, "w_min", 0.1*scale, "w_max", 0.8*scale, "theta_minus", -66, "theta_plus", -52)
	if model == "aeif_cond_exp" {
		q.SynapseParams["t_clamp"] = num("x", 2)["x"]
	}
	return m
}

// TestClopathLeavesNoTrace: neither workers nor pieces of a run nor records show, and
// the rule beside it, whose weights hang on spikes of the same window, does not mind.
func TestClopathLeavesNoTrace(t *testing.T) {
	span := 450 * event.Millisecond // two settle passes
	if testing.Short() {
		span = 220 * event.Millisecond
	}
	for _, model := range []string{"aeif_cond_exp", "iaf_cond_exp", "hh_psc_alpha"} {
		for _, d := range stdpDelays {
			if d.name == "axonal" || (model != "aeif_cond_exp" || testing.Short()) && d.name != "both differ" {
				continue
			}
			if testing.Short() && model != "aeif_cond_exp" { // the race detector wants one
				continue
			}
			name := model + ", " + d.name
			build := func(workers int, extra ...Record) *Network {
				m := clopathModel(100, model, d.axonal, d.dendritic)
				m.Records = append(m.Records, extra...)
				return mustBuild(t, m, workers)
			}
			one := build(1)
			want := runFor(t, one, span)
			i := one.model.FindProjection("EE")
			w := allWeights(one, i)
			two, pieces := build(2), build(1)
			watched := build(1, Record{What: RecordWeight, Of: "EE", Every: 1_700 * event.Microsecond, Subset: []int{0, 5, 77, 1000}},
				Record{What: RecordVm, Of: "E", Every: 1_100 * event.Microsecond, Subset: []int{0, 3}})
			sameTape(t, name+": two workers", runFor(t, two, span), want)
			sameTape(t, name+": pieces", runFor(t, pieces, 20*event.Millisecond+7, 1, span/2-20*event.Millisecond, span/2-8), want)
			got := runFor(t, watched, span)
			if len(got.rows) == 0 {
				t.Errorf("%s: no samples", name)
			}
			got.rows = nil
			sameTape(t, name+": sampled", got, want)
			for what, n := range map[string]*Network{"two workers": two, "pieces": pieces, "sampled": watched} {
				if !slices.Equal(allWeights(n, i), w) {
					t.Errorf("%s: weights differ: %s", name, what)
				}
			}
			start, moved := allWeights(mustBuild(t, one.model, 1), i), 0
			for k := range w {
				if w[k] != start[k] {
					moved++
				}
			}
			if len(want.spikes) < 200 || moved < len(w)/2 {
				t.Errorf("%s: %d spikes, %d of %d weights changed: nothing was compared", name, len(want.spikes), moved, len(w))
			}
		}
	}
}

// TestClopathForgets: what the rule keeps of potentials does not grow.
func TestClopathForgets(t *testing.T) {
	if testing.Short() {
		t.Skip("memory is looked at without the race detector")
	}
	n := mustBuild(t, clopathModel(60, "aeif_cond_exp", fixed(0.5), fixed(1)), 1)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	if err := n.Run(context.Background(), 600*event.Millisecond, Recorder{}); err != nil {
		t.Fatal(err)
	}
	before := heap()
	if err := n.Run(context.Background(), 3*event.Second, Recorder{}); err != nil {
		t.Fatal(err)
	}
	// Some 3 steps/ms of 48 neurons, 80 B each, would be 30 MB.
	if more := heap() - before; more > 3e6 {
		t.Errorf("%d B more after 3 s", more)
	}
	runtime.KeepAlive(n)
}

// TestClopathWatchedInPieces: samples of weights are those of one run, wherever runs
// end, and those that a run up to there ends with; across a settle pass, too.
func TestClopathWatchedInPieces(t *testing.T) {
	build := func() *Network {
		m := clopathModel(60, "aeif_cond_exp", between(0.2, 2), between(0.2, 2))
		m.Records = append(m.Records, Record{What: RecordWeight, Of: "EE", Every: 1_700 * event.Microsecond})
		return mustBuild(t, m, 1)
	}
	want := runFor(t, build(), 310*event.Millisecond)
	var pieces []event.Time
	for range 100 {
		pieces = append(pieces, 3_100*event.Microsecond)
	}
	sameTape(t, "pieces", runFor(t, build(), pieces...), want)

	var last lastRow
	n, whole := build(), build()
	i := n.model.FindProjection("EE")
	const span = 3 * 1_700 * event.Microsecond
	more := event.Time(1) // what happens at the end of a run belongs to the next
	for k := range 60 {
		if err := whole.Run(context.Background(), span+more, Recorder{Samples: &last}); err != nil {
			t.Fatal(err)
		}
		more = 0
		if err := n.Run(context.Background(), span, Recorder{}); err != nil {
			t.Fatal(err)
		}
		got := allWeights(n, i)
		slices.Sort(got)
		slices.Sort(last.values)
		if !slices.Equal(got, last.values) {
			t.Fatalf("a run up to %v ends with other weights than are sampled then", event.Time(k+1)*span)
		}
	}
}

// TestClopathTargets: every model whose potential can be watched is.
func TestClopathTargets(t *testing.T) {
	for _, name := range neuron.Names() {
		if nm, _ := neuron.Lookup(name); nm.Watched == nil {
			continue
		}
		m := &Model{Populations: []Population{{Name: "in", N: 20, Model: "poisson", Params: num("rate", 100)}, {Name: "cells", N: 3, Model: name}},
			Projections: []Projection{{Name: "P", Source: "in", Target: "cells", Rule: AllToAll, Weight: fixed(1), Dendritic: fixed(1),
				Synapse: "clopath", SynapseParams: num("theta_minus", -90, "theta_plus", -72, "w_max", 2)}}}
		n := mustBuild(t, m, 1)
		if err := n.Run(context.Background(), 500*event.Millisecond, Recorder{}); err != nil {
			t.Error(err)
			continue
		}
		for k, w := range allWeights(n, 0) {
			if w == 1 || !(w >= 0 && w <= 2) {
				t.Errorf("%s: weight %d is %g", name, k, w)
			}
		}
	}
}

// lastRow keeps the last row of samples.
type lastRow struct{ values []float64 }

func (r *lastRow) WriteSamples(_ int, _ event.Time, values []float64) error {
	r.values = slices.Clone(values)
	return nil
}
