package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
)

// errNoName is said where an act of a person has no person.
var errNoName = errors.New("nobody is named")

// printJSON writes an answer as it came, indented.
func printJSON(w io.Writer, raw json.RawMessage) error {
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	out.WriteByte('\n')
	_, err := out.WriteTo(w)
	return err
}

// printRecords writes a table for people.
func printRecords(w io.Writer, raw json.RawMessage) error {
	var answer struct {
		Nonconformities []model.Record
		Faults          []model.ChainFault
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	for _, f := range answer.Faults {
		if _, err := fmt.Fprintln(w, "WARNING:", f.Error()); err != nil {
			return err
		}
	}
	if len(answer.Nonconformities) == 0 {
		_, err := fmt.Fprintln(w, "no records")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "REF\tKIND\tSTATE\tCONDITION\tRULE\tSYSTEM\tSUBJECT\tVALUE\tWORST\tFAILS\tSEEN\tSINCE (UTC)") // kept until Flush
	for i := range answer.Nonconformities {
		r := &answer.Nonconformities[i]
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d×\t%s\n",
			r.Ref, r.Kind, r.State, r.Condition, r.Rule, r.System, shortSubject(r.Subject), number(r.Last), number(r.Worst), r.Limit, r.Occurrences, clock(r.OpenedAt))
	}
	return table.Flush()
}

// recordAnswer is what the collector says about one record.
type recordAnswer struct {
	Nonconformity model.Record
	Fault         *model.ChainFault
	Tickets       map[string]string
	Events        []struct {
		Seq   uint64
		Time  time.Time
		Type  string
		Actor model.Actor
		Data  struct {
			Note     string
			Measured struct {
				Reason string
				Value  *float64
			}
		}
	}
}

// printRecord writes one record and its history for people.
func printRecord(w io.Writer, raw json.RawMessage) error {
	var answer recordAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, line := range describe(&answer) {
		if line[1] != "" {
			_, _ = fmt.Fprintf(table, "%s\t%s\n", line[0], line[1]) // kept until Flush
		}
	}
	_, _ = fmt.Fprintln(table, "\nSEQ\tTIME (UTC)\tEVENT\tBY\tWHAT")
	for _, e := range answer.Events {
		what := e.Data.Measured.Reason
		if what == "" {
			what = e.Data.Note
		}
		_, _ = fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", e.Seq, clock(e.Time), e.Type, e.Actor.ID, what)
	}
	return table.Flush()
}

func describe(a *recordAnswer) [][2]string {
	r := &a.Nonconformity
	var requirements, tickets []string
	for _, q := range r.Requirements {
		requirements = append(requirements, q.Framework+" "+q.Ref)
	}
	for _, sink := range slices.Sorted(maps.Keys(a.Tickets)) {
		tickets = append(tickets, sink+" "+a.Tickets[sink])
	}
	lines := [][2]string{
		{"Record", r.Ref + "  " + r.ID},
		{"Kind", strings.TrimSpace(r.Severity + " " + r.Kind)},
		{"State", r.State + ", " + r.Condition},
		{"Rule", fmt.Sprintf("%s %s", r.Rule, r.RuleTitle)},
		{"System", string(r.System)},
		{"Subject", shortSubject(r.Subject)},
		{"Not met", r.Statement},
		{"Value", fmt.Sprintf("%s at opening, %s worst, %s last; fails %s", number(r.Value), number(r.Worst), number(r.Last), r.Limit)},
		{"Versions", strings.Join(r.ModelVersions, ", ")},
		{"Seen", fmt.Sprintf("%d times, last in the window that ended %s", r.Occurrences, clock(r.LastSeenAt))},
		{"Detected", clock(r.DetectedAt)},
		{"Opened", clock(r.OpenedAt)},
		{"Requirements", strings.Join(requirements, ", ")},
		{"Responsible", pairs(r.Responsible)},
		{"Runbook", r.Runbook},
		{"Tickets", strings.Join(tickets, ", ")},
		{"Chain", fmt.Sprintf("%d events, head %s", r.Seq, r.Head.Short())},
	}
	if r.ClearedAt != nil {
		lines = append(lines, [2]string{"Cleared", clock(*r.ClearedAt)})
	}
	if r.AwareAt != nil && r.AcknowledgeBy != nil {
		lines = append(lines, [2]string{"Acknowledged", clock(*r.AwareAt) + " by " + r.AcknowledgeBy.ID})
	}
	if a.Fault != nil {
		lines = append(lines, [2]string{"WARNING", a.Fault.Error()})
	}
	return lines
}

func printAcknowledged(w io.Writer, raw json.RawMessage) error {
	var answer recordAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	r := &answer.Nonconformity
	if r.AwareAt == nil || r.AcknowledgeBy == nil {
		return fmt.Errorf("read answer: %s is not acknowledged", r.Ref)
	}
	_, err := fmt.Fprintf(w, "%s is acknowledged since %s by %s\n", r.Ref, clock(*r.AwareAt), r.AcknowledgeBy.ID)
	return err
}

func shortSubject(subject map[string]string) string {
	short := map[string]string{}
	for label, value := range subject {
		if label != "evenkeel_system_id" {
			short[strings.TrimPrefix(label, "evenkeel_")] = value
		}
	}
	return pairs(short)
}

func pairs(m map[string]string) string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, k+"="+m[k])
	}
	return strings.Join(list, ", ")
}

func number(v *float64) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'g', 4, 64)
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
