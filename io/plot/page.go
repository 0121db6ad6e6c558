package plot

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"hmn/network"
)

// page is where everything goes, in points from the lower left corner. Zero
// rectangles are not drawn.
type page struct {
	width, height vg.Length
	title         vg.Point // left, baseline
	caption       vg.Point // left, top
	raster, rates vg.Rectangle
	table, cv     vg.Rectangle
	signals       []vg.Rectangle
	legends       []vg.Rectangle
	textWidth     vg.Length
}

// layout places the panels from the top down: raster, signals, rates; beside
// them the table of the populations, the legends, the CV histogram. All panels
// over time have the same left and right edge.
func layout(f Figure) page {
	const (
		margin = 20
		gap    = 14
		side   = 190 // width of the CV panel in the right column
		axes   = 62  // room for its vertical axis; table and legends begin in it
	)
	p := page{width: px(1650)}
	left := vg.Length(74) // y axis: numbers and name
	for _, pop := range f.Populations {
		left = max(left, margin+bold(10).Width(fit(bold(10), oneLine(pop.Name), nameWidth))+14)
		if f.MaxNeurons > 0 && f.MaxNeurons < pop.N {
			left = max(left, margin+regular(8.5, grey).Width(ofThese(f.MaxNeurons, pop.N))+14)
		}
	}
	spiking := len(f.Populations) > 0
	right := p.width - margin
	column := spiking
	for _, s := range f.Signals {
		column = column || len(s.Labels) > 0
	}
	if column {
		right -= side + axes
	}
	right = snap(right)
	left = snap(left)
	p.textWidth = p.width - 2*margin

	y := vg.Length(margin) // from the top, for now
	if f.Title != "" {
		y += 14
		p.title = vg.Point{X: margin, Y: y}
		y += 16
	}
	row := func(h vg.Length) vg.Rectangle {
		r := vg.Rectangle{Min: vg.Point{X: left, Y: snap(y + h)}, Max: vg.Point{X: right, Y: snap(y)}}
		y += h + gap
		return r
	}
	beside := func(r vg.Rectangle) vg.Rectangle {
		return vg.Rectangle{Min: vg.Point{X: right + axes, Y: r.Min.Y}, Max: vg.Point{X: right + axes + side, Y: r.Max.Y}}
	}
	if spiking {
		p.raster = row(290)
		p.table = beside(p.raster)
		p.table.Min.X -= axes - 26
	}
	h := vg.Length(110)
	if !spiking {
		h = max(110, 320/vg.Length(len(f.Signals)))
	}
	for range f.Signals {
		r := row(h)
		p.signals = append(p.signals, r)
		l := beside(r)
		l.Min.X -= axes - 26
		p.legends = append(p.legends, l)
	}
	if spiking {
		p.rates = row(120)
		p.cv = beside(p.rates)
	}
	y += 36 - gap // the time axis
	p.caption = vg.Point{X: margin, Y: y + 8}
	y += 8 + vg.Length(f.captionLines())*13 + 10
	p.height = px(math.Ceil(float64(y / px(1))))

	// Canvases have y pointing up.
	flip := func(pt *vg.Point) { pt.Y = p.height - pt.Y }
	flip(&p.title)
	flip(&p.caption)
	for _, r := range []*vg.Rectangle{&p.raster, &p.rates, &p.table, &p.cv} {
		flip(&r.Min)
		flip(&r.Max)
	}
	for i := range p.signals {
		flip(&p.signals[i].Min)
		flip(&p.signals[i].Max)
		flip(&p.legends[i].Min)
		flip(&p.legends[i].Max)
	}
	return p
}

func (f Figure) captionLines() int {
	if len(f.Populations) > 0 {
		return 2
	}
	return 1
}

// nameWidth is the most a population's name takes beside the raster.
const nameWidth = 110

func ofThese(shown, n int) string { return thousands(shown) + " of " + thousands(n) }

// snap moves a coordinate onto a pixel of the PNG, so that lines are sharp and
// the raster's bitmap is copied and not resampled.
func snap(x vg.Length) vg.Length { return px(math.Round(float64(x / px(1)))) }

