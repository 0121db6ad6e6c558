package hmn

import (
	"math"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/synapse"
)

// Spikes is the rule for the synapses of one projection between spiking
// populations onto one block. The block that owns it is the only one to touch
// it.
//
// A synapse is advanced lazily and only ever to what happens to itself: an
// arrival, a post spike, the close of a window. So the same bits come out
// however often, and when, it is visited; a read works on a copy.
//
// Its candidate is kept as a prediction: what the window will have gathered by
// its close if nothing else happens. A jump of a trace by J at t adds
// a_m J tail_m(t); a change of D(t) adds a_m e_m(t) times the tail of the change
// (docs/learning.md, rewritten so that no two large terms cancel).
type Spikes struct {
	P Params
	Cycle
	Drive *synapse.Drive
	W     synapse.Wiring
	synapse.Ledger

	st                          []spikeState
	class                       []uint8
	centres                     []float64 // nil: exact phases, by synapse
	memo                        []classMemo
	local                       windowMemo // where nothing is shared
	rFast, rSlow, rPlus, rMinus float64    // 1/τ [1/ms]
	gain                        []float64  // α̂ by target when it is neither 1 nor attention's
	fanIn                       []int      // F_j of the group, by target
	// pre is the filter of arrivals: by source when all synapses of a row see
	// a spike at one time, otherwise by synapse.
	pre     []Trace
	preEach bool
	posts   posts
	wave    wave
	vals    []float64
	tiny    float64
	// sumsHold says that e^{T/2τ} is small enough for running sums (docs/learning.md).
	sumsHold bool
	live     int          // synapses with a trace
	exact    bool         // the segment form; otherwise predictions
	touched  bool         // something happened that Settle has not seen to its end
	wAt      []event.Time // λ_w > 0: when the weight was last set
	phi      []float64    // learned phases: of the present window
	phiNext  []float64    // and of the next
	alpha    []float64    // attention: α̂ by synapse; the predictions contain it

	now tails // of the event in progress, by class
	// undo lists the commits of the present window, for reads of an earlier time.
	old      event.Time // its start
	undo     []undo
	undoFlow []flowedSpikes // what continuous update replaced in the present window
	// held lists weights as they were before closes at heldAt, where a run ended: an
	// arrival at that instant, not known then, finds them.
	held    map[uint32]undo
	heldAt  event.Time
	terms   [2][]synapse.Term // scratch of flow
	roots   []float64
	shadows map[uint32][]*Shadow // attention: those who follow a synapse
	flowing []*Shadow            // continuous update: all followers
	att     *Attention
	member  int // of att
}

// spikeState is what one synapse carries, 48 B.
type spikeState struct {
	W          float64 // magnitude
	Fast, Slow float64 // traces at T
	Cand       float64 // predicted candidate of window K; 0 while it is not open at T
	T          event.Time
	K          int32
	Post       uint32 // post spikes seen so far
}

// Trace is a filter right after its last jump.
type Trace struct {
	X  float64
	At event.Time
}

// posts is the history of post spikes, per target: those that some synapse has
// not seen yet, and one more.
type posts struct {
	base []uint32
	list [][]post
	memo [][][2]float64 // tails per (entry, class); NaN: not yet computed
}

type post struct {
	At event.Time // of the spike; a synapse sees it a dendritic delay later
	Z  float64    // ẑ right after it
}

// NewSpikes makes the rule for the synapses w. Drive is shared by all blocks of
// the projection.
func NewSpikes(p Params, w synapse.Wiring, d *synapse.Drive) *Spikes {
	l := &Spikes{P: p, Cycle: NewCycle(&p), Drive: d, W: w, tiny: p.dead()}
	l.exact = p.exactly()
	l.rFast, l.rSlow, l.rPlus, l.rMinus = 1/p.TauFast, 1/p.TauSlow, 1/p.TauPlus, 1/p.TauMinus
	l.sumsHold = l.T/(2*min(p.TauFast, p.TauSlow)) <= 8
	l.wave = l.Cycle.wave()
	n := w.Rows.Len()
	l.st = make([]spikeState, n)
	l.class, l.centres = l.Cycle.classes(&w)
	if p.EtaPhi > 0 {
		l.class, l.centres = nil, nil
		l.phi, l.phiNext = make([]float64, n), make([]float64, n)
	}
	l.memo = make([]classMemo, len(l.centres))
	l.now.by = make([]tailMemo, len(l.centres))
	l.preEach = w.Rows.Delay != nil || w.Dendritics != nil
	if l.preEach {
		l.pre = make([]Trace, n)
	} else {
		l.pre = make([]Trace, w.Sources())
	}
	if p.LambdaW > 0 {
		l.wAt = make([]event.Time, n)
	}
	l.posts.base = make([]uint32, w.Targets)
	l.posts.list = make([][]post, w.Targets)
	if len(l.centres) > 0 && len(l.centres) <= 16 && w.Dendritics == nil {
		l.posts.memo = make([][][2]float64, w.Targets)
	}
	l.Reset()
	return l
}

