package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Options say where the store is. Zero values mean the defaults.
type Options struct {
	// Addr is a server: host:port for the native protocol (9000, with TLS
	// 9440), or http://host:8123, https://host:8443. Several, separated by
	// commas, are tried in order. Not needed with Dial.
	Addr string
	// Dial reaches the embedded engine, over HTTP; engine.DialContext.
	Dial     func(ctx context.Context, addr string) (net.Conn, error)
	Database string // made if it does not exist; default evenkeel
	User     string // needs all rights on the database; the server's default where empty
	Password string
	TLS      *tls.Config // for Addr; https implies an empty one
	Log      *slog.Logger

	DialTimeout    time.Duration // default 10s
	InsertTimeout  time.Duration // of one INSERT, given up by both sides; default 1m
	ReadTimeout    time.Duration // of one read, likewise; default 30s
	MaxSamples     int           // that one SelectSeries may give; default 20 million (320 MB)
	PredictionRows int           // that are joined with their labels at once; default 100,000 (some 40 MB here and in the server)
	KnownSeries    int           // remembered as stored; default 200,000 (a few MB)
	SeenEvery      time.Duration // how far series.seen_at may lag behind; default 10m
}

// databaseName keeps the name one that needs no quoting anywhere.
var databaseName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

func (o Options) withDefaults() (Options, error) {
	if o.Database == "" {
		o.Database = "evenkeel"
	}
	if !databaseName.MatchString(o.Database) {
		return o, errs.E("open the store", errs.Invalid, fmt.Errorf("clickhouse.database: %q", o.Database),
			"use letters, digits and underscores, not starting with a digit")
	}
	if o.Addr == "" && o.Dial == nil {
		return o, errs.E("open the store", errs.Invalid, errors.New("clickhouse.addr: empty, and no embedded engine"), "set clickhouse.addr to host:9000")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&o.DialTimeout, 10 * time.Second},
		{&o.InsertTimeout, time.Minute},
		{&o.ReadTimeout, 30 * time.Second},
		{&o.SeenEvery, 10 * time.Minute},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if o.MaxSamples <= 0 {
		o.MaxSamples = 20_000_000
	}
	if o.PredictionRows <= 0 {
		o.PredictionRows = 100_000
	}
	if o.KnownSeries <= 0 {
		o.KnownSeries = 200_000
	}
	return o, nil
}

// client turns Options into the driver's, for the given database.
func (o Options) client(database string) (*ch.Options, error) {
	c := &ch.Options{
		Auth:            ch.Auth{Database: database, Username: o.User, Password: o.Password},
		TLS:             o.TLS,
		DialTimeout:     o.DialTimeout,
		ReadTimeout:     max(o.InsertTimeout, o.ReadTimeout) + o.DialTimeout, // contexts end earlier
		MaxOpenConns:    16,
		MaxIdleConns:    4,
		ConnMaxLifetime: time.Hour,
	}
	if o.Dial != nil {
		c.Protocol, c.Addr = ch.HTTP, []string{"engine"}
		c.DialContext = func(ctx context.Context, addr string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, o.DialTimeout)
			defer cancel()
			return o.Dial(ctx, addr)
		}
		c.TransportFunc = func(t *http.Transport) (http.RoundTripper, error) {
			t.Proxy = nil // a proxy of the environment does not know the engine
			t.IdleConnTimeout = time.Minute
			return t, nil
		}
		return c, nil
	}
	c.Compression = &ch.Compression{Method: ch.CompressionLZ4}
	for i, addr := range strings.Split(o.Addr, ",") {
		scheme, host, err := splitAddr(strings.TrimSpace(addr))
		if err != nil {
			return nil, err
		}
		protocol := ch.Native
		if scheme != "" {
			protocol = ch.HTTP
		}
		if i > 0 && protocol != c.Protocol {
			return nil, errs.E("open the store", errs.Invalid, fmt.Errorf("clickhouse.addr: %q mixes protocols", o.Addr), "write all addresses alike")
		}
		c.Protocol, c.Addr = protocol, append(c.Addr, host)
		if scheme == "https" && c.TLS == nil {
			c.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
	}
	return c, nil
}

// splitAddr gives scheme (empty: native) and host:port.
func splitAddr(addr string) (scheme, host string, err error) {
	host = addr
	if strings.Contains(addr, "://") {
		var u *url.URL
		if u, err = url.Parse(addr); err == nil {
			scheme, host = u.Scheme, u.Host
		}
		if err == nil && scheme != "http" && scheme != "https" {
			err = fmt.Errorf("scheme %q is neither http nor https", scheme)
		}
	}
	if err == nil {
		_, _, err = net.SplitHostPort(host)
	}
	if err != nil {
		return "", "", errs.E("open the store", errs.Invalid, fmt.Errorf("clickhouse.addr: %q: %w", addr, err),
			"write host:9000 for the native protocol, or http://host:8123")
	}
	return scheme, host, nil
}
