package neuron

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
)

func mustTrain(t testing.TB, model string, v quantity.Values, n int, seed uint64, trains [][]event.Time) Train {
	t.Helper()
	tr, err := NewTrain(model, v, n, seed, "pop", trains)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func rateHz(r float64) quantity.Values { return quantity.Values{"rate": {Number: r}} }

// trainCases has one train of each kind, and lengths that hold some spikes.
func trainCases(t testing.TB, seed uint64) map[string]struct {
	Train
	n      int
	length event.Time
} {
	type c = struct {
		Train
		n      int
		length event.Time
	}
	listed := [][]event.Time{{0, 3, 3, 4e9}, {}, {3, 5e9, 5e9 + 1}}
	steps := quantity.Values{"rate_steps": {Steps: [][2]float64{{10, 500}, {500, 0}, {1500, 2000}}}}
	sine := quantity.Values{"sinusoid": {Sine: &quantity.Sinusoid{Mean: 50, Amplitude: 60, Frequency: 7, Phase: 1}}}
	file := quantity.Values{"rates_file": {Table: []quantity.Step{{Neuron: -1, Time: 0, Value: 2}, {Neuron: 1, Time: 100, Value: 3000}, {Neuron: 1, Time: 200, Value: 0}}}}
	return map[string]c{
		"poisson 0.3 Hz":  {mustTrain(t, "poisson", rateHz(0.3), 9, seed, nil), 9, 5 * event.Second},
		"poisson 5 Hz":    {mustTrain(t, "poisson", rateHz(5), 9, seed, nil), 9, 3 * event.Second},
		"poisson 700 Hz":  {mustTrain(t, "poisson", rateHz(700), 9, seed, nil), 9, 200 * event.Millisecond},
		"poisson 20 kHz":  {mustTrain(t, "poisson", rateHz(20e3), 5, seed, nil), 5, 10 * event.Millisecond},
		"poisson 10 MHz":  {mustTrain(t, "poisson", rateHz(1e7), 5, seed, nil), 5, 20 * event.Microsecond},
		"steps":           {mustTrain(t, "poisson", steps, 5, seed, nil), 5, 2 * event.Second},
		"sinusoid":        {mustTrain(t, "poisson", sine, 5, seed, nil), 5, event.Second},
		"file":            {mustTrain(t, "poisson", file, 3, seed, nil), 3, 2 * event.Second},
		"correlated":      {mustTrain(t, "correlated_poisson", quantity.Values{"rate": {Number: 40}, "correlation": {Number: 0.2}}, 7, seed, nil), 7, event.Second},
		"correlated fast": {mustTrain(t, "correlated_poisson", quantity.Values{"rate": {Number: 1e6}, "correlation": {Number: 1e-3}}, 7, seed, nil), 7, 10 * event.Microsecond},
		"listed":          {mustTrain(t, "spike_train", nil, 3, seed, listed), 3, 6 * event.Millisecond},
	}
}

// The spikes do not depend on how the interval or the population is cut, nor on
// whether a Reader reads them.
func TestTrainPure(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		rng := rand.New(rand.NewPCG(seed, 7))
		for name, c := range trainCases(t, seed) {
			whole := c.Spikes(0, c.n, 0, c.length, nil)
			if seed == 1 && len(whole) == 0 && name != "correlated fast" {
				t.Errorf("%s: no spikes to compare", name)
			}
			if !slices.IsSortedFunc(whole, bySpike) {
				t.Fatalf("%s, seed %d: not in order of (time, neuron)", name, seed)
			}
			for _, s := range whole {
				if s.At < 0 || s.At >= c.length || int(s.Neuron) >= c.n {
					t.Fatalf("%s, seed %d: %v outside [0, %v) or population", name, seed, s, c.length)
				}
			}
			if got := c.Spikes(0, c.n, -c.length, c.length, nil); !slices.Equal(got, whole) {
				t.Errorf("%s, seed %d: negative times give spikes", name, seed)
			}
			var parts, read []TrainSpike
			r := NewReader(c.Train, 0, c.n)
			for from := event.Time(0); from < c.length; {
				to := from + 1 + event.Time(rng.Int64N(int64(c.length)/7))
				if len(whole) > 0 && rng.IntN(3) == 0 { // a cut exactly at a spike
					if s := whole[rng.IntN(len(whole))].At; s > from {
						to = s
					}
				}
				to = min(to, c.length)
				parts = c.Spikes(0, c.n, from, to, parts)
				read = append(read, r.Spikes(from, to)...)
				from = to
			}
			if !slices.Equal(parts, whole) {
				t.Errorf("%s, seed %d: cut in time: %d spikes, whole %d", name, seed, len(parts), len(whole))
			}
			if !slices.Equal(read, whole) {
				t.Errorf("%s, seed %d: Reader: %d spikes, whole %d", name, seed, len(read), len(whole))
			}
			for range 20 { // any order of windows
				from := event.Time(rng.Int64N(int64(c.length)))
				to := from + event.Time(rng.Int64N(int64(c.length-from)))
				if got, want := r.Spikes(from, to), c.Spikes(0, c.n, from, to, nil); !slices.Equal(got, want) {
					t.Fatalf("%s, seed %d: Reader out of order: [%v, %v): %v, want %v", name, seed, from, to, got, want)
				}
			}
			cut := rng.IntN(c.n + 1)
			split := c.Spikes(cut, c.n, 0, c.length, c.Spikes(0, cut, 0, c.length, nil))
			slices.SortFunc(split, bySpike)
			if !slices.Equal(split, whole) {
				t.Errorf("%s, seed %d: cut at neuron %d: %d spikes, whole %d", name, seed, cut, len(split), len(whole))
			}
		}
	}
}

