package config

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
	"hmn/synapse"
)

func init() {
	network.RegisterTask(network.TaskModel{
		Name: "test_task", Doc: "does nothing",
		Params: []quantity.Param{{Key: "arms", Unit: "1", Form: quantity.Integer, Default: 4, Min: 2, Max: 10, Doc: "number of arms"}},
		New:    func(quantity.Values, *network.Model) (network.Task, error) { return nil, nil },
	})
}

// plastic is a good model of trains onto trains (open loop); the cases below
// replace one piece of it.
const plastic = `[simulation]
duration = "1 s"
[[population]]
name = "pre"
n = 3
model = "spike_train"
times = [[1], [], [5]]
[[population]]
name = "post"
n = 2
model = "spike_train"
times = [[10], [20]]
[[population]]
name = "R"
n = 2
model = "rate"
[[population]]
name = "x"
n = 2
model = "step_rate"
[[projection]]
name = "P"
source = "pre"
target = "post"
rule = "all_to_all"
weight = 0.5
axonal_delay = 1.0
dendritic_delay = 0.0
synapse = { model = "hmn", w_max = 1.0 }
[[modulator]]
name = "reward"
tau = "200 ms"
events = [[100, 0.5]]
[[record]]
what = "candidate"
of = "P"
`

func TestPlastic(t *testing.T) {
	text := strings.NewReplacer(
		"rule = \"all_to_all\"\nweight = 0.5\naxonal_delay = 1.0\ndendritic_delay = 0.0", "rule = \"edge_list\"\nedges_file = \"edges.csv\"\ncolumns = { phase = \"phi\" }",
		"synapse = { model = \"hmn\", w_max = 1.0 }", `synapse = { preset = "hmn-full", w_max = 2, gate_gain = "pi", bernoulli = false, embedding = "given", embed_dim = 2, embedding_file = "v.csv", group = "g", tau_ctx = "30 s" }`,
		"tau = \"200 ms\"\nevents = [[100, 0.5]]", `tau = "hold"
w = -0.5
events_file = "mod.csv"
[[modulator]]
name = "DA"
tau = 50
delay = "2 ms"
source = { population = "pre", jump = 0.25 }
u = [0, 1]
[[modulator]]
name = "novelty"
builtin = "novelty"
[meta]
period = "30 trials"
alpha_local = 0
[task]
name = "test_task"
arms = 5`,
		"what = \"candidate\"", `what = "eligibility"
every = 1
subset = [2, 0]
of = "P"
[[record]]
what = "trials"
of = "test_task"
[[record]]
what = "modulator"
of = "DA"
every = "5 ms"
[[record]]
what = "eta"
of = "P"
every = 10
[[record]]
what = "weight"`,
	).Replace(plastic)
	dir := folder(t, map[string]string{
		"edges.csv": "source,target,weight,axonal_delay_ms,dendritic_delay_ms,phi\n0,0,0.5,1,0,0\n2,1,1.5,0.25,0,3.5\n1,1,2,1,0,6.25\n",
		"v.csv":     "neuron,v0,v1\n2,1,2\n0,3,4\n1,0,-1\n",
		"mod.csv":   "time_ms,modulator,jump\n30,reward,1\n5,DA,9\n10,reward,-2\n30,reward,3\n",
	})
	m, _, err := Parse([]byte(text), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	p := m.Projections[0]
	num := func(x float64) quantity.Value { return quantity.Value{Number: x} }
	word := func(s string) quantity.Value { return quantity.Value{Text: s} }
	values := quantity.Values{
		"beta_a": num(1), "beta_g": num(1), "w_uncertainty": num(0.2), "w_novelty": num(0.2), // the preset's
		"w_max": num(2), "gate_gain": word("pi"), "bernoulli": {}, "embedding": word("given"), "embed_dim": num(2), "group": word("g"), "tau_ctx": num(30000),
	}
	if p.Synapse != "hmn" || p.Preset != "hmn-full" || !reflect.DeepEqual(p.SynapseParams, values) {
		t.Errorf("synapse %q of preset %q: %v, want %v", p.Synapse, p.Preset, p.SynapseParams, values)
	}
	if !p.EdgePhases || p.Edges[1].Phase != 3.5 || p.Edges[2].Phase != 6.25 || p.Edges[1].Axonal != 250*event.Microsecond {
		t.Errorf("edges %v, phases %t", p.Edges, p.EdgePhases)
	}
	if want := [][]float64{{3, 4}, {0, -1}, {1, 2}}; !reflect.DeepEqual(p.Embedding, want) {
		t.Errorf("embedding %v, want %v", p.Embedding, want)
	}
	ms := event.Millisecond
	mods := []network.Modulator{
		{Name: "reward", Hold: true, W: -0.5, HasW: true, Events: []network.Jump{{At: 10 * ms, Amount: -2}, {At: 30 * ms, Amount: 1}, {At: 30 * ms, Amount: 3}}},
		{Name: "DA", Tau: 50, Delay: 2 * ms, HasDelay: true, Source: "pre", SourceJump: 0.25, U: []float64{0, 1}},
		{Name: "novelty", Tau: 500, Builtin: "novelty"},
	}
	if !reflect.DeepEqual(m.Modulators, mods) {
		t.Errorf("modulators\n%+v, want\n%+v", m.Modulators, mods)
	}
	if want := (network.Meta{Estimator: "spsa", Trials: 30, C: 0.2, Sigma: 0.2, Loss: "neg_mean_reward", AlphaGlobal: 0.05, MinFactor: 1.0 / 30, MaxFactor: 30}); m.Meta == nil || *m.Meta != want {
		t.Errorf("meta %+v, want %+v", m.Meta, want)
	}
	if want := (network.TaskSpec{Name: "test_task", Params: quantity.Values{"arms": num(5)}}); !reflect.DeepEqual(*m.Task, want) {
		t.Errorf("task %+v", m.Task)
	}
	records := []network.Record{
		{What: "eligibility", Of: "P", Subset: []int{0, 2}, Every: ms},
		{What: "trials", Of: "test_task"},
		{What: "modulator", Of: "DA", Every: 5 * ms},
		{What: "eta", Of: "P", Every: 10 * ms},
		{What: "updates", Of: "P"},
	}
	if !reflect.DeepEqual(m.Records, records) {
		t.Errorf("records %+v", m.Records)
	}
	if err := m.Check(); err != nil {
		t.Errorf("network.Check: %v", err)
	}
}

func TestPlasticVariants(t *testing.T) {
	const (
		syn  = "synapse = { model = \"hmn\", w_max = 1.0 }"
		ends = "source = \"pre\"\ntarget = \"post\""
		rec  = "what = \"candidate\"\nof = \"P\""
		mod  = "tau = \"200 ms\"\nevents = [[100, 0.5]]"
	)
	for _, c := range []struct {
		from, to string
		ok       func(*network.Model) bool
	}{
		{syn, "synapse = { preset = \"r-stdp\" }", func(m *network.Model) bool {
			v := m.Projections[0].SynapseParams
			return v["w_max"].Number == 4 && v["eta_global"].Number == 0.1 && m.Projections[0].Preset == "r-stdp"
		}},
		{syn, "synapse = { preset = \"r-stdp\", w_max = 2 }", func(m *network.Model) bool {
			return m.Projections[0].SynapseParams["eta_global"].Number == 0.05
		}},
		{syn, "synapse = { model = \"hmn\", preset = \"hmn-core\", w_max = 1 }", func(m *network.Model) bool { return m.Meta == nil }},
		{syn, "synapse = { preset = \"hmn-full\", w_max = 1 }", func(m *network.Model) bool {
			return m.Meta == nil && strings.Contains(strings.Join(m.Notes, "\n"), "meta-learning of preset hmn-full is off")
		}},
		{syn + "\n", "synapse = { preset = \"hmn-full\", w_max = 1 }\n[task]\nname = \"test_task\"\n", func(m *network.Model) bool {
			return m.Meta != nil && m.Meta.Trials == 50 && m.Meta.AlphaLocal == 0.05 && m.Meta.AlphaGlobal == 0.05
		}},
		{syn, "synapse = { model = \"hmn\", w_max = 1, phase = \"uniform\", gate_gain = 3.14159265, nearest = true, phase_bins = 8, r_ref = \"5 Hz\" }", func(m *network.Model) bool {
			v := m.Projections[0].SynapseParams
			return v["phase"].Text == "uniform" && v["nearest"].Bool && v["phase_bins"].Number == 8
		}},
		{syn, "synapse = { model = \"hmn\", w_max = 1, phase = \"180 deg\" }", func(m *network.Model) bool {
			return m.Projections[0].SynapseParams["phase"].Number == math.Pi
		}},
		{ends, "source = \"x\"\ntarget = \"R\"", func(m *network.Model) bool { return true }},
		{ends + "\nrule = \"all_to_all\"\nweight = 0.5\naxonal_delay = 1.0\ndendritic_delay = 0.0\n" + syn + "\n[[modulator]]\nname = \"reward\"\n" + mod + "\n[[record]]\n" + rec, "source = \"x\"\ntarget = \"R\"\nrule = \"edge_list\"\nedges = [[0, 0, 0.5], [1, 1, -0.25]]\ndendritic_delay = 1\nsynapse = { model = \"oja\", eta = 0.1, w_max = 1, w_min = -0.5 }\n[[record]]\nwhat = \"rate\"\nof = \"R\"\nevery = 1", func(m *network.Model) bool {
			return m.Projections[0].Edges[1].Weight == -0.25
		}},
		{syn, "synapse = { model = \"hmn\", w_max = 1, short_term = { model = \"tsodyks2\", U = 0.2, tau_fac = \"0.5 s\" }, release = { sites = 4 } }", func(m *network.Model) bool {
			p := m.Projections[0]
			return p.Synapse == "hmn" && p.ShortTerm.Model == "tsodyks2" && p.ShortTerm.Params["tau_fac"].Number == 500 && p.ShortTerm.Params["U"].Number == 0.2 && p.Release == synapse.Release{Sites: 4}
		}},
		{syn, "synapse = { preset = \"hmn-core\", w_max = 1, release = { sites = 4, p = 0.25 } }", func(m *network.Model) bool {
			return m.Projections[0].ShortTerm.Model == "" && m.Projections[0].Release == synapse.Release{Sites: 4, P: 0.25}
		}},
		{ends, "source = \"x\"\ntarget = \"x\"", func(m *network.Model) bool { return true }},
		{"axonal_delay = 1.0", "axonal_delay = { uniform = [0.5, 2] }", func(m *network.Model) bool { return m.Projections[0].Axonal.Form == network.Uniform }},
		{"weight = 0.5", "weight = { normal = [-0.5, 0.1], min = -1, max = 0 }", func(m *network.Model) bool { return true }},
		{"[simulation]", "[simulation]\nengine = \"clocked\"\ndt = \"0.1 ms\"", func(m *network.Model) bool {
			return m.Simulation.Engine == network.EngineClocked && m.Simulation.Dt == 100*event.Microsecond
		}},
		{"[simulation]", "[simulation]\nengine = \"event\"", func(m *network.Model) bool { return m.Simulation.Engine == "" }},
		{mod, "tau = 200\nevents = []", func(m *network.Model) bool { return m.Modulators[0].Events != nil }},
		{mod, "events = [[30, 1], [\"1 ms\", -2]]", func(m *network.Model) bool {
			d := m.Modulators[0]
			return d.Tau == 200 && d.Events[0] == network.Jump{At: event.Millisecond, Amount: -2}
		}},
		{rec, "what = \"weight\"\nof = \"P\"\nevery = 5\nsubset = \"1:3\"", func(m *network.Model) bool {
			return m.Records[0].What == "weight" && slices.Equal(m.Records[0].Subset, []int{1, 2})
		}},
		{rec, "what = \"gate\"\nof = \"P\"\nevery = 5\nsample = 4", func(m *network.Model) bool { return len(m.Records[0].Subset) == 4 }},
		{rec, rec + "\n[[record]]\nwhat = \"G_prime\"\nof = \"P\"\nevery = 1\n[[record]]\nwhat = \"gamma\"\nof = \"P\"\nevery = 1\n[[record]]\nwhat = \"alpha\"\nof = \"P\"\nevery = 1",
			func(m *network.Model) bool { return len(m.Records) == 4 }},
		{rec, rec + "\n[meta]\nperiod = \"60 s\"\nestimator = \"reinforce\"\nloss = \"mean_squared_rpe\"", func(m *network.Model) bool {
			return m.Meta.Period == 60*event.Second && m.Meta.Estimator == "reinforce" && m.Meta.AlphaLocal == 0
		}},
	} {
		if !strings.Contains(plastic, c.from) {
			t.Fatalf("the model has no %q", c.from)
		}
		m, _, err := Parse([]byte(strings.Replace(plastic, c.from, c.to, 1)), Options{})
		if err != nil {
			t.Errorf("%q: %v", c.to, err)
			continue
		}
		if err := m.Check(); err != nil {
			t.Errorf("%q: network.Check: %v", c.to, err)
		}
		if !c.ok(m) {
			t.Errorf("%q: got %+v", c.to, m)
		}
	}
}

func TestBadPlastic(t *testing.T) {
	const (
		syn  = "synapse = { model = \"hmn\", w_max = 1.0 }"
		ends = "source = \"pre\"\ntarget = \"post\""
		rec  = "what = \"candidate\"\nof = \"P\""
		mod  = "tau = \"200 ms\"\nevents = [[100, 0.5]]"
		wt   = "weight = 0.5"
		del  = "axonal_delay = 1.0\ndendritic_delay = 0.0"
		sim  = "duration = \"1 s\""
		rule = "rule = \"all_to_all\""
	)
	keys := func(s string) string { return "synapse = { model = \"hmn\", w_max = 1.0, " + s + " }" }
	edges := func(rows string) string { return "rule = \"edge_list\"\nedges = " + rows + "\n" }
	for _, c := range []struct{ from, to, want string }{
		// The synapse table.
		{syn, "synapse = { model = \"hmn\" }", `m.toml:29:11: projection "P": synapse: model hmn needs the parameter "w_max"`},
		{syn, "synapse = { w_max = 1 }", `m.toml:29:11: projection "P": synapse: needs the key "model" (synapse model; the other keys of the table are its parameters) or "preset"`},
		{syn, "synapse = { preset = \"hmn-cor\", w_max = 1 }", `m.toml:29:22: projection "P": synapse: preset: unknown "hmn-cor", did you mean "hmn-core"?`},
		{syn, "synapse = { model = \"hmn-core\", w_max = 1 }", `m.toml:29:21: projection "P": synapse: model: unknown "hmn-core": that is a preset, write preset = "hmn-core"`},
		{syn, "synapse = { model = \"static\", preset = \"hmn-core\" }", `preset: "hmn-core" belongs to model hmn, not static`},
		{syn, keys("tau_fst = 3"), `m.toml:29:41: projection "P": synapse: unknown key "tau_fst", did you mean "tau_fast"?`},
		{syn, keys("tau_fast = 0"), `m.toml:29:52: projection "P": synapse: tau_fast = 0 ms, want > 0 ms`},
		{syn, keys("tau_fast = 2000"), `tau_fast = 2000 ms is more than tau_slow = 1000 ms`},
		{syn, keys("w_min = 2"), `w_min = 2, want at most w_max = 1`},
		{syn, keys("gate = 1"), `gate: 1, want true or false`},
		{syn, keys("embed_dim = 2.5"), `embed_dim: 2.5, want an integer`},
		{syn, keys("embed_dim = 65"), `embed_dim = 65, want ≥ 1 and ≤ 64`},
		{syn, keys("phase = \"unifrm\""), `phase: unknown "unifrm", want a number or uniform`},
		{syn, keys("phase = 6.3"), `phase = 6.3 rad, want ≥ 0 and < 6.28319 rad`},
		{syn, keys("gate_gain = 2"), `gate_gain = 2, want pi (a mean gate of 1) or 1`},
		{syn, keys("trace = \"odd\""), `trace: unknown "odd", did you mean "ode"?`},
		{syn, keys("update = \"continuous\""), `m.toml:29:50: projection "P": synapse: update = "continuous" changes the weight at every instant and leaves no moment for a trial: set bernoulli = false as well`},
		{syn, keys("update = \"continuous\", bernoulli = false, bounds = \"soft\""), `bounds = "soft" does not go with update = "continuous"`},
		{syn, keys("update = \"step\""), `m.toml:29:50: projection "P": update = "step" applies candidates once per step, and only the clocked engine has steps`},
		{syn, "synapse = { preset = \"hmn-literal\", w_max = 1 }", `m.toml:29:22: projection "P": update = "step" applies candidates`},
		{syn, keys("similarity = \"dot\""), `set alpha_hold = "cycle" as well`},
		{syn, keys("eta_phi = 0.01, phase_bins = 16"), `want phase_bins = 0`},
		{syn, keys("center = \"post\""), `center = "post" is for rate units`},
		{syn, keys("tau_zbar = 10"), `tau_zbar has no meaning between spiking populations`},
		{syn, keys("beta_a = 1, embedding = \"given\""), `embedding = "given" without vectors: attention needs an embedding_file`},
		{syn, keys("embedding_file = \"v.csv\""), `embedding_file is given, but embedding = "random_unit" does not read it`},
		{syn, keys("relevance = \"vector\", beta_g = 1"), `m.toml:30:1: modulator "reward": has no u, which relevance = "vector" of projection "P" needs: embed_dim = 8 numbers`},
		{syn + "\n[[modulator]]\nname = \"reward\"\n" + mod, keys("beta_g = 1"), `m.toml:29:50: projection "P": beta_g = 1, but the model has no modulator to attend to`},
		{"name = \"reward\"\n" + mod, "name = \"reward\"\n" + mod + "\nu = [0, 0]", `m.toml:34:5: modulator "reward": u = [0 0], want finite numbers that are not all 0`},
		// Short-term stages and release before a rule, rules between rates.
		{syn, keys("short_term = { model = \"tsodyks2\", U = -0.1 }"), `m.toml:29:80: projection "P": synapse: short_term: U = -0.1, want ≥ 0 and ≤ 1`},
		{syn, keys("short_term = { model = \"stdp\" }"), `m.toml:29:64: projection "P": synapse: short_term: model: unknown "stdp", want one of tsodyks2`},
		{syn, keys("release = { sites = 3 }"), `m.toml:29:51: projection "P": release needs its probability p, > 0 and ≤ 1, where no short-term stage gives it`},
		{ends + "\n" + rule + "\n" + wt + "\n" + del + "\n" + syn, "source = \"x\"\ntarget = \"R\"\n" + rule + "\n" + wt + "\n" + del + "\n" + keys("short_term = { model = \"tsodyks2\" }"),
			`m.toml:29:54: projection "P": short-term stage tsodyks2 changes from spike to spike, but the source sends levels`},
		{ends + "\n" + rule + "\n" + wt + "\n" + del + "\n" + syn, "source = \"x\"\ntarget = \"R\"\n" + rule + "\n" + wt + "\n" + del + "\nsynapse = { model = \"oja\", eta = 1, w_max = 1, release = { sites = 2, p = 1 } }",
			`m.toml:29:58: projection "P": release happens at spikes, but the source sends levels`},
		{syn, "synapse = { model = \"bcm\", eta = 1, w_max = 1 }", `m.toml:24:10: projection "P": target: population "post" (spike_train) spikes, but source "pre" (spike_train) spikes: synapse model bcm joins rates with rates`},
		{ends + "\n" + rule + "\n" + wt + "\n" + del + "\n" + syn, "source = \"x\"\ntarget = \"R\"\n" + rule + "\n" + wt + "\n" + del + "\nsynapse = { model = \"bcm\", eta = 1, w_max = 1, tau_theta = 0 }",
			`tau_theta = 0 ms, want > 0 and ≤ 1e+09 ms`},
		{ends + "\n" + rule + "\n" + wt + "\n" + del + "\n" + syn, "source = \"x\"\ntarget = \"R\"\n" + rule + "\n" + wt + "\n" + del + "\nsynapse = { model = \"hebb\", eta = 1, w_max = 0.1 }",
			`m.toml:26:10: projection "P": weight 0.5, want a magnitude from w_min = 0 to w_max = 0.1`},
		{ends + "\n" + rule + "\n" + wt + "\n" + del + "\n" + syn, "source = \"x\"\ntarget = \"R\"\nrule = \"edge_list\"\nedges = [[0, 0, 0.5], [1, 1, -0.75]]\ndendritic_delay = 1\nsynapse = { model = \"oja\", eta = 0.1, w_max = 1, w_min = -0.5 }",
			`the weight is -0.75, want w_min = -0.5 to w_max = 1`},
		// Ends, weights, delays.
		{ends, "source = \"pre\"\ntarget = \"R\"", `m.toml:24:10: projection "P": target: population "R" (rate) has a rate, but source "pre" (spike_train) spikes: synapse model hmn joins`},
		{ends, "source = \"R\"\ntarget = \"post\"", `target: population "post" (spike_train) spikes, but source "R" (rate) has a rate`},
		{ends, ends + "\nreceptor = \"ex\"", `receptor: population "post" (spike_train) is a source: it has no receptors`},
		{syn, "synapse = { model = \"static\" }", `m.toml:24:10: projection "P": target: population "post" (spike_train) is a source: it sends and receives nothing`},
		{ends + "\n" + rule + "\n" + wt + "\n" + del + "\n" + syn, "source = \"R\"\ntarget = \"R\"\n" + rule + "\n" + wt + "\n" + del + "\nsynapse = { preset = \"r-stdp\" }", `m.toml:29:22: projection "P": synapse: preset "r-stdp": A_plus has no meaning between rate units`},
		{ends + "\n" + rule + "\n" + wt + "\n" + del + "\n" + syn, "source = \"R\"\ntarget = \"R\"\n" + rule + "\n" + wt + "\n" + del + "\n" + keys("trace = \"overwrite\""), `trace = "overwrite" is for coincidences of spikes`},
		{wt, "weight = 1.5", `m.toml:26:10: projection "P": weight 1.5, want a magnitude from w_min = 0 to w_max = 1`},
		{wt, "weight = { uniform = [0.5, 1.5] }", `weight uniform [0.5, 1.5], want a magnitude from w_min = 0 to w_max = 1`},
		{wt, "weight = { normal = [0.5, 0.1] }", `weight normal [0.5, 0.1]: draws have no limit, want a magnitude from w_min = 0 to w_max = 1: give min and max`},
		{wt, "weight = { uniform = [-0.5, 0.5] }", `draws of both signs, want one sign`},
		{wt, "weight = \"0.5 pA\"", `weight: the text "0.5 pA", want a bare number`},
		{del, "delay = 1", `m.toml:27:1: projection "P": delay is for static projections: a plastic one needs axonal_delay and dendritic_delay`},
		{del, "axonal_delay = 0", `the total delay is 0 ms, want > 0 ms`},
		{rule + "\n" + wt, edges("[[0, 0, 0.5], [2, 1, 1.5]]"), `edges: weight: the weight is 1.5, want a magnitude from w_min = 0 to w_max = 1`},
		{rule + "\n" + wt, edges("[[0, 0, 0.5], [2, 1, -0.5]]"), `the weight is -0.5 after weights of the other sign`},
		{rule + "\n" + wt + "\n" + del, edges("[[0, 0, 0.5, 1, 0, 7]]"), `edges: phase: 7 rad, want ≥ 0 and < 2π`},
		{rule + "\n" + wt + "\n" + del + "\n" + syn, edges("[[0, 0, 0.5, 1, 0, 1]]") + keys("phase = 1"), `phase is given, but edges has a phase column: leave one out`},
		{rule + "\n" + wt + "\n" + del + "\n" + syn, edges("[[0, 0, 0.5, 1, 0], [1, 0, 0.5, 1, 0.5]]") + keys("beta_a = 1"), `m.toml:26:9: projection "P": dendritic delays of edges differ (edge 0 and edge 1), want one for all`},
		{del + "\n" + syn, "axonal_delay = 1\ndendritic_delay = { uniform = [0, 1] }\n" + keys("beta_a = 1"), `m.toml:28:19: projection "P": dendritic delays uniform [0, 1] ms, want one for all`},
		// Engines.
		{sim, sim + "\ndt = 0.1", `m.toml:3:6: simulation: dt = 0.1 ms, but the event engine has no steps`},
		{sim, sim + "\nengine = \"clocked\"", `m.toml:1:1: simulation: engine = "clocked" needs dt`},
		{sim, sim + "\nengine = \"clock\"", `engine: unknown "clock", want one of event, clocked`},
		{sim, sim + "\nengine = \"clocked\"\ndt = 0", `dt = 0 ms, want > 0 ms`},
		// Modulators.
		{mod, "tau = 0\nevents = []", `m.toml:32:7: modulator "reward": tau = 0 ms, want > 0 ms`},
		{mod, "tau = \"held\"\nevents = []", `tau: "held", want a time > 0 or "hold"`},
		{"name = \"reward\"\n" + mod, "name = \"DA\"\nevents = []", `m.toml:30:1: modulator "DA": needs the key "tau": a time, or "hold"`},
		{mod, mod + "\nbuiltin = \"novelty\"", `m.toml:34:1: modulator "reward": both events and builtin are given, want one of them`},
		{mod, mod + "\ndelay = 1", `delay is for what jumps inside the run: events act at their own times`},
		{mod, "tau = 1", `m.toml:30:1: modulator "reward": nothing drives it: want events_file, events, source or builtin, or a task`},
		{mod, "builtin = \"centred_reward\"", `m.toml:32:11: modulator "reward": reward modulator without source: builtin = "centred_reward" is computed from what a task reports`},
		{mod, "builtin = \"centered_reward\"", `builtin: unknown "centered_reward", did you mean "centred_reward"?`},
		{mod, "builtin = \"uncertainty\"\ntau = 5\n[task]\nname = \"test_task\"", `m.toml:33:7: modulator "reward": tau = 5 ms, but builtin = "uncertainty" holds its value`},
		{mod, "tau = 5\nevents = [[1, 2, 3]]", `m.toml:33:12: modulator "reward": events: entry 0 is a list, want [[t, jump], …]`},
		{mod, "tau = 5\nevents = [[-1, 2]]", `events: -1, want ≥ 0 ms`},
		{mod, "tau = 5\nevents = [[1, nan]]", `events: nan, want a finite number`},
		{mod, "tau = 5\nsource = { population = \"R\", jump = 1 }", `m.toml:33:25: modulator "reward": source: population: "R" (rate) sends no spikes`},
		{mod, "tau = 5\nsource = { population = \"prae\", jump = 1 }", `population: no population is called "prae", did you mean "pre"?`},
		{mod, "tau = 5\nsource = { population = \"pre\" }", `modulator "reward": source: needs the key "jump"`},
		{"[[modulator]]", "[[modulator]]\nname = \"reward\"\ntau = 1\nevents = []\n[[modulator]]", `name: "reward" is taken (m.toml:31:8)`},
		// Meta-learning and tasks.
		{rec, rec + "\n[meta]\nperiod = 60050\n", `m.toml:38:10: meta: period 60050 ms is 480.4 cycles of the 8 Hz oscillation of projection "P", want a whole number of them`},
		{rec, rec + "\n[meta]\nperiod = \"50 trials\"\n", `m.toml:38:10: meta: period of 50 trials, but the model has no task`},
		{rec, rec + "\n[meta]\nperiod = \"0 trials\"\n", `period: "0 trials", want a whole number of trials ≥ 1`},
		{rec, rec + "\n[meta]\nperiod = 0\n", `period: 0, want > 0 ms`},
		{rec, rec + "\n[meta]\nalpha_local = -1\n", `alpha_local = -1, want ≥ 0`},
		{rec, rec + "\n[meta]\nc = 0\n", `c = 0, want > 0 and ≤ 10`},
		{rec, rec + "\n[meta]\nsigma = nan\n", `sigma: nan, want a finite number`},
		{rec, rec + "\n[meta]\nestimator = \"spas\"\n", `estimator: unknown "spas", did you mean "spsa"?`},
		{rec, rec + "\n[meta]\nloss = \"mean_reward\"\n", `loss: unknown "mean_reward"`},
		{rec, rec + "\n[meta]\nalpha_global = 0.1\n", `m.toml:37:1: meta: loss "neg_mean_reward" is computed from what a task reports, and the model has no task`},
		{rec, rec + "\n[task]\nname = \"bandid\"\n", `m.toml:38:8: task: name: unknown "bandid"`},
		{rec, rec + "\n[task]\nname = \"test_task\"\narm = 3\n", `m.toml:39:1: task: unknown key "arm", did you mean "arms"?`},
		{rec, rec + "\n[task]\nname = \"test_task\"\narms = 11\n", `m.toml:39:8: task: arms = 11, want ≥ 2 and ≤ 10`},
		{rec, rec + "\n[task]\narms = 3\n", `m.toml:37:1: task: needs the key "name"`},
		// Records.
		{rec, "what = \"candidate\"\nof = \"Q\"", `m.toml:36:6: record 0 (candidate): of: no projection is called "Q"`},
		{rec, "what = \"candidate\"\nof = \"P\"\nevery = 1", `every is for sampled signals: candidates are recorded when they happen`},
		{rec, "what = \"eligibility\"\nof = \"P\"", `record 0 (eligibility): needs the key "every"`},
		{rec, "what = \"eligibility\"\nof = \"P\"\nevery = 1\nsubset = [6]", `m.toml:38:11: record 0 (eligibility): subset: synapse 6 of projection "P", want 0 to 5`},
		{rec, "what = \"eligibility\"\nof = \"P\"\nevery = 1\nsubset = \"2:7\"", `want "first:end" with 0 ≤ first < end ≤ n = 6`},
		{rec, "what = \"eligibility\"\nof = \"P\"\nevery = 1\nsample = 7", `sample: 7, want at most n = 6 of projection "P"`},
		{rec, "what = \"G\"\nof = \"P\"\nevery = 1\nsample = 1", `sample is for neurons and synapses`},
		{rec, "what = \"modulator\"\nof = \"rewrd\"\nevery = 1", `of: no modulator is called "rewrd", did you mean "reward"?`},
		{rec, "what = \"trials\"\nof = \"bandit\"", `of: no task is called "bandit"`},
		{rec, "what = \"elegibility\"\nof = \"P\"", `what: unknown "elegibility", did you mean "eligibility"?`},
	} {
		if !strings.Contains(plastic, c.from) {
			t.Fatalf("the model has no %q", c.from)
		}
		m, _, err := Parse([]byte(strings.Replace(plastic, c.from, c.to, 1)), Options{Name: "m.toml"})
		if err == nil || m != nil || !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.to, err, c.want)
		}
	}
	// Only what the rule fixes can be counted.
	drawn := strings.NewReplacer(rule, "rule = \"pairwise_bernoulli\"\np = 0.5", rec, "what = \"gate\"\nof = \"P\"\nevery = 1\nsample = 2").Replace(plastic)
	if _, _, err := Parse([]byte(drawn), Options{}); err == nil || !strings.Contains(err.Error(), "rule pairwise_bernoulli draws the number of synapses") {
		t.Errorf("a sample of an unknown number: %v", err)
	}
}

