package plot

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"hmn/network"
)

// band is the part of the raster that shows one population. Heights are
// fractions of the raster, from its upper edge.
type band struct {
	top, bottom float64
	n           int // neurons of the population
	shown       int // of these, the rows of the band
	color       color.NRGBA
}

// bands shares the raster out in proportion to the neurons shown, with a least
// height so that one generator beside thousands of neurons can be seen.
func bands(f Figure) []band {
	b := make([]band, len(f.Populations))
	rows := 0
	for i, p := range f.Populations {
		b[i].n, b[i].shown, b[i].color = p.N, p.N, hue(i)
		if f.MaxNeurons > 0 {
			b[i].shown = min(p.N, f.MaxNeurons)
		}
		rows += b[i].shown
	}
	least, sum := math.Min(0.03, 0.5/float64(len(b))), 0.0
	for i := range b {
		b[i].bottom = math.Max(least, float64(b[i].shown)/float64(rows))
		sum += b[i].bottom
	}
	at := 0.0
	for i := range b {
		b[i].top, at = at, at+b[i].bottom/sum
		b[i].bottom = at
	}
	b[len(b)-1].bottom = 1 // but for rounding
	return b
}

// row is the band's row that shows neuron i; row k shows neuron ⌊k·n/shown⌋.
func (b band) row(i int) (k int, ok bool) {
	n, shown := int64(b.n), int64(b.shown)
	r := (int64(i)*shown + n - 1) / n
	return int(r), r < shown && r*n/shown == int64(i)
}

// at is the height of the middle of row k.
func (b band) at(k int) float64 {
	return b.top + (b.bottom-b.top)*(float64(k)+0.5)/float64(b.shown)
}

// dot is a spike that is shown: its place across and down the raster as
// fractions, and its band.
type dot struct {
	x, y float32
	band int32
}

// dots of the spikes in [from, to) whose neurons are shown.
func dots(f Figure, bands []band, spikes []network.Spike) []dot {
	find := newIndex(f.Populations)
	var d []dot
	span := float64(f.To - f.From)
	for _, s := range spikes {
		p, i := find.find(s.ID)
		if p < 0 {
			continue
		}
		if k, ok := bands[p].row(i); ok {
			d = append(d, dot{float32(float64(s.At-f.From) / span), float32(bands[p].at(k)), int32(p)})
		}
	}
	return d
}

// drawDots draws each spike as an upright bar as high as its row, within limits.
func drawDots(c draw.Canvas, r vg.Rectangle, bands []band, d []dot) {
	w, h := r.Size().X, r.Size().Y
	for _, s := range d {
		b := bands[s.band]
		rowHeight := h * vg.Length((b.bottom-b.top)/float64(b.shown))
		half := min(max(0.4*rowHeight, 0.7), 4.5)
		y := min(max(r.Max.Y-h*vg.Length(s.y), r.Min.Y+half), r.Max.Y-half)
		x := min(max(r.Min.X+w*vg.Length(s.x), r.Min.X+0.55), r.Max.X-0.55)
		c.FillPolygon(b.color, []vg.Point{
			{X: x - 0.55, Y: y - half}, {X: x + 0.55, Y: y - half},
			{X: x + 0.55, Y: y + half}, {X: x - 0.55, Y: y + half},
		})
	}
}

// paint draws the spikes into a bitmap of w × h pixels. A pixel that k spikes
// cover keeps (1−a)^k of the white, with a chosen per band so that its mean is
// near 0.45 where spikes overlap, and a = 1 where they are sparse.
func paint(w, h int, bands []band, d []dot) *image.NRGBA {
	type brush struct {
		x, y    int // size of a spike in pixels
		top, to int // rows of the band
		ink     [256]uint8
	}
	n := make([]int, len(bands))
	for _, s := range d {
		n[s.band]++
	}
	brushes := make([]brush, len(bands))
	for i, b := range bands {
		r := &brushes[i]
		r.top = int(math.Round(b.top * float64(h)))
		r.to = max(r.top+1, int(math.Round(b.bottom*float64(h))))
		rowHeight := float64(r.to-r.top) / float64(b.shown)
		area := float64(w * (r.to - r.top))
		r.x, r.y = 2, max(2, min(6, int(0.8*rowHeight)))
		if float64(n[i]*r.x*r.y) > 0.5*area {
			r.x, r.y = 1, max(1, min(6, int(0.8*rowHeight)))
		}
		cover := float64(n[i]*r.x*r.y) / area
		a := 1.0
		if cover > 0 {
			a = math.Min(1, math.Max(0.04, 1-math.Pow(0.45, 1/cover)))
		}
		for k := range r.ink {
			r.ink[k] = uint8(math.Round(255 * (1 - math.Pow(1-a, float64(k)))))
		}
	}
	count := make([]uint8, w*h)
	for _, s := range d {
		r := &brushes[s.band]
		x0 := min(max(int(float64(s.x)*float64(w))-(r.x-1)/2, 0), w-r.x)
		y0 := min(max(int(float64(s.y)*float64(h))-(r.y-1)/2, r.top), max(r.top, r.to-r.y))
		for y := y0; y < min(y0+r.y, r.to, h); y++ {
			for x := x0; x < x0+r.x; x++ {
				if p := &count[y*w+x]; *p < 255 {
					*p++
				}
			}
		}
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i, r := range brushes {
		for y := r.top; y < min(r.to, h); y++ {
			for x := range w {
				if k := count[y*w+x]; k > 0 {
					c := bands[i].color
					c.A = r.ink[k]
					img.SetNRGBA(x, y, c)
				}
			}
		}
	}
	return img
}