func TestTrainSeeds(t *testing.T) {
	a, b := trainCases(t, 1), trainCases(t, 2)
	for name, c := range a {
		if name == "listed" || name == "correlated fast" {
			continue
		}
		if slices.Equal(c.Spikes(0, c.n, 0, c.length, nil), b[name].Spikes(0, c.n, 0, c.length, nil)) {
			t.Errorf("%s: seeds 1 and 2 give the same spikes", name)
		}
	}
	other, err := NewTrain("poisson", rateHz(5), 9, 1, "pop2", nil)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(other.Spikes(0, 9, 0, 3*event.Second, nil), a["poisson 5 Hz"].Spikes(0, 9, 0, 3*event.Second, nil)) {
		t.Error("two populations have the same spikes")
	}
}

// Counts in bins that do not fit the cells have mean and variance r·T, and are
// independent between neurons and between neighbouring bins.
func TestPoissonCounts(t *testing.T) {
	for _, rate := range []float64{0.3, 5, 123, 700, 1500, 20e3, 3e6} {
		const n, bins = 50, 200
		mean := 3.7
		bin := event.Time(mean / rate * 1e12)
		mean = rate * float64(bin) * 1e-12
		tr := mustTrain(t, "poisson", rateHz(rate), n, 3, nil)
		count := make([]float64, n*bins)
		for _, s := range tr.Spikes(0, n, 0, bins*bin, nil) {
			count[int(s.Neuron)*bins+int(s.At/bin)]++
		}
		var m, v, next, across float64
		for k, c := range count {
			m += c / (n * bins)
			v += (c - mean) * (c - mean) / (n * bins)
			next += (c - mean) * (count[(k+1)%len(count)] - mean) / (n * bins)
			across += (c - mean) * (count[(k+bins)%len(count)] - mean) / (n * bins)
		}
		check := func(what string, got, want, variance float64) {
			if sd := math.Sqrt(variance / (n * bins)); !(math.Abs(got-want) < 4*sd) {
				t.Errorf("%g Hz: %s of counts %g, want %g ± 4·%g", rate, what, got, want, sd)
			}
		}
		check("mean", m, mean, mean)
		check("variance", v, mean, mean+2*mean*mean) // Var (c−λ)² = λ + 2λ²
		check("covariance of neighbouring bins", next, 0, mean*mean)
		check("covariance of neurons", across, 0, mean*mean)
	}
}

