package validation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event"
	"hmn/network"
	"hmn/synapse"
)

// bisect is where f becomes true between lo (false) and hi (true).
func bisect(lo, hi float64, f func(float64) bool) float64 {
	for range 200 {
		m := lo + (hi-lo)/2
		if f(m) {
			hi = m
		} else {
			lo = m
		}
	}
	return hi
}

// Of an unconnected LIF neuron under constant current the k-th spike is known.
func checkISI(t *testing.T) (rows []Check) {
	const mu, vth, tau, ref = 22.5, 15.0, 10.0, 2.0
	first := tau * math.Log(mu/(mu-vth)) // V_0 = 0 and no refractoriness before it
	interval := ref + first
	for _, model := range []string{"iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha"} {
		m := &network.Model{Populations: []network.Population{population("n", 3, model,
			values("C_m", 250.0, "tau_m", tau, "E_L", 0.0, "V_th", vth, "V_reset", 0.0, "t_ref", ref, "I_e", mu*250/tau), nil)}}
		r := play(t, m, 10*event.Second)
		for id := range uint32(3) {
			s := r.of(id)
			if len(s) != 770 { // floor((10 s − first)/interval) + 1
				t.Fatalf("%s: %d spikes in 10 s, want 770", model, len(s))
			}
			worst := math.Abs(s[0].MS() - first)
			for k := 1; k < len(s); k++ {
				worst = math.Max(worst, math.Abs((s[k]-s[k-1]).MS()-interval))
			}
			if id == 0 {
				rows = append(rows,
					Check{Name: model + ": rate under 22.5 mV", Unit: "Hz", Expected: 77.0053, Got: 1000 / ((s[769] - s[0]).MS() / 769), Tolerance: 5e-5,
						Why: "1/(t_ref + τ_m ln(μ/(μ−V_th))), to the digits given"},
					Check{Name: model + ": worst of 770 intervals", Unit: "ps", Expected: 0, Got: worst * 1e9, Tolerance: 1,
						Why: "each crossing is rounded to 1 ps once; the slope at threshold is 0.75 mV/ms"})
			}
		}
	}
	return rows
}

// exactPSP is the potential s ms after an exponential current of J mV started,
// τ_m V' = −V + I (Rotter & Diesmann 1999, doi:10.1007/s004220050570).
func exactPSP(v0, j, tauM, tauS, s float64) float64 {
	return v0*math.Exp(-s/tauM) + j*tauS/(tauS-tauM)*(math.Exp(-s/tauS)-math.Exp(-s/tauM))
}

// kicked is one neuron without threshold (or with one) that gets one arrival.
func kicked(v0, j, tauM, tauS, vth float64, at event.Time) *network.Model {
	const c = 250.0
	m := &network.Model{Populations: []network.Population{
		trains("kick", []event.Time{0}),
		population("n", 1, "iaf_psc_exp", values("C_m", c, "tau_m", tauM, "E_L", 0.0, "V_th", vth, "V_reset", 0.0, "t_ref", 2.0,
			"tau_syn_ex", tauS, "tau_syn_in", tauS), start("V_m", v0))},
		Records: []network.Record{record("spikes", "n", 0)},
	}
	m.Projections = []network.Projection{edges("kick", "n", edge(0, 0, j*c/tauM, 0, at))}
	return m
}

