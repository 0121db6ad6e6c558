package synapse

import (
	"hmn/event"
	"hmn/event/quantity"
)

// A Stage is short-term plasticity: from spike to spike it scales what the
// synapses of a source transmit, whatever their weights are and whatever rule
// changes those. Its state hangs on the spikes of the source alone, so that one
// state serves all synapses of it, which see the same sequence an axonal delay
// later. It is called once per spike, in order of time.
type Stage interface {
	// Spike handles the spike of a source at a time not before its last one.
	Spike(source uint32, at event.Time) Emission
	// Reset returns to the state at t = 0.
	Reset()
}

// Emission is what a presynaptic spike finds and uses at the synapses of its
// source: the spike transmits Gain times the weight.
type Emission struct {
	U float64 // share of the resources at hand that the spike uses, 0 to 1
	X float64 // resources at hand, 0 to 1
	// Refill is the probability that a release site which was empty after the
	// spike before has filled since: of many sites the share X is full. At the first
	// spike of a source all count as empty, and Refill = X.
	Refill float64
}

// Gain is the share of the weight that the spike transmits, U X.
func (e Emission) Gain() float64 { return float64(e.U * e.X) }

// Release is the stochastic release of transmitter: a synapse has Sites release
// sites, each holding one vesicle or none. A spike lets each full site release
// with probability P, or, behind a Stage, with its U, and the synapse transmits
//
//	w k / Sites
//
// when k sites release: w is the weight of all of them together and w / Sites the
// quantal size. Without a Stage all sites are full at each spike, so that k is
// binomial, of mean w P and variance w² P (1 − P) / Sites. Behind one, an
// empty site fills with the stage's time constant of recovery, and the mean is
// what the stage would transmit without release (Fuhrmann, Segev, Markram &
// Tsodyks 2002, doi:10.1152/jn.00258.2001; NEST's quantal_stp_synapse, whose
// weight is the quantal size). The zero Release releases all, always.
type Release struct {
	Sites int     // 1 to MaxSites; 0: no stochastic release
	P     float64 // > 0 to 1; 0: not given, the Stage has it
}

// MaxSites is the largest number of release sites of a synapse.
const MaxSites = 1000

// ReleaseParams describes the keys of a Release.
var ReleaseParams = []quantity.Param{
	{Key: "sites", Unit: "1", Doc: "number n of release sites: the synapse transmits w k/n when k of them release", Form: quantity.Integer, Required: true, Min: 1, Max: MaxSites},
	{Key: "p", Unit: "1", Doc: "probability that a site releases at a spike; with a short-term stage it is the stage's u instead, and only full sites release", Min: 0, MinOpen: true, Max: 1},
}
