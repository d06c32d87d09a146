"""result_aggregator, report_generator and api: what the stages left becomes a run with reports."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
import requests

from porewatch.adapters.audit.anchors import Anchors
from porewatch.adapters.items import Item, run_key
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Quantification
from porewatch.domain.errors import MessageRefused, StaleEpoch, WorkerFailed
from porewatch.domain.facts.registry_projection import (
    Projection,
    projection_of,
)
from porewatch.domain.facts.run_facts import RunCompleted
from porewatch.domain.money.cost import (
    Bill,
    CostLine,
)
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.results.publishing import is_of_sample, sums_read
from porewatch.domain.results.report import (
    Provenance,
    Report,
)
from porewatch.domain.results.run_results import RunResults
from porewatch.domain.runs import RunState, Sample, SampleRole, Sequencing
from porewatch.domain.sealing import input_file, seal
from porewatch.domain.stage.manifest import OutputFile, StageManifest
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.settings import settings
from porewatch_worker.report.pages.run_record.audit_trail import with_trail
from simulator.made_results import a_phase, a_screen, some_findings, some_outcomes
from tests.functional.doors import KEY_HOLDER, Context, door
from tests.mocked import facts_in, make_audit_key

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANIFEST = seal([input_file("bam/a.bam", 5)], run_id="run-1", created_at=WHEN)
SAMPLES = (
    Sample(name="pig"),
    Sample(name="ntc", role=SampleRole.NO_TEMPLATE_CONTROL),
    Sample(name="pos", role=SampleRole.POSITIVE_CONTROL),
)
IN_A_CONTROL = (some_findings()[0].model_copy(update={"sample": "pos"}),)
STAGES = ("screening", "reporting")
TASK = {
    "run_id": "run-1",
    "revision": 0,
    "manifests": [s3_keys.manifest_key("run-1", 0, s) for s in STAGES],
}


def a_report(**changes: Any) -> Report:
    provenance = Provenance(
        porewatch_version="1",
        tools={},
        bundle="demo@1",
        bundle_sha256="0" * 64,
        bundle_synthetic=True,
        panel="p",
        panel_version="1",
        parameters=ScreeningParameters(),
        parameters_sha256="0" * 64,
        manifest_sha256="0" * 64,
        basecalled=verbatim("imported"),
    )
    report = Report(
        run_id="run-1",
        revision=0,
        created_at=WHEN,
        synthetic=True,
        decision="d",
        inputs=MANIFEST.files,
        samples=SAMPLES,
        sequencing=Sequencing(),
        outcomes=some_outcomes(),
        findings=(*some_findings(), *IN_A_CONTROL),
        screens=(a_screen("pig"),),
        panel=(),
        provenance=provenance,
        phases=(a_phase(),),
        timeline=(),
        bill=None,
    )
    return report.model_copy(update=changes)


def output_key(stage: str, name: str) -> str:
    attempt = s3_keys.attempt_prefix("run-1", 0, stage, 1, "AROAWORKER:i-1")
    return s3_keys.outputs_prefix(attempt) + name


def publish(stage: str, **contents: bytes) -> None:
    """A stage's outputs and manifest, as its worker leaves them."""
    results, outputs = Objects("results"), {}
    for parameter, content in contents.items():
        name = parameter.replace("_", ".")
        key = output_key(stage, name)
        results.put(key, content)
        digest = hashlib.sha256(content).hexdigest()
        outputs[name] = OutputFile(key=key, sha256=digest, size=len(content))
    manifest = StageManifest(
        run_id="run-1",
        revision=0,
        stage=stage,
        epoch=1,
        fingerprint="f",
        instance_id="i-1",
        worker_version="1",
        started_at=WHEN,
        finished_at=WHEN,
        phases=(a_phase(),),
        outputs=outputs,
    )
    results.put_json(s3_keys.manifest_key("run-1", 0, stage), manifest)


