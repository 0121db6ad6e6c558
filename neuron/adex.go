package neuron

import (
	"fmt"
	"math"

	"hmn/event/fmath"
	"hmn/event/quantity"
)

const adexEquation = "C_m dV/dt = −g_L(V − E_L) + g_L Delta_T exp((V − V_th)/Delta_T) − g_ex(V − E_ex) − g_in(V − E_in) − w + I_e"

var adexParams = []quantity.Param{
	with(pC, 281, adexEquation),
	param("g_L", "nS", "leak conductance", 30, 1e-6, 1e9),
	with(pEL, -70.6, adexEquation), with(pEex, 0, adexEquation), with(pEin, -85, adexEquation),
	{Key: "V_th", Unit: "mV", Doc: "where the exponential term begins to act", Equation: adexEquation, Default: -50.4, Min: -1e6, Max: 1e6},
	{Key: "Delta_T", Unit: "mV", Doc: "slope factor; 0: no exponential term, and the spike is V reaching V_th", Equation: adexEquation, Default: 2, Min: 0, Max: 1e6},
	{Key: "V_peak", Unit: "mV", Doc: "potential that is called a spike, ≥ V_th", Equation: "V ≥ V_peak → spike, V = V_reset for t_ref, w += b", Default: 0, Min: -1e6, Max: 1e6},
	{Key: "V_reset", Unit: "mV", Doc: "potential after a spike, held for t_ref", Equation: "V ≥ V_peak → spike, V = V_reset for t_ref, w += b", Default: -60, Min: -1e6, Max: 1e6},
	with(pRef, 0, "V ≥ V_peak → spike, V = V_reset for t_ref, w += b"),
	{Key: "a", Unit: "nS", Doc: "adaptation by the potential", Equation: "tau_w dw/dt = a(V − E_L) − w", Default: 4, Min: -1e9, Max: 1e9},
	{Key: "b", Unit: "pA", Doc: "adaptation by a spike", Equation: "V ≥ V_peak → spike, V = V_reset for t_ref, w += b", Default: 80.5, Min: -1e9, Max: 1e9},
	{Key: "tau_w", Unit: "ms", Doc: "time constant of adaptation", Equation: "tau_w dw/dt = a(V − E_L) − w", Default: 144, Min: 1e-3, Max: 1e6},
	with(pEx, 0.2, "tau_syn dg/dt = −g"), with(pIn, 2, "tau_syn dg/dt = −g"), with(pIe, 0, adexEquation),
	pRtol, pFixed,
}

func init() {
	const (
		doc = " V is held at V_reset during refractoriness; w and the conductances go on. The sign of a weight [nS] selects the port, its magnitude is added."
		cit = "Brette & Gerstner 2005, doi:10.1152/jn.00686.2005, equations (1)–(3)"
	)
	w := quantity.Param{Key: "w", Unit: "pA", Doc: "adaptation current", Min: -1e9, Max: 1e9}
	Register(Model{
		Name: "aeif_cond_exp", Kind: Spiking,
		Doc:  "Adaptive exponential integrate-and-fire neuron with exponential conductances: " + adexEquation + ", tau_w dw/dt = a(V − E_L) − w, tau_syn dg/dt = −g; V ≥ V_peak: spike, V = V_reset, w += b." + doc,
		Cite: cit, Params: adexParams, States: []quantity.Param{sV, w, sGex, sGin}, Ports: []string{"ex", "in"}, WeightUnit: "nS",
		Check: checkStep("aeif_cond_exp", checkAdex("aeif_cond_exp")), New: integrated("aeif_cond_exp", adexExp), Watched: watched("aeif_cond_exp", adexExp), Currents: true,
	})
	Register(Model{
		Name: "aeif_cond_alpha", Kind: Spiking,
		Doc:  "Adaptive exponential integrate-and-fire neuron with alpha conductances: as aeif_cond_exp, but an arrival of weight w contributes |w| (e/tau_syn) s exp(−s/tau_syn)." + doc,
		Cite: cit, Params: adexParams, States: []quantity.Param{sV, w, sGex, sGin, sDGex, sDGin}, Ports: []string{"ex", "in"}, WeightUnit: "nS",
		Check: checkStep("aeif_cond_alpha", checkAdex("aeif_cond_alpha")), New: integrated("aeif_cond_alpha", adexAlpha), Watched: watched("aeif_cond_alpha", adexAlpha), Currents: true,
	})
}

