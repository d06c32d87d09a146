"""One verdict, many channels: mail, alert, list, API, watch, exit code, first page of HTML and PDF.

Each scenario goes through the real functions, and every channel is held against one expectation
that is computed from report.json. A channel that shows something else fails here.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pypdf import PdfReader

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.calls.findings import (
    Call,
    Finding,
    Outcome,
    SampleOutcome,
)
from porewatch.domain.calls.panel import Severity
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.facts.events import FACTS
from porewatch.domain.facts.outbox import FACT_PREFIX
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.report import Report
from porewatch.domain.rules import run_endings
from porewatch.domain.runs import RunState, Sample, SampleRole
from porewatch_cli import exit_codes
from porewatch_cli.runs import verdict_text
from porewatch_cli.runs.run_view import RunView
from porewatch_cli.runs.watch import one_line
from porewatch_worker.references.panel import shipped_panel
from porewatch_worker.report.assemble import ReportInputs, assemble
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.render_pdf import render_pdf
from porewatch_worker.science.call.perv_alarm import AC
from porewatch_worker.suspicions.alarms import alarms
from tests.functional.conftest import Mail
from tests.functional.doors import KEY_HOLDER, Context, door, fact_event, send
from tests.functional.test_finishing import WHEN, publish
from tests.mocked import make_audit_key
from tests.web.made_up import evidence, findings_for, inputs_for, present, screen

RUN = "run-1"
SAMPLE = "donor 7"
GRAVE = ("critical", "high")
HEADS = {
    Outcome.REPORTABLE: "Reportable",
    Outcome.REPORTABLE_WITH_REMARKS: "Reportable with remarks",
    Outcome.NOT_REPORTABLE: "NOT REPORTABLE",
}


@dataclass(frozen=True)
class Scenario:
    """`found`: codes that are detected. `suspected`: alerted while the run went on. `ends`: how a
    run without a report ends."""

    outcome: Outcome = Outcome.REPORTABLE
    found: tuple[str, ...] = ()
    suspected: tuple[str, ...] = ()
    ends: RunState = RunState.COMPLETED


SCENARIOS = {
    "clean": Scenario(),
    "remarks": Scenario(Outcome.REPORTABLE_WITH_REMARKS, found=("TTSV",)),
    "invalid": Scenario(Outcome.NOT_REPORTABLE),
    "invalid with a detection": Scenario(Outcome.NOT_REPORTABLE, found=("HEV",)),
    "refused": Scenario(ends=RunState.REFUSED),
    "failed": Scenario(ends=RunState.FAILED, suspected=("HEV",)),
    "critical finding": Scenario(found=("HEV",), suspected=("HEV",)),
    "PERV-C": Scenario(found=("PERV-C",), suspected=("PERV-C",)),
    "A/C recombinant, not seen in the run": Scenario(found=(AC,)),
    "suspicion withdrawn": Scenario(suspected=("HEV",)),
}


def finding(code: str, inputs: ReportInputs) -> Finding:
    entry = next((e for e in inputs.panel.entries if e.code == code), None)
    return Finding(
        sample=SAMPLE,
        code=code,
        name=entry.name if entry else "PERV-A/C recombinant",
        severity=entry.severity if entry else Severity.CRITICAL,
        call=Call.DETECTED,
        why=verbatim("made for this test"),
        evidence=evidence(40, 0.9) if entry else None,
    )


def inputs_of(scenario: Scenario) -> ReportInputs:
    """A report's inputs: clean ones, with the scenario's findings and outcome."""
    made = with_controls()
    there = {code: finding(code, made) for code in scenario.found}
    kept = [there.pop(f.code, f) if f.sample == SAMPLE else f for f in made.quantification.findings]
    findings = (*kept, *there.values())
    why = () if scenario.outcome is Outcome.REPORTABLE else verbatim("made so for this test")
    mine = SampleOutcome(sample=SAMPLE, outcome=scenario.outcome, why=why)
    outcomes = tuple(mine if o.sample == SAMPLE else o for o in made.quantification.outcomes)
    found = alarms(findings, made.manifest.samples, made.panel)
    update = {"findings": findings, "outcomes": outcomes, "alarms": found}
    return replace(
        made,
        manifest=made.manifest.model_copy(update={"run_id": RUN}),
        quantification=made.quantification.model_copy(update=update),
    )


def with_controls() -> ReportInputs:
    """A donor without findings, a clean blank and a positive control that shows its code."""
    rows = shipped_panel()
    control = Sample(
        name="PC", barcode="barcode03", role=SampleRole.POSITIVE_CONTROL, expected_codes=("PPV",)
    )
    samples = (
        Sample(name=SAMPLE, barcode="barcode01", volume_ml=2.0, spike_copies=1e4),
        Sample(name="NTC", barcode="barcode02", role=SampleRole.NO_TEMPLATE_CONTROL),
        control,
    )
    ppv = next(e for e in rows.entries if e.code == "PPV")
    shown = {control.name: {"PPV": present("PC", ppv, Call.DETECTED, evidence(200, 1.0), None)}}
    return inputs_for(
        samples,
        tuple(screen(s.name, 30_300, 200 * (s is control), 3) for s in samples),
        tuple(f for s in samples for f in findings_for(s.name, rows, shown.get(s.name, {}))),
        tuple(SampleOutcome(sample=s.name, outcome=Outcome.REPORTABLE) for s in samples),
        synthetic=False,
        rows=rows,
    )


@dataclass(frozen=True)
class Channels:
    """What each channel shows of one run."""

    record: RunRecord
    report: Report | None
    mails: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    api: dict[str, Any]
    listed: dict[str, Any]
    page: str
    printed: str


Play = Callable[[Scenario], Channels]


@pytest.fixture
def play(cloud: Table, runs: RunLedger, notices: Mail, alerts: Mail) -> Iterator[Play]:
    def run_through(scenario: Scenario) -> Channels:
        inputs = inputs_of(scenario)
        runs.seal(inputs.manifest, sealed_by="run.json", at=WHEN)
        runs.start(inputs.manifest, execution_arn="arn:x", bundle="demo@1", at=WHEN)
        for code in scenario.suspected:
            AlertLedger(cloud).raise_alert(suspicion(code, inputs))
        report = None
        if scenario.ends is RunState.COMPLETED:
            report = finish(inputs)
        else:
            refused = scenario.ends is RunState.REFUSED
            why = {"stage": "screen", "error": "WorkerFailed", "problem": "it broke."}
            runs.apply(RUN, run_endings.fail, 0, **why, refused=refused, at=WHEN)
        for _ in range(3):  # what an alert's end adds is a fact again
            pass_facts(cloud)
        return Channels(
            record=runs.get(RUN),
            report=report,
            mails=notices(),
            alerts=alerts(),
            api=get(f"/runs/{RUN}"),
            listed=get("/runs")["runs"][0],
            page=text_of(render_html(report)) if report else "",
            printed=first_page(render_pdf(report)) if report else "",
        )

    yield run_through


def suspicion(code: str, inputs: ReportInputs) -> PathogenSuspected:
    found = finding(code, inputs)
    return PathogenSuspected(
        fact_id=f"PathogenSuspected:{RUN}:0:{SAMPLE}:{code}", run_id=RUN, at=WHEN, sample=SAMPLE,
        code=code, name=found.name, severity=found.severity.value, reads=7, starts=6,
        breadth=0.1, identity=0.95, rule="7 reads",
    )  # fmt: skip


def finish(inputs: ReportInputs) -> Report:
    """The stages leave their outputs; the real functions join and publish them."""
    report = assemble(inputs)
    publish("screening", screen_json=inputs.screen.canonical_json().encode())
    publish(
        "reporting",
        quantification_json=inputs.quantification.canonical_json().encode(),
        report_json=report.canonical_json().encode(),
        report_html=b"<!doctype html>",
        report_pdf=b"%PDF-1.7",
    )
    make_audit_key()
    manifests = [s3_keys.manifest_key(RUN, 0, s) for s in ("screening", "reporting")]
    task = {"run_id": RUN, "revision": 0, "manifests": manifests}
    for function in ("result_aggregator", "report_generator"):
        door(function)(task, Context())
    key = s3_keys.report_key(RUN, 0, "report.json")
    return Objects("reports").get_json(key, Report)


def pass_facts(table: Table) -> None:
    """What stream and bus do: every fact reaches alert_handler, twice."""
    for item in table.query(f"RUN#{RUN}", FACT_PREFIX):
        kind = str(item.attributes["detail_type"])
        fact = FACTS[kind].model_validate_json(str(item.attributes["detail"]))
        body = fact_event(kind, json.loads(fact.canonical_json()))
        assert send("alert_handler", body, body) == []


def get(path: str) -> dict[str, Any]:
    """GET from the API."""
    one = path.count("/") == 2
    reply = door("api")(
        {
            "resource": "/runs/{run_id}" if one else path, "path": path, "httpMethod": "GET",
            "headers": {}, "pathParameters": {"run_id": RUN} if one else None,
            "requestContext": {"authorizer": KEY_HOLDER, "stage": "v1", "path": path},
            "queryStringParameters": None, "multiValueQueryStringParameters": None,
        },
        Context(),
    )  # fmt: skip
    assert reply["statusCode"] == 200, reply
    found: dict[str, Any] = json.loads(reply["body"])
    return found


def text_of(html: str | bytes) -> str:
    """The text up to the second section's end: what stands on the first page."""
    page = html.decode() if isinstance(html, bytes) else html
    return " ".join(re.sub(r"<[^>]+>", " ", page.split("<body", 1)[1]).split())[:6000]


