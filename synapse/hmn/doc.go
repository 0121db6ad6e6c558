// Package hmn owns the learning rule of the Hybrid Local–Global Modulated Neuron
// (HMN): what a synapse keeps, what an event does to it, when its weight changes
// and by how much. docs/learning.md has the equations; the numbers in comments
// are those of the HMN paper.
//
// A rule works on the synapses of one projection onto one block of targets
// (synapse.Wiring) and is told what happens: an arrival, a post spike, a change of an
// input or an output. It does not know where spikes come from, what a weight does
// to a neuron, which population drives a modulator, or any file. Network brings
// events into order, decides when a synapse is visited, and hands out what was
// decided.
//
// What is where:
//
//   - params.go, table.go, resolve.go: the keys of a model file with their ranges,
//     defaults and presets, and the constants that follow from them (Params);
//   - cycle.go: the oscillation and the edges of its windows, real numbers between
//     picoseconds (Cycle, event.Instant);
//   - tail.go, segment.go: integrals of gate, drive and trace, from an instant to the
//     close of a window or over a stretch between two events;
//   - spikes.go, rates.go: the rule between spiking populations and between rate
//     units (Spikes, Rates); apply.go: one trial at a close; continuous.go: the
//     weight as a solution of its differential equation;
//   - attention.go: contexts and softmax over the inputs of a target (Attention,
//     RateAttention), directions of sources (Embedding);
//   - reward.go, meta.go: built-in modulating signals (Signals), changes of the
//     learning rates (Meta);
//   - shadow.go: a copy of one synapse for recorders (Shadow).
//
// Invariants. Magnitudes of weights change, signs do not. The state of a synapse
// changes only by what happens to itself: an arrival, a post spike, a change of
// its input, output or α, the close of a window. A modulator or the edge of a
// window costs nothing per synapse. So it does not matter how often or when a
// synapse is visited, bit for bit, and a read (Peek, Weights, Shadow) works on
// a copy and stores nothing. Random numbers are functions of the seed, the synapse
// and the window. No method is safe for concurrent use, but synapse.Drive and Embedding
// may be read by many while nobody changes them.
//
// The package imports event and its subpackages, and synapse for rows and the
// table of models. Start reading at Spikes (Arrive, then advance and jump), Rates,
// Cycle and Attention.
package hmn
