package export

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
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

// Formats lists the names of the formats.
func Formats() []string { return []string{"csv", "npz", "nest"} }

// What can be exported as CSV.
const (
	Spikes     = "spikes"
	Candidates = "candidates"
	Updates    = "updates"
	Signals    = "signals"
	// One row per sample and synapse, or modulator, of all such records.
	Weight      = network.RecordWeight
	Eligibility = network.RecordEligibility
	Modulator   = network.RecordModulator
)

// Whats lists what can be exported as CSV.
func Whats() []string {
	return []string{Spikes, Candidates, Updates, Signals, Weight, Eligibility, Modulator}
}

// ErrWhat reports a request for what there is not: a format or a kind of data
// that does not exist, or that the run did not record.
var ErrWhat = errors.New("export: cannot export that")

// Request says what to export, in which format.
type Request struct {
	Format string // of Formats
	// What is one of Whats, for csv. Empty is everything that was recorded when
	// every part gets a file of its own, and the spikes when there is one
	// destination. The other formats hold what they can hold, and What is empty
	// (or Spikes for nest).
	What string
	// Out is the file to write; empty: files in the run directory.
	Out string
}

// Result says what was written.
type Result struct {
	Path   string
	What   string           // "spikes", "candidates", "updates", or such as "weight of EE"
	Rows   uint64           // spikes, candidates, updates or samples
	Damage *spikelog.Damage // of the record; nil = whole
}

// part is one file of an export.
type part struct {
	file string // in the run directory
	what string
	rows uint64
	to   func(io.Writer, *spikelog.Reader) error
}

// parts lists the files of a request.
func (q Request) parts(r *spikelog.Reader) ([]part, error) {
	switch q.Format {
	case "npz":
		if q.What != "" {
			return nil, fmt.Errorf("%w: an npz file holds everything that was recorded, %q cannot be chosen", ErrWhat, q.What)
		}
		return []part{{"spikes.npz", Spikes, r.NumSpikes(), NPZ}}, nil
	case "nest":
		if q.What != "" && q.What != Spikes {
			return nil, fmt.Errorf("%w: format nest holds spikes only, not %q", ErrWhat, q.What)
		}
		return []part{{"spikes.dat", Spikes, r.NumSpikes(), NEST}}, nil
	case "csv":
	default:
		return nil, fmt.Errorf("%w: format %q, want %s", ErrWhat, q.Format, strings.Join(Formats(), ", "))
	}
	meta := r.Meta()
	spikes := []part{{"spikes.csv", Spikes, r.NumSpikes(), CSV}}
	var candidates, updates, signals []part
	if recorded(meta, func(p spikelog.Projection) bool { return p.Candidates }) {
		candidates = []part{{"candidates.csv", Candidates, r.NumCandidates(), CandidatesCSV}}
	}
	if recorded(meta, func(p spikelog.Projection) bool { return p.Updates }) {
		updates = []part{{"updates.csv", Updates, r.NumUpdates(), UpdatesCSV}}
	}
	for i, name := range signalNames(meta) {
		s := meta.Signals[i]
		signals = append(signals, part{name + ".csv", s.What + " of " + s.Of, r.NumSamples(s.Record),
			func(w io.Writer, r *spikelog.Reader) error { return SignalCSV(w, r, s.Record) }})
	}
	var list []part
	switch q.What {
	case "":
		if list = spikes; q.Out == "" {
			list = slices.Concat(spikes, candidates, updates, signals)
		}
	case Spikes:
		list = spikes
	case Candidates:
		list = candidates
	case Updates:
		list = updates
	case Signals:
		list = signals
	case Weight, Eligibility, Modulator:
		list = trajectories(r, q.What)
	default:
		return nil, fmt.Errorf("%w: %q, want %s", ErrWhat, q.What, strings.Join(Whats(), ", "))
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: the run recorded no %s", ErrWhat, q.What)
	}
	if q.Out != "" && len(list) > 1 {
		var names []string
		for _, p := range list {
			names = append(names, p.what)
		}
		return nil, fmt.Errorf("%w: the run recorded %d signals (%s), which do not go into one file", ErrWhat, len(list), strings.Join(names, ", "))
	}
	return list, nil
}

func recorded(m spikelog.Meta, which func(spikelog.Projection) bool) bool {
	return slices.ContainsFunc(m.Projections, which)
}

