package neuron

import (
	"math"

	"hmn/event/fmath"
	"hmn/event/quantity"
)

// multiPorts are the receptors of iaf_cond_multi with the constants that NEST's
// ht_neuron has. The last takes negative weights that name no receptor.
var multiPorts = []struct {
	name                  string
	reversal, rise, decay float64 // mV, ms
	transmitter           string
}{
	{"AMPA", 0, 0.5, 2.4, "fast glutamate"},
	{"NMDA", 0, 4, 40, "slow glutamate, blocked by magnesium"},
	{"GABA_B", -90, 60, 200, "slow GABA"},
	{"GABA_A", -70, 1, 7, "fast GABA"},
}

func init() {
	const equation = "C_m dV/dt = −g_L(V − E_L) − Σ_r g_r B_r(V)(V − E_rev_r) + I_e"
	m := Model{
		Name: "iaf_cond_multi", Kind: Spiking,
		Doc: "Leaky integrate-and-fire neuron with the receptors AMPA, NMDA, GABA_A and GABA_B: " + equation +
			". An arrival of weight w at r contributes |w| times a difference of exponentials with tau_rise_r and tau_decay_r, normalised to a peak of 1. B = 1, but for NMDA B = 1/(1 + [Mg]/3.57 exp(−0.062 V)). " +
			"Positive weights without receptor act at AMPA, negative ones at GABA_A. During refractoriness V is held at V_reset and the conductances go on.",
		Cite: "Jahr & Stevens 1990, doi:10.1523/JNEUROSCI.10-09-03178.1990 (block); Hill & Tononi 2005, doi:10.1152/jn.00915.2004 (time constants)",
		Params: []quantity.Param{
			with(pC, 250, equation), param("g_L", "nS", "leak conductance", 16.6667, 1e-6, 1e9), with(pEL, -70, equation),
			with(pVth, -55, pVth.Equation), with(pVr, -60, pVr.Equation), with(pRef, 2, pRef.Equation), with(pIe, 0, equation),
			param("Mg", "mM", "magnesium concentration outside; 0: no block", 1, 0, 1e6),
		},
		States: []quantity.Param{sV}, WeightUnit: "nS", Currents: true,
		Check: checkStep("iaf_cond_multi", checkReset("iaf_cond_multi", "V_th", "V_reset")), New: integrated("iaf_cond_multi", condMulti), Watched: watched("iaf_cond_multi", condMulti),
	}
	for _, r := range multiPorts {
		m.Ports = append(m.Ports, r.name)
		m.Params = append(m.Params,
			param("E_rev_"+r.name, "mV", "reversal potential of "+r.name+" ("+r.transmitter+")", r.reversal, -1e6, 1e6),
			param("tau_rise_"+r.name, "ms", "rise time constant of "+r.name, r.rise, 1e-3, 1e6),
			param("tau_decay_"+r.name, "ms", "decay time constant of "+r.name, r.decay, 1e-3, 1e6))
		m.States = append(m.States,
			quantity.Param{Key: "g_" + r.name, Unit: "nS", Doc: "conductance of " + r.name, Max: 1e9},
			quantity.Param{Key: "dg_" + r.name, Unit: "nS/ms", Doc: "slope variable of " + r.name + ": dg/dt + g/tau_decay", Max: 1e9})
	}
	m.Params = append(m.Params, pRtol, pFixed)
	Register(m)
}

// peakFactor is what dg must jump by for the difference of exponentials
//
//	g' = dg − g/decay,  dg' = −dg/rise
//
// to peak at 1. Its peak comes at decay log1p(x)/x, x = (decay − rise)/rise, and
// there g = dg(0) rise exp(−log1p(x)/x), which has no singularity where the two
// are equal (an alpha function).
func peakFactor(rise, decay float64) float64 {
	x := (decay - rise) / rise
	q := 1 - float64(0.5*x)
	if math.Abs(x) > 1e-8 {
		q = fmath.Log1p(x) / x
	}
	return fmath.Exp(q) / rise
}

func condMulti(p func(string) float64) System {
	c, gL, eL, iE, reset := p("C_m"), p("g_L"), p("E_L"), p("I_e"), p("V_reset")
	mg := p("Mg") / 3.57
	sys := System{
		Vars:  []Var{{"V_m", eL, scaleV, eL}},
		Level: p("V_th"), Hold: true, Reset: func(y *Vector) { y[0] = reset },
	}
	const n = 4
	var rev, rise, decay [n]float64
	for k, r := range multiPorts {
		rev[k] = p("E_rev_" + r.name)
		up, down := p("tau_rise_"+r.name), p("tau_decay_"+r.name)
		rise[k], decay[k] = 1/up, 1/down
		sys.Vars = append(sys.Vars, Var{"g_" + r.name, 0, scaleG, 0}, Var{"dg_" + r.name, 0, scaleDG, 0})
		sys.Inputs = append(sys.Inputs, Input{2 + 2*k, peakFactor(up, down), true})
	}
	sys.Slopes = func(dy, y *Vector, current float64, held bool) {
		v := y[0]
		i := iE + current - float64(gL*(v-eL))
		for k := range n {
			g, dg := y[1+2*k], y[2+2*k]
			dy[1+2*k], dy[2+2*k] = dg-float64(decay[k]*g), -rise[k]*dg
			if g == 0 {
				continue
			}
			if k == 1 && mg > 0 {
				g /= 1 + float64(mg*fmath.Exp(float64(-0.062*v)))
			}
			i -= float64(g * (v - rev[k]))
		}
		dy[0] = 0
		if !held {
			dy[0] = i / c
		}
	}
	return sys
}
