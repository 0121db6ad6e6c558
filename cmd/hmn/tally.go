package main

import (
	"fmt"
	"io"

	"hmn/io/spikelog"
	"hmn/network"
)

// tally counts applied updates and candidates by projection.
type tally struct{ each []learnCount }

// learnCount is the count of one projection.
type learnCount struct {
	Projection    string `json:"projection"`
	Updates       uint64 `json:"updates"`
	Candidates    uint64 `json:"candidates"`
	Opportunities uint64 `json:"opportunities"` // candidates that are not 0
	Applied       uint64 `json:"applied"`       // of them
	// UpdatesHz and CandidatesHz are per simulated second, all synapses
	// together, null where they are not recorded; Acceptance is Applied over
	// Opportunities, null without any.
	UpdatesHz    *float64 `json:"updates_hz"`
	CandidatesHz *float64 `json:"candidates_hz"`
	Acceptance   *float64 `json:"acceptance"`
}

func newTally(m spikelog.Meta) *tally {
	t := &tally{each: make([]learnCount, len(m.Projections))}
	for i, p := range m.Projections {
		t.each[i].Projection = p.Name
	}
	return t
}

func (t *tally) updates(list []network.WeightUpdate) {
	for i := range list {
		t.each[list[i].Synapse.Projection].Updates++
	}
}

func (t *tally) candidates(list []network.Candidate) {
	for i := range list {
		c := &t.each[list[i].Synapse.Projection]
		c.Candidates++
		if list[i].Value != 0 {
			c.Opportunities++
		}
		if list[i].Applied {
			c.Applied++
		}
	}
}

// sum is the count of all projections together.
func (t *tally) sum() (s learnCount) {
	for _, c := range t.each {
		s.Updates += c.Updates
		s.Candidates += c.Candidates
		s.Opportunities += c.Opportunities
		s.Applied += c.Applied
	}
	return s
}

// counted writes to the record what it counts.
type counted struct {
	log   *spikelog.Writer
	tally *tally
}

func (c counted) WriteUpdates(list []network.WeightUpdate) error {
	if err := c.log.WriteUpdates(list); err != nil {
		return err // nothing is counted that is not written
	}
	c.tally.updates(list)
	return nil
}

func (c counted) WriteCandidates(list []network.Candidate) error {
	if err := c.log.WriteCandidates(list); err != nil {
		return err
	}
	c.tally.candidates(list)
	return nil
}

// learns reports whether the run recorded updates or candidates.
func (v *view) learns() bool {
	for _, p := range v.reader.Meta().Projections {
		if p.Updates || p.Candidates {
			return true
		}
	}
	return false
}

// tally reads all updates and candidates and counts those of the projections
// that record them.
func (v *view) tally() ([]learnCount, error) {
	t := newTally(v.reader.Meta())
	fail := func(err error) error {
		return fmt.Errorf("hmn: the record of %s is damaged: %w", v.dir, err)
	}
	var bad error
	for list, err := range v.reader.AllUpdates() {
		if err != nil {
			bad = fail(err)
			break
		}
		t.updates(list)
	}
	for list, err := range v.reader.AllCandidates() {
		if err != nil {
			if bad == nil {
				bad = fail(err)
			}
			break
		}
		t.candidates(list)
	}
	var rows []learnCount
	seconds := v.end().Seconds()
	for i, p := range v.reader.Meta().Projections {
		if !p.Updates && !p.Candidates {
			continue
		}
		c := t.each[i]
		if p.Updates {
			c.UpdatesHz = number(float64(c.Updates) / seconds)
		}
		if p.Candidates {
			c.CandidatesHz = number(float64(c.Candidates) / seconds)
			c.Acceptance = number(float64(c.Applied) / float64(c.Opportunities))
		}
		rows = append(rows, c)
	}
	return rows, bad
}

// learning writes the table of updates and candidates.
func (v *view) learning(w io.Writer, rows []learnCount) {
	if len(rows) == 0 {
		return
	}
	rate := func(x *float64) string {
		if x == nil {
			return "–"
		}
		return digits(*x, 4)
	}
	t := table{left: 1}
	fmt.Fprintln(w)
	t.row("projection", "updates", "per s", "candidates", "per s", "opportunities", "applied")
	for _, c := range rows {
		updates, candidates, opportunities, applied := "–", "–", "–", "–"
		if c.UpdatesHz != nil {
			updates = count(c.Updates)
		}
		if c.CandidatesHz != nil {
			candidates, opportunities = count(c.Candidates), count(c.Opportunities)
		}
		if c.Acceptance != nil {
			applied = digits(100**c.Acceptance, 3) + " %"
		}
		t.row(c.Projection, updates, rate(c.UpdatesHz), candidates, rate(c.CandidatesHz), opportunities, applied)
	}
	t.write(w)
}
