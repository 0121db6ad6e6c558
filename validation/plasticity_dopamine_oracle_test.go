package validation

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"hmn/event"
)

// factor is one third factor: it decays with tau, or is held when tau is 0.
type factor struct {
	tau, w float64
}

// dopamineOracle is STDP with an eligibility trace and third factors (Izhikevich
// 2007, doi:10.1093/cercor/bhl152),
//
//	dc/dt = −c/τ_c + A_+ x at post spikes + A_− y at arrivals,
//	dw/dt = η c (Σ_k w_k E_k − b),    w_min ≤ w ≤ w_max,
//
// where at a bound an outward drift is dropped.
type dopamineOracle struct {
	aPlus, aMinus, tauPlus, tauMinus float64
	tauC, eta, base                  float64
	wMin, wMax                       float64
	set                              bool // traces are set to 1, not increased by it
	factors                          []factor
	causal                           bool
	// nest: a jump of a modulator is jump/τ, and the weight is cut at its bounds at
	// the synapse's own events and the modulators' jumps only (NEST 3,
	// stdp_dopamine_synapse; Potjans, Morrison & Diesmann 2010,
	// doi:10.3389/fncom.2010.00141).
	nest bool
}

// rate is 1/τ in 1/ms; 0 for what is held.
func (f factor) rate() real {
	if f.tau == 0 {
		return fresh()
	}
	return over(whole(1), num(f.tau))
}

// modulation is Σ_k a_k e^(−λ_k s) with its terms; the last is −b.
type modulation struct {
	a, rate []real
}

func (m *modulation) at(s real) real {
	sum := fresh()
	for k, a := range m.a {
		if a.Sign() != 0 {
			sum.Add(sum, times(a, expReal(neg(times(m.rate[k], s)))))
		}
	}
	return sum
}

// integral is ∫_u^v e^(−λ s) Σ_k a_k e^(−λ_k s) ds.
func (m *modulation) integral(u, v, lambda real) real {
	sum := fresh()
	for k, a := range m.a {
		if a.Sign() == 0 {
			continue
		}
		kappa := plus(lambda, m.rate[k])
		sum.Add(sum, times(a, over(minus(expReal(neg(times(kappa, u))), expReal(neg(times(kappa, v)))), kappa)))
	}
	return sum
}

// turns are the points in (0, h) where the modulation changes its sign, by
// bisection between points of a scan. A sum of K exponentials has fewer than K
// of them (Descartes' rule), further apart than the scan's steps in the tests.
func (m *modulation) turns(h real) (out []real) {
	up, down := false, false
	for _, a := range m.a {
		up, down = up || a.Sign() > 0, down || a.Sign() < 0
	}
	if !up || !down {
		return nil
	}
	rough := func(s float64) float64 {
		sum := 0.0
		for k, a := range m.a {
			sum += double(a) * math.Exp(-double(m.rate[k])*s)
		}
		return sum
	}
	const points = 100
	lo, sign := fresh(), m.at(fresh()).Sign()
	for i := 1; i <= points; i++ {
		// Denser near 0: where the fast terms have died out little happens.
		hi := times(h, num(math.Pow(float64(i)/points, 3)))
		s := 0
		if x := rough(double(hi)); x > 0 {
			s = 1
		} else if x < 0 {
			s = -1
		}
		if s*sign < 0 {
			a, b := lo, hi
			for range 110 {
				mid := over(plus(a, b), whole(2))
				if m.at(mid).Sign()*sign > 0 {
					a = mid
				} else {
					b = mid
				}
			}
			out = append(out, a)
		}
		if s != 0 {
			lo, sign = hi, s
		}
	}
	return out
}

// flow carries the weight over h ms in which the eligibility is c e^(−s/τ_c). With
// cut, bounds act at the end only.
func (a *account) flow(c real, m *modulation, tauC float64, eta, h, lo, hi real, cut bool) {
	if c.Sign() == 0 || h.Sign() == 0 {
		return
	}
	lambda := over(whole(1), num(tauC))
	most := &modulation{rate: m.rate}
	for _, x := range m.a {
		most.a = append(most.a, magnitude(x))
	}
	reach := magnitude(times(eta, c, most.integral(fresh(), h, lambda)))
	var ends []real
	if smaller(minus(a.w, reach), lo) || smaller(hi, plus(a.w, reach)) { // a bound is in reach
		ends = m.turns(h)
	}
	ends = append(ends, h)
	if cut {
		ends = []real{h}
	}
	from := fresh()
	for _, to := range ends {
		a.add(times(eta, c, m.integral(from, to, lambda)), lo, hi)
		from = to
	}
}

