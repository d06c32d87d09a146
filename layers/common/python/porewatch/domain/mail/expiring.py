"""The mail that says which results will be archived soon: one for a user and a day. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Annotated, NamedTuple

from pydantic import Field

from porewatch.domain.archive.ahead import day_of
from porewatch.domain.base import Count, Model, Moment
from porewatch.domain.mail.letter import Letter, Link, Listed, shortened, utc, words
from porewatch.domain.mail.occasions import MailKind
from porewatch.domain.runs import RunId
from porewatch.domain.tiers.tier import TierName
from porewatch.domain.visible import visible

MOST_LISTED = 20
"""Runs that a mail names; of the others it says how many there are."""


class Ends(NamedTuple):
    """A run whose results are archived at `until`."""

    run_id: RunId
    until: datetime


class EndingRun(Model):
    """As the mail names it, by the names of its project and of the run in it."""

    run_id: RunId
    name: str
    project: str
    until: Moment


class Ending(Model):
    """What of one user's is archived on one day. `runs`: those that are named, the first to end
    first."""

    day: date
    count: Annotated[Count, Field(description="of all runs, whether they are named or not")]
    runs: Annotated[tuple[EndingRun, ...], Field(min_length=1)]
    kept_until: Annotated[Moment, Field(description="in the archive, if nobody pays till then")]
    upgrade: Annotated[TierName | None, Field(description="can be bought, and would keep them")]


def ending_on(
    day: date,
    runs: Iterable[tuple[RunId, datetime]],
    until: Callable[[datetime], datetime | None],
) -> list[Ends]:
    """Of runs (with when each was completed, the youngest first) those whose results are readable
    until some time of this day; the first to end first. `until`: the user's rule as of now."""
    return list(_ending_on(day, runs, until))[::-1]


def _ending_on(
    day: date,
    runs: Iterable[tuple[RunId, datetime]],
    until: Callable[[datetime], datetime | None],
) -> Iterator[Ends]:
    for run_id, completed_at in runs:
        end = until(completed_at)
        if end is None or day_of(end) < day:
            return  # an older run never ends later
        if day_of(end) == day:
            yield Ends(run_id, end)


def expiring_letter(
    ending: Ending, at: datetime, language: str, root: str, unsubscribe: str
) -> Letter:
    """`at`: when it is sent."""
    said, kind = words(language), MailKind.EXPIRING.value
    days = max((ending.day - day_of(at)).days, 0)
    values = {"runs": ending.count, "days": days}
    heading = said.filled(f"mail.{kind}.{'heading' if days else 'today'}", values)
    paragraphs = said.text(f"mail.{kind}.text").split("\n")
    links = [Link(text=said.text("mail.link.runs"), url=f"{root}/web/runs")]
    if ending.upgrade is not None:
        tier = {"tier": said.text(f"mail.tier.{ending.upgrade.value}")}
        paragraphs.append(said.filled(f"mail.{kind}.upgrade", tier))
        account = Link(text=said.filled("mail.link.upgrade", tier), url=f"{root}/web/account")
        links.insert(0, account)
    more = ending.count - len(ending.runs)
    return Letter(
        language=language,
        subject=shortened(heading),
        heading=heading,
        paragraphs=tuple(paragraphs),
        listed=tuple(_listed(run, root) for run in ending.runs),
        more=said.filled(f"mail.{kind}.more", {"runs": more}) if more else "",
        facts=(
            (said.text("mail.fact.first_end"), utc(ending.runs[0].until)),
            (said.text("mail.fact.kept_until"), utc(ending.kept_until)),
        ),
        links=tuple(links),
        foot=(said.text("mail.foot.sign_in"), said.text("mail.foot.yours")),
        unsubscribe=unsubscribe,
        account=f"{root}/web/account",
    )


def _listed(run: EndingRun, root: str) -> Listed:
    return Listed(
        text=visible(run.name),
        url=f"{root}/web/runs/{run.run_id}",
        note=f"{visible(run.project)} · {utc(run.until)}",
    )