// Kolmogorov–Smirnov: intervals are exponential. √n D > 1.95 has probability
// 2 exp(−2·1.95²) = 1e-3; the seeds are fixed.
func TestPoissonIntervals(t *testing.T) {
	cases := map[string]quantity.Values{
		"steps":    {"rate_steps": {Steps: [][2]float64{{0, 800}}}},
		"sinusoid": {"sinusoid": {Sine: &quantity.Sinusoid{Mean: 800}}},
	}
	for _, r := range []float64{2, 300, 800, 20e3} {
		cases[fmt.Sprintf("%g Hz", r)] = rateHz(r)
	}
	for name, v := range cases {
		rate := max(v["rate"].Number, 800)
		if v["rate"].Number > 0 {
			rate = v["rate"].Number
		}
		tr := mustTrain(t, "poisson", v, 1, 11, nil)
		s := tr.Spikes(0, 1, 0, event.Time(5000/rate*1e12), nil)
		var gaps []float64
		for k := range s[1:] {
			gaps = append(gaps, (s[k+1].At-s[k].At).Seconds()*rate)
		}
		slices.Sort(gaps)
		d := 0.0
		for k, g := range gaps {
			f := 1 - math.Exp(-g)
			d = max(d, f-float64(k)/float64(len(gaps)), float64(k+1)/float64(len(gaps))-f)
		}
		if d *= math.Sqrt(float64(len(gaps))); len(gaps) < 4000 || d > 1.95 {
			t.Errorf("%s: %d intervals, √n D = %g, want < 1.95", name, len(gaps), d)
		}
	}
}

// Offsets are uniform in the cell: χ² of 64 bins within 4 standard deviations.
func TestPoissonOffsetsUniform(t *testing.T) {
	for _, rate := range []float64{3, 450, 20e3} {
		p := newPoissonTrain(rate, poissonCell(rate), random.NewKey(1, random.StreamPoisson, 2))
		var bins [64]float64
		var buf [cellMax]event.Time
		total := 0.0
		for c := range uint64(20000) {
			for _, o := range buf[:p.wideOffsets(5, c, &buf)] {
				bins[o*64/p.cell]++
				total++
			}
		}
		chi := 0.0
		for _, b := range bins {
			chi += (b - total/64) * (b - total/64) / (total / 64)
		}
		if math.Abs(chi-63) > 4*math.Sqrt(2*63) {
			t.Errorf("%g Hz: χ² = %g, want 63 ± %g", rate, chi, 4*math.Sqrt(2*63.0))
		}
	}
}

func TestPoissonCell(t *testing.T) {
	for _, c := range []struct {
		rate float64
		want event.Time
	}{
		{0, event.Second}, {10, event.Second}, {10.1, 500e9}, {21, 200e9}, {399, 20e9}, {400, 4e9}, {2500, 4e9},
		{2501, 2e9}, {20e3, 5e8}, {20001, 2e8}, {1e7, 1e6}, {1e9, 10000},
	} {
		if got := poissonCell(c.rate); got != c.want {
			t.Errorf("cell at %g Hz: %v ms, want %v ms", c.rate, got, c.want)
		}
	}
}

func TestDriveIsTrain(t *testing.T) {
	for _, rate := range []float64{400, 800, 1500, 3000, 20e3, 1e7} {
		key := random.NewKey(9, random.StreamPoisson, random.Name("pop"))
		d, ok := NewPoissonDrive(rate, key)
		if !ok {
			t.Fatalf("no drive at %g Hz", rate)
		}
		tr := mustTrain(t, "poisson", rateHz(rate), 4, 9, nil)
		const cells = 300
		var buf [64]uint32
		var got []TrainSpike
		for c := range int64(cells) {
			for i := range uint32(4) {
				for _, o := range d.Offsets(i, c, &buf) {
					got = append(got, TrainSpike{event.Time(c)*d.Cell + event.Time(o), i})
				}
			}
		}
		slices.SortFunc(got, bySpike)
		if want := tr.Spikes(0, 4, 0, cells*d.Cell, nil); !slices.Equal(got, want) {
			t.Errorf("%g Hz: drive gives %d spikes, train %d", rate, len(got), len(want))
		}
	}
	for _, rate := range []float64{0, 5, 399} {
		if _, ok := NewPoissonDrive(rate, random.Key(0)); ok {
			t.Errorf("a drive at %g Hz, whose cells exceed 32 bits", rate)
		}
	}
}

