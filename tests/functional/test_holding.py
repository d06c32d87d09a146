"""A run is under legal hold: no person, no lifecycle rule and no defect removes anything of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from porewatch.adapters.ledger.retention import Endings
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.s3.versions import (
    Version,
    Versions,
)
from porewatch.adapters.table import Table
from porewatch.domain import base
from porewatch.domain.errors import MessageRefused, NotFound, UnderHold
from porewatch.domain.retention.orders import HoldRun
from porewatch.domain.runs import RunState
from porewatch.usecases.retention.find_versions import Shelves
from porewatch.usecases.retention.hold_run import (
    Keeper,
    hold_run,
)
from porewatch.usecases.views.show_runs import (
    list_runs,
    show_run,
)
from tests.functional import ended_run as made
from tests.functional.conftest import Mail
from tests.functional.doors import Context, door, fact_event, send
from tests.functional.ended_run import RUN
from tests.functional.test_pipeline_orchestrator import a_manifest, put_files, put_seal
from tests.mocked import facts_in

ORDER = {"run_id": RUN, "by": "M. Sato", "reason": "complaint 17"}
CLOCK = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


@pytest.fixture
def ended(cloud: Table) -> RunLedger:
    made.version_buckets()
    made.lock_buckets()
    return made.end_run(cloud)


def hold(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = door("run_keeper")({**ORDER, **changes}, Context())
    return found


def is_locked(bucket: str, version: Version) -> bool:
    try:
        found = boto3.client("s3").get_object_legal_hold(
            Bucket=bucket, Key=version.key, VersionId=version.number
        )
    except ClientError:
        return False
    return bool(found["LegalHold"].get("Status") == "ON")


def locks(run_id: str = RUN) -> list[bool]:
    found = [(b, v) for b, v in made.versions_of(run_id) if not v.marker]
    assert found
    return [is_locked(bucket, version) for bucket, version in found]


def test_every_version_is_locked_and_nothing_else(ended: RunLedger, cloud: Table) -> None:
    answer = hold()
    assert all(locks())
    assert answer["locked"] == len(locks())
    assert not any(locks(made.NEIGHBOUR))
    held = ended.get(RUN).hold
    assert held and (held.by, held.reason) == ("M. Sato", "complaint 17")
    assert held.covered_to is not None
    assert facts_in(cloud, RUN).count("RunHeld") == 1


def test_s3_itself_refuses_to_delete_what_is_locked(ended: RunLedger) -> None:
    hold()
    found = [(b, v) for b, v in made.versions_of(RUN) if not v.marker]
    for bucket, version in found:
        with pytest.raises(UnderHold, match="S3 itself holds them"):
            Versions(bucket).delete([version])
    assert [(b, v) for b, v in made.versions_of(RUN) if not v.marker] == found


def test_the_first_hold_stands_however_often_it_is_repeated(ended: RunLedger, cloud: Table) -> None:
    hold()
    first = ended.get(RUN).hold
    hold(by="K. Mori", reason="another reason")
    again = ended.get(RUN).hold
    assert first and again and (again.by, again.at) == (first.by, first.at)
    assert facts_in(cloud, RUN).count("RunHeld") == 1


def test_a_release_unlocks_everything_and_is_remembered(ended: RunLedger, cloud: Table) -> None:
    hold()
    answer = hold(release=True, by="K. Mori", reason="the complaint is closed")
    assert answer["hold"] is None
    assert not any(locks())
    run = ended.get(RUN)
    (earlier,) = run.earlier_holds
    assert run.hold is None
    assert earlier.released and earlier.released.by == "K. Mori"
    assert facts_in(cloud, RUN).count("HoldReleased") == 1
    with pytest.raises(NotFound, match="no legal hold"):
        hold(release=True)
    hold(reason="a second complaint")
    assert all(locks())


def test_what_cannot_be_an_order_is_refused(ended: RunLedger) -> None:
    for wrong in ({"reason": " "}, {"by": ""}, {"run_id": "../x"}, {"reason": "x" * 301}):
        with pytest.raises(MessageRefused):
            hold(**wrong)
    with pytest.raises(NotFound):
        hold(run_id="no-such-run")


class Died(Exception):
    """The function's process is gone."""


@contextmanager
def dying(at: int) -> Iterator[list[str]]:
    seen: list[str] = []
    real = BaseClient._make_api_call
    changes = ("PutObjectLegalHold", "TransactWriteItems", "PutItem", "PutObjectLockConfiguration")

    def call(self: Any, operation: str, request: Any) -> Any:
        if operation in changes:
            seen.append(operation)
            if len(seen) == at:
                raise Died
        return real(self, operation, request)

    with patch.object(BaseClient, "_make_api_call", call):
        yield seen


