package stdp

import (
	"slices"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/synapse"
)

// Dopamine is modulated STDP for the synapses of one Wiring: coincidences of
// arrivals and post spikes change an eligibility, and modulators turn it into a
// change of weight,
//
//	dc/dt = −c/τ_c + A_+ x δ(t − post) + A_− y δ(t − arrival),   dw/dt = c D(t),
//
// with traces x of arrivals and y of post spikes (docs/plasticity.md, Dopamine).
//
// A synapse is taken up to the instant of each arrival at it, through the post
// spikes that have reached it since the last one, and to that of each settle pass;
// to no other. What its last arrival does to its eligibility is left for the next
// visit, since some rules let it see post spikes of the same instant.
type Dopamine struct {
	P DopamineParams
	synapse.Ledger
	w      *synapse.Wiring
	course *course
	st     []eligible
	each   bool // synapses of a row have delays of their own
	// Of each source: arrivals that some synapse has still to go by, counted from
	// number on, and the last settle pass that its synapses went through.
	seen    [][]arrival
	number  []uint32
	settled []event.Time
	marks   []mark   // unless each: of the instant up to which a row is
	passed  []uint32 // each: arrivals so far, by synapse
	row     mark     // of the arrival in progress
	posts   []train
	most    event.Time // from a post spike to the last synapse that has found it
	plus    float64    // 1/τ_+, 1/τ_− [1/ms]
	minus   float64
	epochs  epochs
	back    float64    // e^{look/τ_+}
	look    event.Time // a post spike takes x as it was that long before; −1: it sees earlier arrivals

	read    event.Time // weights may be asked for from there on
	undo    []undone
	kept    []eligible
	pass    event.Time // the last settle pass
	passEnd event.Time // arrivals up to there had been handed over then
	before  event.Time // the settle pass before it
	last    event.Time // the latest arrival so far
	stale   bool       // there may be something to forget
	live    int        // settle passes until nothing is left to forget
	steps   []step     // scratch of Foresee
}

// eligible is what a synapse carries, 16 B.
type eligible struct {
	w float64 // magnitude
	c float64 // eligibility times e^{t/τ_c} of the epoch it is in
}

// arrival is a spike of a source with the trace that it leaves.
type arrival struct {
	at        event.Time // of the spike
	before, x float64    // right before and after
}

// train is the post spikes of a target that some synapse may still have to find.
type train struct {
	list  []found
	marks []mark // of when synapses find them, when they do so together; lift 0: not yet made
}

// found is a post spike. Exponentials are factored into one of the post spike
// and one of the row (factors), relative to the start o of one of the epochs that
// law has.
type found struct {
	at event.Time
	y  float64 // trace right after it, times e^{(at−o)/τ_−}
	x  float64 // e^{−(at−o)/τ_+}
	n  int64   // number of the epoch
}

// cut keeps the first n spikes.
func (x *train) cut(n int) { x.list, x.marks = x.list[:n], x.marks[:n] }

// drop forgets the first n.
func (x *train) drop(n int) {
	x.list = x.list[:copy(x.list, x.list[n:])]
	x.marks = x.marks[:copy(x.marks, x.marks[n:])]
}

// visit is where synapses of one source with the same delays stand.
type visit struct {
	from      event.Time // everything before has happened to them
	owed      bool       // the arrival at from has not changed their eligibility
	at        event.Time // of the last arrival
	before, x float64    // its trace
	axonal    event.Time
	late      event.Time // from a post spike until they find it
	seen      []arrival
}

// undone is a piece of a row before something changed it at an instant.
type undone struct {
	at      event.Time
	src     uint32
	lo, hi  uint32
	kept    int // where its synapses are kept
	visit   visit
	arrived bool // visit is
}

// step is an instant on the way to an arrival that is foreseen.
type step struct {
	visit   visit
	factors factors
	from    mark
	to      mark
	until   event.Time
}

