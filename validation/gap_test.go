package validation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
)

// gap joins populations by junctions of g nS.
func gap(source, target string, pairs [][3]float64) network.Projection {
	p := network.Projection{Name: "gap-" + source + "-" + target, Source: source, Target: target, Rule: network.EdgeList, Autapses: true, Multapses: true, Synapse: "gap_junction"}
	for _, x := range pairs {
		p.Edges = append(p.Edges, edge(int(x[0]), int(x[1]), x[2], 0, 0))
	}
	return p
}

// checkGaps compares gap junctions with closed forms and with integrations that
// share no code with the engine.
func checkGaps(t *testing.T) (rows []Check) {
	rows = append(rows, passivePair(t)...)
	for _, c := range []struct {
		name  string
		cells []*membrane
		pairs [][3]float64 // g
		tol   float64
	}{
		{"two iaf_psc_exp", []*membrane{lifCell("iaf_psc_exp", 1, 1), lifCell("iaf_psc_exp", 2, 1.4)}, [][3]float64{{0, 1, 9}}, 0},
		{"delta, exponential and alpha currents in a ring, t_ref 0 and more", []*membrane{lifCell("iaf_psc_delta", 0, 1), lifCell("iaf_psc_exp", 3, 0.7), lifCell("iaf_psc_alpha", 1, 1.2)},
			[][3]float64{{0, 1, 6}, {1, 2, 11}, {2, 0, 3}}, 0},
		{"mat2_psc_exp and iaf_psc_exp", []*membrane{matCell(), lifCell("iaf_psc_exp", 2, 1)}, [][3]float64{{0, 1, 6}}, 0},
		{"mat2_psc_exp and hh_psc_alpha", []*membrane{matCell(), squidCell(1e-9, 500)}, [][3]float64{{0, 1, 5}}, 1e-9},
		{"two iaf_cond_exp", []*membrane{condCell(1e-9), condCell(1e-9)}, [][3]float64{{0, 1, 7}}, 1e-9},
		{"iaf_cond_exp and iaf_psc_exp", []*membrane{condCell(1e-9), lifCell("iaf_psc_exp", 2, 1)}, [][3]float64{{0, 1, 7}}, 1e-9},
		{"two aeif_cond_exp", []*membrane{adexCell(1e-9), adexCell(1e-9)}, [][3]float64{{0, 1, 8}}, 1e-9},
		{"two hh_psc_alpha", []*membrane{squidCell(1e-9, 700), squidCell(1e-9, 400)}, [][3]float64{{0, 1, 12}}, 1e-9},
		{"two hh_psc_alpha, rtol 1e-6", []*membrane{squidCell(1e-6, 700), squidCell(1e-6, 400)}, [][3]float64{{0, 1, 12}}, 1e-6},
		{"hh_psc_alpha, iaf_psc_exp and aeif_cond_exp in a chain", []*membrane{squidCell(1e-9, 700), lifCell("iaf_psc_exp", 2, 1), adexCell(1e-9)}, [][3]float64{{0, 1, 5}, {1, 2, 6}}, 1e-9},
	} {
		rows = append(rows, joined(t, c.name, c.cells, c.pairs, c.tol)...)
	}
	return append(rows, gapIdentities(t)...)
}

