package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"hmn/event"
	"hmn/event/random"
	"hmn/network"
	"hmn/neuron"
)

// records reads all [[record]] tables.
func (l *loader) records() {
	for i, n := range l.tables("record") {
		t, ok := l.open(n, "record", label("record", n, i), n.pos)
		if !ok {
			continue
		}
		r := network.Record{}
		words := slices.Concat(key("record.what").Choices, neuron.Recordable())
		if r.What, ok = t.text("what"); !ok {
			continue
		}
		if slices.Contains(laterRecords, r.What) {
			t.wrong(n.get("what"), "what", "not available in this version: %s, want one of %s", quote(r.What), list(words))
			continue
		}
		if r.What, ok = t.word("what", words); !ok {
			continue
		}
		t.label = strings.TrimSuffix(t.label, ": ") + " (" + r.What + "): "
		if r.What == network.RecordWeight && !t.has("every") && !t.has("times") {
			r.What = network.RecordUpdates
		}
		l.every(t, &r)
		switch {
		case slices.Contains(network.PerSynapse, r.What):
			l.recordSynapses(t, &r)
			if k := l.model.FindProjection(r.Of); k >= 0 && (r.What == network.RecordUpdates || r.What == network.RecordCandidate) &&
				l.model.Projections[k].SynapseParams["update"].Text == "continuous" {
				l.note("record %d (%s): projection %q changes its weights continuously and makes no single updates: the record will be empty; what = \"weight\" with every samples them", i, r.What, r.Of)
			}
		case slices.Contains(network.PerProjection, r.What):
			l.recordProjection(t, &r)
			t.noSubset()
		case r.What == network.RecordModulator:
			var names []string
			for _, d := range l.model.Modulators {
				names = append(names, d.Name)
			}
			r.Of = t.called("of", "modulator", names)
			t.noSubset()
		case r.What == network.RecordTrials:
			var names []string
			if l.taskName != "" {
				names = []string{l.taskName}
			}
			r.Of = t.called("of", "task", names)
			t.noSubset()
		default:
			p := t.lookup("of")
			if p != nil {
				r.Of = p.Name
			}
			if p != nil && t.recordable(r.What, p) {
				r.Subset = l.subset(t, some{what: "neuron", of: "population " + quote(p.Name), name: p.Name, n: int64(p.N), known: p.sized, pick: p.index.pick, call: p.call})
			}
		}
		l.recs = append(l.recs, t)
		l.model.Records = append(l.model.Records, r)
	}
}

// called reads the name of one of several things; "" when there is none.
func (t table) called(key, what string, names []string) string {
	name, ok := t.text(key)
	if !ok {
		return ""
	}
	if !slices.Contains(names, name) {
		t.wrong(t.n.get(key), key, "no %s is called %s%s", what, quote(name), hint(name, names))
		return ""
	}
	return name
}

// noSubset refuses a selection where there is nothing to select from.
func (t table) noSubset() {
	for _, k := range []string{"subset", "sample"} {
		if n := t.n.get(k); n != nil {
			t.l.errorf(n.key, "%s%s is for neurons and synapses: this record has no columns to select", t.label, k)
		}
	}
}

// recordProjection reads which projection a record is of; −1 when there is none
// that learns.
func (l *loader) recordProjection(t table, r *network.Record) int {
	var names []string
	for _, p := range l.projs {
		names = append(names, p.Name)
	}
	name := t.called("of", "projection", names)
	if name == "" {
		return -1
	}
	i := slices.Index(names, name)
	if p := l.projs[i]; p.rule != nil && p.rule.Learning == nil {
		t.wrong(t.n.get("of"), "of", "projection %s has synapse model %s, which does not learn: there is no %s", quote(name), p.Synapse, r.What)
		return -1
	}
	r.Of = name
	return i
}

