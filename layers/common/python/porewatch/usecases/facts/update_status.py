"""Project facts into the registry: one transaction per fact, idempotent.

The final findings are not in a fact (there can be many): RunCompleted names the document that has
them (`find_projection`). RunDeleted removes every row of the run except its costs; later facts of
the run add none.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.registry_record import (
    STAGE_STATES,
    change_of,
)
from porewatch.domain.facts.run_facts import (
    FileQuarantined,
    FileValidated,
    RunCompleted,
    RunDeleted,
    RunStarted,
)
from porewatch.domain.facts.stage_facts import (
    InstanceLaunched,
    InstanceTerminated,
    PhaseCompleted,
    SpotInterrupted,
    StageClaimed,
    StageCompleted,
    StageFailed,
)
from porewatch.usecases.facts.find_projection import (
    Sources,
    find_projection,
)

if TYPE_CHECKING:
    from porewatch.adapters.registry.database import Registry
    from porewatch.adapters.registry.rows import RegistryRows

_log = logging.getLogger(__name__)


def update_status(fact: Fact, *, registry: Registry, rows: RegistryRows, sources: Sources) -> None:
    """Write what the fact changes."""
    with registry.transaction():
        if isinstance(fact, RunDeleted):
            rows.erasure.erase(fact.run_id, by=fact.by, reason=fact.reason, at=fact.at)
            return
        if not isinstance(fact, InstanceTerminated) and rows.erasure.is_deleted(fact.run_id):
            _log.info("run %s is deleted: %s is not projected", fact.run_id, type(fact).__name__)
            return
        found = find_projection(fact, sources) if isinstance(fact, RunCompleted) else None
        _run_and_stage(fact, rows)
        _parts(fact, rows)
        if found is not None:
            rows.final(found, fact.at)


def _run_and_stage(fact: Fact, rows: RegistryRows) -> None:
    change = change_of(fact)
    if change is not None:
        rows.workflow(change)
    match fact:
        case (
            InstanceLaunched()
            | StageClaimed()
            | SpotInterrupted()
            | StageCompleted()
            | StageFailed()
        ):
            state = STAGE_STATES[type(fact)]
            rows.stage(fact.run_id, fact.revision, stage=fact.stage, state=state, at=fact.at)


def _parts(fact: Fact, rows: RegistryRows) -> None:
    match fact:
        case RunStarted():
            for sample in fact.samples:
                rows.sample(fact.run_id, fact.revision, sample, at=fact.at)
        case PhaseCompleted():
            rows.phase(fact)
        case PathogenSuspected():
            rows.suspicion(fact)
        case InstanceTerminated():
            rows.cost(fact)
        case FileValidated() | FileQuarantined():
            rows.file(fact)
