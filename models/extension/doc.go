// Package extension shows how a neuron model, a synapse model and a task are added
// to hmn from outside: quadratic.go adds the quadratic integrate-and-fire neuron,
// depressing.go a synapse with short-term depression, quota.go an environment that
// rewards firing. Importing the package registers them, and model files can name
// them from then on. docs/extending.md walks through the three files.
//
// The package imports event, neuron and synapse, and network for the task, as any
// package with models of its own would. Start reading at Quadratic.Advance.
package extension
