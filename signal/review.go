package signal

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// EventHumanReview tells that a person reviewed a prediction, or should have.
const EventHumanReview = "evenkeel.human.review"

// Attribute keys of the event evenkeel.human.review, beside those of the
// prediction's id and row.
const (
	keyReviewID       = "evenkeel.review.id"
	keyReviewRequired = "evenkeel.review.required"
	keyReviewStart    = "evenkeel.review.start"
	keyReviewEnd      = "evenkeel.review.end"
	keyReviewDecision = "evenkeel.review.decision"
	keyReviewRole     = "evenkeel.review.role"
)

// The decisions of a review.
const (
	ReviewConfirmed  = "confirmed"  // the prediction stands
	ReviewOverridden = "overridden" // the person decided otherwise
	ReviewEscalated  = "escalated"  // handed on to somebody else
)

// Review is what one person did about one prediction. It holds the reviewer's
// role and never a name.
type Review struct {
	System   SystemID
	ID       string // of the request
	Row      uint32
	Required bool      // the prediction had to be reviewed
	Start    time.Time // zero: not begun
	End      time.Time // zero: not done
	Decision string    // empty while it is not done
	Role     string    // of the reviewer; empty: not said
}

// maxRole bounds a role, in bytes.
const maxRole = 100

// Validate reports what no review can say, by the field's name in JSON.
func (r *Review) Validate() error {
	done := r.Decision != ""
	switch {
	case r.System == "":
		return fmt.Errorf("system: missing")
	case r.ID == "":
		return fmt.Errorf("prediction_id: missing")
	case len(r.ID) > MaxPredictionID:
		return fmt.Errorf("prediction_id: %d bytes, more than %d", len(r.ID), MaxPredictionID)
	case len(r.Role) > maxRole:
		return fmt.Errorf("role: %d bytes, more than %d", len(r.Role), maxRole)
	case !done && !r.End.IsZero():
		return fmt.Errorf("decision: missing; the review has an end")
	case done && r.Decision != ReviewConfirmed && r.Decision != ReviewOverridden && r.Decision != ReviewEscalated:
		return fmt.Errorf("decision: %.40q is none of %s, %s and %s", r.Decision, ReviewConfirmed, ReviewOverridden, ReviewEscalated)
	case done && r.End.IsZero():
		return fmt.Errorf("end: missing; the review has a decision")
	case !r.Start.IsZero() && !r.End.IsZero() && r.End.Before(r.Start):
		return fmt.Errorf("end: before start")
	case !done && !r.Required:
		return fmt.Errorf("required, decision: a review that is neither required nor done says nothing")
	}
	return nil
}

// reviewNamespace makes the ids of reviews their own.
var reviewNamespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("evenkeel:review"))

// ReviewID is derived from all that the review says: the same review told again
// has the same id.
func (r *Review) ReviewID() string {
	raw, _ := json.Marshal([]any{r.System, r.ID, r.Row, r.Required, r.Start.UTC(), r.End.UTC(), r.Decision, r.Role}) // no number that JSON lacks
	return uuid.NewSHA1(reviewNamespace, raw).String()
}

// EncodeReview gives the attributes of the event, in a fixed order; what is empty
// is left out. The system stands on the resource.
func EncodeReview(r *Review) []Attr {
	attrs := []Attr{
		{keyReviewID, r.ReviewID()},
		{keyPredictionID, r.ID},
		{keyPredictionRow, int64(r.Row)},
		{keyReviewRequired, r.Required},
	}
	attrs = appendTime(attrs, keyReviewStart, r.Start)
	attrs = appendTime(attrs, keyReviewEnd, r.End)
	attrs = appendText(attrs, keyReviewDecision, r.Decision)
	return appendText(attrs, keyReviewRole, r.Role)
}
