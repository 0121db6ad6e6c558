package clocked

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/random"
	"hmn/network"
)

// One causal pair, 7 ms apart, and a reward a second later: the closed form of
// docs/learning.md is 2.160336 (the specification D). Sums over steps replace the integral of
// e^{−λs}, λ = 1/τ_c + 1/τ_d, by a geometric series: left ends give
// h/(1 − e^{−λh}) instead of 1/λ, middles h/(2 sinh(λh/2)).
func TestSinglePairWithReward(t *testing.T) {
	const lambda = 1./1000 + 1./200
	exact := 0.1 * 0.5 * math.Exp(-7./20) * math.Exp(-1) / lambda
	near(t, "closed form", exact, 2.160336, 3e-7)
	for _, h := range []float64{1, 0.5, 2.5} {
		for _, midpoint := range []bool{false, true} {
			m := model(h, []network.Population{trains("pre", []float64{0}), trains("post", []float64{15})},
				plasticProjection("pre", "post", network.OneToOne, 1, 5, 0,
					"w_max", 1000.0, "a_fast", 0, "tau_slow", 1000, "A_plus", 1, "A_minus", 0, "eta_local", 0, "eta_global", 0.1,
					"gate", false, "bernoulli", false, "update", "continuous"))
			// Arrival at 5 ms; the spike at 12 ms would be off the grid of 2.5 ms.
			delta := 7.0
			if h == 2.5 {
				delta = 10
			}
			m.Populations[1] = trains("post", []float64{5 + delta})
			m.Modulators = []network.Modulator{jumps("reward", 200, [2]float64{5 + delta + 1000, 0.5})}
			e, _ := play(t, m, 10_000, midpoint)
			want := exact * math.Exp((7-delta)/20)
			if midpoint {
				want *= lambda * h / (2 * math.Sinh(lambda*h/2))
			} else {
				want *= lambda * h / -math.Expm1(-lambda*h)
			}
			// 1e4 steps of rounding; e^{−λ·9 s} = 4e-24.
			near(t, "Δw", e.Weights(0)[0]-1, want, 1e-10)
		}
	}
}

// Totals of pair STDP (docs/learning.md): with the local term alone, no gate and
// one slow trace, every jump is worth η τ_slow, whatever else happens.
func TestPairSTDPTotals(t *testing.T) {
	pre, post := []float64{10, 35, 36, 80, 120}, []float64{12, 30, 31, 79, 130}
	for _, nearest := range []bool{false, true} {
		m := model(0.5, []network.Population{trains("pre", pre), trains("post", post)},
			plasticProjection("pre", "post", network.OneToOne, 50, 1, 0.5,
				"w_max", 100.0, "a_fast", 0, "tau_slow", 100, "A_plus", 1, "A_minus", -1.05, "tau_plus", 20, "tau_minus", 33.7,
				"nearest", nearest, "eta_local", 0.01, "eta_global", 0, "gate", false, "bernoulli", false, "update", "continuous"))
		e, _ := play(t, m, 5000, false)
		// Pair by pair, as the synapse sees them: arrivals at t+1, spikes at t+0.5.
		sum := 0.0
		for _, x := range pre {
			for _, z := range post {
				d := (z + 0.5) - (x + 1)
				if d >= 0 && !(nearest && slices.ContainsFunc(pre, func(y float64) bool { return y > x && y+1 <= z+0.5 })) {
					sum += math.Exp(-d / 20)
				}
				if d < 0 && !(nearest && slices.ContainsFunc(post, func(y float64) bool { return y > z && y+0.5 < x+1 })) {
					sum -= 1.05 * math.Exp(d/33.7)
				}
			}
		}
		want := 0.01 * sum * 0.5 / -math.Expm1(-0.5/100.)
		near(t, "Σ Δw", e.Weights(0)[0]-50, want, 1e-10)
	}
}

