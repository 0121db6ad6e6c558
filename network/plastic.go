package network

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"hmn/event"
	"hmn/event/random"
	"hmn/neuron"
	"hmn/synapse"
	_ "hmn/synapse/flow" // these enter their rules into the table of synapse models
	"hmn/synapse/hmn"
	_ "hmn/synapse/stdp"
)

// rule is what all blocks of one plastic projection share.
type rule struct {
	proj  *projection
	model *synapse.Learning
	rates bool                     // between rate units or sources of levels
	pass  func(k int64) event.Time // when the k-th settle pass is due
	drive *synapse.Drive           // nil: modulators do not matter
	hmn   *hybrid                  // nil: another model
}

// hybrid is what the model hmn needs besides.
type hybrid struct {
	par   hmn.Params
	cycle hmn.Cycle
	gate  *gating
	embed *hmn.Embedding // local attention
}

// newRule makes the rule of a projection whose model learns.
func (c *connector) newRule(p *projection) *rule {
	r := &rule{proj: p, model: c.learning, rates: c.rates, pass: c.learning.Settle(p.desc.SynapseParams)}
	if c.phases != nil {
		r.hmn = &hybrid{par: *c.phases.p, cycle: hmn.NewCycle(c.phases.p)}
	}
	return r
}

// bytes is the state of one synapse of a wiring.
func (r *rule) bytes(w *synapse.Wiring) int {
	return r.model.Bytes(r.proj.desc.SynapseParams, r.rates, w.Rows.Delay != nil || w.Dendritics != nil)
}

// placed is a synapse while the wiring of a block is made.
type placed struct {
	Synapse
	band int
}

// plasticWiring builds the synapses of a plastic projection onto the neurons
// [lo, hi) of its target: one Wiring per band of axonal delays.
func (c *connector) plasticWiring(lo, hi int) ([]*synapse.Wiring, error) {
	var all []placed
	base := event.MaxTime
	negative, positive := false, false
	least, most := c.learning.Bounds(c.p.SynapseParams, c.rates)
	err := c.list(lo, hi, func(x Synapse) {
		all = append(all, placed{Synapse: x})
		base = min(base, x.Axonal)
		negative = negative || x.Weight < 0
		positive = positive || x.Weight > 0
	})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	if negative && positive && !c.signed {
		return nil, fmt.Errorf("network: projection %q: weights of both signs: the sign belongs to the presynaptic population (Dale's law), and a learning rule changes magnitudes; use two projections", c.p.Name)
	}
	for i := range all {
		x := &all[i]
		if w := c.magnitude(x.Weight); !(w >= least && w <= most) {
			what := "a magnitude from "
			if c.signed {
				what = ""
			}
			return nil, fmt.Errorf("network: projection %q: weight %g of the synapse from %s %d to %s %d, want %sw_min = %g to w_max = %g",
				c.p.Name, x.Weight, c.source.Name, x.Source, c.target.Name, x.Target, what, least, most)
		}
		band := (x.Axonal - base) >> 32
		if band >= maxBands {
			return nil, fmt.Errorf("network: projection %q: axonal delays from %v to %v ms: want them to span at most %v ms", c.p.Name, base, x.Axonal, event.Time(maxBands)<<32)
		}
		x.band = int(band)
	}
	all = c.sortPlaced(all)
	var out []*synapse.Wiring
	for len(all) > 0 {
		n := sort.Search(len(all), func(i int) bool { return all[i].band > all[0].band })
		out = append(out, c.wiring(all[:n], lo, hi, negative && !c.signed))
		all = all[n:]
	}
	return out, nil
}

// sortPlaced orders synapses by band, source, axonal delay, target and multapse
// number. Those of one band are dealt out to their sources and sorted row by row:
// where delays are equal, too, rows of synapses listed by target are in order then.
func (c *connector) sortPlaced(all []placed) []placed {
	order := func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.band, b.band), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Axonal, b.Axonal),
			cmp.Compare(a.Target, b.Target), cmp.Compare(a.Multapse, b.Multapse))
	}
	if !slices.ContainsFunc(all, func(x placed) bool { return x.band > 0 }) {
		next := make([]int, c.sources+1)
		for i := range all {
			next[all[i].Source+1]++
		}
		for s := range c.sources {
			next[s+1] += next[s]
		}
		dealt := make([]placed, len(all))
		for i := range all {
			s := all[i].Source
			dealt[next[s]] = all[i]
			next[s]++
		}
		start := 0
		for _, end := range next[:c.sources] {
			if row := dealt[start:end]; !slices.IsSortedFunc(row, order) {
				slices.SortFunc(row, order)
			}
			start = end
		}
		return dealt
	}
	slices.SortFunc(all, order)
	return all
}