@pytest.fixture
def running(cloud: Table, runs: RunLedger) -> RunLedger:
    """run-1 under way, both of its stages published, one machine paid."""
    runs.seal(MANIFEST, sealed_by="run.json", at=WHEN)
    runs.start(MANIFEST, execution_arn="arn:x", bundle="demo@1", at=WHEN)
    screen = ScreenResult(
        bundle="demo@1", bundle_sha256="0" * 64, synthetic=True, samples=(a_screen("pig"),)
    )
    counted = Quantification(findings=some_findings(), outcomes=some_outcomes())
    publish("screening", screen_json=screen.canonical_json().encode())
    publish(
        "reporting",
        quantification_json=counted.canonical_json().encode(),
        report_json=a_report().canonical_json().encode(),
        report_html=b"<!doctype html>",
        report_pdf=b"%PDF-1.7",
    )
    for epoch, purchase in ((1, "spot"), (2, "on-demand")):
        line = CostLine(what="m", stage="s", epoch=epoch, usd=0.25, on_demand_usd=0.5, seconds=60)
        line = line.model_copy(update={"purchase": purchase, "instance_type": "m5.2xlarge"})
        cloud.put(Item.of(run_key("run-1"), f"COST#0000#s#{epoch:04d}", line))
    return runs


def task(function: str, **changes: Any) -> Any:
    return door(function)({**TASK, **changes}, Context())


def finished() -> Any:
    """The two last tasks of the state machine, in their order; what the last one answers."""
    task("result_aggregator")
    return task("report_generator")


def test_the_stages_results_are_joined_and_counted(running: RunLedger) -> None:
    answer = task("result_aggregator")
    assert answer == {"results_key": "runs/run-1/r0/results.json", "findings": 1}
    found = Objects("results").get_json(answer["results_key"], RunResults)
    assert set(found.outputs) >= {"screen.json", "quantification.json", "report.pdf"}
    assert len(found.phases) == 2
    assert [s.account.total for s in found.screens] == [10]
    assert running.get("run-1").findings == 1
    assert task("result_aggregator") == answer


def test_a_stage_that_left_its_result_out_is_named(running: RunLedger) -> None:
    publish("screening", other_json=b"{}")
    with pytest.raises(WorkerFailed, match=r"no stage published screen\.json"):
        task("result_aggregator")


def test_reports_and_the_settled_bill_are_published_and_the_run_is_complete(
    cloud: Table, running: RunLedger
) -> None:
    answer = finished()
    keys = answer["report_keys"]
    assert set(keys) == {"report.json", "report.html", "report.pdf", "bill.json"}
    head = boto3.client("s3").head_object(Bucket="reports", Key=keys["report.html"])
    assert head["ContentType"] == "text/html; charset=utf-8"
    sums = Objects("reports").get(s3_keys.sums_key("run-1", 0)).decode()
    assert sums_read(sums) == {name: Objects("reports").sha256(key) for name, key in keys.items()}
    bill = Objects("reports").get_json(keys["bill.json"], Bill)
    assert [line.what for line in bill.lines] == ["m", "m", "files", "orchestration"]
    overhead = (bill.orchestration_usd or 0) + (bill.files_usd or 0)
    assert 0 < overhead < 0.005
    assert (bill.saved_usd, bill.total_usd) == (0.5, pytest.approx(0.5 + overhead))
    carbon = bill.carbon
    assert carbon is not None and carbon.total is not None and carbon.files is not None
    assert (carbon.region, carbon.uncovered) == ("eu-central-1", 0)
    assert carbon.total.low < carbon.total.middle < carbon.total.high
    record = running.get("run-1")
    assert (record.state, record.findings, record.cost_usd) == (
        RunState.COMPLETED,
        1,
        bill.total_usd,
    )
    assert record.report_keys == keys
    assert facts_in(cloud, "run-1")[-1] == "RunCompleted"
    assert task("report_generator") == answer, "the task sent again answers the same"
    assert facts_in(cloud, "run-1").count("RunCompleted") == 1


