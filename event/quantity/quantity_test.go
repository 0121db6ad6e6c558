package quantity_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"hmn/event/quantity"
)

var inf = math.Inf(1)

func TestInRange(t *testing.T) {
	tau := quantity.Param{Key: "tau_m", Unit: "ms", MinOpen: true, Max: 1e6}
	p := quantity.Param{Key: "p", Unit: "1", Max: 1}
	phase := quantity.Param{Key: "phase", Unit: "rad", Max: 2, MaxOpen: true}
	any := quantity.Param{Key: "E_L", Unit: "mV", Min: -inf, Max: inf}
	for _, c := range []struct {
		p    quantity.Param
		x    float64
		want string // "" = allowed
	}{
		{tau, 1e-300, ""}, {tau, 1e6, ""}, {tau, 0, "tau_m = 0 ms, want > 0 and ≤ 1e+06 ms"},
		{tau, -1, "tau_m = -1 ms, want > 0 and ≤ 1e+06 ms"}, {tau, 2e6, "want > 0 and ≤ 1e+06 ms"},
		{tau, math.NaN(), "tau_m = NaN ms"}, {tau, inf, "tau_m = +Inf ms"},
		{p, 0, ""}, {p, 1, ""}, {p, math.Copysign(0, -1), ""}, {p, -1e-9, "p = -1e-09, want ≥ 0 and ≤ 1"}, {p, math.Nextafter(1, 2), "p = "},
		{phase, 0, ""}, {phase, math.Nextafter(2, 0), ""}, {phase, 2, "phase = 2 rad, want ≥ 0 and < 2 rad"}, {phase, math.NaN(), "phase = NaN rad"},
		{any, -1e300, ""}, {any, inf, "any finite number mV"}, {any, -inf, "any finite number mV"}, {any, math.NaN(), "any finite number"},
	} {
		err := c.p.InRange(c.x)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s = %g: error %v, want %q", c.p.Key, c.x, err, c.want)
		}
	}
}

func TestCheck(t *testing.T) {
	rate := quantity.Param{Key: "rate", Unit: "Hz", Max: 1e4}
	with := func(f quantity.Form) quantity.Param { p := rate; p.Form = f; return p }
	either := with(quantity.NumberOrWord)
	either.Choices = []string{"pi"}
	word := quantity.Param{Key: "f", Form: quantity.Choice, Choices: []string{"relu", "tanh"}}
	sine := func(m, a, f, ph float64) quantity.Value {
		return quantity.Value{Sine: &quantity.Sinusoid{Mean: m, Amplitude: a, Frequency: f, Phase: ph}}
	}
	for _, c := range []struct {
		p  quantity.Param
		v  quantity.Value
		ok bool
	}{
		{word, quantity.Value{Text: "tanh"}, true}, {word, quantity.Value{Text: "Tanh"}, false}, {word, quantity.Value{}, false},
		{with(quantity.Bool), quantity.Value{Bool: true}, true}, {with(quantity.Text), quantity.Value{Text: "x"}, true},
		{with(quantity.Integer), quantity.Value{Number: 5}, true}, {with(quantity.Integer), quantity.Value{Number: 5.5}, false},
		{with(quantity.Integer), quantity.Value{Number: -5}, false}, {with(quantity.Integer), quantity.Value{Number: math.NaN()}, false},
		{either, quantity.Value{Number: 5}, true}, {either, quantity.Value{Number: -5}, false},
		{either, quantity.Value{Text: "pi"}, true}, {either, quantity.Value{Text: "tau"}, false},
		{with(quantity.Numbers), quantity.Value{Number: 5}, true}, {with(quantity.Numbers), quantity.Value{Number: -5}, false},
		{with(quantity.Numbers), quantity.Value{List: []float64{1, 2}}, true}, {with(quantity.Numbers), quantity.Value{List: []float64{1, math.NaN()}}, false},
		{with(quantity.Steps), quantity.Value{}, false},
		{with(quantity.Steps), quantity.Value{Steps: [][2]float64{{0, 1}, {5, 0}}}, true},
		{with(quantity.Steps), quantity.Value{Steps: [][2]float64{{0, 1}, {0, 0}}}, false},
		{with(quantity.Steps), quantity.Value{Steps: [][2]float64{{5, 1}, {4, 0}}}, false},
		{with(quantity.Steps), quantity.Value{Steps: [][2]float64{{-1, 1}}}, false},
		{with(quantity.Steps), quantity.Value{Steps: [][2]float64{{math.NaN(), 1}}}, false},
		{with(quantity.Steps), quantity.Value{Steps: [][2]float64{{0, 1}, {math.NaN(), 1}}}, false},
		{with(quantity.Steps), quantity.Value{Steps: [][2]float64{{0, 2e4}}}, false},
		{with(quantity.Sine), quantity.Value{}, false}, {with(quantity.Sine), sine(10, 5, 8, 0), true},
		{with(quantity.Sine), sine(9999, 5, 8, 0), false}, {with(quantity.Sine), sine(math.NaN(), 5, 8, 0), false},
		{with(quantity.Sine), sine(1, math.NaN(), 8, 0), false}, {with(quantity.Sine), sine(1, 1, math.NaN(), 0), false},
		{with(quantity.Sine), sine(1, 1, 8, math.NaN()), false}, {with(quantity.Sine), sine(1, 1, -8, 0), false},
		{with(quantity.Sine), sine(1, 1, inf, 0), false},
		{with(quantity.File), quantity.Value{Table: []quantity.Step{{Neuron: -1, Time: 0, Value: 3}}}, true},
		{with(quantity.File), quantity.Value{Table: []quantity.Step{{Neuron: -1, Time: math.NaN(), Value: 3}}}, false},
		{with(quantity.File), quantity.Value{Table: []quantity.Step{{Neuron: -1, Time: 0, Value: -3}}}, false},
	} {
		if err := c.p.Check(c.v); (err == nil) != c.ok {
			t.Errorf("%s (form %d) = %+v: error %v", c.p.Key, c.p.Form, c.v, err)
		}
	}
}

func TestCheckAll(t *testing.T) {
	params := []quantity.Param{{Key: "a", Max: 1}, {Key: "b", Max: 1, Required: true}}
	for _, c := range []struct {
		v   quantity.Values
		key string
	}{
		{quantity.Values{"b": {Number: 1}}, ""},
		{quantity.Values{"a": {Number: 0}}, "b"},
		{quantity.Values{"b": {Number: 1}, "c": {}}, "c"},
		{quantity.Values{"a": {Number: 2}, "b": {Number: 2}}, "a"}, // the first in order of keys
	} {
		key, err := quantity.CheckAll("model m", params, c.v)
		if key != c.key || (err == nil) != (c.key == "") {
			t.Errorf("%v: key %q, error %v, want %q", c.v, key, err, c.key)
		}
	}
	if _, ok := quantity.Find(params, "z"); ok {
		t.Error("found what is not there")
	}
}

func ExampleParam_InRange() {
	tau := quantity.Param{Key: "tau_m", Unit: "ms", MinOpen: true, Max: math.Inf(1)}
	fmt.Println(tau.InRange(10))
	fmt.Println(tau.InRange(0))
	// Output:
	// <nil>
	// tau_m = 0 ms, want > 0 ms
}
