package spikelog

import (
	"bytes"
	"cmp"
	"slices"
	"testing"

	"hmn/network"
)

func bySpike(a, b network.Spike) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
}

func sortSpikes(s []network.Spike) { slices.SortFunc(s, bySpike) }

// record returns the bytes of a closed record of the spikes.
func record(t testing.TB, m Meta, s []network.Spike) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, m)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteSpikes(s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB, log []byte) *Reader {
	t.Helper()
	r, err := NewReader(bytes.NewReader(log), int64(len(log)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// readAll returns the spikes before the first error, and the error.
func readAll(r *Reader) (s []network.Spike, err error) {
	for part, err := range r.All() {
		if err != nil {
			return s, err
		}
		s = append(s, part...)
	}
	return s, nil
}
