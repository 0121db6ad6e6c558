package validation

import (
	"fmt"
	"math"
	"testing"

	"hmn/event/quantity"
	"hmn/network"
)

// lone is one neuron without inputs: its spikes [ms] in span ms.
func lone(t *testing.T, model string, p map[string]float64, init map[string]float64, span float64) []float64 {
	t.Helper()
	return loneWith(t, model, p, nil, init, span).byNeuron(0, 1)[0]
}

func loneWith(t *testing.T, model string, p map[string]float64, extra quantity.Values, init map[string]float64, span float64, records ...network.Record) *tape {
	t.Helper()
	v := quantity.Values{}
	for k, x := range p {
		v[k] = quantity.Value{Number: x}
	}
	for k, x := range extra {
		v[k] = x
	}
	first := map[string]network.Value{}
	for k, x := range init {
		first[k] = constant(x)
	}
	m := &network.Model{Populations: []network.Population{population("n", 1, model, v, first)}, Records: append([]network.Record{record("spikes", "n", 0)}, records...)}
	return play(t, m, ms(span))
}

// alone is the reference without inputs: its spikes [ms] in span ms.
func alone(s *specimen, init map[string]float64, span float64) (out []float64) {
	for k, x := range init {
		for i, n := range s.names {
			if n == k {
				s.y[i] = x
			}
		}
	}
	s.play(nil, ms(span), 0, nil)
	for _, at := range s.spikes {
		out = append(out, at.MS())
	}
	return out
}

// furthest is the greatest distance of spikes in two trains; infinite when they have
// different numbers.
func furthest(a, b []float64) (d float64) {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	for k := range a {
		d = math.Max(d, math.Abs(a[k]-b[k]))
	}
	return d
}

// intervals of a train.
func intervals(t []float64) (out []float64) {
	for k := 1; k < len(t); k++ {
		out = append(out, t[k]-t[k-1])
	}
	return out
}

// checkCondCurves: leaky neurons with conductances. With constant conductances they
// are leaky neurons of another time constant and rest, in closed form.
func checkCondCurves(t *testing.T, _ mode) (rows []Check) {
	const c, gl, el, vth, vr, ref, eex, ein = 250, 16.6667, -70.0, -55.0, -60.0, 2.0, 0.0, -85.0
	for _, model := range []string{"iaf_cond_exp", "iaf_cond_alpha"} {
		// f–I.
		worst := 0.0
		for _, i := range []float64{251, 260, 300, 500, 1000, 5000} {
			inf := el + i/gl
			want := ref + c/gl*math.Log((inf-vr)/(inf-vth))
			s := lone(t, model, map[string]float64{"I_e": i, "rtol": 1e-9}, nil, 1500)
			for _, x := range intervals(s) {
				worst = math.Max(worst, math.Abs(x-want)/want)
			}
			if len(s) < 10 {
				t.Errorf("%s: %d spikes at %v pA", model, len(s), i)
			}
		}
		// The slope at threshold is least at 251 pA, (251 − 250.0005)/250 = 0.004 mV/ms.
		rows = append(rows, Check{Name: model + ": f–I, six currents from 251 to 5000 pA, worst interval, relative", Unit: "1", Expected: 0, Got: worst, Tolerance: 1e-9 * 100,
			Why: "t_ref + τ ln((V∞−V_r)/(V∞−V_th)), V∞ = E_L + I/g_L; 100 rtol"})
		// Rheobase.
		rheobase := gl * (vth - el)
		fires := func(i float64) bool {
			return len(lone(t, model, map[string]float64{"I_e": i, "rtol": 1e-10}, nil, 500)) > 0
		}
		got := crossover(rheobase*0.9, rheobase*1.1, 1e-7*rheobase, fires)
		rows = append(rows, Check{Name: model + ": rheobase", Unit: "pA", Expected: rheobase, Got: got, Tolerance: 2e-7 * rheobase,
			Why: "g_L (V_th − E_L); 500 ms are 33 τ: e^−33 of 15 mV more is needed to fire in time; bisection to 1e-7"})
		// Constant conductances: of a time constant of 10⁶ ms, set at the start; an
		// interval is compared for their values at its middle.
		if model == "iaf_cond_exp" {
			const tau, ge, gi = 1e6, 12.0, 20.0
			s := lone(t, model, map[string]float64{"I_e": 400, "tau_syn_ex": tau, "tau_syn_in": tau, "rtol": 1e-9}, map[string]float64{"g_ex": ge, "g_in": gi}, 400)
			worst := 0.0
			for k, x := range intervals(s) {
				f := math.Exp(-(s[k] + s[k+1] + ref) / 2 / tau)
				g := gl + f*(ge+gi)
				inf := (gl*el + f*(ge*eex+gi*ein) + 400) / g
				want := ref + c/g*math.Log((inf-vr)/(inf-vth))
				worst = math.Max(worst, math.Abs(x-want)/want)
			}
			if len(s) < 10 {
				t.Errorf("%s: %d spikes with constant conductances", model, len(s))
			}
			rows = append(rows, Check{Name: model + ": intervals with g_ex = 12 nS, g_in = 20 nS held, relative", Unit: "1", Expected: 0, Got: worst, Tolerance: 2e-6,
				Why: "τ = C/Σg, V∞ = Σ g E/Σg; the conductances fall by 1e-5 in an interval, of which all but some tenth is taken by their middle value"})
		}
	}
	return rows
}

