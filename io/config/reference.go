package config

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"hmn/event/quantity"
	"hmn/network"
	"hmn/neuron"
	"hmn/synapse"
)

// ruleDocs says what each connection rule does.
var ruleDocs = map[string]string{
	network.OneToOne:          "neuron i to neuron i; both populations have the same size",
	network.AllToAll:          "every source to every target, once",
	network.PairwiseBernoulli: "every pair independently with probability p",
	network.FixedInDegree:     "every target receives degree synapses from sources drawn uniformly",
	network.FixedOutDegree:    "every source sends degree synapses to targets drawn uniformly",
	network.FixedTotalNumber:  "total synapses, each between a source and a target drawn uniformly",
	network.EdgeList:          "the rows of edges or of edges_file",
	network.Distance:          "every pair independently with probability p × profile(distance of the positions)",
}

// kindDocs names the kinds of models, in the order of the reference.
var kindDocs = []struct {
	kind neuron.Kind
	name string
}{
	{neuron.Spiking, "Spiking neurons"},
	{neuron.Rate, "Rate units"},
	{neuron.SpikeSource, "Sources of spikes"},
	{neuron.LevelSource, "Sources of levels"},
}

// defaultOf spells the default of a parameter, "" when there is none to tell.
func defaultOf(q quantity.Param, owner *neuron.Model) string {
	switch {
	case q.Required:
		return "required"
	case q.Derived != "":
		return q.Derived
	case q.Form == quantity.Bool:
		return fmt.Sprint(q.Default != 0)
	case q.Form == quantity.NumberOrWord && q.Default == math.Pi:
		return "pi"
	case q.Key == "V_m":
		return "E_L"
	case q.Form == quantity.Choice && len(q.Choices) > 0:
		return q.Choices[0]
	case q.Form != quantity.Number && q.Form != quantity.Numbers && q.Form != quantity.Integer && q.Form != quantity.NumberOrWord:
		return "–"
	case owner != nil && owner.Name == "poisson" && q.Key == "rate":
		return "–"
	}
	return fmt.Sprintf("%g", q.Default)
}

// rangeOf spells what is allowed.
func rangeOf(q quantity.Param) string {
	switch q.Form {
	case quantity.Choice:
		return strings.Join(q.Choices, ", ")
	case quantity.Bool:
		return "true, false"
	case quantity.Text:
		return "any text"
	case quantity.NumberOrWord:
		words := strings.Join(q.Choices, ", ")
		if q.Key == "gate_gain" {
			return words + ", 1"
		}
		q.Form = quantity.Number
		return words + ", " + rangeOf(q)
	case quantity.Integer:
		return fmt.Sprintf("%g to %g", q.Min, q.Max)
	}
	if math.IsInf(q.Min, -1) && math.IsInf(q.Max, 1) {
		return "any"
	}
	q.Unit = ""
	return q.Range()
}

// shownDefault spells the default of a key.
func (k Key) shownDefault() string {
	switch {
	case k.Later:
		return "not available in this version"
	case k.Required && k.For != "":
		return "required by " + strings.ReplaceAll(k.For, ", ", " and ")
	case k.Required:
		return "required"
	case k.Shown != "":
		return k.Shown
	}
	return fmt.Sprintf("%g", k.Default)
}

// shownRange spells what is allowed for a key, or "".
func (k Key) shownRange() string {
	switch {
	case k.Path == "population.model":
		return strings.Join(neuron.Names(), ", ")
	case k.Path == "projection.synapse.short_term.model":
		return strings.Join(synapse.Stages(), ", ")
	case k.Path == "projection.synapse.model":
		return strings.Join(synapse.Names(), ", ")
	}
	switch k.Type {
	case Word:
		return strings.Join(k.Choices, ", ")
	case Integer:
		if k.Max == math.MaxInt64 {
			return fmt.Sprintf("%.0f to 2^63 − 1", k.Min)
		}
		return fmt.Sprintf("%.0f to %.0f", k.Min, k.Max)
	case Number, Time, ValueType:
		if math.IsInf(k.Min, -1) && math.IsInf(k.Max, 1) {
			return "any"
		}
		q := k.Param
		q.Unit = ""
		return q.Range()
	}
	return ""
}

