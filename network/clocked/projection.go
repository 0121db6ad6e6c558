package clocked

import (
	"fmt"
	"slices"

	"hmn/event"
	"hmn/network"
	"hmn/neuron"
)

// projection is one projection of the description.
type projection struct {
	desc     *network.Projection
	index    int
	src, tgt *population
	syn      []connection
	rule     *rule // nil: static
}

// connection is what every synapse has. A static one has its whole delay as axonal.
type connection struct {
	source, target, multapse uint32
	axonal, dendritic        int64 // steps
	port                     int
	weight                   float64 // signed; of plastic ones the start value
}

// weight is the present weight of synapse i, with its sign.
func (p *projection) weight(i int) float64 {
	if p.rule == nil {
		return p.syn[i].weight
	}
	return p.rule.sign * p.rule.syn[i].w
}

// weightFor is the weight that an arrival at t finds.
func (p *projection) weightFor(i int, t event.Time) float64 {
	if p.rule == nil {
		return p.syn[i].weight
	}
	return p.rule.sign * p.rule.syn[i].weightFor(t)
}

// find is the population of that name, or nil.
func (e *Engine) find(name string) *population {
	if i := slices.IndexFunc(e.pops, func(p *population) bool { return p.desc.Name == name }); i >= 0 {
		return e.pops[i]
	}
	return nil
}

func (e *Engine) makeProjections() error {
	for i := range e.model.Projections {
		d := &e.model.Projections[i]
		p := &projection{desc: d, index: i, src: e.find(d.Source), tgt: e.find(d.Target)}
		e.projs = append(e.projs, p)
		if d.ShortTerm.Model != "" || d.Release.Sites > 0 {
			return fmt.Errorf("clocked: projection %q: the clocked engine has no short-term stages and no stochastic release, want engine = %q", d.Name, network.EngineEvent)
		}
		if d.Synapse != "" && d.Synapse != "static" && d.Synapse != "hmn" {
			return fmt.Errorf("clocked: projection %q: synapse model %q is not known to the clocked engine, want static or hmn, or engine = %q", d.Name, d.Synapse, network.EngineEvent)
		}
		list, err := network.Synapses(e.model, i)
		if err != nil {
			return err
		}
		ports := p.tgt.model.Ports
		for _, x := range list {
			s := connection{source: x.Source, target: x.Target, multapse: x.Multapse, weight: x.Weight}
			if d.Synapse == "hmn" {
				s.axonal, s.dendritic = e.steps(x.Axonal), e.steps(x.Dendritic)
			} else {
				s.axonal = e.steps(x.Axonal + x.Dendritic)
			}
			if s.axonal+s.dendritic == 0 && x.Axonal+x.Dendritic > 0 {
				s.axonal = 1
			}
			switch {
			case d.Receptor != "":
				s.port = slices.Index(ports, d.Receptor)
			case x.Weight < 0 && p.tgt.model.Kind == neuron.Spiking:
				s.port = len(ports) - 1
			}
			p.syn = append(p.syn, s)
		}
		if d.Synapse == "hmn" {
			if err := e.makeRule(p, list); err != nil {
				return fmt.Errorf("clocked: projection %q: %w", d.Name, err)
			}
		}
	}
	e.makeRings()
	e.fillInputs()
	return nil
}

// fillInputs gives rate units and membranes what was sent before t = 0 and is
// still on its dendritic way.
func (e *Engine) fillInputs() {
	for _, p := range e.projs {
		if !p.src.sendsLevels() || !p.tgt.receives() {
			continue
		}
		for i, s := range p.syn {
			for n := range s.dendritic {
				p.tgt.current[n][s.target] += p.weight(i) * p.src.outAt(n - s.dendritic - s.axonal)[s.source]
			}
		}
	}
}

// deliver takes what reaches the synapses at t and sends it on to the neurons.
// Synapses without axonal delay come second, after the neurons at t.
func (e *Engine) deliver(t event.Time, second bool) {
	for _, p := range e.projs {
		for i := range p.syn {
			s := &p.syn[i]
			if (s.axonal == 0) != second {
				continue
			}
			if p.src.sendsLevels() {
				// Connections without any delay are read by the unit itself.
				if p.tgt.receives() && s.axonal+s.dendritic > 0 {
					x := p.src.outAt(e.n - s.axonal)[s.source]
					p.tgt.current[slot(e.n+s.dendritic, len(p.tgt.current))][s.target] += p.weightFor(i, t) * x
				}
				continue
			}
			count := p.src.spikesAt(e.n - s.axonal)[s.source]
			if count == 0 {
				continue
			}
			e.stats.SynapticEvents += uint64(count)
			if p.tgt.receives() {
				p.tgt.input[slot(e.n+s.dendritic, len(p.tgt.input))][s.port][s.target] += p.weightFor(i, t) * float64(count)
			}
		}
	}
}
