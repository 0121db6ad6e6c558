package stdp

import (
	"slices"

	"hmn/event"
	"hmn/synapse"
)

// fades is the number of time constants after which exp(−x) is 0 in float64: a
// filter that was set so long ago raises nothing.
const fades = 746

// Settle asks for a settle pass, which the next window begins with.
func (r *Rule) Settle(t event.Time, pass bool) {
	if pass {
		r.due = t
	}
}

// settle takes the post spikes that reach synapses before t. All arrivals before t
// have been handed over. Rows whose filter has faded cost nothing.
func (r *Rule) settle(t event.Time) {
	if !r.posts.many {
		return
	}
	for src := range r.w.Sources() {
		r.settleRow(uint32(src), t)
	}
	r.settled = t
	r.posts.forget(t - r.most)
}

func (r *Rule) settleRow(src uint32, t event.Time) {
	list := r.trains.list[src]
	if len(list) == 0 {
		return
	}
	if since := max(r.settled, 0) - list[len(list)-1].At - r.trains.axonal; float64(since.MS()*r.rPlus) > fades {
		return
	}
	own := new(float64)
	pieces(r.w, src, func(lo, hi uint32, a, d event.Time) {
		p := r.piece(r.trains.before(src, r.trains.seen-a+1), a, d, r.settled, t)
		if p.from >= p.to {
			return
		}
		for i := lo; i < hi; i++ {
			j := r.w.Rows.Target[i]
			if r.posts.late[j][0].At < p.from {
				continue
			}
			if r.own != nil {
				own = &r.own[i]
			}
			r.weight[i], _ = r.raised(r.weight[i], own, int(j), &p)
		}
	})
}

// pieces walks over the pieces of a row.
func pieces(w *synapse.Wiring, src uint32, do func(lo, hi uint32, a, d event.Time)) {
	lo, end := w.Rows.Ptr[src], w.Rows.Ptr[src+1]
	for lo < end {
		a, d := w.AxonalOf(lo), w.DendriticOf(lo)
		hi := lo + 1
		if w.Rows.Delay == nil && w.Dendritics == nil {
			hi = end
		}
		for hi < end && w.AxonalOf(hi) == a && w.DendriticOf(hi) == d {
			hi++
		}
		do(lo, hi, a, d)
		lo = hi
	}
}

// Live says whether a settle pass would forget anything.
func (r *Rule) Live() bool { return r.posts.many }

// Weights are the magnitudes at t.
func (r *Rule) Weights(t event.Time) []float64 {
	w, own := slices.Clone(r.weight), slices.Clone(r.own)
	for k := len(r.undo) - 1; k >= 0; k-- {
		u := &r.undo[k]
		if u.t <= t {
			continue
		}
		n := copy(w[u.lo:u.hi], r.kept[u.at:])
		if own != nil {
			copy(own[u.lo:u.hi], r.kept[u.at+n:])
		}
	}
	mine := new(float64)
	for src := range r.w.Sources() {
		pieces(r.w, uint32(src), func(lo, hi uint32, a, d event.Time) {
			p := r.piece(r.trains.before(uint32(src), min(t, r.trains.seen)-a+1), a, d, r.settled, t+1)
			for i := lo; i < hi; i++ {
				j := r.w.Rows.Target[i]
				if r.posts.late[j][0].At < p.from {
					continue
				}
				if own != nil {
					mine = &own[i]
				}
				w[i], _ = r.raised(w[i], mine, int(j), &p)
			}
		})
	}
	return w
}
