package quantity

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Param describes one key of a model's `params` table, or one state variable:
// the single place from which the loader's checks, `hmn doc` and
// docs/reference.md are made.
type Param struct {
	Key      string   // as in the model file, e.g. "tau_m"
	Unit     string   // "ms", "mV", "pF", "nS", "pA", "Hz", "1", "rad" or a compound such as "1/ms"
	Doc      string   // one sentence
	Equation string   // where it stands in the literature, if anywhere
	Required bool     // no default
	Default  float64  // used when absent and not Required; Form == Bool: not 0 is true
	Derived  string   // spells a default that depends on other parameters; Default is unused then
	Min, Max float64  // closed range; ±Inf for none
	MinOpen  bool     // the value must be greater than Min, not equal
	MaxOpen  bool     // the value must be less than Max, not equal
	Form     Form     // what may stand in the model file
	Choices  []string // the allowed words; Form == Choice: the first is the default
}

// Form is what may stand for a parameter in a model file.
type Form uint8

// Forms of a parameter.
const (
	Number       Form = iota // a number, with or without the unit
	Choice                   // one of a list of words
	Steps                    // [[time_ms, value], …]: value from that time on
	Sine                     // { mean, amplitude, frequency, phase }
	Numbers                  // a number for all or one per neuron: number or [number, …]
	File                     // the name of a CSV file, loaded into Table
	Bool                     // true or false
	Integer                  // a whole number
	NumberOrWord             // a number, or one of a list of words
	Text                     // any text
)

// Value is what a model file gave for one Param.
type Value struct {
	Number float64
	Bool   bool         // Bool
	Text   string       // Choice, NumberOrWord: the word; Text: the text; File: the file's name
	Steps  [][2]float64 // Steps: (time [ms], value) ascending in time
	Sine   *Sinusoid    // Sine
	List   []float64    // Numbers given one by one
	Table  []Step       // File: rows sorted by neuron, then time
}

// Sinusoid is the rate mean + amplitude·sin(2π·frequency·t + phase), cut at 0.
type Sinusoid struct {
	Mean, Amplitude float64 // Hz
	Frequency       float64 // Hz
	Phase           float64 // rad
}

// Step is one row of a file of steps: from Time on, the value of Neuron
// (−1: of every neuron) is Value.
type Step struct {
	Neuron int
	Time   float64 // ms
	Value  float64
}

// Values holds parameters by key. Absent keys take their defaults.
type Values map[string]Value

// InRange checks x against the parameter's range; NaN fails. The message says
// what is allowed.
func (p Param) InRange(x float64) error {
	lo := x >= p.Min
	if p.MinOpen {
		lo = x > p.Min
	}
	hi := x <= p.Max
	if p.MaxOpen {
		hi = x < p.Max
	}
	if lo && hi && !math.IsInf(x, 0) {
		return nil
	}
	return fmt.Errorf("%s = %g%s, want %s", p.Key, x, p.unitSuffix(), p.Range())
}

// Range spells the allowed range: "> 0 ms", "0 to 1", "any finite number".
func (p Param) Range() string {
	var parts []string
	if !math.IsInf(p.Min, -1) {
		op := "≥"
		if p.MinOpen {
			op = ">"
		}
		parts = append(parts, fmt.Sprintf("%s %g", op, p.Min))
	}
	if !math.IsInf(p.Max, 1) {
		if p.MaxOpen {
			parts = append(parts, fmt.Sprintf("< %.6g", p.Max))
		} else {
			parts = append(parts, fmt.Sprintf("≤ %g", p.Max))
		}
	}
	if len(parts) == 0 {
		return "any finite number" + p.unitSuffix()
	}
	return strings.Join(parts, " and ") + p.unitSuffix()
}

func (p Param) unitSuffix() string {
	if p.Unit == "" || p.Unit == "1" {
		return ""
	}
	return " " + p.Unit
}

// CheckAll checks every given value against its range, and refuses unknown keys
// and missing required ones. owner names the table in messages ("model
// iaf_psc_exp"). It returns the key at fault.
func CheckAll(owner string, params []Param, v Values) (key string, err error) {
	for _, k := range slices.Sorted(maps.Keys(v)) {
		p, ok := Find(params, k)
		if !ok {
			return k, fmt.Errorf("%s has no parameter %q", owner, k)
		}
		if err := p.Check(v[k]); err != nil {
			return k, err
		}
	}
	for _, p := range params {
		if _, ok := v[p.Key]; p.Required && !ok {
			return p.Key, fmt.Errorf("%s needs the parameter %q", owner, p.Key)
		}
	}
	return "", nil
}

// Find finds a parameter by key.
func Find(params []Param, key string) (Param, bool) {
	i := slices.IndexFunc(params, func(p Param) bool { return p.Key == key })
	if i < 0 {
		return Param{}, false
	}
	return params[i], true
}

// Check checks one given value against the parameter's form and range.
func (p Param) Check(v Value) error {
	switch p.Form {
	case Number:
		return p.InRange(v.Number)
	case Integer:
		if v.Number != math.Floor(v.Number) {
			return fmt.Errorf("%s = %g, want a whole number", p.Key, v.Number)
		}
		return p.InRange(v.Number)
	case NumberOrWord:
		if v.Text == "" {
			return p.InRange(v.Number)
		}
		if !slices.Contains(p.Choices, v.Text) {
			return fmt.Errorf("%s = %q, want a number or %s", p.Key, v.Text, strings.Join(p.Choices, ", "))
		}
	case Choice:
		if !slices.Contains(p.Choices, v.Text) {
			return fmt.Errorf("%s = %q, want one of %s", p.Key, v.Text, strings.Join(p.Choices, ", "))
		}
	case Numbers:
		if v.List == nil {
			return p.InRange(v.Number)
		}
		for i, x := range v.List {
			if err := p.InRange(x); err != nil {
				return fmt.Errorf("entry %d: %w", i, err)
			}
		}
	case Steps:
		if len(v.Steps) == 0 {
			return fmt.Errorf("%s is empty, want [[time_ms, value], …]", p.Key)
		}
		for i, s := range v.Steps {
			if !(s[0] >= 0) || i > 0 && !(s[0] > v.Steps[i-1][0]) {
				return fmt.Errorf("%s: step %d at %g ms, want times ≥ 0 ms, each later than the one before", p.Key, i, s[0])
			}
			if err := p.InRange(s[1]); err != nil {
				return fmt.Errorf("step %d: %w", i, err)
			}
		}
	case Sine:
		s := v.Sine
		if s == nil {
			return fmt.Errorf("%s: want { mean, amplitude, frequency, phase }", p.Key)
		}
		if !(s.Mean >= 0) || !(s.Amplitude >= 0) || !(s.Frequency >= 0) || !(math.Abs(s.Phase) < 1e6) ||
			!(s.Mean+s.Amplitude <= p.Max) || !(s.Frequency < 1e6) {
			return fmt.Errorf("%s: mean %g Hz, amplitude %g Hz, frequency %g Hz, phase %g rad: want finite numbers, not negative, mean + amplitude ≤ %g Hz", p.Key, s.Mean, s.Amplitude, s.Frequency, s.Phase, p.Max)
		}
	case File:
		for i, s := range v.Table {
			if !(s.Time >= 0) {
				return fmt.Errorf("%s: row %d: time %g ms, want ≥ 0 ms", p.Key, i, s.Time)
			}
			if err := p.InRange(s.Value); err != nil {
				return fmt.Errorf("row %d: %w", i, err)
			}
		}
	}
	return nil
}
