package network

import (
	"hmn/event"
	"hmn/event/random"
	"hmn/neuron"
)

// gridBlock is a block of neurons of a model that lives on a grid of time
// (neuron.Grid). At a grid point T it adds up what has arrived after the grid
// point before, T included, and takes all neurons over the step that begins at T.
// That needs nothing after T, so windows may be of any length and begin anywhere.
type gridBlock struct {
	pop    *population
	lo, n  int
	ins    []*input // spikes
	levels []*input // changes of level sources and rate units
	learn  *learning
	cells  neuron.Grid
	period event.Time
	// current is the sum of the levels at each neuron; nil without levels.
	current []float64
	taken   []int // by plastic input: arrivals of the window that have acted
	fired   []uint32
	times   []event.Time
	spikes  []neuron.Mark
	hits    uint64
	probes  []gridProbe
}

// gridProbe is a sampled neuron with its signal at the last grid point.
type gridProbe struct {
	probe
	held float64
}

func (n *Network) newGridBlock(p *population, r blockRange, idx int) (*gridBlock, error) {
	ins, err := n.inputs(p, idx)
	if err != nil {
		return nil, err
	}
	b := &gridBlock{pop: p, lo: r.Lo, n: r.Hi - r.Lo}
	for _, in := range ins {
		if in.p.src.sendsLevels() {
			b.levels = append(b.levels, in)
		} else {
			b.ins = append(b.ins, in)
		}
	}
	if b.learn, err = n.learn(p, idx); err != nil {
		return nil, err
	}
	if b.learn != nil {
		b.taken = make([]int, len(b.learn.in))
	}
	return b, nil
}

func (b *gridBlock) reset(n *Network) error {
	for _, ins := range [][]*input{b.ins, b.levels} {
		for _, in := range ins {
			in.reset()
		}
	}
	b.learn.reset()
	d := b.pop.desc
	b.cells = b.pop.model.Grid(d.Params, random.NewKey(n.model.Simulation.Seed, random.StreamNoise, random.Name(d.Name)), b.lo, b.n)
	b.period = b.cells.Period()
	for i := range b.n {
		for _, s := range b.pop.model.States {
			x, given, err := n.start(b.pop, s.Key, b.lo+i)
			if err != nil {
				return err
			}
			if given {
				*b.cells.State(i, s.Key) = x
			}
		}
	}
	if len(b.levels) == 0 {
		return nil
	}
	b.current = make([]float64, b.n)
	for _, in := range b.levels {
		if in.p.src.model.Kind != neuron.Rate {
			continue
		}
		z0, err := n.outputs0(in.p.src)
		if err != nil {
			return err
		}
		for s, z := range z0 {
			in.r.AddJump(b.current, in.r.Ptr[s], in.r.Ptr[s+1], z)
		}
	}
	return nil
}

func (b *gridBlock) advance(_ *Network, _ *scratch, w event.Window) error {
	b.spikes, b.hits = b.spikes[:0], 0
	for _, in := range b.ins {
		in.take(w.End)
	}
	for _, in := range b.levels {
		in.take(w.End)
	}
	if b.learn != nil {
		b.learn.begin(w)
		clear(b.taken)
	}
	at := w.Start + b.period - 1
	at -= at % b.period
	b.sample(w.Start, min(at, w.End))
	from := w.Start
	for ; at < w.End; at += b.period {
		b.deliver(w, from, at+1)
		from = at + 1
		in := b.cells.Input()
		for i, x := range b.current {
			in[i] += x
		}
		for k := range b.probes {
			p := &b.probes[k]
			p.held = *b.cells.State(p.i, p.sig.desc.What)
		}
		b.sample(at, min(at+b.period, w.End))
		var err error
		if b.fired, err = b.cells.Step(int64(at/b.period), b.fired[:0]); err != nil {
			return &StoppedError{At: at, Population: b.pop.desc.Name, Reason: err.Error()}
		}
		for _, i := range b.fired {
			b.spikes = append(b.spikes, neuron.Mark{Off: uint32(at - w.Start), I: i})
		}
	}
	b.deliver(w, from, w.End)
	if b.learn != nil {
		b.learn.end(w, b.spikes)
	}
	return nil
}

// deliver adds what arrives in [from, to) to the input of the coming step. All
// before from has been added.
func (b *gridBlock) deliver(w event.Window, from, to event.Time) {
	acc := b.cells.Input()
	for _, in := range b.ins {
		for q := range in.pending {
			pe := &in.pending[q]
			in.upTo(pe, to)
			b.hits += uint64(pe.cur - pe.prev)
			if pe.w == nil {
				in.r.AddJump(acc, pe.prev, pe.cur, 1)
				continue
			}
			for k := pe.prev; k < pe.cur; k++ {
				acc[in.r.Target[k]] += in.weight(pe, k)
			}
		}
	}
	for _, in := range b.levels {
		for q := range in.pending {
			pe := &in.pending[q]
			in.upTo(pe, to)
			b.hits += uint64(pe.cur - pe.prev)
			in.r.AddJump(b.current, pe.prev, pe.cur, pe.to-pe.from)
		}
	}
	if b.learn == nil {
		return
	}
	for k, pl := range b.learn.in {
		if b.taken[k] < len(pl.at) {
			b.taken[k] += b.deliverPlastic(w, pl, from, to)
		}
	}
}

// deliverPlastic adds the arrivals of a plastic input in [from, to) and counts
// them. They are listed in the order in which the synapses saw them.
func (b *gridBlock) deliverPlastic(w event.Window, pl *plastic, from, to event.Time) (n int) {
	acc := b.cells.Input()
	for k, a := range pl.at {
		if t := w.Start + event.Time(a.Off); t < from || t >= to {
			continue
		}
		x := pl.w[k]
		if len(pl.mark) > 0 && pl.mark[k] > 0 {
			x = b.tentative(w, a.T, pl.base+uint32(k+1))
		}
		acc[a.T] += x
		n++
	}
	b.hits += uint64(n)
	return n
}

// tentative is the weight of arrival ref of the window at neuron i, given the
// spikes of the steps before.
func (b *gridBlock) tentative(w event.Window, i uint16, ref uint32) float64 {
	b.times = b.times[:0]
	for _, m := range b.spikes {
		if m.I == uint32(i) {
			b.times = append(b.times, w.Start+event.Time(m.Off))
		}
	}
	if len(b.times) > 0 {
		b.learn.suppose(w, int(i), b.times)
	}
	return b.learn.weightOf(ref)
}

// sample reads the signals for all sample times in [from, to): they are constant
// from one grid point to the next.
func (b *gridBlock) sample(from, to event.Time) {
	for k := range b.probes {
		p := &b.probes[k]
		for row, t := range p.sig.times {
			if t >= from && t < to {
				p.sig.buf[row][p.col] = p.held
			}
		}
	}
}

func (b *gridBlock) local(p *population, id int) (int, bool) {
	return id - b.lo, p == b.pop && id >= b.lo && id < b.lo+b.n
}

func (b *gridBlock) addProbe(p probe) { b.probes = append(b.probes, gridProbe{probe: p}) }
