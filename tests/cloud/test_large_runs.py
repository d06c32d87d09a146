"""Runs of hundreds and thousands of small files, from the first upload to the report.

They go through the door that MinKNOW's own uploads use: `fastq_pass/barcodeNN/...`, the sheet, and
the final summary last. What a file costs is counted in the engine, not timed: requests, keys that
S3 listed, items that the ledger gave.
"""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from porewatch.adapters.ledger.intake_counters import Intake
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.stage.spec import Phase
from porewatch_worker.simulate.small_files import READS_PER_FILE, final_summary, small_files
from tests.cloud.lab import Lab
from tests.cloud.making import wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.slow]
UPLOADERS = 8
BACKLOG = 200
"""Files that are sent at once; the next ones once those before them are checked."""

LOOK_S = 3.0
PATIENCE_PER_FILE_S = 0.6
"""Two shared cores check some files a second; everything else is little beside it."""

MOST_PER_FILE = {"keys": 8.0, "items": 30.0}
"""Whole listings are a fixed number: the looks that the counts need, one at a time, and the
sweep's. Items: what validator, orchestrator and projections read of a file
and its run, and the records of all files once for each look."""

_cost: dict[int, Counter[str]] = {}


def counts(lab: Lab) -> Counter[str]:
    """Requests to the engine so far."""
    address = f"{lab.cloud.local.endpoint}/_ministack/request-counts"
    with urllib.request.urlopen(address) as reply:
        return Counter(json.load(reply))


def upload(lab: Lab, run_id: str, files: int) -> None:
    """As MinKNOW's copy to a bucket does: reads as they are written, the summary last. Never far
    ahead of the checks: a sequencer is not, and the engine looks through a queue's whole backlog
    for each message that it takes."""
    intake = Intake(lab.stack.table)
    lab.put_files(run_id, {"sample_sheet.csv": lab.demo.sample_sheet.read_bytes()})
    contents = small_files(lab.demo, files)
    with ThreadPoolExecutor(UPLOADERS) as hands:
        for sent in range(0, files, BACKLOG):
            some = list(islice(contents, BACKLOG))
            list(hands.map(lambda one: lab.put_files(run_id, dict([one])), some))
            await_checks(intake, run_id, sent, PATIENCE_PER_FILE_S * files)
    lab.put_files(run_id, dict([final_summary(lab.demo, files)]))


def in_all(intake: Intake, run_id: str) -> int:
    """Checks recorded so far."""
    return sum(intake.recorded(run_id).values())


def await_checks(intake: Intake, run_id: str, files: int, patience_s: float) -> None:
    def there() -> bool:
        time.sleep(LOOK_S)  # each look reads eight items, which count like all others
        return in_all(intake, run_id) >= files

    wait_for(there, patience_s, f"the checks of {files} files")


def ended(lab: Lab, run_id: str, patience_s: float) -> RunRecord:
    def over() -> RunRecord | None:
        time.sleep(LOOK_S)
        run = lab.stack.runs.find(run_id)
        return run if run is not None and run.completed_at else None

    found = wait_for(over, patience_s, f"the end of {run_id}")
    assert found is not None
    return found


def screened(lab: Lab, run_id: str, files: int) -> dict[str, Any]:
    """Upload and await a run of so many files: what it cost, and how long its parts took."""
    before, began, marks = counts(lab), time.monotonic(), {}
    upload(lab, run_id, files)
    marks["uploaded"] = time.monotonic() - began
    intake, patience_s = Intake(lab.stack.table), 120 + PATIENCE_PER_FILE_S * files

    await_checks(intake, run_id, files, patience_s)
    marks["checked"] = time.monotonic() - began
    run = ended(lab, run_id, patience_s)
    marks["ended"] = time.monotonic() - began
    return {"run": run, "marks": marks, "cost": counts(lab) - before}


def print_counts(files: int, found: dict[str, Any], seconds: float) -> None:
    """For people who run this to measure: to the file they name."""
    marks = {name: round(value, 1) for name, value in found["marks"].items()}
    per_file = {name: round(n / files, 2) for name, n in found["cost"].most_common()}
    line = {
        "files": files,
        "seconds": marks,
        "screening_s": round(seconds, 1),
        "per_file": per_file,
    }
    if target := os.environ.get("POREWATCH_LARGE_RUNS"):
        with Path(target).open("a") as out:
            out.write(json.dumps(line) + "\n")


@pytest.mark.parametrize("files", [200, 1000, 10_000])
def test_a_run_of_many_small_files_comes_to_its_report(lab: Lab, files: int) -> None:
    found = screened(lab, lab.run_id(f"many-{files}"), files)
    run = found["run"]
    assert run.state is RunState.COMPLETED, run.problem
    report = lab.findings(run)
    (passed,) = [r for r in report.phases if r.phase is Phase.PATHOGEN_DETECTION]
    print_counts(files, found, (passed.finished_at - passed.started_at).total_seconds())
    _cost[files] = found["cost"]
    there = sum(screen.account.total for screen in report.screens)
    assert there == files * READS_PER_FILE, "every read of every file once"
    for what, most in MOST_PER_FILE.items():
        assert found["cost"][what] / files <= most, (what, found["cost"])


def test_what_a_file_costs_does_not_depend_on_how_many_there_are() -> None:
    sizes = sorted(_cost)
    if len(sizes) < 2:
        pytest.skip("needs two of the sizes above")
    small, large = (_cost[n]["items"] / n for n in (sizes[0], sizes[-1]))
    assert large <= 1.2 * small, (small, large)
