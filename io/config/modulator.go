package config

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"hmn/event"
	"hmn/network"
	"hmn/neuron"
	"hmn/synapse/hmn"
)

// maxJump is the largest jump of a modulator.
const maxJump = 1e9

// modulators reads all [[modulator]] tables.
func (l *loader) modulators() {
	list := l.tables("modulator")
	var names []string // of all, so that a file shared by several can be read
	for _, n := range list {
		if name := n.get("name"); name != nil && name.kind == isText {
			names = append(names, name.text)
		}
	}
	taken := map[string]pos{}
	for i, n := range list {
		t, ok := l.open(n, "modulator", label("modulator", n, i), n.pos)
		if !ok {
			continue
		}
		var d network.Modulator
		d.Name, _ = t.entryName(taken)
		if t.has("builtin") {
			d.Builtin, _ = t.word("builtin", network.Builtins)
		}
		l.tau(t, &d)
		if t.has("w") {
			d.W, d.HasW = t.number("w")
		}
		l.drivers(t, &d, names)
		if t.has("u") {
			d.U = l.direction(t)
			if !slices.ContainsFunc(l.model.Projections, func(p network.Projection) bool { return p.SynapseParams["relevance"].Text == "vector" }) {
				l.note("%su has no effect: no projection has relevance = \"vector\"", t.label)
			}
		}
		l.mods = append(l.mods, t)
		l.model.Modulators = append(l.model.Modulators, d)
	}
}

// tau reads a time or "hold"; the three modulators of the paper have defaults.
func (l *loader) tau(t table, d *network.Modulator) {
	n := t.n.get("tau")
	if n != nil && n.kind == isText && n.text == "hold" {
		d.Hold = true
		return
	}
	if n != nil {
		if n.kind == isText {
			if num, _ := splitNumber(strings.TrimSpace(n.text)); num == "" {
				t.wrong(n, "tau", "%s, want a time > 0 or \"hold\"", quote(n.text))
				return
			}
		}
		d.Tau, _ = t.number("tau")
		return
	}
	switch hmn.SignalOf(d.Name, d.Builtin) {
	case hmn.RewardSignal:
		d.Tau = hmn.TauReward
	case hmn.UncertaintySignal:
		d.Hold = true
	case hmn.NoveltySignal:
		d.Tau = hmn.TauNovelty
	default:
		l.errorf(t.n.pos, "%sneeds the key \"tau\": a time, or \"hold\"", t.label)
	}
}

// drivers reads what makes a modulator jump.
func (l *loader) drivers(t table, d *network.Modulator, names []string) {
	first := ""
	for _, k := range []string{"events_file", "events", "source", "builtin"} {
		if !t.has(k) {
			continue
		}
		if first != "" {
			l.errorf(t.n.get(k).key, "%sboth %s and %s are given, want one of them", t.label, first, k)
			return
		}
		first = k
	}
	if n := t.n.get("delay"); n != nil {
		d.Delay, d.HasDelay = t.time("delay")
		if first == "events_file" || first == "events" {
			l.errorf(n.key, "%sdelay is for what jumps inside the run: %s act at their own times", t.label, first)
		}
	}
	switch first {
	case "events_file":
		d.Events = l.eventsFile(t, d.Name, names)
	case "events":
		d.Events = l.events(t)
	case "source":
		s, ok := l.open(t.n.get("source"), "modulator.source", t.label+"source: ", t.n.pos)
		if !ok {
			return
		}
		if p := s.lookup("population"); p != nil {
			d.Source = p.Name
			if m := p.model; m != nil && m.Kind != neuron.Spiking && m.Kind != neuron.SpikeSource {
				s.wrong(s.n.get("population"), "population", "%s (%s) sends no spikes", quote(p.Name), p.Model)
			}
		}
		d.SourceJump, _ = s.number("jump")
	}
}

// sortJumps puts jumps in order of time; those of one time keep theirs.
func sortJumps(js []network.Jump) {
	slices.SortStableFunc(js, func(a, b network.Jump) int { return cmp.Compare(a.At, b.At) })
}

// events reads [[t, jump], …].
func (l *loader) events(t table) []network.Jump {
	list, ok := t.array("events")
	if !ok {
		return nil
	}
	out := make([]network.Jump, 0, len(list))
	rounded, bad := 0, 0
	for i, e := range list {
		if e.kind != isList || len(e.list) != 2 {
			t.wrong(e, "events", "entry %d is %s, want [[t, jump], …]", i, e.describe())
			return nil
		}
		at, okT := t.instant(e.list[0], "events", &rounded)
		x, _, okX := t.quantity(e.list[1], "events", "1")
		if okX && !(math.Abs(x) <= maxJump) {
			t.wrong(e.list[1], "events", "jump %g, want at most 1e9", x)
			okX = false
		}
		if !okT || !okX {
			if bad++; bad >= maxProblemsPerFile {
				return nil
			}
			continue
		}
		out = append(out, network.Jump{At: at, Amount: x})
	}
	sortJumps(out)
	l.noteRounded(l.where(t.n.get("events").pos)+": "+t.label+"events", rounded)
	return out
}

