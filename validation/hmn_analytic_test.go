package validation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/network"
)

// pairs is a world of n synapses, from neuron i to neuron i.
func pairs(r hmnRule, n int, weight float64) *hmnWorld {
	w := &hmnWorld{rule: r, seed: 1, projection: "plastic", source: "pre"}
	for i := range n {
		w.edges = append(w.edges, hmnEdge{pre: i, post: i, axonal: ms(1), weight: weight})
	}
	return w
}

// run builds the world's network with the given records instead of its own and
// runs it.
func (w *hmnWorld) run(t testing.TB, d event.Time, records ...network.Record) (*learned, []float64) {
	t.Helper()
	m := w.model(false)
	if len(records) > 0 {
		m.Records = records
	}
	n := build(t, m, 1)
	defer n.Close()
	r := &learned{}
	learn(t, n, d, r)
	return r, finalWeights(n)
}

// hold is a modulator that is constant from t = 0 on.
func hold(x float64) hmnModulator { return hmnModulator{w: 1, jumps: []hmnLevel{{0, x}}} }

// constants is a level per neuron from t = 0 on.
func constants(n int, x float64) (out [][]hmnLevel) {
	for range n {
		out = append(out, []hmnLevel{{0, x}})
	}
	return out
}

// columns gathers record k of a tape by column, from time t on.
func (r *tape) columns(k int, from event.Time) (out [][]float64) {
	for _, s := range r.samples {
		if s.record != k || s.at < from {
			continue
		}
		if out == nil {
			out = make([][]float64, len(s.values))
		}
		for i, x := range s.values {
			out[i] = append(out[i], x)
		}
	}
	return out
}

func meanVar(x []float64) (mean, variance float64) {
	for _, y := range x {
		mean += y / float64(len(x))
	}
	for _, y := range x {
		variance += (y - mean) * (y - mean) / float64(len(x)-1)
	}
	return mean, variance
}

// checkMoments is specification C.1: mean and variance of the eligibility between
// Poisson trains, whose samples are as good as t/2τ independent ones.
func checkMoments(t *testing.T, mode mode) (rows []Check) {
	span := []event.Time{100, 400, 2000}[mode] * event.Second
	const n, burn, rate, tau = 60, 6 * event.Second, 10.0, 1000.0
	for _, c := range []struct {
		name           string
		aPlus, aMinus  float64
		copied         float64 // probability that an arrival is copied, 5 ms later
		mean, variance float64 // as the specification gives them; 0 = none
	}{
		{"A 1/0", 1, 0, 0, 2, 0.896},
		{"A 1/1", 1, 1, 0, 4, 0},
		{"A 1/−1.05, post copies each arrival with 0.2 after 5 ms", 1, -1.05, 0.2, 1.4376, 0},
	} {
		r := coreRule(1)
		r.aPlus, r.aMinus = c.aPlus, c.aMinus
		w := pairs(r, n, 0.5)
		rng := rand.New(rand.NewPCG(11, uint64(len(rows))))
		for range n {
			pre, post := randomTrain(rng, rate, span), randomTrain(rng, rate, span)
			for _, s := range pre {
				if chance(rng, c.copied) {
					post = append(post, s+ms(1)+ms(5))
				}
			}
			w.pre, w.post = append(w.pre, pre), append(w.post, ordered(post))
		}
		got, _ := w.run(t, span, record(network.RecordEligibilitySlow, w.projection, ms(100)))
		var all, variances []float64
		for _, x := range got.columns(0, burn) {
			all = append(all, x...)
			if c.variance > 0 { // about the known mean, so that nothing is lost to its estimate
				v := 0.0
				for _, y := range x {
					v += (y - c.mean) * (y - c.mean) / float64(len(x))
				}
				variances = append(variances, v)
			}
		}
		mean, variance := meanVar(all)
		samples := n * (span - burn).MS() / (2 * tau)
		rows = append(rows, Check{Name: "e_slow, 10/10 Hz, " + c.name + ": mean", Unit: "1", Expected: c.mean, Got: mean, Tolerance: 4*math.Sqrt(variance/samples) + 5e-5,
			Why: fmt.Sprintf("τ_m r_1 r_2(A_+τ_+ + A_−τ_−), + τ_m A_+ p r_1 e^(−d/τ_+) for copies; 4 standard errors, t/2τ_m of %d synapses = %.0f samples", n, samples)})
		if c.variance > 0 {
			v, spread := meanVar(variances)
			rows = append(rows, Check{Name: "… variance", Unit: "1", Expected: c.variance, Got: v, Tolerance: 4*math.Sqrt(spread/n) + 5e-4,
				Why: "τ_m r_2⟨x²⟩/2 + r_2² V_x τ_m²τ_+/(τ_m+τ_+); 4 standard errors between synapses"})
		}
	}
	return append(rows, checkActivity(t, span)...)
}

