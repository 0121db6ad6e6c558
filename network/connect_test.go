package network

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hmn/event"
	"hmn/synapse"
)

// pairModel is a model of populations "S" and "T", or of "S" alone when nt is 0, and
// the one projection given, whose ends it fills in.
func pairModel(ns, nt int, p Projection) *Model {
	m := &Model{Simulation: Simulation{Seed: 7}}
	m.Populations = []Population{{Name: "S", N: ns, Model: "iaf_psc_exp"}}
	p.Source, p.Target = "S", "S"
	if nt > 0 {
		m.Populations = append(m.Populations, Population{Name: "T", N: nt, Model: "iaf_psc_exp"})
		p.Target = "T"
	}
	if p.Name == "" {
		p.Name = "P"
	}
	if v := p.Dendritic; v.Form == Constant && v.A == 0 && !v.HasMin {
		p.Dendritic = Value{A: 1.5}
	}
	m.Projections = []Projection{p}
	return m
}

// testLink is one synapse as found in the rows.
type testLink struct {
	s, t     int
	w        float64
	d        event.Time
	port     uint8
	negative bool
}

func byLink(a, b testLink) int {
	return cmp.Or(cmp.Compare(a.s, b.s), cmp.Compare(a.t, b.t), cmp.Compare(a.d, b.d), cmp.Compare(a.w, b.w))
}

// buildLinks connects projection 0 block by block, cuts being the inner boundaries,
// checks what holds for all rows, and returns the synapses sorted.
func buildLinks(t *testing.T, m *Model, cuts ...int) []testLink {
	t.Helper()
	p := &m.Projections[0]
	n := m.Populations[m.findPopulation(p.Target)].N
	ns := m.Populations[m.findPopulation(p.Source)].N
	var links []testLink
	lo := 0
	for _, hi := range append(slices.Clone(cuts), n) {
		rows, err := connect(m, 0, lo, hi)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if len(r.Ptr) != ns+1 || r.Ptr[0] != 0 || int(r.Ptr[ns]) != r.Len() || r.Len() == 0 {
				t.Fatalf("row table of %d entries, %d synapses", len(r.Ptr), r.Len())
			}
			if r.MaxDelay-r.MinDelay > math.MaxUint32 || r.Delay == nil && r.MinDelay != r.MaxDelay {
				t.Fatalf("delays %v to %v ms", r.MinDelay, r.MaxDelay)
			}
			dlo, dhi := event.MaxTime, event.Time(0)
			for s := range ns {
				for k := r.Ptr[s]; k < r.Ptr[s+1]; k++ {
					d, w := r.DelayAt(int(k)), r.WeightAt(int(k))
					dlo, dhi = min(dlo, d), max(dhi, d)
					if k > r.Ptr[s] {
						before := r.DelayAt(int(k) - 1)
						if d < before || d == before && r.Target[k] < r.Target[k-1] {
							t.Fatalf("row %d is not in order at %d", s, k)
						}
					}
					if r.Negative && w > 0 || !r.Negative && w < 0 && len(m.Populations) > 0 && m.Populations[m.findPopulation(p.Target)].Model != "rate" {
						t.Fatalf("weight %g in rows with Negative = %t", w, r.Negative)
					}
					links = append(links, testLink{s, lo + int(r.Target[k]), w, d, r.Port, r.Negative})
				}
			}
			if dlo != r.MinDelay || dhi != r.MaxDelay {
				t.Fatalf("delays %v to %v ms, said to be %v to %v", dlo, dhi, r.MinDelay, r.MaxDelay)
			}
		}
		lo = hi
	}
	slices.SortFunc(links, byLink)
	return links
}

// lattice gives n positions on a square lattice of unit spacing.
func lattice(n int) [][3]float64 {
	side := int(math.Ceil(math.Sqrt(float64(n))))
	pos := make([][3]float64, n)
	for i := range pos {
		pos[i] = [3]float64{float64(i % side), float64(i / side)}
	}
	return pos
}

var (
	someWeights = Value{Form: Normal, A: 1, B: 2}
	someDelays  = Value{Form: Uniform, A: 0.5, B: 9}
)

