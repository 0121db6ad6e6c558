package network

import (
	"cmp"
	"slices"

	"hmn/event"
	"hmn/neuron"
)

// span is the history positions that a wave delivers in step j.
func (w *wave) span(j int) (lo, hi int) {
	lo = w.lo
	if j > 0 {
		lo = w.cut[j-1]
	}
	return lo, w.cut[j]
}

// deliver adds the arrivals of step j over uniform projections: one factor per
// spike and one row per spike and block.
func (b *linearBlock) deliver(s *scratch, j int) {
	k, z := j*b.n, (j+1)*b.n
	psc := b.pop.lin.PSC()
	for _, in := range b.waves {
		r, wv, port := in.r, &in.p.wave, int(in.r.Port)
		lo, hi := wv.span(j)
		h := &in.p.src.hist
		ids := h.id[lo-h.base : hi-h.base]
		x := wv.x[port][lo-wv.lo : hi-wv.lo]
		switch psc {
		case neuron.Delta:
			acc := b.pos1[k:z]
			if r.Negative {
				acc = b.neg1[k:z]
			}
			for q, id := range ids {
				from, to := r.Ptr[id], r.Ptr[id+1]
				b.hits += uint64(to - from)
				r.AddJump(acc, from, to, x[q])
			}
		case neuron.Exp:
			acc := b.pos2[k:z]
			if r.Negative {
				acc = b.neg2[k:z]
			}
			y := wv.y[port][lo-wv.lo : hi-wv.lo]
			for q, id := range ids {
				from, to := r.Ptr[id], r.Ptr[id+1]
				b.hits += uint64(to - from)
				r.AddPair(acc, from, to, x[q], y[q])
			}
		case neuron.Alpha:
			acc := b.pos3[k:z]
			if r.Negative {
				acc = b.neg3[k:z]
			}
			y, d := wv.y[port][lo-wv.lo:hi-wv.lo], wv.z[port][lo-wv.lo:hi-wv.lo]
			for q, id := range ids {
				from, to := r.Ptr[id], r.Ptr[id+1]
				b.hits += uint64(to - from)
				r.AddTriple(acc, from, to, x[q], y[q], d[q])
			}
		}
	}
}

// addTimed adds the window's arrivals over projections with different delays,
// each in its step.
func (b *linearBlock) addTimed(s *scratch) {
	for k, in := range b.timed {
		b.add(s.timed[k], int(in.r.Port), in.r.Negative)
	}
}

func (b *linearBlock) add(arrivals []neuron.Timed, port int, negative bool) {
	b.hits += uint64(len(arrivals))
	lin, cut := b.pop.lin, b.pop.cut
	switch lin.PSC() {
	case neuron.Delta:
		acc := b.pos1
		if negative {
			acc = b.neg1
		}
		lin.AddJumps(acc, b.n, arrivals, cut)
	case neuron.Exp:
		acc := b.pos2
		if negative {
			acc = b.neg2
		}
		lin.AddPairs(acc, b.n, port, arrivals, cut)
	case neuron.Alpha:
		acc := b.pos3
		if negative {
			acc = b.neg3
		}
		lin.AddTriples(acc, b.n, port, arrivals, cut)
	}
}

// drive generates the window's arrivals of direct inputs and adds each in its
// step.
func (b *linearBlock) drive(s *scratch, w event.Window) {
	for _, d := range b.directs {
		if b.pop.lin.PSC() == neuron.Delta {
			acc := b.pos1
			if d.weight < 0 {
				acc = b.neg1
			}
			c := b.pop.lin.DriveJumps(acc, &d.drive, b.lo, b.n, w.Start, d.delay, b.pop.cut, d.weight)
			b.hits += c
			d.count += c
			continue
		}
		s.driven = s.driven[:0]
		for i := range b.n {
			s.driven = d.drive.Drive(s.driven, b.lo, i, w.Start, w.Start, w.End, d.delay, d.weight)
		}
		d.count += uint64(len(s.driven))
		b.add(s.driven, int(d.port), d.weight < 0)
	}
}

// distribute moves the rows of all spikes whose first arrival lies before the
// window's end into bins, one per cell of the window grid, and returns the
// arrivals of the window. A row is walked once, in order of delay; a bin is
// read in the order it was written, that of spikes.
func (in *input) distribute(s *scratch, w event.Window, step event.Time) []neuron.Timed {
	cell := w.Start / step
	cellStart := cell * step
	h, r := &in.p.src.hist, in.r
	bins := len(in.ring)
	for ; in.next < h.end(); in.next++ {
		k := in.next - h.base
		at := h.at[k] + r.MinDelay
		if at >= w.End {
			break
		}
		src := h.id[k]
		lo, hi := r.Ptr[src], r.Ptr[src+1]
		if lo == hi {
			continue
		}
		// The first arrival lies in the present cell.
		off := at - cellStart
		c := int(cell % event.Time(bins))
		bin := in.ring[c]
		for q := lo; q < hi; q++ {
			o := off
			if r.Delay != nil {
				o += event.Time(r.Delay[q])
			}
			for o >= step {
				in.ring[c] = bin
				off, o = off-step, o-step
				if c++; c == bins {
					c = 0
				}
				bin = in.ring[c]
			}
			bin = append(bin, neuron.Timed{Off: uint32(o), Src: src, W: r.WeightAt(int(q)), T: r.Target[q]})
		}
		in.ring[c] = bin
	}
	c := int(cell % event.Time(bins))
	bin := in.ring[c]
	if w.Start == cellStart && w.Len() == step {
		in.ring[c] = bin[:0] // read before the block touches it again
		return bin
	}
	// A window that model events cut out of its cell.
	first := len(s.cutOut)
	for _, a := range bin {
		if t := cellStart + event.Time(a.Off); t >= w.Start && t < w.End {
			a.Off = uint32(t - w.Start)
			s.cutOut = append(s.cutOut, a)
		}
	}
	if w.End == cellStart+step {
		in.ring[c] = bin[:0]
	}
	return s.cutOut[first:]
}

