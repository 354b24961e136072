package conformance_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/plugins/conformance"
)

// webhook is the program under test, built once.
var webhook string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "evenkeel-conformance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	webhook = filepath.Join(dir, "evenkeel-plugin-webhook")
	build := exec.Command("go", "build", "-o", webhook, "github.com/evenkeel/evenkeel/plugins/webhook")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the plugin: %v\n%s", err, out)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

const secret = "a secret of the test"

// receiver is the other side of the webhook.
type receiver struct {
	mu     sync.Mutex
	events []map[string]any
}

// ServeHTTP takes one event in and refuses what is not as documented.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var ev map[string]any
	if err == nil {
		err = json.Unmarshal(body, &ev)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/cloudevents+json; charset=utf-8":
		http.Error(w, "not a CloudEvent", http.StatusBadRequest)
	case ev["specversion"] != "1.0" || ev["id"] != req.Header.Get("Idempotency-Key"):
		http.Error(w, "the envelope is wrong", http.StatusBadRequest)
	case req.Header.Get("Evenkeel-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)):
		http.Error(w, "the signature is wrong", http.StatusForbidden)
	default:
		r.mu.Lock()
		r.events = append(r.events, ev)
		r.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	}
}

func (r *receiver) ids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for _, ev := range r.events {
		ids = append(ids, ev["id"].(string))
	}
	return slices.Clone(ids)
}

func TestWebhook(t *testing.T) {
	far := &receiver{}
	server := httptest.NewServer(far)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	conformance.Run(t, conformance.Subject{
		Name: "webhook", Binary: webhook, Seen: far.ids,
		Config: json.RawMessage(fmt.Sprintf(`{"url":%q,"secret_file":%q,"timeout":"5s","allow_private":true}`, server.URL, file)),
		Bad: []json.RawMessage{
			json.RawMessage(`{}`),
			json.RawMessage(`{"url":"ftp://example.org"}`),
			json.RawMessage(`{"url":"http://127.0.0.1:9"}`),
			json.RawMessage(`{"url":"http://[::1]:9"}`),
			json.RawMessage(`{"url":"http://169.254.169.254/latest"}`),
			json.RawMessage(`{"url":"https://example.org","timeout":"-1s"}`),
			json.RawMessage(`{"url":"https://example.org","secret_file":"/nonexistent"}`),
		},
	})
}
