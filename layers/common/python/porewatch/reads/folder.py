"""What lies in a folder that a user points at: reads, sheet, summary, and what is left out and why.

The same answer for `submit` and `screen`, so that one folder is one run wherever it is screened.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from porewatch.domain.errors import InputRefused
from porewatch.domain.sealing import Member, classify, second_copies


@dataclass(frozen=True)
class Folder:
    """`reads` by path relative to the folder. `set_aside`: what MinKNOW failed or skipped;
    `second_copies`: the same reads, written in another kind as well."""

    reads: dict[str, Path]
    sheet: Path | None = None
    summary: Path | None = None
    set_aside: int = 0
    second_copies: int = 0

    @property
    def left_out(self) -> tuple[str, ...]:
        """A sentence for people about each sort of file that is not screened."""
        said = []
        if self.set_aside:
            said.append(f"left out, because MinKNOW failed or skipped them: {self.set_aside} files")
        if self.second_copies:
            said.append(
                f"left out, because their reads come in another kind: {self.second_copies} files"
            )
        return tuple(said)


def look_into(folder: Path) -> Folder:
    """Everything below `folder`. Raises InputRefused without reads, or when it is unclear whether
    files of two kinds hold the same reads."""
    members: dict[Member, dict[str, Path]] = {member: {} for member in Member}
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        relative = file.relative_to(folder).as_posix()
        members[classify(relative)][relative] = file
    reads = members[Member.READS]
    if not reads:
        raise InputRefused(
            "there are no reads in this folder.",
            file=str(folder),
            remedy="name a folder with .fastq.gz, .bam or .pod5 files in it.",
        )
    doubled = second_copies(reads)
    return Folder(
        reads={name: path for name, path in reads.items() if name not in doubled},
        sheet=_last(members[Member.SHEET]),
        summary=_last(members[Member.SUMMARY]),
        set_aside=len(members[Member.SET_ASIDE]),
        second_copies=len(doubled),
    )


def _last(found: dict[str, Path]) -> Path | None:
    return next(reversed(found.values()), None)
