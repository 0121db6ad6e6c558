package stdp

import (
	"errors"
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
	"hmn/synapse"
)

// Semantics of dopamine-modulated STDP.
const (
	Exact   = "exact"   // the differential equations
	Nest    = "nest"    // NEST's stdp_dopamine_synapse: n jumps by 1/τ_n, bounds hold at events
	Daspnet = "daspnet" // Izhikevich's program: weights on a grid of 10 ms, traces set
)

// DopamineParams are the constants of stdp_dopamine and mstdpet.
type DopamineParams struct {
	APlus, AMinus     float64 // jump of c at a post spike, at an arrival
	TauPlus, TauMinus float64 // ms
	TauC              float64 // ms; 0 (mstdpet): spikes change the weight at once
	Eta, B            float64
	WMin, WMax        float64
	Set               bool // a spike sets its trace to 1 instead of adding 1
	Semantics         string
	Grid              event.Time // daspnet: weights change at its multiples
	PostLag           event.Time // daspnet: from when a synapse sees a post spike to the step that finds it
}

var dopamineTable, florianTable = makeDopamineTables()

func makeDopamineTables() (dopamine, florian []quantity.Param) {
	inf := math.Inf(1)
	any := func(key, unit string, def float64, eq, doc string) quantity.Param {
		return quantity.Param{Key: key, Unit: unit, Default: def, Min: -inf, Max: inf, Equation: eq, Doc: doc}
	}
	between := func(lo, hi float64, key, unit string, def float64, eq, doc string) quantity.Param {
		return quantity.Param{Key: key, Unit: unit, Default: def, Min: lo, Max: hi, Equation: eq, Doc: doc}
	}
	or := func(text string, p quantity.Param) quantity.Param { p.Derived = text; return p }
	const (
		c, w = "dc/dt = −c/tau_c + A_plus x δ(post) + A_minus y δ(arrival)", "dw/dt = c eta (Σ w_k n_k − b)"
		z, r = "tau_z dz/dt = −z + A_plus x δ(post) + A_minus y δ(arrival)", "dw/dt = gamma z Σ w_k n_k"
	)
	bounds := func(eq string) (least, most quantity.Param) {
		most = between(0, 1e9, "w_max", "[w]", 0, eq, "upper bound of the weight's magnitude")
		most.MinOpen, most.Required = true, true
		return between(0, 1e9, "w_min", "[w]", 0, eq, "lower bound of the weight's magnitude; the sign stays that of the initial weight"), most
	}
	traces := quantity.Param{Key: "trace", Form: quantity.Choice, Choices: []string{"add", "set"}, Equation: c,
		Doc: "a spike adds 1 to its trace, so that all pairs count | sets it to 1: nearest pairs"}

	least, most := bounds(w)
	dopamine = []quantity.Param{
		least, most,
		{Key: "semantics", Form: quantity.Choice, Choices: []string{Exact, Nest, Daspnet}, Equation: w,
			Doc: "exact: the equations, bounds inside of intervals included | nest: as NEST's stdp_dopamine_synapse, n jumps by 1/tau_n and bounds hold at events only | daspnet: as Izhikevich's program, weights change every 10 ms"},
		or("1 (daspnet: 0.1)", any("A_plus", "1", 1, c, "jump of the eligibility at a post spike, times the trace of arrivals")),
		or("−1.05 (daspnet: −0.15)", any("A_minus", "1", -1.05, c, "jump of the eligibility at an arrival, times the trace of post spikes; negative: depression")),
		or("20 ms (daspnet: −1/ln 0.95 ms)", between(1e-3, 1e7, "tau_plus", "ms", 20, c, "trace x of arrivals")),
		or("20 ms (daspnet: −1/ln 0.95 ms)", between(1e-3, 1e7, "tau_minus", "ms", 20, c, "trace y of post spikes")),
		or("add (daspnet: set)", traces),
		or("1000 ms (daspnet: −10/ln 0.99 ms)", between(1e-3, 1e7, "tau_c", "ms", 1000, c, "eligibility")),
		any("eta", "[w]/ms", 1, w, "step: what an eligibility of 1 and a modulator of 1 change the weight by in 1 ms; with semantics daspnet every 10 ms"),
		or("0 (daspnet: −0.002)", any("b", "1", 0, w, "baseline that is taken from the modulators; a negative one is a tonic level")),
		between(0, 1000, "post_lag", "ms", 1, "daspnet.m", "semantics daspnet only: from a post spike, as the synapse sees it, to the step whose program finds it; 1 ms for neurons izhikevich_2003_grid, whose spikes stand at the start of the step in which v reaches 30 mV"),
	}
	traces.Equation = z
	least, most = bounds(r)
	florian = []quantity.Param{
		least, most,
		any("A_plus", "1", 1, z, "jump of tau_z z at a post spike, times the trace of arrivals (P⁺ = A_plus x)"),
		any("A_minus", "1", -1, z, "jump of tau_z z at an arrival, times the trace of post spikes (P⁻ = A_minus y)"),
		between(1e-3, 1e7, "tau_plus", "ms", 20, z, "trace x of arrivals"),
		between(1e-3, 1e7, "tau_minus", "ms", 20, z, "trace y of post spikes"),
		traces,
		between(0, 1e7, "tau_z", "ms", 25, z, "eligibility z, 0 or at least 1e-3 ms; 0 is MSTDP: a pair changes the weight at once, by gamma times the reward of that instant"),
		any("gamma", "[w]", 0.1, r, "learning rate: what a reward of 1 changes the weight by at a pair of 1"),
	}
	return dopamine, florian
}

