package validation

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"hmn/event"
	"hmn/network"
	"hmn/validation/stats"
)

// The microcircuit of Potjans & Diesmann 2014, doi:10.1093/cercor/bhs358: layers
// 2/3, 4, 5 and 6, each with excitatory and inhibitory neurons.
var (
	layerNames = [8]string{"L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"}
	layerSizes = [8]float64{20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948}
	fibres     = [8]float64{1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100} // external, 8 Hz each
	// connected[t][s] is the probability that a pair is connected.
	connected = [8][8]float64{
		{.1009, .1689, .0437, .0818, .0323, 0, .0076, 0},
		{.1346, .1371, .0316, .0515, .0755, 0, .0042, 0},
		{.0077, .0059, .0497, .135, .0067, .0003, .0453, 0},
		{.0691, .0029, .0794, .1597, .0033, 0, .1057, 0},
		{.1004, .0622, .0505, .0057, .0831, .3726, .0204, 0},
		{.0548, .0269, .0257, .0022, .06, .3158, .0086, 0},
		{.0156, .0066, .0211, .0166, .0572, .0197, .0396, .2252},
		{.0364, .001, .0034, .0005, .0277, .008, .0658, .1443},
	}
	// Simulations on a grid of 0.1 ms, Poisson input, 5 s.
	layerRates = [8]float64{0.908, 2.983, 4.394, 5.872, 7.620, 8.634, 1.096, 7.833}
	layerCVs   = [8]float64{.76, .81, .81, .81, .79, .77, .76, .77}
)

// contacts is the number of synapses from population s to t at full size, and
// psc their mean weight [pA].
func contacts(s, t int) float64 {
	return math.Round(math.Log(1-connected[t][s]) / math.Log(1-1/(layerSizes[s]*layerSizes[t])))
}

func psc(s, t int) float64 {
	switch {
	case s%2 == 1:
		return -4 * 87.8
	case s == 2 && t == 0:
		return 2 * 87.8
	}
	return 87.8
}

// checkMicrocircuit compares the shipped model with the paper's tables, a small
// one with a plain loop on a grid, and in full mode the full one with the
// published rates.
func checkMicrocircuit(t *testing.T, mode mode) (rows []Check) {
	full := shipped(t, "microcircuit")
	neurons, synapses := 0.0, 0.0
	for _, p := range full.Populations[:8] {
		neurons += float64(p.N)
	}
	for _, p := range full.Projections {
		synapses += float64(p.Total)
	}
	rows = append(rows,
		Check{Name: "microcircuit: neurons", Unit: "1", Expected: 77169, Got: neurons, Why: "sum of Table 5 of Potjans & Diesmann 2014"},
		Check{Name: "… synapses", Unit: "1", Expected: 298880968, Got: synapses, Why: "ln(1 − p)/ln(1 − 1/(N_s N_t)) for every pair of populations; the number that implementations of the model have"})

	scale := [...]float64{0.03, 0.05, 0.1}[mode]
	m := shipped(t, "microcircuit", fmt.Sprintf("scale=%g", scale))
	rows = append(rows, microcircuitStructure(t, m, scale)...)
	rows = append(rows, microcircuitInput(t, m, shipped(t, "microcircuit", fmt.Sprintf("scale=%g", scale), "input=dc"), scale)...)
	rows = append(rows, microcircuitLoop(t, m, scale, [...]float64{1, 2, 5}[mode])...)
	if mode == fullMode {
		rows = append(rows, microcircuitRates(t, full)...)
	}
	return rows
}

