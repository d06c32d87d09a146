"""`porewatch sheet`: write a sample sheet template, or validate a sheet before submitting.

Both use the same parser as every upload path, so a sheet that is valid here is valid there.
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
from porewatch_cli.plurals import plural
from porewatch_cli.terminal import console, errors, print_json, table, write

UTF8_FOR_EXCEL = "utf-8-sig"
"""Without the byte order mark, Excel assumes the code page of its locale."""


def write_template(
    out: Path | None, layout: str, policy: str | None, samples: int, *, as_json: bool = False
) -> None:
    """Write a sheet to fill in to a file or to standard output."""
    positive = _wants_positive(policy or DEFAULT)
    if positive and layout == "minknow":
        raise InputRefused(
            f"MinKNOW's sheet has no column for the positive control that {policy} requires.",
            remedy="use --layout minimal, and give that sheet to submit.",
        )
    text = _as_csv(example(Layout(layout), samples=samples, positive=positive))
    if out is not None:
        if out.exists():
            raise InputRefused(
                "the file exists.", file=str(out), remedy="choose another file name."
            )
        out.write_text(text, encoding=UTF8_FOR_EXCEL, newline="")
    if as_json:
        print_json({"file": str(out) if out else None, "sheet": text})
    elif out is None:
        write(text)
    else:
        console.print(f"{out}: fill it in, then: porewatch sheet check {out}", soft_wrap=True)


def _wants_positive(policy: str) -> bool:
    """Whether the policy requires a positive control. Refuses an unknown policy."""
    from porewatch_worker.science.release.policies import release_policies  # noqa: PLC0415 - loads much

    known = {one.name: one for one in release_policies().policies}
    refuse_name("release policy", "--release-policy", policy, known)
    return known[policy].missing_positive_control is Consequence.REFUSE


def _as_csv(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def check_sheet(file: Path, flow_cell: str | None, *, as_json: bool) -> bool:
    """Show every fault of a sheet. True when the sheet is usable."""
    refuse_long(str(file), file.stat().st_size)
    sheet = read_sheet(file.read_bytes(), file=str(file), flow_cell=flow_cell)
    if as_json:
        print_json(_as_json(sheet, file))
    else:
        _print_sheet(sheet, file)
    return not sheet.faults


def _as_json(sheet: Sheet, file: Path) -> dict[str, Any]:
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
    """Values that are valid but probably a typing error."""
    today = now().date()
    return [
        f"row {row}: {what} on {day}, a date in the future."
        for row, sample in sheet.rows.items()
        for what in ("collected", "received")
        if (day := getattr(sample, what)) and day > today
    ]


def _print_sheet(sheet: Sheet, file: Path) -> None:
    if not sheet.faults:
        _print_samples(list(sheet.samples))
        console.print(
            f"{file}: usable rows: {len(sheet.samples)}; read as {sheet.encoding}",
            soft_wrap=True,
        )
    for remark in _remarks(sheet):
        errors.print(Text.assemble(("remark", "yellow"), f" {remark}"), soft_wrap=True)
    for fault in sheet.faults:
        location = f"row {fault.line}" if fault.line else "the sheet"
        location += f", column {fault.column}" if fault.column else ""
        errors.print(Text.assemble((location, "bold red"), f": {fault.problem}"))
        errors.print(Text.assemble(("  what to do:", "bold"), f" {fault.remedy or ''}"))
    if sheet.faults:
        errors.print(f"{file}: {plural(len(sheet.faults), 'fault')}", soft_wrap=True)


def _print_samples(samples: list[Sample]) -> None:
    shown = table("", "name", "barcode", "role", "batch", "material", "in file names")
    keys = file_keys(samples)
    for s in samples:
        cells = (s.name, s.barcode or "", s.role.value, s.batch or "", s.material, keys[s.name])
        shown.add_row(*cells)
    console.print(shown)
