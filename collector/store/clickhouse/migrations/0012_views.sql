-- Metrics as the OpenTelemetry Collector's exporter lays them out, for tools that
-- read them so: views over series and samples, which hold what they show.

CREATE VIEW IF NOT EXISTS otel_metrics_gauge
(
    `ResourceAttributes` Map(LowCardinality(String), String) COMMENT 'what the resource says of itself that each of its series carries',
    `ResourceSchemaUrl` String COMMENT 'not kept: empty',
    `ScopeName` String COMMENT 'of the instrumentation; empty for Evenkeel''s own',
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
AS SELECT
    mapFilter((k, v) -> v != '', map('service.name', l.labels['service_name'], 'service.instance.id', l.labels['service_instance_id'],
        'deployment.environment.name', l.labels['deployment_environment_name'], 'evenkeel.system.id', l.labels['evenkeel_system_id'])) AS ResourceAttributes,
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
    mapFilter((k, v) -> k NOT IN ['le', 'service_name', 'service_instance_id', 'deployment_environment_name', 'evenkeel_system_id', 'otel_scope_name', 'otel_temporality'], l.labels) AS Attributes,
    toDateTime64(0, 3, 'UTC') AS StartTimeUnix,
    s.time AS TimeUnix,
    s.value AS Value,
    toUInt32(reinterpretAsUInt64(s.value) = 0x7ff0000000000002) AS Flags,
    [] AS `Exemplars.FilteredAttributes`,
    [] AS `Exemplars.TimeUnix`,
    [] AS `Exemplars.Value`,
    [] AS `Exemplars.SpanId`,
    [] AS `Exemplars.TraceId`,
    s.batch AS batch
FROM samples AS s
INNER JOIN (SELECT fingerprint, name, unit, kind, labels FROM series FINAL WHERE kind = 'gauge' AND labels['otel_temporality'] = '') AS l ON s.fingerprint = l.fingerprint
COMMENT 'gauges in the layout of the OpenTelemetry Collector''s exporter; a view';

CREATE VIEW IF NOT EXISTS otel_metrics_sum
(
    `ResourceAttributes` Map(LowCardinality(String), String) COMMENT 'what the resource says of itself that each of its series carries',
    `ResourceSchemaUrl` String COMMENT 'not kept: empty',
    `ScopeName` String COMMENT 'of the instrumentation; empty for Evenkeel''s own',
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
AS SELECT
    mapFilter((k, v) -> v != '', map('service.name', l.labels['service_name'], 'service.instance.id', l.labels['service_instance_id'],
        'deployment.environment.name', l.labels['deployment_environment_name'], 'evenkeel.system.id', l.labels['evenkeel_system_id'])) AS ResourceAttributes,
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
    mapFilter((k, v) -> k NOT IN ['le', 'service_name', 'service_instance_id', 'deployment_environment_name', 'evenkeel_system_id', 'otel_scope_name', 'otel_temporality'], l.labels) AS Attributes,
    toDateTime64(0, 3, 'UTC') AS StartTimeUnix,
    s.time AS TimeUnix,
    s.value AS Value,
    toUInt32(reinterpretAsUInt64(s.value) = 0x7ff0000000000002) AS Flags,
    [] AS `Exemplars.FilteredAttributes`,
    [] AS `Exemplars.TimeUnix`,
    [] AS `Exemplars.Value`,
    [] AS `Exemplars.SpanId`,
    [] AS `Exemplars.TraceId`,
    if(l.labels['otel_temporality'] = 'delta', 1, 2) AS AggregationTemporality,
    l.kind = 'counter' AS IsMonotonic,
    s.batch AS batch
FROM samples AS s
INNER JOIN (SELECT fingerprint, name, unit, kind, labels FROM series FINAL WHERE kind = 'counter' OR (kind = 'gauge' AND labels['otel_temporality'] != '')) AS l ON s.fingerprint = l.fingerprint
COMMENT 'sums in the layout of the OpenTelemetry Collector''s exporter, those of summaries too; a view';

CREATE VIEW IF NOT EXISTS otel_metrics_histogram
(
    `ResourceAttributes` Map(LowCardinality(String), String) COMMENT 'what the resource says of itself that each of its series carries',
    `ResourceSchemaUrl` String COMMENT 'not kept: empty',
    `ScopeName` String COMMENT 'of the instrumentation; empty for Evenkeel''s own',
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
AS SELECT
    mapFilter((k, v) -> v != '', map('service.name', h.labels['service_name'], 'service.instance.id', h.labels['service_instance_id'],
        'deployment.environment.name', h.labels['deployment_environment_name'], 'evenkeel.system.id', h.labels['evenkeel_system_id'])) AS ResourceAttributes,
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
    mapFilter((k, v) -> k NOT IN ['le', 'service_name', 'service_instance_id', 'deployment_environment_name', 'evenkeel_system_id', 'otel_scope_name', 'otel_temporality'], h.labels) AS Attributes,
    toDateTime64(0, 3, 'UTC') AS StartTimeUnix,
    h.time AS TimeUnix,
    toUInt64(h.count) AS Count,
    if(h.told > 0, h.total, nan) AS Sum,
    arrayMap(d -> toUInt64(greatest(d, 0.)), arrayPopFront(arrayDifference(arrayPushFront(arrayPushBack(arrayMap(b -> b.2, h.buckets), h.count), 0.)))) AS BucketCounts,
    arrayMap(b -> b.1, h.buckets) AS ExplicitBounds,
    toUInt32(0) AS Flags,
    [] AS `Exemplars.FilteredAttributes`,
    [] AS `Exemplars.TimeUnix`,
    [] AS `Exemplars.Value`,
    [] AS `Exemplars.SpanId`,
    [] AS `Exemplars.TraceId`,
    nan AS Min,
    nan AS Max,
    if(h.labels['otel_temporality'] = 'delta', 1, 2) AS AggregationTemporality,
    h.batch AS batch
FROM
(
    SELECT
        l.base AS name,
        l.labels AS labels,
        any(l.unit) AS unit,
        s.time AS time,
        arraySort(groupUniqArrayIf((l.le, s.value), l.part = 'bucket' AND isFinite(l.le))) AS buckets,
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
            mapFilter((k, v) -> k != 'le', every) AS labels,
            toFloat64OrDefault(every['le'], inf) AS le,
            unit
        FROM (SELECT fingerprint, name, labels AS every, unit FROM series FINAL WHERE kind = 'histogram')
    ) AS l ON s.fingerprint = l.fingerprint
    WHERE NOT isNaN(s.value)
    GROUP BY name, labels, time
    HAVING countIf(l.part = 'count') > 0
) AS h
COMMENT 'histograms in the layout of the OpenTelemetry Collector''s exporter, put together from their series; a view';
