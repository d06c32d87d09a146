"""Join what the stages published into results.json; tell the ledger how much the report found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import places
from porewatch.domain.base import now
from porewatch.domain.findings import Quantification, ScreenResult
from porewatch.domain.phases import StageManifest
from porewatch.domain.publishing import (
    QUANTIFICATION,
    REPORT,
    SCREEN,
    Aggregated,
    Finish,
    join,
    need,
    outputs_of,
)
from porewatch.domain.report import Report

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects
    from porewatch.adapters.runs import RunLedger


def aggregate_results(
    task: Finish, *, results: Objects, runs: RunLedger, clock: Callable[[], datetime] = now
) -> Aggregated:
    """The same task again writes the same object. WorkerFailed when a stage left something out;
    StaleEpoch when the run has moved on."""
    manifests = [results.get_json(key, StageManifest) for key in task.manifests]
    outputs = outputs_of(manifests)
    screen = results.get_json(need(outputs, SCREEN).key, ScreenResult)
    counted = results.get_json(need(outputs, QUANTIFICATION).key, Quantification)
    found = join(task, manifests, screen, counted)
    detected = len(results.get_json(need(outputs, REPORT).key, Report).detected)
    runs.set_findings(task.run_id, task.revision, detected, clock())
    key = places.results_key(task.run_id, task.revision)
    results.put_json(key, found)
    return Aggregated(results_key=key, findings=detected)