// crossover is where f becomes true between lo (false) and hi (true), to within step.
func crossover(lo, hi, step float64, f func(float64) bool) float64 {
	for hi-lo > step {
		if m := lo + (hi-lo)/2; f(m) {
			hi = m
		} else {
			lo = m
		}
	}
	return lo + (hi-lo)/2
}

// patterns of AdEx: Naud et al. 2008 (doi:10.1007/s00422-008-0264-7), table 1; NEST's
// units are the paper's. looks says what the paper calls the pattern.
var patterns = []struct {
	name  string
	p     map[string]float64
	looks func(isi []float64) bool
}{
	{"tonic", map[string]float64{"C_m": 200, "g_L": 10, "E_L": -70, "V_th": -50, "Delta_T": 2, "a": 2, "tau_w": 30, "b": 0, "V_reset": -58, "I_e": 500},
		func(x []float64) bool { return math.Abs(x[len(x)-1]/x[len(x)/2]-1) < 1e-3 }},
	{"adapting", map[string]float64{"C_m": 200, "g_L": 12, "E_L": -70, "V_th": -50, "Delta_T": 2, "a": 2, "tau_w": 300, "b": 60, "V_reset": -58, "I_e": 500},
		func(x []float64) bool {
			for k := 1; k < len(x); k++ {
				if x[k] <= x[k-1] {
					return false
				}
			}
			return x[len(x)-1] > 2*x[0]
		}},
	{"initial burst", map[string]float64{"C_m": 130, "g_L": 18, "E_L": -58, "V_th": -50, "Delta_T": 2, "a": 4, "tau_w": 150, "b": 120, "V_reset": -50, "I_e": 400},
		func(x []float64) bool {
			return x[0] < 15 && x[len(x)-1] > 5*x[0] && math.Abs(x[len(x)-1]/x[len(x)-2]-1) < 0.01
		}},
	{"regular bursting", map[string]float64{"C_m": 200, "g_L": 10, "E_L": -58, "V_th": -50, "Delta_T": 2, "a": 2, "tau_w": 120, "b": 100, "V_reset": -46, "I_e": 210},
		func(x []float64) bool { // bursts of the same number of spikes, again and again
			var size []int
			n := 1
			for _, d := range x {
				if d > 50 {
					size, n = append(size, n), 1
				} else {
					n++
				}
			}
			if len(size) < 4 || n < 2 && size[1] < 2 {
				return false
			}
			for _, k := range size[1:] {
				if k != size[1] {
					return false
				}
			}
			return size[1] > 1
		}},
}

