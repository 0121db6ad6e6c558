package neuron

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
)

// adaptive are the models that are integrated, with arrivals that keep them below
// threshold and some that do not.
var adaptive = []struct {
	model      string
	calm, busy []float64  // weights by port
	steps      [2]float64 // ms, small enough for the order to show and large enough for an error
}{
	{"iaf_cond_exp", []float64{0.3, -0.5}, []float64{15, -10}, [2]float64{0.5, 0.25}},
	{"iaf_cond_alpha", []float64{0.3, -0.5}, []float64{15, -10}, [2]float64{0.5, 0.25}},
	{"iaf_cond_multi", []float64{0.5, 0.2, 0.2, 1}, []float64{15, 3, 0.3, 3}, [2]float64{0.125, 0.0625}},
	{"aeif_cond_exp", []float64{0.3, -0.5}, []float64{20, -10}, [2]float64{0.5, 0.25}},
	{"aeif_cond_alpha", []float64{0.3, -0.5}, []float64{20, -10}, [2]float64{0.5, 0.25}},
	{"izhikevich", []float64{0.2, -0.2}, []float64{8, -4}, [2]float64{0.25, 0.125}},
	{"hh_psc_alpha", []float64{20, -20}, []float64{500, -100}, [2]float64{0.125, 0.0625}},
	{"hh_cond_exp_traub", []float64{0.1, -0.2}, []float64{10, -10}, [2]float64{1. / 64, 1. / 128}},
}

// synapses gives a model time constants of some milliseconds where it has any.
func synapses(model string) quantity.Values {
	v := quantity.Values{}
	if m, _ := Lookup(model); m != nil {
		for key, x := range map[string]float64{"tau_syn_ex": 3, "tau_syn_in": 5} {
			if _, ok := m.Param(key); ok {
				v[key] = number(x)
			}
		}
	}
	if model == "hh_cond_exp_traub" {
		v["I_e"] = number(-100) // it fires by itself otherwise
	}
	return v
}

// and adds a parameter.
func and(v quantity.Values, key string, x float64) quantity.Values {
	v = maps.Clone(v)
	v[key] = number(x)
	return v
}

// after is the state of one neuron after the arrivals, as V_m, and its spikes.
func after(t testing.TB, model string, v quantity.Values, a []Arrival, end event.Time) (float64, []event.Time) {
	t.Helper()
	m, _ := Lookup(model)
	d, err := m.New(v, 1)
	if err != nil {
		t.Fatal(err)
	}
	spikes, err := d.Advance(0, 0, end, a, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.(Lazy).Sync(0, end)
	return *d.State(0, "V_m"), spikes
}

// TestToleranceOrder: a step's error estimate is of order 5 and made equal to the
// tolerance, so the error goes with the first power of rtol (Hairer, Nørsett &
// Wanner 1993, II.4: tolerance proportionality). The reference is at 1e-12.
func TestToleranceOrder(t *testing.T) {
	const end = 40 * event.Millisecond
	for _, c := range adaptive {
		if c.model == "iaf_cond_exp" { // TestCondExpTolerance
			continue
		}
		var logs [2]float64
		tols := [2]float64{1e-4, 1e-8}
		const seeds = 24
		for seed := range uint64(seeds) {
			a := drive(seed, 20, end, c.calm)
			want, spikes := after(t, c.model, and(synapses(c.model), "rtol", 1e-12), a, end)
			if len(spikes) > 0 {
				t.Fatalf("%s: spikes: the input is not calm", c.model)
			}
			for k, tol := range tols {
				got, _ := after(t, c.model, and(synapses(c.model), "rtol", tol), a, end)
				logs[k] += math.Log(max(math.Abs(got-want), 1e-13)) / seeds
				if e := math.Abs(got - want); e > 100*tol {
					t.Errorf("%s, seed %d: error %.2g mV at rtol %g", c.model, seed, e, tol)
				}
			}
		}
		slope := (logs[0] - logs[1]) / math.Log(tols[0]/tols[1])
		t.Logf("%-18s error %.2g mV at rtol %g, %.2g at %g: power %.2f; per halving a factor %.2f", c.model, math.Exp(logs[0]), tols[0], math.Exp(logs[1]), tols[1], slope, math.Pow(2, slope))
		if math.Abs(slope-1) > 0.2 {
			t.Errorf("%s: the error goes with rtol to the power of %.2f, want 1 ± 0.2", c.model, slope)
		}
	}
}

// TestCondExpTolerance: the steps of iaf_cond_exp are of an order fixed beforehand
// and end at arrivals, so that their error is not proportional to the tolerance,
// but must stay below it, whatever the time constants.
func TestCondExpTolerance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	worst := 0.
	for range 3000 {
		v := quantity.Values{"tau_syn_ex": number(math.Exp(5*r.Float64() - 2)), "tau_syn_in": number(math.Exp(5*r.Float64() - 2)),
			"rtol": number(math.Exp(-5 - 20*r.Float64()))}
		d, err := newCondExp(v, 1)
		if err != nil {
			t.Fatal(err)
		}
		c := d.(*condExpCells)
		x := condExpCell{v: -85 + 30*r.Float64(), ex: 300 * math.Pow(r.Float64(), 4), in: 300 * math.Pow(r.Float64(), 4)}
		a := c.rC * (c.gL + x.ex + x.in)
		for _, long := range []bool{false, true} {
			h, step := c.reach4/(a+c.rate4), c.short
			if long {
				h, step = c.reach6/(a+c.rate6), c.long
			}
			y, z := x, x
			step(&y, h)
			const parts = 20 // whose error is 20⁸ times smaller
			for range parts {
				c.long(&z, h/parts)
			}
			if e := math.Abs(y.v - z.v); e > 1e-12 {
				worst = max(worst, e/c.tol)
			}
		}
	}
	t.Logf("longest steps: error up to %.2g of a step's tolerance", worst)
	if worst > 2 {
		t.Errorf("a step's error is %g times its tolerance", worst)
	}
}

