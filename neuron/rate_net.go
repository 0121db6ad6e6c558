package neuron

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"hmn/event"
)

// ZeroEdge is a connection without delay between two rate units: populations
// are indices into the list given to NewRateNet, units are population-local.
type ZeroEdge struct {
	FromPop, From, ToPop, To int
	Weight                   float64
}

// ErrCycle reports connections without delay that feed back.
var ErrCycle = errors.New("neuron: cycle without delay among rate units")

// RateNet advances several blocks of rate units between which some connections
// have no delay. Such connections must be acyclic. At one instant all arrivals
// and ticks are applied first; then units are recomputed by level, the level of
// a unit being the longest chain of connections without delay into it, and a
// change that is sent reaches the next units at once. So every unit is
// recomputed at most once per instant and sees what its sources send at that
// instant.
//
// Not safe for concurrent use. Nothing depends on how time is cut into calls.
type RateNet struct {
	units  []*RateUnits
	base   []int // units[p]'s unit lo has the global index base[p]
	pop    []int32
	level  []int32
	edges  []ZeroEdge // by source; Weight is current
	start  []float64  // start weights, as edges
	place  []int      // given index → index in edges
	rows   []int      // edges of global unit g: edges[rows[g]:rows[g+1]]
	bucket [][]uint32 // global indices to recompute, by level
	due    []reweigh  // ascending by time
	first  []int      // of settle
}

type reweigh struct {
	at     event.Time
	edge   int // in edges
	weight float64
}

// NewRateNet joins blocks. It adds the start value of each edge's source to the
// input of its target as AddInitial does, so the caller adds only those of
// connections with delay, and it owns the blocks from then on: they are to be
// advanced through it alone. ErrCycle names the units of one cycle.
func NewRateNet(units []*RateUnits, edges []ZeroEdge) (*RateNet, error) {
	n := &RateNet{units: units, edges: slices.Clone(edges), place: make([]int, len(edges)), first: make([]int, len(units))}
	total := 0
	for p, u := range units {
		n.base = append(n.base, total)
		total += u.hi - u.lo
		for len(n.pop) < total {
			n.pop = append(n.pop, int32(p))
		}
	}
	for k, e := range edges {
		for _, end := range [2][2]int{{e.FromPop, e.From}, {e.ToPop, e.To}} {
			if end[0] < 0 || end[0] >= len(units) || end[1] < units[end[0]].lo || end[1] >= units[end[0]].hi {
				return nil, fmt.Errorf("neuron: edge %d without delay: no unit %d in block %d", k, end[1], end[0])
			}
		}
	}
	// Rows by source; the given order within a row.
	order := make([]int, len(edges))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return n.from(edges[a]) - n.from(edges[b]) })
	n.rows = make([]int, total+1)
	for k, given := range order {
		n.edges[k] = edges[given]
		n.place[given] = k
		n.rows[n.from(edges[given])+1]++
	}
	for g := range total {
		n.rows[g+1] += n.rows[g]
	}
	if err := n.levels(total); err != nil {
		return nil, err
	}
	for _, e := range n.edges {
		src := units[e.FromPop]
		units[e.ToPop].AddInitial(uint32(e.To), float64(e.Weight*src.z0[e.From-src.lo]))
		n.start = append(n.start, e.Weight)
	}
	return n, nil
}

func (n *RateNet) from(e ZeroEdge) int { return n.base[e.FromPop] + e.From - n.units[e.FromPop].lo }
func (n *RateNet) to(e ZeroEdge) int   { return n.base[e.ToPop] + e.To - n.units[e.ToPop].lo }

