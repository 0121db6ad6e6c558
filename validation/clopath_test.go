package validation

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/network"
)

// voltageOracle integrates one aeif_cond_exp neuron, the filters of its potential and
// the weights of its synapses together: the classical Runge–Kutta method in steps of at
// most 2 µs, which end at every event and where V or ū₊ passes a threshold, found by
// bisection. Time is the neuron's.
type voltageOracle struct {
	c, gL, eL, eEx, vT, delta, vPeak, vReset, tRef, a, b, tauW, tauEx, iE float64 // the neuron
	ltd, ltp, low, high, tauX, tauLow, tauHigh, clamp, vClamp, wMin, wMax float64 // the rule
	weight                                                                []float64
}

// voltageEvent is one thing that happens to synapse i.
type voltageEvent struct {
	at   float64 // ms
	kind int     // 0: it sees an arrival; 1: what it sent arrives; 2: its weight is read
	i    int
	sent *float64
	read func(w, total float64)
}

// run plays the events, which are in order of time, and gives the spikes.
func (o *voltageOracle) run(events []voltageEvent) (spikes []float64) {
	n := len(o.weight)
	w, x, total := slices.Clone(o.weight), make([]float64, n), make([]float64, n)
	// V, adaptation, g, ū₋, ū₊, and per synapse ∫ x̄ F (times A_LTP: its change).
	y := make([]float64, 5+n)
	y[0], y[3], y[4] = o.eL, o.eL, o.eL
	held, clamped := -1.0, -1.0 // until when
	t := 0.0
	slopes := func(dy, y []float64, since float64) {
		v := y[0]
		dy[0] = 0
		if t >= held {
			dy[0] = (-o.gL*(v-o.eL) + o.gL*o.delta*math.Exp((v-o.vT)/o.delta) - y[2]*(v-o.eEx) - y[1] + o.iE) / o.c
		}
		dy[1] = (o.a*(v-o.eL) - y[1]) / o.tauW
		dy[2] = -y[2] / o.tauEx
		if t < clamped {
			v = o.vClamp
		}
		dy[3], dy[4] = (v-y[3])/o.tauLow, (v-y[4])/o.tauHigh
		f := math.Max(v-o.high, 0) * math.Max(y[4]-o.low, 0) * math.Exp(-since/o.tauX)
		for i := range n {
			dy[5+i] = o.ltp * x[i] * f
		}
	}
	k, z := [4][]float64{}, make([]float64, 5+n)
	for q := range k {
		k[q] = make([]float64, 5+n)
	}
	step := func(to []float64, h float64) {
		slopes(k[0], y, 0)
		for q := 1; q < 4; q++ {
			part := h / 2
			if q == 3 {
				part = h
			}
			for j := range y {
				z[j] = y[j] + part*k[q-1][j]
			}
			slopes(k[q], z, part)
		}
		for j := range y {
			to[j] = y[j] + h/6*(k[0][j]+2*k[1][j]+2*k[2][j]+k[3][j])
		}
	}
	next := make([]float64, 5+n)
	for _, e := range events {
		for t < e.at {
			end := math.Min(t+0.002, e.at)
			for _, stop := range []float64{held, clamped} {
				if stop > t {
					end = math.Min(end, stop)
				}
			}
			h := end - t
			step(next, h)
			fired := next[0] >= o.vPeak
			// A step ends where V passes V_peak or theta_plus, or ū₊ theta_minus.
			passes := func(y2 []float64) bool {
				return y2[0] >= o.vPeak || (y2[0] > o.high) != (y[0] > o.high) || (y2[4] > o.low) != (y[4] > o.low)
			}
			if passes(next) {
				lo, hi := 0.0, h
				for range 60 {
					h = (lo + hi) / 2
					if step(next, h); passes(next) {
						hi = h
					} else {
						lo = h
					}
				}
				h = hi
				step(next, h)
				end = t + h
				fired = next[0] >= o.vPeak
			}
			copy(y, next)
			for i := range n {
				w[i] = math.Min(w[i]+y[5+i], o.wMax)
				total[i] += y[5+i]
				y[5+i] = 0
				x[i] *= math.Exp(-h / o.tauX)
			}
			t = end
			if fired {
				spikes = append(spikes, t)
				y[0], y[1] = o.vReset, y[1]+o.b
				held, clamped = t+o.tRef, t+o.clamp
			}
		}
		switch e.kind {
		case 0:
			*e.sent = w[e.i]
			fall := o.ltd * math.Max(y[3]-o.low, 0)
			w[e.i] = math.Max(w[e.i]-fall, o.wMin)
			total[e.i] += fall
			x[e.i] += 1 / o.tauX
		case 1:
			y[2] += *e.sent
		case 2:
			e.read(w[e.i], total[e.i])
		}
	}
	return spikes
}

