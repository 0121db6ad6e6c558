package stdp_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// The reference: all pairs and triplets of spikes as they reach the synapse, one
// by one, with package math. It keeps no filter and knows no order but that of time.

// ln is the exponential of −(b − a)/τ.
func fade(a, b event.Time, tau float64) float64 { return math.Exp(-float64(b-a) / 1e9 / tau) }

// moment is the change that one spike asks for, before the dependence on the weight.
type moment struct {
	at     event.Time
	up     bool
	change float64
	parts  float64 // Σ|contributions|
}

// pairSum is what each spike contributes under pair STDP; pre and post are times
// at the synapse.
func pairSum(pre, post []event.Time, pairing string, aPlus, aMinus, tauPlus, tauMinus float64) []moment {
	var out []moment
	between := func(list []event.Time, a, b event.Time) bool { // strictly
		k, _ := slices.BinarySearch(list, a+1)
		return k < len(list) && list[k] < b
	}
	for _, q := range post {
		m := moment{at: q, up: true}
		for _, p := range pre {
			if p >= q {
				continue
			}
			switch pairing {
			case "nearest_symmetric":
				if between(pre, p, q) {
					continue
				}
			case "nearest_presynaptic":
				if between(post, p, q) {
					continue
				}
			case "nearest_reduced":
				if between(post, p, q) || between(pre, p, q) {
					continue
				}
			}
			m.change += aPlus * fade(p, q, tauPlus)
		}
		m.parts = math.Abs(m.change)
		out = append(out, m)
	}
	for _, p := range pre {
		m := moment{at: p}
		for _, q := range post {
			if q >= p || pairing != "all_to_all" && between(post, q, p) || pairing == "nearest_reduced" && between(pre, q, p) {
				continue
			}
			m.change += aMinus * fade(q, p, tauMinus)
		}
		m.parts = math.Abs(m.change)
		out = append(out, m)
	}
	return out
}

// tripletSum is the same under the triplet rule.
func tripletSum(pre, post []event.Time, nearest bool, c map[string]float64) []moment {
	filter := func(list []event.Time, t event.Time, tau float64) float64 {
		x := 0.0
		for k, s := range list {
			if s < t && (!nearest || k+1 == len(list) || list[k+1] >= t) {
				x += fade(s, t, tau)
			}
		}
		return x
	}
	var out []moment
	for _, q := range post {
		r1, o2 := filter(pre, q, c["tau_plus"]), filter(post, q, c["tau_y"])
		x := r1 * (c["A2_plus"] + c["A3_plus"]*o2)
		out = append(out, moment{q, true, x, math.Abs(x)})
	}
	for _, p := range pre {
		o1, r2 := filter(post, p, c["tau_minus"]), filter(pre, p, c["tau_x"])
		x := o1 * (c["A2_minus"] + c["A3_minus"]*r2)
		out = append(out, moment{p, false, x, math.Abs(x)})
	}
	return out
}

// total is the weight after all changes, without bounds, and Σ|contributions|.
func total(w float64, all []moment) (sum, parts float64) {
	s := new(big.Float).SetPrec(200).SetFloat64(w)
	for _, m := range all {
		s.Add(s, new(big.Float).SetFloat64(m.change))
		parts += m.parts
	}
	sum, _ = s.Float64()
	return sum, parts
}

func shift(list []event.Time, by event.Time) []event.Time {
	out := make([]event.Time, len(list))
	for i, t := range list {
		out[i] = t + by
	}
	return out
}

// delays of the random trains: axonal, dendritic.
var sides = [][2]event.Time{{0, 0}, {ms, 0}, {0, ms}, {7 * ms / 10, 23 * ms / 10}}

