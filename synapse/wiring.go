package synapse

import (
	"hmn/event"
	"hmn/event/random"
)

// Wiring is the synapses of one projection onto one block of targets, in rows by
// source, each row sorted by axonal delay, then target, then multapse number.
// Entry k of a list belongs to position k of the rows; a nil list stands for one
// value for all.
type Wiring struct {
	Rows       *Rows      // Ptr, Target, Negative, Port; MinDelay and Delay are axonal
	Dendritic  event.Time // of all synapses, when Dendritics is nil
	Dendritics []event.Time
	Weight     float64 // magnitude at t = 0
	Weights    []float64
	Phase      float64
	Phases     []float64
	Multapses  []uint32     // nil: all 0
	Lo         int          // index in the target population of the block's first target
	Targets    int          // of the block
	Keys       []random.Key // of the trials, by multapse number
}

// Sources is the number of sources.
func (w *Wiring) Sources() int { return len(w.Rows.Ptr) - 1 }

// AxonalOf is the axonal delay of synapse k.
func (w *Wiring) AxonalOf(k uint32) event.Time { return w.Rows.DelayAt(int(k)) }

// DendriticOf is the dendritic delay of synapse k.
func (w *Wiring) DendriticOf(k uint32) event.Time {
	if w.Dendritics != nil {
		return w.Dendritics[k]
	}
	return w.Dendritic
}

// MultapseOf is the number of synapse k among those of its pair.
func (w *Wiring) MultapseOf(k uint32) uint32 {
	if w.Multapses != nil {
		return w.Multapses[k]
	}
	return 0
}

// WeightOf is the magnitude of synapse k at t = 0.
func (w *Wiring) WeightOf(k uint32) float64 {
	if w.Weights != nil {
		return w.Weights[k]
	}
	return w.Weight
}

// PhaseOf is φ of synapse k.
func (w *Wiring) PhaseOf(k uint32) float64 {
	if w.Phases != nil {
		return w.Phases[k]
	}
	return w.Phase
}

// Draw is the k-th number, uniform in [0, 1), of synapse i from source src: of the
// trials of rule hmn (its Eq. 5).
func (w *Wiring) Draw(i, src uint32, k int64) float64 {
	target := uint64(w.Lo) + uint64(w.Rows.Target[i])
	a, _ := w.Keys[w.MultapseOf(i)].At(target<<32|uint64(src), uint64(k))
	return random.Uniform(a)
}

// LeastDendritic is the least dendritic delay.
func (w *Wiring) LeastDendritic() event.Time {
	least := w.Dendritic
	for _, d := range w.Dendritics {
		least = min(least, d)
	}
	return least
}

// MostDendritic is the greatest dendritic delay.
func (w *Wiring) MostDendritic() event.Time {
	most := w.Dendritic
	for _, d := range w.Dendritics {
		most = max(most, d)
	}
	return most
}

// Delays are the least and the greatest total delay.
func (w *Wiring) Delays() (least, most event.Time) {
	if w.Dendritics == nil {
		return w.Rows.MinDelay + w.Dendritic, w.Rows.MaxDelay + w.Dendritic
	}
	least = event.MaxTime
	for k := range w.Dendritics {
		d := w.AxonalOf(uint32(k)) + w.Dendritics[k]
		least, most = min(least, d), max(most, d)
	}
	return least, most
}

// FanIn adds the number of synapses of each target of the block to n.
func (w *Wiring) FanIn(n []int) {
	for _, t := range w.Rows.Target {
		n[t]++
	}
}

// Bytes is the memory of the wiring and of state of so many bytes per synapse,
// row table included.
func (w *Wiring) Bytes(state int) int64 {
	return int64(w.Rows.Len())*int64(state) + w.Rows.Bytes() +
		4*int64(len(w.Multapses)) + 8*int64(len(w.Dendritics)+len(w.Weights)+len(w.Phases))
}