func checkPSP(t *testing.T) (rows []Check) {
	// The response, sampled densely for the time of its peak and coarsely for
	// its value. The threshold of 16 mV is out of reach.
	m := kicked(0, 100, 20, 5, 16, ms(1))
	m.Records = append(m.Records, record("V_m", "n", ms(0.0001)), record("V_m", "n", ms(0.01)))
	r := play(t, m, 30*event.Millisecond)
	at, v := r.signal(1, 0)
	peak := 0
	for k := range at {
		if v[k] > v[peak] {
			peak = k
		}
	}
	rows = append(rows, Check{Name: "exponential PSC, τ 20/5: time of the peak", Unit: "ms", Expected: 9.2420, Got: at[peak].MS() - 1, Tolerance: 1e-4,
		Why: "ln(τ_m/τ_s) τ_m τ_s/(τ_m−τ_s); V_m is sampled every 0.0001 ms"})
	at, v = r.signal(2, 0)
	worst := 0.0
	for k := range at {
		want := 0.0
		if at[k] > event.Millisecond {
			want = exactPSP(0, 100, 20, 5, (at[k] - event.Millisecond).MS())
		}
		worst = math.Max(worst, math.Abs(v[k]-want))
	}
	rows = append(rows, Check{Name: fmt.Sprintf("… worst of %d samples of V_m", len(at)), Unit: "mV", Expected: 0, Got: worst, Tolerance: 130 * 1.8e-15,
		Why: "closed form; 100 samples in a window of 1 ms are 100 steps, each rounds once (1.8e-15 mV is the spacing of numbers at 16 mV), and 30 windows"})

	// Just at threshold. Start values are float64, weights may be float32.
	fires := func(j float64) bool {
		m := kicked(0, 0, 20, 5, 15, ms(1))
		m.Populations[1].Init["I_syn_ex"] = constant(j * 250 / 20)
		return len(play(t, m, 30*event.Millisecond).spikes) > 0
	}
	s := math.Log(4) * 100 / 15
	critical := 15 / exactPSP(0, 1, 20, 5, s)
	got := 95.0 // below
	for step := 0.25; step > 1e-14; step /= 2 {
		if !fires(got + step) {
			got += step
		}
	}
	rows = append(rows,
		Check{Name: "… current that just reaches 15 mV", Unit: "mV", Expected: 95.2441, Got: got, Tolerance: 5e-5, Why: "15 mV over the peak for J = 1, to the digits given"},
		Check{Name: "… the same against the closed form", Unit: "mV", Expected: critical, Got: got, Tolerance: 95.2441 * 8 * 1.8e-15 / 15,
			Why: "near tangency V is right to 8 ulp of 15 mV"})
	count := func(j float64) float64 {
		return float64(len(play(t, kicked(0, j, 20, 5, 15, ms(1)), 30*event.Millisecond).spikes))
	}
	rows = append(rows,
		Check{Name: "… spikes for J = 95.24", Unit: "1", Expected: 0, Got: count(95.24), Why: "below the just-threshold 95.2441"},
		Check{Name: "… spikes for J = 95.25", Unit: "1", Expected: 1, Got: count(95.25), Why: "above it: two crossings 0.25 ms apart must not be missed"})

	// Crossings.
	for _, c := range []struct {
		v0, j, tauM, tauS, want, digits float64
	}{{0, 100, 20, 5, 6.500242, 5e-7}, {3, 150, 20, 5, 2.132445, 5e-7}, {0, 100, 20, 10, 4.0612368, 5e-8}} {
		exact := bisect(0, math.Log(c.tauM/c.tauS)*c.tauM*c.tauS/(c.tauM-c.tauS), func(s float64) bool { return exactPSP(c.v0, c.j, c.tauM, c.tauS, s) >= 15 })
		name := fmt.Sprintf("crossing of 15 mV, τ %g/%g, J = %g, V_0 = %g", c.tauM, c.tauS, c.j, c.v0)
		// V_0 holds at the arrival, 1 ms after the start.
		r := play(t, kicked(c.v0*math.Exp(1/c.tauM), c.j, c.tauM, c.tauS, 15, ms(1)), 30*event.Millisecond)
		if len(r.spikes) == 0 {
			t.Fatalf("%s: no spike", name)
		}
		rows = append(rows,
			Check{Name: name, Unit: "ms", Expected: c.want, Got: r.spikes[0].At.MS() - 1, Tolerance: c.digits, Why: "the closed form solved for 15 mV, to the digits given"},
			Check{Name: "… against bisection", Unit: "ps", Expected: 0, Got: float64(r.spikes[0].At-event.Millisecond) - exact*1e9, Tolerance: 1, Why: "crossings are rounded to 1 ps"})
		m := kicked(c.v0, 0, c.tauM, c.tauS, 15, ms(25))
		m.Populations[1].Init["I_syn_ex"] = constant(c.j * 250 / c.tauM)
		if r = play(t, m, 20*event.Millisecond); len(r.spikes) == 0 {
			t.Fatalf("%s, from init: no spike", name)
		}
		rows = append(rows, Check{Name: "… the same from init, without an arrival", Unit: "ps", Expected: 0, Got: float64(r.spikes[0].At) - exact*1e9, Tolerance: 1, Why: "as above"})
	}
	return rows
}