// A pair at one instant is causal (docs/learning.md): x̂ is 1 at the post spike.
func TestTieIsCausal(t *testing.T) {
	m := model(1, []network.Population{trains("pre", []float64{3}), trains("post", []float64{4})},
		plasticProjection("pre", "post", network.OneToOne, 1, 1, 0, "w_max", 10.0, "A_minus", -3, "eta_local", 0, "eta_global", 0))
	m.Records = []network.Record{{What: network.RecordEligibilityFast, Of: "prepost", Every: at(1)}}
	_, r := play(t, m, 6, false)
	if got := r.samples[0][4][0]; got != 1 {
		t.Errorf("e_fast at 4 ms = %g, want A_+ = 1", got)
	}
	near(t, "e_fast at 5 ms", r.samples[0][5][0], math.Exp(-1./50), 1e-15)
}

// overwrite: the last coincidence replaces the traces.
func TestOverwrite(t *testing.T) {
	m := model(1, []network.Population{trains("pre", []float64{0, 9}), trains("post", []float64{3})},
		plasticProjection("pre", "post", network.OneToOne, 1, 1, 0, "w_max", 10.0, "trace", "overwrite", "A_minus", 1, "eta_local", 0, "eta_global", 0))
	m.Records = []network.Record{{What: network.RecordEligibility, Of: "prepost", Every: at(1)}}
	_, r := play(t, m, 12, false)
	near(t, "e at 3 ms", r.samples[0][3][0], 2*math.Exp(-2./20), 1e-14) // both traces
	near(t, "e at 10 ms", r.samples[0][10][0], 2*math.Exp(-7./20), 1e-14)
}

// pulse is a jump of a modulator.
type pulse struct{ at, size float64 }

// closedForm evaluates the windows of one synapse with phase 0, 8 Hz, default
// traces, from the closed form of docs/learning.md, with arrivals and post spikes as the synapse
// sees them.
func closedForm(arrivals, posts []float64, pulses []pulse, tau, end float64, etaLocal, etaGlobal float64) []float64 {
	const omega = 2 * math.Pi * 8 / 1000
	type mark struct {
		t    float64
		kind int
		size float64
	}
	var marks []mark
	for _, p := range pulses {
		marks = append(marks, mark{p.at, 0, p.size})
	}
	for _, a := range arrivals {
		marks = append(marks, mark{a, 1, 0})
	}
	for _, p := range posts {
		marks = append(marks, mark{p, 2, 0})
	}
	for k := 0; ; k++ {
		if 125*float64(k)+31.25 > end {
			break
		}
		marks = append(marks, mark{125*float64(k) + 31.25, 3, 0}, mark{125*float64(k) - 31.25, 4, 0})
	}
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Or(cmp.Compare(a.t, b.t), cmp.Compare(a.kind, b.kind)) })
	// ∫_0^L e^{−λs} cos(Ω(t+s)) ds
	integral := func(lambda, t, L float64) float64 {
		f := func(s float64) float64 {
			return math.Exp(-lambda*s) * (omega*math.Sin(omega*(t+s)) - lambda*math.Cos(omega*(t+s)))
		}
		return (f(L) - f(0)) / (lambda*lambda + omega*omega)
	}
	var out []float64
	var fast, slow, x, z, e, now, sum float64
	open := false
	for _, m := range marks {
		t := max(m.t, 0)
		if L := t - now; L > 0 {
			if open {
				for _, tr := range []struct{ e, tau float64 }{{fast, 50}, {slow, 1000}} {
					sum += math.Pi * tr.e * (etaLocal*integral(1/tr.tau, now, L) + etaGlobal*e*integral(1/tr.tau+1/tau, now, L))
				}
			}
			fast, slow, e = fast*math.Exp(-L/50), slow*math.Exp(-L/1000), e*math.Exp(-L/tau)
			x, z = x*math.Exp(-L/20), z*math.Exp(-L/20)
			now = t
		}
		switch m.kind {
		case 0:
			e += m.size
		case 1:
			fast, slow, x = fast-1.5*z, slow-1.5*z, x+1
		case 2:
			fast, slow, z = fast+x, slow+x, z+1
		case 3:
			out, sum, open = append(out, sum), 0, false
		case 4:
			open = true
		}
	}
	return out
}

