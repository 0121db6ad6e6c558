package network

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"hmn/event/quantity"
	"hmn/neuron"
	"hmn/synapse"
	"hmn/synapse/hmn"
)

// Fault is one thing that is wrong with the learning part of a description.
type Fault struct {
	Table string // as in a model file: simulation, projection, modulator, meta, record or task
	Index int    // of the entry among those of its kind
	Key   string // at fault, "synapse.w_max" for one of the rule's; "" = the entry as a whole
	Err   error
}

// in is the fault as an error of Check.
func (f Fault) in(m *Model) error {
	switch f.Table {
	case "projection":
		return fmt.Errorf("network: projection %q: %w", m.Projections[f.Index].Name, f.Err)
	case "modulator":
		return fmt.Errorf("network: modulator %q: %w", m.Modulators[f.Index].Name, f.Err)
	case "record":
		return fmt.Errorf("network: record %d (%s): %w", f.Index, m.Records[f.Index].What, f.Err)
	}
	return fmt.Errorf("network: %s: %w", f.Table, f.Err)
}

// LearningFaults lists what is wrong with the engine, the plastic projections,
// the modulators, meta-learning and the task of a model whose populations and
// static parts Check accepts. Check returns the first of them; a loader can say
// where in its file each one stands.
func (m *Model) LearningFaults() []Fault {
	c := &learningChecker{m: m}
	c.engine()
	for i := range m.Projections {
		c.projection(i)
	}
	c.junctions()
	c.groups()
	c.modulators()
	c.meta()
	c.records()
	c.task()
	return c.faults
}

type learningChecker struct {
	m       *Model
	faults  []Fault
	plastic []plasticProjection // those without faults so far
}

// plasticProjection is one projection under the rule hmn with its parameters.
type plasticProjection struct {
	index int
	par   hmn.Params
	sign  int // of its weights; 0 when all are 0
}

func (c *learningChecker) fault(table string, index int, key, format string, args ...any) {
	c.faults = append(c.faults, Fault{table, index, key, fmt.Errorf(format, args...)})
}

func (c *learningChecker) engine() {
	s := &c.m.Simulation
	switch s.Engine {
	case "", EngineEvent:
		if s.Dt != 0 {
			c.fault("simulation", 0, "dt", "dt = %v ms, but the event engine has no steps: leave dt out, or set engine = %q", s.Dt, EngineClocked)
		}
	case EngineClocked:
		if s.Dt <= 0 {
			c.fault("simulation", 0, "dt", "engine = %q needs dt, a positive step, got %v ms", s.Engine, s.Dt)
		}
		for i := range c.m.Populations {
			if nm, ok := neuron.Lookup(c.m.Populations[i].Model); ok && nm.Grid != nil {
				c.fault("population", i, "model", "model %s has a grid of time of its own, want engine = %q", nm.Name, EngineEvent)
			}
		}
	default:
		c.fault("simulation", 0, "engine", "unknown engine %q, want %s or %s", s.Engine, EngineEvent, EngineClocked)
	}
}

// Learns reports whether the synapses of projection p change under a learning rule.
func (m *Model) Learns(p int) bool {
	sm, ok := synapse.Lookup(m.Projections[p].Synapse)
	return ok && sm.Learning != nil
}

// sendsLevels tells rate units and level sources from what spikes.
func sendsLevels(k neuron.Kind) bool { return k == neuron.Rate || k == neuron.LevelSource }

