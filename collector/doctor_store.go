package collector

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
)

// clockSlack is how far the server's clock may be from ours before the doctor
// says so: times of rows are ours, now() in queries is the server's.
const clockSlack = 5 * time.Second

// lookAtStore reaches the server, or starts the embedded engine for a moment.
func (d *doctor) lookAtStore(ctx context.Context) {
	if d.running && d.config.ClickHouse.Addr == "" {
		d.add("engine", warned, "stop the collector to have engine, schema and clock looked at, or ask its /readyz", "a collector runs on %s and has the engine", d.config.Data)
		return
	}
	quiet := slog.New(slog.DiscardHandler) // what goes wrong is in the report
	life := newLifecycle(quiet)
	e, old, err := d.examineStore(ctx, quiet, life)
	if stopping := life.down(); err == nil {
		err = stopping
	}
	if err != nil {
		d.fail("engine", err)
		return
	}
	where := "the embedded engine"
	if d.config.ClickHouse.Addr != "" {
		where = d.config.ClickHouse.Addr
	}
	d.add("engine", healthy, "", "%s answers, ClickHouse %s", where, e.Version)
	d.judgeSchema(&e)
	d.judgeClock(&e)
	d.judgeRetention(old)
}

func (d *doctor) examineStore(ctx context.Context, log *slog.Logger, life *lifecycle) (e clickhouse.Examination, old *retained, err error) {
	o, err := storeOptions(ctx, d.config, log, life)
	if err != nil {
		return e, nil, err
	}
	e, err = clickhouse.Examine(ctx, o)
	if err == nil && e.Database && len(e.Missing)+len(e.Changed) == 0 {
		old = d.lookAtRetention(ctx, o)
	}
	return e, old, err
}

func (d *doctor) judgeSchema(e *clickhouse.Examination) {
	database := d.config.ClickHouse.Database
	switch {
	case len(e.Changed) > 0:
		d.add("schema", failed, "use the program that made the database, or another clickhouse.database",
			"%s has other contents of %s", database, strings.Join(e.Changed, ", "))
	case !e.Database:
		d.add("schema", healthy, "", "%s has no tables yet; run makes them, or migrate", database)
	case len(e.Missing) > 0:
		d.add("schema", warned, "the next run brings it up to date, or migrate", "%s lacks %s", database, strings.Join(e.Missing, ", "))
	default:
		later := ""
		if e.Later > 0 {
			later = fmt.Sprintf(", and %d that only a later program knows", e.Later)
		}
		d.add("schema", healthy, "", "%s has all %d migrations%s", database, e.Applied, later)
	}
}

func (d *doctor) judgeClock(e *clickhouse.Examination) {
	if off := e.Clock.Abs(); off > clockSlack {
		d.add("clock", warned, "let both follow the same time server", "the server's clock is off by %s", e.Clock.Round(time.Second))
		return
	}
	d.add("clock", healthy, "", "the server's clock is within %s of ours", clockSlack)
}
