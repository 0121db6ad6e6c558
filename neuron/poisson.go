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
	cellMean  = 10 // the most events that a cell holds on average
	cellShift = 7  // blocks reserved for one cell: 128
	cellMax   = 64 // the most events drawn in one cell: P(more) < 1e-30 at mean 10
)

// poissonCell is the length of the cells of a homogeneous train: the longest of
// 1 s, 500, 200, 100, 50, 20, 10, 4, 2, 1 ms, 500, 200, 100 µs, … with at most
// cellMean events on average, so that windows of round length begin and end with
// a cell. From 400 Hz on it is at most 4 ms, so that an offset fits 32 bits.
func poissonCell(rateHz float64) event.Time {
	for ten := event.Second; ; ten /= 10 {
		for _, c := range [...]event.Time{ten, ten / 2, ten / 5} {
			if c == 5*event.Millisecond {
				c = 4 * event.Millisecond
			}
			if c <= 10 || rateHz*float64(c) <= cellMean*1e12 && !(rateHz >= 400 && c > math.MaxUint32) {
				return c
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
// It reports false at rates below 400 Hz, where a cell would outlast 32 bit
// offsets; there a Reader of the Train is to be used.
func NewPoissonDrive(rateHz float64, key random.Key) (PoissonDrive, bool) {
	return NewPoissonDriveCell(rateHz, poissonCell(rateHz), key)
}

// NewPoissonDriveCell makes a drive with cells of a given length, for models
// whose windows another length suits better: each cell that a window touches is
// drawn whole, and long cells cost fewer random blocks per event, so the window
// divided by the least whole number that leaves ten events is best. Its spikes
// are another realisation than those of the model's Train; the drive is its own
// Train. It reports false for cells of 2³² ps or more, cells with more than ten
// events on average, and rates not above 0.
func NewPoissonDriveCell(rateHz float64, cell event.Time, key random.Key) (PoissonDrive, bool) {
	if !(rateHz > 0) || !(rateHz*float64(cell) <= cellMean*1e12) || cell < 1 || cell > math.MaxUint32 {
		return PoissonDrive{}, false
	}
	return PoissonDrive{cell, *newPoissonTrain(rateHz, cell, key)}, true
}

// Offsets writes the offsets, in ps from the start of cell c ≥ 0, of the
// arrivals at neuron i, unsorted, and returns them in buf[:count].
func (d *PoissonDrive) Offsets(i uint32, c int64, buf *[cellMax]uint32) []uint32 {
	return buf[:d.offsets(uint64(i), uint64(c), buf)]
}

// PoissonWindow is a PoissonDrive prepared for one interval, the same for many
// neurons. Immutable and safe for concurrent use; make one per window.
type PoissonWindow struct {
	d           *PoissonDrive
	span        uint64     // length of the window
	first, last int64      // cells that touch it
	start       event.Time // of the first cell, relative to the window's
	whole       bool       // the first and the last cell lie inside
}

// Window prepares the interval [from, to), from < to, to − from < 2³² ps. It may
// begin before 0, as an interval less a delay does; nothing arrives there.
func (d *PoissonDrive) Window(from, to event.Time) PoissonWindow {
	w := PoissonWindow{d: d, span: uint64(to - from), first: int64(max(from, 0) / d.Cell), last: -1}
	if to > 0 {
		w.last = int64((to - 1) / d.Cell)
	}
	w.start = event.Time(w.first)*d.Cell - from
	w.whole = w.start >= 0 && event.Time(w.last+1)*d.Cell <= to
	return w
}

// Max is the length of a buffer that holds the arrivals of any neuron.
func (w *PoissonWindow) Max() int { return int(w.last-w.first+1) * cellMax }

// Arrivals writes the offsets in ps from the start of the window of the
// arrivals at neuron i, cell by cell and unsorted inside a cell, and returns
// them in buf[:count]. len(buf) ≥ Max(). What lies beyond the count is
// overwritten. The fast way to read a drive: it does not branch on what a cell
// holds, so the processor works on several cells at a time.
func (w *PoissonWindow) Arrivals(i uint32, buf []uint32) []uint32 {
	n := 0
	start := uint64(w.start)
	for c := w.first; c <= w.last; c++ {
		if w.whole || c > w.first && c < w.last {
			n += w.d.whole(uint64(i), uint64(c)<<cellShift, uint32(start), (*[cellMax]uint32)(buf[n:]))
		} else {
			n += w.d.part(uint64(i), uint64(c)<<cellShift, start, w.span, (*[cellMax]uint32)(buf[n:]))
		}
		start += uint64(w.d.Cell)
	}
	return buf[:n]
}

// whole writes the offsets of one cell, plus start, and returns their count.
// Blocks are drawn ahead of the count, as many as nine cells in ten need:
// waiting for the count to decide costs more than a block.
func (p *poissonTrain) whole(i, block uint64, start uint32, buf *[cellMax]uint32) int {
	cell := uint64(p.cell)
	a, b, a1, b1 := p.pair(i, block)
	buf[0] = start + narrow(b>>32, cell)
	buf[1] = start + narrow(b&math.MaxUint32, cell)
	buf[2] = start + narrow(a1>>32, cell)
	buf[3] = start + narrow(a1&math.MaxUint32, cell)
	buf[4] = start + narrow(b1>>32, cell)
	buf[5] = start + narrow(b1&math.MaxUint32, cell)
	n := p.table.Count(a)
	k := 6
	if p.ahead > 6 {
		if k = 10; p.ahead > 10 {
			k = 14
			a, b, a1, b1 = p.pair(i, block+2)
		} else {
			a, b = p.key.At(i, block+2)
		}
		buf[6] = start + narrow(a>>32, cell)
		buf[7] = start + narrow(a&math.MaxUint32, cell)
		buf[8] = start + narrow(b>>32, cell)
		buf[9] = start + narrow(b&math.MaxUint32, cell)
		// Overwritten below when k is 10.
		buf[10] = start + narrow(a1>>32, cell)
		buf[11] = start + narrow(a1&math.MaxUint32, cell)
		buf[12] = start + narrow(b1>>32, cell)
		buf[13] = start + narrow(b1&math.MaxUint32, cell)
	}
	if n <= k {
		return n
	}
	n = min(n, cellMax)
	for block += uint64(k+2) / 4; k < n; k += 4 {
		a, b := p.key.At(i, block)
		block++
		o := buf[k:]
		o[0] = start + narrow(a>>32, cell)
		o[1] = start + narrow(a&math.MaxUint32, cell)
		if len(o) > 3 { // at k = 62 only two fit
			o[2] = start + narrow(b>>32, cell)
			o[3] = start + narrow(b&math.MaxUint32, cell)
		}
	}
	return n
}

// part writes those offsets of one cell, plus start, that are below span. start
// may be negative, as two's complement.
func (p *poissonTrain) part(i, block, start, span uint64, buf *[cellMax]uint32) int {
	n := p.whole(i, block, 0, buf)
	kept := uint64(0)
	k := uint64(0)
	for ; k < p.ahead; k++ {
		t := start + uint64(buf[k&(cellMax-1)])
		buf[kept&(cellMax-1)] = uint32(t)
		kept += below(t, span) & below(k, uint64(n))
	}
	for ; k < uint64(n); k++ {
		t := start + uint64(buf[k&(cellMax-1)])
		buf[kept&(cellMax-1)] = uint32(t)
		kept += below(t, span)
	}
	return int(kept)
}

// below is 1 if a < b, else 0, without a branch.
func below(a, b uint64) uint64 {
	_, borrow := bits.Sub64(a, b, 0)
	return borrow
}

// narrow maps a uniform 32 bit word to a uniform offset in [0, cell).
func narrow(u, cell uint64) uint32 { return uint32(u * cell >> 32) }

// poissonTrain is the homogeneous model poisson.
type poissonTrain struct {
	cell  event.Time
	key   random.Key
	round [10]uint64 // round keys of key, see pair
	table *random.PoissonTable
	ahead uint64 // offsets that whole draws before it knows the count: 6, 10 or 14
	wide  bool   // cells beyond 2³² ps: offsets are drawn with 64 bits
	off   bool   // rate 0
}

func newPoissonTrain(rateHz float64, c event.Time, key random.Key) *poissonTrain {
	mean := rateHz * float64(c) / 1e12
	table := random.NewPoissonTable(mean)
	p := &poissonTrain{cell: c, key: key, table: &table, ahead: 6, wide: c > math.MaxUint32, off: !(rateHz > 0)}
	if mean > 4 {
		p.ahead = 10
	}
	if mean > 6.5 {
		p.ahead = 14
	}
	for r := range p.round {
		p.round[r] = uint64(key) + uint64(r)*philoxWeyl
	}
	return p
}

// Constants of Philox2x64 (Salmon, Moraes, Dror & Shaw 2011,
// doi:10.1145/2063384.2063405).
const (
	philoxM    = 0xd2b74407b1ce6e93
	philoxWeyl = 0x9e3779b97f4a7c15
)

// pair is key.At(i, block) and key.At(i, block+1), drawn side by side: the
// multiplier is then always busy, which makes a block cheaper by a fifth.
func (p *poissonTrain) pair(i, block uint64) (a, b, a1, b1 uint64) {
	r := &p.round
	h, l := bits.Mul64(philoxM, block)
	h1, l1 := bits.Mul64(philoxM, block+1)
	a, b, a1, b1 = h^r[0]^i, l, h1^r[0]^i, l1
	h, l = bits.Mul64(philoxM, a)
	h1, l1 = bits.Mul64(philoxM, a1)
	a, b, a1, b1 = h^r[1]^b, l, h1^r[1]^b1, l1
	h, l = bits.Mul64(philoxM, a)
	h1, l1 = bits.Mul64(philoxM, a1)
	a, b, a1, b1 = h^r[2]^b, l, h1^r[2]^b1, l1
	h, l = bits.Mul64(philoxM, a)
	h1, l1 = bits.Mul64(philoxM, a1)
	a, b, a1, b1 = h^r[3]^b, l, h1^r[3]^b1, l1
	h, l = bits.Mul64(philoxM, a)
	h1, l1 = bits.Mul64(philoxM, a1)
	a, b, a1, b1 = h^r[4]^b, l, h1^r[4]^b1, l1
	h, l = bits.Mul64(philoxM, a)
	h1, l1 = bits.Mul64(philoxM, a1)
	a, b, a1, b1 = h^r[5]^b, l, h1^r[5]^b1, l1
	h, l = bits.Mul64(philoxM, a)
	h1, l1 = bits.Mul64(philoxM, a1)
	a, b, a1, b1 = h^r[6]^b, l, h1^r[6]^b1, l1
	h, l = bits.Mul64(philoxM, a)
	h1, l1 = bits.Mul64(philoxM, a1)
	a, b, a1, b1 = h^r[7]^b, l, h1^r[7]^b1, l1
	h, l = bits.Mul64(philoxM, a)
	h1, l1 = bits.Mul64(philoxM, a1)
	a, b, a1, b1 = h^r[8]^b, l, h1^r[8]^b1, l1
	h, l = bits.Mul64(philoxM, a)
	h1, l1 = bits.Mul64(philoxM, a1)
	a, b, a1, b1 = h^r[9]^b, l, h1^r[9]^b1, l1
	return a, b, a1, b1
}

// offsets draws a cell of less than 2³² ps: the count and two offsets from the
// first block, four from each further one.
func (p *poissonTrain) offsets(i, c uint64, buf *[cellMax]uint32) int {
	return p.whole(i, c<<cellShift, 0, buf)
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

// thinMean is the number of candidates in a cell of a thinned train, on average.
const thinMean = 4

// thinnedTrain is the inhomogeneous model poisson: candidates at a constant
// rate λ ≥ rate(t), each kept with probability rate(t)/λ (Lewis & Shedler 1979,
// doi:10.1002/nav.3800260304). A neuron's cells are as long as its own greatest
// rate allows, and λ = thinMean per cell, so one table serves all. Each
// candidate takes one block: its offset and the draw that keeps it.
type thinnedTrain struct {
	rates rateProfile
	key   random.Key
	table *random.PoissonTable
	cells []event.Time // one for all or one per neuron; 0 = the rate is 0 throughout
	chunk event.Time
}

func newThinnedTrain(p rateProfile, n int, key random.Key) *thinnedTrain {
	table := random.NewPoissonTable(thinMean)
	t := &thinnedTrain{rates: p, key: key, table: &table, cells: make([]event.Time, p.lists())}
	longest, total := event.Time(1), 0.0 // candidates per second
	for i := range t.cells {
		if m := p.max(i); m > 0 {
			t.cells[i] = max(1, event.Time(min(float64(event.Second), math.Floor(thinMean*1e12/m))))
			longest = max(longest, t.cells[i])
			total += thinMean / t.cells[i].Seconds()
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
		lambda := thinMean * 1e12 / float64(cell)
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
	return &correlatedTrain{newPoissonTrain(rateHz/c, poissonCell(rateHz/c), mother), copies, c}
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
