package config

import (
	"math"
	"strings"
	"testing"

	"hmn/network"
)

const offers = `[simulation]
duration = "1 s"
[parameter]
scale = 1.0
[choice.input]
use = "poisson"
[choice.input.poisson]
[[choice.input.poisson.population]]
name = "E"
params = { I_e = 1.0 }
[[choice.input.poisson.population]]
name = "noise"
n = "= round(20 * scale)"
model = "poisson"
params = { rate = 8 }
[choice.input.dc]
population.E.params = { I_e = "= 100 * (1 - sqrt(scale))", tau_m = 12.0 }
population.E.model = "iaf_psc_alpha"
simulation.seed = 7
[[population]]
name = "E"
n = "= round(20 * scale)"
model = "iaf_psc_exp"
params = { C_m = "= 250 / scale", I_e = 0.5 }
[[population]]
name = "F"
n = 3
model = "iaf_psc_exp"
`

func TestChoice(t *testing.T) {
	read := func(set ...string) *network.Model {
		t.Helper()
		m, _, err := Parse([]byte(offers), Options{Name: "m.toml", Set: set})
		if err != nil {
			t.Fatalf("%v: %v", set, err)
		}
		return m
	}
	m := read()
	if len(m.Populations) != 3 || m.Populations[2].Name != "noise" || m.Populations[2].N != 20 {
		t.Errorf("the population of the alternative in use: %+v", m.Populations)
	}
	if e := m.Populations[0]; e.Model != "iaf_psc_exp" || e.N != 20 || e.Params["I_e"].Number != 1 || e.Params["C_m"].Number != 250 {
		t.Errorf("use = poisson: %+v", e)
	}
	m = read("scale=0.25", "input=dc")
	e := m.Populations[0]
	if len(m.Populations) != 2 || m.Simulation.Seed != 7 || e.Model != "iaf_psc_alpha" || e.N != 5 {
		t.Errorf("input = dc: %+v", m)
	}
	if p := e.Params; p["I_e"].Number != 50 || p["tau_m"].Number != 12 || p["C_m"].Number != 1000 {
		t.Errorf("parameters are merged: %+v", p)
	}
	// A path comes after the choice, wherever it stands among the overrides.
	if m = read("population.E.params.I_e=3", "simulation.seed=9", "input=dc"); m.Simulation.Seed != 9 || m.Populations[0].Params["I_e"].Number != 3 {
		t.Errorf("an override lost against the choice: %+v", m)
	}
	if m = read("choice.input.use=dc"); m.Simulation.Seed != 7 {
		t.Error("the whole path does not choose")
	}
	if m = read("population.E.n==2*round(scale+2.4)"); m.Populations[0].N != 6 {
		t.Errorf("a formula in an override: n = %d, want 6", m.Populations[0].N)
	}
}

func TestBadChoice(t *testing.T) {
	for _, c := range []struct{ from, to, set, want string }{
		{set: "input=ac", want: `--set input=ac: choice.input: unknown "ac", did you mean "dc"?`},
		{set: "input=9", want: `--set input=9: choice.input: 9, want one of poisson, dc`},
		{set: "imput=dc", want: `--set imput=dc: the model offers no "imput", did you mean "input"?`},
		{set: "scale=fast", want: `--set scale=fast: parameter.scale: the text "fast", want a number`},
		{set: "scale=0", want: `m.toml:24:18: formula "= 250 / scale": the value is +Inf, want a number`},
		{set: "scale=-1", want: `m.toml:22:5: population "E": n: -20, want an integer from 1 to 2147483648`},
		{from: `use = "poisson"`, want: `m.toml:5:1: choice.input: needs the key "use": the alternative that holds without --set input=…`},
		{from: "[choice.input.dc]\npop", to: "[choice.input.dc]\nparameter.scale = 2.0\npop", set: "input=dc", want: `m.toml:17:1: choice.input.dc.parameter: an alternative sets no choices and no parameters`},
		{from: "population.E.model", to: "population.G.model", set: "input=dc", want: `m.toml:18:1: choice.input.dc.population.G: no entry is called "G", did you mean "E"?`},
		{from: "population.E.model", to: "population.E.modle", set: "input=dc", want: `m.toml:18:1: population "E": unknown key "modle", did you mean "model"?`},
		{from: "[choice.input.dc]", to: "[choice.simulation]\n[choice.input.dc]", want: `m.toml:16:1: choice: the name "simulation" is that of a table of the model file`},
		{from: "scale = 1.0", to: "scale = 1.0\ninput = 3", want: `m.toml:5:1: parameter: the name "input" is that of a choice`},
		{from: "scale = 1.0", to: "scale = 1.0\nsqrt = 3", want: `m.toml:5:1: parameter: the name "sqrt" is that of a function`},
		{from: "20 * scale)\"\nmodel = \"iaf", to: "20 * skale)\"\nmodel = \"iaf", want: `m.toml:22:5: formula "= round(20 * skale)": unknown "skale", did you mean "scale"?`},
	} {
		text := offers
		if c.from != "" {
			text = strings.Replace(text, c.from, c.to, 1)
		}
		var set []string
		if c.set != "" {
			set = []string{c.set}
		}
		_, _, err := Parse([]byte(text), Options{Name: "m.toml", Set: set})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %q, --set %q:\n%v\nwant\n%s", c.from, c.to, c.set, err, c.want)
		}
	}
}

func TestFormula(t *testing.T) {
	values := map[string]float64{"x": 3, "long_name2": 0.25}
	for text, want := range map[string]float64{
		"1 + 2*3":                     7,
		"(1+2) *3":                    9,
		"2 - 3 - 4":                   -5,
		"8/4/2":                       1,
		"-2^2":                        -4,
		"2^-1":                        0.5,
		"2^3^2":                       512,
		"--3":                         3,
		"1.5e3 + x":                   1503,
		"2e-1*long_name2":             0.05,
		"sqrt(16) + round(2.5) + x^2": 16,
		"round(-2.5)":                 -2,
		"ln(exp(x))":                  3,
	} {
		if x, err := evalFormula(text, values); err != nil || math.Abs(x-want) > 1e-15*math.Abs(want) {
			t.Errorf("%s = %v, %v, want %v", text, x, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                               "ends where a number is wanted",
		"1 +":                            "ends where a number is wanted",
		"(1":                             "not closed",
		"sqrt 2":                         "wants a parenthesis",
		"sqrt(2":                         "not closed",
		"1 2":                            `what is "2" doing there`,
		"1..2":                           "is no number",
		"$x":                             "is no number",
		"y":                              `unknown "y"`,
		"ln(0)":                          "-Inf",
		"0/0":                            "NaN",
		strings.Repeat("(", 1e6):         "want at most 1000",
		"1" + strings.Repeat("+1e", 300): "is no number",
	} {
		if x, err := evalFormula(text, values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s = %v, %v, want an error with %q", clip(text), x, err, want)
		}
	}
}
