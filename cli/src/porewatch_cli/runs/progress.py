"""How far a stage is, in one line: units, megabytes, the last checkpoint, what was given up."""

from __future__ import annotations

from datetime import datetime

from rich.progress_bar import ProgressBar
from rich.text import Text

from porewatch.domain.stage.record import Progress
from porewatch_cli.plurals import plural

LATE = 3.0
"""A checkpoint is shown as late when it is older than this many intervals, and than a minute."""


def progress_bar(told: Progress, width: int = 24) -> ProgressBar:
    """By bytes where they are known, else by units; moving to and fro when neither is."""
    if told.bytes_total:
        return ProgressBar(told.bytes_total, min(told.bytes_done, told.bytes_total), width)
    return ProgressBar(told.units_total, told.units_done, width, pulse=told.units_total is None)


def progress_text(told: Progress, at: datetime | None = None) -> Text:
    """`12 units, 34.2/80.0 MB, 48,000 reads, checkpoint 12 (8 s ago, every 85 s)`. The age only
    with `at`: it would make every line of a pipe a new one."""
    total = f"/{told.units_total}" if told.units_total else ""
    only = told.units_total or told.units_done
    parts = [Text(f"{told.units_done}{total} {'unit' if only == 1 else 'units'}")]
    if told.bytes_done:
        parts.append(Text(_megabytes(told)))
    if told.reads:
        parts.append(Text(plural(told.reads, "read")))
    if told.checkpoint is not None:
        parts.append(_checkpoint(told, at))
    if told.quarantined:
        named = ", ".join(str(number) for number in told.quarantined)
        many = "units" if len(told.quarantined) > 1 else "unit"
        parts.append(Text(f"{many} {named} given up", style="bold red"))
    if told.note:
        parts.append(Text(told.note, style="dim"))
    return Text(", ").join(parts)


def _megabytes(told: Progress) -> str:
    done = f"{told.bytes_done / 1e6:,.1f}"
    return f"{done}/{told.bytes_total / 1e6:,.1f} MB" if told.bytes_total else f"{done} MB"


def _checkpoint(told: Progress, at: datetime | None) -> Text:
    text = f"checkpoint {told.checkpoint}"
    if told.checkpoint_at is None or at is None:
        return Text(text, style="green")
    age = max(0.0, (at - told.checkpoint_at).total_seconds())
    every = f", every {told.interval_s:,.0f} s" if told.interval_s else ""
    late = age > max(60.0, LATE * told.interval_s)
    return Text(f"{text} ({_age(age)} ago{every})", style="yellow" if late else "green")


def _age(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
