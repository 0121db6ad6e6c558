package network

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"hmn/event"
	"hmn/neuron"
	"hmn/synapse"
	"hmn/synapse/hmn"
)

// rateLearning is the plastic synapses between rate units onto the units of one
// block. A block passes a window in pieces that end where windows of the gate
// close: what is decided there acts on the units at once.
//
// A synapse sees a change of its input an axonal delay later, and acts on its
// target a dendritic delay after that; it sees its target's output a dendritic
// delay late. A weight that changes at a close c is the next picosecond's: it
// acts at c + 1 ps + dendritic delay.
type rateLearning struct {
	in     []*ratePlastic
	groups []*rateGroup
	// sets divide the inputs: those of one attention group, or a single one. Each
	// is taken as far as its own inputs are known.
	sets []*rateLearning
	upTo event.Time  // of a set: its synapses are taken up to here
	seen []rateEvent // scratch
}

// passAll takes all synapses as far as is known in a window that starts at start
// and whose units have passed to end.
func (g *rateLearning) passAll(start, end event.Time, net *neuron.RateNet) {
	for _, x := range g.sets {
		x.pass(x.known(start, end), net)
	}
}

// pass takes the synapses of a set up to before end, reading samples on the way.
func (g *rateLearning) pass(end event.Time, net *neuron.RateNet) {
	for {
		// The next sample.
		at := end - 1
		for _, pl := range g.in {
			for _, pr := range pl.probes {
				for _, t := range pr.sig.times {
					if t >= g.upTo {
						at = min(at, t)
						break
					}
				}
			}
		}
		if at < g.upTo {
			return
		}
		g.learn(at, net)
		g.upTo = at + 1
		for _, pl := range g.in {
			for _, pr := range pl.probes {
				for k, t := range pr.sig.times {
					if t == at {
						pr.sig.buf[k][pr.col] = pl.sampled(pr.sig, pr.i, t)
					}
				}
			}
		}
	}
}

// known is the time before which all inputs of a set are known in a window that
// starts at t and whose units have passed to end.
func (g *rateLearning) known(t, end event.Time) event.Time {
	for _, pl := range g.in {
		end = min(end, t+pl.ahead)
	}
	return end
}

// ratePlastic is one Wiring between rate units under its rule.
type ratePlastic struct {
	rule  *rule
	l     synapse.RateLearner
	hmn   *hmn.Rates // nil: another rule
	wir   *synapse.Wiring
	in    input
	part  int // of the rate block
	dend  event.Time
	most  event.Time // the greatest dendritic delay
	ahead event.Time // inputs before a window's start + ahead are known in it
	group *rateGroup
	fanIn []int // without attention: F_j by target
	// What waits, in order of time: changes of inputs as synapses see them, and
	// effects on targets.
	coming  []inputChange
	effects []effectOn
	outs    []outputChange
	// As the targets have it: weight and input of each synapse.
	applied, x []float64
	zero       []int32 // edge of the net for synapses without delay, else −1
	probes     []rateProbe
	hasZero    bool
	z0         []float64 // outputs of the sources before t = 0
}

// rateProbe is a sampled synapse.
type rateProbe struct {
	sig *signal
	col int
	i   uint32
}

type inputChange struct {
	at event.Time
	i  uint32
	x  float64
}

type effectOn struct {
	at     event.Time
	i      uint32
	x      float64 // new input, or
	w      float64 // new weight
	weight bool
}

type outputChange struct {
	at   event.Time // when the synapses see it
	j    int
	i    int // the synapse, −1: all of the target
	z, f float64
}

// rateEvent is what happens to synapses, in one order of time.
type rateEvent struct {
	at   event.Time
	kind event.Kind
	pl   *ratePlastic
	i    uint32 // synapse
	x    float64
	out  outputChange
}

// rateGroup is local attention among the inputs of a block.
type rateGroup struct {
	key     string
	members []*ratePlastic
	att     *hmn.RateAttention
	cycle   *hmn.Cycle
	hold    bool // α changes at cycle starts only
	ticks   bool
	next    int64
	renewed []event.Time // by target: 1 ps after α was taken anew
}

