package extension_test

import (
	"context"
	"fmt"
	"log"

	"hmn/event"
	"hmn/io/config"
	_ "hmn/models/extension" // registers qif_psc_delta, depressing and quota
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

// trials is a network.SampleSink.
type trials struct{}

func (trials) WriteSamples(_ int, at event.Time, values []float64) error {
	fmt.Printf("%v ms: %v spikes, reward %v\n", at, values[0], values[1])
	return nil
}

// quota.toml names the task of this package, which rewards a neuron whose inputs
// learn.
func Example_task() {
	m, _, err := config.Load("quota.toml", config.Options{})
	if err != nil {
		log.Fatal(err)
	}
	n, err := network.Build(m, network.Options{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer n.Close()
	if err := n.Run(context.Background(), m.Simulation.Duration, network.Recorder{Samples: trials{}}); err != nil {
		log.Fatal(err)
	}
	_, _, err = config.Load("quota.toml", config.Options{Set: []string{"task.least=0"}})
	fmt.Println(err)
	// Output:
	// 200 ms: 10 spikes, reward 1
	// 400 ms: 6 spikes, reward 1
	// 600 ms: 7 spikes, reward 1
	// 800 ms: 7 spikes, reward 1
	// 1000 ms: 4 spikes, reward 0
	// 1200 ms: 1 spikes, reward 0
	// 1400 ms: 8 spikes, reward 1
	// --set task.least=0: task: least = 0, want ≥ 1 and ≤ 1e+09
}
