package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hmn/event"
	"hmn/io/progress"
	"hmn/io/rundir"
	"hmn/io/spikelog"
	"hmn/network"
	"hmn/neuron"
)

// runFlags are the flags of hmn run.
type runFlags struct {
	model     modelFlags
	out       string
	workers   int
	json      bool
	quiet     bool
	overwrite bool
	noPlot    bool
	profiles  profiles
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run MODEL",
		Short: "Run a model and record it",
		Long: `Run a model, given as a file or by the name of a shipped model (hmn models),
and write what its [[record]] tables ask for, all spikes without any, into a run
directory: manifest.json, record.hmnlog and raster.png.

No result depends on --workers. The real-time factor is wall time per simulated
time. Ctrl-C ends the run at the next window with a complete record.

Exit codes: 0 done, 2 bad input (nothing written), 3 stopped by a guard,
130 interrupted, 1 other failure.`,
		Example:           "  hmn run cuba\n  hmn run model.toml --duration \"20 s\" --seed 7 --set population.E.n=1000 --out runs/long",
		Args:              wantArgs(1, 1, "MODEL"),
		ValidArgsFunction: firstArg(completeModel),
		RunE: func(c *cobra.Command, args []string) error {
			return f.profiles.around(func() error { return a.run(c, &f, args[0]) })
		},
	}
	f.model.register(c)
	c.Flags().StringVar(&f.out, "out", "", "the run `DIR`ectory (default runs/ and the model's name)")
	c.Flags().IntVar(&f.workers, "workers", 0, "advance the network with `N` goroutines (default: one per processor)")
	c.Flags().BoolVar(&f.json, "json", false, "print the manifest as one JSON object instead of tables")
	c.Flags().BoolVar(&f.quiet, "quiet", false, "print errors only")
	c.Flags().BoolVar(&f.overwrite, "overwrite", false, "replace the run in the directory")
	c.Flags().BoolVar(&f.noPlot, "no-plot", false, "do not draw raster.png")
	f.profiles.flags(c)
	c.MarkFlagDirname("out")
	return c
}

// checkWorkers gives the number of workers, 0 standing for one per processor.
func checkWorkers(c *cobra.Command, n int) (int, error) {
	const most = 1024
	if n < 0 || n > most {
		return 0, badInput("%s: --workers %d: want 0 (one per processor) to %d", c.CommandPath(), n, most)
	}
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return n, nil
}

// run builds and runs a model. Everything that can be wrong with the input is
// found before the first file is written.
func (a *app) run(c *cobra.Command, f *runFlags, arg string) error {
	workers, err := checkWorkers(c, f.workers)
	if err != nil {
		return err
	}
	m, err := f.model.load(c, arg, true)
	if err != nil {
		return err
	}
	out := f.out
	if out == "" {
		out = filepath.Join("runs", m.Name)
	}
	if err := checkOut(out, f.overwrite); err != nil {
		return err
	}

	began := time.Now()
	n, err := build(m, workers)
	if err != nil {
		return err
	}
	defer n.Close()
	s := n.Stats()
	man := m.manifest(&s, workers, began)
	man.BuildS = rundir.Number(time.Since(began).Seconds())

	text := io.Writer(a.out) // for people
	if f.json || f.quiet {
		text = io.Discard
	}
	header(text, m, &s, workers, out)

	ctx, stop := a.signals()
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal kills
	dir, err := rundir.Create(out, f.overwrite, man)
	if errors.Is(err, rundir.ErrExists) || errors.Is(err, rundir.ErrNotRun) {
		return &failure{codeBadInput, err}
	} else if err != nil {
		return err
	}
	err = a.record(ctx, n, dir, m, &man, f.quiet)
	stop()
	if werr := dir.Write(man); werr != nil {
		err = errors.Join(err, fmt.Errorf("hmn: the manifest in %s could not be finished: %w", out, werr))
	}
	var bug *panicError
	if errors.As(err, &bug) {
		return err
	}
	if man.Status == rundir.Interrupted {
		f.noPlot = true // nobody who stops a run waits for a picture
	}
	serr := a.summarise(text, n, dir, &man, !f.noPlot)
	if f.json {
		serr = errors.Join(serr, writeJSON(a.out, man))
	}
	if err == nil {
		return serr // a failure of the run goes before one of its summary
	}
	return err
}

