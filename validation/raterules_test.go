package validation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
)

// checkRateRules holds the rules between rate units to closed forms that are worked out
// here, over trains of levels (open loop), and to what they are known for.
func checkRateRules(t *testing.T, mode mode) (rows []Check) {
	changes := [...]int{300, 3000, 10000}[mode]
	for _, rule := range []string{"hebb", "oja", "bcm"} {
		for _, bounded := range []bool{false, true} {
			got, want, scale := flowTrain(t, rule, changes, bounded)
			name := rule + ": weight along a train of levels"
			if bounded {
				name += ", at bounds"
			}
			rows = append(rows, Check{Name: name, Unit: "1", Expected: want, Got: got, Tolerance: 1e-12 * scale,
				Why: fmt.Sprintf("%d changes of x and z at irregular times, stretch by stretch with exponentials of the standard library, bcm with Σ of its two integrals; 1e-12 of Σ|changes|", changes)})
		}
	}
	w, tol := ojaComponent(t)
	rows = append(rows,
		Check{Name: "oja: first weight with second moments [[3, 1], [1, 2]]", Unit: "1", Expected: 0.85065080835204, Got: w[0], Tolerance: tol,
			Why: "the eigenvector of the largest eigenvalue (Oja 1982); w moves about the mean flow by 2 η T λ in a round of T = 8 ms"},
		Check{Name: "… second weight", Unit: "1", Expected: 0.52573111211913, Got: w[1], Tolerance: tol, Why: "the same"})
	b := bcmPatterns(t)
	rows = append(rows,
		Check{Name: "bcm: response to the pattern it prefers, of two", Unit: "1", Expected: 2, Got: b[0], Tolerance: 0.03,
			Why: "z = θ and θ = z²/2 (Intrator & Cooper 1992); θ follows the patterns by 5 ms/τ_θ z² = 0.02"},
		Check{Name: "… to the other", Unit: "1", Expected: 0, Got: b[1], Tolerance: 0.01, Why: "the same"})
	return rows
}

// levelsModel is step_rate sources, the last of them the target of the others.
func levelsModel(steps [][][2]float64, rule string, start []float64, par quantity.Values) *network.Model {
	m := &network.Model{Simulation: network.Simulation{Seed: 1}}
	last := len(steps) - 1
	for i, s := range steps {
		m.Populations = append(m.Populations, network.Population{Name: fmt.Sprint("x", i), N: 1, Model: "step_rate", Params: quantity.Values{"steps": {Steps: s}}})
		if i < last {
			m.Projections = append(m.Projections, network.Projection{Name: fmt.Sprint("w", i), Source: fmt.Sprint("x", i), Target: fmt.Sprint("x", last), Rule: network.AllToAll,
				Weight: network.Value{A: start[i]}, Synapse: rule, SynapseParams: par})
		}
	}
	return m
}

func flowWeights(t *testing.T, m *network.Model, ms float64) (out []float64) {
	n := build(t, m, 1)
	defer n.Close()
	advance(t, n, event.Time(ms*1e9), &tape{})
	for p := range m.Projections {
		for w := range n.Weights(p) {
			out = append(out, w...)
		}
	}
	return out
}

