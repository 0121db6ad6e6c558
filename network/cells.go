package network

import (
	"fmt"
	"math"
	"slices"

	"hmn/event"
	"hmn/neuron"
	"hmn/synapse"
)

// cellBlock is a block of neurons that are advanced one by one, arrival by
// arrival: those with a neuron.Dynamics.
//
// The arrivals of a window are dealt out to their targets in one counting pass,
// so that a window costs its arrivals and a glance at each neuron. Lazy neurons
// to which nothing comes, and that have said that they cannot fire before its
// end, are left alone.
type cellBlock struct {
	pop    *population
	lo, n  int
	ins    []*input // spikes
	levels []*input // changes of current
	learn  *learning
	dyn    neuron.Dynamics
	lazy   neuron.Lazy   // nil: every neuron is advanced in every window
	copier neuron.Copier // nil: signals are read at window starts
	quiet  []event.Time  // of lazy neurons
	waits  []int32       // lazy neurons that may do something by themselves one day
	listed []bool        // that are in waits

	hits   uint64
	come   []arrival        // listed ones
	sorted []neuron.Arrival // by target, time, source, and the order of inputs, spikes and rows
	count  []int32          // arrivals by target
	list   []int32          // neurons to advance: those with arrivals first
	first  []int32          // where the arrivals of each of them begin in sorted
	spikes []neuron.Mark
	times  []event.Time
	fires  []event.Time // of copies: to be forgotten
	looks  []look
	lookOf []int32 // by neuron: 1 + index in looks; 0: not sampled. nil: none is
}

// arrival is one at the neuron i of the block.
type arrival struct {
	neuron.Arrival
	i uint16
}

// look is a sampled neuron.
type look struct {
	i      int
	probes []probe
	until  event.Time // end of the last window in which it was advanced
}

// spareNeurons are what the engine makes beyond those of a block, to sample
// them: a copy from before the window, one on its way through it, and one at a
// sample time.
const spareNeurons = 3

func (n *Network) newCellBlock(p *population, r blockRange, idx int) (*cellBlock, error) {
	ins, err := n.inputs(p, idx)
	if err != nil {
		return nil, err
	}
	b := &cellBlock{pop: p, lo: r.Lo, n: r.Hi - r.Lo}
	for _, in := range ins {
		switch {
		case !in.p.src.sendsLevels():
			b.ins = append(b.ins, in)
		case p.model.Currents:
			b.levels = append(b.levels, in)
		default:
			return nil, fmt.Errorf("projection %q: model %s does not take changes of level", in.p.desc.Name, p.desc.Model)
		}
	}
	b.count, b.listed = make([]int32, b.n), make([]bool, b.n)
	b.learn, err = n.learn(p, idx)
	return b, err
}

func (b *cellBlock) reset(n *Network) error {
	for _, ins := range [][]*input{b.ins, b.levels} {
		for _, in := range ins {
			in.reset()
		}
	}
	b.learn.reset()
	var err error
	if b.dyn, err = b.neurons(); err != nil {
		return err
	}
	b.copier, _ = b.dyn.(neuron.Copier)
	b.quiet, b.waits, b.list = nil, b.waits[:0], b.list[:0]
	if b.lazy, _ = b.dyn.(neuron.Lazy); b.lazy != nil {
		b.quiet = b.lazy.Quiet()[:b.n]
		for i := range int32(b.n) {
			b.waits = append(b.waits, i)
			b.listed[i] = true
		}
	}
	for i := range b.n {
		for _, s := range b.pop.model.States {
			x, given, err := n.start(b.pop, s.Key, b.lo+i)
			if err != nil {
				return err
			}
			if !given {
				continue
			}
			v := b.dyn.State(i, s.Key)
			if v == nil {
				return fmt.Errorf("model %s does not know its state variable %q", b.pop.desc.Model, s.Key)
			}
			*v = x
		}
	}
	clear(b.count)
	for k := range b.looks {
		b.looks[k].until = 0
	}
	b.come = b.come[:0]
	return b.startLevels(n)
}

