package validation

import (
	"fmt"
	"strings"
	"testing"
)

// driven are the driven neurons: at least 200 arrivals each, on several ports.
func driven() []trial {
	return []trial{
		{name: "iaf_cond_exp", model: "iaf_cond_exp", states: []string{"g_ex", "g_in"}, end: 500, seed: 1, draws: []uint64{19, 22, 27},
			reference: func(p map[string]float64) *specimen { return condLIF(false, p) },
			params:    map[string]float64{"tau_syn_ex": 2, "tau_syn_in": 5, "I_e": 150},
			receptors: []receptor{{"", 150, 1, 8}, {"", 60, 60, 140}, {"", 60, -60, -5}}},
		{name: "iaf_cond_exp, NEST's defaults", model: "iaf_cond_exp", states: []string{"g_ex", "g_in"}, end: 500, seed: 2, draws: []uint64{2, 26, 38},
			reference: func(p map[string]float64) *specimen { return condLIF(false, p) },
			receptors: []receptor{{"", 200, 10, 100}, {"", 60, 700, 1400}, {"", 60, -60, -5}}},
		{name: "iaf_cond_alpha", model: "iaf_cond_alpha", states: []string{"g_ex", "g_in"}, end: 500, seed: 3, draws: []uint64{8, 9, 21},
			reference: func(p map[string]float64) *specimen { return condLIF(true, p) },
			params:    map[string]float64{"tau_syn_ex": 1.5, "tau_syn_in": 4, "I_e": 150},
			receptors: []receptor{{"", 150, 1, 8}, {"", 60, 60, 140}, {"", 60, -60, -5}}},
		{name: "iaf_cond_multi", model: "iaf_cond_multi", states: []string{"g_AMPA", "g_NMDA", "g_GABA_A", "g_GABA_B"}, end: 500, seed: 9, draws: []uint64{0, 1, 3},
			reference: condMulti,
			receptors: []receptor{{"AMPA", 100, 1, 8}, {"", 50, 60, 140}, {"NMDA", 50, 1, 5}, {"", 30, -30, -5}, {"GABA_A", 20, 5, 30}, {"GABA_B", 20, 1, 3}}},
		{name: "aeif_cond_exp", model: "aeif_cond_exp", states: []string{"w", "g_ex"}, end: 500, seed: 4, draws: []uint64{1, 7, 25},
			reference: func(p map[string]float64) *specimen { return aeif(false, p) },
			params:    map[string]float64{"tau_syn_ex": 2, "tau_syn_in": 5, "t_ref": 1.5},
			receptors: []receptor{{"", 150, 1, 8}, {"", 50, 80, 160}, {"", 60, -60, -5}}},
		{name: "aeif_cond_alpha", model: "aeif_cond_alpha", states: []string{"w", "g_in"}, end: 500, seed: 5, draws: []uint64{6, 15, 38},
			reference: func(p map[string]float64) *specimen { return aeif(true, p) },
			params:    map[string]float64{"tau_syn_ex": 1.5},
			receptors: []receptor{{"", 150, 1, 5}, {"", 40, 30, 60}, {"", 60, -60, -5}}},
		{name: "izhikevich", model: "izhikevich", states: []string{"U_m"}, end: 500, seed: 6, draws: []uint64{1, 48, 53},
			reference: izhikevich,
			params:    map[string]float64{"I_e": 2},
			init:      map[string]float64{"V_m": -65, "U_m": -13},
			receptors: []receptor{{"", 150, 0.1, 1}, {"", 40, 20, 30}, {"", 60, -2, -0.1}}},
		{name: "hh_psc_alpha", model: "hh_psc_alpha", states: []string{"Act_m", "Inact_h", "Act_n"}, end: 500, seed: 7, draws: []uint64{0, 5, 16},
			reference: hhPscAlpha,
			params:    map[string]float64{"tau_syn_ex": 1},
			receptors: []receptor{{"", 150, 10, 100}, {"", 40, 1500, 3000}, {"", 60, -100, -10}}},
		{name: "hh_cond_exp_traub", model: "hh_cond_exp_traub", states: []string{"Act_m", "Inact_h", "Act_n", "g_ex"}, end: 500, seed: 8, draws: []uint64{4, 19, 38},
			reference: hhTraub,
			params:    map[string]float64{"tau_syn_ex": 1, "tau_syn_in": 5},
			receptors: []receptor{{"", 150, 0.1, 2}, {"", 30, 60, 150}, {"", 60, -20, -2}}},
	}
}

