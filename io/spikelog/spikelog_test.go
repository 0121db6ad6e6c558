package spikelog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"hmn/event"
	"hmn/network"
)

func TestRoundTrip(t *testing.T) {
	big := make([]network.Spike, 0, 300)
	for i := range 300 { // widths up to 62 bits
		big = append(big, network.Spike{At: event.Time(uint64(1)<<(i%62)) + event.Time(i), ID: math.MaxUint32 >> (i % 32)})
	}
	big = append(big, network.Spike{At: 1 << 62, ID: 7}, network.Spike{At: math.MaxInt64, ID: 7})
	sortSpikes(big)
	same := make([]network.Spike, 70_000)
	for i := range same {
		same[i] = network.Spike{At: 1 << 62, ID: uint32(i)}
	}
	cases := map[string][]network.Spike{
		"empty":              nil,
		"one":                {{At: 0, ID: 0}},
		"one late":           {{At: 1 << 62, ID: math.MaxUint32}},
		"negative":           {{At: math.MinInt64, ID: 3}, {At: -5, ID: 1}, {At: 0, ID: 0}, {At: math.MaxInt64, ID: 2}},
		"two equal":          {{At: 5, ID: 5}, {At: 5, ID: 5}},
		"wide":               big,
		"one time":           same,
		"one block":          same[:maxSpikes],
		"block and one":      same[:maxSpikes+1],
		"group":              same[:group],
		"group and one":      same[:group+1],
		"width 57 as 64":     {{At: 0, ID: 0}, {At: 1<<57 - 1, ID: 1}, {At: 1 << 57, ID: 1}},
		"width 56":           {{At: 0, ID: 0}, {At: 1<<56 - 1, ID: 1}, {At: 1 << 56, ID: 1}},
		"even unit 3·2^40ps": {{At: 0, ID: 9}, {At: 3 << 40, ID: 9}, {At: 9 << 40, ID: 9}},
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			checkRead(t, record(t, Meta{}, want), want)
		})
	}
}

func checkRead(t *testing.T, log []byte, want []network.Spike) {
	t.Helper()
	r := open(t, log)
	got, err := readAll(r)
	if err != nil || r.Damage() != nil {
		t.Fatalf("error %v, damage %v", err, r.Damage())
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%d spikes differ from the %d written", len(got), len(want))
	}
	if r.NumSpikes() != uint64(len(want)) {
		t.Fatalf("NumSpikes %d, want %d", r.NumSpikes(), len(want))
	}
}

// raster is one of many shapes: dense and sparse, on a grid, with many equal
// times, with few ids, repeated.
func raster(rng *rand.Rand) []network.Spike {
	n := rng.IntN(1 << (1 + rng.IntN(12)))
	if rng.IntN(20) == 0 {
		n += maxSpikes
	}
	gap := int64(1) << rng.IntN(47)
	step := event.Time(1)
	if rng.IntN(3) == 0 {
		step = event.Time(1 + rng.Int64N(1<<rng.IntN(36)))
	}
	ids := uint32(1) << rng.IntN(32)
	base := rng.Uint32N(math.MaxUint32 - ids)
	s := make([]network.Spike, n)
	at := event.Time(rng.Int64N(1 << 61))
	at -= at % step
	for i := range s {
		if rng.IntN(4) == 0 {
			d := event.Time(rng.Int64N(gap))
			at += d - d%step
		}
		s[i] = network.Spike{At: at, ID: base + rng.Uint32N(ids)}
	}
	sortSpikes(s)
	return s
}