// NewDopamine makes the rule for the synapses w, with the drive Σ_k w_k n_k.
func NewDopamine(p DopamineParams, w *synapse.Wiring, d *synapse.Drive) *Dopamine {
	n := w.Sources()
	l := &Dopamine{P: p, w: w, course: newCourse(&p, d), st: make([]eligible, w.Rows.Len()),
		each: w.Rows.Delay != nil || w.Dendritics != nil,
		seen: make([][]arrival, n), number: make([]uint32, n), settled: make([]event.Time, n),
		posts: make([]train, w.Targets), epochs: newEpochs(min(p.TauPlus, p.TauMinus)), plus: 1 / p.TauPlus, minus: 1 / p.TauMinus,
		most: w.MostDendritic(), look: -1}
	if p.Semantics == Daspnet {
		l.look = event.Millisecond
		l.back = fmath.Exp(float64(l.look.MS() * l.plus))
		l.most += p.PostLag
	}
	if l.each {
		l.passed = make([]uint32, len(l.st))
	} else {
		l.marks = make([]mark, n)
	}
	room := make([]arrival, 4*n)
	for s := range l.seen {
		l.seen[s] = room[4*s : 4*s : 4*s+4]
	}
	l.Reset()
	return l
}

// Reset returns to the state at t = 0.
func (l *Dopamine) Reset() {
	for i := range l.st {
		l.st[i] = eligible{w: l.w.WeightOf(uint32(i))}
	}
	for s := range l.seen {
		l.seen[s] = l.seen[s][:0]
	}
	for j := range l.posts {
		l.posts[j].cut(0)
	}
	clear(l.number)
	clear(l.settled)
	clear(l.passed)
	l.course.reset()
	l.read, l.pass, l.passEnd, l.before, l.last = 0, 0, 0, 0, 0
	l.stale, l.live = false, 0
	l.undo, l.kept = l.undo[:0], l.kept[:0]
}

// Begin starts a window: weights of times before read are asked for no more.
func (l *Dopamine) Begin(_, read event.Time) {
	l.read = read
	l.undo, l.kept = l.undo[:0], l.kept[:0]
	if l.stale {
		l.forget()
		l.stale = false
	}
	l.course.extend()
}

// late is the time from a post spike until synapse i finds it.
func (l *Dopamine) late(i uint32) event.Time {
	if l.P.Semantics == Daspnet {
		return l.w.DendriticOf(i) + l.P.PostLag
	}
	return l.w.DendriticOf(i)
}

// enter is where synapse i of src stands; false before anything has arrived at it.
func (l *Dopamine) enter(src, i uint32) (visit, bool) {
	seen := l.seen[src]
	if l.each {
		seen = seen[:l.passed[i]-l.number[src]]
	}
	if len(seen) == 0 {
		return visit{}, false
	}
	a := &seen[len(seen)-1]
	v := visit{axonal: l.w.AxonalOf(i), late: l.late(i), before: a.before, x: a.x, seen: seen, owed: true}
	v.at = a.at + v.axonal
	v.from = v.at
	if s := l.settled[src]; s >= v.from && s > 0 {
		v.from, v.owed = s, false
	}
	return v, true
}

// follow is the visit after one more arrival at t; l.seen is not changed.
func (l *Dopamine) follow(v *visit, t event.Time) visit {
	n := *v
	n.seen = append(v.seen[:len(v.seen):len(v.seen)], l.arrival(v.seen, t-v.axonal))
	a := &n.seen[len(n.seen)-1]
	n.at, n.from, n.owed, n.before, n.x = t, t, true, a.before, a.x
	return n
}

// arrival is a spike at s after those seen.
func (l *Dopamine) arrival(seen []arrival, s event.Time) arrival {
	a := arrival{at: s, x: 1}
	if n := len(seen); n > 0 {
		b := &seen[n-1]
		a.before = float64(b.x * fmath.Exp(-float64((s-b.at).MS()*l.plus)))
	}
	if !l.P.Set {
		a.x += a.before
	}
	return a
}

// factors are the exponentials of the pairs of a row: of the arrival that is owed with
// post spikes before it, and of the last arrival with post spikes after it.
type factors struct{ down, up decay }

func (l *Dopamine) factors(v *visit) factors {
	return factors{l.epochs.decayTo(v.from-v.late, l.minus), l.epochs.decayFrom(v.at-v.late, l.plus)}
}

// trace is x as a post spike takes it.
func (l *Dopamine) trace(v *visit, f *factors, p *found) float64 {
	if l.look >= 0 {
		t := p.at + v.late - l.look
		if t < v.at {
			return l.lookBack(v, t)
		}
		return float64(v.x * float64(float64(f.up.at(p.n)*p.x)*l.back))
	}
	if p.at+v.late == v.at {
		return v.before
	}
	return float64(v.x * float64(f.up.at(p.n)*p.x))
}

// lookBack is x at t, arrivals at t included.
func (l *Dopamine) lookBack(v *visit, t event.Time) float64 {
	for k := len(v.seen) - 1; k >= 0; k-- {
		if a := &v.seen[k]; a.at+v.axonal <= t {
			return float64(a.x * fmath.Exp(-float64((t-a.at-v.axonal).MS()*l.plus)))
		}
	}
	return 0
}

