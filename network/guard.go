package network

import (
	"fmt"

	"hmn/event"
	"hmn/neuron"
)

// guard watches for run-away and silence. It judges whole guard windows and the
// intervals between spikes, so when it stops a run does not depend on workers
// or on how the run was split.
type guard struct {
	pending []Spike  // sent but not yet delivered
	counts  []uint64 // by population, in the guard window that ends at next
	next    event.Time
	last    event.Time // latest spike of a neuron
	tripped *StoppedError
}

// count takes delivered spikes, those before t, into the statistics.
func (n *Network) count(t event.Time) {
	g := &n.guard
	k := 0
	for ; k < len(g.pending) && g.pending[k].At < t; k++ {
		s := g.pending[k]
		n.judgeUpTo(s.At)
		p := n.pops[n.order[s.ID]]
		p.spikes++
		n.stats.Spikes++
		g.counts[p.index]++
		if p.model.Kind == neuron.Spiking {
			g.last = s.At
		}
	}
	g.pending = g.pending[:copy(g.pending, g.pending[k:])]
	n.judgeUpTo(t)
}

// judgeUpTo lets the guards judge everything up to t, in order of time: silence
// lasts from the last spike before t to t.
func (n *Network) judgeUpTo(t event.Time) {
	g, s := &n.guard, n.model.Guard.Silence
	if s > 0 && t-g.last >= s {
		n.judge(g.last + s)
		for _, p := range n.pops {
			if p.model.Kind == neuron.Spiking && g.tripped == nil {
				g.tripped = &StoppedError{At: g.last + s, Population: p.desc.Name,
					Reason: fmt.Sprintf("no neuron fired for %s ms (guard.silence)", s)}
			}
		}
	}
	n.judge(t)
}

// judge closes every guard window that ends at or before t.
func (n *Network) judge(t event.Time) {
	g := &n.guard
	set := &n.model.Guard
	if set.Window == 0 {
		return
	}
	if g.next == 0 {
		g.next = set.Window
	}
	for g.next <= t {
		for i, p := range n.pops {
			rate := float64(g.counts[i]) / float64(p.desc.N) / set.Window.Seconds()
			if g.tripped == nil && set.MaxRateHz > 0 && rate > set.MaxRateHz && p.model.Kind == neuron.Spiking {
				g.tripped = &StoppedError{At: g.next, Population: p.desc.Name,
					Reason: fmt.Sprintf("rate %.4g Hz over %s ms, limit %g Hz (guard.max_rate_hz)", rate, set.Window, set.MaxRateHz)}
			}
			g.counts[i] = 0
		}
		g.next += set.Window
	}
}

// guards ends the run when a guard has tripped.
func (n *Network) guards() error {
	g := &n.guard
	if g.tripped != nil {
		return g.tripped
	}
	return nil
}
