package network

import (
	"context"
	"fmt"
	"slices"
	"time"

	"hmn/event"
	"hmn/neuron"
)

func (e *StoppedError) Error() string {
	return fmt.Sprintf("network: stopped at %s ms: population %q: %s", e.At, e.Population, e.Reason)
}

// ErrFailed reports a Run on a network whose last Run ended with an error;
// Reset makes it usable again.
var ErrFailed = fmt.Errorf("network: the last run failed; reset the network before running it again")

// Reset returns the network to the state at t = 0. A Run after it equals the
// first Run of a fresh build bit for bit.
func (n *Network) Reset() error {
	n.now, n.done, n.failed = 0, 0, nil
	n.held, n.looks = n.held[:0], n.looks[:0]
	n.agenda.Clear()
	n.observers.Clear()
	if err := n.observe(); err != nil {
		return err
	}
	for _, p := range n.pops {
		p.hist.reset()
		p.last, p.hits, p.spikes = 1, 0, 0
		p.cut = p.cut[:0]
		p.until, p.level, p.nextSpike = 0, nil, 0
		n.extendLevels(p, n.grid.Step)
		for _, c := range p.changed {
			p.hist.addChange(c)
		}
		p.changed = p.changed[:0]
	}
	for _, p := range n.projs {
		p.wave.lo, p.wave.cut = 0, p.wave.cut[:0]
		if p.sends != nil {
			p.sends.reset()
		}
	}
	n.book.reset()
	n.resetEmbeddings()
	n.guard = guard{counts: make([]uint64, len(n.pops))}
	n.stats.Windows, n.stats.Spikes, n.stats.SynapticEvents, n.stats.ExternalEvents, n.stats.RateChanges = 0, 0, 0, 0, 0
	n.stats.Now = 0
	clear(n.stats.WorkerBlocks)
	for _, s := range n.work {
		clear(s.slot[:]) // a window that ended with an error leaves some behind
	}
	for _, b := range n.blocks {
		if err := b.reset(n); err != nil {
			return err
		}
	}
	for _, x := range n.watches {
		x.reset()
	}
	n.mods.reset()
	return n.resetTask()
}

// At schedules a call-back at simulated time t, an environment step: it sees all
// spikes before t, and what it changes takes effect at t. It is a model event, so
// it cuts a window; the same call-backs must be scheduled for two runs to be
// equal. The order among call-backs of one time is that of the calls to At.
func (n *Network) At(t event.Time, do func(event.Time) error) (event.Key, error) {
	if t < n.now {
		return event.Key{}, fmt.Errorf("network: %w: at %s ms, clock %s ms", event.ErrPast, t, n.now)
	}
	return n.agenda.Schedule(event.Key{At: t, Kind: event.KindStimulus}, do)
}

// Cancel removes a call-back scheduled with At and reports whether it was there.
func (n *Network) Cancel(k event.Key) bool { return n.agenda.Cancel(k) }

// Run advances the network by d and hands its results to rec. Results cover
// [t, t+d): spikes and samples at t+d belong to the next Run. Windows are never
// cut at the end of a run: the last one is computed whole and what lies beyond
// is kept back, so Run(a) and Run(b) give the same bits as Run(a+b).
//
// A cancelled context ends the run at the next window boundary with the
// context's error; the results up to there have been delivered and the network
// can be run on. A *StoppedError reports a guard.
func (n *Network) Run(ctx context.Context, d event.Time, rec Recorder) error {
	if n.failed != nil {
		return ErrFailed
	}
	if d < 0 || d > event.MaxTime-n.done-event.Second {
		return fmt.Errorf("network: run of %s ms from %s ms: %w", d, n.done, event.ErrRange)
	}
	end := n.done + d
	err := n.run(ctx, end, rec)
	if err != nil && err != ctx.Err() {
		n.failed = err
	}
	n.stats.Now = n.done
	return err
}

