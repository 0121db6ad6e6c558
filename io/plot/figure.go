package plot

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"hmn/event"
	"hmn/network"
)

// Population is a group of neurons with consecutive ids.
type Population struct {
	Name    string
	FirstID uint32 // id of its first neuron, as in network.Spike
	N       int    // number of neurons, > 0
}

// Signal is a panel of traces over time: one sampled quantity of one or more
// entities.
type Signal struct {
	Name   string      // what is drawn: "V_m"
	Unit   string      // "mV"; empty or "1" for a number without unit
	Times  []float64   // [ms], ascending
	Values [][]float64 // one trace per entity, each of len(Times); NaN and infinities leave gaps
	Labels []string    // names of the traces, one each; empty = no legend
}

// Figure says what to draw. With populations it has a raster, their rates and
// the histogram of the ISI-CVs; with signals one panel for each; it needs one of
// the two. The first population is drawn on top.
type Figure struct {
	Title       string
	From, To    event.Time // what is drawn: [From, To), To > From
	Populations []Population
	MaxNeurons  int // neurons shown per population, sampled evenly; 0 = all. Rates and CVs are always of all.
	Signals     []Signal
}

// ErrExtension reports a file name that is neither .png nor .svg.
var ErrExtension = errors.New("plot: unknown file type, want .png or .svg")

// ErrEmpty reports a figure without populations and signals.
var ErrEmpty = errors.New("plot: nothing to draw: no populations and no signals")

const (
	dpi = 150.0 // of a PNG; data areas lie on whole pixels of it
	// glyphs is the number of spikes from which on the raster is a bitmap.
	glyphs = 5000
)

// Write draws the figure to path, as PNG or SVG by its extension, and replaces
// a file that is there only when the drawing is complete. Spikes must ascend in
// time, as a run writes them; those outside [From, To) and those of ids in no
// population are not drawn. It does not keep or change spikes.
func (f Figure) Write(path string, spikes []network.Spike) error {
	if _, err := extension(path); err != nil {
		return err
	}
	if err := f.check(spikes); err != nil {
		return err
	}
	p := layout(f)
	return write(path, p.width, p.height, func(c draw.Canvas) { p.draw(c, f, spikes) })
}

// extension is that of the path, in lower case, if it can be drawn to.
func extension(path string) (string, error) {
	ext := strings.ToLower(filepath.Ext(path))
	if ext != ".png" && ext != ".svg" {
		return "", fmt.Errorf("%w: %q", ErrExtension, path)
	}
	return ext, nil
}

// write draws a page of that size to path.
func write(path string, width, height vg.Length, page func(draw.Canvas)) error {
	ext, err := extension(path)
	if err != nil {
		return err
	}
	if ext == ".png" {
		c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))
		page(draw.New(c))
		return replace(path, vgimg.PngCanvas{Canvas: c})
	}
	c := vgsvg.New(width, height)
	page(draw.New(c))
	return replace(path, svg{c})
}

// check refuses what cannot be drawn.
func (f Figure) check(spikes []network.Spike) error {
	if len(f.Populations) == 0 && len(f.Signals) == 0 {
		return ErrEmpty
	}
	if !(f.To > f.From) {
		return fmt.Errorf("plot: window from %v ms to %v ms is empty", f.From, f.To)
	}
	if f.To-f.From < 0 {
		return fmt.Errorf("plot: window from %v ms to %v ms: %w", f.From, f.To, event.ErrRange)
	}
	if f.MaxNeurons < 0 {
		return fmt.Errorf("plot: at most %d neurons per population, want ≥ 0", f.MaxNeurons)
	}
	pops := append([]Population(nil), f.Populations...)
	sort.SliceStable(pops, func(i, j int) bool { return pops[i].FirstID < pops[j].FirstID })
	for i, p := range pops {
		if p.N <= 0 || int64(p.FirstID)+int64(p.N) > 1<<32 {
			return fmt.Errorf("plot: population %q: %d neurons from id %d, want ≥ 1 and ids below 2³²", p.Name, p.N, p.FirstID)
		}
		if i > 0 && uint64(p.FirstID) < uint64(pops[i-1].FirstID)+uint64(pops[i-1].N) {
			return fmt.Errorf("plot: populations %q and %q share id %d", pops[i-1].Name, p.Name, p.FirstID)
		}
	}
	for i := 1; i < len(spikes); i++ {
		if spikes[i].At < spikes[i-1].At {
			return fmt.Errorf("plot: spike %d at %v ms follows one at %v ms, want ascending times", i, spikes[i].At, spikes[i-1].At)
		}
	}
	for _, s := range f.Signals {
		if len(s.Labels) != 0 && len(s.Labels) != len(s.Values) {
			return fmt.Errorf("plot: signal %q: %d labels for %d traces", s.Name, len(s.Labels), len(s.Values))
		}
		for k, v := range s.Values {
			if len(v) != len(s.Times) {
				return fmt.Errorf("plot: signal %q: trace %d has %d values at %d times", s.Name, k, len(v), len(s.Times))
			}
		}
		for i := 1; i < len(s.Times); i++ {
			if !(s.Times[i] >= s.Times[i-1]) {
				return fmt.Errorf("plot: signal %q: sample %d at %g ms follows one at %g ms, want ascending times", s.Name, i, s.Times[i], s.Times[i-1])
			}
		}
	}
	return nil
}

// svg writes the canvas with fonts to fall back on where Liberation Sans is not
// installed, and with the true type of the bitmap, a PNG that vgsvg calls a JPEG.
type svg struct{ c *vgsvg.Canvas }

func (s svg) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	if _, err := s.c.WriteTo(&b); err != nil {
		return 0, err
	}
	out := bytes.ReplaceAll(b.Bytes(),
		[]byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
	out = bytes.ReplaceAll(out, []byte("data:image/jpg;base64,iVBORw0KGgo"), []byte("data:image/png;base64,iVBORw0KGgo"))
	n, err := w.Write(out)
	return int64(n), err
}

// replace writes to a file beside path and renames it when all is on disk.
func replace(path string, w io.WriterTo) (err error) {
	t, err := os.CreateTemp(filepath.Dir(path), ".plot-*")
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("plot: %s: %w", path, err)
			// The first error is the one to report.
			t.Close()
			os.Remove(t.Name())
		}
	}()
	b := bufio.NewWriter(t)
	if _, err = w.WriteTo(b); err != nil {
		return err
	}
	if err = b.Flush(); err != nil {
		return err
	}
	if err = t.Chmod(0o644); err != nil {
		return err
	}
	if err = t.Sync(); err != nil {
		return err
	}
	if err = t.Close(); err != nil {
		return err
	}
	return os.Rename(t.Name(), path)
}

// length of n pixels of a PNG.
func px(n float64) vg.Length { return vg.Length(n) * vg.Inch / dpi }
