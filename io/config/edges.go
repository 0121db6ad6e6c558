package config

import (
	"math"
	"slices"
	"sort"

	"hmn/event"
	"hmn/network"
	"hmn/synapse"
)

// edgeColumns is an open edge list: which of its columns means what; −1 = none.
type edgeColumns struct {
	c                         *csvReader
	source, target            int
	weight, axonal, dendritic int
	where                     []filter
}

// filter keeps the rows that have one of texts in a column.
type filter struct {
	column int
	name   string
	at     pos
	texts  []string
	seen   []string // texts of rows left out, a few
}

// edgeNames are the columns of an edge list, by their keys in `columns`.
var edgeNames = []string{"source", "target", "weight", "axonal_delay_ms", "dendritic_delay_ms"}

// openEdges opens the edge list of a projection and finds its columns.
func (l *loader) openEdges(p *projection) (edgeColumns, bool) {
	t := p.t
	var e edgeColumns
	text, ok := t.text("edges_file")
	if !ok {
		return e, false
	}
	n := t.n.get("edges_file")
	file, ok := l.fileName(t, n, "edges_file", text)
	if !ok {
		return e, false
	}
	names := map[string]string{}
	for _, k := range edgeNames {
		names[k] = k
	}
	ct, ok := l.open(t.n.get("columns"), "projection.columns", t.label+"columns: ", t.n.pos)
	for _, k := range edgeNames {
		if ct.has(k) {
			var good bool
			names[k], good = ct.text(k)
			ok = ok && good
		}
	}
	var ignore []string
	if t.has("ignore") {
		ns, good := t.array("ignore")
		ok = ok && good
		for _, v := range ns {
			if v.kind != isText {
				t.wrong(v, "ignore", "%s, want the name of a column", v.describe())
				ok = false
			}
			ignore = append(ignore, v.text)
		}
	}
	where, good := l.filters(t)
	if !ok || !good {
		return e, false
	}
	c, ok := l.openCSV(t, n, "edges_file", file)
	if !ok {
		return e, false
	}
	e = edgeColumns{c: c, where: where}
	used := map[string]bool{}
	for i, at := range []*int{&e.source, &e.target, &e.weight, &e.axonal, &e.dendritic} {
		k := edgeNames[i]
		*at = c.column(names[k])
		used[names[k]] = true
		if *at >= 0 {
			continue
		}
		if i < 2 {
			c.errorf("no column %s%s (columns = { %s = … } renames it)", quote(names[k]), hint(names[k], c.header), k)
		} else if v := ct.n.get(k); v != nil {
			l.errorf(v.pos, "%s%s: %s has no column %s%s", ct.label, k, c.name, quote(names[k]), hint(names[k], c.header))
			c.dead = true
		}
	}
	for i := range e.where {
		f := &e.where[i]
		used[f.name] = true
		if f.column = c.column(f.name); f.column < 0 {
			l.errorf(f.at, "%swhere: %s has no column %s%s", t.label, c.name, quote(f.name), hint(f.name, c.header))
			c.dead = true
		}
	}
	for _, s := range ignore {
		used[s] = true
		if c.column(s) < 0 {
			l.errorf(t.n.get("ignore").pos, "%signore: %s has no column %s%s", t.label, c.name, quote(s), hint(s, c.header))
			c.dead = true
		}
	}
	for _, h := range c.header {
		if used[h] {
			continue
		}
		if h == "phase" {
			c.errorf("not available in this version: the column \"phase\" (ignore = [\"phase\"] leaves it out)")
		} else {
			c.errorf("unknown column %s, want %s (columns renames, ignore = [%s] leaves it out)", quote(h), list(edgeNames), quote(h))
		}
	}
	if c.errs > 0 || c.dead {
		c.good()
		return e, false
	}
	return e, true
}

