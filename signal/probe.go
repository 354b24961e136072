package signal

import "github.com/evenkeel/evenkeel/measure"

// Metrics of known cases that an agent asks the model server.
const (
	MetricProbeInfo     = "evenkeel.probe.info"     // 1, with the digest of the cases
	MetricProbeCount    = "evenkeel.probe.count"    // cases that were answered, by outcome
	MetricProbeFailures = "evenkeel.probe.failures" // cases that were not, by reason
	MetricProbeSeconds  = "evenkeel.probe.seconds"  // that all cases together took
	MetricProbeDuration = "evenkeel.probe.duration" // s, of the last round
	MetricProbeLast     = "evenkeel.probe.last"     // s since the Unix epoch, when the last round ended
	MetricProbePassed   = "evenkeel.probe.passed"   // marked requests of anybody that passed the agent

	KeyProbeDigest = "evenkeel.probe.digest" // of the cases, short

	ProbeAgreed   = "agreed"
	ProbeDiffered = "differed"

	BasisProbe           = "probe"     // from known cases that the agent asks
	PerformanceAgreement = "agreement" // share of the known cases that were answered as expected
)

// ProbeScore is how many of the known cases that were answered were answered as
// expected; false where none was.
func ProbeScore(agreed, answered uint64, confidence float64) (Quantity, bool) {
	e, err := measure.Agreement(measure.Proportion{Favourable: agreed, Total: answered}, confidence)
	if err != nil {
		return Quantity{}, false
	}
	return Quantity{
		Metric:     MetricPerformance,
		Dimensions: []Dimension{{KeyPerformance, PerformanceAgreement}, {KeyBasis, BasisProbe}},
		Estimate:   e,
	}, true
}
