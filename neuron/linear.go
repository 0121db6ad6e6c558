package neuron

import (
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
)

// PSC is the shape of a postsynaptic current.
type PSC uint8

// Shapes of postsynaptic currents.
const (
	Delta PSC = iota // a jump of the potential
	Exp              // w exp(−s/τ)
	Alpha            // w (e/τ) s exp(−s/τ)
)

// Receptor ports of the linear models, and the two other things that a replay
// meets in its list of hits.
const (
	PortEx    = 0
	PortIn    = 1
	PortLevel = 2 // a constant current changes by W
	PortProbe = 3 // look at the state; changes nothing
)

// sentinel stands for the potential of a refractory neuron: it absorbs every
// arrival and no bound on it comes near a threshold, so the sweep needs no
// branch. It decays by exp(−t_ref/tau_m) at most, and t_ref ≤ 500 tau_m.
const sentinel = -1e300

// Linear is a leaky integrate-and-fire population with linear currents:
//
//	dV/dt = −(V − E_L)/tau_m + (I_ex + I_in + I_level + I_e)/C_m,
//
// with V = V_reset for t_ref from each spike (Rotter & Diesmann 1999,
// doi:10.1007/s004220050570). It holds parameters and derived constants only,
// and may be shared by workers.
//
// Potentials inside the package are relative to the neuron's steady state
// without synaptic current, E_L + R (I_e + I_level) with R = tau_m/C_m, so that
// the free solution is a sum of decaying exponentials.
type Linear struct {
	psc   PSC
	tauM  float64 // ms
	tauS  [2]float64
	invC  float64 // 1/pF
	r     float64 // tau_m/C_m, mV/pA
	vTh   float64 // mV
	vRest float64 // E_L + R I_e, mV
	reset float64 // V_reset − V_th, mV, < 0
	tRef  event.Time

	gap  [2]float64 // 1/tau_syn − 1/tau_m, 1/ms
	near [2]bool    // tau_syn close to tau_m: the difference of exponentials would cancel
	amp  [2]float64 // 1/(C (1/tau_syn − 1/tau_m)) when not near
	peak [2]float64 // e/tau_syn: the slope by which an alpha current of weight 1 starts

	curve [2]float64 // bound of |κ''| per unit current, mV/(pA ms²)
	bend  [2]float64 // bound of |κ_α''| per unit slope, mV/(pA/ms · ms²)
	hMax  event.Time // longest step for which the sweep's bound holds
	kern  *kernel
}

// NewLinear derives the constants of one of the models iaf_psc_delta,
// iaf_psc_exp and iaf_psc_alpha from checked parameters. longest is the longest
// window of the run.
func NewLinear(model string, v quantity.Values, longest event.Time) (*Linear, error) {
	m, ok := Lookup(model)
	if !ok {
		return nil, fmt.Errorf("neuron: no model %q", model)
	}
	if _, err := m.CheckAll(v); err != nil {
		return nil, fmt.Errorf("neuron: %w", err)
	}
	l := &Linear{tauM: m.Number(v, "tau_m"), invC: 1 / m.Number(v, "C_m"), vTh: m.Number(v, "V_th")}
	l.r = l.tauM * l.invC
	l.vRest = float64(l.r*m.Number(v, "I_e")) + m.Number(v, "E_L")
	l.reset = m.Number(v, "V_reset") - l.vTh
	tRef, _, err := event.FromMS(m.Number(v, "t_ref"))
	if err != nil {
		return nil, fmt.Errorf("neuron: t_ref: %w", err)
	}
	l.tRef = tRef
	hMax := l.tauM
	switch model {
	case "iaf_psc_delta":
		l.psc = Delta
	case "iaf_psc_exp":
		l.psc = Exp
	case "iaf_psc_alpha":
		l.psc = Alpha
	default:
		return nil, fmt.Errorf("neuron: %s is not a linear model", model)
	}
	if l.psc != Delta {
		l.tauS = [2]float64{m.Number(v, "tau_syn_ex"), m.Number(v, "tau_syn_in")}
		for p, tau := range l.tauS {
			l.gap[p] = 1/tau - 1/l.tauM
			l.near[p] = math.Abs(l.tauM-tau) < 0.05*l.tauM
			if !l.near[p] {
				l.amp[p] = l.invC / l.gap[p]
			}
			l.peak[p] = fmath.Exp(1) / tau
			l.curve[p] = l.invC * (1/tau + 1/l.tauM)
			l.bend[p] = l.invC * (1 + tau/(math.E*l.tauM))
			// The response to a current rises until its peak, where
			// exp(−s/tau_syn)/tau_syn = exp(−s/tau_m)/tau_m.
			peak := l.tauM
			if !l.near[p] {
				peak = fmath.Log(l.tauM/tau) / l.gap[p]
			} else {
				peak = min(peak, tau)
			}
			hMax = min(hMax, peak)
			if l.psc == Alpha {
				hMax = min(hMax, tau)
			}
		}
	}
	l.hMax = max(1, event.Time(min(hMax*1e9, float64(event.MaxWindow))))
	l.kern = newKernel(l, min(longest, l.hMax))
	return l, nil
}

// PSC is the shape of the model's postsynaptic currents.
func (l *Linear) PSC() PSC { return l.psc }

