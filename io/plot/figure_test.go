package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"hmn/event"
	"hmn/network"
)

var ei = []Population{{"E", 0, 80}, {"I", 80, 20}}

// poisson is a raster of all neurons at one rate in [0, to).
func poisson(pops []Population, hz float64, to event.Time) []network.Spike {
	r := rand.New(rand.NewPCG(1, 0))
	ids := 0
	for _, p := range pops {
		ids = max(ids, int(p.FirstID)+p.N)
	}
	var s []network.Spike
	t := 0.0
	for {
		t += r.ExpFloat64() / (hz * float64(ids)) * 1e12
		if t >= float64(to) {
			return s
		}
		s = append(s, network.Spike{At: event.Time(t), ID: uint32(r.IntN(ids))})
	}
}

func written(t *testing.T, f Figure, name string, s []network.Spike) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := f.Write(path, s); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".plot-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	return b
}

func decode(t *testing.T, b []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// texts of an SVG, which must be well formed.
func texts(t *testing.T, b []byte) string {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(b))
	var s strings.Builder
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return s.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := tok.(xml.CharData); ok {
			s.Write(c)
			s.WriteByte('\n')
		}
	}
}

// pixel of a point of the page.
func pixel(p page, x, y vg.Length) (int, int) {
	return int(x / px(1)), int((p.height - y) / px(1))
}

func distance(a, b color.Color) float64 {
	r, g, bl, _ := a.RGBA()
	s, h, c, _ := b.RGBA()
	return math.Abs(float64(r)-float64(s))/257 + math.Abs(float64(g)-float64(h))/257 + math.Abs(float64(bl)-float64(c))/257
}

// One spike at a known time and neuron is ink at one place of the raster and
// nowhere else, as a mark and, among thousands of a neuron far away, in the
// bitmap.
func TestSpikeIsWhereItBelongs(t *testing.T) {
	f := Figure{From: 100 * event.Millisecond, To: 300 * event.Millisecond, Populations: ei}
	one := network.Spike{At: 150*event.Millisecond + 1, ID: 85} // a quarter across; row 5 of I's 20
	for _, crowd := range []int{0, 2 * glyphs} {
		s := []network.Spike{one}
		for k := range crowd {
			s = append(s, network.Spike{At: f.From + event.Time(k)*10*event.Microsecond, ID: 0})
		}
		sort.Slice(s, func(i, j int) bool { return s[i].At < s[j].At })
		img := decode(t, written(t, f, "a.png", s))
		p := layout(f)
		if got := img.Bounds().Size(); got.X != int(math.Round(float64(p.width/px(1)))) || got.Y != int(math.Round(float64(p.height/px(1)))) {
			t.Errorf("%v pixels, want %v × %v points at %v dpi", got, p.width, p.height, dpi)
		}
		r := p.raster
		// The band of I begins at 0.8; its row 5 of 20 has its middle at 5.5/20.
		h := 0.8 + 0.2*5.5/20
		x, y := pixel(p, r.Min.X+r.Size().X/4, r.Max.Y-r.Size().Y*vg.Length(h))
		if d := distance(img.At(x, y), hue(1)); d > 60 {
			t.Errorf("crowd %d: pixel (%d, %d) is %v, want %v", crowd, x, y, img.At(x, y), hue(1))
		}
		// No other ink of that colour in the raster.
		x0, y0 := pixel(p, r.Min.X, r.Max.Y)
		x1, y1 := pixel(p, r.Max.X, r.Min.Y)
		for j := y0 + 2; j < y1-2; j++ {
			for i := x0 + 2; i < x1-2; i++ {
				if distance(img.At(i, j), hue(1)) < 60 && (math.Abs(float64(i-x)) > 3 || math.Abs(float64(j-y)) > 11) {
					t.Fatalf("crowd %d: ink of I at (%d, %d), its spike is at (%d, %d)", crowd, i, j, x, y)
				}
			}
		}
	}
}

// The window is half open, and ids of no population are not drawn.
func TestWhatIsLeftOut(t *testing.T) {
	f := Figure{From: event.Millisecond, To: 2 * event.Millisecond, Populations: ei}
	out := []network.Spike{{At: event.Millisecond - 1, ID: 3}, {At: event.Millisecond, ID: 100}, {At: 2 * event.Millisecond, ID: 3}}
	if !bytes.Equal(written(t, f, "a.svg", nil), written(t, f, "a.svg", out)) {
		t.Error("a spike outside the window or the populations left a trace")
	}
	in := []network.Spike{{At: event.Millisecond, ID: 3}}
	if bytes.Equal(written(t, f, "a.svg", nil), written(t, f, "a.svg", in)) {
		t.Error("a spike at the start of the window is missing")
	}
}