// A window's arrivals are the train's spikes in it, wherever it begins and ends
// and whatever the cells.
func TestDriveWindows(t *testing.T) {
	for seed := uint64(1); seed <= 300; seed++ {
		rng := rand.New(rand.NewPCG(seed, 2))
		mean := 0.1 + 9.9*rng.Float64()
		cell := event.Time(math.Exp(math.Log(1e3) + rng.Float64()*math.Log(math.MaxUint32/1e3)))
		rate := mean / cell.Seconds()
		d, ok := NewPoissonDriveCell(rate, cell, random.NewKey(seed, random.StreamPoisson, 1))
		if !ok || d.Cell != cell {
			t.Fatalf("seed %d: no drive at %g Hz with cells of %d ps", seed, rate, cell)
		}
		for range 20 {
			from := cell*event.Time(rng.IntN(1000)) + event.Time(rng.IntN(2))*event.Time(rng.Int64N(int64(cell)))
			if rng.IntN(10) == 0 { // begins before 0
				from = -event.Time(rng.Int64N(3 * int64(cell)))
			}
			span := min(1+event.Time(rng.Float64()*rng.Float64()*8*float64(cell)), math.MaxUint32)
			if rng.IntN(3) == 0 {
				span = min(cell*event.Time(1+rng.IntN(5)), math.MaxUint32/cell*cell)
			}
			w := d.Window(from, from+span)
			buf := make([]uint32, w.Max())
			i := rng.Uint32N(1000)
			var got []TrainSpike
			for _, o := range w.Arrivals(i, buf) {
				got = append(got, TrainSpike{from + event.Time(o), i})
			}
			slices.SortFunc(got, bySpike)
			if want := d.Spikes(int(i), int(i)+1, from, from+span, nil); !slices.Equal(got, want) {
				t.Fatalf("seed %d: [%d, %d) ps, cells of %d ps: %v, want %v", seed, from, from+span, cell, got, want)
			}
		}
	}
	for _, bad := range []struct {
		rate float64
		cell event.Time
	}{{0, 1e6}, {math.NaN(), 1e6}, {1e3, 1 << 32}, {5e4, 2e8}, {1e3, 0}} {
		if _, ok := NewPoissonDriveCell(bad.rate, bad.cell, 1); ok == (bad.rate != 5e4) {
			t.Errorf("%v: ok = %v", bad, ok)
		}
	}
	if _, ok := NewPoissonDriveCell(20e3, 6e8, 1); ok {
		t.Error("a drive with 12 events per cell")
	}
}

func TestPair(t *testing.T) {
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 5))
		key := random.Key(rng.Uint64())
		i, block := rng.Uint64()>>32, rng.Uint64()>>1
		a, b, a1, b1 := newPoissonTrain(5, event.Millisecond, key).pair(i, block)
		wa, wb := key.At(i, block)
		wa1, wb1 := key.At(i, block+1)
		if a != wa || b != wb || a1 != wa1 || b1 != wb1 {
			t.Fatalf("seed %d: blocks %x %x, %x %x, want %x %x, %x %x", seed, a, b, a1, b1, wa, wb, wa1, wb1)
		}
	}
}

// The same spikes on every architecture and in every later version.
func TestTrainGolden(t *testing.T) {
	cases := trainCases(t, 1)
	h := fnv.New64a()
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		c := cases[name]
		for _, s := range c.Spikes(0, c.n, 0, c.length, nil) {
			fmt.Fprintln(h, name, int64(s.At), s.Neuron)
		}
	}
	if got, want := h.Sum64(), uint64(0x2555d0206ee49217); got != want {
		t.Errorf("hash of all spikes %#x, want %#x", got, want)
	}
}

// Cells with many more events than any real one: every offset is written, and
// no two are the same word.
func TestOffsetsFull(t *testing.T) {
	for _, ahead := range []uint64{6, 10, 14} {
		testOffsetsFull(t, ahead)
	}
}

