package config

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"hmn/event/quantity"
	"hmn/network"
	"hmn/neuron"
	"hmn/synapse"
	"hmn/synapse/hmn"
)

// synapseModel reads which synapse model a projection has, and its preset.
func (l *loader) synapseModel(p *projection) {
	p.Synapse = "static"
	p.rule, _ = synapse.Lookup(p.Synapse)
	n := p.t.n.get("synapse")
	if n == nil {
		return
	}
	if n.kind != isTable {
		p.t.wrong(n, "synapse", "%s, want a table such as { model = \"static\" }", n.describe())
		p.rule = nil
		return
	}
	p.syn = table{l, n, "projection.synapse", p.t.label + "synapse: "}
	t := p.syn
	p.rule = nil // unless all is well
	name, named := "", false
	if t.has("model") {
		if name, named = t.text("model"); !named {
			return
		}
		m, ok := synapse.Lookup(name)
		if !ok {
			near := hint(name, synapse.Names())
			if _, ok := hmn.FindPreset(name); ok {
				near = fmt.Sprintf(": that is a preset, write preset = %s", quote(name))
			}
			t.wrong(n.get("model"), "model", "unknown %s%s", quote(name), near)
			return
		}
		p.Synapse = m.Name
		defer func() { p.rule = m }()
	}
	if !t.has("preset") {
		if !named {
			t.l.errorf(n.pos, "%sneeds the key \"model\" (%s) or \"preset\"", t.label, key("projection.synapse.model").Doc)
		}
		return
	}
	preset, ok := t.word("preset", hmn.PresetNames())
	switch {
	case !ok:
	case named && name != hmn.Name:
		t.wrong(n.get("preset"), "preset", "%s belongs to model %s, not %s", quote(preset), hmn.Name, name)
	default:
		p.Preset, p.Synapse = preset, hmn.Name
		if !named {
			p.rule, _ = synapse.Lookup(hmn.Name)
		}
	}
}

// learningEnds refuses ends that a learning rule cannot join.
func (l *loader) learningEnds(p *projection) {
	t := p.t
	from, to := p.source.model, p.target.model
	if !p.rule.Learning.Joins.Has(sendsLevels(to)) || sendsLevels(from) != sendsLevels(to) {
		what := func(m *neuron.Model) string {
			if sendsLevels(m) {
				return "has a rate"
			}
			return "spikes"
		}
		t.wrong(t.n.get("target"), "target", "population %s (%s) %s, but source %s (%s) %s: synapse model %s joins %s",
			quote(p.Target), p.target.Model, what(to), quote(p.Source), p.source.Model, what(from), p.Synapse, p.rule.Learning.Joins)
		return
	}
	for _, end := range []struct {
		key string
		p   *population
	}{{"source", p.source}, {"target", p.target}} {
		if m := end.p.model; m.Kind == neuron.LevelSource && levelUnit(m) != "1" {
			t.wrong(t.n.get(end.key), end.key, "%s sends a current [%s]: rate units take step_rate", end.p.Model, levelUnit(m))
			return
		}
	}
	p.rates, p.joined = sendsLevels(from), true
}

// bounds are what the weights of a projection under a learning rule must keep.
type bounds struct {
	lo, hi float64
}

// edge checks the weight of the current row; sign is that of the rows before.
func (b *bounds) edge(rows edgeRows, column int, w float64, sign *float64) bool {
	switch a := math.Abs(w); {
	case b.lo < 0: // either sign
		if !(w >= b.lo && w <= b.hi) {
			rows.errorf("%s: the weight is %g, want w_min = %g to w_max = %g", rows.head(column), w, b.lo, b.hi)
			return false
		}
	case !(a >= b.lo && a <= b.hi):
		rows.errorf("%s: the weight is %g, want a magnitude from w_min = %g to w_max = %g", rows.head(column), w, b.lo, b.hi)
		return false
	case w**sign < 0:
		rows.errorf("%s: the weight is %g after weights of the other sign, want one sign: the rule changes magnitudes only", rows.head(column), w)
		return false
	case w != 0:
		*sign = math.Copysign(1, w)
	}
	return true
}