// checkActivity is C.2, an exponential mean of a Poisson train, read from what it
// does: with two held modulators of 1 and 0, γ_1/γ_2 = e^{β_g C}.
func checkActivity(t *testing.T, span event.Time) (rows []Check) {
	const rate, tau = 20.0, 200.0
	r := coreRule(1)
	r.betaG, r.tauC = 1, tau
	w := pairs(r, 1, 0.5)
	w.mods = []hmnModulator{hold(1), hold(0)}
	rng := rand.New(rand.NewPCG(12, 0))
	span *= 10
	w.pre, w.post = [][]event.Time{nil}, [][]event.Time{randomTrain(rng, rate, span)}
	got, _ := w.run(t, span, record(network.RecordGamma, w.projection, ms(125)))
	x := got.columns(0, 10*event.Second)
	var c []float64
	for k := range x[0] {
		c = append(c, math.Log(x[0][k]/x[1][k])*r.rRef)
	}
	mean, variance := meanVar(c)
	samples := (span.MS() - 1e4) / (2 * tau)
	sd := math.Sqrt(rate / (2 * tau) * 1000)
	// The square of a nearly Gaussian number of unit variance has variance 2; the
	// third factor is the kurtosis 3 + 1/(2 r τ) of shot noise.
	return append(rows,
		Check{Name: "C_global of one 20 Hz train, τ_C 200 ms: mean", Unit: "Hz", Expected: rate, Got: mean, Tolerance: 4 * sd / math.Sqrt(samples),
			Why: fmt.Sprintf("the rate; 4 standard errors of t/2τ = %.0f samples", samples)},
		Check{Name: "… standard deviation", Unit: "Hz", Expected: 7.07, Got: math.Sqrt(variance), Tolerance: 4*sd*math.Sqrt(0.5/samples)*1.1 + 0.005,
			Why: "√(r/2τ); 4 standard errors of a standard deviation"})
}