// magnitude is what a learning rule changes of a weight: its magnitude, or all of
// it under a rule that takes either sign.
func (c *connector) magnitude(w float64) float64 {
	if c.signed {
		return w
	}
	return math.Abs(w)
}

// wiring makes one band.
func (c *connector) wiring(all []placed, lo, hi int, negative bool) *synapse.Wiring {
	n := len(all)
	r := &synapse.Rows{Projection: c.index, Port: c.port, Negative: negative, Ptr: make([]uint32, c.sources+1), Target: make([]uint16, n),
		MinDelay: all[0].Axonal, MaxDelay: all[0].Axonal}
	if negative {
		r.Port = c.portNeg
	}
	w := &synapse.Wiring{Rows: r, Lo: lo, Targets: hi - lo, Dendritic: all[0].Dendritic, Weight: c.magnitude(all[0].Weight), Phase: all[0].Phase}
	most := uint32(0)
	var axonals, dendritics, weights, phases, multapses bool
	for i := range all {
		x := &all[i]
		r.Ptr[x.Source+1]++
		r.Target[i] = uint16(int(x.Target) - lo)
		r.MinDelay, r.MaxDelay = min(r.MinDelay, x.Axonal), max(r.MaxDelay, x.Axonal)
		axonals = axonals || x.Axonal != all[0].Axonal
		dendritics = dendritics || x.Dendritic != all[0].Dendritic
		weights = weights || c.magnitude(x.Weight) != w.Weight
		phases = phases || x.Phase != w.Phase
		multapses = multapses || x.Multapse > 0
		most = max(most, x.Multapse)
	}
	for s := range c.sources {
		r.Ptr[s+1] += r.Ptr[s]
	}
	if axonals {
		r.Delay = make([]uint32, n)
	}
	if dendritics {
		w.Dendritics = make([]event.Time, n)
	}
	if weights {
		w.Weights = make([]float64, n)
	}
	if phases {
		w.Phases = make([]float64, n)
	}
	if multapses {
		w.Multapses = make([]uint32, n)
	}
	for i := range all {
		x := &all[i]
		if axonals {
			r.Delay[i] = uint32(x.Axonal - r.MinDelay)
		}
		if dendritics {
			w.Dendritics[i] = x.Dendritic
		}
		if weights {
			w.Weights[i] = c.magnitude(x.Weight)
		}
		if phases {
			w.Phases[i] = x.Phase
		}
		if multapses {
			w.Multapses[i] = x.Multapse
		}
	}
	for k := uint32(0); k <= most; k++ {
		w.Keys = append(w.Keys, random.NewKey(c.seed, random.StreamUpdate, synapseOwner(c.name, k)))
	}
	return w
}

// learning is the plastic synapses between spiking populations onto one block.
type learning struct {
	in     []*plastic
	read   event.Time   // a run ends at it, in the present window
	cut    []event.Time // the steps in which the block takes the window; nil: one
	groups []*group
	// tentative lists the targets some of whose arrivals have weights that hang
	// on the window's spikes; is marks them.
	tentative []int32
	is        []bool
	supposed  [][]event.Time // by target: the spikes on the supposition of which the weights were read
	// changed lists targets whose later arrivals in the window carry other
	// weights than those that were added up: they must be replayed.
	changed []int32
}

// plastic is one Wiring of a block under its rule.
type plastic struct {
	rule *rule
	l    synapse.Learner
	wir  *synapse.Wiring
	in   input // walks the history by axonal delay
	// acts: the targets are neurons that the weights act on. Otherwise they are
	// sources, and all there is to do is to learn.
	acts bool

	group *group // of local attention; nil: none

	hits uint64 // arrivals taken up in the window
	late []late // arrivals that wait for spikes of their targets
	// Scratch: what a piece of a row sends, whether that hangs on the window's
	// spikes, and earlier arrivals at it.
	sent   []float64
	hangs  []bool
	before []event.Time
	// Effects on their way, by cell of the window grid.
	ring []effects
	step event.Time
	at   []neuron.Timed // of the window
	w    []float64
	rows []effectRow // in their place, if rowwise
	ends []int       // of its steps, among them
	free []float64   // storage for weights
	// rowwise: the block takes whole rows, and all synapses of one act at an instant.
	rowwise bool
	open    []tentative // those whose weight hangs on the window's spikes
	// By target, 1 + index of its first in open; by source, of its last in late.
	openAt, lateOf []uint32
	mark           []uint32 // by arrival of the window: 1 + index in open; nil: none
	base           uint32   // number of arrivals in the window at earlier inputs of the block
}