// Candidates against the closed form, on the grid (docs/learning.md): pre 20, post
// 15 Hz, 160 windows, four pulses of reward. Left ends: rms error at most
// 1.2e-2·Δt of the rms candidate, slope 1; middles at most 1e-4·Δt².
func TestCandidatesConverge(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	train := func(hz float64) (list []float64) {
		for i := 1; i < 20_000; i++ {
			if rnd.Float64() < hz/1000 {
				list = append(list, float64(i))
			}
		}
		return list
	}
	pre, post := train(20), train(15)
	// A pulse at the peak of the gate costs left ends the most, Δt/2 of its first
	// drift; these lie at various phases of the cycle.
	pulses := []pulse{{1700, 0.5}, {6300, 0.5}, {11_100, -0.3}, {16_200, 0.5}}
	shift := func(list []float64, d float64) (out []float64) {
		for _, x := range list {
			out = append(out, x+d)
		}
		return out
	}
	want := closedForm(shift(pre, 2), shift(post, 1), pulses, 200, 20_000, 1e-3, 0.5)
	if len(want) != 160 {
		t.Fatalf("%d windows, want 160", len(want))
	}
	relative := func(h float64, midpoint bool) float64 {
		m := model(h, []network.Population{trains("pre", pre), trains("post", post)},
			plasticProjection("pre", "post", network.OneToOne, 500, 2, 1, "w_max", 1000.0, "eta_local", 1e-3, "eta_global", 0.5, "bernoulli", false))
		m.Records = []network.Record{{What: network.RecordCandidate, Of: "prepost"}}
		q := network.Modulator{Name: "reward", Tau: 200}
		for _, p := range pulses {
			q.Events = append(q.Events, network.Jump{At: at(p.at), Amount: p.size})
		}
		m.Modulators = []network.Modulator{q}
		_, r := play(t, m, 20_000, midpoint)
		if len(r.candidates) != len(want) {
			t.Fatalf("%d candidates, want %d", len(r.candidates), len(want))
		}
		e, s := 0.0, 0.0
		for k, c := range r.candidates {
			if c.K != int64(k) || c.Close != at(125*float64(k)+31.25) || c.Open != max(0, at(125*float64(k)-31.25)) {
				t.Fatalf("window %d: k %d, from %v to %v ms", k, c.K, c.Open, c.Close)
			}
			e += (c.Value - want[k]) * (c.Value - want[k])
			s += want[k] * want[k]
		}
		return math.Sqrt(e / s)
	}
	steps := []float64{1, 0.5, 0.25}
	var left []float64
	for _, h := range steps {
		l, mid := relative(h, false), relative(h, true)
		t.Logf("Δt %g ms: left %.2e, middle %.2e", h, l, mid)
		left = append(left, l)
		if !(l <= 1.2e-2*h) {
			t.Errorf("Δt %g ms, left ends: error %.3g, want at most %.3g", h, l, 1.2e-2*h)
		}
		if !(mid <= 1e-4*h*h) {
			t.Errorf("Δt %g ms, middles: error %.3g, want at most %.3g", h, mid, 1e-4*h*h)
		}
	}
	if slope := math.Log(left[0]/left[2]) / math.Log(4); math.Abs(slope-1) > 0.1 {
		t.Errorf("slope %.3f, want 1 ± 0.1", slope)
	}
}

// constantDrift is n synapses between level sources at 1 whose trace is 1, so
// that a window of the gate with κ = 1 has the candidate 2η/Ω = 7.9577e-3
// (docs/learning.md).
func constantDrift(n int, dt float64, pairs ...any) *network.Model {
	pairs = append([]any{"w_max", 1e6, "a_slow", 0, "tau_fast", 0.1, "tau_slow", 1000, "gate_gain", 1,
		"eta_local", 2e-3, "eta_global", 0, "beta_p", 500, "theta_p", 0.01}, pairs...)
	return model(dt, []network.Population{levels("x", n, 1), levels("z", n, 1)},
		plasticProjection("x", "z", network.OneToOne, 100, 1, 0, pairs...))
}

