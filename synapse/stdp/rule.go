package stdp

import (
	"hmn/event"
	"hmn/event/fmath"
	"hmn/synapse"
)

// Rule is a rule of pairs or triplets of spikes for the synapses of one Wiring: a
// synapse.Learner. The law says what a spike does to a weight; the rest is order
// and storage.
//
// A synapse keeps its weight, 8 B, and nothing else (nearest_presynaptic: one
// number more). Filters are those of its source and its target. At an arrival it
// takes the post spikes that reached it since the arrival before, one by one, so
// that cutting at the bounds is exact, then transmits its weight, then is lowered.
type Rule struct {
	law
	synapse.Ledger      // stays empty: these rules keep no log
	plain          bool // additive, no filter of a synapse's own, nothing but pairs changes a weight
	w              *synapse.Wiring
	weight         []float64
	// own is by synapse, of presynaptic pairing: the filter of the arrivals since
	// the last post spike, right before the last arrival; −1 when a post spike has
	// come after that.
	own     []float64
	trains  trains
	posts   posts
	most    event.Time // longest dendritic delay
	old     event.Time // start of the present window
	read    event.Time // the earliest time in it for which weights may be asked
	settled event.Time // post spikes that reach synapses before it have been taken
	due     event.Time // the last settle pass asked for
	// What arrivals after read replaced.
	undo []undo
	kept []float64
}

// undo is a piece of a row before an arrival at it at t.
type undo struct {
	t      event.Time
	lo, hi uint32
	at     int // its weights in kept, followed by what is its own
}

func newRule(l law, w *synapse.Wiring) *Rule {
	r := &Rule{law: l, w: w, most: w.MostDendritic()}
	r.plain = l.pairing <= symmetric && l.up.form == constant && l.down.form == constant && l.rest == 0
	n := w.Rows.Len()
	r.weight = make([]float64, n)
	if l.pairing == presynaptic {
		r.own = make([]float64, n)
	}
	r.trains = newTrains(w.Sources(), w.Rows.MaxDelay)
	r.posts = newPosts(w.Targets)
	r.Reset()
	return r
}

// Reset returns to the state at t = 0.
func (r *Rule) Reset() {
	for i := range r.weight {
		r.weight[i] = r.w.WeightOf(uint32(i))
	}
	clear(r.own)
	r.trains.reset()
	r.posts.reset()
	r.old, r.settled, r.due = 0, never, never
	r.undo, r.kept = r.undo[:0], r.kept[:0]
}

// Begin starts a window. A settle pass that has fallen due is made here, when no
// weight of the window before is asked for any more.
func (r *Rule) Begin(start, read event.Time) {
	r.undo, r.kept = r.undo[:0], r.kept[:0]
	r.trains.passed = r.old
	if t := min(r.due, r.old); t > r.settled {
		r.settle(t)
	}
	r.old, r.read = start, read
}

// Post adds a spike of target j at t.
func (r *Rule) Post(j int, t event.Time) { r.posts.add(j, r.spike(r.posts.last(j), t)) }

// Unpost takes back the last n spikes of target j.
func (r *Rule) Unpost(j, n int) { r.posts.drop(j, n) }

// piece is what synapses with the same delays share while they are taken from the
// last arrival they have seen to another time.
type piece struct {
	prev     sourceSpike
	from, to event.Time // post spikes in [from, to), at the target, are due
	meets    event.Time // the post spike that reaches a synapse together with prev
	up       decay      // from prev to a post spike
	down     decay      // from a post spike to `to`
}

// piece of synapses whose last arrival is prev, to be taken to t; a and d are their
// delays. Post spikes that reach them before settled have been taken.
func (r *Rule) piece(prev sourceSpike, a, d, settled, t event.Time) piece {
	p := piece{prev: prev, to: t - d, meets: never}
	p.down = r.decayTo(p.to, r.rMinus)
	p.from = p.to
	if prev.At != never {
		p.meets = prev.At + a - d
		p.from = max(p.meets, settled-d)
		p.up = r.decayFrom(p.meets, r.rPlus)
	}
	return p
}

