// Command hmn runs spiking and rate networks from model files, records them and
// looks at what was recorded. It only wires packages together: flags, messages
// and exit codes are its own, everything else is theirs.
//
// Exit codes: 0 done, 1 other failure, 2 bad input (nothing was written), 3
// stopped by a guard of the model, 130 interrupted. After 3 and 130 the record
// is closed and complete up to the time that the message gives.
//
// Start reading at app.main, then app.run in run.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"hmn/io/config"
	"hmn/io/spikelog"
	_ "hmn/models/task" // whose tasks model files can name
	"hmn/network"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the whole program but for the process around it.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return newApp(stdin, stdout, stderr).main(args)
}

// Exit codes.
const (
	codeDone        = 0
	codeFailed      = 1
	codeBadInput    = 2
	codeStopped     = 3
	codeInterrupted = 130
)

// app is one invocation. Its functions are replaced in tests.
type app struct {
	in        io.Reader
	out       *checked // every write to standard output
	err       io.Writer
	signals   func() (context.Context, context.CancelFunc)
	createLog func(path string, m spikelog.Meta) (*spikelog.Writer, error)
	observe   func(network.Progress) // sees the progress of a run
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	return &app{
		in: stdin, out: &checked{w: stdout}, err: stderr,
		signals: func() (context.Context, context.CancelFunc) {
			return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		},
		createLog: spikelog.Create,
		observe:   func(network.Progress) {},
	}
}

// main runs the command line and gives the exit code.
func (a *app) main(args []string) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintln(a.err, newPanicError(p))
			code = codeFailed
		}
	}()
	root := a.root()
	root.SetArgs(args)
	err := root.Execute()
	if a.out.err != nil {
		err = errors.Join(err, fmt.Errorf("hmn: writing the output: %w", a.out.err))
	}
	if err == nil {
		return codeDone
	}
	fmt.Fprintln(a.err, err)
	return exitCode(err)
}

// failure is an error with the exit code it asks for.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// badInput is an error of the user's: exit code 2.
func badInput(format string, args ...any) error {
	return &failure{codeBadInput, fmt.Errorf(format, args...)}
}

// exitCode is the exit code for an error.
func exitCode(err error) int {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f.code
	case errors.Is(err, config.ErrInput), errors.Is(err, network.ErrTooLarge):
		return codeBadInput
	}
	return codeFailed
}

// panicError is a panic on its way to the user: a bug of hmn's.
type panicError struct {
	value any
	where string // file:line
}

// newPanicError is to be called by the deferred function that recovered.
func newPanicError(value any) *panicError {
	pc := make([]uintptr, 32)
	frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
	where := ""
	for seen := false; ; {
		f, more := frames.Next()
		if seen && !strings.HasPrefix(f.Function, "runtime.") {
			where = fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
			break
		}
		seen = seen || f.Function == "runtime.gopanic"
		if !more {
			break
		}
	}
	return &panicError{value, where}
}

func (p *panicError) Error() string {
	what := strings.Join(strings.Fields(fmt.Sprint(p.value)), " ")
	return fmt.Sprintf("hmn: internal error, please report: %s (%s, hmn %s, %s)", what, p.where, versionText(), runtime.Version())
}

// checked remembers the first error of a writer.
type checked struct {
	w   io.Writer
	err error
}

func (c *checked) Write(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(b)
	c.err = err
	return n, err
}