// checkAdEx: rheobase and patterns.
func checkAdEx(t *testing.T, _ mode) (rows []Check) {
	// Touboul & Brette 2008 (doi:10.1007/s00422-008-0267-4): where the resting state
	// ceases to be: by a saddle-node (a/g_L < τ_m/τ_w) or Hopf bifurcation.
	for _, c := range []struct {
		name string
		a    float64
	}{{"saddle-node, a = 0.5 nS", 0.5}, {"Hopf, a = 4 nS (NEST's)", 4}} {
		const cm, gl, el, vt, delta, tau = 281, 30, -70.6, -50.4, 2.0, 144
		taum := float64(cm) / gl
		x := c.a / gl // e^((V*−V_T)/Δ_T) − 1 where rest is lost
		if c.a/gl > taum/tau {
			x = taum / tau
		}
		v := vt + delta*math.Log(1+x)
		want := (gl+c.a)*(v-el) - gl*delta*(1+x)
		// From rest, and 0.01 mV beside it; where there is none, from where it was last.
		fires := func(i float64) bool {
			f := func(v float64) float64 { return (gl+c.a)*(v-el) - gl*delta*math.Exp((v-vt)/delta) - i }
			rest := vt + delta*math.Log(1+c.a/gl)
			if f(rest) > 0 {
				rest = bisect(el, rest, func(v float64) bool { return f(v) >= 0 })
			}
			return len(lone(t, "aeif_cond_exp", map[string]float64{"a": c.a, "I_e": i}, map[string]float64{"V_m": rest + 0.01, "w": c.a * (rest - el)}, 20000)) > 0
		}
		got := crossover(want-2, want+2, 0.005, fires)
		rows = append(rows, Check{Name: "aeif_cond_exp: rheobase, " + c.name, Unit: "pA", Expected: want, Got: got, Tolerance: 0.05,
			Why: "(g_L+a)(V*−E_L) − g_L Δ_T e^((V*−V_T)/Δ_T) with e^… = 1 + a/g_L or 1 + τ_m/τ_w; within 20 s, 0.01 mV beside rest: 0.03 pA more grow 0.01 mV by e⁸"})
	}
	// Slope factors down to none: the upstroke becomes a jump.
	for _, delta := range []float64{0, 0.08, 0.5, 10} {
		p := map[string]float64{"Delta_T": delta, "I_e": 1000}
		want := alone(aeif(false, p), nil, 100)
		rows = append(rows, Check{Name: fmt.Sprintf("aeif_cond_exp: Delta_T = %g mV: worst spike time", delta), Unit: "ms", Expected: 0, Got: furthest(lone(t, "aeif_cond_exp", p, nil, 100), want), Tolerance: 1e-4 * float64(len(want)),
			Why: fmt.Sprintf("the reference's %d spikes in 100 ms; 100 rtol for each", len(want))})
	}
	for _, p := range patterns {
		for _, model := range []string{"aeif_cond_exp", "aeif_cond_alpha"} {
			const span = 600
			want := alone(aeif(model == "aeif_cond_alpha", p.p), nil, span)
			got := lone(t, model, p.p, nil, span)
			if !p.looks(intervals(want)) {
				t.Errorf("%s: the reference is not %s: intervals %.4g ms", model, p.name, intervals(want))
			}
			holds := 0.0
			if len(got) > 2 && p.looks(intervals(got)) {
				holds = 1
			}
			rows = append(rows, Check{Name: fmt.Sprintf("%s: %s (Naud et al. 2008)", model, p.name), Unit: "1", Expected: 1, Got: holds, Why: "the paper's description of the intervals: equal; ever longer; a burst, then equal; bursts of one size"},
				Check{Name: "… worst spike time", Unit: "ms", Expected: 0, Got: furthest(got, want), Tolerance: 100 * 1e-6 * float64(len(want)),
					Why: fmt.Sprintf("the reference's %d spikes in %d ms; 100 rtol for each, as an interval begins where the last one ended", len(want), span)})
		}
	}
	return rows
}

