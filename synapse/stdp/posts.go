package stdp

import (
	"math"
	"sort"

	"hmn/event"
	"hmn/event/fmath"
)

// epochs divides time so that exponentials factor: exp(−(t − s)/τ) for a post
// spike at s in epoch n is a factor of the spike, exp((s − nE)/τ), times one that
// an arrival at t computes once for all spikes of that epoch. E is 64 time
// constants, so that no factor overflows and the product keeps its digits.
type epochs struct{ length event.Time }

const tausPerEpoch = 64

// newEpochs makes the epochs for a shortest time constant of tau [ms]. An epoch of
// no more than a picosecond or of longer than any run is as good: factors are 1 or
// there is one epoch.
func newEpochs(tau float64) epochs {
	e := float64(tausPerEpoch * float64(tau*float64(event.Millisecond)))
	return epochs{event.Time(min(max(e, 1), float64(event.MaxTime/4)))}
}

// of is the epoch of t, which may lie before 0 by a delay.
func (e epochs) of(t event.Time) int64 {
	n := int64(t / e.length)
	if t < 0 && t%e.length != 0 {
		n--
	}
	return n
}

// into is the time from the start of epoch n to t [ms].
func (e epochs) into(t event.Time, n int64) float64 {
	return (t - event.Time(n)*e.length).MS()
}

// near is what synapses need to know of a spike of their target.
type near struct {
	At event.Time // of the spike; a synapse sees it a dendritic delay later
	N  int64      // its epoch
	Y  float64    // first filter right after it, o_1, times exp((At − NE)/τ_minus)
	// Gain is what it raises a weight by per unit of the filter of arrivals,
	// A_2 + A_3 o_2, times exp(−(At − NE)/τ_plus); o_2 is that right before it.
	Gain float64
}

// post is a spike of a target.
type post struct {
	near
	O2 float64 // second filter right before it
}

// never is the time of spikes that there were not: before any that a delay may
// reach back to.
const never = event.Time(math.MinInt64 / 2)

// nothing is the post spike before the first.
var nothing = post{near: near{At: never}}

// recent are the latest spikes of a target, the last one first.
type recent [4]near

// posts is the history of post spikes, per target: those that some synapse has
// not passed, and one more. The latest few of all targets stand side by side.
type posts struct {
	late []recent
	list [][]post // ascending, the latest included
	many bool     // some list is longer than it need be
}

func newPosts(targets int) posts {
	p := posts{late: make([]recent, targets), list: make([][]post, targets)}
	p.reset()
	return p
}

func (p *posts) reset() {
	for j := range p.list {
		p.list[j] = p.list[j][:0]
		p.late[j] = p.tail(j)
	}
	p.many = false
}

// last is the latest spike of target j.
func (p *posts) last(j int) *post {
	if n := len(p.list[j]); n > 0 {
		return &p.list[j][n-1]
	}
	return &nothing
}

// tail are the latest spikes in the list of target j.
func (p *posts) tail(j int) (r recent) {
	list := p.list[j]
	for k := range r {
		r[k] = nothing.near
		if n := len(list) - 1 - k; n >= 0 {
			r[k] = list[n].near
		}
	}
	return r
}

// add appends a spike of target j.
func (p *posts) add(j int, x post) {
	p.many = p.many || len(p.list[j]) > 0
	p.list[j] = append(p.list[j], x)
	r := &p.late[j]
	r[3], r[2], r[1], r[0] = r[2], r[1], r[0], x.near
}

// drop takes back the last n spikes of target j.
func (p *posts) drop(j, n int) {
	p.list[j] = p.list[j][:len(p.list[j])-n]
	p.late[j] = p.tail(j)
}

// forget drops what lies before t, but the last of it.
func (p *posts) forget(t event.Time) {
	if !p.many {
		return
	}
	p.many = false
	for j, list := range p.list {
		n := sort.Search(len(list), func(k int) bool { return list[k].At >= t }) - 1
		if n > 0 {
			p.list[j] = list[:copy(list, list[n:])]
		}
		p.many = p.many || len(p.list[j]) > 1
	}
}

// decay is a factor exp(±(t − NE)/τ) by epoch N; that of the epoch of t and of the
// one next to it, in the direction in which spikes lie, is computed once.
type decay struct {
	e    epochs
	t    event.Time
	rate float64 // per ms, signed
	n    [2]int64
	f    [2]float64
	has  [2]bool
}

// decayTo is the factor from spikes at epochs up to that of t, to t.
func (e epochs) decayTo(t event.Time, rate float64) decay {
	n := e.of(t)
	return decay{e: e, t: t, rate: -rate, n: [2]int64{n, n - 1}}
}

// decayFrom is the factor from t to spikes at epochs from that of t on.
func (e epochs) decayFrom(t event.Time, rate float64) decay {
	n := e.of(t)
	return decay{e: e, t: t, rate: rate, n: [2]int64{n, n + 1}}
}

// at is the factor for epoch n.
func (d *decay) at(n int64) float64 {
	if n == d.n[0] && d.has[0] {
		return d.f[0]
	}
	return d.far(n)
}

func (d *decay) far(n int64) float64 {
	for k := range d.n {
		if n == d.n[k] {
			if !d.has[k] {
				d.f[k], d.has[k] = d.exact(n), true
			}
			return d.f[k]
		}
	}
	return d.exact(n)
}

func (d *decay) exact(n int64) float64 { return fmath.Exp(float64(d.rate * d.e.into(d.t, n))) }
