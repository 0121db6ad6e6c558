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
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/network"
)

// learned keeps what plastic synapses report.
type learned struct {
	tape
	candidates []network.Candidate
	updates    []network.WeightUpdate
}

func (r *learned) WriteCandidates(c []network.Candidate) error {
	r.candidates = append(r.candidates, c...)
	return nil
}

func (r *learned) WriteUpdates(u []network.WeightUpdate) error {
	r.updates = append(r.updates, u...)
	return nil
}

// learn advances a network and keeps all it reports.
func learn(t testing.TB, n *network.Network, d event.Time, r *learned) {
	t.Helper()
	err := n.Run(context.Background(), d, network.Recorder{Spikes: r, Samples: r, Updates: r, Candidates: r})
	if err != nil {
		t.Fatal(err)
	}
}

// levels is a population of step_rate sources.
func levels(name string, steps [][]hmnLevel) network.Population {
	var table []quantity.Step
	for i, s := range steps {
		for _, l := range s {
			table = append(table, quantity.Step{Neuron: i, Time: l.at.MS(), Value: l.value})
		}
	}
	return population(name, len(steps), "step_rate", values("steps_file", quantity.Value{Table: table, Text: name + ".csv"}), nil)
}

// model describes the world's run for the engine. negative makes all weights
// negative; their magnitudes are the world's.
func (w *hmnWorld) model(negative bool) *network.Model {
	m := &network.Model{Simulation: network.Simulation{Seed: w.seed}}
	add := func(name string, lo, hi int) {
		if w.rule.rates {
			m.Populations = append(m.Populations, levels(name, w.x[lo:hi]))
		} else {
			m.Populations = append(m.Populations, trains(name, w.pre[lo:hi]...))
		}
	}
	n, parts := len(w.pre)+len(w.x), 1
	if w.split > 0 {
		add(w.source, 0, w.split)
		add(w.source+"2", w.split, n)
		parts = 2
	} else {
		add(w.source, 0, n)
	}
	if w.rule.rates {
		m.Populations = append(m.Populations, levels("post", w.z))
	} else {
		m.Populations = append(m.Populations, trains("post", w.post...))
	}
	for k := range parts {
		projection, source := w.names(k)
		p := network.Projection{Name: projection, Source: source, Target: "post", Rule: network.EdgeList,
			Autapses: true, Multapses: true, Synapse: "hmn", SynapseParams: w.rule.values(), EdgePhases: !w.rule.uniform}
		for _, e := range w.edges {
			home, local := w.home(e.pre)
			if home != k {
				continue
			}
			x := edge(int(local), e.post, e.weight, e.axonal, e.dendritic)
			if negative {
				x.Weight = -x.Weight
			}
			x.Phase = e.phase
			p.Edges = append(p.Edges, x)
		}
		m.Projections = append(m.Projections, p)
		m.Records = append(m.Records, record(network.RecordCandidate, projection, 0), record(network.RecordUpdates, projection, 0))
	}
	for k, q := range w.mods {
		d := network.Modulator{Name: fmt.Sprintf("m%d", k), Tau: q.tau, Hold: q.tau == 0, W: q.w, HasW: true}
		for _, j := range q.jumps {
			d.Events = append(d.Events, network.Jump{At: j.at, Amount: j.value})
		}
		if q.volume != 0 {
			d.Source, d.SourceJump, d.HasDelay, d.Delay = w.source, q.volume, true, q.delay
		}
		m.Modulators = append(m.Modulators, d)
	}
	return m
}

