-- What tables and columns mean, and codecs that were chosen by measuring: see the
-- figures in docs/reference/schema.md.

ALTER TABLE baselines
    MODIFY COMMENT 'references that agents declared',
    COMMENT COLUMN IF EXISTS `digest` 'of content',
    COMMENT COLUMN IF EXISTS `seen_at` 'when it was last declared',
    COMMENT COLUMN IF EXISTS `batch` 'number of the write that the row came with',
    COMMENT COLUMN IF EXISTS `system` 'AI system',
    COMMENT COLUMN IF EXISTS `model_name` 'name of the model',
    COMMENT COLUMN IF EXISTS `model_version` 'its version; empty: not known';

ALTER TABLE deliveries
    MODIFY COMMENT 'tries to hand a register event to a plugin',
    COMMENT COLUMN IF EXISTS `sink` 'the plugin''s name',
    COMMENT COLUMN IF EXISTS `attempt` 'from 1',
    COMMENT COLUMN IF EXISTS `ok` 'whether the plugin took it',
    COMMENT COLUMN IF EXISTS `ticket` 'the plugin''s key for the record; empty: not known yet',
    COMMENT COLUMN IF EXISTS `error` 'what went wrong; empty: nothing',
    COMMENT COLUMN IF EXISTS `time` 'of the try',
    COMMENT COLUMN IF EXISTS `batch` 'number of the write that the row came with';

ALTER TABLE distributions
    MODIFY COMMENT 'what agents counted: a row for each window and feature. It alone is what fleet windows and verdicts are made from',
    COMMENT COLUMN IF EXISTS `instance` 'the agent that counted',
    COMMENT COLUMN IF EXISTS `sequence` 'number of the window within the instance; a gap is a loss',
    COMMENT COLUMN IF EXISTS `window_start` 'begin, not included',
    COMMENT COLUMN IF EXISTS `window_end` 'end, included',
    COMMENT COLUMN IF EXISTS `target` 'feature, prediction, group and the like',
    COMMENT COLUMN IF EXISTS `feature` 'name of the column; empty: of the window as a whole',
    COMMENT COLUMN IF EXISTS `kind` 'numeric, categorical or sums',
    COMMENT COLUMN IF EXISTS `counts` 'rows in each cell of the bounds',
    COMMENT COLUMN IF EXISTS `missing` 'rows without a value',
    COMMENT COLUMN IF EXISTS `other` 'rows of rare categories',
    COMMENT COLUMN IF EXISTS `new` 'rows of categories that the baseline does not know',
    COMMENT COLUMN IF EXISTS `invalid` 'rows whose value could not be read',
    COMMENT COLUMN IF EXISTS `n` 'rows, all of the above',
    COMMENT COLUMN IF EXISTS `sum` 'of the values',
    COMMENT COLUMN IF EXISTS `sum_squares` 'of the values',
    COMMENT COLUMN IF EXISTS `max` 'NaN: no finite value',
    COMMENT COLUMN IF EXISTS `group_names` 'of a protected attribute',
    COMMENT COLUMN IF EXISTS `group_favourable` 'rows of each group with the favourable outcome',
    COMMENT COLUMN IF EXISTS `group_total` 'rows of each group',
    COMMENT COLUMN IF EXISTS `seen` 'requests that passed the agent',
    COMMENT COLUMN IF EXISTS `profiled` 'of those, counted here',
    COMMENT COLUMN IF EXISTS `sampled_out` 'of those, left out on purpose',
    COMMENT COLUMN IF EXISTS `dropped` 'of those, left out under load',
    COMMENT COLUMN IF EXISTS `undecodable` 'of those, not understood',
    COMMENT COLUMN IF EXISTS `batch` 'number of the write that the row came with',
    COMMENT COLUMN IF EXISTS `system` 'AI system',
    COMMENT COLUMN IF EXISTS `model_name` 'name of the model',
    COMMENT COLUMN IF EXISTS `model_version` 'its version; empty: not known';

