"""Print a signed report: a copy of each of its pages, whose sign-off block its signatures fill."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import ValidationError

from porewatch.domain import s3_keys
from porewatch.domain.errors import AlreadyDone, MessageRefused, NotFound
from porewatch.domain.facts.run_facts import ReportSigned
from porewatch.domain.results.publishing import REPORT, type_of
from porewatch.domain.results.report import Report
from porewatch.domain.signatures.signature import Signature
from porewatch.domain.signatures.signed_copies import signed_of
from porewatch.domain.validation_text import say

if TYPE_CHECKING:
    from porewatch.adapters.audit.signatures import Signatures
    from porewatch.adapters.objects import Objects

Pages = Callable[[Report, Sequence[Signature], Container[str]], Iterator[tuple[str, bytes]]]
"""(report, signatures, names that are there already) -> name and content of each copy."""
_log = logging.getLogger(__name__)


def print_signed(
    fact: ReportSigned, *, signatures: Signatures, reports: Objects, pages: Pages, version: str
) -> None:
    """Copies of the report that was signed and, of an amendment, of the one that it corrects.
    `version`: of what prints them. Idempotent; what a call had no time for, the next one prints.

    MessageRefused for a signature that the audit key did not make, and for a report that is not
    the signed one: what nobody signed is printed under nobody's name. Unavailable or Throttled.
    """
    every = signatures.of(fact.run_id)
    amended = () if fact.supersedes is None else (fact.supersedes,)
    for revision in sorted({fact.revision, *amended}):
        mine = signed_of(every, revision, fact.number)
        if not mine or mine[-1].number != fact.number:
            raise MessageRefused(f"signature {fact.number} of {fact.run_id} is not there.")
        forged = [one.number for one in mine if not signatures.proves(one)]
        if forged:
            raise MessageRefused(f"the audit key did not make signatures {forged}.")
        report = _signed_report(fact.run_id, revision, mine, reports)
        if report is not None:
            folder = s3_keys.signed_key(fact.run_id, revision, version, "")
            _print(report, mine, folder, pages=pages, reports=reports)


def _signed_report(
    run_id: str, revision: int, signatures: Sequence[Signature], reports: Objects
) -> Report | None:
    """None when it has expired, or was deleted with its run."""
    try:
        content = reports.get(s3_keys.report_key(run_id, revision, REPORT))
    except NotFound:
        _log.info("%s r%s has no report any more: nothing is printed", run_id, revision)
        return None
    signed = {one.report_sha256 for one in signatures if one.revision == revision}
    if signed and signed != {hashlib.sha256(content).hexdigest()}:
        raise MessageRefused(f"the report of {run_id} r{revision} is not the one that was signed.")
    try:
        return Report.model_validate_json(content)
    except ValidationError as error:
        raise MessageRefused(f"the report is not a report: {say(error)}") from error


def _print(
    report: Report,
    signatures: Sequence[Signature],
    folder: str,
    *,
    pages: Pages,
    reports: Objects,
) -> None:
    """Each page that is not there yet, into this folder."""
    there = {head.key.removeprefix(folder) for head in reports.keys(folder)}
    original = s3_keys.report_key(report.run_id, report.revision, REPORT)
    for name, page in pages(report, signatures, there):
        if reports.head(original) is None:
            return  # the run was deleted meanwhile, and its copies with it
        with suppress(AlreadyDone):
            reports.put_new(folder + name, page, type_of(name))
