package models

import (
	"embed"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed *.toml bench/*.toml
var files embed.FS

// Names lists the shipped models in order of name.
func Names() []string { return namesIn(".") }

// BenchNames lists the bench networks in order of name.
func BenchNames() []string { return namesIn("bench") }

// Text is the model file of a shipped model.
func Text(name string) (string, bool) { return read(".", name) }

// Bench is the model file of a bench network.
func Bench(name string) (string, bool) { return read("bench", name) }

// Summary is one line that says what a shipped model is: the first sentence of
// its heading comment. It is empty for a name that is not shipped.
func Summary(name string) string {
	text, ok := Text(name)
	if !ok {
		return ""
	}
	var words []string
	for line := range strings.Lines(text) {
		line, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
		if line = strings.TrimSpace(line); !ok || line == "" {
			break
		}
		words = append(words, line)
	}
	return firstSentence(strings.Join(words, " "))
}

// firstSentence is the text up to its first full stop, without it. The stop of an
// initial (C. elegans) or before a small letter (exact vs. rounded) ends no sentence.
func firstSentence(s string) string {
	for i := range s {
		if !strings.HasPrefix(s[i:], ". ") {
			continue
		}
		word := s[strings.LastIndexAny(s[:i], " (")+1 : i]
		next, _ := utf8.DecodeRuneInString(strings.TrimLeft(s[i+1:], " "))
		if utf8.RuneCountInString(word) > 1 && !unicode.IsLower(next) {
			return s[:i]
		}
	}
	return strings.TrimSuffix(s, ".")
}

func namesIn(dir string) []string {
	entries, err := files.ReadDir(dir)
	if err != nil {
		panic(err) // embedded: the build would have failed
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".toml"); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func read(dir, name string) (string, bool) {
	if strings.ContainsAny(name, "/\\") {
		return "", false
	}
	b, err := files.ReadFile(path.Join(dir, name+".toml"))
	return string(b), err == nil
}
