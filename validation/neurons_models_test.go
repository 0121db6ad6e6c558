package validation

import (
	"math"
	"slices"

	"hmn/event"
)

// The equations of the neurons, from NEST's documentation (3.9) and the papers named.
// Parameters that are not given have NEST's defaults, written here as numbers.

// given is p[key], or the default.
func given(p map[string]float64, key string, def float64) float64 {
	if x, ok := p[key]; ok {
		return x
	}
	return def
}

// conductances are the synapses of a conductance-based neuron: first[k] is the index
// in y of port k's conductance, followed for alpha by its slope variable.
type conductances struct {
	alpha    bool
	first    int
	tau, rev [2]float64
}

func (c conductances) index(k int) int {
	if c.alpha {
		return c.first + 2*k
	}
	return c.first + k
}

// names of the conductances, as NEST has them.
func (c conductances) names() []string {
	if c.alpha {
		return []string{"g_ex", "dg_ex", "g_in", "dg_in"}
	}
	return []string{"g_ex", "g_in"}
}

// decay: τ g' = −g, or g' = d − g/τ, d' = −d/τ.
func (c conductances) decay(y, dy []float64) {
	for k := range 2 {
		i := c.index(k)
		dy[i] = -y[i] / c.tau[k]
		if c.alpha {
			dy[i] += y[i+1]
			dy[i+1] = -y[i+1] / c.tau[k]
		}
	}
}

// current is Σ g (V − E), outward.
func (c conductances) current(v float64, y []float64) float64 {
	return y[c.index(0)]*(v-c.rev[0]) + y[c.index(1)]*(v-c.rev[1])
}

// hit: the peak of an alpha conductance is w, an exponential one jumps by w.
func (c conductances) hit(y []float64, port string, w float64, _ bool) {
	k := 0
	if port == "in" || port == "" && w < 0 {
		k, w = 1, math.Abs(w)
	}
	if c.alpha {
		y[c.index(k)+1] += w * math.E / c.tau[k]
	} else {
		y[c.index(k)] += w
	}
}

// holding is the flow with V held at vr.
func holding(free flow, vr float64) flow {
	return func(y, dy []float64) {
		y0 := y[0]
		y[0] = vr
		free(y, dy)
		y[0], dy[0] = y0, 0
	}
}

// condLIF is iaf_cond_exp or iaf_cond_alpha (Meffin, Burkitt & Grayden 2004,
// doi:10.1023/B:JCNS.0000014108.03012.81).
func condLIF(alpha bool, p map[string]float64) *specimen {
	c, gl, el := given(p, "C_m", 250), given(p, "g_L", 16.6667), given(p, "E_L", -70)
	vr, ie := given(p, "V_reset", -60), given(p, "I_e", 0)
	g := conductances{alpha: alpha, first: 1, tau: [2]float64{given(p, "tau_syn_ex", 0.2), given(p, "tau_syn_in", 2)},
		rev: [2]float64{given(p, "E_ex", 0), given(p, "E_in", -85)}}
	s := &specimen{names: append([]string{"V_m"}, g.names()...), c: c, threshold: given(p, "V_th", -55), tRef: ms(given(p, "t_ref", 2)), hit: g.hit}
	s.y = make([]float64, len(s.names))
	s.y[0] = el
	s.free = func(y, dy []float64) {
		dy[0] = (-gl*(y[0]-el) - g.current(y[0], y) + ie) / c
		g.decay(y, dy)
	}
	s.held = holding(s.free, vr)
	s.fire = func(y []float64) { y[0] = vr }
	return s
}

// channels of iaf_cond_multi: reversal potentials, rise and decay times as of NEST's
// ht_neuron (Hill & Tononi 2005, doi:10.1152/jn.00915.2004).
var channels = []struct {
	name             string
	rev, rise, decay float64
}{{"AMPA", 0, 0.5, 2.4}, {"NMDA", 0, 4, 40}, {"GABA_A", -70, 1, 7}, {"GABA_B", -90, 60, 200}}

