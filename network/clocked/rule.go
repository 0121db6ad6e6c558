package clocked

import (
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/random"
	"hmn/network"
	"hmn/synapse/hmn"
)

// rule is the learning rule of one plastic projection: its constants, what all
// its synapses share, and their state. Magnitudes of weights learn; the sign
// stays.
type rule struct {
	hmn.Params
	p    *projection
	sign float64
	keys []random.Key // of the Bernoulli draws, by multapse number
	syn  []plastic

	omega float64 // Ω [rad/ms]
	reach float64 // from the centre of a window to its edges, in cycles

	// Factors over one step, and over the part of a step after which the drift
	// is evaluated: 0, or half a step with Midpoint.
	fast, slow, plus, minus, lambda float64
	fastPart, slowPart              float64

	etaLocal, etaGlobal float64 // with the factors of the meta-learning

	// Modulation.
	w      []float64 // w_k
	gamma  []float64 // γ_k
	c      float64   // mean activity, not yet divided by r_ref
	cycles int64     // index of the next start of a cycle, Φ = 2π·cycles
	starts bool      // a cycle starts at the present grid point

	// Attention.
	group *group
	v     [][]float64 // unit vectors of the presynaptic neurons
	raw   [][]float64 // oja: V
	seen  []float64   // oja: ∫ x dt [ms] or number of spikes in this cycle
	since int64       // oja: grid point at which the cycle began
}

// plastic is the state of one synapse.
type plastic struct {
	w       float64    // magnitude
	before  float64    // what it was for arrivals at or before changed
	changed event.Time // −1: never

	xhat, zhat float64 // filters of arrivals and post spikes
	mark       float64 // the filter of arrivals that enters contexts: always +1
	fast, slow float64 // traces
	x, z       float64 // rates: input and output as they act now
	zbar       float64
	zsince     event.Time // zbar is complete up to here
	largest    float64    // rates: max|xz| since the traces were last set to 0

	phi, next   float64 // φ of the present window, of the next one
	k           int64   // the present window, or the next to open
	open, close event.Time
	candidate   float64
	closed      bool // a window closed since the last grid point
	alpha       float64
}

// weightFor is the weight that an arrival at t finds: at the very close of a
// window still the old one.
func (s *plastic) weightFor(t event.Time) float64 {
	if t <= s.changed {
		return s.before
	}
	return s.w
}

func (e *Engine) makeRule(p *projection, list []network.Synapse) error {
	par, err := hmn.Resolve(p.desc.SynapseParams, p.src.sendsLevels())
	if err != nil {
		return err
	}
	r := &rule{Params: par, p: p, sign: 1}
	r.omega = 2 * math.Pi * r.OscHz / 1000
	r.reach = 0.25
	if !r.Gate {
		r.reach = 0.5
	}
	r.fast, r.slow = math.Exp(-e.h/r.TauFast), math.Exp(-e.h/r.TauSlow)
	r.plus, r.minus = math.Exp(-e.h/r.TauPlus), math.Exp(-e.h/r.TauMinus)
	r.lambda = math.Exp(-e.h * r.LambdaW)
	r.etaLocal, r.etaGlobal = r.EtaLocal, r.EtaGlobal
	r.syn = make([]plastic, len(list))
	multapses := uint32(0)
	for i, x := range list {
		if x.Weight < 0 {
			r.sign = -1
		}
		multapses = max(multapses, x.Multapse+1)
		s := &r.syn[i]
		*s = plastic{w: math.Abs(x.Weight), changed: -1, phi: x.Phase, next: x.Phase}
		if !(s.w >= r.WMin && s.w <= r.WMax) {
			return fmt.Errorf("weight %g of the synapse from %d to %d, want a magnitude from w_min = %g to w_max = %g", x.Weight, x.Source, x.Target, r.WMin, r.WMax)
		}
		if p.src.units != nil {
			s.x = p.src.units.start[x.Source]
		}
		if p.tgt.units != nil {
			s.z = p.tgt.units.start[x.Target]
		}
		for s.k = int64(math.Floor(-r.centre(s.phi)-r.reach)) - 1; r.edge(s.phi, s.k, r.reach) <= 0; s.k++ {
		}
		s.open, s.close = r.edge(s.phi, s.k, -r.reach), r.edge(s.phi, s.k, r.reach)
	}
	for _, x := range list {
		if x.Weight != 0 && math.Signbit(x.Weight) != (r.sign < 0) {
			return fmt.Errorf("weights of both signs, %g from %d to %d among them, want one sign", x.Weight, x.Source, x.Target)
		}
	}
	for n := range multapses {
		r.keys = append(r.keys, network.UpdateKey(e.model.Simulation.Seed, p.desc.Name, n))
	}
	for r.cycles = int64(math.Floor(r.OscPhase / (2 * math.Pi))); r.start(r.cycles) <= 0; r.cycles++ {
	}
	p.rule = r
	e.rules = append(e.rules, r)
	return nil
}

