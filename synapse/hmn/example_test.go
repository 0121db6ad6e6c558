package hmn_test

import (
	"fmt"
	"log"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/synapse"
	"hmn/synapse/hmn"
)

// One pair of spikes, seen by the synapse at 11 and 18 ms, and a reward one second
// later. The weight changes at the close of each window, 31.25 ms after a multiple
// of 125 ms: hardly before the reward, when only the local rate acts, and by much
// after it. Nothing but the arrival and the spike visits the synapse; Peek reads
// the weight without changing anything. (The output is that of a quadrature of the
// equations, too.)
func Example() {
	number := func(x float64) quantity.Value { return quantity.Value{Number: x} }
	core, _ := hmn.FindPreset("hmn-core")
	par, err := hmn.Resolve(core.With(quantity.Values{"w_max": number(1), "bernoulli": {Bool: false}}), false)
	if err != nil {
		log.Fatal(err)
	}
	// D(t) = eta_local + eta_global E(t): a modulator that decays with 200 ms.
	drive := synapse.NewDrive([]float64{1.0 / 200})
	drive.Add(0, par.EtaLocal, []float64{0})
	// One source, one target, axonal delay 1 ms.
	rows := &synapse.Rows{Ptr: []uint32{0, 1}, Target: []uint16{0}, MinDelay: event.Millisecond, MaxDelay: event.Millisecond}
	l := hmn.NewSpikes(par, synapse.Wiring{Rows: rows, Targets: 1, Weight: 0.5, Keys: make([]random.Key, 1)}, drive)

	l.Arrive(0, 0, 1, 11*event.Millisecond, nil)
	l.EndRow(0, 11*event.Millisecond)
	l.Post(0, 18*event.Millisecond)
	drive.Add(1018*event.Millisecond, par.EtaLocal, []float64{par.EtaGlobal * 0.5})

	for _, t := range []event.Time{0, 1000, 1100, 1200, 1300, 2000} {
		fmt.Printf("%d ms: %.6f\n", int(t), l.Peek(0, 0, nil, t*event.Millisecond))
	}
	// Output:
	// 0 ms: 0.500000
	// 1000 ms: 0.502113
	// 1100 ms: 0.506492
	// 1200 ms: 0.528024
	// 1300 ms: 0.538256
	// 2000 ms: 0.547536
}
