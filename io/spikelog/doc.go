// Package spikelog is the record of a run: the spikes, the sampled signals
// (membrane potentials, currents, rates, weights), the applied weight updates
// and the candidates for them, in one file.
//
// # The file
//
// All integers are little-endian, two's complement. Times are int64
// picoseconds (event.Time). Values are IEEE 754 binary64.
//
//	file    = header block(meta) block* block(index) trailer
//
//	header    0  8  magic 89 'H' 'M' 'N' 'L' 0D 0A 1A
//	          8  4  version, 1 or 2
//	         12  4  CRC-32C of bytes 0–11
//
// These 16 bytes keep their layout in every version. A version adds kinds of
// block and changes none: version 2 added updates and candidates. A file has the
// least version that knows the kinds it may hold (those that its meta block
// announces, whether any were written or not), so records without learning stay
// readable for programs of version 1. A reader reads all versions up to its own
// and refuses a later one by name; it never skips a block that it does not know.
//
//	block     0  4  magic 'H' 'M' 'N' 'B'
//	          4  1  kind: 1 meta, 2 spikes, 3 samples, 4 index,
//	                5 updates, 6 candidates (both from version 2 on)
//	          5  1  coding of the payload: 0 as it is, 1 one zstd frame
//	          6  2  0
//	          8  4  number of this block in the file, from 0
//	         12  4  record: samples: index in Model.Records; others 0
//	         16  4  count: spikes, updates, candidates (at most 65 536 each),
//	                samples, or index entries
//	         20  4  stored length of the payload
//	         24  4  raw length of the payload, ≤ 4 MiB + 256·(stored length)
//	         28  8  t_min, time of the first spike, sample, update, or of the
//	                first candidate's close
//	         36  8  t_max, time of the last one (not of an end of interval)
//	         44  4  CRC-32C of bytes 0–43 and the stored payload
//	         48     payload
//
//	trailer   0  8  offset of the index block
//	          8  4  magic 'H' 'M' 'N' 'E'
//	         12  4  CRC-32C of bytes 0–11
//
// Every block can be read without any other. The payloads are:
//
//	meta      JSON, see Meta; exactly one, the first block; never compressed
//
//	spikes    0  8  unit [ps]: the greatest common divisor of the time
//	                differences, 1 when they are all 0
//	          8  4  least id
//	         12  4  length of the first column
//	         16     column of count values: (time − previous time)/unit;
//	                the first is 0, its time is t_min
//	                column of count values: id − least id
//
//	samples   0  1  times: 0 evenly spaced from t_min to t_max, 1 listed
//	          1     if listed: column of count values, time − previous time,
//	                the first 0
//	                8 planes of count·N bytes, N entities per sample: plane b
//	                holds byte b (0 is the least significant) of each value;
//	                values stand entity by entity, each in order of time
//
//	updates   times, synapses
//	          chain of k
//	          planes of Δw: all rows
//
//	candidates
//	          times (of closing), synapses
//	          chain of k
//	          chain of close − open [ps]
//	          column of flags: 1 Δw†, P, u are stored (else 0, NaN, NaN: no
//	          opportunity), 2 applied, 4 Δw is stored (else 0)
//	          planes of Δw†, planes of P, planes of u: rows with flag 1
//	          planes of Δw: rows with flag 4
//
//	index     per block of the file before the index: 8 offset,
//	          40 bytes 4–43 of its header
//
//	times     8 unit [ps], as for spikes
//	          column of count values: (time − previous time)/unit; the first
//	          is 0, its time is t_min
//
//	synapses  column of projections, indices in the meta block's list
//	          chain of sources
//	          column of targets
//	          column of multapse numbers
//
//	chain   = column of the differences from the row before (the first from
//	          0), modulo 2⁶⁴ and zigzag: 0, −1, 1, −2, … as 0, 1, 2, 3, …
//
//	planes  = 8 planes of one byte per row: plane b holds byte b (0 is the
//	          least significant) of each value, a binary64
//
//	column  = groups of 128 values, the last group shorter:
//	          1 width w: 0 to 56, or 64
//	          ⌈values·w/8⌉ bytes: the values, w bits each, low bits first
//
// The bits of a Poisson raster are close to random, so packing does what can be
// done and zstd is stored only where it saves at least 1/32 of a block. It is
// tried on fewer and fewer blocks of a stream while it does not. Of a noisy V_m
// it takes a fifth; differences or exclusive ors with the sample before took no
// more off (measured: 6.46 and 6.17 B per value against 6.18).
//
// Of 10 000 synapses with 16 phase bins an update took 11 B, a candidate 24 B and
// a window without opportunity 2.4 B: what remains are random digits.
//
// # What a reader may rely on
//
// Spike blocks follow each other in order of (time, id), update blocks in order of
// (time, synapse), candidate blocks in order of (close, synapse), see
// [CompareSynapses], sample blocks of one record in order of time. Index and trailer are written by [Writer.Close]; a
// file without them was cut off and is read by walking its blocks up to the
// first that is incomplete or fails its checksum. [Reader.Damage] then says
// where and how much was dropped: of a crash, the block being written at most,
// plus what the writer still held in memory (see [Writer.Flush]). In a closed
// file a flipped bit gives [ErrDamaged] when its block is read, never other data.
//
// The package imports event and network, whose sinks [Writer] satisfies, and
// compress/zstd. It does not know directories, manifests or export formats.
// Start reading at [Writer.WriteSpikes] and [Reader.Spikes]; learning.go has the
// updates and candidates.
package spikelog
