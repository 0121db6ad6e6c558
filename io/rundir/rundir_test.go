package rundir

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"hmn/event"
	"hmn/network"
)

func full() Manifest {
	return Manifest{
		Model: "[simulation]\nduration = \"10 s\" # a < b & c\n", ModelName: "brunel", ModelSHA256: "ab", Seed: math.MaxUint64,
		Version: "v1", Status: Done, Workers: 2, DurationMS: MS(10 * event.Second), SimulatedMS: 1,
		Neurons: 4000, Synapses: 1 << 40, Spikes: 123,
		MeanRateHz:  Rates{{"E→\"I\"", 5.5}, {"A", Number(math.Inf(1))}, {"", 0}},
		Populations: []Population{{Name: "E", Model: "iaf_psc_exp", N: 3200}, {Name: "I", Model: "iaf_psc_exp", N: 800, FirstID: 3200, Names: []string{"a", "b"}}}, SynapticEvents: 9, Updates: 7, Candidates: 1 << 40, WallS: 1.5,
		RealTimeFactor: 0.15, ResultHash: "cd", Overrides: []string{"a=1"}, Started: time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC),
		Records: []Record{{"V_m", "E", 3, MS(event.Millisecond / 10), RecordName}},
	}
}

func TestManifestRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	d, err := Create(dir, false, full())
	if err != nil {
		t.Fatal(err)
	}
	if m, err := Load(dir); err != nil || m.Status != Running {
		t.Fatalf("first manifest: %v, %v", m.Status, err)
	}
	want := full()
	if err := d.Write(want); err != nil {
		t.Fatal(err)
	}
	got, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(float64(got.MeanRateHz[1].Hz)) { // null
		t.Errorf("rate %v, want NaN", got.MeanRateHz[1].Hz)
	}
	got.MeanRateHz[1].Hz, want.Notes = Number(math.Inf(1)), []string{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	text, err := os.ReadFile(d.Path(ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"seed": 18446744073709551615,`, `"duration_ms": 10000,`, `"simulated_ms": 0.000000001,`, `"every_ms": 0.1,`,
		`"notes": [],`, `# a < b & c\n`, `"first_id": 3200`, `"A": null`,
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("manifest lacks %s:\n%s", part, text)
		}
	}
	if strings.Index(string(text), `"E→\"I\""`) > strings.Index(string(text), `"A": null`) {
		t.Error("populations are not in order")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v left, %v", left, err)
	}
}

// TestKeys: the keys are what programs outside rely on; the list is that
// of docs/records.md, not from the struct.
func TestKeys(t *testing.T) {
	want := "model model_name model_sha256 seed version status reason workers duration_ms simulated_ms neurons synapses spikes mean_rate_hz populations synaptic_events updates candidates wall_s build_s real_time_factor result_hash overrides notes started records"
	b, err := Manifest{Status: Running}.encode()
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	var keys []string
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	for dec.More() {
		k, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k.(string))
		var v any
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if v == nil {
			t.Errorf("%s is null in an empty manifest", k)
		}
	}
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("keys\n%s\nwant\n%s", got, want)
	}
}

