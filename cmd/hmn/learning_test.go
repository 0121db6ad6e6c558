package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hmn/event"
	"hmn/io/rundir"
	"hmn/io/spikelog"
	"hmn/network"
)

// lessonRun writes a run directory of 20 s that looks as if 30 synapses had
// learned at 8 Hz for 400 trials: reward pulses, decaying traces, and accepted
// updates that grow towards the end. It returns the candidates.
func lessonRun(t *testing.T, dir string, sampled bool) []network.Candidate {
	t.Helper()
	const n, T, end = 30, 125 * event.Millisecond, 20 * event.Second
	man := rundir.Manifest{ModelName: "lesson", ModelSHA256: "0", Seed: 3, DurationMS: rundir.MS(end)}
	d, err := rundir.Create(dir, false, man)
	if err != nil {
		t.Fatal(err)
	}
	meta := spikelog.Meta{
		Populations: []spikelog.Population{{Name: "E", N: 40}, {Name: "out", FirstID: 40, N: 2}},
		Projections: []spikelog.Projection{{Name: "noise", Source: "E", Target: "E"}, {Name: "plastic", Source: "E", Target: "out", Updates: true, Candidates: true}},
		Modulators:  []string{"reward", "novelty"},
	}
	var list []spikelog.Synapse
	for i := range n {
		list = append(list, spikelog.Synapse{Source: uint32(i), Target: uint32(i % 2)})
	}
	some := []spikelog.Synapse{list[3], list[4], list[7], list[20]}
	signal := func(record int, what, of, unit string, every event.Time, syn []spikelog.Synapse, columns ...string) {
		meta.Signals = append(meta.Signals, spikelog.Signal{Record: record, What: what, Of: of, Unit: unit, N: max(len(syn), len(columns)), Every: every, Synapses: syn, Columns: columns})
	}
	if sampled {
		signal(2, network.RecordWeight, "plastic", "pA", 100*event.Millisecond, some)
		signal(3, network.RecordEligibility, "plastic", "1", 5*event.Millisecond, some)
		signal(4, network.RecordGate, "plastic", "1", 2*event.Millisecond, some)
		signal(5, network.RecordModulator, "reward", "1", 5*event.Millisecond, nil, "reward")
		signal(6, network.RecordModulator, "novelty", "1", 5*event.Millisecond, nil, "novelty")
		signal(7, network.RecordGPrime, "plastic", "1", 5*event.Millisecond, nil, "G_prime")
		signal(8, network.RecordGamma, "plastic", "1", 5*event.Millisecond, nil, "reward", "novelty")
		signal(9, network.RecordEta, "plastic", "pA/ms", event.Second, nil, "eta_local", "eta_global")
		signal(10, network.RecordTrials, "bandit", "", 0, nil, "choice", "reward")
		signal(11, network.RecordAlpha, "plastic", "1", 20*event.Millisecond, some)
	}
	w, err := spikelog.Create(d.Path(rundir.RecordName), meta)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 9))
	weight := make([]float64, n)
	for i := range weight {
		weight[i] = 5
	}
	var cs []network.Candidate
	var us []network.WeightUpdate
	var at []event.Time // of the weights below
	var weights [][]float64
	for k := int64(0); event.Time(k)*T+T/4 <= end; k++ {
		for i, s := range list {
			c := network.Candidate{Synapse: network.SynapseID{Projection: 1, Source: s.Source, Target: s.Target}, K: k, Open: max(0, event.Time(k)*T-T/4), Close: event.Time(k)*T + T/4}
			if c.Value = 0.2*rng.NormFloat64() + 0.05*float64(i%5-1); i%6 == 5 {
				c.Value, c.P, c.U = 0, math.NaN(), math.NaN()
			} else {
				c.P, c.U = 0.02+0.04*float64(i%5), rng.Float64()
			}
			if c.Applied = c.U < c.P; c.Applied {
				c.DW = min(10, max(0, weight[i]+c.Value)) - weight[i]
				weight[i] += c.DW
				us = append(us, network.WeightUpdate{At: c.Close, Synapse: c.Synapse, K: k, DW: c.DW})
			}
			cs = append(cs, c)
		}
		at = append(at, event.Time(k)*T+T/4)
		weights = append(weights, slices.Clone(weight))
	}
	if err := errors.Join(w.WriteCandidates(cs), w.WriteUpdates(us)); err != nil {
		t.Fatal(err)
	}
	if sampled {
		row := make([]float64, 4)
		put := func(record int, t event.Time, v ...float64) { err = errors.Join(err, w.WriteSamples(record, t, v)) }
		for x := event.Time(0); x < end; x += 100 * event.Millisecond {
			i, _ := slices.BinarySearch(at, x)
			for j, s := range some {
				if row[j] = 5; i > 0 {
					row[j] = weights[i-1][s.Source]
				}
			}
			put(2, x, row...)
		}
		e, m := make([]float64, 4), []float64{0, 0}
		for x := event.Time(0); x < end; x += 5 * event.Millisecond {
			for j := range e {
				if e[j] *= math.Exp(-5. / 400); rng.IntN(120) == 0 {
					e[j] += rng.NormFloat64() + 0.5
				}
			}
			m[0] *= math.Exp(-5. / 200)
			m[1] *= math.Exp(-5. / 500)
			if x%(50*event.Millisecond) == 0 && rng.IntN(6) == 0 {
				m[0] += rng.Float64() - 0.2
			}
			if x%(4*event.Second) == 0 {
				m[1] += 0.5
			}
			put(3, x, e...)
			put(5, x, m[0])
			put(6, x, m[1])
			g := 1 / (1 + math.Exp(-5*(m[0]-m[1])))
			put(7, x, 2*(g*m[0]+(1-g)*0.2*m[1]))
			put(8, x, g, 1-g)
			if x%(20*event.Millisecond) == 0 {
				put(11, x, 0.2+0.1*math.Tanh(e[0]), 0.3, 0.25, 0.25-0.1*math.Tanh(e[0]))
			}
		}
		for x := event.Time(0); x < end; x += 2 * event.Millisecond {
			for j := range row {
				row[j] = math.Pi * math.Max(0, math.Cos(2*math.Pi*x.MS()/125-float64(j)*math.Pi/2))
			}
			put(4, x, row...)
		}
		for k := range 20 {
			put(9, event.Time(k)*event.Second, 5e-6*math.Pow(1.05, float64(k)), 0.0025*math.Pow(0.98, float64(k)))
		}
		for k := range 400 {
			r := 0.0
			if rng.Float64() < 0.35+0.35*(1-math.Exp(-float64(k)/100)) {
				r = 1
			}
			put(10, event.Time(k+1)*49*event.Millisecond, float64(k%3), r)
		}
	}
	var spikes []network.Spike
	for x := event.Time(0); x < end; x += event.Time(rng.Int64N(int64(10 * event.Millisecond))) {
		spikes = append(spikes, network.Spike{At: x, ID: uint32(rng.IntN(42))})
	}
	if err := errors.Join(err, w.WriteSpikes(spikes), w.Close()); err != nil {
		t.Fatal(err)
	}
	man.Status, man.SimulatedMS, man.Updates, man.Candidates = rundir.Done, rundir.MS(end), uint64(len(us)), uint64(len(cs))
	man.Records = []rundir.Record{{What: network.RecordSpikes, Of: "E", N: 40}, {What: network.RecordSpikes, Of: "out", N: 2}}
	if err := d.Write(man); err != nil {
		t.Fatal(err)
	}
	return cs
}

