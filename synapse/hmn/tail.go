package hmn

import (
	"hmn/event/fmath"
)

// wave is the gate seen from the end of a window: at u before the close it is
// sin Ωu (gate on) or 1 (off). All integrals of the rule are integrals from an
// event to the close, so that nothing cancels: a jump of a trace, a change of a
// modulator, each adds what it will have added by the close.
//
// at fixes the distance L [ms] to the close; then
//
//	tail(λ) = ∫_0^L g(L − s) e^{−λs} ds
type wave struct {
	omega    float64 // Ω; 0: gate off
	L        float64
	sin, ver float64 // sin ΩL, 1 − cos ΩL
}

func (c *Cycle) wave() wave {
	if c.gate {
		return wave{omega: c.Omega}
	}
	return wave{}
}

func (w *wave) at(L float64) {
	w.L = L
	if w.omega > 0 {
		x := float64(w.omega * L)
		var cos float64
		w.sin, cos = fmath.Sincos(x)
		w.ver = 1 - cos
		if cos > 0 {
			w.ver = float64(w.sin*w.sin) / (1 + cos)
		}
	}
}

// small is the argument (λ+Ω)L below which the closed form loses digits, about
// 2u/((λ+Ω)L) of them relative, and the power series is used instead.
const small = 0.1

// tail is the integral for λ ≥ 0 [1/ms]; positive. Relative error below 1e-14.
func (w *wave) tail(lambda float64) float64 {
	if w.omega == 0 {
		if lambda == 0 {
			return w.L
		}
		return -fmath.Expm1(-float64(lambda*w.L)) / lambda
	}
	o, a := w.omega, float64(lambda*w.L)
	if a+float64(o*w.L) < small {
		return w.series(a)
	}
	n := float64(lambda*w.sin) + float64(o*(w.ver+fmath.Expm1(-a)))
	return n / (float64(lambda*lambda) + float64(o*o))
}

// series sums the power series in L of tail(a/L): as a function of L, tail solves
// y″ + Ω²y = Ω e^{−λL}, y(0) = y′(0) = 0. Twelve terms leave out less than 1e-17 of
// the sum for arguments below 0.1.
func (w *wave) series(a float64) float64 {
	o := float64(w.omega * w.L)
	o2 := float64(o * o)
	pa := 1.0 // (−a)ⁿ/n!
	sum := 0.0
	var even, odd float64 // terms n and n+1 of the solution over L
	for n := 0; n < 12; n++ {
		next := (float64(o*pa) - float64(o2*even)) / float64((n+1)*(n+2))
		sum += next
		even, odd = odd, next
		pa = float64(pa*-a) / float64(n+1)
	}
	return float64(sum * w.L)
}
