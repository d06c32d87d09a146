"""Every source of machines is asked by itself: one that does not answer hides no other.

Whoever asks uses what the others said first, and tells of the silent ones last (`raise_if_silent`),
so that what was asked for is tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from porewatch.domain.errors import PorewatchError
from porewatch.domain.stage.instances import (
    SOURCES,
    ExecutorName,
    Machine,
    source_of,
)

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answers(Generic[T]):
    """What was found, and why the sources that did not answer did not."""

    found: tuple[T, ...]
    silent: dict[ExecutorName, PorewatchError]

    def raise_if_silent(self, those: Container[ExecutorName] = SOURCES) -> None:
        """Raises what the first of those sources said that did not answer."""
        for source, error in self.silent.items():
            if source in those:
                raise error


def query_sources(
    ask: Callable[[ExecutorName], Iterable[T]], sources: Iterable[ExecutorName] = SOURCES
) -> Answers[T]:
    """Ask these sources, one after the other."""
    found: list[T] = []
    silent: dict[ExecutorName, PorewatchError] = {}
    for source in sources:
        try:
            found += ask(source)
        except PorewatchError as error:
            _log.warning("nothing is known of the machines of %s: %s", source, error)
            silent[source] = error
    return Answers(tuple(found), silent)


@dataclass(frozen=True)
class Sight:
    """What the sources show of some machines, by id, and which of them show nothing now."""

    machines: dict[str, Machine]
    silent: frozenset[ExecutorName]

    def unknown(self, instance_id: str) -> bool:
        """Whether nothing can be said of this machine."""
        return source_of(instance_id) in self.silent


def look_at(
    instance_ids: Iterable[str], observe: Callable[[Iterable[str]], dict[str, Machine]]
) -> Sight:
    """Look at machines, each source's by themselves."""
    by_source: dict[ExecutorName, list[str]] = {}
    for name in instance_ids:
        by_source.setdefault(source_of(name), []).append(name)
    answers = query_sources(lambda source: observe(by_source[source]).values(), by_source)
    seen = {machine.instance_id: machine for machine in answers.found}
    return Sight(seen, frozenset(answers.silent))