def test_the_head_of_the_trail_is_anchored_before_the_report_is_published(
    cloud: Table, running: RunLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = with_trail(a_report())
    publish(
        "reporting",
        quantification_json=Quantification(findings=some_findings(), outcomes=some_outcomes())
        .canonical_json()
        .encode(),
        report_json=report.canonical_json().encode(),
        report_html=b"<!doctype html>",
        report_pdf=b"%PDF-1.7",
    )
    make_audit_key()
    finished()
    anchors = Anchors(cloud, settings().stack_name, settings().audit_key_arn)
    anchor = anchors.of("run-1", 0)
    assert anchor is not None and report.audit is not None
    assert anchor.head == report.audit.head
    assert anchors.proves(anchor)
    settings.cache_clear()


def test_what_the_registry_shows_is_kept_beside_the_reports_and_named_by_the_fact(
    cloud: Table, running: RunLedger
) -> None:
    finished()
    (item,) = cloud.query("RUN#run-1", "FACT#RunCompleted:")
    fact = RunCompleted.model_validate_json(str(item.attributes["detail"]))
    kept = Objects("reports").get_json(fact.projection_key, Projection, extra="forbid")
    results = Objects("results").get_json(s3_keys.results_key("run-1", 0), RunResults)
    assert kept == projection_of(results)
    assert fact.projection_key not in running.get("run-1").report_keys.values()


REPORTED = {
    "report_json": a_report().canonical_json().encode(),
    "report_html": b"<!doctype html>",
    "report_pdf": b"%PDF-1.7",
}
MORE = {
    "tables_zip": "application/zip",
    "report_ja_html": "text/html; charset=utf-8",
    "report-pig_pdf": "application/pdf",
    "report-pig_ja_pdf": "application/pdf",
}


def test_what_a_stage_made_besides_is_published_beside_the_reports(running: RunLedger) -> None:
    task("result_aggregator")
    publish(
        "reporting",
        **REPORTED,
        **{parameter: parameter.encode() for parameter in MORE},
        notes_txt=b"no",
    )
    keys = task("report_generator")["report_keys"]
    assert "notes.txt" not in keys
    for parameter, kind in MORE.items():
        name = parameter.replace("_", ".")
        assert keys[name] == f"runs/run-1/r0/{name}"
        there = boto3.client("s3").get_object(Bucket="reports", Key=keys[name])
        assert (there["ContentType"], there["Body"].read()) == (kind, parameter.encode())
    assert set(get("/runs/run-1/report")[1]["links"]) == set(keys)


def test_a_sample_report_that_was_altered_stops_all_of_them(running: RunLedger) -> None:
    publish("reporting", **REPORTED, **{"report-pig_pdf": b"%PDF-pig"})
    key = output_key("reporting", "report-pig.pdf")
    Objects("results").put(key, b"%PDF-forged")
    with pytest.raises(WorkerFailed, match="not what its stage published"):
        task("report_generator")
    assert list(Objects("reports").keys("")) == []


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("report-pig_1-2.pdf", True),
        ("report-pig.ja.pdf", True),
        ("report.pdf", False),
        ("report.ja.pdf", False),
        ("report-../../x.pdf", False),
        ("report-pig.pdf\n", False),
        ("report-.pdf.html", False),
        ("report-\u30d6\u30bf.pdf", False),
    ],
)
def test_only_plain_names_are_reports_of_samples(name: str, is_one: bool) -> None:
    assert is_of_sample(name) is is_one


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"{}", "run_id is missing"),
        (b"not json", "it is not JSON"),
        (a_report(run_id="run-2").canonical_json().encode(), "is about run-2"),
    ],
)
def test_what_is_not_this_runs_report_is_not_published(
    running: RunLedger, content: bytes, expected: str
) -> None:
    publish("reporting", report_json=content, report_html=b"h", report_pdf=b"p")
    with pytest.raises(WorkerFailed, match=expected):
        task("report_generator")
    assert running.get("run-1").state is RunState.RUNNING
    assert list(Objects("reports").keys("")) == []