// microcircuitStructure looks at the synapses of the scaled model as they are
// drawn.
func microcircuitStructure(t *testing.T, m *network.Model, scale float64) []Check {
	var degree, weight, spread, delay float64 // greatest deviations, in standard errors
	total := 0.0
	wrong := 0.0
	for s := range 8 {
		for to := range 8 {
			i := m.FindProjection(layerNames[s] + ">" + layerNames[to])
			k := contacts(s, to)
			if k == 0 {
				if i >= 0 {
					wrong++
				}
				continue
			}
			list, err := network.Synapses(m, i)
			if err != nil {
				t.Fatal(err)
			}
			n := float64(len(list))
			total += n
			if n != math.Round(k*scale*scale) {
				wrong++
			}
			// In-degrees are multinomial: their variance is n/N (1 − 1/N), and the mean of
			// squares of N of them has the standard error of χ² with N − 1.
			nt := math.Round(layerSizes[to] * scale)
			in := make([]float64, int(nt))
			mu := psc(s, to) / math.Sqrt(scale)
			sum, squares, late, least := 0.0, 0.0, 0.0, math.Inf(1)
			for _, x := range list {
				in[x.Target]++
				sum += x.Weight
				squares += (x.Weight - mu) * (x.Weight - mu)
				d := (x.Axonal + x.Dendritic).MS()
				late += d
				least = min(least, d)
			}
			chi := 0.0
			for _, x := range in {
				chi += (x - n/nt) * (x - n/nt) / (n / nt)
			}
			if least < 0.1 {
				wrong++
			}
			sd := math.Abs(mu) / 10
			// A normal of mean 2 s.d. and s.d. σ, cut at 0.1 ms: mean μ + σ φ(a)/(1 − Φ(a)).
			mean, sigma := 1.5, 0.75
			if s%2 == 1 {
				mean, sigma = 0.75, 0.375
			}
			a := (0.1 - mean) / sigma
			above := 0.5 * math.Erfc(a/math.Sqrt2)
			hazard := math.Exp(-a*a/2) / math.Sqrt(2*math.Pi) / above
			cutMean := mean + sigma*hazard
			cutSD := sigma * math.Sqrt(1+a*hazard-hazard*hazard)
			if n > 100 {
				degree = max(degree, math.Abs(chi-(nt-1))/math.Sqrt(2*(nt-1)))
				weight = max(weight, math.Abs(sum/n-mu)/(sd/math.Sqrt(n)))
				spread = max(spread, math.Abs(squares/n-sd*sd)/(sd*sd*math.Sqrt(2/n)))
				delay = max(delay, math.Abs(late/n-cutMean)/(cutSD/math.Sqrt(n)))
			}
		}
	}
	// Of 55 projections the largest of 55 normal deviations is above 4.5 once in
	// 2700 times.
	const why = "greatest deviation of the 55 projections, in standard errors: above 4.5 once in 2700 seeds"
	name := fmt.Sprintf("microcircuit, scale %g", scale)
	return []Check{
		{Name: name + ": projections with another number of synapses than round(K scale²), or delays below 0.1 ms", Unit: "1", Got: wrong, Why: "Table 5, scaled"},
		{Name: "… χ² of in-degrees", Unit: "s.e.", Got: degree, Tolerance: 4.5, Why: "targets drawn with replacement; " + why},
		{Name: "… mean weight", Unit: "s.e.", Got: weight, Tolerance: 4.5, Why: "87.8 pA/√scale, times 2 from L4E to L2/3E and −4 for inhibition; " + why},
		{Name: "… variance of weights", Unit: "s.e.", Got: spread, Tolerance: 4.5, Why: "s.d. a tenth of the mean; " + why},
		{Name: "… mean delay", Unit: "s.e.", Got: delay, Tolerance: 4.5, Why: "normal of 1.5 ± 0.75 and 0.75 ± 0.375 ms, drawn again below 0.1 ms; " + why},
	}
}