def first_page(pdf: bytes) -> str:
    return " ".join(PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split())


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_channel_says_what_the_report_says(name: str, play: Play) -> None:
    scenario = SCENARIOS[name]
    channels = play(scenario)
    if channels.report is None:
        _without_a_report(scenario, channels)
    else:
        _mail(channels.report, channels.mails)
        _lists(channels.report, channels)
        _pages(channels.report, channels)
    _alerts(scenario, channels)


def _mail(report: Report, mails: list[dict[str, Any]]) -> None:
    (mail,) = [m for m in mails if m["Subject"].endswith(f"run {report.run_id}")]
    assert re.match(rf"{HEADS[report.outcome]}[:,]", mail["Subject"])
    body = mail["Message"].split("report.html")[0]
    codes = {code for _, code in report.detected}
    if report.outcome is Outcome.NOT_REPORTABLE:
        for unexpected in ("nothing", "detected", "no member", *codes):
            assert unexpected.lower() not in f"{mail['Subject']} {body}".lower()
        return
    for code in codes:
        assert f"({code}) in {SAMPLE}" in body
    assert bool(codes) == ("Detected:" in body)
    assert bool(codes) or "limit of detection" in body


def _lists(report: Report, channels: Channels) -> None:
    """Ledger, list, API, watch's last line, exit code."""
    record, codes = channels.record, {code for _, code in report.detected}
    assert record.verdict == report.verdict
    for view in (channels.api, channels.listed):
        assert view["outcome"] == report.outcome.value
        assert {d["code"] for d in view["detections"]} == codes
        assert view["calls"].get("detected", 0) == len(codes)
    outcome = report.outcome.value.replace("_", " ")
    shown = verdict_text.result_text(record).plain
    assert shown.startswith(outcome)
    count = verdict_text.detections_text(record)
    bad = report.outcome is Outcome.NOT_REPORTABLE
    assert count == outcome if bad else count.startswith(f"{len(codes)} detected")
    last = one_line(RunView(run=record, files=(), stages=(), phases=(), costs=()))
    assert outcome in last and ("detected" not in last if bad else f"{len(codes)} detected" in last)
    assert exit_codes.of_run(record) == (3 if bad else 0)
    assert exit_codes.of_outcome(report.outcome) == (3 if bad else 0)


