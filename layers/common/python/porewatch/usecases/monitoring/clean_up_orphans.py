"""Every five minutes: what still costs money and is of no use to anybody?

Order: `serve_reap` (as it was asked), `reap` (everything), `reap_machine` (the one whose expiry has
come). One sort of thing that cannot be looked at never hides the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
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
"""Metric -> what was done. What stays wants a person (its alarm says so)."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OrphanSweep:
    """Where to look, and the hands that end. `metrics` None: nobody counts."""

    context: CleanupContext
    leftovers: Leftovers
    uploads: Uploads
    metrics: Metrics | None = None


def serve_reap(task: Reap, sweep: OrphanSweep) -> Reaped:
    """Look at one machine or at everything, and show the last ends if they are wanted."""
    found = reap_machine(task.instance_id, sweep) if task.instance_id else reap(sweep)
    last = tuple(islice(sweep.context.kills.all(), task.kills))
    return Reaped(dry=sweep.context.dry, found=found, kills=last)


def reap(sweep: OrphanSweep) -> tuple[Found, ...]:
    """Look at everything of the stack. Answers what is left over or unknown, and what was done."""
    found = []
    for look, end in _looks(sweep):
        try:
            for orphan in look():
                line = settle(orphan, sweep.context, end)
                found += [line] if line else []
        except PorewatchError:
            _log.exception("could not look at one sort of things")
    _count(found, sweep)
    return tuple(found)


def reap_machine(instance_id: str, sweep: OrphanSweep) -> tuple[Found, ...]:
    """The expiry of this machine has come, as was laid down when it was launched."""
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


def _looks(sweep: OrphanSweep) -> Iterator[tuple[Look, End | None]]:
    for source in SOURCES:
        yield partial(_machines, sweep.context, source), None
    for look in sweep.leftovers.sorts():
        yield look, sweep.leftovers.end
    yield lambda: sweep.uploads.left(sweep.context.at), sweep.uploads.end


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
