package hmn

import (
	"math"
	"slices"
	"sort"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/synapse"
)

// Rates is the rule for the synapses of one projection between rate units onto
// one block. Inputs x and outputs z are piecewise constant, and
//
//	ė_m = −e_m/τ_m + x z,   e_m(s) = x z τ_m + (e_m − x z τ_m) e^{−s/τ_m}      (2)
//
// A candidate is gathered stretch by stretch between the synapse's events. Calls
// are in order of time; windows close in a fixed cyclic order, which Close walks.
type Rates struct {
	P Params
	Cycle
	Drive *synapse.Drive
	W     synapse.Wiring
	synapse.Ledger

	st      []rateState
	centre  []float64
	order   []uint32 // synapses in the order in which their windows close
	placeOf []uint32 // its inverse
	k0      []int64  // by place in order: the first window
	place   int      // the next to close
	lap     int64
	source  []uint32 // by synapse
	first   []uint32 // by target: its synapses are column[first[j]:first[j+1]]
	column  []uint32
	alpha   []float64
	fanIn   []int     // F_j of the group, by target
	zbar    []float64 // by target, and when it moved
	zAt     []event.Time
	zOut    []float64 // by target: output at its soma, and as synapses see it
	z       []float64
	wAt     []event.Time
	changed []synapse.Reweigh
	live    int        // synapses with a trace, an input or a candidate
	old     event.Time // start of the present window
	undo    []undo     // its commits
	// undoFlow lists what continuous update replaced in the present window.
	undoFlow []flowed
	way      stretch
}

// flowed is a synapse under continuous update before it changed.
type flowed struct {
	i     uint32
	st    rateState
	alpha float64
}

// rateState is what one synapse carries.
type rateState struct {
	W          float64
	Fast, Slow float64 // at T
	Cand       float64 // gathered in the present window until T, without κ
	X, F, Q    float64 // x, z − z̄, and their product since T
	Peak       float64 // max |x z| since the last flush
	T          event.Time
	published  float64 // continuous update: the weight that its target has
}

// NewRates makes the rule for the synapses w.
func NewRates(p Params, w synapse.Wiring, d *synapse.Drive) *Rates {
	l := &Rates{P: p, Cycle: NewCycle(&p), Drive: d, W: w}
	n := w.Rows.Len()
	l.st = make([]rateState, n)
	l.centre, l.alpha, l.source = make([]float64, n), make([]float64, n), make([]uint32, n)
	l.first = make([]uint32, w.Targets+1)
	for src := range w.Sources() {
		for i := w.Rows.Ptr[src]; i < w.Rows.Ptr[src+1]; i++ {
			l.source[i] = uint32(src)
			l.centre[i] = l.Cycle.centre(w.PhaseOf(i))
			l.order = append(l.order, i)
			l.first[w.Rows.Target[i]+1]++
		}
	}
	for j := range w.Targets {
		l.first[j+1] += l.first[j]
	}
	l.column = make([]uint32, n)
	next := slices.Clone(l.first)
	for i, t := range w.Rows.Target {
		l.column[next[t]] = uint32(i)
		next[t]++
	}
	sort.SliceStable(l.order, func(a, b int) bool {
		x, y := l.firstClose(l.order[a]), l.firstClose(l.order[b])
		return x.At < y.At || x.At == y.At && x.Frac < y.Frac
	})
	l.k0, l.placeOf = make([]int64, n), make([]uint32, n)
	for p, i := range l.order {
		l.placeOf[i] = uint32(p)
		l.k0[p] = l.Cycle.first(l.centre[i])
	}
	l.zbar, l.z, l.zAt = make([]float64, w.Targets), make([]float64, w.Targets), make([]event.Time, w.Targets)
	l.zOut = make([]float64, w.Targets)
	if p.LambdaW > 0 {
		l.wAt = make([]event.Time, n)
	}
	l.way = stretch{cycle: &l.Cycle, p: &l.P, drive: l.Drive}
	l.Reset()
	return l
}