// TestAllPairs: random trains of 10⁴ spikes against the sum over all pairs, to
// 1e-12 of Σ|contributions|. There are no bounds in reach.
func TestAllPairs(t *testing.T) {
	n := 10000
	if testing.Short() {
		n = 2000
	}
	const aPlus, aMinus = 5e-4, -4.5e-4
	for k, pairing := range []string{"all_to_all", "nearest_symmetric", "nearest_presynaptic", "nearest_reduced"} {
		side := sides[k]
		rng := rand.New(rand.NewPCG(1, uint64(k)))
		pre, post := poisson(rng, n/2, 12, 0), poisson(rng, n/2, 11, 0)
		end := max(pre[len(pre)-1], post[len(post)-1]) + event.Second
		end -= end % ms
		p := &play{w: pair(500, side[0], side[1]), pre: [][]event.Time{pre}, post: [][]event.Time{post}, window: ms, end: end}
		l := learner(t, "stdp", quantity.Values{"A_plus": num(aPlus), "A_minus": num(aMinus), "tau_plus": num(17), "tau_minus": num(34),
			"w_max": num(1000), "pairing": word(pairing)}, p.w)
		got := p.final(l)
		want, parts := total(500, pairSum(shift(pre, side[0]), shift(post, side[1]), pairing, 1000*aPlus, 1000*aMinus, 17, 34))
		if d := math.Abs(got - want); !(d <= 1e-12*parts) || parts == 0 {
			t.Errorf("%s, delays %v: weight %.17g, sum over all pairs %.17g: off by %.2g of Σ|contributions|", pairing, side, got, want, d/parts)
		}
	}
}

// TestAllTriplets: the same for the triplet rule, every published fit.
func TestAllTriplets(t *testing.T) {
	// Tables 3 and 4 of Pfister & Gerstner 2006; signs of ours.
	fits := map[string]map[string]float64{
		"visual_cortex":                 {"A2_plus": 5e-10, "A3_plus": 6.2e-3, "A2_minus": -7e-3, "A3_minus": -2.3e-4, "tau_x": 101, "tau_y": 125},
		"visual_cortex_minimal":         {"A3_plus": 6.5e-3, "A2_minus": -7.1e-3, "tau_x": 1, "tau_y": 114},
		"hippocampus":                   {"A2_plus": 6.1e-3, "A3_plus": 6.7e-3, "A2_minus": -1.6e-3, "A3_minus": -1.4e-3, "tau_x": 946, "tau_y": 27},
		"hippocampus_minimal":           {"A2_plus": 5.3e-3, "A3_plus": 8e-3, "A2_minus": -3.5e-3, "tau_x": 1, "tau_y": 40},
		"visual_cortex nearest":         {"A2_plus": 8.8e-11, "A3_plus": 5.3e-2, "A2_minus": -6.6e-3, "A3_minus": -3.1e-3, "tau_x": 714, "tau_y": 40},
		"visual_cortex_minimal nearest": {"A3_plus": 5e-2, "A2_minus": -8e-3, "tau_x": 1, "tau_y": 40},
		"hippocampus nearest":           {"A2_plus": 4.6e-3, "A3_plus": 9.1e-3, "A2_minus": -3e-3, "A3_minus": -7.5e-9, "tau_x": 575, "tau_y": 47},
		"hippocampus_minimal nearest":   {"A2_plus": 4.6e-3, "A3_plus": 9.1e-3, "A2_minus": -3e-3, "tau_x": 1, "tau_y": 48},
	}
	const n = 120 // with more the weight would meet a bound
	for k, set := range []string{"visual_cortex", "visual_cortex_minimal", "hippocampus", "hippocampus_minimal"} {
		for _, nearest := range []bool{false, true} {
			name, pairing := set, "all_to_all"
			if nearest {
				name, pairing = set+" nearest", "nearest"
			}
			c := fits[name]
			c["tau_plus"], c["tau_minus"] = 16.8, 33.7
			side := sides[k]
			for key := range c {
				if key[0] == 'A' {
					c[key] *= 1000
				}
			}
			for seed := range uint64(20) {
				rng := rand.New(rand.NewPCG(seed, uint64(k)))
				pre, post := poisson(rng, n, 8, 0), poisson(rng, n, 8, 0)
				end := max(pre[n-1], post[n-1]) + event.Second
				end -= end % ms
				p := &play{w: pair(500, side[0], side[1]), pre: [][]event.Time{pre}, post: [][]event.Time{post}, window: ms, end: end}
				l := learner(t, "stdp_triplet", quantity.Values{"set": word(set), "pairing": word(pairing), "w_max": num(1000)}, p.w)
				got := p.final(l)
				want, parts := total(500, tripletSum(shift(pre, side[0]), shift(post, side[1]), nearest, c))
				if d := math.Abs(got - want); !(d <= 1e-12*parts) || parts == 0 {
					t.Errorf("%s, seed %d: weight %.17g, sum over all triplets %.17g: off by %.2g of Σ|contributions|", name, seed, got, want, d/parts)
				}
			}
		}
	}
}
