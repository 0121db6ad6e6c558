package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hmn/event"
	"hmn/io/config"
	"hmn/io/rundir"
	"hmn/io/spikelog"
	"hmn/models"
	"hmn/network"
	"hmn/validation/stats"
)

// tiny is driven by noise, has eight blocks and runs in a few milliseconds.
const tiny = `# A tiny network.
[simulation]
duration = "100 ms"
seed = 3

[guard]
max_rate_hz = 500.0
window = "20 ms"

[[population]]
name = "E"
n = 2000
model = "iaf_psc_exp"
params = { C_m = 250.0, tau_m = 20.0, E_L = -65.0, V_th = -50.0, V_reset = -60.0, t_ref = 2.0, tau_syn_ex = 5.0, tau_syn_in = 10.0 }
init = { V_m = { uniform = [-60.0, -50.0] } }
expected_rate_hz = 20

[[population]]
name = "noise"
n = 2000
model = "poisson"
params = { rate = "2 kHz" }

[[projection]]
name = "drive"
source = "noise"
target = "E"
rule = "one_to_one"
weight = 30.0
delay = "1 ms"

[[projection]]
name = "EE"
source = "E"
target = "E"
rule = "fixed_indegree"
degree = 20
weight = 10.0
delay = { uniform = [1.0, 2.0] }

[[record]]
what = "spikes"
of = "E"

[[record]]
what = "V_m"
of = "E"
subset = [0, 5]
every = "1 ms"
`