// projection checks one projection under a learning rule.
func (c *learningChecker) projection(i int) {
	m, p := c.m, &c.m.Projections[i]
	sm, ok := synapse.Lookup(p.Synapse)
	if !ok {
		return
	}
	if si := m.findPopulation(p.Source); si >= 0 {
		if key, err := p.transmissionFault(sendsLevels(m.kind(si))); err != nil {
			c.fault("projection", i, "synapse."+key, "%w", err)
			return
		}
	}
	if sm.Learning == nil {
		if len(p.Embedding) > 0 {
			c.fault("projection", i, "synapse.embedding_file", "embedding vectors are given, but synapse model %s does not learn", sm.Name)
		}
		if p.EdgePhases {
			c.fault("projection", i, "edges_file", "phases of edges are given, but synapse model %s has no phase", sm.Name)
		}
		return
	}
	si, ti := m.findPopulation(p.Source), m.findPopulation(p.Target)
	if si < 0 || ti < 0 {
		return // reported with the projection itself
	}
	rates := sendsLevels(m.kind(si))
	if rates != sendsLevels(m.kind(ti)) || !sm.Learning.Joins.Has(rates) {
		c.fault("projection", i, "target", "synapse model %s joins %s: source %q is of model %s, target %q of model %s",
			sm.Name, sm.Learning.Joins, p.Source, m.Populations[si].Model, p.Target, m.Populations[ti].Model)
		return
	}
	if sm.Check != nil {
		if key, err := sm.Check(p.SynapseParams, rates); err != nil {
			c.fault("projection", i, "synapse."+key, "%w", err)
			return
		}
	}
	if sm.Learning.Watch != nil && !c.watch(i, ti, sm) {
		return
	}
	before := len(c.faults)
	sign := c.weights(i, sm.Learning, rates)
	if sm.Name != hmn.Name {
		if len(p.Embedding) > 0 {
			c.fault("projection", i, "synapse.embedding_file", "embedding vectors are given, but synapse model %s has none", sm.Name)
		}
		if p.EdgePhases {
			c.fault("projection", i, "edges_file", "phases of edges are given, but synapse model %s has no phase", sm.Name)
		}
		c.drive(i, sm.Learning)
		if m.Simulation.Engine == EngineClocked {
			c.fault("projection", i, "synapse.model", "synapse model %s is not known to the clocked engine, want %s, or engine = %q", sm.Name, hmn.Name, EngineEvent)
		}
		return
	}
	par, err := hmn.Resolve(p.SynapseParams, rates)
	if err != nil {
		c.fault("projection", i, "synapse", "%w", err)
		return
	}
	if par.Update == hmn.Step && m.Simulation.Engine != EngineClocked {
		c.fault("projection", i, "synapse.update", `update = "step" applies candidates once per step, and only the clocked engine has steps: set engine = "clocked" and dt, or update = "window"`)
	}
	c.phases(i)
	c.embedding(i, &par, m.Populations[si].N)
	c.globalAttention(i, &par)
	if len(c.faults) == before {
		c.plastic = append(c.plastic, plasticProjection{i, par, sign})
	}
}

// watch checks a rule that depends on the potential of its targets, and says
// whether they have one that can be watched.
func (c *learningChecker) watch(i, ti int, sm *synapse.Model) bool {
	m, p := c.m, &c.m.Projections[i]
	t := &m.Populations[ti]
	nm, ok := neuron.Lookup(t.Model)
	if !ok {
		return false
	}
	if nm.Watched == nil {
		var can []string
		for _, name := range neuron.Names() {
			if x, _ := neuron.Lookup(name); x.Watched != nil {
				can = append(can, name)
			}
		}
		c.fault("projection", i, "target", "synapse model %s needs the potential of its targets between events, which model %s of %q does not have: want one of %s",
			sm.Name, t.Model, t.Name, strings.Join(can, ", "))
		return false
	}
	if h := nm.Number(t.Params, "fixed_step"); h > 0 {
		c.fault("projection", i, "target", "synapse model %s needs targets with adaptive steps, but %q has fixed_step = %g ms", sm.Name, t.Name, h)
	}
	if m.coupled(ti) {
		c.fault("projection", i, "target", "synapse model %s does not know the potential of neurons with gap junctions, and %q has some", sm.Name, t.Name)
	}
	if x, ok := p.Dendritic.fixed(); ok && x == 0 && p.Rule != EdgeList {
		c.fault("projection", i, "dendritic_delay", "dendritic_delay = 0 ms, want more: under %s a synapse sees the potential of its target a dendritic delay late", sm.Name)
	}
	for k := range i {
		q := &m.Projections[k]
		other, ok := synapse.Lookup(q.Synapse)
		if ok && other.Learning != nil && other.Learning.Watch != nil && q.Target == p.Target && other.Learning.Watch(q.SynapseParams) != sm.Learning.Watch(p.SynapseParams) {
			c.fault("projection", i, "synapse", "synapse model %s: time constants, thresholds and clamp differ from those of projection %q onto the same population, want the same: they belong to the targets", sm.Name, q.Name)
			break
		}
	}
	return true
}

