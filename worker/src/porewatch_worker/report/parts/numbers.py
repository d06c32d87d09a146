"""Numbers as people read them: thousands separators, units, intervals, never a bare float."""

from __future__ import annotations

from datetime import datetime

from porewatch.domain.calls.findings import Quantity
from porewatch.domain.figures import GAP, NOTHING, figure
from porewatch_worker.report.parts.i18n import say
from porewatch_worker.report.parts.i18n import unit as unit_name

__all__ = ["GAP", "NOTHING", "figure"]


def count(number: int) -> str:
    """`1234567` -> `1,234,567`."""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """`1 read`, `2,000 reads` (with a no-break space); `noun` is named in the message files."""
    form = "one" if number == 1 else "other"
    return say(f"count.{noun}.{form}", n=count(number)).replace(" ", GAP)


def many(number: int, noun: str) -> str:
    """As `plural`, for running text: spaces may break."""
    return plural(number, noun).replace(GAP, " ")


def reads(total: int, split: int, again: int, of: float) -> str:
    """Reads as counted; where some were split at adapters, or are repeats, also how many the files
    hold and why."""
    text = plural(total, "read")
    why = [say("number.split", n=count(split))] if split else []
    why += [say("number.again", n=count(again))] if again else []
    if why:
        files, reasons = count(total - split), say("list.joint").join(why)
        text = say("number.reads_from", reads=text, files=files, why=reasons)
    return say("fact.reads", reads=text, bases=bases(of))


def share(part: float, whole: float) -> str:
    """Per cent of `whole`; small shares never round to nothing, large ones never to all."""
    if whole <= 0:
        return NOTHING
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return f"<{GAP}0.1{GAP}%"
    if 99.9 < percent < 100:
        return f">{GAP}99.9{GAP}%"
    return f"{percent:.1f}{GAP}%"


def bases(number: float) -> str:
    """`118600000` -> `118.6 Mb`."""
    for unit, size in (("Gb", 1e9), ("Mb", 1e6), ("kb", 1e3)):
        if number >= size:
            return f"{number / size:,.1f}{GAP}{unit}"
    return f"{number:,.0f}{GAP}b"


def interval(quantity: Quantity) -> str:
    """The 95 % interval without its unit, or nothing: `632 to 1,260`."""
    if quantity.low is None or quantity.high is None:
        return ""
    return say("number.range", low=figure(quantity.low), high=figure(quantity.high))


def quantity(quantity: Quantity) -> str:
    """Value with unit. A missing value is marked; a bound alone is shown as a bound."""
    if quantity.value is not None:
        return f"{figure(quantity.value)}{GAP}{unit_name(quantity.unit)}"
    if quantity.high is not None:
        bound = f"{figure(quantity.high)}{GAP}{unit_name(quantity.unit)}"
        return say("number.below", bound=bound)
    return say("number.none")


def duration(seconds: float) -> str:
    """`3725` -> `1 h 02 min`; below a minute with one decimal."""
    whole = round(seconds)
    if seconds < 60:
        text = say("number.seconds", s=f"{seconds:.1f}")
    elif whole < 3600:
        text = say("number.minutes", m=whole // 60, s=f"{whole % 60:02d}")
    else:
        text = say("number.hours", h=f"{whole // 3600:,}", m=f"{whole % 3600 // 60:02d}")
    return text.replace(" ", GAP)


def usd(amount: float) -> str:
    """US dollars; four decimals below one dollar, because a spot minute costs so little."""
    return f"{amount:,.2f}{GAP}USD" if abs(amount) >= 1 else f"{amount:.4f}{GAP}USD"


def moment(at: datetime) -> str:
    """A UTC time to the second."""
    return f"{at:%Y-%m-%d}{GAP}{at:%H:%M:%S}{GAP}UTC"
