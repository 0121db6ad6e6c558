package clocked

import (
	"math"
	"math/rand/v2"
	"testing"

	"hmn/network"
	"hmn/synapse"
)

// Two inputs with directions at right angles, the first of which drives the only
// post spike: c = x̂ v_0, so s = (1, 0) and α = (e^β, 1)/(e^β + 1), from that
// spike on for good; ½ before it.
func TestLocalAttentionByHand(t *testing.T) {
	for _, c := range []struct {
		gain string
		hold string
	}{{"fan_in", "post"}, {"none", "post"}, {"none", "cycle"}} {
		p := plasticProjection("pre", "post", network.AllToAll, 1, 1, 0, "w_max", 10.0, "beta_a", 2, "embed_dim", 2, "embedding", "given",
			"tau_ctx", 100, "alpha_gain", c.gain, "alpha_hold", c.hold, "update", "continuous", "bernoulli", false, "gate", false, "a_slow", 0, "A_minus", 0, "eta_local", 0.01, "eta_global", 0)
		p.Embedding = [][]float64{{3, 0}, {0, -2}}
		m := model(1, []network.Population{trains("pre", []float64{4}, nil), trains("post", []float64{10})}, p)
		m.Records = []network.Record{{What: network.RecordAlpha, Of: "prepost", Every: at(1)}, {What: network.RecordWeight, Of: "prepost", Every: at(1)}}
		_, r := play(t, m, 400, false)
		high := math.Exp(2) / (math.Exp(2) + 1)
		for n, a := range r.samples[0] {
			want := 0.5
			if n >= 10 && c.hold == "post" || n >= 125 {
				want = high
			}
			if math.Abs(a[0]-want) > 1e-14 || math.Abs(a[0]+a[1]-1) > 1e-15 {
				t.Fatalf("%+v: α at %d ms = %v, want %g", c, n, a, want)
			}
		}
		// Drift of the first step after the pair: η α̂ e.
		alpha := r.samples[0][10][0]
		if c.gain == "fan_in" {
			alpha *= 2
		}
		near(t, "Δw of a step", r.samples[1][11][0]-r.samples[1][10][0], 0.01*alpha*math.Exp(-5./20), 1e-12)
	}
}

// Several projections of one sign share a softmax, and it sums to 1; another
// sign, or a group's name, makes another.
func TestSoftmaxSums(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	train := func() (list []float64) {
		for i := range 500 {
			if rnd.Float64() < 0.05 {
				list = append(list, float64(i))
			}
		}
		return list
	}
	pops := []network.Population{trains("a", train(), train(), train()), trains("b", train(), train()), trains("post", train(), train())}
	pairs := []any{"w_max", 10.0, "beta_a", 3, "A_minus", 0}
	m := model(1, pops,
		plasticProjection("a", "post", network.AllToAll, 1, 1, 0, pairs...),
		plasticProjection("b", "post", network.AllToAll, 1, 2, 0, pairs...),
		plasticProjection("b", "post", network.AllToAll, -1, 2, 0, pairs...))
	m.Projections[2].Name = "inhibitory"
	for i := range m.Projections {
		m.Records = append(m.Records, network.Record{What: network.RecordAlpha, Of: m.Projections[i].Name, Every: at(1)})
	}
	e, r := play(t, m, 500, false)
	if len(e.groups) != 2 {
		t.Fatalf("%d groups, want 2", len(e.groups))
	}
	moved := false
	for n := range r.samples[0] {
		for j := range 2 {
			sum, other := 0.0, 0.0
			for i := range 3 {
				sum += r.samples[0][n][2*i+j]
			}
			for i := range 2 {
				sum += r.samples[1][n][2*i+j]
				other += r.samples[2][n][2*i+j]
			}
			if math.Abs(sum-1) > 1e-14 || math.Abs(other-1) > 1e-14 {
				t.Fatalf("at %d ms: Σα = %.17g and %.17g", n, sum, other)
			}
			moved = moved || math.Abs(r.samples[0][n][j]-0.2) > 0.05
		}
	}
	if !moved {
		t.Error("α never moved")
	}
}