// inUnits puts the units of a projection in the place of [w] and [z].
func (p *projection) inUnits(params []quantity.Param) []quantity.Param {
	params = slices.Clone(params)
	z := "Hz"
	if p.rates {
		z = "1"
	}
	for i := range params {
		// A weight without unit leaves the rest of a compound: "[w]/ms" is "1/ms".
		params[i].Unit = strings.NewReplacer("[w]", p.unit, "[z]", z).Replace(params[i].Unit)
	}
	return params
}

// synapseParams reads the parameters of the synapse model.
func (l *loader) synapseParams(p *projection) {
	t, m := p.syn, p.rule
	if t.n == nil || m == nil {
		return
	}
	l.stages(p)
	own := []string{"model", "short_term", "release"}
	if m.Name == hmn.Name {
		own = below("projection.synapse")
	}
	rest := t.n.without(own...)
	if len(m.Params) == 0 && len(rest.keys) > 0 {
		for _, k := range rest.keys {
			l.errorf(rest.item[k].key, "%sunknown key %s: model %s has no parameters", t.label, quote(k), m.Name)
		}
		return
	}
	params := p.inUnits(m.Params)
	var ok bool
	p.SynapseParams, ok = l.paramValues(table{l, rest, "", t.label}, nil, params)
	if !ok {
		return
	}
	if preset, found := hmn.FindPreset(p.Preset); found {
		p.SynapseParams = preset.With(p.SynapseParams)
	}
	k, err := quantity.CheckAll("model "+m.Name, params, p.SynapseParams)
	if err == nil && m.Check != nil && p.joined {
		k, err = m.Check(p.SynapseParams, p.rates)
	}
	if err != nil {
		at, why := t.n.pos, ""
		if v := rest.get(k); v != nil {
			at = v.pos
		} else if _, given := p.SynapseParams[k]; given && p.Preset != "" {
			at, why = t.n.get("preset").pos, fmt.Sprintf("preset %s: ", quote(p.Preset))
		}
		l.errorf(at, "%s%s%v", t.label, why, err)
		return
	}
	if m.Notes != nil {
		for _, note := range m.Notes(p.SynapseParams) {
			l.note("projection %s: synapse: %s", quote(p.Name), note)
		}
	}
	if m.Learning == nil || !p.joined {
		return
	}
	least, most := m.Learning.Bounds(p.SynapseParams, p.rates)
	p.bounds = &bounds{least, most}
	if m.Name != hmn.Name {
		return
	}
	par, err := hmn.Resolve(p.SynapseParams, p.rates)
	if err != nil { // Check has found it
		l.errorf(t.n.pos, "%s%v", t.label, err)
		return
	}
	l.embedding(p, &par)
}

// stages reads the short-term stage and the stochastic release of a synapse
// table; whether they fit is checked with the whole model.
func (l *loader) stages(p *projection) {
	open := func(key string) (table, bool) {
		n := p.syn.n.get(key)
		if n != nil && n.kind != isTable {
			p.syn.wrong(n, key, "%s, want a table", n.describe())
			n = nil
		}
		return table{l, n, "projection.synapse." + key, p.syn.label + key + ": "}, n != nil
	}
	if t, ok := open("short_term"); ok {
		if !t.has("model") {
			l.errorf(t.n.pos, "%sneeds the key \"model\" (%s)", t.label, list(synapse.Stages()))
		} else if name, ok := t.word("model", synapse.Stages()); ok {
			m, _ := synapse.Lookup(name)
			p.ShortTerm.Model = name
			p.ShortTerm.Params, _ = l.paramValues(table{l, t.n.without("model"), "", t.label}, nil, m.Params)
		}
	}
	if t, ok := open("release"); ok {
		v, good := l.paramValues(t, nil, synapse.ReleaseParams)
		if good && !t.has("sites") {
			t.missing("sites")
		}
		p.Release = synapse.Release{Sites: int(v["sites"].Number), P: v["p"].Number}
	}
}

