package event

import "cmp"

// Kind ranks what happens at one instant. The numbers are part of the total
// order and never change.
type Kind uint8

// Kinds in their order at one time.
const (
	KindStimulus   Kind = 0 // environment steps and injected stimuli: they see spikes < t, their effects start at t
	KindModulator  Kind = 1 // modulator jumps
	KindArrival    Kind = 2 // a spike or level change reaches its target
	KindThreshold  Kind = 3 // threshold tests, after all arrivals of the instant
	KindSpike      Kind = 4 // spikes, by neuron id
	KindPhaseClose Kind = 5 // phase windows close …
	KindPhaseOpen  Kind = 6 // … before others open
	KindSample     Kind = 7 // sampling sees everything at its time
	KindCheckpoint Kind = 8
)

// Key is the total order of events: time, then kind, then source, synapse and
// the source's own sequence number. No part of it depends on which worker
// scheduled an event or when.
type Key struct {
	At      Time
	Kind    Kind
	Source  uint64 // global id of the neuron or entity the event comes from
	Synapse uint64 // row position or other identity below the source
	Seq     uint64 // the source's own count, so that no two events are equal
}

// Compare is −1, 0 or +1 as k comes before, is, or comes after o.
func (k Key) Compare(o Key) int {
	if c := cmp.Compare(k.At, o.At); c != 0 {
		return c
	}
	if c := cmp.Compare(k.Kind, o.Kind); c != 0 {
		return c
	}
	if c := cmp.Compare(k.Source, o.Source); c != 0 {
		return c
	}
	if c := cmp.Compare(k.Synapse, o.Synapse); c != 0 {
		return c
	}
	return cmp.Compare(k.Seq, o.Seq)
}
