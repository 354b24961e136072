-- What was measured: series and their samples, window events, baselines.

CREATE TABLE IF NOT EXISTS series
(
    name LowCardinality(String),
    fingerprint UInt64,
    labels Map(LowCardinality(String), String) COMMENT 'sorted by name, without __name__ and empty values',
    kind LowCardinality(String),
    unit LowCardinality(String),
    seen_at DateTime64(3, 'UTC') COMMENT 'refreshed now and then, not with every sample',
    batch UInt64,
    system LowCardinality(String) MATERIALIZED labels['evenkeel_system_id'],
    model_name LowCardinality(String) MATERIALIZED labels['evenkeel_model_name'],
    model_version LowCardinality(String) MATERIALIZED labels['evenkeel_model_version'],
    feature_name LowCardinality(String) MATERIALIZED labels['evenkeel_feature_name'],
    scope LowCardinality(String) MATERIALIZED labels['evenkeel_scope'],
    window_length LowCardinality(String) MATERIALIZED labels['evenkeel_window_length'],
    drift_method LowCardinality(String) MATERIALIZED labels['evenkeel_drift_method'],
    fairness_metric LowCardinality(String) MATERIALIZED labels['evenkeel_fairness_metric'],
    protected_attribute LowCardinality(String) MATERIALIZED labels['evenkeel_protected_attribute'],
    service LowCardinality(String) MATERIALIZED labels['service_name'],
    instance LowCardinality(String) MATERIALIZED labels['service_instance_id'],
    environment LowCardinality(String) MATERIALIZED labels['deployment_environment_name']
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY (name, fingerprint)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS samples
(
    fingerprint UInt64 CODEC(Delta, ZSTD(1)),
    time DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    value Float64 CODEC(Gorilla, ZSTD(1)),
    batch UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (fingerprint, time)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS distributions
(
    system LowCardinality(String),
    model_name LowCardinality(String),
    model_version LowCardinality(String),
    instance LowCardinality(String),
    sequence UInt64 CODEC(Delta, ZSTD(1)),
    window_start DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    window_end DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    parts UInt32 COMMENT 'how many distributions this window has in all',
    baseline LowCardinality(String) COMMENT 'digest; empty: none',
    bounds LowCardinality(String) COMMENT 'digest; counts under equal bounds may be added, others never',
    target LowCardinality(String),
    feature LowCardinality(String),
    kind LowCardinality(String),
    counts Array(UInt64) CODEC(ZSTD(1)),
    missing UInt64 CODEC(T64, ZSTD(1)),
    other UInt64 CODEC(T64, ZSTD(1)),
    new UInt64 CODEC(T64, ZSTD(1)),
    invalid UInt64 CODEC(T64, ZSTD(1)),
    n UInt64 CODEC(T64, ZSTD(1)),
    sum Float64 CODEC(ZSTD(1)),
    sum_squares Float64 CODEC(ZSTD(1)),
    min Float64 COMMENT 'NaN: no finite value' CODEC(ZSTD(1)),
    max Float64 CODEC(ZSTD(1)),
    group_names Array(LowCardinality(String)),
    group_favourable Array(UInt64),
    group_total Array(UInt64),
    seen UInt64 CODEC(T64, ZSTD(1)),
    profiled UInt64 CODEC(T64, ZSTD(1)),
    sampled_out UInt64 CODEC(T64, ZSTD(1)),
    dropped UInt64 CODEC(T64, ZSTD(1)),
    undecodable UInt64 CODEC(T64, ZSTD(1)),
    batch UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(window_end)
ORDER BY (system, model_name, feature, window_start)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS baselines
(
    digest String,
    system LowCardinality(String),
    model_name LowCardinality(String),
    model_version LowCardinality(String),
    seen_at DateTime64(3, 'UTC'),
    content String COMMENT 'canonical JSON of the baseline' CODEC(ZSTD(3)),
    batch UInt64
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY (digest, system, model_name, model_version)
SETTINGS non_replicated_deduplication_window = 1000;
