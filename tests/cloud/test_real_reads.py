"""Real reads, from the bucket to the report: the right answer, nothing absurd beside it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from porewatch.domain.calls.findings import Call
from porewatch.domain.money.cost import Bill
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.report import Report
from porewatch_local.paths import find_home
from tests.cloud.lab import Lab, finding, found
from tests.cloud.making import wait_for
from tests.real_data import READ_SETS, REF, RealReads, real_bundle

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("end to end")]
SCHEMA = find_home().repository / "docs" / "report.schema.json"
NAMES = {reads.path: f"real-{number}" for number, reads in enumerate(READ_SETS)}


def name_of(reads: RealReads) -> str:
    return Path(reads.path).name.split(".")[0]


QUICK = tuple(r for r in READ_SETS if name_of(r) == "ecoli400")
"""A BAM with findings. All six are screened without the cloud, in
tests/worker/science/test_real_reads.py."""
SENT: set[str] = set()

each = pytest.mark.parametrize(
    "reads",
    [pytest.param(r, marks=() if r in QUICK else pytest.mark.slow) for r in READ_SETS],
    ids=[name_of(r) for r in READ_SETS],
)


def send_runs(lab: Lab) -> None:
    if (lab.shared / "data" / "reads").exists():
        for reads in QUICK:
            send(lab, reads)


def send(lab: Lab, reads: RealReads) -> None:
    if reads.path not in SENT:
        real_bundle(lab.shared, lab.cloud.home.references)
        lab.submit(lab.shared / "data" / reads.path, NAMES[reads.path], bundle=REF)
        SENT.add(reads.path)


def completed(lab: Lab, reads: RealReads) -> tuple[RunRecord, Report]:
    if not (lab.shared / "data" / "reads").exists():
        pytest.skip(f"the real reads are not at {lab.shared / 'data'} (set POREWATCH_SHARED)")
    send(lab, reads)
    run = lab.completed(lab.run_id(NAMES[reads.path])).run
    return run, lab.findings(run)


@each
def test_the_main_finding_is_right_and_nothing_absurd_stands_beside_it(
    lab: Lab, reads: RealReads
) -> None:
    _, report = completed(lab, reads)
    doubtful = {reads.finding} if reads.finding and reads.call is Call.INDETERMINATE else set()
    assert found(report, Call.DETECTED) == reads.detected
    assert doubtful <= found(report, Call.INDETERMINATE) <= doubtful | set(reads.traces)
    assert not report.synthetic
    if reads.finding:
        evidence = finding(report, reads.finding).evidence
        assert evidence and evidence.reads >= reads.least_share * reads.reads


@each
def test_every_read_is_accounted_for(lab: Lab, reads: RealReads) -> None:
    _, report = completed(lab, reads)
    (screen,) = report.screens
    assert screen.account.total == screen.quality.reads == reads.reads + screen.account.split
    assert screen.account.balanced
    if reads.control:
        assert screen.account.spike >= reads.least_share * reads.reads


@each
def test_three_reports_are_published_and_the_json_is_what_its_schema_says(
    lab: Lab, reads: RealReads
) -> None:
    run, report = completed(lab, reads)
    text = lab.report(run)
    jsonschema.validate(json.loads(text), json.loads(SCHEMA.read_bytes()))
    assert lab.report(run, "report.pdf").startswith(b"%PDF-")
    page = lab.report(run, "report.html").decode()
    assert run.run_id in page and page.rstrip().endswith("</html>")
    if reads.finding:
        assert finding(report, reads.finding).name in page


@each
def test_the_registry_says_the_same_as_the_report(lab: Lab, reads: RealReads) -> None:
    run, report = completed(lab, reads)
    lab.wait_messages(run.run_id, "RunCompleted")
    here = {"run_id": run.run_id, "revision": run.revision}
    where = "WHERE run_id = :run_id AND revision = :revision"
    rows = lab.wait_rows(
        f"SELECT sample, code, call, reads FROM findings {where} AND final", **here
    )
    assert sorted((r["sample"], r["code"], r["call"], r["reads"]) for r in rows) == sorted(
        (f.sample, f.code, f.call.value, f.evidence.reads if f.evidence else 0)
        for f in report.findings
    )
    # The bundle is of the seal's own fact, which may arrive after the run's end.
    (record,) = lab.wait_rows(
        "SELECT state, bundle, findings, cost_usd FROM workflow_records "
        f"{where} AND bundle IS NOT NULL",
        **here,
    )
    assert (record["state"], record["bundle"]) == ("completed", REF)
    assert record["findings"] == run.findings == len(reads.detected)
    assert record["cost_usd"] == pytest.approx(run.cost_usd)
    (sample,) = lab.rows(f"SELECT reads, outcome, account FROM samples {where}", **here)
    assert sample["reads"] == report.screens[0].account.total
    assert sample["outcome"] == report.outcomes[0].outcome.value
    assert json.loads(sample["account"]) == report.screens[0].account.model_dump(mode="json")
    expected = {record.phase.value: record.status for record in report.phases}
    expected["reporting"] = "completed"

    def phases() -> dict[str, str] | None:
        """Each is a fact of its own, and may arrive after the run's end."""
        rows = lab.rows(f"SELECT phase, status FROM phase_records {where}", **here)
        found = {r["phase"]: r["status"] for r in rows}
        return found if found.keys() >= expected.keys() else None

    assert wait_for(phases, 60, "every phase in the registry") == expected


@each
def test_the_bill_is_settled_machine_by_machine(lab: Lab, reads: RealReads) -> None:
    run, _ = completed(lab, reads)
    bill = Bill.model_validate_json(lab.report(run, "bill.json"))
    machines = [line for line in bill.lines if line.instance_id]
    assert sorted(str(line.stage) for line in machines) == ["report", "screen"]
    assert all(line.settled and line.seconds > 0 and line.usd > 0 for line in machines)
    assert bill.total_usd == pytest.approx(sum(line.usd for line in bill.lines))
    assert run.cost_usd == pytest.approx(bill.total_usd)
    assert bill.saved_usd > 0
    assert lab.machines(run.run_id) == []
