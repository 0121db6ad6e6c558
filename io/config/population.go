package config

import (
	"math"
	"slices"
	"strings"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/network"
	"hmn/neuron"
)

// population is a population while the model is read.
type population struct {
	network.Population
	t     table
	model *neuron.Model // nil when unknown
	sized bool          // N is known
	index neurons
}

// What one spiking neuron without synapses takes, about, and one static synapse
// at the least.
const (
	bytesPerNeuron  = 64
	bytesPerSynapse = 6
)

// maxPopulations is what the engine's numbering of populations holds.
const maxPopulations = 1 << 16

// populations reads all [[population]] tables. It is false when there are too
// many to read on.
func (l *loader) populations() bool {
	list := l.tables("population")
	if len(list) > maxPopulations {
		l.errorf(list[maxPopulations].pos, "%d populations, want at most %d", len(list), maxPopulations)
		return false
	}
	if len(list) == 0 && l.root.get("population") == nil {
		l.errorf(pos{}, "no [[population]]: nothing to simulate")
	}
	taken := map[string]pos{}
	for i, n := range list {
		t, ok := l.open(n, "population", label("population", n, i), n.pos)
		if !ok {
			continue
		}
		p := &population{t: t}
		l.pops = append(l.pops, p)
		p.Name, _ = t.entryName(taken)
		if name, ok := t.word("model", neuron.Names()); ok {
			p.Model = name
			p.model, _ = neuron.Lookup(name)
		}
		p.ExpectedRateHz, _ = t.number("expected_rate_hz")
		l.size(p)
		l.params(p)
		l.init(p)
		l.startsBelow(p)
		if p.sized && t.has("positions") {
			l.positions(p)
		}
		l.trains(p)
		l.model.Populations = append(l.model.Populations, p.Population)
	}
	return true
}

// lookup finds a population by name for a message at n.
func (t table) lookup(key string) *population {
	name, ok := t.text(key)
	if !ok {
		return nil
	}
	var names []string
	for _, p := range t.l.pops {
		if p.Name == name && name != "" {
			return p
		}
		if p.Name != "" {
			names = append(names, p.Name)
		}
	}
	t.wrong(t.n.get(key), key, "no population is called %s%s", quote(name), hint(name, names))
	return nil
}

// size finds n and the names.
func (l *loader) size(p *population) {
	t := p.t
	from, file, count := t.n.get("names_from"), t.n.get("names_file"), t.n.get("n")
	ok := true
	switch {
	case from != nil && file != nil:
		l.errorf(file.key, "%sboth names_from and names_file are given, want one of them", t.label)
		return
	case from != nil && count != nil:
		l.errorf(count.key, "%sn is given, but names_from finds it in the edge list: leave n out", t.label)
		return
	case from != nil:
		p.Names, ok = l.namesFrom(p)
	case file != nil:
		p.Names, ok = l.namesFile(p)
		if ok && count != nil {
			n, good := l.count(t, "n", "neurons", bytesPerNeuron)
			if good && n != int64(len(p.Names)) {
				l.errorf(count.pos, "%sn = %d, but %s has %d names", t.label, n, clip(file.text), len(p.Names))
			}
			ok = good && n == int64(len(p.Names))
		}
	default:
		var n int64
		n, ok = l.count(t, "n", "neurons", bytesPerNeuron)
		p.N = int(n)
	}
	if !ok {
		return
	}
	if p.Names != nil {
		p.N = len(p.Names)
	}
	before := l.neurons
	l.neurons += int64(p.N)
	if l.neurons > math.MaxUint32 && before <= math.MaxUint32 {
		l.errorf(t.n.pos, "%swith it the model has %d neurons, at least %s, want at most %d in all populations",
			t.label, l.neurons, size(float64(l.neurons)*bytesPerNeuron), uint32(math.MaxUint32))
	}
	p.sized = true
	p.index = neurons{population: p.Name, n: p.N, names: p.Names}
	if p.Names != nil {
		p.index.byName = make(map[string]int, len(p.Names))
		for i, s := range p.Names {
			p.index.byName[s] = i
		}
	}
}

