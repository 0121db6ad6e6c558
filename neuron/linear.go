package neuron

import (
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
)

// Extend makes the kernel reach over steps of the given length, ≤ HMax.
func (l *Linear) Extend(longest event.Time) { l.kern = newKernel(l, longest) }

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
	vRest float64 // E_L + R (I_e + b), mV
	reset float64 // V_reset − V_th, mV, < 0
	tRef  event.Time

	invM float64    // 1/tau_m
	invS [2]float64 // 1/tau_syn
	invQ float64    // 1/tau_m²
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
	l := &Linear{}
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
	l.tauM, l.invC, l.vTh = m.Number(v, "tau_m"), 1/m.Number(v, "C_m"), m.Number(v, "V_th")
	l.r = l.tauM * l.invC
	l.invM, l.invQ = 1/l.tauM, 1/(l.tauM*l.tauM)
	l.vRest = float64(l.r*(m.Number(v, "I_e")+m.Number(v, "b"))) + m.Number(v, "E_L")
	l.reset = m.Number(v, "V_reset") - l.vTh
	tRef, _, err := event.FromMS(m.Number(v, "t_ref"))
	if err != nil {
		return nil, fmt.Errorf("neuron: t_ref: %w", err)
	}
	l.tRef = tRef
	hMax := l.tauM
	if l.psc != Delta {
		l.tauS = [2]float64{m.Number(v, "tau_syn_ex"), m.Number(v, "tau_syn_in")}
		for p, tau := range l.tauS {
			l.invS[p] = 1 / tau
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
	x := float64(g * s)
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

// advance sets out to the state s ≥ 0 ms after y, with no arrival in between;
// out and y may be the same. States travel by pointer because the compiler
// keeps structs of this size in memory, and copying them whole right after
// writing their fields stalls.
func (l *Linear) advance(out, y *state, s float64) {
	em := fmath.Exp(-s * l.invM)
	v := float64(y.v * em)
	if e, de := y.e, y.de; e != 0 || de != 0 {
		es := fmath.Exp(-s * l.invS[0])
		v += float64(e * l.response(0, s, em, es))
		e = float64(e * es)
		if de != 0 {
			v += float64(de * l.slopeResponse(0, s, em, es))
			e += float64(de * s * es)
			de = float64(de * es)
		}
		out.e, out.de = e, de
	} else {
		out.e, out.de = 0, 0
	}
	if i, di := y.i, y.di; i != 0 || di != 0 {
		es := fmath.Exp(-s * l.invS[1])
		v += float64(i * l.response(1, s, em, es))
		i = float64(i * es)
		if di != 0 {
			v += float64(di * l.slopeResponse(1, s, em, es))
			i += float64(di * s * es)
			di = float64(di * es)
		}
		out.i, out.di = i, di
	} else {
		out.i, out.di = 0, 0
	}
	out.v = v
}

// slope is dV/dt [mV/ms].
func (l *Linear) slope(y *state) float64 {
	return float64((y.e+y.i)*l.invC) - float64(y.v*l.invM)
}

// concavity bounds −d²V/dt² from above for all later times without arrivals
// [mV/ms²].
func (l *Linear) concavity(y *state) float64 {
	m := float64(math.Abs(y.v) * l.invQ)
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
func (l *Linear) firstCrossing(y, end *state, L, th float64) (float64, bool) {
	m := l.concavity(y)
	if end.v < th {
		if max(y.v, end.v)+float64(m*L*L*0.125) < th || L <= picosecond {
			return 0, false
		}
	} else {
		if l.slope(y)-float64(m*L) > 0 {
			return l.root(y, L, th, m), true
		}
		if L <= picosecond {
			return L, true
		}
	}
	half := float64(0.5 * L)
	var mid state
	l.advance(&mid, y, half)
	if s, ok := l.firstCrossing(y, &mid, half, th); ok {
		return s, true
	}
	if mid.v >= th { // reached at the middle itself, to rounding
		return half, true
	}
	s, ok := l.firstCrossing(&mid, end, L-half, th)
	return half + s, ok
}

// root solves V(s) = th in (0, L], where V rises all the way from below th to
// at least th and |V”| ≤ m. It starts from the zero of the cubic through the start, so that
// one Newton step from there is exact to rounding as a rule, and stays in its
// bracket.
func (l *Linear) root(y *state, L, th, m float64) float64 {
	lo, hi := 0.0, L
	d1, d2, d3 := l.derivatives(y)
	gap := th - y.v
	s := gap / d1
	for range 3 { // Newton on the cubic: no exponentials
		f := float64(s*(d1+float64(s*(float64(0.5*d2)+float64(s*d3*(1.0/6)))))) - gap
		s -= f / (d1 + float64(s*(d2+float64(0.5*s*d3))))
	}
	var z state
	for range 64 {
		if !(s > lo && s < hi) {
			s = float64(0.5 * (lo + hi))
		}
		l.advance(&z, y, s)
		f, d := z.v-th, l.slope(&z)
		if f < 0 {
			lo = s
		} else {
			hi = s
		}
		if f == 0 || hi-lo < 0.01*picosecond {
			return s
		}
		step := f / d
		s -= step
		// What the step leaves is at most about m/(2V')·step².
		if d > 0 && float64(step*step)*m < float64(0.02*picosecond*d) {
			return min(max(s, 0), L)
		}
	}
	return min(max(s, lo), hi)
}

// derivatives are the first three time derivatives of the potential.
func (l *Linear) derivatives(y *state) (d1, d2, d3 float64) {
	d1 = l.slope(y)
	if l.psc == Delta {
		r := -l.invM
		return d1, d1 * r, d1 * r * r
	}
	ge, gi := l.invS[0], l.invS[1]
	e1, i1 := y.de-float64(y.e*ge), y.di-float64(y.i*gi)
	e2, i2 := -float64((y.de+e1)*ge), -float64((y.di+i1)*gi)
	d2 = float64((e1+i1)*l.invC) - float64(d1*l.invM)
	d3 = float64((e2+i2)*l.invC) - float64(d2*l.invM)
	return d1, d2, d3
}

// decay is advance, in place, for a neuron whose potential is held: only the
// currents.
func (l *Linear) decay(y *state, s float64) {
	if y.e != 0 || y.de != 0 {
		es := fmath.Exp(-s * l.invS[0])
		y.e = float64(y.e*es) + float64(y.de*s*es)
		y.de = float64(y.de * es)
	}
	if y.i != 0 || y.di != 0 {
		es := fmath.Exp(-s * l.invS[1])
		y.i = float64(y.i*es) + float64(y.di*s*es)
		y.di = float64(y.di * es)
	}
}
