-- Where data came from: the graph that lineage events make, and the ways to find
-- a prediction and an event by what they are about.

CREATE TABLE IF NOT EXISTS lineage_edges
(
    from_node String COMMENT 'upstream; an id as job:NAMESPACE#NAME' CODEC(ZSTD(1)),
    to_node String CODEC(ZSTD(1)),
    relation LowCardinality(String),
    system LowCardinality(String) COMMENT 'empty: of none',
    seen_at DateTime64(9, 'UTC') COMMENT 'the newest event that says so' CODEC(ZSTD(1)),
    batch UInt64,
    INDEX to_node to_node TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY (from_node, to_node, relation, system)
SETTINGS non_replicated_deduplication_window = 1000;

ALTER TABLE lineage_events
    ADD COLUMN IF NOT EXISTS kind LowCardinality(String) DEFAULT 'run',
    ADD COLUMN IF NOT EXISTS nodes Array(String) COMMENT 'ids of what the event names' CODEC(ZSTD(1));

ALTER TABLE lineage_events
    ADD INDEX IF NOT EXISTS nodes nodes TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE predictions
    ADD INDEX IF NOT EXISTS id id TYPE bloom_filter(0.01) GRANULARITY 1;