// count reads a number of things that take each bytes; beyond the key's range
// it says how much they would take.
func (l *loader) count(t table, name, what string, each float64) (int64, bool) {
	c, k := t.n.get(name), key(t.path+"."+name)
	if c != nil && c.kind == isInteger && float64(c.int) > k.Max {
		t.wrong(c, name, "%d %s would take at least %s, want %s", c.int, what, size(float64(c.int)*each), integerRange(k))
		return 0, false
	}
	return t.integer(name)
}

// params reads the model's parameters.
func (l *loader) params(p *population) {
	t := p.t
	n := t.n.get("params")
	if n != nil && n.kind != isTable {
		t.wrong(n, "params", "%s, want a table", n.describe())
		return
	}
	if p.model == nil {
		return
	}
	at := t.n.pos
	if n != nil {
		at = n.pos
	} else {
		n = &node{kind: isTable, pos: at, key: at}
	}
	pt := table{l, n, "", t.label + "params: "}
	var ok bool
	p.Params, ok = l.paramValues(pt, p, p.model.Params)
	if !ok {
		return
	}
	if k, err := p.model.CheckAll(p.Params); err != nil {
		if v := n.get(k); v != nil {
			at = v.pos
		}
		l.errorf(at, "%sparams: %v", t.label, err)
	}
}

// paramValues reads a table of parameters. Every problem in it is noted; ok is
// false when there was one. p is nil for parameters that no neuron has.
func (l *loader) paramValues(t table, p *population, params []quantity.Param) (quantity.Values, bool) {
	ok := true
	var out quantity.Values
	for _, k := range t.n.keys {
		v := t.n.item[k]
		q, known := quantity.Find(params, k)
		if !known {
			l.unknownParam(t, p, k, params)
			ok = false
			continue
		}
		value, good := l.param(t, p, v, q)
		if good {
			if err := q.Check(value); err != nil {
				l.errorf(v.pos, "%s%v", t.label, err)
				good = false
			}
		}
		if !good {
			ok = false
			continue
		}
		if out == nil {
			out = quantity.Values{}
		}
		out[k] = value
	}
	return out, ok
}

// unknownParam says what may have been meant, also when it belongs to init.
func (l *loader) unknownParam(t table, p *population, k string, params []quantity.Param) {
	at := t.n.item[k].key
	if p != nil {
		if _, ok := p.model.State(k); ok {
			l.errorf(at, "%s%s is a state variable of model %s: give it in init", t.label, k, p.Model)
			return
		}
		if len(params) == 0 {
			l.errorf(at, "%sunknown key %s: model %s has no parameters", t.label, quote(k), p.Model)
			return
		}
	}
	l.unknownKey(t.n, k, t.label, paramNames(params))
}

