"""Handle a tar in the inbox: unpack it, or give it up at its last delivery."""

from __future__ import annotations

from porewatch.usecases.intake.answer_gone import gone_answered
from porewatch.usecases.intake.claim_run_archive import UnpackContext
from porewatch.usecases.intake.unpack_run_archive import give_up, unpack_run_archive


def handle_run_archive(key: str, error: Exception | None, context: UnpackContext) -> None:
    """`error`: of the last delivery, when that has failed as well. See `unpack_run_archive` and
    `give_up`; RunGone, which is answered, for a deleted run."""
    with gone_answered(key, runs=context.runs):
        if error is not None:
            return give_up(key, error, context=context)
        return unpack_run_archive(key, context=context)