func TestRoundTripProperty(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		want := raster(rng)
		var b bytes.Buffer
		w, err := NewWriter(&b, Meta{})
		if err != nil {
			t.Fatal(err)
		}
		for rest := want; len(rest) > 0; { // calls and flushes of any size
			k := min(len(rest), rng.IntN(1000))
			if err := w.WriteSpikes(rest[:k]); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			rest = rest[k:]
			if rng.IntN(30) == 0 {
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if w.Bytes() != int64(b.Len()) {
			t.Fatalf("seed %d: Bytes %d, file %d", seed, w.Bytes(), b.Len())
		}
		r := open(t, b.Bytes())
		got, err := readAll(r)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("seed %d: error %v; %d of %d spikes", seed, err, len(got), len(want))
		}
		// A range against a filter over all.
		if len(want) > 0 {
			span := int64(want[len(want)-1].At-want[0].At) + 2
			t0 := want[0].At + event.Time(rng.Int64N(span)) - 1
			t1 := t0 + event.Time(rng.Int64N(span))
			if rng.IntN(2) == 0 { // limits on spikes
				t0, t1 = want[rng.IntN(len(want))].At, want[rng.IntN(len(want))].At
			}
			var in, out []network.Spike
			for _, s := range want {
				if s.At >= t0 && s.At < t1 {
					in = append(in, s)
				}
			}
			for part, err := range r.Spikes(t0, t1) {
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, part...)
			}
			if !slices.Equal(in, out) {
				t.Fatalf("seed %d: range [%d, %d): %d spikes, want %d", seed, t0, t1, len(out), len(in))
			}
		}
		// The index that Close wrote is the one that a walk over the blocks finds.
		cut := open(t, b.Bytes()[:b.Len()-1])
		if !reflect.DeepEqual(cut.spikes, r.spikes) || cut.Damage() == nil {
			t.Fatalf("seed %d: rebuilt index differs", seed)
		}
	}
}

func TestSamples(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 2))
		n := []int{1, 3, 100, 20_000}[seed%4]
		even := rng.IntN(2) == 0
		m := Meta{Signals: []Signal{
			{Record: 3, What: "V_m", Of: "E", N: n, Every: event.Millisecond},
			{Record: 1, What: "rate", Of: "R", N: 2, Subset: []int{4, 9}},
		}}
		var b bytes.Buffer
		w, err := NewWriter(&b, m)
		if err != nil {
			t.Fatal(err)
		}
		var times []event.Time
		var values, rates []float64
		at := event.Time(-3)
		for range 1 + rng.IntN(200_000/n)%700 {
			at += event.Millisecond
			if !even {
				at += event.Time(rng.Int64N(1e6))
			}
			row := make([]float64, n)
			for j := range row {
				switch rng.IntN(40) {
				case 0:
					row[j] = math.NaN()
				case 1:
					row[j] = math.Inf(-1)
				case 2:
					row[j] = math.Copysign(0, -1)
				default:
					row[j] = -60 + rng.NormFloat64()
				}
			}
			times, values = append(times, at), append(values, row...)
			rates = append(rates, 1, float64(at))
			for _, err := range []error{w.WriteSamples(3, at, row), w.WriteSamples(1, at, rates[len(rates)-2:])} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if rng.IntN(100) == 0 {
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r := open(t, b.Bytes())
		if got := r.Meta(); !reflect.DeepEqual(got, m) {
			t.Fatalf("meta %+v, want %+v", got, m)
		}
		if r.NumSamples(3) != uint64(len(times)) || r.NumSamples(1) != uint64(len(times)) {
			t.Fatalf("seed %d: %d samples, want %d", seed, r.NumSamples(3), len(times))
		}
		check := func(record, n int, t0, t1 event.Time, times []event.Time, values []float64) {
			t.Helper()
			i, _ := slices.BinarySearch(times, t0)
			k, _ := slices.BinarySearch(times, t1)
			k = max(i, k)
			times, values = times[i:k], values[i*n:k*n]
			for s, err := range r.Samples(record, t0, t1) {
				if err != nil {
					t.Fatal(err)
				}
				k := len(s.Times)
				if k == 0 || k > len(times) || !slices.Equal(s.Times, times[:k]) || !sameBits(s.Values, values[:k*n]) {
					t.Fatalf("seed %d: record %d, [%d, %d): samples differ", seed, record, t0, t1)
				}
				times, values = times[k:], values[k*n:]
			}
			if len(times) > 0 {
				t.Fatalf("seed %d: record %d: %d samples missing", seed, record, len(times))
			}
		}
		check(3, n, math.MinInt64, math.MaxInt64, times, values)
		check(1, 2, math.MinInt64, math.MaxInt64, times, rates)
		for range 5 {
			t0, t1 := times[rng.IntN(len(times))], times[rng.IntN(len(times))]+event.Time(rng.IntN(2))
			check(3, n, t0, t1, times, values)
		}
		for _, err := range r.AllSamples(0) {
			if err == nil {
				t.Fatal("record 0 has no samples")
			}
		}
	}
}

