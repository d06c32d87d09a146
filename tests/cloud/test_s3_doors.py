"""Whole runs by the doors of S3, and how they end: MinKNOW's tree, tars, cancel, delete."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import urllib.request
from concurrent.futures import Future
from typing import Any

import pytest

from porewatch.domain import s3_keys
from porewatch.domain.calls.findings import Call
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch_cli import exit_codes
from tests.cloud.lab import Lab, found
from tests.cloud.making import wait_for
from tests.cloud.test_endings_on_the_engine import printed, versions
from tests.cloud.test_sealing import SUMMARY

pytestmark = [pytest.mark.cloud, pytest.mark.slow, pytest.mark.xdist_group("end to end")]
TREE, TAR, STOPPED = "minknow-tree", "tar-again", "stopped"
MINKNOW = "exp/donors/20261102_0900_MN00001_SYN00001_01234567"
_waits: dict[str, Future[subprocess.CompletedProcess[str]]] = {}


def a_tar(*pieces: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for number, content in enumerate(pieces):
            info = tarfile.TarInfo(f"run/fastq_pass/barcode01/reads_{number}.fastq.gz")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def send_runs(lab: Lab) -> None:
    lab.later(send_tree, lab)
    lab.put(f"inbox/{lab.run_id(TAR)}.tar", a_tar(*lab.donor[:2]))
    folder = str(lab.demo.run_folder)
    wanted = ("submit", folder, "--run-id", lab.run_id(STOPPED), "--wait", "--json")
    _waits[STOPPED] = lab.later(lab.command, *wanted)


def send_tree(lab: Lab) -> None:
    """MinKNOW's own folders, as its upload writes them; the final summary last."""
    run_id, source = lab.run_id(TREE), lab.demo.run_folder
    files = {
        f"{MINKNOW}/{path.relative_to(source)}": path.read_bytes()
        for path in sorted(source.rglob("*.fastq.gz"))
    }
    sheet = lab.demo.sample_sheet.read_bytes()
    more = {
        f"{MINKNOW}/sample_sheet.csv": sheet,
        f"{MINKNOW}/report_SYN00001.html": b"<html>",
        f"{MINKNOW}/fastq_fail/barcode01/SYN00001_fail_barcode01_0.fastq.gz": b"failed",
    }
    lab.put_files(run_id, {**files, **more})
    summary = SUMMARY.replace("=3\n", f"={len(files)}\n").replace("FAX00001", "SYN00001").encode()
    lab.put_files(run_id, {f"{MINKNOW}/final_summary_SYN00001_01234567_abc.txt": summary})