// TestCondExpAgainstCells compares iaf_cond_exp with the general integration of
// the same equations.
func TestCondExpAgainstCells(t *testing.T) {
	total := 0
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 7))
		v := quantity.Values{"tau_syn_ex": number(math.Exp(3*r.Float64() - 1)), "tau_syn_in": number(math.Exp(3*r.Float64() - 1)),
			"I_e": number(300 * r.Float64()), "t_ref": number(3 * r.Float64()), "rtol": number(1e-10)}
		const end = 300 * event.Millisecond
		a := drive(seed, 400, end, []float64{40, -30})
		for range 3 {
			a = append(a, Arrival{At: event.Time(r.Int64N(int64(end))), Port: PortCurrent, Weight: 200 * r.NormFloat64()})
		}
		slices.SortStableFunc(a, func(x, y Arrival) int { return int(min(max(x.At-y.At, -1), 1)) })
		_, got := after(t, "iaf_cond_exp", v, a, end)
		d, err := integrated("iaf_cond_exp", condExp)(v, 1)
		if err != nil {
			t.Fatal(err)
		}
		want, err := d.Advance(0, 0, end, a, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("seed %d: %d spikes, want %d", seed, len(got), len(want))
		}
		total += len(want)
		for k := range want {
			if e := (got[k] - want[k]).MS(); math.Abs(e) > 1e-7 {
				t.Errorf("seed %d: spike %d differs by %g ms", seed, k, e)
				break
			}
		}
	}
	if total < 200 {
		t.Errorf("only %d spikes were compared", total)
	}
}

// TestFixedStepOrder: with arrivals on the grid the fixed-step mode is the
// classical method of order 4.
func TestFixedStepOrder(t *testing.T) {
	for _, c := range adaptive {
		v := synapses(c.model)
		a := []Arrival{{At: 2 * event.Millisecond, Port: 0, Weight: c.calm[0]}, {At: 5 * event.Millisecond, Port: 1, Weight: c.calm[1]}, {At: 6 * event.Millisecond, Port: 0, Weight: 2 * c.calm[0]}}
		v["rtol"] = number(1e-13)
		var errs [2]float64
		for _, end := range []event.Time{7, 9, 10, 12, 13, 16} {
			end *= event.Millisecond
			want, _ := after(t, c.model, v, a, end)
			for k, h := range c.steps {
				got, _ := after(t, c.model, and(v, "fixed_step", h), a, end)
				errs[k] += math.Abs(got-want) / 6
			}
		}
		order := math.Log2(errs[0] / errs[1])
		t.Logf("%-18s error %.2g mV with %g ms, %.2g with %g: order %.2f", c.model, errs[0], c.steps[0], errs[1], c.steps[1], order)
		if math.Abs(order-4) > 0.35 {
			t.Errorf("%s: order %.2f, want 4", c.model, order)
		}
	}
}

