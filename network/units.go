package network

import (
	"cmp"
	"slices"

	"hmn/event"
	"hmn/neuron"
)

// rateBlock is a block of rate units, or, when some connections among rate
// units have no delay, all rate units of the network together: those act within
// one instant and cannot wait for the next window.
type rateBlock struct {
	parts []*ratePart
	net   *neuron.RateNet // nil unless joint
	in    [][]neuron.RateInput
	out   [][]neuron.Change
	hits  uint64
	learn *rateLearning // nil: no plastic synapses
	ins   [][]neuron.RateInput
}

// ratePart is a range of one population inside a rateBlock.
type ratePart struct {
	pop    *population
	lo, n  int
	ins    []*input
	units  *neuron.RateUnits
	probes []probe
}

// join adds the range r of population p to the block.
func (b *rateBlock) join(n *Network, p *population, r blockRange, idx int) error {
	ins, err := n.inputs(p, idx)
	if err != nil {
		return err
	}
	z0, err := n.outputs0(p)
	if err != nil {
		return err
	}
	u, err := neuron.NewRateUnits(p.desc.Params, p.desc.N, r.Lo, r.Hi, n.model.Simulation.Seed, p.desc.Name, z0)
	if err != nil {
		return err
	}
	if b.learn, err = n.learnRates(b.learn, p, idx, len(b.parts)); err != nil {
		return err
	}
	b.parts = append(b.parts, &ratePart{pop: p, lo: r.Lo, n: r.Hi - r.Lo, ins: ins, units: u})
	b.in = append(b.in, nil)
	b.out = append(b.out, nil)
	return nil
}

// outputs0 are the outputs of a rate population before t = 0.
func (n *Network) outputs0(p *population) ([]float64, error) {
	z0 := make([]float64, p.desc.N)
	for i := range z0 {
		var err error
		if z0[i], _, err = n.start(p, "z", i); err != nil {
			return nil, err
		}
	}
	return z0, nil
}

// wire gives the units the input sums they start with and joins those that are
// connected without delay.
func (b *rateBlock) wire(n *Network) error {
	var edges []neuron.ZeroEdge
	for to, part := range b.parts {
		for _, in := range part.ins {
			src := in.p.src
			if src.model.Kind != neuron.Rate {
				continue
			}
			z0, err := n.outputs0(src)
			if err != nil {
				return err
			}
			r := in.r
			for s := range len(r.Ptr) - 1 {
				for k := r.Ptr[s]; k < r.Ptr[s+1]; k++ {
					i, w := part.lo+int(r.Target[k]), r.WeightAt(int(k))
					if r.DelayAt(int(k)) > 0 {
						part.units.AddInitial(uint32(i), w*z0[s])
						continue
					}
					edges = append(edges, neuron.ZeroEdge{FromPop: b.part(src, s), From: s, ToPop: to, To: i, Weight: w})
				}
			}
		}
	}
	if b.learn != nil {
		zs, err := b.wirePlastic(n, len(edges))
		if err != nil {
			return err
		}
		edges = append(edges, zs...)
		if err := n.makeRateGroups(b.learn); err != nil {
			return err
		}
	}
	if len(b.parts) == 1 && len(edges) == 0 {
		return nil
	}
	units := make([]*neuron.RateUnits, len(b.parts))
	for k, p := range b.parts {
		units[k] = p.units
	}
	var err error
	b.net, err = neuron.NewRateNet(units, edges)
	return err
}

func (b *rateBlock) part(p *population, i int) int {
	return slices.IndexFunc(b.parts, func(q *ratePart) bool { return q.pop == p && i >= q.lo && i < q.lo+q.n })
}