// advance takes a synapse with target j, which stands at v (a is its mark), up
// to b, through post spikes that it finds before until.
func (l *Dopamine) advance(s eligible, j uint16, v *visit, f *factors, a *mark, until event.Time, b *mark) eligible {
	list := l.posts[j].list
	n := len(list)
	since := v.from - v.late // of the post spikes not yet found
	if !v.owed {
		since++
	}
	for n > 0 && list[n-1].at >= since {
		n--
	}
	if v.owed {
		k := n
		if l.look >= 0 { // the same instant included
			for k < len(list) && list[k].at == since {
				k++
			}
		}
		if k > 0 {
			p := &list[k-1]
			l.jump(&s, float64(l.P.AMinus*float64(f.down.at(p.n)*p.y)), a)
		}
	}
	lo, hi := l.P.WMin, l.P.WMax
	for until -= v.late; n < len(list) && list[n].at < until; n++ {
		p := &list[n]
		var m *mark
		if l.w.Dendritics != nil {
			own := l.course.mark(p.at + v.late)
			m = &own
		} else if m = &l.posts[j].marks[n]; m.lift == 0 {
			*m = l.course.mark(p.at + v.late)
		}
		s.w, s.c = l.course.flow(s.w, s.c, lo, hi, a, m)
		l.jump(&s, float64(l.P.APlus*l.trace(v, f, p)), m)
		a = m
	}
	s.w, s.c = l.course.flow(s.w, s.c, lo, hi, a, b)
	return s
}

// jump changes the eligibility by x at m, or without one the weight.
func (l *Dopamine) jump(s *eligible, x float64, m *mark) {
	if l.P.TauC == 0 {
		s.w = clip(s.w+float64(x*m.level), l.P.WMin, l.P.WMax)
		return
	}
	s.c += float64(x * m.lift)
}

// standing is the mark of where a visit stands.
func (l *Dopamine) standing(src uint32, v *visit) mark {
	if l.each {
		return l.course.mark(v.from)
	}
	return l.marks[src]
}

// Arrive lets a piece of the row of src see a presynaptic spike at t.
func (l *Dopamine) Arrive(src, lo, hi uint32, t event.Time, w []float64) {
	v, ok := l.enter(src, lo)
	l.row = l.course.mark(t)
	l.keep(t, src, lo, hi, &v, ok)
	st := l.st[lo:hi]
	if ok {
		a, f := l.standing(src, &v), l.factors(&v)
		target := l.w.Rows.Target[lo:hi]
		for k := range st {
			st[k] = l.advance(st[k], target[k], &v, &f, &a, t, &l.row)
		}
	}
	if w != nil {
		for k := range st {
			w[k] = st[k].w
		}
	}
	if l.each {
		seen := l.seen[src]
		if k := l.passed[lo] - l.number[src]; int(k) == len(seen) {
			l.seen[src] = append(seen, l.arrival(seen, t-l.w.AxonalOf(lo)))
		}
		for i := lo; i < hi; i++ {
			l.passed[i]++
		}
	}
	l.last = max(l.last, t)
	l.live = 2
}

// EndRow ends the arrival of a spike of src, after the row's last piece, at t.
func (l *Dopamine) EndRow(src uint32, t event.Time) {
	if l.each {
		return
	}
	l.seen[src] = append(l.seen[src], l.arrival(l.seen[src], t-l.w.Rows.MinDelay))
	l.marks[src] = l.row
}

// keep notes how a piece of a row was before something changes it at t, if weights
// before t may be asked for.
func (l *Dopamine) keep(t event.Time, src, lo, hi uint32, v *visit, ok bool) {
	if t <= l.read {
		return
	}
	l.undo = append(l.undo, undone{t, src, lo, hi, len(l.kept), *v, ok})
	l.kept = append(l.kept, l.st[lo:hi]...)
}

// Post adds a spike of target j at t.
func (l *Dopamine) Post(j int, t event.Time) {
	x := &l.posts[j]
	p := found{at: t, n: l.epochs.of(t)}
	in := l.epochs.into(t, p.n)
	y := 1.0
	if n := len(x.list); n > 0 && !l.P.Set {
		q := &x.list[n-1]
		y += float64(q.y * fmath.Exp(-float64(l.epochs.into(t, q.n)*l.minus)))
	}
	p.y = float64(y * fmath.Exp(float64(in*l.minus)))
	p.x = fmath.Exp(-float64(in * l.plus))
	x.list, x.marks = append(x.list, p), append(x.marks, mark{})
	l.live = 2
}

