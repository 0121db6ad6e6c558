package hmn

import (
	"math"
	"strings"
	"testing"

	"hmn/event/quantity"
)

func num(x float64) quantity.Value { return quantity.Value{Number: x} }
func text(s string) quantity.Value { return quantity.Value{Text: s} }
func truth(b bool) quantity.Value  { return quantity.Value{Bool: b} }
func with(v quantity.Values, more quantity.Values) quantity.Values {
	return Preset{Values: v}.With(more)
}

// coreAt is what the specification of the rule (docs/learning.md, presets in
// specification E.8) gives for w_max = 2: eta_local 5e-6·w_max, eta_global
// 2.5e-3·w_max, beta_p 2000/w_max, theta_p 0.002·w_max.
func coreAt2() Params {
	return Params{
		WMin: 0, WMax: 2,
		AFast: 1, ASlow: 1, TauFast: 50, TauSlow: 1000,
		TauPlus: 20, TauMinus: 20, APlus: 1, AMinus: -1.5,
		TauZbar:  1000,
		EtaLocal: 1e-5, EtaGlobal: 5e-3,
		Gate: true, OscHz: 8, GateGain: math.Pi,
		Update: Window, Bernoulli: true, BetaP: 1000, ThetaP: 0.004, Mu: 1,
		FanIn: true, EmbedDim: 8, Embedding: "random_unit", EtaH: 1e-3, TauCtx: 20000,
		Relevance: "abs", GammaK: true, TauC: 1000, RRef: 10,
		WReward: 1, SettleCycles: 64,
	}
}

func TestResolveDefaults(t *testing.T) {
	got, err := Resolve(quantity.Values{"w_max": num(2)}, false)
	if want := coreAt2(); err != nil || got != want {
		t.Errorf("spikes: error %v, got\n%+v, want\n%+v", err, got, want)
	}
	got, err = Resolve(quantity.Values{"w_max": num(2)}, true)
	want := coreAt2()
	want.Rates, want.EtaLocal, want.EtaGlobal, want.RRef = true, 0, 6e-5, 1
	if err != nil || got != want {
		t.Errorf("rates: error %v, got\n%+v, want\n%+v", err, got, want)
	}
}

func TestPresets(t *testing.T) {
	full, literal := coreAt2(), coreAt2()
	full.BetaA, full.BetaG, full.WUncertainty, full.WNovelty = 1, 1, 0.2, 0.2
	literal.Update, literal.EtaPerStep, literal.Overwrite, literal.AMinus = Step, true, true, 1
	literal.GateGain, literal.FanIn, literal.GammaK, literal.Relevance = 1, false, false, "dot"
	literal.BetaA, literal.BetaG = 1, 1
	// docs/learning.md, with numbers at w_max = 4 as there.
	stdp := coreAt2()
	stdp.WMax, stdp.AFast, stdp.APlus, stdp.AMinus = 4, 0, 0.1, -0.15
	stdp.EtaLocal, stdp.EtaGlobal = 2e-4, 0.1
	stdp.BetaP, stdp.ThetaP = 500, 0.008
	stdp.Gate, stdp.Bernoulli, stdp.Update = false, false, Continuous
	for _, c := range []struct {
		name string
		more quantity.Values
		want Params
	}{
		{"hmn-core", quantity.Values{"w_max": num(2)}, coreAt2()},
		{"hmn-full", quantity.Values{"w_max": num(2)}, full},
		{"hmn-literal", quantity.Values{"w_max": num(2)}, literal},
		{"r-stdp", nil, stdp},
	} {
		p, ok := FindPreset(c.name)
		if !ok {
			t.Errorf("no preset %s", c.name)
			continue
		}
		got, err := Resolve(p.With(c.more), false)
		if err != nil || got != c.want {
			t.Errorf("%s: error %v, got\n%+v, want\n%+v", c.name, err, got, c.want)
		}
	}
	// Its learning rates follow w_max, unless they are given.
	p, _ := FindPreset("r-stdp")
	got, err := Resolve(p.With(quantity.Values{"w_max": num(1), "eta_global": num(0.5)}), false)
	if err != nil || got.EtaLocal != 5e-5 || got.EtaGlobal != 0.5 {
		t.Errorf("r-stdp at w_max = 1: error %v, eta_local %g, eta_global %g", err, got.EtaLocal, got.EtaGlobal)
	}
	if full, _ := FindPreset("hmn-full"); full.MetaAlpha != 0.05 {
		t.Errorf("hmn-full: alpha of meta-learning %g, want 0.05", full.MetaAlpha)
	}
	if _, ok := FindPreset("hmn"); ok {
		t.Error("found a preset that is not there")
	}
	if names := strings.Join(PresetNames(), " "); names != "hmn-core hmn-full hmn-literal r-stdp" {
		t.Errorf("presets %s", names)
	}
}