// microcircuitInput checks that scaling keeps the mean current into each
// population at the published rates, and that the direct current is the mean of
// the Poisson input.
func microcircuitInput(t *testing.T, poisson, dc *network.Model, scale float64) []Check {
	worst, worstDC := 0.0, 0.0
	for to := range 8 {
		want := 0.5e-3 * 87.8 * fibres[to] * 8
		recurrent := 0.0
		for s := range 8 {
			recurrent += 0.5e-3 * psc(s, to) * contacts(s, to) / layerSizes[to] * layerRates[s]
		}
		want += recurrent
		p := poisson.Populations[to]
		got := p.Params["I_e"].Number + math.Sqrt(scale)*recurrent
		x := poisson.FindProjection("X_" + p.Name + ">" + p.Name)
		rate := poisson.Populations[8+to].Params["rate"].Number
		got += 0.5e-3 * poisson.Projections[x].Weight.A * rate
		worst = max(worst, math.Abs(got-want))
		worstDC = max(worstDC, math.Abs(dc.Populations[to].Params["I_e"].Number+math.Sqrt(scale)*recurrent-want))
	}
	const why = "τ_syn Σ w K ν of the full model; the model's currents are written with two decimals"
	return []Check{
		{Name: "… mean current onto a neuron, Poisson input: greatest difference to full size", Unit: "pA", Got: worst, Tolerance: 0.01, Why: why},
		{Name: "… the same, direct current", Unit: "pA", Got: worstDC, Tolerance: 0.01, Why: why},
	}
}

// microcircuitLoop runs the scaled model and a plain loop over its neurons in
// steps of 0.1 ms.
func microcircuitLoop(t *testing.T, m *network.Model, scale, seconds float64) (rows []Check) {
	const settle, segment = 200.0, 100.0
	segments := int(seconds * 1000 / segment)
	first := make([]int, 9)
	for i, p := range m.Populations[:8] {
		first[i+1] = first[i] + p.N
	}
	m.Records = nil
	for _, name := range layerNames {
		m.Records = append(m.Records, record("spikes", name, 0))
	}
	n := build(t, m, runtime.GOMAXPROCS(0))
	defer n.Close()
	r := &tape{}
	end := settle + seconds*1000
	if err := n.Run(context.Background(), event.Time(end*1e9), network.Recorder{Spikes: r}); err != nil {
		t.Fatal(err)
	}
	event, grid := make([][]float64, 8), make([][]float64, 8)
	for i := range 8 {
		event[i], grid[i] = make([]float64, segments), make([]float64, segments)
	}
	of := func(id int) int {
		i := 0
		for id >= first[i+1] {
			i++
		}
		return i
	}
	for i, train := range r.byNeuron(0, first[8]) {
		for _, at := range train {
			if at >= settle {
				event[of(i)][int((at-settle)/segment)]++
			}
		}
	}
	gridMicrocircuit(t, m, first, scale, end, func(id int, at float64) {
		if at >= settle && at < end {
			grid[of(id)][int((at-settle)/segment)]++
		}
	})
	for i, name := range layerNames {
		perHz := float64(first[i+1]-first[i]) * segment / 1000
		for k := range segments {
			event[i][k] /= perHz
			grid[i][k] /= perHz
		}
		a, sa := stats.MeanSD(event[i])
		b, sb := stats.MeanSD(grid[i])
		se := math.Hypot(sa, sb) / math.Sqrt(float64(segments))
		rows = append(rows, Check{Name: fmt.Sprintf("microcircuit, scale %g: rate of %s", scale, name), Unit: "Hz", Expected: b, Got: a, Tolerance: 4.5*se + 0.03*b,
			Why: fmt.Sprintf("a plain loop over the same synapses in steps of 0.1 ms, with input of its own: 4.5 standard errors of the difference, from %d segments of 100 ms, and 3 %% for the grid", segments)})
	}
	return rows
}

