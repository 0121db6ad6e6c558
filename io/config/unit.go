package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"hmn/event"
)

// suffix is a unit a number may carry: 10^exp of the key's unit, times scale
// unless that is 0.
type suffix struct {
	name  string
	exp   int
	scale float64
}

// suffixes lists, for each unit of a key, the units a text may give.
var suffixes = map[string][]suffix{
	"ms": {{"s", 3, 0}, {"ms", 0, 0}, {"us", -3, 0}, {"µs", -3, 0}, {"μs", -3, 0}, {"ns", -6, 0}, {"ps", -9, 0},
		{"min", 0, 60e3}, {"h", 0, 3600e3}},
	"mV":    {{"V", 3, 0}, {"mV", 0, 0}, {"uV", -3, 0}, {"µV", -3, 0}, {"μV", -3, 0}},
	"pF":    {{"uF", 6, 0}, {"µF", 6, 0}, {"μF", 6, 0}, {"nF", 3, 0}, {"pF", 0, 0}},
	"nS":    {{"uS", 3, 0}, {"µS", 3, 0}, {"μS", 3, 0}, {"nS", 0, 0}, {"pS", -3, 0}},
	"pA":    {{"uA", 6, 0}, {"µA", 6, 0}, {"μA", 6, 0}, {"nA", 3, 0}, {"pA", 0, 0}},
	"Hz":    {{"Hz", 0, 0}, {"kHz", 3, 0}, {"1/s", 0, 0}, {"1/ms", 3, 0}},
	"rad":   {{"rad", 0, 0}, {"deg", 0, math.Pi / 180}},
	"1/ms":  {{"1/ms", 0, 0}, {"1/s", -3, 0}},
	"pA/ms": {{"pA/ms", 0, 0}, {"nA/ms", 3, 0}},
}

// suffixNames lists the suffixes of a unit, each spelling of µ once.
func suffixNames(unit string) (names []string) {
	for _, s := range suffixes[unit] {
		if !strings.HasPrefix(s.name, "µ") && !strings.HasPrefix(s.name, "μ") {
			names = append(names, s.name)
		}
	}
	return names
}

// wantQuantity says what may stand for a number of a unit.
func wantQuantity(unit string) string {
	names := suffixNames(unit)
	if len(names) == 0 {
		return "want a number"
	}
	return fmt.Sprintf("want a number in %s, or a text with one of the units %s", unit, list(names))
}

// parseQuantity reads "1.5 ms" as a number of unit; dec is the same number as
// an exact decimal, as far as units are powers of ten.
func parseQuantity(s, unit string) (x float64, dec string, err error) {
	num, name := splitNumber(strings.TrimSpace(s))
	if num == "" {
		return 0, "", fmt.Errorf("the text %s, %s", quote(s), wantQuantity(unit))
	}
	i := slices.IndexFunc(suffixes[unit], func(u suffix) bool { return u.name == name })
	switch {
	case i < 0 && name == "" && len(suffixes[unit]) > 0:
		return 0, "", fmt.Errorf("the text %s has no unit, %s", quote(s), wantQuantity(unit))
	case i < 0 && len(suffixes[unit]) == 0:
		return 0, "", fmt.Errorf("the text %s, want a bare number", quote(s))
	case i < 0:
		return 0, "", fmt.Errorf("%s has the unit %s, %s", quote(s), quote(name), wantQuantity(unit))
	}
	u := suffixes[unit][i]
	dec = shift(num, u.exp)
	if x, err = strconv.ParseFloat(dec, 64); err != nil && unit == "ms" {
		return 0, "", fmt.Errorf("the text %s is %w", quote(s), errBeyond)
	} else if err != nil {
		return 0, "", fmt.Errorf("%s is out of range", quote(s))
	}
	if u.scale != 0 {
		x *= u.scale
		dec = strconv.FormatFloat(x, 'f', -1, 64)
	}
	return x, dec, nil
}

// splitNumber cuts the decimal number off the front of s; num is "" when there
// is none.
func splitNumber(s string) (num, rest string) {
	digits := func(i int) int {
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i
	}
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	start := i
	i = digits(i)
	n := i - start
	if i < len(s) && s[i] == '.' {
		j := digits(i + 1)
		n += j - i - 1
		i = j
	}
	if n == 0 || i > 400 {
		return "", s
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if k := digits(j); k > j {
			i = k
		}
	}
	return s[:i], strings.TrimSpace(s[i:])
}

// shift multiplies a decimal number by 10^exp exactly, in its text.
func shift(num string, exp int) string {
	sign := ""
	if num[0] == '-' || num[0] == '+' {
		if num[0] == '-' {
			sign = "-"
		}
		num = num[1:]
	}
	if i := strings.IndexAny(num, "eE"); i >= 0 {
		e, err := strconv.Atoi(num[i+1:])
		if err != nil || e > 500 || e < -500 {
			return sign + num // out of the range of float64, or 0
		}
		num, exp = num[:i], exp+e
	}
	whole, frac, _ := strings.Cut(num, ".")
	digits := whole + frac
	point := len(whole) + exp
	switch {
	case point <= 0:
		return sign + "0." + strings.Repeat("0", -point) + digits
	case point >= len(digits):
		return sign + digits + strings.Repeat("0", point-len(digits))
	}
	return sign + digits[:point] + "." + digits[point:]
}

// errBeyond is the fault of a time that event.Time cannot hold.
var errBeyond = errors.New("beyond the longest run, 106 days")

// toTime turns an exact decimal number of ms into a time. Numbers that are too
// large give errBeyond.
func toTime(dec string) (t event.Time, exact bool, err error) {
	t, exact, err = event.ParseMS(dec)
	if err == nil {
		return t, exact, nil
	}
	x, syntax := strconv.ParseFloat(strings.TrimSpace(dec), 64)
	switch infinite := math.IsInf(x, 0); {
	case syntax != nil && !errors.Is(syntax, strconv.ErrRange), math.IsNaN(x), infinite && syntax == nil:
		return 0, false, fmt.Errorf("%s is no time", quote(dec))
	}
	return 0, false, errBeyond
}
