package stdp

import (
	"math"

	"hmn/event"
	"hmn/event/fmath"
	"hmn/synapse"
)

// What a stretch does to a weight that may reach a bound while D may change its
// sign: the solution of dw/dt = c D projected onto [lo, hi]. At a bound what
// drives w outward is dropped at once, and what drives it inward acts from the
// instant at which the sign changes. Here eligibilities are plain.

// walk takes w from a to the instant u, segment by segment.
func (c *course) walk(w, e, lo, hi float64, a *mark, u event.Time) float64 {
	at := a.node
	for n := a.seg; at < u && e != 0; n++ {
		end := u
		if i := n + 1 - c.first; i < len(c.at) {
			end = min(end, c.at[i])
		}
		ms := (end - at).MS()
		w = c.piece(w, e, lo, hi, n, at, ms)
		e = float64(e * fmath.Exp(-float64(ms*c.rc)))
		at = end
	}
	return w
}

// values are D_k at t in segment n; the slice is reused.
func (c *course) values(n int, t event.Time) []synapse.Term {
	i := n - c.first
	since := (t - c.at[i]).MS()
	c.terms = c.terms[:0]
	for k, v := range c.x[i*len(c.rate) : (i+1)*len(c.rate)] {
		c.terms = append(c.terms, synapse.Term{C: float64(v * fmath.Exp(-float64(since*c.rate[k]))), R: c.rate[k]})
	}
	return c.terms
}

// piece is w after ms in segment n, from t on.
func (c *course) piece(w, e, lo, hi float64, n int, t event.Time, ms float64) float64 {
	d := c.values(n, t)
	gain := func(from, to float64) float64 {
		sum := 0.0
		for k, y := range d {
			if y.C != 0 {
				v := float64(y.C * fmath.Exp(-float64(from/c.gain[k])))
				sum -= float64(float64(v*c.gain[k]) * fmath.Expm1(-float64((to-from)/c.gain[k])))
			}
		}
		return float64(e * sum)
	}
	if !c.exact || synapse.OneSign(d) {
		return clip(w+gain(0, ms), lo, hi)
	}
	size := 0.0
	for k, y := range d {
		size += float64(math.Abs(y.C) * min(ms, c.gain[k]))
	}
	if size = float64(size * math.Abs(e)); w-size >= lo && w+size <= hi {
		return w + gain(0, ms)
	}
	from := 0.0
	c.roots = append(synapse.SignChanges(d, ms, c.roots[:0]), ms)
	for _, to := range c.roots {
		if to > from {
			w = clip(w+gain(from, to), lo, hi)
			from = to
		}
	}
	return w
}

// hop takes w over the points of the grid from a on, up to but without u.
func (c *course) hop(w, e, lo, hi float64, a *mark, u event.Time) float64 {
	n := a.seg
	for at := a.node; at < u && e != 0; {
		for i := n + 1 - c.first; i < len(c.at) && c.at[i] < at; i++ {
			n++
		}
		end := u
		if i := n + 1 - c.first; i < len(c.at) {
			end = min(end, c.node(c.at[i]))
		}
		w, e = c.points(w, e, lo, hi, n, at, end)
		at = end
	}
	return w
}

// points takes w over the points [t, end) of segment n, and e to end.
func (c *course) points(w, e, lo, hi float64, n int, t, end event.Time) (float64, float64) {
	d := c.values(n, t)
	step := c.step.MS()
	for ; t < end; t += c.step {
		size, sum := 0.0, 0.0
		for k, y := range d {
			sum -= float64(float64(y.C*c.gain[k]) * fmath.Expm1(-float64((end-t).MS()*(y.R+c.rc))))
			size += float64(math.Abs(y.C) * c.gain[k])
		}
		if size = float64(size * math.Abs(e)); size == 0 || synapse.OneSign(d) || w-size >= lo && w+size <= hi {
			w = clip(w+float64(e*sum), lo, hi)
			return w, float64(e * fmath.Exp(-float64((end-t).MS()*c.rc)))
		}
		level := 0.0
		for k := range d {
			level += d[k].C
			d[k].C = float64(d[k].C * fmath.Exp(-float64(step*d[k].R)))
		}
		w = clip(w+float64(e*level), lo, hi)
		e = float64(e * fmath.Exp(-float64(step*c.rc)))
	}
	return w, e
}

func clip(w, lo, hi float64) float64 { return max(lo, min(hi, w)) }
