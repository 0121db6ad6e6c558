package neuron

import (
	"errors"
	"fmt"

	"hmn/event/quantity"
)

var (
	pC   = quantity.Param{Key: "C_m", Unit: "pF", Doc: "membrane capacitance", Equation: "C_m dV/dt = −(C_m/tau_m)(V − E_L) + I", Default: 250, MinOpen: true, Max: 1e9}
	pTau = quantity.Param{Key: "tau_m", Unit: "ms", Doc: "membrane time constant", Equation: "C_m dV/dt = −(C_m/tau_m)(V − E_L) + I", Default: 10, Min: 1e-3, Max: 1e6}
	pEL  = quantity.Param{Key: "E_L", Unit: "mV", Doc: "leak reversal potential", Equation: "C_m dV/dt = −(C_m/tau_m)(V − E_L) + I", Default: -70, Min: -1e6, Max: 1e6}
	pVth = quantity.Param{Key: "V_th", Unit: "mV", Doc: "spike threshold, > V_reset", Equation: "V ≥ V_th → spike, V = V_reset for t_ref", Default: -55, Min: -1e6, Max: 1e6}
	pVr  = quantity.Param{Key: "V_reset", Unit: "mV", Doc: "potential after a spike, held for t_ref", Equation: "V ≥ V_th → spike, V = V_reset for t_ref", Default: -70, Min: -1e6, Max: 1e6}
	pRef = quantity.Param{Key: "t_ref", Unit: "ms", Doc: "absolute refractory period, [t_spike, t_spike + t_ref)", Equation: "V ≥ V_th → spike, V = V_reset for t_ref", Default: 2, Min: 0, Max: 1e6}
	pEx  = quantity.Param{Key: "tau_syn_ex", Unit: "ms", Doc: "time constant of the excitatory synaptic current", Equation: "tau_syn dI/dt = −I", Default: 2, Min: 1e-3, Max: 1e6}
	pIn  = quantity.Param{Key: "tau_syn_in", Unit: "ms", Doc: "time constant of the inhibitory synaptic current", Equation: "tau_syn dI/dt = −I", Default: 2, Min: 1e-3, Max: 1e6}
	pIe  = quantity.Param{Key: "I_e", Unit: "pA", Doc: "constant input current", Equation: "C_m dV/dt = −(C_m/tau_m)(V − E_L) + I", Min: -1e9, Max: 1e9}

	// The homeostatic bias of Eq. 1 of the HMN paper, a current.
	pB    = quantity.Param{Key: "b", Unit: "pA", Doc: "bias at t = 0, a current beside I_e", Equation: "I = … + I_e + b (HMN 1)", Min: -1e9, Max: 1e9}
	pEtaB = quantity.Param{Key: "eta_b", Unit: "pA", Doc: "homeostatic bias: b grows by eta_b r_target per unit of time and falls by eta_b at a spike; 0 = off", Equation: "b += eta_b·r_target·Δt, b −= eta_b at a spike (HMN 1)", Min: 0, Max: 1e6}
	pRT   = quantity.Param{Key: "r_target", Unit: "Hz", Doc: "target rate of the homeostatic bias", Equation: "b += eta_b·r_target·Δt, b −= eta_b at a spike (HMN 1)", Min: 0, Max: 1e6}
	pHold = quantity.Param{Key: "bias_hold", Unit: "ms", Doc: "the bias, integrated exactly, acts from every whole multiple of it on", Equation: "b += eta_b·r_target·Δt, b −= eta_b at a spike (HMN 1)", Default: 10, Min: 1e-3, Max: 1e9}

	sV   = quantity.Param{Key: "V_m", Unit: "mV", Doc: "membrane potential; starts at E_L unless init says otherwise, must be below V_th", Min: -1e6, Max: 1e6}
	sEx  = quantity.Param{Key: "I_syn_ex", Unit: "pA", Doc: "excitatory synaptic current", Min: -1e9, Max: 1e9}
	sIn  = quantity.Param{Key: "I_syn_in", Unit: "pA", Doc: "inhibitory synaptic current", Min: -1e9, Max: 1e9}
	sDEx = quantity.Param{Key: "dI_syn_ex", Unit: "pA/ms", Doc: "slope variable of the excitatory alpha current: dI/dt + I/tau_syn_ex", Min: -1e9, Max: 1e9}
	sDIn = quantity.Param{Key: "dI_syn_in", Unit: "pA/ms", Doc: "slope variable of the inhibitory alpha current: dI/dt + I/tau_syn_in", Min: -1e9, Max: 1e9}

	pRate = quantity.Param{Key: "rate", Unit: "Hz", Doc: "rate of each neuron's own train", Min: 0, Max: 1e7}
)

