package synapse

import "hmn/event"

// Entry is one window of one synapse: a weight that changed, or might have.
type Entry struct {
	Close   event.Instant
	Open    event.Instant
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
// of time. A Learner embeds it.
type Ledger struct {
	Keep    bool // keep updates
	All     bool // keep every window, updates or not
	Entries []Entry
	Counts  Counts
}

// Log is the ledger itself.
func (l *Ledger) Log() *Ledger { return l }
