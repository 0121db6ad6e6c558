package clocked_test

import (
	"context"
	"fmt"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
	"hmn/network/clocked"
)

// One pair of spikes and a reward a second later, on a grid of 0.1 ms: the weight
// grows by about 2.16, as in the closed form.
func Example() {
	number := func(x float64) quantity.Value { return quantity.Value{Number: x} }
	m := &network.Model{
		Simulation: network.Simulation{Engine: network.EngineClocked, Dt: 100 * event.Microsecond},
		Populations: []network.Population{
			{Name: "pre", N: 1, Model: "spike_train", Trains: [][]event.Time{{0}}},
			{Name: "post", N: 1, Model: "spike_train", Trains: [][]event.Time{{8 * event.Millisecond}}},
		},
		Projections: []network.Projection{{
			Name: "w", Source: "pre", Target: "post", Rule: network.OneToOne,
			Weight: network.Value{A: 1}, Axonal: network.Value{A: 1}, Synapse: "hmn",
			SynapseParams: quantity.Values{
				"w_max": number(10), "a_fast": number(0), "A_minus": number(0),
				"eta_local": number(0), "eta_global": number(0.1),
				"gate": {}, "bernoulli": {}, "update": {Text: "continuous"},
			},
		}},
		Modulators: []network.Modulator{{Name: "reward", Tau: 200, Events: []network.Jump{{At: 1008 * event.Millisecond, Amount: 0.5}}}},
	}
	e, err := clocked.New(m)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := e.Run(context.Background(), 5*event.Second, network.Recorder{}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("at %v ms: w = %.3f\n", e.Now(), e.Weights(0)[0])
	// Output:
	// at 5000 ms: w = 3.161
}