func (l *Rates) firstClose(i uint32) event.Instant {
	return l.close(l.Cycle.first(l.centre[i]), l.centre[i])
}

// Reset returns to the state before t = 0: all inputs and outputs are 0.
func (l *Rates) Reset() {
	for i := range l.st {
		w := l.W.WeightOf(uint32(i))
		l.st[i] = rateState{W: w, published: w}
		l.alpha[i] = 1
	}
	l.place, l.lap, l.live, l.old = 0, 0, 0, 0
	clear(l.zbar)
	clear(l.z)
	clear(l.zOut)
	clear(l.zAt)
	clear(l.wAt)
	l.Entries, l.Counts, l.undo = l.Entries[:0], synapse.Counts{}, l.undo[:0]
	l.undoFlow = l.undoFlow[:0]
}

// SetAlpha fixes α̂ of the synapses of a target.
func (l *Rates) SetAlpha(fanIn []int) {
	l.fanIn = fanIn
	for i, t := range l.W.Rows.Target {
		l.alpha[i] = l.P.even(fanIn[t])
	}
}

// window is the index of the present window of synapse i, given its place.
func (l *Rates) window(p int) int64 {
	k := l.k0[p] + l.lap
	if p < l.place {
		k++
	}
	return k
}

// edges are those of the present window of synapse i.
func (l *Rates) edges(i uint32) (o, c event.Instant) {
	k := l.window(int(l.placeOf[i]))
	return l.open(k, l.centre[i]), l.close(k, l.centre[i])
}

// Begin starts a window at old: weights of times before it are asked for no more.
func (l *Rates) Begin(old event.Time) {
	l.old, l.undo, l.undoFlow = old, l.undo[:0], l.undoFlow[:0]
}

// NextClose is the next close of a window of a synapse that anything can come
// of; MaxTime when there is none.
func (l *Rates) NextClose() event.Instant {
	if len(l.order) == 0 || l.live == 0 && !l.All {
		return event.Instant{At: event.MaxTime}
	}
	return l.close(l.k0[l.place]+l.lap, l.centre[l.order[l.place]])
}

// turn takes the traces of synapse i to t, where its x z becomes q and its α̂
// alpha.
func (l *Rates) turn(i uint32, t event.Time, q, alpha float64) {
	s := &l.st[i]
	if q == s.Q && alpha == l.alpha[i] {
		return
	}
	if s.silent() {
		if q == 0 {
			l.alpha[i] = alpha
			return
		}
		l.live++
	}
	if l.P.Update == Continuous {
		l.undoFlow = append(l.undoFlow, flowed{i, *s, l.alpha[i]})
		l.drift(i, t)
		s.Q, l.alpha[i] = q, alpha
		s.Peak = max(s.Peak, math.Abs(q))
		return
	}
	o, c := l.edges(i)
	l.add(s, i, event.Instant{At: t}, o, c)
	s.Fast, s.Slow = l.traces(s, t)
	s.T = t
	s.Q, l.alpha[i] = q, alpha
	s.Peak = max(s.Peak, math.Abs(q))
	if s.silent() {
		l.live--
	}
}

// silent says that nothing can come of the synapse without a change.
func (s *rateState) silent() bool { return s.Fast == 0 && s.Slow == 0 && s.Q == 0 && s.Cand == 0 }

// traces are e_fast and e_slow at t ≥ T.
func (l *Rates) traces(s *rateState, t event.Time) (fast, slow float64) {
	dt := (t - s.T).MS()
	return moved(s.Fast, s.Q, l.P.TauFast, dt), moved(s.Slow, s.Q, l.P.TauSlow, dt)
}

// Input sets x of synapse i at t.
func (l *Rates) Input(i uint32, t event.Time, x float64) {
	s := &l.st[i]
	s.X = x
	l.turn(i, t, float64(x*s.F), l.alpha[i])
}

