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
	k    []Step // k[j]: propagators over j windows
	rate float64
	wide float64 // windows per ms
}

// Rungs is the longest that a neuron is left alone, in windows.
const Rungs = 48

// NewLadder derives the constants for windows of length h ≤ HMax.
func (l *Linear) NewLadder(h event.Time) *Ladder {
	d := &Ladder{step: l.Step(h), rate: 1 / l.tauM, wide: 1 / h.MS()}
	for j := range event.Time(Rungs + 1) {
		d.k = append(d.k, l.Step(j*h))
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
	s.V[i] = float64(x*c.pm) + float64(e*c.q[0]) + float64(n*c.q[1])
	s.E[i] = float64(e * c.ps[0])
	s.I[i] = float64(n * c.ps[1])
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
			x = float64(x*c.pm) + float64(ie*c.q[0]) + float64(ii*c.q[1])
			ie *= c.ps[0]
			ii *= c.ps[1]
		}
		up, down := pos[i], neg[i]
		pos[i], neg[i] = [2]float64{}, [2]float64{}
		f := float64(x*pm) + float64(ie*qe) + float64(ii*qi)
		th := s.Th[i] - margin
		left := th - up[0] - float64(ce*ie) - float64(cv*math.Abs(x))
		if f < left && x < left {
			x = f + up[0] + down[0]
			ie = float64(ie*pe) + up[1]
			s.V[i], s.E[i], s.I[i] = x, ie, float64(ii*pi)+down[1]
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
