"""Numbers as people read them: thousands separators, units, intervals, never a bare float."""

from __future__ import annotations

import math
from datetime import datetime

from porewatch.domain.findings import Quantity

NOTHING = "–"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def count(number: int) -> str:
    """`1234567` -> `1,234,567`."""
    return f"{number:,}"


def plural(number: int, singular: str, several: str | None = None) -> str:
    """`1 read`, `2,000 reads`."""
    return f"{count(number)} {singular if number == 1 else several or singular + 's'}"


def share(part: float, whole: float) -> str:
    """Per cent of `whole`; small shares never round to nothing, large ones never to all."""
    if whole <= 0:
        return NOTHING
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %"


def bases(number: float) -> str:
    """`118600000` -> `118.6 Mb`."""
    for unit, size in (("Gb", 1e9), ("Mb", 1e6), ("kb", 1e3)):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return f"{number:,.0f} b"


def figure(value: float) -> str:
    """Three significant digits; from a million up and below a thousandth as a power of ten."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else NOTHING
    exponent = math.floor(math.log10(abs(value)))
    if -3 <= exponent < 6:
        digits = max(0, 2 - exponent)
        text = f"{round(value, 2 - exponent):,.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value / 10**exponent:.2f} × 10{str(exponent).translate(_SUPERSCRIPT)}"


def interval(quantity: Quantity) -> str:
    """The 95 % interval without its unit, or nothing."""
    if quantity.low is None or quantity.high is None:
        return ""
    return f"95 % interval {figure(quantity.low)} to {figure(quantity.high)}"


def quantity(quantity: Quantity) -> str:
    """Value with unit. A value that cannot be had says so; a bound alone is shown as a bound."""
    if quantity.value is not None:
        return f"{figure(quantity.value)} {quantity.unit}"
    if quantity.high is not None:
        return f"below {figure(quantity.high)} {quantity.unit}"
    return "not computable"


def duration(seconds: float) -> str:
    """`3725` -> `1 h 02 min`; below a minute with one decimal."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60:02d} min"


def usd(amount: float) -> str:
    """US dollars; four decimals below one dollar, because a spot minute costs so little."""
    return f"{amount:,.2f} USD" if abs(amount) >= 1 else f"{amount:.4f} USD"


def moment(at: datetime) -> str:
    """A UTC time to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
