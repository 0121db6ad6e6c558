package validation

import (
	"fmt"
	"math"

	"hmn/event/quantity"
	"hmn/network"
)

// plasticRules are the rows of the table: rules with the parameters that their
// variants need.
var plasticRules = append(publishedRules(), []plasticRule{
	stdpRule("stdp, additive", stdpOracle{aPlus: 0.02, aMinus: -0.021, tauPlus: 20, tauMinus: 20, wMax: 1}),
	stdpRule("stdp, additive, small steps", stdpOracle{aPlus: 1e-4, aMinus: -1.05e-4, tauPlus: 17, tauMinus: 34, wMax: 1}),
	stdpRule("stdp, additive, both potentiate, w_min > 0", stdpOracle{aPlus: 0.002, aMinus: 0.001, tauPlus: 17, tauMinus: 34, wMin: 2, wMax: 30}),
	stdpRule("stdp, multiplicative", stdpOracle{aPlus: 0.02, aMinus: -0.021, tauPlus: 20, tauMinus: 20, muPlus: 1, muMinus: 1, wMax: 2}),
	stdpRule("stdp, Gütig, μ = 0.4", stdpOracle{aPlus: 0.02, aMinus: -0.021, tauPlus: 20, tauMinus: 20, muPlus: 0.4, muMinus: 0.4, wMax: 3}),
	stdpRule("stdp, μ_+ = 0, μ_− = 1", stdpOracle{aPlus: 0.01, aMinus: -0.02, tauPlus: 20, tauMinus: 30, muMinus: 1, wMax: 1}),
	stdpRule("stdp, power law, μ = 0.4", stdpOracle{aPlus: 0.01, aMinus: -0.0105, tauPlus: 20, tauMinus: 20, muPlus: 0.4, wMax: 200, power: true, wRef: 50}),
	stdpRule("stdp, nearest symmetric", stdpOracle{aPlus: 0.02, aMinus: -0.021, tauPlus: 20, tauMinus: 20, wMax: 1, by: symmetric}),
	stdpRule("stdp, nearest presynaptic", stdpOracle{aPlus: 0.02, aMinus: -0.021, tauPlus: 20, tauMinus: 20, wMax: 1, by: presynaptic}),
	stdpRule("stdp, nearest reduced", stdpOracle{aPlus: 0.02, aMinus: -0.021, tauPlus: 20, tauMinus: 20, wMax: 1, by: reduced}),
	stdpRule("stdp, nearest presynaptic, multiplicative", stdpOracle{aPlus: 0.02, aMinus: -0.021, tauPlus: 20, tauMinus: 20, muPlus: 1, muMinus: 1, wMax: 1, by: presynaptic}),
	tripletSmall(),
	vogelsRule("vogels_sprekeler", vogelsOracle{eta: 0.1, alpha: 0.12, tau: 20, wMax: 10}),
	vogelsRule("vogels_sprekeler, small steps", vogelsOracle{eta: 1e-4, alpha: 0.9, tau: 35, wMax: 1}),
	scalingRule("synaptic_scaling", scalingOracle{target: 20, tau: 1000, beta: 0.02, a0: 20, wMax: 3}),
	scalingRule("synaptic_scaling, fast, w_min > 0", scalingOracle{target: 12, tau: 40, beta: 0.3, a0: 5, wMin: 0.5, wMax: 2}),
	hmnContinuous(),
	dopamineRule("stdp_dopamine", "exact", dopamineOracle{aPlus: 1, aMinus: -1.05, tauPlus: 20, tauMinus: 20, tauC: 1000, eta: 0.002, wMax: 4,
		factors: []factor{{200, 1}}}),
	dopamineRule("stdp_dopamine, small steps", "exact", dopamineOracle{aPlus: 1, aMinus: -1.05, tauPlus: 25, tauMinus: 15, tauC: 800, eta: 3e-6, wMax: 1,
		factors: []factor{{200, 1}, {60, -0.5}}}),
	dopamineRule("stdp_dopamine, traces set, baseline, opposed modulators", "exact", dopamineOracle{aPlus: 1, aMinus: -1.5, tauPlus: 20, tauMinus: 15, tauC: 1000, eta: 0.001, base: 0.02, wMax: 4, set: true,
		factors: []factor{{200, 1}, {50, -2}}}),
	dopamineRule("stdp_dopamine, a modulator that is held, w_min > 0", "exact", dopamineOracle{aPlus: 1, aMinus: -1, tauPlus: 10, tauMinus: 30, tauC: 300, eta: 0.001, base: -0.1, wMin: 0.5, wMax: 3,
		factors: []factor{{0, 0.3}, {120, 1}}}),
	dopamineRule("stdp_dopamine, all time constants equal", "exact", dopamineOracle{aPlus: 1, aMinus: -1.05, tauPlus: 100, tauMinus: 100, tauC: 100, eta: 0.001, base: 0.01, wMax: 4,
		factors: []factor{{100, 1}, {100, -0.5}}}),
	dopamineRule("stdp_dopamine, nest", "nest", dopamineOracle{aPlus: 1, aMinus: -1.5, tauPlus: 20, tauMinus: 20, tauC: 1000, eta: 0.2, base: 0.0001, wMax: 4, nest: true,
		factors: []factor{{200, 1}}}),
	daspnetRule(true),
	daspnetRule(false),
	mstdpetRule("mstdpet", dopamineOracle{aPlus: 1, aMinus: -1, tauPlus: 20, tauMinus: 20, tauC: 25, eta: 0.01, wMax: 5, factors: []factor{{1, 1}, {200, 0.3}}}),
	mstdpetRule("mstdpet, traces set, reward held", dopamineOracle{aPlus: 1, aMinus: -1.2, tauPlus: 20, tauMinus: 35, tauC: 500, eta: 0.01, wMin: 0.5, wMax: 5, set: true, factors: []factor{{0, 1}}}),
	mstdpetRule("mstdpet, no trace (MSTDP)", dopamineOracle{aPlus: 1, aMinus: -1, tauPlus: 20, tauMinus: 20, eta: 0.01, wMax: 5, factors: []factor{{0, 1}, {100, -0.5}}}),
}...)

