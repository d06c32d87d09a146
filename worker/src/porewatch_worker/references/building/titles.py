"""What a sequence calls itself: a title that names another row of the list is in the wrong place.

A genome filed under the wrong code makes every read of it a finding of something else, and nothing
later in the pipeline could notice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from porewatch.domain.calls.panel import PanelEntry

_ASIDE = re.compile(r"\((?:now |listed as )?([^)]*)\)")
_KIND = re.compile(r"\bspp?\.| and other .*", re.IGNORECASE)
_VARIANT = re.compile(r"\b([A-Z][a-z]+) [a-z]+ variant ([a-z]+)\b")
"""NCBI calls the M. bovis of the list "Mycobacterium tuberculosis variant bovis"."""


def names_of(entry: PanelEntry) -> Iterator[str]:
    """The names of a row as titles write them: without the text in brackets, and that text alone
    when it is a name of two words or more ("Influenza A virus", not "porcine")."""
    asides = (aside for aside in _ASIDE.findall(entry.name) if " " in aside)
    for name in (_ASIDE.sub("", entry.name), *asides):
        plain = " ".join(_KIND.sub("", name).replace('"', "").split())
        if plain:
            yield plain


def named_instead(title: str, code: str, entries: Iterable[PanelEntry]) -> PanelEntry | None:
    """The row that the title names when it does not name the row `code`; None when all is well or
    the title names none."""
    title = _VARIANT.sub(r"\1 \2", title)
    rows = [entry for entry in entries if not entry.members]
    if any(_says(title, name) for row in rows if row.code == code for name in names_of(row)):
        return None
    return next((row for row in rows for name in names_of(row) if _says(title, name)), None)


def _says(title: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", title, re.IGNORECASE) is not None
