package plot

import (
	"errors"
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"hmn/event"
)

// Trace is one line of a panel.
type Trace struct {
	Label  string    // in the legend; empty = none
	Times  []float64 // [ms], ascending
	Values []float64 // one per time; NaN and infinities leave gaps
	Steps  bool      // each value holds until the next time, as a weight does
	Dashed bool      // dashed, and above the others: for lines that may fall on one another
	Color  int       // place in the palette, so that one thing looks the same in all panels
}

// Panel is a set of traces on one pair of axes.
type Panel struct {
	Name, Unit string // of the vertical axis; unit empty or "1" for a plain number
	Traces     []Trace
	// From and To are a window of the panel's own, with an axis of its own: a
	// detail. To = 0: that of the page.
	From, To event.Time
}

// Curve is the course of what is measured once per trial.
type Curve struct {
	Name   string    // "reward"
	Values []float64 // by trial; NaN = none in that trial
	Window int       // trials in the moving mean, ≥ 1
}

// Learning is the page of what a network learned: panels over one time axis,
// details, and the learning curve.
type Learning struct {
	Title    string
	From, To event.Time // of the common time axis, To > From
	Panels   []Panel
	Curve    *Curve // nil = none
	Caption  string // what was chosen and left out; below the panels
}

// Write draws the page to path, as Figure.Write does.
func (l Learning) Write(path string) error {
	if _, err := extension(path); err != nil {
		return err
	}
	if err := l.check(); err != nil {
		return err
	}
	p := l.layout()
	return write(path, p.width, p.height, func(c draw.Canvas) { p.draw(c, l) })
}

func (l Learning) check() error {
	if len(l.Panels) == 0 && l.Curve == nil {
		return fmt.Errorf("%w, no panel and no curve", ErrEmpty)
	}
	window := func(from, to event.Time) error {
		if !(to > from) || to-from < 0 {
			return fmt.Errorf("plot: window from %v ms to %v ms is empty", from, to)
		}
		return nil
	}
	if err := window(l.From, l.To); err != nil {
		return err
	}
	for _, p := range l.Panels {
		if p.To != 0 {
			if err := window(p.From, p.To); err != nil {
				return fmt.Errorf("panel %q: %w", p.Name, err)
			}
		}
		for k, t := range p.Traces {
			if len(t.Values) != len(t.Times) {
				return fmt.Errorf("plot: panel %q: trace %d has %d values at %d times", p.Name, k, len(t.Values), len(t.Times))
			}
			if t.Color < 0 {
				return fmt.Errorf("plot: panel %q: trace %d has colour %d, want ≥ 0", p.Name, k, t.Color)
			}
			for i := 1; i < len(t.Times); i++ {
				if !(t.Times[i] >= t.Times[i-1]) {
					return fmt.Errorf("plot: panel %q: trace %d: %g ms follows %g ms, want ascending times", p.Name, k, t.Times[i], t.Times[i-1])
				}
			}
		}
	}
	if l.Curve != nil {
		if l.Curve.Window < 1 {
			return fmt.Errorf("plot: curve %q: mean of %d trials, want ≥ 1", l.Curve.Name, l.Curve.Window)
		}
		if len(l.Curve.Values) == 0 {
			return errors.New("plot: curve without trials")
		}
	}
	return nil
}

// sheet is where the parts of a learning page go, in points from the lower left
// corner.
type sheet struct {
	width, height vg.Length
	title         vg.Point // left, baseline
	caption       vg.Point // left, top
	panels        []vg.Rectangle
	legends       []vg.Rectangle
	labelled      []bool // panel has numbers and a name on its horizontal axis
	curve         vg.Rectangle
	curveLegend   vg.Rectangle
	textWidth     vg.Length
}

