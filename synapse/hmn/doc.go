// Package hmn owns the learning rule of the Hybrid Modulated Neuron.
package hmn
