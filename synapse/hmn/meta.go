package hmn

import (
	"fmt"
	"math"

	"hmn/event/fmath"
	"hmn/event/random"
)

// Estimators of the meta gradient, as model files spell them.
const (
	SPSA             = "spsa"
	FiniteDifference = "finite_difference"
	Reinforce        = "reinforce"
)

const (
	metaStep     = 0.2   // largest change of ln η in one update
	metaBaseline = 0.1   // gain of REINFORCE's running mean of the loss
	metaLoss     = 1e150 // losses beyond it are none: their differences could overflow
)

// MetaConfig are the constants of the dual meta-learning of Eq. 7. Entries of
// pairs: 0 belongs to η_local, 1 to η_global.
type MetaConfig struct {
	Estimator            string     // SPSA, FiniteDifference or Reinforce
	C                    float64    // size of the perturbation of ln η, > 0; SPSA and FiniteDifference
	Sigma                float64    // standard deviation of ln η, > 0; Reinforce
	Alpha                [2]float64 // learning rates, ≥ 0; 0 leaves that η alone
	MinFactor, MaxFactor float64    // bounds of η/η(0), 0 < MinFactor ≤ 1 ≤ MaxFactor; 1/30 and 30
	Seed                 uint64
}

// Check says what is wrong with the constants.
func (c MetaConfig) Check() error {
	switch c.Estimator {
	case SPSA, FiniteDifference:
		if !(c.C > 0 && c.C <= 10) {
			return fmt.Errorf("hmn: meta: c = %g, want > 0 and ≤ 10", c.C)
		}
	case Reinforce:
		if !(c.Sigma > 0 && c.Sigma <= 10) {
			return fmt.Errorf("hmn: meta: sigma = %g, want > 0 and ≤ 10", c.Sigma)
		}
	default:
		return fmt.Errorf("hmn: meta: estimator %q, want one of %s, %s, %s", c.Estimator, SPSA, FiniteDifference, Reinforce)
	}
	for i, key := range []string{"alpha_local", "alpha_global"} {
		if !(c.Alpha[i] >= 0 && c.Alpha[i] <= math.MaxFloat64) {
			return fmt.Errorf("hmn: meta: %s = %g, want a finite number ≥ 0", key, c.Alpha[i])
		}
	}
	if !(c.MinFactor > 0 && c.MinFactor <= 1) || !(c.MaxFactor >= 1 && c.MaxFactor <= math.MaxFloat64) {
		return fmt.Errorf("hmn: meta: factors of η from %g to %g, want 0 < the least ≤ 1 ≤ the largest", c.MinFactor, c.MaxFactor)
	}
	return nil
}

// Meta changes the learning rates of all projections by two common factors, one
// of every η_local and one of every η_global (Eq. 7 on a logarithmic scale). It
// knows no clock. A run is cut into periods; in each, ξ = ln(factor) is
// perturbed, and the period's loss L says which way to go:
//
//	ξ_i ← clip(ξ_i − clip(α_i ĝ_i, ±0.2), ln MinFactor, ln MaxFactor)
//
// SPSA perturbs both together, ξ ± cΔ with random signs Δ in two antithetic
// periods: ĝ_i = (L₊ − L₋)/(2cΔ_i) (Spall 1992, doi:10.1109/9.119632). Finite
// differences perturb one at a time, ĝ_i = (L₊ − L₋)/(2c), and update it before
// the turn of the other. REINFORCE draws ξ ~ N(μ, σ²) each period:
// ĝ_i = (L − b)(ξ_i − μ_i)/σ² moves μ_i, with b the running mean of the loss
// (Williams 1992, doi:10.1007/BF00992696). Its first period gives b its value
// and no step.
//
// Perturbed values are clipped to the same bounds as ξ, so a factor never leaves
// them, and a factor times η = 0 is 0. A parameter with α_i = 0 is not perturbed
// either: its factor stays 1.
//
// The random numbers of a period are functions of the seed and the period's
// index alone: sign of parameter i is + where bit i of the first word of
// NewKey(seed, StreamMeta, Name("meta")).At(0, index of the pair's first period)
// is set, its normal number is NormalOf(At(1+i, index)).
type Meta struct {
	cfg    MetaConfig
	key    random.Key
	lo, hi float64 // bounds of ξ
	active []int   // parameters with α > 0
	state  MetaState
	factor [2]float64
}

