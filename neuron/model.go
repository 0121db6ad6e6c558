package neuron

import (
	"slices"
	"sort"

	"hmn/event/quantity"
	"hmn/event/random"
)

// Kind says what a population sends and how the engine advances it.
type Kind uint8

// Kinds of model.
const (
	Spiking     Kind = iota + 1 // neurons with a membrane potential; they send spikes
	Rate                        // rate units; they send changes of their output
	SpikeSource                 // stimuli that send spikes and receive nothing
	LevelSource                 // stimuli that send changes of a level (current or rate) and receive nothing
)

// Model is one entry of the table of neuron, rate and source models.
type Model struct {
	Name       string           // as in the model file, e.g. "iaf_psc_exp"
	Kind       Kind             //
	Doc        string           // equation and meaning, a few sentences
	Cite       string           // paper with DOI
	Params     []quantity.Param //
	States     []quantity.Param // state variables that `init` may set; Default is the start value
	Ports      []string         // receptor ports, the first for positive and the last for negative weights
	WeightUnit string           // unit of a weight onto this model: pA, mV or 1
	// Check refuses combinations of parameters that single ranges cannot. It
	// names the key at fault. Nil: nothing to check.
	Check func(quantity.Values) (key string, err error)
	// New makes the dynamics of n neurons that the engine advances event by
	// event. Nil for the built-in models, whose kernels the engine knows.
	New func(p quantity.Values, n int) (Dynamics, error)
	// Currents says that what New makes takes changes of current (PortCurrent).
	Currents bool
	// Watched makes n neurons of which the first `of` are watched by a rule of
	// plasticity; nil: the model's potential cannot be watched.
	Watched func(p quantity.Values, n int, w Watch, of int) (*Cells, *Trace, error)
	// Grid makes the neurons [first, first + n) of a population of a model that is
	// defined on a grid of time; k keys its draws. Nil for all others.
	Grid func(p quantity.Values, k random.Key, first, n int) Grid
}

var registry = map[string]*Model{}

// Register adds a model to the table, so that model files can name it. It is
// to be called from an init function or before any model file is loaded, and
// panics when the name is taken or the entry is incomplete: both are bugs of
// the caller.
func Register(m Model) {
	if m.Name == "" || m.Kind == 0 {
		panic("neuron: Register: a model needs a name and a kind")
	}
	if _, ok := registry[m.Name]; ok {
		panic("neuron: Register: model " + m.Name + " is already there")
	}
	registry[m.Name] = &m
}

// Lookup finds a model by name.
func Lookup(name string) (*Model, bool) {
	m, ok := registry[name]
	return m, ok
}

// Names lists the models' names, sorted.
func Names() []string {
	names := make([]string, 0, len(registry))
	for n := range registry {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Recordable lists the state variables that can be sampled, sorted: those of all
// models with dynamics of their own. The kernels of the built-in ones keep theirs
// in forms of their own; of them V_m and I_syn are known.
func Recordable() []string {
	var keys []string
	for _, m := range registry {
		for _, s := range m.States {
			if (m.New != nil || m.Grid != nil) && !slices.Contains(keys, s.Key) {
				keys = append(keys, s.Key)
			}
		}
	}
	slices.Sort(keys)
	return keys
}

// Linear says whether the engine's own kernels advance the model's neurons.
func (m *Model) Linear() bool { return m.Kind == Spiking && m.New == nil && m.Grid == nil }

// Param finds a parameter by key.
func (m *Model) Param(key string) (quantity.Param, bool) {
	return quantity.Find(m.Params, key)
}

// SpikeLevel is the key of the parameter that V_m must stay below without a
// spike: V_peak where there is one and the upstroke that leads there (Delta_T is not
// 0), else V_th; "" without either.
func (m *Model) SpikeLevel(v quantity.Values) string {
	if _, ok := m.Param("Delta_T"); ok && m.Number(v, "Delta_T") == 0 {
		return "V_th"
	}
	for _, key := range []string{"V_peak", "V_th"} {
		if _, ok := m.Param(key); ok {
			return key
		}
	}
	return ""
}

// State finds a state variable by key.
func (m *Model) State(key string) (quantity.Param, bool) {
	return quantity.Find(m.States, key)
}

// Number is the value of a numeric parameter, or its default. It panics on a
// key the model does not have, which is a bug of the caller.
func (m *Model) Number(v quantity.Values, key string) float64 {
	p, ok := m.Param(key)
	if !ok {
		panic("neuron: model " + m.Name + " has no parameter " + key)
	}
	if x, ok := v[key]; ok {
		return x.Number
	}
	return p.Default
}

// Word is the value of a Choice parameter, or its default.
func (m *Model) Word(v quantity.Values, key string) string {
	p, ok := m.Param(key)
	if !ok || p.Form != quantity.Choice {
		panic("neuron: model " + m.Name + " has no choice " + key)
	}
	if x, ok := v[key]; ok {
		return x.Text
	}
	return p.Choices[0]
}

// CheckAll checks every given value against its range and the combination
// against Check, and refuses unknown keys and missing required ones. It
// returns the key at fault.
func (m *Model) CheckAll(v quantity.Values) (key string, err error) {
	if key, err := quantity.CheckAll("model "+m.Name, m.Params, v); err != nil {
		return key, err
	}
	if m.Check != nil {
		return m.Check(v)
	}
	return "", nil
}
