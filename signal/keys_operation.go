package signal

// Metrics about running an agent, and what it finds out beside the requests.
const (
	MetricConfigInfo       = "evenkeel.config.info"     // 1, with the digest of the configuration in force
	MetricConfigLoaded     = "evenkeel.config.loaded"   // s since the Unix epoch
	MetricConfigFailures   = "evenkeel.config.failures" // configurations that were refused
	MetricBaselineInfo     = "evenkeel.baseline.info"   // 1, with the baseline's digest and where it comes from
	MetricBaselineLearning = "evenkeel.baseline.learning.rows"
	MetricClockOffset      = "evenkeel.clock.offset" // s, the collector's clock minus the agent's
	MetricClockUncertainty = "evenkeel.clock.uncertainty"
	MetricServerRequests   = "evenkeel.server.request.count" // as the model server counts them
	MetricServerSaturation = "evenkeel.server.saturation"    // 0 to 1
	MetricScrapeFailures   = "evenkeel.server.scrape.failures"
)

// Attribute keys of these metrics.
const (
	KeyConfigDigest   = "evenkeel.config.digest"
	KeyBaselineOrigin = "evenkeel.baseline.origin" // file, collector, awaited, learned, learning, none
	KeyServer         = "evenkeel.server"          // place in scrape.servers, from 0
)
