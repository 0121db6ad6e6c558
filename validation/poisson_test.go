package validation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
	"hmn/validation/stats"
)

// checkCampbell compares mean and variance of currents and potentials under
// Poisson input with Campbell's theorem.
func checkCampbell(t *testing.T, n int, span event.Time) (rows []Check) {
	const (
		rate = 1.0 // per ms
		j    = 0.5 // mV
		tauS = 5.0
		tauM = 20.0
		c    = 250.0
	)
	pA := j * c / tauM
	far := values("C_m", c, "tau_m", tauM, "E_L", 0.0, "V_th", 100.0, "V_reset", 0.0, "tau_syn_ex", tauS)
	settle := ms(200) // e^(−200/20) = 5e-5 of the mean is left, and less of the rest
	for _, source := range []string{"one_to_one", "fixed_indegree"} {
		m := &network.Model{Simulation: network.Simulation{Seed: 7}, Populations: []network.Population{
			population("exp", n, "iaf_psc_exp", far, nil),
			population("delta", n, "iaf_psc_delta", values("C_m", c, "tau_m", tauM, "E_L", 0.0, "V_th", 100.0, "V_reset", 0.0), nil),
		}, Records: []network.Record{record("V_m", "exp", ms(1)), record("I_syn", "exp", ms(1)), record("V_m", "delta", ms(1))}}
		for k, target := range []string{"exp", "delta"} {
			w := []float64{pA, j}[k]
			src := network.Population{Name: "to" + target, N: n, Model: "poisson", Params: values("rate", 1000*rate)}
			p := network.Projection{Name: "in" + target, Source: src.Name, Target: target, Rule: network.OneToOne, Weight: constant(w), Dendritic: constant(1.5), Synapse: "static", Autapses: true, Multapses: true}
			if source == "fixed_indegree" { // real spikes through synapses with delays of their own
				src.N = 10 * n
				src.Params = values("rate", 100*rate)
				p.Rule, p.Degree, p.Dendritic = network.FixedInDegree, 10, uniform(0.5, 3)
			}
			m.Populations = append(m.Populations, src)
			m.Projections = append(m.Projections, p)
		}
		r := play(t, m, settle+span)
		moments := func(k int, mu float64) (mean, variance float64) {
			count := 0.0
			for _, s := range r.samples {
				if s.record != k || s.at < settle {
					continue
				}
				for _, x := range s.values {
					mean += x
					variance += (x - mu) * (x - mu)
					count++
				}
			}
			return mean / count, variance / count
		}
		// Standard errors. The mean over T of n independent processes has
		// variance S(0)/(nT) with S(0) = R (area of one response)². That of the
		// variance is (2∫C² + ∫κ₄)/(nT), C the autocovariance and
		// ∫κ₄ = R (∫h²)² = C(0)²/R. Shared inputs (in-degree 10 out of 10 n)
		// correlate neurons by 1/n and leave the sum of inputs as it is.
		total := float64(n) * span.MS()
		if source == "fixed_indegree" {
			total /= 2 // multapses and unequal out-degrees: at most twice the variance
		}
		for _, x := range []struct {
			name, unit        string
			record            int
			scale             float64 // of the unit to mV
			mean, variance    float64
			area, squareOfCov float64
		}{
			{"I_syn of iaf_psc_exp", "pA", 1, c / tauM, rate * j * tauS, rate * j * j * tauS / 2, j * tauS, tauS},
			{"V_m of iaf_psc_exp", "mV", 0, 1, rate * j * tauS, rate * j * j * tauS * tauS / (2 * (tauS + tauM)), j * tauS, expCov(tauS, tauM)},
			{"V_m of iaf_psc_delta", "mV", 2, 1, rate * j * tauM, rate * j * j * tauM / 2, j * tauM, tauM},
		} {
			mean, variance := moments(x.record, x.mean*x.scale)
			mean, variance = mean/x.scale, variance/(x.scale*x.scale)
			seMean := math.Sqrt(rate * x.area * x.area / total)
			seVar := math.Sqrt((2*x.variance*x.variance*x.squareOfCov + x.variance*x.variance/rate) / total)
			why := fmt.Sprintf("Campbell, R 1/ms, J 0.5 mV, τ 20/5 (in mV: weights × C_m/τ_m); 4 standard errors of %d neurons over %v ms", n, span)
			rows = append(rows,
				Check{Name: x.name + ", " + source + ": mean", Unit: "mV", Expected: x.mean, Got: mean, Tolerance: 4*seMean + x.mean*math.Exp(-settle.MS()/tauM), Why: why},
				Check{Name: "… variance", Unit: "mV²", Expected: x.variance, Got: variance, Tolerance: 4 * seVar, Why: "the same"})
		}
	}
	return rows
}

// expCov is ∫ρ(s)² ds over both signs of s, for the potential under
// exponential currents: ρ = (τ_m e^{−s/τ_m} − τ_s e^{−s/τ_s})/(τ_m − τ_s).
func expCov(a, b float64) float64 {
	return 2 * (b*b*b/2 - 2*a*b*a*b/(a+b) + a*a*a/2) / ((b - a) * (b - a))
}

