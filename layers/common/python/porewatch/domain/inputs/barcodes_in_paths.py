"""The sample that a path names: by its barcode, else the folders that set a file apart from
others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from porewatch.domain.errors import InputRefused
from porewatch.domain.inputs.file_kinds import (
    SUFFIXES,
    folders_and_name,
)
from porewatch.domain.inputs.file_names import KIND_FOLDER

_NUMBER = r"[ _-]?0*(\d{1,4})([a-d]?)"
_WHOLE = re.compile(rf"(?i)^(?:[a-z]{{2,4}}-[a-z0-9.-]+_)?(?:barcode|bc|nb|rb|bp|16s){_NUMBER}$")
"""A folder, or a name without its suffix: `barcode07`, `Barcode 7`, `BC07`, `SQK-..._barcode07`."""
_INSIDE = re.compile(
    rf"(?i)(?:^|(?<=[^a-z0-9]))(?:barcode{_NUMBER}|(?:bc|nb|rb)(\d{{2}}))(?=$|[^a-z0-9])"
)
_UNDECIDED = re.compile(r"(?i)^(?:.*_)?(unclassified|mixed|undetermined|unassigned)(?:_.*)?$")
_LAYOUT = re.compile(
    r"(?i)^(pass|reads?|data|raw|demux(ed)?|demultiplexed|calls|basecall(s|ed|ing)?|workspace"
    r"|rebasecall(ed|ing)?(_.*)?|no_sample(_id)?|part[-_ ]?\d+)$"
)
RUN_FOLDER = re.compile(r"^\d{8}_\d{4}_[^_]+_([A-Za-z]{3}\d+)_[0-9a-f]{8}$")
"""MinKNOW's: date, time, position, flow cell, start of the acquisition's id."""
_CELL_IN_NAME = re.compile(r"^([A-Z]{3}\d+)_(?:pass|fail|skip|skipped)_")


def normal_barcode(text: str) -> str | None:
    """`barcode7`, `Barcode 07`, `BC07`, `barcode007`, `SQK-NBD114-24_barcode07` -> `barcode07`.

    None for any other name. Numbers beyond 99 and a letter behind the number (a
    kit's variant) stay: `barcode101`, `barcode12a`.

    >>> normal_barcode('BC07')
    'barcode07'
    >>> normal_barcode('NB12a')
    'barcode12a'
    """
    found = _WHOLE.match(text.strip())
    return _named(found[1], found[2]) if found else None


def _named(number: str, variant: str = "") -> str | None:
    return f"barcode{int(number):02d}{variant.lower()}" if int(number) else None


def barcode_of(path: str) -> str | None:
    """The barcode that the folders or the name of a file state, anywhere in the path.

    Raises InputRefused when they say two different ones.

    >>> barcode_of('fastq_pass/barcode07/FAX1_pass_barcode07_0.fastq.gz')
    'barcode07'
    """
    folders, name = folders_and_name(path)
    barcodes = {barcode for part in (*folders, stem(name)) for barcode in _barcodes(part)}
    if len(barcodes) > 1:
        raise InputRefused(
            f"the path names {' and '.join(sorted(barcodes))}.",
            file=path,
            remedy="put the file into the folder of its own barcode.",
        )
    return next(iter(barcodes), None)


def _barcodes(part: str) -> Iterator[str]:
    """Every barcode in a folder or name, alone or inside other text."""
    whole = normal_barcode(part)
    found = [whole] if whole else [_named(m[1] or m[3], m[2] or "") for m in _INSIDE.finditer(part)]
    yield from (barcode for barcode in found if barcode)


def is_undecided(path: str) -> bool:
    """Whether the demultiplexer itself left these reads unassigned."""
    folders, name = folders_and_name(path)
    return any(_UNDECIDED.match(part) for part in (*folders, stem(name)))


def stem(name: str) -> str:
    """The name without the suffix of its kind."""
    lowered = name.lower()
    longest = max((s for s in SUFFIXES if lowered.endswith(s)), key=len, default="")
    return name[: len(name) - len(longest)]


def set_apart_by(path: str) -> tuple[str, ...]:
    """Folders of a path that belong to no known layout: two files that differ in them may be of two
    animals."""
    folders = PurePosixPath(path).parts[:-1]
    return tuple(
        f for f in folders if not (KIND_FOLDER.match(f) or _LAYOUT.match(f) or RUN_FOLDER.match(f))
    )


def flow_cell_of(path: str) -> str | None:
    """The flow cell that MinKNOW wrote into the run's folder or the file's name.

    >>> flow_cell_of('FAX00001_pass_barcode01_ab12_0.fastq.gz')
    'FAX00001'
    """
    folders, name = folders_and_name(path)
    for folder in reversed(folders):
        if found := RUN_FOLDER.match(folder):
            return found[1].upper()
    found = _CELL_IN_NAME.match(name)
    return found[1] if found else None