// adopt takes the synapses in the engine's order and with its multapse numbers,
// and its phases where they are drawn. The edges must be those given.
func (w *hmnWorld) adopt(t testing.TB, m *network.Model) {
	t.Helper()
	byEnds := func(a, b hmnEdge) int {
		return cmp.Or(cmp.Compare(a.pre, b.pre), cmp.Compare(a.post, b.post), cmp.Compare(a.axonal, b.axonal),
			cmp.Compare(a.dendritic, b.dendritic), cmp.Compare(a.phase, b.phase), cmp.Compare(a.weight, b.weight))
	}
	var edges []hmnEdge
	for p := range m.Projections {
		list, err := network.Synapses(m, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			edges = append(edges, hmnEdge{int(s.Source) + p*w.split, int(s.Target), s.Multapse, s.Axonal, s.Dendritic, s.Phase, math.Abs(s.Weight)})
		}
	}
	given, got := slices.Clone(w.edges), slices.Clone(edges)
	for i := range given {
		given[i].nth = 0
		if w.rule.uniform {
			given[i].phase = 0
		}
	}
	for i := range got {
		got[i].nth = 0
		if w.rule.uniform {
			q := got[i].phase / (2 * math.Pi) * float64(w.rule.bins)
			if w.rule.bins > 0 && math.Abs(q-math.Round(q)) > 1e-12*float64(w.rule.bins) {
				t.Errorf("phase %v is on no grid of %d", got[i].phase, w.rule.bins)
			}
			got[i].phase = 0
		}
	}
	slices.SortFunc(given, byEnds)
	slices.SortFunc(got, byEnds)
	if !slices.Equal(given, got) {
		t.Fatalf("Synapses lists %v, the edges are %v", got, given)
	}
	w.edges = edges
}

// tally is what a comparison found.
type tally struct {
	candidates, nonzero, applied int
	worst                        float64 // |engine − oracle|/Σ|segment contributions|
	worstP                       float64
	worstCase                    string
}

func (a *tally) add(b tally) {
	a.candidates += b.candidates
	a.nonzero += b.nonzero
	a.applied += b.applied
	a.worstP = max(a.worstP, b.worstP)
	if b.worst > a.worst {
		a.worst, a.worstCase = b.worst, b.worstCase
	}
}

// candidateBar is P2's: times and delays are whole picoseconds, so what is left is
// rounding, which the sum of magnitudes bounds.
const candidateBar = 1e-11

// least is where float64 begins to lose digits: traces that filters of 10⁻³⁰⁰ made.
const least = 1e-290

