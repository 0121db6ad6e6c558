package neuron

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
)

const izhikevichGridEquation = "v += ½(0.04v² + 5v + 140 − u + I) twice, then u += a(bv − u), once per ms"

func init() {
	p := func(key, unit, doc string, def, lo, hi float64) quantity.Param {
		return quantity.Param{Key: key, Unit: unit, Doc: doc, Equation: izhikevichGridEquation, Default: def, Min: lo, Max: hi}
	}
	Register(Model{
		Name: "izhikevich_2003_grid", Kind: Spiking,
		Doc: "Izhikevich's neuron as his programs integrate it, on the grid of whole milliseconds: v takes two steps of 0.5 ms, v += ½(0.04v² + 5v + 140 − u + I), then u one of 1 ms, u += a(bv − u). " +
			"A neuron with v ≥ V_th after the step from T to T + 1 ms has fired: the spike is stamped T, v stays where it is until T + 1 ms, where the next step begins with v = c, u += d. " +
			"I = I_e + noise·(U − ½) + the weights [pA, for 1 ms; the equation's capacitance is 1 pF] that arrived since the step before began, its beginning excluded, up to the beginning of this one, included, + the levels of current sources then. " +
			"So a spike with a delay of 1 ms acts in the very step in which the program finds it. U is uniform on [0, 1), drawn per neuron and step. Off-grid arrivals wait for the next whole ms; for exact event times use izhikevich.",
		Cite: "Izhikevich 2003, doi:10.1109/TNN.2003.820440; the programs spnet.m of Izhikevich 2006, doi:10.1162/089976606775093882, and daspnet.m of Izhikevich 2007, doi:10.1093/cercor/bhl152",
		Params: []quantity.Param{
			p("a", "1/ms", "rate of recovery", 0.02, 0, 1),
			p("b", "1", "sensitivity of recovery to v", 0.2, -1e3, 1e3),
			p("c", "mV", "v after a spike, < V_th", -65, -1e3, 1e3),
			p("d", "1", "what a spike adds to u", 8, -1e6, 1e6),
			p("V_th", "mV", "peak from which a spike is counted", 30, -1e3, 1e3),
			p("I_e", "pA", "constant input current", 0, -1e6, 1e6),
			p("noise", "pA", "width of the uniform noise: ±noise/2, redrawn every ms", 0, 0, 1e6),
		},
		States: []quantity.Param{
			{Key: "V_m", Unit: "mV", Doc: "membrane potential v; starts at −65 mV unless init says otherwise, must be below V_th", Default: -65, Min: -1e3, Max: 1e3},
			{Key: "U_m", Unit: "1", Doc: "recovery u; starts at b·(−65) unless init says otherwise", Min: -1e6, Max: 1e6},
		},
		Ports:      []string{"ex", "in"}, // both act alike
		WeightUnit: "pA",
		Check: func(v quantity.Values) (string, error) {
			m, _ := Lookup("izhikevich_2003_grid")
			if c, th := m.Number(v, "c"), m.Number(v, "V_th"); !(c < th) {
				return "c", fmt.Errorf("c = %g mV, want less than V_th = %g mV", c, th)
			}
			return "", nil
		},
		Grid: func(v quantity.Values, k random.Key, first, n int) Grid { return newIzhikevichGrid(v, k, first, n) },
	})
}

// izhikevichGrid is a block of neurons of model izhikevich_2003_grid. All
// operations are those of the programs, in their order, in float64.
type izhikevichGrid struct {
	a, b, c, d, th, ie, noise float64

	key   random.Key
	first int // number of the first neuron in its population
	v, u  []float64
	in    []float64
	bits  []uint64 // of the step, 32 per neuron, from neuron first/4·4 on
	over  []uint8  // stepFour: bit i%4 of over[i/4]: neuron i is not below V_th
	four  gridConstants
}

// gridConstants are the numbers of a step, each four times, in the order in which
// stepFour wants them.
type gridConstants struct {
	k004, k5, k140, half, th, exponent, middle, noise, ie, c, d, a, b [4]float64
}

