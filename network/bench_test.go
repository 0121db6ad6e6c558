package network

import (
	"context"
	"fmt"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// num makes parameter tables short to write.
func num(pairs ...any) quantity.Values {
	v := quantity.Values{}
	for k := 0; k < len(pairs); k += 2 {
		switch x := pairs[k+1].(type) {
		case int:
			v[pairs[k].(string)] = quantity.Value{Number: float64(x)}
		case float64:
			v[pairs[k].(string)] = quantity.Value{Number: x}
		case string:
			v[pairs[k].(string)] = quantity.Value{Text: x}
		}
	}
	return v
}

func fixed(x float64) Value { return Value{A: x} }

func between(a, b float64) Value { return Value{Form: Uniform, A: a, B: b} }

// cubaModel is the current-based network of Brette et al. 2007 with n neurons.
func cubaModel(n int, delay Value) *Model {
	p := num("C_m", 250, "tau_m", 20, "E_L", -49, "V_th", -50, "V_reset", -60, "t_ref", 5, "tau_syn_ex", 5, "tau_syn_in", 10)
	init := map[string]Value{"V_m": between(-60, -50)}
	m := &Model{Simulation: Simulation{Seed: 1}, Populations: []Population{
		{Name: "E", N: n * 4 / 5, Model: "iaf_psc_exp", Params: p, Init: init, ExpectedRateHz: 5.5},
		{Name: "I", N: n / 5, Model: "iaf_psc_exp", Params: p, Init: init, ExpectedRateHz: 5.5},
	}}
	for _, s := range []string{"E", "I"} {
		for _, t := range []string{"E", "I"} {
			w := 20.25
			if s == "I" {
				w = -112.5
			}
			m.Projections = append(m.Projections, Projection{Name: s + t, Source: s, Target: t, Rule: PairwiseBernoulli,
				P: 80 / float64(n), Weight: fixed(w), Dendritic: delay, Synapse: "static"})
		}
	}
	return m
}

// brunelModel is the network of Brunel 2000 scaled to n neurons with in-degree
// n/10 and the external input of the full one.
func brunelModel(n int, g, eta float64) *Model {
	p := num("tau_m", 20, "E_L", 0, "V_th", 20, "V_reset", 10, "t_ref", 2)
	init := map[string]Value{"V_m": between(0, 20)}
	ne, ni := n*4/5, n/5
	m := &Model{Simulation: Simulation{Seed: 1}}
	for _, t := range []struct {
		name string
		n    int
	}{{"E", ne}, {"I", ni}} {
		m.Populations = append(m.Populations, Population{Name: t.name, N: t.n, Model: "iaf_psc_delta", Params: p, Init: init, ExpectedRateHz: 37.4},
			Population{Name: "noise" + t.name, N: t.n, Model: "poisson", Params: num("rate", eta*10000)})
	}
	j := 0.1 * 12500 / float64(n)
	for _, t := range []string{"E", "I"} {
		m.Projections = append(m.Projections,
			Projection{Name: "E" + t, Source: "E", Target: t, Rule: FixedInDegree, Degree: ne / 10, Autapses: true, Multapses: true, Weight: fixed(j), Dendritic: fixed(1.5), Synapse: "static"},
			Projection{Name: "I" + t, Source: "I", Target: t, Rule: FixedInDegree, Degree: ni / 10, Autapses: true, Multapses: true, Weight: fixed(-g * j), Dendritic: fixed(1.5), Synapse: "static"},
			Projection{Name: "noise" + t, Source: "noise" + t, Target: t, Rule: OneToOne, Weight: fixed(0.1), Dendritic: fixed(1.5), Synapse: "static"})
	}
	return m
}

// BenchmarkNetwork reports wall ns per synaptic event of whole networks, after
// 200 ms of simulated warm-up, external events included.
func BenchmarkNetwork(b *testing.B) {
	for _, c := range []struct {
		name  string
		model *Model
		ms    event.Time
	}{
		{"cuba", cubaModel(4000, fixed(1.5)), 1000},
		{"cuba-delays", cubaModel(4000, between(0.5, 3)), 1000},
		{"brunel", brunelModel(12500, 5, 2), 100},
	} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", c.name, workers), func(b *testing.B) {
				n, err := Build(c.model, Options{Workers: workers})
				if err != nil {
					b.Fatal(err)
				}
				defer n.Close()
				if err := n.Run(context.Background(), 200*event.Millisecond, Recorder{}); err != nil {
					b.Fatal(err)
				}
				before := n.Stats()
				b.ResetTimer()
				b.ReportAllocs()
				runs := 0
				for b.Loop() {
					runs++
					if err := n.Run(context.Background(), c.ms*event.Millisecond, Recorder{}); err != nil {
						b.Fatal(err)
					}
				}
				s := n.Stats()
				events := float64(s.SynapticEvents - before.SynapticEvents)
				secs := float64(runs) * c.ms.MS() * 1e6
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/events, "ns/event")
				b.ReportMetric(float64(s.PopSpikes[0]-before.PopSpikes[0])/float64(c.model.Populations[0].N)/secs*1e0, "Hz(E)")
				b.ReportMetric(float64(s.SynapseBytes)/float64(s.Synapses), "B/synapse")
			})
		}
	}
}
