package network

import (
	"cmp"
	"math/bits"
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
		x := wv.x[port][lo-wv.lo : hi-wv.lo]
		rows := b.rowsOf(s, in, lo, hi)
		switch psc {
		case neuron.Delta:
			acc := b.pos1[k:z]
			if r.Negative {
				acc = b.neg1[k:z]
			}
			for q, e := range rows {
				r.AddJump(acc, e.lo, e.hi, x[q])
			}
		case neuron.Exp:
			acc := b.pos2[k:z]
			if r.Negative {
				acc = b.neg2[k:z]
			}
			y := wv.y[port][lo-wv.lo : hi-wv.lo]
			for q, e := range rows {
				r.AddPair(acc, e.lo, e.hi, x[q], y[q])
			}
		case neuron.Alpha:
			acc := b.pos3[k:z]
			if r.Negative {
				acc = b.neg3[k:z]
			}
			y, d := wv.y[port][lo-wv.lo:hi-wv.lo], wv.z[port][lo-wv.lo:hi-wv.lo]
			for q, e := range rows {
				r.AddTriple(acc, e.lo, e.hi, x[q], y[q], d[q])
			}
		}
	}
}

// rowsOf looks up the rows of the spikes [lo, hi) of a wave and counts their
// arrivals. It touches each row, so that they are fetched at once instead of
// one after another.
func (b *linearBlock) rowsOf(s *scratch, in *input, lo, hi int) []row {
	r, h := in.r, &in.p.src.hist
	s.rows = s.rows[:0]
	touch, hits := uint32(0), uint32(0)
	for _, id := range h.id[lo-h.base : hi-h.base] {
		a, z := r.Ptr[id], r.Ptr[id+1]
		s.rows = append(s.rows, row{lo: a, hi: z})
		if a < z {
			hits += z - a
			touch += uint32(r.Target[a])
		}
	}
	s.touched += touch
	b.hits += uint64(hits)
	return s.rows
}

// addTimed adds the window's arrivals over projections with different delays,
// each in its step.
func (b *linearBlock) addTimed(s *scratch) {
	for k, in := range b.timed {
		b.add(&s.timed[k], int(in.r.Port), in.r.Negative)
	}
	if b.learn != nil {
		for _, pl := range b.learn.in {
			if pl.rowwise {
				b.sumRows(pl)
				continue
			}
			b.sum(&neuron.Arrivals{At: pl.at, W: pl.w}, int(pl.in.r.Port), pl.in.r.Negative)
		}
	}
}

func (b *linearBlock) add(arrivals *neuron.Arrivals, port int, negative bool) {
	b.hits += uint64(len(arrivals.At))
	b.sum(arrivals, port, negative)
}

