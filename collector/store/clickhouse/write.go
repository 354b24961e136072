package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/faultpoint"
)

// Write stores one batch; see model.Writer. Tables are written in a fixed
// order, series before their samples, so that a reader never finds samples
// without a series. What an interrupted Write left out is added by the next.
func (s *Store) Write(ctx context.Context, batch model.Batch, rows *model.Rows, doubt model.Doubt) error {
	unknown := s.series.unknown(rows.Series)
	inserts := plan(rows, unknown)
	if doubt == model.InDoubt {
		var err error
		if inserts, err = s.missing(ctx, batch, inserts); err != nil {
			return err
		}
	}
	for _, in := range inserts {
		if err := s.store(ctx, batch, in, doubt); err != nil {
			return err
		}
	}
	s.series.remember(unknown)
	return nil
}

// store inserts rows that are not there yet. Every try carries the same token,
// so one that arrives late, after a later try, is dropped by the server. The
// token alone would drop too much: the server notes it before it has the rows,
// so the note of a try that failed in between makes all later ones vanish
// without a word. Therefore in doubt the rows are counted afterwards, and if
// there are none, sent under a token that nobody has used.
func (s *Store) store(ctx context.Context, batch model.Batch, in insert, doubt model.Doubt) error {
	token := s.insertName(batch) + in.table + "/" + in.dayName()
	if err := s.insert(ctx, batch, in, token); err != nil || doubt == model.FirstTry || in.replacing {
		return err
	}
	found, err := s.countBatch(ctx, batch, in.table, in.timeColumn, []time.Time{in.day})
	if err != nil {
		return err
	}
	stored, err := in.isStored(batch, found[in.day])
	if err != nil || stored {
		return err
	}
	return s.insert(ctx, batch, in, token+"/"+uuid.NewString())
}

// plan cuts a batch into its inserts.
func plan(rows *model.Rows, series []model.Series) []insert {
	return slices.Concat(
		seriesTable.inserts(series),
		baselinesTable.inserts(rows.Baselines),
		samplesTable.inserts(rows.Samples),
		distributionsTable.inserts(rows.Distributions),
		lineageTable.inserts(rows.Lineage),
		lineageEdgesTable.inserts(rows.LineageEdges),
		predictionsTable.inserts(rows.Predictions),
		labelsTable.inserts(rows.Labels),
		logsTable.inserts(rows.Logs),
		tracesTable.inserts(rows.Spans),
		traceTimesTable.inserts(timesOfTraces(rows.Spans)),
		driftProcessesTable.inserts(rows.DriftProcesses),
		fleetWindowsTable.inserts(rows.FleetWindows),
		evaluationsTable.inserts(rows.Evaluations),
		eventsTable.inserts(rows.Events),
		deliveriesTable.inserts(rows.Deliveries),
	)
}

// insert sends one INSERT and returns when the server has stored it. The token
// names the query too, so that it is found while it runs.
func (s *Store) insert(ctx context.Context, batch model.Batch, in insert, token string) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.InsertTimeout)
	defer cancel()
	ctx = ch.Context(ctx,
		ch.WithQueryID(token),
		ch.WithColumnNamesAndTypes(append(in.columns, ch.ColumnNameAndType{Name: "batch", Type: "UInt64"})),
		ch.WithSettings(s.insertSettings(in, token)),
	)
	faultpoint.Hit("store.before_insert")
	if err := s.send(ctx, batch, in); err != nil {
		return classify(fmt.Sprintf("insert %d rows of batch %d into %s", in.rows, batch, in.table), err)
	}
	faultpoint.Hit("store.after_insert")
	return nil
}

// send fills the columns and submits them once.
func (s *Store) send(ctx context.Context, batch model.Batch, in insert) error {
	out, err := s.conn.PrepareBatch(ctx, in.statement())
	if err != nil {
		return err
	}
	defer out.Close()
	for i, values := range in.values() {
		if err := out.Column(i).Append(values); err != nil {
			return fmt.Errorf("column %s: %w", in.columns[i].Name, err)
		}
	}
	batches := slices.Repeat([]uint64{uint64(batch)}, in.rows)
	if err := out.Column(len(in.columns)).Append(batches); err != nil {
		return fmt.Errorf("column batch: %w", err)
	}
	return out.Send()
}

// insertSettings make an INSERT one block, stored when it is answered, and
// given up by the server when we give up on it. Rows that replace each other
// need no token, and a used one must not keep them out.
func (s *Store) insertSettings(in insert, token string) ch.Settings {
	settings := ch.Settings{
		"async_insert":                    0,
		"insert_deduplicate":              0,
		"max_insert_threads":              1,
		"max_insert_block_size":           max(in.rows, 1<<20),
		"max_partitions_per_insert_block": 1,
		"max_execution_time":              int(s.options.InsertTimeout/time.Second) + 1,
	}
	if !in.replacing {
		settings["insert_deduplicate"], settings["insert_deduplication_token"] = 1, token
	}
	return settings
}

// insertName begins the query ids of a batch's inserts, so that they are found
// again while they run.
func (s *Store) insertName(batch model.Batch) string {
	return "evenkeel/" + s.options.Database + "/" + strconv.FormatUint(uint64(batch), 10) + "/"
}

func (in insert) dayName() string {
	if in.day.IsZero() {
		return "all"
	}
	return in.day.Format(time.DateOnly)
}

func (in insert) statement() string {
	text := "INSERT INTO " + in.table + " ("
	for _, c := range in.columns {
		text += c.Name + ", "
	}
	return text + "batch)"
}
