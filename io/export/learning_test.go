package export

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"hmn/event"
	"hmn/io/rundir"
	"hmn/io/spikelog"
	"hmn/network"
)

// learned makes the directory of a run with three candidates, two of them
// applied, and signals of synapses, of a modulator's gates and of trials.
func learned(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	d, err := rundir.Create(dir, false, rundir.Manifest{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := spikelog.Create(d.Path(rundir.RecordName), spikelog.Meta{
		Populations: []spikelog.Population{{Name: "E", N: 100}},
		Projections: []spikelog.Projection{{Name: "static", Source: "E", Target: "E"}, {Name: `E→"E", plastic`, Source: "E", Target: "E", Updates: true, Candidates: true}},
		Modulators:  []string{"reward", "novelty"},
		Signals: []spikelog.Signal{
			{Record: 2, What: "weight", Of: "EE", N: 2, Every: event.Millisecond, Synapses: []spikelog.Synapse{{Source: 7, Target: 3}, {Source: 7, Target: 3, Multapse: 1}}},
			{Record: 3, What: "gamma", Of: "EE", N: 2, Every: event.Second, Columns: []string{"reward", "novelty"}},
			{Record: 4, What: "trials", Of: "bandit", N: 2, Columns: []string{"action, taken", "reward"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	id := network.SynapseID{Projection: 1, Source: 7, Target: 3}
	twin := id
	twin.Multapse = 1
	cs := []network.Candidate{
		{Synapse: id, K: -1, Open: 0, Close: 31_250_000_000, Value: 1.0 / 3, P: 0.25, U: 0.125, Applied: true, DW: 1.0 / 3},
		{Synapse: twin, K: -1, Open: 0, Close: 31_250_000_000, P: math.NaN(), U: math.NaN()},
		{Synapse: id, K: 0, Open: 93_750_000_000, Close: 156_250_000_001, Value: -2.5e-300, P: 1e-9, U: 0, Applied: true},
		{Synapse: twin, K: 123456, Open: 200_000_000_000, Close: 156_250_000_000_000, Value: 1e21, P: 0, U: 0.5},
	}
	us := []network.WeightUpdate{{At: cs[0].Close, Synapse: id, K: -1, DW: 1.0 / 3}, {At: cs[2].Close, Synapse: id, K: 0}}
	err = errors.Join(w.WriteCandidates(cs), w.WriteUpdates(us),
		w.WriteSamples(2, 0, []float64{5, 0.1}), w.WriteSamples(2, event.Millisecond, []float64{5.5, math.NaN()}),
		w.WriteSamples(3, 0, []float64{0.5, 0.5}),
		w.WriteSamples(4, 1, []float64{2, 1}), w.WriteSamples(4, event.Second, []float64{0, 0}), w.Close())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Every number was written by hand from the rows above: times are exact
// decimals, numbers the shortest that read back equal.
var wantFiles = map[string]string{
	"spikes.csv": "time_ms,neuron_id,population,index\n",
	"candidates.csv": `projection,source,target,k,open_ms,close_ms,candidate,P,u,applied,dw
"E→""E"", plastic",7,3,-1,0,31.25,0.3333333333333333,0.25,0.125,1,0.3333333333333333
"E→""E"", plastic",7,3,-1,0,31.25,0,,,0,0
"E→""E"", plastic",7,3,0,93.75,156.250000001,-2.5e-300,1e-09,0,1,0
"E→""E"", plastic",7,3,123456,200,156250,1e+21,0,0.5,0,0
`,
	"updates.csv": `time_ms,projection,source,target,k,dw
31.25,"E→""E"", plastic",7,3,-1,0.3333333333333333
156.250000001,"E→""E"", plastic",7,3,0,0
`,
	"weight_EE.csv": "time_ms,7:3,7:3:1\n0,5,0.1\n1,5.5,NaN\n",
	"gamma_EE.csv":  "time_ms,reward,novelty\n0,0.5,0.5\n",
	"trials_bandit.csv": "time_ms,\"action, taken\",reward\n" +
		"0.000000001,2,1\n1000,0,0\n",
}

func TestLearningCSV(t *testing.T) {
	dir := learned(t)
	res, err := Run(dir, Request{Format: "csv"})
	if err != nil || len(res) != len(wantFiles) {
		t.Fatalf("%+v, %v", res, err)
	}
	rows := map[string]uint64{"spikes": 0, "candidates": 4, "updates": 2, "weight of EE": 2, "gamma of EE": 1, "trials of bandit": 2}
	for _, r := range res {
		b, err := os.ReadFile(r.Path)
		if err != nil {
			t.Fatal(err)
		}
		if want := wantFiles[filepath.Base(r.Path)]; string(b) != want {
			t.Errorf("%s:\n%s\nwant\n%s", r.Path, b, want)
		}
		if n, ok := rows[r.What]; !ok || n != r.Rows {
			t.Errorf("%s: %d rows of %q, want %d", r.Path, r.Rows, r.What, n)
		}
		if parsed, err := csv.NewReader(bytes.NewReader(b)).ReadAll(); err != nil || uint64(len(parsed)) != r.Rows+1 {
			t.Errorf("%s: %d lines, %v", r.Path, len(parsed), err)
		}
	}
	// Numbers read back to the bits that were recorded.
	if x, err := strconv.ParseFloat("0.3333333333333333", 64); err != nil || x != 1.0/3 {
		t.Error(x, err)
	}

	// One part, into a file or to a stream.
	r, err := spikelog.Open(filepath.Join(dir, rundir.RecordName))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for what, name := range map[string]string{"": "spikes.csv", Spikes: "spikes.csv", Candidates: "candidates.csv", Updates: "updates.csv"} {
		out := filepath.Join(t.TempDir(), "x.csv")
		if res, err := Run(dir, Request{Format: "csv", What: what, Out: out}); err != nil || len(res) != 1 || res[0].Path != out {
			t.Fatalf("%q: %+v, %v", what, res, err)
		}
		b, err := os.ReadFile(out)
		if err != nil || string(b) != wantFiles[name] {
			t.Errorf("%q: %v\n%s", what, err, b)
		}
		var piped bytes.Buffer
		if err := To(&piped, r, Request{Format: "csv", What: what}); err != nil || piped.String() != wantFiles[name] {
			t.Errorf("%q: %v\n%s", what, err, piped.String())
		}
	}
	var long strings.Builder
	if err := To(&long, r, Request{Format: "csv", What: Weight}); err != nil {
		t.Fatal(err)
	}
	if got, want := long.String(), "time_ms,projection,source,target,weight\n0,EE,7,3,5\n0,EE,7,3,0.1\n1,EE,7,3,5.5\n1,EE,7,3,NaN\n"; got != want {
		t.Errorf("weights:\n%s, want\n%s", got, want)
	}
	if res, err := Run(dir, Request{Format: "csv", What: Signals}); err != nil || len(res) != 3 {
		t.Errorf("signals: %+v, %v", res, err)
	}
	for _, c := range []struct {
		q    Request
		want string
	}{
		{Request{Format: "csv", What: "weights"}, "candidates"},
		{Request{Format: "csv", What: Modulator}, "the run recorded no modulator"},
		{Request{Format: "csv", What: Signals, Out: "x.csv"}, "3 signals (weight of EE, gamma of EE, trials of bandit)"},
		{Request{Format: "npz", What: Updates}, "everything"},
		{Request{Format: "nest", What: Updates}, "spikes only"},
		{Request{Format: "xml"}, "csv, npz, nest"},
	} {
		if _, err := Run(dir, c.q); !errors.Is(err, ErrWhat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.q, err, c.want)
		}
	}
	static, _, _ := run(t, 5)
	for _, what := range []string{Candidates, Updates} {
		if _, err := Run(static, Request{Format: "csv", What: what}); !errors.Is(err, ErrWhat) || !strings.Contains(err.Error(), "no "+what) {
			t.Errorf("%s of a run without: %v", what, err)
		}
	}
}

func TestLearningNPZ(t *testing.T) {
	res, err := Run(learned(t), Request{Format: "npz"})
	if err != nil {
		t.Fatal(err)
	}
	a := readNPZ(t, res[0].Path)
	// 8 of spikes, 3 names, 8 of updates, 14 of candidates, signals 6 + 4 + 4.
	if len(a) != 8+3+8+14+14 {
		t.Errorf("%d arrays", len(a))
	}
	ints := func(name string) (x []int64) {
		v, ok := a[name]
		if !ok || len(v.shape) != 1 {
			t.Fatalf("%s: %v", name, v.shape)
		}
		for i := range v.shape[0] {
			if v.dtype == "|b1" {
				x = append(x, int64(v.data[i]))
			} else {
				x = append(x, v.int(i))
			}
		}
		return x
	}
	for name, want := range map[string][]int64{
		"updates_times_ps":       {31250000000, 156250000001},
		"updates_projection":     {1, 1},
		"updates_source":         {7, 7},
		"updates_target":         {3, 3},
		"updates_multapse":       {0, 0},
		"updates_k":              {-1, 0},
		"candidates_open_ps":     {0, 0, 93750000000, 200000000000},
		"candidates_close_ps":    {31250000000, 31250000000, 156250000001, 156250000000000},
		"candidates_projection":  {1, 1, 1, 1},
		"candidates_multapse":    {0, 1, 0, 1},
		"candidates_k":           {-1, -1, 0, 123456},
		"candidates_applied":     {1, 0, 1, 0},
		"weight_EE_source":       {7, 7},
		"weight_EE_target":       {3, 3},
		"weight_EE_multapse":     {0, 1},
		"trials_bandit_times_ps": {1, 1e12},
	} {
		if got := ints(name); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	nan := math.NaN()
	for name, want := range map[string][]float64{
		"updates_times_ms":    {31.25, 156.250000001},
		"updates_dw":          {1.0 / 3, 0},
		"candidates_open_ms":  {0, 0, 93.75, 200},
		"candidates_close_ms": {31.25, 31.25, 156.250000001, 156250},
		"candidates_value":    {1.0 / 3, 0, -2.5e-300, 1e21},
		"candidates_P":        {0.25, nan, 1e-9, 0},
		"candidates_u":        {0.125, nan, 0, 0.5},
		"candidates_dw":       {1.0 / 3, 0, 0, 0},
		"weight_EE":           {5, 0.1, 5.5, nan},
		"trials_bandit":       {2, 1, 0, 0},
	} {
		for i, x := range want {
			if got := a[name].float(i); got != x && !(math.IsNaN(got) && math.IsNaN(x)) {
				t.Errorf("%s[%d]: %v, want %v", name, i, got, x)
			}
		}
	}
	for name, want := range map[string]string{
		"projection_names": "<U14 [2]", "projection_source": "<U1 [2]", "gamma_EE_columns": "<U7 [2]", "trials_bandit_columns": "<U13 [2]",
		"weight_EE": "<f8 [2 2]", "candidates_applied": "|b1 [4]",
	} {
		if got := fmt.Sprint(a[name].dtype, " ", a[name].shape); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if _, ok := a["gamma_EE_index"]; ok {
		t.Error("named columns have an index too")
	}
}
