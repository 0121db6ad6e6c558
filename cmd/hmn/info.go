package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"hmn/event"
	"hmn/io/rundir"
	"hmn/io/spikelog"
	"hmn/network"
)

func (a *app) infoCommand() *cobra.Command {
	var asJSON bool
	var latency int
	c := &cobra.Command{
		Use:   "info DIR",
		Short: "Say what is in a run directory",
		Long: `Say what is in a run directory: what was run and how far it came, rates, the
size of the record, and whether it is whole: all of it is read and checked.

Exit code 1 when something cannot be read. A record that was cut off because the
run was killed is read up to its last good block, with a warning.`,
		Args:              wantArgs(1, 1, "DIR"),
		ValidArgsFunction: firstArg(completeDir),
		RunE:              func(_ *cobra.Command, args []string) error { return a.info(args[0], asJSON, latency) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().IntVar(&latency, "latency", 0, "list the first `N` neurons to fire, in order of their first spike")
	return c
}

// recordInfo is the record's part of hmn info --json.
type recordInfo struct {
	Bytes          int64        `json:"bytes"`
	Spikes         uint64       `json:"spikes"`
	SpikeBytes     int64        `json:"spike_bytes"`
	BytesPerSpike  *float64     `json:"bytes_per_spike"`
	Compression    *float64     `json:"compression"` // of 12 B per spike
	FirstMS        rundir.MS    `json:"first_ms"`
	LastMS         rundir.MS    `json:"last_ms"`
	Signals        []signalInfo `json:"signals"`
	UpdateBytes    int64        `json:"update_bytes"`
	CandidateBytes int64        `json:"candidate_bytes"`
	Learning       []learnCount `json:"learning"` // of projections whose updates or candidates are recorded
	Damage         *damageInfo  `json:"damage"`
}

type signalInfo struct {
	What    string        `json:"what"`
	Of      string        `json:"of"`
	N       int           `json:"n"`
	EveryMS rundir.MS     `json:"every_ms"`
	Samples uint64        `json:"samples"`
	Last    []namedNumber `json:"last,omitempty"` // of columns with names: the last sample
}

// namedNumber is a value of a column that has a name.
type namedNumber struct {
	Name  string   `json:"name"`
	Value *float64 `json:"value"` // null: not finite
}

type damageInfo struct {
	At      int64  `json:"at"`
	Dropped int64  `json:"dropped"`
	Reason  string `json:"reason"`
}

func (a *app) info(dir string, asJSON bool, latency int) error {
	v, err := openRun(dir)
	if err != nil {
		return err
	}
	defer v.close()
	r := v.reader
	rec := recordInfo{Bytes: r.Bytes(), Spikes: r.NumSpikes(), SpikeBytes: r.SpikeBytes(),
		BytesPerSpike: number(v.perSpike()), Compression: number(plainSpike / v.perSpike()), Signals: []signalInfo{},
		UpdateBytes: r.UpdateBytes(), CandidateBytes: r.CandidateBytes(), Learning: []learnCount{}}
	first, last, any := r.Span()
	rec.FirstMS, rec.LastMS = rundir.MS(first), rundir.MS(last)
	if d := r.Damage(); d != nil {
		rec.Damage = &damageInfo{d.At, d.Dropped, d.Reason}
	}
	bad := v.measure()
	for _, s := range r.Meta().Signals {
		n, last, err := readSamples(r, &s)
		if err != nil && bad == nil {
			bad = fmt.Errorf("hmn: the record of %s is damaged: %s of %s: %w", dir, s.What, s.Of, err)
		}
		rec.Signals = append(rec.Signals, signalInfo{s.What, s.Of, s.N, rundir.MS(s.Every), n, last})
	}
	learned, err := v.tally()
	if err != nil && bad == nil {
		bad = err
	}
	rec.Learning = append(rec.Learning, learned...)
	warning, torn := v.torn()
	if bad == nil {
		bad = torn
	}
	var warnings []string
	if warning != "" {
		warnings = append(warnings, warning)
	}
	if v.manifest == nil {
		warnings = append(warnings, "there is no manifest.json: what was run is not known")
	}

	if asJSON {
		err := writeJSON(a.out, struct {
			Dir         string           `json:"dir"`
			Manifest    *rundir.Manifest `json:"manifest"`
			Populations []popRow         `json:"populations"`
			Record      recordInfo       `json:"record"`
			Warnings    []string         `json:"warnings"`
		}{dir, v.manifest, v.populations(), rec, append([]string{}, warnings...)})
		if bad == nil {
			bad = err
		}
		return bad
	}

	t := table{left: 2}
	if m := v.manifest; m != nil {
		t.row("model", fmt.Sprintf("%s (SHA-256 %.16s…)", m.ModelName, m.ModelSHA256))
		status := string(m.Status)
		if m.Reason != "" {
			status += ": " + m.Reason
		}
		t.row("status", status)
		for i, o := range m.Overrides {
			t.row([]string{"overrides", ""}[min(i, 1)], o)
		}
		t.row("seed", fmt.Sprint(m.Seed))
		t.row("neurons", fmt.Sprintf("%s, %s synapses", count(m.Neurons), count(m.Synapses)))
		if m.Status != rundir.Running {
			t.row("simulated", fmt.Sprintf("%s of %s", timeText(event.Time(m.SimulatedMS)), timeText(event.Time(m.DurationMS))))
			t.row("wall time", fmt.Sprintf("%s with %d %s, real-time factor %s", seconds(float64(m.WallS)), m.Workers, plural(m.Workers, "worker"), digits(float64(m.RealTimeFactor), 3)))
			t.row("events", count(m.SynapticEvents)+" synaptic")
			t.row("result hash", m.ResultHash)
		}
		t.row("started", m.Started.Local().Format(time.DateTime)+", hmn "+m.Version)
	}
	line := v.recordLine()
	if rec.Compression != nil {
		line += fmt.Sprintf(" (%s times smaller than plain numbers)", digits(*rec.Compression, 2))
	}
	t.row("record", line)
	if any {
		t.row("covers", fmt.Sprintf("%s spikes; first entry at %s ms, last at %s ms", count(rec.Spikes), first, last))
	}
	for _, s := range rec.Signals {
		line := fmt.Sprintf("%s of %s: %s samples of %s", s.What, s.Of, count(s.Samples), count(s.N))
		if s.EveryMS > 0 {
			line += fmt.Sprintf(", every %s ms", event.Time(s.EveryMS))
		}
		for i, x := range s.Last {
			value := "–"
			if x.Value != nil {
				value = digits(*x.Value, 4)
			}
			line += []string{"; at the end ", ", "}[min(i, 1)] + x.Name + " " + value
		}
		t.row("signal", line)
	}
	if rec.UpdateBytes+rec.CandidateBytes > 0 {
		t.row("updates", fmt.Sprintf("%s in %s", count(r.NumUpdates()), size(float64(rec.UpdateBytes))))
		t.row("candidates", fmt.Sprintf("%s in %s", count(r.NumCandidates()), size(float64(rec.CandidateBytes))))
	}
	t.write(a.out)
	fmt.Fprintln(a.out)
	v.rates(a.out)
	v.learning(a.out, rec.Learning)
	if latency > 0 && bad == nil {
		bad = v.latencies(a.out, latency)
	}
	if m := v.manifest; m != nil {
		for _, n := range m.Notes {
			fmt.Fprintln(a.out, "note:", n)
		}
	}
	for _, w := range warnings {
		fmt.Fprintln(a.err, "hmn: warning:", w)
	}
	return bad
}

// readSamples reads all samples of a record and counts them. Where columns have
// names (modulators, learning rates, trials) it gives the last sample.
func readSamples(r *spikelog.Reader, sig *spikelog.Signal) (n uint64, last []namedNumber, err error) {
	var values []float64
	for s, err := range r.AllSamples(sig.Record) {
		if err != nil {
			return n, nil, err
		}
		n += uint64(len(s.Times))
		if sig.Columns != nil {
			values = append(values[:0], s.Values[len(s.Values)-s.N:]...)
		}
	}
	for i, x := range values {
		last = append(last, namedNumber{sig.Columns[i], number(x)})
	}
	return n, last, nil
}

// latencies lists the first n neurons to fire. It keeps one time per neuron.
func (v *view) latencies(w io.Writer, n int) error {
	first := map[uint32]event.Time{}
	var order []network.Spike
	for spikes, err := range v.reader.All() {
		if err != nil {
			return err
		}
		for _, s := range spikes {
			if _, seen := first[s.ID]; !seen {
				first[s.ID] = s.At
				order = append(order, s)
			}
		}
	}
	fmt.Fprintf(w, "\nfirst spikes, %s of %s neurons that fired\n", count(min(n, len(order))), count(len(order)))
	t := table{left: 2}
	for _, s := range order[:min(n, len(order))] {
		t.row("  "+v.neuron(s.ID), s.At.String()+" ms")
	}
	t.write(w)
	return nil
}

// neuron is the name of a neuron, or its population and index.
func (v *view) neuron(id uint32) string {
	if v.manifest != nil {
		for _, p := range v.manifest.Populations {
			if i := id - p.FirstID; id >= p.FirstID && i < uint32(p.N) {
				if int(i) < len(p.Names) {
					return p.Names[i]
				}
				return fmt.Sprintf("%s[%d]", p.Name, i)
			}
		}
	}
	return fmt.Sprint(id)
}
