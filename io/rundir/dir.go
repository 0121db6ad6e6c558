package rundir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Names in a run directory.
const (
	ManifestName = "manifest.json"
	RecordName   = "record.hmnlog"
)

// Errors a caller can act on.
var (
	// ErrExists: the directory is there, and was not to be overwritten.
	ErrExists = errors.New("rundir: directory exists")
	// ErrNotRun: the directory is not one of a run of hmn.
	ErrNotRun = errors.New("rundir: not a run directory")
)

// Dir is a run directory that this process writes.
type Dir struct{ path string }

// Create makes the directory, with its parents, and writes m with status
// Running. A directory that exists gives ErrExists; with overwrite, one that
// holds a run or nothing is emptied first, and any other gives ErrNotRun. A
// crash while it is emptied leaves a manifest that says so.
func Create(dir string, overwrite bool, m Manifest) (*Dir, error) {
	m.Status = Running
	if _, err := m.encode(); err != nil { // before anything is touched
		return nil, err
	}
	d := &Dir{filepath.Clean(dir)}
	if err := os.MkdirAll(filepath.Dir(d.path), 0o755); err != nil {
		return nil, fmt.Errorf("rundir: %w", err)
	}
	// Mkdir is what decides: of two processes one makes the directory.
	err := os.Mkdir(d.path, 0o755)
	made := err == nil
	switch {
	case made:
		if err := syncDir(filepath.Dir(d.path)); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrExist):
		return nil, fmt.Errorf("rundir: %w", err)
	case !overwrite:
		return nil, fmt.Errorf("%w: %s (use --overwrite to replace a run)", ErrExists, dir)
	default:
		if err := d.empty(m); err != nil {
			return nil, err
		}
	}
	if err := d.Write(m); err != nil {
		if made {
			os.Remove(d.path) // empty, so that the next attempt finds its way free
		}
		return nil, err
	}
	return d, nil
}

// empty removes the run in the directory. While it works the manifest is
// already that of the new run, with a note of what is going on.
func (d *Dir) empty(m Manifest) error {
	st, err := os.Stat(d.path)
	if err != nil {
		return fmt.Errorf("rundir: %w", err)
	}
	if !st.IsDir() {
		return fmt.Errorf("%w: %s is a file", ErrNotRun, d.path)
	}
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("rundir: %w", err)
	}
	if len(entries) == 0 {
		return nil
	}
	if !IsRun(d.path) {
		return fmt.Errorf("%w: %s holds neither a manifest of hmn nor %s, nothing was removed", ErrNotRun, d.path, RecordName)
	}
	m.Notes = append([]string{"the run that was here before is being removed"}, m.Notes...)
	if err := d.Write(m); err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == ManifestName {
			continue
		}
		if err := os.RemoveAll(filepath.Join(d.path, e.Name())); err != nil {
			return fmt.Errorf("rundir: %w", err)
		}
	}
	return nil
}

// IsRun reports whether dir looks like the directory of a run: it has a record,
// or a manifest.json that hmn wrote (other programs use that name too).
func IsRun(dir string) bool {
	if st, err := os.Lstat(filepath.Join(dir, RecordName)); err == nil && st.Mode().IsRegular() {
		return true
	}
	b, err := os.ReadFile(filepath.Join(dir, ManifestName))
	return err == nil && isManifest(b)
}

func isManifest(b []byte) bool {
	var keys map[string]json.RawMessage
	if json.Unmarshal(b, &keys) != nil {
		return false
	}
	for _, k := range []string{"model", "model_sha256", "seed", "status"} {
		if _, ok := keys[k]; !ok {
			return false
		}
	}
	return true
}

// Path is the directory, or the file of that name in it.
func (d *Dir) Path(name ...string) string {
	return filepath.Join(append([]string{d.path}, name...)...)
}

// Write replaces the manifest by m, in one step, and makes it durable together
// with the names of the other files in the directory.
func (d *Dir) Write(m Manifest) error {
	b, err := m.encode()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(d.path, ".manifest-*.tmp")
	if err != nil {
		return fmt.Errorf("rundir: %w", err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), d.Path(ManifestName))
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("rundir: %w", err)
	}
	return syncDir(d.path)
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("rundir: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("rundir: %w", err)
	}
	return nil
}

// Load reads the manifest of the run in dir. A directory without one gives
// ErrNotRun. Keys that this version does not know are ignored.
func Load(dir string) (Manifest, error) {
	var m Manifest
	path := filepath.Join(dir, ManifestName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, serr := os.Stat(dir); serr != nil {
			return m, fmt.Errorf("rundir: %w", serr)
		}
		return m, fmt.Errorf("%w: %s has no %s", ErrNotRun, dir, ManifestName)
	}
	if err != nil {
		return m, fmt.Errorf("rundir: %w", err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			off := min(int(syntax.Offset), len(b))
			return Manifest{}, fmt.Errorf("rundir: %s:%d: %w", path, 1+bytes.Count(b[:off], []byte{'\n'}), err)
		}
		return Manifest{}, fmt.Errorf("rundir: %s: %w", path, err)
	}
	if !isManifest(b) {
		return Manifest{}, fmt.Errorf("%w: %s is not of hmn: it lacks model, model_sha256, seed or status", ErrNotRun, path)
	}
	if _, err := m.encode(); err != nil {
		return Manifest{}, fmt.Errorf("%w: %s", err, path)
	}
	return m, nil
}
