"""A run is deleted: everything of it goes, nothing else does, and nothing brings it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient

from porewatch.adapters import clients
from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.ledger.retention import Endings
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.registry.database import Registry
from porewatch.adapters.registry.erasure import TABLES
from porewatch.adapters.table import Table
from porewatch.domain import base
from porewatch.domain.errors import NotFound, RunGone, RunNotOver, UnderHold
from porewatch.domain.retention.orders import HoldRun
from porewatch.domain.retention.stays import STAYS
from porewatch.domain.rules import run_endings
from porewatch.domain.rules.cancelling import Cancel
from porewatch.domain.runs import RunState
from porewatch.domain.stage.worker_messages import Suspected
from porewatch.usecases.alerts.raise_alert import raise_alert
from tests.functional import ended_run as made
from tests.functional.conftest import Mail, executions
from tests.functional.data_api import DataApi
from tests.functional.doors import Context, door, fact_event, put, send
from tests.functional.ended_run import RUN
from tests.functional.test_pipeline_orchestrator import (
    GOOD,
    SUMMARY,
    SUMMARY_KEY,
    a_manifest,
    put_seal,
    validated,
)
from tests.functional.test_registry import STORY, a_fact, api, registry, server  # noqa: F401
from tests.mocked import facts_in

ORDER = {"run_id": RUN, "by": "K. Mori", "reason": "the client asked for it"}
CLOCK = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


@pytest.fixture
def ledger(
    cloud: Table,
    api: DataApi,  # noqa: F811
    registry: Registry,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> Table:
    for name in ("DB_CLUSTER_ARN", "DB_SECRET_ARN", "DB_NAME"):
        monkeypatch.setenv(name, "registry")
    monkeypatch.setattr(clients, "rds_data", lambda: api)
    made.version_buckets()
    return cloud


def delete(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = door("run_eraser")({**ORDER, **changes}, Context())
    return found


@contextmanager
def later(**passed: float) -> Iterator[None]:
    with patch.object(base, "clock", lambda: base.wall() + timedelta(**passed)):
        yield


def rows_left(registry: Registry) -> int:  # noqa: F811
    return sum(len(registry.execute(f"SELECT 1 FROM {t} WHERE run_id = :r", r=RUN)) for t in TABLES)


def is_gone(ledger: Table, registry: Registry) -> None:  # noqa: F811
    assert made.versions_of(RUN) == []
    assert made.uploads_left() == []
    assert rows_left(registry) == 0
    assert facts_in(ledger, RUN) == ["RunDeleted"]
    assert [sk for sk in made.sort_keys(ledger) if not sk.startswith("FACT#")] == ["PROJECT", "RUN"]


def test_everything_goes_and_only_of_this_run(
    ledger: Table,
    registry: Registry,  # noqa: F811
) -> None:
    runs = made.end_run(ledger, registry)
    neighbour = made.versions_of(made.NEIGHBOUR)
    there = made.versions_of(RUN)
    items = len(made.sort_keys(ledger)) - 2  # its record and its place in the list stay
    answer = delete()
    is_gone(ledger, registry)
    assert made.versions_of(made.NEIGHBOUR) == neighbour
    assert (answer["state"], answer["more"]) == ("deleted", False)
    found = answer["found"]
    assert (found["versions"], found["items"]) == (len(there), items)
    assert found["bytes"] == sum(version.size for _, version in there)
    run = runs.get(RUN)
    assert run.state is RunState.DELETED
    assert run.cost_usd == 0.5
    assert run.manifest_digest == a_manifest().digest()
    assert "K. Mori: the client asked for it" in (run.problem or "")
    assert run.deletion and run.deletion.was == "completed"
    assert registry.execute("SELECT usd FROM costs") == [{"usd": 0.01}], "the books stay"


def test_a_dry_run_reports_the_same_and_touches_nothing(
    ledger: Table,
    registry: Registry,  # noqa: F811
) -> None:
    made.end_run(ledger, registry)
    before = (made.versions_of(RUN), made.sort_keys(ledger), rows_left(registry))
    answer = delete(dry_run=True)
    assert (answer["state"], answer["dry_run"], tuple(answer["stays"])) == (
        "completed",
        True,
        STAYS,
    )
    assert (made.versions_of(RUN), made.sort_keys(ledger), rows_left(registry)) == before
    assert answer["found"]["rows"] == before[2] > 5
    assert delete()["found"] == answer["found"]


@pytest.mark.parametrize("state", ["receiving", "sealed", "running"])
def test_a_run_under_way_is_cancelled_first(ledger: Table, runs: RunLedger, state: str) -> None:
    send("fastq_validator", put("runs/run-1/fastq/a.fastq.gz", GOOD))
    if state == "sealed":
        put_seal(a_manifest())
        runs.seal(a_manifest(), sealed_by="run.json", at=base.now())
    if state == "running":
        made.put_files()
        send("pipeline_orchestrator", put_seal(a_manifest()))
    for dry in (True, False):
        with pytest.raises(RunNotOver, match=f"is {state}.*porewatch cancel"):
            delete(dry_run=dry)
    assert runs.get(RUN).state == state
    assert made.versions_of(RUN)
    runs.apply(RUN, run_endings.cancel, order=Cancel(run_id=RUN), at=base.now())
    assert delete()["state"] == "deleted"


def test_an_unknown_run_is_not_found(ledger: Table) -> None:
    with pytest.raises(NotFound):
        delete(run_id="no-such-run")


def test_under_legal_hold_nothing_goes(
    ledger: Table,
    registry: Registry,  # noqa: F811
) -> None:
    runs = made.end_run(ledger, registry)
    hold = HoldRun(run_id=RUN, by="M. Sato", reason="complaint 17")
    Endings(ledger).hold(hold, base.now())
    before = (made.versions_of(RUN), made.sort_keys(ledger))
    for dry in (True, False):
        with pytest.raises(UnderHold, match=r"M. Sato: complaint 17"):
            delete(dry_run=dry)
    assert (made.versions_of(RUN), made.sort_keys(ledger)) == before
    assert runs.get(RUN).state is RunState.COMPLETED


def test_an_alert_that_waits_for_somebody_is_not_deleted_away(
    ledger: Table,
    registry: Registry,  # noqa: F811
) -> None:
    made.end_run(ledger, registry)
    alerts = AlertLedger(ledger)
    alert = alerts.raise_alert(STORY[11])  # type: ignore[arg-type]
    with pytest.raises(RunNotOver, match=r"PERV-C in sample pig.*porewatch ack"):
        delete()
    alerts.acknowledge(alert, "M. Sato", "seen", base.now())
    assert delete()["state"] == "deleted"
    assert alerts.listed(every=True) == ()


Crash = Callable[[str, int], None]


class Died(Exception):
    """The function's process is gone."""