// Doc says what a key means: its type, unit, default, range and equation. key
// is a path ("population.expected_rate_hz"), the last part of one, a parameter
// or state variable of any model ("tau_m", "iaf_psc_exp.tau_m"), a model or a
// connection rule. An unknown key gives an error that wraps ErrInput and names
// the nearest.
func Doc(key string) (string, error) {
	key = strings.TrimSpace(key)
	var b strings.Builder
	path := strings.Trim(key, "[]")
	short := func(p string) string { return p[strings.LastIndexByte(p, '.')+1:] }
	for _, k := range Keys {
		if k.Path == path || short(k.Path) == path {
			k.write(&b)
		}
	}
	name := path
	only := ""
	for _, prefix := range []string{"population.params.", "population.init.", "params.", "init.", "projection.synapse.short_term.", "projection.synapse.", "synapse.", "task."} {
		name = strings.TrimPrefix(name, prefix)
	}
	if m, p, ok := strings.Cut(name, "."); ok {
		_, isModel := neuron.Lookup(m)
		if _, isSynapse := synapse.Lookup(m); isModel || isSynapse {
			only, name = m, p
		}
	}
	docParams(&b, name, only)
	docSynapseParams(&b, name, only)
	docTask(&b, name)
	docPreset(&b, name)
	if m, ok := neuron.Lookup(path); ok {
		docModel(&b, m)
	}
	if m, ok := synapse.Lookup(path); ok {
		fmt.Fprintf(&b, "%s (synapse model)\n  %s\n", m.Name, m.Doc)
		for _, q := range m.Params {
			writeParam(&b, "  "+q.Key, q, nil)
		}
	}
	if d, ok := ruleDocs[path]; ok {
		fmt.Fprintf(&b, "%s (connection rule)\n  %s\n", path, d)
	}
	for _, v := range valueKeys {
		if v.key == path {
			fmt.Fprintf(&b, "%s (in place of a number)\n  %s\n", v.key, v.doc)
		}
	}
	if b.Len() > 0 {
		return b.String(), nil
	}
	h := ""
	if near := nearest(short(path), docNames()); near != "" {
		h = fmt.Sprintf(", did you mean %s?", quote(near))
	} else if near := nearest(path, docPaths()); near != "" {
		h = fmt.Sprintf(", did you mean %s?", quote(near))
	}
	if s, ok := synonyms[strings.ToLower(path)]; ok && h == "" {
		h = fmt.Sprintf(", did you mean %s?", quote(s))
	}
	return "", &Error{Problems: []Problem{{At: "config", Msg: fmt.Sprintf("no key, parameter, model or rule is called %s%s", quote(key), h)}}}
}

// docNames lists every short name that Doc knows. Of two that are as near to a
// misspelt one the earlier is taken to be meant: parameters of neurons come first.
func docNames() (names []string) {
	for _, m := range neuron.Names() {
		names = append(names, m)
		mod, _ := neuron.Lookup(m)
		names = append(names, paramNames(mod.Params)...)
		names = append(names, paramNames(mod.States)...)
	}
	names = append(names, network.Rules...)
	names = append(names, synapse.Names()...)
	slices.Sort(names)
	for _, k := range Keys {
		names = append(names, k.Key)
	}
	return append(names, otherNames()...)
}

func docPaths() (paths []string) {
	for _, k := range Keys {
		paths = append(paths, k.Path)
	}
	return paths
}

// write writes one key for a terminal.
func (k Key) write(w io.Writer) {
	fmt.Fprintf(w, "%s\n  %s\n  %s", k.Path, k.Doc, k.Type)
	if k.Unit != "" && k.Unit != "1" {
		fmt.Fprintf(w, ", unit %s", k.Unit)
	}
	if !k.Required && !k.Later {
		fmt.Fprint(w, "; default: ")
	} else {
		fmt.Fprint(w, "; ")
	}
	fmt.Fprint(w, k.shownDefault())
	if r := k.shownRange(); r != "" {
		fmt.Fprintf(w, "; allowed: %s", r)
	}
	if k.For != "" && !k.Required {
		fmt.Fprintf(w, "; only for %s", k.For)
	}
	if k.Equation != "" {
		fmt.Fprintf(w, "; see %s", k.Equation)
	}
	fmt.Fprintln(w)
	if sub := below(k.Path); len(sub) > 0 {
		fmt.Fprintf(w, "  keys: %s\n", strings.Join(sub, ", "))
	}
}