// effects are arrivals at neurons in one cell of the window grid. Where all arrivals
// of a row come at one instant (plastic.rowwise), they are kept as rows.
type effects struct {
	at   []neuron.Timed
	w    []float64
	rows []effectRow
}

// effectRow is the effects of synapses [lo, hi), whose weights stand from `w` on.
type effectRow struct {
	off, lo, hi uint32
	w           int
}

func (e *effects) clear() { e.at, e.w, e.rows = e.at[:0], e.w[:0], e.rows[:0] }

// late is a piece of a row that waits to be learnt.
type late struct {
	at          event.Time
	src, lo, hi uint32
	part        portion
	spike       event.Time // which of the source's: the same for all pieces of its row
	older       uint32     // 1 + index of the last piece of the source's spike before; 0: none waits
}

// portion is how much of their weights the synapses of a row transmit at a spike.
type portion struct {
	gain  float64   // of all of them, unless
	share []float64 // each has its own: stochastic release
	lo    uint32    // synapse of share[0]
}

// of is the part of its weight that synapse i transmits.
func (p *portion) of(i uint32) float64 {
	if p.share != nil {
		return p.share[i-p.lo]
	}
	return p.gain
}

// tentative is an arrival whose weight was read on the supposition that its
// target does not fire before it.
type tentative struct {
	at     event.Time
	i, src uint32
	target int
	arr    int     // among the arrivals of the window
	part   float64 // of the weight that is transmitted
	older  uint32  // as in late
	next   uint32  // 1 + index of the next at the target
}

// learn makes the plastic synapses of block b of population p; nil when there
// are none.
func (n *Network) learn(p *population, b int) (*learning, error) {
	k := slices.Index(p.blocks, b)
	var g *learning
	for _, q := range n.projs {
		if q.tgt != p || q.plastic == nil || q.plastic.rates {
			continue
		}
		for _, w := range q.wiring[k] {
			if g == nil {
				g = &learning{}
			}
			l, err := q.plastic.model.New(q.desc.SynapseParams, w, q.plastic.drive)
			if err != nil {
				return nil, fmt.Errorf("projection %q: %w", q.desc.Name, err)
			}
			pl := &plastic{rule: q.plastic, l: l, wir: w, acts: p.model.Kind == neuron.Spiking, step: n.grid.Step}
			pl.in = input{p: q, r: w.Rows, release: q.sends.newReleasing(w.Rows, w.Multapses, w.Lo), shares: true}
			log := l.Log()
			log.Keep, log.All = q.keepUpdates, q.keepCandidates
			pl.ring = make([]effects, 1)
			if pl.acts {
				pl.ring = make([]effects, w.MostDendritic()/n.grid.Step+3)
			}
			g.in = append(g.in, pl)
		}
	}
	if g == nil {
		return nil, nil
	}
	targets := n.ranges[b].Hi - n.ranges[b].Lo
	g.is, g.supposed = make([]bool, targets), make([][]event.Time, targets)
	for _, pl := range g.in {
		pl.lateOf, pl.openAt = make([]uint32, len(pl.in.r.Ptr)-1), make([]uint32, targets)
	}
	return g, n.makeGroups(g, len(g.is))
}

// watchers are the rules that depend on the potential of their targets.
func (g *learning) watchers() (all []*plastic) {
	if g == nil {
		return nil
	}
	for _, pl := range g.in {
		if pl.rule.model.Watch != nil {
			all = append(all, pl)
		}
	}
	return all
}

func (g *learning) reset() {
	if g == nil {
		return
	}
	g.read = 0
	for _, x := range g.groups {
		x.reset()
	}
	clear(g.is)
	for i := range g.supposed {
		g.supposed[i] = g.supposed[i][:0]
	}
	g.tentative = g.tentative[:0]
	for _, pl := range g.in {
		pl.in.reset()
		pl.l.Reset()
		pl.late, pl.open = pl.late[:0], pl.open[:0]
		clear(pl.lateOf)
		clear(pl.openAt)
		for k := range pl.ring {
			pl.ring[k].clear()
		}
	}
}

