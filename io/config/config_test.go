package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
	"hmn/synapse"
)

// full has most keys of a model file at once.
const full = `[simulation]
duration = "10 s"
seed = 1
engine = "event"
lookahead_max = "1.5 ms"
[inputs]
connectome = ""
[guard]
max_rate_hz = 500.0
silence = "0 s"
window = "100 ms"

[[population]]
name = "E"
n = 4
model = "iaf_psc_exp"
params = { C_m = 250.0, tau_m = 20.0, E_L = -49.0, V_th = -50.0, V_reset = -60.0, t_ref = 5.0, tau_syn_ex = 5.0, tau_syn_in = 10.0, I_e = 0.0 }
init = { V_m = { uniform = [-60.0, -50.0] } }
positions = { csv = "pos.csv" }
names_file = "names.csv"
expected_rate_hz = 5.6

[[population]]
name = "in"
n = 2
model = "spike_train"
times_file = "times.csv"

[[population]]
name = "noise"
n = 4
model = "poisson"
params = { rate = "800 Hz" }

[[projection]]
name = "EE"
source = "E"
target = "E"
rule = "pairwise_bernoulli"
p = 0.02
autapses = false
multapses = false
weight = { normal = [20.25, 1.0], min = 0.0 }
delay = "1.5 ms"
receptor = "ex"
synapse = { model = "static" }

[[projection]]
name = "list"
source = "in"
target = "E"
rule = "edge_list"
edges_file = "edges.csv"
columns = { source = "Source", target = "Target", weight = "Weight" }
where = { Type = "chemical" }
delay = "1.5 ms"

[[record]]
what = "V_m"
of = "E"
subset = "0:2"
every = "1 ms"

[[record]]
what = "spikes"
of = "in"
`

// folder writes files and returns where they are.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func fullFiles() map[string]string {
	return map[string]string{
		"pos.csv":   "x,y\n0,0\n1,0\n0,1\n1,1\n",
		"names.csv": "ALML\r\n ALMR \r\nAVM\r\nPLM\r\n",
		"times.csv": "\ufeffneuron,time_ms\r\n1,3.5\r\n0,1\r\n1,2.0000000001\r\n",
		"edges.csv": "Source,Target,Weight,Type\n0,ALML,3,chemical\n1,3,2.5,chemical\n0,AVM,1,electrical\n",
	}
}

