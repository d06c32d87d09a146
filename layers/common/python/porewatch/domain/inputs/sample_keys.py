"""What stands for a sample in paths, file names and S3 keys: ASCII, one for each sample of a run.

Names of ASCII keep the key they always had; every other name gets what is ASCII of it and a digest,
which depends on nothing but the name, so that a revision with more samples moves no file.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from porewatch.domain.runs import Sample, SampleRole
from porewatch.domain.sample_names import folded_name

_LONGEST_STEM = 40


def file_keys(samples: Sequence[Sample]) -> dict[str, str]:
    """Name -> key, of all samples of a run; different also where a file system does not distinguish
    `A` from `a`. Letters, digits, `_` and `-` only: no key ends a file's name or enters a
    folder."""
    ordered = sorted(samples, key=lambda s: (not s.name.isascii(), s.role is not SampleRole.SAMPLE))
    keys: dict[str, str] = {}
    taken: set[str] = set()
    for sample in ordered:
        key = stem = in_ascii(sample.name)
        number = 2
        while key.casefold() in taken:
            key, number = f"{stem}-{number}", number + 1
        taken.add(key.casefold())
        keys[sample.name] = key
    return {sample.name: keys[sample.name] for sample in samples}


def in_ascii(name: str) -> str:
    """The key of one name, where no run is at hand to show whether another has it too.

    >>> in_ascii('ブタ-01')
    '01-62fc3f20'
    """
    stem = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")
    if name.isascii():
        return stem or "sample"
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{stem[:_LONGEST_STEM].strip('-') or 'sample'}-{digest}"


def in_subject(name: str) -> str:
    """The name where only ASCII may stand, as in the subject of a mail: the key if need be."""
    return name if name.isascii() else in_ascii(name)


def keyed(path: str, keys: Mapping[str, str]) -> str:
    """`path` with the key wherever a folder or file bears a sample's name that is not ASCII; others
    stay, so that what was uploaded by earlier versions is found where it lies."""
    if path.isascii():
        return path
    foreign = sorted((name for name in keys if not name.isascii()), key=len, reverse=True)
    spellings = Counter(map(folded_name, keys))
    alone = {folded_name(n): keys[n] for n in foreign if spellings[folded_name(n)] == 1}
    parts = unicodedata.normalize("NFC", path).split("/")
    return "/".join(alone.get(folded_name(part)) or _part(part, foreign, keys) for part in parts)


def _part(part: str, foreign: Sequence[str], keys: Mapping[str, str]) -> str:
    """A name among other words, as in `FAX1_pass_NAME_1234abcd_0.fastq.gz`."""
    for name in foreign:
        part = re.sub(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", keys[name], part)
    return part
