"""One signature: who signed what, when and with which meaning. Pure.

The signatures of a run form one chain over all its revisions: each holds the digest of the one
before it and a proof (`mac`) by the stack's audit key over all that it says. Nothing of it comes
from the client's clock or from what a client says of itself.
"""

from __future__ import annotations

import json
from datetime import UTC
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from porewatch.domain.base import Model, Moment, Sha256
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.people.roles import Action, Role, UserId
from porewatch.domain.results.audit import GENESIS
from porewatch.domain.runs import RunId

LONGEST_REASON = 1000
MOST_CHANGES = 1000
"""Changes that a signature lists; an item of the ledger holds 400 kB."""
Statement = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=LONGEST_REASON, pattern=r"^[^\x00]*$")
]


class Meaning(StrEnum):
    """What a signature says (21 CFR 11.50 (a)(3))."""

    REVIEWED = "reviewed"
    RELEASED = "released"
    AMENDED = "amended"

    @property
    def action(self) -> Action:
        """What its signer must be allowed to do."""
        return _ACTIONS[self]


_ACTIONS = {
    Meaning.REVIEWED: Action.REVIEW,
    Meaning.RELEASED: Action.RELEASE,
    Meaning.AMENDED: Action.AMEND,
}


class Confirmation(Model):
    """The new sign-in at the identity provider for this signature alone. `signed_in_at`: when
    that was, by the provider's clock; `nonce`: of the ID token, made from what is signed
    (`signing_act.nonce_for`) and `salt`, so that it can be made again; `begun_at`: part of it, None
    in signatures of earlier versions."""

    issuer: str
    signed_in_at: Moment
    confirmed_at: Moment
    salt: str
    nonce: str
    begun_at: Moment | None = None


class Change(Model):
    """What differs between two reports in one sample: a pathogen's standing, or, with `code` empty,
    the sample's outcome. Empty `before` or `after`: not in that report."""

    sample: str
    code: str = ""
    before: str = ""
    after: str = ""


class Signature(Model):
    """`number` counts the signatures of the run from 1. `samples`: those that it covers;
    `withheld`: those of them that are not reportable, which no signature changes. `reviews`:
    numbers of the reviews that a release or amendment follows. `supersedes`: the revision that an
    amendment corrects (its own one: a corrected statement about the same report)."""

    number: Annotated[int, Field(ge=1)]
    act_id: str
    run_id: RunId
    revision: int
    samples: tuple[str, ...]
    meaning: Meaning
    reason: Statement = ""
    at: Moment
    user_id: UserId
    name: Annotated[str, Field(description="the signer's printed name, as it was then")]
    role: Role
    confirmation: Confirmation
    report_sha256: Sha256
    audit_head: str
    outcome: Outcome
    withheld: tuple[str, ...] = ()
    reviews: tuple[int, ...] = ()
    supersedes: int | None = None
    changes: tuple[Change, ...] = ()
    more_changes: Annotated[int, Field(ge=0, description="changes that are not listed")] = 0
    previous: str = GENESIS
    mac: str = ""

    @property
    def place(self) -> str:
        """Among all that is recorded day by day, in order of time (`Anchor.place`)."""
        return f"{self.at.astimezone(UTC).isoformat()}#{self.run_id}#s{self.number:04d}"

    @property
    def line(self) -> str:
        """How a day's record names it."""
        return f"{self.run_id} s{self.number} {self.fingerprint}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all it says and its proof. Fields that a later version adds do not count in a
        record that was read."""
        return self.digest(as_read=True)


def signed_text(stack: str, signature: Signature) -> bytes:
    """What `mac` is the proof of: all that the signature says, of this stack."""
    said = signature.canonical_json("mac", as_read=True)
    return json.dumps(["porewatch-signature-1", stack, said]).encode()


def as_stored(signature: Signature) -> Signature:
    """The same with every field set, as a reader of the ledger gets it."""
    return Signature.model_validate_json(signature.canonical_json())
