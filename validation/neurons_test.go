package validation

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"hmn/event"
)

// What follows is the reference of the neurons that have no closed form: their
// equations written down a second time, from NEST's documentation and the papers
// (neurons_models_test.go), and integrated by extrapolation to the last digits of
// float64. Packages neuron and network are not used.

// flow is a system of differential equations y' = f(y).
type flow func(y, dy []float64)

// columns of the extrapolation: order 16.
const columns = 8

// extrapolation integrates by the method of Gragg, Bulirsch and Stoer (Hairer,
// Nørsett & Wanner 1993, II.9): modified midpoint rules of 2, 4 … 16 substeps,
// extrapolated to none. It works with increments, so that rounding is that of
// what changes and not of a potential of −60 mV.
type extrapolation struct {
	z, f, f0, a, b []float64
	table          [columns][]float64
}

func newExtrapolation(n int) *extrapolation {
	row := func() []float64 { return make([]float64, n) }
	e := &extrapolation{z: row(), f: row(), f0: row(), a: row(), b: row()}
	for j := range e.table {
		e.table[j] = row()
	}
	return e
}

// step gives y(h) − y(0) in d and how much the last column still changed it,
// relative to |y| + 1e-3.
func (e *extrapolation) step(f flow, y []float64, h float64, d []float64) (change float64) {
	f(y, e.f0)
	for j := range columns {
		n := 2 * (j + 1)
		s := h / float64(n)
		for i := range y {
			e.a[i], e.b[i] = 0, s*e.f0[i]
		}
		for m := 1; m <= n; m++ {
			for i := range y {
				e.z[i] = y[i] + e.b[i]
			}
			f(e.z, e.f)
			for i := range y {
				if m < n {
					e.a[i], e.b[i] = e.b[i], e.a[i]+2*s*e.f[i]
				} else {
					e.b[i] = (e.a[i] + e.b[i] + s*e.f[i]) / 2
				}
			}
		}
		// Neville's scheme: table[k] holds column k of row j−1, and then of row j.
		for i := range y {
			x := e.b[i]
			for k := range j {
				r := float64(j+1) / float64(j-k)
				next := x + (x-e.table[k][i])/(r*r-1)
				e.table[k][i] = x
				x = next
			}
			if j == columns-1 {
				change = math.Max(change, math.Abs(x-e.table[j-1][i])/(math.Abs(y[i])+1e-3)) // NaN stays
				d[i] = x
			}
			e.table[j][i] = x
		}
	}
	return change
}

// specimen is a neuron of the reference. y[0] is what has the threshold: the
// membrane potential, or that less a threshold that moves.
type specimen struct {
	names     []string // of y, as hmn records them
	y, carry  []float64
	free      flow // the equations
	held      flow // those while V is held at V_reset; nil: nothing is held
	hit       func(y []float64, port string, w float64, refractory bool)
	threshold float64
	// summit: a spike is where V has a maximum of at least the threshold. Otherwise
	// it is where V reaches the threshold.
	summit  bool
	fire    func(y []float64)         // what a spike does to the state
	seen    func(name string) float64 // what is recorded and no entry of y; nil: nothing
	tRef    event.Time
	c       float64 // pF; 0: takes no current
	current float64 // pA, from outside

	at, until event.Time // time of the state; end of refractoriness
	h         float64    // the next step, ms
	tol       float64    // 0: 1e-13
	method    *extrapolation
	spikes    []event.Time
	steps     int
}

// current is the port of a change of the current from outside.
const current = "current"

// stroke is one arrival.
type stroke struct {
	at   event.Time
	port string
	w    float64
}

const longest = 0.25 // ms; no step is longer, so that no two crossings hide in one

// put adds d to the state, with compensation (Kahan).
func (s *specimen) put(d []float64) {
	for i, x := range d {
		x -= s.carry[i]
		y := s.y[i] + x
		s.carry[i] = (y - s.y[i]) - x
		s.y[i] = y
	}
}

