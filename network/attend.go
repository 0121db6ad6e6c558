package network

import (
	"cmp"
	"fmt"
	"slices"

	"hmn/event"
	"hmn/event/random"
	"hmn/neuron"
	"hmn/synapse/hmn"
)

// group is the local attention of a block's targets over some of its plastic
// inputs (docs/learning.md). All inputs of a target act on its context, so here
// arrivals and post spikes are taken in one order of time.
type group struct {
	key     string
	members []*plastic
	att     *hmn.Attention
	axonal  event.Time // the least axonal delay
	dend    event.Time
	posts   []postSeen // not yet taken, in order of time
	cycle   *hmn.Cycle
	next    int64 // the next cycle start
	ticks   bool  // α changes at cycle starts
	oja     bool
	order   []lateOf
}

type postSeen struct {
	at     event.Time // when the synapses see it
	target int
}

type lateOf struct {
	late
	member int
}

// groupKey tells which synapses of a target share a softmax: those of a named
// group, else all plastic ones of one sign.
func (pl *plastic) groupKey() string {
	switch {
	case pl.rule.hmn.par.Group != "":
		return "group " + pl.rule.hmn.par.Group
	case pl.in.r.Negative:
		return "negative"
	}
	return "positive"
}

// spikes is the rule of an input of model hmn.
func (pl *plastic) spikes() *hmn.Spikes { return pl.l.(*hmn.Spikes) }

// makeGroups joins the inputs of a block into groups and gives rules without
// attention their constant α.
func (n *Network) makeGroups(g *learning, targets int) error {
	var groups []*group
	for _, pl := range g.in {
		if pl.rule.hmn == nil {
			continue
		}
		key := pl.groupKey()
		k := slices.IndexFunc(groups, func(x *group) bool { return x.key == key })
		if k < 0 {
			k = len(groups)
			groups = append(groups, &group{key: key})
		}
		groups[k].members = append(groups[k].members, pl)
	}
	for _, x := range groups {
		if !slices.ContainsFunc(x.members, func(pl *plastic) bool { return attends(&pl.rule.hmn.par) }) {
			fanIn := make([]int, targets)
			for _, pl := range x.members {
				pl.wir.FanIn(fanIn)
			}
			for _, pl := range x.members {
				pl.spikes().SetGain(fanIn)
			}
			continue
		}
		var rules []*hmn.Spikes
		var embed []*hmn.Embedding
		x.axonal = event.MaxTime
		for _, pl := range x.members {
			e, err := n.embedding(pl.rule)
			if err != nil {
				return err
			}
			rules, embed = append(rules, pl.spikes()), append(embed, e)
			x.axonal = min(x.axonal, pl.in.r.MinDelay)
			x.dend = pl.wir.Dendritic
			x.oja = x.oja || pl.rule.hmn.par.Embedding == "oja"
			pl.group = x
		}
		var err error
		if x.att, err = hmn.NewAttention(rules, embed); err != nil {
			return fmt.Errorf("projection %q: %w", x.members[0].in.p.desc.Name, err)
		}
		p := &x.members[0].rule.hmn.par
		x.cycle = &x.members[0].rule.hmn.cycle
		x.ticks = p.AlphaCycle || x.oja
		g.groups = append(g.groups, x)
	}
	return nil
}

// learner is an embedding that changes, once per cycle.
type ojaLearner struct {
	rule *rule
	e    *hmn.Embedding
	mean []float64 // spikes of each source in the present cycle, or ∫ x dt
	next int64     // the next cycle start
	// Between rate units: outputs of the sources, since when, and the start of
	// the cycle.
	level []float64
	start []float64 // at t = 0
	since []event.Time
	begun event.Time
}