func testOffsetsFull(t *testing.T, ahead uint64) {
	p := newPoissonTrain(20e3, poissonCell(20e3), random.NewKey(1, random.StreamPoisson, 1))
	p.ahead = ahead
	table := random.NewPoissonTable(random.MaxTableMean)
	p.table = &table
	most, same := 0, 0
	for c := range uint64(5000) {
		var narrow [cellMax]uint32
		var wide [cellMax]event.Time
		n := p.offsets(0, c, &narrow)
		p.wide = true
		if m := p.wideOffsets(0, c, &wide); m != n {
			t.Fatalf("cell %d: %d narrow, %d wide", c, n, m)
		}
		p.wide = false
		for k := range n {
			if slices.Contains(narrow[:k], narrow[k]) {
				same++
			}
			if slices.Contains(wide[:k], wide[k]) {
				same++
			}
		}
		most = max(most, n)
	}
	// 1e4 cells · 32²/2 pairs / 5e8 ps = 0.01 equal pairs expected.
	if most < 48 || same > 1 {
		t.Errorf("greatest count %d of a mean of 32, %d equal offsets", most, same)
	}
}

func TestOffsetsAllocs(t *testing.T) {
	d, _ := NewPoissonDrive(20e3, random.NewKey(1, random.StreamPoisson, 1))
	var buf [64]uint32
	c := int64(0)
	if a := testing.AllocsPerRun(1000, func() { d.Offsets(3, c, &buf); c++ }); a != 0 {
		t.Errorf("Offsets allocates %g times", a)
	}
	w := d.Window(event.Millisecond/3, 2*event.Millisecond)
	long := make([]uint32, w.Max())
	if a := testing.AllocsPerRun(1000, func() { w.Arrivals(3, long) }); a != 0 {
		t.Errorf("Arrivals allocates %g times", a)
	}
	tr := mustTrain(t, "poisson", rateHz(20e3), 100, 1, nil)
	dst := make([]TrainSpike, 0, 10000)
	if a := testing.AllocsPerRun(10, func() { tr.Spikes(0, 100, 0, event.Millisecond, dst) }); a != 0 {
		t.Errorf("Spikes allocates %g times", a)
	}
}

// Phase histogram against the integral of the rate over each bin.
func TestSinusoid(t *testing.T) {
	for _, s := range []quantity.Sinusoid{
		{Mean: 100, Amplitude: 80, Frequency: 10, Phase: 0.4},
		{Mean: 50, Amplitude: 100, Frequency: 40, Phase: -2}, // cut at 0
		{Mean: 30, Amplitude: 0, Frequency: 1},
	} {
		const n, bins, cycles = 200, 20, 20
		tr := mustTrain(t, "poisson", quantity.Values{"sinusoid": {Sine: &s}}, n, 5, nil)
		period := event.Time(1e12 / s.Frequency)
		var got [bins]float64
		for _, x := range tr.Spikes(0, n, 0, cycles*period, nil) {
			got[(x.At%period)*bins/period]++
		}
		for b := range got {
			want := 0.0
			const fine = 1000
			for k := range fine {
				x := (float64(b) + (float64(k)+0.5)/fine) / bins
				want += max(0, s.Mean+s.Amplitude*math.Sin(2*math.Pi*x+s.Phase)) / fine
			}
			want *= period.Seconds() / bins * n * cycles
			if math.Abs(got[b]-want) > 4*math.Sqrt(want)+1e-9 {
				t.Errorf("%+v: bin %d: %g spikes, want %g ± %g", s, b, got[b], want, 4*math.Sqrt(want))
			}
		}
	}
}

func TestRateSteps(t *testing.T) {
	const n = 400
	segments := func(name string, tr Train, lo, hi int, ends []event.Time, rates []float64) {
		for k, r := range rates {
			want := r * (ends[k+1] - ends[k]).Seconds() * float64(hi-lo)
			got := float64(len(tr.Spikes(lo, hi, ends[k], ends[k+1], nil)))
			if math.Abs(got-want) > 4*math.Sqrt(want) {
				t.Errorf("%s: [%v, %v) ms: %g spikes, want %g ± %g", name, ends[k], ends[k+1], got, want, 4*math.Sqrt(want))
			}
		}
	}
	ms := func(x ...float64) (t []event.Time) {
		for _, x := range x {
			at, _, _ := event.FromMS(x)
			t = append(t, at)
		}
		return t
	}
	segments("steps", mustTrain(t, "poisson", quantity.Values{"rate_steps": {Steps: [][2]float64{{100, 40}, {300.5, 0}, {400, 5}, {450, 300}}}}, n, 1, nil),
		0, n, ms(0, 100, 300.5, 400, 450, 700), []float64{0, 40, 0, 5, 300})
	file := quantity.Values{"rates_file": {Table: []quantity.Step{{Neuron: -1, Time: 50, Value: 20}, {Neuron: 2, Time: 50, Value: 1e5}, {Neuron: 2, Time: 80, Value: 3}, {Neuron: 3, Time: 0, Value: 4000}}}}
	tr := mustTrain(t, "poisson", file, n, 1, nil)
	segments("file, all", tr, 4, n, ms(0, 50, 500), []float64{0, 20})
	segments("file, 2", tr, 2, 3, ms(0, 50, 80, 5000), []float64{0, 1e5, 3})
	segments("file, 3", tr, 3, 4, ms(0, 50, 500), []float64{4000, 20})
}

