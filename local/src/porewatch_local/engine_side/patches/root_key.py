"""Only the key that was made for this home is the account's root.

Why: the engine also takes `test` and every 12-digit number for root, and never checks a root
signature. Any process that forgot its credentials, or made them up, would be allowed everything,
and a missing permission would show on AWS only.
Delete when: the engine can be configured to accept its configured root key alone.
"""

from __future__ import annotations

from ministack.core import iam_evaluator

from ..rewriting import rewrite


def apply() -> None:
    rewrite(
        iam_evaluator,
        "is_root_access_key",
        ('        or access_key_id == "test"\n', ""),
        ("        or bool(_ACCOUNT_ID_RE.fullmatch(access_key_id))\n", ""),
    )
