package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"hmn/event"
	"hmn/io/rundir"
	"hmn/network"
)

func (a *app) checkCommand() *cobra.Command {
	var f modelFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "check MODEL",
		Short: "Check a model and say what it will cost, without building it",
		Long: `Check a model file and print what it describes and what it will cost: synapses,
memory, the window, events per second and the size of the log. Nothing is built.

Rates are the model's expected_rate_hz, those of its sources, or 10 Hz, marked
"assumed". Exit code 2 when the model cannot be run.`,
		Args:              wantArgs(1, 1, "MODEL"),
		ValidArgsFunction: firstArg(completeModel),
		RunE:              func(c *cobra.Command, args []string) error { return a.check(c, &f, args[0], asJSON) },
	}
	f.register(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// checkJSON is what hmn check --json prints.
type checkJSON struct {
	Model          string            `json:"model"`
	ModelSHA256    string            `json:"model_sha256"`
	DurationMS     rundir.MS         `json:"duration_ms"`
	Seed           uint64            `json:"seed"`
	Neurons        int               `json:"neurons"`
	Synapses       float64           `json:"synapses"`
	Bytes          float64           `json:"bytes"`
	MinDelayMS     rundir.MS         `json:"min_delay_ms"`
	WindowMS       rundir.MS         `json:"window_ms"`
	Blocks         int               `json:"blocks"`
	EventsPerSec   float64           `json:"events_per_s"`
	SpikesPerSec   float64           `json:"spikes_per_s"`
	LogBytesPerSec float64           `json:"log_bytes_per_s"`
	LogBytes       float64           `json:"log_bytes"`
	Populations    []checkPopulation `json:"populations"`
	Projections    []checkProjection `json:"projections"`
	Notes          []string          `json:"notes"`
}

type checkPopulation struct {
	Name    string  `json:"name"`
	Model   string  `json:"model"`
	N       int     `json:"n"`
	Blocks  int     `json:"blocks"`
	Path    string  `json:"path"`
	RateHz  float64 `json:"rate_hz"`
	Assumed bool    `json:"assumed"`
}

type checkProjection struct {
	Name       string    `json:"name"`
	Synapses   float64   `json:"synapses"`
	Bytes      float64   `json:"bytes"`
	MinDelayMS rundir.MS `json:"min_delay_ms"`
	Uniform    bool      `json:"uniform_delay"`
}

func (a *app) check(c *cobra.Command, f *modelFlags, arg string, asJSON bool) error {
	m, err := f.load(c, arg, false)
	if err != nil {
		return err
	}
	e, err := network.EstimateModel(m.Model)
	if err != nil {
		return &failure{codeBadInput, err}
	}
	var tooLarge error
	if m.maxBytes > 0 && e.Bytes > float64(m.maxBytes) {
		tooLarge = badInput("%w: the network would need about %s, the limit is %s; --max-memory sets the limit", network.ErrTooLarge, size(e.Bytes), size(float64(m.maxBytes)))
	}
	notes := append([]string{}, m.notes()...)
	if e.Window < event.Microsecond {
		notes = append(notes, fmt.Sprintf("delays as short as %s ms are possible: the network advances in windows of its shortest delay, and a simulated second would take up to %.3g of them; give the delays a min", e.MinDelay, 1/e.Window.Seconds()))
	}
	seconds := m.Simulation.Duration.Seconds()
	if asJSON {
		j := checkJSON{Model: m.Name, ModelSHA256: m.textHash(), DurationMS: rundir.MS(m.Simulation.Duration), Seed: m.Simulation.Seed,
			Neurons: e.Neurons, Synapses: e.Synapses, Bytes: e.Bytes, MinDelayMS: rundir.MS(e.MinDelay), WindowMS: rundir.MS(e.Window),
			Blocks: e.Blocks, EventsPerSec: e.EventsPerSec, SpikesPerSec: e.SpikesPerSec, LogBytesPerSec: e.LogBytesPerSec, LogBytes: e.LogBytesPerSec * seconds,
			Populations: []checkPopulation{}, Projections: []checkProjection{}, Notes: notes}
		for _, p := range e.Populations {
			j.Populations = append(j.Populations, checkPopulation{p.Name, p.Model, p.N, p.Blocks, p.Path, p.RateHz, p.Assumed})
		}
		for _, p := range e.Projections {
			j.Projections = append(j.Projections, checkProjection{p.Name, p.Synapses, p.Bytes, rundir.MS(p.MinDelay), p.Uniform})
		}
		if err := writeJSON(a.out, j); err != nil {
			return err
		}
		return tooLarge
	}
	t := table{left: 2}
	t.row("population", "model", "n", "blocks", "path", "rate Hz", "")
	for _, p := range e.Populations {
		rate, assumed := digits(p.RateHz, 4), ""
		if p.Assumed {
			assumed = "assumed"
		}
		if !sends(p.Model) {
			rate = "–"
		}
		t.row(p.Name, p.Model, count(p.N), count(p.Blocks), p.Path, rate, assumed)
	}
	t.write(a.out)
	fmt.Fprintln(a.out)
	if len(e.Projections) > 0 {
		t = table{left: 1}
		t.row("projection", "synapses", "bytes", "min delay ms", "delays")
		for _, p := range e.Projections {
			delays := "differ"
			if p.Uniform {
				delays = "all equal"
			}
			t.row(p.Name, approx(p.Synapses), approx(p.Bytes), p.MinDelay.String(), delays)
		}
		t.write(a.out)
		fmt.Fprintln(a.out)
	}
	t = table{left: 2}
	t.row("neurons", count(e.Neurons))
	t.row("synapses", approx(e.Synapses))
	t.row("bytes", fmt.Sprintf("%s (%s)", approx(e.Bytes), size(e.Bytes)))
	t.row("minimum delay", e.MinDelay.String()+" ms")
	t.row("window", e.Window.String()+" ms")
	t.row("blocks", count(e.Blocks))
	t.row("expected events", approx(e.EventsPerSec)+" per simulated second")
	t.row("expected spikes", approx(e.SpikesPerSec)+" per simulated second")
	log := size(e.LogBytesPerSec) + " per simulated second"
	if seconds > 0 {
		log += fmt.Sprintf(", %s for %s", size(e.LogBytesPerSec*seconds), timeText(m.Simulation.Duration))
	}
	t.row("log", log)
	t.write(a.out)
	for _, n := range notes {
		fmt.Fprintln(a.out, "note:", n)
	}
	return tooLarge
}
