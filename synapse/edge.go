package synapse

import "hmn/event"

// Edge is one explicit connection of an edge list, between population-local
// indices. Delays are exact.
type Edge struct {
	Source, Target    uint32
	Weight            float64
	Axonal, Dendritic event.Time
	Phase             float64 // rad; 0 unless the list has a phase column
}
