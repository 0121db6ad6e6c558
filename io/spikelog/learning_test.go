package spikelog

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hmn/event"
	"hmn/network"
)

// plastic describes two projections whose learning is recorded, and one whose
// is not, between them.
func plastic() Meta {
	return Meta{
		Model:       "m",
		Populations: []Population{{"E", 0, 50}, {"I", 50, 10}},
		Projections: []Projection{
			{Name: "EE", Source: "E", Target: "E", Updates: true, Candidates: true},
			{Name: "IE", Source: "I", Target: "E"},
			{Name: "EI", Source: "E", Target: "I", Updates: true, Candidates: true},
		},
		Modulators: []string{"reward"},
		Signals: []Signal{
			{Record: 1, What: "weight", Of: "EE", Unit: "pA", N: 2, Every: 1e9, Synapses: []Synapse{{3, 4, 0}, {3, 4, 1}}},
			{Record: 2, What: "trials", Of: "bandit", N: 2, Columns: []string{"action", "reward"}},
		},
	}
}

// windows makes the candidates of n synapses over some cycles of 125 ms, as a
// rule with phase bins gives them, and the updates that they led to.
func windows(rng *rand.Rand, n, cycles int, accept float64) ([]network.Candidate, []network.WeightUpdate) {
	const T = 125 * event.Millisecond
	ids := make([]network.SynapseID, n)
	bin := make([]event.Time, n)
	for i := range ids {
		ids[i] = network.SynapseID{Projection: 2 * rng.IntN(2), Source: rng.Uint32N(1000), Target: rng.Uint32N(1000)}
		if rng.IntN(20) == 0 {
			ids[i].Multapse = rng.Uint32N(3)
		}
		bin[i] = event.Time(rng.IntN(16)) * T / 16
	}
	var cs []network.Candidate
	for k := range cycles {
		for i, id := range ids {
			c := network.Candidate{Synapse: id, K: int64(k) - 1, Close: event.Time(k)*T + bin[i] + event.Time(rng.IntN(2))}
			c.Open = max(0, c.Close-T/2)
			if c.Value = rng.NormFloat64() * 1e-3; rng.IntN(3) == 0 {
				c.Value, c.P, c.U = 0, math.NaN(), math.NaN()
			} else {
				c.P, c.U = 0.018+0.01*rng.Float64(), rng.Float64()
				if c.Applied = rng.Float64() < accept; c.Applied && rng.IntN(5) > 0 { // otherwise at a bound
					c.DW = c.Value
				}
			}
			cs = append(cs, c)
		}
	}
	slices.SortStableFunc(cs, func(a, b network.Candidate) int {
		if a.Close != b.Close {
			return int(min(1, max(-1, a.Close-b.Close)))
		}
		return CompareSynapses(a.Synapse, b.Synapse)
	})
	var us []network.WeightUpdate
	for _, c := range cs {
		if c.Applied {
			us = append(us, network.WeightUpdate{At: c.Close, Synapse: c.Synapse, K: c.K, DW: c.DW})
		}
	}
	return cs, us
}

// candidatesEqual compares the bits of all numbers.
func candidatesEqual(a, b []network.Candidate) bool {
	bits := math.Float64bits
	return slices.EqualFunc(a, b, func(x, y network.Candidate) bool {
		same := bits(x.Value) == bits(y.Value) && bits(x.P) == bits(y.P) && bits(x.U) == bits(y.U) && bits(x.DW) == bits(y.DW)
		return same && x.Synapse == y.Synapse && x.K == y.K && x.Open == y.Open && x.Close == y.Close && x.Applied == y.Applied
	})
}

func updatesEqual(a, b []network.WeightUpdate) bool {
	return slices.EqualFunc(a, b, func(x, y network.WeightUpdate) bool {
		return math.Float64bits(x.DW) == math.Float64bits(y.DW) && x.At == y.At && x.K == y.K && x.Synapse == y.Synapse
	})
}

func gather[T any](it func(func([]T, error) bool)) (all []T, err error) {
	it(func(part []T, e error) bool {
		all, err = append(all, part...), e
		return e == nil
	})
	return all, err
}

