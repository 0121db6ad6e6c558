package neuron

import (
	"math"
	"math/bits"

	"hmn/event"
)

// Timed is a synaptic arrival on its way to a block.
type Timed struct {
	Off uint32 // ps from the start of the window
	T   uint16 // block-local target
}

// Arrivals are the arrivals of one window over one projection. W holds their
// weights; nil: all have the weight Const.
type Arrivals struct {
	At    []Timed
	W     []float64
	Const float64
}

// weight is the weight of arrival q.
func (a *Arrivals) weight(q int) float64 {
	if a.W != nil {
		return a.W[q]
	}
	return a.Const
}

// The accumulators take arrivals that come at different times: each is carried
// to the end of its step by its own factor. acc holds one row of n targets per
// step; cut holds the ends of the steps from the window's start.

// AddJumps adds arrivals to one accumulator per target and step (delta
// currents).
func (l *Linear) AddJumps(acc []float64, n int, arrivals *Arrivals, cut []event.Time) {
	k := l.kern
	cells, inv, width := k.cells[0], k.inv, k.width
	at := stepsOf(cut)
	for q := range arrivals.At {
		a := &arrivals.At[q]
		j := at.index(a.Off)
		x := float64(float64(int64(at.cut[j])-int64(a.Off)) * picosecond)
		c := int(x * inv)
		r := x - float64((float64(c)+0.5)*width)
		acc[j*n+int(a.T)] += float64(arrivals.weight(q) * poly(&cells[c].v, r))
	}
}

// AddPairs adds arrivals of port p to two accumulators per target and step
// (exponential currents).
func (l *Linear) AddPairs(acc [][2]float64, n, p int, arrivals *Arrivals, cut []event.Time) {
	k := l.kern
	cells, inv, width := k.cells[p], k.inv, k.width
	if len(cut) == 1 && arrivals.W != nil {
		l.addPairsOnce(acc, p, arrivals, cut[0])
		return
	}
	at := stepsOf(cut)
	for q := range arrivals.At {
		a := &arrivals.At[q]
		j := at.index(a.Off)
		x := float64(float64(int64(at.cut[j])-int64(a.Off)) * picosecond)
		c := int(x * inv)
		r := x - float64((float64(c)+0.5)*width)
		v, i := poly(&cells[c].v, r), poly(&cells[c].i, r)
		t, w := &acc[j*n+int(a.T)], arrivals.weight(q)
		t[0] += float64(w * v)
		t[1] += float64(w * i)
	}
}

// addPairsOnce is AddPairs with one step and with a weight for each arrival.
func (l *Linear) addPairsOnce(acc [][2]float64, p int, arrivals *Arrivals, step event.Time) {
	k := l.kern
	cells, inv, width := k.cells[p], k.inv, k.width
	w := arrivals.W[:len(arrivals.At)]
	for q, a := range arrivals.At {
		x := float64(float64(int64(step)-int64(a.Off)) * picosecond)
		c := int(x * inv)
		r := x - float64((float64(c)+0.5)*width)
		cell := &cells[c]
		v, i := poly(&cell.v, r), poly(&cell.i, r)
		t := &acc[a.T]
		t[0] += float64(w[q] * v)
		t[1] += float64(w[q] * i)
	}
}

// AddTriples adds arrivals of port p to three accumulators per target and step
// (alpha currents).
func (l *Linear) AddTriples(acc [][3]float64, n, p int, arrivals *Arrivals, cut []event.Time) {
	at := stepsOf(cut)
	for q := range arrivals.At {
		a := &arrivals.At[q]
		j := at.index(a.Off)
		x := float64(float64(int64(at.cut[j])-int64(a.Off)) * picosecond)
		v, i := l.Response(p, x)
		t, w := &acc[j*n+int(a.T)], arrivals.weight(q)
		t[0] += float64(w * v)
		t[1] += float64(w * i)
		t[2] += float64(w * l.Slope(p, x))
	}
}

// steps finds the step that an offset falls into.
type steps struct {
	cut []event.Time
	inv uint64 // 2⁶⁴ / cut[0], rounded up
}

func stepsOf(cut []event.Time) steps { return steps{cut, math.MaxUint64/uint64(cut[0]) + 1} }

// index is the step j with cut[j−1] ≤ off < cut[j]. All steps but the last are
// equally long; dividing by multiplication is exact, as off·cut[0] < 2⁶⁴.
func (s *steps) index(off uint32) int {
	j, _ := bits.Mul64(uint64(off), s.inv)
	return min(int(j), len(s.cut)-1)
}

