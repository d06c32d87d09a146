"""`porewatch hold` and `porewatch delete`, from the command line down to the real functions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.ledger.retention import Endings
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.registry.database import Registry
from porewatch.adapters.registry.erasure import RegistryErasure
from porewatch.adapters.s3.versions import Versions
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.errors import RunGone
from porewatch.domain.records.retention_record import Counts
from porewatch.domain.retention.orders import DeleteRun
from porewatch.domain.retention.stays import STAYS
from porewatch.domain.runs import RunState
from porewatch.usecases.retention.delete_run import (
    Eraser,
    delete_run,
)
from porewatch.usecases.retention.find_versions import Shelves
from porewatch_cli import exit_codes
from porewatch_cli.main import app
from porewatch_cli.stack import Stack
from porewatch_cli.submit.submit import submit
from tests.functional import ended_run as made
from tests.functional.ended_run import RUN
from tests.functional.test_cancelling import Functions
from tests.functional.test_deleting import ledger  # noqa: F401
from tests.functional.test_pipeline_orchestrator import GOOD
from tests.functional.test_registry import api, registry, server  # noqa: F401


@pytest.fixture
def stack(
    ledger: Table,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> Stack:
    made.lock_buckets()
    session = SimpleNamespace(client=lambda *_, **__: Functions(), region_name="eu-west-1")
    outputs = {"LedgerTable": "ledger", "RawBucketName": "raw"}
    found = Stack("s", session, outputs)  # type: ignore[arg-type]
    found.__dict__["table"] = ledger
    monkeypatch.setattr("porewatch_cli.stack.find_stack", lambda *_, **__: found)
    return found


@pytest.fixture
def ended(stack: Stack, registry: Registry) -> RunLedger:  # noqa: F811
    return made.end_run(stack.table, registry)


WRONG_COMMAND_LINE = 2


def type_in(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=typed)


def test_a_deletion_has_to_be_confirmed_by_the_runs_id(
    ended: RunLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = made.versions_of(RUN)
    silent = type_in("delete", RUN)
    assert silent.exit_code == exit_codes.REFUSED and "needs a confirmation" in silent.output
    wrong = type_in("delete", RUN, "--yes", "run-10")
    assert wrong.exit_code == exit_codes.REFUSED and "nothing was deleted" in wrong.output
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("porewatch_cli.commands.retention.sys", SimpleNamespace(stdin=Terminal()))
    typo = type_in("delete", RUN, typed="run-2\n")
    assert typo.exit_code == exit_codes.REFUSED
    assert all(what in " ".join(typo.output.split()) for what in STAYS), "shown before the question"
    assert made.versions_of(RUN) == there
    right = type_in("delete", RUN, "--reason", "the client asked", typed="run-1\n")
    assert right.exit_code == 0, right.output
    assert ended.get(RUN).state is RunState.DELETED
    assert "the client asked" in right.output


class Terminal:
    def isatty(self) -> bool:
        return True


def test_a_dry_run_asks_nothing_and_says_what_would_go(ended: RunLedger) -> None:
    there = len(made.versions_of(RUN))
    document = json.loads(type_in("delete", RUN, "--dry-run", "--json").output)
    assert (document["dry_run"], document["found"]["versions"]) == (True, there)
    output = type_in("delete", RUN, "--dry-run").output
    assert f"would be deleted: {there} versions" in output
    assert len(made.versions_of(RUN)) == there


def test_a_hold_is_put_shown_and_released(ended: RunLedger) -> None:
    assert type_in("hold", RUN).exit_code == WRONG_COMMAND_LINE
    assert type_in("hold", RUN, "--reason", " ").exit_code == exit_codes.REFUSED
    held = type_in("hold", RUN, "--reason", "complaint 17", "--by", "M. Sato")
    assert "is under legal hold (M. Sato: complaint 17)" in held.output
    assert "complaint 17" in type_in("list").output
    refused = type_in("delete", RUN, "--yes", RUN)
    assert refused.exit_code == exit_codes.COMMAND_FAILED
    assert "UnderHold" in refused.output and "M. Sato" in refused.output
    released = type_in("hold", RUN, "--release", "--reason", "closed")
    assert "under no legal hold" in released.output
    assert type_in("delete", RUN, "--yes", RUN).exit_code == 0


def test_every_verb_says_of_a_deleted_run_that_it_was_deleted(
    ended: RunLedger, stack: Stack, tmp_path: Any
) -> None:
    type_in("delete", RUN, "--yes", RUN, "--by", "K. Mori")
    for arguments in (("report", RUN), ("cost", RUN), ("list",), ("watch", RUN)):
        assert "was deleted" in " ".join(type_in(*arguments).output.split()), arguments
    assert type_in("watch", RUN).exit_code == exit_codes.RUN_FAILED
    held = type_in("hold", RUN, "--reason", "too late")
    assert held.exit_code == exit_codes.COMMAND_FAILED and "was deleted" in held.output
    reads = tmp_path / "a.fastq.gz"
    reads.write_bytes(GOOD)
    with pytest.raises(RunGone, match="was deleted"):
        submit(reads, stack=stack, run_id=RUN, quiet=True)
    assert made.versions_of(RUN) == []


def test_a_large_run_is_deleted_in_slices_and_counted_once(
    ended: RunLedger,
    ledger: Table,  # noqa: F811
    registry: Registry,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each call has time for one batch; what is gone is not listed again."""
    monkeypatch.setattr("porewatch.usecases.retention.delete_run.BATCH", 2)
    ends, listed = Endings(ledger), []
    shelves = Shelves(*(Versions(name) for name in made.BUCKETS), ends)
    rows = RegistryErasure(registry)
    hands = Eraser(
        ended, ends, AlertLedger(ledger), Budget(ledger), shelves, registry, rows, now, now()
    )
    order = DeleteRun(run_id=RUN, by="K. Mori")
    seen = delete_run(
        order.model_copy(update={"dry_run": True}), replace(hands, until=later())
    ).found
    first = delete_run(order, hands)
    assert (first.more, first.state, first.found) == (True, RunState.DELETING, Counts())
    assert made.versions_of(RUN), "time was up before the first batch"
    done = first
    while done.more:
        listed.append(len(made.versions_of(RUN)))
        done = delete_run(order, replace(hands, clock=Ticking(), until=Ticking.START))
    assert listed == sorted(listed, reverse=True)
    assert len(listed) > 5
    assert (done.state, made.versions_of(RUN)) == (RunState.DELETED, [])
    assert done.found == seen


def later() -> Any:
    return now() + timedelta(seconds=60)


class Ticking:
    """A clock that allows one batch: the first look at it is in time, the third is too late."""

    START = now() + timedelta(hours=1)

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> Any:
        self.looks += 1
        return self.START + timedelta(seconds=self.looks - 4)
