CREATE TABLE baselines
(
    `digest` String COMMENT 'of content',
    `system` LowCardinality(String) COMMENT 'AI system',
    `model_name` LowCardinality(String) COMMENT 'name of the model',
    `model_version` LowCardinality(String) COMMENT 'its version; empty: not known',
    `seen_at` DateTime64(3, 'UTC') COMMENT 'when it was last declared',
    `content` String COMMENT 'canonical JSON of the baseline' CODEC(ZSTD(3)),
    `batch` UInt64 COMMENT 'number of the write that the row came with'
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY (digest, system, model_name, model_version)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192
COMMENT 'references that agents declared';

CREATE TABLE deliveries
(
    `sink` LowCardinality(String) COMMENT 'the plugin\'s name',
    `event` String COMMENT 'id of the register event',
    `attempt` Int32 COMMENT 'from 1',
    `ok` Bool COMMENT 'whether the plugin took it',
    `ticket` String COMMENT 'the plugin\'s key for the record; empty: not known yet',
    `error` String COMMENT 'what went wrong; empty: nothing' CODEC(ZSTD(1)),
    `time` DateTime64(9, 'UTC') COMMENT 'of the try' CODEC(Delta(8), ZSTD(1)),
    `batch` UInt64 COMMENT 'number of the write that the row came with'
)
ENGINE = MergeTree
ORDER BY (sink, event, attempt)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192
COMMENT 'tries to hand a register event to a plugin';

CREATE TABLE distributions
(
    `system` LowCardinality(String) COMMENT 'AI system',
    `model_name` LowCardinality(String) COMMENT 'name of the model',
    `model_version` LowCardinality(String) COMMENT 'its version; empty: not known',
    `instance` LowCardinality(String) COMMENT 'the agent that counted',
    `sequence` UInt64 COMMENT 'number of the window within the instance; a gap is a loss' CODEC(Delta(8), ZSTD(1)),
    `window_start` DateTime64(9, 'UTC') COMMENT 'begin, not included' CODEC(DoubleDelta, ZSTD(1)),
    `window_end` DateTime64(9, 'UTC') COMMENT 'end, included' CODEC(DoubleDelta, ZSTD(1)),
    `parts` UInt32 COMMENT 'how many distributions this window has in all',
    `baseline` LowCardinality(String) COMMENT 'digest; empty: none',
    `bounds` LowCardinality(String) COMMENT 'digest; counts under equal bounds may be added, others never',
    `target` LowCardinality(String) COMMENT 'feature, prediction, group and the like',
    `feature` LowCardinality(String) COMMENT 'name of the column; empty: of the window as a whole',
    `kind` LowCardinality(String) COMMENT 'numeric, categorical or sums',
    `counts` Array(UInt64) COMMENT 'rows in each cell of the bounds' CODEC(ZSTD(3)),
    `missing` UInt64 COMMENT 'rows without a value' CODEC(T64, ZSTD(1)),
    `other` UInt64 COMMENT 'rows of rare categories' CODEC(T64, ZSTD(1)),
    `new` UInt64 COMMENT 'rows of categories that the baseline does not know' CODEC(T64, ZSTD(1)),
    `invalid` UInt64 COMMENT 'rows whose value could not be read' CODEC(T64, ZSTD(1)),
    `n` UInt64 COMMENT 'rows, all of the above' CODEC(T64, ZSTD(1)),
    `sum` Float64 COMMENT 'of the values' CODEC(ZSTD(1)),
    `sum_squares` Float64 COMMENT 'of the values' CODEC(ZSTD(1)),
    `min` Float64 COMMENT 'NaN: no finite value' CODEC(ZSTD(1)),
    `max` Float64 COMMENT 'NaN: no finite value' CODEC(ZSTD(1)),
    `group_names` Array(LowCardinality(String)) COMMENT 'of a protected attribute',
    `group_favourable` Array(UInt64) COMMENT 'rows of each group with the favourable outcome',
    `group_total` Array(UInt64) COMMENT 'rows of each group',
    `seen` UInt64 COMMENT 'requests that passed the agent' CODEC(T64, ZSTD(1)),
    `profiled` UInt64 COMMENT 'of those, counted here' CODEC(T64, ZSTD(1)),
    `sampled_out` UInt64 COMMENT 'of those, left out on purpose' CODEC(T64, ZSTD(1)),
    `dropped` UInt64 COMMENT 'of those, left out under load' CODEC(T64, ZSTD(1)),
    `undecodable` UInt64 COMMENT 'of those, not understood' CODEC(T64, ZSTD(1)),
    `batch` UInt64 COMMENT 'number of the write that the row came with' CODEC(Delta(8), ZSTD(1)),
    `out_of_range` UInt64 COMMENT 'beyond the baseline\'s range; they are in counts too' CODEC(T64, ZSTD(1)),
    `rate` Float64 DEFAULT 1 COMMENT 'share of the requests that were profiled' CODEC(ZSTD(1)),
    `held` UInt64 COMMENT 'rows of groups too small to be told yet' CODEC(T64, ZSTD(1)),
    `embedded` Array(Float64) COMMENT 'sums over rows of the kernel\'s features' CODEC(ZSTD(1)),
    `distinct` String COMMENT 'sketch of the different rows; empty: none' CODEC(ZSTD(1)),
    `estimated` String COMMENT 'JSON: what the scores promise; empty: none' CODEC(ZSTD(1)),
    `group_requests` Array(String) COMMENT 'JSON of each group: sums over its requests; empty: a request for each row' CODEC(ZSTD(1)),
    `cohort` String COMMENT 'JSON: how the window\'s predictions turned out; empty: of another target' CODEC(ZSTD(3)),
    `over_ceiling` UInt64 COMMENT 'of sampled_out: wanted, but profiling would have taken too much CPU' CODEC(T64, ZSTD(1)),
    `unread` UInt64 COMMENT 'of sampled_out: left out before it could be lost' CODEC(T64, ZSTD(1)),
    `lineage_parts` Array(LowCardinality(String)) COMMENT 'what stood behind the window\'s requests: model, index, prompt, transform, run' CODEC(ZSTD(1)),
    `lineage_values` Array(LowCardinality(String)) COMMENT 'its digest, or the run; (other): all beyond the sixteenth' CODEC(ZSTD(1)),
    `lineage_requests` Array(UInt64) COMMENT 'profiled requests that it stood behind' CODEC(T64, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(window_end)
ORDER BY (system, model_name, feature, window_start)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192
COMMENT 'what agents counted: a row for each window and feature. It alone is what fleet windows and verdicts are made from';

CREATE TABLE drift_processes
(
    `system` LowCardinality(String) COMMENT 'AI system',
    `model_name` LowCardinality(String) COMMENT 'name of the model',
    `model_version` LowCardinality(String) COMMENT 'its version; empty: not known',
    `length_ns` Int64 COMMENT 'of the windows, nanoseconds',
    `baseline` LowCardinality(String) COMMENT 'digest',
    `target` LowCardinality(String) COMMENT 'as in distributions',
    `feature` LowCardinality(String) COMMENT 'as in distributions',
    `window_end` DateTime64(9, 'UTC') COMMENT 'of the last window that was added' CODEC(DoubleDelta, ZSTD(1)),
    `windows` UInt64 COMMENT 'with rows, since the baseline began',
    `rows` UInt64 COMMENT 'since the baseline began',
    `log_started` Float64 COMMENT 'natural logarithm of the evidence for a drift that has started',
    `earlier` Array(Float64) COMMENT 'discounted counts of the windows seen' CODEC(ZSTD(1)),
    `batch` UInt64 COMMENT 'number of the write that the row came with'
)
ENGINE = MergeTree
PARTITION BY toDate(window_end)
ORDER BY (system, model_name, model_version, length_ns, baseline, target, feature, window_end)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192
COMMENT 'what each anytime-valid drift process had seen after a sealed window';

CREATE TABLE evaluations
(
    `id` String COMMENT 'UUID, derived from rule, subject and window' CODEC(ZSTD(1)),
    `rule` LowCardinality(String) COMMENT 'id of the rule',
    `rule_version` Int32 COMMENT 'as its file says',
    `rule_digest` LowCardinality(String) COMMENT 'of the rule with its overrides',
    `query_digest` LowCardinality(String) COMMENT 'of the expression',
    `system` LowCardinality(String) COMMENT 'AI system',
    `subject` Map(LowCardinality(String), String) COMMENT 'labels that name what was judged, the system among them' CODEC(ZSTD(1)),
    `subject_key` String COMMENT 'the subject as one string, sorted' CODEC(ZSTD(1)),
    `verdict` LowCardinality(String) COMMENT 'pass, warn, fail, no_data or error',
    `value` Nullable(Float64) COMMENT 'null: no data or an error' CODEC(ZSTD(1)),
    `lower` Nullable(Float64) COMMENT 'end of its confidence interval; null: none' CODEC(ZSTD(1)),
    `upper` Nullable(Float64) COMMENT 'end of its confidence interval; null: none' CODEC(ZSTD(1)),
    `samples` UInt64 COMMENT 'that the value rests on' CODEC(T64, ZSTD(1)),
    `fail_limit` LowCardinality(String) COMMENT 'as the rule states it, overrides applied',
    `warn_limit` LowCardinality(String) COMMENT 'likewise',
    `time` DateTime64(9, 'UTC') COMMENT 'end of the window; without one, when it was evaluated' CODEC(DoubleDelta, ZSTD(1)),
    `window_start` DateTime64(9, 'UTC') COMMENT 'begin of the window' CODEC(DoubleDelta, ZSTD(1)),
    `window_end` DateTime64(9, 'UTC') COMMENT 'its end' CODEC(DoubleDelta, ZSTD(1)),
    `window_ids` Array(String) COMMENT 'the agents\' windows that the verdict rests on' CODEC(ZSTD(1)),
    `reason` String COMMENT 'one sentence for people' CODEC(ZSTD(1)),
    `state` LowCardinality(String) COMMENT 'ok, pending or firing',
    `streak` Int32 COMMENT 'windows in a row on this side of the limit',
    `evaluated_at` DateTime64(9, 'UTC') COMMENT 'when it was judged' CODEC(DoubleDelta, ZSTD(1)),
    `source` LowCardinality(String) COMMENT 'who judged; empty: the collector itself',
    `run_start` DateTime64(9, 'UTC') COMMENT 'time of the first of the equal verdicts that the row stands for' CODEC(DoubleDelta, ZSTD(1)),
    `run_windows` UInt64 COMMENT 'how many they are, one after the other without a gap' CODEC(T64, ZSTD(1)),
    `run_change` Bool COMMENT 'it differs from the verdict before, and stands by itself',
    `run_least` Nullable(Float64) COMMENT 'of the values of the run' CODEC(ZSTD(1)),
    `run_most` Nullable(Float64) COMMENT 'likewise' CODEC(ZSTD(1)),
    `run_fewest` UInt64 COMMENT 'samples that any of its values rests on' CODEC(T64, ZSTD(1)),
    `batch` UInt64 COMMENT 'number of the write that the row came with'
)
ENGINE = ReplacingMergeTree(time)
PARTITION BY toYYYYMM(time)
ORDER BY (rule, system, subject_key, rule_digest, source, run_start)
SETTINGS min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1, index_granularity = 8192
COMMENT 'verdicts: what a rule said about a subject, passes included; equal ones that follow each other are one row, the newest';

CREATE TABLE fleet_windows
(
    `system` LowCardinality(String) COMMENT 'AI system',
    `model_name` LowCardinality(String) COMMENT 'name of the model',
    `model_version` LowCardinality(String) COMMENT 'its version; empty: not known',
    `length_ns` Int64 COMMENT 'nanoseconds',
    `window_start` DateTime64(9, 'UTC') COMMENT 'begin, not included' CODEC(DoubleDelta, ZSTD(1)),
    `window_end` DateTime64(9, 'UTC') COMMENT 'end, included' CODEC(DoubleDelta, ZSTD(1)),
    `window_ids` Array(String) COMMENT 'runs of the agents\' windows that were merged' CODEC(ZSTD(1)),
    `instances` Array(LowCardinality(String)) COMMENT 'replicas that were in',
    `absent` Array(LowCardinality(String)) COMMENT 'replicas that were expected and not in',
    `gaps` UInt64 COMMENT 'windows missing from the sequences',
    `rows` UInt64 COMMENT 'model rows; of a cohort, predictions',
    `sealed_at` DateTime64(9, 'UTC') COMMENT 'when it was closed' CODEC(DoubleDelta, ZSTD(1)),
    `batch` UInt64 COMMENT 'number of the write that the row came with',
    `explanations` Map(LowCardinality(String), String) COMMENT 'what moved, by feature' CODEC(ZSTD(1)),
    `cohort` String COMMENT 'JSON: how predictions turned out; empty: a window over rows' CODEC(ZSTD(3)),
    `revision` UInt32 COMMENT 'of a cohort: how often it was counted again; 0: as it was closed'
)
ENGINE = MergeTree
PARTITION BY toDate(window_end)
ORDER BY (system, model_name, length_ns, window_end)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192
COMMENT 'windows over all replicas, sealed: what was merged and what was missing';

CREATE TABLE labels
(
    `system` LowCardinality(String) COMMENT 'AI system',
    `id` String COMMENT 'of the request that made the prediction' CODEC(ZSTD(1)),
    `row` UInt32 COMMENT 'of the request, from 0' CODEC(T64, ZSTD(1)),
    `value` String COMMENT 'in the coding of the deciding output' CODEC(ZSTD(1)),
    `time` DateTime64(9, 'UTC') COMMENT 'when it became known' CODEC(T64, ZSTD(1)),
    `source` LowCardinality(String) COMMENT 'who said so',
    `received` DateTime64(9, 'UTC') COMMENT 'by the collector' CODEC(Delta(8), ZSTD(1)),
    `batch` UInt64 COMMENT 'number of the write that the row came with' CODEC(Delta(8), ZSTD(1)),
    `item` UInt32 COMMENT 'place among the labels of the batch and day: the later one holds' CODEC(T64, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(received)
PRIMARY KEY (system, id, row)
ORDER BY (system, id, row, time)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000
COMMENT 'how predictions turned out';

CREATE TABLE lineage_edges
(
    `from_node` String COMMENT 'upstream; an id as job:NAMESPACE#NAME' CODEC(ZSTD(1)),
    `to_node` String CODEC(ZSTD(1)),
    `relation` LowCardinality(String),
    `system` LowCardinality(String) COMMENT 'empty: of none',
    `seen_at` DateTime64(9, 'UTC') COMMENT 'the newest event that says so' CODEC(ZSTD(1)),
    `batch` UInt64,
    INDEX to_node to_node TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY (from_node, to_node, relation, system)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE TABLE lineage_events
(
    `time` DateTime64(9, 'UTC') COMMENT 'the event\'s own' CODEC(Delta(8), ZSTD(1)),
    `system` LowCardinality(String) COMMENT 'AI system',
    `event_type` LowCardinality(String) COMMENT 'START, RUNNING, COMPLETE, FAIL and the like',
    `run_id` String COMMENT 'UUID of the run' CODEC(ZSTD(1)),
    `job` LowCardinality(String) COMMENT 'namespace/name',
    `producer` LowCardinality(String) COMMENT 'URI of what wrote the event',
    `event` String COMMENT 'the OpenLineage event as it came' CODEC(ZSTD(3)),
    `batch` UInt64 COMMENT 'number of the write that the row came with' CODEC(Delta(8), ZSTD(1)),
    `kind` LowCardinality(String) DEFAULT 'run',
    `nodes` Array(String) COMMENT 'ids of what the event names' CODEC(ZSTD(1)),
    INDEX nodes nodes TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (system, job, time)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192
COMMENT 'OpenLineage events as they came';

CREATE TABLE otel_logs
(
    `Timestamp` DateTime64(9, 'UTC') COMMENT 'when it happened; where nobody said, when it was noticed' CODEC(Delta(8), ZSTD(1)),
    `TimestampTime` DateTime('UTC') DEFAULT toDateTime(Timestamp) COMMENT 'in seconds, for the order of the table',
    `ObservedTimestamp` DateTime64(9, 'UTC') COMMENT 'when it was noticed; where nobody said, when it was received' CODEC(Delta(8), ZSTD(1)),
    `TraceId` String COMMENT '32 hexadecimal digits; empty: none' CODEC(ZSTD(1)),
    `SpanId` String COMMENT '16 hexadecimal digits; empty: none' CODEC(ZSTD(1)),
    `TraceFlags` UInt8 COMMENT 'as W3C writes them',
    `SeverityText` LowCardinality(String) COMMENT 'as the sender writes it' CODEC(ZSTD(1)),
    `SeverityNumber` UInt8 COMMENT '1 to 24, as OpenTelemetry counts; 0: none',
    `ServiceName` LowCardinality(String) COMMENT 'resource attribute service.name' CODEC(ZSTD(1)),
    `Body` String COMMENT 'text; lists and maps as JSON, bytes as base64' CODEC(ZSTD(1)),
    `ResourceSchemaUrl` LowCardinality(String) COMMENT 'of the resource' CODEC(ZSTD(1)),
    `ResourceAttributes` Map(LowCardinality(String), String) COMMENT 'lists and maps as JSON' CODEC(ZSTD(1)),
    `ScopeSchemaUrl` LowCardinality(String) COMMENT 'of the scope' CODEC(ZSTD(1)),
    `ScopeName` String COMMENT 'of the logger' CODEC(ZSTD(1)),
    `ScopeVersion` LowCardinality(String) COMMENT 'of the logger' CODEC(ZSTD(1)),
    `ScopeAttributes` Map(LowCardinality(String), String) COMMENT 'lists and maps as JSON' CODEC(ZSTD(1)),
    `LogAttributes` Map(LowCardinality(String), String) COMMENT 'lists and maps as JSON; without the parts of window events that only machines read' CODEC(ZSTD(1)),
    `EventName` LowCardinality(String) COMMENT 'of an event; empty: a plain record' CODEC(ZSTD(1)),
    `batch` UInt64 COMMENT 'number of the write that the row came with' CODEC(Delta(8), ZSTD(1)),
    INDEX trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_scope_attr_key mapKeys(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_scope_attr_value mapValues(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_log_attr_key mapKeys(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_log_attr_value mapValues(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_body Body TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, TimestampTime, Timestamp)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192
COMMENT 'log records of any sender, in the columns of the OpenTelemetry Collector\'s ClickHouse exporter';

CREATE VIEW otel_metrics_gauge
(
    `ResourceAttributes` Map(LowCardinality(String), String) COMMENT 'what the resource says of itself that each of its series carries',
    `ResourceSchemaUrl` String COMMENT 'not kept: empty',
    `ScopeName` String COMMENT 'of the instrumentation; empty for Evenkeel\'s own',
    `ScopeVersion` String COMMENT 'not kept: empty',
    `ScopeAttributes` Map(LowCardinality(String), String) COMMENT 'not kept: empty',
    `ScopeDroppedAttrCount` UInt32 COMMENT 'not kept: 0',
    `ScopeSchemaUrl` String COMMENT 'not kept: empty',
    `ServiceName` LowCardinality(String) COMMENT 'resource attribute service.name',
    `MetricName` String COMMENT 'as Prometheus writes it',
    `MetricDescription` String COMMENT 'not kept: empty',
    `MetricUnit` String COMMENT 'in UCUM, as the sender gave it',
    `Attributes` Map(LowCardinality(String), String) COMMENT 'of the point, with names as Prometheus writes them',
    `StartTimeUnix` DateTime64(3, 'UTC') COMMENT 'not kept: the epoch',
    `TimeUnix` DateTime64(3, 'UTC') COMMENT 'in milliseconds',
    `Value` Float64 COMMENT 'NaN is a value',
    `Flags` UInt32 COMMENT '1: no value any more',
    `Exemplars.FilteredAttributes` Array(Map(LowCardinality(String), String)) COMMENT 'not kept: empty',
    `Exemplars.TimeUnix` Array(DateTime64(9, 'UTC')) COMMENT 'likewise',
    `Exemplars.Value` Array(Float64) COMMENT 'likewise',
    `Exemplars.SpanId` Array(String) COMMENT 'likewise',
    `Exemplars.TraceId` Array(String) COMMENT 'likewise',
    `batch` UInt64 COMMENT 'number of the write that the row came with'
)
COMMENT 'gauges in the layout of the OpenTelemetry Collector\'s exporter; a view'
AS SELECT
    mapFilter((k, v) -> (v != ''), map('service.name', l.labels['service_name'], 'service.instance.id', l.labels['service_instance_id'], 'deployment.environment.name', l.labels['deployment_environment_name'], 'evenkeel.system.id', l.labels['evenkeel_system_id'])) AS ResourceAttributes,
    '' AS ResourceSchemaUrl,
    l.labels['otel_scope_name'] AS ScopeName,
    '' AS ScopeVersion,
    map() AS ScopeAttributes,
    0 AS ScopeDroppedAttrCount,
    '' AS ScopeSchemaUrl,
    l.labels['service_name'] AS ServiceName,
    l.name AS MetricName,
    '' AS MetricDescription,
    l.unit AS MetricUnit,
    mapFilter((k, v) -> (k NOT IN ['le', 'service_name', 'service_instance_id', 'deployment_environment_name', 'evenkeel_system_id', 'otel_scope_name', 'otel_temporality']), l.labels) AS Attributes,
    toDateTime64(0, 3, 'UTC') AS StartTimeUnix,
    s.time AS TimeUnix,
    s.value AS Value,
    toUInt32(reinterpretAsUInt64(s.value) = 9218868437227405314) AS Flags,
    [] AS `Exemplars.FilteredAttributes`,
    [] AS `Exemplars.TimeUnix`,
    [] AS `Exemplars.Value`,
    [] AS `Exemplars.SpanId`,
    [] AS `Exemplars.TraceId`,
    s.batch AS batch
FROM samples AS s
INNER JOIN
(
    SELECT
        fingerprint,
        name,
        unit,
        kind,
        labels
    FROM series
    FINAL
    WHERE (kind = 'gauge') AND ((labels['otel_temporality']) = '')
) AS l ON s.fingerprint = l.fingerprint;

CREATE VIEW otel_metrics_histogram
(
    `ResourceAttributes` Map(LowCardinality(String), String) COMMENT 'what the resource says of itself that each of its series carries',
    `ResourceSchemaUrl` String COMMENT 'not kept: empty',
    `ScopeName` String COMMENT 'of the instrumentation; empty for Evenkeel\'s own',
    `ScopeVersion` String COMMENT 'not kept: empty',
    `ScopeAttributes` Map(LowCardinality(String), String) COMMENT 'not kept: empty',
    `ScopeDroppedAttrCount` UInt32 COMMENT 'not kept: 0',
    `ScopeSchemaUrl` String COMMENT 'not kept: empty',
    `ServiceName` LowCardinality(String) COMMENT 'resource attribute service.name',
    `MetricName` String COMMENT 'as Prometheus writes it',
    `MetricDescription` String COMMENT 'not kept: empty',
    `MetricUnit` String COMMENT 'in UCUM, as the sender gave it',
    `Attributes` Map(LowCardinality(String), String) COMMENT 'of the point, with names as Prometheus writes them',
    `StartTimeUnix` DateTime64(3, 'UTC') COMMENT 'not kept: the epoch',
    `TimeUnix` DateTime64(3, 'UTC') COMMENT 'in milliseconds',
    `Count` UInt64 COMMENT 'values',
    `Sum` Float64 COMMENT 'of them; NaN: not told',
    `BucketCounts` Array(UInt64) COMMENT 'one more than bounds',
    `ExplicitBounds` Array(Float64) COMMENT 'upper ends, included',
    `Flags` UInt32 COMMENT '1: no value any more',
    `Exemplars.FilteredAttributes` Array(Map(LowCardinality(String), String)) COMMENT 'not kept: empty',
    `Exemplars.TimeUnix` Array(DateTime64(9, 'UTC')) COMMENT 'likewise',
    `Exemplars.Value` Array(Float64) COMMENT 'likewise',
    `Exemplars.SpanId` Array(String) COMMENT 'likewise',
    `Exemplars.TraceId` Array(String) COMMENT 'likewise',
    `Min` Float64 COMMENT 'not kept: NaN',
    `Max` Float64 COMMENT 'not kept: NaN',
    `AggregationTemporality` Int32 COMMENT '1: differences, 2: cumulative',
    `batch` UInt64 COMMENT 'number of the write that the row came with'
)
COMMENT 'histograms in the layout of the OpenTelemetry Collector\'s exporter, put together from their series; a view'
AS SELECT
    mapFilter((k, v) -> (v != ''), map('service.name', h.labels['service_name'], 'service.instance.id', h.labels['service_instance_id'], 'deployment.environment.name', h.labels['deployment_environment_name'], 'evenkeel.system.id', h.labels['evenkeel_system_id'])) AS ResourceAttributes,
    '' AS ResourceSchemaUrl,
    h.labels['otel_scope_name'] AS ScopeName,
    '' AS ScopeVersion,
    map() AS ScopeAttributes,
    0 AS ScopeDroppedAttrCount,
    '' AS ScopeSchemaUrl,
    h.labels['service_name'] AS ServiceName,
    h.name AS MetricName,
    '' AS MetricDescription,
    h.unit AS MetricUnit,
    mapFilter((k, v) -> (k NOT IN ['le', 'service_name', 'service_instance_id', 'deployment_environment_name', 'evenkeel_system_id', 'otel_scope_name', 'otel_temporality']), h.labels) AS Attributes,
    toDateTime64(0, 3, 'UTC') AS StartTimeUnix,
    h.time AS TimeUnix,
    toUInt64(h.count) AS Count,
    if(h.told > 0, h.total, nan) AS Sum,
    arrayMap(d -> toUInt64(greatest(d, 0.)), arrayPopFront(arrayDifference(arrayPushFront(arrayPushBack(arrayMap(b -> (b.2), h.buckets), h.count), 0.)))) AS BucketCounts,
    arrayMap(b -> (b.1), h.buckets) AS ExplicitBounds,
    toUInt32(0) AS Flags,
    [] AS `Exemplars.FilteredAttributes`,
    [] AS `Exemplars.TimeUnix`,
    [] AS `Exemplars.Value`,
    [] AS `Exemplars.SpanId`,
    [] AS `Exemplars.TraceId`,
    nan AS Min,
    nan AS Max,
    if((h.labels['otel_temporality']) = 'delta', 1, 2) AS AggregationTemporality,
    h.batch AS batch
FROM
(
    SELECT
        l.base AS name,
        l.labels AS labels,
        any(l.unit) AS unit,
        s.time AS time,
        arraySort(groupUniqArrayIf((l.le, s.value), (l.part = 'bucket') AND isFinite(l.le))) AS buckets,
        maxIf(s.value, l.part = 'count') AS count,
        maxIf(s.value, l.part = 'sum') AS total,
        countIf(l.part = 'sum') AS told,
        max(s.batch) AS batch
    FROM samples AS s
    INNER JOIN
    (
        SELECT
            fingerprint,
            extract(toString(name), '_(bucket|sum|count)$') AS part,
            replaceRegexpOne(toString(name), '_(bucket|sum|count)$', '') AS base,
            mapFilter((k, v) -> (k != 'le'), every) AS labels,
            toFloat64OrDefault(every['le'], inf) AS le,
            unit
        FROM
        (
            SELECT
                fingerprint,
                name,
                labels AS every,
                unit
            FROM series
            FINAL
            WHERE kind = 'histogram'
        )
    ) AS l ON s.fingerprint = l.fingerprint
    WHERE NOT isNaN(s.value)
    GROUP BY
        name,
        labels,
        time
    HAVING countIf(l.part = 'count') > 0
) AS h;

CREATE VIEW otel_metrics_sum
(
    `ResourceAttributes` Map(LowCardinality(String), String) COMMENT 'what the resource says of itself that each of its series carries',
    `ResourceSchemaUrl` String COMMENT 'not kept: empty',
    `ScopeName` String COMMENT 'of the instrumentation; empty for Evenkeel\'s own',
    `ScopeVersion` String COMMENT 'not kept: empty',
    `ScopeAttributes` Map(LowCardinality(String), String) COMMENT 'not kept: empty',
    `ScopeDroppedAttrCount` UInt32 COMMENT 'not kept: 0',
    `ScopeSchemaUrl` String COMMENT 'not kept: empty',
    `ServiceName` LowCardinality(String) COMMENT 'resource attribute service.name',
    `MetricName` String COMMENT 'as Prometheus writes it',
    `MetricDescription` String COMMENT 'not kept: empty',
    `MetricUnit` String COMMENT 'in UCUM, as the sender gave it',
    `Attributes` Map(LowCardinality(String), String) COMMENT 'of the point, with names as Prometheus writes them',
    `StartTimeUnix` DateTime64(3, 'UTC') COMMENT 'not kept: the epoch',
    `TimeUnix` DateTime64(3, 'UTC') COMMENT 'in milliseconds',
    `Value` Float64 COMMENT 'NaN is a value',
    `Flags` UInt32 COMMENT '1: no value any more',
    `Exemplars.FilteredAttributes` Array(Map(LowCardinality(String), String)) COMMENT 'not kept: empty',
    `Exemplars.TimeUnix` Array(DateTime64(9, 'UTC')) COMMENT 'likewise',
    `Exemplars.Value` Array(Float64) COMMENT 'likewise',
    `Exemplars.SpanId` Array(String) COMMENT 'likewise',
    `Exemplars.TraceId` Array(String) COMMENT 'likewise',
    `AggregationTemporality` Int32 COMMENT '1: differences, 2: cumulative',
    `IsMonotonic` Bool COMMENT 'whether it only grows; not kept for differences',
    `batch` UInt64 COMMENT 'number of the write that the row came with'
)
COMMENT 'sums in the layout of the OpenTelemetry Collector\'s exporter, those of summaries too; a view'
AS SELECT
    mapFilter((k, v) -> (v != ''), map('service.name', l.labels['service_name'], 'service.instance.id', l.labels['service_instance_id'], 'deployment.environment.name', l.labels['deployment_environment_name'], 'evenkeel.system.id', l.labels['evenkeel_system_id'])) AS ResourceAttributes,
    '' AS ResourceSchemaUrl,
    l.labels['otel_scope_name'] AS ScopeName,
    '' AS ScopeVersion,
    map() AS ScopeAttributes,
    0 AS ScopeDroppedAttrCount,
    '' AS ScopeSchemaUrl,
    l.labels['service_name'] AS ServiceName,
    l.name AS MetricName,
    '' AS MetricDescription,
    l.unit AS MetricUnit,
    mapFilter((k, v) -> (k NOT IN ['le', 'service_name', 'service_instance_id', 'deployment_environment_name', 'evenkeel_system_id', 'otel_scope_name', 'otel_temporality']), l.labels) AS Attributes,
    toDateTime64(0, 3, 'UTC') AS StartTimeUnix,
    s.time AS TimeUnix,
    s.value AS Value,
    toUInt32(reinterpretAsUInt64(s.value) = 9218868437227405314) AS Flags,
    [] AS `Exemplars.FilteredAttributes`,
    [] AS `Exemplars.TimeUnix`,
    [] AS `Exemplars.Value`,
    [] AS `Exemplars.SpanId`,
    [] AS `Exemplars.TraceId`,
    if((l.labels['otel_temporality']) = 'delta', 1, 2) AS AggregationTemporality,
    l.kind = 'counter' AS IsMonotonic,
    s.batch AS batch
FROM samples AS s
INNER JOIN
(
    SELECT
        fingerprint,
        name,
        unit,
        kind,
        labels
    FROM series
    FINAL
    WHERE (kind = 'counter') OR ((kind = 'gauge') AND ((labels['otel_temporality']) != ''))
) AS l ON s.fingerprint = l.fingerprint;

CREATE TABLE otel_traces
(
    `Timestamp` DateTime64(9, 'UTC') COMMENT 'when the span began' CODEC(Delta(8), ZSTD(1)),
    `TraceId` String COMMENT '32 hexadecimal digits; empty: none' CODEC(ZSTD(1)),
    `SpanId` String COMMENT '16 hexadecimal digits' CODEC(ZSTD(1)),
    `ParentSpanId` String COMMENT 'empty: a root' CODEC(ZSTD(1)),
    `TraceState` String COMMENT 'as W3C writes it' CODEC(ZSTD(1)),
    `SpanName` LowCardinality(String) COMMENT 'of the operation' CODEC(ZSTD(1)),
    `SpanKind` LowCardinality(String) COMMENT 'Unspecified, Internal, Server, Client, Producer, Consumer' CODEC(ZSTD(1)),
    `ServiceName` LowCardinality(String) COMMENT 'resource attribute service.name' CODEC(ZSTD(1)),
    `ResourceAttributes` Map(LowCardinality(String), String) COMMENT 'lists and maps as JSON' CODEC(ZSTD(1)),
    `ScopeName` String COMMENT 'of the instrumentation' CODEC(ZSTD(1)),
    `ScopeVersion` String COMMENT 'of the instrumentation' CODEC(ZSTD(1)),
    `SpanAttributes` Map(LowCardinality(String), String) COMMENT 'lists and maps as JSON' CODEC(ZSTD(1)),
    `Duration` UInt64 COMMENT 'nanoseconds' CODEC(ZSTD(1)),
    `StatusCode` LowCardinality(String) COMMENT 'Unset, Ok, Error' CODEC(ZSTD(1)),
    `StatusMessage` String COMMENT 'of an error' CODEC(ZSTD(1)),
    `Events.Timestamp` Array(DateTime64(9, 'UTC')) COMMENT 'when each event happened' CODEC(ZSTD(1)),
    `Events.Name` Array(LowCardinality(String)) COMMENT 'of each event' CODEC(ZSTD(1)),
    `Events.Attributes` Array(Map(LowCardinality(String), String)) COMMENT 'of each event, lists and maps as JSON' CODEC(ZSTD(1)),
    `Links.TraceId` Array(String) COMMENT 'of each span that is linked to' CODEC(ZSTD(1)),
    `Links.SpanId` Array(String) COMMENT 'of each span that is linked to' CODEC(ZSTD(1)),
    `Links.TraceState` Array(String) COMMENT 'of each link' CODEC(ZSTD(1)),
    `Links.Attributes` Array(Map(LowCardinality(String), String)) COMMENT 'of each link, lists and maps as JSON' CODEC(ZSTD(1)),
    `batch` UInt64 COMMENT 'the spool range that the row came with' CODEC(Delta(8), ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_duration Duration TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192
COMMENT 'spans of any sender, in the columns of the OpenTelemetry Collector\'s ClickHouse exporter';

CREATE TABLE otel_traces_trace_id_ts
(
    `TraceId` String COMMENT '32 hexadecimal digits' CODEC(ZSTD(1)),
    `Start` DateTime('UTC') COMMENT 'of the first span of this trace in this batch; ask for min' CODEC(T64, ZSTD(1)),
    `End` DateTime('UTC') COMMENT 'start of the last one; ask for max' CODEC(T64, ZSTD(1)),
    `batch` UInt64 COMMENT 'the spool range that the row came with' CODEC(Delta(8), ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192
COMMENT 'when the spans of a trace began, by batch: readers look here first for the days to search';

CREATE TABLE predictions
(
    `system` LowCardinality(String) COMMENT 'AI system',
    `model_name` LowCardinality(String) COMMENT 'name of the model',
    `model_version` LowCardinality(String) COMMENT 'its version; empty: not known',
    `instance` LowCardinality(String) COMMENT 'the agent',
    `id` String COMMENT 'of the request' CODEC(ZSTD(1)),
    `row` UInt32 COMMENT 'of the request, from 0' CODEC(T64, ZSTD(1)),
    `time` DateTime64(9, 'UTC') COMMENT 'when it was made' CODEC(Delta(8), ZSTD(1)),
    `value` String COMMENT 'the deciding output; empty: none' CODEC(ZSTD(1)),
    `score` Float64 COMMENT 'of the positive outcome; NaN: none' CODEC(ZSTD(1)),
    `group_attributes` Array(LowCardinality(String)) COMMENT 'protected attributes, each with its group in group_names',
    `group_names` Array(LowCardinality(String)) COMMENT 'by opt-in only',
    `basis` LowCardinality(String) COMMENT 'lawful basis of sending groups',
    `rate` Float64 COMMENT 'share of the requests that were profiled' CODEC(ZSTD(1)),
    `trace_id` String COMMENT '32 hexadecimal digits; empty: none' CODEC(ZSTD(1)),
    `baseline` LowCardinality(String) COMMENT 'digest; empty: none',
    `run` LowCardinality(String) COMMENT 'of the lineage',
    `batch` UInt64 COMMENT 'number of the write that the row came with' CODEC(Delta(8), ZSTD(1)),
    `digest_model` LowCardinality(String) COMMENT 'of the model that answered; empty: not known' CODEC(ZSTD(1)),
    `digest_index` LowCardinality(String) COMMENT 'of what was retrieved from; empty: not known, or there is none' CODEC(ZSTD(1)),
    `digest_prompt` LowCardinality(String) COMMENT 'of the prompt\'s template; likewise' CODEC(ZSTD(1)),
    `digest_transform` LowCardinality(String) COMMENT 'of what makes features; likewise' CODEC(ZSTD(1)),
    `declared_run` LowCardinality(String) COMMENT 'of somebody\'s OpenLineage; likewise' CODEC(ZSTD(1)),
    INDEX id id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (system, model_name, model_version, time, id, row)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192
COMMENT 'single predictions, where agents send them';

CREATE TABLE register_events
(
    `id` String COMMENT 'UUID' CODEC(ZSTD(1)),
    `record` String COMMENT 'UUID of the record or approval that it is about' CODEC(ZSTD(1)),
    `seq` UInt64 COMMENT 'from 1, without gaps',
    `time` DateTime64(9, 'UTC') COMMENT 'when it happened' CODEC(Delta(8), ZSTD(1)),
    `type` LowCardinality(String) COMMENT 'opened, acknowledged and the like',
    `actor_id` String COMMENT 'who did it',
    `actor_kind` LowCardinality(String) COMMENT 'person, service or team',
    `actor_role` LowCardinality(String) COMMENT 'at that time',
    `data` String COMMENT 'canonical JSON' CODEC(ZSTD(3)),
    `prev_hash` String COMMENT 'of the event before; empty for the first',
    `hash` String COMMENT 'over all fields but batch',
    `batch` UInt64 COMMENT 'number of the write that the row came with'
)
ENGINE = MergeTree
ORDER BY (record, seq)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192
COMMENT 'the life of nonconformity records: chained, appended, never changed';

CREATE TABLE replicas
(
    `number` UInt32 COMMENT 'the upper bits of a replica\'s batch numbers',
    `id` String COMMENT 'of a data folder, made by chance',
    `at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'when it was claimed'
)
ENGINE = MergeTree
ORDER BY (number, id)
SETTINGS index_granularity = 8192
COMMENT 'which data folder has which part of the batch numbers; a number is whose claim stands alone';

CREATE TABLE samples
(
    `fingerprint` UInt64 COMMENT 'of the series' CODEC(Delta(8), ZSTD(1)),
    `time` DateTime64(3, 'UTC') COMMENT 'in milliseconds' CODEC(Delta(8), ZSTD(1)),
    `value` Float64 COMMENT 'NaN is a value; one NaN marks the end of a series, as in Prometheus' CODEC(Delta(8), ZSTD(1)),
    `batch` UInt64 COMMENT 'number of the write that the row came with' CODEC(Delta(8), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (fingerprint, time)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192
COMMENT 'values of time series, for PromQL';

CREATE TABLE schema_migrations
(
    `version` UInt32 COMMENT 'number of the step',
    `name` String COMMENT 'its name',
    `digest` String COMMENT 'of its text, which never changes',
    `applied_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'when it was done'
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY version
SETTINGS index_granularity = 8192
COMMENT 'the steps that made these tables';

CREATE TABLE series
(
    `name` LowCardinality(String) COMMENT 'as Prometheus writes it',
    `fingerprint` UInt64 COMMENT 'hash of name and labels',
    `labels` Map(LowCardinality(String), String) COMMENT 'sorted by name, without __name__ and empty values',
    `kind` LowCardinality(String) COMMENT 'gauge, counter or histogram',
    `unit` LowCardinality(String) COMMENT 'in UCUM, as the sender gave it',
    `seen_at` DateTime64(3, 'UTC') COMMENT 'refreshed now and then, not with every sample',
    `batch` UInt64 COMMENT 'number of the write that the row came with',
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
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192
COMMENT 'time series by name and labels, for PromQL';

