package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hmn/event"
	"hmn/io/config"
	"hmn/models"
	"hmn/network"
)

const (
	benchWarmUp  = 200 * event.Millisecond
	benchRepeats = 3 // at least, and more until benchSpan has gone by
	benchMost    = 50
	benchSpan    = 2 * time.Second
)

func (a *app) benchCommand() *cobra.Command {
	var workers int
	var asJSON bool
	var duration string
	var p profiles
	c := &cobra.Command{
		Use:   "bench [NAME...]",
		Short: "Measure this machine on the bench networks",
		Long: `Run the bench networks without recording and print what a synaptic event costs.
By default all of them, with one worker and with one per processor.

ns_per_event is wall time per synaptic event, external ones included: the best
of 3 runs of the same simulated time after 200 ms of warm-up. real_time_factor
is wall time per simulated time of that run. peak_rss_bytes includes building.`,
		ValidArgsFunction: func(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return starting(word, models.BenchNames(), func(string) string { return "" }), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = models.BenchNames()
			}
			for _, name := range args {
				if !slices.Contains(models.BenchNames(), name) {
					return unknownName("hmn bench: no network", name, models.BenchNames())
				}
			}
			counts := []int{1}
			if n := runtime.NumCPU(); n > 1 {
				counts = append(counts, n)
			}
			if c.Flags().Changed("workers") {
				n, err := checkWorkers(c, workers)
				if err != nil {
					return err
				}
				counts = []int{n}
			}
			var set []string
			if c.Flags().Changed("duration") {
				set = []string{"simulation.duration=" + duration}
			}
			return p.around(func() error { return a.bench(args, counts, set, asJSON) })
		},
	}
	c.Flags().IntVar(&workers, "workers", 0, "advance the networks with `N` goroutines, 0 for one per processor (default: 1, then that)")
	c.Flags().BoolVar(&asJSON, "json", false, "print the rows as a JSON array")
	c.Flags().StringVar(&duration, "duration", "", "simulated `TIME` that is measured (default: the network's)")
	p.flags(c)
	return c
}

// benchRow is one measurement.
type benchRow struct {
	Name             string   `json:"name"`
	Workers          int      `json:"workers"`
	Neurons          int      `json:"neurons"`
	Synapses         int64    `json:"synapses"`
	SynapticEvents   uint64   `json:"synaptic_events"`
	ExternalEvents   uint64   `json:"external_events"`
	NsPerEvent       *float64 `json:"ns_per_event"`
	RealTimeFactor   float64  `json:"real_time_factor"`
	BytesPerSynapse  *float64 `json:"bytes_per_synapse"`
	PeakRSSBytes     int64    `json:"peak_rss_bytes"` // 0: not known on this system
	BuildS           float64  `json:"build_s"`
	WallS            float64  `json:"wall_s"`
	SimulatedSeconds float64  `json:"simulated_s"`
	Spikes           uint64   `json:"spikes"`
}

func (a *app) bench(names []string, workers []int, set []string, asJSON bool) error {
	var rows []benchRow
	if !asJSON {
		fmt.Fprintf(a.out, "%s, %d CPUs, %s, hmn %s\n\n", cpuModel(), runtime.NumCPU(), runtime.Version(), versionText())
	}
	for _, name := range names {
		text, _ := models.Bench(name)
		m, _, err := config.Parse([]byte(text), config.Options{Name: name + ".toml", Set: set, RequireDuration: true})
		if err != nil {
			return err
		}
		for _, w := range workers {
			row, err := benchOne(m, w)
			if err != nil {
				return fmt.Errorf("hmn bench: %s: %w", name, err)
			}
			row.Name = name
			rows = append(rows, row)
			if !asJSON {
				fmt.Fprintf(a.err, "%s with %d %s: %s\n", name, w, plural(w, "worker"), seconds(row.WallS))
			}
		}
	}
	if asJSON {
		return writeJSON(a.out, rows)
	}
	t := table{left: 1}
	t.row("network", "workers", "neurons", "synapses", "synaptic events", "external", "ns/event", "real-time factor", "B/synapse", "peak memory")
	for _, r := range rows {
		ns, bytes, rss := "–", "–", "–"
		if r.NsPerEvent != nil {
			ns = digits(*r.NsPerEvent, 3)
		}
		if r.BytesPerSynapse != nil {
			bytes = digits(*r.BytesPerSynapse, 3)
		}
		if r.PeakRSSBytes > 0 {
			rss = size(float64(r.PeakRSSBytes))
		}
		t.row(r.Name, count(r.Workers), count(r.Neurons), count(r.Synapses), count(r.SynapticEvents), count(r.ExternalEvents),
			ns, digits(r.RealTimeFactor, 3), bytes, rss)
	}
	t.write(a.out)
	return nil
}

// benchOne builds a network and runs it several times from its start.
func benchOne(m *network.Model, workers int) (row benchRow, err error) {
	debug.FreeOSMemory()
	resetPeak()
	began := time.Now()
	n, err := network.Build(m, network.Options{Workers: workers})
	if err != nil {
		return row, err
	}
	defer n.Close()
	row = benchRow{Workers: workers, BuildS: time.Since(began).Seconds(), WallS: math.Inf(1), SimulatedSeconds: m.Simulation.Duration.Seconds()}
	ctx := context.Background()
	for k := 0; k < benchRepeats || k < benchMost && time.Since(began) < benchSpan; k++ {
		if k > 0 {
			if err := n.Reset(); err != nil {
				return row, err
			}
		}
		if err := advance(ctx, eventEngine{n}, benchWarmUp, network.Recorder{}); err != nil {
			return row, err
		}
		before := n.Stats()
		began := time.Now()
		if err := advance(ctx, eventEngine{n}, m.Simulation.Duration, network.Recorder{}); err != nil {
			return row, err
		}
		row.WallS = min(row.WallS, time.Since(began).Seconds())
		after := n.Stats()
		row.SynapticEvents = after.SynapticEvents - before.SynapticEvents
		row.ExternalEvents = after.ExternalEvents - before.ExternalEvents
		row.Spikes = after.Spikes - before.Spikes
	}
	s := n.Stats()
	row.Neurons, row.Synapses = s.Neurons, s.Synapses
	row.NsPerEvent = number(row.WallS * 1e9 / float64(row.SynapticEvents))
	row.RealTimeFactor = row.WallS / row.SimulatedSeconds
	row.BytesPerSynapse = number(float64(s.SynapseBytes) / float64(s.Synapses))
	row.PeakRSSBytes = procField("/proc/self/status", "VmHWM:")
	return row, nil
}

// resetPeak starts the measurement of peak memory anew where Linux can; on
// failure the peak is that of the process so far.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// cpuModel is the name of the processor.
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}