// writeParam writes one parameter for a terminal.
func writeParam(w io.Writer, head string, q quantity.Param, owner *neuron.Model) {
	fmt.Fprintf(w, "%s\n  %s\n  ", head, q.Doc)
	if q.Unit != "" && q.Unit != "1" {
		fmt.Fprintf(w, "unit %s; ", q.Unit)
	}
	if !q.Required {
		fmt.Fprint(w, "default: ")
	}
	fmt.Fprintf(w, "%s; allowed: %s", defaultOf(q, owner), rangeOf(q))
	if q.Equation != "" {
		fmt.Fprintf(w, "; in %s", q.Equation)
	}
	fmt.Fprintln(w)
}

// docParams writes a parameter or state variable for every model that has it,
// models that agree in one paragraph.
func docParams(w io.Writer, name, only string) {
	type entry struct {
		q      quantity.Param
		models []string
		owner  *neuron.Model
	}
	for _, table := range []string{"params", "init"} {
		var found []entry
		for _, mn := range neuron.Names() {
			m, _ := neuron.Lookup(mn)
			get := m.Param
			if table == "init" {
				get = m.State
			}
			q, ok := get(name)
			if !ok || only != "" && only != mn {
				continue
			}
			text := func(q quantity.Param, m *neuron.Model) string {
				var b strings.Builder
				writeParam(&b, "", q, m)
				return b.String()
			}
			i := slices.IndexFunc(found, func(e entry) bool { return text(e.q, e.owner) == text(q, m) })
			if i < 0 {
				found = append(found, entry{q: q, owner: m})
				i = len(found) - 1
			}
			found[i].models = append(found[i].models, mn)
		}
		for _, e := range found {
			writeParam(w, fmt.Sprintf("population.%s.%s of %s", table, name, strings.Join(e.models, ", ")), e.q, e.owner)
		}
	}
}

// docModel writes one model for a terminal.
func docModel(w io.Writer, m *neuron.Model) {
	fmt.Fprintf(w, "%s (model)\n  %s\n", m.Name, m.Doc)
	if m.Cite != "" {
		fmt.Fprintf(w, "  %s\n", m.Cite)
	}
	if len(m.Params) > 0 {
		fmt.Fprintf(w, "  params: %s\n", strings.Join(paramNames(m.Params), ", "))
	}
	if len(m.States) > 0 {
		fmt.Fprintf(w, "  init: %s\n", strings.Join(paramNames(m.States), ", "))
	}
	if len(m.Ports) > 0 {
		fmt.Fprintf(w, "  receptors: %s; weights %s\n", strings.Join(m.Ports, ", "), weightUnit(m))
	}
}

func weightUnit(m *neuron.Model) string {
	if m.WeightUnit == "1" {
		return "have no unit"
	}
	return "in " + m.WeightUnit
}

// cell makes a text fit for a cell of a Markdown table.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;", "*", "\\*").Replace(s)
}

const referenceHead = `# Reference of the model file

Made from the tables in the code by ` + "`go test ./io/config -run TestReference -update`" + `; do not edit.
The same text is printed by ` + "`hmn doc KEY`" + `.

A model file is strict [TOML](https://toml.io): unknown keys are errors. Files it
names are relative to its folder. Every key can be changed from outside with
` + "`--set path=value`" + `, e.g. ` + "`--set population.E.params.tau_m='15 ms'`" + `; entries of lists are
called by name or by number from 0, and what a model offers to choose and its parameters by
` + "`--set name=value`" + `, see [choice] and [parameter]. No time is longer than a run can be, 106 days.

`

