package clocked

import (
	"math"
	"testing"

	"hmn/event/random"
	"hmn/network"
)

// E_k by hand: jumps at the grid point at or after their time, decay, held ones,
// a population's spikes with their delay; G = Σ w E.
func TestModulators(t *testing.T) {
	m := model(1, []network.Population{trains("pre", []float64{3}), trains("post", []float64{15}), trains("DA", []float64{9.5}, []float64{20})},
		plasticProjection("pre", "post", network.OneToOne, 1, 1, 0, "w_max", 10.0, "w_novelty", 0.25))
	m.Modulators = []network.Modulator{jumps("reward", 10, [2]float64{4.2, 2}), jumps("novelty", 0, [2]float64{6, 1}, [2]float64{8, -3}),
		{Name: "volume", Tau: 5, Source: "DA", SourceJump: 0.5, Delay: at(2), HasDelay: true, HasW: true, W: 3}}
	for _, of := range []string{"reward", "novelty", "volume"} {
		m.Records = append(m.Records, network.Record{What: network.RecordModulator, Of: of, Every: at(1)})
	}
	for _, what := range []string{network.RecordG, network.RecordGPrime, network.RecordGamma, network.RecordEta} {
		m.Records = append(m.Records, network.Record{What: what, Of: "prepost", Every: at(1)})
	}
	_, r := play(t, m, 30, false)
	decayed := func(n int, from, tau, size float64) float64 {
		if float64(n) < from {
			return 0
		}
		return size * math.Exp(-(float64(n)-from)/tau)
	}
	for n := range 30 {
		reward := decayed(n, 5, 10, 2)
		novelty := 0.0
		if n >= 6 {
			novelty = 1
		}
		if n >= 8 {
			novelty = -2
		}
		volume := decayed(n, 12, 5, 0.5) + decayed(n, 22, 5, 0.5)
		g := reward + 0.25*novelty + 3*volume
		for k, want := range []float64{reward, novelty, volume, g, g} {
			if got := r.samples[k][n][0]; math.Abs(got-want) > 1e-13 {
				t.Fatalf("signal %d at %d ms: %g, want %g", k, n, got, want)
			}
		}
		if gamma := r.samples[5][n]; len(gamma) != 3 || math.Abs(gamma[0]-1./3) > 1e-16 {
			t.Fatalf("γ = %v, want thirds", gamma)
		}
		if eta := r.samples[6][n]; math.Abs(eta[0]/5e-5-1) > 1e-15 || math.Abs(eta[1]/2.5e-2-1) > 1e-15 {
			t.Fatalf("η = %v, want the defaults of w_max = 10", eta)
		}
	}
}

// Global attention: with E = (∓1, 0, 0), C = 1 and β_g = 1 the relevance "dot"
// gives γ of .155 and .576 (specification E.7), "abs" .576 to both, "vector" the
// cosine with the context.
func TestGlobalAttention(t *testing.T) {
	for _, c := range []struct {
		relevance string
		e         float64
		want      float64
	}{
		{"dot", -1, 0.155}, {"dot", 1, 0.576}, {"abs", -1, 0.576},
	} {
		m := model(1, []network.Population{trains("pre", []float64{3}), trains("post", []float64{15})},
			plasticProjection("pre", "post", network.OneToOne, 1, 1, 0, "w_max", 10.0, "beta_g", 1, "relevance", c.relevance))
		m.Modulators = []network.Modulator{jumps("a", 0, [2]float64{3, c.e}), jumps("b", 0), jumps("c", 0)}
		e := build(t, m, false)
		e.rules[0].c = 10. / 1000 // a mean of 10 Hz
		e.mods[0].e = c.e
		e.weigh(e.rules[0])
		if got := e.rules[0].gamma[0]; math.Abs(got-c.want) > 5e-4 {
			t.Errorf("%s, E = %g: γ = %.4f, want %g", c.relevance, c.e, got, c.want)
		}
		_, prime := e.modulation(e.rules[0], 0)
		near(t, "G'", prime, 3*e.rules[0].gamma[0]*c.e, 1e-15)
	}
	p := plasticProjection("pre", "post", network.OneToOne, 1, 1, 0, "w_max", 10.0, "beta_g", 2, "relevance", "vector", "embed_dim", 2, "embedding", "given")
	p.Embedding = [][]float64{{0, 5}}
	m := model(1, []network.Population{trains("pre", []float64{3}), trains("post", []float64{15})}, p)
	m.Modulators = []network.Modulator{jumps("a", 0, [2]float64{2, 1}), jumps("b", 0, [2]float64{20, 1})}
	m.Modulators[0].U, m.Modulators[1].U = []float64{3, 4}, []float64{1, 0}
	m.Records = []network.Record{{What: network.RecordGamma, Of: "prepost", Every: at(1)}}
	_, r := play(t, m, 30, false)
	// Before the post spike at 15 ms the context is 0; γ sees it at the next jump.
	if r.samples[0][19][0] != 0.5 {
		t.Errorf("γ = %v before the jump, want ½", r.samples[0][19])
	}
	near(t, "γ", r.samples[0][20][0], math.Exp(1.6)/(math.Exp(1.6)+1), 1e-14)
}