func (b *rateBlock) advance(n *Network, s *scratch, w event.Window) error {
	b.hits = 0
	for k, part := range b.parts {
		in := b.in[k][:0]
		for _, i := range part.ins {
			i.take(w.End)
			spikes := !i.p.src.sendsLevels()
			for q := range i.pending {
				pe := &i.pending[q]
				i.upTo(pe, w.End)
				for t := pe.prev; t < pe.cur; t++ {
					in = append(in, neuron.RateInput{At: pe.at + i.offset(t), Unit: uint32(part.lo) + uint32(i.r.Target[t]), Weight: i.weight(pe, t), Old: pe.from, New: pe.to, Spike: spikes})
				}
			}
		}
		slices.SortStableFunc(in, func(x, y neuron.RateInput) int { return int(min(max(x.At-y.At, -1), 1)) })
		b.hits += uint64(len(in))
		b.in[k] = in
		b.out[k] = b.out[k][:0]
	}
	var err error
	if b.learn != nil {
		err = b.advanceLearning(w)
	} else {
		err = b.pass(w.Start, w.End, b.in)
	}
	if err != nil {
		return &StoppedError{At: w.Start, Population: b.parts[0].pop.desc.Name, Reason: err.Error()}
	}
	return nil
}

// pass moves the units through [from, to) and samples their outputs there: they
// remember the last such stretch only.
func (b *rateBlock) pass(from, to event.Time, in [][]neuron.RateInput) (err error) {
	if b.net != nil {
		err = b.net.Advance(from, to, in, b.out)
	} else {
		b.out[0], err = b.parts[0].units.Advance(from, to, in[0], b.out[0])
	}
	if err != nil {
		return err
	}
	for _, part := range b.parts {
		for _, pr := range part.probes {
			for k, t := range pr.sig.times {
				if t >= from && t < to {
					pr.sig.buf[k][pr.col] = part.units.OutputAt(part.lo+pr.i, t)
				}
			}
		}
	}
	return nil
}

// advanceLearning moves the units through the window in pieces: a weight that
// changes at the close of a phase window acts on them at once.
func (b *rateBlock) advanceLearning(w event.Window) error {
	g := b.learn
	for _, pl := range g.in {
		pl.l.Begin(w.Start)
		pl.collect(w.End)
	}
	taken := make([]int, len(b.parts)) // of the static inputs
	if b.ins == nil {
		b.ins = make([][]neuron.RateInput, len(b.parts))
	}
	for from := w.Start; from < w.End; {
		to := g.pieceEnd(w, from)
		for k, part := range b.parts {
			x := b.ins[k][:0]
			for ; taken[k] < len(b.in[k]) && b.in[k][taken[k]].At < to; taken[k]++ {
				x = append(x, b.in[k][taken[k]])
			}
			n := len(x)
			for _, pl := range g.in {
				if pl.part == k {
					x = pl.act(x, to, part.lo)
				}
			}
			b.hits += uint64(len(x) - n)
			slices.SortStableFunc(x, func(a, b neuron.RateInput) int { return cmp.Compare(a.At, b.At) })
			b.ins[k] = x
		}
		sent := make([]int, len(b.parts))
		for k := range b.parts {
			sent[k] = len(b.out[k])
		}
		if err := b.pass(from, to, b.ins); err != nil {
			return err
		}
		b.tell(sent)
		g.passAll(w.Start, to, b.net)
		from = to
	}
	return nil
}

// tell lets plastic synapses know of the changes sent since: outputs of their
// targets, and inputs that reach them without delay.
func (b *rateBlock) tell(sent []int) {
	for _, pl := range b.learn.in {
		part := b.parts[pl.part]
		for _, c := range b.out[pl.part][sent[pl.part]:] {
			pl.output(int(c.Neuron)-part.lo, c.At, c.New)
		}
		if !pl.hasZero {
			continue
		}
		for k, src := range b.parts {
			if src.pop != pl.in.p.src {
				continue
			}
			for _, c := range b.out[k][sent[k]:] {
				for i := pl.in.r.Ptr[c.Neuron]; i < pl.in.r.Ptr[c.Neuron+1]; i++ {
					if pl.zero[i] >= 0 {
						pl.coming = append(pl.coming, inputChange{c.At, i, c.New})
					}
				}
			}
			slices.SortStableFunc(pl.coming, func(x, y inputChange) int { return cmp.Compare(x.at, y.at) })
		}
	}
}

