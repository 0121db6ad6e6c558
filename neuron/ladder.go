package neuron

import (
	"math"

	"hmn/event"
)

// Ladder carries neurons with exponential currents that had no arrivals over
// whole numbers of windows, and tells for how many windows ahead a neuron
// cannot spike. With it a window costs only the neurons that something happens
// to.
type Ladder struct {
	step Step
	k    [Rungs + 1]rung
	rate float64
	wide float64 // windows per ms
}

// rung carries a state over a whole number of windows: exp(−H/τ_m),
// exp(−H/τ_s), κ(H).
type rung struct{ pm, pe, pi, qe, qi float64 }

// Rungs is the longest that a neuron is left alone, in windows.
const Rungs = 48

// NewLadder derives the constants for windows of length h ≤ HMax.
func (l *Linear) NewLadder(h event.Time) *Ladder {
	d := &Ladder{step: l.Step(h), rate: 1 / l.tauM, wide: 1 / h.MS()}
	for j := range event.Time(Rungs + 1) {
		s := l.Step(j * h)
		d.k[j] = rung{s.pm, s.ps[0], s.ps[1], s.q[0], s.q[1]}
	}
	return d
}

// CatchUp carries neuron i of s over k windows without arrivals.
func (d *Ladder) CatchUp(s *State, i, k int) {
	if k == 0 {
		return
	}
	c := &d.k[k]
	x, e, n := s.V[i], s.E[i], s.I[i]
	s.V[i] = float64(x*c.pm) + float64(e*c.qe) + float64(n*c.qi)
	s.E[i] = float64(e * c.pe)
	s.I[i] = float64(n * c.pi)
}

// Touch is SweepExp for the neurons of a list, each of which is first caught up
// from its own window last[i] to now. Those that were carried over the window
// have last[i] = now+1 afterwards and safe[i] is the first window in which they
// might spike without further arrivals; those that could not be are caught up
// and flagged.
func (l *Linear) Touch(s *State, d *Ladder, list []int32, last, safe []uint32, now uint32, pos, neg [][2]float64, flagged []int32) []int32 {
	st := &d.step
	pm, pe, pi, qe, qi := st.pm, st.ps[0], st.ps[1], st.q[0], st.q[1]
	cv, ce := st.cv, st.cs[0]
	for _, i := range list {
		x, ie, ii := s.V[i], s.E[i], s.I[i]
		if k := now - last[i]; k > 0 {
			c := &d.k[k]
			x = float64(x*c.pm) + float64(ie*c.qe) + float64(ii*c.qi)
			ie = float64(ie * c.pe)
			ii = float64(ii * c.pi)
		}
		p, q := &pos[i], &neg[i]
		upV, upI, downV, downI := p[0], p[1], q[0], q[1]
		p[0], p[1], q[0], q[1] = 0, 0, 0, 0
		f := float64(x*pm) + float64(ie*qe) + float64(ii*qi)
		th := s.Th[i] - margin
		left := th - upV - float64(ce*ie) - float64(cv*math.Abs(x))
		if f < left && x < left {
			x = f + upV + downV
			ie = float64(ie*pe) + upI
			s.V[i], s.E[i], s.I[i] = x, ie, float64(ii*pi)+downI
			last[i] = now + 1
			safe[i] = now + 1 + l.safeFor(d, x, ie, th)
		} else {
			s.V[i], s.E[i], s.I[i] = x, ie, ii
			last[i] = now
			flagged = append(flagged, i)
		}
	}
	return flagged
}

// safeFor is the number of windows, at most Rungs, in which a neuron without
// arrivals cannot spike. Without inhibition dV/dt = −x/τ_m + I_ex/C never grows
// when it is positive and never becomes positive when it is not; inhibition
// only lowers V. So V stays below x plus time times the first slope.
func (l *Linear) safeFor(d *Ladder, x, ie, th float64) uint32 {
	r := float64(ie*l.invC) - float64(x*d.rate)
	room := (th - x) * d.wide
	if !(float64(r*Rungs) < room) {
		if m := room / r; m > 0 {
			return uint32(m)
		}
		return 0 // not a number, or at the threshold
	}
	return Rungs
}

// Safe is safeFor of neuron i as it stands.
func (l *Linear) Safe(d *Ladder, s *State, i int) uint32 {
	if x := s.V[i]; x < s.Th[i]-margin {
		return l.safeFor(d, x, s.E[i], s.Th[i]-margin)
	}
	return 0
}
