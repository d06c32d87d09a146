"""Are the signatures of a run what was signed? Pure: whoever asks brings the proofs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from enum import StrEnum

from porewatch.domain.base import Model
from porewatch.domain.results.audit import GENESIS
from porewatch.domain.results.audit_anchors import AnchorDay
from porewatch.domain.signatures.signature import Signature
from porewatch.domain.signatures.signing_act import confirms

PERSON = frozenset({"user_id", "name", "role"})
TIME = frozenset({"at", "confirmation"})


class SignatureFound(StrEnum):
    """What is wrong with a signature."""

    CHANGED = "signature_changed"
    REDATED = "signature_redated"
    REATTRIBUTED = "signature_reattributed"
    REMOVED = "signature_removed"
    OTHER_RUN = "signature_of_another_run"
    OTHER_REPORT = "signature_of_another_report"
    UNCHAINED = "signature_out_of_order"
    NOT_IN_ITS_DAY = "signature_not_in_its_day"
    NOT_CONFIRMED = "signature_not_confirmed_for_it"
    COPY_CHANGED = "signature_copy_changed"


class SignatureFault(Model):
    """`number`: of the signature; `fields`: those that differ from its copy; of COPY_CHANGED the
    names of the copies."""

    code: SignatureFound
    number: int
    fields: tuple[str, ...] = ()


class Published(Model):
    """What a revision's report is: digest of report.json, and the head of its trail."""

    report_sha256: str
    audit_head: str


def signature_faults(
    run_id: str,
    signatures: Sequence[Signature],
    *,
    proves: Callable[[Signature], bool],
    copies: Mapping[int, Signature],
    published: Mapping[int, Published],
    days: Sequence[AnchorDay] = (),
    unreadable: Collection[int] = (),
) -> Iterator[SignatureFault]:
    """Every fault, by number. `copies`: the signatures kept beside the reports, by number;
    `published`: by revision, of those that can still be read; `days`: the signed records of days,
    which hold what was signed up to their end; `unreadable`: numbers whose record is no
    signature."""
    named = _named_by_days(run_id, days)
    last = max((*(s.number for s in signatures), *unreadable, *copies, *named), default=0)
    there = {one.number: one for one in signatures}
    previous = GENESIS
    for number in range(1, last + 1):
        one = there.get(number)
        if one is None:
            changed = number in unreadable
            code = SignatureFound.CHANGED if changed else SignatureFound.REMOVED
            yield SignatureFault(code=code, number=number)
            previous = ""
            continue
        if not proves(one):
            yield _changed(one, copies.get(number))
        elif one.run_id != run_id:
            yield SignatureFault(code=SignatureFound.OTHER_RUN, number=number)
        elif previous and one.previous != previous:
            yield SignatureFault(code=SignatureFound.UNCHAINED, number=number)
        elif confirms(one) is False:
            yield SignatureFault(code=SignatureFound.NOT_CONFIRMED, number=number)
        elif _of_another(one, published.get(one.revision)):
            yield SignatureFault(code=SignatureFound.OTHER_REPORT, number=number)
        elif _not_named(one, named, days):
            yield SignatureFault(code=SignatureFound.NOT_IN_ITS_DAY, number=number)
        previous = one.fingerprint


def _changed(one: Signature, copy: Signature | None) -> SignatureFault:
    """A record that the key did not make: by its copy, what is another."""
    if copy is None:
        return SignatureFault(code=SignatureFound.CHANGED, number=one.number)
    fields = type(one).model_fields
    differ = tuple(name for name in fields if getattr(one, name) != getattr(copy, name))
    code = SignatureFound.CHANGED
    if differ and set(differ) <= PERSON:
        code = SignatureFound.REATTRIBUTED
    elif differ and set(differ) <= TIME:
        code = SignatureFound.REDATED
    return SignatureFault(code=code, number=one.number, fields=differ)


def _of_another(one: Signature, report: Published | None) -> bool:
    if report is None:
        return False
    signed = Published(report_sha256=one.report_sha256, audit_head=one.audit_head)
    return signed != report


def _named_by_days(run_id: str, days: Sequence[AnchorDay]) -> dict[int, str]:
    """Number -> digest, of every signature of the run that a day's record names."""
    begins = f"{run_id} s"
    lines = (line for day in days for line in day.heads if line.startswith(begins))
    parts = (line.removeprefix(begins).split(" ") for line in lines)
    return {int(number): digest for number, digest in parts}


def _not_named(one: Signature, named: Mapping[int, str], days: Sequence[AnchorDay]) -> bool:
    if one.number in named:
        return named[one.number] != one.fingerprint
    return bool(days) and one.place < days[-1].until
