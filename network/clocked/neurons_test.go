package clocked

import (
	"math"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/network"
	"hmn/neuron"
)

// static is a projection of one weight.
func static(source, target string, weight, delay float64) network.Projection {
	return network.Projection{Name: source + target, Source: source, Target: target, Rule: network.OneToOne, Weight: constant(weight), Dendritic: constant(delay)}
}

// Postsynaptic potentials at grid points are the closed forms: exponential
// currents (specification C.8), alpha currents with equal time constants,
// V = w e/(C τ) s²/2 e^{−s/τ}, delta currents.
func TestPostsynapticPotentials(t *testing.T) {
	quiet := []any{"V_th", 1000.0, "E_L", -70.0, "C_m", 250.0}
	for _, c := range []struct {
		model string
		pairs []any
		w     float64
		psp   func(s float64) float64
	}{
		{"iaf_psc_exp", []any{"tau_m", 20.0, "tau_syn_ex", 5.0}, 300, func(s float64) float64 {
			return 300. / 250 * 20 * 5 / 15 * (math.Exp(-s/20) - math.Exp(-s/5))
		}},
		{"iaf_psc_exp", []any{"tau_m", 20.0, "tau_syn_in", 20.0}, -300, func(s float64) float64 { return -300. / 250 * s * math.Exp(-s/20) }},
		{"iaf_psc_alpha", []any{"tau_m", 10.0, "tau_syn_ex", 10.0}, 300, func(s float64) float64 {
			return 300. / 250 * math.E / 10 * s * s / 2 * math.Exp(-s/10)
		}},
		{"iaf_psc_alpha", []any{"tau_m", 10.0, "tau_syn_ex", 2.0}, 300, func(s float64) float64 {
			g := 1./2 - 1./10
			return 300. / 250 * math.E / 2 * (math.Exp(-s/10) - math.Exp(-s/2)*(1+g*s)) / (g * g)
		}},
		{"iaf_psc_delta", []any{"tau_m", 10.0}, 3, func(s float64) float64 { return 3 * math.Exp(-s/10) }},
	} {
		m := model(0.5, []network.Population{trains("in", []float64{1.3}), {Name: "n", N: 1, Model: c.model, Params: values(append(quiet, c.pairs...)...)}},
			static("in", "n", c.w, 1.1))
		m.Records = []network.Record{{What: network.RecordVm, Of: "n", Every: at(0.5)}}
		_, r := play(t, m, 60, false)
		// The spike acts at 1.5 ms, and 1.1 ms are two steps.
		for n, v := range r.samples[0] {
			want := 0.0
			if s := 0.5*float64(n) - 2.5; s >= 0 {
				want = c.psp(s)
			}
			if math.Abs(v[0]+70-want) > 1e-12 {
				t.Fatalf("%s: V − E_L at %g ms = %g, want %g", c.model, 0.5*float64(n), v[0]+70, want)
			}
		}
	}
}

// A crossing at 6.500242 ms (specification §9) is a spike at the next grid point; the
// refractory period is a number of steps.
func TestSpikeAtGridPoint(t *testing.T) {
	p := network.Population{Name: "n", N: 1, Model: "iaf_psc_exp", Params: values("E_L", 0.0, "V_th", 15.0, "V_reset", 0.0, "tau_m", 20.0, "tau_syn_ex", 5.0, "C_m", 20.0)}
	// I/C = 100/20 mV per ms of the closed form's units: J/τ_m.
	m := model(0.1, []network.Population{trains("in", []float64{0}), p}, static("in", "n", 100, 1))
	_, r := play(t, m, 20, false)
	if len(r.spikes) != 1 || r.spikes[0].At != at(7.6) || r.spikes[0].ID != 1 {
		t.Errorf("spikes %v, want one of neuron 1 at 7.6 ms", r.spikes)
	}
	// 77.0053 Hz in continuous time: 12.98612 ms. On the grid the way from reset
	// to threshold takes 11.0 ms instead of 10.98612, plus 2 ms.
	p = network.Population{Name: "n", N: 1, Model: "iaf_psc_delta", Params: values("E_L", 0.0, "V_th", 15.0, "V_reset", 0.0, "tau_m", 10.0, "C_m", 10.0, "I_e", 22.5, "t_ref", 2.0)}
	m = model(0.1, []network.Population{p})
	_, r = play(t, m, 100, false)
	for k, s := range r.spikes {
		if want := at(11 + 13*float64(k)); s.At != want {
			t.Errorf("spike %d at %v ms, want %v", k, s.At, want)
		}
	}
	if len(r.spikes) != 7 {
		t.Errorf("%d spikes, want 7", len(r.spikes))
	}
}