// Eq. 5 is not invariant under the grid (docs/learning.md): expectation of the change
// per cycle for one trial per window, and for one per step. e = τ_fast = 0.1, so
// η = 2e-3 makes the drift 2e-4.
func TestProbabilisticApplication(t *testing.T) {
	const n, cycles = 400, 20
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	for _, c := range []struct {
		mode          string
		dt, mean, bar float64 // bar: the last digit given in P3
		sd            float64
	}{
		{"window", 0.5, 2.11e-3, 0.01e-3, 3.5e-3},
		{"step", 1, 5.76e-5, 0.01e-5, 9.5e-5},
		{"step", 12.5, 1.44e-4, 0.03e-4, 5.5e-4}, // depends on where the grid lies in the window
	} {
		// The formula, summed over the steps of one cycle.
		mean := 0.0
		for k := 0; k < int(125/c.dt); k++ {
			x := 2e-4 * c.dt * math.Max(0, math.Cos(2*math.Pi*8/1000*c.dt*float64(k)))
			if c.mode == "step" {
				mean += x * logistic(500*(x-0.01))
			}
		}
		if d := 7.9577e-3; c.mode == "window" {
			mean = d * logistic(500*(d-0.01))
		}
		if math.Abs(mean-c.mean) > c.bar {
			t.Errorf("%s, Δt %g: formula gives %.4g, P3 says %.4g", c.mode, c.dt, mean, c.mean)
		}
		e, _ := play(t, constantDrift(n, c.dt, "update", c.mode), 125*(cycles+1), false)
		before, _ := play(t, constantDrift(n, c.dt, "update", c.mode), 125, false)
		sum := 0.0
		for i, w := range e.Weights(0) {
			sum += w - before.Weights(0)[i]
		}
		got := sum / (n * cycles)
		// Four standard errors of n·cycles independent cycles.
		if bar := 4 * c.sd / math.Sqrt(n*cycles); math.Abs(got-mean) > bar {
			t.Errorf("%s, Δt %g: mean change per cycle %.4g, want %.4g ± %.2g", c.mode, c.dt, got, mean, bar)
		}
	}
}

// Numbers of applied updates: Binomial(windows, P) with P = 0.26480 (C.5), and
// the very draws of the keys.
func TestDraws(t *testing.T) {
	m := constantDrift(50, 0.25)
	m.Records = []network.Record{{What: network.RecordCandidate, Of: "xz"}, {What: network.RecordUpdates, Of: "xz"}}
	e, r := play(t, m, 16*125+31.25, false)
	applied := 0
	var total []float64
	for range 50 {
		total = append(total, 100)
	}
	n := 0
	for _, c := range r.candidates {
		word, _ := network.UpdateKey(7, "xz", 0).At(uint64(c.Synapse.Target)<<32|uint64(c.Synapse.Source), uint64(c.K))
		if c.U != random.Uniform(word) {
			t.Fatalf("window %d of synapse %v: u = %g, want %g", c.K, c.Synapse, c.U, random.Uniform(word))
		}
		if c.Applied != (c.U < c.P) || c.Applied && math.Abs(c.DW-c.Value) > 2e-14 { // rounding of w = 100
			t.Fatalf("candidate %+v", c)
		}
		if c.K > 0 {
			near(t, "candidate", c.Value, 2e-4*2/(2*math.Pi*8/1000), 1e-4) // gate sampled every 0.25 ms
			near(t, "P", c.P, 0.26480, 1e-3)
			n++
		}
		if c.Applied {
			applied++
			total[c.Synapse.Source] += c.DW
		}
	}
	if len(r.updates) != applied {
		t.Errorf("%d updates recorded, %d applied", len(r.updates), applied)
	}
	for i, w := range e.Weights(0) {
		near(t, "w", w, total[i], 1e-14)
	}
	// The last window closes at the very end and is decided.
	if n != 16*50 {
		t.Errorf("%d windows after the first, want 800", n)
	}
	if mean, sd := 211.8, 12.5; math.Abs(float64(applied)-mean) > 4*sd+50*0.26 {
		t.Errorf("%d updates, want %g ± %g", applied, mean, 4*sd)
	}
}

