package stdp

import (
	"fmt"
	"slices"

	"hmn/event/quantity"
	"hmn/synapse"
)

// Pair STDP. With x the filter of arrivals and y that of post spikes at the synapse,
//
//	dependence = "bounds":     Δw = A_plus w_max (1 − w/w_max)^mu_plus x    at a post spike
//	                           Δw = A_minus w_max (w/w_max)^mu_minus y     at an arrival
//	dependence = "power_law":  Δw = A_plus w_ref^(1−mu_plus) w^mu_plus x
//	                           Δw = A_minus w y
//
// mu = 0 is additive (Song, Miller & Abbott 2000, doi:10.1038/78829), mu = 1
// multiplicative (van Rossum, Bi & Turrigiano 2000; Rubin, Lee & Sompolinsky 2001,
// doi:10.1103/PhysRevLett.86.364), between them Gütig, Aharonov, Rotter &
// Sompolinsky 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003. The power law is that of
// Morrison, Aertsen & Diesmann 2007, doi:10.1162/neco.2007.19.6.1437, and the
// pairings are those of Morrison, Diesmann & Gerstner 2008, Fig. 7,
// doi:10.1007/s00422-008-0233-1.
const (
	pairEq   = "Morrison, Diesmann & Gerstner 2008"
	pairCite = "Song, Miller & Abbott 2000, doi:10.1038/78829; Gütig et al. 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003; " +
		"Morrison, Aertsen & Diesmann 2007, doi:10.1162/neco.2007.19.6.1437; Morrison, Diesmann & Gerstner 2008, doi:10.1007/s00422-008-0233-1"
)

var dependences = []string{"bounds", "power_law"}

var pairKeys = keys(slices.Concat([]quantity.Param{
	amplitude("A_plus", "1", 0.005, pairEq, "potentiation at a post spike, in units of w_max (power_law: of w_ref), per unit of the filter of arrivals"),
	amplitude("A_minus", "1", -0.00525, pairEq, "change at an arrival, in units of w_max (power_law: of w), per unit of the filter of post spikes; < 0 depresses"),
	tau("tau_plus", 20, pairEq, "time constant of the filter of arrivals"),
	tau("tau_minus", 20, pairEq, "time constant of the filter of post spikes"),
	choice("dependence", dependences, pairEq, "bounds: (1 − w/w_max)^mu_plus up, (w/w_max)^mu_minus down | power_law: w_ref^(1−mu_plus) w^mu_plus up, w down"),
	real("mu_plus", "1", 0, 0, 10, "Gütig et al. 2003", "exponent of the dependence on the weight, of potentiation; 0: additive, 1: multiplicative"),
	real("mu_minus", "1", 0, 0, 10, "Gütig et al. 2003", "exponent of the dependence on the weight, of depression; with dependence = \"bounds\" only"),
	{Key: "w_ref", Unit: "[w]", Default: 1, Max: 1e9, MinOpen: true, Equation: "Morrison, Aertsen & Diesmann 2007", Doc: "reference weight of the power law"},
	choice("pairing", pairings, pairEq, "which spikes make pairs: every arrival and every post spike | each spike with the last one of the other side | "+
		"each arrival with the last and the next post spike | the same, of immediate neighbours only"),
}, bounds(pairEq)))

func pairLaw(v quantity.Values) law {
	k := pairKeys
	l := law{wMin: k.number(v, "w_min"), wMax: k.number(v, "w_max")}
	l.rates(k.number(v, "tau_plus"), k.number(v, "tau_minus"))
	l.pairing = pairing(slices.Index(pairings, k.word(v, "pairing")))
	up, down := k.number(v, "A_plus"), k.number(v, "A_minus")
	mu := k.number(v, "mu_plus")
	if k.word(v, "dependence") == "power_law" {
		ref := k.number(v, "w_ref")
		l.up2, l.down2 = float64(up*ref), down
		if mu > 0 {
			l.up = dependence{share, mu, 1 / ref}
		}
		l.down = dependence{share, 1, 1}
		return l
	}
	l.up2, l.down2 = float64(up*l.wMax), float64(down*l.wMax)
	if mu > 0 {
		l.up = dependence{room, mu, 1 / l.wMax}
	}
	if mu := k.number(v, "mu_minus"); mu > 0 {
		l.down = dependence{share, mu, 1 / l.wMax}
	}
	return l
}

func checkPair(v quantity.Values, _ bool) (key string, err error) {
	dep, other := pairKeys.word(v, "dependence"), "w_ref"
	if dep == "power_law" {
		other = "mu_minus"
	}
	if _, given := v[other]; given {
		return other, fmt.Errorf("%s has no meaning with dependence = %q", other, dep)
	}
	return pairKeys.checkBounds(v)
}

func init() {
	synapse.Register(synapse.Model{
		Name:     "stdp",
		Doc:      "spike-timing-dependent plasticity by pairs of spikes: additive, multiplicative and between, or a power law; all pairs or nearest ones",
		Cite:     pairCite,
		Params:   pairKeys,
		Check:    checkPair,
		Notes:    func(v quantity.Values) []string { return pairKeys.positive(v, "A_minus") },
		Learning: pairKeys.learning(pairLaw),
	})
}
