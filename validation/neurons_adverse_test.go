package validation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
)

// species is a neuron model with its reference and how its parameters may be drawn.
type species struct {
	model     string
	reference func(p map[string]float64) *specimen
	potential string
	states    []string
	ports     []string // of strong, weak and inhibitory arrivals; nil: by the sign
	closed    bool
	ranges    map[string][2]float64 // drawn uniformly in the logarithm where both are positive
	up, down  float64               // weights of a strong excitatory and an inhibitory arrival
}

// allSpecies are the neurons without a linear kernel.
func allSpecies() []species {
	cond := map[string][2]float64{"C_m": {50, 500}, "g_L": {2, 40}, "E_L": {-75, -65}, "V_th": {-56, -48}, "V_reset": {-75, -60}, "t_ref": {0.1, 8},
		"tau_syn_ex": {0.1, 10}, "tau_syn_in": {0.1, 20}, "E_ex": {-10, 20}, "E_in": {-90, -60}, "I_e": {-50, 300}}
	adex := map[string][2]float64{"C_m": {100, 400}, "g_L": {5, 40}, "E_L": {-75, -65}, "V_th": {-55, -45}, "V_reset": {-75, -57}, "t_ref": {0, 3}, "Delta_T": {0.3, 5}, "V_peak": {-30, 20},
		"a": {-2, 8}, "b": {0, 150}, "tau_w": {20, 300}, "tau_syn_ex": {0.1, 10}, "tau_syn_in": {0.1, 20}, "E_in": {-90, -60}, "I_e": {0, 300}}
	izh := map[string][2]float64{"a": {0.01, 0.15}, "b": {0.1, 0.26}, "c": {-70, -48}, "d": {0.05, 10}, "I_e": {0, 8}, "V_th": {20, 40}}
	return []species{
		{model: "iaf_cond_exp", reference: func(p map[string]float64) *specimen { return condLIF(false, p) }, states: []string{"g_ex", "g_in"}, ranges: cond, up: 100, down: 40},
		{model: "iaf_cond_alpha", reference: func(p map[string]float64) *specimen { return condLIF(true, p) }, states: []string{"g_ex", "g_in"}, ranges: cond, up: 60, down: 20},
		{model: "iaf_cond_multi", reference: condMulti, states: []string{"g_AMPA", "g_NMDA"}, ranges: map[string][2]float64{"C_m": {50, 500}, "g_L": {2, 40}, "E_L": {-75, -65}, "V_th": {-56, -48}, "V_reset": {-75, -60}, "t_ref": {0.1, 8},
			"Mg": {0, 3}, "tau_rise_AMPA": {0.1, 0.7}, "tau_decay_AMPA": {1, 5}, "tau_rise_NMDA": {1, 10}, "tau_decay_NMDA": {20, 100}, "E_rev_NMDA": {-10, 10}, "tau_decay_GABA_A": {2, 20}, "I_e": {-50, 300}},
			ports: []string{"AMPA", "NMDA", "GABA_B"}, up: 60, down: 20},
		{model: "aeif_cond_exp", reference: func(p map[string]float64) *specimen { return aeif(false, p) }, states: []string{"w", "g_ex"}, ranges: adex, up: 100, down: 40},
		{model: "aeif_cond_alpha", reference: func(p map[string]float64) *specimen { return aeif(true, p) }, states: []string{"w", "g_in"}, ranges: adex, up: 60, down: 20},
		{model: "izhikevich", reference: izhikevich, states: []string{"U_m"}, ranges: izh, up: 25, down: 5},
		{model: "hh_psc_alpha", reference: hhPscAlpha, states: []string{"Act_m", "Inact_h", "Act_n"}, ranges: map[string][2]float64{"C_m": {80, 150}, "t_ref": {0.5, 3}, "tau_syn_ex": {0.2, 3}, "tau_syn_in": {0.2, 5}, "I_e": {-100, 100}}, up: 2500, down: 300},
		{model: "hh_cond_exp_traub", reference: hhTraub, states: []string{"Act_m", "Inact_h", "Act_n"}, ranges: map[string][2]float64{"C_m": {150, 250}, "t_ref": {0.5, 3}, "tau_syn_ex": {0.2, 3}, "tau_syn_in": {0.2, 5}, "I_e": {-300, -100}}, up: 100, down: 30},
		{model: "mat2_psc_exp", reference: adaptiveThreshold, closed: true, states: []string{"V_th_alpha_1"}, ranges: map[string][2]float64{"C_m": {80, 200}, "tau_m": {2, 20}, "tau_syn_ex": {0.3, 5}, "tau_syn_in": {0.3, 5}, "t_ref": {0.5, 4}, "tau_1": {3, 30}, "tau_2": {50, 300}, "alpha_1": {5, 50}, "I_e": {0, 300}}, up: 2000, down: 300},
		{model: "IntFire1", reference: intFire1, potential: "m", closed: true, ranges: map[string][2]float64{"tau": {2, 30}, "refrac": {0, 8}}, up: 0.9, down: 0.2},
		{model: "IntFire2", reference: intFire2, potential: "m", closed: true, states: []string{"i"}, ranges: map[string][2]float64{"taum": {3, 30}, "taus": {2, 40}}, up: 2, down: 0.5},
		{model: "IntFire4", reference: intFire4, potential: "m", closed: true, states: []string{"e", "i2"}, ranges: map[string][2]float64{"taue": {1, 6}, "taui1": {7, 12}, "taui2": {13, 30}, "taum": {31, 80}}, up: 1.2, down: 0.5},
	}
}

