package config

import (
	"math"
	"slices"
	"strings"

	"hmn/event/quantity"
	"hmn/network"
	"hmn/synapse"
	"hmn/synapse/hmn"
)

// Type says what may stand for a key.
type Type string

// Types of keys.
const (
	Time      Type = "time"            // "1.5 ms", or a number of ms
	Number    Type = "number"          // with or without the unit
	Integer   Type = "integer"         //
	Text      Type = "text"            //
	Word      Type = "word"            // one of Choices
	Bool      Type = "true or false"   //
	Table     Type = "table"           //
	Tables    Type = "list of tables"  // [[…]]
	List      Type = "list"            //
	FileName  Type = "file"            // a path relative to the model file, or "$input"
	ValueType Type = "number or draws" // a number or a distribution, see Values
)

// Key describes one key of the model file outside params and init.
type Key struct {
	Path string // "population.expected_rate_hz"
	Type Type
	quantity.Param
	Shown string // default as shown, where it is not Default
	For   string // which rule or model uses it, "" = all
	Later bool   // named by the format, not available in this version
}

var inf = math.Inf(1)

// Keys is the table of all keys, in the order of the reference.
var Keys = makeKeys()

func makeKeys() []Key {
	k := func(path string, t Type, unit, doc string) Key {
		name := path[strings.LastIndexByte(path, '.')+1:]
		return Key{Path: path, Type: t, Param: quantity.Param{Key: name, Unit: unit, Doc: doc, Min: -inf, Max: inf}}
	}
	need := func(k Key) Key { k.Required = true; return k }
	shown := func(s string, k Key) Key { k.Shown = s; return k }
	in := func(lo, hi float64, k Key) Key { k.Min, k.Max = lo, hi; return k }
	above := func(lo float64, k Key) Key { k.Min, k.MinOpen = lo, true; return k }
	most := func(hi float64, k Key) Key { k.Min, k.MinOpen, k.Max = 0, true, hi; return k }
	def := func(d float64, k Key) Key { k.Default = d; return k }
	one := func(words []string, k Key) Key { k.Choices = words; return k }
	only := func(who string, k Key) Key { k.For = who; return k }
	later := func(k Key) Key { k.Later = true; k.Shown = "–"; return k }
	none := func(k Key) Key { k.Shown = "–"; return k }
	eq := func(e string, k Key) Key { k.Equation = e; return k }
	none1 := func(path string, t Type, unit, doc string) Key { return none(k(path, t, unit, doc)) }

	return []Key{
		need(k("simulation", Table, "", "how long and how to run")),
		above(0, need(k("simulation.duration", Time, "ms", "simulated time; may come from --duration instead"))),
		in(0, math.MaxInt64, def(1, k("simulation.seed", Integer, "", "the one seed; every stream is derived from it"))),
		one([]string{network.EngineEvent, network.EngineClocked}, shown("event", k("simulation.engine", Word, "", "event: exact event times | clocked: a dense loop of steps dt, the oracle that the event engine is compared with"))),
		above(0, none1("simulation.dt", Time, "ms", "step of the clocked engine, which needs it; not for the event engine")),
		above(0, eq("docs/semantics.md, windows and lookahead", none1("simulation.lookahead_max", Time, "ms", "cap of the window; without it the window is the smallest total delay"))),

		none1("inputs", Table, "", "files to be named from outside: name = \"file.csv\" here, --set inputs.name=FILE there, \"$name\" where a file is wanted"),

		none1("parameter", Table, "", "numbers to reckon with: name = 1.0 here, --set name=0.1 there. Then a text that begins with =, such as \"= round(20683 * name)\", is a formula and stands for its value in the unit of its key: + - * / ^, parentheses, sqrt, ln, exp, round (to the nearest whole number, halves up), numbers and parameters"),

		none1("choice", Table, "", "alternatives: [choice.NAME] with use = \"A\" and tables [choice.NAME.A], [choice.NAME.B], …; --set NAME=B takes the other. The table in use is merged into the model before anything else: tables entry by entry, lists by the names of their entries (population.E.model = \"izhikevich\"), a [[choice.NAME.A.population]] into the population of its name or else added to them, anything else replaces what the model says. A --set of a path comes after that. Of tables that are not in use only the formulas are checked"),

		none1("guard", Table, "", "stops the run and keeps the record"),
		in(0, 1e9, shown("0 (off)", k("guard.max_rate_hz", Number, "Hz", "highest mean rate of a population over window"))),
		in(0, inf, shown("0 (off)", k("guard.silence", Time, "ms", "stop when no neuron fired for that long"))),
		above(0, def(100, k("guard.window", Time, "ms", "over which max_rate_hz is measured"))),

		need(k("population", Tables, "", "a group of neurons, rate units or sources of one model")),
		need(k("population.name", Text, "", "unique; no white space, none of . = / \\ , ' \"")),
		in(1, 1<<31, need(k("population.n", Integer, "", "number of neurons; absent with names_from, optional with names_file"))),
		need(k("population.model", Word, "", "a neuron, rate or source model")),
		none1("population.params", Table, "", "the model's parameters; absent ones take their defaults"),
		none1("population.init", Table, "", "start values of the model's state variables: a number or draws (see Values), or { csv = \"file:column\" }"),
		none1("population.positions", Table, "", "positions for spatial rules: one of csv, grid with extent, uniform"),
		none1("population.positions.csv", FileName, "", "CSV with header x,y or x,y,z, one row per neuron; with a column neuron (index or name) in any order"),
		none1("population.positions.grid", List, "", "[nx, ny] or [nx, ny, nz] with product n: cell centres of a regular grid over extent, the first axis fastest"),
		none1("population.positions.extent", List, "1", "[Lx, Ly] or [Lx, Ly, Lz], all > 0: the grid covers [0, L) on every axis"),
		none1("population.positions.uniform", List, "1", "[Lx, Ly] or [Lx, Ly, Lz], all > 0: drawn uniformly from [0, L), keyed by seed and population"),
		none1("population.names_file", FileName, "", "one name per line, usable wherever a file names neurons"),
		none1("population.names_from", FileName, "", "an edge list: its source and target names, sorted, are the names, and their number is n"),
		in(0, 1e6, shown("10, marked assumed", k("population.expected_rate_hz", Number, "Hz", "expected rate: for `hmn check` and for the length of epochs (docs/semantics.md), so that it can change the last bits of a run"))),
		only("spike_train", none1("population.times", List, "ms", "[[t, …], …]: one list of times per neuron, in any order, [] for none. One of times and times_file is required")),
		only("spike_train", none1("population.times_file", FileName, "", "CSV with header neuron,time_ms: population-local index from 0, or a name; any order")),

		none1("projection", Tables, "", "connections from one population to another"),
		need(k("projection.name", Text, "", "unique; part of the identity of its synapses, so a new name draws a new network")),
		need(k("projection.source", Word, "", "name of a population")),
		need(k("projection.target", Word, "", "name of a population that receives. Not of a source model, except for plastic synapses: these see its spikes or levels, and their weight, without unit then, drives nothing; some models receive spikes only")),
		one(network.Rules, need(k("projection.rule", Word, "", "connection rule"))),
		in(0, 1, only("pairwise_bernoulli, distance", need(k("projection.p", Number, "1", "probability of each pair; for distance the peak of the profile")))),
		in(0, 1<<31, only("fixed_indegree, fixed_outdegree", need(k("projection.degree", Integer, "", "synapses per target (fixed_indegree) or per source (fixed_outdegree)")))),
		in(0, 1<<53, only("fixed_total_number", need(k("projection.total", Integer, "", "number of synapses")))),
		only("distance", need(k("projection.profile", Table, "", "how the probability falls with the distance r"))),
		one(network.Profiles, need(k("projection.profile.shape", Word, "", "gaussian: p exp(−r²/2σ²) | exponential: p exp(−r/σ) | linear: p max(0, 1 − r/σ) | disc: p for r ≤ σ"))),
		above(0, need(k("projection.profile.sigma", Number, "1", "length scale σ, unit of the positions"))),
		above(0, none1("projection.profile.radius", Number, "1", "no connection beyond it")),
		none1("projection.profile.periodic", List, "1", "[Lx, Ly] or [Lx, Ly, Lz]: lengths of periodic axes, 0 = open"),
		shown("true", k("projection.autapses", Bool, "", "a neuron may connect to itself")),
		shown("true", k("projection.multapses", Bool, "", "a pair may be connected more than once")),
		in(-1e9, 1e9, need(k("projection.weight", ValueType, "of the target", "weight; pA (psc models), nS (conductance models, gap junctions), mV (delta), 1 (rate units). Onto spiking neurons of any model: from rate units pA per unit of rate, a current; from step_current, ou_current and noise_current a factor of their current"))),
		in(0, inf, eq("docs/semantics.md, delays", none1("projection.delay", ValueType, "ms", "total delay of a static projection; excludes the two below. One of the three is required. The total must be > 0, at least 1 ps; only from rate units and level sources onto rate units it may be 0; gap junctions have none"))),
		in(0, inf, eq("docs/semantics.md, delays", shown("0 if dendritic_delay is given", k("projection.axonal_delay", ValueType, "ms", "delay of the spike until the synapse sees it")))),
		in(0, inf, eq("docs/semantics.md, delays", shown("0 if axonal_delay is given", k("projection.dendritic_delay", ValueType, "ms", "delay from the synapse to the soma, and of the post spike back")))),
		shown("by the sign of the weight", k("projection.receptor", Word, "", "a port of the target model")),
		shown("{ model = \"static\" }", k("projection.synapse", Table, "", "synapse model and its parameters")),
		shown("hmn with a preset, else required", k("projection.synapse.model", Word, "", "synapse model; the other keys of the table are its parameters")),
		one(hmn.PresetNames(), none1("projection.synapse.preset", Word, "", "named set of parameters of model hmn, which may be left out then; every parameter given here replaces its own")),
		none1("projection.synapse.short_term", Table, "", "short-term plasticity before the weight, with any other synapse model between what spikes: { model = \"tsodyks2\", U = … }"),
		need(k("projection.synapse.short_term.model", Word, "", "a synapse model that can be a short-term stage; the other keys of the table are its parameters")),
		none1("projection.synapse.release", Table, "", "stochastic release: { sites = n, p = p }, with any synapse model; a synapse transmits w k/n when k of its n sites release"),
		in(1, synapse.MaxSites, need(k("projection.synapse.release.sites", Integer, "", "number n of release sites of a synapse"))),
		most(1, shown("required without a short-term stage, else its u", k("projection.synapse.release.p", Number, "1", "probability that a site releases at a spike"))),
		none1("projection.synapse.embedding_file", FileName, "", "with embedding = \"given\": CSV with header neuron,v0,v1,…, embed_dim numbers per source neuron (index or name; without the column neuron in their order)"),
		only("edge_list", none1("projection.edges", List, "", "[[source, target, weight, axonal_ms, dendritic_ms, phase], …]; neurons by index or name. All rows are of one length, 2 to 6 (phase: plastic synapses only): what they leave out takes weight and the delays of the projection. One of edges and edges_file is required")),
		only("edge_list", none1("projection.edges_file", FileName, "", "CSV with header source,target,weight,axonal_delay_ms,dendritic_delay_ms,phase; neurons by index or name; missing columns take weight and the delays of the projection, and the phase of its synapses")),
		only("edge_list", none1("projection.columns", Table, "", "other header names: { source = \"Source\", … }")),
		only("edge_list", shown("source", k("projection.columns.source", Text, "", "header of the source column"))),
		only("edge_list", shown("target", k("projection.columns.target", Text, "", "header of the target column"))),
		only("edge_list", shown("weight", k("projection.columns.weight", Text, "", "header of the weight column"))),
		only("edge_list", shown("axonal_delay_ms", k("projection.columns.axonal_delay_ms", Text, "", "header of the axonal delay column"))),
		only("edge_list", shown("dendritic_delay_ms", k("projection.columns.dendritic_delay_ms", Text, "", "header of the dendritic delay column"))),
		only("edge_list", shown("phase", k("projection.columns.phase", Text, "", "header of the column of phases [rad], ≥ 0 and < 2π; plastic synapses only"))),
		only("edge_list", none1("projection.ignore", List, "", "extra columns that are accepted and not read; others are refused")),
		only("edge_list", none1("projection.where", Table, "", "{ Type = \"chemical\" }: keep the rows with this text (or one of a list of texts) in that column; the number left out is reported")),
		in(-1e9, 1e9, only("edge_list", shown("1", k("projection.weight_unit", Number, "of the target", "factor of the weights of the list, which then have no unit, e.g. \"20 pA\" where a column counts contacts")))),
		only("edge_list", none1("projection.inhibitory_sources", List, "", "names or indices of source neurons whose weights get a minus sign")),

		none1("modulator", Tables, "", "a third factor E_k that all plastic projections read: it jumps at events and decays between them"),
		need(k("modulator.name", Text, "", "unique; written like the name of a population")),
		above(0, eq("HMN Eq. 6", shown("by name or builtin: reward 200 ms, uncertainty hold, novelty 500 ms; else required", k("modulator.tau", Time, "ms", "time constant of the decay, or \"hold\": constant between events")))),
		eq("HMN Eq. 6", shown("by name or builtin: w_reward, w_uncertainty, w_novelty of the synapses; else 1", k("modulator.w", Number, "1", "weight of the modulator in G and G'"))),
		in(0, inf, shown("the lookahead", k("modulator.delay", Time, "ms", "with source, builtin or a task: from the spike or the task's step to the jump, at least the lookahead. Events act at their own times"))),
		none1("modulator.events_file", FileName, "", "CSV with header time_ms,modulator,jump in any order; rows of other modulators of the model are left to them. At most one of events_file, events, source and builtin"),
		none1("modulator.events", List, "", "[[t, jump], …], t in ms, in any order"),
		none1("modulator.source", Table, "", "{ population, jump }: it jumps at every spike of a population"),
		need(k("modulator.source.population", Word, "", "name of a population that spikes")),
		need(k("modulator.source.jump", Number, "1", "jump at each of its spikes")),
		one(network.Builtins, eq("HMN Eqs. 10–11", none1("modulator.builtin", Word, "", "computed from what the task reports. centred_reward: jump δ = r − r̄(context), with r̄ += 0.1 δ | uncertainty: held, u += 0.05 (|δ| − u) | novelty: jump 1/√(1 + N(context)) at a stimulus"))),
		eq("HMN Eqs. 10–11", none1("modulator.u", List, "1", "with relevance = \"vector\": its direction, embed_dim numbers")),

		none1("meta", Table, "", "meta-learning: slow changes of η_local and η_global of all plastic projections by a common factor each, 1/30 to 30, on a logarithmic scale; needs a task"),
		one(network.Estimators, eq("HMN Eq. 7", shown(network.SPSA, k("meta.estimator", Word, "", "how the gradient of the loss is estimated: both perturbed together in two periods | one after the other | drawn from a normal")))),
		eq("HMN Eq. 7", shown("50 trials with a task, else 60 s", k("meta.period", Text, "", "time between changes, such as \"60 s\" (a whole number of oscillation cycles of every plastic projection), or \"50 trials\" of the task"))),
		most(10, eq("HMN Eq. 7", def(0.2, k("meta.c", Number, "1", "size of the perturbation of ln η; spsa and finite_difference")))),
		most(10, eq("HMN Eq. 7", def(0.2, k("meta.sigma", Number, "1", "standard deviation of ln η; reinforce")))),
		eq("HMN Eq. 7", shown(hmn.NegMeanReward, k("meta.loss", Text, "", "neg_mean_reward: minus the mean raw reward of the period | mean_squared_rpe: mean of δ² | the name of a loss of the task"))),
		in(0, inf, eq("HMN Eq. 7", shown("0 (off); 0.05 with preset hmn-full", k("meta.alpha_local", Number, "1", "learning rate of ln η_local")))),
		in(0, inf, eq("HMN Eq. 7", shown("0 (off); 0.05 with preset hmn-full", k("meta.alpha_global", Number, "1", "learning rate of ln η_global")))),

		none1("task", Table, "", "an environment that acts on the network while it runs; its other keys are the task's parameters (`hmn doc NAME`)"),
		need(k("task.name", Word, "", "name of a task")),

		none1("record", Tables, "", "what to write, of which entities, how often"),
		one(network.RecordWords,
			need(k("record.what", Word, "", "of a population: spikes of spiking and source populations; V_m and I_syn of spiking ones (I_syn: iaf_psc_exp and iaf_psc_alpha); rate of rate units; of models other than iaf_psc_* any state variable, by its name (g_ex, w, …). Of a plastic projection, one column per synapse: weight, eligibility (a_fast × eligibility_fast + a_slow × eligibility_slow), gate, alpha; as lists of what happened: updates (also weight without every and times), candidate; in a few columns: G, G_prime, gamma, eta (η_local, η_global). Of a modulator: modulator. Of the task: trials"))),
		need(k("record.of", Word, "", "name of a population, a projection, a modulator or the task, as what says")),
		above(0, only("sampled signals", k("record.every", Time, "ms", "sampling interval; samples fall on its whole multiples, from 0; not for spikes, updates, candidate and trials. One of every and times is required"))),
		only("sampled signals", none1("record.times", List, "ms", "[t, …]: the instants to sample at, in any order, in place of every")),
		shown("all", k("record.subset", List, "", "indices or names: [0, 17], [\"ALML\"]; or \"0:100\", half open. Synapses of a projection count in order of (source, target, multapse)")),
		in(1, 1<<31, shown("all", k("record.sample", Integer, "", "that many neurons or synapses, drawn without replacement, keyed by seed and population or projection; excludes subset. Synapses only where the rule fixes their number"))),

		later(k("checkpoint", Table, "", "when to save the state of a run")),
	}
}