// checkGate is C.3 and P6: moments of the gate; constant drift does not depend on
// the phase, short modulators do.
func checkGate(t *testing.T, _ mode) (rows []Check) {
	const cuts = 5000 // per cycle
	r := coreRule(1)
	r.kappa = 1
	w := pairs(r, 1, 0.5)
	w.pre, w.post = [][]event.Time{nil}, [][]event.Time{nil}
	got, _ := w.run(t, ms(125), record(network.RecordGate, w.projection, ms(125)/cuts))
	g := got.columns(0, 0)[0]
	if len(g) != cuts {
		t.Fatalf("%d samples of the gate in one cycle, want %d", len(g), cuts)
	}
	moment := func(f func(theta, g float64) float64) (sum float64) {
		for k, x := range g {
			sum += f(2*math.Pi*float64(k)/cuts, x) / cuts
		}
		return sum
	}
	why := "closed form; the trapezoidal rule at 5000 points errs by (2π/5000)²/6 at the kinks"
	for _, c := range []struct {
		name string
		want float64
		f    func(theta, g float64) float64
	}{
		{"mean", 1 / math.Pi, func(_, g float64) float64 { return g }},
		{"mean square", 0.25, func(_, g float64) float64 { return g * g }},
		{"first harmonic", 0.5, func(h, g float64) float64 { return 2 * g * math.Cos(h) }},
		{"second harmonic", 2 / (3 * math.Pi), func(h, g float64) float64 { return 2 * g * math.Cos(2*h) }},
		{"third harmonic", 0, func(h, g float64) float64 { return 2 * g * math.Cos(3*h) }},
		{"fourth harmonic", -2 / (15 * math.Pi), func(h, g float64) float64 { return 2 * g * math.Cos(4*h) }},
	} {
		rows = append(rows, Check{Name: "max(0, cos): " + c.name, Unit: "1", Expected: c.want, Got: moment(c.f), Tolerance: 1e-6, Why: why})
	}

	// One pair, 5 s before a reward of τ_k = 100 ms; 1/τ' = 1/τ_m + 1/τ_k, τ' = 91 ms.
	const n = 360
	r = coreRule(1)
	r.aFast, r.etaLocal, r.bernoulli = 0, 0, false
	r.etaGlobal = 1e-3
	sweep := func(gate bool) []float64 {
		r.gate = gate
		w := pairs(r, n, 0.5)
		for i := range w.edges {
			w.edges[i].phase = 2 * math.Pi * float64(i) / n
			w.pre, w.post = append(w.pre, []event.Time{ms(10)}), append(w.post, []event.Time{ms(21)})
		}
		w.mods = []hmnModulator{{tau: 100, w: 1, jumps: []hmnLevel{{ms(5000), 1}}}}
		w.pre[0], w.post[0] = []event.Time{ms(10)}, []event.Time{ms(21)}
		got, _ := w.run(t, 10*event.Second)
		sums := make([]float64, n)
		for _, c := range got.candidates {
			sums[c.Synapse.Source] += c.Value
		}
		return sums
	}
	gated, open := sweep(true), sweep(false)
	tauP := 1 / (1/r.tauSlow + 1/100.0)
	omega := 2 * math.Pi * 8 / 1000
	harmonics := func(psi float64) float64 { // gate κ=π: 1 + (π/2) cos θ + Σ_n 2(−1)^{n+1}/(4n²−1) cos 2nθ
		x := 1 + math.Pi/2*lorentz(psi, omega*tauP)
		for k := 1; k < 20000; k++ {
			m := float64(2 * k)
			sign := 2.0
			if k%2 == 0 {
				sign = -2
			}
			x += sign / (m*m - 1) * lorentz(m*psi, m*omega*tauP)
		}
		return x
	}
	worst, lo, hi, mean := 0.0, math.Inf(1), 0.0, 0.0
	for i := range n {
		// Phase of the oscillation at the reward, counted from this synapse's centre.
		psi := omega*5000 - 2*math.Pi*float64(i)/n
		f := gated[i] / open[i]
		worst = math.Max(worst, math.Abs(f-harmonics(psi)))
		lo, hi, mean = min(lo, f), max(hi, f), mean+f/n
	}
	e0 := math.Exp(-10/r.tauPlus) * math.Exp(-(5000-21)/r.tauSlow)
	return append(rows,
		Check{Name: "one pair, one reward, gate off: Σ Δw†", Unit: "1e-6", Expected: r.etaGlobal * e0 * tauP * 1e6, Got: open[7] * 1e6, Tolerance: 1e-9 * r.etaGlobal * e0 * tauP * 1e6,
			Why: "η_g D e_0 τ'; the run ends 50 τ_k after the reward"},
		Check{Name: "P6: gated/ungated against reward phase, worst of 360", Unit: "1", Expected: 0, Got: worst, Tolerance: 1e-8,
			Why: "Fourier series of the gate, 20 000 terms of order n⁻³"},
		Check{Name: "… smallest", Unit: "1", Expected: 0.649, Got: lo, Tolerance: 6e-4, Why: "closed form, to the digits given; 1° apart"},
		Check{Name: "… largest", Unit: "1", Expected: 1.385, Got: hi, Tolerance: 6e-4, Why: "the same"},
		Check{Name: "… mean", Unit: "1", Expected: 1, Got: mean, Tolerance: 1e-5, Why: "the mean of the gate is 1; 360 phases see harmonics of order 360 and more, 2/360²"})
}

// lorentz is Re[e^{iψ}/(1 − iq)], the response ∫_0^∞ e^{−s} cos(qs + ψ) ds.
func lorentz(psi, q float64) float64 {
	return (math.Cos(psi) - q*math.Sin(psi)) / (1 + q*q)
}

