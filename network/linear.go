package network

import (
	"fmt"
	"math"

	"hmn/event"
	"hmn/neuron"
)

// linearBlock is a block of neurons of a linear model: iaf_psc_delta, _exp or
// _alpha. In each step of a window it adds up all arrivals, carries every
// neuron over the step at once (neuron.Linear.SweepExp and its kind), and
// replays one by one, arrival by arrival, the few that might have crossed their
// threshold, leave refractoriness, or receive a change of current.
//
// There are three ways through a window, and the model alone decides which
// (population.epoch, each): sweeping all neurons in every step of it; sweeping
// them once in several windows (type epoch); and replaying every neuron, when
// the bound does not hold.
type linearBlock struct {
	pop     *population
	lo      int
	n       int
	waves   []*input // spikes over uniform projections
	timed   []*input // spikes over projections with different delays
	levels  []*input // changes of level sources and rate units
	directs []*direct
	ahead   []*ahead  // by direct: its arrivals in windows to come; nil: none
	learn   *learning // nil: no plastic synapses
	each    bool      // replay every neuron: rules, or signs that do not fit their port
	odd     bool      // each, whatever the start values are
	st      *neuron.State
	// Accumulators of positive and negative weights, one row per step of the
	// window; those of the other kinds of current are nil.
	pos1, neg1 []float64
	pos2, neg2 [][2]float64
	pos3, neg3 [][3]float64

	resting []int32 // refractory neurons
	due     []int32 // a crossing was rounded onto the start of the coming step
	steps   []levelHit
	spikes  []neuron.Mark
	hits    uint64 // arrivals in this window
	probes  []probe
	look    *neuron.State
	epoch   *epoch        // set when the block is swept by epochs
	spare   *neuron.State // room for one neuron
	fired   []event.Time
	fires   []uint32 // homeostatic bias: spikes since its last tick
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
		switch {
		case in.p.src.sendsLevels():
			blk.levels = append(blk.levels, in)
			continue
		case in.p.uniform:
			blk.waves = append(blk.waves, in)
		default:
			blk.timed = append(blk.timed, in)
		}
		// The bound knows excitatory ports with positive and inhibitory ones
		// with negative weights; anything else goes one by one.
		if in.rule != nil || in.r.Negative != (in.r.Port == neuron.PortIn) {
			blk.odd = true
		}
	}
	if blk.learn, err = n.learn(p, b); err != nil {
		return nil, err
	}
	if blk.learn != nil {
		for _, pl := range blk.learn.in {
			r := pl.in.r
			if r.Negative != (r.Port == neuron.PortIn) {
				blk.odd = true
			}
			pl.rowwise = pl.wir.Dendritics == nil && r.Delay == nil && pl.in.release == nil
		}
	}
	for _, q := range n.projs {
		if q.tgt == p && q.direct != nil {
			d := *q.direct
			if (d.weight < 0) != (d.port == neuron.PortIn) {
				blk.odd = true
			}
			blk.directs = append(blk.directs, &d)
		}
	}
	return blk, nil
}

func (b *linearBlock) reset(n *Network) error {
	for _, ins := range [][]*input{b.waves, b.timed, b.levels} {
		for _, in := range ins {
			in.reset()
		}
	}
	b.learn.reset()
	b.fires = nil
	if b.pop.bias != nil {
		b.fires = make([]uint32, b.n)
	}
	b.resting, b.due, b.steps = b.resting[:0], b.due[:0], b.steps[:0]
	// A window that ended with an error leaves its sums behind.
	b.pos1, b.neg1, b.pos2, b.neg2, b.pos3, b.neg3 = nil, nil, nil, nil, nil, nil
	for _, d := range b.directs {
		d.count = 0
	}
	b.drawAhead(n.grid.Step)
	b.st = b.pop.lin.NewState(b.n)
	if err := n.fill(b); err != nil {
		return err
	}
	b.each = b.odd || !b.st.Ordinary()
	b.epoch = nil
	if b.pop.epoch > 0 && !b.each {
		b.epoch = &epoch{since: make([]uint32, b.n)}
	}
	for _, in := range b.timed {
		in.ring = nil
		if !b.each {
			span := in.r.MaxDelay - in.r.MinDelay
			in.ring = make([]bin, span/n.grid.Step+b.pop.epoch/n.grid.Step+2)
			in.step = uint64(n.grid.Step)
			in.perStep = math.MaxUint64 / in.step
			if in.r.Weight != nil || in.r.Weight64 != nil || in.p.sends != nil {
				for k := range in.ring {
					in.ring[k].w = []float64{}
				}
			}
		}
	}
	b.accumulate(1)
	return nil
}

