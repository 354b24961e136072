package register

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

// The types of events. All but EventApproved are about records; those about
// baselines stand in baselines.go.
const (
	EventOpened       = "opened"       // the record exists from here on
	EventOccurrence   = "occurrence"   // the requirement is still not met
	EventFailing      = "failing"      // not met again after it had cleared
	EventPassing      = "passing"      // one part passes, another still fails
	EventCleared      = "cleared"      // every part passes; the record stays open
	EventNoData       = "no_data"      // nothing fails, but something is silent
	EventPromoted     = "promoted"     // an observation became a nonconformity
	EventAcknowledged = "acknowledged" // a person knows of it
	EventApproved     = "approved"     // a criterion was approved for a system
)

// Opened is the data of EventOpened: everything the record starts with.
type Opened struct {
	Ref          string              `json:"ref"`
	Tenant       string              `json:"tenant"`
	DedupKey     signal.Digest       `json:"dedup_key"`
	Kind         string              `json:"kind"`
	Severity     string              `json:"severity,omitempty"`
	State        State               `json:"state"`
	Rule         signal.RuleID       `json:"rule"`
	RuleTitle    string              `json:"rule_title"`
	RuleVersion  int                 `json:"rule_version"`
	RuleDigest   signal.Digest       `json:"rule_digest"`
	System       signal.SystemID     `json:"system"`
	Subject      map[string]string   `json:"subject"`
	Requirements []model.Requirement `json:"requirements"`
	Responsible  map[string]string   `json:"responsible,omitempty"`
	Runbook      string              `json:"runbook,omitempty"`
	Limit        string              `json:"limit"`
	Criterion    *model.Criterion    `json:"criterion,omitempty"` // nil: not approved
	DetectedAt   time.Time           `json:"detected_at"`         // end of the first window of the streak
	Measured     Measured            `json:"measured"`
}

// Measured is the evaluation behind an event. Part names what the
// deduplication key leaves out, in general the model version.
type Measured struct {
	Evaluation  string            `json:"evaluation"`
	Verdict     signal.Verdict    `json:"verdict"`
	Part        map[string]string `json:"part,omitempty"`
	Value       *float64          `json:"value"`
	Excess      *float64          `json:"excess,omitempty"` // how far beyond the limit; ranks the worst
	Samples     uint64            `json:"samples"`
	WindowStart time.Time         `json:"window_start"`
	WindowEnd   time.Time         `json:"window_end"`
	Reason      string            `json:"reason"`
}

// Observed is the data of the events that one evaluation causes in a record
// that is already open.
type Observed struct {
	Measured  Measured         `json:"measured"`
	Severity  string           `json:"severity,omitempty"`  // EventPromoted
	Criterion *model.Criterion `json:"criterion,omitempty"` // EventPromoted
}

// Acknowledged is the data of EventAcknowledged.
type Acknowledged struct {
	Note string `json:"note,omitempty"`
}

// namespace makes the ids that are derived from what they name.
var namespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("evenkeel:register"))

func derivedID(parts ...string) string {
	raw, _ := json.Marshal(parts) // strings: cannot fail
	return uuid.NewSHA1(namespace, raw).String()
}

// newEvent links an event to the chain whose last event is head (nil starts a
// chain). Times are cut to milliseconds, which every store keeps, and never
// run backwards within a chain.
func newEvent(record, id, kind string, at time.Time, by model.Actor, data any, head *model.RegisterEvent) (model.RegisterEvent, error) {
	raw, err := canonical.JSON(data)
	if err != nil {
		return model.RegisterEvent{}, fmt.Errorf("%s event of %s: %w", kind, record, err)
	}
	ev := model.RegisterEvent{
		ID: id, Record: record, Seq: 1, Type: kind, Actor: by, Data: raw,
		Time: at.UTC().Truncate(time.Millisecond),
	}
	if head != nil {
		ev.Seq, ev.PrevHash = head.Seq+1, head.Hash
		if ev.Time.Before(head.Time) {
			ev.Time = head.Time
		}
	}
	ev.Hash, err = hashOf(&ev)
	return ev, err
}

// hashOf is the digest of an event's fields but Hash itself. Data goes in as
// the bytes that are stored, so that not even white space can change unseen.
func hashOf(ev *model.RegisterEvent) (signal.Digest, error) {
	sum, err := canonical.Digest(struct {
		ID       string        `json:"id"`
		Record   string        `json:"record"`
		Seq      uint64        `json:"seq"`
		Time     string        `json:"time"`
		Type     string        `json:"type"`
		Actor    model.Actor   `json:"actor"`
		Data     string        `json:"data"`
		PrevHash signal.Digest `json:"prev_hash"`
	}{
		ev.ID, ev.Record, ev.Seq, ev.Time.UTC().Format(time.RFC3339Nano),
		ev.Type, ev.Actor, string(ev.Data), ev.PrevHash,
	})
	if err != nil {
		return "", fmt.Errorf("hash of event %d of %s: %w", ev.Seq, ev.Record, err)
	}
	return signal.Digest(sum), nil
}
