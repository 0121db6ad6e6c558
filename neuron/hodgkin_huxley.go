package neuron

import (
	"hmn/event/fmath"
	"hmn/event/quantity"
)

// What the Hodgkin–Huxley models have in common. Gates are measured with a scale
// of 0.01: the sodium current multiplies their errors by a hundred.
const (
	hhEquation = "C_m dV/dt = −g_Na m³h(V − E_Na) − g_K n⁴(V − E_K) − g_L(V − E_L) + I"
	hhGates    = "dx/dt = α_x(V)(1 − x) − β_x(V) x, x = m, h, n"
	hhSpike    = "a maximum of V of at least the level is a spike, unless one was within t_ref"
	scaleGate  = 0.01
)

func hhParams(gNa, gK, gL, c, eNa, eK, eL float64, rest ...quantity.Param) []quantity.Param {
	return append([]quantity.Param{
		with(pC, c, hhEquation),
		{Key: "g_Na", Unit: "nS", Doc: "sodium conductance", Equation: hhEquation, Default: gNa, Max: 1e12},
		{Key: "g_K", Unit: "nS", Doc: "potassium conductance", Equation: hhEquation, Default: gK, Max: 1e12},
		{Key: "g_L", Unit: "nS", Doc: "leak conductance", Equation: hhEquation, Default: gL, Max: 1e12},
		{Key: "E_Na", Unit: "mV", Doc: "sodium reversal potential", Equation: hhEquation, Default: eNa, Min: -1e4, Max: 1e4},
		{Key: "E_K", Unit: "mV", Doc: "potassium reversal potential", Equation: hhEquation, Default: eK, Min: -1e4, Max: 1e4},
		{Key: "E_L", Unit: "mV", Doc: "leak reversal potential", Equation: hhEquation, Default: eL, Min: -1e4, Max: 1e4},
		{Key: "t_ref", Unit: "ms", Doc: "no second spike within it; nothing else changes", Equation: hhSpike, Default: 2, Max: 1e6},
	}, rest...)
}

func hhStates(v string, rest ...quantity.Param) []quantity.Param {
	gate := func(key, doc string) quantity.Param {
		return quantity.Param{Key: key, Unit: "1", Doc: doc + "; starts at its equilibrium", Max: 1}
	}
	return append([]quantity.Param{
		{Key: "V_m", Unit: "mV", Doc: "membrane potential; starts at " + v + " unless init says otherwise", Min: -1e4, Max: 1e4},
		gate("Act_m", "activation of sodium, m"), gate("Inact_h", "inactivation of sodium, h"), gate("Act_n", "activation of potassium, n"),
	}, rest...)
}

func init() {
	Register(Model{
		Name: "hh_psc_alpha", Kind: Spiking,
		Doc: "Hodgkin–Huxley neuron with alpha currents: " + hhEquation + ", " + hhGates + "; an arrival of weight w [pA] contributes w (e/tau_syn) s exp(−s/tau_syn). " +
			"A maximum of V of at least 0 mV is a spike, sent at its own time, unless one was within t_ref; V is not reset. Rates as in NEST, in the form of Gerstner & Kistler.",
		Cite: "Hodgkin & Huxley 1952, doi:10.1113/jphysiol.1952.sp004764; Gerstner & Kistler 2002, doi:10.1017/CBO9780511815706, section 2.2",
		Params: hhParams(12000, 3600, 30, 100, 50, -77, -54.402,
			with(pEx, 0.2, "alpha current"), with(pIn, 2, "alpha current"), with(pIe, 0, hhEquation), pRtol, pFixed),
		States: hhStates("−65 mV", sEx, sIn, sDEx, sDIn), Ports: []string{"ex", "in"}, WeightUnit: "pA",
		Check: checkStep("hh_psc_alpha", nil), New: integrated("hh_psc_alpha", hhAlpha), Watched: watched("hh_psc_alpha", hhAlpha), Currents: true,
	})
	Register(Model{
		Name: "hh_cond_exp_traub", Kind: Spiking,
		Doc: "Hodgkin–Huxley neuron of hippocampal pyramidal cells with exponential conductances: " + hhEquation + " − g_ex(V − E_ex) − g_in(V − E_in), " + hhGates + ", tau_syn dg/dt = −g; the sign of a weight [nS] selects the port, its magnitude is added. " +
			"A maximum of V of at least V_T + 30 mV is a spike, sent at its own time, unless one was within t_ref; V is not reset. Gates start at equilibrium at E_L (NEST starts them at that for V_T = 0).",
		Cite: "Traub & Miles 1991, doi:10.1017/CBO9780511895401; Brette et al. 2007, doi:10.1007/s10827-007-0038-6, benchmark 3",
		Params: hhParams(20000, 6000, 10, 200, 50, -90, -60,
			quantity.Param{Key: "V_T", Unit: "mV", Doc: "shift of the gates' rates; the threshold lies some 13 mV above it", Equation: hhGates, Default: -63, Min: -1e4, Max: 1e4},
			with(pEex, 0, hhEquation), with(pEin, -80, hhEquation), with(pEx, 5, "tau_syn dg/dt = −g"), with(pIn, 10, "tau_syn dg/dt = −g"),
			with(pIe, 0, hhEquation), pRtol, pFixed),
		States: hhStates("E_L", sGex, sGin), Ports: []string{"ex", "in"}, WeightUnit: "nS",
		Check: checkStep("hh_cond_exp_traub", nil), New: integrated("hh_cond_exp_traub", hhTraub), Watched: watched("hh_cond_exp_traub", hhTraub), Currents: true,
	})
}