// Reset returns to the state at t = 0.
func (l *Spikes) Reset() {
	for i := range l.st {
		k := uint32(i)
		c := l.startCentre(k)
		l.st[i] = spikeState{W: l.W.WeightOf(k), K: int32(l.first(c))}
		if l.phi != nil {
			l.phi[i] = l.W.PhaseOf(k)
			l.phiNext[i] = l.phi[i]
		}
	}
	clear(l.pre)
	clear(l.wAt)
	clear(l.memo)
	clear(l.now.by)
	clear(l.posts.base)
	for j := range l.posts.list {
		l.posts.list[j] = l.posts.list[j][:0]
		if l.posts.memo != nil {
			l.posts.memo[j] = l.posts.memo[j][:0]
		}
	}
	l.Entries, l.Counts, l.undo, l.undoFlow = l.Entries[:0], synapse.Counts{}, l.undo[:0], l.undoFlow[:0]
	clear(l.shadows)
	l.flowing = l.flowing[:0]
	clear(l.held)
	l.live, l.touched, l.old = 0, false, 0
}

func (l *Spikes) startCentre(i uint32) float64 {
	if l.centres != nil {
		if l.class != nil {
			return l.centres[l.class[i]]
		}
		return l.centres[0]
	}
	return l.centre(l.W.PhaseOf(i))
}

// visit is one synapse while it is advanced: the synapse itself, or a copy.
type visit struct {
	s         *spikeState
	i, src    uint32
	j         int // target, block-local
	class     int // −1: no sharing
	centre    float64
	dend      event.Time
	pre       Trace
	alpha     float64 // α̂
	turn      float64 // attention: α̂ from the event in progress on
	wAt       event.Time
	phi, next float64
	dry       bool
}

// enter prepares a visit of synapse i of source src.
func (l *Spikes) enter(i, src uint32) visit {
	return l.enterAt(i, src, int(l.W.Rows.Target[i]))
}

// enterAt is enter for a synapse whose target is known to be j.
func (l *Spikes) enterAt(i, src uint32, j int) visit {
	v := visit{s: &l.st[i], i: i, src: src, j: j, class: -1, dend: l.W.DendriticOf(i), alpha: 1, turn: 1}
	switch {
	case l.phi != nil:
		v.phi, v.next = l.phi[i], l.phiNext[i]
		v.centre = l.centre(v.phi)
	case l.class != nil:
		v.class = int(l.class[i])
		v.centre = l.centres[v.class]
	case l.centres != nil:
		v.class, v.centre = 0, l.centres[0]
	default:
		v.centre = l.centre(l.W.Phases[i])
	}
	v.pre = l.preOf(i, src)
	if l.alpha != nil {
		v.alpha = l.alpha[i]
		v.turn = v.alpha
	} else if l.gain != nil {
		v.alpha = l.gain[v.j]
		v.turn = v.alpha
	}
	if l.wAt != nil {
		v.wAt = l.wAt[i]
	}
	return v
}

// preOf is the filter of arrivals of synapse i of source src.
func (l *Spikes) preOf(i, src uint32) Trace {
	if l.preEach {
		return l.pre[i]
	}
	return l.pre[src]
}

// leave stores what the visit keeps outside the state.
func (l *Spikes) leave(v *visit) {
	if l.alpha != nil {
		l.alpha[v.i] = v.alpha
	}
	if l.wAt != nil {
		l.wAt[v.i] = v.wAt
	}
	if l.phi != nil {
		l.phi[v.i], l.phiNext[v.i] = v.phi, v.next
	}
}

