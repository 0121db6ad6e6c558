package task

import (
	"cmp"
	"fmt"
	"slices"

	"hmn/event"
	"hmn/event/random"
	"hmn/network"
	"hmn/neuron"
)

// crowd is the neurons that a task can stimulate one by one: those of every
// population that a level source reaches by the rule one_to_one, numbered through
// in the order of these projections.
type crowd struct {
	parts []part
	n     int
}

// part is one population of a crowd.
type part struct {
	population int    // of the model
	source     string // level source
	lo, n      int    // its neurons are [lo, lo + n) of the crowd
	first      uint32 // global id of the first, known once the task starts
}

func crowdOf(m *network.Model) (c crowd) {
	for _, p := range m.Projections {
		s := slices.IndexFunc(m.Populations, func(q network.Population) bool { return q.Name == p.Source })
		t := slices.IndexFunc(m.Populations, func(q network.Population) bool { return q.Name == p.Target })
		if s < 0 || t < 0 || p.Rule != network.OneToOne {
			continue
		}
		if a, ok := neuron.Lookup(m.Populations[s].Model); !ok || a.Kind != neuron.LevelSource {
			continue
		}
		if b, ok := neuron.Lookup(m.Populations[t].Model); !ok || b.Kind != neuron.Spiking {
			continue
		}
		c.parts = append(c.parts, part{population: t, source: p.Source, lo: c.n, n: m.Populations[t].N})
		c.n += m.Populations[t].N
	}
	return c
}

// find is the part that is a population of a name.
func (c *crowd) find(m *network.Model, name string) (*part, error) {
	for k := range c.parts {
		if m.Populations[c.parts[k].population].Name == name {
			return &c.parts[k], nil
		}
	}
	return nil, fmt.Errorf("population %q: want one that a level source such as step_current reaches one to one, so that its neurons can be stimulated", name)
}

// start learns where the populations are.
func (c *crowd) start(n host) {
	for k := range c.parts {
		c.parts[k].first = n.FirstID(c.parts[k].population)
	}
}

// at is the number in the crowd of the neuron with a global id, or −1.
func (c *crowd) at(id uint32) int {
	for k := range c.parts {
		if p := &c.parts[k]; id-p.first < uint32(p.n) {
			return p.lo + int(id-p.first)
		}
	}
	return -1
}

// shuffled is [lo, lo + n) in a random order, keyed by k and entity.
func shuffled(k random.Key, entity uint64, lo, n int) []int {
	type ranked struct {
		rank uint64
		i    int
	}
	order := make([]ranked, n)
	for i := range order {
		a, _ := k.At(entity, uint64(i))
		order[i] = ranked{a, lo + i}
	}
	slices.SortFunc(order, func(a, b ranked) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.i, b.i)) })
	out := make([]int, n)
	for i, x := range order {
		out[i] = x.i
	}
	return out
}

// pulse stimulates neurons of the crowd from now on for a time.
func (c *crowd) pulse(n host, group []int, level float64, width event.Time) error {
	set := func(x float64) error {
		for _, i := range group {
			p := slices.IndexFunc(c.parts, func(p part) bool { return i >= p.lo && i < p.lo+p.n })
			if err := n.SetLevel(c.parts[p].source, i-c.parts[p].lo, x); err != nil {
				return err
			}
		}
		return nil
	}
	if err := set(level); err != nil {
		return err
	}
	_, err := n.At(n.Now()+width, func(event.Time) error { return set(0) })
	return err
}

// bundle is plastic synapses whose mean weight a task reports.
type bundle []struct {
	projection     string
	source, target uint32
}

// bundleOf finds the plastic synapses from one set of neurons of a crowd to
// another; nil stands for all neurons. Of several synapses of a pair it takes the
// first.
func (c *crowd) bundleOf(m *network.Model, from, to []int) (b bundle, err error) {
	member := func(set []int) []bool {
		is := make([]bool, c.n)
		for i := range is {
			is[i] = set == nil
		}
		for _, i := range set {
			is[i] = true
		}
		return is
	}
	isFrom, isTo := member(from), member(to)
	for k, p := range m.Projections {
		s := slices.IndexFunc(c.parts, func(q part) bool { return m.Populations[q.population].Name == p.Source })
		t := slices.IndexFunc(c.parts, func(q part) bool { return m.Populations[q.population].Name == p.Target })
		if s < 0 || t < 0 || !learns(p) {
			continue
		}
		all, err := network.Synapses(m, k)
		if err != nil {
			return nil, err
		}
		for _, x := range all {
			if x.Multapse == 0 && isFrom[c.parts[s].lo+int(x.Source)] && isTo[c.parts[t].lo+int(x.Target)] {
				b = append(b, struct {
					projection     string
					source, target uint32
				}{p.Name, x.Source, x.Target})
			}
		}
	}
	return b, nil
}

// mean is the mean weight at present, 0 of none.
func (b bundle) mean(n host) (float64, error) {
	sum := 0.0
	for _, x := range b {
		w, err := n.Weight(x.projection, x.source, x.target)
		if err != nil {
			return 0, err
		}
		sum += w
	}
	return sum / float64(max(len(b), 1)), nil
}

// wholeMS draws a time from [lo, lo + span) and rounds it down to whole ms: the
// grid of the published programs, and of neurons that live on it.
func wholeMS(lo, span event.Time, u float64) event.Time {
	t := lo + upTo(span, u)
	return t - t%event.Millisecond
}