// drive checks what a modulated rule needs of the modulators.
func (c *learningChecker) drive(i int, rule *synapse.Learning) {
	if rule.CheckDrive == nil {
		return
	}
	decaying, held := 0, 0
	for k := range c.m.Modulators {
		if c.m.Modulators[k].Hold {
			held++
		} else {
			decaying++
		}
	}
	if key, err := rule.CheckDrive(c.m.Projections[i].SynapseParams, decaying, held); err != nil {
		c.fault("projection", i, "synapse."+key, "%w", err)
	}
}

// weights checks that the initial weights lie within the bounds and have one
// sign, which it returns.
func (c *learningChecker) weights(i int, rule *synapse.Learning, rates bool) (sign int) {
	p := &c.m.Projections[i]
	least, most := rule.Bounds(p.SynapseParams, rates)
	if least < 0 {
		c.signedWeights(i, least, most)
		return 0
	}
	within := fmt.Sprintf("want a magnitude from w_min = %g to w_max = %g", least, most)
	signOf := func(x float64) int {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return 0
	}
	drawn := p.Rule != EdgeList
	for k := range p.Edges {
		e := &p.Edges[k]
		if math.IsNaN(e.Weight) {
			drawn = true
			continue
		}
		if a := math.Abs(e.Weight); !(a >= least && a <= most) {
			c.fault("projection", i, "edges_file", "edge %d, from %s %d to %s %d: weight %g, %s", k, p.Source, e.Source, p.Target, e.Target, e.Weight, within)
			return 0
		}
		s := signOf(e.Weight)
		if s*sign < 0 {
			c.fault("projection", i, "edges_file", "edge %d, from %s %d to %s %d: weight %g after weights of the other sign, want one sign: the rule changes magnitudes only", k, p.Source, e.Source, p.Target, e.Target, e.Weight)
			return 0
		}
		if s != 0 {
			sign = s
		}
	}
	if !drawn {
		return sign
	}
	lo, hi := p.Weight.bounds()
	if p.Weight.Form == Normal && p.Weight.B == 0 {
		if x, ok := p.Weight.fixed(); ok {
			lo, hi = x, x
		}
	}
	infinite := math.IsInf(lo, 0) || math.IsInf(hi, 0)
	switch {
	case infinite:
		c.fault("projection", i, "weight", "weight %s: draws have no limit, %s: give min and max", p.Weight.String(), within)
	case lo < 0 && hi > 0:
		c.fault("projection", i, "weight", "weight %s: draws of both signs, want one sign: the rule changes magnitudes only", p.Weight.String())
	case !(min(math.Abs(lo), math.Abs(hi)) >= least && max(math.Abs(lo), math.Abs(hi)) <= most):
		c.fault("projection", i, "weight", "weight %s, %s", p.Weight.String(), within)
	case (lo < 0 || hi < 0) && sign > 0, hi > 0 && sign < 0:
		c.fault("projection", i, "weight", "weight %s beside edges of the other sign, want one sign: the rule changes magnitudes only", p.Weight.String())
	case hi > 0:
		return 1
	case lo < 0:
		return -1
	}
	return sign
}

