package hmn

import (
	"math"
	"slices"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/synapse"
)

// Update "continuous": the weight is the solution of
//
//	dw/dt = κ g(t) D(t) α̂ Σ_m a_m e_m(t),   w_min ≤ w ≤ w_max,
//
// projected onto its bounds: at a bound outward drift is dropped at once, and
// inward drift acts from the instant at which the sign changes (docs/learning.md).
// Both D and the traces are sums of exponentials, so each stretch without a jump,
// a change of D or an edge of the gate is a closed form; only one that may reach
// a bound is divided where the drift changes sign.

// stretch integrates drifts.
type stretch struct {
	cycle *Cycle
	p     *Params
	drive *synapse.Drive
	e     []synapse.Term // traces at the start of the piece, a_m included
	d     []synapse.Term // D there
	roots []float64
	buf   []float64
}

// flow is the magnitude at t of a weight w at from, with traces e at from and the
// factor alpha.
func (x *stretch) flow(w, alpha float64, e []synapse.Term, from, t event.Time, centre float64) float64 {
	if t <= from || !slices.ContainsFunc(e, func(y synapse.Term) bool { return y.C != 0 }) {
		return w
	}
	x.e = append(x.e[:0], e...)
	n := x.drive.Find(from)
	var k int64
	var o, c event.Instant
	if x.p.Gate {
		k = x.cycle.awaited(from, centre)
		o, c = x.cycle.open(k, centre), x.cycle.close(k, centre)
	}
	at := event.Instant{At: from}
	for {
		// The piece ends with the segment of D, at an edge of the gate, or at t.
		end := event.Instant{At: t}
		if n+1 < x.drive.Len() {
			if b := x.drive.Start(n + 1); b < t {
				end = event.Instant{At: b}
			}
		}
		active := true
		if x.p.Gate {
			edge := c
			if active = !o.After(at); !active {
				edge = o
			}
			if end.After(edge) {
				end = edge
			}
		}
		ms := end.Since(at)
		if active && ms > 0 {
			x.factor(n, at)
			w = x.piece(w, alpha, ms, c.Since(at))
		}
		for i := range x.e {
			x.e[i].C = float64(x.e[i].C * fmath.Exp(-float64(x.e[i].R*ms)))
		}
		at = end
		if at.At == t && at.Frac == 0 || at.At > t {
			return w
		}
		for n+1 < x.drive.Len() && x.drive.Start(n+1) <= at.At && x.drive.Start(n+1) < t {
			n++
		}
		if x.p.Gate && !c.After(at) {
			k++
			o, c = x.cycle.open(k, centre), x.cycle.close(k, centre)
		}
	}
}

// factor puts D as it is at an instant of segment n into d.
func (x *stretch) factor(n int, at event.Instant) {
	x.buf = x.drive.Values(n, at.From(x.drive.Start(n)), x.buf)
	x.d = append(x.d[:0], synapse.Term{C: x.buf[0]})
	for i, c := range x.buf[1:] {
		x.d = append(x.d, synapse.Term{C: c, R: x.drive.Rates[i]})
	}
}

// piece is the weight after ms milliseconds without a change, toClose before the
// close of the window.
func (x *stretch) piece(w, alpha, ms, toClose float64) float64 {
	kappa := alpha
	if x.p.Gate {
		kappa = float64(alpha * x.p.GateGain)
	}
	reach := float64(math.Abs(kappa) * float64(size(x.e)*float64(size(x.d)*ms)))
	if w-reach >= x.p.WMin && w+reach <= x.p.WMax {
		return w + float64(kappa*x.gain(0, ms, toClose))
	}
	// Divide where the drift changes sign.
	x.roots = x.roots[:0]
	for _, t := range [2][]synapse.Term{x.e, x.d} {
		if !synapse.OneSign(t) {
			x.roots = synapse.SignChanges(t, ms, x.roots)
		}
	}
	slices.Sort(x.roots)
	x.roots = append(x.roots, ms)
	from := 0.0
	for _, r := range x.roots {
		if r > from {
			w = x.p.clip(w + float64(kappa*x.gain(from, r, toClose)))
			from = r
		}
	}
	return w
}

func size(t []synapse.Term) float64 {
	s := 0.0
	for _, y := range t {
		s += math.Abs(y.C)
	}
	return s
}

// gain is ∫_a^b g D Σ a_m e_m ds, times from the start of the piece, without κ.
func (x *stretch) gain(a, b, toClose float64) float64 {
	sum := 0.0
	for _, e := range x.e {
		if e.C == 0 {
			continue
		}
		for _, d := range x.d {
			if d.C == 0 {
				continue
			}
			r := e.R + d.R
			y := float64(e.C * d.C)
			if a > 0 {
				y = float64(y * fmath.Exp(-float64(r*a)))
			}
			if x.p.Gate {
				y = float64(y * x.cycle.span(r, b-a, toClose-a))
			} else if r == 0 {
				y = float64(y * (b - a))
			} else {
				y = -float64(y*fmath.Expm1(-float64(r*(b-a)))) / r
			}
			sum += y
		}
	}
	return sum
}

