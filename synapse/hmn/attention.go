package hmn

import (
	"errors"
	"math"
	"slices"
	"sort"

	"hmn/event"
	"hmn/event/fmath"
)

// Embedding is the directions v_i of one source population, shared by all blocks
// (Eq. 8). It changes between windows only, if at all.
type Embedding struct {
	Dim   int
	start []float64
	raw   []float64  // V of Oja's rule, row-major: v_i = raw[i·Dim : (i+1)·Dim]
	unit  []float64  // its rows, of length 1 or 0
	old   []float64  // unit up to and at since
	since event.Time // the last change
}

// NewEmbedding takes the vectors, one after the other; zero vectors stay.
func NewEmbedding(dim int, v []float64) *Embedding {
	e := &Embedding{Dim: dim, start: slices.Clone(v)}
	e.Reset()
	return e
}

// Reset returns to the vectors at t = 0.
func (e *Embedding) Reset() {
	e.raw = append(e.raw[:0], e.start...)
	e.unit = append(e.unit[:0], e.raw...)
	e.since = -1
	e.normalise()
	e.old = append(e.old[:0], e.unit...)
}

func (e *Embedding) normalise() {
	for i := 0; i < len(e.unit); i += e.Dim {
		x := e.unit[i : i+e.Dim]
		s := 0.0
		for _, y := range x {
			s += float64(y * y)
		}
		if s > 0 {
			s = math.Sqrt(s)
			for k := range x {
				x[k] /= s
			}
		}
	}
}

// of is v_i at t, before a change at t.
func (e *Embedding) of(src uint32, t event.Time) []float64 {
	v := e.unit
	if t <= e.since {
		v = e.old
	}
	return v[int(src)*e.Dim : (int(src)+1)*e.Dim]
}

// Oja learns from the mean input of a cycle that ends at t (one number per
// source) by Oja's subspace rule,
//
//	V ← V + η_h (y x̄ᵀ − y yᵀ V),   y = V x̄
//
// (docs/learning.md; Oja 1989, doi:10.1142/S0129065789000475).
func (e *Embedding) Oja(t event.Time, eta float64, mean []float64) {
	e.old = append(e.old[:0], e.unit...)
	y := make([]float64, e.Dim)
	for i, x := range mean {
		for k, v := range e.raw[i*e.Dim : (i+1)*e.Dim] {
			y[k] += float64(v * x)
		}
	}
	for i, x := range mean {
		row := e.raw[i*e.Dim : (i+1)*e.Dim]
		back := 0.0 // (yᵀV)_i
		for k, v := range row {
			back += float64(y[k] * v)
		}
		for k := range row {
			row[k] += float64(eta * float64(y[k]*(x-back)))
		}
	}
	copy(e.unit, e.raw)
	e.normalise()
	e.since = t
}

// Vectors are the rows of V as Oja's rule left them.
func (e *Embedding) Vectors() []float64 { return e.raw }

// ErrGroup reports projections that cannot share one softmax.
var ErrGroup = errors.New("hmn: projections of one attention group must agree")

// Attention is local attention (Eqs. 8–9) in one block: the softmax of every
// target over its synapses in a group of projections. A target's context and
// with it α change at its post spikes only (or at cycle starts, where that is
// asked for), because the cosine does not see the decay of the context (docs/learning.md
// P4). At a post spike the context and the sum of the softmax are taken down; a
// synapse works out its own α from them when it comes to see that spike.
type Attention struct {
	members []*Spikes
	embed   []*Embedding // by member
	p       *Params
	dim     int
	first   []uint32 // by target: its synapses are cols[first[j]:first[j+1]]
	cols    []column
	fanIn   []int     // F_j
	ctx     []float64 // c_j at ctxAt, targets × dim
	ctxAt   []event.Time
	mix     []float64 // m_j at mixAt
	mixAt   []event.Time
	looks   []looks // by target
	scores  []float64
}

// looks are the softmaxes of a target at the post spikes in its members'
// histories.
type looks struct {
	at  []look
	ctx []float64 // dim numbers each
}

// look is one softmax: α̂ of a synapse is exp(factor v·c − most)/sum.
type look struct {
	factor, most, sum float64
}

// column is one synapse of a target.
type column struct {
	member uint16
	i, src uint32
}