// raised is the weight after the post spikes of target j that are due, and the last post
// spike before p.to.
func (r *Rule) raised(w float64, own *float64, j int, p *piece) (float64, *near) {
	list := r.posts.list[j]
	z := len(list)
	for z > 0 && list[z-1].At >= p.to {
		z--
	}
	k := z
	for k > 0 && list[k-1].At >= p.from {
		k--
	}
	for ; k < z; k++ {
		s := &list[k]
		x := p.prev.X
		together := s.At == p.meets
		if together { // neither sees the other
			x = p.prev.B
		}
		switch r.pairing {
		case presynaptic:
			if together {
				x, *own = *own, 0
			} else {
				x, *own = *own+1, -1
			}
		case reducedPairs:
			pre := p.meets
			if together {
				pre = p.prev.Prev
				if pre != never {
					pre += p.meets - p.prev.At
				}
			}
			if k > 0 && list[k-1].At > pre {
				continue
			}
		}
		if x != 0 {
			w = r.raise(w, float64(x*float64(p.up.at(s.N)*s.Gain)))
		}
	}
	if z == 0 {
		return w, &nothing.near
	}
	return w, &list[z-1].near
}

// raisedPlain is raised of additive rules, list being the post spikes.
func (r *Rule) raisedPlain(w float64, list []post, p *piece) (float64, *near) {
	z := len(list)
	for z > 0 && list[z-1].At >= p.to {
		z--
	}
	k := z
	for k > 0 && list[k-1].At >= p.from {
		k--
	}
	if z == 0 {
		return w, &nothing.near
	}
	for ; k < z; k++ {
		s := &list[k]
		x := p.prev.X
		if s.At == p.meets {
			x = p.prev.B
		}
		w = r.clip(w + float64(x*float64(p.up.at(s.N)*s.Gain)))
	}
	return w, &list[z-1].near
}

// lowered is the weight after the arrival x at p.to, given the last post spike
// before.
func (r *Rule) lowered(w float64, x *sourceSpike, s *near, p *piece) float64 {
	change := r.rest
	if s.At != never && (r.pairing != reducedPairs || s.At >= p.meets) {
		change += float64(float64(s.Y*p.down.at(s.N)) * (r.down2 + float64(r.down3*x.X2)))
	}
	return r.lower(w, change)
}

// refilter is the filter of a synapse's own right before an arrival at t, prev being
// the one before it.
func (r *Rule) refilter(own float64, prev *sourceSpike, t event.Time) float64 {
	if prev.At == never {
		return 0
	}
	return float64((own + 1) * fmath.Exp(-float64((t-prev.At).MS()*r.rPlus)))
}

// Arrive lets a piece of the row of src see a spike at t.
func (r *Rule) Arrive(src, lo, hi uint32, t event.Time, out []float64) {
	r.trains.seen = max(r.trains.seen, t)
	a, d := r.w.AxonalOf(lo), r.w.DendriticOf(lo)
	x, prev := r.trains.enter(&r.law, src, t-a)
	p := r.piece(prev, a, d, r.settled, t)
	w := r.weight[lo:hi]
	if t > r.read {
		r.undo = append(r.undo, undo{t, lo, hi, len(r.kept)})
		r.kept = append(r.kept, w...)
		if r.own != nil {
			r.kept = append(r.kept, r.own[lo:hi]...)
		}
	}
	if r.plain {
		r.arrivePlain(w, r.w.Rows.Target[lo:hi], &p, &x, out)
		return
	}
	own := new(float64)
	for k, j := range r.w.Rows.Target[lo:hi] {
		s := &r.posts.late[j][0]
		y := w[k]
		if r.own != nil {
			own = &r.own[lo+uint32(k)]
		}
		if s.At >= p.from {
			y, s = r.raised(y, own, int(j), &p)
		}
		if out != nil {
			out[k] = y
		}
		w[k] = r.lowered(y, &x, s, &p)
		if r.own != nil {
			*own = r.refilter(*own, &prev, x.At)
		}
	}
}

