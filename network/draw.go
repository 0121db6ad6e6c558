package network

import (
	"errors"
	"fmt"
	"math"

	"hmn/event/fmath"
	"hmn/event/random"
)

// maxRedraws bounds the search for a draw inside the limits of a truncated
// distribution. A distribution that fails this often has no mass there.
const maxRedraws = 1_000_000

// draw gives the value of one entity. The result is a function of key and
// entity only, however many other entities there are and in whatever order they
// are drawn. A truncated distribution goes on drawing from the same source;
// after maxRedraws failures it is an error. A Column gives Column[entity].
func (v Value) draw(key random.Key, entity uint64) (float64, error) {
	return v.sample(key, entity)
}

// sample is draw without the copy of v.
func (v *Value) sample(key random.Key, entity uint64) (float64, error) {
	switch v.Form {
	case Constant:
		return v.limited(v.A)
	case Column:
		return v.limited(v.Column[entity])
	}
	src := key.Source(entity)
	if !v.HasMin && !v.HasMax {
		return v.once(&src), nil
	}
	for range maxRedraws {
		x := v.once(&src)
		if v.HasMin && !(x >= v.Min) {
			if v.Clip {
				return v.Min, nil
			}
			continue
		}
		if v.HasMax && !(x <= v.Max) {
			if v.Clip {
				return v.Max, nil
			}
			continue
		}
		return x, nil
	}
	return 0, fmt.Errorf("no draw of %s lay within its limits in %d tries", v.String(), maxRedraws)
}

// once draws from the distribution without its limits.
func (v *Value) once(src *random.Source) float64 {
	switch v.Form {
	case Uniform:
		// Rounding may lift the sum above B, which must stay the upper limit.
		return min(v.A+float64((v.B-v.A)*src.Float64()), v.B)
	case Normal:
		return v.A + float64(v.B*src.Normal())
	case LogNormal:
		return fmath.Exp(v.A + float64(v.B*src.Normal()))
	}
	return v.A
}

// limited applies the limits to a number that cannot be drawn again.
func (v *Value) limited(x float64) (float64, error) {
	switch {
	case v.HasMin && !(x >= v.Min):
		if v.Clip {
			return v.Min, nil
		}
		return 0, fmt.Errorf("%g is below the limit %g", x, v.Min)
	case v.HasMax && !(x <= v.Max):
		if v.Clip {
			return v.Max, nil
		}
		return 0, fmt.Errorf("%g is above the limit %g", x, v.Max)
	}
	return x, nil
}

// fixed tells whether all entities get one and the same value, and which.
func (v *Value) fixed() (x float64, ok bool) {
	switch {
	case v.Form == Constant:
	case v.Form == Uniform && v.A == v.B:
	case v.Form == Normal && v.B == 0:
	default:
		return 0, false
	}
	x, err := v.limited(v.A)
	return x, err == nil
}

// bounds are limits that no draw passes; they may be infinite.
func (v *Value) bounds() (lo, hi float64) {
	switch v.Form {
	case Constant:
		lo, hi = v.A, v.A
	case Uniform:
		lo, hi = v.A, v.B
	case LogNormal:
		lo, hi = 0, math.Inf(1)
	case Column:
		lo, hi = math.Inf(1), math.Inf(-1)
		for _, x := range v.Column {
			lo, hi = min(lo, x), max(hi, x)
		}
	default:
		lo, hi = math.Inf(-1), math.Inf(1)
	}
	if v.HasMin {
		lo, hi = max(lo, v.Min), max(hi, v.Min)
	}
	if v.HasMax {
		lo, hi = min(lo, v.Max), min(hi, v.Max)
	}
	return lo, hi
}

// typical is a range that a draw leaves about as seldom as a normal number
// leaves ±z.
func (v *Value) typical(z float64) (lo, hi float64) {
	lo, hi = v.bounds()
	switch v.Form {
	case Normal:
		lo, hi = max(lo, v.A-float64(z*v.B)), min(hi, v.A+float64(z*v.B))
	case LogNormal:
		lo, hi = max(lo, fmath.Exp(v.A-float64(z*v.B))), min(hi, fmath.Exp(v.A+float64(z*v.B)))
	}
	return lo, hi
}

// check refuses what cannot be drawn. n is the number of entities a Column must
// cover, or −1 where a column makes no sense.
func (v *Value) check(n int) error {
	finite := func(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }
	switch v.Form {
	case Constant:
		if !finite(v.A) {
			return fmt.Errorf("%g, want a finite number", v.A)
		}
	case Uniform:
		if !(v.A <= v.B) || !finite(v.B-v.A) || !finite(v.A) {
			return fmt.Errorf("uniform [%g, %g], want finite limits, the lower one first", v.A, v.B)
		}
	case Normal, LogNormal:
		if !(v.B >= 0) || !finite(v.A) || !finite(v.B) {
			return fmt.Errorf("%s, want a finite mean and a standard deviation ≥ 0", v.String())
		}
	case Column:
		if n < 0 {
			return errors.New("a column, which has no meaning here")
		}
		if len(v.Column) != n {
			return fmt.Errorf("a column of %d numbers, want %d", len(v.Column), n)
		}
		for i, x := range v.Column {
			if !finite(x) {
				return fmt.Errorf("entry %d: %g, want a finite number", i, x)
			}
			if _, err := v.limited(x); err != nil {
				return fmt.Errorf("entry %d: %w", i, err)
			}
		}
	default:
		return fmt.Errorf("unknown form %d of a value", v.Form)
	}
	if v.HasMin && !finite(v.Min) || v.HasMax && !finite(v.Max) {
		return fmt.Errorf("limits [%g, %g], want finite numbers", v.Min, v.Max)
	}
	if v.HasMin && v.HasMax && !(v.Min <= v.Max) {
		return fmt.Errorf("limits [%g, %g], want the lower one first", v.Min, v.Max)
	}
	if v.Form == Constant {
		_, err := v.limited(v.A)
		return err
	}
	if v.Clip || v.Form == Column {
		return nil
	}
	lo, hi := v.A, v.B // of the untruncated distribution
	switch {
	case v.Form == Normal && v.B == 0:
		hi = v.A
	case v.Form == Normal:
		lo, hi = math.Inf(-1), math.Inf(1)
	case v.Form == LogNormal:
		lo, hi = 0, math.Inf(1)
	}
	if v.HasMin && !(hi >= v.Min) || v.HasMax && !(lo <= v.Max) {
		return fmt.Errorf("%s: no draw can lie within the limits", v.String())
	}
	return nil
}

// String spells the value nearly as a model file does.
func (v *Value) String() string {
	s := ""
	switch v.Form {
	case Constant:
		s = fmt.Sprintf("%g", v.A)
	case Uniform:
		s = fmt.Sprintf("uniform [%g, %g]", v.A, v.B)
	case Normal:
		s = fmt.Sprintf("normal [%g, %g]", v.A, v.B)
	case LogNormal:
		s = fmt.Sprintf("lognormal [%g, %g]", v.A, v.B)
	case Column:
		s = fmt.Sprintf("column of %d", len(v.Column))
	}
	if v.HasMin {
		s += fmt.Sprintf(", min %g", v.Min)
	}
	if v.HasMax {
		s += fmt.Sprintf(", max %g", v.Max)
	}
	if v.Clip && (v.HasMin || v.HasMax) {
		s += ", clipped"
	}
	return s
}
