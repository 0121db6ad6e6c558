package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// base is a good model; the cases below replace one piece of it.
const base = `[simulation]
duration = "1 s"
[[population]]
name = "E"
n = 10
model = "iaf_psc_exp"
params = { tau_m = 20.0 }
[[population]]
name = "I"
n = 5
model = "iaf_psc_delta"
[[population]]
name = "R"
n = 5
model = "rate"
[[population]]
name = "S"
n = 10
model = "poisson"
params = { rate = 10 }
[[projection]]
name = "EE"
source = "E"
target = "E"
rule = "pairwise_bernoulli"
p = 0.1
weight = 20.0
delay = 1.5
[[record]]
what = "V_m"
of = "E"
every = 1
`

func TestBadInput(t *testing.T) {
	const (
		tau   = "params = { tau_m = 20.0 }"
		rule  = "rule = \"pairwise_bernoulli\"\np = 0.1"
		delay = "delay = 1.5"
		wt    = "weight = 20.0"
		ends  = "source = \"E\"\ntarget = \"E\""
		rec   = "what = \"V_m\"\nof = \"E\"\nevery = 1"
		train = "model = \"poisson\"\nparams = { rate = 10 }"
	)
	for _, c := range []struct{ from, to, want string }{
		// Unknown keys.
		{tau, "params = { tau_n = 20.0 }", `m.toml:7:12: population "E": params: unknown key "tau_n", did you mean "tau_m"?`},
		{tau, "params = { V_m = 20.0 }", `m.toml:7:12: population "E": params: V_m is a state variable of model iaf_psc_exp: give it in init`},
		{"n = 10\nmodel = \"iaf", "n = 10\nwidth = 3\nmodel = \"iaf", `m.toml:6:1: population "E": unknown key "width", want one of name, n, model`},
		{"[simulation]", "[simulatoin]\nx = 1\n[simulation]", `m.toml:1:1: unknown key "simulatoin", did you mean "simulation"?`},
		{"duration =", "durration =", `m.toml:2:1: simulation: unknown key "durration", did you mean "duration"?`},
		{delay, delay + "\nindegree = 3", `m.toml:29:1: projection "EE": unknown key "indegree", did you mean "degree"?`},
		{rec, rec + "\nof2 = 3", `m.toml:33:1: record 0: unknown key "of2", did you mean "of"?`},
		{wt, "weight = { unifrom = [1, 2] }", `m.toml:27:12: projection "EE": weight: unknown key "unifrom", did you mean "uniform"?`},
		// Not yet.
		{"[simulation]", "[checkpoint]\nevery = \"10 s\"\n[simulation]", `m.toml:1:1: not available in this version: [checkpoint]`},
		{delay, delay + "\nsynapse = { model = \"stpd\" }", `m.toml:29:21: projection "EE": synapse: model: unknown "stpd", did you mean "stdp"?`},
		{delay, delay + "\nsynapse = { model = \"sttic\" }", `synapse: model: unknown "sttic", did you mean "static"?`},
		{delay, delay + "\nsynapse = { model = \"static\", tau = 3 }", `m.toml:29:31: projection "EE": synapse: unknown key "tau": model static has no parameters`},
		{rec, "what = \"context\"\nof = \"EE\"", `m.toml:30:8: record 0: what: not available in this version: "context", want one of spikes`},
		// Short-term stages and release.
		{delay, delay + "\nsynapse = { model = \"static\", short_term = { model = \"tsodyks\" } }", `m.toml:29:54: projection "EE": synapse: short_term: model: unknown "tsodyks", did you mean "tsodyks2"?`},
		{delay, delay + "\nsynapse = { model = \"static\", short_term = { U = 0.5 } }", `m.toml:29:44: projection "EE": synapse: short_term: needs the key "model" (tsodyks2)`},
		{delay, delay + "\nsynapse = { model = \"static\", short_term = \"tsodyks2\" }", `m.toml:29:44: projection "EE": synapse: short_term: the text "tsodyks2", want a table`},
		{delay, delay + "\nsynapse = { model = \"static\", short_term = { model = \"tsodyks2\", U = 1.5 } }", `m.toml:29:70: projection "EE": synapse: short_term: U = 1.5, want ≥ 0 and ≤ 1`},
		{delay, delay + "\nsynapse = { model = \"tsodyks2\", tau_fac = \"-3 ms\" }", `m.toml:29:43: projection "EE": synapse: tau_fac = -3 ms, want ≥ 0 and ≤ 1e+06 ms`},
		{delay, delay + "\nsynapse = { model = \"tsodyks2\", tau_re = 3 }", `m.toml:29:33: projection "EE": synapse: unknown key "tau_re", did you mean "tau_rec"?`},
		{delay, delay + "\nsynapse = { model = \"tsodyks2\", short_term = { model = \"tsodyks2\" } }", `m.toml:29:46: projection "EE": synapse model tsodyks2 is a short-term stage itself`},
		{delay, delay + "\nsynapse = { model = \"static\", release = { sites = 0, p = 0.5 } }", `m.toml:29:51: projection "EE": synapse: release: sites = 0, want ≥ 1 and ≤ 1000`},
		{delay, delay + "\nsynapse = { model = \"static\", release = { sites = 2.5, p = 0.5 } }", `m.toml:29:51: projection "EE": synapse: release: sites: 2.5, want an integer`},
		{delay, delay + "\nsynapse = { model = \"static\", release = { p = 0.5 } }", `m.toml:29:41: projection "EE": synapse: release: needs the key "sites"`},
		{delay, delay + "\nsynapse = { model = \"static\", release = { sites = 3 } }", `m.toml:29:41: projection "EE": release needs its probability p, > 0 and ≤ 1, where no short-term stage gives it`},
		{delay, delay + "\nsynapse = { model = \"static\", release = { sites = 3, p = 1.5 } }", `m.toml:29:58: projection "EE": synapse: release: p = 1.5, want > 0 and ≤ 1`},
		{delay, delay + "\nsynapse = { model = \"tsodyks2\", release = { sites = 3, p = 0.5 } }", `m.toml:29:60: projection "EE": p = 0.5, but short-term stage tsodyks2 has the probability of release: leave it out`},
		{delay, delay + "\nsynapse = { model = \"static\", release = { sits = 3, p = 0.5 } }", `m.toml:29:43: projection "EE": synapse: release: unknown key "sits", did you mean "sites"?`},
		// Types, units, ranges.
		{"n = 10\nmodel = \"iaf", "n = 10.0\nmodel = \"iaf", `m.toml:5:5: population "E": n: 10.0, want an integer: write 10`},
		{"n = 10\nmodel = \"iaf", "n = \"ten\"\nmodel = \"iaf", `m.toml:5:5: population "E": n: the text "ten", want an integer`},
		{"n = 10\nmodel = \"iaf", "n = 0\nmodel = \"iaf", `m.toml:5:5: population "E": n: 0, want an integer from 1 to 2147483648`},
		{"n = 10\nmodel = \"iaf", "n = 3000000000\nmodel = \"iaf", `m.toml:5:5: population "E": n: 3000000000 neurons would take at least 179 GiB`},
		{"n = 10\nmodel = \"iaf", "model = \"iaf", `m.toml:3:1: population "E": needs the key "n"`},
		{"name = \"E\"", "name = 3", `m.toml:4:8: population 0: name: 3, want a text`},
		{"name = \"E\"", "name = \"\"", `m.toml:4:8: population 0: name: empty, want a text`},
		{"name = \"E\"", "name = \"E.x\"", `m.toml:4:8: population "E.x": name: "E.x" contains '.', want no white space and none of . = / \ , ' "`},
		{"name = \"E\"", "name = \"E x\"", `contains ' '`},
		{"name = \"E\"", `name = "E\u0007"`, `contains '\a'`},
		{"name = \"E\"", "name = \"../E\"", `contains '.'`},
		{"name = \"I\"", "name = \"E\"", `m.toml:9:8: population "E": name: "E" is taken (m.toml:4:8)`},
		{"iaf_psc_exp", "iaf_psc_epx", `m.toml:6:9: population "E": model: unknown "iaf_psc_epx", did you mean "iaf_psc_exp"?`},
		{tau, "params = { tau_m = \"1.5 mV\" }", `m.toml:7:20: population "E": params: tau_m: "1.5 mV" has the unit "mV", want a number in ms, or a text with one of the units s, ms`},
		{tau, "params = { tau_m = \"20\" }", `tau_m: the text "20" has no unit, want a number in ms`},
		{tau, "params = { tau_m = nan }", `m.toml:7:20: population "E": params: tau_m: nan, want a finite number`},
		{tau, "params = { tau_m = -inf }", `tau_m: -inf, want a finite number`},
		{tau, "params = { tau_m = -3 }", `m.toml:7:20: population "E": params: tau_m = -3 ms, want ≥ 0.001 and ≤ 1e+06 ms`},
		{tau, "params = { tau_m = true }", `tau_m: true, want a number in ms`},
		{tau, "params = { tau_m = { uniform = [1, 2] } }", `tau_m: a table, want one number for all neurons`},
		{tau, "params = { V_th = -80.0 }", `m.toml:7:19: population "E": params: V_th = -80 mV, want more than V_reset = -70 mV`},
		{tau, "params = { E_L = -49.0 }", `m.toml:7:18: population "E": params: V_m starts at E_L = -49 mV, want less than V_th = -55 mV`},
		{tau, "params = 3", `m.toml:7:10: population "E": params: 3, want a table`},
		{"duration = \"1 s\"", "duration = \"107 d\"", `m.toml:2:12: simulation: duration: "107 d" has the unit "d", want a number in ms`},
		{"duration = \"1 s\"", "duration = \"1e8 s\"", `m.toml:2:12: simulation: duration: the text "1e8 s" is beyond the longest run, 106 days`},
		{"duration = \"1 s\"", "duration = 0", `m.toml:2:12: simulation: duration = 0 ms, want > 0 ms`},
		{"duration = \"1 s\"", "duration = \"0.1 ps\"", `rounds to 0, want at least 1 ps`},
		{"duration = \"1 s\"", "seed = 3", `m.toml:1:1: simulation: needs the key "duration", or --duration`},
		{"duration = \"1 s\"", "duration = \"1 s\"\nseed = -1", `m.toml:3:8: simulation: seed: -1, want an integer ≥ 0`},
		{"duration = \"1 s\"", "duration = \"1 s\"\nseed = 9223372036854775808", `m.toml:3:8: decimal number is too large`},
		{"duration = \"1 s\"", "duration = \"1 s\"\nlookahead_max = 0", `lookahead_max = 0 ms, want > 0 ms`},
		{"[simulation]", "[guard]\nmax_rate_hz = -1\nwindow = 0\n[simulation]", `m.toml:3:10: guard: window = 0 ms, want > 0 ms`},
		{"[simulation]", "[guard]\nmax_rate_hz = -1\nwindow = 0\n[simulation]", `m.toml:2:15: guard: max_rate_hz = -1 Hz, want ≥ 0`},
		{"[[population]]\nname = \"E\"", "[population]\nname = \"E\"", `m.toml:8:3: key population already exists`}, // go-toml's words
		{"[simulation]", "simulation = 3\n#", `m.toml:1:14: simulation: 3, want a table`},
		// Start values.
		{tau, "init = { V_n = 3 }", `m.toml:7:10: population "E": init: unknown state variable "V_n" of model iaf_psc_exp, did you mean "V_m"?`},
		{tau, "init = { tau_m = 3 }", `init: tau_m is a parameter of model iaf_psc_exp: give it in params`},
		{tau, "init = { V_m = -55.0 }", `m.toml:7:16: population "E": init: V_m: -55 mV, want less than V_th = -55 mV`},
		{tau, "init = { V_m = { uniform = [-70, -54] } }", `m.toml:7:16: population "E": init: V_m: draws reach V_th = -55 mV, want less`},
		{tau, "init = { V_m = { normal = [-60, -1] } }", `m.toml:7:33: population "E": init: V_m: normal: standard deviation -1, want ≥ 0`},
		{tau, "init = { V_m = { uniform = [-60, -70] } }", `V_m: uniform: [-60, -70], want the lower limit first`},
		{tau, "init = { V_m = { uniform = [-60] } }", `V_m: uniform: a list, want a list of two numbers`},
		{tau, "init = { V_m = { min = -60 } }", `V_m: want one of uniform, normal, lognormal, csv`},
		{tau, "init = { V_m = { csv = \"v.csv\" } }", `V_m: csv: the text "v.csv", want "file.csv:column"`},
		// Distributions.
		{wt, "weight = { uniform = [0, 1], min = 2 }", `m.toml:27:30: projection "EE": weight: of uniform [0, 1] only the share 0 lies within min and max`},
		{wt, "weight = { normal = [0, 1], min = 9 }", `lies within min and max, want at least 0.0001 (clip = true sets draws to the limits)`},
		{wt, "weight = { normal = [0, 1], min = 2, max = 1 }", `weight: min: 2, want at most max = 1`},
		{wt, "weight = { normal = [0, 1], clip = true }", `weight: clip: true, but neither min nor max is given`},
		{wt, "weight = { normal = [0, 1], uniform = [0, 1] }", `weight: both uniform and normal are given, want one of them`},
		{wt, "weight = { csv = \"a:b\" }", `weight: csv stands only in init`},
		{wt, "weight = \"20 mV\"", `m.toml:27:10: projection "EE": weight: "20 mV" has the unit "mV", want a number in pA`},
		{wt, "weight = { normal = [\"20 pA\", nan] }", `weight: normal: nan, want a finite number`},
		{wt, "weight = 1e10", `weight = 1e+10 pA, want ≥ -1e+09 and ≤ 1e+09 pA`},
		{wt, "", `m.toml:21:1: projection "EE": needs the key "weight"`},
		// Delays.
		{delay, "", `m.toml:21:1: projection "EE": needs the key "delay" (or axonal_delay and dendritic_delay)`},
		{delay, "delay = -1", `m.toml:28:9: projection "EE": delay = -1 ms, want ≥ 0 ms`},
		{delay, "delay = 0", `m.toml:28:9: projection "EE": delay: the total delay is 0 ms, want > 0 ms (at least 1 ps)`},
		{delay, "axonal_delay = 0\ndendritic_delay = \"0.2 ps\"", `dendritic_delay: the total delay is 0 ms, want > 0 ms`},
		{delay, "delay = { uniform = [0, 1] }", `delay: the smallest total delay is 0 ms, want > 0 ms: give a min > 0`},
		{delay, "delay = { normal = [1.5, 0.75] }", `m.toml:28:9: projection "EE": delay: draws reach below 0 ms, want min ≥ 0`},
		{delay, "delay = 1\naxonal_delay = 1", `m.toml:28:1: projection "EE": delay is the sum of both sides: leave it out`},
		{delay, "delay = \"1e9 s\"", `delay: the text "1e9 s" is beyond the longest run, 106 days`},
		{delay, "axonal_delay = 9e9\ndendritic_delay = 9e9", `the total delay is beyond the longest run, 106 days`},
		// Ends.
		{ends, "source = \"EX\"\ntarget = \"E\"", `m.toml:23:10: projection "EE": source: no population is called "EX", did you mean "E"?`},
		{ends, "source = \"E\"\ntarget = \"S\"", `m.toml:24:10: projection "EE": target: population "S" (poisson) is a source: it sends and receives nothing`},
		{ends, "source = \"E\"\ntarget = \"E\"\nreceptor = \"AMPA\"", `m.toml:25:12: projection "EE": receptor: unknown "AMPA", want one of ex, in`},
		{"name = \"EE\"\n", "", `m.toml:21:1: projection 0: needs the key "name"`},
		// Rules.
		{rule, "rule = \"fixed_indegre\"", `m.toml:25:8: projection "EE": rule: unknown "fixed_indegre", did you mean "fixed_indegree"?`},
		{rule, "rule = \"all_to_all\"\np = 0.1", `m.toml:26:1: projection "EE": p belongs to rule pairwise_bernoulli or distance, not all_to_all`},
		{rule, "rule = \"pairwise_bernoulli\"", `m.toml:21:1: projection "EE": needs the key "p"`},
		{rule, "rule = \"pairwise_bernoulli\"\np = 1.5", `m.toml:26:5: projection "EE": p = 1.5, want ≥ 0 and ≤ 1`},
		{rule, "rule = \"fixed_indegree\"\ndegree = -1", `degree: -1, want an integer from 0 to`},
		{rule, "rule = \"fixed_indegree\"\ndegree = 11\nmultapses = false", `m.toml:26:10: projection "EE": degree: 11, want at most 10: without multapses a neuron has one synapse per source`},
		{rule, "rule = \"fixed_outdegree\"\ndegree = 10\nmultapses = false\nautapses = false", `degree: 10, want at most 9: without multapses a neuron has one synapse per target`},
		{rule, "rule = \"fixed_total_number\"\ntotal = 101\nmultapses = false", `total: 101, want at most 100: without multapses`},
		{rule, "rule = \"fixed_total_number\"\ntotal = -1", `total: -1, want an integer from 0 to`},
		{rule, "rule = \"one_to_one\"\nautapses = false", `autapses: false leaves no connection`},
		{ends + "\n" + rule, "source = \"S\"\ntarget = \"I\"\nrule = \"one_to_one\"", `rule: one_to_one joins populations of one size, but "S" has n = 10 and "I" n = 5`},
		{rule, "rule = \"distance\"\np = 0.5\nprofile = { shape = \"gaussian\", sigma = 1 }", `rule: distance needs positions, but population "E" has none`},
		{rule, "rule = \"distance\"\np = 0.5\nprofile = { shape = \"gauss\", sigma = 0 }", `profile: sigma = 0, want > 0`},
		{rule, "rule = \"distance\"\np = 0.5", `needs the key "profile"`},
		{rule, "rule = \"all_to_all\"\nmultapses = 1", `multapses: 1, want true or false`},
		// Records.
		{rec, "what = \"V_m\"\nof = \"E\"", `m.toml:29:1: record 0 (V_m): needs the key "every"`},
		{rec, "what = \"V_m\"\nof = \"E\"\nevery = 1\ntimes = [1]", `m.toml:33:1: record 0 (V_m): every and times are given, want one of them`},
		{rec, "what = \"V_m\"\nof = \"E\"\ntimes = []", `m.toml:32:9: record 0 (V_m): times: an empty list would record nothing`},
		{rec, "what = \"V_m\"\nof = \"E\"\ntimes = [3, \"1 ms\", 3.0]", `m.toml:32:9: record 0 (V_m): times: 3 ms stands twice`},
		{rec, "what = \"V_m\"\nof = \"E\"\ntimes = [-1]", `m.toml:32:10: record 0 (V_m): times: -1, want ≥ 0 ms`},
		{rec, "what = \"spikes\"\nof = \"E\"\ntimes = [1]", `m.toml:32:1: record 0 (spikes): times is for sampled signals: spikes are recorded when they happen`},
		{rec, "what = \"V_m\"\nof = \"E\"\nevery = 0", `every = 0 ms, want > 0 ms`},
		{rec, "what = \"V_m\"\nof = \"R\"\nevery = 1", `m.toml:31:6: record 0 (V_m): of: population "R" (rate) has no V_m, want a spiking population`},
		{rec, "what = \"I_syn\"\nof = \"I\"\nevery = 1", `of: population "I" (iaf_psc_delta) has no I_syn, want a population with synaptic currents`},
		{rec, "what = \"rate\"\nof = \"E\"\nevery = 1", `has no rate, want a population of rate units`},
		{rec, "what = \"spikes\"\nof = \"R\"", `has no spikes`},
		{rec, "what = \"spikes\"\nof = \"E\"\nevery = 1", `m.toml:32:1: record 0 (spikes): every is for sampled signals`},
		{rec, "what = \"weight\"\nof = \"EE\"\nevery = 1", `m.toml:31:6: record 0 (weight): of: projection "EE" has synapse model static, which does not learn: there is no weight`},
		{rec, "what = \"vm\"\nof = \"E\"\nevery = 1", `what: unknown "vm", did you mean "V_m"?`},
		{rec, rec + "\nsubset = [0, 10]", `m.toml:33:14: record 0 (V_m): subset: neuron 10 of population "E", want 0 to 9`},
		{rec, rec + "\nsubset = [3, 3]", `subset: neuron 3 stands twice`},
		{rec, rec + "\nsubset = \"5:11\"", `subset: "5:11", want "first:end" with 0 ≤ first < end ≤ n = 10`},
		{rec, rec + "\nsubset = \"5:5\"", `subset: "5:5", want`},
		{rec, rec + "\nsubset = []", `an empty list would record nothing`},
		{rec, rec + "\nsubset = [\"ALML\"]", `neuron "ALML": population "E" has no names, want an index from 0 to 9`},
		{rec, rec + "\nsample = 11", `sample: 11, want at most n = 10`},
		{rec, rec + "\nsample = 1\nsubset = [1]", `both subset and sample are given`},
		// Sources.
		{train, "model = \"poisson\"", `m.toml:16:1: population "S": params: none of [rate rate_steps sinusoid rates_file] is given`},
		{train, "model = \"poisson\"\nparams = { rate_steps = [[10, 5], [5, 1]] }", `rate_steps: step 1 at 5 ms, want times ≥ 0 ms, each later`},
		{train, "model = \"poisson\"\nparams = { sinusoid = { mean = 1, amplitde = 3, frequency = 4 } }", `sinusoid: unknown key "amplitde", did you mean "amplitude"?`},
		{train, "model = \"spike_train\"", `m.toml:16:1: population "S": needs the key "times" ([[t, …], …] in ms, one list per neuron) or "times_file"`},
		{train, "model = \"spike_train\"\ntimes_file = \"$x\"", `m.toml:20:14: population "S": times_file: "$x": [inputs] has no key "x"`},
		{train, train + "\ntimes_file = \"t.csv\"", `m.toml:21:1: population "S": times_file belongs to model spike_train, not poisson`},
		{train, "model = \"spike_train\"\ntimes_file = \"no.csv\"", `no.csv: no such file or directory`},
		{train, "model = \"spike_train\"\ntimes_file = \"/dev/zero\"", `/dev/zero: not a regular file`},
		{train, train + "\npositions = { grid = [3, 3], extent = [1, 1] }", `positions: grid: the product is 9, want n = 10`},
		{train, train + "\npositions = { uniform = [1, 0] }", `positions: uniform: 0, want > 0`},
		{train, train + "\npositions = { }", `positions: want one of csv, grid, uniform, got 0 of them`},
		// The text itself.
		{"n = 10\nmodel = \"iaf", "n = \nmodel = \"iaf", `m.toml:5:5: `},
		{"n = 10\nmodel = \"iaf", "n = 10\nn = 11\nmodel = \"iaf", `m.toml:6:1: key n is already defined`},
	} {
		if !strings.Contains(base, c.from) {
			t.Fatalf("the base has no %q", c.from)
		}
		m, s, err := Parse([]byte(strings.Replace(base, c.from, c.to, 1)), Options{Name: "m.toml", RequireDuration: true, Dir: t.TempDir()})
		if err == nil || m != nil || s != nil {
			t.Errorf("%q: no error, want %s", c.to, c.want)
			continue
		}
		if !errors.Is(err, ErrInput) {
			t.Errorf("%q: %v does not wrap ErrInput", c.to, err)
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.to, err, c.want)
		}
	}
	if _, _, err := Parse([]byte(base), Options{RequireDuration: true}); err != nil {
		t.Errorf("the base itself: %v", err)
	}
	if _, _, err := Parse(nil, Options{Name: "m.toml"}); err == nil || err.Error() != "m.toml: no [[population]]: nothing to simulate" {
		t.Errorf("an empty file: %v", err)
	}
}