// layout places the panels from the top down: those over the common time axis
// in their order, then the details, then the learning curve. All have the same
// left and right edge; legends are beside them.
func (l Learning) layout() sheet {
	const (
		margin = 20
		gap    = 14
		side   = 190
		below  = 36 // numbers and name of a horizontal axis
	)
	p := sheet{width: px(1650)}
	left, right := snap(vg.Length(74)), snap(p.width-margin-side)
	p.textWidth = p.width - 2*margin
	y := vg.Length(margin) // from the top, for now
	if l.Title != "" {
		y += 14
		p.title = vg.Point{X: margin, Y: y}
		y += 16
	}
	row := func(h vg.Length) (r, legend vg.Rectangle) {
		r = vg.Rectangle{Min: vg.Point{X: left, Y: snap(y + h)}, Max: vg.Point{X: right, Y: snap(y)}}
		y += h
		return r, vg.Rectangle{Min: vg.Point{X: right + 18, Y: r.Min.Y}, Max: vg.Point{X: p.width - margin, Y: r.Max.Y}}
	}
	last, common := -1, 0 // of the panels over the common axis
	for i, s := range l.Panels {
		if s.To == 0 {
			last = i
			common++
		}
	}
	h := vg.Length(110)
	if common > 0 && common < 3 {
		h = 140
	}
	p.panels, p.legends, p.labelled = make([]vg.Rectangle, len(l.Panels)), make([]vg.Rectangle, len(l.Panels)), make([]bool, len(l.Panels))
	for i, s := range l.Panels {
		if s.To != 0 {
			continue
		}
		p.panels[i], p.legends[i] = row(h)
		if p.labelled[i] = i == last; p.labelled[i] {
			y += below
		}
		y += gap
	}
	for i, s := range l.Panels {
		if s.To == 0 {
			continue
		}
		p.panels[i], p.legends[i] = row(90)
		p.labelled[i] = true
		y += below + gap
	}
	if l.Curve != nil {
		p.curve, p.curveLegend = row(130)
		y += below + gap
	}
	y -= gap
	p.caption = vg.Point{X: margin, Y: y + 8}
	y += 8 + vg.Length(len(l.captions()))*13 + 10
	p.height = px(math.Ceil(float64(y / px(1))))

	// Canvases have y pointing up.
	flip := func(pt *vg.Point) { pt.Y = p.height - pt.Y }
	flip(&p.title)
	flip(&p.caption)
	rects := []*vg.Rectangle{&p.curve, &p.curveLegend}
	for i := range p.panels {
		rects = append(rects, &p.panels[i], &p.legends[i])
	}
	for _, r := range rects {
		flip(&r.Min)
		flip(&r.Max)
	}
	return p
}

func (l Learning) captions() []string {
	tu, _ := unit(l.To - l.From)
	lines := []string{fmt.Sprintf("Time from %s to %s %s.", number(l.From, tu), number(l.To, tu), tu)}
	if l.Caption != "" {
		lines = append(lines, oneLine(l.Caption))
	}
	return lines
}

func (p sheet) draw(c draw.Canvas, l Learning) {
	c.FillPolygon(color.White, []vg.Point{{}, {X: p.width}, {X: p.width, Y: p.height}, {Y: p.height}})
	c.FillText(align(bold(14), draw.XLeft, draw.YBottom), p.title, fit(bold(14), oneLine(l.Title), p.textWidth))
	for i, s := range l.Panels {
		from, to := l.From, l.To
		if s.To != 0 {
			from, to = s.From, s.To
		}
		tu, perMS := unit(to - from)
		x := axis{lo: from.MS() * perMS, hi: to.MS() * perMS, name: "time (" + tu + ")"}
		s.draw(c, p.panels[i], p.legends[i], x, perMS, p.labelled[i])
	}
	if l.Curve != nil {
		l.Curve.draw(c, p.curve, p.curveLegend)
	}
	for i, line := range l.captions() {
		pt := p.caption
		pt.Y -= vg.Length(i) * 13
		sty := align(regular(9, grey), draw.XLeft, draw.YTop)
		c.FillText(sty, pt, fit(sty, line, p.textWidth))
	}
}

