package config

import (
	"strings"
	"testing"
)

// TestBadDopamine: what the dopamine rules refuse, and where.
func TestBadDopamine(t *testing.T) {
	const syn = "synapse = { model = \"hmn\", w_max = 1.0 }"
	const rec = "what = \"candidate\"\nof = \"P\""
	da := func(keys string) string { return "synapse = { model = \"stdp_dopamine\", w_max = 1.0" + keys + " }" }
	for _, c := range []struct{ synapse, record, modulator, want string }{
		{da(""), "", "", ""},
		{da(", semantics = \"nest\""), "what = \"eligibility\"\nof = \"P\"\ntimes = [3, 1]", "", ""},
		{da(", semantics = \"daspnet\", post_lag = 0"), "", "", ""},
		{"synapse = { model = \"mstdpet\", w_max = 1.0, tau_z = 0 }", "", "tau = \"hold\"\nevents = [[1, 1]]", ""},
		{da(", semantic = \"nest\""), "", "", `unknown key "semantic", did you mean "semantics"?`},
		{da(", semantics = \"NEST\""), "", "", `m.toml:29:`},
		{da(", tau_c = 0"), "", "", `tau_c = 0 ms, want ≥ 0.001 and ≤ 1e+07 ms`},
		{da(", tau_plus = -1"), "", "", `tau_plus = -1 ms, want ≥ 0.001`},
		{da(", w_min = 2"), "", "", `w_min = 2, want at most w_max = 1`},
		{da(", w_min = 0.7"), "", "", `weight 0.5, want a magnitude from w_min = 0.7 to w_max = 1`},
		{da(", post_lag = 1"), "", "", `post_lag is for semantics = "daspnet"`},
		{da(", eta = nan"), "", "", `eta: nan, want a finite number`},
		{da(", semantics = \"nest\""), "", "tau = \"hold\"\nevents = [[1, 1]]", `semantics = "nest" with a modulator that is held`},
		{da(""), "", "tau = 100", `modulator "reward": nothing drives it`},
		{da(""), "what = \"gate\"\nof = \"P\"\nevery = 1", "", `gate of "P": synapse model stdp_dopamine has none`},
		{da(""), "what = \"updates\"\nof = \"P\"", "", `updates of "P": its weights change at every spike`},
		{"synapse = { model = \"mstdpet\", w_max = 1.0, tau_z = 1e-4 }", "", "", `tau_z = 0.0001 ms, want 0 or at least 1e-3 ms`},
		{"synapse = { model = \"mstdpet\", w_max = 1.0, eta = 1 }", "", "", `unknown key "eta"`},
		{"synapse = { model = \"stdp_dopamin\", w_max = 1.0 }", "", "", `did you mean "stdp_dopamine"?`},
	} {
		if c.record == "" {
			c.record = "what = \"weight\"\nof = \"P\"\nevery = 1"
		}
		if c.modulator == "" {
			c.modulator = "tau = \"200 ms\"\nevents = [[100, 0.5]]"
		}
		text := strings.NewReplacer(syn, c.synapse, rec, c.record, "tau = \"200 ms\"\nevents = [[100, 0.5]]", c.modulator).Replace(plastic)
		_, _, err := Parse([]byte(text), Options{Name: "m.toml"})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %q", c.synapse, err, c.want)
		}
	}
	// Without any modulator nothing would ever change, unless the baseline is one.
	k := strings.Index(plastic, "[[modulator]]")
	none := plastic[:k] + plastic[k+strings.Index(plastic[k:], "[[record]]"):]
	for _, c := range []struct{ keys, want string }{
		{"", `no modulator acts on the synapses, so that no weight would ever change: add a [[modulator]]`},
		{", b = -0.1", ""},
	} {
		text := strings.NewReplacer(syn, da(c.keys), rec, "what = \"weight\"\nof = \"P\"\nevery = 1").Replace(none)
		_, _, err := Parse([]byte(text), Options{Name: "m.toml"})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("no modulator, %q: got %v, want %q", c.keys, err, c.want)
		}
	}
}