// centre is the centre of window 0 of a synapse with phase phi, in cycles.
func (r *rule) centre(phi float64) float64 { return (phi - r.OscPhase) / (2 * math.Pi) }

// edge is t_k = (φ − φ_0 + 2πk)/Ω plus a part of a cycle, to the nearest ps.
func (r *rule) edge(phi float64, k int64, part float64) event.Time {
	return event.Time(math.Round((float64(k) + r.centre(phi) + part) * 1e12 / r.OscHz))
}

// start is the time at which Φ = 2πk, to the nearest ps.
func (r *rule) start(k int64) event.Time { return r.edge(0, k, 0) }

// oscillation is Φ(t) = Ωt + φ_0.
func (r *rule) oscillation(t float64) float64 { return r.omega*t + r.OscPhase }

// gate is g_ij = κ max(0, cos(Φ − φ_ij)) t ms after the start (4).
func (r *rule) gate(s *plastic, t float64) float64 {
	if !r.Gate {
		return 1
	}
	return r.GateGain * math.Max(0, math.Cos(r.oscillation(t)-s.phi))
}

// trace brings what arrives at the synapses at t, and what their targets did,
// into the traces (2): first arrivals, then post spikes, so that a pair at one
// instant is causal.
func (e *Engine) trace(t event.Time) {
	for _, r := range e.rules {
		if r.Rates {
			e.contextOfRates(r, t)
		}
	}
	for _, r := range e.rules {
		phase := r.oscillation(ms(t))
		for i := range r.syn {
			s, y := &r.syn[i], &r.p.syn[i]
			if r.Rates {
				x := r.p.src.outAt(e.n - y.axonal)[y.source]
				z := r.p.tgt.outAt(e.n - y.dendritic)[y.target]
				if z != s.z {
					// z̄ moves at events of the target, by the value that held.
					s.zbar += (s.z - s.zbar) * (1 - math.Exp(-ms(t-s.zsince)/r.TauZbar))
					s.zsince = t
				}
				s.x, s.z = x, z
				s.largest = math.Max(s.largest, math.Abs(r.product(s)))
				continue
			}
			for range r.p.src.spikesAt(e.n - y.axonal)[y.source] {
				r.jump(s, r.AMinus*s.zhat, phase)
				s.mark++
				s.xhat++
				if r.Nearest {
					s.xhat = 1
				}
			}
			for range r.p.tgt.spikesAt(e.n - y.dendritic)[y.target] {
				r.jump(s, r.APlus*s.xhat, phase)
				s.zhat++
				if r.Nearest {
					s.zhat = 1
				}
			}
		}
	}
}

// product is x z, or x (z − z̄).
func (r *rule) product(s *plastic) float64 {
	if r.CenterPost {
		return s.x * (s.z - s.zbar)
	}
	return s.x * s.z
}

