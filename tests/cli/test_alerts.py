"""`porewatch alerts`, `porewatch ack`, and the red lines of `porewatch watch`."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.table import Table
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.facts.alerts import (
    Acknowledge,
    AlertView,
    Final,
)
from porewatch.usecases.views.show_alerts import acknowledge
from porewatch_cli.main import app
from porewatch_cli.runs import alerts as commands
from tests.mocked import make_ledger, mocked_aws

AT = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
RUN = "20260301_donor-screening_batch-7"


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    with mocked_aws():
        table = make_ledger()
        stack = SimpleNamespace(alerts=AlertLedger(table))
        monkeypatch.setattr("porewatch_cli.stack.find_stack", lambda *_, **__: stack)
        monkeypatch.setattr(commands, "invoke_function", handled_here)
        yield table


def suspected(code: str = "PERV-C", sample: str = "donor-0012") -> PathogenSuspected:
    return PathogenSuspected(
        fact_id=f"PathogenSuspected:{RUN}:0:{sample}:{code}", run_id=RUN, at=AT, sample=sample,
        code=code, name=code, severity="critical", reads=14,
        rule="14 reads from 13 starts in 6 regions, breadth 4.1% of 4.4% expected, identity 94.7%",
    )  # fmt: skip


def handled_here(
    stack: Any, function: str, order: Acknowledge, answer: type[AlertView]
) -> AlertView:
    """The function's own use case, without the function."""
    assert function == "alert-handler"
    return answer.model_validate(acknowledge(order, alerts=stack.alerts, at=AT).model_dump())


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments)


def test_alerts_that_wait_are_listed_and_one_is_closed(ledger: Table) -> None:
    for code in ("PERV-C", "HEV"):
        AlertLedger(ledger).raise_alert(suspected(code))
    listed = json.loads(run("alerts", "--json").stdout)
    assert [(a["alert"]["code"], a["state"]) for a in listed] == [
        ("HEV", "open"),
        ("PERV-C", "open"),
    ]
    closed = run("ack", RUN, "donor-0012", "HEV", "--name", "A. Sato", "--note", "animal held")
    assert closed.exit_code == 0
    assert [a["alert"]["code"] for a in json.loads(run("alerts", "--json").stdout)] == ["PERV-C"]
    every = json.loads(run("alerts", "--all", "--run", RUN, "--json").stdout)
    assert {(a["alert"]["code"], a["state"]) for a in every} == {
        ("HEV", "acknowledged"), ("PERV-C", "open"),
    }  # fmt: skip
    assert run("ack", RUN, "donor-0012", "ASFV", "--name", "A").exit_code != 0
    assert run("ack", RUN, "donor-0012", "PERV-C", "--name", " ").exit_code != 0


def test_the_list_fits_eighty_columns(ledger: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    AlertLedger(ledger).raise_alert(suspected())
    out = io.StringIO()
    monkeypatch.setattr(commands, "console", Console(file=out, width=80))
    assert run("alerts").exit_code == 0
    assert max(len(line) for line in out.getvalue().splitlines()) <= 80
    for part in ("open", "donor-0012", "PERV-C", "14 reads from 13 starts"):
        assert part in out.getvalue()


def test_watch_shows_in_red_what_is_raised_and_what_becomes_of_it(ledger: Table) -> None:
    alerts = AlertLedger(ledger)
    alert = alerts.raise_alert(suspected())
    lines = commands.alert_lines(alerts.of_run(RUN))
    assert [line.split(":")[0] for line in lines] == ["SUSPECTED PERV-C (critical) in donor-0012"]
    final = Final(stands=False, call="indeterminate", rule="reads pile up", outcome="")
    alerts.settle(alert, final, 0, AT)
    lines = commands.alert_lines(alerts.of_run(RUN))
    assert list(lines)[-1] == "WITHDRAWN PERV-C in donor-0012: reads pile up"
    assert set(lines.values()) == {"bold red"}