// neurons makes those of the block, with a trace for rules that watch them.
func (b *cellBlock) neurons() (neuron.Dynamics, error) {
	n, m, par := b.n+spareNeurons, b.pop.model, b.pop.desc.Params
	watchers := b.learn.watchers()
	if len(watchers) == 0 {
		return m.New(par, n)
	}
	first := watchers[0].rule
	cells, trace, err := m.Watched(par, n, first.model.Watch(first.proj.desc.SynapseParams), b.n)
	if err != nil {
		return nil, err
	}
	for _, pl := range watchers {
		pl.l.(synapse.Watcher).Attach(trace)
	}
	return cells, nil
}

// startLevels enters what rate units sent before t = 0.
func (b *cellBlock) startLevels(n *Network) error {
	for _, in := range b.levels {
		if in.p.src.model.Kind != neuron.Rate {
			continue
		}
		z0, err := n.outputs0(in.p.src)
		if err != nil {
			return err
		}
		for s, z := range z0 {
			for k := in.r.Ptr[s]; z != 0 && k < in.r.Ptr[s+1]; k++ {
				b.enter(in.r.Target[k], neuron.Arrival{Port: neuron.PortCurrent, Weight: float64(in.r.WeightAt(int(k)) * z), Src: in.p.src.first + uint32(s)})
			}
		}
	}
	return nil
}

// expect counts an arrival of the window at neuron i.
func (b *cellBlock) expect(i uint16) {
	if b.count[i] == 0 {
		b.list = append(b.list, int32(i))
	}
	b.count[i]++
}

// enter lists an arrival of the window.
func (b *cellBlock) enter(i uint16, a neuron.Arrival) {
	b.expect(i)
	b.come = append(b.come, arrival{a, i})
}

func (b *cellBlock) advance(_ *Network, _ *scratch, w event.Window) error {
	b.spikes = b.spikes[:0]
	b.hits = 0
	b.collect(w)
	b.choose(w)
	b.deal()
	sampling := slices.ContainsFunc(b.looks, func(l look) bool {
		return slices.ContainsFunc(l.probes, func(p probe) bool { return len(p.sig.times) > 0 })
	})
	for k, i := range b.list {
		var l *look
		if sampling && b.lookOf[i] > 0 {
			l = &b.looks[b.lookOf[i]-1]
			l.until = w.End
			b.before(l)
		}
		hits := b.sorted[b.first[k]:b.first[k+1]]
		if err := b.advanceNeuron(w, int(i), hits); err != nil {
			return b.fail(w, int(i), err)
		}
		last := w.Start
		for _, t := range b.times {
			if t < last || t >= w.End {
				return b.fail(w, int(i), fmt.Errorf("model %s gave a spike at %s ms outside its window or out of order", b.pop.desc.Model, t))
			}
			last = t
			b.spikes = append(b.spikes, neuron.Mark{Off: uint32(t - w.Start), I: uint32(i)})
		}
		if l != nil {
			if err := b.sample(w, l, hits); err != nil {
				return b.fail(w, int(i), err)
			}
		}
		if b.lazy != nil && b.quiet[i] < event.MaxTime && !b.listed[i] {
			b.listed[i] = true
			b.waits = append(b.waits, i)
		}
	}
	b.list = b.list[:0]
	if sampling {
		if err := b.sampleOthers(w); err != nil {
			return err
		}
	}
	if b.learn != nil {
		b.learn.end(w, b.spikes)
	}
	return nil
}

// collect finds the arrivals of the window and counts them by target. Spikes stay
// in their rows; changes of current and what plastic synapses send are listed.
func (b *cellBlock) collect(w event.Window) {
	for _, in := range b.ins {
		in.take(w.End)
		for q := range in.pending {
			pe := &in.pending[q]
			in.upTo(pe, w.End)
			b.hits += uint64(pe.cur - pe.prev)
			for _, i := range in.r.Target[pe.prev:pe.cur] {
				b.expect(i)
			}
		}
	}
	given := len(b.come)
	for _, in := range b.levels {
		in.take(w.End)
		for q := range in.pending {
			pe := &in.pending[q]
			in.upTo(pe, w.End)
			for k := pe.prev; k < pe.cur; k++ {
				x := in.weight(pe, k)
				b.enter(in.r.Target[k], neuron.Arrival{At: pe.at + in.offset(k), Port: neuron.PortCurrent,
					Weight: float64(x*pe.to) - float64(x*pe.from), Src: in.p.src.first + pe.src})
			}
		}
	}
	if b.learn != nil {
		b.enterLearned(w)
	}
	b.hits += uint64(len(b.come) - given)
}

