package progress

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"hmn/network"
)

// Printer writes the progress of one run. Its methods are called from one
// goroutine.
type Printer struct {
	w        io.Writer
	terminal bool
	width    func() int // columns of the terminal
	clock    func() time.Time
	every    time.Duration

	start time.Time
	last  time.Time // of the last line
	drawn bool      // the terminal shows an unfinished line
}

const (
	redrawn = 200 * time.Millisecond
	plain   = 5 * time.Second
)

// New starts the clock of a run whose progress goes to w.
func New(w io.Writer) *Printer {
	p := &Printer{w: w, clock: time.Now, every: plain}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.terminal, p.every = true, redrawn
		p.width = func() int {
			if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
				return n
			}
			return 80
		}
	}
	p.start = p.clock()
	p.last = p.start
	return p
}

// Update shows how far the run is when a line is due. Errors of the writer are
// of no consequence to a run and are dropped.
func (p *Printer) Update(s network.Progress) {
	now := p.clock()
	if now.Sub(p.last) < p.every {
		return
	}
	p.last = now
	line := Line(s, now.Sub(p.start))
	if !p.terminal {
		fmt.Fprintln(p.w, line)
		return
	}
	width := p.width() - 1 // a full last column would wrap on some terminals
	if bar := min(20, width-utf8.RuneCountInString(line)-3); s.End > 0 && bar >= 5 {
		done := int(float64(bar) * float64(s.Now) / float64(s.End))
		line = "[" + strings.Repeat("#", done) + strings.Repeat(".", bar-done) + "] " + line
	}
	if r := []rune(line); len(r) > width && width > 0 {
		line = string(r[:width])
	}
	p.drawn = true
	fmt.Fprintf(p.w, "\r\x1b[2K%s", line)
}

// Done removes an unfinished line from a terminal. Lines of a log stay.
func (p *Printer) Done() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[2K")
		p.drawn = false
	}
}

// Line says in one line how far a run has come after so much wall time.
func Line(s network.Progress, wall time.Duration) string {
	part := 1.0
	if s.End > 0 {
		part = float64(s.Now) / float64(s.End)
	}
	line := fmt.Sprintf("%.6g/%.6g ms  %.0f %%", s.Now.MS(), s.End.MS(), math.Floor(100*part))
	if s.Now > 0 && wall > 0 {
		line += fmt.Sprintf("  real-time factor %.3g  %s spikes/s  ETA %s",
			wall.Seconds()/s.Now.Seconds(), si(float64(s.Spikes)/wall.Seconds()), eta(time.Duration(float64(wall)*(1-part)/part)))
	}
	return line
}

// si spells a number with three digits and a prefix: 3.2, 41.0k, 1.25M.
func si(x float64) string {
	for _, prefix := range []string{"", "k", "M", "G"} {
		if x < 999.5 {
			return fmt.Sprintf("%.3g%s", x, prefix)
		}
		x /= 1000
	}
	return fmt.Sprintf("%.3gT", x)
}

// eta spells a remaining time to about two digits.
func eta(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.0f d", d.Hours()/24)
	case d >= time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%d h %02d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= 2*time.Minute:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %02d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
