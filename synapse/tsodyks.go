package synapse

import (
	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
)

// TsodyksParams are the parameters of the short-term stage tsodyks2.
var TsodyksParams = []quantity.Param{
	{Key: "U", Unit: "1", Doc: "utilisation: what a spike adds to u is U (1 − u)", Default: 0.5, Min: 0, Max: 1},
	{Key: "tau_rec", Unit: "ms", Doc: "time constant with which resources recover; 0: at once, x = 1 at every spike", Default: 800, Min: 0, Max: 1e6},
	{Key: "tau_fac", Unit: "ms", Doc: "time constant with which facilitation decays; 0: none, u = U at every spike", Default: 0, Min: 0, Max: 1e6},
	{Key: "x0", Unit: "1", Doc: "resources x at t = 0, which recover from then on", Default: 1, Min: 0, Max: 1},
	{Key: "u0", Unit: "1", Doc: "facilitation u at t = 0, which decays from then on: the first spike, at t, uses U + (1 − U) u0 e^{−t/τ_fac}", Default: 0, Min: 0, Max: 1},
}

func init() {
	registry["tsodyks2"] = &Model{
		Name: "tsodyks2",
		Doc: "Short-term depression and facilitation: spike n of a source transmits weight × u_n × x_n. Alone with constant weights, " +
			"or as short_term of any other model",
		Cite: "Tsodyks & Markram 1997, doi:10.1073/pnas.94.2.719; Markram, Wang & Tsodyks 1998, doi:10.1073/pnas.95.9.5323; " +
			"in the form of Maass & Markram 2002, doi:10.1016/S0893-6080(01)00144-7; NEST's tsodyks2_synapse",
		Params:   TsodyksParams,
		NewStage: func(v quantity.Values, sources int) Stage { return NewTsodyks(v, sources) },
	}
}

// Tsodyks is the short-term plasticity of Tsodyks and Markram. Between spikes of
// the source
//
//	dx/dt = (1 − x)/τ_rec,   du/dt = −u/τ_fac
//
// and at a spike, in this order,
//
//	u ← u + U (1 − u),   transmit w u x,   x ← x − u x,
//
// so that facilitation is updated first and the spike uses the new u, and of the
// resources it finds what they were before it. From spike to spike, with Δ the
// interval between them,
//
//	u_{n+1} = U + (1 − U) u_n e^{−Δ/τ_fac}
//	x_{n+1} = 1 − (1 − x_n (1 − u_n)) e^{−Δ/τ_rec},
//
// both in closed form. Until the first spike x recovers from x0 and u decays from
// u0, whose values are those at t = 0. (NEST starts as if a spike had come at 0:
// its start values x and u are x0 = x (1 − u), u0 = u here.)
type Tsodyks struct {
	u, tauRec, tauFac, x0, u0 float64
	src                       []tsodyksState
}

// tsodyksState is what the last spike of a source used and found.
type tsodyksState struct {
	u, x  float64
	last  event.Time
	fired bool
}

// NewTsodyks makes the stage of so many sources from checked parameters.
func NewTsodyks(v quantity.Values, sources int) *Tsodyks {
	number := func(key string) float64 {
		if x, ok := v[key]; ok {
			return x.Number
		}
		p, _ := quantity.Find(TsodyksParams, key)
		return p.Default
	}
	return &Tsodyks{u: number("U"), tauRec: number("tau_rec"), tauFac: number("tau_fac"), x0: number("x0"), u0: number("u0"),
		src: make([]tsodyksState, sources)}
}

// Spike handles a spike: see Stage.
func (s *Tsodyks) Spike(source uint32, at event.Time) Emission {
	q := &s.src[source]
	left, u := s.x0, s.u0 // of the resources, and facilitation, at the time `last`
	if q.fired {
		left, u = float64(q.x*(1-q.u)), q.u
	}
	dt := (at - q.last).MS()
	e := Emission{
		U: s.u + float64(float64((1-s.u)*u)*remaining(dt, s.tauFac)),
		X: 1 - float64((1-left)*remaining(dt, s.tauRec)),
	}
	if q.fired {
		e.Refill = refilled(dt, s.tauRec)
	} else {
		e.Refill = e.X
	}
	*q = tsodyksState{u: e.U, x: e.X, last: at, fired: true}
	return e
}

// remaining is e^{−dt/tau}, and 0 for tau = 0, whatever dt is.
func remaining(dt, tau float64) float64 {
	if tau == 0 {
		return 0
	}
	return fmath.Exp(-dt / tau)
}

// refilled is 1 − remaining.
func refilled(dt, tau float64) float64 {
	if tau == 0 {
		return 1
	}
	return -fmath.Expm1(-dt / tau)
}

// Reset returns to x0 and u0.
func (s *Tsodyks) Reset() { clear(s.src) }
