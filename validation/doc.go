// Package validation compares hmn with what is known from elsewhere: closed
// forms, published numbers, a slow and obvious simulator written here, and the
// identities that any run must obey.
//
// It imports the public API only (network, network/clocked, io/config, models) and nothing
// imports it. The package itself is one type, [Check]; the checks are tests, run
// by `go test ./validation/` (below a minute), `make validate` (minutes) and
// `make validate-full` (hours; may be interrupted and started again). README.md
// says what is checked and holds the tables of the last long run.
//
// Expected values never come from the code under test. A tolerance has its
// reason beside it: digits given, picoseconds of rounding, four standard errors
// of the sample, or the tolerance of the source.
//
// Start reading at TestValidate.
package validation