// sum adds arrivals to the accumulators of their steps.
func (b *linearBlock) sum(arrivals *neuron.Arrivals, port int, negative bool) {
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

// sumRows adds rows of plastic arrivals to the accumulators of their steps.
func (b *linearBlock) sumRows(pl *plastic) {
	lin, port, negative := b.pop.lin, int(pl.in.r.Port), pl.in.r.Negative
	a := neuron.RowArrivals{}
	for j, end := range b.pop.cut {
		k, z := j*b.n, (j+1)*b.n
		lo, hi := pl.inStep(j)
		a.End = end
		for _, x := range pl.rows[lo:hi] {
			a.T, a.W, a.Off = pl.in.r.Target[x.lo:x.hi], pl.w[x.w:], x.off
			switch lin.PSC() {
			case neuron.Delta:
				acc := b.pos1[k:z]
				if negative {
					acc = b.neg1[k:z]
				}
				lin.AddJumpRow(acc, &a)
			case neuron.Exp:
				acc := b.pos2[k:z]
				if negative {
					acc = b.neg2[k:z]
				}
				lin.AddPairRow(acc, port, &a)
			case neuron.Alpha:
				acc := b.pos3[k:z]
				if negative {
					acc = b.neg3[k:z]
				}
				lin.AddTripleRow(acc, port, &a)
			}
		}
	}
}

// drive generates the window's arrivals of direct inputs and adds each in its
// step.
func (b *linearBlock) drive(s *scratch, w event.Window) {
	for k, d := range b.directs {
		if a := b.ahead[k]; a != nil && a.drive(b, d, w) {
			continue
		}
		if b.pop.lin.PSC() == neuron.Delta {
			acc := b.pos1
			if d.weight < 0 {
				acc = b.neg1
			}
			c, buf := b.pop.lin.DriveJumps(acc, &d.drive, b.lo, b.n, w.Start, d.delay, b.pop.cut, d.weight, s.offsets)
			s.offsets = buf
			b.hits += c
			d.count += c
			continue
		}
		s.driven = s.driven[:0]
		for i := range b.n {
			s.driven, s.offsets = d.drive.Drive(s.driven, b.lo, i, w.Start, w.Start, w.End, d.delay, s.offsets)
		}
		d.count += uint64(len(s.driven))
		b.add(&neuron.Arrivals{At: s.driven, Const: d.weight}, int(d.port), d.weight < 0)
	}
}

// ahead is what a direct input adds in windows to come. A cell of a Poisson train
// is drawn whole, and where several windows pass within one, that would be done
// over for each. So the cell's arrivals are added up at once, for each window by
// itself; the sums are those that windows drawn one by one have, bit for bit. Only the
// first input of each sign onto a block is drawn ahead: its sums start from 0.
type ahead struct {
	step  event.Time
	next  int64          // the first cell not drawn yet
	acc   [][][2]float64 // by window, around
	count []uint64
	order [][][2]float64 // acc in order of time
	due   []uint64       // count in order of time
	buf   []uint32
}

// drawAhead chooses the direct inputs that are drawn ahead.
func (b *linearBlock) drawAhead(step event.Time) {
	b.ahead = make([]*ahead, len(b.directs))
	if b.pop.lin.PSC() != neuron.Exp || b.odd {
		return
	}
	var taken [2]bool
	for k, d := range b.directs {
		sign := 0
		if d.weight < 0 {
			sign = 1
		}
		if !taken[sign] && d.drive.Cell >= 2*step {
			windows := int(d.drive.Cell/step) + 2
			a := &ahead{step: step, count: make([]uint64, windows), buf: make([]uint32, neuron.PoissonCellMax)}
			for range windows {
				a.acc = append(a.acc, make([][2]float64, b.n))
			}
			b.ahead[k] = a
		}
		taken[sign] = true
	}
}

// drive adds the arrivals of window w, and reports false when that has to be done
// otherwise: in windows that are cut, or taken in several steps.
func (a *ahead) drive(b *linearBlock, d *direct, w event.Window) bool {
	now := int(w.Start / a.step % event.Time(len(a.acc)))
	if w.Start%a.step != 0 || w.Len() != a.step || len(b.pop.cut) != 1 {
		if w.End%a.step == 0 {
			clear(a.acc[now])
			a.count[now] = 0
		}
		return false
	}
	a.order, a.due = a.order[:0], a.due[:0]
	for ; ; a.next++ {
		base := event.Time(a.next)*d.drive.Cell + d.delay - w.Start
		if base >= w.Len() {
			break
		}
		if base+d.drive.Cell <= 0 {
			continue // passed otherwise
		}
		if len(a.order) == 0 {
			a.order = append(append(a.order, a.acc[now:]...), a.acc[:now]...)
			a.due = append(a.due, make([]uint64, len(a.count))...)
		}
		b.pop.lin.DrivePairs(a.order, &d.drive, b.lo, b.n, int(d.port), a.next, base, a.step, d.weight, a.due, a.buf)
	}
	for k, c := range a.due {
		a.count[(now+k)%len(a.count)] += c
	}
	sum := &b.pos2
	if d.weight < 0 {
		sum = &b.neg2
	}
	*sum, a.acc[now] = a.acc[now], (*sum)[:b.n]
	b.hits += a.count[now]
	d.count += a.count[now]
	a.count[now] = 0
	return true
}

// bin holds the arrivals of one cell of the window grid, in order of spikes.
type bin struct {
	at []neuron.Timed
	w  []float64 // nil when the projection has one weight
}

func (b *bin) clear() { b.at, b.w = b.at[:0], b.w[:0] }

// distribute moves the rows of all spikes whose first arrival lies before the
// window's end into bins, one per cell of the window grid, and returns the
// arrivals of the window in the order of (spike time, source, row position). keep
// leaves them in their bin, to be cleared at the end of the epoch.
func (in *input) distribute(s *scratch, w event.Window, step event.Time, keep bool) neuron.Arrivals {
	cell := w.Start / step
	cellStart := cell * step
	h, r := &in.p.src.hist, in.r
	now := int(cell % event.Time(len(in.ring)))
	ids, at := h.id[in.next-h.base:], h.at[in.next-h.base:]
	s.rows = s.rows[:0]
	touch := uint32(0)
	for k, t := range at {
		t += r.MinDelay
		if t >= w.End {
			break
		}
		in.next++
		lo, hi := r.Ptr[ids[k]], r.Ptr[ids[k]+1]
		if lo == hi {
			continue
		}
		// The first arrival lies in the present cell.
		s.rows = append(s.rows, row{lo, hi, uint64(t - cellStart), in.next - 1})
		// Rows of different spikes lie far apart: touching all of them first
		// lets the memory fetch them at once instead of one after another.
		touch += uint32(r.Target[lo])
		if r.Delay != nil {
			touch += r.Delay[lo] + r.Delay[hi-1]
		}
	}
	s.touched += touch
	for _, q := range s.rows {
		if in.p.sends != nil {
			in.fillStaged(s, now, q)
		} else {
			in.fill(now, q.off, q.lo, q.hi)
		}
	}
	b := &in.ring[now]
	out := neuron.Arrivals{At: b.at, W: b.w, Const: r.Const}
	if w.Start == cellStart && w.Len() == step {
		if !keep {
			b.clear() // read before it is written again
		}
		return out
	}
	// A window that model events cut out of its cell.
	first, firstW := len(s.cutAt), len(s.cutW)
	for k, a := range b.at {
		if t := cellStart + event.Time(a.Off); t >= w.Start && t < w.End {
			s.cutAt = append(s.cutAt, neuron.Timed{Off: uint32(t - w.Start), T: a.T})
			if b.w != nil {
				s.cutW = append(s.cutW, b.w[k])
			}
		}
	}
	if w.End == cellStart+step && !keep {
		b.clear()
	}
	out.At = s.cutAt[first:]
	if out.W != nil {
		out.W = s.cutW[firstW:]
	}
	return out
}

// fill appends the row [lo, hi) of a spike to the bins. Without extra delay it
// would arrive off ps after the start of bin `now`.
func (in *input) fill(now int, off uint64, lo, hi uint32) {
	r := in.r
	targets := r.Target[lo:hi]
	if r.Delay == nil {
		for q, t := range targets {
			in.put(now, off, t, r.WeightAt(int(lo)+q))
		}
		return
	}
	delays := r.Delay[lo:hi][:len(targets)]
	if r.Weight != nil {
		in.fillWeighted(now, off, targets, delays, r.Weight[lo:hi])
		return
	}
	if r.Weight64 != nil {
		for q, t := range targets {
			in.put(now, off+uint64(delays[q]), t, r.WeightAt(int(lo)+q))
		}
		return
	}
	ring := in.ring
	for q, t := range targets {
		// o / step by multiplication, which may be one too low.
		o := off + uint64(delays[q])
		c, _ := bits.Mul64(o, in.perStep)
		if o -= c * in.step; o >= in.step {
			o -= in.step
			c++
		}
		k := now + int(c)
		if k >= len(ring) {
			k -= len(ring)
		}
		b := &ring[k]
		b.at = append(b.at, neuron.Timed{Off: uint32(o), T: t})
	}
}

// fillWeighted is fill with a delay and a weight for each synapse. The row is
// sorted by delay, so that each bin gets a piece of it.
func (in *input) fillWeighted(now int, off uint64, targets []uint16, delays []uint32, weights []float32) {
	delays, weights = delays[:len(targets)], weights[:len(targets)]
	for q := 0; q < len(targets); {
		o := off + uint64(delays[q])
		c, _ := bits.Mul64(o, in.perStep) // may be one too low
		if o >= (c+1)*in.step {
			c++
		}
		start := c * in.step
		b := &in.ring[(now+int(c))%len(in.ring)]
		at, w := b.at, b.w
		for o < start+in.step {
			at = append(at, neuron.Timed{Off: uint32(o - start), T: targets[q]})
			w = append(w, float64(weights[q]))
			if q++; q == len(targets) {
				break
			}
			o = off + uint64(delays[q])
		}
		b.at, b.w = at, w
	}
}

// fillStaged is fill behind a short-term stage or with stochastic release.
func (in *input) fillStaged(s *scratch, now int, q row) {
	r := in.r
	src := in.p.src.hist.id[q.pos-in.p.src.hist.base]
	n := int(q.hi - q.lo)
	s.shares = slices.Grow(s.shares[:0], n)[:n]
	if in.release != nil {
		in.release.draw(s.shares, q.pos, src, q.lo, q.hi)
	} else {
		gain := in.p.gain(q.pos)
		for k := range s.shares {
			s.shares[k] = gain
		}
	}
	for k, x := range s.shares {
		if x == 0 {
			continue // nothing is transmitted
		}
		i := int(q.lo) + k
		o := q.off
		if r.Delay != nil {
			o += uint64(r.Delay[i])
		}
		in.put(now, o, r.Target[i], float64(x*r.WeightAt(i)))
	}
}

// put appends an arrival o after the start of bin now to its bin.
func (in *input) put(now int, o uint64, t uint16, w float64) {
	c, _ := bits.Mul64(o, in.perStep)
	if o -= c * in.step; o >= in.step {
		o -= in.step
		c++
	}
	b := &in.ring[(now+int(c))%len(in.ring)]
	b.at = append(b.at, neuron.Timed{Off: uint32(o), T: t})
	if b.w != nil {
		b.w = append(b.w, w)
	}
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
			gain := in.p.gain(k)
			for q, t := range r.Target[a:z] {
				if sl := s.slot[t]; sl != 0 {
					s.hits = append(s.hits, neuron.Hit{Off: wv.off[k-wv.lo] - uint32(from), Src: first + id, W: float64(gain * r.WeightAt(int(a)+q)), Slot: sl - 1, Port: port})
				}
			}
		}
	}
	for k, in := range b.timed {
		first, port := in.p.src.first, in.r.Port
		if !b.each {
			b.pick(s, &s.timed[k], from, to, first, port)
			continue
		}
		for q := range in.pending {
			pe := &in.pending[q]
			base := pe.at - w.Start - from
			for k := pe.prev; k < pe.cur; k++ {
				if sl := s.slot[in.r.Target[k]]; sl != 0 {
					s.hits = append(s.hits, neuron.Hit{Off: uint32(base + in.offset(k)), Src: first + pe.src, W: in.weight(pe, k), Slot: sl - 1, Port: port})
				}
			}
		}
	}
	if b.learn != nil {
		for _, pl := range b.learn.in {
			first, port := pl.in.p.src.first, pl.in.r.Port
			q, hi := pl.inStep(j)
			if pl.rowwise {
				b.gatherRows(s, pl, pl.rows[q:hi], uint32(from))
				continue
			}
			for ; q < hi; q++ {
				if a := pl.at[q]; s.slot[a.T] != 0 {
					h := neuron.Hit{Off: a.Off - uint32(from), Src: first, W: pl.w[q], Slot: s.slot[a.T] - 1, Port: port}
					if len(pl.mark) > 0 && pl.mark[q] > 0 {
						h.Ref = pl.base + uint32(q+1)
					}
					s.hits = append(s.hits, h)
				}
			}
		}
	}
	for _, d := range b.directs {
		s.driven = s.driven[:0]
		for _, i := range s.list {
			s.driven, s.offsets = d.drive.Drive(s.driven, b.lo, int(i), w.Start, w.Start+from, w.Start+to, d.delay, s.offsets)
		}
		if b.each {
			b.hits += uint64(len(s.driven))
			d.count += uint64(len(s.driven))
		}
		b.pick(s, &neuron.Arrivals{At: s.driven, Const: d.weight}, from, to, d.first, d.port)
	}
	for _, l := range b.steps {
		if event.Time(l.off) >= to {
			break
		}
		if sl := s.slot[l.i]; sl != 0 {
			s.hits = append(s.hits, neuron.Hit{Off: l.off - uint32(from), Src: l.src, W: l.amps, Slot: sl - 1, Port: neuron.PortLevel})
		}
	}
}

