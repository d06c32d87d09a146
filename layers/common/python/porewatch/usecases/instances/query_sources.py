"""Query each executor separately: one that does not answer hides none of the others.

Callers use the answers first and report the failed executors last (`raise_if_silent`), so that the
whole query is retried.
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
    """What was found, and the errors of the executors that did not answer."""

    found: tuple[T, ...]
    silent: dict[ExecutorName, PorewatchError]

    def raise_if_silent(self, those: Container[ExecutorName] = SOURCES) -> None:
        """Raises the first error of those executors."""
        for source, error in self.silent.items():
            if source in those:
                raise error


def query_sources(
    ask: Callable[[ExecutorName], Iterable[T]], sources: Iterable[ExecutorName] = SOURCES
) -> Answers[T]:
    """Query these executors one after the other."""
    found: list[T] = []
    silent: dict[ExecutorName, PorewatchError] = {}
    for source in sources:
        try:
            found += ask(source)
        except PorewatchError as error:
            _log.warning("could not list the instances of %s: %s", source, error)
            silent[source] = error
    return Answers(tuple(found), silent)


@dataclass(frozen=True)
class Sight:
    """The observed instances by id, and the executors that did not answer."""

    machines: dict[str, Machine]
    silent: frozenset[ExecutorName]

    def unknown(self, instance_id: str) -> bool:
        """Whether the state of this instance is unknown."""
        return source_of(instance_id) in self.silent


def look_at(
    instance_ids: Iterable[str], observe: Callable[[Iterable[str]], dict[str, Machine]]
) -> Sight:
    """Observe instances, each executor separately."""
    by_source: dict[ExecutorName, list[str]] = {}
    for name in instance_ids:
        by_source.setdefault(source_of(name), []).append(name)
    answers = query_sources(lambda source: observe(by_source[source]).values(), by_source)
    seen = {machine.instance_id: machine for machine in answers.found}
    return Sight(seen, frozenset(answers.silent))
