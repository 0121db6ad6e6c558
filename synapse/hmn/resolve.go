package hmn

import (
	"fmt"
	"math"
	"slices"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
)

// Name is the rule's name in the table of synapse models.
const Name = "hmn"

func init() {
	synapse.Register(synapse.Model{
		Name: Name,
		Doc: "hybrid local–global modulated plasticity: fast and slow eligibility traces, local and global drift, " +
			"a phase-locked gate, probabilistic application, modulators, local and global attention",
		Params: Table(),
		Check:  Check,
		Learning: &synapse.Learning{
			Joins: synapse.Spikes | synapse.Rates,
			Bounds: func(v quantity.Values, rates bool) (least, most float64) {
				p := resolve(v, rates)
				return p.WMin, p.WMax
			},
			New: func(v quantity.Values, w *synapse.Wiring, d *synapse.Drive) (synapse.Learner, error) {
				p, err := Resolve(v, false)
				if err != nil {
					return nil, err
				}
				return NewSpikes(p, *w, d), nil
			},
			NewRates: func(v quantity.Values, w *synapse.Wiring, d *synapse.Drive) (synapse.RateLearner, error) {
				p, err := Resolve(v, true)
				if err != nil {
					return nil, err
				}
				return NewRates(p, *w, d), nil
			},
			Bytes: stateBytes,
			Settle: func(v quantity.Values) func(int64) event.Time {
				p := resolve(v, false)
				c := NewCycle(&p)
				return func(k int64) event.Time { return c.Cycles(k * int64(p.SettleCycles)) }
			},
			Modulated: true,
			Signals:   []string{Eligibility, EligibilityFast, EligibilitySlow, Gate, Alpha},
			Log:       true,
		},
	})
}

// Resolve fills in the defaults of a projection's parameters and turns words
// into fields. rates says that the projection lies between rate units or level
// sources, not between spiking populations: some defaults differ. What Check
// refuses is refused here, too.
func Resolve(v quantity.Values, rates bool) (Params, error) {
	if _, err := Check(v, rates); err != nil {
		return Params{}, err
	}
	return resolve(v, rates), nil
}

// given reads parameters with the defaults of the table.
type given quantity.Values

func (g given) param(key string) quantity.Param {
	p, ok := quantity.Find(table, key)
	if !ok {
		panic("hmn: no parameter " + key) // a bug of this package
	}
	return p
}

func (g given) has(key string) bool { _, ok := g[key]; return ok }

// number is the given number, or absent when there is none.
func (g given) number(key string, absent float64) float64 {
	if v, ok := g[key]; ok {
		return v.Number
	}
	return absent
}

func (g given) num(key string) float64 { return g.number(key, g.param(key).Default) }

func (g given) whole(key string) int { return int(g.num(key)) }

func (g given) flag(key string) bool {
	if v, ok := g[key]; ok {
		return v.Bool
	}
	return g.param(key).Default != 0
}

func (g given) word(key string) string {
	if v, ok := g[key]; ok {
		return v.Text
	}
	if p := g.param(key); p.Form == quantity.Choice {
		return p.Choices[0]
	}
	return ""
}

// Defaults that depend on w_max and on what the projection joins.
const (
	etaLocalPerWMax       = 5e-6   // 1/ms, spikes
	etaGlobalPerWMax      = 2.5e-3 // 1/ms, spikes
	etaGlobalPerWMaxRates = 3e-5   // 1/ms², rates
	betaPTimesWMax        = 2000
	thetaPPerWMax         = 0.002
	rRefSpikes            = 10 // Hz
	rRefRates             = 1
	uniformBins           = 16
	// piWithin is how near to π a gate gain must be to count as π: a file
	// gives it with as many digits as its author cared to write.
	piWithin = 1e-6
)