def post(lab: Lab, path: str, body: dict[str, str]) -> Any:
    gateway = lab.cloud.client("apigateway")
    key = gateway.get_api_key(apiKey=lab.stack.output("ApiKeyId"), includeValue=True)["value"]
    request = urllib.request.Request(
        lab.stack.output("ApiUrl") + path,
        data=json.dumps(body).encode(),
        headers={"x-api-key": key, "content-type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request) as reply:
        assert reply.status == 200
        return json.load(reply)


def test_a_run_is_cancelled_in_mid_run_by_the_api(lab: Lab) -> None:
    """The first of all: the others wait for whole runs, and this one must not have ended."""
    run_id = lab.run_id(STOPPED)

    def at_work() -> bool:
        view = lab.find(run_id)
        return view is not None and (view.over or bool(lab.machines(run_id)))

    wait_for(at_work, 300, f"a machine of {run_id}")
    answer = post(lab, f"/runs/{run_id}/cancel", {"by": "M. Sato", "reason": "wrong flow cell"})
    assert answer["state"] == "cancelled"
    wait_for(lambda: not lab.machines(run_id), 60, "the end of its machines")
    left = _waits[STOPPED].result(timeout=120)
    assert left.returncode == exit_codes.RUN_FAILED, left.stderr
    run = lab.stack.runs.get(run_id)
    assert run.state is RunState.CANCELLED and not run.report_keys
    (notice,) = lab.wait_messages(run_id, "RunCancelled")
    assert "wrong flow cell" in notice.body


@pytest.fixture(scope="module")
def tree(lab: Lab) -> RunRecord:
    return lab.completed(lab.run_id(TREE)).run


def test_minknows_tree_is_screened_where_it_lies(lab: Lab, tree: RunRecord) -> None:
    report = lab.findings(tree)
    assert found(report, Call.DETECTED, "donor-1") == {"PCV2", "HEV"}
    assert found(report, Call.DETECTED, "no-template") == set()
    answered = {answer.path for answer in lab.stack.runs.answers(tree.run_id)}
    assert any("fastq_fail" in path for path in answered)
    assert any("report_SYN00001.html" in path for path in answered)


def test_an_alert_is_acknowledged_by_the_api(lab: Lab, tree: RunRecord) -> None:
    (first, *rest) = lab.stack.alerts.of_run(tree.run_id)
    for alert in (first, *rest):
        path = f"/alerts/{tree.run_id}/{alert.sample}/{alert.code}/ack"
        closed = post(lab, path, {"name": "A. Sato", "note": "repeated"})
        assert closed["alert"]["acknowledged_by"] == "A. Sato"
    assert lab.stack.alerts.listed(tree.run_id) == ()


def test_an_identical_tar_starts_nothing_and_a_changed_one_is_a_new_revision(lab: Lab) -> None:
    run_id = lab.run_id(TAR)
    first = lab.completed(run_id).run
    before = lab.report(first)
    key = f"inbox/{run_id}.tar"
    lab.put(key, a_tar(*lab.donor[:2]))
    (answer,) = wait_for(lambda: lab.stack.runs.answers(run_id), 60, "the answer to the same tar")
    assert "holds what revision 0 was screened from" in answer.problem
    assert len(lab.executions(run_id)) == 1

    lab.put(key, a_tar(*lab.donor[:3]))

    def second() -> RunRecord | None:
        run = lab.stack.runs.get(run_id)
        return run if run.revision == 1 and run.state is RunState.COMPLETED else None

    again = wait_for(second, 300, "the second revision")
    assert again is not None
    assert lab.report(again) != before
    assert lab.stack.bucket("Reports").get(first.report_keys["report.json"]) == before


def test_a_finished_run_is_held_and_deleted_with_all_its_revisions(lab: Lab) -> None:
    """After everything else that this module looks at."""
    run_id = lab.run_id(TAR)
    for alert in lab.stack.alerts.of_run(run_id):
        lab.stack.alerts.acknowledge(alert, "A. Sato", "seen", alert.raised_at)
    held = printed(lab, "hold", run_id, "--reason", "complaint 17")
    there = versions(lab, run_id)
    assert held["locked"] == sum(not version.marker for _, version in there)
    lives = {life for life, _ in there}
    assert lives == {"Raw", "Results", "Reports"}
    assert lab.command("delete", run_id, "--yes", run_id).returncode != 0
    assert versions(lab, run_id) == there
    printed(lab, "hold", run_id, "--release", "--reason", "closed")
    assert wait_for(
        lambda: lab.command("delete", run_id, "--yes", run_id, "--json").returncode == 0,
        120,
        "the deletion (its machines may not be paid yet)",
    )
    assert versions(lab, run_id) == []
    for table in ("workflow_records", "samples", "findings", "phase_records", "files"):
        assert lab.rows(f"SELECT 1 FROM {table} WHERE run_id = :r", r=run_id) == []
    assert lab.rows("SELECT 1 FROM costs WHERE run_id = :r", r=run_id), "the books stay"
    assert lab.stack.runs.get(run_id).revision == 1
    links = f"{s3_keys.report_key(run_id, 0, 'report.json')}"
    assert lab.stack.bucket("Reports").head(links) is None
