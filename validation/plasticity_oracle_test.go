package validation

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"hmn/event"
)

// References of plastic rules: each is the published equation, evaluated at one
// synapse from the times at which spikes reach it. A trace is the sum over all
// spikes of the past, not a recursion; all is in 128 binary digits. They share
// nothing with the packages synapse and network.

// bond is one synapse and what its two sides send.
type bond struct {
	pre, post         []event.Time // as sent, ascending
	axonal, dendritic event.Time
	weight            float64
	jumps             []factorJump // of modulators, by time
}

// factorJump is a jump of modulator k at the synapse.
type factorJump struct {
	at     event.Time
	k      int
	amount float64
}

// arrivals and posts are the spikes of either side as they reach the synapse.
func (b *bond) arrivals() []event.Time { return later(b.pre, b.axonal) }
func (b *bond) posts() []event.Time    { return later(b.post, b.dendritic) }

func later(times []event.Time, d event.Time) []event.Time {
	out := slices.Clone(times)
	for i := range out {
		out[i] += d
	}
	return out
}

// meeting is one event at a synapse.
type meeting struct {
	at   event.Time
	kind int // modulator, arrival, post, read: their order at one instant
	n    int // among those of its kind
}

const (
	meetJump = iota
	meetArrival
	meetPost
	meetRead
)

// meetings are all events of the synapse up to the last of the reads, in order.
func (b *bond) meetings(reads []event.Time) (all []meeting) {
	add := func(t event.Time, kind, n int) {
		if t <= reads[len(reads)-1] {
			all = append(all, meeting{t, kind, n})
		}
	}
	for n, t := range reads {
		add(t, meetRead, n)
	}
	for n, j := range b.jumps {
		add(j.at, meetJump, n)
	}
	for n, t := range b.arrivals() {
		add(t, meetArrival, n)
	}
	for n, t := range b.posts() {
		add(t, meetPost, n)
	}
	slices.SortFunc(all, func(x, y meeting) int {
		return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.kind, y.kind), cmp.Compare(x.n, y.n))
	})
	return all
}

// decays is e^(−d/τ), τ in ms.
func decays(d event.Time, tau float64) real {
	return expReal(neg(over(whole(int64(d)), times(num(tau), whole(1e9)))))
}

// compensated is a sum in float64 that keeps what its additions round off (Neumaier
// 1974). Terms from math.Exp are right to 1.1e-16, and so is the sum of positive
// ones: enough for long trains, and a hundred times faster than 128 digits.
type compensated struct{ sum, lost float64 }

func (t *compensated) add(x float64) {
	s := t.sum + x
	if math.Abs(t.sum) >= math.Abs(x) {
		t.lost += (t.sum - s) + x
	} else {
		t.lost += (x - s) + t.sum
	}
	t.sum = s
}

func (t *compensated) real() real { return plus(num(t.sum), num(t.lost)) }

// window is the part of ascending times in [from, to), or (from, to] when shifted.
func window(t []event.Time, from, to event.Time, shifted bool) []event.Time {
	below := func(x event.Time) int {
		return sort.Search(len(t), func(i int) bool { return t[i] > x || !shifted && t[i] == x })
	}
	return t[min(below(from), below(to)):below(to)]
}

const never = event.Time(math.MinInt64)

// trace is Σ e^(−(t−t_k)/τ) over the times; nearest takes the last one only.
// Terms below e^−120 of the largest (coarse: e^−60) are left out.
func trace(past []event.Time, t event.Time, tau float64, nearest, coarse bool) real {
	n := len(past)
	if n == 0 {
		return fresh()
	}
	if nearest {
		return decays(t-past[n-1], tau)
	}
	if coarse {
		var s compensated
		for k := n - 1; k >= 0 && float64(past[n-1]-past[k]) < 60e9*tau; k-- {
			s.add(math.Exp(-float64(t-past[k]) / (tau * 1e9)))
		}
		return s.real()
	}
	s := fresh()
	for k := n - 1; k >= 0 && float64(past[n-1]-past[k]) < 120e9*tau; k-- {
		s.Add(s, decays(t-past[k], tau))
	}
	return s
}