// checkDrift is C.4 and C.5 on rates, whose eligibility is constant after some
// τ_slow: drift per second, numbers of updates, gaps between them.
func checkDrift(t *testing.T, mode mode) (rows []Check) {
	const n = 200
	const x, z, g = 0.8, 0.5, 0.3
	settled := 40 * event.Second // 40 τ_slow
	for _, gate := range []bool{true, false} {
		r := coreRates(1)
		r.etaLocal, r.etaGlobal, r.gate, r.bernoulli = 1e-9, 3e-9, gate, false
		w := pairs(r, n, 0)
		for i := range w.edges {
			w.edges[i].phase = 2 * math.Pi * (float64(i) + 0.5) / n // none closes at a whole second
		}
		w.x, w.z = constants(n, x), constants(n, z)
		w.mods = []hmnModulator{hold(g)}
		got, _ := w.run(t, settled+10*event.Second)
		e := x * z * (r.tauFast + r.tauSlow)
		worst, count := 0.0, 0
		want := (r.etaLocal + r.etaGlobal*g) * e * r.cycle()
		for _, c := range got.candidates {
			if c.Open >= settled {
				worst, count = max(worst, math.Abs(c.Value/want-1)), count+1
			}
		}
		if count < n*78 {
			t.Errorf("%d candidates of the last 10 s, want about %d", count, n*80)
		}
		rows = append(rows, Check{Name: fmt.Sprintf("constant drift, gate %v: Δw†/((η_l+η_g G')eT) − 1, worst of %d", gate, count), Unit: "1", Expected: 0, Got: worst, Tolerance: 2e-12,
			Why: "P6: any phase; e^(−40) of the transient is 4e-18"})
		rate := 0.0
		for _, u := range got.updates {
			if u.At > settled && u.At <= settled+10*event.Second {
				rate += u.DW / n / 10
			}
		}
		rows = append(rows, Check{Name: "… drift per second", Unit: "1e-6", Expected: 1000 * (r.etaLocal + r.etaGlobal*g) * e * 1e6, Got: rate * 1e6, Tolerance: 1000 * (r.etaLocal + r.etaGlobal*g) * e * 1e6 * 2e-9,
			Why: "C.4 with P = 1: each synapse closes 80 windows in 10 s; rounding of w = 0.02 against Δw = 5e-8"})
	}

	// D = 7.9577e-3, β_p 500, θ_p 0.01.
	r := coreRates(1e6)
	r.kappa, r.betaP, r.thetaP = 1, 500, 0.01
	const d = 7.9577e-3 // drift·T/π
	r.etaLocal, r.etaGlobal = d*math.Pi/125/(x*z*(r.tauFast+r.tauSlow)), 0
	synapses := []int{100, 200, 1000}[mode]
	w := pairs(r, synapses, 1e5)
	w.x, w.z = constants(synapses, x), constants(synapses, z)
	const windows = 800
	got, _ := w.run(t, settled+windows*ms(125))
	applied := make([]int, synapses)
	last := make([]int64, synapses)
	var p float64
	var gaps []int64
	total, moved := 0, 0.0
	for _, c := range got.candidates {
		if c.Close <= settled || c.Close > settled+windows*ms(125) {
			continue
		}
		total++
		p = c.P
		if c.Applied {
			i := c.Synapse.Source
			if applied[i]++; last[i] > 0 {
				gaps = append(gaps, c.K-last[i])
			}
			last[i] = c.K
			moved += c.DW / float64(synapses)
		}
	}
	want := 1 / (1 + math.Exp(-r.betaP*(d-r.thetaP)))
	var counts []float64
	for _, k := range applied {
		counts = append(counts, float64(k))
	}
	mean, variance := meanVar(counts)
	sd := math.Sqrt(windows * want * (1 - want))
	rows = append(rows,
		Check{Name: "windows in 100 s, per synapse", Unit: "1", Expected: windows, Got: float64(total) / float64(synapses), Why: "8 Hz"},
		Check{Name: "Δw† = 7.9577e-3, β_p 500, θ_p 0.01: P", Unit: "1", Expected: 0.26480, Got: p, Tolerance: 5e-6, Why: "σ(β_p(Δw†−θ_p)), to the digits given"},
		Check{Name: "… updates in 800 windows, mean", Unit: "1", Expected: 211.8, Got: mean, Tolerance: 4*sd/math.Sqrt(float64(synapses)) + 0.05, Why: fmt.Sprintf("binomial; 4 standard errors of %d synapses", synapses)},
		Check{Name: "… updates in 800 windows, standard deviation", Unit: "1", Expected: 12.5, Got: math.Sqrt(variance), Tolerance: 4*sd/math.Sqrt(2*float64(synapses)) + 0.05, Why: "the same"},
		Check{Name: "… drift per second", Unit: "1", Expected: 8 * want * d, Got: moved / 100, Tolerance: 4 * d * sd / 100 / math.Sqrt(float64(synapses)), Why: "C.4: 8 windows per second of P·Δw†; 4 standard errors"})

	// Gaps between updates are geometric: χ² over 1, 2, …, 14, longer.
	bins := make([]float64, 15)
	for _, gap := range gaps {
		bins[min(gap, 15)-1]++
	}
	chi := 0.0
	for k := range bins {
		q := math.Pow(1-want, float64(k)) * want
		if k == 14 {
			q = math.Pow(1-want, 14)
		}
		e := q * float64(len(gaps))
		chi += (bins[k] - e) * (bins[k] - e) / e
	}
	// Gaps that the end cuts off are missing: 1 of 212 per synapse, longer by their
	// inspection; a bias of 1/212 of the last bins.
	return append(rows, Check{Name: "… gaps between updates: χ² with 14 degrees of freedom", Unit: "1", Expected: 14, Got: chi, Tolerance: 4 * math.Sqrt(28), Why: fmt.Sprintf("geometric; mean 14, 4 standard deviations √28, %d gaps", len(gaps))})
}

