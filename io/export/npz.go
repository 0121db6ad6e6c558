package export

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"

	"hmn/event"
	"hmn/io/spikelog"
	"hmn/network"
)

// NPZ writes a zip file of .npy arrays for numpy.load:
//
//	times_ms              float64 [spikes]  rounded to float64
//	times_ps              int64 [spikes]    exact
//	ids                   uint32 [spikes]   global, from 0
//	population            uint32 [spikes]   row of the three arrays below
//	index                 uint32 [spikes]   local to the population, from 0
//	population_names      str [populations]
//	population_first_id   uint32 [populations]
//	population_n          int64 [populations]
//
// where updates or candidates of synapses were recorded
//
//	projection_names      str [projections]
//	projection_source     str [projections]  population
//	projection_target     str [projections]  population
//
//	updates_times_ms      float64 [updates]  and updates_times_ps, int64
//	updates_projection    uint32 [updates]   row of the three arrays above
//	updates_source        uint32 [updates]   local to the population
//	updates_target        uint32 [updates]   local to the population
//	updates_multapse      uint32 [updates]   number among parallel synapses
//	updates_k             int64 [updates]    window
//	updates_dw            float64 [updates]  change of the magnitude
//
//	candidates_open_ms    float64 [candidates]  and candidates_open_ps, int64
//	candidates_close_ms   float64 [candidates]  and candidates_close_ps, int64
//	candidates_projection, _source, _target, _multapse, _k, _dw   as above
//	candidates_value      float64 [candidates]  Δw†
//	candidates_P          float64 [candidates]  NaN: no opportunity
//	candidates_u          float64 [candidates]  NaN: no opportunity
//	candidates_applied    bool [candidates]
//
// and per sampled signal, with its name <what>_<of>, such as V_m_E:
//
//	<name>                float64 [samples, columns]
//	<name>_times_ms       float64 [samples]
//	<name>_times_ps       int64 [samples]
//
// with what the columns are:
//
//	<name>_index          int64 [columns]   neurons: local to the population
//	<name>_source, <name>_target, <name>_multapse   uint32 [columns]   synapses
//	<name>_columns        str [columns]     anything else: names
//
// The second of two signals of one name has "_record" and the number of its
// record behind it. In names, / and \ become _.
//
// The arrays are written by this file, not by npyio, which wants an array as
// one slice in memory to write it: a header of 128 bytes is all there is to the
// format, and here each array is a pass over the record.
func NPZ(w io.Writer, r *spikelog.Reader) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestSpeed)
	})
	a := archive{zip: z, names: map[string]bool{}}
	meta := r.Meta()
	pops := newFinder(meta.Populations)

	spikes := func(name, dtype string, put func([]byte, network.Spike) ([]byte, error)) {
		column(&a, name, dtype, r.NumSpikes(), r.All(), put)
	}
	le := binary.LittleEndian
	spikes("times_ms", "<f8", func(b []byte, s network.Spike) ([]byte, error) { return appendMS(b, s.At), nil })
	spikes("times_ps", "<i8", func(b []byte, s network.Spike) ([]byte, error) { return le.AppendUint64(b, uint64(s.At)), nil })
	spikes("ids", "<u4", func(b []byte, s network.Spike) ([]byte, error) { return le.AppendUint32(b, s.ID), nil })
	spikes("population", "<u4", func(b []byte, s network.Spike) ([]byte, error) {
		p, err := pops.find(s.ID)
		return le.AppendUint32(b, uint32(p)), err
	})
	spikes("index", "<u4", func(b []byte, s network.Spike) ([]byte, error) {
		p, err := pops.find(s.ID)
		if err != nil {
			return b, err
		}
		return le.AppendUint32(b, s.ID-pops[p].FirstID), nil
	})

	var names []string
	for _, p := range pops {
		names = append(names, p.Name)
	}
	a.texts("population_names", names)
	k := []int64{int64(len(pops))}
	a.array("population_first_id", "<u4", k, func(out *values) error {
		for _, p := range pops {
			out.buf = le.AppendUint32(out.buf, p.FirstID)
		}
		return nil
	})
	a.array("population_n", "<i8", k, func(out *values) error {
		for _, p := range pops {
			out.buf = le.AppendUint64(out.buf, uint64(p.N))
		}
		return nil
	})

	a.learning(r)
	for i, name := range signalNames(meta) {
		s := &meta.Signals[i]
		rows := int64(r.NumSamples(s.Record))
		samples := func(name, dtype string, shape []int64, put func(*values, spikelog.Samples) error) {
			a.array(name, dtype, shape, func(out *values) error {
				for part, err := range r.AllSamples(s.Record) {
					if err != nil {
						return err
					}
					if err := put(out, part); err != nil {
						return err
					}
				}
				return nil
			})
		}
		samples(name, "<f8", []int64{rows, int64(s.N)}, func(out *values, part spikelog.Samples) error {
			for _, x := range part.Values {
				out.buf = le.AppendUint64(out.buf, math.Float64bits(x))
				if err := out.spill(); err != nil {
					return err
				}
			}
			return nil
		})
		at := func(suffix, dtype string, put func([]byte, event.Time) []byte) {
			samples(name+suffix, dtype, []int64{rows}, func(out *values, part spikelog.Samples) error {
				for _, t := range part.Times {
					out.buf = put(out.buf, t)
					if err := out.spill(); err != nil {
						return err
					}
				}
				return nil
			})
		}
		at("_times_ms", "<f8", appendMS)
		at("_times_ps", "<i8", func(b []byte, t event.Time) []byte { return le.AppendUint64(b, uint64(t)) })
		entities := func(suffix, dtype string, put func([]byte, int) []byte) {
			a.array(name+suffix, dtype, []int64{int64(s.N)}, func(out *values) error {
				for j := range s.N {
					out.buf = put(out.buf, j)
					if err := out.spill(); err != nil {
						return err
					}
				}
				return nil
			})
		}
		switch {
		case s.Columns != nil:
			a.texts(name+"_columns", s.Columns)
		case s.Synapses != nil:
			entities("_source", "<u4", func(b []byte, j int) []byte { return le.AppendUint32(b, s.Synapses[j].Source) })
			entities("_target", "<u4", func(b []byte, j int) []byte { return le.AppendUint32(b, s.Synapses[j].Target) })
			entities("_multapse", "<u4", func(b []byte, j int) []byte { return le.AppendUint32(b, s.Synapses[j].Multapse) })
		default:
			entities("_index", "<i8", func(b []byte, j int) []byte {
				if s.Subset != nil {
					j = s.Subset[j]
				}
				return le.AppendUint64(b, uint64(j))
			})
		}
	}
	if a.err != nil {
		return a.err
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

// inMS is the time in ms as float64, the nearest to the exact value.
func inMS(t event.Time) float64 { return float64(t) / 1e9 }

func appendMS(b []byte, t event.Time) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(inMS(t)))
}

