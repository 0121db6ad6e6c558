package stdp

import (
	"fmt"
	"slices"

	"hmn/event/quantity"
	"hmn/synapse"
)

// Triplet STDP (Pfister & Gerstner 2006, doi:10.1523/JNEUROSCI.1425-06.2006, Eqs.
// 3 and 4). With r_1, r_2 filters of arrivals with tau_plus and tau_x, o_1, o_2 of
// post spikes with tau_minus and tau_y, the second ones read right before the spike,
//
//	Δw = w_max r_1 (A2_plus + A3_plus o_2)      at a post spike
//	Δw = w_max o_1 (A2_minus + A3_minus r_2)    at an arrival
//
// A2_minus and A3_minus are signed here, negative for depression; the paper writes
// them without their sign.
const (
	tripletEq   = "Pfister & Gerstner 2006"
	tripletCite = "Pfister & Gerstner 2006, J. Neurosci. 26:9673–9682, doi:10.1523/JNEUROSCI.1425-06.2006"
)

// fit is one fit of the paper: tables 3 (visual cortex) and 4 (hippocampal culture).
type fit struct {
	a2Plus, a3Plus, a2Minus, a3Minus float64
	tauX, tauY                       float64 // 0: without effect in this fit
}

const (
	fitTauPlus  = 16.8 // ms, of all fits
	fitTauMinus = 33.7
)

var (
	sets           = []string{"visual_cortex", "visual_cortex_minimal", "hippocampus", "hippocampus_minimal"}
	tripletPairing = []string{"all_to_all", "nearest"}
	// fits by pairing and set. Where a fit has no tau_x, r_2 has no effect, and the
	// number of the full fit stands.
	fits = [2][4]fit{{
		{5e-10, 6.2e-3, -7e-3, -2.3e-4, 101, 125},
		{0, 6.5e-3, -7.1e-3, 0, 101, 114},
		{6.1e-3, 6.7e-3, -1.6e-3, -1.4e-3, 946, 27},
		{5.3e-3, 8e-3, -3.5e-3, 0, 946, 40},
	}, {
		{8.8e-11, 5.3e-2, -6.6e-3, -3.1e-3, 714, 40},
		{0, 5e-2, -8e-3, 0, 714, 40},
		{4.6e-3, 9.1e-3, -3e-3, -7.5e-9, 575, 47},
		{4.6e-3, 9.1e-3, -3e-3, 0, 575, 48},
	}}
)

var tripletKeys = makeTripletKeys()

func makeTripletKeys() keys {
	of := func(p quantity.Param) quantity.Param { p.Derived, p.Default = "by set and pairing", 0; return p }
	return slices.Concat([]quantity.Param{
		choice("set", sets, tripletEq, "the fit whose numbers stand for those that are not given: full or minimal, to data of visual cortex or of hippocampal culture"),
		choice("pairing", tripletPairing, tripletEq, "filters are raised by 1 at a spike | set to 1"),
		of(amplitude("A2_plus", "1", 0, tripletEq, "potentiation by pairs, in units of w_max")),
		of(amplitude("A3_plus", "1", 0, tripletEq, "potentiation by triplets of one arrival and two post spikes, in units of w_max")),
		of(amplitude("A2_minus", "1", 0, tripletEq, "change by pairs at an arrival, in units of w_max; < 0 depresses")),
		of(amplitude("A3_minus", "1", 0, tripletEq, "change by triplets of two arrivals and one post spike, in units of w_max; < 0 depresses")),
		tau("tau_plus", fitTauPlus, tripletEq, "time constant of r_1, the filter of arrivals"),
		tau("tau_minus", fitTauMinus, tripletEq, "time constant of o_1, the filter of post spikes"),
		of(tau("tau_x", 0, tripletEq, "time constant of r_2, the slower filter of arrivals")),
		of(tau("tau_y", 0, tripletEq, "time constant of o_2, the slower filter of post spikes")),
	}, bounds(tripletEq))
}

func tripletLaw(v quantity.Values) law {
	k := tripletKeys
	nearest := slices.Index(tripletPairing, k.word(v, "pairing"))
	f := fits[nearest][slices.Index(sets, k.word(v, "set"))]
	or := func(key string, x float64) float64 {
		if g, ok := v[key]; ok {
			return g.Number
		}
		return x
	}
	l := law{wMin: k.number(v, "w_min"), wMax: k.number(v, "w_max")}
	l.rates(k.number(v, "tau_plus"), k.number(v, "tau_minus"))
	l.rX, l.rY = 1/or("tau_x", f.tauX), 1/or("tau_y", f.tauY)
	l.up2, l.up3 = float64(l.wMax*or("A2_plus", f.a2Plus)), float64(l.wMax*or("A3_plus", f.a3Plus))
	l.down2, l.down3 = float64(l.wMax*or("A2_minus", f.a2Minus)), float64(l.wMax*or("A3_minus", f.a3Minus))
	if nearest == 1 {
		l.pairing = symmetric
	}
	return l
}

func init() {
	synapse.Register(synapse.Model{
		Name:   "stdp_triplet",
		Doc:    "spike-timing-dependent plasticity by pairs and triplets of spikes, with the published fits to visual cortex and hippocampal culture",
		Cite:   tripletCite,
		Params: tripletKeys,
		Check:  func(v quantity.Values, _ bool) (string, error) { return tripletKeys.checkBounds(v) },
		Notes: func(v quantity.Values) (notes []string) {
			for _, key := range []string{"A2_minus", "A3_minus"} {
				if x := v[key].Number; x > 0 {
					notes = append(notes, fmt.Sprintf("%s = %g is positive: post before pre potentiates, too; depression has a negative one (the paper writes it without sign)", key, x))
				}
			}
			return notes
		},
		Learning: tripletKeys.learning(tripletLaw),
	})
}
