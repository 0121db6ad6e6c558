package network

import (
	"cmp"
	"fmt"
	"slices"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/neuron"
	"hmn/synapse"
)

// modulators are the third factors of a run: E_k of every [[modulator]], the
// jumps on their way, and what each rule makes of them. They are advanced
// between windows only, up to the end of the coming one: what makes them jump is
// known a window ahead.
type modulators struct {
	list  []*modulator
	queue []jump // by (at, modulator, order of entry)
	rules []*gating
	now   event.Time // everything before it has been applied
	// relevance is cos(u, c̄) of relevance = "vector".
	relevance func(r *rule, u []float64, t event.Time) float64
}

// modulator is the run-time side of a Modulator.
type modulator struct {
	desc  *Modulator
	rate  float64 // 1/τ; 0: held
	delay event.Time
	next  int     // in desc.Events
	e     float64 // right after its last jump
	at    event.Time
}

// jump is one on its way.
type jump struct {
	at     event.Time
	mod    int
	amount float64
}

// value is E_k at t.
func (m *modulator) value(t event.Time) float64 {
	if m.rate == 0 || t == m.at {
		return m.e
	}
	return float64(m.e * fmath.Exp(-float64(m.rate*(t-m.at).MS())))
}

// gating is what a rule makes of the modulators: D(t) = η_local + η_global Σ_k
// γ̂_k w_k E_k (Eqs. 3, 10, 11) of model hmn, Σ_k w_k E_k of others.
type gating struct {
	rule   *rule
	mods   *modulators
	w      []float64 // w_k
	gamma  []float64
	column []int // of the drive; −1: held
	// Global context, a mean of activity over r_ref; used when samples.
	samples   bool // γ changes in the course of a run
	context   float64
	contextAt event.Time
	mean      float64 // rates: mean output of the units counted
	units     float64 // number of units counted
	next      int64   // the next cycle start
	local     float64 // η_local, η_global at present
	global    float64
	coef      []float64
	h         []float64
	changes   []neuron.Change
}

// checkDelay refuses spikes that would act within the window they fall into.
func (d *Modulator) checkDelay(window event.Time) error {
	if d.Source != "" && d.HasDelay && d.Delay < window {
		return fmt.Errorf("network: modulator %q: delay %s ms, want at least the lookahead of the network, %s ms", d.Name, d.Delay, window)
	}
	return nil
}

func (n *Network) makeModulators() error {
	n.mods = &modulators{relevance: n.relevance}
	for i := range n.model.Modulators {
		d := &n.model.Modulators[i]
		m := &modulator{desc: d, delay: d.Delay}
		if !d.Hold {
			m.rate = 1 / d.Tau
		}
		if !d.HasDelay {
			m.delay = n.grid.Step
		} else if err := d.checkDelay(n.grid.Step); err != nil {
			return err
		}
		n.mods.list = append(n.mods.list, m)
	}
	for _, r := range n.rules {
		if !r.model.Modulated {
			continue
		}
		g := &gating{rule: r, mods: n.mods, units: n.contextUnits(r.rates)}
		var rates []float64
		for i, m := range n.mods.list {
			g.w = append(g.w, n.model.Modulators[i].weight(r.hmn))
			g.column = append(g.column, -1)
			if m.rate > 0 {
				g.column[i] = len(rates)
				rates = append(rates, m.rate)
			}
		}
		g.gamma = make([]float64, len(g.w))
		g.h = make([]float64, len(g.w))
		g.coef = make([]float64, len(rates))
		r.drive = synapse.NewDrive(rates)
		if r.hmn != nil {
			g.samples = r.hmn.par.BetaG > 0 && len(g.w) > 1
			r.hmn.gate = g
		}
		n.mods.rules = append(n.mods.rules, g)
	}
	return nil
}

// weight is w_k of a modulator under a rule; h is nil for one that is not hmn.
func (m *Modulator) weight(h *hybrid) float64 {
	if m.HasW {
		return m.W
	}
	if h == nil {
		return 1
	}
	switch p := &h.par; {
	case m.Builtin == CentredReward || m.Builtin == "" && m.Name == "reward":
		return p.WReward
	case m.Builtin == Uncertainty || m.Builtin == "" && m.Name == "uncertainty":
		return p.WUncertainty
	case m.Builtin == Novelty || m.Builtin == "" && m.Name == "novelty":
		return p.WNovelty
	}
	return 1
}

