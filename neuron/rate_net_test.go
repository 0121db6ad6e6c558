package neuron

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hmn/event"
)

// A chain without delay: an input at t shows at the end of the chain at t, and
// a unit with two paths of different length into it changes once.
func TestZeroDelayChain(t *testing.T) {
	a := mustUnits(t, num("f", "linear", "b", 1), 1, 0, 1, []float64{5})
	b := mustUnits(t, num("f", "linear"), 3, 0, 3, nil)
	c := mustUnits(t, num("f", "relu"), 1, 0, 1, nil)
	n, err := NewRateNet([]*RateUnits{a, b, c}, []ZeroEdge{
		{1, 2, 2, 0, 2}, // b[2] → c, given first
		{0, 0, 1, 2, 2}, // a → b[2]
		{0, 0, 1, 0, 3}, // a → b[0]
		{1, 2, 1, 1, 1}, // b[2] → b[1]
		{1, 0, 2, 0, 1}, // b[0] → c
		{0, 0, 2, 0, 1}, // a → c
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		dst := make([][]Change, 3)
		in := [][]RateInput{{{At: 2 * ms, Weight: 2, New: 0.5}, {At: 2 * ms, Weight: 1, New: 1}}, nil, nil}
		if err := n.Advance(0, 3*ms, in, dst); err != nil {
			t.Fatal(err)
		}
		// a = 1, then 3; b = (3a, 2a, 2a); c = 2 b[2] + b[0] + a = 8a.
		want := [][]Change{
			{{0, 0, 5, 1}, {2 * ms, 0, 1, 3}},
			{{0, 0, 0, 3}, {0, 1, 0, 2}, {0, 2, 0, 2}, {2 * ms, 0, 3, 9}, {2 * ms, 1, 2, 6}, {2 * ms, 2, 2, 6}},
			{{0, 0, 0, 8}, {2 * ms, 0, 8, 24}},
		}
		for p := range want {
			if !slices.Equal(dst[p], want[p]) {
				t.Errorf("block %d: %v, want %v", p, dst[p], want[p])
			}
		}
		if z := c.OutputAt(0, 2*ms-1); z != 8 {
			t.Errorf("c just before 2 ms: %v, want 8", z)
		}
		// a → c from 1 to −5: c = (8 − 6)·3 = 6.
		n.Reweigh(5, 4*ms, -5)
		dst = make([][]Change, 3)
		if err := n.Advance(3*ms, 6*ms, nil, dst); err != nil {
			t.Fatal(err)
		}
		if want := []Change{{4 * ms, 0, 24, 6}}; !slices.Equal(dst[2], want) || n.Weights()[5] != -5 {
			t.Errorf("after a new weight: %v, want %v; weights %v", dst[2], want, n.Weights())
		}
		n.Reset()
	}
}

func TestZeroDelayCycle(t *testing.T) {
	v := num("f", "linear")
	var u []*RateUnits
	for _, name := range []string{"A", "B", "C"} {
		r, err := NewRateUnits(v, 4, 0, 4, 1, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		u = append(u, r)
	}
	edges := []ZeroEdge{{0, 0, 1, 1, 1}, {1, 1, 2, 2, 1}, {2, 2, 2, 3, 1}, {2, 3, 0, 1, 1}}
	if _, err := NewRateNet(u, edges); err != nil {
		t.Errorf("A → B → C → A over distinct units is no cycle: %v", err)
	}
	_, err := NewRateNet(u, append(edges, ZeroEdge{2, 3, 1, 1, 1}))
	if !errors.Is(err, ErrCycle) || !strings.Contains(err.Error(), `"C"[2] → "C"[3]`) || !strings.Contains(err.Error(), `"B"[1]`) || strings.Contains(err.Error(), `"A"`) {
		t.Errorf("cycle B → C → C → B: %v", err)
	}
	if _, err := NewRateNet(u, []ZeroEdge{{1, 2, 1, 2, 1}}); !errors.Is(err, ErrCycle) {
		t.Errorf("a unit onto itself: %v", err)
	}
	if _, err := NewRateNet(u, []ZeroEdge{{0, 4, 1, 2, 1}}); err == nil || errors.Is(err, ErrCycle) {
		t.Errorf("unit 4 of 4: %v", err)
	}
}

// Random acyclic nets against direct evaluation at every input, and cut windows
// against whole ones.
func TestRateNetRandom(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		build := func() (*RateNet, []ZeroEdge, [][]RateInput, *rand.Rand) {
			rng := rand.New(rand.NewPCG(seed, 8))
			var u []*RateUnits
			for p := range 3 {
				z0 := make([]float64, 6)
				for i := range z0 {
					z0[i] = rng.NormFloat64()
				}
				u = append(u, mustUnits(t, num("f", []string{"tanh", "relu", "sigmoid"}[p], "b", 0.1), 6, 0, 6, z0))
			}
			order := rng.Perm(18)
			var edges []ZeroEdge
			for range 40 {
				i, j := rng.IntN(18), rng.IntN(18)
				if i > j {
					i, j = j, i
				}
				if i < j {
					edges = append(edges, ZeroEdge{order[i] / 6, order[i] % 6, order[j] / 6, order[j] % 6, rng.NormFloat64()})
				}
			}
			n, err := NewRateNet(u, edges)
			if err != nil {
				t.Fatal(err)
			}
			in := make([][]RateInput, 3)
			var x [18]float64
			for k := range 100 {
				g := rng.IntN(18)
				y := rng.NormFloat64()
				in[g/6] = append(in[g/6], RateInput{At: event.Time(k/3) * ms, Unit: uint32(g % 6), Weight: 1, Old: x[g], New: y})
				x[g] = y
			}
			return n, edges, in, rng
		}
		whole, edges, in, _ := build()
		dst := make([][]Change, 3)
		const end = 40 * ms
		if err := whole.Advance(0, end, in, dst); err != nil {
			t.Fatal(err)
		}
		// Direct: relax until nothing changes.
		for at := event.Time(0); at < end; at += ms {
			var x, z [18]float64
			for p := range in {
				for _, r := range in[p] {
					if r.At <= at {
						x[p*6+int(r.Unit)] = r.New
					}
				}
			}
			for range 20 {
				sum := x
				for _, e := range edges {
					sum[e.ToPop*6+e.To] += e.Weight * z[e.FromPop*6+e.From]
				}
				for g := range z {
					z[g] = whole.units[g/6].f.of(sum[g] + 0.1)
				}
			}
			for g := range z {
				if got := whole.units[g/6].OutputAt(g%6, at); math.Abs(got-z[g]) > 1e-14*(1+math.Abs(z[g])) {
					t.Fatalf("seed %d: unit %d of block %d at %v ms: %v, want %v", seed, g%6, g/6, at, got, z[g])
				}
			}
		}
		cut, _, in, rng := build()
		parts := make([][]Change, 3)
		for from := event.Time(0); from < end; {
			to := min(end, from+1+event.Time(rng.Int64N(int64(5*ms))))
			now := make([][]RateInput, 3)
			for p := range in {
				k, _ := slices.BinarySearchFunc(in[p], to, func(r RateInput, t event.Time) int { return cmp.Compare(r.At, t) })
				now[p], in[p] = in[p][:k], in[p][k:]
			}
			if err := cut.Advance(from, to, now, parts); err != nil {
				t.Fatal(err)
			}
			from = to
		}
		for p := range dst {
			if !slices.Equal(dst[p], parts[p]) || !slices.IsSortedFunc(dst[p], byChange) {
				t.Errorf("seed %d: block %d: %d changes whole, %d cut", seed, p, len(dst[p]), len(parts[p]))
			}
			for k := range dst[p] {
				if k > 0 && dst[p][k].At == dst[p][k-1].At && dst[p][k].Neuron == dst[p][k-1].Neuron {
					t.Errorf("seed %d: block %d: %v sent twice at one instant", seed, p, dst[p][k])
				}
			}
		}
	}
}
