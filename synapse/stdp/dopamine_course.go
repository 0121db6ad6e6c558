package stdp

import (
	"math"
	"sort"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/synapse"
)

// course is the third factor of a dopamine rule in the course of time,
//
//	D(t) = η (Σ_k w_k n_k(t) − b),
//
// with what a synapse needs to take in any stretch of it at once. Between jumps
// of modulators D is a constant and decaying exponentials, and the eligibility of
// a synapse is c e^{−s/τ_c} between its own events. So
//
//	∫_a^b D(s) e^{−s/τ_c} ds = tail(a) − tail(b) + (tails of the jumps of D in between),
//	tail(t) = e^{−t/τ_c} Σ_k D_k(t)/λ_k,    λ_k = 1/τ_c + 1/τ_k,
//
// where tail(t) is what D would still give if nothing jumped any more. The tails
// of jumps are summed up once, when they happen: a jump costs O(modulators) per
// block, whatever the number of synapses, and a synapse one subtraction. All
// terms of the difference are as large as D is between a and b: nothing is lost to
// what was long before. The sums carry their rounding errors along.
//
// e^{−t/τ_c} is taken from the start of an epoch of about 8 τ_c, so that it
// neither overflows nor loses digits. Eligibilities are kept multiplied by its
// inverse, as constants.
//
// On a grid of steps, where weights change at its points only, integrals are sums
// over points and an event acts on the points after it: t stands for the next
// point (node) and 1/λ for 1/(1 − e^{−λ step}), and all else is the same.
type course struct {
	drive *synapse.Drive
	scale []float64 // from the columns of drive to D_k
	bias  float64   // −η b
	rate  []float64 // 1/τ_k [1/ms], of column 0 (what is constant): 0
	gain  []float64 // 1/λ_k [ms], or 1/(1 − e^{−λ_k step})
	rc    float64   // 1/τ_c [1/ms]
	step  event.Time
	epoch event.Time
	fade  float64    // e^{−epoch/τ_c}
	short event.Time // a shorter stretch is one that a difference of tails is too coarse for
	exact bool       // cut at the bounds inside of stretches, not at their ends

	at    []event.Time // segments: where D jumps
	x     []float64    // D_k there, len(rate) each
	sums  []prefix
	first int // index of the oldest segment kept
	last  turning
	buf   []float64
	terms []synapse.Term
	roots []float64
}

// prefix is the state of the sums at the start of a segment.
type prefix struct {
	epoch     int64
	sum, rest float64 // tails of the jumps in this epoch so far; sum + rest is the sum
	most      float64 // the same of Σ |D_k|
	flips     uint64  // times that D may have changed its sign
	sign      int8    // of D: 1, −1, 0 when it has been 0 so far, or mixed
}

// turning is the end of an epoch, as its last instant and as the first of the
// next: most synapses that cross one cross the same.
type turning struct {
	epoch      int64 // −1: none
	end, start mark
}

const mixed = 2 // D_k of both signs

// mark is an instant in the course.
type mark struct {
	node      event.Time // the instant, or the next point of the grid
	way       way
	sum, rest float64
	tail      float64
	lift      float64 // e^{node/τ_c}
	most      float64
	reach     float64 // tail of Σ |D_k|
	level     float64 // D at node, without jumps after the instant
	seg       int
}

// way is which way D drives a weight: stretches between two marks of the same
// way lie in one epoch, and if it is steady D has one sign there.
type way struct {
	epoch int64
	flips uint64 // twice those of the segment, and 1 where D has terms of both signs
}

func newWay(epoch int64, s *prefix) way {
	w := way{epoch, 2 * s.flips}
	if s.sign == mixed {
		w.flips++
	}
	return w
}

func (w way) steady() bool { return w.flips&1 == 0 }

func newCourse(p *DopamineParams, d *synapse.Drive) *course {
	tau := p.TauC
	if tau == 0 { // only the level of D matters
		tau = 1000
	}
	c := &course{drive: d, bias: -float64(p.Eta * p.B), rc: 1 / tau, exact: p.Semantics != Nest}
	c.rate = append([]float64{0}, d.Rates...)
	for k, r := range c.rate {
		s := p.Eta
		if p.Semantics == Nest && k > 0 {
			s = float64(p.Eta * r) // jumps of 1/τ_n
		}
		c.scale = append(c.scale, s)
	}
	c.epoch = event.Time(math.Floor(float64(8 * tau * 1e9)))
	if p.Semantics == Daspnet {
		c.step = p.Grid
		c.epoch = (c.epoch/c.step + 1) * c.step
	}
	for _, r := range c.rate {
		if c.step > 0 {
			c.gain = append(c.gain, -1/fmath.Expm1(-float64((r+c.rc)*c.step.MS())))
		} else {
			c.gain = append(c.gain, 1/(r+c.rc))
		}
	}
	c.fade = fmath.Exp(-float64(c.epoch.MS() * c.rc))
	c.short = 1
	if c.step == 0 {
		// The difference of two tails is exact to about ε/(λ h) of a stretch of h.
		c.short = event.Time(math.Floor(float64(2e-3 * tau * 1e9)))
	}
	return c
}

