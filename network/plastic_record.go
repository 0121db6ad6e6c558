package network

import (
	"cmp"
	"fmt"
	"slices"

	"hmn/event"
	"hmn/synapse"
)

// watch is the sampled synapses of a record: copies that follow the originals
// from t = 0 on, event by event, so that a read at any time stores nothing in
// them and finds what they were then.
type watch struct {
	q    *projection
	sig  *signal
	at   []located
	look []synapse.Follower
	next int // in the history of the source
	by   map[uint32][]int
}

// located is a synapse in the block that owns it.
type located struct {
	id SynapseID
	pl *plastic
	rp *ratePlastic
	i  uint32
}

// plasticSignal reports whether a record is of synapses.
func plasticSignal(what string) bool {
	switch what {
	case RecordWeight, RecordEligibility, RecordEligibilityFast, RecordEligibilitySlow, RecordGate, RecordAlpha:
		return true
	}
	return false
}

// sharedSignal reports whether a record is of what all synapses share.
func sharedSignal(what string) bool {
	switch what {
	case RecordModulator, RecordG, RecordGPrime, RecordGamma, RecordEta:
		return true
	}
	return false
}

// locate lists the synapses of a plastic projection in order of (source, target,
// multapse number).
func (n *Network) locate(q *projection) []located {
	var all []located
	add := func(w *synapse.Wiring, pl *plastic, rp *ratePlastic) {
		for src := range len(w.Rows.Ptr) - 1 {
			for i := w.Rows.Ptr[src]; i < w.Rows.Ptr[src+1]; i++ {
				x := located{id: SynapseID{Projection: q.index, Source: uint32(src), Target: uint32(w.Lo) + uint32(w.Rows.Target[i])}, pl: pl, rp: rp, i: i}
				if w.Multapses != nil {
					x.id.Multapse = w.Multapses[i]
				}
				all = append(all, x)
			}
		}
	}
	for _, g := range n.learnings() {
		for _, pl := range g.in {
			if pl.in.p == q {
				add(pl.wir, pl, nil)
			}
		}
	}
	for _, rp := range n.ratePlastics() {
		if rp.in.p == q {
			add(rp.wir, nil, rp)
		}
	}
	slices.SortFunc(all, func(a, b located) int { return a.id.compare(b.id) })
	return all
}

// compare orders synapses by (projection, source, target, multapse number).
func (s SynapseID) compare(o SynapseID) int {
	return cmp.Or(cmp.Compare(s.Projection, o.Projection), cmp.Compare(s.Source, o.Source), cmp.Compare(s.Target, o.Target), cmp.Compare(s.Multapse, o.Multapse))
}

// makePlasticRecord resolves a record of synapses or of what they share.
func (n *Network) makePlasticRecord(i int) error {
	r := &n.model.Records[i]
	s := &signal{record: i, desc: r}
	switch {
	case r.What == RecordModulator:
		m := n.mods.list[n.model.FindModulator(r.Of)]
		s.ids = make([]int, 1)
		s.shared = func(t event.Time, dst []float64) { dst[0] = m.value(t) }
	case sharedSignal(r.What):
		g := n.projs[n.model.FindProjection(r.Of)].plastic.hmn.gate
		switch r.What {
		case RecordGamma:
			s.ids = make([]int, len(g.w))
			s.shared = func(_ event.Time, dst []float64) { copy(dst, g.gamma) }
		case RecordEta:
			s.ids = make([]int, 2)
			s.shared = func(_ event.Time, dst []float64) { dst[0], dst[1] = g.local, g.global }
		default:
			s.ids = make([]int, 1)
			prime := r.What == RecordGPrime
			s.shared = func(t event.Time, dst []float64) { dst[0] = g.sum(t, prime) }
		}
	default:
		q := n.projs[n.model.FindProjection(r.Of)]
		all := n.locate(q)
		w := &watch{q: q, sig: s, by: map[uint32][]int{}}
		if r.Subset == nil {
			w.at = all
		}
		for _, k := range r.Subset {
			if k >= len(all) {
				return fmt.Errorf("network: record %d: %s of %q: subset entry %d, want 0 to %d", i, r.What, r.Of, k, len(all)-1)
			}
			w.at = append(w.at, all[k])
		}
		s.ids = make([]int, len(w.at))
		for k, x := range w.at {
			if x.rp != nil {
				x.rp.probes = append(x.rp.probes, rateProbe{s, k, x.i})
			}
			w.by[x.id.Source] = append(w.by[x.id.Source], k)
		}
		s.read = w.read
		n.watches = append(n.watches, w)
	}
	n.signal = append(n.signal, s)
	return nil
}

// readShared takes the coming window's samples of what all synapses share:
// modulators are taken up to each sample and no further.
func (n *Network) readShared() {
	for {
		var next *signal
		at := 0
		for _, s := range n.signal {
			if s.shared == nil || s.taken == len(s.times) {
				continue
			}
			if next == nil || s.times[s.taken] < next.times[at] {
				next, at = s, s.taken
			}
		}
		if next == nil {
			return
		}
		n.mods.advance(next.times[at] + 1)
		next.shared(next.times[at], next.buf[at])
		next.taken++
	}
}

// sum is G = Σ w_k E_k at t, or G′ = Σ γ̂_k w_k E_k.
func (g *gating) sum(t event.Time, prime bool) float64 {
	x := 0.0
	for i, m := range g.mods.list {
		if prime {
			x += g.share(i, t)
		} else {
			x += float64(g.w[i] * m.value(t))
		}
	}
	return x
}

// reset starts the copies anew.
func (w *watch) reset() {
	w.look, w.next = w.look[:0], 0
	for _, x := range w.at {
		var s synapse.Follower
		if x.pl != nil {
			s = x.pl.l.Follow(x.i, x.id.Source)
		}
		w.look = append(w.look, s)
	}
}

// follow hands the arrivals of the window to the copies.
func (w *watch) follow() {
	h := &w.q.src.hist
	for ; w.next < h.end(); w.next++ {
		k := w.next - h.base
		for _, c := range w.by[h.id[k]] {
			if w.at[c].pl != nil {
				w.look[c].Expect(h.at[k])
			}
		}
	}
}

// catchUp advances the copies to t, before post spikes up to t are forgotten.
func (w *watch) catchUp(t event.Time) {
	for _, s := range w.look {
		if s != nil {
			s.To(t)
		}
	}
}

func (w *watch) read(t event.Time, dst []float64) {
	what := w.sig.desc.What
	for k, x := range w.at {
		if x.rp != nil {
			continue // its block has read it
		}
		s := w.look[k]
		s.To(t)
		dst[k] = s.Read(what, t)
		if what == RecordWeight && x.pl.in.r.Negative {
			dst[k] = -dst[k]
		}
	}
}

// RecordWidth is the number of columns of record i of a built network; 0 for
// records that are no samples.
func (n *Network) RecordWidth(i int) int {
	for _, s := range n.signal {
		if s.record == i {
			return len(s.ids)
		}
	}
	return 0
}

// RecordLabels names the columns of a record of synapses, nil for others.
func (n *Network) RecordLabels(i int) []Synapse {
	for _, w := range n.watches {
		if w.sig.record == i {
			out := make([]Synapse, len(w.at))
			for k, x := range w.at {
				out[k] = Synapse{Source: x.id.Source, Target: x.id.Target, Multapse: x.id.Multapse}
			}
			return out
		}
	}
	return nil
}
