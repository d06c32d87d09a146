"""The result as one HTML file: tables and plots, no script, nothing from outside."""

from __future__ import annotations

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
from porewatch_worker.report.render_html import templates
from porewatch_worker.validation.result import Limit, Point, Share, Validation

_BOX = Box(40, 30, 330, 170)
_SIZE = (350.0, 210.0)
_BLUE = "#1f6feb"


def render_page(result: Validation) -> str:
    """A whole page; all text is escaped, only the plots made here go in as markup."""
    pages = templates("porewatch_worker.validation")
    pages.filters |= {"share": share_text, "limit": limit_text}
    plots = [curve(c.series, c.limit, c.name, "genome copies") for c in result.classes]
    whole = curve(result.series, result.limit, "all agents", "expected reads")
    return pages.get_template("page.html.j2").render(v=result, plots=plots, whole=whole)


def share_text(share: Share | None) -> str:
    if share is None:
        return "–"
    bounds = f"{share.low:.1%} to {share.high:.1%}"
    return f"{share.share:.1%} ({bounds}; {share.hits} of {share.trials})"


def limit_text(limit: Limit | None) -> str:
    if limit is None:
        return "none: everything was found, or nothing"
    return f"{limit.value:.3g} ({limit.low:.2g} to {limit.high:.2g}) {limit.unit}"


def curve(points: tuple[Point, ...], limit: Limit | None, title: str, x_title: str) -> str:
    """Hit rate by amount with exact intervals; the LOD95's interval as a band."""
    root = drawing(*_SIZE, f"{title}: share detected by {x_title}")
    amounts = [p.amount for p in points] or [1.0]
    x = Scale(min(amounts) * 0.8, max(amounts) * 1.2, _BOX.left, _BOX.right, log=True)
    y = Scale(0, 1, _BOX.bottom, _BOX.top)
    if limit:
        left, right = (min(max(x(v), _BOX.left), _BOX.right) for v in (limit.low, limit.high))
        rect(root, left, _BOX.top, right - left, _BOX.bottom - _BOX.top, "#e3ecf8")
    frame(root, _BOX, x, y, x_title=x_title, y_title=f"{title}: share detected")
    line(root, _BOX.left, y(0.95), _BOX.right, y(0.95), MUTED)
    for p in points:
        line(root, x(p.amount), y(p.rate.low), x(p.amount), y(p.rate.high), MUTED)
        rect(root, x(p.amount) - 2, y(p.rate.share) - 2, 4, 4, INK)
    if len(points) <= 12:  # one point a level; more would be a scribble
        steps = [(x(p.amount), y(p.rate.share)) for p in points]
        path(root, steps, stroke=_BLUE, fill="none", stroke_width="1.5")
    return to_text(root)
