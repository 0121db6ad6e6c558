package network

import (
	"fmt"

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
	w              []float64  // rules: what each synapse of the row transmits
	lo             uint32     // rules: where the row begins
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
			in := &input{p: q, r: r, skipZero: r.MinDelay == 0 && q.src.model.Kind == neuron.Rate}
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
		q := pending{at: at, src: s, prev: lo, cur: lo, end: hi, lo: lo}
		if h.from != nil {
			q.from, q.to = h.from[k], h.to[k]
		}
		if in.rule != nil {
			q.w = make([]float64, hi-lo)
			in.rule.Arrive(h.at[k]+in.p.axonal, lo, hi, q.w)
		}
		in.pending = append(in.pending, q)
	}
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
	return in.r.WeightAt(int(k))
}