// signedWeights is weights for a rule under which weights may have either sign.
func (c *learningChecker) signedWeights(i int, least, most float64) {
	p := &c.m.Projections[i]
	drawn := p.Rule != EdgeList
	for k := range p.Edges {
		e := &p.Edges[k]
		if math.IsNaN(e.Weight) {
			drawn = true
		} else if !(e.Weight >= least && e.Weight <= most) {
			c.fault("projection", i, "edges_file", "edge %d, from %s %d to %s %d: weight %g, want w_min = %g to w_max = %g", k, p.Source, e.Source, p.Target, e.Target, e.Weight, least, most)
			return
		}
	}
	if lo, hi := p.Weight.bounds(); drawn && !(lo >= least && hi <= most) {
		c.fault("projection", i, "weight", "weight %s, want w_min = %g to w_max = %g", p.Weight.String(), least, most)
	}
}

func (c *learningChecker) phases(i int) {
	p := &c.m.Projections[i]
	if !p.EdgePhases {
		return
	}
	if p.Rule != EdgeList {
		c.fault("projection", i, "rule", "phases of edges need rule %s, not %s", EdgeList, p.Rule)
		return
	}
	for k := range p.Edges {
		if e := &p.Edges[k]; !(e.Phase >= 0 && e.Phase < 2*math.Pi) {
			c.fault("projection", i, "edges_file", "edge %d, from %s %d to %s %d: phase %g rad, want ≥ 0 and < 2π", k, p.Source, e.Source, p.Target, e.Target, e.Phase)
			return
		}
	}
}

// embedding checks the vectors of embedding = "given".
func (c *learningChecker) embedding(i int, par *hmn.Params, sources int) {
	p := &c.m.Projections[i]
	const key = "synapse.embedding_file"
	given := par.Embedding == "given"
	if n := len(p.Embedding); !given && n > 0 {
		c.fault("projection", i, key, "embedding vectors are given, but embedding = %q does not read them", par.Embedding)
		return
	} else if !given {
		return
	} else if n == 0 {
		if attends(par) {
			c.fault("projection", i, "synapse.embedding", `embedding = "given" without vectors: attention needs an embedding_file`)
		}
		return
	} else if n != sources {
		c.fault("projection", i, key, "%d embedding vectors, want one for each of the %d neurons of source %q", n, sources, p.Source)
		return
	}
	for k, v := range p.Embedding {
		if len(v) != par.EmbedDim {
			c.fault("projection", i, key, "embedding vector of neuron %d has %d numbers, want embed_dim = %d", k, len(v), par.EmbedDim)
			return
		}
		for _, x := range v {
			if !(math.Abs(x) <= 1e150) {
				c.fault("projection", i, key, "embedding vector of neuron %d: %g, want finite numbers", k, x)
				return
			}
		}
	}
}

// attends reports whether anything depends on embeddings.
func attends(par *hmn.Params) bool {
	return par.BetaA > 0 || par.BetaG > 0 && par.Relevance == "vector"
}

// globalAttention checks what Eqs. 10–11 need of the modulators.
func (c *learningChecker) globalAttention(i int, par *hmn.Params) {
	if !(par.BetaG > 0) {
		return
	}
	if len(c.m.Modulators) == 0 {
		c.fault("projection", i, "synapse.beta_g", "beta_g = %g, but the model has no modulator to attend to: add one, or set beta_g = 0", par.BetaG)
		return
	}
	if par.Relevance != "vector" {
		return
	}
	for k := range c.m.Modulators {
		if d := &c.m.Modulators[k]; len(d.U) == 0 {
			c.fault("modulator", k, "", `has no u, which relevance = "vector" of projection %q needs: embed_dim = %d numbers`, c.m.Projections[i].Name, par.EmbedDim)
		} else if len(d.U) != par.EmbedDim {
			c.fault("modulator", k, "u", "u has %d numbers, want embed_dim = %d of projection %q", len(d.U), par.EmbedDim, c.m.Projections[i].Name)
		}
	}
}

