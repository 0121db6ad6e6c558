package neuron

import (
	"math"

	"hmn/event"
	"hmn/event/fmath"
)

// cascade is the linear system that the closed-form models share,
//
//	du/dt = −k0 (u − rest) + g0 (x0 − bias) + g1 x1,  dx0/dt = −k1 (x0 − bias),
//	dx1/dt = −k2 x1 + h y,  dy/dt = −k3 y,  dθ_q/dt = −r_q θ_q,
//
// of a neuron that fires where the margin u − level − θ0 − θ1 reaches 0 from
// below. Its solution is a sum of decaying exponentials; where rates meet, it
// takes the limit (divided differences of the exponential).
type cascade struct {
	k0, k1, k2, k3 float64 // 1/ms
	g              [2]float64
	h              float64
	r              [2]float64 // 1/ms
	bias, level    float64
}

// cascadeState is one neuron of a cascade at one time.
type cascadeState struct {
	u, x0, x1, y float64
	th           [2]float64
	rest         float64
}

func (c *cascade) margin(y *cascadeState) float64 { return y.u - c.level - y.th[0] - y.th[1] }

// advance sets out to the state s ≥ 0 ms after y; out and y may be the same.
func (c *cascade) advance(out, y *cascadeState, s float64) {
	u := y.rest + float64((y.u-y.rest)*fmath.Exp(-c.k0*s))
	x0, x1 := c.bias, 0.0
	if x := y.x0 - c.bias; x != 0 {
		u += float64(c.g[0] * x * response2(c.k0, c.k1, s))
		x0 += float64(x * fmath.Exp(-c.k1*s))
	}
	if y.x1 != 0 {
		u += float64(c.g[1] * y.x1 * response2(c.k0, c.k2, s))
		x1 = float64(y.x1 * fmath.Exp(-c.k2*s))
	}
	if y.y != 0 {
		u += float64(c.g[1] * c.h * y.y * response3(c.k0, c.k2, c.k3, s))
		x1 += float64(c.h * y.y * response2(c.k2, c.k3, s))
		out.y = float64(y.y * fmath.Exp(-c.k3*s))
	} else {
		out.y = 0
	}
	for q, th := range y.th {
		out.th[q] = 0
		if th != 0 {
			out.th[q] = float64(th * fmath.Exp(-c.r[q]*s))
		}
	}
	out.u, out.x0, out.x1, out.rest = u, x0, x1, y.rest
}

// slope is the time derivative of the margin.
func (c *cascade) slope(y *cascadeState) float64 {
	d := float64(c.g[0]*(y.x0-c.bias)) + float64(c.g[1]*y.x1) - float64(c.k0*(y.u-y.rest))
	return d + float64(c.r[0]*y.th[0]) + float64(c.r[1]*y.th[1])
}

// concavity bounds the negative second derivative of the margin from above for
// all later times without arrivals.
func (c *cascade) concavity(y *cascadeState) float64 {
	m := float64(max(y.rest-y.u, 0) * c.k0 * c.k0)
	m += float64(math.Abs(float64(c.g[0]*(y.x0-c.bias))) * (c.k0 + c.k1))
	m += float64(math.Abs(float64(c.g[1]*y.x1)) * (c.k0 + c.k2))
	if y.y != 0 {
		// |κ₂''| ≤ |κ'| + k0 |κ₂'| with |κ'| ≤ 1 and |κ₂'| ≤ max κ ≤ 1/max(k2, k3).
		m += float64(math.Abs(float64(c.g[1]*c.h*y.y)) * (1 + c.k0/max(c.k2, c.k3)))
	}
	for q, th := range y.th {
		m += float64(max(th, 0) * c.r[q] * c.r[q])
	}
	return m
}

// still says that nothing but u moves, and that it does not reach the threshold.
func (c *cascade) still(y *cascadeState) bool {
	return y.x0 == c.bias && y.x1 == 0 && y.y == 0 && y.th == [2]float64{} && y.rest < c.level
}

// firstCrossing finds the earliest s in (0, L] [ms] at which the margin reaches
// 0, when it is negative at 0. end is the state at L. As in
// Linear.firstCrossing, an interval is given up only when the bound of the
// concavity proves the margin to stay negative, so that no crossing is missed,
// double ones near a peak included.
func (c *cascade) firstCrossing(y, end *cascadeState, L float64) (float64, bool) {
	a, b, m := c.margin(y), c.margin(end), c.concavity(y)
	if b < 0 {
		if max(a, b)+float64(m*L*L*0.125) < 0 || L <= picosecond {
			return 0, false
		}
	} else {
		if c.slope(y)-float64(m*L) > 0 {
			return c.root(y, L), true
		}
		if L <= picosecond {
			return L, true
		}
	}
	half := float64(0.5 * L)
	var mid cascadeState
	c.advance(&mid, y, half)
	if s, ok := c.firstCrossing(y, &mid, half); ok {
		return s, true
	}
	if c.margin(&mid) >= 0 {
		return half, true
	}
	s, ok := c.firstCrossing(&mid, end, L-half)
	return half + s, ok
}