// Count correlation c between trains; each train Poisson at its rate.
func TestCorrelated(t *testing.T) {
	for _, c := range []float64{0.1, 0.5, 1} {
		const n, bins, rate = 4, 4000, 50.0
		bin := 400 * event.Millisecond // mean count 20
		tr := mustTrain(t, "correlated_poisson", quantity.Values{"rate": {Number: rate}, "correlation": {Number: c}}, n, 17, nil)
		count := make([][]float64, n)
		for i := range count {
			count[i] = make([]float64, bins)
		}
		for _, s := range tr.Spikes(0, n, 0, bins*bin, nil) {
			count[s.Neuron][s.At/bin]++
		}
		mean := rate * bin.Seconds()
		cov := func(i, j int) (v float64) {
			for k := range bins {
				v += (count[i][k] - mean) * (count[j][k] - mean) / bins
			}
			return v
		}
		for i := range n {
			if v, sd := cov(i, i), math.Sqrt((mean+2*mean*mean)/bins); math.Abs(v-mean) > 4*sd {
				t.Errorf("c = %g: variance of train %d: %g, want %g ± 4·%g", c, i, v, mean, sd)
			}
			for j := range i {
				// For near-normal counts the estimate has variance (1 + c²)/bins.
				if got, sd := cov(i, j)/mean, math.Sqrt((1+c*c+1/mean)/bins); math.Abs(got-c) > 4*sd {
					t.Errorf("correlation of trains %d and %d: %g, want %g ± 4·%g", i, j, got, c, sd)
				}
			}
		}
		if c == 1 && !slices.Equal(count[0], count[3]) {
			t.Error("c = 1: trains differ")
		}
	}
}

func BenchmarkPoissonDrive(b *testing.B) {
	for _, c := range []struct {
		rate   float64
		cell   event.Time // 0: the drive's own
		window event.Time
	}{{20e3, 0, 1.5e9}, {20e3, 2e8, 1.5e9}, {20e3, 0, 1e8}, {20e3, 1e8, 1e8}, {8e3, 0, 1.5e9}, {800, 0, 1.5e9}, {800, 1.5e9, 1.5e9}} {
		if c.cell == 0 {
			c.cell = poissonCell(c.rate)
		}
		b.Run(fmt.Sprintf("rate=%g,cell=%vms,window=%vms", c.rate, c.cell, c.window), func(b *testing.B) {
			d, ok := NewPoissonDriveCell(c.rate, c.cell, random.NewKey(1, random.StreamPoisson, 1))
			if !ok {
				b.Fatal("no drive")
			}
			var buf []uint32
			var sum uint32
			events, from := 0, event.Time(0)
			b.ReportAllocs()
			for b.Loop() {
				w := d.Window(from, from+c.window)
				if buf == nil || len(buf) < w.Max() {
					buf = make([]uint32, 2*w.Max())
				}
				for i := range uint32(1000) {
					at := w.Arrivals(i, buf)
					events += len(at)
					for _, x := range at {
						sum += x
					}
				}
				from += c.window
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
	}
}

func BenchmarkTrain(b *testing.B) {
	for _, rate := range []float64{5, 800} {
		b.Run(fmt.Sprintf("neurons=1000,rate=%g,window=1ms", rate), func(b *testing.B) {
			r := NewReader(mustTrain(b, "poisson", rateHz(rate), 1000, 1, nil), 0, 1000)
			at, events := event.Time(0), 0
			for b.Loop() {
				events += len(r.Spikes(at, at+event.Millisecond))
				at += event.Millisecond
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
	}
}