// span is ∫_0^ms e^{−rs} sin Ω(left − s) ds, left ms before the close: the
// imaginary part of e^{iΩ left} (1 − e^{−zL})/z with z = r + iΩ, L = ms (docs/learning.md
// B.2, without cancellation). Angles are taken from the nearer edge of the window.
func (cy *Cycle) span(r, ms, left float64) float64 {
	omega := cy.Omega
	a, b := -float64(r*ms), -float64(omega*ms)
	sb, cb := fmath.Sincos(b)
	h := fmath.Sin(0.5 * b)
	// 1 − e^{a+ib}
	re := -(float64(fmath.Expm1(a)*cb) - float64(2*float64(h*h)))
	im := -float64(fmath.Exp(a) * sb)
	// divided by z
	n := float64(r*r) + float64(omega*omega)
	qr := (float64(re*r) + float64(im*omega)) / n
	qi := (float64(im*r) - float64(re*omega)) / n
	near, sign := left, 1.0
	if half := float64(0.5 * cy.T); left > 0.5*half {
		near, sign = half-left, -1
	}
	s, c := fmath.Sincos(float64(omega * near))
	c *= sign
	return float64(c*qi) + float64(s*qr)
}

// flow takes the weight of a visit to t, where its traces then change.
func (l *Spikes) flow(v *visit, t event.Time) float64 {
	s := v.s
	x := stretch{cycle: &l.Cycle, p: &l.P, drive: l.Drive, e: l.terms[0][:0], d: l.terms[1][:0], roots: l.roots[:0], buf: l.vals}
	var e [2]synapse.Term
	e[0] = synapse.Term{C: float64(l.P.AFast * s.Fast), R: 1 / l.P.TauFast}
	e[1] = synapse.Term{C: float64(l.P.ASlow * s.Slow), R: 1 / l.P.TauSlow}
	w := x.flow(s.W, v.alpha, e[:], s.T, t, v.centre)
	l.terms[0], l.terms[1], l.roots, l.vals = x.e, x.d, x.roots, x.buf
	return w
}

// drift advances weight and traces of a synapse under continuous update to t.
// Traces that no longer mattered at the last close before t are forgotten.
func (l *Spikes) drift(v *visit, t event.Time) {
	s := v.s
	if s.Fast == 0 && s.Slow == 0 {
		s.T = t
		return
	}
	s.W = l.flow(v, t)
	c := l.close(l.awaited(t, v.centre)-1, v.centre)
	over := func(e, tau float64) float64 {
		if e == 0 || c.At > s.T && math.Abs(float64(e*fmath.Exp(-c.From(s.T)/tau))) < l.tiny {
			return 0
		}
		return float64(e * fmath.Exp(-(t-s.T).MS()/tau))
	}
	s.Fast, s.Slow = over(s.Fast, l.P.TauFast), over(s.Slow, l.P.TauSlow)
	s.T = t
}

// flow is the weight of a synapse between rate units at t.
func (l *Rates) flow(i uint32, t event.Time) float64 {
	s := &l.st[i]
	q := s.Q
	tf, ts := l.P.TauFast, l.P.TauSlow
	e := [3]synapse.Term{
		{C: float64(l.P.AFast*float64(q*tf)) + float64(l.P.ASlow*float64(q*ts))},
		{C: float64(l.P.AFast * (s.Fast - float64(q*tf))), R: 1 / tf},
		{C: float64(l.P.ASlow * (s.Slow - float64(q*ts))), R: 1 / ts},
	}
	return l.way.flow(s.W, l.alpha[i], e[:], s.T, t, l.centre[i])
}

// drift advances weight and traces of a synapse under continuous update to t.
func (l *Rates) drift(i uint32, t event.Time) {
	s := &l.st[i]
	s.W = l.flow(i, t)
	s.Fast, s.Slow = l.traces(s, t)
	s.T = t
}

// shutContinuous publishes the weight at the close of a window: between rate
// units a weight that flows acts on its target in steps of a cycle.
func (l *Rates) shutContinuous(i uint32, c event.Instant) {
	s := &l.st[i]
	was := s.Fast != 0 || s.Slow != 0 || s.Q != 0
	before := s.published
	l.drift(i, c.At)
	if s.W != before {
		s.published = s.W
		l.changed = append(l.changed, synapse.Reweigh{Synapse: i, Close: c, W: s.W})
	}
	if s.Q == 0 && math.Abs(s.Fast) < float64(float64(1e-12*l.P.TauFast)*s.Peak) {
		s.Fast = 0
	}
	if s.Q == 0 && math.Abs(s.Slow) < float64(float64(1e-12*l.P.TauSlow)*s.Peak) {
		s.Slow = 0
	}
	if was && s.Fast == 0 && s.Slow == 0 && s.Q == 0 {
		s.Peak = 0
		l.live--
	}
}