// allRules is one model per rule and switch, with weights and delays of all
// signs and bands.
func allRules() map[string]*Model {
	models := map[string]*Model{}
	add := func(name string, ns, nt int, p Projection) {
		p.Weight, p.Dendritic, p.Axonal = someWeights, someDelays, Value{Form: Uniform, A: 0, B: 1}
		m := pairModel(ns, nt, p)
		if p.Rule == Distance {
			for i := range m.Populations {
				m.Populations[i].Positions = lattice(m.Populations[i].N)
				m.Populations[i].Dim = 2
			}
		}
		models[name] = m
	}
	add("one_to_one", 150, 150, Projection{Rule: OneToOne})
	add("one_to_one self", 150, 0, Projection{Rule: OneToOne, Autapses: true})
	for _, nt := range []int{0, 180} {
		for _, auto := range []bool{false, true} {
			tag := fmt.Sprintf(" nt=%d autapses=%t", nt, auto)
			add("all_to_all"+tag, 120, nt, Projection{Rule: AllToAll, Autapses: auto})
			add("pairwise"+tag, 150, nt, Projection{Rule: PairwiseBernoulli, P: 0.1, Autapses: auto})
			add("distance"+tag, 150, nt, Projection{Rule: Distance, P: 0.5, Autapses: auto,
				Profile: Profile{Shape: "gaussian", Sigma: 3, Extent: [3]float64{13, 0, 0}}})
			for _, multi := range []bool{false, true} {
				tag := fmt.Sprintf("%s multapses=%t", tag, multi)
				add("indegree"+tag, 150, nt, Projection{Rule: FixedInDegree, Degree: 20, Autapses: auto, Multapses: multi})
				add("indegree, most"+tag, 150, nt, Projection{Rule: FixedInDegree, Degree: 110, Autapses: auto, Multapses: multi})
				add("outdegree"+tag, 150, 2*nt, Projection{Rule: FixedOutDegree, Degree: 140, Autapses: auto, Multapses: multi})
				add("total"+tag, 150, nt, Projection{Rule: FixedTotalNumber, Total: 3000, Autapses: auto, Multapses: multi})
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var edges []synapse.Edge
	for range 4000 {
		e := synapse.Edge{Source: rng.Uint32N(50), Target: rng.Uint32N(40), Weight: rng.NormFloat64(), Axonal: event.Time(rng.Int64N(8e9)), Dendritic: 1 + event.Time(rng.Int64N(3e9))}
		if rng.IntN(3) == 0 {
			e.Weight, e.Axonal, e.Dendritic = math.NaN(), FromProjection, FromProjection
		}
		edges = append(edges, e)
	}
	add("edge_list", 50, 40, Projection{Rule: EdgeList, Edges: edges})
	return models
}

// TestPartition: the synapses, their weights and delays are the same whatever
// the blocks.
func TestPartition(t *testing.T) {
	for name, m := range allRules() {
		n := m.Populations[len(m.Populations)-1].N
		want := buildLinks(t, m)
		if len(want) == 0 {
			t.Errorf("%s: no synapses", name)
		}
		cuts := []int{0, 1, 7, 7, 15, 16, n / 2, n - 1}
		if got := buildLinks(t, m, cuts...); !slices.Equal(got, want) {
			t.Errorf("%s: other synapses with cuts %v: %d against %d", name, cuts, len(got), len(want))
		}
		m.Simulation.Seed++
		if slices.Equal(buildLinks(t, m), want) {
			t.Errorf("%s: another seed gives the same synapses", name)
		}
	}
}

// TestIdentity: a synapse of the same identity has the same weight and delay
// under another rule and beside other projections; other names give others.
func TestIdentity(t *testing.T) {
	p := Projection{Rule: AllToAll, Weight: someWeights, Dendritic: someDelays}
	all := buildLinks(t, pairModel(60, 50, p))
	p.Rule, p.P = PairwiseBernoulli, 0.3
	m := pairModel(60, 50, p)
	some := buildLinks(t, m)
	find := func(l testLink) bool {
		_, ok := slices.BinarySearchFunc(all, l, byLink)
		return ok
	}
	for _, l := range some {
		if !find(l) {
			t.Fatalf("%+v has another weight or delay under all_to_all", l)
		}
	}
	m.Projections[0].Name = "Q"
	hits := 0
	for _, l := range buildLinks(t, m) {
		if find(l) {
			hits++
		}
	}
	if hits > 0 {
		t.Errorf("%d of the synapses of another projection are equal", hits)
	}
}

// TestMultapseNumbers: multapses of one pair draw different weights.
func TestMultapseNumbers(t *testing.T) {
	for _, rule := range []string{FixedInDegree, FixedOutDegree, FixedTotalNumber} {
		m := pairModel(3, 2, Projection{Rule: rule, Multapses: true, Degree: 40, Total: 80, Weight: Value{Form: Uniform, A: 0, B: 1}})
		links := buildLinks(t, m)
		slices.SortFunc(links, func(a, b testLink) int { return cmp.Compare(a.w, b.w) })
		for i := 1; i < len(links); i++ {
			if links[i].w == links[i-1].w && links[i].s == links[i-1].s && links[i].t == links[i-1].t {
				t.Errorf("%s: two synapses %+v", rule, links[i])
			}
		}
	}
}

func degrees(links []testLink, n int, of func(testLink) int) []int {
	k := make([]int, n)
	for _, l := range links {
		k[of(l)]++
	}
	return k
}

func linkSource(l testLink) int { return l.s }
func linkTarget(l testLink) int { return l.t }

// TestCounts checks what a rule fixes exactly, and the switches.
func TestCounts(t *testing.T) {
	for name, m := range allRules() {
		p := &m.Projections[0]
		links := buildLinks(t, m, 40)
		ns, nt := m.Populations[0].N, m.Populations[len(m.Populations)-1].N
		self := p.Source == p.Target
		auto, multi := 0, 0
		for i, l := range links {
			if self && l.s == l.t {
				auto++
			}
			if i > 0 && l.s == links[i-1].s && l.t == links[i-1].t {
				multi++
			}
		}
		if self && !p.Autapses && auto > 0 {
			t.Errorf("%s: %d autapses", name, auto)
		}
		if self && p.Autapses && auto == 0 {
			t.Errorf("%s: no autapse", name)
		}
		if p.Rule != EdgeList && (multi > 0) != p.Multapses {
			t.Errorf("%s: %d multapses", name, multi)
		}
		want := func(what string, got, want int) {
			if got != want {
				t.Errorf("%s: %s %d, want %d", name, what, got, want)
			}
		}
		switch p.Rule {
		case OneToOne:
			want("synapses", len(links), ns)
			for _, l := range links {
				want("target", l.t, l.s)
			}
		case AllToAll:
			n := ns * nt
			if self && !p.Autapses {
				n -= ns
			}
			want("synapses", len(links), n)
		case FixedInDegree:
			for _, k := range degrees(links, nt, linkTarget) {
				want("in-degree", k, p.Degree)
			}
		case FixedOutDegree:
			for _, k := range degrees(links, ns, linkSource) {
				want("out-degree", k, p.Degree)
			}
		case FixedTotalNumber:
			want("synapses", len(links), int(p.Total))
		case EdgeList:
			want("synapses", len(links), len(p.Edges))
		}
	}
}

// TestUniform: over many seeds every allowed pair occurs equally often. The
// squared deviations are scaled by the variance of one pair's count.
func TestUniform(t *testing.T) {
	const seeds = 1500
	type test struct {
		rule  string
		multi bool
		n, k  int
	}
	tests := []test{{PairwiseBernoulli, false, 9, 0}, {Distance, false, 9, 0}}
	for _, rule := range []string{FixedInDegree, FixedOutDegree, FixedTotalNumber} {
		tests = append(tests, test{rule, true, 9, 4}, test{rule, false, 9, 3}, test{rule, false, 9, 6})
	}
	// Several leaves; few of many.
	tests = append(tests, test{FixedOutDegree, true, 300, 130}, test{FixedOutDegree, false, 300, 130}, test{FixedInDegree, false, 320, 2})
	for _, c := range tests {
		for _, auto := range []bool{false, true} {
			n := c.n
			rounds := seeds
			if n > 50 {
				rounds = 60
			}
			m := pairModel(n, 0, Projection{Rule: c.rule, P: 0.4, Degree: c.k, Total: int64(c.k * n), Multapses: c.multi, Autapses: auto,
				Profile: Profile{Shape: "disc", Sigma: 100}})
			m.Populations[0].Positions, m.Populations[0].Dim = lattice(n), 2
			count := make([]float64, n*n)
			for seed := range rounds {
				m.Simulation.Seed = uint64(seed)
				rows, err := connect(m, 0, 0, n)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range rows {
					for s := range n {
						for _, to := range r.Target[r.Ptr[s]:r.Ptr[s+1]] {
							count[s*n+int(to)]++
						}
					}
				}
			}
			allowed := n
			if !auto {
				allowed--
			}
			p := 0.4
			if c.k > 0 {
				p = float64(c.k) / float64(allowed)
			}
			variance := p * (1 - p)
			if c.multi {
				variance = p * (1 - 1/float64(allowed)) // k draws from allowed
				if c.rule == FixedTotalNumber {
					variance = p * (1 - 1/float64(allowed*n))
				}
			}
			mean := p * float64(rounds)
			chi, cells := 0.0, 0
			for i, x := range count {
				if i/n == i%n && !auto {
					if x != 0 {
						t.Fatalf("%+v: autapse", c)
					}
					continue
				}
				chi += (x - mean) * (x - mean) / (variance * float64(rounds))
				cells++
			}
			// Each cell's expectation is 1, its variance about 2.
			if bound := 4.5 * math.Sqrt(2*float64(cells)); math.Abs(chi-float64(cells)) > bound {
				t.Errorf("%+v autapses=%t: chi² %.1f over %d cells, want within %.1f", c, auto, chi, cells, bound)
			}
		}
	}
}

// TestDegreeSpread: the variance of the degrees that a rule leaves free.
func TestDegreeSpread(t *testing.T) {
	const n = 2000
	for _, c := range []struct {
		name string
		p    Projection
		of   func(testLink) int
		mean float64
		want float64 // variance
	}{
		{"pairwise in", Projection{Rule: PairwiseBernoulli, P: 0.02}, linkTarget, 40, 40 * 0.98},
		{"pairwise out", Projection{Rule: PairwiseBernoulli, P: 0.02}, linkSource, 40, 40 * 0.98},
		{"pairwise, likely", Projection{Rule: PairwiseBernoulli, P: 0.4}, linkTarget, 800, 800 * 0.6},
		{"indegree, multapses: out", Projection{Rule: FixedInDegree, Degree: 50, Multapses: true}, linkSource, 50, 50},
		{"indegree: out", Projection{Rule: FixedInDegree, Degree: 50}, linkSource, 50, 50 * (1 - 0.025)},
		{"outdegree, multapses: in", Projection{Rule: FixedOutDegree, Degree: 100, Multapses: true}, linkTarget, 100, 100},
		{"outdegree: in", Projection{Rule: FixedOutDegree, Degree: 100}, linkTarget, 100, 100 * 0.95},
		{"total, multapses: in", Projection{Rule: FixedTotalNumber, Total: 50 * n, Multapses: true}, linkTarget, 50, 50},
		{"total: in", Projection{Rule: FixedTotalNumber, Total: 50 * n}, linkTarget, 50, 50 * (1 - 0.025)},
		{"total: out", Projection{Rule: FixedTotalNumber, Total: 50 * n}, linkSource, 50, 50 * (1 - 0.025)},
	} {
		m := pairModel(n, n, c.p)
		k := make([]int, n)
		for lo := 0; lo < n; lo += n / 4 {
			rows, err := connect(m, 0, lo, lo+n/4)
			if err != nil {
				t.Fatal(err)
			}
			for s := range n {
				row := rows[0].Target[rows[0].Ptr[s]:rows[0].Ptr[s+1]]
				for _, to := range row {
					k[c.of(testLink{s: s, t: lo + int(to)})]++
				}
			}
		}
		mean, v := meanVar(k)
		if math.Abs(mean-c.mean) > 4*math.Sqrt(c.want/n) {
			t.Errorf("%s: mean degree %g, want %g", c.name, mean, c.mean)
		}
		// Var of a sample variance of a nearly normal number: 2σ⁴/n.
		if math.Abs(v-c.want) > 4*c.want*math.Sqrt(2.0/n) {
			t.Errorf("%s: variance of the degree %g, want %g", c.name, v, c.want)
		}
	}
}

func meanVar[T int | float64](x []T) (mean, variance float64) {
	for _, y := range x {
		mean += float64(y)
	}
	mean /= float64(len(x))
	for _, y := range x {
		variance += (float64(y) - mean) * (float64(y) - mean)
	}
	return mean, variance / float64(len(x))
}

// TestDistance compares the number of synapses with the sum of the profile,
// ring by ring of distances, written out from the definition.
func TestDistance(t *testing.T) {
	const n = 900
	rng := rand.New(rand.NewPCG(3, 4))
	pos := make([][3]float64, n)
	for i := range pos {
		pos[i] = [3]float64{rng.Float64() * 10, rng.Float64() * 10, rng.Float64() * 2}
	}
	wrap := func(d, l float64) float64 {
		d = math.Abs(d)
		if l == 0 {
			return d
		}
		for d > l/2 {
			d = math.Abs(d - l)
		}
		return d
	}
	for _, pr := range []Profile{
		{Shape: "gaussian", Sigma: 2},
		{Shape: "gaussian", Sigma: 2, Extent: [3]float64{10, 10, 0}},
		{Shape: "exponential", Sigma: 1.5, Radius: 4},
		{Shape: "linear", Sigma: 5, Extent: [3]float64{10, 0, 2}},
		{Shape: "disc", Sigma: 3},
	} {
		m := pairModel(n, 0, Projection{Rule: Distance, P: 0.6, Profile: pr})
		m.Populations[0].Positions, m.Populations[0].Dim = pos, 3
		var want, variance, got [8]float64
		ring := func(s, k int) (int, float64) {
			x, y := pos[s], pos[k]
			r := math.Hypot(math.Hypot(wrap(x[0]-y[0], pr.Extent[0]), wrap(x[1]-y[1], pr.Extent[1])), wrap(x[2]-y[2], pr.Extent[2]))
			p := 0.6
			switch pr.Shape {
			case "gaussian":
				p *= math.Exp(-r * r / (2 * pr.Sigma * pr.Sigma))
			case "exponential":
				p *= math.Exp(-r / pr.Sigma)
			case "linear":
				p *= math.Max(0, 1-r/pr.Sigma)
			case "disc":
				if r > pr.Sigma {
					p = 0
				}
			}
			if pr.Radius > 0 && r > pr.Radius {
				p = 0
			}
			return min(7, int(r)), p
		}
		for s := range n {
			for k := range n {
				if i, p := ring(s, k); s != k {
					want[i] += p
					variance[i] += p * (1 - p)
				}
			}
		}
		for _, l := range buildLinks(t, m, 300) {
			i, p := ring(l.s, l.t)
			if p == 0 {
				t.Fatalf("%+v: synapse of probability 0", pr)
			}
			got[i]++
		}
		total := 0.0
		for i := range want {
			total += want[i]
			if math.Abs(got[i]-want[i]) > 4*math.Sqrt(variance[i]) {
				t.Errorf("%+v: %g synapses at distance %d, want %g ± %g", pr, got[i], i, want[i], math.Sqrt(variance[i]))
			}
		}
		e, err := EstimateModel(m)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(e.Synapses-total) > 1e-9*total {
			t.Errorf("%+v: estimate %g, want %g", pr, e.Synapses, total)
		}
	}
}

// TestEdges reads an edge list back.
func TestEdges(t *testing.T) {
	edges := []synapse.Edge{
		{Source: 2, Target: 1, Weight: 0.1, Axonal: 5, Dendritic: 10},
		{Source: 0, Target: 0, Weight: -1, Dendritic: 3},
		{Source: 2, Target: 1, Weight: 2, Axonal: 15},
		{Source: 2, Target: 0, Weight: 3, Axonal: 15},
		{Source: 1, Target: 1, Weight: 0, Axonal: 1},
		{Source: 2, Target: 1, Weight: 4, Axonal: 5e9},
	}
	m := pairModel(3, 0, Projection{Rule: EdgeList, Edges: edges, Dendritic: Value{A: 1}})
	rows, err := connect(m, 0, 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 {
		t.Fatalf("%d rows, want 3: two signs, and a band beyond 4.29 ms", len(rows))
	}
	r := rows[0]
	if !slices.Equal(r.Ptr, []uint32{0, 0, 1, 4}) || !slices.Equal(r.Target, []uint16{1, 0, 1, 1}) ||
		!slices.Equal(r.Weight64, []float64{0, 3, 0.1, 2}) || !slices.Equal(r.Delay, []uint32{0, 14, 14, 14}) ||
		r.MinDelay != 1 || r.MaxDelay != 15 || r.Port != 0 || r.Weight != nil {
		t.Errorf("positive rows %+v", r)
	}
	if r = rows[1]; !r.Negative || r.Port != 1 || r.Const != -1 || r.Weight != nil || r.Weight64 != nil || r.Delay != nil || r.MinDelay != 3 {
		t.Errorf("negative rows %+v", r)
	}
	if r = rows[2]; r.Const != 4 || r.MinDelay != 5e9 || r.Len() != 1 {
		t.Errorf("second band %+v", r)
	}

	// float32 suffices: 4 bytes each.
	edges = []synapse.Edge{{Weight: 0.5, Axonal: 1}, {Source: 1, Weight: 0.25, Axonal: 1}}
	m = pairModel(3, 0, Projection{Rule: EdgeList, Edges: edges})
	if rows, err = connect(m, 0, 0, 3); err != nil || len(rows) != 1 || !slices.Equal(rows[0].Weight, []float32{0.5, 0.25}) {
		t.Errorf("%+v, %v", rows, err)
	}

	// Numbers left to the projection: drawn, or one per edge.
	edges = []synapse.Edge{{Weight: math.NaN(), Axonal: FromProjection, Dendritic: 7}, {Source: 1, Weight: 2, Axonal: 1, Dendritic: FromProjection}}
	m = pairModel(3, 0, Projection{Rule: EdgeList, Edges: edges, Weight: Value{Form: Column, Column: []float64{0.1, 9}}, Dendritic: Value{A: 2}})
	if got, want := buildLinks(t, m), []testLink{{0, 0, 0.1, 7, 0, false}, {1, 0, 2, 2e9 + 1, 0, false}}; !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestStorage: what is equal for all is not stored, and the bytes are as
// estimated.
func TestStorage(t *testing.T) {
	p := Projection{Rule: PairwiseBernoulli, P: 0.1, Weight: Value{A: 0.1}, Dendritic: Value{A: 0.7}, Axonal: Value{A: 0.1}}
	for _, c := range []struct {
		w, d       Value
		rows       int
		bytes      int64
		hasW, hasD bool
	}{
		{Value{A: 0.1}, Value{A: 0.7}, 1, 2, false, false},
		{Value{A: -0.1}, Value{Form: Uniform, A: 0.7, B: 0.7}, 1, 2, false, false},
		{Value{Form: Uniform, A: 1, B: 2}, Value{A: 0.7}, 1, 6, true, false},
		{Value{A: 0.1}, Value{Form: Uniform, A: 1, B: 2}, 1, 6, false, true},
		{Value{Form: Normal, A: 20, B: 1, Min: 0, HasMin: true}, Value{Form: Normal, A: 1.5, B: 0.3, Min: 0.1, HasMin: true, Max: 3, HasMax: true}, 1, 10, true, true},
		{Value{Form: Normal, A: 0, B: 1}, Value{A: 1}, 2, 6, true, false},
		{Value{Form: Normal, A: 0, B: 1}, Value{Form: Uniform, A: 0, B: 10}, 6, 10, true, true},
		{Value{A: 1}, Value{Form: Normal, A: 1.5, B: 0.75, Min: 0.1, HasMin: true}, 2, 6, false, true}, // the tail beyond 4.39 ms
		{Value{Form: Normal, A: 1, B: 1, Min: 0, HasMin: true, Clip: true}, Value{A: 1}, 1, 6, true, false},
	} {
		p.Weight, p.Dendritic = c.w, c.d
		m := pairModel(1000, 500, p)
		rows, err := connect(m, 0, 0, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != c.rows {
			t.Errorf("%v, %v: %d rows, want %d", &c.w, &c.d, len(rows), c.rows)
		}
		var n, bytes int64
		for _, r := range rows {
			n += int64(r.Len())
			bytes += r.Bytes() - 4*1001
			if r.Len() > 100 && ((r.Weight != nil) != c.hasW || (r.Delay != nil) != c.hasD) {
				t.Errorf("%v, %v: weights stored %t, delays stored %t", &c.w, &c.d, r.Weight != nil, r.Delay != nil)
			}
			if !c.hasW && r.Const != c.w.A {
				t.Errorf("weight %g, want %g", r.Const, c.w.A)
			}
			if !c.hasD && r.MinDelay != 800*event.Microsecond && c.d.A == 0.7 {
				t.Errorf("delay %v ms, want 0.8", r.MinDelay)
			}
		}
		if bytes > n*c.bytes || bytes < n*c.bytes-16*int64(c.rows) {
			t.Errorf("%v, %v: %d bytes for %d synapses, want %d each", &c.w, &c.d, bytes, n, c.bytes)
		}
		e, err := EstimateModel(m)
		if err != nil {
			t.Fatal(err)
		}
		// 50 000 synapses: s.d. 212.
		want := float64(bytes) + 4*1001*float64(c.rows) + neuronBytes*float64(e.Neurons)
		if math.Abs(e.Bytes-want) > 0.02*want {
			t.Errorf("%v, %v: estimate %g bytes, built %g", &c.w, &c.d, e.Bytes, want)
		}
	}
}

// TestMoments: weights and delays follow their distributions.
func TestMoments(t *testing.T) {
	erf := math.Erf
	for _, c := range []struct {
		v        Value
		mean, sd float64
	}{
		{Value{Form: Uniform, A: 2, B: 5}, 3.5, 3 / math.Sqrt(12)},
		{Value{Form: Normal, A: 20.25, B: 1, Min: 0, HasMin: true}, 20.25, 1},
		{Value{Form: LogNormal, A: 0.1, B: 0.5}, math.Exp(0.1 + 0.125), math.Exp(0.225) * math.Sqrt(math.Exp(0.25)-1)},
		// Half normal: σ√(2/π), σ√(1−2/π).
		{Value{Form: Normal, A: 0, B: 1, Min: 0, HasMin: true}, math.Sqrt(2 / math.Pi), math.Sqrt(1 - 2/math.Pi)},
		// Clipped at 0: mean 1/√2π, second moment 1/2.
		{Value{Form: Normal, A: 0, B: 1, Min: 0, HasMin: true, Clip: true}, 1 / math.Sqrt(2*math.Pi), math.Sqrt(0.5 - 1/(2*math.Pi))},
		// Truncated to ±1: mean 0, variance 1 − 2φ(1)/(2Φ(1)−1).
		{Value{Form: Normal, A: 3, B: 1, Min: 2, HasMin: true, Max: 4, HasMax: true}, 3,
			math.Sqrt(1 - 2*math.Exp(-0.5)/math.Sqrt(2*math.Pi)/erf(math.Sqrt(0.5)))},
	} {
		// The delay adds 0.5 ms of axon, so that a clipped delay of 0 is allowed.
		m := pairModel(300, 200, Projection{Rule: AllToAll, Weight: c.v, Dendritic: c.v, Axonal: Value{A: 0.5}})
		links := buildLinks(t, m)
		w := make([]float64, len(links))
		d := make([]float64, len(links))
		both := 0.0
		for i, l := range links {
			w[i], d[i] = l.w, l.d.MS()-0.5
			both += (w[i] - c.mean) * (d[i] - c.mean)
			for _, x := range []float64{w[i], d[i]} {
				if c.v.HasMin && !(x >= c.v.Min-1e-9) || c.v.HasMax && !(x <= c.v.Max+1e-9) {
					t.Fatalf("%v: drawn %g", &c.v, x)
				}
			}
		}
		n := math.Sqrt(float64(len(w)))
		for _, x := range [][]float64{w, d} {
			mean, v := meanVar(x)
			if math.Abs(mean-c.mean) > 4*c.sd/n {
				t.Errorf("%v: mean %g, want %g ± %g", &c.v, mean, c.mean, c.sd/n)
			}
			// Kurtosis of these is at most 6.
			if math.Abs(v-c.sd*c.sd) > 4*c.sd*c.sd*math.Sqrt(8)/n {
				t.Errorf("%v: s.d. %g, want %g", &c.v, math.Sqrt(v), c.sd)
			}
		}
		if rho := both / (n * n * c.sd * c.sd); math.Abs(rho) > 4/n {
			t.Errorf("%v: weight and delay correlate, %g", &c.v, rho)
		}
	}
}

// TestReceptors: ports by name and by sign; rate units have one.
func TestReceptors(t *testing.T) {
	p := Projection{Rule: AllToAll, Weight: Value{Form: Normal, A: 0, B: 1}}
	for _, l := range buildLinks(t, pairModel(30, 20, p)) {
		if want := uint8(0); l.negative != (l.w < 0) || l.w < 0 && l.port != 1 || l.w >= 0 && l.port != want {
			t.Fatalf("%+v", l)
		}
	}
	p.Receptor = "in"
	for _, l := range buildLinks(t, pairModel(30, 20, p)) {
		if l.negative != (l.w < 0) || l.port != 1 {
			t.Fatalf("receptor in: %+v", l)
		}
	}
	p.Receptor = ""
	m := pairModel(30, 20, p)
	m.Populations[1].Model = "rate"
	rows, err := connect(m, 0, 0, 20)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Negative || rows[0].Port != 0 || rows[0].Len() != 600 {
		t.Errorf("rate units: %d rows", len(rows))
	}
	m.Populations[0].Model = "rate"
	m.Projections[0].Dendritic = Value{A: 0, HasMin: true}
	if rows, err = connect(m, 0, 0, 20); err != nil || len(rows) != 1 || rows[0].MinDelay != 0 {
		t.Errorf("rate units without delay: %v, %v", rows, err)
	}
}

func TestEdgeCases(t *testing.T) {
	for _, c := range []struct {
		name   string
		ns, nt int
		p      Projection
		want   int
	}{
		{"one to one", 1, 1, Projection{Rule: OneToOne}, 1},
		{"all to itself", 1, 0, Projection{Rule: AllToAll}, 0},
		{"all to itself, autapses", 1, 0, Projection{Rule: AllToAll, Autapses: true}, 1},
		{"p = 0", 20, 30, Projection{Rule: PairwiseBernoulli}, 0},
		{"p = 1", 20, 30, Projection{Rule: PairwiseBernoulli, P: 1}, 600},
		{"p = 1 within", 20, 0, Projection{Rule: PairwiseBernoulli, P: 1}, 380},
		{"p tiny", 20, 30, Projection{Rule: PairwiseBernoulli, P: 5e-324}, 0},
		{"p, one neuron", 1, 0, Projection{Rule: PairwiseBernoulli, P: 1}, 0},
		{"in 0", 20, 30, Projection{Rule: FixedInDegree}, 0},
		{"in all", 20, 30, Projection{Rule: FixedInDegree, Degree: 20}, 600},
		{"in all but itself", 20, 0, Projection{Rule: FixedInDegree, Degree: 19}, 380},
		{"in, one source", 1, 30, Projection{Rule: FixedInDegree, Degree: 5, Multapses: true}, 150},
		{"out 0", 20, 30, Projection{Rule: FixedOutDegree}, 0},
		{"out all", 20, 300, Projection{Rule: FixedOutDegree, Degree: 300}, 6000},
		{"out all but itself", 200, 0, Projection{Rule: FixedOutDegree, Degree: 199}, 200 * 199},
		{"total 0", 20, 30, Projection{Rule: FixedTotalNumber}, 0},
		{"total all", 20, 30, Projection{Rule: FixedTotalNumber, Total: 600}, 600},
		{"total all but itself", 20, 0, Projection{Rule: FixedTotalNumber, Total: 380}, 380},
		{"no edges", 20, 30, Projection{Rule: EdgeList}, 0},
	} {
		c.p.Weight = Value{A: 1}
		m := pairModel(c.ns, c.nt, c.p)
		links := buildLinks(t, m, 0, 1)
		if len(links) != c.want {
			t.Errorf("%s: %d synapses, want %d", c.name, len(links), c.want)
		}
		for i := 1; i < len(links) && !c.p.Multapses; i++ {
			if links[i].s == links[i-1].s && links[i].t == links[i-1].t {
				t.Errorf("%s: %+v twice", c.name, links[i])
			}
		}
	}
}

func TestConnectErrors(t *testing.T) {
	ok := Projection{Rule: AllToAll, Weight: Value{A: 1}}
	for _, c := range []struct {
		change func(*Model, *Projection)
		want   string
	}{
		{func(m *Model, p *Projection) { p.Target = "X" }, `projection "P": unknown target population "X"`},
		{func(m *Model, p *Projection) { p.Source = "X" }, `unknown source population "X"`},
		{func(m *Model, p *Projection) { p.Rule = "some" }, `unknown rule "some"`},
		{func(m *Model, p *Projection) { p.Rule = OneToOne }, "one_to_one with 4 sources and 5 targets"},
		{func(m *Model, p *Projection) { p.Rule, p.Target = OneToOne, "S" }, "autapses"},
		{func(m *Model, p *Projection) { p.Rule, p.P = PairwiseBernoulli, 1.5 }, "p = 1.5, want 0 to 1"},
		{func(m *Model, p *Projection) { p.Rule, p.P = PairwiseBernoulli, math.NaN() }, "p = NaN"},
		{func(m *Model, p *Projection) { p.Rule, p.Degree = FixedInDegree, 5 }, "indegree 5 of 4 allowed sources"},
		{func(m *Model, p *Projection) { p.Rule, p.Degree, p.Target = FixedInDegree, 4, "S" }, "indegree 4 of 3 allowed sources"},
		{func(m *Model, p *Projection) { p.Rule, p.Degree = FixedInDegree, -1 }, "indegree -1"},
		{func(m *Model, p *Projection) { p.Rule, p.Degree = FixedOutDegree, 6 }, "outdegree 6 of 5 allowed targets"},
		{func(m *Model, p *Projection) { p.Rule, p.Total = FixedTotalNumber, 21 }, "total number 21 of 20 allowed pairs"},
		{func(m *Model, p *Projection) { p.Rule, p.Total, p.Multapses = FixedTotalNumber, 1<<40, true }, "a block holds at most 4294967295"},
		{func(m *Model, p *Projection) { p.Receptor = "x" }, `receptor "x", want one of [ex in]`},
		{func(m *Model, p *Projection) { p.Synapse = "x" }, `unknown synapse model "x"`},
		{func(m *Model, p *Projection) { m.Populations[1].Model = "poisson" }, "receives nothing"},
		{func(m *Model, p *Projection) { p.Weight.A = math.NaN() }, "weight NaN, want a finite number"},
		{func(m *Model, p *Projection) { p.Weight = Value{Form: Column} }, "weight a column"},
		{func(m *Model, p *Projection) { p.Weight = Value{Form: Uniform, A: 2, B: 1} }, "the lower one first"},
		{func(m *Model, p *Projection) { p.Weight = Value{Form: Normal, A: 2, B: -1} }, "standard deviation"},
		{func(m *Model, p *Projection) { p.Weight = Value{Form: Uniform, A: 2, B: 3, Min: 4, HasMin: true} }, "no draw can lie"},
		{func(m *Model, p *Projection) { p.Weight = Value{Form: Normal, A: 0, B: 1, Min: 40, HasMin: true} }, "weight of the synapse from S 0 to T 0: no draw of normal [0, 1], min 40"},
		{func(m *Model, p *Projection) { p.Weight = Value{Form: Uniform, A: 1e300, B: 2e300} }, "float32"},
		{func(m *Model, p *Projection) { p.Dendritic.A = 0 }, "delay 0 ms, want a positive one"},
		{func(m *Model, p *Projection) { p.Dendritic.A = -1 }, "dendritic delay -1 ms, want one that is not negative"},
		{func(m *Model, p *Projection) { p.Dendritic.A = 1e-12 }, "want a positive one"},
		{func(m *Model, p *Projection) { p.Dendritic.A = 1e12 }, "out of range"},
		{func(m *Model, p *Projection) { p.Axonal = Value{Form: Normal, A: 0, B: 1} }, "axonal delay of the synapse from S"},
		{func(m *Model, p *Projection) { p.Dendritic = Value{Form: Uniform, A: 0, B: 1e-9} }, "0 ms, want a positive one"},
		{func(m *Model, p *Projection) { p.Dendritic = Value{Form: Uniform, A: 1, B: 1e6} }, "want them to span at most"},
		{func(m *Model, p *Projection) { p.Rule, p.Edges = EdgeList, []synapse.Edge{{Source: 4, Axonal: 1}} }, "edge 0: source 4, want 0 to 3 (S)"},
		{func(m *Model, p *Projection) { p.Rule, p.Edges = EdgeList, []synapse.Edge{{Target: 5, Axonal: 1}} }, "edge 0: target 5, want 0 to 4 (T)"},
		{func(m *Model, p *Projection) { p.Rule, p.Edges = EdgeList, []synapse.Edge{{Target: 3}} }, "from S 0 to T 3: delay 0 ms"},
		{func(m *Model, p *Projection) { p.Rule, p.Edges = EdgeList, []synapse.Edge{{Axonal: -1, Dendritic: 2}} }, "axonal delay -0.000000001 ms"},
		{func(m *Model, p *Projection) {
			p.Rule, p.Edges = EdgeList, []synapse.Edge{{Axonal: 1, Weight: math.Inf(1)}}
		}, "weight +Inf"},
		{func(m *Model, p *Projection) { p.Rule = Distance }, "profile"},
		{func(m *Model, p *Projection) { p.Rule, p.Profile = Distance, Profile{Shape: "disc", Sigma: 1} }, "0 positions, want 4"},
	} {
		p := ok
		m := pairModel(4, 5, p)
		m.Projections[0].Dendritic = Value{A: 1}
		c.change(m, &m.Projections[0])
		_, err := connect(m, 0, 0, 5)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), `network: projection "P": `) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestMainClass: setting rare signs and bands aside gives the same rows as
// telling the classes apart while counting.
func TestMainClass(t *testing.T) {
	for _, c := range []Projection{
		{Rule: FixedTotalNumber, Total: 30000, Multapses: true, Weight: Value{Form: Normal, A: 3, B: 1},
			Dendritic: Value{Form: Normal, A: 1.5, B: 0.75, Min: 0.1, HasMin: true}},
		{Rule: FixedOutDegree, Degree: 100, Weight: Value{A: -1}, Dendritic: Value{Form: Normal, A: 15, B: 0.6}},
		{Rule: AllToAll, Weight: Value{Form: Normal, A: -3.1, B: 1}},
		{Rule: AllToAll, Weight: Value{Form: Normal, A: -2.9, B: 1}, Dendritic: Value{Form: LogNormal, A: 0, B: 0.4}},
	} {
		con, err := newConnector(pairModel(200, 300, c), 0)
		if err != nil {
			t.Fatal(err)
		}
		if !con.mainClass && c.Weight.A != -2.9 {
			t.Errorf("%s: no main class", c.Rule)
		}
		got, err := con.rows(50, 250)
		if err != nil {
			t.Fatal(err)
		}
		con.mainClass, con.negative, con.band = false, false, 0
		want, err := con.rows(50, 250)
		if err != nil {
			t.Fatal(err)
		}
		if len(want) < 2 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: other rows, %d and %d", c.Rule, len(got), len(want))
		}
	}
}

func TestSortKeys(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var spare []uint64
	var places []uint32
	for round := range 400 {
		n := rng.IntN(600)
		keys := make([]uint64, n)
		for i := range keys {
			var d uint64
			switch round % 4 {
			case 0:
				d = uint64(rng.Uint32())
			case 1:
				d = uint64(rng.IntN(3))
			case 2: // crowded beside a lone outlier
				d = uint64(rng.IntN(50))
				if i == 0 {
					d = math.MaxUint32
				}
			case 3:
				d = uint64(math.Abs(rng.NormFloat64()) * 1e8)
			}
			keys[i] = d<<32 | uint64(i)
		}
		want := slices.Clone(keys)
		slices.Sort(want)
		var got []uint64
		got, spare, places = sortKeys(keys, spare, places)
		if !slices.Equal(got, want) {
			t.Fatalf("round %d: not sorted", round)
		}
	}
}

// TestGolden pins the bits of all rules: they must not depend on GOAMD64 or the
// architecture, nor change with a version. The number is what this code gave
// first.
func TestGolden(t *testing.T) {
	models := allRules()
	h := fnv.New64a()
	names := make([]string, 0, len(models))
	for name := range models {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, l := range buildLinks(t, models[name]) {
			fmt.Fprintln(h, l.s, l.t, math.Float64bits(l.w), int64(l.d))
		}
	}
	if got, want := h.Sum64(), uint64(goldenRows); got != want {
		t.Errorf("hash %#x, want %#x", got, want)
	}
}

const goldenRows = 0xf6f1b9237623540b

func TestPartitionRanges(t *testing.T) {
	for _, sizes := range [][]int{{1}, {1999}, {2000}, {2001}, {1500, 700}, {4000, 1000}, {77169}, {16384}, {300000, 1}} {
		m := &Model{}
		total := 0
		for i, n := range sizes {
			m.Populations = append(m.Populations, Population{Name: fmt.Sprint(i), N: n, Model: "iaf_psc_exp"})
			total += n
		}
		m.Populations = append(m.Populations, Population{Name: "noise", N: 100000, Model: "poisson"})
		own, pop, next := 0, 0, 0
		for _, b := range partition(m) {
			if b.Pop != pop {
				if next != m.Populations[pop].N {
					t.Fatalf("%v: population %d ends at %d", sizes, pop, next)
				}
				pop, next = pop+1, 0
			}
			if b.Pop != pop || b.Lo != next || b.Hi <= b.Lo || b.Hi-b.Lo > maxBlock {
				t.Fatalf("%v: block %+v after %d", sizes, b, next)
			}
			next = b.Hi
			if pop < len(sizes) {
				own++
			}
		}
		if pop != len(sizes) || next != 100000 {
			t.Errorf("%v: blocks end at %d of population %d", sizes, next, pop)
		}
		if total >= 2000 && own < 8 || total < 2000 && own != len(sizes) {
			t.Errorf("%v: %d blocks", sizes, own)
		}
	}
}