// learnRates makes the plastic synapses of block b of population p between rate
// units; nil when there are none. part numbers the block among those advanced
// together.
func (n *Network) learnRates(g *rateLearning, p *population, b, part int) (*rateLearning, error) {
	k := slices.Index(p.blocks, b)
	for _, q := range n.projs {
		if q.tgt != p || q.plastic == nil || !q.plastic.rates {
			continue
		}
		for _, w := range q.wiring[k] {
			if g == nil {
				g = &rateLearning{}
			}
			l, err := q.plastic.model.NewRates(q.desc.SynapseParams, w, q.plastic.drive)
			if err != nil {
				return nil, fmt.Errorf("projection %q: %w", q.desc.Name, err)
			}
			pl := &ratePlastic{rule: q.plastic, l: l, wir: w, part: part, dend: w.Dendritic, most: w.Dendritic}
			pl.hmn, _ = l.(*hmn.Rates)
			for _, d := range w.Dendritics {
				pl.most = max(pl.most, d)
			}
			pl.in = input{p: q, r: w.Rows}
			pl.ahead = w.Rows.MinDelay
			if q.src.model.Kind == neuron.LevelSource {
				pl.ahead = event.Second // levels are known long before
			}
			log := l.Log()
			log.Keep, log.All = q.keepUpdates, q.keepCandidates
			pl.applied, pl.x, pl.zero = make([]float64, w.Rows.Len()), make([]float64, w.Rows.Len()), make([]int32, w.Rows.Len())
			for i := range pl.zero {
				pl.zero[i] = -1
			}
			g.in = append(g.in, pl)
		}
	}
	return g, nil
}

// makeRateGroups joins the inputs into groups; see makeGroups.
func (n *Network) makeRateGroups(g *rateLearning) error {
	if g == nil {
		return nil
	}
	type of struct {
		key  string
		part int
	}
	var keys []of
	members := map[of][]*ratePlastic{}
	for _, pl := range g.in {
		if pl.hmn == nil {
			g.sets = append(g.sets, &rateLearning{in: []*ratePlastic{pl}})
			continue
		}
		k := of{"positive", pl.part}
		switch {
		case pl.hmn.P.Group != "":
			k.key = "group " + pl.hmn.P.Group
		case pl.in.r.Negative:
			k.key = "negative"
		}
		if _, ok := members[k]; !ok {
			keys = append(keys, k)
		}
		members[k] = append(members[k], pl)
	}
	for _, k := range keys {
		x := &rateGroup{key: k.key, members: members[k]}
		if !slices.ContainsFunc(x.members, func(pl *ratePlastic) bool { return pl.hmn.P.BetaA > 0 || pl.hmn.P.Relevance == "vector" }) {
			fanIn := make([]int, x.members[0].wir.Targets)
			for _, pl := range x.members {
				pl.wir.FanIn(fanIn)
			}
			for _, pl := range x.members {
				pl.fanIn = fanIn
				g.sets = append(g.sets, &rateLearning{in: []*ratePlastic{pl}})
			}
			continue
		}
		var rules []*hmn.Rates
		var embed []*hmn.Embedding
		for _, pl := range x.members {
			e, err := n.embedding(pl.rule)
			if err != nil {
				return err
			}
			rules, embed = append(rules, pl.hmn), append(embed, e)
			pl.group = x
			x.ticks = x.ticks || pl.hmn.P.Embedding == "oja" || pl.hmn.P.AlphaCycle
			x.hold = pl.hmn.P.AlphaCycle
		}
		var err error
		if x.att, err = hmn.NewRateAttention(rules, embed); err != nil {
			return fmt.Errorf("projection %q: %w", x.members[0].in.p.desc.Name, err)
		}
		x.cycle = &x.members[0].rule.hmn.cycle
		x.renewed = make([]event.Time, x.att.Targets())
		g.groups = append(g.groups, x)
		g.sets = append(g.sets, &rateLearning{in: x.members, groups: []*rateGroup{x}})
	}
	return nil
}

// ratePlastics are the wirings between rate units of all blocks.
func (n *Network) ratePlastics() iter.Seq2[int, *ratePlastic] {
	return func(yield func(int, *ratePlastic) bool) {
		for b, a := range n.blocks {
			g := rateLearningOf(a)
			if g == nil {
				continue
			}
			for _, pl := range g.in {
				if !yield(b, pl) {
					return
				}
			}
		}
	}
}

