package neuron

import (
	"fmt"

	"hmn/event"
)

// State is the state of the neurons of one block of a linear model at the
// start of a step, one entry per neuron in each slice. It is owned by the
// block's worker.
type State struct {
	V      []float64 // potential above steady state [mV]; refractory: no meaning
	Th     []float64 // threshold above steady state [mV]
	E, I   []float64 // synaptic currents [pA]; nil for delta currents
	DE, DI []float64 // slope variables [pA/ms]; nil unless alpha
	Free   []event.Time
	Due    []bool // a crossing was rounded onto the start of the coming step

	next Next
}

// Next is the state at the end of a step while its arrivals are added one by
// one, for exponential currents. Room is what positive arrivals may still add
// to the bound of the potential before a neuron must be replayed.
type Next struct{ V, E, I, Room []float64 }

// Next is the state at the end of the present step of SweepFree.
func (s *State) Next() *Next { return &s.next }

// NewState returns n neurons at E_L without currents.
func (l *Linear) NewState(n int) *State {
	s := &State{Free: make([]event.Time, n), Due: make([]bool, n)}
	lists := []*[]float64{&s.V, &s.Th}
	if l.psc != Delta {
		lists = append(lists, &s.E, &s.I)
	}
	if l.psc == Exp {
		lists = append(lists, &s.next.V, &s.next.E, &s.next.I, &s.next.Room)
	}
	if l.psc == Alpha {
		lists = append(lists, &s.DE, &s.DI)
	}
	stagger(n, lists)
	for i := range n {
		s.Th[i] = l.vTh - l.vRest
	}
	return s
}

// stagger makes lists of n numbers that lie in one piece of memory, each a few
// cache lines further than a multiple of a page from the one before. Lists of
// equal size from the allocator begin at whole pages, so that entry i of each
// falls into the same set of the first-level cache; a sweep over eight of them
// would then evict its own lines.
func stagger(n int, lists []*[]float64) {
	const page, line = 512, 8 // in float64
	stride := (n+page-1)/page*page + 5*line
	slab := make([]float64, stride*len(lists))
	for k, list := range lists {
		*list = slab[k*stride : k*stride+n : k*stride+n]
	}
}

// Set gives a state variable of neuron i its start value, by its name in the
// model file. V_m at or above V_th is refused.
func (l *Linear) Set(s *State, i int, key string, x float64) error {
	switch key {
	case "V_m":
		if !(x < l.vTh) {
			return fmt.Errorf("V_m = %g mV at t = 0, want less than V_th = %g mV", x, l.vTh)
		}
		s.V[i] = x - l.vTh + s.Th[i]
	case "I_syn_ex":
		s.E[i] = x
	case "I_syn_in":
		s.I[i] = x
	case "dI_syn_ex":
		s.DE[i] = x
	case "dI_syn_in":
		s.DI[i] = x
	default:
		return fmt.Errorf("no state variable %q", key)
	}
	return nil
}

// Shift adds a constant current [pA] to neuron i: its potential stays, the steady
// state that it is counted from moves.
func (l *Linear) Shift(s *State, i int, current float64) {
	d := float64(l.r * current)
	s.V[i] -= d
	s.Th[i] -= d
}

// Rest is the membrane potential that a population without init starts from:
// E_L when that is below the threshold, else V_reset.
func (l *Linear) Rest(eL float64) float64 {
	if eL < l.vTh {
		return eL
	}
	return l.vTh + l.reset
}

func (s *State) get(y *state, i int) {
	y.v = s.V[i]
	if s.E != nil {
		y.e, y.i = s.E[i], s.I[i]
	}
	if s.DE != nil {
		y.de, y.di = s.DE[i], s.DI[i]
	}
}

func (s *State) put(i int, y *state) {
	s.V[i] = y.v
	if s.E != nil {
		s.E[i], s.I[i] = y.e, y.i
	}
	if s.DE != nil {
		s.DE[i], s.DI[i] = y.de, y.di
	}
}

// tiny is what Flush takes for nothing: mV, pA or pA/ms.
const tiny = 1e-150

// Flush sets what has decayed to nothing to zero. Without it the state of a
// neuron that nothing arrives at ends in numbers below 1e-308, with which
// processors calculate a hundred times slower.
func (s *State) Flush() {
	for _, x := range [...][]float64{s.V, s.E, s.I, s.DE, s.DI} {
		for i, y := range x {
			if y < tiny && y > -tiny {
				x[i] = 0
			}
		}
	}
}

// AtRest says whether nothing moves any neuron: it stands exactly at its steady
// state below its threshold, out of refractoriness, without synaptic current.
func (s *State) AtRest() bool {
	for _, x := range [...][]float64{s.V, s.E, s.I, s.DE, s.DI} {
		for _, y := range x {
			if y != 0 {
				return false
			}
		}
	}
	for i, th := range s.Th {
		if !(th > 0) || s.Due[i] {
			return false
		}
	}
	return true
}

// Copy copies neuron i of s to neuron j of dst, for looking ahead without
// storing.
func (s *State) Copy(dst *State, j, i int) {
	var y state
	s.get(&y, i)
	dst.put(j, &y)
	dst.Th[j], dst.Free[j], dst.Due[j] = s.Th[i], s.Free[i], s.Due[i]
}
