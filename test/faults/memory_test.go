package faults

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

const (
	pointsPerSecond  = 50_000
	pointsPerRequest = 1000
	maxResident      = 512_000_000 // bytes
	leastDrain       = 5           // times the rate at which points arrive
)

// TestMemoryWhileTheServerIsAway sends 50,000 points a second while the server is
// away, for EVENKEEL_AWAY (3m with EVENKEEL_KILLS), and holds the collector's
// resident memory and the rate at which the spool is emptied afterwards against
// what is promised.
func TestMemoryWhileTheServerIsAway(t *testing.T) {
	away := awayFor(t)
	server := startServer(t)
	s := newSiteAt(t, server, "spool: {max: 8GiB}")
	s.start("")
	s.untilUp()
	server.be(closed)
	acked := s.load(away)
	t.Logf("%d points acknowledged in %v, %.0f a second; resident at most %.0f MB", acked, away, float64(acked)/away.Seconds(), s.resident()/1e6)
	server.be(open)
	count := func() (rows uint64) {
		ask(t, server.store, "SELECT count() FROM samples", &rows)
		return rows
	}
	for until := time.Now().Add(deadline); count() == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("nothing is stored")
		}
	}
	began, before := time.Now(), count()
	last, grown := before, began
	for last < acked {
		if n := count(); n > last {
			last, grown = n, time.Now()
		}
		if time.Since(grown) > deadline {
			t.Fatalf("%d points of %d are stored", last, acked)
		}
		time.Sleep(100 * time.Millisecond)
	}
	rate := float64(last-before) / time.Since(began).Seconds()
	t.Logf("emptied at %.0f points a second, %.1f times what arrives; resident at most %.0f MB", rate, rate/pointsPerSecond, s.resident()/1e6)
	if r := s.resident(); r > maxResident {
		t.Errorf("resident at most %.0f MB, more than %d", r/1e6, int(maxResident/1e6))
	}
	if rate < leastDrain*pointsPerSecond {
		t.Errorf("emptied at %.1f times what arrives, less than %d", rate/pointsPerSecond, leastDrain)
	}
	s.empty()
	var rows, different uint64
	ask(t, server.store, "SELECT count(), uniqExact(fingerprint, time) FROM samples", &rows, &different)
	f := figure{scenario: t.Name()}
	f.add(int(acked), int(rows), int(acked)-int(different), int(rows-different))
	f.report()
	if rows != acked || different != acked {
		t.Errorf("%d points acknowledged, %d rows, %d different", acked, rows, different)
	}
}

func awayFor(t *testing.T) time.Duration {
	t.Helper()
	v := os.Getenv("EVENKEEL_AWAY")
	if v == "" {
		if killsAsked(t) == 0 {
			t.Skip("takes minutes: set EVENKEEL_AWAY=3m")
		}
		v = "3m"
	}
	away, err := time.ParseDuration(v)
	if err != nil {
		t.Fatalf("EVENKEEL_AWAY: %v", err)
	}
	return away
}

// load sends points at their rate for a while and gives how many were
// acknowledged.
func (s *site) load(during time.Duration) (acked uint64) {
	s.t.Helper()
	out := &sender{url: "http://" + s.http, name: "load", named: true, client: http.Client{Transport: &http.Transport{}, Timeout: deadline}}
	defer out.client.CloseIdleConnections()
	begin := time.Now()
	for n := 0; time.Since(begin) < during; n++ {
		if !out.post(context.Background(), n, kindMetrics, manyPoints(n)) {
			s.t.Fatalf("request %d is not acknowledged", n)
		}
		acked += pointsPerRequest
		time.Sleep(time.Until(begin.Add(time.Duration(n+1) * time.Second * pointsPerRequest / pointsPerSecond))) // the pace
	}
	return acked
}

// manyPoints is a request of 1,000 series, at a time of its own.
func manyPoints(n int) []byte {
	metrics := pmetric.NewMetrics()
	rm := metrics.ResourceMetrics().AppendEmpty()
	identify(rm.Resource())
	list := rm.ScopeMetrics().AppendEmpty().Metrics()
	at := pcommon.NewTimestampFromTime(over.Add(time.Duration(n) * 20 * time.Millisecond))
	for i := range 10 {
		m := list.AppendEmpty()
		m.SetName(fmt.Sprintf("load_%d", i))
		points := m.SetEmptyGauge().DataPoints()
		for k := range pointsPerRequest / 10 {
			p := points.AppendEmpty()
			p.SetTimestamp(at)
			p.Attributes().PutStr("feature", fmt.Sprintf("feature-%d", k))
			p.SetDoubleValue(float64(n*k) / 7)
		}
	}
	raw, err := pmetricotlp.NewExportRequestFromMetrics(metrics).MarshalProto()
	if err != nil {
		panic(err) // the request holds nothing but short strings and numbers
	}
	return raw
}

// resident gives the most memory that the collector ever had, in bytes.
func (s *site) resident() float64 {
	s.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	return peak(s.t, string(status))
}

// peak reads the high-water mark out of a process's status.
func peak(t *testing.T, status string) float64 {
	t.Helper()
	for line := range strings.Lines(status) {
		var kib float64
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kib); err == nil {
			return kib * 1024
		}
	}
	t.Fatal("no VmHWM in the process's status")
	return 0
}
