package clocked

import (
	"fmt"
	"math"
	"slices"

	"hmn/event"
	"hmn/event/random"
)

// group are the projections onto one population whose synapses share one softmax
// at each of its neurons (8–9), and the contexts c_j of those neurons.
type group struct {
	rules   []*rule
	inputs  [][]input // by neuron
	context [][]float64
	since   []event.Time // rates: the context is complete up to here
	decay   float64      // of contexts over one step; spikes
	looks   bool         // anything depends on the contexts
}

// input is synapse i of a rule.
type input struct {
	r *rule
	i int
}

// attends says whether the rule's synapses take part in a softmax. With β_a = 0
// that is 1/F_j, which only the fan-in gain undoes.
func (r *rule) attends() bool { return r.BetaA > 0 || !r.FanIn }

// looks says whether the rule needs contexts.
func (r *rule) looks() bool { return r.BetaA > 0 || r.BetaG > 0 && r.Relevance == "vector" }

// makeGroups puts the projections into groups: those of one name onto one
// population, and without a name those of one sign. Rules without local
// attention that need a context all the same have one of their own.
func (e *Engine) makeGroups() error {
	type key struct {
		target *population
		name   string
		sign   float64
		own    *rule
	}
	groups := map[key]*group{}
	for _, r := range e.rules {
		fanIn := make([]int, r.p.tgt.desc.N)
		for _, y := range r.p.syn {
			fanIn[y.target]++
		}
		for i, y := range r.p.syn { // what α is without attention
			r.syn[i].alpha = 1 / float64(fanIn[y.target])
		}
		if !r.attends() && !r.looks() {
			continue
		}
		k := key{target: r.p.tgt, name: r.Group}
		switch {
		case !r.attends():
			k.own = r
		case r.Group == "":
			k.sign = r.sign
		}
		g := groups[k]
		if g == nil {
			n := r.p.tgt.desc.N
			g = &group{inputs: make([][]input, n), context: make([][]float64, n), since: make([]event.Time, n), decay: math.Exp(-e.h / r.TauCtx)}
			for j := range g.context {
				g.context[j] = make([]float64, r.EmbedDim)
			}
			groups[k] = g
			e.groups = append(e.groups, g)
		}
		r.group = g
		g.rules = append(g.rules, r)
		g.looks = g.looks || r.looks()
		first := g.rules[0]
		switch {
		case r.EmbedDim != first.EmbedDim:
			return fmt.Errorf("clocked: projections %q and %q are in one attention group with embed_dim %d and %d, want the same", first.p.desc.Name, r.p.desc.Name, first.EmbedDim, r.EmbedDim)
		case r.TauCtx != first.TauCtx:
			return fmt.Errorf("clocked: projections %q and %q are in one attention group with tau_ctx %g and %g ms, want the same", first.p.desc.Name, r.p.desc.Name, first.TauCtx, r.TauCtx)
		case r.AlphaCycle != first.AlphaCycle, r.AlphaCycle && (r.OscHz != first.OscHz || r.OscPhase != first.OscPhase):
			return fmt.Errorf("clocked: projections %q and %q are in one attention group with different alpha_hold or oscillations, want the same", first.p.desc.Name, r.p.desc.Name)
		}
		for i, y := range r.p.syn {
			g.inputs[y.target] = append(g.inputs[y.target], input{r, i})
		}
	}
	for _, g := range e.groups {
		for _, r := range g.rules {
			if !g.looks {
				break
			}
			if err := e.embed(r); err != nil {
				return err
			}
		}
		for j, in := range g.inputs {
			for _, x := range in {
				y, z := &x.r.p.syn[x.i], &in[0].r.p.syn[in[0].i]
				if g.looks && y.dendritic != z.dendritic {
					return fmt.Errorf("clocked: projection %q: the inputs of neuron %d of %q that share a context have dendritic delays of %v and %v ms, want one", x.r.p.desc.Name, j, x.r.p.tgt.desc.Name, e.time(z.dendritic), e.time(y.dendritic))
				}
				x.r.syn[x.i].alpha = 1 / float64(len(in))
			}
		}
	}
	return nil
}

