# ruff: noqa: F811 - fixtures of test_pages
"""What the page of a run says beside its state: files and until when they are kept, versions,
parameters, phases in time, and what machines printed at their start."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from porewatch.adapters.items import Item, fact_item
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Change, Table
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.facts.stage_facts import InstanceLaunched
from porewatch.domain.people.roles import Role
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.publishing import sums_of
from porewatch.domain.runs import RunState
from porewatch.domain.stage.record import StageKey
from porewatch.domain.stage.spec import Phase, StageSpec
from porewatch.usecases.views.show_making import spans
from simulator.made_results import a_phase
from tests.functional.made_provider import MadeProvider
from tests.functional.test_account_pages import admin
from tests.functional.test_finishing import WHEN, a_report
from tests.functional.test_pages import (
    AT,
    Browser,
    a_run,
    api_key,  # noqa: F401 - a fixture
    member,
    people,  # noqa: F401 - a fixture
    provider,  # noqa: F401 - a fixture
)


def ended(
    cloud: Table, run_id: str, reports: Objects | None = None, at: datetime = AT
) -> dict[str, bytes]:
    """The run ends with a report and its digests beside it; the contents by name."""
    reports = reports or Objects("reports")
    report = a_report(run_id=run_id)
    tools = {"minimap2": "2.28", "<b>tool</b>": "1"}
    provenance = report.provenance.model_copy(update={"tools": tools})
    phases = tuple(
        a_phase().model_copy(
            update={
                "phase": phase,
                "started_at": WHEN + timedelta(seconds=40 * n * n),
                "finished_at": WHEN + timedelta(seconds=40 * (n + 1) ** 2),
            }
        )
        for n, phase in enumerate((Phase.QUALITY_CONTROL, Phase.HOST_REMOVAL, Phase.REPORTING))
    )
    report = report.model_copy(update={"provenance": provenance, "phases": phases})
    contents = {
        "report.json": report.canonical_json().encode(),
        "report.html": b"<p>the report</p>",
    }
    keys = {name: s3_keys.report_key(run_id, 0, name) for name in (*contents, "gone.pdf")}
    for name, content in contents.items():
        reports.put(keys[name], content)
    sums = sums_of({**contents, "gone.pdf": b""})
    reports.put(s3_keys.sums_key(run_id, 0), sums.encode())
    update = {"state": RunState.COMPLETED, "report_keys": keys, "findings": 0, "completed_at": at}

    def step(item: Item | None) -> Change | None:
        assert item is not None
        record = item.model(RunRecord).model_copy(update=update)
        return Change(Item.of(item.pk, item.sk, record, kind=item.kind))

    cloud.change(f"RUN#{run_id}", "RUN", step)
    return contents


def test_files_have_size_digest_and_until_when_they_are_kept(
    provider: MadeProvider, people: Table, cloud: Table
) -> None:
    browser = Browser()
    browser.sign_in(provider)
    run_id = a_run(cloud, member(people, Role.VIEWER))
    contents = ended(cloud, run_id)
    page = browser.ask(f"/web/runs/{run_id}")["body"]
    for line in sums_of(contents).splitlines():
        assert line.partition(" ")[0] in page
    row = re.search(r'<tr><th scope="row">gone.pdf</th>(.*?)</tr>', page, re.DOTALL)
    assert row and "expired" in row[1] and "files/gone.pdf" not in page
    kept = now() + timedelta(days=366)
    assert f'until <time datetime="{kept:%Y-%m-%d}"' in page
    listed = browser.ask("/web/runs")["body"]
    until = 'data-head="Report kept until">\\s*<div><time datetime="2027-03-02">2027-03-02</time>'
    assert re.search(until + "</div>", listed)
    assert page.count("2027-03-02") == 2
    again = a_run(cloud, member(people, Role.VIEWER), "of before")
    ended(cloud, again, at=AT - timedelta(days=700))
    assert re.search(
        r'2025-04-01</time> <span class="badge">expired', browser.ask("/web/runs")["body"]
    )


def test_versions_and_parameters_are_those_of_the_report(
    provider: MadeProvider, people: Table, cloud: Table
) -> None:
    browser = Browser()
    browser.sign_in(provider)
    run_id = a_run(cloud, member(people, Role.VIEWER))
    ended(cloud, run_id)
    page = browser.ask(f"/web/runs/{run_id}")["body"]
    for said in ("demo@1", "2.28", "min_read_length", "Quality control", "synthetic references"):
        assert said in page
    assert "<b>tool" not in page and "&lt;b&gt;tool" in page
    assert "style=" not in page
    for content in (b"{}", b"[", b"\xff"):
        Objects("reports").put(s3_keys.report_key(run_id, 0, "report.json"), content)
        shown = browser.ask(f"/web/runs/{run_id}")
        assert shown["statusCode"] == 200 and "min_read_length" not in shown["body"]


def test_phases_lie_in_time_as_they_were_at_work() -> None:
    phase = a_phase()
    later = phase.model_copy(
        update={
            "phase": Phase.REPORTING,
            "started_at": phase.finished_at + timedelta(seconds=30),
            "finished_at": phase.finished_at + timedelta(seconds=40),
        }
    )
    found = spans((later, phase))
    assert [(s.seconds, s.offset, s.share) for s in found] == [(0, 0, 0), (10, 0.75, 0.25)]
    assert spans(()) == ()
    assert [s.share for s in spans((phase,))] == [0]


def test_what_machines_printed_is_for_operators(
    provider: MadeProvider, people: Table, cloud: Table
) -> None:
    browser = Browser()
    browser.sign_in(provider)
    run_id = a_run(cloud, member(people, Role.ADMIN))
    spec = StageSpec(name="screen", phases=(Phase.QUALITY_CONTROL,), instance_types=("m5.large",))
    StageLedger(cloud).open_stage(StageKey(run_id, 0, "screen"), spec, AT)
    fact = InstanceLaunched(
        fact_id=f"InstanceLaunched:{run_id}:0:screen:1:i-1", run_id=run_id, revision=0, at=AT,
        stage="screen", epoch=1, instance_id="i-1", instance_type="m5.large", purchase="spot",
        availability_zone="a",
    )  # fmt: skip
    cloud.put(fact_item(fact))
    key = s3_keys.boot_log_key(run_id, 0, "screen", 1, "i-1")
    Objects("results").put(key, b"no such image <b>")
    assert browser.ask(f"/web/runs/{run_id}/log?name=screen+1+boot.log")["statusCode"] == 404
    admin(people)
    shown = browser.ask(f"/web/runs/{run_id}/log?name=screen+1+boot.log")["body"]
    assert "no such image &lt;b&gt;" in shown and "console.log" not in shown
