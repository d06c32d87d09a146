"""How long the current stage still takes, from how fast it worked while somebody watched."""

from __future__ import annotations

from datetime import datetime

from porewatch_cli.runs.run_view import RunView, current_stage

SHORTEST = 5.0
"""Seconds that must have been watched before anything is said."""


class Pace:
    """Remembers where each attempt at a stage stood when it was first seen."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, int], tuple[datetime, int]] = {}

    def seconds_left(self, view: RunView, at: datetime) -> float | None:
        """Of the current stage, at the speed since it was first seen; None while nothing can be
        said: no size, nothing done yet, or watched for less than some seconds."""
        stage = current_stage(view)
        told = stage.progress if stage else None
        if stage is None or told is None or not told.bytes_total:
            return None
        since, before = self._first.setdefault((stage.stage, stage.epoch), (at, told.bytes_done))
        seconds, done = (at - since).total_seconds(), told.bytes_done - before
        if seconds < SHORTEST or done <= 0:
            return None
        return max(0, told.bytes_total - told.bytes_done) * seconds / done


def eta_text(seconds: float) -> str:
    """`about 40 s left in this stage`, in steps that a person believes."""
    if seconds < 90:
        return f"about {max(5, round(seconds / 5) * 5)} s left in this stage"
    return f"about {round(seconds / 60)} min left in this stage"