// root solves for the margin's zero in (0, L], where it rises all the way from
// below 0 to at least 0: Newton's method inside a shrinking bracket.
func (c *cascade) root(y *cascadeState, L float64) float64 {
	lo, hi := 0.0, L
	var z cascadeState
	s := -c.margin(y) / c.slope(y)
	for range 64 {
		if !(s > lo && s < hi) {
			s = float64(0.5 * (lo + hi))
		}
		c.advance(&z, y, s)
		f := c.margin(&z)
		if f < 0 {
			lo = s
		} else {
			hi = s
		}
		if f == 0 || hi-lo < 0.01*picosecond {
			break
		}
		step := f / c.slope(&z)
		if s -= step; math.Abs(step) < 1e-3*picosecond {
			break
		}
	}
	return min(max(s, lo), hi)
}

// response2 is ∫₀ˢ exp(−b v) exp(−a (s − v)) dv, what a quantity of rate a
// receives from one of rate b that started at 1: (e^{−as} − e^{−bs})/(b − a).
func response2(a, b, s float64) float64 {
	if a > b {
		a, b = b, a
	}
	e := fmath.Exp(-a * s)
	if a == b {
		return float64(e * s)
	}
	return float64(e * (-fmath.Expm1(-(b-a)*s) / (b - a)))
}

// response3 is what a quantity of rate a receives over one of rate b from one of
// rate c that started at 1: the second divided difference of exp(−ks) in k.
func response3(a, b, c, s float64) float64 {
	if a > b {
		a, b = b, a
	}
	if b > c {
		b, c = c, b
	}
	if a > b {
		a, b = b, a
	}
	q := float64((c - a) * s)
	if q > 0.5 {
		return (response2(a, b, s) - response2(b, c, s)) / (c - a)
	}
	// s² e^{−as} Σ (−1)ᵐ h_m/(m + 2)! with the complete homogeneous polynomials
	// h_m of (b − a)s and q, to rounding for q ≤ 1/2.
	p := float64((b - a) * s)
	sum, h, power, scale := 0.0, 1.0, 1.0, 0.5
	for m := 0; m < 16; m++ {
		sum += float64(h * scale)
		power = float64(power * p)
		h = float64(q*h) + power
		scale /= -float64(m + 3)
	}
	return float64(s * s * fmath.Exp(-a*s) * sum)
}

// peak2 is where response2(a, b, s) is largest.
func peak2(a, b float64) float64 {
	if a == b {
		return 1 / a
	}
	return fmath.Log1p((b-a)/a) / (b - a)
}

// peak3 is where response3(a, b, c, s) is largest: the zero of its derivative,
// response2(b, c, s) − a response3(a, b, c, s), which is positive before.
func peak3(a, b, c float64) float64 {
	rises := func(s float64) bool { return response2(b, c, s) > float64(a*response3(a, b, c, s)) }
	lo, hi := 0.0, 1/a
	for rises(hi) {
		lo, hi = hi, 2*hi
	}
	for range 60 {
		if m := float64(0.5 * (lo + hi)); rises(m) {
			lo = m
		} else {
			hi = m
		}
	}
	return hi
}

// cascadeNeurons is a block of neurons whose equations are a cascade. Each keeps
// its own time, that of the last thing that happened to it, so that windows leave
// no trace in its bits.
type cascadeNeurons struct {
	cascade
	resets     bool       // u := 0 at a spike
	raise      [2]float64 // of θ at a spike
	tRef       event.Time // no spike for so long after one
	inhibitory int        // what port 1 adds to: 0 x0, 1 x1, 2 y
	r0         float64    // change of rest by a current of 1 pA
	home       cascadeState
	all        []cascadeNeuron
	quiet      []event.Time // of each neuron: something happens there, or is looked for again
	keys       []string     // of u, x0, x1, y, θ0, θ1 in Model.States; "" = none
}

type cascadeNeuron struct {
	cascadeState
	at, free event.Time // local time; no spike before
	reach    event.Time // how far ahead it looks for a crossing
	due      bool       // a crossing was rounded to quiet
	ready    bool
}

