package hmn

import (
	"math"

	"hmn/event"
)

// Cycle is the oscillation Φ(t) = Ωt + φ_0 of a projection and the windows it
// makes: window k of a synapse with phase φ is centred at (φ − φ_0 + 2πk)/Ω and
// reaches a quarter of a cycle to either side, or half a cycle when the gate is
// off (docs/learning.md).
type Cycle struct {
	hi, lo float64 // length T in ps, the sum of both
	T      float64 // ms
	Omega  float64 // Ω, rad/ms
	reach  float64 // of a window to either side of its centre, in cycles
	phase0 float64
	gate   bool
}

// NewCycle makes the oscillation of a rule.
func NewCycle(p *Params) Cycle {
	c := Cycle{hi: 1e12 / p.OscHz, T: 1000 / p.OscHz, phase0: p.OscPhase, gate: p.Gate, reach: 0.5}
	c.lo = math.FMA(-c.hi, p.OscHz, 1e12) / p.OscHz
	c.Omega = float64(2 * math.Pi * p.OscHz / 1000)
	if p.Gate {
		c.reach = 0.25
	}
	return c
}

// centre is the centre of window 0, in cycles.
func (c *Cycle) centre(phase float64) float64 { return (phase - c.phase0) / (2 * math.Pi) }

// at is the instant k + x cycles after t = 0, to about 1e-5 ps. The product of k
// and the length of a cycle is kept exactly: in a run of days it has more digits
// than a float64.
func (c *Cycle) at(k int64, x float64) event.Instant {
	n := float64(k)
	p := float64(n * c.hi)
	rest := math.FMA(n, c.hi, -p) + float64(n*c.lo) + float64(x*c.hi)
	whole := math.Floor(p)
	rest += p - whole
	fl := math.Floor(rest)
	return event.Instant{At: event.Time(whole) + event.Time(fl), Frac: rest - fl}
}

// Close is the end of window k of a synapse whose window 0 is centred at the
// given number of cycles.
func (c *Cycle) close(k int64, centre float64) event.Instant { return c.at(k, centre+c.reach) }

// open is the start of window k, before 0 perhaps.
func (c *Cycle) open(k int64, centre float64) event.Instant { return c.at(k, centre-c.reach) }

// awaited is the first window that does not close before an event at t: the
// least k with t ≤ close(k).
func (c *Cycle) awaited(t event.Time, centre float64) int64 {
	k := int64(math.Floor(float64(t)/c.hi - centre - c.reach))
	for c.close(k, centre).At >= t {
		k--
	}
	for c.close(k, centre).At < t {
		k++
	}
	return k
}

// first is the first window that exists: the least k whose close is later than
// t = 0 (A.4(1)).
func (c *Cycle) first(centre float64) int64 {
	k := c.awaited(0, centre)
	for {
		if e := c.close(k, centre); e.At > 0 || e.At == 0 && e.Frac > 0 {
			return k
		}
		k++
	}
}

// Start is the n-th start of a global cycle, Φ ≡ 0, to the nearest picosecond.
func (c *Cycle) Start(n int64) event.Time { return c.at(n, -c.phase0/(2*math.Pi)).Rounded() }

// NextStart is the index of the first global cycle start after t.
func (c *Cycle) NextStart(t event.Time) int64 {
	n := int64(math.Floor(float64(t)/c.hi + c.phase0/(2*math.Pi)))
	for c.Start(n) > t {
		n--
	}
	for c.Start(n) <= t {
		n++
	}
	return n
}

// Cycles is the time of n whole cycles, rounded to the nearest picosecond.
func (c *Cycle) Cycles(n int64) event.Time { return c.at(n, 0).Rounded() }
