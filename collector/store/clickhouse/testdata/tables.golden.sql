CREATE TABLE baselines
(
    `digest` String,
    `system` LowCardinality(String),
    `model_name` LowCardinality(String),
    `model_version` LowCardinality(String),
    `seen_at` DateTime64(3, 'UTC'),
    `content` String COMMENT 'canonical JSON of the baseline' CODEC(ZSTD(3)),
    `batch` UInt64
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY (digest, system, model_name, model_version)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE TABLE deliveries
(
    `sink` LowCardinality(String),
    `event` String COMMENT 'id of the register event',
    `attempt` Int32,
    `ok` Bool,
    `ticket` String,
    `error` String CODEC(ZSTD(1)),
    `time` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `batch` UInt64
)
ENGINE = MergeTree
ORDER BY (sink, event, attempt)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE TABLE distributions
(
    `system` LowCardinality(String),
    `model_name` LowCardinality(String),
    `model_version` LowCardinality(String),
    `instance` LowCardinality(String),
    `sequence` UInt64 CODEC(Delta(8), ZSTD(1)),
    `window_start` DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `window_end` DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `parts` UInt32 COMMENT 'how many distributions this window has in all',
    `baseline` LowCardinality(String) COMMENT 'digest; empty: none',
    `bounds` LowCardinality(String) COMMENT 'digest; counts under equal bounds may be added, others never',
    `target` LowCardinality(String),
    `feature` LowCardinality(String),
    `kind` LowCardinality(String),
    `counts` Array(UInt64) CODEC(ZSTD(1)),
    `missing` UInt64 CODEC(T64, ZSTD(1)),
    `other` UInt64 CODEC(T64, ZSTD(1)),
    `new` UInt64 CODEC(T64, ZSTD(1)),
    `invalid` UInt64 CODEC(T64, ZSTD(1)),
    `n` UInt64 CODEC(T64, ZSTD(1)),
    `sum` Float64 CODEC(ZSTD(1)),
    `sum_squares` Float64 CODEC(ZSTD(1)),
    `min` Float64 COMMENT 'NaN: no finite value' CODEC(ZSTD(1)),
    `max` Float64 CODEC(ZSTD(1)),
    `group_names` Array(LowCardinality(String)),
    `group_favourable` Array(UInt64),
    `group_total` Array(UInt64),
    `seen` UInt64 CODEC(T64, ZSTD(1)),
    `profiled` UInt64 CODEC(T64, ZSTD(1)),
    `sampled_out` UInt64 CODEC(T64, ZSTD(1)),
    `dropped` UInt64 CODEC(T64, ZSTD(1)),
    `undecodable` UInt64 CODEC(T64, ZSTD(1)),
    `batch` UInt64 CODEC(Delta(8), ZSTD(1)),
    `out_of_range` UInt64 COMMENT 'beyond the baseline\'s range; they are in counts too' CODEC(T64, ZSTD(1)),
    `rate` Float64 DEFAULT 1 COMMENT 'share of the requests that were profiled' CODEC(ZSTD(1)),
    `held` UInt64 COMMENT 'rows of groups too small to be told yet' CODEC(T64, ZSTD(1)),
    `embedded` Array(Float64) COMMENT 'sums over rows of the kernel\'s features' CODEC(ZSTD(1)),
    `distinct` String COMMENT 'sketch of the different rows; empty: none' CODEC(ZSTD(1)),
    `estimated` String COMMENT 'JSON: what the scores promise; empty: none' CODEC(ZSTD(1)),
    `group_requests` Array(String) COMMENT 'JSON of each group: sums over its requests; empty: a request for each row' CODEC(ZSTD(1)),
    `cohort` String COMMENT 'JSON: how the window\'s predictions turned out; empty: of another target' CODEC(ZSTD(3))
)
ENGINE = MergeTree
PARTITION BY toDate(window_end)
ORDER BY (system, model_name, feature, window_start)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE TABLE drift_processes
(
    `system` LowCardinality(String),
    `model_name` LowCardinality(String),
    `model_version` LowCardinality(String),
    `length_ns` Int64,
    `baseline` LowCardinality(String),
    `target` LowCardinality(String),
    `feature` LowCardinality(String),
    `window_end` DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `windows` UInt64 COMMENT 'with rows, since the baseline began',
    `rows` UInt64,
    `log_started` Float64 COMMENT 'natural logarithm of the evidence for a drift that has started',
    `earlier` Array(Float64) COMMENT 'discounted counts of the windows seen' CODEC(ZSTD(1)),
    `batch` UInt64
)
ENGINE = MergeTree
PARTITION BY toDate(window_end)
ORDER BY (system, model_name, model_version, length_ns, baseline, target, feature, window_end)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE TABLE evaluations
(
    `id` String CODEC(ZSTD(1)),
    `rule` LowCardinality(String),
    `rule_version` Int32,
    `rule_digest` LowCardinality(String),
    `query_digest` LowCardinality(String),
    `system` LowCardinality(String),
    `subject` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `subject_key` String COMMENT 'the subject as one string, sorted' CODEC(ZSTD(1)),
    `verdict` LowCardinality(String),
    `value` Nullable(Float64) CODEC(ZSTD(1)),
    `lower` Nullable(Float64) CODEC(ZSTD(1)),
    `upper` Nullable(Float64) CODEC(ZSTD(1)),
    `samples` UInt64 CODEC(T64, ZSTD(1)),
    `fail_limit` LowCardinality(String),
    `warn_limit` LowCardinality(String),
    `time` DateTime64(9, 'UTC') COMMENT 'end of the window; without one, when it was evaluated' CODEC(DoubleDelta, ZSTD(1)),
    `window_start` DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `window_end` DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `window_ids` Array(String) CODEC(ZSTD(1)),
    `reason` String CODEC(ZSTD(1)),
    `state` LowCardinality(String),
    `streak` Int32,
    `evaluated_at` DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `batch` UInt64
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (rule, system, subject_key, time)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE TABLE fleet_windows
(
    `system` LowCardinality(String),
    `model_name` LowCardinality(String),
    `model_version` LowCardinality(String),
    `length_ns` Int64,
    `window_start` DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `window_end` DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `window_ids` Array(String) CODEC(ZSTD(1)),
    `instances` Array(LowCardinality(String)),
    `absent` Array(LowCardinality(String)),
    `gaps` UInt64,
    `rows` UInt64,
    `sealed_at` DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `batch` UInt64,
    `explanations` Map(LowCardinality(String), String) COMMENT 'what moved, by feature' CODEC(ZSTD(1)),
    `cohort` String COMMENT 'JSON: how predictions turned out; empty: a window over rows' CODEC(ZSTD(3))
)
ENGINE = MergeTree
PARTITION BY toDate(window_end)
ORDER BY (system, model_name, length_ns, window_end)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE TABLE labels
(
    `system` LowCardinality(String),
    `id` String CODEC(ZSTD(1)),
    `row` UInt32 CODEC(T64, ZSTD(1)),
    `value` String COMMENT 'in the coding of the deciding output' CODEC(ZSTD(1)),
    `time` DateTime64(9, 'UTC') COMMENT 'when it became known' CODEC(Delta(8), ZSTD(1)),
    `source` LowCardinality(String),
    `received` DateTime64(9, 'UTC') COMMENT 'by the collector' CODEC(Delta(8), ZSTD(1)),
    `batch` UInt64 CODEC(Delta(8), ZSTD(1)),
    `item` UInt32 COMMENT 'place among the labels of the batch and day: the later one holds' CODEC(Delta(4), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(received)
PRIMARY KEY (system, id, row)
ORDER BY (system, id, row, time)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000;

CREATE TABLE lineage_events
(
    `time` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `system` LowCardinality(String),
    `event_type` LowCardinality(String),
    `run_id` String CODEC(ZSTD(1)),
    `job` LowCardinality(String),
    `producer` LowCardinality(String),
    `event` String COMMENT 'the OpenLineage event as it came' CODEC(ZSTD(3)),
    `batch` UInt64 CODEC(Delta(8), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (system, job, time)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE TABLE otel_logs
(
    `Timestamp` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `TimestampTime` DateTime('UTC') DEFAULT toDateTime(Timestamp),
    `ObservedTimestamp` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `TraceId` String CODEC(ZSTD(1)),
    `SpanId` String CODEC(ZSTD(1)),
    `TraceFlags` UInt8,
    `SeverityText` LowCardinality(String) CODEC(ZSTD(1)),
    `SeverityNumber` UInt8,
    `ServiceName` LowCardinality(String) CODEC(ZSTD(1)),
    `Body` String CODEC(ZSTD(1)),
    `ResourceSchemaUrl` LowCardinality(String) CODEC(ZSTD(1)),
    `ResourceAttributes` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `ScopeSchemaUrl` LowCardinality(String) CODEC(ZSTD(1)),
    `ScopeName` String CODEC(ZSTD(1)),
    `ScopeVersion` LowCardinality(String) CODEC(ZSTD(1)),
    `ScopeAttributes` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `LogAttributes` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `EventName` LowCardinality(String) CODEC(ZSTD(1)),
    `batch` UInt64 CODEC(Delta(8), ZSTD(1)),
    INDEX trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, TimestampTime, Timestamp)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE TABLE predictions
(
    `system` LowCardinality(String),
    `model_name` LowCardinality(String),
    `model_version` LowCardinality(String),
    `instance` LowCardinality(String),
    `id` String COMMENT 'of the request' CODEC(ZSTD(1)),
    `row` UInt32 COMMENT 'of the request, from 0' CODEC(T64, ZSTD(1)),
    `time` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `value` String COMMENT 'the deciding output; empty: none' CODEC(ZSTD(1)),
    `score` Float64 COMMENT 'of the positive outcome; NaN: none' CODEC(ZSTD(1)),
    `group_attributes` Array(LowCardinality(String)),
    `group_names` Array(LowCardinality(String)),
    `basis` LowCardinality(String) COMMENT 'lawful basis of sending groups',
    `rate` Float64 COMMENT 'share of the requests that were profiled' CODEC(ZSTD(1)),
    `trace_id` String CODEC(ZSTD(1)),
    `baseline` LowCardinality(String) COMMENT 'digest; empty: none',
    `run` LowCardinality(String) COMMENT 'of the lineage',
    `batch` UInt64 CODEC(Delta(8), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (system, model_name, model_version, time, id, row)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE TABLE register_events
(
    `id` String CODEC(ZSTD(1)),
    `record` String CODEC(ZSTD(1)),
    `seq` UInt64,
    `time` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `type` LowCardinality(String),
    `actor_id` String,
    `actor_kind` LowCardinality(String),
    `actor_role` LowCardinality(String),
    `data` String COMMENT 'canonical JSON' CODEC(ZSTD(3)),
    `prev_hash` String,
    `hash` String,
    `batch` UInt64
)
ENGINE = MergeTree
ORDER BY (record, seq)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE TABLE samples
(
    `fingerprint` UInt64 CODEC(Delta(8), ZSTD(1)),
    `time` DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `value` Float64 CODEC(Gorilla(8), ZSTD(1)),
    `batch` UInt64 CODEC(Delta(8), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (fingerprint, time)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE TABLE schema_migrations
(
    `version` UInt32,
    `name` String,
    `digest` String,
    `applied_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY version
SETTINGS index_granularity = 8192;

CREATE TABLE series
(
    `name` LowCardinality(String),
    `fingerprint` UInt64,
    `labels` Map(LowCardinality(String), String) COMMENT 'sorted by name, without __name__ and empty values',
    `kind` LowCardinality(String),
    `unit` LowCardinality(String),
    `seen_at` DateTime64(3, 'UTC') COMMENT 'refreshed now and then, not with every sample',
    `batch` UInt64,
    `system` LowCardinality(String) MATERIALIZED labels['evenkeel_system_id'],
    `model_name` LowCardinality(String) MATERIALIZED labels['evenkeel_model_name'],
    `model_version` LowCardinality(String) MATERIALIZED labels['evenkeel_model_version'],
    `feature_name` LowCardinality(String) MATERIALIZED labels['evenkeel_feature_name'],
    `scope` LowCardinality(String) MATERIALIZED labels['evenkeel_scope'],
    `window_length` LowCardinality(String) MATERIALIZED labels['evenkeel_window_length'],
    `drift_method` LowCardinality(String) MATERIALIZED labels['evenkeel_drift_method'],
    `fairness_metric` LowCardinality(String) MATERIALIZED labels['evenkeel_fairness_metric'],
    `protected_attribute` LowCardinality(String) MATERIALIZED labels['evenkeel_protected_attribute'],
    `service` LowCardinality(String) MATERIALIZED labels['service_name'],
    `instance` LowCardinality(String) MATERIALIZED labels['service_instance_id'],
    `environment` LowCardinality(String) MATERIALIZED labels['deployment_environment_name']
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY (name, fingerprint)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

