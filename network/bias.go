package network

import "hmn/event"

// bias is the homeostatic bias of a spiking population.
type bias struct{ hold event.Time }
