package network

import (
	"fmt"
	"slices"

	"hmn/event"
	"hmn/event/quantity"
)

// Modulator is one [[modulator]]: a third factor E_k(t) that plastic synapses
// read. It jumps at events and decays with Tau between them, or is held.
type Modulator struct {
	Name  string
	Tau   float64 // ms, > 0; unused when Hold
	Hold  bool    // constant between events
	W     float64 // w_k of Eq. 10, when HasW
	HasW  bool    // otherwise the rule's default for Name or Builtin
	Delay event.Time
	// HasDelay says that Delay was given; otherwise it is the lookahead. It is
	// the time from a spike of Source, or from the end of a task's step, to the
	// jump. Events act at their own times.
	HasDelay   bool
	Events     []Jump // ascending in time; nil = none given, empty = given, and nothing happens
	Source     string // population whose spikes make it jump by SourceJump; "" = none
	SourceJump float64
	Builtin    string    // centred_reward | uncertainty | novelty; "" = none. Needs a task
	U          []float64 // relevance = "vector": unit vector u_k
}

// Jump is one event of a modulator. A held one changes by it as well.
type Jump struct {
	At     event.Time
	Amount float64
}

// Built-in modulators, computed from the rewards and contexts that a task
// reports (docs/learning.md).
const (
	CentredReward = "centred_reward" // δ = r − r̄(context), r̄ += 0.1 δ; jump δ
	Uncertainty   = "uncertainty"    // held, u += 0.05 (|δ| − u)
	Novelty       = "novelty"        // 1/√(1 + N(context)) at the onset of a stimulus
)

// Builtins lists the built-in modulators.
var Builtins = []string{CentredReward, Uncertainty, Novelty}

// Estimators of the meta gradient, Eq. 7.
const (
	SPSA             = "spsa"
	FiniteDifference = "finite_difference"
	Reinforce        = "reinforce"
)

// Meta is [meta]: slow changes of all η_local and η_global by a common factor
// each, on a logarithmic scale (Eq. 7). Nil: off.
type Meta struct {
	Estimator               string
	Period                  event.Time // of simulated time; 0 when Trials is given
	Trials                  int        // of the task
	C                       float64    // SPSA and finite differences: size of the perturbation of ln η
	Sigma                   float64    // REINFORCE: standard deviation of ln η
	Loss                    string     // neg_mean_reward | mean_squared_rpe | the name of a loss of the task
	AlphaLocal, AlphaGlobal float64    // learning rates, ≥ 0; 0 keeps that η
	MinFactor, MaxFactor    float64    // bounds of η/η(0); 1/30 and 30
}

// TaskSpec is [task]: an environment that acts on the network while it runs.
type TaskSpec struct {
	Name   string // in the table of tasks
	Params quantity.Values
}

// What else can be recorded. Of is a projection except for RecordModulator,
// whose Of is a modulator, and RecordTrials, whose Of is the task.
const (
	RecordUpdates         = "updates"          // every applied update; no interval (also "weight" without an interval)
	RecordCandidate       = "candidate"        // every candidate; no interval
	RecordEligibility     = "eligibility"      // a_fast e_fast + a_slow e_slow, sampled, one column per synapse
	RecordEligibilityFast = "eligibility_fast" // e_fast
	RecordEligibilitySlow = "eligibility_slow" // e_slow
	RecordGate            = "gate"             // g_ij
	RecordAlpha           = "alpha"            // α_ij of local attention
	RecordModulator       = "modulator"        // E_k, sampled, one column
	RecordG               = "G"                // Σ w_k E_k of a projection, one column
	RecordGPrime          = "G_prime"          // Σ γ̂_k w_k E_k of a projection, one column
	RecordGamma           = "gamma"            // γ_k of a projection, one column per modulator
	RecordEta             = "eta"              // η_local, η_global of a projection, two columns
	RecordTrials          = "trials"           // what the task reports per trial, at its own times
)

