-- Single predictions and how they turned out, and what windows learnt to carry:
-- sums over rows, rows held back, the share that was profiled, explanations,
-- cohorts.

CREATE TABLE IF NOT EXISTS predictions
(
    system LowCardinality(String),
    model_name LowCardinality(String),
    model_version LowCardinality(String),
    instance LowCardinality(String),
    id String COMMENT 'of the request' CODEC(ZSTD(1)),
    row UInt32 COMMENT 'of the request, from 0' CODEC(T64, ZSTD(1)),
    time DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    value String COMMENT 'the deciding output; empty: none' CODEC(ZSTD(1)),
    score Float64 COMMENT 'of the positive outcome; NaN: none' CODEC(ZSTD(1)),
    group_attributes Array(LowCardinality(String)),
    group_names Array(LowCardinality(String)),
    basis LowCardinality(String) COMMENT 'lawful basis of sending groups',
    rate Float64 COMMENT 'share of the requests that were profiled' CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    baseline LowCardinality(String) COMMENT 'digest; empty: none',
    run LowCardinality(String) COMMENT 'of the lineage',
    batch UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (system, model_name, model_version, time, id, row)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS labels
(
    system LowCardinality(String),
    id String CODEC(ZSTD(1)),
    row UInt32 CODEC(T64, ZSTD(1)),
    value String COMMENT 'in the coding of the deciding output' CODEC(ZSTD(1)),
    time DateTime64(9, 'UTC') COMMENT 'when it became known' CODEC(Delta(8), ZSTD(1)),
    source LowCardinality(String),
    received DateTime64(9, 'UTC') COMMENT 'by the collector' CODEC(Delta(8), ZSTD(1)),
    batch UInt64 CODEC(Delta, ZSTD(1)),
    item UInt32 COMMENT 'place among the labels of the batch and day: the later one holds' CODEC(Delta(4), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(received)
PRIMARY KEY (system, id, row)
ORDER BY (system, id, row, time)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000;

ALTER TABLE distributions
    ADD COLUMN IF NOT EXISTS out_of_range UInt64 COMMENT 'beyond the baseline''s range; they are in counts too' CODEC(T64, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS rate Float64 DEFAULT 1 COMMENT 'share of the requests that were profiled' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS held UInt64 COMMENT 'rows of groups too small to be told yet' CODEC(T64, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS embedded Array(Float64) COMMENT 'sums over rows of the kernel''s features' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS distinct String COMMENT 'sketch of the different rows; empty: none' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS estimated String COMMENT 'JSON: what the scores promise; empty: none' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS group_requests Array(String) COMMENT 'JSON of each group: sums over its requests; empty: a request for each row' CODEC(ZSTD(1));

ALTER TABLE fleet_windows
    ADD COLUMN IF NOT EXISTS explanations Map(LowCardinality(String), String) COMMENT 'what moved, by feature' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS cohort String COMMENT 'JSON: how predictions turned out; empty: a window over rows' CODEC(ZSTD(3));