// past is Σ a_k e^(−d_k/τ) over n jumps in order of time; τ = 0 holds them. Terms
// below e^−120 (coarse: e^−60) are left out.
func past(n int, jump func(int) (d event.Time, a real), tau float64, coarse bool) real {
	var rough compensated
	s := fresh()
	for k := n - 1; k >= 0; k-- {
		d, a := jump(k)
		switch {
		case tau == 0:
			s.Add(s, a)
		case coarse && float64(d) < 60e9*tau:
			rough.add(double(a) * math.Exp(-float64(d)/(tau*1e9)))
		case !coarse && float64(d) < 120e9*tau:
			s.Add(s, times(a, decays(d, tau)))
		default:
			k = 0
		}
	}
	return plus(s, rough.real())
}

// kick is a jump of the eligibility.
type kick struct {
	at     event.Time
	amount real
}

func (r dopamineOracle) weights(b *bond, reads []event.Time, coarse bool) (out []account) {
	by := allToAll
	if r.set {
		by = symmetric
	}
	p := &meetingPairs{b.arrivals(), b.posts(), by, r.causal, coarse}
	lo, hi := num(r.wMin), num(r.wMax)
	a := account{num(b.weight), fresh()}
	var kicks []kick
	jumps := make([][]factorJump, len(r.factors))
	now := event.Time(0)
	advance := func(to event.Time) {
		if to <= now {
			return
		}
		c := past(len(kicks), func(k int) (event.Time, real) { return now - kicks[k].at, kicks[k].amount }, r.tauC, coarse)
		m := &modulation{a: []real{neg(num(r.base))}, rate: []real{fresh()}}
		for k, f := range r.factors {
			e := past(len(jumps[k]), func(i int) (event.Time, real) { return now - jumps[k][i].at, num(jumps[k][i].amount) }, f.tau, coarse)
			if r.nest {
				e = over(e, num(f.tau))
			}
			m.a, m.rate = append(m.a, times(num(f.w), e)), append(m.rate, f.rate())
		}
		h := over(whole(int64(to-now)), whole(1e9))
		a.flow(c, m, r.tauC, num(r.eta), h, lo, hi, r.nest)
		now = to
	}
	for _, e := range b.meetings(reads) {
		before, then := a, now
		advance(e.at)
		switch e.kind {
		case meetJump:
			j := b.jumps[e.n]
			jumps[j.k] = append(jumps[j.k], j)
		case meetPost:
			kicks = append(kicks, kick{e.at, times(num(r.aPlus), p.x(e.n, r.tauPlus))})
		case meetArrival:
			kicks = append(kicks, kick{e.at, times(num(r.aMinus), p.y(e.n, r.tauMinus))})
		case meetRead:
			out = append(out, a)
			a, now = before, then // a read changes nothing
		}
	}
	return out
}

// eligibility is c at the reads and Σ|jumps| until then.
func (r dopamineOracle) eligibility(b *bond, reads []event.Time) (out []account) {
	by := allToAll
	if r.set {
		by = symmetric
	}
	p := &meetingPairs{b.arrivals(), b.posts(), by, r.causal, true}
	var kicks []kick
	total := fresh()
	for _, e := range b.meetings(reads) {
		k := kick{at: e.at}
		switch e.kind {
		case meetPost:
			k.amount = times(num(r.aPlus), p.x(e.n, r.tauPlus))
		case meetArrival:
			k.amount = times(num(r.aMinus), p.y(e.n, r.tauMinus))
		case meetRead:
			c := past(len(kicks), func(i int) (event.Time, real) { return e.at - kicks[i].at, kicks[i].amount }, r.tauC, true)
			out = append(out, account{c, total})
			continue
		default:
			continue
		}
		kicks, total = append(kicks, k), plus(total, magnitude(k.amount))
	}
	return out
}

// daspnetOracle is the program of Izhikevich 2007: traces are set at spikes, the
// eligibility is increased by A_+ times the trace of the arrivals up to 1 ms before a
// post spike, by A_− times that of the post spikes up to an arrival, and at
// multiples of 10 ms, before all else of that instant,
//
//	w ← clip(w + η (Σ_k w_k E_k − b) c),    c ← c e^(−10 ms/τ_c).
//
// A post spike counts lag after it reached the synapse.
type daspnetOracle struct {
	dopamineOracle
	lag event.Time
}

