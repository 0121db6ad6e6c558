package validation

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestNoFusedMultiplyAdd compiles the packages that reckon where the compiler fuses
// x*y+z and looks for the instruction: with it, results would differ in their last
// bits from machine to machine, and golden hashes see only what they happen to hit.
func TestNoFusedMultiplyAdd(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles each package twice")
	}
	for _, c := range []struct{ env, fused, plain string }{
		{"GOARCH=arm64", `\sFN?M(ADD|SUB)D\s`, `\sFMULD\s`},
		{"GOAMD64=v3", `\sVFN?M(ADD|SUB)\w+\s`, `\sMULSD\s`},
	} {
		for _, p := range []string{"event/fmath", "event/random", "neuron", "synapse", "synapse/flow", "synapse/hmn", "synapse/stdp", "network"} {
			cmd := exec.Command("go", "build", "-gcflags=-S", "hmn/"+p)
			cmd.Env = append(os.Environ(), "GOARCH=amd64", "CGO_ENABLED=0", c.env)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: go build hmn/%s: %v\n%s", c.env, p, err, out)
			}
			if !regexp.MustCompile(c.plain).Match(out) {
				t.Fatalf("%s: no multiplication in the listing of %s", c.env, p)
			}
			for _, line := range regexp.MustCompile(`.*`+c.fused+`.*`).FindAllString(string(out), -1) {
				if !asked(line) {
					t.Errorf("%s: fused: %s", c.env, line)
				}
			}
		}
	}
}

// asked says whether the source line of an instruction calls math.FMA.
func asked(line string) bool {
	at := regexp.MustCompile(`\((/[^()]+\.go):(\d+)\)`).FindStringSubmatch(line)
	if at == nil {
		return false
	}
	text, err := os.ReadFile(at[1])
	n, _ := strconv.Atoi(at[2])
	lines := strings.Split(string(text), "\n")
	return err == nil && n >= 1 && n <= len(lines) && strings.Contains(lines[n-1], "math.FMA(")
}
