package stdp

import (
	"fmt"
	"slices"

	"hmn/event/quantity"
	"hmn/synapse"
)

// Inhibitory plasticity (Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011,
// doi:10.1126/science.1211095). With x the filter of arrivals and y that of post
// spikes, both with tau and raised by 1 at a spike,
//
//	Δw = eta x              at a post spike
//	Δw = eta (y − alpha)    at an arrival,      alpha = 2 rho_0 tau,
//
// which leads the target towards the rate rho_0. The weight's magnitude changes,
// so that inhibition grows where the target fires too much.
const (
	vogelsEq   = "Vogels et al. 2011"
	vogelsCite = "Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011, Science 334:1569–1573, doi:10.1126/science.1211095"
)

var vogelsKeys = keys(slices.Concat([]quantity.Param{
	amplitude("eta", "[w]", 0.01, vogelsEq, "change of the magnitude per unit of a filter"),
	tau("tau", 20, vogelsEq, "time constant of both filters"),
	real("rho_0", "Hz", 3, 0, 1e6, vogelsEq, "rate to which the target is led"),
	{Key: "alpha", Unit: "1", Derived: "2 rho_0 tau", Min: -1e9, Max: 1e9, Equation: vogelsEq, Doc: "depression at every arrival; in place of rho_0"},
}, bounds(vogelsEq))).required("w_max")

func vogelsLaw(v quantity.Values) law {
	k := vogelsKeys
	l := law{wMin: k.number(v, "w_min"), wMax: k.number(v, "w_max")}
	tau, eta := k.number(v, "tau"), k.number(v, "eta")
	l.rates(tau, tau)
	alpha := float64(2 * k.number(v, "rho_0") * tau / 1000)
	if x, ok := v["alpha"]; ok {
		alpha = x.Number
	}
	l.up2, l.down2, l.rest = eta, eta, -float64(eta*alpha)
	return l
}

func init() {
	synapse.Register(synapse.Model{
		Name:   "vogels_sprekeler",
		Doc:    "inhibitory plasticity that leads its targets towards a rate: spikes near each other in either order potentiate, every arrival depresses",
		Cite:   vogelsCite,
		Params: vogelsKeys,
		Check: func(v quantity.Values, _ bool) (string, error) {
			_, alpha := v["alpha"]
			if _, rho := v["rho_0"]; rho && alpha {
				return "alpha", fmt.Errorf("alpha and rho_0 are both given: want one of them, alpha = 2 rho_0 tau")
			}
			return vogelsKeys.checkBounds(v)
		},
		Notes: func(v quantity.Values) []string {
			if x := v["eta"].Number; x < 0 {
				return []string{fmt.Sprintf("eta = %g is negative: the rule leads away from rho_0", x)}
			}
			return nil
		},
		Learning: vogelsKeys.learning(vogelsLaw),
	})
}
