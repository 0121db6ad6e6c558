package neuron

import "hmn/event"

// Grid is the neurons of one block of a model that is defined on a grid of time,
// kΔ for k = 0, 1, …, and nowhere between: published programs whose results hang
// on their steps. The engine hands it what arrives in the interval ((k−1)Δ, kΔ]
// before step k, which leads from kΔ to (k+1)Δ. A neuron that step k takes over
// its threshold fires at kΔ: so the spike is known when the window [kΔ, …) is
// passed, whatever the window's length, and an arrival in the middle of a step
// waits for the next.
type Grid interface {
	// Period is Δ.
	Period() event.Time
	// Input is what step k will take, one current per neuron. The engine adds to
	// it; Step clears it.
	Input() []float64
	// Step takes all neurons over step k and appends those that fire, ascending.
	Step(k int64, fired []uint32) ([]uint32, error)
	// State reads or writes a state variable of neuron i as it is at the grid
	// point reached.
	State(i int, key string) *float64
}