// embed gives the presynaptic neurons their directions.
func (e *Engine) embed(r *rule) error {
	n := r.p.src.desc.N
	key := random.NewKey(e.model.Simulation.Seed, random.StreamEmbedding, random.Name(r.p.src.desc.Name))
	if r.Embedding == "given" && len(r.p.desc.Embedding) != n {
		return fmt.Errorf("clocked: projection %q: %d embedding vectors for %d neurons of %q", r.p.desc.Name, len(r.p.desc.Embedding), n, r.p.src.desc.Name)
	}
	for i := range n {
		v := make([]float64, r.EmbedDim)
		if r.Embedding == "given" {
			if len(r.p.desc.Embedding[i]) != r.EmbedDim {
				return fmt.Errorf("clocked: projection %q: embedding vector %d has %d numbers, want embed_dim = %d", r.p.desc.Name, i, len(r.p.desc.Embedding[i]), r.EmbedDim)
			}
			copy(v, r.p.desc.Embedding[i])
		} else {
			s := key.Source(uint64(i))
			for k := range v {
				v[k] = s.Normal()
			}
		}
		v = unitVector(v)
		r.v = append(r.v, v)
		if r.Embedding == "oja" {
			r.raw = append(r.raw, slices.Clone(v))
		}
	}
	r.seen = make([]float64, n)
	return nil
}

// unitVector is v/|v|, and 0 for 0.
func unitVector(v []float64) []float64 {
	out := slices.Clone(v)
	if length := math.Sqrt(dot(v, v)); length > 0 {
		for k := range out {
			out[k] /= length
		}
	}
	return out
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for k := range a {
		sum += a[k] * b[k]
	}
	return sum
}

// cosine is 0 when either vector is.
func cosine(a, b []float64) float64 {
	length := math.Sqrt(dot(a, a)) * math.Sqrt(dot(b, b))
	if length == 0 {
		return 0
	}
	return dot(a, b) / length
}

// softmax sets dst to e^{β_k x_k}/Σ e^{β_l x_l}.
func softmax(dst, x []float64, beta func(k int) float64) {
	top, sum := math.Inf(-1), 0.0
	for k := range x {
		top = math.Max(top, beta(k)*x[k])
	}
	for k := range x {
		dst[k] = math.Exp(beta(k)*x[k] - top)
		sum += dst[k]
	}
	for k := range dst {
		dst[k] /= sum
	}
}

// alphaHat is F_j α, or α (8).
func (r *rule) alphaHat(i int) float64 {
	switch {
	case !r.attends():
		return 1
	case !r.FanIn:
		return r.syn[i].alpha
	}
	return float64(len(r.group.inputs[r.p.syn[i].target])) * r.syn[i].alpha
}

// similarity is s_ij of synapse i to the context of its neuron.
func (r *rule) similarity(i int) float64 {
	y := &r.p.syn[i]
	c := r.group.context[y.target]
	if r.Dot {
		return dot(r.v[y.source], c)
	}
	return cosine(r.v[y.source], c)
}

// attend adds the post spikes at t_n to the contexts of their neurons, each with
// what drove it, c_j += Σ_i x̂_i v_i, lets cycles start, after that, and computes
// every α anew, unless it is held for a cycle.
func (e *Engine) attend() {
	for _, g := range e.groups {
		for j, in := range g.inputs {
			if len(in) == 0 || !g.looks {
				continue
			}
			if !g.rules[0].Rates {
				y := &in[0].r.p.syn[in[0].i]
				for range in[0].r.p.tgt.spikesAt(e.n - y.dendritic)[j] {
					for _, x := range in {
						v := x.r.v[x.r.p.syn[x.i].source]
						for k := range v {
							g.context[j][k] += x.r.syn[x.i].mark * v[k]
						}
					}
				}
			}
		}
		for _, r := range g.rules {
			if r.starts {
				e.startCycle(r)
			}
		}
		for j, in := range g.inputs {
			if first := g.rules[0]; len(in) > 0 && g.looks && (!first.AlphaCycle || first.starts) {
				g.attend(j)
			}
		}
	}
	e.watchInputs()
}