// arbitrary draws parameters and inputs.
func (s *species) arbitrary(seed uint64) trial {
	r := rand.New(rand.NewPCG(seed, 77))
	p := map[string]float64{}
	keys := make([]string, 0, len(s.ranges))
	for k := range s.ranges {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		lo, hi := s.ranges[k][0], s.ranges[k][1]
		if r.IntN(4) == 0 {
			continue // NEST's default
		}
		x := lo + (hi-lo)*r.Float64()
		if lo > 0 {
			x = lo * math.Pow(hi/lo, r.Float64())
		}
		p[k] = math.Round(x*1e4) / 1e4
	}
	strong, weak := 10+r.IntN(30), 60+r.IntN(100)
	ports := s.ports
	if ports == nil {
		ports = make([]string, 3)
	}
	return trial{name: fmt.Sprintf("%s, seed %d", s.model, seed), model: s.model, potential: s.potential, states: s.states, params: p, reference: s.reference, end: 300,
		seed: seed, draws: []uint64{seed}, window: []event.Time{0, ms(0.1), ms(0.737), ms(4)}[r.IntN(4)], delay: []float64{0.1, 1.3, 5}[r.IntN(3)],
		receptors: []receptor{{ports[0], strong, 0.7 * s.up, 1.5 * s.up}, {ports[1], weak, 0.003 * s.up, 0.03 * s.up}, {ports[2], 30, -s.down, -0.1 * s.down}}}
}

// checkArbitrary compares neurons of random parameters with the reference, those
// whose inputs are not near to chaos.
func checkArbitrary(t *testing.T, m mode) (rows []Check) {
	for _, s := range allSpecies() {
		spikes, compared, wrong, late, v, states := 0, 0, 0, 0.0, 0.0, 0.0
		extra, tolerance, why := values("rtol", 1e-8), 1e-6, "100 rtol, which is 1e-8 here"
		if s.closed {
			extra, tolerance, why = nil, 1e-9, "a closed form: 1 ps"
		}
		for seed := range [...]uint64{3, 30, 600}[m] {
			c := s.arbitrary(seed)
			refs := c.references()
			if !s.closed && !(c.condition(refs) <= 5) {
				continue
			}
			r := c.compare(t, refs, extra)
			if r.wrong > 0 || r.late > 1.01*tolerance || r.v > tolerance || r.states > tolerance {
				t.Logf("%s: %+v with %v", c.name, r, c.params)
			}
			compared, wrong, spikes = compared+1, wrong+r.wrong, spikes+r.spikes
			late, v, states = math.Max(late, r.late), math.Max(v, r.v), math.Max(states, r.states)
		}
		rows = append(rows,
			Check{Name: s.model + ": neurons with a spike more or less", Unit: "1", Expected: 0, Got: float64(wrong),
				Why: fmt.Sprintf("integration of the equations to 1e-13 in the test; %d draws of parameters and inputs, in windows of 0.1 to 4 ms, %d spikes; those whose spikes 1 mV at every arrival moves by more than 5 ms are left out", compared, spikes)},
			Check{Name: "… worst spike time", Unit: "ms", Expected: 0, Got: late, Tolerance: 1.01 * tolerance, Why: why},
			Check{Name: "… worst potential and other state, relative", Unit: "1", Expected: 0, Got: math.Max(v, states), Tolerance: tolerance, Why: "the same"})
	}
	return rows
}

