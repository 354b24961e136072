package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/signal"
)

// Reply is one exchange with the model server, for Decode.
type Reply struct {
	Request, Body []byte
	Encoding      string // header Content-Encoding of the answer
	JSONLength    string // header Inference-Header-Content-Length of the answer
	Start, End    time.Time
}

// Options configure a Prober. All are required but where it says otherwise.
type Options struct {
	Model     string // for the log
	URL       string // where the model is asked, with POST
	Header    map[string]string
	Set       *Set
	Tolerance float64       // how far a number may be from the expected one: as such up to 1, beyond as a share of it
	Every     time.Duration // from the start of one round to the next
	Timeout   time.Duration // of one case
	MaxAnswer int64         // bytes; a longer answer is a failure
	Client    *http.Client  // must not follow redirects

	// Decode reads an answer. The observation may be valid until the next call.
	Decode func(*Reply) (*signal.Observation, error)

	Before *Account // what was counted under other settings; nil: nothing

	Now   func() time.Time
	After func(time.Duration) <-chan time.Time // when a time has passed
	Log   *slog.Logger
}

// soon is how long after a round in which nothing was answered, as at the start
// of a model server, the next one begins at the latest.
const soon = time.Minute

// Prober asks the cases of one model, round by round. One goroutine at a time
// calls Run or Round; Account may be called from any.
type Prober struct {
	o Options

	mu      sync.Mutex
	account Account
}

// New makes a prober; it asks nothing yet.
func New(o Options) *Prober {
	p := &Prober{o: o, account: Account{Failures: map[Failure]uint64{}}}
	if b := o.Before; b != nil {
		p.account = Account{Agreed: b.Agreed, Differed: b.Differed, Failures: maps.Clone(b.Failures), Seconds: b.Seconds, Rounds: b.Rounds}
	}
	p.account.Digest = o.Set.Digest
	return p
}

// Run asks the cases at once and then every period, until ctx ends.
func (p *Prober) Run(ctx context.Context) {
	for ctx.Err() == nil {
		begun := p.o.Now()
		wait := p.o.Every
		if !p.Round(ctx) {
			wait = min(wait, soon)
		}
		select {
		case <-ctx.Done():
		case <-p.o.After(max(0, wait-p.o.Now().Sub(begun))):
		}
	}
}

// Round asks every case once, one after the other, and says whether any was
// answered. Where ctx ends before the last one the round is no result.
func (p *Prober) Round(ctx context.Context) (answered bool) {
	r := round{id: uuid.New(), begun: p.o.Now(), versions: map[string]*Result{}}
	for i := range p.o.Set.Cases {
		c := &p.o.Set.Cases[i]
		began := p.o.Now()
		version, agrees, err := p.ask(ctx, c, &r, i)
		if ctx.Err() != nil {
			return false
		}
		took := p.o.Now().Sub(began)
		p.count(agrees, took, err)
		if err != nil {
			r.failed(c, err)
			continue
		}
		r.answered(c, version, agrees)
	}
	p.finish(&r)
	return len(r.versions) > 0
}

// ask sends one case and compares its answer.
func (p *Prober) ask(ctx context.Context, c *Case, r *round, number int) (version string, agrees bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.o.URL, bytes.NewReader(c.Body))
	if err != nil {
		return "", false, failed(Unreachable, err)
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range p.o.Header {
		req.Header.Set(k, v)
	}
	mark(req.Header, r.id, number)
	reply := Reply{Request: c.Body, Start: p.o.Now()}
	if err := p.send(req, &reply); err != nil {
		return "", false, err
	}
	reply.End = p.o.Now()
	obs, err := p.o.Decode(&reply)
	if err != nil {
		return "", false, failed(Undecodable, err)
	}
	return strings.Clone(obs.Model.Version), c.agrees(obs, p.o.Tolerance), nil // the decoder may have it back
}

func (p *Prober) send(req *http.Request, reply *Reply) error {
	resp, err := p.o.Client.Do(req)
	if err != nil {
		return failed(why(err), err)
	}
	defer func() { _ = resp.Body.Close() }() // read to its end or not, it has nothing more to say
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return failed(Status, fmt.Errorf("the model server answered %s", resp.Status))
	}
	reply.Encoding = resp.Header.Get("Content-Encoding")
	reply.JSONLength = resp.Header.Get("Inference-Header-Content-Length")
	if reply.Body, err = io.ReadAll(io.LimitReader(resp.Body, p.o.MaxAnswer+1)); err != nil {
		return failed(why(err), err)
	}
	if int64(len(reply.Body)) > p.o.MaxAnswer {
		return failed(TooLarge, fmt.Errorf("the answer is longer than %d bytes", p.o.MaxAnswer))
	}
	return nil
}

// why tells an answer that took too long from none.
func why(err error) Failure {
	if errors.Is(err, context.DeadlineExceeded) {
		return TimedOut
	}
	return Unreachable
}