// with adds parameters.
func with(v quantity.Values, kv ...any) quantity.Values {
	for k, x := range values(kv...) {
		v[k] = x
	}
	return v
}

func stdpRule(name string, o stdpOracle) plasticRule {
	v := values("A_plus", o.aPlus, "A_minus", o.aMinus, "tau_plus", o.tauPlus, "tau_minus", o.tauMinus,
		"mu_plus", o.muPlus, "w_min", o.wMin, "w_max", o.wMax, "pairing", pairingNames[o.by])
	if o.power {
		v = with(v, "dependence", "power_law", "w_ref", o.wRef)
	} else {
		v = with(v, "mu_minus", o.muMinus)
	}
	return plasticRule{name: name, model: "stdp", params: v, wMin: o.wMin, wMax: o.wMax, start: (o.wMin + o.wMax) / 2, oracle: o.weights}
}

// published are the fits of Pfister & Gerstner 2006, Tables 3 and 4, by name: their
// numbers stand here only.
var published = []struct {
	set string
	o   tripletOracle
}{
	{"visual_cortex", tripletOracle{a2Plus: 5e-10, a3Plus: 6.2e-3, a2Minus: -7e-3, a3Minus: -2.3e-4, tauX: 101, tauY: 125}},
	{"visual_cortex_minimal", tripletOracle{a3Plus: 6.5e-3, a2Minus: -7.1e-3, tauX: 101, tauY: 114}},
	{"hippocampus", tripletOracle{a2Plus: 6.1e-3, a3Plus: 6.7e-3, a2Minus: -1.6e-3, a3Minus: -1.4e-3, tauX: 946, tauY: 27}},
	{"hippocampus_minimal", tripletOracle{a2Plus: 5.3e-3, a3Plus: 8e-3, a2Minus: -3.5e-3, tauX: 946, tauY: 40}},
	{"visual_cortex", tripletOracle{a2Plus: 8.8e-11, a3Plus: 5.3e-2, a2Minus: -6.6e-3, a3Minus: -3.1e-3, tauX: 714, tauY: 40, nearest: true}},
	{"visual_cortex_minimal", tripletOracle{a3Plus: 5e-2, a2Minus: -8e-3, tauX: 714, tauY: 40, nearest: true}},
	{"hippocampus", tripletOracle{a2Plus: 4.6e-3, a3Plus: 9.1e-3, a2Minus: -3e-3, a3Minus: -7.5e-9, tauX: 575, tauY: 47, nearest: true}},
	{"hippocampus_minimal", tripletOracle{a2Plus: 4.6e-3, a3Plus: 9.1e-3, a2Minus: -3e-3, tauX: 575, tauY: 48, nearest: true}},
}