func (c *course) reset() {
	c.at, c.x, c.sums, c.first = c.at[:0], c.x[:0], c.sums[:0], 0
	c.last.epoch = -1
}

// node is the instant from which on what happens at t acts.
func (c *course) node(t event.Time) event.Time {
	if c.step == 0 {
		return t
	}
	return (t/c.step + 1) * c.step
}

// extend takes up the segments that the drive has got since the last call.
func (c *course) extend() {
	k := len(c.rate)
	for n := c.first + len(c.at); n < c.drive.Len(); n++ {
		t := c.drive.Start(n)
		c.buf = c.drive.Values(n, 0, c.buf)
		for i, v := range c.buf {
			v = float64(v * c.scale[i])
			if i == 0 {
				v += c.bias
			}
			c.x = append(c.x, v)
		}
		now := c.x[len(c.x)-k:]
		u := c.node(t)
		s := prefix{epoch: int64(u / c.epoch), sign: signOf(now)}
		if len(c.at) > 0 {
			last := &c.sums[len(c.sums)-1]
			before := c.x[len(c.x)-2*k : len(c.x)-k]
			if last.epoch == s.epoch {
				s.sum, s.rest, s.most = last.sum, last.rest, last.most
			}
			kappa := fmath.Exp(-float64((u - event.Time(s.epoch)*c.epoch).MS() * c.rc))
			wait, gone := (u - t).MS(), (u - c.at[len(c.at)-1]).MS()
			jump, size := 0.0, 0.0
			for i, d := range c.drive.Change(n) {
				f := 1.0
				if wait > 0 {
					f = fmath.Exp(-float64(wait * c.rate[i]))
				}
				jump += float64(float64(d*c.scale[i]) * float64(f*c.gain[i]))
				old := float64(math.Abs(before[i]) * fmath.Exp(-float64(gone*c.rate[i])))
				size += float64((float64(math.Abs(now[i])*f) - old) * c.gain[i])
			}
			s.add(float64(kappa * jump))
			s.most += float64(kappa * size)
			s.flips = last.flips
			switch {
			case s.sign == mixed || last.sign == mixed || s.sign == -last.sign && s.sign != 0:
				s.flips++
			case s.sign == 0:
				s.sign = last.sign
			}
		}
		c.at, c.sums = append(c.at, t), append(c.sums, s)
	}
}

// add adds x to the sum and keeps what rounding loses (Knuth's two-sum).
func (s *prefix) add(x float64) {
	y := s.sum + x
	z := y - s.sum
	s.rest += (s.sum - (y - z)) + (x - z)
	s.sum = y
}

func signOf(x []float64) int8 {
	up, down := false, false
	for _, v := range x {
		up, down = up || v > 0, down || v < 0
	}
	switch {
	case up && down:
		return mixed
	case up:
		return 1
	case down:
		return -1
	}
	return 0
}

// find is the index of the last segment that starts at or before t.
func (c *course) find(t event.Time) int {
	n := len(c.at) - 1
	for i := n; i >= max(0, n-8); i-- {
		if c.at[i] <= t {
			return c.first + i
		}
	}
	return c.first + sort.Search(len(c.at), func(i int) bool { return c.at[i] > t }) - 1
}

// forget drops the segments that end before t.
func (c *course) forget(t event.Time) {
	n := c.find(t) - c.first
	if n < 64 || 2*n < len(c.at) {
		return
	}
	k := len(c.rate)
	c.first += n
	c.at = c.at[:copy(c.at, c.at[n:])]
	c.x = c.x[:copy(c.x, c.x[n*k:])]
	c.sums = c.sums[:copy(c.sums, c.sums[n:])]
}

// mark is the instant t.
func (c *course) mark(t event.Time) mark {
	u := c.node(t)
	return c.markIn(c.find(t), u, int64(u/c.epoch))
}

// markIn is the instant u seen from segment n, in epoch q.
func (c *course) markIn(n int, u event.Time, q int64) mark {
	i := n - c.first
	s := &c.sums[i]
	m := mark{node: u, way: newWay(q, s), seg: n}
	if s.epoch == q {
		m.sum, m.rest, m.most = s.sum, s.rest, s.most
	}
	x := c.x[i*len(c.rate) : (i+1)*len(c.rate)]
	since := (u - c.at[i]).MS()
	for k, v := range x {
		if v == 0 {
			continue
		}
		if k > 0 {
			v = float64(v * fmath.Exp(-float64(since*c.rate[k])))
		}
		g := float64(v * c.gain[k])
		m.level += v
		m.tail += g
		m.reach += math.Abs(g)
	}
	y := float64((u - event.Time(q)*c.epoch).MS() * c.rc)
	kappa := fmath.Exp(-y)
	m.tail = float64(m.tail * kappa)
	m.reach = float64(m.reach * kappa)
	m.lift = 1 / kappa
	return m
}

