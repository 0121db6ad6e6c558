package config

import (
	"math"
	"slices"
	"strconv"
	"strings"

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
		words := key("record.what").Choices
		if r.What, ok = t.text("what"); !ok {
			continue
		}
		if r.What == network.RecordWeight {
			t.wrong(n.get("what"), "what", "not available in this version: weights of static synapses do not change")
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
		p := t.lookup("of")
		if p != nil {
			r.Of = p.Name
		}
		ok = p != nil && t.recordable(r.What, p)
		l.every(t, &r)
		if ok {
			r.Subset = l.subset(t, p)
		}
		l.model.Records = append(l.model.Records, r)
	}
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
	}
	if want != "" {
		t.wrong(t.n.get("of"), "of", "population %s (%s) has no %s, want %s", quote(p.Name), p.Model, what, want)
		return false
	}
	return true
}

// every reads the interval of a sampled signal.
func (l *loader) every(t table, r *network.Record) {
	n := t.n.get("every")
	if r.What == network.RecordSpikes {
		if n != nil {
			l.errorf(n.key, "%severy is for sampled signals: spikes are recorded when they happen", t.label)
		}
		return
	}
	if n == nil {
		t.missing("every")
		return
	}
	r.Every, _ = t.time("every")
}

// subset reads which neurons to record; nil is all.
func (l *loader) subset(t table, p *population) []int {
	sub, sample := t.n.get("subset"), t.n.get("sample")
	switch {
	case sub == nil && sample == nil:
		return nil
	case sub != nil && sample != nil:
		l.errorf(sample.key, "%sboth subset and sample are given, want one of them", t.label)
		return nil
	case !p.sized:
		return nil
	case sample != nil:
		return l.sample(t, p)
	}
	if sub.kind == isText {
		lo, hi, ok := splitRange(sub.text, p.N)
		if !ok {
			t.wrong(sub, "subset", "%s, want \"first:end\" with 0 ≤ first < end ≤ n = %d, end not included", quote(sub.text), p.N)
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
		i, err := p.index.pick(n)
		if err != nil {
			t.wrong(n, "subset", "%v", err)
			return nil
		}
		out = append(out, i)
	}
	slices.Sort(out)
	for i := 1; i < len(out); i++ {
		if out[i] == out[i-1] {
			t.wrong(sub, "subset", "neuron %s stands twice", p.call(out[i]))
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

// sample draws neurons without replacement (Floyd), keyed by seed and
// population, so that two records of one sample show the same neurons.
func (l *loader) sample(t table, p *population) []int {
	n := t.n.get("sample")
	k, ok := t.integer("sample")
	if !ok {
		return nil
	}
	if k > int64(p.N) {
		t.wrong(n, "sample", "%d, want at most n = %d of population %s", k, p.N, quote(p.Name))
		return nil
	}
	if !l.fits(n.pos, t.label+"sample: ", k, 48) {
		return nil
	}
	src := random.NewKey(l.seed, random.StreamSubset, random.Name(p.Name)).Source(0)
	chosen := make(map[int]bool, k)
	out := make([]int, 0, k)
	for j := p.N - int(k); j < p.N; j++ {
		i := int(src.IntN(uint64(j) + 1))
		if chosen[i] {
			i = j
		}
		chosen[i] = true
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}
