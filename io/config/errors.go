package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrInput is wrapped by every error of Load, Parse and Doc: the model file,
// an override or a file it names is at fault, not the program.
var ErrInput = errors.New("config: bad input")

// Problem is one thing that is wrong.
type Problem struct {
	At  string // "brunel.toml:12:5", "edges.csv:17", "--set population.E.n=-3" or a file's name
	Msg string // key, what was wrong, what is allowed
}

// Error lists what is wrong with a model, in the order of its text, then of
// the overrides, then of the other files.
type Error struct {
	Problems []Problem
	More     int // problems found beyond those listed
}

func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %s", p.At, p.Msg)
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\nand %d more", e.More)
	}
	return b.String()
}

// Unwrap makes errors.Is(err, ErrInput) true.
func (e *Error) Unwrap() error { return ErrInput }

// Listed at most: a file that is wrong everywhere needs no longer list.
const (
	maxProblems        = 20
	maxProblemsPerFile = 5
)

// pos is where something stands: in the model text, in an override, or in a
// line of another file.
type pos struct {
	line, col int
	set       string // the override's text, when it came from one
	file      string // another file; line may be 0
}

// found is a problem with its place in the listing.
type found struct {
	pos pos
	msg string
}

func (f found) rank() int {
	switch {
	case f.pos.file != "":
		return 2
	case f.pos.set != "":
		return 1
	}
	return 0
}

// errorf notes a problem at p.
func (l *loader) errorf(p pos, format string, args ...any) {
	l.problems = append(l.problems, found{p, fmt.Sprintf(format, args...)})
}

// where spells a position as messages do.
func (l *loader) where(p pos) string {
	switch {
	case p.set != "":
		return "--set " + clip(p.set)
	case p.file != "" && p.line > 0:
		return p.file + ":" + strconv.Itoa(p.line)
	case p.file != "":
		return p.file
	case p.line > 0:
		return fmt.Sprintf("%s:%d:%d", l.name, p.line, p.col)
	}
	return l.name
}

// err is the error of everything noted so far, or nil.
func (l *loader) err() error {
	if len(l.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(l.problems, func(a, b found) int {
		if a.rank() != b.rank() {
			return a.rank() - b.rank()
		}
		if a.rank() > 0 { // in the order of reading
			return 0
		}
		if a.pos.line != b.pos.line {
			return a.pos.line - b.pos.line
		}
		return a.pos.col - b.pos.col
	})
	e := &Error{}
	for i, f := range l.problems {
		p := Problem{l.where(f.pos), f.msg}
		if i > 0 && slices.Contains(e.Problems, p) {
			continue
		}
		if len(e.Problems) == maxProblems {
			e.More++
			continue
		}
		e.Problems = append(e.Problems, p)
	}
	return e
}

// clip shortens text that a message repeats.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// quote repeats what stood in a file: quoted, and not at length.
func quote(s string) string { return strconv.Quote(clip(s)) }

// hint says what may have been meant, or what is allowed:
// `, did you mean "tau_m"?` or `, want one of E, I`.
func hint(word string, allowed []string) string {
	if s := nearest(word, allowed); s != "" {
		return fmt.Sprintf(", did you mean %s?", quote(s))
	}
	if len(allowed) == 0 {
		return ""
	}
	return ", want one of " + list(allowed)
}

// list joins words for a message, not at length.
func list(words []string) string {
	const most = 24
	more := ""
	if len(words) > most {
		more = fmt.Sprintf(", … (%d in all)", len(words))
		words = words[:most]
	}
	clipped := make([]string, len(words))
	for i, w := range words {
		clipped[i] = clip(w)
	}
	return strings.Join(clipped, ", ") + more
}

// nearest is the word of allowed that word was probably meant to be, or "".
// Words are near when at most a third of the letters (at least one) were
// added, left out, replaced or swapped with their neighbour; upper and lower
// case count as the same letter.
func nearest(word string, allowed []string) string {
	w := strings.ToLower(word)
	if len(w) == 0 || len(w) > 64 {
		return ""
	}
	best, at := "", max(1, utf8.RuneCountInString(w)/3)+1
	for _, a := range allowed {
		if len(a) > 64 {
			continue
		}
		if d := distance([]rune(w), []rune(strings.ToLower(a))); d < at {
			best, at = a, d
		}
	}
	return best
}

// distance counts the edits between two words; a swap of neighbours is one.
func distance(a, b []rune) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur, prev, prev2 := rows[i%3], rows[(i+2)%3], rows[(i+1)%3]
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}

// unwrapPath drops the operation and the path from an error of package os.
func unwrapPath(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