// collect takes up the arrivals before end. Of the targets, all spikes before
// known are known. What acts on them in the window w is listed in at and w.
func (pl *plastic) collect(w event.Window, end, known event.Time) {
	in := &pl.in
	in.take(end)
	for q := range in.pending {
		pe := &in.pending[q]
		in.upTo(pe, end)
		part := portion{pe.gain, pe.w, pe.lo}
		for a := pe.prev; a < pe.cur; {
			t := pe.at + in.offset(a)
			z := a + 1
			for in.r.Delay != nil && z < pe.cur && in.r.Delay[z] == in.r.Delay[a] {
				z++
			}
			if in.r.Delay == nil {
				z = pe.cur
			}
			if pl.wir.Dendritics == nil {
				pl.piece(w, late{at: t, src: pe.src, lo: a, hi: z, part: part, spike: pe.at}, known)
			} else {
				for i := a; i < z; i++ {
					pl.piece(w, late{at: t, src: pe.src, lo: i, hi: i + 1, part: part, spike: pe.at}, known)
				}
			}
			a = z
		}
	}
}

// piece handles the arrival at a piece of a row whose synapses have one dendritic
// delay.
func (pl *plastic) piece(w event.Window, x late, known event.Time) {
	pl.hits += uint64(x.hi - x.lo)
	d := pl.dendritic(x.lo)
	if pl.group == nil && x.at <= known+d {
		pl.arrive(&x, d, w.Start)
		return
	}
	if pl.group == nil {
		if k := pl.lateOf[x.src]; k > 0 {
			x.older = k
			if pl.late[k-1].spike == x.spike {
				x.older = pl.late[k-1].older
			}
		}
		pl.foresee(w, x, known+d, d)
		pl.lateOf[x.src] = uint32(len(pl.late) + 1)
	}
	pl.late = append(pl.late, x)
}

// foresee sends on what a late arrival does to its targets within the window.
// What happens to the synapses before known is known.
func (pl *plastic) foresee(w event.Window, x late, known, d event.Time) {
	if !pl.acts || x.at+d >= w.End {
		return
	}
	n := int(x.hi - x.lo)
	pl.sent, pl.hangs = slices.Grow(pl.sent[:0], n)[:n], slices.Grow(pl.hangs[:0], n)[:n]
	pl.l.Foresee(x.src, x.lo, x.hi, pl.earlier(x.older, x.lo, x.at), known, x.at, pl.sent, pl.hangs)
	arr := pl.send(&x, d)
	for k, hangs := range pl.hangs {
		i := x.lo + uint32(k)
		part := x.part.of(i)
		if part == 0 {
			continue
		}
		if hangs {
			pl.open = append(pl.open, tentative{at: x.at, i: i, src: x.src, target: int(pl.in.r.Target[i]), arr: arr, part: part, older: x.older})
		}
		arr++
	}
}

// dendritic is the dendritic delay of synapse i.
func (pl *plastic) dendritic(i uint32) event.Time {
	return pl.wir.DendriticOf(i)
}

// arrive lets the synapses of x see its spike, and sends on what acts on their
// targets from `from` on. The rule sees the spike whatever part of the weight it
// transmits.
func (pl *plastic) arrive(x *late, d, from event.Time) {
	if pl.acts && x.at+d >= from {
		n := int(x.hi - x.lo)
		pl.sent = slices.Grow(pl.sent[:0], n)[:n]
		pl.l.Arrive(x.src, x.lo, x.hi, x.at, pl.sent)
		pl.send(x, d)
	} else {
		pl.l.Arrive(x.src, x.lo, x.hi, x.at, nil)
	}
	if x.hi == pl.in.r.Ptr[x.src+1] {
		pl.l.EndRow(x.src, x.at)
	}
}