// nextPost is when the synapse sees the next post spike that it has not seen.
func (l *Spikes) nextPost(v *visit) event.Time {
	n := v.s.Post - l.posts.base[v.j]
	if list := l.posts.list[v.j]; int(n) < len(list) {
		return list[n].At + v.dend
	}
	return event.MaxTime
}

// due says whether an edge is passed by an advance to t.
func due(e event.Instant, t event.Time, incl bool) bool {
	return e.At < t || incl && e.At == t && e.Frac == 0
}

// advance takes the synapse through everything that happens to it before t, and
// with incl also at t: post spikes and closes of windows, in order. A close at the
// time of a jump is taken before it, which changes nothing but rounding (docs/learning.md):
// so a run may end there, when the jump is not known yet.
func (l *Spikes) advance(v *visit, t event.Time, incl bool) {
	s := v.s
	for l.P.Update == Continuous {
		sp := l.nextPost(v)
		if sp > t || sp == t && !incl {
			return
		}
		l.post(v, sp, event.Instant{})
	}
	for {
		sp := l.nextPost(v)
		if s.Fast == 0 && s.Slow == 0 && !l.All {
			// Nothing can come of a window before the next jump.
			to := min(sp, t)
			if l.edges(v).c.At < to {
				if l.phi != nil {
					v.rephase(l)
				}
				s.K, s.Cand = int32(l.awaited(to, v.centre)), 0
			}
		}
		c := l.edges(v).c
		switch {
		case !due(c, sp, true) && (sp < t || incl && sp == t):
			l.post(v, sp, c)
		case due(c, t, incl):
			l.shut(v, c)
		default:
			return
		}
	}
}

// closeAt is advance to t, and through closes at t.
func (l *Spikes) closeAt(v *visit, t event.Time) {
	l.advance(v, t, false)
	if l.P.Update == Continuous {
		return
	}
	for c := l.edges(v).c; due(c, t, true); c = l.edges(v).c {
		if l.held == nil {
			l.held = map[uint32]undo{}
		}
		l.held[v.i] = undo{c, v.i, v.s.W, v.wAt}
		l.shut(v, c)
	}
}

// rephase lets a learned phase act from the next window on.
func (v *visit) rephase(l *Spikes) {
	v.phi = v.next
	v.centre = l.centre(v.phi)
}

// post lets the synapse see a post spike at t.
func (l *Spikes) post(v *visit, t event.Time, c event.Instant) {
	s := v.s
	jump := 0.0
	if v.pre.X != 0 {
		jump = float64(l.P.APlus * float64(v.pre.X*fmath.Exp(-float64((t-v.pre.At).MS()*l.rPlus))))
	}
	n := s.Post
	s.Post++
	if l.att != nil {
		v.turn = l.att.alphaAt(l, v, int(n-l.posts.base[v.j]), t)
		if jump == 0 && s.dead() {
			v.alpha = v.turn
		}
	}
	if jump == 0 && v.turn == v.alpha {
		return
	}
	var m *[2]float64
	if l.posts.memo != nil {
		m = &l.posts.memo[v.j][int(n-l.posts.base[v.j])*len(l.centres)+v.class]
	}
	l.jump(v, t, c, jump, m)
}

// arrive lets the synapse see a presynaptic spike at t; everything before t has
// happened. ẑ is that before post spikes at t.
func (l *Spikes) arrive(v *visit, t event.Time, shared *tails) {
	s := v.s
	n := s.Post - l.posts.base[v.j]
	if n == 0 {
		return
	}
	p := l.posts.list[v.j][n-1]
	jump := float64(l.P.AMinus * float64(p.Z*fmath.Exp(-float64((t-v.dend-p.At).MS()*l.rMinus))))
	if jump == 0 {
		return
	}
	c := l.edges(v).c
	for l.P.Update != Continuous && due(c, t, true) {
		l.shut(v, c)
		c = l.edges(v).c
	}
	if shared == nil || v.class < 0 {
		l.jump(v, t, c, jump, nil)
		return
	}
	m := &shared.by[v.class]
	if !m.ok {
		m.fast, m.slow = l.tailsAt(t, c)
		m.ok = true
	}
	r := [2]float64{m.fast, m.slow}
	l.jump(v, t, c, jump, &r)
}

