package network

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"hmn/event"
)

// TestGoldenDopamine pins spikes, samples and weights of networks with dopamine to the
// last bit; as in TestGoldenNetworks the point is that v1, v3 and other machines agree.
func TestGoldenDopamine(t *testing.T) {
	for _, c := range []struct {
		semantics         string
		axonal, dendritic Value
		want              string
	}{
		{"exact", fixed(1.5), fixed(0), "11dd535e28f1b6639ef9bd319be39188"},
		{"exact", between(0.2, 2), between(0.2, 2), "7ff6afa64b6235edb0f93f055b1b80b1"},
		{"nest", fixed(0), fixed(1.5), "bede2edcf2982fcfc31365366a4c659d"},
		{"daspnet", fixed(1), fixed(0), "2c6d5d8f513b8d6526d228e63158198c"},
	} {
		m := dopamineModel(c.semantics, c.axonal, c.dendritic)
		m.Records = append(m.Records, Record{What: RecordEligibility, Of: "EE", Every: 7 * event.Millisecond, Subset: []int{0, 999}},
			Record{What: RecordModulator, Of: "released", Every: 7 * event.Millisecond})
		n := mustBuild(t, m, 2)
		d := digest{sha256.New()}
		if err := n.Run(context.Background(), 100*event.Millisecond, Recorder{Spikes: d, Samples: d}); err != nil {
			t.Fatal(err)
		}
		if err := d.put(allWeights(n, m.FindProjection("EE"))); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(d.Sum(nil)[:16]); got != c.want {
			t.Errorf("%s, delays %s and %s ms: hash %s, want %s", c.semantics, c.axonal.String(), c.dendritic.String(), got, c.want)
		}
	}
}
