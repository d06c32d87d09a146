"""What people read comes from message files, in the language that is spoken just now.

`data/messages/en.json` and `ja.json` hold the same keys; `say` fills the placeholders. The science
code writes its sentences (rules, remarks, reasons) in English, and `report.json` keeps them so:
`sentences.ja.json` maps each of those, as a template, to Japanese, and `retold` finds the template
that made a sentence. A sentence that no template explains stays as it is: never a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from pydantic import TypeAdapter

from porewatch_worker.report.parts.languages import Language

_SPOKEN: ContextVar[Language] = ContextVar("spoken", default="en")
SURROGATE = "SYNTHETIC surrogate for "
_PLACE = re.compile(r"\{(\w+)\}")
NAMES = frozenset({"batch", "bundle", "codes", "file", "instance", "model", "most", "name", "names",
                   "sample", "samples", "text"})  # fmt: skip
"""Placeholders whose value is a name or somebody else's words: it is printed as it is."""
_SENTENCE_END = re.compile(r"(?<=[.!])\s+(?=[A-Z0-9])")
_PAUSE = re.compile(r";\s+")


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


def in_language(name: str, language: Language) -> str:
    """What a file is called in `language`: `report.html` -> `report.ja.html`."""
    return name if language == "en" else name.replace(".", f".{language}.")


@cache
def messages(file: str) -> Mapping[str, str]:
    """A message file by its name without `.json`."""
    path = files("porewatch_worker").joinpath(f"data/messages/{file}.json")
    return TypeAdapter(dict[str, str]).validate_json(path.read_bytes())


def say(key: str, **values: object) -> str:
    """The message `key` with its placeholders filled. Raises KeyError for an unknown key."""
    text = messages(spoken())[key]
    return text.format(**values) if values else text


def named(kind: str, name: str) -> str:
    """The word for an identifier such as `not_detected`; one without a word is spelled out."""
    return messages(spoken()).get(f"{kind}.{name}") or words(name)


def has_word(kind: str, name: str) -> bool:
    """Whether the message files name this identifier."""
    return f"{kind}.{name}" in messages(spoken())


def words(name: str) -> str:
    """`not_detected` -> `not detected`, `RunSealed` -> `Run sealed`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")
    return (spaced[:1] + spaced[1:].lower()) if spaced != name and "_" not in name else spaced


def member(code: str, name: str) -> str:
    """A panel member's name; in Japanese the customary one where there is one."""
    if spoken() == "en":
        return name
    plain = name.removeprefix(SURROGATE)
    known = messages("panel.ja").get(f"{code}: {plain}") or retold(plain)
    return known if plain == name else say("member.surrogate", name=known)


class Template(NamedTuple):
    """A sentence of the science code: how to recognise it, and how it reads in Japanese."""

    shape: re.Pattern[str]
    japanese: str


@cache
def templates() -> tuple[Template, ...]:
    """Most fixed text first, so that the most particular template wins."""
    pairs = sorted(messages("sentences.ja").items(), key=lambda p: -len(_PLACE.sub("", p[0])))
    return tuple(Template(shape_of(english), japanese) for english, japanese in pairs)


def shape_of(english: str) -> re.Pattern[str]:
    """`{n} reads of {all}` -> a pattern with the groups `n` and `all`."""
    parts = _PLACE.split(english)
    made = [f"(?P<{p}>.+?)" if i % 2 else re.escape(p) for i, p in enumerate(parts)]
    return re.compile("".join(made), re.DOTALL)


def retold(sentence: str) -> str:
    """What the science code wrote in English, in the language that is spoken."""
    if spoken() == "en" or not sentence:
        return sentence
    return (
        _by_template(sentence, loose=False)
        or _in_parts(sentence, all)
        or _by_template(sentence, loose=True)
        or _in_parts(sentence, any)
        or sentence
    )


def _in_parts(sentence: str, enough: Callable[[Iterable[bool]], bool]) -> str | None:
    """Told sentence by sentence, or clause by clause, where enough of them can be told."""
    for split, joint in ((_SENTENCE_END, ""), (_PAUSE, "；")):
        parts = split.split(sentence)
        told = [retold(part) for part in parts] if len(parts) > 1 else parts
        if len(parts) > 1 and enough(a != b for a, b in zip(parts, told, strict=True)):
            return joint.join(told)
    return None


@cache
def _by_template(sentence: str, *, loose: bool) -> str | None:
    """By the first template that fits. Loose: a placeholder may reach over a clause's end."""
    for template in templates():
        match = template.shape.fullmatch(sentence)
        if match and _fits(match.groupdict(), loose=loose):
            values = match.groupdict().items()
            told = {name: value if name in NAMES else retold(value) for name, value in values}
            return template.japanese.format(**told)
    return None


def _fits(values: Mapping[str, str], *, loose: bool) -> bool:
    """A name never holds a colon: what does is the beginning of a longer sentence."""
    if any(": " in values.get(place, "") for place in ("name", "sample")):
        return False
    return loose or not any(map(_reaches_over, values.values()))


def _reaches_over(value: str) -> bool:
    return bool(_PAUSE.search(value) or _SENTENCE_END.search(value))