func TestOverwrite(t *testing.T) {
	m := full()
	base := t.TempDir()
	write := func(dir, name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(base, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(base, dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Create(filepath.Join(base, "run"), false, m); err != nil {
		t.Fatal(err)
	}
	write("run", RecordName, "old")
	write("run/plots", "old.png", "")
	write("record only", RecordName, "")
	write("home", "thesis.tex", "")
	write("webapp", ManifestName, `{"name":"app","icons":[]}`)
	write("torn", ManifestName, `{"model":`)
	write(".", "file", "")
	if err := os.Mkdir(filepath.Join(base, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dir       string
		overwrite bool
		want      error
	}{
		{"run", false, ErrExists},
		{"empty", false, ErrExists},
		{"home", false, ErrExists},
		{"file", false, ErrExists},
		{"home", true, ErrNotRun},
		{"webapp", true, ErrNotRun},
		{"torn", true, ErrNotRun},
		{"file", true, ErrNotRun},
		{"empty", true, nil},
		{"run", true, nil},
		{"record only", true, nil},
		{"new", true, nil},
	} {
		dir := filepath.Join(base, c.dir)
		before, _ := os.ReadDir(dir)
		_, err := Create(dir, c.overwrite, m)
		if !errors.Is(err, c.want) {
			t.Errorf("%s, overwrite %v: %v, want %v", c.dir, c.overwrite, err, c.want)
		}
		after, _ := os.ReadDir(dir)
		if c.want != nil && len(before) != len(after) {
			t.Errorf("%s: refused, but changed", c.dir)
		}
		if c.want == nil && (len(after) != 1 || after[0].Name() != ManifestName) {
			t.Errorf("%s: %v is left", c.dir, after)
		}
		if got, err := Load(dir); c.want == nil && (err != nil || got.Notes == nil || len(got.Notes) != 0) {
			t.Errorf("%s: %v, notes %q", c.dir, err, got.Notes)
		}
	}
	m.Status = "finished"
	d := &Dir{filepath.Join(base, "run")}
	if err := d.Write(m); err == nil {
		t.Error("unknown status accepted")
	}
}

// TestAtomic: whoever reads while the manifest is replaced sees a whole one.
func TestAtomic(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	m := full()
	d, err := Create(dir, false, m)
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(stop)
		for i := range 60 {
			m.Spikes = uint64(i)
			m.Model = strings.Repeat("x", i*1000)
			if err := d.Write(m); err != nil {
				t.Error(err)
				return
			}
		}
	})
	reads := 0
	for done := false; !done; reads++ {
		select {
		case <-stop:
			done = true
		default:
		}
		got, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got.Status == Done && len(got.Model) != int(got.Spikes)*1000 {
			t.Fatal("a mixture of two manifests")
		}
	}
	wg.Wait()
	if reads < 2 {
		t.Errorf("only %d reads", reads)
	}
}

// TestFailedWrite: a manifest that cannot be written leaves the old one.
func TestFailedWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	d, err := Create(dir, false, full())
	if err != nil {
		t.Fatal(err)
	}
	// The rename fails: a directory has taken the name.
	if err := os.Remove(d.Path(ManifestName)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(d.Path(ManifestName, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(full()); err == nil {
		t.Error("rename onto a directory succeeded")
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%v left", left)
	}
}

func TestReadOnly(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "run")
	if _, err := Create(dir, false, full()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{dir, base} {
		if err := os.Chmod(p, 0o555); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(p, 0o755)
	}
	if f, err := os.Create(filepath.Join(base, "probe")); err == nil {
		f.Close()
		// root writes anywhere; /proc refuses even root.
		if _, err := Create("/proc/hmn-run", false, full()); err == nil || errors.Is(err, ErrExists) {
			t.Errorf("Create in /proc: %v", err)
		}
		if _, err := Create("/proc/self", true, full()); !errors.Is(err, ErrNotRun) {
			t.Errorf("Create over /proc/self: %v", err)
		}
		t.Skip("the rest needs a user whom permissions bind, not root")
	}
	if _, err := Create(filepath.Join(base, "other"), false, full()); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Create: %v", err)
	}
	if _, err := Create(dir, true, full()); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("overwrite: %v", err)
	}
	after, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("manifest changed: %v", err)
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	if _, err := Load(dir); !errors.Is(err, ErrNotRun) {
		t.Errorf("no manifest: %v", err)
	}
	for text, part := range map[string]string{
		"{\n\"model\": \"\",\n}": "manifest.json:3",
		`{"model":"","seed":-1}`: "seed",
		`{"name":"app"}`:         "not of hmn",
		`{"model":"","model_sha256":"","seed":1,"status":"paused"}`:                        `status "paused"`,
		`{"model":"","model_sha256":"","seed":1,"status":"done","duration_ms":"x"}`:        "not a time",
		`{"model":"","model_sha256":"","seed":1,"status":"done","mean_rate_hz":[1]}`:       "mean_rate_hz",
		`{"model":"","model_sha256":"","seed":1,"status":"done","wall_s":"1"}`:             "not a number",
		`{"model":"","model_sha256":"","seed":1,"status":"done","mean_rate_hz":{"a":"b"}}`: "not a number",
	} {
		if err := os.WriteFile(filepath.Join(dir, ManifestName), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want %q", text, err, part)
		}
	}
}

// TestResultHash compares with the definition, written out plainly.
func TestResultHash(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 30 {
		n := rng.IntN(20_000)
		spikes := make([]network.Spike, n)
		for i := range spikes {
			spikes[i] = network.Spike{At: event.Time(rng.Int64()), ID: rng.Uint32()}
		}
		w := make([]float64, rng.IntN(30_000))
		for i := range w {
			w[i] = rng.NormFloat64()
		}
		name := strings.Repeat("p", rng.IntN(100_000))
		var b bytes.Buffer
		for _, s := range spikes {
			binary.Write(&b, binary.LittleEndian, int64(s.At))
			binary.Write(&b, binary.LittleEndian, s.ID)
		}
		onlySpikes := fmt.Sprintf("%x", sha256.Sum256(b.Bytes()))
		binary.Write(&b, binary.LittleEndian, uint32(len(name)))
		b.WriteString(name)
		binary.Write(&b, binary.LittleEndian, uint64(len(w)))
		binary.Write(&b, binary.LittleEndian, w)
		want := sha256.Sum256(b.Bytes())

		h := NewResultHasher()
		var again []network.Spike
		sink := Tee(nil, h, sinkFunc(func(s []network.Spike) error { again = append(again, s...); return nil }))
		for rest := spikes; len(rest) > 0; {
			k := min(len(rest), 1+rng.IntN(7000))
			if err := sink.WriteSpikes(rest[:k]); err != nil {
				t.Fatal(err)
			}
			rest = rest[k:]
		}
		if h.Sum() != onlySpikes || len(again) != n {
			t.Fatal("hash of the spikes differs")
		}
		h.AddWeights(name, w)
		if once, twice := h.Sum(), h.Sum(); once != hex.EncodeToString(want[:]) || twice != once {
			t.Fatal("hash differs")
		}
	}
	boom := errors.New("full")
	h := NewResultHasher()
	err := Tee(sinkFunc(func([]network.Spike) error { return boom }), h).WriteSpikes([]network.Spike{{}})
	if !errors.Is(err, boom) || h.Sum() != NewResultHasher().Sum() {
		t.Errorf("tee: %v", err)
	}
}

type sinkFunc func([]network.Spike) error

func (f sinkFunc) WriteSpikes(s []network.Spike) error { return f(s) }

func TestHashDoesNotAllocate(t *testing.T) {
	h := NewResultHasher()
	s := make([]network.Spike, 3000)
	if a := testing.AllocsPerRun(100, func() { h.WriteSpikes(s) }); a > 0 {
		t.Errorf("%g allocations per call, want 0", a)
	}
}

func BenchmarkResultHash(b *testing.B) {
	s := make([]network.Spike, 1<<20)
	for i := range s {
		s[i] = network.Spike{At: event.Time(i) * 12345, ID: uint32(i * 7919)}
	}
	h := NewResultHasher()
	b.ReportAllocs()
	for b.Loop() {
		for i := 0; i < len(s); i += 512 {
			h.WriteSpikes(s[i : i+512])
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(s))/b.Elapsed().Seconds(), "spikes/s")
}
