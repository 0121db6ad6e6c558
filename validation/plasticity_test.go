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
	"hmn/network"
	"hmn/synapse"
)

// The conformance table: every plastic rule in every situation, the weight against
// the reference of plasticity_oracle_test.go.

// plasticRule is one rule of the table.
type plasticRule struct {
	name    string
	model   string
	params  quantity.Values
	oracle  func(b *bond, reads []event.Time, coarse bool) []account
	wMin    float64
	wMax    float64
	start   float64
	factors []network.Modulator // without their events
	// eligibility is c at the reads, and the sum of the magnitudes of its jumps.
	eligibility func(b *bond, reads []event.Time) []account
	stage       *tsodyksOracle // short-term plasticity before the weight; nil: none
	// flows: the weight changes between the synapse's own events, not at them.
	flows bool
	// negative: the weights are; the reference's are their magnitudes.
	negative bool
	kick     float64 // size of the jumps of third factors that drive the weight to its bounds; 0 = 0.3
}

// course is one situation: synapses, the third factors' jumps, and the end.
type course struct {
	bonds []bond
	jumps []factorJump
	end   event.Time
	// coarse: trains so long that the reference sums in compensated float64.
	coarse bool
	often  bool // compare at 100 times, not at 10
}

// parts is into how many intervals the reads of the weight divide the course. The
// multiple of the interval that comes after the end must be a time, too.
func (c *course) parts() event.Time {
	if c.often || c.end > event.MaxTime/2 {
		return 100
	}
	return 10
}

func (c *course) every() event.Time { return c.end / c.parts() }

// reads are the times at which weights are compared.
func (c *course) reads() (at []event.Time) {
	for k := event.Time(1); k <= c.parts(); k++ {
		at = append(at, k*c.every())
	}
	return at
}

// spikesOf is a bond by the times [ms] at which spikes reach the synapse.
func spikesOf(weight float64, axonal, dendritic event.Time, arrivals, posts []float64) bond {
	b := bond{axonal: axonal, dendritic: dendritic, weight: weight}
	for _, t := range arrivals {
		b.pre = append(b.pre, ms(t)-axonal)
	}
	for _, t := range posts {
		b.post = append(b.post, ms(t)-dendritic)
	}
	slices.Sort(b.pre)
	slices.Sort(b.post)
	return b
}

// factorsAt are jumps of a rule's third factors at times [ms], in turns.
func (r *plasticRule) factorsAt(amount float64, times ...float64) (out []factorJump) {
	if len(r.factors) == 0 {
		return nil
	}
	for i, t := range times {
		out = append(out, factorJump{ms(t), i % len(r.factors), amount})
	}
	return out
}

// model describes the open loop of a course: source i → target i, both given
// trains. forced makes the targets neurons that an input of their own makes fire
// at the times of post, whatever the plastic synapse does to them.
func (r *plasticRule) describe(c *course, forced bool) *network.Model {
	n := len(c.bonds)
	pre, post := make([][]event.Time, n), make([][]event.Time, n)
	p := network.Projection{Name: "plastic", Source: "pre", Target: "post", Rule: network.EdgeList,
		Autapses: true, Multapses: true, Synapse: r.model, SynapseParams: r.params}
	for i := range c.bonds {
		b := &c.bonds[i]
		pre[i], post[i] = b.pre, b.post
		w := b.weight
		if r.negative {
			w = -w
		}
		p.Edges = append(p.Edges, edge(i, i, w, b.axonal, b.dendritic))
	}
	m := &network.Model{Simulation: network.Simulation{Seed: 1}, Projections: []network.Projection{p}}
	m.Populations = append(m.Populations, trains("pre", pre...))
	if forced {
		// A delta of 1e6 mV fires the neuron at the picosecond at which it arrives.
		const kickMV, delay = 1e6, event.Millisecond
		kicks := make([][]event.Time, n)
		direct := network.Projection{Name: "kicks", Source: "kick", Target: "post", Rule: network.EdgeList, Autapses: true, Multapses: true, Synapse: "static"}
		for i := range kicks {
			kicks[i] = later(post[i], -delay)
			direct.Edges = append(direct.Edges, edge(i, i, kickMV, 0, delay))
		}
		m.Populations = append(m.Populations,
			population("post", n, "iaf_psc_delta", values("C_m", 1.0, "tau_m", 50.0, "E_L", 0.0, "V_th", 1e5, "V_reset", 0.0, "t_ref", 2.0), nil),
			trains("kick", kicks...))
		m.Projections = append(m.Projections, direct)
		m.Records = append(m.Records, record(network.RecordSpikes, "post", 0))
	} else {
		m.Populations = append(m.Populations, trains("post", post...))
	}
	for k := range r.factors {
		f := r.factors[k]
		for _, j := range c.jumps {
			if j.k == k {
				f.Events = append(f.Events, network.Jump{At: j.at, Amount: j.amount})
			}
		}
		m.Modulators = append(m.Modulators, f)
	}
	return m
}