// jump is a coincidence of size a, unless that is 0.
func (r *rule) jump(s *plastic, a, phase float64) {
	if a == 0 {
		return
	}
	if r.Overwrite {
		s.fast, s.slow = 0, 0
	}
	s.fast += a
	s.slow += a
	if r.EtaPhi > 0 {
		s.next += r.EtaPhi * math.Sin(phase-s.next)
	}
}

// eligibility is e = a_fast e_fast + a_slow e_slow (2), at the part of the step
// at which the drift is evaluated when part is set.
func (r *rule) eligibility(s *plastic, part bool) float64 {
	fast, slow := s.fast, s.slow
	if part {
		fast, slow = r.move(s, fast, r.TauFast, r.fastPart), r.move(s, slow, r.TauSlow, r.slowPart)
	}
	return r.AFast*fast + r.ASlow*slow
}

// move is a trace after a time over which it decays by the given factor:
// ė = −e/τ + xz, and xz = 0 between spikes.
func (r *rule) move(s *plastic, e, tau, factor float64) float64 {
	if !r.Rates {
		return e * factor
	}
	rest := r.product(s) * tau
	return rest + (e-rest)*factor
}

// drift integrates the drift of every synapse over the step that begins at t,
// or applies it, by the mode of the rule.
func (e *Engine) drift(t event.Time) {
	end, part := t+e.dt, 0.0
	if e.Midpoint {
		part = e.h / 2
	}
	for _, r := range e.rules {
		r.fastPart, r.slowPart = math.Exp(-part/r.TauFast), math.Exp(-part/r.TauSlow)
		_, modulation := e.modulation(r, part)
		drive := r.etaLocal + r.etaGlobal*modulation // (3)
		for i := range r.syn {
			s := &r.syn[i]
			el := r.eligibility(s, e.Midpoint)
			change := drive * r.alphaHat(i) * el
			switch {
			case r.Update == hmn.Window && !e.Midpoint:
				if t >= s.open && el != 0 { // t is before the close
					s.candidate += change * r.gate(s, ms(t)) * e.h
				}
			case r.Update == hmn.Window:
				// Each window gets the part of the step that lies in it.
				for {
					if from, to := max(t, s.open), min(end, s.close); from < to {
						s.candidate += change * r.gateIntegral(s, ms(from), ms(to))
					}
					if s.close >= end {
						break
					}
					e.close(r, i)
				}
			default:
				change *= e.openness(r, s, t)
				if r.Update == hmn.Continuous {
					s.w = r.clip(s.w + change)
					continue
				}
				if r.EtaPerStep {
					change /= e.h
				}
				s.w += e.try(r, i, e.n, t, end, change)
			}
		}
	}
}

// openness is the gate of the step that begins at t, times its length [ms]: by
// its value at the left end, or integrated.
func (e *Engine) openness(r *rule, s *plastic, t event.Time) float64 {
	if !e.Midpoint {
		return r.gate(s, ms(t)) * e.h
	}
	if !r.Gate {
		return e.h
	}
	sum := 0.0
	for k := int64(-1); k <= 1; k++ {
		from, to := max(t, r.edge(s.phi, s.k+k, -r.reach)), min(t+e.dt, r.edge(s.phi, s.k+k, r.reach))
		if from < to {
			sum += r.gateIntegral(s, ms(from), ms(to))
		}
	}
	return sum
}

// gateIntegral is ∫ g dt from one time to another inside one window.
func (r *rule) gateIntegral(s *plastic, from, to float64) float64 {
	if !r.Gate {
		return to - from
	}
	return r.GateGain / r.omega * (math.Sin(r.oscillation(to)-s.phi) - math.Sin(r.oscillation(from)-s.phi))
}

func (r *rule) clip(w float64) float64 { return math.Min(math.Max(w, r.WMin), r.WMax) }