// closed are those that hmn advances in closed form.
func closed() []trial {
	return []trial{
		{name: "mat2_psc_exp", model: "mat2_psc_exp", states: []string{"V_th_alpha_1", "V_th_alpha_2", "I_syn_ex"}, end: 500, seed: 11, draws: []uint64{0, 1, 2},
			reference: adaptiveThreshold,
			params:    map[string]float64{"I_e": 200},
			receptors: []receptor{{"", 200, 50, 900}, {"", 60, -300, -10}}},
		{name: "IntFire1", model: "IntFire1", potential: "m", end: 500, seed: 12, draws: []uint64{0, 1, 2},
			reference: intFire1, receptors: []receptor{{"", 220, 0.1, 0.6}, {"", 60, -0.3, -0.1}}},
		{name: "IntFire2", model: "IntFire2", potential: "m", states: []string{"i"}, end: 500, seed: 13, draws: []uint64{0, 1, 2},
			reference: intFire2, params: map[string]float64{"ib": 0.3}, receptors: []receptor{{"", 200, 0.1, 0.6}, {"", 60, -0.3, -0.1}}},
		{name: "IntFire4", model: "IntFire4", potential: "m", states: []string{"e", "i1", "i2"}, end: 500, seed: 14, draws: []uint64{0, 1, 2},
			reference: intFire4, receptors: []receptor{{"", 200, 0.1, 0.6}, {"", 60, -0.3, -0.1}}},
	}
}

// checkNeurons compares every driven neuron with the reference, at two tolerances.
func checkNeurons(t *testing.T, m mode) (rows []Check) {
	for _, c := range driven() {
		rows = append(rows, checkDriven(t, c)...)
	}
	for _, c := range closed() {
		refs := c.references()
		r := c.compare(t, refs, nil)
		rows = append(rows,
			Check{Name: c.name + ": neurons with a spike more or less", Unit: "1", Expected: 0, Got: float64(r.wrong),
				Why: fmt.Sprintf("integration of the equations to 1e-13 in the test; %d spikes, %d arrivals per neuron at random picoseconds", r.spikes, c.arrivals())},
			Check{Name: "… worst spike time", Unit: "ps", Expected: 0, Got: r.late * 1e9, Tolerance: 1.01, Why: "a closed form here: both round a crossing to 1 ps once"},
			Check{Name: "… worst " + c.voltage() + ", relative", Unit: "1", Expected: 0, Got: r.v, Tolerance: 1e-11, Why: fmt.Sprintf("the reference's rounding over 500 ms; %d samples off every grid", r.samples)})
		if c.states != nil {
			rows = append(rows, Check{Name: "… worst of " + strings.Join(c.states, ", ") + ", relative", Unit: "1", Expected: 0, Got: r.states, Tolerance: 1e-11, Why: "as above, of the largest value"})
		}
	}
	return rows
}

func checkDriven(t *testing.T, c trial) (rows []Check) {
	refs := c.references()
	cond := c.condition(refs)
	if !(cond <= 3) {
		t.Errorf("%s: 1 mV at every arrival moves a spike by %.3g ms: the inputs are near to chaos", c.name, cond)
	}
	for _, rtol := range []float64{1e-6, 1e-9} {
		r := c.compare(t, refs, values("rtol", rtol))
		name := fmt.Sprintf("%s, rtol %g", c.name, rtol)
		rows = append(rows,
			Check{Name: name + ": neurons with a spike more or less", Unit: "1", Expected: 0, Got: float64(r.wrong),
				Why: fmt.Sprintf("integration of the equations to 1e-13 in the test; %d spikes, %d arrivals per neuron at random picoseconds", r.spikes, c.arrivals())},
			Check{Name: "… worst spike time", Unit: "ms", Expected: 0, Got: r.late, Tolerance: 100 * rtol,
				Why: fmt.Sprintf("100 rtol; 1 mV at every arrival moves no spike of these inputs by more than %.2g ms", cond)},
			Check{Name: "… worst V_m, relative", Unit: "1", Expected: 0, Got: r.v, Tolerance: 100 * rtol, Why: fmt.Sprintf("100 rtol of |V| + |V'|·1 ms + 1 mV; %d samples off every grid", r.samples)},
			Check{Name: "… worst of " + strings.Join(c.states, ", ") + ", relative", Unit: "1", Expected: 0, Got: r.states, Tolerance: 100 * rtol, Why: "100 rtol of the largest value"})
	}
	return rows
}
