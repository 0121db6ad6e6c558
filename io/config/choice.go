package config

import (
	"slices"
	"strings"
)

// A model file may offer alternatives and be asked for one of them by name:
//
//	[choice.input]
//	use = "poisson"                  # --set input=dc takes the other
//	[choice.input.poisson]
//	projection.noise.weight = 87.8
//	[choice.input.dc]
//	population.E.params.I_e = 351.2
//
// What an alternative says is merged into the model before it is read, the
// choices in the order of the file: tables into tables, entry by entry; a table
// into a list, by the names of its entries; of a list of tables those whose name
// is that of an entry into it, while others are added, so that an alternative may
// bring populations of its own; anything else replaces what the model says.
//
// [parameter] holds numbers to reckon with (formula.go). Choices and parameters
// are reached by --set NAME=value, without a path.

// shorthand is the path that --set NAME=value means: that of a choice or of a
// parameter, or NAME itself.
func (l *loader) shorthand(name string) []string {
	switch {
	case slices.Contains(below(""), name) || isLater(name):
	case l.root.get("choice").get(name) != nil:
		return []string{"choice", name, "use"}
	case l.root.get("parameter").get(name) != nil:
		return []string{"parameter", name}
	}
	return []string{name}
}

// variables lists what shorthand knows.
func (l *loader) variables() (names []string) {
	for _, t := range []string{"choice", "parameter"} {
		if n := l.root.get(t); n != nil && n.kind == isTable {
			names = append(names, n.keys...)
		}
	}
	return names
}

// named refuses a choice or parameter that cannot be told from others by its name.
func (l *loader) named(what, name string, n *node) bool {
	switch {
	case strings.ContainsFunc(name, func(r rune) bool { return !isLetter(r) && !isDigit(r) }) || name == "" || !isLetter(rune(name[0])):
		l.errorf(n.key, "%s: the name %s, want letters, digits and _, a letter first", what, quote(name))
	case slices.Contains(below(""), name) || isLater(name):
		l.errorf(n.key, "%s: the name %s is that of a table of the model file", what, quote(name))
	case isFunction(name):
		l.errorf(n.key, "%s: the name %s is that of a function", what, quote(name))
	case what == "parameter" && l.root.get("choice").get(name) != nil:
		l.errorf(n.key, "%s: the name %s is that of a choice", what, quote(name))
	default:
		return true
	}
	return false
}

// choices merges what is chosen into the model.
func (l *loader) choices() {
	all, _ := l.group("choice")
	for _, name := range all.keys {
		n := all.item[name]
		if !l.named("choice", name, n) {
			continue
		}
		if n.kind != isTable {
			l.errorf(n.pos, "choice.%s: %s, want a table", clip(name), n.describe())
			continue
		}
		var words []string
		for _, k := range n.keys {
			if k == "use" {
				continue
			}
			words = append(words, k)
			if a := n.item[k]; a.kind != isTable {
				l.errorf(a.pos, "choice.%s.%s: %s, want a table: what this alternative sets", clip(name), clip(k), a.describe())
			}
		}
		use := n.get("use")
		switch {
		case use == nil:
			l.errorf(n.pos, "choice.%s: needs the key \"use\": the alternative that holds without --set %s=…", name, name)
		case use.kind != isText:
			l.errorf(use.pos, "choice.%s: %s, want one of %s", name, use.describe(), list(words))
		case use.text == "use" || n.get(use.text) == nil:
			l.errorf(use.pos, "choice.%s: unknown %s%s", name, quote(use.text), hint(use.text, words))
		case n.get(use.text).kind == isTable:
			l.merge(l.root, n.get(use.text), "choice."+name+"."+use.text)
		}
	}
}

// group is the table of choices or of parameters, empty when there is none.
func (l *loader) group(name string) (*node, bool) {
	n := l.root.get(name)
	switch {
	case n == nil:
		return &node{kind: isTable}, true
	case n.kind != isTable:
		l.errorf(n.pos, "%s: %s, want a table", name, n.describe())
		return &node{kind: isTable}, false
	}
	return n, true
}

// merge puts what the table from says into the table or list to.
func (l *loader) merge(to, from *node, label string) {
	for _, k := range from.keys {
		v, path := from.item[k], label+"."+clip(k)
		old := to.get(k)
		if to == l.root && (k == "choice" || k == "parameter") {
			l.errorf(v.key, "%s: an alternative sets no choices and no parameters", path)
			continue
		}
		switch {
		case to.kind == isList:
			j, msg := to.element(k)
			switch {
			case msg != "":
				l.errorf(v.key, "%s: %s", path, msg)
			case v.kind == isTable && to.list[j].kind == isTable:
				l.merge(to.list[j], v, path)
			default:
				to.list[j] = v
			}
		case old == nil:
			to.set(k, v)
		case v.kind == isTable && (old.kind == isTable || old.kind == isList):
			l.merge(old, v, path)
		case old.kind == isList && v.kind == isList && len(v.list) > 0 && !slices.ContainsFunc(v.list, func(n *node) bool { return n.kind != isTable }):
			for _, e := range v.list {
				if same := old.namesake(e); same != nil {
					l.merge(same, e, path+"."+clip(e.get("name").text))
				} else {
					old.list = append(old.list, e)
				}
			}
		default:
			to.set(k, v)
		}
	}
}

// namesake is the entry of a list that has the name of e, or nil.
func (n *node) namesake(e *node) *node {
	name := e.get("name")
	i := slices.IndexFunc(n.list, func(x *node) bool {
		other := x.get("name")
		return name != nil && other != nil && name.kind == isText && other.kind == isText && name.text == other.text
	})
	if i < 0 {
		return nil
	}
	return n.list[i]
}
