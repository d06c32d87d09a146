-- Runs that a person deleted: facts about them that come late make no rows (costs apart).
CREATE TABLE deleted_runs (
    run_id     text        PRIMARY KEY,
    deleted_by text        NOT NULL,
    reason     text        NOT NULL,
    deleted_at timestamptz NOT NULL
);
