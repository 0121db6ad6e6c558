package validation

import "testing"
import "hmn/event"

func TestTry(t *testing.T) {
	for i, f := range []func(*testing.T) []Check{checkISI, checkPSP, checkShapes, checkRing, checkRefractory} {
		t.Run(string(rune('a'+i)), func(t *testing.T) {
			defer func() {
				if e := recover(); e != nil {
					t.Error(e)
				}
			}()
			for _, c := range f(t) {
				t.Log(c.OK(), c.Row())
				if !c.OK() {
					t.Fail()
				}
			}
		})
	}
}
func TestOracle(t *testing.T) {
	defer func() {
		if e := recover(); e != nil {
			t.Error(e)
		}
	}()
	for _, c := range checkOracle(t, 60, 8, 200*event.Millisecond) {
		t.Log(c.OK(), c.Row())
		if !c.OK() {
			t.Fail()
		}
	}
}
