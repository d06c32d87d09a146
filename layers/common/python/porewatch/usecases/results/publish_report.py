"""Publish the reports of the run and of each sample with the settled bill; complete the run.

Order: is the revision current -> each report as its stage published it (checksum compared) -> the
report is a `Report` -> the head of its audit trail is anchored -> into the reports bucket -> the
bill -> the registry projection -> RUNNING to COMPLETED, with its fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError

from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.errors import StaleEpoch, WorkerFailed
from porewatch.domain.facts.registry_projection import projection_of
from porewatch.domain.forecast.prices import PriceList
from porewatch.domain.money.carbon import Factors
from porewatch.domain.money.cost import Bill
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.publishing import (
    BILL,
    JSON,
    REPORT,
    TEXT,
    content_types,
    need,
    outputs_of,
    settled_bill,
    sums_of,
)
from porewatch.domain.results.report import Report
from porewatch.domain.results.run_results import RunResults
from porewatch.domain.results.sample_states import states_of
from porewatch.domain.rules import run_endings
from porewatch.domain.runs import RunState
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.state_machine_tasks import Finish, Published
from porewatch.domain.validation_text import say
from porewatch.usecases.money.settle_overhead import settle_overhead
from porewatch.usecases.stages.read_output import intact

if TYPE_CHECKING:
    from porewatch.adapters.audit.anchors import Anchors
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.adapters.objects import Objects


def publish_report(
    task: Finish,
    *,
    results: Objects,
    reports: Objects,
    runs: RunLedger,
    stages: StageLedger,
    anchors: Anchors,
    prices: PriceList,
    factors: Factors | None = None,
    clock: Callable[[], datetime] = now,
) -> Published:
    """Idempotent. WorkerFailed when a report is missing, altered or invalid; StaleEpoch when the
    run has moved on."""
    record = _ours(runs.get(task.run_id), task)
    outputs = outputs_of(results.get_json(key, StageManifest) for key in task.manifests)
    types = content_types(outputs)
    contents = {name: intact(name, need(outputs, name), results) for name in types}
    report = _report(contents[REPORT], task)
    if record.state is RunState.COMPLETED:
        return Published(report_keys=record.report_keys)
    at = clock()
    if report.audit is not None:
        anchors.keep(task.run_id, task.revision, report.audit.head, at)
    _settle(task, runs, stages, prices, at)
    bill = _bill(task, stages, prices, factors, at)
    keys = _write(task, contents, types, bill, reports)
    states = states_of(report).model_dump_json(exclude_defaults=True)
    reports.put(s3_keys.states_key(task.run_id, task.revision), states.encode(), JSON)
    found = results.get_json(s3_keys.results_key(task.run_id, task.revision), RunResults)
    runs.apply(
        task.run_id,
        run_endings.complete,
        task.revision,
        report_keys=keys,
        findings=len(report.detected),
        verdict=report.verdict,
        projection_key=_project(task, found, reports),
        bases=sum(screen.quality.bases for screen in found.screens),
        cost_usd=bill.total_usd,
        total_usd=round(sum(line.usd for line in runs.cost_lines(task.run_id)), 6),
        at=clock(),
    )
    return Published(report_keys=keys)


def _settle(
    task: Finish, runs: RunLedger, stages: StageLedger, prices: PriceList, at: datetime
) -> None:
    services = prices.services
    settle_overhead(task.run_id, task.revision, runs=runs, stages=stages, prices=services, at=at)


def _bill(
    task: Finish, stages: StageLedger, prices: PriceList, factors: Factors | None, at: datetime
) -> Bill:
    run_id, revision = task.run_id, task.revision
    return settled_bill(
        stages.cost_lines(run_id, revision),
        prices=prices.quoted,
        as_of=at,
        interruptions=sum(stage.interruptions for stage in stages.of_run(run_id, revision)),
        factors=factors,
    )


def _ours(record: RunRecord, task: Finish) -> RunRecord:
    if record.revision == task.revision and record.state in (RunState.RUNNING, RunState.COMPLETED):
        return record
    raise StaleEpoch(
        f"run {record.run_id} is {record.state.value} at revision {record.revision}: "
        f"the report of revision {task.revision} is not published."
    )


def _report(content: bytes, task: Finish) -> Report:
    try:
        report = Report.model_validate_json(content)
    except ValidationError as e:
        raise WorkerFailed(f"the report is not a report: {say(e)}", file="report.json") from e
    if (report.run_id, report.revision) != (task.run_id, task.revision):
        raise WorkerFailed(
            f"the report is about {report.run_id} revision {report.revision}.", file="report.json"
        )
    return report


def _write(
    task: Finish,
    contents: Mapping[str, bytes],
    types: Mapping[str, str],
    bill: Bill,
    reports: Objects,
) -> dict[str, str]:
    """Write to the reports bucket; returns the keys by name. Their digests lie beside them."""
    run = task.run_id, task.revision
    contents = {**contents, BILL: bill.canonical_json().encode()}
    keys = {name: s3_keys.report_key(*run, name) for name in contents}
    for name, content in contents.items():
        reports.put(keys[name], content, types.get(name, JSON))
    reports.put(s3_keys.sums_key(*run), sums_of(contents).encode(), TEXT)
    return keys


def _project(task: Finish, found: RunResults, reports: Objects) -> str:
    """Store what the registry shows, beside the reports; returns its key. Results expire before
    facts do."""
    key = s3_keys.projection_key(task.run_id, task.revision)
    reports.put_json(key, projection_of(found))
    return key
