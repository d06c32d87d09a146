"""Dose and response as a plot: share detected by amount, with exact intervals."""

from __future__ import annotations

from collections.abc import Sequence

from porewatch_worker.report.parts import colour
from porewatch_worker.report.parts.svg import (
    INK,
    MUTED,
    Box,
    Scale,
    drawing,
    frame,
    line,
    path,
    rect,
    to_text,
)
from porewatch_worker.validation.result import Limit, Point

NARROW, WIDE = 346.0, 720.0
_HEIGHT = 206.0
BAND = "#e3ecf8"


def curve(
    points: Sequence[Point],
    limit: Limit | None,
    title: str,
    x_title: str,
    *,
    width: float = NARROW,
) -> str:
    """Hit rate by amount with exact intervals; the LOD95's interval as a band."""
    box = Box(38, 28, width - 16, 170)
    root = drawing(width, _HEIGHT, f"{title}: share detected by {x_title}")
    amounts = [p.amount for p in points] or [1.0]
    x = Scale(min(amounts) * 0.8, max(amounts) * 1.2, box.left, box.right, log=True)
    y = Scale(0, 1, box.bottom, box.top)
    if limit:
        left, right = (min(max(x(v), box.left), box.right) for v in (limit.low, limit.high))
        rect(root, left, box.top, right - left, box.bottom - box.top, BAND)
    frame(root, box, x, y, x_title=x_title, y_title=f"{title}: share detected")
    line(root, box.left, y(0.95), box.right, y(0.95), MUTED)
    steps = [(x(p.amount), y(p.rate.share)) for p in points]
    path(root, steps, stroke=colour.READS, fill="none", stroke_width="1.5")
    for p in points:
        line(root, x(p.amount), y(p.rate.low), x(p.amount), y(p.rate.high), MUTED)
        rect(root, x(p.amount) - 2, y(p.rate.share) - 2, 4, 4, INK)
    return to_text(root)