// archive is a zip file of arrays. After an error it does nothing more.
type archive struct {
	zip   *zip.Writer
	names map[string]bool
	err   error
}

// column adds an array with one value per row.
func column[T any](a *archive, name, dtype string, n uint64, rows iter.Seq2[[]T, error], put func([]byte, T) ([]byte, error)) {
	a.array(name, dtype, []int64{int64(n)}, func(out *values) error {
		for part, err := range rows {
			if err != nil {
				return err
			}
			for _, row := range part {
				if out.buf, err = put(out.buf, row); err != nil {
					return err
				}
				if err := out.spill(); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// texts adds an array of strings. NumPy's are UTF-32 of one length, padded with
// zeros.
func (a *archive) texts(name string, list []string) {
	longest := 1
	for _, s := range list {
		longest = max(longest, utf8.RuneCountInString(s))
	}
	a.array(name, fmt.Sprintf("<U%d", longest), []int64{int64(len(list))}, func(out *values) error {
		for _, s := range list {
			for _, c := range s {
				out.buf = binary.LittleEndian.AppendUint32(out.buf, uint32(c))
			}
			out.buf = append(out.buf, make([]byte, 4*(longest-utf8.RuneCountInString(s)))...)
			if err := out.spill(); err != nil {
				return err
			}
		}
		return nil
	})
}

// learning adds the projections, updates and candidates of a record that was to
// hold updates or candidates.
func (a *archive) learning(r *spikelog.Reader) {
	meta := r.Meta()
	updates := recorded(meta, func(p spikelog.Projection) bool { return p.Updates })
	candidates := recorded(meta, func(p spikelog.Projection) bool { return p.Candidates })
	if !updates && !candidates {
		return
	}
	var names, sources, targets []string
	for _, p := range meta.Projections {
		names, sources, targets = append(names, p.Name), append(sources, p.Source), append(targets, p.Target)
	}
	a.texts("projection_names", names)
	a.texts("projection_source", sources)
	a.texts("projection_target", targets)
	if updates {
		table[network.WeightUpdate]{a, "updates", r.NumUpdates(), r.AllUpdates()}.add(
			times("times", func(u *network.WeightUpdate) event.Time { return u.At }),
			synapses(func(u *network.WeightUpdate) *network.SynapseID { return &u.Synapse }),
			[]field[network.WeightUpdate]{
				{"k", "<i8", func(u *network.WeightUpdate) uint64 { return uint64(u.K) }},
				{"dw", "<f8", func(u *network.WeightUpdate) uint64 { return math.Float64bits(u.DW) }},
			})
	}
	if candidates {
		table[network.Candidate]{a, "candidates", r.NumCandidates(), r.AllCandidates()}.add(
			times("open", func(c *network.Candidate) event.Time { return c.Open }),
			times("close", func(c *network.Candidate) event.Time { return c.Close }),
			synapses(func(c *network.Candidate) *network.SynapseID { return &c.Synapse }),
			[]field[network.Candidate]{
				{"k", "<i8", func(c *network.Candidate) uint64 { return uint64(c.K) }},
				{"value", "<f8", func(c *network.Candidate) uint64 { return math.Float64bits(c.Value) }},
				{"P", "<f8", func(c *network.Candidate) uint64 { return math.Float64bits(c.P) }},
				{"u", "<f8", func(c *network.Candidate) uint64 { return math.Float64bits(c.U) }},
				{"applied", "|b1", func(c *network.Candidate) uint64 {
					if c.Applied {
						return 1
					}
					return 0
				}},
				{"dw", "<f8", func(c *network.Candidate) uint64 { return math.Float64bits(c.DW) }},
			})
	}
}

// field is an array with one value per row: its bits, of which the dtype says
// how many there are.
type field[T any] struct {
	name, dtype string
	bits        func(*T) uint64
}

// table is a group of arrays over the same rows.
type table[T any] struct {
	to   *archive
	name string
	n    uint64
	rows iter.Seq2[[]T, error]
}

func (t table[T]) add(groups ...[]field[T]) {
	for _, f := range slices.Concat(groups...) {
		column(t.to, t.name+"_"+f.name, f.dtype, t.n, t.rows, func(b []byte, row T) ([]byte, error) {
			switch v := f.bits(&row); f.dtype {
			case "|b1":
				return append(b, byte(v)), nil
			case "<u4":
				return binary.LittleEndian.AppendUint32(b, uint32(v)), nil
			default:
				return binary.LittleEndian.AppendUint64(b, v), nil
			}
		})
	}
}

func times[T any](name string, at func(*T) event.Time) []field[T] {
	return []field[T]{
		{name + "_ms", "<f8", func(row *T) uint64 { return math.Float64bits(inMS(at(row))) }},
		{name + "_ps", "<i8", func(row *T) uint64 { return uint64(at(row)) }},
	}
}

func synapses[T any](id func(*T) *network.SynapseID) []field[T] {
	return []field[T]{
		{"projection", "<u4", func(row *T) uint64 { return uint64(id(row).Projection) }},
		{"source", "<u4", func(row *T) uint64 { return uint64(id(row).Source) }},
		{"target", "<u4", func(row *T) uint64 { return uint64(id(row).Target) }},
		{"multapse", "<u4", func(row *T) uint64 { return uint64(id(row).Multapse) }},
	}
}

func (a *archive) file(name string) string { return fileName(name) + ".npy" }

// array adds an array of the dtype and shape; put writes its values in C order.
func (a *archive) array(name, dtype string, shape []int64, put func(*values) error) {
	if a.err != nil {
		return
	}
	file := a.file(name)
	if a.names[file] {
		a.err = fmt.Errorf("export: two arrays would be named %s", file)
		return
	}
	a.names[file] = true
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: file, Method: zip.Deflate})
	if err != nil {
		a.err = fmt.Errorf("export: %w", err)
		return
	}
	out := gatherInto(w, string(appendNPY(nil, dtype, shape)))
	if a.err = put(out); a.err == nil {
		a.err = out.flush()
	}
}

// appendNPY appends the head of an .npy file, version 1.0, as
// numpy.lib.format documents it: magic, version, length of what follows, a
// Python literal padded with spaces to a multiple of 64 bytes, newline.
func appendNPY(dst []byte, dtype string, shape []int64) []byte {
	var dims strings.Builder
	for _, n := range shape {
		fmt.Fprintf(&dims, "%d, ", n)
	}
	lit := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", dtype, strings.TrimSuffix(dims.String(), " "))
	const fixed = 10 // magic, version, length
	size := (fixed + len(lit) + 1 + 63) / 64 * 64
	lit += strings.Repeat(" ", size-fixed-len(lit)-1) + "\n"
	dst = append(dst, "\x93NUMPY\x01\x00"...)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(lit)))
	return append(dst, lit...)
}

const valuesBuffer = 64 << 10

// values gathers bytes into larger writes.
type values struct {
	w   io.Writer
	buf []byte
}

func gatherInto(w io.Writer, head string) *values {
	return &values{w: w, buf: append(make([]byte, 0, valuesBuffer+1<<10), head...)}
}

func (v *values) spill() error {
	if len(v.buf) < valuesBuffer {
		return nil
	}
	return v.flush()
}

func (v *values) flush() error {
	if _, err := v.w.Write(v.buf); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	v.buf = v.buf[:0]
	return nil
}
