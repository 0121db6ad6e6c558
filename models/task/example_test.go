package task_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"hmn/event"
	"hmn/io/config"
	"hmn/models"
	_ "hmn/models/task" // registers bandit and distal_reward
	"hmn/network"
)

// printer is a network.SampleSink for the trials of a task.
type printer struct{}

func (printer) WriteSamples(_ int, at event.Time, values []float64) error {
	fmt.Println(at, "ms", values)
	return nil
}

// The first four trials of a shipped model: the reward comes 500 ms after the
// stimulus.
func Example() {
	text, _ := models.Text("hmn-bandit")
	m, _, err := config.Parse([]byte(text), config.Options{Name: "hmn-bandit.toml"})
	if err != nil {
		log.Fatal(err)
	}
	m.Records = m.Records[:1] // the trials only
	n, err := network.Build(m, network.Options{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer n.Close()
	task, _ := network.LookupTask(m.Task.Name)
	t, err := task.New(m.Task.Params, m)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Join(t.Columns(), ", "))
	if err := n.Run(context.Background(), 8*event.Second, network.Recorder{Samples: printer{}}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// context, choice, good, reward
	// 800 ms [2 1 3 1]
	// 2800 ms [0 3 3 1]
	// 4800 ms [3 2 0 1]
	// 6800 ms [2 1 3 0]
}
