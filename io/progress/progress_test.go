package progress

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"hmn/event"
	"hmn/network"
)

// A log gets one plain line per interval, none for a short run, and no control
// characters.
func TestLog(t *testing.T) {
	var b bytes.Buffer
	p := New(&b)
	now := p.start
	p.clock = func() time.Time { return now }
	for i := range 120 { // 12 s in steps of 100 ms
		now = p.start.Add(time.Duration(i+1) * 100 * time.Millisecond)
		p.Update(network.Progress{Now: event.Time(i+1) * 10 * event.Millisecond, End: 10 * event.Second, Spikes: uint64(i) * 1000})
		if i == 40 && b.Len() > 0 {
			t.Errorf("after %v: %q, want nothing yet", now.Sub(p.start), b.String())
		}
	}
	p.Done()
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 2 || strings.ContainsAny(b.String(), "\r\x1b") {
		t.Fatalf("%d lines, want 2 plain ones:\n%q", len(lines), b.String())
	}
	// 500 of 10 000 ms after 5 s: factor 10, 49 000 spikes in 5 s, 95 s to go.
	want := "500/10000 ms  5 %  real-time factor 10  9.8k spikes/s  ETA 95 s"
	if lines[0] != want {
		t.Errorf("got  %q\nwant %q", lines[0], want)
	}
}

// A terminal's line never exceeds its width and is removed at the end.
func TestTerminal(t *testing.T) {
	for _, width := range []int{2, 20, 81, 200} {
		var b bytes.Buffer
		p := New(&b)
		now := p.start
		p.clock = func() time.Time { return now }
		p.terminal, p.every, p.width = true, redrawn, func() int { return width }
		for i := range 10 {
			now = now.Add(time.Second)
			p.Update(network.Progress{Now: event.Time(i+1) * event.Second, End: 10 * event.Second, Spikes: 1e9})
		}
		p.Done()
		lines := strings.Split(b.String(), "\r\x1b[2K")
		if len(lines) != 12 || lines[11] != "" {
			t.Fatalf("width %d: %d draws, want 10 and an empty line: %q", width, len(lines)-2, b.String())
		}
		for _, l := range lines {
			if len([]rune(l)) >= width {
				t.Errorf("width %d: line of %d columns", width, len([]rune(l)))
			}
		}
		if width == 200 && !strings.HasPrefix(lines[10], "[####################] 10000/10000 ms  100 %") {
			t.Errorf("last line %q", lines[10])
		}
	}
}

func TestETA(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0 s"}, {119 * time.Second, "119 s"}, {125 * time.Second, "2 min 05 s"},
		{90 * time.Minute, "1 h 30 min"}, {72 * time.Hour, "3 d"},
	} {
		if got := eta(c.d); got != c.want {
			t.Errorf("eta(%v) = %q, want %q", c.d, got, c.want)
		}
	}
}

func ExampleLine() {
	s := network.Progress{Now: 1200 * event.Millisecond, End: 10 * event.Second, Spikes: 64000}
	fmt.Println(Line(s, 600*time.Millisecond))
	// Output: 1200/10000 ms  12 %  real-time factor 0.5  107k spikes/s  ETA 4 s
}
