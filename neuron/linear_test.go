package neuron

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"

	"hmn/event"
	"hmn/event/quantity"
)

func mustLinear(t testing.TB, model string, v quantity.Values) *Linear {
	t.Helper()
	l, err := NewLinear(model, v, event.MaxWindow)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// The tests reach the package's inner functions through these.
func (l *Linear) after(y state, s float64) (out state) {
	l.advance(&out, &y, s)
	return out
}

func (l *Linear) currentsAfter(y state, s float64) state {
	l.decay(&y, s)
	return y
}

func (l *Linear) crossing(y state, L, th float64) (float64, bool) {
	end := l.after(y, L)
	return l.firstCrossing(&y, &end, L, th)
}

// tausOf are pairs tau_m, tau_syn: apart, equal, and nearly equal on both
// sides of the switch between the two ways to write κ.
var tausOf = [][2]float64{
	{20, 5}, {20, 10}, {10, 0.5}, {5, 20}, {10, 10}, {10, 10 * (1 + 1e-15)}, {10, 10 * (1 - 1e-12)}, {10, 10.0001}, {10, 9.9},
	{10, 10.4999}, {10, 10.5001}, {10, 9.5001}, {10, 9.4999}, {0.3, 100}, {100, 0.3},
}

// eachLinear calls f for the three models with all pairs of time constants;
// the inhibitory one differs from the excitatory one.
func eachLinear(t *testing.T, f func(t *testing.T, l *Linear, rng *rand.Rand)) {
	for _, model := range []string{"iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha"} {
		for k, tau := range tausOf {
			v := num("C_m", 200, "tau_m", tau[0], "E_L", -65, "V_th", -50, "V_reset", -65, "t_ref", 2)
			if model != "iaf_psc_delta" {
				v["tau_syn_ex"] = quantity.Value{Number: tau[1]}
				v["tau_syn_in"] = quantity.Value{Number: tausOf[(k+7)%len(tausOf)][1]}
			}
			t.Run(fmt.Sprintf("%s/%g/%g", model, tau[0], tau[1]), func(t *testing.T) {
				f(t, mustLinear(t, model, v), rand.New(rand.NewPCG(uint64(k), 1)))
			})
			if model == "iaf_psc_delta" && k == 3 {
				break
			}
		}
	}
}

// anyState draws a state with currents of any sign, worth some 10 mV each.
func anyState(l *Linear, rng *rand.Rand) state {
	y := state{v: rng.NormFloat64() * 10}
	amp := 10 / l.r
	if l.psc != Delta {
		y.e, y.i = rng.NormFloat64()*amp*2, rng.NormFloat64()*amp*2
	}
	if l.psc == Alpha {
		y.de, y.di = rng.NormFloat64()*amp*5/l.tauS[0], rng.NormFloat64()*amp*5/l.tauS[1]
	}
	return y
}

// size is what the rounding of V is measured against [mV]: the sum of the
// magnitudes of its terms, with 20 for the difference of two exponentials whose
// time constants differ by 5 %.
func (l *Linear) size(y state) float64 {
	s := math.Abs(y.v) + 20*l.r*(math.Abs(y.e)+math.Abs(y.i))
	return s + 20*l.r*(math.Abs(y.de)*l.tauS[0]+math.Abs(y.di)*l.tauS[1]) + 15
}

func (y state) list() [5]float64 { return [5]float64{y.v, y.e, y.i, y.de, y.di} }

// scales are the sizes that errors of the five state variables are measured by.
func (l *Linear) scales(y state) [5]float64 {
	e, i := math.Abs(y.e)+math.Abs(y.de)*l.tauS[0], math.Abs(y.i)+math.Abs(y.di)*l.tauS[1]
	return [5]float64{l.size(y), e, i, math.Abs(y.de), math.Abs(y.di)}
}

const eps = 0x1p-52

func closeStates(t *testing.T, what string, got, want state, scale [5]float64, ulps float64) {
	t.Helper()
	g, w := got.list(), want.list()
	for k, name := range []string{"V", "I_ex", "I_in", "dI_ex", "dI_in"} {
		if d := math.Abs(g[k] - w[k]); !(d <= ulps*eps*scale[k]+1e-300) {
			t.Errorf("%s: %s = %.17g, want %.17g: off by %.3g ulp of %.3g", what, name, g[k], w[k], d/(eps*scale[k]), scale[k])
		}
	}
}

// TestAdvanceSteps: many steps equal one, to 4 ulp of the terms per step.
func TestAdvanceSteps(t *testing.T) {
	eachLinear(t, func(t *testing.T, l *Linear, rng *rand.Rand) {
		for range 20 {
			y := anyState(l, rng)
			s := math.Ldexp(rng.Float64(), rng.IntN(30)-24)
			n := 1 + rng.IntN(64)
			z := y
			for range n {
				z = l.after(z, s)
			}
			closeStates(t, fmt.Sprintf("%d steps of %g ms", n, s), z, l.after(y, float64(n)*s), l.scales(y), 4*float64(n)+4)
			// What replay uses for refractory neurons: the currents alone.
			d := l.currentsAfter(y, s)
			d.v = l.after(y, s).v
			closeStates(t, "decay", d, l.after(y, s), l.scales(y), 4)
		}
		y := anyState(l, rng)
		closeStates(t, "no time", l.after(y, 0), y, l.scales(y), 1)
	})
}

// rk4 integrates the differential equations themselves in n steps.
func rk4(l *Linear, y state, s float64, n int) state {
	f := func(y [5]float64) (d [5]float64) {
		d[0] = -y[0]/l.tauM + (y[1]+y[2])*l.invC
		if l.psc != Delta {
			d[1], d[2] = -y[1]/l.tauS[0]+y[3], -y[2]/l.tauS[1]+y[4]
			d[3], d[4] = -y[3]/l.tauS[0], -y[4]/l.tauS[1]
		}
		return d
	}
	add := func(y, d [5]float64, h float64) [5]float64 {
		for k := range y {
			y[k] += h * d[k]
		}
		return y
	}
	x, h := y.list(), s/float64(n)
	for range n {
		a := f(x)
		b := f(add(x, a, h/2))
		c := f(add(x, b, h/2))
		d := f(add(x, c, h))
		for k := range x {
			x[k] += h / 6 * (a[k] + 2*b[k] + 2*c[k] + d[k])
		}
	}
	return state{x[0], x[1], x[2], x[3], x[4]}
}

// TestAdvanceIntegrated compares with Runge–Kutta of order 4. Halving its step
// divides its error by 16, so the finer result is off by about a fifteenth of
// the difference; a third is allowed, and 1e-13 for rounding.
func TestAdvanceIntegrated(t *testing.T) {
	eachLinear(t, func(t *testing.T, l *Linear, rng *rand.Rand) {
		for range 3 {
			y := anyState(l, rng)
			tau := l.tauM
			if l.psc != Delta {
				tau = min(tau, l.tauS[0], l.tauS[1])
			}
			s := 4 * tau * rng.Float64()
			coarse, fine, got := rk4(l, y, s, 1000), rk4(l, y, s, 2000), l.after(y, s)
			c, f, g, scale := coarse.list(), fine.list(), got.list(), l.scales(y)
			for k := range g {
				if d := math.Abs(g[k] - f[k]); d > math.Abs(c[k]-f[k])/3+1e-13*scale[k] {
					t.Errorf("after %g ms variable %d is %.15g, Runge–Kutta %.15g (with twice the step %.15g)", s, k, g[k], f[k], c[k])
				}
			}
			// The derivatives that the search for crossings uses.
			d1, d2, d3 := l.derivatives(&y)
			h := 1e-3 * tau
			taylor := y.v + h*d1 + h*h/2*d2 + h*h*h/6*d3
			if d := math.Abs(taylor - l.after(y, h).v); d > 1e-11*l.size(y) { // h⁴/24 in units of tau⁴
				t.Errorf("Taylor of degree 3 is off by %g", d)
			}
		}
	})
}

// kappa and kappaAlpha are the defining integrals by Gauss–Legendre quadrature.
func kappa(l *Linear, p int, s float64) float64 {
	return l.invC * quad.Fixed(func(u float64) float64 { return math.Exp(-u/l.tauS[p] - (s-u)/l.tauM) }, 0, s, 40, quad.Legendre{}, 0)
}

func kappaAlpha(l *Linear, p int, s float64) float64 {
	return l.invC * quad.Fixed(func(u float64) float64 { return u * math.Exp(-u/l.tauS[p]-(s-u)/l.tauM) }, 0, s, 40, quad.Legendre{}, 0)
}

func TestResponses(t *testing.T) {
	eachLinear(t, func(t *testing.T, l *Linear, rng *rand.Rand) {
		if l.psc == Delta {
			return
		}
		for range 50 {
			for p := range 2 {
				tau := min(l.tauM, l.tauS[p])
				s := math.Ldexp(tau*4*rng.Float64(), -rng.IntN(20))
				em, es := math.Exp(-s/l.tauM), math.Exp(-s/l.tauS[p])
				if got, want := l.response(p, s, em, es), kappa(l, p, s); math.Abs(got-want) > 20*8*eps*min(l.tauM, l.tauS[p])*l.invC {
					t.Errorf("κ(%g) of port %d = %.17g, want %.17g", s, p, got, want)
				}
				// Cancellation is worst where the series ends: 1/|gap·s|² = 4.
				if got, want := l.slopeResponse(p, s, em, es), kappaAlpha(l, p, s); math.Abs(got-want) > 64*eps*(want+s*s*l.invC*em+1e-300) {
					t.Errorf("κ_α(%g) of port %d = %.17g, want %.17g", s, p, got, want)
				}
			}
		}
	})
}

// TestCurvature: |κ”| and |κ_α”| stay below the bounds that reject crossings.
func TestCurvature(t *testing.T) {
	eachLinear(t, func(t *testing.T, l *Linear, rng *rand.Rand) {
		for range 400 {
			y := anyState(l, rng)
			m := l.concavity(&y)
			s := -math.Log(rng.Float64()) * l.tauM
			z := l.after(y, s)
			if _, d2, _ := l.derivatives(&z); -d2 > m*(1+1e-9) {
				t.Errorf("state %+v: −V'' = %g after %g ms, bound %g", y, -d2, s, m)
			}
		}
	})
}

func TestNewLinearErrors(t *testing.T) {
	for model, v := range map[string]quantity.Values{
		"iaf_psc_gauss": num(),
		"poisson":       num("rate", 5),
		"iaf_psc_delta": num("tau_m", math.NaN()),
		"iaf_psc_exp":   num("V_th", -80),
		"iaf_psc_alpha": num("t_ref", 6000),
	} {
		if _, err := NewLinear(model, v, event.Millisecond); err == nil {
			t.Errorf("%s %v: no error", model, v)
		}
	}
}
