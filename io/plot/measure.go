package plot

import (
	"math"
	"sort"

	"hmn/event"
	"hmn/network"
)

// measured is what the panels show of one population, over all its neurons.
type measured struct {
	spikes int
	rate   float64   // [Hz]
	bins   []float64 // rate in each bin [Hz]
	cvs    []float64 // ISI-CV of each neuron with at least three spikes, ascending
	cv     float64   // their mean, NaN without any
}

// isi accumulates the interspike intervals of one neuron [ms] (Welford 1962,
// doi:10.1080/00401706.1962.10490022).
type isi struct {
	last     event.Time
	n        int // intervals; -1 before the first spike
	mean, m2 float64
}

func (s *isi) spike(t event.Time) {
	s.n++
	if s.n > 0 {
		x := (t - s.last).MS()
		d := x - s.mean
		s.mean += d / float64(s.n)
		s.m2 += d * (x - s.mean)
	}
	s.last = t
}

// index finds the population of an id.
type index struct {
	pops  []Population
	order []int // by FirstID
}

func newIndex(pops []Population) index {
	x := index{pops, make([]int, len(pops))}
	for i := range x.order {
		x.order[i] = i
	}
	sort.Slice(x.order, func(i, j int) bool { return pops[x.order[i]].FirstID < pops[x.order[j]].FirstID })
	return x
}

// find gives the population and the neuron's place in it; p < 0 for no one's id.
func (x index) find(id uint32) (p, i int) {
	k := sort.Search(len(x.order), func(k int) bool { return x.pops[x.order[k]].FirstID > id }) - 1
	if k < 0 {
		return -1, 0
	}
	p = x.order[k]
	i = int(id - x.pops[p].FirstID)
	if i >= x.pops[p].N {
		return -1, 0
	}
	return p, i
}

// window is the part of the spikes in [from, to).
func window(spikes []network.Spike, from, to event.Time) []network.Spike {
	i := sort.Search(len(spikes), func(i int) bool { return spikes[i].At >= from })
	j := sort.Search(len(spikes), func(i int) bool { return spikes[i].At >= to })
	return spikes[i:j]
}

// measure counts the spikes of the window [from, to), all of which they are in.
// The last bin may be shorter than the others; its rate is that of its length.
// CVs use the standard deviation over n intervals, as validation/stats does
// (which io must not import).
func measure(pops []Population, spikes []network.Spike, from, to, bin event.Time) []measured {
	m := make([]measured, len(pops))
	neurons := make([][]isi, len(pops))
	for p := range m {
		m[p].bins = make([]float64, (to-from-1)/bin+1)
		neurons[p] = make([]isi, pops[p].N)
		for i := range neurons[p] {
			neurons[p][i].n = -1
		}
	}
	find := newIndex(pops)
	for _, s := range spikes {
		p, i := find.find(s.ID)
		if p < 0 {
			continue
		}
		m[p].spikes++
		m[p].bins[(s.At-from)/bin]++
		neurons[p][i].spike(s.At)
	}
	for p := range m {
		n := float64(pops[p].N)
		m[p].rate = float64(m[p].spikes) / n / (to - from).Seconds()
		for k := range m[p].bins {
			length := min(bin, to-from-event.Time(k)*bin)
			m[p].bins[k] /= n * length.Seconds()
		}
		sum := 0.0
		for _, s := range neurons[p] {
			if s.n >= 2 && s.mean > 0 {
				cv := math.Sqrt(s.m2/float64(s.n)) / s.mean
				m[p].cvs = append(m[p].cvs, cv)
				sum += cv
			}
		}
		sort.Float64s(m[p].cvs)
		m[p].cv = sum / float64(len(m[p].cvs))
	}
	return m
}

// binWidth is a round duration that cuts the window into 100 to 250 bins, but at
// least 1 ms where that leaves 20 of them: finer bins hold hardly a spike.
func binWidth(span event.Time) event.Time {
	w := round125(float64(span) / 250)
	if floor := float64(event.Millisecond); w < floor && float64(span) >= 20*floor {
		w = floor
	}
	return max(1, event.Time(w))
}

// round125 is the smallest of 1, 2, 5 times a power of ten that is ≥ x > 0.
func round125(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*p >= x*(1-1e-9) {
			return m * p
		}
	}
	return 10 * p
}
