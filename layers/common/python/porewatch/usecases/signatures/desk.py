"""What signing needs, and the report that is signed as it is now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from porewatch.domain import s3_keys
from porewatch.domain.errors import NotFound
from porewatch.domain.reasons.reason import SignatureCode, because
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.answers_digest import answers_digest
from porewatch.domain.results.audit import GENESIS, faults
from porewatch.domain.results.publishing import REPORT
from porewatch.domain.results.report import Report
from porewatch.domain.results.sample_states import states_of
from porewatch.domain.rules.revisions import reported
from porewatch.domain.runs import GONE_STATES
from porewatch.domain.signatures.changes import changes
from porewatch.domain.signatures.refusals import SignatureRefused
from porewatch.domain.signatures.signature import Change, Signature

if TYPE_CHECKING:
    from porewatch.adapters.audit.anchors import Anchors
    from porewatch.adapters.audit.signatures import Signatures
    from porewatch.adapters.audit.signing_acts import SigningActs
    from porewatch.adapters.objects import Objects

LATER = "open the run's signatures again."


@dataclass(frozen=True)
class Desk:
    """`four_eyes`: whoever reviewed a report does not release it. `page`: a signature as HTML for
    people; the same signature gives the same bytes."""

    signatures: Signatures
    acts: SigningActs
    anchors: Anchors
    reports: Objects
    page: Callable[[Signature], str]
    four_eyes: bool = True


@dataclass(frozen=True)
class Subject:
    """A published report. `sha256`: of report.json, as it lies in the bucket; `answers`: of what
    it answers."""

    report: Report
    sha256: str
    answers: str

    @property
    def head(self) -> str:
        return self.report.audit.head if self.report.audit else ""

    @property
    def fits_its_trail(self) -> bool:
        """Whether its trail is a chain, and the last entry holds the digest of its answers."""
        trail = self.report.audit
        if trail is None or not trail.entries or any(faults(trail)):
            return False
        return trail.entries[-1].details.get("sha256") == self.answers

    @property
    def samples(self) -> tuple[str, ...]:
        """What can be signed: its samples; of a report about controls alone, those."""
        subjects = self.report.subjects
        every = tuple(sample.name for sample in self.report.samples)
        return tuple(name for name in every if name in subjects) or every


def newest_subject(run: RunRecord, desk: Desk) -> Subject:
    """The report of the newest completed revision. SignatureRefused without one, and for one whose
    trail is another than the one that was published."""
    shown = reported(run)
    if shown is None or run.state in GONE_STATES:
        raise _refused(SignatureCode.SIGNATURE_NO_REPORT)
    subject = subject_of(run.run_id, shown.revision, desk.reports)
    if subject is None:
        raise _refused(SignatureCode.SIGNATURE_NO_REPORT)
    anchor = desk.anchors.of(run.run_id, shown.revision)
    if anchor is not None and anchor.head != subject.head:
        raise _refused(SignatureCode.SIGNATURE_OTHER_REPORT)
    return subject


def subject_to_sign(run: RunRecord, desk: Desk) -> Subject:
    """The same, proved to be what was published: it fits its own audit trail, whose head the audit
    key signed at publication. SignatureRefused otherwise; Unavailable or Throttled."""
    subject = newest_subject(run, desk)
    anchor = desk.anchors.of(run.run_id, subject.report.revision)
    if anchor is None or not subject.fits_its_trail or not desk.anchors.made(anchor):
        raise _refused(SignatureCode.SIGNATURE_UNPROVED)
    return subject


def subject_of(run_id: str, revision: int, reports: Objects) -> Subject | None:
    """The report of a revision; None when it has expired or cannot be read."""
    try:
        content = reports.get(s3_keys.report_key(run_id, revision, REPORT))
        report = Report.model_validate_json(content)
    except (NotFound, ValidationError):
        return None
    answers = answers_digest(json.loads(content))
    return Subject(report, hashlib.sha256(content).hexdigest(), answers)


def changes_since(
    revision: int, subject: Subject, samples: Sequence[str], reports: Objects
) -> tuple[Change, ...]:
    """What differs between the report of an earlier revision and this one. SignatureRefused when
    the earlier one cannot be read: nobody can say then what changed."""
    if revision == subject.report.revision:
        return ()
    before = subject_of(subject.report.run_id, revision, reports)
    if before is None:
        raise _refused(SignatureCode.SIGNATURE_NO_REPORT)
    return changes(states_of(before.report), states_of(subject.report), samples)


def refuse_forged(run_id: str, earlier: Sequence[Signature], desk: Desk) -> None:
    """A signature over these vouches for all of them: each is made again, and follows the one
    before it. SignatureRefused; Unavailable or Throttled."""
    before = [GENESIS, *(one.fingerprint for one in earlier)]
    sound = not desk.signatures.unreadable(run_id) and all(
        one.run_id == run_id
        and (one.number, one.previous) == (number, previous)
        and desk.signatures.made(one)
        for number, (one, previous) in enumerate(zip(earlier, before, strict=False), start=1)
    )
    if not sound:
        why = because(SignatureCode.SIGNATURE_FORGED)
        raise SignatureRefused(why, remedy="`porewatch audit` names it.")


def _refused(code: SignatureCode) -> SignatureRefused:
    return SignatureRefused(because(code), remedy=LATER)