// wirePlastic gives the units the sums that plastic synapses start with, and
// lists those without delay between rate units; the first is edge number first.
func (b *rateBlock) wirePlastic(n *Network, first int) ([]neuron.ZeroEdge, error) {
	var edges []neuron.ZeroEdge
	for _, pl := range b.learn.in {
		src, r := pl.in.p.src, pl.in.r
		if src.model.Kind != neuron.Rate {
			continue
		}
		z0, err := n.outputs0(src)
		if err != nil {
			return nil, err
		}
		pl.z0 = z0
		part := b.parts[pl.part]
		for s := range len(r.Ptr) - 1 {
			for i := r.Ptr[s]; i < r.Ptr[s+1]; i++ {
				w := pl.sign(pl.l.Weight(i, 0))
				if r.DelayAt(int(i))+pl.dendritic(i) > 0 {
					part.units.AddInitial(uint32(part.lo)+uint32(r.Target[i]), float64(w*z0[s]))
					continue
				}
				pl.zero[i], pl.hasZero = int32(first+len(edges)), true
				edges = append(edges, neuron.ZeroEdge{FromPop: b.part(src, s), From: s, ToPop: pl.part, To: part.lo + int(r.Target[i]), Weight: w})
			}
		}
		if pl.hasZero {
			pl.ahead = event.Second // as far as the units have passed
		}
	}
	return edges, nil
}

// send hands the window's changes to the populations.
func (b *rateBlock) send() {
	for k, part := range b.parts {
		part.pop.changed = append(part.pop.changed, b.out[k]...)
	}
}

func (b *rateBlock) reset(*Network) error {
	for _, part := range b.parts {
		for _, in := range part.ins {
			in.reset()
		}
		if b.net == nil {
			part.units.Reset()
		}
	}
	if b.net != nil {
		b.net.Reset()
	}
	b.learn.reset()
	if b.learn != nil {
		for _, pl := range b.learn.in {
			pl.startOutputs(b.parts[pl.part].units)
		}
	}
	return nil
}

func (b *rateBlock) local(p *population, id int) (int, bool) {
	k := b.part(p, id)
	if k < 0 {
		return 0, false
	}
	return id - b.parts[k].lo, true
}

func (b *rateBlock) addProbe(p probe) {
	k := b.part(p.sig.pop, p.sig.ids[p.col])
	b.parts[k].probes = append(b.parts[k].probes, p)
}

// sourceBlock generates the spikes of a range of a source population, one
// window at a time.
type sourceBlock struct {
	pop    *population
	lo, hi int
	train  neuron.Train
	reader *neuron.Reader
	spikes []neuron.TrainSpike
	learn  *learning // nil: no plastic synapses end here
	marks  []neuron.Mark
	hits   uint64
}

func (n *Network) newSourceBlock(p *population, r blockRange, b int) (*sourceBlock, error) {
	t, err := neuron.NewTrain(p.desc.Model, p.desc.Params, p.desc.N, n.model.Simulation.Seed, p.desc.Name, p.desc.Trains)
	if err != nil {
		return nil, err
	}
	g, err := n.learn(p, b)
	return &sourceBlock{pop: p, lo: r.Lo, hi: r.Hi, train: t, learn: g}, err
}

func (b *sourceBlock) advance(_ *Network, _ *scratch, w event.Window) error {
	b.spikes = b.reader.Spikes(w.Start, w.End)
	if b.learn != nil {
		b.marks = b.marks[:0]
		for _, x := range b.spikes {
			b.marks = append(b.marks, neuron.Mark{Off: uint32(x.At - w.Start), I: uint32(int(x.Neuron) - b.lo)})
		}
		b.learn.begin(w)
		b.learn.end(w, b.marks)
		b.hits = b.learn.arrivals()
	}
	return nil
}

func (b *sourceBlock) reset(*Network) error {
	b.reader = neuron.NewReader(b.train, b.lo, b.hi)
	b.learn.reset()
	return nil
}
