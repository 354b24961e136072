-- Which ingest replica has which part of the batch numbers. A row is a claim; a
-- number belongs to the one that alone claims it.

CREATE TABLE IF NOT EXISTS replicas
(
    number UInt32 COMMENT 'the upper bits of a replica''s batch numbers',
    id String COMMENT 'of a data folder, made by chance',
    at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'when it was claimed'
)
ENGINE = MergeTree
ORDER BY (number, id)
COMMENT 'which data folder has which part of the batch numbers; a number is whose claim stands alone';