// compare judges the engine's record of a run against the oracle. It reports to
// t and returns what it found.
func (w *hmnWorld) compare(t testing.TB, label string, end event.Time, got *learned, final []float64) (s tally) {
	t.Helper()
	faults := 0
	fail := func(format string, args ...any) {
		t.Helper()
		if faults++; faults <= 8 {
			t.Errorf("%s: %s", label, fmt.Sprintf(format, args...))
		}
	}
	type name struct {
		syn network.SynapseID
		k   int64
	}
	nameOf := func(e *hmnEdge, k int64) name {
		p, local := w.home(e.pre)
		return name{network.SynapseID{Projection: p, Source: local, Target: uint32(e.post), Multapse: e.nth}, k}
	}
	want := map[name]*hmnWindow{}
	for _, c := range w.candidates(end) {
		want[nameOf(&w.edges[c.edge], c.k)] = &c
	}
	weight, moved := make([]float64, len(w.edges)), make([]instant, len(w.edges))
	for i, e := range w.edges {
		weight[i] = e.weight
	}
	r := &w.rule
	decayed := func(edge int, t instant) float64 {
		return max(r.wMin, weight[edge]*math.Exp(-r.lambdaW*t.since(moved[edge])))
	}
	// A weight that decays does so from the close rounded to 1 ps.
	updates, drifted := make([]int, len(w.edges)), r.lambdaW*1e-9*r.wMax
	var applied []network.WeightUpdate
	for n, c := range got.candidates {
		id := name{c.Synapse, c.K}
		x, ok := want[id]
		if !ok {
			fail("candidate %v k=%d, which does not exist or was reported before", c.Synapse, c.K)
			continue
		}
		delete(want, id)
		if n > 0 {
			before := got.candidates[n-1]
			if c.Close < before.Close || c.Close == before.Close && compareSynapses(before.Synapse, c.Synapse) >= 0 {
				fail("candidate %v at %v after %v at %v", c.Synapse, c.Close, before.Synapse, before.Close)
			}
		}
		if !rounds(x.close, c.Close) || !rounds(x.open, c.Open) && !(c.Open == 0 && x.open.ps < 0) {
			fail("%v k=%d is [%v, %v], want [%+v, %+v]", c.Synapse, c.K, c.Open, c.Close, x.open, x.close)
		}
		s.candidates++
		if diff := math.Abs(c.Value - x.value); !(diff <= candidateBar*x.sum+least) {
			fail("%v k=%d: candidate %v, want %v ± %.2g (off by %.2g of Σ|segments|)", c.Synapse, c.K, c.Value, x.value, candidateBar*x.sum, diff/x.sum)
		} else if x.sum > least/candidateBar && diff/x.sum > s.worst {
			s.worst, s.worstCase = diff/x.sum, fmt.Sprintf("%s: %v k=%d", label, c.Synapse, c.K)
		}
		if c.Value == 0 {
			if c.Applied || c.DW != 0 || !math.IsNaN(c.P) || !math.IsNaN(c.U) {
				fail("%v k=%d: no candidate, yet %+v", c.Synapse, c.K, c)
			}
			continue
		}
		s.nonzero++
		p := 1.0
		if r.bernoulli {
			p = 1 / (1 + math.Exp(-r.betaP*(math.Abs(x.value)-r.thetaP)))
		}
		if d := math.Abs(c.P - p); !(d <= max(1e-9, r.betaP*candidateBar*x.sum)) {
			fail("%v k=%d: P %v, want %v", c.Synapse, c.K, c.P, p)
		} else {
			s.worstP = max(s.worstP, d)
		}
		projection, _ := w.names(c.Synapse.Projection)
		a, _ := network.UpdateKey(w.seed, projection, c.Synapse.Multapse).At(uint64(c.Synapse.Target)<<32|uint64(c.Synapse.Source), uint64(c.K))
		if u := random.Uniform(a); c.U != u {
			fail("%v k=%d: u %v, want %v", c.Synapse, c.K, c.U, u)
		}
		if c.Applied != (c.U < c.P) {
			fail("%v k=%d: u %v, P %v, applied %v", c.Synapse, c.K, c.U, c.P, c.Applied)
		}
		dw, slack := 0.0, 0.0
		if c.Applied {
			s.applied++
			old := decayed(x.edge, x.close)
			step := x.value
			if r.soft {
				if step > 0 {
					step *= math.Pow(1-old/r.wMax, r.mu)
				} else {
					step *= math.Pow(old/r.wMax, r.mu)
				}
			}
			dw = min(max(old+step, r.wMin), r.wMax) - old
			slack = candidateBar*x.sum + 4e-15*r.wMax + drifted*float64(updates[x.edge]+1)
			updates[x.edge]++
			weight[x.edge], moved[x.edge] = old+c.DW, x.close
			applied = append(applied, network.WeightUpdate{At: c.Close, Synapse: c.Synapse, K: c.K, DW: c.DW})
		}
		if !(math.Abs(c.DW-dw) <= slack) {
			fail("%v k=%d: Δw %v, want %v ± %.2g", c.Synapse, c.K, c.DW, dw, slack)
		}
	}
	for id, c := range want {
		if math.Abs(at(end).since(c.close)) < 1e-12 {
			continue // closes at the end to 0.001 ps: either is right
		}
		fail("no candidate %v, window [%+v, %+v]", id, c.open, c.close)
	}
	if !slices.Equal(applied, got.updates) {
		fail("%d updates logged, the accepted candidates are %d: %v", len(got.updates), len(applied), firstUnequal(got.updates, applied))
	}
	var last []float64
	for i := range w.edges {
		last = append(last, decayed(i, at(end)))
	}
	drifted *= float64(slices.Max(updates) + 1)
	slices.Sort(last)
	if len(final) != len(last) {
		fail("%d weights, want %d", len(final), len(last))
	} else {
		for i := range final {
			if math.Abs(final[i]-last[i]) > 1e-13*r.wMax+drifted {
				fail("final weight %v, want %v (number %d of the sorted ones)", final[i], last[i], i)
			}
		}
	}
	if faults > 8 {
		t.Errorf("%s: %d faults", label, faults)
	}
	return s
}

