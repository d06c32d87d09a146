"""A user knows before his results are archived: each notice once, by what holds then, whatever
crashes, and whenever the archiver was away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from porewatch.domain.archive.ahead import AHEAD_DAYS, day_of
from porewatch.domain.archive.looks import LookAtRun
from porewatch.domain.tiers.entitlement import GRACE_DAYS
from tests.simulator.test_archive_story import START, USERS, Story

HOUR = timedelta(hours=1)
END = START + timedelta(days=14)


def begun(*, pays: bool = False) -> Story:
    story = Story()
    if pays:
        story.upgrade(USERS[0], tell=True)
    story.a_run_completes(USERS[0])
    return story


def days(story: Story, number: int) -> None:
    story._until_quiet(hours=24 * number)


def test_each_notice_comes_once_before_the_end_at_the_beginning_of_its_day() -> None:
    story = begun()
    days(story, 20)
    assert [one.days for one in story.ending] == list(AHEAD_DAYS)
    for one in story.ending:
        assert one.until == END and (day_of(END) - day_of(one.at)).days == one.days
        assert 6 <= one.at.hour <= 7
    assert len(list(story.ledger.all_away(USERS[0]))) == 3, "and then it is archived"


def test_other_looks_say_nothing_a_second_time() -> None:
    story = begun()
    for _ in range(20):
        days(story, 1)
        story.send([LookAtRun(run_id="run-0")] * 2)
    assert [one.days for one in story.ending] == list(AHEAD_DAYS)


@pytest.mark.parametrize("away", [8, 10, 13])
def test_after_an_outage_the_notice_that_holds_is_said(away: int) -> None:
    story = begun()
    story.time_passes(away * 24 * 60)
    days(story, 10)
    expected = [1] if away == 13 else list(AHEAD_DAYS)
    assert [one.days for one in story.ending] == expected


def test_who_pays_or_is_held_is_not_warned_and_who_pays_no_more_is() -> None:
    story = begun(pays=True)
    days(story, 20)
    assert story.ending == []
    lowered = story.time
    story.downgrade(USERS[0], tell=False)
    story.hold(on=True)
    days(story, 24)
    assert story.ending == [], "held"
    story.hold(on=False)
    story.send([LookAtRun(run_id="run-0")])
    days(story, 8)
    assert [one.days for one in story.ending] == list(AHEAD_DAYS)
    assert {one.until for one in story.ending} == {lowered + timedelta(days=GRACE_DAYS)}


@pytest.mark.parametrize("line", range(1, 60))
def test_whatever_line_crashes_both_notices_come(line: int) -> None:
    story = begun()
    story.time_passes(7 * 24 * 60)
    for _ in range(2):
        story.days_of_work(0, line)
        days(story, 1)
    days(story, 8)
    said = [one.record().fact_id for one in story.ending]
    assert len(set(said)) == len(AHEAD_DAYS) and len(said) <= len(AHEAD_DAYS) + 1