// groups checks that projections whose synapses share a softmax agree in what
// they share: the context c_j of a neuron, how α follows from it, and when.
func (c *learningChecker) groups() {
	type group struct {
		target, name string
		negative     bool
	}
	key := func(q *plasticProjection) group {
		g := group{target: c.m.Projections[q.index].Target, name: q.par.Group}
		g.negative = g.name == "" && q.sign < 0
		return g
	}
	attended := map[group]bool{}
	cycles := map[group]bool{} // α or the embedding changes at cycle starts
	for k := range c.plastic {
		q := &c.plastic[k]
		g := key(q)
		attended[g] = attended[g] || attends(&q.par)
		cycles[g] = cycles[g] || q.par.AlphaCycle || q.par.Embedding == "oja"
	}
	first := map[group]*plasticProjection{}
	for k := range c.plastic {
		q := &c.plastic[k]
		g := key(q)
		if !attended[g] {
			continue
		}
		p := &c.m.Projections[q.index]
		if bad, key := c.mixedDendritic(p); bad != "" {
			c.fault("projection", q.index, key, "%s, want one for all: with attention all synapses of a neuron see its spikes at one time", bad)
			continue
		}
		f, ok := first[g]
		if !ok {
			first[g] = q
			continue
		}
		other := &c.m.Projections[f.index]
		a, b := shared(&f.par), shared(&q.par)
		for i := range a {
			if x, y := a[i].value, b[i].value; x != y && (cycles[g] || !a[i].ofCycles) {
				c.fault("projection", q.index, "synapse."+a[i].key, "%s = %v, but %v in projection %q, which shares its softmax onto %q: want equal ones, or another group", a[i].key, y, x, other.Name, p.Target)
			}
		}
		if d, e := c.dendritic(other), c.dendritic(p); d != e {
			c.fault("projection", q.index, "dendritic_delay", "dendritic delay %g ms, but %g ms in projection %q, which shares its softmax onto %q: want equal ones, or another group", e, d, other.Name, p.Target)
		}
	}
}

// sharedKey is a parameter in which the projections of a group must agree;
// ofCycles: only where something happens at cycle starts.
type sharedKey struct {
	key      string
	value    any
	ofCycles bool
}

func shared(p *hmn.Params) []sharedKey {
	similarity, hold, gain := "cosine", "post", "none"
	if p.Dot {
		similarity = "dot"
	}
	if p.AlphaCycle {
		hold = "cycle"
	}
	if p.FanIn {
		gain = "fan_in"
	}
	return []sharedKey{
		{"embed_dim", p.EmbedDim, false}, {"beta_a", p.BetaA, false}, {"tau_ctx", p.TauCtx, false}, {"tau_plus", p.TauPlus, false},
		{"similarity", similarity, false}, {"alpha_hold", hold, false}, {"alpha_gain", gain, false},
		{"osc_hz", p.OscHz, true}, {"osc_phase", p.OscPhase, true},
	}
}

// dendritic is the one dendritic delay of a projection [ms].
func (c *learningChecker) dendritic(p *Projection) float64 {
	if p.Rule == EdgeList && len(p.Edges) > 0 && p.Edges[0].Dendritic != FromProjection {
		return p.Edges[0].Dendritic.MS()
	}
	x, _ := p.Dendritic.fixed()
	return x
}

// mixedDendritic says what is wrong with a projection whose dendritic delays
// may differ, "" if they do not, and the key that gives them.
func (c *learningChecker) mixedDendritic(p *Projection) (bad, key string) {
	if p.Rule == EdgeList {
		for k := range p.Edges {
			if a, b := p.Edges[0].Dendritic, p.Edges[k].Dendritic; a != b {
				return fmt.Sprintf("dendritic delays of edges differ (edge 0 and edge %d)", k), "edges_file"
			}
		}
		if len(p.Edges) == 0 || p.Edges[0].Dendritic != FromProjection {
			return "", ""
		}
	}
	if _, ok := p.Dendritic.fixed(); !ok {
		return "dendritic delays " + p.Dendritic.String() + " ms", "dendritic_delay"
	}
	return "", ""
}

