package collector

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/register"
	"github.com/evenkeel/evenkeel/collector/retention"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/internal/config"
)

// retained is what the retention job would do.
type retained struct {
	plan retention.Plan
	err  error
}

// lookAtRetention asks what the next pass would drop. It is called where the
// schema is up to date, so opening the store changes nothing.
func (d *doctor) lookAtRetention(ctx context.Context, o clickhouse.Options) *retained {
	ages := d.config.Retention.ages()
	if !ages.Any() {
		return nil
	}
	var r retained
	r.plan, r.err = d.planRetention(ctx, o, ages)
	return &r
}

func (d *doctor) judgeRetention(r *retained) {
	if r == nil {
		return // everything is kept, or there are no tables yet
	}
	if r.err != nil {
		d.fail("keep", r.err)
		return
	}
	plan := &r.plan
	rows, bytes := plan.Rows()
	held := ""
	if len(plan.Held) > 0 {
		h := plan.Held[0]
		held = fmt.Sprintf("; %d as old are held by open records, the first, %s of %s, by %s", len(plan.Held), h.Day.Format(time.DateOnly), h.Table, strings.Join(h.By, ", "))
	}
	d.add("keep", healthy, "", "%d days of tables are old enough to go: %d rows, %s%s", len(plan.Drop), rows, config.Bytes(bytes), held)
}

func (d *doctor) planRetention(ctx context.Context, o clickhouse.Options, ages retention.Ages) (plan retention.Plan, err error) {
	store, err := clickhouse.Open(ctx, o)
	if err != nil {
		return plan, err
	}
	defer func() {
		if closing := store.Close(); err == nil {
			err = closing
		}
	}()
	records, err := register.Open(ctx, store, store, register.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return plan, err
	}
	return retention.MakePlan(ctx, store, records.List, ages, d.config.labelled(), time.Now())
}
