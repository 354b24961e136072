-- Which of the requests that were sampled out the CPU ceiling left out, and which
-- were left out before they could be lost.

ALTER TABLE distributions
    ADD COLUMN IF NOT EXISTS over_ceiling UInt64 COMMENT 'of sampled_out: wanted, but profiling would have taken too much CPU' CODEC(T64, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS unread UInt64 COMMENT 'of sampled_out: left out before it could be lost' CODEC(T64, ZSTD(1));