// checkOut refuses a directory before a network is built for it.
func checkOut(out string, overwrite bool) error {
	entries, err := os.ReadDir(out)
	_, serr := os.Stat(out)
	switch {
	case errors.Is(serr, os.ErrNotExist):
		return nil
	case !overwrite && rundir.IsRun(out):
		return badInput("hmn: %s holds a run already: give --overwrite to replace it, or another --out", out)
	case !overwrite:
		return badInput("hmn: %s exists already: give another --out", out)
	case err != nil:
		return badInput("hmn: --out: %w", err)
	case len(entries) > 0 && !rundir.IsRun(out):
		return badInput("hmn: %s exists and is not the directory of a run: nothing was removed, give another --out", out)
	}
	return nil
}

// build makes the network. What is wrong here is wrong with the model.
func build(m *loaded, workers int) (*network.Network, error) {
	n, err := network.Build(m.Model, network.Options{Workers: workers, MaxBytes: m.maxBytes})
	switch {
	case errors.Is(err, network.ErrTooLarge):
		return nil, badInput("%w; --max-memory sets the limit", err)
	case err != nil:
		return nil, &failure{codeBadInput, err}
	}
	return n, nil
}

// manifest is what is known of a run before it starts.
func (m *loaded) manifest(s *network.Stats, workers int, began time.Time) rundir.Manifest {
	man := rundir.Manifest{
		Model:       string(m.source.Text),
		ModelName:   m.Name,
		ModelSHA256: m.textHash(),
		Seed:        m.Simulation.Seed,
		Version:     versionText(),
		Status:      rundir.Running,
		Workers:     workers,
		DurationMS:  rundir.MS(m.Simulation.Duration),
		Neurons:     s.Neurons,
		Synapses:    s.Synapses,
		Overrides:   m.overrides,
		Notes:       m.notes(),
		Started:     began.UTC().Truncate(time.Millisecond),
	}
	man.Populations = []rundir.Population{} // [] in JSON, not null
	man.Records = []rundir.Record{}
	if man.Overrides == nil {
		man.Overrides = []string{}
	}
	if man.Notes == nil {
		man.Notes = []string{}
	}
	id := uint32(0)
	for i := range m.Populations {
		p := &m.Populations[i]
		man.Populations = append(man.Populations, rundir.Population{Name: p.Name, Model: p.Model, N: p.N, FirstID: id, Names: p.Names})
		man.MeanRateHz = append(man.MeanRateHz, rundir.Rate{Population: p.Name, Hz: rundir.Number(math.NaN())})
		id += uint32(p.N)
	}
	for i := range m.Records {
		r := &m.Records[i]
		man.Records = append(man.Records, rundir.Record{What: r.What, Of: r.Of, N: m.entities(r), EveryMS: rundir.MS(r.Every), File: rundir.RecordName})
	}
	if len(m.Records) == 0 {
		for i := range m.Populations {
			if p := &m.Populations[i]; kindOf(p.Model) == neuron.Spiking {
				man.Records = append(man.Records, rundir.Record{What: network.RecordSpikes, Of: p.Name, N: p.N, File: rundir.RecordName})
			}
		}
	}
	return man
}

// entities is the number of entities that a record writes.
func (m *loaded) entities(r *network.Record) int {
	if r.Subset != nil {
		return len(r.Subset)
	}
	if p := m.population(r.Of); p != nil {
		return p.N
	}
	return 0
}

