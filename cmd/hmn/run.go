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
	"hmn/io/export"
	"hmn/io/progress"
	"hmn/io/rundir"
	"hmn/io/spikelog"
	"hmn/network"
	"hmn/network/clocked"
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
directory: manifest.json, record.hmnlog, raster.png, learning.png when the model
learns and something of that is recorded, and candidates.csv when candidates are.

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
	c.Flags().BoolVar(&f.noPlot, "no-plot", false, "do not draw raster.png and learning.png")
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
	man, err := m.manifest(n, workers, began)
	if err != nil {
		return err
	}
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
	table, terr := a.candidates(dir, m, err)
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
	serr := a.summarise(text, n, dir, &man, table, !f.noPlot)
	if f.json {
		serr = errors.Join(serr, writeJSON(a.out, man))
	}
	serr = errors.Join(terr, serr)
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
func build(m *loaded, workers int) (engine, error) {
	if m.Simulation.Engine == network.EngineClocked {
		e, err := clocked.New(m.Model)
		if err != nil {
			return nil, &failure{codeBadInput, err}
		}
		return clockedEngine{e, m.Model}, nil
	}
	n, err := network.Build(m.Model, network.Options{Workers: workers, MaxBytes: m.maxBytes})
	switch {
	case errors.Is(err, network.ErrTooLarge):
		return nil, badInput("%w; --max-memory sets the limit", err)
	case err != nil:
		return nil, &failure{codeBadInput, err}
	}
	return eventEngine{n}, nil
}

// manifest is what is known of a run before it starts.
func (m *loaded) manifest(n engine, workers int, began time.Time) (rundir.Manifest, error) {
	s := n.Stats()
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
		k, err := m.entities(n, i)
		if err != nil {
			return man, err
		}
		if k == 0 && r.Sampled() {
			return man, badInput("hmn: record %d (%s): %q has no synapses, so there is nothing to sample", i, r.What, r.Of)
		}
		man.Records = append(man.Records, rundir.Record{What: r.What, Of: r.Of, N: k, EveryMS: rundir.MS(r.Every), File: rundir.RecordName})
	}
	if len(m.Records) == 0 {
		for i := range m.Populations {
			if p := &m.Populations[i]; kindOf(p.Model) == neuron.Spiking {
				man.Records = append(man.Records, rundir.Record{What: network.RecordSpikes, Of: p.Name, N: p.N, File: rundir.RecordName})
			}
		}
	}
	return man, nil
}

// entities is the number of entities that record i writes: neurons, synapses,
// or columns.
func (m *loaded) entities(n engine, i int) (int, error) {
	r := &m.Records[i]
	switch {
	case r.Subset != nil:
		return len(r.Subset), nil
	case ofUpdates(r), ofCandidates(r):
		k := 0
		for w := range n.weights(m.FindProjection(r.Of)) {
			k += len(w)
		}
		return k, nil
	case r.What == network.RecordTrials:
		columns, err := m.trialColumns()
		return len(columns), err
	case slices.Contains(network.PerSynapse, r.What), slices.Contains(network.PerProjection, r.What), r.What == network.RecordModulator:
		return n.width(i), nil
	}
	return m.population(r.Of).N, nil
}

// trialColumns names what the task reports per trial.
func (m *loaded) trialColumns() ([]string, error) {
	t, ok := network.LookupTask(m.Task.Name)
	if !ok {
		return nil, fmt.Errorf("hmn: the model has no task %q", m.Task.Name)
	}
	task, err := t.New(m.Task.Params, m.Model)
	if err != nil {
		return nil, &failure{codeBadInput, err}
	}
	return task.Columns(), nil
}

