"""The amounts of a pathogen in time, as a drawing; its numbers stand in the table beside it.

Logarithmic, oldest at the left. A find is a point with its 95 % interval, an absence a triangle at
its limit. No style of its own: the page's style sheet gives colours.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from porewatch.domain.figures import figure
from porewatch.domain.results.sample_states import Amount
from porewatch.usecases.views.show_animal import Course, Point

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 200, 70, 20, 14, 30
MOST_TICKS = 5


class Mark(NamedTuple):
    """`low` and `high`: ends of the interval; None: none is known."""

    x: float
    y: float
    low: float | None
    high: float | None
    kind: str
    label: str


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


def chart(course: Course) -> Chart | None:
    """None when there are fewer than two values in one unit: nothing is seen in one point."""
    first = next((p.amount for p in course.points if p.amount and p.amount.value), None)
    if first is None:
        return None
    drawn = [(p, value) for p in course.points if (value := _value(p, first.unit)) is not None]
    if len(drawn) < 2:
        return None
    numbers = [n for p, _ in drawn for n in _numbers(p, first.unit)]
    low, high = math.floor(math.log10(min(numbers))), math.ceil(math.log10(max(numbers)))
    high = max(high, low + 1)

    def y(number: float) -> float:
        share = (math.log10(number) - low) / (high - low)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)

    step = (WIDTH - LEFT - RIGHT) / max(1, len(drawn) - 1)
    marks = [
        _mark(point, value, round(LEFT + step * place, 1), y)
        for place, (point, value) in enumerate(drawn)
    ]
    every = max(1, math.ceil((high - low) / MOST_TICKS))
    ticks = (Tick(y(10.0**n), figure(10.0**n)) for n in range(low, high + 1, every))
    return Chart(WIDTH, HEIGHT, LEFT, first.unit, tuple(marks), tuple(ticks))


def _value(point: Point, unit: str) -> float | None:
    """What is drawn of it: its amount, or its limit when nothing was found."""
    amount = point.amount or point.limit
    return amount.value or None if amount and amount.unit == unit else None


def _numbers(point: Point, unit: str) -> list[float]:
    amount = point.amount or point.limit
    return [n for n in (amount.value, amount.low, amount.high) if n and n > 0] if amount else []


def _mark(point: Point, value: float, x: float, y: Callable[[float], float]) -> Mark:
    amount: Amount | None = point.amount
    low = y(amount.low) if amount and amount.low and amount.low > 0 else None
    high = y(amount.high) if amount and amount.high and amount.high > 0 else None
    kind = "found" if amount else "limit"
    return Mark(x, y(value), low, high, kind, f"{point.at:%Y-%m-%d}")
