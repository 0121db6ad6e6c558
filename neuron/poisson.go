package neuron

import (
	"math"
	"math/bits"
	"slices"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
	"hmn/event/random"
)

// Poisson trains are exact in continuous time and need no storage. The time
// line of each neuron is a fixed grid of cells that belongs to the model. The
// random words of a cell are the blocks At(neuron, cell·128 + k): first the
// count, from the Poisson distribution of the cell's mean, then that many
// offsets, independent and uniform in the cell. Any cell can so be drawn again
// at any time, by anyone.
const (
	cellMean  = 4.0          // the most events that a cell holds on average
	cellShift = 7            // blocks reserved for one cell: 128
	cellMax   = 64           // the most events drawn in one cell: P(more) < 1e-50 at mean 4
	cellCap   = event.Second // the longest cell
)

// poissonCell is the length of the cells of a homogeneous train: the longest of
// 1 s, 500 ms, …, 20, 10, 4, 2, 1 ms, 500, 200, 100 µs, … with at most cellMean
// events on average, so that windows of round length begin and end with a cell.
// 4 ms stands for 5 ms because an offset in it fits 32 bits.
func poissonCell(rateHz float64) event.Time {
	for ten := cellCap; ; ten /= 10 {
		for _, c := range [...]event.Time{ten, ten / 2, ten / 5} {
			if c == 5*event.Millisecond {
				c = 4 * event.Millisecond
			}
			if c <= 1 || rateHz*float64(c)*1e-12 <= cellMean {
				return max(c, 1)
			}
		}
	}
}

// PoissonDrive generates homogeneous Poisson arrivals of single neurons cell by
// cell, without storage and without order inside a cell: the hot path of
// external input. Cell c is [c·Cell, (c+1)·Cell), c ≥ 0. The spikes are those
// of the Train of the model poisson with the same rate and key. Immutable and
// safe for concurrent use.
type PoissonDrive struct {
	Cell event.Time // length of a cell, < 2³² ps
	poissonTrain
}

// NewPoissonDrive makes the drive at the given rate. key is that of the
// population: random.NewKey(seed, random.StreamPoisson, random.Name(population)).
// It reports false at rates up to 400 Hz, where a cell would outlast 32 bit
// offsets, and at rate 0; there the Train is to be used.
func NewPoissonDrive(rateHz float64, key random.Key) (PoissonDrive, bool) {
	t := newPoissonTrain(rateHz, key)
	return PoissonDrive{t.cell, *t}, !t.wide && rateHz > 0
}

// Offsets writes the offsets, in ps from the start of cell c ≥ 0, of the
// arrivals at neuron i, unsorted, and returns them in buf[:count].
func (d *PoissonDrive) Offsets(i uint32, c int64, buf *[cellMax]uint32) []uint32 {
	return buf[:d.offsets(uint64(i), uint64(c), buf)]
}

// poissonTrain is the homogeneous model poisson.
type poissonTrain struct {
	cell  event.Time
	key   random.Key
	table *random.PoissonTable
	wide  bool // cells beyond 2³² ps: offsets are drawn with 64 bits
	off   bool // rate 0
}

func newPoissonTrain(rateHz float64, key random.Key) *poissonTrain {
	c := poissonCell(rateHz)
	table := random.NewPoissonTable(rateHz * float64(c) * 1e-12)
	return &poissonTrain{
		cell:  c,
		key:   key,
		table: &table,
		wide:  c > math.MaxUint32,
		off:   !(rateHz > 0),
	}
}

// offsets draws a cell of less than 2³² ps: the count and two offsets from the
// first block, four from each further one.
func (p *poissonTrain) offsets(i, c uint64, buf *[cellMax]uint32) int {
	cell := uint64(p.cell)
	c <<= cellShift
	// The second block is drawn whether or not the count asks for it: nine cells
	// in ten end with it, and waiting for the count to decide costs more than the
	// block.
	a, b := p.key.At(i, c)
	a1, b1 := p.key.At(i, c+1)
	buf[0] = uint32((b >> 32) * cell >> 32)
	buf[1] = uint32((b & math.MaxUint32) * cell >> 32)
	buf[2] = uint32((a1 >> 32) * cell >> 32)
	buf[3] = uint32((a1 & math.MaxUint32) * cell >> 32)
	buf[4] = uint32((b1 >> 32) * cell >> 32)
	buf[5] = uint32((b1 & math.MaxUint32) * cell >> 32)
	n := min(p.table.Count(a), cellMax)
	for k := 6; k < n; k += 4 {
		c++
		a, b = p.key.At(i, c+1)
		o := buf[k:]
		o[0] = uint32((a >> 32) * cell >> 32)
		o[1] = uint32((a & math.MaxUint32) * cell >> 32)
		if len(o) > 3 { // at k = 62 only two fit
			o[2] = uint32((b >> 32) * cell >> 32)
			o[3] = uint32((b & math.MaxUint32) * cell >> 32)
		}
	}
	return n
}

