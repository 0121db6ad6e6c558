package network_test

import (
	"context"
	"fmt"
	"log"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
	"hmn/synapse"
)

// spikePrinter is a network.SpikeSink that prints what it receives.
type spikePrinter struct{}

func (spikePrinter) WriteSpikes(spikes []network.Spike) error {
	for _, s := range spikes {
		fmt.Printf("neuron %d at %v ms\n", s.ID, s.At)
	}
	return nil
}

// A model is plain data: describe it, build it, run it. Three neurons pass one
// spike around; the kick comes from a spike train.
//
// An exponential current of 1250 pA is 100 mV·C_m/tau_m: by its closed form it
// takes a resting neuron over 15 mV after 6.500242 ms, so spike k falls at
// k·(1.5 + 6.500242) ms. Neurons are numbered through all populations, so the
// ring's are 1 to 3.
func ExampleBuild() {
	number := func(x float64) quantity.Value { return quantity.Value{Number: x} }
	ms := func(x float64) network.Value { return network.Value{Form: network.Constant, A: x} }
	m := &network.Model{
		Name:       "three",
		Simulation: network.Simulation{Seed: 1},
		Populations: []network.Population{
			{Name: "kick", N: 1, Model: "spike_train", Trains: [][]event.Time{{0}}},
			{Name: "ring", N: 3, Model: "iaf_psc_exp", Params: quantity.Values{
				"E_L": number(0), "V_reset": number(0), "V_th": number(15),
				"C_m": number(250), "tau_m": number(20), "tau_syn_ex": number(5), "t_ref": number(2),
			}},
		},
		Projections: []network.Projection{
			{Name: "start", Source: "kick", Target: "ring", Rule: network.EdgeList, Dendritic: ms(1.5),
				Edges: []synapse.Edge{{Source: 0, Target: 0, Weight: 1250, Dendritic: 1500 * event.Microsecond}}},
			{Name: "round", Source: "ring", Target: "ring", Rule: network.EdgeList,
				Edges: []synapse.Edge{
					{Source: 0, Target: 1, Weight: 1250, Axonal: event.Millisecond, Dendritic: 500 * event.Microsecond},
					{Source: 1, Target: 2, Weight: 1250, Axonal: event.Millisecond, Dendritic: 500 * event.Microsecond},
					{Source: 2, Target: 0, Weight: 1250, Axonal: event.Millisecond, Dendritic: 500 * event.Microsecond},
				}},
		},
	}
	n, err := network.Build(m, network.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer n.Close()
	if err := n.Run(context.Background(), 25*event.Millisecond, network.Recorder{Spikes: spikePrinter{}}); err != nil {
		log.Fatal(err)
	}
	s := n.Stats()
	fmt.Println(s.Spikes, "spikes with the kick,", s.SynapticEvents, "arrivals, window", s.Window, "ms")
	// Output:
	// neuron 1 at 8.000241548 ms
	// neuron 2 at 16.000483096 ms
	// neuron 3 at 24.000724644 ms
	// 4 spikes with the kick, 3 arrivals, window 1.5 ms
}

// Runs go on where the last one ended; Reset begins anew, with the same bits.
func ExampleNetwork_Run() {
	number := func(x float64) quantity.Value { return quantity.Value{Number: x} }
	m := &network.Model{
		Simulation: network.Simulation{Seed: 1},
		Populations: []network.Population{
			{Name: "noise", N: 100, Model: "poisson", Params: quantity.Values{"rate": number(1000)}},
			{Name: "E", N: 100, Model: "iaf_psc_exp"},
		},
		Projections: []network.Projection{{
			Name: "noise-E", Source: "noise", Target: "E", Rule: network.OneToOne,
			Weight: network.Value{A: 250}, Dendritic: network.Value{A: 1},
		}},
	}
	n, err := network.Build(m, network.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer n.Close()
	run := func(d event.Time) uint64 {
		if err := n.Run(context.Background(), d, network.Recorder{}); err != nil {
			log.Fatal(err)
		}
		return n.Stats().PopSpikes[1]
	}
	run(300 * event.Millisecond)
	pieces := run(700 * event.Millisecond)
	if err := n.Reset(); err != nil {
		log.Fatal(err)
	}
	whole := run(event.Second)
	fmt.Println("spikes:", pieces > 0, "the same in pieces:", pieces == whole)
	// Output: spikes: true the same in pieces: true
}
