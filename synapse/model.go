package synapse

import (
	"slices"
	"sort"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/neuron"
)

// Model is one entry of the table of synapse models. A model with New changes
// what a synapse transmits, one with Learning its weight; one with neither is
// static.
type Model struct {
	Name   string // as in the model file
	Doc    string
	Cite   string
	Params []quantity.Param
	// New makes the rule of the synapses of one Rows, whose weights it may
	// read.
	New func(p quantity.Values, r *Rows) (Rule, error)
	// Learning is what a model needs whose weights change from both sides.
	Learning *Learning
	// NewStage makes the short-term stage of the synapses of so many sources. Such
	// a model can stand alone, with constant weights, or as the stage of any
	// other; New and Learning are unset then.
	NewStage func(p quantity.Values, sources int) Stage
	// Electrical says that a connection is a gap junction: it joins potentials and
	// passes no spikes. All functions are unset then.
	Electrical bool
	// Check refuses combinations of parameters that single ranges cannot, and
	// names the key at fault. rates says between what kind of units the synapse
	// lies. Nil: nothing to check.
	Check func(v quantity.Values, rates bool) (key string, err error)
	// Notes are remarks on parameters that are allowed but rarely meant. Nil: none.
	Notes func(v quantity.Values) []string
}

// Ends says what a learning rule joins.
type Ends uint8

// What a rule may join. Rates are rate units and sources of levels.
const (
	Spikes Ends = 1 << iota // what spikes with what spikes
	Rates                   // rates with rates
)

// Has says whether a rule joins rates with rates, or spikes with spikes.
func (e Ends) Has(rates bool) bool {
	if rates {
		return e&Rates != 0
	}
	return e&Spikes != 0
}

func (e Ends) String() string {
	switch e {
	case Spikes:
		return "what spikes with what spikes"
	case Rates:
		return "rates with rates"
	}
	return "what spikes with what spikes, or rates with rates"
}

// Learning is the part of a Model that says how its weights change. Values given
// to its functions have passed Params and Check.
type Learning struct {
	Joins Ends
	// Bounds are those of the weight's magnitude. Where least is negative they are
	// those of the weight, which then may have either sign and cross zero.
	Bounds func(v quantity.Values, rates bool) (least, most float64)
	// New makes the rule of the synapses w between spiking populations. The
	// learner keeps w. d is nil unless Modulated.
	New func(v quantity.Values, w *Wiring, d *Drive) (Learner, error)
	// NewRates makes the rule of the synapses w between rate units or sources of
	// levels, otherwise like New.
	NewRates func(v quantity.Values, w *Wiring, d *Drive) (RateLearner, error)
	// Bytes is the state of one synapse [B]; each says that the synapses of a row
	// have delays of their own.
	Bytes func(v quantity.Values, rates, each bool) int
	// Settle gives the time of the k-th settle pass, ascending in k, 0 for k = 0. It
	// belongs to the model: it is the same for every division of a run.
	Settle func(v quantity.Values) func(k int64) event.Time
	// Modulated rules are given the drive Σ_k w_k E_k(t) of the model's
	// modulators.
	Modulated bool
	// CheckDrive says what a modulated rule lacks in a model that has so many modulators
	// that decay and so many that are held, and which key asks for it. Nil: nothing.
	CheckDrive func(v quantity.Values, decaying, held int) (key string, err error)
	// Watch says what a rule wants to know of the potential of its targets; its
	// learners are Watchers. Nil: nothing.
	Watch func(v quantity.Values) neuron.Watch
	// Signals are what can be recorded of a synapse besides its weight.
	Signals []string
	// Log says that updates can be recorded: the rule keeps a Ledger.
	Log bool
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
// and panics when the name is taken or empty or the entry incomplete: a bug of
// the caller.
func Register(m Model) {
	if _, ok := registry[m.Name]; ok || m.Name == "" || m.New == nil && m.NewStage == nil && !m.Electrical && !m.Learning.complete() {
		panic("synapse: Register: model " + m.Name + " is already there or incomplete")
	}
	registry[m.Name] = &m
}

// complete says whether nothing is missing.
func (l *Learning) complete() bool {
	return l != nil && l.Joins != 0 && l.Bounds != nil && l.Bytes != nil && l.Settle != nil && (l.New != nil || l.Joins&Spikes == 0) && (l.NewRates != nil || l.Joins&Rates == 0)
}

// Lookup finds a synapse model by name.
func Lookup(name string) (*Model, bool) {
	m, ok := registry[name]
	return m, ok
}

// Stages lists the names of the models that can be a short-term stage, sorted.
func Stages() []string {
	return slices.DeleteFunc(Names(), func(n string) bool { return registry[n].NewStage == nil })
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