// unblocked is the share of NMDA channels that magnesium [mM] leaves open at v (Jahr
// & Stevens 1990, doi:10.1523/JNEUROSCI.10-09-03178.1990, equation 4a).
func unblocked(v, mg float64) float64 { return 1 / (1 + mg/3.57*math.Exp(-0.062*v)) }

// condMulti is iaf_cond_multi: a conductance is a difference of two exponentials,
// y[1+2k] of the decay time and y[2+2k] of the rise time, its peak the weight.
func condMulti(p map[string]float64) *specimen {
	c, gl, el := given(p, "C_m", 250), given(p, "g_L", 16.6667), given(p, "E_L", -70)
	vr, ie, mg := given(p, "V_reset", -60), given(p, "I_e", 0), given(p, "Mg", 1)
	s := &specimen{names: []string{"V_m"}, c: c, threshold: given(p, "V_th", -55), tRef: ms(given(p, "t_ref", 2))}
	var rev, rise, decay, scale [4]float64
	for k, ch := range channels {
		s.names = append(s.names, "slow of "+ch.name, "fast of "+ch.name)
		rev[k], rise[k], decay[k] = given(p, "E_rev_"+ch.name, ch.rev), given(p, "tau_rise_"+ch.name, ch.rise), given(p, "tau_decay_"+ch.name, ch.decay)
		t := math.Log(decay[k]/rise[k]) * decay[k] * rise[k] / (decay[k] - rise[k])
		scale[k] = 1 / (math.Exp(-t/decay[k]) - math.Exp(-t/rise[k]))
	}
	s.y = make([]float64, 9)
	s.y[0] = el
	s.free = func(y, dy []float64) {
		i := -gl*(y[0]-el) + ie
		for k := range channels {
			g := y[1+2*k] - y[2+2*k]
			if k == 1 {
				g *= unblocked(y[0], mg)
			}
			i -= g * (y[0] - rev[k])
			dy[1+2*k], dy[2+2*k] = -y[1+2*k]/decay[k], -y[2+2*k]/rise[k]
		}
		dy[0] = i / c
	}
	s.held = holding(s.free, vr)
	s.hit = func(y []float64, port string, w float64, _ bool) {
		k := slices.IndexFunc(channels, func(c struct {
			name             string
			rev, rise, decay float64
		}) bool {
			return c.name == port
		})
		if port == "" {
			k = 0
			if w < 0 {
				k = 2
			}
		}
		y[1+2*k] += math.Abs(w) * scale[k]
		y[2+2*k] += math.Abs(w) * scale[k]
	}
	s.fire = func(y []float64) { y[0] = vr }
	s.seen = func(name string) float64 {
		for k, ch := range channels {
			if name == "g_"+ch.name {
				return s.y[1+2*k] - s.y[2+2*k]
			}
		}
		panic(name)
	}
	return s
}

// aeif is aeif_cond_exp or aeif_cond_alpha (Brette & Gerstner 2005,
// doi:10.1152/jn.00686.2005). A spike is where V reaches V_peak, or V_th when
// Delta_T = 0.
func aeif(alpha bool, p map[string]float64) *specimen {
	c, gl, el := given(p, "C_m", 281), given(p, "g_L", 30), given(p, "E_L", -70.6)
	vr, ie, vt, delta := given(p, "V_reset", -60), given(p, "I_e", 0), given(p, "V_th", -50.4), given(p, "Delta_T", 2)
	a, b, tau := given(p, "a", 4), given(p, "b", 80.5), given(p, "tau_w", 144)
	g := conductances{alpha: alpha, first: 2, tau: [2]float64{given(p, "tau_syn_ex", 0.2), given(p, "tau_syn_in", 2)},
		rev: [2]float64{given(p, "E_ex", 0), given(p, "E_in", -85)}}
	s := &specimen{names: append([]string{"V_m", "w"}, g.names()...), c: c, threshold: given(p, "V_peak", 0), tRef: ms(given(p, "t_ref", 0)), hit: g.hit}
	if delta == 0 {
		s.threshold = vt
	}
	s.y = make([]float64, len(s.names))
	s.y[0] = el
	s.free = func(y, dy []float64) {
		spike := 0.0
		if delta > 0 {
			spike = gl * delta * math.Exp((y[0]-vt)/delta)
		}
		dy[0] = (-gl*(y[0]-el) + spike - g.current(y[0], y) - y[1] + ie) / c
		dy[1] = (a*(y[0]-el) - y[1]) / tau
		g.decay(y, dy)
	}
	s.held = holding(s.free, vr)
	s.fire = func(y []float64) { y[0], y[1] = vr, y[1]+b }
	return s
}