// kinds are the neurons of Izhikevich 2003 (doi:10.1109/TNN.2003.820440), figure 2.
var kinds = []struct {
	name       string
	a, b, c, d float64
	i          float64
	looks      func(isi []float64) bool
}{
	{"RS", 0.02, 0.2, -65, 8, 10, func(x []float64) bool { return x[len(x)-1] > 1.3*x[0] }},
	{"IB", 0.02, 0.2, -55, 4, 10, func(x []float64) bool { return x[0] < 6 && x[len(x)-1] > 3*x[0] }},
	{"CH", 0.02, 0.2, -50, 2, 10, func(x []float64) bool { // bursts all along
		long, short := 0, 0
		for _, d := range x {
			if d > 15 {
				long++
			} else if d < 6 {
				short++
			}
		}
		return long > 2 && short > 2*long
	}},
	{"FS", 0.1, 0.2, -65, 2, 10, func(x []float64) bool { return x[len(x)-1] < 1.1*x[3] && x[len(x)-1] < 10 }},
	{"LTS", 0.02, 0.25, -65, 2, 10, func(x []float64) bool { return x[len(x)-1] > 1.3*x[0] && x[0] < 10 }},
	{"RZ, above threshold", 0.1, 0.26, -65, 2, 10, func(x []float64) bool { return math.Abs(x[len(x)-1]/x[len(x)-2]-1) < 0.05 }},
	{"TC", 0.02, 0.25, -65, 0.05, 10, func(x []float64) bool { return math.Abs(x[len(x)-1]/x[len(x)-2]-1) < 0.01 }},
}

func checkIzhikevich(t *testing.T, _ mode) (rows []Check) {
	// 0.04 V² + (5−b) V + 140 + I = 0 loses its solutions at I = (5−b)²/0.16 − 140;
	// before, for a < b, rest becomes unstable where 0.08 V + 5 = a.
	for _, c := range []struct {
		name string
		a, b float64
	}{{"Hopf, RS (a < b)", 0.02, 0.2}, {"saddle-node, a = 0.3 > b = 0.2", 0.3, 0.2}} {
		want := (5-c.b)*(5-c.b)/0.16 - 140
		if c.a < c.b {
			v := (c.a - 5) / 0.08
			want = -(0.04*v*v + (5-c.b)*v + 140)
		}
		// From rest at a current 0.01 below.
		rest := (-(5 - c.b) - math.Sqrt((5-c.b)*(5-c.b)-0.16*(140+want-0.01))) / 0.08
		fires := func(i float64) bool {
			return len(lone(t, "izhikevich", map[string]float64{"a": c.a, "b": c.b, "I_e": i}, map[string]float64{"V_m": rest, "U_m": c.b * rest}, 20000)) > 0
		}
		rows = append(rows, Check{Name: "izhikevich: rheobase, " + c.name, Unit: "pA", Expected: want, Got: crossover(want-0.05, want+0.05, 2e-4, fires), Tolerance: 0.005,
			Why: "where rest ceases to be or to be stable; within 20 s from rest at 0.01 pA less"})
	}
	for _, k := range kinds {
		p := map[string]float64{"a": k.a, "b": k.b, "c": k.c, "d": k.d, "I_e": k.i}
		init := map[string]float64{"V_m": -70, "U_m": k.b * -70}
		const span = 300
		want := alone(izhikevich(p), init, span)
		got := lone(t, "izhikevich", p, init, span)
		if !k.looks(intervals(want)) {
			t.Errorf("izhikevich: the reference is not %s: intervals %.4g ms", k.name, intervals(want))
		}
		holds := 0.0
		if len(got) > 2 && k.looks(intervals(got)) {
			holds = 1
		}
		rows = append(rows, Check{Name: "izhikevich: " + k.name + " (Izhikevich 2003)", Unit: "1", Expected: 1, Got: holds, Why: "figure 2 of the paper, as properties of the intervals under 10 pA"},
			Check{Name: "… worst spike time", Unit: "ms", Expected: 0, Got: furthest(got, want), Tolerance: 100 * 1e-6 * float64(len(want)), Why: fmt.Sprintf("the reference's %d spikes in %d ms; 100 rtol for each, as an interval begins where the last one ended", len(want), span)})
	}
	return rows
}

// grid2003 is the simulation printed in Izhikevich 2003: steps of 1 ms, in which v is
// advanced by two halves and u once; a spike is seen at the start of a step. The
// operations are in the order of his later programs, (0.04 v + 5) v: the discrete
// system is chaotic, and 0.04 v² + 5 v, as printed, gives other spikes after a second.
func grid2003(a, b, c, d, i, v, u float64, steps int) (spikes []float64) {
	for k := range steps {
		if v >= 30 {
			spikes = append(spikes, float64(k))
			v, u = c, u+d
		}
		v += 0.5 * ((0.04*v+5)*v + 140 - u + i)
		v += 0.5 * ((0.04*v+5)*v + 140 - u + i)
		u += a * (b*v - u)
	}
	return spikes
}

