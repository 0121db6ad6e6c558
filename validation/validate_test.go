package validation

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"hmn/event"
	"hmn/models"
)

// mode is how long the checks may take: below a minute, minutes, hours.
type mode int

const (
	quickMode mode = iota
	shortMode
	fullMode
)

// modeOf reads HMN_VALIDATE: unset for the ordinary test command, short for
// `make validate`, full for `make validate-full`.
func modeOf(t *testing.T) mode {
	switch v := os.Getenv("HMN_VALIDATE"); v {
	case "":
		return quickMode
	case "short":
		return shortMode
	case "full":
		return fullMode
	default:
		t.Fatalf("HMN_VALIDATE=%s, want short or full, or nothing", v)
	}
	return 0
}

// section is one table.
type section struct {
	title string
	check func(t *testing.T, m mode) []Check
}

// byItself is the section that looks at how workers share blocks: others would take
// their processors.
const byItself = "Identities"

var sections = []section{
	{"Constant current: interspike intervals", func(t *testing.T, _ mode) []Check { return checkISI(t) }},
	{"Postsynaptic potentials and threshold crossings", func(t *testing.T, _ mode) []Check { return checkPSP(t) }},
	{"Shapes of currents, also where time constants meet", func(t *testing.T, _ mode) []Check { return checkShapes(t) }},
	{"Delays", func(t *testing.T, _ mode) []Check { return checkRing(t) }},
	{"Refractoriness", func(t *testing.T, _ mode) []Check { return checkRefractory(t) }},
	{"Closed-form neurons", func(t *testing.T, _ mode) []Check { return checkZoo(t) }},
	{"Gap junctions", func(t *testing.T, _ mode) []Check { return checkGaps(t) }},
	{"Noise currents", func(t *testing.T, m mode) []Check {
		return checkNoise(t, [...]int{60, 200, 400}[m], [...]event.Time{1, 4, 20}[m]*event.Second)
	}},
	{"Rate units", func(t *testing.T, _ mode) []Check { return checkRates(t) }},
	{"An independent simulator", func(t *testing.T, m mode) []Check {
		return checkOracle(t, [...]uint64{6, 60, 600}[m], 8, 200*event.Millisecond)
	}},
	{"Poisson input: generated and recorded", func(t *testing.T, _ mode) []Check { return checkGenerated(t) }},
	{"Poisson input: Campbell", func(t *testing.T, m mode) []Check {
		return checkCampbell(t, [...]int{100, 400, 1000}[m], [...]event.Time{1, 4, 20}[m]*event.Second)
	}},
	{"Poisson input: Siegert", func(t *testing.T, m mode) []Check {
		return checkSiegert(t, [...]int{200, 1000, 2000}[m], [...]event.Time{1, 4, 20}[m]*event.Second)
	}},
	{byItself, checkIdentities},
	{"Conservation", func(t *testing.T, _ mode) []Check { return checkConservation(t) }},
	{"Learning: moments of eligibility and activity", checkMoments},
	{"Learning: the gate", checkGate},
	{"Learning: drift, updates", checkDrift},
	{"Learning: rules it contains", checkDegenerate},
	{"Learning: attention", checkAttention},
	{"Learning: candidates", checkCandidates},
	{"Learning: event engine and dense loop", checkClocked},
	{"Learning: identities", checkLearningIdentities},
	{"Learning: silence", checkSilence},
	{"Learning: shipped models", checkLearners},
	{"Plasticity: every rule in every situation", checkPlasticity},
	{"Plasticity: random rules", checkRandomPlastic},
	{"Plasticity: onto neurons of every model", checkPlasticTargets},
	{"Plasticity: by voltage", checkClopath},
	{"Plasticity: short-term", checkShortTerm},
	{"Plasticity: stochastic release", checkRelease},
	{"Plasticity: rules between rates, piece by piece", checkRatePieces},
	{"Plasticity: where weights settle", checkEquilibria},
	{"Plasticity: competition of inputs", checkSongAbbott},
	{"Plasticity: inhibition that balances", checkVogels},
	{"Plasticity: rules between rate units", checkRateRules},
	{"Dopamine: single synapses", checkLoneSynapses},
	{"Dopamine: rewarded neurons", checkRewards},
	{"Dopamine: the program of Izhikevich 2007", checkProgram},
	{"Dopamine: the distal reward problem", checkDistal},
	{"Dopamine: conditioning", checkConditioning},
	{"Neurons: driven by spikes at random picoseconds", checkNeurons},
	{"Neurons: random parameters", checkArbitrary},
	{"Neurons: awkward arrivals, currents", checkAwkward},
	{"Neurons: orders of error", func(t *testing.T, m mode) []Check { return append(checkConvergence(t, m), checkFixed(t, m)...) }},
	{"Neurons: identities", checkNeuronIdentities},
	{"Neurons: leaky, with conductances", checkCondCurves},
	{"Neurons: NMDA receptor", checkNMDA},
	{"Neurons: adaptive exponential", checkAdEx},
	{"Neurons: Izhikevich", func(t *testing.T, m mode) []Check { return append(checkIzhikevich(t, m), checkPaperGrid(t, m)...) }},
	{"Neurons: Hodgkin–Huxley", checkHH},
	{"Neurons: a network with conductances", checkCoba},
	{"Shipped models", checkShipped},
	{"The cortical microcircuit", checkMicrocircuit},
	{"Networks", func(t *testing.T, m mode) []Check { return checkNetworks(t, m, storeDir()) }},
}

