package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"

	"hmn/event"
	"hmn/io/rundir"
	"hmn/io/spikelog"
	"hmn/network"
)

// view is a run directory open for reading.
type view struct {
	dir      string
	manifest *rundir.Manifest // nil when the directory has none
	reader   *spikelog.Reader
	trains   *trains // after measure
}

// openRun opens the run in dir: its record, and its manifest if there is one. A
// manifest that cannot be read is an error.
func openRun(dir string) (*view, error) {
	v := &view{dir: dir}
	switch m, err := rundir.Load(dir); {
	case err == nil:
		v.manifest = &m
	case !errors.Is(err, rundir.ErrNotRun) || !rundir.IsRun(dir):
		return nil, err
	}
	r, err := spikelog.Open(filepath.Join(dir, rundir.RecordName))
	if err != nil {
		return nil, fmt.Errorf("hmn: the record of %s cannot be read: %w", dir, err)
	}
	v.reader = r
	return v, nil
}

func (v *view) close() { v.reader.Close() }

// end is the simulated time that the record covers: what the manifest says, or
// up to the last thing recorded.
func (v *view) end() event.Time {
	if v.manifest != nil && v.manifest.Status != rundir.Running {
		return event.Time(v.manifest.SimulatedMS)
	}
	_, last, ok := v.reader.Span()
	if !ok {
		return 0
	}
	return last + 1
}

// measure reads all spikes.
func (v *view) measure() (err error) {
	v.trains, err = measure(v.reader, v.end())
	if err != nil {
		return fmt.Errorf("hmn: the record of %s is damaged after t = %s ms: %w", v.dir, v.trains.last, err)
	}
	return nil
}

// torn says what is missing of a record that was cut off: a warning when the
// run was killed, an error when it had closed its record.
func (v *view) torn() (warning string, err error) {
	d := v.reader.Damage()
	_, last, _ := v.reader.Span()
	switch {
	case d == nil:
		return "", nil
	case v.manifest != nil && v.manifest.Status != rundir.Running:
		return "", fmt.Errorf("hmn: the record of %s was damaged after the run: %s; it can be read up to t = %s ms", v.dir, d, last)
	}
	return fmt.Sprintf("the run was killed or still runs: the record was not closed and can be read up to t = %s ms (%s)", last, d), nil
}

// recorded reports whether the record was to hold spikes of a population.
func (v *view) recorded(name string) bool {
	if v.manifest == nil {
		return true
	}
	for _, r := range v.manifest.Records {
		if r.What == network.RecordSpikes && r.Of == name {
			return true
		}
	}
	return false
}

// popRow is what is known of a population of a run.
type popRow struct {
	Name   string   `json:"name"`
	Model  string   `json:"model,omitempty"`
	N      int      `json:"n"`
	Spikes *uint64  `json:"recorded_spikes"` // null: not recorded
	RateHz *float64 `json:"mean_rate_hz"`    // of all neurons; null: sends no spikes
	CV     *float64 `json:"isi_cv"`          // mean over recorded neurons with ≥ 3 spikes; null: none
}

// populations lists them after measure.
func (v *view) populations() []popRow {
	var rows []popRow
	for i, p := range v.reader.Meta().Populations {
		r := popRow{Name: p.Name, N: p.N}
		cv, spikes := v.trains.CV(i)
		if v.recorded(p.Name) {
			r.Spikes, r.CV = &spikes, number(cv)
		}
		if m := v.manifest; m != nil && i < len(m.Populations) && i < len(m.MeanRateHz) && m.Populations[i].Name == p.Name {
			r.Model = m.Populations[i].Model
			r.RateHz = number(float64(m.MeanRateHz[i].Hz))
		}
		if (v.manifest == nil || v.manifest.Status == rundir.Running) && r.Spikes != nil && v.end() > 0 && v.complete(p.Name, p.N) {
			r.RateHz = number(float64(spikes) / float64(p.N) / v.end().Seconds())
		}
		rows = append(rows, r)
	}
	return rows
}

// complete reports whether all n neurons of a population were recorded.
func (v *view) complete(name string, n int) bool {
	if v.manifest == nil {
		return true
	}
	for _, r := range v.manifest.Records {
		if r.What == network.RecordSpikes && r.Of == name && r.N >= n {
			return true
		}
	}
	return false
}

// rates writes the table of populations.
func (v *view) rates(w io.Writer) {
	t := table{left: 1}
	t.row("population", "n", "recorded spikes", "rate Hz", "ISI-CV")
	for _, p := range v.populations() {
		spikes, rate, cv := "–", "–", "–"
		if p.Spikes != nil {
			spikes = count(*p.Spikes)
		}
		if p.RateHz != nil {
			rate = digits(*p.RateHz, 4)
		}
		if p.CV != nil {
			cv = digits(*p.CV, 3)
		}
		t.row(p.Name, count(p.N), spikes, rate, cv)
	}
	t.write(w)
}

// Bytes of a spike as plain numbers: 8 of time and 4 of id.
const plainSpike = 12

// perSpike is the bytes of the record that a spike takes, NaN without spikes.
func (v *view) perSpike() float64 {
	if v.reader.NumSpikes() == 0 {
		return math.NaN()
	}
	return float64(v.reader.SpikeBytes()) / float64(v.reader.NumSpikes())
}

// recordLine describes the file of the record.
func (v *view) recordLine() string {
	s := filepath.Join(v.dir, rundir.RecordName) + ", " + size(float64(v.reader.Bytes()))
	if x := v.perSpike(); !math.IsNaN(x) {
		s += fmt.Sprintf(", %s B per spike", digits(x, 3))
	}
	return s
}