func publishedRules() (out []plasticRule) {
	for _, p := range published {
		out = append(out, tripletRule(p.set, p.o))
	}
	return out
}

func tripletRule(set string, o tripletOracle) plasticRule {
	o.tauPlus, o.tauMinus, o.wMax = 16.8, 33.7, 1
	pairing := "all_to_all"
	if o.nearest {
		pairing = "nearest"
	}
	return plasticRule{name: "stdp_triplet, " + set + ", " + pairing, model: "stdp_triplet", wMax: o.wMax, start: 0.5, oracle: o.weights,
		params: values("set", set, "pairing", pairing)}
}

// tripletSmall gives all numbers itself, in steps so small that the weight stays
// between its bounds.
func tripletSmall() plasticRule {
	o := tripletOracle{a2Plus: 5e-5, a3Plus: 4e-5, a2Minus: -6e-5, a3Minus: -5e-5, tauPlus: 15, tauMinus: 35, tauX: 300, tauY: 80, wMax: 2}
	return plasticRule{name: "stdp_triplet, small steps", model: "stdp_triplet", wMax: o.wMax, start: 1, oracle: o.weights,
		params: values("A2_plus", o.a2Plus, "A3_plus", o.a3Plus, "A2_minus", o.a2Minus, "A3_minus", o.a3Minus,
			"tau_plus", o.tauPlus, "tau_minus", o.tauMinus, "tau_x", o.tauX, "tau_y", o.tauY, "w_max", o.wMax)}
}

// vogelsRule has negative weights: the rule is that of inhibitory synapses.
func vogelsRule(name string, o vogelsOracle) plasticRule {
	return plasticRule{name: name, model: "vogels_sprekeler", wMin: o.wMin, wMax: o.wMax, start: (o.wMin + o.wMax) / 2, oracle: o.weights, negative: true,
		params: values("eta", o.eta, "alpha", o.alpha, "tau", o.tau, "w_min", o.wMin, "w_max", o.wMax)}
}

func scalingRule(name string, o scalingOracle) plasticRule {
	return plasticRule{name: name, model: "synaptic_scaling", wMin: o.wMin, wMax: o.wMax, start: (o.wMin + o.wMax) / 2, oracle: o.weights, flows: true,
		params: values("target_rate", o.target, "tau", o.tau, "beta", o.beta, "a_0", o.a0, "w_min", o.wMin, "w_max", o.wMax)}
}

// factorsOf are the modulators of a reference.
func factorsOf(f []factor) (out []network.Modulator) {
	for k, x := range f {
		out = append(out, network.Modulator{Name: fmt.Sprintf("m%d", k), Tau: x.tau, Hold: x.tau == 0, W: x.w, HasW: true})
	}
	return out
}

