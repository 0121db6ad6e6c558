package validation

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Check is one comparison, one row of a table.
type Check struct {
	Name      string
	Unit      string
	Expected  float64
	Got       float64
	Tolerance float64 // |Got − Expected| ≤ Tolerance; 0 = equal
	// Why says where Expected comes from and why the tolerance is what it is.
	Why string
	// Open marks a number that is reported and has no expected value.
	Open bool
	// Known is the reason of a deviation that is understood: the row says that the
	// check does not hold, and no test fails.
	Known string
	// Spread is the standard deviation of Got over seeds; 0 = not known.
	Spread float64
}

// OK says whether the check holds. NaN never does.
func (c Check) OK() bool {
	return (c.Open || c.Known != "") && !math.IsNaN(c.Got) || c.within()
}

func (c Check) within() bool { return math.Abs(c.Got-c.Expected) <= c.Tolerance }

// TableHead is the head of a table of checks, in Markdown.
const TableHead = "| check | expected | got | tolerance | unit | holds | why |\n|---|---|---|---|---|---|---|\n"

// Row is the check as a row of a Markdown table.
func (c Check) Row() string {
	digits := 6
	if c.Tolerance > 0 && c.Expected != 0 { // enough to see the tolerance
		digits = min(16, max(4, 2+int(math.Ceil(math.Log10(math.Abs(c.Expected)/c.Tolerance)))))
	} else if !c.Open {
		digits = 16
	}
	show := func(x float64, digits int) string { return strconv.FormatFloat(x, 'g', digits, 64) }
	expected, tolerance, holds := show(c.Expected, digits), show(c.Tolerance, 3), "yes"
	got := show(c.Got, digits)
	if c.Expected == 0 && c.Tolerance > 0 {
		got = show(c.Got, 3)
	}
	switch {
	case c.Open:
		expected, tolerance, holds = "–", "–", "–"
	case c.Tolerance == 0:
		tolerance = "equal"
	}
	why := c.Why
	if c.Known != "" && !c.Open && !c.within() {
		holds = "no, known"
		why = "Known deviation: " + c.Known + ". " + why
	}
	if !c.OK() {
		holds = "**no**"
	}
	if c.Spread > 0 {
		got += " ± " + show(c.Spread, 2)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |\n", c.Name, expected, got, tolerance, c.Unit, holds, strings.ReplaceAll(why, "|", "\\|"))
}
