"""Just enough SVG for quiet plots: elements, nice ticks, scales, and one frame with axes.

Drawn by hand on ElementTree (ADR "Plots are drawn by hand"). Text stays text, there are no ids, no
scripts and no outside resources, and equal input gives equal bytes. Lengths are user units; 11 is
the size of normal text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from porewatch_worker.report.parts.i18n import say

INK, MUTED, RULE, PAPER = "#1f2933", "#52606d", "#d5dbe1", "#ffffff"
TEXT = 11.0


@dataclass(frozen=True)
class Box:
    """The plotting area: pixel edges."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Scale:
    """Maps data to pixels, linearly or by logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = self.low, self.high, value
        if self.log:
            low, high, at = (math.log10(max(v, 1e-9)) for v in (low, high, value))
        part = (at - low) / (high - low) if high > low else 0.0
        return self.start + part * (self.end - self.start)


def drawing(width: float, height: float, label: str) -> ET.Element:
    """An empty picture with a label for screen readers."""
    return ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_n(width)} {_n(height)}",
            "width": _n(width),
            "height": _n(height),
            "role": "img",
            "aria-label": label,
            "font-family": say("page.plot_fonts"),
            "font-size": _n(TEXT),
        },
    )


def to_text(root: ET.Element) -> str:
    return ET.tostring(root, encoding="unicode")


def rect(  # noqa: PLR0917 - the order every drawing interface has
    root: ET.Element, x: float, y: float, width: float, height: float, fill: str
) -> None:
    size = {"x": _n(x), "y": _n(y), "width": _n(max(0.0, width)), "height": _n(max(0.0, height))}
    ET.SubElement(root, "rect", {**size, "fill": fill})


def line(  # noqa: PLR0917 - the order every drawing interface has
    root: ET.Element, x1: float, y1: float, x2: float, y2: float, stroke: str = RULE
) -> None:
    ends = {"x1": _n(x1), "y1": _n(y1), "x2": _n(x2), "y2": _n(y2)}
    ET.SubElement(root, "line", {**ends, "stroke": stroke, "stroke-width": "1"})


def path(root: ET.Element, points: Sequence[tuple[float, float]], **style: str) -> None:
    """A polyline through `points`; `style` are SVG attributes with `_` for `-`."""
    steps = " ".join(f"{'L' if i else 'M'}{_n(x)} {_n(y)}" for i, (x, y) in enumerate(points))
    attributes = {name.replace("_", "-"): value for name, value in style.items()}
    ET.SubElement(root, "path", {"d": steps, **attributes})


def text(
    root: ET.Element, x: float, y: float, content: str, *, anchor: str = "start", fill: str = MUTED
) -> None:
    where = {"x": _n(x), "y": _n(y), "text-anchor": anchor, "fill": fill}
    ET.SubElement(root, "text", where).text = content


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers (1, 2, 5 times a power of ten) inside [low, high], about `count` of them."""
    if high <= low:
        return [low]
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten inside [low, high]; with 2 and 5 between them when there are few."""
    low, high = max(low, 1e-9), max(high, 1e-9)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    whole = [10.0**d for d in decades if low <= 10.0**d <= high]
    if len(whole) >= 2:
        return whole
    return [m * 10.0**d for d in decades for m in (1, 2, 5) if low <= m * 10.0**d <= high]


def short(value: float) -> str:
    """A tick's label: `1500` -> `1.5k`, `2000000` -> `2M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def frame(
    root: ET.Element,
    box: Box,
    x: Scale,
    y: Scale,
    *,
    x_title: str,
    y_title: str,
    x_label: Callable[[float], str] = short,
) -> None:
    """Axes, ticks and titles. The y title is above the axis, so nothing is rotated."""
    for value in nice_ticks(y.low, y.high):
        line(root, box.left, y(value), box.right, y(value))
        text(root, box.left - 5, y(value) + TEXT * 0.35, short(value), anchor="end")
    for value in log_ticks(x.low, x.high) if x.log else nice_ticks(x.low, x.high):
        line(root, x(value), box.bottom, x(value), box.bottom + 4, MUTED)
        text(root, x(value), box.bottom + 16, x_label(value), anchor="middle")
    line(root, box.left, box.bottom, box.right, box.bottom, MUTED)
    text(root, 0, box.top - 12, y_title, fill=INK)
    text(root, box.right, box.bottom + 31, x_title, anchor="end", fill=INK)


def nothing(root: ET.Element, box: Box, label: str) -> None:
    """Instead of empty axes: a ruled box with the reason."""
    rect(root, box.left, box.top, box.right - box.left, box.bottom - box.top, "#f5f7f9")
    middle = (box.left + box.right) / 2
    text(root, middle, (box.top + box.bottom) / 2 + 4, label, anchor="middle")


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