// earlier lists the arrivals before t that synapse i has still to see; older is that
// of the arrival at t. A group keeps late arrivals in another order.
func (pl *plastic) earlier(older, i uint32, t event.Time) []event.Time {
	pl.before = pl.before[:0]
	if pl.group != nil {
		for _, x := range pl.late {
			if x.at < t && x.lo <= i && i < x.hi {
				pl.before = append(pl.before, x.at)
			}
		}
		return pl.before
	}
	for older > 0 { // the pieces of one spike stand together
		last := &pl.late[older-1]
		for k := int(older) - 1; k >= 0 && pl.late[k].src == last.src && pl.late[k].spike == last.spike; k-- {
			if x := &pl.late[k]; x.at < t && x.lo <= i && i < x.hi {
				pl.before = append(pl.before, x.at)
				break
			}
		}
		older = last.older
	}
	slices.Reverse(pl.before)
	return pl.before
}

// send enters what the synapses of x do to their targets a dendritic delay d after
// its arrival, given what they transmit, and returns the place of the first among
// the effects of its cell. Where nothing is transmitted there is no effect.
func (pl *plastic) send(x *late, d event.Time) (first int) {
	t := x.at + d
	cell := t / pl.step
	e, off := &pl.ring[int(cell)%len(pl.ring)], uint32(t-cell*pl.step)
	first = len(e.w)
	sign := 1.0
	if pl.in.r.Negative {
		sign = -1
	}
	targets := pl.in.r.Target[x.lo:x.hi]
	if x.part.share != nil {
		for k, y := range pl.sent {
			if part := x.part.share[x.lo+uint32(k)-x.part.lo]; part != 0 {
				e.at = append(e.at, neuron.Timed{Off: off, T: targets[k]})
				e.w = append(e.w, float64(float64(sign*part)*y))
			}
		}
		return first
	}
	gain := float64(sign * x.part.gain)
	if gain == 0 {
		return first
	}
	n := first + len(targets)
	e.w = slices.Grow(e.w, len(targets))[:n]
	if pl.rowwise {
		w := e.w[first:]
		for k, y := range pl.sent[:len(targets)] {
			w[k] = float64(gain * y)
		}
		e.rows = append(e.rows, effectRow{off, x.lo, x.hi, first})
		return first
	}
	e.at = slices.Grow(e.at, len(targets))[:n]
	at, w, sent := e.at[first:], e.w[first:], pl.sent[:len(targets)]
	for k, target := range targets {
		at[k] = neuron.Timed{Off: off, T: target}
		w[k] = float64(gain * sent[k])
	}
	return first
}

// window lists what acts in the window, by the steps that the block takes it in,
// which end at the times in cut from its start; nil: one step.
func (pl *plastic) window(w event.Window, cut []event.Time) {
	cell := w.Start / pl.step
	e := &pl.ring[int(cell)%len(pl.ring)]
	lo, hi := w.Start-cell*pl.step, w.End-cell*pl.step
	pl.mark = pl.mark[:0]
	steps := max(1, len(cut))
	each := uint32(hi - lo) // all steps but the last are of one length
	if steps > 1 {
		each = uint32(cut[0])
	}
	if pl.rowwise {
		pl.windowRows(e, lo, hi, each, steps)
		return
	}
	if lo == 0 && hi == pl.step && len(cut) <= 1 {
		pl.at, e.at = e.at, pl.at[:0]
		pl.w, e.w = e.w, pl.w[:0]
		pl.ends = append(pl.ends[:0], len(pl.at))
		if len(pl.open) > 0 {
			pl.mark = slices.Grow(pl.mark, len(pl.at))[:len(pl.at)]
			clear(pl.mark)
			for k := range pl.open {
				pl.mark[pl.open[k].arr] = uint32(k + 1)
			}
		}
		return
	}
	// Places by step, in the order in which they were entered.
	pl.ends = slices.Grow(pl.ends[:0], steps)[:steps]
	clear(pl.ends)
	step := func(off uint32) int { return min(int(off/each), steps-1) }
	for _, x := range e.at {
		if t := event.Time(x.Off); t >= lo && t < hi {
			pl.ends[step(uint32(t-lo))]++
		}
	}
	n := 0
	for j, k := range pl.ends {
		pl.ends[j] = n
		n += k
	}
	pl.at, pl.w = slices.Grow(pl.at[:0], n)[:n], slices.Grow(pl.w[:0], n)[:n]
	if len(pl.open) > 0 {
		pl.mark = slices.Grow(pl.mark, n)[:n]
		clear(pl.mark)
		slices.SortFunc(pl.open, func(a, b tentative) int { return cmp.Compare(a.arr, b.arr) })
	}
	open := 0
	for k, x := range e.at {
		t := event.Time(x.Off)
		if t < lo || t >= hi {
			continue
		}
		off := uint32(t - lo)
		j := step(off)
		to := pl.ends[j]
		pl.ends[j]++
		pl.at[to], pl.w[to] = neuron.Timed{Off: off, T: x.T}, e.w[k]
		if open < len(pl.open) && pl.open[open].arr == k {
			pl.open[open].arr = to
			open++
			pl.mark[to] = uint32(open)
		}
	}
	if hi == pl.step {
		e.at, e.w = e.at[:0], e.w[:0]
	}
}

