"""When data expire by the lifecycle rules of the buckets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from porewatch.domain.errors import ConfigurationRefused


def expires(written: datetime, days: int) -> datetime:
    """When S3 expires what was written then by a rule of so many days: at the midnight (UTC) that
    follows. It may do so later, never earlier.

    >>> str(expires(datetime(2026, 1, 15, 10, 30, tzinfo=UTC), 3))
    '2026-01-19 00:00:00+00:00'
    """
    if days < 1:
        raise ConfigurationRefused(f"{days} days are no lifecycle rule.", remedy="set one or more.")
    last = written.astimezone(UTC) + timedelta(days=days)
    midnight = last.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if midnight == last else midnight + timedelta(days=1)
