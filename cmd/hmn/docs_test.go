package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// The candidates printed in docs/learning.md are those of docs/replay, and they are
// what docs/replay/check.py finds by quadrature, to 8.3e-17.
func TestReplayInDocs(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/learning.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "$ cat runs/replay/candidates.csv\n")
	want, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("docs/learning.md does not show runs/replay/candidates.csv")
	}
	t.Chdir(t.TempDir())
	must(t, "run", filepath.Join(root, "docs/replay/replay.toml"), "--no-plot")
	got, err := os.ReadFile("runs/replay/candidates.csv")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/learning.md shows\n%s\nbut docs/replay gives\n%s", want, got)
	}
}

var (
	docLink  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fenced   = regexp.MustCompile("(?ms)^```.*?^```")
	codeSpan = regexp.MustCompile("`[^`\n]*`")
)

// Links between the documents, anchors included, lead somewhere.
func TestDocLinks(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../validation/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	links := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		body := codeSpan.ReplaceAllString(fenced.ReplaceAllString(string(text), ""), "")
		for _, m := range docLink.FindAllStringSubmatch(body, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			name, anchor, _ := strings.Cut(m[1], "#")
			target := page
			if name != "" {
				target = filepath.Join(filepath.Dir(page), name)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: link to %s: %v", page, m[1], err)
				continue
			}
			if anchor != "" && !hasAnchor(t, target, anchor) {
				t.Errorf("%s: link to %s: no heading gives #%s", page, m[1], anchor)
			}
		}
	}
	if links < 50 {
		t.Errorf("%d links on %d pages are too few to tell anything", links, len(pages))
	}
}

// hasAnchor says whether a heading of the page has that anchor, made from its text
// as GitHub does: letters, digits and hyphens in lower case, spaces as hyphens.
func hasAnchor(t *testing.T, page, anchor string) bool {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(fenced.ReplaceAllString(string(text), "")) {
		heading := strings.TrimLeft(line, "#")
		if heading == line {
			continue
		}
		made := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(heading))
		if made == anchor {
			return true
		}
	}
	return false
}
