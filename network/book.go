package network

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"sort"

	"hmn/event"
	"hmn/synapse"
	"hmn/synapse/hmn"
)

// book brings the decisions on weights into order of time. Synapses are visited
// lazily, so a block finds them out of order; a settle pass brings every synapse
// up to an instant, and what was decided up to there is complete.
type book struct {
	settled event.Time // everything up to and at it is complete
	pass    int64      // settle passes so far
	held    []booked   // complete, not yet delivered
	out     []WeightUpdate
	outC    []Candidate
}

// booked is a decision with the place of its synapse.
type booked struct {
	synapse.Entry
	id SynapseID
}

func (b *book) reset() {
	b.settled, b.pass = -1, 0
	b.held = b.held[:0]
}

// learnings are the blocks' plastic synapses.
func (n *Network) learnings() iter.Seq2[int, *learning] {
	return func(yield func(int, *learning) bool) {
		for b, a := range n.blocks {
			if g := learningOf(a); g != nil && !yield(b, g) {
				return
			}
		}
	}
}

func learningOf(a advancer) *learning {
	switch x := a.(type) {
	case *linearBlock:
		return x.learn
	case *sourceBlock:
		return x.learn
	case *cellBlock:
		return x.learn
	case *gridBlock:
		return x.learn
	}
	return nil
}

// passTime is the time of the k-th settle pass, that of the rule with the fewest, or
// of one that watches potentials, whose memory fills soonest. It belongs to the
// model.
func (n *Network) passTime(k int64) event.Time {
	t := event.Time(0)
	for _, r := range n.rules {
		if r.model.Watch != nil {
			return r.pass(k)
		}
		t = max(t, r.pass(k))
	}
	return t
}

// settleDue makes the settle pass that fell into the window just passed.
func (n *Network) settleDue(w event.Window) error {
	if len(n.rules) == 0 || w.End <= n.passTime(n.book.pass+1) {
		return nil
	}
	n.book.pass += max(1, int64((w.End-1-n.passTime(n.book.pass))/n.passTime(1)))
	for n.passTime(n.book.pass+1) < w.End {
		n.book.pass++
	}
	return n.settle(n.passTime(n.book.pass), true)
}

// settle takes all plastic synapses up to t, which is not after the last window,
// and enters what was decided.
func (n *Network) settle(t event.Time, pass bool) error {
	if t < n.book.settled || t == n.book.settled && !pass {
		return nil
	}
	n.catchUp(t, n.now)
	for _, x := range n.watches {
		x.catchUp(t)
	}
	err := n.pool.Do(len(n.blocks), true, func(_, b int) error {
		if g := learningOf(n.blocks[b]); g != nil {
			g.settle(t, pass)
		}
		return nil
	})
	if err != nil {
		return err
	}
	n.book.settled = t
	first := len(n.book.held)
	for _, g := range n.learnings() {
		for _, pl := range g.in {
			n.bookEntries(pl.in.p.index, pl.wir, pl.l.Log(), t)
		}
	}
	n.closeRates(t)
	for _, rp := range n.ratePlastics() {
		n.bookEntries(rp.in.p.index, rp.wir, rp.l.Log(), t)
	}
	slices.SortFunc(n.book.held[first:], func(a, b booked) int {
		return cmp.Or(cmp.Compare(a.Close.At, b.Close.At), cmp.Compare(a.Close.Frac, b.Close.Frac),
			a.id.compare(b.id), cmp.Compare(a.K, b.K))
	})
	for _, r := range n.rules {
		switch h := r.hmn; {
		case h != nil && (pass || h.par.Update != hmn.Continuous):
			r.drive.Drop(t - 4*h.cycle.Cycles(1) - r.proj.max)
		case h == nil && r.drive != nil && pass:
			r.drive.Drop(t - n.grid.Step - r.proj.max)
		}
	}
	return nil
}

