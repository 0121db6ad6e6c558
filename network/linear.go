package network

import (
	"fmt"
	"math"
	"slices"

	"hmn/event"
	"hmn/neuron"
)

// linearBlock is a block of neurons of a linear model: iaf_psc_delta, _exp or
// _alpha. In each step of a window it adds up all arrivals, carries every
// neuron over the step at once (neuron.Linear.SweepExp and its kind), and
// replays one by one, arrival by arrival, the few that might have crossed their
// threshold, leave refractoriness, or receive a change of current.
type linearBlock struct {
	pop     *population
	lo      int
	n       int
	ins     []*input // spikes
	levels  []*input // changes of level sources and rate units
	directs []*direct
	each    bool // replay every neuron: rules, or signs that do not fit their port
	st      *neuron.State
	// Accumulators of positive and negative weights, one row per sub-window
	// when there is direct input; those of the other kinds of current are nil.
	pos1, neg1 []float64
	pos2, neg2 [][2]float64
	pos3, neg3 [][3]float64

	slot    []uint16 // 1 + position in the worker's list; 0: not replayed
	resting []int32  // refractory neurons
	due     []int32
	spikes  []neuron.Mark
	step    []levelHit
	hits    uint64 // arrivals in this window
	probes  []probe
	look    *neuron.State
}

// levelHit is a change of current at a neuron in the present window.
type levelHit struct {
	off  uint32
	src  uint32
	i    uint16
	amps float64
}

// probe is one neuron of one sampled signal.
type probe struct {
	sig *signal
	col int // column of the signal
	i   int // neuron, block-local
}

func (n *Network) newLinearBlock(p *population, r blockRange, b int) (*linearBlock, error) {
	ins, err := n.inputs(p, b)
	if err != nil {
		return nil, err
	}
	blk := &linearBlock{pop: p, lo: r.Lo, n: r.Hi - r.Lo}
	for _, in := range ins {
		if in.p.src.sendsLevels() {
			blk.levels = append(blk.levels, in)
			continue
		}
		blk.ins = append(blk.ins, in)
		// The bound knows excitatory ports with positive and inhibitory ones
		// with negative weights; anything else goes one by one.
		if in.rule != nil || in.r.Negative != (in.r.Port == neuron.PortIn) {
			blk.each = true
		}
	}
	for _, q := range n.projs {
		if q.tgt == p && q.direct != nil {
			d := *q.direct
			if (d.weight < 0) != (d.port == neuron.PortIn) {
				blk.each = true
			}
			blk.directs = append(blk.directs, &d)
		}
	}
	blk.slot = make([]uint16, blk.n)
	blk.accumulators(1)
	return blk, nil
}

func (b *linearBlock) accumulators(rows int) {
	k := rows * b.n
	switch b.pop.lin.PSC() {
	case neuron.Delta:
		if len(b.pos1) < k {
			b.pos1, b.neg1 = make([]float64, k), make([]float64, k)
		}
	case neuron.Exp:
		if len(b.pos2) < k {
			b.pos2, b.neg2 = make([][2]float64, k), make([][2]float64, k)
		}
	case neuron.Alpha:
		if len(b.pos3) < k {
			b.pos3, b.neg3 = make([][3]float64, k), make([][3]float64, k)
		}
	}
}

// fill sets the start values of the block's neurons.
func (n *Network) fill(b *linearBlock) error {
	p := b.pop
	rest := p.lin.Rest(p.model.Number(p.desc.Params, "E_L"))
	for i := range b.n {
		for _, s := range p.model.States {
			x, given, err := n.start(p, s.Key, b.lo+i)
			if err != nil {
				return err
			}
			if !given {
				if s.Key != "V_m" {
					continue
				}
				x = rest
			}
			if err := p.lin.Set(b.st, i, s.Key, x); err != nil {
				return fmt.Errorf("init.%s of neuron %d: %w", s.Key, b.lo+i, err)
			}
		}
	}
	return nil
}

func (p *population) sendsLevels() bool {
	return p.model.Kind == neuron.Rate || p.model.Kind == neuron.LevelSource
}