// play runs a course to its end and gives the weights at the reads.
func (r *plasticRule) play(t testing.TB, c *course, forced bool) [][]float64 {
	t.Helper()
	m := r.describe(c, forced)
	m.Records = append(m.Records, record(network.RecordWeight, "plastic", c.every()))
	n := build(t, m, 1)
	defer n.Close()
	tape := &tape{}
	// What happens at the end belongs to it: a picosecond more.
	if err := n.Run(context.Background(), c.end+1, network.Recorder{Spikes: tape, Samples: tape}); err != nil {
		t.Fatal(err)
	}
	if forced {
		first := n.FirstID(1)
		for i := range c.bonds {
			var want []event.Time
			for _, x := range c.bonds[i].post {
				if x <= c.end {
					want = append(want, x)
				}
			}
			if got := tape.of(first + uint32(i)); !slices.Equal(got, want) {
				t.Fatalf("%s: neuron %d fires at %v, made to at %v", r.name, i, got, want)
			}
		}
	}
	var out [][]float64
	reads := c.reads()
	for _, x := range tape.samples {
		if len(out) < len(reads) && x.at == reads[len(out)] {
			if r.negative {
				for i := range x.values {
					x.values[i] = -x.values[i]
				}
			}
			out = append(out, x.values)
		}
	}
	if len(out) != len(reads) || len(out[0]) != len(c.bonds) {
		t.Fatalf("%s: %d reads of the weight, want %d", r.name, len(out), len(reads))
	}
	return out
}

// compare plays a course and gives the worst deviation from the reference in units
// of Σ|Δw| (sum) or of that and w_max, the most events of a synapse, and the
// largest Σ|Δw|.
func (r *plasticRule) compare(t testing.TB, c *course, forced, sum bool) (worst float64, events int, moved float64, found string) {
	t.Helper()
	got := r.play(t, c, forced)
	for i := range c.bonds {
		b := c.bonds[i]
		b.jumps = c.jumps
		for k, a := range r.oracle(&b, c.reads(), c.coarse) {
			scale := double(a.total)
			if !sum {
				scale += r.wMax
			}
			d := math.Abs(double(minus(num(got[k][i]), a.w)))
			if e := d / scale; e > worst || math.IsNaN(e) {
				worst = e
				found = fmt.Sprintf("synapse %d at %v ms: got %.17g, reference %.17g, off by %.3g, Σ|Δw| %.3g", i, c.reads()[k], got[k][i], double(a.w), d, double(a.total))
			}
			moved = math.Max(moved, double(a.total))
		}
		events = max(events, len(b.meetings(c.reads())))
	}
	return worst, events, moved, found
}

// situation is a column of the table.
type situation struct {
	name   string
	course func(r *plasticRule, rng *rand.Rand) *course
	forced bool
	why    string
}

const (
	axon     = 1250 * event.Microsecond
	dendrite = 750 * event.Microsecond
)