// NewAttention joins the rules of a group. Every one has its dendritic delay,
// its filter and its softmax in common with the others, or ErrGroup is returned
// with the key that differs.
func NewAttention(members []*Spikes, embed []*Embedding) (*Attention, error) {
	p := &members[0].P
	a := &Attention{members: members, embed: embed, p: p, dim: p.EmbedDim}
	targets := members[0].W.Targets
	a.first = make([]uint32, targets+1)
	for _, l := range members {
		switch q := &l.P; {
		case q.EmbedDim != p.EmbedDim:
			return nil, errors.Join(ErrGroup, errors.New("embed_dim"))
		case q.TauPlus != p.TauPlus:
			return nil, errors.Join(ErrGroup, errors.New("tau_plus"))
		case q.TauCtx != p.TauCtx || q.BetaA != p.BetaA || q.Dot != p.Dot || q.AlphaCycle != p.AlphaCycle || q.FanIn != p.FanIn:
			return nil, errors.Join(ErrGroup, errors.New("tau_ctx, beta_a, similarity, alpha_hold and alpha_gain"))
		case l.W.Dendritics != nil || l.W.Dendritic != members[0].W.Dendritic:
			return nil, errors.Join(ErrGroup, errors.New("dendritic_delay"))
		}
		for _, t := range l.W.Rows.Target {
			a.first[t+1]++
		}
	}
	for j := range targets {
		a.first[j+1] += a.first[j]
	}
	for j := range targets {
		a.fanIn = append(a.fanIn, int(a.first[j+1]-a.first[j]))
	}
	a.looks = make([]looks, targets)
	next := slices.Clone(a.first)
	a.cols = make([]column, a.first[targets])
	for m, l := range members {
		for src := range l.W.Sources() {
			for i := l.W.Rows.Ptr[src]; i < l.W.Rows.Ptr[src+1]; i++ {
				t := l.W.Rows.Target[i]
				a.cols[next[t]] = column{uint16(m), i, uint32(src)}
				next[t]++
			}
		}
		l.alpha = make([]float64, len(l.st))
		l.att, l.member = a, m
	}
	a.ctx, a.mix = make([]float64, targets*a.dim), make([]float64, targets*a.dim)
	a.ctxAt, a.mixAt = make([]event.Time, targets), make([]event.Time, targets)
	for _, l := range members {
		l.fanIn = a.fanIn
	}
	a.Reset()
	return a, nil
}

// Reset returns to t = 0, before any context: α is uniform.
func (a *Attention) Reset() {
	clear(a.ctx)
	clear(a.mix)
	clear(a.ctxAt)
	clear(a.mixAt)
	for j := range len(a.first) - 1 {
		a.looks[j].at, a.looks[j].ctx = a.looks[j].at[:0], a.looks[j].ctx[:0]
		cols := a.cols[a.first[j]:a.first[j+1]]
		for _, c := range cols {
			a.members[c.member].alpha[c.i] = a.p.even(len(cols))
		}
	}
}

// even is α̂ while all α are equal.
func (p *Params) even(f int) float64 {
	if p.FanIn || f == 0 {
		return 1
	}
	return 1 / float64(f)
}

// SetGain fixes α̂ of a rule without attention: fanIn is F_j, by target of the
// block, of all synapses of its group.
func (l *Spikes) SetGain(fanIn []int) {
	l.fanIn = fanIn
	if l.P.FanIn {
		return
	}
	l.gain = make([]float64, len(fanIn))
	for j, f := range fanIn {
		l.gain[j] = l.P.even(f)
	}
}

// Arrive adds an arrival at the row [lo, hi) of src of a member to the mixtures
// m_j = Σ_i x̂_i v_i of its targets.
func (a *Attention) Arrive(l *Spikes, src, lo, hi uint32, t event.Time) {
	v := a.embed[l.member].of(src, t)
	for _, j := range l.W.Rows.Target[lo:hi] {
		k := int(j)
		a.mixAt[k] = a.mixIn(a.mix[k*a.dim:(k+1)*a.dim], a.mixAt[k], v, t)
	}
}

// mixIn adds v to a mixture m at t.
func (a *Attention) mixIn(m []float64, at event.Time, v []float64, t event.Time) event.Time {
	f := 1.0
	if at != t {
		f = fmath.Exp(-(t - at).MS() / a.p.TauPlus)
	}
	for k := range m {
		m[k] = float64(m[k]*f) + v[k]
	}
	return t
}

// Post lets target j fire; its synapses see that at t, after all arrivals up to
// and at t.
func (a *Attention) Post(j int, t event.Time) {
	d := a.members[0].W.Dendritic
	for _, l := range a.members {
		l.Post(j, t-d)
	}
	a.ctxAt[j] = a.look(j, t, a.ctx[j*a.dim:(j+1)*a.dim], a.mix[j*a.dim:(j+1)*a.dim], a.ctxAt[j], a.mixAt[j])
}

