package neuron

import "hmn/event"

// Arrival is one synaptic event on its way into a neuron.
type Arrival struct {
	At     event.Time
	Port   uint8   // index in Model.Ports
	Weight float64 // in the model's WeightUnit
}

// Dynamics advances the n neurons of one block through time, for models that
// are added from outside. The engine calls Advance once per neuron and window
// [from, to), in order of windows; arrivals are sorted by time, and those of
// equal time by source and synapse.
//
// Advance applies every arrival at its exact time, tests the threshold after
// all arrivals of one instant, and appends the times of its spikes to spikes:
// ascending, at least from and less than to. A crossing that rounds to `to` is
// kept and sent as a spike at `from` of the next window.
type Dynamics interface {
	Advance(i int, from, to event.Time, arrivals []Arrival, spikes []event.Time) ([]event.Time, error)
	// State reads or writes a state variable of neuron i by its key in
	// Model.States; the engine writes start values before the first window and
	// reads recorded signals at window starts.
	State(i int, key string) *float64
}
