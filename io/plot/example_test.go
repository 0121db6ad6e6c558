package plot_test

import (
	"fmt"
	"image/png"
	"log"
	"os"
	"path/filepath"

	"hmn/event"
	"hmn/io/plot"
	"hmn/network"
)

// A ring of ten neurons in which spike k falls at k·2 ms.
func Example() {
	var spikes []network.Spike
	for k := range 50 {
		spikes = append(spikes, network.Spike{At: event.Time(k) * 2 * event.Millisecond, ID: uint32(k % 10)})
	}
	dir, err := os.MkdirTemp("", "plot")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ring.png")
	f := plot.Figure{
		Title:       "ring",
		To:          100 * event.Millisecond,
		Populations: []plot.Population{{Name: "ring", N: 10}},
	}
	if err := f.Write(path, spikes); err != nil {
		log.Fatal(err)
	}
	r, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	img, err := png.DecodeConfig(r)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(img.Width, "×", img.Height)
	// Output: 1650 × 1155
}
