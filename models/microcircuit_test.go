package models_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"hmn/event"
	"hmn/io/config"
	"hmn/models"
	"hmn/network"
)

// BenchmarkMicrocircuit is the cortical microcircuit, at full size with
// HMN_VALIDATE=full: 3 GB. It reports seconds of building, memory after it, and
// seconds per simulated second after 100 ms.
func BenchmarkMicrocircuit(b *testing.B) {
	for _, scale := range []string{"0.1", "1"} {
		if scale == "1" && os.Getenv("HMN_VALIDATE") != "full" {
			continue
		}
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("scale=%s/workers=%d", scale, workers), func(b *testing.B) {
				text, _ := models.Text("microcircuit")
				m, _, err := config.Parse([]byte(text), config.Options{Name: "microcircuit.toml", Set: []string{"scale=" + scale}})
				if err != nil {
					b.Fatal(err)
				}
				begun := time.Now()
				n, err := network.Build(m, network.Options{Workers: workers})
				if err != nil {
					b.Fatal(err)
				}
				defer n.Close()
				built := time.Since(begun).Seconds()
				runtime.GC()
				var mem runtime.MemStats
				runtime.ReadMemStats(&mem)
				run := func() {
					if err := n.Run(context.Background(), 100*event.Millisecond, network.Recorder{}); err != nil {
						b.Fatal(err)
					}
				}
				run()
				before := n.Stats()
				for b.Loop() {
					run()
				}
				s := n.Stats()
				events := float64(s.SynapticEvents - before.SynapticEvents)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/events, "ns/event")
				b.ReportMetric(b.Elapsed().Seconds()/(s.Now-before.Now).Seconds(), "s/s")
				b.ReportMetric(built, "build-s")
				b.ReportMetric(float64(mem.HeapAlloc)/1e9, "GB")
			})
		}
	}
}
