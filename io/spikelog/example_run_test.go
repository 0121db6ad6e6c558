package spikelog_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/io/spikelog"
	"hmn/network"
)

// A run in Go with its record on disk, read back: the writer is the sink of the
// run's spikes and of its samples.
func Example_run() {
	check := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	number := func(x float64) quantity.Value { return quantity.Value{Number: x} }
	// A current of 450 pA leads to 22.5 mV above rest, the threshold lies 15 mV
	// above: a spike every 2 + 10 ln(22.5/7.5) ms.
	m := &network.Model{
		Name: "tonic",
		Populations: []network.Population{{Name: "E", N: 1, Model: "iaf_psc_exp", Params: quantity.Values{
			"C_m": number(200), "tau_m": number(10), "E_L": number(0), "V_reset": number(0), "V_th": number(15),
			"t_ref": number(2), "I_e": number(450),
		}}},
		Records: []network.Record{
			{What: network.RecordSpikes, Of: "E"},
			{What: network.RecordVm, Of: "E", Every: 10 * event.Millisecond},
		},
	}
	n, err := network.Build(m, network.Options{})
	check(err)
	defer n.Close()

	dir, err := os.MkdirTemp("", "run")
	check(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "record.hmnlog")
	w, err := spikelog.Create(path, spikelog.Meta{
		Model:       m.Name,
		Populations: []spikelog.Population{{Name: "E", FirstID: n.FirstID(0), N: 1}},
		Signals:     []spikelog.Signal{{Record: 1, What: network.RecordVm, Of: "E", N: 1, Every: 10 * event.Millisecond}},
	})
	check(err)
	check(n.Run(context.Background(), 50*event.Millisecond, network.Recorder{Spikes: w, Samples: w}))
	check(w.Close())

	r, err := spikelog.Open(path)
	check(err)
	defer r.Close()
	for spikes, err := range r.All() {
		check(err)
		for _, s := range spikes {
			fmt.Println("spike at", s.At, "ms")
		}
	}
	for s, err := range r.AllSamples(1) {
		check(err)
		for k, at := range s.Times {
			fmt.Printf("V_m at %2v ms: %.3f mV\n", at, s.Values[k*s.N])
		}
	}
	// Output:
	// spike at 10.986122887 ms
	// spike at 23.972245774 ms
	// spike at 36.958368661 ms
	// spike at 49.944491548 ms
	// V_m at  0 ms: 0.000 mV
	// V_m at 10 ms: 14.223 mV
	// V_m at 20 ms: 11.342 mV
	// V_m at 30 ms: 7.460 mV
	// V_m at 40 ms: 2.226 mV
}