// windowRows is window of rows. Weights stay where they are.
func (pl *plastic) windowRows(e *effects, lo, hi event.Time, each uint32, steps int) {
	pl.ends = slices.Grow(pl.ends[:0], steps)[:steps]
	clear(pl.ends)
	step := func(off uint32) int { return min(int(off/each), steps-1) }
	for _, x := range e.rows {
		if t := event.Time(x.off); t >= lo && t < hi {
			pl.ends[step(uint32(t-lo))]++
		}
	}
	n := 0
	for j, k := range pl.ends {
		pl.ends[j] = n
		n += k
	}
	pl.rows = slices.Grow(pl.rows[:0], n)[:n]
	for _, x := range e.rows {
		if t := event.Time(x.off); t >= lo && t < hi {
			x.off = uint32(t - lo)
			j := step(x.off)
			pl.rows[pl.ends[j]] = x
			pl.ends[j]++
		}
	}
	pl.w = e.w
	if len(pl.open) > 0 {
		pl.mark = slices.Grow(pl.mark, len(pl.w))[:len(pl.w)]
		clear(pl.mark)
		for k := range pl.open {
			pl.mark[pl.open[k].arr] = uint32(k + 1)
		}
	}
	if hi == pl.step {
		e.rows = e.rows[:0]
		e.w, pl.free = pl.free[:0], e.w
	}
}

// acting is the number of arrivals that act in the window.
func (pl *plastic) acting() (n int) {
	for _, x := range pl.rows {
		n += int(x.hi - x.lo)
	}
	return n + len(pl.at)
}

// inStep are the arrivals, or rows, [lo, hi) of the window that fall into step j.
func (pl *plastic) inStep(j int) (lo, hi int) {
	if j > 0 {
		lo = pl.ends[j-1]
	}
	return lo, pl.ends[j]
}

// begin takes up what arrives in the window.
func (g *learning) begin(w event.Window) {
	read := w.End
	if g.read > w.Start {
		read = min(read, g.read)
	}
	for _, i := range g.tentative {
		g.is[i], g.supposed[i] = false, g.supposed[i][:0]
		for _, pl := range g.in {
			pl.openAt[i] = 0
		}
	}
	g.tentative, g.changed = g.tentative[:0], g.changed[:0]
	for _, pl := range g.in {
		pl.open = pl.open[:0]
		pl.l.Begin(w.Start, read)
		pl.collectUp(w.Start)
		pl.collect(w, w.End, w.Start)
	}
	for _, x := range g.groups {
		x.begin(w)
	}
	n := uint32(0)
	for _, pl := range g.in {
		pl.window(w, g.cut)
		pl.base = n
		n += uint32(len(pl.w))
		for k := len(pl.open) - 1; k >= 0; k-- {
			x := &pl.open[k]
			x.next, pl.openAt[x.target] = pl.openAt[x.target], uint32(k+1)
			if !g.is[x.target] {
				g.is[x.target] = true
				g.tentative = append(g.tentative, int32(x.target))
			}
		}
	}
	for _, x := range g.groups {
		if x.ticks && x.cycle.Start(x.next) < w.End { // α changes even if they do not fire
			for _, t := range g.tentative {
				x.suppose(int(t), nil)
			}
		}
	}
}

// weightOf is the weight of the arrival of the window that is number ref, from 1, in
// the order of inputs.
func (g *learning) weightOf(ref uint32) float64 {
	k := sort.Search(len(g.in), func(k int) bool { return g.in[k].base >= ref }) - 1
	return g.in[k].w[ref-1-g.in[k].base]
}

// arrivals is the number of arrivals that synapses saw in the window.
func (g *learning) arrivals() uint64 {
	k := uint64(0)
	for _, pl := range g.in {
		k += pl.hits
		pl.hits = 0
	}
	return k
}

