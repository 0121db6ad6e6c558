package flow

import (
	"slices"

	"hmn/event"
	"hmn/synapse"
)

// Flow is a rule for the synapses of one projection between rate units onto one
// block. Synapses are moved lazily, at their own events and at the ends of
// intervals in which they move; see synapse.RateLearner.
type Flow struct {
	synapse.Ledger // stays empty: weights move all the time
	law            law
	lo, hi         float64
	theta          float64 // at t = 0
	hold           event.Time
	w              *synapse.Wiring

	st      []state
	first   []uint32 // by target: its synapses are column[first[j]:first[j+1]]
	column  []uint32
	next    event.Time // end of the present interval; any, while none is live
	live    int        // synapses that move or have moved since they were published
	changed []synapse.Reweigh
	undo    []undone // states replaced in the present window
}

// state is one synapse at T.
type state struct {
	W, Theta  float64
	X, Z      float64 // since T
	T         event.Time
	Published float64 // what the target has
}

type undone struct {
	i  uint32
	st state
}

// StateBytes is the memory of one synapse.
const StateBytes = 48 + 4 + 28 // and its place in a column and in the network's lists

func newFlow(l law, lo, hi, theta float64, hold event.Time, w *synapse.Wiring) *Flow {
	n := w.Rows.Len()
	f := &Flow{law: l, lo: lo, hi: hi, theta: theta, hold: hold, w: w, st: make([]state, n), first: make([]uint32, w.Targets+1), column: make([]uint32, n)}
	for _, t := range w.Rows.Target {
		f.first[t+1]++
	}
	for j := range w.Targets {
		f.first[j+1] += f.first[j]
	}
	next := slices.Clone(f.first)
	for i, t := range w.Rows.Target {
		f.column[next[t]] = uint32(i)
		next[t]++
	}
	f.Reset()
	return f
}

// Reset returns to the state before t = 0.
func (f *Flow) Reset() {
	for i := range f.st {
		w := f.w.WeightOf(uint32(i))
		f.st[i] = state{W: w, Theta: f.theta, Published: w}
	}
	f.live, f.next, f.undo = 0, 0, f.undo[:0]
}

// Begin starts a window: see synapse.RateLearner.
func (f *Flow) Begin(event.Time) { f.undo = f.undo[:0] }

// isLive says that the weight moves, or that its target has yet to get it.
func (f *Flow) isLive(s *state) bool { return !f.law.still(s.X, s.Z) || s.W != s.Published }

// at is the synapse at t.
func (f *Flow) at(s state, t event.Time) state {
	if dt := (t - s.T).MS(); dt > 0 {
		s.W, s.Theta = f.law.move(s.W, s.Theta, s.X, s.Z, dt, f.lo, f.hi)
		s.T = t
	}
	return s
}

// turn moves synapse i to t, where its input becomes x and the output z.
func (f *Flow) turn(i uint32, t event.Time, x, z float64) {
	s := &f.st[i]
	if x == s.X && z == s.Z {
		return
	}
	f.undo = append(f.undo, undone{i, *s})
	was := f.isLive(s)
	*s = f.at(*s, t)
	s.X, s.Z = x, z
	f.count(was, f.isLive(s), t)
}

// count keeps the number of live synapses. Without any, no interval is due; the
// first one that comes to life at t starts them again.
func (f *Flow) count(was, is bool, t event.Time) {
	switch {
	case was && !is:
		f.live--
	case is && !was:
		if f.live++; f.live == 1 {
			f.next = (t/f.hold + 1) * f.hold
		}
	}
}

// Input sets x of synapse i.
func (f *Flow) Input(i uint32, t event.Time, x float64) { f.turn(i, t, x, f.st[i].Z) }

// Centre passes the output on as it is.
func (f *Flow) Centre(_ int, _ event.Time, z float64) float64 { return z }

// Output lets the synapses of target j see its output.
func (f *Flow) Output(j int, t event.Time, _, z float64) {
	for _, i := range f.Column(j) {
		f.OutputAt(i, t, z)
	}
}

// OutputAt lets one synapse see it.
func (f *Flow) OutputAt(i uint32, t event.Time, z float64) { f.turn(i, t, f.st[i].X, z) }

// Column lists the synapses of target j.
func (f *Flow) Column(j int) []uint32 { return f.column[f.first[j]:f.first[j+1]] }

// NextClose is the end of the present interval, if any weight moves in it.
func (f *Flow) NextClose() event.Instant {
	if f.live == 0 {
		return event.Instant{At: event.MaxTime}
	}
	return event.Instant{At: f.next}
}

// Close ends the intervals up to and at t: the targets get the weights that have
// moved.
func (f *Flow) Close(t event.Time) []synapse.Reweigh {
	f.changed = f.changed[:0]
	for f.live > 0 && f.next <= t {
		at := f.next
		f.next += f.hold
		for i := range f.st {
			s := &f.st[i]
			if !f.isLive(s) {
				continue
			}
			f.undo = append(f.undo, undone{uint32(i), *s})
			*s = f.at(*s, at)
			if s.W != s.Published {
				s.Published = s.W
				f.changed = append(f.changed, synapse.Reweigh{Synapse: uint32(i), Close: event.Instant{At: at}, W: s.W})
			}
			f.count(true, f.isLive(s), at)
		}
	}
	return f.changed
}

// Weight is the weight of synapse i at t, the time reached.
func (f *Flow) Weight(i uint32, t event.Time) float64 { return f.at(f.st[i], t).W }

// Weights are all weights at t.
func (f *Flow) Weights(t event.Time) []float64 {
	st := slices.Clone(f.st)
	for k := len(f.undo) - 1; k >= 0; k-- {
		if u := &f.undo[k]; st[u.i].T > t {
			st[u.i] = u.st
		}
	}
	w := make([]float64, len(st))
	for i := range w {
		w[i] = f.at(st[i], t).W
	}
	return w
}
