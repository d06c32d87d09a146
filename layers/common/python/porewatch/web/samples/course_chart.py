"""The amounts of a pathogen in time, as a drawing; its numbers stand in the table beside it.

Logarithmic, in proportion to time, oldest at the left. A find is a point with its 95 % interval, an
absence a triangle at its limit. No style of its own: the page's style sheet gives colours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from porewatch.domain.figures import figure
from porewatch.domain.results.sample_states import Amount
from porewatch.usecases.views.show_animal import Course, Point

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 400, 180, 62, 14, 14, 30
MOST_TICKS = 5
LABEL = 76
"""Width of a date."""


class Mark(NamedTuple):
    """`low` and `high`: ends of the interval; None: none is known. `label`: a date where there is
    room for one, and its anchor."""

    x: float
    y: float
    low: float | None
    high: float | None
    kind: str
    label: str
    anchor: str


class Tick(NamedTuple):
    y: float
    label: str


class Chart(NamedTuple):
    """In units of the drawing. `unit`: of all that is drawn."""

    width: int
    height: int
    left: int
    unit: str
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class _Scale:
    """Powers of ten from `low` to `high`."""

    low: int
    high: int

    def y(self, number: float) -> float:
        """A number at or below zero lies on the lowest line."""
        power = math.log10(number) if number > 0 else self.low
        share = (power - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        every = math.ceil((self.high - self.low) / MOST_TICKS)
        powers = range(self.low, self.high + 1, every)
        return tuple(Tick(self.y(10.0**n), figure(10.0**n)) for n in powers)


def chart(course: Course) -> Chart | None:
    """None when there are fewer than two values in one unit: nothing is seen in one point."""
    first = next((p.amount for p in course.points if p.amount and p.amount.value), None)
    drawn = [p for p in course.points if first and _value(p, first.unit) is not None]
    if first is None or len(drawn) < 2:
        return None
    drawn.sort(key=lambda point: point.at)
    scale = _scale(drawn)
    return Chart(WIDTH, HEIGHT, LEFT, first.unit, tuple(_marks(drawn, scale)), scale.ticks)


def _scale(drawn: Sequence[Point]) -> _Scale:
    shown = [amount for p in drawn if (amount := _shown(p))]
    ends = [n for a in shown for n in (a.value, a.low, a.high) if n is not None and n > 0]
    low, high = math.floor(math.log10(min(ends))), math.ceil(math.log10(max(ends)))
    return _Scale(low, max(high, low + 1))


def _marks(drawn: Sequence[Point], scale: _Scale) -> Iterator[Mark]:
    began, labelled = drawn[0].at, -math.inf
    whole = (drawn[-1].at - began).total_seconds()
    for place, point in enumerate(drawn):
        share = (point.at - began).total_seconds() / whole if whole > 0 else 0.0
        x = round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)
        last = place == len(drawn) - 1
        there = x - labelled >= LABEL and (last or WIDTH - RIGHT - x >= 2 * LABEL)
        labelled = x if there else labelled
        anchor = "start" if x < LEFT + LABEL / 2 else "end" if last else "middle"
        yield _mark(point, scale, x, f"{point.at:%Y-%m-%d}" if there else "", anchor)


def _mark(point: Point, scale: _Scale, x: float, label: str, anchor: str) -> Mark:
    shown, found = _shown(point), point.amount is not None
    value = shown.value if shown and shown.value is not None else 0.0
    ends = (shown.low, shown.high) if shown and found else (None, None)
    low, high = (None if end is None else scale.y(end) for end in ends)
    return Mark(x, scale.y(value), low, high, "found" if found else "limit", label, anchor)


def _shown(point: Point) -> Amount | None:
    """Its amount, or its limit when nothing was found."""
    return point.amount or point.limit


def _value(point: Point, unit: str) -> float | None:
    amount = _shown(point)
    if amount is None or amount.unit != unit or amount.value is None or amount.value <= 0:
        return None
    return amount.value
