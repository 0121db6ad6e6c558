package export

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"hmn/event"
	"hmn/io/rundir"
	"hmn/io/spikelog"
	"hmn/network"
)

var meta = spikelog.Meta{
	Populations: []spikelog.Population{
		{Name: "E", FirstID: 0, N: 100}, {Name: "none", FirstID: 100, N: 0},
		{Name: `odd, "I" µ`, FirstID: 100, N: 20}, {Name: "late", FirstID: 200, N: 1},
	},
	Signals: []spikelog.Signal{
		{Record: 0, What: "V_m", Of: "E", N: 3, Subset: []int{2, 5, 99}, Every: event.Millisecond},
		{Record: 2, What: "V_m", Of: "E", N: 100, Every: event.Millisecond / 10},
		{Record: 5, What: "rate", Of: "a/b", N: 1},
	},
}

// run makes a run directory with n spikes and returns what is in it.
func run(t testing.TB, n int) (dir string, spikes []network.Spike, vm [][]float64) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	d, err := rundir.Create(dir, false, rundir.Manifest{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := spikelog.Create(d.Path(rundir.RecordName), meta)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	at := event.Time(0)
	for range n {
		at += 1 + event.Time(rng.Int64N(int64(event.Millisecond)))
		id := uint32(rng.IntN(121))
		if id == 120 {
			id = 200
		}
		spikes = append(spikes, network.Spike{At: at, ID: id})
	}
	if err := w.WriteSpikes(spikes); err != nil {
		t.Fatal(err)
	}
	for i := range min(n, 1000) {
		row := make([]float64, 100)
		for j := range row {
			row[j] = -60 + rng.NormFloat64()
		}
		vm = append(vm, row)
		at := event.Time(i) * event.Millisecond / 10
		if err := errors.Join(w.WriteSamples(2, at, row), w.WriteSamples(0, 10*at, row[:3]), w.WriteSamples(5, event.Time(i*i), row[:1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, spikes, vm
}

// file exports to one file: the spikes, with csv.
func file(dir, format, out string) (Result, error) {
	q := Request{Format: format, Out: out}
	if format == "csv" {
		q.What = Spikes
	}
	res, err := Run(dir, q)
	if len(res) == 0 {
		return Result{}, err
	}
	return res[0], err
}

func population(id uint32) (name string, row, index int) {
	switch {
	case id < 100:
		return "E", 0, int(id)
	case id < 120:
		return `odd, "I" µ`, 1, int(id) - 100
	}
	return "late", 2, int(id) - 200
}

// picoseconds reads a decimal number of ms without floating point.
func picoseconds(t *testing.T, s string) event.Time {
	t.Helper()
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) > 9 {
		t.Fatalf("%s has more than 9 places", s)
	}
	ps, err := strconv.ParseInt(whole+frac+strings.Repeat("0", 9-len(frac)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return event.Time(ps)
}

func TestCSV(t *testing.T) {
	for _, n := range []int{0, 1, 100_000} {
		dir, want, _ := run(t, n)
		res, err := file(dir, "csv", "")
		if err != nil || res.Path != filepath.Join(dir, "spikes.csv") || res.Rows != uint64(n) || res.Damage != nil {
			t.Fatalf("%+v, %v", res, err)
		}
		text, err := os.ReadFile(res.Path)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Join(rows[0], ",") != "time_ms,neuron_id,population,index" || len(rows) != n+1 {
			t.Fatalf("header %q, %d rows for %d spikes", rows[0], len(rows), n)
		}
		for i, s := range want {
			name, _, index := population(s.ID)
			row := rows[i+1]
			if picoseconds(t, row[0]) != s.At || row[1] != fmt.Sprint(s.ID) || row[2] != name || row[3] != fmt.Sprint(index) {
				t.Fatalf("row %d is %q for %v", i, row, s)
			}
		}
	}
}

func TestNEST(t *testing.T) {
	dir, want, _ := run(t, 5000)
	out := filepath.Join(t.TempDir(), "x.dat")
	if err := os.WriteFile(out, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if res, err := file(dir, "nest", out); err != nil || res.Path != out {
		t.Fatalf("%+v, %v", res, err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	// As its readers do, e.g. numpy.loadtxt(skiprows=3): two comments, names.
	if !strings.HasPrefix(rows[0], "# ") || !strings.Contains(rows[0], "from 0") || !strings.HasPrefix(rows[1], "# RecordingBackendASCII") || rows[2] != "sender\ttime_ms" {
		t.Fatalf("head %q", rows[:3])
	}
	rows = rows[3:]
	if len(rows) != len(want) {
		t.Fatalf("%d rows for %d spikes", len(rows), len(want))
	}
	for i, s := range want {
		id, at, _ := strings.Cut(rows[i], "\t")
		if id != fmt.Sprint(s.ID) || picoseconds(t, at) != s.At {
			t.Fatalf("row %d is %q for %v", i, rows[i], s)
		}
	}
}

// npy is an array as read by the few lines below, after NumPy's format
// description and not after the code that writes it.
type npy struct {
	dtype string
	shape []int
	data  []byte
}

func readNPZ(t *testing.T, path string) map[string]npy {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	re := regexp.MustCompile(`^\{'descr': '([^']*)', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \} *\n$`)
	out := map[string]npy{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		n := int(binary.LittleEndian.Uint16(b[8:]))
		if string(b[:8]) != "\x93NUMPY\x01\x00" || (10+n)%64 != 0 {
			t.Fatalf("%s: head %q", f.Name, b[:10])
		}
		m := re.FindSubmatch(b[10 : 10+n])
		if m == nil {
			t.Fatalf("%s: %q", f.Name, b[10:10+n])
		}
		a := npy{dtype: string(m[1]), data: b[10+n:]}
		size, err := strconv.Atoi(a.dtype[2:])
		if err != nil {
			t.Fatal(err)
		}
		if a.dtype[1] == 'U' {
			size *= 4
		}
		for d := range strings.SplitSeq(string(m[2]), ",") {
			if d = strings.TrimSpace(d); d == "" {
				continue // (5,)
			}
			k, err := strconv.Atoi(d)
			if err != nil {
				t.Fatal(err)
			}
			a.shape = append(a.shape, k)
			size *= k
		}
		if size != len(a.data) {
			t.Fatalf("%s: %d B, shape %v of %s wants %d", f.Name, len(a.data), a.shape, a.dtype, size)
		}
		out[strings.TrimSuffix(f.Name, ".npy")] = a
	}
	return out
}

func (a npy) int(i int) int64 {
	switch a.dtype {
	case "<u4":
		return int64(binary.LittleEndian.Uint32(a.data[4*i:]))
	case "<i8":
		return int64(binary.LittleEndian.Uint64(a.data[8*i:]))
	}
	panic(a.dtype)
}

func (a npy) float(i int) float64 {
	if a.dtype != "<f8" {
		panic(a.dtype)
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(a.data[8*i:]))
}

func TestNPZ(t *testing.T) {
	for _, n := range []int{0, 1, 70_000} {
		dir, want, vm := run(t, n)
		res, err := file(dir, "npz", "")
		if err != nil {
			t.Fatal(err)
		}
		a := readNPZ(t, res.Path)
		if len(a) != 8+3*4 {
			t.Errorf("%d arrays", len(a))
		}
		if fmt.Sprint(a["ids"].shape) != fmt.Sprint([]int{n}) {
			t.Fatalf("shape %v", a["ids"].shape)
		}
		for i, s := range want {
			_, row, index := population(s.ID)
			if a["times_ps"].int(i) != int64(s.At) || a["times_ms"].float(i) != float64(s.At)/1e9 || a["ids"].int(i) != int64(s.ID) ||
				a["population"].int(i) != int64(row) || a["index"].int(i) != int64(index) {
				t.Fatalf("spike %d differs", i)
			}
		}
		names := a["population_names"]
		if names.dtype != "<U10" || fmt.Sprint(names.shape) != "[3]" || a["population_first_id"].int(2) != 200 || a["population_n"].int(1) != 20 {
			t.Errorf("populations: %s %v", names.dtype, names.shape)
		}
		var second []rune
		for c := range 10 {
			second = append(second, rune(binary.LittleEndian.Uint32(names.data[40+4*c:])))
		}
		if string(second) != `odd, "I" µ` {
			t.Errorf("name %q", string(second))
		}
		if fmt.Sprint(a["V_m_E"].shape) != fmt.Sprint([]int{len(vm), 3}) || a["V_m_E_index"].int(2) != 99 || a["V_m_E_record2_index"].int(7) != 7 {
			t.Errorf("V_m_E: %v", a["V_m_E"].shape)
		}
		for i, row := range vm {
			for j, x := range row {
				if a["V_m_E_record2"].float(i*100+j) != x {
					t.Fatalf("sample %d of %d differs", i, j)
				}
			}
			if a["V_m_E_record2_times_ps"].int(i) != int64(i)*1e8 || a["rate_a_b_times_ps"].int(i) != int64(i*i) || a["V_m_E_times_ms"].float(i) != float64(i) {
				t.Fatalf("time of sample %d differs", i)
			}
		}
	}
}

// TestNumPy lets NumPy itself read the file.
func TestNumPy(t *testing.T) {
	python := os.Getenv("HMN_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import numpy").CombinedOutput(); err != nil {
		t.Skipf("%s without numpy here: %v %s", python, err, bytes.TrimSpace(out[max(0, len(out)-80):]))
	}
	dir, want, vm := run(t, 20_000)
	res, err := file(dir, "npz", "")
	if err != nil {
		t.Fatal(err)
	}
	const script = `
import sys, numpy as np
a = np.load(sys.argv[1])
print(len(a.files), a["ids"].dtype, int(a["ids"].astype(np.int64).sum()), int(a["times_ps"][-1]), repr(float(a["times_ms"][-1])))
print("|".join(a["population_names"]), a["V_m_E_record2"].shape, repr(float(a["V_m_E_record2"][-1, 7])))
`
	out, err := exec.Command(python, "-c", script, res.Path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sum := 0
	for _, s := range want {
		sum += int(s.ID)
	}
	last := want[len(want)-1].At
	expect := fmt.Sprintf("20 uint32 %d %d %v\nE|odd, \"I\" µ|late (1000, 100) %v\n", sum, int64(last), float64(last)/1e9, vm[999][7])
	if string(out) != expect {
		t.Errorf("NumPy reads\n%swant\n%s", out, expect)
	}
}

func TestErrors(t *testing.T) {
	dir, want, _ := run(t, 3000)
	if _, err := file(dir, "xlsx", ""); err == nil || !strings.Contains(err.Error(), "csv, npz, nest") {
		t.Errorf("unknown format: %v", err)
	}
	if _, err := file(t.TempDir(), "csv", ""); err == nil || !strings.Contains(err.Error(), "not a run directory") {
		t.Errorf("no run: %v", err)
	}
	for _, f := range Formats() {
		if _, err := file(dir, f, "/dev/full"); err == nil || !strings.Contains(err.Error(), "no space") {
			t.Errorf("%s to a full device: %v", f, err)
		}
		if _, err := file(dir, f, filepath.Join(dir, "no", "x")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s to no directory: %v", f, err)
		}
	}

	// A record that was cut off is exported as far as it goes, and said so.
	path := filepath.Join(dir, rundir.RecordName)
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, log[:len(log)-20], 0o644); err != nil {
		t.Fatal(err)
	}
	res, err := file(dir, "csv", "")
	if err != nil || res.Damage == nil || res.Rows != uint64(len(want)) {
		t.Errorf("cut off: %+v, %v", res, err)
	}
	// A damaged block is an error and leaves no file.
	log[len(log)/2] ^= 1
	if err := os.WriteFile(path, log, 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "x.npz")
	if _, err := file(dir, "npz", out); !errors.Is(err, spikelog.ErrDamaged) {
		t.Errorf("flipped bit: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(out)); len(left) != 0 {
		t.Errorf("%v left", left)
	}

	// An id of no population.
	var b bytes.Buffer
	w, err := spikelog.NewWriter(&b, spikelog.Meta{Populations: []spikelog.Population{{Name: "E", FirstID: 1, N: 4}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteSpikes([]network.Spike{{At: 1, ID: 5}}), w.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := spikelog.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if err := CSV(io.Discard, r); err == nil || !strings.Contains(err.Error(), "neuron 5") {
		t.Errorf("stray id: %v", err)
	}
	if err := NPZ(io.Discard, r); err == nil || !strings.Contains(err.Error(), "neuron 5") {
		t.Errorf("stray id: %v", err)
	}
}

func BenchmarkExport(b *testing.B) {
	dir, spikes, _ := run(b, 1<<20)
	r, err := spikelog.Open(filepath.Join(dir, rundir.RecordName))
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	for _, f := range Formats() {
		b.Run(f+"/spikes=1e6", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := To(io.Discard, r, Request{Format: f}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(spikes))/b.Elapsed().Seconds(), "spikes/s")
		})
	}
}