// TestCutsLeaveNoTrace: a neuron that is advanced in one go and one that is cut
// anywhere, and looked at on the way, give the same bits.
func TestCutsLeaveNoTrace(t *testing.T) {
	const end = 120 * event.Millisecond
	for _, c := range adaptive {
		for _, fixed := range []float64{0, 0.02} {
			v := and(synapses(c.model), "fixed_step", fixed)
			a := drive(3, 300, end, c.busy)
			want, spikes := after(t, c.model, v, a, end)
			if len(spikes) == 0 {
				t.Errorf("%s: no spikes: nothing is compared", c.model)
			}
			m, _ := Lookup(c.model)
			d, err := m.New(v, 2)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, 2))
			var got []event.Time
			k := 0
			for from := event.Time(0); from < end; {
				to := min(end, from+1+event.Time(r.Int64N(int64(3*event.Millisecond))))
				n := k
				for n < len(a) && a[n].At < to {
					n++
				}
				if n > k || d.(Lazy).Quiet()[0] < to { // else it may be left alone
					if got, err = d.Advance(0, from, to, a[k:n], got); err != nil {
						t.Fatal(err)
					}
				}
				d.(Copier).Copy(1, 0)
				d.(Lazy).Sync(1, to)
				k, from = n, to
			}
			d.(Lazy).Sync(0, end)
			if v := *d.State(0, "V_m"); !slices.Equal(got, spikes) || math.Float64bits(v) != math.Float64bits(want) {
				t.Errorf("%s, fixed_step %g: %d spikes and V_m = %v, want %d and %v", c.model, fixed, len(got), v, len(spikes), want)
			}
		}
	}
}

// TestFirstAtLeast compares the search for a crossing with a scan.
func TestFirstAtLeast(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	value := func(b [5]float64, s float64) float64 {
		u := 1 - s
		return u*u*u*u*b[0] + 4*u*u*u*s*b[1] + 6*u*u*s*s*b[2] + 4*u*s*s*s*b[3] + s*s*s*s*b[4]
	}
	double := 0
	for n := range 20000 {
		var b [5]float64
		for k := range b {
			b[k] = r.NormFloat64()
		}
		b[0] = -math.Abs(b[0]) - 1e-9
		level := 0.
		if n%2 == 0 { // just above or below the highest point
			top, at := math.Inf(-1), 0.
			for k := range 2001 {
				if v := value(b, float64(k)/2000); v > top {
					top, at = v, float64(k)/2000
				}
			}
			if at == 0 {
				continue
			}
			level = top + []float64{-1e-7, 1e-5}[n/2%2]
			if level <= b[0] {
				continue
			}
		}
		first := math.Inf(1)
		for k := range 4001 {
			if value(b, float64(k)/4000) >= level {
				first = float64(k) / 4000
				break
			}
		}
		s, ok := firstAtLeast(b, level)
		switch {
		case first <= 1 && !ok:
			t.Fatalf("%v reaches %g at %g: missed", b, level, first)
		case ok && math.Abs(value(b, s)-level) > 1e-12:
			t.Fatalf("%v: %g at the crossing of %g", b, value(b, s), level)
		case ok && s > first:
			t.Fatalf("%v reaches %g at %g already, not at %g", b, level, first, s)
		case ok && first <= 1 && s < first-1./4000-1e-12 && value(b, s+1e-6) >= level:
			// Between two points of the scan: allowed only if it comes back.
			if first-s > 2./4000 && value(b, first-1./4000) >= level {
				t.Fatalf("%v reaches %g at %g, not at %g", b, level, first, s)
			}
		}
		if ok && b[4] < level {
			double++
		}
	}
	if double < 1000 {
		t.Errorf("only %d curves came back", double)
	}
}

