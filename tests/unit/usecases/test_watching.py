"""Who watches sees the dead, leaves the living alone, and does nothing when nothing is certain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.errors import ConfigurationRefused, Unavailable
from porewatch.domain.rules import stage_endings, stage_lifecycle
from porewatch.domain.s3_keys import boot_log_of
from porewatch.domain.stage.cloud_events import InstanceEvent, InstanceEventKind
from porewatch.domain.stage.record import Progress, StageState
from porewatch.domain.stage.spec import Phase
from porewatch.usecases.monitoring.monitor_instances import (
    handle_instance_event,
    sweep,
)
from tests.mocked import facts_in
from tests.unit.usecases.house import KEY, MANIFEST_KEY, RUN, SPEC, House, attempt_of


@pytest.fixture
def house(ledger: Table, buckets: None) -> House:
    return House(ledger)


def beat(house: House) -> None:
    progress = Progress(phase=Phase.QUALITY_CONTROL, checkpoint=5)
    house.stages.apply(KEY, stage_lifecycle.beat, 1, "i-1", progress, house.now)


def three_sweeps(house: House) -> None:
    """The last of them now; nothing came of the first two."""
    for _ in range(2):
        sweep(house.watch())
        assert house.state_machine.answers == []
        house.later(minutes=1)
    sweep(house.watch())


def send_event(house: House, kind: InstanceEventKind, state: str = "") -> None:
    handle_instance_event(InstanceEvent(kind=kind, instance_id="i-1", state=state), house.watch())


def test_a_working_machine_is_left_alone(house: House) -> None:
    before = house.claimed()
    for _ in range(5):
        house.later(minutes=4)
        beat(house)
        sweep(house.watch())
    assert house.record().state is before.state is StageState.CLAIMED
    assert house.cloud.ended == []
    assert house.state_machine.answers == []


def test_a_machine_that_died_is_answered_to_the_state_machine_once(house: House) -> None:
    house.claimed()
    house.cloud.lose("i-1")
    house.later(minutes=1)
    sweep(house.watch())
    sweep(house.watch())
    assert [h[:2] for h in house.state_machine.answers] == [("t1", "WorkerLost")]
    assert "Server.InternalError" in house.state_machine.answers[0][2]


@pytest.mark.parametrize("noticed", [True, False])
def test_a_machine_that_was_taken_back_is_an_interruption_and_no_error(
    house: House, noticed: bool
) -> None:
    house.claimed()
    house.later(minutes=1)
    beat(house)
    if noticed:
        send_event(house, InstanceEventKind.RECLAIM)
    house.cloud.lose("i-1", "Client.X" if noticed else "Server.SpotInstanceTermination")
    house.later(minutes=1)
    send_event(house, InstanceEventKind.STATE, "terminated")
    record = house.record()
    assert (record.state, record.interruptions, record.errors) == (StageState.INTERRUPTED, 1, 0)
    assert house.state_machine.answers[0][1] == "SpotInterrupted"
    facts = [f for f in house.stages.facts(RUN, 0) if type(f).__name__ == "SpotInterrupted"]
    assert facts[0].model_dump()["last_checkpoint"] == 5


def test_the_last_messages_of_a_leaving_worker_are_waited_for(house: House) -> None:
    house.claimed()
    house.cloud.lose("i-1", "Client.InstanceInitiatedShutdown")
    house.later(seconds=10)
    send_event(house, InstanceEventKind.STATE, "shutting-down")
    assert house.record().state is StageState.CLAIMED


def test_a_worker_whose_last_message_was_lost_after_publishing_has_succeeded(house: House) -> None:
    house.claimed()
    house.publish()
    house.cloud.lose("i-1", "Client.InstanceInitiatedShutdown")
    house.later(minutes=3)
    sweep(house.watch())
    assert house.state_machine.answers == [("t1", "success", MANIFEST_KEY)]
    assert facts_in(house.table, RUN).count("StageCompleted") == 1


def test_an_end_that_was_recorded_but_never_answered_is_answered(house: House) -> None:
    house.claimed()
    house.stages.apply(KEY, stage_endings.fail, 1, "WorkerFailed", "broke", house.now)
    sweep(house.watch())
    assert house.state_machine.answers == [("t1", "WorkerFailed", "broke")]
    assert list(house.stages.awaiting()) == []


def never_spoke(house: House) -> None:
    house.seal()
    house.open()
    house.launch(1)
    house.wait(1, "t1")


def consoles(house: House) -> dict[str, bytes]:
    found = house.results.keys(s3_keys.epoch_prefix(*KEY, 1))
    return {head.key: house.results.get(head.key) for head in found if boot_log_of(head.key)}


CONSOLE = s3_keys.console_key(*KEY, 1, "i-1")
BOOT = attempt_of() + s3_keys.BOOT_LOG


@pytest.mark.parametrize(
    ("printed", "sent", "kept"),
    [
        ("kernel: panic", False, {CONSOLE: b"kernel: panic"}),
        ("kernel: panic", True, {BOOT: b"docker: 125"}),  # its own output has more
        ("", False, {}),
        (None, False, {}),
    ],
)
def test_r6_the_console_of_a_machine_that_sent_nothing_is_kept(
    house: House, printed: str | None, sent: bool, kept: dict[str, bytes]
) -> None:
    never_spoke(house)
    house.cloud.printed = printed
    if sent:
        house.results.put(BOOT, b"docker: 125")
    house.cloud.lose("i-1", "Client.InstanceInitiatedShutdown")
    house.later(minutes=6)
    sweep(house.watch())
    assert house.state_machine.answers[0][1] == "WorkerLost"
    assert consoles(house) == kept


def test_r6_a_machine_that_hangs_in_its_boot_is_given_up_and_its_console_kept(
    house: House,
) -> None:
    """A mount or a driver that never answers: the machine runs, and nobody works on it."""
    never_spoke(house)
    house.cloud.printed = "nfs: server not responding, still trying"
    house.later(seconds=601)
    three_sweeps(house)
    assert house.state_machine.answers[0][1] == "WorkerLost"
    assert consoles(house) == {CONSOLE: b"nfs: server not responding, still trying"}


def test_r6_of_a_worker_that_sent_messages_no_console_is_kept(house: House) -> None:
    house.claimed()
    house.cloud.lose("i-1")
    house.later(minutes=6)
    sweep(house.watch())
    assert house.state_machine.answers[0][1] == "WorkerLost"
    assert consoles(house) == {}


def test_a_machine_that_never_begins_is_given_up_at_its_deadline_and_not_before(
    house: House,
) -> None:
    house.seal()
    house.open()
    house.launch(1)
    house.wait(1, "t1")
    house.later(seconds=600)
    sweep(house.watch())
    assert house.state_machine.answers == []
    house.later(seconds=1)
    three_sweeps(house)
    assert house.state_machine.answers[0][1] == "WorkerLost"
    assert "600 s" in house.state_machine.answers[0][2]


def test_a_silent_worker_is_given_up_when_no_messages_are_waiting(house: House) -> None:
    house.claimed()
    sweep(house.watch())
    house.later(seconds=301)
    three_sweeps(house)
    assert house.state_machine.answers[0][1] == "WorkerLost"
    assert "silent for 421 s" in house.state_machine.answers[0][2]


def test_while_nobody_could_write_the_ledger_nobody_was_silent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour of sweeps that cannot write; then the ledger is back, and the worker's message."""
    house.claimed()
    sweep(house.watch())
    with monkeypatch.context() as away:
        away.setattr(stage_lifecycle, "count_silence", _unavailable)
        for _ in range(60):
            house.later(minutes=1)
            sweep(house.watch())
    for _ in range(2):
        house.later(minutes=1)
        sweep(house.watch())
    assert house.record().silent_sweeps == 2
    for _ in range(10):
        beat(house)
        house.later(minutes=1)
        sweep(house.watch())
    assert (house.record().state, house.state_machine.answers) == (StageState.CLAIMED, [])