// passivePair: two different cells under constant currents, whose matrix
// exponential is e^{λ₁t} + (e^{λ₁t} − e^{λ₂t})/(λ₁ − λ₂) (M − λ₁).
func passivePair(t *testing.T) (rows []Check) {
	const c1, c2, t1, t2, e1, e2, i1, i2, v1, v2, g = 120.0, 310.0, 9.0, 21.0, -70.0, -61.0, 90.0, -35.0, -80.0, -55.0, 13.0
	m := &network.Model{Populations: []network.Population{
		population("a", 1, "iaf_psc_exp", values("C_m", c1, "tau_m", t1, "E_L", e1, "I_e", i1, "V_th", 1e4), start("V_m", v1)),
		population("b", 1, "iaf_psc_exp", values("C_m", c2, "tau_m", t2, "E_L", e2, "I_e", i2, "V_th", 1e4), start("V_m", v2))}}
	m.Projections = []network.Projection{gap("b", "a", [][3]float64{{0, 0, g}})}
	m.Records = []network.Record{record("V_m", "a", ms(0.37)), record("V_m", "b", ms(0.37))}
	r := play(t, m, 100*event.Millisecond)
	a, b, c, d := -1/t1-g/c1, g/c1, g/c2, -1/t2-g/c2
	h1, h2 := e1/t1+i1/c1, e2/t2+i2/c2
	det := a*d - b*c
	x1, x2 := -(d*h1-b*h2)/det, -(a*h2-c*h1)/det // steady state
	root := math.Sqrt((a-d)*(a-d)/4 + b*c)
	l1, l2 := (a+d)/2+root, (a+d)/2-root
	worst := 0.0
	at, va := r.signal(0, 0)
	_, vb := r.signal(1, 0)
	for k := range at {
		s := at[k].MS()
		p, q := math.Exp(l1*s), (math.Exp(l1*s)-math.Exp(l2*s))/(l1-l2)
		y1, y2 := v1-x1, v2-x2
		worst = max(worst, math.Abs(va[k]-x1-p*y1-q*((a-l1)*y1+b*y2)), math.Abs(vb[k]-x2-p*y2-q*(c*y1+(d-l1)*y2)))
	}
	return []Check{{Name: fmt.Sprintf("two passive cells: worst of %d samples of V_m", 2*len(at)), Unit: "mV", Got: worst, Tolerance: 1e-9, Why: "closed form of two linear equations"}}
}

// membrane is a neuron of a model and its equations, written down again.
type membrane struct {
	model  string
	params []any
	vars   int
	start  []float64
	c      float64 // capacitance
	tRef   float64
	// slopes gives dy and, as dy[0], the current of the membrane [pA] without
	// junctions.
	slopes func(y, dy []float64)
	level  float64
	summit bool                      // fires at the maximum of V
	runs   bool                      // V goes on during refractoriness
	th     func(y []float64) float64 // on top of level; nil: nothing
	reset  func(y []float64)
	arrive func(y []float64, w float64)
	weight func(rng *rand.Rand) float64
}

func lifCell(model string, ref, scale float64) *membrane {
	const tau, el, vth, vr, te, ti = 14.0, -65.0, -52.0, -67.0, 2.3, 6.1
	cm := 180 * scale
	x := &membrane{model: model, vars: 5, start: []float64{el, 0, 0, 0, 0}, c: cm, tRef: ref, level: vth,
		params: []any{"C_m", cm, "tau_m", tau, "E_L", el, "V_th", vth, "V_reset", vr, "t_ref", ref, "I_e", 110.0}}
	if model != "iaf_psc_delta" {
		x.params = append(x.params, "tau_syn_ex", te, "tau_syn_in", ti)
	}
	x.slopes = func(y, dy []float64) {
		dy[0] = -(y[0]-el)*cm/tau + y[1] + y[2] + 110
		dy[1], dy[2], dy[3], dy[4] = y[3]-y[1]/te, y[4]-y[2]/ti, -y[3]/te, -y[4]/ti
	}
	x.reset = func(y []float64) { y[0] = vr }
	x.arrive = func(y []float64, w float64) {
		port := 0
		if w < 0 {
			port = 1
		}
		switch model {
		case "iaf_psc_exp":
			y[1+port] += w
		case "iaf_psc_alpha":
			y[3+port] += w * math.E / []float64{te, ti}[port]
		}
	}
	x.weight = func(rng *rand.Rand) float64 { return 900*rng.Float64() - 250 }
	return x
}

func condCell(tol float64) *membrane {
	const cm, gl, el, ee, ei, vth, vr, te, ti = 230.0, 15.0, -68.0, 0.0, -80.0, -54.0, -62.0, 1.3, 4.7
	x := &membrane{model: "iaf_cond_exp", vars: 3, start: []float64{el, 0, 0}, c: cm, tRef: 1.6, level: vth,
		params: []any{"C_m", cm, "g_L", gl, "E_L", el, "E_ex", ee, "E_in", ei, "V_th", vth, "V_reset", vr, "tau_syn_ex", te, "tau_syn_in", ti, "t_ref", 1.6, "I_e", 140.0, "rtol", tol}}
	x.slopes = func(y, dy []float64) {
		dy[0] = -gl*(y[0]-el) - y[1]*(y[0]-ee) - y[2]*(y[0]-ei) + 140
		dy[1], dy[2] = -y[1]/te, -y[2]/ti
	}
	x.reset = func(y []float64) { y[0] = vr }
	x.arrive = func(y []float64, w float64) {
		if w > 0 {
			y[1] += w
		} else {
			y[2] -= w
		}
	}
	x.weight = func(rng *rand.Rand) float64 { return 60*rng.Float64() - 20 }
	return x
}

