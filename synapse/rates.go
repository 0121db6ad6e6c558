package synapse

import "hmn/event"

// A RateLearner is a rule that changes weights between rate units, or sources of
// levels: the synapses of one Wiring onto one block, with all that they keep.
// Inputs x and outputs z are piecewise constant. A synapse sees a change of its
// input an axonal delay after it, and of its target's output a dendritic delay
// after it; calls are in order of these times, at one time inputs first.
//
// Weights act on the targets in steps: what a rule computes becomes a target's
// weight at the closes of windows that belong to the rule, for the output of a
// rate unit follows its weights at once, and both could not be piecewise constant
// otherwise. As for a Learner, weights are magnitudes, and what is read must not
// show.
type RateLearner interface {
	// Reset returns to the state before t = 0: all inputs and outputs are 0.
	Reset()
	// Begin starts a window at start: weights of times before it are asked for no
	// more.
	Begin(start event.Time)
	// Input sets x of synapse i from t on.
	Input(i uint32, t event.Time, x float64)
	// Centre takes the output of target j from t on, at its soma, and returns what
	// the rule makes of it for its synapses.
	Centre(j int, t event.Time, z float64) float64
	// Output lets all synapses of target j see its output z from t on; f is what
	// Centre made of it. OutputAt lets one synapse see it.
	Output(j int, t event.Time, z, f float64)
	OutputAt(i uint32, t event.Time, f float64)
	// Column lists the synapses of target j.
	Column(j int) []uint32
	// NextClose is the next close of a window of a synapse that anything can come
	// of; event.MaxTime when there is none.
	NextClose() event.Instant
	// Close closes every window up to and at t and returns the weights that
	// changed. The slice is reused.
	Close(t event.Time) []Reweigh
	// Weight is the magnitude of synapse i at t, the time reached, and Weights
	// are all of them at t, by position in the rows, after Close(t).
	Weight(i uint32, t event.Time) float64
	Weights(t event.Time) []float64
	// Log is the ledger of updates; empty for a rule that keeps none.
	Log() *Ledger
}

// Reweigh is a weight that changed at the close of a window.
type Reweigh struct {
	Synapse uint32
	Close   event.Instant
	W       float64
}
