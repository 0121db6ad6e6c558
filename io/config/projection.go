package config

import (
	"math"
	"slices"
	"strings"

	"hmn/event"
	"hmn/network"
	"hmn/neuron"
	"hmn/synapse"
)

// projection is a projection while the model is read.
type projection struct {
	network.Projection
	t              table
	source, target *population // nil when unknown
	unit           string      // of the weight; "" when unknown
	list           string      // what gives the edges, in messages
	delayNode      *node       // where the delay stands, for messages
	syn            table       // the synapse table; its node is nil when absent
	rule           *synapse.Model
	rates          bool    // between rate units or level sources
	joined         bool    // both ends are known and fit the synapse model
	bounds         *bounds // of the weights under a learning rule; nil when unknown
}

// projections reads all [[projection]] tables.
func (l *loader) projections() {
	taken := map[string]pos{}
	for i, n := range l.tables("projection") {
		t, ok := l.open(n, "projection", label("projection", n, i), n.pos)
		if !ok {
			continue
		}
		p := &projection{t: t}
		l.projs = append(l.projs, p)
		p.Name, _ = t.entryName(taken)
		l.synapseModel(p)
		l.ends(p)
		p.Autapses = t.boolean("autapses", true)
		p.Multapses = t.boolean("multapses", true)
		l.synapseParams(p)
		p.Rule, _ = t.word("rule", network.Rules)
		if p.Rule != "" {
			l.rule(p)
		}
		weights, axonal, dendritic := true, true, true
		edges, open := edgeList{}, true
		if p.Rule == network.EdgeList {
			edges, open = l.openEdges(p)
			weights, axonal, dendritic = edges.weight < 0, edges.axonal < 0, edges.dendritic < 0
		}
		if open {
			l.weight(p, weights)
			l.phaseColumn(p, edges)
			good := l.delays(p, axonal, dendritic)
			if p.Rule == network.EdgeList {
				l.readEdges(p, edges, good)
				l.junctionNotes(p)
			}
		}
		l.model.Projections = append(l.model.Projections, p.Projection)
	}
}

// ends reads source, target and receptor and refuses pairs that cannot work.
func (l *loader) ends(p *projection) {
	t := p.t
	if p.source = t.lookup("source"); p.source != nil {
		p.Source = p.source.Name
	}
	if p.target = t.lookup("target"); p.target != nil {
		p.Target = p.target.Name
	}
	if p.target == nil || p.target.model == nil {
		return
	}
	to := p.target.model
	isSource := to.Kind == neuron.SpikeSource || to.Kind == neuron.LevelSource
	if isSource && !p.learns() {
		t.wrong(t.n.get("target"), "target", "population %s (%s) is a source: it sends and receives nothing", quote(p.Target), p.target.Model)
		return
	}
	switch {
	case p.electrical():
		if t.has("receptor") {
			t.wrong(t.n.get("receptor"), "receptor", "a gap junction joins membranes and takes no receptor: leave it out")
		}
	case !t.has("receptor"):
	case isSource:
		t.wrong(t.n.get("receptor"), "receptor", "population %s (%s) is a source: it has no receptors", quote(p.Target), p.target.Model)
	default:
		p.Receptor, _ = t.word("receptor", to.Ports)
	}
	switch {
	case p.electrical():
		p.unit = "nS"
		return // network says which models have none
	case isSource:
		p.unit = "1" // the weight drives nothing
	default:
		p.unit = to.WeightUnit
	}
	if p.source == nil || p.source.model == nil {
		return
	}
	from := p.source.model
	at := t.n.get("source")
	if p.learns() {
		l.learningEnds(p)
		return
	}
	switch levels := from.Kind == neuron.Rate || from.Kind == neuron.LevelSource; {
	case levels && to.New != nil && !to.Currents:
		t.wrong(at, "source", "population %s (%s) sends levels, but population %s (%s) is of a model that receives spikes only", quote(p.Source), p.source.Model, quote(p.Target), p.target.Model)
	case from.Kind == neuron.Rate && to.Kind == neuron.Spiking:
		p.unit = "pA" // per unit of rate: a current, whatever spikes do to the target
	case from.Kind == neuron.LevelSource && to.Kind == neuron.Spiking:
		if u := levelUnit(from); u != "pA" {
			t.wrong(at, "source", "%s sends a level without unit, not a current: spiking neurons take step_current, ou_current and noise_current", p.source.Model)
		}
		p.unit = "1" // the level is in pA
	case from.Kind == neuron.LevelSource && to.Kind == neuron.Rate:
		if u := levelUnit(from); u != "1" {
			t.wrong(at, "source", "%s sends a current [%s]: rate units take step_rate", p.source.Model, u)
		}
	}
}