// checkSiegert compares the rate under many small inputs with Siegert's formula.
func checkSiegert(t *testing.T, n int, span event.Time) (rows []Check) {
	lif := stats.LIF{VTh: 15, VReset: 0, TauM: 10, TRef: 2}
	sigma := math.Sqrt(1.5)
	rows = append(rows, Check{Name: "Siegert's formula, μ 15, σ² 1.5, V_th 15, V_r 0, τ_m 10, t_ref 2", Unit: "Hz", Expected: 27.1095934379, Got: lif.Siegert(15, sigma), Tolerance: 5e-11,
		Why: "the integral by Gauss–Legendre quadrature elsewhere, to the digits given (tests validation/stats, not the engine)"})
	for _, mu := range []float64{15, 14} {
		const j = 0.05
		rate := sigma * sigma / (10 * j * j) / 2 // per ms and sign, 30
		m := &network.Model{Simulation: network.Simulation{Seed: 3}, Populations: []network.Population{
			population("n", n, "iaf_psc_delta", values("C_m", 250.0, "tau_m", 10.0, "E_L", 0.0, "V_th", 15.0, "V_reset", 0.0, "t_ref", 2.0,
				"I_e", mu*25), start("V_m", uniform(0, 15)))},
			Records: []network.Record{record("spikes", "n", 0)}}
		for k, name := range []string{"up", "down"} {
			m.Populations = append(m.Populations, population(name, n, "poisson", values("rate", 1000*rate), nil))
			m.Projections = append(m.Projections, network.Projection{Name: name, Source: name, Target: "n", Rule: network.OneToOne, Weight: constant(j * float64(1-2*k)),
				Dendritic: constant(1.5), Synapse: "static", Autapses: true, Multapses: true})
		}
		settle := ms(300)
		r := play(t, m, settle+span)
		list := r.byNeuron(0, n)
		got := stats.MeanRate(list, settle.MS(), (settle + span).MS())
		cv, _ := stats.MeanCV(list)
		// Symmetric jumps have no third cumulant, so the only correction of first
		// order in J is the overshoot at threshold: uniform in [0, J], as the
		// ladder heights of the walk are J.
		shifted := stats.LIF{VTh: 15 + j/2, VReset: 0, TauM: 10, TRef: 2}
		want := shifted.Siegert(mu, sigma)
		count := got * span.Seconds() * float64(n)
		rows = append(rows, Check{Name: fmt.Sprintf("LIF with 30 kHz of ±0.05 mV each, μ %g mV: rate", mu), Unit: "Hz", Expected: want, Got: got,
			Tolerance: want * (4*cv/math.Sqrt(count) + 2*j*j/(sigma*sigma)),
			Why: fmt.Sprintf("Siegert (%.4f Hz) with the threshold J/2 higher, the mean overshoot of jumps ±J; 4 standard errors of %.0f spikes with CV %.2f, and 2(J/σ)² for terms of second order",
				lif.Siegert(mu, sigma), count, cv)})
	}
	return rows
}

// checkRates compares linear rate networks with (1 − W)⁻¹h.
func checkRates(t *testing.T) (rows []Check) {
	worst := func(m *network.Model, x []float64) float64 {
		m.Records = []network.Record{record("rate", m.Populations[0].Name, ms(1))}
		end := ms(600)
		r := play(t, m, end)
		last := r.samples[len(r.samples)-1]
		d := 0.0
		for i := range x {
			d = math.Max(d, math.Abs(last.values[i]-x[i]))
		}
		return d
	}
	m := shipped(t, "rate-fixed-point")
	exact := []float64{4684.0 / 3967, 2982.0 / 3967, -460.0 / 3967, 8091.0 / 3967, 3096.0 / 3967}
	rows = append(rows, Check{Name: "rate-fixed-point: worst unit", Unit: "1", Expected: 0, Got: worst(m, exact), Tolerance: 1e-12, Why: "(1−W)⁻¹h in fractions of 3967, by algebra"},
		Check{Name: "… its h against gonum", Unit: "1", Expected: 0, Got: distance(solve(m), exact), Tolerance: 1e-14, Why: "the header's numbers are those of the file's W and h"})

	// Random networks of 50 units, rows of |W| summing to at most 0.8, delays on a
	// grid so that the number of events stays small.
	rng := rand.New(rand.NewPCG(5, 0))
	far := 0.0
	for range 5 {
		const n = 50
		p := edges("x", "x")
		bias := make([]float64, n)
		for i := range n {
			bias[i] = math.Round(rng.NormFloat64()*64) / 64
			for range 10 {
				p.Edges = append(p.Edges, edge(rng.IntN(n), i, math.Round((2*rng.Float64()-1)*0.08*1024)/1024, event.Time(rng.IntN(3))*ms(1), ms(1)))
			}
		}
		m := &network.Model{Populations: []network.Population{population("x", n, "rate", values("f", "linear", "b", quantity.Value{List: bias}), nil)}, Projections: []network.Projection{p}}
		far = math.Max(far, worst(m, solve(m)))
	}
	return append(rows, Check{Name: "5 random linear networks of 50 units: worst unit", Unit: "1", Expected: 0, Got: far, Tolerance: 1e-12, Why: "gonum's dense solution of (1−W)x = h"})
}

func distance(a, b []float64) (d float64) {
	for i := range a {
		d = math.Max(d, math.Abs(a[i]-b[i]))
	}
	return d
}

// solve is the dense solution of (1 − W) x = h for a description of one rate
// population with an edge list.
func solve(m *network.Model) []float64 {
	n := m.Populations[0].N
	a, x := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		a.Set(i, i, 1)
	}
	for _, e := range m.Projections[0].Edges {
		a.Set(int(e.Target), int(e.Source), a.At(int(e.Target), int(e.Source))-e.Weight)
	}
	if err := x.SolveVec(a, mat.NewVecDense(n, m.Populations[0].Params["b"].List)); err != nil {
		panic(err)
	}
	return x.RawVector().Data
}
