"""Launch one instance for one epoch of a stage: reserve the budget, record the intent, try the
rungs in order.

Idempotent per epoch: the result is the instance in the ledger, else the one with the tags of the
epoch, else a new one. A surplus instance is terminated here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.errors import (
    CapacityUnavailable,
    ConfigurationRefused,
    Conflict,
    PorewatchError,
    QuotaExceeded,
    StaleEpoch,
)
from porewatch.domain.facts.stage_facts import LaunchRefused
from porewatch.domain.forecast.estimate import reservation_usd
from porewatch.domain.forecast.purchase_option import why_on_demand
from porewatch.domain.reasons.reason import (
    Reasons,
    RunCode,
    because,
    clauses,
    coded,
    original,
    problem_of,
)
from porewatch.domain.rules import stage_lifecycle
from porewatch.domain.rules.stage_lifecycle import (
    ENDED,
)
from porewatch.domain.stage.disk_size import after_full
from porewatch.domain.stage.instances import (
    LaunchIntent,
    LaunchSpec,
    Machine,
    Owner,
    no_rung,
)
from porewatch.domain.stage.record import StageKey, StageRecord
from porewatch.domain.stage.spec import LaunchRequest
from porewatch.domain.stage.state_machine_tasks import (
    Launch,
    Launched,
)
from porewatch.usecases.instances.authenticate import Secrets

if TYPE_CHECKING:
    from porewatch.adapters.expiries import Expiries
    from porewatch.adapters.ledger.budget import Budget
    from porewatch.adapters.ledger.capacity_misses import Pools
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.compute.executors import Executors

_log = logging.getLogger(__name__)


def launch_instance(
    task: Launch,
    *,
    stack: str,
    stages: StageLedger,
    executor: Executors,
    budget: Budget,
    pools: Pools,
    secrets: Secrets,
    at: datetime,
    expiries: Expiries | None = None,
    spot_waits: Callable[[str], int] = lambda _: 0,
) -> Launched:
    """Returns the instance of the epoch. Each rung that fails is recorded as a fact. `spot_waits`
    says of a run how often its machines wait for spot before one is bought on demand.

    Raises StaleEpoch, BudgetExceeded, the errors of `Source.launch` that leave the outcome
    unknown, and after the last rung one error that names the reason of each rung.
    """
    record = stages.get(task.key)
    if record.epoch != task.epoch:
        raise StaleEpoch(f"epoch {task.epoch} of {task.key} is over; now it is {record.epoch}.")
    if record.launched_at is not None or record.state in ENDED:
        return Launched(instance_id=record.instance_id or "")
    owner = Owner(
        stack=stack,
        run_id=task.run_id,
        revision=task.revision,
        stage=task.spec.name,
        epoch=task.epoch,
    )
    avoid = (*record.reclaimed, *pools.unavailable(at))
    why = why_on_demand(record, task.spec, at)
    secret = secrets.of(task.key, task.epoch)
    disk = after_full(task.spec.disk_gib, record.full_disks, record.full_hosts)
    stage = task.spec.model_copy(update={"disk_gib": disk})
    request = LaunchRequest(owner=owner, stage=stage, at=at, avoid=avoid, why=why)
    prepared = executor.prepare(request)
    ladder = tuple(with_secret(spec, secret) for spec in prepared)
    patient = why is None and record.waits < spot_waits(task.run_id)
    seconds = stage.p90_seconds or stage.phase_deadline_s
    budget.reserve(owner, reservation_usd(ladder, seconds, executor.price), at)
    with _given_back_without_machine(owner, budget, at):
        machine = _climb(ladder, stages, executor, pools, at, patient=patient)
    _record(record, machine, stages, executor, at)
    _schedule_expiry(machine, expiries)
    return Launched(instance_id=machine.instance_id)


@contextmanager
def _given_back_without_machine(owner: Owner, budget: Budget, at: datetime) -> Iterator[None]:
    """Release the reservation when every rung refused. While it is unknown whether an instance
    exists, the reservation stays until the epoch is closed."""
    try:
        yield
    except (CapacityUnavailable, QuotaExceeded, ConfigurationRefused):
        budget.release(owner, at)
        raise


def _climb(
    ladder: tuple[LaunchSpec, ...],
    stages: StageLedger,
    executor: Executors,
    pools: Pools,
    at: datetime,
    *,
    patient: bool,
) -> Machine:
    """`patient`: what is bought on demand is tried only when spot refuses for another reason than
    its capacity."""
    failures: list[tuple[LaunchSpec, PorewatchError]] = []
    left = [spec for spec in ladder if not patient or spec.purchase == "spot"]
    later = [spec for spec in ladder if spec not in left]
    while left:
        spec = left.pop(0)
        key = StageKey(spec.owner.run_id, spec.owner.revision, spec.owner.stage)
        intent = LaunchIntent(spec=spec, client_token=spec.client_token(), at=at)
        try:
            noted = stages.record_launch_intent(intent)
            unstored = {"secret": spec.secret, "why": spec.why}
            request = noted.spec.model_copy(update=unstored)
            return executor.launch(request, stages.asked(key, spec.owner.epoch))
        except CapacityUnavailable as error:
            pools.note(error.pools, at)
            failure: PorewatchError = error
        except QuotaExceeded as error:
            # The quota covers all instance types of this kind.
            left = [other for other in left if _kind(other) != _kind(spec)]
            failure = error
        except ConfigurationRefused as error:
            failure = (
                error  # of this request only: another purchase option, or Batch, sends another one
            )
        failures.append((spec, failure))
        if later and not isinstance(failure, CapacityUnavailable):
            left, later = [*left, *later], []
        _log.warning("rung %d (%s): %s", spec.rung, spec.reason, failure)
        then = left[0].rung_why if left else _next_action(failures)
        stages.record([_refused(spec, failure, then, at)])
    raise _of_all(failures)


def _next_action(failures: Sequence[tuple[LaunchSpec, PorewatchError]]) -> Reasons:
    refused = isinstance(_of_all(failures), ConfigurationRefused)
    return (because(RunCode.RUN_ENDS if refused else RunCode.ASK_ALL_AGAIN),)


def _of_all(failures: Sequence[tuple[LaunchSpec, PorewatchError]]) -> PorewatchError:
    """The error of all rungs together, with the reason of each. While one of them may still give an
    instance later, it is one that is worth a wait."""
    if not failures:
        return CapacityUnavailable(because(RunCode.POOLS_REFUSED))
    first = min((error for _, error in failures), key=_hope)
    if len(failures) == 1:
        return first
    each = [(spec.rung_why, _why(error)) for spec, error in failures]
    return type(first)(no_rung(each), remedy=first.remedy)


def _why(error: PorewatchError) -> Reasons:
    return coded(problem_of(error)) or original(error.problem)


def _hope(error: PorewatchError) -> int:
    kinds = (CapacityUnavailable, QuotaExceeded)
    return next((n for n, kind in enumerate(kinds) if isinstance(error, kind)), len(kinds))


def with_secret(spec: LaunchSpec, secret: str) -> LaunchSpec:
    """The launch request with the secret; the recorded intent never contains it."""
    return spec.model_copy(update={"secret": secret})


def _kind(spec: LaunchSpec) -> tuple[str, str]:
    return spec.executor, spec.purchase


def _refused(spec: LaunchSpec, error: PorewatchError, then: Reasons, at: datetime) -> LaunchRefused:
    owner = spec.owner
    key = StageKey(owner.run_id, owner.revision, owner.stage)
    return LaunchRefused(
        fact_id=LaunchRefused.id_of(*key, owner.epoch, spec.rung),
        run_id=owner.run_id,
        revision=owner.revision,
        at=at,
        stage=owner.stage,
        epoch=owner.epoch,
        rung=spec.rung,
        executor=spec.executor,
        purchase=spec.purchase,
        error=type(error).__name__,
        problem=error.problem,
        then=clauses(then),
        asked=spec.reason,
        why=coded(problem_of(error)),
        next=then,
        rung_why=spec.rung_why,
    )


def _schedule_expiry(machine: Machine, expiries: Expiries | None) -> None:
    """Three other mechanisms watch the expiry too, so a schedule that cannot be created does not
    fail the launch."""
    if expiries is None or machine.expires_at is None:
        return
    try:
        expiries.set(machine.instance_id, machine.expires_at)
    except PorewatchError as error:
        _log.warning("could not schedule the expiry check of %s: %s", machine.instance_id, error)


def _record(
    record: StageRecord,
    machine: Machine,
    stages: StageLedger,
    executor: Executors,
    at: datetime,
) -> None:
    try:
        stages.apply(record.key, stage_lifecycle.launched, record.epoch, machine, at)
    except Conflict:
        _log.warning("%s is surplus: terminated", machine.instance_id)
        executor.terminate(machine.instance_id)
        raise
