"""What is answered about signatures."""

from __future__ import annotations

from porewatch.domain.base import Model, Moment
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.people.roles import Role
from porewatch.domain.signatures.signature import Change, Meaning
from porewatch.domain.signatures.steps import State


class SignatureView(Model):
    """A signature. `signed_in_at`: when its signer signed in again for it; `fingerprint`: its
    digest, by which its page and the records of days name it."""

    number: int
    revision: int
    samples: tuple[str, ...]
    meaning: Meaning
    reason: str
    at: Moment
    user_id: str
    name: str
    role: Role
    signed_in_at: Moment
    report_sha256: str
    audit_head: str
    outcome: Outcome
    withheld: tuple[str, ...]
    reviews: tuple[int, ...]
    supersedes: int | None
    changes: tuple[Change, ...]
    more_changes: int
    fingerprint: str


class SampleStanding(Model):
    """How a sample of the newest report stands."""

    sample: str
    outcome: Outcome
    state: State


class SignatureList(Model):
    """`state`: of the newest report as a whole (`steps.state_of`); `revision`, `report_sha256`:
    which one that is, None without a report. `may`: what the one who asks may sign next for all
    samples. `supersedes`, `changes`: what an amendment of all samples would correct and change."""

    run_id: str
    revision: int | None
    report_sha256: str | None
    state: State
    samples: tuple[SampleStanding, ...]
    signatures: tuple[SignatureView, ...]
    may: tuple[Meaning, ...]
    supersedes: int | None
    changes: tuple[Change, ...]


class AmendmentList(Model):
    """The amendments of a run. `supersedes`, `changes`: what the next one, of all samples of
    `revision`, would correct and change; `supersedes` None: nothing is released yet, or not all
    samples in the same revision, and then they are amended one by one."""

    run_id: str
    revision: int | None
    supersedes: int | None
    changes: tuple[Change, ...]
    amendments: tuple[SignatureView, ...]