CHANGES = {"DeleteObjects", "AbortMultipartUpload", "PutItem", "TransactWriteItems",
           "BatchWriteItem"}  # fmt: skip


@contextmanager
def dying(at: int, *, done: bool, api: DataApi) -> Iterator[list[str]]:  # noqa: F811
    """The process dies at the `at`-th change it makes, before or after (`done`) it is made."""
    seen: list[str] = []
    real, sql = BaseClient._make_api_call, api.execute_statement

    def count(what: str, act: Callable[[], Any]) -> Any:
        seen.append(what)
        if len(seen) == at and not done:
            raise Died
        answer = act()
        if len(seen) == at:
            raise Died
        return answer

    def call(self: Any, operation: str, request: Any) -> Any:
        act = lambda: real(self, operation, request)  # noqa: E731
        return count(operation, act) if operation in CHANGES else act()

    def execute(**request: Any) -> Any:
        act = lambda: sql(**request)  # noqa: E731
        text = request["sql"].strip()
        return count(text[:20], act) if text.startswith(("DELETE", "INSERT INTO d")) else act()

    with (
        patch.object(BaseClient, "_make_api_call", call),
        patch.object(api, "execute_statement", execute),
    ):
        yield seen


@pytest.mark.parametrize(
    ("done", "every"),
    [
        (False, 15),
        pytest.param(False, 1, marks=pytest.mark.slow),
        pytest.param(True, 1, marks=pytest.mark.slow),
    ],
)
def test_dying_at_any_change_and_repeating_the_request_finishes_it(
    ledger: Table,
    registry: Registry,  # noqa: F811
    api: DataApi,  # noqa: F811
    done: bool,
    every: int,
) -> None:
    few = (STORY[0], STORY[2], STORY[8])
    made.end_run(ledger, registry, few)
    with dying(999, done=False, api=api) as steps:
        delete()
    expected = made.record_of(ledger)
    assert {*steps} >= {"DeleteObjects", "BatchWriteItem", "AbortMultipartUpload"}
    for at in range(1, len(steps) + 1, every):
        ledger.delete_all(f"RUN#{RUN}", made.sort_keys(ledger))
        registry.execute("TRUNCATE deleted_runs, costs")
        made.end_run(ledger, registry, few)
        with dying(at, done=done, api=api), pytest.raises(Died):
            delete()
        assert delete()["state"] == "deleted"
        is_gone(ledger, registry)
        assert made.record_of(ledger) == expected, steps[at - 1]