// turn is the end of epoch q, which has passed.
func (c *course) turn(q int64) *turning {
	if c.last.epoch == q {
		return &c.last
	}
	u := event.Time(q+1) * c.epoch
	n := c.find(u)
	for c.sums[n-c.first].epoch > q {
		n--
	}
	start := c.markIn(n, u, q+1)
	end := start
	s := &c.sums[n-c.first]
	end.way = newWay(q, s)
	end.tail, end.reach, end.lift = float64(start.tail*c.fade), float64(start.reach*c.fade), start.lift/c.fade
	if s.epoch == q {
		end.sum, end.rest, end.most = s.sum, s.rest, s.most
	}
	c.last = turning{q, end, start}
	return &c.last
}

// flow takes the weight w of a synapse with eligibility e (times e^{t/τ_c} of its
// epoch) from a to b, without an event of the synapse in between; e is given back as b's epoch
// counts it. Bounds are lo and hi.
func (c *course) flow(w, e, lo, hi float64, a, b *mark) (float64, float64) {
	if e == 0 {
		return w, 0
	}
	if a.way == b.way && a.way.steady() && b.node-a.node >= c.short {
		// What nearly all synapses do: w goes one way.
		to := w + float64(e*((b.sum-a.sum)+(b.rest-a.rest)+(a.tail-b.tail)))
		if to < lo {
			to = lo
		}
		if to > hi {
			to = hi
		}
		return to, e
	}
	return c.drift(w, e, lo, hi, a, b)
}

// drift is flow in any case.
func (c *course) drift(w, e, lo, hi float64, a, b *mark) (float64, float64) {
	if a.way.epoch == b.way.epoch {
		return c.stretch(w, e, lo, hi, a, b), e
	}
	from := *a
	for from.way.epoch < b.way.epoch {
		x := c.turn(from.way.epoch)
		w = c.stretch(w, e, lo, hi, &from, &x.end)
		from = x.start
		if e = float64(e * c.fade); e == 0 {
			return w, 0
		}
	}
	return c.stretch(w, e, lo, hi, &from, b), e
}

// stretch is flow within an epoch.
func (c *course) stretch(w, e, lo, hi float64, a, b *mark) float64 {
	if a.node == b.node {
		return w
	}
	gain := 0.0
	if b.node-a.node < c.short && b.seg-a.seg <= fewSegments {
		gain = c.direct(a, b.node)
	} else {
		gain = (b.sum - a.sum) + (b.rest - a.rest) + (a.tail - b.tail)
	}
	to := w + float64(e*gain)
	if a.way == b.way && a.way.steady() { // w goes one way
		if to < lo {
			return lo
		}
		if to > hi {
			return hi
		}
		return to
	}
	// The bound is a difference, too: allow for its rounding.
	reach := (b.most - a.most) + (a.reach - b.reach) + float64(1e-12*(math.Abs(a.most)+math.Abs(b.most)+a.reach))
	reach = float64(reach * math.Abs(e))
	if w-reach >= lo && w+reach <= hi {
		return to
	}
	if c.step > 0 {
		return c.hop(w, e/a.lift, lo, hi, a, b.node)
	}
	return c.walk(w, e/a.lift, lo, hi, a, b.node)
}

// fewSegments is how many jumps of D a short stretch is taken through one by one.
const fewSegments = 16

// direct is the integral of D e^{−s/τ_c} from a to u, a few segments at most, without
// the difference of two tails.
func (c *course) direct(a *mark, u event.Time) float64 {
	sum, at := 0.0, a.node
	for i := a.seg - c.first; at < u; i++ {
		end := u
		if i+1 < len(c.at) {
			end = min(end, c.at[i+1])
		}
		since, ms := (at - c.at[i]).MS(), (end - at).MS()
		piece := 0.0
		for k, v := range c.x[i*len(c.rate) : (i+1)*len(c.rate)] {
			if v != 0 {
				v = float64(v * fmath.Exp(-float64(since*c.rate[k])))
				piece -= float64(float64(v*c.gain[k]) * fmath.Expm1(-float64(ms/c.gain[k])))
			}
		}
		sum += float64(piece * fmath.Exp(-float64((at-a.node).MS()*c.rc)))
		at = end
	}
	return sum / a.lift
}
