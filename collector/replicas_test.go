package collector_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

// said is a log that is read while it grows.
type said struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

var otlpHTTP = regexp.MustCompile(`otlp_http=(\S+)`)

// runCollector runs a collector until stop is called, which waits for its end,
// and gives where it takes OTLP.
func runCollector(t *testing.T, c collector.Config) (addr string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log, ended := &said{}, make(chan error, 1)
	go func() { ended <- collector.Run(ctx, c, slog.New(slog.NewTextHandler(log, nil))) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("collector: %v\n%s", err, log)
			}
		})
	}
	t.Cleanup(stop)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if found := otlpHTTP.FindStringSubmatch(log.String()); found != nil {
			return found[1], stop
		}
		if time.Now().After(deadline) {
			t.Fatalf("not up:\n%s", log)
		}
	}
}

// TestTwoCollectorsOnOneServer: both take requests at the same time, one of them
// stops and starts again on its data folder meanwhile; every record is stored
// once, under numbers that belong to one data folder.
func TestTwoCollectorsOnOneServer(t *testing.T) {
	o := storetest.Options(t)
	store := storetest.OpenWith(t, o)
	var port uint64
	if err := store.Conn().QueryRow(t.Context(), "SELECT toUInt64(getServerPort('http_port'))").Scan(&port); err != nil {
		t.Fatal(err)
	}
	configure := func() collector.Config {
		c := collector.Default()
		c.Data = t.TempDir()
		c.ClickHouse.Addr = fmt.Sprintf("http://127.0.0.1:%d", port)
		c.ClickHouse.Database, c.ClickHouse.User, c.ClickHouse.PasswordFile = o.Database, o.User, filepath.Join(c.Data, "password")
		if err := os.WriteFile(c.ClickHouse.PasswordFile, []byte(o.Password), 0o600); err != nil {
			t.Fatal(err)
		}
		c.OTLP.GRPC.Listen, c.OTLP.HTTP.Listen, c.API.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
		return c
	}
	client := &http.Client{}
	defer client.CloseIdleConnections()
	send := func(addr, from string, n int) {
		for i := range n {
			body := fmt.Sprintf(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"%s-%d"}}]}]}]}`, time.Now().UnixNano(), from, i)
			resp, err := client.Post("http://"+addr+"/v1/logs", "application/json", strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("%s was answered %s", body, resp.Status)
			}
		}
	}
	const each = 100
	one, two := configure(), configure()
	a, stopA := runCollector(t, one)
	b, stopB := runCollector(t, two)
	var senders sync.WaitGroup
	senders.Go(func() { send(a, "a", each) })
	senders.Go(func() { send(b, "b", each) })
	senders.Wait()
	stopA()
	again, stopAgain := runCollector(t, one)
	send(again, "again", each)
	stopAgain()
	stopB() // what was acknowledged is stored before it has stopped
	var rows, bodies, replicas uint64
	err := store.Conn().QueryRow(t.Context(), "SELECT count(), uniqExact(Body), uniqExact(bitShiftRight(batch, 44)) FROM otel_logs").Scan(&rows, &bodies, &replicas)
	if err != nil {
		t.Fatal(err)
	}
	if rows != 3*each || bodies != 3*each || replicas != 2 {
		t.Errorf("%d rows of %d records from %d replicas; want %d, %d and 2", rows, bodies, replicas, 3*each, 3*each)
	}
}
