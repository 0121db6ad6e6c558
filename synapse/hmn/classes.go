package hmn

import (
	"math"

	"hmn/event/quantity"
	"hmn/synapse"
)

// mostClasses is the number of distinct phases up to which what depends on the
// phase is computed once and shared.
const mostClasses = 64

// classes finds the distinct phases; class is nil when there is one, and centres
// nil when there are too many to share anything.
func (c *Cycle) classes(w *synapse.Wiring) (class []uint8, centres []float64) {
	if w.Phases == nil {
		return nil, []float64{c.centre(w.Phase)}
	}
	index := map[uint64]uint8{}
	class = make([]uint8, len(w.Phases))
	for k, phi := range w.Phases {
		b := math.Float64bits(phi)
		n, ok := index[b]
		if !ok {
			if len(index) == mostClasses {
				return nil, nil
			}
			n = uint8(len(index))
			index[b] = n
			centres = append(centres, c.centre(phi))
		}
		class[k] = n
	}
	return class, centres
}

// stateBytes is the state of one synapse; each: its row has a filter of arrivals for
// every synapse.
func stateBytes(v quantity.Values, rates, each bool) int {
	b := spikeBytes
	if rates {
		b = rateBytes
	}
	if each {
		b += 16
	}
	if given(v).word("phase") == "uniform" {
		b++ // the class of the phase
	}
	return b
}

const (
	spikeBytes = 48
	rateBytes  = 88 + 8 + 8 + 4 + 4 + 4 + 8 + 4
)