ALTER TABLE drift_processes
    MODIFY COMMENT 'what each anytime-valid drift process had seen after a sealed window',
    COMMENT COLUMN IF EXISTS `length_ns` 'of the windows, nanoseconds',
    COMMENT COLUMN IF EXISTS `baseline` 'digest',
    COMMENT COLUMN IF EXISTS `target` 'as in distributions',
    COMMENT COLUMN IF EXISTS `feature` 'as in distributions',
    COMMENT COLUMN IF EXISTS `window_end` 'of the last window that was added',
    COMMENT COLUMN IF EXISTS `rows` 'since the baseline began',
    COMMENT COLUMN IF EXISTS `batch` 'number of the write that the row came with',
    COMMENT COLUMN IF EXISTS `system` 'AI system',
    COMMENT COLUMN IF EXISTS `model_name` 'name of the model',
    COMMENT COLUMN IF EXISTS `model_version` 'its version; empty: not known';

ALTER TABLE evaluations
    MODIFY COMMENT 'verdicts: what a rule said about a subject, passes included; equal ones that follow each other are one row, the newest',
    COMMENT COLUMN IF EXISTS `id` 'UUID, derived from rule, subject and window',
    COMMENT COLUMN IF EXISTS `rule` 'id of the rule',
    COMMENT COLUMN IF EXISTS `rule_version` 'as its file says',
    COMMENT COLUMN IF EXISTS `rule_digest` 'of the rule with its overrides',
    COMMENT COLUMN IF EXISTS `query_digest` 'of the expression',
    COMMENT COLUMN IF EXISTS `subject` 'labels that name what was judged, the system among them',
    COMMENT COLUMN IF EXISTS `verdict` 'pass, warn, fail, no_data or error',
    COMMENT COLUMN IF EXISTS `value` 'null: no data or an error',
    COMMENT COLUMN IF EXISTS `lower` 'end of its confidence interval; null: none',
    COMMENT COLUMN IF EXISTS `upper` 'end of its confidence interval; null: none',
    COMMENT COLUMN IF EXISTS `samples` 'that the value rests on',
    COMMENT COLUMN IF EXISTS `fail_limit` 'as the rule states it, overrides applied',
    COMMENT COLUMN IF EXISTS `warn_limit` 'likewise',
    COMMENT COLUMN IF EXISTS `window_start` 'begin of the window',
    COMMENT COLUMN IF EXISTS `window_end` 'its end',
    COMMENT COLUMN IF EXISTS `window_ids` 'the agents'' windows that the verdict rests on',
    COMMENT COLUMN IF EXISTS `reason` 'one sentence for people',
    COMMENT COLUMN IF EXISTS `state` 'ok, pending or firing',
    COMMENT COLUMN IF EXISTS `streak` 'windows in a row on this side of the limit',
    COMMENT COLUMN IF EXISTS `evaluated_at` 'when it was judged',
    COMMENT COLUMN IF EXISTS `batch` 'number of the write that the row came with',
    COMMENT COLUMN IF EXISTS `system` 'AI system';

ALTER TABLE fleet_windows
    MODIFY COMMENT 'windows over all replicas, sealed: what was merged and what was missing',
    COMMENT COLUMN IF EXISTS `length_ns` 'nanoseconds',
    COMMENT COLUMN IF EXISTS `window_start` 'begin, not included',
    COMMENT COLUMN IF EXISTS `window_end` 'end, included',
    COMMENT COLUMN IF EXISTS `window_ids` 'runs of the agents'' windows that were merged',
    COMMENT COLUMN IF EXISTS `instances` 'replicas that were in',
    COMMENT COLUMN IF EXISTS `absent` 'replicas that were expected and not in',
    COMMENT COLUMN IF EXISTS `gaps` 'windows missing from the sequences',
    COMMENT COLUMN IF EXISTS `rows` 'model rows; of a cohort, predictions',
    COMMENT COLUMN IF EXISTS `sealed_at` 'when it was closed',
    COMMENT COLUMN IF EXISTS `batch` 'number of the write that the row came with',
    COMMENT COLUMN IF EXISTS `system` 'AI system',
    COMMENT COLUMN IF EXISTS `model_name` 'name of the model',
    COMMENT COLUMN IF EXISTS `model_version` 'its version; empty: not known';

