package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate/quad"
)

// LIF holds what the Siegert rate needs of a leaky integrate-and-fire neuron.
// Potentials may be relative to rest or absolute, if the mean input is too.
type LIF struct {
	VTh    float64 // threshold [mV], > VReset
	VReset float64 // reset potential [mV]
	TauM   float64 // membrane time constant [ms], > 0
	TRef   float64 // absolute refractory period [ms], ≥ 0
}

// Siegert is the stationary rate [Hz] of the neuron
//
//	τ_m dV/dt = −V + μ + σ √τ_m ξ(t),    ⟨ξ(t) ξ(t′)⟩ = δ(t−t′),
//
// which is (Siegert 1951, doi:10.1103/PhysRev.81.617; in this form Brunel 2000,
// doi:10.1023/A:1008925309027)
//
//	1/r = t_ref + τ_m √π ∫_{(V_r−μ)/σ}^{(V_th−μ)/σ} e^{u²} (1 + erf u) du.
//
// In this convention the standard deviation of the free membrane potential is
// σ/√2. mu and sigma are in mV. sigma = 0 gives the rate without noise, 0 when μ
// does not exceed the threshold. The relative error is below 1e-10. Parameters
// out of range, and NaN, panic.
func (n LIF) Siegert(mu, sigma float64) float64 {
	if !(n.VTh > n.VReset) || !(n.TauM > 0) || !(n.TRef >= 0) || !(sigma >= 0) || math.IsNaN(mu) {
		panic(fmt.Sprintf("stats: Siegert rate of %+v at μ = %g mV, σ = %g mV", n, mu, sigma))
	}
	var s float64 // the mean first passage time, in units of τ_m
	if lo, hi := (n.VReset-mu)/sigma, (n.VTh-mu)/sigma; math.IsNaN(lo) || math.IsNaN(hi) || math.IsInf(lo, 0) || math.IsInf(hi, 0) || hi < -1e7 {
		// Without noise worth the name the drift alone decides.
		if mu <= n.VTh {
			return 0
		}
		s = math.Log1p((n.VTh - n.VReset) / (mu - n.VTh))
	} else {
		s = math.SqrtPi * integral(lo, hi)
	}
	return 1000 / (n.TRef + n.TauM*s)
}

// integral of scaledErfc from a to b, a < b. Panels are narrow where the
// integrand grows as e^{u²} and widen in proportion to |u| where it falls as
// 1/|u|; 20 Gauss–Legendre nodes integrate each to rounding.
func integral(a, b float64) float64 {
	sum := 0.0
	for a < b {
		h := 0.25
		if a < -1 {
			h = math.Max(h, -a/4)
		}
		c := math.Min(a+h, b)
		sum += quad.Fixed(scaledErfc, a, c, 20, quad.Legendre{}, 0)
		if math.IsInf(sum, 1) {
			break
		}
		a = c
	}
	return sum
}

// scaledErfc is e^{u²} (1 + erf u) = erfcx(−u). As a product it would be 0·∞ for
// very negative u, where erfc underflows; there the asymptotic series
//
//	erfcx(x) = (1/(x√π)) Σ_k (−1)^k (2k−1)!! / (2x²)^k
//
// has its k-th term below 1e-17 by k = 12 at x = 10.
func scaledErfc(u float64) float64 {
	x := -u
	if x < 10 {
		return math.Exp(u*u) * math.Erfc(x)
	}
	term, sum := 1.0, 1.0
	for k := 1; k <= 14; k++ {
		term *= -float64(2*k-1) / (2 * x * x)
		sum += term
	}
	return sum / (x * math.SqrtPi)
}