// levelUnit is the unit of what a level source sends.
func levelUnit(m *neuron.Model) string {
	for _, key := range []string{"amplitude", "mean"} {
		if q, ok := m.Param(key); ok {
			return q.Unit
		}
	}
	return ""
}

// rule reads the keys of the rule and refuses those of other rules.
func (l *loader) rule(p *projection) {
	t := p.t
	for _, k := range t.n.keys {
		if i := slices.IndexFunc(Keys, func(e Key) bool { return e.Path == "projection."+k }); i >= 0 && Keys[i].For != "" &&
			!slices.Contains(strings.Split(Keys[i].For, ", "), p.Rule) {
			l.errorf(t.n.item[k].key, "%s%s belongs to rule %s, not %s", t.label, k, strings.ReplaceAll(Keys[i].For, ", ", " or "), p.Rule)
		}
	}
	sources, targets := int64(-1), int64(-1)
	if p.source != nil && p.source.sized {
		sources = int64(p.source.N)
	}
	if p.target != nil && p.target.sized {
		targets = int64(p.target.N)
	}
	sized := sources >= 0 && targets >= 0
	same := p.source != nil && p.source == p.target
	self := int64(0) // partners that a neuron does not have: itself
	if same && !p.Autapses {
		self = 1
	}
	switch p.Rule {
	case network.OneToOne:
		if sized && sources != targets {
			t.wrong(t.n.get("rule"), "rule", "one_to_one joins populations of one size, but %s has n = %d and %s n = %d", quote(p.Source), sources, quote(p.Target), targets)
		} else if self == 1 {
			t.wrong(t.n.get("autapses"), "autapses", "false leaves no connection: one_to_one within a population joins each neuron to itself")
		}
	case network.PairwiseBernoulli:
		p.P, _ = t.number("p")
	case network.Distance:
		p.P, _ = t.number("p")
		l.profile(p)
	case network.FixedInDegree, network.FixedOutDegree:
		neurons := targets // with so many synapses each
		if p.Rule == network.FixedOutDegree {
			neurons = sources
		}
		d, ok := l.count(t, "degree", "synapses per neuron", bytesPerSynapse*float64(max(neurons, 1)))
		if !ok {
			return
		}
		p.Degree = int(d)
		partners, who := sources, "source"
		if p.Rule == network.FixedOutDegree {
			partners, who = targets, "target"
		}
		partners -= self
		if sized && d > 0 && partners == 0 {
			t.wrong(t.n.get("degree"), "degree", "%d, but without autapses there is no %s", d, who)
		} else if sized && !p.Multapses && d > partners {
			t.wrong(t.n.get("degree"), "degree", "%d, want at most %d: without multapses a neuron has one synapse per %s", d, partners, who)
		}
	case network.FixedTotalNumber:
		n, ok := l.count(t, "total", "synapses", bytesPerSynapse)
		if !ok {
			return
		}
		p.Total = n
		if !sized {
			return
		}
		pairs := sources*targets - self*sources
		if n > 0 && pairs == 0 {
			t.wrong(t.n.get("total"), "total", "%d, but without autapses there is no pair", n)
		} else if !p.Multapses && n > pairs {
			t.wrong(t.n.get("total"), "total", "%d, want at most %d: without multapses there is one synapse per pair", n, pairs)
		}
	}
}

