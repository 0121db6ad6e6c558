package hmn

import (
	"hmn/event"
	"hmn/event/fmath"
	"hmn/synapse"
)

// Shadow follows one synapse from t = 0 on without touching it: what a recorder
// reads. It lags behind and is brought up to the time of a read.
type Shadow struct {
	l      *Spikes
	v      visit
	s      spikeState
	coming []event.Time // arrivals not yet seen
	ticks  []alphaAt    // attention: changes of α̂ at cycle starts, not yet seen
}

type alphaAt struct {
	at    event.Time
	alpha float64
}

// Follow makes a follower of synapse i of source src, as it is now.
func (l *Spikes) Follow(i, src uint32) synapse.Follower {
	sh := &Shadow{l: l, v: l.enter(i, src), s: l.st[i]}
	sh.v.dry = true
	if l.alpha != nil {
		if l.shadows == nil {
			l.shadows = map[uint32][]*Shadow{}
		}
		l.shadows[i] = append(l.shadows[i], sh)
	}
	if l.P.Update == Continuous {
		l.flowing = append(l.flowing, sh)
	}
	return sh
}

// Expect tells the follower of a spike of its source at t.
func (sh *Shadow) Expect(t event.Time) {
	sh.coming = append(sh.coming, t+sh.l.W.AxonalOf(sh.v.i))
}

// What can be read of a synapse besides its weight.
const (
	Eligibility     = "eligibility"      // a_fast e_fast + a_slow e_slow
	EligibilityFast = "eligibility_fast" // e_fast
	EligibilitySlow = "eligibility_slow" // e_slow
	Gate            = "gate"             // g_ij
	Alpha           = "alpha"            // α_ij of local attention
)

// Read is a signal at t.
func (sh *Shadow) Read(signal string, t event.Time) float64 {
	switch signal {
	case EligibilityFast:
		fast, _ := sh.Traces(t)
		return fast
	case EligibilitySlow:
		_, slow := sh.Traces(t)
		return slow
	case Eligibility:
		fast, slow := sh.Traces(t)
		return float64(sh.l.P.AFast*fast) + float64(sh.l.P.ASlow*slow)
	case Gate:
		return sh.Gate(t)
	case Alpha:
		return sh.Alpha()
	}
	return sh.Weight(t)
}

// To takes the follower through everything up to and at t.
func (sh *Shadow) To(t event.Time) {
	sh.v.s = &sh.s
	l, v := sh.l, &sh.v
	for {
		arrival := len(sh.coming) > 0 && sh.coming[0] <= t
		tick := len(sh.ticks) > 0 && sh.ticks[0].at <= t
		switch {
		case arrival && !(tick && sh.ticks[0].at < sh.coming[0]):
			a := sh.coming[0]
			sh.coming = sh.coming[:copy(sh.coming, sh.coming[1:])]
			l.advance(v, a, false)
			l.arrive(v, a, nil)
			v.pre = l.P.filter(v.pre, a)
		case tick:
			a := sh.ticks[0]
			sh.ticks = sh.ticks[:copy(sh.ticks, sh.ticks[1:])]
			l.advance(v, a.at, true)
			if v.turn = a.alpha; v.turn != v.alpha {
				l.jump(v, a.at, l.close(int64(v.s.K), v.centre), 0, nil)
			}
		default:
			l.advance(v, t, true)
			return
		}
	}
}

// Weight is the magnitude at t, to which the follower was taken.
func (sh *Shadow) Weight(t event.Time) float64 { return sh.l.weightAt(&sh.v, t) }

// Traces are e_fast and e_slow at t.
func (sh *Shadow) Traces(t event.Time) (fast, slow float64) {
	dt := (t - sh.s.T).MS()
	return float64(sh.s.Fast * fmath.Exp(-dt/sh.l.P.TauFast)), float64(sh.s.Slow * fmath.Exp(-dt/sh.l.P.TauSlow))
}

// Gate is g_ij at t.
func (sh *Shadow) Gate(t event.Time) float64 { return sh.l.gateAt(&sh.l.P, t, sh.v.centre) }

// gateAt is g at t for a synapse whose window 0 is centred there, Eq. 4.
func (c *Cycle) gateAt(p *Params, t event.Time, centre float64) float64 {
	if !c.gate {
		return 1
	}
	k := c.awaited(t, centre)
	if !c.open(k, centre).Reached(t) {
		return 0
	}
	return float64(p.GateGain * fmath.Sin(float64(c.Omega*c.close(k, centre).From(t))))
}

// Alpha is α, without fan-in gain.
func (sh *Shadow) Alpha() float64 { return sh.l.P.ungained(sh.v.alpha, sh.l.fanIn, sh.v.j) }

// ungained is α of an α̂.
func (p *Params) ungained(alpha float64, fanIn []int, j int) float64 {
	if p.FanIn && len(fanIn) > 0 {
		return alpha / float64(fanIn[j])
	}
	return alpha
}
