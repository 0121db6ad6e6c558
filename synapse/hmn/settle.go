package hmn

import (
	"math"
	"slices"
	"sort"

	"hmn/event"
	"hmn/event/fmath"
)

// undo is what a commit replaced.
type undo struct {
	close  event.Instant
	i      uint32
	before float64
	wAt    event.Time
}

// flowedSpikes is a synapse under continuous update before it changed.
type flowedSpikes struct {
	i     uint32
	st    spikeState
	alpha float64
}

// Begin starts a window at old: weights of times before it are asked for no more.
func (l *Spikes) Begin(old, _ event.Time) {
	l.old, l.undo, l.undoFlow = old, l.undo[:0], l.undoFlow[:0]
}

// Post adds a spike of target j at t to the history.
func (l *Spikes) Post(j int, t event.Time) {
	l.touched = true
	list := l.posts.list[j]
	z := 1.0
	if n := len(list); n > 0 && !l.P.Nearest {
		z += float64(list[n-1].Z * fmath.Exp(-float64((t-list[n-1].At).MS()*l.rMinus)))
	}
	l.posts.list[j] = append(list, post{t, z})
	if l.posts.memo != nil {
		for range l.centres {
			l.posts.memo[j] = append(l.posts.memo[j], [2]float64{math.NaN(), math.NaN()})
		}
	}
}

// Unpost takes back the last n calls of Post for target j: what a neuron might
// have done, for Peek.
func (l *Spikes) Unpost(j, n int) {
	l.posts.list[j] = l.posts.list[j][:len(l.posts.list[j])-n]
	if l.posts.memo != nil {
		m := l.posts.memo[j]
		l.posts.memo[j] = m[:len(m)-n*len(l.centres)]
	}
}

// Foresee writes what a piece of the row of src will transmit at t; open are
// the synapses of which a window closes in [known, t). They are advanced to known.
func (l *Spikes) Foresee(src, lo, hi uint32, earlier []event.Time, known, t event.Time, w []float64, open []bool) {
	for i := lo; i < hi; i++ {
		k := i - lo
		if w[k], open[k] = l.known(i, src, known, t); open[k] {
			w[k] = l.Peek(i, src, earlier, t)
		}
	}
}

// known advances synapse i of src through everything before t, of which all is
// known, and says whether a window of it closes in [t, until).
func (l *Spikes) known(i, src uint32, t, until event.Time) (w float64, open bool) {
	v := l.enter(i, src)
	if l.P.Update == Continuous {
		l.advance(&v, t, false)
		l.leave(&v)
		return 0, true
	}
	if l.edges(&v).c.At < t {
		l.advance(&v, t, false)
		l.leave(&v)
	}
	return l.arriving(&v, until), l.edges(&v).c.At < until
}

// Peek is the magnitude that synapse i will have for an arrival at t, if the
// post spikes known so far are all there are. earlier lists arrivals at it
// before t that it has not seen. Nothing is stored.
func (l *Spikes) Peek(i, src uint32, earlier []event.Time, t event.Time) float64 {
	v := l.enter(i, src)
	s := *v.s
	v.s, v.dry = &s, true
	for _, a := range earlier {
		l.advance(&v, a, false)
		l.arrive(&v, a, nil)
		v.pre = l.P.filter(v.pre, a)
	}
	l.advance(&v, t, false)
	return l.arriving(&v, t)
}

// Settle advances every synapse through everything before t and closes of windows
// at t, and forgets post spikes that all have seen. With pass, for the settle passes that belong to
// the model, weights that flow continuously are taken to t, too: nothing that
// happened before is needed any more then.
func (l *Spikes) Settle(t event.Time, pass bool) {
	if l.live == 0 && !l.touched && !l.All {
		return
	}
	if t != l.heldAt {
		clear(l.held)
		l.heldAt = t
	}
	for src := range l.W.Sources() {
		for i := l.W.Rows.Ptr[src]; i < l.W.Rows.Ptr[src+1]; i++ {
			s := &l.st[i]
			if s.Fast == 0 && s.Slow == 0 && !l.All && l.att == nil && l.preOf(i, uint32(src)).X == 0 {
				n := uint32(len(l.posts.list[l.W.Rows.Target[i]])) + l.posts.base[l.W.Rows.Target[i]]
				if l.W.Dendritics == nil && (n == s.Post || l.posts.list[l.W.Rows.Target[i]][n-1-l.posts.base[l.W.Rows.Target[i]]].At+l.W.Dendritic < t) {
					s.Post = n // jumps of nothing
					continue
				}
			}
			v := l.enter(i, uint32(src))
			l.closeAt(&v, t)
			if pass && l.P.Update == Continuous && s.T < t {
				was := s.dead()
				l.undoFlow = append(l.undoFlow, flowedSpikes{i, *s, v.alpha})
				l.drift(&v, t)
				l.count(&v, was)
			}
			l.leave(&v)
		}
	}
	for _, sh := range l.flowing { // which need no more of the past than their synapses
		if sh.v.s = &sh.s; pass && sh.s.T < t {
			l.drift(&sh.v, t)
		}
	}
	most := l.W.Dendritic
	for _, d := range l.W.Dendritics {
		most = max(most, d)
	}
	l.touched = l.live > 0
	for j, list := range l.posts.list {
		if k := len(list); k > 0 && list[k-1].At+most >= t {
			l.touched = true
		}
		// One that all have seen is kept for ẑ.
		n := sort.Search(len(list), func(k int) bool { return list[k].At+most >= t }) - 1
		if n <= 0 {
			continue
		}
		l.posts.base[j] += uint32(n)
		if l.att != nil && l.member == len(l.att.members)-1 {
			l.att.forget(j, n)
		}
		l.posts.list[j] = list[:copy(list, list[n:])]
		if m := l.posts.memo; m != nil {
			m[j] = m[j][:copy(m[j], m[j][n*len(l.centres):])]
		}
	}
}

// Live says whether anything can still come of a synapse without a further spike.
func (l *Spikes) Live() bool { return l.live > 0 || l.touched }

// Weights are the magnitudes at t, by position in the rows; everything up to t
// has been settled, and something after it perhaps.
func (l *Spikes) Weights(t event.Time) []float64 {
	w := make([]float64, len(l.st))
	for i := range l.st {
		w[i] = l.st[i].W
	}
	if l.P.Update == Continuous {
		st := slices.Clone(l.st)
		al := slices.Clone(l.alpha)
		for k := len(l.undoFlow) - 1; k >= 0; k-- {
			if u := &l.undoFlow[k]; l.st[u.i].T > t {
				l.st[u.i] = u.st
				if al != nil {
					l.alpha[u.i] = u.alpha
				}
			}
		}
		for src := range l.W.Sources() {
			for i := l.W.Rows.Ptr[src]; i < l.W.Rows.Ptr[src+1]; i++ {
				v := l.enter(i, uint32(src))
				w[i] = l.flow(&v, t)
			}
		}
		copy(l.st, st)
		copy(l.alpha, al)
	}
	var at []event.Time
	if l.wAt != nil {
		at = append(at, l.wAt...)
	}
	for k := len(l.undo) - 1; k >= 0; k-- {
		if e := &l.undo[k]; !e.close.Reached(t) {
			w[e.i] = e.before
			if at != nil {
				at[e.i] = e.wAt
			}
		}
	}
	for i, a := range at {
		w[i] = l.P.decayed(w[i], (t - a).MS())
	}
	return w
}
