package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"hmn/event/fmath"
)

// Where a model file has a table [parameter], a text that begins with = is a
// formula in its numbers and stands for its value:
//
//	[parameter]
//	scale = 1.0                      # --set scale=0.1
//	[[population]]
//	n = "= round(20683 * scale)"
//
// A formula has + - * / ^ (which binds before the sign, -2^2 = -4), parentheses,
// numbers, the parameters and functions. Its value is in the unit of its key.

// functions are those of formulas.
var functions = map[string]func(float64) float64{
	"sqrt":  math.Sqrt,
	"ln":    fmath.Log,
	"exp":   fmath.Exp,
	"round": func(x float64) float64 { return math.Floor(x + 0.5) },
}

func isFunction(name string) bool { return functions[name] != nil }

// longestFormula bounds the text of a formula, and with it the depth of its
// parentheses.
const longestFormula = 1000

// formulas replaces all formulas below the root by their values.
func (l *loader) formulas() {
	if l.root.get("parameter") == nil {
		return
	}
	all, ok := l.group("parameter")
	values := map[string]float64{}
	for _, k := range all.keys {
		n := all.item[k]
		switch {
		case !l.named("parameter", k, n):
			ok = false
		case n.kind != isInteger && n.kind != isNumber || math.IsNaN(n.num) || math.IsInf(n.num, 0):
			l.errorf(n.pos, "parameter.%s: %s, want a number", k, n.describe())
			ok = false
		default:
			values[k] = n.num
		}
	}
	if ok { // otherwise formulas would complain about the parameters again
		l.evaluate(l.root, values)
	}
}

func (l *loader) evaluate(n *node, values map[string]float64) {
	for _, c := range n.list {
		l.evaluate(c, values)
	}
	for _, c := range n.item {
		l.evaluate(c, values)
	}
	if n.kind != isText || !strings.HasPrefix(n.text, "=") {
		return
	}
	x, err := evalFormula(n.text[1:], values)
	if err != nil {
		l.errorf(n.pos, "formula %s: %v", quote(n.text), err)
		x = 0
	}
	n.num, n.kind, n.text = x, isNumber, strconv.FormatFloat(x, 'g', -1, 64)
	if x == math.Floor(x) && math.Abs(x) < 1<<53 {
		n.kind, n.int = isInteger, int64(x)
		n.text = strconv.FormatInt(n.int, 10)
	}
}

// formula is one text while it is read.
type formula struct {
	rest   string
	values map[string]float64
	err    error
}

// evalFormula is the value of a formula.
func evalFormula(text string, values map[string]float64) (float64, error) {
	if len(text) > longestFormula {
		return 0, fmt.Errorf("%d bytes, want at most %d", len(text), longestFormula)
	}
	f := formula{rest: text, values: values}
	x := f.sum()
	if f.err == nil && f.next() != 0 {
		f.fail(fmt.Errorf("what is %s doing there?", quote(f.rest)))
	}
	if f.err == nil && (math.IsNaN(x) || math.IsInf(x, 0)) {
		f.fail(fmt.Errorf("the value is %v, want a number", x))
	}
	return x, f.err
}

func (f *formula) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// next is the next character that is no space, 0 at the end or after an error.
func (f *formula) next() byte {
	f.rest = strings.TrimLeft(f.rest, " \t")
	if f.rest == "" || f.err != nil {
		return 0
	}
	return f.rest[0]
}

// take drops the next character if it is c.
func (f *formula) take(c byte) bool {
	if f.next() != c {
		return false
	}
	f.rest = f.rest[1:]
	return true
}

func (f *formula) sum() float64 {
	x := f.product()
	for {
		switch {
		case f.take('+'):
			x += f.product()
		case f.take('-'):
			x -= f.product()
		default:
			return x
		}
	}
}

// product rounds every product before it goes into a sum: no fused operation.
func (f *formula) product() float64 {
	x := f.signed()
	for {
		switch {
		case f.take('*'):
			x = float64(x * f.signed())
		case f.take('/'):
			x /= f.signed()
		default:
			return x
		}
	}
}

func (f *formula) signed() float64 {
	if f.take('-') {
		return -f.signed()
	}
	x := f.operand()
	if f.take('^') {
		return fmath.Pow(x, f.signed())
	}
	return x
}

var errParenthesis = errors.New("a parenthesis is not closed")

func (f *formula) operand() float64 {
	if f.take('(') {
		x := f.sum()
		if !f.take(')') {
			f.fail(errParenthesis)
		}
		return x
	}
	c := f.next()
	n := 0
	switch {
	case c == 0:
		f.fail(errors.New("it ends where a number is wanted"))
		return 0
	case isLetter(rune(c)):
		for n < len(f.rest) && (isLetter(rune(f.rest[n])) || isDigit(rune(f.rest[n]))) {
			n++
		}
	default:
		return f.number()
	}
	name := f.rest[:n]
	f.rest = f.rest[n:]
	if do := functions[name]; do != nil {
		if !f.take('(') {
			f.fail(fmt.Errorf("%s wants a parenthesis: %s(…)", name, name))
			return 0
		}
		x := do(f.sum())
		if !f.take(')') {
			f.fail(errParenthesis)
		}
		return x
	}
	x, ok := f.values[name]
	if !ok {
		var names []string
		for k := range f.values {
			names = append(names, k)
		}
		for k := range functions {
			names = append(names, k)
		}
		slices.Sort(names)
		f.fail(fmt.Errorf("unknown %s%s", quote(name), hint(name, names)))
	}
	return x
}

// number reads digits with a point and an exponent.
func (f *formula) number() float64 {
	n := 0
	for n < len(f.rest) {
		c := f.rest[n]
		exponent := n > 0 && (c == 'e' || c == 'E')
		sign := n > 0 && (c == '+' || c == '-') && (f.rest[n-1] == 'e' || f.rest[n-1] == 'E')
		if !isDigit(rune(c)) && c != '.' && !exponent && !sign {
			break
		}
		n++
	}
	x, err := strconv.ParseFloat(f.rest[:n], 64)
	if err != nil {
		f.fail(fmt.Errorf("%s is no number, parameter or function", quote(f.rest)))
	}
	f.rest = f.rest[n:]
	return x
}

func isLetter(r rune) bool { return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func isDigit(r rune) bool { return r >= '0' && r <= '9' }