// checkClopath holds the voltage-based rule against a fine integration, and looks at
// the sign of what pairings do.
func checkClopath(t *testing.T, mode mode) (rows []Check) {
	for k, c := range []struct {
		name          string
		clamp         float64
		axonal, delay float64 // the second is dendritic
	}{
		{"the neuron's own spikes", 0, 0.3, 1.1},
		{"spikes of 2 ms", 2, 1.2, 0.4},
		{"spikes of 0.7 ms, below the refractory period", 0.7, 0, 2.5},
	} {
		const inputs = 12
		span := []float64{1500, 3000, 3000}[mode] // differences grow with it
		o := voltageOracle{c: 281, gL: 30, eL: -70.6, eEx: 0, vT: -50, delta: 4, vPeak: -35, vReset: -60, tRef: 2, a: 4, b: 20, tauW: 144, tauEx: 1.5, iE: 550,
			ltd: 5e-4, ltp: 4e-3, low: -68, high: -45.3, tauX: 15, tauLow: 10, tauHigh: 7, clamp: c.clamp, vClamp: 33, wMin: 0.7, wMax: 1.25}
		if c.clamp > 0 {
			o.ltp /= 20
		}
		rng := rand.New(rand.NewPCG(11, uint64(k)))
		m := &network.Model{Simulation: network.Simulation{Seed: 1}}
		var in [][]event.Time
		p := edges("in", "cell")
		var events []voltageEvent
		for i := range inputs {
			in = append(in, randomTrain(rng, 60, ms(span)))
			o.weight = append(o.weight, 0.8+0.4*rng.Float64())
			p.Edges = append(p.Edges, edge(i, 0, o.weight[i], ms(c.axonal), ms(c.delay)))
			for len(in[i]) > 0 && in[i][0] < ms(5) { // after t = 0, as the neuron has it
				in[i] = in[i][1:]
			}
			for _, s := range in[i] {
				sent := new(float64)
				events = append(events, voltageEvent{at: (s + ms(c.axonal) - ms(c.delay)).MS(), i: i, sent: sent},
					voltageEvent{at: (s + ms(c.axonal) + ms(c.delay)).MS(), kind: 1, i: i, sent: sent})
			}
		}
		m.Populations = append(m.Populations, trains("in", in...), population("cell", 1, "aeif_cond_exp", values("C_m", o.c, "g_L", o.gL, "E_L", o.eL, "E_ex", o.eEx, "V_th", o.vT,
			"Delta_T", o.delta, "V_peak", o.vPeak, "V_reset", o.vReset, "t_ref", o.tRef, "a", o.a, "b", o.b, "tau_w", o.tauW, "tau_syn_ex", o.tauEx, "I_e", o.iE, "rtol", 1e-9), nil))
		p.Synapse, p.SynapseParams = "clopath", values("A_LTD", o.ltd, "A_LTP", o.ltp, "theta_minus", o.low, "theta_plus", o.high, "t_clamp", o.clamp, "w_min", o.wMin, "w_max", o.wMax)
		m.Projections = append(m.Projections, p)
		every := ms(2.300000007)
		m.Records = append(m.Records, record(network.RecordWeight, p.Name, every), record(network.RecordSpikes, "cell", 0))
		n := build(t, m, 1)
		tape := &tape{}
		if err := n.Run(context.Background(), ms(span), network.Recorder{Spikes: tape, Samples: tape}); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		worst, bound, turned := 0.0, 0, 0.0
		labels := n.RecordLabels(0)
		for _, s := range tape.samples {
			for q, l := range labels {
				if s.at < ms(c.delay) {
					continue
				}
				got := s.values[q]
				events = append(events, voltageEvent{at: (s.at - ms(c.delay)).MS(), kind: 2, i: int(l.Source), read: func(w, total float64) {
					if total > 0 {
						worst = math.Max(worst, math.Abs(got-w)/math.Max(total, 1e-3))
					}
					turned = math.Max(turned, total)
					if w == o.wMin || w == o.wMax {
						bound++
					}
				}})
			}
		}
		slices.SortStableFunc(events, func(a, b voltageEvent) int {
			if a.at != b.at {
				return int(math.Copysign(1, a.at-b.at))
			}
			return a.kind - b.kind
		})
		spikes, apart := o.run(events), 0.0
		if len(spikes) < len(tape.spikes) {
			t.Errorf("%s: %d spikes, the reference has %d", c.name, len(tape.spikes), len(spikes))
			continue
		}
		for q, s := range tape.spikes {
			apart = math.Max(apart, math.Abs(s.At.MS()-spikes[q]))
		}
		if turned < 0.1 || bound == 0 || len(spikes) < 3 {
			t.Errorf("%s: weights changed by %g, %d samples at a bound, %d spikes", c.name, turned, bound, len(spikes))
		}
		rows = append(rows, Check{Name: "clopath, " + c.name + ": weights", Unit: "Σ|Δw|", Expected: 0, Got: worst, Tolerance: 1e-5,
			Why: fmt.Sprintf("own Runge–Kutta of the neuron with its %d synapses in steps of 2 µs, which end where V passes theta_plus; %d spikes, %d samples of weights, %d at a bound; rtol 1e-9, and differences grow, since weights move spikes and spikes weights", inputs, len(spikes), len(tape.samples), bound)},
			Check{Name: "… spikes", Unit: "ms", Expected: 0, Got: apart, Tolerance: 1e-5, Why: "the same; the weights act on the neuron"})
	}
	return append(rows, checkPairings(t)...)
}