func rateLearningOf(a advancer) *rateLearning {
	switch x := a.(type) {
	case *rateBlock:
		return x.learn
	case *levelBlock:
		return x.learn
	}
	return nil
}

func (g *rateLearning) reset() {
	if g == nil {
		return
	}
	for _, pl := range g.in {
		pl.in.reset()
		pl.l.Reset()
		if pl.fanIn != nil {
			pl.hmn.SetAlpha(pl.fanIn)
		}
		pl.coming, pl.effects, pl.outs = pl.coming[:0], pl.effects[:0], pl.outs[:0]
		clear(pl.x)
		for i := range pl.applied {
			pl.applied[i] = pl.sign(pl.l.Weight(uint32(i), 0))
		}
	}
	for _, x := range g.sets {
		x.upTo = 0
	}
	for _, x := range g.groups {
		x.att.Reset()
		clear(x.renewed)
		x.next = x.cycle.NextStart(0)
	}
}

func (pl *ratePlastic) sign(w float64) float64 {
	if pl.in.r.Negative {
		return -w
	}
	return w
}

func (pl *ratePlastic) dendritic(i uint32) event.Time {
	if pl.wir.Dendritics != nil {
		return pl.wir.Dendritics[i]
	}
	return pl.dend
}

// collect takes up the input changes that synapses see before end.
func (pl *ratePlastic) collect(end event.Time) {
	in := &pl.in
	in.take(end)
	a, e := len(pl.coming), len(pl.effects)
	for q := range in.pending {
		pe := &in.pending[q]
		in.upTo(pe, end)
		for k := pe.prev; k < pe.cur; k++ {
			if pl.zero[k] >= 0 {
				continue // the net passes it on
			}
			t := pe.at + in.offset(k)
			pl.coming = append(pl.coming, inputChange{t, k, pe.to})
			pl.effects = append(pl.effects, effectOn{at: t + pl.dendritic(k), i: k, x: pe.to})
		}
	}
	if len(pl.coming) > a {
		slices.SortStableFunc(pl.coming, func(x, y inputChange) int { return cmp.Compare(x.at, y.at) })
	}
	if len(pl.effects) > e {
		pl.sortEffects()
	}
}

func (pl *ratePlastic) sortEffects() {
	slices.SortStableFunc(pl.effects, func(x, y effectOn) int { return cmp.Compare(x.at, y.at) })
}

// pieceEnd is where the piece that starts at from ends: nothing decided after
// from acts before it.
func (g *rateLearning) pieceEnd(w event.Window, from event.Time) event.Time {
	e := w.End
	for _, pl := range g.in {
		least := pl.dend
		for _, d := range pl.wir.Dendritics {
			least = min(least, d)
		}
		if c := pl.l.NextClose().At; c < event.MaxTime-event.Second {
			e = min(e, max(c+1+least, from+1))
		}
	}
	return e
}

// act gives the effects on units before end as their inputs.
func (pl *ratePlastic) act(dst []neuron.RateInput, end event.Time, lo int) []neuron.RateInput {
	k := 0
	for ; k < len(pl.effects) && pl.effects[k].at < end; k++ {
		e := &pl.effects[k]
		unit := uint32(lo) + uint32(pl.in.r.Target[e.i])
		if e.weight {
			if pl.x[e.i] != 0 {
				dst = append(dst, neuron.RateInput{At: e.at, Unit: unit, Weight: pl.x[e.i], Old: pl.applied[e.i], New: e.w})
			}
			pl.applied[e.i] = e.w
			continue
		}
		dst = append(dst, neuron.RateInput{At: e.at, Unit: unit, Weight: pl.applied[e.i], Old: pl.x[e.i], New: e.x})
		pl.x[e.i] = e.x
	}
	pl.effects = pl.effects[:copy(pl.effects, pl.effects[k:])]
	return dst
}

