package event_test

import (
	"fmt"

	"hmn/event"
)

// Everything that happens has a place in one total order: of one instant,
// arrivals come before samples, whatever was scheduled first.
func ExampleAgenda() {
	a := event.NewAgenda()
	say := func(what string) func(event.Time) error {
		return func(at event.Time) error {
			fmt.Println(at, "ms:", what)
			return nil
		}
	}
	at, _, _ := event.ParseMS("1.5")
	a.Schedule(event.Key{At: at, Kind: event.KindSample}, say("sample"))
	a.Schedule(event.Key{At: at, Kind: event.KindArrival}, say("arrival"))
	a.Schedule(event.Key{At: at - event.Picosecond, Kind: event.KindCheckpoint}, say("checkpoint"))
	if err := a.RunBefore(2 * event.Millisecond); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 1.499999999 ms: checkpoint
	// 1.5 ms: arrival
	// 1.5 ms: sample
}