ALTER TABLE labels
    MODIFY COMMENT 'how predictions turned out',
    COMMENT COLUMN IF EXISTS `id` 'of the request that made the prediction',
    COMMENT COLUMN IF EXISTS `row` 'of the request, from 0',
    COMMENT COLUMN IF EXISTS `source` 'who said so',
    COMMENT COLUMN IF EXISTS `batch` 'number of the write that the row came with',
    COMMENT COLUMN IF EXISTS `system` 'AI system';

ALTER TABLE lineage_events
    MODIFY COMMENT 'OpenLineage events as they came',
    COMMENT COLUMN IF EXISTS `time` 'the event''s own',
    COMMENT COLUMN IF EXISTS `event_type` 'START, RUNNING, COMPLETE, FAIL and the like',
    COMMENT COLUMN IF EXISTS `run_id` 'UUID of the run',
    COMMENT COLUMN IF EXISTS `job` 'namespace/name',
    COMMENT COLUMN IF EXISTS `producer` 'URI of what wrote the event',
    COMMENT COLUMN IF EXISTS `batch` 'number of the write that the row came with',
    COMMENT COLUMN IF EXISTS `system` 'AI system';

ALTER TABLE otel_logs
    MODIFY COMMENT 'log records of any sender, in the columns of the OpenTelemetry Collector''s ClickHouse exporter',
    COMMENT COLUMN IF EXISTS `Timestamp` 'when it happened; where nobody said, when it was noticed',
    COMMENT COLUMN IF EXISTS `TimestampTime` 'in seconds, for the order of the table',
    COMMENT COLUMN IF EXISTS `ObservedTimestamp` 'when it was noticed; where nobody said, when it was received',
    COMMENT COLUMN IF EXISTS `TraceId` '32 hexadecimal digits; empty: none',
    COMMENT COLUMN IF EXISTS `SpanId` '16 hexadecimal digits; empty: none',
    COMMENT COLUMN IF EXISTS `TraceFlags` 'as W3C writes them',
    COMMENT COLUMN IF EXISTS `SeverityText` 'as the sender writes it',
    COMMENT COLUMN IF EXISTS `SeverityNumber` '1 to 24, as OpenTelemetry counts; 0: none',
    COMMENT COLUMN IF EXISTS `ServiceName` 'resource attribute service.name',
    COMMENT COLUMN IF EXISTS `Body` 'text; lists and maps as JSON, bytes as base64',
    COMMENT COLUMN IF EXISTS `ResourceSchemaUrl` 'of the resource',
    COMMENT COLUMN IF EXISTS `ResourceAttributes` 'lists and maps as JSON',
    COMMENT COLUMN IF EXISTS `ScopeSchemaUrl` 'of the scope',
    COMMENT COLUMN IF EXISTS `ScopeName` 'of the logger',
    COMMENT COLUMN IF EXISTS `ScopeVersion` 'of the logger',
    COMMENT COLUMN IF EXISTS `ScopeAttributes` 'lists and maps as JSON',
    COMMENT COLUMN IF EXISTS `LogAttributes` 'lists and maps as JSON; without the parts of window events that only machines read',
    COMMENT COLUMN IF EXISTS `EventName` 'of an event; empty: a plain record',
    COMMENT COLUMN IF EXISTS `batch` 'number of the write that the row came with';

ALTER TABLE otel_traces
    MODIFY COMMENT 'spans of any sender, in the columns of the OpenTelemetry Collector''s ClickHouse exporter',
    COMMENT COLUMN IF EXISTS `SpanName` 'of the operation',
    COMMENT COLUMN IF EXISTS `ScopeVersion` 'of the instrumentation',
    COMMENT COLUMN IF EXISTS `StatusMessage` 'of an error',
    COMMENT COLUMN IF EXISTS `Events.Timestamp` 'when each event happened',
    COMMENT COLUMN IF EXISTS `Events.Name` 'of each event',
    COMMENT COLUMN IF EXISTS `Events.Attributes` 'of each event, lists and maps as JSON',
    COMMENT COLUMN IF EXISTS `Links.TraceId` 'of each span that is linked to',
    COMMENT COLUMN IF EXISTS `Links.SpanId` 'of each span that is linked to',
    COMMENT COLUMN IF EXISTS `Links.TraceState` 'of each link',
    COMMENT COLUMN IF EXISTS `Links.Attributes` 'of each link, lists and maps as JSON';

