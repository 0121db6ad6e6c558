package hmn

import (
	"hmn/event"
	"hmn/event/fmath"
	"hmn/synapse"
)

// The segment form: what a synapse gathered between two of its events, as an
// integral over just that stretch (docs/learning.md). It costs more than a prediction
// but leaves nothing to cancel when most of what was predicted never comes: when
// a trace is overwritten by a small one, an attention weight falls by orders of
// magnitude, or an input between rate units ceases.

// gather is the sum over the traces of a_m ∫ g D e_m ds from `from`, where the
// traces are fast and slow and the input x z is q, to `to`, both in the window
// that closes at c.
func (x *stretch) gather(fast, slow, q float64, from, to, c event.Instant) float64 {
	p := x.p
	rf, rs := 1/p.TauFast, 1/p.TauSlow
	sum := 0.0
	n := x.drive.Find(from.At)
	at := from
	for {
		end := to
		if n+1 < x.drive.Len() {
			if b := (event.Instant{At: x.drive.Start(n + 1)}); to.After(b) {
				end = b
			}
		}
		ms := end.Since(at)
		if ms > 0 {
			x.factor(n, at)
			left := c.Since(at)
			if q != 0 && short(ms, rf, x) {
				sum += x.quadrature(fast, slow, q, ms, left)
			} else {
				x.e = x.e[:0]
				if fast != 0 || q != 0 {
					x.e = append(x.e, synapse.Term{C: float64(p.AFast * (fast - float64(q*p.TauFast))), R: rf})
				}
				if slow != 0 || q != 0 {
					x.e = append(x.e, synapse.Term{C: float64(p.ASlow * (slow - float64(q*p.TauSlow))), R: rs})
				}
				if q != 0 {
					x.e = append(x.e, synapse.Term{C: float64(q * (float64(p.AFast*p.TauFast) + float64(p.ASlow*p.TauSlow))), R: 0})
				}
				sum += x.gain(0, ms, left)
			}
			fast, slow = moved(fast, q, p.TauFast, ms), moved(slow, q, p.TauSlow, ms)
		}
		if !to.After(end) {
			return sum
		}
		at = end
		n++
	}
}

// moved is a trace ms later.
func moved(e, q, tau, ms float64) float64 {
	y := 0.0
	if e != 0 {
		y = float64(e * fmath.Exp(-ms/tau))
	}
	if q != 0 {
		y -= float64(float64(q*tau) * fmath.Expm1(-ms/tau))
	}
	return y
}

// short says that a stretch is so short that q τ (1 − e^{−s/τ}) would lose digits
// as a difference of two terms, and that nothing in it moves much.
func short(ms, rate float64, x *stretch) bool {
	most := rate + x.cycle.Omega
	for _, d := range x.d {
		most = max(most, rate+x.cycle.Omega+d.R)
	}
	return float64(most*ms) < 1
}

// gauss are nodes and weights of Gauss and Legendre with 8 points on [−1, 1]:
// exact to 1e-19 relative where the exponents move by less than 1 (Abramowitz &
// Stegun 1964, table 25.4).
var gauss = [4][2]float64{
	{0.1834346424956498, 0.3626837833783620},
	{0.5255324099163290, 0.3137066458778873},
	{0.7966664774136267, 0.2223810344533745},
	{0.9602898564975363, 0.1012285362903763},
}

// quadrature is gather over a short stretch without a change, by Gauss's rule:
// every term of the integrand keeps its digits.
func (x *stretch) quadrature(fast, slow, q, ms, left float64) float64 {
	p := x.p
	sum := 0.0
	for _, node := range gauss {
		for _, sign := range [2]float64{-1, 1} {
			s := float64(0.5 * float64(ms*(1+float64(sign*node[0]))))
			d := 0.0
			for _, t := range x.d {
				d += float64(t.C * fmath.Exp(-float64(t.R*s)))
			}
			y := float64(d * (float64(p.AFast*moved(fast, q, p.TauFast, s)) + float64(p.ASlow*moved(slow, q, p.TauSlow, s))))
			if p.Gate {
				y = float64(y * x.cycle.gateAtLeft(left-s))
			}
			sum += float64(node[1] * y)
		}
	}
	return float64(sum * float64(0.5*ms))
}

// gateAtLeft is sin Ω left, left before the close of a window, taken from the
// nearer edge.
func (c *Cycle) gateAtLeft(left float64) float64 {
	if half := float64(0.5 * c.T); left > 0.5*half {
		left = half - left
	}
	return fmath.Sin(float64(c.Omega * left))
}

// exactly says that a rule needs the segment form: contrasts of α̂ beyond e^{2β},
// β > 4, and overwritten traces leave less than the last digits of a prediction.
func (p *Params) exactly() bool {
	return p.Overwrite || p.BetaA > 4 || p.BetaA > 0 && p.Dot
}

// add adds what the synapse gathers from its last jump, or from the opening of
// the window, to `to`.
func (l *Spikes) add(v *visit, to event.Instant) {
	s := v.s
	if s.Fast == 0 && s.Slow == 0 {
		return
	}
	m := l.edges(v)
	from := event.Instant{At: s.T}
	fast, slow := s.Fast, s.Slow
	if m.o.After(from) {
		if !to.After(m.o) {
			return
		}
		dt := m.o.Since(from)
		fast, slow = moved(fast, 0, l.P.TauFast, dt), moved(slow, 0, l.P.TauSlow, dt)
		from = m.o
	}
	x := stretch{cycle: &l.Cycle, p: &l.P, drive: l.Drive, e: l.terms[0][:0], d: l.terms[1][:0], buf: l.vals}
	s.Cand += float64(v.alpha * x.gather(fast, slow, 0, from, to, m.c))
	l.terms[0], l.terms[1], l.vals = x.e, x.d, x.buf
}

// add adds what a synapse between rate units gathers from its last change, or
// from the opening o of the window that closes at c, to `to`.
func (l *Rates) add(s *rateState, i uint32, to, o, c event.Instant) {
	if s.Fast == 0 && s.Slow == 0 && s.Q == 0 {
		return
	}
	from := event.Instant{At: s.T}
	fast, slow := s.Fast, s.Slow
	if o.After(from) {
		if !to.After(o) {
			return
		}
		dt := o.Since(from)
		fast, slow = moved(fast, s.Q, l.P.TauFast, dt), moved(slow, s.Q, l.P.TauSlow, dt)
		from = o
	}
	s.Cand += float64(l.alpha[i] * l.way.gather(fast, slow, s.Q, from, to, c))
}