// look moves the context of target j to a post spike seen at t and takes the
// softmax down. It returns the time of the context.
func (a *Attention) look(j int, t event.Time, ctx, mix []float64, ctxAt, mixAt event.Time) event.Time {
	f := fmath.Exp(-(t - ctxAt).MS() / a.p.TauCtx)
	g := fmath.Exp(-(t - mixAt).MS() / a.p.TauPlus)
	for k := range ctx {
		ctx[k] = float64(ctx[k]*f) + float64(mix[k]*g)
	}
	if !a.p.AlphaCycle {
		x := &a.looks[j]
		x.at = append(x.at, a.softmax(a.cols[a.first[j]:a.first[j+1]], ctx, 1, t))
		x.ctx = append(x.ctx, ctx...)
	}
	return t
}

// softmax takes down the softmax over the synapses cols for a context, with the
// embedding as it is at t. scale multiplies the context, which matters to the dot
// product only.
func (a *Attention) softmax(cols []column, ctx []float64, scale float64, t event.Time) look {
	norm := 0.0
	for _, x := range ctx {
		norm += float64(x * x)
	}
	x := look{sum: float64(len(cols))}
	if norm > 0 {
		x.factor = a.p.BetaA / math.Sqrt(norm)
		if a.p.Dot {
			x.factor = float64(a.p.BetaA * scale)
		}
		x.most, x.sum = math.Inf(-1), 0
		a.scores = a.scores[:0]
		for _, c := range cols {
			y := x.score(a.embed[c.member].of(c.src, t), ctx)
			x.most = max(x.most, y)
			a.scores = append(a.scores, y)
		}
		for _, y := range a.scores {
			x.sum += fmath.Exp(y - x.most)
		}
	}
	if a.p.FanIn {
		x.sum /= float64(len(cols))
	}
	return x
}

// score is β_a s_ij.
func (x *look) score(v, ctx []float64) float64 {
	s := 0.0
	for k, y := range v {
		s += float64(y * ctx[k])
	}
	return float64(s * x.factor)
}

// alpha is α̂ of a synapse with direction v.
func (x *look) alpha(v, ctx []float64) float64 {
	return fmath.Exp(x.score(v, ctx)-x.most) / x.sum
}

// alphaAt is α̂ of a synapse from the n-th post spike of its target's history on,
// which it sees at t.
func (a *Attention) alphaAt(l *Spikes, v *visit, n int, t event.Time) float64 {
	if a.p.AlphaCycle {
		return v.alpha
	}
	x := &a.looks[v.j]
	return x.at[n].alpha(a.embed[l.member].of(v.src, t), x.ctx[n*a.dim:(n+1)*a.dim])
}

// forget drops the first n softmaxes of target j, as its members drop post spikes.
func (a *Attention) forget(j, n int) {
	if x := &a.looks[j]; !a.p.AlphaCycle {
		x.at = x.at[:copy(x.at, x.at[n:])]
		x.ctx = x.ctx[:copy(x.ctx, x.ctx[n*a.dim:])]
	}
}

// unlook takes the last n softmaxes of target j back.
func (a *Attention) unlook(j, n int) {
	if x := &a.looks[j]; !a.p.AlphaCycle {
		x.at = x.at[:len(x.at)-n]
		x.ctx = x.ctx[:len(x.ctx)-n*a.dim]
	}
}

// Tick is the start of a global cycle at t: α_ij is taken anew where it is held
// over cycles or the embedding has changed.
func (a *Attention) Tick(t event.Time, embedding bool) {
	for j := range len(a.first) - 1 {
		cols := a.cols[a.first[j]:a.first[j+1]]
		if len(cols) == 0 {
			continue
		}
		ctx, mix := a.ctx[j*a.dim:(j+1)*a.dim], a.mix[j*a.dim:(j+1)*a.dim]
		if embedding {
			a.remix(j, t, mix, func(c column) Trace { return a.members[c.member].preOf(c.i, c.src) })
			a.mixAt[j] = t
		}
		x := a.softmax(cols, ctx, fmath.Exp(-(t-a.ctxAt[j]).MS()/a.p.TauCtx), t+1)
		for _, c := range cols {
			l := a.members[c.member]
			v := l.enter(c.i, c.src)
			a.turn(&v, l, x, ctx, t)
			l.leave(&v)
			for _, sh := range l.shadows[c.i] {
				sh.ticks = append(sh.ticks, alphaAt{t, v.alpha})
			}
		}
	}
}

// turn gives a synapse its α̂ of the softmax taken at the start of a cycle at t.
func (a *Attention) turn(v *visit, l *Spikes, x look, ctx []float64, t event.Time) {
	l.advance(v, t, true)
	if v.turn = x.alpha(a.embed[l.member].of(v.src, t+1), ctx); v.turn != v.alpha {
		l.jump(v, t, l.close(int64(v.s.K), v.centre), 0, nil)
	}
}