// pairing says which arrivals and post spikes make a pair (Morrison, Diesmann &
// Gerstner 2008, doi:10.1007/s00422-008-0233-1, Fig. 7).
type pairing int

const (
	allToAll    pairing = iota
	symmetric           // a spike of either side with the last one of the other
	presynaptic         // an arrival with the last post spike before and the next after it
	reduced             // neighbours only: no third spike of the two trains between them
)

var pairingNames = []string{"all_to_all", "nearest_symmetric", "nearest_presynaptic", "nearest_reduced"}

// pairs are the two traces of a rule as spikes of the other side find them.
type meetingPairs struct {
	arrivals, posts []event.Time
	by              pairing
	// causal: a post spike sees the arrivals of its own instant.
	causal bool
	coarse bool
}

// x is what the n-th post spike finds.
func (p *meetingPairs) x(n int, tau float64) real {
	from := never
	if n > 0 && (p.by == presynaptic || p.by == reduced) {
		from = p.posts[n-1]
	}
	return trace(window(p.arrivals, from, p.posts[n], p.causal), p.posts[n], tau, p.by == symmetric || p.by == reduced, p.coarse)
}

// y is what the n-th arrival finds.
func (p *meetingPairs) y(n int, tau float64) real {
	from := never
	if n > 0 && p.by == reduced {
		from = p.arrivals[n-1]
	}
	return trace(window(p.posts, from, p.arrivals[n], false), p.arrivals[n], tau, p.by != allToAll, p.coarse)
}

// own is the trace of one side's earlier spikes as its n-th finds it.
func (p *meetingPairs) own(t []event.Time, n int, tau float64) real {
	return trace(t[:n], t[n], tau, p.by != allToAll, p.coarse)
}

// account is a weight and the sum of the magnitudes of what was added to it.
type account struct{ w, total real }

func (a *account) add(d, lo, hi real) {
	a.w = clamp(plus(a.w, d), lo, hi)
	a.total = plus(a.total, magnitude(d))
}

// stdpOracle is pair STDP: at a post spike w += A_+ f_+(w) x, at an arrival
// w += A_− f_−(w) y. Song, Miller & Abbott 2000 (μ = 0); Rubin, Lee & Sompolinsky
// 2001 (μ = 1); Gütig et al. 2003 (between); Morrison, Aertsen & Diesmann 2007
// (power law).
type stdpOracle struct {
	aPlus, aMinus, tauPlus, tauMinus float64
	muPlus, muMinus                  float64
	wMin, wMax                       float64
	power                            bool
	wRef                             float64
	by                               pairing
	causal                           bool
}

func (r stdpOracle) weights(b *bond, reads []event.Time, coarse bool) (out []account) {
	p := &meetingPairs{b.arrivals(), b.posts(), r.by, r.causal, coarse}
	lo, hi := num(r.wMin), num(r.wMax)
	a := account{num(b.weight), fresh()}
	for _, m := range b.meetings(reads) {
		switch {
		case m.kind == meetPost && r.power:
			a.add(times(num(r.aPlus), powReal(num(r.wRef), minus(whole(1), num(r.muPlus))), powReal(a.w, num(r.muPlus)), p.x(m.n, r.tauPlus)), lo, hi)
		case m.kind == meetPost:
			a.add(times(num(r.aPlus), hi, powReal(minus(whole(1), over(a.w, hi)), num(r.muPlus)), p.x(m.n, r.tauPlus)), lo, hi)
		case m.kind == meetArrival && r.power:
			a.add(times(num(r.aMinus), a.w, p.y(m.n, r.tauMinus)), lo, hi)
		case m.kind == meetArrival:
			a.add(times(num(r.aMinus), hi, powReal(over(a.w, hi), num(r.muMinus)), p.y(m.n, r.tauMinus)), lo, hi)
		case m.kind == meetRead:
			out = append(out, a)
		}
	}
	return out
}

// tripletOracle is Pfister & Gerstner 2006, doi:10.1523/JNEUROSCI.1425-06.2006,
// Eqs. 3 and 4: at an arrival w −= o_1 (A_2− + A_3− r_2), at a post spike
// w += r_1 (A_2+ + A_3+ o_2), with r_2 and o_2 as they were just before. Amplitudes
// are signed here, and in units of w_max.
type tripletOracle struct {
	a2Plus, a3Plus, a2Minus, a3Minus float64
	tauPlus, tauMinus, tauX, tauY    float64
	wMin, wMax                       float64
	nearest, causal                  bool
}