func learning(t testing.TB, m Meta, cs []network.Candidate, us []network.WeightUpdate) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, m)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteCandidates(cs), w.WriteUpdates(us), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// extreme are rows with every number at the ends of its range.
func extreme() ([]network.Candidate, []network.WeightUpdate) {
	const most = math.MaxUint32
	cs := []network.Candidate{
		{Synapse: network.SynapseID{Source: most, Target: 0, Multapse: most}, K: math.MinInt64, Value: 0, P: math.NaN(), U: math.NaN()},
		{Synapse: network.SynapseID{Projection: 2, Source: 0, Target: most}, K: math.MaxInt64, Value: math.Copysign(0, -1), P: 0, U: 1, Applied: true, DW: math.Copysign(0, -1)},
		{Synapse: network.SynapseID{Source: 0}, K: 0, Open: 1, Close: math.MaxInt64, Value: math.Inf(1), P: 1, U: math.NaN(), Applied: true},
		{Synapse: network.SynapseID{Source: most}, K: -1, Open: math.MaxInt64, Close: math.MaxInt64, Value: math.SmallestNonzeroFloat64, P: math.NaN(), U: 0, DW: math.MaxFloat64},
	}
	us := []network.WeightUpdate{
		{At: math.MinInt64, Synapse: network.SynapseID{Projection: 2, Source: most, Target: most, Multapse: most}, K: math.MaxInt64, DW: -math.MaxFloat64},
		{At: 0, K: math.MinInt64},
		{At: 0, K: math.MinInt64, DW: math.NaN()},
		{At: math.MaxInt64, Synapse: network.SynapseID{Source: 7}, K: 5, DW: math.Copysign(0, -1)},
	}
	return cs, us
}

func TestLearningRoundTrip(t *testing.T) {
	type rows struct {
		cs []network.Candidate
		us []network.WeightUpdate
	}
	cases := map[string]rows{}
	add := func(name string, cs []network.Candidate, us []network.WeightUpdate) { cases[name] = rows{cs, us} }
	add("none", nil, nil)
	cs, us := extreme()
	add("extreme", cs, us)
	cs, us = windows(rand.New(rand.NewPCG(1, 1)), 3000, 20, 0.5)
	add("many", cs, us)
	add("one block", cs[:learnRows], us[:min(learnRows, len(us))])
	add("block and one", cs[:learnRows+1], us[:learnRows+1])
	add("one", cs[:1], us[:1])
	add("group and one", cs[:group+1], us[:group+1])
	for name, c := range cases {
		r := open(t, learning(t, plastic(), c.cs, c.us))
		cs, err := gather(r.AllCandidates())
		us, uerr := gather(r.AllUpdates())
		if err != nil || uerr != nil || r.Damage() != nil || r.Version() != 2 {
			t.Fatalf("%s: %v, %v, %v, version %d", name, err, uerr, r.Damage(), r.Version())
		}
		if !candidatesEqual(cs, c.cs) || !updatesEqual(us, c.us) {
			t.Errorf("%s: rows differ", name)
		}
		if r.NumCandidates() != uint64(len(c.cs)) || r.NumUpdates() != uint64(len(c.us)) {
			t.Errorf("%s: %d candidates, %d updates", name, r.NumCandidates(), r.NumUpdates())
		}
		if got := r.Meta(); !reflect.DeepEqual(got, plastic()) {
			t.Errorf("%s: meta %+v", name, got)
		}
	}
}

func TestLearningProperty(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 7))
		cs, us := windows(rng, 1+rng.IntN(400), 1+rng.IntN(100), rng.Float64())
		var b bytes.Buffer
		w, err := NewWriter(&b, plastic())
		if err != nil {
			t.Fatal(err)
		}
		crest, urest := cs, us
		for len(crest)+len(urest) > 0 { // calls and flushes of any size, mixed
			i, j := min(len(crest), rng.IntN(2000)), min(len(urest), rng.IntN(1000))
			if err := errors.Join(w.WriteCandidates(crest[:i]), w.WriteUpdates(urest[:j])); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			crest, urest = crest[i:], urest[j:]
			if rng.IntN(8) == 0 {
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r := open(t, b.Bytes())
		gotC, err := gather(r.AllCandidates())
		gotU, uerr := gather(r.AllUpdates())
		if err != nil || uerr != nil || !candidatesEqual(gotC, cs) || !updatesEqual(gotU, us) {
			t.Fatalf("seed %d: %v, %v: %d of %d candidates, %d of %d updates", seed, err, uerr, len(gotC), len(cs), len(gotU), len(us))
		}
		for range 5 { // ranges against a filter over all, their limits on rows
			t0, t1 := cs[rng.IntN(len(cs))].Close, cs[rng.IntN(len(cs))].Close+event.Time(rng.IntN(2))
			var inC []network.Candidate
			for _, c := range cs {
				if c.Close >= t0 && c.Close < t1 {
					inC = append(inC, c)
				}
			}
			var inU []network.WeightUpdate
			for _, u := range us {
				if u.At >= t0 && u.At < t1 {
					inU = append(inU, u)
				}
			}
			gotC, err := gather(r.Candidates(t0, t1))
			gotU, uerr := gather(r.Updates(t0, t1))
			if err != nil || uerr != nil || !candidatesEqual(gotC, inC) || !updatesEqual(gotU, inU) {
				t.Fatalf("seed %d: [%d, %d): %v, %v: %d candidates, want %d; %d updates, want %d", seed, t0, t1, err, uerr, len(gotC), len(inC), len(gotU), len(inU))
			}
		}
		cut := open(t, b.Bytes()[:b.Len()-1])
		if !reflect.DeepEqual(cut.updates, r.updates) || !reflect.DeepEqual(cut.cands, r.cands) || cut.Damage() == nil {
			t.Fatalf("seed %d: rebuilt index differs", seed)
		}
	}
}

