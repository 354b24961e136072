package engine

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// commandResult is struct local_result_v2 of chdb.h; the fields before the
// message hold what a query put out, and ours put out nothing.
type commandResult struct {
	_       [6]uint64
	message *byte // zero-terminated; nil or empty where all went well
}

// runCommandLine loads the library and runs clickhouse-local's command line
// inside this process. It returns when the last query has ended. Only this
// entry can start listeners; the library's connection interface cannot.
func runCommandLine(library string, args []string) error {
	handle, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return fmt.Errorf("load the engine: %w", err)
	}
	symbol, err := purego.Dlsym(handle, "query_stable_v2")
	if err != nil {
		return fmt.Errorf("load the engine: %w", err)
	}
	var query func(argc int32, argv **byte) *commandResult
	purego.RegisterFunc(&query, symbol)

	argv := make([]*byte, 0, len(args)+1)
	for _, a := range args {
		argv = append(argv, &append([]byte(a), 0)[0])
	}
	argv = append(argv, nil)
	result := query(int32(len(args)), &argv[0])
	runtime.KeepAlive(argv)
	if result == nil {
		return errors.New("the engine gave no result")
	}
	if msg := goString(result.message); msg != "" {
		return errors.New(msg)
	}
	return nil
}

func goString(p *byte) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return string(unsafe.Slice(p, n))
}