// pairSum is Σ over ordered pairs of the jumps of a trace, docs/learning.md, as a
// plain double loop: arrivals before posts at one instant; nearest takes for each
// jump the last partner only.
func pairSum(r hmnRule, arrivals, posts []event.Time) (sum float64) {
	filter := func(partners []event.Time, t event.Time, tau float64, with bool) (x float64) {
		for _, s := range slices.Backward(partners) {
			if s > t || s == t && !with {
				continue
			}
			x += math.Exp(-(t - s).MS() / tau)
			if r.nearest {
				break
			}
		}
		return x
	}
	for _, t := range posts {
		sum += r.aPlus * filter(arrivals, t, r.tauPlus, true)
	}
	for _, t := range arrivals {
		sum += r.aMinus * filter(posts, t, r.tauMinus, false)
	}
	return sum
}

// checkDegenerate is docs/learning.md: settings in which the rule is a known one.
func checkDegenerate(t *testing.T, _ mode) (rows []Check) {
	// (i), (ii): totals of Hebb and pair STDP once the traces have decayed.
	rng := rand.New(rand.NewPCG(13, 0))
	const n = 20
	for _, c := range []struct {
		name    string
		aMinus  float64
		nearest bool
	}{{"pure Hebb", 1, false}, {"pair STDP, all to all", -1.05, false}, {"pair STDP, nearest", -1.05, true}} {
		for _, mode := range []string{"continuous", "window, P = 1"} {
			r := coreRule(100)
			r.aFast, r.aMinus, r.nearest, r.etaGlobal, r.gate, r.bernoulli = 0, c.aMinus, c.nearest, 0, false, false
			r.etaLocal = 1e-5
			w := pairs(r, n, 50)
			for range n {
				pre, post := randomTrain(rng, 20, 5*event.Second), randomTrain(rng, 20, 5*event.Second)
				pre = append(pre, post[len(post)/2]-ms(1)) // one arrives with a post spike
				w.pre, w.post = append(w.pre, ordered(pre)), append(w.post, post)
			}
			m := w.model(false)
			if mode == "continuous" {
				v := m.Projections[0].SynapseParams
				v["update"] = values("update", "continuous")["update"]
				m.Records = []network.Record{record(network.RecordWeight, w.projection, event.Second)}
			}
			net := build(t, m, 1)
			got := &learned{}
			span := 50 * event.Second // 45 τ_slow after the last spike
			learn(t, net, span, got)
			final := make([]float64, n)
			for i := range final {
				final[i] = 50
			}
			for _, u := range got.updates {
				final[u.Synapse.Source] += u.DW
			}
			if mode == "continuous" {
				for i, x := range got.columns(0, 0) {
					final[i] = x[len(x)-1]
				}
			}
			net.Close()
			worst, size := 0.0, 0.0
			for i := range n {
				arrivals := slices.Clone(w.pre[i])
				for k := range arrivals {
					arrivals[k] += ms(1)
				}
				want := r.etaLocal * r.tauSlow * pairSum(r, arrivals, w.post[i])
				worst, size = math.Max(worst, math.Abs(final[i]-50-want)), math.Max(size, math.Abs(want))
			}
			rows = append(rows, Check{Name: c.name + ", " + mode + ": total change, worst of 20", Unit: "[w]", Expected: 0, Got: worst, Tolerance: 1e-11,
				Why: fmt.Sprintf("η_l τ_slow Σ pairs, a double loop; changes up to %.2g; some 600 roundings of w = 50 by 7e-15, and e^(−44) left", size)})
		}
	}

	// (i) rates: dw/dt = η_l τ_slow x z.
	r := coreRates(100)
	r.aFast, r.etaLocal, r.etaGlobal, r.gate, r.bernoulli = 0, 1e-6, 0, false, false
	w := pairs(r, 1, 50)
	w.x, w.z = constants(1, 0.8), constants(1, 0.5)
	got, _ := w.run(t, 50*event.Second)
	rate := 0.0
	for _, u := range got.updates {
		if u.At > 40*event.Second {
			rate += u.DW / 10
		}
	}
	rows = append(rows, Check{Name: "pure Hebb, rates: dw/dt", Unit: "[w]/s", Expected: 0.4, Got: rate, Tolerance: 1e-12, Why: "η_l τ_slow x z; 80 roundings of w = 50"})

	// (iii) R-STDP, a single pair.
	r = coreRule(1000)
	r.aFast, r.etaLocal, r.etaGlobal, r.gate, r.bernoulli = 0, 0, 0.1, false, false
	w = pairs(r, 1, 1)
	w.pre, w.post = [][]event.Time{{ms(99)}}, [][]event.Time{{ms(107)}}
	w.mods = []hmnModulator{{tau: 200, w: 1, jumps: []hmnLevel{{ms(1107), 0.5}}}}
	m := w.model(false)
	m.Projections[0].SynapseParams["update"] = values("update", "continuous")["update"]
	m.Records = []network.Record{record(network.RecordWeight, w.projection, event.Second)}
	net := build(t, m, 1)
	defer net.Close()
	one := &learned{}
	learn(t, net, 50*event.Second, one)
	x := one.columns(0, 0)[0]
	rows = append(rows, checkFlow(t)...)
	exact := 0.1 * 0.5 * math.Exp(-7./20) * math.Exp(-1) / (1./1000 + 1./200)
	return append(rows,
		Check{Name: "R-STDP, Δ = 7 ms, DA 0.5 after 1 s, η 0.1, continuous: Δw", Unit: "[w]", Expected: 2.160336, Got: x[len(x)-1] - 1, Tolerance: 5e-7, Why: "η_g D e_0 e^(−Δ/τ)/(1/τ_c+1/τ_d), to the digits given"},
		Check{Name: "… against the closed form in float64", Unit: "[w]", Expected: exact, Got: x[len(x)-1] - 1, Tolerance: 1e-13, Why: "rounding; e^(−49) left"})
}