// to integrates to t and fires on the way. A crossing that rounds to t is left to
// the caller, which applies the arrivals of t first: due is true.
func (s *specimen) to(t event.Time) (due bool) {
	if s.method == nil {
		s.method, s.carry, s.h = newExtrapolation(len(s.y)), make([]float64, len(s.y)), 0.01
		if s.tol == 0 {
			s.tol = 1e-13
		}
	}
	d := make([]float64, len(s.y))
	for off := 0.0; s.at < t; { // the state is at s.at + off
		if s.at == s.until && off == 0 && s.above() {
			s.spike() // at the end of refractoriness
		}
		f, end := s.charged, t
		if s.at < s.until {
			end = min(t, s.until)
			if s.held != nil {
				f = s.held
			}
		}
		left := (end - s.at).MS() - off
		h := min(s.h, left, longest)
		change := s.method.step(f, s.y, h, d)
		s.steps++
		x, fires := 0.0, false
		if s.at >= s.until {
			if gap := s.threshold - s.y[0]; !s.summit && gap > 0 && s.method.f0[0]*1e-13 > gap {
				fires = true // it runs away: less than 1e-13 ms are left
			} else if change <= s.tol {
				x, fires = s.crossing(f, h, d)
			}
		}
		if !fires && !(change <= s.tol) {
			s.h = h / 5
			if !math.IsNaN(change) {
				s.h = h * max(0.2, 0.9*math.Pow(s.tol/change, 1.0/(2*columns-1)))
			}
			if !(s.h > 1e-18) {
				panic(fmt.Sprintf("the reference's step vanishes at %v ms: %v", s.at, s.y))
			}
			continue
		}
		if h == s.h && change <= s.tol {
			s.h *= min(4, 0.9*math.Pow(s.tol/max(change, 1e-20), 1.0/(2*columns-1)))
		}
		if fires {
			// The spike, and what it does to the state, is at a whole picosecond.
			// A potential that is about to be reset does not go there: it may run
			// away in less.
			ps := math.Floor((off+x)*1e9 + 0.5)
			s.method.step(f, s.y, x, d)
			s.put(d)
			if s.held != nil {
				f = s.held
			}
			s.method.step(f, s.y, ps*1e-9-off-x, d)
			s.put(d)
			s.at, off = s.at+event.Time(ps), 0
			if s.at >= t {
				return true
			}
			s.spike()
			continue
		}
		s.put(d)
		if off += h; h == left {
			s.at, off = end, 0
		}
	}
	// A crossing within the next half picosecond is rounded to t.
	const half = 0.5e-9
	if v := s.slope(); s.at < s.until || v <= 0 || !s.summit && v*2*half < s.threshold-s.y[0] || s.summit && v > 1e-3 {
		return false
	}
	s.method.step(s.charged, s.y, half, d)
	_, due = s.crossing(s.charged, half, d)
	return due
}

// crossing is where the spike lies within a step of h ms, whose increments are d.
func (s *specimen) crossing(f flow, h float64, d []float64) (float64, bool) {
	gap := s.threshold - s.y[0]
	if gap <= 0 && !s.summit {
		return 0, false
	}
	dy, z := make([]float64, len(s.y)), slices.Clone(s.y)
	part := make([]float64, len(s.y))
	rise := func(x float64) float64 { // V(x) − V(0)
		s.method.step(f, s.y, x, part)
		return part[0]
	}
	slope := func(x float64) float64 {
		rise(x)
		for i := range z {
			z[i] = s.y[i] + part[i]
		}
		f(z, dy)
		return dy[0]
	}
	if s.summit {
		if gap > 20 || slope(0) <= 0 || slope(h) > 0 {
			return 0, false
		}
		h = narrow(h, func(x float64) bool { return slope(x) <= 0 })
		return h, rise(h) >= gap
	}
	if d[0] < gap { // perhaps a peak on the way
		if gap > 20 || slope(0) <= 0 || slope(h) >= 0 {
			return 0, false
		}
		if h = narrow(h, func(x float64) bool { return slope(x) <= 0 }); rise(h) < gap {
			return 0, false
		}
	}
	return narrow(h, func(x float64) bool { return rise(x) >= gap }), true
}

// narrow is where f becomes true between 0 (false) and hi (true), to a thousandth of
// a picosecond.
func narrow(hi float64, f func(float64) bool) float64 {
	for lo := 0.0; hi-lo > 1e-12; {
		m := lo + (hi-lo)/2
		if m == lo || m == hi {
			break
		}
		if f(m) {
			hi = m
		} else {
			lo = m
		}
	}
	return hi
}

