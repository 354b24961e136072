package collector

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

func TestDefaultIsValidAndLocal(t *testing.T) {
	c, err := LoadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{c.OTLP.GRPC.Listen, c.OTLP.HTTP.Listen, c.API.Listen} {
		if !strings.HasPrefix(addr, "127.0.0.1:") {
			t.Errorf("%s is not loopback", addr)
		}
	}
}

func TestEveryFaultIsReportedWithItsPath(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	text := `data: ""
clickhouse: {addr: nowhere, database: "a-b", timeout: 0s, password_file: /does/not/exist}
engine: {library: /does/not/exist}
otlp:
  grpc: {listen: "0.0.0.0:4317"}
  http: {listen: "4318"}
  max_request: 10
  max_inflight: 1
  max_age: -1h
  max_ahead: 48h
  series: {per_source: -1, total: -1, idle: 0s}
spool: {max: 1MiB, segment: 1MiB}
drain: {max_records: 0, max_bytes: 1, every: 0s, parallel: 0}
fleet: {grace: 0s, start_grace: 0s}
labels: {horizon: 0s}
tls: {cert_file: /does/not/exist}
systems: [{id: a}, {id: a}, {owner: b}, {id: c, labels: {horizon: -1h}}]
plugins: [{name: Web hook}, {name: x, path: /does/not/exist}, {name: x}]
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := LoadConfig(file)
	if err == nil {
		t.Fatal("no fault found")
	}
	lines := strings.Split(err.Error(), "\n")
	for _, path := range []string{
		"data", "clickhouse.addr", "clickhouse.database", "clickhouse.timeout", "clickhouse.password_file",
		"engine.library", "otlp.grpc.listen", "otlp.http.listen", "otlp.max_request",
		"otlp.max_inflight", "otlp.max_age", "otlp.max_ahead", "otlp.series.per_source", "otlp.series.total", "otlp.series.idle", "spool.max",
		"drain.max_records", "drain.max_bytes", "drain.every", "drain.parallel", "fleet.grace", "fleet.start_grace", "labels.horizon", "tls", "tls.cert_file",
		"systems[1].id", "systems[2].id", "systems[3].labels.horizon", "plugins[0].name", "plugins[1].path", "plugins[1].sha256", "plugins[2].name",
	} {
		found := 0
		for _, l := range lines {
			if strings.HasPrefix(l, file+": "+path+": ") {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%s: reported %d times", path, found)
		}
	}
	if len(lines) != 32 {
		t.Errorf("%d faults, want 32:\n%v", len(lines), err)
	}
}

func TestHorizonOfASystem(t *testing.T) {
	c := Default()
	if err := config.Decode("c.yaml", []byte("labels: {horizon: 2h}\nsystems: [{id: slow, labels: {horizon: 90d}}, {id: plain}]\n"), &c); err != nil {
		t.Fatal(err)
	}
	for system, want := range map[signal.SystemID]time.Duration{"slow": 90 * 24 * time.Hour, "plain": 2 * time.Hour, "undeclared": 2 * time.Hour, "": 2 * time.Hour} {
		if got := c.horizon(system); got != want {
			t.Errorf("%q: %s, want %s", system, got, want)
		}
	}
	fresh := Default()
	if got := fresh.horizon("any"); got != 24*time.Hour {
		t.Errorf("by default %s", got)
	}
}

func TestMisspeltKeyNamesLineAndCure(t *testing.T) {
	c := Default()
	err := config.Decode("c.yaml", []byte("api:\n  lissen: 127.0.0.1:1\n"), &c)
	if err == nil || err.Error() != `c.yaml:2: unknown key "lissen"; did you mean "listen"?` {
		t.Errorf("got %v", err)
	}
}

func TestServersAreOfOneKind(t *testing.T) {
	for addr, good := range map[string]bool{
		"": true, "ch:9000": true, "a:9440,b:9440": true, "http://ch:8123": true, "https://a:8443,https://b:8443": true,
		"ch": false, "http://ch": false, "tcp://ch:9000": false, "a:9000,http://b:8123": false, "a:9000,": false,
	} {
		c := Default()
		c.ClickHouse.Addr = addr
		if err := c.Validate("c.yaml"); (err == nil) != good {
			t.Errorf("%q: %v", addr, err)
		}
	}
}