// What hmn info and hmn export say of learning is what was recorded.
func TestInfoExportOfLearning(t *testing.T) {
	t.Chdir(t.TempDir())
	cs := lessonRun(t, "a", true)
	opportunities, applied := 0, 0
	for _, c := range cs {
		if c.Value != 0 {
			opportunities++
		}
		if c.Applied {
			applied++
		}
	}
	var j struct{ Record recordInfo }
	if err := json.Unmarshal([]byte(must(t, "info", "a", "--json")), &j); err != nil {
		t.Fatal(err)
	}
	l := j.Record.Learning
	if len(l) != 1 || l[0].Projection != "plastic" || l[0].Candidates != uint64(len(cs)) || l[0].Opportunities != uint64(opportunities) ||
		l[0].Applied != uint64(applied) || l[0].Updates != uint64(applied) {
		t.Fatalf("%+v, want %d candidates, %d opportunities, %d applied", l, len(cs), opportunities, applied)
	}
	if *l[0].Acceptance != float64(applied)/float64(opportunities) || *l[0].UpdatesHz != float64(applied)/20 || *l[0].CandidatesHz != float64(len(cs))/20 {
		t.Errorf("%v %v %v", *l[0].Acceptance, *l[0].UpdatesHz, *l[0].CandidatesHz)
	}
	out := must(t, "info", "a")
	for _, want := range []string{
		fmt.Sprintf("plastic %11s", count(applied)), fmt.Sprintf("%s %%", digits(100*float64(applied)/float64(opportunities), 3)),
		"trials of bandit: 400 samples of 2; at the end choice ", "modulator of reward: 4 000 samples of 1, every 5 ms; at the end reward ", "eta_global 0.00170",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("info: no %q in\n%s", want, out)
		}
	}

	out = must(t, "export", "a", "--format", "csv")
	for _, name := range []string{"spikes", "candidates", "updates", "weight_plastic", "eligibility_plastic", "gate_plastic", "modulator_reward", "trials_bandit", "eta_plastic"} {
		if _, err := os.Stat("a/" + name + ".csv"); err != nil || !strings.Contains(out, filepath.Join("a", name+".csv")+": ") {
			t.Errorf("%s.csv: %v\n%s", name, err, out)
		}
	}
	text, err := os.ReadFile("a/candidates.csv")
	if err != nil || strings.Count(string(text), "\n") != len(cs)+1 || !strings.HasPrefix(string(text), "projection,source,target,k,open_ms,close_ms,candidate,P,u,applied,dw\nplastic,0,0,0,0,31.25,") {
		t.Errorf("candidates.csv: %v, %.200s", err, text)
	}
	if piped := must(t, "export", "a", "--format", "csv", "--what", "candidates", "--out", "-"); piped != string(text) {
		t.Error("the candidates on standard output differ from the file")
	}
	for _, c := range []struct{ args, want string }{
		{"export a --format csv --what weights", "spikes, candidates, updates, signals"},
		{"export a --format csv --what signals --out x.csv", "do not go into one file"},
		{"export a --format npz --what updates", "everything"},
	} {
		if code, _, err := hmn(strings.Fields(c.args)...); code != 2 || !strings.Contains(err, c.want) {
			t.Errorf("hmn %s: exit %d, %q", c.args, code, err)
		}
	}

	// A record cut in the middle is read up to there, and its damage reported.
	path := "a/" + rundir.RecordName
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(b[:len(b)-30]))
	if code, out, err := hmn("info", "a"); code != 1 || !strings.Contains(err, "damaged") || !strings.Contains(out, "plastic") {
		t.Errorf("cut: exit %d, %q", code, err)
	}
	b[len(b)/4] ^= 1 // in a block of candidates, which come first
	write(t, path, string(b))
	if code, _, err := hmn("info", "a"); code != 1 || !strings.Contains(err, "damaged") {
		t.Errorf("flipped: exit %d, %q", code, err)
	}
}

