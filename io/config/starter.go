package config

import _ "embed" // the starter model

//go:embed starter.toml
var starter string

// Starter is a commented model to begin with: 1000 neurons, excitatory and
// inhibitory, kept active by Poisson noise, that fire at about 10 Hz.
func Starter() string { return starter }
