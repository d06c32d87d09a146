"""Why a run has no instance yet: each rung of the ladder that refused, with the reason, and each
failure with the next step. The texts are those of the report's timeline.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group

from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.stage_facts import LaunchRefused, StageFailed
from porewatch.domain.facts.timeline import timeline
from porewatch.domain.stage.manifest import TimelineEntry
from porewatch_cli.responsive_table import stacked
from porewatch_worker.report.parts.i18n import clauses, texts_of

SHOWN = 10
"""Steps on a terminal; a ladder with Batch has five rungs and a wait."""
HALF = 200


def refusals_of(facts: Iterable[Fact]) -> tuple[LaunchRefused, ...]:
    return tuple(fact for fact in facts if isinstance(fact, LaunchRefused))


def failures_of(facts: Iterable[Fact]) -> tuple[StageFailed, ...]:
    return tuple(fact for fact in facts if isinstance(fact, StageFailed))


def steps(refusals: Iterable[LaunchRefused], failures: Iterable[StageFailed]) -> list[str]:
    """A line for each step, oldest first, times in UTC, in the current language."""
    lines = timeline((*refusals, *failures))
    return [f"{line.at:%H:%M:%S}Z {': '.join(event(line))}" for line in lines]


def event(line: TimelineEntry) -> tuple[str, str]:
    """What happened, and its details, each on one line, in the current language."""
    return clauses(line.happened), " ".join(" ".join(texts_of(line.details)).split())


def last_steps(lines: list[str]) -> Group:
    """The newest steps, for a terminal."""
    left_out = len(lines) - SHOWN
    earlier = [f"{left_out} earlier steps: porewatch logs"] if left_out > 0 else []
    return stacked([*earlier, *map(_shortened, lines[-SHOWN:])], "yellow")


def _shortened(line: str) -> str:
    """Cut the middle of a traceback; the next step is at the end of the line."""
    return line if len(line) <= 2 * HALF else f"{line[:HALF]} … {line[-HALF:]}"
