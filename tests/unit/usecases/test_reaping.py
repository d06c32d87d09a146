"""What nobody uses is ended at second sight; what somebody uses, or may use, never is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from porewatch.adapters.ledger.terminations import Kills
from porewatch.adapters.table import Table
from porewatch.domain.errors import ConfigurationRefused, Unavailable
from porewatch.domain.facts.metrics import Measure
from porewatch.domain.reasons.reason import Code, because
from porewatch.domain.rules import stage_endings, stage_lifecycle
from porewatch.domain.rules.orphans import Found, Kill, Orphan, What
from porewatch.domain.stage.instances import Machine, MachineState, Owner
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.spec import Phase
from porewatch.usecases.monitoring.clean_up_orphan import CleanupContext
from porewatch.usecases.monitoring.clean_up_orphans import OrphanSweep, reap, reap_machine
from tests.unit.usecases.house import KEY, RUN, STAGE, START, House

OURS = Owner(stack="s", run_id=RUN, revision=0, stage=STAGE, epoch=1)
OLD = START - timedelta(days=2)


@dataclass
class Cupboard:
    """Things beside machines; remembers what was ended."""

    things: list[Orphan] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    broken: bool = False
    refuses: bool = False

    def sorts(self) -> tuple[Callable[[], Iterable[Orphan]], ...]:
        return (self._broken, self._shown) if self.broken else (self._shown,)

    def left(self, at: datetime) -> Iterable[Orphan]:
        return ()

    def end(self, thing: Orphan) -> None:
        if self.refuses:
            raise ConfigurationRefused("UnauthorizedOperation")
        self.ended.append(thing.name)
        self.things.remove(thing)

    def _shown(self) -> list[Orphan]:
        return list(self.things)

    def _broken(self) -> list[Orphan]:
        raise Unavailable("EC2 does not answer.")


@dataclass
class Counter:
    measures: list[Measure] = field(default_factory=list)

    def put(self, measures: list[Measure]) -> None:
        self.measures += measures


@dataclass
class Yard:
    """A house with a cupboard, and somebody who looks into it now and then."""

    house: House
    cupboard: Cupboard = field(default_factory=Cupboard)
    counter: Counter = field(default_factory=Counter)

    def reaper(self, *, dry: bool = False, stack: str = "s") -> OrphanSweep:
        house = self.house
        kills = Kills(house.table)
        hands = CleanupContext(stack, house.stages, house.cloud, kills, house.now, dry)
        shelf = self.cupboard
        return OrphanSweep(hands, shelf, shelf, self.counter)  # type: ignore[arg-type]

    def look(self, *, dry: bool = False) -> list[tuple[str, str]]:
        return [(found.name, found.action) for found in reap(self.reaper(dry=dry))]

    def found(self, name: str) -> Found:
        (one,) = (found for found in reap(self.reaper()) if found.name == name)
        return one

    def kills(self) -> list[Kill]:
        return list(Kills(self.house.table).all())

    def put(self, thing: Orphan) -> Orphan:
        self.cupboard.things.append(thing)
        return thing


@pytest.fixture
def yard(ledger: Table, buckets: None) -> Yard:
    return Yard(House(ledger))


def a_volume(**more: object) -> Orphan:
    defaults = {
        "what": What.VOLUME,
        "name": "vol-1",
        "stack": "s",
        "since": OLD,
        "unused": because(Code.UNATTACHED),
    }
    return Orphan.model_validate({**defaults, **more})


def orphan(yard: Yard, **more: object) -> Machine:
    """A machine of a stage the ledger does not know."""
    defaults = {
        "instance_id": "i-9",
        "state": MachineState.RUNNING,
        "instance_type": "m5.2xlarge",
        "purchase": "spot",
        "availability_zone": "eu-central-1a",
        "launched_at": yard.house.now,
        "owner": OURS.model_copy(update={"run_id": "run-9"}),
    }
    machine = Machine.model_validate({**defaults, **more})
    yard.house.cloud.machines[machine.instance_id] = machine
    return machine


def test_a_healthy_run_is_never_touched(yard: Yard) -> None:
    house = yard.house
    house.claimed()
    for unit in range(50):
        house.later(minutes=5)
        progress = Progress(phase=Phase.QUALITY_CONTROL, units_done=unit)
        house.stages.apply(KEY, stage_lifecycle.beat, 1, "i-1", progress, house.now)
        assert yard.look() == []
    assert house.cloud.ended == []
    assert yard.kills() == []


def test_an_orphan_is_ended_within_fifteen_minutes_of_its_beginning(yard: Yard) -> None:
    house = yard.house
    orphan(yard)
    for _ in range(3):
        house.later(minutes=5)
        yard.look()
    assert house.cloud.ended == ["i-9"]
    (kill,) = yard.kills()
    assert kill.at - START <= timedelta(minutes=15)
    assert (kill.outcome, kill.exposed_s) == ("ended", 600)
    assert kill.usd > 0
    assert len(kill.why) == 2


def test_first_sight_is_written_down_and_ends_nothing(yard: Yard) -> None:
    yard.put(a_volume())
    assert yard.look() == [("vol-1", "noted")]
    yard.house.later(minutes=4)
    assert yard.look() == [("vol-1", "noted")]
    assert yard.cupboard.ended == []
    yard.house.later(minutes=1)
    assert yard.look() == [("vol-1", "ended")]
    assert yard.cupboard.ended == ["vol-1"]
    assert yard.look() == []


def test_a_first_sight_that_was_not_repeated_counts_no_more(yard: Yard) -> None:
    """It was attached again in between, or nobody could look: then it is the first sight again."""
    thing = yard.put(a_volume())
    yard.look()
    yard.cupboard.things.clear()
    yard.house.later(hours=2)
    yard.look()
    yard.put(thing)
    assert yard.look() == [("vol-1", "noted")]


def test_what_is_ended_has_two_reasons_that_differ(yard: Yard) -> None:
    yard.house.claimed()
    yard.put(a_volume(name="of-nobody"))
    yard.put(a_volume(name="of-an-old-epoch", owner=OURS))
    yard.house.open()
    orphan(yard)
    yard.house.later(minutes=11)
    yard.look()
    yard.house.later(minutes=5)
    ended = {name for name, action in yard.look() if action == "ended"}
    assert ended == {"of-nobody", "of-an-old-epoch", "i-9", "i-1"}
    for kill in yard.kills():
        assert len(set(kill.why)) == 2, kill
    reasons = {kill.name: kill.why[1] for kill in yard.kills()}
    assert "epoch 1 is over (now 2)" in reasons["of-an-old-epoch"]
    assert "belongs to no run" in reasons["of-nobody"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"stack": None}, "it carries no tag of this stack"),
        ({"stack": "other"}, "it carries no tag of this stack"),
        ({"since": None}, "nobody knows how old it is"),
        ({"owner": OURS.model_copy(update={"epoch": 7})}, "epoch 7 of stage screen"),
    ],
)
def test_what_is_not_certain_is_reported_and_left_for_ever(
    yard: Yard, change: dict[str, object], why: str
) -> None:
    yard.house.claimed()
    yard.put(a_volume(**change))
    for _ in range(5):
        found = yard.found("vol-1")
        assert (found.action, found.why[0][: len(why)]) == ("told", why)
        yard.house.later(minutes=30)
        yard.house.stages.apply(
            KEY, stage_lifecycle.beat, 1, "i-1", Progress(phase=Phase.HOST_REMOVAL), yard.house.now
        )
    assert yard.cupboard.ended == []


def test_a_machine_that_names_no_run_may_be_somebodys(yard: Yard) -> None:
    orphan(yard, owner=None)
    for _ in range(5):
        yard.house.later(hours=1)
        assert yard.look() == [("i-9", "told")]
    assert yard.house.cloud.ended == []


def test_without_the_ledger_nobody_is_an_orphan(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan(yard)

    def silent(*_: object) -> None:
        raise Unavailable("DynamoDB does not answer.")

    monkeypatch.setattr(yard.house.stages, "find", silent)
    for _ in range(4):
        yard.house.later(hours=1)
        assert yard.found("i-9").why == ("the ledger does not answer",)
    assert yard.house.cloud.ended == []


def test_what_a_living_stage_may_still_use_is_left_alone(yard: Yard) -> None:
    yard.house.claimed()
    yard.put(a_volume(owner=OURS))
    assert yard.look() == []
    yard.house.stages.apply(KEY, stage_endings.fail, 1, "WorkerFailed", "broke", yard.house.now)
    assert yard.look() == [("vol-1", "noted")]


@pytest.mark.parametrize("what", [what for what in What if what is not What.INTERFACE])
def test_young_things_are_left_alone(yard: Yard, what: What) -> None:
    yard.put(a_volume(what=what, since=yard.house.now))
    yard.house.later(minutes=4)
    assert yard.look() == []


def test_one_sort_that_cannot_be_seen_hides_no_other(yard: Yard) -> None:
    yard.cupboard.broken = True
    yard.put(a_volume())
    assert yard.look() == [("vol-1", "noted")]


def test_a_dry_look_reports_what_would_be_done_and_writes_nothing(yard: Yard) -> None:
    yard.put(a_volume())
    assert yard.look(dry=True) == [("vol-1", "noted")]
    yard.house.later(minutes=6)
    assert yard.look(dry=True) == [("vol-1", "noted")]  # the first look left no trace
    yard.look()
    yard.house.later(minutes=6)
    assert yard.look(dry=True) == [("vol-1", "would end")]
    assert (yard.cupboard.ended, yard.kills()) == ([], [])
    assert [measure.name for measure in yard.counter.measures] == ["LeftoversNoted"]


def test_a_refusal_is_written_down_and_tried_again(yard: Yard) -> None:
    yard.put(a_volume())
    yard.look()
    yard.house.later(minutes=5)
    yard.cupboard.refuses = True
    assert yard.look() == [("vol-1", "could not end")]
    assert yard.kills()[0].problem == "UnauthorizedOperation"
    yard.house.later(minutes=5)
    yard.cupboard.refuses = False
    assert yard.look() == [("vol-1", "ended")]


def test_a_kill_is_written_down_before_it_is_done(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process may die in between; then the record has `asked`."""
    yard.put(a_volume())
    yard.look()
    yard.house.later(minutes=5)

    def dies(thing: Orphan) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(yard.cupboard, "end", dies)
    with pytest.raises(KeyboardInterrupt):
        yard.look()
    assert [kill.outcome for kill in yard.kills()] == ["asked"]


