package collector

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/evenkeel/evenkeel/collector/engine"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
)

// openStore opens the ClickHouse server that is configured or, where none is,
// starts the embedded engine first.
func (r *runner) openStore(ctx context.Context) error {
	o, err := storeOptions(ctx, r.config, r.log, r.life)
	if err != nil {
		return err
	}
	if r.store, err = clickhouse.Open(ctx, o); err != nil {
		return err
	}
	r.life.opened("store", r.store.Close)
	return nil
}

// stored wakes fleet when windows have come in.
func (r *runner) stored(_ model.Batch, rows *model.Rows) {
	if len(rows.Distributions) > 0 {
		r.fleet.Wake()
	}
}

// Migrate brings the tables up to this version and ends.
func Migrate(ctx context.Context, c Config, log *slog.Logger) error {
	life := newLifecycle(log)
	o, err := storeOptions(ctx, c, log, life)
	if err == nil {
		err = clickhouse.Migrate(ctx, o)
	}
	if stopErr := life.down(); err == nil {
		err = stopErr
	}
	return err
}

func storeOptions(ctx context.Context, c Config, log *slog.Logger, life *lifecycle) (clickhouse.Options, error) {
	o := clickhouse.Options{
		Database: c.ClickHouse.Database, Log: log,
		InsertTimeout: c.ClickHouse.Timeout.Std(), ReadTimeout: c.ClickHouse.Timeout.Std(),
	}
	if c.ClickHouse.Addr != "" {
		return serverOptions(o, c.ClickHouse)
	}
	e, err := engine.Start(ctx, engine.Options{
		Library: c.Engine.Library, Dir: filepath.Join(c.Data, "engine"), Log: log,
		StopTimeout: c.StopTimeout.Std(),
	})
	if err != nil {
		return o, err
	}
	life.opened("engine", func() error { return e.Stop(context.Background()) })
	o.Dial, o.User, o.Password = e.DialContext, e.User(), e.Password()
	return o, nil
}

func serverOptions(o clickhouse.Options, c ClickHouse) (clickhouse.Options, error) {
	o.Addr, o.User = c.Addr, c.User
	if c.PasswordFile != "" {
		raw, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return o, fmt.Errorf("clickhouse.password_file: %w", err)
		}
		o.Password = strings.TrimRight(string(raw), "\r\n")
	}
	if !c.TLS.Enabled {
		return o, nil
	}
	o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLS.CAFile == "" {
		return o, nil
	}
	pem, err := os.ReadFile(c.TLS.CAFile)
	if err != nil {
		return o, fmt.Errorf("clickhouse.tls.ca_file: %w", err)
	}
	o.TLS.RootCAs = x509.NewCertPool()
	if !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
		return o, fmt.Errorf("clickhouse.tls.ca_file: %s holds no PEM certificate", c.TLS.CAFile)
	}
	return o, nil
}
