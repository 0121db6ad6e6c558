package export

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"hmn/io/rundir"
	"hmn/io/spikelog"
	"hmn/network"
)

// format is one row of the table of formats.
type format struct {
	name string
	file string // in the run directory
	doc  string
	to   func(io.Writer, *spikelog.Reader) error
}

var formats = []format{
	{"csv", "spikes.csv", "time_ms,neuron_id,population,index", CSV},
	{"npz", "spikes.npz", "NumPy arrays of spikes and signals", NPZ},
	{"nest", "spikes.dat", "as NEST's recording backend \"ascii\"", NEST},
}

// Formats lists the names of the formats.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// Result says what File wrote.
type Result struct {
	Path   string
	Spikes uint64
	Damage *spikelog.Damage // of the record; nil = whole
}

// File exports the record of the run directory dir to the file out, or, if out
// is empty, into dir as spikes.csv, spikes.npz or spikes.dat. The file appears
// when it is complete and replaces one of that name; a device or pipe is
// written to directly.
func File(dir, name, out string) (Result, error) {
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	if i < 0 {
		return Result{}, fmt.Errorf("export: format %q, want %s", name, strings.Join(Formats(), ", "))
	}
	r, err := spikelog.Open(filepath.Join(dir, rundir.RecordName))
	if err != nil {
		if !rundir.IsRun(dir) {
			return Result{}, fmt.Errorf("export: %s is not a run directory: %w", dir, err)
		}
		return Result{}, fmt.Errorf("export: %w", err)
	}
	defer r.Close()
	res := Result{Path: out, Spikes: r.NumSpikes(), Damage: r.Damage()}
	if out == "" {
		res.Path = filepath.Join(dir, formats[i].file)
	}
	return res, toFile(res.Path, func(w io.Writer) error { return formats[i].to(w, r) })
}

// toFile writes path by way of a temporary file beside it.
func toFile(path string, write func(io.Writer) error) error {
	var f *os.File
	var err error
	st, serr := os.Stat(path)
	direct := serr == nil && !st.Mode().IsRegular()
	if direct {
		f, err = os.OpenFile(path, os.O_WRONLY, 0)
	} else {
		f, err = os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*.tmp")
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	err = write(f)
	if direct {
		return errors.Join(err, f.Close())
	}
	if err == nil {
		err = errors.Join(f.Chmod(0o644), f.Sync())
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("export: %s: %w", path, err)
	}
	return nil
}

// CSV writes a header line and one line per spike, in order of (time, id).
func CSV(w io.Writer, r *spikelog.Reader) error {
	pops := newFinder(r.Meta().Populations)
	quoted := make([][]byte, len(pops))
	for i, p := range pops {
		quoted[i] = []byte("," + csvField(p.Name) + ",")
	}
	return lines(w, r, "time_ms,neuron_id,population,index\n", func(b []byte, s network.Spike) ([]byte, error) {
		p, err := pops.find(s.ID)
		if err != nil {
			return b, err
		}
		b = append(s.At.AppendMS(b), ',')
		b = strconv.AppendUint(b, uint64(s.ID), 10)
		b = append(b, quoted[p]...)
		b = strconv.AppendUint(b, uint64(s.ID-pops[p].FirstID), 10)
		return append(b, '\n'), nil
	})
}

// csvField quotes a name where RFC 4180 wants it.
func csvField(s string) string {
	if strings.ContainsAny(s, "\",\r\n") || strings.TrimSpace(s) != s {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// NEST writes the layout of NEST 3's recording backend "ascii": two lines that
// start with #, the names of the columns, then sender and time_ms separated by
// a tab. Senders keep hmn's ids, which start at 0 (NEST's start at 1), and
// times are not rounded to three places; the first line says so.
func NEST(w io.Writer, r *spikelog.Reader) error {
	const head = "# NEST version: none, written by hmn; sender is the neuron_id of hmn's manifest, from 0; times are exact\n" +
		"# RecordingBackendASCII version: 2\n" +
		"sender\ttime_ms\n"
	return lines(w, r, head, func(b []byte, s network.Spike) ([]byte, error) {
		b = append(strconv.AppendUint(b, uint64(s.ID), 10), '\t')
		return append(s.At.AppendMS(b), '\n'), nil
	})
}

// lines writes head and one line per spike.
func lines(w io.Writer, r *spikelog.Reader, head string, line func([]byte, network.Spike) ([]byte, error)) error {
	const full, most = 64 << 10, 1 << 10
	buf := append(make([]byte, 0, full+most), head...)
	for spikes, err := range r.All() {
		if err != nil {
			return err
		}
		for _, s := range spikes {
			if buf, err = line(buf, s); err != nil {
				return err
			}
			if len(buf) >= full {
				if _, err := w.Write(buf); err != nil {
					return fmt.Errorf("export: %w", err)
				}
				buf = buf[:0]
			}
		}
	}
	if _, err := w.Write(buf); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

// finder finds the population of an id.
type finder []spikelog.Population // ascending by FirstID, none empty

func newFinder(all []spikelog.Population) finder {
	return slices.DeleteFunc(slices.Clone(all), func(p spikelog.Population) bool { return p.N == 0 })
}

func (f finder) find(id uint32) (int, error) {
	i := sort.Search(len(f), func(i int) bool { return f[i].FirstID > id }) - 1
	if i < 0 || int64(id-f[i].FirstID) >= int64(f[i].N) {
		return 0, fmt.Errorf("export: neuron %d belongs to no population of the record", id)
	}
	return i, nil
}