// TestBadGroups: projections that share a softmax must agree.
func TestBadGroups(t *testing.T) {
	two := func(a, b string) string {
		return strings.Replace(plastic, "synapse = { model = \"hmn\", w_max = 1.0 }", "synapse = { model = \"hmn\", w_max = 1.0, beta_a = 1"+a+" }\n"+`[[projection]]
name = "Q"
source = "pre"
target = "post"
rule = "all_to_all"
weight = 0.5
axonal_delay = 1.0
dendritic_delay = 0.0
synapse = { model = "hmn", w_max = 1.0, beta_a = 1`+b+" }", 1)
	}
	for _, c := range []struct{ a, b, want string }{
		{"", "", ""},
		{"", ", embed_dim = 4", `m.toml:38:65: projection "Q": embed_dim = 4, but 8 in projection "P", which shares its softmax onto "post"`},
		{", group = \"a\"", ", embed_dim = 4", ""},
		{"", ", tau_ctx = 4", `projection "Q": tau_ctx = 4, but 20000 in projection "P"`},
	} {
		_, _, err := Parse([]byte(two(c.a, c.b)), Options{Name: "m.toml"})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %q: got %v, want %s", c.a, c.b, err, c.want)
		}
	}
}

func TestBadPlasticFiles(t *testing.T) {
	given := strings.Replace(plastic, "w_max = 1.0", "w_max = 1.0, beta_a = 1, embed_dim = 2, embedding = \"given\", embedding_file = \"f.csv\"", 1)
	events := strings.Replace(plastic, "events = [[100, 0.5]]", "events_file = \"f.csv\"", 1)
	edges := strings.Replace(plastic, "rule = \"all_to_all\"\nweight = 0.5\naxonal_delay = 1.0", "rule = \"edge_list\"\nedges_file = \"f.csv\"\naxonal_delay = 1.0", 1)
	for _, c := range []struct{ model, file, want string }{
		{given, "neuron,v0\n0,1\n", `f.csv:1: no column "v1", the header has neuron, v0`},
		{given, "neuron,v0\n0,1\n", `embedding_file: want the columns neuron and v0 to v1: embed_dim = 2`},
		{given, "neuron,v0,v1,v2\n", `f.csv:1: unknown column "v2", want v0, v1, neuron`},
		{given, "neuron,v0,v1\n0,1,2\n3,1,2\n", `f.csv:3: neuron 3 of population "pre", want 0 to 2`},
		{given, "neuron,v0,v1\n0,1,2\n0,1,2\n", `f.csv:3: neuron 0 stands twice`},
		{given, "neuron,v0,v1\n0,1,2\n1,1,2\n", `f.csv: 2 rows, want one for each of the 3 neurons of population "pre"`},
		{given, "neuron,v0,v1\n0,1,inf\n", `f.csv:2: v1 = "inf", want a finite number`},
		{events, "time_ms,modulator,jump\n1,rewad,1\n", `f.csv:2: modulator: no modulator is called "rewad", did you mean "reward"?`},
		{events, "time_ms,modulator,jump\n-1,reward,1\n", `f.csv:2: time_ms = -1 ms, want ≥ 0 ms`},
		{events, "time_ms,modulator,jump\n1,reward,x\n", `f.csv:2: jump = "x", want a finite number`},
		{events, "time_ms,modulator\n", `f.csv:1: no column "jump"`},
		{edges, "source,target,weight\n0,0,0.5\n0,1,2\n", `f.csv:3: weight: the weight is 2, want a magnitude from w_min = 0 to w_max = 1`},
		{edges, "source,target,weight,phase\n0,0,0.5,-1\n", `f.csv:2: phase = -1 rad, want ≥ 0 and < 2π`},
		{edges, "source,target,weight,phase\n0,0,0.5,up\n", `f.csv:2: phase = "up", want a finite number`},
	} {
		dir := folder(t, map[string]string{"f.csv": c.file})
		m, _, err := Parse([]byte(c.model), Options{Dir: dir})
		if err == nil || m != nil || !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.file, err, c.want)
		}
	}
	dir := folder(t, map[string]string{"f.csv": "source,target,weight,phase\n0,0,0.5,-1\n"})
	if _, _, err := Parse([]byte(strings.Replace(edges, "edges_file =", "ignore = [\"phase\"]\nedges_file =", 1)), Options{Dir: dir}); err != nil {
		t.Errorf("a column of phases that is not to be read: %v", err)
	}
}

