// Package stats measures spike trains and compares samples: rates, interspike
// intervals, spectra, counts and their correlations, the Siegert rate, and
// distances and intervals for judging a result against a reference.
//
// Everything is a pure function of plain slices. A spike train is a []float64
// of times in ms, ascending; a group of neurons is a [][]float64, one train per
// neuron. Rates are in Hz. Windows are half open, [from, to). Arguments are
// only read, and results are new slices; all functions may be called
// concurrently.
//
// A quantity that is not defined for its input (the CV of two spikes, the Fano
// factor of silence) is NaN, never 0, and the means over neurons say how many
// neurons they hold. Slices that must have equal lengths and do not, an empty
// window and a non-positive bin are bugs of the caller and panic.
//
// The package imports gonum and nothing of this module. Start reading at CV in
// train.go; the theory is in siegert.go, the inference in infer.go.
package stats
