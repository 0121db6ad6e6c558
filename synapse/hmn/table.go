package hmn

import (
	"math"
	"slices"

	"hmn/event/quantity"
)

// Table lists the keys of the rule in the order of the equations. The defaults
// are those of the preset hmn-core. In units, [w] stands for the unit of the
// projection's weight and [z] for that of rates: Hz between spiking
// populations, 1 between rate units.
func Table() []quantity.Param { return slices.Clone(table) }

var table = makeTable()

func makeTable() []quantity.Param {
	inf := math.Inf(1)
	// at least lo
	from := func(lo float64, key, unit string, def float64, eq, doc string) quantity.Param {
		return quantity.Param{Key: key, Unit: unit, Default: def, Min: lo, Max: inf, Equation: eq, Doc: doc}
	}
	above := func(key, unit string, def float64, eq, doc string) quantity.Param {
		p := from(0, key, unit, def, eq, doc)
		p.MinOpen = true
		return p
	}
	between := func(lo, hi float64, key, unit string, def float64, eq, doc string) quantity.Param {
		p := from(lo, key, unit, def, eq, doc)
		p.Max = hi
		return p
	}
	whole := func(lo, hi float64, key string, def float64, eq, doc string) quantity.Param {
		p := between(lo, hi, key, "1", def, eq, doc)
		p.Form = quantity.Integer
		return p
	}
	flag := func(key string, def bool, eq, doc string) quantity.Param {
		p := quantity.Param{Key: key, Form: quantity.Bool, Equation: eq, Doc: doc}
		if def {
			p.Default = 1
		}
		return p
	}
	word := func(key string, words []string, eq, doc string) quantity.Param {
		return quantity.Param{Key: key, Form: quantity.Choice, Choices: words, Equation: eq, Doc: doc}
	}
	derived := func(text string, p quantity.Param) quantity.Param { p.Derived, p.Default = text, 0; return p }
	or := func(w string, p quantity.Param) quantity.Param {
		p.Form, p.Choices = quantity.NumberOrWord, []string{w}
		return p
	}
	const (
		traces, drift, gate, apply = "HMN Eq. 2", "HMN Eq. 3", "HMN Eq. 4", "HMN Eq. 5"
		local, global              = "HMN Eqs. 8–9", "HMN Eqs. 10–11"
	)

	wMax := above("w_max", "[w]", 0, apply, "upper bound of the weight's magnitude")
	wMax.Required, wMax.Max = true, 1e9
	phase := or("uniform", between(0, 2*math.Pi, "phase", "rad", 0, gate, "φ_ij, the phase at which the gate of a synapse is widest; uniform: drawn for each synapse"))
	phase.MaxOpen = true

	return []quantity.Param{
		between(0, 1e9, "w_min", "[w]", 0, apply, "lower bound of the weight's magnitude; the sign stays that of the initial weight"),
		wMax,

		from(0, "a_fast", "1", 1, traces, "share of the fast trace in the eligibility; 0 removes it"),
		from(0, "a_slow", "1", 1, traces, "share of the slow trace; 0 removes it"),
		above("tau_fast", "ms", 50, traces, "time constant of the fast trace, ≤ tau_slow"),
		above("tau_slow", "ms", 1000, traces, "time constant of the slow trace"),
		above("tau_plus", "ms", 20, traces, "filter of presynaptic arrivals; spikes only"),
		above("tau_minus", "ms", 20, traces, "filter of postsynaptic spikes; spikes only"),
		between(-inf, inf, "A_plus", "1", 1, traces, "jump of the traces at a post spike, times the filter of arrivals; spikes only"),
		between(-inf, inf, "A_minus", "1", -1.5, traces, "jump of the traces at an arrival, times the filter of post spikes: > 0 Hebb, < 0 STDP; spikes only"),
		flag("nearest", false, traces, "the filters are set to 1 at a spike instead of raised by 1: nearest pairs instead of all; spikes only"),
		word("trace", []string{"ode", "overwrite"}, traces, "ode: coincidences add up and decay | overwrite: the last one replaces what was there; spikes only"),
		word("center", []string{"none", "post"}, traces, "post: the output of the target minus its running mean enters the traces; rates only"),
		above("tau_zbar", "ms", 1000, traces, "time constant of that running mean; rates only"),

		derived("5e-6 w_max (rates: 0)", from(0, "eta_local", "[w]/ms", 0, drift, "local learning rate, per ms of integration; between rate units in [w]/ms²; 0: off")),
		derived("2.5e-3 w_max (rates: 3e-5 w_max)", from(0, "eta_global", "[w]/ms", 0, drift, "learning rate of the modulated part, unit as eta_local; 0: off")),

		flag("gate", true, gate, "false: the gate is 1 at all times and a window is a whole cycle"),
		between(0.1, 200, "osc_hz", "Hz", 8, gate, "frequency f of the oscillation; one opportunity per cycle"),
		between(-100, 100, "osc_phase", "rad", 0, gate, "φ_0, phase of the oscillation at t = 0; not reduced to [0, 2π)"),
		phase,
		derived(`0 (16 with phase = "uniform")`, whole(0, 4096, "phase_bins", 0, gate, "phases are put on a grid of that many; 0: exact, as eta_phi > 0 wants")),
		or("pi", above("gate_gain", "1", math.Pi, gate, "κ of the gate: pi (its mean over a cycle is 1) or 1 (the paper's)")),

		word("update", []string{"window", "continuous", "step"}, apply, "window: once per cycle, at the close of the window | continuous: at every instant, without trials | step: once per step of the clocked engine"),
		flag("eta_per_step", false, "HMN section 10.3", "with update = \"step\": learning rates are per step, not per ms"),
		flag("bernoulli", true, apply, "false: every candidate is applied"),
		derived("2000/w_max", from(0, "beta_p", "1/[w]", 0, apply, "steepness of the probability of application")),
		derived("0.002 w_max", from(0, "theta_p", "[w]", 0, apply, "size of a candidate that is applied with probability ½")),
		word("bounds", []string{"hard", "soft"}, "Gütig et al. 2003", "soft: changes shrink towards the bounds, (1 − w/w_max)^mu up and (w/w_max)^mu down; not with continuous"),
		between(0, 1, "mu", "1", 1, "Gütig et al. 2003", "exponent of soft bounds"),
		from(0, "lambda_w", "1/ms", 0, "dw/dt = −lambda_w w, beyond the paper", "decay of the weight between updates"),
		between(0, 0.1, "eta_phi", "rad", 0, gate, "learned phases: φ changes by eta_phi sin(Φ(t) − φ) at every coincidence; spikes only, exact phases only"),

		between(0, 20, "beta_a", "1", 0, local, "sharpness of local attention; 0: off"),
		word("alpha_gain", []string{"fan_in", "none"}, local, "fan_in: α times the number of synapses, so that its mean is 1 | none: the paper's"),
		whole(1, 64, "embed_dim", 8, local, "dimension d of embeddings and contexts"),
		word("embedding", []string{"random_unit", "given", "oja"}, local, "directions v_i of the presynaptic neurons: drawn | from embedding_file | learned by Oja's subspace rule"),
		above("eta_h", "1", 1e-3, local, "learning rate of embedding = \"oja\""),
		above("tau_ctx", "ms", 20000, local, "time constant of the context c_j; should span many post spikes"),
		word("similarity", []string{"cosine", "dot"}, local, "of embedding and context; dot needs alpha_hold = \"cycle\""),
		word("alpha_hold", []string{"post", "cycle"}, local, "α is computed anew after a post spike | at the start of a cycle"),
		{Key: "group", Form: quantity.Text, Equation: local, Derived: "by the sign of the weights", Doc: "name of the group of projections whose synapses share one softmax at each target neuron"},

		between(0, 20, "beta_g", "1", 0, global, "sharpness of attention among modulators; 0: off"),
		word("relevance", []string{"abs", "dot", "vector"}, global, "|E_k| C | E_k C, the paper's | cosine of the modulator's vector u and the population's context"),
		word("gamma_gain", []string{"K", "none"}, global, "K: γ times the number of modulators, so that its mean is 1 | none: the paper's"),
		above("tau_C", "ms", 1000, global, "time constant of the mean activity C_global"),
		derived("10 Hz (rates: 1)", above("r_ref", "[z]", 0, global, "mean activity at which C_global is 1")),
		between(-inf, inf, "w_reward", "1", 1, "HMN Eq. 6", "w of a modulator called reward or with builtin centred_reward that gives none itself"),
		between(-inf, inf, "w_uncertainty", "1", 0, "HMN Eq. 6", "w of a modulator called or built in as uncertainty that gives none itself"),
		between(-inf, inf, "w_novelty", "1", 0, "HMN Eq. 6", "w of a modulator called or built in as novelty that gives none itself"),

		whole(1, 1e6, "settle_cycles", 64, "docs/learning.md", "silent synapses are brought up to date every so many cycles"),
	}
}
