"""`porewatch sheet`: a sheet to begin with, and a check of one before anything is sent.

Both use the parser of every other door, so what passes here passes there.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from rich.text import Text

from porewatch.domain.base import now
from porewatch.domain.bounds import refuse_long
from porewatch.domain.calls.release_policy import (
    DEFAULT,
    Consequence,
)
from porewatch.domain.choices import refuse_name
from porewatch.domain.errors import InputRefused
from porewatch.domain.inputs.sample_keys import file_keys
from porewatch.domain.inputs.sheet.example import (
    Layout,
    example,
)
from porewatch.domain.inputs.sheet.sample_sheet import (
    Sheet,
    read_sheet,
)
from porewatch.domain.records.refusal import refusals_of
from porewatch.domain.runs import Sample
from porewatch_cli.terminal import console, errors, print_json, table, write

UTF8_FOR_EXCEL = "utf-8-sig"
"""Without the mark, Excel takes a file for the code page of its country."""


def write_template(
    out: Path | None, layout: str, policy: str | None, samples: int, *, as_json: bool = False
) -> None:
    """A sheet to fill in, into a file or to standard output."""
    positive = _wants_positive(policy or DEFAULT)
    if positive and layout == "minknow":
        raise InputRefused(
            f"MinKNOW's sheet has no column for what {policy} asks of a positive control.",
            remedy="use --layout minimal, and give that sheet to submit.",
        )
    text = _as_csv(example(Layout(layout), samples=samples, positive=positive))
    if out is not None:
        if out.exists():
            raise InputRefused("it is there already.", file=str(out), remedy="name another file.")
        out.write_text(text, encoding=UTF8_FOR_EXCEL, newline="")
    if as_json:
        print_json({"file": str(out) if out else None, "sheet": text})
    elif out is None:
        write(text)
    else:
        console.print(f"{out}: fill it in, then: porewatch sheet check {out}", soft_wrap=True)


def _wants_positive(policy: str) -> bool:
    """Whether a run without a positive control cannot be reported. A misspelt policy is refused."""
    from porewatch_worker.science.release.controls import release_policies  # noqa: PLC0415 - loads much

    known = {one.name: one for one in release_policies().policies}
    refuse_name("release policy", "--release-policy", policy, known)
    return known[policy].missing_positive_control is Consequence.REFUSE


def _as_csv(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def check_sheet(file: Path, flow_cell: str | None, *, as_json: bool) -> bool:
    """Show everything that is wrong with a sheet. True when it can be used."""
    refuse_long(str(file), file.stat().st_size)
    sheet = read_sheet(file.read_bytes(), file=str(file), flow_cell=flow_cell)
    if as_json:
        print_json(_told(sheet, file))
    else:
        _say(sheet, file)
    return not sheet.faults


def _told(sheet: Sheet, file: Path) -> dict[str, Any]:
    keys = file_keys(sheet.samples)
    return {
        "file": str(file),
        "usable": not sheet.faults,
        "encoding": sheet.encoding.value if sheet.encoding else None,
        "samples": [
            {"row": row, "key": keys[s.name], **s.model_dump(mode="json", exclude_none=True)}
            for row, s in sheet.rows.items()
        ],
        "faults": [
            {
                "row": f.line,
                "column": f.column,
                "code": f.code,
                "values": refusals_of(f)[0].model_dump(mode="json")["values"],
                "problem": f.problem,
                "remedy": f.remedy,
            }
            for f in sheet.faults
        ],
        "remarks": list(_remarks(sheet)),
    }


def _remarks(sheet: Sheet) -> list[str]:
    """What is allowed and still looks like a slip."""
    today = now().date()
    return [
        f"row {row}: {what} on {day}, which is still to come."
        for row, sample in sheet.rows.items()
        for what in ("collected", "received")
        if (day := getattr(sample, what)) and day > today
    ]


def _say(sheet: Sheet, file: Path) -> None:
    if not sheet.faults:
        _say_samples(list(sheet.samples))
        console.print(
            f"{file}: usable rows: {len(sheet.samples)}; read as {sheet.encoding}",
            soft_wrap=True,
        )
    for remark in _remarks(sheet):
        errors.print(Text.assemble(("remark", "yellow"), f" {remark}"), soft_wrap=True)
    for fault in sheet.faults:
        place = f"row {fault.line}" if fault.line else "the sheet"
        place += f", column {fault.column}" if fault.column else ""
        errors.print(Text.assemble((place, "bold red"), f": {fault.problem}"))
        errors.print(Text.assemble(("  what to do:", "bold"), f" {fault.remedy or ''}"))
    if sheet.faults:
        number = len(sheet.faults)
        said = f"{number} thing is wrong" if number == 1 else f"{number} things are wrong"
        errors.print(f"{file}: {said}", soft_wrap=True)


def _say_samples(samples: list[Sample]) -> None:
    shown = table("", "name", "barcode", "role", "batch", "material", "in file names")
    keys = file_keys(samples)
    for s in samples:
        cells = (s.name, s.barcode or "", s.role.value, s.batch or "", s.material, keys[s.name])
        shown.add_row(*cells)
    console.print(shown)