// MetaState is the whole state of a Meta as plain data.
type MetaState struct {
	Xi          [2]float64 // ξ, or μ of REINFORCE
	Period      uint64     // index of the present period
	Plus        float64    // loss of the pair's first period, in its second
	Baseline    float64    // REINFORCE: b
	HasBaseline bool
	Frozen      bool // no perturbation, no learning
}

// NewMeta starts with both factors at 1, in period 0.
func NewMeta(cfg MetaConfig) (*Meta, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	m := &Meta{
		cfg: cfg,
		key: random.NewKey(cfg.Seed, random.StreamMeta, random.Name("meta")),
		lo:  fmath.Log(cfg.MinFactor),
		hi:  fmath.Log(cfg.MaxFactor),
	}
	for i, a := range cfg.Alpha {
		if a > 0 {
			m.active = append(m.active, i)
		}
	}
	m.perturb()
	return m, nil
}

// Factors are what multiplies every η_local and every η_global in the present
// period, perturbation included.
func (m *Meta) Factors() (local, global float64) { return m.factor[0], m.factor[1] }

// EndPeriod takes the loss of the period that ends and begins the next one. A
// loss that is no number, or beyond ±1e150, says that the period tells nothing,
// for instance because it had no trial: it is repeated as it was. A frozen Meta
// ignores losses.
func (m *Meta) EndPeriod(loss float64) {
	if m.state.Frozen || !(math.Abs(loss) <= metaLoss) {
		return
	}
	s := &m.state
	switch {
	case len(m.active) == 0:
	case m.cfg.Estimator == Reinforce:
		m.reinforce(loss)
	case s.Period&1 == 0:
		s.Plus = loss
	case m.cfg.Estimator == SPSA:
		delta := m.signs()
		grad := [2]float64{}
		spsa(grad[:], delta[:], s.Plus, loss, m.cfg.C)
		for _, i := range m.active {
			m.step(i, grad[i])
		}
		s.Plus = 0
	default:
		m.step(m.turn(), difference(s.Plus, loss, m.cfg.C))
		s.Plus = 0
	}
	s.Period++
	m.perturb()
}

func (m *Meta) reinforce(loss float64) {
	s := &m.state
	if !s.HasBaseline {
		s.Baseline, s.HasBaseline = loss, true
		return
	}
	normal := m.normals()
	grad := [2]float64{}
	reinforce(grad[:], normal[:], loss, s.Baseline, m.cfg.Sigma)
	for _, i := range m.active {
		m.step(i, grad[i])
	}
	s.Baseline += float64(metaBaseline * (loss - s.Baseline))
}

// step moves ξ_i against the gradient.
func (m *Meta) step(i int, grad float64) {
	d := min(max(float64(m.cfg.Alpha[i]*grad), -metaStep), metaStep)
	m.state.Xi[i] = m.clip(m.state.Xi[i] - d)
}

func (m *Meta) clip(xi float64) float64 { return min(max(xi, m.lo), m.hi) }

// perturb sets the factors of the present period.
func (m *Meta) perturb() {
	xi := m.state.Xi
	if !m.state.Frozen && len(m.active) > 0 {
		sign := 1 - 2*float64(m.state.Period&1)
		switch m.cfg.Estimator {
		case SPSA:
			delta := m.signs()
			for _, i := range m.active {
				xi[i] += float64(sign * m.cfg.C * delta[i])
			}
		case FiniteDifference:
			xi[m.turn()] += float64(sign * m.cfg.C)
		case Reinforce:
			normal := m.normals()
			for _, i := range m.active {
				xi[i] += float64(m.cfg.Sigma * normal[i])
			}
		}
	}
	for i, x := range xi {
		// The second pair of bounds is for the rounding of exp and log.
		m.factor[i] = min(max(fmath.Exp(m.clip(x)), m.cfg.MinFactor), m.cfg.MaxFactor)
	}
}

