package plot

import (
	"image/color"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	xfont "golang.org/x/image/font"
)

// palette is that of Okabe & Ito (2008, https://jfly.uni-koeln.de/color/) in an
// order in which neighbours differ most, without its yellow, which is too pale
// for marks on white, and its black, which is that of the axes.
var palette = []color.NRGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xd5, 0x5e, 0x00, 0xff}, // vermillion
	{0x00, 0x9e, 0x73, 0xff}, // bluish green
	{0xcc, 0x79, 0xa7, 0xff}, // reddish purple
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x56, 0xb4, 0xe9, 0xff}, // sky blue
	{0x6b, 0x4c, 0x9a, 0xff}, // violet, dark: not of Okabe and Ito, for an eighth group
	{0x77, 0x77, 0x77, 0xff}, // grey
}

func hue(i int) color.NRGBA { return palette[i%len(palette)] }

var (
	ink       = color.NRGBA{0x22, 0x22, 0x22, 0xff}
	grey      = color.NRGBA{0x66, 0x66, 0x66, 0xff}
	frameGrey = color.NRGBA{0x99, 0x99, 0x99, 0xff}
	gridGrey  = color.NRGBA{0xe8, 0xe8, 0xe8, 0xff}
	fonts     = font.NewCache(liberation.Collection())
)

func regular(size float64, c color.Color) draw.TextStyle {
	return draw.TextStyle{
		Color:   c,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(size)},
		Handler: text.Plain{Fonts: fonts},
	}
}

func bold(size float64) draw.TextStyle {
	s := regular(size, ink)
	s.Font.Weight = xfont.WeightBold
	return s
}

func align(s draw.TextStyle, x text.XAlignment, y text.YAlignment) draw.TextStyle {
	s.XAlign, s.YAlign = x, y
	return s
}

func line(width vg.Length, c color.Color) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: width}
}

// darker is a tone of c that can be read as text on white.
func darker(c color.NRGBA) color.NRGBA {
	return color.NRGBA{uint8(float64(c.R) * 0.75), uint8(float64(c.G) * 0.75), uint8(float64(c.B) * 0.75), c.A}
}

// fit shortens a text to the width.
func fit(s draw.TextStyle, txt string, width vg.Length) string {
	if s.Width(txt) <= width {
		return txt
	}
	r := []rune(txt)
	for len(r) > 0 && s.Width(string(r)+"…") > width {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func nothing(c draw.Canvas, r vg.Rectangle, why string) {
	m := vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y + r.Max.Y) / 2}
	c.FillText(align(regular(11, grey), draw.XCenter, draw.YCenter), m, why)
}

func frame(c draw.Canvas, r vg.Rectangle) {
	c.StrokeLines(line(0.6, frameGrey), []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}, r.Min})
}
