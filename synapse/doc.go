// Package synapse owns the synapses onto one block of neurons: their weights
// and delays in compressed rows (Rows), the innermost loops that deliver a row
// to accumulators (AddJump, AddPair, AddTriple), and the table of synapse
// models (Register, Lookup) with the rules that change what a synapse transmits
// (Rule) and those that change its weight from both sides (Learner, made by an
// entry with Learning, between rate units RateLearner). A Stage or a Release stands
// between a spike and the weight, whatever changes that. It does not know where a spike came from, nor what it does
// to the neuron. What learns stands on a Wiring; the kernels are packages of their
// own (synapse/flow, synapse/hmn, synapse/stdp) that the network calls through Learner, once per
// piece of a row. Drive is what a rule that listens to modulators shares.
//
// Invariants. A Rows has one receptor port, weights of one sign, and delays
// within 4.29 ms of its least one. Its rows are sorted by delay, then target,
// then multapse number, and are delivered in that order, so that sums are the
// same for any number of workers. Nothing outside the block writes to it.
//
// The package imports event and its subpackages, and neuron. Start reading at Rows, then
// Rows.AddPair; for rules that learn, at Learner.
package synapse