// The gate (specification C.3): mean 1/π, mean square 1/4.
func TestGateMoments(t *testing.T) {
	for _, kappa := range []float64{1, math.Pi} {
		p := plasticProjection("x", "z", network.OneToOne, 1, 1, 0, "w_max", 2.0, "gate_gain", kappa, "phase", 1.0, "osc_phase", 0.3)
		m := model(0.125, []network.Population{levels("x", 1, 1), levels("z", 1, 1)}, p)
		m.Records = []network.Record{{What: network.RecordGate, Of: "xz", Every: at(0.125)}}
		_, r := play(t, m, 1000, false)
		first, second := 0.0, 0.0
		for _, s := range r.samples[0] {
			first += s[0] / 8000
			second += s[0] * s[0] / 8000
		}
		// A sum over 1000 points of a cycle of a function with a kink: error of
		// order (π/1000)²/3.
		near(t, "mean", first, kappa/math.Pi, 5e-6)
		near(t, "mean square", second, kappa*kappa/4, 5e-6)
	}
}

// Windows by hand (docs/learning.md): φ_0 = 0, φ = 7π/4 puts the first window at
// k = −1, which closes at 15.625 − 31.25 + … = 125·(7/8 − 1 + 1/4) = 15.625 ms.
func TestWindowIndex(t *testing.T) {
	p := edges(plasticProjection("x", "z", network.OneToOne, 1, 1, 0, "w_max", 2.0, "eta_local", 1e-3, "bernoulli", false), synapse0(7*math.Pi/4))
	p.EdgePhases = true
	for _, gate := range []bool{true, false} {
		p.SynapseParams["gate"] = values("gate", gate)["gate"]
		m := model(1, []network.Population{levels("x", 1, 1), levels("z", 1, 1)}, p)
		m.Records = []network.Record{{What: network.RecordCandidate, Of: "xz"}}
		_, r := play(t, m, 300, false)
		type win struct {
			k           int64
			open, close float64
		}
		want := []win{{-1, 0, 15.625}, {0, 78.125, 140.625}, {1, 203.125, 265.625}}
		if !gate {
			want = []win{{-1, 0, 46.875}, {0, 46.875, 171.875}, {1, 171.875, 296.875}}
		}
		if len(r.candidates) != len(want) {
			t.Fatalf("gate %t: %d windows, want %d", gate, len(r.candidates), len(want))
		}
		for i, c := range r.candidates {
			if w := want[i]; c.K != w.k || c.Open != at(w.open) || c.Close != at(w.close) {
				t.Errorf("gate %t: window %d from %v to %v ms, want %+v", gate, c.K, c.Open, c.Close, w)
			}
		}
	}
}

// The paper's pseudocode on one rate unit, worked by hand: Δt = 1, x = 1 with a
// delay of one step, z = w x, e ← 0.904837418 e + 0.951625820 x z (τ = 10),
// w ← w + 0.1 e, everything of a step computed before w changes.
func TestLiteralPseudocode(t *testing.T) {
	pops := []network.Population{levels("x", 1, 1), {Name: "z", N: 1, Model: "rate", Params: values("f", "relu")}}
	m := model(1, pops, plasticProjection("x", "z", network.OneToOne, 0.5, 1, 0, "w_max", 10.0, "update", "step", "eta_per_step", true,
		"a_slow", 0, "tau_fast", 10, "gate", false, "bernoulli", false, "eta_local", 0.1, "eta_global", 0))
	m.Records = []network.Record{
		{What: network.RecordWeight, Of: "xz", Every: at(1)},
		{What: network.RecordRate, Of: "z", Every: at(1)},
		{What: network.RecordEligibility, Of: "xz", Every: at(1)},
	}
	_, r := play(t, m, 6, false)
	want := [][3]float64{ // w at the start of the step, z, e
		{0.5, 0, 0},
		{0.5, 0.5, 0},
		{0.5, 0.5, 0.475812910},
		{0.547581291, 0.547581291, 0.906346235},
		{0.6382159145, 0.6382159145, 1.341188480},
		{0.7723347626, 0.7723347626, 1.820900265},
	}
	for n, w := range want {
		for k, x := range []float64{r.samples[0][n][0], r.samples[1][n][0], r.samples[2][n][0]} {
			if math.Abs(x-w[k]) > 2e-9 {
				t.Errorf("step %d, quantity %d: %.10g, want %.10g", n, k, x, w[k])
			}
		}
	}
}