func TestFullExample(t *testing.T) {
	dir := folder(t, fullFiles())
	path := filepath.Join(dir, "full.toml")
	if err := os.WriteFile(path, []byte(full), 0o644); err != nil {
		t.Fatal(err)
	}
	m, src, err := Load(path, Options{RequireDuration: true})
	if err != nil {
		t.Fatal(err)
	}
	num := func(x float64) quantity.Value { return quantity.Value{Number: x} }
	ms := event.Millisecond
	want := &network.Model{
		Name:       "full",
		Simulation: network.Simulation{Duration: 10 * event.Second, Seed: 1, LookaheadMax: 3 * ms / 2},
		Guard:      network.Guard{MaxRateHz: 500, Window: 100 * ms},
		Populations: []network.Population{
			{Name: "E", N: 4, Model: "iaf_psc_exp",
				Params: quantity.Values{"C_m": num(250), "tau_m": num(20), "E_L": num(-49), "V_th": num(-50), "V_reset": num(-60),
					"t_ref": num(5), "tau_syn_ex": num(5), "tau_syn_in": num(10), "I_e": num(0)},
				Init:      map[string]network.Value{"V_m": {Form: network.Uniform, A: -60, B: -50}},
				Positions: [][3]float64{{0, 0}, {1, 0}, {0, 1}, {1, 1}}, Dim: 2,
				Names: []string{"ALML", "ALMR", "AVM", "PLM"}, ExpectedRateHz: 5.6},
			{Name: "in", N: 2, Model: "spike_train", Trains: [][]event.Time{{ms}, {2 * ms, 3500 * event.Microsecond}}},
			{Name: "noise", N: 4, Model: "poisson", Params: quantity.Values{"rate": num(800)}},
		},
		Projections: []network.Projection{
			{Name: "EE", Source: "E", Target: "E", Rule: network.PairwiseBernoulli, P: 0.02,
				Weight:    network.Value{Form: network.Normal, A: 20.25, B: 1, HasMin: true},
				Dendritic: network.Value{A: 1.5}, Receptor: "ex", Synapse: "static"},
			{Name: "list", Source: "in", Target: "E", Rule: network.EdgeList, Autapses: true, Multapses: true,
				Dendritic: network.Value{A: 1.5}, Synapse: "static",
				Edges: []synapse.Edge{{Source: 0, Target: 0, Weight: 3, Dendritic: 3 * ms / 2}, {Source: 1, Target: 3, Weight: 2.5, Dendritic: 3 * ms / 2}}},
		},
		Records: []network.Record{{What: "V_m", Of: "E", Subset: []int{0, 1}, Every: ms}, {What: "spikes", Of: "in"}},
		Notes: []string{
			"times.csv: 1 times had more than 9 decimal places of a ms and were rounded to whole picoseconds",
			`projection "list": 2 of 3 rows of edges.csv kept by where; 1 left out (Type = electrical)`,
		},
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got\n%+v\nwant\n%+v", m, want)
	}
	if len(src.Files) != 4 || len(src.SHA256) != 64 || string(src.Text) != full {
		t.Errorf("source = %+v", src)
	}

	// The hash covers the text, the overrides and the files.
	sum := func(set ...string) string {
		_, s, err := Load(path, Options{Set: set})
		if err != nil {
			t.Fatal(err)
		}
		return s.SHA256
	}
	if sum() != src.SHA256 {
		t.Error("the hash of the same input differs")
	}
	if sum("simulation.seed=2") == src.SHA256 {
		t.Error("the hash does not cover overrides")
	}
	if err := os.WriteFile(filepath.Join(dir, "pos.csv"), []byte("x,y\n0,0\n1,0\n0,1\n1,2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if sum() == src.SHA256 {
		t.Error("the hash does not cover files")
	}
}

func TestStarter(t *testing.T) {
	m, _, err := Parse([]byte(Starter()), Options{RequireDuration: true})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range m.Populations {
		if p.Model == "iaf_psc_exp" {
			n += p.N
		}
	}
	if n != 1000 || len(m.Projections) != 6 || len(m.Records) != 3 || len(m.Records[2].Subset) != 3 {
		t.Errorf("%d neurons, %d projections, records %+v", n, len(m.Projections), m.Records)
	}
}

const small = `[simulation]
duration = "1 s"
[[population]]
name = "E"
n = 100
model = "iaf_psc_exp"
[[population]]
name = "noise"
n = 100
model = "poisson"
params = { rate = 800 }
[[projection]]
name = "EE"
source = "E"
target = "E"
rule = "fixed_indegree"
degree = 10
weight = 20
delay = 1.5
[[record]]
what = "V_m"
of = "E"
every = 1
`

func TestOverrides(t *testing.T) {
	_, _, err := Parse([]byte(small), Options{Set: []string{"projection.EE.weight.uniform=[1, 2]"}})
	if err == nil || !strings.Contains(err.Error(), "--set projection.EE.weight.uniform=[1, 2]: projection.EE.weight: 20 has no keys below it") {
		t.Fatalf("setting a key below a number: %v", err)
	}
	m, _, err := Parse([]byte(small), Options{Set: []string{
		"simulation.seed=3",
		"simulation.duration = 250 ms",
		"population.E.params.tau_m=15 ms",
		"population.0.n=50",
		"population.noise.params={ rate_steps = [[0, 100], [\"1 s\", \"1 kHz\"]] }",
		"projection.EE.weight={ uniform = [1, 2] }",
		"projection.EE.weight.max=1.5",
		"record.0.sample=5",
		"guard.max_rate_hz=1 kHz",
	}})
	if err != nil {
		t.Fatal(err)
	}
	e := m.Populations[0]
	if m.Simulation.Seed != 3 || m.Simulation.Duration != 250*event.Millisecond || e.Params["tau_m"].Number != 15 || e.N != 50 || m.Guard.MaxRateHz != 1000 {
		t.Errorf("%+v", m)
	}
	if got := m.Populations[1].Params["rate_steps"].Steps; !reflect.DeepEqual(got, [][2]float64{{0, 100}, {1000, 1000}}) {
		t.Errorf("steps %v", got)
	}
	if w := m.Projections[0].Weight; !reflect.DeepEqual(w, network.Value{Form: network.Uniform, A: 1, B: 2, Max: 1.5, HasMax: true}) {
		t.Errorf("weight %+v", w)
	}
	sub := m.Records[0].Subset
	if len(sub) != 5 || sub[4] >= 50 {
		t.Errorf("sample %v", sub)
	}
	again, _, _ := Parse([]byte(small), Options{Set: []string{"simulation.seed=3", "population.E.n=50", "record.0.sample=5"}})
	if !reflect.DeepEqual(again.Records[0].Subset, sub) {
		t.Errorf("the sample is not a function of seed and population: %v, %v", sub, again.Records[0].Subset)
	}
	other, _, _ := Parse([]byte(small), Options{Set: []string{"simulation.seed=4", "population.E.n=50", "record.0.sample=5"}})
	if reflect.DeepEqual(other.Records[0].Subset, sub) {
		t.Errorf("another seed, the same sample %v", sub)
	}
}

func TestCelegansList(t *testing.T) {
	dir := folder(t, map[string]string{
		"herm.csv": "Source,Target,Weight,Type,Ref\r\n\" AVM\",ALML,3,chemical,a\r\nDD01,AVM,2,chemical,\"b, \"\"c\"\"\"\r\nALML,ALMR,1,electrical,\r\n",
	})
	text := `[simulation]
duration = 1000
[inputs]
connectome = ""
[[population]]
name = "C"
model = "iaf_psc_exp"
names_from = "$connectome"
[[projection]]
name = "chem"
source = "C"
target = "C"
rule = "edge_list"
edges_file = "$connectome"
columns = { source = "Source", target = "Target", weight = "Weight" }
where = { Type = "chemical" }
ignore = ["Ref"]
weight_unit = "20 pA"
inhibitory_sources = ["DD01"]
delay = "1 ms"
[[record]]
what = "V_m"
of = "C"
every = 1
subset = ["AVM", "ALML"]
`
	m, _, err := Parse([]byte(text), Options{Dir: dir, Set: []string{"inputs.connectome=herm.csv"}})
	if err != nil {
		t.Fatal(err)
	}
	p := m.Populations[0]
	if p.N != 4 || !reflect.DeepEqual(p.Names, []string{"ALML", "ALMR", "AVM", "DD01"}) {
		t.Errorf("population %+v", p)
	}
	ms := event.Millisecond
	want := []synapse.Edge{{Source: 2, Target: 0, Weight: 60, Dendritic: ms}, {Source: 3, Target: 2, Weight: -40, Dendritic: ms}}
	if got := m.Projections[0].Edges; !reflect.DeepEqual(got, want) {
		t.Errorf("edges %+v, want %+v", got, want)
	}
	if !reflect.DeepEqual(m.Records[0].Subset, []int{0, 2}) {
		t.Errorf("subset %v", m.Records[0].Subset)
	}
	if want := []string{`projection "chem": 2 of 3 rows of herm.csv kept by where; 1 left out (Type = electrical)`}; !reflect.DeepEqual(m.Notes, want) {
		t.Errorf("notes %q", m.Notes)
	}
	_, _, err = Parse([]byte(text), Options{Dir: dir, Name: "c.toml"})
	if want := "c.toml:4:14: inputs.connectome is empty: give it with --set inputs.connectome=FILE"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		text, unit string
		want       float64
		dec        string
	}{
		{"1.5 ms", "ms", 1.5, "1.5"}, {"0.29 s", "ms", 290, "0290"}, {"100us", "ms", 0.1, "0.100"}, {"3 µs", "ms", 0.003, "0.003"},
		{"7 ps", "ms", 7e-9, "0.000000007"}, {"1.5e3 ms", "ms", 1500, "1500"}, {"2 min", "ms", 120000, "120000"},
		{"-70 mV", "mV", -70, "-70"}, {"-0.07 V", "mV", -70, "-0070"}, {"5 uV", "mV", 0.005, "0.005"},
		{"0.25 nF", "pF", 250, "0250"}, {"1 uS", "nS", 1000, "1000"}, {"1.2 nA", "pA", 1200, "1200"},
		{"0.8 kHz", "Hz", 800, "0800"}, {"0.5 1/ms", "Hz", 500, "0500"}, {"20 Hz", "Hz", 20, "20"},
		{"250 pF", "pF", 250, "250"}, {"8 Hz", "Hz", 8, "8"}, {"1.5 ms", "ms", 1.5, "1.5"}, {"0.5s", "ms", 500, "0500"}, {"500us", "ms", 0.5, "0.500"},
		{"180 deg", "rad", 3.141592653589793, "3.141592653589793"}, {"5 1/s", "1/ms", 0.005, "0.005"},
	} {
		x, dec, err := parseQuantity(c.text, c.unit)
		if err != nil || x != c.want || dec != c.dec {
			t.Errorf("%q in %s: %v %q %v, want %v %q", c.text, c.unit, x, dec, err, c.want, c.dec)
		}
	}
	for text, want := range map[string]string{
		"1.5 mV":   `"1.5 mV" has the unit "mV", want a number in ms, or a text with one of the units s, ms, us, ns, ps, min, h`,
		"1.5":      `the text "1.5" has no unit`,
		"fast":     `the text "fast", want a number`,
		"":         `the text "", want a number`,
		"e3 ms":    `the text "e3 ms"`,
		"1e999 ms": `the text "1e999 ms" is beyond the longest run, 106 days`,
	} {
		if _, _, err := parseQuantity(text, "ms"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestAcceptedShare(t *testing.T) {
	n := network.Value{Form: network.Normal, A: 1.5, B: 0.75, HasMin: true, Min: 0.1}
	// Φ((1.5 − 0.1)/0.75) from a table of the normal distribution.
	if got := accepted(n); got < 0.9690 || got > 0.9691 {
		t.Errorf("accepted %v, want 0.96903", got)
	}
	n.HasMax, n.Max = true, 0.1
	if got := accepted(n); got != 0 {
		t.Errorf("a point: accepted %v, want 0", got)
	}
}

func TestReadEdgesFromProjection(t *testing.T) {
	dir := folder(t, map[string]string{"e.csv": "source,target\n0,1\n1,0\n"})
	text := strings.Replace(small, "rule = \"fixed_indegree\"\ndegree = 10\nweight = 20\ndelay = 1.5", `rule = "edge_list"
edges_file = "e.csv"
weight = { uniform = [1, 2] }
axonal_delay = { uniform = [1, 2] }`, 1)
	m, _, err := Parse([]byte(text), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range m.Projections[0].Edges {
		if e.Weight == e.Weight || e.Axonal != network.FromProjection || e.Dendritic != 0 {
			t.Errorf("edge %+v, want a weight NaN and an axonal delay to be drawn", e)
		}
	}
}

func TestPositions(t *testing.T) {
	with := func(s string) string {
		return strings.Replace(small, "n = 100\nmodel = \"iaf_psc_exp\"", "n = 6\nmodel = \"iaf_psc_exp\"\npositions = "+s, 1)
	}
	m, _, err := Parse([]byte(with("{ grid = [3, 2], extent = [3, 4] }")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Populations[0].Positions; got[0] != [3]float64{0.5, 1} || got[1] != [3]float64{1.5, 1} || got[5] != [3]float64{2.5, 3} || m.Populations[0].Dim != 2 {
		t.Errorf("grid %v", got)
	}
	m, _, err = Parse([]byte(with("{ uniform = [1, 2, 3] }")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	m2, _, _ := Parse([]byte(strings.Replace(with("{ uniform = [1, 2, 3] }"), "n = 6", "n = 3", 1)), Options{})
	if a, b := m.Populations[0].Positions, m2.Populations[0].Positions; !reflect.DeepEqual(a[:3], b) || m.Populations[0].Dim != 3 || a[0] == a[1] {
		t.Errorf("uniform %v, %v", a, b)
	}
}

func TestLoadMissing(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "no.toml"), t.TempDir()} {
		if _, _, err := Load(path, Options{}); !errors.Is(err, ErrInput) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("Load(%s) = %v", path, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(small))
	f.Add([]byte(Starter()))
	f.Add([]byte(plastic))
	f.Add([]byte(offers))
	f.Add([]byte(plastic + "[meta]\nperiod=\"50 trials\"\nalpha_local=0.1\n[task]\nname=\"test_task\"\narms=3\n"))
	f.Add([]byte("population = [[1], {}]\nrecord = {a=1}\n"))
	f.Add([]byte("[[population]]\nname=\"a\"\nn=9\nmodel=\"rate\"\nparams={b=[1,nan],f=\"relu\"}\n"))
	f.Add([]byte("[[population]]\nname=\"a\"\nn=2\nmodel=\"spike_train\"\ntimes=[[1,\"2 ms\"],[]]\n[[population]]\nname=\"b\"\nn=2\nmodel=\"iaf_psc_exp\"\n" +
		"[[projection]]\nname=\"p\"\nsource=\"a\"\ntarget=\"b\"\nrule=\"edge_list\"\nedges=[[0,1,2,0.5],[1,\"0\",3,1]]\nmultapses=false\n"))
	dir := folder(f, fullFiles())
	f.Fuzz(func(t *testing.T, text []byte) {
		m, s, err := Parse(text, Options{Dir: dir, MaxBytes: 1 << 20, Set: []string{"population.E.n=4"}})
		if (err == nil) != (m != nil && s != nil) {
			t.Fatalf("model %v, error %v", m, err)
		}
		if err != nil && !errors.Is(err, ErrInput) {
			t.Fatalf("%v does not wrap ErrInput", err)
		}
		if err != nil && err.Error() == "" {
			t.Fatal("an error without text")
		}
	})
}

func FuzzOverride(f *testing.F) {
	for _, s := range []string{"population.E.n=3", "a=b", "=", "population.=1", "record.0={}", "projection.EE.weight.min=1", "population.0.params.tau_m.x=[1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, set string) {
		m, _, err := Parse([]byte(small), Options{MaxBytes: 1 << 20, Dir: "/nonexistent", Set: []string{set}})
		if (err == nil) != (m != nil) {
			t.Fatalf("model %v, error %v", m, err)
		}
	})
}

func FuzzEdges(f *testing.F) {
	f.Add([]byte("source,target,weight\n0,1,2\n"))
	f.Add([]byte("source,target,\"weight\"\n\"0\",1,\"2\"\"\"\n"))
	text := []byte(strings.Replace(small, "rule = \"fixed_indegree\"\ndegree = 10\nweight = 20\n", "rule = \"edge_list\"\nedges_file = \"e.csv\"\n", 1))
	f.Fuzz(func(t *testing.T, edges []byte) {
		dir := folder(t, map[string]string{"e.csv": string(edges)})
		m, _, err := Parse(text, Options{Dir: dir})
		if (err == nil) != (m != nil) {
			t.Fatalf("model %v, error %v", m, err)
		}
	})
}