// valueKeys are the keys of a table that stands for a drawn value.
var valueKeys = []struct{ key, doc string }{
	{"uniform", "[a, b]: uniform on [a, b)"},
	{"normal", "[mean, sd]: normal"},
	{"lognormal", "[mu, sigma]: mean and standard deviation of the logarithm of the number"},
	{"csv", "\"file:column\": one row per neuron; with a column neuron (index or name) in any order; only in init"},
	{"min", "draws below it are drawn again"},
	{"max", "draws above it are drawn again"},
	{"clip", "true: draws beyond min or max are set to the limit instead"},
}

// sineKeys and laterWords are the other fixed lists of the format.
var (
	sineKeys     = []string{"mean", "amplitude", "frequency", "phase"}
	laterRecords = []string{"phase", "context"}

	// synonyms of other programs, and the key of this format.
	synonyms = map[string]string{
		"indegree": "degree", "outdegree": "degree", "total_number": "total", "k": "degree",
		"model_name": "model", "parameters": "params", "size": "n", "count": "n",
		"pre": "source", "post": "target", "from": "source", "to": "target", "conn_spec": "rule",
		"probability": "p", "allow_autapses": "autapses", "allow_multapses": "multapses",
		"interval": "every", "dt_sample": "every", "spike_times": "times",
		"receptor_type": "receptor", "d": "delay", "w": "weight", "tstop": "duration", "simtime": "duration",
	}
)

// key finds a key by path and panics on one the table lacks: a bug of this package.
func key(path string) Key {
	i := slices.IndexFunc(Keys, func(k Key) bool { return k.Path == path })
	if i < 0 {
		panic("config: no key " + path)
	}
	return Keys[i]
}

// below lists the last parts of the keys directly below a path ("" = the
// tables), those of this version only.
func below(path string) (names []string) {
	for _, k := range Keys {
		if parent(k.Path) == path && !k.Later {
			names = append(names, k.Key)
		}
	}
	return names
}

// isLater reports a key that the format has and this version has not.
func isLater(path string) bool {
	return slices.ContainsFunc(Keys, func(k Key) bool { return k.Later && k.Path == path })
}

func parent(path string) string {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return ""
	}
	return path[:i]
}

// valueNames lists the keys of a value table.
func valueNames(csv bool) (names []string) {
	for _, v := range valueKeys {
		if csv || v.key != "csv" {
			names = append(names, v.key)
		}
	}
	return names
}

// paramNames lists the keys of parameters or states.
func paramNames(params []quantity.Param) []string {
	names := make([]string, len(params))
	for i, p := range params {
		names[i] = p.Key
	}
	return names
}
