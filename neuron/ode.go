package neuron

import (
	"math"

	"hmn/event/fmath"
)

// MaxVars is the most state variables a System may have.
const MaxVars = 14

// Vector holds the state variables of one neuron, the membrane potential [mV]
// first, or their slopes [per ms].
type Vector [MaxVars]float64

// A path is a step of the solution: y(θ) for θ in [0, 1], with
//
//	y(θ) = y0 + θ (r1 + (1−θ) (r2 + θ (r3 + (1−θ) r4))),
//
// Hairer, Nørsett & Wanner 1993, Solving ordinary differential equations I,
// II.6, doi:10.1007/978-3-540-78862-1 (their program DOPRI5).
type path struct{ r1, r2, r3, r4 Vector }

// at is the state at θ.
func (p *path) at(y *Vector, th float64, dim int) (z Vector) {
	u := 1 - th
	for j := range dim {
		z[j] = y[j] + float64(th*(p.r1[j]+float64(u*(p.r2[j]+float64(th*(p.r3[j]+float64(u*p.r4[j])))))))
	}
	return z
}

// bernstein gives variable j as Bernstein coefficients of degree 4: the curve
// lies within their range.
func (p *path) bernstein(y *Vector, j int) (b [5]float64) {
	r1, r2, r3, r4 := p.r1[j], p.r2[j], p.r3[j], p.r4[j]
	b[0] = y[j]
	b[1] = y[j] + float64(0.25*(r1+r2))
	b[2] = y[j] + float64(0.5*r1) + r2/3 + (r3+r4)/6
	b[3] = y[j] + float64(0.75*r1) + float64(0.25*(r2+r3))
	b[4] = y[j] + r1
	return b
}

// solver makes the steps of one System. Its scratch belongs to one worker.
type solver struct {
	sys *System
	tol Vector // absolute tolerance of each variable; the relative one is rtol
	k   [7]Vector
	z   Vector // where slopes are asked for
	// first says that k[0] are the slopes where the coming step starts.
	first bool
}

// The method of Dormand & Prince of order 5 with an error estimate of order 4:
// Dormand & Prince 1980, doi:10.1016/0771-050X(80)90013-3; its dense output of
// order 4 is that of the program DOPRI5 (see path).
const (
	a21                          = 1. / 5
	a31, a32                     = 3. / 40, 9. / 40
	a41, a42, a43                = 44. / 45, -56. / 15, 32. / 9
	a51, a52, a53, a54           = 19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729
	a61, a62, a63, a64, a65      = 9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656
	b1, b3, b4, b5, b6           = 35. / 384, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84
	e1, e3, e4, e5, e6, e7       = 71. / 57600, -71. / 16695, 71. / 1920, -17253. / 339200, 22. / 525, -1. / 40
	d1, d3, d4, d5, d6, d7       = -12715105075. / 11282082432, 87487479700. / 32700410799, -10690763975. / 1880347072, 701980252875. / 199316789632, -1453857185. / 822651844, 69997945. / 29380423
	safety, leastCut, mostGrowth = 0.9, 0.2, 5.
)

