-- Whether a run's results may be reported, and what they come to; empty for runs of earlier versions.
ALTER TABLE workflow_records ADD COLUMN outcome text;
ALTER TABLE workflow_records ADD COLUMN verdict jsonb;
CREATE INDEX workflow_records_by_outcome ON workflow_records (outcome, ended_at DESC);
