package neuron_test

import (
	"fmt"
	"log"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/neuron"
)

// One neuron, one arrival: the current of a synapse of 1250 pA takes a resting
// neuron over its threshold after 6.500242 ms (the closed form is
// V(s) = 100 mV · 5/(5 − 20) · (exp(−s/5) − exp(−s/20)) = 15 mV).
func ExampleLinear_Replay() {
	number := func(x float64) quantity.Value { return quantity.Value{Number: x} }
	lif, err := neuron.NewLinear("iaf_psc_exp", quantity.Values{
		"C_m": number(250), "tau_m": number(20), "tau_syn_ex": number(5), "t_ref": number(2),
		"E_L": number(0), "V_reset": number(0), "V_th": number(15),
	}, event.Millisecond)
	if err != nil {
		log.Fatal(err)
	}
	state := lif.NewState(1)
	if err := lif.Set(state, 0, "V_m", 0); err != nil {
		log.Fatal(err)
	}
	hits := []neuron.Hit{{Off: 0, W: 1250, Port: neuron.PortEx}}
	for start := event.Time(0); start < 10*event.Millisecond; start += event.Millisecond {
		spikes, _, err := lif.Replay(state, 0, start, event.Millisecond, hits, 0, nil, nil)
		if err != nil {
			log.Fatal(err)
		}
		for _, s := range spikes {
			fmt.Printf("spike at %.6f ms\n", (start + event.Time(s.Off)).MS())
		}
		hits = nil
	}
	// Output: spike at 6.500242 ms
}
