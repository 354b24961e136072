package signal

import "github.com/evenkeel/evenkeel/measure"

// VerdictOn gives the verdict that a ground leads to; Error for a ground that
// is none of measure's.
func VerdictOn(g measure.Ground) Verdict {
	switch g {
	case measure.GroundAllowed, measure.GroundNotShown:
		return Pass
	case measure.GroundWarned, measure.GroundInconclusive:
		return Warn
	case measure.GroundBreached:
		return Fail
	case measure.GroundAbsent, measure.GroundNotFinite, measure.GroundFewSamples, measure.GroundUnderpowered:
		return NoData
	}
	return Error
}
