"""What the API answers about a run beside its record: progress, log, inputs, files, versions."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from porewatch.adapters.items import Item
from porewatch.adapters.ledger.runs import IN_S3, RunLedger
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.s3.manifests import Manifests
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.people.roles import DEFAULT_PROJECT
from porewatch.domain.people.secrets import new_run_id
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.publishing import sums_of
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.domain.runs import RunState
from porewatch.domain.sealing import input_file, seal
from porewatch.domain.stage.record import StageKey, StageRecord
from porewatch.domain.stage.spec import Phase, StageSpec
from tests.functional.doors import KEY_HOLDER, Context, door
from tests.functional.test_finishing import a_report
from tests.mocked import make_ledger

LOG = "\n".join(f"line {n}" for n in range(9000)).encode()
SPEC = StageSpec(name="screen", phases=(Phase.QUALITY_CONTROL,), instance_types=("m5.large",))


def give_details(ledger: Table, run_id: str, revision: int) -> None:
    """A manifest, a machine with its log, and a report, of a run whose record says that it is
    completed."""
    runs = RunLedger(ledger)
    manifest = seal([input_file("fastq/a.fastq", 8)], run_id=run_id, created_at=now())
    note = Manifests(runs, Objects("raw")).keep(manifest)
    ledger.put(Item.of(f"RUN#{run_id}", f"MANIFEST#{revision}", note, attributes={**IN_S3}))
    key = StageKey(run_id, revision, "screen")
    StageLedger(ledger).open_stage(key, SPEC, now())
    item = ledger.need(f"RUN#{run_id}", f"STAGE#{revision:04d}#screen")
    record = item.model(StageRecord).model_copy(update={"user_id": "AROA:i-1"})
    ledger.put(Item.of(item.pk, item.sk, record))
    attempt = s3_keys.attempt_prefix(*key, 1, "AROA:i-1")
    Objects("results").put(s3_keys.log_key(attempt), LOG)
    report = a_report(run_id=run_id).canonical_json().encode()
    name = s3_keys.report_key(run_id, revision, "report.json")
    Objects("reports").put(name, report)
    sums = sums_of({"report.json": report}).encode()
    Objects("reports").put(s3_keys.sums_key(run_id, revision), sums)
    item = ledger.need(f"RUN#{run_id}", "RUN")
    update = {"report_keys": {"report.json": name}, "bundle": "demo@1"}
    run = item.model(RunRecord).model_copy(update=update)
    ledger.put(type(item).of(item.pk, item.sk, run, kind=item.kind, version=item.version))


@pytest.fixture
def run_id(cloud: Table) -> str:
    make_ledger("people")
    made = new_run_id()
    ProjectRuns(cloud).register(made, Registration(DEFAULT_PROJECT, "herd 7", "u"), now())
    item = cloud.need(f"RUN#{made}", "RUN")
    update = {"state": RunState.COMPLETED, "revision": 1, "completed_at": now()}
    run = item.model(RunRecord).model_copy(update=update)
    cloud.put(type(item).of(item.pk, item.sk, run, kind=item.kind, version=item.version))
    return made


def get(path: str) -> tuple[int, Any]:
    parts = urlsplit(path)
    sent = dict(pair.split("=") for pair in parts.query.split("&") if pair)
    event = {
        "httpMethod": "GET", "path": parts.path, "isBase64Encoded": False, "headers": {},
        "body": None, "queryStringParameters": sent or None, "resource": parts.path,
        "pathParameters": {}, "requestContext": {"authorizer": KEY_HOLDER},
    }  # fmt: skip
    answer = door("api")(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize("what", ["log", "inputs", "provenance"])
def test_what_is_not_there_yet_is_not_found(run_id: str, what: str) -> None:
    status, said = get(f"/runs/{run_id}/{what}")
    assert (status, said["code"]) == (404, "not_found")
    assert said["remedy"]


def test_a_run_says_how_far_it_is_and_what_it_was_made_of(run_id: str, cloud: Table) -> None:
    assert get(f"/runs/{run_id}/files") == (200, {"files": []})
    give_details(cloud, run_id, 1)
    _, progress = get(f"/runs/{run_id}/progress")
    assert [(one["stage"], one["state"]) for one in progress["stages"]] == [("screen", "open")]
    _, inputs = get(f"/runs/{run_id}/inputs")
    assert [file["path"] for file in inputs["files"]] == ["fastq/a.fastq"]
    _, found = get(f"/runs/{run_id}/files")
    (file,) = found["files"]
    assert len(file["sha256"]) == 64 and file["size"] and file["expires_at"]
    _, provenance = get(f"/runs/{run_id}/provenance")
    assert "min_read_length" in provenance["parameters"]


def test_a_log_is_read_backwards_and_searched(run_id: str, cloud: Table) -> None:
    give_details(cloud, run_id, 1)
    _, last = get(f"/runs/{run_id}/log")
    assert last["lines"][-1] == "line 8999"
    _, before = get(f"/runs/{run_id}/log?before={last['start']}")
    assert before["lines"] and "line 8999" not in before["lines"]
    _, found = get(f"/runs/{run_id}/log?find=LINE+17".replace("+", " "))
    assert all("line 17" in line for line in found["lines"])
    for nonsense in ("x", "-1", "1e3"):
        status, said = get(f"/runs/{run_id}/log?before={nonsense}")
        assert (status, said["code"]) == (400, "input_refused")


def test_animals_of_a_project_are_read_by_the_api_as_on_the_page(run_id: str, cloud: Table) -> None:
    give_details(cloud, run_id, 1)
    status, found = get("/projects/default/animals")
    assert (status, found["unread"], found["next"]) == (200, 0, None)
    names = [row["subject"] for row in found["herd"]["rows"]]
    assert names
    status, one = get(f"/projects/default/animals/{names[0]}")
    assert (status, one["animal"]["subject"]) == (200, names[0])
    assert [visit["run_id"] for visit in one["animal"]["visits"]] == [run_id]
    assert get("/projects/default/animals/nobody")[1]["animal"]["visits"] == []
    assert get("/projects/default/animals?cursor=nonsense")[0] == 400