func TestSVG(t *testing.T) {
	f := Figure{
		Title: `E<&"I`, To: event.Second, Populations: ei, MaxNeurons: 50,
		Signals: []Signal{{"V_m", "mV", []float64{0, 1}, [][]float64{{-60, -50}}, []string{"E[0]"}}},
	}
	for _, hz := range []float64{5, 300} { // marks, bitmap
		b := written(t, f, "a.SVG", poisson(ei, hz, f.To))
		s := texts(t, b)
		for _, want := range []string{`E<&"I`, "time (ms)", "rate (Hz)", "V_m (mV)", "E[0]", "50 of 80", "at most 50 neurons per population, sampled evenly (70 of 100)", "CV"} {
			if !strings.Contains(s, want) {
				t.Errorf("%g Hz: no text %q", hz, want)
			}
		}
		if bitmap := bytes.Contains(b, []byte("data:image/png")); bitmap != (hz > 100) {
			t.Errorf("%g Hz: bitmap %v", hz, bitmap)
		}
		if bytes.Contains(b, []byte("NaN")) || bytes.Contains(b, []byte("Inf")) {
			t.Errorf("%g Hz: a coordinate that is no number", hz)
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	f := Figure{To: event.Second, Populations: ei}
	s := poisson(ei, 100, f.To)
	for _, name := range []string{"a.png", "a.svg"} {
		if !bytes.Equal(written(t, f, name, s), written(t, f, name, s)) {
			t.Errorf("%s differs from one drawing to the next", name)
		}
	}
}

// What is missing is said, not left blank, and no shape of input fails.
func TestSparseFigures(t *testing.T) {
	many := make([]Population, 40)
	for i := range many {
		many[i] = Population{strings.Repeat("long name ", 5), uint32(i), 1}
	}
	line := []float64{0, 1, 2, 3}
	for name, c := range map[string]struct {
		f    Figure
		s    []network.Spike
		want string
	}{
		"no spikes":        {Figure{To: 1, Populations: ei}, nil, "no spikes in this interval"},
		"two spikes":       {Figure{To: event.Second, Populations: ei}, []network.Spike{{At: 0, ID: 1}, {At: 1, ID: 1}}, "no neuron with 3 spikes"},
		"equal times":      {Figure{To: event.Second, Populations: ei}, make([]network.Spike, 5), "no neuron with 3 spikes"},
		"forty of one":     {Figure{To: event.Second, Populations: many}, poisson(many, 10, event.Second), "more"},
		"106 days":         {Figure{To: event.MaxTime, Populations: ei}, []network.Spike{{At: event.MaxTime - 1, ID: 1}}, "time (s)"},
		"rates only":       {Figure{To: event.Millisecond, Signals: []Signal{{"rate", "", line, [][]float64{line, line}, nil}}}, nil, "rate"},
		"constant":         {Figure{To: event.Second, Signals: []Signal{{"V_m", "mV", line, [][]float64{{-65, -65, -65, -65}}, nil}}}, nil, "−65"},
		"gaps":             {Figure{To: event.Second, Signals: []Signal{{"V_m", "mV", line, [][]float64{{1, math.NaN(), 3, math.Inf(1)}}, nil}}}, nil, "V_m (mV)"},
		"no samples":       {Figure{To: event.Second, Signals: []Signal{{"V_m", "mV", nil, nil, nil}}}, nil, "no samples in this interval"},
		"samples too late": {Figure{To: event.Millisecond / 2, From: 1, Signals: []Signal{{"V_m", "mV", line, [][]float64{line}, nil}}}, nil, "no samples in this interval"},
	} {
		if !testing.Short() { // the race detector makes pixels slow
			decode(t, written(t, c.f, "a.png", c.s))
		}
		b := written(t, c.f, "a.svg", c.s)
		if s := texts(t, b); !strings.Contains(s, c.want) {
			t.Errorf("%s: no text %q in\n%s", name, c.want, s)
		}
		if bytes.Contains(b, []byte("NaN")) || bytes.Contains(b, []byte("Inf")) {
			t.Errorf("%s: a coordinate that is no number", name)
		}
	}
}

func TestErrors(t *testing.T) {
	ok := Figure{To: event.Second, Populations: ei}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	if err := os.WriteFile(path, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.pdf", "a", "png", ".jpeg"} {
		if err := ok.Write(filepath.Join(dir, name), nil); !errors.Is(err, ErrExtension) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := (Figure{To: 1}).Write(path, nil); !errors.Is(err, ErrEmpty) {
		t.Errorf("empty figure: %v", err)
	}
	sig := func(s Signal) Figure { return Figure{To: 1, Signals: []Signal{s}} }
	for want, f := range map[string]Figure{
		"window from 5":     {From: 5 * event.Millisecond, To: 5 * event.Millisecond, Populations: ei},
		"out of range":      {From: -event.MaxTime, To: event.MaxTime, Populations: ei},
		"want ≥ 0":          {To: 1, MaxNeurons: -1, Populations: ei},
		"0 neurons":         {To: 1, Populations: []Population{{"E", 0, 0}}},
		"below 2³²":         {To: 1, Populations: []Population{{"E", math.MaxUint32, 2}}},
		"share id 9":        {To: 1, Populations: []Population{{"I", 9, 5}, {"E", 0, 10}}},
		"2 labels":          sig(Signal{"x", "", nil, nil, []string{"a", "b"}}),
		"1 values at 2":     sig(Signal{"x", "", []float64{1, 2}, [][]float64{{1}}, nil}),
		"sample 1 at 0 ms":  sig(Signal{"x", "", []float64{1, 0}, nil, nil}),
		"spike 1 at 1e-09 ": ok,
	} {
		var s []network.Spike
		if len(f.Signals) == 0 {
			s = []network.Spike{{At: 2}, {At: 1}}
		}
		err := f.Write(path, s)
		want = strings.Replace(want, "1e-09", "0.000000001", 1)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if err := ok.Write(filepath.Join(dir, "none", "a.png"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
	// A failed drawing leaves the old file and nothing else.
	if b, err := os.ReadFile(path); err != nil || string(b) != "before" {
		t.Errorf("old file: %q, %v", b, err)
	}
	if e, err := os.ReadDir(dir); err != nil || len(e) != 1 {
		t.Errorf("left behind: %v, %v", e, err)
	}
}

func BenchmarkWrite(b *testing.B) {
	f := Figure{To: event.Second, Populations: []Population{{"E", 0, 8000}, {"I", 8000, 2000}}}
	s := poisson(f.Populations, 100, f.To)
	path := filepath.Join(b.TempDir(), "a.png")
	b.Run("spikes=1e6", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			if err := f.Write(path, s); err != nil {
				b.Fatal(err)
			}
			n += len(s)
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "spikes/s")
	})
}
