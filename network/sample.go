package network

import (
	"fmt"

	"hmn/event"
	"hmn/neuron"
)

// signal is the run-time side of a Record of a sampled signal.
type signal struct {
	record int
	desc   *Record
	pop    *population
	ids    []int        // population-local, ascending
	times  []event.Time // sample times in the present window
	buf    [][]float64  // values for each of them; blocks write disjoint columns
	// read gives the values at a time in the window just passed, when blocks do
	// not.
	read func(t event.Time, dst []float64)
	// shared does so before the window, for the first taken of its times.
	shared func(t event.Time, dst []float64)
	taken  int
}

// sample is one row of a signal on its way to the record.
type sample struct {
	record int
	at     event.Time
	values []float64
}

// makeRecords resolves the description's records. Without any, the spikes of
// all neurons are recorded.
func (n *Network) makeRecords() error {
	for _, p := range n.pops {
		p.recordAll, p.recorded = len(n.model.Records) == 0 && p.model.Kind == neuron.Spiking, nil
	}
	for i := range n.model.Records {
		r := &n.model.Records[i]
		switch {
		case r.What == RecordUpdates || r.What == RecordCandidate || r.What == RecordTrials:
			continue
		case plasticSignal(r.What) || sharedSignal(r.What):
			if err := n.makePlasticRecord(i); err != nil {
				return err
			}
			continue
		}
		p := n.find(r.Of)
		if r.What == RecordSpikes {
			if r.Subset == nil {
				p.recordAll = true
				continue
			}
			if p.recorded == nil {
				p.recorded = make([]bool, p.desc.N)
			}
			for _, k := range r.Subset {
				p.recorded[k] = true
			}
			continue
		}
		s := &signal{record: i, desc: r, pop: p, ids: r.Subset}
		if s.ids == nil {
			for k := range p.desc.N {
				s.ids = append(s.ids, k)
			}
		}
		n.signal = append(n.signal, s)
	}
	for _, s := range n.signal {
		for _, a := range n.blocks {
			b, ok := a.(prober)
			if !ok {
				continue
			}
			for col, id := range s.ids {
				if i, ok := b.local(s.pop, id); ok && s.read == nil && s.shared == nil {
					b.addProbe(probe{s, col, i})
				}
			}
		}
	}
	return nil
}

func (n *Network) find(name string) *population {
	return n.pops[n.model.findPopulation(name)]
}

// prober is a block that can be sampled.
type prober interface {
	// local is the block's index of neuron id of population p.
	local(p *population, id int) (int, bool)
	addProbe(probe)
}

// observe enters the first sample of every signal into the agenda of observers.
// Each sample enters the next. Observers never move a window boundary.
func (n *Network) observe() error {
	for _, s := range n.signal {
		k := event.Key{Kind: event.KindSample, Source: uint64(s.record)}
		var look, enter func(event.Time) error
		look = func(t event.Time) error {
			s.times = append(s.times, t)
			s.buf = append(s.buf, make([]float64, len(s.ids)))
			return enter(t + 1)
		}
		enter = func(from event.Time) error {
			if k.At = s.desc.Next(from); k.At == event.MaxTime {
				return nil
			}
			_, err := n.observers.Schedule(k, look)
			return err
		}
		if err := enter(0); err != nil {
			return err
		}
	}
	return nil
}

// schedule lists the sample times in the window.
func (n *Network) schedule(w event.Window) error {
	for _, s := range n.signal {
		s.times, s.buf, s.taken = s.times[:0], s.buf[:0], 0
	}
	return n.observers.RunBefore(w.End)
}

// collectLooks turns the window's samples into rows, in order of time and
// record.
func (n *Network) collectLooks(w event.Window) {
	if len(n.signal) == 0 {
		return
	}
	for _, s := range n.signal {
		if s.read != nil {
			for k, t := range s.times {
				s.read(t, s.buf[k])
			}
		}
	}
	pos := make([]int, len(n.signal))
	for {
		best := -1
		for k, s := range n.signal {
			if pos[k] < len(s.times) && (best < 0 || s.times[pos[k]] < n.signal[best].times[pos[best]]) {
				best = k
			}
		}
		if best < 0 {
			return
		}
		s := n.signal[best]
		n.looks = append(n.looks, sample{s.record, s.times[pos[best]], s.buf[pos[best]]})
		pos[best]++
	}
}

func (n *Network) deliverLooks(t event.Time, rec Recorder) error {
	k := 0
	for ; k < len(n.looks) && n.looks[k].at < t; k++ {
		if rec.Samples != nil {
			l := n.looks[k]
			if err := rec.Samples.WriteSamples(l.record, l.at, l.values); err != nil {
				return fmt.Errorf("network: at %s ms: recording samples: %w", l.at, err)
			}
		}
	}
	n.looks = n.looks[:copy(n.looks, n.looks[k:])]
	return nil
}

func (b *linearBlock) local(p *population, id int) (int, bool) {
	return id - b.lo, p == b.pop && id >= b.lo && id < b.lo+b.n
}

func (b *linearBlock) addProbe(p probe) {
	b.probes = append(b.probes, p)
	b.look = b.pop.lin.NewState(len(b.probes))
}

// startProbes lists the neurons that are sampled in [from, to) of the window
// and copies their state: sampling evaluates a copy and stores nothing.
func (b *linearBlock) startProbes(s *scratch, w event.Window, from, to event.Time) {
	s.probes = s.probes[:0]
	for _, pr := range b.probes {
		for _, t := range pr.sig.times {
			if off := t - w.Start; off >= from && off < to {
				b.st.Copy(b.look, len(s.probes), pr.i)
				s.probes = append(s.probes, pr)
				break
			}
		}
	}
}

// runProbes replays the copies with the sample times in [from, to), counted from
// base, among their hits. The state of copy k stands at base + since[k], or at base + from when since is
// nil; the hits are relative to that.
func (b *linearBlock) runProbes(s *scratch, w event.Window, base, from, to event.Time, since []uint32) error {
	for k, pr := range s.probes {
		start := base + from
		if since != nil {
			start = base + event.Time(since[k])
		}
		s.asked = append(s.asked[:0], s.hitsOf(int(s.slot[pr.i])-1)...)
		last := start
		for _, t := range pr.sig.times {
			if t >= base+from && t < base+to {
				s.asked = append(s.asked, neuron.Hit{Off: uint32(t - start), Src: ^uint32(0), Port: neuron.PortProbe})
				last = t
			}
		}
		sortByTime(s.asked)
		for len(s.asked) > 0 && event.Time(s.asked[len(s.asked)-1].Off) > last-start {
			s.asked = s.asked[:len(s.asked)-1] // nothing after the last sample matters
		}
		var err error
		_, s.looks, err = b.pop.lin.Replay(b.look, k, start, last-start+1, s.asked, 0, nil, s.looks[:0])
		if err != nil {
			return b.fail(w, int32(pr.i), err)
		}
		for _, l := range s.looks {
			for row, t := range pr.sig.times {
				if t == start+event.Time(l.Off) {
					if pr.sig.desc.What == RecordISyn {
						pr.sig.buf[row][pr.col] = l.ISyn
					} else {
						pr.sig.buf[row][pr.col] = l.V
					}
				}
			}
		}
	}
	return nil
}
