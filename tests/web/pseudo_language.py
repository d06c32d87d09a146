"""A third language, made from the English catalogues: `[!!ŵóŕđş!!]`, without one plain letter.

What a page shows in plain letters does not come from a catalogue: it is a name, or a sentence that
stands in the code.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from porewatch.domain.reasons import catalogue
from porewatch_worker.references.panel import shipped_panel
from porewatch_worker.report.parts import i18n

PSEUDO = "qps"
"""For private use, by ISO 639-2 (qaa to qtz)."""
PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
MARKED = "âƀćđéƒğħîĵķľɱñóþɋŕşţûṽŵẋýžÂɃĆĐÉƑĞĦÎĴĶĽṀÑÓÞɊŔŞŢÛṼŴẊÝŽ"
_MARK = str.maketrans(PLAIN, MARKED)
_PLACE = re.compile(r"(\{[^{}]*\})")
SETTINGS = {"page.fonts", "page.plot_fonts", "page.spacing", "plural"}
"""Messages that no person reads."""


def pseudo(text: str) -> str:
    """`{n} reads` -> `[!!{n} ŕéâđş!!]`; a text without letters is as good in any language."""
    parts = _PLACE.split(text)
    marked = "".join(p if i % 2 else p.translate(_MARK) for i, p in enumerate(parts))
    return f"[!!{marked}!!]" if marked != text else text


def _pseudo_file(messages: dict[str, Any]) -> dict[str, Any]:
    return {key: said if key in SETTINGS else _pseudo_value(said) for key, said in messages.items()}


def _pseudo_value(said: Any) -> Any:
    return [pseudo(form) for form in said] if isinstance(said, list) else pseudo(said)


def _write(path: Path, messages: dict[str, Any]) -> None:
    path.write_text(json.dumps(messages, ensure_ascii=False), encoding="utf-8")


def _panel() -> dict[str, str]:
    """All that the shipped panel says."""
    panel = shipped_panel()
    names = {f"{e.code}: {e.name}": f"{e.code}: {pseudo(e.name)}" for e in panel.entries}
    notes = {text for e in panel.entries for text in (e.status_reason, *e.actions) if text}
    return names | {text: pseudo(text) for text in (*notes, panel.name)}


@contextmanager
def a_third_language(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[str]:
    """The catalogues that are shipped and those of `PSEUDO` beside them, until it ends."""
    ours, pages = folder / "messages", folder / "pages"
    shutil.copytree(str(catalogue.folder()), ours)
    shutil.copytree(str(i18n.folder()), pages)
    for kind in ("reasons", "notices"):
        english = json.loads((ours / f"{kind}.{catalogue.SOURCE}.json").read_text("utf-8"))
        _write(ours / f"{kind}.{PSEUDO}.json", _pseudo_file(english))
    _write(ours / f"panel.{PSEUDO}.json", _panel())
    english = json.loads((pages / f"{catalogue.SOURCE}.json").read_text("utf-8"))
    _write(pages / f"{PSEUDO}.json", _pseudo_file(english))
    with patch.context() as now:
        now.setattr(catalogue, "folder", lambda: ours)
        now.setattr(i18n, "folder", lambda: pages)
        _forget()
        yield PSEUDO
    _forget()


def _forget() -> None:
    for read in (catalogue.languages, catalogue.catalogue, catalogue.read, i18n.messages):
        read.cache_clear()
