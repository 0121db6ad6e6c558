package neuron

import (
	"fmt"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
)

// What models with integrated equations have in common.
var (
	pRtol  = quantity.Param{Key: "rtol", Unit: "1", Doc: "relative tolerance of an integration step", Default: 1e-6, Min: 1e-13, Max: 1e-2}
	pFixed = quantity.Param{Key: "fixed_step", Unit: "ms", Doc: "0: adaptive steps; otherwise the fixed-step mode on a grid from t = 0, for comparison with grid simulators: arrivals act and spikes are found at grid points", Min: 0, Max: 1e3}

	pEex  = quantity.Param{Key: "E_ex", Unit: "mV", Doc: "excitatory reversal potential", Min: -1e6, Max: 1e6}
	pEin  = quantity.Param{Key: "E_in", Unit: "mV", Doc: "inhibitory reversal potential", Default: -85, Min: -1e6, Max: 1e6}
	sGex  = quantity.Param{Key: "g_ex", Unit: "nS", Doc: "excitatory conductance", Min: 0, Max: 1e9}
	sGin  = quantity.Param{Key: "g_in", Unit: "nS", Doc: "inhibitory conductance", Min: 0, Max: 1e9}
	sDGex = quantity.Param{Key: "dg_ex", Unit: "nS/ms", Doc: "slope variable of the excitatory conductance: dg/dt + g/tau_syn_ex", Min: 0, Max: 1e9}
	sDGin = quantity.Param{Key: "dg_in", Unit: "nS/ms", Doc: "slope variable of the inhibitory conductance: dg/dt + g/tau_syn_in", Min: 0, Max: 1e9}
)

// param is one numeric parameter of a model.
func param(key, unit, doc string, def, lo, hi float64) quantity.Param {
	return quantity.Param{Key: key, Unit: unit, Doc: doc, Default: def, Min: lo, Max: hi}
}

// with gives a parameter another default and equation.
func with(p quantity.Param, def float64, equation string) quantity.Param {
	p.Default, p.Equation = def, equation
	return p
}

// integrated makes the dynamics of a model from its System.
func integrated(name string, system func(p func(key string) float64) System) func(quantity.Values, int) (Dynamics, error) {
	return func(v quantity.Values, n int) (Dynamics, error) { return cellsOf(name, system, v, n, nil) }
}

// cellsOf makes n neurons of a model, for a trace if it is not nil.
func cellsOf(name string, system func(p func(key string) float64) System, v quantity.Values, n int, t *Trace) (*Cells, error) {
	m, _ := Lookup(name)
	p := func(key string) float64 { return m.Number(v, key) }
	sys := system(p)
	if _, ok := m.Param("t_ref"); ok {
		var err error
		if sys.TRef, _, err = event.FromMS(p("t_ref")); err != nil {
			return nil, fmt.Errorf("t_ref: %w", err)
		}
	}
	fixed, _, err := event.FromMS(p("fixed_step"))
	if err != nil {
		return nil, fmt.Errorf("fixed_step: %w", err)
	}
	if t != nil {
		t.extend(&sys)
	}
	c := NewCells(sys, p("rtol"), fixed, n)
	c.trace = t
	return c, nil
}

// checkStep refuses fixed steps that would round to nothing, and then what check
// refuses.
func checkStep(name string, check func(quantity.Values) (string, error)) func(quantity.Values) (string, error) {
	return func(v quantity.Values) (string, error) {
		m, _ := Lookup(name)
		if h := m.Number(v, "fixed_step"); h > 0 && h < 1e-9 {
			return "fixed_step", fmt.Errorf("fixed_step = %g ms, want 0, for adaptive steps, or at least 1e-09 ms", h)
		}
		if check == nil {
			return "", nil
		}
		return check(v)
	}
}

// checkReset refuses thresholds at or below the reset potential.
func checkReset(name, threshold, reset string) func(quantity.Values) (string, error) {
	return func(v quantity.Values) (string, error) {
		m, _ := Lookup(name)
		if th, vr := m.Number(v, threshold), m.Number(v, reset); !(th > vr) {
			return threshold, fmt.Errorf("%s = %g mV, want more than %s = %g mV", threshold, th, reset, vr)
		}
		return "", nil
	}
}

const condEquation = "C_m dV/dt = −g_L(V − E_L) − g_ex(V − E_ex) − g_in(V − E_in) + I_e"

// condParams are the parameters of iaf_cond_exp and iaf_cond_alpha.
var condParams = []quantity.Param{
	with(pC, 250, condEquation),
	param("g_L", "nS", "leak conductance", 16.6667, 1e-6, 1e9),
	with(pEL, -70, condEquation), with(pEex, 0, condEquation), with(pEin, -85, condEquation),
	with(pVth, -55, pVth.Equation), with(pVr, -60, pVr.Equation), with(pRef, 2, pRef.Equation),
	with(pEx, 0.2, "tau_syn dg/dt = −g"), with(pIn, 2, "tau_syn dg/dt = −g"), with(pIe, 0, condEquation),
	pRtol, pFixed,
}

