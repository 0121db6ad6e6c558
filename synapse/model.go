package synapse

import (
	"sort"

	"hmn/event"
	"hmn/event/quantity"
)

// Model is one entry of the table of synapse models.
type Model struct {
	Name   string // as in the model file
	Doc    string
	Cite   string
	Params []quantity.Param
	// New makes the rule of the synapses of one Rows, whose weights it may
	// read. Nil: the weight is static.
	New func(p quantity.Values, r *Rows) (Rule, error)
	// Learns says that the weight changes under a learning rule whose kernels
	// the network knows; New is nil then.
	Learns bool
	// Check refuses combinations of parameters that single ranges cannot, and
	// names the key at fault. rates says between what kind of units the synapse
	// lies. Nil: nothing to check.
	Check func(v quantity.Values, rates bool) (key string, err error)
}

// Rule decides what each synapse of one Rows transmits. It is called once per
// presynaptic spike and row, in order of time, by the worker that owns the
// block.
type Rule interface {
	// Arrive handles a presynaptic spike that reaches synapses [lo, hi) at time
	// at (spike plus axonal delay) and writes to w, of length hi − lo, the
	// weight that each transmits. The weight reaches the postsynaptic neuron
	// after the dendritic delay.
	Arrive(at event.Time, lo, hi uint32, w []float64)
	// Reset returns to the state at t = 0.
	Reset()
}

var registry = map[string]*Model{
	"static": {Name: "static", Doc: "constant weight; only the sum of axonal and dendritic delay matters"},
}

// Register adds a synapse model to the table, so that model files can name it.
// It is to be called from an init function or before any model file is loaded,
// and panics when the name is taken or empty: a bug of the caller.
func Register(m Model) {
	if _, ok := registry[m.Name]; ok || m.Name == "" || m.New == nil && !m.Learns {
		panic("synapse: Register: model " + m.Name + " is already there or incomplete")
	}
	registry[m.Name] = &m
}

// Lookup finds a synapse model by name.
func Lookup(name string) (*Model, bool) {
	m, ok := registry[name]
	return m, ok
}

// Names lists the synapse models' names, sorted.
func Names() []string {
	names := make([]string, 0, len(registry))
	for n := range registry {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