// remix recomputes m = m_j at t from the filters of arrivals, after v has changed.
func (a *Attention) remix(j int, t event.Time, m []float64, pre func(column) Trace) {
	clear(m)
	for _, c := range a.cols[a.first[j]:a.first[j+1]] {
		p := pre(c)
		if p.X == 0 {
			continue
		}
		x := float64(p.X * fmath.Exp(-(t-p.At).MS()/a.p.TauPlus))
		for q, y := range a.embed[c.member].of(c.src, t+1) {
			m[q] += float64(x * y)
		}
	}
}

// Context adds the contexts c_j at t to sum.
func (a *Attention) Context(t event.Time, sum []float64) {
	for j := range len(a.first) - 1 {
		f := fmath.Exp(-(t - a.ctxAt[j]).MS() / a.p.TauCtx)
		for k := range sum {
			sum[k] += float64(a.ctx[j*a.dim+k] * f)
		}
	}
}

// Read is an arrival whose weight Suppose is asked for.
type Read struct {
	L    *Spikes
	I    uint32
	At   event.Time
	W    float64 // the answer
	Only bool    // an arrival that is no question
}

// Suppose answers, for target j, which weights arrivals will find if it fires so
// that its synapses see it at posts: reads lists its arrivals in order of time
// that have not been taken in yet, questions and others; ticks lists the starts
// of cycles that Tick has not been called for, embedding as there. Nothing is
// stored.
func (a *Attention) Suppose(j int, posts, ticks []event.Time, embedding bool, reads []Read) {
	type copied struct {
		v visit
		s spikeState
	}
	type key struct {
		member int
		i      uint32
	}
	seen := map[key]*copied{}
	order := make([]*copied, len(reads)) // by read
	for k := range reads {
		r := &reads[k]
		id := key{r.L.member, r.I}
		if seen[id] == nil {
			ptr := r.L.W.Rows.Ptr
			src := uint32(sort.Search(len(ptr), func(s int) bool { return ptr[s] > r.I }) - 1)
			x := &copied{v: r.L.enter(r.I, src)}
			x.s = *x.v.s
			x.v.s, x.v.dry = &x.s, true
			seen[id] = x
		}
		order[k] = seen[id]
	}
	ctx, mix := slices.Clone(a.ctx[j*a.dim:(j+1)*a.dim]), slices.Clone(a.mix[j*a.dim:(j+1)*a.dim])
	ctxAt, mixAt := a.ctxAt[j], a.mixAt[j]
	cols := a.cols[a.first[j]:a.first[j+1]]
	d := a.members[0].W.Dendritic
	n := 0
	for k := range reads {
		r := &reads[k]
		for {
			post := n < len(posts) && posts[n] < r.At
			if tick := len(ticks) > 0 && ticks[0] < r.At; tick && !(post && posts[n] <= ticks[0]) {
				t := ticks[0]
				if embedding {
					a.remix(j, t, mix, func(c column) Trace {
						if x := seen[key{int(c.member), c.i}]; x != nil {
							return x.v.pre
						}
						return a.members[c.member].preOf(c.i, c.src)
					})
					mixAt = t
				}
				x := a.softmax(cols, ctx, fmath.Exp(-(t-ctxAt).MS()/a.p.TauCtx), t+1)
				for _, c := range cols {
					if y := seen[key{int(c.member), c.i}]; y != nil {
						a.turn(&y.v, a.members[c.member], x, ctx, t)
					}
				}
				ticks = ticks[1:]
				continue
			}
			if !post {
				break
			}
			for _, l := range a.members {
				l.Post(j, posts[n]-d)
			}
			ctxAt = a.look(j, posts[n], ctx, mix, ctxAt, mixAt)
			n++
		}
		v := &order[k].v
		r.L.advance(v, r.At, false)
		r.W = r.L.arriving(v, r.At)
		r.L.arrive(v, r.At, nil)
		v.pre = r.L.P.filter(v.pre, r.At)
		mixAt = a.mixIn(mix, mixAt, a.embed[r.L.member].of(v.src, r.At), r.At)
	}
	for _, l := range a.members {
		l.Unpost(j, n)
	}
	a.unlook(j, n)
}

// Unit is the vectors scaled to length 1.
func (e *Embedding) Unit() []float64 { return e.unit }

// Cosine is the cosine of the angle between two vectors, 0 when one is 0.
func Cosine(a, b []float64) float64 {
	var ab, aa, bb float64
	for k, x := range a {
		ab += float64(x * b[k])
		aa += float64(x * x)
		bb += float64(b[k] * b[k])
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / float64(math.Sqrt(aa)*math.Sqrt(bb))
}