// DriveJumps generates the arrivals of a Poisson drive at delta currents:
// neurons [lo, lo+n), arrivals in the window [start, start+length), each spike
// delayed by delay. It adds weight times the factor of each to acc as AddJumps
// does, and returns how many there were. buf is scratch and returned grown.
func (l *Linear) DriveJumps(acc []float64, d *PoissonDrive, lo, n int, start, delay event.Time, cut []event.Time, weight float64, buf []uint32) (count uint64, _ []uint32) {
	k := l.kern
	cells, inv, width := k.cells[0], k.inv, k.width
	at := stepsOf(cut)
	w := d.Window(start-delay, start-delay+cut[len(cut)-1])
	if len(buf) < w.Max() {
		buf = make([]uint32, w.Max())
	}
	h, last := uint64(cut[0]), len(cut)-1
	if event.Time(h)*event.Time(last+1) == cut[last] && cut[0].MS() <= width {
		// Equal steps within one cell of the kernel: one polynomial for all, in
		// picoseconds before the middle of the step.
		c := l.taylor(0, cut[0].MS()/2).v
		scale := weight
		for k := range c {
			c[k] *= scale
			scale *= picosecond
		}
		middle := float64(float64(h) / 2)
		for i := range n {
			offs := w.Arrivals(uint32(lo+i), buf)
			count += uint64(len(offs))
			for _, t := range offs {
				j, _ := bits.Mul64(uint64(t), at.inv)
				r := middle - float64(int64(uint64(t)-j*h))
				acc[int(j)*n+i] += poly(&c, r)
			}
		}
		return count, buf
	}
	for i := range n {
		offs := w.Arrivals(uint32(lo+i), buf)
		count += uint64(len(offs))
		for _, t := range offs {
			j := at.index(t)
			x := float64(float64(int64(at.cut[j])-int64(t)) * picosecond)
			q := int(x * inv)
			r := x - float64((float64(q)+0.5)*width)
			acc[j*n+i] += float64(weight * poly(&cells[q].v, r))
		}
	}
	return count, buf
}

// DrivePairs generates cell c of a Poisson drive at exponential currents of port
// p: neurons [lo, lo+n), arrivals base ps after the start of the first of a row of
// steps, all h long. acc holds one slice of n accumulators per step; each arrival
// is carried to the end of its step and added as AddPairs does. Arrivals before
// the first step are left out. It adds the number of arrivals to count, by step.
// buf is scratch, of length PoissonCellMax.
func (l *Linear) DrivePairs(acc [][][2]float64, d *PoissonDrive, lo, n, p int, c int64, base, h event.Time, weight float64, count []uint64, buf []uint32) {
	k := l.kern
	cells, inv, width := k.cells[p], k.inv, k.width
	perStep := math.MaxUint64/uint64(h) + 1 // exact: offsets are below 2³², see steps
	room := (*[cellMax]uint32)(buf)
	for i := range n {
		for _, o := range room[:d.whole(uint64(lo+i), uint64(c)<<cellShift, 0, room)] {
			t := base + event.Time(o)
			if t < 0 {
				continue
			}
			j, _ := bits.Mul64(uint64(t), perStep)
			x := float64(float64(int64(h)-int64(uint64(t)-j*uint64(h))) * picosecond)
			q := int(x * inv)
			r := x - float64((float64(q)+0.5)*width)
			v, s := poly(&cells[q].v, r), poly(&cells[q].i, r)
			a := &acc[j][i]
			a[0] += float64(weight * v)
			a[1] += float64(weight * s)
			count[j]++
		}
	}
}

// PoissonCellMax is the most arrivals of a neuron in one cell of a drive.
const PoissonCellMax = cellMax

// Drive lists the arrivals of a Poisson drive at neuron i of a block that
// starts at lo, in the window [from, to), as Timed arrivals with offsets from
// start, unsorted within a cell. buf is scratch and returned grown.
func (d *PoissonDrive) Drive(dst []Timed, lo, i int, start, from, to, delay event.Time, buf []uint32) ([]Timed, []uint32) {
	w := d.Window(from-delay, to-delay)
	if len(buf) < w.Max() {
		buf = make([]uint32, w.Max())
	}
	shift := uint32(from - start)
	for _, t := range w.Arrivals(uint32(lo+i), buf) {
		dst = append(dst, Timed{Off: shift + t, T: uint16(i)})
	}
	return dst, buf
}

// RowArrivals are arrivals at one instant, each with its weight.
type RowArrivals struct {
	T   []uint16
	W   []float64
	Off uint32 // from the window's start, as the end of the step that they fall into
	End event.Time
}

// left is the time to the end of the step [ms], as AddJumps has it.
func (a *RowArrivals) left() float64 { return float64(float64(int64(a.End)-int64(a.Off)) * picosecond) }

// AddJumpRow is AddJumps of a row of arrivals, with one factor for all; acc is
// that of their step.
func (l *Linear) AddJumpRow(acc []float64, a *RowArrivals) {
	k := l.kern
	x := a.left()
	c := int(x * k.inv)
	v := poly(&k.cells[0][c].v, x-float64((float64(c)+0.5)*k.width))
	w := a.W[:len(a.T)]
	for q, t := range a.T {
		acc[t] += float64(w[q] * v)
	}
}

// AddPairRow is AddPairs of a row of arrivals.
func (l *Linear) AddPairRow(acc [][2]float64, p int, a *RowArrivals) {
	k := l.kern
	x := a.left()
	c := int(x * k.inv)
	cell, r := &k.cells[p][c], x-float64((float64(c)+0.5)*k.width)
	v, i := poly(&cell.v, r), poly(&cell.i, r)
	w := a.W[:len(a.T)]
	for q, t := range a.T {
		y := &acc[t]
		y[0] += float64(w[q] * v)
		y[1] += float64(w[q] * i)
	}
}

// AddTripleRow is AddTriples of a row of arrivals.
func (l *Linear) AddTripleRow(acc [][3]float64, p int, a *RowArrivals) {
	x := a.left()
	v, i := l.Response(p, x)
	s := l.Slope(p, x)
	for q, t := range a.T {
		y, w := &acc[t], a.W[q]
		y[0] += float64(w * v)
		y[1] += float64(w * i)
		y[2] += float64(w * s)
	}
}