// arrivePlain is Arrive of additive rules: the same operations without the choices.
func (r *Rule) arrivePlain(w []float64, targets []uint16, p *piece, x *sourceSpike, out []float64) {
	change := r.down2 + float64(r.down3*x.X2)
	late := r.posts.late
	w = w[:len(targets)]
	for k, j := range targets {
		h := &late[j]
		s := &h[0]
		y := w[k]
		if s.At >= p.from {
			n := 1 // spikes that are due
			for n < len(h) && h[n].At >= p.from {
				n++
			}
			if n == len(h) || s.At >= p.to || h[n-1].At == p.meets {
				y, s = r.raisedPlain(y, r.posts.list[j], p)
			} else {
				for n--; n >= 0; n-- {
					y = r.clip(y + float64(p.prev.X*float64(p.up.at(h[n].N)*h[n].Gain)))
				}
			}
		}
		if out != nil {
			out[k] = y
		}
		if s.Y != 0 {
			y = r.clip(y + float64(float64(s.Y*p.down.at(s.N))*change))
		}
		w[k] = y
	}
}

// EndRow has nothing to do: a spike is entered with its first piece.
func (r *Rule) EndRow(uint32, event.Time) {}

// view is one synapse while it is looked at without being changed.
type view struct {
	w, own  float64
	j       int
	a, d    event.Time
	prev    sourceSpike
	settled event.Time
}

// view of synapse i of src as it is right after the last arrival before t.
func (r *Rule) view(i, src uint32, t event.Time) view {
	v := view{w: r.weight[i], j: int(r.w.Rows.Target[i]), a: r.w.AxonalOf(i), d: r.w.DendriticOf(i), settled: r.settled}
	v.prev = r.trains.before(src, t-v.a)
	if r.own != nil {
		v.own = r.own[i]
	}
	return v
}

// to takes a view through the post spikes that reach it before t; the last one is
// returned.
func (r *Rule) to(v *view, t event.Time) (*near, piece) {
	p := r.piece(v.prev, v.a, v.d, v.settled, t)
	var s *near
	v.w, s = r.raised(v.w, &v.own, v.j, &p)
	v.settled = t
	return s, p
}

// arrive takes a view through an arrival at t.
func (r *Rule) arrive(v *view, t event.Time) {
	s, p := r.to(v, t)
	x := r.filter(v.prev, t-v.a)
	v.w = r.lowered(v.w, &x, s, &p)
	if r.own != nil {
		v.own = r.refilter(v.own, &v.prev, x.At)
	}
	v.prev = x
}

// Peek is the magnitude that synapse i of src will transmit at t.
func (r *Rule) Peek(i, src uint32, earlier []event.Time, t event.Time) float64 {
	first := t
	if len(earlier) > 0 {
		first = earlier[0]
	}
	v := r.view(i, src, first)
	for _, e := range earlier {
		r.arrive(&v, e)
	}
	r.to(&v, t)
	return v.w
}

// Foresee writes what a piece of the row of src will transmit at t.
func (r *Rule) Foresee(src, lo, hi uint32, earlier []event.Time, known, t event.Time, w []float64, open []bool) {
	first := t
	if len(earlier) > 0 {
		first = earlier[0]
	}
	a, d := r.w.AxonalOf(lo), r.w.DendriticOf(lo)
	p := r.piece(r.trains.before(src, first-a), a, d, r.settled, t)
	hangs := known < t && (r.up2 != 0 || r.up3 != 0) && (len(earlier) > 0 || p.prev.At != never)
	for k := range open {
		open[k] = hangs
	}
	if len(earlier) > 0 {
		for i := lo; i < hi; i++ {
			w[i-lo] = r.Peek(i, src, earlier, t)
		}
		return
	}
	own := 0.0
	for k, j := range r.w.Rows.Target[lo:hi] {
		i := lo + uint32(k)
		w[k] = r.weight[i]
		if r.posts.late[j][0].At >= p.from {
			if r.own != nil {
				own = r.own[i]
			}
			w[k], _ = r.raised(w[k], &own, int(j), &p)
		}
	}
}