// trajectories is the file of all sampled signals of one kind; none when nothing
// of it was sampled.
func trajectories(r *spikelog.Reader, what string) []part {
	var records []int
	rows := uint64(0)
	for _, s := range r.Meta().Signals {
		if s.What == what {
			records = append(records, s.Record)
			rows += r.NumSamples(s.Record) * uint64(s.N)
		}
	}
	if records == nil {
		return nil
	}
	return []part{{what + ".csv", what, rows, func(w io.Writer, r *spikelog.Reader) error {
		return TrajectoryCSV(w, r, what, records)
	}}}
}

// signalNames names the signals of a record <what>_<of>, without / and \; a name
// that is taken has "_record" and the number of its record behind it.
func signalNames(m spikelog.Meta) []string {
	var names []string
	for _, s := range m.Signals {
		name := fileName(s.What + "_" + s.Of)
		if slices.Contains(names, name) {
			name = fmt.Sprintf("%s_record%d", name, s.Record)
		}
		names = append(names, name)
	}
	return names
}

func fileName(s string) string { return strings.NewReplacer("/", "_", `\`, "_").Replace(s) }

// Run exports the record of the run directory dir. Each file appears when it is
// complete and replaces one of that name; a device or pipe is written to
// directly. The results are those of the files that were written before an
// error, if any.
func Run(dir string, q Request) ([]Result, error) {
	r, err := spikelog.Open(filepath.Join(dir, rundir.RecordName))
	if err != nil {
		if !rundir.IsRun(dir) {
			return nil, fmt.Errorf("export: %s is not a run directory: %w", dir, err)
		}
		return nil, fmt.Errorf("export: %w", err)
	}
	defer r.Close()
	list, err := q.parts(r)
	if err != nil {
		return nil, err
	}
	var done []Result
	for _, p := range list {
		path := q.Out
		if path == "" {
			path = filepath.Join(dir, p.file)
		}
		if err := toFile(path, func(w io.Writer) error { return p.to(w, r) }); err != nil {
			return done, err
		}
		done = append(done, Result{Path: path, What: p.what, Rows: p.rows, Damage: r.Damage()})
	}
	return done, nil
}

// To exports the record that r reads to one destination; q.Out is ignored.
func To(w io.Writer, r *spikelog.Reader, q Request) error {
	q.Out = "-" // there is one destination
	list, err := q.parts(r)
	if err != nil {
		return err
	}
	return list[0].to(w, r)
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
	return lines(w, r.All(), "time_ms,neuron_id,population,index\n", func(b []byte, s network.Spike) ([]byte, error) {
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

// CandidatesCSV writes a header line and one line per candidate, in order of
// (close, synapse): projection by name, source and target local to its
// populations, exact decimal times, numbers as the shortest decimals that read
// back equal. applied is 1 or 0; P and u are empty where there was no
// opportunity, that is where candidate is 0. Parallel synapses have lines of
// their own, which these columns do not tell apart.
func CandidatesCSV(w io.Writer, r *spikelog.Reader) error {
	names := projectionNames(r.Meta())
	const head = "projection,source,target,k,open_ms,close_ms,candidate,P,u,applied,dw\n"
	return lines(w, r.AllCandidates(), head, func(b []byte, c network.Candidate) ([]byte, error) {
		b = append(appendSynapse(b, names, c.Synapse), ',')
		b = append(strconv.AppendInt(b, c.K, 10), ',')
		b = append(c.Open.AppendMS(b), ',')
		b = append(c.Close.AppendMS(b), ',')
		b = append(appendNumber(b, c.Value), ',')
		for _, x := range []float64{c.P, c.U} {
			if !math.IsNaN(x) {
				b = appendNumber(b, x)
			}
			b = append(b, ',')
		}
		if c.Applied {
			b = append(b, "1,"...)
		} else {
			b = append(b, "0,"...)
		}
		return append(appendNumber(b, c.DW), '\n'), nil
	})
}

// UpdatesCSV writes a header line and one line per applied update, in order of
// (time, synapse), with columns as in CandidatesCSV.
func UpdatesCSV(w io.Writer, r *spikelog.Reader) error {
	names := projectionNames(r.Meta())
	return lines(w, r.AllUpdates(), "time_ms,projection,source,target,k,dw\n", func(b []byte, u network.WeightUpdate) ([]byte, error) {
		b = append(u.At.AppendMS(b), ',')
		b = append(appendSynapse(b, names, u.Synapse), ',')
		b = append(strconv.AppendInt(b, u.K, 10), ',')
		return append(appendNumber(b, u.DW), '\n'), nil
	})
}

// SignalCSV writes the samples of a record: a header line with time_ms and a
// name per column, which is the index of a neuron, source:target of a synapse,
// or the column's own name, and one line per sample.
func SignalCSV(w io.Writer, r *spikelog.Reader, record int) error {
	meta := r.Meta()
	i := slices.IndexFunc(meta.Signals, func(s spikelog.Signal) bool { return s.Record == record })
	if i < 0 {
		return fmt.Errorf("export: record %d is not a sampled signal", record)
	}
	s := &meta.Signals[i]
	var head strings.Builder
	head.WriteString("time_ms")
	for j := range s.N {
		head.WriteString("," + csvField(s.Label(j)))
	}
	head.WriteString("\n")
	out := gatherInto(w, head.String())
	for part, err := range r.AllSamples(record) {
		if err != nil {
			return err
		}
		for row, at := range part.Times {
			out.buf = at.AppendMS(out.buf)
			for _, x := range part.Values[row*part.N : (row+1)*part.N] {
				out.buf = appendNumber(append(out.buf, ','), x)
				if err := out.spill(); err != nil {
					return err
				}
			}
			out.buf = append(out.buf, '\n')
		}
	}
	return out.flush()
}

// TrajectoryCSV writes the samples of records of one kind, one after the other,
// as rows of time_ms, projection, source, target and the value, or of time_ms,
// modulator and the value.
func TrajectoryCSV(w io.Writer, r *spikelog.Reader, what string, records []int) error {
	head := "time_ms,projection,source,target," + what + "\n"
	if what == Modulator {
		head = "time_ms,modulator,value\n"
	}
	out := gatherInto(w, head)
	for _, s := range r.Meta().Signals {
		if !slices.Contains(records, s.Record) {
			continue
		}
		who := make([]string, s.N) // of a column, between time and value
		for j := range who {
			who[j] = "," + csvField(s.Of) + ","
			if what != Modulator {
				who[j] += fmt.Sprintf("%d,%d,", s.Synapses[j].Source, s.Synapses[j].Target)
			}
		}
		for part, err := range r.AllSamples(s.Record) {
			if err != nil {
				return err
			}
			for row, at := range part.Times {
				for j, x := range part.Values[row*part.N : (row+1)*part.N] {
					out.buf = append(at.AppendMS(out.buf), who[j]...)
					out.buf = append(appendNumber(out.buf, x), '\n')
					if err := out.spill(); err != nil {
						return err
					}
				}
			}
		}
	}
	return out.flush()
}

// projectionNames are the names of the projections as fields of a CSV file.
func projectionNames(m spikelog.Meta) []string {
	var names []string
	for _, p := range m.Projections {
		names = append(names, csvField(p.Name))
	}
	return names
}

// appendSynapse appends projection, source, target. A reader gives no
// projection that is not in its list.
func appendSynapse(b []byte, projections []string, s network.SynapseID) []byte {
	b = append(append(b, projections[s.Projection]...), ',')
	b = append(strconv.AppendUint(b, uint64(s.Source), 10), ',')
	return strconv.AppendUint(b, uint64(s.Target), 10)
}

func appendNumber(b []byte, x float64) []byte { return strconv.AppendFloat(b, x, 'g', -1, 64) }

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
	return lines(w, r.All(), head, func(b []byte, s network.Spike) ([]byte, error) {
		b = append(strconv.AppendUint(b, uint64(s.ID), 10), '\t')
		return append(s.At.AppendMS(b), '\n'), nil
	})
}

// lines writes head and one line per row.
func lines[T any](w io.Writer, rows iter.Seq2[[]T, error], head string, line func([]byte, T) ([]byte, error)) error {
	out := gatherInto(w, head)
	for part, err := range rows {
		if err != nil {
			return err
		}
		for _, row := range part {
			if out.buf, err = line(out.buf, row); err != nil {
				return err
			}
			if err := out.spill(); err != nil {
				return err
			}
		}
	}
	return out.flush()
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
