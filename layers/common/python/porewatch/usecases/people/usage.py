"""What each project used in a month, to charge it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from porewatch.domain.errors import MessageRefused
from porewatch.domain.money.spreadsheet import as_text
from porewatch.domain.people import policy
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import ProjectId, StackAction
from porewatch.domain.runs import RunState
from porewatch.usecases.people.reach_run import visible_projects
from porewatch.usecases.views.pages import cursor_of, place_of
from porewatch.usecases.views.show_runs import PLACE, Answer

if TYPE_CHECKING:
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.project_runs import ProjectRuns

MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
SHAPES = ("json", "csv")
PAGE = 500
MOST_RUNS = 10_000
"""Runs that are read for one answer."""
COLUMNS = ("month", "project", "name", "runs", *map(str, RunState), "usd")


class ProjectUsage(Answer):
    """Runs that came in the month, by their state now, and what all their revisions cost until now.
    A run belongs to the month in which it came, also when it is repeated later."""

    project: ProjectId
    name: str
    runs: int
    states: dict[RunState, int]
    usd: float


class Usage(Answer):
    """By project, in order of their names; a project without runs is left out. With a `next`, of
    some of the month's runs: what the pages have of a project adds up."""

    month: Annotated[str, Field(pattern=MONTH.pattern)]
    projects: tuple[ProjectUsage, ...]
    usd: float
    next: Annotated[str | None, Field(description="`cursor` of the next page; None: none")] = None


def usage(
    who: Principal,
    at: datetime,
    *,
    accounts: Accounts,
    runs: ProjectRuns,
    month: str | None = None,
    cursor: str | None = None,
) -> Usage:
    """Of all projects for who sees the costs of the stack, else of those where he has a role.
    `month`: YYYY-MM, in UTC; None: this one. Reads the month's newest `MOST_RUNS` runs from their
    lists, or those after `cursor`."""
    policy.refuse_nobody(who)
    first, last = _bounds(f"{at:%Y-%m}" if month is None else month)
    everything = policy.may_in_stack(who, StackAction.SEE_COSTS)
    projects = None if everything else visible_projects(who)
    states: dict[ProjectId, Counter[RunState]] = defaultdict(Counter)
    usd: dict[ProjectId, float] = defaultdict(float)
    following, read, place = None, 0, ""
    before, since = place_of(cursor, PLACE) or last.isoformat(), first.isoformat()
    for run in runs.list(projects, before, PAGE, since):
        if read == MOST_RUNS:
            following = cursor_of(place)
            break
        read, place = read + 1, runs.place(run)
        states[run.project][run.state] += 1
        usd[run.project] += run.cost_usd
    names = {p.project_id: p.name for p in accounts.some_projects(sorted(states))}
    rows = [
        ProjectUsage(
            project=project,
            name=names.get(project, project),
            runs=counted.total(),
            states=dict(sorted(counted.items())),
            usd=round(usd[project], 6),
        )
        for project, counted in states.items()
    ]
    return Usage(
        month=f"{first:%Y-%m}",
        projects=tuple(sorted(rows, key=lambda row: (row.name.casefold(), row.project))),
        usd=round(sum(usd.values()), 6),
        next=following,
    )


def refuse_shape(shape: str | None) -> None:
    """Raises MessageRefused for what is not one of SHAPES."""
    if shape is not None and shape not in SHAPES:
        raise MessageRefused(
            f"format {shape[:20]!r} is refused.", remedy=f"use one of {', '.join(SHAPES)}."
        )


def as_csv(used: Usage) -> str:
    """A line for each project, below COLUMNS. No name is a formula to a spreadsheet. MessageRefused
    for a month of which this is a part: nobody is to charge by it."""
    if used.next is not None:
        problem = f"{used.month} has more than {MOST_RUNS:,} runs: too many for one table."
        raise MessageRefused(problem, remedy="ask for JSON, follow `next`, and add up.")
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(COLUMNS)
    for row in used.projects:
        states = [row.states.get(state, 0) for state in RunState]
        lines.writerow(
            [used.month, row.project, as_text(row.name), row.runs, *states, f"{row.usd:.6f}"]
        )
    return text.getvalue()


def _bounds(month: str) -> tuple[datetime, datetime]:
    """First moments of the month and of the next one."""
    if not MONTH.fullmatch(month):
        raise MessageRefused(f"month {month[:20]!r} is refused.", remedy="use YYYY-MM.")
    first = datetime(int(month[:4]), int(month[5:]), 1, tzinfo=UTC)
    following = (first.year + 1, 1) if first.month == 12 else (first.year, first.month + 1)
    return first, datetime(*following, 1, tzinfo=UTC)