// lab is a neuron without threshold whose equations are integrated step by step.
type lab struct {
	tauM, c, el, ie float64
	tau             [2]float64
	alpha           bool
	y               [5]float64 // V, I_ex, I_in, slope variables
}

func (l *lab) derivative(y [5]float64) (d [5]float64) {
	d[0] = -(y[0]-l.el)/l.tauM + (l.ie+y[1]+y[2])/l.c
	for p := range 2 {
		d[1+p] = -y[1+p]/l.tau[p] + y[3+p]
		d[3+p] = -y[3+p] / l.tau[p]
	}
	return d
}

// to integrates over s ms by Runge and Kutta's fourth-order rule.
func (l *lab) to(s float64) {
	n := max(1, int(math.Ceil(s/0.001)))
	h := s / float64(n)
	at := func(k [5]float64, f float64) (y [5]float64) {
		for i := range y {
			y[i] = l.y[i] + f*h*k[i]
		}
		return y
	}
	for range n {
		a := l.derivative(l.y)
		b := l.derivative(at(a, 0.5))
		c := l.derivative(at(b, 0.5))
		d := l.derivative(at(c, 1))
		for i := range l.y {
			l.y[i] += h / 6 * (a[i] + 2*b[i] + 2*c[i] + d[i])
		}
	}
}

func (l *lab) hit(w float64) {
	p := 0
	if w < 0 {
		p = 1
	}
	if l.alpha {
		l.y[3+p] += w * math.E / l.tau[p]
	} else {
		l.y[1+p] += w
	}
}

// V_m and I_syn of all shapes of current, also where time constants meet,
// against step-by-step integration.
func checkShapes(t *testing.T) (rows []Check) {
	type hit struct {
		at event.Time
		w  float64
	}
	hits := []hit{{ms(1.000000001), 500}, {ms(3.7), -320}, {ms(3.700000002), 64}, {ms(9.123456789), 1000}, {ms(20), -1500}, {ms(20.5), 640}, {ms(33.3), 512}}
	for _, c := range []struct{ tauM, ex, in float64 }{
		{20, 5, 10}, {10, 0.5, 30}, {10, 10, 10}, {10, 10 * (1 + 1e-9), 10 * (1 - 1e-6)}, {10, 10.001, 9.99}, {10, 9.6, 10.4}, {10, 9.4, 10.6},
	} {
		for _, model := range []string{"iaf_psc_exp", "iaf_psc_alpha"} {
			l := &lab{tauM: c.tauM, c: 250, el: -65, ie: 100, tau: [2]float64{c.ex, c.in}, alpha: model == "iaf_psc_alpha"}
			l.y[0] = -60
			m := &network.Model{Populations: []network.Population{trains("in", nil),
				population("n", 1, model, values("C_m", 250.0, "tau_m", c.tauM, "E_L", -65.0, "V_th", 500.0, "V_reset", -65.0, "I_e", 100.0,
					"tau_syn_ex", c.ex, "tau_syn_in", c.in), start("V_m", -60.0))},
				Records: []network.Record{record("V_m", "n", ms(0.5)), record("I_syn", "n", ms(0.5))}}
			const delay = event.Millisecond
			p := edges("in", "n")
			for k, h := range hits {
				m.Populations[0].Trains = append(m.Populations[0].Trains[:k], []event.Time{h.at - delay})
				p.Edges = append(p.Edges, edge(k, 0, h.w, 0, delay))
			}
			m.Populations[0].N = len(hits)
			m.Projections = []network.Projection{p}
			r := play(t, m, 60*event.Millisecond)
			at, v := r.signal(0, 0)
			_, cur := r.signal(1, 0)
			now, k := event.Time(0), 0
			worstV, worstI := 0.0, 0.0
			for j := range at {
				for k < len(hits) && hits[k].at <= at[j] { // a sample sees what arrives at its time
					l.to((hits[k].at - now).MS())
					l.hit(hits[k].w)
					now, k = hits[k].at, k+1
				}
				l.to((at[j] - now).MS())
				now = at[j]
				worstV = math.Max(worstV, math.Abs(v[j]-l.y[0]))
				worstI = math.Max(worstI, math.Abs(cur[j]-l.y[1]-l.y[2]))
			}
			if len(at) != 120 {
				t.Fatalf("%d samples, want 120", len(at))
			}
			name := fmt.Sprintf("%s, τ_m %g, τ_syn %.10g / %.10g", model, c.tauM, c.ex, c.in)
			rows = append(rows,
				Check{Name: name + ": worst V_m", Unit: "mV", Expected: 0, Got: worstV, Tolerance: 1e-9, Why: "Runge–Kutta in steps of 1 µs, whose own error is below 1e-10 mV for τ ≥ 0.5 ms"},
				Check{Name: name + ": worst I_syn", Unit: "pA", Expected: 0, Got: worstI, Tolerance: 1e-8, Why: "the same; currents are some 1000 pA"})
		}
	}
	return rows
}

