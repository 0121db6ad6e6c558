package network

import (
	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
)

// Model describes a whole run as plain data: what to build, how long to run
// it, what to record. Nothing in it is changed by building or running, so the
// same description can be built twice and the two compared.
//
// The zero Model is valid and empty; Check says what is wrong with others.
type Model struct {
	Name        string // the file's base name or the shipped model's name; not part of any result
	Simulation  Simulation
	Guard       Guard
	Populations []Population
	Projections []Projection
	Records     []Record
	Modulators  []Modulator
	Meta        *Meta     // nil: off
	Task        *TaskSpec // nil: none
	// Notes are things the reader of the model should know and that are no
	// errors: rows left out of an edge list, times rounded to picoseconds.
	Notes []string
}

// Simulation is the [simulation] table.
type Simulation struct {
	Duration     event.Time // > 0 when run
	Seed         uint64
	LookaheadMax event.Time // cap of the window; 0 = none
	Engine       string     // EngineEvent (also "") or EngineClocked
	Dt           event.Time // step of the clocked engine, > 0 there
}

// Engines.
const (
	EngineEvent   = "event"
	EngineClocked = "clocked" // package network/clocked: the dense oracle
)

// Guard is the [guard] table: what stops a run and keeps its record.
type Guard struct {
	MaxRateHz float64    // per population over Window; 0 = off
	Silence   event.Time // stop when no neuron fired for that long; 0 = off
	Window    event.Time // > 0
}

// Population is one [[population]].
type Population struct {
	Name           string
	N              int
	Model          string           // a name in the neuron package's table
	Params         quantity.Values  // checked against that table
	Init           map[string]Value // state variable → start value, drawn per neuron
	Positions      [][3]float64     // empty, or one per neuron; unused coordinates are 0
	Dim            int              // 2 or 3 when positions are given
	Names          []string         // empty, or one per neuron
	ExpectedRateHz float64          // for Estimate; 0 = not given
	Trains         [][]event.Time   // model spike_train: the times of each neuron, ascending
}

// Form of a Value.
type Form uint8

// Forms of a Value. A is the constant, the lower limit, or the mean; B the
// upper limit or the standard deviation. LogNormal gives the mean A and
// standard deviation B of the logarithm.
const (
	Constant Form = iota
	Uniform
	Normal
	LogNormal
	Column // one number per entity from a file
)

// Value is a number or a distribution, drawn once per entity (neuron or
// synapse) with a key of its own.
type Value struct {
	Form     Form
	A, B     float64
	Min, Max float64 // used when HasMin, HasMax
	HasMin   bool
	HasMax   bool
	// Clip sets draws beyond a limit to the limit; otherwise they are drawn
	// again (a truncated distribution).
	Clip   bool
	Column []float64 // Form == Column
}

// Rules of connection.
const (
	OneToOne          = "one_to_one"
	AllToAll          = "all_to_all"
	PairwiseBernoulli = "pairwise_bernoulli"
	FixedInDegree     = "fixed_indegree"
	FixedOutDegree    = "fixed_outdegree"
	FixedTotalNumber  = "fixed_total_number"
	EdgeList          = "edge_list"
	Distance          = "distance"
)

// Rules lists the connection rules a model file may name.
var Rules = []string{OneToOne, AllToAll, PairwiseBernoulli, FixedInDegree, FixedOutDegree, FixedTotalNumber, EdgeList, Distance}

// Profile is how the probability of the rule "distance" falls with the
// distance r between two positions.
type Profile struct {
	Shape  string     // gaussian: p·exp(−r²/2σ²) | exponential: p·exp(−r/σ) | linear: p·max(0, 1−r/σ) | disc: p for r ≤ σ
	Sigma  float64    // length scale, unit of the positions, > 0
	Radius float64    // no connection beyond it; 0 = none
	Extent [3]float64 // > 0: that axis is periodic with this length; 0 = open
}

// Profiles lists the shapes of the rule "distance".
var Profiles = []string{"gaussian", "exponential", "linear", "disc"}

// Projection is one [[projection]].
type Projection struct {
	Name, Source, Target string
	Rule                 string
	P                    float64 // pairwise_bernoulli, distance (peak): 0 to 1
	Degree               int     // fixed_indegree, fixed_outdegree
	Total                int64   // fixed_total_number
	Profile              Profile // distance
	Autapses             bool    // a neuron may connect to itself
	Multapses            bool    // a pair may be connected more than once
	Weight               Value   // in the unit of the target model
	// Delays in ms. Static projections may give the sum as Dendritic with
	// Axonal zero: only the sum matters to them.
	Axonal, Dendritic Value
	Receptor          string          // a port of the target model; "" = by the sign of the weight
	Synapse           string          // a name in the synapse package's table; "static"
	SynapseParams     quantity.Values // checked against that table; those of a preset filled in
	ShortTerm         ShortTerm       // short-term stage before the weight; one that Synapse names itself has none here
	Release           synapse.Release // stochastic release of transmitter
	Preset            string          // the preset they came from; "" = none
	EdgePhases        bool            // the Phase of every edge counts, not the phase of SynapseParams
	Embedding         [][]float64     // embedding = "given": v_i, one per source neuron
	Edges             []synapse.Edge
}

// What can be recorded; besides, any state variable of a model with dynamics of
// its own, under its own name (neuron.Recordable): g_ex, w, U_m and so on.
const (
	RecordSpikes = "spikes"
	RecordVm     = "V_m"
	RecordISyn   = "I_syn"  // total synaptic current
	RecordRate   = "rate"   // output of rate units
	RecordWeight = "weight" // of plastic synapses; refused while there are none
)

// Record is one [[record]]: what to write, of which entities, how often.
type Record struct {
	What   string
	Of     string       // population, or projection, modulator, task: see the constants
	Subset []int        // population-local indices, ascending; nil = all
	Every  event.Time   // sampled signals: the interval; samples fall on whole multiples of it, from 0
	Times  []event.Time // or the instants themselves, ascending, each once
}

// Spike is one spike as it leaves the engine. ID is global: populations are
// numbered in the order of the description, each neuron after its predecessor.
type Spike struct {
	At event.Time
	ID uint32
}

// SpikeSink receives the spikes of a run in order of (time, id). The slice is
// reused after the call: a sink that keeps it copies it. An error ends the run.
type SpikeSink interface {
	WriteSpikes([]Spike) error
}

// SampleSink receives the sampled signals in order of time; record is the index
// in Model.Records and values has one entry per recorded entity, in the order
// of its subset. The slice is reused after the call.
type SampleSink interface {
	WriteSamples(record int, at event.Time, values []float64) error
}