func sameBits(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) })
}

// small is a log of several blocks of both kinds, one of them compressed, and
// its spikes.
func small(t testing.TB) ([]byte, []network.Spike) {
	rng := rand.New(rand.NewPCG(5, 5))
	s := poisson(rng, 50, 5, 40)
	last := s[len(s)-1].At
	for i := range 600 { // regular, so that zstd pays
		s = append(s, network.Spike{At: last + event.Time(1+i/20)*1e9, ID: uint32(i % 20)})
	}
	var b bytes.Buffer
	w, err := NewWriter(&b, Meta{Model: "m", Populations: []Population{{"E", 0, 50}}, Signals: []Signal{{Record: 1, What: "V_m", Of: "E", N: 2, Every: 1e9}}})
	if err != nil {
		t.Fatal(err)
	}
	at := event.Time(0)
	for _, part := range [][]network.Spike{s[:20], s[20:40], s[40:]} {
		err := errors.Join(w.WriteSpikes(part), w.WriteSamples(1, at, []float64{-60, rng.Float64()}), w.Flush())
		if err != nil {
			t.Fatal(err)
		}
		at += 1e9
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := open(t, b.Bytes())
	if len(r.spikes) != 3 || r.spikes[2].coding != codingZstd || r.spikes[0].coding != codingRaw {
		t.Fatalf("not the intended blocks: %+v", r.spikes)
	}
	return b.Bytes(), s
}

func isPrefix(got, want []network.Spike) bool {
	return len(got) <= len(want) && slices.Equal(got, want[:len(got)])
}

func TestTruncation(t *testing.T) {
	log, want := small(t)
	whole := open(t, log)
	for n := range len(log) {
		r, err := NewReader(bytes.NewReader(log[:n]), int64(n))
		if err != nil {
			if n > int(whole.spikes[0].off) {
				t.Fatalf("cut at %d: %v", n, err)
			}
			continue
		}
		d := r.Damage()
		if d == nil || d.At+d.Dropped != int64(n) || d.Reason == "" {
			t.Fatalf("cut at %d: damage %+v", n, d)
		}
		got, err := readAll(r)
		if err != nil || !isPrefix(got, want) {
			t.Fatalf("cut at %d: %v, %d spikes", n, err, len(got))
		}
		// No complete block is lost.
		complete := 0
		for _, e := range whole.spikes {
			if e.off+blockHeaderLen+int64(e.stored) <= int64(n) {
				complete += int(e.count)
			}
		}
		if len(got) != complete {
			t.Fatalf("cut at %d: %d spikes, complete blocks hold %d", n, len(got), complete)
		}
	}
}

func TestBitFlips(t *testing.T) {
	log, want := small(t)
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
			got, err := readAll(r)
			if !isPrefix(got, want) {
				t.Fatalf("byte %d bit %d: wrong spikes", i, bit)
			}
			if err != nil && !errors.Is(err, ErrDamaged) {
				t.Fatalf("byte %d bit %d: %v is not ErrDamaged", i, bit, err)
			}
			samples := 0
			var serr error
			for s, err := range r.AllSamples(1) {
				samples, serr = samples+len(s.Times), err
			}
			if err != nil || serr != nil || r.Damage() != nil {
				found++
			} else if len(got) != len(want) || samples != 3 {
				t.Fatalf("byte %d bit %d: data missing without a word", i, bit)
			}
		}
	}
	if found != 8*len(log) {
		t.Errorf("%d of %d flips found", found, 8*len(log))
	}
}

