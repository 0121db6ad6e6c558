package export_test

import (
	"bytes"
	"log"
	"os"

	"hmn/event"
	"hmn/io/export"
	"hmn/io/spikelog"
	"hmn/network"
)

// Two spikes as CSV.
func Example() {
	var file bytes.Buffer
	w, err := spikelog.NewWriter(&file, spikelog.Meta{
		Populations: []spikelog.Population{{Name: "E", FirstID: 0, N: 3200}, {Name: "I", FirstID: 3200, N: 800}},
	})
	if err != nil {
		log.Fatal(err)
	}
	spikes := []network.Spike{{At: event.Picosecond, ID: 17}, {At: 1500 * event.Microsecond, ID: 3205}}
	if err := w.WriteSpikes(spikes); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	r, err := spikelog.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		log.Fatal(err)
	}
	if err := export.CSV(os.Stdout, r); err != nil {
		log.Fatal(err)
	}
	// Output:
	// time_ms,neuron_id,population,index
	// 0.000000001,17,E,17
	// 1.5,3205,I,5
}
