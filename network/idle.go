package network

import (
	"sort"

	"hmn/event"
	"hmn/neuron"
)

// skip passes over windows in which nothing happens: no spike or change of level
// is on its way, no unit has anything to come, no learning window that matters
// closes. The state after such windows is the state before them, so that they
// need not be looked at; the grid stays what it is. It stops before end.
func (n *Network) skip(end event.Time) {
	t := min(n.idleUntil(), end)
	if t -= t % n.grid.Step; t > n.now+n.grid.Step {
		n.now = t
		for _, p := range n.pops {
			n.extendLevels(p, n.now+n.grid.Step)
			n.enterChanges(p)
		}
	}
}

// idleUntil is a time before which nothing happens, the present one when
// something does.
func (n *Network) idleUntil() event.Time {
	if len(n.guard.pending) > 0 || n.now == 0 {
		return n.now
	}
	// Embeddings learn at the end of a window, which must not be passed over.
	t := min(n.agenda.Next(), n.observers.Next(), n.mods.nextJump(n.now), n.mods.nextSample(n.now), n.nextTick()-1)
	if t <= n.now {
		return n.now
	}
	for _, p := range n.pops {
		switch {
		case p.levels != nil:
			t = min(t, p.levels.Next(p.until))
			if k := len(p.hist.at); k > 0 && p.hist.at[k-1] >= n.now {
				return n.now
			}
		case p.model.Kind == neuron.SpikeSource:
			t = min(t, p.nextTrain(n.now))
		}
	}
	for _, a := range n.blocks {
		if t <= n.now {
			return n.now
		}
		switch b := a.(type) {
		case *sourceBlock:
			t = min(t, b.learn.idleUntil(n))
		case *levelBlock:
			t = min(t, b.learn.idleUntil(n.now))
		case *rateBlock:
			for _, part := range b.parts {
				t = min(t, part.units.Next(n.now))
				for _, in := range part.ins {
					if in.busy() {
						return n.now
					}
				}
			}
			t = min(t, b.learn.idleUntil(n.now))
		case *linearBlock:
			if b.busy() {
				return n.now
			}
			t = min(t, b.learn.idleUntil(n))
		case *cellBlock:
			t = min(t, b.idleUntil(n.now), b.learn.idleUntil(n))
		default:
			return n.now
		}
	}
	return t
}

// busy says whether anything is on its way over the input.
func (in *input) busy() bool {
	if in.next < in.p.src.hist.end() {
		return true
	}
	for q := range in.pending {
		if in.pending[q].cur < in.pending[q].end {
			return true
		}
	}
	return false
}

// busy says whether any neuron of the block is not at rest.
func (b *linearBlock) busy() bool {
	if len(b.directs) > 0 || len(b.resting) > 0 || len(b.due) > 0 || len(b.steps) > 0 {
		return true
	}
	for _, ins := range [][]*input{b.waves, b.timed, b.levels} {
		for _, in := range ins {
			if in.busy() {
				return true
			}
			for k := range in.ring {
				if len(in.ring[k].at) > 0 {
					return true
				}
			}
		}
	}
	for _, in := range b.waves {
		w := &in.p.wave
		if len(w.cut) > 0 && w.cut[len(w.cut)-1] < in.p.src.hist.end() || len(w.cut) == 0 && in.p.src.hist.end() > 0 {
			return true
		}
	}
	return b.pop.bias != nil || b.epoch != nil && len(b.epoch.moved)+len(b.epoch.apart) > 0 || !b.st.AtRest()
}

// idleUntil is a time before which no plastic synapse needs to be looked at.
func (g *learning) idleUntil(n *Network) event.Time {
	if g == nil {
		return event.MaxTime
	}
	for _, pl := range g.in {
		if pl.in.busy() || len(pl.late) > 0 {
			return n.now
		}
		for k := range pl.ring {
			if len(pl.ring[k].w) > 0 {
				return n.now
			}
		}
	}
	for _, x := range g.groups {
		if len(x.posts) > 0 {
			return n.now
		}
	}
	for _, pl := range g.in {
		if pl.l.Log().All || pl.l.Live() {
			return n.passTime(n.book.pass + 1) // settle passes take care of it
		}
	}
	return event.MaxTime
}

func (g *rateLearning) idleUntil(now event.Time) event.Time {
	if g == nil {
		return event.MaxTime
	}
	t := event.MaxTime
	for _, pl := range g.in {
		if pl.in.busy() || len(pl.coming) > 0 || len(pl.effects) > 0 || len(pl.outs) > 0 {
			return now
		}
		t = min(t, pl.l.NextClose().At)
	}
	for _, x := range g.groups {
		if x.ticks {
			t = min(t, x.cycle.Start(x.next))
		}
	}
	return t
}

// nextTrain is a time before which a spike source sends nothing from now on.
func (p *population) nextTrain(now event.Time) event.Time {
	if p.desc.Model != "spike_train" {
		return now
	}
	if p.nextSpike >= now && p.nextSpike > 0 {
		return p.nextSpike
	}
	p.nextSpike = event.MaxTime
	for _, train := range p.desc.Trains {
		if k := sort.Search(len(train), func(k int) bool { return train[k] >= now }); k < len(train) {
			p.nextSpike = min(p.nextSpike, train[k])
		}
	}
	return p.nextSpike
}
