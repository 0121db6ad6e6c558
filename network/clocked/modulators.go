package clocked

import (
	"fmt"
	"math"

	"hmn/event"
	"hmn/network"
	"hmn/neuron"
)

// modulator is a third factor E_k.
type modulator struct {
	desc    *network.Modulator
	e       float64
	decay   float64 // over one step; 1 when held
	next    int     // of desc.Events
	source  *population
	delay   int64             // from a spike of source, in steps
	pending map[int64]float64 // jumps to come, by grid point
}

func (e *Engine) makeModulators() error {
	for i := range e.model.Modulators {
		d := &e.model.Modulators[i]
		m := &modulator{desc: d, decay: 1, pending: map[int64]float64{}}
		if d.Builtin != "" {
			return fmt.Errorf("clocked: modulator %q: builtin %q needs a task, which the clocked engine does not have", d.Name, d.Builtin)
		}
		if !d.Hold {
			m.decay = math.Exp(-e.h / d.Tau)
		}
		if d.Source != "" {
			m.source = e.find(d.Source)
			if m.source == nil || m.source.sendsLevels() {
				return fmt.Errorf("clocked: modulator %q: source %q, want a population that sends spikes", d.Name, d.Source)
			}
			delay := d.Delay
			if !d.HasDelay {
				delay = e.lookahead()
			}
			m.delay = max(1, e.steps(delay))
		}
		e.mods = append(e.mods, m)
	}
	for _, r := range e.rules {
		for k, m := range e.mods {
			w := 1.0
			switch {
			case m.desc.HasW:
				w = m.desc.W
			case m.desc.Name == "reward":
				w = r.WReward
			case m.desc.Name == "uncertainty":
				w = r.WUncertainty
			case m.desc.Name == "novelty":
				w = r.WNovelty
			}
			r.w = append(r.w, w)
			r.gamma = append(r.gamma, 1/float64(len(e.mods)))
			if r.Relevance == "vector" && r.BetaG > 0 && len(m.desc.U) != r.EmbedDim {
				return fmt.Errorf("clocked: projection %q: relevance = \"vector\": modulator %q has a u of %d numbers, want embed_dim = %d", r.p.desc.Name, e.mods[k].desc.Name, len(m.desc.U), r.EmbedDim)
			}
		}
	}
	return nil
}

// lookahead is the least delay of the network as the event engine counts it.
func (e *Engine) lookahead() event.Time {
	least := event.MaxTime
	for _, p := range e.projs {
		for _, s := range p.syn {
			if d := e.time(s.axonal + s.dendritic); d > 0 {
				least = min(least, d)
			}
		}
	}
	if least == event.MaxTime {
		least = event.Millisecond
	}
	if c := e.model.Simulation.LookaheadMax; c > 0 {
		least = min(least, c)
	}
	return min(least, 4*event.Millisecond)
}

// modulate lets the modulators jump that do so in (t_n−1, t_n] and weighs them
// anew where one jumped or a cycle began: with their values after the jumps and
// the mean activity before the spikes at t.
func (e *Engine) modulate(t event.Time) {
	jumped := false
	jump := func(k int, amount float64) {
		e.mods[k].e += amount
		jumped = true
		if k == 0 && e.meta != nil {
			e.meta.reward(amount)
		}
	}
	for k, m := range e.mods {
		for ; m.next < len(m.desc.Events) && m.desc.Events[m.next].At <= t; m.next++ {
			jump(k, m.desc.Events[m.next].Amount)
		}
		if amount, ok := m.pending[e.n]; ok {
			delete(m.pending, e.n)
			jump(k, amount)
		}
	}
	for _, r := range e.rules {
		for r.starts = false; r.start(r.cycles) <= t; r.cycles++ {
			r.starts = true
		}
		if jumped || r.starts || e.n == 0 {
			e.weigh(r)
		}
	}
}

// weigh is γ = softmax over k of β_g h_k (11).
func (e *Engine) weigh(r *rule) {
	h := make([]float64, len(e.mods))
	for k, m := range e.mods {
		switch r.Relevance {
		case "dot":
			h[k] = m.e * r.activity()
		case "vector":
			if r.BetaG > 0 {
				h[k] = cosine(m.desc.U, r.group.sum())
			}
		default:
			h[k] = math.Abs(m.e) * r.activity()
		}
	}
	softmax(r.gamma, h, func(int) float64 { return r.BetaG })
}

// activity is C_global: the mean activity in units of r_ref.
func (r *rule) activity() float64 {
	if r.Rates {
		return r.c / r.RRef
	}
	return r.c / (r.RRef / 1000) // Hz in 1/ms
}

// modulation is G = Σ w_k E_k (6) and G' = Σ γ̂_k w_k E_k (10), after ms more of
// the present step.
func (e *Engine) modulation(r *rule, after float64) (g, prime float64) {
	gain := 1.0
	if r.GammaK {
		gain = float64(len(e.mods))
	}
	for k, m := range e.mods {
		x := m.e
		if !m.desc.Hold && after > 0 {
			x *= math.Exp(-after / m.desc.Tau)
		}
		g += r.w[k] * x
		prime += gain * r.gamma[k] * r.w[k] * x
	}
	return g, prime
}

func (e *Engine) decayModulators() {
	for _, m := range e.mods {
		m.e *= m.decay
	}
}

// acts says whether the activity of population p counts for C_global of rules
// between rate units, or of the others: whoever receives, and sources that are
// targets of plastic projections.
func (e *Engine) acts(p *population, rates bool) bool {
	switch p.model.Kind {
	case neuron.Spiking:
		return !rates
	case neuron.Rate:
		return rates
	}
	for _, r := range e.rules {
		if r.p.tgt == p {
			return r.Rates == rates
		}
	}
	return false
}

// countSpikes takes the spikes at t_n into the counts, the mean activity and the
// modulators that follow a population.
func (e *Engine) countSpikes() {
	for _, p := range e.pops {
		if p.sendsLevels() {
			continue
		}
		for _, c := range p.spikesAt(e.n) {
			p.fired += uint64(c)
			e.stats.Spikes += uint64(c)
		}
	}
	for _, r := range e.rules {
		if r.Rates {
			continue
		}
		n, fired := 0, 0
		for _, p := range e.pops {
			if e.acts(p, false) {
				n += p.desc.N
				for _, c := range p.spikesAt(e.n) {
					fired += c
				}
			}
		}
		if fired > 0 {
			r.c += float64(fired) / (float64(n) * r.TauC)
		}
	}
	for _, m := range e.mods {
		if m.source == nil {
			continue
		}
		for _, c := range m.source.spikesAt(e.n) {
			if c > 0 {
				m.pending[e.n+m.delay] += float64(c) * m.desc.SourceJump
			}
		}
	}
}

// decayActivity carries the mean activity over one step: it decays, or follows
// the mean output of the rate units, Ċ = (mean z − C)/τ_C.
func (e *Engine) decayActivity() {
	for _, r := range e.rules {
		keep := math.Exp(-e.h / r.TauC)
		r.c *= keep
		if !r.Rates {
			continue
		}
		n, sum := 0, 0.0
		for _, p := range e.pops {
			if e.acts(p, true) {
				n += p.desc.N
				for _, z := range p.outAt(e.n) {
					sum += z
				}
			}
		}
		if n > 0 {
			r.c += (1 - keep) * sum / float64(n)
		}
	}
}
