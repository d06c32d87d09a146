"""Archive, upgrade, downgrade, holds, events lost, doubled and out of order, and a crash at any
line of the code that archives: Hypothesis looks for the shortest story in which something is lost,
can be read that should not be, or does not come back.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import porewatch
from porewatch.adapters.archive.archive_ledger import ArchiveLedger
from porewatch.adapters.archive.cold_storage import ColdStorage
from porewatch.adapters.ledger.idempotency import Inbox
from porewatch.adapters.ledger.run_moves import move_run
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.people.entitlements import Entitlements
from porewatch.adapters.table import Table
from porewatch.domain.archive.artefact import Artefact, Shelf, is_bulky
from porewatch.domain.archive.looks import LOOK, Look, LookAtArtefact, LookAtRun, LookAtUser
from porewatch.domain.archive.results_expiring import ResultsExpiring
from porewatch.domain.archive.results_thawed import ResultsThawed
from porewatch.domain.archive.window import stays_hot, window_of
from porewatch.domain.errors import PorewatchError
from porewatch.domain.records.retention_record import Hold
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.tiers.entitlement import Entitlement, readable_until
from porewatch.domain.tiers.tier import TierName
from porewatch.usecases.archive.archive_context import ArchiveContext
from porewatch.usecases.archive.look_at_run import Ages
from porewatch.usecases.archive.sweep_archive import sweep_archive
from porewatch.usecases.archive.take_look import take_look
from simulator.cold_s3 import ColdS3, Crash, Lifecycle
from simulator.dynamodb import DynamoDb
from tests.contract.test_template import TEMPLATE

START = datetime(2026, 1, 1, 9, 30, tzinfo=UTC)
CODE = tuple(
    str(Path(porewatch.__file__).parent / folder / "archive") for folder in ("usecases", "adapters")
)
USERS = ("u-aaaaaaaaaaaaaaaa", "u-bbbbbbbbbbbbbbbb")
DAYS = {Shelf.RESULTS: 90, Shelf.REPORTS: 365}
MB = 10**6
FILES = {
    (Shelf.RESULTS, "r0/screen/e1/AROA:i-1/outputs/reads.bin"): 300 * MB,
    (Shelf.RESULTS, "r0/screen/e1/AROA:i-1/outputs/few.bin"): MB,
    (Shelf.RESULTS, "r0/screen/manifest.json"): MB,
    (Shelf.RESULTS, "r0/screen/e1/AROA:i-1/outputs/tiny.bin"): 1000,
    (Shelf.REPORTS, "r0/tables.zip"): 60_000 * MB,
    (Shelf.REPORTS, "r0/report.html"): 4 * MB,
}


def lifecycle() -> dict[str, Lifecycle]:
    """The rules of the template's buckets, where tiers are paid for."""
    return {shelf.value: _rule(f"{shelf.value.capitalize()}Bucket") for shelf in Shelf}


def _rule(bucket: str) -> Lifecycle:
    rules = TEMPLATE.resources[bucket]["Properties"]["LifecycleConfiguration"]["Rules"]
    days: list[int] = []
    old = [one["NoncurrentVersionExpiration"]["NoncurrentDays"] for one in rules[:1]]
    for one in rules:
        found = one.get("ExpirationInDays")
        if isinstance(found, dict) and "Fn::If" in found:
            found = found["Fn::If"][1]
        if found not in (None, {"Ref": "AWS::NoValue"}):
            days.append(DAYS[Shelf(bucket.removesuffix("Bucket").lower())])
    return Lifecycle(min(days, default=None), min(old))