// gridMicrocircuit is the loop: every step carries all neurons on exactly, takes
// the arrivals that are due at its end, and lets neurons above threshold fire.
func gridMicrocircuit(t *testing.T, m *network.Model, first []int, scale, end float64, spike func(id int, at float64)) {
	const h, tauM, tauS, c = 0.1, 10.0, 0.5, 250.0
	const slots = 128 // of 0.1 ms: more than the longest delay
	type synapse struct {
		target, delay int32
		w             float32
	}
	n := first[8]
	out := make([][]synapse, n)
	for s := range 8 {
		for to := range 8 {
			i := m.FindProjection(layerNames[s] + ">" + layerNames[to])
			if i < 0 {
				continue
			}
			list, err := network.Synapses(m, i)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range list {
				d := max(1, int32(math.Round((x.Axonal+x.Dendritic).MS()/h)))
				if d >= slots {
					t.Fatalf("a delay of %d steps", d)
				}
				id := first[s] + int(x.Source)
				out[id] = append(out[id], synapse{int32(first[to] + int(x.Target)), d, float32(x.Weight)})
			}
		}
	}
	rng := rand.New(rand.NewPCG(99, 1))
	v, i, rest := make([]float64, n), make([]float64, n), make([]int, n)
	ie, none := make([]float64, n), make([]float64, n) // none: probability of no external arrival in a step
	mean := make([]float64, n)
	for p := range 8 {
		pop := m.Populations[p]
		for k := first[p]; k < first[p+1]; k++ {
			for v[k] = 1; v[k] > -50; {
				v[k] = pop.Init["V_m"].A + pop.Init["V_m"].B*rng.NormFloat64()
			}
			v[k] += 65
			ie[k] = pop.Params["I_e"].Number
			mean[k] = fibres[p] * 8 * scale * h / 1000
			none[k] = math.Exp(-mean[k])
		}
	}
	due := make([][]float64, slots)
	for k := range due {
		due[k] = make([]float64, n)
	}
	ps, pm := math.Exp(-h/tauS), math.Exp(-h/tauM)
	a := tauM * tauS / (c * (tauM - tauS)) // V of a unit current: a (e^{−t/τ_m} − e^{−t/τ_s})
	pv, pe := a*(pm-ps), tauM/c*(1-pm)
	external := 87.8 / math.Sqrt(scale)
	for step := 0; float64(step)*h < end; step++ {
		now := due[step%slots]
		for k := range n {
			if rest[k] > 0 {
				rest[k]--
			} else {
				v[k] = pm*v[k] + pv*i[k] + pe*ie[k]
			}
			i[k] = ps*i[k] + now[k]
			now[k] = 0
			for u, p, q := rng.Float64(), none[k], 1.0; u >= p && q < 50; q++ {
				i[k] += external
				u -= p
				p *= mean[k] / q
			}
			if v[k] >= 15 {
				v[k], rest[k] = 0, 20
				spike(k, float64(step+1)*h)
				for _, x := range out[k] {
					due[(step+int(x.delay))%slots][x.target] += float64(x.w)
				}
			}
		}
	}
}

// microcircuitRates runs the model at full size: three gigabytes.
func microcircuitRates(t *testing.T, m *network.Model) (rows []Check) {
	const settle, span = 500, 5000
	m.Records = nil
	for _, name := range layerNames {
		m.Records = append(m.Records, record("spikes", name, 0))
	}
	n := build(t, m, runtime.GOMAXPROCS(0))
	defer n.Close()
	r := &tape{}
	if err := n.Run(context.Background(), (settle+span)*event.Millisecond, network.Recorder{Spikes: r}); err != nil {
		t.Fatal(err)
	}
	first := 0
	for i, p := range m.Populations[:8] {
		all := r.byNeuron(0, first+p.N)[first:]
		first += p.N
		for k, train := range all {
			for len(train) > 0 && train[0] < settle {
				train = train[1:]
			}
			all[k] = train
		}
		cv, _ := stats.MeanCV(all)
		rows = append(rows,
			Check{Name: "microcircuit: rate of " + layerNames[i], Unit: "Hz", Expected: layerRates[i], Got: stats.MeanRate(all, settle, settle+span), Tolerance: 0.03 * layerRates[i],
				Why: "simulations in steps of 0.1 ms, 5 s; 3 % for seeds and the grid; 5 s after 0.5 s"},
			Check{Name: "… ISI-CV", Unit: "1", Expected: layerCVs[i], Got: cv, Tolerance: 0.03, Why: "the same simulations, given to two digits; which neurons count moves it by 0.02"})
	}
	return rows
}
