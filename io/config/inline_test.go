package config

import (
	_ "hmn/models/task" // shipped models name its tasks

	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
	"hmn/neuron"
	"hmn/synapse"
)

// replaced is base (bad_test.go) with pairs of old and new text.
func replaced(t *testing.T, pairs ...string) string {
	t.Helper()
	text := base
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the base has no %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// The pieces of base that the tests below replace.
const (
	baseTrain  = "n = 10\nmodel = \"poisson\"\nparams = { rate = 10 }"
	baseEnds   = "source = \"E\"\ntarget = \"E\""
	baseRule   = "rule = \"pairwise_bernoulli\"\np = 0.1"
	baseWeight = "weight = 20.0\n"
	baseDelay  = "delay = 1.5\n"
	baseSignal = "what = \"V_m\"\nof = \"E\"\nevery = 1\n"
	baseE      = "n = 10\nmodel = \"iaf_psc_exp\"\nparams = { tau_m = 20.0 }"
)

// refused checks that a model gives exactly one problem, with these words.
func refused(t *testing.T, text, want string, o Options) {
	t.Helper()
	o.Name = "m.toml"
	m, _, err := Parse([]byte(text), o)
	if m != nil || !errors.Is(err, ErrInput) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestShippedModels(t *testing.T) {
	files, err := filepath.Glob("../../models/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal("no models", err)
	}
	more, err := filepath.Glob("../../models/bench/*.toml")
	if err != nil || len(more) == 0 {
		t.Fatal("no bench networks", err)
	}
	for _, file := range append(files, more...) {
		name := strings.TrimSuffix(filepath.Base(file), ".toml")
		t.Run(name, func(t *testing.T) {
			o := Options{RequireDuration: true}
			if name == "celegans" {
				wiring, err := filepath.Abs("../../../shared/data/celegans/herm_full_edgelist.csv")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := os.Stat(wiring); err != nil {
					t.Skipf("the connectome is not there: %v", err)
				}
				o.Set = []string{"inputs.connectome=" + wiring}
			}
			m, _, err := Load(file, o)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Check(); err != nil {
				t.Error(err)
			}
			switch name { // the numbers stand in the models' heads
			case "celegans":
				if n := m.Populations[0].N; n != 448 || len(m.Projections[0].Edges) != 4681 || len(m.Projections[1].Edges) != 3 {
					t.Errorf("%d cells, %d and %d synapses, want 448, 4681 and 3", n, len(m.Projections[0].Edges), len(m.Projections[1].Edges))
				}
				if len(m.Notes) != 3 || !strings.HasSuffix(m.Notes[0], "2698 left out (Type = electrical)") ||
					!strings.HasSuffix(m.Notes[2], "1339 gap junctions named in both directions, 13 of them with different weights, whose mean is taken; 6 named in one direction") {
					t.Errorf("notes %q", m.Notes)
				}
			case "ring":
				if got := m.Populations[1].Trains; !reflect.DeepEqual(got, [][]event.Time{{0}}) {
					t.Errorf("times %v", got)
				}
				want := synapse.Edge{Source: 9, Target: 0, Weight: 20, Axonal: event.Millisecond, Dendritic: event.Millisecond / 2}
				if e := m.Projections[1].Edges; len(e) != 10 || e[9] != want {
					t.Errorf("edges %+v", e)
				}
			case "rate-fixed-point":
				want := synapse.Edge{Source: 2, Target: 1, Weight: 0.375, Axonal: event.Millisecond}
				if e := m.Projections[0].Edges; len(e) != 11 || e[3] != want {
					t.Errorf("edges %+v", e)
				}
			}
		})
	}
}

func TestTimes(t *testing.T) {
	with := func(keys string) string {
		return replaced(t, baseTrain, "n = 3\nmodel = \"spike_train\"\n"+keys)
	}
	m, _, err := Parse([]byte(with("times = [[3.5, 1, \"2000 us\"], [], [\n  1e-9, # one ps\n  0.0010000000004]]")), Options{Name: "m.toml"})
	if err != nil {
		t.Fatal(err)
	}
	ms := event.Millisecond
	want := [][]event.Time{{ms, 2 * ms, 7 * ms / 2}, nil, {1, event.Microsecond}}
	if got := m.Populations[3].Trains; !reflect.DeepEqual(got, want) {
		t.Errorf("times %v, want %v", got, want)
	}
	note := `m.toml:20:9: population "S": times: 1 times had more than 9 decimal places of a ms and were rounded to whole picoseconds`
	if !reflect.DeepEqual(m.Notes, []string{note}) {
		t.Errorf("notes %q, want %q", m.Notes, note)
	}
	// The file says the same.
	dir := folder(t, map[string]string{"t.csv": "neuron,time_ms\n0,3.5\n2,0.000000001\n0,1\n0,2\n2,0.0010000000004\n"})
	m, _, err = Parse([]byte(with("times_file = \"t.csv\"")), Options{Dir: dir})
	if err != nil || !reflect.DeepEqual(m.Populations[3].Trains, want) {
		t.Errorf("from a file: %v", err)
	}
	for keys, want := range map[string]string{
		"times = [[1], [2]]":          `m.toml:20:9: population "S": times: 2 lists, want one for each of the n = 3 neurons`,
		"times = [1, 2, 3]":           `m.toml:20:10: population "S": times: entry 0 is 1, want a list of times: [[t, …], …], one list per neuron`,
		"times = 1":                   `m.toml:20:9: population "S": times: 1, want a list`,
		"times = [[], [1, -0.5], []]": `m.toml:20:18: population "S": times: -0.5, want ≥ 0 ms`,
		"times = [[], [], [2, 1.5, \"1500.0000000001 us\"]]": `m.toml:20:27: population "S": times: neuron 2 spikes twice at 1.5 ms, want one spike at a time`,
		"times = [[1e10], [], []]":                           `m.toml:20:11: population "S": times: 1e10 is beyond the longest run, 106 days`,
		"times = [[\"2600 h\"], [], []]":                     `m.toml:20:11: population "S": times: the text "2600 h" is beyond the longest run, 106 days`,
		"times = [[\"1 mV\"], [], []]":                       `m.toml:20:11: population "S": times: "1 mV" has the unit "mV", want a number in ms, or a text with one of the units s, ms, us, ns, ps, min, h`,
		"times = [[nan], [], []]":                            `m.toml:20:11: population "S": times: nan, want a finite number`,
		"times = [[1], [], []]\ntimes_file = \"t.csv\"":      `m.toml:20:1: population "S": both times and times_file are given, want one of them`,
		"": `m.toml:16:1: population "S": needs the key "times" ([[t, …], …] in ms, one list per neuron) or "times_file"`,
	} {
		refused(t, with(keys), want, Options{Dir: dir})
	}
	refused(t, replaced(t, "params = { rate = 10 }", "params = { rate = 10 }\ntimes = [[1]]"),
		`m.toml:21:1: population "S": times belongs to model spike_train, not poisson`, Options{})
}

func TestEdges(t *testing.T) {
	dir := folder(t, map[string]string{"names": "ALML\nALMR\nAVM\n7\n", "e.csv": "source,target\n0,1\n"})
	with := func(keys string) string {
		return replaced(t, baseRule, "rule = \"edge_list\"\n"+keys, baseWeight, "", baseDelay, "", baseE, "names_file = \"names\"\nmodel = \"iaf_psc_exp\"")
	}
	ms := event.Millisecond
	draws := synapse.Edge{Source: 0, Target: 1, Axonal: network.FromProjection, Dendritic: ms}
	for _, c := range []struct {
		keys string
		want []synapse.Edge
	}{
		{"edges = [[0, 1], [\"AVM\", \"ALML\"], [2, \"3\"], [\"7\", 3]]\nweight = 2\ndelay = 1", []synapse.Edge{
			{Source: 0, Target: 1, Weight: 2, Dendritic: ms}, {Source: 2, Target: 0, Weight: 2, Dendritic: ms},
			{Source: 2, Target: 3, Weight: 2, Dendritic: ms}, {Source: 3, Target: 3, Weight: 2, Dendritic: ms}}},
		{"edges = [[0, 1, \"0.5 nA\"], [0, 2, -3]]\naxonal_delay = 1", []synapse.Edge{
			{Source: 0, Target: 1, Weight: 500, Axonal: ms}, {Source: 0, Target: 2, Weight: -3, Axonal: ms}}},
		{"edges = [[0, 1, 2, 1.0]]\ndendritic_delay = 2", []synapse.Edge{{Source: 0, Target: 1, Weight: 2, Axonal: ms, Dendritic: 2 * ms}}},
		{"edges = [[0, 1, 2, 1]]", []synapse.Edge{{Source: 0, Target: 1, Weight: 2, Axonal: ms}}},
		{"edges = [[0, 1, 2, 0, \"1000 us\"]]", []synapse.Edge{{Source: 0, Target: 1, Weight: 2, Dendritic: ms}}},
		{"edges = [[0, 1]]\nweight = { uniform = [1, 2] }\naxonal_delay = { uniform = [1, 2] }\ndendritic_delay = 1", []synapse.Edge{draws}},
		{"edges = [[\"ALML\", 1, 3], [2, 1, 3]]\nweight_unit = \"20 pA\"\ninhibitory_sources = [2]\ndelay = 1", []synapse.Edge{
			{Source: 0, Target: 1, Weight: 60, Dendritic: ms}, {Source: 2, Target: 1, Weight: -60, Dendritic: ms}}},
		{"edges = []\nweight = 1\ndelay = 1", nil},
	} {
		m, _, err := Parse([]byte(with(c.keys)), Options{Dir: dir})
		if err != nil {
			t.Errorf("%q: %v", c.keys, err)
			continue
		}
		got := m.Projections[0].Edges
		for i := range got {
			if math.IsNaN(got[i].Weight) && m.Projections[0].Weight.Form == network.Uniform {
				got[i].Weight = 0 // the mark for a draw; NaN is not equal to itself
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: edges %+v, want %+v", c.keys, got, c.want)
		}
	}
	const wd = "\nweight = 2\ndelay = 1"
	for keys, want := range map[string]string{
		"edges = [[0, 1], [0, \"ALMX\"]]" + wd:                                   `m.toml:25:22: projection "EE": edges: target: unknown neuron "ALMX" of population "E", did you mean "ALML"?`,
		"edges = [[0, 1],\n  [4, 0]]" + wd:                                       `m.toml:26:4: projection "EE": edges: source: neuron 4 of population "E", want 0 to 3`,
		"edges = [[0, 1],\n  [-1, 0]]" + wd:                                      `m.toml:26:4: projection "EE": edges: source: neuron -1 of population "E", want 0 to 3`,
		"edges = [[0, 1.5]]" + wd:                                                `m.toml:25:14: projection "EE": edges: target: 1.5, want the index or name of a neuron`,
		"edges = [[0, 1],\n  [0, 1, 2]]" + wd:                                    `m.toml:26:4: projection "EE": edges: row 1 has 3 entries, want 2 as in row 0`,
		"edges = [[0]]" + wd:                                                     `m.toml:25:11: projection "EE": edges: row 0 has 1 entries, want [source, target, weight, axonal_ms, dendritic_ms, phase], of which the last four may be left out`,
		"edges = [[0, 1, 2, 3, 4, 5, 6]]" + wd:                                   `m.toml:25:11: projection "EE": edges: row 0 has 7 entries, want [source, target, weight, axonal_ms, dendritic_ms, phase], of which the last four may be left out`,
		"edges = [0, 1]" + wd:                                                    `m.toml:25:10: projection "EE": edges: row 0 is 0, want [source, target, weight, axonal_ms, dendritic_ms, phase], of which the last four may be left out`,
		"edges = \"e.csv\"" + wd:                                                 `m.toml:25:9: projection "EE": edges: the text "e.csv", want a list`,
		"edges = [[0, 1]]\ndelay = 1":                                            `m.toml:20:1: projection "EE": needs the key "weight" (` + key("projection.weight").Doc + `)`,
		"edges = [[0, 1]]\nweight = 1":                                           `m.toml:20:1: projection "EE": needs the key "delay" (or axonal_delay and dendritic_delay)`,
		"edges = [[0, 1, 2]]" + wd:                                               `m.toml:26:1: projection "EE": weight is given, but edges has a weight column: leave one out`,
		"edges = [[0, 1, 2, 1]]\ndelay = 1":                                      `m.toml:26:1: projection "EE": delay is the sum of both sides, but edges has a delay column: give the other side by its name`,
		"edges = [[0, 1, 2, 1]]\naxonal_delay=1":                                 `m.toml:26:1: projection "EE": axonal_delay is given, but edges has its column: leave one out`,
		"edges = [[0, 1, 2, -1, 2]]":                                             `m.toml:25:20: projection "EE": edges: axonal_ms: -1, want ≥ 0 ms`,
		"edges = [[0, 1, 2, 0, 0]]":                                              `m.toml:25:11: projection "EE": edges: the total delay is 0 ms, want > 0 ms`,
		"edges = [[0, 1, 2, 0, 1e10]]":                                           `m.toml:25:23: projection "EE": edges: dendritic_ms: 1e10 is beyond the longest run, 106 days`,
		"edges = [[0, 1, 2, 9e9, 9e9]]":                                          `m.toml:25:11: projection "EE": edges: the total delay is beyond the longest run, 106 days`,
		"edges = [[0, 1, 1e10]]\ndelay = 1":                                      `m.toml:25:11: projection "EE": edges: weight: the weight is 1e+10 pA, want at most 1e9`,
		"edges = [[0, 1, \"2 mV\"]]\ndelay = 1":                                  `m.toml:25:17: projection "EE": edges: weight: "2 mV" has the unit "mV", want a number in pA, or a text with one of the units uA, nA, pA`,
		"edges = [[0, 1, \"2 pA\"]]\nweight_unit = 2\ndelay = 1":                 `m.toml:25:17: projection "EE": edges: weight: the text "2 pA", want a bare number`,
		"edges = [[0, 1]]\nweight_unit = 2" + wd:                                 `m.toml:26:1: projection "EE": weight_unit is given, but edges has no weight column`,
		"edges = [[0, 1, -2]]\ninhibitory_sources = [\"ALML\"]\ndelay = 1":       `m.toml:25:11: projection "EE": edges: the weight -2 of inhibitory source "ALML" is negative: inhibitory_sources already gives the sign, want ≥ 0`,
		"edges = [[0, 1]]\ninhibitory_sources = [4]" + wd:                        `m.toml:26:23: projection "EE": inhibitory_sources: neuron 4 of population "E", want 0 to 3`,
		"edges = [[0, 1], [2, 2]]\nautapses = false" + wd:                        `m.toml:25:19: projection "EE": edges: neuron "AVM" connects to itself, but autapses = false`,
		"edges = [[0, 1], [2, 2], [\"ALML\", \"ALMR\"]]\nmultapses = false" + wd: `m.toml:25:27: projection "EE": edges: neuron "ALML" is connected to "ALMR" twice (row 0), but multapses = false`,
		"edges = [[0, 1]]\nedges_file = \"e.csv\"" + wd:                          `m.toml:25:1: projection "EE": both edges and edges_file are given, want one of them`,
		"edges = [[0, 1]]\ncolumns = { source = \"S\" }" + wd:                    `m.toml:26:1: projection "EE": columns goes with edges_file, not with edges`,
		"edges = [[0, 1]]\nwhere = { Type = \"chemical\" }" + wd:                 `m.toml:26:1: projection "EE": where goes with edges_file, not with edges`,
		"edges = [[0, 1]]\nignore = [\"x\"]" + wd:                                `m.toml:26:1: projection "EE": ignore goes with edges_file, not with edges`,
		"weight = 1\ndelay = 1":                                                  `m.toml:20:1: projection "EE": needs the key "edges" ([[source, target, …], …]) or "edges_file"`,
	} {
		refused(t, with(keys), want, Options{Dir: dir})
	}
	refused(t, replaced(t, baseRule, baseRule+"\nedges = [[0, 1]]"), `m.toml:27:1: projection "EE": edges belongs to rule edge_list, not pairwise_bernoulli`, Options{})

	m, _, err := Parse([]byte(with("edges = [[0, 1, 2, 0.00000000012, 1]]")), Options{Dir: dir, Name: "m.toml"})
	note := `m.toml:25:9: projection "EE": edges: 1 times had more than 9 decimal places of a ms and were rounded to whole picoseconds`
	if err != nil || !reflect.DeepEqual(m.Notes, []string{note}) || m.Projections[0].Edges[0].Axonal != 0 {
		t.Errorf("%v, %+v, want the note %s", err, m, note)
	}
}

// outside makes a built-in model look like one registered from outside, whose
// registration a test could not take back.
func outside(t *testing.T, name string, states []quantity.Param) {
	t.Helper()
	m, ok := neuron.Lookup(name)
	if !ok {
		t.Fatal(name)
	}
	was := *m
	t.Cleanup(func() { *m = was })
	m.States = states
	m.New = func(quantity.Values, int) (neuron.Dynamics, error) { return nil, errors.New("not to be called") }
}

func TestLevelsOntoSpiking(t *testing.T) {
	level := func(model string) []string {
		return []string{baseTrain, "n = 10\nmodel = \"" + model + "\"", baseEnds, "source = \"S\"\ntarget = \"E\""}
	}
	// Rate units give a current to neurons of every model, in pA per unit of rate.
	for _, target := range []string{"E", "I"} {
		m, _, err := Parse([]byte(replaced(t, baseEnds, "source = \"R\"\ntarget = \""+target+"\"", baseWeight, "weight = \"2 nA\"\n")), Options{})
		if err != nil || m.Projections[0].Weight.A != 2000 {
			t.Errorf("rate units onto %s: %v", target, err)
		}
	}
	onto := []string{baseEnds, "source = \"R\"\ntarget = \"I\""}
	refused(t, replaced(t, append(onto, baseWeight, "weight = \"20 mV\"\n")...),
		`m.toml:27:10: projection "EE": weight: "20 mV" has the unit "mV", want a number in pA, or a text with one of the units uA, nA, pA`, Options{})
	refused(t, replaced(t, append(onto, baseDelay, "delay = 0\n")...),
		`m.toml:28:9: projection "EE": delay: the total delay is 0 ms, want > 0 ms (at least 1 ps)`, Options{})
	// A current source already sends pA: the weight is a factor.
	if _, _, err := Parse([]byte(replaced(t, level("step_current")...)), Options{}); err != nil {
		t.Error(err)
	}
	refused(t, replaced(t, append(level("step_current"), baseWeight, "weight = \"20 pA\"\n")...),
		`m.toml:26:10: projection "EE": weight: the text "20 pA", want a bare number`, Options{})
	refused(t, replaced(t, append(level("step_current"), baseDelay, "delay = 0\n")...),
		`m.toml:27:9: projection "EE": delay: the total delay is 0 ms, want > 0 ms (at least 1 ps)`, Options{})
	refused(t, replaced(t, level("step_rate")...),
		`m.toml:22:10: projection "EE": source: step_rate sends a level without unit, not a current: spiking neurons take step_current, ou_current and noise_current`, Options{})
	// Without delay only onto rate units.
	zero := replaced(t, append(level("step_rate")[:2], baseEnds, "source = \"S\"\ntarget = \"R\"", baseDelay, "delay = 0\n")...)
	if _, _, err := Parse([]byte(zero), Options{}); err != nil {
		t.Error(err)
	}

	outside(t, "iaf_psc_exp", nil)
	one := []string{"params = { tau_m = 20.0 }\n", "", baseSignal, "what = \"spikes\"\nof = \"E\"\n"}
	if _, _, err := Parse([]byte(replaced(t, append(one, baseEnds, "source = \"I\"\ntarget = \"E\"")...)), Options{}); err != nil {
		t.Errorf("spikes onto a model from outside: %v", err)
	}
	refused(t, replaced(t, append(one, baseEnds, "source = \"R\"\ntarget = \"E\"")...),
		`m.toml:22:10: projection "EE": source: population "R" (rate) sends levels, but population "E" (iaf_psc_exp) is of a model that receives spikes only`, Options{})
	refused(t, replaced(t, append(one, level("step_current")...)...),
		`m.toml:21:10: projection "EE": source: population "S" (step_current) sends levels, but population "E" (iaf_psc_exp) is of a model that receives spikes only`, Options{})
}

func TestRecordsOfModelsFromOutside(t *testing.T) {
	vm, _ := neuron.Lookup("iaf_psc_exp")
	state, _ := vm.State("V_m")
	current, _ := vm.State("I_syn_ex")
	isyn := replaced(t, baseSignal, "what = \"I_syn\"\nof = \"E\"\nevery = 1\n")
	outside(t, "iaf_psc_exp", []quantity.Param{state, current})
	if _, _, err := Parse([]byte(base), Options{}); err != nil {
		t.Error(err)
	}
	refused(t, isyn, `m.toml:31:6: record 0 (I_syn): of: population "E" (iaf_psc_exp) has no I_syn, want a population with synaptic currents (iaf_psc_exp, iaf_psc_alpha)`, Options{})
	vm.States = nil
	refused(t, base, `m.toml:31:6: record 0 (V_m): of: population "E" (iaf_psc_exp) has no V_m, want a spiking population with a membrane potential`, Options{})
}

func TestPlasticDelays(t *testing.T) {
	m, _ := synapse.Lookup("static")
	m.New = func(quantity.Values, *synapse.Rows) (synapse.Rule, error) {
		return nil, errors.New("not to be called")
	}
	t.Cleanup(func() { m.New = nil })
	dir := folder(t, map[string]string{
		"same.csv": "source,target,axonal_delay_ms\n0,1,0.5\n1,2,0.5\n",
		"diff.csv": "source,target,axonal_delay_ms\n0,1,0.5\n1,2,1\n",
	})
	list := func(keys string) string {
		return replaced(t, baseRule, "rule = \"edge_list\"\n"+keys, baseDelay, "dendritic_delay = 1\n")
	}
	for _, good := range []string{
		replaced(t, baseDelay, "axonal_delay = 1\ndendritic_delay = { uniform = [0, 1] }\n"),
		replaced(t, baseDelay, "axonal_delay = { uniform = [1, 1] }\n"),
		replaced(t, baseDelay, "dendritic_delay = 1\n"),
		list("edges_file = \"same.csv\""),
	} {
		d, _, err := Parse([]byte(good), Options{Dir: dir})
		if err != nil {
			t.Error(err)
		} else if p := d.Projections[0]; len(p.Edges) > 0 && !reflect.DeepEqual(p.Axonal, network.Value{A: 0.5}) {
			t.Errorf("axonal delay %+v, want that of all edges, 0.5 ms", p.Axonal)
		}
	}
	refused(t, base, `m.toml:28:1: projection "EE": delay is for static projections: a plastic one needs axonal_delay and dendritic_delay, because the synapse lies between them`, Options{})
	refused(t, replaced(t, baseDelay, "axonal_delay = { uniform = [1, 2] }\ndendritic_delay = 1\n"),
		`m.toml:28:16: projection "EE": axonal_delay: draws, want a constant: synapse model static needs one axonal delay for all synapses`, Options{})
	refused(t, list("edges_file = \"diff.csv\""),
		`diff.csv:3: axonal_delay_ms = 1 ms after 0.5 ms, want a constant: synapse model static needs one axonal delay for all synapses`, Options{Dir: dir})
	refused(t, strings.Replace(list("edges = [[0, 1, 3, 0.5],\n  [0, 1, 3, 1]]"), baseWeight, "", 1),
		`m.toml:27:4: projection "EE": edges: axonal_ms = 1 ms after 0.5 ms, want a constant: synapse model static needs one axonal delay for all synapses`, Options{})
}

func TestTooMany(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		b.WriteString("[simulation]\nduration = 1\n")
		for i := range n {
			fmt.Fprintf(&b, "[[population]]\nname = \"p%d\"\nn = 1\nmodel = \"rate\"\n", i)
		}
		return b.String()
	}
	refused(t, many(65537), `m.toml:262147:1: 65537 populations, want at most 65536`, Options{})
	if m, _, err := Parse([]byte(many(65536)), Options{}); err != nil || len(m.Populations) != 65536 {
		t.Errorf("65536 populations: %v", err)
	}
	for _, c := range []struct{ from, to, want string }{
		{"n = 10\nmodel = \"iaf", "n = 3000000000\nmodel = \"iaf", `m.toml:5:5: population "E": n: 3000000000 neurons would take at least 179 GiB, want an integer from 1 to 2147483648`},
		{"n = 10\nmodel = \"iaf", "n = 9000000000000000000\nmodel = \"iaf", `m.toml:5:5: population "E": n: 9000000000000000000 neurons would take at least 500 EiB, want an integer from 1 to 2147483648`},
		{baseRule, "rule = \"fixed_indegree\"\ndegree = 3000000000", `m.toml:26:10: projection "EE": degree: 3000000000 synapses per neuron would take at least 168 GiB, want an integer from 0 to 2147483648`},
		{baseRule, "rule = \"fixed_total_number\"\ntotal = 1000000000000000000", `m.toml:26:9: projection "EE": total: 1000000000000000000 synapses would take at least 5.2 EiB, want an integer from 0 to 9007199254740992`},
		{"params = { rate = 10 }", "params = { rate = 10 }\npositions = { grid = [3000000000, 1], extent = [1, 1] }", `m.toml:21:23: population "S": positions: grid: 3000000000, want an integer from 1 to 2147483648`},
		{"n = 10\nmodel = \"poisson\"", "n = 2000000000\npositions = { uniform = [1, 1] }\nmodel = \"poisson\"", `m.toml:19:13: population "S": positions: 2000000000 entries would take 44.7 GiB, want at most 8 GiB`},
	} {
		refused(t, replaced(t, c.from, c.to), c.want, Options{})
	}
	full := replaced(t, "n = 10\nmodel = \"iaf", "n = 2147483648\nmodel = \"iaf", "n = 5\nmodel = \"iaf", "n = 2147483648\nmodel = \"iaf")
	refused(t, full, `m.toml:8:1: population "I": with it the model has 4294967296 neurons, at least 256 GiB, want at most 4294967295 in all populations`, Options{})
}

func TestBeyondLongestRun(t *testing.T) {
	const late = "is beyond the longest run, 106 days"
	dir := folder(t, map[string]string{
		"t.csv": "neuron,time_ms\n0,1e10\n",
		"u.csv": "neuron,time_ms\n0,1e999\n",
		"r.csv": "time_ms,rate_hz\n99999999999,1\n",
		"e.csv": "source,target,axonal_delay_ms\n0,1,1e10\n",
	})
	train := func(s string) []string { return []string{"model = \"poisson\"\nparams = { rate = 10 }", s} }
	for _, c := range []struct {
		change []string
		want   string
	}{
		{[]string{"duration = \"1 s\"", "duration = \"107e5 s\""}, `m.toml:2:12: simulation: duration: the text "107e5 s" ` + late},
		{[]string{"duration = \"1 s\"", "duration = \"1 s\"\nlookahead_max = 1e10"}, `m.toml:3:17: simulation: lookahead_max: 1e10 ` + late},
		{[]string{"[simulation]", "[guard]\nsilence = \"3000 h\"\n[simulation]"}, `m.toml:2:11: guard: silence: the text "3000 h" ` + late},
		{[]string{"[simulation]", "[guard]\nwindow = \"1e300 s\"\n[simulation]"}, `m.toml:2:10: guard: window: the text "1e300 s" ` + late},
		{[]string{"every = 1", "every = \"1e999 ms\""}, `m.toml:32:9: record 0 (V_m): every: the text "1e999 ms" ` + late},
		{[]string{"tau_m = 20.0", "tau_m = 1e10"}, `m.toml:7:20: population "E": params: tau_m: 1e10 ` + late},
		{[]string{baseDelay, "delay = 1e10\n"}, `m.toml:28:9: projection "EE": delay: 1e10 ` + late},
		{[]string{baseDelay, "delay = { uniform = [1, 1e10] }\n"}, `m.toml:28:25: projection "EE": delay: uniform: 1e10 ` + late},
		{[]string{baseDelay, "delay = { normal = [1e10, 1], min = 1 }\n"}, `m.toml:28:21: projection "EE": delay: normal: 1e10 ` + late},
		{[]string{baseDelay, "delay = { normal = [1, 1], min = 1, max = \"1e8 s\" }\n"}, `m.toml:28:43: projection "EE": delay: max: the text "1e8 s" ` + late},
		{[]string{baseDelay, "delay = { lognormal = [30, 1], min = 1 }\n"}, `m.toml:28:23: projection "EE": delay: lognormal: the median, exp(30) = 1.07e+13 ms, ` + late},
		{[]string{baseDelay, "axonal_delay = 9e9\ndendritic_delay = { uniform = [1, 9e9] }\n"}, `m.toml:29:19: projection "EE": dendritic_delay: the total delay ` + late},
		{train("model = \"poisson\"\nparams = { rate_steps = [[0, 1], [1e10, 2]] }"), `m.toml:20:35: population "S": params: rate_steps: 1e10 ` + late},
		{train("model = \"poisson\"\nparams = { rates_file = \"r.csv\" }"), `r.csv:2: time_ms = 99999999999 ` + late},
		{train("model = \"spike_train\"\ntimes_file = \"t.csv\""), `t.csv:2: time_ms = 1e10 ` + late},
		{train("model = \"spike_train\"\ntimes_file = \"u.csv\""), `u.csv:2: time_ms = 1e999 ` + late},
		{[]string{baseRule, "rule = \"edge_list\"\nedges_file = \"e.csv\"", baseDelay, ""}, `e.csv:2: axonal_delay_ms = 1e10 ` + late},
	} {
		refused(t, replaced(t, c.change...), c.want, Options{Dir: dir})
	}
	refused(t, base, `--set simulation.duration=2600 h: simulation: duration: the text "2600 h" `+late, Options{Set: []string{"simulation.duration=2600 h"}})
	// Just within.
	if _, _, err := Parse([]byte(base), Options{Set: []string{"simulation.duration=2562 h"}}); err != nil {
		t.Error(err)
	}
}

func TestUnitsInAModel(t *testing.T) {
	text := replaced(t, "tau_m = 20.0", "C_m = \"250 pF\", tau_m = \"0.5s\", t_ref = \"500us\"", "rate = 10", "rate = \"8 Hz\"", baseDelay, "delay = \"1.5 ms\"\n")
	m, _, err := Parse([]byte(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	e, s := m.Populations[0].Params, m.Populations[3].Params
	if e["C_m"].Number != 250 || e["tau_m"].Number != 500 || e["t_ref"].Number != 0.5 || s["rate"].Number != 8 || m.Projections[0].Dendritic.A != 1.5 {
		t.Errorf("E %v, S %v, delay %v", e, s, m.Projections[0].Dendritic)
	}
}
