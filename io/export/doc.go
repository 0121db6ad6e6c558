// Package export writes the record of a run in formats that other programs
// read.
//
//	csv   a file each of spikes, candidates, updates and every sampled signal;
//	      times are exact decimals, see CSV, CandidatesCSV, UpdatesCSV, SignalCSV
//	npz   all of these as NumPy arrays in one file, see NPZ
//	nest  spikes as NEST 3 writes them with its recording backend "ascii"
//
// Each is one pass, or one pass per array, over the record; memory does not
// grow with it. neuron_id is the global id of the manifest, from 0; index is
// local to the population, from 0, as are source and target of a synapse.
//
// What cannot be read of a damaged record is not exported, and the caller is
// told: by an error for a block that fails its checksum, by [Result.Damage] for
// a record that was cut off.
//
// The package imports event, network, io/spikelog, io/rundir and
// compress/flate, which is faster than the standard library's. Start reading at
// [Run].
package export
