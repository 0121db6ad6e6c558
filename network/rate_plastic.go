package network

import (
	"iter"

	"hmn/event"
	"hmn/synapse/hmn"
)

// ratePlastic is one Wiring between rate units under its rule.
type ratePlastic struct {
	rule *rule
	l    *struct{ W hmn.Wiring }
	in   input
}

func (n *Network) ratePlastics() iter.Seq2[int, *ratePlastic] {
	return func(func(int, *ratePlastic) bool) {}
}

func (rp *ratePlastic) sampled(s *signal, i uint32, k int, t event.Time) float64 { return 0 }

func (rp *ratePlastic) context(t event.Time, sum []float64) {}
