"""Which sequence plays which part: a sheet (TSV), or the names of folders and files.

Sheet columns, by header: `file role target` are needed; `contig circular segment accession source
description perv_type features single_copy` may be left out or blank (the last three: see
`annotation.py`). A blank `contig` means every sequence of the file; a row
that names one wins over it. Without a sheet: `panel/<CODE>.fa` or `panel/<CODE>/*.fa`, the same
below `spike/` and `decoy/`, and `host.fa` or `host/*.fa`.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from porewatch.domain.calls.references import ContigRole
from porewatch.domain.errors import BundleRefused
from porewatch.domain.inputs.file_names import is_kept_from_view
from porewatch.reads.walk import Walk
from porewatch_worker.references.building.fasta import (
    SUFFIXES,
    FastaRecord,
)

COLUMNS = (
    "file",
    "contig",
    "role",
    "target",
    "circular",
    "segment",
    "accession",
    "source",
    "description",
    "perv_type",
    "features",
    "single_copy",
)
PLACES = ("perv_type", "features", "single_copy")
_NEEDED = ("file", "role", "target")
_TRUTH = {"": None, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True)
class Assignment:
    """The role of a sequence, or of a whole file. `circular` None = as in the panel; `places`: the
    annotation cells by column, without blank ones."""

    role: ContigRole
    target: str
    circular: bool | None = None
    segment: str = ""
    accession: str = ""
    source: str = ""
    description: str = ""
    places: dict[str, str] = field(default_factory=dict)
    line: int | None = None


class Sheet:
    """The rows of a sheet by sequence; keeps track of rows that no sequence used."""

    def __init__(self, rows: dict[tuple[str, str], Assignment], path: Path | None) -> None:
        self._rows = rows
        self._path = path
        self._unused = set(rows)

    def assignment(self, file: str, record: FastaRecord) -> Assignment:
        """The part of one sequence. Raises BundleRefused when no row covers it."""
        for key in ((file, record.name), (file, "")):
            if key in self._rows:
                self._unused.discard(key)
                return self._rows[key]
        raise BundleRefused(
            f"{record.name!r} has no row in the sheet.",
            file=record.file,
            record=record.record,
            line=record.line,
            remedy=f"add a row with file={file} contig={record.name}, or remove the file.",
        )

    def refuse_leftovers(self) -> None:
        """Raises BundleRefused when a row named a file or sequence that is not there."""
        if not self._unused:
            return
        file, contig = min(self._unused, key=lambda key: self._rows[key].line or 0)
        what = f"sequence {contig!r} of {file}" if contig else f"file {file}"
        raise BundleRefused(
            f"names {what}, which is not there (or every sequence of it has a row of its own).",
            file=str(self._path),
            line=self._rows[file, contig].line,
            remedy="correct or remove the row.",
        )


def fasta_files(folder: Path) -> list[Path]:
    """Every FASTA below `folder`, sorted by path; hidden copies and desktops' leftovers are none.
    Raises BundleRefused when there is none, or when a link points nowhere."""
    walk = _walked(folder)
    found = sorted(path for name, path in walk.items() if _is_reference(name))
    if not found:
        raise BundleRefused(
            "holds no FASTA file.",
            file=str(folder),
            remedy=f"put files ending in {', '.join(SUFFIXES)} there.",
        )
    return found


def not_read(folder: Path) -> tuple[str, ...]:
    """Names of the files below `folder` that are not references by their names, for a warning: one
    may be a genome with a wrong suffix. Leftovers and hidden files are ignored."""
    names = (n for n in _walked(folder) if not _is_reference(n) and not is_kept_from_view(n))
    return tuple(sorted(names))


def _is_reference(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not is_kept_from_view(name)


def _walked(folder: Path) -> dict[str, Path]:
    walk = Walk(_is_reference)
    walk.enter(folder)
    walk.follow()
    if walk.faults:
        fault = walk.faults[0]
        raise BundleRefused(fault.problem, file=fault.file, remedy=fault.remedy)
    return {name: folder / name for name in walk.files}


def sheet_from_names(folder: Path) -> Sheet:
    """Roles and targets from folder and file names; see the module's text."""
    rows = {}
    for path in fasta_files(folder):
        relative = path.relative_to(folder)
        rows[relative.as_posix(), ""] = _from_name(relative, path)
    return Sheet(rows, None)


def _from_name(relative: Path, path: Path) -> Assignment:
    stem = next(relative.name[: -len(s)] for s in sorted(SUFFIXES, key=len, reverse=True)
                if relative.name.endswith(s))  # fmt: skip
    first = relative.parts[0] if len(relative.parts) > 1 else stem
    if first == ContigRole.HOST:
        return Assignment(ContigRole.HOST, "host")
    if first in set(ContigRole) and len(relative.parts) > 1:
        target = relative.parts[1] if len(relative.parts) > 2 else stem
        return Assignment(ContigRole(first), target)
    raise BundleRefused(
        "its folder does not name its role.",
        file=str(path),
        remedy="move it to panel/<CODE>.fa, spike/<NAME>.fa, decoy/<NAME>.fa or host/, "
        "or write a sheet.",
    )


def read_sheet(path: Path) -> Sheet:
    """Read the sheet. Raises BundleRefused naming the line and column that is wrong."""
    rows: dict[tuple[str, str], Assignment] = {}
    with path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.DictReader(handle, delimiter="\t")
        _check_columns(path, reader.fieldnames or ())
        for row in reader:
            line = reader.line_num
            key = (_cell(row, "file"), _cell(row, "contig"))
            if key in rows:
                raise BundleRefused(
                    f"{' '.join(key).strip()} is in two rows.",
                    file=str(path),
                    line=line,
                    remedy="keep one.",
                )
            rows[key] = replace(_assignment(path, line, row), line=line)
    return Sheet(rows, path)


def _check_columns(path: Path, names: Sequence[str]) -> None:
    missing = [name for name in _NEEDED if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing or unknown:
        what = f"no column {missing[0]!r}" if missing else f"an unknown column {unknown[0]!r}"
        raise BundleRefused(
            f"the sheet has {what}.",
            file=str(path),
            line=1,
            remedy=f"use tab-separated columns from: {', '.join(COLUMNS)}.",
        )


def _assignment(path: Path, line: int, row: dict[str, str]) -> Assignment:
    role, target, circular = _cell(row, "role"), _cell(row, "target"), _cell(row, "circular")
    if role not in set(ContigRole):
        problem, remedy = f"role {role!r} is unknown.", f"use {', '.join(ContigRole)}."
    elif not target and role != ContigRole.HOST:
        problem, remedy = "the target is blank.", "write a panel code, or the name of the control."
    elif circular.lower() not in _TRUTH:
        problem, remedy = f"circular is {circular!r}.", "write yes, no, or leave it blank."
    else:
        return Assignment(
            role=ContigRole(role),
            target=target or "host",
            circular=_TRUTH[circular.lower()],
            segment=_cell(row, "segment"),
            accession=_cell(row, "accession"),
            source=_cell(row, "source"),
            description=_cell(row, "description"),
            places={name: cell for name in PLACES if (cell := _cell(row, name))},
        )
    raise BundleRefused(problem, file=str(path), line=line, remedy=remedy)


def _cell(row: dict[str, str], name: str) -> str:
    return (row.get(name) or "").strip()