// eventsFile reads the rows of one modulator from a file of events, which other
// modulators may share.
func (l *loader) eventsFile(t table, own string, names []string) []network.Jump {
	text, ok := t.text("events_file")
	if !ok {
		return nil
	}
	n := t.n.get("events_file")
	file, ok := l.fileName(t, n, "events_file", text)
	if !ok {
		return nil
	}
	c, ok := l.openCSV(t, n, "events_file", file)
	if !ok {
		return nil
	}
	cols, ok := c.want([]string{"time_ms", "modulator", "jump"}, nil)
	if !ok {
		c.good()
		return nil
	}
	out := []network.Jump{}
	rounded := 0
	for c.next() {
		if who := c.row[cols["modulator"]]; string(who) != own {
			if !slices.Contains(names, string(who)) {
				c.errorf("modulator: no modulator is called %s%s", quote(string(who)), hint(string(who), names))
			}
			continue
		}
		at, okT := c.ms(cols["time_ms"], &rounded)
		x, okX := c.number(cols["jump"])
		if okX && !(math.Abs(x) <= maxJump) {
			c.errorf("jump = %g, want at most 1e9", x)
			okX = false
		}
		if okT && okX {
			out = append(out, network.Jump{At: at, Amount: x})
		}
	}
	if !c.good() {
		return nil
	}
	sortJumps(out)
	l.noteRounded(c.name+" (modulator "+own+")", rounded)
	return out
}

// direction reads u.
func (l *loader) direction(t table) []float64 {
	list, ok := t.array("u")
	if !ok {
		return nil
	}
	out := make([]float64, 0, len(list))
	for _, e := range list {
		x, _, ok := t.quantity(e, "u", "1")
		if !ok {
			return nil
		}
		out = append(out, x)
	}
	return out
}

// meta reads [meta]. Without it, a projection of preset hmn-full in a model with
// a task switches meta-learning on.
func (l *loader) meta() {
	alpha := 0.0
	for _, p := range l.projs {
		if preset, ok := hmn.FindPreset(p.Preset); ok {
			alpha = max(alpha, preset.MetaAlpha)
		}
	}
	n := l.root.get("meta")
	hasTask := l.root.get("task") != nil
	if n == nil && alpha == 0 {
		return
	}
	if n == nil && !hasTask {
		l.note("meta-learning of preset hmn-full is off: no task reports rewards")
		return
	}
	t, ok := l.open(n, "meta", "meta: ", pos{})
	if !ok {
		return
	}
	m := &network.Meta{Estimator: network.SPSA, Loss: hmn.NegMeanReward, AlphaLocal: alpha, AlphaGlobal: alpha,
		C: key("meta.c").Default, Sigma: key("meta.sigma").Default, MinFactor: 1.0 / 30, MaxFactor: 30}
	if t.has("estimator") {
		m.Estimator, _ = t.word("estimator", network.Estimators)
	}
	if t.has("loss") {
		m.Loss, _ = t.text("loss")
		if words := []string{hmn.NegMeanReward, hmn.MeanSquaredRPE}; !hasTask && m.Loss != "" && !slices.Contains(words, m.Loss) {
			t.wrong(t.n.get("loss"), "loss", "unknown %s%s", quote(m.Loss), hint(m.Loss, words))
		}
	}
	for _, q := range []struct {
		key string
		x   *float64
	}{{"c", &m.C}, {"sigma", &m.Sigma}, {"alpha_local", &m.AlphaLocal}, {"alpha_global", &m.AlphaGlobal}} {
		if t.has(q.key) {
			*q.x, _ = t.number(q.key)
		}
	}
	switch p := t.n.get("period"); {
	case p != nil:
		l.period(t, p, m)
	case hasTask:
		m.Trials = 50
	default:
		m.Period = 60 * event.Second
	}
	l.model.Meta = m
}

// period reads "60 s", a number of ms, or "50 trials".
func (l *loader) period(t table, n *node, m *network.Meta) {
	if n.kind == isText {
		if num, unit := splitNumber(strings.TrimSpace(n.text)); unit == "trials" || unit == "trial" {
			k, err := strconv.ParseInt(num, 10, 32)
			if err != nil || k < 1 {
				t.wrong(n, "period", "%s, want a whole number of trials ≥ 1", quote(n.text))
				return
			}
			m.Trials = int(k)
			return
		}
	}
	rounded := 0
	at, ok := t.instant(n, "period", &rounded)
	if ok && at == 0 {
		t.wrong(n, "period", "%s, want > 0 ms, or a number of trials such as \"50 trials\"", n.describe())
		return
	}
	m.Period = at
	l.noteRounded(l.where(n.pos)+": meta: period", rounded)
}

// task reads [task].
func (l *loader) task() {
	n := l.root.get("task")
	if n == nil {
		return
	}
	t := table{l, n, "task", "task: "}
	if n.kind != isTable {
		l.errorf(n.pos, "task: %s, want a table", n.describe())
		return
	}
	name, ok := t.word("name", network.TaskNames())
	if !ok {
		return
	}
	l.taskName = name
	tm, _ := network.LookupTask(name)
	rest := &node{kind: isTable, pos: n.pos, key: n.key}
	for _, k := range n.keys {
		if k != "name" {
			rest.set(k, n.item[k])
		}
	}
	if len(tm.Params) == 0 {
		for _, k := range rest.keys {
			l.errorf(rest.item[k].key, "task: unknown key %s: task %s has no parameters", quote(k), name)
		}
	}
	spec := &network.TaskSpec{Name: name}
	if len(tm.Params) > 0 {
		spec.Params, _ = l.paramValues(table{l, rest, "", "task: "}, nil, tm.Params)
	}
	l.model.Task = spec
}