// Level sources inject w·level, from the grid point after a step of the level
// plus the delay.
func TestStepCurrent(t *testing.T) {
	m := model(1, []network.Population{
		{Name: "I", N: 1, Model: "step_current", Params: values("steps", [][2]float64{{2.5, 100}})},
		{Name: "n", N: 1, Model: "iaf_psc_exp", Params: values("V_th", 1000.0, "tau_m", 10.0, "C_m", 10.0)}},
		static("I", "n", 2, 2))
	m.Records = []network.Record{{What: network.RecordVm, Of: "n", Every: at(1)}}
	_, r := play(t, m, 30, false)
	for n, v := range r.samples[0] {
		want := -70.0
		if n > 5 {
			want -= 200 * math.Expm1(-float64(n-5)/10) // R I = 200 mV
		}
		if math.Abs(v[0]-want) > 1e-11 {
			t.Fatalf("V at %d ms = %g, want %g", n, v[0], want)
		}
	}
}

func init() {
	neuron.Register(neuron.Model{
		Name: "relay_for_test", Kind: neuron.Spiking, Ports: []string{"in"}, WeightUnit: "mV",
		New: func(_ quantity.Values, n int) (neuron.Dynamics, error) { return relay{}, nil },
	})
}

// relay fires 0.3 ms after every arrival.
type relay struct{}

func (relay) Advance(_ int, from, to event.Time, in []neuron.Arrival, spikes []event.Time) ([]event.Time, error) {
	for _, a := range in {
		spikes = append(spikes, a.At, a.At+at(0.3))
	}
	return spikes, nil
}

func (relay) State(int, string) *float64 { return nil }

// Neurons with their own dynamics: a spike at the grid point is sent there, one
// inside the step at the next.
func TestForeignNeurons(t *testing.T) {
	m := model(1, []network.Population{trains("in", []float64{4.2}), {Name: "n", N: 1, Model: "relay_for_test"}}, static("in", "n", 1, 1))
	_, r := play(t, m, 20, false)
	if len(r.spikes) != 2 || r.spikes[0].At != at(6) || r.spikes[1].At != at(7) {
		t.Errorf("spikes %v, want 6 and 7 ms", r.spikes)
	}
}

// Rate units: chains without delay act at once, a linear network settles at
// (1 − W)⁻¹ h, spikes count as a rate over their window.
func TestRateUnits(t *testing.T) {
	linear := func(name string, pairs ...any) network.Population {
		return network.Population{Name: name, N: 1, Model: "rate", Params: values(append([]any{"f", "linear"}, pairs...)...)}
	}
	last := func(m *network.Model, of string, d float64) float64 {
		m.Records = []network.Record{{What: network.RecordRate, Of: of, Every: m.Simulation.Dt}}
		_, r := play(t, m, d, false)
		return r.samples[0][len(r.samples[0])-1][0]
	}
	// b = 2x + 1 at 0 ms already, although b is listed before its source.
	m := model(1, []network.Population{linear("b", "b", 1.0), linear("a"), levels("x", 1, 5)}, static("x", "a", 2, 0), static("a", "b", 3, 0))
	if got := last(m, "b", 1); got != 31 {
		t.Errorf("b at 0 ms = %g, want 31", got)
	}
	m = model(1, []network.Population{linear("a", "b", 1.0), linear("b", "b", -2.0)}, static("a", "b", 0.5, 2), static("b", "a", -0.8, 1))
	// a = 1 − 0.8 b, b = −2 + 0.5 a: a = 2.6/1.4.
	near(t, "a", last(m, "a", 400), 2.6/1.4, 1e-12)
	m = model(1, []network.Population{linear("a"), trains("in", []float64{3, 5.5, 40})}, static("in", "a", 2, 1))
	m.Populations[0].Params["spike_window"] = quantity.Value{Number: 20}
	m.Records = []network.Record{{What: network.RecordRate, Of: "a", Every: at(1)}}
	_, r := play(t, m, 50, false)
	for n, want := range map[int]float64{3: 0, 4: 100, 6: 100, 7: 200, 23: 200, 24: 100, 26: 100, 27: 0, 41: 100} {
		if got := r.samples[0][n][0]; got != want {
			t.Errorf("a at %d ms = %g, want %g", n, got, want)
		}
	}
	m = model(1, []network.Population{linear("a"), linear("b")}, static("a", "b", 1, 0), static("b", "a", 1, 0))
	if _, err := New(m); err == nil {
		t.Error("a cycle without delay was accepted")
	}
}

