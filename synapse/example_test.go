package synapse_test

import (
	"fmt"

	"hmn/event"
	"hmn/synapse"
)

// Two sources onto three targets. Source 0 reaches targets 0 and 2, source 1
// reaches target 2 twice; the second of its synapses takes 0.25 ms longer.
func ExampleRows() {
	r := &synapse.Rows{
		Ptr:      []uint32{0, 2, 4},
		Target:   []uint16{0, 2, 2, 2},
		Weight:   []float32{1, 2, 3, 4},
		MinDelay: event.Millisecond,
		Delay:    []uint32{0, 0, 0, 250e6},
	}
	acc := make([]float64, 3)
	for source := range 2 {
		r.AddJump(acc, r.Ptr[source], r.Ptr[source+1], 0.5)
	}
	fmt.Println(acc, r.Len(), "synapses, the last after", r.DelayAt(3), "ms")
	// Output: [0.5 0 4.5] 4 synapses, the last after 1.25 ms
}