// checkAttention is P4, sums of softmaxes, and C.14.
func checkAttention(t *testing.T, mode mode) (rows []Check) {
	// Lazy α of a run against the context followed densely.
	r := coreRule(1)
	r.betaA, r.tauCtx = 4, 500
	const inputs, targets = 30, 3
	w := &hmnWorld{rule: r, seed: 5, projection: "plastic", source: "pre"}
	rng := rand.New(rand.NewPCG(14, 0))
	span := 20 * event.Second
	for range inputs {
		w.pre = append(w.pre, randomTrain(rng, 10, span))
	}
	for range targets {
		w.post = append(w.post, randomTrain(rng, 8, span))
	}
	for i := range inputs {
		for j := range targets {
			w.edges = append(w.edges, hmnEdge{pre: i, post: j, axonal: ms(1) + event.Time(rng.Int64N(5e9)), weight: 0.5})
		}
	}
	m := w.model(false)
	w.adopt(t, m)
	got, _ := w.run(t, span, record(network.RecordAlpha, w.projection, ms(10)))
	v := w.embeddings()
	worst, worstSum, samples := 0.0, 0.0, 0
	for j := range targets {
		var own []int
		for n, e := range w.edges {
			if e.post == j {
				own = append(own, n)
			}
		}
		dense := w.attention(own, v)
		for _, s := range got.samples {
			alpha := dense.last(at(s.at))
			sum := 0.0
			for k, n := range own {
				sum += s.values[n]
				worst = math.Max(worst, math.Abs(s.values[n]-alpha[k]/inputs))
			}
			worstSum = math.Max(worstSum, math.Abs(sum-1))
			samples++
		}
	}
	if samples < 1000 {
		t.Errorf("%d samples of α", samples)
	}
	rows = append(rows,
		Check{Name: fmt.Sprintf("α lazy against dense, worst of %d × %d", samples, inputs), Unit: "1", Expected: 0, Got: worst, Tolerance: 1e-12, Why: "P4: exact; rounding"},
		Check{Name: "Σα − 1, worst", Unit: "1", Expected: 0, Got: worstSum, Tolerance: 1e-14, Why: "softmax; rounding of 30 terms"})

	// C.14: one more input gives the context its direction, a random one; the other
	// 100 share the softmax.
	const F = 100
	n := []int{300, 600, 3000}[mode]
	for i, beta := range []float64{0.5, 1, 2, 4, 8} {
		r := coreRule(1)
		r.betaA = beta
		w := &hmnWorld{rule: r, seed: 6, projection: "plastic", source: "pre"}
		var v [][]float64
		for j := range n {
			w.post = append(w.post, []event.Time{ms(12)})
			for k := range F + 1 {
				x := make([]float64, r.dim)
				for d := range x {
					x[d] = rng.NormFloat64()
				}
				v = append(v, x)
				w.edges = append(w.edges, hmnEdge{pre: j*(F+1) + k, post: j, axonal: ms(1), weight: 0.5})
				var spikes []event.Time
				if k == 0 {
					spikes = []event.Time{ms(10)}
				}
				w.pre = append(w.pre, spikes)
			}
		}
		m := w.model(false)
		m.Projections[0].Embedding = v
		m.Projections[0].SynapseParams["embedding"] = values("embedding", "given")["embedding"]
		m.Records = []network.Record{record(network.RecordAlpha, w.projection, ms(20))}
		net := build(t, m, 1)
		r2 := &learned{}
		learn(t, net, ms(21), r2)
		net.Close()
		last := r2.samples[len(r2.samples)-1].values
		var tops []float64
		for j := range n {
			own := last[j*(F+1)+1 : (j+1)*(F+1)]
			sum := 0.0
			for _, a := range own {
				sum += a
			}
			tops = append(tops, F*slices.Max(own)/sum)
		}
		mean, variance := meanVar(tops)
		want := []float64{1.45, 2.04, 3.79, 9.17, 25.6}[i]
		half := []float64{5e-3, 5e-3, 5e-3, 5e-3, 5e-2}[i]
		rows = append(rows, Check{Name: fmt.Sprintf("F·α_max, random v, d = 8, F = 100, β_a = %g", beta), Unit: "1", Expected: want, Got: mean, Tolerance: 4*math.Sqrt(2*variance/float64(n)) + half,
			Why: fmt.Sprintf("C.14, a simulation whose own sample is not known: 4 standard errors of %d draws here and as many there", n)})
	}
	return rows
}

