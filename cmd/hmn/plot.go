package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hmn/event"
	"hmn/io/plot"
	"hmn/io/spikelog"
	"hmn/network"
	"hmn/neuron"
)

func (a *app) plotCommand() *cobra.Command {
	var out, from, to, page, projection string
	var synapses []string
	var most int
	c := &cobra.Command{
		Use:   "plot DIR",
		Short: "Draw a run: raster, rates, sampled signals, what was learned",
		Long: `Draw a run as PNG or SVG, on up to two pages:

  raster    the raster of its spikes, the rates of its populations, the histogram
            of the interspike intervals' coefficients of variation, and a panel of
            traces for each sampled signal of neurons
  learning  what was recorded of learning: weights, eligibility, phase gate,
            modulators, learning rates, and the learning curve of a task

Weights are drawn from their samples, or as the steps that recorded updates made.
Without --synapse a few synapses are chosen, those with the most updates.
--projection and --synapse draw the learning page alone.

At most 5 million spikes are drawn, the last ones in [--from, --to), and a few
traces of each signal; what was left out is said.`,
		Example:           "  hmn plot runs/cuba --from \"1 s\" --out raster.svg\n  hmn plot runs/hmn-recurrent --page learning --projection EE --synapse 3:17 --synapse 4:17",
		Args:              wantArgs(1, 1, "DIR"),
		ValidArgsFunction: firstArg(completeDir),
		RunE: func(c *cobra.Command, args []string) error {
			o := plotOptions{out: out, page: page, neurons: most, projection: projection}
			if !slices.Contains([]string{"", pageRaster, pageLearning}, page) {
				return badInput("%s: --page %q: want %s or %s", c.CommandPath(), page, pageRaster, pageLearning)
			}
			for _, s := range synapses {
				x, err := parseSynapse(s)
				if err != nil {
					return badInput("%s: --synapse %q: %w", c.CommandPath(), s, err)
				}
				o.synapses = append(o.synapses, x)
			}
			if projection != "" || len(synapses) > 0 {
				if o.page == pageRaster {
					return badInput("%s: --projection and --synapse are for --page %s", c.CommandPath(), pageLearning)
				}
				o.page = pageLearning
			}
			for _, f := range []struct {
				name, value string
				at          *event.Time
			}{{"from", from, &o.from}, {"to", to, &o.to}} {
				if !c.Flags().Changed(f.name) {
					continue
				}
				t, err := parseTime(f.value)
				if err != nil {
					return badInput("%s: --%s %q: %w", c.CommandPath(), f.name, f.value, err)
				}
				*f.at = t
			}
			if most < 0 {
				return badInput("%s: --max-neurons %d: want 0 (all) or more", c.CommandPath(), most)
			}
			if c.Flags().Changed("to") && o.to <= o.from {
				return badInput("%s: --to %s is not after --from %s ms", c.CommandPath(), to, o.from)
			}
			return a.plot(args[0], o)
		},
	}
	c.Flags().StringVar(&out, "out", "", "the picture, `FILE`.png or FILE.svg (default raster.png and learning.png in\nthe run directory); of two pages the second is FILE-learning.png")
	c.Flags().StringVar(&page, "page", "", "draw one `PAGE`: raster or learning (default: both, as far as recorded)")
	c.Flags().StringVar(&projection, "projection", "", "draw the learning of the projection `NAME` (default: the first that is recorded)")
	c.Flags().StringArrayVar(&synapses, "synapse", nil, "draw the synapse `SOURCE:TARGET` of the projection; can be repeated")
	c.Flags().StringVar(&from, "from", "0 ms", "draw from this simulated `TIME`")
	c.Flags().StringVar(&to, "to", "", "draw up to this simulated `TIME` (default: the end)")
	c.Flags().IntVar(&most, "max-neurons", 0, "show at most `N` neurons of each population, 0 for all")
	c.MarkFlagFilename("out", "png", "svg")
	return c
}

type plotOptions struct {
	out        string
	page       string     // pageRaster, pageLearning, or empty: both
	from, to   event.Time // to = 0: the end
	neurons    int
	projection string
	synapses   []spikelog.Synapse
}

// Pages.
const (
	pageRaster   = "raster"
	pageLearning = "learning"
)

// Limits of one picture.
const (
	maxSpikes  = 5_000_000
	maxTraces  = 6       // of one signal
	maxPanels  = 8       // of signals
	maxSamples = 200_000 // of one trace
)

var errNothingToDraw = errors.New("hmn: nothing to draw: the run recorded neither spikes nor signals there")