// accumulate provides accumulators for k steps.
func (b *linearBlock) accumulate(k int) {
	k *= b.n
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
				return fmt.Errorf("network: population %q: %w", p.desc.Name, err)
			}
			if !given {
				if s.Key != "V_m" {
					continue
				}
				x = rest
			}
			if err := p.lin.Set(b.st, i, s.Key, x); err != nil {
				return fmt.Errorf("network: population %q: init.%s of neuron %d: %w", p.desc.Name, s.Key, b.lo+i, err)
			}
		}
	}
	// Rate units send changes; what they sent before t = 0 is there already.
	for _, in := range b.levels {
		if in.p.src.model.Kind != neuron.Rate {
			continue
		}
		z0, err := n.outputs0(in.p.src)
		if err != nil {
			return err
		}
		for s, z := range z0 {
			if z == 0 {
				continue
			}
			for k := in.r.Ptr[s]; k < in.r.Ptr[s+1]; k++ {
				p.lin.Shift(b.st, int(in.r.Target[k]), float64(in.r.WeightAt(int(k))*z))
			}
		}
	}
	return nil
}

func (p *population) sendsLevels() bool {
	return p.model.Kind == neuron.Rate || p.model.Kind == neuron.LevelSource
}

// flushEvery is the number of windows or epochs after which State.Flush is due.
const flushEvery = 16

func (b *linearBlock) advance(n *Network, s *scratch, w event.Window) error {
	p := b.pop
	b.spikes = b.spikes[:0]
	b.hits = 0
	b.takeLevels(w)
	b.adapt(w)
	s.timed, s.cutAt, s.cutW = s.timed[:0], s.cutAt[:0], s.cutW[:0]
	for _, in := range b.timed {
		if b.each {
			in.take(w.End)
		} else {
			s.timed = append(s.timed, in.distribute(s, w, n.grid.Step, b.epoch != nil))
		}
	}
	if b.epoch != nil {
		return b.advanceEpoch(s, w)
	}
	if b.learn != nil {
		b.learn.cut = p.cut
		b.learn.begin(w)
		for _, pl := range b.learn.in {
			b.hits += uint64(pl.acting())
		}
	}
	if w.Start%(flushEvery*n.grid.Step) == 0 {
		b.st.Flush()
	}
	if !b.each {
		b.accumulate(len(p.cut))
		b.drive(s, w)
		b.addTimed(s)
	}
	from := event.Time(0)
	for j, to := range p.cut {
		if err := b.advanceStep(s, w, j, from, to); err != nil {
			return err
		}
		from = to
	}
	if b.learn != nil {
		b.learn.end(w, b.spikes)
	}
	if b.fires != nil {
		for _, m := range b.spikes {
			b.fires[m.I]++
		}
	}
	return nil
}