var situations = []situation{
	{name: "pairs, Δ −50 … 50 ms", why: "the curve in steps of 1 ms, and off the grid", course: func(r *plasticRule, rng *rand.Rand) *course {
		c := &course{end: ms(3000), jumps: r.factorsAt(0.7, 450.25, 601, 640.5, 1100)}
		for d := -50; d <= 50; d++ {
			for _, off := range []float64{0, 0.123456789} {
				if x := float64(d) + off; x != 0 {
					c.bonds = append(c.bonds, spikesOf(r.start, axon, dendrite, []float64{500}, []float64{500 + x}))
				}
			}
		}
		return c
	}},
	{name: "triplets", why: "pre–post–pre and post–pre–post, intervals 3, 5, 10, 15 and 40 ms", course: func(r *plasticRule, rng *rand.Rand) *course {
		c := &course{end: ms(3000), jumps: r.factorsAt(0.7, 450.25, 601, 640.5, 1100)}
		for _, a := range []float64{3, 5, 10, 15, 40} {
			for _, z := range []float64{3, 5, 10, 15, 40} {
				c.bonds = append(c.bonds,
					spikesOf(r.start, axon, dendrite, []float64{500 - a, 500 + z}, []float64{500}),
					spikesOf(r.start, axon, dendrite, []float64{500}, []float64{500 - a, 500 + z}))
			}
		}
		return c
	}},
	{name: "quadruplets", why: "a pair of either order, and T ms later one of the other", course: func(r *plasticRule, rng *rand.Rand) *course {
		c := &course{end: ms(3000), jumps: r.factorsAt(0.7, 450.25, 601, 640.5, 1100)}
		for T := 8.5; T < 100; T += 7.5 {
			c.bonds = append(c.bonds,
				spikesOf(r.start, axon, dendrite, []float64{505, 500 + T}, []float64{500, 505 + T}),
				spikesOf(r.start, axon, dendrite, []float64{500, 505 + T}, []float64{505, 500 + T}))
		}
		return c
	}},
	{name: "pre, post and modulator at one instant", why: "the order of docs/plasticity.md", course: func(r *plasticRule, rng *rand.Rand) *course {
		c := &course{end: ms(3000), jumps: r.factorsAt(0.7, 450.25, 500, 510, 510.25, 520)}
		for _, pre := range [][]float64{{500}, {490, 500}, {500, 510}, {500, 510, 520}, {495, 500, 510, 520}, {500, 500.000000001}} {
			for _, post := range [][]float64{{500}, {490, 500}, {500, 510}, {500, 510, 520}, {495, 500, 510, 520}, {500, 500.000000001}} {
				c.bonds = append(c.bonds, spikesOf(r.start, axon, dendrite, pre, post))
			}
		}
		return c
	}},
	{name: "delay sides", why: "one total of 6 ms, divided 0/6 to 6/0: what is sent is the same, what meets is not", course: func(r *plasticRule, rng *rand.Rand) *course {
		c := &course{end: ms(3000), jumps: r.factorsAt(0.7, 450.25, 601, 640.5, 1100)}
		for a := 0.0; a <= 6; a += 0.5 {
			b := spikesOf(r.start, 0, 0, []float64{500, 503, 540, 571.5}, []float64{502, 506, 538, 569})
			b.axonal, b.dendritic = ms(a), ms(6-a)
			c.bonds = append(c.bonds, b)
		}
		return c
	}},
	{name: "bursts", why: "trace set against trace increased: several spikes of one side before one of the other", course: func(r *plasticRule, rng *rand.Rand) *course {
		c := &course{end: ms(3000), jumps: r.factorsAt(0.7, 450.25, 601, 640.5, 1100)}
		for k := 1; k <= 6; k++ {
			var many []float64
			for i := range k {
				many = append(many, 500+1.7*float64(i))
			}
			c.bonds = append(c.bonds,
				spikesOf(r.start, axon, dendrite, many, []float64{512, 560}),
				spikesOf(r.start, axon, dendrite, []float64{512, 560}, many),
				spikesOf(r.start, axon, dendrite, many, later64(many, 0.9)))
		}
		return c
	}},
	{name: "at the bounds", why: "trains that drive the weight to w_min and to w_max and back; modulators of both signs, so that it leaves a bound inside an interval", course: func(r *plasticRule, rng *rand.Rand) *course {
		c := &course{end: ms(2500), coarse: true, often: true}
		size := 0.3 // moves the weight from bound to bound in some 100 ms
		if r.kick > 0 {
			size = r.kick
		}
		c.jumps = append(r.factorsAt(size, 700, 720, 1500), r.factorsAt(-1.8*size, 820, 850, 1900)...)
		c.jumps = append(c.jumps, r.factorsAt(2*size, 1200, 2200)...)
		slices.SortStableFunc(c.jumps, func(a, b factorJump) int { return int(min(1, max(-1, a.at-b.at))) })
		span := r.wMax - r.wMin
		for _, w := range []float64{r.wMin, r.wMax - 1e-4*span, r.wMax} {
			for _, up := range []bool{true, false} {
				var pre, post []float64
				for k := range 200 {
					at := 500 + 8.2*float64(k)
					lead := 1.0
					if (k/50%2 == 0) != up {
						lead = -1
					}
					pre, post = append(pre, at), append(post, at+lead)
				}
				c.bonds = append(c.bonds, spikesOf(w, axon, dendrite, pre, post))
			}
		}
		return c
	}},
	{name: "an hour of silence", why: "what is left after e^(−3600 s/τ) is nothing, and the next pair counts in full", course: func(r *plasticRule, rng *rand.Rand) *course {
		c := &course{end: ms(3.7e6), jumps: r.factorsAt(0.7, 450.25, 601, 3600450, 3600900, 3600950)}
		for _, d := range []float64{-8, 8} {
			c.bonds = append(c.bonds, spikesOf(r.start, axon, dendrite, []float64{500, 3600500}, []float64{500 + d, 3600500 - d}),
				spikesOf(r.start, axon, dendrite, []float64{500, 3600500}, []float64{3600500 + d}),
				spikesOf(r.start, axon, dendrite, []float64{3600500 + d}, []float64{500, 3600500}))
		}
		return c
	}},
	{name: "9·10⁶ s apart", why: "104 days: the longest run is 9.2·10⁶ s", course: func(r *plasticRule, rng *rand.Rand) *course {
		const far = 9e9
		c := &course{end: ms(far + 5000), jumps: r.factorsAt(0.7, 450.25, 601, far+450, far+900, far+950)}
		for _, d := range []float64{-8, 8} {
			c.bonds = append(c.bonds, spikesOf(r.start, axon, dendrite, []float64{500, far + 500}, []float64{500 + d, far + 500 - d}),
				spikesOf(r.start, axon, dendrite, []float64{500}, []float64{far + 500 + d}),
				spikesOf(r.start, axon, dendrite, []float64{far + 500 + d}, []float64{500, far + 500}))
		}
		return c
	}},
	{name: "targets that are neurons, refractory for 2 ms", forced: true, why: "arrivals while the neuron is refractory, at its spike and at the end of t_ref: the rule sees them all", course: func(r *plasticRule, rng *rand.Rand) *course {
		c := &course{end: ms(3000), jumps: r.factorsAt(0.7, 450.25, 601, 640.5, 1100)}
		for _, d := range []float64{-2, -1, -0.000000001, 0, 0.000000001, 0.5, 1, 1.999999999, 2, 2.000000001, 3} {
			post := []float64{500, 507, 509.5, 540}
			var pre []float64
			for _, t := range post {
				pre = append(pre, t+d)
			}
			c.bonds = append(c.bonds, spikesOf(r.start, axon, dendrite, pre, post))
		}
		return c
	}},
}

