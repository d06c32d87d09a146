"""The sample sheet of a registered run: checked by the rules of `porewatch sheet check`, and kept
where sealing reads it."""

from __future__ import annotations

import csv
import io
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from porewatch.domain import s3_keys
from porewatch.domain.base import Model
from porewatch.domain.bounds import MOST_TEXT
from porewatch.domain.errors import (
    AlreadyDone,
    Conflict,
    InputRefused,
    NotFound,
    PorewatchError,
    SampleSheetRefused,
)
from porewatch.domain.inputs.sheet.sample_sheet import Sheet, read_sheet
from porewatch.domain.inputs.sheet.table_text import Row, decode
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import Action
from porewatch.domain.records.refusal import Refusal, refusals_of
from porewatch.domain.runs import Sample
from porewatch.domain.submission.placing import SHEET
from porewatch.domain.submission.run_uploads import Upload, UploadState, upload_id_of
from porewatch.usecases.people.reach_run import reach_run
from porewatch.usecases.uploads.upload_context import UploadContext, key_of, may_upload

CSV = "text/csv; charset=utf-8"
MOST_EDITED = 1_000
"""Rows of a table that an editor gets. A longer sheet is edited in a program for tables."""


class SheetToSend(Model):
    """A sheet in JSON: its rows, by the headings of the first row, or its bytes."""

    rows: Annotated[tuple[dict[str, str], ...] | None, Field(min_length=1, max_length=5_000)] = None
    base64: Annotated[str | None, Field(description="of a file in any encoding that we read")] = (
        None
    )

    def content(self) -> bytes:
        """Raises InputRefused for neither or both, no base64, and a row with other headings than
        the first one's."""
        if (self.rows is None) == (self.base64 is None):
            raise InputRefused("a sheet comes as rows or as base64.", file=SHEET)
        if self.base64 is not None:
            return _decoded(self.base64)
        return _csv(self.rows or ())


class SheetFault(Refusal):
    """One thing that is wrong with a sheet; `row`: of the samples, from 1."""

    row: int | None = None
    problem: str
    remedy: str = ""


class SheetRow(Model):
    """`line`: where it begins in the file, from 1, as faults name it."""

    line: int
    cells: tuple[str, ...]


class SheetTable(Model):
    """The cells of a sheet as they are, for an editor: every row has as many as `columns`, which
    is filled up with empty headings for a row that has more."""

    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]


class SheetAnswer(Model):
    """What a sheet says, or what is wrong with it; it is kept only when nothing is. `table`: None
    for what is no table, and for one of more than 1,000 rows."""

    valid: bool
    samples: tuple[Sample, ...] = ()
    faults: tuple[SheetFault, ...] = ()
    encoding: str | None = None
    table: SheetTable | None = None
    etag: Annotated[
        str | None, Field(description="of the sheet that is kept, for If-Match; None: not kept")
    ] = None


class KeptSheet(Model):
    """The sheet of a run as text, and what it says."""

    csv: Annotated[str, Field(description="empty: it cannot be read, and `faults` say why")]
    sheet: SheetAnswer


class Expected(NamedTuple):
    """What lies there, as who sends a sheet believes: an `etag`, or `nothing`; neither: whatever
    it is."""

    etag: str | None = None
    nothing: bool = False


def keep_sheet(
    run_id: str,
    content: bytes,
    who: Principal,
    context: UploadContext,
    expected: Expected = Expected(),  # noqa: B008 - it cannot be changed
) -> SheetAnswer:
    """Check a sheet, and keep it when it is valid. Raises as `may_upload`; InputRefused for a run
    that comes as a tar, which brings its own, and for a sheet that is too long; Conflict for
    another one than `expected`. From then on it goes before a file of its name."""
    may_upload(run_id, who, context)
    if context.uploads.submission(run_id).archives:
        raise InputRefused(
            "a run archive contains its own sample sheet; a separate one would be ignored.",
            file=SHEET,
            remedy="put it into the tar as sample_sheet.csv.",
        )
    if len(content) > MOST_TEXT:
        raise InputRefused(f"a sheet has at most {MOST_TEXT:,} bytes.", file=SHEET)
    sheet = read_sheet(content, file=SHEET)
    if sheet.faults:
        return _answer(sheet)
    context.uploads.note_sheet(run_id)
    _leave_out_file(run_id, context)
    return _answer(sheet, _written(s3_keys.raw_key(run_id, SHEET), content, expected, context))