// Centre takes the output of target j from t on and returns z − z̄ or, without
// centring, z. The mean z̄ moves when the output changes, by the output that held
// until then.
func (l *Rates) Centre(j int, t event.Time, z float64) float64 {
	f := z
	if l.P.CenterPost {
		e := fmath.Exp(-(t - l.zAt[j]).MS() / l.P.TauZbar)
		l.zbar[j] = l.zOut[j] + float64((l.zbar[j]-l.zOut[j])*e)
		l.zAt[j] = t
		f = z - l.zbar[j]
	}
	l.zOut[j] = z
	return f
}

// Output lets all synapses of target j see its output z at t; f is what Centre
// made of it.
func (l *Rates) Output(j int, t event.Time, z, f float64) {
	l.z[j] = z
	for _, i := range l.column[l.first[j]:l.first[j+1]] {
		l.OutputAt(i, t, f)
	}
}

// OutputAt lets one synapse see it.
func (l *Rates) OutputAt(i uint32, t event.Time, f float64) {
	s := &l.st[i]
	s.F = f
	l.turn(i, t, float64(s.X*f), l.alpha[i])
}

// Column lists the synapses of target j.
func (l *Rates) Column(j int) []uint32 { return l.column[l.first[j]:l.first[j+1]] }

// Turn sets α̂ of synapse i from t on.
func (l *Rates) Turn(i uint32, t event.Time, alpha float64) { l.turn(i, t, l.st[i].Q, alpha) }

// Close closes every window up to and at t and returns the weights that changed.
// The slice is reused.
func (l *Rates) Close(t event.Time) []synapse.Reweigh {
	l.changed = l.changed[:0]
	for len(l.order) > 0 {
		if l.live == 0 && !l.All {
			l.skip(t)
			break
		}
		i := l.order[l.place]
		k := l.k0[l.place] + l.lap
		c := l.close(k, l.centre[i])
		if c.At > t {
			break
		}
		l.shut(i, k, c)
		if l.place++; l.place == len(l.order) {
			l.place = 0
			l.lap++
		}
	}
	return l.changed
}

// skip walks over windows of synapses nothing can come of.
func (l *Rates) skip(t event.Time) {
	i := l.order[0]
	if k := l.awaited(t+1, l.centre[i]) - 1; k > l.k0[0]+l.lap {
		l.place, l.lap = 0, k-l.k0[0]
	}
	for {
		i, k := l.order[l.place], l.k0[l.place]+l.lap
		if l.close(k, l.centre[i]).At > t {
			break
		}
		if l.place++; l.place == len(l.order) {
			l.place = 0
			l.lap++
		}
	}
}

func (l *Rates) shut(i uint32, k int64, c event.Instant) {
	s := &l.st[i]
	if l.P.Update == Continuous {
		l.undoFlow = append(l.undoFlow, flowed{i, *s, l.alpha[i]})
		l.shutContinuous(i, c)
		return
	}
	o := l.open(k, l.centre[i])
	was := !s.silent()
	l.add(s, i, c, o, c)
	kappa := 1.0
	if l.P.Gate {
		kappa = l.P.GateGain
	}
	l.decide(i, k, o, c, float64(kappa*s.Cand))
	s.Cand = 0
	// Traces whose source has ceased and that no longer matter are forgotten.
	dt := c.From(s.T)
	f, sl := moved(s.Fast, s.Q, l.P.TauFast, dt), moved(s.Slow, s.Q, l.P.TauSlow, dt)
	fastOver := math.Abs(f) < float64(float64(1e-12*l.P.TauFast)*s.Peak)
	slowOver := math.Abs(sl) < float64(float64(1e-12*l.P.TauSlow)*s.Peak)
	if s.Q == 0 {
		if fastOver {
			s.Fast = 0
		}
		if slowOver {
			s.Slow = 0
		}
		if s.Fast == 0 && s.Slow == 0 {
			s.Peak = 0
		}
	}
	if is := !s.silent(); was && !is {
		l.live--
	} else if !was && is {
		l.live++
	}
}