// HMax is the longest step that Sweep's bound allows.
func (l *Linear) HMax() event.Time { return l.hMax }

// state is one neuron at one time: potential above steady state [mV],
// excitatory and inhibitory current [pA], and for alpha currents their slope
// variables dI/dt + I/tau_syn [pA/ms].
type state struct{ v, e, i, de, di float64 }

// response is the potential s ms after a unit current of the port started to
// decay, κ(s) = (1/C) ∫ exp(−u/τ_s) exp(−(s−u)/τ_m) du; em and es are
// exp(−s/τ_m) and exp(−s/τ_s).
func (l *Linear) response(p int, s, em, es float64) float64 {
	if !l.near[p] {
		return l.amp[p] * (em - es)
	}
	x := l.gap[p] * s
	if x == 0 {
		return em * s * l.invC
	}
	return em * (-fmath.Expm1(-x) / l.gap[p]) * l.invC
}

// slopeResponse is the potential s ms after a unit slope of an alpha current,
// κ_α(s) = (1/C) ∫ u exp(−u/τ_s) exp(−(s−u)/τ_m) du.
func (l *Linear) slopeResponse(p int, s, em, es float64) float64 {
	g := l.gap[p]
	x := g * s
	if math.Abs(x) > 0.5 {
		return (em - float64(es*(1+x))) / (g * g) * l.invC
	}
	// (1 − e^{−x}(1+x))/x² = Σ (−x)ⁿ/(n! (n+2)), to rounding for |x| ≤ 1/2.
	sum, term := 0.0, 1.0
	for n := 0; n < 16; n++ {
		sum += term / float64(n+2)
		term *= -x / float64(n+1)
	}
	return em * s * s * sum * l.invC
}

// advance is the state s ≥ 0 ms later, with no arrival in between.
func (l *Linear) advance(y state, s float64) state {
	em := fmath.Exp(-s / l.tauM)
	out := state{v: float64(y.v * em)}
	if y.e != 0 || y.de != 0 {
		es := fmath.Exp(-s / l.tauS[0])
		out.v += float64(y.e * l.response(0, s, em, es))
		out.e = float64(y.e * es)
		if y.de != 0 {
			out.v += float64(y.de * l.slopeResponse(0, s, em, es))
			out.e += float64(y.de * s * es)
			out.de = y.de * es
		}
	}
	if y.i != 0 || y.di != 0 {
		es := fmath.Exp(-s / l.tauS[1])
		out.v += float64(y.i * l.response(1, s, em, es))
		out.i = float64(y.i * es)
		if y.di != 0 {
			out.v += float64(y.di * l.slopeResponse(1, s, em, es))
			out.i += float64(y.di * s * es)
			out.di = y.di * es
		}
	}
	return out
}

// slope is dV/dt [mV/ms].
func (l *Linear) slope(y state) float64 {
	return float64((y.e+y.i)*l.invC) - y.v/l.tauM
}

// concavity bounds −d²V/dt² from above for all later times without arrivals
// [mV/ms²].
func (l *Linear) concavity(y state) float64 {
	m := max(-y.v, 0) / (l.tauM * l.tauM)
	m += float64(math.Abs(y.e) * l.curve[0])
	m += float64(math.Abs(y.i) * l.curve[1])
	m += float64(math.Abs(y.de) * l.bend[0])
	m += float64(math.Abs(y.di) * l.bend[1])
	return m
}

const picosecond = 1e-9 // ms

// firstCrossing finds the earliest s in (0, L] [ms] at which the potential
// reaches th, when it is below at 0 and no arrival falls into [0, L). end is
// the state at L. No crossing is missed: an interval is given up only when the
// concavity bound proves it to stay below, and is otherwise halved, left half
// first, down to one picosecond.
func (l *Linear) firstCrossing(y, end state, L, th float64) (float64, bool) {
	m := l.concavity(y)
	if end.v < th {
		if max(y.v, end.v)+float64(m*L*L*0.125) < th || L <= picosecond {
			return 0, false
		}
	} else {
		if l.slope(y)-float64(m*L) > 0 {
			return l.root(y, L, th), true
		}
		if L <= picosecond {
			return L, true
		}
	}
	half := float64(0.5 * L)
	mid := l.advance(y, half)
	if s, ok := l.firstCrossing(y, mid, half, th); ok {
		return s, true
	}
	if mid.v >= th { // reached at the middle itself, to rounding
		return half, true
	}
	s, ok := l.firstCrossing(mid, end, L-half, th)
	return half + s, ok
}

// root solves V(s) = th in (0, L], where V rises all the way from below th to
// at least th: Newton from a parabola through the start, kept in its bracket.
func (l *Linear) root(y state, L, th float64) float64 {
	lo, hi := 0.0, L
	f, d := y.v-th, l.slope(y)
	s := -f / d
	for range 64 {
		if !(s > lo && s < hi) {
			s = 0.5 * (lo + hi)
		}
		z := l.advance(y, s)
		f, d = z.v-th, l.slope(z)
		if f < 0 {
			lo = s
		} else {
			hi = s
		}
		if f == 0 || hi-lo < 0.01*picosecond {
			return s
		}
		next := s - f/d
		if d > 0 && math.Abs(next-s) < 0.01*picosecond {
			return min(max(next, 0), L)
		}
		s = next
	}
	return s
}
