// Package scrape reads the model server's own Prometheus counters, so that rules
// can use them: how many requests it served, and how near it is to its limit.
//
//	GET server's /metrics -> expfmt -> preset's names -> Reading by model -> the agent's figures
//
// What others measure is told on under two names, whatever the server calls it.
package scrape

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	promodel "github.com/prometheus/common/model"

	"github.com/evenkeel/evenkeel/agent/config"
)

// Reading is what the last scrape told of one model. Several servers that tell
// of one model add their requests, and the fullest one's saturation counts.
type Reading struct {
	Model         string
	Requests      float64
	HasRequests   bool
	Saturation    float64 // from 0 to 1
	HasSaturation bool
}

// Scraper reads all configured servers, each in its own time.
type Scraper struct {
	c      config.Scrape
	models func() []string
	log    *slog.Logger
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	servers []*server
}

// server is a page that is read.
type server struct {
	names
	readings []Reading // of the last scrape that succeeded
	at       time.Time // of it
	failures uint64
	failing  string // the failure that was logged
}

// stale is after how many periods without a success a page tells nothing more: a
// gauge that stands still looks like a server that is well.
const stale = 3

// New makes a scraper. models gives the configured models, at any time.
func New(c config.Scrape, models func() []string, log *slog.Logger) *Scraper {
	s := &Scraper{c: c, models: models, log: log, now: time.Now, client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10},
		Timeout:       c.Timeout.Std(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, o := range c.Servers {
		s.servers = append(s.servers, &server{names: namesOf(o)})
	}
	return s
}

// Run reads every server by turns until ctx ends.
func (s *Scraper) Run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	var reading sync.WaitGroup
	defer reading.Wait()
	for _, server := range s.servers {
		reading.Go(func() { s.follow(ctx, server) })
	}
}

func (s *Scraper) follow(ctx context.Context, v *server) {
	ticker := time.NewTicker(s.c.Every.Std())
	defer ticker.Stop()
	for {
		readings, err := s.read(ctx, v)
		if ctx.Err() != nil {
			return
		}
		s.keep(v, readings, err)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// keep takes the outcome of a scrape. A failure is logged until it changes.
func (s *Scraper) keep(v *server, readings []Reading, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		v.readings, v.at, v.failing = readings, s.now(), ""
		return
	}
	v.failures++
	if text := err.Error(); text != v.failing {
		v.failing = text
		s.log.Warn("the model server's metrics were not read; it is tried again", "url", v.URL, "error", err)
	}
}

// read scrapes once.
func (s *Scraper) read(ctx context.Context, v *server) ([]Reading, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.URL, nil)
	if err != nil {
		return nil, fmt.Errorf("address the metrics: %w", err)
	}
	req.Header.Set("Accept", "text/plain;version=0.0.4;q=1,*/*;q=0.1")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("read the metrics: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end or not, it has nothing more to say
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the metrics answered %s", resp.Status)
	}
	body := &bounded{r: resp.Body, left: int64(s.c.MaxBody)}
	parser := expfmt.NewTextParser(promodel.UTF8Validation)
	families, err := parser.TextToMetricFamilies(body)
	if err != nil {
		return nil, fmt.Errorf("understand the metrics: %w", err)
	}
	return v.find(families, s.models())
}

// bounded fails where more than left bytes come.
type bounded struct {
	r    io.Reader
	left int64
}

// Read is r's, up to the bound.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, fmt.Errorf("longer than scrape.max_body")
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left+1)])
	b.left -= int64(n)
	return n, err
}

// Readings gives what is known now, by model; nothing of servers that have not
// answered for three periods.
func (s *Scraper) Readings() []Reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	byModel := map[string]*Reading{}
	for _, v := range s.servers {
		if v.at.IsZero() || s.now().Sub(v.at) > stale*s.c.Every.Std() {
			continue
		}
		for _, r := range v.readings {
			sum := byModel[r.Model]
			if sum == nil {
				sum = &Reading{Model: r.Model}
				byModel[r.Model] = sum
			}
			sum.add(r)
		}
	}
	out := make([]Reading, 0, len(byModel))
	for _, r := range byModel {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Reading) int { return cmp.Compare(a.Model, b.Model) })
	return out
}

func (r *Reading) add(o Reading) {
	r.Requests += o.Requests
	r.HasRequests = r.HasRequests || o.HasRequests
	r.Saturation = max(r.Saturation, o.Saturation)
	r.HasSaturation = r.HasSaturation || o.HasSaturation
}

// State is how one page stands.
type State struct {
	URL      string
	Last     time.Time // of the last success; zero: none yet
	Failures uint64
	Failure  string // why it fails now; empty: it does not
}

// States gives all pages, as they are configured.
func (s *Scraper) States() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]State, len(s.servers))
	for i, v := range s.servers {
		out[i] = State{v.URL, v.at, v.failures, v.failing}
	}
	return out
}

type families = map[string]*dto.MetricFamily
