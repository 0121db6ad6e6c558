// Package extension shows how a neuron model and a synapse model are added to
// hmn from outside: quadratic.go adds the quadratic integrate-and-fire neuron,
// depressing.go a synapse with short-term depression. Importing the package
// registers both, and model files can name them from then on. docs/extending.md
// walks through the two files.
//
// The package imports event, neuron and synapse, as any package with models of
// its own would. Start reading at Quadratic.Advance.
package extension