// gatherRows is gather of rows of plastic arrivals.
func (b *linearBlock) gatherRows(s *scratch, pl *plastic, rows []effectRow, from uint32) {
	first, port := pl.in.p.src.first, pl.in.r.Port
	for _, x := range rows {
		for q, t := range pl.in.r.Target[x.lo:x.hi] {
			if s.slot[t] == 0 {
				continue
			}
			k := x.w + q
			h := neuron.Hit{Off: x.off - from, Src: first, W: pl.w[k], Slot: s.slot[t] - 1, Port: port}
			if len(pl.mark) > 0 && pl.mark[k] > 0 {
				h.Ref = pl.base + uint32(k+1)
			}
			s.hits = append(s.hits, h)
		}
	}
}

// pick takes the arrivals in [from, to) at neurons with a slot.
func (b *linearBlock) pick(s *scratch, arrivals *neuron.Arrivals, from, to event.Time, first uint32, port uint8) {
	lo, hi := uint32(from), uint32(to)
	for q, a := range arrivals.At {
		if sl := s.slot[a.T]; sl != 0 && a.Off >= lo && a.Off < hi {
			w := arrivals.Const
			if arrivals.W != nil {
				w = arrivals.W[q]
			}
			s.hits = append(s.hits, neuron.Hit{Off: a.Off - lo, Src: first, W: w, Slot: sl - 1, Port: port})
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
