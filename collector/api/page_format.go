package api

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// formatNumber writes a value with four digits that count; nothing is a dash.
func formatNumber(v *float64) string {
	if v == nil || math.IsNaN(*v) {
		return "–"
	}
	return strconv.FormatFloat(*v, 'g', 4, 64)
}

func formatBytes(n uint64) string {
	value, unit := float64(n), "B"
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, next
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// formatClock writes a time in UTC; the page says so once.
func formatClock(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// formatSubject writes labels as people read them: without the common prefix
// and without the system, which stands in a column of its own.
func formatSubject(subject map[string]string) string {
	var parts []string
	for _, label := range slices.Sorted(maps.Keys(subject)) {
		if label != "evenkeel_system_id" {
			parts = append(parts, strings.TrimPrefix(label, "evenkeel_")+"="+subject[label])
		}
	}
	return strings.Join(parts, ", ")
}