def test_a_report_that_was_altered_after_its_stage_published_it_is_refused(
    running: RunLedger,
) -> None:
    key = output_key("reporting", "report.pdf")
    Objects("results").put(key, b"%PDF-forged")
    with pytest.raises(WorkerFailed, match="not what its stage published"):
        task("report_generator")


@pytest.mark.parametrize(
    ("stage", "name"), [("screening", "screen.json"), ("reporting", "quantification.json")]
)
def test_what_was_altered_after_its_stage_published_it_is_not_joined(
    running: RunLedger, stage: str, name: str
) -> None:
    clean = Quantification(findings=(), outcomes=()).canonical_json().encode()
    Objects("results").put(output_key(stage, name), clean)
    with pytest.raises(WorkerFailed, match="not what its stage published"):
        task("result_aggregator")
    assert not Objects("results").head(s3_keys.results_key("run-1", 0))


@pytest.mark.parametrize("function", ["result_aggregator", "report_generator"])
def test_an_old_revision_publishes_nothing(running: RunLedger, function: str) -> None:
    with pytest.raises(StaleEpoch, match="revision"):
        task(function, revision=7)
    assert list(Objects("reports").keys("")) == []


def test_a_task_of_another_shape_is_refused() -> None:
    with pytest.raises(MessageRefused, match="manifests"):
        door("report_generator")({"run_id": "run-1", "revision": 0}, Context())


def get(path: str, **query: str) -> tuple[int, Any]:
    event = {
        "resource": path,
        "path": path,
        "httpMethod": "GET",
        "headers": {},
        "queryStringParameters": query or None,
        "pathParameters": None,
        "requestContext": {
            "authorizer": KEY_HOLDER,
            "stage": "v1",
            "path": path,
            "requestId": "r",
            "httpMethod": "GET",
        },
        "body": None,
        "isBase64Encoded": False,
    }
    answer = door("api")(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def test_the_api_lists_runs_newest_first_and_by_state(running: RunLedger) -> None:
    running.receive("run-2", datetime(2026, 3, 2, tzinfo=UTC))
    status, body = get("/runs")
    assert status == 200
    assert [run["run_id"] for run in body["runs"]] == ["run-2", "run-1"]
    assert [r["run_id"] for r in get("/runs", state="running")[1]["runs"]] == ["run-1"]
    assert [r["run_id"] for r in get("/runs", limit="1")[1]["runs"]] == ["run-2"]
    assert "execution_arn" not in body["runs"][0]


def test_the_api_shows_one_run(running: RunLedger) -> None:
    status, body = get("/runs/run-1")
    assert (status, body["state"], body["bundle"]) == (200, "running", "demo@1")


def test_the_api_links_to_reports_that_open(running: RunLedger) -> None:
    assert get("/runs/run-1/report")[0] == 404
    finished()
    status, body = get("/runs/run-1/report")
    assert (status, body["seconds"]) == (200, 3600)
    assert "Expires" in body["links"]["report.pdf"]
    assert requests.get(body["links"]["report.pdf"], timeout=5).content == b"%PDF-1.7"


@pytest.mark.parametrize(
    ("path", "query", "status", "expected"),
    [
        ("/runs/nobody", {}, 404, "no run 'nobody'"),
        ("/runs/a b", {}, 404, "a b"),
        ("/runs", {"limit": "0"}, 400, "limit '0' is refused"),
        ("/runs", {"limit": "many"}, 400, "from 1 to 200"),
        ("/runs", {"state": "lost"}, 400, "'lost' is not a state"),
        ("/runs/run-1/report", {}, 404, "it is running"),
    ],
)
def test_the_api_says_what_is_wrong_as_json(
    running: RunLedger, path: str, query: dict[str, str], status: int, expected: str
) -> None:
    answered, body = get(path, **query)
    assert answered == status
    assert expected in body.get("problem", body.get("message", ""))


def test_paths_the_api_does_not_have_are_not_found(running: RunLedger) -> None:
    assert get("/elsewhere")[0] == 404