// A long ring and random delays of whole picoseconds.
func checkRing(t *testing.T) (rows []Check) {
	relay := func(name string, n int) network.Population {
		return population(name, n, "iaf_psc_delta", values("E_L", 0.0, "V_th", 15.0, "V_reset", 0.0, "tau_m", 10.0, "t_ref", 2.0), nil)
	}
	const n = 1000
	d := ms(1.234567891)
	m := &network.Model{Populations: []network.Population{trains("kick", []event.Time{0}), relay("ring", n)},
		Records: []network.Record{record("spikes", "ring", 0)}}
	var list []synapse.Edge
	for i := range n {
		list = append(list, edge(i, (i+1)%n, 20, d/3, d-d/3))
	}
	m.Projections = []network.Projection{edges("kick", "ring", edge(0, 0, 20, 0, d)), edges("ring", "ring", list...)}
	r := play(t, m, 5*event.Second)
	wrong := 0
	for k, s := range r.spikes {
		if s.At != event.Time(k+1)*d || s.ID != uint32(1+k%n) {
			wrong++
		}
	}
	rows = append(rows,
		Check{Name: "ring of 1000, delay 1.234567891 ms: spikes in 5 s", Unit: "1", Expected: float64((5*event.Second - 1) / d), Got: float64(len(r.spikes)), Why: "5 s / delay"},
		Check{Name: "… spikes not at k·delay", Unit: "1", Expected: 0, Got: float64(wrong), Why: "times are whole ps: no tolerance"})

	// Two-sided delays: a chain with random axonal and dendritic parts.
	rng := rand.New(rand.NewPCG(11, 0))
	wrong, total := 0, 0
	for range 20 {
		m := &network.Model{Populations: []network.Population{trains("kick", []event.Time{event.Time(rng.Int64N(5e9))}), relay("chain", 40)},
			Records: []network.Record{record("spikes", "chain", 0)}}
		at := m.Populations[0].Trains[0][0]
		var want []event.Time
		list = nil
		for i := range 40 {
			a, b := event.Time(rng.Int64N(8e9)), event.Time(1+rng.Int64N(6e9))
			switch rng.IntN(4) {
			case 0:
				a = 0
			case 1:
				a, b = b, 0
			}
			at += a + b
			want = append(want, at)
			if i == 0 {
				m.Projections = append(m.Projections, edges("kick", "chain", edge(0, 0, 20, a, b)))
			} else {
				list = append(list, edge(i-1, i, 20, a, b))
			}
		}
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		m.Projections = append(m.Projections, edges("chain", "chain", list...))
		r := play(t, m, at+1)
		for i, w := range want {
			total++
			if got := r.of(uint32(1 + i)); len(got) != 1 || got[0] != w {
				wrong++
			}
		}
	}
	return append(rows, Check{Name: fmt.Sprintf("chains with random axonal and dendritic delays: spikes of %d not at t + axonal + dendritic", total), Unit: "1", Expected: 0, Got: float64(wrong),
		Why: "docs/semantics.md: delays are added exactly; whole ps: no tolerance"})
}

