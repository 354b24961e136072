package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/evenkeel/evenkeel/plugins/sdk"
)

// contentType is that of a CloudEvent in structured mode.
const contentType = "application/cloudevents+json; charset=utf-8"

// cloudEvent is a CloudEvent 1.0 in its JSON format.
type cloudEvent struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`     // of the register's event
	Source          string `json:"source"` // a URI reference: the AI system
	Type            string `json:"type"`   // evenkeel.record.opened
	Subject         string `json:"subject"`
	Time            string `json:"time"`
	DataContentType string `json:"datacontenttype"`
	Data            any    `json:"data"`
}

// recordData is what a record's event carries.
type recordData struct {
	Event  eventData       `json:"event"`
	Record json.RawMessage `json:"record"` // as it was right after the event
}

type eventData struct {
	Seq   uint64          `json:"seq"`
	Type  string          `json:"type"`
	Actor string          `json:"actor"`
	Data  json.RawMessage `json:"data,omitempty"`
}

// commentData is what a remark carries.
type commentData struct {
	Author string `json:"author"`
	Text   string `json:"text"`
}

// recordEvent makes the CloudEvent of one register event.
func recordEvent(ev sdk.Event, rec sdk.Record) cloudEvent {
	return newEvent(ev.ID, "evenkeel.record."+ev.Type, rec.System, rec.Ref, ev.Time, recordData{
		Event:  eventData{Seq: ev.Seq, Type: ev.Type, Actor: ev.Actor, Data: ev.Data},
		Record: rec.JSON,
	})
}

func newEvent(id, kind, system, subject string, at time.Time, data any) cloudEvent {
	return cloudEvent{
		SpecVersion: "1.0", ID: id, Source: "/evenkeel/systems/" + url.PathEscape(system), Type: kind,
		Subject: subject, Time: at.UTC().Format(time.RFC3339Nano), DataContentType: "application/json", Data: data,
	}
}

// sign gives the value of the Evenkeel-Signature header: HMAC-SHA256 of the
// body. The body holds id and time, so a receiver that remembers ids is safe
// from replays.
func sign(secret, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write(body) // a hash never fails
	return fmt.Sprintf("sha256=%s", hex.EncodeToString(mac.Sum(nil)))
}
