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
}

// NewState returns n neurons at E_L without currents.
func (l *Linear) NewState(n int) *State {
	s := &State{V: make([]float64, n), Th: make([]float64, n), Free: make([]event.Time, n), Due: make([]bool, n)}
	if l.psc != Delta {
		s.E, s.I = make([]float64, n), make([]float64, n)
	}
	if l.psc == Alpha {
		s.DE, s.DI = make([]float64, n), make([]float64, n)
	}
	for i := range n {
		s.Th[i] = l.vTh - l.vRest
	}
	return s
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

// Copy copies neuron i of s to neuron j of dst, for looking ahead without
// storing.
func (s *State) Copy(dst *State, j, i int) {
	var y state
	s.get(&y, i)
	dst.put(j, &y)
	dst.Th[j], dst.Free[j], dst.Due[j] = s.Th[i], s.Free[i], s.Due[i]
}