// meta describes the record of a model.
func (m *loaded) meta(n engine) (spikelog.Meta, error) {
	meta := spikelog.Meta{Model: m.Name}
	id := uint32(0)
	for i := range m.Populations {
		p := &m.Populations[i]
		meta.Populations = append(meta.Populations, spikelog.Population{Name: p.Name, FirstID: id, N: p.N})
		id += uint32(p.N)
	}
	for i := range m.Projections {
		p := &m.Projections[i]
		of := func(is func(*network.Record) bool) bool {
			return m.asks(func(r *network.Record) bool { return is(r) && r.Of == p.Name })
		}
		meta.Projections = append(meta.Projections, spikelog.Projection{
			Name: p.Name, Source: p.Source, Target: p.Target, Updates: of(ofUpdates), Candidates: of(ofCandidates),
		})
	}
	for i := range m.Modulators {
		meta.Modulators = append(meta.Modulators, m.Modulators[i].Name)
	}
	for i := range m.Records {
		r := &m.Records[i]
		if !sampled(r) {
			continue
		}
		s := spikelog.Signal{Record: i, What: r.What, Of: r.Of, Unit: m.unit(r), Every: r.Every}
		var err error
		if s.N, err = m.entities(n, i); err != nil {
			return meta, err
		}
		switch {
		case perSynapse(r):
			list, err := n.labels(i)
			if err != nil {
				return meta, err
			}
			for _, x := range list {
				s.Synapses = append(s.Synapses, spikelog.Synapse{Source: x.Source, Target: x.Target, Multapse: x.Multapse})
			}
		case r.What == network.RecordTrials:
			s.Columns, err = m.trialColumns()
		case r.What == network.RecordModulator:
			s.Columns = []string{r.Of}
		case r.What == network.RecordGamma:
			s.Columns = meta.Modulators
		case r.What == network.RecordEta:
			s.Columns = []string{"eta_local", "eta_global"}
		case slices.Contains(network.PerProjection, r.What):
			s.Columns = []string{r.What}
		default:
			s.Subset = r.Subset
		}
		if err != nil {
			return meta, err
		}
		meta.Signals = append(meta.Signals, s)
	}
	return meta, nil
}

// unit is that of a sampled signal; "" where it has none of its own or is not
// known.
func (m *loaded) unit(r *network.Record) string {
	if r.What == network.RecordISyn {
		return "pA"
	}
	if p := m.population(r.Of); p != nil && !slices.Contains(network.PerSynapse, r.What) {
		if nm, ok := neuron.Lookup(p.Model); ok {
			if q, ok := nm.State(r.What); ok {
				return q.Unit
			}
		}
		return ""
	}
	i := m.FindProjection(r.Of)
	if i < 0 {
		return ""
	}
	p := m.population(m.Projections[i].Target)
	if p == nil {
		return ""
	}
	nm, ok := neuron.Lookup(p.Model)
	if !ok {
		return ""
	}
	rates := nm.Kind == neuron.Rate || nm.Kind == neuron.LevelSource
	weight := nm.WeightUnit
	if weight == "" {
		weight = "1"
	}
	switch r.What {
	case network.RecordWeight:
		return weight
	case network.RecordEta: // [w]/ms for spikes, [w]/ms² for rates
		if rates {
			return weight + "/ms²"
		}
		return weight + "/ms"
	case network.RecordEligibility, network.RecordEligibilityFast, network.RecordEligibilitySlow:
		if rates {
			return "ms"
		}
	}
	return "1"
}