func TestGoodVariants(t *testing.T) {
	for _, c := range []struct{ from, to string }{
		{"source = \"E\"\ntarget = \"E\"", "source = \"R\"\ntarget = \"R\"\nreceptor = \"in\""},
		{"delay = 1.5", "delay = { normal = [1.5, 0.75], min = 0.1 }"},
		{"delay = 1.5", "axonal_delay = { uniform = [0, 1] }\ndendritic_delay = \"500 us\""},
		{"weight = 20.0", "weight = { lognormal = [3.0, 0.5], max = \"1 nA\", clip = true }"},
		{"params = { tau_m = 20.0 }", "init = { V_m = { uniform = [-70, -55] }, I_syn_ex = \"3 pA\" }"},
		{"params = { tau_m = 20.0 }", "init = { V_m = { normal = [-58, 5] } }"},
		{"model = \"rate\"", "model = \"rate\"\nparams = { f = \"tanh\", b = [1, 2, 3, 4, 5] }"},
		{"every = 1\n", "every = 1\nsubset = \":3\"\n"},
		{"[simulation]", "simulation.seed = 4\n#"},
	} {
		text := strings.Replace(base, c.from, c.to, 1)
		if text == base {
			t.Fatalf("the base has no %q", c.from)
		}
		text = strings.Replace(text, "duration = \"1 s\"", "", 1)
		if strings.Contains(c.to, "#") {
			text = strings.Replace(text, "#\n", "", 1)
		}
		if _, _, err := Parse([]byte(text), Options{}); err != nil {
			t.Errorf("%q: %v", c.to, err)
		}
	}
	// A spike source may drive rate units, a rate unit another without delay.
	zero := strings.NewReplacer("source = \"E\"\ntarget = \"E\"", "source = \"R\"\ntarget = \"R\"", "delay = 1.5", "delay = 0").Replace(base)
	if _, _, err := Parse([]byte(zero), Options{}); err != nil {
		t.Errorf("rate units without delay: %v", err)
	}
	zero = strings.NewReplacer("source = \"E\"\ntarget = \"E\"", "source = \"S\"\ntarget = \"R\"", "delay = 1.5", "delay = 0").Replace(base)
	if _, _, err := Parse([]byte(zero), Options{}); err == nil {
		t.Error("spikes onto rate units without delay: no error")
	}
}