// profile reads the profile of rule distance and asks for positions.
func (l *loader) profile(p *projection) {
	dim := 0
	for _, end := range []struct {
		key string
		p   *population
	}{{"source", p.source}, {"target", p.target}} {
		if end.p == nil || !end.p.sized {
			continue
		}
		if !end.p.t.has("positions") {
			p.t.wrong(p.t.n.get("rule"), "rule", "distance needs positions, but population %s has none", quote(end.p.Name))
			continue
		}
		if dim > 0 && end.p.Dim > 0 && dim != end.p.Dim {
			p.t.wrong(p.t.n.get("rule"), "rule", "positions of %s have %d coordinates, those of %s have %d", quote(p.Source), dim, quote(p.Target), end.p.Dim)
		}
		dim = end.p.Dim
	}
	n := p.t.n.get("profile")
	if n == nil {
		p.t.missing("profile")
		return
	}
	t, ok := l.open(n, "projection.profile", p.t.label+"profile: ", n.pos)
	if !ok {
		return
	}
	p.Profile.Shape, _ = t.word("shape", network.Profiles)
	p.Profile.Sigma, _ = t.number("sigma")
	p.Profile.Radius, _ = t.number("radius")
	if t.has("periodic") {
		var d int
		if p.Profile.Extent, d, ok = t.lengths("periodic", true); ok && dim > 0 && d != dim {
			t.wrong(t.n.get("periodic"), "periodic", "%d lengths, but positions have %d coordinates", d, dim)
		}
	}
}

// weight reads weight; wanted is false when an edge list gives the weights.
func (l *loader) weight(p *projection, wanted bool) {
	t := p.t
	n := t.n.get("weight")
	switch {
	case n == nil && wanted:
		t.missing("weight")
		return
	case n == nil:
		return
	case !wanted:
		l.errorf(n.key, "%sweight is given, but %s has a weight column: leave one out", t.label, p.list)
		return
	}
	q := key("projection.weight").Param
	if q.Unit = p.unit; q.Unit == "" {
		return // the target is wrong, and with it the unit unknown
	}
	p.Weight, _, _ = t.value(n, q, false)
}

// zeroDelay reports whether a projection may have no delay: from what changes
// in steps onto rate units.
func (p *projection) zeroDelay() bool {
	return p.electrical() || p.source != nil && p.target != nil && p.source.model != nil && p.target.model != nil &&
		sendsLevels(p.target.model) && sendsLevels(p.source.model)
}

// plastic reports whether the synapses of a projection change.
func (p *projection) plastic() bool {
	return p.rule != nil && (p.rule.New != nil || p.rule.Learning != nil)
}

// electrical reports whether the connections are gap junctions.
func (p *projection) electrical() bool { return p.rule != nil && p.rule.Electrical }

// learns reports whether they change under a learning rule.
func (p *projection) learns() bool { return p.rule != nil && p.rule.Learning != nil }

// oneAxonal reports whether all synapses need one axonal delay.
func (p *projection) oneAxonal() bool { return p.rule != nil && p.rule.New != nil }

// sendsLevels tells rate units and sources of levels from what spikes.
func sendsLevels(m *neuron.Model) bool {
	return m.Kind == neuron.Rate || m.Kind == neuron.LevelSource
}

