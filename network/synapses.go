package network

import (
	"cmp"
	"math"
	"slices"

	"hmn/event/random"
	"hmn/synapse/hmn"
)

// list hands every synapse onto the neurons [lo, hi) to take, with its weight,
// both parts of its delay and its multapse number. The order is a function of
// the description: by target for rules that draw target by target, else by
// source.
func (c *connector) list(lo, hi int, take func(Synapse)) error {
	b := &block{connector: c, lo: lo, hi: hi, collect: take, number: c.multi}
	if b.number && !c.bySource {
		b.seen = make([]multapse, c.sources)
	}
	return b.generate()
}

// take hands one synapse over.
func (b *block) take(s, t, nth uint32, e int) error {
	x := Synapse{Source: s, Target: t, Multapse: nth, Weight: b.weight.x, Axonal: b.axonal.t, Dendritic: b.dendritic.t}
	if b.drawsAny() || e >= 0 {
		var err error
		if x.Weight, x.Axonal, x.Dendritic, err = b.parts(s, t, nth, e); err != nil {
			return err
		}
	}
	if b.phases != nil {
		x.Phase = b.phases.of(s, t, nth, e)
	}
	b.collect(x)
	return nil
}

// phases gives plastic synapses their phase.
type phases struct {
	c *connector
	p *hmn.Params
}

func (c *connector) makePhases() error {
	if c.p.Synapse != hmn.Name {
		return nil
	}
	par, err := hmn.Resolve(c.p.SynapseParams, c.rates)
	if err != nil {
		return err
	}
	c.phases = &phases{c, &par}
	return nil
}

// of is φ_ij: of the edge, drawn, or one for all; on the grid of phase_bins where
// the rule has one.
func (f *phases) of(s, t, nth uint32, e int) float64 {
	phi := f.p.Phase
	switch {
	case e >= 0 && f.c.p.EdgePhases:
		phi = f.c.p.Edges[e].Phase
	case f.p.PhaseUniform:
		k := random.NewKey(f.c.seed, random.StreamPhase, synapseOwner(f.c.name, nth))
		a, _ := k.At(synapseEntity(s, t), 0)
		u := random.Uniform(a)
		if n := float64(f.p.PhaseBins); n > 0 {
			u = math.Floor(u*n) / n
		}
		return float64(u * (2 * math.Pi))
	}
	if n := float64(f.p.PhaseBins); n > 0 {
		q := math.Floor(float64(phi/(2*math.Pi)*n) + 0.5)
		if q >= n {
			q -= n
		}
		phi = float64(q / n * (2 * math.Pi))
	}
	return phi
}

// synapseEntity and synapseOwner make the random keys of a synapse: keyed by
// (target, source), with an owner of its own for each multapse number.
func synapseEntity(s, t uint32) uint64 { return uint64(t)<<32 | uint64(s) }

func synapseOwner(name uint64, nth uint32) uint64 { return name + 0x9e3779b97f4a7c15*uint64(nth) }

// UpdateKey is the key of the Bernoulli trials of the synapses of a projection
// with multapse number nth: the number for window k of the synapse from source s
// to target t is random.Uniform of the first word of
// UpdateKey(…).At(uint64(t)<<32|uint64(s), uint64(k)).
func UpdateKey(seed uint64, projection string, nth uint32) random.Key {
	return random.NewKey(seed, random.StreamUpdate, synapseOwner(random.Name(projection), nth))
}

// Synapses lists the synapses of projection p of a model as Build makes them, in
// order of (source, target, multapse number).
func Synapses(m *Model, p int) ([]Synapse, error) {
	c, err := newConnector(m, p)
	if err != nil {
		return nil, err
	}
	var out []Synapse
	if err := c.list(0, c.targets, func(x Synapse) { out = append(out, x) }); err != nil {
		return nil, err
	}
	sortSynapses(out)
	return out, nil
}

// sortSynapses orders synapses by (source, target, multapse number).
func sortSynapses(x []Synapse) {
	slices.SortFunc(x, func(a, b Synapse) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Multapse, b.Multapse))
	})
}
