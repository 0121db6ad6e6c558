package neuron

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// fine integrates a System with classical Runge–Kutta steps of at most h ms
// between arrivals: slow, obvious, and without anything of Cells but Slopes. It
// finds a threshold crossing by bisection on the length of its last step.
func fine(sys System, arrivals []Arrival, end, h float64) (spikes []float64, y Vector) {
	n := len(sys.Vars)
	for j, v := range sys.Vars {
		y[j] = v.Start
	}
	t, free, current := 0., math.Inf(-1), 0.
	tRef := sys.TRef.MS()
	step := func(y Vector, d float64, held bool) Vector {
		var k [4]Vector
		z := y
		for s, c := range []float64{0, 0.5, 0.5, 1} {
			for j := range n {
				if s > 0 {
					z[j] = y[j] + c*d*k[s-1][j]
				}
			}
			sys.Slopes(&k[s], &z, current, held)
		}
		for j := range n {
			y[j] += d / 6 * (k[0][j] + 2*k[1][j] + 2*k[2][j] + k[3][j])
		}
		return y
	}
	spike := func() {
		spikes = append(spikes, t)
		if sys.Reset != nil {
			sys.Reset(&y)
		}
		free = t + tRef
	}
	slope := func(y Vector) float64 {
		var dy Vector
		sys.Slopes(&dy, &y, current, false)
		return dy[0]
	}
	bisect := func(y Vector, d float64, past func(Vector) bool) float64 {
		lo, hi := 0., d
		for range 60 {
			if m := (lo + hi) / 2; past(step(y, m, false)) {
				hi = m
			} else {
				lo = m
			}
		}
		return hi
	}
	for k := 0; ; {
		stop := end
		if k < len(arrivals) {
			stop = arrivals[k].At.MS()
		}
		for t < stop {
			held := sys.Hold && t < free-1e-12
			d := min(h, stop-t)
			if held {
				d = min(d, free-t)
			}
			if sys.Level > -20 && !sys.Summit { // an upstroke, ever steeper
				d = min(d, 0.2/math.Abs(slope(y)))
			}
			z := step(y, d, held)
			switch {
			case sys.Summit:
				if slope(y) > 0 && slope(z) <= 0 {
					d = bisect(y, d, func(z Vector) bool { return slope(z) <= 0 })
					if z = step(y, d, false); z[0] >= sys.Level && t+d >= free {
						y, t = z, t+d
						spike()
						continue
					}
				}
			case !held && z[0] >= sys.Level:
				d = bisect(y, d, func(z Vector) bool { return z[0] >= sys.Level })
				y, t = step(y, d, false), t+d
				spike()
				continue
			}
			y, t = z, t+d
			if stop-t < 1e-12 {
				t = stop
			}
		}
		if k == len(arrivals) {
			return spikes, y
		}
		rising := slope(y) > 0
		for at := arrivals[k].At; k < len(arrivals) && arrivals[k].At == at; k++ {
			a := arrivals[k]
			if a.Port == PortCurrent {
				current += a.Weight
				continue
			}
			in := sys.Inputs[a.Port]
			w := a.Weight
			if in.Magnitude {
				w = math.Abs(w)
			}
			y[in.Var] += in.Gain * w
		}
		if y[0] >= sys.Level && t >= free && (!sys.Summit || rising && slope(y) <= 0) {
			spike()
		}
	}
}

// drive draws random arrivals off any grid.
func drive(seed uint64, n int, end event.Time, weights []float64) []Arrival {
	r := rand.New(rand.NewPCG(seed, 1))
	a := make([]Arrival, n)
	for k := range a {
		p := r.IntN(len(weights))
		a[k] = Arrival{At: event.Time(r.Int64N(int64(end))), Port: uint8(p), Weight: weights[p] * (0.5 + r.Float64())}
	}
	slices.SortStableFunc(a, func(x, y Arrival) int { return int(min(max(x.At-y.At, -1), 1)) })
	return a
}

// system is the System of a built-in model.
func system(t testing.TB, name string, v quantity.Values) (System, Dynamics) {
	t.Helper()
	m, ok := Lookup(name)
	if !ok {
		t.Fatalf("no model %s", name)
	}
	d, err := m.New(v, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := d.(*Cells); ok {
		return *c.s.sys, d
	}
	v = maps.Clone(v)
	if v == nil {
		v = quantity.Values{}
	}
	v["fixed_step"] = number(1) // iaf_cond_exp: not the specialised way
	plain, err := m.New(v, 1)
	if err != nil {
		t.Fatal(err)
	}
	return *plain.(*Cells).s.sys, d
}

func number(x float64) quantity.Value { return quantity.Value{Number: x} }

func TestAgainstFineSteps(t *testing.T) {
	for _, c := range []struct {
		model   string
		params  quantity.Values
		weights []float64
		n       int
	}{
		{"iaf_cond_exp", quantity.Values{"tau_syn_ex": number(5), "tau_syn_in": number(10), "E_in": number(-80)}, []float64{15, -15}, 300},
		{"iaf_cond_exp", quantity.Values{"tau_syn_ex": number(5), "tau_syn_in": number(2), "E_in": number(-80)}, []float64{8, -30}, 300},
		{"iaf_cond_exp", quantity.Values{"I_e": number(400)}, []float64{50, -5}, 300},
		{"iaf_cond_exp", quantity.Values{"I_e": number(260), "tau_syn_ex": number(3), "tau_syn_in": number(1), "t_ref": number(0)}, []float64{15, -200}, 500},
		{"iaf_cond_alpha", quantity.Values{"tau_syn_ex": number(2), "tau_syn_in": number(4)}, []float64{10, -10}, 300},
		{"iaf_cond_multi", quantity.Values{"tau_rise_GABA_A": number(7), "g_L": number(10)}, []float64{10, 5, 0.3, 5}, 400},
		{"aeif_cond_exp", quantity.Values{"tau_syn_ex": number(3)}, []float64{12, -10}, 300},
		{"aeif_cond_exp", quantity.Values{"tau_syn_ex": number(3), "Delta_T": number(0), "t_ref": number(1)}, []float64{12, -10}, 300},
		{"aeif_cond_alpha", quantity.Values{"tau_syn_ex": number(2), "t_ref": number(2)}, []float64{12, -10}, 300},
		{"izhikevich", quantity.Values{"I_e": number(12)}, []float64{2, -2}, 300},
		{"hh_psc_alpha", quantity.Values{"tau_syn_ex": number(1)}, []float64{300, -300}, 400},
		{"hh_cond_exp_traub", nil, []float64{8, -15}, 300},
	} {
		t.Run(c.model, func(t *testing.T) {
			for seed := range uint64(3) {
				sys, d := system(t, c.model, c.params)
				end := 200 * event.Millisecond
				a := drive(seed, c.n, end, c.weights)
				got, err := d.Advance(0, 0, end, a, nil)
				if err != nil {
					t.Fatal(err)
				}
				want, y := fine(sys, a, end.MS(), 0.005)
				if len(got) != len(want) || len(want) == 0 {
					t.Fatalf("seed %d: %d spikes, want %d", seed, len(got), len(want))
				}
				worst := 0.
				for k := range got {
					worst = max(worst, math.Abs(got[k].MS()-want[k]))
				}
				d.(Lazy).Sync(0, end)
				t.Logf("seed %d: %d spikes, differences up to %.2g ms; V %.9g, want %.9g", seed, len(got), worst, *d.State(0, "V_m"), y[0])
				if worst > 1e-4 {
					t.Errorf("seed %d: spikes differ by %g ms", seed, worst)
				}
			}
		})
	}
}