// filters reads where.
func (l *loader) filters(t table) (fs []filter, ok bool) {
	n := t.n.get("where")
	if n == nil {
		return nil, true
	}
	if n.kind != isTable {
		t.wrong(n, "where", "%s, want a table such as { Type = \"chemical\" }", n.describe())
		return nil, false
	}
	ok = true
	for _, k := range n.keys {
		v := n.item[k]
		f := filter{name: k, at: v.key}
		texts := []*node{v}
		if v.kind == isList {
			texts = v.list
		}
		for _, s := range texts {
			if s.kind != isText {
				t.wrong(s, "where: "+clip(k), "%s, want a text or a list of texts", s.describe())
				ok = false
				continue
			}
			f.texts = append(f.texts, s.text)
		}
		fs = append(fs, f)
	}
	return fs, ok
}

// keep reports whether the current row passes all filters.
func (e *edgeColumns) keep() bool {
	for i := range e.where {
		f := &e.where[i]
		cell := e.c.row[f.column]
		if !slices.ContainsFunc(f.texts, func(s string) bool { return s == string(cell) }) {
			if len(f.seen) < 8 && !slices.Contains(f.seen, string(cell)) {
				f.seen = append(f.seen, string(cell))
			}
			return false
		}
	}
	return true
}

// inhibitory reads inhibitory_sources: for each source neuron, whether its
// weights get a minus sign.
func (l *loader) inhibitory(p *projection) ([]bool, bool) {
	t := p.t
	if !t.has("inhibitory_sources") {
		return nil, true
	}
	ns, ok := t.array("inhibitory_sources")
	if !ok {
		return nil, false
	}
	out := make([]bool, p.source.N)
	for _, n := range ns {
		if n.kind != isText && n.kind != isInteger {
			t.wrong(n, "inhibitory_sources", "%s, want the name or index of a neuron", n.describe())
			ok = false
			continue
		}
		i, err := p.source.index.find([]byte(n.text))
		if err != nil {
			t.wrong(n, "inhibitory_sources", "%v", err)
			ok = false
			continue
		}
		if out[i] {
			t.wrong(n, "inhibitory_sources", "%s stands twice", p.source.call(i))
			ok = false
			continue
		}
		out[i] = true
	}
	return out, ok
}