func adexCell(tol float64) *membrane {
	const cm, gl, el, ee, ei, vth, delta, a, b, tw, vr, peak, te, ti = 200.0, 12.0, -70.0, 0.0, -85.0, -50.0, 2.0, 3.0, 40.0, 90.0, -60.0, -40.0, 2.0, 5.0
	x := &membrane{model: "aeif_cond_exp", vars: 4, start: []float64{el, 0, 0, 0}, c: cm, tRef: 1.5, level: peak,
		params: []any{"C_m", cm, "g_L", gl, "E_L", el, "E_ex", ee, "E_in", ei, "V_th", vth, "Delta_T", delta, "a", a, "b", b, "tau_w", tw, "V_reset", vr, "V_peak", peak,
			"tau_syn_ex", te, "tau_syn_in", ti, "t_ref", 1.5, "I_e", 260.0, "rtol", tol}}
	x.slopes = func(y, dy []float64) {
		dy[0] = -gl*(y[0]-el) + gl*delta*math.Exp((y[0]-vth)/delta) - y[2]*(y[0]-ee) - y[3]*(y[0]-ei) - y[1] + 260
		dy[1] = (a*(y[0]-el) - y[1]) / tw
		dy[2], dy[3] = -y[2]/te, -y[3]/ti
	}
	x.reset = func(y []float64) {
		y[0] = vr
		y[1] += b
	}
	x.arrive = func(y []float64, w float64) {
		if w > 0 {
			y[2] += w
		} else {
			y[3] -= w
		}
	}
	x.weight = func(rng *rand.Rand) float64 { return 30*rng.Float64() - 10 }
	return x
}

func squidCell(tol, current float64) *membrane {
	const cm, gna, gk, gl, ena, ek, el, te, ti = 100.0, 12000.0, 3600.0, 30.0, 50.0, -77.0, -54.402, 0.9, 2.5
	rates := func(v float64) (an, bn, am, bm, ah, bh float64) {
		return 0.01 * (v + 55) / (1 - math.Exp(-(v+55)/10)), 0.125 * math.Exp(-(v+65)/80),
			0.1 * (v + 40) / (1 - math.Exp(-(v+40)/10)), 4 * math.Exp(-(v+65)/18),
			0.07 * math.Exp(-(v+65)/20), 1 / (1 + math.Exp(-(v+35)/10))
	}
	an, bn, am, bm, ah, bh := rates(-65)
	x := &membrane{model: "hh_psc_alpha", vars: 8, start: []float64{-65, am / (am + bm), ah / (ah + bh), an / (an + bn), 0, 0, 0, 0}, c: cm, tRef: 2, summit: true, runs: true,
		params: []any{"C_m", cm, "g_Na", gna, "g_K", gk, "g_L", gl, "E_Na", ena, "E_K", ek, "E_L", el, "tau_syn_ex", te, "tau_syn_in", ti, "t_ref", 2.0, "I_e", current, "rtol", tol}}
	x.slopes = func(y, dy []float64) {
		an, bn, am, bm, ah, bh := rates(y[0])
		dy[0] = -gna*y[1]*y[1]*y[1]*y[2]*(y[0]-ena) - gk*y[3]*y[3]*y[3]*y[3]*(y[0]-ek) - gl*(y[0]-el) + y[4] + y[5] + current
		dy[1], dy[2], dy[3] = am*(1-y[1])-bm*y[1], ah*(1-y[2])-bh*y[2], an*(1-y[3])-bn*y[3]
		dy[4], dy[5], dy[6], dy[7] = y[6]-y[4]/te, y[7]-y[5]/ti, -y[6]/te, -y[7]/ti
	}
	x.reset = func([]float64) {}
	x.arrive = func(y []float64, w float64) {
		if w > 0 {
			y[6] += w * math.E / te
		} else {
			y[7] += w * math.E / ti
		}
	}
	x.weight = func(rng *rand.Rand) float64 { return 500*rng.Float64() - 200 }
	return x
}

