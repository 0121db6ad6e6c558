package neuron

import (
	"math"

	"hmn/event"
	"hmn/event/fmath"
)

// Step holds the constants that carry a linear population over one step of
// length H: propagators, and the coefficients of the bound.
type Step struct {
	H          event.Time
	pm         float64    // exp(−H/τ_m)
	ps, q, a   [2]float64 // exp(−H/τ_s), κ(H), κ_α(H)
	h          float64    // ms
	invPm      float64
	cv         float64    // −V'' H²/8 per mV below steady state
	cs, up, dn [2]float64 // the same per pA of positive current, per pA/ms of positive and of negative slope
}

// Step derives the constants for steps of length h, 0 < h ≤ HMax.
func (l *Linear) Step(h event.Time) Step {
	x := h.MS()
	s := Step{H: h, h: x, pm: fmath.Exp(-x / l.tauM)}
	s.invPm = 1 / s.pm
	eighth := x * x / 8
	s.cv = eighth / (l.tauM * l.tauM)
	if l.psc == Delta {
		return s
	}
	for p, tau := range l.tauS {
		s.ps[p] = fmath.Exp(-x / tau)
		s.q[p] = l.response(p, x, s.pm, s.ps[p])
		s.cs[p] = l.curve[p] * eighth
		if l.psc == Alpha {
			s.a[p] = l.slopeResponse(p, x, s.pm, s.ps[p])
			s.up[p] = x / l.tauM * l.invC * eighth
			s.dn[p] = l.invC * eighth
		}
	}
	return s
}

// margin is taken off the threshold before a bound is believed; it covers the
// rounding of the bound many times over (mV).
const margin = 1e-9

// The sweeps carry every neuron of a block over one step, with the summed
// contributions of the step's arrivals at its end, pos from positive and neg
// from negative weights; the sums are set back to zero. Neurons whose potential
// cannot be proved to stay below threshold are left as they were and their
// indices appended to flagged. Currents must have the sign of their port, which
// Ordinary tells.
//
// The bound. Without arrivals V stays below the larger of its values at both
// ends plus H²/8 times a bound of −V''. Negative arrivals only lower V.
// Responses to positive arrivals rise throughout a step of H ≤ HMax, so each
// adds at most its value at the end. NaN fails the comparison and is flagged.

// SweepDelta is the sweep for delta currents; pos and neg hold jumps decayed
// to the end of the step.
func (l *Linear) SweepDelta(s *State, st *Step, pos, neg []float64, flagged []int32) []int32 {
	v := s.V
	th, pos, neg := s.Th[:len(v)], pos[:len(v)], neg[:len(v)]
	pm, invPm := st.pm, st.invPm
	for i, x := range v {
		f := float64(x * pm)
		up := pos[i]
		left := th[i] - margin - float64(up*invPm)
		if f < left && x < left {
			v[i] = f + up + neg[i]
		} else {
			flagged = append(flagged, int32(i))
		}
		pos[i], neg[i] = 0, 0
	}
	return flagged
}

// SweepExp is the sweep for exponential currents; pos and neg hold
// contributions to potential and current.
func (l *Linear) SweepExp(s *State, st *Step, pos, neg [][2]float64, flagged []int32) []int32 {
	v := s.V
	th, e, c := s.Th[:len(v)], s.E[:len(v)], s.I[:len(v)]
	pos, neg = pos[:len(v)], neg[:len(v)]
	pm, pe, pi, qe, qi := st.pm, st.ps[0], st.ps[1], st.q[0], st.q[1]
	cv, ce := st.cv, st.cs[0]
	for i, x := range v {
		ie, ii := e[i], c[i]
		p, q := &pos[i], &neg[i]
		upV, upI, downV, downI := p[0], p[1], q[0], q[1]
		p[0], p[1], q[0], q[1] = 0, 0, 0, 0
		f := float64(x*pm) + float64(ie*qe) + float64(ii*qi)
		left := th[i] - margin - upV - float64(ce*ie) - float64(cv*math.Abs(x))
		if f < left && x < left {
			v[i] = f + upV + downV
			e[i] = float64(ie*pe) + upI
			c[i] = float64(ii*pi) + downI
		} else {
			flagged = append(flagged, int32(i))
		}
	}
	return flagged
}

// SweepFree is the sweep for exponential currents when arrivals come later: it
// carries every neuron to the end of the step as if nothing arrived, into Next,
// to which the arrivals are then added (AddPositive, AddNegative). The state at
// the start stays as it is until Advance, so that neurons can be replayed from
// it.
func (l *Linear) SweepFree(s *State, st *Step, flagged []int32) []int32 {
	v := s.V
	th, e, c := s.Th[:len(v)], s.E[:len(v)], s.I[:len(v)]
	nv, ne, nc, room := s.next.V[:len(v)], s.next.E[:len(v)], s.next.I[:len(v)], s.next.Room[:len(v)]
	// Two loops: the first has no branch and keeps its constants in registers.
	pm, pe, pi, qe, qi := st.pm, st.ps[0], st.ps[1], st.q[0], st.q[1]
	cv, ce := st.cv, st.cs[0]
	for i, x := range v {
		ie, ii := e[i], c[i]
		ne[i], nc[i] = float64(ie*pe), float64(ii*pi)
		f := float64(x*pm) + float64(ie*qe) + float64(ii*qi)
		nv[i] = f
		room[i] = th[i] - margin - float64(ce*ie) - float64(cv*math.Abs(x)) - max(x, f)
	}
	for i, left := range room {
		if !(left >= 0) {
			flagged = append(flagged, int32(i))
		}
	}
	return flagged
}

