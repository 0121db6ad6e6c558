package clocked

import (
	"hmn/network"
	"math"
	"math/rand/v2"
	"testing"
)

func TestZZ(t *testing.T) {
	for _, c := range []struct {
		name   string
		pulses []pulse
		tau    float64
		pairs  []any
	}{
		{"default", []pulse{{1700, 0.5}, {6300, 0.5}, {11100, 0.5}, {16200, 0.5}}, 200, nil},
		{"local only", nil, 200, nil},
		{"local 10x", []pulse{{1700, 0.5}, {6300, 0.5}, {11100, 0.5}, {16200, 0.5}}, 200, []any{"eta_local", 0.05}},
		{"A- -1.05", []pulse{{1700, 0.5}, {6300, 0.5}, {11100, 0.5}, {16200, 0.5}}, 200, []any{"A_minus", -1.05}},
		{"A- 1", []pulse{{1700, 0.5}, {6300, 0.5}, {11100, 0.5}, {16200, 0.5}}, 200, []any{"A_minus", 1.0}},
		{"A- 0", []pulse{{1700, 0.5}, {6300, 0.5}, {11100, 0.5}, {16200, 0.5}}, 200, []any{"A_minus", 0.0}},
		{"slow", []pulse{{1700, 0.5}, {6300, 0.5}, {11100, 0.5}, {16200, 0.5}}, 200, []any{"a_fast", 0}},
		{"tau500", []pulse{{1700, 0.5}, {6300, 0.5}, {11100, 0.5}, {16200, 0.5}}, 500, nil},
		{"tau100", []pulse{{1700, 0.5}, {6300, 0.5}, {11100, 0.5}, {16200, 0.5}}, 100, nil},
	} {
		lo, hi, sum := 1e9, 0., 0.
		for seed := range uint64(10) {
			rnd := rand.New(rand.NewPCG(3, seed))
			train := func(hz float64) (list []float64) {
				for i := 1; i < 20_000; i++ {
					if rnd.Float64() < hz/1000 {
						list = append(list, float64(i))
					}
				}
				return list
			}
			pre, post := train(20), train(15)
			run := func(h float64, mid bool) *tape {
				p := append([]any{"w_max", 1000.0, "eta_local", 1e-3, "eta_global", 0.5, "bernoulli", false}, c.pairs...)
				m := model(h, []network.Population{trains("pre", pre), trains("post", post)},
					plasticProjection("pre", "post", network.OneToOne, 500, 2, 1, p...))
				m.Records = []network.Record{{What: network.RecordCandidate, Of: "prepost"}}
				q := network.Modulator{Name: "reward", Tau: c.tau, Events: []network.Jump{}}
				for _, p := range c.pulses {
					q.Events = append(q.Events, network.Jump{At: at(p.at), Amount: p.size})
				}
				m.Modulators = []network.Modulator{q}
				_, r := play(t, m, 20_000, mid)
				return r
			}
			a, b := run(1, false), run(.5, true)
			e, s := 0.0, 0.0
			for k, c := range a.candidates {
				w := b.candidates[k].Value
				e += (c.Value - w) * (c.Value - w)
				s += w * w
			}
			x := math.Sqrt(e / s)
			lo = min(lo, x)
			hi = max(hi, x)
			sum += x / 10
		}
		t.Logf("%-12s %.4f %.4f %.4f", c.name, lo, sum, hi)
	}
}