// commit closes every window whose close is at or before t. Traces that have
// died away by then are set to 0, with the event engine, once the grid point is
// complete.
func (e *Engine) commit(t event.Time, complete bool) {
	for _, r := range e.rules {
		for i := range r.syn {
			s := &r.syn[i]
			for s.close <= t {
				e.close(r, i)
			}
			if complete && s.closed {
				r.forget(s)
				s.closed = false
			}
		}
	}
}

// forget sets traces to 0 that are nothing compared with what made them.
func (r *rule) forget(s *plastic) {
	limit := 1e-12 * math.Max(math.Abs(r.APlus), math.Abs(r.AMinus))
	fast, slow := limit, limit
	if r.Rates {
		fast, slow = 1e-12*r.TauFast*s.largest, 1e-12*r.TauSlow*s.largest
	}
	if math.Abs(s.fast) < fast {
		s.fast = 0
	}
	if math.Abs(s.slow) < slow {
		s.slow = 0
	}
	if s.fast == 0 && s.slow == 0 {
		s.largest = 0
	}
}

// close ends the present window of synapse i: one trial, and on to the next
// window, with the phase learned meanwhile.
func (e *Engine) close(r *rule, i int) {
	s := &r.syn[i]
	if r.Update == hmn.Window {
		before := s.w
		dw := e.try(r, i, s.k, s.open, s.close, s.candidate)
		if dw != 0 {
			s.before, s.changed = before, s.close
			s.w += dw
		}
	}
	s.candidate, s.closed = 0, true
	s.phi = s.next
	s.k++
	s.open, s.close = r.edge(s.phi, s.k, -r.reach), r.edge(s.phi, s.k, r.reach)
}

// try is one trial (5): it returns the change of the magnitude and records what
// happened. A candidate of 0 is no opportunity.
func (e *Engine) try(r *rule, i int, k int64, open, close event.Time, value float64) (dw float64) {
	s, y := &r.syn[i], &r.p.syn[i]
	c := network.Candidate{
		Synapse: network.SynapseID{Projection: r.p.index, Source: y.source, Target: y.target, Multapse: y.multapse},
		K:       k, Open: max(0, open), Close: close, Value: value, P: math.NaN(), U: math.NaN(),
	}
	if value != 0 {
		word, _ := r.keys[y.multapse].At(uint64(y.target)<<32|uint64(y.source), uint64(k))
		c.U = random.Uniform(word)
		c.P = 1
		if r.Bernoulli {
			c.P = 1 / (1 + math.Exp(-r.BetaP*(math.Abs(value)-r.ThetaP)))
		}
		if c.U < c.P {
			w := r.clip(s.w + r.soft(s.w, value)*value)
			c.Applied, c.DW = true, w-s.w
		}
	}
	if e.wantC && e.asked(network.RecordCandidate, r.p, i) {
		e.candidates = append(e.candidates, c)
	}
	if c.Applied && e.wantU && e.asked(network.RecordUpdates, r.p, i) {
		e.updates = append(e.updates, network.WeightUpdate{At: close, Synapse: c.Synapse, K: k, DW: c.DW})
	}
	return c.DW
}

// soft is b(w) of soft bounds (Gütig et al. 2003), 1 for hard ones.
func (r *rule) soft(w, change float64) float64 {
	switch {
	case !r.Soft:
		return 1
	case change > 0:
		return math.Pow(1-w/r.WMax, r.Mu)
	}
	return math.Pow(w/r.WMax, r.Mu)
}

// decayTraces carries traces, filters and weights over one step.
func (e *Engine) decayTraces() {
	for _, r := range e.rules {
		for i := range r.syn {
			s := &r.syn[i]
			s.fast, s.slow = r.move(s, s.fast, r.TauFast, r.fast), r.move(s, s.slow, r.TauSlow, r.slow)
			s.xhat *= r.plus
			s.mark *= r.plus
			s.zhat *= r.minus
			if r.LambdaW > 0 {
				s.w = r.clip(s.w * r.lambda)
			}
		}
	}
}
