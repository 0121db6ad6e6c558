package validation

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hmn/event"
	"hmn/network"
)

// randomPlastic draws a rule with constants of many orders of magnitude.
func randomPlastic(rng *rand.Rand) plasticRule {
	tau := func() float64 { return pick(rng, 20, 20, 5, 33.7, 0.05, 400, 1e4, 1e6) * (0.5 + rng.Float64()) }
	signed := func(size float64) float64 { return size * (2*rng.Float64() - 0.6) }
	wMin := pick(rng, 0.0, 0, 0.3)
	wMax := wMin + pick(rng, 1.0, 0.01, 500)
	var r plasticRule
	factors := func() (f []factor) {
		for range 1 + rng.IntN(3) {
			f = append(f, factor{pick(rng, 0, tau(), tau(), 200), signed(1)})
		}
		return f
	}
	dopamine := func() dopamineOracle {
		return dopamineOracle{aPlus: signed(1), aMinus: -signed(1), tauPlus: tau(), tauMinus: tau(), tauC: pick(rng, tau(), 1000), eta: wMax * pick(rng, 1e-4, 1e-2, 1e-6),
			base: pick(rng, 0, 0, signed(0.2)), wMin: wMin, wMax: wMax, set: rng.IntN(2) == 0, factors: factors()}
	}
	switch rng.IntN(8) {
	case 0, 1:
		// Exponents below 1 have an infinite slope at the bound: there the last bit of a
		// weight decides. They are in the table, away from it.
		o := stdpOracle{aPlus: signed(0.02), aMinus: -signed(0.02), tauPlus: tau(), tauMinus: tau(), muPlus: pick(rng, 0, 1, 3, 1+rng.Float64()), wMin: wMin, wMax: wMax, by: pairing(rng.IntN(4))}
		if o.power = rng.IntN(4) == 0; o.power {
			o.wRef, o.wMin = wMax/3, max(wMin, wMax/10)
			wMin = o.wMin
			o.muPlus = rng.Float64()
		} else {
			o.muMinus = pick(rng, o.muPlus, 0, 1, 2)
		}
		r = stdpRule("stdp", o)
	case 2, 3:
		o := tripletOracle{a2Plus: signed(0.01), a3Plus: signed(0.01), a2Minus: -signed(0.01), a3Minus: -signed(0.01), tauPlus: tau(), tauMinus: tau(), tauX: tau(), tauY: tau(), wMin: wMin, wMax: wMax, nearest: rng.IntN(2) == 0}
		r = tripletRule("visual_cortex", o)
		r.name, r.oracle, r.wMin, r.wMax = "stdp_triplet", o.weights, wMin, wMax
		r.params = with(r.params, "A2_plus", o.a2Plus, "A3_plus", o.a3Plus, "A2_minus", o.a2Minus, "A3_minus", o.a3Minus,
			"tau_plus", o.tauPlus, "tau_minus", o.tauMinus, "tau_x", o.tauX, "tau_y", o.tauY, "w_min", wMin, "w_max", wMax)
	case 4:
		r = vogelsRule("vogels_sprekeler", vogelsOracle{eta: signed(0.02 * wMax), alpha: signed(0.5), tau: tau(), wMin: wMin, wMax: wMax})
	case 5:
		r = dopamineRule("stdp_dopamine", "exact", dopamine())
	case 6:
		o := dopamine()
		if o.nest, o.set = rng.IntN(2) == 0, rng.IntN(2) == 0; o.nest {
			o.set = false
			for k := range o.factors {
				o.factors[k].tau = max(o.factors[k].tau, 50)
			}
			r = dopamineRule("stdp_dopamine, nest", "nest", o)
			break
		}
		p := daspnetOracle{o, pick(rng, 0, ms(1), ms(0.37))}
		r = dopamineRule("stdp_dopamine, daspnet", "daspnet", o)
		r.oracle, r.params = p.weights, with(o.values("daspnet"), "post_lag", p.lag.MS())
	default:
		o := dopamine()
		o.base = 0
		if rng.IntN(3) == 0 {
			o.tauC = 0
		}
		r = mstdpetRule("mstdpet", o)
	}
	return r
}

