"""What becomes of a file that somebody wants to upload into a run, and where it goes. Pure.

The one rule by which the API makes keys: a file lies below its run's folder at the path that it has
on the sender's side, so that sealing understands the folder as every other door does. Nothing that
the control plane writes (seal, sealed manifests, quarantine) can be written so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from porewatch.domain.bounds import refuse_long
from porewatch.domain.errors import InputRefused, ManifestRefused
from porewatch.domain.inputs.file_names import Landed, classify
from porewatch.domain.inputs.landing.answers import Treatment, answer_of
from porewatch.domain.sealing import MOST_FILE_BYTES
from porewatch.domain.uploads.run_archives import asked_by, refuse_path, refuse_size, run_id_of

SHEET = "sample_sheet.csv"
"""Where a sheet that comes by itself lies."""
HELD = "held."
LOG = ".log"
LONGEST_KEY = 1024
"""Bytes, in UTF-8: a limit of S3."""
_DOCUMENTS = (Landed.SHEET, Landed.SUMMARY, Landed.LABORATORY)
_OURS = frozenset({"quarantine", "manifests", "content"})
"""First folders that mean something to the control plane."""
_REMEDY = "name it by its path in the run's folder, as fastq_pass/barcode01/a.fastq.gz."


class Place(NamedTuple):
    """`path`: as the sender names it, in NFC; `stored`: below the run's folder; empty when it is
    not uploaded, and then `problem` says why. A left-out file still counts in the manifest."""

    path: str
    stored: str
    verdict: Treatment
    problem: str = ""
    remedy: str = ""

    @property
    def is_archive(self) -> bool:
        return is_archive(self.path)


def place(path: str, size: int, options: Mapping[str, str]) -> Place:
    """Where a file of `size` bytes goes. `options`: what the run asked for (`ASKED`), which a tar
    carries in its key. Raises Refused for what may lie in no run: a path that leaves it, a
    manifest, a name of the control plane's, more bytes than can be checked."""
    clean = unicodedata.normalize("NFC", path)
    _refuse_name(clean)
    if is_archive(clean):
        refuse_size(clean, size)
        return Place(clean, archive_path(options), Treatment.TAKEN)
    what = classify(clean)
    if what is Landed.MANIFEST:
        raise ManifestRefused(
            "a manifest is made here, and not uploaded.", file=clean, remedy="seal the run."
        )
    if what in _DOCUMENTS:
        refuse_long(clean, size)
        return Place(clean, stored_path(clean), Treatment.TAKEN)
    answer = answer_of(clean)
    if answer is not None:
        left_out = what is Landed.SIGNAL_OLD or answer.verdict is not Treatment.REFUSED
        verdict = Treatment.LEFT_OUT if left_out else Treatment.REFUSED
        return Place(clean, "", verdict, answer.problem, answer.remedy)
    if size == 0:
        return Place(clean, "", Treatment.LEFT_OUT, "the file is empty.")
    _refuse_large(clean, size)
    return Place(clean, clean, Treatment.TAKEN)


def is_archive(path: str) -> bool:
    """Whether it is a tar of the whole run: one right in the run's folder."""
    return path.endswith(".tar") and "/" not in path


def archive_path(options: Mapping[str, str]) -> str:
    """Where the run's tar lies below its folder, so that it is unpacked into this run.

    >>> archive_path({"release-policy": "donor-screening"})
    'release-policy=donor-screening/input.tar'
    """
    folders = [f"{what}={options[what]}" for what in sorted(options)]
    stored = "/".join([*folders, "input.tar"])
    key = f"runs/r/{stored}"
    if run_id_of(key) != "r" or len(asked_by(key)) != len(options):
        raise InputRefused("these options cannot be carried by a tar.", file=stored)
    return stored


def stored_path(path: str) -> str:
    """Where a file lies below the run's folder. A final summary would seal the run as soon as it
    lands; it is held under another name until somebody seals.

    >>> stored_path("a/final_summary_FAX1.txt")
    'a/held.final_summary_FAX1.txt.log'
    """
    if classify(path) is not Landed.SUMMARY:
        return path
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{HELD}{name}{LOG}"


def shown_path(stored: str) -> str:
    """The path by which its sender knows it: the inverse of `stored_path`."""
    folder, slash, name = stored.rpartition("/")
    if not (name.startswith(HELD) and name.endswith(LOG)):
        return stored
    path = f"{folder}{slash}{name.removeprefix(HELD).removesuffix(LOG)}"
    return path if classify(path) is Landed.SUMMARY else stored


def _refuse_name(path: str) -> None:
    parts = path.split("/")
    if not all(parts) or "." in parts:
        raise InputRefused("it is not the path of a file.", file=path[:80], remedy=_REMEDY)
    refuse_path(path, _REMEDY)
    if parts[0].lower() in _OURS:
        raise InputRefused(
            f"{parts[0]}/ is no folder for uploads.",
            file=path,
            remedy="give the folder another name.",
        )
    if re.search(r"[\x00-\x1f\x7f]", path) or len(path.encode()) > LONGEST_KEY - 100:
        raise InputRefused("its name cannot be a key in S3.", file=path[:80], remedy=_REMEDY)


def _refuse_large(path: str, size: int) -> None:
    if size > MOST_FILE_BYTES:
        raise InputRefused(
            f"the file has {size / 2**30:.1f} GiB; one file may have {MOST_FILE_BYTES // 2**30}.",
            file=path,
            remedy="split it, as the sequencer does.",
        )