// delays reads delay or its two parts; a part is not wanted when an edge list
// gives it.
func (l *loader) delays(p *projection, axonal, dendritic bool) bool {
	t := p.t
	sum, a, d := t.n.get("delay"), t.n.get("axonal_delay"), t.n.get("dendritic_delay")
	ok := true
	refuse := func(n *node, format string, args ...any) {
		l.errorf(n.key, "%s"+format, append([]any{t.label}, args...)...)
		ok = false
	}
	if p.electrical() {
		for _, name := range []string{"delay", "axonal_delay", "dendritic_delay"} {
			if t.has(name) {
				refuse(t.n.get(name), "%s is given, but a gap junction has none: leave it out", name)
			}
		}
		if !axonal || !dendritic {
			l.errorf(t.n.pos, "%s%s has a delay column, but a gap junction has no delay: want a list without", t.label, p.list)
			ok = false
		}
		return ok
	}
	if a != nil && !axonal {
		refuse(a, "axonal_delay is given, but %s has its column: leave one out", p.list)
	}
	if d != nil && !dendritic {
		refuse(d, "dendritic_delay is given, but %s has its column: leave one out", p.list)
	}
	switch {
	case sum != nil && (!axonal || !dendritic):
		refuse(sum, "delay is the sum of both sides, but %s has a delay column: give the other side by its name", p.list)
	case sum != nil && (a != nil || d != nil):
		refuse(sum, "delay is the sum of both sides: leave it out, or axonal_delay and dendritic_delay")
	case sum != nil && p.plastic():
		refuse(sum, "delay is for static projections: a plastic one needs axonal_delay and dendritic_delay, because the synapse lies between them")
	case sum == nil && a == nil && d == nil && axonal && dendritic:
		l.errorf(t.n.pos, "%sneeds the key \"delay\" (or axonal_delay and dendritic_delay)", t.label)
		ok = false
	}
	if !ok {
		return false
	}
	read := func(n *node, name string) (v network.Value) {
		if n == nil {
			return v
		}
		p.delayNode = n
		q := key("projection." + name).Param
		v, _, good := t.value(n, q, false)
		if good && lowest(v) < 0 {
			t.wrong(n, name, "draws reach below 0 ms, want min ≥ 0")
			good = false
		}
		ok = ok && good
		return v
	}
	if sum != nil {
		p.Dendritic = read(sum, "delay")
	} else {
		p.Axonal = read(a, "axonal_delay")
		p.Dendritic = read(d, "dendritic_delay")
	}
	if x, one := highest(p.Axonal); ok && p.oneAxonal() && !(one && lowest(p.Axonal) == x) {
		t.wrong(a, "axonal_delay", "draws, want a constant: synapse model %s needs one axonal delay for all synapses", p.Synapse)
		ok = false
	}
	if !ok || p.zeroDelay() || !axonal || !dendritic {
		return ok // columns are checked edge by edge
	}
	least := func(v network.Value) event.Time {
		t, _, _ := event.FromMS(lowest(v)) // in range, or value had refused it
		return t
	}
	most := func(v network.Value) event.Time {
		x, _ := highest(v)
		if math.IsInf(x, 1) {
			return least(v)
		}
		t, _, _ := event.FromMS(x)
		return t
	}
	la, ld := least(p.Axonal), least(p.Dendritic)
	switch {
	case most(p.Axonal) > event.MaxTime-most(p.Dendritic):
		t.wrong(p.delayNode, p.delayName(), "the total delay is beyond the longest run, 106 days")
	case la+ld <= 0 && p.Axonal.Form == network.Constant && p.Dendritic.Form == network.Constant:
		t.wrong(p.delayNode, p.delayName(), "the total delay is 0 ms, want > 0 ms (at least 1 ps)")
	case la+ld <= 0 && p.Axonal.Form != network.LogNormal && p.Dendritic.Form != network.LogNormal:
		// A log-normal draw is positive; one that rounds to 0 ps is refused when it is drawn.
		t.wrong(p.delayNode, p.delayName(), "the smallest total delay is 0 ms, want > 0 ms: give a min > 0")
	default:
		return true
	}
	return false
}

// delayName is the key at fault in messages about the total delay.
func (p *projection) delayName() string {
	for _, k := range []string{"delay", "axonal_delay", "dendritic_delay"} {
		if p.t.n.get(k) == p.delayNode {
			return k
		}
	}
	return "delay"
}
