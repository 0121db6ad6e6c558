package stdp_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// TestNoFusedMultiplyAdd compiles the package where the compiler fuses x*y+z
// and looks for the instruction: with it, weights would differ in their last bits
// from machine to machine.
func TestNoFusedMultiplyAdd(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles for arm64")
	}
	for _, c := range []struct{ env, fused, plain string }{
		{"GOARCH=arm64", `\sFN?M(ADD|SUB)D\s`, `\sFMULD\s`},
		{"GOAMD64=v3", `\sVFN?M(ADD|SUB)\w+\s`, `\sMULSD\s`},
	} {
		cmd := exec.Command("go", "build", "-gcflags=-S", ".")
		cmd.Env = append(os.Environ(), "GOARCH=amd64", "CGO_ENABLED=0", c.env)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Skipf("go build: %v\n%s", err, out)
		}
		if !regexp.MustCompile(c.plain).Match(out) {
			t.Fatalf("%s: no multiplication in the listing", c.env)
		}
		for _, line := range regexp.MustCompile(`.*`+c.fused+`.*`).FindAllString(string(out), -1) {
			t.Errorf("%s: fused: %s", c.env, line)
		}
	}
}