// hmn runs a command line.
func hmn(args ...string) (code int, out, err string) {
	var o, e bytes.Buffer
	code = run(args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

// inTemp changes into a new directory that holds tiny.toml.
func inTemp(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	write(t, "tiny.toml", tiny)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// must runs a command line that has to succeed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, out, err := hmn(args...)
	if code != 0 {
		t.Fatalf("hmn %s: exit %d\n%s", strings.Join(args, " "), code, err)
	}
	return out
}

func manifest(t *testing.T, dir string) rundir.Manifest {
	t.Helper()
	m, err := rundir.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The first command of a new user: a record, a table and a picture.
func TestRun(t *testing.T) {
	inTemp(t)
	out := must(t, "run", "tiny.toml")
	for _, want := range []string{"tiny (tiny.toml)", "4 000 in 2 populations", "recorded spikes", "ISI-CV", "real-time factor", "hmn info runs/tiny", "raster.png"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if b, err := os.ReadFile("runs/tiny/raster.png"); err != nil || !bytes.HasPrefix(b, []byte("\x89PNG")) {
		t.Errorf("raster.png: %v", err)
	}
	b, err := os.ReadFile("runs/tiny/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(b, &keys); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"model", "model_sha256", "seed", "version", "workers", "duration_ms", "neurons", "synapses", "spikes", "mean_rate_hz", "synaptic_events", "wall_s", "result_hash"} {
		if _, ok := keys[k]; !ok {
			t.Errorf("manifest.json lacks %q", k)
		}
	}
	m := manifest(t, "runs/tiny")
	if m.Status != rundir.Done || m.Model != tiny || m.Seed != 3 || m.Neurons != 4000 || m.Synapses != 42000 || event.Time(m.SimulatedMS) != 100*event.Millisecond {
		t.Errorf("manifest: status %q, seed %d, %d neurons, %d synapses, %s ms", m.Status, m.Seed, m.Neurons, m.Synapses, event.Time(m.SimulatedMS))
	}
	// Rate × neurons × time are the spikes of the neurons, which are recorded.
	sum := float64(m.MeanRateHz[0].Hz) * 2000 * 0.1
	if math.Abs(sum-float64(m.Spikes)) > 1e-6*sum || m.Spikes == 0 {
		t.Errorf("the rate makes %g spikes, counted are %d", sum, m.Spikes)
	}
	// 4σ of a Poisson count, and the 1 ms of delay by which its spikes are counted late.
	if hz := float64(m.MeanRateHz[1].Hz); math.Abs(hz-2000) > 4*math.Sqrt(2000/(2000*0.1))+2000*1/100 {
		t.Errorf("the noise has %g Hz, want 2000", hz)
	}
}

func TestRunJSONAndQuiet(t *testing.T) {
	inTemp(t)
	code, out, errs := hmn("run", "tiny.toml", "--json", "--no-plot", "--out", "a")
	var m rundir.Manifest
	dec := json.NewDecoder(strings.NewReader(out))
	if err := dec.Decode(&m); err != nil || code != 0 || errs != "" {
		t.Fatalf("exit %d, %v, stderr %q", code, err, errs)
	}
	if _, err := dec.Token(); err != io.EOF {
		t.Errorf("more than one object on standard output")
	}
	if m.ResultHash == "" || m.ResultHash != manifest(t, "a").ResultHash {
		t.Errorf("the printed result hash %q is not that of the file", m.ResultHash)
	}
	if code, out, errs := hmn("run", "tiny.toml", "--quiet", "--out", "b"); code != 0 || out != "" || errs != "" {
		t.Errorf("--quiet: exit %d, %q, %q", code, out, errs)
	}
}

// Workers change no result; the seed does; a recorder does not.
func TestResultHash(t *testing.T) {
	inTemp(t)
	hash := func(args ...string) string {
		dir := t.TempDir() + "/run"
		must(t, append([]string{"run", "tiny.toml", "--quiet", "--no-plot", "--out", dir}, args...)...)
		return manifest(t, dir).ResultHash
	}
	want := hash("--workers", "1")
	for _, w := range []string{"2", "7"} {
		if got := hash("--workers", w); got != want {
			t.Errorf("%s workers: hash %s, 1 worker %s", w, got, want)
		}
	}
	if hash("--seed", "4") == want {
		t.Error("another seed gives the same hash")
	}
	if hash("--seed", "3") != want || hash("--set", "record.1.every=2.5") != want {
		t.Error("the same seed, or another sampling interval, gives another hash")
	}
}

func TestOverrides(t *testing.T) {
	inTemp(t)
	must(t, "run", "tiny.toml", "--no-plot", "--quiet", "--out", "a", "--set", "population.E.params.tau_m=15ms", "--seed", "11", "--duration", "0.05 s")
	m := manifest(t, "a")
	want := []string{"population.E.params.tau_m=15ms", "simulation.seed=11", "simulation.duration=0.05 s"}
	if strings.Join(m.Overrides, "|") != strings.Join(want, "|") || m.Seed != 11 || event.Time(m.DurationMS) != 50*event.Millisecond {
		t.Errorf("overrides %q, seed %d, %s ms; want %q", m.Overrides, m.Seed, event.Time(m.DurationMS), want)
	}
}

func TestOverwrite(t *testing.T) {
	inTemp(t)
	args := []string{"run", "tiny.toml", "--quiet", "--no-plot", "--out", "a"}
	must(t, args...)
	before := manifest(t, "a").Started
	if code, _, err := hmn(args...); code != 2 || !strings.Contains(err, "--overwrite") || manifest(t, "a").Started != before {
		t.Errorf("an existing run: exit %d, %q", code, err)
	}
	write(t, "a/raster.png", "old")
	must(t, append(args, "--overwrite")...)
	if _, err := os.Stat("a/raster.png"); !errors.Is(err, fs.ErrNotExist) || manifest(t, "a").Started == before {
		t.Error("--overwrite did not replace the run")
	}
	os.Mkdir("mine", 0o755)
	write(t, "mine/thesis.tex", "precious")
	code, _, err := hmn("run", "tiny.toml", "--out", "mine", "--overwrite")
	if _, serr := os.Stat("mine/thesis.tex"); code != 2 || serr != nil {
		t.Errorf("a directory that is no run: exit %d, %q, %v", code, err, serr)
	}
}

// Bad input exits with 2, says what is wrong in one line per problem, and
// writes nothing.
func TestBadInput(t *testing.T) {
	inTemp(t)
	write(t, "typo.toml", strings.Replace(tiny, "tau_m", "taum", 1))
	write(t, "two.toml", strings.NewReplacer("n = 2000", "n = -5", "rate = ", "rat = ").Replace(tiny))
	write(t, "endless.toml", strings.Replace(tiny, `duration = "100 ms"`, "", 1))
	os.Mkdir("full", 0o755)
	write(t, "full/file", "")
	for _, c := range []struct {
		args string
		want []string // in standard error
	}{
		{"rum", []string{`unknown command "rum"`, `did you mean "run"`}},
		{"frobnicate", []string{"hmn --help"}},
		{"run", []string{"MODEL is missing"}},
		{"run a b", []string{"2 arguments"}},
		{"run cubo", []string{`"cubo"`, `did you mean "cuba"`}},
		{"run no/such.toml", []string{"no/such.toml"}},
		{"run .", []string{"folder"}},
		{"run tiny.toml --wrokers 2", []string{"--wrokers", "did you mean --workers"}},
		{"run tiny.toml --workers x", []string{`--workers "x": want a whole number`}},
		{"run tiny.toml --workers -1", []string{"--workers -1"}},
		{"run tiny.toml --workers 999999", []string{"--workers 999999"}},
		{"run tiny.toml -q", []string{"-q"}},
		{"run tiny.toml --out full", []string{"full exists already"}},
		{"run tiny.toml --out full --overwrite", []string{"not the directory of a run"}},
		{"run tiny.toml --out tiny.toml", []string{"tiny.toml exists"}},
		{"run tiny.toml --seed -1", []string{"--seed -1"}},
		{"run tiny.toml --seed x", []string{"--seed x"}},
		{"run tiny.toml --duration soon", []string{"--duration soon"}},
		{"run tiny.toml --duration 0", []string{"--duration 0"}},
		{"run tiny.toml --duration 200d", []string{"--duration 200d"}},
		{"run tiny.toml --duration 300000h", []string{"106 days"}},
		{"run tiny.toml --seed 1 --set simulation.seed=2", []string{"both --seed and --set simulation.seed"}},
		{"run tiny.toml --set population.E.nn=2", []string{"--set population.E.nn=2", "nn"}},
		{"run tiny.toml --set nonsense", []string{"key=value"}},
		{"run tiny.toml --max-memory lots", []string{`--max-memory "lots"`}},
		{"run tiny.toml --max-memory 10K", []string{"too large", "--max-memory"}},
		{"run tiny.toml --cpuprofile no/such/dir", []string{"--cpuprofile"}},
		{"run typo.toml", []string{"typo.toml:14:", "taum", "tau_m"}},
		{"run two.toml", []string{"two.toml:12:", "two.toml:20:", "two.toml:22:"}},
		{"run endless.toml", []string{"duration"}},
		{"check typo.toml", []string{"typo.toml:14:"}},
		{"check tiny.toml --max-memory 10K", []string{"too large"}},
		{"check", []string{"MODEL is missing"}},
		{"check tiny.toml --set record.0.of=X", []string{"X"}},
		{"info", []string{"DIR is missing"}},
		{"plot", []string{"DIR is missing"}},
		{"plot a --from yesterday", []string{"--from"}},
		{"plot a --from 5 --to 4", []string{"--to"}},
		{"plot a --max-neurons -1", []string{"--max-neurons"}},
		{"export a", []string{"--format is missing", "csv"}},
		{"export a --format xls", []string{`"xls"`, "csv"}},
		{"models list", []string{"show NAME"}},
		{"models show cubb", []string{`did you mean "cuba"`}},
		{"models show", []string{"NAME is missing"}},
		{"new tiny.toml", []string{"exists already"}},
		{"new no/such/dir.toml", []string{"no such"}},
		{"doc tau_mm", []string{`"tau_m"`}},
		{"bench cubb", []string{`did you mean "cuba"`}},
		{"bench cuba --duration never", []string{"never"}},
		{"version x", []string{"1 argument"}},
	} {
		before := listing(t)
		code, out, err := hmn(strings.Fields(c.args)...)
		if code != 2 || err == "" || strings.Contains(out, "Usage") || strings.Contains(err, "Usage") {
			t.Errorf("hmn %s: exit %d, stderr %q, stdout %q", c.args, code, err, out)
		}
		for _, w := range c.want {
			if !strings.Contains(err, w) {
				t.Errorf("hmn %s: no %q in %q", c.args, w, err)
			}
		}
		if after := listing(t); after != before {
			t.Errorf("hmn %s left something behind:\n%s", c.args, after)
		}
	}
}

func listing(t *testing.T) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, "\n")
}

// A guard stops the run with the population's name and keeps the record.
func TestGuard(t *testing.T) {
	inTemp(t)
	code, out, err := hmn("run", "tiny.toml", "--no-plot", "--out", "a", "--set", "guard.max_rate_hz=1")
	if code != 3 || !strings.Contains(err, `population "E"`) || !strings.Contains(err, "hmn info a") || !strings.Contains(out, "ISI-CV") {
		t.Errorf("exit %d, %q\n%s", code, err, out)
	}
	m := manifest(t, "a")
	if m.Status != rundir.Stopped || !strings.Contains(m.Reason, "max_rate_hz") || event.Time(m.SimulatedMS) < 20*event.Millisecond {
		t.Errorf("manifest: %q, %q, %s ms", m.Status, m.Reason, event.Time(m.SimulatedMS))
	}
	must(t, "info", "a")
}

// A signal ends the run at a window, and the record up to there equals that of
// a run of that duration.
func TestInterrupt(t *testing.T) {
	inTemp(t)
	var out, errs bytes.Buffer
	a := newApp(strings.NewReader(""), &out, &errs)
	sent := false
	a.observe = func(network.Progress) {
		if !sent {
			sent = true
			if self, err := os.FindProcess(os.Getpid()); err != nil || self.Signal(os.Interrupt) != nil {
				t.Error("no signal could be sent")
			}
		}
	}
	code := a.main(strings.Fields("run tiny.toml --out a --workers 1 --duration 1h --set population.E.n=100 --set population.noise.n=100"))
	if code != 130 || !strings.Contains(errs.String(), "interrupted at t = ") || !strings.Contains(errs.String(), "hmn info a") {
		t.Fatalf("exit %d, %q", code, errs.String())
	}
	m := manifest(t, "a")
	if m.Status != rundir.Interrupted || m.SimulatedMS == 0 {
		t.Errorf("manifest: %q at %s ms", m.Status, event.Time(m.SimulatedMS))
	}
	r, err := spikelog.Open("a/" + rundir.RecordName)
	if err != nil {
		t.Fatal(err)
	}
	if r.Damage() != nil {
		t.Errorf("the record is not closed: %v", r.Damage())
	}
	r.Close()
	must(t, "run", "tiny.toml", "--quiet", "--no-plot", "--out", "b", "--duration", event.Time(m.SimulatedMS).String()+"ms",
		"--set", "population.E.n=100", "--set", "population.noise.n=100")
	if b := manifest(t, "b"); b.ResultHash != m.ResultHash {
		t.Errorf("result hash %s, a run of the same duration has %s", m.ResultHash, b.ResultHash)
	}
}

// limited is a disk that is full after so many bytes.
type limited struct {
	*os.File
	left int
}

var errFull = errors.New("no space left on device")

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.left {
		n, _ := l.File.Write(b[:l.left])
		l.left = 0
		return n, errFull
	}
	l.left -= len(b)
	return l.File.Write(b)
}

func TestDiskFull(t *testing.T) {
	inTemp(t)
	var out, errs bytes.Buffer
	a := newApp(strings.NewReader(""), &out, &errs)
	a.createLog = func(path string, m spikelog.Meta) (*spikelog.Writer, error) {
		f, err := os.Create(path)
		if err != nil {
			return nil, err
		}
		return spikelog.NewWriter(&limited{f, 2000}, m)
	}
	code := a.main(strings.Fields("run tiny.toml --out a"))
	if code != 1 || !strings.Contains(errs.String(), "no space left") || !strings.Contains(errs.String(), "intact up to t = ") {
		t.Errorf("exit %d, %q", code, errs.String())
	}
	if m := manifest(t, "a"); m.Status != rundir.Stopped || !strings.Contains(m.Reason, "no space left") {
		t.Errorf("manifest: %q, %q", m.Status, m.Reason)
	}
	if code, _, err := hmn("info", "a"); code != 1 || !strings.Contains(err, "damaged") {
		t.Errorf("info: exit %d, %q", code, err)
	}
}

// No panic reaches a user.
func TestPanic(t *testing.T) {
	inTemp(t)
	var out, errs bytes.Buffer
	a := newApp(strings.NewReader(""), &out, &errs)
	a.observe = func(network.Progress) { panic("boom\nboom") }
	code := a.main(strings.Fields("run tiny.toml --out a"))
	if code != 1 || strings.Count(errs.String(), "\n") != 1 || !strings.Contains(errs.String(), "internal error, please report: boom boom (main_test.go:") {
		t.Errorf("exit %d, %q", code, errs.String())
	}
	if m := manifest(t, "a"); m.Status != rundir.Stopped {
		t.Errorf("status %q", m.Status)
	}
	errs.Reset()
	a = newApp(nil, nil, &errs) // a nil writer panics elsewhere
	if code := a.main([]string{"version"}); code != 1 || strings.Count(errs.String(), "\n") != 1 || !strings.Contains(errs.String(), "internal error") {
		t.Errorf("exit %d, %q", code, errs.String())
	}
}

// A full pipe or disk under standard output is not success.
func TestOutputFails(t *testing.T) {
	var errs bytes.Buffer
	if code := run([]string{"models"}, nil, failing{}, &errs); code != 1 || !strings.Contains(errs.String(), "no space left") {
		t.Errorf("exit %d, %q", code, errs.String())
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestCheck(t *testing.T) {
	inTemp(t)
	out := must(t, "check", "tiny.toml")
	for _, want := range []string{"iaf_psc_exp", "poisson", "EE", "40 000", "42 000", "minimum delay", "window", "expected events", "log"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "assumed") {
		t.Error("a rate is given and yet assumed")
	}
	var j checkJSON
	if err := json.Unmarshal([]byte(must(t, "check", "tiny.toml", "--json", "--set", "population.E.expected_rate_hz=0")), &j); err != nil {
		t.Fatal(err)
	}
	// 2000 × 20 synapses at the assumed 10 Hz, 2000 at 2 kHz.
	if j.Neurons != 4000 || j.Synapses != 42000 || j.EventsPerSec != 40000*10+2000*2000 || !j.Populations[0].Assumed || event.Time(j.MinDelayMS) != event.Millisecond {
		t.Errorf("%+v", j)
	}
	// A model without duration can be checked.
	write(t, "endless.toml", strings.Replace(tiny, `duration = "100 ms"`, "", 1))
	must(t, "check", "endless.toml")
	if _, err := os.Stat("runs"); err == nil {
		t.Error("check wrote something")
	}
}

func TestInfoExportPlot(t *testing.T) {
	inTemp(t)
	must(t, "run", "tiny.toml", "--quiet", "--no-plot", "--out", "a")
	m := manifest(t, "a")
	out := must(t, "info", "a")
	for _, want := range []string{"done", m.ResultHash, "V_m of E: 100 samples of 2, every 1 ms", "B per spike"} {
		if !strings.Contains(out, want) {
			t.Errorf("info: no %q in\n%s", want, out)
		}
	}
	var j struct {
		Record      recordInfo
		Manifest    rundir.Manifest
		Populations []popRow
		Warnings    []string
	}
	if err := json.Unmarshal([]byte(must(t, "info", "a", "--json")), &j); err != nil {
		t.Fatal(err)
	}
	if j.Record.Damage != nil || len(j.Warnings) != 0 || j.Manifest.ResultHash != m.ResultHash || len(j.Populations) != 2 || *j.Populations[0].Spikes != j.Record.Spikes || j.Populations[1].Spikes != nil {
		t.Errorf("info --json: %+v", j)
	}

	// What was exported is what was recorded: hash of the CSV's spikes.
	must(t, "export", "a", "--format", "csv")
	b, err := os.ReadFile("a/spikes.csv")
	if err != nil {
		t.Fatal(err)
	}
	hash := rundir.NewResultHasher()
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	for _, l := range lines[1:] {
		f := strings.Split(l, ",")
		at, exact, err := event.ParseMS(f[0])
		if err != nil || !exact || f[2] != "E" || f[1] != f[3] { // E is the first population
			t.Fatalf("line %q", l)
		}
		var id uint32
		for _, d := range f[1] {
			id = id*10 + uint32(d-'0')
		}
		hash.WriteSpikes([]network.Spike{{At: at, ID: id}})
	}
	built, _, err := config.Parse([]byte(m.Model), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n, err := network.Build(built, network.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	var names []string
	for _, p := range built.Projections {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	for _, name := range names {
		i := slices.IndexFunc(built.Projections, func(p network.Projection) bool { return p.Name == name })
		for w := range n.Weights(i) {
			hash.AddWeights(name, w)
		}
	}
	if lines[0] != "time_ms,neuron_id,population,index" || uint64(len(lines)-1) != j.Record.Spikes || hash.Sum() != m.ResultHash {
		t.Errorf("CSV: %q, %d lines, hash %s; want %d, %s", lines[0], len(lines)-1, hash.Sum(), j.Record.Spikes, m.ResultHash)
	}
	if piped := must(t, "export", "a", "--format", "csv", "--out", "-"); piped != string(b) {
		t.Error("the CSV on standard output differs from the file")
	}
	must(t, "export", "a", "--format", "npz", "--out", "x.npz")
	must(t, "export", "a", "--format", "nest", "--out", "x.dat")
	for name, magic := range map[string]string{"x.npz": "PK", "x.dat": "#"} {
		if b, err := os.ReadFile(name); err != nil || !strings.HasPrefix(string(b), magic) {
			t.Errorf("%s: %v", name, err)
		}
	}

	must(t, "plot", "a", "--from", "50ms", "--to", "0.07 s", "--max-neurons", "100", "--out", "x.svg")
	if b, err := os.ReadFile("x.svg"); err != nil || !strings.Contains(string(b), "V_m of E (mV)") {
		t.Errorf("x.svg: %v", err)
	}
	for _, c := range []struct{ args, want string }{
		{"plot a --out x.pdf", ".png"},
		{"plot a --from 100ms", "the run ends at 100 ms"},
	} {
		if code, _, err := hmn(strings.Fields(c.args)...); code != 2 || !strings.Contains(err, c.want) {
			t.Errorf("hmn %s: exit %d, %q", c.args, code, err)
		}
	}
	for _, c := range []string{"info b", "plot b", "export b --format csv", "info tiny.toml", "info ."} {
		if code, _, err := hmn(strings.Fields(c)...); code != 1 || strings.Count(err, "\n") != 1 {
			t.Errorf("hmn %s: exit %d, %q", c, code, err)
		}
	}
}

// A record that was cut off is a warning for a run that was killed and an error
// for one that had ended.
func TestTornRecord(t *testing.T) {
	inTemp(t)
	must(t, "run", "tiny.toml", "--quiet", "--no-plot", "--out", "a")
	path := "a/" + rundir.RecordName
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(b[:len(b)-30]))
	for _, c := range []string{"info a", "export a --format csv"} {
		if code, _, err := hmn(strings.Fields(c)...); code != 1 || !strings.Contains(err, "damaged") {
			t.Errorf("ended, hmn %s: exit %d, %q", c, code, err)
		}
	}
	text, err := os.ReadFile("a/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "a/manifest.json", strings.Replace(string(text), `"status": "done"`, `"status": "running"`, 1))
	for _, c := range []string{"info a", "export a --format csv", "plot a"} {
		if code, _, err := hmn(strings.Fields(c)...); code != 0 || !strings.Contains(err, "warning: the run was killed") {
			t.Errorf("killed, hmn %s: exit %d, %q", c, code, err)
		}
	}
	// A flipped bit in a block.
	b[len(b)/2] ^= 1
	write(t, path, string(b))
	if code, _, err := hmn("info", "a"); code != 1 || !strings.Contains(err, "damaged") {
		t.Errorf("flipped bit: exit %d, %q", code, err)
	}
}

// The record can be looked at without its manifest.
func TestNoManifest(t *testing.T) {
	inTemp(t)
	must(t, "run", "tiny.toml", "--quiet", "--no-plot", "--out", "a")
	if err := os.Remove("a/manifest.json"); err != nil {
		t.Fatal(err)
	}
	if code, out, err := hmn("info", "a"); code != 0 || !strings.Contains(err, "no manifest.json") || !strings.Contains(out, "ISI-CV") {
		t.Errorf("exit %d, %q\n%s", code, err, out)
	}
	must(t, "plot", "a", "--out", "x.png")
}

// A file for inputs.* is found in the working directory and beside the model.
func TestInputs(t *testing.T) {
	t.Chdir(t.TempDir())
	os.Mkdir("models", 0o755)
	write(t, "models/m.toml", strings.Replace(tiny, "[guard]", "[inputs]\nnames = \"\"\n[guard]", 1)+"\n"+`[[population]]
name = "named"
n = 2
model = "poisson"
names_file = "$names"
params = { rate = 1.0 }
`)
	write(t, "here.csv", "a\nb\n")
	write(t, "models/beside.csv", "c\nd\n")
	for _, name := range []string{"here.csv", `"here.csv"`, "beside.csv"} {
		must(t, "check", "models/m.toml", "--set", "inputs.names="+name)
	}
	if code, _, err := hmn("check", "models/m.toml", "--set", "inputs.names=nowhere.csv"); code != 2 || !strings.Contains(err, "nowhere.csv") {
		t.Errorf("exit %d, %q", code, err)
	}
}

func TestModelsNewDoc(t *testing.T) {
	t.Chdir(t.TempDir())
	out := must(t, "models")
	names := models.Names()
	if len(names) == 0 {
		t.Fatal("no shipped models")
	}
	for _, n := range names {
		text, _ := models.Text(n)
		if !strings.Contains(out, n+" ") || must(t, "models", "show", n) != text {
			t.Errorf("model %s is not listed, or not shown", n)
		}
	}
	// The specification of the rule names these numbers.
	for name, want := range map[string][]string{
		"hmn-core":    {"tau_slow           1000", "gate_gain          pi", "HMN Eq. 4"},
		"hmn-full":    {"beta_g             1", "there 0", "meta.alpha_local   0.05"},
		"hmn-literal": {"eta_per_step       true", "HMN section 10.3"},
		"r-stdp":      {"eta_global         0.1 (0.025 w_max)", "Izhikevich 2007"},
	} {
		if !strings.Contains(out, "\n"+name+" ") {
			t.Errorf("preset %s is not listed", name)
		}
		shown := must(t, "models", "show", name)
		for _, w := range want {
			if !strings.Contains(shown, w) {
				t.Errorf("models show %s: no %q in\n%s", name, w, shown)
			}
		}
	}
	must(t, "new")
	must(t, "check", "model.toml")
	must(t, "new", "other.toml")
	if a, b := must(t, "new", "-"), must(t, "doc", "tau_m"); !strings.Contains(a, "[[population]]") || !strings.Contains(b, "ms") {
		t.Errorf("%q, %q", a, b)
	}
	if out := must(t, "doc"); !strings.Contains(out, "population.expected_rate_hz") || !strings.Contains(out, "iaf_psc_exp") {
		t.Errorf("doc:\n%s", out)
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := must(t, "completion", shell); !strings.Contains(out, "hmn") {
			t.Errorf("%s: %q", shell, out)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"__complete", "run", "cu"}, "cuba"},
		{[]string{"__complete", "export", "a", "--format", "n"}, "npz"},
		{[]string{"__complete", "bench", "br"}, "brunel"},
		{[]string{"__complete", "ex"}, "export"},
	} {
		if _, out, _ := hmn(c.args...); !strings.HasPrefix(out, c.want) {
			t.Errorf("%v: %q, want %s", c.args, out, c.want)
		}
	}
}

func TestBench(t *testing.T) {
	if testing.Short() {
		t.Skip("half a second")
	}
	var rows []map[string]any
	if err := json.Unmarshal([]byte(must(t, "bench", "cuba", "--json", "--workers", "1", "--duration", "20 ms")), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0]["name"] != "cuba" {
		t.Fatalf("%v", rows)
	}
	for _, k := range []string{"workers", "neurons", "synapses", "synaptic_events", "ns_per_event", "real_time_factor", "bytes_per_synapse", "peak_rss_bytes"} {
		if x, ok := rows[0][k].(float64); !ok || !(x > 0) {
			t.Errorf("%s = %v", k, rows[0][k])
		}
	}
}

func TestVersion(t *testing.T) {
	if out := must(t, "version"); !strings.HasPrefix(out, "hmn "+version) || !strings.Contains(out, "go1.") {
		t.Errorf("%q", out)
	}
	if out := must(t); !strings.Contains(out, "Usage") {
		t.Errorf("hmn alone: %q", out)
	}
}

// The one-pass measure agrees with the reference on whole trains.
func TestTrains(t *testing.T) {
	pops := []spikelog.Population{{Name: "A", FirstID: 0, N: 3}, {Name: "B", FirstID: 3, N: 2}}
	times := [][]float64{{1, 2, 4, 8, 9.5}, {3, 7}, {0.5, 0.75, 6, 6.125}, {}, {5}} // 0.5 ms are whole ps
	tr := newTrains(spikelog.Meta{Populations: pops}, 10*event.Millisecond)
	for ps := event.Time(0); ps < 10*event.Millisecond; ps += 125 * event.Microsecond {
		for id, train := range times {
			for _, ms := range train {
				if at, _, _ := event.FromMS(ms); at == ps {
					tr.WriteSpikes([]network.Spike{{At: at, ID: uint32(id)}})
				}
			}
		}
	}
	want, _ := stats.MeanCV(times[:3])
	if cv, n := tr.CV(0); math.Abs(cv-want) > 1e-12 || n != 11 {
		t.Errorf("CV %v of %d spikes, want %v of 11", cv, n, want)
	}
	if cv, n := tr.CV(1); !math.IsNaN(cv) || n != 1 {
		t.Errorf("CV %v of %d spikes, want NaN of 1", cv, n)
	}
	// 9.5, 8 and 7 ms are three; the bin behind that of 6.125 ms begins at 6.13.
	if got := tr.since(3); got != 6130*event.Microsecond {
		t.Errorf("since(3) = %v ms, want 6.13", got)
	}
	if tr.since(100) != 0 {
		t.Error("since(100) is not the start")
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		s    string
		want event.Time // −1: refused
	}{
		{"500ms", 500 * event.Millisecond}, {"20 s", 20 * event.Second}, {"1.5", 1500 * event.Microsecond}, {"0.000000001", 1},
		{"0.1ns", 100}, {"1 min", 60 * event.Second}, {"106 h", 106 * 3600 * event.Second}, {"0", 0}, {".5ms", 500 * event.Microsecond},
		{"", -1}, {"ms", -1}, {"-1 ms", -1}, {"1 day", -1}, {"1e3", -1}, {"1/2", -1}, {".", -1}, {"3000 h", -1}, {"1..2", -1}, {"NaN", -1},
	} {
		got, err := parseTime(c.s)
		if (err != nil) != (c.want < 0) || err == nil && got != c.want {
			t.Errorf("parseTime(%q) = %v, %v; want %v", c.s, got, err, c.want)
		}
	}
	for s, want := range map[string]int64{"20G": 20 << 30, "512 MiB": 512 << 20, "1.5k": 1536, "0": 0, "7": 7, "2GB": 2e9} {
		if got, err := parseSize(s); err != nil || got != want {
			t.Errorf("parseSize(%q) = %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "G", "-1G", "1X", "99999999T"} {
		if got, err := parseSize(s); err == nil {
			t.Errorf("parseSize(%q) = %d, want an error", s, got)
		}
	}
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1 000", 12345678: "12 345 678"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
	for at, want := range map[event.Time]string{500 * event.Millisecond: "500 ms", event.Second: "1 s", 1500 * event.Millisecond: "1.5 s", event.Second + 1: "1000.000000001 ms"} {
		if got := timeText(at); got != want {
			t.Errorf("timeText(%d) = %q, want %q", at, got, want)
		}
	}
}