// jump changes the traces by jump at t and predicts what comes of it. memo holds
// the tails at t, NaN when they are still to be computed; nil: nothing is shared.
func (l *Spikes) jump(v *visit, t event.Time, c event.Instant, jump float64, memo *[2]float64) {
	s := v.s
	was := s.dead()
	if l.P.Update == Continuous {
		if !v.dry {
			l.undoFlow = append(l.undoFlow, flowedSpikes{v.i, *s, v.alpha})
		}
		l.drift(v, t)
	} else if l.exact {
		l.add(v, event.Instant{At: t})
	} else {
		l.predict(v, t, c)
	}
	dt := (t - s.T).MS()
	if s.Fast != 0 {
		s.Fast = float64(s.Fast * fmath.Exp(-float64(dt*l.rFast)))
	}
	if s.Slow != 0 {
		s.Slow = float64(s.Slow * fmath.Exp(-float64(dt*l.rSlow)))
	}
	s.T = t
	jf, js := jump, jump
	oldF, oldS := s.Fast, s.Slow
	if l.P.Overwrite && jump != 0 {
		jf, js = jump-s.Fast, jump-s.Slow
		s.Fast, s.Slow = jump, jump
	} else {
		s.Fast += jump
		s.Slow += jump
	}
	if l.P.Update != Continuous && !l.exact && l.edges(v).o.Reached(t) {
		var rf, rs float64
		switch {
		case memo == nil:
			rf, rs = l.tailsAt(t, c)
		case memo[0] != memo[0]:
			memo[0], memo[1] = l.tailsAt(t, c)
			fallthrough
		default:
			rf, rs = memo[0], memo[1]
		}
		if v.turn != v.alpha {
			// What was gathered so far stays; what the traces before the jump are
			// still to gather counts with the new α.
			s.Cand += float64((v.turn - v.alpha) * (float64(l.P.AFast*float64(oldF*rf)) + float64(l.P.ASlow*float64(oldS*rs))))
			v.alpha = v.turn
		}
		s.Cand += float64(v.alpha * (float64(l.P.AFast*float64(jf*rf)) + float64(l.P.ASlow*float64(js*rs))))
	}
	v.alpha = v.turn
	l.count(v, was)
	if l.phi != nil && jump != 0 {
		v.next = l.learnPhase(v.next, t)
	}
}

// gone says that a trace e, x time constants later, no longer matters.
func (l *Spikes) gone(e, x float64) bool {
	// e^{−20} > 1e-9: most need no exponential to tell.
	if e == 0 || x < 20 && math.Abs(e) > 1e9*l.tiny {
		return false
	}
	return math.Abs(e*fmath.Exp(-x)) < l.tiny
}

// dead says that no trace is left.
func (s *spikeState) dead() bool { return s.Fast == 0 && s.Slow == 0 }

// count keeps the number of synapses with a trace.
func (l *Spikes) count(v *visit, was bool) {
	if is := v.s.dead(); is != was && !v.dry {
		if is {
			l.live--
		} else {
			l.live++
		}
	}
}

// shut closes window K at c: decide on the candidate, forget traces that no
// longer matter, go on to the next window.
func (l *Spikes) shut(v *visit, c event.Instant) {
	s := v.s
	was := s.dead()
	if l.exact {
		l.add(v, c)
	} else {
		l.predict(v, c.At, c)
	}
	kappa := 1.0
	if l.P.Gate {
		kappa = l.P.GateGain
	}
	value := float64(kappa * s.Cand)
	l.decide(v, c, value)
	s.Cand = 0
	dt := c.From(s.T)
	if l.gone(s.Fast, float64(dt*l.rFast)) {
		s.Fast = 0
	}
	if l.gone(s.Slow, float64(dt*l.rSlow)) {
		s.Slow = 0
	}
	l.count(v, was)
	s.K++
	if l.phi != nil {
		v.rephase(l)
		for l.close(int64(s.K), v.centre).At <= c.At { // the phase moved by more than a cycle
			s.K++
		}
	}
	if s.Fast == 0 && s.Slow == 0 || l.exact && l.phi == nil {
		return
	}
	// The next window may already be open at the last jump: without a gate they
	// adjoin, and a learned phase may make them overlap. It gathers from the
	// close on.
	if o := l.edges(v).o; o.Reached(s.T) || l.phi != nil && o.Reached(c.At) {
		s.Fast = float64(s.Fast * fmath.Exp(-float64((c.At-s.T).MS()*l.rFast)))
		s.Slow = float64(s.Slow * fmath.Exp(-float64((c.At-s.T).MS()*l.rSlow)))
		s.T = c.At
		if l.exact {
			return
		}
		rf, rs := l.tailsAt(s.T, l.edges(v).c)
		s.Cand = float64(v.alpha * (float64(l.P.AFast*s.Fast*rf) + float64(l.P.ASlow*s.Slow*rs)))
	}
}

