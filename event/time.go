package event

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Time is a simulated instant or duration in whole picoseconds.
//
// Sums of delays are exact, equal times are equal, and the resolution is the
// same at the start and at the end of a run. The longest run is MaxTime,
// 106 days; anything longer is refused when it is read.
type Time int64

// Units of Time.
const (
	Picosecond  Time = 1
	Nanosecond  Time = 1e3
	Microsecond Time = 1e6
	Millisecond Time = 1e9
	Second      Time = 1e12

	// MaxTime is the last representable instant, 106.75 days.
	MaxTime Time = math.MaxInt64
)

// ErrRange reports a time that int64 picoseconds cannot hold (106 days).
var ErrRange = errors.New("event: time out of range: the longest run is 106 days")

// FromMS rounds a duration in milliseconds to the nearest picosecond, halves
// away from zero. exact is false when rounding changed the value by more than
// the float64 representation of ms itself. NaN, infinities and values beyond
// ±106 days give ErrRange.
func FromMS(ms float64) (t Time, exact bool, err error) {
	ps := ms * 1e9
	if !(math.Abs(ps) < 9.2e18) {
		return 0, false, fmt.Errorf("%w: %g ms", ErrRange, ms)
	}
	r := math.Floor(math.Abs(ps))
	if math.Abs(ps)-r >= 0.5 {
		r++
	}
	exact = math.Abs(r-math.Abs(ps)) <= 4e-16*r
	return Time(math.Copysign(r, ps)), exact, nil
}

// ParseMS reads an exact decimal number of milliseconds. More than nine
// decimal places are rounded once, to nearest, and reported by exact = false.
func ParseMS(s string) (t Time, exact bool, err error) {
	s = strings.TrimSpace(s)
	digits, negative := strings.CutPrefix(s, "-")
	if !negative {
		digits = strings.TrimPrefix(s, "+")
	}
	whole, frac, _ := strings.Cut(digits, ".")
	if digits == "" || whole == "" && frac == "" || strings.ContainsFunc(whole+frac, func(r rune) bool { return r < '0' || r > '9' }) {
		f, err := strconv.ParseFloat(s, 64) // exponents and the like
		if err != nil {
			return 0, false, fmt.Errorf("event: %q is not a time in ms", s)
		}
		return FromMS(f)
	}
	exact = true
	up := false
	if len(frac) > 9 {
		exact = strings.Trim(frac[9:], "0") == ""
		up = frac[9] >= '5'
		frac = frac[:9]
	}
	frac += strings.Repeat("0", 9-len(frac))
	n, err := strconv.ParseInt(whole+frac, 10, 64)
	if err != nil || up && n == math.MaxInt64 {
		return 0, false, fmt.Errorf("%w: %s ms", ErrRange, s)
	}
	if up {
		n++
	}
	if negative {
		n = -n
	}
	return Time(n), exact, nil
}

// MS is the time in milliseconds, rounded to float64.
func (t Time) MS() float64 { return float64(float64(t) * 1e-9) }

// Seconds is the time in seconds, rounded to float64.
func (t Time) Seconds() float64 { return float64(float64(t) * 1e-12) }

// String is the exact decimal number of milliseconds, at most nine places,
// without unit: "1.5", "0.000000001". ParseMS reads it back unchanged.
func (t Time) String() string { return string(t.AppendMS(nil)) }

// AppendMS appends the exact decimal number of milliseconds to dst.
func (t Time) AppendMS(dst []byte) []byte {
	u := uint64(t)
	if t < 0 {
		dst = append(dst, '-')
		u = -u
	}
	dst = strconv.AppendUint(dst, u/1e9, 10)
	f := u % 1e9
	if f == 0 {
		return dst
	}
	dst = append(dst, '.')
	for d := uint64(1e8); f > 0; d /= 10 {
		dst = append(dst, byte('0'+f/d))
		f %= d
	}
	return dst
}
