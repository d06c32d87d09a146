"""The control plane alone makes a manifest visible: that of the epoch's own machine."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.errors import MessageRefused, StaleEpoch
from porewatch.domain.rules import stage_endings, stage_lifecycle
from porewatch.domain.stage.manifest import OutputFile
from porewatch.domain.stage.record import StageState
from porewatch.domain.stage.worker_messages import Published
from porewatch.usecases.monitoring.monitor_instances import sweep
from porewatch.usecases.stages.handle_worker_message import handle_worker_message
from porewatch.usecases.stages.publish_stage import publish_stage
from tests.unit.usecases.house import (
    KEY,
    MANIFEST_KEY,
    REVISION,
    RUN,
    STAGE,
    House,
    attempt_of,
    draft_of,
    user_of,
)


@pytest.fixture
def house(ledger: Table, buckets: None) -> House:
    return House(ledger)


def send_published(house: House, key: str, *, epoch: int = 1, who: str = "i-1") -> None:
    at: datetime = house.now
    handle_worker_message(
        Published(
            run_id=RUN,
            revision=REVISION,
            stage=STAGE,
            epoch=epoch,
            instance_id=who,
            user_id=user_of(who),
            at=at,
            manifest_key=key,
        ),
        house.desk(),
    )


def an_output(key: str) -> dict[str, OutputFile]:
    return {"screen.json": OutputFile(key=key, sha256="0" * 64, size=1)}


def test_a_draft_is_visible_to_nobody_until_it_is_published(house: House) -> None:
    house.claimed()
    key = house.publish(outputs=an_output(f"{attempt_of()}outputs/screen.json"))
    assert house.results.head(MANIFEST_KEY) is None
    send_published(house, key)
    send_published(house, key)
    assert house.results.get(MANIFEST_KEY) == house.results.get(key)
    assert house.record().state is StageState.PUBLISHED


FOREIGN: dict[str, dict[str, Any]] = {
    "of another stage": {"stage": "report"},
    "of another run": {"run_id": "run-2"},
    "of another revision": {"revision": 7},
    "of another epoch": {"epoch": 2},
    "of another machine": {"instance_id": "i-2"},
    "an output of another run": {"outputs": an_output("runs/run-2/r0/screen/e1/x/outputs/a")},
    "an output of another machine": {"outputs": an_output(f"{attempt_of(1, 'i-2')}outputs/a")},
    "an output of another epoch": {"outputs": an_output(f"{attempt_of(2)}outputs/a")},
    "an output that is a checkpoint": {"outputs": an_output(f"{attempt_of()}checkpoint/f/units/1")},
    "an order for an output": {"outputs": an_output(s3_keys.order_key(*KEY))},
}


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("door", ["message", "sweep", "next epoch"])
def test_a_manifest_that_is_foreign_is_refused_reported_and_without_effect(
    house: House, what: str, door: str
) -> None:
    house.claimed()
    key = draft_of()
    house.results.put_json(key, house.manifest().model_copy(update=FOREIGN[what]))
    if door == "message":
        send_published(house, key)
    elif door == "sweep":
        sweep(house.watch())
    else:
        assert house.open().manifest_key is None
    assert house.results.head(MANIFEST_KEY) is None
    record = house.record()
    if door == "next epoch":
        assert (record.epoch, record.state) == (2, StageState.OPEN)
    else:
        assert (record.state, record.error) == (StageState.FAILED, "WorkerFailed")
        assert key in (record.problem or "")
        assert house.state_machine.answers[0][1] == "WorkerFailed"


def test_a_draft_of_an_epoch_that_is_over_stays_a_draft(house: House) -> None:
    house.claimed()
    house.stages.apply(KEY, stage_endings.fail, 1, "WorkerLost", "silent", house.now)
    house.open()
    key = house.publish()
    with pytest.raises(StaleEpoch):
        send_published(house, key)
    sweep(house.watch())
    assert house.results.head(MANIFEST_KEY) is None
    assert (house.record().epoch, house.record().state) == (2, StageState.OPEN)


def test_another_machine_publishes_nothing(house: House) -> None:
    house.claimed()
    house.results.put_json(draft_of(1, "i-2"), house.manifest())
    with pytest.raises(StaleEpoch):
        send_published(house, draft_of(1, "i-2"), who="i-2")
    with pytest.raises(MessageRefused, match="is not the manifest key"):
        send_published(house, draft_of(1, "i-2"))
    assert house.results.head(MANIFEST_KEY) is None
    assert house.record().state is StageState.CLAIMED


def test_a_machine_cannot_claim_to_write_as_another(house: House) -> None:
    house.seal()
    house.open()
    machine = house.launch(1)
    for user in (user_of("i-2"), "AROAWORKER:x/y", "AROAWORKER"):
        with pytest.raises(MessageRefused, match="which is another"):
            house.stages.apply(KEY, stage_lifecycle.claim, 1, machine, house.now, user)
    house.stages.apply(KEY, stage_lifecycle.claim, 1, machine, house.now, user_of(machine))
    assert house.record().attempt == attempt_of()


def test_what_is_visible_stays_the_truth(house: House) -> None:
    """A successor that finds its stage published only reports it."""
    house.claimed()
    key = house.publish()
    send_published(house, key)
    first = house.results.get(MANIFEST_KEY)
    house.publish(fingerprint="another")
    send_published(house, MANIFEST_KEY)
    assert house.results.get(MANIFEST_KEY) == first


def test_of_two_that_publish_at_once_the_first_one_counts(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message and the sweep: both saw no manifest, and one is faster."""
    house.claimed()
    key = house.publish()
    first = house.manifest(fingerprint="first").canonical_json().encode()
    put_new = house.results.put_new

    def late(to: str, content: bytes, content_type: str = "") -> str:
        house.results.put(to, first)
        return put_new(to, content)

    monkeypatch.setattr(house.results, "put_new", late)
    send_published(house, key)
    assert house.results.get(MANIFEST_KEY) == first
    assert house.record().state is StageState.PUBLISHED


def test_the_next_order_names_where_earlier_machines_wrote_and_nothing_else(house: House) -> None:
    house.claimed()
    house.results.put(f"{attempt_of(1, 'i-666')}checkpoint/f/checkpoint.json", b"{}")
    house.stages.apply(KEY, stage_endings.interrupt, 1, "i-1", 3, house.now)
    house.open()
    house.open()
    order = house.results.get(s3_keys.order_key(*KEY)).decode()
    assert house.record().attempts == (attempt_of(),)
    assert attempt_of() in order
    assert "i-666" not in order


def test_what_is_visible_counts_where_no_draft_is(house: House) -> None:
    """Of an earlier epoch's machine, for instance: this epoch's has written nothing yet."""
    house.claimed()
    house.results.put_json(MANIFEST_KEY, house.manifest())
    done = publish_stage(house.record(), stages=house.stages, results=house.results, at=house.now)
    assert done is not None
    assert done.state is StageState.PUBLISHED
