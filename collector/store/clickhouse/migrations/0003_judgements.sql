-- What the collector made of it: sealed windows, evaluations, the register's
-- events and what was handed to the plugins.

CREATE TABLE IF NOT EXISTS fleet_windows
(
    system LowCardinality(String),
    model_name LowCardinality(String),
    model_version LowCardinality(String),
    length_ns Int64,
    window_start DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    window_end DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    window_ids Array(String) CODEC(ZSTD(1)),
    instances Array(LowCardinality(String)),
    absent Array(LowCardinality(String)),
    gaps UInt64,
    rows UInt64,
    sealed_at DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    batch UInt64
)
ENGINE = MergeTree
PARTITION BY toDate(window_end)
ORDER BY (system, model_name, length_ns, window_end)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS evaluations
(
    id String CODEC(ZSTD(1)),
    rule LowCardinality(String),
    rule_version Int32,
    rule_digest LowCardinality(String),
    query_digest LowCardinality(String),
    system LowCardinality(String),
    subject Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    subject_key String COMMENT 'the subject as one string, sorted' CODEC(ZSTD(1)),
    verdict LowCardinality(String),
    value Nullable(Float64) CODEC(ZSTD(1)),
    lower Nullable(Float64) CODEC(ZSTD(1)),
    upper Nullable(Float64) CODEC(ZSTD(1)),
    samples UInt64 CODEC(T64, ZSTD(1)),
    fail_limit LowCardinality(String),
    warn_limit LowCardinality(String),
    time DateTime64(9, 'UTC') COMMENT 'end of the window; without one, when it was evaluated' CODEC(DoubleDelta, ZSTD(1)),
    window_start DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    window_end DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    window_ids Array(String) CODEC(ZSTD(1)),
    reason String CODEC(ZSTD(1)),
    state LowCardinality(String),
    streak Int32,
    evaluated_at DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    source LowCardinality(String) COMMENT 'who judged; empty: the collector itself',
    run_start DateTime64(9, 'UTC') COMMENT 'time of the first of the equal verdicts that the row stands for' CODEC(DoubleDelta, ZSTD(1)),
    run_windows UInt64 COMMENT 'how many they are, one after the other without a gap' CODEC(T64, ZSTD(1)),
    run_change Bool COMMENT 'it differs from the verdict before, and stands by itself',
    run_least Nullable(Float64) COMMENT 'of the values of the run' CODEC(ZSTD(1)),
    run_most Nullable(Float64) COMMENT 'likewise' CODEC(ZSTD(1)),
    run_fewest UInt64 COMMENT 'samples that any of its values rests on' CODEC(T64, ZSTD(1)),
    batch UInt64
)
ENGINE = ReplacingMergeTree(time)
PARTITION BY toYYYYMM(time)
ORDER BY (rule, system, subject_key, rule_digest, source, run_start)
SETTINGS min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;

CREATE TABLE IF NOT EXISTS register_events
(
    id String CODEC(ZSTD(1)),
    record String CODEC(ZSTD(1)),
    seq UInt64,
    time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    type LowCardinality(String),
    actor_id String,
    actor_kind LowCardinality(String),
    actor_role LowCardinality(String),
    data String COMMENT 'canonical JSON' CODEC(ZSTD(3)),
    prev_hash String,
    hash String,
    batch UInt64
)
ENGINE = MergeTree
ORDER BY (record, seq)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS deliveries
(
    sink LowCardinality(String),
    event String COMMENT 'id of the register event',
    attempt Int32,
    ok Bool,
    ticket String,
    error String CODEC(ZSTD(1)),
    time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    batch UInt64
)
ENGINE = MergeTree
ORDER BY (sink, event, attempt)
SETTINGS non_replicated_deduplication_window = 1000;