// SynapseID is the identity of a synapse in random keys, logs and questions:
// it depends neither on other projections nor on the order in a file.
type SynapseID struct {
	Projection int // index in the description
	Source     uint32
	Target     uint32
	Multapse   uint32 // number among the synapses from Source to Target
}

// WeightUpdate is one applied update.
type WeightUpdate struct {
	At      event.Time // close of the window, rounded to nearest
	Synapse SynapseID
	K       int64   // window, signed (docs/learning.md)
	DW      float64 // change of the weight's magnitude; 0 at a bound
}

// Candidate is one window of one synapse, applied or not.
type Candidate struct {
	Synapse     SynapseID
	K           int64
	Open, Close event.Time // rounded to nearest; Open not before 0
	Value       float64    // Δw†
	P, U        float64    // NaN when Value is 0: no opportunity
	Applied     bool
	DW          float64 // 0 when not applied
}

// UpdateSink receives applied updates in order of (time, synapse). The slice is
// reused after the call.
type UpdateSink interface {
	WriteUpdates([]WeightUpdate) error
}

// CandidateSink receives candidates in order of (close, synapse). The slice is
// reused after the call.
type CandidateSink interface {
	WriteCandidates([]Candidate) error
}

// Synapse is one synapse of a projection as it is built.
type Synapse struct {
	Source, Target, Multapse uint32
	Weight                   float64 // signed
	Axonal, Dendritic        event.Time
	Phase                    float64 // φ_ij of plastic synapses, binned where the rule bins
}

// A Task acts on a network at times of its own choosing and reports rewards,
// contexts and trials to it. It belongs to one network.
type Task interface {
	// Start is called at t = 0 of every run from a fresh or reset network: it
	// forgets everything and schedules its first step with Network.At.
	Start(*Network) error
	// Columns names what it reports per trial with Network.ReportTrial.
	Columns() []string
}

// SpikeWatcher is a Task that looks at spikes: it receives those of every
// window, in order, after the window; what it does then acts from the end of
// that window on.
type SpikeWatcher interface {
	WatchSpikes(n *Network, spikes []Spike) error
}

// TaskModel is one entry of the table of tasks.
type TaskModel struct {
	Name   string
	Doc    string
	Cite   string
	Params []quantity.Param
	// Check says what the model lacks for the task, and which of its parameters asks
	// for it, as far as that can be told before synapses are drawn. Optional.
	Check func(p quantity.Values, m *Model) (key string, err error)
	New   func(p quantity.Values, m *Model) (Task, error) // checks all that the task needs
}

var tasks = map[string]*TaskModel{}

// RegisterTask adds a task to the table, so that model files can name it. It
// panics when the name is taken or the entry incomplete: bugs of the caller.
func RegisterTask(t TaskModel) {
	if _, ok := tasks[t.Name]; ok || t.Name == "" || t.New == nil {
		panic("network: RegisterTask: task " + t.Name + " is already there or incomplete")
	}
	tasks[t.Name] = &t
}

// LookupTask finds a task by name.
func LookupTask(name string) (*TaskModel, bool) {
	t, ok := tasks[name]
	return t, ok
}

// TaskNames lists the tasks, sorted.
func TaskNames() []string {
	names := make([]string, 0, len(tasks))
	for n := range tasks {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// FindProjection is the index of a projection, or −1.
func (m *Model) FindProjection(name string) int {
	return slices.IndexFunc(m.Projections, func(p Projection) bool { return p.Name == name })
}

// FindModulator is the index of a modulator, or −1.
func (m *Model) FindModulator(name string) int {
	return slices.IndexFunc(m.Modulators, func(p Modulator) bool { return p.Name == name })
}

// String is "projection:source:target" with the multapse number if it is not 0.
func (s SynapseID) String() string {
	if s.Multapse == 0 {
		return fmt.Sprintf("%d:%d:%d", s.Projection, s.Source, s.Target)
	}
	return fmt.Sprintf("%d:%d:%d:%d", s.Projection, s.Source, s.Target, s.Multapse)
}
