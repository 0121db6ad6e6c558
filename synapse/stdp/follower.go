package stdp

import (
	"hmn/event"
	"hmn/synapse"
)

// follower follows one synapse for a recorder.
type follower struct {
	r      *Rule
	v      view
	coming []event.Time // arrivals not yet seen
}

// Follow makes a follower of synapse i of source src, as it is at t = 0.
func (r *Rule) Follow(i, src uint32) synapse.Follower {
	return &follower{r: r, v: r.view(i, src, never)}
}

// Expect tells of a spike of the source at t.
func (f *follower) Expect(t event.Time) { f.coming = append(f.coming, t+f.v.a) }

// To takes the follower through everything up to and at t.
func (f *follower) To(t event.Time) {
	n := 0
	for n < len(f.coming) && f.coming[n] <= t {
		f.r.arrive(&f.v, f.coming[n])
		n++
	}
	f.coming = f.coming[:copy(f.coming, f.coming[n:])]
	// A run may end, and all be taken to its end, before a sample that was read in
	// the same window: what has been seen is not seen again.
	if t+1 > f.v.settled {
		f.r.to(&f.v, t+1)
	}
}

// Read is the magnitude at the time the follower was taken to.
func (f *follower) Read(string, event.Time) float64 { return f.v.w }
