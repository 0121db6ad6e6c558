package spikelog_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"hmn/event"
	"hmn/io/spikelog"
	"hmn/network"
)

// A record of three spikes and one membrane potential, and the spikes of the
// second millisecond read back.
func Example() {
	dir, err := os.MkdirTemp("", "spikelog")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "record.hmnlog")

	w, err := spikelog.Create(path, spikelog.Meta{
		Populations: []spikelog.Population{{Name: "E", FirstID: 0, N: 3200}, {Name: "I", FirstID: 3200, N: 800}},
		Signals:     []spikelog.Signal{{Record: 1, What: "V_m", Of: "E", N: 1, Subset: []int{17}, Every: event.Millisecond}},
	})
	if err != nil {
		log.Fatal(err)
	}
	check := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	check(w.WriteSpikes([]network.Spike{{At: 500, ID: 12}, {At: event.Millisecond, ID: 3201}, {At: 2 * event.Millisecond, ID: 4}}))
	check(w.WriteSamples(1, 0, []float64{-60}))
	check(w.WriteSamples(1, event.Millisecond, []float64{-59.5}))
	check(w.Close())

	r, err := spikelog.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	fmt.Println(r.NumSpikes(), "spikes, damage:", r.Damage())
	for spikes, err := range r.Spikes(event.Millisecond, 2*event.Millisecond) {
		check(err)
		for _, s := range spikes {
			fmt.Println("neuron", s.ID, "at", s.At, "ms")
		}
	}
	for s, err := range r.AllSamples(1) {
		check(err)
		fmt.Println(s.Times, s.Values)
	}
	// Output:
	// 3 spikes, damage: <nil>
	// neuron 3201 at 1 ms
	// [0 1] [-60 -59.5]
}