def test_a_deletion_whose_person_left_is_finished_by_the_clock(
    ledger: Table,
    registry: Registry,  # noqa: F811
    api: DataApi,  # noqa: F811
) -> None:
    runs = made.end_run(ledger, registry)
    with dying(3, done=True, api=api), pytest.raises(Died):
        delete()
    assert runs.get(RUN).state is RunState.DELETING
    door("run_eraser")(CLOCK, Context())
    is_gone(ledger, registry)


def test_what_was_on_its_way_is_removed_once_more_and_counted(
    ledger: Table,
    registry: Registry,  # noqa: F811
) -> None:
    runs = made.end_run(ledger, registry)
    counted = delete()["found"]["versions"]
    boto3.client("s3").put_object(Bucket="results", Key="runs/run-1/r0/late", Body=b"x")
    door("run_eraser")(CLOCK, Context())
    assert len(made.versions_of(RUN)) == 1, "it may still be being written"
    with later(minutes=45):
        door("run_eraser")(CLOCK, Context())
    is_gone(ledger, registry)
    deletion = runs.get(RUN).deletion
    assert deletion and deletion.counts.versions == counted + 1
    assert deletion.swept_at is not None


LATE: dict[str, Callable[[], list[str]]] = {
    "reads": lambda: made.land_file("runs/run-1/fastq/late.fastq.gz", GOOD),
    "nobody's reads": lambda: made.land_file("runs/run-1/report.html", b"<html>"),
    "the seal of before": lambda: send("pipeline_orchestrator", put_seal(a_manifest())),
    "another seal": lambda: send("pipeline_orchestrator", put_seal(a_manifest(when=base.now()))),
    "a final summary": lambda: send("pipeline_orchestrator", put(SUMMARY_KEY, SUMMARY)),
    "a tar of its name": lambda: made.land_tar("inbox/run-1.tar"),
    "a tar in its folder": lambda: made.land_tar("runs/run-1/input.tar"),
}


@pytest.mark.parametrize("what", LATE)
def test_what_comes_late_is_answered_and_brings_nothing_back(
    ledger: Table,
    registry: Registry,  # noqa: F811
    notices: Mail,
    what: str,
) -> None:
    runs = made.end_run(ledger, registry)
    started = len(executions())
    delete()
    before = runs.get(RUN)
    assert LATE[what]() == [], "it is dealt with, and does not come again"
    assert LATE[what]() == []
    assert runs.get(RUN) == before
    (answer,) = runs.answers(RUN)
    assert "was deleted" in answer.problem and "K. Mori" in answer.problem
    assert answer.act
    assert made.sort_keys(ledger) == sorted(
        ["RUN", "PROJECT", f"FACT#RunDeleted:{RUN}:0", f"FACT#ObjectAnswered:{RUN}:deleted-run"]
    )
    assert not [key for _, v in made.versions_of(RUN) if (key := v.key).startswith("manifests/")]
    assert len(executions()) == started
    for _ in range(2):
        send("alert_handler", fact_event("ObjectAnswered", answer.model_dump(mode="json")))
    (mail,) = notices()
    assert "was deleted" in mail["Message"]
    assert delete()["state"] == "deleted", "repeated, it takes what came as well"
    is_gone(ledger, registry)


