package network

import (
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/random"
	"hmn/neuron"
	"hmn/synapse"
)

// An Edge may leave its numbers to the projection: a Weight that is NaN is
// drawn from Projection.Weight, and an Axonal or Dendritic part that is
// FromProjection from Projection.Axonal or Projection.Dendritic. Columns there
// have one number per edge.
const FromProjection event.Time = math.MinInt64

// maxBands bounds the row tables of one projection in one block. One band holds
// delays of 4.29 ms.
const maxBands = 4096

// connect builds the synapses of projection p of m onto the neurons [lo, hi) of
// its target population, at most 65 536.
//
// Which synapses there are, their weights and their delays are functions of the
// seed, the projection's name and description, and the sizes of its two
// populations only: neither the block partition nor any other projection shows.
// Weight and delay are keyed by the synapse's identity (projection name, source,
// target, multapse number).
//
// Every Rows has synapses, one port, one sign and one band of delays, counted
// from the projection's least possible delay; they come in the order of bands,
// in each the positive weights first. Without a receptor, weights ≥ 0 go to the
// target model's first port and weights < 0 to its last. Rate units have one
// input whatever the sign: all their synapses of a band stand in one Rows with
// Negative = false, sign of the weights regardless. Drawn weights are rounded to
// float32.
//
// It is safe for concurrent use. Blocks of one projection share the preparation
// when they share a connector.
func connect(m *Model, p int, lo, hi int) ([]*synapse.Rows, error) {
	c, err := newConnector(m, p)
	if err != nil {
		return nil, err
	}
	return c.rows(lo, hi)
}

// connector is what all blocks of one projection share. It is not changed after
// newConnector.
type connector struct {
	p          *Projection
	index      int
	seed, name uint64
	key        random.Key // of the rule
	source     *Population
	target     *Population
	sources    int
	targets    int
	noSelf     bool // source and target are one population and autapses are excluded
	bySource   bool // the rule is generated source by source; otherwise target by target
	multi      bool // the rule can connect a pair more than once
	keepNumber bool // multapse numbers are kept: the run draws for each synapse

	oneSign   bool  // the target is a rate unit: rows are not split by sign
	zeroDelay bool  // a total delay of 0 is allowed
	port      uint8 // for weights ≥ 0
	portNeg   uint8 // for weights < 0

	weight, axonal, dendritic drawn
	base                      event.Time // no synapse of the projection has a shorter delay
	// oneClass: all synapses have one sign and band, known beforehand. mainClass:
	// nearly all have, so that they are counted as one class and the others are
	// set aside while filling. negative and band are that class.
	oneClass, mainClass bool
	negative            bool
	band                int

	// Edge lists: the edges' indices sorted by target, in order of appearance;
	// those of target t are order[start[t]:start[t+1]].
	order []uint32
	start []uint32

	learning *synapse.Learning // nil: static synapses
	rates    bool              // what learns lies between rate units or sources of levels
	signed   bool              // what learns may have weights of either sign
	phases   *phases           // of synapses of model hmn
}

// drawn is a weight or one part of the delays of a projection.
type drawn struct {
	v      *Value
	what   string
	stream random.Stream
	fixed  bool
	x      float64    // if fixed
	t      event.Time // if fixed and a delay
}

