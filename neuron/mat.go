package neuron

import (
	"fmt"

	"hmn/event"
	"hmn/event/quantity"
)

func init() {
	const rule = "spike at t: θ₁ += alpha_1, θ₂ += alpha_2; tau_k dθ_k/dt = −θ_k"
	vm := pTau
	vm.Default = 5
	c := pC
	c.Default = 100
	ex, in := pEx, pIn
	ex.Default, in.Default = 1, 3
	state := func(key, unit, doc string) quantity.Param {
		return quantity.Param{Key: key, Unit: unit, Doc: doc, Min: -1e9, Max: 1e9}
	}
	Register(Model{
		Name: "mat2_psc_exp", Kind: Spiking,
		Doc: "Multi-timescale adaptive threshold: a leaky integrator with exponential currents, C_m dV/dt = −(C_m/tau_m)(V − E_L) + I_ex + I_in + I_e, that is never reset. " +
			"It fires where V reaches omega + θ₁ + θ₂, but not within t_ref of its last spike; a potential above the threshold at the end of t_ref fires at once. " + rule + ".",
		Cite: "Kobayashi, Tsubo & Shinomoto 2009, doi:10.3389/neuro.10.009.2009; parameters as NEST's mat2_psc_exp",
		Params: []quantity.Param{c, vm, pEL,
			{Key: "t_ref", Unit: "ms", Doc: "no spike within it of the last", Equation: "V ≥ omega + θ₁ + θ₂ → spike", Default: 2, Min: 1e-3, Max: 1e6},
			ex, in, pIe,
			{Key: "tau_1", Unit: "ms", Doc: "short time constant of the threshold", Equation: rule, Default: 10, Min: 1e-3, Max: 1e6},
			{Key: "tau_2", Unit: "ms", Doc: "long time constant of the threshold", Equation: rule, Default: 200, Min: 1e-3, Max: 1e6},
			{Key: "alpha_1", Unit: "mV", Doc: "rise of θ₁ at a spike", Equation: rule, Default: 37, Min: -1e6, Max: 1e6},
			{Key: "alpha_2", Unit: "mV", Doc: "rise of θ₂ at a spike", Equation: rule, Default: 2, Min: -1e6, Max: 1e6},
			{Key: "omega", Unit: "mV", Doc: "resting threshold (absolute; the paper counts it from E_L), > E_L", Equation: "V ≥ omega + θ₁ + θ₂ → spike", Default: -51, Min: -1e6, Max: 1e6},
		},
		States: []quantity.Param{
			{Key: "V_m", Unit: "mV", Doc: "membrane potential, never reset; starts at E_L unless init says otherwise", Min: -1e6, Max: 1e6},
			state("I_syn_ex", "pA", "excitatory synaptic current"), state("I_syn_in", "pA", "inhibitory synaptic current"),
			state("V_th_alpha_1", "mV", "θ₁, short-lived part of the threshold above omega"), state("V_th_alpha_2", "mV", "θ₂, long-lived part of the threshold above omega"),
		},
		Ports: []string{"ex", "in"}, WeightUnit: "pA",
		Check: func(v quantity.Values) (string, error) {
			m, _ := Lookup("mat2_psc_exp")
			if w, el := m.Number(v, "omega"), m.Number(v, "E_L"); !(w > el) {
				return "omega", fmt.Errorf("omega = %g mV, want more than E_L = %g mV", w, el)
			}
			return "", nil
		},
		New: func(v quantity.Values, n int) (Dynamics, error) { return newMAT(v, n) }, Currents: true,
	})
}

func newMAT(v quantity.Values, n int) (*cascadeNeurons, error) {
	m, _ := Lookup("mat2_psc_exp")
	p := func(key string) float64 { return m.Number(v, key) }
	c := newCascadeNeurons(n, "V_m", "I_syn_ex", "I_syn_in", "", "V_th_alpha_1", "V_th_alpha_2")
	var err error
	if c.tRef, _, err = event.FromMS(p("t_ref")); err != nil {
		return nil, fmt.Errorf("t_ref: %w", err)
	}
	c.k0, c.k1, c.k2, c.k3 = 1/p("tau_m"), 1/p("tau_syn_ex"), 1/p("tau_syn_in"), 1
	c.g = [2]float64{1 / p("C_m"), 1 / p("C_m")}
	c.r = [2]float64{1 / p("tau_1"), 1 / p("tau_2")}
	c.raise = [2]float64{p("alpha_1"), p("alpha_2")}
	c.level, c.inhibitory = p("omega"), 1
	c.r0 = p("tau_m") / p("C_m")
	c.start(p("E_L"), p("E_L")+float64(c.r0*p("I_e")))
	return c, nil
}
