package validation

import (
	"fmt"
	"math"

	"hmn/event/quantity"
	"hmn/network"
)

// plasticRules are the rows of the table: rules with the parameters that their
// variants need.
var plasticRules = []plasticRule{
	hmnContinuous(),
	dopamineRule("stdp_dopamine", "exact", dopamineOracle{aPlus: 1, aMinus: -1.05, tauPlus: 20, tauMinus: 20, tauC: 1000, eta: 0.002, wMax: 4,
		factors: []factor{{200, 1}}}),
	dopamineRule("stdp_dopamine, traces set, baseline, opposed modulators", "exact", dopamineOracle{aPlus: 1, aMinus: -1.5, tauPlus: 20, tauMinus: 15, tauC: 1000, eta: 0.001, base: 0.02, wMax: 4, set: true,
		factors: []factor{{200, 1}, {50, -2}}}),
	dopamineRule("stdp_dopamine, a modulator that is held, w_min > 0", "exact", dopamineOracle{aPlus: 1, aMinus: -1, tauPlus: 10, tauMinus: 30, tauC: 300, eta: 0.001, base: -0.1, wMin: 0.5, wMax: 3,
		factors: []factor{{0, 0.3}, {120, 1}}}),
	dopamineRule("stdp_dopamine, all time constants equal", "exact", dopamineOracle{aPlus: 1, aMinus: -1.05, tauPlus: 100, tauMinus: 100, tauC: 100, eta: 0.001, base: 0.01, wMax: 4,
		factors: []factor{{100, 1}, {100, -0.5}}}),
	dopamineRule("stdp_dopamine, nest", "nest", dopamineOracle{aPlus: 1, aMinus: -1.5, tauPlus: 20, tauMinus: 20, tauC: 1000, eta: 0.2, base: 0.0001, wMax: 4, nest: true,
		factors: []factor{{200, 1}}}),
	daspnetRule(),
}

// with adds parameters.
func with(v quantity.Values, kv ...any) quantity.Values {
	for k, x := range values(kv...) {
		v[k] = x
	}
	return v
}

func stdpRule(name string, o stdpOracle, extra ...any) plasticRule {
	return plasticRule{name: name, model: "stdp", wMin: o.wMin, wMax: o.wMax, start: (o.wMin + o.wMax) / 2, oracle: o.weights,
		params: with(values("A_plus", o.aPlus, "A_minus", o.aMinus, "tau_plus", o.tauPlus, "tau_minus", o.tauMinus,
			"w_min", o.wMin, "w_max", o.wMax, "pairing", pairingNames[o.by]), extra...)}
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
	return plasticRule{name: "hmn, continuous", model: "hmn", wMin: o.wMin, wMax: o.wMax, start: 2, oracle: o.weights,
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
	return plasticRule{name: name, model: "stdp_dopamine", wMin: o.wMin, wMax: o.wMax, start: (o.wMin + o.wMax) / 2, oracle: o.weights,
		params: o.values(semantics), factors: factorsOf(o.factors)}
}

// daspnetRule has the constants of the program of Izhikevich 2007.
func daspnetRule() plasticRule {
	o := daspnetOracle{dopamineOracle{aPlus: 0.1, aMinus: -0.15, tauPlus: -1 / math.Log(0.95), tauMinus: -1 / math.Log(0.95), tauC: -10 / math.Log(0.99), eta: 0.01, base: -0.002, wMax: 4, set: true,
		factors: []factor{{-1 / math.Log(0.995), 1}}}, ms(1)}
	return plasticRule{name: "stdp_dopamine, daspnet", model: "stdp_dopamine", wMax: o.wMax, start: 1, oracle: o.weights,
		params: o.values("daspnet"), factors: factorsOf(o.factors)}
}
