package network

import (
	"cmp"
	"fmt"
	"slices"

	"hmn/neuron"
	"hmn/synapse"
)

// junction is a gap junction between two neurons, by their global ids.
type junction struct {
	a, b uint32 // a < b
	g    float64
}

const (
	// maxCluster is the most neurons that junctions may join: one worker advances
	// them together, at a cost that grows with their number and events.
	maxCluster = 16384
	// mostEqualising is the highest rate [1/ms] at which junctions may equalise
	// the potential of one neuron: steps are shorter than its inverse.
	mostEqualising = 1e4
	// fewJunctions are looked at before a network is built.
	fewJunctions = 1e6
)

// electrical says whether the connections of a projection are gap junctions.
func (p *Projection) electrical() bool {
	m, ok := synapse.Lookup(p.Synapse)
	return ok && m.Electrical
}

// coupled says whether any projection gives neurons of population i gap
// junctions.
func (m *Model) coupled(i int) bool {
	return slices.ContainsFunc(m.Projections, func(p Projection) bool {
		return (p.Source == m.Populations[i].Name || p.Target == m.Populations[i].Name) && p.electrical()
	})
}

// junctions lists the gap junctions of the model, each pair of neurons once, in
// order. Connections of a neuron with itself and of conductance 0 carry no
// current and are left out.
func (m *Model) junctions() (all []junction, projection int, err error) {
	first := make([]uint32, len(m.Populations))
	for i := 1; i < len(first); i++ {
		first[i] = first[i-1] + uint32(m.Populations[i-1].N)
	}
	for i := range m.Projections {
		p := &m.Projections[i]
		if !p.electrical() {
			continue
		}
		c, err := newConnector(m, i)
		if err != nil {
			return nil, i, err
		}
		si, ti := m.findPopulation(p.Source), m.findPopulation(p.Target)
		var own []directed
		err = c.list(0, c.targets, func(x Synapse) {
			a, b := first[si]+x.Source, first[ti]+x.Target
			own = append(own, directed{min(a, b), max(a, b), a > b, x})
		})
		if err != nil {
			return nil, i, err
		}
		if k := slices.IndexFunc(own, func(d directed) bool { return !(d.x.Weight >= 0) }); k >= 0 {
			x := own[k].x
			return nil, i, fmt.Errorf("network: projection %q: weight of the gap junction between %s %d and %s %d is %g nS, want a conductance that is not negative", p.Name, p.Source, x.Source, p.Target, x.Target, x.Weight)
		}
		all = append(all, pairs(own, p.SynapseParams["symmetric"].Bool)...)
	}
	// Those of several projections add up.
	slices.SortStableFunc(all, func(x, y junction) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
	out := all[:0]
	for _, j := range all {
		if k := len(out); k > 0 && out[k-1].a == j.a && out[k-1].b == j.b {
			out[k-1].g += j.g
		} else {
			out = append(out, j)
		}
	}
	return out, -1, nil
}

// directed is one connection that makes a junction.
type directed struct {
	a, b    uint32
	reverse bool // from b to a
	x       Synapse
}

// pairs makes one junction of the connections of each pair: their sum, or, where
// they name each junction in both directions, the mean of the two.
func pairs(own []directed, symmetric bool) (all []junction) {
	side := map[bool]int{true: 1}
	slices.SortStableFunc(own, func(x, y directed) int {
		return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b), cmp.Compare(side[x.reverse], side[y.reverse]),
			cmp.Compare(x.x.Multapse, y.x.Multapse))
	})
	for k := 0; k < len(own); {
		var g [2]float64
		var seen [2]bool
		a, b := own[k].a, own[k].b
		for ; k < len(own) && own[k].a == a && own[k].b == b; k++ {
			d := side[own[k].reverse]
			g[d] += own[k].x.Weight
			seen[d] = true
		}
		sum := g[0] + g[1]
		if symmetric && seen[0] && seen[1] {
			sum *= 0.5
		}
		if a != b && sum > 0 {
			all = append(all, junction{a, b, sum})
		}
	}
	return all
}

// forest joins things into sets (union by the smaller index).
type forest []int32