// storeDir is where full mode keeps finished runs.
func storeDir() string {
	if d := os.Getenv("HMN_VALIDATE_DIR"); d != "" {
		return d
	}
	return ".full"
}

// TestValidate runs all checks, as many sections at a time as there are
// processors. With HMN_VALIDATE=full, or with HMN_VALIDATE_TABLES=1, it then writes
// the tables into README.md.
func TestValidate(t *testing.T) {
	m := modeOf(t)
	tables := make([]string, len(sections))
	ran := make([]bool, len(sections))
	t.Cleanup(func() {
		if !t.Failed() && (m == fullMode || os.Getenv("HMN_VALIDATE_TABLES") != "") {
			if slices.Contains(ran, false) {
				t.Log("README.md is not written: not all sections were run")
				return
			}
			writeTables(t, tablesHead(m)+strings.Join(tables, "")+probeTable(t))
		}
	})
	for i, s := range sections {
		t.Run(strings.NewReplacer(" ", "-", ",", "", ":", "").Replace(s.title), func(t *testing.T) {
			if s.title != byItself {
				t.Parallel()
			}
			ran[i] = true
			rows := s.check(t, m)
			if len(rows) == 0 {
				t.Skip("nothing to check")
			}
			doc := fmt.Sprintf("### %s\n\n%s", s.title, TableHead)
			for _, c := range rows {
				doc += c.Row()
				if c.OK() {
					t.Logf("ok: %s: %v, want %v ± %v %s", c.Name, c.Got, c.Expected, c.Tolerance, c.Unit)
				} else {
					t.Errorf("%s: %v, want %v ± %v %s (%s)", c.Name, c.Got, c.Expected, c.Tolerance, c.Unit, c.Why)
				}
			}
			tables[i] = doc + "\n"
		})
	}
}

