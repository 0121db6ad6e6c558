package network

import (
	"math"
	"strings"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
)

// plasticModel is a model of trains onto trains that Check accepts, with a plastic
// projection drawn (0) and one of edges (1), two modulators and two records.
func plasticModel() *Model {
	ms := event.Millisecond
	core := func() quantity.Values { return quantity.Values{"w_max": {Number: 1}} }
	return &Model{
		Populations: []Population{
			{Name: "pre", N: 3, Model: "spike_train"}, {Name: "post", N: 2, Model: "spike_train"},
			{Name: "R", N: 2, Model: "rate"}, {Name: "x", N: 2, Model: "step_rate"},
		},
		Projections: []Projection{
			{Name: "P", Source: "pre", Target: "post", Rule: AllToAll, Weight: Value{Form: Uniform, A: 0.2, B: 0.8}, Axonal: Value{A: 1}, Synapse: "hmn", SynapseParams: core()},
			{Name: "Q", Source: "pre", Target: "post", Rule: EdgeList, Synapse: "hmn", SynapseParams: core(), EdgePhases: true,
				Edges: []synapse.Edge{{Weight: -0.5, Axonal: ms}, {Source: 2, Target: 1, Weight: -1, Axonal: ms, Phase: 6.28}}},
			{Name: "S", Source: "x", Target: "x", Rule: OneToOne, Autapses: true, Weight: Value{A: 1}, Synapse: "hmn", SynapseParams: core()},
		},
		Modulators: []Modulator{
			{Name: "reward", Tau: 200, Events: []Jump{{0, 1}, {5, -1}, {5, 2}}},
			{Name: "DA", Hold: true, Source: "pre", SourceJump: 0.5},
		},
		Meta:    &Meta{Estimator: SPSA, Period: 60 * event.Second, C: 0.2, Sigma: 0.2, Loss: "neg_mean_reward", MinFactor: 1.0 / 30, MaxFactor: 30},
		Records: []Record{{What: RecordGate, Of: "P", Every: ms, Subset: []int{0, 5}}, {What: RecordCandidate, Of: "Q"}},
	}
}

