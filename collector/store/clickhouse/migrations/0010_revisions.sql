-- Cohorts that were counted again because labels came late.

ALTER TABLE fleet_windows
    ADD COLUMN IF NOT EXISTS revision UInt32 COMMENT 'of a cohort: how often it was counted again; 0: as it was closed';