// levels finds the longest chain into each unit (Kahn 1962,
// doi:10.1145/368996.369025).
func (n *RateNet) levels(total int) error {
	n.level = make([]int32, total)
	waits := make([]int, total) // edges into the unit whose source has no level yet
	for _, e := range n.edges {
		waits[n.to(e)]++
	}
	var ready []int
	for g, w := range waits {
		if w == 0 {
			ready = append(ready, g)
		}
	}
	top := int32(0)
	for k := 0; k < len(ready); k++ {
		g := ready[k]
		top = max(top, n.level[g])
		for _, e := range n.edges[n.rows[g]:n.rows[g+1]] {
			to := n.to(e)
			n.level[to] = max(n.level[to], n.level[g]+1)
			if waits[to]--; waits[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	n.bucket = make([][]uint32, top+1)
	if len(ready) == total {
		return nil
	}
	// Every unit left has a source that is left: walk backwards until a unit
	// comes twice.
	source := make([]int, total)
	for _, e := range n.edges {
		if waits[n.from(e)] > 0 {
			source[n.to(e)] = n.from(e)
		}
	}
	g := slices.IndexFunc(waits, func(w int) bool { return w > 0 })
	seen := make([]bool, total)
	for !seen[g] {
		seen[g] = true
		g = source[g]
	}
	cycle := []string{n.name(g)}
	for s := source[g]; s != g; s = source[s] {
		cycle = append(cycle, n.name(s))
	}
	cycle = append(cycle, n.name(g))
	slices.Reverse(cycle)
	if len(cycle) > 12 {
		cycle = append(append(cycle[:6:6], fmt.Sprintf("(%d more)", len(cycle)-12)), cycle[len(cycle)-6:]...)
	}
	return fmt.Errorf("%w: %s", ErrCycle, strings.Join(cycle, " → "))
}

func (n *RateNet) name(g int) string {
	p := n.pop[g]
	return fmt.Sprintf("%q[%d]", n.units[p].population, g-n.base[p]+n.units[p].lo)
}

// Reweigh gives edge e (its index in the list NewRateNet got) a new weight at
// the instant at, which lies in the next window. Calls for one window are in
// order of time. The target's input then is what it would be had the weight
// always been so.
func (n *RateNet) Reweigh(e int, at event.Time, weight float64) {
	n.due = append(n.due, reweigh{at, n.place[e], weight})
}

// Weights copies the current weights, in the order of the edges given to
// NewRateNet: with the blocks' snapshots, the state of the net.
func (n *RateNet) Weights() []float64 {
	w := make([]float64, len(n.edges))
	for k, p := range n.place {
		w[k] = n.edges[p].Weight
	}
	return w
}

// RestoreWeights takes weights that Weights gave; the blocks' own Restore takes
// the rest.
func (n *RateNet) RestoreWeights(w []float64) error {
	if len(w) != len(n.edges) {
		return fmt.Errorf("neuron: %d weights for %d edges without delay", len(w), len(n.edges))
	}
	for k, p := range n.place {
		n.edges[p].Weight = w[k]
	}
	n.due = n.due[:0]
	return nil
}

// Reset returns all blocks and weights to the state before t = 0.
func (n *RateNet) Reset() {
	for _, u := range n.units {
		u.Reset()
	}
	for k := range n.edges {
		n.edges[k].Weight = n.start[k]
	}
	n.due = n.due[:0]
}

// Advance moves all blocks through [from, to), as RateUnits.Advance does one:
// in[p] holds the arrivals at block p and the changes to send are appended to
// dst[p], ordered by (time, unit). Changes that go along edges without delay
// are among them. in may be nil: no arrivals. in and dst are as long as the list
// of blocks.
func (n *RateNet) Advance(from, to event.Time, in [][]RateInput, dst [][]Change) error {
	for p, u := range n.units {
		var x []RateInput
		if in != nil {
			x = in[p]
		}
		u.begin(from, x)
	}
	defer func() { n.due = n.due[:0] }()
	due := n.due
	for {
		t := event.MaxTime
		for _, u := range n.units {
			t = min(t, u.next())
		}
		if len(due) > 0 {
			t = min(t, due[0].at)
		}
		if t >= to {
			break
		}
		for p, u := range n.units {
			u.touched = u.touched[:0]
			if u.next() == t {
				if err := u.take(t); err != nil {
					return err
				}
			}
			for _, k := range u.touched {
				n.wake(n.base[p] + int(k))
			}
		}
		for ; len(due) > 0 && due[0].at <= t; due = due[1:] {
			if due[0].at < t || due[0].at < from {
				return fmt.Errorf("%w: weight of an edge without delay: at %v ms, clock %v ms", ErrPast, due[0].at, t)
			}
			e := &n.edges[due[0].edge]
			src := n.units[e.FromPop]
			x := src.Sent[e.From-src.lo]
			n.pass(e, float64(e.Weight*x), float64(due[0].weight*x))
			e.Weight = due[0].weight
		}
		if err := n.settle(t, dst); err != nil {
			return err
		}
	}
	for _, u := range n.units {
		if err := u.left(to); err != nil {
			return err
		}
	}
	if len(due) > 0 {
		return fmt.Errorf("%w: weight of an edge without delay: at %v ms, window ends at %v ms", ErrPast, due[0].at, to)
	}
	return nil
}

// settle recomputes the units to be recomputed at t, level by level.
func (n *RateNet) settle(t event.Time, dst [][]Change) error {
	for p := range dst {
		n.first[p] = len(dst[p])
	}
	for l := range n.bucket {
		// A lower level has woken its targets in the order of its units; ascending
		// order here keeps the order of every sum independent of that.
		slices.Sort(n.bucket[l])
		for _, g := range n.bucket[l] {
			p := int(n.pop[g])
			u := n.units[p]
			k := int(g) - n.base[p]
			u.mark[k] = false
			c, sent, err := u.compute(k, t)
			if err != nil {
				return err
			}
			if !sent {
				continue
			}
			dst[p] = append(dst[p], c)
			for i := n.rows[g]; i < n.rows[g+1]; i++ {
				e := &n.edges[i]
				n.pass(e, float64(e.Weight*c.Old), float64(e.Weight*c.New))
			}
		}
		n.bucket[l] = n.bucket[l][:0]
	}
	for p, first := range n.first { // levels came one after the other
		slices.SortFunc(dst[p][first:], byChange)
	}
	return nil
}

// pass exchanges the contribution of an edge to its target's input.
func (n *RateNet) pass(e *ZeroEdge, old, new float64) {
	u := n.units[e.ToPop]
	marked := u.mark[e.To-u.lo]
	u.change(e.To-u.lo, old, new)
	if !marked {
		n.wake(n.to(*e))
	}
}

// wake puts a unit on the list of its level.
func (n *RateNet) wake(g int) {
	n.bucket[n.level[g]] = append(n.bucket[n.level[g]], uint32(g))
}