// param reads one parameter in its form.
func (l *loader) param(t table, p *population, v *node, q quantity.Param) (out quantity.Value, ok bool) {
	switch q.Form {
	case quantity.Number:
		if v.kind == isTable {
			t.wrong(v, q.Key, "a table, want one number for all neurons, %s", strings.TrimPrefix(wantQuantity(q.Unit), "want "))
			return out, false
		}
		out.Number, _, ok = t.quantity(v, q.Key, q.Unit)
	case quantity.Bool:
		if v.kind != isBool {
			t.wrong(v, q.Key, "%s, want true or false", v.describe())
			return out, false
		}
		out.Bool, ok = v.bool, true
	case quantity.Integer:
		if v.kind != isInteger {
			t.wrong(v, q.Key, "%s, want an integer", v.describe())
			return out, false
		}
		out.Number, ok = float64(v.int), true
	case quantity.Text:
		if v.kind != isText || v.text == "" {
			t.wrong(v, q.Key, "%s, want a text", v.describe())
			return out, false
		}
		out.Text, ok = v.text, true
	case quantity.NumberOrWord:
		if v.kind == isText && slices.Contains(q.Choices, v.text) {
			out.Text = v.text
			return out, true
		}
		if v.kind == isText {
			if num, _ := splitNumber(v.text); num == "" {
				t.wrong(v, q.Key, "unknown %s, want a number or %s", quote(v.text), list(q.Choices))
				return out, false
			}
		}
		out.Number, _, ok = t.quantity(v, q.Key, q.Unit)
	case quantity.Choice:
		if v.kind != isText {
			t.wrong(v, q.Key, "%s, want one of %s", v.describe(), list(q.Choices))
			return out, false
		}
		if !slices.Contains(q.Choices, v.text) {
			t.wrong(v, q.Key, "unknown %s%s", quote(v.text), hint(v.text, q.Choices))
			return out, false
		}
		out.Text, ok = v.text, true
	case quantity.Numbers:
		if v.kind != isList {
			out.Number, _, ok = t.quantity(v, q.Key, q.Unit)
			return out, ok
		}
		if p != nil && p.sized && len(v.list) != p.N {
			t.wrong(v, q.Key, "%d numbers, want one for all or n = %d", len(v.list), p.N)
			return out, false
		}
		out.List = make([]float64, 0, len(v.list))
		ok = len(v.list) > 0
		if !ok {
			t.wrong(v, q.Key, "an empty list, want a number or a list of numbers")
		}
		for _, e := range v.list {
			x, _, good := t.quantity(e, q.Key, q.Unit)
			out.List = append(out.List, x)
			ok = ok && good
		}
	case quantity.Steps:
		out.Steps, ok = t.steps(v, q)
	case quantity.Sine:
		out.Sine, ok = t.sine(v, q)
	case quantity.File:
		if v.kind != isText || v.text == "" {
			t.wrong(v, q.Key, "%s, want the name of a file", v.describe())
			return out, false
		}
		out.Text = v.text
		if p == nil || !p.sized {
			return out, false
		}
		out.Table, ok = l.stepTable(t, p, v, q)
	default:
		t.wrong(v, q.Key, "this version cannot read it")
	}
	return out, ok
}

// steps reads [[time, value], …].
func (t table) steps(v *node, q quantity.Param) ([][2]float64, bool) {
	const want = "want [[time_ms, value], …]"
	if v.kind != isList {
		t.wrong(v, q.Key, "%s, %s", v.describe(), want)
		return nil, false
	}
	ok := true
	out := make([][2]float64, 0, len(v.list))
	for i, e := range v.list {
		if e.kind != isList || len(e.list) != 2 {
			t.wrong(e, q.Key, "step %d is %s, %s", i, e.describe(), want)
			return nil, false
		}
		at, _, okT := t.quantity(e.list[0], q.Key, "ms")
		x, _, okX := t.quantity(e.list[1], q.Key, q.Unit)
		ok = ok && okT && okX
		out = append(out, [2]float64{at, x})
	}
	return out, ok
}

// sine reads { mean, amplitude, frequency, phase }.
func (t table) sine(v *node, q quantity.Param) (*quantity.Sinusoid, bool) {
	if v.kind != isTable {
		t.wrong(v, q.Key, "%s, want { mean, amplitude, frequency, phase }", v.describe())
		return nil, false
	}
	d := table{t.l, v, "", t.label + q.Key + ": "}
	ok := true
	for _, k := range v.keys {
		if !slices.Contains(sineKeys, k) {
			t.l.unknownKey(v, k, d.label, sineKeys)
			ok = false
		}
	}
	read := func(k, unit string) float64 {
		n := v.get(k)
		if n == nil {
			if k != "phase" {
				t.l.errorf(v.pos, "%sneeds the key %q", d.label, k)
				ok = false
			}
			return 0
		}
		x, _, good := d.quantity(n, k, unit)
		ok = ok && good
		return x
	}
	s := &quantity.Sinusoid{
		Mean:      read("mean", q.Unit),
		Amplitude: read("amplitude", q.Unit),
		Frequency: read("frequency", "Hz"),
		Phase:     read("phase", "rad"),
	}
	return s, ok
}