// WriteReference writes docs/reference.md: all keys, values and units, all
// models.
func WriteReference(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString(referenceHead)
	section := ""
	for _, k := range Keys {
		top, _, nested := strings.Cut(k.Path, ".")
		if !nested {
			section = top
			head := "[" + top + "]"
			if k.Type == Tables {
				head = "[[" + top + "]]"
			}
			later := ""
			if k.Later {
				later = " Not available in this version."
			}
			fmt.Fprintf(b, "## `%s`\n\n%s.%s\n\n", head, upper(k.Doc), later)
			if len(below(top)) > 0 {
				b.WriteString("| key | type | unit | default | allowed | meaning |\n|---|---|---|---|---|---|\n")
			}
			continue
		}
		doc := k.Doc
		if k.For != "" && !k.Required {
			doc += " (" + k.For + ")"
		}
		if k.Equation != "" {
			doc += "; " + k.Equation
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s | %s |\n", strings.TrimPrefix(k.Path, section+"."), k.Type,
			cell(k.Unit), cell(k.shownDefault()), cell(k.shownRange()), cell(doc))
		if isLastOf(section, k) {
			b.WriteString("\n")
		}
	}
	b.WriteString("## Connection rules\n\n| rule | meaning | keys |\n|---|---|---|\n")
	for _, r := range network.Rules {
		var own []string
		for _, k := range Keys {
			if parent(k.Path) == "projection" && slices.Contains(strings.Split(k.For, ", "), r) {
				own = append(own, "`"+k.Key+"`")
			}
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", r, cell(ruleDocs[r]), strings.Join(own, ", "))
	}
	b.WriteString("\n## Values\n\nA weight, a delay or a start value is a number, with or without unit (`20.25`, `\"1.5 ms\"`), or a\ntable from which one number is drawn for each synapse or neuron:\n\n| key | meaning |\n|---|---|\n")
	for _, v := range valueKeys {
		fmt.Fprintf(b, "| `%s` | %s |\n", v.key, cell(v.doc))
	}
	b.WriteString("\n## Units\n\nA bare number is in the key's unit. A text may give another unit of the same kind; `\"1.5ms\"` and `\"1.5 ms\"` are the same.\n\n| unit of the key | accepted |\n|---|---|\n")
	for _, u := range []string{"ms", "mV", "pF", "nS", "pA", "Hz", "rad", "1/ms", "pA/ms"} {
		fmt.Fprintf(b, "| %s | %s |\n", u, strings.Join(suffixNames(u), ", "))
	}
	for _, k := range kindDocs {
		fmt.Fprintf(b, "\n## %s\n", k.name)
		for _, name := range neuron.Names() {
			if m, _ := neuron.Lookup(name); m.Kind == k.kind {
				writeModel(b, m)
			}
		}
	}
	b.WriteString("\n## Synapse models\n")
	for _, name := range synapse.Names() {
		m, _ := synapse.Lookup(name)
		fmt.Fprintf(b, "\n### `%s`\n\n%s.\n", m.Name, strings.TrimSuffix(upper(m.Doc), "."))
		if m.Cite != "" {
			fmt.Fprintf(b, "\n%s.\n", strings.TrimSuffix(m.Cite, "."))
		}
		if len(m.Params) > 0 {
			fmt.Fprint(b, "\nIn units, [w] is the unit of the weight, [z] that of rates: Hz between spiking populations, 1 between rate units.\n")
		}
		paramTable(b, "parameter", m.Params, nil)
	}
	writePresets(b)
	return b.Flush()
}

func isLastOf(section string, k Key) bool {
	last := ""
	for _, e := range Keys {
		if strings.HasPrefix(e.Path, section+".") {
			last = e.Path
		}
	}
	return last == k.Path
}

func upper(s string) string {
	if s == "" {
		return s
	}
	r := []rune(s)
	return strings.ToUpper(string(r[0])) + string(r[1:])
}

// writeModel writes one model as Markdown.
func writeModel(w io.Writer, m *neuron.Model) {
	fmt.Fprintf(w, "\n### `%s`\n\n%s\n", m.Name, m.Doc)
	if m.Cite != "" {
		fmt.Fprintf(w, "\n%s.\n", strings.TrimSuffix(m.Cite, "."))
	}
	if len(m.Ports) > 0 {
		fmt.Fprintf(w, "\nReceptors: `%s`. Weights %s.\n", strings.Join(m.Ports, "`, `"), weightUnit(m))
	}
	paramTable(w, "parameter", m.Params, m)
	paramTable(w, "state variable", m.States, m)
}

func paramTable(w io.Writer, what string, params []quantity.Param, m *neuron.Model) {
	if len(params) == 0 {
		return
	}
	fmt.Fprintf(w, "\n| %s | unit | default | allowed | meaning |\n|---|---|---|---|---|\n", what)
	for _, q := range params {
		doc := q.Doc
		if q.Equation != "" {
			doc += "; " + q.Equation
		}
		def := defaultOf(q, m)
		fmt.Fprintf(w, "| `%s` | %s | %s | %s | %s |\n", q.Key, q.Unit, cell(def), cell(rangeOf(q)), cell(doc))
	}
}