// meta describes the record of a model.
func (m *loaded) meta() spikelog.Meta {
	meta := spikelog.Meta{Model: m.Name}
	id := uint32(0)
	for i := range m.Populations {
		p := &m.Populations[i]
		meta.Populations = append(meta.Populations, spikelog.Population{Name: p.Name, FirstID: id, N: p.N})
		id += uint32(p.N)
	}
	for i := range m.Records {
		if r := &m.Records[i]; sampled(r) {
			meta.Signals = append(meta.Signals, spikelog.Signal{Record: i, What: r.What, Of: r.Of, N: m.entities(r), Subset: r.Subset, Every: r.Every})
		}
	}
	return meta
}

func kindOf(model string) neuron.Kind {
	if nm, ok := neuron.Lookup(model); ok {
		return nm.Kind
	}
	return 0
}

// sends reports whether a model sends spikes.
func sends(model string) bool {
	k := kindOf(model)
	return k == neuron.Spiking || k == neuron.SpikeSource
}

// flushEvery is how much a killed run can lose, in wall time.
const flushEvery = 5 * time.Second

// record runs the network into the record of dir and completes the manifest
// with what came of it. The record is closed in any case.
func (a *app) record(ctx context.Context, n *network.Network, dir *rundir.Dir, m *loaded, man *rundir.Manifest, quiet bool) error {
	man.Status = rundir.Stopped // unless it turns out otherwise
	log, err := a.createLog(dir.Path(rundir.RecordName), m.meta())
	if err != nil {
		man.Reason = err.Error()
		return err
	}
	hash := rundir.NewResultHasher()
	line := progress.New(a.err)
	flushed := time.Now()
	began := time.Now()
	err = advance(ctx, n, m.Simulation.Duration, network.Recorder{
		Spikes:  rundir.Tee(log, hash),
		Samples: log,
		Progress: func(p network.Progress) {
			if !quiet {
				line.Update(p)
			}
			if time.Since(flushed) > flushEvery {
				log.Flush() // an error comes back from the next write, and from Close
				flushed = time.Now()
			}
			a.observe(p)
		},
	})
	wall := time.Since(began).Seconds()
	line.Done()
	cerr := log.Close()

	s := n.Stats()
	man.SimulatedMS = rundir.MS(s.Now)
	man.Spikes = 0 // of neurons; those of sources are in their rates
	man.SynapticEvents = s.SynapticEvents
	man.WallS = rundir.Number(wall)
	man.RealTimeFactor = rundir.Number(wall / s.Now.Seconds())
	// By name: the order of tables in the file is no part of the result.
	byName := make([]int, len(m.Projections))
	for i := range byName {
		byName[i] = i
	}
	slices.SortFunc(byName, func(a, b int) int { return cmp.Compare(m.Projections[a].Name, m.Projections[b].Name) })
	for _, i := range byName {
		for w := range n.Weights(i) {
			hash.AddWeights(m.Projections[i].Name, w)
		}
	}
	man.ResultHash = hash.Sum()
	for i := range man.MeanRateHz {
		p := &m.Populations[i]
		if kindOf(p.Model) == neuron.Spiking {
			man.Spikes += s.PopSpikes[i]
		}
		if sends(p.Model) {
			man.MeanRateHz[i].Hz = rundir.Number(float64(s.PopSpikes[i]) / float64(p.N) / s.PopSpan[i].Seconds())
		}
	}

	look := "; hmn info " + quoteArg(dir.Path()) + " shows it"
	complete := fmt.Sprintf("hmn: the record up to t = %s ms is complete%s", s.Now, look)
	var stopped *network.StoppedError
	var bug *panicError
	switch {
	case cerr != nil:
		man.Reason = "recording failed: " + cerr.Error()
		return fmt.Errorf("hmn: recording failed: %w\nhmn: the record is intact up to t = %s ms%s", cerr, intact(dir), look)
	case err == nil:
		man.Status = rundir.Done
		return nil
	case errors.Is(err, context.Canceled):
		man.Status, man.Reason = rundir.Interrupted, "signal"
		return &failure{codeInterrupted, fmt.Errorf("hmn: interrupted at t = %s of %s ms\n%s", s.Now, m.Simulation.Duration, complete)}
	}
	man.Reason = err.Error()
	switch {
	case errors.As(err, &stopped):
		return &failure{codeStopped, fmt.Errorf("%w\n%s", err, complete)}
	case errors.As(err, &bug):
		return err
	}
	return fmt.Errorf("%w\n%s", err, complete)
}