// without is the table without the given keys.
func (n *node) without(keys ...string) *node {
	rest := &node{kind: isTable, pos: n.pos, key: n.key}
	for _, k := range n.keys {
		if !slices.Contains(keys, k) {
			rest.set(k, n.item[k])
		}
	}
	return rest
}

// embedding reads embedding_file.
func (l *loader) embedding(p *projection, par *hmn.Params) {
	t := p.syn
	text, ok := t.text("embedding_file")
	if !ok {
		return
	}
	n := t.n.get("embedding_file")
	if par.Embedding != "given" {
		l.errorf(n.key, "%sembedding_file is given, but embedding = %q does not read it: want embedding = \"given\"", t.label, par.Embedding)
		return
	}
	if !p.source.sized || !l.fits(n.pos, t.label+"embedding_file: ", int64(p.source.N), 24+8*int64(par.EmbedDim)) {
		return
	}
	file, ok := l.fileName(t, n, "embedding_file", text)
	if !ok {
		return
	}
	c, ok := l.openCSV(t, n, "embedding_file", file)
	if !ok {
		return
	}
	var names []string
	for d := range par.EmbedDim {
		names = append(names, fmt.Sprintf("v%d", d))
	}
	cols, ok := c.want(names, []string{"neuron"})
	if !ok {
		c.good()
		l.errorf(n.pos, "%sembedding_file: want the columns neuron and v0 to v%d: embed_dim = %d", t.label, par.EmbedDim-1, par.EmbedDim)
		return
	}
	out := make([][]float64, p.source.N)
	ok = c.rows(p.source, cols["neuron"], func(i int) bool {
		v := make([]float64, 0, len(names))
		for _, name := range names {
			x, ok := c.number(cols[name])
			if !ok {
				return false
			}
			if !(math.Abs(x) <= 1e150) {
				c.errorf("%s = %g, want at most 1e150", name, x)
				return false
			}
			v = append(v, x)
		}
		out[i] = v
		return true
	})
	if ok {
		p.Embedding = out
	}
}

// phaseColumn refuses phases of edges where they have no meaning.
func (l *loader) phaseColumn(p *projection, e edgeList) {
	if p.Rule != network.EdgeList || e.phase < 0 || p.rule == nil {
		return
	}
	switch n := p.syn.n.get("phase"); {
	case p.Synapse != hmn.Name:
		way := "leave them out"
		if e.file != nil {
			way = "ignore = [" + quote(e.file.header[e.phase]) + "]"
		}
		l.errorf(e.n.pos, "%s%s has phases, but synapse model %s has none: want one of model hmn, or %s", p.t.label, p.list, p.Synapse, way)
	case n != nil:
		l.errorf(n.key, "%sphase is given, but %s has a phase column: leave one out", p.syn.label, p.list)
	}
}

// learningFaults notes what network finds wrong with learning, where it stands.
func (l *loader) learningFaults() {
	for _, f := range l.model.LearningFaults() {
		t := table{l: l, n: l.root, label: f.Table + ": "}
		switch f.Table {
		case "projection":
			t = l.projs[f.Index].t
		case "modulator":
			t = l.mods[f.Index]
		case "record":
			t = l.recs[f.Index]
		default:
			if n := l.root.get(f.Table); n != nil {
				t.n = n
			}
		}
		at, preset := t.n.pos, t.n.get("synapse").get("preset")
		for n, keys := t.n, strings.Split(f.Key, "."); len(keys) > 0; keys = keys[1:] {
			next := n.get(keys[0])
			if next == nil && keys[0] == "edges_file" {
				next = n.get("edges")
			}
			if next == nil && keys[0] == "events" {
				next = n.get("events_file")
			}
			if next == nil && len(keys) == 1 && strings.HasPrefix(f.Key, "synapse.") && preset != nil {
				next = preset
			}
			if next == nil {
				break
			}
			n, at = next, next.pos
		}
		l.errorf(at, "%s%v", t.label, f.Err)
	}
}
