// Package rundir owns the directory of a run: that it is made once, never
// overwrites anything that is not a run, and always holds a manifest.json that
// is whole and true.
//
//	manifest.json   what was run and how far it came, see Manifest
//	record.hmnlog   spikes, signals and weight updates, written by io/spikelog
//
// and whatever else a command puts beside them (exports, plots, checkpoints).
//
// The manifest is written first, with status "running", and replaced when the
// run ends. A replacement is written to a temporary file, synced, renamed, and
// the directory is synced: a reader sees the old manifest or the new one, and a
// directory that says "running" when nothing runs is of a run that was killed.
//
// [ResultHasher] gives the hash by which two runs are compared.
//
// The package imports event and network. It does not read records or models.
// Start reading at [Create].
package rundir
