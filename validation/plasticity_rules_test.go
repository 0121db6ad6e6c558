package validation

import (
	"hmn/event/quantity"
	"hmn/network"
)

var plasticRules = []plasticRule{
	hmnContinuous(),
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
		out = append(out, network.Modulator{Name: "m" + string(rune('0'+k)), Tau: x.tau, Hold: x.tau == 0, W: x.w, HasW: true})
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
