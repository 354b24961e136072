-- What stood behind answers: of single predictions, and how many of a window's
-- requests each thing stood behind.

ALTER TABLE predictions
    ADD COLUMN IF NOT EXISTS digest_model LowCardinality(String) COMMENT 'of the model that answered; empty: not known' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS digest_index LowCardinality(String) COMMENT 'of what was retrieved from; empty: not known, or there is none' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS digest_prompt LowCardinality(String) COMMENT 'of the prompt''s template; likewise' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS digest_transform LowCardinality(String) COMMENT 'of what makes features; likewise' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS declared_run LowCardinality(String) COMMENT 'of somebody''s OpenLineage; likewise' CODEC(ZSTD(1));

ALTER TABLE distributions
    ADD COLUMN IF NOT EXISTS lineage_parts Array(LowCardinality(String)) COMMENT 'what stood behind the window''s requests: model, index, prompt, transform, run' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS lineage_values Array(LowCardinality(String)) COMMENT 'its digest, or the run; (other): all beyond the sixteenth' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS lineage_requests Array(UInt64) COMMENT 'profiled requests that it stood behind' CODEC(T64, ZSTD(1));