func TestResolveWords(t *testing.T) {
	uniform := quantity.Values{"w_max": num(1), "phase": text("uniform")}
	for _, c := range []struct {
		what string
		v    quantity.Values
		ok   func(Params) bool
	}{
		{"pi", quantity.Values{"gate_gain": text("pi")}, func(p Params) bool { return p.GateGain == math.Pi }},
		{"digits of pi", quantity.Values{"gate_gain": num(3.1415927)}, func(p Params) bool { return p.GateGain == math.Pi }},
		{"paper's gain", quantity.Values{"gate_gain": num(1)}, func(p Params) bool { return p.GateGain == 1 }},
		{"uniform", uniform, func(p Params) bool { return p.PhaseUniform && p.PhaseBins == 16 }},
		{"uniform, exact", with(uniform, quantity.Values{"phase_bins": num(0)}), func(p Params) bool { return p.PhaseUniform && p.PhaseBins == 0 }},
		{"uniform, learned", with(uniform, quantity.Values{"eta_phi": num(0.01)}), func(p Params) bool { return p.PhaseBins == 0 && p.EtaPhi == 0.01 }},
		{"a phase", quantity.Values{"phase": num(3)}, func(p Params) bool { return p.Phase == 3 && !p.PhaseUniform && p.PhaseBins == 0 }},
		{"a phase on a grid", quantity.Values{"phase": num(3), "phase_bins": num(8)}, func(p Params) bool { return p.PhaseBins == 8 }},
		{"soft", quantity.Values{"bounds": text("soft"), "mu": num(0.5)}, func(p Params) bool { return p.Soft && p.Mu == 0.5 }},
		{"dot", quantity.Values{"similarity": text("dot"), "alpha_hold": text("cycle")}, func(p Params) bool { return p.Dot && p.AlphaCycle }},
		{"off", quantity.Values{"eta_local": num(0), "eta_global": num(0)}, func(p Params) bool { return p.EtaLocal == 0 && p.EtaGlobal == 0 }},
		{"group", quantity.Values{"group": text("a"), "nearest": truth(true)}, func(p Params) bool { return p.Group == "a" && p.Nearest }},
	} {
		p, err := Resolve(with(quantity.Values{"w_max": num(1)}, c.v), false)
		if err != nil || !c.ok(p) {
			t.Errorf("%s: error %v, got %+v", c.what, err, p)
		}
	}
	p, err := Resolve(quantity.Values{"w_max": num(1), "center": text("post"), "tau_zbar": num(500)}, true)
	if err != nil || !p.CenterPost || p.TauZbar != 500 {
		t.Errorf("centred: error %v, got %+v", err, p)
	}
}

