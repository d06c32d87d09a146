"""When a user is warned that results of a run will be archived. Pure; the one place for these days.

By calendar days (UTC) and not by hours: so all runs whose time is over on one day have the same
notices, and their owner gets one mail for the day (`domain.mail.expiring`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

AHEAD_DAYS = (7, 1)
"""Before the day on which the time is over, the earliest notice first."""
HOUR = time(6, tzinfo=UTC)
"""At which a notice is due: the working day has begun in Europe, and has not ended in Japan."""


def day_of(until: datetime) -> date:
    """The calendar day (UTC) on which the time is over."""
    return until.astimezone(UTC).date()


def notice_due(until: datetime, at: datetime) -> int | None:
    """Which notice holds now, by its days; None: none yet, or the time is over. Of notices that
    were missed the last one holds alone.

    >>> end = datetime(2026, 12, 15, 10, 30, tzinfo=UTC)
    >>> [notice_due(end, datetime(2026, 12, day, 6, tzinfo=UTC)) for day in (7, 8, 13, 14, 16)]
    [None, 7, 7, 1, None]
    """
    if at >= until:
        return None
    due = [days for days in AHEAD_DAYS if _moment(until, days) <= at]
    return due[-1] if due else None


def next_notice(until: datetime, at: datetime) -> datetime | None:
    """When the next one is due; None: there is none any more."""
    later = (_moment(until, days) for days in AHEAD_DAYS)
    return min((one for one in later if one > at), default=None)


def _moment(until: datetime, days: int) -> datetime:
    return datetime.combine(day_of(until) - timedelta(days=days), HOUR)