// flow is the weight of one synapse under update = "continuous" at end: the solution
// of dw/dt = drift that stays within the bounds. Between events the zeros of the drift
// are looked for at 20 points and bisected, and the weight is stopped at a bound at
// each.
func (w *hmnWorld) flow(edge int, end event.Time) float64 {
	r, e := &w.rule, w.edges[edge]
	f, cuts := w.plain(edge, end)
	last := end.MS()
	points := []float64{0, last}
	for _, x := range cuts {
		if x > 0 && x < last {
			points = append(points, x)
		}
	}
	if r.gate { // edges of the gate
		for k := -20.0; k < last/r.cycle()+20; k++ {
			for _, q := range []float64{-0.25, 0.25} {
				if x := (k + q + (e.phase-r.phi0)/(2*math.Pi)) * r.cycle(); x > 0 && x < last {
					points = append(points, x)
				}
			}
		}
	}
	for x := 0.0; x < last; x += 10 {
		points = append(points, x)
	}
	slices.Sort(points)
	weight := e.weight
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		if b-a < 1e-9 {
			continue
		}
		in := func(x float64) float64 { return f(min(max(x, a*(1+1e-16)), math.Nextafter(b, a))) }
		turns := []float64{a}
		const scan = 20
		for k := range scan {
			lo, hi := a+(b-a)*float64(k)/scan, a+(b-a)*float64(k+1)/scan
			if up := in(lo) > 0; up != (in(hi) > 0) {
				turns = append(turns, bisect(lo, hi, func(x float64) bool { return (in(x) > 0) != up }))
			}
		}
		turns = append(turns, b)
		for k := 1; k < len(turns); k++ {
			L, part := turns[k]-turns[k-1], 0.0
			for n, x := range gaussX {
				part += gaussW[n] * L * in(turns[k-1]+L*x)
			}
			weight = min(max(weight+part, r.wMin), r.wMax)
		}
	}
	return weight
}