// embedded tries a step of h ms from y and returns its estimated error in units
// of the tolerance. At most 1, and p is the way there and k[6] the slopes at its
// end.
func (s *solver) embedded(y *Vector, h, current float64, held bool, rtol float64, p *path) (err float64) {
	f, k, n := s.sys.Slopes, &s.k, len(s.sys.Vars)
	z := &s.z
	if !s.first {
		f(&k[0], y, current, held)
	}
	for j := range n {
		z[j] = y[j] + float64(h*float64(a21*k[0][j]))
	}
	f(&k[1], z, current, held)
	for j := range n {
		z[j] = y[j] + float64(h*(float64(a31*k[0][j])+float64(a32*k[1][j])))
	}
	f(&k[2], z, current, held)
	for j := range n {
		z[j] = y[j] + float64(h*(float64(a41*k[0][j])+float64(a42*k[1][j])+float64(a43*k[2][j])))
	}
	f(&k[3], z, current, held)
	for j := range n {
		z[j] = y[j] + float64(h*(float64(a51*k[0][j])+float64(a52*k[1][j])+float64(a53*k[2][j])+float64(a54*k[3][j])))
	}
	f(&k[4], z, current, held)
	for j := range n {
		z[j] = y[j] + float64(h*(float64(a61*k[0][j])+float64(a62*k[1][j])+float64(a63*k[2][j])+float64(a64*k[3][j])+float64(a65*k[4][j])))
	}
	f(&k[5], z, current, held)
	for j := range n {
		p.r1[j] = float64(h * (float64(b1*k[0][j]) + float64(b3*k[2][j]) + float64(b4*k[3][j]) + float64(b5*k[4][j]) + float64(b6*k[5][j])))
		z[j] = y[j] + p.r1[j]
	}
	f(&k[6], z, current, held)
	for j := range n {
		e := float64(h * (float64(e1*k[0][j]) + float64(e3*k[2][j]) + float64(e4*k[3][j]) + float64(e5*k[4][j]) + float64(e6*k[5][j]) + float64(e7*k[6][j])))
		ref := s.sys.Vars[j].Ref
		e = math.Abs(e) / (s.tol[j] + float64(rtol*max(math.Abs(y[j]-ref), math.Abs(z[j]-ref))))
		if e > err || e != e { // not a number stays
			err = e
		}
	}
	for j := range n {
		p.r2[j] = float64(h*k[0][j]) - p.r1[j]
		p.r3[j] = p.r1[j] - float64(h*k[6][j]) - p.r2[j]
		p.r4[j] = float64(h * (float64(d1*k[0][j]) + float64(d3*k[2][j]) + float64(d4*k[3][j]) + float64(d5*k[4][j]) + float64(d6*k[5][j]) + float64(d7*k[6][j])))
	}
	return err
}

// classical makes a step of the classical Runge–Kutta method of order 4 (Kutta
// 1901), with cubic Hermite interpolation inside.
func (s *solver) classical(y *Vector, h, current float64, held bool, p *path) {
	f, k, n := s.sys.Slopes, &s.k, len(s.sys.Vars)
	z := &s.z
	if !s.first {
		f(&k[0], y, current, held)
	}
	for j := range n {
		z[j] = y[j] + float64(0.5*float64(h*k[0][j]))
	}
	f(&k[1], z, current, held)
	for j := range n {
		z[j] = y[j] + float64(0.5*float64(h*k[1][j]))
	}
	f(&k[2], z, current, held)
	for j := range n {
		z[j] = y[j] + float64(h*k[2][j])
	}
	f(&k[3], z, current, held)
	for j := range n {
		p.r1[j] = float64(h*(k[0][j]+float64(2*(k[1][j]+k[2][j]))+k[3][j])) / 6
		z[j] = y[j] + p.r1[j]
	}
	f(&k[6], z, current, held)
	for j := range n {
		p.r2[j] = float64(h*k[0][j]) - p.r1[j]
		p.r3[j] = p.r1[j] - float64(h*k[6][j]) - p.r2[j]
		p.r4[j] = 0
	}
}

// growth is the factor from the length of a step with this error to that of one
// whose error is the tolerance, with some safety.
func growth(err float64) float64 {
	if !(err <= math.MaxFloat64) {
		return leastCut
	}
	if err < 1e-4 {
		return mostGrowth
	}
	return min(max(float64(safety*fmath.Exp(float64(-0.2*fmath.Log(err)))), leastCut), mostGrowth)
}

// tangent is how often an interval is halved before its two ends are taken for
// the whole of it.
const tangent = 48

// firstAtLeast finds the first s in [0, 1] at which the polynomial with Bernstein
// coefficients b reaches level. None is missed: where all coefficients lie
// below, so does the curve, and the rest is halved.
func firstAtLeast(b [5]float64, level float64) (s float64, ok bool) {
	if under(&b, level) {
		return 0, false
	}
	return crossing(b, level, 0, 1, tangent)
}

