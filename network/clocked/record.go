package clocked

import (
	"cmp"
	"fmt"
	"slices"

	"hmn/event"
	"hmn/network"
	"hmn/neuron"
)

// record is one Record of the description.
type record struct {
	index  int
	desc   *network.Record
	pop    *population
	rule   *rule
	proj   *projection
	mod    *modulator
	ids    []int
	has    []bool // of populations and projections, by index
	next   event.Time
	values []float64
}

func (e *Engine) makeRecords() error {
	for i := range e.model.Records {
		d := &e.model.Records[i]
		r := &record{index: i, desc: d, next: d.Next(0)}
		size := 0
		switch d.What {
		case network.RecordSpikes, network.RecordVm, network.RecordISyn, network.RecordRate:
			r.pop = e.find(d.Of)
			size = r.pop.desc.N
		case network.RecordModulator:
			k := e.model.FindModulator(d.Of)
			if k < 0 {
				return fmt.Errorf("clocked: record %d: %s of unknown modulator %q", i, d.What, d.Of)
			}
			r.mod = e.mods[k]
		case network.RecordTrials:
			return fmt.Errorf("clocked: record %d: %s need a task, which the clocked engine does not have", i, d.What)
		default:
			k := e.model.FindProjection(d.Of)
			if k < 0 {
				return fmt.Errorf("clocked: record %d: %s of unknown projection %q", i, d.What, d.Of)
			}
			r.proj = e.projs[k]
			r.rule = r.proj.rule
			size = len(r.proj.syn)
			if r.rule == nil && d.What != network.RecordWeight {
				return fmt.Errorf("clocked: record %d: %s of projection %q, which is static", i, d.What, d.Of)
			}
		}
		if d.Every > 0 && d.Every < e.dt {
			return fmt.Errorf("clocked: record %d: %s of %q every %v ms, want at least dt = %v ms", i, d.What, d.Of, d.Every, e.dt)
		}
		r.has = make([]bool, size)
		if r.ids = d.Subset; r.ids == nil {
			for k := range size {
				r.ids = append(r.ids, k)
			}
		}
		for _, k := range r.ids {
			if k < 0 || k >= size {
				return fmt.Errorf("clocked: record %d: %s of %q: subset entry %d, want 0 to %d", i, d.What, d.Of, k, size-1)
			}
			r.has[k] = true
		}
		e.records = append(e.records, r)
	}
	return nil
}

// asked says whether updates or candidates of synapse i are to be recorded. A
// record of weights without interval asks for updates.
func (e *Engine) asked(what string, p *projection, i int) bool {
	for _, r := range e.records {
		if r.proj == p && r.has[i] && (r.desc.What == what ||
			what == network.RecordUpdates && r.desc.What == network.RecordWeight && !r.desc.Sampled()) {
			return true
		}
	}
	return false
}

// due says whether the record is sampled at t: at the first grid point at or
// after each of its times.
func (r *record) due(t event.Time) bool { return r.desc.Sampled() && t >= r.next }

// lookBefore reads the signals of models with their own dynamics, whose neurons
// are about to be advanced over the coming step.
func (e *Engine) lookBefore(t event.Time) {
	for _, r := range e.records {
		if r.pop == nil || r.pop.foreign == nil || !r.due(t) {
			continue
		}
		r.values = r.values[:0]
		for _, i := range r.ids {
			x := 0.0
			if v := r.pop.foreign.state(i, r.desc.What, t); v != nil {
				x = *v
			}
			r.values = append(r.values, x)
		}
	}
}

// write hands out what happened at t.
func (e *Engine) write(t event.Time, rec network.Recorder) error {
	e.collectSpikes(t)
	if err := e.flush(rec); err != nil {
		return err
	}
	for _, r := range e.records {
		if !r.due(t) {
			continue
		}
		r.next = r.desc.Next(t + 1)
		if rec.Samples == nil {
			continue
		}
		if r.pop == nil || r.pop.foreign == nil {
			r.values = e.sample(r, ms(t), r.values[:0])
		}
		if err := rec.Samples.WriteSamples(r.index, t, r.values); err != nil {
			return fmt.Errorf("clocked: at %v ms: recording samples: %w", t, err)
		}
	}
	return nil
}