// checkRandomPlastic is many small runs with random rules, parallel synapses,
// autapses' shared trains, delays of all lengths, runs that end anywhere: what a
// record reads, Network.Weight and Network.Weights all are the reference's w(t).
func checkRandomPlastic(t *testing.T, mode mode) []Check {
	n := []int{40, 300, 20_000}[mode]
	worst, worstEnd := 0.0, 0.0
	var found, foundEnd string
	events := 0
	for seed := range n {
		rng := rand.New(rand.NewPCG(50, uint64(seed)))
		r := randomPlastic(rng)
		const sources, targets = 3, 3
		span := ms(400 + 600*rng.Float64())
		var pre, post [][]event.Time
		for range sources {
			pre = append(pre, randomTrain(rng, pick(rng, 10.0, 40, 200), span))
		}
		for range targets {
			x := randomTrain(rng, pick(rng, 5.0, 30, 150), span)
			for range 10 { // on the very picosecond of others, or beside it
				if y := pre[rng.IntN(sources)]; len(y) > 0 {
					x = append(x, max(0, y[rng.IntN(len(y))]+event.Time(rng.IntN(3)-1)))
				}
			}
			post = append(post, ordered(x))
		}
		if rng.IntN(3) == 0 {
			pre[0] = append([]event.Time{0}, pre[0]...)
			pre[0] = ordered(pre[0])
			post[1] = slices.Clone(pre[0])
		}
		p := network.Projection{Name: "plastic", Source: "pre", Target: "post", Rule: network.EdgeList, Autapses: true, Multapses: true, Synapse: r.model, SynapseParams: r.params}
		for range 8 {
			w := min(r.wMax, r.wMin+(r.wMax-r.wMin)*pick(rng, 0, 1, rng.Float64()))
			e := edge(rng.IntN(sources), rng.IntN(targets), w, pick(rng, 0, ms(1), ms(1), event.Time(rng.Int64N(20e9))), pick(rng, 0, 0, ms(1), event.Time(rng.Int64N(50e9))))
			e.Axonal = max(e.Axonal, ms(0.5)-e.Dendritic)
			if r.negative {
				e.Weight = -e.Weight
			}
			p.Edges = append(p.Edges, e)
		}
		every := span / event.Time(2+rng.IntN(12))
		m := &network.Model{Simulation: network.Simulation{Seed: uint64(seed)}, Populations: []network.Population{trains("pre", pre...), trains("post", post...)}, Projections: []network.Projection{p},
			Records: []network.Record{record(network.RecordWeight, "plastic", every)}}
		var jumps []factorJump
		for k := range r.factors {
			f := r.factors[k]
			at := randomTrain(rng, 10, span)
			if len(pre[1]) > 0 {
				at = append(at, pre[1][0]+p.Edges[0].Axonal)
			}
			for _, x := range append(ordered(at), span+1) { // a jump after the end: every modulator is driven
				j := factorJump{x, k, rng.NormFloat64()}
				jumps = append(jumps, j)
				f.Events = append(f.Events, network.Jump{At: j.at, Amount: j.amount})
			}
			m.Modulators = append(m.Modulators, f)
		}
		slices.SortStableFunc(jumps, func(a, b factorJump) int { return cmp.Compare(a.at, b.at) })
		list, err := network.Synapses(m, 0)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		slices.SortFunc(list, func(a, b network.Synapse) int {
			return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Multapse, b.Multapse))
		})
		net, err := network.Build(m, network.Options{Workers: 1})
		if err != nil {
			t.Fatalf("seed %d, %s: %v", seed, r.name, err)
		}
		tape := &tape{}
		// The run ends somewhere, is asked for its weights, and goes on.
		middle := 1 + event.Time(rng.Int64N(int64(span)))
		if err := net.Run(context.Background(), middle, network.Recorder{Samples: tape}); err != nil {
			t.Fatal(err)
		}
		var at []float64
		for part := range net.Weights(0) {
			at = append(at, part...)
		}
		if err := net.Run(context.Background(), span+1-middle, network.Recorder{Samples: tape}); err != nil {
			t.Fatal(err)
		}
		net.Close()
		var reads []event.Time
		for k := event.Time(1); k*every <= span; k++ {
			reads = append(reads, k*every)
		}
		var ends []float64
		for i, s := range list {
			b := &bond{pre: pre[s.Source], post: post[s.Target], axonal: s.Axonal, dendritic: s.Dendritic, weight: math.Abs(s.Weight), jumps: jumps}
			events += len(b.meetings(reads))
			_, got := tape.signal(0, i)
			for k, a := range r.oracle(b, reads, true) {
				scale := double(a.total) + r.wMax
				e := math.Abs(math.Abs(got[k+1])-double(a.w)) / scale
				if e > worst || math.IsNaN(e) {
					worst, found = e, fmt.Sprintf("seed %d, %s %v: synapse %d (%d→%d) at %v: got %.17g, want %.17g, Σ|Δw| %.3g", seed, r.name, r.params, i, s.Source, s.Target, reads[k], got[k+1], double(a.w), double(a.total))
				}
			}
			// A run to `middle` has seen what lies before it.
			a := r.oracle(b, []event.Time{middle - 1}, true)[0]
			ends = append(ends, double(a.w))
		}
		slices.Sort(ends)
		for i := range at {
			at[i] = math.Abs(at[i])
		}
		slices.Sort(at)
		if len(at) != len(ends) {
			t.Errorf("seed %d: Weights gives %d, want %d", seed, len(at), len(ends))
			continue
		}
		for i := range ends {
			if e := math.Abs(at[i]-ends[i]) / r.wMax; e > worstEnd {
				worstEnd, foundEnd = e, fmt.Sprintf("seed %d, %s %v at %v: Weights %.17g, want %.17g", seed, r.name, r.params, middle, at[i], ends[i])
			}
		}
	}
	if worst > 1e-12 {
		t.Logf("record: %s", found)
	}
	if worstEnd > 1e-9 {
		t.Logf("Weights: %s", foundEnd)
	}
	return []Check{
		{Name: fmt.Sprintf("%d runs with random rules: records of weights", n), Unit: "Σ|Δw|+w_max", Expected: 0, Got: worst, Tolerance: 1e-12,
			Why: fmt.Sprintf("all rules between spikes; time constants from 0.05 ms to 1000 s, parallel synapses, delays to 20 and 50 ms, bounds; %d events at synapses; up to 1000 roundings of w each", events)},
		{Name: "… weights of a run that ends anywhere", Unit: "w_max", Expected: 0, Got: worstEnd, Tolerance: 1e-9,
			Why: "Network.Weights; a run to t has seen what lies before t; a picosecond of a drift of at most some w_max per ms"},
	}
}