// recordSynapses reads of which synapses a record is.
func (l *loader) recordSynapses(t table, r *network.Record) {
	i := l.recordProjection(t, r)
	if i < 0 {
		return
	}
	n, fixed := l.model.SynapseCount(i)
	s := some{what: "synapse", of: "projection " + quote(r.Of), name: r.Of, n: n, known: true, call: func(i int) string { return strconv.Itoa(i) }}
	if !fixed {
		s.n = math.MaxUint32
	}
	s.pick = func(e *node) (int, error) {
		switch {
		case e.kind != isInteger:
			return 0, fmt.Errorf("%s, want the index of a synapse", e.describe())
		case e.int < 0 || e.int >= s.n:
			return 0, fmt.Errorf("synapse %d of %s, want 0 to %d", e.int, s.of, s.n-1)
		}
		return int(e.int), nil
	}
	if sub := t.n.get("subset"); !fixed && sub != nil && sub.kind == isText && strings.HasSuffix(strings.TrimSpace(sub.text), ":") {
		t.wrong(sub, "subset", "%s: rule %s draws the number of synapses, want an end", quote(sub.text), l.projs[i].Rule)
		return
	}
	if m := t.n.get("sample"); !fixed && m != nil {
		t.wrong(m, "sample", "rule %s draws the number of synapses, so that none can be drawn from them: want subset", l.projs[i].Rule)
		return
	}
	r.Subset = l.subset(t, s)
}

// recordable refuses signals that a population does not have.
func (t table) recordable(what string, p *population) bool {
	if p.model == nil {
		return false
	}
	k := p.model.Kind
	want := ""
	switch what {
	case network.RecordSpikes:
		if k != neuron.Spiking && k != neuron.SpikeSource {
			want = "a population that spikes"
		}
	case network.RecordVm:
		if _, ok := p.model.State("V_m"); k != neuron.Spiking || !ok {
			want = "a spiking population with a membrane potential"
		}
	case network.RecordISyn:
		if _, ok := p.model.State("I_syn_ex"); k != neuron.Spiking || !ok || p.model.New != nil {
			want = "a population with synaptic currents (iaf_psc_exp, iaf_psc_alpha)"
		}
	case network.RecordRate:
		if k != neuron.Rate {
			want = "a population of rate units"
		}
	default:
		if _, ok := p.model.State(what); !ok || p.model.New == nil {
			want = "a population whose model has a state variable of that name"
		}
	}
	if want != "" {
		t.wrong(t.n.get("of"), "of", "population %s (%s) has no %s, want %s", quote(p.Name), p.Model, what, want)
		return false
	}
	return true
}

// happenings names in messages what is recorded when it happens.
var happenings = map[string]string{
	network.RecordSpikes: "spikes", network.RecordUpdates: "updates",
	network.RecordCandidate: "candidates", network.RecordTrials: "trials",
}

// every reads the interval of a sampled signal.
func (l *loader) every(t table, r *network.Record) {
	n, times := t.n.get("every"), t.n.get("times")
	if slices.Contains(network.AtEvents, r.What) {
		if n != nil {
			l.errorf(n.key, "%severy is for sampled signals: %s are recorded when they happen", t.label, happenings[r.What])
		}
		if times != nil {
			l.errorf(times.key, "%stimes is for sampled signals: %s are recorded when they happen", t.label, happenings[r.What])
		}
		return
	}
	switch {
	case n != nil && times != nil:
		l.errorf(times.key, "%severy and times are given, want one of them", t.label)
	case times != nil:
		r.Times = l.instants(t)
	case n == nil:
		t.missing("every")
	default:
		r.Every, _ = t.time("every")
	}
}

