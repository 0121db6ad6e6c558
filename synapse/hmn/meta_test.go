package hmn

import (
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event/random"
)

func metaConfig(estimator string) MetaConfig {
	return MetaConfig{Estimator: estimator, C: 0.2, Sigma: 0.2, Alpha: [2]float64{0.05, 0.05}, MinFactor: 1. / 30, MaxFactor: 30, Seed: 1}
}

func newMeta(t *testing.T, c MetaConfig) *Meta {
	t.Helper()
	m, err := NewMeta(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// quadratic is ½ ξᵀHξ with the H of the worked numbers.
func quadratic(x, y float64) float64 { return x*x + 0.5*x*y + 0.5*y*y }

// moments checks mean and variance of n draws of each component against want,
// within 4 standard errors, which come from the sample's own variance and fourth
// moment.
func moments(t *testing.T, what string, draws [][2]float64, mean, variance [2]float64) {
	t.Helper()
	n := float64(len(draws))
	for i := range 2 {
		var m, v, q float64
		for _, d := range draws {
			m += d[i] / n
		}
		for _, d := range draws {
			v += (d[i] - m) * (d[i] - m) / n
			q += math.Pow(d[i]-m, 4) / n
		}
		if e := 4 * math.Sqrt(v/n); math.Abs(m-mean[i]) > e {
			t.Errorf("%s: mean of component %d is %.5f, want %.5f ± %.5f", what, i, m, mean[i], e)
		}
		if e := 4 * math.Sqrt((q-v*v)/n); math.Abs(v-variance[i]) > e {
			t.Errorf("%s: variance of component %d is %.5f, want %.5f ± %.5f", what, i, v, variance[i], e)
		}
	}
}

// Moments of the SPSA estimate on L = ½ξᵀHξ with noise of standard deviation s
// on each evaluation: mean Hξ, variance |g|² − g_i² + s²/(2c²). At ξ = (1, −1),
// H = [[2, .5], [.5, 1]], c = .1, s = .05: g = (1.5, −.5), variance
// (.25 + .125, 2.25 + .125).
func TestSPSAMoments(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	const c, s = 0.1, 0.05
	draws := make([][2]float64, 200_000)
	for k := range draws {
		delta := [2]float64{1, 1}
		for i := range delta {
			if r.IntN(2) == 0 {
				delta[i] = -1
			}
		}
		plus := quadratic(1+c*delta[0], -1+c*delta[1]) + s*r.NormFloat64()
		minus := quadratic(1-c*delta[0], -1-c*delta[1]) + s*r.NormFloat64()
		spsa(draws[k][:], delta[:], plus, minus, c)
	}
	moments(t, "SPSA", draws, [2]float64{1.5, -0.5}, [2]float64{0.375, 2.375})
}

// Moments of the REINFORCE estimate there, ξ ~ N(μ, s²I), baseline L(μ): with
// ξ = μ + sn it is ĝ_i = (g·n + ½s nᵀHn) n_i. The odd term vanishes in the mean,
// which is g. Variance |g|² + g_i² + ¼s² E[(nᵀHn)² n_i²], and by Isserlis' theorem
// E[(nᵀHn)² n_i²] = (tr H)² + 2 tr H² + 4 H_ii tr H + 8 (H²)_ii: 78 and 42 here.
func TestReinforceMoments(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	const s = 0.1
	draws := make([][2]float64, 200_000)
	for k := range draws {
		n := [2]float64{r.NormFloat64(), r.NormFloat64()}
		reinforce(draws[k][:], n[:], quadratic(1+s*n[0], -1+s*n[1]), quadratic(1, -1), s)
	}
	moments(t, "REINFORCE", draws, [2]float64{1.5, -0.5}, [2]float64{4.75 + s*s*78/4, 2.75 + s*s*42/4})
}

// The estimators in five dimensions: a linear loss has the gradient that SPSA
// finds on average over all 32 vectors of signs, exactly but for rounding.
func TestSPSADimension(t *testing.T) {
	g := []float64{1, -2, 3, 0, 0.5}
	mean := make([]float64, 5)
	for bits := range 32 {
		delta, dst, rise := make([]float64, 5), make([]float64, 5), 0.0
		for i := range delta {
			delta[i] = 1 - 2*float64(bits>>i&1)
			rise += g[i] * 0.25 * delta[i]
		}
		spsa(dst, delta, rise, -rise, 0.25)
		for i := range mean {
			mean[i] += dst[i] / 32
		}
	}
	for i := range g {
		if math.Abs(mean[i]-g[i]) > 1e-14 {
			t.Errorf("component %d: %g, want %g", i, mean[i], g[i])
		}
	}
}

// Two pairs of periods by hand. With losses 1 and 0, ĝ_i = 1/(0.4 Δ_i) and the step
// is 0.05·2.5 = 0.125; with 10 and 0 it would be 1.25 and is cut to 0.2.
func TestSPSAByHand(t *testing.T) {
	key := random.NewKey(1, random.StreamMeta, random.Name("meta"))
	sign := func(period uint64) (d [2]float64) {
		w, _ := key.At(0, period)
		for i := range d {
			d[i] = -1
			if w&(1<<i) != 0 {
				d[i] = 1
			}
		}
		return d
	}
	a, b := sign(0), sign(2)
	m := newMeta(t, metaConfig(SPSA))
	var xi [2]float64
	expect := func(what string, x, y float64) {
		t.Helper()
		l, g := m.Factors()
		if math.Abs(l/math.Exp(x)-1) > 1e-14 || math.Abs(g/math.Exp(y)-1) > 1e-14 {
			t.Errorf("%s: ln of the factors %g, %g, want %g, %g", what, math.Log(l), math.Log(g), x, y)
		}
	}
	expect("period 0", 0.2*a[0], 0.2*a[1])
	m.EndPeriod(math.NaN()) // nothing learnt: the period again
	expect("period 0 again", 0.2*a[0], 0.2*a[1])
	m.EndPeriod(1)
	expect("period 1", -0.2*a[0], -0.2*a[1])
	m.EndPeriod(0)
	xi = [2]float64{-0.125 * a[0], -0.125 * a[1]}
	expect("period 2", xi[0]+0.2*b[0], xi[1]+0.2*b[1])
	m.EndPeriod(10)
	expect("period 3", xi[0]-0.2*b[0], xi[1]-0.2*b[1])
	m.EndPeriod(0)
	m.Freeze()
	expect("frozen", xi[0]-0.2*b[0], xi[1]-0.2*b[1])
}

// Finite differences by hand: local +, local −, global +, global −.
func TestFiniteDifferenceByHand(t *testing.T) {
	m := newMeta(t, metaConfig(FiniteDifference))
	for k, want := range [][2]float64{{0.2, 0}, {-0.2, 0}, {-0.125, 0.2}, {-0.125, -0.2}, {0.075, 0.125}} {
		l, g := m.Factors()
		if math.Abs(math.Log(l)-want[0]) > 1e-15 || math.Abs(math.Log(g)-want[1]) > 1e-15 {
			t.Errorf("period %d: ln of the factors %g, %g, want %g", k, math.Log(l), math.Log(g), want)
		}
		m.EndPeriod([]float64{1, 0, 0, 1, 0}[k])
	}
}

// REINFORCE by hand. The first loss, 3, is the baseline. The second, 4, moves μ_i
// by −0.05·(4 − 3)·n_i/0.2 and the baseline to 3.1.
func TestReinforceByHand(t *testing.T) {
	key := random.NewKey(1, random.StreamMeta, random.Name("meta"))
	m := newMeta(t, metaConfig(Reinforce))
	m.EndPeriod(3)
	n := [2]float64{random.NormalOf(key.At(1, 1)), random.NormalOf(key.At(2, 1))}
	if l, g := m.Factors(); math.Abs(math.Log(l)-0.2*n[0]) > 1e-15 || math.Abs(math.Log(g)-0.2*n[1]) > 1e-15 {
		t.Errorf("ln of the factors %g, %g, want 0.2 × %g", math.Log(l), math.Log(g), n)
	}
	m.EndPeriod(4)
	s := m.State()
	for i := range n {
		want := max(min(-0.25*n[i], 0.2), -0.2)
		if math.Abs(s.Xi[i]-want) > 1e-15 {
			t.Errorf("μ_%d = %g, want %g", i, s.Xi[i], want)
		}
	}
	if math.Abs(s.Baseline-3.1) > 1e-15 {
		t.Errorf("baseline %g, want 3.1", s.Baseline)
	}
}

// Each estimator descends to the minimum of ½(ξ−ξ*)ᵀH(ξ−ξ*), ξ* = (1, −1), from a
// loss of 1. What is left is the perturbation: ½c²(H₁₁ + H₂₂)/2 = 0.03 for finite
// differences, which are exact here; ½c²(3 ± 1), on average 0.06 ± 4·0.02/√500, for
// SPSA, whose estimates vanish at the minimum; ½σ² tr H = 0.06 for REINFORCE,
// whose estimates do not, and with α = 0.01 add less than a third of that.
func TestDescent(t *testing.T) {
	for _, c := range []struct {
		estimator string
		alpha     float64
		loss      float64
	}{{FiniteDifference, 0.1, 0.03 + 1e-12}, {SPSA, 0.05, 0.0636}, {Reinforce, 0.01, 0.08}} {
		cfg := metaConfig(c.estimator)
		cfg.Alpha = [2]float64{c.alpha, c.alpha}
		m := newMeta(t, cfg)
		const periods = 4000
		var late float64
		for k := range periods {
			l, g := m.Factors()
			loss := quadratic(math.Log(l)-1, math.Log(g)+1)
			m.EndPeriod(loss)
			if k >= periods*3/4 {
				late += loss / (periods / 4)
			}
		}
		if late > c.loss {
			t.Errorf("%s: mean loss %g at the end, want ≤ %g", c.estimator, late, c.loss)
		}
		if xi := m.State().Xi; c.estimator == FiniteDifference && (math.Abs(xi[0]-1) > 1e-9 || math.Abs(xi[1]+1) > 1e-9) {
			t.Errorf("finite differences end at %g, want (1, −1)", xi)
		}
	}
}

// No factor, perturbed or not, ever leaves its bounds, whatever the losses; no
// step of ξ exceeds 0.2; and a factor times 0 is 0.
func TestBounds(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		cfg := metaConfig([]string{SPSA, FiniteDifference, Reinforce}[seed%3])
		cfg.Seed = seed
		cfg.Alpha = [2]float64{math.Exp(8*r.Float64() - 4), math.Exp(8*r.Float64() - 4)}
		m := newMeta(t, cfg)
		reached := false
		for period := range 500 {
			l, g := m.Factors()
			for _, f := range []float64{l, g} {
				if !(f >= cfg.MinFactor && f <= cfg.MaxFactor) {
					t.Fatalf("seed %d, period %d: factor %g, want %g to %g", seed, period, f, cfg.MinFactor, cfg.MaxFactor)
				}
				if f*0 != 0 {
					t.Fatalf("seed %d: factor %g makes 0 into %g", seed, f, f*0)
				}
				reached = reached || f == cfg.MinFactor || f == cfg.MaxFactor
			}
			before := m.State().Xi
			// A loss that pushes towards one side, noise of any size, and losses of extreme size.
			loss := 5*math.Log(l) - 3*math.Log(g) + r.NormFloat64()*math.Exp(6*r.Float64()-3)
			switch r.IntN(50) {
			case 0:
				loss = math.Inf(1)
			case 1:
				loss = 1e150
			case 2:
				loss = -1e150
			}
			m.EndPeriod(loss)
			for i, x := range m.State().Xi {
				if !(math.Abs(x-before[i]) <= 0.2+1e-15) {
					t.Fatalf("seed %d, period %d: ξ_%d went from %g to %g", seed, period, i, before[i], x)
				}
			}
		}
		if !reached {
			t.Errorf("seed %d never reached a bound: the test shows nothing", seed)
		}
	}
}

// With alpha 0 a parameter keeps its factor of exactly 1 while the other learns;
// with both 0 nothing moves.
func TestAlphaZero(t *testing.T) {
	for _, estimator := range []string{SPSA, FiniteDifference, Reinforce} {
		for quiet := range 3 {
			cfg := metaConfig(estimator)
			for i := range cfg.Alpha {
				if quiet == i || quiet == 2 {
					cfg.Alpha[i] = 0
				}
			}
			m := newMeta(t, cfg)
			moved := [2]bool{}
			for k := range 20 {
				l, g := m.Factors()
				moved[0], moved[1] = moved[0] || l != 1, moved[1] || g != 1
				m.EndPeriod(float64(k * k))
			}
			for i, a := range cfg.Alpha {
				if moved[i] != (a > 0) {
					t.Errorf("%s: alpha %g: parameter %d moved: %v", estimator, cfg.Alpha, i, moved[i])
				}
			}
		}
	}
}

// A frozen copy comes back bit for bit, learning goes on after Thaw as if there
// had been no evaluation, and a state in the middle of a run continues it.
func TestFrozen(t *testing.T) {
	for _, estimator := range []string{SPSA, FiniteDifference, Reinforce} {
		r := rand.New(rand.NewPCG(3, 3))
		m, twin := newMeta(t, metaConfig(estimator)), newMeta(t, metaConfig(estimator))
		for k := range 101 {
			loss := r.NormFloat64()
			m.EndPeriod(loss)
			twin.EndPeriod(loss)
			if k%7 != 0 {
				continue
			}
			before, copied := m.State(), m.Frozen()
			m.Freeze()
			l, g := m.Factors()
			if x := m.State().Xi; math.Abs(math.Log(l)-x[0]) > 1e-14 || math.Abs(math.Log(g)-x[1]) > 1e-14 {
				t.Fatalf("%s: a frozen copy has the factors %g, %g, want e^%g", estimator, l, g, x)
			}
			m.EndPeriod(1e9)
			if m.State() != copied {
				t.Fatalf("%s: a frozen copy changed from %+v to %+v", estimator, copied, m.State())
			}
			m.Thaw()
			if m.State() != before {
				t.Fatalf("%s: after an evaluation %+v, want %+v", estimator, m.State(), before)
			}
			other := newMeta(t, metaConfig(estimator))
			if err := other.Restore(copied); err != nil {
				t.Fatal(err)
			}
			if a, b := other.Factors(); a != l || b != g {
				t.Fatalf("%s: restored factors %g, %g, want %g, %g", estimator, a, b, l, g)
			}
			if err := other.Restore(before); err != nil {
				t.Fatal(err)
			}
			m = other // goes on beside its twin
		}
		a, b := m.Factors()
		if x, y := twin.Factors(); m.State() != twin.State() || a != x || b != y {
			t.Errorf("%s: %+v, want %+v", estimator, m.State(), twin.State())
		}
	}
	m := newMeta(t, metaConfig(SPSA))
	for _, s := range []MetaState{{Xi: [2]float64{4, 0}}, {Xi: [2]float64{0, math.NaN()}}, {Plus: math.Inf(1)}, {Baseline: math.NaN()}} {
		if m.Restore(s) == nil {
			t.Errorf("Restore took %+v", s)
		}
	}
}

// Another seed perturbs otherwise.
func TestMetaSeed(t *testing.T) {
	seen := map[[8]float64]bool{}
	for seed := range uint64(8) {
		cfg := metaConfig(SPSA)
		cfg.Seed = seed
		m := newMeta(t, cfg)
		var first [8]float64
		for k := range first {
			l, g := m.Factors()
			first[k] = l + 10*g
			m.EndPeriod(0)
			m.EndPeriod(0)
		}
		seen[first] = true
	}
	if len(seen) < 7 { // 16 random bits each: two equal with probability 4e-4
		t.Errorf("%d different courses of 8 seeds", len(seen))
	}
}

func TestMetaConfig(t *testing.T) {
	bad := func(change func(*MetaConfig)) {
		t.Helper()
		c := metaConfig(SPSA)
		change(&c)
		if m, err := NewMeta(c); err == nil {
			t.Errorf("NewMeta took %+v: %v", c, m)
		}
	}
	bad(func(c *MetaConfig) { c.Estimator = "newton" })
	bad(func(c *MetaConfig) { c.C = 0 })
	bad(func(c *MetaConfig) { c.C = math.NaN() })
	bad(func(c *MetaConfig) { c.Estimator, c.Sigma = Reinforce, 0 })
	bad(func(c *MetaConfig) { c.Alpha[0] = -1 })
	bad(func(c *MetaConfig) { c.Alpha[1] = math.Inf(1) })
	bad(func(c *MetaConfig) { c.MinFactor = 0 })
	bad(func(c *MetaConfig) { c.MaxFactor = 0.5 })
}

// Losses of r = 1, 0, 1 with prediction errors 1, −.1, .91: mean reward ⅔, mean
// square (1 + .01 + .8281)/3.
func TestLoss(t *testing.T) {
	for name, want := range map[string]float64{NegMeanReward: -2. / 3, MeanSquaredRPE: 1.8381 / 3} {
		l, err := NewLoss(name)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second period as the first
			if x := l.End(); !math.IsNaN(x) {
				t.Errorf("%s of no reward is %g", name, x)
			}
			for k, r := range []float64{1, 0, 1} {
				l.Add(r, []float64{1, -0.1, 0.91}[k])
			}
			if x := l.End(); math.Abs(x-want) > 1e-15 {
				t.Errorf("%s = %g, want %g", name, x, want)
			}
		}
	}
	if _, err := NewLoss("regret"); err == nil {
		t.Error("NewLoss took regret")
	}
}