// catchUp takes the plastic synapses through arrivals and what attention makes of
// them up to t; windows up to now have been passed.
func (n *Network) catchUp(t, now event.Time) {
	n.pool.Do(len(n.blocks), true, func(_, b int) error {
		if g := learningOf(n.blocks[b]); g != nil {
			g.catchUp(t, now)
		}
		return nil
	})
}

// bookEntries moves the entries up to t of a ledger to the book.
func (n *Network) bookEntries(projection int, w *synapse.Wiring, l *synapse.Ledger, t event.Time) {
	kept := l.Entries[:0]
	for _, e := range l.Entries {
		if !e.Close.Reached(t) {
			kept = append(kept, e)
			continue
		}
		ptr := w.Rows.Ptr
		src := sort.Search(len(ptr), func(s int) bool { return ptr[s] > e.Synapse }) - 1
		id := SynapseID{Projection: projection, Source: uint32(src), Target: uint32(w.Lo) + uint32(w.Rows.Target[e.Synapse])}
		if w.Multapses != nil {
			id.Multapse = w.Multapses[e.Synapse]
		}
		n.book.held = append(n.book.held, booked{e, id})
	}
	l.Entries = kept
}

// settleTo completes the decisions up to and at t, where a run ends, and
// delivers them.
func (n *Network) settleTo(t event.Time, rec Recorder) error {
	if len(n.rules) == 0 {
		return nil
	}
	if err := n.settle(t, false); err != nil {
		return err
	}
	return n.deliverUpTo(t, true, rec)
}

// deliverBook hands out the complete decisions before t.
func (n *Network) deliverBook(t event.Time, rec Recorder) error {
	return n.deliverUpTo(t, false, rec)
}

func (n *Network) deliverUpTo(t event.Time, incl bool, rec Recorder) error {
	b := &n.book
	k := 0
	b.out, b.outC = b.out[:0], b.outC[:0]
	for ; k < len(b.held); k++ {
		e := &b.held[k]
		if !(e.Close.At < t || incl && e.Close.Reached(t)) {
			break
		}
		q := n.projs[e.id.Projection]
		if e.Applied && q.keepUpdates {
			b.out = append(b.out, WeightUpdate{At: e.Close.Rounded(), Synapse: e.id, K: e.K, DW: e.DW})
		}
		if q.keepCandidates {
			b.outC = append(b.outC, Candidate{Synapse: e.id, K: e.K, Open: e.Open.Rounded(), Close: e.Close.Rounded(),
				Value: e.Value, P: e.P, U: e.U, Applied: e.Applied, DW: e.DW})
		}
	}
	if k == 0 {
		return nil
	}
	if rec.Updates != nil && len(b.out) > 0 {
		if err := rec.Updates.WriteUpdates(b.out); err != nil {
			return fmt.Errorf("network: at %s ms: recording weight updates: %w", t, err)
		}
	}
	if rec.Candidates != nil && len(b.outC) > 0 {
		if err := rec.Candidates.WriteCandidates(b.outC); err != nil {
			return fmt.Errorf("network: at %s ms: recording candidates: %w", t, err)
		}
	}
	b.held = b.held[:copy(b.held, b.held[k:])]
	return nil
}

// plasticWeights gives the weights of a plastic projection as they are at the
// end of the last Run.
func (n *Network) plasticWeights(q *projection) iter.Seq[[]float64] {
	return func(yield func([]float64) bool) {
		for _, g := range n.learnings() {
			for _, pl := range g.in {
				if pl.in.p != q {
					continue
				}
				w := pl.l.Weights(n.done)
				if pl.in.r.Negative {
					for k := range w {
						w[k] = -w[k]
					}
				}
				if !yield(w) {
					return
				}
			}
		}
		for _, rp := range n.ratePlastics() {
			if rp.in.p != q {
				continue
			}
			w := rp.l.Weights(n.done)
			for k := range w {
				w[k] = rp.sign(w[k])
			}
			if !yield(w) {
				return
			}
		}
	}
}