def test_late_facts_make_no_rows_but_those_of_the_bill(
    ledger: Table,
    registry: Registry,  # noqa: F811
) -> None:
    made.end_run(ledger, registry)
    delete()
    made.project_story(registry)
    assert rows_left(registry) == 0
    late = STORY[8].model_copy(update={"instance_id": "i-9"})
    made.project_story(registry, [late])
    assert len(registry.execute("SELECT 1 FROM costs")) == 2
    assert send("pipeline_orchestrator", validated("fastq/a.fastq.gz")) == []
    assert facts_in(ledger, RUN) == ["RunDeleted"]


def test_a_registry_that_is_rebuilt_from_facts_has_no_rows_of_it_either(
    ledger: Table,
    registry: Registry,  # noqa: F811
) -> None:
    gone = a_fact(
        "RunDeleted", 50, by="K. Mori", reason="r", was="completed", counts={"versions": 1}
    )
    Objects("results").put_json("runs/run-1/r0/results.json", made.some_results())
    made.project_story(registry, (*STORY, gone, STORY[2], gone))
    assert rows_left(registry) == 0
    assert len(registry.execute("SELECT 1 FROM deleted_runs")) == 1


def test_a_worker_that_still_sends_raises_no_alert(
    ledger: Table,
    registry: Registry,  # noqa: F811
) -> None:
    runs = made.end_run(ledger, registry)
    delete()
    fact = STORY[11].model_dump()
    message = Suspected.model_validate(
        {name: fact[name] for name in Suspected.model_fields if name in fact}
        | {"stage": "screen", "epoch": 1, "instance_id": "i-1", "kind": "suspected", "rule": "r"}
    )
    with pytest.raises(RunGone):
        raise_alert(
            message,
            alerts=AlertLedger(ledger),
            runs=runs,
            results=Objects("results"),
            at=base.now(),
        )
    assert AlertLedger(ledger).listed(every=True) == ()


def test_of_a_seal_and_a_deletion_at_once_one_wins(
    ledger: Table,
    registry: Registry,  # noqa: F811
) -> None:
    runs = made.end_run(ledger, registry)
    begin = Endings.begin_deletion

    def overtaken(self: Endings, *args: Any) -> Any:
        with ThreadPoolExecutor(1) as intake:  # of another function, with its rights
            sealed = partial(runs.seal, sealed_by="run.json", at=base.now())
            intake.submit(sealed, a_manifest(when=base.now())).result()
        return begin(self, *args)

    with patch.object(Endings, "begin_deletion", overtaken), pytest.raises(RunNotOver):
        delete()
    assert runs.get(RUN).state is RunState.SEALED
    assert made.versions_of(RUN)


def test_people_are_notified_what_went_and_what_stays(
    ledger: Table,
    registry: Registry,  # noqa: F811
    notices: Mail,
) -> None:
    made.end_run(ledger, registry)
    notices()
    delete()
    (item,) = ledger.query(f"RUN#{RUN}", "FACT#RunDeleted")
    for _ in range(2):
        send("alert_handler", fact_event("RunDeleted", _detail(item)))
    (mail,) = notices()
    assert all(what in mail["Message"] for what in ("K. Mori", *STAYS))


def _detail(item: Any) -> dict[str, Any]:
    import json

    found: dict[str, Any] = json.loads(str(item.attributes["detail"]))
    return found


def test_c2_the_hourly_look_does_not_wake_a_registry_that_has_nothing_to_lose(
    cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Aurora stays awake, and is paid, for five minutes after each question."""
    monkeypatch.setattr(Registry, "migrate", lambda _self: pytest.fail("the registry was woken"))
    door("run_eraser")(CLOCK, Context())