// Unpost takes back the last n calls of Post for target j.
func (l *Dopamine) Unpost(j, n int) { l.posts[j].cut(len(l.posts[j].list) - n) }

// ahead lists the instants from where a piece of a row stands to an arrival at t.
func (l *Dopamine) ahead(src, i uint32, earlier []event.Time, t event.Time) []step {
	l.steps = l.steps[:0]
	v, ok := l.enter(src, i)
	from := mark{}
	if ok {
		from = l.standing(src, &v)
	} else {
		v = visit{axonal: l.w.AxonalOf(i), late: l.late(i)}
	}
	for _, e := range earlier {
		to := l.course.mark(e)
		if ok {
			l.steps = append(l.steps, step{v, l.factors(&v), from, to, e})
		}
		v, from, ok = l.follow(&v, e), to, true
	}
	if ok {
		l.steps = append(l.steps, step{v, l.factors(&v), from, l.course.mark(t), t})
	}
	return l.steps
}

// Foresee writes to w what a piece of the row of src will transmit at t.
func (l *Dopamine) Foresee(src, lo, hi uint32, earlier []event.Time, known, t event.Time, w []float64, open []bool) {
	steps := l.ahead(src, lo, earlier, t)
	for i := lo; i < hi; i++ {
		s := l.st[i]
		for k := range steps {
			x := &steps[k]
			s = l.advance(s, l.w.Rows.Target[i], &x.visit, &x.factors, &x.from, x.until, &x.to)
		}
		w[i-lo] = s.w
	}
	// A post spike matters when it is found before t, after an arrival, and the
	// weight can flow in between.
	hangs := len(steps) > 0 && l.course.node(max(known, known-l.w.DendriticOf(lo)+l.late(lo))) < l.course.node(t)
	for k := range open {
		open[k] = hangs
	}
}

// Peek is the magnitude that synapse i of src will transmit at t.
func (l *Dopamine) Peek(i, src uint32, earlier []event.Time, t event.Time) float64 {
	s := l.st[i]
	steps := l.ahead(src, i, earlier, t)
	for k := range steps {
		x := &steps[k]
		s = l.advance(s, l.w.Rows.Target[i], &x.visit, &x.factors, &x.from, x.until, &x.to)
	}
	return s.w
}

// Settle takes all synapses up to t at the settle passes of the model.
func (l *Dopamine) Settle(t event.Time, pass bool) {
	if !pass || l.live == 0 {
		return
	}
	to := l.course.mark(t)
	for src := range l.seen {
		s := uint32(src)
		lo, hi := l.w.Rows.Ptr[s], l.w.Rows.Ptr[s+1]
		if lo == hi || len(l.seen[s]) == 0 {
			continue
		}
		if !l.each {
			v, _ := l.enter(s, lo)
			if v.from > t {
				continue
			}
			l.keep(t, s, lo, hi, &v, true)
			a, f := l.marks[s], l.factors(&v)
			for i := lo; i < hi; i++ {
				l.st[i] = l.advance(l.st[i], l.w.Rows.Target[i], &v, &f, &a, t+1, &to)
			}
			l.marks[s], l.settled[s] = to, t
			continue
		}
		for i := lo; i < hi; i++ {
			v, ok := l.enter(s, i)
			if !ok || v.from > t {
				continue
			}
			l.keep(t, s, i, i+1, &v, true)
			a, f := l.course.mark(v.from), l.factors(&v)
			l.st[i] = l.advance(l.st[i], l.w.Rows.Target[i], &v, &f, &a, t+1, &to)
		}
		l.settled[s] = t
	}
	l.before, l.pass, l.passEnd = l.pass, t, l.last
	l.stale = true
	l.live--
}

// forget drops what no synapse needs after the last settle pass, and no follower
// after the one before.
func (l *Dopamine) forget() {
	l.course.forget(l.before)
	for j := range l.posts {
		// The last one that all have found is kept for its trace.
		list, n := l.posts[j].list, 0
		for n+1 < len(list) && list[n+1].at+l.most < l.before {
			n++
		}
		if n > 0 {
			l.posts[j].drop(n)
		}
	}
	for src, list := range l.seen {
		n := len(list) - 1
		if l.each {
			for i := l.w.Rows.Ptr[src]; i < l.w.Rows.Ptr[src+1]; i++ {
				n = min(n, int(l.passed[i]-l.number[src])-1)
			}
		}
		// Those that a look back may still find.
		for n > 0 && list[n].at+l.w.Rows.MinDelay > l.before-max(l.look, 0) {
			n--
		}
		if n > 0 {
			l.seen[src] = list[:copy(list, list[n:])]
			l.number[src] += uint32(n)
		}
	}
}

