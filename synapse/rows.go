package synapse

import "hmn/event"

// Rows holds synapses of one projection onto one block of targets, as
// compressed rows indexed by source. The block owns it: nothing else writes to
// it, and nothing outside the block's target range appears in it.
//
// One Rows has one receptor port, weights of one sign, and delays that span at
// most 4.29 ms above MinDelay, so that 32 bits hold them; a projection with
// both signs or a wider span has several Rows per block ("bands").
type Rows struct {
	Projection int      // index in the description
	Port       uint8    // receptor port of the target model
	Negative   bool     // all weights ≤ 0; otherwise all ≥ 0
	Ptr        []uint32 // len = number of sources + 1; row s is [Ptr[s], Ptr[s+1])
	Target     []uint16 // block-local target; rows sorted by delay, then target, then multapse number
	// Weights: Const when Weight and Weight64 are nil. Weight64 is used for
	// edge lists whose weights float32 cannot hold exactly.
	Const    float64
	Weight   []float32
	Weight64 []float64
	// Delays, axonal + dendritic: MinDelay plus Delay[k] ps; Delay is nil when
	// all are equal.
	MinDelay event.Time
	MaxDelay event.Time
	Delay    []uint32
	// Multapse is the number of each synapse among those of its pair, kept where
	// draws during the run need it; nil: all 0.
	Multapse []uint32
}

// Len is the number of synapses.
func (r *Rows) Len() int { return len(r.Target) }

// WeightAt is the weight of synapse k.
func (r *Rows) WeightAt(k int) float64 {
	switch {
	case r.Weight != nil:
		return float64(r.Weight[k])
	case r.Weight64 != nil:
		return r.Weight64[k]
	}
	return r.Const
}

// DelayAt is the total delay of synapse k.
func (r *Rows) DelayAt(k int) event.Time {
	if r.Delay == nil {
		return r.MinDelay
	}
	return r.MinDelay + event.Time(r.Delay[k])
}

// Bytes is the storage the rows take, row table included.
func (r *Rows) Bytes() int64 {
	return int64(4*len(r.Ptr) + 2*len(r.Target) + 4*len(r.Weight) + 8*len(r.Weight64) + 4*len(r.Delay) + 4*len(r.Multapse))
}