func TestBadOverrides(t *testing.T) {
	for set, want := range map[string]string{
		"population.E.n=-3":               `--set population.E.n=-3: population "E": n: -3, want an integer from 1 to 2147483648`,
		"population.X.n=3":                `--set population.X.n=3: population: no entry is called "X", did you mean "E"?`,
		"population.9.n=3":                `population: no entry 9, want 0 to 3`,
		"population.E.params.tau_m=5 mV":  `"5 mV" has the unit "mV"`,
		"population.E.params.tau_n=5":     `unknown key "tau_n", did you mean "tau_m"?`,
		"population.E.m=5":                `population "E": unknown key "m", did you mean "n"?`,
		"simulation.seed":                 `--set simulation.seed: want key=value`,
		"=3":                              `want key=value`,
		"simulation..seed=3":              `an empty part in the path`,
		"projection.EE.weight={uniform=[": `the value "{uniform=[" is not TOML`,
		"modulator.0.tau=3":               `the model has no [[modulator]]`,
		"simulation.duration=":            `--set simulation.duration=: simulation: duration: the text "", want a number in ms`,
		"projection.EE.p=nan":             `p: nan, want a finite number`,
		"simulation.duration=2026-01-01":  `duration: "2026-01-01" has the unit "-01-01"`,
		"record.V.every=1":                `record: entries here have no names: want a number, 0 to 0`,
	} {
		_, _, err := Parse([]byte(base), Options{Set: []string{set}})
		if err == nil || !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %s", set, err, want)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	text := strings.NewReplacer("tau_m = 20.0", "tau_m = -1, C_m = \"3 mV\"", "p = 0.1", "p = 2", "every = 1", "every = -1").Replace(base)
	_, _, err := Parse([]byte(text), Options{Name: "m.toml", Set: []string{"simulation.seed=-1"}})
	var e *Error
	if !errors.As(err, &e) || len(e.Problems) != 5 {
		t.Fatalf("got %v, want five problems", err)
	}
	for i, at := range []string{"m.toml:7:20", "m.toml:7:30", "m.toml:26:5", "m.toml:32:9", "--set simulation.seed=-1"} {
		if e.Problems[i].At != at {
			t.Errorf("problem %d at %s, want %s", i, e.Problems[i].At, at)
		}
	}
}