func (l *Rates) decide(i uint32, k int64, o, c event.Instant, value float64) {
	if value == 0 && !l.All {
		return
	}
	s := &l.st[i]
	w0 := s.W
	before := w0
	var at event.Time
	if l.wAt != nil {
		at = l.wAt[i]
		before = l.P.decayed(before, c.From(at))
	}
	after, p, u, applied := l.P.apply(before, value, func() float64 { return l.W.Draw(i, l.source[i], k) })
	if value != 0 {
		l.Counts.Opportunities++
		if !l.P.Bernoulli && l.All {
			u = l.W.Draw(i, l.source[i], k) // for the record: it did not count
		}
	}
	if applied {
		l.Counts.Applied++
		if !c.Reached(l.old) {
			l.undo = append(l.undo, undo{c, i, w0, at})
		}
		s.W = after
		if l.wAt != nil {
			l.wAt[i] = c.Rounded()
		}
		if after != w0 {
			l.changed = append(l.changed, synapse.Reweigh{Synapse: i, Close: c, W: after})
		}
	}
	if applied && l.Keep || l.All {
		if o.At < 0 {
			o = event.Instant{}
		}
		e := synapse.Entry{Close: c, Open: o, Synapse: i, K: k, Value: value, P: p, U: u, Applied: applied, Before: before}
		if applied {
			e.DW = after - before
		}
		l.Entries = append(l.Entries, e)
	}
}

// Weight is the magnitude of synapse i at t, the time reached.
func (l *Rates) Weight(i uint32, t event.Time) float64 {
	switch {
	case l.P.Update == Continuous:
		return l.flow(i, t)
	case l.wAt == nil:
		return l.st[i].W
	}
	return l.P.decayed(l.st[i].W, (t - l.wAt[i]).MS())
}