// checkPairings: five pairings of ±10 ms at two rates, with the default parameters.
func checkPairings(t *testing.T) (rows []Check) {
	change := map[string]float64{}
	for _, c := range []struct {
		name   string
		lead   float64 // of the source before the target
		period float64
	}{
		{"pre 10 ms before post, 1 Hz", 10, 1000}, {"post 10 ms before pre, 1 Hz", -10, 1000},
		{"pre 10 ms before post, 50 Hz", 10, 20}, {"post 10 ms before pre, 50 Hz", -10, 20},
	} {
		var pre, post []event.Time
		for k := range 5 {
			at := 50 + float64(k)*c.period
			post, pre = append(post, ms(at)), append(pre, ms(at-c.lead))
		}
		m := &network.Model{Populations: []network.Population{trains("in", pre, post), population("cell", 1, "aeif_cond_exp", values("t_ref", 2.0), nil)}}
		p, kick := edges("in", "cell", edge(0, 0, 0.5, 0, ms(0.1))), edges("in", "cell", edge(1, 0, 1000, 0, ms(0.1)))
		p.Name, p.Synapse, p.SynapseParams = "plastic", "clopath", values("t_clamp", 2.0)
		m.Projections = []network.Projection{p, kick}
		end := ms(50 + 5*c.period + 100)
		m.Records = []network.Record{record(network.RecordSpikes, "cell", 0), record(network.RecordWeight, "plastic", end)}
		n := build(t, m, 1)
		tape := &tape{}
		if err := n.Run(context.Background(), end+1, network.Recorder{Spikes: tape, Samples: tape}); err != nil {
			t.Error(err)
			continue
		}
		if len(tape.spikes) != 5 {
			t.Errorf("%s: %d spikes, want 5", c.name, len(tape.spikes))
		}
		d := tape.samples[len(tape.samples)-1].values[0] - 0.5
		change[c.name] = d
		want := 1.0
		if c.lead < 0 && c.period > 100 {
			want = -1
		}
		rows = append(rows, Check{Name: "clopath: five pairings, " + c.name + ": sign", Unit: "1", Expected: want, Got: math.Copysign(1, d), Why: fmt.Sprintf("Clopath et al. 2010, Fig. 2: frequency turns depression into potentiation; the change is %.3g", d)})
	}
	return rows
}