// draw draws the figure on c, which has the page's size.
func (p page) draw(c draw.Canvas, f Figure, spikes []network.Spike) {
	c.FillPolygon(color.White, []vg.Point{{}, {X: p.width}, {X: p.width, Y: p.height}, {Y: p.height}})
	c.FillText(align(bold(14), draw.XLeft, draw.YBottom), p.title, fit(bold(14), oneLine(f.Title), p.textWidth))

	tu, perMS := unit(f.To - f.From)
	x := axis{lo: f.From.MS() * perMS, hi: f.To.MS() * perMS, name: "time (" + tu + ")"}
	var caption []string
	caption = append(caption, fmt.Sprintf("Time from %s to %s %s.", number(f.From, tu), number(f.To, tu), tu))

	if len(f.Populations) > 0 {
		in := window(spikes, f.From, f.To)
		bin := binWidth(f.To - f.From)
		m := measure(f.Populations, in, f.From, f.To, bin)
		shown, all := p.drawRaster(c, f, x, in)
		p.drawRates(c, f, x, m, bin)
		drawCV(c, p.cv, m)
		drawTable(c, p.table, f, m)
		total := 0
		for _, s := range m {
			total += s.spikes
		}
		caption[0] = strings.TrimSuffix(caption[0], ".") + fmt.Sprintf(", %s spikes.", thousands(total))
		if shown < all {
			caption[0] += fmt.Sprintf(" Raster: at most %s neurons per population, sampled evenly (%s of %s).", thousands(f.MaxNeurons), thousands(shown), thousands(all))
		} else {
			caption[0] += fmt.Sprintf(" Raster: all %s neurons.", thousands(all))
		}
		caption = append(caption, fmt.Sprintf("Rates: all neurons, bins of %v ms. CV: standard deviation over mean of the interspike intervals of each neuron with at least 3 spikes.", bin))
	}
	last := len(f.Signals) - 1
	for i, s := range f.Signals {
		drawSignal(c, p.signals[i], p.legends[i], x, perMS, s, i == last && len(f.Populations) == 0)
	}
	for i, line := range caption {
		pt := p.caption
		pt.Y -= vg.Length(i) * 13
		sty := align(regular(9, grey), draw.XLeft, draw.YTop)
		c.FillText(sty, pt, fit(sty, line, p.textWidth))
	}
}

// drawRaster draws the raster and returns how many neurons it shows, and of how
// many.
func (p page) drawRaster(c draw.Canvas, f Figure, x axis, in []network.Spike) (shown, all int) {
	r := p.raster
	bs := bands(f)
	for _, t := range x.ticks(8) {
		vline(c, r, x, t.value)
	}
	d := dots(f, bs, in)
	if len(d) < glyphs {
		drawDots(c, r, bs, d)
	} else {
		w, h := int(math.Round(float64(r.Size().X/px(1)))), int(math.Round(float64(r.Size().Y/px(1))))
		c.DrawImage(r, paint(w, h, bs, d))
	}
	if len(d) == 0 {
		nothing(c, r, "no spikes in this interval")
	}
	H := r.Size().Y
	for i, b := range bs {
		shown, all = shown+b.shown, all+b.n
		if i > 0 {
			y := r.Max.Y - H*vg.Length(b.top)
			c.StrokeLine2(line(0.5, frameGrey), r.Min.X, y, r.Max.X, y)
		}
		c.FillPolygon(b.color, []vg.Point{
			{X: r.Min.X - 5, Y: r.Max.Y - H*vg.Length(b.top) - 0.5}, {X: r.Min.X - 1, Y: r.Max.Y - H*vg.Length(b.top) - 0.5},
			{X: r.Min.X - 1, Y: r.Max.Y - H*vg.Length(b.bottom) + 0.5}, {X: r.Min.X - 5, Y: r.Max.Y - H*vg.Length(b.bottom) + 0.5},
		})
	}
	frame(c, r)
	x.drawBottom(c, r, 8, false)
	p.labelBands(c, f, bs)
	return shown, all
}

// labelBands writes the names beside the bands, moved apart where the bands are
// thin; where even that leaves no room, only every so manyth.
func (p page) labelBands(c draw.Canvas, f Figure, bs []band) {
	const pitch = 12
	r := p.raster
	every := int(math.Ceil(float64(len(bs)) * pitch / float64(r.Size().Y)))
	var at []vg.Length // centres, from the top down
	var who []int
	for i := 0; i < len(bs); i += every {
		at = append(at, r.Max.Y-r.Size().Y*vg.Length((bs[i].top+bs[i].bottom)/2))
		who = append(who, i)
	}
	apart(at, pitch, r.Max.Y-pitch/2, r.Min.Y+pitch/2)
	for k, i := range who {
		b := bs[i]
		middle := r.Max.Y - r.Size().Y*vg.Length((b.top+b.bottom)/2)
		pt := vg.Point{X: r.Min.X - 12, Y: at[k]}
		if math.Abs(float64(middle-at[k])) > 1 {
			c.StrokeLine2(line(0.6, b.color), r.Min.X-5, middle, r.Min.X-11, at[k])
		}
		name := bold(10)
		name.Color = darker(b.color)
		txt := fit(name, oneLine(f.Populations[i].Name), nameWidth)
		if r.Size().Y*vg.Length(b.bottom-b.top) < 30 {
			c.FillText(align(name, draw.XRight, draw.YCenter), pt, txt)
			continue
		}
		n := thousands(b.n)
		if b.shown < b.n {
			n = ofThese(b.shown, b.n)
		}
		c.FillText(align(name, draw.XRight, draw.YBottom), vg.Point{X: pt.X, Y: pt.Y + 1}, txt)
		c.FillText(align(regular(8.5, grey), draw.XRight, draw.YTop), vg.Point{X: pt.X, Y: pt.Y - 2}, n)
	}
}

// apart moves descending positions to at least pitch from each other, within
// [lo, hi], and leaves those that are fine.
func apart(at []vg.Length, pitch, hi, lo vg.Length) {
	for k := range at {
		if k > 0 {
			hi = at[k-1] - pitch
		}
		at[k] = min(at[k], hi)
	}
	for k := len(at) - 1; k >= 0; k-- {
		if k+1 < len(at) {
			lo = at[k+1] + pitch
		}
		at[k] = max(at[k], lo)
	}
}
