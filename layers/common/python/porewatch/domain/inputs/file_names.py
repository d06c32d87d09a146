"""What one file is, by its path alone."""

from __future__ import annotations

import re
from enum import StrEnum

from porewatch.domain.inputs.file_kinds import (
    find_kind,
    folders_and_name,
)


class Landed(StrEnum):
    """What a file of a sequencing folder, tar or run is to us."""

    READS = "reads"
    UNREADABLE = "reads in a shape that is not read"
    SIGNAL_OLD = "old signal"  # FAST5
    MANIFEST = "manifest"
    SHEET = "sheet"
    SUMMARY = "summary"
    LABORATORY = "laboratory"  # lab.toml: the head of the report
    FAILED = "set aside"  # what the sequencer or basecaller itself failed or skipped
    INDEX = "index"
    RECORD = "record"  # reports, logs and tables that MinKNOW writes
    TABLE = "table"  # a table that may be meant as the sheet
    LEFTOVER = "leftover"  # what desktops, editors and broken copies leave behind
    HIDDEN = "hidden"  # below a folder that its owner hides: snapshots, caches, versions
    UNKNOWN = "unknown"


KIND_FOLDER = re.compile(r"(?i)^(pod5|fastq|bam|fast5)(_pass)?$")
"""Folders that MinKNOW (and S3's runs) keep files of one kind in."""

_FAILED_FOLDER = re.compile(r"(?i)^((fastq|bam|pod5|fast5)_)?(fail|failed|skip|skipped)$")
_FAILED_NAME = re.compile(r"^[A-Z]{3}\d+_(fail|skip|skipped)_")
_HIDDEN_FOLDER = re.compile(
    r"(?i)^(\.(?!\.?$).*|~snapshot|@eadir|@recycle|#recycle|#snapshot|lost\+found|__macosx"
    r"|\$recycle\.bin|system volume information|__pycache__)$"
)
_LEFTOVER = re.compile(
    r"(?i)^(\..*|~\$.*|.*~|#.*#|thumbs\.db|ehthumbs\.db|desktop\.ini|icon\r?"
    r"|.*\.(tmp|temp|part|partial|filepart|crdownload|download|swp|swo|bak|lock|lnk))$"
)
_INDEX = re.compile(r"(?i)\.(bai|csi|pbi|crai|tbi|fai|gzi|fxi)$")
_SHEET = re.compile(r"(?i)^sample[-_ ]*sheet.*\.(csv|tsv)$")
_SUMMARY = re.compile(r"(?i)^final_summary.*\.txt$")
_RECORD = re.compile(
    r"(?i)^((report|sequencing_summary|throughput|pore_activity|pore_scan_data|duty_time|mux_scan"
    r"|barcode_alignment|barcoding_summary|temperature_adjust|drift_correction"
    r"|sequencing_telemetry|output_hash|guppy_basecall|telemetry|acquisition_)"
    r".*\.(html|json|md|pdf|csv|tsv|txt|js|log)(\.gz)?|.*\.(log|html|pdf|json|js|png|svg"
    r"|md5|sha1|sha256|md5sum|sha256sum)|(md5sums?|sha256sums?|checksums?)(\.txt)?)$"
)
_RECORD_FOLDER = re.compile(r"(?i)^(other_reports|sequencing_logs|basecalling_logs|logs)$")
_TABLE = re.compile(r"(?i)\.(csv|tsv|tab|txt|xlsx?|xlsm|ods|numbers)$")
_UNREADABLE = re.compile(
    r"(?i)\.(sam|cram|sra|blow5|slow5|zip|(fa|fna|fasta)(\.gz)?"
    r"|(fastq|fq|bam|pod5|fast5)\.(bz2|xz|zst|zip|lz4|7z|tar|gz)|(tar|tgz)(\.gz)?|fastq\.tar\.gz"
    r"|ubam|fq\.tar\.gz)$"
)

_BY_NAME = (
    (_LEFTOVER, Landed.LEFTOVER),
    (_INDEX, Landed.INDEX),
    (re.compile(r"^run\.json$"), Landed.MANIFEST),
    (_SHEET, Landed.SHEET),
    (_SUMMARY, Landed.SUMMARY),
    (re.compile(r"(?i)^lab\.toml$"), Landed.LABORATORY),
)


def classify(path: str) -> Landed:
    """What the file at `path` (relative to the folder, tar or run) is, by its name alone."""
    folders, name = folders_and_name(path)
    if any(_HIDDEN_FOLDER.match(folder) for folder in folders):
        return Landed.HIDDEN
    found = next((what for pattern, what in _BY_NAME if pattern.search(name)), None)
    if found is not None:
        return found
    if any(_FAILED_FOLDER.match(f) for f in folders) or _FAILED_NAME.match(name):
        return Landed.FAILED
    return _by_suffix(folders, name)


def _by_suffix(folders: list[str], name: str) -> Landed:
    if find_kind(name):
        return Landed.READS
    if name.lower().endswith(".fast5"):
        return Landed.SIGNAL_OLD
    if _UNREADABLE.search(name):
        return Landed.UNREADABLE
    if _RECORD.match(name) or any(_RECORD_FOLDER.match(folder) for folder in folders):
        return Landed.RECORD
    return Landed.TABLE if _TABLE.search(name) else Landed.UNKNOWN


def is_kept_from_view(path: str) -> bool:
    """Hidden or left over: nothing below such a folder, and no such file, is anybody's data."""
    return classify(path) in (Landed.HIDDEN, Landed.LEFTOVER)