// finalWeights is the magnitudes of the weights of all projections, sorted.
func finalWeights(n *network.Network) (out []float64) {
	for p := range n.Model().Projections {
		for part := range n.Weights(p) {
			for _, x := range part {
				out = append(out, math.Abs(x))
			}
		}
	}
	slices.Sort(out)
	return out
}

func firstUnequal(a, b []network.WeightUpdate) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("entry %d is %+v, want %+v", i, a[i], b[i])
		}
	}
	return "one is the beginning of the other"
}

// rounds says whether b is a rounded to the nearest picosecond, within 0.001 ps.
func rounds(a instant, b event.Time) bool {
	d := float64(int64(b)-a.ps) - a.frac
	return math.Abs(d) <= 0.501
}

func compareSynapses(a, b network.SynapseID) int {
	return cmp.Or(cmp.Compare(a.Projection, b.Projection), cmp.Compare(a.Source, b.Source),
		cmp.Compare(a.Target, b.Target), cmp.Compare(a.Multapse, b.Multapse))
}

// pick is one of the choices.
func pick[T any](rng *rand.Rand, choices ...T) T { return choices[rng.IntN(len(choices))] }

// chance is true with probability p.
func chance(rng *rand.Rand, p float64) bool { return rng.Float64() < p }

// randomTrain is a Poisson train of n spikes per second, in ps below end.
func randomTrain(rng *rand.Rand, hz float64, end event.Time) (out []event.Time) {
	for t := 0.0; ; {
		t += rng.ExpFloat64() / hz * 1e12
		if t >= float64(end) {
			return out
		}
		out = append(out, event.Time(t))
	}
}

// ordered sorts times and drops repetitions.
func ordered(x []event.Time) []event.Time {
	slices.Sort(x)
	return slices.Compact(x)
}

// randomRule draws the constants that spikes and rates share.
func randomRule(rng *rand.Rand, r hmnRule) hmnRule {
	r.hz = pick(rng, 8, 8, 7.3, 40./3, 6.25, 40, 0.7, 123.456)
	if chance(rng, 0.4) {
		r.phi0 = rng.Float64() * 2 * math.Pi
	}
	r.tauFast = pick(rng, 50, 50, 5, 0.3, 0.02)
	r.tauSlow = pick(rng, 1000.0, 1000, 200, 50)
	r.aFast, r.aSlow = pick(rng, 1, 1, 0.3, 0), pick(rng, 1.0, 1, 0)
	r.gate, r.kappa = !chance(rng, 0.2), pick(rng, math.Pi, 1)
	r.bernoulli = !chance(rng, 0.3)
	r.soft = chance(rng, 0.3)
	r.mu = pick(rng, 1, 0.5, 0)
	r.wMin = pick(rng, 0, 0.1*r.wMax)
	if chance(rng, 0.2) {
		r.lambdaW = 1e-4
	}
	r.fanIn = !chance(rng, 0.2)
	if chance(rng, 0.3) {
		r.betaA, r.dim = pick(rng, 1.0, 4, 20), pick(rng, 1, 2, 8, 11)
		r.tauCtx = pick(rng, 20000.0, 200)
	}
	if chance(rng, 0.4) {
		r.betaG = pick(rng, 1.0, 3, 20)
		r.tauC = pick(rng, 1000.0, 50)
	}
	r.dot, r.gammaK = chance(rng, 0.3), !chance(rng, 0.3)
	r.settle = pick(rng, 64, 64, 1, 7)
	if chance(rng, 0.4) {
		r.uniform, r.bins = true, pick(rng, 16, 5)
	}
	return r
}