// advance runs the network; a panic in it becomes an error, so that the record
// can be closed.
func advance(ctx context.Context, n *network.Network, d event.Time, rec network.Recorder) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = newPanicError(p)
		}
	}()
	return n.Run(ctx, d, rec)
}

// intact is the time of the last spike or sample that can be read.
func intact(dir *rundir.Dir) event.Time {
	r, err := spikelog.Open(dir.Path(rundir.RecordName))
	if err != nil {
		return 0
	}
	defer r.Close()
	_, last, _ := r.Span()
	return last
}

// quoteArg makes a name safe to paste into a shell.
func quoteArg(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("-_./:=+@%,", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// header says what is about to run.
func header(w io.Writer, m *loaded, s *network.Stats, workers int, out string) {
	from := m.source.Name
	if m.shipped {
		from = "shipped"
	}
	var t table
	t.left = 2
	t.row("model", fmt.Sprintf("%s (%s)", m.Name, from))
	t.row("neurons", fmt.Sprintf("%s in %d %s, %d %s", count(s.Neurons), len(m.Populations), plural(len(m.Populations), "population"), s.Blocks, plural(s.Blocks, "block")))
	t.row("synapses", fmt.Sprintf("%s, %s", count(s.Synapses), size(float64(s.SynapseBytes))))
	t.row("window", fmt.Sprintf("%s ms, %d %s", s.Window, workers, plural(workers, "worker")))
	t.row("run", fmt.Sprintf("%s, seed %d, into %s", timeText(m.Simulation.Duration), m.Simulation.Seed, out))
	t.write(w)
	for _, note := range m.Notes {
		fmt.Fprintln(w, "note:", note)
	}
	fmt.Fprintln(w)
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// summarise reads the record back, draws it and prints what came of the run.
func (a *app) summarise(w io.Writer, n *network.Network, dir *rundir.Dir, man *rundir.Manifest, draw bool) error {
	v, err := openRun(dir.Path())
	if err != nil {
		return err
	}
	defer v.close()
	if w == io.Discard && !draw {
		return nil
	}
	if err := v.measure(); err != nil {
		return err
	}
	v.rates(w)
	fmt.Fprintln(w)

	s := n.Stats()
	var t table
	t.left = 2
	wall := float64(man.WallS)
	events := count(s.SynapticEvents)
	if s.SynapticEvents > 0 {
		events += fmt.Sprintf(", %s ns each", digits(wall*1e9/float64(s.SynapticEvents), 3))
	}
	if s.ExternalEvents > 0 {
		events += fmt.Sprintf("; %s of them external", count(s.ExternalEvents))
	}
	t.row("synaptic events", events)
	if s.RateChanges > 0 {
		t.row("rate changes", count(s.RateChanges))
	}
	t.row("simulated", timeText(s.Now))
	t.row("wall time", fmt.Sprintf("%s, real-time factor %s; built in %s", seconds(wall), digits(float64(man.RealTimeFactor), 3), seconds(float64(man.BuildS))))
	t.row("record", v.recordLine())
	t.row("result hash", man.ResultHash[:16]+"…")
	var perr error
	if draw && s.Now > 0 {
		path := dir.Path("raster.png")
		note, err := v.plot(plotOptions{to: s.Now, out: path})
		switch {
		case errors.Is(err, errNothingToDraw):
		case err != nil:
			perr = fmt.Errorf("hmn: the record is complete, but its plot failed: %w", err)
		default:
			if note != "" {
				path += " (" + note + ")"
			}
			t.row("raster", path)
		}
	}
	t.write(w)
	d := quoteArg(dir.Path())
	fmt.Fprintf(w, "\nnext: hmn info %s\n      hmn plot %s --from %s\n      hmn export %s --format csv\n", d, d, quoteArg(timeText(s.Now/10*9)), d)
	return perr
}
