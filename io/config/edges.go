package config

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"hmn/event"
	"hmn/network"
	"hmn/synapse"
)

// edgeList is an open edge list: which of its columns means what; −1 = none.
type edgeList struct {
	n                         *node // the key's value
	rows                      edgeRows
	file                      *csvReader // nil for a list in the model text
	source, target            int
	weight, axonal, dendritic int
	phase                     int
	where                     []filter
}

// edgeRows reads the rows of an edge list one by one, from a file or from the
// model text. Problems are noted at the current row, and after a few of them
// the list is given up. Columns count from 0.
type edgeRows interface {
	next() bool
	neuron(column int, p *population) (int, bool)
	weight(column int, unit string) (float64, bool)
	ms(column int, rounded *int) (event.Time, bool)
	phase(column int) (float64, bool)
	head(column int) string // its name, in messages
	errorf(format string, args ...any)
	mark() int       // the current row
	at(mark int) pos // where it stands
	name() string    // of the list, in notes
	good() bool      // ends the reading; whether all was well
	abandon()        // ends it before the last row
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
var edgeNames = []string{"source", "target", "weight", "axonal_delay_ms", "dendritic_delay_ms", "phase"}

// openEdges opens the edge list of a projection and finds its columns.
func (l *loader) openEdges(p *projection) (edgeList, bool) {
	t := p.t
	rows, file := t.n.get("edges"), t.n.get("edges_file")
	switch {
	case rows != nil && file != nil:
		l.errorf(rows.key, "%sboth edges and edges_file are given, want one of them", t.label)
	case rows != nil:
		p.list = "edges"
		return l.openRows(t, rows)
	case file == nil:
		l.errorf(t.n.pos, "%sneeds the key \"edges\" ([[source, target, …], …]) or \"edges_file\"", t.label)
	default:
		p.list = clip(file.text)
		return l.openEdgesFile(t, file)
	}
	return edgeList{}, false
}

// openRows finds the columns of an edge list in the model text.
func (l *loader) openRows(t table, n *node) (edgeList, bool) {
	e := edgeList{n: n, target: 1, weight: -1, axonal: -1, dendritic: -1, phase: -1}
	const want = "[source, target, weight, axonal_ms, dendritic_ms, phase], of which the last four may be left out"
	ok := true
	for _, k := range []string{"columns", "ignore", "where"} {
		if v := t.n.get(k); v != nil {
			l.errorf(v.key, "%s%s goes with edges_file, not with edges", t.label, k)
			ok = false
		}
	}
	rows, good := t.array("edges")
	if !ok || !good {
		return e, false
	}
	for i, r := range rows {
		switch {
		case r.kind != isList:
			t.wrong(r, "edges", "row %d is %s, want %s", i, r.describe(), want)
		case len(r.list) < 2 || len(r.list) > len(edgeNames):
			t.wrong(r, "edges", "row %d has %d entries, want %s", i, len(r.list), want)
		case len(r.list) != len(rows[0].list):
			t.wrong(r, "edges", "row %d has %d entries, want %d as in row 0", i, len(r.list), len(rows[0].list))
		default:
			continue
		}
		return e, false
	}
	if len(rows) > 0 {
		for i, at := range []*int{&e.weight, &e.axonal, &e.dendritic, &e.phase} {
			if i+2 < len(rows[0].list) {
				*at = i + 2
			}
		}
	}
	e.rows = &textRows{t: t, n: n, rows: rows, i: -1}
	return e, true
}

// openEdgesFile opens an edge list in a file and finds its columns.
func (l *loader) openEdgesFile(t table, n *node) (edgeList, bool) {
	var e edgeList
	text, ok := t.text("edges_file")
	if !ok {
		return e, false
	}
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
	e = edgeList{n: n, rows: fileRows{c}, file: c, where: where}
	used := map[string]bool{}
	for i, at := range []*int{&e.source, &e.target, &e.weight, &e.axonal, &e.dendritic, &e.phase} {
		k := edgeNames[i]
		*at = c.column(names[k])
		used[names[k]] = true
		if k == "phase" && slices.Contains(ignore, names[k]) {
			*at = -1 // static projections have none
			continue
		}
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
		c.errorf("unknown column %s, want %s (columns renames, ignore = [%s] leaves it out)", quote(h), list(edgeNames), quote(h))
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
func (e *edgeList) keep() bool {
	for i := range e.where {
		f := &e.where[i]
		cell := e.file.row[f.column]
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
		i, err := p.source.index.pick(n)
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
func (l *loader) readEdges(p *projection, e edgeList, delays bool) {
	t, rows := p.t, e.rows
	if p.source == nil || p.target == nil || !p.source.sized || !p.target.sized || p.unit == "" ||
		!l.fits(e.n.pos, t.label+p.list+": ", int64(p.source.N), 1) {
		rows.abandon()
		return
	}
	inhibitory, ok := l.inhibitory(p)
	unit, factor := p.unit, 1.0
	if n := t.n.get("weight_unit"); n != nil && e.weight < 0 {
		l.errorf(n.key, "%sweight_unit is given, but %s has no weight column", t.label, p.list)
		ok = false
	} else if n != nil {
		k := key("projection.weight_unit")
		k.Unit = p.unit
		x, good := t.numberIn("weight_unit", k)
		unit, factor, ok = "1", x, ok && good
	}
	if inhibitory != nil && e.weight < 0 && p.Weight.Form != network.Constant {
		l.errorf(t.n.get("inhibitory_sources").key, "%sinhibitory_sources needs a weight column or one constant weight", t.label)
		ok = false
	}
	if !ok {
		rows.abandon()
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
	oneAxonal := p.oneAxonal()
	bounds, sign := p.bounds, 0.0
	p.EdgePhases = e.phase >= 0
	var marks []int32 // of the edges, to name a duplicate
	rounded, left := 0, 0
	for rows.next() {
		if !e.keep() {
			left++
			continue
		}
		s, okS := rows.neuron(e.source, p.source)
		g, okT := rows.neuron(e.target, p.target)
		if !okS || !okT {
			continue
		}
		edge := synapse.Edge{Source: uint32(s), Target: uint32(g), Weight: weight, Axonal: axonal, Dendritic: dendritic}
		good := true
		if e.weight >= 0 {
			edge.Weight, good = rows.weight(e.weight, unit)
			edge.Weight *= factor
			if good && !(math.Abs(edge.Weight) <= 1e9) {
				rows.errorf("%s: the weight is %g %s, want at most 1e9", rows.head(e.weight), edge.Weight, p.unit)
				good = false
			}
		}
		if inhibitory != nil && inhibitory[s] {
			if good && edge.Weight < 0 {
				rows.errorf("the weight %g of inhibitory source %s is negative: inhibitory_sources already gives the sign, want ≥ 0", edge.Weight, p.source.call(s))
				good = false
			}
			edge.Weight = 0 - edge.Weight // not −0
		}
		if e.axonal >= 0 && good {
			edge.Axonal, good = rows.ms(e.axonal, &rounded)
		}
		if e.dendritic >= 0 && good {
			edge.Dendritic, good = rows.ms(e.dendritic, &rounded)
		}
		if e.phase >= 0 && good {
			edge.Phase, good = rows.phase(e.phase)
		}
		if good && p.electrical() && edge.Weight < 0 {
			rows.errorf("the weight is %g nS, want a conductance that is not negative", edge.Weight)
			good = false
		}
		if good && e.weight >= 0 && bounds != nil {
			good = bounds.edge(rows, e.weight, edge.Weight, &sign)
		}
		if !good {
			continue
		}
		if a, d := least(edge.Axonal, p.Axonal), least(edge.Dendritic, p.Dendritic); a > event.MaxTime-d {
			rows.errorf("the total delay is beyond the longest run, 106 days")
		} else if delays && a+d <= 0 && !p.zeroDelay() {
			rows.errorf("the total delay is 0 ms, want > 0 ms")
		}
		if oneAxonal && len(p.Edges) > 0 && edge.Axonal != p.Edges[0].Axonal {
			rows.errorf("%s = %s ms after %s ms, want a constant: synapse model %s needs one axonal delay for all synapses",
				rows.head(e.axonal), edge.Axonal, p.Edges[0].Axonal, p.Synapse)
			continue
		}
		if same && !p.Autapses && s == g {
			rows.errorf("neuron %s connects to itself, but autapses = false", p.source.call(s))
		}
		p.Edges = append(p.Edges, edge)
		if !p.Multapses {
			marks = append(marks, int32(min(rows.mark(), math.MaxInt32)))
		}
	}
	if !rows.good() {
		return
	}
	if oneAxonal && e.axonal >= 0 && len(p.Edges) > 0 {
		p.Axonal = network.Value{A: p.Edges[0].Axonal.MS()} // where the engine looks for it
	}
	if !p.Multapses {
		l.noMultapses(p, rows, marks)
	}
	if len(p.Edges) == 0 && left > 0 {
		f := e.where[0]
		for _, g := range e.where {
			if len(g.seen) > 0 {
				f = g
			}
		}
		l.errorf(f.at, "%swhere: no row of %s has %s = %s; there are %s", t.label, rows.name(), clip(f.name), list(f.texts), list(f.seen))
	} else if len(e.where) > 0 {
		what := ""
		for _, f := range e.where {
			if len(f.seen) > 0 {
				what += fmt.Sprintf(", %s = %s", clip(f.name), list(f.seen))
			}
		}
		l.note("projection %q: %d of %d rows of %s kept by where; %d left out (%s)", p.Name, len(p.Edges), len(p.Edges)+left, rows.name(), left, strings.TrimPrefix(what, ", "))
	}
	l.noteRounded(rows.name(), rounded)
}

// junctionNotes says how a list of gap junctions that names pairs in both
// directions is taken.
func (l *loader) junctionNotes(p *projection) {
	if !p.electrical() || p.source != p.target {
		return
	}
	sum := map[[2]uint32]float64{}
	for _, e := range p.Edges {
		if e.Source != e.Target {
			sum[[2]uint32{e.Source, e.Target}] += e.Weight
		}
	}
	both, unequal, single := 0, 0, 0
	for k, w := range sum {
		switch back, ok := sum[[2]uint32{k[1], k[0]}]; {
		case !ok:
			single++
		case k[0] < k[1]:
			both++
			if w != back {
				unequal++
			}
		}
	}
	switch {
	case both == 0:
	case !p.SynapseParams["symmetric"].Bool:
		l.note("projection %q: %d pairs are named in both directions, and their conductances add up; with symmetric = true their mean is taken", p.Name, both)
	default:
		l.note("projection %q: %d gap junctions named in both directions, %d of them with different weights, whose mean is taken; %d named in one direction", p.Name, both, unequal, single)
	}
}

// noMultapses refuses a pair that the list connects twice.
func (l *loader) noMultapses(p *projection, rows edgeRows, marks []int32) {
	order := make([]int, len(p.Edges))
	for i := range order {
		order[i] = i
	}
	pair := func(i int) uint64 { return uint64(p.Edges[i].Source)<<32 | uint64(p.Edges[i].Target) }
	sort.SliceStable(order, func(a, b int) bool { return pair(order[a]) < pair(order[b]) })
	for i := 1; i < len(order); i++ {
		if a, b := order[i-1], order[i]; pair(a) == pair(b) {
			first, again := rows.at(int(marks[a])), rows.at(int(marks[b]))
			label, place := "", fmt.Sprintf("line %d", first.line)
			if again.file == "" { // the model text, where a position does not name the list
				label, place = p.t.label+"edges: ", fmt.Sprintf("row %d", marks[a])
			}
			l.errorf(again, "%sneuron %s is connected to %s twice (%s), but multapses = false", label,
				p.source.call(int(p.Edges[a].Source)), p.target.call(int(p.Edges[a].Target)), place)
			return
		}
	}
}

// fileRows is an edge list in a file.
type fileRows struct{ *csvReader }

func (f fileRows) neuron(i int, p *population) (int, bool) {
	j, err := p.index.find(f.row[i])
	if err != nil {
		f.errorf("%s: %v", f.header[i], err)
	}
	return j, err == nil
}

func (f fileRows) weight(i int, _ string) (float64, bool) { return f.number(i) }
func (f fileRows) phase(i int) (float64, bool) {
	x, ok := f.number(i)
	if ok && !(x >= 0 && x < 2*math.Pi) {
		f.errorf("%s = %g rad, want ≥ 0 and < 2π", f.header[i], x)
		ok = false
	}
	return x, ok
}

func (f fileRows) head(i int) string { return f.header[i] }
func (f fileRows) mark() int         { return f.line }
func (f fileRows) at(line int) pos   { return pos{file: f.csvReader.name, line: line} }
func (f fileRows) name() string      { return f.csvReader.name }
func (f fileRows) abandon()          { f.dead = true; f.good() }

// textRows is an edge list in the model text: lists of one length.
type textRows struct {
	t    table
	n    *node // of the whole list
	rows []*node
	i    int // the current row
	errs int
}

// rowNames are the entries of a row in messages.
var rowNames = []string{"source", "target", "weight", "axonal_ms", "dendritic_ms", "phase"}

func (r *textRows) next() bool {
	r.i++
	return r.i < len(r.rows) && r.errs < maxProblemsPerFile
}

func (r *textRows) entry(i int) (n *node, name string) {
	return r.rows[r.i].list[i], "edges: " + rowNames[i]
}

func (r *textRows) neuron(i int, p *population) (int, bool) {
	n, name := r.entry(i)
	j, err := p.index.pick(n)
	if err != nil {
		r.t.wrong(n, name, "%v", err)
		r.errs++
	}
	return j, err == nil
}

func (r *textRows) weight(i int, unit string) (float64, bool) {
	n, name := r.entry(i)
	x, _, ok := r.t.quantity(n, name, unit)
	if !ok {
		r.errs++
	}
	return x, ok
}

func (r *textRows) ms(i int, rounded *int) (event.Time, bool) {
	n, name := r.entry(i)
	at, ok := r.t.instant(n, name, rounded)
	if !ok {
		r.errs++
	}
	return at, ok
}

func (r *textRows) phase(i int) (float64, bool) {
	n, name := r.entry(i)
	x, _, ok := r.t.quantity(n, name, "rad")
	if ok && !(x >= 0 && x < 2*math.Pi) {
		r.t.wrong(n, name, "%g rad, want ≥ 0 and < 2π", x)
		ok = false
	}
	if !ok {
		r.errs++
	}
	return x, ok
}

func (r *textRows) head(i int) string { return rowNames[i] }

func (r *textRows) errorf(format string, args ...any) {
	r.t.wrong(r.rows[r.i], "edges", format, args...)
	r.errs++
}

func (r *textRows) mark() int      { return r.i }
func (r *textRows) at(row int) pos { return r.rows[row].pos }
func (r *textRows) name() string   { return r.t.l.where(r.n.pos) + ": " + r.t.label + "edges" }
func (r *textRows) good() bool     { return r.errs == 0 }
func (r *textRows) abandon()       {}
