package network

import (
	"errors"
	"math"
	"sort"

	"hmn/event"
	"hmn/neuron"
)

// A block of neurons with exponential currents is swept once per epoch, a whole
// number of windows that the model fixes. The sweep carries every neuron to the
// end of the epoch as if nothing arrived, and notes how much room its potential
// has left under the threshold. In each window the arrivals are added to the
// state at the end of the epoch, wherever in it they come, and taken from the
// room. A neuron whose room is used up, or that leaves refractoriness, or whose
// current changes, is replayed from the start of the epoch, of which everything
// is known that has happened so far, to the end of the window, and carried to
// the end of the epoch from there; if it has no room left even so, it is
// replayed in the next window again. So short windows, which the model's
// shortest delay dictates, cost little more than the arrivals in them.
//
// No spike is late: room left means that the potential stays below threshold to
// the end of the epoch unless something more arrives, and what arrives in a
// window is looked at in that window.
type epoch struct {
	since   []uint32 // state of neuron i is that at since[i] ps after the epoch's start
	moved   []int32  // neurons with since[i] > 0, some twice
	apart   []int32  // neurons to be replayed in the coming window whatever comes
	looking []uint32 // since of the copies in linearBlock.look
}

// errLate reports a spike that earlier windows should have had: a bound that did
// not hold.
var errLate = errors.New("internal error: a spike came to light after its window")

// epochArrivals is the number of arrivals per neuron and epoch that the length
// of epochs aims at: fewer make sweeps of nothing, more make loose bounds and
// long replays (measured with the networks cuba and cuba-delays).
const epochArrivals = 0.5

// epochWindows is the number of windows in an epoch, given the arrivals per
// neuron and second that the model expects; 0 when the population cannot be
// swept by epochs.
func epochWindows(lin *neuron.Linear, window event.Time, arrivalsHz float64) int {
	most := min(lin.HMax(), longestStep) / window
	if lin.PSC() != neuron.Exp || most < 1 {
		return 0
	}
	k := most
	if want := epochArrivals / (arrivalsHz * window.Seconds()); want < float64(most) {
		k = event.Time(want + 0.5)
	}
	return int(max(k, 1))
}

// advanceEpoch advances the block over one window of its epoch.
func (b *linearBlock) advanceEpoch(s *scratch, w event.Window) error {
	p, ep := b.pop, b.epoch
	start := w.Start - w.Start%p.epoch
	end := start + p.epoch
	b.startProbes(s, w, 0, w.Len())
	ep.looking = ep.looking[:0]
	for _, pr := range s.probes {
		ep.looking = append(ep.looking, ep.since[pr.i])
	}

	fresh := s.flagged[:0]
	next := b.st.Next()
	if w.Start == start {
		if start/p.epoch%flushEvery == 0 {
			b.st.Flush()
		}
		fresh = p.lin.SweepFree(b.st, p.stepOf(p.epoch), fresh)
	}
	b.force(s, w.End, w.Len())
	for _, i := range s.list {
		if next.Room[i] >= 0 {
			next.Room[i] = math.Inf(-1)
			fresh = append(fresh, i)
		}
	}
	left := end - w.Start
	for _, in := range b.waves {
		r, wv, port := in.r, &in.p.wave, int(in.r.Port)
		lo, hi := wv.span(0)
		x, y := wv.x[port], wv.y[port]
		for q, e := range b.rowsOf(s, in, lo, hi) {
			if r.Negative {
				r.AddFall(next.V, next.I, e.lo, e.hi, x[q], y[q])
			} else {
				fresh = r.AddRise(next.V, next.E, next.Room, e.lo, e.hi, x[q], y[q], fresh)
			}
		}
	}
	for k, in := range b.timed {
		a := &s.timed[k]
		b.hits += uint64(len(a.At))
		if in.r.Negative {
			p.lin.AddNegative(next, left, a)
		} else {
			fresh = p.lin.AddPositive(next, left, a, fresh)
		}
	}
	s.flagged = fresh

	// Who is replayed, and who is looked at besides. Earlier windows of the
	// epoch count for those whose state stands before them.
	s.list = append(append(s.list[:0], ep.apart...), fresh...)
	ep.apart = ep.apart[:0]
	for k, i := range s.list {
		s.slot[i] = uint16(k + 1)
	}
	replayed := len(s.list)
	for _, pr := range s.probes {
		if s.slot[pr.i] == 0 {
			s.list = append(s.list, int32(pr.i))
			s.slot[pr.i] = uint16(len(s.list))
		}
	}
	if len(s.list) > 0 {
		s.hits = s.hits[:0]
		from := w.Start
		for _, i := range s.list {
			from = min(from, start+event.Time(ep.since[i]))
		}
		b.gatherSpan(s, start, from, w.End)
		b.gatherLevels(s, w, start)
		s.sortHits(len(s.list))
		for k := range replayed {
			if err := b.replayOne(s, w, start, end, k); err != nil {
				return err
			}
		}
		if err := b.runProbes(s, w, start, w.Start-start, w.End-start, ep.looking); err != nil {
			return err
		}
		for _, i := range s.list {
			s.slot[i] = 0
		}
	}
	b.steps = b.steps[:0]
	if w.End < end {
		return nil
	}
	b.st.Advance(ep.apart)
	ep.apart = ep.apart[:0]
	for _, i := range ep.moved {
		ep.since[i] = 0
	}
	ep.moved = ep.moved[:0]
	for _, in := range b.timed {
		first := int(start / event.Time(in.step) % event.Time(len(in.ring)))
		for c := range int(p.epoch) / int(in.step) {
			in.ring[(first+c)%len(in.ring)].clear()
		}
	}
	return nil
}