// linoid is x/(eˣ − 1), 1 where x = 0.
func linoid(x float64) float64 {
	if x == 0 {
		return 1
	}
	return x / fmath.Expm1(x)
}

// gates are the rates α and β of m, h and n [1/ms].
type gates func(v float64) (am, bm, ah, bh, an, bn float64)

// squid has the rates of the squid axon around a resting potential of −65 mV.
func squid(v float64) (am, bm, ah, bh, an, bn float64) {
	am, bm = linoid(-(v+40)/10), float64(4*fmath.Exp(-(v+65)/18))
	ah, bh = float64(0.07*fmath.Exp(-(v+65)/20)), 1/(1+fmath.Exp(-(v+35)/10))
	an, bn = float64(0.1*linoid(-(v+55)/10)), float64(0.125*fmath.Exp(-(v+65)/80))
	return am, bm, ah, bh, an, bn
}

// traub has the rates of Traub & Miles, v counted from V_T.
func traub(v float64) (am, bm, ah, bh, an, bn float64) {
	am, bm = float64(1.28*linoid((13-v)/4)), float64(1.4*linoid((v-40)/5))
	ah, bh = float64(0.128*fmath.Exp((17-v)/18)), 4/(1+fmath.Exp((40-v)/5))
	an, bn = float64(0.16*linoid((15-v)/5)), float64(0.5*fmath.Exp((10-v)/40))
	return am, bm, ah, bh, an, bn
}

// hodgkinHuxley has V, m, h and n; rates belong to v − shift. slopes are theirs,
// given what flows besides [pA].
func hodgkinHuxley(p func(string) float64, rates gates, start, shift float64) (sys System, slopes func(dy, y *Vector, current float64)) {
	c, gNa, gK, gL, eNa, eK, eL, iE := p("C_m"), p("g_Na"), p("g_K"), p("g_L"), p("E_Na"), p("E_K"), p("E_L"), p("I_e")
	am, bm, ah, bh, an, bn := rates(start - shift)
	sys = System{
		Vars: []Var{{"V_m", start, scaleV, start}, {"Act_m", am / (am + bm), scaleGate, 0},
			{"Inact_h", ah / (ah + bh), scaleGate, 0}, {"Act_n", an / (an + bn), scaleGate, 0}},
		Summit: true,
	}
	slopes = func(dy, y *Vector, current float64) {
		v, m, h, n := y[0], y[1], y[2], y[3]
		am, bm, ah, bh, an, bn := rates(v - shift)
		n2 := n * n
		dy[0] = (iE + current - float64(gNa*m*m*m*h*(v-eNa)) - float64(gK*n2*n2*(v-eK)) - float64(gL*(v-eL))) / c
		dy[1] = float64(am*(1-m)) - float64(bm*m)
		dy[2] = float64(ah*(1-h)) - float64(bh*h)
		dy[3] = float64(an*(1-n)) - float64(bn*n)
	}
	return sys, slopes
}

func hhAlpha(p func(string) float64) System {
	sys, slopes := hodgkinHuxley(p, squid, -65, 0)
	rEx, rIn := 1/p("tau_syn_ex"), 1/p("tau_syn_in")
	e := fmath.Exp(1)
	sys.Vars = append(sys.Vars, Var{"I_syn_ex", 0, scaleI, 0}, Var{"I_syn_in", 0, scaleI, 0}, Var{"dI_syn_ex", 0, scaleI, 0}, Var{"dI_syn_in", 0, scaleI, 0})
	sys.Inputs = []Input{{6, e * rEx, false}, {7, e * rIn, false}}
	sys.Slopes = func(dy, y *Vector, current float64, _ bool) {
		slopes(dy, y, current+y[4]+y[5])
		dy[4], dy[5] = y[6]-float64(rEx*y[4]), y[7]-float64(rIn*y[5])
		dy[6], dy[7] = -rEx*y[6], -rIn*y[7]
	}
	return sys
}

func hhTraub(p func(string) float64) System {
	vT := p("V_T")
	sys, slopes := hodgkinHuxley(p, traub, p("E_L"), vT)
	eEx, eIn, rEx, rIn := p("E_ex"), p("E_in"), 1/p("tau_syn_ex"), 1/p("tau_syn_in")
	sys.Level = vT + 30
	sys.Vars = append(sys.Vars, Var{"g_ex", 0, scaleG, 0}, Var{"g_in", 0, scaleG, 0})
	sys.Inputs = []Input{{4, 1, true}, {5, 1, true}}
	sys.Slopes = func(dy, y *Vector, current float64, _ bool) {
		slopes(dy, y, current-float64(y[4]*(y[0]-eEx))-float64(y[5]*(y[0]-eIn)))
		dy[4], dy[5] = -rEx*y[4], -rIn*y[5]
	}
	return sys
}
