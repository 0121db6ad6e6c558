package export

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
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
// and per sampled signal, with its name <what>_<of>, such as V_m_E:
//
//	<name>                float64 [samples, entities]
//	<name>_times_ms       float64 [samples]
//	<name>_times_ps       int64 [samples]
//	<name>_index          int64 [entities]  local to the population
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

	n := int64(r.NumSpikes())
	spikes := func(name, dtype string, put func([]byte, network.Spike) ([]byte, error)) {
		a.array(name, dtype, []int64{n}, func(out *values) error {
			for part, err := range r.All() {
				if err != nil {
					return err
				}
				for _, s := range part {
					if out.buf, err = put(out.buf, s); err != nil {
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

	// NumPy's strings are UTF-32 of one length, padded with zeros.
	longest := 1
	for _, p := range pops {
		longest = max(longest, utf8.RuneCountInString(p.Name))
	}
	k := []int64{int64(len(pops))}
	a.array("population_names", fmt.Sprintf("<U%d", longest), k, func(out *values) error {
		for _, p := range pops {
			for _, c := range p.Name {
				out.buf = le.AppendUint32(out.buf, uint32(c))
			}
			out.buf = append(out.buf, make([]byte, 4*(longest-utf8.RuneCountInString(p.Name)))...)
		}
		return nil
	})
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

	for _, s := range meta.Signals {
		name := s.What + "_" + s.Of
		if a.names[a.file(name)] {
			name = fmt.Sprintf("%s_record%d", name, s.Record)
		}
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
		times := func(suffix, dtype string, put func([]byte, event.Time) []byte) {
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
		times("_times_ms", "<f8", appendMS)
		times("_times_ps", "<i8", func(b []byte, t event.Time) []byte { return le.AppendUint64(b, uint64(t)) })
		a.array(name+"_index", "<i8", []int64{int64(s.N)}, func(out *values) error {
			for j := range s.N {
				if s.Subset != nil {
					j = s.Subset[j]
				}
				out.buf = le.AppendUint64(out.buf, uint64(j))
				if err := out.spill(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if a.err != nil {
		return a.err
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

// appendMS appends the time in ms as float64, the nearest to the exact value.
func appendMS(b []byte, t event.Time) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(t)/1e9))
}

// archive is a zip file of arrays. After an error it does nothing more.
type archive struct {
	zip   *zip.Writer
	names map[string]bool
	err   error
}

func (a *archive) file(name string) string {
	return strings.NewReplacer("/", "_", `\`, "_").Replace(name) + ".npy"
}

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
	out := &values{w: w, buf: make([]byte, 0, valuesBuffer+64)}
	out.buf = appendNPY(out.buf, dtype, shape)
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

// values gathers the bytes of an array into larger writes.
type values struct {
	w   io.Writer
	buf []byte
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