func (n *Network) run(ctx context.Context, end event.Time, rec Recorder) error {
	n.end = end
	last := time.Now()
	if err := n.deliver(min(n.now, end), rec); err != nil {
		return err
	}
	if n.done == end { // within the last window of the run before
		if err := n.settleTo(end, rec); err != nil {
			return err
		}
		if err := n.guards(); err != nil {
			return err
		}
	}
	for n.done < end {
		if n.now < end {
			if err := ctx.Err(); err != nil {
				if serr := n.settleTo(n.done, rec); serr != nil {
					return serr
				}
				return err
			}
			n.skip(end)
			if n.now >= end {
				continue
			}
			if err := n.advanceWindow(); err != nil {
				return err
			}
		}
		if err := n.deliver(min(n.now, end), rec); err != nil {
			return err
		}
		if n.done == end {
			if err := n.settleTo(end, rec); err != nil {
				return err
			}
		}
		if err := n.guards(); err != nil {
			return err
		}
		if rec.Progress != nil && n.stats.Windows&31 == 0 && time.Since(last) > 100*time.Millisecond {
			last = time.Now()
			rec.Progress(Progress{Now: n.done, End: end, Spikes: n.stats.Spikes})
		}
	}
	if rec.Progress != nil {
		rec.Progress(Progress{Now: n.done, End: end, Spikes: n.stats.Spikes})
	}
	return nil
}

// parallelWork is the work, in units of about a nanosecond, below which one
// worker does a window alone: handing it over would cost more.
const parallelWork = 50_000

// advanceWindow advances every block through the next window and exchanges what
// they sent.
func (n *Network) advanceWindow() error {
	if err := n.agenda.RunBefore(n.now + 1); err != nil {
		return err
	}
	w := n.grid.Next(n.now, min(n.agenda.Next(), n.mods.nextSample(n.now), n.nextTick(), n.nextBias()))
	if err := n.schedule(w); err != nil {
		return err
	}
	if n.end < w.End { // weights will be asked for within the window
		for _, g := range n.learnings() {
			g.read = n.end
		}
	}
	n.readShared()
	n.mods.advance(w.End)
	work := n.prepare(w)
	err := n.pool.Do(len(n.blocks), work > parallelWork, func(worker, b int) (err error) {
		n.stats.WorkerBlocks[worker]++
		return n.blocks[b].advance(n, n.work[worker], w)
	})
	if err != nil {
		return err
	}
	n.exchange(w)
	n.stats.Windows++
	n.now = w.End
	n.learnEmbeddings(w)
	if err := n.settleDue(w); err != nil {
		return err
	}
	return n.watchSpikes()
}

// prepare fixes, before the blocks start, what they share in the window:
// sub-windows and the factors of each spike of uniform projections. It returns
// an estimate of the window's work.
func (n *Network) prepare(w event.Window) (work uint64) {
	for _, p := range n.pops {
		if p.lin == nil {
			work += uint64(p.desc.N) + 50*p.hits
			continue
		}
		if p.epoch > 0 {
			p.cut = append(p.cut[:0], w.Len())
			p.ensureStep(p.epoch)
		} else {
			p.cutWindow(w.Len())
		}
		work += uint64(p.desc.N*len(p.cut))*4 + 3*p.hits
	}
	for _, p := range n.projs {
		if p.uniform && p.direct == nil && p.tgt.lin != nil && !p.src.sendsLevels() {
			p.prepare(w)
		}
	}
	return work
}

// hitsPerReplay is the number of arrivals per neuron and sub-window that the
// choice of sub-windows aims at: fewer make sweeps of nothing, more make loose
// bounds and long replays.
const hitsPerReplay = 4

// cutWindow chooses the sub-windows of a window. The choice depends on the
// arrivals of the window before only, which are the same for any number of
// workers.
func (p *population) cutWindow(length event.Time) {
	least := 1
	for length/event.Time(least)+event.Time(least) > p.lin.HMax() && least < 1<<20 {
		least *= 2
	}
	per := float64(p.hits) / float64(p.desc.N)
	k := max(p.last, least)
	if per > 1.5*hitsPerReplay*float64(k) && k < 64 {
		k *= 2
	} else if per < 0.6*hitsPerReplay*float64(k) && k/2 >= least {
		k /= 2
	}
	p.last = k
	for k > 1 && length < 2*event.Time(k) { // call-backs a few ps apart
		k /= 2
	}
	p.cut = p.cut[:0]
	h := length / event.Time(k)
	for j := range k {
		to := h * event.Time(j+1)
		if j == k-1 {
			to = length
		}
		p.cut = append(p.cut, to)
	}
	if len(p.steps) > 62 { // room for both
		p.steps = p.steps[:0]
	}
	p.ensureStep(h)
	p.ensureStep(length - h*event.Time(k-1))
}

