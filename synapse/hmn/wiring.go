package hmn

import (
	"math"

	"hmn/event"
	"hmn/event/random"
	"hmn/synapse"
)

// Wiring is the synapses of one projection onto one block of targets, in rows by
// source, each row sorted by axonal delay, then target, then multapse number.
// Entry k of a list belongs to position k of the rows; a nil list stands for one
// value for all.
type Wiring struct {
	Rows       *synapse.Rows // Ptr, Target, Negative, Port; MinDelay and Delay are axonal
	Dendritic  event.Time    // of all synapses, when Dendritics is nil
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

// sources is the number of sources.
func (w *Wiring) sources() int { return len(w.Rows.Ptr) - 1 }

// axonal is the axonal delay of synapse k.
func (w *Wiring) axonal(k uint32) event.Time { return w.Rows.DelayAt(int(k)) }

func (w *Wiring) dendritic(k uint32) event.Time {
	if w.Dendritics != nil {
		return w.Dendritics[k]
	}
	return w.Dendritic
}

func (w *Wiring) multapse(k uint32) uint32 {
	if w.Multapses != nil {
		return w.Multapses[k]
	}
	return 0
}

func (w *Wiring) weight(k uint32) float64 {
	if w.Weights != nil {
		return w.Weights[k]
	}
	return w.Weight
}

func (w *Wiring) phase(k uint32) float64 {
	if w.Phases != nil {
		return w.Phases[k]
	}
	return w.Phase
}

// draw is u of Eq. 5 for window k of synapse i from source src.
func (w *Wiring) draw(i, src uint32, k int64) float64 {
	target := uint64(w.Lo) + uint64(w.Rows.Target[i])
	a, _ := w.Keys[w.multapse(i)].At(target<<32|uint64(src), uint64(k))
	return random.Uniform(a)
}

// mostClasses is the number of distinct phases up to which what depends on the
// phase is computed once and shared.
const mostClasses = 64

// classes finds the distinct phases; class is nil when there is one, and centres
// nil when there are too many to share anything.
func (w *Wiring) classes(c *Cycle) (class []uint8, centres []float64) {
	if w.Phases == nil {
		return nil, []float64{c.centre(w.Phase)}
	}
	index := map[uint64]uint8{}
	class = make([]uint8, len(w.Phases))
	for k, phi := range w.Phases {
		b := math.Float64bits(phi)
		n, ok := index[b]
		if !ok {
			if len(index) == mostClasses {
				return nil, nil
			}
			n = uint8(len(index))
			index[b] = n
			centres = append(centres, c.centre(phi))
		}
		class[k] = n
	}
	return class, centres
}

// Entry is one window of one synapse: a weight that changed, or might have.
type Entry struct {
	Close   Edge
	Open    Edge
	Synapse uint32 // position in the rows
	K       int64
	Value   float64 // candidate
	P, U    float64 // NaN when there was no opportunity
	Applied bool
	DW      float64 // change of the magnitude
	Before  float64 // magnitude before
}

// Counts are the decisions of a rule so far.
type Counts struct {
	Opportunities uint64 // windows with a candidate other than 0
	Applied       uint64
}

// Ledger keeps decisions: applied weight changes and, when asked for, all candidates wait here
// in the order in which they were found, until the network takes them in order
// of time.
type Ledger struct {
	Keep    bool // keep updates
	All     bool // keep every window, updates or not
	Entries []Entry
	Counts  Counts
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
		d := w.axonal(uint32(k)) + w.Dendritics[k]
		least, most = min(least, d), max(most, d)
	}
	return least, most
}

// Bytes is the memory of the synapses under their rule, row table included.
func (w *Wiring) Bytes(rates bool) int64 {
	b := int64(w.Rows.Len())*int64(SynapseBytes(rates)) + w.Rows.Bytes() +
		4*int64(len(w.Multapses)) + 8*int64(len(w.Dendritics)+len(w.Weights)+len(w.Phases))
	if len(w.Phases) > 0 {
		b += int64(len(w.Phases)) // their classes
	}
	return b
}

// SynapseBytes is the state of one synapse.
func SynapseBytes(rates bool) int {
	if rates {
		return rateBytes
	}
	return spikeBytes
}

const (
	spikeBytes = 48
	rateBytes  = 88 + 8 + 8 + 4 + 4 + 4 + 8 + 4
)