ALTER TABLE otel_traces_trace_id_ts
    MODIFY COMMENT 'when the spans of a trace began, by batch: readers look here first for the days to search';

ALTER TABLE predictions
    MODIFY COMMENT 'single predictions, where agents send them',
    COMMENT COLUMN IF EXISTS `instance` 'the agent',
    COMMENT COLUMN IF EXISTS `time` 'when it was made',
    COMMENT COLUMN IF EXISTS `group_attributes` 'protected attributes, each with its group in group_names',
    COMMENT COLUMN IF EXISTS `group_names` 'by opt-in only',
    COMMENT COLUMN IF EXISTS `trace_id` '32 hexadecimal digits; empty: none',
    COMMENT COLUMN IF EXISTS `batch` 'number of the write that the row came with',
    COMMENT COLUMN IF EXISTS `system` 'AI system',
    COMMENT COLUMN IF EXISTS `model_name` 'name of the model',
    COMMENT COLUMN IF EXISTS `model_version` 'its version; empty: not known';

ALTER TABLE register_events
    MODIFY COMMENT 'the life of nonconformity records: chained, appended, never changed',
    COMMENT COLUMN IF EXISTS `id` 'UUID',
    COMMENT COLUMN IF EXISTS `record` 'UUID of the record or approval that it is about',
    COMMENT COLUMN IF EXISTS `seq` 'from 1, without gaps',
    COMMENT COLUMN IF EXISTS `time` 'when it happened',
    COMMENT COLUMN IF EXISTS `type` 'opened, acknowledged and the like',
    COMMENT COLUMN IF EXISTS `actor_id` 'who did it',
    COMMENT COLUMN IF EXISTS `actor_kind` 'person, service or team',
    COMMENT COLUMN IF EXISTS `actor_role` 'at that time',
    COMMENT COLUMN IF EXISTS `prev_hash` 'of the event before; empty for the first',
    COMMENT COLUMN IF EXISTS `hash` 'over all fields but batch',
    COMMENT COLUMN IF EXISTS `batch` 'number of the write that the row came with';

ALTER TABLE samples
    MODIFY COMMENT 'values of time series, for PromQL',
    COMMENT COLUMN IF EXISTS `fingerprint` 'of the series',
    COMMENT COLUMN IF EXISTS `time` 'in milliseconds',
    COMMENT COLUMN IF EXISTS `value` 'NaN is a value; one NaN marks the end of a series, as in Prometheus',
    COMMENT COLUMN IF EXISTS `batch` 'number of the write that the row came with';

ALTER TABLE schema_migrations
    MODIFY COMMENT 'the steps that made these tables',
    COMMENT COLUMN IF EXISTS `version` 'number of the step',
    COMMENT COLUMN IF EXISTS `name` 'its name',
    COMMENT COLUMN IF EXISTS `digest` 'of its text, which never changes',
    COMMENT COLUMN IF EXISTS `applied_at` 'when it was done';

ALTER TABLE series
    MODIFY COMMENT 'time series by name and labels, for PromQL',
    COMMENT COLUMN IF EXISTS `name` 'as Prometheus writes it',
    COMMENT COLUMN IF EXISTS `fingerprint` 'hash of name and labels',
    COMMENT COLUMN IF EXISTS `kind` 'gauge, counter or histogram',
    COMMENT COLUMN IF EXISTS `unit` 'in UCUM, as the sender gave it',
    COMMENT COLUMN IF EXISTS `batch` 'number of the write that the row came with';

ALTER TABLE samples
    MODIFY COLUMN IF EXISTS `time` CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN IF EXISTS `value` CODEC(Delta, ZSTD(1));

ALTER TABLE otel_traces_trace_id_ts
    MODIFY COLUMN IF EXISTS `Start` CODEC(T64, ZSTD(1)),
    MODIFY COLUMN IF EXISTS `End` CODEC(T64, ZSTD(1));

ALTER TABLE labels
    MODIFY COLUMN IF EXISTS `time` CODEC(T64, ZSTD(1)),
    MODIFY COLUMN IF EXISTS `item` CODEC(T64, ZSTD(1));

ALTER TABLE distributions
    MODIFY COLUMN IF EXISTS `counts` CODEC(ZSTD(3));
