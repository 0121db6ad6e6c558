package stdp

import (
	"hmn/event"
	"hmn/event/fmath"
)

// law is what a spike does to a weight w. A post spike raises it by
//
//	x (up2 + up3 o_2) f_+(w)
//
// and an arrival by
//
//	(y (down2 + down3 r_2) + rest) f_−(w),
//
// where x is the filter of arrivals (r_1) and y that of post spikes (o_1), r_2 and
// o_2 second, slower ones right before the spike; the weight is cut at its bounds
// after each. down2, down3 and rest are signed.
type law struct {
	up2, up3           float64
	down2, down3, rest float64
	rPlus, rMinus      float64 // 1/τ of x and y [1/ms]
	rX, rY             float64 // 1/τ of r_2 and o_2; 0: there are none
	wMin, wMax         float64
	up, down           dependence
	pairing            pairing
	epochs
}

// pairing says which spikes make a pair.
type pairing uint8

const (
	allToAll     pairing = iota // every arrival with every post spike
	symmetric                   // each spike with the last one of the other side
	presynaptic                 // each arrival with the last and with the next post spike
	reducedPairs                // as presynaptic, immediate neighbours only
)

var pairings = []string{"all_to_all", "nearest_symmetric", "nearest_presynaptic", "nearest_reduced"}

// dependence is f(w).
type dependence struct {
	form form
	mu   float64
	unit float64 // the weight that counts as 1: 1/w_max, or 1/w_ref
}

type form uint8

const (
	constant form = iota // 1
	room                 // (1 − w/w_max)^μ
	share                // (w/w_max)^μ
)

// of is f(w); w is within its bounds.
func (d *dependence) of(w float64) float64 {
	switch d.form {
	case room:
		return power(max(0, 1-float64(w*d.unit)), d.mu)
	case share:
		return power(float64(w*d.unit), d.mu)
	}
	return 1
}

func power(x, mu float64) float64 {
	if mu == 1 {
		return x
	}
	return fmath.Pow(x, mu)
}

// raise is the weight after a post spike that is worth change before f_+.
func (l *law) raise(w, change float64) float64 {
	if l.up.form != constant {
		change = float64(change * l.up.of(w))
	}
	return l.clip(w + change)
}

// lower is the weight after an arrival that is worth change before f_−.
func (l *law) lower(w, change float64) float64 {
	if l.down.form != constant {
		change = float64(change * l.down.of(w))
	}
	return l.clip(w + change)
}

func (l *law) clip(w float64) float64 {
	if w > l.wMax {
		return l.wMax
	}
	if w < l.wMin {
		return l.wMin
	}
	return w
}

// spike is a post spike at t after prev.
func (l *law) spike(prev *post, t event.Time) post {
	n := l.of(t)
	p := post{near: near{At: t, N: n}}
	y := 1.0
	o2 := 0.0
	if prev.At != never {
		dt := (t - prev.At).MS()
		if l.pairing == allToAll {
			y += float64(prev.Y * fmath.Exp(-float64(l.rMinus*l.into(t, prev.N))))
		}
		if l.rY > 0 {
			after := 1.0
			if l.pairing == allToAll {
				after += prev.O2
			}
			o2 = float64(after * fmath.Exp(-float64(dt*l.rY)))
		}
	}
	in := l.into(t, n)
	p.Y = float64(y * fmath.Exp(float64(l.rMinus*in)))
	p.Gain = float64((l.up2 + float64(l.up3*o2)) * fmath.Exp(-float64(l.rPlus*in)))
	p.O2 = o2
	return p
}
