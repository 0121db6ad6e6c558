package stdp

import (
	"hmn/event"
	"hmn/event/fmath"
)

// sourceSpike is a spike of a source as its synapses filter it. Filters start anew at
// the source: what a synapse sees at t is what left the source an axonal delay
// before.
type sourceSpike struct {
	At   event.Time // of the spike; a synapse sees it an axonal delay later
	Prev event.Time // of the spike before it; never: none
	X    float64    // first filter, r_1, right after it
	B    float64    // and right before it
	X2   float64    // second filter, r_2, right before it
}

// trains is the history of spikes of the sources: per source those that some
// synapse has not seen, and the last that all have seen.
type trains struct {
	list   [][]sourceSpike
	axonal event.Time // the longest axonal delay
	passed event.Time // every arrival before it has been handed over
	seen   event.Time // the latest arrival handed over
}

func newTrains(sources int, axonal event.Time) trains {
	s := trains{list: make([][]sourceSpike, sources), axonal: axonal}
	s.reset()
	return s
}

func (s *trains) reset() {
	for i := range s.list {
		s.list[i] = s.list[i][:0]
	}
	s.passed, s.seen = never, never
}

// none stands for the arrival before the first.
var none = sourceSpike{At: never, Prev: never}

// before is the last spike of src at the source before t; none if there is none.
func (s *trains) before(src uint32, t event.Time) sourceSpike {
	list := s.list[src]
	for k := len(list) - 1; k >= 0; k-- {
		if list[k].At < t {
			return list[k]
		}
	}
	return none
}

// enter takes up a spike of src at t at the source, unless a piece of its row has
// done so, and gives it and the one before it.
func (s *trains) enter(l *law, src uint32, t event.Time) (x, prev sourceSpike) {
	list := s.list[src]
	n := len(list)
	if n == 0 || list[n-1].At < t {
		prev = none
		if n > 0 {
			prev = list[n-1]
		}
		x = l.filter(prev, t)
		// A spike is needed until all have seen its successor.
		k := 0
		for k+1 < n && list[k+1].At+s.axonal < s.passed {
			k++
		}
		if k > 0 {
			list = list[:copy(list, list[k:])]
		}
		s.list[src] = append(list, x)
		return x, prev
	}
	k := n - 1
	for list[k].At > t {
		k--
	}
	if k == 0 {
		return list[0], none
	}
	return list[k], list[k-1]
}

// filter is the arrival of a spike at t after prev.
func (l *law) filter(prev sourceSpike, t event.Time) sourceSpike {
	if prev.At == never {
		return sourceSpike{At: t, Prev: never, X: 1}
	}
	dt := (t - prev.At).MS()
	x := sourceSpike{At: t, Prev: prev.At, X: 1, B: float64(prev.X * fmath.Exp(-float64(dt*l.rPlus)))}
	if l.pairing == allToAll {
		x.X += x.B
	}
	if l.rX > 0 {
		after := 1.0
		if l.pairing == allToAll {
			after += prev.X2
		}
		x.X2 = float64(after * fmath.Exp(-float64(dt*l.rX)))
	}
	return x
}
