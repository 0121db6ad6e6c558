package network

import (
	"context"
	"fmt"
	"maps"
	"math"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/neuron"
)

// cobaModel is the conductance-based network of Brette et al. 2007 with n neurons,
// and a little current from a rate unit and a step source onto some of them.
func cobaModel(n int, model string, delay Value) *Model {
	p := num("C_m", 200, "g_L", 10, "E_L", -60, "E_ex", 0, "E_in", -80, "V_th", -50, "V_reset", -60, "t_ref", 5, "tau_syn_ex", 5, "tau_syn_in", 10)
	nm, _ := neuron.Lookup(model)
	maps.DeleteFunc(p, func(key string, _ quantity.Value) bool { _, ok := nm.Param(key); return !ok })
	init := map[string]Value{"V_m": between(-60, -50)}
	m := &Model{Simulation: Simulation{Seed: 1}, Populations: []Population{
		{Name: "E", N: n * 4 / 5, Model: model, Params: p, Init: init},
		{Name: "I", N: n / 5, Model: model, Params: p, Init: init},
	}}
	for _, s := range []string{"E", "I"} {
		for _, t := range []string{"E", "I"} {
			w := 6.
			if s == "I" {
				w = -67
			}
			m.Projections = append(m.Projections, Projection{Name: s + t, Source: s, Target: t, Rule: PairwiseBernoulli,
				P: 80 / float64(n), Weight: fixed(w), Dendritic: delay, Synapse: "static"})
		}
	}
	return m
}

// withCurrents adds sources of current to a cobaModel.
func withCurrents(m *Model) *Model {
	n := m.Populations[0].N
	m.Populations = append(m.Populations,
		Population{Name: "step", N: 1, Model: "step_current", Params: quantity.Values{"steps": {Steps: [][2]float64{{0, 300}, {20.123456789, 150}, {60, 250}}}}},
		Population{Name: "rate", N: 3, Model: "rate", Params: num("f", "linear", "b", 2, "noise_sigma", 1, "noise_hold", 3)})
	m.Projections = append(m.Projections,
		Projection{Name: "step", Source: "step", Target: "E", Rule: FixedOutDegree, Degree: n / 4, Weight: fixed(1), Dendritic: fixed(0.7), Synapse: "static"},
		Projection{Name: "rate", Source: "rate", Target: "I", Rule: AllToAll, Weight: fixed(40), Dendritic: fixed(1.1), Synapse: "static"})
	return m
}

// cellModels are models that the engine advances neuron by neuron.
var cellModels = []string{"iaf_cond_exp", "iaf_cond_alpha", "aeif_cond_exp", "hh_cond_exp_traub"}

// TestCellsWindowsLeaveNoTrace holds one network against itself with other
// windows, split runs, more workers and more recorders: not a bit may differ.
func TestCellsWindowsLeaveNoTrace(t *testing.T) {
	record := []Record{{What: RecordSpikes, Of: "E"}, {What: RecordSpikes, Of: "I"},
		{What: RecordVm, Of: "E", Every: 130 * event.Microsecond, Subset: []int{0, 1, 7}}, {What: "g_ex", Of: "E", Every: 500 * event.Microsecond, Subset: []int{1}}}
	for k, model := range cellModels {
		for _, delay := range []Value{fixed(1.5), between(0.4, 3)} {
			size := 2000 // so many make blocks for several workers
			if k > 0 {
				size = 200
			}
			make := func() *Model {
				m := withCurrents(cobaModel(size, model, delay))
				m.Records = record
				return m
			}
			const span = 80 * event.Millisecond
			want := runFor(t, mustBuild(t, make(), 1), span)
			what := fmt.Sprintf("%s, delay %v", model, delay.String())

			sameTape(t, what+": again", runFor(t, mustBuild(t, make(), 1), span), want)
			n := mustBuild(t, make(), 2)
			sameTape(t, what+": two workers", runFor(t, n, span), want)
			if err := n.Reset(); err != nil {
				t.Fatal(err)
			}
			sameTape(t, what+": split, after a reset", runFor(t, n, 7*event.Millisecond+1, 3*event.Picosecond, 40*event.Millisecond, span-47*event.Millisecond-4), want)
			m := make()
			m.Simulation.LookaheadMax = 83 * event.Microsecond
			sameTape(t, what+": short windows", runFor(t, mustBuild(t, m, 1), span), want)
			m = make()
			m.Records = append(m.Records[:len(m.Records):len(m.Records)], Record{What: "g_in", Of: "I", Every: 77 * event.Microsecond})
			got := runFor(t, mustBuild(t, m, 1), span)
			rows := got.rows[:0]
			for _, r := range got.rows {
				if r.record < len(record) {
					rows = append(rows, r)
				}
			}
			got.rows = rows
			sameTape(t, what+": another recorder", got, want)
			n = mustBuild(t, make(), 1)
			for k := range event.Time(20) { // call-backs cut windows
				if _, err := n.At(k*k*123_456_789, func(event.Time) error { return nil }); err != nil {
					t.Fatal(err)
				}
			}
			sameTape(t, what+": call-backs", runFor(t, n, span), want)
		}
	}
}

