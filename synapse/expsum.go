package synapse

import (
	"slices"

	"hmn/event/fmath"
)

// Term is C e^{−R s}; s and 1/R in ms.
type Term struct{ C, R float64 }

// OneSign says that all terms of a sum push the same way, so that it has no zero.
func OneSign(t []Term) bool {
	up, down := false, false
	for _, y := range t {
		up, down = up || y.C > 0, down || y.C < 0
	}
	return !(up && down)
}

// SignChanges appends where a sum of exponentials changes sign in (0, ms), to about
// 1e-13 ms, ascending. It has at most one zero less than terms: between two zeros of the
// derivative of the sum times e^{R_0 s}, which has one term less, there is one at
// most.
func SignChanges(t []Term, ms float64, dst []float64) []float64 {
	var own [8]Term
	s := own[:0]
	for _, y := range t {
		k := slices.IndexFunc(s, func(o Term) bool { return o.R == y.R })
		switch {
		case y.C == 0:
		case k >= 0:
			s[k].C += y.C
		default:
			s = append(s, y)
		}
	}
	s = slices.DeleteFunc(s, func(y Term) bool { return y.C == 0 })
	first := len(dst)
	dst = signChanges(s, ms, dst)
	slices.Sort(dst[first:])
	return dst
}

func signChanges(s []Term, ms float64, dst []float64) []float64 {
	switch {
	case len(s) < 2:
		return dst
	case len(s) == 2:
		if q := -s[0].C / s[1].C; q > 0 {
			if z := fmath.Log(q) / (s[0].R - s[1].R); z > 0 && z < ms {
				dst = append(dst, z)
			}
		}
		return dst
	}
	d := make([]Term, 0, len(s)-1)
	for _, y := range s[1:] {
		d = append(d, Term{float64(y.C * (s[0].R - y.R)), y.R - s[0].R})
	}
	turns := signChanges(d, ms, nil)
	slices.Sort(turns)
	turns = append(turns, ms)
	at := func(z float64) float64 {
		sum := 0.0
		for _, y := range s {
			sum += float64(y.C * fmath.Exp(-float64((y.R-s[0].R)*z)))
		}
		return sum
	}
	lo, flo := 0.0, at(0)
	for _, hi := range turns {
		fhi := at(hi)
		if flo < 0 && fhi > 0 || flo > 0 && fhi < 0 {
			a, b := lo, hi
			for b-a > 1e-13 {
				m := 0.5 * (a + b)
				if m <= a || m >= b {
					break
				}
				if f := at(m); f < 0 == (flo < 0) {
					a = m
				} else {
					b = m
				}
			}
			dst = append(dst, 0.5*(a+b))
		}
		lo, flo = hi, fhi
	}
	return dst
}