// AddPositive adds arrivals of positive weight at the excitatory port to the
// end of a step of length h and appends the neurons that have to be replayed
// because of them to flagged.
func (l *Linear) AddPositive(n *Next, h event.Time, arrivals *Arrivals, flagged []int32) []int32 {
	k := l.kern
	cells, inv, width := k.cells[PortEx], k.inv, k.width
	v, e, room := n.V, n.E[:len(n.V)], n.Room[:len(n.V)]
	w, ws := arrivals.Const, arrivals.W
	for q := range arrivals.At {
		a := &arrivals.At[q]
		x := float64(float64(int64(h)-int64(a.Off)) * picosecond)
		c := int(x * inv)
		r := x - float64((float64(c)+0.5)*width)
		if ws != nil {
			w = ws[q]
		}
		up := float64(w * poly(&cells[c].v, r))
		t := int(a.T)
		v[t] += up
		e[t] += float64(w * poly(&cells[c].i, r))
		left := room[t]
		room[t] = left - up
		if left >= 0 && !(left-up >= 0) {
			flagged = append(flagged, int32(t))
		}
	}
	return flagged
}

// AddNegative adds arrivals of negative weight at the inhibitory port.
func (l *Linear) AddNegative(n *Next, h event.Time, arrivals *Arrivals) {
	k := l.kern
	cells, inv, width := k.cells[PortIn], k.inv, k.width
	v, i := n.V, n.I[:len(n.V)]
	w, ws := arrivals.Const, arrivals.W
	for q := range arrivals.At {
		a := &arrivals.At[q]
		x := float64(float64(int64(h)-int64(a.Off)) * picosecond)
		c := int(x * inv)
		r := x - float64((float64(c)+0.5)*width)
		if ws != nil {
			w = ws[q]
		}
		t := int(a.T)
		v[t] += float64(w * poly(&cells[c].v, r))
		i[t] += float64(w * poly(&cells[c].i, r))
	}
}

// Rejoin carries neuron i, whose state was set in place by a replay, on to the
// end of the step, left ps ahead, and reports whether it has room there.
func (l *Linear) Rejoin(s *State, i int, left event.Time) bool {
	var y, z state
	s.get(&y, i)
	L := left.MS()
	if y.v < heldBelow {
		z = y
		l.decay(&z, L)
		s.next.V[i], s.next.E[i], s.next.I[i], s.next.Room[i] = y.v, z.e, z.i, -y.v
		return true
	}
	l.advance(&z, &y, L)
	bend := float64(math.Abs(y.v)*l.invQ) + float64(y.e*l.curve[0])
	room := s.Th[i] - margin - max(y.v, z.v) - float64(bend*L*L*0.125)
	s.next.V[i], s.next.E[i], s.next.I[i], s.next.Room[i] = z.v, z.e, z.i, room
	return room >= 0
}

// Advance makes Next the state. The replayed neurons, whose state was set in
// place, keep it.
func (s *State) Advance(replayed []int32) {
	for _, i := range replayed {
		s.next.V[i], s.next.E[i], s.next.I[i] = s.V[i], s.E[i], s.I[i]
	}
	s.V, s.next.V = s.next.V, s.V
	s.E, s.next.E = s.next.E, s.E
	s.I, s.next.I = s.next.I, s.I
}

// SweepAlpha is the sweep for alpha currents; pos and neg hold contributions
// to potential, current and slope variable.
func (l *Linear) SweepAlpha(s *State, st *Step, pos, neg [][3]float64, flagged []int32) []int32 {
	for i, x := range s.V {
		ie, ii, de, di := s.E[i], s.I[i], s.DE[i], s.DI[i]
		p, q := &pos[i], &neg[i]
		upV, upI, upD, downV, downI, downD := p[0], p[1], p[2], q[0], q[1], q[2]
		*p, *q = [3]float64{}, [3]float64{}
		f := float64(x*st.pm) + float64(ie*st.q[0]) + float64(ii*st.q[1]) + float64(de*st.a[0]) + float64(di*st.a[1])
		left := s.Th[i] - margin - upV - float64(st.cv*math.Abs(x)) -
			float64(st.cs[0]*ie) - float64(st.up[0]*de) + float64(st.dn[1]*di)
		if f < left && x < left {
			s.V[i] = f + upV + downV
			s.E[i] = float64((ie+float64(de*st.h))*st.ps[0]) + upI
			s.I[i] = float64((ii+float64(di*st.h))*st.ps[1]) + downI
			s.DE[i] = float64(de*st.ps[0]) + upD
			s.DI[i] = float64(di*st.ps[1]) + downD
		} else {
			flagged = append(flagged, int32(i))
		}
	}
	return flagged
}

// Ordinary reports whether every current has the sign of its port, as the
// bound of the sweeps requires: excitatory ones ≥ 0, inhibitory ones ≤ 0.
func (s *State) Ordinary() bool {
	for i := range s.E {
		if !(s.E[i] >= 0) || !(s.I[i] <= 0) {
			return false
		}
	}
	for i := range s.DE {
		if !(s.DE[i] >= 0) || !(s.DI[i] <= 0) {
			return false
		}
	}
	return true
}