// ensureStep puts the constants of a step of length h into the cache.
func (p *population) ensureStep(h event.Time) {
	for i := range p.steps {
		if p.steps[i].H == h {
			return
		}
	}
	p.steps = append(p.steps, p.lin.Step(h))
}

func (p *population) stepOf(h event.Time) *neuron.Step {
	for i := range p.steps {
		if p.steps[i].H == h {
			return &p.steps[i]
		}
	}
	panic("network: step constants were not prepared")
}

// prepare finds the spikes that arrive in the window and their factors.
func (p *projection) prepare(w event.Window) {
	h, wv, tgt := &p.src.hist, &p.wave, p.tgt
	lo := wv.lo
	if len(wv.cut) > 0 {
		lo = wv.cut[len(wv.cut)-1]
	}
	if lo < h.base {
		lo = h.base
	}
	wv.lo = lo
	wv.cut, wv.off = wv.cut[:0], wv.off[:0]
	for port := range wv.x {
		wv.x[port], wv.y[port], wv.z[port] = wv.x[port][:0], wv.y[port][:0], wv.z[port][:0]
	}
	k := lo
	for _, to := range tgt.cut {
		for ; k < h.end(); k++ {
			off := h.at[k-h.base] + p.min - w.Start
			if off >= to {
				break
			}
			wv.off = append(wv.off, uint32(off))
			left := (to - off).MS()
			if tgt.epoch > 0 { // arrivals are carried to the end of the epoch
				left = (tgt.epoch - (w.Start+off)%tgt.epoch).MS()
			}
			gain := p.gain(k)
			for port, used := range wv.port {
				if !used {
					continue
				}
				switch tgt.lin.PSC() {
				case neuron.Delta:
					wv.x[port] = append(wv.x[port], float64(gain*tgt.lin.Jump(left)))
				case neuron.Alpha:
					wv.z[port] = append(wv.z[port], float64(gain*tgt.lin.Slope(port, left)))
					fallthrough
				case neuron.Exp:
					v, i := tgt.lin.Response(port, left)
					wv.x[port] = append(wv.x[port], float64(gain*v))
					wv.y[port] = append(wv.y[port], float64(gain*i))
				}
			}
		}
		wv.cut = append(wv.cut, k)
	}
}

// exchange is the seam between windows: my spikes out, all spikes in. It merges
// what the blocks sent in order of (time, id) and appends it to the histories.
func (n *Network) exchange(w event.Window) {
	n.merge = n.merge[:0]
	for _, p := range n.pops {
		p.hits = 0
	}
	for _, a := range n.blocks {
		switch b := a.(type) {
		case *linearBlock:
			b.pop.hits += b.hits
			n.stats.SynapticEvents += b.hits
			for _, d := range b.directs {
				n.stats.ExternalEvents += d.count
				if d.counts {
					d.src.spikes += d.count
				}
				d.count = 0
			}
			first := b.pop.first + uint32(b.lo)
			for _, m := range b.spikes {
				n.merge = append(n.merge, uint64(m.Off)<<32|uint64(first+m.I))
			}
		case *coupledBlock:
			n.stats.SynapticEvents += b.hits
			for _, x := range b.spikes {
				n.merge = append(n.merge, uint64(x.At-w.Start)<<32|uint64(b.id(x.Cell)))
			}
		case *cellBlock:
			b.pop.hits += b.hits
			n.stats.SynapticEvents += b.hits
			first := b.pop.first + uint32(b.lo)
			for _, m := range b.spikes {
				n.merge = append(n.merge, uint64(m.Off)<<32|uint64(first+m.I))
			}
		case *gridBlock:
			n.stats.SynapticEvents += b.hits
			first := b.pop.first + uint32(b.lo)
			for _, m := range b.spikes {
				n.merge = append(n.merge, uint64(m.Off)<<32|uint64(first+m.I))
			}
		case *sourceBlock:
			n.stats.SynapticEvents += b.hits
			for _, s := range b.spikes {
				n.merge = append(n.merge, uint64(s.At-w.Start)<<32|uint64(b.pop.first+s.Neuron))
			}
		case *rateBlock:
			n.stats.SynapticEvents += b.hits
			b.send()
		}
	}
	slices.Sort(n.merge)
	for _, k := range n.merge {
		at, id := w.Start+event.Time(k>>32), uint32(k)
		p := n.pops[n.order[id]]
		if p.used {
			p.hist.add(at, id-p.first)
		}
		n.spiked(p, at, id)
		if n.acting.watcher != nil {
			n.acting.spikes = append(n.acting.spikes, Spike{at, id})
		}
		n.emit(p, at)
		n.countContext(p, at)
	}
	for _, p := range n.pops {
		n.extendLevels(p, w.End+n.grid.Step)
		n.enterChanges(p)
		p.hist.drop(w.End - p.keep - n.grid.Step - n.longest)
	}
	for _, p := range n.projs {
		if p.sends != nil {
			p.sends.follow(&p.src.hist)
		}
	}
	n.countOutputs(w)
	n.finishRates(w)
	for _, x := range n.watches {
		x.follow()
	}
	if slices.ContainsFunc(n.watches, func(x *watch) bool { return len(x.sig.times) > 0 }) {
		n.catchUp(w.End-1, w.End)
	}
	n.collectLooks(w)
}

