package config

import (
	"fmt"
	"io"
	"math"
	"strings"

	"hmn/event/quantity"
	"hmn/network"
	"hmn/synapse"
	"hmn/synapse/hmn"
)

// PresetRow is one parameter of a preset as people read it.
type PresetRow struct {
	Key, Value, Unit string
	Equation         string // where it stands in the literature
	Doc              string
	Core             string // the value of hmn-core where it is another; else ""
}

// PresetRows lists every parameter of the rule hmn as a preset sets it, in the
// order of the equations, with those of [meta] that go with it. The name of the
// rule gives its defaults, which are hmn-core's. ok is false when there is no
// such preset.
func PresetRows(name string) (rows []PresetRow, ok bool) {
	p, ok := hmn.FindPreset(name)
	if !ok && name != hmn.Name {
		return nil, false
	}
	for _, q := range hmn.Table() {
		r := PresetRow{Key: q.Key, Value: defaultOf(q, nil), Unit: q.Unit, Equation: q.Equation, Doc: q.Doc}
		if v, given := p.Values[q.Key]; given {
			core := r.Value
			if r.Value = spell(q, v); r.Value != core {
				r.Core = core
			}
			if ratio, follows := p.OfWMax(q.Key); follows {
				r.Value = fmt.Sprintf("%g (%g w_max)", v.Number, ratio)
			}
		}
		if r.Unit == "" {
			r.Unit = "–"
		}
		rows = append(rows, r)
	}
	for _, k := range []string{"meta.alpha_local", "meta.alpha_global"} {
		q := key(k)
		r := PresetRow{Key: k, Value: fmt.Sprint(p.MetaAlpha), Unit: q.Unit, Equation: q.Equation, Doc: q.Doc}
		if p.MetaAlpha != 0 {
			r.Core = "0"
		}
		rows = append(rows, r)
	}
	return rows, true
}

// spell writes a value as a model file may.
func spell(q quantity.Param, v quantity.Value) string {
	switch {
	case q.Form == quantity.Bool:
		return fmt.Sprint(v.Bool)
	case v.Text != "":
		return v.Text
	case q.Form == quantity.NumberOrWord && v.Number == math.Pi:
		return "pi"
	}
	return fmt.Sprintf("%g", v.Number)
}

// differences lists what a preset sets, "beta_a = 1, …", in the order of the table.
func differences(p hmn.Preset) string {
	var parts []string
	rows, _ := PresetRows(p.Name)
	for _, r := range rows {
		_, given := p.Values[r.Key]
		if given && r.Core != "" || strings.HasPrefix(r.Key, "meta.") && r.Core != "" {
			parts = append(parts, r.Key+" = "+r.Value)
		}
	}
	return strings.Join(parts, ", ")
}

// docSynapseParams writes a parameter of every synapse model that has it.
func docSynapseParams(w io.Writer, name, only string) {
	for _, sn := range synapse.Names() {
		m, _ := synapse.Lookup(sn)
		if q, ok := quantity.Find(m.Params, name); ok && (only == "" || only == sn) {
			writeParam(w, "projection.synapse."+name+" of "+sn, q, nil)
		}
	}
}

// docTask writes one task, or a parameter of tasks.
func docTask(w io.Writer, name string) {
	for _, tn := range network.TaskNames() {
		t, _ := network.LookupTask(tn)
		if tn == name {
			fmt.Fprintf(w, "%s (task)\n  %s\n", tn, t.Doc)
			if t.Cite != "" {
				fmt.Fprintf(w, "  %s\n", t.Cite)
			}
			for _, q := range t.Params {
				writeParam(w, "  task."+q.Key, q, nil)
			}
		} else if q, ok := quantity.Find(t.Params, name); ok {
			writeParam(w, "task."+name+" of "+tn, q, nil)
		}
	}
}

// docPreset writes what a preset is.
func docPreset(w io.Writer, name string) {
	p, ok := hmn.FindPreset(name)
	if !ok {
		return
	}
	fmt.Fprintf(w, "%s (preset of synapse model %s)\n  %s\n", p.Name, hmn.Name, p.Doc)
	if p.Cite != "" {
		fmt.Fprintf(w, "  %s\n", p.Cite)
	}
	if d := differences(p); d != "" {
		fmt.Fprintf(w, "  differs from hmn-core: %s\n", d)
	}
	fmt.Fprintf(w, "  hmn models show %s lists every value\n", p.Name)
}

// writePresets writes the presets as Markdown.
func writePresets(w io.Writer) {
	fmt.Fprint(w, "\n## Presets of `hmn`\n\n`synapse = { preset = \"hmn-core\", w_max = … }`; every key given beside it replaces the preset's.\n\n| preset | meaning | differs from hmn-core |\n|---|---|---|\n")
	for _, p := range hmn.Presets() {
		doc := p.Doc
		if p.Cite != "" {
			doc += "; " + p.Cite
		}
		fmt.Fprintf(w, "| `%s` | %s | %s |\n", p.Name, cell(doc), cell(differences(p)))
	}
}

// otherNames lists the names of synapse parameters, presets and tasks, for hints.
func otherNames() (names []string) {
	for _, sn := range synapse.Names() {
		m, _ := synapse.Lookup(sn)
		names = append(names, paramNames(m.Params)...)
	}
	names = append(names, hmn.PresetNames()...)
	for _, tn := range network.TaskNames() {
		t, _ := network.LookupTask(tn)
		names = append(names, tn)
		names = append(names, paramNames(t.Params)...)
	}
	return names
}
