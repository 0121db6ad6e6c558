package neuron

import (
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
)

// condExpCells are neurons of iaf_cond_exp. With v = V − E_L,
//
//	dv/dt = b(t) − a(t) v,   a = (g_L + g_ex + g_in)/C_m,
//	b = (I + g_ex (E_ex − E_L) + g_in (E_in − E_L))/C_m,
//
// where a and b are sums of exponentials between events, so that the Taylor series
// of v at either end of a step follow from a recursion. A step equates the two
// (short, long); as a rule there is one from one event to the next. The series at
// its start alone (expand) serves to search for a threshold.
//
// No step is made to see whether the threshold is reached. The current that would
// flow at threshold,
//
//	F(t) = I − g_L (V_th − E_L) + g_ex (E_ex − V_th) − g_in (V_th − E_in),
//
// tells: V passes V_th from below only while F ≥ 0, and from above only while
// F ≤ 0. Where F stays negative the neuron waits for its next arrival; where it
// does not, C_m dV/dt ≤ max F + (V_th − V) (g_L + g_ex + g_in) gives a time before
// which V_th is not reached, and only then does it look, at the points where F
// ceases to be positive.
type condExpCells struct {
	gL, eL, vTh, vReset float64
	rC, rEx, rIn        float64 // 1/C_m, 1/tau_syn
	toEx, toIn          float64 // E_ex − E_L, E_in − E_L
	fL, fEx, fIn        float64 // g_L (V_th − E_L), E_ex − V_th, V_th − E_in
	iE                  float64
	tRef                event.Time
	tol                 float64 // of the terms of a step [mV]
	rate                float64 // of the faster conductance
	reach               float64 // of expand: largest h (a + rate maxOrder/2)
	// short takes steps with h (a + rate4) ≤ reach4, long with h (a + rate6) ≤ reach6.
	rate4, reach4, rate6, reach6 float64
	fade                         float64 // longest step that the conductances allow
	quiet                        []event.Time
	all                          []condExpCell
	series                       series
}

// condExpCell is one neuron at its local time.
type condExpCell struct {
	v, ex, in float64    // mV, nS
	current   float64    // from outside [pA]
	at, free  event.Time // local time, end of refractoriness
	then      prospect   // what is at quiet
}

// prospect is what awaits a neuron when nothing arrives.
type prospect uint8

const (
	fresh prospect = iota // it has just been made
	looks                 // it may reach its threshold from then on
	fires                 // it does so then
	freed                 // it leaves refractoriness
)

// The series of v is worked out until two terms in a row are below the tolerance,
// at most to maxOrder; those of a and b always to fadeOrder. Steps that are searched
// are short enough for both.
const (
	maxOrder  = 18
	fadeOrder = 8
	mostRate  = 1e6 // g/C_m that steps can follow [1/ms]
)

// series is that of v over a step, a term per power of s/h, behind zeros that stand
// for the terms of negative powers.
type series struct {
	v [fadeOrder + maxOrder + 1]float64
	p int
}

// inverse has 1/k.
var inverse = func() (r [maxOrder + 1]float64) {
	for k := 1; k <= maxOrder; k++ {
		r[k] = 1 / float64(k)
	}
	return r
}()

// newCondExp makes n neurons, Cells when the fixed-step mode or unusual reversal
// potentials ask for it.
func newCondExp(v quantity.Values, n int) (Dynamics, error) {
	m, _ := Lookup("iaf_cond_exp")
	p := func(key string) float64 { return m.Number(v, key) }
	if p("fixed_step") > 0 || !(p("E_ex") > p("V_th")) || !(p("E_in") < p("V_th")) {
		return integrated("iaf_cond_exp", condExp)(v, n)
	}
	tRef, _, err := event.FromMS(p("t_ref"))
	if err != nil {
		return nil, fmt.Errorf("t_ref: %w", err)
	}
	c := &condExpCells{gL: p("g_L"), eL: p("E_L"), vTh: p("V_th"), vReset: p("V_reset"), iE: p("I_e"), tRef: tRef,
		rC: 1 / p("C_m"), rEx: 1 / p("tau_syn_ex"), rIn: 1 / p("tau_syn_in"),
		quiet: make([]event.Time, n), all: make([]condExpCell, n)}
	c.toEx, c.toIn = p("E_ex")-c.eL, p("E_in")-c.eL
	c.fL, c.fEx, c.fIn = c.gL*(c.vTh-c.eL), p("E_ex")-c.vTh, c.vTh-p("E_in")
	c.tol = p("rtol") * 10 // relative to some millivolts from rest
	// The k-th derivative of v is at most of the size of (a + rate k/2)^k times the
	// range of potentials, because that of exp(x eᵗ), a Touchard polynomial of x,
	// is. The two-point formula leaves out 1/(70·9!) and 1/(924·13!) of the next
	// one. In practice half the range and fewer rates do: see the test of the
	// tolerance.
	width := max(p("E_ex")-p("E_in"), 10)
	c.rate = max(c.rEx, c.rIn)
	c.rate4, c.reach4 = 2.5*c.rate, root(2*70*c.tol/width, 9)
	c.rate6, c.reach6 = 3.5*c.rate, root(2*924*c.tol/width, 13)
	c.reach = root(c.tol/width, maxOrder-1)
	c.fade = root(c.tol/width, fadeOrder+1) / c.rate
	for i := range c.all {
		c.all[i].v = c.eL
	}
	return c, nil
}