// smallLearning is a log of several blocks of all kinds.
func smallLearning(t testing.TB) (log []byte, cs []network.Candidate, us []network.WeightUpdate) {
	rng := rand.New(rand.NewPCG(5, 6))
	cs, us = windows(rng, 4, 6, 0.6)
	for i := range 150 { // regular, so that zstd pays
		id := network.SynapseID{Projection: 2, Source: uint32(i % 20)}
		at := 100*event.Second + event.Time(i/20)*event.Second
		us = append(us, network.WeightUpdate{At: at, Synapse: id, K: 900, DW: 0.25})
	}
	var b bytes.Buffer
	w, err := NewWriter(&b, plastic())
	if err != nil {
		t.Fatal(err)
	}
	spikes := poisson(rng, 50, 5, 9)
	for part := range 3 {
		third := func(n int) (int, int) { return n * part / 3, n * (part + 1) / 3 }
		i, j := third(len(cs))
		k, l := third(len(us))
		err := errors.Join(w.WriteSpikes(spikes[3*part:3*part+3]), w.WriteCandidates(cs[i:j]), w.WriteUpdates(us[k:l]),
			w.WriteSamples(1, event.Time(part)*1e9, []float64{1, 2}), w.Flush())
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := open(t, b.Bytes())
	if len(r.updates) != 3 || len(r.cands) != 3 || r.updates[2].coding != codingZstd {
		t.Fatalf("not the intended blocks: %+v %+v", r.updates, r.cands)
	}
	return b.Bytes(), cs, us
}

func TestLearningTruncation(t *testing.T) {
	log, wantC, wantU := smallLearning(t)
	whole := open(t, log)
	for n := range len(log) {
		r, err := NewReader(bytes.NewReader(log[:n]), int64(n))
		if err != nil {
			if n > int(whole.spikes[0].off) {
				t.Fatalf("cut at %d: %v", n, err)
			}
			continue
		}
		if d := r.Damage(); d == nil || d.At+d.Dropped != int64(n) {
			t.Fatalf("cut at %d: damage %+v", n, d)
		}
		cs, err := gather(r.AllCandidates())
		us, uerr := gather(r.AllUpdates())
		if err != nil || uerr != nil || len(cs) > len(wantC) || !candidatesEqual(cs, wantC[:len(cs)]) || len(us) > len(wantU) || !updatesEqual(us, wantU[:len(us)]) {
			t.Fatalf("cut at %d: %v, %v, %d candidates, %d updates", n, err, uerr, len(cs), len(us))
		}
		complete := func(blocks []entry) (rows int) { // no complete block is lost
			for _, e := range blocks {
				if e.off+blockHeaderLen+int64(e.stored) <= int64(n) {
					rows += int(e.count)
				}
			}
			return rows
		}
		if len(cs) != complete(whole.cands) || len(us) != complete(whole.updates) {
			t.Fatalf("cut at %d: %d candidates, %d updates; complete blocks hold %d, %d", n, len(cs), len(us), complete(whole.cands), complete(whole.updates))
		}
	}
}

func TestLearningBitFlips(t *testing.T) {
	log, wantC, wantU := smallLearning(t)
	found := 0
	for i := range log {
		for bit := range 8 {
			bad := bytes.Clone(log)
			bad[i] ^= 1 << bit
			r, err := NewReader(bytes.NewReader(bad), int64(len(bad)))
			if err != nil {
				found++
				if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrVersion) && !errors.Is(err, ErrDamaged) {
					t.Fatalf("byte %d bit %d: %v is no error to act on", i, bit, err)
				}
				continue
			}
			cs, err := gather(r.AllCandidates())
			us, uerr := gather(r.AllUpdates())
			_, serr := readAll(r)
			var werr error
			for _, err := range r.AllSamples(1) {
				werr = err
			}
			for _, err := range []error{err, uerr} {
				if err != nil && !errors.Is(err, ErrDamaged) {
					t.Fatalf("byte %d bit %d: %v is not ErrDamaged", i, bit, err)
				}
			}
			if len(cs) > len(wantC) || !candidatesEqual(cs, wantC[:len(cs)]) || len(us) > len(wantU) || !updatesEqual(us, wantU[:len(us)]) {
				t.Fatalf("byte %d bit %d: wrong rows", i, bit)
			}
			if err != nil || uerr != nil || serr != nil || werr != nil || r.Damage() != nil {
				found++
			}
		}
	}
	if found != 8*len(log) {
		t.Errorf("%d of %d flips found", found, 8*len(log))
	}
}