// replayOne replays the k-th neuron of the list from where its state stands to
// the end of the window, before which nothing can happen to it, and carries it
// on to the end of the epoch.
func (b *linearBlock) replayOne(s *scratch, w event.Window, start, end event.Time, k int) error {
	i := s.list[k]
	ep := b.epoch
	from := start + event.Time(b.epoch.since[i])
	free := b.st.Free[i]
	sent := len(b.spikes)
	var err error
	// Offsets of spikes are relative to the window, from which the state may
	// lie back: the sum of the two wraps around to what it should be.
	b.spikes, _, err = b.pop.lin.Replay(b.st, int(i), from, w.End-from, s.hitsOf(k), uint32(from-w.Start), b.spikes, nil)
	if err != nil {
		return b.fail(w, i, err)
	}
	for _, m := range b.spikes[sent:] {
		if event.Time(m.Off) >= w.Len() {
			return b.fail(w, i, errLate)
		}
	}
	if b.st.Free[i] >= w.End && b.st.Free[i] != free { // else it is there already
		b.resting = append(b.resting, i)
	}
	if b.st.Due[i] {
		b.due = append(b.due, i)
	}
	if w.End == end || !b.pop.lin.Rejoin(b.st, int(i), end-w.End) {
		b.st.Next().Room[i] = math.Inf(-1)
		ep.apart = append(ep.apart, i)
	}
	if w.End < end {
		ep.since[i] = uint32(w.End - start)
		ep.moved = append(ep.moved, i)
	}
	return nil
}

// gatherSpan collects the arrivals in [from, to) at the neurons that have a
// slot, but none before the neuron's state; their offsets count from there.
func (b *linearBlock) gatherSpan(s *scratch, start, from, to event.Time) {
	since := b.epoch.since
	for _, in := range b.waves {
		r, port, first := in.r, in.r.Port, in.p.src.first
		h := &in.p.src.hist
		k := sort.Search(len(h.at), func(k int) bool { return h.at[k]+r.MinDelay >= from })
		for ; k < len(h.at) && h.at[k]+r.MinDelay < to; k++ {
			id, off := h.id[k], uint32(h.at[k]+r.MinDelay-start)
			a, z := r.Ptr[id], r.Ptr[id+1]
			gain := in.p.gain(h.base + k)
			for q, t := range r.Target[a:z] {
				if sl := s.slot[t]; sl != 0 && off >= since[t] {
					s.hits = append(s.hits, neuron.Hit{Off: off - since[t], Src: first + id, W: float64(gain * r.WeightAt(int(a)+q)), Slot: sl - 1, Port: port})
				}
			}
		}
	}
	for _, in := range b.timed {
		step := event.Time(in.step)
		for cell := from / step; cell*step < to; cell++ {
			arrivals := &in.ring[int(cell%event.Time(len(in.ring)))]
			shift := uint32(cell*step - start)
			for q, a := range arrivals.at {
				sl := s.slot[a.T]
				if sl == 0 {
					continue
				}
				off := shift + a.Off
				if off < since[a.T] || off >= uint32(to-start) {
					continue
				}
				w := in.r.Const
				if arrivals.w != nil {
					w = arrivals.w[q]
				}
				s.hits = append(s.hits, neuron.Hit{Off: off - since[a.T], Src: in.p.src.first, W: w, Slot: sl - 1, Port: in.r.Port})
			}
		}
	}
}

// gatherLevels collects the changes of current of the window.
func (b *linearBlock) gatherLevels(s *scratch, w event.Window, start event.Time) {
	for _, l := range b.steps {
		if sl := s.slot[l.i]; sl != 0 {
			s.hits = append(s.hits, neuron.Hit{Off: uint32(w.Start-start) + l.off - b.epoch.since[l.i], Src: l.src, W: l.amps, Slot: sl - 1, Port: neuron.PortLevel})
		}
	}
}