// root is the x with xⁿ/n! = tol.
func root(tol float64, n int) float64 {
	f := fmath.Log(tol)
	for j := 2; j <= n; j++ {
		f += fmath.Log(float64(j))
	}
	return fmath.Exp(f / float64(n))
}

// Quiet implements Lazy.
func (c *condExpCells) Quiet() []event.Time { return c.quiet }

// Copy implements Copier.
func (c *condExpCells) Copy(dst, src int) { c.all[dst], c.quiet[dst] = c.all[src], c.quiet[src] }

// State gives access to a state variable at the neuron's local time.
func (c *condExpCells) State(i int, key string) *float64 {
	x := &c.all[i]
	switch key {
	case "V_m":
		return &x.v
	case "g_ex":
		return &x.ex
	case "g_in":
		return &x.in
	}
	return nil
}

// Sync implements Lazy.
func (c *condExpCells) Sync(i int, t event.Time) { c.move(&c.all[i], t) }

// Advance carries neuron i to `to`: see Dynamics.
func (c *condExpCells) Advance(i int, _, to event.Time, arrivals []Arrival, spikes []event.Time) ([]event.Time, error) {
	x, quiet := &c.all[i], &c.quiet[i]
	for k := 0; ; {
		t := to
		if k < len(arrivals) {
			t = arrivals[k].At
		}
		for *quiet < t || x.then == fresh {
			c.move(x, *quiet)
			spikes = c.look(x, quiet, x.then == fires, x.then == looks, spikes)
			if len(spikes) > maxPerStep {
				return spikes, ErrRunaway
			}
		}
		if k == len(arrivals) {
			return spikes, nil
		}
		due := x.then == fires && *quiet == t
		c.move(x, t)
		for ; k < len(arrivals) && arrivals[k].At == t; k++ {
			switch a := &arrivals[k]; a.Port {
			case PortEx:
				x.ex += math.Abs(a.Weight)
			case PortIn:
				x.in += math.Abs(a.Weight)
			default: // PortCurrent
				x.current += a.Weight
			}
		}
		if x.v != x.v || x.current != x.current {
			return spikes, ErrNaN
		}
		if !(float64(c.rC*(x.ex+x.in)) < mostRate) {
			return spikes, ErrStiff
		}
		spikes = c.look(x, quiet, due, false, spikes)
	}
}

// move carries the state to t, before which nothing happens.
func (c *condExpCells) move(x *condExpCell, t event.Time) {
	h := (t - x.at).MS()
	x.at = t
	if !(h > 0) {
		return
	}
	if t <= x.free { // V is held
		x.ex = float64(x.ex * fmath.Exp(-h*c.rEx))
		x.in = float64(x.in * fmath.Exp(-h*c.rIn))
		return
	}
	for {
		a := float64(c.rC * (c.gL + x.ex + x.in))
		if float64(h*(a+c.rate4)) <= c.reach4 {
			c.short(x, h)
			return
		}
		if float64(h*(a+c.rate6)) <= c.reach6 {
			c.long(x, h)
			return
		}
		if float64(x.ex*c.toEx/c.rEx)+float64(math.Abs(x.in*c.toIn)/c.rIn) < 1e-15/c.rC {
			// Nothing is left but the leak.
			r := float64(c.rC * c.gL)
			end := (c.iE + x.current) / c.gL
			x.v = c.eL + end + float64((x.v-c.eL-end)*fmath.Exp(-h*r))
			x.ex = float64(x.ex * fmath.Exp(-h*c.rEx))
			x.in = float64(x.in * fmath.Exp(-h*c.rIn))
			return
		}
		part := c.reach6 / (a + c.rate6)
		c.long(x, part)
		h -= part
	}
}