// instants reads the times of samples, in order.
func (l *loader) instants(t table) []event.Time {
	list, ok := t.array("times")
	if !ok {
		return nil
	}
	n := t.n.get("times")
	if len(list) == 0 {
		t.wrong(n, "times", "an empty list would record nothing")
		return nil
	}
	out := make([]event.Time, 0, len(list))
	rounded, late := 0, 0
	for _, e := range list {
		at, ok := t.instant(e, "times", &rounded)
		if !ok {
			return nil
		}
		if d := l.model.Simulation.Duration; d > 0 && at >= d {
			late++
		}
		out = append(out, at)
	}
	slices.Sort(out)
	for k, at := range out {
		if k > 0 && at == out[k-1] {
			t.wrong(n, "times", "%v ms stands twice", at)
			return nil
		}
	}
	l.noteRounded(l.where(n.pos)+": "+t.label+"times", rounded)
	if late > 0 {
		l.note("%s: %stimes: %d of %d do not lie before the end of the run and give no sample", l.where(n.pos), t.label, late, len(out))
	}
	return out
}

// some are the neurons of a population or the synapses of a projection, to
// select from.
type some struct {
	what  string // "neuron"
	of    string // `population "E"`
	name  string // of the owner of the random key
	n     int64
	known bool                     // n is
	pick  func(*node) (int, error) // the index that an entry of a list names
	call  func(int) string         // the name of an entity in messages
}

// subset reads which entities to record; nil is all.
func (l *loader) subset(t table, s some) []int {
	sub, sample := t.n.get("subset"), t.n.get("sample")
	switch {
	case sub == nil && sample == nil:
		return nil
	case sub != nil && sample != nil:
		l.errorf(sample.key, "%sboth subset and sample are given, want one of them", t.label)
		return nil
	case !s.known:
		return nil
	case sample != nil:
		return l.sample(t, s)
	}
	if sub.kind == isText {
		lo, hi, ok := splitRange(sub.text, int(s.n))
		if !ok {
			t.wrong(sub, "subset", "%s, want \"first:end\" with 0 ≤ first < end ≤ n = %d, end not included", quote(sub.text), s.n)
			return nil
		}
		if !l.fits(sub.pos, t.label+"subset: ", int64(hi-lo), 8) {
			return nil
		}
		out := make([]int, 0, hi-lo)
		for i := lo; i < hi; i++ {
			out = append(out, i)
		}
		return out
	}
	ns, ok := t.array("subset")
	if !ok {
		return nil
	}
	if len(ns) == 0 {
		t.wrong(sub, "subset", "an empty list would record nothing")
		return nil
	}
	out := make([]int, 0, len(ns))
	for _, n := range ns {
		i, err := s.pick(n)
		if err != nil {
			t.wrong(n, "subset", "%v", err)
			return nil
		}
		out = append(out, i)
	}
	slices.Sort(out)
	for i := 1; i < len(out); i++ {
		if out[i] == out[i-1] {
			t.wrong(sub, "subset", "%s %s stands twice", s.what, s.call(out[i]))
			return nil
		}
	}
	return out
}

// splitRange reads "first:end"; either may be left out.
func splitRange(s string, n int) (lo, hi int, ok bool) {
	a, b, ok := strings.Cut(s, ":")
	if !ok {
		return 0, 0, false
	}
	read := func(s string, absent int) int {
		s = strings.TrimSpace(s)
		if s == "" {
			return absent
		}
		u, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			return math.MaxInt
		}
		return int(u)
	}
	lo, hi = read(a, 0), read(b, n)
	return lo, hi, lo < hi && hi <= n
}

// sample draws entities without replacement (Floyd), keyed by seed and name, so
// that two records of one sample show the same ones.
func (l *loader) sample(t table, s some) []int {
	n := t.n.get("sample")
	k, ok := t.integer("sample")
	if !ok {
		return nil
	}
	if k > s.n {
		t.wrong(n, "sample", "%d, want at most n = %d of %s", k, s.n, s.of)
		return nil
	}
	if !l.fits(n.pos, t.label+"sample: ", k, 48) {
		return nil
	}
	src := random.NewKey(l.seed, random.StreamSubset, random.Name(s.name)).Source(0)
	chosen := make(map[int]bool, k)
	out := make([]int, 0, k)
	for j := s.n - k; j < s.n; j++ {
		i := int(src.IntN(uint64(j) + 1))
		if chosen[i] {
			i = int(j)
		}
		chosen[i] = true
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}
