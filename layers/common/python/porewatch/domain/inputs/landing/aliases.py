"""Which sample's name a folder or file bears, however it was typed and stored.

Mac keeps names decomposed, some file systems keep no capitals, and a Japanese keyboard writes wide
letters: all these are the same word. Where two samples share it, only the exact name
separates them, and any other is refused: no guess gives the reads of one animal to another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from porewatch.domain.errors import InputRefused
from porewatch.domain.inputs.barcodes_in_paths import stem
from porewatch.domain.inputs.file_kinds import folders_and_name
from porewatch.domain.runs import Sample
from porewatch.domain.sample_names import folded_name

_BEFORE_NAME = re.compile(r"_(?:pass|fail)_")
_BEHIND_NAME = re.compile(r"(?i)(_[0-9a-f]{8}){0,2}(_[0-9]+)?$")
"""What MinKNOW writes around the alias: `FAX1_pass_NAME_1234abcd_1234abcd_0.fastq.gz`."""


class Aliases:
    """The names of a sheet's samples that have a barcode."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._exact: dict[str, str] = {}
        self._names: dict[str, list[str]] = {}
        for sample in samples:
            if sample.barcode:
                self._exact[sample.name] = sample.barcode
                self._names.setdefault(folded_name(sample.name), []).append(sample.name)

    def barcode_of(self, path: str) -> str | None:
        """The barcode of the sample whose name a folder, or the file itself, bears. Raises
        InputRefused when it may be the name of several."""
        if not self._exact:
            return None
        folders, name = folders_and_name(path)
        bare = stem(name)
        for part in (*folders, bare, *_BEFORE_NAME.split(bare)[1:]):
            for typed in _as_typed(part):
                if found := self._found(typed, path):
                    return found
        return None

    def named(self, alias: str) -> str | None:
        """The barcode of the one sample that `alias` names; None when it names none, or may name
        several."""
        names = self._names_of(alias)
        return self._exact[names[0]] if len(names) == 1 else None

    def _names_of(self, alias: str) -> list[str]:
        exact = unicodedata.normalize("NFC", alias)
        return [exact] if exact in self._exact else self._names.get(folded_name(alias), [])

    def _found(self, alias: str, path: str) -> str | None:
        names = self._names_of(alias)
        if len(names) > 1:
            raise InputRefused(
                f"{alias!r} may be sample {' or '.join(names)}.",
                file=path,
                remedy="name the folder or file exactly as one of them in the sample sheet, or by "
                "its barcode.",
            )
        return self._exact[names[0]] if names else None


def _as_typed(part: str) -> Iterator[str]:
    yield part
    cut = _BEHIND_NAME.sub("", part)
    if cut != part:
        yield cut
