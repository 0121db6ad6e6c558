// Package random owns every random number of a simulation: the counter-based
// generator Philox2x64-10, the streams it is divided into, and the draws made
// from it.
//
// A number is a pure function of (seed, stream, owner, entity, counter), never
// of the order in which it was asked for. So workers, windows, recorders and
// restarts cannot change a result: whoever needs the number of synapse 17
// computes it. A Key stands for the first three; Key.At gives one block of 128
// bits for the last two, and Key.Source reads the blocks of one entity in turn.
//
// Invariants: the same arguments give the same bits on every architecture and
// in every later version (golden values in the tests); nothing allocates; there
// is no global state. Keys and tables are safe for concurrent use, a Source
// belongs to one goroutine.
//
// Arguments out of range are a caller's bug and panic: descriptions are checked
// where they are built, not draw by draw.
//
// The package imports math, math/bits and event/fmath only. Start with Key.At.
package random
