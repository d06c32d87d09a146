"""An object arrived for a deleted run: record an answer; the run stays deleted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.base import now
from porewatch.domain.errors import RunGone
from porewatch.domain.facts.run_facts import ObjectAnswered
from porewatch.domain.inputs.landing.answers import Treatment

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger

KIND = "deleted-run"
_log = logging.getLogger(__name__)


@contextmanager
def gone_answered(
    key: str, *, runs: RunLedger, clock: Callable[[], datetime] = now
) -> Iterator[None]:
    """On RunGone inside the block, record an answer on the tombstone of the run, with the first
    object that arrived, send one notice, and raise it again."""
    try:
        yield
    except RunGone as gone:
        fact = ObjectAnswered(
            fact_id=ObjectAnswered.id_of(gone.run_id, KIND),
            run_id=gone.run_id,
            at=clock(),
            path=key,
            kind=KIND,
            verdict=Treatment.LEFT_OUT,
            problem=f"{gone.problem} What comes for it now is neither read nor deleted.",
            remedy=f"{gone.remedy} `porewatch delete {gone.run_id}` removes what came, too.",
            act=True,
        )
        runs.answer(fact)
        _log.warning("%s: %s", key, gone.problem)
        raise
