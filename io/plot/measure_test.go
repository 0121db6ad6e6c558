package plot

import (
	"math"
	"testing"

	"gonum.org/v1/plot/vg"

	"hmn/event"
	"hmn/network"
)

func TestMeasure(t *testing.T) {
	ms := event.Millisecond
	pops := []Population{{"b", 10, 1}, {"a", 0, 2}}
	s := []network.Spike{{At: 100 * ms, ID: 0}, {At: 110 * ms, ID: 0}, {At: 115 * ms, ID: 1}, {At: 120 * ms, ID: 5}, {At: 140 * ms, ID: 0}, {At: 149 * ms, ID: 10}}
	m := measure(pops, s, 100*ms, 150*ms, 20*ms)
	// Intervals 10 and 30: mean 20, sd (over n) 10. Neuron 1 has one spike.
	if a := m[1]; a.spikes != 4 || a.rate != 40 || len(a.cvs) != 1 || math.Abs(a.cv-0.5) > 1e-15 {
		t.Errorf("population a: %+v, want 4 spikes, 40 Hz, one CV of 0.5", a)
	}
	// The last bin is 10 ms long: 1 spike of 2 neurons.
	for k, want := range []float64{75, 0, 50} {
		if got := m[1].bins[k]; math.Abs(got-want) > 1e-9 {
			t.Errorf("bin %d of a: %g Hz, want %g", k, got, want)
		}
	}
	if b := m[0]; b.spikes != 1 || math.Abs(b.bins[2]-100) > 1e-9 || len(b.cvs) != 0 {
		t.Errorf("population b: %+v, want one spike in the last bin, no CV", b)
	}
}

// Every row of a band shows exactly one neuron, and these are evenly spaced.
func TestSamplingIsEven(t *testing.T) {
	for _, n := range []int{1, 2, 7, 100, 999, 20683} {
		for _, shown := range []int{1, 2, 3, 7, 99, 100, 500} {
			if shown > n {
				continue
			}
			b := band{n: n, shown: shown, bottom: 1}
			next, last := 0, 0
			for i := range n {
				k, ok := b.row(i)
				if !ok {
					continue
				}
				if k != next {
					t.Fatalf("n = %d, shown = %d: neuron %d in row %d, want %d", n, shown, i, k, next)
				}
				if gap := i - last; next > 0 && (gap < n/shown || gap > n/shown+1) {
					t.Fatalf("n = %d, shown = %d: %d neurons between rows %d and %d", n, shown, gap, k-1, k)
				}
				last = i
				next++
			}
			if next != shown {
				t.Fatalf("n = %d: %d rows filled, want %d", n, next, shown)
			}
		}
	}
}

func TestBands(t *testing.T) {
	b := bands(Figure{MaxNeurons: 1000, Populations: []Population{{"E", 0, 20000}, {"I", 20000, 500}, {"in", 20500, 1}}})
	if b[0].shown != 1000 || b[1].shown != 500 || b[2].shown != 1 {
		t.Errorf("shown %d %d %d", b[0].shown, b[1].shown, b[2].shown)
	}
	if b[0].top != 0 || b[2].bottom != 1 || b[1].top != b[0].bottom || b[2].top != b[1].bottom {
		t.Errorf("bands do not fill the raster: %+v", b)
	}
	if h := b[2].bottom - b[2].top; h < 0.025 {
		t.Errorf("a lone generator has a height of %g", h)
	}
}

func TestBinWidth(t *testing.T) {
	for span, want := range map[event.Time]event.Time{
		event.Second:            5 * event.Millisecond,
		10 * event.Second:       50 * event.Millisecond,
		100 * event.Millisecond: event.Millisecond, // floor
		10 * event.Millisecond:  50 * event.Microsecond,
		1:                       1,
	} {
		if got := binWidth(span); got != want {
			t.Errorf("bin of %v ms: %v ms, want %v", span, got, want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		a    axis
		n    int
		want string
	}{
		{axis{lo: 0, hi: 1000}, 8, "0 200 400 600 800 1000"},
		{axis{lo: -68, hi: -51}, 4, "−65 −60 −55"},
		{axis{lo: 0, hi: 0.12}, 4, "0.00 0.05 0.10"},
		{axis{lo: -0.3, hi: 0.3}, 3, "−0.2 0.0 0.2"},
	} {
		got := ""
		for _, x := range c.a.ticks(c.n) {
			if got != "" {
				got += " "
			}
			got += x.label
		}
		if got != c.want {
			t.Errorf("ticks of [%g, %g]: %s, want %s", c.a.lo, c.a.hi, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.9084: "0.908", 5.617: "5.62", 37.44: "37.4", 333.3: "333", 1234.5: "1234", 0.01234: "0.0123", 1e-7: "0.00000"} {
		if got := number3(v); got != want {
			t.Errorf("%g is written %s, want %s", v, got, want)
		}
	}
	for n, want := range map[int]string{7: "7", 4850: "4850", 20683: "20\u00a0683", 298880968: "298\u00a0880\u00a0968", 1000005: "1\u00a0000\u00a0005"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
}

func TestApart(t *testing.T) {
	at := []vg.Length{100, 99, 98, 50, 1}
	apart(at, 12, 100, 0)
	for i, want := range []vg.Length{100, 88, 76, 50, 1} {
		if at[i] != want {
			t.Fatalf("moved to %v", at)
		}
	}
	at = []vg.Length{20, 10, 5, 2}
	apart(at, 12, 100, 0)
	for i := range at {
		if at[i] < 0 || i > 0 && at[i-1]-at[i] < 12 {
			t.Fatalf("moved to %v", at)
		}
	}
}

// A long trace keeps its extremes and its order with a number of points that
// the width bounds.
func TestTraceKeepsExtremes(t *testing.T) {
	const n = 200000
	times, v := make([]float64, n), make([]float64, n)
	for i := range times {
		times[i] = float64(i) * 1e-3
		v[i] = math.Sin(times[i])
	}
	v[77777] = 9 // one sample wide
	r := vg.Rectangle{Max: vg.Point{X: px(500), Y: 10}}
	lines := trace(r, axis{lo: 0, hi: 200}, axis{lo: -1, hi: 9}, 1, times, v)
	if len(lines) != 1 || len(lines[0]) > 4*502 {
		t.Fatalf("%d lines", len(lines))
	}
	top := vg.Length(0)
	for i, p := range lines[0] {
		top = max(top, p.Y)
		if i > 0 && p.X < lines[0][i-1].X {
			t.Fatal("the trace runs back")
		}
	}
	if top != 10 {
		t.Errorf("highest point at %v, want the peak at 10", top)
	}
	v[1000], v[2000] = math.NaN(), math.NaN()
	if lines := trace(r, axis{lo: 0, hi: 200}, axis{lo: -1, hi: 9}, 1, times, v); len(lines) != 3 {
		t.Errorf("two gaps make %d lines, want 3", len(lines))
	}
}