// wideOffsets draws a cell of any length: one offset from the first block, two
// from each further one.
func (p *poissonTrain) wideOffsets(i, c uint64, buf *[cellMax]event.Time) int {
	if !p.wide {
		var narrow [cellMax]uint32
		n := p.offsets(i, c, &narrow)
		for k, o := range narrow[:n] {
			buf[k] = event.Time(o)
		}
		return n
	}
	c <<= cellShift
	a, b := p.key.At(i, c)
	n := min(p.table.Count(a), cellMax)
	buf[0] = scale(b, p.cell)
	for k := 1; k < n; k += 2 {
		c++
		a, b = p.key.At(i, c)
		buf[k] = scale(a, p.cell)
		if k+1 < n {
			buf[k+1] = scale(b, p.cell)
		}
	}
	return n
}

// scale maps a uniform 64 bit word to a uniform time in [0, cell).
func scale(u uint64, cell event.Time) event.Time {
	h, _ := bits.Mul64(u, uint64(cell))
	return event.Time(h)
}

func (p *poissonTrain) grain() event.Time { return p.cell }

func (p *poissonTrain) Spikes(lo, hi int, from, to event.Time, dst []TrainSpike) []TrainSpike {
	from = max(from, 0)
	if p.off || from >= to {
		return dst
	}
	var buf [cellMax]event.Time
	for c := from / p.cell; c <= (to-1)/p.cell; c++ {
		start, first := c*p.cell, len(dst)
		for i := lo; i < hi; i++ {
			for _, o := range buf[:p.wideOffsets(uint64(i), uint64(c), &buf)] {
				if t := start + o; t >= from && t < to {
					dst = append(dst, TrainSpike{t, uint32(i)})
				}
			}
		}
		slices.SortFunc(dst[first:], bySpike)
	}
	return dst
}

// rateProfile is a rate [Hz] that depends on time, and perhaps on the neuron.
type rateProfile interface {
	lists() int                             // 1: the same for every neuron, so i is 0 below; else one per neuron
	max(i int) float64                      // no rate(i, t) is greater
	rate(i int, t event.Time) float64       // ≥ 0
	silent(i int, from, to event.Time) bool // true only if the rate is 0 throughout [from, to)
}

// sineRate is max(0, mean + amplitude·sin(2π frequency t + phase)).
type sineRate quantity.Sinusoid

func (s sineRate) lists() int                              { return 1 }
func (s sineRate) max(int) float64                         { return s.Mean + s.Amplitude }
func (s sineRate) silent(int, event.Time, event.Time) bool { return false }

func (s sineRate) rate(_ int, t event.Time) float64 {
	turns := float64(s.Frequency * t.Seconds())
	turns -= math.Floor(turns)
	return max(0, float64(s.Amplitude*fmath.Sin(float64(2*math.Pi*turns)+s.Phase))+s.Mean)
}

// stepRate is the rate from each step on, 0 before the first.
type stepRate []stepList

func (s stepRate) lists() int { return len(s) }

func (s stepRate) max(i int) float64 {
	m := 0.0
	for _, r := range s[i].value {
		m = max(m, r)
	}
	return m
}

func (s stepRate) rate(i int, t event.Time) float64 {
	r, _ := s[i].from(t)
	return r
}

func (s stepRate) silent(i int, from, to event.Time) bool {
	l := s[i]
	if r, _ := l.from(from); r > 0 {
		return false
	}
	k, _ := slices.BinarySearch(l.at, from)
	for ; k < len(l.at) && l.at[k] < to; k++ {
		if l.value[k] > 0 {
			return false
		}
	}
	return true
}

// thinnedTrain is the inhomogeneous model poisson: candidates at a constant
// rate λ ≥ rate(t), each kept with probability rate(t)/λ (Lewis & Shedler 1979,
// doi:10.1002/nav.3800260304). A neuron's cells are as long as its own greatest
// rate allows, and λ = cellMean per cell, so one table serves all. Each
// candidate takes one block: its offset and the draw that keeps it.
type thinnedTrain struct {
	rates rateProfile
	key   random.Key
	table *random.PoissonTable
	cells []event.Time // one for all or one per neuron; 0 = the rate is 0 throughout
	chunk event.Time
}