// overflow is the largest exponent of the spike's upstroke that leaves room for
// calculations with it, as in NEST.
const overflow = 663

func checkAdex(name string) func(quantity.Values) (string, error) {
	return func(v quantity.Values) (string, error) {
		m, _ := Lookup(name)
		p := func(key string) float64 { return m.Number(v, key) }
		switch peak, th, d := p("V_peak"), p("V_th"), p("Delta_T"); {
		case !(peak >= th):
			return "V_peak", fmt.Errorf("V_peak = %g mV, want at least V_th = %g mV", peak, th)
		case !(p("V_reset") < peak):
			return "V_reset", fmt.Errorf("V_reset = %g mV, want less than V_peak = %g mV", p("V_reset"), peak)
		case d == 0 && !(p("V_reset") < th):
			return "V_reset", fmt.Errorf("V_reset = %g mV, want less than V_th = %g mV, which is the threshold when Delta_T = 0", p("V_reset"), th)
		case d > 0 && !((peak-th)/d < overflow):
			return "Delta_T", fmt.Errorf("Delta_T = %g mV, want more than (V_peak − V_th)/%d = %.3g mV: the exponential term would overflow", d, overflow, (peak-th)/overflow)
		}
		return "", nil
	}
}

// adex is what both kinds have in common: the slopes of V and w, given g_ex and
// g_in.
func adex(p func(string) float64) (sys System, slopes func(dy, y *Vector, ex, in, current float64, held bool)) {
	c, gL, eL, eEx, eIn, iE := p("C_m"), p("g_L"), p("E_L"), p("E_ex"), p("E_in"), p("I_e")
	vTh, delta, a, b, rW, reset := p("V_th"), p("Delta_T"), p("a"), p("b"), 1/p("tau_w"), p("V_reset")
	sys = System{
		Vars:  []Var{{"V_m", eL, scaleV, eL}, {"w", 0, scaleI, 0}},
		Level: p("V_peak"), Hold: true,
		Reset: func(y *Vector) {
			y[0] = reset
			y[1] += b
		},
	}
	if delta == 0 {
		sys.Level = vTh
	}
	// Beyond the peak the term stays what it is a little above it: trial steps
	// may go there, the solution does not.
	most := sys.Level + delta
	slopes = func(dy, y *Vector, ex, in, current float64, held bool) {
		v, w := y[0], y[1]
		dy[0] = 0
		if !held {
			i := iE + current - w - float64(gL*(v-eL)) - float64(ex*(v-eEx)) - float64(in*(v-eIn))
			if delta > 0 {
				i += float64(gL * delta * fmath.Exp((math.Min(v, most)-vTh)/delta))
			}
			dy[0] = i / c
		}
		dy[1] = (float64(a*(v-eL)) - w) * rW
	}
	return sys, slopes
}

func adexExp(p func(string) float64) System {
	sys, slopes := adex(p)
	rEx, rIn := 1/p("tau_syn_ex"), 1/p("tau_syn_in")
	sys.Vars = append(sys.Vars, Var{"g_ex", 0, scaleG, 0}, Var{"g_in", 0, scaleG, 0})
	sys.Inputs = []Input{{2, 1, true}, {3, 1, true}}
	sys.Slopes = func(dy, y *Vector, current float64, held bool) {
		slopes(dy, y, y[2], y[3], current, held)
		dy[2], dy[3] = -rEx*y[2], -rIn*y[3]
	}
	return sys
}

func adexAlpha(p func(string) float64) System {
	sys, slopes := adex(p)
	rEx, rIn := 1/p("tau_syn_ex"), 1/p("tau_syn_in")
	e := fmath.Exp(1)
	sys.Vars = append(sys.Vars, Var{"g_ex", 0, scaleG, 0}, Var{"g_in", 0, scaleG, 0}, Var{"dg_ex", 0, scaleDG, 0}, Var{"dg_in", 0, scaleDG, 0})
	sys.Inputs = []Input{{4, e * rEx, true}, {5, e * rIn, true}}
	sys.Slopes = func(dy, y *Vector, current float64, held bool) {
		slopes(dy, y, y[2], y[3], current, held)
		dy[2], dy[3] = y[4]-float64(rEx*y[2]), y[5]-float64(rIn*y[3])
		dy[4], dy[5] = -rEx*y[4], -rIn*y[5]
	}
	return sys
}
