package config

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"hmn/neuron"
)

var update = flag.Bool("update", false, "write docs/reference.md")

func TestReference(t *testing.T) {
	const file = "../../docs/reference.md"
	var b bytes.Buffer
	if err := WriteReference(&b); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll("../../docs", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, b.Bytes()) {
		t.Errorf("%s is not what the code says: go test ./io/config -run TestReference -update", file)
	}
	for _, name := range neuron.Names() {
		if !strings.Contains(b.String(), "### `"+name+"`") {
			t.Errorf("model %s is missing", name)
		}
	}
}

func TestKeysAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keys {
		if k.Doc == "" || k.Type == "" || seen[k.Path] {
			t.Errorf("key %+v: no doc, no type, or twice", k)
		}
		seen[k.Path] = true
		if p := parent(k.Path); p != "" && !seen[p] {
			t.Errorf("key %s stands before its table", k.Path)
		}
		if _, err := Doc(k.Path); err != nil {
			t.Errorf("Doc(%s): %v", k.Path, err)
		}
	}
}

func TestDoc(t *testing.T) {
	for key, want := range map[string][]string{
		"tau_m":                   {"population.params.tau_m of iaf_psc_alpha, iaf_psc_delta, iaf_psc_exp", "unit ms", "default: 10", "≥ 0.001"},
		"population.params.tau_m": {"membrane time constant"},
		"iaf_psc_exp.tau_m":       {"population.params.tau_m of iaf_psc_exp\n"},
		"simulation.seed":         {"integer; default: 1; allowed: 0 to 2^63 − 1"},
		"p":                       {"projection.p\n", "required by pairwise_bernoulli and distance; allowed: ≥ 0 and ≤ 1"},
		"V_m":                     {"population.init.V_m of", "default: E_L"},
		"[meta]":                  {"keys: estimator, period, c, sigma, loss, alpha_local, alpha_global"},
		"[[record]]":              {"keys: what, of, every, times, subset, sample"},
		"fixed_indegree":          {"every target receives degree synapses"},
		"poisson":                 {"Independent Poisson trains", "params: rate, rate_steps"},
		"static":                  {"constant weight"},
		"clip":                    {"set to the limit"},
		"checkpoint":              {"not available in this version"},
		"tau_slow":                {"projection.synapse.tau_slow of hmn", "unit ms; default: 1000; allowed: > 0; in HMN Eq. 2"},
		"synapse.eta_local":       {"default: 5e-6 w_max (rates: 0)"},
		"hmn.gate_gain":           {"default: pi; allowed: pi, 1"},
		"hmn-full":                {"preset of synapse model hmn", "differs from hmn-core: beta_a = 1, beta_g = 1"},
		"hmn":                     {"hmn (synapse model)", "w_max", "required"},
		"test_task":               {"test_task (task)", "task.arms"},
		"task.arms":               {"task.arms of test_task"},
		"modulator.tau":           {"\"hold\"", "reward 200 ms"},
		"embedding_file":          {"neuron,v0,v1"},
		"rate":                    {"population.params.rate of poisson", "rate (model)"},
	} {
		got, err := Doc(key)
		if err != nil {
			t.Errorf("Doc(%s): %v", key, err)
		}
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("Doc(%s) = %q, want %q in it", key, got, w)
			}
		}
	}
	for key, near := range map[string]string{"tau_mm": `did you mean "tau_m"?`, "indegree": `did you mean "degree"?`, "simulation.sede": `did you mean "seed"?`, "": "no key"} {
		if _, err := Doc(key); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), near) {
			t.Errorf("Doc(%q): %v, want %s", key, err, near)
		}
	}
}
