package network

import (
	"math"
	"strings"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// valid is a model that Check accepts, with something of everything.
func valid() *Model {
	return &Model{
		Simulation: Simulation{Duration: event.Second, Seed: 1},
		Guard:      Guard{MaxRateHz: 500, Window: 100 * event.Millisecond},
		Populations: []Population{
			{Name: "E", N: 3, Model: "iaf_psc_exp", Params: quantity.Values{"E_L": {Number: -49}, "V_th": {Number: -50}, "V_reset": {Number: -60}},
				Init:  map[string]Value{"V_m": {Form: Uniform, A: -60, B: -50}, "I_syn_ex": {A: 3}},
				Names: []string{"a", "b", "c"}, Positions: make([][3]float64, 3), Dim: 2},
			{Name: "in", N: 2, Model: "spike_train", Trains: [][]event.Time{{1, 2, 2}, nil}},
			{Name: "noise", N: 3, Model: "poisson", Params: quantity.Values{"rate": {Number: 800}}},
			{Name: "R", N: 2, Model: "rate", Params: quantity.Values{"b": {List: []float64{1, 2}}}},
		},
		Projections: []Projection{
			{Name: "EE", Source: "E", Target: "E", Rule: PairwiseBernoulli, P: 0.5, Weight: Value{A: 1}, Dendritic: Value{A: 1.5}},
			{Name: "RR", Source: "R", Target: "R", Rule: AllToAll, Weight: Value{Form: Normal, B: 1}, Synapse: "static"},
			{Name: "ER", Source: "E", Target: "R", Rule: AllToAll, Weight: Value{A: -1}, Axonal: Value{A: 1}},
		},
		Records: []Record{{What: RecordSpikes, Of: "E"}, {What: RecordVm, Of: "E", Subset: []int{0, 2}, Every: event.Millisecond}},
	}
}

func TestCheck(t *testing.T) {
	if err := valid().Check(); err != nil {
		t.Fatal(err)
	}
	if err := (&Model{}).Check(); err != nil {
		t.Fatal("the zero model:", err)
	}
	for _, c := range []struct {
		change func(*Model)
		want   string
	}{
		{func(m *Model) { m.Simulation.Duration = -1 }, "simulation: duration"},
		{func(m *Model) { m.Simulation.LookaheadMax = -1 }, "lookahead_max"},
		{func(m *Model) { m.Guard.MaxRateHz = math.NaN() }, "max_rate_hz"},
		{func(m *Model) { m.Guard.Window = 0 }, "guard: window"},
		{func(m *Model) { m.Populations[1].Name = "E" }, `population "E": the name is used twice`},
		{func(m *Model) { m.Populations[1].Name = "" }, "population 1 has no name"},
		{func(m *Model) { m.Populations[0].N = 0 }, `population "E": n = 0, want 1 to`},
		{func(m *Model) { m.Populations[2].N = math.MaxUint32 }, "together with those before it"},
		{func(m *Model) { m.Populations[0].Model = "x" }, `unknown model "x"`},
		{func(m *Model) { m.Populations[0].Params["tau_m"] = quantity.Value{Number: -1} }, "tau_m = -1 ms"},
		{func(m *Model) { m.Populations[0].Params["V_reset"] = quantity.Value{Number: -40} }, "V_th = -50 mV"},
		{func(m *Model) { m.Populations[3].Params["b"] = quantity.Value{List: []float64{1}} }, "b has 1 entries, want one or 2"},
		{func(m *Model) { m.Populations[0].Init["x"] = Value{} }, `no state variable "x"`},
		{func(m *Model) { m.Populations[0].Init["V_m"] = Value{A: -50} }, "init V_m = -50 mV, want below V_th = -50 mV"},
		{func(m *Model) { m.Populations[0].Init["V_m"] = Value{Form: Uniform, A: -60, B: -49} }, "want below V_th"},
		{func(m *Model) { m.Populations[0].Init["V_m"] = Value{Form: Column, Column: []float64{-60, -60}} }, "a column of 2 numbers, want 3"},
		{func(m *Model) { m.Populations[0].Init["I_syn_ex"] = Value{A: 1e10} }, "I_syn_ex = 1e+10 pA"},
		{func(m *Model) { delete(m.Populations[0].Init, "V_m") }, "V_m starts at E_L = -49 mV"},
		{func(m *Model) { m.Populations[0].Positions = m.Populations[0].Positions[:2] }, "2 positions, want 3"},
		{func(m *Model) { m.Populations[0].Dim = 1 }, "1 dimensions"},
		{func(m *Model) { m.Populations[0].Positions[1][1] = math.NaN() }, "position 1: coordinate NaN"},
		{func(m *Model) { m.Populations[0].Names[1] = "a" }, `neuron name "a" is used twice`},
		{func(m *Model) { m.Populations[0].Names = []string{"a"} }, "1 names, want 3"},
		{func(m *Model) { m.Populations[0].ExpectedRateHz = -1 }, "expected_rate_hz"},
		{func(m *Model) { m.Populations[1].Trains = m.Populations[1].Trains[:1] }, "1 spike trains, want 2"},
		{func(m *Model) { m.Populations[1].Trains[0][2] = 1 }, "want ascending times"},
		{func(m *Model) { m.Populations[1].Trains[0][0] = -1 }, "0 ms or later"},
		{func(m *Model) { m.Populations[0].Trains = m.Populations[1].Trains }, "want spike_train"},
		{func(m *Model) { m.Projections[1].Name = "EE" }, `projection "EE": the name is used twice`},
		{func(m *Model) { m.Projections[1].Name = "" }, "projection 1 has no name"},
		{func(m *Model) { m.Projections[0].Target = "noise" }, `projection "EE": target "noise" is of model "poisson"`},
		{func(m *Model) {
			m.Populations[0].Model = "rate"
			m.Populations[0].Params, m.Populations[0].Init = nil, nil
		}, `spikes of "E": model rate has no such signal`},
		{func(m *Model) { m.Projections[0].SynapseParams = quantity.Values{"x": {}} }, `no parameter "x"`},
		{func(m *Model) { m.Projections[2].Axonal = Value{} }, "delay 0 ms, want a positive one"},
		{func(m *Model) { m.Records[0].Of = "X" }, `record 0: spikes of unknown population "X"`},
		{func(m *Model) { m.Records[0].What = "x" }, `unknown signal "x"`},
		{func(m *Model) { m.Records[1].Subset[1] = 3 }, "subset entry 3, want 0 to 2"},
		{func(m *Model) { m.Records[1].Subset[1] = 0 }, "want ascending indices"},
		{func(m *Model) { m.Records[1].Every = 0 }, "want a positive interval"},
		{func(m *Model) { m.Records[1].Of = "noise" }, `V_m of "noise": model poisson has no such signal`},
		{func(m *Model) { m.Records[1].What = RecordWeight }, `weight of unknown projection "E"`},
	} {
		m := valid()
		c.change(m)
		err := m.Check()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "network: ") {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