// TestRefractory: V is held for exactly t_ref while the conductances go on, and
// what arrives counts.
func TestRefractory(t *testing.T) {
	for _, model := range []string{"iaf_cond_exp", "iaf_cond_alpha", "aeif_cond_exp"} {
		v := quantity.Values{"I_e": number(2000), "t_ref": number(3)}
		m, _ := Lookup(model)
		d, _ := m.New(v, 2)
		spikes, err := d.Advance(0, 0, 20*event.Millisecond, nil, nil)
		if err != nil || len(spikes) == 0 {
			t.Fatalf("%s: %d spikes, %v", model, len(spikes), err)
		}
		at := spikes[len(spikes)-1]
		arrival := at + event.Millisecond
		for _, c := range []struct {
			t    event.Time
			held bool
		}{{at, true}, {at + 1, true}, {arrival, true}, {at + 3*event.Millisecond, true}, {at + 3*event.Millisecond + event.Microsecond, false}} {
			d, _ = m.New(v, 1)
			var a []Arrival
			if c.t >= arrival {
				a = []Arrival{{At: arrival, Weight: 5}}
			}
			if _, err := d.Advance(0, 0, c.t+1, a, nil); err != nil {
				t.Fatal(err)
			}
			d.(Lazy).Sync(0, c.t)
			x := *d.State(0, "V_m")
			if held := x == m.Number(v, "V_reset"); held != c.held {
				t.Errorf("%s: V_m = %v mV %v ms after a spike", model, x, c.t-at)
			}
		}
	}
}

// TestSpikesAtOnce: a state at or above the threshold fires at once, and input in
// the instant of a crossing comes first.
func TestSpikesAtOnce(t *testing.T) {
	m, _ := Lookup("izhikevich")
	d, _ := m.New(nil, 1)
	spikes, err := d.Advance(0, 0, event.Millisecond, []Arrival{{At: 7, Weight: 200}}, nil)
	if err != nil || !slices.Equal(spikes, []event.Time{7}) {
		t.Errorf("an arrival beyond the threshold: spikes %v, %v", spikes, err)
	}
	for _, model := range []string{"iaf_cond_exp", "aeif_cond_alpha"} {
		m, _ = Lookup(model)
		d, _ = m.New(quantity.Values{"t_ref": number(2)}, 1)
		*d.State(0, "V_m") = 10
		spikes, err = d.Advance(0, 0, event.Millisecond, nil, nil)
		if err != nil || !slices.Equal(spikes, []event.Time{0}) {
			t.Errorf("%s that starts above its threshold: spikes %v, %v", model, spikes, err)
		}
	}
}

// TestPeakFactor: the difference of exponentials peaks at 1, equal time constants
// and a rise slower than the decay included.
func TestPeakFactor(t *testing.T) {
	for _, c := range [][2]float64{{0.5, 2.4}, {4, 40}, {7, 7}, {7, 7 + 1e-9}, {7, 7.001}, {10, 2}, {60, 200}} {
		rise, decay := c[0], c[1]
		dg, top := peakFactor(rise, decay), 0.
		for k := range 200000 {
			s := float64(k) * 1e-5 * (rise + decay)
			// g = dg (e^(−s/decay) − e^(−s/rise))/(1/rise − 1/decay)
			g := dg * s * math.Exp(-s/rise)
			if x := s * (1/rise - 1/decay); math.Abs(x) > 1e-12 {
				g *= math.Expm1(x) / x
			}
			top = max(top, g)
		}
		if math.Abs(top-1) > 1e-8 {
			t.Errorf("rise %g, decay %g ms: peak %.10g, want 1", rise, decay, top)
		}
	}
}

// TestLinoid: x/(eˣ − 1) = 1 − x/2 + x²/12 − x⁴/720 + ….
func TestLinoid(t *testing.T) {
	for _, x := range []float64{0, 1e-300, -1e-300, 1e-17, -1e-9, 1e-5, 0.01, -0.01} {
		if got, want := linoid(x), 1-x/2+x*x/12-x*x*x*x/720; math.Abs(got-want) > 3e-16 {
			t.Errorf("linoid(%g) = %v, want %v", x, got, want)
		}
	}
	if linoid(800) != 0 || linoid(-800) != 800 {
		t.Errorf("linoid(±800) = %g, %g", linoid(800), linoid(-800))
	}
}

