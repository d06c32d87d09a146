"""The answer to a kind of object that lands in a run and is not checked as reads. Pure.

Nothing that lands is met with silence: what is taken is said with what it is taken for, and what is
not with why and what to do. One answer a kind and run, however many files of it come.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from porewatch.domain.errors import Refused
from porewatch.domain.inputs.file_names import (
    Landed,
    classify,
)
from porewatch.domain.inputs.landing.sorting import refusal_of

MANIFEST_KIND = Landed.MANIFEST.name.lower()


class Treatment(StrEnum):
    """What becomes of an object."""

    TAKEN = "taken"  # used when the run is sealed
    LEFT_OUT = "left_out"  # known, and of no use for screening
    REFUSED = "refused"  # holds reads, and cannot be read as it is
    NOT_UNDERSTOOD = "not_understood"


class Answer(NamedTuple):
    """`kind` names the sort of object; `act`: a person must act, or reads are missed."""

    kind: str
    verdict: Treatment
    problem: str
    remedy: str = ""
    act: bool = False


_ANSWERS: dict[Landed, tuple[Treatment, str, str]] = {
    Landed.SHEET: (
        Treatment.TAKEN,
        "taken for a sample sheet; it is read when the final summary seals the run.",
        "",
    ),
    Landed.LABORATORY: (
        Treatment.TAKEN,
        "taken for the laboratory's own data; it is read when the final summary seals the run.",
        "",
    ),
    Landed.SUMMARY: (
        Treatment.LEFT_OUT,
        "looks like MinKNOW's final summary, but seals only under its own name.",
        "name it final_summary_*.txt, in small letters.",
    ),
    Landed.MANIFEST: (
        Treatment.LEFT_OUT,
        "a manifest seals a run only as run.json right below the run's folder.",
        "put it there, or let `porewatch submit` write it.",
    ),
    Landed.RECORD: (
        Treatment.LEFT_OUT,
        "taken for a report, log or table of the sequencer; it is kept and not read.",
        "",
    ),
    Landed.FAILED: (
        Treatment.LEFT_OUT,
        "taken for reads that the sequencer itself failed or skipped; they are kept, not screened.",
        "",
    ),
    Landed.INDEX: (Treatment.LEFT_OUT, "taken for an index, which holds no reads.", ""),
    Landed.TABLE: (
        Treatment.LEFT_OUT,
        "a table that is not read as a sample sheet.",
        "if it is one, name it sample_sheet.csv.",
    ),
    Landed.LEFTOVER: (
        Treatment.LEFT_OUT,
        "taken for what desktops, editors or broken copies leave behind.",
        "",
    ),
    Landed.HIDDEN: (
        Treatment.LEFT_OUT,
        "lies in a folder that its owner hides; nothing below it is read.",
        "if these are reads to be screened, send them from a folder that is not hidden.",
    ),
    Landed.UNKNOWN: (
        Treatment.NOT_UNDERSTOOD,
        "by its name nothing here knows what this is; it is kept and not read.",
        "reads end in .fastq, .fastq.gz, .bam or .pod5; if it is of no use, leave it.",
    ),
}


def answer_of(path: str) -> Answer | None:
    """The answer to the object at `path` (relative to the run); None for reads, which are checked
    one by one."""
    what = classify(path)
    if what is Landed.READS:
        return None
    suffix = "".join(PurePosixPath(path).suffixes[-2:]).lower()[:20]
    if what in (Landed.SIGNAL_OLD, Landed.UNREADABLE):
        problem, remedy = _unreadable(path)
        return Answer(f"{what.name.lower()}:{suffix}", Treatment.REFUSED, problem, remedy, act=True)
    verdict, problem, remedy = _ANSWERS[what]
    kind = f"unknown:{suffix}" if what is Landed.UNKNOWN else what.name.lower()
    return Answer(kind, verdict, problem, remedy)


def _unreadable(path: str) -> tuple[str, str]:
    refusal: Refused = refusal_of(path)
    return (
        f"{refusal.problem} Its reads are not screened.",
        f"{refusal.remedy or ''} If other files of this run hold the same reads, leave it.".strip(),
    )


class Stray(NamedTuple):
    """An object outside of every run: `kind` groups alike ones."""

    kind: str
    problem: str
    remedy: str


def stray_of(key: str) -> Stray:
    """The answer to an object that lies in no run's folder and is no tar."""
    folder, name = PurePosixPath(key).parent.as_posix(), PurePosixPath(key).name
    suffix = "".join(PurePosixPath(name).suffixes[-2:]).lower()[:20]
    lowered = name.lower()
    if lowered.endswith((".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar")):
        problem = "A run comes as a plain tar whose name ends in .tar, in small letters."
        remedy = "unpack the compression (gunzip) and send it as NAME.tar."
    else:
        problem = "It lies in no run's folder, so nothing is started by it."
        remedy = "put reads below runs/<run id>/, or a tar of a run below inbox/."
    return Stray(f"{folder}:{suffix}", problem, remedy)
