"""Runs of a list, each with how far its report is signed; and what lists are sifted by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from porewatch.domain.errors import MessageRefused
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.signatures.steps import State

if TYPE_CHECKING:
    from porewatch.adapters.people.project_runs import ProjectRuns


def with_reviews(
    found: Iterable[RunRecord],
    runs: ProjectRuns,
    at_once: int,
    wanted: Callable[[RunRecord], bool],
) -> Iterator[tuple[RunRecord, State | None]]:
    """Each run with the state of its report, read for `at_once` of them in one go; None for a run
    that is not wanted."""
    rest = iter(found)
    while some := tuple(islice(rest, at_once)):
        states = runs.reviews([run for run in some if wanted(run)])
        yield from ((run, states.get(run.run_id)) for run in some)


def need_known(value: str | None, kinds: type[StrEnum], what: str) -> None:
    """Raises MessageRefused for a value that is none of these."""
    if value is not None and value not in set(kinds):
        remedy = f"use one of {', '.join(kinds)}."
        raise MessageRefused(f"{value[:20]!r} is not a {what}.", remedy=remedy)
