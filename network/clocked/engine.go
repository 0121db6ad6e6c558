package clocked

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hmn/event"
	"hmn/network"
	"hmn/neuron"
)

// Engine is a model on a grid of time. It is not safe for concurrent use. After
// a Run that returned an error other than that of its context it is of no use.
type Engine struct {
	// Midpoint evaluates traces and modulators in the middle of each step instead
	// of at its left end, and integrates the gate over the part of the step that
	// lies in a window instead of sampling it. It is to be set before the first
	// Run.
	Midpoint bool

	model *network.Model
	dt    event.Time
	h     float64    // Δt [ms]
	n     int64      // next grid point
	now   event.Time // results are delivered up to here

	pops   []*population
	projs  []*projection
	rules  []*rule // of the plastic projections
	groups []*group
	mods   []*modulator
	meta   *meta // nil: off
	order  []unit

	records    []*record
	spikes     []network.Spike
	updates    []network.WeightUpdate
	candidates []network.Candidate
	wantC      bool // the present Run has a sink for candidates
	wantU      bool

	guard  guard
	stats  network.Stats
	failed error
}

// ErrFailed reports a Run of an engine whose last Run failed.
var ErrFailed = errors.New("clocked: the last run failed; make a new engine")

// New makes the engine of a model, which must not change afterwards. The step is
// Simulation.Dt. What the engine does not know is refused by name: tasks, meta
// periods counted in trials, built-in modulators (they need a task), and synapse
// models other than static and hmn.
func New(m *network.Model) (*Engine, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	e := &Engine{model: m, dt: m.Simulation.Dt, h: ms(m.Simulation.Dt)}
	switch {
	case e.dt <= 0:
		return nil, fmt.Errorf("clocked: simulation: dt %v ms, want a positive step", e.dt)
	case m.Task != nil:
		return nil, fmt.Errorf("clocked: task %q: the clocked engine has no tasks, want engine = %q", m.Task.Name, network.EngineEvent)
	}
	for _, build := range []func() error{e.makePopulations, e.makeProjections, e.makeOrder, e.makeModulators, e.makeGroups, e.makeMeta, e.makeRecords} {
		if err := build(); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// ms is a duration in milliseconds.
func ms(t event.Time) float64 { return float64(t) / 1e9 }

// steps is a delay in steps, rounded to nearest.
func (e *Engine) steps(d event.Time) int64 { return int64((d + e.dt/2) / e.dt) }

// Now is the simulated time up to which results were delivered.
func (e *Engine) Now() event.Time { return e.now }

// Run advances the network by d, which need not be a whole number of steps, and
// hands its results to rec. It covers the grid points in [now, now + d), and
// decides the windows that close at or before now + d. Run(a) and then Run(b)
// give the same as Run(a + b). A cancelled context ends it between two steps.
func (e *Engine) Run(ctx context.Context, d event.Time, rec network.Recorder) error {
	if e.failed != nil {
		return ErrFailed
	}
	if d < 0 || d > event.MaxTime-e.now-event.Second {
		return fmt.Errorf("clocked: run of %v ms from %v ms: %w", d, e.now, event.ErrRange)
	}
	err := e.run(ctx, e.now+d, rec)
	if err != nil && err != ctx.Err() {
		e.failed = err
	}
	return err
}

func (e *Engine) run(ctx context.Context, end event.Time, rec network.Recorder) error {
	last := time.Now()
	e.wantC, e.wantU = rec.Candidates != nil, rec.Updates != nil
	for t := e.time(e.n); t < end; t = e.time(e.n) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.step(t, rec); err != nil {
			return err
		}
		e.now = min(e.time(e.n), end)
		if err := e.watch(e.now); err != nil {
			return err
		}
		if rec.Progress != nil && time.Since(last) > 100*time.Millisecond {
			last = time.Now()
			rec.Progress(network.Progress{Now: e.now, End: end, Spikes: e.stats.Spikes})
		}
	}
	e.commit(end, false)
	if err := e.flush(rec); err != nil {
		return err
	}
	e.now = end
	if rec.Progress != nil {
		rec.Progress(network.Progress{Now: e.now, End: end, Spikes: e.stats.Spikes})
	}
	return nil
}

// time is t_n.
func (e *Engine) time(n int64) event.Time { return event.Time(n) * e.dt }

// step handles the grid point t = t_n and the step that begins there.
func (e *Engine) step(t event.Time, rec network.Recorder) error {
	e.commit(t-1, false)
	e.modulate(t)
	e.playSources(t)
	e.deliver(t, false)
	e.lookBefore(t)
	if err := e.moveNeurons(t); err != nil {
		return err
	}
	e.deliver(t, true)
	e.trace(t)
	e.attend()
	e.countSpikes()
	e.commit(t, true)
	if err := e.write(t, rec); err != nil {
		return err
	}
	e.drift(t)
	e.decay()
	e.n++
	e.stats.Windows++
	e.endPeriod(e.time(e.n))
	return nil
}

// Weights are the weights of a projection, with their sign, in the order of
// network.Synapses. The slice is new.
func (e *Engine) Weights(projection int) []float64 {
	p := e.projs[projection]
	w := make([]float64, len(p.syn))
	for i := range w {
		w[i] = p.weight(i)
	}
	return w
}

// Stats counts what the engine has done: Window is Δt, Windows the steps taken.
func (e *Engine) Stats() network.Stats {
	s := e.stats
	s.Now, s.Window = e.now, e.dt
	s.PopSpikes, s.PopSpan = make([]uint64, len(e.pops)), make([]event.Time, len(e.pops))
	for i, p := range e.pops {
		s.PopSpikes[i], s.PopSpan[i] = p.fired, e.now
		s.Neurons += p.desc.N
	}
	for _, p := range e.projs {
		s.Synapses += int64(len(p.syn))
	}
	return s
}

// population is one population of the description and what it sends.
type population struct {
	desc  *network.Population
	model *neuron.Model
	index int
	first uint32
	fired uint64

	// What it sent at the last grid points, by n mod the number of slots:
	// spikes of each neuron, or outputs of rate units and level sources.
	spikes [][]int
	out    [][]float64
	// What acts on it at the coming grid points, by n mod the number of slots:
	// weights of arriving spikes by port, and Σ w·level.
	input   [][][]float64
	current [][]float64

	// One of them, by kind of model.
	cells   *membranes
	foreign *foreign
	units   *units
	train   *neuron.Reader
	levels  *neuron.Levels
}

// slot is the place of grid point n, before 0 perhaps, in a ring.
func slot(n int64, ring int) int {
	k := int(n % int64(ring))
	if k < 0 {
		k += ring
	}
	return k
}

// spikesAt is what its neurons sent at grid point n.
func (p *population) spikesAt(n int64) []int { return p.spikes[slot(n, len(p.spikes))] }

// outAt are its outputs at grid point n; those before 0 are the start values.
func (p *population) outAt(n int64) []float64 { return p.out[slot(n, len(p.out))] }

func (p *population) sendsLevels() bool {
	return p.model.Kind == neuron.Rate || p.model.Kind == neuron.LevelSource
}

func (p *population) receives() bool {
	return p.model.Kind == neuron.Spiking || p.model.Kind == neuron.Rate
}

func (e *Engine) makePopulations() error {
	var first uint32
	for i := range e.model.Populations {
		d := &e.model.Populations[i]
		nm, _ := neuron.Lookup(d.Model)
		p := &population{desc: d, model: nm, index: i, first: first}
		first += uint32(d.N)
		e.pops = append(e.pops, p)
		var err error
		switch {
		case nm.Linear():
			p.cells, err = e.newMembranes(p)
		case nm.Kind == neuron.Spiking:
			p.foreign, err = e.newForeign(p)
		case nm.Kind == neuron.Rate:
			p.units, err = e.newUnits(p)
		case nm.Kind == neuron.SpikeSource:
			var t neuron.Train
			t, err = neuron.NewTrain(d.Model, d.Params, d.N, e.model.Simulation.Seed, d.Name, d.Trains)
			if err == nil {
				p.train = neuron.NewReader(t, 0, d.N)
			}
		default:
			p.levels, err = neuron.NewLevels(d.Model, d.Params, d.N, e.model.Simulation.Seed, d.Name)
		}
		if err != nil {
			return fmt.Errorf("clocked: population %q: %w", d.Name, err)
		}
	}
	return nil
}

// makeRings makes room for what the delays of the projections need.
func (e *Engine) makeRings() {
	for _, p := range e.pops {
		back, ahead := int64(2), int64(1) // the output before is looked at
		for _, q := range e.projs {
			for _, s := range q.syn {
				if q.src == p {
					back = max(back, s.axonal+1)
				}
				if q.tgt == p {
					back, ahead = max(back, s.dendritic+1), max(ahead, s.dendritic+1)
				}
			}
		}
		n := p.desc.N
		for range back {
			if p.sendsLevels() {
				out := make([]float64, n)
				if p.units != nil {
					copy(out, p.units.start)
				}
				p.out = append(p.out, out)
			} else {
				p.spikes = append(p.spikes, make([]int, n))
			}
		}
		if !p.receives() {
			continue
		}
		for range ahead {
			ports := make([][]float64, len(p.model.Ports))
			for k := range ports {
				ports[k] = make([]float64, n)
			}
			p.input = append(p.input, ports)
			p.current = append(p.current, make([]float64, n))
		}
	}
}

// playSources takes what sources send in (t_n−1, t_n].
func (e *Engine) playSources(t event.Time) {
	from, to := t-e.dt+1, t+1
	if e.n == 0 {
		from = 0
	}
	for _, p := range e.pops {
		switch {
		case p.train != nil:
			sent := p.spikesAt(e.n)
			clear(sent)
			for _, s := range p.train.Spikes(from, to) {
				sent[s.Neuron]++
			}
		case p.levels != nil:
			out := p.outAt(e.n)
			copy(out, p.outAt(e.n-1))
			for _, c := range p.levels.Changes(0, p.desc.N, from, to, nil) {
				out[c.Neuron] = c.New
			}
		}
	}
}

// moveNeurons gives every neuron and rate unit what acts on it at t and lets it
// answer.
func (e *Engine) moveNeurons(t event.Time) error {
	for _, p := range e.pops {
		var err error
		switch {
		case p.cells != nil:
			err = e.fire(p)
		case p.foreign != nil:
			err = e.advanceForeign(p, t)
		}
		if err != nil {
			return &network.StoppedError{At: t, Population: p.desc.Name, Reason: err.Error()}
		}
	}
	return e.computeUnits(t)
}

// endInputs forgets what has acted.
func (p *population) endInputs(n int64) {
	if p.input == nil {
		return
	}
	for _, port := range p.input[slot(n, len(p.input))] {
		clear(port)
	}
	clear(p.current[slot(n, len(p.current))])
}

// decay carries everything to the next grid point.
func (e *Engine) decay() {
	for _, p := range e.pops {
		if p.cells != nil {
			e.relax(p)
		}
		if p.units != nil {
			p.units.pass(e.h)
		}
		p.endInputs(e.n)
	}
	e.decayModulators()
	e.decayActivity()
	e.decayContexts()
	e.decayTraces()
}
