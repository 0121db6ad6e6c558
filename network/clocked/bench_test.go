package clocked

import (
	"testing"

	"hmn/network"
)

// BenchmarkStep is one step of 1000 neurons with 80 plastic synapses each.
func BenchmarkStep(b *testing.B) {
	p := plasticProjection("n", "n", network.FixedInDegree, 1, 1, 0, "w_max", 4.0, "phase", "uniform")
	p.Degree = 80
	m := model(1, []network.Population{{Name: "n", N: 1000, Model: "iaf_psc_delta"}, {Name: "in", N: 1000, Model: "poisson", Params: values("rate", 1000)}},
		p, static("in", "n", 2.4, 1))
	e, err := New(m)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := e.Run(b.Context(), at(1), network.Recorder{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/80e3, "ns/synapse")
}
