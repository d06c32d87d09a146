-- The registry: what people ask with SQL. Fed by facts, rebuilt by replaying them.
-- Every primary key is what makes a repeated fact harmless; `at` (or `epoch`) keeps late facts from
-- moving a row backwards. One statement ends with a semicolon at the end of a line.

CREATE TABLE workflow_records (
    run_id          text        NOT NULL,
    revision        integer     NOT NULL,
    state           text        NOT NULL
        CHECK (state IN ('sealed', 'running', 'completed', 'failed', 'refused')),
    stage           text,
    stage_state     text,
    profile         text,
    bundle          text,
    manifest_digest text,
    execution_arn   text,
    files           integer,
    samples         integer,
    problem         text,
    findings        integer,
    cost_usd        double precision,
    report_keys     jsonb,
    sealed_at       timestamptz,
    started_at      timestamptz,
    ended_at        timestamptz,
    state_at        timestamptz NOT NULL,
    stage_at        timestamptz,
    PRIMARY KEY (run_id, revision)
);

CREATE INDEX workflow_records_by_time ON workflow_records (state_at DESC);

CREATE TABLE samples (
    run_id   text    NOT NULL,
    revision integer NOT NULL,
    sample   text    NOT NULL,
    outcome  text,
    reasons  jsonb,
    reads    bigint,
    bases    bigint,
    account  jsonb,
    at       timestamptz NOT NULL,
    PRIMARY KEY (run_id, revision, sample)
);

CREATE TABLE phase_records (
    run_id      text        NOT NULL,
    revision    integer     NOT NULL,
    phase       text        NOT NULL,
    stage       text        NOT NULL,
    epoch       integer     NOT NULL,
    status      text        NOT NULL,
    reason      text        NOT NULL DEFAULT '',
    backend     text        NOT NULL DEFAULT '',
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    counts      jsonb       NOT NULL,
    tools       jsonb       NOT NULL,
    PRIMARY KEY (run_id, revision, phase)
);

CREATE TABLE findings (
    run_id   text    NOT NULL,
    revision integer NOT NULL,
    sample   text    NOT NULL,
    code     text    NOT NULL,
    name     text    NOT NULL,
    severity text    NOT NULL,
    call     text    NOT NULL,
    final    boolean NOT NULL,
    reads    bigint  NOT NULL,
    detail   jsonb,
    at       timestamptz NOT NULL,
    PRIMARY KEY (run_id, revision, sample, code)
);

CREATE INDEX findings_by_code ON findings (code, call);

CREATE TABLE costs (
    run_id        text             NOT NULL,
    revision      integer          NOT NULL,
    stage         text             NOT NULL,
    epoch         integer          NOT NULL,
    instance_id   text             NOT NULL,
    instance_type text             NOT NULL,
    purchase      text             NOT NULL,
    seconds       double precision NOT NULL,
    usd           double precision NOT NULL,
    reason        text             NOT NULL,
    at            timestamptz      NOT NULL,
    PRIMARY KEY (run_id, revision, stage, epoch, instance_id)
);

CREATE TABLE files (
    run_id         text        NOT NULL,
    path           text        NOT NULL,
    state          text        NOT NULL CHECK (state IN ('valid', 'quarantined')),
    size           bigint,
    reads          bigint,
    bases          bigint,
    problem        text,
    quarantine_key text,
    at             timestamptz NOT NULL,
    PRIMARY KEY (run_id, path)
);
