package neuron

import (
	"hmn/event"
	"hmn/event/fmath"
)

// kernel tabulates what a unit arrival contributes to the state at the end of
// a step, as a function of the time x left until that end: the potential, the
// current and (alpha) the slope variable of its port. Each cell holds Taylor
// polynomials of degree 4 around its centre; the cells are so narrow that the
// error is below the rounding of the result. One table serves every step
// length, and no exponential is evaluated per arrival.
type kernel struct {
	inv   float64 // cells per ms
	width float64 // ms
	cells [2][]cell
}

// cell holds the coefficients c0 … c4 of potential, current and slope variable.
type cell struct{ v, i, d [5]float64 }

// rho is the half width of a cell in units of the shortest time constant: the
// remainder rho⁵/5! of degree 4 is 2⁻⁵⁴.
const rho = 0.00145

func newKernel(l *Linear, longest event.Time) *kernel {
	tau := l.tauM
	if l.psc != Delta {
		tau = min(tau, l.tauS[0], l.tauS[1])
	}
	span := longest.MS()
	n := int(span/(2*rho*tau)) + 1
	k := &kernel{width: span / float64(n), inv: float64(n) / span}
	for p := range k.cells {
		if l.psc == Delta && p == 1 {
			k.cells[1] = k.cells[0]
			break
		}
		k.cells[p] = make([]cell, n+1)
		for c := range k.cells[p] {
			k.cells[p][c] = l.taylor(p, (float64(c)+0.5)*k.width)
		}
	}
	return k
}

// taylor expands the response to a unit arrival at port p around x ms.
func (l *Linear) taylor(p int, x float64) cell {
	em := fmath.Exp(-x / l.tauM)
	if l.psc == Delta {
		var c cell
		term := em
		for n := range c.v {
			c.v[n] = term
			term *= -1 / (l.tauM * float64(n+1))
		}
		return c
	}
	es := fmath.Exp(-x / l.tauS[p])
	var v, i, d float64 // derivatives of order n, divided by n!
	if l.psc == Exp {
		v, i = l.response(p, x, em, es), es
	} else {
		v, i, d = l.peak[p]*l.slopeResponse(p, x, em, es), l.peak[p]*x*es, l.peak[p]*es
	}
	var c cell
	for n := range c.v {
		c.v[n], c.i[n], c.d[n] = v, i, d
		f := 1 / float64(n+1)
		v, i, d = (float64(i*l.invC)-v/l.tauM)*f, (d-i/l.tauS[p])*f, -d/l.tauS[p]*f
	}
	return c
}

func poly(c *[5]float64, r float64) float64 {
	s := float64(c[4]*r) + c[3]
	s = float64(s*r) + c[2]
	s = float64(s*r) + c[1]
	return float64(s*r) + c[0]
}

// at finds the cell of x [ms] and the offset from its centre.
func (k *kernel) at(p int, x float64) (*cell, float64) {
	n := int(x * k.inv)
	return &k.cells[p][n], x - float64((float64(n)+0.5)*k.width)
}

// Jump is what a unit weight [mV] arriving x ms before the end of a step adds
// to the potential there (delta currents).
func (l *Linear) Jump(x float64) float64 {
	c, r := l.kern.at(0, x)
	return poly(&c.v, r)
}

// Response is what a unit weight arriving at port p, x ms before the end of a
// step, adds there to the potential [mV] and to the current [pA].
func (l *Linear) Response(p int, x float64) (v, i float64) {
	c, r := l.kern.at(p, x)
	return poly(&c.v, r), poly(&c.i, r)
}

// Slope is what a unit weight adds to the slope variable of an alpha current
// [pA/ms] at the end of a step x ms after its arrival.
func (l *Linear) Slope(p int, x float64) float64 {
	c, r := l.kern.at(p, x)
	return poly(&c.d, r)
}