func init() {
	synapse.Register(synapse.Model{
		Name:     "stdp_dopamine",
		Doc:      "STDP that modulators such as dopamine turn into changes of weight, by way of an eligibility that outlasts the delay of a reward",
		Cite:     "Izhikevich 2007, doi:10.1093/cercor/bhl152; Potjans, Morrison & Diesmann 2010, doi:10.3389/fncom.2010.00141",
		Params:   dopamineTable,
		Learning: dopamineLearning(resolveDopamine),
		Check: func(v quantity.Values, _ bool) (string, error) {
			if _, ok := v["post_lag"]; ok && resolveDopamine(v).Semantics != Daspnet {
				return "post_lag", fmt.Errorf("post_lag is for semantics = %q", Daspnet)
			}
			return checkDopamine(resolveDopamine(v))
		},
		Notes: dopamineNotes,
	})
}

func init() {
	synapse.Register(synapse.Model{
		Name:     "mstdpet",
		Doc:      "STDP modulated by a reward, with an eligibility trace (MSTDPET), or without one (tau_z = 0: MSTDP)",
		Cite:     "Florian 2007, doi:10.1162/neco.2007.19.6.1468",
		Params:   florianTable,
		Learning: dopamineLearning(resolveFlorian),
		Check: func(v quantity.Values, _ bool) (string, error) {
			if x, ok := v["tau_z"]; ok && x.Number > 0 && x.Number < 1e-3 {
				return "tau_z", fmt.Errorf("tau_z = %g ms, want 0 or at least 1e-3 ms", x.Number)
			}
			return checkDopamine(resolveFlorian(v))
		},
		Notes: dopamineNotes,
	})
}

// dopamineLearning is the entry of a rule of this family.
func dopamineLearning(resolve func(quantity.Values) DopamineParams) *synapse.Learning {
	return &synapse.Learning{
		Joins: synapse.Spikes,
		Bounds: func(v quantity.Values, _ bool) (least, most float64) {
			p := resolve(v)
			return p.WMin, p.WMax
		},
		New: func(v quantity.Values, w *synapse.Wiring, d *synapse.Drive) (synapse.Learner, error) {
			return NewDopamine(resolve(v), w, d), nil
		},
		Bytes: func(_ quantity.Values, _, each bool) int {
			if each {
				return 20
			}
			return 16
		},
		Settle: func(v quantity.Values) func(int64) event.Time {
			// A pass costs as much as a visit to every synapse; in between, post
			// spikes and jumps of modulators are kept.
			p := resolve(v)
			every := event.Second
			for every.MS() < 4*p.TauC {
				every += event.Second
			}
			return func(k int64) event.Time { return event.Time(k) * every }
		},
		Modulated: true,
		CheckDrive: func(v quantity.Values, decaying, held int) (string, error) {
			p := resolve(v)
			switch {
			case decaying+held == 0 && p.B == 0:
				return "model", errors.New("no modulator acts on the synapses, so that no weight would ever change: add a [[modulator]]")
			case held > 0 && p.Semantics == Nest:
				return "semantics", fmt.Errorf("semantics = %q with a modulator that is held: its jumps are divided by tau: give every modulator a tau", p.Semantics)
			}
			return "", nil
		},
		Signals: []string{"eligibility"},
	}
}

