package network

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"testing"

	"hmn/event"
)

// digest hashes spikes and samples as they come.
type digest struct{ hash.Hash }

func (d digest) WriteSpikes(spikes []Spike) error {
	for _, s := range spikes {
		binary.Write(d, binary.LittleEndian, int64(s.At))
		binary.Write(d, binary.LittleEndian, s.ID)
	}
	return nil
}

func (d digest) WriteSamples(record int, at event.Time, values []float64) error {
	binary.Write(d, binary.LittleEndian, int64(record))
	binary.Write(d, binary.LittleEndian, int64(at))
	return binary.Write(d, binary.LittleEndian, values)
}

// TestGoldenNetworks pins the spikes of whole networks to the last picosecond.
// The hashes were written by this program at GOAMD64=v1; that v3 and other
// machines agree is the point. A change of results on purpose rewrites them.
func TestGoldenNetworks(t *testing.T) {
	alpha := cubaModel(400, between(0.3, 2))
	for i := range alpha.Populations {
		alpha.Populations[i].Model = "iaf_psc_alpha"
	}
	alpha.Records = []Record{{What: RecordSpikes, Of: "E"}, {What: RecordVm, Of: "I", Every: 700 * event.Microsecond}}
	for _, c := range []struct {
		name  string
		model *Model
		ms    event.Time
		want  string
	}{
		{"sweep", cubaModel(4000, fixed(1.5)), 300, "5df920d13bd910ce825705d25be2b4a0"},
		{"bins", cubaModel(4000, between(0.5, 3)), 300, "36fb429ac292271544bcb0e16dfedff3"},
		{"epochs", cubaModel(4000, fixed(0.1)), 100, "d82e832d48d21609cbcae0ac10692df2"},
		{"delta and direct poisson", brunelModel(1000, 5, 2), 200, "7dc3eacd1cff87b3d282b71ede5b3c33"},
		{"alpha, samples", alpha, 300, "b8f5faea561d80dbe5ed9263c1a657ab"},
	} {
		n, err := Build(c.model, Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := digest{sha256.New()}
		err = n.Run(context.Background(), c.ms*event.Millisecond, Recorder{Spikes: d, Samples: d})
		n.Close()
		if err != nil {
			t.Fatal(err)
		}
		if s := n.Stats(); s.Spikes < 100 {
			t.Errorf("%s: %d spikes are too few to tell anything", c.name, s.Spikes)
		}
		if got := hex.EncodeToString(d.Sum(nil)[:16]); got != c.want {
			t.Errorf("%s: hash %s, want %s", c.name, got, c.want)
		}
	}
}