func init() {
	const doc = "During refractoriness V is held at V_reset and the conductances go on. The sign of a weight [nS] selects the port, its magnitude is added. Integrated with adaptive steps (docs/neurons.md)."
	Register(Model{
		Name: "iaf_cond_exp", Kind: Spiking,
		Doc:    "Leaky integrate-and-fire neuron with exponential conductances: " + condEquation + ", tau_syn dg/dt = −g; an arrival adds the magnitude of its weight to g_ex (positive) or g_in (negative). " + doc,
		Cite:   "Meffin, Burkitt & Grayden 2004, doi:10.1023/B:JCNS.0000014108.03012.81",
		Params: condParams, States: []quantity.Param{sV, sGex, sGin}, Ports: []string{"ex", "in"}, WeightUnit: "nS",
		Check: checkStep("iaf_cond_exp", checkReset("iaf_cond_exp", "V_th", "V_reset")), New: newCondExp, Watched: watched("iaf_cond_exp", condExp), Currents: true,
	})
	Register(Model{
		Name: "iaf_cond_alpha", Kind: Spiking,
		Doc:    "Leaky integrate-and-fire neuron with alpha conductances: as iaf_cond_exp, but an arrival of weight w contributes |w| (e/tau_syn) s exp(−s/tau_syn), whose peak is |w| at s = tau_syn. " + doc,
		Cite:   "Meffin, Burkitt & Grayden 2004, doi:10.1023/B:JCNS.0000014108.03012.81",
		Params: condParams, States: []quantity.Param{sV, sGex, sGin, sDGex, sDGin}, Ports: []string{"ex", "in"}, WeightUnit: "nS",
		Check: checkStep("iaf_cond_alpha", checkReset("iaf_cond_alpha", "V_th", "V_reset")), New: integrated("iaf_cond_alpha", condAlpha), Watched: watched("iaf_cond_alpha", condAlpha), Currents: true,
	})
}

// Scales of the tolerance.
const (
	scaleV  = 1. // mV, beside the distance from rest
	scaleG  = 1. // nS
	scaleDG = 1. // nS/ms
	scaleI  = 1. // pA
)

func condExp(p func(string) float64) System {
	c, gL, eL, eEx, eIn, iE := p("C_m"), p("g_L"), p("E_L"), p("E_ex"), p("E_in"), p("I_e")
	rEx, rIn, reset := 1/p("tau_syn_ex"), 1/p("tau_syn_in"), p("V_reset")
	return System{
		Vars: []Var{{"V_m", eL, scaleV, eL}, {"g_ex", 0, scaleG, 0}, {"g_in", 0, scaleG, 0}},
		Slopes: func(dy, y *Vector, current float64, held bool) {
			v, ex, in := y[0], y[1], y[2]
			dy[0] = 0
			if !held {
				dy[0] = (iE + current - float64(gL*(v-eL)) - float64(ex*(v-eEx)) - float64(in*(v-eIn))) / c
			}
			dy[1], dy[2] = -rEx*ex, -rIn*in
		},
		Inputs: []Input{{1, 1, true}, {2, 1, true}},
		Level:  p("V_th"), Hold: true, Reset: func(y *Vector) { y[0] = reset },
	}
}

func condAlpha(p func(string) float64) System {
	c, gL, eL, eEx, eIn, iE := p("C_m"), p("g_L"), p("E_L"), p("E_ex"), p("E_in"), p("I_e")
	rEx, rIn, reset := 1/p("tau_syn_ex"), 1/p("tau_syn_in"), p("V_reset")
	e := fmath.Exp(1)
	return System{
		Vars: []Var{{"V_m", eL, scaleV, eL}, {"g_ex", 0, scaleG, 0}, {"g_in", 0, scaleG, 0}, {"dg_ex", 0, scaleDG, 0}, {"dg_in", 0, scaleDG, 0}},
		Slopes: func(dy, y *Vector, current float64, held bool) {
			v, ex, in := y[0], y[1], y[2]
			dy[0] = 0
			if !held {
				dy[0] = (iE + current - float64(gL*(v-eL)) - float64(ex*(v-eEx)) - float64(in*(v-eIn))) / c
			}
			dy[1], dy[2] = y[3]-float64(rEx*ex), y[4]-float64(rIn*in)
			dy[3], dy[4] = -rEx*y[3], -rIn*y[4]
		},
		Inputs: []Input{{3, e * rEx, true}, {4, e * rIn, true}},
		Level:  p("V_th"), Hold: true, Reset: func(y *Vector) { y[0] = reset },
	}
}
