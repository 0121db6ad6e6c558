// Package config reads model files: TOML text plus overrides in, a
// [network.Model] of plain data out.
//
// It owns the model file's keys (one table, [Keys], from which the strict
// checks, [Doc] and docs/reference.md are made), the units, the positions in
// messages, and the tables beside a model file: edge lists, spike times, names,
// positions, rates. The parameters of the neuron, rate and source models are
// not repeated here: they come from the registry of the neuron package.
//
// Everything wrong in a file is found at once where that is possible, and each
// message says where, which key, what was wrong and what is allowed. Nothing is
// clamped, skipped or guessed. All errors wrap [ErrInput].
//
// The package imports network and what stands below it, and never writes a
// file. Start reading at [Parse], then loader.populations and
// loader.projections.
package config