// enterLearned lists what plastic synapses send.
func (b *cellBlock) enterLearned(w event.Window) {
	b.learn.begin(w)
	for _, pl := range b.learn.in {
		for k, x := range pl.at {
			a := neuron.Arrival{At: w.Start + event.Time(x.Off), Port: pl.in.r.Port, Weight: pl.w[k], Src: pl.in.p.src.first}
			if len(pl.mark) > 0 && pl.mark[k] > 0 {
				a.Ref = pl.base + uint32(k+1)
			}
			b.enter(x.T, a)
		}
	}
}

// choose adds to the list of neurons with arrivals those that may do something by
// themselves.
func (b *cellBlock) choose(w event.Window) {
	if b.lazy == nil {
		b.list = b.list[:0]
		for i := range int32(b.n) {
			b.list = append(b.list, i)
		}
		return
	}
	kept := b.waits[:0]
	for _, i := range b.waits {
		q := b.quiet[i]
		if q == event.MaxTime {
			b.listed[i] = false
			continue
		}
		kept = append(kept, i)
		if q < w.End && b.count[i] == 0 {
			b.list = append(b.list, i)
		}
	}
	b.waits = kept
}

// deal sorts the arrivals by target, time, source and the order in which they
// were collected.
func (b *cellBlock) deal() {
	b.first = b.first[:0]
	at := int32(0)
	for _, i := range b.list {
		b.first = append(b.first, at)
		at, b.count[i] = at+b.count[i], at
	}
	b.first = append(b.first, at)
	if cap(b.sorted) < int(at) {
		b.sorted = make([]neuron.Arrival, at, 2*at)
	}
	b.sorted = b.sorted[:at]
	for _, in := range b.ins {
		for q := range in.pending {
			b.dealRow(in, &in.pending[q])
		}
	}
	for k := range b.come {
		a := &b.come[k]
		b.sorted[b.count[a.i]] = a.Arrival
		b.count[a.i]++
	}
	for k, i := range b.list {
		b.count[i] = 0
		if own := b.sorted[b.first[k]:b.first[k+1]]; len(own) > 1 {
			sortArrivals(own)
		}
	}
	b.come = b.come[:0]
}

// dealRow deals out what one spike does in the window.
func (b *cellBlock) dealRow(in *input, pe *pending) {
	r := in.r
	a := neuron.Arrival{At: pe.at, Port: r.Port, Weight: float64(pe.gain * r.Const), Src: in.p.src.first + pe.src}
	sorted, count := b.sorted, b.count
	if r.Delay == nil && r.Weight == nil && r.Weight64 == nil && pe.w == nil {
		for _, i := range r.Target[pe.prev:pe.cur] {
			sorted[count[i]] = a
			count[i]++
		}
		return
	}
	for k := pe.prev; k < pe.cur; k++ {
		a.At, a.Weight = pe.at+in.offset(k), in.weight(pe, k)
		i := r.Target[k]
		sorted[count[i]] = a
		count[i]++
	}
}

// sortArrivals is an insertion sort: the arrivals of one neuron in one window are
// few and nearly in order.
func sortArrivals(a []neuron.Arrival) {
	for k := 1; k < len(a); k++ {
		x := a[k]
		q := k
		for q > 0 && (a[q-1].At > x.At || a[q-1].At == x.At && a[q-1].Src > x.Src) {
			a[q] = a[q-1]
			q--
		}
		a[q] = x
	}
}

