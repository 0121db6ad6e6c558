package neuron

// Arrivals collects synaptic arrivals of one port whose delays differ: time
// left until the end of the step [ms], block-local target, weight. It is a
// worker's scratch.
type Arrivals struct {
	X []float64
	T []uint16
	W []float64
}

// Reset empties a and keeps its storage.
func (a *Arrivals) Reset() { a.X, a.T, a.W = a.X[:0], a.T[:0], a.W[:0] }

// AddJumps adds the arrivals to one accumulator per target (delta currents), in
// order.
func (l *Linear) AddJumps(acc []float64, a *Arrivals) {
	k := l.kern
	cells, inv, width := k.cells[0], k.inv, k.width
	ts, ws := a.T[:len(a.X)], a.W[:len(a.X)]
	for q, x := range a.X {
		n := int(x * inv)
		c := &cells[n].v
		r := x - float64((float64(n)+0.5)*width)
		acc[ts[q]] += float64(ws[q] * poly(c, r))
	}
}

// AddPairs adds the arrivals of port p to two accumulators per target
// (exponential currents), in order.
func (l *Linear) AddPairs(acc [][2]float64, p int, a *Arrivals) {
	k := l.kern
	cells, inv, width := k.cells[p], k.inv, k.width
	ts, ws := a.T[:len(a.X)], a.W[:len(a.X)]
	for q, x := range a.X {
		n := int(x * inv)
		c := &cells[n]
		r := x - float64((float64(n)+0.5)*width)
		v, i := poly(&c.v, r), poly(&c.i, r)
		t, w := &acc[ts[q]], ws[q]
		t[0] += float64(w * v)
		t[1] += float64(w * i)
	}
}

// AddTriples adds the arrivals of port p to three accumulators per target
// (alpha currents), in order.
func (l *Linear) AddTriples(acc [][3]float64, p int, a *Arrivals) {
	for q, x := range a.X {
		v, i := l.Response(p, x)
		t, w := &acc[a.T[q]], a.W[q]
		t[0] += float64(w * v)
		t[1] += float64(w * i)
		t[2] += float64(w * l.Slope(p, x))
	}
}
