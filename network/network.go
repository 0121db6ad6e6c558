package network

import (
	"errors"
	"fmt"
	"iter"
	"runtime"

	"hmn/event"
	"hmn/event/random"
	"hmn/neuron"
	"hmn/synapse"
)

// Network is a built model: blocks of neurons with all synapses onto them,
// ready to run. It is not safe for concurrent use; it runs its blocks on
// several goroutines itself.
type Network struct {
	model   *Model
	pops    []*population
	projs   []*projection
	blocks  []advancer
	ranges  []blockRange
	grid    event.Grid
	longest event.Time // epoch
	pool    *event.Pool
	work    []*scratch // one per worker

	agenda    *event.Agenda // model events: they cut windows
	observers *event.Agenda // samples: they cut nothing
	now       event.Time    // windows are advanced up to here
	done      event.Time    // results are delivered up to here
	end       event.Time    // of the present Run
	stats     Stats
	held      []Spike  // spikes of the last window beyond the end of the last Run
	looks     []sample // the same for samples
	merge     []uint64
	order     []uint16 // population of each global id
	signal    []*signal
	guard     guard
	failed    error
	mods      *modulators
	rules     []*rule // of the plastic projections
	watches   []*watch
	oja       []*ojaLearner
	acting    acting // task and meta-learning
	junctions []junction
	coupling  []*coupledBlock // by block: what it is part of; nil: nothing
	book      book            // decisions on weights on their way to the record
}

// population is the run-time side of a Population.
type population struct {
	desc  *Population
	model *neuron.Model
	index int
	first uint32
	hist  history
	used  bool // some projection reads hist
	keep  event.Time
	// recorded[i] says whether spikes of neuron i are written; nil: none, all
	// when recordAll.
	recorded  []bool
	recordAll bool
	spikes    uint64

	// Linear models.
	lin     *neuron.Linear
	steps   []neuron.Step // cache
	cut     []event.Time  // ends of the sub-windows, from the window's start
	last    int           // sub-windows of the window before
	hits    uint64        // arrivals in the window before
	blocks  []int         // of the partition
	changed []neuron.Change

	epoch event.Time // length of the epochs in which blocks are swept; 0: by steps

	nextSpike event.Time     // spike_train: no spike before it from the time it was asked for
	bias      *bias          // homeostatic; nil: none
	level     []float64      // what a task made of them
	levels    *neuron.Levels // level sources
	until     event.Time     // their changes are in hist up to here
}

// projection is the run-time side of a Projection.
type projection struct {
	desc     *Projection
	index    int
	src, tgt *population
	rows     [][]*synapse.Rows // by block of the target population
	uniform  bool              // one delay for all synapses
	min, max event.Time
	axonal   event.Time // projections with a rule
	direct   *direct    // poisson input without storage
	synapses int64
	bytes    int64
	rule     *synapse.Model
	wave     wave
	sends    *transmission // nil: spikes transmit the weight
	// Plastic projections: no rows but wiring, by block of the target population.
	plastic        *rule
	wiring         [][]*synapse.Wiring
	keepUpdates    bool
	keepCandidates bool
	places         []located // its synapses by identity, made when asked for
}

// wave is what a uniform projection onto a linear population delivers in one
// window: positions in the source's history and the factors of each spike.
type wave struct {
	lo   int          // position of the first spike
	cut  []int        // end position for each sub-window
	off  []uint32     // arrival, ps from the window's start
	x    [2][]float64 // factors for potential,
	y    [2][]float64 // current
	z    [2][]float64 // and slope variable, by port
	port [2]bool      // ports in use
}

// direct is a one-to-one poisson input that is generated at its target.
type direct struct {
	drive  neuron.PoissonDrive
	delay  event.Time
	weight float64
	port   uint8
	first  uint32 // global id of the source population's first neuron
	src    *population
	counts bool // the source's spikes are counted here
	count  uint64
}

// advancer is one block. Its methods are called once per window by one worker.
type advancer interface {
	// advance moves the block through the window and keeps what it sends.
	advance(n *Network, s *scratch, w event.Window) error
	// reset returns to the state at t = 0.
	reset(n *Network) error
}