// tablesHead says what made the tables.
func tablesHead(m mode) string {
	command := map[mode]string{quickMode: "HMN_VALIDATE_TABLES=1 go test ./validation/", shortMode: "HMN_VALIDATE_TABLES=1 make validate", fullMode: "make validate-full"}[m]
	head := fmt.Sprintf("Made by `%s` with %s on %s/%s.\n\n", command, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if m != fullMode {
		head += "This is the short form: fewer seeds and shorter runs than `make validate-full`.\n\n"
	}
	return head
}

const readme = "README.md"

var between = regexp.MustCompile(`(?s)<!-- tables -->.*<!-- /tables -->`)

func writeTables(t *testing.T, text string) {
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if !between.Match(b) {
		t.Fatal("README.md has no <!-- tables --> … <!-- /tables -->")
	}
	out := between.ReplaceAllLiteralString(string(b), "<!-- tables -->\n"+text+"<!-- /tables -->")
	if err := os.WriteFile(readme+".new", []byte(out), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(readme+".new", readme); err != nil {
		t.Fatal(err)
	}
}

// probes are short runs of the shipped networks whose hashes tell whether the
// code still gives what the tables were made from.
var probes = []struct {
	model string
	span  event.Time
}{
	{"cuba", 50 * event.Millisecond}, {"cuba-nest", 50 * event.Millisecond},
	{"coba", 50 * event.Millisecond},
	{"bench/cuba", 50 * event.Millisecond}, {"bench/cuba-delays", 50 * event.Millisecond},
	{"brunel-sr", 5 * event.Millisecond}, {"brunel-si-fast", 10 * event.Millisecond}, {"brunel-ai", 10 * event.Millisecond}, {"brunel-si-slow", 20 * event.Millisecond},
	{"ring", 50 * event.Millisecond}, {"rate-fixed-point", 50 * event.Millisecond},
	{"hmn-bandit", 60 * event.Second}, {"hmn-recurrent", 11 * event.Second},
	{"izhikevich2007", event.Second}, {"izhikevich2007-classical", event.Second}, {"izhikevich2007-instrumental", event.Second}, {"izhikevich2007-shift", event.Second},
	{"microcircuit", 20 * event.Millisecond},
	{"song-abbott", 2 * event.Second}, {"vogels2011", 16 * event.Millisecond},
	{"florian2007", 2 * event.Second}, {"legenstein2008", 2 * event.Second},
}

// probeSet makes models smaller that are too large for a probe.
var probeSet = map[string]string{"microcircuit": "scale=0.1"}

var (
	probing sync.Mutex
	probed  = map[string]string{}
)

// probeOf is the hash of the probe of a model, its spikes and samples with seed 1.
func probeOf(t *testing.T, model string) string {
	t.Helper()
	probing.Lock()
	defer probing.Unlock()
	if h := probed[model]; h != "" {
		return h
	}
	for _, p := range probes {
		if p.model == model {
			set := []string{"simulation.seed=1"}
			if s, ok := probeSet[model]; ok {
				set = append(set, s)
			}
			m := shipped(t, model, set...)
			n := build(t, m, runtime.GOMAXPROCS(0))
			defer n.Close()
			r := &tape{}
			advance(t, n, p.span, r)
			if len(r.spikes)+len(r.samples) == 0 {
				t.Fatalf("the probe of %s is silent", model)
			}
			probed[model] = r.hash()
			return probed[model]
		}
	}
	t.Fatalf("no probe of %s", model)
	return ""
}

func probeTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("### The code these tables belong to\n\nHashes of short runs with seed 1 (spikes and samples, to the last bit).\n\n| model | ms | hash |\n|---|---|---|\n")
	for _, p := range probes {
		fmt.Fprintf(&b, "| %s | %v | `%s` |\n", p.model, p.span, probeOf(t, p.model))
	}
	return b.String()
}

// TestTables checks that the committed tables belong to the committed code: the
// networks of the tables must still give the same bits.
func TestTables(t *testing.T) {
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range probes {
		found := regexp.MustCompile("(?m)^\\| " + regexp.QuoteMeta(p.model) + " \\| " + regexp.QuoteMeta(p.span.String()) + " \\| `([0-9a-f]+)` \\|$").FindStringSubmatch(string(b))
		if found == nil {
			t.Errorf("README.md has no probe of %s over %v ms: the tables were made by another version of the checks; make validate-full writes them", p.model, p.span)
			continue
		}
		if got := probeOf(t, p.model); got != found[1] {
			t.Errorf("%s gives %s, the tables of README.md were made by code that gave %s: they are stale; make validate-full (or, marked as short, HMN_VALIDATE_TABLES=1 make validate) writes them", p.model, got, found[1])
		}
	}
	if strings.Contains(string(b), "**no**") {
		t.Error("README.md has rows that do not hold")
	}
}

// checkShipped looks at the small shipped models.
func checkShipped(t *testing.T, _ mode) (rows []Check) {
	for _, name := range models.Names() {
		if name == "celegans" {
			continue // needs a file: below
		}
		found := false
		for _, p := range probes {
			found = found || p.model == name
		}
		if !found {
			t.Errorf("shipped model %s has no probe", name)
		}
	}
	m := shipped(t, "ring")
	r := play(t, m, m.Simulation.Duration)
	wrong := 0
	for k, s := range r.spikes {
		if s.At != event.Time(k+1)*ms(1.5) || s.ID != uint32(k%10) {
			wrong++
		}
	}
	rows = append(rows, Check{Name: "ring: spikes in 1 s", Unit: "1", Expected: 666, Got: float64(len(r.spikes)), Why: "k·1.5 ms < 1 s"},
		Check{Name: "… not at k·delay", Unit: "1", Expected: 0, Got: float64(wrong), Why: "whole ps: no tolerance"})
	if c := connectome(); c != "" {
		rows = append(rows, checkWorm(t, c)...)
	} else {
		t.Log("celegans is not checked: there is no ../shared/data/celegans/herm_full_edgelist.csv beside the repository")
	}
	return rows
}

// connectome is the path of the edge list beside the repository, if it is there.
func connectome() string {
	p, err := filepath.Abs("../../shared/data/celegans/herm_full_edgelist.csv")
	if err != nil {
		return ""
	}
	if _, err := os.Stat(p); err != nil {
		return ""
	}
	return p
}

// checkWorm runs the connectome and lists who answers first.
func checkWorm(t *testing.T, path string) (rows []Check) {
	m := shipped(t, "celegans", "inputs.connectome="+path)
	cells := m.Populations[0]
	rows = append(rows,
		Check{Name: "celegans: cells", Unit: "1", Expected: 448, Got: float64(cells.N), Why: "distinct names in both columns, counted apart"},
		Check{Name: "… chemical synapses", Unit: "1", Expected: 4681, Got: float64(len(m.Projections[0].Edges)), Why: "rows with Type chemical, counted apart"},
		Check{Name: "… rows of gap junctions", Unit: "1", Expected: 2698, Got: float64(len(m.Projections[2].Edges)), Why: "rows with Type electrical, counted apart"})
	if !strings.Contains(strings.Join(m.Notes, "\n"), "2698") {
		t.Errorf("the notes do not report the 2698 rows left out: %q", m.Notes)
	}
	r := play(t, m, m.Simulation.Duration)
	answered := map[uint32]bool{}
	var order []string
	touched := 0
	last := event.Time(0)
	for _, s := range r.spikes {
		last = s.At
		if answered[s.ID] {
			continue
		}
		answered[s.ID] = true
		name := cells.Names[s.ID]
		switch name {
		case "ALML", "ALMR", "AVM":
			touched++
		default:
			order = append(order, fmt.Sprintf("%s %.1f", name, s.At.MS()))
		}
	}
	t.Logf("celegans: first spikes [ms]: %s", strings.Join(order[:min(40, len(order))], ", "))
	return append(rows,
		Check{Name: "… touch neurons that fire", Unit: "1", Expected: 3, Got: float64(touched), Why: "they get the current"},
		Check{Name: "… other cells that answer", Unit: "1", Got: float64(len(order)), Open: true, Why: fmt.Sprintf("reported; first: %s ms; last spike at %.0f ms", strings.Join(order[:min(12, len(order))], ", "), last.MS())})
}