// izhikevich is the continuous system of Izhikevich 2003 (doi:10.1109/TNN.2003.820440).
// Arrivals add to V. U starts at 0, as in NEST.
func izhikevich(p map[string]float64) *specimen {
	a, b, c, d := given(p, "a", 0.02), given(p, "b", 0.2), given(p, "c", -65), given(p, "d", 8)
	ie := given(p, "I_e", 0)
	s := &specimen{names: []string{"V_m", "U_m"}, y: []float64{-65, 0}, c: 1, threshold: given(p, "V_th", 30)}
	s.free = func(y, dy []float64) {
		dy[0] = 0.04*y[0]*y[0] + 5*y[0] + 140 - y[1] + ie
		dy[1] = a * (b*y[0] - y[1])
	}
	s.held = s.free // never used: no refractoriness
	s.hit = func(y []float64, _ string, w float64, _ bool) { y[0] += w }
	s.fire = func(y []float64) { y[0], y[1] = c, y[1]+d }
	return s
}

// linoid is x/(1 − exp(−x/s)), s at 0.
func linoid(x, s float64) float64 {
	if x == 0 {
		return s
	}
	return -x / math.Expm1(-x/s)
}

// rates are the opening and closing rates of m, h and n [1/ms] at V.
type rates func(v float64) [3][2]float64

// hodgkinHuxley is the membrane of both HH models with gates at y[1…3] in the order
// Act_m, Inact_h, Act_n.
func hodgkinHuxley(p map[string]float64, r rates, c, gNa, eNa, gK, eK, gl, el float64, synapses func(v float64, y []float64) float64, decay func(y, dy []float64)) flow {
	ie := given(p, "I_e", 0)
	return func(y, dy []float64) {
		v, m, h, n := y[0], y[1], y[2], y[3]
		dy[0] = (-gNa*m*m*m*h*(v-eNa) - gK*n*n*n*n*(v-eK) - gl*(v-el) + ie + synapses(v, y)) / c
		for k, x := range r(v) {
			dy[1+k] = x[0]*(1-y[1+k]) - x[1]*y[1+k]
		}
		decay(y, dy)
	}
}

// rest is the equilibrium of the gates at v.
func (r rates) rest(v float64) (m, h, n float64) {
	x := r(v)
	inf := func(k int) float64 { return x[k][0] / (x[k][0] + x[k][1]) }
	return inf(0), inf(1), inf(2)
}

// squid are the rates of Hodgkin & Huxley 1952 (doi:10.1113/jphysiol.1952.sp004764),
// resting potential −65 mV.
func squid(v float64) [3][2]float64 {
	return [3][2]float64{
		{0.1 * linoid(v+40, 10), 4 * math.Exp(-(v+65)/18)},
		{0.07 * math.Exp(-(v+65)/20), 1 / (1 + math.Exp(-(v+35)/10))},
		{0.01 * linoid(v+55, 10), 0.125 * math.Exp(-(v+65)/80)},
	}
}

