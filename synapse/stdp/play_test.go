package stdp_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
	_ "hmn/synapse/stdp"
)

const ms = event.Millisecond

// num is a parameter that is a number.
func num(x float64) quantity.Value { return quantity.Value{Number: x} }

func word(s string) quantity.Value { return quantity.Value{Text: s} }

// play is a population of sources and targets that a learner is led through, window
// by window, as a network does it: an arrival before which all post spikes are known
// at the start of a window is handed over there, any other at its end.
type play struct {
	w         *synapse.Wiring
	pre, post [][]event.Time
	window    event.Time
	end       event.Time

	// What a run does besides, at random, when rng is given.
	rng     *rand.Rand
	readers []synapse.Follower
	of      []uint32 // synapse of each reader
	source  []uint32 // of each synapse
}

// rows makes the wiring of a play: targets[s] are the targets of source s with one
// axonal and one dendritic delay each.
func wire(n int, weight float64, axonal, dendritic func(s, j int) event.Time, targets [][]int) *synapse.Wiring {
	r := &synapse.Rows{Ptr: []uint32{0}, MinDelay: event.MaxTime}
	w := &synapse.Wiring{Rows: r, Targets: n, Weight: weight}
	type syn struct {
		j    int
		a, d event.Time
	}
	var all []syn
	for s, row := range targets {
		var list []syn
		for _, j := range row {
			list = append(list, syn{j, axonal(s, j), dendritic(s, j)})
		}
		slices.SortStableFunc(list, func(a, b syn) int { return int(a.a - b.a) })
		all = append(all, list...)
		r.Ptr = append(r.Ptr, uint32(len(all)))
	}
	mixedA, mixedD := false, false
	for _, x := range all {
		r.MinDelay, r.MaxDelay = min(r.MinDelay, x.a), max(r.MaxDelay, x.a)
		mixedA = mixedA || x.a != all[0].a
		mixedD = mixedD || x.d != all[0].d
	}
	for _, x := range all {
		r.Target = append(r.Target, uint16(x.j))
		if mixedA {
			r.Delay = append(r.Delay, uint32(x.a-r.MinDelay))
		}
		if mixedD {
			w.Dendritics = append(w.Dendritics, x.d)
		}
	}
	w.Dendritic = all[0].d
	return w
}

// pair is one source and one target.
func pair(weight float64, axonal, dendritic event.Time) *synapse.Wiring {
	at := func(t event.Time) func(int, int) event.Time { return func(int, int) event.Time { return t } }
	return wire(1, weight, at(axonal), at(dendritic), [][]int{{0}})
}

func learner(t testing.TB, model string, v quantity.Values, w *synapse.Wiring) synapse.Learner {
	t.Helper()
	m, ok := synapse.Lookup(model)
	if !ok {
		t.Fatalf("no model %s", model)
	}
	if _, err := quantity.CheckAll(model, m.Params, v); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Check(v, false); err != nil {
		t.Fatal(err)
	}
	l, err := m.Learning.New(v, w, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// arrivals are those of one spike at the pieces of its row.
type arrivalAt struct {
	t, spike    event.Time
	src, lo, hi uint32
}

// run leads l through the play and returns what each synapse transmitted, in order
// of its arrivals.
func (p *play) run(l synapse.Learner) [][]float64 {
	w := p.w
	out := make([][]float64, w.Rows.Len())
	var all []arrivalAt
	for s, train := range p.pre {
		for _, t := range train {
			for lo := w.Rows.Ptr[s]; lo < w.Rows.Ptr[s+1]; {
				hi := lo + 1
				for hi < w.Rows.Ptr[s+1] && w.AxonalOf(hi) == w.AxonalOf(lo) && w.DendriticOf(hi) == w.DendriticOf(lo) {
					hi++
				}
				all = append(all, arrivalAt{t + w.AxonalOf(lo), t, uint32(s), lo, hi})
				lo = hi
			}
		}
	}
	slices.SortStableFunc(all, func(a, b arrivalAt) int { return int(a.t - b.t) })
	give := func(a arrivalAt) {
		sent := make([]float64, a.hi-a.lo)
		l.Arrive(a.src, a.lo, a.hi, a.t, sent)
		for k, x := range sent {
			out[int(a.lo)+k] = append(out[int(a.lo)+k], x)
		}
		if a.hi == w.Rows.Ptr[a.src+1] {
			l.EndRow(a.src, a.t)
		}
	}
	next := make([]int, len(p.post))
	for start := event.Time(0); start < p.end; start += p.window {
		end := start + p.window
		l.Begin(start, start)
		var late []arrivalAt
		for len(all) > 0 && all[0].t < end {
			a := all[0]
			all = all[1:]
			if a.t <= start+w.DendriticOf(a.lo) {
				give(a)
			} else {
				p.foresee(l, a, late, start)
				late = append(late, a)
			}
		}
		for j, train := range p.post {
			for ; next[j] < len(train) && train[next[j]] < end; next[j]++ {
				l.Post(j, train[next[j]])
			}
		}
		for _, a := range late {
			give(a)
		}
		p.disturb(l, start, end)
	}
	return out
}

// foresee asks for what a late arrival will transmit, as a network does; the
// answer must not matter.
func (p *play) foresee(l synapse.Learner, a arrivalAt, late []arrivalAt, start event.Time) {
	if p.rng == nil {
		return
	}
	var earlier []event.Time
	for _, b := range late {
		if b.lo == a.lo {
			earlier = append(earlier, b.t)
		}
	}
	n := a.hi - a.lo
	l.Foresee(a.src, a.lo, a.hi, earlier, start+p.w.DendriticOf(a.lo), a.t, make([]float64, n), make([]bool, n))
	j := int(p.w.Rows.Target[a.lo])
	for k := range p.rng.IntN(3) {
		l.Post(j, start+event.Time(k))
		l.Peek(a.lo, a.src, earlier, a.t)
		l.Unpost(j, 1)
	}
}

// disturb settles and reads.
func (p *play) disturb(l synapse.Learner, start, end event.Time) {
	if p.rng == nil {
		return
	}
	for k, f := range p.readers {
		i := p.of[k]
		for _, t := range p.pre[p.source[i]] {
			if t >= start && t < end {
				f.Expect(t)
			}
		}
	}
	t := start + event.Time(p.rng.Int64N(int64(p.window)))
	for _, f := range p.readers {
		f.To(t)
		f.Read(synapse.Weight, t)
	}
	switch p.rng.IntN(4) {
	case 0:
		l.Settle(t, true)
	case 1:
		l.Settle(t, false)
		l.Weights(t)
	}
}

// poisson is a train of n spikes at a rate [Hz] from time from on.
func poisson(rng *rand.Rand, n int, rate float64, from event.Time) []event.Time {
	var out []event.Time
	t := from
	for range n {
		t += 1 + event.Time(rng.ExpFloat64()/rate*float64(event.Second))
		out = append(out, t)
	}
	return out
}

// final is the weight of the one synapse of a play after everything.
func (p *play) final(l synapse.Learner) float64 {
	p.run(l)
	return l.Weights(p.end - 1)[0]
}