// Contexts of rates by hand: x_0 = 1, z = 2 from 0 to 50 ms, then x_0 = 0 and
// x_1 = 1: the event at 50 ms brings c = 2(1 − e^{−50/τ}) v_0.
func TestContextOfRates(t *testing.T) {
	p := edges(plasticProjection("x", "z", "", 1, 0, 0, "w_max", 10.0, "beta_a", 1, "embed_dim", 2, "embedding", "given", "tau_ctx", 100),
		synapse.Edge{Source: 0}, synapse.Edge{Source: 1})
	p.Embedding = [][]float64{{1, 0}, {0.6, 0.8}}
	x := levels("x", 2, 0)
	x.Params = values()
	x.Model = "rate"
	x.Params = values("f", "linear")
	in0, in1 := levels("in0", 1, 1, [2]float64{50, 0}), levels("in1", 1, 0, [2]float64{50, 1})
	m := model(1, []network.Population{in0, in1, x, levels("z", 1, 2)}, p,
		edges(static("in0", "x", 1, 0), synapse.Edge{Target: 0}), edges(static("in1", "x", 1, 0), synapse.Edge{Target: 1}))
	m.Records = []network.Record{{What: network.RecordAlpha, Of: "xz", Every: at(1)}}
	e, r := play(t, m, 80, false)
	if got := r.samples[0][49][0]; got != 0.5 {
		t.Errorf("α before the event: %g, want ½", got)
	}
	near(t, "α after it", r.samples[0][50][0], math.Exp(1)/(math.Exp(1)+math.Exp(0.6)), 1e-14)
	near(t, "c", e.groups[0].context[0][0], 2*-math.Expm1(-0.5), 1e-14)
}

// Oja's subspace rule: V Vᵀ → I, and the rows span the leading eigenvectors of
// ⟨x̄x̄ᵀ⟩, here the first two axes.
func TestOja(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	const n, d = 6, 2
	var v [][]float64
	for range n {
		v = append(v, unitVector([]float64{rnd.NormFloat64(), rnd.NormFloat64()}))
	}
	scale := []float64{3, 2, 0.3, 0.3, 0.2, 0.1}
	for k := range 60_000 {
		x := make([]float64, n)
		for i := range x {
			x[i] = scale[i] * rnd.NormFloat64()
		}
		oja(v, x, 1e-2/(1+float64(k)/200))
	}
	for a := range d {
		for b := range d {
			sum, top := 0.0, 0.0
			for i := range v {
				sum += v[i][a] * v[i][b]
				if i < 2 {
					top += v[i][a] * v[i][b]
				}
			}
			want := 0.0
			if a == b {
				want = 1
			}
			// The last rate is 3e-5: fluctuations of order √(η λ) with λ = 9.
			if math.Abs(sum-want) > 0.02 || math.Abs(top-want) > 0.02 {
				t.Errorf("(V Vᵀ)[%d][%d] = %.4f, of the first two axes %.4f, want %g", a, b, sum, top, want)
			}
		}
	}
}

// Learned embeddings change at starts of cycles only, and α with them.
func TestOjaInARun(t *testing.T) {
	p := plasticProjection("x", "z", network.AllToAll, 1, 1, 0, "w_max", 10.0, "beta_a", 2, "embed_dim", 2, "embedding", "oja", "eta_h", 0.3)
	m := model(1, []network.Population{levels("x", 3, 1), levels("z", 1, 1, [2]float64{60, 2})}, p)
	m.Records = []network.Record{{What: network.RecordAlpha, Of: "xz", Every: at(1)}}
	e, r := play(t, m, 300, false)
	a := r.samples[0]
	for n := 62; n < 300; n++ {
		if changed := a[n][0] != a[n-1][0]; changed != (n == 125 || n == 250) {
			t.Errorf("α changed at %d ms: %t", n, changed)
		}
	}
	// All inputs alike: x̄ = (1, 1, 1) at the first start of a cycle.
	y := []float64{0, 0}
	var first [][]float64
	q := build(t, m, false)
	for _, v := range q.rules[0].v {
		first = append(first, v)
		y[0] += v[0]
		y[1] += v[1]
	}
	if err := q.Run(t.Context(), at(126), network.Recorder{}); err != nil {
		t.Fatal(err)
	}
	for i, v := range q.rules[0].raw {
		for k := range v {
			want := first[i][k] + 0.3*y[k]*(1-dot(y, first[i]))
			near(t, "V", v[k], want, 1e-12)
		}
	}
	_ = e
}
