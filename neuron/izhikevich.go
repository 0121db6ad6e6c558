package neuron

import "hmn/event/quantity"

func init() {
	const (
		equation = "dV/dt = 0.04 V² + 5 V + 140 − U + I, dU/dt = a(b V − U)"
		spike    = "V ≥ V_th → spike, V = c, U += d"
	)
	Register(Model{
		Name: "izhikevich", Kind: Spiking,
		Doc:  "Izhikevich neuron, the continuous system: " + equation + "; " + spike + ". An arrival adds its weight [mV] to V. It is integrated with adaptive steps and spikes at the time V reaches V_th; the integration of the paper's program in steps of 1 ms is another system (izhikevich_2003_grid).",
		Cite: "Izhikevich 2003, doi:10.1109/TNN.2003.820440, equations (1)–(3)",
		Params: []quantity.Param{
			{Key: "a", Unit: "1/ms", Doc: "rate of recovery", Equation: equation, Default: 0.02, Min: -1e3, Max: 1e3},
			{Key: "b", Unit: "1", Doc: "sensitivity of recovery to the potential", Equation: equation, Default: 0.2, Min: -1e6, Max: 1e6},
			{Key: "c", Unit: "mV", Doc: "potential after a spike, < V_th", Equation: spike, Default: -65, Min: -1e6, Max: 1e6},
			{Key: "d", Unit: "mV", Doc: "jump of the recovery variable at a spike", Equation: spike, Default: 8, Min: -1e6, Max: 1e6},
			{Key: "V_th", Unit: "mV", Doc: "potential that is called a spike", Equation: spike, Default: 30, Min: -1e6, Max: 1e6},
			{Key: "I_e", Unit: "pA", Doc: "constant input, as I in the equations", Equation: equation, Min: -1e9, Max: 1e9},
			pRtol, pFixed,
		},
		States: []quantity.Param{
			{Key: "V_m", Unit: "mV", Doc: "membrane potential; starts at −65 unless init says otherwise, must be below V_th", Default: -65, Min: -1e6, Max: 1e6},
			{Key: "U_m", Unit: "mV", Doc: "recovery variable", Min: -1e6, Max: 1e6},
		},
		Ports: []string{"ex", "in"}, WeightUnit: "mV",
		Check: checkStep("izhikevich", checkReset("izhikevich", "V_th", "c")), New: integrated("izhikevich", izhikevich), Watched: watched("izhikevich", izhikevich), Currents: true,
	})
}

func izhikevich(p func(string) float64) System {
	a, b, c, d, iE := p("a"), p("b"), p("c"), p("d"), p("I_e")
	return System{
		Vars: []Var{{"V_m", -65, scaleV, -65}, {"U_m", 0, scaleV, 0}},
		Slopes: func(dy, y *Vector, current float64, _ bool) {
			v, u := y[0], y[1]
			dy[0] = float64((float64(0.04*v)+5)*v) + 140 - u + iE + current
			dy[1] = a * (float64(b*v) - u)
		},
		Inputs: []Input{{0, 1, false}, {0, 1, false}},
		Level:  p("V_th"),
		Reset: func(y *Vector) {
			y[0] = c
			y[1] += d
		},
	}
}