// traubMiles are the rates of Traub & Miles 1991 as in Brette et al. 2007
// (doi:10.1007/s10827-007-0038-6), with V counted from V_T.
func traubMiles(vt float64) rates {
	return func(v float64) [3][2]float64 {
		v -= vt
		return [3][2]float64{
			{0.32 * linoid(v-13, 4), 0.28 * linoid(40-v, 5)},
			{0.128 * math.Exp((17-v)/18), 4 / (1 + math.Exp((40-v)/5))},
			{0.032 * linoid(v-15, 5), 0.5 * math.Exp((10-v)/40)},
		}
	}
}

// hhPscAlpha is hh_psc_alpha.
func hhPscAlpha(p map[string]float64) *specimen {
	tau := [2]float64{given(p, "tau_syn_ex", 0.2), given(p, "tau_syn_in", 2)}
	s := &specimen{names: []string{"V_m", "Act_m", "Inact_h", "Act_n", "I_syn_ex", "dI_syn_ex", "I_syn_in", "dI_syn_in"}, y: make([]float64, 8), c: given(p, "C_m", 100), summit: true, tRef: ms(given(p, "t_ref", 2))}
	s.y[0] = -65
	s.y[1], s.y[2], s.y[3] = rates(squid).rest(-65)
	s.free = hodgkinHuxley(p, squid, given(p, "C_m", 100), given(p, "g_Na", 12000), given(p, "E_Na", 50), given(p, "g_K", 3600), given(p, "E_K", -77),
		given(p, "g_L", 30), given(p, "E_L", -54.402),
		func(_ float64, y []float64) float64 { return y[4] + y[6] },
		func(y, dy []float64) {
			for k := range 2 {
				dy[4+2*k] = y[5+2*k] - y[4+2*k]/tau[k]
				dy[5+2*k] = -y[5+2*k] / tau[k]
			}
		})
	s.hit = func(y []float64, port string, w float64, _ bool) {
		k := 0
		if port == "in" || port == "" && w < 0 {
			k = 1
		}
		y[5+2*k] += w * math.E / tau[k]
	}
	s.fire = func([]float64) {}
	return s
}

// hhTraub is hh_cond_exp_traub.
func hhTraub(p map[string]float64) *specimen {
	g := conductances{first: 4, tau: [2]float64{given(p, "tau_syn_ex", 5), given(p, "tau_syn_in", 10)}, rev: [2]float64{given(p, "E_ex", 0), given(p, "E_in", -80)}}
	r := traubMiles(given(p, "V_T", -63))
	el := given(p, "E_L", -60)
	s := &specimen{names: append([]string{"V_m", "Act_m", "Inact_h", "Act_n"}, g.names()...), y: make([]float64, 6), c: given(p, "C_m", 200), summit: true, tRef: ms(given(p, "t_ref", 2)), hit: g.hit}
	s.y[0] = el
	s.y[1], s.y[2], s.y[3] = r.rest(el)
	s.free = hodgkinHuxley(p, r, given(p, "C_m", 200), given(p, "g_Na", 20000), given(p, "E_Na", 50), given(p, "g_K", 6000), given(p, "E_K", -90),
		given(p, "g_L", 10), el, func(v float64, y []float64) float64 { return -g.current(v, y) }, g.decay)
	s.fire = func([]float64) {}
	return s
}

// adaptiveThreshold is mat2_psc_exp (Kobayashi, Tsubo & Shinomoto 2009, doi:10.3389/neuro.10.009.2009).
// y[0] is V less the part of the threshold that moves.
func adaptiveThreshold(p map[string]float64) *specimen {
	c, tau, el, ie := given(p, "C_m", 100), given(p, "tau_m", 5), given(p, "E_L", -70), given(p, "I_e", 0)
	syn := [2]float64{given(p, "tau_syn_ex", 1), given(p, "tau_syn_in", 3)}
	t1, t2, a1, a2 := given(p, "tau_1", 10), given(p, "tau_2", 200), given(p, "alpha_1", 37), given(p, "alpha_2", 2)
	s := &specimen{names: []string{"gap", "V_m", "I_syn_ex", "I_syn_in", "V_th_alpha_1", "V_th_alpha_2"}, y: []float64{el, el, 0, 0, 0, 0}, c: c,
		threshold: given(p, "omega", -51), tRef: ms(given(p, "t_ref", 2))}
	s.free = func(y, dy []float64) {
		dy[1] = -(y[1]-el)/tau + (ie+y[2]+y[3])/c
		dy[2], dy[3], dy[4], dy[5] = -y[2]/syn[0], -y[3]/syn[1], -y[4]/t1, -y[5]/t2
		dy[0] = dy[1] - dy[4] - dy[5]
	}
	s.hit = func(y []float64, _ string, w float64, _ bool) {
		if w >= 0 {
			y[2] += w
		} else {
			y[3] += w
		}
	}
	s.fire = func(y []float64) { y[0], y[4], y[5] = y[0]-a1-a2, y[4]+a1, y[5]+a2 }
	return s
}

