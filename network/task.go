package network

import (
	"errors"
	"fmt"
	"slices"

	"hmn/event"
	"hmn/neuron"
	"hmn/synapse/hmn"
)

// acting is the run-time side of a task and of meta-learning.
type acting struct {
	task    Task
	watcher SpikeWatcher
	signals hmn.Signals
	meta    *hmn.Meta
	loss    hmn.Loss
	named   NamedLoss // the task's own loss, when [meta] asks for it
	trials  int
	spikes  []Spike // of the window, for the watcher
}

// NamedLoss is a Task with losses of its own, by the names that [meta] loss may
// give. EndLoss is the loss of the meta period that ends and begins the next;
// NaN when the period tells nothing.
type NamedLoss interface {
	HasLoss(name string) bool
	EndLoss(name string) float64
}

// Errors of what a task asks for.
var errTask = errors.New("network: task")

func (n *Network) makeTask() error {
	a := &n.acting
	if s := n.model.Task; s != nil {
		tm, ok := LookupTask(s.Name)
		if !ok {
			return fmt.Errorf("network: unknown task %q, want one of %v", s.Name, TaskNames())
		}
		var err error
		if a.task, err = tm.New(s.Params, n.model); err != nil {
			return fmt.Errorf("network: task %q: %w", s.Name, err)
		}
		a.watcher, _ = a.task.(SpikeWatcher)
	}
	m := n.model.Meta
	if m == nil {
		return nil
	}
	var err error
	a.meta, err = hmn.NewMeta(hmn.MetaConfig{Estimator: m.Estimator, C: m.C, Sigma: m.Sigma, Alpha: [2]float64{m.AlphaLocal, m.AlphaGlobal},
		MinFactor: m.MinFactor, MaxFactor: m.MaxFactor, Seed: n.model.Simulation.Seed})
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	if l, ok := a.task.(NamedLoss); ok && l.HasLoss(m.Loss) {
		a.named = l
		return nil
	}
	a.loss, err = hmn.NewLoss(m.Loss)
	return err
}

// resetTask starts the task and meta-learning anew.
func (n *Network) resetTask() error {
	a := &n.acting
	a.signals, a.trials = hmn.Signals{}, 0
	a.loss.End()
	if a.meta != nil {
		fresh, err := hmn.NewMeta(a.meta.Config())
		if err != nil {
			return err
		}
		a.meta = fresh
		n.applyMeta()
		if d := n.model.Meta.Period; d > 0 {
			var period func(event.Time) error
			period = func(t event.Time) error {
				n.endPeriod()
				_, err := n.At(t+d, period)
				return err
			}
			if _, err := n.At(d, period); err != nil {
				return err
			}
		}
	}
	if a.task != nil {
		if err := a.task.Start(n); err != nil {
			return fmt.Errorf("network: task %q: %w", n.model.Task.Name, err)
		}
	}
	return nil
}

// endPeriod ends a period of meta-learning at the present time.
func (n *Network) endPeriod() {
	a := &n.acting
	loss := 0.0
	if a.named != nil {
		loss = a.named.EndLoss(n.model.Meta.Loss)
	} else {
		loss = a.loss.End()
	}
	a.meta.EndPeriod(loss)
	n.applyMeta()
}

// applyMeta lets the factors of meta-learning act from the present time on.
func (n *Network) applyMeta() {
	local, global := n.acting.meta.Factors()
	for _, g := range n.mods.rules {
		if g.rule.hmn == nil {
			continue
		}
		g.local, g.global = float64(g.rule.hmn.par.EtaLocal*local), float64(g.rule.hmn.par.EtaGlobal*global)
		g.publish(n.now)
	}
}

// FreezeMeta stops meta-learning at the present factors, for evaluation, and
// gives the state to return to with RestoreMeta. It reports false when there is
// no [meta].
func (n *Network) FreezeMeta() (hmn.MetaState, bool) {
	if n.acting.meta == nil {
		return hmn.MetaState{}, false
	}
	s := n.acting.meta.State()
	n.acting.meta.Freeze()
	n.applyMeta()
	return s, true
}

// RestoreMeta returns meta-learning to a state that FreezeMeta gave, bit for bit.
func (n *Network) RestoreMeta(s hmn.MetaState) error {
	if n.acting.meta == nil {
		return errors.New("network: no [meta] to restore")
	}
	if err := n.acting.meta.Restore(s); err != nil {
		return err
	}
	n.applyMeta()
	return nil
}

// Now is the time of the task's step: what it does acts from here on.
func (n *Network) Now() event.Time { return n.now }

// pop finds a population for a task.
func (n *Network) popFor(name string, unit int) (*population, error) {
	i := n.model.findPopulation(name)
	if i < 0 {
		return nil, fmt.Errorf("%w: no population %q", errTask, name)
	}
	p := n.pops[i]
	if unit < 0 || unit >= p.desc.N {
		return nil, fmt.Errorf("%w: %s %d, want 0 to %d", errTask, name, unit, p.desc.N-1)
	}
	return p, nil
}