// embedding is the directions of the source population of a rule, one for all
// rules with the same source, dimension and kind.
func (n *Network) embedding(r *rule) (*hmn.Embedding, error) {
	if r.hmn.embed != nil {
		return r.hmn.embed, nil
	}
	src, d := r.proj.src, r.hmn.par.EmbedDim
	for _, q := range n.projs {
		if q.plastic == nil || q.plastic == r || q.plastic.hmn == nil || q.src != src {
			continue
		}
		if o := q.plastic.hmn; o.embed != nil && o.par.EmbedDim == d && o.par.Embedding == r.hmn.par.Embedding && r.hmn.par.Embedding != "given" {
			r.hmn.embed = o.embed
			return r.hmn.embed, nil
		}
	}
	v := make([]float64, 0, src.desc.N*d)
	if r.hmn.par.Embedding == "given" {
		for _, x := range r.proj.desc.Embedding {
			v = append(v, x...)
		}
		if len(v) != src.desc.N*d {
			return nil, fmt.Errorf("projection %q: embedding of %d numbers, want %d × %d", r.proj.desc.Name, len(v), src.desc.N, d)
		}
	} else {
		key := random.NewKey(n.model.Simulation.Seed, random.StreamEmbedding, random.Name(src.desc.Name))
		for i := range src.desc.N {
			s := key.Source(uint64(i))
			for range d {
				v = append(v, s.Normal())
			}
		}
	}
	if r.hmn.par.Embedding == "oja" {
		r.hmn.embed = hmn.NewEmbedding(d, hmn.NewEmbedding(d, v).Unit())
		o := &ojaLearner{rule: r, e: r.hmn.embed, mean: make([]float64, src.desc.N)}
		if r.hmn.par.Rates {
			o.level, o.start, o.since = make([]float64, src.desc.N), make([]float64, src.desc.N), make([]event.Time, src.desc.N)
			if src.model.Kind == neuron.Rate {
				z0, err := n.outputs0(src)
				if err != nil {
					return nil, err
				}
				o.start = z0
			}
		}
		n.oja = append(n.oja, o)
	} else {
		r.hmn.embed = hmn.NewEmbedding(d, v)
	}
	return r.hmn.embed, nil
}

func (x *group) reset() {
	x.att.Reset()
	x.posts = x.posts[:0]
	x.next = x.cycle.NextStart(0)
}

// begin takes everything before which all is known, and foresees the rest of the
// window's arrivals.
func (x *group) begin(w event.Window) {
	x.run(min(w.Start+min(x.dend, x.axonal), w.End), w.Start)
	for _, pl := range x.members {
		for _, l := range pl.late {
			pl.foresee(w, l, w.Start+x.dend, x.dend)
		}
	}
}

// end takes the window's spikes and everything before which all is known now.
func (x *group) end(w event.Window, spikes []neuron.Mark) {
	for _, m := range spikes {
		x.posts = append(x.posts, postSeen{w.Start + event.Time(m.Off) + x.dend, int(m.I)})
	}
	slices.SortStableFunc(x.posts, func(a, b postSeen) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.target, b.target)) })
	x.run(min(w.End, w.Start+x.axonal), w.End)
}

// run takes arrivals, post spikes and cycle starts before t in order of time.
// Effects before from were sent on already.
func (x *group) run(t, from event.Time) {
	x.order = x.order[:0]
	for m, pl := range x.members {
		kept := pl.late[:0]
		for _, l := range pl.late {
			if l.at < t {
				x.order = append(x.order, lateOf{l, m})
			} else {
				kept = append(kept, l)
			}
		}
		pl.late = kept
	}
	slices.SortStableFunc(x.order, func(a, b lateOf) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.member, b.member), cmp.Compare(a.src, b.src), cmp.Compare(a.lo, b.lo))
	})
	a, p := 0, 0
	for {
		next, kind := t, event.KindSample
		if a < len(x.order) {
			next, kind = x.order[a].at, event.KindArrival
		}
		if p < len(x.posts) && x.posts[p].at < next {
			next, kind = x.posts[p].at, event.KindSpike
		}
		if x.ticks {
			if s := x.cycle.Start(x.next); s < next {
				next, kind = s, event.KindPhaseOpen
			}
		}
		if next >= t {
			break
		}
		switch kind {
		case event.KindArrival:
			l := x.order[a]
			pl := x.members[l.member]
			pl.arrive(&l.late, x.dend, from)
			x.att.Arrive(pl.spikes(), l.src, l.lo, l.hi, l.at)
			a++
		case event.KindSpike:
			x.att.Post(x.posts[p].target, x.posts[p].at)
			p++
		case event.KindPhaseOpen:
			x.att.Tick(next, x.oja)
			x.next++
		}
	}
	x.posts = x.posts[:copy(x.posts, x.posts[p:])]
}

