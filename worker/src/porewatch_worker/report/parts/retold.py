"""English of a run's history and bill, in the language that is spoken: by templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import NamedTuple

from porewatch_worker.report.parts.i18n import messages, spoken

_PLACE = re.compile(r"\{(\w+)\}")
NAMES = frozenset({"batch", "bundle", "codes", "file", "instance", "model", "most", "name", "names",
                   "sample", "samples", "text"})  # fmt: skip
"""Placeholders whose value is a name or somebody else's words: it is printed as it is."""
_SENTENCE_END = re.compile(r"(?<=[.!])\s+(?=[A-Z0-9])")
_PAUSE = re.compile(r";\s+")


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
    if spoken() != "ja" or not sentence:
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
