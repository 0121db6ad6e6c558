package config

import (
	"math"
	"slices"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/network"
)

// leastAccepted is the smallest accepted share of draws within min and max:
// below it redrawing would take more than ten thousand draws per entity.
const leastAccepted = 1e-4

// value reads a number or a distribution in the unit and range of p. csv
// allows { csv = "file:column" }; then column is that text's node and the form
// is network.Column, still without its numbers.
func (t table) value(n *node, p quantity.Param, csv bool) (v network.Value, column *node, ok bool) {
	if n.kind != isTable {
		if n.kind == isList || n.kind == isBool || n.kind == isDate {
			t.wrong(n, p.Key, "%s, want a number or a table such as { uniform = [a, b] }", n.describe())
			return v, nil, false
		}
		x, dec, ok := t.quantity(n, p.Key, p.Unit)
		if !ok {
			return v, nil, false
		}
		if err := p.InRange(x); err != nil {
			t.l.errorf(n.pos, "%s%v", t.label, err)
			return v, nil, false
		}
		if p.Unit == "ms" {
			if _, exact, _ := toTime(dec); !exact {
				t.l.note("%s: %s%s = %s was rounded to whole picoseconds", t.l.where(n.pos), t.label, p.Key, n.describe())
			}
		}
		return network.Value{Form: network.Constant, A: x}, nil, true
	}

	d := table{t.l, n, "", t.label + p.Key + ": "}
	allowed := valueNames(csv)
	ok = true
	for _, k := range n.keys {
		if k == "csv" && !csv {
			t.l.errorf(n.item[k].key, "%scsv stands only in init", d.label)
			ok = false
		} else if !slices.Contains(allowed, k) {
			t.l.unknownKey(n, k, d.label, allowed)
			ok = false
		}
	}
	form := ""
	for _, f := range []string{"uniform", "normal", "lognormal", "csv"} {
		if n.get(f) == nil {
			continue
		}
		if form != "" {
			t.l.errorf(n.get(f).key, "%sboth %s and %s are given, want one of them", d.label, form, f)
			return v, nil, false
		}
		form = f
	}
	if form == "" {
		if ok {
			t.l.errorf(n.pos, "%swant one of %s", d.label, list(allowed[:len(allowed)-3]))
		}
		return v, nil, false
	}
	if form == "csv" {
		for _, k := range []string{"min", "max", "clip"} {
			if n.get(k) != nil {
				t.l.errorf(n.get(k).key, "%s%s does not go with csv: the file's numbers are taken as they are", d.label, k)
				ok = false
			}
		}
		if c := n.get("csv"); c.kind != isText || c.text == "" {
			d.wrong(c, "csv", "%s, want a text such as \"file.csv:column\"", c.describe())
			ok = false
		}
		return network.Value{Form: network.Column}, n.get("csv"), ok
	}
	pair := n.get(form)
	if pair.kind != isList || len(pair.list) != 2 {
		d.wrong(pair, form, "%s, want a list of two numbers", pair.describe())
		return v, nil, false
	}
	unit := p.Unit
	if form == "lognormal" {
		unit = "1"
	}
	a, _, okA := d.quantity(pair.list[0], form, unit)
	b, _, okB := d.quantity(pair.list[1], form, unit)
	if !okA || !okB {
		return v, nil, false
	}
	v.A, v.B = a, b
	limit := quantity.Param{Unit: p.Unit, Min: p.Min, Max: p.Max, MinOpen: p.MinOpen}
	check := func(n *node, name string, x float64) {
		limit.Key = name
		if err := limit.InRange(x); err != nil {
			t.l.errorf(n.pos, "%s%v", d.label, err)
			ok = false
		}
	}
	// The numbers of a normal may lie outside the range: min and max cut it.
	wide := quantity.Param{Key: form, Unit: unit, Min: -1e12, Max: 1e12}
	switch form {
	case "uniform":
		v.Form = network.Uniform
		if !(a <= b) {
			d.wrong(pair, form, "[%g, %g], want the lower limit first", a, b)
			ok = false
		}
		check(pair.list[0], form, a)
		check(pair.list[1], form, b)
	case "normal":
		v.Form = network.Normal
		for i, x := range []float64{a, b} {
			if err := wide.InRange(x); err != nil {
				t.l.errorf(pair.list[i].pos, "%s%v", d.label, err)
				ok = false
			}
		}
	case "lognormal":
		v.Form = network.LogNormal
		if !(math.Abs(a) <= 300) || !(b <= 100) {
			d.wrong(pair, form, "[%g, %g], want |mu| ≤ 300 and sigma ≤ 100: both are of the logarithm", a, b)
			ok = false
		}
	}
	if form != "uniform" && !(b >= 0) {
		d.wrong(pair.list[1], form, "standard deviation %g, want ≥ 0", b)
		ok = false
	}
	bound := func(name string) (float64, bool) {
		c := n.get(name)
		if c == nil {
			return 0, false
		}
		x, _, good := d.quantity(c, name, p.Unit)
		if !good {
			ok = false
			return 0, false
		}
		check(c, name, x)
		return x, true
	}
	v.Min, v.HasMin = bound("min")
	v.Max, v.HasMax = bound("max")
	if c := n.get("clip"); c != nil {
		v.Clip = d.boolean("clip", false)
		if v.Clip && !v.HasMin && !v.HasMax && ok {
			d.wrong(c, "clip", "true, but neither min nor max is given")
			ok = false
		}
	}
	if median := math.Exp(a); form == "lognormal" && p.Unit == "ms" && !v.HasMax && ok {
		if _, _, err := event.FromMS(median); err != nil {
			d.wrong(pair, form, "the median, exp(%g) = %.3g ms, is %v", a, median, errBeyond)
			ok = false
		}
	}
	if v.HasMin && v.HasMax && !(v.Min <= v.Max) {
		d.wrong(n.get("min"), "min", "%g, want at most max = %g", v.Min, v.Max)
		ok = false
	}
	if ok && !v.Clip && (v.HasMin || v.HasMax) {
		if s := accepted(v); !(s >= leastAccepted) {
			at := n.get("min")
			if at == nil {
				at = n.get("max")
			}
			t.l.errorf(at.key, "%sof %s [%g, %g] only the share %.2g lies within min and max, want at least %g (clip = true sets draws to the limits)",
				d.label, form, a, b, s, leastAccepted)
			ok = false
		}
	}
	return v, nil, ok
}

