package plot

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"hmn/event"
)

// axis maps [lo, hi] onto the side of a panel.
type axis struct {
	lo, hi float64
	name   string // with unit
}

func (a axis) x(r vg.Rectangle, v float64) vg.Length {
	return r.Min.X + r.Size().X*vg.Length((v-a.lo)/(a.hi-a.lo))
}

func (a axis) y(r vg.Rectangle, v float64) vg.Length {
	return r.Min.Y + r.Size().Y*vg.Length((v-a.lo)/(a.hi-a.lo))
}

type tick struct {
	value float64
	label string
}

// ticks at round values, at most n intervals.
func (a axis) ticks(n int) []tick {
	step := round125((a.hi - a.lo) / float64(n))
	places := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	first, last := math.Ceil(a.lo/step-1e-9), math.Floor(a.hi/step+1e-9)
	var t []tick
	for k := first; k <= last && len(t) <= n; k++ {
		v := k * step
		label := strconv.FormatFloat(v+0, 'f', places, 64) // +0: no "-0"
		if places > 6 || math.Abs(v) >= 1e7 {
			label = strconv.FormatFloat(v, 'g', 6, 64)
		}
		t = append(t, tick{v, strings.Replace(label, "-", "−", 1)})
	}
	return t
}

// drawBottom draws the ticks below the panel, with numbers and name if labelled.
func (a axis) drawBottom(c draw.Canvas, r vg.Rectangle, n int, labelled bool) {
	for _, t := range a.ticks(n) {
		x := a.x(r, t.value)
		c.StrokeLine2(line(0.6, frameGrey), x, r.Min.Y, x, r.Min.Y-3.5)
		if labelled {
			c.FillText(align(regular(9.5, ink), draw.XCenter, draw.YTop), vg.Point{X: x, Y: r.Min.Y - 6}, t.label)
		}
	}
	if labelled {
		c.FillText(align(regular(10.5, ink), draw.XCenter, draw.YTop), vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: r.Min.Y - 20}, a.name)
	}
}

func (a axis) drawLeft(c draw.Canvas, r vg.Rectangle, n int) {
	widest := vg.Length(0)
	sty := regular(9.5, ink)
	for _, t := range a.ticks(n) {
		y := a.y(r, t.value)
		c.StrokeLine2(line(0.6, frameGrey), r.Min.X-3.5, y, r.Min.X, y)
		c.FillText(align(sty, draw.XRight, draw.YCenter), vg.Point{X: r.Min.X - 6, Y: y}, t.label)
		widest = max(widest, sty.Width(t.label))
	}
	name := align(regular(10.5, ink), draw.XCenter, draw.YBottom)
	txt := fit(name, a.name, r.Size().Y+10)
	name.Rotation = math.Pi / 2
	c.FillText(name, vg.Point{X: r.Min.X - 6 - max(widest, 18) - 6, Y: (r.Min.Y + r.Max.Y) / 2}, txt)
}

func (a axis) grid(c draw.Canvas, r vg.Rectangle, n int) {
	for _, t := range a.ticks(n) {
		y := a.y(r, t.value)
		c.StrokeLine2(line(0.5, gridGrey), r.Min.X, y, r.Max.X, y)
	}
}

func vline(c draw.Canvas, r vg.Rectangle, a axis, v float64) {
	x := a.x(r, v)
	c.StrokeLine2(line(0.5, gridGrey), x, r.Min.Y, x, r.Max.Y)
}

// number is t in the unit of the axis: exact in ms, to nine places in s.
func number(t event.Time, unit string) string {
	if unit == "ms" {
		return t.String()
	}
	return strconv.FormatFloat(t.Seconds(), 'f', -1, 64)
}

// number3 is v to three significant digits, without exponent.
func number3(v float64) string {
	if v == 0 {
		return "0"
	}
	places := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	return strconv.FormatFloat(v, 'f', min(max(places, 0), 5), 64)
}

// thousands groups the digits of n from five on by narrow gaps: 20 683.
func thousands(n int) string {
	s := strconv.Itoa(n)
	if len(s) <= 4 {
		return s
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u00a0" + s[i:]
	}
	return s
}

// unit is the time unit of the axis and how many of it a millisecond is.
func unit(span event.Time) (name string, perMS float64) {
	if span > 10*event.Second {
		return "s", 1e-3
	}
	return "ms", 1
}
