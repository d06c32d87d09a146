"""Annotation of a bundle's sequences: PERV type, reading frames, single-copy loci.

It comes from the sheet's columns `perv_type`, `features`, `single_copy`, or from modifiers in the
FASTA header (`[perv_type=C] [features=env:5801..7760 gag:701..2300] [single_copy=yes]`); the sheet
has precedence. Positions are written as in GenBank: first..last, from 1. A PERV genome without them
takes its type from its target (`PERV-C`), and its env from its reading frames: retroviruses have
three long ones in this order, gag, pol, env.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, cast

from porewatch.domain.calls.perv import PERV_TYPES

FRAMES = ("gag", "pol", "env")
SHORTEST_ENV = 1500
"""Bases of an intact gammaretroviral env (PERV: about 1,980), less a margin."""

PervType = Literal["A", "B", "C"]
Interval = tuple[int, int]

_MODIFIER = re.compile(r"\[(\w+)=([^\]]*)\]")
_PLACE = re.compile(r"^(\d+)\.\.(\d+)$")
_STOPS = re.compile(rb"TAA|TAG|TGA")


class AnnotationWrong(ValueError):
    """An impossible position or type; `remedy` says what to write."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


@dataclass(frozen=True)
class Annotation:
    """What is known of one sequence. Intervals are half-open and count from 0."""

    perv_type: PervType | None = None
    features: dict[str, Interval] = field(default_factory=dict)
    single_copy: tuple[Interval, ...] = ()


def annotate(
    cells: dict[str, str], description: str, target: str, sequence: bytes, *, host: bool
) -> Annotation:
    """`cells`: the sheet's cells by column, without blank ones. Raises AnnotationWrong."""
    stated = {**dict(_MODIFIER.findall(description)), **cells}
    length = len(sequence)
    single = stated.get("single_copy", "").strip()
    if single and not host:
        raise AnnotationWrong(
            "single_copy is set for a sequence that is not the host's.", "leave it blank."
        )
    kind = _perv_type(stated.get("perv_type", "").strip(), target)
    features = _features(stated.get("features", ""), length)
    if kind and "env" not in features and (env := find_env(sequence)):
        features["env"] = env
    return Annotation(kind, features, _single_copy(single, length))


def find_env(sequence: bytes) -> Interval | None:
    """The last open reading frame (ATG to stop) of at least 1,500 bases, if it is in the second
    half: in a provirus that is env. None in a defective or partial genome."""
    half, found = len(sequence) // 2, None
    for frame in range(3):
        stops = [m for m in range(frame, len(sequence) - 2, 3) if _STOPS.match(sequence, m)]
        for before, stop in zip([frame - 3, *stops], stops, strict=False):
            first = next(
                (i for i in range(before + 3, stop, 3) if sequence[i : i + 3] == b"ATG"), stop
            )
            if stop + 3 - first >= SHORTEST_ENV and first >= half:
                found = max(found or (first, stop + 3), (first, stop + 3))
    return found


def _perv_type(stated: str, target: str) -> PervType | None:
    kind = stated or (target[5:] if target[:5] == "PERV-" and target[5:] in PERV_TYPES else "")
    if kind and kind not in PERV_TYPES:
        raise AnnotationWrong(f"perv_type is {kind!r}.", f"write one of {', '.join(PERV_TYPES)}.")
    return cast(PervType, kind) if kind else None


def _features(stated: str, length: int) -> dict[str, Interval]:
    found = {}
    for feature in stated.split():
        name, _, span = feature.partition(":")
        if name not in FRAMES:
            raise AnnotationWrong(
                f"feature {feature!r} is unknown.", f"write {', '.join(FRAMES)} as env:5801..7760."
            )
        found[name] = _interval(span, length)
    return found


def _single_copy(stated: str, length: int) -> tuple[Interval, ...]:
    if stated.lower() in ("", "no"):
        return ()
    if stated.lower() == "yes":
        return ((0, length),)
    return tuple(sorted(_interval(span, length) for span in stated.replace(",", " ").split()))


def _interval(place: str, length: int) -> Interval:
    match = _PLACE.match(place)
    first, last = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= first <= last <= length:
        raise AnnotationWrong(
            f"the place {place!r} is not within 1..{length}.", "write first..last, from 1."
        )
    return first - 1, last