func newForest(n int) forest {
	f := make(forest, n)
	for i := range f {
		f[i] = int32(i)
	}
	return f
}

func (f forest) root(i int) int {
	for int(f[i]) != i {
		f[i] = f[f[i]]
		i = int(f[i])
	}
	return i
}

func (f forest) join(a, b int) {
	a, b = f.root(a), f.root(b)
	f[max(a, b)] = int32(min(a, b))
}

// refuse says what is wrong with the junctions taken together.
func (m *Model) refuseJunctions(all []junction) error {
	total := 0
	for i := range m.Populations {
		total += m.Populations[i].N
	}
	f, size, sum := newForest(total), make([]int, total), make([]float64, total)
	for _, j := range all {
		f.join(int(j.a), int(j.b))
		sum[j.a] += j.g
		sum[j.b] += j.g
	}
	id := 0
	for i := range m.Populations {
		p := &m.Populations[i]
		nm, _ := neuron.Lookup(p.Model)
		c := 1.0
		if _, ok := nm.Param("C_m"); ok {
			c = nm.Number(p.Params, "C_m")
		}
		for k := range p.N {
			r := f.root(id)
			if size[r]++; size[r] > maxCluster {
				return fmt.Errorf("gap junctions join more than %d neurons, %q %d among them: they are advanced together, want at most %d", maxCluster, p.Name, k, maxCluster)
			}
			if rate := sum[id] / c; !(rate <= mostEqualising) {
				return fmt.Errorf("gap junctions of %q %d: %.4g nS on %g pF equalise its potential at a rate of %.3g/ms, want at most %g/ms", p.Name, k, sum[id], c, rate, float64(mostEqualising))
			}
			id++
		}
	}
	return nil
}

// junctions checks the projections of gap junctions.
func (c *learningChecker) junctions() {
	m, many, last, before := c.m, 0.0, -1, len(c.faults)
	for i := range m.Projections {
		p := &m.Projections[i]
		if !p.electrical() {
			continue
		}
		c.junctionProjection(i)
		last = i
		if len(c.faults) == before {
			if k, err := newConnector(m, i); err == nil {
				many += k.expected()
			}
		}
	}
	if last < 0 || len(c.faults) > before || many > fewJunctions {
		return
	}
	all, at, err := m.junctions()
	if err == nil {
		at, err = last, m.refuseJunctions(all)
	}
	if err != nil {
		c.fault("projection", at, "synapse", "%w", err)
	}
}

func (c *learningChecker) junctionProjection(i int) {
	m, p := c.m, &c.m.Projections[i]
	refuse := func(key, format string, args ...any) { c.fault("projection", i, key, format, args...) }
	for _, end := range []struct{ key, name string }{{"source", p.Source}, {"target", p.Target}} {
		k := m.findPopulation(end.name)
		if k < 0 {
			continue // reported with the projection itself
		}
		q := &m.Populations[k]
		if key, err := neuron.CheckClusterCell(q.Model, q.Params); err != nil {
			if key != "" {
				key = "params." + key + ": "
			}
			refuse(end.key, "gap junctions of population %q: %s%w", q.Name, key, err)
			return
		}
	}
	for _, v := range []struct {
		key string
		Value
	}{{"axonal_delay", p.Axonal}, {"dendritic_delay", p.Dendritic}} {
		if x, ok := v.fixed(); !ok || x != 0 {
			refuse(v.key, "%s %s ms: a gap junction has no delay, leave it out", v.key, v.Value.String())
		}
	}
	for k := range p.Edges {
		if e := &p.Edges[k]; e.Axonal > 0 || e.Dendritic > 0 {
			refuse("edges_file", "edge %d has a delay: a gap junction has none", k)
			break
		}
	}
	if lo, _ := p.Weight.bounds(); p.Rule != EdgeList && !(lo >= 0) {
		refuse("weight", "weight %s nS, want a conductance that is not negative: give draws a min", p.Weight.String())
	}
	if p.Receptor != "" {
		refuse("receptor", "receptor %q: a gap junction joins membranes and takes no receptor", p.Receptor)
	}
	if p.staged() {
		refuse("synapse", "a gap junction passes no spikes: short_term and release have no meaning")
	}
}
