package network

import (
	"hmn/event"
	"hmn/neuron"
)

// touched lets a block of neurons with exponential currents pass through short
// windows at the cost of what happens in them: a neuron is carried along only
// in windows in which something arrives at it, or from which on it might spike
// of itself.
type touched struct {
	now  uint32    // windows since the ladder was last put to the ground
	last []uint32  // the state of neuron i is that at the start of window last[i]
	safe []uint32  // neuron i cannot spike before window safe[i]
	mark []uint32  // now+1 when neuron i is in the list of the present window
	due  [][]int32 // by window modulo Rungs+1: neurons whose safety ends there
}

func newTouched(n int) *touched {
	t := &touched{last: make([]uint32, n), safe: make([]uint32, n), mark: make([]uint32, n), due: make([][]int32, neuron.Rungs+1)}
	for i := range int32(n) {
		t.due[0] = append(t.due[0], i)
	}
	return t
}

// list adds a neuron to the present window's list unless it is there.
func (t *touched) list(dst []int32, i int32) []int32 {
	if t.mark[i] != t.now+1 {
		t.mark[i] = t.now + 1
		dst = append(dst, i)
	}
	return dst
}

// wait notes that neuron i must be looked at in window safe[i].
func (t *touched) wait(i int32) {
	k := t.safe[i] % uint32(len(t.due))
	t.due[k] = append(t.due[k], i)
}

// settle brings every neuron up to the start of the present window.
func (t *touched) settle(b *linearBlock, l *neuron.Ladder) {
	for i := range t.last {
		l.CatchUp(b.st, i, int(t.now-t.last[i]))
	}
}

// restart begins anew after a window that was swept: all neurons stand at the
// start of the coming one and must be looked at in it.
func (t *touched) restart(st *neuron.State) {
	t.now = 0
	for k := range t.due {
		t.due[k] = t.due[k][:0]
	}
	for i := range t.last {
		t.last[i], t.safe[i], t.mark[i] = 0, 0, 0
		t.due[0] = append(t.due[0], int32(i))
	}
}

// advanceTouched advances the block over a whole window of the grid.
func (b *linearBlock) advanceTouched(s *scratch, w event.Window) error {
	t, p := b.touch, b.pop
	length := w.Len()
	s.probes = s.probes[:0]
	b.force(s, w.End, length)
	list := s.touch[:0]
	for _, i := range s.list {
		list = t.list(list, i)
	}
	k := t.now % uint32(len(t.due))
	for _, i := range t.due[k] {
		if t.safe[i] == t.now {
			list = t.list(list, i)
		}
	}
	t.due[k] = t.due[k][:0]
	for _, in := range b.waves {
		h := &in.p.src.hist
		lo, hi := in.p.wave.span(0)
		for _, id := range h.id[lo-h.base : hi-h.base] {
			for _, i := range in.r.Target[in.r.Ptr[id]:in.r.Ptr[id+1]] {
				list = t.list(list, int32(i))
			}
		}
	}
	b.deliver(s, 0)
	mark, now := t.mark, t.now+1
	for q := range b.timed {
		for _, a := range s.timed[q].At {
			if mark[a.T] != now {
				mark[a.T] = now
				list = append(list, int32(a.T))
			}
		}
	}
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
		t.restart(b.st)
	}
	return nil
}