// Weights are the magnitudes at t, by position in the rows, after Close(t).
func (l *Rates) Weights(t event.Time) []float64 {
	w := make([]float64, len(l.st))
	at := slices.Clone(l.wAt)
	if l.P.Update == Continuous {
		st, al := slices.Clone(l.st), slices.Clone(l.alpha)
		for k := len(l.undoFlow) - 1; k >= 0; k-- {
			if u := &l.undoFlow[k]; l.st[u.i].T > t {
				l.st[u.i], l.alpha[u.i] = u.st, u.alpha
			}
		}
		for i := range w {
			w[i] = l.flow(uint32(i), t)
		}
		copy(l.st, st)
		copy(l.alpha, al)
		return w
	}
	for i := range w {
		w[i] = l.st[i].W
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

// Traces are e_fast and e_slow of synapse i at t, the time reached.
func (l *Rates) Traces(i uint32, t event.Time) (fast, slow float64) { return l.traces(&l.st[i], t) }

// Gate is g of synapse i at t.
func (l *Rates) Gate(i uint32, t event.Time) float64 { return l.gateAt(&l.P, t, l.centre[i]) }

// Alpha is α of synapse i, without fan-in gain.
func (l *Rates) Alpha(i uint32) float64 {
	return l.P.ungained(l.alpha[i], l.fanIn, int(l.W.Rows.Target[i]))
}

// X is the input of synapse i.
func (l *Rates) X(i uint32) float64 { return l.st[i].X }

// RateAttention is local attention among rate units in one block: at each change
// of an input or of the output of a target,
//
//	c_j ← c_j e^{−Δ/τ_ctx} + (1 − e^{−Δ/τ_ctx}) z_j Σ_i x_i v_i
//
// with the values that held in the interval just ended, and α anew.
type RateAttention struct {
	members []*Rates
	embed   []*Embedding
	p       *Params
	dim     int
	ctx     []float64
	ctxAt   []event.Time
	alpha   []float64
}

// NewRateAttention joins the rules of a group; they agree on the softmax.
func NewRateAttention(members []*Rates, embed []*Embedding) (*RateAttention, error) {
	p := &members[0].P
	a := &RateAttention{members: members, embed: embed, p: p, dim: p.EmbedDim}
	for _, l := range members {
		if q := &l.P; q.EmbedDim != p.EmbedDim || q.TauCtx != p.TauCtx || q.BetaA != p.BetaA || q.Dot != p.Dot || q.AlphaCycle != p.AlphaCycle || q.FanIn != p.FanIn {
			return nil, ErrGroup
		}
		if l.W.Dendritics != nil || l.W.Dendritic != members[0].W.Dendritic {
			return nil, ErrGroup
		}
	}
	n := members[0].W.Targets
	for _, l := range members {
		l.fanIn = make([]int, n)
		for j := range n {
			l.fanIn[j] = a.fanIn(j)
		}
	}
	a.ctx, a.ctxAt = make([]float64, n*a.dim), make([]event.Time, n)
	a.Reset()
	return a, nil
}

// Reset returns to t = 0; the rules have been reset.
func (a *RateAttention) Reset() {
	clear(a.ctx)
	clear(a.ctxAt)
	for j := range len(a.ctxAt) {
		f := a.fanIn(j)
		for _, l := range a.members {
			for _, i := range l.column[l.first[j]:l.first[j+1]] {
				l.alpha[i] = a.p.even(f)
			}
		}
	}
}

func (a *RateAttention) fanIn(j int) int {
	f := 0
	for _, l := range a.members {
		f += int(l.first[j+1] - l.first[j])
	}
	return f
}

// Before moves the context of target j to t, where something changes, with the
// values that held until then. It is to be called before the change.
func (a *RateAttention) Before(j int, t event.Time) {
	if t == a.ctxAt[j] {
		return
	}
	c := a.ctx[j*a.dim : (j+1)*a.dim]
	x := -(t - a.ctxAt[j]).MS() / a.p.TauCtx
	f, g := fmath.Exp(x), -fmath.Expm1(x)
	for k := range c {
		c[k] = float64(c[k] * f)
	}
	for m, l := range a.members {
		z := l.z[j]
		if z == 0 {
			continue
		}
		for _, i := range l.column[l.first[j]:l.first[j+1]] {
			if xi := l.st[i].X; xi != 0 {
				w := float64(g * float64(z*xi))
				for k, v := range a.embed[m].of(l.source[i], t) {
					c[k] += float64(w * v)
				}
			}
		}
	}
	a.ctxAt[j] = t
}

// After takes α of target j anew at t, after the change; at a cycle start where α
// is held over cycles.
func (a *RateAttention) After(j int, t event.Time) {
	c := a.ctx[j*a.dim : (j+1)*a.dim]
	norm := 0.0
	for _, x := range c {
		norm += float64(x * x)
	}
	norm = math.Sqrt(norm)
	a.alpha = a.alpha[:0]
	f := a.fanIn(j)
	factor := a.p.BetaA / norm
	if a.p.Dot {
		factor = a.p.BetaA
	}
	most, sum := math.Inf(-1), 0.0
	for m, l := range a.members {
		for _, i := range l.column[l.first[j]:l.first[j+1]] {
			s := 0.0
			if norm > 0 {
				for k, v := range a.embed[m].of(l.source[i], t+1) {
					s += float64(v * c[k])
				}
				s = float64(s * factor)
			}
			most = max(most, s)
			a.alpha = append(a.alpha, s)
		}
	}
	for k, s := range a.alpha {
		a.alpha[k] = fmath.Exp(s - most)
		sum += a.alpha[k]
	}
	if a.p.FanIn {
		sum /= float64(f)
	}
	k := 0
	for _, l := range a.members {
		for _, i := range l.column[l.first[j]:l.first[j+1]] {
			l.Turn(i, t, a.alpha[k]/sum)
			k++
		}
	}
}

// Context adds the contexts c_j, as last updated and decayed to t, to sum.
func (a *RateAttention) Context(t event.Time, sum []float64) {
	for j := range a.ctxAt {
		f := fmath.Exp(-(t - a.ctxAt[j]).MS() / a.p.TauCtx)
		for k := range sum {
			sum[k] += float64(a.ctx[j*a.dim+k] * f)
		}
	}
}

// Targets is the number of targets.
func (a *RateAttention) Targets() int { return len(a.ctxAt) }
