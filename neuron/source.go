package neuron

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
)

// TrainSpike is one spike of a source: its time and the population-local neuron.
type TrainSpike struct {
	At     event.Time
	Neuron uint32
}

// Train generates the spikes of a source population. It is a pure function of
// the interval and safe for concurrent use: the spikes of [a, c) are those of
// [a, b) and then those of [b, c), for any b, and the spikes of neurons
// [lo, hi) are the same whether asked for together or apart. There are no
// spikes at negative times.
type Train interface {
	// Spikes appends the spikes of neurons [lo, hi) in [from, to) to dst,
	// ordered by (time, neuron). Two spikes of one neuron in one picosecond
	// are two spikes.
	Spikes(lo, hi int, from, to event.Time, dst []TrainSpike) []TrainSpike
}

// ErrNoTrain reports a model that is no spike source.
var ErrNoTrain = errors.New("neuron: not a spike source")

// NewTrain makes the spikes of a population of n neurons of a SpikeSource model
// with the given parameters, which must have passed Model.CheckAll. Random
// trains are keyed by (seed, population, neuron). trains holds the spike times
// of each neuron for the model spike_train, ascending, and is not kept; other
// models ignore it.
func NewTrain(model string, v quantity.Values, n int, seed uint64, population string, trains [][]event.Time) (Train, error) {
	owner := random.Name(population)
	switch model {
	case "poisson":
		key := random.NewKey(seed, random.StreamPoisson, owner)
		if x, ok := v["rate"]; ok {
			return newPoissonTrain(x.Number, poissonCell(x.Number), key), nil
		}
		var p rateProfile
		if x, ok := v["sinusoid"]; ok && x.Sine != nil {
			p = sineRate(*x.Sine)
		} else {
			t, err := readSteps(v, "rate_steps", "rates_file", n)
			if err != nil {
				return nil, fmt.Errorf("neuron: population %q: %w", population, err)
			}
			p = stepRate(t)
		}
		return newThinnedTrain(p, n, key), nil
	case "correlated_poisson":
		return newCorrelatedTrain(v["rate"].Number, v["correlation"].Number,
			random.NewKey(seed, random.StreamMother, owner), random.NewKey(seed, random.StreamCopy, owner)), nil
	case "spike_train":
		t, err := newListedTrain(trains, n)
		if err != nil {
			return nil, fmt.Errorf("neuron: population %q: %w", population, err)
		}
		return t, nil
	}
	return nil, fmt.Errorf("%w: model %q of population %q", ErrNoTrain, model, population)
}

// bySpike is the order (time, neuron).
func bySpike(a, b TrainSpike) int {
	if a.At != b.At {
		return cmp.Compare(a.At, b.At)
	}
	return cmp.Compare(a.Neuron, b.Neuron)
}

// listedTrain is the model spike_train: all spikes, by (time, neuron).
type listedTrain []TrainSpike

func newListedTrain(trains [][]event.Time, n int) (listedTrain, error) {
	if len(trains) != n {
		return nil, fmt.Errorf("%d spike trains for %d neurons", len(trains), n)
	}
	total := 0
	for i, times := range trains {
		for k, t := range times {
			if t < 0 || k > 0 && t < times[k-1] {
				return nil, fmt.Errorf("spike train of neuron %d: entry %d at %v ms, want times ≥ 0 ms, ascending", i, k, t)
			}
		}
		total += len(times)
	}
	all := make(listedTrain, 0, total)
	for i, times := range trains {
		for _, t := range times {
			all = append(all, TrainSpike{t, uint32(i)})
		}
	}
	slices.SortFunc(all, bySpike)
	return all, nil
}

func (l listedTrain) Spikes(lo, hi int, from, to event.Time, dst []TrainSpike) []TrainSpike {
	k := sort.Search(len(l), func(k int) bool { return l[k].At >= from })
	for ; k < len(l) && l[k].At < to; k++ {
		if i := int(l[k].Neuron); i >= lo && i < hi {
			dst = append(dst, l[k])
		}
	}
	return dst
}

// grained is a Train that generates its spikes cell by cell, so that asking for
// less than grain at a time repeats work.
type grained interface{ grain() event.Time }

// Reader reads a Train window by window. It asks the Train for whole cells and
// keeps what later windows will need, so that a 5 Hz train whose cells last
// half a second costs nothing per millisecond. What it returns does not depend
// on how time is cut into windows. It is not safe for concurrent use; give each
// worker its own.
type Reader struct {
	train  Train
	lo, hi int
	grain  event.Time
	from   event.Time // buf holds the spikes of [from, to)
	to     event.Time
	buf    []TrainSpike
	next   int // buf[:next] lies before the last window's end
}

// NewReader reads the spikes of neurons [lo, hi) of a train.
func NewReader(t Train, lo, hi int) *Reader {
	r := &Reader{train: t, lo: lo, hi: hi, grain: 1}
	if g, ok := t.(grained); ok {
		r.grain = max(g.grain(), 1)
	}
	return r
}

// Spikes returns the spikes in [from, to), ordered by (time, neuron). The slice
// is valid until the next call and must not be changed. Windows in ascending
// order are the fast way; any other order gives the same spikes.
func (r *Reader) Spikes(from, to event.Time) []TrainSpike {
	if to <= from {
		return nil
	}
	if from < r.from || from > r.to {
		r.from, r.to, r.buf, r.next = from, from, r.buf[:0], 0
	}
	k := r.next
	if k > 0 && r.buf[k-1].At >= from { // not the window after the last
		k = 0
	}
	for k < len(r.buf) && r.buf[k].At < from {
		k++
	}
	if to > r.to {
		end := to
		if rest := to % r.grain; rest != 0 && event.MaxTime-to > r.grain {
			end += r.grain - rest
		}
		r.buf = r.buf[:copy(r.buf, r.buf[k:])]
		k = 0
		r.buf = r.train.Spikes(r.lo, r.hi, r.to, end, r.buf)
		r.from, r.to = from, end
	}
	r.next = k
	for r.next < len(r.buf) && r.buf[r.next].At < to {
		r.next++
	}
	return r.buf[k:r.next:r.next]
}
