package synapse

import (
	"hmn/event"
	"hmn/neuron"
)

// A Learner is a rule that changes weights from both sides: the synapses of one
// Wiring between spiking populations, onto one block of targets, with all that
// they keep. The block that owns it is the only one to touch it, and calls it
// once per piece of a row and once per postsynaptic spike, never per synapse
// (Peek excepted, which only neurons that are replayed need).
//
// Times. A presynaptic spike at s arrives at the synapse at s + axonal delay,
// postsynaptic one at s reaches it at s + dendritic delay. Arrive and Peek are
// given the time of the arrival; Post is given that of the spike, and the rule adds
// the dendritic delay. A piece of a row is synapses [lo, hi) of one source with
// one axonal and one dendritic delay. Which of an arrival and a post spike that
// reach a synapse at one instant comes first belongs to the rule.
//
// Order. Of one synapse, arrivals come in order of time, and no arrival comes
// before every post spike that reaches the synapse before it is known. Post
// spikes of one target come in order of time, but may reach synapses after
// arrivals that were handed over later; so the rule keeps those that some synapse
// has not passed. Of several synapses the order is any: what happens to one must
// not depend on it.
//
// Laziness. A synapse is visited when something arrives at it, and takes up then
// what its target has sent since. The bits of its state must be those of a
// synapse that was visited at any other times, too: Settle, Foresee, Peek, Weights
// and Followers, which a run calls as recording and its division into pieces
// want, must not show. So a state changes at the synapse's own events only, or
// keeps enough to be read back exactly.
//
// Magnitudes. Weights are magnitudes; the sign belongs to the Wiring.
//
// Nothing here allocates in the long run, nor is anything safe for concurrent
// use; a Drive is read by several learners at once.
type Learner interface {
	// Reset returns to the state at t = 0.
	Reset()
	// Begin starts a window: of times before read, which lies in the window or at
	// its end, weights are asked for no more. It comes before everything else that
	// belongs to the window; arrivals from the window before may still follow.
	Begin(start, read event.Time)
	// Arrive lets a piece of the row of src see a presynaptic spike at t. Of what
	// happened to it before t, all is known. w, unless nil, receives the
	// magnitudes that the synapses transmit; len = hi − lo.
	Arrive(src, lo, hi uint32, t event.Time, w []float64)
	// EndRow ends the arrival of a spike of src, after the row's last piece, at t.
	EndRow(src uint32, t event.Time)
	// Post adds a spike of target j of the block at t.
	Post(j int, t event.Time)
	// Unpost takes back the last n calls of Post for target j: what a neuron
	// might have done.
	Unpost(j, n int)
	// Foresee writes to w the magnitudes that a piece of the row of src will
	// transmit at t, if its targets send nothing more than is known: what happens
	// to the piece before known. earlier lists arrivals at the piece before t that
	// it has not seen, ascending. open receives true for the synapses whose
	// magnitude hangs on what reaches them in [known, t). Nothing changes that
	// shows.
	Foresee(src, lo, hi uint32, earlier []event.Time, known, t event.Time, w []float64, open []bool)
	// Peek is the magnitude that synapse i of src will transmit at t, if the post
	// spikes known so far are all there are; earlier as in Foresee. Nothing
	// changes.
	Peek(i, src uint32, earlier []event.Time, t event.Time) float64
	// Settle lets the rule forget what no synapse needs any more after t: all that
	// happens to them before t is known and has been handed over. With pass it is
	// one of the settle passes that belong to the model (Learning.Settle);
	// otherwise a run ends at t, or somebody reads. What is decided up to and at
	// t is in the ledger afterwards. After a pass the drive is kept from one window
	// and the projection's longest delay before t on.
	Settle(t event.Time, pass bool)
	// Live says whether anything can still come of a synapse, or be forgotten,
	// without a further spike: if so, settle passes must not be skipped.
	Live() bool
	// Weights are the magnitudes at t, everything up to and at t included, by position in
	// the rows, as a new slice. Settle(t) has been called, and arrivals after t
	// may have been handed over, but none of a later window than t's.
	Weights(t event.Time) []float64
	// Follow makes a follower of synapse i of source src, as it is now.
	Follow(i, src uint32) Follower
	// Log is where decisions on weights wait, if the model keeps a log
	// (Learning.Log): in order of time for each synapse.
	Log() *Ledger
}

// A Watcher is a Learner that depends on the potential of its targets
// (Learning.Watch). Attach gives it their trace, before the first window. An
// arrival at t is handed over when the trace reaches t − dendritic delay: windows are no
// longer than the least of the rule's dendritic delays.
type Watcher interface {
	Learner
	Attach(t *neuron.Trace)
}

// A Follower follows one synapse without touching it: what a recorder reads. It
// lags behind and is brought up to the time of a read; the learner keeps post
// spikes until then, since it is brought up before every Settle.
type Follower interface {
	// Expect tells of a spike of the source at t, in order of time. The follower
	// adds the axonal delay.
	Expect(t event.Time)
	// To takes the follower through everything up to and at t. Where a run ends
	// before a sample that was read in the same window, t lies before the time of
	// that: there is nothing to do then.
	To(t event.Time)
	// Read is a signal at t, to which the follower was taken: Weight, a magnitude,
	// or one of Learning.Signals.
	Read(signal string, t event.Time) float64
}

// Weight is the signal that every Follower can read.
const Weight = "weight"
