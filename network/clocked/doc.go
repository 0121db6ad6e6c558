// Package clocked is the dense engine: it advances a network.Model in steps of
// one length Δt, with plain loops over all neurons and all synapses at every
// step. It exists to be obviously right, not to be fast; the event engine of
// package network is measured against it.
//
// It shares with the event engine what both must agree on, and nothing that
// computes: the description, the list of synapses (network.Synapses), the
// constants of the learning rule (hmn.Params), the trains and levels of sources,
// and the keys of random numbers, so that both take the same Bernoulli decisions
// (docs/learning.md). Every equation is written here a second time, with package
// math.
//
// The grid. Everything happens at t_n = nΔt. Spikes of sources, jumps of
// modulators, steps of levels, ticks of noise and starts of cycles that fall
// between two grid points act at the later one. Neurons test their threshold at
// grid points and fire there. Delays are rounded to the nearest number of steps,
// and to one step where that would be none; only a delay of exactly 0 between
// rate units stays 0. Edges of phase windows are not moved: a step belongs to the
// window in which its left end lies (its middle with Engine.Midpoint), and a
// window is decided at the first grid point at or after its close.
//
// Order at t_n, that of the paper's pseudocode (10.3): windows that closed before
// t_n, jumps of modulators, arrivals, neurons, traces, attention, windows that
// close at t_n, records; then the drift of the step [t_n, t_n+1), its gate and,
// with update "step", its trial; then everything decays over the step, and at the
// end of a meta period the learning rates change.
//
// The error against continuous time is of order Δt, or Δt² with Midpoint when
// all events lie on the grid. For a whole window of the gate at 8 Hz and traces
// and modulators as in the presets it is about 1e-2·Δt(ms) and 1e-5·Δt².
//
// Start reading at New, then Engine.step.
package clocked
