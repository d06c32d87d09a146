"""Every five minutes: find and terminate orphaned resources that still cost money.

Order: `serve_reap` (the task), `reap` (everything), `reap_machine` (one instance whose expiry has
come). A resource type that cannot be listed does not hide the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from porewatch.domain.errors import PorewatchError
from porewatch.domain.facts.metrics import Measure
from porewatch.domain.rules.orphan_cleanup import (
    Reap,
    Reaped,
)
from porewatch.domain.rules.orphans import (
    Found,
    Orphan,
    thing_of,
)
from porewatch.domain.stage.instances import (
    SOURCES,
    ExecutorName,
)
from porewatch.usecases.monitoring.clean_up_orphan import (
    CleanupContext,
    End,
    settle,
)

if TYPE_CHECKING:
    from porewatch.adapters.messages.metrics import Metrics
    from porewatch.adapters.orphans import Leftovers
    from porewatch.adapters.s3.uploads import Uploads

Look = Callable[[], Iterable[Orphan]]
COUNTED = {
    "LeftoversNoted": ("noted",),
    "LeftoversEnded": ("ended",),
    "LeftoversStay": ("told", "could not end"),
}
"""Metric -> actions. What stays needs a person (its alarm says so)."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OrphanSweep:
    """Where to look, and the context of the cleanup. `metrics` None: no metrics."""

    context: CleanupContext
    leftovers: Leftovers
    uploads: Uploads
    metrics: Metrics | None = None


def serve_reap(task: Reap, sweep: OrphanSweep) -> Reaped:
    """Check one instance or everything; with the last terminations, if requested. Dry when the task
    or the stack says so."""
    dry = task.dry or sweep.context.dry
    sweep = replace(sweep, context=replace(sweep.context, dry=dry))
    found = reap_machine(task.instance_id, sweep) if task.instance_id else reap(sweep)
    last = tuple(islice(sweep.context.kills.all(), task.kills))
    return Reaped(dry=sweep.context.dry, found=found, kills=last)


def reap(sweep: OrphanSweep) -> tuple[Found, ...]:
    """Check everything of the stack. Returns what is orphaned or unknown, with the action."""
    found = []
    for name, look, end in _looks(sweep):
        try:
            for orphan in look():
                line = settle(orphan, sweep.context, end)
                found += [line] if line else []
        except PorewatchError:
            _log.exception("could not list %s", name)
    _count(found, sweep)
    return tuple(found)


def reap_machine(instance_id: str, sweep: OrphanSweep) -> tuple[Found, ...]:
    """The expiry of this instance has come, as scheduled at its launch."""
    context = sweep.context
    seen = context.executor.observe([instance_id]).get(instance_id)
    orphan = thing_of(seen, context.stack) if seen is not None else None
    if seen is None or orphan is None:
        return ()
    expired = seen.expires_at is not None and seen.expires_at <= context.at
    line = settle(orphan, context, announced=expired)
    found = [line] if line else []
    _count(found, sweep)
    return tuple(found)


def _looks(sweep: OrphanSweep) -> Iterator[tuple[str, Look, End | None]]:
    for source in SOURCES:
        yield f"{source} instances", partial(_machines, sweep.context, source), None
    for look in sweep.leftovers.sorts():
        yield look.__name__, look, sweep.leftovers.end
    yield "uploads", lambda: sweep.uploads.left(sweep.context.at), sweep.uploads.end


def _machines(context: CleanupContext, source: ExecutorName) -> Iterator[Orphan]:
    for machine in context.executor.inventory(source):
        orphan = thing_of(machine, context.stack)
        if orphan is not None:
            yield orphan


def _count(found: list[Found], sweep: OrphanSweep) -> None:
    if sweep.metrics is None or sweep.context.dry:
        return
    measures = [
        Measure(name=name, value=amount, at=sweep.context.at)
        for name, actions in COUNTED.items()
        if (amount := sum(line.action in actions for line in found))
    ]
    if measures:
        sweep.metrics.put(measures)