// TestCheck tries every range of docs/learning.md and every combination that makes no
// sense.
func TestCheck(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	core := quantity.Values{"w_max": num(1)}
	literal, _ := FindPreset("hmn-literal")
	stdp, _ := FindPreset("r-stdp")
	for _, c := range []struct {
		v     quantity.Values
		rates bool
		key   string
		want  string
	}{
		{quantity.Values{}, false, "w_max", `needs the parameter "w_max"`},
		{quantity.Values{"w_max": num(0)}, false, "w_max", "> 0"},
		{with(core, quantity.Values{"w_min": num(-1)}), false, "w_min", "≥ 0"},
		{with(core, quantity.Values{"w_min": num(2)}), false, "w_min", "at most w_max = 1"},
		{with(core, quantity.Values{"a_fast": num(-1)}), false, "a_fast", "≥ 0"},
		{with(core, quantity.Values{"a_slow": num(nan)}), false, "a_slow", "≥ 0"},
		{with(core, quantity.Values{"tau_fast": num(0)}), false, "tau_fast", "> 0 ms"},
		{with(core, quantity.Values{"tau_slow": num(0)}), false, "tau_slow", "> 0 ms"},
		{with(core, quantity.Values{"tau_fast": num(2000)}), false, "tau_fast", "want tau_fast ≤ tau_slow"},
		{with(core, quantity.Values{"tau_slow": num(20)}), false, "tau_slow", "want tau_fast ≤ tau_slow"},
		{with(core, quantity.Values{"tau_plus": num(0)}), false, "tau_plus", "> 0 ms"},
		{with(core, quantity.Values{"tau_minus": num(-1)}), false, "tau_minus", "> 0 ms"},
		{with(core, quantity.Values{"A_plus": num(inf)}), false, "A_plus", "finite"},
		{with(core, quantity.Values{"A_minus": num(nan)}), false, "A_minus", "finite"},
		{with(core, quantity.Values{"A_plus": num(1e308), "eta_local": num(1e300)}), false, "A_plus", "not be finite"},
		{with(core, quantity.Values{"tau_slow": num(1e101)}), false, "tau_slow", "not be finite"},
		{with(core, quantity.Values{"eta_local": num(-1e-9)}), false, "eta_local", "≥ 0"},
		{with(core, quantity.Values{"eta_global": num(nan)}), false, "eta_global", "≥ 0"},
		{with(core, quantity.Values{"osc_hz": num(0.05)}), false, "osc_hz", "≥ 0.1 and ≤ 200 Hz"},
		{with(core, quantity.Values{"osc_hz": num(201)}), false, "osc_hz", "≥ 0.1 and ≤ 200 Hz"},
		{with(core, quantity.Values{"osc_phase": num(inf)}), false, "osc_phase", "rad"},
		{with(core, quantity.Values{"phase": num(-0.1)}), false, "phase", "≥ 0 and < 6.28319 rad"},
		{with(core, quantity.Values{"phase": num(2 * math.Pi)}), false, "phase", "≥ 0 and < 6.28319 rad"},
		{with(core, quantity.Values{"phase": text("random")}), false, "phase", "want a number or uniform"},
		{with(core, quantity.Values{"phase_bins": num(1.5)}), false, "phase_bins", "whole number"},
		{with(core, quantity.Values{"gate_gain": num(2)}), false, "gate_gain", "want pi"},
		{with(core, quantity.Values{"gate_gain": num(3.1416)}), false, "gate_gain", "want pi"},
		{with(core, quantity.Values{"beta_p": num(-1)}), false, "beta_p", "≥ 0"},
		{with(core, quantity.Values{"theta_p": num(-1)}), false, "theta_p", "≥ 0"},
		{with(core, quantity.Values{"beta_a": num(20.5)}), false, "beta_a", "≤ 20"},
		{with(core, quantity.Values{"beta_g": num(-1)}), false, "beta_g", "≥ 0"},
		{with(core, quantity.Values{"alpha_gain": text("fan-in")}), false, "alpha_gain", "want one of fan_in, none"},
		{with(core, quantity.Values{"embed_dim": num(0)}), false, "embed_dim", "≥ 1"},
		{with(core, quantity.Values{"embed_dim": num(65)}), false, "embed_dim", "≤ 64"},
		{with(core, quantity.Values{"embedding": text("learned")}), false, "embedding", "want one of random_unit, given, oja"},
		{with(core, quantity.Values{"tau_ctx": num(0)}), false, "tau_ctx", "> 0 ms"},
		{with(core, quantity.Values{"relevance": text("cos")}), false, "relevance", "want one of abs, dot, vector"},
		{with(core, quantity.Values{"gamma_gain": text("k")}), false, "gamma_gain", "want one of K, none"},
		{with(core, quantity.Values{"tau_C": num(0)}), false, "tau_C", "> 0 ms"},
		{with(core, quantity.Values{"r_ref": num(0)}), false, "r_ref", "> 0"},
		{with(core, quantity.Values{"update": text("cycle")}), false, "update", "want one of window, continuous, step"},
		{with(core, quantity.Values{"trace": text("literal")}), false, "trace", "want one of ode, overwrite"},
		{with(core, quantity.Values{"mu": num(1.5)}), false, "mu", "≤ 1"},
		{with(core, quantity.Values{"bounds": text("none")}), false, "bounds", "want one of hard, soft"},
		{with(core, quantity.Values{"tau_zbar": num(0)}), true, "tau_zbar", "> 0 ms"},
		{with(core, quantity.Values{"lambda_w": num(-1)}), false, "lambda_w", "≥ 0"},
		{with(core, quantity.Values{"update": text("continuous"), "bernoulli": {}, "lambda_w": num(1e-6)}), false, "lambda_w", "between commits"},
		{with(core, quantity.Values{"update": text("continuous"), "bernoulli": {}, "eta_phi": num(0.01)}), false, "eta_phi", "from window to window"},
		{with(core, quantity.Values{"nearest": {Bool: true}, "embedding": text("oja"), "beta_a": num(1)}), false, "nearest", "counts every arrival"},
		{with(core, quantity.Values{"eta_phi": num(0.2)}), false, "eta_phi", "≤ 0.1"},
		{with(core, quantity.Values{"eta_h": num(0)}), false, "eta_h", "> 0"},
		{with(core, quantity.Values{"settle_cycles": num(0)}), false, "settle_cycles", "≥ 1"},
		{with(core, quantity.Values{"w_reward": num(nan)}), false, "w_reward", "finite"},
		{with(core, quantity.Values{"eta": num(1)}), false, "eta", `no parameter "eta"`},

		{with(core, quantity.Values{"update": text("continuous")}), false, "update", "set bernoulli = false"},
		{with(core, quantity.Values{"update": text("continuous"), "bernoulli": truth(false), "bounds": text("soft")}), false, "bounds", "want bounds = \"hard\""},
		{with(core, quantity.Values{"eta_per_step": truth(true)}), false, "eta_per_step", `needs update = "step"`},
		{with(core, quantity.Values{"similarity": text("dot")}), false, "similarity", `set alpha_hold = "cycle"`},
		{with(core, quantity.Values{"eta_phi": num(0.01), "phase_bins": num(16)}), false, "eta_phi", "want phase_bins = 0"},
		{with(core, quantity.Values{"trace": text("overwrite")}), true, "trace", `want trace = "ode"`},
		{with(core, quantity.Values{"center": text("post")}), false, "center", `want center = "none"`},
		{with(core, quantity.Values{"tau_zbar": num(10)}), false, "tau_zbar", "no meaning between spiking populations"},
		{with(core, quantity.Values{"A_plus": num(1)}), true, "A_plus", "no meaning between rate units"},
		{literal.With(core), true, "trace", "coincidences of spikes"},
		{stdp.Values, true, "A_plus", "no meaning between rate units"},
		{stdp.With(quantity.Values{"bernoulli": truth(true)}), false, "update", "set bernoulli = false"},
		{stdp.Values, false, "", ""},
		{literal.With(core), false, "", ""},
		{with(core, quantity.Values{"w_min": num(1)}), false, "", ""},
		{with(core, quantity.Values{"tau_fast": num(1000)}), false, "", ""},
		{with(core, quantity.Values{"update": text("step"), "eta_per_step": truth(true)}), false, "", ""},
	} {
		key, err := Check(c.v, c.rates)
		if key != c.key || (err == nil) != (c.key == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("rates %t, %v: key %q, error %v, want key %q and %q", c.rates, c.v, key, err, c.key, c.want)
		}
		if _, err := Resolve(c.v, c.rates); (err == nil) != (c.key == "") {
			t.Errorf("Resolve, rates %t, %v: error %v", c.rates, c.v, err)
		}
	}
}

func TestTable(t *testing.T) {
	for _, p := range Table() {
		if p.Doc == "" || p.Equation == "" || p.Unit == "" && (p.Form == quantity.Number || p.Form == quantity.Integer) {
			t.Errorf("%s: doc %q, equation %q, unit %q", p.Key, p.Doc, p.Equation, p.Unit)
		}
	}
}

func TestSignalOf(t *testing.T) {
	for _, c := range []struct {
		name, builtin string
		want          Signal
	}{
		{"reward", "", RewardSignal}, {"DA", "centred_reward", RewardSignal}, {"uncertainty", "", UncertaintySignal},
		{"novelty", "", NoveltySignal}, {"reward", "novelty", NoveltySignal}, {"DA", "", OtherSignal},
	} {
		if got := SignalOf(c.name, c.builtin); got != c.want {
			t.Errorf("modulator %q, builtin %q: signal %d, want %d", c.name, c.builtin, got, c.want)
		}
	}
}