// hmnContinuous is R-STDP as the rule hmn contains it.
func hmnContinuous() plasticRule {
	o := dopamineOracle{aPlus: 1, aMinus: -1.5, tauPlus: 20, tauMinus: 15, tauC: 1000, eta: 0.001, wMin: 0, wMax: 4, causal: true, factors: []factor{{200, 1}, {50, -0.5}}}
	h := coreRule(o.wMax)
	h.aFast, h.tauSlow, h.tauPlus, h.tauMinus, h.aPlus, h.aMinus = 0, o.tauC, o.tauPlus, o.tauMinus, o.aPlus, o.aMinus
	h.etaLocal, h.etaGlobal, h.gate, h.bernoulli = 0, o.eta, false, false
	return plasticRule{name: "hmn, continuous", model: "hmn", wMin: o.wMin, wMax: o.wMax, start: 2, oracle: o.weights, eligibility: o.eligibility, flows: true,
		params: with(h.values(), "update", "continuous"), factors: factorsOf(o.factors)}
}

func (o dopamineOracle) values(semantics string) quantity.Values {
	v := values("semantics", semantics, "A_plus", o.aPlus, "A_minus", o.aMinus, "tau_plus", o.tauPlus, "tau_minus", o.tauMinus,
		"tau_c", o.tauC, "eta", o.eta, "b", o.base, "w_min", o.wMin, "w_max", o.wMax, "trace", "add")
	if o.set {
		v["trace"] = quantity.Value{Text: "set"}
	}
	return v
}

func dopamineRule(name, semantics string, o dopamineOracle) plasticRule {
	return plasticRule{name: name, model: "stdp_dopamine", wMin: o.wMin, wMax: o.wMax, start: (o.wMin + o.wMax) / 2, oracle: o.weights, eligibility: o.eligibility, flows: true,
		params: o.values(semantics), factors: factorsOf(o.factors)}
}

// daspnetRule has the constants of the program of Izhikevich 2007, with traces that
// are set as there, or increased.
func daspnetRule(set bool) plasticRule {
	o := daspnetOracle{dopamineOracle{aPlus: 0.1, aMinus: -0.15, tauPlus: -1 / math.Log(0.95), tauMinus: -1 / math.Log(0.95), tauC: -10 / math.Log(0.99), eta: 0.01, base: -0.002, wMax: 4, set: set,
		factors: []factor{{-1 / math.Log(0.995), 1}}}, ms(1)}
	name := "stdp_dopamine, daspnet"
	if !set {
		o.lag, name = ms(0.4), name+", traces added, another lag"
	}
	return plasticRule{name: name, model: "stdp_dopamine", wMax: o.wMax, start: 1, oracle: o.weights, kick: 3, flows: true,
		params: with(o.values("daspnet"), "post_lag", o.lag.MS()), factors: factorsOf(o.factors)}
}

// mstdpetRule is that of Florian 2007: tau_z dz/dt = −z + pairs, dw/dt = γ r z.
func mstdpetRule(name string, o dopamineOracle) plasticRule {
	v := values("A_plus", o.aPlus, "A_minus", o.aMinus, "tau_plus", o.tauPlus, "tau_minus", o.tauMinus, "tau_z", o.tauC, "gamma", o.eta,
		"w_min", o.wMin, "w_max", o.wMax, "trace", "add")
	if o.set {
		v["trace"] = quantity.Value{Text: "set"}
	}
	r := plasticRule{name: name, model: "mstdpet", wMin: o.wMin, wMax: o.wMax, start: (o.wMin + o.wMax) / 2, params: v, factors: factorsOf(o.factors), kick: 6}
	if r.oracle = (mstdpOracle{o}).weights; o.tauC > 0 {
		o.aPlus, o.aMinus = o.aPlus/o.tauC, o.aMinus/o.tauC
		r.oracle, r.eligibility, r.flows = o.weights, o.eligibility, true
	}
	return r
}