def test_a_machine_whose_expiry_has_come_was_announced_at_its_launch(yard: Yard) -> None:
    house = yard.house
    house.claimed()
    expires_at = house.cloud.machines["i-1"].expires_at
    assert expires_at is not None
    house.now = expires_at
    house.open()
    house.later(minutes=4)
    assert reap_machine("i-1", yard.reaper()) == ()  # its stage moved a moment ago
    house.later(minutes=6)
    (found,) = reap_machine("i-1", yard.reaper())
    assert (found.action, house.cloud.ended) == ("ended", ["i-1"])
    assert len(house.stages.cost_lines(RUN, 0)) == 1


def test_an_expiry_that_comes_too_early_is_a_first_sight_only(yard: Yard) -> None:
    """Whoever can invoke the function cannot end a machine before its time."""
    orphan(yard, expires_at=START + timedelta(days=1))
    yard.house.later(minutes=10)
    (found,) = reap_machine("i-9", yard.reaper())
    assert (found.action, yard.house.cloud.ended) == ("noted", [])


def test_an_expired_machine_that_still_works_is_left_alone_by_its_expiry(yard: Yard) -> None:
    house = yard.house
    house.claimed()
    expires_at = house.cloud.machines["i-1"].expires_at
    assert expires_at is not None
    house.now = expires_at + timedelta(minutes=1)
    house.stages.apply(
        KEY, stage_lifecycle.beat, 1, "i-1", Progress(phase=Phase.QUALITY_CONTROL), house.now
    )
    assert reap_machine("i-1", yard.reaper()) == ()


@pytest.mark.parametrize("name", ["i-77", "i-1"])
def test_an_expiry_of_a_machine_that_is_gone_is_nothing(yard: Yard, name: str) -> None:
    yard.house.claimed()
    yard.house.cloud.lose("i-1")
    assert reap_machine(name, yard.reaper()) == ()


def test_what_was_done_is_counted(yard: Yard) -> None:
    yard.put(a_volume())
    yard.put(a_volume(name="vol-2", stack=None))
    yard.look()
    yard.house.later(minutes=5)
    yard.look()
    counted = [(measure.name, measure.value) for measure in yard.counter.measures]
    assert counted == [
        ("LeftoversNoted", 1),
        ("LeftoversStay", 1),
        ("LeftoversEnded", 1),
        ("LeftoversStay", 1),
    ]


def test_kills_are_kept_for_ninety_days(yard: Yard) -> None:
    yard.put(a_volume())
    yard.look()
    yard.house.later(minutes=5)
    yard.look()
    (item,) = yard.house.table.query_kind("KILLS")
    assert item.ttl == int((yard.house.now + timedelta(days=90)).timestamp())