func matCell() *membrane {
	const cm, tau, el, te, ti = 100.0, 5.0, -70.0, 1.0, 3.0
	x := &membrane{model: "mat2_psc_exp", vars: 5, start: []float64{el, 0, 0, 0, 0}, c: cm, tRef: 2, runs: true, level: -53,
		params: []any{"C_m", cm, "tau_m", tau, "E_L", el, "tau_syn_ex", te, "tau_syn_in", ti, "omega", -53.0, "alpha_1", 9.0, "alpha_2", 1.0, "tau_1", 10.0, "tau_2", 200.0, "t_ref", 2.0, "I_e", 350.0}}
	x.slopes = func(y, dy []float64) {
		dy[0] = -(y[0]-el)*cm/tau + y[1] + y[2] + 350
		dy[1], dy[2], dy[3], dy[4] = -y[1]/te, -y[2]/ti, -y[3]/10, -y[4]/200
	}
	x.th = func(y []float64) float64 { return y[3] + y[4] }
	x.reset = func(y []float64) { y[3], y[4] = y[3]+9, y[4]+1 }
	x.arrive = func(y []float64, w float64) {
		if w > 0 {
			y[1] += w
		} else {
			y[2] += w
		}
	}
	x.weight = func(rng *rand.Rand) float64 { return 900*rng.Float64() - 250 }
	return x
}

// joined compares a cluster with an orbit under 240 arrivals.
func joined(t *testing.T, name string, cells []*membrane, pairs [][3]float64, tol float64) []Check {
	const end, every = 150.0, 1.3
	rng := rand.New(rand.NewPCG(9, uint64(len(name))))
	m := &network.Model{}
	var y []float64
	first := make([]int, len(cells))
	for i, x := range cells {
		first[i] = len(y)
		y = append(y, x.start...)
		pop := fmt.Sprint("n", i)
		m.Populations = append(m.Populations, population(pop, 1, x.model, values(x.params...), nil))
		m.Records = append(m.Records, record("spikes", pop, 0))
	}
	var records []int
	for i := range cells {
		records = append(records, len(m.Records))
		m.Records = append(m.Records, record("V_m", fmt.Sprint("n", i), ms(every)))
	}
	for k, p := range pairs {
		q := gap(fmt.Sprint("n", p[0]), fmt.Sprint("n", p[1]), [][3]float64{{0, 0, p[2]}})
		q.Name = fmt.Sprint("gap", k)
		m.Projections = append(m.Projections, q)
	}
	hits := randomHits(rng, len(cells), 240, end-3, func(i int) float64 {
		if cells[i].model == "iaf_psc_delta" { // V is to jump between samples, not at a crossing
			return 2*rng.Float64() - 0.7
		}
		return cells[i].weight(rng)
	})
	for i := range cells {
		var own []hit
		for _, h := range hits {
			if h.i == i {
				own = append(own, hit{h.at, 0, h.w})
			}
		}
		deliver(m, fmt.Sprint("n", i), own)
	}
	o := newOrbit(len(cells), y, 0.04)
	of := func(y []float64, i int) []float64 { return y[first[i] : first[i]+cells[i].vars] }
	o.slopes = func(y, dy []float64) {
		for i, x := range cells {
			x.slopes(of(y, i), of(dy, i))
		}
		for _, p := range pairs {
			a, b := first[int(p[0])], first[int(p[1])]
			current := p[2] * (y[b] - y[a])
			dy[a] += current
			dy[b] -= current
		}
		for i, x := range cells {
			dy[first[i]] /= x.c
			if o.held[i] && !x.runs {
				dy[first[i]] = 0
			}
		}
	}
	d := make([]float64, len(y))
	o.margin = func(i int, y []float64) float64 {
		v := y[first[i]]
		if th := cells[i].th; th != nil {
			v -= th(of(y, i))
		}
		if !cells[i].summit {
			return v - cells[i].level
		}
		if v < 0 {
			return -1
		}
		o.slopes(y, d)
		return -d[first[i]]
	}
	o.fire = func(i int) { cells[i].reset(of(o.y, i)) }
	for i, x := range cells {
		o.tRef[i] = x.tRef
	}
	want := o.follow(hits, end, every, func(h hit) {
		if x := cells[h.i]; x.model == "iaf_psc_delta" {
			if !o.held[h.i] || h.at.MS() >= o.free[h.i]-1e-13 {
				o.y[first[h.i]] += h.w
			}
		} else {
			x.arrive(of(o.y, h.i), h.w)
		}
	}, func() (v []float64) {
		for i := range cells {
			v = append(v, o.y[first[i]])
		}
		return v
	})
	r := play(t, m, ms(end))
	// against numbers neurons from 0: the cells are the first populations.
	for k := range records {
		if _, x := r.signal(records[k], 0); len(x) != len(want) {
			t.Fatalf("%s: %d samples, want %d", name, len(x), len(want))
		}
	}
	spikeTol, why := 2e-9, "either rounds to 1 ps; one rounding to the other side moves what follows by as much"
	if tol > 0 {
		spikeTol, why = 100*tol, fmt.Sprintf("100 times the tolerance %g of the integration", tol)
	}
	return againstMany(t, name, o, r, want, records, spikeTol, max(1e-7, 1000*tol), why)
}