// checkMembrane refuses thresholds at or below the reset potential and
// refractory periods that no run could tell from eternity.
func checkMembrane(name string) func(quantity.Values) (string, error) {
	return func(v quantity.Values) (string, error) {
		m, _ := Lookup(name)
		th, vr := m.Number(v, "V_th"), m.Number(v, "V_reset")
		if !(th > vr) {
			return "V_th", fmt.Errorf("V_th = %g mV, want more than V_reset = %g mV", th, vr)
		}
		if ref, tau := m.Number(v, "t_ref"), m.Number(v, "tau_m"); !(ref <= 500*tau) {
			return "t_ref", fmt.Errorf("t_ref = %g ms, want at most 500 tau_m = %g ms", ref, 500*tau)
		}
		return "", nil
	}
}

// exactlyOne refuses params that give none or several of keys.
func exactlyOne(keys ...string) func(quantity.Values) (string, error) {
	return func(v quantity.Values) (string, error) {
		given := ""
		for _, k := range keys {
			if _, ok := v[k]; ok {
				if given != "" {
					return k, fmt.Errorf("both %s and %s are given, want one of them", given, k)
				}
				given = k
			}
		}
		if given == "" {
			return keys[0], fmt.Errorf("none of %v is given, want one of them", keys)
		}
		return "", nil
	}
}