// Rates: static x, z give w a drift η τ x z for good (B.4(i)), and traces the
// ODE's values at grid points.
func TestRateTraces(t *testing.T) {
	m := model(1, []network.Population{levels("x", 1, 2), levels("z", 1, 3)},
		plasticProjection("x", "z", network.OneToOne, 1, 1, 2, "w_max", 1e9, "tau_fast", 5, "tau_slow", 80))
	m.Records = []network.Record{{What: network.RecordEligibilityFast, Of: "xz", Every: at(1)}, {What: network.RecordEligibilitySlow, Of: "xz", Every: at(1)}}
	_, r := play(t, m, 40, false)
	// x acts from 1 ms, z from 2 ms.
	for n := 2; n < 40; n++ {
		near(t, "e_fast", r.samples[0][n][0], 6*5*-math.Expm1(-float64(n-2)/5), 1e-13)
		near(t, "e_slow", r.samples[1][n][0], 6*80*-math.Expm1(-float64(n-2)/80), 1e-13)
	}
	// center = "post": z̄ moves when z changes, by the value that held. z is 3 from
	// 0 ms, 5 from 100 ms: z̄ = 3(1 − e^{−100/50}) from there on.
	m = model(1, []network.Population{levels("x", 1, 2), levels("z", 1, 3, [2]float64{100, 5})},
		plasticProjection("x", "z", network.OneToOne, 1, 0, 0, "w_max", 1e9, "a_fast", 0, "tau_slow", 80, "center", "post", "tau_zbar", 50))
	m.Records = []network.Record{{What: network.RecordEligibilitySlow, Of: "xz", Every: at(1)}}
	_, r = play(t, m, 151, false)
	bar := -3 * math.Expm1(-100./50)
	e := 6 * 80 * -math.Expm1(-100./80)
	near(t, "e_slow at 100 ms", r.samples[0][100][0], e, 1e-12)
	near(t, "e_slow at 150 ms", r.samples[0][150][0], e*math.Exp(-50./80)+2*(5-bar)*80*-math.Expm1(-50./80), 1e-12)
}

// Bounds: hard ones clip, soft ones shrink with (1 − w/w_max)^μ and (w/w_max)^μ;
// an accepted update at a bound is recorded with a change of 0.
func TestBounds(t *testing.T) {
	run := func(weight, eta float64, pairs ...any) (*Engine, *tape) {
		pairs = append([]any{"w_max", 10.0, "w_min", 2.0, "tau_fast", 0.1, "a_slow", 0, "gate", false, "bernoulli", false, "eta_local", 0.0, "eta_global", 1.0}, pairs...)
		m := model(1, []network.Population{levels("x", 1, 1), levels("z", 1, 1)}, plasticProjection("x", "z", network.OneToOne, weight, 0, 0, pairs...))
		m.Modulators = []network.Modulator{jumps("m", 0, [2]float64{0, eta})}
		m.Records = []network.Record{{What: network.RecordUpdates, Of: "xz"}}
		return play(t, m, 62.5+125, false)
	}
	// Two windows: 62 steps and 125 after the first, e = 0.1 from 1 ms on.
	e, r := run(9, 1)
	if w := e.Weights(0)[0]; w != 10 || len(r.updates) != 2 || r.updates[0].DW != 1 || r.updates[1].DW != 0 {
		t.Errorf("w = %g, updates %+v, want 10 and changes of 1 and 0", w, r.updates)
	}
	if e, _ := run(-9, -1); e.Weights(0)[0] != -2 {
		t.Errorf("w = %g, want −2: magnitude at w_min with the sign kept", e.Weights(0)[0])
	}
	// Soft, μ = ½: first change √(1 − 0.5)·candidate, 62 steps of 0.1·0.1.
	_, r = run(5, 0.1, "bounds", "soft", "mu", 0.5)
	near(t, "soft up", r.updates[0].DW, math.Sqrt(0.5)*0.62, 1e-4)
	_, r = run(5, -0.1, "bounds", "soft", "mu", 1)
	near(t, "soft down", r.updates[0].DW, -0.5*0.62, 1e-4)
}

