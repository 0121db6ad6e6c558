package neuron

import (
	"errors"
	"fmt"
	"math"

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
	draws []float64 // noise of the step, from neuron first/4·4 on
}

func newIzhikevichGrid(v quantity.Values, k random.Key, first, n int) *izhikevichGrid {
	m, _ := Lookup("izhikevich_2003_grid")
	p := func(key string) float64 { return m.Number(v, key) }
	g := &izhikevichGrid{a: p("a"), b: p("b"), c: p("c"), d: p("d"), th: p("V_th"), ie: p("I_e"), noise: p("noise"),
		key: k, first: first, v: make([]float64, n), u: make([]float64, n), in: make([]float64, n),
		draws: make([]float64, (first+n+3)/4*4-first/4*4)}
	for i := range g.v {
		g.v[i], g.u[i] = -65, float64(g.b*-65)
	}
	return g
}

// Period is the grid's 1 ms.
func (g *izhikevichGrid) Period() event.Time { return event.Millisecond }

// Input is the current of the coming step [pA] without I_e and noise.
func (g *izhikevichGrid) Input() []float64 { return g.in }

// draw fills draws with the noise of step k. One Philox block of the entity
// ⌊i/4⌋ serves four neurons with 32 bits x each: U = x/2³². Written into the
// fraction of a number between 2²⁰ and 2²⁰ + 1, they need no conversion.
func (g *izhikevichGrid) draw(k int64) {
	const exponent, middle = (1023 + 20) << 52, 1<<20 + 0.5
	unit := func(x uint64) float64 { return math.Float64frombits(exponent|x) - middle }
	noise, q := g.noise, uint64(g.first/4)
	for d := g.draws; len(d) >= 4; d = d[4:] {
		a, b := g.key.At(q, uint64(k))
		d[0] = float64(noise * unit(a&(1<<32-1)))
		d[1] = float64(noise * unit(a>>32))
		d[2] = float64(noise * unit(b&(1<<32-1)))
		d[3] = float64(noise * unit(b>>32))
		q++
	}
}

var errGridNaN = errors.New("the membrane potential is not a number")

// Step takes the neurons from k to k + 1 ms.
func (g *izhikevichGrid) Step(k int64, fired []uint32) ([]uint32, error) {
	v := g.v
	u, in := g.u[:len(v)], g.in[:len(v)]
	noise := in // any slice of the length
	if g.noise > 0 {
		g.draw(k)
		noise = g.draws[g.first%4:]
	}
	noise = noise[:len(v)]
	a, b, th := g.a, g.b, g.th
	for i, x := range v {
		y := u[i]
		if x >= th {
			x, y = g.c, y+g.d
		}
		s := g.ie + in[i]
		if g.noise > 0 {
			s = g.ie + noise[i] + in[i]
		}
		in[i] = 0
		x += float64(0.5 * (float64((float64(0.04*x)+5)*x) + 140 - y + s))
		x += float64(0.5 * (float64((float64(0.04*x)+5)*x) + 140 - y + s))
		y += float64(a * (float64(b*x) - y))
		v[i], u[i] = x, y
		if !(x < th) {
			if x != x {
				return fired, fmt.Errorf("neuron %d: %w", g.first+i, errGridNaN)
			}
			fired = append(fired, uint32(i))
		}
	}
	return fired, nil
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
