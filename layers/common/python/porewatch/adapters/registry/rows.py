"""What each fact writes into the registry. The only module with SQL.

Every statement is an upsert on the primary key, guarded by `at` or `epoch`: facts may arrive twice,
late and in any order, with the same result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from porewatch.adapters.registry.erasure import RegistryErasure
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.facts.registry_projection import Projection
from porewatch.domain.facts.registry_record import WorkflowChange
from porewatch.domain.facts.run_facts import FileQuarantined, FileValidated
from porewatch.domain.facts.stage_facts import InstanceTerminated, PhaseCompleted

if TYPE_CHECKING:
    from datetime import datetime

    from porewatch.adapters.registry.database import Registry

WORKFLOW = """
INSERT INTO workflow_records AS w (
    run_id, revision, state, project, name, submitted_by, profile, bundle, manifest_digest,
    execution_arn, files, samples,
    problem, findings, outcome, verdict, cost_usd, report_keys, sealed_at, started_at, ended_at,
    state_at)
VALUES (
    :run_id, :revision, :state, COALESCE(CAST(:project AS text), 'default'), :name, :submitted_by,
    :profile, :bundle, :manifest_digest, :execution_arn,
    CAST(:files AS integer), CAST(:samples AS integer), :problem, CAST(:findings AS integer),
    :outcome, CAST(:verdict AS jsonb),
    CAST(:cost_usd AS double precision), CAST(:report_keys AS jsonb),
    CAST(:sealed_at AS timestamptz), CAST(:started_at AS timestamptz),
    CAST(:ended_at AS timestamptz), CAST(:at AS timestamptz))
ON CONFLICT (run_id, revision) DO UPDATE SET
    state = CASE WHEN EXCLUDED.state_at >= w.state_at THEN EXCLUDED.state ELSE w.state END,
    problem = CASE WHEN EXCLUDED.state_at >= w.state_at THEN EXCLUDED.problem ELSE w.problem END,
    state_at = GREATEST(EXCLUDED.state_at, w.state_at),
    project = COALESCE(CAST(:project AS text), w.project),
    name = COALESCE(EXCLUDED.name, w.name),
    submitted_by = COALESCE(EXCLUDED.submitted_by, w.submitted_by),
    profile = COALESCE(EXCLUDED.profile, w.profile),
    bundle = COALESCE(EXCLUDED.bundle, w.bundle),
    manifest_digest = COALESCE(EXCLUDED.manifest_digest, w.manifest_digest),
    execution_arn = COALESCE(EXCLUDED.execution_arn, w.execution_arn),
    files = COALESCE(EXCLUDED.files, w.files),
    samples = COALESCE(EXCLUDED.samples, w.samples),
    findings = COALESCE(EXCLUDED.findings, w.findings),
    outcome = COALESCE(EXCLUDED.outcome, w.outcome),
    verdict = COALESCE(EXCLUDED.verdict, w.verdict),
    cost_usd = COALESCE(EXCLUDED.cost_usd, w.cost_usd),
    report_keys = COALESCE(EXCLUDED.report_keys, w.report_keys),
    sealed_at = COALESCE(EXCLUDED.sealed_at, w.sealed_at),
    started_at = COALESCE(EXCLUDED.started_at, w.started_at),
    ended_at = COALESCE(EXCLUDED.ended_at, w.ended_at)
"""

STAGE = """
INSERT INTO workflow_records AS w (
    run_id, revision, state, stage, stage_state, state_at, stage_at)
VALUES (
    :run_id, :revision, 'running', :stage, :stage_state,
    CAST('-infinity' AS timestamptz), CAST(:at AS timestamptz))
ON CONFLICT (run_id, revision) DO UPDATE SET
    stage = EXCLUDED.stage, stage_state = EXCLUDED.stage_state, stage_at = EXCLUDED.stage_at
WHERE w.stage_at IS NULL OR EXCLUDED.stage_at >= w.stage_at
"""

SAMPLE = """
INSERT INTO samples AS s (run_id, revision, sample, outcome, reasons, reads, bases, account, at)
VALUES (
    :run_id, :revision, :sample, :outcome, CAST(:reasons AS jsonb), CAST(:reads AS bigint),
    CAST(:bases AS bigint), CAST(:account AS jsonb), CAST(:at AS timestamptz))
ON CONFLICT (run_id, revision, sample) DO UPDATE SET
    outcome = COALESCE(EXCLUDED.outcome, s.outcome),
    reasons = COALESCE(EXCLUDED.reasons, s.reasons),
    reads = COALESCE(EXCLUDED.reads, s.reads),
    bases = COALESCE(EXCLUDED.bases, s.bases),
    account = COALESCE(EXCLUDED.account, s.account),
    at = GREATEST(EXCLUDED.at, s.at)
"""

PHASE = """
INSERT INTO phase_records AS p (
    run_id, revision, phase, stage, epoch, status, reason, backend, started_at, finished_at,
    counts, tools)
VALUES (
    :run_id, :revision, :phase, :stage, :epoch, :status, :reason, :backend,
    CAST(:started_at AS timestamptz), CAST(:finished_at AS timestamptz),
    CAST(:counts AS jsonb), CAST(:tools AS jsonb))
ON CONFLICT (run_id, revision, phase) DO UPDATE SET
    stage = EXCLUDED.stage, epoch = EXCLUDED.epoch, status = EXCLUDED.status,
    reason = EXCLUDED.reason, backend = EXCLUDED.backend, started_at = EXCLUDED.started_at,
    finished_at = EXCLUDED.finished_at, counts = EXCLUDED.counts, tools = EXCLUDED.tools