// later64 adds d to all.
func later64(x []float64, d float64) []float64 {
	x = slices.Clone(x)
	for i := range x {
		x[i] += d
	}
	return x
}

// randomCourse are trains of n spikes a side with what is hard in them: bursts,
// coincidences to the picosecond, pauses.
func (r *plasticRule) randomCourse(rng *rand.Rand, bonds, n int, apart event.Time) *course {
	c := &course{coarse: true}
	for range bonds {
		b := bond{weight: r.start, axonal: event.Time(rng.Int64N(5e9)), dendritic: event.Time(rng.Int64N(5e9))}
		b.dendritic = max(b.dendritic, event.Millisecond-b.axonal)
		var arrivals, posts []event.Time
		now := 20.0
		for len(arrivals) < n || len(posts) < n {
			switch x := rng.Float64(); {
			case x < 0.3: // a burst of arrivals
				for range 1 + rng.IntN(4) {
					now += rng.ExpFloat64() * 3
					arrivals = append(arrivals, ms(now))
				}
			case x < 0.6:
				for range 1 + rng.IntN(3) {
					now += rng.ExpFloat64() * 4
					posts = append(posts, ms(now))
				}
			case x < 0.8:
				at := ms(now + rng.ExpFloat64()*10)
				arrivals, posts = append(arrivals, at), append(posts, at)
				now = at.MS()
			case x < 0.81:
				now += 3000 * rng.Float64()
			}
			now += rng.ExpFloat64() * 40
		}
		b.pre, b.post = later(ordered(arrivals), -b.axonal), later(ordered(posts), -b.dendritic)
		if apart > 0 { // as refractory neurons fire
			kept := b.post[:0]
			for _, t := range b.post {
				if len(kept) == 0 || t > kept[len(kept)-1]+apart {
					kept = append(kept, t)
				}
			}
			b.post = kept
		}
		c.end = max(c.end, ms(now+5000))
		c.bonds = append(c.bonds, b)
	}
	for k := range r.factors {
		for _, t := range randomTrain(rng, 1, c.end) {
			c.jumps = append(c.jumps, factorJump{t, k, rng.NormFloat64()})
		}
		// … some at the instant of an arrival or post spike
		for range 50 {
			b := &c.bonds[rng.IntN(len(c.bonds))]
			at := b.pre[rng.IntN(len(b.pre))] + b.axonal
			if rng.IntN(2) == 0 {
				at = b.post[rng.IntN(len(b.post))] + b.dendritic
			}
			c.jumps = append(c.jumps, factorJump{at, k, rng.NormFloat64()})
		}
	}
	slices.SortStableFunc(c.jumps, func(a, b factorJump) int { return int(min(1, max(-1, a.at-b.at))) })
	c.end = max(c.end, event.Millisecond)
	return c
}