// suppose reads the weights of the tentative arrivals at a target again, given
// its spikes in the window and the starts of cycles there.
func (x *group) suppose(target int, spikes []event.Time) bool {
	type question struct {
		pl   *plastic
		arr  int     // −1: none
		part float64 // of the weight that is transmitted
	}
	var reads []hmn.Read
	var of []question
	for _, pl := range x.members {
		for _, l := range pl.late {
			for i := l.lo; i < l.hi; i++ {
				if int(pl.in.r.Target[i]) == target {
					reads = append(reads, hmn.Read{L: pl.spikes(), I: i, At: l.at, Only: true})
					of = append(of, question{pl: pl, arr: -1})
				}
			}
		}
		for _, o := range pl.open {
			if o.target != target {
				continue
			}
			for k := range reads {
				if reads[k].L == pl.l && reads[k].I == o.i && reads[k].At == o.at {
					of[k].arr, of[k].part = o.arr, o.part
				}
			}
		}
	}
	order := make([]int, len(reads))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(reads[a].At, reads[b].At) })
	sorted := make([]hmn.Read, len(reads))
	for k, q := range order {
		sorted[k] = reads[q]
	}
	seen := make([]event.Time, len(spikes))
	for k, t := range spikes {
		seen[k] = t + x.dend
	}
	var ticks []event.Time
	if n := len(sorted); x.ticks && n > 0 {
		for k := x.next; x.cycle.Start(k) < sorted[n-1].At; k++ {
			ticks = append(ticks, x.cycle.Start(k))
		}
	}
	x.att.Suppose(target, seen, ticks, x.oja, sorted)
	changed := false
	for k, q := range order {
		if o := of[q]; o.arr >= 0 {
			y := float64(o.part * sorted[k].W)
			if o.pl.in.r.Negative {
				y = -y
			}
			if y != o.pl.w[o.arr] {
				o.pl.w[o.arr] = y
				changed = true
			}
		}
	}
	return changed
}

// learnEmbeddings counts the input of learned embeddings in the window and lets
// them learn at cycle starts, at which windows end.
func (n *Network) learnEmbeddings(w event.Window) {
	for _, o := range n.oja {
		h := &o.rule.proj.src.hist
		lo, _ := slices.BinarySearch(h.at, w.Start)
		for k := lo; k < len(h.at) && h.at[k] < w.End; k++ {
			i := h.id[k]
			if !o.rule.hmn.par.Rates {
				o.mean[i]++
				continue
			}
			o.mean[i] += float64(o.level[i] * (h.at[k] - o.since[i]).MS())
			o.level[i], o.since[i] = h.to[k], h.at[k]
		}
		if o.rule.hmn.cycle.Start(o.next) == w.End {
			if o.rule.hmn.par.Rates {
				for i, x := range o.level {
					o.mean[i] += float64(x * (w.End - o.since[i]).MS())
					o.mean[i] /= (w.End - o.begun).MS()
					o.since[i] = w.End
				}
				o.begun = w.End
			}
			o.e.Oja(w.End, o.rule.hmn.par.EtaH, o.mean)
			clear(o.mean)
			o.next++
		}
	}
}

// nextTick is the earliest cycle start at which an embedding learns.
func (n *Network) nextTick() event.Time {
	t := event.MaxTime
	for _, o := range n.oja {
		t = min(t, o.rule.hmn.cycle.Start(o.next))
	}
	return t
}

func (n *Network) resetEmbeddings() {
	for _, o := range n.oja {
		o.e.Reset()
		clear(o.mean)
		clear(o.since)
		copy(o.level, o.start)
		o.begun = 0
		o.next = o.rule.hmn.cycle.NextStart(0)
	}
}

// relevance is cos(u, c̄) of relevance = "vector": c̄ is the sum of the contexts of
// all targets of the rule's group.
func (n *Network) relevance(r *rule, u []float64, t event.Time) float64 {
	sum := make([]float64, r.hmn.par.EmbedDim)
	for _, g := range n.learnings() {
		for _, x := range g.groups {
			if slices.ContainsFunc(x.members, func(pl *plastic) bool { return pl.rule == r }) {
				x.att.Context(t, sum)
			}
		}
	}
	for _, rp := range n.ratePlastics() {
		if rp.rule == r {
			rp.context(t, sum)
		}
	}
	return hmn.Cosine(u, sum)
}