func (b *linearBlock) advance(n *Network, s *scratch, w event.Window) error {
	p := b.pop
	b.spikes = b.spikes[:0]
	b.hits = 0
	b.takeLevels(w)
	for _, in := range b.ins {
		if !in.p.uniform {
			in.take(w.End)
		}
	}
	if len(b.directs) > 0 && !b.each {
		b.accumulators(len(p.cut))
		for _, d := range b.directs {
			b.addDirect(d, w)
		}
	}
	from := event.Time(0)
	for j, to := range p.cut {
		if err := b.advanceStep(n, s, w, j, from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// advanceStep advances the block over sub-window j, [from, to) from the
// window's start.
func (b *linearBlock) advanceStep(n *Network, s *scratch, w event.Window, j int, from, to event.Time) error {
	p := b.pop
	lin := p.lin
	start, h := w.Start+from, to-from
	st := p.stepOf(h)

	// Who must be replayed whatever the bound says.
	s.list = s.list[:0]
	if b.each {
		for i := range b.n {
			s.list = append(s.list, int32(i))
		}
	}
	kept := b.resting[:0]
	for _, i := range b.resting {
		if b.st.Free[i] < start+h {
			s.list = append(s.list, i)
		} else {
			kept = append(kept, i)
		}
	}
	b.resting = kept
	s.list = append(s.list, b.due...)
	b.due = b.due[:0]
	levels := 0
	for levels < len(b.step) && event.Time(b.step[levels].off) < to {
		s.list = append(s.list, int32(b.step[levels].i))
		levels++
	}
	for _, i := range s.list {
		b.slot[i] = 1
	}
	b.startProbes(s, w, from, to)

	if b.each {
		for _, in := range b.ins {
			if in.p.uniform {
				wv := &in.p.wave
				lo, hi := wv.span(j)
				b.hits += uint64(hi - lo)
			} else {
				for q := range in.pending {
					in.upTo(&in.pending[q], w.Start+to)
				}
			}
		}
	} else {
		b.deliver(s, w, j, to)
		// A threshold of −∞ makes the sweep leave a neuron alone.
		s.th = s.th[:0]
		for _, i := range s.list {
			s.th = append(s.th, b.st.Th[i])
			b.st.Th[i] = math.Inf(-1)
		}
		forced := len(s.list)
		flagged := s.flagged[:0]
		row := 0
		if len(b.directs) > 0 {
			row = j * b.n
		}
		switch lin.PSC() {
		case neuron.Delta:
			flagged = lin.SweepDelta(b.st, st, b.pos1[row:row+b.n], b.neg1[row:row+b.n], flagged)
		case neuron.Exp:
			flagged = lin.SweepExp(b.st, st, b.pos2[row:row+b.n], b.neg2[row:row+b.n], flagged)
		case neuron.Alpha:
			flagged = lin.SweepAlpha(b.st, st, b.pos3[row:row+b.n], b.neg3[row:row+b.n], flagged)
		}
		s.flagged = flagged
		for k := forced - 1; k >= 0; k-- { // backwards: the first of equal ones has the true threshold
			b.st.Th[s.list[k]] = s.th[k]
		}
		s.list = s.list[:0]
		for _, i := range flagged {
			s.list = append(s.list, i)
		}
	}
	if b.each {
		for i := range b.slot {
			b.slot[i] = 0
		}
		slices.Sort(s.list)
		s.list = slices.Compact(s.list)
	} else {
		for _, i := range s.list {
			b.slot[i] = 0
		}
	}
	real := len(s.list)
	for k, i := range s.list {
		b.slot[i] = uint16(k + 1)
	}
	for _, pr := range s.probes {
		if i := pr.i; b.slot[i] == 0 {
			s.list = append(s.list, int32(i))
			b.slot[i] = uint16(len(s.list))
		}
	}
	if len(s.list) == 0 {
		return nil
	}
	b.gather(s, w, j, from, to, levels)
	s.sortHits(len(s.list))
	var err error
	for k, i := range s.list[:real] {
		b.spikes, _, err = lin.Replay(b.st, int(i), start, h, s.hitsOf(k), uint32(from), b.spikes, nil)
		if err != nil {
			return b.fail(w, i, err)
		}
		if b.st.Free[i] >= start+h {
			b.resting = append(b.resting, i)
		}
		if b.st.Due[i] {
			b.due = append(b.due, i)
		}
	}
	if err := b.runProbes(s, w, from, to); err != nil {
		return err
	}
	for _, i := range s.list {
		b.slot[i] = 0
	}
	b.step = b.step[:copy(b.step, b.step[levels:])]
	return nil
}

func (b *linearBlock) fail(w event.Window, i int32, err error) error {
	return &StoppedError{At: w.Start, Population: b.pop.desc.Name, Reason: fmt.Sprintf("neuron %d: %v", b.lo+int(i), err)}
}

// deliver adds the arrivals of sub-window j to the accumulators.
func (b *linearBlock) deliver(s *scratch, w event.Window, j int, to event.Time) {
	lin := b.pop.lin
	row := 0
	if len(b.directs) > 0 {
		row = j * b.n
	}
	for _, in := range b.ins {
		r, port := in.r, int(in.r.Port)
		if in.p.uniform {
			wv := &in.p.wave
			lo, hi := wv.span(j)
			ids := in.p.src.hist.id[lo-in.p.src.hist.base : hi-in.p.src.hist.base]
			x := wv.x[port][lo-wv.lo : hi-wv.lo]
			switch lin.PSC() {
			case neuron.Delta:
				acc := b.pos1[row : row+b.n]
				if r.Negative {
					acc = b.neg1[row : row+b.n]
				}
				for k, id := range ids {
					a, z := r.Ptr[id], r.Ptr[id+1]
					b.hits += uint64(z - a)
					r.AddJump(acc, a, z, x[k])
				}
			case neuron.Exp:
				acc := b.pos2[row : row+b.n]
				if r.Negative {
					acc = b.neg2[row : row+b.n]
				}
				y := wv.y[port][lo-wv.lo : hi-wv.lo]
				for k, id := range ids {
					a, z := r.Ptr[id], r.Ptr[id+1]
					b.hits += uint64(z - a)
					r.AddPair(acc, a, z, x[k], y[k])
				}
			case neuron.Alpha:
				acc := b.pos3[row : row+b.n]
				if r.Negative {
					acc = b.neg3[row : row+b.n]
				}
				y, q := wv.y[port][lo-wv.lo:hi-wv.lo], wv.z[port][lo-wv.lo:hi-wv.lo]
				for k, id := range ids {
					a, z := r.Ptr[id], r.Ptr[id+1]
					b.hits += uint64(z - a)
					r.AddTriple(acc, a, z, x[k], y[k], q[k])
				}
			}
			continue
		}
		end := w.Start + to
		a := &s.arrivals
		a.Reset()
		for q := range in.pending {
			pe := &in.pending[q]
			in.upTo(pe, end)
			left := end - pe.at
			for k := pe.prev; k < pe.cur; k++ {
				a.X = append(a.X, (left - in.offset(k)).MS())
				a.T = append(a.T, r.Target[k])
				a.W = append(a.W, r.WeightAt(int(k)))
			}
		}
		b.hits += uint64(len(a.X))
		switch lin.PSC() {
		case neuron.Delta:
			if r.Negative {
				lin.AddJumps(b.neg1[row:row+b.n], a)
			} else {
				lin.AddJumps(b.pos1[row:row+b.n], a)
			}
		case neuron.Exp:
			if r.Negative {
				lin.AddPairs(b.neg2[row:row+b.n], port, a)
			} else {
				lin.AddPairs(b.pos2[row:row+b.n], port, a)
			}
		case neuron.Alpha:
			if r.Negative {
				lin.AddTriples(b.neg3[row:row+b.n], port, a)
			} else {
				lin.AddTriples(b.pos3[row:row+b.n], port, a)
			}
		}
	}
}

// span is the history positions that a wave delivers in sub-window j.
func (w *wave) span(j int) (lo, hi int) {
	lo = w.lo
	if j > 0 {
		lo = w.cut[j-1]
	}
	return lo, w.cut[j]
}

// addDirect generates one window of a direct input and adds it to the
// accumulators of its sub-windows.
func (b *linearBlock) addDirect(d *direct, w event.Window) {
	lin, cut := b.pop.lin, b.pop.cut
	length := w.Len()
	inv := float64(len(cut)) / float64(length)
	first, last := d.cells(w.Start, w.End)
	var buf [64]uint32
	acc1, acc2, acc3 := b.pos1, b.pos2, b.pos3
	if d.weight < 0 {
		acc1, acc2, acc3 = b.neg1, b.neg2, b.neg3
	}
	port, n := int(d.port), b.n
	count := uint64(0)
	for c := first; c <= last; c++ {
		shift := event.Time(c)*d.drive.Cell + d.delay - w.Start
		for i := range n {
			for _, off := range d.drive.Offsets(uint32(b.lo+i), c, &buf) {
				t := shift + event.Time(off)
				if t < 0 || t >= length {
					continue
				}
				count++
				j := int(float64(t) * inv)
				if j == len(cut) || j > 0 && t < cut[j-1] {
					j--
				} else if t >= cut[j] {
					j++
				}
				x := (cut[j] - t).MS()
				switch at := j*n + i; lin.PSC() {
				case neuron.Delta:
					acc1[at] += float64(d.weight * lin.Jump(x))
				case neuron.Exp:
					v, e := lin.Response(port, x)
					acc2[at][0] += float64(d.weight * v)
					acc2[at][1] += float64(d.weight * e)
				case neuron.Alpha:
					v, e := lin.Response(port, x)
					acc3[at][0] += float64(d.weight * v)
					acc3[at][1] += float64(d.weight * e)
					acc3[at][2] += float64(d.weight * lin.Slope(port, x))
				}
			}
		}
	}
	b.hits += count
	d.count += count
}

// cells are the first and last cell whose spikes can arrive in [from, to).
func (d *direct) cells(from, to event.Time) (first, last int64) {
	if to <= d.delay {
		return 0, -1
	}
	return int64(max(from-d.delay, 0) / d.drive.Cell), int64((to - 1 - d.delay) / d.drive.Cell)
}

// gather collects the arrivals of sub-window j at the neurons that have a slot.
func (b *linearBlock) gather(s *scratch, w event.Window, j int, from, to event.Time, levels int) {
	s.hits = s.hits[:0]
	for _, in := range b.ins {
		r, port, first := in.r, in.r.Port, in.p.src.first
		if in.p.uniform {
			wv := &in.p.wave
			lo, hi := wv.span(j)
			base := in.p.src.hist.base
			for k := lo; k < hi; k++ {
				id := in.p.src.hist.id[k-base]
				a, z := r.Ptr[id], r.Ptr[id+1]
				for q, t := range r.Target[a:z] {
					if sl := b.slot[t]; sl != 0 {
						s.hits = append(s.hits, neuron.Hit{Off: wv.off[k-wv.lo] - uint32(from), Src: first + id, W: r.WeightAt(int(a) + q), Slot: sl - 1, Port: port})
					}
				}
			}
			continue
		}
		for q := range in.pending {
			pe := &in.pending[q]
			base := pe.at - w.Start - from
			for k := pe.prev; k < pe.cur; k++ {
				if sl := b.slot[r.Target[k]]; sl != 0 {
					s.hits = append(s.hits, neuron.Hit{Off: uint32(base + in.offset(k)), Src: first + pe.src, W: in.weight(pe, k), Slot: sl - 1, Port: port})
				}
			}
		}
	}
	var buf [64]uint32
	for _, d := range b.directs {
		c0, c1 := d.cells(w.Start+from, w.Start+to)
		for k, i := range s.list {
			src := uint32(b.lo + int(i))
			for c := c0; c <= c1; c++ {
				shift := event.Time(c)*d.drive.Cell + d.delay - w.Start
				for _, off := range d.drive.Offsets(src, c, &buf) {
					if t := shift + event.Time(off); t >= from && t < to {
						s.hits = append(s.hits, neuron.Hit{Off: uint32(t - from), Src: d.first + src, W: d.weight, Slot: uint16(k), Port: d.port})
						if b.each {
							b.hits++
							d.count++
						}
					}
				}
			}
		}
	}
	for _, l := range b.step[:levels] {
		if sl := b.slot[l.i]; sl != 0 {
			s.hits = append(s.hits, neuron.Hit{Off: l.off - uint32(from), Src: l.src, W: l.amps, Slot: sl - 1, Port: neuron.PortLevel})
		}
	}
}

// takeLevels lists the window's changes of current, in order of time.
func (b *linearBlock) takeLevels(w event.Window) {
	if len(b.levels) == 0 {
		return
	}
	b.step = b.step[:0]
	for _, in := range b.levels {
		in.take(w.End)
		for q := range in.pending {
			pe := &in.pending[q]
			in.upTo(pe, w.End)
			for k := pe.prev; k < pe.cur; k++ {
				weight := in.weight(pe, k)
				b.hits++
				b.step = append(b.step, levelHit{
					off: uint32(pe.at + in.offset(k) - w.Start), src: in.p.src.first + pe.src, i: in.r.Target[k],
					amps: float64(weight*pe.to) - float64(weight*pe.from),
				})
			}
		}
	}
	slices.SortStableFunc(b.step, func(x, y levelHit) int {
		if x.off != y.off {
			return int(int64(x.off) - int64(y.off))
		}
		return int(int64(x.src) - int64(y.src))
	})
}

func (b *linearBlock) reset(n *Network) error {
	for _, in := range b.ins {
		in.reset()
	}
	for _, in := range b.levels {
		in.reset()
	}
	b.resting, b.due, b.step = b.resting[:0], b.due[:0], b.step[:0]
	b.st = b.pop.lin.NewState(b.n)
	return n.fill(b)
}
