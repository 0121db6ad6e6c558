package rundir

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"hmn/event"
)

// Status says how a run stands.
type Status string

// Statuses of a run. Reason says more of the last two.
const (
	Running     Status = "running"
	Done        Status = "done"        // reached its duration
	Interrupted Status = "interrupted" // by a signal; the record is complete up to SimulatedMS
	Stopped     Status = "stopped"     // by a guard or an error
)

// Manifest describes a run. Every key is always present in the file.
type Manifest struct {
	Model          string       `json:"model"` // the text of the model file
	ModelName      string       `json:"model_name"`
	ModelSHA256    string       `json:"model_sha256"` // of Model, hex
	Seed           uint64       `json:"seed"`
	Version        string       `json:"version"` // of hmn
	Status         Status       `json:"status"`
	Reason         string       `json:"reason"` // why it stopped or was interrupted
	Workers        int          `json:"workers"`
	DurationMS     MS           `json:"duration_ms"`  // asked for
	SimulatedMS    MS           `json:"simulated_ms"` // reached
	Neurons        int          `json:"neurons"`
	Synapses       int64        `json:"synapses"`
	Spikes         uint64       `json:"spikes"`
	MeanRateHz     Rates        `json:"mean_rate_hz"`
	Populations    []Population `json:"populations"`
	SynapticEvents uint64       `json:"synaptic_events"`
	Updates        uint64       `json:"updates"`          // applied weight updates recorded
	Candidates     uint64       `json:"candidates"`       // candidates recorded, applied or not
	WallS          Number       `json:"wall_s"`           // of the run without building
	BuildS         Number       `json:"build_s"`          //
	RealTimeFactor Number       `json:"real_time_factor"` // wall time per simulated time
	ResultHash     string       `json:"result_hash"`      // see ResultHasher; "" while running
	Overrides      []string     `json:"overrides"`        // the --set list, in order
	Notes          []string     `json:"notes"`
	Started        time.Time    `json:"started"`
	Records        []Record     `json:"records"`
}

// Population is a range of global neuron ids, [FirstID, FirstID+N).
type Population struct {
	Name    string `json:"name"`
	Model   string `json:"model"`
	N       int    `json:"n"`
	FirstID uint32 `json:"first_id"`
	// Names has one name per neuron when the model names them.
	Names []string `json:"names,omitempty"`
}

// Record is one thing that the run records.
type Record struct {
	What    string `json:"what"`     // spikes, V_m, …
	Of      string `json:"of"`       // population, projection, modulator or task
	N       int    `json:"n"`        // entities: neurons, synapses or named columns
	EveryMS MS     `json:"every_ms"` // 0: when it happens
	File    string `json:"file"`     // in the run directory
}

// MS is a time that stands in JSON as the exact decimal number of milliseconds.
type MS event.Time

// MarshalJSON writes the number of milliseconds, at most nine places.
func (t MS) MarshalJSON() ([]byte, error) { return event.Time(t).AppendMS(nil), nil }

// UnmarshalJSON reads what MarshalJSON writes, without rounding.
func (t *MS) UnmarshalJSON(b []byte) error {
	v, _, err := event.ParseMS(string(b))
	if err != nil {
		return fmt.Errorf("rundir: %w", err)
	}
	*t = MS(v)
	return nil
}

// Number is a float64 that stands in JSON as null when it is not finite: a rate
// over no time must not keep a manifest from being written.
type Number float64

// MarshalJSON writes the shortest decimal that reads back equal, or null.
func (x Number) MarshalJSON() ([]byte, error) {
	f := float64(x)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(f)
}

// UnmarshalJSON reads a number, and null as NaN.
func (x *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*x = Number(math.NaN())
		return nil
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return fmt.Errorf("rundir: %q is not a number", b)
	}
	*x = Number(f)
	return nil
}

// Rate is the mean rate of a population.
type Rate struct {
	Population string
	Hz         Number
}

// Rates stands in JSON as an object from population to rate, in the order of
// the slice, which is that of the model.
type Rates []Rate

// MarshalJSON writes the object.
func (r Rates) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, p := range r {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(p.Population)
		if err != nil {
			return nil, err
		}
		hz, err := p.Hz.MarshalJSON()
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), hz...)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads the object and keeps its order.
func (r *Rates) UnmarshalJSON(b []byte) error {
	*r = nil
	if string(b) == "null" {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("rundir: mean_rate_hz is not an object")
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		p := Rate{Population: name.(string)} // the decoder allows no other key
		if err := dec.Decode(&p.Hz); err != nil {
			return err
		}
		*r = append(*r, p)
	}
	return nil
}

// encode returns the text of manifest.json.
func (m Manifest) encode() ([]byte, error) {
	switch m.Status {
	case Running, Done, Interrupted, Stopped:
	default:
		return nil, fmt.Errorf("rundir: status %q, want running, done, interrupted or stopped", m.Status)
	}
	// A list without elements is [], not null.
	if m.Populations == nil {
		m.Populations = []Population{}
	}
	if m.Overrides == nil {
		m.Overrides = []string{}
	}
	if m.Notes == nil {
		m.Notes = []string{}
	}
	if m.Records == nil {
		m.Records = []Record{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // "E→I", "a < b" stay readable
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("rundir: %w", err)
	}
	return b.Bytes(), nil
}