// SetLevel sets the output of a unit of a level source from now on. The
// population has no steps of its own to come.
func (n *Network) SetLevel(population string, unit int, value float64) error {
	p, err := n.popFor(population, unit)
	if err != nil {
		return err
	}
	if p.levels == nil {
		return fmt.Errorf("%w: %s (%s) is no level source", errTask, population, p.desc.Model)
	}
	if p.levels.Noise() {
		return fmt.Errorf("%w: %s (%s) has levels of its own", errTask, population, p.desc.Model)
	}
	h := &p.hist
	if k := len(h.at); k > 0 && h.at[k-1] > n.now {
		return fmt.Errorf("%w: %s has a step of its own at %s ms, after now, %s ms", errTask, population, h.at[k-1], n.now)
	}
	if p.level == nil {
		p.level = make([]float64, p.desc.N)
		for k := range h.at {
			p.level[h.id[k]] = h.to[k]
		}
	}
	if value == p.level[unit] {
		return nil
	}
	h.addChange(neuron.Change{At: n.now, Neuron: uint32(unit), Old: p.level[unit], New: value})
	p.level[unit] = value
	return nil
}

// unitsOf finds the rate unit of a population.
func (n *Network) unitsOf(population string, unit int) (*neuron.RateUnits, error) {
	p, err := n.popFor(population, unit)
	if err != nil {
		return nil, err
	}
	for _, a := range n.blocks {
		if b, ok := a.(*rateBlock); ok {
			if k := b.part(p, unit); k >= 0 {
				return b.parts[k].units, nil
			}
		}
	}
	return nil, fmt.Errorf("%w: %s (%s) is no population of rate units", errTask, population, p.desc.Model)
}

// Clamp holds the output of a rate unit at z from now on.
func (n *Network) Clamp(population string, unit int, z float64) error {
	u, err := n.unitsOf(population, unit)
	if err == nil {
		err = u.Clamp(unit, z)
	}
	return err
}

// Release ends a Clamp.
func (n *Network) Release(population string, unit int) error {
	u, err := n.unitsOf(population, unit)
	if err == nil {
		u.Release(unit)
	}
	return err
}

// Output is the output of a rate unit right before now.
func (n *Network) Output(population string, unit int) (float64, error) {
	u, err := n.unitsOf(population, unit)
	if err != nil {
		return 0, err
	}
	return u.Output(unit), nil
}

// Reward reports a reward in a context (docs/learning.md): built-in modulators
// jump a modulator's delay from now.
func (n *Network) Reward(r float64, context int) error {
	delta, du, err := n.acting.signals.Reward(r, context)
	if err != nil {
		return err
	}
	n.acting.loss.Add(r, delta)
	for k, m := range n.mods.list {
		switch m.desc.Builtin {
		case CentredReward:
			n.mods.enter(jump{n.now + m.delay, k, delta})
		case Uncertainty:
			n.mods.enter(jump{n.now + m.delay, k, du})
		}
	}
	return nil
}

// Onset reports the onset of a stimulus: novelty jumps a modulator's delay from
// now.
func (n *Network) Onset(context int) error {
	x, err := n.acting.signals.Onset(context)
	if err != nil {
		return err
	}
	for k, m := range n.mods.list {
		if m.desc.Builtin == Novelty {
			n.mods.enter(jump{n.now + m.delay, k, x})
		}
	}
	return nil
}

// Inject makes a modulator jump at a time not before now.
func (n *Network) Inject(modulator string, amount float64, at event.Time) error {
	k := n.model.FindModulator(modulator)
	if k < 0 {
		return fmt.Errorf("%w: no modulator %q", errTask, modulator)
	}
	if at < n.now {
		return fmt.Errorf("%w: %w: modulator %q at %s ms, clock %s ms", errTask, event.ErrPast, modulator, at, n.now)
	}
	n.mods.enter(jump{at, k, amount})
	return nil
}

// Weight is the weight of the first synapse from source to target in a plastic
// projection at present.
func (n *Network) Weight(projection string, source, target uint32) (float64, error) {
	i := n.model.FindProjection(projection)
	if i < 0 || n.projs[i].plastic == nil {
		return 0, fmt.Errorf("%w: no plastic projection %q", errTask, projection)
	}
	q := n.projs[i]
	if q.places == nil {
		q.places = n.locate(q)
	}
	k, ok := slices.BinarySearchFunc(q.places, SynapseID{Projection: i, Source: source, Target: target}, func(a located, id SynapseID) int { return a.id.compare(id) })
	if !ok {
		return 0, fmt.Errorf("%w: projection %q has no synapse from %d to %d", errTask, projection, source, target)
	}
	x := q.places[k]
	if x.rp != nil {
		return x.rp.sign(x.rp.l.Weight(x.i, n.now)), nil
	}
	w := x.pl.l.Peek(x.i, source, nil, n.now)
	if x.pl.in.r.Negative {
		w = -w
	}
	return w, nil
}

// ReportTrial records a row of the task's columns at the present time, for
// records of trials, and counts it for meta-learning.
func (n *Network) ReportTrial(values ...float64) error {
	a := &n.acting
	if a.task == nil || len(values) != len(a.task.Columns()) {
		return fmt.Errorf("%w: %d values per trial, want as many as columns", errTask, len(values))
	}
	for i := range n.model.Records {
		if r := &n.model.Records[i]; r.What == RecordTrials {
			n.looks = append(n.looks, sample{i, n.now, slices.Clone(values)})
		}
	}
	if a.trials++; a.meta != nil && n.model.Meta.Trials > 0 && a.trials%n.model.Meta.Trials == 0 {
		n.endPeriod()
	}
	return nil
}

// watchSpikes shows the window's spikes to the task.
func (n *Network) watchSpikes() error {
	a := &n.acting
	if a.watcher == nil {
		return nil
	}
	err := a.watcher.WatchSpikes(n, a.spikes)
	a.spikes = a.spikes[:0]
	if err != nil {
		return fmt.Errorf("network: task %q: %w", n.model.Task.Name, err)
	}
	return nil
}
