package signal

// Metric names of what an agent joins and looks up itself.
const (
	MetricJoinWaiting       = "evenkeel.join.waiting"     // predictions that wait for their labels
	MetricJoinBytes         = "evenkeel.join.bytes"       // disk that they take
	MetricJoinTold          = "evenkeel.join.told"        // predictions whose counts were told
	MetricJoinLabels        = "evenkeel.join.label"       // labels, by KeyReason
	MetricJoinLost          = "evenkeel.join.lost"        // predictions, by KeyReason
	MetricAttributeFailures = "evenkeel.attribute.errors" // files of attributes that could not be read
)
