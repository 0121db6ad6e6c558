package config

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// This is the only file that knows go-toml. Its decoder judges the text; its
// unstable parser then gives every key and value with its position.

// kind of a node.
type kind uint8

const (
	isTable kind = iota + 1
	isList
	isText
	isInteger
	isNumber
	isBool
	isDate
)

// node is one value of a model file with its place.
type node struct {
	kind kind
	pos  pos    // of the value; of a table's header
	key  pos    // of the key it stands under
	text string // isText: the text; isInteger, isNumber: as written, without underscores
	num  float64
	int  int64
	bool bool
	keys []string // isTable, in order
	item map[string]*node
	list []*node // isList
}

// get is the value under key, or nil.
func (n *node) get(key string) *node {
	if n == nil || n.kind != isTable {
		return nil
	}
	return n.item[key]
}

// set puts a value under key.
func (n *node) set(key string, v *node) {
	if n.item == nil {
		n.item = map[string]*node{}
	}
	if _, ok := n.item[key]; !ok {
		n.keys = append(n.keys, key)
	}
	n.item[key] = v
}

// describe says what a value is, for messages about wrong types.
func (n *node) describe() string {
	switch n.kind {
	case isTable:
		return "a table"
	case isList:
		return "a list"
	case isText:
		return "the text " + quote(n.text)
	case isInteger, isNumber:
		return clip(n.text)
	case isBool:
		return strconv.FormatBool(n.bool)
	}
	return "a date"
}

// maxText is the longest model text: data belong in files beside it.
const maxText = 16 << 20

// parseTOML reads a whole document. Positions carry set when the text is an
// override's value.
func parseTOML(text []byte) (*node, pos, error) {
	if len(text) > maxText {
		return nil, pos{}, fmt.Errorf("the file has %d bytes, want at most %d: put tables into files beside it", len(text), maxText)
	}
	text = trimBOM(text)
	var check map[string]any
	if err := toml.Unmarshal(text, &check); err != nil {
		var de *toml.DecodeError
		if errors.As(err, &de) {
			line, col := de.Position()
			return nil, pos{line: line, col: col}, errors.New(strings.TrimPrefix(de.Error(), "toml: "))
		}
		return nil, pos{}, errors.New(strings.TrimPrefix(err.Error(), "toml: "))
	}
	t := treeBuilder{text: text}
	t.p.Reset(text)
	root := &node{kind: isTable}
	cur := root
	for t.p.NextExpression() {
		e := t.p.Expression()
		var err error
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			cur, err = t.header(root, e)
		case unstable.KeyValue:
			err = t.keyValue(cur, e)
		}
		if err != nil {
			return nil, pos{}, err
		}
	}
	return root, pos{}, t.p.Error()
}

func trimBOM(text []byte) []byte {
	if len(text) >= 3 && text[0] == 0xEF && text[1] == 0xBB && text[2] == 0xBF {
		return text[3:]
	}
	return text
}

type treeBuilder struct {
	p     unstable.Parser
	text  []byte
	lines []int // offsets of line starts
}

// at turns a byte offset into line and column, both from 1, columns in characters.
func (t *treeBuilder) at(offset int) pos {
	if t.lines == nil {
		t.lines = []int{0}
		for i, c := range t.text {
			if c == '\n' {
				t.lines = append(t.lines, i+1)
			}
		}
	}
	line := sort.SearchInts(t.lines, offset+1) - 1
	return pos{line: line + 1, col: utf8.RuneCount(t.text[t.lines[line]:offset]) + 1}
}

var errShape = errors.New("tables and keys contradict each other")

// child enters (or makes) the table under key; of a list of tables, its last.
func child(n *node, key string, at pos) (*node, error) {
	c := n.get(key)
	if c == nil {
		c = &node{kind: isTable, pos: at, key: at}
		n.set(key, c)
	}
	if c.kind == isList && len(c.list) > 0 {
		c = c.list[len(c.list)-1]
	}
	if c.kind != isTable {
		return nil, errShape
	}
	return c, nil
}

