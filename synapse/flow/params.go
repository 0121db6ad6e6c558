package flow

import (
	"fmt"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
)

var bounds = []quantity.Param{
	{Key: "w_min", Unit: "[w]", Doc: "least magnitude of a weight; if negative, the least weight: weights may then have either sign and cross zero", Default: 0, Min: -1e9, Max: 1e9},
	{Key: "w_max", Unit: "[w]", Doc: "greatest magnitude of a weight; with a negative w_min, the greatest weight", Required: true, Min: 0, MinOpen: true, Max: 1e9},
	{Key: "hold", Unit: "ms", Doc: "weights move all the time, and act on their targets at the ends of intervals of this length, whole multiples of it from 0", Default: 10, Min: 1e-3, Max: 1e6},
}

func eta(unit string) quantity.Param {
	return quantity.Param{Key: "eta", Unit: unit, Doc: "rate of learning η", Required: true, Min: 0, Max: 1e6}
}

func init() {
	register("hebb", "Hebb's rule between rate units: dw/dt = η x z, kept within w_min and w_max",
		"Hebb 1949; Dayan & Abbott 2001, Theoretical Neuroscience, Eq. 8.2", []quantity.Param{eta("[w]/ms")},
		func(v values) law { return hebb{v.number("eta")} })
	register("oja", "Oja's rule between rate units: dw/dt = η z (x − z w), which goes to the principal component of the inputs",
		"Oja 1982, doi:10.1007/BF00275687", []quantity.Param{eta("1/ms")},
		func(v values) law { return oja{v.number("eta")} })
	register("bcm", "the rule of Bienenstock, Cooper and Munro between rate units: dw/dt = η x z (z − θ), τ_θ dθ/dt = z²/z_0 − θ. "+
		"Each synapse keeps θ of the outputs it has seen",
		"Bienenstock, Cooper & Munro 1982, doi:10.1523/JNEUROSCI.02-01-00032.1982; with θ the mean of the square, Intrator & Cooper 1992, doi:10.1016/S0893-6080(05)80003-6",
		[]quantity.Param{
			eta("[w]/ms"),
			{Key: "tau_theta", Unit: "ms", Doc: "time constant of the threshold θ", Default: 1000, Min: 0, MinOpen: true, Max: 1e9},
			{Key: "z_0", Unit: "1", Doc: "output at which a constant one is its own threshold, z = θ", Default: 1, Min: 0, MinOpen: true, Max: 1e9},
			{Key: "theta_0", Unit: "1", Doc: "θ at t = 0", Default: 1, Min: 0, Max: 1e9},
		},
		func(v values) law { return bcm{v.number("eta"), v.number("tau_theta"), v.number("z_0")} })
}

// values are checked parameters with their defaults.
type values struct {
	params []quantity.Param
	given  quantity.Values
}

func (v values) number(key string) float64 {
	if x, ok := v.given[key]; ok {
		return x.Number
	}
	p, _ := quantity.Find(v.params, key)
	return p.Default
}

func (v values) hold() event.Time {
	t, _, _ := event.FromMS(v.number("hold")) // in range
	return t
}

func register(name, doc, cite string, own []quantity.Param, make func(values) law) {
	params := append(own[:len(own):len(own)], bounds...)
	read := func(v quantity.Values) values { return values{params, v} }
	synapse.Register(synapse.Model{
		Name: name, Doc: doc, Cite: cite, Params: params,
		Check: func(v quantity.Values, _ bool) (string, error) {
			if lo, hi := read(v).number("w_min"), read(v).number("w_max"); lo > hi {
				return "w_min", fmt.Errorf("w_min = %g, want at most w_max = %g", lo, hi)
			}
			return "", nil
		},
		Learning: &synapse.Learning{
			Joins: synapse.Rates,
			Bounds: func(v quantity.Values, _ bool) (least, most float64) {
				return read(v).number("w_min"), read(v).number("w_max")
			},
			NewRates: func(v quantity.Values, w *synapse.Wiring, _ *synapse.Drive) (synapse.RateLearner, error) {
				x := read(v)
				return newFlow(make(x), x.number("w_min"), x.number("w_max"), x.number("theta_0"), x.hold(), w), nil
			},
			Bytes: func(quantity.Values, bool, bool) int { return StateBytes },
			Settle: func(quantity.Values) func(int64) event.Time {
				return func(k int64) event.Time { return event.Time(k) * settleEvery }
			},
		},
	})
}

// settleEvery is the time between settle passes, which have nothing to do here.
const settleEvery = event.Second