// init reads the start values of state variables.
func (l *loader) init(p *population) {
	t := p.t
	n := t.n.get("init")
	if n == nil {
		return
	}
	if n.kind != isTable {
		t.wrong(n, "init", "%s, want a table", n.describe())
		return
	}
	if p.model == nil {
		return
	}
	it := table{l, n, "", t.label + "init: "}
	for _, k := range n.keys {
		v := n.item[k]
		q, known := p.model.State(k)
		switch _, isParam := p.model.Param(k); {
		case known:
		case len(p.model.States) == 0:
			l.errorf(v.key, "%s%s: model %s has no state variables", it.label, clip(k), p.Model)
			continue
		case isParam:
			l.errorf(v.key, "%s%s is a parameter of model %s: give it in params", it.label, k, p.Model)
			continue
		default:
			h := hint(k, paramNames(p.model.States))
			l.errorf(v.key, "%sunknown state variable %s of model %s%s", it.label, quote(k), p.Model, h)
			continue
		}
		value, column, ok := it.value(v, q, true)
		if !ok {
			continue
		}
		if value.Form == network.Column {
			if !p.sized {
				continue
			}
			if value.Column, ok = l.columnFile(it, p, column, q); !ok {
				continue
			}
		} else if k == "V_m" && !l.belowThreshold(it, p, v, value) {
			continue
		}
		if p.Init == nil {
			p.Init = map[string]network.Value{}
		}
		p.Init[k] = value
	}
}

// belowThreshold refuses start potentials that would be at or above V_th.
// Unbounded draws are checked one by one when the network is built.
func (l *loader) belowThreshold(t table, p *population, n *node, v network.Value) bool {
	key, th := p.threshold()
	if key == "" {
		return true
	}
	top, reached := highest(v)
	switch {
	case v.Form == network.Constant && v.A >= th:
		t.wrong(n, "V_m", "%g mV, want less than %s = %g mV", v.A, key, th)
	case !math.IsInf(top, 1) && top > th, reached && top >= th, v.Form != network.Uniform && v.Form != network.Constant && top == th, lowest(v) >= th:
		t.wrong(n, "V_m", "draws reach %s = %g mV, want less", key, th)
	default:
		return true
	}
	return false
}

// startsBelow refuses a population without init whose potential would start
// (at E_L) at or above V_th.
func (l *loader) startsBelow(p *population) {
	key, th := p.threshold()
	if key == "" || p.t.n.get("init").get("V_m") != nil || p.model.New != nil {
		return
	}
	if _, ok := p.model.Param("E_L"); !ok {
		return
	}
	if el := p.model.Number(p.Params, "E_L"); el >= th {
		at := p.t.n.pos
		if v := p.t.n.get("params").get("E_L"); v != nil {
			at = v.pos
		}
		l.errorf(at, "%sparams: V_m starts at E_L = %g mV, want less than %s = %g mV: give init = { V_m = … }", p.t.label, el, key, th)
	}
}

// threshold is the potential that is a spike, and its key; "" for populations
// without one.
func (p *population) threshold() (key string, mV float64) {
	if p.model == nil {
		return "", 0
	}
	if key = p.model.SpikeLevel(p.Params); key == "" {
		return "", 0
	}
	return key, p.model.Number(p.Params, key)
}

// trains reads times or times_file.
func (l *loader) trains(p *population) {
	t := p.t
	const owner = "spike_train"
	list, file := t.n.get("times"), t.n.get("times_file")
	switch {
	case p.model == nil:
	case p.Model != owner:
		for _, name := range []string{"times", "times_file"} {
			if n := t.n.get(name); n != nil {
				l.errorf(n.key, "%s%s belongs to model %s, not %s", t.label, name, owner, p.Model)
			}
		}
	case list != nil && file != nil:
		l.errorf(list.key, "%sboth times and times_file are given, want one of them", t.label)
	case list == nil && file == nil:
		l.errorf(t.n.pos, "%sneeds the key \"times\" ([[t, …], …] in ms, one list per neuron) or \"times_file\"", t.label)
	case !p.sized:
	case list != nil:
		p.Trains, _ = l.times(p, list)
	default:
		if name, ok := t.text("times_file"); ok {
			p.Trains, _ = l.timesFile(p, file, name)
		}
	}
}

