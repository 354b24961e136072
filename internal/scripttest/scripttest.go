// Package scripttest holds the commands that the programs' testscripts share.
//
//	port NAME           sets $NAME to a free port
//	occupied NAME       sets $NAME to a port that is in use until the script ends
//	get URL STATUS TEXT asks until the answer has the status and a line with the text
//	post URL BODY STATUS TEXT
//	                    sends JSON once; the answer must have the status and the text
//	envsubst FILE...    fills $NAME in files from the script's environment
package scripttest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds how long get asks.
const patience = 30 * time.Second

// Commands gives the shared commands, for testscript.Params.Cmds.
func Commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"port":     port,
		"occupied": occupied,
		"get":      get,
		"post":     post,
		"envsubst": substitute,
	}
}

func port(ts *testscript.TestScript, _ bool, args []string) {
	l := listen(ts, args)
	ts.Check(l.Close())
}

func occupied(ts *testscript.TestScript, _ bool, args []string) {
	l := listen(ts, args)
	ts.Defer(func() { _ = l.Close() })
}

func listen(ts *testscript.TestScript, args []string) net.Listener {
	if len(args) != 1 {
		ts.Fatalf("usage: port NAME, occupied NAME")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	return l
}

func substitute(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		filled := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(filled), 0o600))
	}
}

func get(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: get URL STATUS TEXT")
	}
	client := &http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	for deadline := time.Now().Add(patience); ; {
		status, err := ask(client, args[0], args[2])
		if err == nil && status == args[1] {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s: %s, %v; want %s with %q", args[0], status, err, args[1], args[2])
		}
		time.Sleep(20 * time.Millisecond) // polling, bounded by the deadline
	}
}

func post(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: post URL BODY STATUS TEXT")
	}
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	resp, err := client.Post(args[0], "application/json", strings.NewReader(args[1]))
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if fmt.Sprint(resp.StatusCode) != args[2] || !strings.Contains(string(body), args[3]) {
		ts.Fatalf("%s: %d %s; want %s with %q", args[0], resp.StatusCode, body, args[2], args[3])
	}
}

// ask gives the status, and an error where no line of the body holds the text.
func ask(client *http.Client, url, text string) (string, error) {
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), text) {
			return fmt.Sprint(resp.StatusCode), nil
		}
	}
	return fmt.Sprint(resp.StatusCode), fmt.Errorf("no line holds %q", text)
}