def _pages(report: Report, channels: Channels) -> None:
    """The first page of HTML and PDF: the outcome, every detection, nothing else detected."""
    bad = report.outcome is Outcome.NOT_REPORTABLE
    named = {f.name for f in report.findings if (f.sample, f.code) in report.detected}
    for page in (channels.page, channels.printed):
        assert ("not reportable" in page.lower()) == bad
        for finding_name in named:
            assert finding_name.split(" (")[0] in page


def _alerts(scenario: Scenario, channels: Channels) -> None:
    """Raised when the report holds it, confirmed or withdrawn by what it holds."""
    kinds: dict[str, set[str]] = {}
    for mail in channels.alerts:
        kind, code = mail["Subject"].split()[:2]
        kinds.setdefault(code, set()).add(kind)
    expected: dict[str, set[str]] = {code: {"SUSPECTED"} for code in scenario.suspected}
    if channels.report is None:
        for code in scenario.suspected:
            expected[code].add("UNCONFIRMED")
        assert kinds == expected
        return
    held = {
        f.code
        for f in channels.report.findings
        if (f.sample, f.code) in channels.report.detected and f.severity.value in GRAVE
    }
    for code in scenario.suspected:
        expected[code].add("CONFIRMED" if code in held else "WITHDRAWN")
    for code in held - set(scenario.suspected):
        expected[code] = {"DETECTED"}
    assert kinds == expected


def _without_a_report(scenario: Scenario, channels: Channels) -> None:
    state = {RunState.REFUSED: "refused", RunState.FAILED: "failed"}[scenario.ends]
    (mail,) = channels.mails
    assert state in mail["Subject"] and "it broke." in mail["Message"]
    assert "detected" not in f"{mail['Subject']} {mail['Message']}".lower()
    for view in (channels.api, channels.listed):
        assert (view["state"], view["outcome"], view["detections"]) == (state, None, [])
        assert view["problem"] == "it broke."
    assert verdict_text.state_text(channels.record).plain == state
    assert verdict_text.result_text(channels.record).plain == ""
    last = one_line(RunView(run=channels.record, files=(), stages=(), phases=(), costs=()))
    assert state in last and "reportable" not in last
    assert exit_codes.of_run(channels.record) == {"refused": 4, "failed": 5}[state]