// svgText is the text of a picture.
func svgText(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPlotLearning(t *testing.T) {
	t.Chdir(t.TempDir())
	cs := lessonRun(t, "a", true)
	if out := must(t, "plot", "a"); out != filepath.Join("a", "raster.png")+"\n"+filepath.Join("a", "learning.png")+"\n" {
		t.Errorf("plot: %q", out)
	}
	if out := must(t, "plot", "a", "--out", "x.svg"); out != "x.svg\nx-learning.svg\n" {
		t.Errorf("plot: %q", out)
	}
	text := svgText(t, "x-learning.svg")
	for _, want := range []string{"lesson, seed 3: learning of plastic", "weight (pA)", ">eligibility<", "attention α", ">modulators<", "G′", "novelty", "η / initial η", "η local, initially 5e-06", "all sampled", "phase gate", ">trial<", ">reward<", "mean of 20 trials", "20 → 0", "7 → 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q on the learning page", want)
		}
	}
	if raster := svgText(t, "x.svg"); strings.Contains(raster, "eligibility") {
		t.Error("eligibility is on the raster's page too")
	}
	must(t, "plot", "a", "--synapse", "4:0", "--from", "5s", "--to", "6s", "--out", "y.svg")
	if text := svgText(t, "y.svg"); !strings.Contains(text, "4 → 0") || strings.Contains(text, "7 → 1") || !strings.Contains(text, "chosen with --synapse") {
		t.Error("--synapse is not what is drawn")
	}

	// Without samples the steps are drawn, of the synapses with most updates.
	lessonRun(t, "b", false)
	must(t, "plot", "b", "--page", "learning", "--out", "z.svg")
	updates := map[string]int{}
	for _, c := range cs {
		if c.Applied {
			updates[fmt.Sprintf("%d → %d", c.Synapse.Source, c.Synapse.Target)]++
		}
	}
	most := 0
	for _, n := range updates {
		most = max(most, n)
	}
	text = svgText(t, "z.svg")
	if !strings.Contains(text, "change of weight") || !strings.Contains(text, "the 6 with the most updates of 25 that had updates") {
		t.Error("not the steps of the updates")
	}
	for s, n := range updates {
		if n == most && !strings.Contains(text, ">"+s+"<") {
			t.Errorf("%s with %d updates is not drawn", s, n)
		}
	}

	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"plot a --page weights", "raster or learning", 2},
		{"plot a --synapse 3", "SOURCE:TARGET", 2},
		{"plot a --synapse 3:x", "SOURCE:TARGET", 2},
		{"plot a --synapse 29:1 --out w.svg", "no weight was recorded", 2},
		{"plot a --projection noise", "plastic only", 2},
		{"plot a --page raster --synapse 1:1", "--page learning", 2},
		{"plot a --page learning --out x.pdf", ".png", 2},
	} {
		if code, _, err := hmn(strings.Fields(c.args)...); code != c.code || !strings.Contains(err, c.want) {
			t.Errorf("hmn %s: exit %d, %q", c.args, code, err)
		}
	}
	inTemp(t)
	must(t, "run", "tiny.toml", "--quiet", "--no-plot", "--out", "static")
	if code, _, err := hmn("plot", "static", "--page", "learning"); code != 1 || !strings.Contains(err, "nothing to draw") {
		t.Errorf("a run without learning: exit %d, %q", code, err)
	}
	if out := must(t, "plot", "static"); strings.Contains(out, "learning") {
		t.Errorf("a run without learning: %q", out)
	}
}

