package models

import (
	"embed"
	"path"
	"slices"
	"strings"
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
	s := strings.Join(words, " ")
	if i := strings.Index(s, ". "); i >= 0 {
		s = s[:i]
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