// C_global: a train of 10 Hz has a mean of 1 (docs/learning.md); right after a
// spike of a regular train it is (1/τ)/(1 − e^{−T/τ}) over r_ref.
func TestMeanActivity(t *testing.T) {
	var train []float64
	for k := range 100 {
		train = append(train, 100*float64(k))
	}
	m := model(1, []network.Population{trains("pre", nil, nil), trains("post", train, train)},
		plasticProjection("pre", "post", network.OneToOne, 1, 1, 0, "w_max", 10.0))
	e, _ := play(t, m, 10_000, false)
	// 99 ms and a step after the last spike at 9900 ms.
	near(t, "C", e.rules[0].activity(), 100*1e-3*math.Exp(-0.1)/-math.Expm1(-0.1), 1e-4)
	m = model(1, []network.Population{levels("x", 1, 1), levels("z", 2, 4)}, plasticProjection("x", "z", network.AllToAll, 1, 0, 0, "w_max", 10.0, "r_ref", 2))
	e, _ = play(t, m, 500, false)
	near(t, "C of rates", e.rules[0].activity(), 2*-math.Expm1(-0.5), 1e-12)
}

// Meta-learning: one pair of SPSA periods by hand, limits of a step and of η,
// periods without reward, finite differences in turns, REINFORCE.
func TestMeta(t *testing.T) {
	key := random.NewKey(7, random.StreamMeta, random.Name("meta"))
	sign := func(i int, period uint64) float64 {
		word, _ := key.At(0, period)
		return 2*float64(word>>i&1) - 1
	}
	fresh := func(estimator string) *meta {
		m := &meta{desc: &network.Meta{Estimator: estimator, C: 0.2, Sigma: 0.2, MinFactor: 1. / 30, MaxFactor: 30}, key: key, alpha: [2]float64{0.05, 0.1}}
		m.perturb()
		return m
	}
	m := fresh(network.SPSA)
	for i := range 2 {
		near(t, "factor", m.factor[i], math.Exp(0.2*sign(i, 0)), 1e-15)
	}
	m.learn(-0.3)
	for i := range 2 {
		near(t, "antithetic factor", m.factor[i], math.Exp(-0.2*sign(i, 0)), 1e-15)
		if m.xi[i] != 0 {
			t.Error("ξ moved inside a pair")
		}
	}
	m.learn(-0.7) // ĝ = (−0.3 + 0.7)/(2·0.2·Δ) = 1/Δ
	near(t, "ξ_local", m.xi[0], -0.05*sign(0, 0), 1e-14)
	near(t, "ξ_global", m.xi[1], -0.1*sign(1, 0), 1e-14)
	near(t, "next factor", m.factor[0], math.Exp(m.xi[0]+0.2*sign(0, 2)), 1e-15)
	m.learn(-1000)
	m.learn(1000)
	if d := math.Abs(m.xi[0] + 0.05*sign(0, 0)); math.Abs(d-0.2) > 1e-14 {
		t.Errorf("a step of %g, want 0.2", d)
	}
	for range 200 {
		m.learn(-1000 * m.sign(0))
		m.learn(1000 * m.sign(0)) // always down
		if m.factor[0] < 1./30*(1-1e-15) || m.factor[1] > 30*(1+1e-15) || m.factor[1] < 1./30*(1-1e-15) {
			t.Fatalf("factors %v left their bounds", m.factor)
		}
	}

	m = fresh(network.FiniteDifference)
	near(t, "first turn", m.factor[0], math.Exp(0.2), 1e-15)
	if m.factor[1] != 1 {
		t.Error("both perturbed")
	}
	m.learn(1)
	m.learn(0.6) // ĝ_local = 1
	near(t, "ξ_local", m.xi[0], -0.05, 1e-14)
	near(t, "second turn", m.factor[1], math.Exp(0.2), 1e-15)
	near(t, "no longer perturbed", m.factor[0], math.Exp(-0.05), 1e-14)

	m = fresh(network.Reinforce)
	n0 := random.NormalOf(key.At(1, 0))
	near(t, "factor", m.factor[0], math.Exp(0.2*n0), 1e-14)
	m.learn(2)
	if m.xi[0] != 0 || m.baseline != 2 {
		t.Error("the first period only gives the baseline")
	}
	m.learn(2.1)
	near(t, "μ", m.xi[0], -0.05*0.1*random.NormalOf(key.At(1, 1))/0.2, 1e-10)
	near(t, "baseline", m.baseline, 2.01, 1e-14)
}

// In a run: the losses are those of the first modulator's jumps, and a period
// without one is repeated.
func TestMetaInARun(t *testing.T) {
	m := model(1, []network.Population{trains("pre", []float64{3}), trains("post", []float64{15})},
		plasticProjection("pre", "post", network.OneToOne, 1, 1, 0, "w_max", 10.0, "eta_local", 0))
	m.Modulators = []network.Modulator{jumps("reward", 10, [2]float64{10, 1}, [2]float64{20, 0.5}, [2]float64{300, 0.25})}
	e := build(t, m, false)
	// What network.Model.Check asks of [meta] is not at issue here.
	m.Meta = &network.Meta{Estimator: network.FiniteDifference, Period: at(125), C: 0.2, Sigma: 0.2, Loss: "neg_mean_reward", AlphaGlobal: 0.5, MinFactor: 0.1, MaxFactor: 10}
	if err := e.makeMeta(); err != nil {
		t.Fatal(err)
	}
	eta := func(until float64) float64 {
		if err := e.Run(t.Context(), at(until)-e.Now(), network.Recorder{}); err != nil {
			t.Fatal(err)
		}
		return e.rules[0].etaGlobal / 2.5e-2
	}
	near(t, "+c", eta(124), math.Exp(0.2), 1e-14)
	near(t, "−c", eta(126), math.Exp(-0.2), 1e-14)
	near(t, "−c again: nothing happened", eta(251), math.Exp(-0.2), 1e-14)
	// L₊ = −0.75, L₋ = −0.25: ĝ = −0.5/0.4, the step of 0.625 is cut to 0.2.
	near(t, "ξ + c", eta(376), math.Exp(0.2+0.2), 1e-14)
	if e.rules[0].etaLocal != 0 {
		t.Error("η_local = 0 moved")
	}
}
