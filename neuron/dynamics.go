package neuron

import "hmn/event"

// Arrival is one synaptic event on its way into a neuron.
type Arrival struct {
	At     event.Time
	Weight float64 // in the model's WeightUnit
	Src    uint32  // global id of the source: the order among equal times
	Ref    uint32  // the engine's own
	Port   uint8   // index in Model.Ports, or PortCurrent
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

// PortCurrent is the port of an Arrival that is no synaptic event but a change of
// a constant current by Weight [pA], for models with Model.Currents.
const PortCurrent uint8 = 255

// Lazy is implemented by Dynamics whose neurons keep their own time. The engine
// passes over a neuron in windows in which nothing arrives at it and that end by
// Quiet, and it may call Advance for any part of a window: the spikes must not
// depend on that.
type Lazy interface {
	Dynamics
	// Quiet holds, for each neuron, a time before which it sends no spike unless
	// something arrives. The engine reads it before each window.
	Quiet() []event.Time
	// Sync takes the state variables of neuron i to time t, to which it has been
	// advanced; it is then to be read and not to be advanced again.
	Sync(i int, t event.Time)
}

// Copier is implemented by Dynamics whose signals can be read anywhere inside a
// window: the engine makes one neuron more than the block has, copies a neuron
// to it, and advances the copy. Others are read at window starts.
type Copier interface{ Copy(dst, src int) }