WHERE EXCLUDED.epoch > p.epoch
   OR (EXCLUDED.epoch = p.epoch AND EXCLUDED.finished_at >= p.finished_at)
"""

FINDING = """
INSERT INTO findings AS f (
    run_id, revision, sample, code, name, severity, call, final, reads, detail, at)
VALUES (
    :run_id, :revision, :sample, :code, :name, :severity, :call, :final, :reads,
    CAST(:detail AS jsonb), CAST(:at AS timestamptz))
ON CONFLICT (run_id, revision, sample, code) DO UPDATE SET
    name = EXCLUDED.name, severity = EXCLUDED.severity, call = EXCLUDED.call,
    final = EXCLUDED.final, reads = EXCLUDED.reads, detail = EXCLUDED.detail, at = EXCLUDED.at
WHERE (EXCLUDED.final AND NOT f.final)
   OR (EXCLUDED.final = f.final AND EXCLUDED.at >= f.at)
"""

COST = """
INSERT INTO costs AS c (
    run_id, revision, stage, epoch, instance_id, instance_type, purchase, seconds, usd, reason, at)
VALUES (
    :run_id, :revision, :stage, :epoch, :instance_id, :instance_type, :purchase, :seconds, :usd,
    :reason, CAST(:at AS timestamptz))
ON CONFLICT (run_id, revision, stage, epoch, instance_id) DO UPDATE SET
    seconds = EXCLUDED.seconds, usd = EXCLUDED.usd, reason = EXCLUDED.reason, at = EXCLUDED.at
WHERE EXCLUDED.at >= c.at
"""

FILE = """
INSERT INTO files AS f (run_id, path, state, size, reads, bases, problem, quarantine_key, at)
VALUES (
    :run_id, :path, :state, CAST(:size AS bigint), CAST(:reads AS bigint), CAST(:bases AS bigint),
    :problem, :quarantine_key, CAST(:at AS timestamptz))
ON CONFLICT (run_id, path) DO UPDATE SET
    state = EXCLUDED.state, size = EXCLUDED.size, reads = EXCLUDED.reads, bases = EXCLUDED.bases,
    problem = EXCLUDED.problem, quarantine_key = EXCLUDED.quarantine_key, at = EXCLUDED.at
WHERE EXCLUDED.at >= f.at
"""


class RegistryRows:
    """Writes rows; decides nothing."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.erasure = RegistryErasure(registry)

    def workflow(self, change: WorkflowChange) -> None:
        """What changed about the run as a whole."""
        self._registry.execute(WORKFLOW, **change.model_dump(exclude={"at"}), at=change.at)

    def stage(self, run_id: str, revision: int, *, stage: str, state: str, at: datetime) -> None:
        """Where the run is now."""
        self._registry.execute(
            STAGE, run_id=run_id, revision=revision, stage=stage, stage_state=state, at=at
        )

    def sample(
        self, run_id: str, revision: int, sample: str, *, at: datetime, **known: Any
    ) -> None:
        """A sample; `known` = outcome, reasons, reads, bases, account, as far as known."""
        unknown = dict.fromkeys(("outcome", "reasons", "reads", "bases", "account"))
        self._registry.execute(
            SAMPLE, run_id=run_id, revision=revision, sample=sample, at=at, **{**unknown, **known}
        )

    def phase(self, fact: PhaseCompleted) -> None:
        record = fact.record
        self._registry.execute(
            PHASE,
            run_id=fact.run_id,
            revision=fact.revision,
            phase=record.phase.value,
            stage=fact.stage,
            epoch=fact.epoch,
            status=record.status,
            reason=record.reason,
            backend=record.backend,
            started_at=record.started_at,
            finished_at=record.finished_at,
            counts=record.counts,
            tools=record.tools,
        )

    def suspicion(self, fact: PathogenSuspected) -> None:
        """A finding that is not final: the final call of the same run replaces it."""
        self._registry.execute(
            FINDING,
            run_id=fact.run_id,
            revision=fact.revision,
            sample=fact.sample,
            code=fact.code,
            name=fact.name,
            severity=fact.severity,
            call="suspected",
            final=False,
            reads=fact.reads,
            detail=None,
            at=fact.at,
        )

    def final(self, found: Projection, at: datetime) -> None:
        """The final word on samples and findings; of an incomplete one, what it names."""
        for row in found.samples:
            known = row.model_dump(mode="json", exclude={"sample"})
            self.sample(found.run_id, found.revision, row.sample, at=at, **known)
        for finding in found.findings:
            self._registry.execute(
                FINDING,
                run_id=found.run_id,
                revision=found.revision,
                final=found.complete,
                at=at,
                **finding.model_dump(mode="json"),
            )

    def cost(self, fact: InstanceTerminated) -> None:
        self._registry.execute(
            COST,
            run_id=fact.run_id,
            revision=fact.revision,
            stage=fact.stage,
            epoch=fact.epoch,
            instance_id=fact.instance_id,
            instance_type=fact.instance_type,
            purchase=fact.purchase,
            seconds=fact.seconds,
            usd=fact.cost_usd,
            reason=fact.reason,
            at=fact.at,
        )

    def file(self, fact: FileValidated | FileQuarantined) -> None:
        sound = isinstance(fact, FileValidated)
        self._registry.execute(
            FILE,
            run_id=fact.run_id,
            path=fact.path,
            state="valid" if sound else "quarantined",
            size=getattr(fact, "size", None),
            reads=getattr(fact, "reads", None),
            bases=getattr(fact, "bases", None),
            problem=getattr(fact, "problem", None),
            quarantine_key=getattr(fact, "quarantine_key", None),
            at=fact.at,
        )
