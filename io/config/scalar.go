package config

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"hmn/event"
)

// table is one table of the model text while it is read: its place among the
// keys and its name in messages.
type table struct {
	l     *loader
	n     *node
	path  string // "population"
	label string // `population "E": `; begins every message
}

// open enters a table and refuses keys it does not have. A node that is no
// table is refused; a nil one gives an empty table.
func (l *loader) open(n *node, path, label string, at pos) (table, bool) {
	if n == nil {
		return table{l, &node{kind: isTable, pos: at, key: at}, path, label}, true
	}
	if n.kind != isTable {
		l.errorf(n.pos, "%s%s, want a table", label, n.describe())
		return table{l, &node{kind: isTable, pos: n.pos, key: n.key}, path, label}, false
	}
	l.strict(n, path, label)
	return table{l, n, path, label}, true
}

// strict refuses keys that the table at path does not have.
func (l *loader) strict(n *node, path, label string) {
	allowed := below(path)
	for _, k := range n.keys {
		full := k
		if path != "" {
			full = path + "." + k
		}
		switch {
		case slices.Contains(allowed, k):
		case isLater(full):
			l.errorf(n.item[k].key, "%snot available in this version: %s", label, keyOrTable(full))
		default:
			l.unknownKey(n, k, label, allowed)
		}
	}
}

func keyOrTable(path string) string {
	switch key(path).Type {
	case Table:
		if !strings.Contains(path, ".") {
			return "[" + path + "]"
		}
	case Tables:
		return "[[" + path + "]]"
	}
	return "the key " + quote(path[strings.LastIndexByte(path, '.')+1:])
}

// unknownKey notes the key k of n as unknown.
func (l *loader) unknownKey(n *node, k, label string, allowed []string) {
	at := n.item[k].key
	if s, ok := synonyms[strings.ToLower(k)]; ok && slices.Contains(allowed, s) && nearest(k, allowed) == "" {
		l.errorf(at, "%sunknown key %s, did you mean %s?", label, quote(k), quote(s))
		return
	}
	l.errorf(at, "%sunknown key %s%s", label, quote(k), hint(k, allowed))
}

// wrong notes a value of the wrong type or range.
func (t table) wrong(n *node, name, format string, args ...any) {
	t.l.errorf(n.pos, "%s%s: %s", t.label, name, fmt.Sprintf(format, args...))
}

// missing notes an absent required key.
func (t table) missing(name string) {
	t.l.errorf(t.n.pos, "%sneeds the key %s (%s)", t.label, quote(name), key(t.path+"."+name).Doc)
}

// has reports whether a key is given.
func (t table) has(name string) bool { return t.n.get(name) != nil }

// text reads a text that is not empty. ok is false when absent or wrong; a
// required one that is absent is noted.
func (t table) text(name string) (string, bool) {
	n := t.n.get(name)
	if n == nil {
		if key(t.path + "." + name).Required {
			t.missing(name)
		}
		return "", false
	}
	if n.kind != isText {
		t.wrong(n, name, "%s, want a text", n.describe())
		return "", false
	}
	if n.text == "" {
		t.wrong(n, name, "empty, want a text")
		return "", false
	}
	return n.text, true
}

// word reads one of a list of words.
func (t table) word(name string, allowed []string) (string, bool) {
	s, ok := t.text(name)
	if ok && !slices.Contains(allowed, s) {
		t.wrong(t.n.get(name), name, "unknown %s%s", quote(s), hint(s, allowed))
		return "", false
	}
	return s, ok
}

// integer reads an integer in the key's range.
func (t table) integer(name string) (int64, bool) {
	k := key(t.path + "." + name)
	n := t.n.get(name)
	if n == nil {
		if k.Required {
			t.missing(name)
			return 0, false
		}
		return int64(k.Default), !k.Required && k.Shown == ""
	}
	if n.kind == isNumber && n.num == math.Floor(n.num) && math.Abs(n.num) < 1e15 {
		t.wrong(n, name, "%s, want an integer: write %.0f", n.describe(), n.num)
		return 0, false
	}
	if n.kind != isInteger {
		t.wrong(n, name, "%s, want an integer", n.describe())
		return 0, false
	}
	if float64(n.int) < k.Min || float64(n.int) > k.Max {
		t.wrong(n, name, "%d, want %s", n.int, integerRange(k))
		return 0, false
	}
	return n.int, true
}

func integerRange(k Key) string {
	if k.Max == math.MaxInt64 {
		return fmt.Sprintf("an integer ≥ %.0f", k.Min)
	}
	return fmt.Sprintf("an integer from %.0f to %.0f", k.Min, k.Max)
}