// randomModulators draws up to three, some of whose jumps coincide with times.
func randomModulators(rng *rand.Rand, attended bool, end event.Time, times []event.Time) (out []hmnModulator) {
	n := rng.IntN(4)
	if attended {
		n = max(n, 1)
	}
	for range n {
		m := hmnModulator{tau: pick(rng, 200, 20, 0, 1.5), w: pick(rng, 1, 0.2, -0.7)}
		for _, t := range randomTrain(rng, 2, end) {
			if chance(rng, 0.3) && len(times) > 0 {
				t = pick(rng, times...)
			}
			m.jumps = append(m.jumps, hmnLevel{t, rng.NormFloat64()})
		}
		m.jumps = append(m.jumps, hmnLevel{event.Time(rng.Int64N(int64(end))), rng.NormFloat64()})
		slices.SortFunc(m.jumps, func(a, b hmnLevel) int { return cmp.Compare(a.at, b.at) })
		out = append(out, m)
	}
	return out
}

// randomEdges draws synapses, some parallel. With attention the dendritic delays
// of one target are one; feed-forward rate units may do without delay.
func (w *hmnWorld) randomEdges(rng *rand.Rand, pre, post, n int) {
	r := &w.rule
	common := event.Time(rng.Int64N(3e9)) * event.Time(rng.IntN(2))
	for range n {
		e := hmnEdge{pre: rng.IntN(pre), post: rng.IntN(post), weight: r.wMin + (r.wMax-r.wMin)*rng.Float64()}
		e.axonal = pick(rng, ms(1), 0, event.Time(rng.Int64N(8e9)), ms(6))
		e.dendritic = pick(rng, 0, ms(0.5), event.Time(rng.Int64N(4e9)))
		if r.betaA > 0 {
			e.dendritic = common
		}
		if e.axonal+e.dendritic < 1e8 { // the minimum is the length of a window of the run
			e.axonal += 1e8
		}
		if !r.uniform {
			e.phase = pick(rng, 0, 0, rng.Float64()*2*math.Pi, rng.Float64()*2*math.Pi, 3*math.Pi/2, 6.28)
		}
		w.edges = append(w.edges, e)
		if chance(rng, 0.15) { // a parallel one
			e.axonal += event.Time(rng.Int64N(2e9))
			w.edges = append(w.edges, e)
		}
	}
}

// splitAt makes two projections of one, unless one of them would be empty.
func (w *hmnWorld) splitAt(n int) {
	below := 0
	for _, e := range w.edges {
		if e.pre < n {
			below++
		}
	}
	if below > 0 && below < len(w.edges) {
		w.split = n
	}
}

