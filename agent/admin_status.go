package agent

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/internal/config"
)

// profiles serves Go's profiles. The configuration is valid only where the port
// is on loopback; a page in the browser that has a name of its own point there is
// not answered.
func profiles(r chi.Router) {
	r.Group(func(r chi.Router) {
		r.Use(localOnly)
		r.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		r.HandleFunc("/debug/pprof/profile", pprof.Profile)
		r.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		r.HandleFunc("/debug/pprof/trace", pprof.Trace)
		r.HandleFunc("/debug/pprof/*", pprof.Index)
	})
}

func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(strings.Trim(host, "[]")); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			answer(w, http.StatusForbidden, "profiles are served to 127.0.0.1 and localhost only")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serveStatus says in words how the agent stands.
func (a *Agent) serveStatus(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	page := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	a.statusOfAgent(page)
	a.statusOfModels(page)
	a.statusOfSampling(page)
	a.statusOfLineage(page)
	a.statusOfExport(page)
	a.statusOfServers(page)
	a.statusOfLosses(page)
	_ = page.Flush() // a client that left needs no page
}

// line writes a row of the page; the columns stand under each other.
func line(w io.Writer, columns ...any) {
	for i, c := range columns {
		if i > 0 {
			_, _ = fmt.Fprint(w, "\t")
		}
		_, _ = fmt.Fprint(w, c)
	}
	_, _ = fmt.Fprintln(w) // into the page's memory
}

func (a *Agent) statusOfAgent(w io.Writer) {
	now := time.Now()
	inForce := a.inForce.Load()
	line(w, "evenkeel-agent", a.identity.Version)
	line(w, "system", a.c.System)
	line(w, "instance", a.identity.Instance)
	line(w, "inference", a.Addr(), "->", a.upstream)
	line(w, "configuration", inForce.digest)
	line(w, "  in force for", since(now, inForce.since))
	line(w, "  refused since the start", a.failures.Load())
	if o, ok := a.clock.Offset(); ok {
		line(w, "collector's clock", fmt.Sprintf("%+.3f s, ± %.3f s", o.Seconds, o.Uncertainty))
	}
	line(w)
}

func (a *Agent) statusOfModels(w io.Writer) {
	line(w, "model", "version", "baseline", "from", "windows", "rows", "seen", "profiled", "sampled out", "dropped", "undecodable")
	for _, s := range a.plan().inOrder() {
		account := a.captured(s.monitored)
		var requests uint64
		for _, p := range s.windows.Profilers() {
			requests += p.Totals().Requests
		}
		for i, p := range s.windows.Profilers() {
			t := p.Totals()
			row := []any{s.Name, p.Model().Version, orDash(s.digest.Short()), s.from(), t.Windows, t.Rows}
			if i == 0 {
				row = append(row, account.Seen, requests, account.SampledOut, account.Dropped, account.Undecodable)
			}
			line(w, row...)
		}
		if len(s.windows.Profilers()) == 0 {
			line(w, s.Name, "-", orDash(s.digest.Short()), s.from(), 0, 0, account.Seen, 0, account.SampledOut, account.Dropped, account.Undecodable)
		}
	}
	line(w)
}

// from says where the baseline comes from, and how far learning one has come.
func (s *served) from() string {
	if s.learner == nil {
		return string(s.origin)
	}
	return fmt.Sprintf("%s (%d rows)", s.origin, s.learner.Rows())
}

func (a *Agent) statusOfExport(w io.Writer) {
	stats, state := a.tap.Stats(), a.exporter.State()
	line(w, "queue", config.Bytes(stats.Held), "of", config.Bytes(stats.Bound), "waiting", stats.Waiting)
	last := "never"
	if state.LastTaken > 0 {
		last = since(time.Now(), time.Unix(state.LastTaken, 0)) + " ago"
	}
	line(w, "last export", last, "to", a.plan().c.Export.Endpoint)
	line(w, "spool", "requests", "bytes", "sent", "retried", "refused", "quarantined", "rejected records")
	for _, k := range []export.Kind{export.Logs, export.Metrics, export.Predictions} {
		c := state.Spool[k]
		line(w, "  "+string(k), c.Waiting, config.Bytes(c.Bytes), c.Sent, c.Retried, c.Refused, c.Quarantined, c.Rejected)
	}
	line(w)
}

func (a *Agent) statusOfServers(w io.Writer) {
	for _, s := range a.scraper.States() {
		line(w, "server", s.URL, "last read", when(s.Last), "failures", s.Failures, s.Failure)
	}
	for _, r := range a.scraper.Readings() {
		line(w, "  "+r.Model, "requests", r.Requests, "saturation", r.Saturation)
	}
}

// statusOfLosses lists what was lost, by reason; nothing where nothing was.
func (a *Agent) statusOfLosses(w io.Writer) {
	state := a.exporter.State()
	line(w, "lost")
	lost := 0
	tell := func(what, reason string, n uint64) {
		if n > 0 {
			lost++
			line(w, "  "+what, reason, n)
		}
	}
	dropped, undecodable := a.dropped(), a.undecodable()
	for _, r := range slices.Sorted(maps.Keys(dropped)) {
		tell("not captured", r, dropped[r])
	}
	for _, r := range slices.Sorted(maps.Keys(undecodable)) {
		tell("undecodable", r, undecodable[r])
	}
	tell("windows", "lost", uint64(state.HeldLost))
	for _, r := range slices.Sorted(maps.Keys(state.RowsLost)) {
		tell("predictions", r, uint64(state.RowsLost[r]))
	}
	for part, n := range a.guard.Counts() {
		tell("panics", part, n)
	}
	if lost == 0 {
		line(w, "  nothing")
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func since(now, then time.Time) string { return max(0, now.Sub(then)).Round(time.Second).String() }

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return since(time.Now(), t) + " ago"
}