@pytest.mark.parametrize("release", [False, True])
@pytest.mark.parametrize("few", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_dying_at_any_change_the_sweep_finishes_it(
    ended: RunLedger, cloud: Table, few: bool, release: bool
) -> None:
    hold()
    with dying(999) as steps:
        hold(release=True)
        hold()
    changes = len(steps) // 2
    assert changes > 10
    for at in (3, changes) if few else range(2, changes + 1):
        if (ended.get(RUN).hold is None) is release:
            hold(release=not release)
        with dying(at), pytest.raises(Died):
            hold(release=release)
        assert ended.get(RUN).hold is not None, "in doubt, nothing may be deleted"
        door("run_keeper")(CLOCK, Context())
        assert all(locks()) is not release
        assert any(locks()) is not release
        assert (ended.get(RUN).hold is None) is release
        if not release:
            hold(release=True)


def test_what_is_written_into_a_held_run_is_locked_within_the_hour(ended: RunLedger) -> None:
    hold()
    boto3.client("s3").put_object(Bucket="results", Key="runs/run-1/r2/new", Body=b"x")
    assert not all(locks())
    with dying(999) as steps:
        door("run_keeper")(CLOCK, Context())
    assert all(locks())
    with patch.object(base, "clock", lambda: base.wall() + timedelta(days=9)):
        door("run_keeper")(CLOCK, Context())
        with dying(999) as steps:
            door("run_keeper")(CLOCK, Context())
    assert "PutObjectLegalHold" not in steps, "what is locked is not locked again"


def test_a_held_run_is_sealed_again_and_stays_held(ended: RunLedger) -> None:
    hold()
    put_files()
    send("pipeline_orchestrator", put_seal(a_manifest(when=base.now())))
    run = ended.get(RUN)
    assert (run.state, run.revision) == (RunState.RUNNING, 1)
    assert run.hold is not None


def test_lists_and_the_api_show_it(ended: RunLedger, cloud: Table) -> None:
    hold()
    (shown,) = list_runs(runs=ProjectRuns(cloud), projects=None, limit=None, state=None).public()[
        "runs"
    ]  # type: ignore[misc]
    assert shown["hold"]["reason"] == "complaint 17"
    assert show_run(RUN, runs=ended).public()["hold"] == shown["hold"]


def test_people_are_notified_of_both(ended: RunLedger, cloud: Table, notices: Mail) -> None:
    hold()
    hold(release=True, by="K. Mori", reason="closed")
    for kind, phrase in (("RunHeld", "complaint 17"), ("HoldReleased", "K. Mori")):
        (item,) = cloud.query(f"RUN#{RUN}", f"FACT#{kind}:")
        fact = json.loads(str(item.attributes["detail"]))
        for _ in range(2):
            send("alert_handler", fact_event(kind, fact))
        (mail,) = notices()
        assert phrase in mail["Message"]


def keeper(cloud: Table, clock: Any, until: Any) -> Keeper:
    ends = Endings(cloud)
    shelves = Shelves(*(Versions(name) for name in made.BUCKETS), ends)
    return Keeper(RunLedger(cloud), ends, shelves, clock, until)


class OneBatch:
    """A clock by which a call has time for one batch."""

    def __init__(self) -> None:
        self.start, self.looks = base.now(), 0

    def __call__(self) -> Any:
        self.looks += 1
        return self.start + timedelta(seconds=self.looks)


@pytest.mark.parametrize("release", [False, True])
def test_a_large_run_is_locked_and_unlocked_in_slices_each_version_once(
    ended: RunLedger, cloud: Table, monkeypatch: pytest.MonkeyPatch, release: bool
) -> None:
    if release:
        hold()
    monkeypatch.setattr("porewatch.usecases.retention.hold_run.BATCH", 2)
    order = HoldRun.model_validate({**ORDER, "release": release})
    calls, locked, more = 0, 0, True
    with dying(999) as steps:
        while more:
            clock = OneBatch()
            done = hold_run(order, keeper(cloud, clock, clock.start + timedelta(seconds=5)))
            calls, locked, more = calls + 1, locked + done.locked, done.more
            assert calls < 40, "it goes on from where it came to"
    assert calls > 3
    assert locked == steps.count("PutObjectLegalHold") == len(locks())
    assert all(locks()) is not release
    held = ended.get(RUN).hold
    assert held is None if release else held and held.covered_to and held.reached is None


def test_a_hold_that_ends_before_it_had_turned_object_lock_on_ends(
    cloud: Table,
) -> None:
    made.version_buckets()
    runs = made.end_run(cloud)
    Endings(cloud).hold(HoldRun.model_validate(ORDER), base.now())  # and its function died here
    assert runs.get(RUN).hold is not None
    assert hold(release=True)["hold"] is None
    assert runs.get(RUN).hold is None
