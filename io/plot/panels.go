package plot

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"hmn/event"
)

func (p page) drawRates(c draw.Canvas, f Figure, x axis, m []measured, bin event.Time) {
	r := p.rates
	top := 0.0
	for _, s := range m {
		for _, v := range s.bins {
			top = math.Max(top, v)
		}
	}
	y := axis{lo: 0, hi: top * 1.06, name: "rate (Hz)"}
	if top == 0 {
		y.hi = 1
	}
	for _, t := range x.ticks(8) {
		vline(c, r, x, t.value)
	}
	y.grid(c, r, 4)
	_, perMS := unit(f.To - f.From)
	for i := len(m) - 1; i >= 0; i-- { // the first on top
		pts := make([]vg.Point, 0, 2*len(m[i].bins))
		for k, v := range m[i].bins {
			a := (f.From + event.Time(k)*bin).MS() * perMS
			b := min(f.To, f.From+event.Time(k+1)*bin).MS() * perMS
			h := y.y(r, v)
			pts = append(pts, vg.Point{X: x.x(r, a), Y: h}, vg.Point{X: x.x(r, b), Y: h})
		}
		c.StrokeLines(line(0.9, hue(i)), pts)
	}
	frame(c, r)
	x.drawBottom(c, r, 8, true)
	y.drawLeft(c, r, 4)
}

// drawCV draws the histogram of the ISI-CVs, each population's as fractions of
// its own neurons that have one.
func drawCV(c draw.Canvas, r vg.Rectangle, m []measured) {
	hi, n := 1.0, 0
	for _, s := range m {
		if k := len(s.cvs); k > 0 {
			// The largest 1 % may lie in the last bar, or one outlier would
			// squeeze the rest.
			hi = math.Max(hi, s.cvs[(k-1)*99/100])
			n += k
		}
	}
	hi = math.Min(math.Ceil(hi*5+1e-9)/5, 5)
	const bars = 25
	top := 0.0
	share := make([][]float64, len(m))
	beyond := 0
	for i, s := range m {
		share[i] = make([]float64, bars)
		for _, v := range s.cvs {
			k := int(v / hi * bars)
			if k >= bars {
				k = bars - 1
				beyond++
			}
			share[i][k] += 1 / float64(len(s.cvs))
			top = math.Max(top, share[i][k])
		}
	}
	x := axis{lo: 0, hi: hi, name: "CV of interspike intervals"}
	if beyond > 0 {
		x.name = fmt.Sprintf("ISI CV (last bar: and %s above)", thousands(beyond))
	}
	y := axis{lo: 0, hi: math.Max(top*1.06, 1e-9), name: "share of neurons"}
	if n == 0 {
		y.hi = 1
	}
	y.grid(c, r, 4)
	for i := len(m) - 1; i >= 0; i-- {
		if len(m[i].cvs) == 0 {
			continue
		}
		pts := []vg.Point{{X: x.x(r, 0), Y: r.Min.Y}}
		for k, v := range share[i] {
			pts = append(pts,
				vg.Point{X: x.x(r, hi*float64(k)/bars), Y: y.y(r, v)},
				vg.Point{X: x.x(r, hi*float64(k+1)/bars), Y: y.y(r, v)})
		}
		pts = append(pts, vg.Point{X: x.x(r, hi), Y: r.Min.Y})
		fill := hue(i)
		fill.A = 0x30
		if len(m) <= 3 {
			c.FillPolygon(fill, pts)
		}
		c.StrokeLines(line(1, hue(i)), pts)
	}
	if n == 0 {
		nothing(c, r, "no neuron with 3 spikes")
	}
	frame(c, r)
	x.drawBottom(c, r, 6, true)
	y.drawLeft(c, r, 4)
}

