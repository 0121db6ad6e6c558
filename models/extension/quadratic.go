package extension

import (
	"errors"
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/event/quantity"
	"hmn/neuron"
)

// The quadratic neuron's entry in the table of models.
func init() {
	neuron.Register(neuron.Model{
		Name: "qif_psc_delta",
		Kind: neuron.Spiking,
		Doc: "Quadratic integrate-and-fire neuron with delta currents: tau_m dV/dt = (V − E_L)(V − V_c)/(V_c − E_L). Below V_c the potential returns to E_L, " +
			"above it runs away: a spike at V_peak, then V_reset for t_ref. An arrival adds its weight to V; during refractoriness it is discarded.",
		Cite: "Latham et al. 2000, doi:10.1152/jn.2000.83.2.808",
		Params: []quantity.Param{
			{Key: "tau_m", Unit: "ms", Doc: "time constant of the return to E_L", Default: 10, Min: 1e-3, Max: 1e6},
			{Key: "E_L", Unit: "mV", Doc: "resting potential, stable", Default: -65, Min: -1e6, Max: 1e6},
			{Key: "V_c", Unit: "mV", Doc: "potential from which the neuron runs away, > E_L", Default: -50, Min: -1e6, Max: 1e6},
			{Key: "V_peak", Unit: "mV", Doc: "potential that is called a spike, > V_c", Default: 20, Min: -1e6, Max: 1e6},
			{Key: "V_reset", Unit: "mV", Doc: "potential after a spike, held for t_ref, < V_c", Default: -65, Min: -1e6, Max: 1e6},
			{Key: "t_ref", Unit: "ms", Doc: "absolute refractory period, [t_spike, t_spike + t_ref)", Default: 2, Min: 0, Max: 1e6},
		},
		States:     []quantity.Param{{Key: "V_m", Unit: "mV", Doc: "membrane potential; starts at E_L unless init says otherwise", Min: -1e6, Max: 1e6}},
		Ports:      []string{"ex", "in"}, // both act alike
		WeightUnit: "mV",
		Check:      checkQuadratic,
		New:        func(v quantity.Values, n int) (neuron.Dynamics, error) { return NewQuadratic(v, n) },
	})
}

// number reads a parameter, or its default.
func number(v quantity.Values, key string) float64 {
	m, _ := neuron.Lookup("qif_psc_delta")
	return m.Number(v, key)
}

func checkQuadratic(v quantity.Values) (key string, err error) {
	p := func(key string) float64 { return number(v, key) }
	switch {
	case !(p("V_c") > p("E_L")):
		return "V_c", fmt.Errorf("V_c = %g mV, want more than E_L = %g mV", p("V_c"), p("E_L"))
	case !(p("V_peak") > p("V_c")):
		return "V_peak", fmt.Errorf("V_peak = %g mV, want more than V_c = %g mV", p("V_peak"), p("V_c"))
	case !(p("V_reset") < p("V_c")):
		return "V_reset", fmt.Errorf("V_reset = %g mV, want less than V_c = %g mV", p("V_reset"), p("V_c"))
	}
	return "", nil
}

// Quadratic is a block of quadratic neurons. With y = (V − E_L)/(V_c − E_L),
//
//	tau_m dy/dt = −y (1 − y),   y(s) = y(0)/(1 + (1 − y(0)) (exp(s/tau_m) − 1)),
//
// so the way between arrivals and the time of the peak are closed forms.
type Quadratic struct {
	tau         float64 // ms
	rest, width float64 // E_L and V_c − E_L, mV
	peak, reset float64 // as y
	tRef        event.Time

	v    []float64    // mV, at the start of the coming window
	free []event.Time // end of refractoriness
	due  []bool       // the peak was rounded onto the start of the coming window
}

// NewQuadratic makes n neurons at E_L from checked parameters.
func NewQuadratic(v quantity.Values, n int) (*Quadratic, error) {
	p := func(key string) float64 { return number(v, key) }
	tRef, _, err := event.FromMS(p("t_ref"))
	if err != nil {
		return nil, fmt.Errorf("t_ref: %w", err)
	}
	q := &Quadratic{tau: p("tau_m"), rest: p("E_L"), width: p("V_c") - p("E_L"), tRef: tRef,
		v: make([]float64, n), free: make([]event.Time, n), due: make([]bool, n)}
	q.peak, q.reset = q.y(p("V_peak")), q.y(p("V_reset"))
	for i := range q.v {
		q.v[i] = q.rest
	}
	return q, nil
}

func (q *Quadratic) y(v float64) float64 { return (v - q.rest) / q.width }

// flow is y after s ms without arrivals.
func (q *Quadratic) flow(y, s float64) float64 {
	return y / (1 + float64((1-y)*fmath.Expm1(s/q.tau)))
}

// toPeak is the time from y to the peak [ms], +Inf when y returns to rest.
func (q *Quadratic) toPeak(y float64) float64 {
	if !(y > 1) {
		return math.Inf(1)
	}
	return q.tau * fmath.Log1p((1-y/q.peak)/(y-1))
}

// ErrNaN reports a potential that is not a number.
var ErrNaN = errors.New("the membrane potential is not a number")

// Advance carries neuron i through the window [from, to): see neuron.Dynamics.
func (q *Quadratic) Advance(i int, from, to event.Time, arrivals []neuron.Arrival, spikes []event.Time) ([]event.Time, error) {
	y, due := q.y(q.v[i]), q.due[i]
	for now, k := from, 0; ; {
		for ; k < len(arrivals) && arrivals[k].At == now; k++ {
			if now >= q.free[i] {
				y += arrivals[k].Weight / q.width
			}
		}
		if math.IsNaN(y) {
			return spikes, ErrNaN
		}
		if due || y >= q.peak { // after all arrivals of the instant
			spikes = append(spikes, now)
			y, due = q.reset, false
			q.free[i] = now + q.tRef
		}
		next := to
		if k < len(arrivals) {
			next = arrivals[k].At
		}
		if now < q.free[i] { // held at V_reset
			now = min(next, q.free[i])
		} else {
			s := (next - now).MS()
			if wait := q.toPeak(y); wait < s+1 {
				// Solved in float64 and rounded once. A peak that falls on the
				// next arrivals, or on the end of the window, waits for them.
				if at := now + event.Time(math.Floor(float64(wait*1e9)+0.5)); at <= next {
					due, y, next = true, q.peak, at
				}
			}
			if !due {
				y = q.flow(y, s)
			}
			now = next
		}
		if now == to {
			break
		}
	}
	q.v[i], q.due[i] = q.rest+float64(y*q.width), due
	return spikes, nil
}

// Copy copies neuron src to dst, for samples inside a window.
func (q *Quadratic) Copy(dst, src int) {
	q.v[dst], q.free[dst], q.due[dst] = q.v[src], q.free[src], q.due[src]
}

// State gives access to V_m, the one state variable.
func (q *Quadratic) State(i int, key string) *float64 {
	if key == "V_m" {
		return &q.v[i]
	}
	return nil
}
