package neuron

import (
	"math"

	"hmn/event"
	"hmn/event/fmath"
)

// cascade is the linear system that the closed-form models share,
//
//	du/dt = −k0 u + g0 x0 + g1 x1,  dx0/dt = −k1 x0,  dx1/dt = −k2 x1 + h y,
//	dy/dt = −k3 y,                  dθ_q/dt = −r_q θ_q,
//
// of a neuron that fires where the margin u − level − θ0 − θ1 reaches 0 from
// below. Its solution is a sum of decaying exponentials; where rates meet, it
// takes the limit (divided differences of the exponential).
type cascade struct {
	k0, k1, k2, k3 float64 // 1/ms
	g              [2]float64
	h              float64
	r              [2]float64 // 1/ms
}

// cascadeState is one neuron of a cascade at one time.
type cascadeState struct {
	u, x0, x1, y float64
	th           [2]float64
	level        float64
}

func (y *cascadeState) margin() float64 { return y.u - y.level - y.th[0] - y.th[1] }

// advance sets out to the state s ≥ 0 ms after y; out and y may be the same.
func (c *cascade) advance(out, y *cascadeState, s float64) {
	u := float64(y.u * fmath.Exp(-c.k0*s))
	if y.x0 != 0 {
		u += float64(c.g[0] * y.x0 * response2(c.k0, c.k1, s))
		out.x0 = float64(y.x0 * fmath.Exp(-c.k1*s))
	} else {
		out.x0 = 0
	}
	x1 := 0.0
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
	out.u, out.x1, out.level = u, x1, y.level
}

// slope is the time derivative of the margin.
func (c *cascade) slope(y *cascadeState) float64 {
	d := float64(c.g[0]*y.x0) + float64(c.g[1]*y.x1) - float64(c.k0*y.u)
	return d + float64(c.r[0]*y.th[0]) + float64(c.r[1]*y.th[1])
}

// concavity bounds the negative second derivative of the margin from above for
// all later times without arrivals.
func (c *cascade) concavity(y *cascadeState) float64 {
	m := float64(max(-y.u, 0) * c.k0 * c.k0)
	m += math.Abs(float64(c.g[0]*y.x0)) * (c.k0 + c.k1)
	m += math.Abs(float64(c.g[1]*y.x1)) * (c.k0 + c.k2)
	if y.y != 0 {
		// |κ₂''| ≤ |κ'| + k0 |κ₂'| with |κ'| ≤ 1 and |κ₂'| ≤ max κ ≤ 1/max(k2, k3).
		m += math.Abs(float64(c.g[1]*c.h*y.y)) * (1 + c.k0/max(c.k2, c.k3))
	}
	for q, th := range y.th {
		m += float64(max(th, 0) * c.r[q] * c.r[q])
	}
	return m
}

// firstCrossing finds the earliest s in (0, L] [ms] at which the margin reaches
// 0, when it is negative at 0. end is the state at L. As in
// Linear.firstCrossing, an interval is given up only when the bound of the
// concavity proves the margin to stay negative, so that no crossing is missed,
// double ones near a peak included.
func (c *cascade) firstCrossing(y, end *cascadeState, L float64) (float64, bool) {
	a, b, m := y.margin(), end.margin(), c.concavity(y)
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
	if mid.margin() >= 0 {
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
	s := -y.margin() / c.slope(y)
	for range 64 {
		if !(s > lo && s < hi) {
			s = float64(0.5 * (lo + hi))
		}
		c.advance(&z, y, s)
		f := z.margin()
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

// cascadeNeurons is a block of neurons whose equations are a cascade. Slices
// hold the state in the model's own units, offset by rest and current.
type cascadeNeurons struct {
	cascade
	rest, level  float64    // of u: u = v − rest; threshold of v
	bias         float64    // of x0
	resets       bool       // v := 0 at a spike
	raise        [2]float64 // of θ at a spike
	tRef         event.Time // no spike for so long after one
	inhibitory   int        // what port 1 adds to: 0 x0, 1 x1, 2 y
	v, x0, x1, y []float64
	th           [2][]float64
	free         []event.Time // no spike before
	due          []bool       // a crossing was rounded onto the start of the coming window
	keys         map[string][]float64
}

func newCascadeNeurons(n int) *cascadeNeurons {
	c := &cascadeNeurons{free: make([]event.Time, n), due: make([]bool, n)}
	stagger(n, []*[]float64{&c.v, &c.x0, &c.x1, &c.y, &c.th[0], &c.th[1]})
	return c
}

// Advance carries neuron i through the window [from, to): see Dynamics.
func (c *cascadeNeurons) Advance(i int, from, to event.Time, arrivals []Arrival, spikes []event.Time) ([]event.Time, error) {
	y := cascadeState{u: c.v[i] - c.rest, x0: c.x0[i] - c.bias, x1: c.x1[i], y: c.y[i],
		th: [2]float64{c.th[0][i], c.th[1][i]}, level: c.level - c.rest}
	var end cascadeState
	due, last, first := c.due[i], event.Time(-1), len(spikes)
	for now, k := from, 0; ; {
		for ; k < len(arrivals) && arrivals[k].At == now; k++ {
			switch w := arrivals[k].Weight; {
			case arrivals[k].Port == 0 || c.inhibitory == 0:
				y.x0 += w
			case c.inhibitory == 1:
				y.x1 += w
			default:
				y.y += w
			}
		}
		if f := y.margin(); now >= c.free[i] && (due || !(f < 0)) {
			if math.IsNaN(f) {
				return spikes, ErrNaN
			}
			if len(spikes)-first >= maxPerStep {
				return spikes, ErrRunaway
			}
			spikes = append(spikes, now)
			last, due = now, false
			if c.resets {
				y.u = -c.rest
			}
			for q, a := range c.raise {
				y.th[q] += a
			}
			c.free[i] = now + c.tRef
		}
		next := to
		if k < len(arrivals) {
			next = arrivals[k].At
		}
		if now < c.free[i] {
			next = min(next, c.free[i])
		}
		L := (next - now).MS()
		c.advance(&end, &y, L)
		if now >= c.free[i] {
			if at, ok := c.firstCrossing(&y, &end, L); ok {
				// Solved in float64 and rounded once. A crossing that falls on the
				// next arrivals, or on the end of the window, waits for them.
				due = true
				t := max(now+event.Time(math.Floor(float64(at*1e9)+0.5)), last+1)
				if t < next {
					c.advance(&end, &y, (t - now).MS())
					next = t
				}
			}
		}
		y, now = end, next
		if now == to {
			break
		}
	}
	c.v[i], c.x0[i], c.x1[i], c.y[i] = y.u+c.rest, y.x0+c.bias, y.x1, y.y
	c.th[0][i], c.th[1][i], c.due[i] = y.th[0], y.th[1], due
	return spikes, nil
}

// State gives access to a state variable: see Dynamics.
func (c *cascadeNeurons) State(i int, key string) *float64 {
	if list := c.keys[key]; list != nil {
		return &list[i]
	}
	return nil
}