// TestCellsSampledInside: with a constant current and no synapses the potential
// is E_L + (I/g_L)(1 − exp(−t g_L/C_m)), wherever in a window it is asked for.
func TestCellsSampledInside(t *testing.T) {
	m := &Model{Populations: []Population{
		{Name: "P", N: 2, Model: "iaf_cond_exp", Params: num("C_m", 200, "g_L", 10, "E_L", -60, "V_th", -40, "V_reset", -60)},
		{Name: "step", N: 1, Model: "step_current", Params: quantity.Values{"steps": {Steps: [][2]float64{{3.25, 150}}}}},
	}, Projections: []Projection{{Name: "in", Source: "step", Target: "P", Rule: AllToAll, Weight: fixed(1), Dendritic: fixed(3.7), Synapse: "static"}},
		Records: []Record{{What: RecordVm, Of: "P", Every: 110 * event.Microsecond}}}
	n := mustBuild(t, m, 1)
	rows := 0
	sink := sampleFunc(func(_ int, at event.Time, v []float64) {
		want := -60.
		if s := at.MS() - 6.95; s > 0 {
			want += 15 * -math.Expm1(-s/20)
		}
		if math.Abs(v[0]-want) > 1e-5 || v[0] != v[1] {
			t.Errorf("at %v ms: %v, want %g", at, v, want)
		}
		rows++
	})
	if err := n.Run(context.Background(), 50*event.Millisecond, Recorder{Samples: sink}); err != nil {
		t.Fatal(err)
	}
	if rows != 455 {
		t.Errorf("%d samples, want 455", rows)
	}
}

type sampleFunc func(record int, at event.Time, values []float64)

func (f sampleFunc) WriteSamples(record int, at event.Time, values []float64) error {
	f(record, at, values)
	return nil
}

func TestCellsAllocateNothing(t *testing.T) {
	m := cobaModel(2000, "iaf_cond_exp", fixed(0.5))
	m.Populations[0].Params = maps.Clone(m.Populations[0].Params)
	m.Populations[0].Params["I_e"] = quantity.Value{Number: 300}
	n := mustBuild(t, m, 1)
	run := func() {
		if err := n.Run(context.Background(), 10*event.Millisecond, Recorder{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		run()
	}
	before := n.Stats().Spikes
	// One per window is the pool's; lists still grow now and then. There are 20
	// windows in a run, and some thousand arrivals.
	if a := testing.AllocsPerRun(20, run); a > 25 {
		t.Errorf("%g allocations in 10 ms", a)
	}
	if n.Stats().Spikes == before {
		t.Error("no spikes: nothing was measured")
	}
}

// TestCellsAreLeftAlone: a network in which nothing happens is passed over.
func TestCellsAreLeftAlone(t *testing.T) {
	m := cobaModel(100, "iaf_cond_exp", fixed(0.1))
	for i := range m.Populations {
		m.Populations[i].Init = nil
	}
	n := mustBuild(t, m, 1)
	if err := n.Run(context.Background(), 10*event.Second, Recorder{}); err != nil {
		t.Fatal(err)
	}
	if w := n.Stats().Windows; w > 2000 {
		t.Errorf("%d of 100000 windows were advanced in silence", w)
	}
}
