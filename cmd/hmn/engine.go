package main

import (
	"context"
	"iter"

	"hmn/event"
	"hmn/network"
	"hmn/network/clocked"
)

// engine is what a run needs of what runs it.
type engine interface {
	Run(ctx context.Context, d event.Time, rec network.Recorder) error
	Stats() network.Stats
	Close()
	// weights are those of a projection, in an order that belongs to the model.
	weights(projection int) iter.Seq[[]float64]
	// width is the number of columns of a sampled record of a projection.
	width(record int) int
	// labels names the columns of a sampled record of synapses; nil for others.
	labels(record int) ([]network.Synapse, error)
}

// eventEngine is the event engine.
type eventEngine struct{ *network.Network }

func (e eventEngine) weights(projection int) iter.Seq[[]float64] { return e.Weights(projection) }

func (e eventEngine) width(record int) int { return e.RecordWidth(record) }

func (e eventEngine) labels(record int) ([]network.Synapse, error) {
	return e.RecordLabels(record), nil
}

// clockedEngine is the dense engine, for small networks: what it does not tell
// of itself is found from the description.
type clockedEngine struct {
	*clocked.Engine
	m *network.Model
}

func (e clockedEngine) Close() {}

func (e clockedEngine) weights(projection int) iter.Seq[[]float64] {
	return func(yield func([]float64) bool) { yield(e.Weights(projection)) }
}

func (e clockedEngine) width(record int) int {
	switch r := &e.m.Records[record]; r.What {
	case network.RecordGamma:
		return len(e.m.Modulators)
	case network.RecordEta:
		return 2
	case network.RecordG, network.RecordGPrime, network.RecordModulator:
		return 1
	}
	list, _ := e.labels(record)
	return len(list)
}

func (e clockedEngine) labels(record int) ([]network.Synapse, error) {
	r := &e.m.Records[record]
	if !perSynapse(r) {
		return nil, nil
	}
	list, err := network.Synapses(e.m, e.m.FindProjection(r.Of))
	if err != nil || r.Subset == nil {
		return list, err
	}
	var some []network.Synapse
	for _, i := range r.Subset { // Build has checked it
		some = append(some, list[i])
	}
	return some, nil
}