// Live says whether a settle pass has still to be made.
func (l *Dopamine) Live() bool { return l.live > 0 }

// Weights are the magnitudes at t.
func (l *Dopamine) Weights(t event.Time) []float64 {
	out := make([]float64, len(l.st))
	old := make([]int, len(l.st)) // 1 + index in undo of how a synapse was
	for k := len(l.undo) - 1; k >= 0; k-- {
		if u := &l.undo[k]; u.at > t {
			for i := u.lo; i < u.hi; i++ {
				old[i] = k + 1
			}
		}
	}
	var to mark
	if len(l.course.at) > 0 {
		to = l.course.mark(t)
	}
	for src := range l.seen {
		for i := l.w.Rows.Ptr[src]; i < l.w.Rows.Ptr[src+1]; i++ {
			s := l.st[i]
			v, ok := l.enter(uint32(src), i)
			if k := old[i] - 1; k >= 0 {
				u := &l.undo[k]
				s, v, ok = l.kept[u.kept+int(i-u.lo)], u.visit, u.arrived
			}
			if ok {
				a, f := l.course.mark(v.from), l.factors(&v)
				s = l.advance(s, l.w.Rows.Target[i], &v, &f, &a, t+1, &to)
			}
			out[i] = s.w
		}
	}
	return out
}

// dopamineFollower follows one synapse.
type dopamineFollower struct {
	l      *Dopamine
	i      uint32
	s      eligible
	visit  visit
	any    bool         // something has arrived
	pass   event.Time   // the last settle pass gone through
	coming []event.Time // arrivals
}

// Follow makes a follower of synapse i of src, as it is now.
func (l *Dopamine) Follow(i, src uint32) synapse.Follower {
	f := &dopamineFollower{l: l, i: i, s: l.st[i], pass: l.pass}
	if f.visit, f.any = l.enter(src, i); f.any {
		f.visit.seen = slices.Clone(f.visit.seen)
	} else {
		f.visit = visit{axonal: l.w.AxonalOf(i), late: l.late(i)}
	}
	return f
}

// Expect tells of a spike of the source at t.
func (f *dopamineFollower) Expect(t event.Time) {
	f.coming = append(f.coming, t+f.visit.axonal)
}

// To takes the follower through arrivals up to t and settle passes.
func (f *dopamineFollower) To(t event.Time) {
	l := f.l
	for {
		next := event.MaxTime
		if len(f.coming) > 0 {
			next = f.coming[0]
		}
		switch {
		case f.pass < l.pass && l.pass < next && l.pass <= t:
			f.pass = l.pass
			if f.any && f.visit.from <= l.pass && !(next <= l.passEnd) {
				f.s = f.at(l.pass)
				f.visit.from, f.visit.owed = l.pass, false
			}
		case next <= t:
			f.s = f.until(next, next)
			f.visit, f.any = l.follow(&f.visit, next), true
			f.trim()
			f.coming = f.coming[:copy(f.coming, f.coming[1:])]
		default:
			return
		}
	}
}

// trim forgets arrivals that a look back finds no more.
func (f *dopamineFollower) trim() {
	v := &f.visit
	n := 0
	for n+2 < len(v.seen) && v.seen[n+1].at+v.axonal <= f.l.before-max(f.l.look, 0) {
		n++
	}
	v.seen = v.seen[n:]
}

// at is the synapse at t, everything at t included.
func (f *dopamineFollower) at(t event.Time) eligible { return f.until(t+1, t) }

func (f *dopamineFollower) until(until, t event.Time) eligible {
	if !f.any {
		return f.s
	}
	a, b, p := f.l.course.mark(f.visit.from), f.l.course.mark(t), f.l.factors(&f.visit)
	return f.l.advance(f.s, f.l.w.Rows.Target[f.i], &f.visit, &p, &a, until, &b)
}

// Read is the weight or the eligibility at t, to which the follower was taken.
func (f *dopamineFollower) Read(signal string, t event.Time) float64 {
	s := f.at(t)
	if signal == synapse.Weight {
		return s.w
	}
	if s.c == 0 {
		return 0
	}
	return s.c / f.l.course.mark(t).lift
}
