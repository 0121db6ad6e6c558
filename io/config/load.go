package config

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"hmn/event"
	"hmn/network"
)

// Options say where a model's files are and what to change in it.
type Options struct {
	Dir  string   // files named in the model are relative to it; "" = the model file's folder (Load) or the working one (Parse)
	Set  []string // overrides, "simulation.seed=3", "population.E.params.tau_m=15 ms": a dotted path (or the name of a choice or parameter of the model) and TOML or a bare word
	Name string   // the model file's name in messages; "" = its path (Load) or "model" (Parse)
	// RequireDuration refuses a model that is to be run and says not how long.
	RequireDuration bool
	// MaxBytes refuses a model whose per-neuron tables (positions, spike trains,
	// subsets) would take more memory; 0 = 8 GiB.
	MaxBytes int64
}

// Source is where a model came from: what a run's manifest keeps, so that the
// run can be repeated.
type Source struct {
	Name   string   // as in messages
	Text   []byte   // the model file as it was read
	Set    []string // the overrides, in their order
	Files  []File   // the files the model read, in the order of reading
	SHA256 string   // over text, overrides and the files' contents, hexadecimal
}

// Load reads a model file.
func Load(path string, o Options) (*network.Model, *Source, error) {
	name := o.Name
	if name == "" {
		name = path
	}
	fail := func(err error) (*network.Model, *Source, error) {
		return nil, nil, &Error{Problems: []Problem{{At: name, Msg: err.Error()}}}
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		err = fmt.Errorf("is a folder, want a model file")
	}
	if err != nil {
		return fail(unwrapPath(err))
	}
	f, err := os.Open(path)
	if err != nil {
		return fail(unwrapPath(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err != nil {
		return fail(unwrapPath(err))
	}
	o.Name = name
	if o.Dir == "" {
		o.Dir = filepath.Dir(path)
	}
	m, s, err := Parse(text, o)
	if err != nil {
		return nil, nil, err
	}
	base := filepath.Base(path)
	m.Name = strings.TrimSuffix(base, filepath.Ext(base))
	return m, s, nil
}

// Parse reads the text of a model file. The model is complete: tables of files
// it names have been read into it. On error there is no model, and the error is
// an *Error unless the caller's Options are at fault.
func Parse(text []byte, o Options) (*network.Model, *Source, error) {
	l := &loader{o: o, name: o.Name, model: &network.Model{}}
	if l.name == "" {
		l.name = "model"
	}
	if l.o.MaxBytes == 0 {
		l.o.MaxBytes = 8 << 30
	}
	base := filepath.Base(l.name)
	l.model.Name = strings.TrimSuffix(base, filepath.Ext(base))
	root, at, err := parseTOML(text)
	if err != nil {
		l.errorf(at, "%v", err)
		return nil, nil, l.err()
	}
	l.root = root
	l.overrides()
	l.strict(root, "", "")
	l.inputs()
	l.simulation()
	l.guard()
	if l.populations() {
		l.projections()
		l.modulators()
		l.task()
		l.meta()
		l.records()
	}
	if len(l.problems) == 0 {
		l.learningFaults()
	}
	if err := l.err(); err != nil {
		return nil, nil, err
	}
	return l.model, l.source(text), nil
}

// loader is one reading of one model.
type loader struct {
	o        Options
	name     string
	root     *node
	model    *network.Model
	pops     []*population
	projs    []*projection // in the order of model.Projections
	mods     []table       // in the order of model.Modulators
	recs     []table       // in the order of model.Records
	taskName string        // as the file gives it
	problems []found
	files    []File
	seed     uint64
	neurons  int64 // in all populations so far
}

// note adds a remark to the model.
func (l *loader) note(format string, args ...any) {
	l.model.Notes = append(l.model.Notes, fmt.Sprintf(format, args...))
}

// source makes the Source of a model that was read without problems. The hash
// is SHA-256 over "hmn model 1\n", then the text, each override and the SHA-256
// of each file, each preceded by its kind (one byte: t, s or f) and its length
// (8 bytes, little endian).
func (l *loader) source(text []byte) *Source {
	h := sha256.New()
	put := func(kind byte, b []byte) {
		head := binary.LittleEndian.AppendUint64([]byte{kind}, uint64(len(b)))
		h.Write(head) // a hash never fails
		h.Write(b)
	}
	io.WriteString(h, "hmn model 1\n")
	put('t', text)
	for _, s := range l.o.Set {
		put('s', []byte(s))
	}
	for _, f := range l.files {
		put('f', []byte(f.SHA256))
	}
	return &Source{
		Name:   l.name,
		Text:   slices.Clone(text),
		Set:    slices.Clone(l.o.Set),
		Files:  l.files,
		SHA256: hex.EncodeToString(h.Sum(nil)),
	}
}

// inputs checks the [inputs] table; its values are read where they are used.
func (l *loader) inputs() {
	n := l.root.get("inputs")
	if n == nil {
		return
	}
	if n.kind != isTable {
		l.errorf(n.pos, "inputs: %s, want a table", n.describe())
		return
	}
	for _, k := range n.keys {
		if v := n.item[k]; v.kind != isText {
			l.errorf(v.pos, "inputs: %s: %s, want a text: the name of a file", clip(k), v.describe())
		}
	}
}

// simulation reads [simulation].
func (l *loader) simulation() {
	t, _ := l.open(l.root.get("simulation"), "simulation", "simulation: ", pos{})
	s := &l.model.Simulation
	if t.has("duration") {
		s.Duration, _ = t.time("duration")
	} else if l.o.RequireDuration {
		l.errorf(t.n.pos, "simulation: needs the key \"duration\", or --duration")
	}
	seed, _ := t.integer("seed")
	s.Seed = uint64(seed)
	l.seed = s.Seed
	if t.has("lookahead_max") {
		s.LookaheadMax, _ = t.time("lookahead_max")
	}
	if w, ok := t.word("engine", key("simulation.engine").Choices); ok && w != network.EngineEvent {
		s.Engine = w
	}
	if t.has("dt") {
		s.Dt, _ = t.time("dt")
	}
}

// guard reads [guard].
func (l *loader) guard() {
	t, _ := l.open(l.root.get("guard"), "guard", "guard: ", pos{})
	g := &l.model.Guard
	g.Window = event.Time(key("guard.window").Default) * event.Millisecond
	if t.has("window") {
		g.Window, _ = t.time("window")
	}
	g.MaxRateHz, _ = t.number("max_rate_hz")
	g.Silence, _ = t.time("silence")
}

// tables lists the entries of a list of tables; a single [table] is refused.
func (l *loader) tables(name string) []*node {
	n := l.root.get(name)
	if n == nil {
		return nil
	}
	if n.kind != isList {
		if n.kind == isTable {
			l.errorf(n.pos, "%s: a single table, want a list: write [[%s]]", name, name)
		} else {
			l.errorf(n.pos, "%s: %s, want tables: write [[%s]]", name, n.describe(), name)
		}
		return nil
	}
	return n.list
}

// label names an entry of a list in messages: by its name, or its number.
func label(what string, n *node, i int) string {
	if name := n.get("name"); name != nil && name.kind == isText && name.text != "" {
		return fmt.Sprintf("%s %s: ", what, quote(name.text))
	}
	return fmt.Sprintf("%s %d: ", what, i)
}

// entryName reads the name of a population or projection. taken holds the
// names so far and where they stand.
func (t table) entryName(taken map[string]pos) (string, bool) {
	s, ok := t.text("name")
	if !ok {
		return "", false
	}
	n := t.n.get("name")
	bad := func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`.=/\,'"`, r)
	}
	switch {
	case !utf8.ValidString(s):
		t.wrong(n, "name", "%s is not UTF-8 text", quote(s))
		return "", false
	case len(s) > 100:
		t.wrong(n, "name", "%d bytes, want at most 100", len(s))
		return "", false
	case strings.ContainsFunc(s, bad):
		i := strings.IndexFunc(s, bad)
		r, _ := utf8.DecodeRuneInString(s[i:])
		t.wrong(n, "name", "%s contains %q, want no white space and none of . = / \\ , ' \"", quote(s), r)
		return "", false
	}
	if first, ok := taken[s]; ok {
		t.wrong(n, "name", "%s is taken (%s)", quote(s), t.l.where(first))
		return "", false
	}
	taken[s] = n.pos
	return s, true
}

// size spells a size for people.
func size(n float64) string {
	for _, u := range []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"} {
		if n < 999.5 {
			return fmt.Sprintf("%.3g %s", n, u)
		}
		n /= 1024
	}
	return fmt.Sprintf("%.3g EiB", n)
}

// fits refuses a per-neuron table that would take too much memory.
func (l *loader) fits(at pos, label string, entries, each int64) bool {
	if entries <= math.MaxInt64/each && entries*each <= l.o.MaxBytes {
		return true
	}
	l.errorf(at, "%s%d entries would take %s, want at most %s", label, entries, size(float64(entries)*float64(each)), size(float64(l.o.MaxBytes)))
	return false
}
