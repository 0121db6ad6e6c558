package stdp

import (
	"fmt"
	"math"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
)

// keys are the parameters of one model.
type keys []quantity.Param

// number is the given number of a key, or its default.
func (k keys) number(v quantity.Values, key string) float64 {
	if x, ok := v[key]; ok {
		return x.Number
	}
	return k.find(key).Default
}

// word is the given word of a key, or the first.
func (k keys) word(v quantity.Values, key string) string {
	if x, ok := v[key]; ok {
		return x.Text
	}
	return k.find(key).Choices[0]
}

func (k keys) find(key string) quantity.Param {
	p, ok := quantity.Find(k, key)
	if !ok {
		panic("stdp: no parameter " + key) // a bug of this package
	}
	return p
}

// real is a number in [lo, hi].
func real(key, unit string, def, lo, hi float64, eq, doc string) quantity.Param {
	return quantity.Param{Key: key, Unit: unit, Default: def, Min: lo, Max: hi, Equation: eq, Doc: doc}
}

// amplitude is a signed size of a change.
func amplitude(key, unit string, def float64, eq, doc string) quantity.Param {
	return real(key, unit, def, -1e9, 1e9, eq, doc)
}

// tau is a time constant.
func tau(key string, def float64, eq, doc string) quantity.Param {
	p := real(key, "ms", def, 0, 1e12, eq, doc)
	p.MinOpen = true
	return p
}

func choice(key string, words []string, eq, doc string) quantity.Param {
	return quantity.Param{Key: key, Form: quantity.Choice, Choices: words, Equation: eq, Doc: doc}
}

// bounds are w_min and w_max.
func bounds(eq string) []quantity.Param {
	most := real("w_max", "[w]", 1, 0, 1e9, eq, "upper bound of the weight's magnitude")
	most.MinOpen = true
	return []quantity.Param{
		real("w_min", "[w]", 0, 0, 1e9, eq, "lower bound of the weight's magnitude; the sign stays that of the initial weight"),
		most,
	}
}

// checkBounds refuses bounds in the wrong order.
func (k keys) checkBounds(v quantity.Values) (key string, err error) {
	if lo, hi := k.number(v, "w_min"), k.number(v, "w_max"); lo > hi {
		return "w_min", fmt.Errorf("w_min = %g, want at most w_max = %g", lo, hi)
	}
	return "", nil
}

// settleEvery is the time between settle passes: long enough that their pass over
// all synapses costs little, short enough that the history of post spikes stays
// small.
const settleEvery = 4 * event.Second

// required makes the parameter of that name one that must be given.
func (k keys) required(key string) keys {
	for i := range k {
		if k[i].Key == key {
			k[i].Required, k[i].Default = true, 0
		}
	}
	return k
}

// learning is the part of a model that its law decides.
func (k keys) learning(law func(quantity.Values) law) *synapse.Learning {
	return &synapse.Learning{
		Joins: synapse.Spikes,
		Bounds: func(v quantity.Values, _ bool) (least, most float64) {
			return k.number(v, "w_min"), k.number(v, "w_max")
		},
		New: func(v quantity.Values, w *synapse.Wiring, _ *synapse.Drive) (synapse.Learner, error) {
			return newRule(law(v), w), nil
		},
		Bytes: func(v quantity.Values, _, _ bool) int {
			if law(v).pairing == presynaptic {
				return 16
			}
			return 8
		},
		Settle: func(quantity.Values) func(int64) event.Time {
			return func(n int64) event.Time { return event.Time(n) * settleEvery }
		},
	}
}

// rates are 1/τ [1/ms] of the time constants of a law, and its epochs.
func (l *law) rates(plus, minus float64) {
	l.rPlus, l.rMinus = 1/plus, 1/minus
	l.epochs = newEpochs(min(plus, minus))
}

// positive remarks on a change at arrivals that potentiates.
func (k keys) positive(v quantity.Values, key string) []string {
	if x := k.number(v, key); x > 0 && !math.IsNaN(x) {
		return []string{fmt.Sprintf("%s = %g is positive: post before pre potentiates, too; depression has a negative one", key, x)}
	}
	return nil
}
