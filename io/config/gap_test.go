package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const gapText = `[simulation]
duration = "1 s"
[[population]]
name = "E"
n = 10
model = "iaf_psc_exp"
[[population]]
name = "in"
n = 10
model = "poisson"
params = { rate = 10 }
[[population]]
name = "R"
n = 10
model = "rate"
[[projection]]
name = "gap"
source = "E"
target = "E"
rule = "fixed_total_number"
total = 7
weight = "2.5 nS"
synapse = { model = "gap_junction" }
`

func TestGapJunctions(t *testing.T) {
	m, _, err := Parse([]byte(gapText), Options{Name: "m.toml"})
	if err != nil {
		t.Fatal(err)
	}
	if p := m.Projections[0]; p.Synapse != "gap_junction" || p.Weight.A != 2.5 || p.Dendritic.A != 0 || p.Dendritic.B != 0 {
		t.Errorf("%+v", p)
	}
	for _, c := range []struct{ from, to, want string }{
		{"weight = \"2.5 nS\"", "weight = -1", `m.toml:22:10: projection "gap": weight -1 nS, want a conductance that is not negative: give draws a min`},
		{"weight = \"2.5 nS\"", "weight = { normal = [1, 1] }", `m.toml:22:10: projection "gap": weight normal [1, 1] nS, want a conductance that is not negative: give draws a min`},
		{"weight = \"2.5 nS\"", "weight = \"3 pA\"", `m.toml:22:10: projection "gap": weight: `},
		{"total = 7\n", "total = 7\ndelay = 1.5\n", `m.toml:22:1: projection "gap": delay is given, but a gap junction has none: leave it out`},
		{"total = 7\n", "total = 7\naxonal_delay = 1.5\n", `m.toml:22:1: projection "gap": axonal_delay is given, but`},
		{"total = 7\n", "total = 7\nreceptor = \"ex\"\n", `m.toml:22:12: projection "gap": receptor: a gap junction joins membranes and takes no receptor: leave it out`},
		{"source = \"E\"", "source = \"in\"", `m.toml:18:10: projection "gap": gap junctions of population "in": model poisson has no membrane that a gap junction could join`},
		{"target = \"E\"", "target = \"R\"", `m.toml:19:10: projection "gap": gap junctions of population "R": model rate has no membrane that a gap junction could join`},
		{"target = \"E\"", "target = \"in\"", `m.toml:19:10: projection "gap": target: population "in" (poisson) is a source`},
		{"n = 10\nmodel = \"iaf_psc_exp\"", "n = 10\nmodel = \"iaf_cond_exp\"\nparams = { fixed_step = 0.1 }", `projection "gap": gap junctions of population "E": params.fixed_step: fixed_step is set`},
		{"n = 10\nmodel = \"iaf_psc_exp\"", "n = 10\nmodel = \"IntFire2\"", `model IntFire2 has no membrane`},
		{"\"gap_junction\" }", "\"gap_junction\", eta_local = 1 }", `m.toml:23:37: projection "gap": synapse: unknown key "eta_local"`},
		{"\"gap_junction\" }", "\"gap_junction\", symetric = true }", `did you mean "symmetric"?`},
		{"\"gap_junction\" }", "\"gap_junction\", preset = \"hmn-core\" }", `"hmn-core" belongs to model hmn, not gap_junction`},
		{"\"gap_junction\" }", "\"gap_junction\", release = { sites = 2, p = 0.5 } }", `m.toml:23:11: projection "gap": a gap junction passes no spikes`},
		{"\"2.5 nS\"", "\"1e6 uS\"", `m.toml:23:11: projection "gap": gap junctions of "E" `},
	} {
		if !strings.Contains(gapText, c.from) {
			t.Fatalf("no %q", c.from)
		}
		_, _, err := Parse([]byte(strings.Replace(gapText, c.from, c.to, 1)), Options{Name: "m.toml"})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.to, err, c.want)
		}
	}
}

// TestGapEdges reads gap junctions from a list that names them in both
// directions, and refuses what a list may not have.
func TestGapEdges(t *testing.T) {
	dir := t.TempDir()
	parse := func(rows, synapse string) (string, error) {
		if err := os.WriteFile(filepath.Join(dir, "e.csv"), []byte(rows), 0o666); err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(gapText, "rule = \"fixed_total_number\"\ntotal = 7\nweight = \"2.5 nS\"\n", "rule = \"edge_list\"\nedges_file = \"e.csv\"\nweight_unit = \"0.1 nS\"\n", 1)
		text = strings.Replace(text, "\"gap_junction\"", "\"gap_junction\""+synapse, 1)
		m, _, err := Parse([]byte(text), Options{Name: "m.toml", Dir: dir})
		if err != nil {
			return "", err
		}
		if w := m.Projections[0].Edges[0].Weight; w != 0.30000000000000004 {
			t.Errorf("weight %v", w)
		}
		return strings.Join(m.Notes, "\n"), nil
	}
	const rows = "source,target,weight\n0,1,3\n1,0,3\n2,3,4\n3,2,5\n5,6,1\n"
	if notes, err := parse(rows, ""); err != nil || !strings.Contains(notes, `2 pairs are named in both directions, and their conductances add up; with symmetric = true`) {
		t.Errorf("%q, %v", notes, err)
	}
	if notes, err := parse(rows, ", symmetric = true"); err != nil || !strings.Contains(notes, "2 gap junctions named in both directions, 1 of them with different weights, whose mean is taken; 1 named in one direction") {
		t.Errorf("%q, %v", notes, err)
	}
	for rows, want := range map[string]string{
		"source,target,weight\n0,1,3\n1,2,-3\n":           "e.csv:3: the weight is -0.3",
		"source,target,weight,axonal_delay_ms\n0,1,3,1\n": "has a delay column, but a gap junction has no delay",
	} {
		if _, err := parse(rows, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", rows, err, want)
		}
	}
}