func init() {
	const rd = "Rotter & Diesmann 1999, doi:10.1007/s004220050570"
	Register(Model{
		Name: "iaf_psc_delta", Kind: Spiking,
		Doc:    "Leaky integrate-and-fire neuron with delta currents: tau_m dV/dt = −(V − E_L) + (tau_m/C_m) I_e; an arrival adds its weight [mV] to V. Arrivals during refractoriness are discarded.",
		Cite:   rd,
		Params: []quantity.Param{pC, pTau, pEL, pVth, pVr, pRef, pIe, pB, pEtaB, pRT, pHold},
		States: []quantity.Param{sV}, Ports: []string{"ex", "in"}, WeightUnit: "mV", Check: checkMembrane("iaf_psc_delta"),
	})
	Register(Model{
		Name: "iaf_psc_exp", Kind: Spiking,
		Doc:    "Leaky integrate-and-fire neuron with exponential currents: C_m dV/dt = −(C_m/tau_m)(V − E_L) + I_ex + I_in + I_e, tau_syn dI/dt = −I; an arrival adds its weight [pA] to I_ex (positive) or I_in (negative). Currents evolve during refractoriness, V is held at V_reset.",
		Cite:   rd,
		Params: []quantity.Param{pC, pTau, pEL, pVth, pVr, pRef, pEx, pIn, pIe, pB, pEtaB, pRT, pHold},
		States: []quantity.Param{sV, sEx, sIn}, Ports: []string{"ex", "in"}, WeightUnit: "pA", Check: checkMembrane("iaf_psc_exp"),
	})
	Register(Model{
		Name: "iaf_psc_alpha", Kind: Spiking,
		Doc:    "Leaky integrate-and-fire neuron with alpha currents: as iaf_psc_exp, but an arrival of weight w [pA] contributes w (e/tau_syn) s exp(−s/tau_syn), whose peak is w at s = tau_syn.",
		Cite:   rd,
		Params: []quantity.Param{pC, pTau, pEL, pVth, pVr, pRef, pEx, pIn, pIe, pB, pEtaB, pRT, pHold},
		States: []quantity.Param{sV, sEx, sIn, sDEx, sDIn}, Ports: []string{"ex", "in"}, WeightUnit: "pA", Check: checkMembrane("iaf_psc_alpha"),
	})
	Register(Model{
		Name: "rate", Kind: Rate,
		Doc:  "Rate unit z = f(Σ w x(t − delay) + b + ε): algebraic and piecewise constant, recomputed when an input, the bias or the noise changes; changes of z are sent as events. A spike arriving from a spiking population counts as the rate (Hz) it adds over the trailing spike_window.",
		Cite: "HMN – Hybrid Local–Global Modulated Neuron with Multi-Modal Attention, equation (1)",
		Params: []quantity.Param{
			{Key: "f", Doc: "transfer function", Equation: "z = f(Σ w x(t − delay) + b + ε) (1)", Form: quantity.Choice, Choices: []string{"relu", "sigmoid", "tanh", "linear", "softplus"}},
			{Key: "b", Unit: "1", Doc: "bias, one for all or one per unit", Equation: "z = f(Σ w x(t − delay) + b + ε) (1)", Form: quantity.Numbers, Min: -1e9, Max: 1e9},
			{Key: "eta_b", Unit: "1/ms", Doc: "rate of the homeostatic bias, db/dt = eta_b (r_target − z); published on the ticks of noise_hold; 0 = off", Equation: "z = f(Σ w x(t − delay) + b + ε) (1)", Min: 0, Max: 1e6},
			{Key: "r_target", Unit: "1", Doc: "target output of the homeostatic bias", Equation: "z = f(Σ w x(t − delay) + b + ε) (1)", Min: -1e9, Max: 1e9},
			{Key: "noise_sigma", Unit: "1", Doc: "standard deviation of the held noise ε", Equation: "z = f(Σ w x(t − delay) + b + ε) (1)", Min: 0, Max: 1e9},
			{Key: "noise_hold", Unit: "ms", Doc: "ε is redrawn at every whole multiple of it; bias ticks fall on the same grid", Equation: "z = f(Σ w x(t − delay) + b + ε) (1)", Default: 10, Min: 1e-6, Max: 1e9},
			{Key: "delta_z", Unit: "1", Doc: "send-on-delta tolerance: changes with |z − z_sent| ≤ delta_z are not sent; 0 = every change", Equation: "z = f(Σ w x(t − delay) + b + ε) (1)", Min: 0, Max: 1e9},
			{Key: "spike_window", Unit: "ms", Doc: "trailing window over which arriving spikes are counted as a rate", Default: 100, Min: 1e-3, Max: 1e6},
		},
		States: []quantity.Param{{Key: "z", Unit: "1", Doc: "output before t = 0, as the targets see it until the first change arrives", Min: -1e9, Max: 1e9}},
		Ports:  []string{"in"}, WeightUnit: "1",
	})
	Register(Model{
		Name: "poisson", Kind: SpikeSource,
		Doc: "Independent Poisson trains, one per neuron, exact in continuous time; homogeneous, in steps, sinusoidal, or from a file.",
		Params: []quantity.Param{pRate,
			{Key: "rate_steps", Unit: "Hz", Doc: "[[time_ms, rate], …]: the rate from each time on, 0 before the first", Form: quantity.Steps, Min: 0, Max: 1e7},
			{Key: "sinusoid", Unit: "Hz", Doc: "{ mean, amplitude, frequency, phase }: rate mean + amplitude·sin(2π frequency t + phase), cut at 0", Form: quantity.Sine, Min: 0, Max: 1e7},
			{Key: "rates_file", Unit: "Hz", Doc: "CSV with header time_ms,rate_hz (for all) or neuron,time_ms,rate_hz: the rate from each time on, 0 before the first", Form: quantity.File, Min: 0, Max: 1e7},
		},
		Check: exactlyOne("rate", "rate_steps", "sinusoid", "rates_file"),
	})
	Register(Model{
		Name: "spike_train", Kind: SpikeSource,
		Doc: "Explicit spike trains, from times_file (header neuron,time_ms) or in place: times = [[t_ms, …], …], one list per neuron.",
	})
	Register(Model{
		Name: "correlated_poisson", Kind: SpikeSource,
		Doc:  "Correlated Poisson trains: each spike of one shared mother process of rate rate/correlation is copied into each train with probability correlation, so every train is Poisson with the given rate and the pairwise count correlation is correlation.",
		Cite: "Kuhn, Aertsen & Rotter 2003, doi:10.1162/089976603321043702",
		Params: []quantity.Param{{Key: "rate", Unit: "Hz", Doc: pRate.Doc, Required: true, Min: 0, Max: 1e7},
			{Key: "correlation", Unit: "1", Doc: "pairwise correlation of the trains", Required: true, MinOpen: true, Max: 1}},
		Check: func(v quantity.Values) (string, error) {
			if r := v["rate"].Number / v["correlation"].Number; !(r <= 1e9) {
				return "correlation", errors.New("the mother process rate/correlation would exceed 1e9 Hz")
			}
			return "", nil
		},
	})
	levels := func(unit, what string) []quantity.Param {
		return []quantity.Param{
			{Key: "amplitude", Unit: unit, Doc: what + " before the first step", Min: -1e9, Max: 1e9},
			{Key: "steps", Unit: unit, Doc: "[[time_ms, value], …]: the level from each time on", Form: quantity.Steps, Min: -1e9, Max: 1e9},
			{Key: "steps_file", Unit: unit, Doc: "CSV with header time_ms,value (for all) or neuron,time_ms,value", Form: quantity.File, Min: -1e9, Max: 1e9},
		}
	}
	Register(Model{
		Name: "step_current", Kind: LevelSource,
		Doc:    "Piecewise constant current: a projection of weight w, a plain factor, onto a spiking population injects w·amplitude.",
		Params: levels("pA", "current"),
	})
	Register(Model{
		Name: "step_rate", Kind: LevelSource,
		Doc:    "Piecewise constant rate, an input of rate units.",
		Params: levels("1", "level"),
	})
}
