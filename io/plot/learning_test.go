package plot

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"hmn/event"
)

// lesson is a page with every part.
func lesson() Learning {
	ms := func(n int) (t []float64) {
		for i := range n {
			t = append(t, float64(i)*10)
		}
		return t
	}
	wave := func(n int, f float64) (v []float64) {
		for i := range n {
			v = append(v, math.Cos(f*float64(i)))
		}
		return v
	}
	var rewards []float64
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		rewards = append(rewards, float64(rng.IntN(2+i/100)))
	}
	return Learning{
		Title: "lesson", To: event.Second, Caption: "two synapses",
		Panels: []Panel{
			{Name: "weight", Unit: "pA", Traces: []Trace{
				{Label: "3 → 1", Times: []float64{0, 250, 750}, Values: []float64{1, 3, 2}, Steps: true},
				{Label: "4 → 1", Times: []float64{0, 500}, Values: []float64{2, 1}, Steps: true, Color: 1}}},
			{Name: "phase gate", From: 900 * event.Millisecond, To: event.Second, Traces: []Trace{{Times: ms(100), Values: wave(100, 1)}}},
			{Name: "eligibility", Traces: []Trace{{Label: "3 → 1", Times: ms(100), Values: wave(100, 0.1)}}},
		},
		Curve: &Curve{Name: "reward", Values: rewards, Window: 20},
	}
}