// checkPlasticity is the table.
func checkPlasticity(t *testing.T, mode mode) (rows []Check) {
	rows = checkSingleSynapse(t)
	for i := range plasticRules {
		r := &plasticRules[i]
		if _, ok := synapse.Lookup(r.model); !ok {
			t.Logf("no model %s", r.model)
			continue
		}
		for k := range situations {
			s := &situations[k]
			c := s.course(r, rand.New(rand.NewPCG(4, uint64(k))))
			worst, events, _, found := r.compare(t, c, s.forced, false)
			if tolerance := float64(events+88) * 0x1p-53; !(worst <= tolerance) {
				t.Logf("%s: %s: %s", r.name, s.name, found)
			}
			rows = append(rows, Check{Name: r.name + ": " + s.name, Unit: "Σ|Δw|+w_max", Expected: 0, Got: worst,
				Tolerance: float64(events+88) * 0x1p-53,
				Why:       fmt.Sprintf("%s; worst of %d synapses; every event rounds w once, a trace its exponent of up to 20 four times", s.why, len(c.bonds))})
		}
		if r.eligibility != nil {
			rows = append(rows, r.checkEligibility(t, uint64(i)))
		}
		// Spikes of either side of a synapse. References of modulated rules take long.
		n, bonds := []int{1000, 5000, 10_000}[mode], []int{2, 2, 20}[mode]
		if len(r.factors) > 0 {
			n, bonds = []int{200, 5000, 10_000}[mode], []int{1, 1, 4}[mode]
		}
		for _, forced := range []bool{false, true} {
			apart, name := event.Time(0), "random trains"
			if forced {
				apart, name = ms(2.1), "random trains, targets that are neurons"
			}
			c := r.randomCourse(rand.New(rand.NewPCG(5, uint64(i))), bonds, n, apart)
			worst, events, moved, found := r.compare(t, c, forced, true)
			if !(worst <= 1e-12) {
				t.Logf("%s: %s: %s", r.name, name, found)
			}
			rows = append(rows, Check{Name: r.name + ": " + name, Unit: "Σ|Δw|", Expected: 0, Got: worst, Tolerance: 1e-12,
				Why: fmt.Sprintf("a sum over all pairs; %d events at a synapse, Σ|Δw| up to %.3g; worst of %d synapses", events, moved, bonds)})
			if mode > quickMode || i%2 == 0 && forced == (i%4 == 0) {
				rows = append(rows, r.checkClosedLoop(t, uint64(i), !forced)...)
			}
			if !forced && (mode > quickMode || i%6 == 0) {
				staged := *r
				staged.stage = &tsodyksOracle{U: 0.3, tauRec: 120, tauFac: 60, x0: 1}
				rows = append(rows, staged.checkClosedLoop(t, uint64(i), false)...)
			}
			if r.model != "hmn" && (mode > quickMode || i%4 == 0 && forced == (i%8 == 0)) { // hmn has its own

				rows = append(rows, r.checkSame(t, uint64(i), forced))
			}
		}
	}
	return rows
}

