// Package synapse owns the synapses onto one block of neurons: their weights
// and delays in compressed rows (Rows), the innermost loops that deliver a row
// to accumulators (AddJump, AddPair, AddTriple), and the table of synapse
// models (Register, Lookup) with the rules that change what a synapse transmits
// (Rule). It does not know where a spike came from, nor what it does to the
// neuron. A model that learns from both sides (Model.Learns) is an entry of the
// table, too; its kernels are a package of their own (synapse/hmn) that the network
// calls.
//
// Invariants. A Rows has one receptor port, weights of one sign, and delays
// within 4.29 ms of its least one. Its rows are sorted by delay, then target,
// then multapse number, and are delivered in that order, so that sums are the
// same for any number of workers. Nothing outside the block writes to it.
//
// The package imports event and its subpackages. Start reading at Rows, then
// Rows.AddPair.
package synapse
