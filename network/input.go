package network

import (
	"fmt"
	"slices"

	"hmn/event"
	"hmn/neuron"
	"hmn/synapse"
)

// input is one Rows of a block with its place in the source's history.
type input struct {
	p       *projection
	r       *synapse.Rows
	next    int // position of the first entry not yet taken up
	pending []pending
	// Linear blocks: arrivals by cell of the window grid, step and 2⁶⁴/step.
	ring          []bin
	step, perStep uint64
	rule          synapse.Rule
	release       *releasing  // nil: all sites release
	shares        bool        // plastic: w of pending is what part of their weights synapses transmit
	spare         [][]float64 // room for pending.w
	// skipZero: connections without delay between rate units are not delivered
	// as arrivals; the joint block passes them on within the instant.
	skipZero bool
}

// pending is a spike (or change) whose row is not yet delivered to its end.
type pending struct {
	at             event.Time // entry's time plus Rows.MinDelay
	src            uint32     // population-local
	prev, cur, end uint32     // positions in the row; prev: where this step began
	from, to       float64    // changes: output before and after
	gain           float64    // short-term stage: share of the weights that is transmitted
	w              []float64  // rules and release: what each synapse of the row transmits; see input.shares
	lo             uint32     // of w: where the row begins
}

// inputs lists what arrives at block b of population p, projection by
// projection.
func (n *Network) inputs(p *population, b int) ([]*input, error) {
	k := 0
	for p.blocks[k] != b {
		k++
	}
	var ins []*input
	for _, q := range n.projs {
		if q.tgt != p || q.direct != nil {
			continue
		}
		for _, r := range q.rows[k] {
			if r.Len() == 0 {
				continue
			}
			in := &input{p: q, r: r, release: q.sends.newReleasing(r, r.Multapse, n.ranges[b].Lo), skipZero: r.MinDelay == 0 && q.src.model.Kind == neuron.Rate}
			if q.rule != nil {
				rule, err := q.rule.New(q.desc.SynapseParams, r)
				if err != nil {
					return nil, fmt.Errorf("projection %q: %w", q.desc.Name, err)
				}
				in.rule = rule
			}
			ins = append(ins, in)
		}
	}
	return ins, nil
}

func (in *input) reset() {
	in.next = 0
	in.pending = in.pending[:0]
	in.release.reset()
	if in.rule != nil {
		in.rule.Reset()
	}
}

// take moves every history entry whose first arrival lies before end to the
// pending list, and drops rows that were delivered.
func (in *input) take(end event.Time) {
	kept := in.pending[:0]
	for _, q := range in.pending {
		if q.cur < q.end {
			kept = append(kept, q)
		} else if q.w != nil && !in.shares { // else it may still be in use
			in.spare = append(in.spare, q.w)
		}
	}
	in.pending = kept
	h := &in.p.src.hist
	for ; in.next < h.end(); in.next++ {
		k := in.next - h.base
		at := h.at[k] + in.r.MinDelay
		if at >= end {
			break
		}
		s := h.id[k]
		lo, hi := in.r.Ptr[s], in.r.Ptr[s+1]
		if in.skipZero {
			for lo < hi && in.r.DelayAt(int(lo)) == 0 {
				lo++
			}
		}
		if lo == hi {
			continue
		}
		q := pending{at: at, src: s, prev: lo, cur: lo, end: hi, lo: lo, gain: in.p.gain(in.next)}
		if h.from != nil {
			q.from, q.to = h.from[k], h.to[k]
		}
		switch {
		case in.release != nil:
			q.w = in.room(int(hi - lo))
			in.released(q.w, in.next, h.at[k], s, lo, hi)
		case in.rule != nil:
			q.w = in.room(int(hi - lo))
			in.rule.Arrive(h.at[k]+in.p.axonal, lo, hi, q.w)
			if in.p.sends != nil {
				for i := range q.w {
					q.w[i] = float64(q.w[i] * q.gain)
				}
			}
		}
		in.pending = append(in.pending, q)
	}
}

// room is a slice of length n, of those used before if one is large enough.
func (in *input) room(n int) []float64 {
	if k := len(in.spare) - 1; k >= 0 {
		w := in.spare[k]
		in.spare = in.spare[:k]
		return slices.Grow(w[:0], n)[:n]
	}
	return make([]float64, n)
}

// released writes what the synapses [lo, hi) of the row of source src transmit
// at the spike at position k of the history, at time t, with stochastic release.
func (in *input) released(w []float64, k int, t event.Time, src, lo, hi uint32) {
	in.release.draw(w, k, src, lo, hi)
	if in.shares {
		return
	}
	if in.rule == nil {
		for i := range w {
			w[i] = float64(w[i] * in.r.WeightAt(int(lo)+i))
		}
		return
	}
	x := in.room(len(w))
	in.rule.Arrive(t+in.p.axonal, lo, hi, x)
	for i := range w {
		w[i] = float64(w[i] * x[i])
	}
	in.spare = append(in.spare, x)
}

// upTo moves the cursor of q behind its last arrival before end.
func (in *input) upTo(q *pending, end event.Time) {
	q.prev = q.cur
	if in.r.Delay == nil {
		if q.at < end {
			q.cur = q.end
		}
		return
	}
	left := end - q.at // arrivals with a delay offset below left
	d := in.r.Delay[:q.end]
	k := q.cur
	for k < q.end && event.Time(d[k]) < left {
		k++
	}
	q.cur = k
}

// offset is the extra delay of synapse k above Rows.MinDelay.
func (in *input) offset(k uint32) event.Time {
	if in.r.Delay == nil {
		return 0
	}
	return event.Time(in.r.Delay[k])
}

func (in *input) weight(q *pending, k uint32) float64 {
	if q.w != nil {
		return q.w[k-q.lo]
	}
	return float64(q.gain * in.r.WeightAt(int(k)))
}