func (r tripletOracle) weights(b *bond, reads []event.Time, coarse bool) (out []account) {
	by := allToAll
	if r.nearest {
		by = symmetric
	}
	p := &meetingPairs{b.arrivals(), b.posts(), by, r.causal, coarse}
	lo, hi := num(r.wMin), num(r.wMax)
	a := account{num(b.weight), fresh()}
	for _, m := range b.meetings(reads) {
		switch m.kind {
		case meetPost:
			a.add(times(hi, p.x(m.n, r.tauPlus), plus(num(r.a2Plus), times(num(r.a3Plus), p.own(p.posts, m.n, r.tauY)))), lo, hi)
		case meetArrival:
			a.add(times(hi, p.y(m.n, r.tauMinus), plus(num(r.a2Minus), times(num(r.a3Minus), p.own(p.arrivals, m.n, r.tauX)))), lo, hi)
		case meetRead:
			out = append(out, a)
		}
	}
	return out
}

// vogelsOracle is Vogels et al. 2011, doi:10.1126/science.1211095: at an arrival
// w += η (y − α), at a post spike w += η x.
type vogelsOracle struct {
	eta, alpha, tau float64
	wMin, wMax      float64
	causal          bool
}

func (r vogelsOracle) weights(b *bond, reads []event.Time, coarse bool) (out []account) {
	p := &meetingPairs{b.arrivals(), b.posts(), allToAll, r.causal, coarse}
	lo, hi := num(r.wMin), num(r.wMax)
	a := account{num(b.weight), fresh()}
	for _, m := range b.meetings(reads) {
		switch m.kind {
		case meetPost:
			a.add(times(num(r.eta), p.x(m.n, r.tau)), lo, hi)
		case meetArrival:
			a.add(times(num(r.eta), minus(p.y(m.n, r.tau), num(r.alpha))), lo, hi)
		case meetRead:
			out = append(out, a)
		}
	}
	return out
}

// scalingOracle is the proportional term of van Rossum, Bi & Turrigiano 2000,
// doi:10.1523/JNEUROSCI.20-23-08812.2000: τ da/dt = −a + Σ δ(t − post spike),
// dw/dt = β w (target − a), β per s and Hz. At a bound an outward drift is dropped.
// a is the neuron's, from t = 0 on; a synapse sees it a dendritic delay late.
type scalingOracle struct {
	target, tau, beta, a0 float64 // Hz, ms, 1/(s Hz), Hz
	wMin, wMax            float64
}

func (r scalingOracle) weights(b *bond, reads []event.Time, _ bool) (out []account) {
	lo, hi := num(r.wMin), num(r.wMax)
	w := account{num(b.weight), fresh()}
	rate, now := num(r.a0), b.dendritic // a in Hz
	goal, rise := num(r.target), over(whole(1000), num(r.tau))
	for _, m := range b.meetings(reads) {
		before, was, then := w, rate, now
		h := over(whole(int64(m.at-now)), times(num(r.tau), whole(1e9))) // in τ
		for h.Sign() > 0 {
			part := h
			// a falls to the target at ln(a/target): there w turns.
			if goal.Sign() > 0 && smaller(goal, rate) {
				if turn := logReal(over(rate, goal)); smaller(turn, h) && smaller(num(1e-25), turn) {
					part = turn
				}
			}
			left := expReal(neg(part))
			gain := over(times(num(r.beta), num(r.tau),
				minus(times(goal, part), times(rate, minus(whole(1), left)))), whole(1000)) // β ∫ (target − a)
			to := clamp(times(w.w, expReal(clamp(gain, whole(-1000), whole(1000)))), lo, hi)
			w.add(minus(to, w.w), lo, hi)
			rate, h = times(rate, left), minus(h, part)
		}
		switch now = max(now, m.at); m.kind {
		case meetPost:
			rate = plus(rate, rise)
		case meetRead:
			out = append(out, w)
			w, rate, now = before, was, then
		}
	}
	return out
}
