package models_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hmn/io/config"
	"hmn/models"
	_ "hmn/models/task"
	"hmn/network"
)

func Example() {
	fmt.Println(models.Summary("ring"))
	text, _ := models.Text("ring")
	m, _, err := config.Parse([]byte(text), config.Options{Name: "ring.toml"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Populations[0].N, "neurons for", m.Simulation.Duration, "ms")
	// Output:
	// A ring of ten neurons, each made to fire by one arrival: exact delays to look at
	// 10 neurons for 1000 ms
}

func TestNames(t *testing.T) {
	want := []string{"brunel-ai", "brunel-si-fast", "brunel-si-slow", "brunel-sr", "celegans", "coba", "cuba", "cuba-nest", "hmn-bandit", "hmn-recurrent", "izhikevich2007", "izhikevich2007-classical", "izhikevich2007-instrumental", "izhikevich2007-shift", "microcircuit", "rate-fixed-point", "ring", "song-abbott", "vogels2011"}
	for _, name := range want {
		if !slices.Contains(models.Names(), name) {
			t.Errorf("no shipped model %s", name)
		}
	}
	for _, name := range []string{"cuba", "cuba-delays", "brunel"} {
		if !slices.Contains(models.BenchNames(), name) {
			t.Errorf("no bench network %s", name)
		}
	}
	if !slices.IsSorted(models.Names()) || !slices.IsSorted(models.BenchNames()) {
		t.Errorf("names are not sorted: %v, %v", models.Names(), models.BenchNames())
	}
	for _, name := range []string{"", "nosuch", "bench/cuba", "../models/cuba", "cuba.toml", `bench\cuba`} {
		if _, ok := models.Text(name); ok {
			t.Errorf("Text(%q) gives something", name)
		}
		if _, ok := models.Bench(name); ok {
			t.Errorf("Bench(%q) gives something", name)
		}
		if s := models.Summary(name); s != "" {
			t.Errorf("Summary(%q) = %q", name, s)
		}
	}
}

// texts is every embedded model file by name.
func texts() map[string]string {
	all := map[string]string{}
	for _, n := range models.Names() {
		all[n], _ = models.Text(n)
	}
	for _, n := range models.BenchNames() {
		all["bench/"+n], _ = models.Bench(n)
	}
	return all
}

// The heading says what it is, which paper, and what to expect.
func TestHeadings(t *testing.T) {
	doi := regexp.MustCompile(`doi:10\.\d{4,5}/\S+`)
	number := regexp.MustCompile(`(?s)# Expected[^\n]*\d|# Expected.*\n#[^\n]*\d`)
	for name, text := range texts() {
		head := text[:strings.Index(text, "\n[")]
		if !strings.HasPrefix(head, "# ") {
			t.Errorf("%s does not begin with a comment", name)
		}
		if !strings.Contains(head, "# Paper: ") || !doi.MatchString(head) {
			t.Errorf("%s cites no paper with its DOI", name)
		}
		if !number.MatchString(head) {
			t.Errorf("%s does not say which numbers to expect", name)
		}
		for k, line := range strings.Split(text, "\n") {
			if strings.Contains(line, "\t") || strings.HasSuffix(line, " ") {
				t.Errorf("%s:%d: a tab, or white space at the end", name, k+1)
			}
		}
	}
	for _, name := range models.Names() {
		if s := models.Summary(name); len(s) < 30 || strings.Contains(s, "\n") || len(s) > 120 {
			t.Errorf("Summary(%q) = %q, want one short line", name, s)
		}
	}
}

func load(t *testing.T, name, text string) *network.Model {
	t.Helper()
	var set []string
	if name == "celegans" {
		set = append(set, "inputs.connectome="+connectome(t))
	}
	m, _, err := config.Parse([]byte(text), config.Options{Name: name + ".toml", Set: set, RequireDuration: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	return m
}

// connectome is the edge list beside the repository; the test is skipped where
// there is none. The file is never copied into the repository.
func connectome(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no go.mod above the tests")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(dir, "..", "shared", "data", "celegans", "herm_full_edgelist.csv")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the C. elegans edge list is not beside the repository: %v", err)
	}
	return path
}

// Every model loads, and its estimate is that of its description.
func TestLoad(t *testing.T) {
	sizes := map[string]struct {
		neurons  int
		synapses float64 // expected, ± 4 standard deviations of a Bernoulli draw at most
	}{
		"cuba": {4000, 320000}, "cuba-nest": {4000, 320000}, "bench/cuba": {4000, 320000}, "bench/cuba-delays": {4000, 320000},
		"brunel-ai": {25000, 15.625e6 + 12500}, "brunel-sr": {25000, 15.625e6 + 12500}, "brunel-si-fast": {25000, 15.625e6 + 12500}, "brunel-si-slow": {25000, 15.625e6 + 12500},
		"bench/brunel": {25000, 15.625e6 + 12500}, "coba": {4050, 320050}, "bench/coba": {4050, 320050}, "ring": {11, 11}, "rate-fixed-point": {5, 11}, "celegans": {449, 4684 + 2698},
		"bench/brunel-stdp": {25000, 15.625e6 + 12500},
		"izhikevich2007":    {1000, 100001}, "izhikevich2007-classical": {2000, 101000}, "izhikevich2007-instrumental": {1800, 100800},
		"izhikevich2007-shift": {1800, 100800}, "microcircuit": {2 * 77169, 298880968 + 77169},
		"song-abbott": {1001, 1000}, "vogels2011": {10000, 2e6},
		"legenstein2008": {202, 200}, "florian2007": {2 + 120 + 60 + 61, 60 + 60 + 60 + 3600 + 60}, "hmn-bandit": {24, 80}, "hmn-recurrent": {2000, 1000 + 800*(40+20) + 200*(80+20)},
	}
	for name, text := range texts() {
		t.Run(name, func(t *testing.T) {
			m := load(t, name, text)
			e, err := network.EstimateModel(m)
			if err != nil {
				t.Fatal(err)
			}
			want, ok := sizes[name]
			if !ok {
				t.Fatalf("this test does not know the size of %s", name)
			}
			if e.Neurons != want.neurons || e.Synapses < want.synapses*0.999 || e.Synapses > want.synapses*1.001 {
				t.Errorf("%d neurons and %g synapses, want %d and %g", e.Neurons, e.Synapses, want.neurons, want.synapses)
			}
			if !strings.HasPrefix(name, "bench/") && len(m.Records) == 0 {
				t.Error("a shipped model records nothing")
			}
			if strings.HasPrefix(name, "bench/") && len(m.Records) != 0 {
				t.Error("a bench network records something")
			}
		})
	}
}

// Every alternative that a model offers loads.
func TestChoices(t *testing.T) {
	for name, sets := range map[string][]string{
		"microcircuit":             {"input=dc", "scale=0.1", "scale=0.02"},
		"izhikevich2007":           {"semantics=daspnet", "semantics=exact", "task.arm=random", "task.arm=none"},
		"izhikevich2007-classical": {"semantics=daspnet", "semantics=exact"}, "izhikevich2007-instrumental": {"semantics=daspnet", "semantics=exact"},
		"izhikevich2007-shift": {"semantics=daspnet", "semantics=exact"},
		"song-abbott":          {"rule=additive", "rule=gutig", "rule=multiplicative"},
		"vogels2011":           {"eta=0", "rho_0=5"},
	} {
		text, _ := models.Text(name)
		for _, set := range sets {
			m, _, err := config.Parse([]byte(text), config.Options{Name: name + ".toml", Set: []string{set}})
			if err == nil {
				err = m.Check()
			}
			if err != nil {
				t.Errorf("%s --set %s: %v", name, set, err)
			}
		}
	}
}

// The bench networks are the shipped ones but for delays, records and duration.
func TestBenchIsShipped(t *testing.T) {
	for bench, of := range map[string]string{"coba": "coba", "cuba": "cuba", "cuba-delays": "cuba", "brunel": "brunel-ai"} {
		a, _ := models.Bench(bench)
		b, _ := models.Text(of)
		x, y := load(t, bench, a), load(t, of, b)
		for _, m := range []*network.Model{x, y} {
			m.Records, m.Simulation.Duration, m.Name = nil, 0, ""
			for k := range m.Projections {
				if bench != "brunel" {
					m.Projections[k].Dendritic = network.Value{}
				}
			}
		}
		if p, q := fmt.Sprintf("%+v", *x), fmt.Sprintf("%+v", *y); p != q {
			t.Errorf("bench %s is not %s:\n%s\n%s", bench, of, p, q)
		}
	}
}

func TestConnectome(t *testing.T) {
	text, _ := models.Text("celegans")
	if _, _, err := config.Parse([]byte(text), config.Options{Name: "celegans.toml"}); err == nil || !strings.Contains(err.Error(), "connectome") {
		t.Errorf("without a file: error %v, want one that names connectome", err)
	}
	m := load(t, "celegans", text)
	if n := m.Populations[0]; n.N != 448 || n.Names[0] != "ADAL" {
		t.Errorf("%d cells, the first %q", n.N, n.Names[0])
	}
	inhibitory := 0
	for _, e := range m.Projections[0].Edges {
		if e.Weight < 0 {
			inhibitory++
		}
	}
	// Counted by a script: chemical rows whose source is one of the 26 GABAergic neurons.
	if inhibitory != 273 {
		t.Errorf("%d inhibitory synapses, want 273", inhibitory)
	}
	if notes := strings.Join(m.Notes, "\n"); !strings.Contains(notes, "2698 left out") {
		t.Errorf("the 2698 other rows are not reported: %q", notes)
	}
}