// TestRunaway: input without measure ends in an error, not in a hang.
func TestRunaway(t *testing.T) {
	for _, c := range []struct {
		model string
		a     Arrival
	}{
		{"izhikevich", Arrival{Weight: math.NaN()}},
		{"iaf_cond_exp", Arrival{Weight: math.Inf(1)}},
		{"iaf_cond_alpha", Arrival{Weight: math.Inf(1)}},
		{"hh_psc_alpha", Arrival{Port: PortCurrent, Weight: math.Inf(-1)}},
		{"aeif_cond_exp", Arrival{Port: PortCurrent, Weight: 1e300}},
	} {
		m, _ := Lookup(c.model)
		d, _ := m.New(nil, 1)
		_, err := d.Advance(0, 0, event.Second, []Arrival{c.a}, nil)
		if !errors.Is(err, ErrNaN) && !errors.Is(err, ErrStiff) && !errors.Is(err, ErrRunaway) {
			t.Errorf("%s with %v: error %v", c.model, c.a, err)
		}
	}
}

func TestRefusedParameters(t *testing.T) {
	for _, c := range []struct {
		model, key string
		v          quantity.Values
	}{
		{"iaf_cond_exp", "V_th", quantity.Values{"V_th": number(-60)}},
		{"iaf_cond_multi", "V_th", quantity.Values{"V_reset": number(-50)}},
		{"iaf_cond_alpha", "fixed_step", quantity.Values{"fixed_step": number(1e-10)}},
		{"hh_psc_alpha", "fixed_step", quantity.Values{"fixed_step": number(1e-10)}},
		{"hh_psc_alpha", "rtol", quantity.Values{"rtol": number(0)}},
		{"iaf_cond_exp", "tau_syn_ex", quantity.Values{"tau_syn_ex": number(0)}},
		{"iaf_cond_exp", "g_L", quantity.Values{"g_L": number(math.NaN())}},
		{"aeif_cond_exp", "V_peak", quantity.Values{"V_peak": number(-60)}},
		{"aeif_cond_exp", "V_reset", quantity.Values{"V_reset": number(0)}},
		{"aeif_cond_exp", "Delta_T", quantity.Values{"Delta_T": number(0.05)}},
		{"aeif_cond_alpha", "V_reset", quantity.Values{"Delta_T": number(0), "V_reset": number(-50)}},
		{"aeif_cond_alpha", "Delta_T", quantity.Values{"Delta_T": number(-1)}},
		{"izhikevich", "V_th", quantity.Values{"c": number(40)}},
	} {
		m, _ := Lookup(c.model)
		if key, err := m.CheckAll(c.v); err == nil || key != c.key {
			t.Errorf("%s with %v: key %q, error %v; want one about %s", c.model, c.v, key, err, c.key)
		}
	}
	for _, c := range adaptive {
		m, _ := Lookup(c.model)
		if key, err := m.CheckAll(nil); err != nil {
			t.Errorf("%s: the defaults are refused: %s: %v", c.model, key, err)
		}
	}
}

func TestAdvanceAllocatesNothing(t *testing.T) {
	for _, c := range adaptive {
		m, _ := Lookup(c.model)
		d, _ := m.New(synapses(c.model), 1)
		a := drive(1, 400, 400*event.Millisecond, c.busy)
		spikes := make([]event.Time, 0, 1000)
		k := 0
		n := testing.AllocsPerRun(390, func() {
			var err error
			if spikes, err = d.Advance(0, 0, a[k].At+1, a[k:k+1], spikes[:0]); err != nil {
				t.Fatal(err)
			}
			k++
		})
		if n > 0 {
			t.Errorf("%s: %g allocations per arrival", c.model, n)
		}
	}
}

// BenchmarkAdvance has an arrival every 0.8 ms on average.
func BenchmarkAdvance(b *testing.B) {
	for _, c := range adaptive {
		for _, tol := range []float64{1e-3, 1e-6} {
			b.Run(fmt.Sprintf("%s/rtol=%g", c.model, tol), func(b *testing.B) {
				m, _ := Lookup(c.model)
				const n = 1000
				a := drive(1, n, n*800*event.Microsecond, c.busy)
				d, _ := m.New(and(synapses(c.model), "rtol", tol), 1)
				var spikes []event.Time
				all := 0
				for b.Loop() {
					if all%n == 0 {
						d, _ = m.New(and(synapses(c.model), "rtol", tol), 1)
					}
					k := all % n
					all++
					spikes, _ = d.Advance(0, 0, a[k].At+1, a[k:k+1], spikes[:0])
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(all), "ns/event")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
