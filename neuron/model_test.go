package neuron

import (
	"math"
	"slices"
	"strings"
	"testing"

	"hmn/event/quantity"
)

// TestCatalogue: the tables hold together. Every default lies in its range,
// keys are used once, and what the loader needs is there.
func TestCatalogue(t *testing.T) {
	names := Names()
	if !slices.IsSorted(names) || len(names) < 9 {
		t.Fatalf("models %v", names)
	}
	for _, name := range names {
		m, ok := Lookup(name)
		if !ok || m.Name != name || m.Doc == "" || m.Kind < Spiking || m.Kind > LevelSource {
			t.Errorf("%s: incomplete: %+v", name, m)
			continue
		}
		if receives := m.Kind == Spiking || m.Kind == Rate; receives != (len(m.Ports) > 0) || receives != (m.WeightUnit != "") {
			t.Errorf("%s: ports %v, unit of weights %q", name, m.Ports, m.WeightUnit)
		}
		seen := map[string]bool{}
		for _, p := range append(slices.Clone(m.Params), m.States...) {
			if seen[p.Key] || p.Key == "" || p.Doc == "" {
				t.Errorf("%s: parameter %q is there twice, or has no name or meaning", name, p.Key)
			}
			seen[p.Key] = true
			if p.Form == quantity.Number && !p.Required {
				if err := p.InRange(p.Default); err != nil {
					t.Errorf("%s: default: %v", name, err)
				}
			}
			if p.Form == quantity.Choice && len(p.Choices) == 0 {
				t.Errorf("%s: %s: no choices", name, p.Key)
			}
			if !(p.Min <= p.Max) {
				t.Errorf("%s: %s: range %v to %v", name, p.Key, p.Min, p.Max)
			}
		}
	}
	for _, name := range []string{"iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha"} {
		m, _ := Lookup(name)
		if key, err := m.CheckAll(nil); err != nil {
			t.Errorf("%s with defaults: %s: %v", name, key, err)
		}
		for _, c := range []struct {
			v   quantity.Values
			key string
		}{
			{num("V_th", -70), "V_th"}, {num("V_reset", -55), "V_th"}, {num("tau_m", 0), "tau_m"}, {num("tau_m", math.NaN()), "tau_m"},
			{num("t_ref", -1), "t_ref"}, {num("t_ref", 5000.1), "t_ref"}, {num("C_m", 0), "C_m"}, {num("g_L", 1), "g_L"}, {num("I_e", math.Inf(1)), "I_e"},
		} {
			if key, err := m.CheckAll(c.v); key != c.key || err == nil {
				t.Errorf("%s %v: key %q, error %v, want %q", name, c.v, key, err, c.key)
			}
		}
		if _, err := m.CheckAll(num("t_ref", 5000, "tau_m", 10)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestModelValues(t *testing.T) {
	m, _ := Lookup("iaf_psc_exp")
	if x := m.Number(num("tau_m", 7), "tau_m"); x != 7 {
		t.Errorf("tau_m = %v", x)
	}
	if x := m.Number(nil, "C_m"); x != 250 {
		t.Errorf("default of C_m = %v", x)
	}
	if _, ok := m.Param("V_m"); ok {
		t.Error("V_m is a state variable, not a parameter")
	}
	if _, ok := m.State("V_m"); !ok {
		t.Error("no state variable V_m")
	}
	r, _ := Lookup("rate")
	if r.Word(nil, "f") != "relu" || r.Word(num("f", "tanh"), "f") != "tanh" {
		t.Error("choice f")
	}
	for what, f := range map[string]func(){
		"unknown key":    func() { m.Number(nil, "x") },
		"no choice":      func() { m.Word(nil, "C_m") },
		"taken name":     func() { Register(Model{Name: "iaf_psc_exp", Kind: Spiking}) },
		"without a name": func() { Register(Model{Kind: Spiking}) },
		"without a kind": func() { Register(Model{Name: "x"}) },
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.HasPrefix(s, "neuron: ") {
					t.Errorf("%s: no panic of this package", what)
				}
			}()
			f()
		}()
	}
	if _, ok := Lookup("x"); ok {
		t.Error("an incomplete model was registered")
	}
}
