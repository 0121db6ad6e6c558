package validation

import "testing"

func TestId(t *testing.T) {
	for i, f := range []func(*testing.T) []Check{func(t *testing.T) []Check { return checkIdentities(t, quickMode) }, checkConservation} {
		t.Run(string(rune('a'+i)), func(t *testing.T) {
			for _, c := range f(t) {
				t.Log(c.OK(), c.Row())
				if !c.OK() {
					t.Fail()
				}
			}
		})
	}
}