// resolve fills in the defaults of values that have been checked one by one.
func resolve(v quantity.Values, rates bool) Params {
	g := given(v)
	p := Params{
		Rates: rates,
		WMin:  g.num("w_min"), WMax: g.num("w_max"),
		AFast: g.num("a_fast"), ASlow: g.num("a_slow"),
		TauFast: g.num("tau_fast"), TauSlow: g.num("tau_slow"),
		TauPlus: g.num("tau_plus"), TauMinus: g.num("tau_minus"),
		APlus: g.num("A_plus"), AMinus: g.num("A_minus"),
		Nearest:    g.flag("nearest"),
		Overwrite:  g.word("trace") == "overwrite",
		CenterPost: g.word("center") == "post",
		TauZbar:    g.num("tau_zbar"),
		Gate:       g.flag("gate"),
		OscHz:      g.num("osc_hz"), OscPhase: g.num("osc_phase"),
		GateGain:     g.num("gate_gain"),
		Phase:        g.num("phase"),
		PhaseUniform: g.word("phase") == "uniform",
		EtaPerStep:   g.flag("eta_per_step"),
		Bernoulli:    g.flag("bernoulli"),
		Soft:         g.word("bounds") == "soft", Mu: g.num("mu"),
		LambdaW: g.num("lambda_w"), EtaPhi: g.num("eta_phi"),
		BetaA: g.num("beta_a"), FanIn: g.word("alpha_gain") == "fan_in",
		EmbedDim: g.whole("embed_dim"), Embedding: g.word("embedding"), EtaH: g.num("eta_h"),
		TauCtx: g.num("tau_ctx"),
		Dot:    g.word("similarity") == "dot", AlphaCycle: g.word("alpha_hold") == "cycle",
		Group: g.word("group"),
		BetaG: g.num("beta_g"), Relevance: g.word("relevance"), GammaK: g.word("gamma_gain") == "K",
		TauC:    g.num("tau_C"),
		WReward: g.num("w_reward"), WUncertainty: g.num("w_uncertainty"), WNovelty: g.num("w_novelty"),
		SettleCycles: g.whole("settle_cycles"),
	}
	switch g.word("update") {
	case "continuous":
		p.Update = Continuous
	case "step":
		p.Update = Step
	}
	if g.word("gate_gain") == "pi" || math.Abs(p.GateGain-math.Pi) <= piWithin {
		p.GateGain = math.Pi
	}
	local, global, rRef := etaLocalPerWMax, etaGlobalPerWMax, float64(rRefSpikes)
	if rates {
		local, global, rRef = 0, etaGlobalPerWMaxRates, rRefRates
	}
	p.EtaLocal = g.number("eta_local", float64(local*p.WMax))
	p.EtaGlobal = g.number("eta_global", float64(global*p.WMax))
	p.BetaP = g.number("beta_p", betaPTimesWMax/p.WMax)
	p.ThetaP = g.number("theta_p", float64(thetaPPerWMax*p.WMax))
	p.RRef = g.number("r_ref", rRef)
	if g.has("phase_bins") {
		p.PhaseBins = g.whole("phase_bins")
	} else if p.PhaseUniform && p.EtaPhi == 0 {
		p.PhaseBins = uniformBins
	}
	return p
}

// ofSpikes and ofRates are the keys that mean something on one side only.
var (
	ofSpikes = []string{"A_plus", "A_minus", "tau_plus", "tau_minus", "nearest", "eta_phi"}
	ofRates  = []string{"tau_zbar"}
)

// largest is the size of the largest factors of an update, none counted below 1:
// sums of updates overflow long after it does.
func (p *Params) largest() float64 {
	x := max(1, math.Abs(p.APlus), math.Abs(p.AMinus))
	x = float64(x * max(1, p.AFast, p.ASlow))
	x = float64(x * max(1, p.EtaLocal, p.EtaGlobal))
	return float64(x * max(1, p.TauSlow))
}

