package signal

// Metrics of how much is profiled.
const (
	MetricSampleRate   = "evenkeel.sample.rate"   // share of the requests that are profiled, as it is in force
	MetricProfilingCPU = "evenkeel.profiling.cpu" // CPU time of decoding and counting
)

// ReasonCeiling is why a request was sampled out that the configuration wanted:
// profiling it would have taken more CPU than it may.
const ReasonCeiling = "ceiling"