// longest is the longest step that the series allows [ms].
func (c *condExpCells) longest(x *condExpCell) float64 {
	a := float64(c.rC * (c.gL + x.ex + x.in))
	return min(c.fade, c.reach/(a+float64(c.rate*(maxOrder/2))))
}

// Steps. With v_k the terms of the Taylor series at the start of a step of h ms and
// u_k those at its end,
//
//	Σ_k C_k (−1)ᵏ u_k = Σ_k C_k v_k,   C_k = m! (2m − k)!/((2m)! (m − k)!),
//
// but for an error of order 2m + 1: Hermite's two-point formula (for constant a
// the diagonal Padé approximation of the exponential). The u_k are linear in u_0,
// u_k = p_k + q_k u_0, so it is solved by a division. The terms follow from
//
//	(k+1) v_{k+1} = b_k − Σ_j a_j v_{k−j}.

// short makes a step of h ms with m = 4. It is six with less, written out, since
// two steps in three are short.
func (c *condExpCells) short(x *condExpCell, h float64) {
	hC, le, li := float64(h*c.rC), -h*c.rEx, -h*c.rIn
	g, i := float64(hC*c.gL), float64(hC*(c.iE+x.current))
	le2, li2 := float64(le*le)*0.5, float64(li*li)*0.5
	le3, li3 := float64(le*le2)*(1./3), float64(li*li2)*(1./3)

	se, si := float64(hC*x.ex), float64(hC*x.in)
	be, bi := float64(se*c.toEx), float64(si*c.toIn)
	a0, b0 := g+se+si, i+be+bi
	a1, b1 := float64(se*le)+float64(si*li), float64(be*le)+float64(bi*li)
	a2, b2 := float64(se*le2)+float64(si*li2), float64(be*le2)+float64(bi*li2)
	a3, b3 := float64(se*le3)+float64(si*li3), float64(be*le3)+float64(bi*li3)
	v := x.v - c.eL
	v1 := b0 - float64(a0*v)
	v2 := float64((b1 - float64(a1*v) - float64(a0*v1)) * (1. / 2))
	v3 := float64((b2 - float64(a2*v) - float64(a1*v1) - float64(a0*v2)) * (1. / 3))
	v4 := float64((b3 - float64(a3*v) - float64(a2*v1) - float64(a1*v2) - float64(a0*v3)) * (1. / 4))
	sum := v + float64(v1*(1./2)) + float64(v2*(3./14)) + float64(v3*(1./14)) + float64(v4*(1./70))

	fe, fi := fading(le), fading(li)
	se, si, be, bi = float64(se*fe), float64(si*fi), float64(be*fe), float64(bi*fi)
	a0, b0 = g+se+si, i+be+bi
	a1, b1 = float64(se*le)+float64(si*li), float64(be*le)+float64(bi*li)
	a2, b2 = float64(se*le2)+float64(si*li2), float64(be*le2)+float64(bi*li2)
	a3, b3 = float64(se*le3)+float64(si*li3), float64(be*le3)+float64(bi*li3)
	p2 := float64((b1 - float64(a0*b0)) * (1. / 2))
	p3 := float64((b2 - float64(a1*b0) - float64(a0*p2)) * (1. / 3))
	p4 := float64((b3 - float64(a2*b0) - float64(a1*p2) - float64(a0*p3)) * (1. / 4))
	q2 := float64((float64(a0*a0) - a1) * (1. / 2))
	q3 := float64((float64(a1*a0) - a2 - float64(a0*q2)) * (1. / 3))
	q4 := float64((float64(a2*a0) - a3 - float64(a1*q2) - float64(a0*q3)) * (1. / 4))
	p := float64(p2*(3./14)) + float64(p4*(1./70)) - float64(b0*(1./2)) - float64(p3*(1./14))
	q := 1 + float64(a0*(1./2)) + float64(q2*(3./14)) + float64(q4*(1./70)) - float64(q3*(1./14))
	x.v = c.eL + (sum-p)/q
	x.ex, x.in = float64(x.ex*fe), float64(x.in*fi)
}

// span has the first terms of the series of a and b at one end of a step.
type span struct{ a, b [6]float64 }

