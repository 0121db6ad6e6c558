package neuron

import "hmn/event"

// Timed is a synaptic arrival on its way to a block: when, from whom, at whom,
// with which weight. Off counts picoseconds from the start of the window.
type Timed struct {
	Off uint32
	Src uint32  // population-local source
	W   float64 // weight
	T   uint16  // block-local target
}

// The accumulators take arrivals that come at different times: each is carried
// to the end of its step by its own factor. acc holds one row of n targets per
// step; cut holds the ends of the steps from the window's start.

// AddJumps adds arrivals to one accumulator per target and step (delta
// currents).
func (l *Linear) AddJumps(acc []float64, n int, arrivals []Timed, cut []event.Time) {
	k := l.kern
	cells, inv, width := k.cells[0], k.inv, k.width
	at := stepsOf(cut)
	for q := range arrivals {
		a := &arrivals[q]
		j := at.index(a.Off)
		x := float64(int64(at.cut[j])-int64(a.Off)) * picosecond
		c := int(x * inv)
		r := x - float64((float64(c)+0.5)*width)
		acc[j*n+int(a.T)] += float64(a.W * poly(&cells[c].v, r))
	}
}

// AddPairs adds arrivals of port p to two accumulators per target and step
// (exponential currents).
func (l *Linear) AddPairs(acc [][2]float64, n, p int, arrivals []Timed, cut []event.Time) {
	k := l.kern
	cells, inv, width := k.cells[p], k.inv, k.width
	at := stepsOf(cut)
	for q := range arrivals {
		a := &arrivals[q]
		j := at.index(a.Off)
		x := float64(int64(at.cut[j])-int64(a.Off)) * picosecond
		c := int(x * inv)
		r := x - float64((float64(c)+0.5)*width)
		v, i := poly(&cells[c].v, r), poly(&cells[c].i, r)
		t := &acc[j*n+int(a.T)]
		t[0] += float64(a.W * v)
		t[1] += float64(a.W * i)
	}
}

// AddTriples adds arrivals of port p to three accumulators per target and step
// (alpha currents).
func (l *Linear) AddTriples(acc [][3]float64, n, p int, arrivals []Timed, cut []event.Time) {
	at := stepsOf(cut)
	for q := range arrivals {
		a := &arrivals[q]
		j := at.index(a.Off)
		x := float64(int64(at.cut[j])-int64(a.Off)) * picosecond
		v, i := l.Response(p, x)
		t := &acc[j*n+int(a.T)]
		t[0] += float64(a.W * v)
		t[1] += float64(a.W * i)
		t[2] += float64(a.W * l.Slope(p, x))
	}
}

// steps finds the step that an offset falls into.
type steps struct {
	cut []event.Time
	inv float64
}

func stepsOf(cut []event.Time) steps { return steps{cut, 1 / float64(cut[0])} }

// index is the step j with cut[j−1] ≤ off < cut[j]. All steps but the last are
// equally long, so the guess is wrong by one at most.
func (s *steps) index(off uint32) int {
	if len(s.cut) == 1 {
		return 0
	}
	j := min(int(float64(off)*s.inv), len(s.cut)-1)
	if event.Time(off) >= s.cut[j] {
		j++
	} else if j > 0 && event.Time(off) < s.cut[j-1] {
		j--
	}
	return j
}

// DriveJumps generates the arrivals of a Poisson drive at delta currents:
// neurons [lo, lo+n), arrivals in the window [start, start+length), each spike
// delayed by delay. It adds weight times the factor of each to acc as AddJumps
// does, and returns how many there were.
func (l *Linear) DriveJumps(acc []float64, d *PoissonDrive, lo, n int, start, delay event.Time, cut []event.Time, weight float64) (count uint64) {
	k := l.kern
	cells, inv, width := k.cells[0], k.inv, k.width
	at := stepsOf(cut)
	length := uint64(cut[len(cut)-1])
	first, last := d.Cells(start-delay, start-delay+event.Time(length))
	var buf [cellMax]uint32
	for c := first; c <= last; c++ {
		shift := event.Time(c)*d.Cell + delay - start
		for i := range n {
			for _, off := range d.Offsets(uint32(lo+i), c, &buf) {
				t := uint64(shift + event.Time(off))
				if t >= length { // before the window too, by wrap-around
					continue
				}
				count++
				j := at.index(uint32(t))
				x := float64(int64(at.cut[j])-int64(t)) * picosecond
				q := int(x * inv)
				r := x - float64((float64(q)+0.5)*width)
				acc[j*n+i] += float64(weight * poly(&cells[q].v, r))
			}
		}
	}
	return count
}

// Drive lists the arrivals of a Poisson drive at neuron i of a block that
// starts at lo, in the window [from, to), as Timed arrivals with offsets from
// start, unsorted within a cell. T is i.
func (d *PoissonDrive) Drive(dst []Timed, lo, i int, start, from, to, delay event.Time, weight float64) []Timed {
	first, last := d.Cells(from-delay, to-delay)
	var buf [cellMax]uint32
	for c := first; c <= last; c++ {
		shift := event.Time(c)*d.Cell + delay
		for _, off := range d.Offsets(uint32(lo+i), c, &buf) {
			if t := shift + event.Time(off); t >= from && t < to {
				dst = append(dst, Timed{Off: uint32(t - start), Src: uint32(lo + i), W: weight, T: uint16(i)})
			}
		}
	}
	return dst
}

// Cells are the first and last cell that overlap [from, to); none (last <
// first) when that lies before 0.
func (d *PoissonDrive) Cells(from, to event.Time) (first, last int64) {
	if to <= 0 {
		return 0, -1
	}
	return int64(max(from, 0) / d.Cell), int64((to - 1) / d.Cell)
}