// checkFlow is A.4(7): continuous weights that run into their bounds and leave them
// again when the drift turns.
func checkFlow(t *testing.T) (rows []Check) {
	for _, gate := range []bool{false, true} {
		worst, worstRead, stopped, n := 0.0, 0.0, 0, 0
		for seed := range uint64(8) {
			rng := rand.New(rand.NewPCG(15, seed))
			r := coreRule(1)
			r.gate, r.bernoulli, r.tauFast = gate, false, 20
			r.etaLocal, r.etaGlobal = 2e-5, 4e-4
			r.aFast = pick(rng, 0, 1.0)
			w := pairs(r, 4, 0.5)
			end := 2 * event.Second
			for i := range w.edges {
				w.edges[i].phase = rng.Float64() * 6
				w.edges[i].weight = pick(rng, 0, 0.02, 0.5, 0.98, 1)
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
			read := ms(1700.3)
			m.Records = []network.Record{record(network.RecordWeight, w.projection, read)}
			net := build(t, m, 1)
			got := &learned{}
			learn(t, net, end, got)
			var last []float64 // in the order of sources, as there is one synapse of each
			for part := range net.Weights(0) {
				last = append(last, part...)
			}
			net.Close()
			for i := range w.edges {
				want := w.flow(i, end)
				worst = math.Max(worst, math.Abs(last[i]-want))
				worstRead = math.Max(worstRead, math.Abs(got.samples[1].values[i]-w.flow(i, read)))
				n++
				if want == 0 || want == 1 || w.edges[i].weight == 0 || w.edges[i].weight == 1 {
					stopped++
				}
			}
		}
		rows = append(rows,
			Check{Name: fmt.Sprintf("continuous, gate %v: worst weight of %d after 2 s", gate, n), Unit: "[w]", Expected: 0, Got: worst, Tolerance: 1e-10,
				Why: fmt.Sprintf("projected flow, by quadrature between zeros found by bisection; times in ms have 12 digits here; %d began or ended at a bound", stopped)},
			Check{Name: "… as recorded in between", Unit: "[w]", Expected: 0, Got: worstRead, Tolerance: 1e-10, Why: "the same, at 1700.3 ms"})
	}
	return rows
}
