package neuron

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"

	"hmn/event"
	"hmn/event/quantity"
)

// Change is a change of the output of a rate unit or of a level source. Neuron
// is population-local.
type Change struct {
	At       event.Time
	Neuron   uint32
	Old, New float64
}

func byChange(a, b Change) int {
	if a.At != b.At {
		return cmp.Compare(a.At, b.At)
	}
	return cmp.Compare(a.Neuron, b.Neuron)
}

// ErrNoLevels reports a model that is no level source.
var ErrNoLevels = errors.New("neuron: not a level source")

// Levels is the output of a population of a LevelSource model: piecewise
// constant, from the parameters amplitude and steps or steps_file, or drawn
// (ou_current, noise_current). Times are rounded once, to the picosecond; of two
// steps of one neuron at the same picosecond the later row holds. Steps are
// immutable and safe for concurrent use; noise is carried along in time and is
// neither, but what it gives does not depend on how it is asked.
type Levels struct {
	amplitude float64
	common    bool     // the changes are those of every neuron, Neuron unset
	changes   []Change // by (time, neuron)
	noise     *noise   // nil: steps
}

// NewLevels makes the levels of n neurons. v must have passed Model.CheckAll;
// steps and steps_file exclude each other. Noise is keyed by (seed, population,
// neuron).
func NewLevels(model string, v quantity.Values, n int, seed uint64, population string) (*Levels, error) {
	m, ok := Lookup(model)
	if !ok || m.Kind != LevelSource {
		return nil, fmt.Errorf("%w: model %q", ErrNoLevels, model)
	}
	if _, ok := m.Param("steps"); !ok {
		x, err := newNoise(m, v, n, seed, population)
		if err != nil {
			return nil, fmt.Errorf("neuron: model %s: %w", model, err)
		}
		return &Levels{noise: x}, nil
	}
	t, err := readSteps(v, "steps", "steps_file", n)
	if err != nil {
		return nil, fmt.Errorf("neuron: model %s: %w", model, err)
	}
	l := &Levels{amplitude: m.Number(v, "amplitude"), common: len(t) == 1}
	for i, s := range t {
		old := 0.0
		if len(s.at) == 0 || s.at[0] > 0 {
			if l.amplitude != 0 {
				l.changes = append(l.changes, Change{0, uint32(i), 0, l.amplitude})
			}
			old = l.amplitude
		}
		for k, at := range s.at {
			if s.value[k] != old {
				l.changes = append(l.changes, Change{at, uint32(i), old, s.value[k]})
				old = s.value[k]
			}
		}
	}
	slices.SortFunc(l.changes, byChange)
	return l, nil
}

// Noise says whether the levels are drawn.
func (l *Levels) Noise() bool { return l.noise != nil }

// Initial is the level of neuron i before t = 0: the amplitude. Changes
// announces it again as a change from 0 at t = 0, so a target holds 0 until
// that change has reached it, and Initial is not to be added to its input.
func (l *Levels) Initial(i int) float64 { return l.amplitude }

// Changes appends the changes of neurons [lo, hi) in [from, to) to dst, ordered
// by (time, neuron). The first change of a neuron is from 0 to its level at
// t = 0, at t = 0, unless that level is 0; after that Old is the New of the
// change before. Steps to the level that holds already are no changes.
func (l *Levels) Changes(lo, hi int, from, to event.Time, dst []Change) []Change {
	if l.noise != nil {
		return l.noise.changes(lo, hi, from, to, dst)
	}
	k := sort.Search(len(l.changes), func(k int) bool { return l.changes[k].At >= from })
	for ; k < len(l.changes) && l.changes[k].At < to; k++ {
		c := l.changes[k]
		if l.common {
			for i := lo; i < hi; i++ {
				c.Neuron = uint32(i)
				dst = append(dst, c)
			}
		} else if i := int(c.Neuron); i >= lo && i < hi {
			dst = append(dst, c)
		}
	}
	return dst
}

// Next is the time of the first change at or after t, MaxTime when there is none.
// Noise may change at every tick.
func (l *Levels) Next(t event.Time) event.Time {
	if l.noise != nil {
		return (t + l.noise.hold - 1) / l.noise.hold * l.noise.hold
	}
	if k := sort.Search(len(l.changes), func(k int) bool { return l.changes[k].At >= t }); k < len(l.changes) {
		return l.changes[k].At
	}
	return event.MaxTime
}

// stepList is a piecewise constant function: value[k] holds on
// [at[k], at[k+1]). at is strictly ascending.
type stepList struct {
	at    []event.Time
	value []float64
}

// from is the value at t; ok is false before the first step.
func (s stepList) from(t event.Time) (value float64, ok bool) {
	k := sort.Search(len(s.at), func(k int) bool { return s.at[k] > t })
	if k == 0 {
		return 0, false
	}
	return s.value[k-1], true
}

func (s *stepList) add(ms, value float64) error {
	at, _, err := event.FromMS(ms)
	if err != nil {
		return err
	}
	switch k := len(s.at); {
	case k > 0 && s.at[k-1] == at:
		s.value[k-1] = value
	case at < 0 || k > 0 && s.at[k-1] > at:
		return fmt.Errorf("step at %g ms, want times ≥ 0 ms, ascending for each neuron", ms)
	default:
		s.at, s.value = append(s.at, at), append(s.value, value)
	}
	return nil
}

// readSteps reads steps from the parameter list, or from the table file: one
// stepList for all neurons, or n of them. With neither there is one empty list.
// Rows of a file that concern every neuron are merged with each neuron's own,
// which hold where both fall on one instant.
func readSteps(v quantity.Values, list, file string, n int) ([]stepList, error) {
	x, listed := v[list]
	y, filed := v[file]
	if listed && filed {
		return nil, fmt.Errorf("both %s and %s are given, want one of them", list, file)
	}
	var all stepList
	for _, s := range x.Steps {
		if err := all.add(s[0], s[1]); err != nil {
			return nil, fmt.Errorf("%s: %w", list, err)
		}
	}
	k := 0
	for ; k < len(y.Table) && y.Table[k].Neuron == -1; k++ {
		if err := all.add(y.Table[k].Time, y.Table[k].Value); err != nil {
			return nil, fmt.Errorf("%s: row %d: %w", file, k, err)
		}
	}
	if k == len(y.Table) {
		return []stepList{all}, nil
	}
	own := make([]stepList, n)
	for ; k < len(y.Table); k++ {
		s := y.Table[k]
		if s.Neuron < 0 || s.Neuron >= n {
			return nil, fmt.Errorf("%s: row %d: neuron %d of a population of %d, rows for every neuron first", file, k, s.Neuron, n)
		}
		if err := own[s.Neuron].add(s.Time, s.Value); err != nil {
			return nil, fmt.Errorf("%s: row %d: neuron %d: %w", file, k, s.Neuron, err)
		}
	}
	if len(all.at) > 0 {
		for i := range own {
			own[i] = mergeSteps(all, own[i])
		}
	}
	return own, nil
}

// mergeSteps takes the steps of a and b in order of time; at equal times b's.
func mergeSteps(a, b stepList) stepList {
	var m stepList
	for i, j := 0, 0; i < len(a.at) || j < len(b.at); {
		if j == len(b.at) || i < len(a.at) && a.at[i] < b.at[j] {
			m.at, m.value = append(m.at, a.at[i]), append(m.value, a.value[i])
			i++
			continue
		}
		if i < len(a.at) && a.at[i] == b.at[j] {
			i++
		}
		m.at, m.value = append(m.at, b.at[j]), append(m.value, b.value[j])
		j++
	}
	return m
}