// awkward are arrivals that meet what a neuron does at the picosecond: neurons of one
// trial, each with a pulse that makes it fire and then what its name says.
func (s *species) awkward() (c trial, names []string) {
	c = trial{name: s.model + ", awkward arrivals", model: s.model, potential: s.potential, states: s.states, reference: s.reference, end: 25, delay: 4.5, params: map[string]float64{}}
	if _, ok := s.ranges["tau_syn_ex"]; ok {
		c.params["tau_syn_ex"] = 2
	}
	if s.model == "hh_cond_exp_traub" {
		c.params["I_e"] = -100 // no spike on the way from E_L to rest
	}
	ports := s.ports
	if ports == nil {
		ports = make([]string, 3)
	}
	up := func(at event.Time, f float64) stroke { return stroke{at, ports[0], float64(float32(f * s.up))} }
	down := func(at event.Time, f float64) stroke { return stroke{at, "", -float64(float32(f * s.down))} }
	pulse := up(ms(5.123456789), 3)
	c.written = [][]stroke{{pulse}}
	one := c.solve(0, 0)
	if len(one.spikes) == 0 {
		panic(s.model + " does not fire")
	}
	c.written = nil
	add := func(name string, list ...stroke) {
		list = append([]stroke{pulse}, list...)
		slices.SortStableFunc(list, func(a, b stroke) int { return int(a.at - b.at) })
		c.written, names = append(c.written, list), append(names, name)
	}
	at := one.spikes[0]
	for d := event.Time(-2); d <= 2; d++ {
		add(fmt.Sprintf("inhibition %d ps after the crossing", d), down(at+d, 5))
		add(fmt.Sprintf("excitation %d ps after the crossing", d), up(at+d, 5))
		add(fmt.Sprintf("inhibition %d ps after refractoriness", d), down(at+one.tRef+d, 4))
		add(fmt.Sprintf("excitation %d ps after refractoriness", d), up(at+one.tRef+d, 4))
	}
	add("six at once", up(ms(18), 3), down(ms(18), 3), up(ms(18), 1), down(ms(18), 8), up(ms(18), 2), down(ms(18), 0.5))
	add("next to nothing", up(ms(18), 1e-14), down(ms(18.5), 1e-20))
	var close, closer []stroke
	for k := range event.Time(100) {
		close = append(close, up(ms(15)+k*event.Nanosecond, 0.04), down(ms(15)+k*event.Nanosecond, 0.02))
		closer = append(closer, up(ms(15)+k, 0.04))
	}
	add("200 within 100 ns", close...)
	add("100 within 100 ps", closer...)
	return c, names
}

// checkAwkward compares arrivals at the crossing, at the end of refractoriness, at one
// instant on several ports and a picosecond apart, and steps of current.
func checkAwkward(t *testing.T, _ mode) (rows []Check) {
	for _, s := range allSpecies() {
		extra, tolerance, why := values("rtol", 1e-9), 1e-7, "100 rtol, which is 1e-9 here"
		if s.closed {
			extra, tolerance, why = nil, 2e-9, "a closed form: both round a crossing to 1 ps, one at half a picosecond either way, and go on from there"
		}
		c, names := s.awkward()
		refs := c.references()
		for _, w := range []event.Time{ms(0.1), 0} {
			c.window = w
			r := c.compare(t, refs, extra)
			label := fmt.Sprintf("%s, windows of 0.1 ms", s.model)
			if w == 0 {
				label = "… windows of 4 ms"
			}
			rows = append(rows,
				Check{Name: label + ": neurons with a spike more or less", Unit: "1", Expected: 0, Got: float64(r.wrong),
					Why: fmt.Sprintf("the reference; %d neurons, %d spikes: arrivals −2 … 2 ps beside the crossing and the end of refractoriness, six at once, 100 a picosecond apart", len(names), r.spikes)},
				Check{Name: "… worst spike time", Unit: "ms", Expected: 0, Got: r.late, Tolerance: 1.01 * tolerance, Why: why},
				Check{Name: "… worst potential and other state, relative", Unit: "1", Expected: 0, Got: math.Max(r.v, r.states), Tolerance: tolerance, Why: "the same"})
		}
	}
	for _, c := range append(driven(), closed()...) {
		s := c.reference(c.params)
		if s.c == 0 {
			continue
		}
		c.draws, c.end = c.draws[:1], 300
		scale := 40.0 // pA
		if s.c == 1 {
			scale = 0.3
		}
		for k := range 20 {
			c.steps = append(c.steps, [2]float64{math.Round(1e9*(3+14*float64(k)+0.123456789*float64(k*k%7))) / 1e9, scale * float64(k*k%5-2)})
		}
		extra, tolerance := values("rtol", 1e-9), 1e-7
		if c.model == "mat2_psc_exp" {
			extra, tolerance = nil, 1e-9
		}
		refs := c.references()
		r := c.compare(t, refs, extra)
		rows = append(rows,
			Check{Name: c.name + ", a current in steps as well: neurons with a spike more or less", Unit: "1", Expected: 0, Got: float64(r.wrong), Why: fmt.Sprintf("the reference; %d spikes, 20 steps at picoseconds beside the arrivals", r.spikes)},
			Check{Name: "… worst spike time", Unit: "ms", Expected: 0, Got: r.late, Tolerance: 1.01 * tolerance, Why: "100 rtol, which is 1e-9 here; 1 ps for a closed form"},
			Check{Name: "… worst potential and other state, relative", Unit: "1", Expected: 0, Got: math.Max(r.v, r.states), Tolerance: tolerance, Why: "the same"})
	}
	return rows
}