func writtenLearning(t *testing.T, l Learning, name string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := l.Write(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A step stands at its value until the next time, and the last to the end.
func TestStepIsWhereItBelongs(t *testing.T) {
	l := lesson()
	l.Panels = []Panel{{Name: "w", Traces: []Trace{{Times: []float64{-100, 250, 750}, Values: []float64{1, 3, 2}, Steps: true}}}}
	l.Curve = nil
	img := decode(t, writtenLearning(t, l, "x.png"))
	p := l.layout()
	r := p.panels[0]
	// The axis goes from 1 to 3 and 6 % beyond on either side.
	at := func(ms, v float64) (int, int) {
		return pixel(page{height: p.height}, r.Min.X+r.Size().X*vg.Length(ms/1000), r.Min.Y+r.Size().Y*vg.Length((v-0.88)/(3.12-0.88)))
	}
	inked := func(ms, v float64) bool {
		x, y := at(ms, v)
		for dy := -2; dy <= 2; dy++ { // the line is 2 pixels wide
			if distance(img.At(x, y+dy), hue(0)) < 100 {
				return true
			}
		}
		return false
	}
	for _, c := range []struct {
		ms, v float64
		want  bool
	}{
		{100, 1, true}, {240, 1, true}, {260, 1, false}, {260, 3, true}, {740, 3, true}, {760, 3, false}, {760, 2, true}, {990, 2, true}, {500, 2, false}, {250, 2, true},
	} {
		if inked(c.ms, c.v) != c.want {
			t.Errorf("ink at %g ms, %g: %v, want %v", c.ms, c.v, !c.want, c.want)
		}
	}
}

// The moving mean and its standard error against the definition.
func TestMovingMean(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 50 {
		q := Curve{Window: 1 + rng.IntN(30)}
		for range 1 + rng.IntN(100) {
			x := rng.NormFloat64()
			if rng.IntN(5) == 0 {
				x = math.NaN()
			}
			q.Values = append(q.Values, x)
		}
		mean, se := q.moving()
		for i := range q.Values {
			var in []float64
			for k := i - q.Window/2; k < i-q.Window/2+q.Window; k++ {
				if k >= 0 && k < len(q.Values) && !math.IsNaN(q.Values[k]) {
					in = append(in, q.Values[k])
				}
			}
			if len(in) == 0 {
				if !math.IsNaN(mean[i]) {
					t.Fatalf("mean of nothing: %v", mean[i])
				}
				continue
			}
			m, v := 0.0, 0.0
			for _, x := range in {
				m += x / float64(len(in))
			}
			for _, x := range in {
				v += (x - m) * (x - m)
			}
			want := 0.0
			if n := float64(len(in)); n > 1 {
				want = math.Sqrt(v / (n - 1) / n)
			}
			// Differences of running sums of at most 100 squares near 1.
			if math.Abs(mean[i]-m) > 1e-12 || math.Abs(se[i]-want) > 1e-6 {
				t.Fatalf("trial %d, window %d: %v ± %v, want %v ± %v", i, q.Window, mean[i], se[i], m, want)
			}
		}
	}
}

func TestLearningPage(t *testing.T) {
	svg := writtenLearning(t, lesson(), "x.svg")
	text := texts(t, svg)
	for _, want := range []string{"lesson", "weight (pA)", "eligibility", "phase gate", "3 → 1", "4 → 1", "time (ms)", "trial", "reward", "mean of 20 trials", "± standard error", "last 20 trials: ", "Time from 0 to 1000 ms.", "two synapses"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	if n := strings.Count(text, "time (ms)"); n != 2 {
		t.Errorf("%d time axes, want that of the page and that of the detail", n)
	}
	for _, name := range []string{"x.svg", "x.png"} {
		if !bytes.Equal(writtenLearning(t, lesson(), name), writtenLearning(t, lesson(), name)) {
			t.Errorf("%s: two drawings differ", name)
		}
	}
	// The details stand below the common axis, and nothing overlaps.
	p := lesson().layout()
	rows := append(slices.Clone(p.panels), p.curve)
	slices.SortFunc(rows, func(a, b vg.Rectangle) int { return int(b.Min.Y - a.Min.Y) })
	for i, r := range rows {
		if r.Min.Y < 0 || r.Max.Y > p.height || r.Max.X > p.width || i > 0 && r.Max.Y >= rows[i-1].Min.Y {
			t.Errorf("row %d at %v", i, r)
		}
	}
	if rows[2] != p.panels[1] || rows[3] != p.curve {
		t.Error("the detail or the curve is not at the bottom")
	}
	// Odd content is drawn without a word, and without a panic.
	nan := math.NaN()
	for _, l := range []Learning{
		{To: 1, Panels: []Panel{{Name: "empty"}}},
		{To: 1, Panels: []Panel{{Name: "gaps", Traces: []Trace{{Times: []float64{0, 0, 0}, Values: []float64{nan, math.Inf(1), 0}, Steps: true, Color: 99}}}}},
		{To: 1, Curve: &Curve{Values: []float64{nan}, Window: 5}},
		{To: 1, Curve: &Curve{Values: []float64{1}, Window: 5}},
		{To: 1, Curve: &Curve{Values: []float64{1, nan, math.Inf(1), 2}, Window: 1}},
	} {
		writtenLearning(t, l, "x.png")
	}
}

func TestLearningErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.png")
	one := func(change func(*Learning)) Learning {
		l := lesson()
		change(&l)
		return l
	}
	for want, l := range map[string]Learning{
		"nothing to draw":    {To: 1},
		"empty":              one(func(l *Learning) { l.To = 0 }),
		`panel "phase gate"`: one(func(l *Learning) { l.Panels[1].From = l.Panels[1].To }),
		"3 values at 2":      one(func(l *Learning) { l.Panels[0].Traces[0].Times = []float64{0, 1} }),
		"ascending":          one(func(l *Learning) { l.Panels[0].Traces[0].Times = []float64{0, 5, 4} }),
		"ascending times":    one(func(l *Learning) { l.Panels[0].Traces[0].Times = []float64{0, math.NaN(), 4} }),
		"colour":             one(func(l *Learning) { l.Panels[0].Traces[0].Color = -1 }),
		"mean of 0 trials":   one(func(l *Learning) { l.Curve.Window = 0 }),
		"without trials":     one(func(l *Learning) { l.Curve.Values = nil }),
	} {
		if err := l.Write(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := lesson().Write("x.pdf"); !errors.Is(err, ErrExtension) {
		t.Errorf("pdf: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a refused page left a file")
	}
}
