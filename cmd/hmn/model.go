package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hmn/io/config"
	"hmn/models"
	"hmn/network"
)

// modelFlags are the flags of every command that reads a model.
type modelFlags struct {
	set       []string
	seed      string
	duration  string
	maxMemory string
}

func (f *modelFlags) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.set, "set", nil, "set a key of the model file, by its dotted path: `KEY=VALUE`, such as\npopulation.E.params.tau_m=15ms; can be repeated. A file for inputs.* is\nlooked for in the working directory, then beside the model")
	c.Flags().StringVar(&f.seed, "seed", "", "the seed, same as --set simulation.seed=`S`")
	c.Flags().StringVar(&f.duration, "duration", "", "simulated time such as 500ms or \"20 s\", same as --set simulation.duration=`T`")
	c.Flags().StringVar(&f.maxMemory, "max-memory", "", "refuse a model that needs more memory: `SIZE` such as 20G, 0 for no limit\n(default: what the machine has)")
}

// overrides are all overrides in the order in which they apply.
func (f *modelFlags) overrides(c *cobra.Command) ([]string, error) {
	var list []string
	for _, s := range f.set {
		key, value, _ := strings.Cut(s, "=")
		if key = strings.TrimSpace(key); strings.HasPrefix(key, "inputs.") {
			s = key + "=" + here(strings.TrimSpace(value))
		}
		for _, flag := range []string{"seed", "duration"} {
			if key == "simulation."+flag && c.Flags().Changed(flag) {
				return nil, badInput("%s: both --%s and --set %s are given, want one of them", c.CommandPath(), flag, key)
			}
		}
		list = append(list, s)
	}
	if c.Flags().Changed("seed") {
		list = append(list, "simulation.seed="+f.seed)
	}
	if c.Flags().Changed("duration") {
		list = append(list, "simulation.duration="+f.duration)
	}
	return list, nil
}

// here makes the name of a file that lies in the working directory absolute.
// Any other is left to be found beside the model.
func here(value string) string {
	name := value
	if s, err := strconv.Unquote(value); err == nil {
		name = s
	}
	if name == "" || filepath.IsAbs(name) {
		return value
	}
	if _, err := os.Stat(name); err != nil {
		return value
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return value
	}
	return strconv.Quote(abs)
}

// loaded is a model and where it came from.
type loaded struct {
	*network.Model
	source    *config.Source
	overrides []string
	shipped   bool
	maxBytes  int64
}

// load reads the model that arg names: a file, or a shipped model.
func (f *modelFlags) load(c *cobra.Command, arg string, toRun bool) (*loaded, error) {
	set, err := f.overrides(c)
	if err != nil {
		return nil, err
	}
	l := &loaded{overrides: set}
	if l.maxBytes = totalMemory(); c.Flags().Changed("max-memory") {
		if l.maxBytes, err = parseSize(f.maxMemory); err != nil {
			return nil, badInput("%s: --max-memory %q: %w", c.CommandPath(), f.maxMemory, err)
		}
	}
	o := config.Options{Set: set, RequireDuration: toRun}
	text, ok := models.Text(arg)
	if l.shipped = ok; ok {
		o.Name = arg + ".toml"
		l.Model, l.source, err = config.Parse([]byte(text), o)
	} else if _, serr := os.Stat(arg); serr != nil && !strings.ContainsAny(arg, `/\`) {
		hint := "; hmn models lists those"
		if near := nearest(arg, models.Names()); near != "" {
			hint = fmt.Sprintf(", did you mean %q?", near)
		}
		return nil, badInput("hmn: no file and no shipped model is called %q%s", arg, hint)
	} else {
		l.Model, l.source, err = config.Load(arg, o)
	}
	if err != nil {
		return nil, f.named(c, err)
	}
	return l, nil
}

// named makes problems of overrides that came from a flag point to that flag.
func (f *modelFlags) named(c *cobra.Command, err error) error {
	var e *config.Error
	if !errors.As(err, &e) {
		return err
	}
	for i := range e.Problems {
		p := &e.Problems[i]
		for flag, value := range map[string]string{"seed": f.seed, "duration": f.duration} {
			if c.Flags().Changed(flag) && p.At == "--set simulation."+flag+"="+value {
				p.At = "--" + flag + " " + value
			}
		}
	}
	return e
}

// notes are the model's notes and the files it read.
func (l *loaded) notes() []string {
	notes := append([]string(nil), l.Notes...)
	for _, f := range l.source.Files {
		notes = append(notes, fmt.Sprintf("read %s (%s bytes, SHA-256 %s)", f.Name, count(f.Bytes), f.SHA256))
	}
	return notes
}

// totalMemory is the memory of the machine in bytes, 0 where it is not known.
func totalMemory() int64 {
	return procField("/proc/meminfo", "MemTotal:")
}

// procField is the value in bytes of a line "name: n kB" of a file of Linux's
// /proc, 0 when there is none.
func procField(path, name string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == name {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}

// sampled tells signals, those of trials included, from spikes, updates and
// candidates.
func sampled(r *network.Record) bool {
	return r.What != network.RecordSpikes && r.What != network.RecordCandidate && !ofUpdates(r)
}

// ofUpdates reports whether a record asks for applied updates, as one of weights
// without an interval does.
func ofUpdates(r *network.Record) bool {
	return r.What == network.RecordUpdates || r.What == network.RecordWeight && !r.Sampled()
}

// perSynapse reports whether a record is a signal with one column per synapse.
func perSynapse(r *network.Record) bool {
	return sampled(r) && slices.Contains(network.PerSynapse, r.What)
}

// asks reports whether a record satisfies the condition.
func (l *loaded) asks(what func(*network.Record) bool) bool {
	for i := range l.Records {
		if what(&l.Records[i]) {
			return true
		}
	}
	return false
}

func ofCandidates(r *network.Record) bool { return r.What == network.RecordCandidate }

// population finds a population of the model by name.
func (l *loaded) population(name string) *network.Population {
	for i := range l.Populations {
		if l.Populations[i].Name == name {
			return &l.Populations[i]
		}
	}
	return nil
}

// textHash is the SHA-256 of the model's text, as sha256sum prints it.
func (l *loaded) textHash() string {
	sum := sha256.Sum256(l.source.Text)
	return hex.EncodeToString(sum[:])
}