// checkPaperGrid: the program of the paper, spike for spike.
func checkPaperGrid(t *testing.T, _ mode) (rows []Check) {
	for _, k := range kinds {
		const n = 1000
		want := grid2003(k.a, k.b, k.c, k.d, k.i, -65, k.b*-65, n)
		for i := range want {
			want[i]-- // the program sees v ≥ 30 when the step that led there is over; hmn gives that step's time
		}
		got := lone(t, "izhikevich_2003_grid", map[string]float64{"a": k.a, "b": k.b, "c": k.c, "d": k.d, "I_e": k.i}, nil, n-1)
		rows = append(rows, Check{Name: "izhikevich_2003_grid: " + k.name + ": worst spike time", Unit: "ms", Expected: 0, Got: furthest(got, want), Tolerance: 1e-9,
			Why: fmt.Sprintf("the program written out in the test: the same operations in the order of spnet.m, %d spikes in 1 s", len(want))})
	}
	return rows
}

// checkNMDA: the current–voltage curve of the NMDA receptor. A capacitance of 10⁶ pF
// holds the potential as a clamp does: what moves it in 1 ms is the current.
func checkNMDA(t *testing.T, _ mode) (rows []Check) {
	const g, c, tau = 10.0, 1e6, 1e6
	for _, mg := range []float64{0, 1} {
		current := func(v float64) (i, at float64) {
			p := map[string]float64{"C_m": c, "g_L": 1e-6, "E_L": v, "V_th": 200, "Mg": mg, "tau_decay_NMDA": tau, "rtol": 1e-12}
			_, x := loneWith(t, "iaf_cond_multi", p, nil, map[string]float64{"V_m": v, "g_NMDA": g}, 1.5, record("V_m", "n", ms(1))).signal(1, 0)
			return -(x[1] - x[0]) * c, (x[0] + x[1]) / 2
		}
		jahr := func(v float64) float64 { return g * math.Exp(-0.5/tau) * unblocked(v, mg) * v }
		worst := 0.0
		for v := -95.0; v <= 50; v += 5 {
			i, at := current(v)
			worst = math.Max(worst, math.Abs(i-jahr(at)))
		}
		rows = append(rows, Check{Name: fmt.Sprintf("iaf_cond_multi: NMDA current, −95 to 50 mV, %g mM Mg: worst", mg), Unit: "pA", Expected: 0, Got: worst, Tolerance: 1e-6,
			Why: "g V/(1 + [Mg]/3.57 e^(−0.062 V)), Jahr & Stevens 1990; currents to 950 pA; V to its last digits, 1e-14 mV, times C/1 ms is 1e-8 pA, rtol 1e-12 of V − E_L + 1 mV is 1e-6"})
		if mg == 0 {
			continue
		}
		// Between −95 mV and the peak of inward current its slope is negative.
		falls := func(f func(float64) float64) float64 {
			return crossover(-60, 0, 0.01, func(v float64) bool { return f(v+0.5) > f(v-0.5) })
		}
		want := falls(jahr)
		rows = append(rows, Check{Name: "… potential of the greatest inward current", Unit: "mV", Expected: want, Got: falls(func(v float64) float64 { i, _ := current(v); return i }), Tolerance: 0.02,
			Why: "where the slope of the same curve turns from negative to positive, both by bisection to 0.01 mV"})
	}
	return rows
}