// candidates writes candidates.csv when candidates were recorded, so that they
// can be compared without another command. It gives the name of the file.
func (a *app) candidates(dir *rundir.Dir, m *loaded, failed error) (path string, err error) {
	var bug *panicError
	if !m.asks(ofCandidates) || errors.As(failed, &bug) {
		return "", nil
	}
	res, err := export.Run(dir.Path(), export.Request{Format: "csv", What: export.Candidates})
	if err != nil {
		return "", fmt.Errorf("hmn: the record is complete, but candidates.csv could not be written: %w", err)
	}
	return res[0].Path, nil
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
func (a *app) record(ctx context.Context, n engine, dir *rundir.Dir, m *loaded, man *rundir.Manifest, quiet bool) error {
	man.Status = rundir.Stopped // unless it turns out otherwise
	meta, err := m.meta(n)
	if err != nil {
		man.Reason = err.Error()
		return err
	}
	log, err := a.createLog(dir.Path(rundir.RecordName), meta)
	if err != nil {
		man.Reason = err.Error()
		return err
	}
	hash := rundir.NewResultHasher()
	line := progress.New(a.err)
	flushed := time.Now()
	began := time.Now()
	rec := network.Recorder{
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
	}
	learned := newTally(meta)
	if m.asks(ofUpdates) {
		rec.Updates = counted{log: log, tally: learned}
	}
	if m.asks(ofCandidates) {
		rec.Candidates = counted{log: log, tally: learned}
	}
	err = advance(ctx, n, m.Simulation.Duration, rec)
	wall := time.Since(began).Seconds()
	line.Done()
	cerr := log.Close()

	s := n.Stats()
	man.SimulatedMS = rundir.MS(s.Now)
	man.Spikes = 0 // of neurons; those of sources are in their rates
	man.SynapticEvents = s.SynapticEvents
	all := learned.sum()
	man.Updates, man.Candidates = all.Updates, all.Candidates
	man.WallS = rundir.Number(wall)
	man.RealTimeFactor = rundir.Number(wall / s.Now.Seconds())
	// By name: the order of tables in the file is no part of the result.
	byName := make([]int, len(m.Projections))
	for i := range byName {
		byName[i] = i
	}
	slices.SortFunc(byName, func(a, b int) int { return cmp.Compare(m.Projections[a].Name, m.Projections[b].Name) })
	for _, i := range byName {
		for w := range n.weights(i) {
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
func advance(ctx context.Context, n engine, d event.Time, rec network.Recorder) (err error) {
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
	neurons := fmt.Sprintf("%s in %d %s", count(s.Neurons), len(m.Populations), plural(len(m.Populations), "population"))
	synapses := count(s.Synapses)
	if m.Simulation.Engine != network.EngineClocked { // which has neither
		neurons += fmt.Sprintf(", %d %s", s.Blocks, plural(s.Blocks, "block"))
		synapses += ", " + size(float64(s.SynapseBytes))
	}
	t.row("neurons", neurons)
	t.row("synapses", synapses)
	if m.Simulation.Engine == network.EngineClocked {
		t.row("engine", fmt.Sprintf("clocked, dt %s ms, 1 worker", s.Window))
	} else {
		t.row("window", fmt.Sprintf("%s ms, %d %s", s.Window, workers, plural(workers, "worker")))
	}
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

// summarise reads the record back, draws it and prints what came of the run;
// candidates names the file of them, if there is one.
func (a *app) summarise(w io.Writer, n engine, dir *rundir.Dir, man *rundir.Manifest, candidates string, draw bool) error {
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
	if s.SynapticEvents >= 100_000 { // below, the cost is that of other things
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
	if updates, cands := man.Updates, man.Candidates; v.learns() {
		line := fmt.Sprintf("%s recorded, %s per second", count(updates), digits(float64(updates)/s.Now.Seconds(), 3))
		if cands > 0 {
			line += fmt.Sprintf("; %s candidates", count(cands))
		}
		t.row("weight updates", line)
	}
	t.row("record", v.recordLine())
	if candidates != "" {
		t.row("candidates", candidates)
	}
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
		path = dir.Path("learning.png")
		note, err = v.plotLearning(plotOptions{to: s.Now, out: path})
		switch {
		case errors.Is(err, errNothingToDraw):
		case err != nil:
			perr = errors.Join(perr, fmt.Errorf("hmn: the record is complete, but the plot of its learning failed: %w", err))
		default:
			if note != "" {
				path += " (" + note + ")"
			}
			t.row("learning", path)
		}
	}
	t.write(w)
	d := quoteArg(dir.Path())
	fmt.Fprintf(w, "\nnext: hmn info %s\n      hmn plot %s --from %s\n      hmn export %s --format csv\n", d, d, quoteArg(timeText(s.Now/10*9)), d)
	return perr
}
