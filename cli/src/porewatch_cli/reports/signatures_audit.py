"""`porewatch audit`: are the signatures of a run what was signed?"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from porewatch.domain import s3_keys
from porewatch.domain.errors import Refused
from porewatch.domain.results.publishing import REPORT
from porewatch.domain.results.report import Report
from porewatch.domain.signatures.signature import Signature
from porewatch.domain.signatures.verify import (
    Published,
    SignatureFault,
    SignatureFound,
    signature_faults,
)
from porewatch_cli.plurals import plural
from porewatch_cli.reports.copies_audit import CopiesCompared, compared_copies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from porewatch_cli.stack import Stack


@dataclass(frozen=True)
class Signed:
    """The signatures of a run, and what is wrong with them."""

    signatures: tuple[Signature, ...]
    faults: tuple[SignatureFault, ...]
    copies: CopiesCompared

    @property
    def sentences(self) -> list[str]:
        """A sentence for each fault, which names its signature."""
        return [self._sentence(fault) for fault in self.faults]

    @property
    def remarks(self) -> list[str]:
        """What is no fault."""
        of, others = plural(len(self.signatures), "signature"), self.copies.others
        valid = f"{of}, each as it was signed." if self.signatures else "not signed."
        copies = plural(others, "copy was", "copies were")
        by_others = f"{copies} printed by another version, which can compare them."
        return [valid] * (not self.faults) + [by_others] * bool(others)

    def for_scripts(self) -> dict[str, object]:
        """The JSON form, for scripts."""
        faults = [
            {**fault.model_dump(mode="json"), "says": self._sentence(fault)}
            for fault in self.faults
        ]
        return {
            "count": len(self.signatures),
            "faults": faults,
            "copies": {"compared": self.copies.compared, "of_other_versions": self.copies.others},
        }

    @property
    def empty(self) -> bool:
        """Nothing was ever signed."""
        return not self.signatures and not self.faults

    def _sentence(self, fault: SignatureFault) -> str:
        one = next((s for s in self.signatures if s.number == fault.number), None)
        if one is None:
            return f"signature {fault.number} {_SAYS[fault.code]}"
        fields = f": {', '.join(fault.fields)}" if fault.fields else ""
        return f"{_named(one)} {_SAYS[fault.code]}{fields}"


_SAYS = {
    SignatureFound.CHANGED: "was changed, or was not made by the stack's audit key",
    SignatureFound.REDATED: "was given another time than it was signed at",
    SignatureFound.REATTRIBUTED: "was given another signer",
    SignatureFound.REMOVED: "was removed",
    SignatureFound.OTHER_RUN: "is of another run",
    SignatureFound.OTHER_REPORT: "is of another report than the one that is published",
    SignatureFound.UNCHAINED: "does not follow the signature before it",
    SignatureFound.NOT_IN_ITS_DAY: "is not the one that the signed record of its day names",
    SignatureFound.NOT_CONFIRMED: "names a sign-in that was for something else",
    SignatureFound.COPY_CHANGED: "has copies that do not state what was signed",
}


def signed(run_id: str, stack: Stack) -> Signed | None:
    """The signatures of a run, each verified: by the audit key, in their chain, against their
    copies beside the reports, the reports themselves and the records of days. None for a stack of
    an earlier version."""
    kept, anchors = stack.signatures, stack.anchors
    if kept is None or anchors is None:
        return None
    signatures = kept.of(run_id)
    unreadable = kept.unreadable(run_id)
    revisions = {one.revision for one in signatures}
    faults = signature_faults(
        run_id,
        signatures,
        proves=kept.proves,
        copies=_copies(run_id, stack),
        published=_published(run_id, revisions, stack),
        days=anchors.days(),
        unreadable=unreadable,
    )
    found, reports = tuple(faults), stack.bucket("Reports")
    copies = compared_copies(run_id, _proved(signatures, found), kept.proves, reports)
    return Signed(signatures, (*found, *copies.faults), copies)


def _proved(
    signatures: Sequence[Signature], faults: Sequence[SignatureFault]
) -> tuple[Signature, ...]:
    """Those before the first that is not what was signed."""
    first = min((fault.number for fault in faults), default=None)
    return tuple(one for one in signatures if first is None or one.number < first)


def _copies(run_id: str, stack: Stack) -> dict[int, Signature]:
    """Those beside the reports that the key made, by number: the others, and what cannot be read,
    prove nothing."""
    reports, kept, found = stack.bucket("Reports"), stack.signatures, {}
    for head in reports.keys(s3_keys.signatures_prefix(run_id)):
        if not head.key.endswith(".json"):
            continue
        with suppress(Refused):
            copy = reports.get_json(head.key, Signature)
            if kept is not None and copy.run_id == run_id and kept.proves(copy):
                found[copy.number] = copy
    return found


def _published(run_id: str, revisions: set[int], stack: Stack) -> dict[int, Published]:
    """Of the revisions whose report can still be read."""
    reports, found = stack.bucket("Reports"), {}
    for revision in revisions:
        with suppress(Refused, ValidationError):
            content = reports.get(s3_keys.report_key(run_id, revision, REPORT))
            audit = Report.model_validate_json(content).audit
            digest = hashlib.sha256(content).hexdigest()
            found[revision] = Published(
                report_sha256=digest, audit_head=audit.head if audit else ""
            )
    return found


def _named(one: Signature) -> str:
    when = f"{one.at:%Y-%m-%d %H:%M:%S} UTC"
    return f"signature {one.number} ({one.meaning.value} by {one.name}, {when})"
