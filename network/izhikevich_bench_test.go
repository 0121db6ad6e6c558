package network

import (
	"context"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// izhikevichModel is the network of models/izhikevich2007 without its task: 800 and
// 200 grid neurons, 80 000 synapses that learn by a rule and 20 000 that do not.
func izhikevichModel(rule string, axonal, dendritic float64, par quantity.Values) *Model {
	m := &Model{Simulation: Simulation{Seed: 1}, Populations: []Population{
		{Name: "E", N: 800, Model: "izhikevich_2003_grid", Params: num("d", 8, "noise", 13), ExpectedRateHz: 1.2},
		{Name: "I", N: 200, Model: "izhikevich_2003_grid", Params: num("a", 0.1, "d", 2, "noise", 13), ExpectedRateHz: 1.5},
	}, Projections: []Projection{
		{Name: "EE", Source: "E", Target: "E", Rule: FixedOutDegree, Degree: 80, Weight: fixed(1)},
		{Name: "EI", Source: "E", Target: "I", Rule: FixedOutDegree, Degree: 20, Weight: fixed(1)},
		{Name: "IE", Source: "I", Target: "E", Rule: FixedOutDegree, Degree: 100, Weight: fixed(-1), Dendritic: fixed(1), Synapse: "static"},
	}}
	for k := range m.Projections {
		p := &m.Projections[k]
		p.Autapses, p.Multapses = true, true
		if p.Synapse == "" {
			p.Synapse, p.SynapseParams, p.Axonal, p.Dendritic = rule, par, fixed(axonal), fixed(dendritic)
		}
	}
	if rule != "static" {
		m.Modulators = []Modulator{{Name: "dopamine", Tau: 200, Events: []Jump{}}}
		for k := range 1000 { // as many as there are rewards in an hour, and more
			m.Modulators[0].Events = append(m.Modulators[0].Events, Jump{event.Time(k) * 10 * event.Second, 0.5})
		}
	}
	return m
}

// BenchmarkIzhikevich2007 is a simulated second of the network under several
// rules.
func BenchmarkIzhikevich2007(b *testing.B) {
	exact := num("semantics", "exact", "trace", "set", "A_plus", 0.1, "A_minus", -0.15, "eta", 0.1, "b", -0.002, "w_max", 4)
	for _, c := range []struct {
		name, rule        string
		axonal, dendritic float64
		par               quantity.Values
	}{
		{"static", "static", 1, 0, nil},
		{"daspnet", "stdp_dopamine", 1, 0, num("semantics", "daspnet", "w_max", 4)},
		{"exact", "stdp_dopamine", 0.75, 0.25, exact},
		{"hmn-core", "hmn", 1, 0, num("w_max", 4)},
	} {
		b.Run(c.name, func(b *testing.B) {
			n, err := Build(izhikevichModel(c.rule, c.axonal, c.dendritic, c.par), Options{Workers: 1})
			if err != nil {
				b.Fatal(err)
			}
			defer n.Close()
			if err := n.Run(context.Background(), event.Second, Recorder{}); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := n.Run(context.Background(), event.Second, Recorder{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(1e3*b.Elapsed().Seconds()/float64(b.N), "ms/s")
			b.ReportMetric(float64(n.Stats().Spikes)/n.Stats().Now.Seconds(), "spikes/s")
		})
	}
}
