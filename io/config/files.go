package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"hmn/event"
	"hmn/event/quantity"
)

// The files beside a model, apart from edge lists.

// namesFrom collects the neurons of an edge list.
func (l *loader) namesFrom(p *population) ([]string, bool) {
	t := p.t
	text, ok := t.text("names_from")
	if !ok {
		return nil, false
	}
	n := t.n.get("names_from")
	file, ok := l.fileName(t, n, "names_from", text)
	if !ok {
		return nil, false
	}
	c, ok := l.openCSV(t, n, "names_from", file)
	if !ok {
		return nil, false
	}
	// A projection that reads the same file says how its columns are called.
	cols := [2]int{-1, -1}
	for i, name := range []string{"source", "target"} {
		header := name
		for _, pr := range l.root.get("projection").entries() {
			if e := pr.get("edges_file"); e != nil && e.kind == isText && l.sameFile(e.text, file) {
				if h := pr.get("columns").get(name); h != nil && h.kind == isText {
					header = h.text
				}
				break
			}
		}
		if cols[i] = c.column(header); cols[i] < 0 {
			c.errorf("no column %s%s (a projection with this edges_file may rename it with columns = { %s = … })", quote(header), hint(header, c.header), name)
		}
	}
	seen := map[string]bool{}
	for c.errs == 0 && c.next() {
		for _, i := range cols {
			if seen[string(c.row[i])] {
				continue
			}
			s := string(c.row[i])
			if bad := badName(s); bad != "" {
				c.errorf("%s: %s", c.header[i], bad)
				continue
			}
			seen[s] = true
		}
	}
	if !c.good() {
		return nil, false
	}
	if len(seen) == 0 {
		l.errorf(pos{file: file}, "no rows: population %s would have no neurons", quote(p.Name))
		return nil, false
	}
	return slices.Sorted(maps.Keys(seen)), true
}

// entries lists a list of tables; nil for anything else.
func (n *node) entries() []*node {
	if n == nil {
		return nil
	}
	return n.list
}

// sameFile reports whether a key's text names the file.
func (l *loader) sameFile(text, file string) bool {
	if rest, ok := strings.CutPrefix(text, "$"); ok {
		in := l.root.get("inputs").get(rest)
		return in != nil && in.kind == isText && in.text == file
	}
	return text == file
}

// namesFile reads one name per line.
func (l *loader) namesFile(p *population) ([]string, bool) {
	t := p.t
	text, ok := t.text("names_file")
	if !ok {
		return nil, false
	}
	n := t.n.get("names_file")
	file, ok := l.fileName(t, n, "names_file", text)
	if !ok {
		return nil, false
	}
	r, ok := l.openFile(t, n, "names_file", file)
	if !ok {
		return nil, false
	}
	var names []string
	first := map[string]int{}
	blank := 0
	for line := r.next(); line != nil; line = r.next() {
		s := strings.TrimSpace(string(line))
		if s == "" {
			blank = r.line
			continue
		}
		if blank > 0 {
			r.line, blank = blank, 0
			r.stop("an empty line between names")
			break
		}
		if bad := badName(s); bad != "" {
			r.errorf("%s", bad)
		} else if at, ok := first[s]; ok {
			r.errorf("the name %s is used twice, first in line %d", quote(s), at)
		} else {
			first[s] = r.line
			names = append(names, s)
		}
	}
	if !r.good() {
		return nil, false
	}
	if len(names) == 0 {
		l.errorf(pos{file: file}, "no names: population %s would have no neurons", quote(p.Name))
		return nil, false
	}
	return names, true
}

// want finds the columns a file must have and refuses all others. optional
// ones are −1 when absent.
func (c *csvReader) want(required, optional []string) (map[string]int, bool) {
	cols := map[string]int{}
	for _, name := range slices.Concat(required, optional) {
		cols[name] = c.column(name)
		if cols[name] < 0 && slices.Contains(required, name) {
			c.errorf("no column %s, the header has %s", quote(name), list(c.header))
		}
	}
	for _, h := range c.header {
		if _, ok := cols[h]; !ok {
			c.errorf("unknown column %s, want %s", quote(h), list(slices.Concat(required, optional)))
		}
	}
	return cols, c.errs == 0
}

