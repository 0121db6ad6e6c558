package validation
import ("testing";"fmt";"math/rand/v2";"os";"strconv")
func TestZZ(t *testing.T) {
	from, _ := strconv.Atoi(os.Getenv("FROM"))
	to, _ := strconv.Atoi(os.Getenv("TO"))
	var all loopTally
	for seed := from; seed < to; seed++ {
		rng := rand.New(rand.NewPCG(uint64(seed), 99))
		v := pick(rng, loopVariants()...)
		d := pick(rng, loopDelays...)
		md := pick(rng, "iaf_psc_exp","iaf_psc_delta","iaf_psc_delta","iaf_psc_alpha")
		if os.Getenv("FOREIGN") != "" { md = "foreign_lif" }
		hz := pick(rng, 8, 40, 200, 123.456, 33.3, 77.7)
		end := ms(pick(rng, 100, 200, 300.7))
		if chance(rng, 0.3) { v.phases = pick(rng, "zero","exact") }
		cap := pick(rng, 0, 0, 0.21, 0.9, 2)
		t.Run(fmt.Sprint(seed,v.name,d,md,hz,v.phases,cap), func(t *testing.T) {
			l := makeLoop(uint64(seed), v, md, d, hz, end)
			l.m.Simulation.LookaheadMax = ms(cap)
			l.judge(t, end, &all)
		})
	}
	t.Logf("%+v", all)
}