// newConnector checks projection p of m and prepares to build it.
func newConnector(m *Model, p int) (*connector, error) {
	if err := m.checkProjection(p); err != nil {
		return nil, err
	}
	pr := &m.Projections[p]
	si, ti := m.findPopulation(pr.Source), m.findPopulation(pr.Target)
	nm, _ := neuron.Lookup(m.Populations[ti].Model)
	c := &connector{
		p: pr, index: p,
		seed: m.Simulation.Seed, name: random.Name(pr.Name),
		source: &m.Populations[si], target: &m.Populations[ti],
		sources: m.Populations[si].N, targets: m.Populations[ti].N,
		noSelf:    si == ti && !pr.Autapses,
		oneSign:   nm.Kind == neuron.Rate,
		zeroDelay: sendsLevels(nm.Kind) && sendsLevels(m.kind(si)) || pr.electrical(),
		weight:    drawn{v: &pr.Weight, what: "weight", stream: random.StreamWeight},
		axonal:    drawn{v: &pr.Axonal, what: "axonal delay", stream: random.StreamDelay},
		dendritic: drawn{v: &pr.Dendritic, what: "dendritic delay", stream: random.StreamDendritic},
	}
	c.key = random.NewKey(c.seed, random.StreamConnect, c.name)
	switch {
	case pr.Receptor != "":
		for i, name := range nm.Ports {
			if name == pr.Receptor {
				c.port, c.portNeg = uint8(i), uint8(i)
			}
		}
	case !c.oneSign:
		c.portNeg = uint8(len(nm.Ports) - 1)
	}
	switch pr.Rule {
	case OneToOne, AllToAll:
		c.bySource = true
	case FixedOutDegree:
		c.bySource, c.multi = true, pr.Multapses
	case FixedInDegree, FixedTotalNumber:
		c.multi = pr.Multapses
	case EdgeList:
		c.multi = true
	}
	c.keepNumber = c.multi && pr.Release.Sites > 0
	if pr.Rule == EdgeList {
		c.sortEdges()
	}
	if sm, ok := synapse.Lookup(pr.Synapse); ok && sm.Learning != nil {
		c.learning, c.rates = sm.Learning, sendsLevels(nm.Kind)
		least, _ := sm.Learning.Bounds(pr.SynapseParams, c.rates)
		c.signed = least < 0
	}
	if err := c.makePhases(); err != nil {
		return nil, fmt.Errorf("network: projection %q: %w", pr.Name, err)
	}

	c.weight.x, c.weight.fixed = pr.Weight.fixed()
	var longest event.Time
	for _, d := range []*drawn{&c.axonal, &c.dendritic} {
		if d.x, d.fixed = d.v.fixed(); d.fixed {
			d.t, _, _ = event.FromMS(d.x)
		}
		lo, hi := d.v.delayBounds()
		c.base += lo
		longest = addCapped(longest, hi)
	}
	if pr.Rule == EdgeList {
		c.base, _ = c.leastEdgeDelays()
		return c, nil // its classes are counted
	}
	wlo, whi := pr.Weight.bounds()
	if c.oneSign || wlo >= 0 || whi < 0 {
		c.negative = !c.oneSign && whi < 0
		c.oneClass = longest-c.base <= math.MaxUint32
	}
	if !c.oneClass {
		wlo, whi = pr.Weight.typical(3)
		alo, ahi := pr.Axonal.typical(3)
		dlo, dhi := pr.Dendritic.typical(3)
		lo, hi := float64((alo+dlo)*1e9)-float64(c.base), float64((ahi+dhi)*1e9)-float64(c.base)
		first, last := math.Floor(max(0, lo)/(1<<32)), math.Floor(hi/(1<<32))
		c.negative = !c.oneSign && whi < 0
		c.mainClass = (c.oneSign || wlo >= 0 || whi < 0) && first == last && last < maxBands
		if c.mainClass {
			c.band = int(first)
		}
	}
	return c, nil
}

// delayBounds are limits of a delay part that no allowed draw passes. Negative
// draws are refused when they occur, so the lower limit is at least 0.
func (v *Value) delayBounds() (lo, hi event.Time) {
	l, h := v.bounds()
	bound := func(ms float64) event.Time {
		if !(ms > 0) {
			return 0
		}
		t, _, err := event.FromMS(ms)
		if err != nil {
			return event.MaxTime
		}
		return t
	}
	return bound(l), bound(h)
}

// addCapped adds durations ≥ 0.
func addCapped(a, b event.Time) event.Time {
	if a > event.MaxTime-b {
		return event.MaxTime
	}
	return a + b
}