// end learns from the window: its spikes are known now.
func (g *learning) end(w event.Window, spikes []neuron.Mark) {
	for _, pl := range g.in {
		if pl.group != nil {
			continue
		}
		for _, m := range spikes {
			pl.l.Post(int(m.I), w.Start+event.Time(m.Off))
		}
		for k := range pl.late {
			x := &pl.late[k]
			pl.lateOf[x.src] = 0
			pl.arrive(x, pl.dendritic(x.lo), w.End)
		}
		pl.late = pl.late[:0]
	}
	for _, x := range g.groups {
		x.end(w, spikes)
	}
}

// settle takes every synapse through everything up to and at t, to which catchUp
// has taken them; pass as in Spikes.Settle.
func (g *learning) settle(t event.Time, pass bool) {
	for _, pl := range g.in {
		pl.l.Settle(t, pass)
	}
}

// catchUp takes what happens to synapses up to t in order of time where that
// matters; windows up to now, not before t, have been passed. It changes nothing
// else: effects on targets are sent on in one order whether it is called or not.
func (g *learning) catchUp(t, now event.Time) {
	for _, pl := range g.in {
		pl.collectUp(now)
	}
	for _, x := range g.groups {
		x.run(min(t+1, now), now)
	}
}

// collectUp takes up the arrivals before now, the end of the window passed: some
// are of spikes in that window. They come before those of the next window in the
// order of effects. At now itself modulators are not known yet.
func (pl *plastic) collectUp(now event.Time) {
	pl.collect(event.Window{Start: now, End: now}, now, now)
}

// suppose reads the weights of the tentative arrivals at a neuron again, given
// the spikes it fires in the window, and reports whether any changed.
func (g *learning) suppose(w event.Window, target int, spikes []event.Time) bool {
	if slices.Equal(g.supposed[target], spikes) {
		return false
	}
	g.supposed[target] = append(g.supposed[target][:0], spikes...)
	changed := false
	for _, x := range g.groups {
		changed = x.suppose(target, spikes) || changed
	}
	for _, pl := range g.in {
		if pl.group != nil || pl.openAt[target] == 0 {
			continue
		}
		for _, t := range spikes {
			pl.l.Post(target, t)
		}
		for k := pl.openAt[target]; k > 0; k = pl.open[k-1].next {
			x := &pl.open[k-1]
			y := float64(x.part * pl.l.Peek(x.i, x.src, pl.earlier(x.older, x.i, x.at), x.at))
			if pl.in.r.Negative {
				y = -y
			}
			if y != pl.w[x.arr] {
				pl.w[x.arr] = y
				changed = true
			}
		}
		pl.l.Unpost(target, len(spikes))
	}
	return changed
}

// replayTentative replays the k-th neuron of the list, some of whose arrivals
// carry weights that its own spikes of this window may change: it is replayed
// until the weights are those that its spikes make. Every round fixes one more
// spike, since a weight hangs on earlier spikes only.
func (b *linearBlock) replayTentative(s *scratch, w event.Window, k int, start, h, from event.Time) error {
	i := int(s.list[k])
	if b.spare == nil {
		b.spare = b.pop.lin.NewState(1)
	}
	b.st.Copy(b.spare, 0, i)
	sent := len(b.spikes)
	hits := s.hitsOf(k)
	for {
		var err error
		if b.spikes, _, err = b.pop.lin.Replay(b.st, i, start, h, hits, uint32(from), b.spikes, nil); err != nil {
			return err
		}
		b.fired = b.fired[:0]
		for _, m := range b.spikes {
			if int(m.I) == i {
				b.fired = append(b.fired, w.Start+event.Time(m.Off))
			}
		}
		if !b.learn.suppose(w, i, b.fired) {
			return nil
		}
		b.learn.changed = append(b.learn.changed, int32(i))
		again := false
		for q := range hits {
			if hit := &hits[q]; hit.Ref > 0 {
				if x := b.learn.weightOf(hit.Ref); x != hit.W {
					hit.W = x
					again = true
				}
			}
		}
		if !again { // only later steps are concerned
			return nil
		}
		b.spare.Copy(b.st, i, 0)
		b.spikes = b.spikes[:sent]
	}
}

// learns says whether plastic synapses end at the population.
func (n *Network) learns(p *population) bool {
	return slices.ContainsFunc(n.projs, func(q *projection) bool { return q.tgt == p && q.plastic != nil })
}
