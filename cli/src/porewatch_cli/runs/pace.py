"""The remaining time of the current stage, estimated from its speed since it was first seen."""

from __future__ import annotations

from datetime import datetime

from porewatch_cli.runs.run_view import RunView, current_stage

SHORTEST = 5.0
"""Seconds of observation before the first estimate."""


class Pace:
    """Keeps the progress of each attempt at a stage when it was first seen."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, int], tuple[datetime, int]] = {}

    def seconds_left(self, view: RunView, at: datetime) -> float | None:
        """Of the current stage, at its speed since it was first seen; None without an estimate:
        no known size, no progress yet, or observed for less than `SHORTEST`."""
        stage = current_stage(view)
        progress = stage.progress if stage else None
        if stage is None or progress is None or not progress.bytes_total:
            return None
        since, before = self._first.setdefault(
            (stage.stage, stage.epoch), (at, progress.bytes_done)
        )
        seconds, done = (at - since).total_seconds(), progress.bytes_done - before
        if seconds < SHORTEST or done <= 0:
            return None
        return max(0, progress.bytes_total - progress.bytes_done) * seconds / done


def eta_text(seconds: float) -> str:
    """`about 40 s left in this stage`, rounded to what the estimate supports."""
    if seconds < 90:
        return f"about {max(5, round(seconds / 5) * 5)} s left in this stage"
    return f"about {round(seconds / 60)} min left in this stage"