// above says that the neuron is to fire where it is.
func (s *specimen) above() bool {
	return !s.summit && s.at >= s.until && s.y[0] >= s.threshold
}

// charged are the equations with the current from outside.
func (s *specimen) charged(y, dy []float64) {
	s.free(y, dy)
	if s.current != 0 {
		dy[0] += s.current / s.c
		if i := slices.Index(s.names, "V_m"); i > 0 { // y[0] follows V
			dy[i] += s.current / s.c
		}
	}
}

// slope is dy[0]/dt.
func (s *specimen) slope() float64 {
	dy := make([]float64, len(s.y))
	s.charged(s.y, dy)
	return dy[0]
}

// spike fires at the state.
func (s *specimen) spike() {
	s.spikes = append(s.spikes, s.at)
	s.fire(s.y)
	clear(s.carry)
	s.until = s.at + s.tRef
}

// play runs the specimen with its arrivals, sorted by time, until end and calls look
// at every whole multiple of every.
func (s *specimen) play(strokes []stroke, end, every event.Time, look func(event.Time)) {
	for k, sample := 0, event.Time(0); ; {
		next := end
		if k < len(strokes) {
			next = min(next, strokes[k].at)
		}
		if look != nil {
			next = min(next, sample)
		}
		due := s.to(next)
		rising := s.slope() > 0
		for ; k < len(strokes) && strokes[k].at == next; k++ {
			if strokes[k].port == current {
				s.current += strokes[k].w
			} else {
				s.hit(s.y, strokes[k].port, strokes[k].w, s.at < s.until)
			}
		}
		if next >= end {
			return
		}
		if due || s.above() || s.summit && s.at >= s.until && s.y[0] >= s.threshold && rising && s.slope() <= 0 {
			s.spike()
		}
		if look != nil && next == sample {
			look(sample)
			sample += every
		}
	}
}

// value is what a record of that name has.
func (s *specimen) value(name string) float64 {
	i := slices.Index(s.names, name)
	if i < 0 {
		return s.seen(name)
	}
	return s.y[i]
}

// TestReference compares the extrapolation with what it must give: a closed form
// with a pole, and Taylor series of 60 terms in numbers of 300 bits.
func TestReferenceOfNeurons(t *testing.T) {
	// y' = 1 + y²: tan, steeper and steeper.
	s := &specimen{y: []float64{0}, threshold: 1e9, fire: func(y []float64) { y[0] = 0 }, free: func(y, dy []float64) { dy[0] = 1 + y[0]*y[0] }}
	for k := 1; k <= 15; k++ {
		at := event.Time(k) * 100 * event.Microsecond
		s.to(at)
		if want := math.Tan(at.MS()); math.Abs(s.y[0]-want) > 2e-14*(1+want*want) {
			t.Errorf("tan(%v) = %.17g, want %.17g", at.MS(), s.y[0], want)
		}
	}
	s.to(2 * event.Millisecond)
	if want := math.Pi/2 - 1e-9; len(s.spikes) != 1 || math.Abs(float64(s.spikes[0])-want*1e9) > 0.51 {
		t.Errorf("tan reaches 10⁹ at %v, want %.10f", s.spikes, want)
	}

	// Two of the neurons between events.
	for _, c := range []struct {
		name  string
		ref   *specimen
		exact func(ms float64) []float64
	}{
		{"izhikevich", izhikevich(map[string]float64{"I_e": -7}), func(ms float64) []float64 { return izhikevichTaylor(-65, 0, -7, ms) }},
		{"aeif_cond_exp", aeif(false, map[string]float64{"I_e": 900}), func(ms float64) []float64 { return aeifTaylor(-70.6, 0, 900, ms) }},
	} {
		for _, ms := range []float64{1, 3, 5} {
			at := event.Time(ms * 1e9)
			c.ref.to(at)
			want := c.exact(ms)
			for i, x := range want {
				if math.Abs(c.ref.y[i]-x) > 1e-12*(1+math.Abs(x)) {
					t.Errorf("%s: y[%d] at %v ms is %.17g, Taylor's series of 300 bits has %.17g", c.name, i, ms, c.ref.y[i], x)
				}
			}
		}
	}
}