def _unavailable(*_: object) -> None:
    raise Unavailable("the ledger does not answer.")


def test_a_sweep_that_comes_three_times_counts_once(house: House) -> None:
    house.claimed()
    sweep(house.watch())
    house.later(seconds=301)
    for _ in range(5):
        sweep(house.watch())
        house.later(seconds=1)
    assert (house.record().silent_sweeps, house.state_machine.answers) == (1, [])


@pytest.mark.parametrize("relayed", [True, False])
@pytest.mark.parametrize("ahead_s", [-290, -60, 290])
def test_a_worker_whose_clock_is_wrong_is_neither_silent_nor_immortal(
    house: House, ahead_s: int, relayed: bool
) -> None:
    house.claimed()
    skew = timedelta(seconds=ahead_s)
    for unit in range(30):
        house.later(minutes=1)
        progress = Progress(phase=Phase.QUALITY_CONTROL, units_done=unit)
        said = min(house.now + skew, house.now) if relayed else house.now + skew
        heard = house.now if relayed else None
        house.stages.apply(KEY, stage_lifecycle.beat, 1, "i-1", progress, said, heard=heard)
        sweep(house.watch())
        assert house.record().state is StageState.CLAIMED
    for _ in range(9):
        house.later(minutes=1)
        sweep(house.watch())
    assert house.record().error == "WorkerLost"


