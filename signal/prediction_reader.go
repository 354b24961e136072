package signal

import (
	"math"
	"strings"
	"time"
)

// maxKnownGroups bounds how many texts of groups a PredictionReader remembers.
const maxKnownGroups = 1024

// PredictionReader reads predictions from attributes that come one by one, so
// that nothing is put into a map first. It takes only what DecodePrediction
// takes; where it says false, DecodePrediction knows why. Predictions with equal
// groups share them, and texts are kept as they came. The zero value is ready;
// it is not safe for concurrent use.
type PredictionReader struct {
	p      Prediction
	seen   uint32 // a bit for each attribute that came
	groups string

	known map[string][]Membership // by the text that says so
}

// Begin forgets the attributes that came.
func (r *PredictionReader) Begin() {
	r.p, r.seen, r.groups = Prediction{Score: math.NaN(), Rate: 1}, 0, ""
}

// first says whether an attribute comes for the first time.
func (r *PredictionReader) first(bit int) bool {
	again := r.seen&(1<<bit) != 0
	r.seen |= 1 << bit
	return !again
}

// Text takes an attribute that is a string; false: the prediction is none, or
// says something twice.
func (r *PredictionReader) Text(key, value string) bool {
	switch key {
	case KeyModelName:
		r.p.Model.Name = value
		return r.first(0)
	case KeyModelVersion:
		r.p.Model.Version = value
		return r.first(1)
	case KeyInstanceID:
		r.p.Instance = InstanceID(value)
		return r.first(2)
	case keyPredictionID:
		r.p.ID = value
		return r.first(3)
	case keyPredictionValue:
		r.p.Value = value
		return r.first(4)
	case keyPredictionBasis:
		r.p.Basis = value
		return r.first(5)
	case keyPredictionTrace:
		r.p.TraceID = value
		return r.first(6)
	case keyBaselineDigest:
		r.p.Baseline = Digest(value)
		return r.first(7)
	case keyLineageRunID:
		r.p.Run = value
		return r.first(8)
	case keyPredictionGroup:
		r.groups = value
		return r.first(9)
	}
	if part, ok := partOf(key); ok {
		r.p.Lineage[part] = value
		return r.first(14 + int(part))
	}
	return !isPredictionNumber(key)
}

// Int takes an attribute that is an integer.
func (r *PredictionReader) Int(key string, value int64) bool {
	switch key {
	case keyPredictionRow:
		r.p.Row = uint32(value)
		return r.first(10) && value >= 0 && value <= math.MaxUint32
	case keyPredictionTime:
		r.p.Time = time.Unix(0, value).UTC()
		return r.first(11) && value >= 0
	}
	return !isPredictionAttribute(key)
}

// Float takes an attribute that is a double.
func (r *PredictionReader) Float(key string, value float64) bool {
	finite := !math.IsNaN(value) && !math.IsInf(value, 0)
	switch key {
	case keyPredictionScore:
		r.p.Score = value
		return r.first(12) && finite
	case keyPredictionRate:
		r.p.Rate = value
		return r.first(13) && finite && value != 0
	}
	return !isPredictionAttribute(key)
}

// Other takes an attribute of any other type.
func (r *PredictionReader) Other(key string) bool { return !isPredictionAttribute(key) }

// End gives the prediction that the attributes since Begin make; false: none.
func (r *PredictionReader) End() (Prediction, bool) {
	if r.seen&(1<<9) != 0 {
		var ok bool
		if r.p.Groups, ok = r.memberships(); !ok {
			return Prediction{}, false
		}
	}
	return r.p, r.p.Validate() == nil
}

// memberships reads the text of groups, each text once.
func (r *PredictionReader) memberships() ([]Membership, bool) {
	if known, ok := r.known[r.groups]; ok {
		return known, true
	}
	in := attrReader{attrs: map[string]any{keyPredictionGroup: r.groups}}
	var out []Membership
	if in.json(keyPredictionGroup, &out); in.err != nil {
		return nil, false
	}
	if len(r.groups) > maxPredictionText {
		return out, true
	}
	if r.known == nil || len(r.known) >= maxKnownGroups {
		r.known = map[string][]Membership{}
	}
	r.known[strings.Clone(r.groups)] = out
	return out, true
}

func isPredictionNumber(key string) bool {
	switch key {
	case keyPredictionRow, keyPredictionTime, keyPredictionScore, keyPredictionRate:
		return true
	}
	return false
}

// isPredictionAttribute says whether DecodePrediction reads the attribute.
func isPredictionAttribute(key string) bool {
	switch key {
	case KeyModelName, KeyModelVersion, KeyInstanceID, keyPredictionID, keyPredictionValue, keyPredictionBasis,
		keyPredictionTrace, keyBaselineDigest, keyLineageRunID, keyPredictionGroup:
		return true
	}
	if _, ok := partOf(key); ok {
		return true
	}
	return isPredictionNumber(key)
}