func under(b *[5]float64, level float64) bool {
	return b[0] < level && b[1] < level && b[2] < level && b[3] < level && b[4] < level
}

func crossing(b [5]float64, level, lo, hi float64, depth int) (float64, bool) {
	switch {
	case b[0] >= level:
		return lo, true
	case under(&b, level):
		return 0, false
	case depth == 0:
		return hi, b[4] >= level
	case b[0] <= b[1] && b[1] <= b[2] && b[2] <= b[3] && b[3] <= b[4]:
		return lo + float64((hi-lo)*rise(&b, level)), true
	}
	left, right := halves(&b)
	mid := float64(0.5 * (lo + hi))
	if s, ok := crossing(left, level, lo, mid, depth-1); ok {
		return s, true
	}
	return crossing(right, level, mid, hi, depth-1)
}

// halves cuts the curve in two (de Casteljau).
func halves(b *[5]float64) (left, right [5]float64) {
	c := *b
	for k := range 5 {
		left[k], right[4-k] = c[0], c[4-k]
		for j := range 4 - k {
			c[j] = float64(0.5 * (c[j] + c[j+1]))
		}
	}
	return left, right
}

// rise solves b(s) = level where b grows from below it to at least it: Newton's
// method, kept within what is known to hold the root.
func rise(b *[5]float64, level float64) float64 {
	c0 := b[0] - level
	c1 := float64(4 * (b[1] - b[0]))
	c2 := float64(6 * (b[2] - float64(2*b[1]) + b[0]))
	c3 := float64(4 * (b[3] - float64(3*b[2]) + float64(3*b[1]) - b[0]))
	c4 := b[4] - float64(4*b[3]) + float64(6*b[2]) - float64(4*b[1]) + b[0]
	lo, hi := 0., 1.
	s := -c0 / (b[4] - b[0])
	for range 60 {
		v := c0 + float64(s*(c1+float64(s*(c2+float64(s*(c3+float64(s*c4)))))))
		if v < 0 {
			lo = s
		} else {
			hi = s
		}
		d := c1 + float64(s*(float64(2*c2)+float64(s*(float64(3*c3)+float64(4*float64(s*c4))))))
		next := s - v/d
		if !(next > lo && next < hi) {
			next = float64(0.5 * (lo + hi))
		}
		if math.Abs(next-s) < 1e-14 || next == lo || next == hi {
			break
		}
		s = next
	}
	return s
}

// summits calls found with each θ in (0, 1] where the curve passes from rising
// to falling, in order, until it says stop. The slope is of degree 3.
func summits(b [5]float64, found func(s float64) bool) {
	// As a curve of degree 4 whose coefficients are minus the slope: it
	// reaches zero from below where b is highest.
	s0, s1, s2, s3 := b[0]-b[1], b[1]-b[2], b[2]-b[3], b[3]-b[4]
	d := [5]float64{s0, float64(0.25 * (s0 + float64(3*s1))), float64(0.5 * (s1 + s2)), float64(0.25 * (float64(3*s2) + s3)), s3}
	for from := 0.; from < 1; {
		if d[0] >= 0 { // falling: skip to where it rises again
			neg := [5]float64{-d[0], -d[1], -d[2], -d[3], -d[4]}
			s, ok := firstAtLeast(neg, 1e-300)
			if !ok {
				return
			}
			from, d = cut(from, &d, s)
			if d[0] >= 0 { // rounding
				d[0] = -1e-300
			}
		}
		s, ok := firstAtLeast(d, 0)
		if !ok {
			return
		}
		from, d = cut(from, &d, s)
		if found(from) {
			return
		}
		d[0] = max(d[0], 0)
	}
}

// cut is the part of the curve from s on, and where that begins on the whole.
func cut(from float64, b *[5]float64, s float64) (float64, [5]float64) {
	c := *b
	var right [5]float64
	for k := range 5 {
		right[4-k] = c[4-k]
		for j := range 4 - k {
			c[j] += float64(s * (c[j+1] - c[j]))
		}
	}
	return from + float64((1-from)*s), right
}