// advanceNeuron takes neuron i through the window with its arrivals. One whose
// weight hangs on the neuron's spikes before it divides the window: the spikes up
// to there are known when it is applied.
func (b *cellBlock) advanceNeuron(w event.Window, i int, hits []neuron.Arrival) (err error) {
	b.times = b.times[:0]
	from, done := w.Start, 0
	for k := range hits {
		h := &hits[k]
		if h.Ref == 0 {
			continue
		}
		if h.At > from {
			n := k // others of this instant belong to what follows
			for n > done && hits[n-1].At == h.At {
				n--
			}
			if b.times, err = b.dyn.Advance(i, from, h.At, hits[done:n], b.times); err != nil {
				return err
			}
			from, done = h.At, n
		}
		if len(b.times) > 0 {
			b.learn.suppose(w, i, b.times)
		}
		h.Weight = b.learn.weightOf(h.Ref)
	}
	b.times, err = b.dyn.Advance(i, from, w.End, hits[done:], b.times)
	return err
}

// fail names the neuron at fault.
func (b *cellBlock) fail(w event.Window, i int, err error) error {
	return &StoppedError{At: w.Start, Population: b.pop.desc.Name, Reason: fmt.Sprintf("neuron %d: %v", b.lo+i, err)}
}

// Sampling. A sampled neuron is copied before it is advanced, and the copy
// follows it, once the weights of all its arrivals are known.

// copies are the spare neurons.
func (b *cellBlock) copies() (start, path, sight int) { return b.n, b.n + 1, b.n + 2 }

// before keeps the state of neuron i at the window's start.
func (b *cellBlock) before(l *look) {
	if b.copier != nil {
		start, _, _ := b.copies()
		b.copier.Copy(start, l.i)
		return
	}
	for _, pr := range l.probes {
		for k := range pr.sig.times {
			pr.sig.buf[k][pr.col] = b.value(l.i, &pr)
		}
	}
}

// sampleOthers reads the signals of neurons that are not advanced.
func (b *cellBlock) sampleOthers(w event.Window) error {
	for k := range b.looks {
		l := &b.looks[k]
		if l.until == w.End {
			continue
		}
		b.before(l)
		if err := b.sample(w, l, nil); err != nil {
			return b.fail(w, l.i, err)
		}
	}
	return nil
}

// sample reads the signals of a neuron inside the window.
func (b *cellBlock) sample(w event.Window, l *look, hits []neuron.Arrival) (err error) {
	if b.copier == nil {
		return nil // done before
	}
	start, path, sight := b.copies()
	for _, pr := range l.probes {
		b.copier.Copy(path, start)
		from, done := w.Start, 0
		for row, t := range pr.sig.times {
			k := done
			for k < len(hits) && hits[k].At <= t {
				k++
			}
			// What happens at t is part of the state at t.
			if b.fires, err = b.dyn.Advance(path, from, t+1, hits[done:k], b.fires[:0]); err != nil {
				return err
			}
			from, done = t+1, k
			at := path
			if b.lazy != nil {
				b.copier.Copy(sight, path)
				b.lazy.Sync(sight, t)
				at = sight
			}
			pr.sig.buf[row][pr.col] = b.value(at, &pr)
		}
	}
	return nil
}

// value is the signal at neuron i, NaN when its model does not know it.
func (b *cellBlock) value(i int, pr *probe) float64 {
	if v := b.dyn.State(i, pr.sig.desc.What); v != nil {
		return *v
	}
	return math.NaN()
}

func (b *cellBlock) local(p *population, id int) (int, bool) {
	return id - b.lo, p == b.pop && id >= b.lo && id < b.lo+b.n
}

func (b *cellBlock) addProbe(p probe) {
	if b.lookOf == nil {
		b.lookOf = make([]int32, b.n)
	}
	if b.lookOf[p.i] == 0 {
		b.looks = append(b.looks, look{i: p.i})
		b.lookOf[p.i] = int32(len(b.looks))
	}
	l := &b.looks[b.lookOf[p.i]-1]
	l.probes = append(l.probes, p)
}

// idleUntil is a time before which no neuron of the block needs to be looked at.
func (b *cellBlock) idleUntil(now event.Time) event.Time {
	if b.lazy == nil || b.busy() {
		return now
	}
	t := event.MaxTime
	for _, i := range b.waits {
		t = min(t, b.quiet[i])
	}
	return t
}

// busy says whether anything is on its way to the block.
func (b *cellBlock) busy() bool {
	for _, ins := range [][]*input{b.ins, b.levels} {
		for _, in := range ins {
			if in.busy() {
				return true
			}
		}
	}
	return false
}
