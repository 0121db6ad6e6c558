package network

import "hmn/neuron"

// scratch is what one worker needs while it advances a block. Nothing in it
// outlives the block's window.
type scratch struct {
	// slot of a block's neuron: 1 + its position in list; 0: not in it. As long
	// as 16 bits reach, so that looking up a target needs no bounds check.
	slot    *[1 << 16]uint16
	list    []int32 // neurons that are replayed
	flagged []int32
	th      []float64
	hits    []neuron.Hit
	sorted  []neuron.Hit
	start   []int32           // sorted[start[k]:start[k+1]] are the hits of slot k
	timed   []neuron.Arrivals // of the window, by input
	rows    []row
	shares  []float64
	touched uint32 // sink of the reads that only fetch memory
	cutAt   []neuron.Timed
	cutW    []float64
	driven  []neuron.Timed
	offsets []uint32
	probes  []probe
	looks   []neuron.Look
	asked   []neuron.Hit
}

// row is the part of a Rows that one spike uses, its arrival in ps and its
// position in the source's history.
type row struct {
	lo, hi uint32
	off    uint64
	pos    int
}

func newScratch() *scratch { return &scratch{slot: new([1 << 16]uint16)} }

// sortHits orders hits by slot, then time, then source; equal ones keep the
// order in which they were gathered, that of rows.
func (s *scratch) sortHits(slots int) {
	if cap(s.start) < slots+1 {
		s.start = make([]int32, slots+1, 2*slots+1)
	}
	s.start = s.start[:slots+1]
	clear(s.start)
	for k := range s.hits {
		s.start[s.hits[k].Slot+1]++
	}
	for k := 0; k < slots; k++ {
		s.start[k+1] += s.start[k]
	}
	if cap(s.sorted) < len(s.hits) {
		s.sorted = make([]neuron.Hit, len(s.hits), 2*len(s.hits))
	}
	s.sorted = s.sorted[:len(s.hits)]
	for k := range s.hits {
		at := &s.start[s.hits[k].Slot]
		s.sorted[*at] = s.hits[k]
		*at++
	}
	for k := slots; k > 0; k-- { // start[k] was moved to the end of slot k
		s.start[k] = s.start[k-1]
	}
	s.start[0] = 0
	for k := range slots {
		sortByTime(s.hitsOf(k))
	}
}

func (s *scratch) hitsOf(slot int) []neuron.Hit { return s.sorted[s.start[slot]:s.start[slot+1]] }

// sortByTime is an insertion sort: the hits of one neuron in one step are few
// and nearly in order.
func sortByTime(h []neuron.Hit) {
	for k := 1; k < len(h); k++ {
		x := h[k]
		q := k
		for q > 0 && (h[q-1].Off > x.Off || h[q-1].Off == x.Off && h[q-1].Src > x.Src) {
			h[q] = h[q-1]
			q--
		}
		h[q] = x
	}
}
