-- Whose a run is. Runs of earlier versions belong to the default project.
ALTER TABLE workflow_records ADD COLUMN project text NOT NULL DEFAULT 'default';
ALTER TABLE workflow_records ADD COLUMN name text;
ALTER TABLE workflow_records ADD COLUMN submitted_by text;
CREATE INDEX workflow_records_by_project ON workflow_records (project, ended_at DESC);