// drawTable lists the populations with their colours: legend and summary.
func drawTable(c draw.Canvas, r vg.Rectangle, f Figure, m []measured) {
	const pitch = 15
	size := r.Size().X
	cols := []vg.Length{size - 104, size - 52, size} // right edges: neurons, rate, CV
	head := regular(9, grey)
	y := r.Max.Y - 6
	c.FillText(align(head, draw.XLeft, draw.YCenter), vg.Point{X: r.Min.X, Y: y}, "population")
	for k, s := range []string{"neurons", "rate (Hz)", "mean CV"} {
		c.FillText(align(head, draw.XRight, draw.YCenter), vg.Point{X: r.Min.X + cols[k], Y: y}, s)
	}
	y -= 9
	c.StrokeLine2(line(0.5, frameGrey), r.Min.X, y, r.Max.X, y)
	y -= 9
	sty := regular(10, ink)
	for i, p := range f.Populations {
		if y-pitch < r.Min.Y && i+1 < len(f.Populations) {
			c.FillText(align(head, draw.XLeft, draw.YCenter), vg.Point{X: r.Min.X + 15, Y: y}, fmt.Sprintf("and %d more", len(f.Populations)-i))
			return
		}
		c.FillPolygon(hue(i), []vg.Point{
			{X: r.Min.X, Y: y - 4}, {X: r.Min.X + 9, Y: y - 4}, {X: r.Min.X + 9, Y: y + 4}, {X: r.Min.X, Y: y + 4},
		})
		cells := []string{thousands(p.N), number3(m[i].rate), "–"}
		if len(m[i].cvs) > 0 {
			cells[2] = fmt.Sprintf("%.2f", m[i].cv)
		}
		room := cols[0] - 15 - 8 - sty.Width(cells[0])
		c.FillText(align(sty, draw.XLeft, draw.YCenter), vg.Point{X: r.Min.X + 15, Y: y}, fit(sty, oneLine(p.Name), room))
		for k, s := range cells {
			c.FillText(align(sty, draw.XRight, draw.YCenter), vg.Point{X: r.Min.X + cols[k], Y: y}, s)
		}
		y -= pitch
	}
}

// drawSignal draws the traces of one signal; perMS converts its times to the
// axis' unit.
func drawSignal(c draw.Canvas, r, legend vg.Rectangle, x axis, perMS float64, s Signal, labelled bool) {
	p := Panel{Name: s.Name, Unit: s.Unit}
	for k, v := range s.Values {
		t := Trace{Times: s.Times, Values: v, Color: k}
		if k < len(s.Labels) {
			t.Label = s.Labels[k]
		}
		p.Traces = append(p.Traces, t)
	}
	p.draw(c, r, legend, x, perMS, labelled)
}

