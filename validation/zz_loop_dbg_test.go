package validation
import ("testing";"fmt")
func TestZZ(t *testing.T) {
	end := ms(200)
	var all loopTally
	for _, vi := range []int{9,10,11,12} {
	for seed := range uint64(10) {
		v := loopVariants()[vi]
		for k, d := range []string{"long","wide"} {
		t.Run(fmt.Sprint(v.name,seed,d), func(t *testing.T) {
		makeLoop(seed, v, []string{"iaf_psc_exp","iaf_psc_delta","iaf_psc_alpha"}[(int(seed)+k)%3], d, []float64{60,150}[k], end).judge(t, end, &all)
		})
		}
	}
	}
	t.Logf("%+v", all)
}