// number is x with 300 bits.
func number(x float64) *big.Float { return new(big.Float).SetPrec(300).SetFloat64(x) }

// series makes coefficients of a Taylor series: product is that of order k.
type series []*big.Float

func product(a, b series, k int) *big.Float {
	sum := number(0)
	for i := range k + 1 {
		sum.Add(sum, new(big.Float).Mul(a[i], b[k-i]))
	}
	return sum
}

// taylor steps systems of two variables by terms(k, y) = coefficients k of y'.
func taylor(y [2]*big.Float, steps, order int, h *big.Float, begin func(y [2]series), terms func(k int, y [2]series) [2]*big.Float) []float64 {
	for range steps {
		s := [2]series{{y[0]}, {y[1]}}
		begin(s)
		for k := range order {
			d := terms(k, s)
			for i := range s {
				s[i] = append(s[i], new(big.Float).Quo(d[i], number(float64(k+1))))
			}
		}
		for i := range y {
			y[i] = number(0)
			for k := order; k >= 0; k-- {
				y[i] = new(big.Float).Add(new(big.Float).Mul(y[i], h), s[i][k])
			}
		}
	}
	a, _ := y[0].Float64()
	b, _ := y[1].Float64()
	return []float64{a, b}
}

// izhikevichTaylor is V and U of v' = 0.04 v² + 5 v + 140 − u + I, u' = 0.02 (0.2 v − u).
func izhikevichTaylor(v, u, i, ms float64) []float64 {
	q := func(a, b float64) *big.Float { return new(big.Float).Quo(number(a), number(b)) }
	return taylor([2]*big.Float{number(v), number(u)}, int(ms*20), 60, q(1, 20), func([2]series) {}, func(k int, y [2]series) [2]*big.Float {
		dv := new(big.Float).Mul(product(y[0], y[0], k), number(0.04))
		dv.Add(dv, new(big.Float).Mul(y[0][k], number(5)))
		dv.Sub(dv, y[1][k])
		if k == 0 {
			dv.Add(dv, number(140+i))
		}
		du := new(big.Float).Mul(y[0][k], number(0.2))
		du.Sub(du, y[1][k])
		return [2]*big.Float{dv, du.Mul(du, number(0.02))}
	})
}

// aeifTaylor is V and w of aeif_cond_exp without synaptic input.
func aeifTaylor(v, w, i, ms float64) []float64 {
	const c, g, el, vt, delta, a, tau = 281, 30, -70.6, -50.4, 2, 4, 144
	var e series // exp((V − V_th)/Delta_T)
	return taylor([2]*big.Float{number(v), number(w)}, int(ms*20), 60, new(big.Float).Quo(number(1), number(20)), func(y [2]series) {
		x := new(big.Float).Sub(y[0][0], number(vt))
		x.Quo(x, number(delta*1024))
		sum, term := number(1), number(1)
		for k := 1; k < 80; k++ {
			term.Quo(term.Mul(term, x), number(float64(k)))
			sum.Add(sum, term)
		}
		for range 10 { // exp(x)^1024
			sum.Mul(sum, sum)
		}
		e = series{sum}
	}, func(k int, y [2]series) [2]*big.Float {
		if k > 0 { // e' = e V'/Delta_T
			sum := number(0)
			for j := 1; j <= k; j++ {
				x := new(big.Float).Mul(y[0][j], e[k-j])
				sum.Add(sum, x.Mul(x, number(float64(j))))
			}
			e = append(e, sum.Quo(sum, number(float64(delta*k))))
		}
		dv := new(big.Float).Mul(e[k], number(g*delta))
		dv.Sub(dv, new(big.Float).Mul(y[0][k], number(g)))
		dv.Sub(dv, y[1][k])
		dw := new(big.Float).Mul(y[0][k], number(a))
		dw.Sub(dw, y[1][k])
		if k == 0 {
			rest := number(el)
			dv.Add(dv, new(big.Float).Mul(rest, number(g)))
			dv.Add(dv, number(i))
			dw.Sub(dw, new(big.Float).Mul(rest, number(a)))
		}
		return [2]*big.Float{dv.Quo(dv, number(c)), dw.Quo(dw, number(tau))}
	})
}