// long makes a step of h ms with m = 6.
func (c *condExpCells) long(x *condExpCell, h float64) {
	hC := float64(h * c.rC)
	g, i := float64(hC*c.gL), float64(hC*(c.iE+x.current))
	le, li := -h*c.rEx, -h*c.rIn
	ex, in := float64(x.ex*fading(le)), float64(x.in*fading(li))
	var s, e span
	se, si, ee, ei := float64(hC*x.ex), float64(hC*x.in), float64(hC*ex), float64(hC*in)
	s.a[0], s.b[0] = g+se+si, i+float64(se*c.toEx)+float64(si*c.toIn)
	e.a[0], e.b[0] = g+ee+ei, i+float64(ee*c.toEx)+float64(ei*c.toIn)
	fe, fi := 1., 1.
	for k := 1; k < len(s.a); k++ {
		fe, fi = float64(fe*float64(le*inverse[k])), float64(fi*float64(li*inverse[k]))
		s.a[k] = float64(se*fe) + float64(si*fi)
		s.b[k] = float64(float64(se*fe)*c.toEx) + float64(float64(si*fi)*c.toIn)
		e.a[k] = float64(ee*fe) + float64(ei*fi)
		e.b[k] = float64(float64(ee*fe)*c.toEx) + float64(float64(ei*fi)*c.toIn)
	}
	v := x.v - c.eL
	p, q := e.six(0, 1, -1), 1+e.six(1, 0, -1)
	x.v = c.eL + (v+s.six(v, 1, 1)-p)/q
	x.ex, x.in = ex, in
}

// six is Σ_k C_k dᵏ v_k, k = 1 to 6, where b is taken f times.
func (s *span) six(v, f, d float64) float64 {
	a, b := &s.a, &s.b
	v1 := float64(f*b[0]) - float64(a[0]*v)
	v2 := float64((float64(f*b[1]) - float64(a[1]*v) - float64(a[0]*v1)) * (1. / 2))
	v3 := float64((float64(f*b[2]) - float64(a[2]*v) - float64(a[1]*v1) - float64(a[0]*v2)) * (1. / 3))
	v4 := float64((float64(f*b[3]) - float64(a[3]*v) - float64(a[2]*v1) - float64(a[1]*v2) - float64(a[0]*v3)) * (1. / 4))
	v5 := float64((float64(f*b[4]) - float64(a[4]*v) - float64(a[3]*v1) - float64(a[2]*v2) - float64(a[1]*v3) - float64(a[0]*v4)) * (1. / 5))
	v6 := float64((float64(f*b[5]) - float64(a[5]*v) - float64(a[4]*v1) - float64(a[3]*v2) - float64(a[2]*v3) - float64(a[1]*v4) - float64(a[0]*v5)) * (1. / 6))
	return float64(d*(float64(v1*(1./2))+float64(v3*(1./11))+float64(v5*(1./132)))) + float64(v2*(5./22)) + float64(v4*(1./33)) + float64(v6*(1./924))
}

// fading is eˣ, x ≤ 0. For small x it is Padé's approximation of order 8, which is
// good to the last digit there.
func fading(x float64) float64 {
	if x < -0.125 {
		return fmath.Exp(x)
	}
	y := x * x
	e := 1 + float64(y*(3./28+float64(y*(1./1680))))
	o := float64(x * (0.5 + float64(y*(1./84))))
	return (e + o) / (e - o)
}

// expand works out the series of v over a step of h ms:
//
//	(k+1) v_{k+1} = b_k − Σ_j a_j v_{k−j}.
func (c *condExpCells) expand(x *condExpCell, h float64) {
	s := &c.series
	hC := float64(h * c.rC)
	le, li := -h*c.rEx, -h*c.rIn
	ae, ai := float64(hC*x.ex), float64(hC*x.in)
	be, bi := float64(ae*c.toEx), float64(ai*c.toIn)
	var a, b [fadeOrder + 1]float64
	a[0] = float64(hC*c.gL) + ae + ai
	b[0] = float64(hC*(c.iE+x.current)) + be + bi
	fe, fi := 1., 1.
	for k := 1; k <= fadeOrder; k++ {
		fe, fi = float64(fe*float64(le*inverse[k])), float64(fi*float64(li*inverse[k]))
		a[k] = float64(ae*fe) + float64(ai*fi)
		b[k] = float64(be*fe) + float64(bi*fi)
	}
	y := x.v - c.eL
	s.v[fadeOrder] = y
	last := math.Inf(1)
	for k := 0; k < maxOrder; k++ {
		w := (*[fadeOrder]float64)(s.v[k+1:]) // v_{k−7} to v_k
		old := float64(a[1]*w[6]) + float64(a[2]*w[5]) + (float64(a[3]*w[4]) + float64(a[4]*w[3])) +
			(float64(a[5]*w[2]) + float64(a[6]*w[1]) + float64(a[7]*w[0]))
		if k <= fadeOrder {
			old -= b[k]
		}
		y = float64((float64(-a[0]*y) - old) * inverse[k+1])
		s.v[fadeOrder+k+1] = y
		s.p = k + 1
		size := math.Abs(y)
		if size+last <= c.tol && k >= 3 {
			break
		}
		last = float64(0.25 * size)
	}
}

