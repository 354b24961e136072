package engine

import (
	"fmt"
	"os"
	"runtime"
)

// childArg as the first argument makes a program the engine. It is seen in
// process lists, so it says what the process is.
const childArg = "evenkeel-engine"

// The descriptors that the parent hands over beside stdin and stderr.
const (
	lockDescriptor = 3 // held open, never used: see lock.go
	portDescriptor = 4
)

// RunIfChild turns this process into the engine if it was started as one, and
// then never returns. Call it first in main and in TestMain of every program
// that calls Start.
func RunIfChild() {
	if len(os.Args) != 5 || os.Args[1] != childArg {
		return
	}
	runtime.LockOSThread() // the engine takes this thread for its main thread
	if err := runChild(os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runChild listens, tells the port, blocks until the parent closes stdin or
// dies, and leaves: listeners first, since leaving with open ones takes five
// seconds.
func runChild(library, settings, data string) error {
	script := fmt.Sprintf(`SYSTEM START LISTEN HTTP;
SELECT getServerPort('http_port') INTO OUTFILE '/dev/fd/%d' APPEND FORMAT TSV;
SELECT count() FROM file(stdin, 'LineAsString', 'line String') FORMAT Null;
SYSTEM STOP LISTEN HTTP`, portDescriptor)
	return runCommandLine(library, []string{
		"clickhouse-local",
		"--path=" + data,
		"--config-file=" + settings,
		"--log-level=warning", // the configuration's own level is not honoured
		"--query", script,
	})
}