def _leave_out_file(run_id: str, context: UploadContext) -> None:
    """A file of the sheet's name that was uploaded, or is being, serves no more."""

    def rule(before: Upload | None) -> Upload | None:
        if before is None or not before.counts:
            return None
        return before.model_copy(update={"state": UploadState.LEFT_OUT})

    changed = context.uploads.change(run_id, {upload_id_of(SHEET): rule})
    for was, _ in changed.values():
        if was is not None and was.state is UploadState.OPEN and was.s3_upload:
            context.parts.abort(key_of(was), was.s3_upload)


def _written(key: str, content: bytes, expected: Expected, context: UploadContext) -> str:
    if expected.etag is not None:
        if not re.fullmatch(r"[0-9A-Za-z-]{1,100}", expected.etag):
            raise Conflict(
                "no sheet has this etag.", file=SHEET, remedy="GET the sheet for its own."
            )
        return context.raw.put_if_match(key, content, expected.etag, CSV)
    if not expected.nothing:
        return context.raw.put(key, content, CSV)
    try:
        return context.raw.put_new(key, content, CSV)
    except AlreadyDone:
        raise Conflict(
            "another sheet was kept meanwhile.", file=SHEET, remedy="load it, then change it."
        ) from None


def kept_sheet(run_id: str, who: Principal, context: UploadContext) -> KeptSheet:
    """The sheet that lies in the run. Raises as `reach_run`; NotFound when there is none."""
    reach_run(run_id, who, Action.SEE, runs=context.runs)
    return sheet_in(run_id, context)


def sheet_in(run_id: str, context: UploadContext) -> KeptSheet:
    """The same, of a run that was reached before."""
    key = s3_keys.raw_key(run_id, SHEET)
    absent = NotFound("the run has no sample sheet.", remedy="PUT one.")
    head = context.raw.head(key)
    if head is None:
        raise absent
    try:
        content = context.raw.get(key)
    except NotFound:
        raise absent from None
    sheet = read_sheet(content, file=SHEET)
    try:
        text = decode(content, SHEET).text
    except SampleSheetRefused:
        text = ""
    return KeptSheet(csv=text.removeprefix("\ufeff"), sheet=_answer(sheet, head.etag))


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise InputRefused("it is no base64.", file=SHEET) from None


def _csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    names = list(rows[0])
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for number, row in enumerate(rows, 1):
        if set(row) != set(names):
            raise InputRefused(
                "it has other columns than the first row.",
                file=SHEET,
                record=number,
                remedy="give every row the same columns, empty ones too.",
            )
        writer.writerow(row)
    return out.getvalue().encode()


def _answer(sheet: Sheet, etag: str | None = None) -> SheetAnswer:
    return SheetAnswer(
        valid=not sheet.faults,
        samples=sheet.samples,
        faults=tuple(map(_fault, sheet.faults)),
        encoding=sheet.encoding.value if sheet.encoding else None,
        table=_table(sheet.table),
        etag=etag,
    )


def _table(rows: Sequence[Row]) -> SheetTable | None:
    if not 1 <= len(rows) <= MOST_EDITED + 1:
        return None
    width = max(len(row.cells) for row in rows)
    header, *others = [(*row.cells, *[""] * (width - len(row.cells))) for row in rows]
    return SheetTable(
        columns=header,
        rows=tuple(
            SheetRow(line=row.line, cells=cells)
            for row, cells in zip(rows[1:], others, strict=True)
        ),
    )


def _fault(fault: PorewatchError) -> SheetFault:
    """By code and place. The header is line 1."""
    [refusal] = refusals_of(fault)
    row = fault.line - 1 if fault.line and fault.line > 1 else None
    known: Mapping[str, object] = refusal.model_dump()
    return SheetFault.model_validate(
        {**known, "row": row, "problem": fault.problem, "remedy": fault.remedy or ""}
    )
