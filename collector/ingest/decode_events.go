package ingest

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

// addEvent takes what our own events carry. All other records are logs only.
func (d *Decoder) addEvent(resource pcommon.Map, lr plog.LogRecord, received time.Time) {
	var err error
	reason := ""
	switch eventName(lr) {
	case signal.EventWindowProfile:
		reason, err = reasonWindow, d.addWindow(resource, lr, received)
	case signal.EventBaseline:
		reason, err = reasonBaseline, d.addBaseline(resource, lr, received)
	case signal.EventLineageRun:
		reason, err = reasonLineage, d.addLineage(resource, lr, received)
	}
	if err != nil {
		d.Refused.add(reason, "%s: %v", eventName(lr), err)
	}
}

var errNoSystem = fmt.Errorf("resource attribute %s: missing; it says which AI system this is about", signal.KeySystemID)

// maxSystem bounds the name of an AI system, in bytes: it is part of every
// question about the system.
const maxSystem = 1024

// systemOf gives the AI system that a resource is about.
func systemOf(resource pcommon.Map) (signal.SystemID, error) {
	name := textOf(resource, signal.KeySystemID)
	switch {
	case name == "":
		return "", errNoSystem
	case len(name) > maxSystem:
		return "", fmt.Errorf("resource attribute %s: %d bytes, more than %d", signal.KeySystemID, len(name), maxSystem)
	case !utf8.ValidString(name):
		return "", fmt.Errorf("resource attribute %s: not UTF-8", signal.KeySystemID)
	}
	return signal.SystemID(name), nil
}

func (d *Decoder) addWindow(resource pcommon.Map, lr plog.LogRecord, received time.Time) error {
	system, err := systemOf(resource)
	if err != nil {
		return err
	}
	dist, err := signal.DecodeDistribution(lr.Attributes().AsRaw())
	if err != nil {
		return err
	}
	dist.System = system
	if dist.End.Before(received.Add(-oldestPrediction)) || dist.End.After(received.Add(model.ClockSlack)) {
		return fmt.Errorf("the window ended at %s, but was received at %s", dist.End.Format(time.RFC3339), received.UTC().Format(time.RFC3339))
	}
	if !d.inspect {
		d.Rows.Distributions = append(d.Rows.Distributions, dist)
	}
	return nil
}

// addBaseline checks that the content is a sound baseline and that its digest
// is the one that was declared.
func (d *Decoder) addBaseline(resource pcommon.Map, lr plog.LogRecord, received time.Time) error {
	system, err := systemOf(resource)
	if err != nil {
		return err
	}
	content := lr.Body().AsString()
	if content == "" {
		content = textOf(lr.Attributes(), signal.KeyBaselineContent)
	}
	var b signal.Baseline
	if err := json.Unmarshal([]byte(content), &b); err != nil {
		return fmt.Errorf("body: not the JSON of a baseline: %w", err)
	}
	if err := b.Validate(); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	raw, err := canonical.JSON(&b)
	if err != nil {
		return err
	}
	digest := signal.Digest(canonical.Sum(raw))
	if declared := textOf(lr.Attributes(), signal.KeyBaselineID); declared != string(digest) {
		return fmt.Errorf("%s: %q was declared, the content's digest is %s", signal.KeyBaselineID, declared, digest)
	}
	if d.inspect {
		return nil
	}
	ref := signal.ModelRef{
		Name:    textOf(lr.Attributes(), signal.KeyModelName),
		Version: textOf(lr.Attributes(), signal.KeyModelVersion),
	}
	if ref.Name == "" {
		ref = b.Model
	}
	d.Rows.Baselines = append(d.Rows.Baselines, model.Baseline{
		Digest:  digest,
		System:  system,
		Model:   ref,
		SeenAt:  timeOr(uint64(lr.Timestamp()), timeOr(uint64(lr.ObservedTimestamp()), received)),
		Content: string(raw),
	})
	return nil
}