// Held noise is keyed by tick, whatever Δt is; the homeostatic bias integrates
// r_target − z over each hold.
func TestNoiseAndBias(t *testing.T) {
	for _, dt := range []float64{0.5, 5} {
		m := model(dt, []network.Population{{Name: "u", N: 3, Model: "rate", Params: values("f", "linear", "noise_sigma", 2.0, "noise_hold", 10.0)}})
		m.Records = []network.Record{{What: network.RecordRate, Of: "u", Every: at(5)}}
		_, r := play(t, m, 100, false)
		key := random.NewKey(7, random.StreamNoise, random.Name("u"))
		for n, s := range r.samples[0] {
			for i, z := range s {
				if want := 2 * random.NormalOf(key.At(uint64(i), uint64(n/2))); z != want {
					t.Fatalf("Δt %g: unit %d at %d ms: %g, want %g", dt, i, 5*n, z, want)
				}
			}
		}
	}
	// z = b: b(k+1) = b(k) + η·hold·(r − b(k)).
	m := model(1, []network.Population{{Name: "u", N: 1, Model: "rate", Params: values("f", "linear", "eta_b", 0.02, "r_target", 3.0, "noise_hold", 10.0)}})
	m.Records = []network.Record{{What: network.RecordRate, Of: "u", Every: at(10)}}
	_, r := play(t, m, 100, false)
	for k, s := range r.samples[0] {
		near(t, "b", s[0], 3*(1-math.Pow(0.8, float64(k))), 1e-12)
	}
}

// Delays of plastic synapses: weight and x̂ are read at t + axonal, the current
// starts a dendritic delay later.
func TestDelaysOfPlasticSynapses(t *testing.T) {
	pops := []network.Population{trains("in", []float64{2}), {Name: "n", N: 1, Model: "iaf_psc_delta", Params: values("V_th", 10.0, "E_L", 0.0, "V_reset", 0.0)}}
	p := plasticProjection("in", "n", network.OneToOne, 30, 3, 2, "w_max", 100.0, "A_minus", 0, "eta_local", 0, "eta_global", 0, "tau_fast", 50)
	m := model(1, pops, p)
	m.Records = []network.Record{{What: network.RecordEligibilityFast, Of: "inn", Every: at(1)}, {What: network.RecordSpikes, Of: "n"}}
	_, r := play(t, m, 15, false)
	if len(r.spikes) != 1 || r.spikes[0].At != at(7) {
		t.Fatalf("spikes %v, want 7 ms", r.spikes)
	}
	// Arrival at 5 ms; the post spike reaches the synapse at 9 ms.
	if r.samples[0][8][0] != 0 {
		t.Error("the trace moved before the post spike reached the synapse")
	}
	near(t, "jump", r.samples[0][9][0], math.Exp(-4./20), 1e-14)
}

// What the engine cannot do is refused by name.
func TestRefusals(t *testing.T) {
	base := func() *network.Model {
		return model(1, []network.Population{trains("pre", []float64{0}), trains("post", []float64{15})},
			plasticProjection("pre", "post", network.OneToOne, 1, 1, 0, "w_max", 10.0))
	}
	for name, spoil := range map[string]func(m *network.Model){
		"no step": func(m *network.Model) { m.Simulation.Dt = 0 },
		"task":    func(m *network.Model) { m.Task = &network.TaskSpec{Name: "bandit"} },
		"builtin": func(m *network.Model) { m.Modulators = []network.Modulator{{Name: "m", Tau: 1, Builtin: "novelty"}} },
		"short interval": func(m *network.Model) {
			m.Records = []network.Record{{What: network.RecordWeight, Of: "prepost", Every: at(0.5)}}
		},
		"weight": func(m *network.Model) { m.Projections[0].Weight = constant(11) },
		"trials": func(m *network.Model) {
			m.Meta = &network.Meta{Estimator: network.SPSA, Trials: 5, C: 0.2, Sigma: 0.2, Loss: "neg_mean_reward", MinFactor: 1, MaxFactor: 1}
		},
	} {
		m := base()
		spoil(m)
		if _, err := New(m); err == nil {
			t.Errorf("%s: accepted", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}
