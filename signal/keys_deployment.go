package signal

// Metrics of what is in service and nobody approved, by the collector.
const (
	MetricLineageUnapproved = "evenkeel.lineage.unapproved" // requests in the last minutes behind which something stood that no approved deployment names
	MetricChangeUnapproved  = "evenkeel.change.unapproved"  // changes told in the last hour to what no approved deployment names
)