// NEURON's artificial cells (Carnevale & Hines 2006, The NEURON Book, chapter 10).

func intFire1(p map[string]float64) *specimen {
	tau := given(p, "tau", 10)
	s := &specimen{names: []string{"m"}, y: []float64{0}, threshold: math.Nextafter(1, 2), tRef: ms(given(p, "refrac", 5))}
	s.free = func(y, dy []float64) { dy[0] = -y[0] / tau }
	s.held = holding(s.free, 0)
	s.hit = func(y []float64, _ string, w float64, refractory bool) {
		if !refractory {
			y[0] += w
		}
	}
	s.fire = func(y []float64) { y[0] = 0 }
	return s
}

func intFire2(p map[string]float64) *specimen {
	taum, taus, ib := given(p, "taum", 10), given(p, "taus", 20), given(p, "ib", 0)
	s := &specimen{names: []string{"m", "i"}, y: []float64{0, ib}, threshold: 1}
	s.free = func(y, dy []float64) { dy[0], dy[1] = (y[1]-y[0])/taum, (ib-y[1])/taus }
	s.held = s.free
	s.hit = func(y []float64, _ string, w float64, _ bool) { y[1] += w }
	s.fire = func(y []float64) { y[0] = 0 }
	return s
}

// intFire4 scales its currents so that a weight of 1 alone makes an m that peaks at
// 1, and a weight of −1 an i2 and an m that peak at −1.
func intFire4(p map[string]float64) *specimen {
	te, t1, t2, tm := given(p, "taue", 5), given(p, "taui1", 10), given(p, "taui2", 20), given(p, "taum", 50)
	peak := func(a, b float64) float64 { // of ∫ e^(−s/a) e^(−(t−s)/b) ds
		t := math.Log(b/a) * a * b / (b - a)
		return (math.Exp(-t/b) - math.Exp(-t/a)) / (1/a - 1/b)
	}
	ae, a1 := 1/peak(te, tm), 1/peak(t1, t2)
	s := &specimen{names: []string{"m", "e", "i1", "i2"}, y: make([]float64, 4), threshold: 1e9}
	flow := func(a2 float64) flow {
		return func(y, dy []float64) {
			dy[0] = -y[0]/tm + ae*y[1] + a2*y[3]
			dy[1], dy[2], dy[3] = -y[1]/te, -y[2]/t1, -y[3]/t2+a1*y[2]
		}
	}
	// a2 from the peak that a2 = 1 makes.
	s.free, s.y[2], s.summit, s.threshold, s.fire = flow(1), 1, true, 0, func([]float64) {}
	s.tRef = event.Second
	top := 0.0
	s.fire = func(y []float64) { top = y[0] }
	s.to(500 * event.Millisecond)
	s = &specimen{names: s.names, y: make([]float64, 4), threshold: 1, free: flow(1 / top)}
	s.held = s.free
	s.hit = func(y []float64, _ string, w float64, _ bool) {
		if w >= 0 {
			y[1] += w
		} else {
			y[2] += w
		}
	}
	s.fire = func(y []float64) { y[0] = 0 }
	return s
}
