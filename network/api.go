package network

import "hmn/event"

// Options say how to build and run, never what: no result depends on them.
type Options struct {
	Workers  int   // goroutines that advance blocks; 0 = number of processors
	MaxBytes int64 // refuse to build what would need more; 0 = no limit
}

// Recorder says where a run's results go. Nil fields are not written. Sinks are
// called from the goroutine that called Run.
type Recorder struct {
	Spikes     SpikeSink
	Samples    SampleSink
	Updates    UpdateSink     // asked for with RecordUpdates
	Candidates CandidateSink  // asked for with RecordCandidate
	Progress   func(Progress) // at most every 100 ms of wall time
}

// Progress is how far a run has come.
type Progress struct {
	Now    event.Time // simulated time reached in this run
	End    event.Time
	Spikes uint64 // since the network was built or reset
}

// Stats counts what a network has done since it was built or reset.
type Stats struct {
	Now          event.Time // simulated time reached
	Neurons      int        // spiking neurons, rate units and sources together
	Synapses     int64
	SynapseBytes int64 // bytes of synapse storage, row tables included
	Blocks       int
	Window       event.Time // the lookahead
	Windows      uint64     // windows advanced
	Spikes       uint64     // all populations
	PopSpikes    []uint64   // by population
	// PopSpan is the simulated time that PopSpikes counts, by population: up to
	// Now, but for poisson sources that are generated at their targets, whose
	// arrivals are counted, up to the end of the last window less their delay.
	PopSpan        []event.Time
	SynapticEvents uint64   // arrivals delivered to a target
	ExternalEvents uint64   // those of SynapticEvents that came from poisson sources without storage
	RateChanges    uint64   // changes sent by rate units and level sources
	WorkerBlocks   []uint64 // block advances by each worker
}

// StoppedError ends a run that a guard stopped: a run-away, silence, or NaN.
// The record up to At is complete.
type StoppedError struct {
	At         event.Time
	Population string
	Reason     string // "rate 812 Hz over 100 ms, limit 500 Hz (guard.max_rate_hz)"
}

// Estimate is what `hmn check` prints: sizes and costs without building.
type Estimate struct {
	Neurons        int
	Synapses       float64 // expected number
	Bytes          float64 // expected peak memory of the built network
	MinDelay       event.Time
	Window         event.Time
	Blocks         int
	EventsPerSec   float64 // synaptic events per second of biology
	SpikesPerSec   float64
	LogBytesPerSec float64 // of the spike log, per second of biology
	Populations    []PopulationEstimate
	Projections    []ProjectionEstimate
}

// PopulationEstimate is one row of an Estimate.
type PopulationEstimate struct {
	Name    string
	Model   string
	N       int
	Blocks  int
	RateHz  float64
	Assumed bool   // RateHz is the default, not from the model
	Path    string // how the engine will advance it: "sweep", "epochs of k" (windows), "event by event", "grid" (of the model itself), "rate", "generated"
}

// ProjectionEstimate is one row of an Estimate.
type ProjectionEstimate struct {
	Name     string
	Synapses float64
	Bytes    float64
	MinDelay event.Time
	Uniform  bool // one delay for all
}
