"""The report's plots: lengths, qualities, yield, where reads went, coverage, phases in time.

Each takes measured models and returns SVG text; empty input gives a box with a note.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from porewatch.domain.calls.evidence import ContigCoverage, Histogram, ReadAccount, YieldPoint
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch_worker.report.parts import (
    colour,
    numbers,
)
from porewatch_worker.report.parts.i18n import (
    named,
    say,
)
from porewatch_worker.report.parts.svg import (
    INK,
    MUTED,
    PAPER,
    TEXT,
    Box,
    Scale,
    drawing,
    frame,
    line,
    nice_ticks,
    nothing,
    path,
    rect,
    short,
    text,
    to_text,
)

SMALL = Box(38, 28, 256, 134)
_SMALL_SIZE = (272.0, 172.0)
_WIDE = 720.0
_ROW = 22.0


def histogram(data: Histogram, *, title: str, x_title: str, label: str) -> str:
    """Bars by bin; empty bins at both ends are left out; log x when bins widen."""
    root = drawing(*_SMALL_SIZE, label)
    filled = [i for i, n in enumerate(data.counts) if n]
    if not filled:
        nothing(root, SMALL, say("plot.no_reads"))
        text(root, 0, SMALL.top - 12, title, fill=INK)
        return to_text(root)
    first, last = filled[0], filled[-1]
    edges, counts = data.edges[first : last + 2], data.counts[first : last + 1]
    log = _widening(data.edges)
    x = Scale(_log_floor(edges) if log else edges[0], edges[-1], SMALL.left, SMALL.right, log)
    y = Scale(0, max(counts), SMALL.bottom, SMALL.top)
    frame(root, SMALL, x, y, x_title=x_title, y_title=title)
    for i, n in enumerate(counts):
        left = SMALL.left if log and edges[i] <= 0 else x(edges[i])
        width = x(edges[i + 1]) - left
        gap = 0.6 if width > 3 else 0.0
        rect(root, left, y(n), width - gap, SMALL.bottom - y(n), colour.READS)
    return to_text(root)


def yield_over_time(points: Sequence[YieldPoint], *, label: str) -> str:
    """Bases read so far against minutes since sequencing began."""
    root = drawing(*_SMALL_SIZE, label)
    title = say("plot.bases")
    if not points:
        nothing(root, SMALL, say("plot.no_times"))
        text(root, 0, SMALL.top - 12, title, fill=INK)
        return to_text(root)
    ordered = sorted(points, key=lambda p: p.minute)
    total, steps = 0, [(float(ordered[0].minute), 0.0)]
    for point in ordered:
        total += point.bases
        steps.append((point.minute + 1.0, float(total)))
    in_hours = steps[-1][0] - steps[0][0] > 240
    unit = 60.0 if in_hours else 1.0
    x = Scale(steps[0][0] / unit, steps[-1][0] / unit, SMALL.left, SMALL.right)
    y = Scale(0, max(total, 1), SMALL.bottom, SMALL.top)
    x_title = say("plot.hours" if in_hours else "plot.minutes")
    frame(root, SMALL, x, y, x_title=x_title, y_title=title)
    curve = [(x(minute / unit), y(so_far)) for minute, so_far in steps]
    under = [*curve, (curve[-1][0], SMALL.bottom), (curve[0][0], SMALL.bottom)]
    path(root, under, fill=colour.READS, fill_opacity="0.15")
    path(root, curve, fill="none", stroke=colour.READS, stroke_width="1.8")
    return to_text(root)


def accounts(rows: Sequence[tuple[str, ReadAccount]], *, label: str) -> str:
    """One bar for each sample, as shares of its reads, with the number at its end."""
    left, right = 150.0, 628.0
    top = 24.0
    root = drawing(_WIDE, top + _ROW * len(rows) + 4, label)
    _legend(root, [(say(f"where.{name}"), fill) for name, fill in colour.WHERE.items()])
    for i, (name, account) in enumerate(rows):
        y = top + i * _ROW
        text(root, left - 8, y + 14, _clip(name, 20), anchor="end", fill=INK)
        text(root, right + 8, y + 14, numbers.plural(account.total, "read"), fill=INK)
        if account.total:
            _stack(root, account, left, right, y)
        else:
            rect(root, left, y + 3, right - left, _ROW - 7, "#f5f7f9")
            text(root, left + 6, y + 14, say("plot.no_reads"))
    return to_text(root)


def parts_of(account: ReadAccount) -> dict[str, int]:
    """Reads by where they went, in the order of `colour.WHERE`."""
    return {
        "filtered": sum(account.filtered.values()),
        "host": account.host,
        "panel": account.panel,
        "spike": account.spike,
        "decoy": account.decoy,
        "unassigned": account.unassigned,
    }


def coverage(contigs: Sequence[ContigCoverage], *, label: str) -> str:
    """Depth along the genome; contigs are side by side in proportion to their lengths."""
    box = Box(44, 28, _WIDE - 14, 130)
    root = drawing(_WIDE, 168, label)
    gap = 10.0 if len(contigs) > 1 else 0.0
    room = box.right - box.left - gap * (len(contigs) - 1)
    per_base = room / max(1, sum(c.length for c in contigs))
    steps = [_steps(contig, contig.length * per_base) for contig in contigs]
    peak = max((depth for some in steps for _, _, depth in some), default=0.0)
    if peak <= 0:
        nothing(root, box, say("plot.no_depth"))
        text(root, 0, box.top - 12, say("plot.depth"), fill=INK)
        return to_text(root)
    y = Scale(0, peak, box.bottom, box.top)
    for value in nice_ticks(0, peak, 3):
        line(root, box.left, y(value), box.right, y(value))
        text(root, box.left - 5, y(value) + TEXT * 0.35, short(value), anchor="end")
    text(root, 0, box.top - 12, say("plot.depth"), fill=INK)
    title = say("plot.position" if len(contigs) == 1 else "plot.contigs")
    text(root, box.right, box.bottom + 31, title, anchor="end", fill=INK)
    start = box.left
    for contig, some in zip(contigs, steps, strict=True):
        end = start + contig.length * per_base
        x = Scale(0, contig.length, start, end)
        _contig(root, some, x, y, colour.READS)
        if len(contigs) == 1:
            _positions(root, contig, x, box.bottom)
        elif end - start > 30:
            name = _clip(contig.contig, int((end - start) / 6))
            text(root, (start + end) / 2, box.bottom + 16, name, anchor="middle")
        start = end + gap
    return to_text(root)


def phases_in_time(records: Sequence[PhaseRecord], *, label: str) -> str:
    """A bar for each phase that ran, in minutes since the first one began."""
    ran = [r for r in records if r.status == "completed"]
    top, left, right = 20.0, 150.0, 628.0
    root = drawing(_WIDE, top + _ROW * max(1, len(ran)) + 38, label)
    if not ran:
        nothing(root, Box(left, top, right, top + _ROW), say("plot.no_phase"))
        return to_text(root)
    begin = min(r.started_at for r in ran)
    seconds = max((r.finished_at - begin).total_seconds() for r in ran)
    unit, name = (60.0, "plot.phase_minutes") if seconds > 240 else (1.0, "plot.phase_seconds")
    x = Scale(0, max(seconds / unit, 0.1), left, right)
    bottom = top + _ROW * len(ran)
    for value in nice_ticks(0, x.high, 6):
        line(root, x(value), top, x(value), bottom)
        text(root, x(value), bottom + 16, short(round(value, 3)), anchor="middle")
    text(root, right, bottom + 31, say(name), anchor="end", fill=INK)
    for i, record in enumerate(ran):
        start = (record.started_at - begin).total_seconds() / unit
        length = (record.finished_at - record.started_at).total_seconds()
        y = top + i * _ROW
        text(root, left - 8, y + 14, named("phase", record.phase.value), anchor="end", fill=INK)
        rect(root, x(start), y + 4, max(2.0, x(length / unit) - left), _ROW - 9, colour.READS)
        text(root, right + 8, y + 14, numbers.duration(length))
    return to_text(root)


def _steps(contig: ContigCoverage, width: float) -> list[tuple[int, int, float]]:
    """(first base, last base, depth), each at least 1.5 units wide: thin bins are averaged."""
    together = max(1, math.ceil(1.5 * len(contig.bins) / max(1.0, width)))
    steps = []
    for first in range(0, len(contig.bins), together):
        some = contig.bins[first : first + together]
        start, end = first * contig.bin_size, (first + len(some)) * contig.bin_size
        steps.append((start, min(end, contig.length), sum(some) / len(some)))
    return steps


def _contig(
    root: ET.Element, steps: Sequence[tuple[int, int, float]], x: Scale, y: Scale, fill: str
) -> None:
    points = [(x.start, y.start)]
    for start, end, depth in steps:
        points += [(x(start), y(depth)), (x(end), y(depth))]
    points.append((points[-1][0], y.start))
    path(root, points, fill=fill, fill_opacity="0.3", stroke=fill, stroke_width="0.8")
    line(root, x.start, y.start, x.end, y.start, MUTED)


def _positions(root: ET.Element, contig: ContigCoverage, x: Scale, bottom: float) -> None:
    for value in nice_ticks(0, contig.length, 6):
        line(root, x(value), bottom, x(value), bottom + 4, MUTED)
        text(root, x(value), bottom + 16, short(value), anchor="middle")
    text(root, x.start, bottom + 31, _clip(contig.contig, 60), fill=INK)


def _stack(root: ET.Element, account: ReadAccount, left: float, right: float, y: float) -> None:
    """Shares of one bar. Nothing that is there is drawn thinner than 2 units."""
    parts = {name: n for name, n in parts_of(account).items() if n}
    room = right - left - 2.0 * len(parts)
    at = left
    for name, n in parts.items():
        width = 2.0 + room * n / account.total
        rect(root, at, y + 3, width, _ROW - 7, colour.WHERE[name])
        rect(root, at + width - 0.6, y + 3, 0.6, _ROW - 7, PAPER)
        at += width


def _legend(root: ET.Element, entries: Sequence[tuple[str, str]]) -> None:
    at = 150.0
    for name, fill in entries:
        rect(root, at, 3, 10, 10, fill)
        text(root, at + 14, 12, name)
        at += max(76, 14 + _breadth(name) + 12)


def _breadth(text: str) -> float:
    """Room that a label takes, about: a Japanese letter is as broad as it is high."""
    return sum(11 if ord(letter) > 0x2E7F else 6 for letter in text)


def _widening(edges: Sequence[float]) -> bool:
    return len(edges) > 2 and (edges[-1] - edges[-2]) > 4 * (edges[1] - edges[0])


def _log_floor(edges: Sequence[float]) -> float:
    return edges[0] if edges[0] > 0 else max(1.0, edges[1] / 2)


def _clip(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: max(1, letters - 1)] + "…"