// checkHH: what current makes a Hodgkin–Huxley neuron fire, how fast, and how soon
// again.
func checkHH(t *testing.T, _ mode) (rows []Check) {
	for _, c := range []struct {
		model     string
		reference func(map[string]float64) *specimen
		lo, hi    float64 // pA
		currents  []float64
		pulse     float64
		pulsed    map[string]float64 // parameters while pulses are given
		published string
	}{
		{"hh_psc_alpha", hhPscAlpha, 550, 700, []float64{700, 1000, 2000, 4000}, 4000, nil, "; Rinzel & Miller 1980 (doi:10.1016/0025-5564(80)90109-1) have 6.2 to 6.3 µA/cm²"},
		{"hh_cond_exp_traub", hhTraub, -300, 400, []float64{300, 500, 1000, 2000}, 150, map[string]float64{"I_e": -100, "tau_syn_ex": 0.5}, ""},
	} {
		// Where a constant current, from rest at t = 0, makes it fire on and on.
		goes := func(x []float64) bool { return len(x) > 0 && x[len(x)-1] > 350 }
		want := crossover(c.lo, c.hi, 0.05, func(i float64) bool { return goes(alone(c.reference(map[string]float64{"I_e": i}), nil, 400)) })
		got := crossover(c.lo, c.hi, 0.05, func(i float64) bool { return goes(lone(t, c.model, map[string]float64{"I_e": i}, nil, 400)) })
		rows = append(rows, Check{Name: c.model + ": current that makes it fire for 400 ms", Unit: "pA", Expected: want, Got: got, Tolerance: 0.1, Why: "the reference, both by bisection to 0.05 pA" + c.published})
		worst, n := 0.0, 0
		for _, i := range c.currents {
			want := alone(c.reference(map[string]float64{"I_e": i}), nil, 200)
			got := lone(t, c.model, map[string]float64{"I_e": i}, nil, 200)
			worst, n = math.Max(worst, furthest(got, want)/float64(len(want))), n+len(want)
		}
		rows = append(rows, Check{Name: fmt.Sprintf("%s: f–I, %v pA, worst spike time by its number", c.model, c.currents), Unit: "ms", Expected: 0, Got: worst, Tolerance: 1e-4, Why: fmt.Sprintf("the reference's %d spikes; 100 rtol for each, as an interval begins where the last one ended", n)})
		// t_ref = 0: an action potential is still one spike.
		still := furthest(lone(t, c.model, map[string]float64{"I_e": 1000, "t_ref": 0}, nil, 200), lone(t, c.model, map[string]float64{"I_e": 1000}, nil, 200))
		rows = append(rows, Check{Name: c.model + ": spikes with t_ref = 0 against those with 2 ms", Unit: "ms", Expected: 0, Got: still, Why: "intervals are longer than 2 ms, so nothing may differ"})
		// Two pulses: how soon the second makes a spike.
		second := func(gap float64, play func(trial) int) bool {
			x := trial{model: c.model, reference: c.reference, params: c.pulsed, end: 60, written: [][]stroke{{{at: ms(5), w: c.pulse}, {at: ms(5 + gap), w: c.pulse}}}}
			return play(x) == 2
		}
		want = crossover(1, 25, 0.002, func(g float64) bool { return second(g, func(x trial) int { return len(x.solve(0, 0).spikes) }) })
		got = crossover(1, 25, 0.002, func(g float64) bool {
			return second(g, func(x trial) int { return len(play(t, x.description(nil), ms(x.end)).spikes) })
		})
		rows = append(rows, Check{Name: fmt.Sprintf("%s: refractory for a second pulse of %v", c.model, c.pulse), Unit: "ms", Expected: want, Got: got, Tolerance: 0.004, Why: "the reference, both by bisection to 0.002 ms"})
		// The weakest pulse.
		one := func(w float64) trial {
			return trial{model: c.model, reference: c.reference, params: c.pulsed, end: 40, written: [][]stroke{{{at: ms(5), w: w}}}}
		}
		want = crossover(0, c.pulse, c.pulse*1e-5, func(w float64) bool { x := one(w); return len(x.solve(0, 0).spikes) > 0 })
		got = crossover(0, c.pulse, c.pulse*1e-5, func(w float64) bool { x := one(w); return len(play(t, x.description(nil), ms(x.end)).spikes) > 0 })
		rows = append(rows, Check{Name: c.model + ": weight that just makes a spike", Unit: "pA or nS", Expected: want, Got: got, Tolerance: c.pulse * 2e-5, Why: "the reference, both by bisection to 1e-5 of the interval"})
	}
	return rows
}