// at is V − E_L at θ = s/h.
func (s *series) at(th float64) float64 {
	y := 0.
	for k := s.p; k >= 0; k-- {
		y = s.v[fadeOrder+k] + float64(th*y)
	}
	return y
}

// look tests the threshold and finds out until when nothing happens. due: it has
// been reached. search: what is said of V_th by the bound has been used up.
func (c *condExpCells) look(x *condExpCell, quiet *event.Time, due, search bool, spikes []event.Time) []event.Time {
	if due || x.at >= x.free && x.v >= c.vTh {
		spikes = append(spikes, x.at)
		x.v, x.free = c.vReset, x.at+c.tRef
	}
	if x.at < x.free {
		x.then, *quiet = freed, x.free
		return spikes
	}
	x.then, *quiet = looks, event.MaxTime
	rest := c.iE + x.current - c.fL
	ex, in := float64(x.ex*c.fEx), float64(x.in*c.fIn)
	most := rest + ex - in
	if rest > 0 || c.rIn > c.rEx {
		// Else F, as long as it is positive, falls, and then stays negative.
		most = max(rest, 0) + ex
	}
	if most < 0 || most == 0 && ex == 0 {
		return spikes
	}
	g := c.gL + x.ex + x.in
	if !search {
		gap := c.vTh - x.v
		// log(1 + x) ≥ 2x/(2 + x)
		if wait := 2 * gap / float64(c.rC*(float64(2*most)+float64(gap*g))); wait > 1e-3 {
			*quiet = x.at + event.Time(float64(min(wait, 1e6)*1e9))
			return spikes
		}
	}
	h := min(c.longest(x), mostStep)
	if th, ok := c.find(x, rest, ex, in, h); ok {
		x.then = fires
		*quiet = x.at + event.Time(math.Floor(float64(float64(th*h)*1e9)+0.5))
		return spikes
	}
	*quiet = x.at + max(event.Time(float64(h*1e9)), 1)
	return spikes
}

// find looks for the threshold on a step of h ms, where F = rest + ex exp(−rEx s)
// − in exp(−rIn s).
func (c *condExpCells) find(x *condExpCell, rest, ex, in, h float64) (th float64, ok bool) {
	c.expand(x, h)
	f := func(s float64) float64 {
		return rest + float64(ex*fmath.Exp(-s*c.rEx)) - float64(in*fmath.Exp(-s*c.rIn))
	}
	// F has one turning point at most.
	turn := h
	if ex > 0 && in > 0 && c.rEx != c.rIn {
		if s := fmath.Log(float64(ex*c.rEx)/float64(in*c.rIn)) / (c.rEx - c.rIn); s > 0 && s < h {
			turn = s
		}
	}
	gap := c.vTh - c.eL
	for from, to := 0., turn; from < h; from, to = to, h {
		lo, hi := from, to
		up, down := f(from) < 0, f(to) < 0
		switch {
		case up && down:
			continue
		case up:
			lo = zero(f, from, to)
		case down:
			hi = zero(f, from, to)
		}
		// While F ≥ 0 V passes V_th once or not at all.
		if c.series.at(hi/h) >= gap {
			return c.series.root(gap, lo/h, hi/h), true
		}
	}
	return 0, false
}

// zero is where f, of different sign at both ends, passes 0.
func zero(f func(float64) float64, lo, hi float64) float64 {
	up := f(hi) > 0
	for range 100 {
		m := float64(0.5 * (lo + hi))
		if m <= lo || m >= hi {
			break
		}
		if (f(m) > 0) == up {
			hi = m
		} else {
			lo = m
		}
	}
	return hi
}

// root is where the series reaches gap, below it at lo and not at hi: Newton's
// method, kept within what is known to hold the root.
func (s *series) root(gap, lo, hi float64) float64 {
	th := hi
	for range 100 {
		v, d := 0., 0.
		for k := s.p; k >= 0; k-- {
			d = v + float64(th*d)
			v = s.v[fadeOrder+k] + float64(th*v)
		}
		if v < gap {
			lo = th
		} else {
			hi = th
		}
		next := th - (v-gap)/d
		if !(next > lo && next < hi) {
			next = float64(0.5 * (lo + hi))
		}
		if math.Abs(next-th) < 1e-14 || next == lo || next == hi {
			break
		}
		th = next
	}
	return th
}