// output tells the synapses of target j (block-local) of its output from t on.
func (pl *ratePlastic) output(j int, t event.Time, z float64) {
	f := pl.l.Centre(j, t, z)
	if pl.wir.Dendritics == nil {
		pl.outs = append(pl.outs, outputChange{t + pl.dend, j, -1, z, f})
		return
	}
	for _, i := range pl.l.Column(j) {
		pl.outs = append(pl.outs, outputChange{t + pl.wir.Dendritics[i], j, int(i), z, f})
	}
}

// learn takes the synapses through everything up to and at t: the units have
// passed it, and all changes of inputs up to there are known.
func (g *rateLearning) learn(t event.Time, net *neuron.RateNet) {
	for {
		// The next close bounds what can be taken in one go.
		end := t
		for _, pl := range g.in {
			end = min(end, pl.l.NextClose().At)
		}
		for _, x := range g.groups {
			if x.ticks {
				end = min(end, x.cycle.Start(x.next))
			}
		}
		if g.take(end) && g.closesBefore(end) {
			continue // a synapse came to life whose window closes earlier
		}
		for _, x := range g.groups {
			if x.ticks && x.cycle.Start(x.next) == end {
				for j := range x.att.Targets() {
					x.att.Before(j, end)
					x.att.After(j, end)
				}
				x.next++
			}
		}
		g.close(end, net)
		if end == t {
			return
		}
	}
}

// close closes windows up to and at t and sends on the weights that changed.
func (g *rateLearning) close(t event.Time, net *neuron.RateNet) {
	for _, pl := range g.in {
		n := len(pl.effects)
		for _, c := range pl.l.Close(t) {
			w := pl.sign(c.W)
			if e := pl.zero[c.Synapse]; e >= 0 {
				net.Reweigh(int(e), c.Close.At+1, w)
				continue
			}
			pl.effects = append(pl.effects, effectOn{at: c.Close.At + 1 + pl.dendritic(c.Synapse), i: c.Synapse, w: w, weight: true})
		}
		if len(pl.effects) > n {
			pl.sortEffects()
		}
	}
}

// take applies changes of inputs and outputs up to and at t in order of time, at
// one time inputs first. It stops early, and says so, after an instant at which
// a synapse came to life whose window closes before t.
func (g *rateLearning) take(t event.Time) bool {
	g.seen = g.seen[:0]
	for _, pl := range g.in {
		for _, c := range pl.coming {
			if c.at > t {
				break
			}
			g.seen = append(g.seen, rateEvent{at: c.at, kind: event.KindArrival, pl: pl, i: c.i, x: c.x})
		}
		for _, o := range pl.outs {
			if o.at <= t {
				g.seen = append(g.seen, rateEvent{at: o.at, kind: event.KindSpike, pl: pl, out: o})
			}
		}
	}
	slices.SortStableFunc(g.seen, func(a, b rateEvent) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.kind, b.kind)) })
	last, early := t, false
	for k := 0; k < len(g.seen); {
		at := g.seen[k].at
		z := k
		for z < len(g.seen) && g.seen[z].at == at {
			z++
		}
		g.instant(at, g.seen[k:z])
		k = z
		if at < t && g.closesBefore(t) {
			last, early = at, true
			break
		}
	}
	for _, pl := range g.in {
		k := 0
		for k < len(pl.coming) && pl.coming[k].at <= last {
			k++
		}
		pl.coming = pl.coming[:copy(pl.coming, pl.coming[k:])]
		pl.outs = slices.DeleteFunc(pl.outs, func(o outputChange) bool { return o.at <= last })
	}
	return early
}

// closesBefore says whether a window closes before t.
func (g *rateLearning) closesBefore(t event.Time) bool {
	for _, pl := range g.in {
		if pl.l.NextClose().At < t {
			return true
		}
	}
	return false
}

// instant applies all that synapses see at one instant.
func (g *rateLearning) instant(at event.Time, seen []rateEvent) {
	for _, e := range seen {
		if e.pl.group != nil {
			e.pl.group.att.Before(e.target(), at)
		}
	}
	for _, e := range seen {
		switch {
		case e.kind == event.KindArrival:
			e.pl.l.Input(e.i, at, e.x)
		case e.out.i >= 0:
			e.pl.l.OutputAt(uint32(e.out.i), at, e.out.f)
		default:
			e.pl.l.Output(e.out.j, at, e.out.z, e.out.f)
		}
	}
	for _, e := range seen {
		if x := e.pl.group; x != nil && !x.hold && x.renewed[e.target()] != at+1 {
			x.renewed[e.target()] = at + 1
			x.att.After(e.target(), at)
		}
	}
}

