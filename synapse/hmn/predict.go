package hmn

import (
	"hmn/event"
	"hmn/event/fmath"
)

// classMemo holds what the synapses of one phase share.
type classMemo struct {
	window [64]windowMemo // by window
	step   [64]tailMemo   // by segment: tails of the change of D
}

// windowMemo is what the synapses of one phase share in one window.
type windowMemo struct {
	k          int64
	ok         bool
	tails      bool
	o, c       event.Instant
	fast, slow float64 // tails at the opening
	// sums[j] are running sums over the changes of D since the opening, segments
	// first, first+1, …, of e^{−(s−o)/τ_m} times their tails.
	first int
	sums  [][2]float64
}

type tailMemo struct {
	k          int64
	n          int
	fast, slow float64
	ok         bool
}

// edges are those of the present window of a visit, valid until the next call.
func (l *Spikes) edges(v *visit) *windowMemo {
	k := int64(v.s.K)
	m := &l.local
	if v.class >= 0 {
		m = &l.memo[v.class].window[k&63]
		if m.ok && m.k == k {
			return m
		}
	}
	m.tails, m.sums = false, m.sums[:0]
	m.k, m.ok = k, true
	m.o, m.c = l.open(k, v.centre), l.close(k, v.centre)
	return m
}

// tails are those of one instant, by class.
type tails struct {
	at event.Time
	by []tailMemo
}

// tailsAt are ∫_t^close g D e^{−(s−t)/τ_m} ds for both traces, without κ and α.
func (l *Spikes) tailsAt(t event.Time, c event.Instant) (fast, slow float64) {
	n := l.Drive.Find(t)
	l.vals = l.Drive.Values(n, (t - l.Drive.Start(n)).MS(), l.vals)
	l.wave.at(c.From(t))
	return l.tails(l.vals)
}

// tails are the tails of the drive base + Σ coef_k e^{−s/τ_k}, vals = base, coef_k
// from wave.L before the close on.
func (l *Spikes) tails(vals []float64) (fast, slow float64) {
	lf, ls := l.rFast, l.rSlow
	if vals[0] != 0 {
		fast = float64(vals[0] * l.wave.tail(lf))
		slow = float64(vals[0] * l.wave.tail(ls))
	}
	for i, x := range vals[1:] {
		if x != 0 {
			r := l.Drive.Rates[i]
			fast += float64(x * l.wave.tail(lf+r))
			slow += float64(x * l.wave.tail(ls+r))
		}
	}
	return fast, slow
}

// predict brings the prediction up to t for what the synapses share: the opening
// of the window and changes of the drive since the last jump.
func (l *Spikes) predict(v *visit, t event.Time, c event.Instant) {
	s := v.s
	if s.Fast == 0 && s.Slow == 0 {
		return
	}
	m := l.edges(v)
	from, o := s.T, m.o
	if !o.Reached(from) {
		if !o.Reached(t) {
			return
		}
		l.opening(m)
		dt := o.From(s.T)
		s.Cand = float64(v.alpha * (float64(l.P.AFast*float64(s.Fast*fmath.Exp(-float64(dt*l.rFast)))*m.fast) +
			float64(l.P.ASlow*float64(s.Slow*fmath.Exp(-float64(dt*l.rSlow)))*m.slow)))
		from = o.At
	}
	if l.Drive.Last() <= from {
		return
	}
	n, to := l.Drive.Find(from)+1, l.Drive.Find(t)
	if to-n >= manyChanges && v.class >= 0 && l.sumsHold {
		l.absorb(v, m, n, to)
		return
	}
	for ; n <= to; n++ {
		at := l.Drive.Start(n)
		xf, xs := l.change(v, n, at, c)
		dt := (at - s.T).MS()
		s.Cand += float64(v.alpha * (float64(l.P.AFast*float64(s.Fast*fmath.Exp(-float64(dt*l.rFast)))*xf) +
			float64(l.P.ASlow*float64(s.Slow*fmath.Exp(-float64(dt*l.rSlow)))*xs)))
	}
}

// manyChanges is the number of changes of the drive from which on their running
// sums are used instead of the changes themselves: the difference of two sums
// costs the same however many there were, but loses digits of what is small.
const manyChanges = 12

// absorb adds what the changes of the drive n to `to` add to a candidate: one
// subtraction (docs/learning.md).
func (l *Spikes) absorb(v *visit, m *windowMemo, n, to int) {
	if len(m.sums) == 0 {
		m.first = l.Drive.Find(m.o.At) + 1
		m.sums = append(m.sums, [2]float64{})
	}
	for k := m.first + len(m.sums) - 1; k <= to; k++ {
		at := l.Drive.Start(k)
		xf, xs := l.change(v, k, at, m.c)
		dt := -m.o.From(at)
		last := m.sums[len(m.sums)-1]
		m.sums = append(m.sums, [2]float64{last[0] + float64(fmath.Exp(-float64(dt*l.rFast))*xf), last[1] + float64(fmath.Exp(-float64(dt*l.rSlow))*xs)})
	}
	a, b := m.sums[n-m.first], m.sums[to-m.first+1]
	s := v.s
	dt := m.o.From(s.T) // from the last jump to the opening, negative when it came after
	s.Cand += float64(v.alpha * (float64(l.P.AFast*float64(s.Fast*fmath.Exp(-float64(dt*l.rFast)))*(b[0]-a[0])) +
		float64(l.P.ASlow*float64(s.Slow*fmath.Exp(-float64(dt*l.rSlow)))*(b[1]-a[1]))))
}

// opening puts the tails at the opening of a window into its memo.
func (l *Spikes) opening(m *windowMemo) {
	if m.tails {
		return
	}
	n := l.Drive.Find(m.o.At)
	since := m.o.From(l.Drive.Start(n))
	l.vals = l.Drive.Values(n, since, l.vals)
	l.wave.at(m.c.From(m.o.At) - float64(m.o.Frac*1e-9))
	m.fast, m.slow = l.tails(l.vals)
	m.tails = true
}

// change is the tails of the change of the drive that begins segment n at t.
func (l *Spikes) change(v *visit, n int, t event.Time, c event.Instant) (fast, slow float64) {
	k := int64(v.s.K)
	var m *tailMemo
	if v.class >= 0 {
		m = &l.memo[v.class].step[n&63]
		if m.ok && m.n == n && m.k == k {
			return m.fast, m.slow
		}
	}
	l.wave.at(c.From(t))
	fast, slow = l.tails(l.Drive.Change(n))
	if m != nil {
		*m = tailMemo{k: k, n: n, fast: fast, slow: slow, ok: true}
	}
	return fast, slow
}