func (r daspnetOracle) weights(b *bond, reads []event.Time, coarse bool) (out []account) {
	const grid = 10 * event.Millisecond
	lo, hi := num(r.wMin), num(r.wMax)
	a := account{num(b.weight), fresh()}
	arrivals, found := b.arrivals(), later(b.posts(), r.lag)
	var kicks []kick
	for _, q := range found {
		before := window(arrivals, never, q-event.Millisecond, true)
		kicks = append(kicks, kick{q, times(num(r.aPlus), trace(before, q-event.Millisecond, r.tauPlus, r.set, coarse))})
	}
	for _, t := range arrivals {
		before := window(found, never, t, true)
		kicks = append(kicks, kick{t, times(num(r.aMinus), trace(before, t, r.tauMinus, r.set, coarse))})
	}
	slices.SortStableFunc(kicks, func(x, y kick) int { return cmp.Compare(x.at, y.at) })
	step := expReal(neg(over(whole(10), num(r.tauC))))
	jumps := make([][]factorJump, len(r.factors))
	c, next, jump := fresh(), 0, 0
	for T, n := grid, 0; n < len(reads); T += grid {
		for ; n < len(reads) && reads[n] < T; n++ {
			out = append(out, a)
		}
		for ; jump < len(b.jumps) && b.jumps[jump].at < T; jump++ {
			j := b.jumps[jump]
			jumps[j.k] = append(jumps[j.k], j)
		}
		for ; next < len(kicks) && kicks[next].at < T; next++ {
			c = plus(c, kicks[next].amount)
		}
		if magnitude(c).Cmp(num(1e-60)) < 0 { // nothing more until something happens
			if c = fresh(); n < len(reads) {
				to := reads[n]
				if next < len(kicks) {
					to = min(to, kicks[next].at)
				}
				T = max(T, to/grid*grid)
			}
			continue
		}
		sum := neg(num(r.base))
		for k, f := range r.factors {
			e := past(len(jumps[k]), func(i int) (event.Time, real) { return T - jumps[k][i].at, num(jumps[k][i].amount) }, f.tau, true)
			sum = plus(sum, times(num(f.w), e))
		}
		a.add(times(num(r.eta), sum, c), lo, hi)
		c = times(c, step)
	}
	return out
}

// mstdpOracle is the rule of Florian 2007, doi:10.1162/neco.2007.19.6.1468, without
// eligibility: a pair changes the weight by γ times the reward of its instant.
type mstdpOracle struct{ dopamineOracle }

func (r mstdpOracle) weights(b *bond, reads []event.Time, coarse bool) (out []account) {
	by := allToAll
	if r.set {
		by = symmetric
	}
	p := &meetingPairs{b.arrivals(), b.posts(), by, r.causal, coarse}
	lo, hi := num(r.wMin), num(r.wMax)
	a := account{num(b.weight), fresh()}
	jumps := make([][]factorJump, len(r.factors))
	for _, e := range b.meetings(reads) {
		pair := fresh()
		switch e.kind {
		case meetJump:
			j := b.jumps[e.n]
			jumps[j.k] = append(jumps[j.k], j)
		case meetPost:
			pair = times(num(r.aPlus), p.x(e.n, r.tauPlus))
		case meetArrival:
			pair = times(num(r.aMinus), p.y(e.n, r.tauMinus))
		case meetRead:
			out = append(out, a)
		}
		if pair.Sign() == 0 {
			continue
		}
		reward := fresh()
		for k, f := range r.factors {
			reward = plus(reward, times(num(f.w), past(len(jumps[k]), func(i int) (event.Time, real) { return e.at - jumps[k][i].at, num(jumps[k][i].amount) }, f.tau, coarse)))
		}
		a.add(times(num(r.eta), reward, pair), lo, hi)
	}
	return out
}

// TestDopamineOracle holds the reference against the worked number of the
// single-synapse case and against quadrature.
func TestDopamineOracle(t *testing.T) {
	r := dopamineOracle{aPlus: 1, aMinus: -1, tauPlus: 10, tauMinus: 10, tauC: 1000, eta: 0.1, wMax: 1000, factors: []factor{{200, 1}}}
	b := &bond{pre: []event.Time{ms(1500), ms(2400)}, post: []event.Time{ms(1504)}, weight: 1, jumps: []factorJump{{ms(1601), 0, 1}}}
	if got := double(r.weights(b, []event.Time{ms(2400)}, false)[0].w) - 1; math.Abs(got-10.0552710) > 5e-8 {
		t.Errorf("single synapse: Δw = %.9f, want 10.0552710", got)
	}
	r.factors = append(r.factors, factor{50, -2}, factor{0, 0.3})
	r.base = 0.1
	b.jumps = append(b.jumps, factorJump{ms(1700), 1, 0.4}, factorJump{ms(1800), 2, 0.7})
	got := double(r.weights(b, []event.Time{ms(2400)}, false)[0].w) - 1
	e := func(at, tau, s float64) float64 {
		if s < at {
			return 0
		}
		return math.Exp((at - s) / tau)
	}
	want := 0.0
	for _, part := range [][2]float64{{1504, 1601}, {1601, 1700}, {1700, 1800}, {1800, 2400}} {
		want += quadrature(part[1]-part[0], 1./50+1./1000, 0, func(s float64) float64 {
			s += part[0] * (1 + 1e-15)
			held := 0.0
			if s >= 1800 {
				held = 0.3 * 0.7
			}
			return 0.1 * math.Exp(-0.4) * math.Exp((1504-s)/1000) * (e(1601, 200, s) - 2*0.4*e(1700, 50, s) + held - 0.1)
		})
	}
	if math.Abs(got-want) > 1e-11 {
		t.Errorf("three factors: Δw = %.15g, quadrature %.15g", got, want)
	}
}