// attend computes α of all inputs of neuron j.
func (g *group) attend(j int) {
	in := g.inputs[j]
	s, alpha := make([]float64, len(in)), make([]float64, len(in))
	for k, x := range in {
		s[k] = x.r.similarity(x.i)
	}
	softmax(alpha, s, func(k int) float64 { return in[k].r.BetaA })
	for k, x := range in {
		x.r.syn[x.i].alpha = alpha[k]
	}
}

// contextOfRates moves the contexts of rate units in whose group an input or the
// output changes at t, by the values that held until then,
// c_j ← c_j e^{−Δ/τ} + (1 − e^{−Δ/τ}) z_j Σ_i x_i v_i. It is called by each rule
// of a group and acts for the first.
func (e *Engine) contextOfRates(r *rule, t event.Time) {
	g := r.group
	if g == nil || !g.looks || g.rules[0] != r {
		return
	}
	for j, in := range g.inputs {
		changed := false
		for _, x := range in {
			s, y := &x.r.syn[x.i], &x.r.p.syn[x.i]
			changed = changed || s.x != x.r.p.src.outAt(e.n - y.axonal)[y.source] || s.z != x.r.p.tgt.outAt(e.n - y.dendritic)[y.target]
		}
		if !changed {
			continue
		}
		keep := math.Exp(-ms(t-g.since[j]) / r.TauCtx)
		g.since[j] = t
		c := g.context[j]
		for k := range c {
			sum := 0.0
			for _, x := range in {
				s := &x.r.syn[x.i]
				sum += s.z * s.x * x.r.v[x.r.p.syn[x.i].source][k]
			}
			c[k] = c[k]*keep + (1-keep)*sum
		}
	}
}

// sum is the context of the whole population, Σ_j c_j.
func (g *group) sum() []float64 {
	sum := make([]float64, len(g.context[0]))
	for _, c := range g.context {
		for k := range c {
			sum[k] += c[k]
		}
	}
	return sum
}

func (e *Engine) decayContexts() {
	for _, g := range e.groups {
		if g.rules[0].Rates {
			continue
		}
		for _, c := range g.context {
			for k := range c {
				c[k] *= g.decay
			}
		}
	}
}

// watchInputs adds up the inputs of the cycle for learned embeddings.
func (e *Engine) watchInputs() {
	for _, r := range e.rules {
		if r.raw == nil {
			continue
		}
		for i := range r.seen {
			if r.Rates {
				r.seen[i] += r.p.src.outAt(e.n)[i] * e.h
			} else {
				r.seen[i] += float64(r.p.src.spikesAt(e.n)[i])
			}
		}
	}
}

// startCycle lets learned embeddings take one step of Oja's subspace rule,
// V += η_h (y x̄ᵀ − y yᵀ V) with y = V x̄. x̄ is the mean output of each source over
// the cycle, or its number of spikes; what is sent at the start itself belongs to
// the cycle that begins.
func (e *Engine) startCycle(r *rule) {
	if r.raw == nil {
		return
	}
	if span := e.h * float64(e.n-r.since); r.Rates && span > 0 {
		for i := range r.seen {
			r.seen[i] /= span
		}
	}
	oja(r.raw, r.seen, r.EtaH)
	for i, v := range r.raw {
		r.v[i] = unitVector(v)
	}
	clear(r.seen)
	r.since = e.n
}

// oja is one step of Oja's subspace rule; v[i] is column i of V.
func oja(v [][]float64, x []float64, eta float64) {
	if len(v) == 0 {
		return
	}
	y := make([]float64, len(v[0]))
	for i := range v {
		for k := range y {
			y[k] += v[i][k] * x[i]
		}
	}
	for i := range v {
		back := dot(y, v[i])
		for k := range y {
			v[i][k] += eta * y[k] * (x[i] - back)
		}
	}
}
