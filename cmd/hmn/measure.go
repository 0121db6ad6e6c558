package main

import (
	"math"

	"hmn/event"
	"hmn/io/spikelog"
	"hmn/network"
)

// trains measures recorded spikes in one pass over them, in memory that grows
// with the neurons and not with the spikes.
type trains struct {
	pops  []spikelog.Population
	each  []train // by id, as far as the record's populations go
	bins  [1000]uint64
	end   event.Time // of the bins
	count uint64
	last  event.Time
}

// train is what is kept of one neuron: the running mean of its interspike
// intervals and the sum of their squared deviations (Welford 1962,
// doi:10.1080/00401706.1962.10490022).
type train struct {
	last   event.Time
	n      uint64 // spikes
	mean   float64
	square float64
}

// most neurons that are measured one by one.
const maxTrains = 1 << 28

// newTrains measures the spikes of a record in [0, end); end > 0.
func newTrains(m spikelog.Meta, end event.Time) *trains {
	t := &trains{pops: m.Populations, end: max(end, 1)}
	if k := len(m.Populations); k > 0 {
		p := m.Populations[k-1]
		if n := uint64(p.FirstID) + uint64(p.N); n <= maxTrains {
			t.each = make([]train, n)
		}
	}
	return t
}

// WriteSpikes takes spikes into account, in order of time.
func (t *trains) WriteSpikes(spikes []network.Spike) error {
	for _, s := range spikes {
		t.count++
		t.last = s.At
		t.bins[min(int(float64(s.At)/float64(t.end)*float64(len(t.bins))), len(t.bins)-1)]++
		if int(s.ID) >= len(t.each) {
			continue
		}
		e := &t.each[s.ID]
		if e.n > 0 {
			isi := (s.At - e.last).MS()
			d := isi - e.mean
			e.mean += d / float64(e.n)
			e.square += d * (isi - e.mean)
		}
		e.n++
		e.last = s.At
	}
	return nil
}

// CV is the mean over neurons with at least three spikes of the coefficient of
// variation of their interspike intervals, NaN without any, and the population's
// spikes. It is stats.MeanCV without the trains in memory.
func (t *trains) CV(pop int) (cv float64, spikes uint64) {
	p := t.pops[pop]
	sum, n := 0.0, 0
	for i := range p.N {
		if int(p.FirstID)+i >= len(t.each) {
			break
		}
		e := t.each[int(p.FirstID)+i]
		spikes += e.n
		if e.n < 3 {
			continue
		}
		sum += math.Sqrt(e.square/float64(e.n-1)) / e.mean
		n++
	}
	return sum / float64(n), spikes
}

// since is the earliest time, on a grid of thousandths of the end, from which
// there are at most so many spikes.
func (t *trains) since(most uint64) event.Time {
	sum := uint64(0)
	for k := len(t.bins) - 1; k >= 0; k-- {
		if sum += t.bins[k]; sum > most {
			return t.end / event.Time(len(t.bins)) * event.Time(k+1)
		}
	}
	return 0
}

// measure reads all spikes of a record. An error leaves what could be read.
func measure(r *spikelog.Reader, end event.Time) (*trains, error) {
	t := newTrains(r.Meta(), end)
	for spikes, err := range r.All() {
		if err != nil {
			return t, err
		}
		t.WriteSpikes(spikes) // never an error
	}
	return t, nil
}
