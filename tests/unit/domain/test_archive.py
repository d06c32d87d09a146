"""What the rules of the archive say of single cases: copies compared, speeds, what is bulky."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from porewatch.domain.archive.artefact import SMALLEST, Artefact, Shelf, is_bulky
from porewatch.domain.archive.away import (
    Away,
    Restore,
    State,
    Stored,
    same_content,
)
from porewatch.domain.archive.retrieval import (
    EXPEDITED_BYTES,
    EXPEDITED_USD,
    PRICES,
    STANDARD_USD,
    Speed,
    plan_of,
    retrieval_usd,
)
from porewatch.domain.archive.steps import (
    CLAIM,
    DIFFERS,
    FIRST_PAUSE,
    LEFT,
    LONGEST_PAUSE,
    Become,
    Copy,
    Owner,
    Rest,
    Step,
    failed,
    next_step,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)


def stored(size: int = 9, etag: str = "a", checksum: str = "") -> Stored:
    return Stored(size=size, etag=etag, checksum=checksum, cold=False)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (stored(), True),
        (stored(size=8), False),
        (stored(etag="b"), False),
        (stored(etag="b-2"), True),  # written in parts: the etag is of the parts
        (stored(etag="b-2", checksum="crc:1"), True),  # the other one has none
    ],
)
def test_a_copy_is_compared_by_all_that_both_have(other: Stored, same: bool) -> None:
    assert same_content(stored(), other) is same


def test_checksums_of_one_algorithm_decide() -> None:
    one = stored(etag="a-2", checksum="crc:1")
    assert same_content(one, stored(etag="b-9", checksum="crc:1"))
    assert not same_content(one, stored(etag="a-2", checksum="crc:2"))
    assert same_content(one, stored(etag="b-9", checksum="sha:2")), "not comparable"


@pytest.mark.parametrize(
    ("size", "speed"),
    [(10**6, Speed.EXPEDITED), (10**9, Speed.STANDARD), (10**11, Speed.BULK)],
)
def test_small_comes_back_fast_and_large_cheaply(size: int, speed: Speed) -> None:
    assert plan_of([size]).speed(size) is speed


def test_the_page_says_what_is_asked_for_how() -> None:
    page = (Path(__file__).parents[3] / "docs" / "archive.md").read_text("utf-8")
    for said in (EXPEDITED_USD, STANDARD_USD):
        assert f"at most {said:.2f} USD" in page
    standard, expedited = PRICES[Speed.STANDARD], PRICES[Speed.EXPEDITED]
    assert f"Standard {standard.gigabyte} USD a GB and {standard.request * 1000:.2f} USD" in page
    assert f"Expedited {expedited.gigabyte} USD a GB and {expedited.request} USD an object" in page
    assert f"up to {EXPEDITED_BYTES // 10**6} MB" in page


@pytest.mark.parametrize(
    ("sizes", "small", "large"),
    [
        ([10**6] * 4, Speed.EXPEDITED, Speed.STANDARD),
        ([10**6] * 5, Speed.STANDARD, Speed.STANDARD),
        ([10**6] * 1000, Speed.STANDARD, Speed.STANDARD),
        ([10**6] * 20_000, Speed.BULK, Speed.BULK),
        ([10**6, 4 * 10**8], Speed.EXPEDITED, Speed.STANDARD),
        ([10**6, 6 * 10**10], Speed.EXPEDITED, Speed.BULK),
        ([240 * 10**6] * 4, Speed.STANDARD, Speed.STANDARD),
    ],
)
def test_a_thaw_is_planned_by_what_it_costs_together(
    sizes: list[int], small: Speed, large: Speed
) -> None:
    plan = plan_of(sizes)
    assert (plan.small, plan.large) == (small, large)
    usd: dict[Speed, float] = {}
    for speed in Speed:
        usd[speed] = retrieval_usd(speed, [size for size in sizes if plan.speed(size) is speed])
    assert usd[Speed.EXPEDITED] <= EXPEDITED_USD and usd[Speed.STANDARD] <= STANDARD_USD


@pytest.mark.parametrize(
    ("shelf", "name", "bulky"),
    [
        (Shelf.REPORTS, "tables.zip", True),
        (Shelf.REPORTS, "report.pdf", False),
        (Shelf.REPORTS, "bill.json", False),
        (Shelf.RESULTS, "outputs/part.bin", True),
        (Shelf.RESULTS, "worker.log", False),
        (Shelf.RESULTS, "results.json", False),
    ],
)
def test_what_a_page_needs_is_not_bulky(shelf: Shelf, name: str, bulky: bool) -> None:
    key = f"runs/r/r0/{name}"
    assert is_bulky(shelf, key, SMALLEST) is bulky
    assert not is_bulky(shelf, key, SMALLEST - 1)


def test_pauses_between_attempts_grow_to_a_day_and_a_claim_stands_unless_s3_refused() -> None:
    key = "runs/r/r0/tables.zip"
    away = Away(
        artefact=Artefact(run_id="r", shelf=Shelf.REPORTS, key=key),
        user_id="u-aaaaaaaaaaaaaaaa",
        state=State.ARCHIVING,
        size=1,
        since=AT,
        due=AT,
        claimed_until=AT + timedelta(hours=2),
    )
    unknown, refused = (failed(away, "why", AT, over=over) for over in (False, True))
    assert (unknown.due, refused.due) == (AT + timedelta(hours=2), AT + FIRST_PAUSE)
    assert (unknown.claimed_until, refused.claimed_until) == (away.claimed_until, None)
    for _ in range(20):
        refused = failed(refused, "why", AT, over=True)
    assert refused.due == AT + LONGEST_PAUSE


KEY = "runs/r/r0/tables.zip"
WHOSE = Owner(Artefact(run_id="r", shelf=Shelf.REPORTS, key=KEY), "u-aaaaaaaaaaaaaaaa")


def step_of(known: Away | None, found: Stored, *, hot: bool, at: datetime = AT) -> Step:
    return next_step(WHOSE, known, found, hot=hot, at=at)


def claim_of(known: Away | None, found: Stored, *, hot: bool, at: datetime = AT) -> Away:
    step = step_of(known, found, hot=hot, at=at)
    assert isinstance(step, Copy)
    return step.claim


def cold(size: int = SMALLEST, etag: str = "a", restore: Restore = Restore.NONE) -> Stored:
    return Stored(size=size, etag=etag, cold=True, restore=restore)


@pytest.mark.parametrize("hot", [True, False])
def test_a_copy_into_the_archive_with_other_bytes_is_never_archived(hot: bool) -> None:
    claim = claim_of(None, stored(SMALLEST), hot=False)
    assert isinstance(step_of(claim, cold(), hot=False), Become)
    for wrong in (cold(SMALLEST - 1), cold(etag="b")):
        again = claim
        for _ in range(3):
            assert step_of(again, wrong, hot=hot) == DIFFERS
            again = failed(again, DIFFERS.problem, AT, over=True)
        assert again.failures == 3 and again.state is State.ARCHIVING


def test_a_copy_out_of_the_archive_with_other_bytes_is_never_hot() -> None:
    resting = step_of(claim_of(None, stored(SMALLEST), hot=False), cold(), hot=False)
    assert isinstance(resting, Become) and resting.after is not None
    claim = claim_of(resting.after, cold(restore=Restore.READY), hot=True)
    assert step_of(claim, stored(SMALLEST), hot=True) == Become(None)
    for known in (claim, resting.after):
        assert step_of(known, stored(SMALLEST, etag="b"), hot=True) == DIFFERS


def test_a_claim_that_is_over_is_a_failure_once() -> None:
    later = AT + CLAIM
    claim = claim_of(None, stored(SMALLEST), hot=False)
    assert step_of(claim, stored(SMALLEST), hot=False, at=later) == LEFT
    noted = failed(claim, LEFT.problem, later, over=True)
    assert noted.failures == 1
    assert claim_of(noted, stored(SMALLEST), hot=False, at=later).failures == 1
    unknown = failed(claim, "a failure that was recorded", AT, over=False)
    assert claim_of(unknown, stored(SMALLEST), hot=False, at=later).failures == 1
    assert failed(unknown, "another one of the same copy", AT, over=False).failures == 1


def test_what_was_removed_during_a_copy_is_remembered_until_the_copy_cannot_land() -> None:
    claim = claim_of(None, stored(SMALLEST), hot=False)
    assert next_step(WHOSE, claim, None, hot=False, at=AT) == Rest()
    assert next_step(WHOSE, claim, None, hot=False, at=AT + CLAIM) == Become(None)
