package clocked

import (
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/random"
	"hmn/network"
)

// meta changes all η_local by one common factor and all η_global by another, on
// a logarithmic scale (7): in each period ξ = ln(factor) is perturbed, and the
// loss of the period says which way to go. Entry 0 is η_local, entry 1 η_global.
type meta struct {
	desc     *network.Meta
	key      random.Key
	alpha    [2]float64
	xi       [2]float64 // of REINFORCE: the mean
	factor   [2]float64
	period   uint64     // index
	ends     event.Time // of the present period
	sum      float64    // of the losses of the period's rewards
	rewards  int
	plus     float64 // loss of the first of a pair of periods
	baseline float64 // REINFORCE: running mean of the loss
	started  bool    // REINFORCE: there is one
}

func (e *Engine) makeMeta() error {
	d := e.model.Meta
	if d == nil {
		return nil
	}
	switch {
	case d.Trials > 0:
		return fmt.Errorf("clocked: meta: a period of %d trials needs a task, which the clocked engine does not have; want a period of time", d.Trials)
	case d.Period < e.dt:
		return fmt.Errorf("clocked: meta: period %v ms, want at least dt = %v ms", d.Period, e.dt)
	case d.Loss != "" && d.Loss != "neg_mean_reward" && d.Loss != "mean_squared_rpe":
		return fmt.Errorf("clocked: meta: loss %q needs a task, which the clocked engine does not have; want neg_mean_reward or mean_squared_rpe", d.Loss)
	case d.Estimator != network.SPSA && d.Estimator != network.FiniteDifference && d.Estimator != network.Reinforce:
		return fmt.Errorf("clocked: meta: estimator %q, want %s, %s or %s", d.Estimator, network.SPSA, network.FiniteDifference, network.Reinforce)
	case len(e.mods) == 0:
		return fmt.Errorf("clocked: meta: without a task the first modulator is the reward, and there is no modulator")
	}
	e.meta = &meta{
		desc: d, key: random.NewKey(e.model.Simulation.Seed, random.StreamMeta, random.Name("meta")),
		alpha: [2]float64{d.AlphaLocal, d.AlphaGlobal}, ends: d.Period,
	}
	e.meta.perturb()
	e.applyFactors()
	return nil
}

// reward takes one jump of the first modulator.
func (m *meta) reward(r float64) {
	if m.desc.Loss == "mean_squared_rpe" {
		m.sum += r * r
	} else {
		m.sum -= r
	}
	m.rewards++
}

// sign is the random sign of parameter i in the present pair of periods.
func (m *meta) sign(i int) float64 {
	word, _ := m.key.At(0, m.period&^1)
	if word>>i&1 == 1 {
		return 1
	}
	return -1
}

// normal is the random number of parameter i in the present period.
func (m *meta) normal(i int) float64 {
	return random.NormalOf(m.key.At(uint64(1+i), m.period))
}

// turn says whether finite differences perturb parameter i in the present pair of
// periods: those that learn take turns.
func (m *meta) turn(i int) bool {
	if m.alpha[0] > 0 && m.alpha[1] > 0 {
		return m.period/2%2 == uint64(i)
	}
	return true
}

func (m *meta) clip(xi float64) float64 {
	return math.Min(math.Max(xi, math.Log(m.desc.MinFactor)), math.Log(m.desc.MaxFactor))
}

// perturb sets the factors of the present period.
func (m *meta) perturb() {
	side := 1.0
	if m.period%2 == 1 {
		side = -1
	}
	for i := range m.xi {
		xi := m.xi[i]
		switch {
		case m.alpha[i] == 0:
		case m.desc.Estimator == network.SPSA:
			xi += side * m.desc.C * m.sign(i)
		case m.desc.Estimator == network.FiniteDifference && m.turn(i):
			xi += side * m.desc.C
		case m.desc.Estimator == network.Reinforce:
			xi += m.desc.Sigma * m.normal(i)
		}
		m.factor[i] = math.Exp(m.clip(xi))
	}
}

// learn takes the loss of the period that ends.
func (m *meta) learn(loss float64) {
	reinforce := m.desc.Estimator == network.Reinforce
	for i := range m.xi {
		grad := 0.0
		switch {
		case reinforce && m.started:
			grad = (loss - m.baseline) * m.normal(i) / m.desc.Sigma
		case reinforce, m.period%2 == 0:
		case m.desc.Estimator == network.SPSA:
			grad = (m.plus - loss) / (2 * m.desc.C * m.sign(i))
		case m.turn(i):
			grad = (m.plus - loss) / (2 * m.desc.C)
		}
		change := math.Min(math.Max(m.alpha[i]*grad, -0.2), 0.2)
		m.xi[i] = m.clip(m.xi[i] - change)
	}
	m.plus = loss
	if !m.started {
		m.baseline, m.started = loss, true
	} else {
		m.baseline += 0.1 * (loss - m.baseline)
	}
	m.period++
	m.perturb()
}

// endPeriod ends the meta period when t has reached its end. A period without a
// reward says nothing and is repeated as it was.
func (e *Engine) endPeriod(t event.Time) {
	m := e.meta
	if m == nil {
		return
	}
	for ; m.ends <= t; m.ends += m.desc.Period {
		if m.rewards == 0 {
			continue
		}
		m.learn(m.sum / float64(m.rewards))
		m.sum, m.rewards = 0, 0
		e.applyFactors()
	}
}

func (e *Engine) applyFactors() {
	for _, r := range e.rules {
		r.etaLocal, r.etaGlobal = r.EtaLocal*e.meta.factor[0], r.EtaGlobal*e.meta.factor[1]
	}
}
