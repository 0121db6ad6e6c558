package hmn

import (
	"errors"
	"math"
	"slices"

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
// (hmn.md A.2(8–9); Oja 1989, doi:10.1142/S0129065789000475).
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
// asked for), because the cosine does not see the decay of the context (hmn.md
// P4); then all its synapses are visited.
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
	alpha   []float64
	visits  []visit
	touched uint32 // sink of the reads that only fetch memory
}

// column is one synapse of a target.
type column struct {
	member uint8
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
	next := slices.Clone(a.first)
	a.cols = make([]column, a.first[targets])
	for m, l := range members {
		for src := range l.W.sources() {
			for i := l.W.Rows.Ptr[src]; i < l.W.Rows.Ptr[src+1]; i++ {
				t := l.W.Rows.Target[i]
				a.cols[next[t]] = column{uint8(m), i, uint32(src)}
				next[t]++
			}
		}
		l.alpha = make([]float64, len(l.st))
		l.fanIn = a.fanIn
	}
	a.ctx, a.mix = make([]float64, targets*a.dim), make([]float64, targets*a.dim)
	a.ctxAt, a.mixAt = make([]event.Time, targets), make([]event.Time, targets)
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

// FanIn adds the number of synapses of each target of the block to n.
func (w *Wiring) FanIn(n []int) {
	for _, t := range w.Rows.Target {
		n[t]++
	}
}

// Arrive adds an arrival at the row [lo, hi) of src of a member to the mixtures
// m_j = Σ_i x̂_i v_i of its targets.
func (a *Attention) Arrive(l *Spikes, src, lo, hi uint32, t event.Time) {
	v := a.embed[slices.Index(a.members, l)].of(src, t)
	for i := lo; i < hi; i++ {
		a.mixIn(a.mix, a.mixAt, int(l.W.Rows.Target[i]), v, t)
	}
}

func (a *Attention) mixIn(mix []float64, at []event.Time, j int, v []float64, t event.Time) {
	m := mix[j*a.dim : (j+1)*a.dim]
	f := 1.0
	if at[j] != t {
		f = fmath.Exp(-(t - at[j]).MS() / a.p.TauPlus)
		at[j] = t
	}
	for k := range m {
		m[k] = float64(m[k]*f) + v[k]
	}
}

// column enters a visit of every synapse of target j.
func (a *Attention) column(j int) []visit {
	a.visits = a.visits[:0]
	touch := uint32(0)
	for _, c := range a.cols[a.first[j]:a.first[j+1]] {
		v := a.members[c.member].enterAt(c.i, c.src, j)
		// The synapses of a target lie far apart: touching all of them first lets
		// the memory fetch them at once instead of one after another.
		touch += v.s.Post
		a.visits = append(a.visits, v)
	}
	a.touched += touch
	return a.visits
}

func (a *Attention) leave(j int, vs []visit) {
	for k, c := range a.cols[a.first[j]:a.first[j+1]] {
		l := a.members[c.member]
		l.leave(&vs[k])
		l.alpha[c.i] = vs[k].alpha
	}
}

// Post lets target j fire; its synapses see that at t, after all arrivals up to
// and at t.
func (a *Attention) Post(j int, t event.Time) {
	d := a.members[0].W.Dendritic
	for _, l := range a.members {
		l.Post(j, t-d)
	}
	vs := a.column(j)
	a.fire(j, t, vs, a.ctx[j*a.dim:(j+1)*a.dim], a.mix[j*a.dim:(j+1)*a.dim], &a.ctxAt[j], a.mixAt[j])
	a.leave(j, vs)
	if !a.p.AlphaCycle {
		a.tell(j, t, false)
	}
}

// tell hands the new α to those who follow a synapse.
func (a *Attention) tell(j int, t event.Time, tick bool) {
	if !slices.ContainsFunc(a.members, func(l *Spikes) bool { return len(l.shadows) > 0 }) {
		return
	}
	for _, c := range a.cols[a.first[j]:a.first[j+1]] {
		l := a.members[c.member]
		for _, sh := range l.shadows[c.i] {
			sh.alphas = append(sh.alphas, alphaAt{t, l.alpha[c.i], tick})
		}
	}
}

// fire is a post spike of target j seen at t, on visits of all its synapses.
func (a *Attention) fire(j int, t event.Time, vs []visit, ctx, mix []float64, ctxAt *event.Time, mixAt event.Time) {
	cols := a.cols[a.first[j]:a.first[j+1]]
	for k, c := range cols {
		a.members[c.member].advance(&vs[k], t, false)
	}
	f := fmath.Exp(-(t - *ctxAt).MS() / a.p.TauCtx)
	g := fmath.Exp(-(t - mixAt).MS() / a.p.TauPlus)
	for k := range ctx {
		ctx[k] = float64(ctx[k]*f) + float64(mix[k]*g)
	}
	*ctxAt = t
	if !a.p.AlphaCycle {
		a.softmax(cols, ctx, 1, t)
	}
	for k, c := range cols {
		l, v := a.members[c.member], &vs[k]
		v.turn = v.alpha
		if !a.p.AlphaCycle {
			v.turn = a.alpha[k]
		}
		l.post(v, t, l.close(int64(v.s.K), v.centre))
	}
}

// softmax computes α̂ of the synapses cols for a context, into a.alpha. scale
// multiplies the context, which matters to the dot product only.
func (a *Attention) softmax(cols []column, ctx []float64, scale float64, t event.Time) {
	a.alpha = a.alpha[:0]
	norm := 0.0
	for _, x := range ctx {
		norm += float64(x * x)
	}
	norm = math.Sqrt(norm)
	if norm == 0 {
		for range cols {
			a.alpha = append(a.alpha, a.p.even(len(cols)))
		}
		return
	}
	factor := a.p.BetaA / norm
	if a.p.Dot {
		factor = float64(a.p.BetaA * scale)
	}
	most := math.Inf(-1)
	for _, c := range cols {
		s := 0.0
		for k, x := range a.embed[c.member].of(c.src, t) {
			s += float64(x * ctx[k])
		}
		s = float64(s * factor)
		most = max(most, s)
		a.alpha = append(a.alpha, s)
	}
	sum := 0.0
	for k, s := range a.alpha {
		a.alpha[k] = fmath.Exp(s - most)
		sum += a.alpha[k]
	}
	if a.p.FanIn {
		sum /= float64(len(cols))
	}
	for k := range a.alpha {
		a.alpha[k] /= sum
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
		vs := a.column(j)
		if embedding {
			a.remix(j, t, vs, a.mix[j*a.dim:(j+1)*a.dim])
			a.mixAt[j] = t
		}
		a.turn(j, t, vs, a.ctx[j*a.dim:(j+1)*a.dim], a.ctxAt[j])
		a.leave(j, vs)
		a.tell(j, t, true)
	}
}

// turn takes α̂ of target j anew at the start of a cycle, on visits of all its
// synapses.
func (a *Attention) turn(j int, t event.Time, vs []visit, ctx []float64, ctxAt event.Time) {
	cols := a.cols[a.first[j]:a.first[j+1]]
	for k, c := range cols {
		a.members[c.member].advance(&vs[k], t, true)
	}
	a.softmax(cols, ctx, fmath.Exp(-(t-ctxAt).MS()/a.p.TauCtx), t+1)
	for k, c := range cols {
		l, v := a.members[c.member], &vs[k]
		v.turn = a.alpha[k]
		if v.turn != v.alpha {
			l.jump(v, t, l.close(int64(v.s.K), v.centre), 0, nil)
		}
	}
}

// remix recomputes m = m_j at t from the filters of arrivals, after v has changed.
func (a *Attention) remix(j int, t event.Time, vs []visit, m []float64) {
	clear(m)
	for k, c := range a.cols[a.first[j]:a.first[j+1]] {
		pre := vs[k].pre
		if pre.X == 0 {
			continue
		}
		x := float64(pre.X * fmath.Exp(-(t-pre.At).MS()/a.p.TauPlus))
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
	vs := slices.Clone(a.column(j))
	states := make([]spikeState, len(vs))
	cols := a.cols[a.first[j]:a.first[j+1]]
	for k := range vs {
		states[k] = *vs[k].s
		vs[k].s, vs[k].dry = &states[k], true
	}
	ctx, mix := slices.Clone(a.ctx[j*a.dim:(j+1)*a.dim]), slices.Clone(a.mix[j*a.dim:(j+1)*a.dim])
	ctxAt, mixAt := a.ctxAt[j], []event.Time{a.mixAt[j]}
	d := a.members[0].W.Dendritic
	n := 0
	for k := range reads {
		r := &reads[k]
		for {
			post := n < len(posts) && posts[n] < r.At
			if tick := len(ticks) > 0 && ticks[0] < r.At; tick && !(post && posts[n] <= ticks[0]) {
				if embedding {
					a.remix(j, ticks[0], vs, mix)
					mixAt[0] = ticks[0]
				}
				a.turn(j, ticks[0], vs, ctx, ctxAt)
				ticks = ticks[1:]
				continue
			}
			if !post {
				break
			}
			for _, l := range a.members {
				l.Post(j, posts[n]-d)
			}
			a.fire(j, posts[n], vs, ctx, mix, &ctxAt, mixAt[0])
			n++
		}
		for q, c := range cols {
			if c.i == r.I && a.members[c.member] == r.L {
				v := &vs[q]
				r.L.advance(v, r.At, false)
				r.W = r.L.weightAt(v, r.At)
				r.L.arrive(v, r.At, nil)
				v.pre = r.L.P.filter(v.pre, r.At)
				a.mixIn(mix, mixAt, 0, a.embed[c.member].of(c.src, r.At), r.At)
			}
		}
	}
	for _, l := range a.members {
		l.Unpost(j, n)
	}
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
