package spikelog

import (
	"fmt"
	"math"

	"hmn/event"
)

// Meta says what a record holds, so that it can be read without the model. It
// is written as JSON; a reader ignores keys that it does not know.
type Meta struct {
	Model       string       `json:"model,omitempty"` // the model's name
	Populations []Population `json:"populations"`     // by FirstID, ascending
	Signals     []Signal     `json:"signals"`
}

// Population is a range of global neuron ids, [FirstID, FirstID+N).
type Population struct {
	Name    string `json:"name"`
	FirstID uint32 `json:"first_id"`
	N       int    `json:"n"`
}

// Signal describes the samples of one record.
type Signal struct {
	Record int        `json:"record"`           // index in Model.Records, names the signal in WriteSamples
	What   string     `json:"what"`             // "V_m", "I_syn", "rate", "weight", …
	Of     string     `json:"of"`               // population, or projection
	N      int        `json:"n"`                // entities, = values per sample
	Subset []int      `json:"subset,omitempty"` // the N local indices in the population; nil = 0 to N−1
	Every  event.Time `json:"every_ps"`         // interval of the samples; 0 = irregular
}

// maxEntities bounds a sample to what the 32-bit lengths of a block can say.
const maxEntities = 1 << 28

func (m *Meta) check() error {
	next := uint64(0)
	for _, p := range m.Populations {
		if p.N < 0 || uint64(p.FirstID) < next || uint64(p.FirstID)+uint64(p.N) > math.MaxUint32+1 {
			return fmt.Errorf("spikelog: population %q: ids %d and %d more, want 32-bit ranges in ascending order", p.Name, p.FirstID, p.N)
		}
		next = uint64(p.FirstID) + uint64(p.N)
	}
	seen := map[int]bool{}
	for _, s := range m.Signals {
		switch {
		case s.Record < 0 || s.Record >= 1<<20:
			return fmt.Errorf("spikelog: signal %s of %q: record %d, want 0 to %d", s.What, s.Of, s.Record, 1<<20-1)
		case seen[s.Record]:
			return fmt.Errorf("spikelog: signal %s of %q: record %d described twice", s.What, s.Of, s.Record)
		case s.N < 1 || s.N > maxEntities:
			return fmt.Errorf("spikelog: signal %s of %q: %d values per sample, want 1 to %d", s.What, s.Of, s.N, maxEntities)
		case s.Subset != nil && len(s.Subset) != s.N:
			return fmt.Errorf("spikelog: signal %s of %q: subset of %d for %d values per sample", s.What, s.Of, len(s.Subset), s.N)
		case s.Every < 0:
			return fmt.Errorf("spikelog: signal %s of %q: interval %d ps is negative", s.What, s.Of, s.Every)
		}
		seen[s.Record] = true
	}
	return nil
}