// decide applies Eq. 5 to a candidate.
func (l *Spikes) decide(v *visit, c event.Instant, value float64) {
	s := v.s
	if value == 0 && !l.All {
		return
	}
	before := s.W
	if l.wAt != nil {
		before = l.P.decayed(before, c.From(v.wAt))
	}
	k := int64(s.K)
	after, p, u, applied := l.P.apply(before, value, func() float64 { return l.W.Draw(v.i, v.src, k) })
	w0, at0 := s.W, v.wAt
	if applied {
		s.W = after
		v.wAt = c.Rounded()
	}
	if v.dry {
		return
	}
	if value != 0 {
		l.Counts.Opportunities++
	}
	if applied {
		l.Counts.Applied++
		if !c.Reached(l.old) {
			l.undo = append(l.undo, undo{c, v.i, w0, at0})
		}
	}
	if applied && l.Keep || l.All {
		if value != 0 && !l.P.Bernoulli {
			u = l.W.Draw(v.i, v.src, k) // for the record: it did not count
		}
		o := l.open(k, v.centre)
		if o.At < 0 {
			o = event.Instant{}
		}
		e := synapse.Entry{Close: c, Open: o, Synapse: v.i, K: k, Value: value, P: p, U: u, Applied: applied, Before: before}
		if applied {
			e.DW = after - before
		}
		l.Entries = append(l.Entries, e)
	}
}

// learnPhase is φ after a coincidence at t: φ + η_φ sin(Φ(t) − φ). It is not
// reduced: a step of 2π would be one of a whole cycle to the windows.
func (l *Spikes) learnPhase(phi float64, t event.Time) float64 {
	x := float64(t)
	n := math.Floor(x / l.hi)
	cycles := (math.FMA(-n, l.hi, x) - float64(n*l.lo)) / l.hi
	return phi + float64(l.P.EtaPhi*fmath.Sin(float64(2*math.Pi*cycles)+l.phase0-phi))
}

// Arrive lets synapses see a presynaptic spike: those at [lo, hi) of the row of
// src at time t, after everything before t. All post spikes before t are known.
// w, unless nil, receives what they transmit.
func (l *Spikes) Arrive(src, lo, hi uint32, t event.Time, w []float64) {
	l.touched = true
	l.now.at = t
	for i := range l.now.by {
		l.now.by[i].ok = false
	}
	for i := lo; i < hi; i++ {
		v := l.enter(i, src)
		l.advance(&v, t, false)
		if w != nil {
			w[i-lo] = l.arriving(&v, t)
		}
		l.arrive(&v, t, &l.now)
		l.leave(&v)
		if l.preEach {
			l.pre[i] = l.P.filter(v.pre, t)
		}
	}
}

// EndRow ends the arrival of a spike of src, when all its synapses have seen it
// at t.
func (l *Spikes) EndRow(src uint32, t event.Time) {
	if !l.preEach {
		l.pre[src] = l.P.filter(l.pre[src], t)
	}
}

// filter is the filter of arrivals after one more at t.
func (p *Params) filter(x Trace, t event.Time) Trace {
	if p.Nearest || x.X == 0 {
		return Trace{1, t}
	}
	return Trace{float64(x.X*fmath.Exp(-(t-x.At).MS()/p.TauPlus)) + 1, t}
}

// arriving is the magnitude that an arrival at t finds: at a close the one before.
func (l *Spikes) arriving(v *visit, t event.Time) float64 {
	if t == l.heldAt {
		if h, ok := l.held[v.i]; ok {
			if l.wAt == nil {
				return h.before
			}
			return l.P.decayed(h.before, (t - h.wAt).MS())
		}
	}
	return l.weightAt(v, t)
}

// weightAt is the magnitude at t of a synapse that was advanced to it.
func (l *Spikes) weightAt(v *visit, t event.Time) float64 {
	switch {
	case l.P.Update == Continuous:
		return l.flow(v, t)
	case l.wAt == nil:
		return v.s.W
	}
	return l.P.decayed(v.s.W, (t - v.wAt).MS())
}
