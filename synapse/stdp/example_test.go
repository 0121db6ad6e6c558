package stdp_test

import (
	"fmt"

	"hmn/event"
	"hmn/event/quantity"
	"hmn/synapse"
	_ "hmn/synapse/stdp"
)

// One synapse of weight 0.5 under additive pair STDP: an arrival at 10 ms, a post
// spike that reaches it at 15 ms and another arrival at 45 ms. The first pair
// potentiates by 0.1·e^(−5/20), the second depresses by 0.12·e^(−30/20).
func Example() {
	rows := &synapse.Rows{Ptr: []uint32{0, 1}, Target: []uint16{0}}
	model, _ := synapse.Lookup("stdp")
	rule, err := model.Learning.New(quantity.Values{"A_plus": {Number: 0.1}, "A_minus": {Number: -0.12}},
		&synapse.Wiring{Rows: rows, Targets: 1, Weight: 0.5}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	at := func(ms event.Time) event.Time { return ms * event.Millisecond }
	sent := make([]float64, 1)
	rule.Begin(0, 0)
	rule.Arrive(0, 0, 1, at(10), sent)
	rule.Post(0, at(15))
	fmt.Printf("at 10 ms it transmits %.4f\n", sent[0])
	rule.Arrive(0, 0, 1, at(45), sent)
	fmt.Printf("at 45 ms it transmits %.4f and is %.4f then\n", sent[0], rule.Weights(at(45))[0])
	// Output:
	// at 10 ms it transmits 0.5000
	// at 45 ms it transmits 0.5779 and is 0.5511 then
}