def test_a_dead_worker_whose_clock_was_ahead_is_given_up_no_later_than_any_other(
    house: House,
) -> None:
    house.claimed()
    house.later(seconds=60)
    ahead = house.now + timedelta(hours=3)
    house.stages.apply(
        KEY,
        stage_lifecycle.beat,
        1,
        "i-1",
        Progress(phase=Phase.QUALITY_CONTROL, units_done=1),
        ahead,
    )
    house.later(seconds=60)
    sweep(house.watch())  # sees the time that has not come yet, and sets it back
    record = house.record()
    assert (record.last_beat, record.progress_at, record.updated_at) == (house.now,) * 3
    house.later(seconds=SPEC.beat_timeout_s + 1)
    three_sweeps(house)
    assert house.state_machine.answers[0][:2] == ("t1", "WorkerLost")


def test_a_living_worker_whose_clock_is_ahead_is_alive_and_its_work_seen(house: House) -> None:
    house.claimed()
    for minute in range(20):
        house.later(seconds=60)
        ahead, units = house.now + timedelta(minutes=4), minute
        progress = Progress(phase=Phase.QUALITY_CONTROL, units_done=units)
        house.stages.apply(KEY, stage_lifecycle.beat, 1, "i-1", progress, ahead)
        sweep(house.watch())
        assert house.record().progress == progress
    assert (house.state_machine.answers, house.cloud.ended) == ([], [])


def test_silence_proves_nothing_while_the_queue_cannot_be_seen(house: House) -> None:
    house.claimed()
    house.ear.empty = None
    house.later(hours=1)
    sweep(house.watch())
    assert house.record().state is StageState.CLAIMED
    assert house.cloud.ended == []


def test_while_messages_are_waiting_silence_must_last_half_as_long_again(house: House) -> None:
    """A busy stack's queue is never seen empty."""
    house.claimed()
    sweep(house.watch())
    house.ear.empty = False
    house.later(seconds=330)
    three_sweeps(house)
    assert house.record().state is StageState.CLAIMED
    house.later(seconds=1)
    sweep(house.watch())
    assert house.record().error == "WorkerLost"


def test_the_state_machine_gets_heartbeats_of_workers_whose_own_are_lost(house: House) -> None:
    house.claimed()
    house.later(minutes=1)
    beat(house)  # in the ledger; its callback was lost
    sweep(house.watch())
    assert house.state_machine.beats == ["t1"]


def test_when_the_cloud_does_not_answer_nobody_is_dead(house: House) -> None:
    house.claimed()
    house.cloud.lose("i-1")
    house.cloud.unreachable = True
    house.later(hours=1)
    sweep(house.watch())
    assert house.record().state is StageState.CLAIMED


def test_a_machine_that_does_not_show_is_lost_only_after_a_while(house: House) -> None:
    house.claimed()
    sweep(house.watch())
    house.cloud.machines.clear()
    house.later(minutes=4)
    sweep(house.watch())
    assert house.record().state is StageState.CLAIMED
    house.later(minutes=2)
    sweep(house.watch())
    assert house.record().error == "WorkerLost"


def test_the_trouble_of_one_stage_does_not_keep_another_from_being_looked_after(
    house: House,
) -> None:
    house.claimed()
    house.cloud.lose("i-1")
    bad = house.record().model_copy(update={"run_id": "run-0", "stage": "screen"})
    house.stages.open_stage(bad.key, SPEC, house.now)
    house.results.put(MANIFEST_KEY.replace("run-1", "run-0"), b"not a manifest")
    house.later(minutes=1)
    sweep(house.watch())
    assert house.state_machine.answers[0][1] == "WorkerLost"


def test_events_of_machines_of_others_change_nothing(house: House) -> None:
    house.claimed()
    stranger = InstanceEvent(kind=InstanceEventKind.STATE, instance_id="i-99", state="terminated")
    handle_instance_event(stranger, house.watch())
    assert house.record().state is StageState.CLAIMED


