// Package event owns simulated time, the total order of events, and the
// windows in which a run advances.
//
// Time is a whole number of picoseconds (Time). Everything that happens has a
// place in one total order (Key): time, kind, source, synapse, sequence. Events
// live in two tiers. Near ones, spikes on their way to a target, are bounded by
// the minimum delay of the model, the lookahead: within a window of that length
// (Window, Grid) neurons interact only through what was sent before it, so each
// block of targets advances alone (Pool). Far ones, rare and cancellable, stand
// in the Agenda.
//
// Intervals are half open, [t0, t1), everywhere. The package imports the
// standard library and google/btree; its subpackages fmath (elementary
// functions with the same bits on every machine), random (counter-based random
// numbers) and quantity (tables of dimensioned parameters) only the standard
// library. Start reading at Key, then Grid and Pool.
package event
