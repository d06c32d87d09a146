"""The head of a report's audit trail, kept outside the report and signed as it is published. Pure.

Whoever can write reports can rewrite a whole trail, and whoever can write into the ledger an
anchor to it; but not its proof, which the stack's audit key alone gives.
"""

from __future__ import annotations

import json

from porewatch.domain.base import Model, Moment


class Anchor(Model):
    """`head` of the trail of one revision's report. `mac`: its proof by the audit key, in hex."""

    run_id: str
    revision: int
    head: str
    at: Moment
    mac: str


def signed_text(stack: str, anchor: Anchor) -> bytes:
    """What `mac` is the proof of: all that the anchor says, of this stack."""
    return json.dumps(["porewatch-audit-head-1", stack, anchor.canonical_json("mac")]).encode()