func (c *learningChecker) modulators() {
	m := c.m
	taken := map[string]bool{}
	for i := range m.Modulators {
		d := &m.Modulators[i]
		bad := func(key, format string, args ...any) { c.fault("modulator", i, key, format, args...) }
		switch {
		case d.Name == "":
			bad("name", "number %d has no name", i)
		case taken[d.Name]:
			bad("name", "the name is used twice")
		}
		taken[d.Name] = true
		if !d.Hold && !(d.Tau > 0 && d.Tau <= math.MaxFloat64) {
			bad("tau", `tau %g ms, want > 0 ms or "hold"`, d.Tau)
		}
		if d.HasW && !(math.Abs(d.W) <= 1e100) {
			bad("w", "w = %g, want a finite number up to 1e100", d.W)
		}
		if d.Delay < 0 {
			bad("delay", "delay %v ms, want ≥ 0 ms", d.Delay)
		}
		for k, j := range d.Events {
			if j.At < 0 || k > 0 && j.At < d.Events[k-1].At {
				bad("events", "event %d at %v ms, want times ≥ 0 ms in ascending order", k, j.At)
				break
			}
			if !(math.Abs(j.Amount) <= math.MaxFloat64) {
				bad("events", "event %d: jump %g, want a finite number", k, j.Amount)
				break
			}
		}
		if d.Source != "" {
			switch s := m.findPopulation(d.Source); {
			case s < 0:
				bad("source.population", "unknown source population %q", d.Source)
			case m.kind(s) != neuron.Spiking && m.kind(s) != neuron.SpikeSource:
				bad("source.population", "source population %q (%s) sends no spikes", d.Source, m.Populations[s].Model)
			case !(math.Abs(d.SourceJump) <= math.MaxFloat64):
				bad("source.jump", "jump %g, want a finite number", d.SourceJump)
			}
		}
		if d.Builtin != "" {
			switch {
			case !slices.Contains(Builtins, d.Builtin):
				bad("builtin", "unknown builtin %q, want one of %v", d.Builtin, Builtins)
			case m.Task == nil:
				bad("builtin", "reward modulator without source: builtin = %q is computed from what a task reports, and the model has no task", d.Builtin)
			case d.Builtin == Uncertainty && !d.Hold:
				bad("tau", `tau = %g ms, but builtin = %q holds its value: want tau = "hold"`, d.Tau, d.Builtin)
			}
		}
		if d.Events == nil && d.Source == "" && d.Builtin == "" && m.Task == nil {
			bad("", "nothing drives it: want events_file, events, source or builtin, or a task")
		}
		if d.U != nil {
			norm := 0.0
			for _, x := range d.U {
				norm = max(norm, math.Abs(x))
				if !(math.Abs(x) <= 1e150) {
					norm = math.NaN()
					break
				}
			}
			if !(norm > 0) {
				bad("u", "u = %v, want finite numbers that are not all 0", d.U)
			}
		}
	}
}

// Estimators lists the estimators of the meta gradient, the default first.
var Estimators = []string{SPSA, FiniteDifference, Reinforce}

// wholeCycles is how far a meta period may be from a whole number of cycles,
// relative to it: frequencies are decimal numbers, periods whole picoseconds.
const wholeCycles = 1e-9