// TestPresetRows: presets as docs/learning.md and specification E.8 tell them.
func TestPresetRows(t *testing.T) {
	for _, c := range []struct{ preset, key, value, unit, equation, core string }{
		{"hmn-core", "tau_slow", "1000", "ms", "HMN Eq. 2", ""},
		{"hmn-core", "gate_gain", "pi", "1", "HMN Eq. 4", ""},
		{"hmn-core", "eta_global", "2.5e-3 w_max (rates: 3e-5 w_max)", "[w]/ms", "HMN Eq. 3", ""},
		{"hmn-core", "w_max", "required", "[w]", "HMN Eq. 5", ""},
		{"hmn-core", "meta.alpha_local", "0", "1", "HMN Eq. 7", ""},
		{"hmn-full", "beta_g", "1", "1", "HMN Eqs. 10–11", "0"},
		{"hmn-full", "meta.alpha_global", "0.05", "1", "HMN Eq. 7", "0"},
		{"hmn-literal", "A_minus", "1", "1", "HMN Eq. 2", "-1.5"},
		{"hmn-literal", "update", "step", "–", "HMN Eq. 5", "window"},
		{"r-stdp", "eta_global", "0.1 (0.025 w_max)", "[w]/ms", "HMN Eq. 3", "2.5e-3 w_max (rates: 3e-5 w_max)"},
		{"r-stdp", "tau_slow", "1000", "ms", "HMN Eq. 2", ""},
		{"r-stdp", "gate", "false", "–", "HMN Eq. 4", "true"},
		{"hmn", "bernoulli", "true", "–", "HMN Eq. 5", ""},
	} {
		rows, ok := PresetRows(c.preset)
		i := slices.IndexFunc(rows, func(r PresetRow) bool { return r.Key == c.key })
		if !ok || i < 0 {
			t.Errorf("%s has no %s", c.preset, c.key)
			continue
		}
		if r := rows[i]; r.Value != c.value || r.Unit != c.unit || r.Equation != c.equation || r.Core != c.core || r.Doc == "" {
			t.Errorf("%s: %+v, want %+v", c.preset, r, c)
		}
	}
	if _, ok := PresetRows("hmn-none"); ok {
		t.Error("found a preset that is not there")
	}
}
