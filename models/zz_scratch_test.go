package models_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"hmn/event"
	"hmn/io/config"
	_ "hmn/models/task"
	"hmn/network"
)

type trialSink struct{ rows [][]float64 }

func (s *trialSink) WriteSamples(r int, at event.Time, v []float64) error {
	if r == 0 {
		s.rows = append(s.rows, append([]float64(nil), v...))
	}
	return nil
}

func TestScratch(t *testing.T) {
	from, _ := strconv.Atoi(os.Getenv("FROM"))
	to, _ := strconv.Atoi(os.Getenv("TO"))
	for seed := from; seed < to; seed++ {
		b, _ := os.ReadFile(os.Getenv("MODEL"))
		set := []string{fmt.Sprint("simulation.seed=", seed)}
		for k := 0; os.Getenv(fmt.Sprint("SET", k)) != ""; k++ {
			set = append(set, os.Getenv(fmt.Sprint("SET", k)))
		}
		m, _, err := config.Parse(b, config.Options{Name: "x.toml", Set: set})
		if err != nil {
			t.Fatal(err)
		}
		t0 := time.Now()
		n, err := network.Build(m, network.Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		s := &trialSink{}
		err = n.Run(context.Background(), m.Simulation.Duration, network.Recorder{Samples: s})
		if err != nil {
			t.Fatal(err)
		}
		st := n.Stats()
		var mean, best float64
		cols := len(s.rows[0])
		if cols == 4 {
			for _, r := range s.rows {
				mean += r[3] / float64(len(s.rows))
				if r[1] == r[2] {
					best += 1 / float64(len(s.rows))
				}
			}
			fmt.Printf("%d trials %d reward %.4f best %.4f windows %d %v\n", seed, len(s.rows), mean, best, st.Windows, time.Since(t0))
		} else {
			last := s.rows[len(s.rows)-1]
			fmt.Printf("%d spikes %v last %v %v\n", seed, st.PopSpikes, last, time.Since(t0))
		}
		n.Close()
	}
}