func (c *learningChecker) meta() {
	g := c.m.Meta
	if g == nil {
		return
	}
	bad := func(key, format string, args ...any) { c.fault("meta", 0, key, format, args...) }
	if !slices.Contains(Estimators, g.Estimator) {
		bad("estimator", "unknown estimator %q, want one of %v", g.Estimator, Estimators)
	}
	for _, q := range []struct {
		key  string
		x    float64
		zero bool
	}{{"c", g.C, false}, {"sigma", g.Sigma, false}, {"alpha_local", g.AlphaLocal, true}, {"alpha_global", g.AlphaGlobal, true}} {
		if q.zero && !(q.x >= 0 && q.x <= math.MaxFloat64) {
			bad(q.key, "%s = %g, want ≥ 0", q.key, q.x)
		} else if !q.zero && !(q.x > 0 && q.x <= 10) {
			bad(q.key, "%s = %g, want > 0 and ≤ 10", q.key, q.x)
		}
	}
	if !(g.MinFactor > 0 && g.MinFactor <= 1 && g.MaxFactor >= 1 && g.MaxFactor <= math.MaxFloat64) {
		bad("", "η may be %g to %g times its first value, want limits > 0 that include 1", g.MinFactor, g.MaxFactor)
	}
	if g.Loss == "" {
		bad("loss", "loss is empty, want %s, %s or a loss of the task", hmn.NegMeanReward, hmn.MeanSquaredRPE)
	}
	plastic := slices.IndexFunc(c.m.Projections, func(p Projection) bool { return p.Synapse == hmn.Name }) >= 0
	if on := g.AlphaLocal > 0 || g.AlphaGlobal > 0; on && !plastic {
		bad("", "alpha > 0, but no projection is of synapse model %s: there is no learning rate to change", hmn.Name)
	} else if on && c.m.Task == nil {
		bad("loss", "loss %q is computed from what a task reports, and the model has no task: set alpha_local and alpha_global to 0", g.Loss)
	}
	switch {
	case g.Period < 0 || g.Trials < 0 || (g.Period > 0) == (g.Trials > 0):
		bad("period", "period of %v ms and %d trials, want one of the two to be positive", g.Period, g.Trials)
	case g.Trials > 0 && c.m.Task == nil:
		bad("period", "period of %d trials, but the model has no task: want a time", g.Trials)
	case g.Period > 0:
		for _, q := range c.plastic {
			n := float64(g.Period.Seconds() * q.par.OscHz)
			if near := math.Round(n); near < 1 || math.Abs(n-near) > float64(wholeCycles*near) {
				bad("period", "period %v ms is %.9g cycles of the %g Hz oscillation of projection %q, want a whole number of them", g.Period, n, q.par.OscHz, c.m.Projections[q.index].Name)
				break
			}
		}
	}
}

func (c *learningChecker) task() {
	t := c.m.Task
	if t == nil {
		return
	}
	tm, ok := LookupTask(t.Name)
	if !ok {
		c.fault("task", 0, "name", "unknown task %q, want one of %v", t.Name, TaskNames())
		return
	}
	if key, err := quantity.CheckAll("task "+t.Name, tm.Params, t.Params); err != nil {
		c.fault("task", 0, key, "%w", err)
		return
	}
	if c.m.Simulation.Engine == EngineClocked {
		c.fault("task", 0, "", "the clocked engine has no tasks, want engine = %q", EngineEvent)
		return
	}
	if tm.Check == nil || len(c.faults) > 0 {
		return
	}
	if key, err := tm.Check(t.Params, c.m); err != nil {
		c.fault("task", 0, key, "%w", err)
	}
}

// records checks what depends on the engine and on synapse models.
func (c *learningChecker) records() {
	s := &c.m.Simulation
	for i := range c.m.Records {
		r := &c.m.Records[i]
		if s.Engine == EngineClocked && r.Every > 0 && r.Every < s.Dt {
			c.fault("record", i, "every", "every = %v ms, want at least dt = %v ms of the clocked engine", r.Every, s.Dt)
		}
		if !slices.Contains(PerSynapse, r.What) && !slices.Contains(PerProjection, r.What) {
			continue
		}
		if p := c.m.FindProjection(r.Of); p >= 0 && c.m.Learns(p) {
			sm, _ := synapse.Lookup(c.m.Projections[p].Synapse)
			c.signal(i, r, sm)
		}
	}
}

// signal refuses records of what a synapse model does not have.
func (c *learningChecker) signal(i int, r *Record, sm *synapse.Model) {
	have := append([]string{RecordWeight}, sm.Learning.Signals...)
	if sm.Learning.Log {
		have = append(have, RecordUpdates, RecordCandidate)
	}
	if sm.Name == hmn.Name {
		have = append(have, PerProjection...)
	}
	switch {
	case slices.Contains(have, r.What):
	case r.What == RecordUpdates:
		c.fault("record", i, "every", "updates of %q: its weights change at every spike (synapse model %s) and have no log: give every, to sample weight", r.Of, sm.Name)
	default:
		c.fault("record", i, "what", "%s of %q: synapse model %s has none, want one of %v", r.What, r.Of, sm.Name, have)
	}
}