func newIzhikevichGrid(v quantity.Values, k random.Key, first, n int) *izhikevichGrid {
	m, _ := Lookup("izhikevich_2003_grid")
	p := func(key string) float64 { return m.Number(v, key) }
	g := &izhikevichGrid{a: p("a"), b: p("b"), c: p("c"), d: p("d"), th: p("V_th"), ie: p("I_e"), noise: p("noise"),
		key: k, first: first, v: make([]float64, n), u: make([]float64, n), in: make([]float64, n),
		bits: make([]uint64, 2*((first+n+3)/4-first/4)), over: make([]uint8, n/4)}
	for i := range g.v {
		g.v[i], g.u[i] = -65, float64(g.b*-65)
	}
	all := func(x float64) [4]float64 { return [4]float64{x, x, x, x} }
	g.four = gridConstants{k004: all(0.04), k5: all(5), k140: all(140), half: all(0.5), th: all(g.th), exponent: all(gridExponent), middle: all(gridMiddle),
		noise: all(g.noise), ie: all(g.ie), c: all(g.c), d: all(g.d), a: all(g.a), b: all(g.b)}
	return g
}

// Period is the grid's 1 ms.
func (g *izhikevichGrid) Period() event.Time { return event.Millisecond }

// Input is the current of the coming step [pA] without I_e and noise.
func (g *izhikevichGrid) Input() []float64 { return g.in }

// draw fills bits for step k: one Philox block of the entity ⌊i/4⌋ serves the four
// neurons i.
func (g *izhikevichGrid) draw(k int64) {
	q := uint64(g.first / 4)
	for d := g.bits; len(d) >= 2; d = d[2:] {
		d[0], d[1] = g.key.At(q, uint64(k))
		q++
	}
}

// 32 bits x written into the fraction of a number between 2²⁰ and 2²⁰ + 1 make
// U = x/2³² without a conversion.
const (
	gridExponent = 1 << 20
	gridMiddle   = 1<<20 + 0.5
)

var errGridNaN = errors.New("the membrane potential is not a number")

// Step takes the neurons from k to k + 1 ms.
func (g *izhikevichGrid) Step(k int64, fired []uint32) ([]uint32, error) {
	if g.noise > 0 {
		g.draw(k)
	}
	n := 0
	if byFours && g.first%4 == 0 && len(g.over) > 0 {
		n = 4 * len(g.over)
		stepFour(&g.v[0], &g.u[0], &g.in[0], &g.bits[0], &g.over[0], len(g.over), &g.four)
		for q, m := range g.over {
			for ; m != 0; m &= m - 1 {
				fired = append(fired, uint32(4*q+bits.TrailingZeros8(m)))
			}
		}
	}
	for ; n < len(g.v); n++ {
		if g.one(n) {
			fired = append(fired, uint32(n))
		}
	}
	for _, i := range fired {
		if x := g.v[i]; x != x {
			return fired, fmt.Errorf("neuron %d: %w", g.first+int(i), errGridNaN)
		}
	}
	return fired, nil
}

// one takes neuron i over the step and says whether it is not below V_th then.
func (g *izhikevichGrid) one(i int) bool {
	x, y := g.v[i], g.u[i]
	if x >= g.th {
		x, y = g.c, y+g.d
	}
	q := i + g.first%4
	u := math.Float64frombits(math.Float64bits(gridExponent)|g.bits[q/2]>>(q%2*32)&(1<<32-1)) - gridMiddle
	s := g.ie + float64(g.noise*u) + g.in[i]
	g.in[i] = 0
	x += float64(0.5 * (float64((float64(0.04*x)+5)*x) + 140 - y + s))
	x += float64(0.5 * (float64((float64(0.04*x)+5)*x) + 140 - y + s))
	y += float64(g.a * (float64(g.b*x) - y))
	g.v[i], g.u[i] = x, y
	return !(x < g.th)
}

// State gives access to V_m and U_m.
func (g *izhikevichGrid) State(i int, key string) *float64 {
	switch key {
	case "V_m":
		return &g.v[i]
	case "U_m":
		return &g.u[i]
	}
	return nil
}