// resolveDopamine fills in the defaults of stdp_dopamine.
func resolveDopamine(v quantity.Values) DopamineParams {
	num := func(key string, absent float64) float64 { return numberOr(v, key, absent) }
	p := DopamineParams{APlus: 1, AMinus: -1.05, TauPlus: 20, TauMinus: 20, TauC: 1000, Semantics: Exact}
	if x, ok := v["semantics"]; ok {
		p.Semantics = x.Text
	}
	if p.Semantics == Daspnet {
		p.APlus, p.AMinus = 0.1, -0.15
		p.TauPlus = decayTime(0.95, 1)
		p.TauMinus = p.TauPlus
		p.TauC = decayTime(0.99, 10)
		p.B, p.Set = -0.002, true
		p.Grid = 10 * event.Millisecond
	}
	p.WMin, p.WMax = num("w_min", 0), num("w_max", 0)
	p.APlus, p.AMinus = num("A_plus", p.APlus), num("A_minus", p.AMinus)
	p.TauPlus, p.TauMinus, p.TauC = num("tau_plus", p.TauPlus), num("tau_minus", p.TauMinus), num("tau_c", p.TauC)
	p.Eta, p.B = num("eta", 1), num("b", p.B)
	p.PostLag, _, _ = event.FromMS(num("post_lag", 1))
	if x, ok := v["trace"]; ok {
		p.Set = x.Text == "set"
	}
	return p
}

// resolveFlorian fills in the defaults of mstdpet: stdp_dopamine with jumps of
// A/τ_z.
func resolveFlorian(v quantity.Values) DopamineParams {
	p := DopamineParams{Semantics: Exact, WMin: numberOr(v, "w_min", 0), WMax: numberOr(v, "w_max", 0), Eta: numberOr(v, "gamma", 0.1),
		APlus: numberOr(v, "A_plus", 1), AMinus: numberOr(v, "A_minus", -1), TauPlus: numberOr(v, "tau_plus", 20), TauMinus: numberOr(v, "tau_minus", 20),
		TauC: numberOr(v, "tau_z", 25), Set: v["trace"].Text == "set"}
	if p.TauC > 0 {
		p.APlus /= p.TauC
		p.AMinus /= p.TauC
	}
	return p
}

func numberOr(v quantity.Values, key string, absent float64) float64 {
	if x, ok := v[key]; ok {
		return x.Number
	}
	return absent
}

// decayTime is the time constant of what is multiplied by f every so many ms.
func decayTime(f, ms float64) float64 { return -ms / fmath.Log(f) }

// checkDopamine refuses combinations.
func checkDopamine(p DopamineParams) (key string, err error) {
	if !(p.WMin <= p.WMax) {
		return "w_min", fmt.Errorf("w_min = %g, want at most w_max = %g", p.WMin, p.WMax)
	}
	return "", nil
}

// dopamineNotes remarks on what is rarely meant. Both amplitudes of the other sign are
// the rule for synapses whose magnitude is to fall with causal pairs: inhibitory ones.
func dopamineNotes(v quantity.Values) []string {
	up, down := numberOr(v, "A_plus", 1), numberOr(v, "A_minus", -1)
	if down > 0 && up > 0 {
		return []string{fmt.Sprintf("A_minus = %g is positive: an arrival after a post spike makes the synapse eligible for growth; depression has a negative sign here", down)}
	}
	return nil
}
