package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

// Reviews is where reviews by people go (collector/ingest).
type Reviews interface {
	// TakeReviews makes reviews durable; on nil all of them are.
	TakeReviews(ctx context.Context, reviews []signal.Review, sender string) error
}

// reviewItem is one review as it is sent.
type reviewItem struct {
	System   signal.SystemID `json:"system"`
	ID       string          `json:"prediction_id"`
	Row      uint32          `json:"row"`
	Required bool            `json:"required"`
	Start    time.Time       `json:"start"`
	End      time.Time       `json:"end"`
	Decision string          `json:"decision"`
	Role     string          `json:"role"`
}

// postReviews answers POST /reviews: one review, or an array of them. Of several
// those that are reviews are taken. The same body again is stored once, whether
// the sender names it or not.
func (h *handler) postReviews(w http.ResponseWriter, r *http.Request) {
	if h.Reviews == nil {
		h.notFound(w, r)
		return
	}
	leave, items, err := h.readItems(w, r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer leave()
	system, err := systemParam(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	var answer taken
	var reviews []signal.Review
	var ids bytes.Buffer
	for i, raw := range items {
		review, err := h.review(raw, system)
		if err != nil {
			answer.refuse(i+1, err)
			continue
		}
		reviews = append(reviews, *review)
		ids.WriteString(review.ReviewID())
	}
	sender := cmp.Or(r.Header.Get(model.BatchHeader), "reviews/"+canonical.Sum(ids.Bytes()))
	if err := h.Reviews.TakeReviews(r.Context(), reviews, sender); err != nil {
		h.failTaken(w, r, err)
		return
	}
	answer.Accepted = len(reviews)
	h.writeTaken(w, &answer, "no review")
}

// review reads one item; names of people have no field.
func (h *handler) review(raw []byte, system signal.SystemID) (*signal.Review, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("not UTF-8")
	}
	var item reviewItem
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&item); err != nil {
		return nil, err
	}
	if dec.More() {
		return nil, errors.New("more follows behind the object; send several as an array")
	}
	review := &signal.Review{
		System: cmp.Or(item.System, system), ID: item.ID, Row: item.Row, Required: item.Required,
		Start: item.Start, End: item.End, Decision: item.Decision, Role: item.Role,
	}
	if err := review.Validate(); err != nil {
		return nil, err
	}
	return review, checkReviewed(review, h.Clock())
}

// oldestReview is how long ago a review may have been: longer than any is told
// late.
const oldestReview = 366 * 24 * time.Hour

func checkReviewed(r *signal.Review, now time.Time) error {
	for _, at := range []struct {
		name string
		time time.Time
	}{{"start", r.Start}, {"end", r.End}} {
		if !at.time.IsZero() && (at.time.After(now.Add(model.ClockSlack)) || at.time.Before(now.Add(-oldestReview))) {
			return fmt.Errorf("%s: %s is more than a year ago or a day ahead", at.name, at.time.Format(time.RFC3339))
		}
	}
	return nil
}