// inContext says whether the activity of a population counts for C_global of
// rules of that kind.
func (n *Network) inContext(p *population, rates bool) bool {
	switch p.model.Kind {
	case neuron.Spiking:
		return !rates
	case neuron.Rate:
		return rates
	case neuron.SpikeSource:
		return !rates && n.learns(p)
	case neuron.LevelSource:
		return rates && n.learns(p)
	}
	return false
}

func (n *Network) contextUnits(rates bool) float64 {
	k := 0
	for _, p := range n.pops {
		if n.inContext(p, rates) {
			k += p.desc.N
		}
	}
	return float64(max(k, 1))
}

// reset returns to t = 0: jumps at 0 are applied and γ is sampled once.
func (m *modulators) reset() {
	m.queue, m.now = m.queue[:0], 0
	for _, x := range m.list {
		x.next, x.e, x.at = 0, 0, 0
	}
	for _, g := range m.rules {
		g.rule.drive.Reset()
		g.context, g.contextAt, g.mean = 0, 0, 0
		g.local, g.global = 0, 1
		if h := g.rule.hmn; h != nil {
			g.local, g.global = h.par.EtaLocal, h.par.EtaGlobal
			g.next = h.cycle.NextStart(0)
			g.sample(0)
		}
		g.publish(0)
	}
}

// enter puts a jump on its way.
func (m *modulators) enter(j jump) {
	k, _ := slices.BinarySearchFunc(m.queue, j, func(a, b jump) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.mod, b.mod), -1) // equal ones keep their order
	})
	m.queue = slices.Insert(m.queue, k, j)
}

// nextJump is the time of the earliest jump still to come that is not before
// from.
func (m *modulators) nextJump(from event.Time) event.Time {
	t := event.MaxTime
	for _, j := range m.queue {
		if j.at >= from {
			t = j.at
			break
		}
	}
	for _, x := range m.list {
		for _, e := range x.desc.Events[x.next:] {
			if e.At >= from {
				t = min(t, e.At)
				break
			}
		}
	}
	return t
}

// nextSample is the earliest time after t at which some rule samples γ and so
// needs to know the activity up to there: windows end at it.
func (m *modulators) nextSample(t event.Time) event.Time {
	at := event.MaxTime
	for _, g := range m.rules {
		if g.samples {
			at = min(at, g.rule.hmn.cycle.Start(g.next))
		}
	}
	if at < event.MaxTime {
		at = min(at, m.nextJump(t+1))
	}
	if at <= t {
		return t + 1
	}
	return at
}

// advance applies everything before t. Rules that sample γ find the activity
// complete, because windows end where they sample.
func (m *modulators) advance(t event.Time) {
	for {
		at := m.nextJump(0)
		for _, g := range m.rules {
			if g.samples {
				at = min(at, g.rule.hmn.cycle.Start(g.next))
			}
		}
		if at >= t {
			break
		}
		jumped := false
		for k, x := range m.list {
			for x.next < len(x.desc.Events) && x.desc.Events[x.next].At == at {
				x.jump(at, x.desc.Events[x.next].Amount)
				x.next++
				jumped = true
			}
			for len(m.queue) > 0 && m.queue[0].at == at && m.queue[0].mod == k {
				x.jump(at, m.queue[0].amount)
				m.queue = m.queue[:copy(m.queue, m.queue[1:])]
				jumped = true
			}
		}
		for _, g := range m.rules {
			start := false
			for g.rule.hmn != nil && g.rule.hmn.cycle.Start(g.next) == at {
				g.next++
				start = true
			}
			if g.samples && (jumped || start) {
				g.sample(at)
			}
			if jumped || start && g.samples {
				g.publish(at)
			}
		}
	}
	m.now = max(m.now, t)
}

func (m *modulator) jump(t event.Time, amount float64) {
	m.e, m.at = m.value(t)+amount, t
}

