package validation

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/io/config"
	"hmn/models"
	"hmn/network"
	"hmn/synapse"
)

// What follows makes descriptions short to write.

// values is a table of parameters: "tau_m", 20.0, "f", "linear", …
func values(kv ...any) quantity.Values {
	v := quantity.Values{}
	for i := 0; i < len(kv); i += 2 {
		k := kv[i].(string)
		switch x := kv[i+1].(type) {
		case float64:
			v[k] = quantity.Value{Number: x}
		case int:
			v[k] = quantity.Value{Number: float64(x)}
		case string:
			v[k] = quantity.Value{Text: x}
		case bool:
			v[k] = quantity.Value{Bool: x}
		case quantity.Value:
			v[k] = x
		default:
			panic("values: " + k)
		}
	}
	return v
}

func constant(x float64) network.Value { return network.Value{A: x} }

func uniform(a, b float64) network.Value {
	return network.Value{Form: network.Uniform, A: a, B: b}
}

// start is a table of start values: "V_m", 3.0, …
func start(kv ...any) map[string]network.Value {
	m := map[string]network.Value{}
	for i := 0; i < len(kv); i += 2 {
		switch x := kv[i+1].(type) {
		case float64:
			m[kv[i].(string)] = constant(x)
		case network.Value:
			m[kv[i].(string)] = x
		}
	}
	return m
}

func population(name string, n int, model string, p quantity.Values, init map[string]network.Value) network.Population {
	return network.Population{Name: name, N: n, Model: model, Params: p, Init: init}
}

func trains(name string, times ...[]event.Time) network.Population {
	return network.Population{Name: name, N: len(times), Model: "spike_train", Trains: times}
}

func edges(source, target string, list ...synapse.Edge) network.Projection {
	return network.Projection{Name: source + ">" + target, Source: source, Target: target, Rule: network.EdgeList,
		Autapses: true, Multapses: true, Synapse: "static", Edges: list}
}

func edge(source, target int, weight float64, axonal, dendritic event.Time) synapse.Edge {
	return synapse.Edge{Source: uint32(source), Target: uint32(target), Weight: weight, Axonal: axonal, Dendritic: dendritic}
}

func record(what, of string, every event.Time) network.Record {
	return network.Record{What: what, Of: of, Every: every}
}

// ms is a time given in ms, to the nearest picosecond.
func ms(x float64) event.Time {
	t, _, err := event.FromMS(x)
	if err != nil {
		panic(err)
	}
	return t
}

// tape keeps what a run gives.
type tape struct {
	spikes  []network.Spike
	samples []sample
}

type sample struct {
	record int
	at     event.Time
	values []float64
}

func (r *tape) WriteSpikes(s []network.Spike) error {
	r.spikes = append(r.spikes, s...)
	return nil
}

func (r *tape) WriteSamples(record int, at event.Time, v []float64) error {
	r.samples = append(r.samples, sample{record, at, append([]float64(nil), v...)})
	return nil
}

// signal is what record k gave of its i-th entity, by time.
func (r *tape) signal(k, i int) (at []event.Time, x []float64) {
	for _, s := range r.samples {
		if s.record == k {
			at, x = append(at, s.at), append(x, s.values[i])
		}
	}
	return at, x
}

// of is the spike times of one global id.
func (r *tape) of(id uint32) []event.Time {
	var t []event.Time
	for _, s := range r.spikes {
		if s.ID == id {
			t = append(t, s.At)
		}
	}
	return t
}

// byNeuron is the spike trains of neurons [first, first+n) in ms, as the package
// stats wants them.
func (r *tape) byNeuron(first, n int) [][]float64 {
	out := make([][]float64, n)
	for _, s := range r.spikes {
		if i := int(s.ID) - first; i >= 0 && i < n {
			out[i] = append(out[i], s.At.MS())
		}
	}
	return out
}

// hash is the hash of all that is on the tape, to the last bit.
func (r *tape) hash() string {
	h := sha256.New()
	var b []byte
	for _, s := range r.spikes {
		b = binary.LittleEndian.AppendUint64(b[:0], uint64(s.At))
		b = binary.LittleEndian.AppendUint32(b, s.ID)
		h.Write(b)
	}
	for _, s := range r.samples {
		b = binary.LittleEndian.AppendUint64(b[:0], uint64(s.at))
		b = binary.LittleEndian.AppendUint32(b, uint32(s.record))
		for _, x := range s.values {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func build(t testing.TB, m *network.Model, workers int) *network.Network {
	t.Helper()
	n, err := network.Build(m, network.Options{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func advance(t testing.TB, n *network.Network, d event.Time, r *tape) {
	t.Helper()
	if err := n.Run(context.Background(), d, network.Recorder{Spikes: r, Samples: r}); err != nil {
		t.Fatal(err)
	}
}

// play builds and runs a model with one worker.
func play(t testing.TB, m *network.Model, d event.Time) *tape {
	t.Helper()
	n := build(t, m, 1)
	r := &tape{}
	advance(t, n, d, r)
	return r
}

// shipped is a shipped model or, as "bench/NAME", a bench network.
func shipped(t testing.TB, name string, set ...string) *network.Model {
	t.Helper()
	text, ok := models.Text(name)
	if !ok {
		if text, ok = models.Bench(name[min(len(name), len("bench/")):]); !ok {
			t.Fatalf("no model %s", name)
		}
	}
	m, _, err := config.Parse([]byte(text), config.Options{Name: name + ".toml", Set: set})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
