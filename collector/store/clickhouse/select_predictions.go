package clickhouse

import (
	"context"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// made selects predictions by their order key, which skips whole partitions and
// then reads only the lane's part of the others.
const made = `time > fromUnixTimestamp64Nano({from:Int64}, 'UTC') AND time <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')`

// PredictedLanes gives the model versions with predictions, or with counts of
// them by agents; see model.CohortReader.
func (s *Store) PredictedLanes(ctx context.Context, from, to time.Time) ([]model.PredictedLane, error) {
	var out []model.PredictedLane
	err := s.query(ctx, "find predicted lanes", `SELECT system, model_name, model_version, max(last) FROM (
			SELECT system, model_name, model_version, max(time) AS last FROM predictions
			WHERE `+made+` GROUP BY system, model_name, model_version
			UNION ALL
			SELECT system, model_name, model_version, max(window_end) AS last FROM distributions
			WHERE target = 'outcomes' AND `+ended+` GROUP BY system, model_name, model_version
		) GROUP BY system, model_name, model_version ORDER BY system, model_name, model_version`,
		span(from, to),
		func(rows driver.Rows) error {
			var l model.PredictedLane
			var system string
			err := rows.Scan(&system, &l.Model.Name, &l.Model.Version, &l.Last)
			l.System, l.Last = signal.SystemID(system), l.Last.UTC()
			out = append(out, l)
			return err
		})
	return out, err
}

// LabelledPredictions joins predictions with their labels, as many at once as
// Options.PredictionRows says, but those of one instant together; see
// model.CohortReader. Labels that were received more than model.ClockSlack before
// their prediction are not found.
func (s *Store) LabelledPredictions(ctx context.Context, system signal.SystemID, m signal.ModelRef, from, to, received time.Time, yield func(*signal.LabelledPrediction) error) error {
	slot := predictionSlot{system: system, model: m, from: storable(from), to: storable(to), received: storable(received)}
	for slot.from.Before(slot.to) {
		page := slot
		end, more, err := s.pageEnd(ctx, &slot)
		if err != nil {
			return err
		}
		if more {
			page.to = end
		}
		found, err := s.joinLabels(ctx, &page)
		if err != nil {
			return err
		}
		for i := range found {
			if err := yield(&found[i]); err != nil {
				return err
			}
		}
		slot.from = page.to
	}
	return nil
}

// predictionSlot is a question: which predictions, with labels as they stood when.
type predictionSlot struct {
	system             signal.SystemID
	model              signal.ModelRef
	from, to, received time.Time
}

// lane are the parameters that the questions about a slot have in common.
func (p *predictionSlot) lane() []any {
	return []any{
		ch.Named("system", string(p.system)), ch.Named("model", p.model.Name), ch.Named("version", p.model.Version),
		ch.Named("from", p.from.UnixNano()), ch.Named("to", p.to.UnixNano()),
	}
}

const ofLane = `system = {system:String} AND model_name = {model:String} AND model_version = {version:String}`

// pageEnd gives the time of the last prediction of the first page, and whether
// there is more than that page.
func (s *Store) pageEnd(ctx context.Context, slot *predictionSlot) (end time.Time, more bool, err error) {
	err = s.query(ctx, "count predictions", `SELECT time FROM predictions WHERE `+ofLane+` AND `+made+`
		ORDER BY time LIMIT 1 OFFSET {page:UInt64}`,
		append(slot.lane(), ch.Named("page", uint64(s.options.PredictionRows-1))),
		func(rows driver.Rows) error {
			more = true
			return rows.Scan(&end)
		})
	return end.UTC(), more, err
}

// joinLabels gives one page. The labels are those of the page's ids only, which
// the labels' order key finds without reading the others of those days.
func (s *Store) joinLabels(ctx context.Context, page *predictionSlot) ([]signal.LabelledPrediction, error) {
	var out []signal.LabelledPrediction
	err := s.query(ctx, "read labelled predictions", `SELECT p.instance, p.id, p.row, p.time, p.value, p.score,
			p.group_attributes, p.group_names, p.basis, p.rate, p.trace_id, p.baseline, p.run,
			l.found, l.newest.1, l.newest.2, l.newest.3, l.newest.4
		FROM (SELECT * FROM predictions WHERE `+ofLane+` AND `+made+`) AS p
		LEFT JOIN (
			SELECT id, row, toUInt8(1) AS found, argMax((value, time, source, received), (time, received, batch, item)) AS newest
			FROM labels
			WHERE system = {system:String}
				AND received > fromUnixTimestamp64Nano({since:Int64}, 'UTC') AND received <= fromUnixTimestamp64Nano({received:Int64}, 'UTC')
				AND (id, row) IN (SELECT id, row FROM predictions WHERE `+ofLane+` AND `+made+`)
			GROUP BY id, row
		) AS l ON p.id = l.id AND p.row = l.row
		ORDER BY p.time, p.id, p.row`,
		append(page.lane(), ch.Named("since", storable(page.from.Add(-model.ClockSlack)).UnixNano()), ch.Named("received", page.received.UnixNano())),
		func(rows driver.Rows) error {
			p, err := scanLabelled(rows)
			p.System, p.Model = page.system, page.model
			if p.Label != nil {
				p.Label.System = page.system
			}
			out = append(out, p)
			return err
		})
	return out, err
}

func scanLabelled(rows driver.Rows) (signal.LabelledPrediction, error) {
	var p signal.LabelledPrediction
	var instance, baseline string
	var attributes, names []string
	var found uint8
	var label signal.Label
	err := rows.Scan(&instance, &p.ID, &p.Row, &p.Time, &p.Value, &p.Score, &attributes, &names,
		&p.Basis, &p.Rate, &p.TraceID, &baseline, &p.Run,
		&found, &label.Value, &label.Time, &label.Source, &label.Received)
	if err != nil {
		return p, err
	}
	p.Instance, p.Baseline, p.Time = signal.InstanceID(instance), signal.Digest(baseline), p.Time.UTC()
	for i, attribute := range attributes {
		p.Groups = append(p.Groups, signal.Membership{Attribute: signal.FeatureName(attribute), Group: names[i]})
	}
	if found == 1 {
		label.ID, label.Row = p.ID, p.Row
		label.Time, label.Received = label.Time.UTC(), label.Received.UTC()
		p.Label = &label
	}
	return p, nil
}
