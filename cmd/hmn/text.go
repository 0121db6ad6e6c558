package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"hmn/event"
)

// table is text in columns. Columns are right-aligned but for the first left
// ones.
type table struct {
	left int
	rows [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// write writes the table, with every line indented by nothing and columns two
// spaces apart.
func (t *table) write(w io.Writer) {
	var width []int
	for _, r := range t.rows {
		for i, c := range r {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	for _, r := range t.rows {
		var b strings.Builder
		for i, c := range r {
			if i > 0 {
				b.WriteString("  ")
			}
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			if i < t.left {
				b.WriteString(c + pad)
			} else {
				b.WriteString(pad + c)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

// writeJSON writes v as indented JSON.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// number is a JSON number; null when it is not finite.
func number(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// count spells a whole number with its digits in groups of three.
func count[T int | int64 | uint64](n T) string {
	s := fmt.Sprint(n)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return sign + s
}

// approx spells an expected number: exact when it is small and whole.
func approx(x float64) string {
	if x < 1e15 {
		return count(int64(math.Round(x)))
	}
	return fmt.Sprintf("%.3g", x)
}

// digits spells a measured number, "–" when there is none.
func digits(x float64, n int) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "–"
	}
	if math.Abs(x) >= math.Pow(10, float64(n)) {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', n, 64)
}

// size spells a number of bytes.
func size(n float64) string {
	for _, u := range []string{"B", "KiB", "MiB", "GiB", "TiB"} {
		if n < 1023.5 {
			return digits(n, 3) + " " + u
		}
		n /= 1024
	}
	return digits(n, 3) + " PiB"
}

// seconds spells a wall time.
func seconds(s float64) string {
	switch {
	case s < 1e-3:
		return digits(s*1e6, 3) + " µs"
	case s < 1:
		return digits(s*1e3, 3) + " ms"
	}
	return digits(s, 3) + " s"
}

// timeText spells a simulated time exactly, with its unit.
func timeText(t event.Time) string {
	if t >= event.Second && t%1000 == 0 {
		return (t / 1000).String() + " s" // what are ms to t are s to 1000 t
	}
	return t.String() + " ms"
}

// splitUnit cuts "1.5 ms" into number and unit.
func splitUnit(s string) (num, unit string) {
	s = strings.TrimSpace(s)
	i := 0
	for i < len(s) && strings.IndexByte("+-.0123456789", s[i]) >= 0 {
		i++
	}
	return s[:i], strings.TrimSpace(s[i:])
}

// scaled is num times unit as an exact fraction.
func scaled(num string, unit int64) (*big.Rat, bool) {
	if strings.Count(num, ".") == len(num) || len(num) > 60 {
		return nil, false
	}
	x, ok := new(big.Rat).SetString(num)
	if !ok || x.Sign() < 0 {
		return nil, false
	}
	return x.Mul(x, new(big.Rat).SetInt64(unit)), true
}

// whole rounds a fraction that is not negative to the nearest integer; ok is
// false when int64 cannot hold it.
func whole(x *big.Rat) (n int64, ok bool) {
	x = new(big.Rat).Add(x, big.NewRat(1, 2))
	q := new(big.Int).Quo(x.Num(), x.Denom())
	return q.Int64(), q.IsInt64()
}

// parseTime reads "500ms", "1.5 s", or a bare number of ms; it is rounded to
// whole picoseconds.
func parseTime(s string) (event.Time, error) {
	num, unit := splitUnit(s)
	units := map[string]event.Time{"": event.Millisecond, "ms": event.Millisecond, "s": event.Second,
		"us": event.Microsecond, "µs": event.Microsecond, "μs": event.Microsecond, "ns": event.Nanosecond, "ps": event.Picosecond,
		"min": 60 * event.Second, "h": 3600 * event.Second}
	u, known := units[unit]
	x, ok := scaled(num, int64(u))
	if !ok || !known {
		return 0, fmt.Errorf("want a time that is not negative, such as \"500ms\" or \"20 s\"")
	}
	t, ok := whole(x)
	if !ok {
		return 0, fmt.Errorf("beyond the longest run, 106 days")
	}
	return event.Time(t), nil
}

// parseSize reads a number of bytes: "20G", "512 MiB", "1e9" is not one.
func parseSize(s string) (int64, error) {
	num, unit := splitUnit(s)
	units := map[string]int64{"": 1, "B": 1,
		"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40,
		"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
		"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
	u, known := units[strings.ToUpper(unit)]
	x, ok := scaled(num, u)
	if ok && known {
		if n, ok := whole(x); ok {
			return n, nil
		}
	}
	return 0, fmt.Errorf("want a number of bytes such as \"20G\" (K, M, G, T: powers of 1024)")
}

// nearest is the name that word was probably meant to be, or "": at most a
// third of its letters, and at least one, may be wrong.
func nearest(word string, names []string) string {
	if len(word) > 64 {
		return ""
	}
	best, at := "", max(1, len(word)/3)+1
	for _, n := range names {
		if d := edits(strings.ToLower(word), strings.ToLower(n)); d < at {
			best, at = n, d
		}
	}
	return best
}

// edits is the number of bytes to add, drop or replace between two words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := corner
			if a[i] != b[j] {
				d = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
