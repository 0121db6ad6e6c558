package extension

import (
	"slices"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
	"hmn/synapse"
)

// The depressing synapse's entry in the table of models.
func init() {
	synapse.Register(synapse.Model{
		Name: "depressing",
		Doc: "Short-term depression: a spike transmits weight × U × x and leaves (1 − U) x of the resources x, " +
			"which recover as tau_rec dx/dt = 1 − x from x = 1 at t = 0. NEST's tsodyks2_synapse with tau_fac = 0.",
		Cite: "Tsodyks, Pawelzik & Markram 1998, doi:10.1162/089976698300017502",
		Params: []quantity.Param{
			{Key: "U", Unit: "1", Doc: "share of the resources that a spike uses", Default: 0.5, MinOpen: true, Max: 1},
			{Key: "tau_rec", Unit: "ms", Doc: "time constant of recovery", Default: 800, MinOpen: true, Max: 1e6},
		},
		New: func(v quantity.Values, r *synapse.Rows) (synapse.Rule, error) { return NewDepressing(v, r), nil },
	})
}

// Depressing is the rule of the synapses of one Rows. Resources depend on the
// presynaptic spikes only, so all synapses of a row share them.
type Depressing struct {
	rows    *synapse.Rows
	u, tau  float64      // tau in ms
	x       []float64    // by source: resources right after its last spike
	last    []event.Time // by source: that spike, as the synapse saw it
	started []bool
}

// NewDepressing makes the rule from checked parameters.
func NewDepressing(v quantity.Values, r *synapse.Rows) *Depressing {
	m, _ := synapse.Lookup("depressing")
	number := func(key string) float64 {
		if x, ok := v[key]; ok {
			return x.Number
		}
		p, _ := quantity.Find(m.Params, key)
		return p.Default
	}
	n := len(r.Ptr) - 1
	return &Depressing{rows: r, u: number("U"), tau: number("tau_rec"),
		x: make([]float64, n), last: make([]event.Time, n), started: make([]bool, n)}
}

// Arrive writes what the synapses [lo, hi) of one source transmit: see
// synapse.Rule.
func (d *Depressing) Arrive(at event.Time, lo, hi uint32, w []float64) {
	next, _ := slices.BinarySearch(d.rows.Ptr, lo+1)
	s := next - 1 // row s begins at lo and is not empty
	x := 1.0
	if d.started[s] {
		x -= float64((1 - d.x[s]) * fmath.Exp(-(at-d.last[s]).MS()/d.tau))
	}
	used := float64(d.u * x)
	for k := range w {
		w[k] = float64(d.rows.WeightAt(int(lo)+k) * used)
	}
	d.x[s], d.last[s], d.started[s] = x-used, at, true
}

// Reset returns to full resources.
func (d *Depressing) Reset() { clear(d.started) }
