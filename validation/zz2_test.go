package validation
import ("testing";"slices";"math";"hmn/event")
func TestZ2(t *testing.T) {
	v, d := 0, 0
	l := makeLoop(uint64(1000), loopVariants()[v], "iaf_psc_exp", loopDelays[d], 40, ms(150))
	want, n := l.run(t, ms(150), 1)
	syn := l.synapses(t, want, ms(150))
	check := func(what string, c event.Time) {
		var a, b []float64
		for _, x := range weightBits(n, l.m) { a = append(a, math.Abs(math.Float64frombits(x))) }
		for _, s := range syn { b = append(b, s.at(c+1)) }
		slices.Sort(a); slices.Sort(b)
		bad := 0
		for k := range a { if math.Abs(a[k]-b[k]) > 1e-9 { bad++ } }
		t.Log(what, c, "wrong", bad, "of", len(a))
	}
	check("end", ms(150))
	for _, c := range []event.Time{ms(29.491079821), ms(30), ms(30.5), ms(10.1)} {
		n.Reset()
		learn(t, n, c, &learned{})
		check("reset+run", c)
		m := build(t, l.m, 1)
		o := n; n = m
		learn(t, n, c, &learned{})
		check("fresh", c)
		n = o
	}
	n.Reset()
	now := event.Time(0)
	for _, c := range []event.Time{ms(10.1),ms(29.491079821), ms(30), ms(30.5),ms(40)} {
		learn(t, n, c-now, &learned{})
		now = c
		check("split", c)
	}
}