// target is the target that an event concerns, block-local.
func (e *rateEvent) target() int {
	if e.kind == event.KindArrival {
		return int(e.pl.in.r.Target[e.i])
	}
	return e.out.j
}

func (pl *ratePlastic) context(t event.Time, sum []float64) {
	if pl.group != nil {
		pl.group.att.Context(t, sum)
	}
}

// sampled is a signal of synapse i at t.
func (pl *ratePlastic) sampled(s *signal, i uint32, t event.Time) float64 {
	switch s.desc.What {
	case RecordWeight:
		return pl.sign(pl.l.Weight(i, t))
	case RecordGate:
		return pl.hmn.Gate(i, t)
	case RecordAlpha:
		return pl.hmn.Alpha(i)
	}
	p := &pl.hmn.P
	f, sl := pl.hmn.Traces(i, t)
	switch s.desc.What {
	case RecordEligibilityFast:
		return f
	case RecordEligibilitySlow:
		return sl
	}
	return float64(p.AFast*f) + float64(p.ASlow*sl)
}

// levelBlock is a range of a population of level sources whose plastic inputs
// learn from its levels; nothing acts on it.
type levelBlock struct {
	pop   *population
	lo, n int
	learn *rateLearning
	next  int // in the population's history
}

func (b *levelBlock) advance(_ *Network, _ *scratch, w event.Window) error {
	g := b.learn
	h := &b.pop.hist
	for ; b.next < h.end() && h.at[b.next-h.base] < w.End; b.next++ {
		k := b.next - h.base
		j := int(h.id[k]) - b.lo
		if j < 0 || j >= b.n {
			continue
		}
		for _, pl := range g.in {
			pl.output(j, h.at[k], h.to[k])
		}
	}
	for _, pl := range g.in {
		pl.l.Begin(w.Start)
		pl.collect(w.End)
		pl.effects = pl.effects[:0]
	}
	g.passAll(w.Start, w.End, nil)
	for _, pl := range g.in {
		pl.effects = pl.effects[:0]
	}
	return nil
}

func (b *levelBlock) reset(*Network) error {
	b.next = 0
	b.learn.reset()
	return nil
}

// rateSets are the sets of plastic inputs of all blocks, each with the units that
// its weights act on without delay, or nil.
func (n *Network) rateSets() iter.Seq2[*rateLearning, *neuron.RateNet] {
	return func(yield func(*rateLearning, *neuron.RateNet) bool) {
		for _, a := range n.blocks {
			g := rateLearningOf(a)
			if g == nil {
				continue
			}
			var net *neuron.RateNet
			if b, ok := a.(*rateBlock); ok {
				net = b.net
			}
			for _, x := range g.sets {
				if !yield(x, net) {
					return
				}
			}
		}
	}
}

// closeRates closes the windows up to t where the windows passed end there:
// what changes at t itself adds nothing to them.
func (n *Network) closeRates(t event.Time) {
	for x, net := range n.rateSets() {
		if x.upTo <= t {
			x.close(t, net)
		}
	}
}

// finishRates takes synapses between rate units up to the end of the window, when
// all inputs are known.
func (n *Network) finishRates(w event.Window) {
	for x, net := range n.rateSets() {
		if x.upTo >= w.End {
			continue
		}
		for _, pl := range x.in {
			pl.collect(w.End)
		}
		x.pass(w.End, net)
	}
}

// startOutputs tells the synapses of inputs and outputs as they are before t = 0.
func (pl *ratePlastic) startOutputs(u *neuron.RateUnits) {
	for s, z := range pl.z0 {
		if z == 0 {
			continue
		}
		for i := pl.in.r.Ptr[s]; i < pl.in.r.Ptr[s+1]; i++ {
			pl.x[i] = z
			pl.l.Input(i, 0, z)
		}
	}
	lo := u.First()
	for j := range pl.wir.Targets {
		if z := u.Output(lo + j); z != 0 {
			pl.l.Output(j, 0, z, pl.l.Centre(j, 0, z))
		}
	}
}