// advanceStep advances the block over step j, [from, to) from the window's
// start.
func (b *linearBlock) advanceStep(s *scratch, w event.Window, j int, from, to event.Time) error {
	start, h := w.Start+from, to-from
	b.startProbes(s, w, from, to)
	if b.each {
		s.list = s.list[:0]
		for i := range int32(b.n) {
			s.list = append(s.list, i)
		}
		b.resting, b.due = b.resting[:0], b.due[:0]
		b.followEach(j, w.Start+to)
	} else {
		b.force(s, start+h, to)
		b.deliver(s, j)
		s.hold(b.st)
		lin, st := b.pop.lin, b.pop.stepOf(h)
		k, z := j*b.n, (j+1)*b.n
		s.flagged = s.flagged[:0]
		switch lin.PSC() {
		case neuron.Delta:
			s.flagged = lin.SweepDelta(b.st, st, b.pos1[k:z], b.neg1[k:z], s.flagged)
		case neuron.Exp:
			s.flagged = lin.SweepExp(b.st, st, b.pos2[k:z], b.neg2[k:z], s.flagged)
		case neuron.Alpha:
			s.flagged = lin.SweepAlpha(b.st, st, b.pos3[k:z], b.neg3[k:z], s.flagged)
		}
		s.release(b.st)
		s.list, s.flagged = s.flagged, s.list
	}
	return b.replay(s, w, j, from, to)
}

// force lists the neurons that must be replayed whatever the bound says: those
// that leave refractoriness before end, whose spike was rounded onto the start,
// or whose current changes before to.
func (b *linearBlock) force(s *scratch, end, to event.Time) {
	s.list = s.list[:0]
	kept := b.resting[:0]
	for _, i := range b.resting {
		if b.st.Free[i] < end {
			s.list = append(s.list, i)
		} else {
			kept = append(kept, i)
		}
	}
	b.resting = kept
	s.list = append(s.list, b.due...)
	b.due = b.due[:0]
	for _, l := range b.steps {
		if event.Time(l.off) >= to {
			break
		}
		s.list = append(s.list, int32(l.i))
	}
	if b.learn != nil {
		s.list = append(s.list, b.learn.changed...)
	}
}

// hold makes the sweep leave the listed neurons alone: nothing is below a
// threshold of −∞. release gives the thresholds back, in reverse, so that a
// neuron listed twice gets its own.
func (s *scratch) hold(st *neuron.State) {
	s.th = s.th[:0]
	for _, i := range s.list {
		s.th = append(s.th, st.Th[i])
		st.Th[i] = math.Inf(-1)
	}
}

func (s *scratch) release(st *neuron.State) {
	for k := len(s.list) - 1; k >= 0; k-- {
		st.Th[s.list[k]] = s.th[k]
	}
}

// replay advances the listed neurons over step j hit by hit, and looks at the
// sampled ones.
func (b *linearBlock) replay(s *scratch, w event.Window, j int, from, to event.Time) error {
	real := len(s.list)
	for k, i := range s.list {
		s.slot[i] = uint16(k + 1)
	}
	for _, pr := range s.probes {
		if s.slot[pr.i] == 0 {
			s.list = append(s.list, int32(pr.i))
			s.slot[pr.i] = uint16(len(s.list))
		}
	}
	if len(s.list) == 0 {
		return nil
	}
	b.gather(s, w, j, from, to)
	s.sortHits(len(s.list))
	var err error
	start, h := w.Start+from, to-from
	for k, i := range s.list[:real] {
		free := b.st.Free[i]
		if b.learn != nil && b.learn.is[i] {
			err = b.replayTentative(s, w, k, start, h, from)
		} else {
			b.spikes, _, err = b.pop.lin.Replay(b.st, int(i), start, h, s.hitsOf(k), uint32(from), b.spikes, nil)
		}
		if err != nil {
			return b.fail(w, i, err)
		}
		if b.st.Free[i] >= start+h && b.st.Free[i] != free { // else it is there already
			b.resting = append(b.resting, i)
		}
		if b.st.Due[i] {
			b.due = append(b.due, i)
		}
	}
	if err := b.runProbes(s, w, w.Start, from, to, nil); err != nil {
		return err
	}
	for _, i := range s.list {
		s.slot[i] = 0
	}
	k := 0
	for k < len(b.steps) && event.Time(b.steps[k].off) < to {
		k++
	}
	b.steps = b.steps[:copy(b.steps, b.steps[k:])]
	return nil
}

func (b *linearBlock) fail(w event.Window, i int32, err error) error {
	return &StoppedError{At: w.Start, Population: b.pop.desc.Name, Reason: fmt.Sprintf("neuron %d: %v", b.lo+int(i), err)}
}
