package validation

type mode int

const (
	quickMode mode = iota
	shortMode
	fullMode
)