// TestVersions: a file without learning is of version 1 and has the bytes it
// always had; the new kinds of block are refused in it.
func TestVersions(t *testing.T) {
	for _, c := range []struct {
		p    Projection
		want uint32
	}{{Projection{Name: "p"}, 1}, {Projection{Name: "p", Updates: true}, 2}, {Projection{Name: "p", Candidates: true}, 2}} {
		log := record(t, Meta{Projections: []Projection{c.p}}, nil)
		if v := binary.LittleEndian.Uint32(log[8:]); v != c.want || open(t, log).Version() != int(v) {
			t.Errorf("%+v: version %d, want %d", c.p, v, c.want)
		}
	}
	js, err := json.Marshal(Meta{Populations: []Population{}, Signals: []Signal{{What: "V_m", Of: "E", N: 1}}})
	const old = `{"populations":[],"signals":[{"record":0,"what":"V_m","of":"E","n":1,"every_ps":0}]}`
	if err != nil || string(js) != old {
		t.Errorf("%s, %v; want %s", js, err, old)
	}
	log, _, _ := smallLearning(t)
	binary.LittleEndian.PutUint32(log[8:], 1)
	binary.LittleEndian.PutUint32(log[12:], crc32.Checksum(log[:12], castagnoli))
	r := open(t, log)
	if d := r.Damage(); d == nil || !strings.Contains(d.Reason, "version 1") || r.NumUpdates()+r.NumCandidates() != 0 {
		t.Errorf("new blocks in an old file: %v", d)
	}
}