func TestVersion(t *testing.T) {
	log, _ := small(t)
	for _, fix := range []bool{true, false} {
		bad := bytes.Clone(log)
		binary.LittleEndian.PutUint32(bad[8:], 7)
		if fix {
			binary.LittleEndian.PutUint32(bad[12:], crc32.Checksum(bad[:12], castagnoli))
		}
		_, err := NewReader(bytes.NewReader(bad), int64(len(bad)))
		if !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "7") || !strings.Contains(err.Error(), "1") {
			t.Errorf("checksum right %v: %v, want both versions", fix, err)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.hmnlog")
	w, err := Create(path, Meta{})
	if err != nil {
		t.Fatal(err)
	}
	want := poisson(rand.New(rand.NewPCG(1, 1)), 10, 5, 100)
	if err := errors.Join(w.WriteSpikes(want), w.Sync()); err != nil {
		t.Fatal(err)
	}
	// A file that is still being written can be read.
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(r); err != nil || !slices.Equal(got, want) || r.Damage() == nil || r.Damage().Dropped != 0 {
		t.Fatalf("%d spikes, %v, %v", len(got), err, r.Damage())
	}
	if first, last, ok := r.Span(); !ok || first != want[0].At || last != want[99].At {
		t.Errorf("span %v to %v", first, last)
	}
	if err := errors.Join(r.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteSpikes(want); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := w.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if _, err := Create(path, Meta{}); !errors.Is(err, os.ErrExist) {
		t.Errorf("second Create: %v", err)
	}
	other := filepath.Join(dir, "b")
	if err := os.WriteFile(other, []byte("time_ms,neuron_id\n1,2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(other); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), other) {
		t.Errorf("another file: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestOrderAndShape(t *testing.T) {
	m := Meta{Signals: []Signal{{Record: 0, What: "V_m", Of: "E", N: 2}}}
	w, err := NewWriter(io.Discard, m)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.WriteSpikes([]network.Spike{{At: 5, ID: 3}, {At: 5, ID: 3}, {At: 6, ID: 1}}); err != nil {
		t.Fatal(err)
	}
	for _, s := range [][]network.Spike{{{At: 5, ID: 9}}, {{At: 6, ID: 0}}, {{At: 7, ID: 0}, {At: 6, ID: 5}}} {
		if err := w.WriteSpikes(s); !errors.Is(err, ErrOrder) {
			t.Errorf("%v: %v, want ErrOrder", s, err)
		}
	}
	if err := w.WriteSamples(0, 5, []float64{1, 2}); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteSamples(0, 5, []float64{1, 2}); !errors.Is(err, ErrOrder) {
		t.Errorf("same time: %v", err)
	}
	if w.WriteSamples(0, 6, []float64{1}) == nil || w.WriteSamples(1, 6, []float64{1, 2}) == nil || w.WriteSamples(-1, 6, nil) == nil {
		t.Error("wrong shape or record accepted")
	}
	for _, m := range []Meta{
		{Signals: []Signal{{N: 0}}},
		{Signals: []Signal{{N: 1}, {N: 1}}},
		{Signals: []Signal{{N: 1, Record: -1}}},
		{Signals: []Signal{{N: 2, Subset: []int{1}}}},
		{Populations: []Population{{"E", 5, 5}, {"I", 9, 1}}},
		{Populations: []Population{{"E", math.MaxUint32, 2}}},
	} {
		if _, err := NewWriter(io.Discard, m); err == nil {
			t.Errorf("%+v accepted", m)
		}
	}
}

// disk takes room bytes, then fails, in the middle of a Write.
type disk struct {
	bytes.Buffer
	room int
}

var errFull = errors.New("no space left on device")

func (d *disk) Write(b []byte) (int, error) {
	n := min(len(b), d.room)
	d.room -= n
	d.Buffer.Write(b[:n])
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

func TestFullDisk(t *testing.T) {
	want := poisson(rand.New(rand.NewPCG(1, 2)), 1e4, 5, 8*maxSpikes)
	full := len(record(t, Meta{}, want))
	for _, room := range []int{0, 100, full / 3, full / 2, full - 500, full - 1} {
		d := &disk{room: room}
		w, err := NewWriter(d, Meta{})
		if err != nil {
			if room > 200 || !errors.Is(err, errFull) {
				t.Fatalf("room %d: %v", room, err)
			}
			continue
		}
		for i := 0; i < len(want); i += 1000 {
			if err = w.WriteSpikes(want[i:min(i+1000, len(want))]); err != nil {
				break
			}
		}
		if err != nil && !errors.Is(err, errFull) {
			t.Fatalf("room %d: WriteSpikes: %v", room, err)
		}
		if room < full/2+1 && err == nil {
			err = w.Flush()
			if !errors.Is(err, errFull) {
				t.Fatalf("room %d: Flush: %v", room, err)
			}
		}
		if err := w.Close(); !errors.Is(err, errFull) {
			t.Fatalf("room %d: Close: %v", room, err)
		}
		r := open(t, d.Bytes())
		got, err := readAll(r)
		if err != nil || !isPrefix(got, want) || r.Damage() == nil {
			t.Fatalf("room %d: %v, %d spikes", room, err, len(got))
		}
		if complete := room * 8 / full * maxSpikes; len(got) < complete-maxSpikes {
			t.Errorf("room %d: %d spikes, want about %d", room, len(got), complete)
		}
	}
	// A destination that writes less than asked without an error.
	if _, err := NewWriter(short{}, Meta{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("short write: %v", err)
	}
}

type short struct{}

func (short) Write(b []byte) (int, error) { return len(b) / 2, nil }

// TestFullDevice writes to a real device that is full.
func TestFullDevice(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here:", err)
	}
	if _, err := NewWriter(f, Meta{}); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("%v", err)
	}
}

// gate lets the head of the file pass and holds the rest until it is opened.
type gate struct {
	opened chan struct{}
	writes int
}

func (g *gate) Write(b []byte) (int, error) {
	if g.writes++; g.writes > 2 {
		<-g.opened
	}
	return len(b), nil
}

func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{opened: make(chan struct{})}
		w, err := NewWriter(g, Meta{Signals: []Signal{{N: 1 << 17}}})
		if err != nil {
			t.Fatal(err)
		}
		var spikes atomic.Int64
		done := make(chan error)
		const total = 12 * maxSpikes
		go func() {
			part := make([]network.Spike, 1000)
			for i := 0; i < total; i += len(part) {
				for j := range part {
					part[j].At = event.Time(i + j)
				}
				if err := w.WriteSpikes(part); err != nil {
					done <- err
					return
				}
				spikes.Add(int64(len(part)))
			}
			done <- nil
		}()
		synctest.Wait() // everything waits: the writer for the gate, the caller for a buffer
		if n := spikes.Load(); n > spikeBuffers*maxSpikes || n < (spikeBuffers-1)*maxSpikes {
			t.Errorf("%d spikes taken while the file stands still, want at most %d", n, spikeBuffers*maxSpikes)
		}
		if w.spikes.made != spikeBuffers {
			t.Errorf("%d buffers, want %d", w.spikes.made, spikeBuffers)
		}
		close(g.opened)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWriteDoesNotAllocate(t *testing.T) {
	w, err := NewWriter(io.Discard, Meta{Signals: []Signal{{N: 100}}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := poisson(rand.New(rand.NewPCG(3, 3)), 1e4, 5, 3000)
	v := make([]float64, 100)
	at := event.Time(0)
	span := s[len(s)-1].At + 1
	write := func() {
		for i := range s {
			s[i].At += span
		}
		at++
		if err := errors.Join(w.WriteSpikes(s), w.WriteSamples(0, at, v)); err != nil {
			t.Fatal(err)
		}
	}
	for range 1500 { // all buffers and the encoder's exist after this
		write()
	}
	if a := testing.AllocsPerRun(500, write); a > 0 {
		t.Errorf("%g allocations per call, want 0", a)
	}
}

// TestAdaptiveZstd: a raster that starts to repeat is compressed again.
func TestAdaptiveZstd(t *testing.T) {
	s := poisson(rand.New(rand.NewPCG(3, 3)), 1e4, 5, 20*maxSpikes)
	last := s[len(s)-1].At
	for i := range 70 * maxSpikes {
		s = append(s, network.Spike{At: last + event.Time(1+i/1000)*77_005_300_123, ID: uint32(i % 1000)})
	}
	r := open(t, record(t, Meta{}, s))
	n := 0
	for i, e := range r.spikes {
		if e.coding == codingZstd {
			n++
		} else if i > 20+65 {
			t.Errorf("block %d is not compressed", i)
		}
	}
	if n < 10 {
		t.Errorf("%d blocks compressed", n)
	}
}

// TestClaims: a header that is consistent with its checksum but claims sizes
// that the file cannot hold is refused without allocating them.
func TestClaims(t *testing.T) {
	claims := []header{
		{kind: kindSpikes, count: maxSpikes + 1, raw: 100, stored: 100},
		{kind: kindSpikes, count: 0, raw: 100, stored: 100},
		{kind: kindSpikes, coding: codingZstd, count: 5, raw: 1 << 31, stored: 100},
		{kind: kindSpikes, coding: 3, count: 5, raw: 100, stored: 100},
		{kind: kindSpikes, count: 5, raw: 90, stored: 100},
		{kind: kindSpikes, count: 5, raw: 100, stored: 100, tMin: 1},
		{kind: kindSpikes, count: maxSpikes, raw: 100, stored: 100},
		{kind: kindSpikes, coding: codingZstd, count: 5, raw: 4 << 20, stored: 100},
		{kind: kindSamples, count: 1 << 31, raw: 100, stored: 100},
		{kind: kindSamples, record: 7, count: 1, raw: 100, stored: 100},
		{kind: 9, raw: 100, stored: 100},
		{kind: kindUpdates, count: maxSpikes + 1, raw: 100, stored: 100},
		{kind: kindUpdates, count: 0, raw: 100, stored: 100},
		{kind: kindUpdates, count: maxSpikes, raw: 100, stored: 100},
		{kind: kindCandidates, count: maxSpikes, raw: 100, stored: 100},
		{kind: kindMeta, raw: 100, stored: 100},
	}
	for _, h := range claims {
		var b bytes.Buffer
		w, err := NewWriter(&b, Meta{Projections: []Projection{{Updates: true}}, Signals: []Signal{{N: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		h.seq = 1
		block := make([]byte, blockHeaderLen+int(h.stored))
		seal(block, &h)
		log := append(b.Bytes(), block...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := NewReader(bytes.NewReader(log), int64(len(log)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := readAll(r)
		us, uerr := gather(r.AllUpdates())
		cs, cerr := gather(r.AllCandidates())
		err = errors.Join(err, uerr, cerr)
		runtime.ReadMemStats(&after)
		if len(got)+len(us)+len(cs) > 0 || err == nil && r.Damage().At == int64(len(log)) {
			t.Errorf("%+v: accepted", h)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
			t.Errorf("%+v: %d B allocated", h, n)
		}
		w.Close()
	}
}

func FuzzReader(f *testing.F) {
	log, _ := small(f)
	f.Add(log)
	f.Add(log[:len(log)-1])
	f.Add(log[:300])
	learning, _, _ := smallLearning(f)
	f.Add(learning)
	f.Add(fileHeader(Version))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		// Arbitrary bytes seldom have right checksums, so they are also tried
		// with the checksums that make them blocks.
		for range 2 {
			fuzzRead(t, b)
			b = reseal(b)
		}
	})
}

func fuzzRead(t *testing.T, b []byte) {
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return
	}
	defer r.Close()
	fuzzLearning(t, r)
	got, err := readAll(r)
	if err == nil && uint64(len(got)) != r.NumSpikes() {
		t.Fatalf("%d spikes, NumSpikes %d", len(got), r.NumSpikes())
	}
	for _, s := range r.Meta().Signals {
		for s, err := range r.AllSamples(s.Record) {
			if err == nil && len(s.Values) != len(s.Times)*s.N {
				t.Fatal("shape")
			}
		}
	}
	// What decodes encodes back to equal content, if it is in order of id too.
	if err != nil || len(got) == 0 || !slices.IsSortedFunc(got, bySpike) {
		return
	}
	again, err := readAll(open(t, record(t, Meta{}, got)))
	if err != nil || !slices.Equal(again, got) {
		t.Fatalf("%d spikes encode to %d: %v", len(got), len(again), err)
	}
}

// reseal makes the checksums of whatever looks like a block right.
func reseal(b []byte) []byte {
	b = bytes.Clone(b)
	if len(b) >= fileHeaderLen {
		copy(b, fileHeader(Version))
	}
	seq := uint32(0)
	for off := fileHeaderLen; off+blockHeaderLen <= len(b); seq++ {
		h := fields(b[off+4:])
		h.seq = seq
		end := off + blockHeaderLen + int(h.stored)
		if end > len(b) {
			break
		}
		seal(b[off:end], &h)
		off = end
	}
	return b
}
