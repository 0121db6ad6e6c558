package validation

import (
	"math"
	"math/rand/v2"
)

// clockedBrunel is Brunel's network as clock-driven simulators have it: all
// neurons advanced by steps of h ms, arrivals of a step added together before
// the one test of the threshold, spikes at the ends of steps. It shares nothing
// with the engine, draws its own network, and tells how much of a difference to
// published numbers is the grid's. It returns the mean rate [Hz] in
// [settle, settle+span), all in ms.
func clockedBrunel(seed uint64, g, eta, h, settle, span float64) float64 {
	const (
		ne, ni = 10000, 2500
		n      = ne + ni
		ce, ci = 1000, 250
		tau    = 20.0
		theta  = 20.0
		reset  = 10.0
		j      = 0.1
	)
	rng := rand.New(rand.NewPCG(seed, 0x636c6f636b))
	out := make([][]uint16, n)
	for t := range n {
		for k := range ce + ci {
			s := rng.IntN(ne)
			if k >= ce {
				s = ne + rng.IntN(ni)
			}
			out[s] = append(out[s], uint16(t))
		}
	}
	v := make([]float64, n)
	for i := range v {
		v[i] = theta * rng.Float64()
	}
	delay := int(math.Round(1.5 / h))
	refractory := int(math.Round(2 / h))
	slots := make([][]float32, delay+1)
	for k := range slots {
		slots[k] = make([]float32, n)
	}
	free := make([]int, n)
	decay := math.Exp(-h / tau)
	external := 10 * eta * h * n // arrivals per step in all: 1000 inputs of eta·10 Hz
	steps, first, count := int(math.Round((settle+span)/h)), int(math.Round(settle/h)), 0
	for s := range steps {
		in := slots[s%len(slots)]
		// The inputs of all neurons together are one Poisson process.
		for range poisson(rng, external) {
			in[rng.Uint64N(n)] += j
		}
		later := slots[(s+delay)%len(slots)]
		for i := range v {
			if s < free[i] {
				continue
			}
			v[i] = v[i]*decay + float64(in[i])
			if v[i] < theta {
				continue
			}
			v[i] = reset
			free[i] = s + refractory
			if s >= first {
				count++
			}
			w := float32(j)
			if i >= ne {
				w = float32(-g * j)
			}
			for _, t := range out[i] {
				later[t] += w
			}
		}
		clear(in)
	}
	return float64(count) / n / (span / 1000)
}

// poisson draws a Poisson number; above 50 as a rounded normal, whose error is
// far below what a population shows.
func poisson(rng *rand.Rand, mean float64) int {
	if mean > 50 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())))
	}
	k, p, l := 0, rng.Float64(), math.Exp(-mean)
	for p > l {
		k++
		p *= rng.Float64()
	}
	return k
}
