package validation

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
)

// hash is the hash of all that plastic synapses reported and of everything else
// on the tape, to the last bit.
func (r *learned) hash() string {
	h := sha256.New()
	h.Write([]byte(r.tape.hash()))
	var b []byte
	put := func(at event.Time, s network.SynapseID, k int64, x ...float64) {
		b = binary.LittleEndian.AppendUint64(b[:0], uint64(at))
		for _, i := range []uint32{uint32(s.Projection), s.Source, s.Target, s.Multapse} {
			b = binary.LittleEndian.AppendUint32(b, i)
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(k))
		for _, y := range x {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(y))
		}
		h.Write(b)
	}
	for _, u := range r.updates {
		put(u.At, u.Synapse, u.K, u.DW)
	}
	for _, c := range r.candidates {
		applied := 0.0
		if c.Applied {
			applied = 1
		}
		put(c.Close, c.Synapse, c.K, float64(c.Open), c.Value, c.P, c.U, applied, c.DW)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// weightBits are the weights of all plastic projections as Weights gives them.
func weightBits(n *network.Network, m *network.Model) (out []uint64) {
	for p := range m.Projections {
		if m.Projections[p].Synapse != "hmn" {
			continue
		}
		for part := range n.Weights(p) {
			for _, x := range part {
				out = append(out, math.Float64bits(x))
			}
		}
	}
	return out
}

// learningModel is a recurrent spiking network, 10 blocks of neurons or more, with two
// plastic projections, modulators of every kind but those of a task, and both
// kinds of attention; or, with rates, plastic rate units.
func learningModel(rates bool) *network.Model {
	m := &network.Model{Simulation: network.Simulation{Seed: 3}}
	rule := func(r hmnRule) network.Projection {
		r.uniform, r.bins = true, 16
		r.betaG, r.betaA, r.tauCtx = 1, 1, 500
		// Likely enough to be applied that a short run has many updates.
		r.thetaP, r.betaP = 1e-5*r.wMax, 1e5/r.wMax
		return network.Projection{Rule: network.FixedInDegree, Degree: 5, Multapses: true, Synapse: "hmn", SynapseParams: r.values(),
			Axonal: uniform(1, 4), Dendritic: constant(0.5)}
	}
	m.Modulators = []network.Modulator{
		{Name: "reward", Tau: 80},
		{Name: "tone", Hold: true, W: 0.3, HasW: true, Events: []network.Jump{{At: 0, Amount: 0.5}, {At: ms(70), Amount: -0.2}}},
	}
	for k := range 40 {
		m.Modulators[0].Events = append(m.Modulators[0].Events, network.Jump{At: ms(13.7) * event.Time(k+1), Amount: 1 - float64(k%3)})
	}
	if rates {
		m.Populations = []network.Population{
			population("in", 1, "step_rate", values("steps", stepsEvery(17, 40)), nil),
			population("R", 2000, "rate", values("f", "tanh", "b", 0.05, "noise_sigma", 0.3, "noise_hold", 40.0), nil),
		}
		in := network.Projection{Name: "in>R", Source: "in", Target: "R", Rule: network.AllToAll, Weight: uniform(0, 0.4), Dendritic: constant(1), Synapse: "static"}
		p := rule(coreRates(1))
		p.Name, p.Source, p.Target, p.Weight = "R>R", "R", "R", uniform(0, 0.1)
		p.Degree = 2
		p.Axonal = constant(1) // with many delays changes would come at ever more times
		m.Projections = []network.Projection{in, p}
		m.Records = append(m.Records, record("rate", "R", ms(5)))
	} else {
		psc := values("C_m", 200.0, "tau_m", 20.0, "E_L", -65.0, "V_th", -50.0, "V_reset", -65.0, "t_ref", 2.0, "tau_syn_ex", 3.0, "tau_syn_in", 8.0, "I_e", 140.0)
		m.Populations = []network.Population{
			population("E", 2200, "iaf_psc_exp", psc, start("V_m", uniform(-65, -50))),
			population("noise", 2200, "poisson", values("rate", 900.0), nil),
			trains("T", []event.Time{ms(10), ms(20), ms(33.3)}, []event.Time{ms(15)}, nil),
		}
		noise := network.Projection{Name: "noise>E", Source: "noise", Target: "E", Rule: network.OneToOne, Weight: constant(15), Dendritic: constant(1), Synapse: "static"}
		a := rule(coreRule(60))
		a.Name, a.Source, a.Target, a.Weight = "E>E", "E", "E", uniform(5, 30)
		b := rule(coreRule(60))
		b.Name, b.Source, b.Target, b.Weight, b.Degree = "T>E", "T", "E", uniform(20, 60), 1
		m.Projections = []network.Projection{noise, a, b}
		m.Modulators = append(m.Modulators, network.Modulator{Name: "volume", Tau: 50, W: 0.01, HasW: true, Source: "T", SourceJump: 0.7, HasDelay: true, Delay: ms(9)})
		m.Records = append(m.Records, record("spikes", "E", 0))
	}
	for _, p := range m.Projections {
		if p.Synapse == "hmn" {
			m.Records = append(m.Records, record(network.RecordUpdates, p.Name, 0), record(network.RecordCandidate, p.Name, 0))
		}
	}
	return m
}

// stepsEvery is n levels, dt ms apart.
func stepsEvery(dt float64, n int) (v quantity.Value) {
	for k := range n {
		v.Steps = append(v.Steps, [2]float64{float64(k) * dt, math.Sin(float64(k))})
	}
	return v
}

// checkLearningIdentities: a learning run is a function of its model alone.
func checkLearningIdentities(t *testing.T, mode mode) (rows []Check) {
	for _, rates := range []bool{false, true} {
		name := "plastic spiking network"
		if rates {
			name = "plastic rate network"
		}
		span := []event.Time{300, 600, 2000}[mode] * event.Millisecond
		if rates { // many small events, and one cycle is enough
			span /= 2
		}
		m := learningModel(rates)
		count := func(what string, why string, wrong int) {
			rows = append(rows, Check{Name: name + ": " + what, Unit: "1", Expected: 0, Got: float64(wrong), Why: why})
		}
		n := build(t, m, 1)
		whole := &learned{}
		learn(t, n, span, whole)
		want, weights := whole.hash(), weightBits(n, m)
		if len(whole.updates) < 1000 || len(whole.candidates) < 3000 {
			t.Errorf("%s: %d updates of %d candidates: too little is tested", name, len(whole.updates), len(whole.candidates))
		}
		unsorted := 0
		for k := 1; k < len(whole.updates); k++ {
			a, b := whole.updates[k-1], whole.updates[k]
			if a.At > b.At || a.At == b.At && compareSynapses(a.Synapse, b.Synapse) >= 0 {
				unsorted++
			}
		}
		count("updates out of order in the log", "by (time, synapse)", unsorted)
		differs := func(label string, r *learned, n *network.Network) (wrong int) {
			if r.hash() != want {
				t.Logf("%s: %s: %s", name, label, firstLearned(whole, r))
				wrong++
			}
			if !slices.Equal(weightBits(n, m), weights) {
				t.Logf("%s: %s: weights differ", name, label)
				wrong++
			}
			return wrong
		}

		if err := n.Reset(); err != nil {
			t.Fatal(err)
		}
		r := &learned{}
		learn(t, n, span, r)
		wrong := differs("reset", r, n)
		for _, part := range []event.Time{span / 3, 1} {
			if err := n.Reset(); err != nil {
				t.Fatal(err)
			}
			learn(t, n, part, &learned{})
		}
		if err := n.Reset(); err != nil {
			t.Fatal(err)
		}
		r = &learned{}
		learn(t, n, span, r)
		wrong += differs("reset within a window", r, n)
		n.Close()
		count("Reset then Run against a fresh network", "bit for bit: weights, updates, candidates, spikes and samples", wrong)

		wrong = 0
		rng := rand.New(rand.NewPCG(22, 0))
		for _, cuts := range [][]event.Time{
			{ms(125)}, // a cycle start, where windows of some phases open and close
			{ms(31.25), ms(31.25) + 1, 1},
			{0, 1, event.Time(rng.Int64N(int64(span) / 4)), event.Time(rng.Int64N(int64(span) / 4)), event.Time(rng.Int64N(int64(span) / 4))},
		} {
			n := build(t, m, 2)
			r, left := &learned{}, span
			for _, c := range cuts {
				learn(t, n, c, r)
				weightBits(n, m) // a read is pure
				left -= c
			}
			learn(t, n, left, r)
			wrong += differs(fmt.Sprintf("split after %v", cuts), r, n)
			n.Close()
		}
		count("runs split at three sets of times, weights read between, against one run", "bit for bit", wrong)

		wrong = 0
		for _, workers := range []int{2, 7} {
			n := build(t, m, workers)
			if k := n.Stats().Blocks; k < 8 {
				t.Errorf("%s: %d blocks, want ≥ 8", name, k)
			}
			r := &learned{}
			learn(t, n, span, r)
			wrong += differs(fmt.Sprintf("%d workers", workers), r, n)
			n.Close()
		}
		count("1 worker = 2 = 7", "bit for bit", wrong)

		// Recorders: more of them, at odd times, then none at all.
		wrong = 0
		more := *m
		more.Records = slices.Clone(m.Records)
		plastic := m.Projections[len(m.Projections)-1].Name
		for _, what := range []string{network.RecordEligibility, network.RecordEligibilityFast, network.RecordEligibilitySlow, network.RecordGate,
			network.RecordAlpha, network.RecordG, network.RecordGPrime, network.RecordGamma, network.RecordEta, network.RecordWeight} {
			r := record(what, plastic, ms(1.23456789))
			if what != network.RecordG && what != network.RecordGPrime && what != network.RecordGamma && what != network.RecordEta {
				r.Subset = []int{0, 1, 7, 500}
			}
			more.Records = append(more.Records, r)
		}
		more.Records = append(more.Records, record(network.RecordModulator, "reward", ms(0.77)))
		n = build(t, &more, 1)
		r = &learned{}
		learn(t, n, span, r)
		kept, seen := r.samples[:0], map[int]bool{}
		for _, x := range r.samples {
			seen[x.record] = true
			if x.record < len(m.Records) {
				kept = append(kept, x)
			}
		}
		for k := len(m.Records); k < len(more.Records); k++ {
			if !seen[k] {
				t.Errorf("%s: the record of %s gave nothing", name, more.Records[k].What)
			}
		}
		r.samples = kept
		wrong += differs("recorders added", r, n)
		n.Close()
		bare := *m
		bare.Records = nil
		n = build(t, &bare, 1)
		if err := n.Run(t.Context(), span, network.Recorder{}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(weightBits(n, m), weights) {
			t.Logf("%s: weights differ without recorders", name)
			wrong++
		}
		n.Close()
		count("recorders added and removed", "bit for bit; ten signals of the synapses and a modulator added", wrong)

		other := *m
		other.Simulation.Seed++
		n = build(t, &other, 1)
		r = &learned{}
		learn(t, n, span, r)
		n.Close()
		same := map[float64]bool{}
		for _, u := range whole.updates {
			same[u.DW] = math.Abs(u.DW) > 1e-9 // smaller ones are few multiples of the rounding of w
		}
		repeated := 0
		for _, u := range r.updates {
			if same[u.DW] {
				repeated++
			}
		}
		count("updates that another seed repeats", "53 bits of Δw do not meet by chance", repeated)
	}
	return rows
}

// firstLearned says where two records part.
func firstLearned(a, b *learned) string {
	for k := range min(len(a.candidates), len(b.candidates)) {
		x, y := a.candidates[k], b.candidates[k]
		if x.Synapse != y.Synapse || x.K != y.K || x.Value != y.Value || x.Applied != y.Applied || x.DW != y.DW || x.Open != y.Open || x.Close != y.Close {
			return fmt.Sprintf("candidate %d is %+v, want %+v", k, y, x)
		}
	}
	if len(a.candidates) != len(b.candidates) {
		return fmt.Sprintf("%d candidates, want %d", len(b.candidates), len(a.candidates))
	}
	if !slices.Equal(a.updates, b.updates) {
		return firstUnequal(b.updates, a.updates)
	}
	return firstDifference(&a.tape, &b.tape)
}

// checkSilence: synapses that nothing touches are settled in bounded time and
// order; long silence costs little and changes nothing.
func checkSilence(t *testing.T, _ mode) (rows []Check) {
	// A pair at the start, then nothing for 40 s but rewards that only the settle
	// pass can commit.
	r := coreRule(1)
	r.bernoulli, r.settle = false, 16
	w := pairs(r, 5, 0.5)
	for i := range w.edges {
		w.edges[i].phase = 1.1 * float64(i)
		w.pre, w.post = append(w.pre, []event.Time{ms(10)}), append(w.post, []event.Time{ms(20 + float64(i))})
	}
	w.pre[4], w.post[4] = nil, nil // never touched at all
	w.mods = []hmnModulator{{tau: 200, w: 1}}
	for k := range 5 {
		w.mods[0].jumps = append(w.mods[0].jumps, hmnLevel{ms(2000*float64(k) + 300), 1 - 0.3*float64(k)})
	}
	m := w.model(false)
	w.adopt(t, m)
	n := build(t, m, 1)
	got := &learned{}
	late, settle := event.Time(0), event.Time(r.settle)*ms(125)
	known := 0
	for now := event.Time(0); now < 40*event.Second; now += ms(500) {
		learn(t, n, ms(500), got)
		for ; known < len(got.updates); known++ {
			late = max(late, now+ms(500)-got.updates[known].At)
		}
	}
	w.compare(t, "silent synapses", 40*event.Second, got, finalWeights(n))
	n.Close()
	rows = append(rows, Check{Name: "silent synapses, settled every 2 s: latest update in the log, by time in the run", Unit: "ms", Expected: 0, Got: late.MS(), Tolerance: (settle + ms(625)).MS(),
		Why: fmt.Sprintf("S cycles, one window and the 500 ms between looks; %d updates, all as the oracle has them and in order", len(got.updates))})

	// 10⁶ silent seconds between two busy ones.
	const silence = 1_000_000 * event.Second
	r = coreRule(1)
	r.bernoulli = false
	early, lateW := pairs(r, 4, 0.5), pairs(r, 4, 0.5)
	rng := rand.New(rand.NewPCG(23, 0))
	end := 3 * event.Second
	shift := func(x []event.Time) (y []event.Time) {
		for _, t := range x {
			y = append(y, t+silence)
		}
		return y
	}
	whole := pairs(r, 4, 0.5)
	for i := range 4 {
		a, b := randomTrain(rng, 20, end), randomTrain(rng, 20, end)
		c, d := randomTrain(rng, 20, end), randomTrain(rng, 20, end)
		early.pre, early.post = append(early.pre, a), append(early.post, b)
		lateW.pre, lateW.post = append(lateW.pre, c), append(lateW.post, d)
		whole.pre, whole.post = append(whole.pre, append(a, shift(c)...)), append(whole.post, append(b, shift(d)...))
		for _, x := range []*hmnWorld{early, lateW, whole} {
			x.edges[i].phase = 1.3 * float64(i)
		}
	}
	m = whole.model(false)
	m.Records = m.Records[1:]
	n = build(t, m, 1)
	got = &learned{}
	began := time.Now()
	learn(t, n, silence+end, got)
	took := time.Since(began)
	n.Close()
	// The oracle's windows before and after; k counts on.
	type id struct {
		edge int
		k    int64
	}
	want := map[id]hmnWindow{}
	cycles := int64(silence / ms(125))
	quiet := 60 * event.Second // 60 τ_slow: all traces are flushed
	for _, c := range early.candidates(quiet) {
		if c.value != 0 {
			want[id{c.edge, c.k}] = c
		}
	}
	for _, c := range lateW.candidates(end) {
		if c.value != 0 && c.k >= 0 {
			want[id{c.edge, c.k + cycles}] = c
		}
	}
	wrong, worst := 0, 0.0
	for _, u := range got.updates {
		c, ok := want[id{int(u.Synapse.Source), u.K}]
		if !ok {
			if u.K == cycles-1 {
				continue // the oracle's second half starts within that window
			}
			wrong++
			continue
		}
		delete(want, id{int(u.Synapse.Source), u.K})
		worst = math.Max(worst, math.Abs(u.DW-c.value)/(candidateBar*c.sum+1e-15))
	}
	return append(rows,
		Check{Name: "10⁶ silent seconds: updates missing or too many", Unit: "1", Expected: 0, Got: float64(wrong + len(want)), Why: "the oracle, whose second half starts anew"},
		Check{Name: "… worst update, in units of its bar", Unit: "1", Expected: 0, Got: worst, Tolerance: 1, Why: "1e-11 of Σ|segments| and rounding of w"},
		Check{Name: "… time", Unit: "s", Expected: 0, Got: took.Seconds(), Tolerance: 5, Why: "next to nothing once traces are flushed: 10⁹ windows of 1 ms are not walked through; a loaded machine"})
}