// randomSpikes is a random world of spike pairs.
func randomSpikes(seed uint64) (*hmnWorld, event.Time) {
	rng := rand.New(rand.NewPCG(seed, 0x7370696b6573))
	r := randomRule(rng, coreRule(pick(rng, 1.0, 4, 250)))
	r.tauPlus, r.tauMinus = pick(rng, 20, 20, 5, 0.7), pick(rng, 20.0, 33.7, 1)
	r.aPlus, r.aMinus = pick(rng, 1, 1, 0.1, -0.4), pick(rng, -1.5, -1.5, 1, 0)
	r.nearest, r.overwrite = chance(rng, 0.25), chance(rng, 0.2)
	r.etaLocal, r.etaGlobal = pick(rng, 5e-6, 1e-4, 0)*r.wMax, pick(rng, 2.5e-3, 2.5e-3, 0)*r.wMax
	w := &hmnWorld{rule: r, seed: seed, projection: "plastic", source: "pre"}
	cycles := 20 + rng.IntN(50)
	end := event.Time(float64(cycles) * r.cycle() * 1e9)
	scale := 8 / r.hz // events per cycle stay in proportion
	var all []event.Time
	for range 4 {
		t := randomTrain(rng, pick(rng, 20.0, 20, 60, 2)/scale, end)
		if chance(rng, 0.3) { // on the grid of 1 ms, where much coincides
			for i := range t {
				t[i] -= t[i] % ms(1)
			}
			t = ordered(t)
		}
		w.pre = append(w.pre, t)
		all = append(all, t...)
	}
	w.randomEdges(rng, 4, 3, 7)
	for j := range 3 {
		t := randomTrain(rng, pick(rng, 15.0, 15, 40, 1)/scale, end)
		for _, e := range w.edges {
			if e.post != j {
				continue
			}
			for _, s := range w.pre[e.pre] { // driven, or at the same instant at the synapse
				switch {
				case chance(rng, 0.2):
					t = append(t, s+e.axonal+event.Time(rng.Int64N(1e10)))
				case chance(rng, 0.05) && s+e.axonal >= e.dendritic:
					t = append(t, s+e.axonal-e.dendritic)
				}
			}
		}
		w.post = append(w.post, ordered(t))
		all = append(all, t...)
	}
	w.mods = randomModulators(rng, r.betaG > 0, end, all)
	w.splitAt(pick(rng, 0, 0, 2))
	for k := range w.mods {
		if chance(rng, 0.2) { // after the longest lookahead
			w.mods[k].volume, w.mods[k].delay = 0.1*rng.NormFloat64(), ms(5)+event.Time(rng.Int64N(1e10))
		}
	}
	return w, end
}

// randomRates is a random world of rates.
func randomRates(seed uint64) (*hmnWorld, event.Time) {
	rng := rand.New(rand.NewPCG(seed, 0x7261746573))
	r := randomRule(rng, coreRates(pick(rng, 1.0, 4)))
	r.etaLocal, r.etaGlobal = pick(rng, 0, 1e-6)*r.wMax, 3e-5*r.wMax
	r.center, r.tauZbar = chance(rng, 0.5), pick(rng, 1000.0, 50)
	w := &hmnWorld{rule: r, seed: seed, projection: "plastic", source: "pre"}
	cycles := 20 + rng.IntN(50)
	end := event.Time(float64(cycles) * r.cycle() * 1e9)
	scale := 8 / r.hz
	var all []event.Time
	steps := func() (out []hmnLevel) {
		on := event.Time(-1)
		if chance(rng, 0.5) {
			on = 0
		}
		for _, t := range ordered(append(randomTrain(rng, pick(rng, 10.0, 3, 30)/scale, end), max(on, 0))) {
			if chance(rng, 0.1) {
				t -= t % ms(1)
			}
			if len(out) > 0 && t <= out[len(out)-1].at {
				continue
			}
			value, before := pick(rng, 0, 1, rng.Float64(), rng.NormFloat64()), 0.0
			if len(out) > 0 {
				before = out[len(out)-1].value
			}
			if value == before { // no change, so no event
				continue
			}
			out = append(out, hmnLevel{t, value})
			all = append(all, t)
		}
		return out
	}
	for range 4 {
		w.x = append(w.x, steps())
	}
	for range 3 {
		w.z = append(w.z, steps())
	}
	w.randomEdges(rng, 4, 3, 7)
	w.mods = randomModulators(rng, r.betaG > 0, end, all)
	w.splitAt(pick(rng, 0, 0, 2))
	return w, end
}