// What happens during refractoriness (docs/semantics.md).
func checkRefractory(t *testing.T) (rows []Check) {
	const d = event.Millisecond
	ask := func(name, model string, arrivals []float64, w float64, end event.Time, want []float64, why string) {
		p := values("C_m", 250.0, "E_L", 0.0, "V_th", 15.0, "V_reset", 0.0, "tau_m", 10.0, "t_ref", 2.0)
		if model != "iaf_psc_delta" {
			p = values("C_m", 250.0, "E_L", 0.0, "V_th", 15.0, "V_reset", 0.0, "tau_m", 10.0, "t_ref", 2.0, "tau_syn_ex", 5.0)
		}
		m := &network.Model{Populations: []network.Population{trains("in", nil), population("n", 1, model, p, nil)},
			Records: []network.Record{record("spikes", "n", 0)}}
		var train []event.Time
		for _, a := range arrivals {
			train = append(train, ms(a)-d)
		}
		m.Populations[0].Trains[0] = train
		m.Projections = []network.Projection{edges("in", "n", edge(0, 0, w, 0, d))}
		got := play(t, m, end).of(1)
		worst := 0.0
		if len(got) != len(want) {
			t.Logf("%s: spikes at %v, want %v", name, got, want)
			worst = math.Inf(1)
		}
		for k := range min(len(got), len(want)) {
			worst = math.Max(worst, math.Abs(float64(got[k])-want[k]*1e9))
		}
		tol := 0.0
		if model != "iaf_psc_delta" {
			tol = 1
		}
		rows = append(rows, Check{Name: name, Unit: "ps off", Expected: 0, Got: worst, Tolerance: tol, Why: why})
	}
	ask("delta: an arrival 1 ps before the end of refractoriness is lost", "iaf_psc_delta", []float64{5, 6.999999999}, 20, ms(20), []float64{5}, "docs/semantics.md: refractory in [t, t + t_ref)")
	ask("delta: one at the end fires at once", "iaf_psc_delta", []float64{5, 7}, 20, ms(20), []float64{5, 7}, "docs/semantics.md: refractory in [t, t + t_ref)")
	ask("delta: two at one time add up", "iaf_psc_delta", []float64{5, 5}, 8, ms(20), []float64{5}, "docs/semantics.md: arrivals come before the threshold test")

	// The current of an exponential synapse goes on during refractoriness: with
	// V = 0 and current I_0 exp(−2/5) at the end of it, crossing is known.
	jump := 200.0 // mV
	cross := func(j float64) float64 {
		return bisect(0, math.Log(2)*10, func(s float64) bool { return exactPSP(0, j, 10, 5, s) >= 15 })
	}
	var want []float64
	at, left := 5.0, jump
	for exactPSP(0, left, 10, 5, math.Log(2)*10) >= 15 {
		c := cross(left)
		at += c
		want = append(want, at)
		left *= math.Exp(-(c + 2) / 5)
		at += 2
	}
	ask("exp: the current goes on during refractoriness", "iaf_psc_exp", []float64{5}, jump*250/10, ms(60), want, fmt.Sprintf("closed form, %d spikes from one arrival; each crossing to 1 ps, later ones by the sensitivity to earlier ones less than 1 ps more", len(want)))

	// An arrival during refractoriness counts for the current.
	c1 := cross(jump)
	second := 5 + c1 + 1.0
	second = math.Round(second*1e9) / 1e9
	i := jump*math.Exp(-(c1+2)/5) + jump*math.Exp(-(5+c1+2-second)/5)
	c2 := cross(i)
	ask("exp: an arrival during refractoriness adds to the current", "iaf_psc_exp", []float64{5, second}, jump*250/10, ms(5+c1+2+c2+1), []float64{5 + c1, 5 + c1 + 2 + c2}, "closed form")
	return rows
}