// sample appends the present values of a signal, t ms after the start.
func (e *Engine) sample(r *record, t float64, dst []float64) []float64 {
	switch q := r.rule; r.desc.What {
	case network.RecordModulator:
		return append(dst, r.mod.e)
	case network.RecordG:
		g, _ := e.modulation(q, 0)
		return append(dst, g)
	case network.RecordGPrime:
		_, g := e.modulation(q, 0)
		return append(dst, g)
	case network.RecordGamma:
		return append(dst, q.gamma...)
	case network.RecordEta:
		return append(dst, q.etaLocal, q.etaGlobal)
	}
	for _, i := range r.ids {
		x := 0.0
		switch r.desc.What {
		case network.RecordVm:
			x = r.pop.cells.potentialSeen[i]
		case network.RecordISyn:
			x = r.pop.cells.total[i]
		case network.RecordRate:
			x = r.pop.units.z[i]
		case network.RecordWeight:
			x = r.proj.weight(i)
		case network.RecordEligibility:
			x = r.rule.eligibility(&r.rule.syn[i], false)
		case network.RecordEligibilityFast:
			x = r.rule.syn[i].fast
		case network.RecordEligibilitySlow:
			x = r.rule.syn[i].slow
		case network.RecordGate:
			x = r.rule.gate(&r.rule.syn[i], t)
		case network.RecordAlpha:
			x = r.rule.syn[i].alpha
		}
		dst = append(dst, x)
	}
	return dst
}

// collectSpikes lists the recorded spikes at t by global number: without any
// record, those of all spiking neurons.
func (e *Engine) collectSpikes(t event.Time) {
	for _, p := range e.pops {
		if p.sendsLevels() {
			continue
		}
		for i, c := range p.spikesAt(e.n) {
			if c > 0 && e.recorded(p, i) {
				for range c {
					e.spikes = append(e.spikes, network.Spike{At: t, ID: p.first + uint32(i)})
				}
			}
		}
	}
}

func (e *Engine) recorded(p *population, i int) bool {
	if len(e.records) == 0 {
		return p.model.Kind == neuron.Spiking
	}
	return slices.ContainsFunc(e.records, func(r *record) bool {
		return r.pop == p && r.desc.What == network.RecordSpikes && r.has[i]
	})
}

// flush hands spikes, updates and candidates to their sinks.
func (e *Engine) flush(rec network.Recorder) error {
	before := func(a, b network.SynapseID) int {
		return cmp.Or(cmp.Compare(a.Projection, b.Projection), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Multapse, b.Multapse))
	}
	slices.SortStableFunc(e.updates, func(a, b network.WeightUpdate) int {
		return cmp.Or(cmp.Compare(a.At, b.At), before(a.Synapse, b.Synapse))
	})
	slices.SortStableFunc(e.candidates, func(a, b network.Candidate) int {
		return cmp.Or(cmp.Compare(a.Close, b.Close), before(a.Synapse, b.Synapse))
	})
	for _, sink := range []struct {
		what  string
		n     int
		write func() error
	}{
		{"spikes", len(e.spikes), func() error {
			if rec.Spikes == nil {
				return nil
			}
			return rec.Spikes.WriteSpikes(e.spikes)
		}},
		{"updates", len(e.updates), func() error { return rec.Updates.WriteUpdates(e.updates) }},
		{"candidates", len(e.candidates), func() error { return rec.Candidates.WriteCandidates(e.candidates) }},
	} {
		if sink.n == 0 {
			continue
		}
		if err := sink.write(); err != nil {
			return fmt.Errorf("clocked: recording %s: %w", sink.what, err)
		}
	}
	e.spikes, e.updates, e.candidates = e.spikes[:0], e.updates[:0], e.candidates[:0]
	return nil
}

// guard stops a run that runs away or falls silent.
type guard struct {
	counted []uint64   // spikes of each population at the start of the guard window
	fired   uint64     // spikes of neurons so far
	next    event.Time // end of the guard window
	last    event.Time // latest spike of a neuron
}

// watch judges the time up to t.
func (e *Engine) watch(t event.Time) error {
	g, set := &e.guard, &e.model.Guard
	if set.Silence > 0 {
		fired, name := uint64(0), ""
		for _, p := range e.pops {
			if p.model.Kind == neuron.Spiking {
				fired += p.fired
				name = p.desc.Name
			}
		}
		if fired != g.fired {
			g.fired, g.last = fired, t-e.dt
		}
		if name != "" && t-g.last >= set.Silence {
			return &network.StoppedError{At: g.last + set.Silence, Population: name, Reason: fmt.Sprintf("no neuron fired for %v ms (guard.silence)", set.Silence)}
		}
	}
	if set.Window == 0 || set.MaxRateHz == 0 {
		return nil
	}
	if g.next == 0 {
		g.next, g.counted = set.Window, make([]uint64, len(e.pops))
	}
	if t < g.next {
		return nil
	}
	for i, p := range e.pops {
		rate := float64(p.fired-g.counted[i]) / float64(p.desc.N) / set.Window.Seconds()
		if p.model.Kind == neuron.Spiking && rate > set.MaxRateHz {
			return &network.StoppedError{At: g.next, Population: p.desc.Name, Reason: fmt.Sprintf("rate %.4g Hz over %v ms, limit %g Hz (guard.max_rate_hz)", rate, set.Window, set.MaxRateHz)}
		}
		g.counted[i] = p.fired
	}
	g.next += set.Window
	return nil
}