func TestSmoothing(t *testing.T) {
	for n, want := range map[int]int{1: 5, 100: 5, 101: 10, 200: 10, 400: 20, 2000: 100, 2001: 200} {
		if got := smoothing(n); got != want {
			t.Errorf("%d trials: window of %d, want %d", n, got, want)
		}
	}
}

// replay is an open loop: trains of both sides are given, and every candidate is
// recorded.
const replay = `[simulation]
duration = "1 s"
seed = 5

[[population]]
name = "pre"
n = 3
model = "spike_train"
times = [[10.0, 300.0, 500.0, 700.0], [20.0, 310.0, 650.0], [5.0, 400.0]]

[[population]]
name = "post"
n = 2
model = "spike_train"
times = [[12.0, 305.0, 515.0, 660.0], [25.0, 320.0, 703.0]]

[[projection]]
name = "plastic"
source = "pre"
target = "post"
rule = "all_to_all"
weight = 5.0
axonal_delay = "1 ms"
synapse = { model = "hmn", preset = "hmn-core", w_max = 10.0, phase = "uniform" }

[[modulator]]
name = "reward"
tau = "200 ms"
events = [[40.0, 0.5], [530.0, 0.8]]

[[record]]
what = "candidate"
of = "plastic"

[[record]]
what = "weight"
of = "plastic"
`