// accepted is the share of draws that fall within the limits.
func accepted(v network.Value) float64 {
	lo, hi := math.Inf(-1), math.Inf(1)
	if v.HasMin {
		lo = v.Min
	}
	if v.HasMax {
		hi = v.Max
	}
	at := v.A
	switch v.Form {
	case network.Uniform:
		if v.A < v.B {
			return max(0, min(hi, v.B)-max(lo, v.A)) / (v.B - v.A)
		}
	case network.LogNormal:
		if hi <= 0 {
			return 0
		}
		lo, hi = math.Log(max(lo, 0)), math.Log(hi)
		fallthrough
	case network.Normal:
		if v.B > 0 {
			// Both ends from the nearer tail, so that no digits cancel.
			a, b := (lo-v.A)/(v.B*math.Sqrt2), (hi-v.A)/(v.B*math.Sqrt2)
			if a > 0 {
				return (math.Erfc(a) - math.Erfc(b)) / 2
			}
			return (math.Erfc(-b) - math.Erfc(-a)) / 2
		}
	}
	if lo <= at && at <= hi { // one point
		return 1
	}
	return 0
}

// lowest is the lowest value that can be drawn; −Inf where there is none.
func lowest(v network.Value) float64 {
	x := math.Inf(-1)
	switch v.Form {
	case network.Constant:
		return v.A
	case network.Uniform:
		x = v.A
	case network.LogNormal:
		x = 0
	case network.Normal:
		if v.B == 0 {
			x = v.A
		}
	}
	if v.HasMin {
		x = max(x, v.Min)
	}
	if v.HasMax && v.Clip {
		x = min(x, v.Max)
	}
	return x
}

// highest is the upper limit of what can be drawn and whether it is reached.
func highest(v network.Value) (x float64, reached bool) {
	x = math.Inf(1)
	switch v.Form {
	case network.Constant:
		return v.A, true
	case network.Uniform:
		x, reached = v.B, v.A == v.B
	case network.Normal:
		if v.B == 0 {
			x, reached = v.A, true
		}
	}
	if v.HasMax && v.Max < x {
		x, reached = v.Max, v.Clip
	}
	if v.HasMin && v.Clip && v.Min > x {
		x, reached = v.Min, true
	}
	return x, reached
}
