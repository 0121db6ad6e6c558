package network

import (
	"slices"

	"hmn/event"
	"hmn/neuron"
)

// history keeps what a population sent, in order of (time, neuron), until every
// projection has delivered it. Positions are absolute: the k-th spike since
// t = 0 stays k when older ones are dropped. It is written between windows only
// and read by all blocks within one.
type history struct {
	base int // position of the first entry kept
	at   []event.Time
	id   []uint32 // population-local
	// Rate units and level sources only: the output before and after.
	from, to []float64
}

func (h *history) end() int { return h.base + len(h.at) }

func (h *history) add(at event.Time, id uint32) {
	h.at = append(h.at, at)
	h.id = append(h.id, id)
}

func (h *history) addChange(c neuron.Change) {
	h.add(c.At, c.Neuron)
	h.from = append(h.from, c.Old)
	h.to = append(h.to, c.New)
}

// drop forgets entries before t, once they are half of what is kept.
func (h *history) drop(t event.Time) {
	n, _ := slices.BinarySearch(h.at, t)
	if n < 256 || 2*n < len(h.at) {
		return
	}
	h.base += n
	h.at = h.at[:copy(h.at, h.at[n:])]
	h.id = h.id[:copy(h.id, h.id[n:])]
	if h.from != nil {
		h.from = h.from[:copy(h.from, h.from[n:])]
		h.to = h.to[:copy(h.to, h.to[n:])]
	}
}

func (h *history) reset() { *h = history{at: h.at[:0], id: h.id[:0]} }