// Build makes a network from a description, which it does not change and which
// must not change while the network is in use.
func Build(m *Model, o Options) (*Network, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	n := &Network{model: m, agenda: event.NewAgenda(), observers: event.NewAgenda(), ranges: partition(m)}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if o.MaxBytes > 0 {
		e, err := EstimateModel(m)
		if err != nil {
			return nil, err
		}
		if e.Bytes > float64(o.MaxBytes) {
			return nil, fmt.Errorf("%w: the network would need about %.3g bytes, the limit is %d", ErrTooLarge, e.Bytes, o.MaxBytes)
		}
	}
	n.pool = event.NewPool(workers)
	if err := n.build(); err != nil {
		n.pool.Close()
		return nil, err
	}
	return n, nil
}

// ErrTooLarge reports a model that does not fit in the memory allowed.
var ErrTooLarge = errors.New("network: too large")

func (n *Network) build() error {
	m := n.model
	var id uint32
	for i := range m.Populations {
		d := &m.Populations[i]
		nm, _ := neuron.Lookup(d.Model)
		p := &population{desc: d, model: nm, index: i, first: id, last: 1}
		n.pops = append(n.pops, p)
		id += uint32(d.N)
		for range d.N {
			n.order = append(n.order, uint16(i))
		}
	}
	for b, r := range n.ranges {
		n.pops[r.Pop].blocks = append(n.pops[r.Pop].blocks, b)
	}
	if err := n.connect(); err != nil {
		return err
	}
	if err := n.couple(); err != nil {
		return err
	}
	if err := n.lookahead(); err != nil {
		return err
	}
	for _, p := range n.pops {
		if p.model.Linear() {
			var err error
			if p.lin, err = neuron.NewLinear(p.desc.Model, p.desc.Params, n.grid.Step); err != nil {
				return fmt.Errorf("network: population %q: %w", p.desc.Name, err)
			}
		}
	}
	if err := n.checkBins(); err != nil {
		return err
	}
	n.directs()
	n.makeBiases()
	if err := n.choosePaths(); err != nil {
		return err
	}
	if err := n.makeModulators(); err != nil {
		return err
	}
	if err := n.makeBlocks(); err != nil {
		return err
	}
	if err := n.makeTask(); err != nil {
		return err
	}
	if err := n.makeRecords(); err != nil {
		return err
	}
	n.stats.WorkerBlocks = make([]uint64, n.pool.Workers())
	for range n.pool.Workers() {
		n.work = append(n.work, newScratch())
	}
	n.stats.Neurons = int(id)
	n.stats.Blocks = len(n.blocks)
	n.stats.Window = n.grid.Step
	for _, p := range n.projs {
		n.stats.Synapses += p.synapses
		n.stats.SynapseBytes += p.bytes
	}
	n.stats.Synapses += int64(len(n.junctions))
	return n.Reset()
}