// sortEdges fills order and start by counting.
func (c *connector) sortEdges() {
	c.start = make([]uint32, c.targets+1)
	c.order = make([]uint32, len(c.p.Edges))
	for i := range c.p.Edges {
		c.start[c.p.Edges[i].Target]++
	}
	sum := uint32(0)
	for t, n := range c.start {
		c.start[t] = sum
		sum += n
	}
	for i := range c.p.Edges {
		t := c.p.Edges[i].Target
		c.order[c.start[t]] = uint32(i)
		c.start[t]++
	}
	copy(c.start[1:], c.start[:c.targets])
	c.start[0] = 0
}

// leastEdgeDelays are a delay that no edge undercuts and one that no edge with a
// delay undercuts; 0: there is no such edge.
func (c *connector) leastEdgeDelays() (least, positive event.Time) {
	if len(c.p.Edges) == 0 {
		return 0, 0
	}
	alo, _ := c.p.Axonal.delayBounds()
	dlo, _ := c.p.Dendritic.delayBounds()
	least = event.MaxTime
	for i := range c.p.Edges {
		a, d := c.p.Edges[i].Axonal, c.p.Edges[i].Dendritic
		if a == FromProjection {
			a = alo
		}
		if d == FromProjection {
			d = dlo
		}
		sum := addCapped(a, d)
		least = min(least, sum)
		if sum > 0 && (positive == 0 || sum < positive) {
			positive = sum
		}
	}
	return least, positive
}

// class is the synapses of one sign and band in one block, while they are built.
type class struct {
	negative bool
	first    event.Time // delays are counted from here; also the band's lower limit
	total    uint64
	ptr      []uint32 // while counting: ptr[s+1] synapses of source s; while filling: the next place of s
	target   []uint16
	w32      []float32
	w64      []float64
	delay    []uint32
	number   []uint32 // of multapses; nil where not kept
	// Seen while counting edges, or at the first synapse filled in.
	seen     bool
	weight   float64
	at       event.Time
	unequalW bool
	unequalD bool
	wide     bool // a weight that float32 cannot hold
}

// block builds one block.
type block struct {
	*connector
	lo, hi  int
	classes []*class // by 2·band + (1 if negative); nil where there is none
	fill    bool     // second pass
	number  bool     // multapse numbers are needed

	weightKeys, axonalKeys, dendriticKeys []random.Key // by multapse number

	seen   []multapse // by source
	list   []uint32   // one target's sources or one source's targets
	bits   []uint64   // for drawing without replacement, all zero between uses
	counts []uint64   // synapses of each target, where the rule draws them first

	aside []setAside

	collect func(Synapse) // set by connector.list: takes every synapse instead of storing it
}

// setAside is a synapse outside the main class.
type setAside struct {
	s, t uint32
	nth  uint32
	w    float64
	d    event.Time
}

// multapse counts how often a source was met at one target.
type multapse struct{ target, n uint32 }

