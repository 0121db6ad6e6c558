package validation

import (
	"fmt"
	"math"
	"testing"

	"hmn/event"
	"hmn/network"
)

// covariance is that of a stationary process (I, V): current held over h and
// membrane at its ticks,
//
//	I' = ρ I + σ √(1 − ρ²) ξ,   V' = a V + (1 − a) R I,   a = e^{−h/τ_m}.
//
// lag gives E[V_0 V_k] by iterating the map.
type covariance struct{ ii, iv, vv, rho, a, gain float64 }

func newCovariance(sigma, rho, a, gain float64) covariance {
	c := covariance{ii: sigma * sigma, rho: rho, a: a, gain: gain}
	b := (1 - a) * gain
	// E[I'V'] = ρ (a E[IV] + b E[I²]), since ξ is independent of the past.
	c.iv = rho * b * c.ii / (1 - rho*a)
	// E[V'²] = a² E[V²] + 2ab E[IV] + b² E[I²].
	c.vv = (2*a*b*c.iv + b*b*c.ii) / (1 - a*a)
	return c
}

func (c covariance) lag(k int) float64 {
	v, i := c.vv, c.iv
	for range k {
		v, i = c.a*v+(1-c.a)*c.gain*i, c.rho*i
	}
	return v
}

// checkNoise compares mean, variance and autocovariance of membranes under noise
// with closed forms, within four standard errors.
func checkNoise(t *testing.T, n int, span event.Time) (rows []Check) {
	const C, tau, el, h, mean = 200.0, 12.0, -70.0, 0.5, 150.0
	const gain = tau / C
	for _, c := range []struct {
		model      string
		params     []any
		sigma, rho float64
	}{
		{"ou_current", []any{"mean", mean, "sigma", 300.0, "tau", 4.0, "hold", h}, 300, math.Exp(-h / 4)},
		{"noise_current", []any{"mean", mean, "std", 900.0, "dt", h}, 900, 0},
	} {
		m := &network.Model{Simulation: network.Simulation{Seed: 12}, Populations: []network.Population{
			population("n", n, "iaf_psc_exp", values("C_m", C, "tau_m", tau, "E_L", el, "V_th", 1e5), nil),
			population("noise", n, c.model, values(c.params...), nil)}}
		m.Projections = []network.Projection{{Name: "noise", Source: "noise", Target: "n", Rule: network.OneToOne, Weight: constant(1), Dendritic: constant(1)}}
		m.Records = []network.Record{record("V_m", "n", ms(h))} // ticks arrive at whole multiples of h
		r := play(t, m, span)
		x := make([][]float64, n)
		for _, s := range r.samples {
			if s.at >= 200*event.Millisecond { // 16 τ_m after the start
				for i, v := range s.values {
					x[i] = append(x[i], v-el-gain*mean)
				}
			}
		}
		cov := newCovariance(c.sigma, c.rho, math.Exp(-h/tau), gain)
		T := float64(len(x[0]) * n)
		moment := func(k int) float64 {
			sum := 0.0
			for i := range x {
				for j := k; j < len(x[i]); j++ {
					sum += x[i][j] * x[i][j-k]
				}
			}
			return sum / float64(n*(len(x[0])-k))
		}
		g := make([]float64, 1200)
		for j := range g {
			g[j] = cov.lag(j)
		}
		gamma := func(j int) float64 {
			if j < 0 {
				j = -j
			}
			if j >= len(g) {
				return 0
			}
			return g[j]
		}
		sum, spread := 0.0, 0.0
		for i := range x {
			for _, v := range x[i] {
				sum += v
			}
		}
		for j := -len(g); j < len(g); j++ {
			spread += gamma(j)
		}
		const four = "4 standard errors, from the autocovariance of V (Bartlett)"
		rows = append(rows, Check{Name: fmt.Sprintf("%s: mean of V − E_L, %d neurons, %d s", c.model, n, span/event.Second), Unit: "mV", Expected: gain * mean, Got: gain*mean + sum/T, Tolerance: 4 * math.Sqrt(spread/T), Why: "R·mean; " + four})
		for _, k := range []int{0, 8, 40} {
			spread := 0.0
			for j := -len(g); j < len(g); j++ {
				spread += gamma(j)*gamma(j) + gamma(j+k)*gamma(j-k)
			}
			name := "… variance of V"
			if k > 0 {
				name = fmt.Sprintf("… autocovariance of V over %g ms", float64(k)*h)
			}
			rows = append(rows, Check{Name: name, Unit: "mV²", Expected: gamma(k), Got: moment(k), Tolerance: 4 * math.Sqrt(spread/T), Why: "closed form of a leaky membrane under the held current; " + four})
		}
	}
	return rows
}
