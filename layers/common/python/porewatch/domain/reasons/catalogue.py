"""Message catalogues: what people read, by key, in every language that has files.

A language is its files below `messages/`: `reasons.<language>.json` for reasons,
`panel.<language>.json` for what a panel file says (its English text is the key, as in gettext), and
`notices.<language>.json` for notices. No code names a language but `SOURCE`.
Places are filled as by `str.format`, with formats of their own: `{n:@read}` counts in the plural
forms of `noun.read`; `{codes}` joins several by commas, `{types:@and}` by `join.and`; and
`{state:#state}` is the word for an identifier (`#State`: at the beginning of a sentence).
Which plural form a number takes is said by the catalogue's `plural`, in the notation of gettext,
which also evaluates it.
"""

from __future__ import annotations

import gettext
import json
import string
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

SOURCE = "en"
"""The language that every catalogue translates, and that documents are written in."""
REASONS = "reasons"


def folder() -> Traversable:
    return files("porewatch").joinpath("messages")


@cache
def languages() -> tuple[str, ...]:
    """All that have a catalogue, the source language first."""
    names = (path.name.split(".") for path in folder().iterdir())
    found = {parts[1] for parts in names if parts[0] == REASONS and len(parts) == 3}
    return (SOURCE, *sorted(found - {SOURCE}))


def in_language(name: str, language: str) -> str:
    """What a file is called in a language.

    >>> in_language("report.html", SOURCE), in_language("report.html", "ja")
    ('report.html', 'report.ja.html')
    """
    return name if language == SOURCE else name.replace(".", f".{language}.")


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language. Raises FileNotFoundError for one without a file."""
    return Catalogue(read(REASONS, language), read("panel", language))


@cache
def read(kind: str, language: str) -> Mapping[str, Any]:
    """One file. There is none for the panel in the source language."""
    if kind == "panel" and language == SOURCE:
        return {}
    loaded: dict[str, Any] = json.loads(
        folder().joinpath(f"{kind}.{language}.json").read_text(encoding="utf-8")
    )
    return loaded


class Catalogue:
    """The messages of one language."""

    def __init__(self, messages: Mapping[str, Any], panel: Mapping[str, str]) -> None:
        self._messages = messages
        self._panel = panel
        self._form: Callable[[int], int] = gettext.c2py(messages["plural"])

    def text(self, key: str) -> str:
        return str(self._messages[key])

    def below(self, prefix: str) -> dict[str, str]:
        """The messages whose keys begin with `prefix`, by the rest of the key."""
        return {
            key.removeprefix(prefix): str(text)
            for key, text in self._messages.items()
            if key.startswith(prefix)
        }

    def filled(self, key: str, values: Mapping[str, object]) -> str:
        """The message with its places filled. Raises KeyError for a key or place that is not."""
        return _Filler(self).vformat(self.text(key), (), values)

    def counted(self, noun: str, number: int) -> str:
        """`3 reads`: the number with its noun, in the plural form it takes."""
        forms: Sequence[str] = self._messages[f"noun.{noun}"]
        return forms[self._form(number)].format(n=number)

    def word(self, kind: str, name: str) -> str | None:
        """The word for an identifier; None for one without a word."""
        found = self._messages.get(f"{kind}.{name}")
        return None if found is None else str(found)

    def named(self, kind: str, name: str) -> str:
        """The word for an identifier; one without a word is spelled out. A `kind` with a capital
        begins a sentence."""
        word = self.word(kind.lower(), name) or name.replace("_", " ")
        return word[:1].upper() + word[1:] if kind[:1].isupper() else word

    def panel(self, text: str) -> str:
        """What a panel file says, as this language says it; as it stands, where it does not."""
        return self._panel.get(text, text)


class _Filler(string.Formatter):
    def __init__(self, words: Catalogue) -> None:
        self._words = words

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, tuple):
            joint = format_spec.removeprefix("@") or "comma"
            return self._words.text(f"join.{joint}").join(value)
        if format_spec.startswith("#"):
            return self._words.named(format_spec[1:], str(value))
        if format_spec.startswith("@"):
            return self._words.counted(format_spec[1:], value)
        return str(super().format_field(value, format_spec))
