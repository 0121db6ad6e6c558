package config

import (
	"slices"
	"strconv"
	"strings"
)

// overrides makes of the tree that the file gives the one that is read: what is
// chosen, then the other overrides in their order, then the formulas.
func (l *loader) overrides() {
	choice := func(set string) bool {
		path, _, _ := strings.Cut(set, "=")
		path = strings.TrimSpace(path)
		return strings.HasPrefix(path, "choice.") || !strings.Contains(path, ".") && l.shorthand(path)[0] == "choice"
	}
	for _, s := range l.o.Set {
		if choice(s) {
			l.override(s)
		}
	}
	l.choices()
	for _, s := range l.o.Set {
		if !choice(s) {
			l.override(s)
		}
	}
	l.formulas()
}

// override applies one "key=value" to the tree: the value replaces what the
// file says, or is added, and is then checked like the file.
func (l *loader) override(set string) {
	at := pos{set: set}
	path, value, ok := strings.Cut(set, "=")
	path, value = strings.TrimSpace(path), strings.TrimSpace(value)
	if !ok || path == "" {
		l.errorf(at, "want key=value, e.g. simulation.seed=3 or population.E.n=100")
		return
	}
	v, err := overrideValue(value)
	if err != "" {
		l.errorf(at, "%s: %s", clip(path), err)
		return
	}
	stamp(v, at)
	segments := strings.Split(path, ".")
	if len(segments) == 1 {
		segments = l.shorthand(path)
		if vars := l.variables(); segments[0] == path && len(vars) > 0 && !slices.Contains(below(""), path) {
			l.errorf(at, "the model offers no %s%s", quote(path), hint(path, vars))
			return
		}
	}
	if len(segments) > 16 {
		l.errorf(at, "the path has %d parts; no key lies that deep", len(segments))
		return
	}
	cur := l.root
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == "":
			l.errorf(at, "%s: an empty part in the path", clip(path))
			return
		case cur.kind == isTable && last:
			cur.set(s, v)
		case cur.kind == isTable:
			next := cur.get(s)
			if next == nil {
				if i == 0 && (s == "population" || s == "projection" || s == "modulator" || s == "record") {
					l.errorf(at, "the model has no [[%s]]", s)
					return
				}
				next = &node{kind: isTable, pos: at, key: at}
				cur.set(s, next)
			}
			cur = next
		case cur.kind == isList:
			j, msg := cur.element(s)
			if msg != "" {
				l.errorf(at, "%s: %s", clip(strings.Join(segments[:i], ".")), msg)
				return
			}
			if last {
				cur.list[j] = v
			}
			cur = cur.list[j]
		default:
			l.errorf(at, "%s: %s has no keys below it", clip(strings.Join(segments[:i], ".")), cur.describe())
			return
		}
	}
}

// element finds an entry of a list by name, or else by its number from 0.
func (n *node) element(s string) (int, string) {
	var names []string
	for j, e := range n.list {
		if name := e.get("name"); name != nil && name.kind == isText {
			if name.text == s {
				return j, ""
			}
			names = append(names, name.text)
		}
	}
	j, err := strconv.Atoi(s)
	switch {
	case err == nil && j >= 0 && j < len(n.list):
		return j, ""
	case len(n.list) == 0:
		return 0, "the list is empty"
	case err == nil:
		return 0, "no entry " + clip(s) + ", want 0 to " + strconv.Itoa(len(n.list)-1)
	case len(names) == 0:
		return 0, "entries here have no names: want a number, 0 to " + strconv.Itoa(len(n.list)-1) + ", not " + quote(s)
	}
	return 0, "no entry is called " + quote(s) + hint(s, names)
}

// overrideValue reads the right side: TOML, or a bare word taken as text.
func overrideValue(s string) (*node, string) {
	word := &node{kind: isText, text: s}
	if s == "" {
		return word, ""
	}
	root, _, err := parseTOML([]byte("v = " + s))
	if err == nil && len(root.keys) == 1 {
		if v := root.get("v"); v.kind != isDate {
			return v, ""
		}
		return word, ""
	}
	if strings.ContainsAny(s[:1], `[{"'`) {
		if err != nil {
			return nil, "the value " + quote(s) + " is not TOML: " + err.Error()
		}
		return nil, "the value " + quote(s) + " is more than one TOML value"
	}
	return word, ""
}

// stamp gives a whole subtree the position of the override.
func stamp(n *node, at pos) {
	n.pos, n.key = at, at
	for _, c := range n.list {
		stamp(c, at)
	}
	for _, c := range n.item {
		stamp(c, at)
	}
}
