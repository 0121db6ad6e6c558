package models

import "testing"

func TestFirstSentence(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"One.", "One"},
		{"No stop", "No stop"},
		{"One network. Another.", "One network"},
		{"The wiring of C. elegans, touched. More.", "The wiring of C. elegans, touched"},
		{"C. elegans", "C. elegans"},
		{"Steps of 0.1 ms. More.", "Steps of 0.1 ms"},
		{"Exact vs. rounded times. More.", "Exact vs. rounded times"},
		{"Ten neurons (C. elegans). 10 more.", "Ten neurons (C. elegans)"},
	} {
		if got := firstSentence(c.text); got != c.want {
			t.Errorf("firstSentence(%q) = %q, want %q", c.text, got, c.want)
		}
	}
	for _, name := range Names() {
		if s := Summary(name); s == "" || s[len(s)-1] == '.' {
			t.Errorf("Summary(%q) = %q", name, s)
		}
	}
}