// enterChanges moves the changes of a population to its history.
func (n *Network) enterChanges(p *population) {
	slices.SortFunc(p.changed, compareChanges)
	for _, c := range p.changed {
		p.hist.addChange(c)
	}
	n.stats.RateChanges += uint64(len(p.changed))
	p.changed = p.changed[:0]
}

// extendLevels enters the changes of a level source before t into its history.
// They are known in advance and always reach to the end of the coming window,
// so that connections without delay can use them.
func (n *Network) extendLevels(p *population, t event.Time) {
	if p.levels != nil && t > p.until {
		p.changed = p.levels.Changes(0, p.desc.N, p.until, t, p.changed)
		p.until = t
	}
}

func compareChanges(a, b neuron.Change) int {
	switch {
	case a.At != b.At:
		return int(min(max(a.At-b.At, -1), 1))
	default:
		return int(int64(a.Neuron) - int64(b.Neuron))
	}
}

// spiked counts one spike and keeps it for the record when asked to.
func (n *Network) spiked(p *population, at event.Time, id uint32) {
	if p.recordAll || p.recorded != nil && p.recorded[id-p.first] {
		n.held = append(n.held, Spike{at, id})
	}
	n.guard.pending = append(n.guard.pending, Spike{at, id})
}

// deliver hands out the results before t that are still held.
func (n *Network) deliver(t event.Time, rec Recorder) error {
	if t < n.done {
		return nil
	}
	k := 0
	for k < len(n.held) && n.held[k].At < t {
		k++
	}
	if k > 0 {
		if rec.Spikes != nil {
			if err := rec.Spikes.WriteSpikes(n.held[:k]); err != nil {
				return fmt.Errorf("network: at %s ms: recording spikes: %w", t, err)
			}
		}
		n.held = n.held[:copy(n.held, n.held[k:])]
	}
	if err := n.deliverLooks(t, rec); err != nil {
		return err
	}
	if err := n.deliverBook(t, rec); err != nil {
		return err
	}
	n.count(t)
	n.done = t
	return nil
}

// Stats counts what the network has done since it was built or reset.
func (n *Network) Stats() Stats {
	s := n.stats
	s.PopSpikes = make([]uint64, len(n.pops))
	for i, p := range n.pops {
		s.PopSpikes[i] = p.spikes
		s.PopSpan = append(s.PopSpan, n.done)
	}
	for _, q := range n.projs {
		if q.direct != nil && q.direct.counts {
			s.PopSpan[q.src.index] = max(0, n.now-q.direct.delay)
		}
	}
	s.WorkerBlocks = slices.Clone(n.stats.WorkerBlocks)
	return s
}