// sample evaluates γ, Eq. 11.
func (g *gating) sample(t event.Time) {
	k := float64(len(g.w))
	if !g.samples {
		for i := range g.gamma {
			g.gamma[i] = 1 / k
		}
		return
	}
	c := g.contextAtTime(t) / g.reference()
	most := 0.0
	for i, m := range g.mods.list {
		e := m.value(t)
		if g.rule.hmn.par.Relevance == "abs" && e < 0 {
			e = -e
		}
		g.h[i] = float64(g.rule.hmn.par.BetaG * float64(e*c))
		if g.rule.hmn.par.Relevance == "vector" {
			g.h[i] = float64(g.rule.hmn.par.BetaG * g.mods.relevance(g.rule, m.desc.U, t))
		}
		if i == 0 || g.h[i] > most {
			most = g.h[i]
		}
	}
	sum := 0.0
	for i, h := range g.h {
		g.gamma[i] = fmath.Exp(h - most)
		sum += g.gamma[i]
	}
	for i := range g.gamma {
		g.gamma[i] /= sum
	}
}

// reference is r_ref in the unit of the context: 1/ms for spikes.
func (g *gating) reference() float64 {
	if g.rule.hmn.par.Rates {
		return g.rule.hmn.par.RRef
	}
	return g.rule.hmn.par.RRef / 1000
}

// contextAtTime is C_global before it is divided by r_ref: spikes per ms and
// neuron, or the mean output.
func (g *gating) contextAtTime(t event.Time) float64 {
	f := fmath.Exp(-(t - g.contextAt).MS() / g.rule.hmn.par.TauC)
	return g.mean + float64((g.context-g.mean)*f)
}

// spike counts a spike of a neuron of the context.
func (g *gating) spike(t event.Time) {
	g.context = g.contextAtTime(t) + 1/(g.units*g.rule.hmn.par.TauC)
	g.contextAt = t
}

// output counts a change of a unit's output.
func (g *gating) output(t event.Time, change float64) {
	g.context, g.contextAt = g.contextAtTime(t), t
	g.mean += change / g.units
}

// publish starts a segment of the drive.
func (g *gating) publish(t event.Time) {
	base := g.local
	clear(g.coef)
	for i, m := range g.mods.list {
		x := float64(g.global * g.share(i, t))
		if m.rate == 0 {
			base += x
		} else {
			g.coef[g.column[i]] = x
		}
	}
	g.rule.drive.Add(t, base, g.coef)
}

// share is γ̂_k w_k E_k at t.
func (g *gating) share(i int, t event.Time) float64 {
	if g.rule.hmn == nil {
		return float64(g.w[i] * g.mods.list[i].value(t))
	}
	x := float64(g.gamma[i] * float64(g.w[i]*g.mods.list[i].value(t)))
	if g.rule.hmn.par.GammaK {
		if !g.samples {
			return float64(g.w[i] * g.mods.list[i].value(t)) // K/K
		}
		return float64(float64(len(g.w)) * x)
	}
	return x
}

// countContext takes the spikes of a window into the global contexts.
func (n *Network) countContext(p *population, t event.Time) {
	for _, g := range n.mods.rules {
		if g.samples && !g.rule.rates && n.inContext(p, false) {
			g.spike(t)
		}
	}
}

// emit lets the spikes of a population drive modulators.
func (n *Network) emit(p *population, t event.Time) {
	for k, m := range n.mods.list {
		if m.desc.Source == p.desc.Name {
			n.mods.enter(jump{t + m.delay, k, m.desc.sourceJump()})
		}
	}
}

func (m *Modulator) sourceJump() float64 { return m.SourceJump }

// countOutputs takes the changes of output in the window into the global
// contexts of rules between rate units.
func (n *Network) countOutputs(w event.Window) {
	for _, g := range n.mods.rules {
		if !g.samples || !g.rule.rates {
			continue
		}
		g.changes = g.changes[:0]
		for _, p := range n.pops {
			if !n.inContext(p, true) {
				continue
			}
			h := &p.hist
			k, _ := slices.BinarySearch(h.at, w.Start)
			for ; k < len(h.at) && h.at[k] < w.End; k++ {
				g.changes = append(g.changes, neuron.Change{At: h.at[k], Neuron: p.first + h.id[k], Old: h.from[k], New: h.to[k]})
			}
		}
		slices.SortFunc(g.changes, compareChanges)
		for _, c := range g.changes {
			g.output(c.At, c.New-c.Old)
		}
	}
}
