package network

import (
	"math/bits"

	"hmn/event"
	"hmn/neuron"
)

// touched lets a block of neurons with exponential currents pass through short
// windows at the cost of what happens in them: a neuron is carried along only
// in windows in which something arrives at it, or from which on it might spike
// of itself.
type touched struct {
	now  uint32   // windows since the ladder was last put to the ground
	last []uint32 // the state of neuron i is that at the start of window last[i]
	safe []uint32 // neuron i cannot spike before window safe[i]
	mark set      // something happens to these in the present window
	due  []set    // by window modulo Rungs+1: the safety of these may end there
}

// set is a set of neurons. Reading it out gives them in order, so that the
// state is walked through forwards.
type set []uint64

func (b set) add(i int) { b[i>>6] |= 1 << (i & 63) }

func newTouched(n int) *touched {
	t := &touched{last: make([]uint32, n), safe: make([]uint32, n), due: make([]set, neuron.Rungs+1)}
	t.mark = make(set, (n+63)/64)
	for k := range t.due {
		t.due[k] = make(set, (n+63)/64)
	}
	t.restart()
	return t
}

// list empties the sets of the present window and returns who is to be carried
// along: the marked, and of the due those whose safety has not been extended
// since.
func (t *touched) list(dst []int32) []int32 {
	due := t.due[t.now%uint32(len(t.due))]
	for k, w := range t.mark {
		t.mark[k] = 0
		d := due[k] &^ w
		due[k] = 0
		for ; d != 0; d &= d - 1 {
			if i := k<<6 + bits.TrailingZeros64(d); t.safe[i] == t.now {
				w |= 1 << (i & 63)
			}
		}
		for ; w != 0; w &= w - 1 {
			dst = append(dst, int32(k<<6+bits.TrailingZeros64(w)))
		}
	}
	return dst
}

// wait notes that neuron i must be looked at in window safe[i].
func (t *touched) wait(i int32) {
	t.due[t.safe[i]%uint32(len(t.due))].add(int(i))
}

// settle brings every neuron up to the start of the present window.
func (t *touched) settle(b *linearBlock, l *neuron.Ladder) {
	for i := range t.last {
		l.CatchUp(b.st, i, int(t.now-t.last[i]))
	}
}

// restart begins anew after a window that was swept: all neurons stand at the
// start of the coming one and must be looked at in it.
func (t *touched) restart() {
	t.now = 0
	clear(t.mark)
	for k := range t.due {
		clear(t.due[k])
	}
	for i := range t.last {
		t.last[i], t.safe[i] = 0, 0
		t.due[0].add(i)
	}
}

// advanceTouched advances the block over a whole window of the grid.
func (b *linearBlock) advanceTouched(s *scratch, w event.Window) error {
	t, p := b.touch, b.pop
	length := w.Len()
	s.probes = s.probes[:0]
	b.force(s, w.End, length)
	for _, i := range s.list {
		t.mark.add(int(i))
	}
	for _, in := range b.waves {
		h := &in.p.src.hist
		lo, hi := in.p.wave.span(0)
		for _, id := range h.id[lo-h.base : hi-h.base] {
			for _, i := range in.r.Target[in.r.Ptr[id]:in.r.Ptr[id+1]] {
				t.mark.add(int(i))
			}
		}
	}
	b.deliver(s, 0)
	for q := range b.timed {
		for _, a := range s.timed[q].At {
			t.mark.add(int(a.T))
		}
	}
	list := t.list(s.touch[:0])
	b.addTimed(s)
	for _, pr := range b.probes { // sampled neurons are caught up on a copy
		for _, at := range pr.sig.times {
			if at >= w.Start && at < w.End {
				b.st.Copy(b.look, len(s.probes), pr.i)
				p.touch.CatchUp(b.look, len(s.probes), int(t.now-t.last[pr.i]))
				s.probes = append(s.probes, pr)
				break
			}
		}
	}
	s.hold(b.st)
	s.flagged = p.lin.Touch(b.st, p.touch, list, t.last, t.safe, t.now, b.pos2[:b.n], b.neg2[:b.n], s.flagged[:0])
	s.release(b.st)
	for _, i := range list {
		if t.last[i] == t.now+1 {
			t.wait(i)
		}
	}
	s.touch = list
	s.list, s.flagged = s.flagged, s.list
	replayed := len(s.list)
	if err := b.replay(s, w, 0, 0, length); err != nil {
		return err
	}
	for _, i := range s.list[:replayed] {
		t.last[i] = t.now + 1
		t.safe[i] = t.now + 1 + p.lin.Safe(p.touch, b.st, int(i))
		t.wait(i)
	}
	t.now++
	if t.now == 1<<31 {
		t.settle(b, p.touch)
		t.restart()
	}
	return nil
}