func TestBadFiles(t *testing.T) {
	edges := func(extra string) string {
		return strings.NewReplacer("rule = \"pairwise_bernoulli\"\np = 0.1\n", "rule = \"edge_list\"\nedges_file = \"f.csv\"\n"+extra,
			"weight = 20.0\n", "", "delay = 1.5\n", "").Replace(strings.Replace(base, "name = \"E\"\nn = 10", "name = \"E\"\nnames_file = \"names\"", 1))
	}
	times := strings.Replace(base, "model = \"poisson\"\nparams = { rate = 10 }", "model = \"spike_train\"\ntimes_file = \"f.csv\"", 1)
	rates := strings.Replace(base, "params = { rate = 10 }", "params = { rates_file = \"f.csv\" }", 1)
	place := strings.Replace(base, "params = { rate = 10 }", "params = { rate = 10 }\npositions = { csv = \"f.csv\" }", 1)
	start := strings.Replace(base, "params = { tau_m = 20.0 }", "init = { V_m = { csv = \"f.csv:v\" } }", 1)
	from := strings.Replace(base, "n = 10\nmodel = \"iaf_psc_exp\"", "names_from = \"f.csv\"\nmodel = \"iaf_psc_exp\"", 1)
	head := "source,target,weight,axonal_delay_ms,dendritic_delay_ms\n"
	long := strings.Repeat("x", 2<<20)
	wd := "weight = 1\ndelay = 1\n"
	for _, c := range []struct{ model, file, want string }{
		{edges(""), head + "ALML,XYZ,1,0,1\n", `f.csv:2: target: unknown neuron "XYZ" of population "E"`},
		{edges(""), head + "ALML,PLN,1,0,1\n", `f.csv:2: target: unknown neuron "PLN" of population "E", did you mean "PLM"?`},
		{edges(""), head + "ALML,4,1,0,1\n", `f.csv:2: target: neuron 4 of population "E", want 0 to 3`},
		{edges(""), head + "0,1,1,0,0\n", `f.csv:2: the total delay is 0 ms, want > 0 ms`},
		{edges(""), head + "0,1,1,-1,2\n", `f.csv:2: axonal_delay_ms = -1 ms, want ≥ 0 ms`},
		{edges(""), head + "0,1,nan,1,2\n", `f.csv:2: weight = "nan", want a finite number`},
		{edges(""), head + "\n0,1,1,1,2,3\n", `f.csv:3: 6 fields, want 5 as in the header`},
		{edges(""), head + "0,1,1,1e20,2\n", `f.csv:2: axonal_delay_ms = 1e20 is beyond the longest run, 106 days`},
		{edges(""), head + "0,1,1," + long + ",2\n", `f.csv:2: the line is longer than 1 MiB`},
		{edges(""), long, `f.csv:1: the line is longer than 1 MiB`},
		{edges(""), "", `f.csv:1: the file is empty, want a header line`},
		{edges(""), "source,target,source\n", `f.csv:1: the header has the column "source" twice`},
		{edges(""), "source;target\n0;1\n", `f.csv:1: the header has no comma: "source;target"; want comma separated columns`},
		{edges(wd), "Source,target\n", `f.csv:1: no column "source", did you mean "Source"? (columns = { source = … } renames it)`},
		{edges(wd), "source,target,kind\n", `f.csv:1: unknown column "kind", want source, target, weight, axonal_delay_ms, dendritic_delay_ms, phase (columns renames, ignore = ["kind"] leaves it out)`},
		{edges(wd), "source,target,phase\n", `model:26:14: projection "EE": f.csv has phases, but synapse model static has none: want one of model hmn, or ignore = ["phase"]`},
		{edges(wd), "source,target\n\"0,1\n", `f.csv:2: field 1: the quote is not closed on its line`},
		{edges(wd), "source,target\n\"0\"x,1\n", `f.csv:2: field 1: text after the closing quote`},
		{edges(wd), "source,target\n0\",1\n", `f.csv:2: field 1: a quote inside a field`},
		{edges(wd + "multapses = false\n"), "source,target\n0,1\n1,2\n0,1\n", `f.csv:4: neuron "ALML" is connected to "ALMR" twice (line 2), but multapses = false`},
		{edges(wd + "autapses = false\n"), "source,target\n1,1\n", `f.csv:2: neuron "ALMR" connects to itself, but autapses = false`},
		{edges(wd + "inhibitory_sources = [\"ALMQ\"]\n"), "source,target\n1,1\n", `inhibitory_sources: unknown neuron "ALMQ" of population "E", did you mean "ALML"?`},
		{edges("delay = 1\ninhibitory_sources = [\"ALML\"]\n"), "source,target,weight\n0,1,-3\n", `f.csv:2: the weight -3 of inhibitory source "ALML" is negative`},
		{edges("delay = 1\nweight = 2\n"), "source,target,weight\n0,1,3\n", `weight is given, but f.csv has a weight column`},
		{edges(wd + "weight_unit = 2\n"), "source,target\n0,1\n", `weight_unit is given, but f.csv has no weight column`},
		{edges("weight = 1\n"), "source,target\n0,1\n", `needs the key "delay"`},
		{edges("delay = 1\n"), "source,target\n0,1\n", `needs the key "weight"`},
		{edges(wd), "source,target,axonal_delay_ms\n0,1,1\n", `delay is the sum of both sides, but f.csv has a delay column`},
		{edges(wd + "where = { Typ = \"a\" }\n"), "source,target,Type\n0,1,a\n", `where: f.csv has no column "Typ", did you mean "Type"?`},
		{edges(wd + "where = { Type = \"b\" }\n"), "source,target,Type\n0,1,a\n", `where: no row of f.csv has Type = b; there are a`},
		{edges(wd + "ignore = [\"x\"]\n"), "source,target\n0,1\n", `ignore: f.csv has no column "x"`},
		{edges(wd + "columns = { sorce = \"S\" }\n"), "source,target\n0,1\n", `columns: unknown key "sorce", did you mean "source"?`},
		{times, "neuron,time_ms\n0,1.5\n0,1.5\n", `f.csv: neuron 0 spikes twice at 1.5 ms, want one spike at a time`},
		{times, "neuron,time_ms\n0,-1\n", `f.csv:2: time_ms = -1 ms, want ≥ 0 ms`},
		{times, "neuron,time_ms\n0,1\n10,1\n", `f.csv:3: neuron 10 of population "S", want 0 to 9`},
		{times, "neuron,time_ms\n0,soon\n", `f.csv:2: time_ms = "soon", want a time in ms`},
		{times, "neuron,time\n0,1\n", `f.csv:1: no column "time_ms", the header has neuron, time`},
		{rates, "time_ms,rate_hz\n5,1\n0,2\n", `f.csv:3: time_ms = 0 after 5, want ascending times`},
		{rates, "time_ms,rate_hz\n5,-1\n", `f.csv:2: rate_hz = -1 Hz, want ≥ 0`},
		{rates, "time_ms,rate_hz\n", `f.csv: no rows, want at least one step`},
		{rates, "time_ms,value\n0,1\n", `f.csv:1: no column "rate_hz"`},
		{place, "x,y\n0,0\n", `f.csv: 1 rows, want one for each of the 10 neurons of population "S"`},
		{place, "x,y\n" + strings.Repeat("0,0\n", 11), `f.csv:12: more rows than neurons: population "S" has n = 10`},
		{place, "x,y,q\n", `f.csv:1: unknown column "q", want x, y, z, neuron`},
		{place, "x,y\n0,inf\n", `f.csv:2: y = "inf", want a finite number`},
		{start, "v\n-70\n-50\n", `f.csv:3: v = -50 mV, want less than V_th = -55 mV`},
		{start, "w\n", `f.csv:1: no column "v"`},
		{from, "source,target\na,\n", `f.csv:2: target: an empty name`},
		{from, "source,target\n", `f.csv: no rows: population "E" would have no neurons`},
		{from, "Source,Target\na,b\n", `f.csv:1: no column "source", did you mean "Source"?`},
	} {
		dir := folder(t, map[string]string{"f.csv": c.file, "names": "ALML\nALMR\nAVM\nPLM\n"})
		m, _, err := Parse([]byte(c.model), Options{Dir: dir})
		if err == nil || m != nil || !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q:\n got %v\nwant %s", c.file, err, c.want)
		}
	}
	for names, want := range map[string]string{
		"a\n\nb\n":                 "names:2: an empty line between names",
		"a\nb\na\n":                `names:3: the name "a" is used twice, first in line 1`,
		"":                         `names: no names: population "E" would have no neurons`,
		"a\x00\n":                  `names:1: a name with a character that is not printable`,
		"\xff\n":                   `names:1: the name is not UTF-8 text`,
		strings.Repeat("a", 2<<20): `names:1: the line is longer than 1 MiB`,
	} {
		dir := folder(t, map[string]string{"names": names})
		_, _, err := Parse([]byte(edges("")), Options{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want %s", names, err, want)
		}
	}
}

func TestLongLineIsNotRead(t *testing.T) {
	// A sparse file of 1 GB without a line end: refused after the first MiB.
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "f.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("neuron,time_ms\n"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(1<<30), f.Close()); err != nil {
		t.Skip(err)
	}
	text := strings.Replace(base, "model = \"poisson\"\nparams = { rate = 10 }", "model = \"spike_train\"\ntimes_file = \"f.csv\"", 1)
	_, _, err = Parse([]byte(text), Options{Dir: dir})
	if err == nil || err.Error() != "f.csv:2: the line is longer than 1 MiB" {
		t.Error(err)
	}
}