// followEach moves the cursors of all inputs over step j when every neuron is
// replayed, and counts the arrivals.
func (b *linearBlock) followEach(j int, end event.Time) {
	for _, in := range b.waves {
		lo, hi := in.p.wave.span(j)
		h := &in.p.src.hist
		for k := lo; k < hi; k++ {
			id := h.id[k-h.base]
			b.hits += uint64(in.r.Ptr[id+1] - in.r.Ptr[id])
		}
	}
	for _, in := range b.timed {
		for q := range in.pending {
			pe := &in.pending[q]
			in.upTo(pe, end)
			b.hits += uint64(pe.cur - pe.prev)
		}
	}
}

// gather collects the arrivals of step j at the neurons that have a slot.
func (b *linearBlock) gather(s *scratch, w event.Window, j int, from, to event.Time) {
	s.hits = s.hits[:0]
	for _, in := range b.waves {
		r, port, first := in.r, in.r.Port, in.p.src.first
		wv, h := &in.p.wave, &in.p.src.hist
		lo, hi := wv.span(j)
		for k := lo; k < hi; k++ {
			id := h.id[k-h.base]
			a, z := r.Ptr[id], r.Ptr[id+1]
			for q, t := range r.Target[a:z] {
				if sl := b.slot[t]; sl != 0 {
					s.hits = append(s.hits, neuron.Hit{Off: wv.off[k-wv.lo] - uint32(from), Src: first + id, W: r.WeightAt(int(a) + q), Slot: sl - 1, Port: port})
				}
			}
		}
	}
	for k, in := range b.timed {
		first, port := in.p.src.first, in.r.Port
		if !b.each {
			b.pick(s, s.timed[k], from, to, first, port)
			continue
		}
		for q := range in.pending {
			pe := &in.pending[q]
			base := pe.at - w.Start - from
			for k := pe.prev; k < pe.cur; k++ {
				if sl := b.slot[in.r.Target[k]]; sl != 0 {
					s.hits = append(s.hits, neuron.Hit{Off: uint32(base + in.offset(k)), Src: first + pe.src, W: in.weight(pe, k), Slot: sl - 1, Port: port})
				}
			}
		}
	}
	for _, d := range b.directs {
		s.driven = s.driven[:0]
		for _, i := range s.list {
			s.driven = d.drive.Drive(s.driven, b.lo, int(i), w.Start, w.Start+from, w.Start+to, d.delay, d.weight)
		}
		if b.each {
			b.hits += uint64(len(s.driven))
			d.count += uint64(len(s.driven))
		}
		b.pick(s, s.driven, from, to, d.first, d.port)
	}
	for _, l := range b.steps {
		if event.Time(l.off) >= to {
			break
		}
		if sl := b.slot[l.i]; sl != 0 {
			s.hits = append(s.hits, neuron.Hit{Off: l.off - uint32(from), Src: l.src, W: l.amps, Slot: sl - 1, Port: neuron.PortLevel})
		}
	}
}

// pick takes the arrivals in [from, to) at neurons with a slot.
func (b *linearBlock) pick(s *scratch, arrivals []neuron.Timed, from, to event.Time, first uint32, port uint8) {
	lo, hi := uint32(from), uint32(to)
	for q := range arrivals {
		a := &arrivals[q]
		if sl := b.slot[a.T]; sl != 0 && a.Off >= lo && a.Off < hi {
			s.hits = append(s.hits, neuron.Hit{Off: a.Off - lo, Src: first + a.Src, W: a.W, Slot: sl - 1, Port: port})
		}
	}
}

// takeLevels lists the window's changes of current, in order of time.
func (b *linearBlock) takeLevels(w event.Window) {
	if len(b.levels) == 0 {
		return
	}
	b.steps = b.steps[:0]
	for _, in := range b.levels {
		in.take(w.End)
		for q := range in.pending {
			pe := &in.pending[q]
			in.upTo(pe, w.End)
			for k := pe.prev; k < pe.cur; k++ {
				weight := in.weight(pe, k)
				b.steps = append(b.steps, levelHit{
					off: uint32(pe.at + in.offset(k) - w.Start), src: in.p.src.first + pe.src, i: in.r.Target[k],
					amps: float64(weight*pe.to) - float64(weight*pe.from),
				})
			}
		}
	}
	b.hits += uint64(len(b.steps))
	slices.SortStableFunc(b.steps, func(x, y levelHit) int {
		if c := cmp.Compare(x.off, y.off); c != 0 {
			return c
		}
		return cmp.Compare(x.src, y.src)
	})
}
