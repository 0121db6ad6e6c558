package rundir_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"hmn/event"
	"hmn/io/rundir"
	"hmn/network"
)

// A run directory from its first manifest to its last.
func Example() {
	base, err := os.MkdirTemp("", "rundir")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(base)
	path := filepath.Join(base, "run")

	m := rundir.Manifest{ModelName: "brunel", Seed: 1, DurationMS: rundir.MS(event.Second)}
	d, err := rundir.Create(path, false, m)
	if err != nil {
		log.Fatal(err)
	}
	result := rundir.NewResultHasher()
	if err := result.WriteSpikes([]network.Spike{{At: event.Millisecond, ID: 3}}); err != nil {
		log.Fatal(err)
	}

	m.Status, m.SimulatedMS, m.Spikes, m.ResultHash = rundir.Done, m.DurationMS, 1, result.Sum()
	m.MeanRateHz = rundir.Rates{{Population: "E", Hz: 1}, {Population: "A", Hz: 0}}
	if err := d.Write(m); err != nil {
		log.Fatal(err)
	}

	got, err := rundir.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.Status, event.Time(got.SimulatedMS), "ms,", got.MeanRateHz)
	fmt.Println(got.ResultHash)
	_, err = rundir.Create(path, false, m)
	fmt.Println(err != nil)
	// Output:
	// done 1000 ms, [{E 1} {A 0}]
	// 26bad748932f57e93ff5c82cfe583ef5ddb90d4fbe44e4a73dbf1607e6488f1b
	// true
}
