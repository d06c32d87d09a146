"""Texts come from message catalogues, in the current language.

`data/messages/<language>.json` holds the texts of pages and commands; all languages have the same
keys, and `say` fills the placeholders. Reasons of findings, outcomes and the like have catalogues
of their own (`porewatch.domain.reasons.catalogue`). A language is these files: no code names one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from pydantic import TypeAdapter

from porewatch.domain.reasons import reason as reasons
from porewatch.domain.reasons.catalogue import SOURCE, catalogue
from porewatch.domain.reasons.reason import Reason
from porewatch_worker.report.parts.languages import Language

_LANGUAGE: ContextVar[Language] = ContextVar("language", default=SOURCE)
SURROGATE = "SYNTHETIC surrogate for "


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Texts rendered inside are in `language`."""
    before = _LANGUAGE.set(language)
    try:
        yield
    finally:
        _LANGUAGE.reset(before)


def current_language() -> Language:
    return _LANGUAGE.get()


def folder() -> Traversable:
    return files("porewatch_worker").joinpath("data/messages")


@cache
def messages(file: str) -> Mapping[str, str]:
    """A message file by its name without `.json`."""
    return TypeAdapter(dict[str, str]).validate_json(folder().joinpath(f"{file}.json").read_bytes())


def say(key: str, **values: object) -> str:
    """The message `key` with its placeholders filled. Raises KeyError for an unknown key."""
    text = messages(current_language())[key]
    return text.format(**values) if values else text


def named(kind: str, name: str) -> str:
    """The display name of an identifier such as `not_detected`; one without a name is spelled
    out."""
    return _name_of(kind, name) or spelled_out(name)


def has_name(kind: str, name: str) -> bool:
    """Whether the catalogues name this identifier."""
    return _name_of(kind, name) is not None


def _name_of(kind: str, name: str) -> str | None:
    return messages(current_language()).get(f"{kind}.{name}") or catalogue(current_language()).word(
        kind, name
    )


def spelled_out(name: str) -> str:
    """`not_detected` -> `not detected`, `RunSealed` -> `Run sealed`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")
    return (spaced[:1] + spaced[1:].lower()) if spaced != name and "_" not in name else spaced


def unit(name: str) -> str:
    """The display form of a unit."""
    return messages(current_language()).get(f"unit.{name}", name)


def member(code: str, name: str) -> str:
    """A panel member's name; in another language the customary one where there is one."""
    if current_language() == SOURCE:
        return name
    bare = name.removeprefix(SURROGATE)
    translated = noted(f"{code}: {bare}").removeprefix(f"{code}: ")
    return translated if bare == name else say("member.surrogate", name=translated)


def noted(text: str) -> str:
    """A text of the panel file, translated."""
    return catalogue(current_language()).panel(text)


def text_of(reason: Reason) -> str:
    return reason.text(current_language())


def clauses(several: Iterable[Reason]) -> str:
    """Reasons as clauses of one sentence."""
    return reasons.clauses(several, current_language())


def sentences(several: Iterable[Reason]) -> str:
    """Reasons, each a sentence of its own."""
    return reasons.sentences(several, current_language())


def texts_of(several: Iterable[Reason]) -> tuple[str, ...]:
    return reasons.texts(several, current_language())