// onEdges is a world in which everything happens at opens and closes of windows, and
// the run ends at a close: 8 Hz, phase 0 and gate edges at 31.25 ms + n·62.5 ms.
func onEdges(rates bool, seed uint64) (*hmnWorld, event.Time) {
	rng := rand.New(rand.NewPCG(seed, 0x6564676573))
	r := coreRule(1)
	if rates {
		r = coreRates(1)
	}
	r.etaLocal, r.bernoulli, r.betaG = r.etaGlobal/50, chance(rng, 0.5), pick(rng, 0, 2.0)
	if r.gate = seed%4 != 0; r.gate {
		r.betaA, r.tauCtx = pick(rng, 0, 2.0), 500
	}
	w := pairs(r, 4, 0.5)
	end := 40*ms(125) + ms(31.25)
	if !r.gate {
		end = 40*ms(125) + ms(62.5)
	}
	grid := func(lag event.Time) (out []event.Time) {
		for n := range 80 {
			if t := ms(31.25)*event.Time(2*n+1) - lag; chance(rng, 0.6) {
				if !r.gate {
					t -= ms(31.25)
				}
				if t >= 0 {
					out = append(out, t)
				}
			}
		}
		return out
	}
	steps := func(lag event.Time) (out []hmnLevel) {
		for _, t := range grid(lag) {
			out = append(out, hmnLevel{t, 0.1 + rng.Float64()})
		}
		return out
	}
	for i := range w.edges {
		w.edges[i].dendritic = ms(0.5)
		if rates {
			w.x, w.z = append(w.x, steps(ms(1))), append(w.z, steps(ms(0.5)))
		} else {
			w.pre, w.post = append(w.pre, grid(ms(1))), append(w.post, grid(ms(0.5)))
		}
	}
	w.mods = []hmnModulator{{tau: 100, w: 1}, hold(0.1)}
	for _, t := range grid(0) {
		w.mods[0].jumps = append(w.mods[0].jumps, hmnLevel{t, rng.NormFloat64()})
	}
	return w, end
}

// judge runs one world in the engine and compares.
func (w *hmnWorld) judge(t testing.TB, label string, end event.Time, negative bool) tally {
	t.Helper()
	m := w.model(negative)
	w.adopt(t, m)
	n := build(t, m, 1)
	defer n.Close()
	got := &learned{}
	learn(t, n, end, got)
	return w.compare(t, label, end, got, finalWeights(n))
}

// checkCandidates is P2's first bar and P5's equality of draws: every candidate of
// random open-loop runs against the oracle. A fault names its seed.
func checkCandidates(t *testing.T, mode mode) (rows []Check) {
	for _, kind := range []struct {
		name string
		make func(uint64) (*hmnWorld, event.Time)
	}{{"spikes", randomSpikes}, {"rates", randomRates}} {
		least := []int{12_000, 60_000, 600_000}[mode]
		var all tally
		for seed := range uint64(8) {
			w, end := onEdges(kind.name == "rates", seed)
			all.add(w.judge(t, fmt.Sprintf("%s at edges, seed %d", kind.name, seed), end, false))
		}
		for seed := uint64(1); all.candidates < least && !t.Failed(); seed++ {
			w, end := kind.make(seed)
			all.add(w.judge(t, fmt.Sprintf("%s, seed %d", kind.name, seed), end, seed%5 == 0))
		}
		t.Logf("%s: %+v", kind.name, all)
		if all.nonzero*2 < all.candidates || all.applied*20 < all.nonzero {
			t.Errorf("%s: of %d candidates %d are not 0 and %d were applied: too little is tested", kind.name, all.candidates, all.nonzero, all.applied)
		}
		rows = append(rows,
			Check{Name: fmt.Sprintf("%s: worst of %d candidates, in Σ|segment contributions|", kind.name, all.candidates), Unit: "1", Expected: 0, Got: all.worst, Tolerance: candidateBar,
				Why: "P2; random trains, delays, phases, frequencies, time constants, modulators, attention, bounds; the oracle integrates numerically to 1e-13"},
			Check{Name: "… worst P", Unit: "1", Expected: 0, Got: all.worstP, Tolerance: 1e-9, Why: fmt.Sprintf("the same; %d trials, %d applied, every u, decision, Δw and final weight as the oracle has it", all.nonzero, all.applied)})
	}
	return rows
}
