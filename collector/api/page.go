package api

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/version"
	"github.com/evenkeel/evenkeel/signal"
)

//go:embed page/page.html page/style.css
var pageFiles embed.FS

var pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"number": formatNumber, "bytes": formatBytes, "clock": formatClock, "subject": formatSubject,
	"length": func(d time.Duration) string { return config.Duration(d).String() },
	"join":   strings.Join,
}).ParseFS(pageFiles, "page/page.html"))

// What the page shows at most, so that it stays a page.
const (
	pageVerdicts = 200
	pageWindows  = 12
)

// pageData is everything that the page shows.
type pageData struct {
	Now      time.Time
	Version  string
	Refresh  bool
	Trouble  []string // what could not be read, and broken chains
	Systems  []pageSystem
	Account  *Account
	Windows  []model.FleetWindow // newest first
	Records  []model.RecordEntry
	Verdicts []model.Evaluation // worst first
	More     int                // verdicts that are not shown
	Plugins  []Plugin
}

// pageSystem is one line of the systems' table.
type pageSystem struct {
	ID    signal.SystemID
	Owner string
	Open  int       // records
	Seen  time.Time // end of the last sealed window; zero: none yet
}

func (h *handler) page(w http.ResponseWriter, r *http.Request) {
	data := h.gather(r.Context())
	data.Refresh = r.URL.Query().Get("refresh") != "off"
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, data); err != nil {
		h.fail(w, r, fmt.Errorf("render page: %w", err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(out.Bytes()) // the reader may be gone
}

func (h *handler) style(w http.ResponseWriter, r *http.Request) {
	css, err := pageFiles.ReadFile("page/style.css")
	if err != nil {
		h.fail(w, r, fmt.Errorf("read style: %w", err))
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(css) // the reader may be gone
}

// gather reads what the page shows. A store that is away costs its own parts
// of the page and is said at the top.
func (h *handler) gather(ctx context.Context) *pageData {
	now := h.Clock().UTC()
	d := &pageData{Now: now, Version: version.Version}
	for _, f := range h.Register.Faults() {
		d.Trouble = append(d.Trouble, f.Error())
	}
	d.Records = h.Register.List(model.RecordFilter{State: model.AnyOpen})
	windows, err := h.lastWindows(ctx, now)
	if err != nil {
		d.Trouble = append(d.Trouble, "windows: "+err.Error())
	}
	d.Systems = h.systems(d.Records, windows)
	d.Windows = windows[:min(len(windows), pageWindows)]
	verdicts, err := h.Reader.LatestEvaluations(ctx, now.Add(-evaluationsSince))
	if err != nil {
		d.Trouble = append(d.Trouble, "verdicts: "+err.Error())
	}
	slices.SortStableFunc(verdicts, worstFirst)
	d.Verdicts = verdicts[:min(len(verdicts), pageVerdicts)]
	d.More = len(verdicts) - len(d.Verdicts)
	if h.Account != nil {
		account := h.Account()
		d.Account = &account
	}
	if h.Plugins != nil {
		d.Plugins = h.Plugins()
	}
	return d
}

// lastWindows gives sealed windows, newest first: of the last hour or, where
// windows are long, of as far back as verdicts are shown.
func (h *handler) lastWindows(ctx context.Context, now time.Time) ([]model.FleetWindow, error) {
	windows, err := h.Reader.FleetWindows(ctx, now.Add(-time.Hour), now)
	if err == nil && len(windows) == 0 {
		windows, err = h.Reader.FleetWindows(ctx, now.Add(-evaluationsSince), now)
	}
	slices.SortStableFunc(windows, func(a, b model.FleetWindow) int { return b.End.Compare(a.End) })
	return windows, err
}

// systems lists the declared ones and those that sent windows anyway.
func (h *handler) systems(records []model.RecordEntry, windows []model.FleetWindow) []pageSystem {
	byID := map[signal.SystemID]*pageSystem{}
	at := func(id signal.SystemID) *pageSystem {
		if byID[id] == nil {
			byID[id] = &pageSystem{ID: id}
		}
		return byID[id]
	}
	for _, s := range h.Systems {
		at(s.ID).Owner = s.Owner
	}
	for _, e := range records {
		at(e.Record.System).Open++
	}
	for _, w := range windows {
		if s := at(w.System); w.End.After(s.Seen) {
			s.Seen = w.End
		}
	}
	list := make([]pageSystem, 0, len(byID))
	for _, s := range byID {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b pageSystem) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// badness orders verdicts for people: what needs them comes first.
var badness = map[signal.Verdict]int{signal.Fail: 0, signal.Error: 1, signal.NoData: 2, signal.Warn: 3, signal.Pass: 4}

func worstFirst(a, b model.Evaluation) int {
	return cmp.Or(
		cmp.Compare(badness[a.Verdict], badness[b.Verdict]),
		cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(formatSubject(a.Subject), formatSubject(b.Subject)),
	)
}
