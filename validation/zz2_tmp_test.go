package validation

import (
	"hmn/event"
	"hmn/network"
	"math"
	"math/rand/v2"
	"testing"
)

func TestTmp2(t *testing.T) {
	seed := uint64(0)
	rng := rand.New(rand.NewPCG(15, seed))
	r := coreRule(1)
	r.gate, r.bernoulli, r.tauFast = false, false, 20
	r.etaLocal, r.etaGlobal = 2e-4, 4e-3
	r.aFast = pick(rng, 0, 1.0)
	w := pairs(r, 5, 0.5)
	end := 2 * event.Second
	for i := range w.edges {
		w.edges[i].phase = rng.Float64() * 6
		w.edges[i].weight = pick(rng, 0, 0.05, 0.5, 0.97, 1)
		w.pre, w.post = append(w.pre, randomTrain(rng, 20, end)), append(w.post, randomTrain(rng, 15, end))
	}
	w.mods = randomModulators(rng, true, end, w.pre[0])
	for i := range w.mods {
		if w.mods[i].tau > 0 {
			w.mods[i].tau = max(w.mods[i].tau, 20)
		}
	}
	m := w.model(false)
	m.Projections[0].SynapseParams["update"] = values("update", "continuous")["update"]
	m.Records = []network.Record{record(network.RecordWeight, w.projection, ms(1)), record(network.RecordEligibility, w.projection, ms(1)), record(network.RecordGPrime, w.projection, ms(1))}
	net := build(t, m, 1)
	got := &learned{}
	learn(t, net, end, got)
	for i := range w.edges {
		f, cuts := w.plain(i, end)
		n := 0
		x := got.columns(0, 0)[i]
		e := got.columns(1, 0)[i]
		g := got.columns(2, 0)[0]
		for k := 1; k < len(x); k++ {
			want := w.flow(i, ms(float64(k)))
			if math.Abs(want-x[k]) > 1e-10 {
				n++
				if n < 4 {
					t.Log(i, k, x[k-1], x[k], want, w.flow(i, ms(float64(k-1))), "drift", f(float64(k-1)), f(float64(k)), "e", e[k-1], e[k], (2e-4+4e-3*g[k-1])*e[k-1])
					for _, c := range cuts {
						if c > float64(k-2) && c < float64(k) {
							t.Log("    cut", c)
						}
					}
				}
			}
			if k > 300 {
				break
			}
		}
	}
	t.Log(w.mods)
}
