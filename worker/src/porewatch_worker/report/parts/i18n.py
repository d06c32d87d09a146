"""What people read comes from message catalogues, in the language that is spoken just now.

`data/messages/<language>.json` holds what pages and commands say; all languages have the same keys,
and `say` fills the places. Reasons of findings, outcomes and the like are said by the catalogues of
`porewatch.domain.reasons.catalogue`. A language is these files: no code names one.
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

_SPOKEN: ContextVar[Language] = ContextVar("spoken", default=SOURCE)
SURROGATE = "SYNTHETIC surrogate for "


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Everything said inside is in `language`."""
    before = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def spoken() -> Language:
    return _SPOKEN.get()


def folder() -> Traversable:
    return files("porewatch_worker").joinpath("data/messages")


@cache
def messages(file: str) -> Mapping[str, str]:
    """A message file by its name without `.json`."""
    return TypeAdapter(dict[str, str]).validate_json(folder().joinpath(f"{file}.json").read_bytes())


def say(key: str, **values: object) -> str:
    """The message `key` with its placeholders filled. Raises KeyError for an unknown key."""
    text = messages(spoken())[key]
    return text.format(**values) if values else text


def named(kind: str, name: str) -> str:
    """The word for an identifier such as `not_detected`; one without a word is spelled out."""
    return _word(kind, name) or words(name)


def has_word(kind: str, name: str) -> bool:
    """Whether the catalogues name this identifier."""
    return _word(kind, name) is not None


def _word(kind: str, name: str) -> str | None:
    return messages(spoken()).get(f"{kind}.{name}") or catalogue(spoken()).word(kind, name)


def words(name: str) -> str:
    """`not_detected` -> `not detected`, `RunSealed` -> `Run sealed`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")
    return (spaced[:1] + spaced[1:].lower()) if spaced != name and "_" not in name else spaced


def unit(name: str) -> str:
    """A unit as people write it."""
    return messages(spoken()).get(f"unit.{name}", name)


def member(code: str, name: str) -> str:
    """A panel member's name; in another language the customary one where there is one."""
    if spoken() == SOURCE:
        return name
    plain = name.removeprefix(SURROGATE)
    known = noted(f"{code}: {plain}").removeprefix(f"{code}: ")
    return known if plain == name else say("member.surrogate", name=known)


def noted(text: str) -> str:
    """What the panel file says of a row."""
    return catalogue(spoken()).panel(text)


def told(reason: Reason) -> str:
    return reason.text(spoken())


def clauses(several: Iterable[Reason]) -> str:
    """Reasons as clauses of one sentence."""
    return reasons.clauses(several, spoken())


def sentences(several: Iterable[Reason]) -> str:
    """Reasons, each a sentence of its own."""
    return reasons.sentences(several, spoken())


def each_told(several: Iterable[Reason]) -> tuple[str, ...]:
    return reasons.texts(several, spoken())
