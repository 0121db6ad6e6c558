package config

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLine is the longest line of a file beside the model.
const maxLine = 1 << 20

// File is one file that a model read.
type File struct {
	Name   string // as the model names it
	Path   string // as it was opened
	SHA256 string // of its content, hexadecimal
	Bytes  int64
}

// fileName resolves a key's text to a file: "$input" through [inputs], the
// rest relative to Options.Dir. n is where the text stands.
func (l *loader) fileName(t table, n *node, name, text string) (file string, ok bool) {
	if rest, isInput := strings.CutPrefix(text, "$"); isInput {
		inputs := l.root.get("inputs")
		in := inputs.get(rest)
		switch {
		case in == nil:
			var names []string
			if inputs != nil {
				names = inputs.keys
			}
			t.wrong(n, name, "%s: [inputs] has no key %s%s", quote(text), quote(rest), hint(rest, names))
			return "", false
		case in.kind != isText:
			return "", false // noted where [inputs] was read
		case in.text == "":
			l.errorf(in.pos, "inputs.%s is empty: give it with --set inputs.%s=FILE", clip(rest), clip(rest))
			return "", false
		}
		text = in.text
	}
	if strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
		t.wrong(n, name, "%s is no file name", quote(text))
		return "", false
	}
	return text, true
}

// lineReader reads a file line by line, with a bound, and hashes it.
type lineReader struct {
	l    *loader
	name string
	path string
	f    *os.File
	br   *bufio.Reader
	sum  hash.Hash
	size int64
	line int
	errs int
	dead bool
	eof  bool
}

// openFile opens a file that the text at n names. Problems are noted there.
func (l *loader) openFile(t table, n *node, key, name string) (*lineReader, bool) {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(l.o.Dir, path)
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	if err != nil {
		t.wrong(n, key, "%s: %v", clip(path), unwrapPath(err))
		return nil, false
	}
	r := &lineReader{l: l, name: name, path: path, f: f, sum: sha256.New()}
	r.br = bufio.NewReaderSize(io.TeeReader(f, r.sum), maxLine+2)
	return r, true
}

// next reads the next line without its end. It returns nil at the end of the
// file and after a problem. The line is valid until the next call.
func (r *lineReader) next() []byte {
	if r.dead || r.eof {
		return nil
	}
	b, err := r.br.ReadSlice('\n')
	r.size += int64(len(b))
	r.line++
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		r.stop("the line is longer than 1 MiB")
		return nil
	case err == io.EOF:
		r.eof = true
		if len(b) == 0 {
			return nil
		}
	case err != nil:
		r.stop("reading: %v", err)
		return nil
	}
	b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	if r.line == 1 {
		b = trimBOM(b)
	}
	if b == nil {
		b = []byte{}
	}
	return b
}

// errorf notes a problem in the current line; after a few the file is given up.
func (r *lineReader) errorf(format string, args ...any) {
	if r.dead {
		return
	}
	r.l.errorf(pos{file: r.name, line: r.line}, format, args...)
	if r.errs++; r.errs >= maxProblemsPerFile {
		r.dead = true
	}
}

// stop notes a problem and gives the file up.
func (r *lineReader) stop(format string, args ...any) {
	r.errorf(format, args...)
	r.dead = true
}

// good closes the file, remembers its hash, and reports whether all
// was well.
func (r *lineReader) good() bool {
	_ = r.f.Close() // only read from
	if r.errs > 0 || !r.eof {
		return r.errs == 0
	}
	f := File{r.name, r.path, hex.EncodeToString(r.sum.Sum(nil)), r.size}
	i := slices.IndexFunc(r.l.files, func(g File) bool { return g.Path == f.Path })
	switch {
	case i < 0:
		r.l.files = append(r.l.files, f)
	case r.l.files[i].SHA256 != f.SHA256:
		r.l.errorf(pos{file: r.name}, "the file changed while it was read")
		return false
	}
	return true
}

// csvReader reads rows of comma separated fields: UTF-8, one row per line,
// fields trimmed, quoted fields with "" for a quote, empty lines skipped.
type csvReader struct {
	*lineReader
	header []string
	row    [][]byte // of the current row, as many as header; valid until the next call
}

// openCSV opens a CSV file and reads its header.
func (l *loader) openCSV(t table, n *node, key, name string) (*csvReader, bool) {
	r, ok := l.openFile(t, n, key, name)
	if !ok {
		return nil, false
	}
	c := &csvReader{lineReader: r}
	line := c.nonEmpty()
	if line == nil {
		if r.errs == 0 {
			r.stop("the file is empty, want a header line")
		}
		r.good()
		return nil, false
	}
	c.split(line)
	for _, f := range c.row {
		c.header = append(c.header, string(f))
	}
	switch {
	case r.dead:
	case !utf8.Valid(line):
		r.stop("the header is not UTF-8 text")
	case len(c.header) == 1 && strings.ContainsAny(c.header[0], ";\t"):
		r.stop("the header has no comma: %s; want comma separated columns", quote(c.header[0]))
	}
	for i, h := range c.header {
		if h == "" {
			r.errorf("column %d of the header has no name", i+1)
		} else if j := slices.Index(c.header, h); j < i {
			r.errorf("the header has the column %s twice", quote(h))
		}
	}
	if r.errs > 0 {
		r.good()
		return nil, false
	}
	return c, true
}

