-- How predictions turned out that never left their agent: counts of a window.

ALTER TABLE distributions
    ADD COLUMN IF NOT EXISTS cohort String COMMENT 'JSON: how the window''s predictions turned out; empty: of another target' CODEC(ZSTD(3));