// times reads [[t, …], …], one list per neuron.
func (l *loader) times(p *population, n *node) ([][]event.Time, bool) {
	t := p.t
	lists, ok := t.array("times")
	if !ok {
		return nil, false
	}
	if len(lists) != p.N {
		t.wrong(n, "times", "%d lists, want one for each of the n = %d neurons", len(lists), p.N)
		return nil, false
	}
	rounded, bad := 0, 0
	trains := make([][]event.Time, p.N)
	for j, e := range lists {
		if e.kind != isList {
			t.wrong(e, "times", "entry %d is %s, want a list of times: [[t, …], …], one list per neuron", j, e.describe())
			return nil, false
		}
		seen := make(map[event.Time]bool, len(e.list))
		for _, v := range e.list {
			at, ok := t.instant(v, "times", &rounded)
			if ok && seen[at] {
				t.wrong(v, "times", "neuron %s spikes twice at %s ms, want one spike at a time", p.call(j), at)
				ok = false
			}
			if !ok {
				if bad++; bad >= maxProblemsPerFile {
					return nil, false
				}
				continue
			}
			seen[at] = true
			trains[j] = append(trains[j], at)
		}
		slices.Sort(trains[j])
	}
	l.noteRounded(l.where(n.pos)+": "+t.label+"times", rounded)
	return trains, bad == 0
}

// positions reads or makes the positions.
func (l *loader) positions(p *population) {
	n := p.t.n.get("positions")
	t, ok := l.open(n, "population.positions", p.t.label+"positions: ", n.pos)
	if !ok {
		return
	}
	given := slices.DeleteFunc([]string{"csv", "grid", "uniform"}, func(k string) bool { return !t.has(k) })
	if len(given) != 1 {
		l.errorf(n.pos, "%swant one of csv, grid, uniform, got %d of them", t.label, len(given))
		return
	}
	if t.has("extent") && given[0] != "grid" {
		l.errorf(t.n.get("extent").key, "%sextent goes with grid, not with %s", t.label, given[0])
		return
	}
	if given[0] != "csv" && !l.fits(n.pos, t.label, int64(p.N), 24) {
		return
	}
	switch given[0] {
	case "csv":
		if file, ok := t.text("csv"); ok {
			p.Positions, p.Dim, _ = l.positionsFile(t, p, file)
		}
	case "grid":
		p.Positions, p.Dim = t.grid(p)
	case "uniform":
		size, dim, ok := t.lengths("uniform", false)
		if !ok {
			return
		}
		// A population's name has no slash, so nothing else has this owner.
		key := random.NewKey(l.seed, random.StreamSubset, random.Name(p.Name+"/positions"))
		p.Dim = dim
		p.Positions = make([][3]float64, p.N)
		for i := range p.Positions {
			src := key.Source(uint64(i))
			for d := range dim {
				p.Positions[i][d] = size[d] * src.Float64()
			}
		}
	}
}

// grid puts neurons on the cell centres of a grid, the first axis fastest.
func (t table) grid(p *population) ([][3]float64, int) {
	cells, ok := t.array("grid")
	if !ok {
		return nil, 0
	}
	at := t.n.get("grid")
	if !t.has("extent") {
		t.l.errorf(at.pos, "%sgrid needs the key \"extent\": [Lx, Ly] or [Lx, Ly, Lz]", t.label)
		return nil, 0
	}
	size, dim, ok := t.lengths("extent", false)
	if !ok {
		return nil, 0
	}
	if len(cells) != dim {
		t.wrong(at, "grid", "%d entries, want %d as in extent", len(cells), dim)
		return nil, 0
	}
	count := [3]int64{1, 1, 1}
	total := int64(1)
	for i, c := range cells {
		if c.kind != isInteger || c.int < 1 || c.int > 1<<31 {
			t.wrong(c, "grid", "%s, want an integer from 1 to %d", c.describe(), 1<<31)
			return nil, 0
		}
		count[i] = c.int
		if total *= c.int; total > 1<<31 {
			break
		}
	}
	if total != int64(p.N) {
		t.wrong(at, "grid", "the product is %d, want n = %d", total, p.N)
		return nil, 0
	}
	out := make([][3]float64, p.N)
	for i := range out {
		rest := int64(i)
		for d := range dim {
			out[i][d] = (float64(rest%count[d]) + 0.5) * size[d] / float64(count[d])
			rest /= count[d]
		}
	}
	return out, dim
}
