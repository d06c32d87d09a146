"""Join the outputs of the stages into results.json; record the number of findings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from porewatch.domain import s3_keys
from porewatch.domain.base import Model, now
from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Quantification
from porewatch.domain.errors import WorkerFailed
from porewatch.domain.results.publishing import (
    QUANTIFICATION,
    REPORT,
    SCREEN,
    join,
    need,
    outputs_of,
)
from porewatch.domain.results.report import Report
from porewatch.domain.rules import run_lifecycle
from porewatch.domain.stage.manifest import OutputFile, StageManifest
from porewatch.domain.stage.state_machine_tasks import Aggregated, Finish
from porewatch.domain.validation_text import say
from porewatch.usecases.stages.read_output import intact

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Objects


M = TypeVar("M", bound=Model)


def aggregate_results(
    task: Finish, *, results: Objects, runs: RunLedger, clock: Callable[[], datetime] = now
) -> Aggregated:
    """Idempotent. WorkerFailed when an output of a stage is missing; StaleEpoch when the run has
    moved on."""
    manifests = [results.get_json(key, StageManifest) for key in task.manifests]
    outputs = outputs_of(manifests)
    screen = _read(SCREEN, ScreenResult, outputs, results)
    counted = _read(QUANTIFICATION, Quantification, outputs, results)
    found = join(task, manifests, screen, counted)
    detected = len(_read(REPORT, Report, outputs, results).detected)
    runs.apply(task.run_id, run_lifecycle.found, task.revision, detected, clock())
    key = s3_keys.results_key(task.run_id, task.revision)
    results.put_json(key, found)
    return Aggregated(results_key=key, findings=detected)


def _read(name: str, cls: type[M], outputs: dict[str, OutputFile], results: Objects) -> M:
    content = intact(name, need(outputs, name), results)
    try:
        return cls.model_validate_json(content)
    except ValidationError as error:
        raise WorkerFailed(f"is not a {cls.__name__}: {say(error)}", file=name) from error