// connect builds the synapses of every projection, block by block in parallel.
func (n *Network) connect() error {
	m := n.model
	type task struct{ proj, block int }
	var tasks []task
	var makers []*connector
	for i := range m.Projections {
		d := &m.Projections[i]
		p := &projection{desc: d, index: i, src: n.pops[m.findPopulation(d.Source)], tgt: n.pops[m.findPopulation(d.Target)]}
		p.src.used = p.src.used || !d.electrical()
		if sm, _ := synapse.Lookup(d.Synapse); sm != nil && sm.New != nil {
			p.rule = sm
		}
		for k := range m.Records {
			if r := &m.Records[k]; r.Of == d.Name {
				p.keepUpdates = p.keepUpdates || r.What == RecordUpdates
				p.keepCandidates = p.keepCandidates || r.What == RecordCandidate
			}
		}
		p.sends = n.makeTransmission(d, p.src.desc.N)
		c, err := newConnector(m, i)
		if err != nil {
			return err
		}
		if c.learning != nil {
			p.plastic = c.newRule(p)
			p.wiring = make([][]*synapse.Wiring, len(p.tgt.blocks))
			n.rules = append(n.rules, p.plastic)
		}
		makers = append(makers, c)
		p.rows = make([][]*synapse.Rows, len(p.tgt.blocks))
		n.projs = append(n.projs, p)
		if d.electrical() {
			continue
		}
		for k := range p.tgt.blocks {
			tasks = append(tasks, task{i, k})
		}
	}
	err := n.pool.Do(len(tasks), true, func(_, t int) error {
		p := n.projs[tasks[t].proj]
		r := n.ranges[p.tgt.blocks[tasks[t].block]]
		if p.plastic != nil {
			ws, err := makers[p.index].plasticWiring(r.Lo, r.Hi)
			p.wiring[tasks[t].block] = ws
			return err
		}
		rows, err := makers[p.index].rows(r.Lo, r.Hi)
		p.rows[tasks[t].block] = rows
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range n.projs {
		p.uniform = p.rule == nil && p.plastic == nil && p.desc.Release.Sites == 0
		p.min = event.MaxTime
		for _, ws := range p.wiring {
			for _, w := range ws {
				lo, hi := w.Delays()
				p.min, p.max = min(p.min, lo), max(p.max, hi)
				p.synapses += int64(w.Rows.Len())
				p.bytes += w.Bytes(p.plastic.bytes(w))
			}
		}
		for _, rows := range p.rows {
			for _, r := range rows {
				if r.Len() == 0 {
					continue
				}
				if r.Delay != nil || p.synapses > 0 && r.MinDelay != p.max {
					p.uniform = false
				}
				p.min, p.max = min(p.min, r.MinDelay), max(p.max, r.MaxDelay)
				p.wave.port[min(r.Port, 1)] = true
				p.synapses += int64(r.Len())
				p.bytes += r.Bytes()
			}
		}
		if p.synapses == 0 {
			p.min = 0
		}
		if p.rule != nil && p.plastic == nil {
			ms, ok := p.desc.Axonal.fixed()
			if !ok {
				return fmt.Errorf("network: projection %q: synapse model %q needs one axonal delay for all synapses", p.desc.Name, p.desc.Synapse)
			}
			p.axonal, _, _ = event.FromMS(ms)
			for i, e := range p.desc.Edges {
				if e.Axonal != FromProjection && e.Axonal != p.axonal {
					return fmt.Errorf("network: projection %q: edge %d: axonal delay %s ms, but synapse model %q needs one for all synapses, %s ms", p.desc.Name, i, e.Axonal, p.desc.Synapse, p.axonal)
				}
			}
		}
	}
	return nil
}

const (
	defaultStep = event.Millisecond     // the window of a network without synapses
	longestStep = 4 * event.Millisecond // offsets in a window are 32 bits of picoseconds
)

// lookahead sets the window grid: the minimum delay over all synapses (zero
// delays, allowed between rate units only, do not count: those units share a
// block; synapses with a delay beside them in one projection do), capped by the model and by what 32 bits of picoseconds hold.
func (n *Network) lookahead() error {
	step := event.MaxTime
	for _, p := range n.projs {
		if least := p.leastPositive(); least < event.MaxTime {
			// The limit of the distribution, a round number as a rule, when
			// the draws come close to it.
			if d := p.desc.leastDelay(); 2*d > least {
				least = d
			}
			step = min(step, least)
		}
	}
	for _, p := range n.projs {
		if p.plastic != nil && p.plastic.model.Watch != nil {
			// The potential that an arrival asks for must have been computed.
			for _, ws := range p.wiring {
				for _, w := range ws {
					d := w.LeastDendritic()
					if d == 0 {
						return fmt.Errorf("network: projection %q: dendritic delay of 0, want more under %s: a synapse sees the potential of its target a dendritic delay late", p.desc.Name, p.desc.Synapse)
					}
					step = min(step, d)
				}
			}
		}
		// Between rate units weights act within a window: what a synapse decides
		// must be known before the least of its effects.
		if p.plastic == nil || !p.plastic.rates || p.src.model.Kind != neuron.Rate {
			continue
		}
		axonal, dendritic := event.MaxTime, event.MaxTime
		for _, ws := range p.wiring {
			for _, w := range ws {
				axonal, dendritic = min(axonal, w.Rows.MinDelay), min(dendritic, w.LeastDendritic())
			}
		}
		switch least := addCapped(axonal, dendritic); {
		case least == event.MaxTime || least == 0 && p.max == 0:
		case least == 0:
			return fmt.Errorf("network: projection %q: plastic synapses between rate units with no axonal delay and others with no dendritic delay: want all delays 0, or one side at least that is positive everywhere", p.desc.Name)
		default:
			step = min(step, least)
		}
	}
	if step == event.MaxTime {
		step = defaultStep
	}
	if c := n.model.Simulation.LookaheadMax; c > 0 {
		step = min(step, c)
	}
	n.grid.Step = min(step, longestStep)
	for _, p := range n.projs {
		p.src.keep = max(p.src.keep, p.max)
	}
	return nil
}

// mostBins bounds the memory of the bins that hold arrivals with different
// delays, one per window that the delays span, projection and block.
const mostBins = 1 << 24

// checkBins refuses networks whose shortest delay, and with it the window, is
// out of all proportion to the longest: a distribution of delays that reaches
// down to nothing.
func (n *Network) checkBins() error {
	bins := 0.0
	for _, p := range n.projs {
		for _, rows := range p.rows {
			for _, r := range rows {
				bins += float64((r.MaxDelay - r.MinDelay) / n.grid.Step)
			}
		}
		for _, ws := range p.wiring {
			for _, w := range ws {
				if p.tgt.model.Kind == neuron.Spiking {
					bins += float64(w.MostDendritic() / n.grid.Step)
				}
			}
		}
		if bins > mostBins {
			return fmt.Errorf("network: projection %q: delays up to %s ms, but the shortest delay of the network makes windows of %s ms: the arrivals on their way would need %.3g lists; give the delays a larger minimum", p.desc.Name, p.max, n.grid.Step, bins)
		}
	}
	return nil
}

// directs finds the poisson populations whose trains are generated at their
// targets instead of being sent and stored: homogeneous, connected one to one
// with one weight and one delay onto linear populations. Whether they are
// recorded plays no part: then the same trains are generated a second time, for
// the record only.
func (n *Network) directs() {
	for i, p := range n.pops {
		if !n.model.direct(i) {
			continue
		}
		rate := p.desc.Params["rate"].Number
		drive, _ := neuron.NewPoissonDrive(rate, random.NewKey(n.model.Simulation.Seed, random.StreamPoisson, random.Name(p.desc.Name)))
		p.used = false
		counts := !n.records(p)
		for _, q := range n.projs {
			if q.src == p {
				r := q.rows[0][0]
				q.direct = &direct{drive: drive, delay: r.MinDelay, weight: r.Const, port: r.Port, first: p.first, src: p, counts: counts}
				counts = false
			}
		}
	}
}

// direct says whether the trains of population i are generated at their
// targets.
func (m *Model) direct(i int) bool {
	p := &m.Populations[i]
	rate, ok := p.Params["rate"]
	if p.Model != "poisson" || !ok {
		return false
	}
	if _, ok := neuron.NewPoissonDrive(rate.Number, 0); !ok {
		return false
	}
	used := false
	for k := range m.Projections {
		q := &m.Projections[k]
		if q.Source != p.Name {
			continue
		}
		t := m.findPopulation(q.Target)
		nm, _ := neuron.Lookup(m.Populations[t].Model)
		_, weight := q.Weight.fixed()
		_, axonal := q.Axonal.fixed()
		_, dendritic := q.Dendritic.fixed()
		if q.Rule != OneToOne || !weight || !axonal || !dendritic || !nm.Linear() || m.coupled(t) ||
			q.Synapse != "" && q.Synapse != "static" || q.staged() {
			return false
		}
		used = true
	}
	return used
}

// records says whether any record asks for the population's spikes.
func (n *Network) records(p *population) bool {
	for _, r := range n.model.Records {
		if r.What == RecordSpikes && r.Of == p.desc.Name {
			return true
		}
	}
	return false
}

func (n *Network) makeBlocks() error {
	zero := false
	for _, p := range n.projs {
		zero = zero || p.synapses > 0 && p.min == 0
	}
	var joint *rateBlock
	for b, r := range n.ranges {
		p := n.pops[r.Pop]
		var a advancer
		var err error
		switch {
		case p.isDirect(n) && !n.records(p) && !n.learns(p):
			continue
		case n.coupling[b] != nil:
			if a, err = n.joinCoupled(p, r, b); a == nil && err == nil {
				continue
			}
		case p.lin != nil:
			a, err = n.newLinearBlock(p, r, b)
		case p.model.Grid != nil:
			a, err = n.newGridBlock(p, r, b)
		case p.model.Kind == neuron.Spiking:
			a, err = n.newCellBlock(p, r, b)
		case p.model.Kind == neuron.Rate && zero:
			if joint != nil {
				err = joint.join(n, p, r, b)
				if err != nil {
					return err
				}
				continue
			}
			joint = &rateBlock{}
			a, err = joint, joint.join(n, p, r, b)
		case p.model.Kind == neuron.Rate:
			rb := &rateBlock{}
			a, err = rb, rb.join(n, p, r, b)
		case p.model.Kind == neuron.LevelSource:
			if p.levels == nil {
				p.levels, err = neuron.NewLevels(p.desc.Model, p.desc.Params, p.desc.N, n.model.Simulation.Seed, p.desc.Name)
			}
			if err != nil {
				break
			}
			lb := &levelBlock{pop: p, lo: r.Lo, n: r.Hi - r.Lo}
			if lb.learn, err = n.learnRates(nil, p, b, 0); err == nil && lb.learn == nil {
				continue
			} else if err == nil {
				err = n.makeRateGroups(lb.learn)
			}
			a = lb
		default:
			a, err = n.newSourceBlock(p, r, b)
		}
		if err != nil {
			return fmt.Errorf("network: population %q: %w", p.desc.Name, err)
		}
		n.blocks = append(n.blocks, a)
	}
	for _, a := range n.blocks {
		switch b := a.(type) {
		case *rateBlock:
			if err := b.wire(n); err != nil {
				return err
			}
		case *coupledBlock:
			b.divide(n)
		}
	}
	return nil
}

// choosePaths decides, from the built network and the rates that the
// description expects, how each linear population passes through a window.
func (n *Network) choosePaths() error {
	e, err := EstimateModel(n.model)
	if err != nil {
		return err
	}
	perSec := make([]float64, len(n.pops))
	driven := make([]bool, len(n.pops))
	for _, p := range n.projs {
		perSec[p.tgt.index] += float64(float64(p.synapses) * e.Populations[p.src.index].RateHz)
		driven[p.tgt.index] = driven[p.tgt.index] || p.direct != nil
	}
	for i, p := range n.pops {
		if p.lin == nil || driven[i] || n.learns(p) || p.bias != nil {
			continue
		}
		k := epochWindows(p.lin, n.grid.Step, perSec[i]/float64(p.desc.N))
		p.epoch = event.Time(k) * n.grid.Step
		n.longest = max(n.longest, p.epoch)
		if k > 1 {
			p.lin.Extend(p.epoch)
		}
	}
	return nil
}

// leastPositive is the least delay of the synapses that have one; without any,
// event.MaxTime.
func (p *projection) leastPositive() event.Time {
	switch {
	case p.synapses == 0 || p.max == 0:
		return event.MaxTime
	case p.min > 0:
		return p.min
	}
	least := event.MaxTime
	for _, rows := range p.rows {
		for _, r := range rows {
			for i := range r.Len() {
				if d := r.DelayAt(i); d > 0 {
					least = min(least, d)
				}
			}
		}
	}
	return least // plastic synapses: all have a delay or none has
}

// leastDelay is the least delay that the description's distributions allow.
func (p *Projection) leastDelay() event.Time {
	if p.Rule == EdgeList {
		return 0 // the list decides
	}
	a, _ := p.Axonal.delayBounds()
	d, _ := p.Dendritic.delayBounds()
	return a + d
}

func (p *population) isDirect(n *Network) bool {
	for _, q := range n.projs {
		if q.src == p && q.direct != nil {
			return true
		}
	}
	return false
}

// start draws the start value of a state variable for neurons [lo, hi), or
// reports that the model gives none.
func (n *Network) start(p *population, key string, i int) (float64, bool, error) {
	return n.model.Start(p.index, key, i)
}

// Weights gives the present weights of a projection, in an order that belongs
// to the model: by block of targets, within it by source, delay and target.
// Static synapses of a block that share one weight give it once. The slice is
// reused.
func (n *Network) Weights(projection int) iter.Seq[[]float64] {
	q := n.projs[projection]
	if q.plastic != nil {
		return n.plasticWeights(q)
	}
	return func(yield func([]float64) bool) {
		buf := make([]float64, 0, 4096)
		for _, rows := range q.rows {
			for _, r := range rows {
				size := r.Len()
				if r.Weight == nil && r.Weight64 == nil {
					size = min(size, 1)
				}
				for k := 0; k < size; {
					for buf = buf[:0]; k < size && len(buf) < cap(buf); k++ {
						buf = append(buf, r.WeightAt(k))
					}
					if !yield(buf) {
						return
					}
				}
			}
		}
	}
}

// Close ends the network's workers.
func (n *Network) Close() { n.pool.Close() }

// Model is the description the network was built from.
func (n *Network) Model() *Model { return n.model }

// FirstID is the global id of a population's first neuron.
func (n *Network) FirstID(pop int) uint32 { return n.pops[pop].first }