func newCascadeNeurons(n int, keys ...string) *cascadeNeurons {
	return &cascadeNeurons{all: make([]cascadeNeuron, n), quiet: make([]event.Time, n), keys: keys}
}

// start sets the state at t = 0 of all neurons.
func (c *cascadeNeurons) start(u, rest float64) {
	c.home = cascadeState{u: u, x0: c.bias, rest: rest}
	for i := range c.all {
		c.all[i].cascadeState = c.home
	}
}

// Advance carries neuron i to `to`: see Dynamics.
func (c *cascadeNeurons) Advance(i int, _, to event.Time, arrivals []Arrival, spikes []event.Time) ([]event.Time, error) {
	x, first := &c.all[i], len(spikes)
	var err error
	for k := 0; ; {
		t := to
		if k < len(arrivals) {
			t = arrivals[k].At
		}
		for !x.ready || c.quiet[i] < t {
			x.reach *= 4 // nothing has come for as long
			c.move(x, max(c.quiet[i], x.at))
			if spikes, err = c.test(x, i, spikes); err != nil {
				return spikes, err
			}
			if len(spikes)-first > maxPerStep {
				return spikes, ErrRunaway
			}
		}
		if k == len(arrivals) {
			return spikes, nil
		}
		x.due = x.due && c.quiet[i] == t
		x.reach = 2 * (t - x.at)
		c.move(x, t)
		for ; k < len(arrivals) && arrivals[k].At == t; k++ {
			switch a := &arrivals[k]; {
			case a.Port == PortCurrent:
				x.rest += float64(c.r0 * a.Weight)
			case a.Port == 0 || c.inhibitory == 0:
				x.x0 += a.Weight
			case c.inhibitory == 1:
				x.x1 += a.Weight
			default:
				x.y += a.Weight
			}
		}
		if spikes, err = c.test(x, i, spikes); err != nil {
			return spikes, err
		}
	}
}

func (c *cascadeNeurons) move(x *cascadeNeuron, t event.Time) {
	if t > x.at {
		c.advance(&x.cascadeState, &x.cascadeState, (t - x.at).MS())
		x.at = t
	}
}

// test makes the neuron fire if it is at its threshold, and finds out when
// something is to happen next.
func (c *cascadeNeurons) test(x *cascadeNeuron, i int, spikes []event.Time) ([]event.Time, error) {
	f := c.margin(&x.cascadeState)
	fired := x.at >= x.free && (x.due || !(f < 0))
	if fired {
		if math.IsNaN(f) {
			return spikes, ErrNaN
		}
		spikes = append(spikes, x.at)
		if c.resets {
			x.u = 0
		}
		for q, a := range c.raise {
			x.th[q] += a
		}
		x.free = x.at + c.tRef
	}
	x.ready, x.due = true, false
	if x.at < x.free {
		c.quiet[i] = x.free
		return spikes, nil
	}
	if c.still(&x.cascadeState) {
		c.quiet[i] = event.MaxTime
		return spikes, nil
	}
	// The bound of the concavity is good for a membrane time constant or so, and
	// what lies beyond the next arrival is looked for in vain.
	longest := max(16, event.Time(min(1e9/c.k0, 1e15)))
	x.reach = min(max(x.reach, longest/16), longest)
	c.quiet[i] = x.at + x.reach
	var end cascadeState
	L := x.reach.MS()
	c.advance(&end, &x.cascadeState, L)
	if s, ok := c.firstCrossing(&x.cascadeState, &end, L); ok {
		// Solved in float64 and rounded once.
		d := event.Time(math.Floor(float64(s*1e9) + 0.5))
		if d == 0 && fired {
			d = 1 // one spike per picosecond at most
		}
		c.quiet[i], x.due = x.at+d, true
	}
	return spikes, nil
}

// Quiet implements Lazy.
func (c *cascadeNeurons) Quiet() []event.Time { return c.quiet }

// Sync implements Lazy.
func (c *cascadeNeurons) Sync(i int, t event.Time) { c.move(&c.all[i], t) }

// Copy implements Copier.
func (c *cascadeNeurons) Copy(dst, src int) { c.all[dst], c.quiet[dst] = c.all[src], c.quiet[src] }

// State gives access to a state variable: see Dynamics.
func (c *cascadeNeurons) State(i int, key string) *float64 {
	x := &c.all[i]
	for k, v := range []*float64{&x.u, &x.x0, &x.x1, &x.y, &x.th[0], &x.th[1]} {
		if k < len(c.keys) && c.keys[k] == key {
			return v
		}
	}
	return nil
}