// moving is the mean over the window of trials around each trial, cut at the
// ends, and its standard error; NaN where there is nothing to average.
func (q Curve) moving() (mean, se []float64) {
	n := len(q.Values)
	// Running sums over the trials before each; of 0s and 1s they are exact.
	count, sum, square := make([]float64, n+1), make([]float64, n+1), make([]float64, n+1)
	for i, x := range q.Values {
		count[i+1], sum[i+1], square[i+1] = count[i], sum[i], square[i]
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			count[i+1]++
			sum[i+1] += x
			square[i+1] += x * x
		}
	}
	mean, se = make([]float64, n), make([]float64, n)
	for i := range n {
		lo := max(0, i-q.Window/2)
		hi := min(n, i-q.Window/2+q.Window)
		k := count[hi] - count[lo]
		m := (sum[hi] - sum[lo]) / k
		mean[i], se[i] = m, 0
		if k == 0 {
			mean[i], se[i] = math.NaN(), math.NaN()
		} else if k > 1 {
			se[i] = math.Sqrt(math.Max(0, (square[hi]-square[lo])/k-m*m) / (k - 1))
		}
	}
	return mean, se
}

func (q Curve) draw(c draw.Canvas, r, legend vg.Rectangle) {
	n := len(q.Values)
	mean, se := q.moving()
	lo, hi := math.Inf(1), math.Inf(-1)
	for i, m := range mean {
		if !math.IsNaN(m) {
			lo, hi = math.Min(lo, m-se[i]), math.Max(hi, m+se[i])
		}
	}
	empty := lo > hi
	if empty {
		lo, hi = 0, 1
	}
	pad := 0.06 * (hi - lo)
	if pad == 0 {
		pad = math.Max(0.1*math.Abs(hi), 0.05)
	}
	x := axis{lo: 0, hi: float64(n), name: "trial"}
	y := axis{lo: lo - pad, hi: hi + pad, name: oneLine(q.Name)}
	for _, t := range x.ticks(8) {
		vline(c, r, x, t.value)
	}
	y.grid(c, r, 5)
	times := make([]float64, n) // trial i is the interval from i to i + 1
	for i := range times {
		times[i] = float64(i) + 0.5
	}
	band := hue(0)
	band.A = 0x30
	var upper, lower []vg.Point
	end := func() {
		if len(upper) > 1 {
			for k := len(lower) - 1; k >= 0; k-- {
				upper = append(upper, lower[k])
			}
			c.FillPolygon(band, upper)
		}
		upper, lower = nil, nil
	}
	every := max(1, n/2000) // points of the band
	for i := range n {
		if math.IsNaN(mean[i]) {
			end()
			continue
		}
		if i%every == 0 || i == n-1 {
			upper = append(upper, vg.Point{X: x.x(r, times[i]), Y: y.y(r, mean[i]+se[i])})
			lower = append(lower, vg.Point{X: x.x(r, times[i]), Y: y.y(r, mean[i]-se[i])})
		}
	}
	end()
	for _, pts := range trace(r, x, y, 1, times, mean) {
		if len(pts) == 1 {
			c.DrawGlyph(draw.GlyphStyle{Color: hue(0), Radius: 1.2, Shape: draw.CircleGlyph{}}, pts[0])
			continue
		}
		c.StrokeLines(line(1.2, hue(0)), pts)
	}
	if empty {
		nothing(c, r, "no values")
	}
	frame(c, r)
	x.drawBottom(c, r, 8, true)
	y.drawLeft(c, r, 5)

	at := legend.Max.Y - 6
	sty := align(regular(10, ink), draw.XLeft, draw.YCenter)
	c.StrokeLine2(line(1.6, hue(0)), legend.Min.X, at, legend.Min.X+16, at)
	c.FillText(sty, vg.Point{X: legend.Min.X + 22, Y: at}, fmt.Sprintf("mean of %s trials", thousands(min(q.Window, n))))
	at -= 15
	c.FillPolygon(band, []vg.Point{{X: legend.Min.X, Y: at - 4}, {X: legend.Min.X + 16, Y: at - 4}, {X: legend.Min.X + 16, Y: at + 4}, {X: legend.Min.X, Y: at + 4}})
	c.FillText(sty, vg.Point{X: legend.Min.X + 22, Y: at}, "± standard error")
	at -= 21
	if sum, k := 0.0, 0; !empty {
		tail := q.Values[max(0, n-q.Window):]
		for _, v := range tail {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				sum += v
				k++
			}
		}
		if k > 0 {
			c.FillText(sty, vg.Point{X: legend.Min.X, Y: at}, fmt.Sprintf("last %s trials: %s", thousands(len(tail)), number3(sum/float64(k))))
		}
	}
}
