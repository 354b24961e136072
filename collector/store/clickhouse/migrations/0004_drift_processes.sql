-- The anytime-valid drift processes: what each had seen after a sealed window.
-- Only the newest row of a process is needed to go on; the older ones are its
-- history, and what a window that is sealed again after a crash goes on from.

CREATE TABLE IF NOT EXISTS drift_processes
(
    system LowCardinality(String),
    model_name LowCardinality(String),
    model_version LowCardinality(String),
    length_ns Int64,
    baseline LowCardinality(String),
    target LowCardinality(String),
    feature LowCardinality(String),
    window_end DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    windows UInt64 COMMENT 'with rows, since the baseline began',
    rows UInt64,
    log_started Float64 COMMENT 'natural logarithm of the evidence for a drift that has started',
    earlier Array(Float64) COMMENT 'discounted counts of the windows seen' CODEC(ZSTD(1)),
    batch UInt64
)
ENGINE = MergeTree
PARTITION BY toDate(window_end)
ORDER BY (system, model_name, model_version, length_ns, baseline, target, feature, window_end)
SETTINGS non_replicated_deduplication_window = 1000;