// A run that records candidates leaves them as CSV, the same as the export
// gives; both engines draw the same numbers for the same windows.
func TestRunLearning(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "replay.toml", replay)
	columns := func(dir string, col ...int) (rows []string) {
		b, err := os.ReadFile(filepath.Join(dir, "candidates.csv"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Split(strings.TrimSpace(line), ",")
			var s []string
			for _, c := range col {
				s = append(s, f[c])
			}
			rows = append(rows, strings.Join(s, ","))
		}
		return rows
	}
	out := must(t, "run", "replay.toml", "--out", "event")
	for _, want := range []string{filepath.Join("event", "candidates.csv"), filepath.Join("event", "learning.png"), "weight updates"} {
		if !strings.Contains(out, want) {
			t.Errorf("run: no %q in\n%s", want, out)
		}
	}
	must(t, "run", "replay.toml", "--out", "clocked", "--quiet", "--set", "simulation.engine=clocked", "--set", "simulation.dt=0.1ms")
	for _, dir := range []string{"event", "clocked"} {
		b, err := os.ReadFile(filepath.Join(dir, "candidates.csv"))
		if err != nil {
			t.Fatal(err)
		}
		if piped := must(t, "export", dir, "--format", "csv", "--what", "candidates", "--out", "-"); piped != string(b) {
			t.Errorf("%s: candidates.csv differs from the export", dir)
		}
		if _, err := os.Stat(filepath.Join(dir, "updates.csv")); err == nil {
			t.Errorf("%s: updates.csv was written unasked", dir)
		}
		applied := 0
		for _, a := range columns(dir, 9) {
			if a == "1" {
				applied++
			}
		}
		m := manifest(t, dir)
		if lines := strings.Count(string(b), "\n") - 1; m.Candidates != uint64(lines) || m.Updates != uint64(applied) || applied == 0 {
			t.Errorf("%s: %d candidates, %d updates; the file has %d, %d applied", dir, m.Candidates, m.Updates, lines, applied)
		}
		if len(m.Records) != 2 || m.Records[0].N != 6 || m.Records[1].N != 6 || m.Records[1].Of != "plastic" {
			t.Errorf("%s: records %+v", dir, m.Records)
		}
	}
	// 6 synapses, 8 cycles, and a window that is cut by t = 0 or by the end.
	if a, b := columns("event", 0, 1, 2, 3, 4, 5), columns("clocked", 0, 1, 2, 3, 4, 5); !slices.Equal(a, b) || len(a)-1 < 6*8 {
		t.Errorf("windows differ: %d and %d", len(a), len(b))
	}
	u, v := columns("event", 8), columns("clocked", 8)
	both := 0
	for i := range min(len(u), len(v)) {
		if u[i] == "" || v[i] == "" { // an opportunity of one engine only: before the first pair
			continue
		}
		both++
		if u[i] != v[i] {
			t.Errorf("row %d: u = %s and %s", i, u[i], v[i])
		}
	}
	if both < 20 {
		t.Errorf("%d windows with opportunities in both", both)
	}

	// The steps start from the weights of the model.
	must(t, "plot", "event", "--page", "learning", "--out", "x.svg")
	if text := svgText(t, "x.svg"); !strings.Contains(text, ">weight<") || strings.Contains(text, "change of weight") {
		t.Error("initial weights were not found")
	}

	// hmn run with a task: the trials are a signal with the task's columns.
	const bandit = `[simulation]
duration = "5 s"

[task]
name = "bandit"

[[population]]
name = "stimulus"
n = 20
model = "step_rate"

[[population]]
name = "action"
n = 4
model = "rate"

[[projection]]
name = "policy"
source = "stimulus"
target = "action"
rule = "all_to_all"
weight = 0.3
axonal_delay = "1 ms"
synapse = { preset = "hmn-core", w_max = 1.0 }

[[modulator]]
name = "reward"
builtin = "centred_reward"
tau = "100 ms"

[[record]]
what = "trials"
of = "bandit"
`
	write(t, "bandit.toml", bandit)
	must(t, "run", "bandit.toml", "--quiet", "--out", "bandit")
	must(t, "export", "bandit", "--format", "csv", "--what", "signals")
	b, err := os.ReadFile("bandit/trials_bandit.csv")
	if err != nil || !strings.HasPrefix(string(b), "time_ms,context,choice,good,reward\n") || strings.Count(string(b), "\n") < 3 {
		t.Errorf("%v\n%s", err, b)
	}
}