// ms reads a time ≥ 0 in ms from column i.
func (c *csvReader) ms(i int, rounded *int) (event.Time, bool) {
	at, exact, err := toTime(string(c.row[i]))
	switch {
	case errors.Is(err, errBeyond):
		c.errorf("%s = %s is %v", c.header[i], clip(string(c.row[i])), err)
		return 0, false
	case err != nil:
		c.errorf("%s = %s, want a time in ms", c.header[i], quote(string(c.row[i])))
		return 0, false
	case at < 0:
		c.errorf("%s = %s ms, want ≥ 0 ms", c.header[i], clip(string(c.row[i])))
		return 0, false
	case !exact:
		*rounded++
	}
	return at, true
}

// noteRounded reports n times with more digits than a picosecond has.
func (l *loader) noteRounded(where string, n int) {
	if n > 0 {
		l.note("%s: %d times had more than 9 decimal places of a ms and were rounded to whole picoseconds", where, n)
	}
}

// timesFile reads the spike times of a population.
func (l *loader) timesFile(p *population, n *node, text string) ([][]event.Time, bool) {
	t := p.t
	file, ok := l.fileName(t, n, "times_file", text)
	if !ok || !l.fits(n.pos, t.label+"times_file: ", int64(p.N), 24) {
		return nil, false
	}
	c, ok := l.openCSV(t, n, "times_file", file)
	if !ok {
		return nil, false
	}
	cols, ok := c.want([]string{"neuron", "time_ms"}, nil)
	if !ok {
		return nil, c.good()
	}
	trains := make([][]event.Time, p.N)
	rounded := 0
	for c.next() {
		j, err := p.index.find(c.row[cols["neuron"]])
		if err != nil {
			c.errorf("%v", err)
			continue
		}
		if at, ok := c.ms(cols["time_ms"], &rounded); ok {
			trains[j] = append(trains[j], at)
		}
	}
	if !c.good() {
		return nil, false
	}
	for j, train := range trains {
		slices.Sort(train)
		for i := 1; i < len(train); i++ {
			if train[i] == train[i-1] {
				l.errorf(pos{file: file}, "neuron %s spikes twice at %s ms, want one spike at a time", p.call(j), train[i])
				return nil, false
			}
		}
	}
	l.noteRounded(c.name, rounded)
	return trains, true
}

// call names a neuron for messages.
func (p *population) call(i int) string {
	if p.Names != nil {
		return quote(p.Names[i])
	}
	return fmt.Sprint(i)
}

// stepTable reads the steps of a source from a CSV file: time_ms and a value
// (rate_hz for rates, else value), with or without a neuron column.
func (l *loader) stepTable(t table, p *population, n *node, q quantity.Param) ([]quantity.Step, bool) {
	file, ok := l.fileName(t, n, q.Key, n.text)
	if !ok {
		return nil, false
	}
	c, ok := l.openCSV(t, n, q.Key, file)
	if !ok {
		return nil, false
	}
	value := "value"
	if q.Unit == "Hz" {
		value = "rate_hz"
	}
	cols, ok := c.want([]string{"time_ms", value}, []string{"neuron"})
	if !ok {
		return nil, c.good()
	}
	var out []quantity.Step
	last := map[int]event.Time{}
	rounded := 0
	for c.next() {
		j := -1
		if i := cols["neuron"]; i >= 0 {
			var err error
			if j, err = p.index.find(c.row[i]); err != nil {
				c.errorf("%v", err)
				continue
			}
		}
		at, okT := c.ms(cols["time_ms"], &rounded)
		x, okX := c.number(cols[value])
		if !okT || !okX {
			continue
		}
		limit := q
		limit.Key = value
		if err := limit.InRange(x); err != nil {
			c.errorf("%v", err)
			continue
		}
		if before, ok := last[j]; ok && at <= before {
			c.errorf("time_ms = %s after %s, want ascending times%s", at, before, map[bool]string{true: " for each neuron"}[j >= 0])
			continue
		}
		last[j] = at
		out = append(out, quantity.Step{Neuron: j, Time: at.MS(), Value: x})
	}
	if !c.good() {
		return nil, false
	}
	if len(out) == 0 {
		l.errorf(pos{file: file}, "no rows, want at least one step")
		return nil, false
	}
	sort.SliceStable(out, func(i, k int) bool { return out[i].Neuron < out[k].Neuron })
	l.noteRounded(c.name, rounded)
	return out, true
}