// subset is 0 … n−1.
func subset(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

// checkEligibility compares what a record of the eligibility reads.
func (r *plasticRule) checkEligibility(t *testing.T, seed uint64) Check {
	const bonds = 6
	c := r.randomCourse(rand.New(rand.NewPCG(7, seed)), bonds, 60, 0)
	c.often = true
	m := r.describe(c, false)
	m.Records = []network.Record{record(network.RecordEligibility, "plastic", c.every())}
	tape := play(t, m, c.end+1)
	worst := 0.0
	for i := range c.bonds {
		_, got := tape.signal(0, i)
		for k, a := range r.eligibility(&c.bonds[i], c.reads()) {
			if a.total.Sign() > 0 {
				worst = math.Max(worst, math.Abs(double(minus(num(got[k+1]), a.w)))/double(a.total))
			}
		}
	}
	return Check{Name: r.name + ": random trains, eligibility", Unit: "Σ|jumps|", Expected: 0, Got: worst, Tolerance: 1e-13,
		Why: fmt.Sprintf("Σ over all pairs, e^(−t/τ_c); 100 reads of %d synapses; some 100 jumps, each rounds c once and its factors four times", bonds)}
}

// checkSame plays one course twice: at one go with one worker, and in pieces with
// three workers, some weights read every 10 ms and asked for in between.
func (r *plasticRule) checkSame(t *testing.T, seed uint64, forced bool) Check {
	const bonds, spikes = 2100, 6 // eight blocks
	rng := rand.New(rand.NewPCG(6, seed))
	c := r.randomCourse(rng, bonds, spikes, ms(2.1))
	plain := r.play(t, c, forced)
	m := r.describe(c, forced)
	m.Records = append(m.Records, record(network.RecordWeight, "plastic", c.every()), record(network.RecordWeight, "plastic", ms(10)))
	m.Records[len(m.Records)-1].Subset = subset(50)
	n := build(t, m, 3)
	defer n.Close()
	again := &tape{}
	var cuts []event.Time
	for range 12 {
		cuts = append(cuts, 1+event.Time(rng.Int64N(int64(c.end))))
	}
	from := event.Time(0)
	for _, to := range append(ordered(cuts), c.end+1) {
		advance(t, n, to-from, again)
		from = to
		for range 20 {
			i := uint32(rng.IntN(bonds))
			if _, err := n.Weight("plastic", i, i); err != nil {
				t.Fatal(err)
			}
		}
	}
	differ, moved := 0, 0
	k := 0
	for _, s := range again.samples {
		if k == len(plain) || s.at != c.reads()[k] || s.record != len(m.Records)-2 {
			continue
		}
		for i, w := range s.values {
			if r.negative {
				w = -w
			}
			if math.Float64bits(w) != math.Float64bits(plain[k][i]) {
				differ++
			}
			if w != r.start {
				moved++
			}
		}
		k++
	}
	if k != len(plain) || moved < bonds {
		t.Errorf("%s: %d reads of %d, %d weights moved", r.name, k, len(plain), moved)
	}
	name := "reads, pieces and 3 workers"
	if forced {
		name += ", targets that are neurons"
	}
	return Check{Name: r.name + ": " + name + ": weights that differ", Unit: "1", Expected: 0, Got: float64(differ),
		Why: fmt.Sprintf("bit for bit: %d synapses in 8 blocks, 50 of them read every 10 ms, a run in %d pieces", bonds, len(cuts)+1)}
}

// checkSingleSynapse is the worked number of dopamine-modulated STDP.
func checkSingleSynapse(t *testing.T) []Check {
	if _, ok := synapse.Lookup("stdp_dopamine"); !ok {
		return nil
	}
	o := dopamineOracle{aPlus: 1, aMinus: -1, tauPlus: 10, tauMinus: 10, tauC: 1000, eta: 0.1, wMax: 1000, factors: []factor{{200, 1}}}
	r := dopamineRule("", "exact", o)
	c := &course{end: ms(2400), jumps: []factorJump{{ms(1601), 0, 1}}, bonds: []bond{
		{pre: []event.Time{ms(1499), ms(2399)}, post: []event.Time{ms(1504)}, axonal: ms(1), weight: 1},
		{pre: []event.Time{ms(1500), ms(2400)}, post: []event.Time{ms(1503)}, dendritic: ms(1), weight: 1}}}
	got := r.play(t, c, false)[9]
	const kappa = 1./1000 + 1./200
	want := 0.1 * math.Exp(-0.4) * math.Exp(-0.097) * (1 - math.Exp(-799*kappa)) / kappa
	return []Check{
		{Name: "stdp_dopamine, one synapse: pre 1500, 2400, post 1504, dopamine 1601 ms: Δw at 2400 ms", Unit: "[w]", Expected: 10.0552710, Got: got[0] - 1, Tolerance: 5e-8,
			Why: "0.1 e^(−4/10) e^(−97/1000) (1 − e^(−799κ))/κ, κ = 1/1000 + 1/200, to the digits given; A_+ = 1, τ_+ 10, τ_c 1000, τ_d 200 ms, step 0.1"},
		{Name: "… against the closed form", Unit: "[w]", Expected: want, Got: got[0] - 1, Tolerance: 2e-14, Why: "rounding of w = 11 by 1.8e-15, and of five factors"},
		{Name: "… with the delay on the dendritic side", Unit: "[w]", Expected: want, Got: got[1] - 1, Tolerance: 2e-14, Why: "what meets at the synapse is the same"},
	}
}

// checkClosedLoop runs a recurrent network all of whose synapses learn, and takes
// nothing from it but its spikes: from these the reference finds the weights, and
// from the weights that arrivals transmit the currents. Neurons with delta
// synapses fire at the very instants of arrivals; their potentials are not compared.
func (r *plasticRule) checkClosedLoop(t *testing.T, seed uint64, delta bool) (rows []Check) {
	const inputs, cells = 10, 16
	rng := rand.New(rand.NewPCG(8, seed))
	span := ms(1000)
	m := &network.Model{Simulation: network.Simulation{Seed: 1}}
	var in [][]event.Time
	for range inputs {
		in = append(in, randomTrain(rng, 25, span))
	}
	// An arrival moves the potential by a twentieth of the way to the threshold, and
	// a constant current alone takes it there, or nearly.
	size, drive := r.wMax, 0.98
	switch {
	case r.negative:
		drive = 1.3
	case r.stage != nil:
		drive = 1.1
	}
	if delta {
		m.Populations = append(m.Populations, trains("in", in...), population("cells", cells, "iaf_psc_delta",
			values("C_m", 1.0, "tau_m", 20.0, "E_L", 0.0, "V_th", 10*size, "V_reset", 0.0, "t_ref", 2.0, "I_e", drive*size/2), start("V_m", uniform(0, 9*size))))
	} else {
		m.Populations = append(m.Populations, trains("in", in...), population("cells", cells, "iaf_psc_exp",
			values("C_m", 3*size, "tau_m", 20.0, "E_L", 0.0, "V_th", 15.0, "V_reset", 0.0, "t_ref", 2.0, "tau_syn_ex", 5.0, "tau_syn_in", 5.0, "I_e", 2.25*drive*size), start("V_m", uniform(0, 14))))
	}
	type synapseOf struct {
		source   int // cells come after inputs
		target   int
		bond     bond
		position int // in its projection
	}
	var all []synapseOf
	for k, source := range []string{"in", "cells"} {
		p := network.Projection{Name: source + ">cells", Source: source, Target: "cells", Rule: network.EdgeList, Synapse: r.model, SynapseParams: r.params, Autapses: true, Multapses: true}
		if r.stage != nil {
			p.ShortTerm = network.ShortTerm{Model: "tsodyks2", Params: r.stage.values()}
		}
		n := []int{inputs, cells}[k]
		for i := range n {
			for j := range cells {
				if rng.IntN(4) > 0 {
					continue
				}
				b := bond{weight: r.start, axonal: event.Time(rng.Int64N(3e9)), dendritic: []event.Time{0, 0, ms(0.05), event.Time(rng.Int64N(4e9))}[rng.IntN(4)]}
				b.axonal = max(b.axonal, event.Millisecond-b.dendritic)
				w := b.weight
				if r.negative {
					w = -w
				}
				all = append(all, synapseOf{i + k*inputs, j, b, len(p.Edges)})
				p.Edges = append(p.Edges, edge(i, j, w, b.axonal, b.dendritic))
			}
		}
		m.Projections = append(m.Projections, p)
		m.Records = append(m.Records, record(network.RecordWeight, p.Name, ms(200)))
	}
	m.Records = append(m.Records, record(network.RecordSpikes, "cells", 0))
	if !delta {
		m.Records = append(m.Records, record(network.RecordISyn, "cells", ms(7)))
	}
	var jumps []factorJump
	for k := range r.factors {
		f := r.factors[k]
		for _, at := range randomTrain(rng, 5, span) {
			jumps = append(jumps, factorJump{at, k, rng.NormFloat64()})
			f.Events = append(f.Events, network.Jump{At: at, Amount: jumps[len(jumps)-1].amount})
		}
		m.Modulators = append(m.Modulators, f)
	}
	slices.SortStableFunc(jumps, func(a, b factorJump) int { return cmp.Compare(a.at, b.at) })
	tape := play(t, m, span+1)
	trainsOf := slices.Clone(in)
	for i := range cells {
		trainsOf = append(trainsOf, tape.of(uint32(inputs+i)))
	}
	fired := len(tape.spikes)

	worst, current, moved := 0.0, 0.0, 0.0
	reads := []event.Time{ms(200), ms(400), ms(600), ms(800), ms(1000)}
	type arrival struct {
		at event.Time
		w  float64
	}
	reach := make([][]arrival, cells)
	for n := range all {
		s := &all[n]
		b := &s.bond
		b.pre, b.post, b.jumps = trainsOf[s.source], trainsOf[inputs+s.target], jumps
		k := 0
		if s.source >= inputs {
			k = 1
		}
		_, got := tape.signal(k, s.position)
		for i, a := range r.oracle(b, reads, true) {
			w := math.Abs(got[i+1])
			worst = math.Max(worst, math.Abs(double(minus(num(w), a.w)))/(double(a.total)+r.wMax))
			moved = math.Max(moved, double(a.total))
		}
		if delta {
			continue
		}
		var seen []event.Time
		for _, x := range b.arrivals() {
			if !r.flows {
				x-- // what it finds is what was there a picosecond before
			}
			if x+b.dendritic <= span {
				seen = append(seen, x)
			}
		}
		if len(seen) == 0 {
			continue
		}
		var u, x []real
		if r.stage != nil {
			u, x = r.stage.gains(b.pre)
		}
		for i, a := range r.oracle(b, seen, true) {
			w := a.w
			if r.stage != nil {
				w = times(w, u[i], x[i])
			}
			reach[s.target] = append(reach[s.target], arrival{b.arrivals()[i] + b.dendritic, double(w)})
		}
	}
	samples := 0
	if !delta {
		for j := range cells {
			at, got := tape.signal(len(m.Records)-1, j)
			for i, x := range at {
				want := 0.0
				for _, a := range reach[j] {
					if a.at <= x {
						want += a.w * math.Exp((a.at-x).MS()/5)
					}
				}
				current = math.Max(current, math.Abs(math.Abs(got[i])-want)/(want+r.wMax))
				samples++
			}
		}
	}
	name, why := "a recurrent network", fmt.Sprintf("from its spikes alone: %d synapses, %d spikes of %d neurons, each reached by some %d", len(all), fired, cells, len(all)/cells)
	switch {
	case delta:
		name = "a recurrent network of delta neurons"
	case r.stage != nil:
		name = "a recurrent network behind tsodyks2"
	}
	if fired < 100 || moved == 0 {
		t.Errorf("%s: %s: %d spikes, weights moved by %g", r.name, name, fired, moved)
	}
	rows = append(rows, Check{Name: r.name + ": " + name + ", weights", Unit: "Σ|Δw|+w_max", Expected: 0, Got: worst, Tolerance: 1e-12, Why: why + "; some 200 events at a synapse, each rounds w once"})
	if !delta {
		rows = append(rows, Check{Name: r.name + ": " + name + ", what arrivals transmit", Unit: "I_syn+w_max", Expected: 0, Got: current, Tolerance: 1e-12,
			Why: fmt.Sprintf("I_syn = Σ w e^(−t/τ_syn) with the weight that each arrival finds, before its own change; %d samples", samples)})
	}
	return rows
}
