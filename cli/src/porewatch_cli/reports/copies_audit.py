"""`porewatch audit`: do the copies of signatures and of signed reports state what was signed?

Copies as data are compared with the signatures; pages with what this version prints from the signed
report.json and the signatures. Those of another version are counted: that one can compare them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from porewatch.domain import s3_keys
from porewatch.domain.errors import Refused
from porewatch.domain.results.publishing import REPORT
from porewatch.domain.results.report import Report
from porewatch.domain.signatures.signature import Signature
from porewatch.domain.signatures.signed_copies import original_of, signed_of
from porewatch.domain.signatures.verify import SignatureFault, SignatureFound
from porewatch_worker import __version__

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects


@dataclass(frozen=True)
class CopiesCompared:
    """`compared`: how many copies were; `others`: of other versions, which were not."""

    faults: tuple[SignatureFault, ...] = ()
    compared: int = 0
    others: int = 0


def compared_copies(
    run_id: str,
    signatures: Sequence[Signature],
    proves: Callable[[Signature], bool],
    reports: Objects,
) -> CopiesCompared:
    """Of these signatures, which are what was signed."""
    as_data, pages, others = _data_copies(run_id, proves, reports), 0, 0
    changed: dict[int, list[str]] = defaultdict(list)
    for name, genuine in as_data.items():
        if not genuine:
            changed[_number_of(name)].append(name)
    for revision in {one.revision for one in signatures}:
        report = _signed_report(run_id, revision, signatures, reports)
        if report is None:
            continue
        folder = s3_keys.signed_key(run_id, revision, __version__, "")
        keys = [head.key for head in reports.keys(s3_keys.signed_prefix(run_id, revision))]
        mine = {key.removeprefix(folder) for key in keys if key.startswith(folder)}
        others += len(keys) - len(mine)
        pages += len(mine)
        for number, name in _changed_pages(report, signatures, mine, folder, reports):
            changed[number].append(name)
    faults = tuple(
        SignatureFault(code=SignatureFound.COPY_CHANGED, number=number, fields=tuple(names))
        for number, names in sorted(changed.items())
    )
    return CopiesCompared(faults, len(as_data) + pages, others)


def _changed_pages(
    report: Report,
    signatures: Sequence[Signature],
    names: set[str],
    folder: str,
    reports: Objects,
) -> Iterator[tuple[int, str]]:
    """(number, name) of each page that is another than what its signatures make of the report."""
    # Here, because it brings the typesetter, and most audits print nothing.
    from porewatch_worker.report.signed_pages import signed_pages  # noqa: PLC0415

    by_number: dict[int, set[str]] = defaultdict(set)
    for name in names:
        of = original_of(name)
        by_number[of[1] if of else 0].add(name)
    last = max((one.number for one in signatures), default=0)
    for number, there in sorted(by_number.items()):
        mine = signed_of(signatures, report.revision, number)
        if number > last or not mine or mine[-1].number != number:
            yield from ((number, name) for name in sorted(there))
            continue
        same = set()
        for name, page in signed_pages(report, mine, _But(there)):
            if reports.get(folder + name) == page:
                same.add(name)
        yield from ((number, name) for name in sorted(there - same))


class _But:
    """All names but these."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def __contains__(self, name: object) -> bool:
        return name not in self._names


def _signed_report(
    run_id: str, revision: int, signatures: Sequence[Signature], reports: Objects
) -> Report | None:
    """The report that was signed; None when it can no longer be read, or is another one."""
    with suppress(Refused, ValidationError):
        content = reports.get(s3_keys.report_key(run_id, revision, REPORT))
        digest = hashlib.sha256(content).hexdigest()
        if {one.report_sha256 for one in signatures if one.revision == revision} == {digest}:
            return Report.model_validate_json(content)
    return None


def _data_copies(
    run_id: str, proves: Callable[[Signature], bool], reports: Objects
) -> dict[str, bool]:
    """Name -> whether it is a signature that the key made, under its own name."""
    prefix, found = s3_keys.signatures_prefix(run_id), {}
    for head in reports.keys(prefix):
        if not head.key.endswith(".json"):
            continue
        name = head.key.removeprefix(prefix)
        found[name] = False
        with suppress(Refused):
            copy = reports.get_json(head.key, Signature)
            own = s3_keys.signature_key(run_id, copy.number, copy.fingerprint, "json")
            found[name] = head.key == own and copy.run_id == run_id and proves(copy)
    return found


def _number_of(name: str) -> int:
    digits = name[:4]
    return int(digits) if digits.isdigit() else 0