class crash_at:  # noqa: N801 - reads as what it does
    """Within it the process dies at the `line`-th line of the archive's code that it executes."""

    def __init__(self, line: int | None) -> None:
        self._left = line

    def __enter__(self) -> None:
        self._before = sys.gettrace()
        if self._left is not None:
            sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _called(self, frame: Any, event: str, _: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(CODE) else None

    def _line(self, frame: Any, event: str, _: Any) -> Any:
        if event == "line" and self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self._left = None
                raise Crash
        return self._line


Lines = st.one_of(st.none(), st.integers(1, 150))


class Story(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.time, self.deaf = START, False
        self.s3 = ColdS3(
            lambda: self.time, lifecycle(), self.restored, self.removed, landed=self.landed
        )
        self.queue: list[str] = []
        self.thawed: list[ResultsThawed] = []
        self.ending: list[ResultsExpiring] = []
        self.came_back: Counter[str] = Counter()
        self.told: dict[str, int] = {}
        self.runs: dict[str, RunRecord] = {}
        self.table = Table("ledger", DynamoDb(self._seconds, lambda: 1.0))  # type: ignore[arg-type]
        people = Table("people", DynamoDb())  # type: ignore[arg-type]
        self.entitlements = Entitlements(people)
        self.ledger = ArchiveLedger(self.table)
        self.storage = {s: ColdStorage(s.value, self.s3) for s in Shelf}  # type: ignore[arg-type]
        self.context = ArchiveContext(
            runs=RunLedger(self.table),
            entitlements=self.entitlements,
            ledger=self.ledger,
            shelves=self.storage,
            looks=self,
            say=self.say,
            inbox=Inbox(self.table, clock=lambda: self.time),
            unpaid=TierName.FREE,
            clock=lambda: self.time,
        )
        raw = ColdStorage("raw", self.s3)  # type: ignore[arg-type]
        self.ages = Ages(DAYS, raw)

    def _seconds(self) -> float:
        return (self.time - START).total_seconds()

    def send(self, looks: Any) -> None:
        self.queue += [look.canonical_json() for look in looks]

    def restored(self, bucket: str, key: str) -> None:
        """S3's event, as one more message that may be lost, doubled and late."""
        if self.deaf:
            return
        artefact = Artefact(run_id=key.split("/")[1], shelf=Shelf(bucket), key=key)
        self.queue.append(LookAtArtefact(artefact=artefact).canonical_json())

    def landed(self, bucket: str, key: str, cold: bool) -> None:
        """A copy ended."""
        if not cold:
            self.came_back[str(self.runs[key.split("/")[1]].submitted_by)] += 1

    def say(self, event: ResultsThawed | ResultsExpiring) -> None:
        if isinstance(event, ResultsThawed):
            self.say_thawed(event)
        else:
            self.say_ending(event)

    def say_ending(self, event: ResultsExpiring) -> None:
        """Only what is true now."""
        run = self.runs[event.run_id]
        window = window_of(run, self.entitlements.of(event.user_id), TierName.FREE, self.time)
        assert event.user_id == run.submitted_by and event.until == window.until
        assert window.open and run.hold is None
        self.ending.append(event)

    def say_thawed(self, event: ResultsThawed) -> None:
        """The same thaw may be published again; another one only when more came back."""
        known = {one.record().fact_id for one in self.thawed}
        if event.record().fact_id not in known:
            landed = self.came_back[event.user_id] - self.told.get(event.user_id, 0)
            assert landed > 0, "nothing is back"
            assert 1 <= event.runs <= event.files <= landed
            self.told[event.user_id] = self.came_back[event.user_id]
        self.thawed.append(event)
        assert not list(self.ledger.all_away(event.user_id)), "something is still away"

    def removed(self, bucket: str, key: str) -> None:
        """Whoever removes it: nobody pays for keeping it, and it has come to its age."""
        if bucket == "raw":
            return
        run = self.runs[key.split("/")[1]]
        paid = self.entitlements.of(str(run.submitted_by))
        until = readable_until(paid, TierName.FREE, run.completed_at or self.time, self.time)
        assert until is not None, "Premium keeps it"
        assert until + timedelta(days=DAYS[Shelf(bucket)]) <= self.time, "too early"
        assert run.hold is None, "held"

    @initialize(days=st.sampled_from((0, 13, 15, 15, 15)))
    def begin(self, days: int) -> None:
        """Mostly when something is due already: the rest of the story is the more eventful."""
        self.a_run_completes(USERS[0])
        self._pass(timedelta(days=days))
        self.sweep(None)
        if self.queue:
            self._take(LOOK.validate_python(json.loads(self.queue.pop())), None)

    @precondition(lambda self: len(self.runs) < 3)
    @rule(user=st.sampled_from(USERS))
    def a_run_completes(self, user: str) -> None:
        run_id = f"run-{len(self.runs)}"
        self._keep(
            RunRecord(
                run_id=run_id,
                state=RunState.COMPLETED,
                submitted_by=user,
                created_at=self.time,
                updated_at=self.time,
                completed_at=self.time,
            )
        )
        for (shelf, path), size in FILES.items():
            key = f"runs/{run_id}/{path}"
            self.s3.put(shelf.value, key, f"{shelf.value}/{key}", size)

    @rule(user=st.sampled_from(USERS), tell=st.booleans())
    def upgrade(self, user: str, tell: bool) -> None:
        self._tier(user, TierName.PREMIUM, tell=tell)

    @rule(user=st.sampled_from(USERS), tell=st.booleans())
    def downgrade(self, user: str, tell: bool) -> None:
        if self.entitlements.of(user) is not None:
            self._tier(user, TierName.FREE, tell=tell)

    @rule(minutes=st.sampled_from((1, 6, 15, 40, 6 * 60, 13 * 60)))
    def time_passes(self, minutes: int) -> None:
        self._pass(timedelta(minutes=minutes))

    @rule(days=st.sampled_from((1, 2, 15, 15, 40, 100)), line=Lines)
    def days_of_work(self, days: int, line: int | None) -> None:
        """The functions run meanwhile; the first of them dies at that line."""
        self._pass(timedelta(days=days))
        for _ in range(2):
            self.sweep(line)
            for _ in range(len(self.queue)):
                text = self.queue.pop(0)
                if not self._take(LOOK.validate_python(json.loads(text)), line):
                    self.queue.append(text)
                line = None

    @rule(line=Lines)
    def sweep(self, line: int | None) -> None:
        self._do(lambda: sweep_archive(self.context, self.time + timedelta(hours=1)), line)

    @precondition(lambda self: self.queue)
    @rule(which=st.integers(0, 10**6), line=Lines, again=st.booleans())
    def deliver(self, which: int, line: int | None, again: bool) -> None:
        """Any message, in any order; it stays when its handling fails, or to come twice."""
        number = which % len(self.queue)
        text = self.queue[number]
        if self._take(LOOK.validate_python(json.loads(text)), line) and not again:
            self.queue.remove(text)

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def deliver_many(self, data: st.DataObject) -> None:
        for _ in range(min(len(self.queue), 12)):
            line = data.draw(st.sampled_from((None, None, None, 20, 45, 70, 100)))
            text = self.queue.pop(0)
            if not self._take(LOOK.validate_python(json.loads(text)), line):
                self.queue.append(text)

    @precondition(lambda self: self.queue)
    @rule(which=st.integers(0, 10**6))
    def lose(self, which: int) -> None:
        self.queue.pop(which % len(self.queue))

    @rule(later=st.sampled_from((None, 0, 1, 14, 14)))
    def the_next_copy_outlives_its_process(self, later: int | None) -> None:
        self.s3.copy_dies = [None if later is None else timedelta(minutes=later)]

    @rule(number=st.integers(1, 8))
    def s3_refuses(self, number: int) -> None:
        self.s3.refusals = number

    @rule(none=st.booleans())
    def expedited_capacity(self, none: bool) -> None:
        self.s3.no_expedited = none

    @rule(on=st.booleans())
    def hold(self, on: bool) -> None:
        run = self.runs["run-0"]
        hold = Hold(by="M. Sato", reason="complaint", at=self.time) if on else None
        self._keep(run.model_copy(update={"hold": hold}))

    @invariant()
    def nothing_is_lost(self) -> None:
        """What is not there was removed by `removed`, which looks whether it may."""
        for run_id in self.runs:
            for shelf, path in FILES:
                key = f"runs/{run_id}/{path}"
                found = self.s3.newest(shelf.value, key)
                versions = self.s3.versions[shelf.value, key]
                assert found is not None or not versions or versions[-1].marker
                assert found is None or found.content == f"{shelf.value}/{key}"

    @invariant()
    def what_is_cold_has_a_record(self) -> None:
        for run_id, run in self.runs.items():
            assert run.submitted_by
            away = {one.artefact.key for one in self.ledger.all_away(run.submitted_by, run_id)}
            for shelf, path in FILES:
                key = f"runs/{run_id}/{path}"
                found = self.s3.newest(shelf.value, key)
                assert not (found and found.cold) or key in away, f"{key} is cold and forgotten"

    @invariant()
    def what_pages_need_is_hot(self) -> None:
        for run_id in self.runs:
            for (shelf, path), size in FILES.items():
                key = f"runs/{run_id}/{path}"
                found = self.s3.newest(shelf.value, key)
                assert is_bulky(shelf, path, size) or found is None or not found.cold

    def teardown(self) -> None:
        """All events are lost, everybody pays: within three days everything is back."""
        self.queue.clear()
        self.deaf = True
        self.s3.copy_dies, self.s3.refusals = [], 0
        for user in USERS:
            self._tier(user, TierName.PREMIUM, tell=False)
        cold, said = self._users_with_cold(), len(self.thawed)
        self._until_quiet(hours=72)
        for user in USERS:
            own = {t.record().fact_id for t in self.thawed[said:] if t.user_id == user}
            assert len(own) == 1 if user in cold else len(own) <= 1, f"{user}: {own}"
        for run_id, run in self.runs.items():
            assert run.submitted_by
            assert not list(self.ledger.all_away(run.submitted_by))
            for shelf, path in FILES:
                key = f"runs/{run_id}/{path}"
                found = self.s3.newest(shelf.value, key)
                assert found is None or not found.cold, f"{key} is still cold"
        assert not list(self.ledger.users())
        # ... and when nobody pays any more, and grace is over, everything bulky is archived.
        for user in USERS:
            self._tier(user, TierName.FREE, tell=False)
        self._pass(timedelta(days=45))
        self._until_quiet(hours=24 * 15)
        for run_id, run in self.runs.items():
            paid = self.entitlements.of(str(run.submitted_by))
            window = window_of(run, paid, TierName.FREE, self.time)
            for (shelf, path), size in FILES.items():
                found = self.s3.newest(shelf.value, f"runs/{run_id}/{path}")
                bulky = is_bulky(shelf, path, size) and not stays_hot(run, window)
                assert found is None or found.cold is bulky, f"{run_id} {path}"

    def work(self) -> None:
        """Everything in the queue, and what comes of it."""
        sweep_archive(self.context, self.time + timedelta(hours=1))
        while self.queue:
            self._take(LOOK.validate_python(json.loads(self.queue.pop(0))), None)

    def _users_with_cold(self) -> set[str]:
        places = [(run, shelf, path) for run in self.runs.values() for shelf, path in FILES]
        found = [
            (run, self.s3.newest(shelf.value, f"runs/{run.run_id}/{path}"))
            for run, shelf, path in places
        ]
        return {str(run.submitted_by) for run, one in found if one and one.cold}

    def _until_quiet(self, hours: int) -> None:
        for _ in range(hours):
            self._pass(timedelta(hours=1))
            sweep_archive(self.context, self.time + timedelta(hours=1))
            while self.queue:
                self._take(LOOK.validate_python(json.loads(self.queue.pop())), None)

    def _keep(self, record: RunRecord) -> None:
        self.runs[record.run_id] = record
        move_run(self.table, record.run_id, lambda _: (record, ()))

    def _tier(self, user: str, tier: TierName, *, tell: bool) -> None:
        before = self.entitlements.of(user)
        lowered = self.time if before and before.tier > tier else None
        if before is not None and before.tier == tier:
            lowered = before.lowered_at
        self.time += timedelta(seconds=1)
        self.entitlements.keep(
            Entitlement(
                user_id=user, tier=tier, since=self.time, lowered_at=lowered, read_at=self.time
            )
        )
        if tell:
            self.send([LookAtUser(user_id=user)])

    def _pass(self, much: timedelta) -> None:
        self.time += much
        self.s3.time_passed()

    def _take(self, look: Look, line: int | None) -> bool:
        return self._do(lambda: take_look(look, self.context, self.ages), line)

    def _do(self, work: Any, line: int | None) -> bool:
        """Whether it ended well."""
        try:
            with crash_at(line):
                work()
        except (Crash, PorewatchError):
            return False
        return True


TestStory = Story.TestCase
TestStory.settings = settings(
    max_examples=250,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


def test_of_copies_that_never_landed_nobody_says_that_results_are_back() -> None:
    story = Story()
    story.a_run_completes(USERS[0])
    story.time_passes(15 * 24 * 60)
    story.s3.copy_dies = [None] * 3
    story.work()
    assert len(list(story.ledger.all_away(USERS[0]))) == 3
    story.upgrade(USERS[0], tell=True)
    story.work()
    story.time_passes(60)
    story.work()
    assert not list(story.ledger.all_away(USERS[0])) and story.thawed == []
    story.time_passes(1)  # the index lags
    assert not list(story.ledger.users())


@pytest.mark.parametrize("line", range(1, 240))
def test_a_thaw_is_said_as_one_whatever_line_of_its_end_crashes(line: int) -> None:
    story = Story()
    story.a_run_completes(USERS[0])
    story.time_passes(15 * 24 * 60)
    story.work()
    story.upgrade(USERS[0], tell=True)
    story.deaf = True
    story.work()
    for hours in range(13):
        story.time_passes(60)
        sweep_archive(story.context, story.time + timedelta(hours=1))
        for text in tuple(story.queue):
            story._take(LOOK.validate_python(json.loads(text)), line if hours == 12 else None)
            story.time_passes(1)
        story.queue.clear()
    story._until_quiet(hours=30)
    assert not list(story.ledger.users())
    assert len({one.record().fact_id for one in story.thawed}) == 1
    assert {(one.runs, one.files) for one in story.thawed} == {(1, 3)}


def test_what_was_archived_after_a_thaw_was_said_comes_back_as_another_thaw() -> None:
    """Whoever said the first one died before he noted that it was said, and nobody looked at the
    user until his results were archived again."""
    story, user = Story(), USERS[0]
    story.a_run_completes(user)
    story.time_passes(15 * 24 * 60)
    story.work()
    story.upgrade(user, tell=True)
    whole = story.ledger.all_back

    def dies(*_: object) -> None:
        raise Crash

    story.ledger.all_back = dies  # type: ignore[method-assign]
    for _ in range(14):
        story.time_passes(60)
        for text in tuple(story.queue):
            story.queue.remove(text)
            story._take(LOOK.validate_python(json.loads(text)), None)
    assert len(story.thawed) == 1, "said"
    story.ledger.all_back = whole  # type: ignore[method-assign]
    story.queue.clear()
    story.downgrade(user, tell=False)
    story._pass(timedelta(days=45))
    story.send([LookAtRun(run_id="run-0")])
    while story.queue:
        story._take(LOOK.validate_python(json.loads(story.queue.pop(0))), None)
    assert len(list(story.ledger.all_away(user))) == 3
    story.upgrade(user, tell=True)
    story._until_quiet(hours=30)
    assert not list(story.ledger.all_away(user))
    assert len({one.record().fact_id for one in story.thawed}) == 2