// boolean reads true or false.
func (t table) boolean(name string, absent bool) bool {
	n := t.n.get(name)
	if n == nil {
		return absent
	}
	if n.kind != isBool {
		t.wrong(n, name, "%s, want true or false", n.describe())
		return absent
	}
	return n.bool
}

// quantity reads a number with or without unit, finite, and in ms within the
// longest run; dec is its exact decimal. Problems are noted under name.
func (t table) quantity(n *node, name, unit string) (x float64, dec string, ok bool) {
	switch n.kind {
	case isInteger, isNumber:
		if math.IsNaN(n.num) || math.IsInf(n.num, 0) {
			t.wrong(n, name, "%s, want a finite number", n.describe())
			return 0, "", false
		}
		x, dec = n.num, shift(n.text, 0)
	case isText:
		var err error
		if x, dec, err = parseQuantity(n.text, unit); err != nil {
			t.wrong(n, name, "%v", err)
			return 0, "", false
		}
	default:
		t.wrong(n, name, "%s, %s", n.describe(), wantQuantity(unit))
		return 0, "", false
	}
	if unit == "ms" {
		if _, _, err := toTime(dec); err != nil {
			t.wrong(n, name, "%s is %v", n.describe(), err)
			return 0, "", false
		}
	}
	return x, dec, true
}

// instant reads a time ≥ 0 that is one of many; rounded counts those with more
// digits than a picosecond has.
func (t table) instant(n *node, name string, rounded *int) (event.Time, bool) {
	_, dec, ok := t.quantity(n, name, "ms")
	if !ok {
		return 0, false
	}
	at, exact, _ := toTime(dec) // in range, or quantity had refused it
	if at < 0 {
		t.wrong(n, name, "%s, want ≥ 0 ms", n.describe())
		return 0, false
	}
	if !exact {
		*rounded++
	}
	return at, true
}

// number reads a number in the key's unit and range. ok is false when it is
// absent or wrong.
func (t table) number(name string) (float64, bool) {
	k := key(t.path + "." + name)
	return t.numberIn(name, k)
}

// numberIn is number with another description of the key.
func (t table) numberIn(name string, k Key) (float64, bool) {
	n := t.n.get(name)
	if n == nil {
		if k.Required {
			t.missing(name)
		}
		return 0, false
	}
	x, _, ok := t.quantity(n, name, k.Unit)
	if !ok {
		return 0, false
	}
	if err := k.InRange(x); err != nil {
		t.l.errorf(n.pos, "%s%v", t.label, err)
		return 0, false
	}
	return x, true
}

// time reads a time in the key's range, rounded once to picoseconds.
func (t table) time(name string) (event.Time, bool) {
	k := key(t.path + "." + name)
	n := t.n.get(name)
	if n == nil {
		return 0, false
	}
	x, dec, ok := t.quantity(n, name, "ms")
	if !ok {
		return 0, false
	}
	if err := k.InRange(x); err != nil {
		t.l.errorf(n.pos, "%s%v", t.label, err)
		return 0, false
	}
	at, exact, _ := toTime(dec) // in range, or quantity had refused it
	switch {
	case at == 0 && x != 0 && k.MinOpen:
		t.wrong(n, name, "%s rounds to 0, want at least 1 ps", n.describe())
		return 0, false
	case !exact:
		t.l.note("%s: %s%s = %s was rounded to whole picoseconds", t.l.where(n.pos), t.label, name, n.describe())
	}
	return at, true
}

// array reads a list. ok is false when absent or wrong.
func (t table) array(name string) ([]*node, bool) {
	n := t.n.get(name)
	if n == nil {
		return nil, false
	}
	if n.kind != isList {
		t.wrong(n, name, "%s, want a list", n.describe())
		return nil, false
	}
	return n.list, true
}

// lengths reads [Lx, Ly] or [Lx, Ly, Lz].
func (t table) lengths(name string, zero bool) ([3]float64, int, bool) {
	var out [3]float64
	ns, ok := t.array(name)
	if !ok {
		return out, 0, false
	}
	at := t.n.get(name)
	if len(ns) != 2 && len(ns) != 3 {
		t.wrong(at, name, "%d entries, want 2 or 3, one for each axis", len(ns))
		return out, 0, false
	}
	for i, n := range ns {
		x, _, ok := t.quantity(n, name, "1")
		if !ok {
			return out, 0, false
		}
		if !(x > 0 || zero && x == 0) || x > 1e12 {
			want := "> 0"
			if zero {
				want = "≥ 0"
			}
			t.wrong(n, name, "%g, want %s and ≤ 1e12", x, want)
			return out, 0, false
		}
		out[i] = x
	}
	return out, len(ns), true
}