// readEdges reads the rows of an open edge list. delays is false when the keys
// for the delays were wrong, so that their sum says nothing.
func (l *loader) readEdges(p *projection, e edgeColumns, delays bool) {
	t, c := p.t, e.c
	close := func() { c.dead = true; c.good() }
	if p.source == nil || p.target == nil || !p.source.sized || !p.target.sized || p.unit == "" ||
		!l.fits(t.n.get("edges_file").pos, t.label+"edges_file: ", int64(p.source.N), 1) {
		close()
		return
	}
	inhibitory, ok := l.inhibitory(p)
	unit := 1.0
	if n := t.n.get("weight_unit"); n != nil && e.weight < 0 {
		l.errorf(n.key, "%sweight_unit is given, but %s has no weight column", t.label, c.name)
		ok = false
	} else if n != nil {
		k := key("projection.weight_unit")
		k.Unit = p.unit
		x, good := t.numberIn("weight_unit", k)
		unit, ok = x, ok && good
	}
	if inhibitory != nil && e.weight < 0 && p.Weight.Form != network.Constant {
		l.errorf(t.n.get("inhibitory_sources").key, "%sinhibitory_sources needs a weight column or one constant weight", t.label)
		ok = false
	}
	if !ok {
		close()
		return
	}
	// What no column gives: the constant, or the mark for a draw at build.
	weight := math.NaN()
	if p.Weight.Form == network.Constant {
		weight = p.Weight.A
	}
	fixed := func(v network.Value) event.Time {
		if v.Form != network.Constant {
			return network.FromProjection
		}
		at, _, _ := event.FromMS(v.A) // checked by delays
		return at
	}
	axonal, dendritic := fixed(p.Axonal), fixed(p.Dendritic)
	// least is what a part is at least, for the check of the sum.
	least := func(at event.Time, v network.Value) event.Time {
		if at == network.FromProjection {
			at, _, _ = event.FromMS(lowest(v))
		}
		return at
	}
	same := p.source == p.target
	var lines []int32 // of the edges, to name a duplicate
	rounded, left := 0, 0
	for c.next() {
		if !e.keep() {
			left++
			continue
		}
		s, errS := p.source.index.find(c.row[e.source])
		if errS != nil {
			c.errorf("%s: %v", c.header[e.source], errS)
		}
		g, errT := p.target.index.find(c.row[e.target])
		if errT != nil {
			c.errorf("%s: %v", c.header[e.target], errT)
		}
		if errS != nil || errT != nil {
			continue
		}
		edge := synapse.Edge{Source: uint32(s), Target: uint32(g), Weight: weight, Axonal: axonal, Dendritic: dendritic}
		good := true
		if e.weight >= 0 {
			edge.Weight, good = c.number(e.weight)
			edge.Weight *= unit
			if good && !(math.Abs(edge.Weight) <= 1e9) {
				c.errorf("%s: the weight is %g %s, want at most 1e9", c.header[e.weight], edge.Weight, p.unit)
				good = false
			}
		}
		if inhibitory != nil && inhibitory[s] {
			if good && edge.Weight < 0 {
				c.errorf("the weight %g of inhibitory source %s is negative: inhibitory_sources already gives the sign, want ≥ 0", edge.Weight, p.source.call(s))
				good = false
			}
			edge.Weight = 0 - edge.Weight // not −0
		}
		if e.axonal >= 0 && good {
			edge.Axonal, good = c.ms(e.axonal, &rounded)
		}
		if e.dendritic >= 0 && good {
			edge.Dendritic, good = c.ms(e.dendritic, &rounded)
		}
		if !good {
			continue
		}
		if a, d := least(edge.Axonal, p.Axonal), least(edge.Dendritic, p.Dendritic); a > event.MaxTime-d {
			c.errorf("the total delay is beyond the longest run, 106 days")
		} else if delays && a+d <= 0 && !p.zeroDelay() {
			c.errorf("the total delay is 0 ms, want > 0 ms")
		}
		if same && !p.Autapses && s == g {
			c.errorf("neuron %s connects to itself, but autapses = false", p.source.call(s))
		}
		p.Edges = append(p.Edges, edge)
		if !p.Multapses {
			lines = append(lines, int32(min(c.line, math.MaxInt32)))
		}
	}
	if !c.good() {
		return
	}
	if !p.Multapses {
		l.noMultapses(p, c.name, lines)
	}
	if len(p.Edges) == 0 && left > 0 {
		f := e.where[0]
		for _, g := range e.where {
			if len(g.seen) > 0 {
				f = g
			}
		}
		l.errorf(f.at, "%swhere: no row of %s has %s = %s; there are %s", t.label, c.name, clip(f.name), list(f.texts), list(f.seen))
	} else if len(e.where) > 0 {
		l.note("projection %q: %d of %d rows of %s kept by where, %d left out", p.Name, len(p.Edges), len(p.Edges)+left, c.name, left)
	}
	c.noteRounded(rounded)
}

// noMultapses refuses a pair that the list connects twice.
func (l *loader) noMultapses(p *projection, file string, lines []int32) {
	order := make([]int, len(p.Edges))
	for i := range order {
		order[i] = i
	}
	pair := func(i int) uint64 { return uint64(p.Edges[i].Source)<<32 | uint64(p.Edges[i].Target) }
	sort.SliceStable(order, func(a, b int) bool { return pair(order[a]) < pair(order[b]) })
	for i := 1; i < len(order); i++ {
		if a, b := order[i-1], order[i]; pair(a) == pair(b) {
			l.errorf(pos{file: file, line: int(lines[b])}, "neuron %s is connected to %s twice (line %d), but multapses = false",
				p.source.call(int(p.Edges[a].Source)), p.target.call(int(p.Edges[a].Target)), lines[a])
			return
		}
	}
}