func TestCheckLearning(t *testing.T) {
	if err := plasticModel().Check(); err != nil {
		t.Fatal(err)
	}
	syn := func(p int, key string, v quantity.Value) func(*Model) {
		return func(m *Model) { m.Projections[p].SynapseParams[key] = v }
	}
	num := func(x float64) quantity.Value { return quantity.Value{Number: x} }
	word := func(s string) quantity.Value { return quantity.Value{Text: s} }
	all := func(fs ...func(*Model)) func(*Model) {
		return func(m *Model) {
			for _, f := range fs {
				f(m)
			}
		}
	}
	given := all(syn(0, "embedding", word("given")), syn(0, "embed_dim", num(2)), syn(0, "beta_a", num(1)))
	for _, c := range []struct {
		change func(*Model)
		want   string // "" = allowed
	}{
		{func(m *Model) { m.Simulation.Dt = 1 }, "the event engine has no steps"},
		{func(m *Model) { m.Simulation.Engine = EngineClocked }, "needs dt"},
		{func(m *Model) { m.Simulation.Engine = "gpu" }, `unknown engine "gpu"`},
		{all(func(m *Model) { m.Simulation.Engine, m.Simulation.Dt = EngineClocked, 1 }, syn(0, "update", word("step"))), ""},
		{syn(0, "update", word("step")), `projection "P": update = "step"`},
		{syn(0, "w_max", num(0)), `projection "P": w_max = 0`},
		{syn(0, "update", word("continuous")), "set bernoulli = false"},
		{syn(2, "A_plus", num(1)), `projection "S": A_plus has no meaning between rate units`},
		{func(m *Model) { m.Projections[0].Target = "R" }, "joins what spikes with what spikes"},
		{func(m *Model) { m.Projections[0].Synapse = "static"; m.Projections[0].SynapseParams = nil }, "which receives nothing"},
		{func(m *Model) { m.Projections[0].Axonal = Value{} }, "delay 0 ms, want a positive one"},
		{func(m *Model) { m.Projections[0].Axonal = Value{Form: Uniform, A: 1, B: 2} }, ""},
		// Weights.
		{func(m *Model) { m.Projections[0].Weight = Value{A: 1.5} }, `weight 1.5, want a magnitude from w_min = 0 to w_max = 1`},
		{func(m *Model) { m.Projections[0].Weight = Value{A: -1} }, ""},
		{func(m *Model) { m.Projections[0].Weight = Value{Form: Normal, A: 0.5, B: 0.1} }, "draws have no limit"},
		{func(m *Model) { m.Projections[0].Weight = Value{Form: LogNormal, B: 0.1} }, "draws have no limit"},
		{func(m *Model) { m.Projections[0].Weight.A = -0.2 }, "draws of both signs"},
		{func(m *Model) { m.Projections[0].Weight.B = 2 }, "want a magnitude"},
		{syn(0, "w_min", num(0.3)), "want a magnitude from w_min = 0.3"},
		{func(m *Model) { m.Projections[1].Edges[1].Weight = 0.5 }, `projection "Q": edge 1, from pre 2 to post 1: weight 0.5 after weights of the other sign`},
		{func(m *Model) { m.Projections[1].Edges[1].Weight = -2 }, `edge 1, from pre 2 to post 1: weight -2, want a magnitude from w_min = 0 to w_max = 1`},
		{func(m *Model) { m.Projections[1].Edges[1].Weight = math.NaN() }, ""}, // takes the projection's, 0
		{func(m *Model) { m.Projections[1].Edges[1].Weight, m.Projections[1].Weight.A = math.NaN(), 0.5 }, "beside edges of the other sign"},
		// Phases, embeddings, attention.
		{func(m *Model) { m.Projections[1].Edges[1].Phase = 7 }, "phase 7 rad, want ≥ 0 and < 2π"},
		{func(m *Model) { m.Projections[0].EdgePhases = true }, "phases of edges need rule edge_list, not all_to_all"},
		{given, `embedding = "given" without vectors`},
		{all(given, func(m *Model) { m.Projections[0].Embedding = [][]float64{{1, 2}} }), "1 embedding vectors, want one for each of the 3 neurons"},
		{all(given, func(m *Model) { m.Projections[0].Embedding = [][]float64{{1, 2}, {1}, {0, 0}} }), "vector of neuron 1 has 1 numbers, want embed_dim = 2"},
		{all(given, func(m *Model) { m.Projections[0].Embedding = [][]float64{{1, 2}, {1, math.NaN()}, {0, 0}} }), "want finite numbers"},
		{all(given, func(m *Model) { m.Projections[0].Embedding = [][]float64{{1, 2}, {1, 3}, {0, 0}} }), ""},
		{func(m *Model) { m.Projections[0].Embedding = [][]float64{{1}} }, `embedding = "random_unit" does not read them`},
		{all(syn(0, "beta_g", num(1)), func(m *Model) { m.Modulators = nil }), "no modulator to attend to"},
		{all(syn(0, "beta_g", num(1)), syn(0, "relevance", word("vector"))), `modulator "reward": has no u`},
		{all(syn(0, "beta_g", num(1)), syn(0, "relevance", word("vector")), func(m *Model) { m.Modulators[0].U, m.Modulators[1].U = []float64{1}, make([]float64, 8) }), "u has 1 numbers, want embed_dim = 8"},
		{all(syn(1, "beta_a", num(1)), func(m *Model) { m.Projections[1].Edges[1].Dendritic = 1 }), "dendritic delays of edges differ (edge 0 and edge 1)"},
		{all(syn(0, "beta_a", num(1)), func(m *Model) { m.Projections[0].Dendritic = Value{Form: Uniform, B: 1} }), "dendritic delays uniform [0, 1] ms, want one for all"},
		{all(syn(0, "beta_a", num(1)), syn(1, "beta_a", num(1)), syn(1, "embed_dim", num(2))), ""}, // of different signs: two groups
		{all(syn(0, "beta_a", num(1)), syn(1, "beta_a", num(1)), syn(1, "embed_dim", num(2)), syn(0, "group", word("g")), syn(1, "group", word("g"))), `projection "Q": embed_dim = 2, but 8 in projection "P"`},
		{all(syn(0, "beta_a", num(1)), syn(0, "group", word("g")), syn(1, "group", word("g"))), `projection "Q": beta_a = 0, but 1 in projection "P"`},
		{all(syn(0, "group", word("g")), syn(1, "group", word("g")), syn(1, "embed_dim", num(2))), ""}, // no attention
		{all(syn(0, "beta_a", num(1)), syn(1, "beta_a", num(1)), syn(0, "group", word("g")), syn(1, "group", word("g")), syn(1, "osc_hz", num(10))), ""},
		{all(syn(0, "beta_a", num(1)), syn(1, "beta_a", num(1)), syn(0, "group", word("g")), syn(1, "group", word("g")), syn(0, "embedding", word("oja")), syn(1, "osc_hz", num(10))), `projection "Q": osc_hz = 10, but 8 in projection "P"`},
		{all(syn(0, "beta_a", num(1)), syn(1, "beta_a", num(1)), syn(0, "group", word("g")), syn(1, "group", word("g")), func(m *Model) { m.Projections[0].Dendritic.A = 3 }), `projection "Q": dendritic delay 0 ms, but 3 ms in projection "P"`},
		// Modulators.
		{func(m *Model) { m.Modulators[1].Name = "reward" }, `modulator "reward": the name is used twice`},
		{func(m *Model) { m.Modulators[1].Name = "" }, "number 1 has no name"},
		{func(m *Model) { m.Modulators[0].Tau = 0 }, "tau 0 ms, want > 0 ms"},
		{func(m *Model) { m.Modulators[0].Tau = math.Inf(1) }, "tau +Inf ms"},
		{func(m *Model) { m.Modulators[0].W, m.Modulators[0].HasW = math.NaN(), true }, "w = NaN"},
		{func(m *Model) { m.Modulators[0].Delay = -1 }, "delay -0.000000001 ms"},
		{func(m *Model) { m.Modulators[0].Events[1].At = 6 }, "event 2 at 0.000000005 ms, want times ≥ 0 ms in ascending order"},
		{func(m *Model) { m.Modulators[0].Events[0].Amount = math.Inf(1) }, "event 0: jump +Inf"},
		{func(m *Model) { m.Modulators[0].Events = nil }, "nothing drives it"},
		{func(m *Model) { m.Modulators[0].Events = []Jump{} }, ""},
		{func(m *Model) { m.Modulators[1].Source = "none" }, `unknown source population "none"`},
		{func(m *Model) { m.Modulators[1].Source = "R" }, "sends no spikes"},
		{func(m *Model) { m.Modulators[1].SourceJump = math.NaN() }, "jump NaN"},
		{func(m *Model) { m.Modulators[1].Builtin = CentredReward }, "reward modulator without source"},
		{func(m *Model) { m.Modulators[1].Builtin = "surprise" }, `unknown builtin "surprise"`},
		{func(m *Model) { m.Modulators[1].U = []float64{0} }, "not all 0"},
		// Meta-learning and the task.
		{func(m *Model) { m.Meta.Estimator = "adam" }, `unknown estimator "adam"`},
		{func(m *Model) { m.Meta.C = 0 }, "c = 0, want > 0"},
		{func(m *Model) { m.Meta.Sigma = math.NaN() }, "sigma = NaN"},
		{func(m *Model) { m.Meta.AlphaLocal = -1 }, "alpha_local = -1, want ≥ 0"},
		{func(m *Model) { m.Meta.AlphaGlobal = 0.1 }, "the model has no task"},
		{func(m *Model) { m.Meta.MinFactor = 0 }, "want limits > 0 that include 1"},
		{func(m *Model) { m.Meta.Loss = "" }, "loss is empty"},
		{func(m *Model) { m.Meta.Period = 0 }, "want one of the two to be positive"},
		{func(m *Model) { m.Meta.Trials = 3 }, "want one of the two to be positive"},
		{func(m *Model) { m.Meta.Trials, m.Meta.Period = 3, 0 }, "period of 3 trials, but the model has no task"},
		{func(m *Model) { m.Meta.Period += 50 * event.Millisecond }, "is 480.4 cycles of the 8 Hz oscillation"},
		// 60 s at 7.3 Hz are 438 cycles; a picosecond more is a relative 2e-14.
		{all(syn(0, "osc_hz", num(7.3)), func(m *Model) { m.Meta.Period++ }), ""},
		{all(syn(0, "osc_hz", num(7.31))), "is 438.6 cycles"},
		{func(m *Model) { m.Task = &TaskSpec{Name: "chess"} }, `unknown task "chess"`},
		// Records.
		{func(m *Model) { m.Records[0].Of = "pre" }, `gate of unknown projection "pre"`},
		{func(m *Model) { m.Records[0].Subset[1] = 6 }, "subset entry 6, want 0 to 5"},
		{func(m *Model) { m.Records[0].Subset[1] = 0 }, "want ascending indices"},
		{func(m *Model) { m.Records[0].Every = 0 }, "want a positive interval"},
		{func(m *Model) { m.Records[0].What = RecordGamma }, "a subset is for records of synapses"},
		{func(m *Model) { m.Records[1].Every = 1 }, "recorded when it happens"},
		{func(m *Model) { m.Records[1] = Record{What: RecordModulator, Of: "P", Every: 1} }, `unknown modulator "P"`},
		{func(m *Model) { m.Records[1] = Record{What: RecordModulator, Of: "DA", Every: 1} }, ""},
		{func(m *Model) { m.Records[1] = Record{What: RecordTrials, Of: "bandit"} }, "no such task"},
		{func(m *Model) { m.Projections[1].Synapse, m.Projections[1].SynapseParams = "static", nil }, "which receives nothing"},
	} {
		m := plasticModel()
		c.change(m)
		err := m.Check()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}
