package task

import (
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/event/random"
	"hmn/network"
	"hmn/neuron"
)

// host is what the tasks ask of a network: the methods of *network.Network that
// their tests stand in for.
type host interface {
	Model() *network.Model
	Now() event.Time
	At(t event.Time, do func(event.Time) error) (event.Key, error)
	SetLevel(population string, unit int, value float64) error
	Clamp(population string, unit int, z float64) error
	Release(population string, unit int) error
	Output(population string, unit int) (float64, error)
	Reward(r float64, context int) error
	Onset(context int) error
	Inject(modulator string, jump float64, at event.Time) error
	Weight(projection string, source, target uint32) (float64, error)
	ReportTrial(values ...float64) error
	FirstID(population int) uint32
}

// params reads the parameters of a task.
type params struct {
	list []quantity.Param
	v    quantity.Values
}

func (p params) number(key string) float64 {
	if x, ok := p.v[key]; ok {
		return x.Number
	}
	q, _ := quantity.Find(p.list, key)
	return q.Default
}

func (p params) whole(key string) int { return int(p.number(key)) }

func (p params) time(key string) event.Time {
	t, _, err := event.FromMS(p.number(key))
	if err != nil {
		return event.MaxTime // refused by the ranges of the parameters
	}
	return t
}

// text is a word or a name; def holds when it is not given.
func (p params) text(key, def string) string {
	if x, ok := p.v[key]; ok && x.Text != "" {
		return x.Text
	}
	return def
}

// population finds the population that a key names, by default as the key, which
// must be of the wanted kind and size.
func (p params) population(m *network.Model, key string, kind neuron.Kind, n int, what string) error {
	name := p.text(key, key)
	for _, q := range m.Populations {
		if q.Name != name {
			continue
		}
		if nm, ok := neuron.Lookup(q.Model); !ok || nm.Kind != kind {
			return fmt.Errorf("%s: population %q has the model %s, want %s", key, name, q.Model, what)
		}
		if q.N != n {
			return fmt.Errorf("%s: population %q has n = %d, want %d", key, name, q.N, n)
		}
		return nil
	}
	return fmt.Errorf("%s: no population %q", key, name)
}

func number(key, unit string, def, lo, hi float64, doc string) quantity.Param {
	return quantity.Param{Key: key, Unit: unit, Default: def, Min: lo, Max: hi, Doc: doc}
}

func whole(key string, def, lo, hi float64, doc string) quantity.Param {
	return quantity.Param{Key: key, Unit: "1", Form: quantity.Integer, Default: def, Min: lo, Max: hi, Doc: doc}
}

// longest bounds the times of a task, ms: 11 days.
const longest = 1e9

// duration is a time in ms. It may be 0 if open is false.
func duration(key string, def float64, open bool, doc string) quantity.Param {
	p := number(key, "ms", def, 0, longest, doc)
	p.MinOpen = open
	return p
}

func name(key, def, doc string) quantity.Param {
	return quantity.Param{Key: key, Form: quantity.Text, Derived: def, Doc: doc}
}

// stream is the key of the draws for one purpose of a task.
func stream(m *network.Model, purpose string) random.Key {
	return random.NewKey(m.Simulation.Seed, random.StreamTask, random.Name(purpose))
}

func uniform(k random.Key, entity, counter uint64) float64 {
	a, _ := k.At(entity, counter)
	return random.Uniform(a)
}

// upTo is a time drawn uniformly from [0, t).
func upTo(t event.Time, u float64) event.Time { return event.Time(math.Floor(float64(u * float64(t)))) }