// TestRefusedBeforeTheRun: what a run refuses, check refuses, at its place in the
// file where it has one; and nothing is written.
func TestRefusedBeforeTheRun(t *testing.T) {
	t.Chdir(t.TempDir())
	bandit := must(t, "models", "show", "hmn-bandit")
	const rates = `[simulation]
duration = "10 ms"
[[population]]
name = "u"
n = 2
model = "rate"
[[projection]]
name = "W"
source = "u"
target = "u"
rule = "edge_list"
edges = [[0, 1]]
weight = 0.5
axonal_delay = "1 ms"
synapse = { preset = "hmn-core", w_max = 1.0 }
[[record]]
what = "weight"
of = "W"
every = "1 ms"
`
	const dopamine = `[simulation]
duration = "10 ms"
[[population]]
name = "E"
n = 2
model = "iaf_psc_delta"
[[projection]]
name = "W"
source = "E"
target = "E"
rule = "all_to_all"
weight = 0.5
axonal_delay = "1 ms"
synapse = { preset = "hmn-core", w_max = 1.0 }
[[modulator]]
name = "reward"
tau = "200 ms"
delay = "0.2 ms"
source = { population = "E", jump = 0.5 }
`
	for k, c := range []struct {
		model, from, to, want string
		check                 bool // or only the built network tells
	}{
		{bandit, "duration = \"4000 s\"", "engine = \"clocked\"\ndt = \"1 ms\"\nduration = \"4000 s\"", "task: the clocked engine has no tasks", true},
		{bandit, "name = \"bandit\"", "name = \"bandit\"\naction = \"act\"", `.toml:38:10: task: action: no population "act"`, true},
		{bandit, "n = 20", "n = 19", `task: stimulus: population "stimulus" has n = 19, want 20`, true},
		{rates, "duration = \"10 ms\"", "engine = \"clocked\"\ndt = \"2 ms\"\nduration = \"10 ms\"", `.toml:21:9: record 0 (weight): every = 1 ms, want at least dt = 2 ms`, true},
		{rates, "[[0, 1]]", "[]", `record 0 (weight): "W" has no synapses`, false},
		{dopamine, "", "", `modulator "reward": delay 0.2 ms, want at least the lookahead of the network, 1 ms`, true},
		{dopamine, "w_max = 1.0", "w_max = 1.0, A_minus = 1e308, eta_global = 1e300", `synapse: the larger of A_plus`, true},
	} {
		name := fmt.Sprintf("m%d.toml", k)
		if !strings.Contains(c.model, c.from) {
			t.Fatalf("case %d: no %q", k, c.from)
		}
		write(t, name, strings.Replace(c.model, c.from, c.to, 1))
		for _, args := range [][]string{{"check", name}, {"run", name, "--out", "out"}} {
			code, _, stderr := hmn(args...)
			if args[0] == "check" && !c.check {
				continue
			}
			if code != 2 || !strings.Contains(stderr, c.want) {
				t.Errorf("%v: exit %d, want 2 and %q in\n%s", args, code, c.want, stderr)
			}
		}
		if _, err := os.Stat("out"); !os.IsNotExist(err) {
			t.Fatalf("case %d: out was written", k)
		}
	}
}
