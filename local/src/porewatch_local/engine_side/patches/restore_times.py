"""S3 takes its time to restore an object, by retrieval tier: Bulk longer than Standard, Standard
longer than Expedited.

Why: the engine needs two seconds whatever tier was asked for, so nobody would see that everything
was asked for at a slow one. The real times are minutes and hours (Amazon S3 User Guide, "Archive
retrieval options"); these keep their order.
Delete when: the engine has a time for each tier.
"""

from __future__ import annotations

from ministack.services import s3

from ..rewriting import rewrite

SECONDS = {"Expedited": 2.0, "Standard": 8.0, "Bulk": 16.0}


def seconds(tier: str) -> float:
    """How long a restore at this tier takes here."""
    return SECONDS.get(tier, SECONDS["Standard"])


def apply() -> None:
    rewrite(
        s3,
        "_restore_object",
        (
            '"available_at": now + _RESTORE_DELAY_SECONDS,',
            '"available_at": now + restore_seconds(tier),',
        ),
        (
            "_restore_expiry_epoch(now + _RESTORE_DELAY_SECONDS, days)",
            "_restore_expiry_epoch(now + restore_seconds(tier), days)",
        ),
        restore_seconds=seconds,
    )