// Check refuses parameters outside their ranges and combinations that make no
// sense, and names the key at fault; rates as for Resolve. What needs the engine
// or the modulators of a model is checked by package network.
func Check(v quantity.Values, rates bool) (key string, err error) {
	if key, err := quantity.CheckAll("synapse model "+Name, table, v); err != nil {
		return key, err
	}
	g := given(v)
	p := resolve(v, rates)
	switch {
	case p.WMin > p.WMax:
		return "w_min", fmt.Errorf("w_min = %g, want at most w_max = %g", p.WMin, p.WMax)
	case p.TauFast > p.TauSlow:
		key := "tau_fast"
		if !g.has(key) {
			key = "tau_slow"
		}
		return key, fmt.Errorf("tau_fast = %g ms is more than tau_slow = %g ms, want tau_fast ≤ tau_slow", p.TauFast, p.TauSlow)
	case p.GateGain != 1 && p.GateGain != math.Pi:
		return "gate_gain", fmt.Errorf("gate_gain = %g, want pi (a mean gate of 1) or 1", p.GateGain)
	case p.Update == Continuous && p.Bernoulli:
		return "update", fmt.Errorf(`update = "continuous" changes the weight at every instant and leaves no moment for a trial: set bernoulli = false as well`)
	case p.Update == Continuous && p.Soft:
		return "bounds", fmt.Errorf(`bounds = "soft" does not go with update = "continuous": the weight has no closed form then; want bounds = "hard"`)
	case p.Update == Continuous && p.LambdaW > 0:
		return "lambda_w", fmt.Errorf(`lambda_w = %g is a decay between commits, and update = "continuous" has none: want lambda_w = 0`, p.LambdaW)
	case p.Update == Continuous && p.EtaPhi > 0:
		return "eta_phi", fmt.Errorf(`eta_phi = %g moves phases from window to window, and update = "continuous" has none: want eta_phi = 0`, p.EtaPhi)
	case p.Nearest && p.Embedding == "oja" && (p.BetaA > 0 || p.Relevance == "vector"):
		return "nearest", fmt.Errorf(`nearest = true does not go with embedding = "oja": the context counts every arrival, the filter only the last one; want embedding = "random_unit" or "given"`)
	case p.EtaPerStep && p.Update != Step:
		return "eta_per_step", fmt.Errorf(`eta_per_step = true needs update = "step": other modes have no steps`)
	case p.Dot && !p.AlphaCycle:
		return "similarity", fmt.Errorf(`similarity = "dot" changes while the context decays, so that α cannot be held between post spikes: set alpha_hold = "cycle" as well`)
	case p.EtaPhi > 0 && p.PhaseBins > 0:
		return "eta_phi", fmt.Errorf("eta_phi = %g moves every phase by itself, but phase_bins = %d keeps phases on a grid: want phase_bins = 0", p.EtaPhi, p.PhaseBins)
	case !(p.largest() <= 1e100):
		keys := []string{"A_plus", "A_minus", "a_fast", "a_slow", "eta_local", "eta_global", "tau_slow"}
		k := max(0, slices.IndexFunc(keys, g.has))
		return keys[k], fmt.Errorf("the larger of A_plus and A_minus times that of a_fast and a_slow, times that of the learning rates, times tau_slow is over 1e100: updates would not be finite; want a smaller %s", keys[k])
	case rates && p.Overwrite:
		return "trace", fmt.Errorf(`trace = "overwrite" is for coincidences of spikes: between rate units, which are active all the time, it would leave a trace without memory; want trace = "ode"`)
	case !rates && p.CenterPost:
		return "center", fmt.Errorf(`center = "post" is for rate units: a spike has no mean to subtract; want center = "none"`)
	}
	wrong, kind := ofRates, "spiking populations"
	if rates {
		wrong, kind = ofSpikes, "rate units"
	}
	for _, k := range wrong {
		if g.has(k) {
			return k, fmt.Errorf("%s has no meaning between %s", k, kind)
		}
	}
	return "", nil
}

// A Preset is a named set of parameters.
type Preset struct {
	Name string
	Doc  string
	Cite string // where it comes from
	// Values are what differs from the defaults of Table.
	Values quantity.Values
	// perWMax are the parameters that follow w_max: their ratio to it.
	perWMax map[string]float64
	// MetaAlpha is the learning rate of meta-learning, alpha_local and
	// alpha_global of [meta], that goes with the preset; 0: off.
	MetaAlpha float64
}

