package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

const version = "0.1.0"

// setting is one setting of the build, "" when it is not known.
func setting(key string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == key {
				return s.Value
			}
		}
	}
	return ""
}

// versionText is the version with the commit it was built from, where the go
// command recorded that.
func versionText() string {
	rev := setting("vcs.revision")
	if rev == "" {
		return version
	}
	v := version + "+" + rev[:min(12, len(rev))]
	if setting("vcs.modified") == "true" {
		v += ".modified"
	}
	return v
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version and how hmn was built",
		Args:  wantArgs(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Version string `json:"version"`
				Commit  string `json:"commit"`
				Go      string `json:"go"`
				OS      string `json:"os"`
				Arch    string `json:"arch"`
				GOAMD64 string `json:"goamd64,omitempty"`
				CPUs    int    `json:"cpus"`
			}{versionText(), setting("vcs.revision"), runtime.Version(), runtime.GOOS, runtime.GOARCH, setting("GOAMD64"), runtime.NumCPU()}
			if asJSON {
				return writeJSON(a.out, v)
			}
			arch := v.OS + "/" + v.Arch
			if v.GOAMD64 != "" {
				arch += " " + v.GOAMD64
			}
			fmt.Fprintf(a.out, "hmn %s, %s, %s, %d CPUs\n", v.Version, v.Go, arch, v.CPUs)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