// againstMany is against for records of one population each.
func againstMany(t *testing.T, name string, o *orbit, r *tape, want [][]float64, records []int, spikeTol, sampleTol float64, why string) []Check {
	flat := &tape{spikes: r.spikes}
	for k, rec := range records {
		for _, s := range r.samples {
			if s.record == rec {
				flat.samples = append(flat.samples, sample{k, s.at, []float64{s.values[0], s.values[0], s.values[0]}})
			}
		}
	}
	var index []int
	for k := range records {
		index = append(index, k)
	}
	return against(t, name, o, flat, want, index, spikeTol, sampleTol, why)
}

// gapIdentities: what must not change a bit, and what cancels.
func gapIdentities(t *testing.T) (rows []Check) {
	model := func(pairs [][3]float64, symmetric bool) *network.Model {
		m := &network.Model{Simulation: network.Simulation{Seed: 4}, Populations: []network.Population{
			population("n", 30, "iaf_psc_exp", values("C_m", 150.0, "tau_m", 12.0, "I_e", 160.0, "t_ref", 2.0), start("V_m", uniform(-70, -56))),
			population("noise", 30, "ou_current", values("sigma", 60.0, "tau", 3.0), nil)}}
		p := gap("n", "n", pairs)
		p.SynapseParams = values("symmetric", quantity.Value{Bool: symmetric})
		m.Projections = []network.Projection{p, {Name: "noise", Source: "noise", Target: "n", Rule: network.OneToOne, Weight: constant(1), Dendritic: constant(1)}}
		m.Records = []network.Record{record("spikes", "n", 0), record("V_m", "n", ms(1))}
		return m
	}
	var once, twice, back [][3]float64
	for k := range 60 {
		a, b := float64(k%30), float64((k*7+1)%30)
		if a == b {
			continue
		}
		once = append(once, [3]float64{a, b, 2})
		back = append(back, [3]float64{b, a, 2})
		twice = append(twice, [3]float64{a, b, 2}, [3]float64{b, a, 2})
	}
	base := play(t, model(once, false), 300*event.Millisecond)
	if len(base.spikes) < 50 {
		t.Errorf("only %d spikes", len(base.spikes))
	}
	same := func(name string, m *network.Model, pieces ...event.Time) {
		got := 0.0
		n := build(t, m, 2)
		r := &tape{}
		for _, d := range pieces {
			advance(t, n, d, r)
		}
		if r.hash() != base.hash() {
			got = 1
		}
		rows = append(rows, Check{Name: name + ": other bits", Unit: "1", Got: got, Why: fmt.Sprintf("%d spikes and V_m of 30 neurons", len(base.spikes))})
	}
	same("gap junctions, source and target exchanged", model(back, false), 300*event.Millisecond)
	same("gap junctions, named in both directions", model(twice, true), 300*event.Millisecond)
	same("gap junctions, run in three pieces", model(once, false), 77_777_777_777, 1, 300*event.Millisecond-77_777_777_778)
	return rows
}