func TestLearningRefused(t *testing.T) {
	w, err := NewWriter(io.Discard, plastic())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	id := func(p int, s, t, m uint32) network.SynapseID {
		return network.SynapseID{Projection: p, Source: s, Target: t, Multapse: m}
	}
	if err := w.WriteUpdates([]network.WeightUpdate{{At: 5, Synapse: id(0, 1, 2, 0)}, {At: 5, Synapse: id(0, 1, 2, 0)}, {At: 5, Synapse: id(0, 1, 2, 1)}}); err != nil {
		t.Fatal(err)
	}
	for _, u := range []network.WeightUpdate{{At: 4, Synapse: id(2, 9, 9, 9)}, {At: 5, Synapse: id(0, 1, 2, 0)}, {At: 5, Synapse: id(0, 0, 9, 9)}, {At: 5, Synapse: id(0, 1, 1, 9)}} {
		if err := w.WriteUpdates([]network.WeightUpdate{u}); !errors.Is(err, ErrOrder) {
			t.Errorf("%+v: %v, want ErrOrder", u, err)
		}
	}
	for _, p := range []int{-1, 1, 3} {
		if err := w.WriteUpdates([]network.WeightUpdate{{At: 9, Synapse: id(p, 0, 0, 0)}}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("projection %d", p)) {
			t.Errorf("update of projection %d: %v", p, err)
		}
		if err := w.WriteCandidates([]network.Candidate{{Close: 9, Synapse: id(p, 0, 0, 0)}}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("projection %d", p)) {
			t.Errorf("candidate of projection %d: %v", p, err)
		}
	}
	for _, c := range []network.Candidate{{Open: -1, Close: 5}, {Open: 6, Close: 5}} {
		if err := w.WriteCandidates([]network.Candidate{c}); err == nil || !strings.Contains(err.Error(), "open") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, m := range []Meta{
		{Signals: []Signal{{N: 2, Synapses: make([]Synapse, 1)}}},
		{Signals: []Signal{{N: 2, Columns: []string{"a"}}}},
		{Projections: make([]Projection, maxProjections+1)},
	} {
		if _, err := NewWriter(io.Discard, m); err == nil {
			t.Errorf("%d projections, %+v accepted", len(m.Projections), m.Signals)
		}
	}
	var s Synapse
	for _, bad := range []string{"[1]", "[1,2,3,4]", "[-1,2]", "[1,4294967296]", `"1:2"`, "null"} {
		if err := json.Unmarshal([]byte(bad), &s); err == nil && bad != "null" {
			t.Errorf("synapse %s accepted", bad)
		}
	}
}

func TestLearningDoesNotAllocate(t *testing.T) {
	w, err := NewWriter(io.Discard, plastic())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	cs, us := windows(rand.New(rand.NewPCG(4, 4)), 500, 2, 0.1)
	span := cs[len(cs)-1].Close + 1
	write := func() {
		for i := range cs {
			cs[i].Open, cs[i].Close = cs[i].Open+span, cs[i].Close+span
		}
		for i := range us {
			us[i].At += span
		}
		if err := errors.Join(w.WriteCandidates(cs), w.WriteUpdates(us)); err != nil {
			t.Fatal(err)
		}
	}
	for range 1500 { // all buffers and the encoder's exist after this
		write()
	}
	if a := testing.AllocsPerRun(300, write); a > 0 {
		t.Errorf("%g allocations per call, want 0", a)
	}
}

func fuzzLearning(t *testing.T, r *Reader) {
	us, err := gather(r.AllUpdates())
	if err == nil && uint64(len(us)) != r.NumUpdates() {
		t.Fatalf("%d updates, NumUpdates %d", len(us), r.NumUpdates())
	}
	cs, cerr := gather(r.AllCandidates())
	if cerr == nil && uint64(len(cs)) != r.NumCandidates() {
		t.Fatalf("%d candidates, NumCandidates %d", len(cs), r.NumCandidates())
	}
	for _, c := range cs {
		if c.Open < 0 || c.Open > c.Close {
			t.Fatalf("window from %d to %d ps", c.Open, c.Close)
		}
	}
	// What decodes encodes back to equal content, if it is in order of synapse too.
	m := Meta{Projections: slices.Clone(r.Meta().Projections)}
	for i := range m.Projections {
		m.Projections[i].Updates, m.Projections[i].Candidates = true, true
	}
	ordered := slices.IsSortedFunc(us, func(a, b network.WeightUpdate) int {
		if a.At != b.At {
			return int(min(1, max(-1, float64(a.At)-float64(b.At))))
		}
		return CompareSynapses(a.Synapse, b.Synapse)
	}) && slices.IsSortedFunc(cs, func(a, b network.Candidate) int {
		if a.Close != b.Close {
			return int(min(1, max(-1, float64(a.Close)-float64(b.Close))))
		}
		return CompareSynapses(a.Synapse, b.Synapse)
	})
	if err != nil || cerr != nil || !ordered || len(us)+len(cs) == 0 {
		return
	}
	again := open(t, learning(t, m, cs, us))
	us2, err := gather(again.AllUpdates())
	cs2, cerr := gather(again.AllCandidates())
	if err != nil || cerr != nil || !updatesEqual(us, us2) || !candidatesEqual(cs, cs2) {
		t.Fatalf("%d updates, %d candidates encode to %d, %d: %v, %v", len(us), len(cs), len(us2), len(cs2), err, cerr)
	}
}

// BenchmarkWriteLearning writes the candidates of 1e4 synapses with 16 phase
// bins, of which a third has no opportunity and 2 % of the others are applied.
func BenchmarkWriteLearning(b *testing.B) {
	cs, us := windows(rand.New(rand.NewPCG(1, 2)), 1e4, 100, 0.02)
	for _, c := range []struct {
		name  string
		cs    []network.Candidate
		us    []network.WeightUpdate
		count int
	}{{"candidates=1e6", cs, nil, len(cs)}, {"updates=13e3", nil, us, len(us)}} {
		b.Run(c.name, func(b *testing.B) {
			var out counter
			b.ReportAllocs()
			for b.Loop() {
				out.n = 0
				w, err := NewWriter(&out, plastic())
				if err != nil {
					b.Fatal(err)
				}
				if err := errors.Join(w.WriteCandidates(c.cs), w.WriteUpdates(c.us), w.Close()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(c.count)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(out.n)/float64(c.count), "B/row")
		})
	}
}

// BenchmarkReadCandidates decodes the same from memory.
func BenchmarkReadCandidates(b *testing.B) {
	cs, _ := windows(rand.New(rand.NewPCG(1, 2)), 1e4, 100, 0.02)
	r := open(b, learning(b, plastic(), cs, nil))
	for b.Loop() {
		n := 0
		for part, err := range r.AllCandidates() {
			if err != nil {
				b.Fatal(err)
			}
			n += len(part)
		}
		if n != len(cs) {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(cs))/b.Elapsed().Seconds(), "rows/s")
}
