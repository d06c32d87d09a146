"""Progress of a stage in one line: units, megabytes, last checkpoint, quarantined units."""

from __future__ import annotations

from datetime import datetime

from rich.progress_bar import ProgressBar
from rich.text import Text

from porewatch.domain.stage.record import Progress
from porewatch_cli.plurals import plural

LATE = 3.0
"""A checkpoint counts as late when it is older than this many intervals and than a minute."""


def progress_bar(progress: Progress, width: int = 24) -> ProgressBar:
    """By bytes if known, else by units; an indeterminate bar without either."""
    if progress.bytes_total:
        return ProgressBar(
            progress.bytes_total, min(progress.bytes_done, progress.bytes_total), width
        )
    return ProgressBar(
        progress.units_total, progress.units_done, width, pulse=progress.units_total is None
    )


def progress_text(progress: Progress, at: datetime | None = None) -> Text:
    """`12 units, 34.2/80.0 MB, 48,000 reads, checkpoint 12 (8 s ago, every 85 s)`. The age only
    with `at`: it changes every second, and would repeat the line in a pipe."""
    total = f"/{progress.units_total}" if progress.units_total else ""
    shown = progress.units_total or progress.units_done
    parts = [Text(f"{progress.units_done}{total} {'unit' if shown == 1 else 'units'}")]
    if progress.bytes_done:
        parts.append(Text(_megabytes(progress)))
    if progress.reads:
        parts.append(Text(plural(progress.reads, "read")))
    if progress.checkpoint is not None:
        parts.append(_checkpoint(progress, at))
    if progress.quarantined:
        named = ", ".join(str(number) for number in progress.quarantined)
        noun = "units" if len(progress.quarantined) > 1 else "unit"
        parts.append(Text(f"{noun} {named} quarantined", style="bold red"))
    if progress.note:
        parts.append(Text(progress.note, style="dim"))
    return Text(", ").join(parts)


def _megabytes(progress: Progress) -> str:
    done = f"{progress.bytes_done / 1e6:,.1f}"
    return f"{done}/{progress.bytes_total / 1e6:,.1f} MB" if progress.bytes_total else f"{done} MB"


def _checkpoint(progress: Progress, at: datetime | None) -> Text:
    text = f"checkpoint {progress.checkpoint}"
    if progress.checkpoint_at is None or at is None:
        return Text(text, style="green")
    age = max(0.0, (at - progress.checkpoint_at).total_seconds())
    every = f", every {progress.interval_s:,.0f} s" if progress.interval_s else ""
    late = age > max(60.0, LATE * progress.interval_s)
    return Text(f"{text} ({_age(age)} ago{every})", style="yellow" if late else "green")


def _age(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
