-- A run may also end because a person stopped it.
ALTER TABLE workflow_records DROP CONSTRAINT workflow_records_state_check;
ALTER TABLE workflow_records ADD CONSTRAINT workflow_records_state_check
    CHECK (state IN ('sealed', 'running', 'completed', 'failed', 'refused', 'cancelled'));