func flowTrain(t *testing.T, rule string, changes int, bounded bool) (got, want, scale float64) {
	const eta, tau, z0, theta0 = 0.003, 40.0, 1.2, 0.7
	rng := rand.New(rand.NewPCG(3, uint64(len(rule))))
	lo, hi, w := 0.0, 1e9, 1000.0
	if rule == "oja" {
		w = 2
	}
	if bounded {
		lo, hi, w = 0.3, 0.9, 0.5
	}
	var xs, zs [][2]float64
	at, x, z, theta := 0.0, 0.0, 0.0, theta0
	cut := func(y float64) float64 { return math.Max(lo, math.Min(y, hi)) }
	scale = w
	// stretch takes w and θ over dt by the solutions of the equations.
	var stretch func(dt float64)
	stretch = func(dt float64) {
		before := w
		switch rule {
		case "hebb":
			w = cut(w + eta*x*z*dt)
		case "oja":
			if z != 0 {
				w = cut(x/z + (w-x/z)*math.Exp(-eta*z*z*dt))
			}
		case "bcm":
			end := z * z / z0
			if s := -tau * math.Log((z-end)/(theta-end)); s > 0 && s < dt { // NaN: never
				theta0 := theta
				w = cut(w + eta*x*z*(z*s-end*s-(theta0-end)*tau*(1-math.Exp(-s/tau))))
				theta = z
				scale += math.Abs(w - before)
				stretch(dt - s)
				return
			}
			w = cut(w + eta*x*z*(z*dt-end*dt-(theta-end)*tau*(1-math.Exp(-dt/tau))))
			theta = end + (theta-end)*math.Exp(-dt/tau)
		}
		scale += math.Abs(w - before)
	}
	for range changes {
		dt := math.Floor(1+rng.ExpFloat64()*2e10) * 1e-9 // whole ps
		next := math.Round((at+dt)*1e9) * 1e-9
		stretch(next - at)
		at = next
		switch rng.IntN(5) {
		case 0:
			x = 0
		case 1, 2:
			x = 3*rng.Float64() - 1
		default:
			z = 3*rng.Float64() - 1
		}
		xs, zs = append(xs, [2]float64{at, x}), append(zs, [2]float64{at, z})
	}
	stretch(10)
	par := quantity.Values{"eta": {Number: eta}, "w_min": {Number: lo}, "w_max": {Number: hi}, "hold": {Number: 13}}
	if rule == "bcm" {
		par["tau_theta"], par["z_0"], par["theta_0"] = quantity.Value{Number: tau}, quantity.Value{Number: z0}, quantity.Value{Number: theta0}
	}
	start := 1000.0
	if rule == "oja" {
		start = 2
	}
	if bounded {
		start = 0.5
	}
	m := levelsModel([][][2]float64{xs, zs}, rule, []float64{start}, par)
	return flowWeights(t, m, at+10)[0], w, scale
}

// closedLoop is patterns in turn, each for some ms, onto a linear unit.
func closedLoop(list [][]float64, each, end float64, rule string, start []float64, par quantity.Values) *network.Model {
	steps := make([][][2]float64, len(start)+1)
	for k := 0; float64(k)*each < end; k++ {
		for i := range start {
			steps[i] = append(steps[i], [2]float64{float64(k) * each, list[k%len(list)][i]})
		}
	}
	m := levelsModel(steps, rule, start, par)
	m.Populations[len(start)] = network.Population{Name: fmt.Sprint("x", len(start)), N: 1, Model: "rate", Params: quantity.Values{"f": {Text: "linear"}}}
	return m
}

func ojaComponent(t *testing.T) (w []float64, tol float64) {
	const eta, end = 1e-4, 2e5
	l1, l2 := (5+math.Sqrt(5))/2, (5-math.Sqrt(5))/2
	c, s := 0.85065080835204, 0.52573111211913
	a, b := math.Sqrt(2*l1), math.Sqrt(2*l2)
	m := closedLoop([][]float64{{a * c, a * s}, {-b * s, b * c}, {-a * c, -a * s}, {b * s, -b * c}}, 2, end, "oja", []float64{0.3, 0.9},
		quantity.Values{"eta": {Number: eta}, "w_max": {Number: 2}, "hold": {Number: 1}})
	return flowWeights(t, m, end), 2 * eta * 8 * l1
}

func bcmPatterns(t *testing.T) []float64 {
	m := closedLoop([][]float64{{1, 0}, {0, 1}}, 5, 4e5, "bcm", []float64{0.9, 0.8},
		quantity.Values{"eta": {Number: 5e-5}, "w_max": {Number: 10}, "tau_theta": {Number: 1000}, "theta_0": {Number: 0.5}})
	return flowWeights(t, m, 4e5)
}