// signs are the random signs of the present pair of periods.
func (m *Meta) signs() (delta [2]float64) {
	word, _ := m.key.At(0, m.state.Period&^1)
	for i := range delta {
		delta[i] = 2*float64(word>>i&1) - 1
	}
	return delta
}

// normals are the standard normal numbers of the present period.
func (m *Meta) normals() (n [2]float64) {
	for i := range n {
		n[i] = random.NormalOf(m.key.At(uint64(1+i), m.state.Period))
	}
	return n
}

// turn is the parameter that finite differences perturb in the present period.
func (m *Meta) turn() int { return m.active[m.state.Period/2%uint64(len(m.active))] }

// Config is the constants.
func (m *Meta) Config() MetaConfig { return m.cfg }

// State copies the state.
func (m *Meta) State() MetaState { return m.state }

// Frozen is the state that a frozen copy has: Restore gives it back bit for bit,
// here or in another Meta of the same constants.
func (m *Meta) Frozen() MetaState {
	s := m.state
	s.Frozen = true
	return s
}

// Freeze ends perturbation and learning: the factors are e^ξ until Thaw. A pair
// of periods that was begun is finished after it.
func (m *Meta) Freeze() { m.state.Frozen = true; m.perturb() }

// Thaw goes on where Freeze stopped.
func (m *Meta) Thaw() { m.state.Frozen = false; m.perturb() }

// Restore takes a state that a Meta of the same constants had. It refuses one
// outside the bounds.
func (m *Meta) Restore(s MetaState) error {
	for i, xi := range s.Xi {
		if !(xi >= m.lo && xi <= m.hi) {
			return fmt.Errorf("hmn: meta: state with ln(factor %d) = %g, want %g to %g", i, xi, m.lo, m.hi)
		}
	}
	if !(math.Abs(s.Plus) <= metaLoss) || !(math.Abs(s.Baseline) <= metaLoss) {
		return fmt.Errorf("hmn: meta: state with losses %g and %g, want finite numbers", s.Plus, s.Baseline)
	}
	m.state = s
	m.perturb()
	return nil
}

// spsa writes the gradient (plus − minus)/(2cΔ_i) to dst; delta holds signs.
func spsa(dst, delta []float64, plus, minus, c float64) {
	g := difference(plus, minus, c)
	for i, d := range delta {
		dst[i] = g / d
	}
}

func difference(plus, minus, c float64) float64 { return (plus - minus) / (2 * c) }

// reinforce writes the gradient (loss − baseline)·n_i/σ to dst, where the
// parameters were μ + σn.
func reinforce(dst, normal []float64, loss, baseline, sigma float64) {
	g := (loss - baseline) / sigma
	for i, n := range normal {
		dst[i] = float64(g * n)
	}
}

// Built-in losses of a period, as model files spell them.
const (
	NegMeanReward  = "neg_mean_reward"  // −(mean of r)
	MeanSquaredRPE = "mean_squared_rpe" // mean of δ², δ = r − r̄(context)
)

// Loss adds up a built-in loss over a period. Plain data.
type Loss struct {
	Squared bool    // MeanSquaredRPE; otherwise NegMeanReward
	Sum     float64 // of δ² or −r
	N       uint64  // rewards of the period
}

// NewLoss is the loss of that name, at the start of a period.
func NewLoss(name string) (Loss, error) {
	if name != NegMeanReward && name != MeanSquaredRPE {
		return Loss{}, fmt.Errorf("hmn: meta: loss %q, want one of %s, %s", name, NegMeanReward, MeanSquaredRPE)
	}
	return Loss{Squared: name == MeanSquaredRPE}, nil
}

// Add takes one reward r and its prediction error rpe = r − r̄(context).
func (l *Loss) Add(r, rpe float64) {
	if l.Squared {
		l.Sum += float64(rpe * rpe)
	} else {
		l.Sum -= r
	}
	l.N++
}

// End is the loss of the period, NaN when it had no reward, and begins the next.
func (l *Loss) End() float64 {
	mean := math.NaN()
	if l.N > 0 {
		mean = l.Sum / float64(l.N)
	}
	l.Sum, l.N = 0, 0
	return mean
}