// rows reads a file with one row per neuron: in their order, or in any order
// with a column neuron. read takes the numbers of one row.
func (c *csvReader) rows(p *population, neuron int, read func(i int) bool) bool {
	seen := make([]bool, p.N)
	count := 0
	for c.next() {
		i := count
		count++
		if neuron >= 0 {
			var err error
			if i, err = p.index.find(c.row[neuron]); err != nil {
				c.errorf("%v", err)
				continue
			}
		} else if i >= p.N {
			c.stop("more rows than neurons: population %s has n = %d", quote(p.Name), p.N)
			break
		}
		if seen[i] {
			c.errorf("neuron %s stands twice", p.call(i))
			continue
		}
		seen[i] = true
		read(i)
	}
	if !c.good() {
		return false
	}
	if count < p.N {
		c.l.errorf(pos{file: c.name}, "%d rows, want one for each of the %d neurons of population %s", count, p.N, quote(p.Name))
		return false
	}
	return true
}

// columnFile reads { csv = "file:column" } of init.
func (l *loader) columnFile(t table, p *population, n *node, q quantity.Param) ([]float64, bool) {
	i := strings.LastIndexByte(n.text, ':')
	if i < 1 || i == len(n.text)-1 {
		t.wrong(n, q.Key+": csv", "%s, want \"file.csv:column\"", n.describe())
		return nil, false
	}
	file, ok := l.fileName(t, n, q.Key+": csv", n.text[:i])
	if !ok || !l.fits(n.pos, t.label+q.Key+": csv: ", int64(p.N), 8) {
		return nil, false
	}
	c, ok := l.openCSV(t, n, q.Key+": csv", file)
	if !ok {
		return nil, false
	}
	name := strings.TrimSpace(n.text[i+1:])
	col := c.column(name)
	if col < 0 {
		c.errorf("no column %s%s", quote(name), hint(name, c.header))
		return nil, c.good()
	}
	who := c.column("neuron")
	if name == "neuron" {
		who = -1
	}
	key, th := p.threshold()
	q.Key = name
	out := make([]float64, p.N)
	ok = c.rows(p, who, func(j int) bool {
		x, ok := c.number(col)
		if !ok {
			return false
		}
		if err := q.InRange(x); err != nil {
			c.errorf("%v", err)
			return false
		}
		if _, _, err := event.FromMS(x); q.Unit == "ms" && err != nil {
			c.errorf("%s = %g ms is %v", name, x, errBeyond)
			return false
		}
		if key != "" && t.n.get("V_m") != nil && t.n.get("V_m").get("csv") == n && !(x < th) {
			c.errorf("%s = %g mV, want less than %s = %g mV", name, x, key, th)
			return false
		}
		out[j] = x
		return true
	})
	return out, ok
}

// positionsFile reads x,y[,z].
func (l *loader) positionsFile(t table, p *population, text string) ([][3]float64, int, bool) {
	n := t.n.get("csv")
	file, ok := l.fileName(t, n, "csv", text)
	if !ok || !l.fits(n.pos, t.label, int64(p.N), 24) {
		return nil, 0, false
	}
	c, ok := l.openCSV(t, n, "csv", file)
	if !ok {
		return nil, 0, false
	}
	cols, ok := c.want([]string{"x", "y"}, []string{"z", "neuron"})
	if !ok {
		return nil, 0, c.good()
	}
	axes := []int{cols["x"], cols["y"]}
	if cols["z"] >= 0 {
		axes = append(axes, cols["z"])
	}
	out := make([][3]float64, p.N)
	ok = c.rows(p, cols["neuron"], func(j int) bool {
		for d, i := range axes {
			x, ok := c.number(i)
			if !ok {
				return false
			}
			if !(x >= -1e12 && x <= 1e12) {
				c.errorf("%s = %g, want a position within ±1e12", c.header[i], x)
				return false
			}
			out[j][d] = x
		}
		return true
	})
	return out, len(axes), ok
}
