package clickhouse_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// server makes the engine listen as a server does and gives options that
// reach it by address. Over the native protocol a login that is refused ends
// the engine, so only the right account is tried.
func server(t *testing.T, protocol string) clickhouse.Options {
	t.Helper()
	s := storetest.Open(t)
	listen := func(verb string) {
		if err := s.Conn().Exec(context.Background(), "SYSTEM "+verb+" LISTEN TCP"); err != nil {
			t.Fatal(err)
		}
	}
	options := storetest.Options(t)
	options.Dial = nil
	port := scalar(t, s, "SELECT toUInt64(getServerPort('http_port'))")
	options.Addr = fmt.Sprintf("http://127.0.0.1:%d", port)
	if protocol == "native" {
		listen("START")
		t.Cleanup(func() { listen("STOP") })
		options.Addr = fmt.Sprintf("127.0.0.1:%d", scalar(t, s, "SELECT toUInt64(getServerPort('tcp_port'))"))
	}
	return options
}

// TestServersAreUsedWithTheSameCode writes and reads by address, compressed,
// over both protocols.
func TestServersAreUsedWithTheSameCode(t *testing.T) {
	for _, protocol := range []string{"http", "native"} {
		t.Run(protocol, func(t *testing.T) {
			s := storetest.OpenWith(t, server(t, protocol))
			batch := model.SpoolBatch(1)
			write(t, s, batch, everything(), model.FirstTry)
			write(t, s, batch, everything(), model.InDoubt)
			wantRows(t, s, batch, 4)
			readBack(t, s, everything())
		})
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	wrong := server(t, "http")
	wrong.Password = "wrong"
	for name, c := range map[string]struct {
		options clickhouse.Options
		kind    errs.Kind
		says    string
	}{
		"wrong password":   {wrong, errs.Denied, "clickhouse.password_file"},
		"nobody there":     {clickhouse.Options{Addr: "http://127.0.0.1:1"}, errs.Unavailable, "check that ClickHouse runs there"},
		"nobody, native":   {clickhouse.Options{Addr: "127.0.0.1:1"}, errs.Unavailable, "check that ClickHouse runs there"},
		"nothing given":    {clickhouse.Options{}, errs.Invalid, "set clickhouse.addr"},
		"no port":          {clickhouse.Options{Addr: "clickhouse"}, errs.Invalid, "host:9000"},
		"another scheme":   {clickhouse.Options{Addr: "tcp://h:9000"}, errs.Invalid, "neither http nor https"},
		"mixed":            {clickhouse.Options{Addr: "http://a:1,b:2"}, errs.Invalid, "mixes protocols"},
		"a name to inject": {clickhouse.Options{Addr: "a:1", Database: "x; DROP"}, errs.Invalid, "letters, digits"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := clickhouse.Open(t.Context(), c.options)
			if err == nil {
				_ = s.Close()
			}
			if errs.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("kind %d: %v", errs.KindOf(err), err)
			}
		})
	}
}