func (a *app) plot(dir string, o plotOptions) error {
	v, err := openRun(dir)
	if err != nil {
		return err
	}
	defer v.close()
	warning, torn := v.torn()
	if torn != nil {
		warning = torn.Error()
	}
	if warning != "" {
		fmt.Fprintln(a.err, "hmn: warning:", warning)
	}
	if end := v.end(); o.to == 0 || o.to > end {
		o.to = end
	}
	if o.to <= o.from {
		return badInput("hmn plot: the run ends at %s ms, --from %s ms is not before that", o.to, o.from)
	}
	if err := v.measure(); err != nil {
		return err
	}
	drawn := 0
	for _, p := range []struct {
		name string
		draw func(plotOptions) (string, error)
	}{{pageRaster, v.plot}, {pageLearning, v.plotLearning}} {
		if o.page != "" && o.page != p.name {
			continue
		}
		q := o
		switch {
		case o.out == "":
			q.out = filepath.Join(dir, p.name+".png")
		case drawn > 0:
			ext := filepath.Ext(o.out)
			q.out = strings.TrimSuffix(o.out, ext) + "-" + p.name + ext
		}
		note, err := p.draw(q)
		switch {
		case errors.Is(err, errNothingToDraw):
			continue
		case errors.Is(err, plot.ErrExtension):
			return badInput("%w", err)
		case err != nil:
			return err
		}
		drawn++
		fmt.Fprintln(a.out, q.out)
		if note != "" {
			fmt.Fprintln(a.out, "note:", note)
		}
	}
	if drawn == 0 {
		return errNothingToDraw
	}
	return nil
}

// plot draws the run after measure. The note says what was left out.
func (v *view) plot(o plotOptions) (note string, err error) {
	add := func(format string, args ...any) {
		if note != "" {
			note += "; "
		}
		note += fmt.Sprintf(format, args...)
	}
	f := plot.Figure{Title: v.title(), From: o.from, To: o.to, MaxNeurons: o.neurons}
	if from := v.trains.since(maxSpikes); v.trains.count > maxSpikes && from > f.From && from < f.To {
		f.From = from
		add("only the last 5 million spikes are drawn, from %s on", timeText(f.From))
	}
	for _, p := range v.reader.Meta().Populations {
		if v.recorded(p.Name) && p.N > 0 {
			f.Populations = append(f.Populations, plot.Population{Name: p.Name, FirstID: p.FirstID, N: p.N})
		}
	}
	var spikes []network.Spike
	for s, err := range v.reader.Spikes(f.From, f.To) {
		if err != nil {
			return "", err
		}
		// Within one thousandth of the run there may be more than can be drawn.
		if len(spikes)+len(s) > 2*maxSpikes {
			f.To = spikes[len(spikes)-1].At + 1
			add("and only up to %s ms", f.To)
			break
		}
		spikes = append(spikes, s...)
	}
	signals := slices.DeleteFunc(slices.Clone(v.reader.Meta().Signals), func(s spikelog.Signal) bool { return ofLearning(&s) })
	for k, s := range signals {
		if k == maxPanels {
			add("%d of %d signals are drawn", maxPanels, len(signals))
			break
		}
		sig, thin, err := v.signal(s, f.From, f.To)
		if err != nil {
			return "", err
		}
		if thin > 1 {
			add("of %s of %s every %dth sample is drawn", s.What, s.Of, thin)
		}
		if len(sig.Times) > 0 {
			f.Signals = append(f.Signals, sig)
		}
	}
	if len(f.Populations) == 0 && len(f.Signals) == 0 {
		return "", errNothingToDraw
	}
	return note, f.Write(o.out, spikes)
}

func (v *view) title() string {
	if m := v.manifest; m != nil {
		return fmt.Sprintf("%s, seed %d", m.ModelName, m.Seed)
	}
	return v.reader.Meta().Model
}

// signal reads the traces of a few entities of a signal, evenly chosen, and
// every thin-th sample of them.
func (v *view) signal(s spikelog.Signal, from, to event.Time) (sig plot.Signal, thin int, err error) {
	traces := min(s.N, maxTraces)
	sig = plot.Signal{Name: s.What + " of " + s.Of, Unit: v.unit(s)}
	entity := make([]int, traces)
	for k := range entity {
		entity[k] = s.N * k / traces
		sig.Labels = append(sig.Labels, s.Of+" "+s.Label(entity[k]))
	}
	sig.Times, sig.Values, thin, err = v.columns(s, entity, from, to)
	return sig, thin, err
}

// columns reads columns of a signal in [from, to), every thin-th sample of
// them.
func (v *view) columns(s spikelog.Signal, columns []int, from, to event.Time) (times []float64, values [][]float64, thin int, err error) {
	values = make([][]float64, len(columns))
	thin = 1
	if s.Every > 0 && (to-from)/s.Every > maxSamples {
		thin = int((to - from) / s.Every / maxSamples)
	}
	i := 0
	for b, err := range v.reader.Samples(s.Record, from, to) {
		if err != nil {
			return nil, nil, thin, err
		}
		for row, at := range b.Times {
			if i++; (i-1)%thin != 0 || len(times) > 2*maxSamples {
				continue
			}
			times = append(times, at.MS())
			for k, e := range columns {
				values[k] = append(values[k], b.Values[row*b.N+e])
			}
		}
	}
	return times, values, thin, nil
}

// unit is that of a sampled signal: of the population's state variable of that
// name, or of any synaptic current.
func (v *view) unit(s spikelog.Signal) string {
	if s.Unit != "" {
		return s.Unit
	}
	if s.What == network.RecordISyn {
		return "pA"
	}
	if v.manifest != nil {
		for _, p := range v.manifest.Populations {
			if p.Name != s.Of {
				continue
			}
			if m, ok := neuron.Lookup(p.Model); ok {
				if q, ok := m.State(s.What); ok {
					return q.Unit
				}
			}
		}
	}
	return ""
}
