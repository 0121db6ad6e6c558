package synapse

import (
	"sort"

	"hmn/event"
	"hmn/event/fmath"
)

// Drive is the factor of a rule that all its synapses share,
//
//	D(t) = η_local + η_global G'(t),   G' = Σ_k γ̂_k w_k E_k        (3, 10)
//
// as a list of segments: between two changes (jumps of modulators, samples of
// γ, new learning rates) it is a constant plus decaying exponentials. A change
// costs O(modulators), whatever the number of synapses; synapses read the list
// when they are visited. Between calls of Add it is read by several workers.
type Drive struct {
	Rates []float64 // 1/τ_k of the decaying modulators [1/ms], by column
	at    []event.Time
	base  []float64
	coef  []float64 // len(Rates) per segment
	first int       // index of the oldest segment kept
	diff  []float64 // change of base and coefs at each segment: 1+len(Rates) per segment
}

// NewDrive makes the factor of a rule with the given decay rates. The first Add
// is at t = 0.
func NewDrive(rates []float64) *Drive { return &Drive{Rates: rates} }

// Add starts a segment at t, not before the last one; at the same time it
// replaces it. base is the constant part, coef the exponentials' values at t.
func (d *Drive) Add(t event.Time, base float64, coef []float64) {
	n := len(d.at)
	k := len(d.Rates)
	if n > 0 && d.at[n-1] == t {
		n--
		d.at, d.base, d.coef, d.diff = d.at[:n], d.base[:n], d.coef[:n*k], d.diff[:n*(k+1)]
	}
	d.at = append(d.at, t)
	d.base = append(d.base, base)
	d.coef = append(d.coef, coef...)
	if n == 0 {
		d.diff = append(d.diff, base)
		d.diff = append(d.diff, coef...)
		return
	}
	d.diff = append(d.diff, base-d.base[n-1])
	dt := (t - d.at[n-1]).MS()
	for i, r := range d.Rates {
		d.diff = append(d.diff, coef[i]-float64(d.coef[(n-1)*k+i]*fmath.Exp(-float64(r*dt))))
	}
}

// Reset forgets all segments.
func (d *Drive) Reset() {
	d.at, d.base, d.coef, d.diff, d.first = d.at[:0], d.base[:0], d.coef[:0], d.diff[:0], 0
}

// Drop forgets the segments that end before t.
func (d *Drive) Drop(t event.Time) {
	n := d.Find(t) - d.first
	if n < 64 || 2*n < len(d.at) {
		return
	}
	k := len(d.Rates)
	d.first += n
	d.at = d.at[:copy(d.at, d.at[n:])]
	d.base = d.base[:copy(d.base, d.base[n:])]
	d.coef = d.coef[:copy(d.coef, d.coef[n*k:])]
	d.diff = d.diff[:copy(d.diff, d.diff[n*(k+1):])]
}

// Len is the number of segments ever added since the last Reset.
func (d *Drive) Len() int { return d.first + len(d.at) }

// Find is the index of the segment at t: the last that starts at or before t.
func (d *Drive) Find(t event.Time) int {
	n := len(d.at) - 1
	if d.at[n] <= t {
		return d.first + n
	}
	for i := n - 1; i >= max(0, n-8); i-- {
		if d.at[i] <= t {
			return d.first + i
		}
	}
	return d.first + sort.Search(len(d.at), func(i int) bool { return d.at[i] > t }) - 1
}

// Start is when segment n starts.
func (d *Drive) Start(n int) event.Time { return d.at[n-d.first] }

// Change is what the constant part and the exponentials' values change by at the
// start of segment n.
func (d *Drive) Change(n int) []float64 {
	w := len(d.Rates) + 1
	n = (n - d.first) * w
	return d.diff[n : n+w]
}

// Last is the time of the last change.
func (d *Drive) Last() event.Time { return d.at[len(d.at)-1] }

// At is D(t) of the segments known.
func (d *Drive) At(t event.Time) float64 {
	n := d.Find(t) - d.first
	x := d.base[n]
	dt := (t - d.at[n]).MS()
	for i, r := range d.Rates {
		x += float64(d.coef[n*len(d.Rates)+i] * fmath.Exp(-float64(r*dt)))
	}
	return x
}

// Values writes the constant part and the exponentials' values at the real
// instant e of segment n to dst.
func (d *Drive) Values(n int, since float64, dst []float64) []float64 {
	n -= d.first
	k := len(d.Rates)
	dst = append(dst[:0], d.base[n])
	for i, r := range d.Rates {
		dst = append(dst, float64(d.coef[n*k+i]*fmath.Exp(-float64(r*since))))
	}
	return dst
}
