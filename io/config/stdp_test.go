package config

import (
	"strings"
	"testing"
)

const stdpModel = `[simulation]
duration = "1 s"
seed = 1
[[population]]
name = "in"
model = "poisson"
n = 10
params = { rate = 10.0 }
[[population]]
name = "E"
model = "iaf_psc_exp"
n = 10
params = { tau_m = 10.0 }
[[population]]
name = "R"
model = "rate"
n = 10
[[projection]]
name = "P"
source = "in"
target = "E"
rule = "all_to_all"
weight = 0.5
axonal_delay = 0.5
dendritic_delay = 1.0
synapse = { model = "stdp" }
[[record]]
what = "weight"
of = "P"
every = "10 ms"
`

// TestSTDPInput: what models of spike pairs refuse, and where.
func TestSTDPInput(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"weight = 0.5", "weight = 1.5", `model:23:10: projection "P": weight 1.5, want a magnitude from w_min = 0 to w_max = 1`},
		{"weight = 0.5", "weight = { uniform = [-0.5, 0.5] }", `model:23:10: projection "P": weight uniform [-0.5, 0.5]: draws of both signs, want one sign: the rule changes magnitudes only`},
		{"weight = 0.5", "weight = { normal = [0.5, 0.1] }", `model:23:10: projection "P": weight normal [0.5, 0.1]: draws have no limit, want a magnitude from w_min = 0 to w_max = 1: give min and max`},
		{`"stdp" }`, `"stdp", w_min = 2.0 }`, `model:26:37: projection "P": synapse: w_min = 2, want at most w_max = 1`},
		{`"stdp" }`, `"stdp", w_ref = 2.0 }`, `model:26:37: projection "P": synapse: w_ref has no meaning with dependence = "bounds"`},
		{`"stdp" }`, `"stdp", dependence = "power_law", mu_minus = 1.0 }`, `model:26:66: projection "P": synapse: mu_minus has no meaning with dependence = "power_law"`},
		{`"stdp" }`, `"stdp", tau_plus = 0.0 }`, `model:26:40: projection "P": synapse: tau_plus = 0 ms, want > 0 and ≤ 1e+12 ms`},
		{`"stdp" }`, `"stdp", pairing = "nearest" }`, `model:26:39: projection "P": synapse: pairing: unknown "nearest", want one of all_to_all, nearest_symmetric, nearest_presynaptic, nearest_reduced`},
		{`"stdp" }`, `"stpd" }`, `model:26:21: projection "P": synapse: model: unknown "stpd", did you mean "stdp"?`},
		{`"stdp" }`, `"stdp", A_puls = 1.0 }`, `model:26:29: projection "P": synapse: unknown key "A_puls", did you mean "A_plus"?`},
		{`"stdp" }`, `"vogels_sprekeler" }`, `model:26:11: projection "P": synapse: model vogels_sprekeler needs the parameter "w_max"`},
		{`"stdp" }`, `"vogels_sprekeler", w_max = 1.0, alpha = 0.1, rho_0 = 5.0 }`, `model:26:62: projection "P": synapse: alpha and rho_0 are both given: want one of them, alpha = 2 rho_0 tau`},
		{`target = "E"`, `target = "R"`, `model:21:10: projection "P": target: population "R" (rate) has a rate, but source "in" (poisson) spikes: synapse model stdp joins what spikes with what spikes`},
		{"dendritic_delay = 1.0", "delay = 1.0", `model:25:1: projection "P": delay is the sum of both sides: leave it out, or axonal_delay and dendritic_delay`},
		{`what = "weight"`, `what = "eligibility"`, `model:28:8: record 0 (eligibility): eligibility of "P": synapse model stdp has none, want one of [weight]`},
		{`"stdp" }`, `"clopath" }`, `model:21:10: projection "P": synapse model clopath needs the potential of its targets between events, which model iaf_psc_exp of "E" does not have: want one of aeif_cond_alpha, aeif_cond_exp, hh_cond_exp_traub, hh_psc_alpha, iaf_cond_alpha, iaf_cond_exp, iaf_cond_multi, izhikevich`},
		{"every = \"10 ms\"\n", "", `updates of "P": its weights change at every spike (synapse model stdp) and have no log: give every, to sample weight`},
	} {
		text := strings.Replace(stdpModel, c.old, c.new, 1)
		if text == stdpModel {
			t.Fatalf("%q is not there", c.old)
		}
		_, _, err := Parse([]byte(text), Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.new, err, c.want)
		}
	}
	m, _, err := Parse([]byte(strings.Replace(stdpModel, `"stdp" }`, `"stdp", A_minus = 0.01 }`, 1)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Notes) != 1 || !strings.Contains(m.Notes[0], "A_minus = 0.01 is positive") {
		t.Errorf("notes %q", m.Notes)
	}
}

// TestClopathInput: what the rule that watches potentials refuses.
func TestClopathInput(t *testing.T) {
	base := strings.NewReplacer(`"iaf_psc_exp"`, `"aeif_cond_exp"`, "tau_m = 10.0", "tau_w = 100.0", `"stdp" }`, `"clopath" }`).Replace(stdpModel)
	again := `[[projection]]
name = "Q"
source = "in"
target = "E"
rule = "all_to_all"
weight = 0.5
axonal_delay = 0.0
dendritic_delay = 1.0
synapse = { model = "clopath", tau_x = 20.0 }
`
	gap := `[[projection]]
name = "Q"
source = "E"
target = "E"
rule = "all_to_all"
weight = 0.5
synapse = { model = "gap_junction" }
`
	for _, c := range []struct{ old, new, want string }{
		{"", "", ""},
		{"dendritic_delay = 1.0", "dendritic_delay = 0.0", `projection "P": dendritic_delay = 0 ms, want more: under clopath a synapse sees the potential of its target a dendritic delay late`},
		{"tau_w = 100.0", `fixed_step = "0.1 ms"`, `projection "P": synapse model clopath needs targets with adaptive steps, but "E" has fixed_step = 0.1 ms`},
		{"[[record]]", again + "[[record]]", `projection "Q": synapse model clopath: time constants, thresholds and clamp differ from those of projection "P" onto the same population`},
		{"[[record]]", gap + "[[record]]", `projection "P": synapse model clopath does not know the potential of neurons with gap junctions, and "E" has some`},
		{`"clopath" }`, `"clopath", w_min = 200.0 }`, `w_min = 200, want at most w_max = 100`},
		{`target = "E"`, `target = "R"`, `synapse model clopath joins what spikes with what spikes`},
		{`target = "E"`, `target = "in"`, `"in"`},
		{"[simulation]", "[simulation]\nengine = \"clocked\"\ndt = \"0.1 ms\"", `synapse model clopath is not known to the clocked engine`},
	} {
		text := strings.Replace(base, c.old, c.new, 1)
		_, _, err := Parse([]byte(text), Options{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %s", c.new, err, c.want)
		}
	}
}