// SynapseCount is the number of synapses of projection p where the rule fixes
// it, and whether it does.
func (m *Model) SynapseCount(p int) (n int64, fixed bool) {
	pr := &m.Projections[p]
	si, ti := m.findPopulation(pr.Source), m.findPopulation(pr.Target)
	if si < 0 || ti < 0 {
		return 0, false
	}
	ns, nt := int64(m.Populations[si].N), int64(m.Populations[ti].N)
	if ns > math.MaxInt32 || nt > math.MaxInt32 {
		return 0, false // products may overflow; such a network is never built
	}
	switch pr.Rule {
	case OneToOne:
		return ns, true
	case AllToAll:
		if si == ti && !pr.Autapses {
			return ns*nt - ns, true
		}
		return ns * nt, true
	case FixedInDegree:
		return nt * int64(pr.Degree), true
	case FixedOutDegree:
		return ns * int64(pr.Degree), true
	case FixedTotalNumber:
		return pr.Total, true
	case EdgeList:
		return int64(len(pr.Edges)), true
	}
	return 0, false
}

// What can be recorded of a projection that learns, by the shape of the record.
var (
	// PerSynapse have one column per synapse, or are lists of what happened to
	// synapses; Subset selects synapses by their place in Synapses.
	PerSynapse = []string{RecordWeight, RecordEligibility, RecordEligibilityFast, RecordEligibilitySlow, RecordGate, RecordAlpha, RecordUpdates, RecordCandidate}
	// PerProjection have a few columns for the whole projection.
	PerProjection = []string{RecordG, RecordGPrime, RecordGamma, RecordEta}
	// RecordWords lists everything that can be recorded.
	RecordWords = slices.Concat([]string{RecordSpikes, RecordVm, RecordISyn, RecordRate}, PerSynapse, []string{RecordModulator}, PerProjection, []string{RecordTrials})
	// AtEvents are recorded when they happen, without an interval.
	AtEvents = []string{RecordSpikes, RecordUpdates, RecordCandidate, RecordTrials}
)

// checkLearningRecord checks a record of a projection, a modulator or the task;
// ok is false for records of populations.
func (m *Model) checkLearningRecord(r *Record) (ok bool, err error) {
	per, whole := slices.Contains(PerSynapse, r.What), slices.Contains(PerProjection, r.What)
	many := int64(-1)
	switch {
	case per, whole:
		p := m.FindProjection(r.Of)
		if p < 0 {
			return true, fmt.Errorf("%s of unknown projection %q", r.What, r.Of)
		}
		if !m.Learns(p) {
			return true, fmt.Errorf("%s of %q: synapse model %s does not learn", r.What, r.Of, m.Projections[p].Synapse)
		}
		if n, fixed := m.SynapseCount(p); fixed {
			many = n
		}
	case r.What == RecordModulator:
		if m.FindModulator(r.Of) < 0 {
			return true, fmt.Errorf("%s: unknown modulator %q", r.What, r.Of)
		}
	case r.What == RecordTrials:
		if m.Task == nil || m.Task.Name != r.Of {
			return true, fmt.Errorf("%s of %q: the model has no such task", r.What, r.Of)
		}
	default:
		return false, nil
	}
	if !per && r.Subset != nil {
		return true, fmt.Errorf("%s of %q: a subset is for records of synapses", r.What, r.Of)
	}
	for k, x := range r.Subset {
		if x < 0 || many >= 0 && int64(x) >= many {
			return true, fmt.Errorf("%s of %q: subset entry %d, want 0 to %d", r.What, r.Of, x, max(many, 1)-1)
		}
		if k > 0 && x <= r.Subset[k-1] {
			return true, fmt.Errorf("%s of %q: subset entry %d after %d, want ascending indices", r.What, r.Of, x, r.Subset[k-1])
		}
	}
	if slices.Contains(AtEvents, r.What) {
		return true, r.atEvents()
	}
	return true, r.checkTimes()
}