// λ_w: w decays as e^{−λt} between commits.
func TestWeightDecay(t *testing.T) {
	m := model(0.5, []network.Population{trains("pre", nil), trains("post", nil)},
		plasticProjection("pre", "post", network.OneToOne, 2, 1, 0, "w_max", 10.0, "lambda_w", 1e-3))
	e, _ := play(t, m, 700, false)
	near(t, "w", e.Weights(0)[0], 2*math.Exp(-0.7), 1e-12)
}

// Learned phases: φ ← φ + η_φ sin(Φ(t) − φ) at a coincidence, from the next
// window on.
func TestLearnedPhase(t *testing.T) {
	m := model(1, []network.Population{trains("pre", []float64{9}), trains("post", []float64{10})},
		plasticProjection("pre", "post", network.OneToOne, 2, 1, 0, "w_max", 10.0, "eta_phi", 0.1, "phase", 1.5))
	m.Records = []network.Record{{What: network.RecordCandidate, Of: "prepost"}}
	_, r := play(t, m, 300, false)
	phi := 1.5 + 0.1*math.Sin(2*math.Pi*8/1000*10-1.5)
	centre := func(phi float64) float64 { return phi / (2 * math.Pi) * 125 }
	for i, want := range []float64{centre(1.5) + 31.25, centre(phi) + 125 + 31.25} {
		if got := r.candidates[i].Close; math.Abs(got.MS()-want) > 1e-8 {
			t.Errorf("window %d closes at %v ms, want %g", i, got, want)
		}
	}
}

// Runs in pieces, one of which ends at the very close of a window, equal one run.
func TestPieces(t *testing.T) {
	make := func() *network.Model {
		pops := []network.Population{
			{Name: "in", N: 20, Model: "poisson", Params: values("rate", 30)},
			{Name: "out", N: 5, Model: "iaf_psc_exp", Params: values("I_e", 300)},
		}
		p := plasticProjection("in", "out", network.AllToAll, 40, 1, 0.5, "w_max", 100.0, "beta_a", 1, "beta_g", 1, "eta_local", 1e-2, "phase", "uniform", "phase_bins", 4, "lambda_w", 1e-4)
		m := model(0.25, pops, p)
		m.Modulators = []network.Modulator{{Name: "reward", Tau: 50, Source: "out", SourceJump: 0.2}, jumps("other", 0, [2]float64{100, 1})}
		m.Records = []network.Record{{What: network.RecordSpikes, Of: "out"}, {What: network.RecordUpdates, Of: "inout"}, {What: network.RecordWeight, Of: "inout", Every: at(7)}}
		return m
	}
	whole, r := play(t, make(), 600, false)
	pieces, q := build(t, make(), false), newTape()
	for _, d := range []float64{31.25, 0.1, 93.65, 281.25, 0, 193.75} {
		if err := pieces.Run(t.Context(), at(d), q.recorder()); err != nil {
			t.Fatal(err)
		}
	}
	silent := build(t, make(), false)
	if err := silent.Run(t.Context(), at(600), network.Recorder{}); err != nil {
		t.Fatal(err)
	}
	if pieces.Now() != at(600) || !slices.Equal(whole.Weights(0), pieces.Weights(0)) || !slices.Equal(whole.Weights(0), silent.Weights(0)) {
		t.Error("weights differ")
	}
	if !slices.Equal(r.spikes, q.spikes) || len(r.spikes) == 0 {
		t.Errorf("%d spikes, %d in pieces", len(r.spikes), len(q.spikes))
	}
	if !slices.Equal(r.updates, q.updates) || len(r.updates) == 0 {
		t.Errorf("%d updates, %d in pieces", len(r.updates), len(q.updates))
	}
	for k, s := range r.samples[2] {
		if !slices.Equal(s, q.samples[2][k]) {
			t.Fatalf("sample %d differs", k)
		}
	}
	if !slices.IsSortedFunc(r.updates, func(a, b network.WeightUpdate) int { return cmp.Compare(a.At, b.At) }) {
		t.Error("updates are not in order of time")
	}
	if s := whole.Stats(); s.Windows != 2400 || s.Synapses != 100 || s.Neurons != 25 || s.PopSpikes[1] != uint64(len(r.spikes)) || s.Window != event.Time(250_000_000) {
		t.Errorf("stats %+v", s)
	}
}
