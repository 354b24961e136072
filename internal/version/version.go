// Package version says which build this is.
package version

// Version is set by the linker from git; "dev" in a plain go build.
var Version = "dev"