def test_a_forgotten_machine_of_an_old_epoch_is_ended_and_paid_for(house: House) -> None:
    house.claimed()
    house.open()
    house.later(minutes=6)
    sweep(house.watch())
    house.later(minutes=4)
    sweep(house.watch())
    assert house.cloud.ended == []  # seen twice, four minutes apart
    house.later(minutes=1)
    sweep(house.watch())
    assert house.cloud.ended == ["i-1"]
    (fact,) = (f for f in house.stages.facts(RUN, 0) if type(f).__name__ == "InstanceTerminated")
    assert "epoch 1 is over (now 2)" in fact.model_dump()["reason"]
    assert "nothing happened for 11 minutes" in fact.model_dump()["reason"]


def test_a_machine_whose_stage_nobody_knows_is_ended_at_second_sight_and_without_a_bill(
    house: House,
) -> None:
    house.claimed()
    house.table.delete(f"RUN#{RUN}", "STAGE#0000#screen")
    house.later(days=3)
    sweep(house.watch())
    assert house.cloud.ended == []
    house.later(minutes=5)
    sweep(house.watch())
    assert house.cloud.ended == ["i-1"]
    (kill,) = house.watch().kills.all()
    assert (kill.outcome, kill.why[1]) == (
        "ended",
        f"the ledger knows no stage screen of {RUN} revision 0",
    )
    assert house.stages.cost_lines(RUN, 0) == ()


def test_an_expired_machine_that_still_works_is_left_alone_and_a_still_one_is_not(
    house: House,
) -> None:
    house.claimed()
    expires_at = house.cloud.machines["i-1"].expires_at
    assert expires_at is not None
    house.now = expires_at + timedelta(minutes=1)
    beat(house)
    sweep(house.watch())
    assert house.cloud.ended == []
    house.ear.empty = False
    for _ in range(2):
        assert house.cloud.ended == []
        house.later(minutes=6)
        sweep(house.watch())
    assert house.cloud.ended == ["i-1"]


def test_a_machine_that_cannot_be_ended_does_not_keep_the_others_alive(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.claimed()
    house.cloud.machines["i-2"] = house.cloud.machines["i-1"].model_copy(
        update={"instance_id": "i-2"}
    )
    house.open()
    house.later(minutes=11)
    terminate = house.cloud.terminate

    def protected(instance_id: str) -> None:
        if instance_id == "i-1":
            raise ConfigurationRefused("OperationNotPermitted: it may not be ended by API.")
        terminate(instance_id)

    monkeypatch.setattr(house.cloud, "terminate", protected)
    sweep(house.watch())
    house.later(minutes=5)
    sweep(house.watch())
    assert house.cloud.ended == ["i-2"]
    outcomes = {kill.name: (kill.outcome, kill.problem) for kill in house.watch().kills.all()}
    assert outcomes["i-2"] == ("ended", "")
    assert outcomes["i-1"][0] == "could not end"
    assert "OperationNotPermitted" in outcomes["i-1"][1]


def test_a_late_machine_of_an_old_epoch_that_went_by_itself_is_paid_for_once(
    house: House,
) -> None:
    """A launch of unknown outcome: its machine shows after the epoch is over, and leaves."""
    house.claimed()
    house.open()
    house.later(minutes=2)
    house.cloud.lose("i-1", "Client.InstanceInitiatedShutdown")
    house.later(minutes=12)
    sweep(house.watch())
    house.later(minutes=1)
    sweep(house.watch())
    (line,) = house.stages.cost_lines(RUN, 0)
    assert (line.instance_id, line.seconds) == ("i-1", 120)
    assert facts_in(house.table, RUN).count("InstanceTerminated") == 1


def test_a_workers_last_message_is_read_before_it_is_called_lost(
    house: House,
) -> None:
    """Its last beat was a while ago; its last message ("refused: why") still lies in the queue."""
    house.claimed()
    house.later(seconds=55)
    house.cloud.lose("i-1", "Client.InstanceInitiatedShutdown")
    send_event(house, InstanceEventKind.STATE, "terminated")
    assert house.record().state is StageState.CLAIMED
    house.ear.empty = False
    house.later(minutes=1)
    sweep(house.watch())
    assert house.record().state is StageState.CLAIMED
    house.ear.empty = True
    sweep(house.watch())
    assert house.record().error == "WorkerLost"


def test_a_dead_machine_is_not_waited_for_for_ever(house: House) -> None:
    house.claimed()
    house.cloud.lose("i-1")
    house.ear.empty = False
    house.later(minutes=6)
    sweep(house.watch())
    assert house.record().error == "WorkerLost"