// rows builds the block [lo, hi): it generates the connections twice, first to
// count them per source and class, then to put each in its place.
func (c *connector) rows(lo, hi int) ([]*synapse.Rows, error) {
	if lo < 0 || hi > c.targets || lo > hi || hi-lo > 1<<16 {
		panic(fmt.Sprintf("network: connect: block [%d, %d) of %d targets", lo, hi, c.targets))
	}
	b := &block{connector: c, lo: lo, hi: hi}
	if c.p.Rule != EdgeList && c.p.Rule != Distance { // refuse before hours are spent
		if n := c.expected() / float64(max(c.targets, 1)) * float64(hi-lo); n > 1.001*math.MaxUint32 {
			return nil, b.tooMany(n)
		}
	}
	b.number = c.multi && c.drawsAny() || c.keepNumber
	if b.number && !c.bySource {
		b.seen = make([]multapse, c.sources)
	}
	if !b.drawsInCount() {
		k := b.newClass(c.band, c.negative)
		if !c.weight.fixed {
			k.unequalW = true
		}
		if !c.axonal.fixed || !c.dendritic.fixed {
			k.unequalD = true
		}
	}
	if err := b.generate(); err != nil {
		return nil, err
	}
	total := uint64(0)
	for _, k := range b.classes {
		if k != nil {
			total += k.total
		}
	}
	if total > math.MaxUint32 {
		return nil, b.tooMany(float64(total))
	}
	for _, k := range b.classes {
		if k != nil {
			k.allocate(c.keepNumber)
		}
	}
	clear(b.seen)
	b.fill = true
	if err := b.generate(); err != nil {
		return nil, err
	}
	if err := b.sortAside(); err != nil {
		return nil, err
	}
	var rows []*synapse.Rows
	for _, k := range b.classes {
		if k == nil || k.total == 0 {
			continue
		}
		r := k.finish()
		r.Projection = c.index
		r.Port = c.port
		if k.negative {
			r.Port = c.portNeg
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (b *block) tooMany(n float64) error {
	return fmt.Errorf("network: projection %q: %.4g synapses onto neurons [%d, %d) of %q, a block holds at most %d",
		b.p.Name, n, b.lo, b.hi, b.target.Name, uint32(math.MaxUint32))
}

// newClass adds a class at its place.
func (b *block) newClass(band int, negative bool) *class {
	i := classIndex(band, negative)
	for len(b.classes) <= i {
		b.classes = append(b.classes, nil)
	}
	k := &class{
		negative: negative,
		first:    b.base + event.Time(band)<<32,
		ptr:      make([]uint32, b.sources+1),
	}
	b.classes[i] = k
	return k
}

// allocate turns the counts into places.
func (k *class) allocate(number bool) {
	sum := uint32(0)
	for s, n := range k.ptr {
		sum += n
		k.ptr[s] = sum
	}
	k.target = make([]uint16, k.total)
	switch {
	case !k.unequalW:
	case k.wide:
		k.w64 = make([]float64, k.total)
	default:
		k.w32 = make([]float32, k.total)
	}
	if k.unequalD {
		k.delay = make([]uint32, k.total)
	}
	if number {
		k.number = make([]uint32, k.total)
	}
	k.seen = false
}

// note takes down what decides how the class is stored.
func (k *class) note(w float64, d event.Time) {
	if !k.seen {
		k.seen, k.weight, k.at = true, w, d
	}
	k.unequalW = k.unequalW || w != k.weight
	k.unequalD = k.unequalD || d != k.at
	k.wide = k.wide || float64(float32(w)) != w
}

// targetRow takes the sources of target t, in the order of their multapse
// numbers; for edge lists, the indices of its edges.
func (b *block) targetRow(t int, list []uint32) error {
	local := uint16(t - b.lo)
	switch {
	case b.collect != nil:
		for _, s := range list {
			e := -1
			if b.p.Rule == EdgeList {
				e, s = int(s), b.p.Edges[s].Source
			}
			if err := b.take(s, uint32(t), b.nth(s, t), e); err != nil {
				return err
			}
		}
		return nil
	case b.p.Rule == EdgeList:
		for _, e := range list {
			s := b.p.Edges[e].Source
			if err := b.synapse(s, uint32(t), b.nth(s, t), int(e)); err != nil {
				return err
			}
		}
		return nil
	case !b.fill && !b.drawsInCount():
		k := b.only()
		k.total += uint64(len(list))
		ptr := k.ptr[1:]
		for _, s := range list {
			ptr[s]++
		}
		return nil
	case b.oneClass && !b.drawsAny() && !b.keepNumber:
		k := b.only()
		if len(list) > 0 {
			k.note(b.weight.x, b.axonal.t+b.dendritic.t)
		}
		ptr, target := k.ptr, k.target
		for _, s := range list {
			at := ptr[s]
			ptr[s] = at + 1
			target[at] = local
		}
		return nil
	}
	for _, s := range list {
		if err := b.synapse(s, uint32(t), b.nth(s, t), -1); err != nil {
			return err
		}
	}
	return nil
}

// sourceRow takes the targets of source s, ascending.
func (b *block) sourceRow(s int, list []uint32) error {
	if len(list) == 0 {
		return nil
	}
	switch {
	case b.collect != nil:
	case !b.fill && !b.drawsInCount():
		k := b.only()
		k.total += uint64(len(list))
		k.ptr[s+1] += uint32(len(list))
		return nil
	case b.oneClass && !b.drawsAny() && !b.keepNumber:
		k := b.only()
		k.note(b.weight.x, b.axonal.t+b.dendritic.t)
		target := k.target[k.ptr[s]:]
		for i, t := range list {
			target[i] = uint16(t - uint32(b.lo))
		}
		k.ptr[s] += uint32(len(list))
		return nil
	}
	n := uint32(0)
	for i, t := range list {
		if i > 0 && t == list[i-1] {
			n++
		} else {
			n = 0
		}
		if b.collect != nil {
			if err := b.take(uint32(s), t, n, -1); err != nil {
				return err
			}
			continue
		}
		if err := b.synapse(uint32(s), t, n, -1); err != nil {
			return err
		}
	}
	return nil
}

// only is the class of a block that has one.
func (b *block) only() *class {
	return b.classes[classIndex(b.band, b.negative)]
}

func classIndex(band int, negative bool) int {
	if negative {
		return 2*band + 1
	}
	return 2 * band
}

// drawsInCount tells whether the first pass has to draw weights and delays, to
// tell classes apart.
func (c *connector) drawsInCount() bool { return !c.oneClass && !c.mainClass }

func (c *connector) drawsAny() bool {
	return !c.weight.fixed || !c.axonal.fixed || !c.dendritic.fixed
}

// nth is the multapse number of the next synapse from s to t, where needed.
func (b *block) nth(s uint32, t int) uint32 {
	if !b.number {
		return 0
	}
	k := &b.seen[s]
	if k.target != uint32(t)+1 {
		*k = multapse{target: uint32(t) + 1}
		return 0
	}
	k.n++
	return k.n
}

// synapse counts or stores one synapse with its weight and delay. e is the
// index of its edge, or −1.
func (b *block) synapse(s, t, nth uint32, e int) error {
	w, d := b.weight.x, b.axonal.t+b.dendritic.t
	var err error
	if b.drawsAny() || e >= 0 {
		if w, d, err = b.values(s, t, nth, e); err != nil {
			return err
		}
	}
	if b.oneClass {
		b.store(b.only(), s, t, nth, w, d)
		return nil
	}
	band := int((d - b.base) >> 32)
	negative := w < 0 && !b.oneSign
	if b.mainClass {
		if band == b.band && negative == b.negative {
			b.store(b.only(), s, t, nth, w, d)
		} else {
			b.aside = append(b.aside, setAside{s, t, nth, w, d})
		}
		return nil
	}
	k, err := b.class(band, negative, s, t, d)
	if err != nil {
		return err
	}
	if b.fill {
		b.store(k, s, t, nth, w, d)
	} else {
		b.count(k, s, w, d, e >= 0)
	}
	return nil
}

// class is the class of a synapse, a new one if need be.
func (b *block) class(band int, negative bool, s, t uint32, d event.Time) (*class, error) {
	if i := classIndex(band, negative); i < len(b.classes) && b.classes[i] != nil {
		return b.classes[i], nil
	}
	if band >= maxBands {
		return nil, b.refuse("delay", s, t, fmt.Sprintf("%v ms, with delays from %v ms on in the projection: want them to span at most %v ms", d, b.base, event.Time(maxBands)<<32))
	}
	return b.newClass(band, negative), nil
}

// count takes one synapse of source s into account. Weights that are not from
// an edge list are rounded to float32 already, unless they are all one.
func (b *block) count(k *class, s uint32, w float64, d event.Time, edge bool) {
	k.total++
	k.ptr[s+1]++
	k.note(w, d)
	k.wide = k.wide && edge
}

// store puts one synapse into its place.
func (b *block) store(k *class, s, t, nth uint32, w float64, d event.Time) {
	at := k.ptr[s]
	k.ptr[s] = at + 1
	k.target[at] = uint16(t - uint32(b.lo))
	if !k.seen {
		k.seen, k.weight, k.at = true, w, d
	}
	switch {
	case k.w32 != nil:
		k.w32[at] = float32(w)
	case k.w64 != nil:
		k.w64[at] = w
	}
	if k.delay != nil {
		k.delay[at] = uint32(d - k.first)
	}
	if k.number != nil {
		k.number[at] = nth
	}
}

// sortAside closes the gaps that the synapses set aside left in the main class
// and gives them classes of their own. They stand in the order of targets.
func (b *block) sortAside() error {
	if len(b.aside) == 0 {
		return nil
	}
	missing := make([]uint32, b.sources)
	for _, x := range b.aside {
		missing[x.s]++
	}
	k := b.only()
	to, from := uint32(0), uint32(0)
	for s, gap := range missing {
		end := k.ptr[s]
		copy(k.target[to:], k.target[from:end])
		if k.w32 != nil {
			copy(k.w32[to:], k.w32[from:end])
		}
		if k.delay != nil {
			copy(k.delay[to:], k.delay[from:end])
		}
		if k.number != nil {
			copy(k.number[to:], k.number[from:end])
		}
		to += end - from
		k.ptr[s] = to
		from = end + gap
	}
	k.total = uint64(to)
	k.target = k.target[:to]
	if k.w32 != nil {
		k.w32 = k.w32[:to]
	}
	if k.delay != nil {
		k.delay = k.delay[:to]
	}
	if k.number != nil {
		k.number = k.number[:to]
	}
	for _, x := range b.aside {
		c, err := b.class(int((x.d-b.base)>>32), x.w < 0 && !b.oneSign, x.s, x.t, x.d)
		if err != nil {
			return err
		}
		b.count(c, x.s, x.w, x.d, false)
	}
	for _, c := range b.classes {
		if c != nil && c != k {
			c.allocate(b.keepNumber)
		}
	}
	for _, x := range b.aside {
		c, _ := b.class(int((x.d-b.base)>>32), x.w < 0 && !b.oneSign, x.s, x.t, x.d)
		b.store(c, x.s, x.t, x.nth, x.w, x.d)
	}
	b.aside = nil
	return nil
}

// values are the weight and the total delay of one synapse.
func (b *block) values(s, t, nth uint32, e int) (w float64, d event.Time, err error) {
	w, a, g, err := b.parts(s, t, nth, e)
	return w, a + g, err
}

// parts are the weight, the axonal and the dendritic delay of one synapse.
func (b *block) parts(s, t, nth uint32, e int) (w float64, a, g event.Time, err error) {
	entity := synapseEntity(s, t)
	if e >= 0 {
		w = b.p.Edges[e].Weight
	} else {
		w = b.weight.x
	}
	if e < 0 && !b.weight.fixed || w != w {
		if w, err = b.drawValue(&b.weight, &b.weightKeys, entity, nth, e); err != nil {
			return 0, 0, 0, b.refuse("weight", s, t, err.Error())
		}
		if !b.weight.fixed && b.weight.v.Form != Column {
			r := float64(float32(w))
			if math.IsInf(r, 0) || math.IsNaN(r) {
				return 0, 0, 0, b.refuse("weight", s, t, fmt.Sprintf("%g, want one that float32 holds", w))
			}
			w = r
		}
	}
	a, err = b.delayPart(&b.axonal, &b.axonalKeys, s, t, nth, e)
	if err != nil {
		return 0, 0, 0, err
	}
	g, err = b.delayPart(&b.dendritic, &b.dendriticKeys, s, t, nth, e)
	if err != nil {
		return 0, 0, 0, err
	}
	if a > event.MaxTime-g {
		return 0, 0, 0, b.refuse("delay", s, t, event.ErrRange.Error())
	}
	if a+g == 0 && !b.zeroDelay {
		return 0, 0, 0, b.refuse("delay", s, t, "0 ms, want a positive one")
	}
	return w, a, g, nil
}

// delayPart is the axonal or the dendritic delay of one synapse, rounded once.
func (b *block) delayPart(q *drawn, keys *[]random.Key, s, t, nth uint32, e int) (event.Time, error) {
	if e >= 0 {
		x := b.p.Edges[e].Axonal
		if q == &b.dendritic {
			x = b.p.Edges[e].Dendritic
		}
		if x != FromProjection {
			return x, nil // checked before
		}
	}
	if q.fixed {
		return q.t, nil
	}
	x, err := b.drawValue(q, keys, synapseEntity(s, t), nth, e)
	if err != nil {
		return 0, b.refuse(q.what, s, t, err.Error())
	}
	d, _, err := event.FromMS(x)
	if err != nil {
		return 0, b.refuse(q.what, s, t, err.Error())
	}
	if d < 0 {
		return 0, b.refuse(q.what, s, t, fmt.Sprintf("%g ms, want one that is not negative", x))
	}
	return d, nil
}

// drawValue draws for one synapse: keyed by (target, source), with a key of its
// own for each multapse number. A column belongs to the edges.
func (b *block) drawValue(q *drawn, keys *[]random.Key, entity uint64, nth uint32, e int) (float64, error) {
	if q.fixed {
		return q.x, nil
	}
	if q.v.Form == Column {
		return q.v.sample(0, uint64(e))
	}
	for len(*keys) <= int(nth) {
		// The odd multiplier keeps the owners of one projection distinct.
		*keys = append(*keys, random.NewKey(b.seed, q.stream, synapseOwner(b.name, uint32(len(*keys)))))
	}
	return q.v.sample((*keys)[nth], entity)
}

// refuse names the synapse at fault.
func (b *block) refuse(what string, s, t uint32, why string) error {
	return fmt.Errorf("network: projection %q: %s of the synapse from %s %d to %s %d: %s",
		b.p.Name, what, b.source.Name, s, b.target.Name, t, why)
}

// finish sorts the rows by delay and drops what is equal for all.
func (k *class) finish() *synapse.Rows {
	n := len(k.ptr) - 1
	copy(k.ptr[1:], k.ptr[:n])
	k.ptr[0] = 0
	r := &synapse.Rows{
		Negative: k.negative,
		Ptr:      k.ptr,
		Target:   k.target,
		Multapse: k.number,
		Const:    k.weight,
		MinDelay: k.at,
		MaxDelay: k.at,
	}
	if k.w64 != nil {
		r.Weight64 = k.w64
	} else if k.w32 != nil && !allEqual(k.w32) {
		r.Weight = k.w32
	}
	if r.Weight != nil || r.Weight64 != nil {
		r.Const = 0
	}
	if k.delay != nil {
		lo, hi := k.delay[0], k.delay[0]
		for _, d := range k.delay {
			lo, hi = min(lo, d), max(hi, d)
		}
		r.MinDelay, r.MaxDelay = k.first+event.Time(lo), k.first+event.Time(hi)
		if lo != hi {
			for i := range k.delay {
				k.delay[i] -= lo
			}
			r.Delay = k.delay
			sortRows(r)
		}
	}
	return r
}

func allEqual(w []float32) bool {
	for _, x := range w {
		if x != w[0] {
			return false
		}
	}
	return true
}