// draw draws the traces of a panel and their legend.
func (p Panel) draw(c draw.Canvas, r, legend vg.Rectangle, x axis, perMS float64, labelled bool) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range p.Traces {
		for i, t := range s.Times {
			t *= perMS
			// A step holds until the next sample, so that one before the axis
			// may be seen.
			seen := t >= x.lo || s.Steps && (i+1 == len(s.Times) || s.Times[i+1]*perMS > x.lo)
			if v := s.Values[i]; seen && t <= x.hi && !math.IsNaN(v) && !math.IsInf(v, 0) {
				lo, hi = math.Min(lo, v), math.Max(hi, v)
			}
		}
	}
	empty := lo > hi
	if empty {
		lo, hi = 0, 1
	}
	pad := 0.06 * (hi - lo)
	if small := 1e-9 * math.Max(math.Abs(lo), math.Abs(hi)); pad <= small {
		// A constant, or one but for rounding.
		if pad = 0.1 * math.Abs(hi); pad == 0 {
			pad = 0.5
		}
	}
	y := axis{lo: lo - pad, hi: hi + pad, name: withUnit(p.Name, p.Unit)}
	for _, t := range x.ticks(8) {
		vline(c, r, x, t.value)
	}
	y.grid(c, r, 5)
	width := vg.Length(1)
	if len(p.Traces) > 8 {
		width = 0.6
	}
	inside := draw.Canvas{Canvas: c.Canvas, Rectangle: r}
	style := func(s Trace, width vg.Length) draw.LineStyle {
		l := line(width, hue(s.Color))
		if s.Dashed {
			l.Dashes = []vg.Length{4, 2.5}
		}
		return l
	}
	var order []Trace // the first on top, dashed ones above them
	for _, dashed := range []bool{false, true} {
		for k := len(p.Traces) - 1; k >= 0; k-- {
			if p.Traces[k].Dashed == dashed {
				order = append(order, p.Traces[k])
			}
		}
	}
	for _, s := range order {
		times, values := s.Times, s.Values
		if s.Steps {
			times, values = steps(times, values, x.hi/perMS)
		}
		for _, pts := range trace(r, x, y, perMS, times, values) {
			if len(pts) == 1 { // a lone sample between gaps
				c.DrawGlyph(draw.GlyphStyle{Color: hue(s.Color), Radius: 1.2, Shape: draw.CircleGlyph{}}, pts[0])
				continue
			}
			c.StrokeLines(style(s, width), inside.ClipLinesX(pts)...)
		}
	}
	if empty {
		nothing(c, r, "no samples in this interval")
	}
	frame(c, r)
	x.drawBottom(c, r, 8, labelled)
	y.drawLeft(c, r, 5)

	at := legend.Max.Y - 6
	sty := regular(10, ink)
	var named []Trace
	for _, s := range p.Traces {
		if s.Label != "" {
			named = append(named, s)
		}
	}
	for k, s := range named {
		if at-15 < legend.Min.Y && k+1 < len(named) {
			c.FillText(align(regular(9, grey), draw.XLeft, draw.YCenter), vg.Point{X: legend.Min.X + 22, Y: at}, fmt.Sprintf("and %d more", len(named)-k))
			break
		}
		c.StrokeLine2(style(s, 1.6), legend.Min.X, at, legend.Min.X+16, at)
		c.FillText(align(sty, draw.XLeft, draw.YCenter), vg.Point{X: legend.Min.X + 22, Y: at}, fit(sty, oneLine(s.Label), legend.Size().X-22))
		at -= 15
	}
}

func withUnit(name, unit string) string {
	if name = oneLine(name); unit == "" || unit == "1" {
		return name
	}
	return name + " (" + oneLine(unit) + ")"
}

// steps are the corners of the line that holds each value until the next time,
// and the last one until the end.
func steps(times, values []float64, end float64) (t, v []float64) {
	for i := range times {
		if i > 0 {
			t, v = append(t, times[i]), append(v, values[i-1])
		}
		t, v = append(t, times[i]), append(v, values[i])
	}
	if n := len(times); n > 0 && times[n-1] < end {
		t, v = append(t, end), append(v, values[n-1])
	}
	return t, v
}

// trace is the line through the samples, broken at values that are not finite.
// Where several samples fall on one pixel column it goes through their least
// and greatest value, in their order, so that nothing visible is lost and the
// number of points is bounded by the width.
func trace(r vg.Rectangle, x, y axis, perMS float64, times, values []float64) (lines [][]vg.Point) {
	var pts []vg.Point
	column := func(i int) float64 {
		return math.Floor(float64(x.x(r, times[i]*perMS) / px(1)))
	}
	point := func(i int) vg.Point {
		return vg.Point{X: x.x(r, times[i]*perMS), Y: y.y(r, values[i])}
	}
	end := func() {
		if len(pts) > 0 {
			lines = append(lines, pts)
		}
		pts = nil
	}
	for i := 0; i < len(times); {
		if math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
			end()
			i++
			continue
		}
		least, most, j := i, i, i+1
		for ; j < len(times) && column(j) == column(i) && !math.IsNaN(values[j]) && !math.IsInf(values[j], 0); j++ {
			if values[j] < values[least] {
				least = j
			}
			if values[j] > values[most] {
				most = j
			}
		}
		a, b := min(least, most), max(least, most)
		pts = append(pts, point(i))
		if a > i {
			pts = append(pts, point(a))
		}
		if b > a {
			pts = append(pts, point(b))
		}
		if j-1 > b {
			pts = append(pts, point(j-1))
		}
		i = j
	}
	end()
	return lines
}
