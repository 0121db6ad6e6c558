package extension_test

import (
	"context"
	"fmt"
	"log"

	"hmn/io/config"
	_ "hmn/models/extension" // registers qif_psc_delta and depressing
	"hmn/network"
)

// printer is a network.SpikeSink.
type printer struct{ names []string }

func (p printer) WriteSpikes(spikes []network.Spike) error {
	for _, s := range spikes {
		fmt.Printf("%s fires at %v ms\n", p.names[s.ID], s.At)
	}
	return nil
}

// answers.toml names the neuron and the synapse of this package, which the
// blank import has registered.
func Example() {
	m, _, err := config.Load("answers.toml", config.Options{})
	if err != nil {
		log.Fatal(err)
	}
	n, err := network.Build(m, network.Options{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer n.Close()
	var names []string
	for _, p := range m.Populations {
		for range p.N {
			names = append(names, p.Name)
		}
	}
	if err := n.Run(context.Background(), m.Simulation.Duration, network.Recorder{Spikes: printer{names}}); err != nil {
		log.Fatal(err)
	}

	// The parameters are checked and documented like those of any other model.
	_, _, err = config.Load("answers.toml", config.Options{Set: []string{"population.A.params.V_peak=-55"}})
	fmt.Println(err)
	_, _, err = config.Load("answers.toml", config.Options{Set: []string{"projection.tired.synapse.U=1.5"}})
	fmt.Println(err)
	// Output:
	// A fires at 5.768553387 ms
	// B fires at 5.768553387 ms
	// A fires at 25.768553387 ms
	// B fires at 27.250588324 ms
	// A fires at 45.768553387 ms
	// B fires at 49.687318302 ms
	// A fires at 65.768553387 ms
	// B fires at 77.041149507 ms
	// A fires at 85.768553387 ms
	// A fires at 105.768553387 ms
	// --set population.A.params.V_peak=-55: population "A": params: V_peak = -55 mV, want more than V_c = -50 mV
	// --set projection.tired.synapse.U=1.5: projection "tired": synapse: U = 1.5, want > 0 and ≤ 1
}
