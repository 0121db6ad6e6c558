// Package quantity describes named, dimensioned parameters as they stand in
// model files: key, unit, default, range, meaning. The tables of the neuron and
// synapse packages are made of them, and the loader's checks, `hmn doc` and
// docs/reference.md are made from those tables, so that a range is written once.
//
// It knows no model and imports only the standard library.
package quantity
