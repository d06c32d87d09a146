"""The files of a run as they lie in its bucket, joined with what the validator found in each.

Files that were refused have been moved away, and still belong to the run: what they held is lost to
a sample, unless they held nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from porewatch.domain import s3_keys
from porewatch.domain.completeness import Expected, LeftOut, LostFile, Why, with_more
from porewatch.domain.errors import FilesLacking, Refused
from porewatch.domain.inputs.file_kinds import find_kind
from porewatch.domain.inputs.file_names import (
    Landed,
    classify,
)
from porewatch.domain.inputs.landing.contents import (
    Headers,
    faults_of,
    once,
)
from porewatch.domain.inputs.landing.sorting import Understood
from porewatch.domain.records.file_record import FileRecord, FileState
from porewatch.domain.runs import InputFile, ReadKind
from porewatch.domain.sealing import input_file


class Object(Protocol):
    """An object as it lies in the bucket."""

    @property
    def key(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def etag(self) -> str: ...


@dataclass
class Sound:
    """What can be screened, what is left out, what is lost, and what is wrong."""

    files: list[InputFile] = field(default_factory=list)
    left_out: tuple[LeftOut, ...] = ()
    lost: list[LostFile] = field(default_factory=list)
    faults: list[Refused] = field(default_factory=list)


class Lying:
    """`there`: every object of the run; `checked`: the validator's records, by path."""

    def __init__(
        self, run_id: str, there: Iterable[Object], checked: Mapping[str, FileRecord]
    ) -> None:
        self.run_id = run_id
        prefix = s3_keys.raw_key(run_id, "")
        here = {o.key.removeprefix(prefix): o for o in there if not o.key.endswith("/")}
        self._etags = {path: found.etag for path, found in here.items()}
        self._checked = checked
        self._gone = {
            path: record
            for path, record in checked.items()
            if record.state is FileState.QUARANTINED
            and self._etags.get(path, record.etag) == record.etag
        }
        self.sizes = {path: found.size for path, found in here.items()}
        self.sizes |= {path: record.size for path, record in self._gone.items()}

    def expected(self, counted: Mapping[ReadKind, int]) -> list[Expected]:
        """What MinKNOW counted of each kind that came at all, and what came of it."""
        came: dict[str, int] = {}
        failed: dict[str, int] = {}
        for path in self.sizes:
            kind = find_kind(path)
            if kind is not None and classify(path) in (Landed.READS, Landed.FAILED):
                came[kind] = came.get(kind, 0) + 1
                failed[kind] = failed.get(kind, 0) + (classify(path) is Landed.FAILED)
        return [
            Expected(kind=kind.value, counted=number, came=came[kind], failed=failed[kind])
            for kind, number in counted.items()
            if kind in came
        ]

    def unchecked(self, found: Understood) -> list[str]:
        """The files to screen whose check, as they lie there now, is not recorded yet."""
        return [path for path in found.reads if self._is_unchecked(path)]

    def _is_unchecked(self, path: str) -> bool:
        record = self._checked.get(path)
        if path in self._gone:
            return False
        return record is None or record.etag != self._etags[path]

    def sound(self, found: Understood, declared: Mapping[str, str | None] | None = None) -> Sound:
        """The files to screen, with their checksums. FilesLacking while one is unchecked, unless
        `declared` says by path what its sender says of it (None: nothing)."""
        made = Sound(left_out=found.left_out)
        aside: dict[Why, list[str]] = {Why.EMPTY: []}
        headers: dict[str, Headers] = {}
        for path in found.reads:
            record, barcode = self._checked.get(path), found.barcodes[path]
            if path in self._gone:
                self._without(self._gone[path], barcode, made, aside)
            elif record is None or self._is_unchecked(path):
                if declared is None:
                    raise FilesLacking(f"{path} is not checked yet.", file=path)
                known = (self.sizes[path], declared.get(path))
                self._take(path, known, found.reads[path], barcode, made)
            else:
                known = (record.size, record.sha256)
                self._take(record.path, known, found.reads[path], barcode, made)
                headers[path] = Headers(record.flow_cell, record.barcodes)
        made.files, copies, faults = once(made.files)
        by_barcode = any(sample.barcode for sample in found.samples or ())
        made.faults += [*faults, *faults_of(headers, found.barcodes, samples=by_barcode)]
        for why, names in (*aside.items(), (Why.SECOND_COPY, copies)):
            made.left_out = with_more(made.left_out, why, names)
        return made

    def _take(
        self,
        at: str,
        known: tuple[int, str | None],
        place: str,
        barcode: str | None,
        made: Sound,
    ) -> None:
        try:
            made.files.append(input_file(place, *known, barcode=barcode, at=at))
        except Refused as refusal:
            made.faults.append(refusal)

    def _without(
        self,
        record: FileRecord,
        barcode: str | None,
        made: Sound,
        aside: dict[Why, list[str]],
    ) -> None:
        if record.empty:
            aside[Why.EMPTY].append(record.path)
        else:
            made.lost.append(
                LostFile(path=record.path, problem=record.problem or "", barcode=barcode)
            )