// header enters the table a [table] or [[table]] line opens.
func (t *treeBuilder) header(root *node, e *unstable.Node) (*node, error) {
	var path []string
	start := -1
	for it := e.Key(); it.Next(); {
		if start < 0 {
			start = int(it.Node().Raw.Offset)
		}
		path = append(path, string(it.Node().Data))
	}
	if len(path) == 0 {
		return nil, errShape
	}
	for start > 0 && strings.IndexByte(" \t[", t.text[start-1]) >= 0 {
		start--
	}
	at := t.at(start)
	cur := root
	var err error
	for _, k := range path[:len(path)-1] {
		if cur, err = child(cur, k, at); err != nil {
			return nil, err
		}
	}
	last := path[len(path)-1]
	if e.Kind == unstable.ArrayTable {
		arr := cur.get(last)
		if arr == nil {
			arr = &node{kind: isList, pos: at, key: at}
			cur.set(last, arr)
		}
		if arr.kind != isList {
			return nil, errShape
		}
		n := &node{kind: isTable, pos: at, key: at}
		arr.list = append(arr.list, n)
		return n, nil
	}
	return child(cur, last, at)
}

func (t *treeBuilder) keyValue(cur *node, e *unstable.Node) error {
	var path []string
	var key pos
	var end int
	for it := e.Key(); it.Next(); {
		r := it.Node().Raw
		if path == nil {
			key = t.at(int(r.Offset))
		}
		end = int(r.Offset + r.Length)
		path = append(path, string(it.Node().Data))
	}
	if len(path) == 0 {
		return errShape
	}
	for end < len(t.text) && strings.IndexByte(" \t=", t.text[end]) >= 0 {
		end++
	}
	var err error
	for _, k := range path[:len(path)-1] {
		if cur, err = child(cur, k, key); err != nil {
			return err
		}
	}
	v, err := t.value(e.Value(), t.at(end))
	if err != nil {
		return err
	}
	v.key = key
	cur.set(path[len(path)-1], v)
	return nil
}

// value converts one value; fallback is its position where the parser keeps none.
func (t *treeBuilder) value(v *unstable.Node, fallback pos) (*node, error) {
	n := &node{pos: fallback, key: fallback}
	if v.Raw.Length > 0 {
		n.pos = t.at(int(v.Raw.Offset))
		n.key = n.pos
	}
	switch v.Kind {
	case unstable.String:
		n.kind, n.text = isText, string(v.Data)
	case unstable.Bool:
		n.kind, n.bool = isBool, len(v.Data) > 0 && v.Data[0] == 't'
	case unstable.Integer:
		n.kind, n.text = isInteger, strings.ReplaceAll(string(v.Data), "_", "")
		i, err := strconv.ParseInt(strings.TrimPrefix(n.text, "+"), 0, 64)
		if err != nil {
			return nil, fmt.Errorf("%s is no 64-bit integer", quote(n.text))
		}
		n.int, n.num = i, float64(i)
		n.text = strconv.FormatInt(i, 10)
	case unstable.Float:
		n.kind, n.text = isNumber, strings.ReplaceAll(string(v.Data), "_", "")
		switch strings.TrimLeft(n.text, "+-") {
		case "nan":
			n.num = math.NaN()
		case "inf":
			n.num = math.Inf(1)
			if n.text[0] == '-' {
				n.num = math.Inf(-1)
			}
		default:
			f, err := strconv.ParseFloat(n.text, 64)
			if err != nil {
				return nil, fmt.Errorf("%s is no number", quote(n.text))
			}
			n.num = f
		}
	case unstable.Array:
		n.kind = isList
		for it := v.Children(); it.Next(); {
			if it.Node().Kind == unstable.Comment {
				continue
			}
			c, err := t.value(it.Node(), n.pos)
			if err != nil {
				return nil, err
			}
			if c.kind == isList && c.pos == n.pos && len(c.list) > 0 { // the parser keeps no place of lists
				c.pos, c.key = c.list[0].pos, c.list[0].pos
			}
			n.list = append(n.list, c)
		}
	case unstable.InlineTable:
		n.kind = isTable
		for it := v.Children(); it.Next(); {
			if it.Node().Kind != unstable.KeyValue {
				continue
			}
			if err := t.keyValue(n, it.Node()); err != nil {
				return nil, err
			}
		}
	default:
		n.kind = isDate
	}
	return n, nil
}
