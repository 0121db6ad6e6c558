package validation
import "testing"
import "hmn/event"
func TestPois(t *testing.T) {
 for i, f := range []func(*testing.T) []Check{func(t *testing.T) []Check {return checkCampbell(t,400,4*event.Second)},func(t *testing.T) []Check {return checkSiegert(t,1000,4*event.Second)}} {
  t.Run(string(rune('a'+i)), func(t *testing.T) {
   for _, c := range f(t) { t.Log(c.OK(), c.Row()) ; if !c.OK() { t.Fail() } }
   })
 }
}
