package spikelog

import (
	"encoding/json"
	"fmt"
	"math"

	"hmn/event"
)

// Meta says what a record holds, so that it can be read without the model. It
// is written as JSON; a reader ignores keys that it does not know.
type Meta struct {
	Model       string       `json:"model,omitempty"` // the model's name
	Populations []Population `json:"populations"`     // by FirstID, ascending
	// Projections stand in the order of the description: SynapseID.Projection is
	// an index here.
	Projections []Projection `json:"projections,omitempty"`
	Modulators  []string     `json:"modulators,omitempty"` // names, in the order of the description
	Signals     []Signal     `json:"signals"`
}

// Population is a range of global neuron ids, [FirstID, FirstID+N).
type Population struct {
	Name    string `json:"name"`
	FirstID uint32 `json:"first_id"`
	N       int    `json:"n"`
}

// Projection says what the synapses of a projection connect. Their sources and
// targets are local to the two populations.
type Projection struct {
	Name       string `json:"name"`
	Source     string `json:"source"`               // population
	Target     string `json:"target"`               // population
	Updates    bool   `json:"updates,omitempty"`    // its applied updates are recorded
	Candidates bool   `json:"candidates,omitempty"` // its candidates are recorded
}

// Signal describes the samples of one record. Its columns are entities of a
// population, synapses of a projection, or have names.
type Signal struct {
	Record int        `json:"record"`           // index in Model.Records, names the signal in WriteSamples
	What   string     `json:"what"`             // "V_m", "I_syn", "rate", "weight", "eligibility", "trials", …
	Of     string     `json:"of"`               // population, projection, modulator or task
	Unit   string     `json:"unit,omitempty"`   // of the values; "" = not said
	N      int        `json:"n"`                // entities, = values per sample
	Subset []int      `json:"subset,omitempty"` // the N local indices in the population; nil = 0 to N−1
	Every  event.Time `json:"every_ps"`         // interval of the samples; 0 = irregular, such as trials
	// Synapses names the N columns of a signal of synapses; nil otherwise.
	Synapses []Synapse `json:"synapses,omitempty"`
	// Columns names the N columns where they are neither neurons nor synapses:
	// the modulators of gamma, eta_local and eta_global, what a task reports.
	Columns []string `json:"columns,omitempty"`
}

// Synapse names a synapse of a projection. In JSON it is [source, target], or
// [source, target, multapse] where the last is not 0.
type Synapse struct {
	Source, Target uint32 // local to the populations
	Multapse       uint32 // number among the synapses from Source to Target
}

// String is "source:target", with ":multapse" where that is not 0.
func (s Synapse) String() string {
	if s.Multapse == 0 {
		return fmt.Sprintf("%d:%d", s.Source, s.Target)
	}
	return fmt.Sprintf("%d:%d:%d", s.Source, s.Target, s.Multapse)
}

// MarshalJSON writes the list of two or three numbers.
func (s Synapse) MarshalJSON() ([]byte, error) {
	if s.Multapse == 0 {
		return fmt.Appendf(nil, "[%d,%d]", s.Source, s.Target), nil
	}
	return fmt.Appendf(nil, "[%d,%d,%d]", s.Source, s.Target, s.Multapse), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Synapse) UnmarshalJSON(b []byte) error {
	var n []uint32
	if err := json.Unmarshal(b, &n); err != nil {
		return fmt.Errorf("spikelog: synapse %s: %w", b, err)
	}
	if len(n) != 2 && len(n) != 3 {
		return fmt.Errorf("spikelog: synapse %s: %d numbers, want source, target and perhaps multapse", b, len(n))
	}
	*s = Synapse{Source: n[0], Target: n[1]}
	if len(n) == 3 {
		s.Multapse = n[2]
	}
	return nil
}

// Label names column j of a signal: its name, its synapse, or the index of its
// neuron.
func (s *Signal) Label(j int) string {
	switch {
	case s.Columns != nil:
		return s.Columns[j]
	case s.Synapses != nil:
		return s.Synapses[j].String()
	case s.Subset != nil:
		j = s.Subset[j]
	}
	return fmt.Sprint(j)
}

// version is the version of a file with this description: the least that has
// all kinds of block it may hold.
func (m *Meta) version() uint32 {
	for _, p := range m.Projections {
		if p.Updates || p.Candidates {
			return 2
		}
	}
	return 1
}

// maxEntities bounds a sample to what the 32-bit lengths of a block can say.
const maxEntities = 1 << 28

// maxProjections bounds the index of a projection in a synapse.
const maxProjections = 1 << 20

func (m *Meta) check() error {
	next := uint64(0)
	for _, p := range m.Populations {
		if p.N < 0 || uint64(p.FirstID) < next || uint64(p.FirstID)+uint64(p.N) > math.MaxUint32+1 {
			return fmt.Errorf("spikelog: population %q: ids %d and %d more, want 32-bit ranges in ascending order", p.Name, p.FirstID, p.N)
		}
		next = uint64(p.FirstID) + uint64(p.N)
	}
	if len(m.Projections) > maxProjections {
		return fmt.Errorf("spikelog: %d projections, want at most %d", len(m.Projections), maxProjections)
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
		case s.Synapses != nil && len(s.Synapses) != s.N:
			return fmt.Errorf("spikelog: signal %s of %q: %d synapses for %d values per sample", s.What, s.Of, len(s.Synapses), s.N)
		case s.Columns != nil && len(s.Columns) != s.N:
			return fmt.Errorf("spikelog: signal %s of %q: %d names for %d values per sample", s.What, s.Of, len(s.Columns), s.N)
		case s.Every < 0:
			return fmt.Errorf("spikelog: signal %s of %q: interval %d ps is negative", s.What, s.Of, s.Every)
		}
		seen[s.Record] = true
	}
	return nil
}
