package validation

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"hmn/event"
)

func TestTmp(t *testing.T) {
	from, _ := strconv.Atoi(os.Getenv("FROM"))
	to, _ := strconv.Atoi(os.Getenv("TO"))
	for i, f := range []func(uint64) (*hmnWorld, event.Time){randomSpikes, randomRates} {
		if os.Getenv("KIND") != "" && os.Getenv("KIND") != fmt.Sprint(i) {
			continue
		}
		var all tally
		for seed := uint64(from); seed < uint64(to); seed++ {
			w, end := f(seed)
			t.Run(fmt.Sprint(i, ":", seed), func(t *testing.T) {
				all.add(w.judge(t, fmt.Sprintf("seed %d", seed), end, seed%5 == 0))
				if t.Failed() || os.Getenv("SHOW") != "" {
					t.Logf("%+v end %v", w.rule, end)
				}
			})
		}
		t.Logf("%+v", all)
	}
}