func newThinnedTrain(p rateProfile, n int, key random.Key) *thinnedTrain {
	table := random.NewPoissonTable(cellMean)
	t := &thinnedTrain{rates: p, key: key, table: &table, cells: make([]event.Time, p.lists())}
	longest, total := event.Time(1), 0.0 // candidates per second
	for i := range t.cells {
		if m := p.max(i); m > 0 {
			t.cells[i] = max(1, event.Time(min(float64(cellCap), math.Floor(cellMean*1e12/m))))
			longest = max(longest, t.cells[i])
			total += cellMean / t.cells[i].Seconds()
		}
	}
	if len(t.cells) == 1 {
		total *= float64(n)
	}
	// A chunk holds the longest cell, unless that means millions of spikes.
	t.chunk = longest
	if most := math.Floor(1e12 * 1e6 / max(total, 1)); float64(longest) > most {
		t.chunk = max(1, event.Time(most))
	}
	return t
}

func (t *thinnedTrain) grain() event.Time { return t.chunk }

func (t *thinnedTrain) Spikes(lo, hi int, from, to event.Time, dst []TrainSpike) []TrainSpike {
	from = max(from, 0)
	first := len(dst)
	for i := lo; i < hi && from < to; i++ {
		k := i
		if len(t.cells) == 1 {
			k = 0
		}
		cell := t.cells[k]
		if cell == 0 {
			continue
		}
		lambda := cellMean * 1e12 / float64(cell)
		for c := from / cell; c <= (to-1)/cell; c++ {
			start := c * cell
			if t.rates.silent(k, start, start+cell) {
				continue
			}
			block := uint64(c) << cellShift
			a, _ := t.key.At(uint64(i), block)
			for n := min(t.table.Count(a), cellMax); n > 0; n-- {
				block++
				a, b := t.key.At(uint64(i), block)
				at := start + scale(a, cell)
				if at >= from && at < to && random.Uniform(b)*lambda < t.rates.rate(k, at) {
					dst = append(dst, TrainSpike{at, uint32(i)})
				}
			}
		}
	}
	slices.SortFunc(dst[first:], bySpike)
	return dst
}

// correlatedTrain is the model correlated_poisson: a mother process of rate
// rate/c, each of whose spikes enters each train with probability c (Kuhn,
// Aertsen & Rotter 2003, doi:10.1162/089976603321043702). The draw is keyed by
// the train, the mother's cell and the spike's index in it; trains 2k and 2k+1
// share a block.
type correlatedTrain struct {
	mother *poissonTrain
	copies random.Key
	c      float64
}

func newCorrelatedTrain(rateHz, c float64, mother, copies random.Key) *correlatedTrain {
	return &correlatedTrain{newPoissonTrain(rateHz/c, mother), copies, c}
}

func (t *correlatedTrain) grain() event.Time { return t.mother.cell }

func (t *correlatedTrain) Spikes(lo, hi int, from, to event.Time, dst []TrainSpike) []TrainSpike {
	from = max(from, 0)
	if t.mother.off || from >= to || lo >= hi {
		return dst
	}
	var offsets [cellMax]event.Time
	var spikes [cellMax]TrainSpike // of the mother; Neuron is the index in the cell
	cell := t.mother.cell
	for c := from / cell; c <= (to-1)/cell; c++ {
		n := 0
		for k, o := range offsets[:t.mother.wideOffsets(0, uint64(c), &offsets)] {
			if at := c*cell + o; at >= from && at < to {
				spikes[n] = TrainSpike{at, uint32(k)}
				n++
			}
		}
		slices.SortFunc(spikes[:n], bySpike)
		first := len(dst)
		for k, s := range spikes[:n] {
			if k == 0 || spikes[k-1].At != s.At {
				first = len(dst)
			}
			block := uint64(c)<<cellShift + uint64(s.Neuron)
			for pair := lo / 2; pair <= (hi-1)/2; pair++ {
				a, b := t.copies.At(uint64(pair), block)
				if 2*pair >= lo && random.Uniform(a) < t.c {
					dst = append(dst, TrainSpike{s.At, uint32(2 * pair)})
				}
				if 2*pair+1 < hi && random.Uniform(b) < t.c {
					dst = append(dst, TrainSpike{s.At, uint32(2*pair + 1)})
				}
			}
			if k > 0 && spikes[k-1].At == s.At { // two mother spikes in one picosecond
				slices.SortFunc(dst[first:], bySpike)
			}
		}
	}
	return dst
}