// nonEmpty is the next line with something in it, or nil.
func (c *csvReader) nonEmpty() []byte {
	for {
		line := c.lineReader.next()
		if line == nil || len(bytes.TrimSpace(line)) > 0 {
			return line
		}
	}
}

// next reads the next row.
func (c *csvReader) next() bool {
	for {
		line := c.nonEmpty()
		if line == nil {
			return false
		}
		if !c.split(line) {
			continue
		}
		if len(c.row) == len(c.header) {
			return true
		}
		c.errorf("%d fields, want %d as in the header", len(c.row), len(c.header))
	}
}

// split cuts a line into fields; a problem is noted.
func (c *csvReader) split(line []byte) bool {
	c.row = c.row[:0]
	if bytes.IndexByte(line, '"') < 0 {
		for {
			i := bytes.IndexByte(line, ',')
			if i < 0 {
				c.row = append(c.row, bytes.TrimSpace(line))
				return true
			}
			c.row = append(c.row, bytes.TrimSpace(line[:i]))
			line = line[i+1:]
		}
	}
	for {
		field := bytes.TrimLeft(line, " \t")
		if len(field) == 0 || field[0] != '"' {
			i := bytes.IndexByte(line, ',')
			end := i
			if i < 0 {
				end = len(line)
			}
			if bytes.IndexByte(line[:end], '"') >= 0 {
				c.errorf("field %d: a quote inside a field that does not start with one", len(c.row)+1)
				return false
			}
			c.row = append(c.row, bytes.TrimSpace(line[:end]))
			if i < 0 {
				return true
			}
			line = line[i+1:]
			continue
		}
		var value []byte
		field = field[1:]
		for {
			i := bytes.IndexByte(field, '"')
			if i < 0 {
				c.errorf("field %d: the quote is not closed on its line", len(c.row)+1)
				return false
			}
			value = append(value, field[:i]...)
			field = field[i+1:]
			if len(field) == 0 || field[0] != '"' {
				break
			}
			value = append(value, '"')
			field = field[1:]
		}
		c.row = append(c.row, bytes.TrimSpace(value))
		field = bytes.TrimLeft(field, " \t")
		if len(field) == 0 {
			return true
		}
		if field[0] != ',' {
			c.errorf("field %d: text after the closing quote", len(c.row))
			return false
		}
		line = field[1:]
	}
}

// column finds a column; −1 when there is none.
func (c *csvReader) column(name string) int { return slices.Index(c.header, name) }

// number reads a finite number from column i of the current row.
func (c *csvReader) number(i int) (float64, bool) {
	x, err := strconv.ParseFloat(string(c.row[i]), 64)
	if err != nil || !(x-x == 0) {
		c.errorf("%s = %s, want a finite number", c.header[i], quote(string(c.row[i])))
		return 0, false
	}
	return x, true
}

// neurons resolves the names and indices by which files call the neurons of a
// population.
type neurons struct {
	population string
	n          int
	names      []string
	byName     map[string]int
}

// find is the index of a neuron: its name, or else its number from 0.
func (p *neurons) find(s []byte) (int, error) {
	if i, ok := p.byName[string(s)]; ok {
		return i, nil
	}
	digits := len(s) > 0
	for _, c := range s {
		digits = digits && '0' <= c && c <= '9'
	}
	if digits {
		i, err := strconv.Atoi(string(s))
		if err != nil || i >= p.n {
			return 0, fmt.Errorf("neuron %s of population %s, want 0 to %d", clip(string(s)), quote(p.population), p.n-1)
		}
		return i, nil
	}
	if len(p.names) == 0 {
		return 0, fmt.Errorf("neuron %s: population %s has no names, want an index from 0 to %d", quote(string(s)), quote(p.population), p.n-1)
	}
	h := ""
	if near := nearest(string(s), p.names); near != "" {
		h = hint(string(s), p.names)
	}
	return 0, fmt.Errorf("unknown neuron %s of population %s%s", quote(string(s)), quote(p.population), h)
}

// pick is find for the model text, where an integer is never a name.
func (p *neurons) pick(n *node) (int, error) {
	switch {
	case n.kind == isText:
		return p.find([]byte(n.text))
	case n.kind != isInteger:
		return 0, fmt.Errorf("%s, want the index or name of a neuron", n.describe())
	case n.int < 0 || n.int >= int64(p.n):
		return 0, fmt.Errorf("neuron %d of population %s, want 0 to %d", n.int, quote(p.population), p.n-1)
	}
	return int(n.int), nil
}

// badName says what is wrong with the name of a neuron, or nothing.
func badName(s string) string {
	switch {
	case s == "":
		return "an empty name"
	case !utf8.ValidString(s):
		return "the name is not UTF-8 text"
	case len(s) > 200:
		return fmt.Sprintf("a name of %d bytes, want at most 200", len(s))
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "a name with a character that is not printable: " + quote(s)
	}
	return ""
}