// OfWMax is the ratio to w_max of a parameter that follows it, and whether it does.
func (p Preset) OfWMax(key string) (ratio float64, follows bool) {
	ratio, follows = p.perWMax[key]
	return ratio, follows
}

// With is the preset's values with those of over in their place, as a new map.
// Parameters that the preset gives as a multiple of w_max follow the w_max of over.
func (p Preset) With(over quantity.Values) quantity.Values {
	out := quantity.Values{}
	for k, v := range p.Values {
		out[k] = v
	}
	for k, v := range over {
		out[k] = v
	}
	for k, ratio := range p.perWMax {
		if _, ok := over[k]; !ok {
			out[k] = quantity.Value{Number: float64(ratio * out["w_max"].Number)}
		}
	}
	return out
}

// Presets lists the presets. The maps are new at every call.
func Presets() []Preset {
	number := func(x float64) quantity.Value { return quantity.Value{Number: x} }
	word := func(s string) quantity.Value { return quantity.Value{Text: s} }
	off, on := quantity.Value{}, quantity.Value{Bool: true}
	list := []Preset{
		{
			Name: "hmn-core",
			Doc:  "the defaults: both traces, gate, probabilistic application; attention and meta-learning off",
		},
		{
			Name: "hmn-full",
			Doc:  "every component of the paper: core with local and global attention, uncertainty and novelty, meta-learning",
			Values: quantity.Values{
				"beta_a": number(1), "beta_g": number(1),
				"w_uncertainty": number(0.2), "w_novelty": number(0.2),
			},
			MetaAlpha: 0.05,
		},
		{
			Name: "hmn-literal",
			Doc:  "the paper's pseudocode word for word, for the clocked engine and spikes; it is known not to learn",
			Cite: "HMN paper, section 10.3",
			Values: quantity.Values{
				"update": word("step"), "eta_per_step": on,
				"trace": word("overwrite"), "A_minus": number(1),
				"gate_gain": number(1), "alpha_gain": word("none"), "gamma_gain": word("none"),
				"relevance": word("dot"), "beta_a": number(1), "beta_g": number(1),
			},
		},
		{
			Name: "r-stdp",
			Doc:  "reward-modulated STDP: one slow trace, the weight follows its drift at every instant; no gate, no trials, no attention",
			Cite: "Izhikevich 2007, Cerebral Cortex 17:2443–2452, doi:10.1093/cercor/bhl152, and its program daspnet",
			Values: quantity.Values{
				"w_max": number(4), "a_fast": number(0), "tau_slow": number(1000),
				"A_plus": number(0.1), "A_minus": number(-0.15), "tau_plus": number(20), "tau_minus": number(20),
				"gate": off, "bernoulli": off, "update": word("continuous"),
			},
			perWMax: map[string]float64{"eta_local": 5e-5, "eta_global": 0.025},
		},
	}
	for i := range list {
		list[i].Values = list[i].With(nil)
	}
	return list
}

// FindPreset finds a preset by name.
func FindPreset(name string) (Preset, bool) {
	for _, p := range Presets() {
		if p.Name == name {
			return p, true
		}
	}
	return Preset{}, false
}

// PresetNames lists the presets' names, hmn-core first.
func PresetNames() (names []string) {
	for _, p := range Presets() {
		names = append(names, p.Name)
	}
	return names
}

// Signal is one of the three modulating signals of the paper.
type Signal uint8

// Signals of the paper.
const (
	OtherSignal Signal = iota
	RewardSignal
	UncertaintySignal
	NoveltySignal
)

// Time constants of the signals that give none themselves [ms]; uncertainty is held.
const (
	TauReward  = 200
	TauNovelty = 500
)

// SignalOf tells which signal a modulator is, by what computes it and else by
// its name.
func SignalOf(name, builtin string) Signal {
	if builtin != "" {
		name = builtin
	}
	switch name {
	case "reward", "centred_reward":
		return RewardSignal
	case "uncertainty":
		return UncertaintySignal
	case "novelty":
		return NoveltySignal
	}
	return OtherSignal
}
