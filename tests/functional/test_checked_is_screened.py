"""What was checked is what is screened: objects are swapped from the check to the fetch."""

from __future__ import annotations

import gzip
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.downloads import Downloads
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.errors import InputRefused
from porewatch.domain.runs import RunState
from porewatch.domain.sealing import input_file
from porewatch.domain.stage.work_order import WorkOrder
from porewatch.settings import settings
from porewatch_worker.instance.assignment import (
    Assignment,
    read_order,
)
from porewatch_worker.stage.fetched_inputs import FetchedInputs
from porewatch_worker.stage_inputs import sources_of
from tests.functional.conftest import Runs, executions
from tests.functional.doors import ROOT, Context, created, door, put, send
from tests.functional.test_pipeline_orchestrator import GOOD, a_manifest, put_seal, validated
from tests.mocked import make_mac_key

PATH = "fastq/a.fastq.gz"
KEY = f"runs/run-1/{PATH}"
SHA256 = hashlib.sha256(GOOD).hexdigest()
OTHER = gzip.compress(gzip.decompress(GOOD).replace(b"@r1", b"@r9"))
assert len(OTHER) == len(GOOD) and OTHER != GOOD


def seal_without_checksum(**more: Any) -> dict[str, Any]:
    """`run.json` as anybody may write it: the file by name and size alone."""
    file = input_file(PATH, len(GOOD)).model_copy(update=more)
    return put_seal(a_manifest(file))


def started() -> str:
    """A run without checksums in its run.json has started; the version that was checked."""
    assert send("fastq_validator", put(KEY, GOOD)) == []
    version: str = boto3.client("s3").head_object(Bucket="raw", Key=KEY)["VersionId"]
    assert send("pipeline_orchestrator", seal_without_checksum()) == []
    assert len(executions()) == 1
    return version


def order_of_a_worker() -> WorkOrder:
    """As the state machine has it written and the worker reads it."""
    task = json.loads((ROOT / "events/functions/phase_state_manager.json").read_text())
    settings.cache_clear()
    with patch.dict("os.environ", MESSAGE_KEY_ARN=make_mac_key()):
        door("phase_state_manager")({**task, "run_id": "run-1", "revision": 0}, Context())
    stage = task["spec"]["name"]
    assignment = Assignment(
        run_id="run-1",
        revision=0,
        stage=stage,
        epoch=1,
        instance_id="i-1",
        user_id="AROAWORKER:i-1",
        secret="0" * 64,
    )
    return read_order(Objects("results"), Objects("raw"), assignment)


def fetched(order: WorkOrder, folder: Path) -> bytes:
    """The input as a worker has it on its disk."""
    sources = sources_of(order, (), Downloads("raw"), Downloads("results"))
    return FetchedInputs(sources, folder).path(PATH).read_bytes()


def test_the_order_carries_checksum_and_version_of_the_check(cloud: Table, runs: Runs) -> None:
    version = started()
    checked = runs.file("run-1", PATH)
    assert checked is not None and checked.version == version
    (file,) = order_of_a_worker().manifest.files
    assert (file.sha256, file.version) == (SHA256, version)
    assert runs.manifest("run-1", 0).files == (file,)


def test_what_replaces_a_file_after_its_run_has_started_changes_nothing(
    cloud: Table, runs: Runs, tmp_path: Path
) -> None:
    started()
    event = put(KEY, OTHER)
    assert fetched(order_of_a_worker(), tmp_path) == GOOD
    assert send("fastq_validator", event) == []
    assert send("pipeline_orchestrator", validated(PATH)) == []
    assert fetched(order_of_a_worker(), tmp_path) == GOOD
    assert runs.get("run-1").state is RunState.RUNNING


def test_a_file_that_is_deleted_after_its_run_has_started_is_still_read(
    cloud: Table, tmp_path: Path
) -> None:
    started()
    boto3.client("s3").delete_object(Bucket="raw", Key=KEY)
    assert Objects("raw").head(KEY) is None
    assert fetched(order_of_a_worker(), tmp_path) == GOOD


def test_a_version_that_is_deleted_for_good_is_refused_by_name(
    cloud: Table, tmp_path: Path
) -> None:
    version = started()
    boto3.client("s3").delete_object(Bucket="raw", Key=KEY, VersionId=version)
    put(KEY, GOOD)
    with pytest.raises(InputRefused, match="the checked version is not in the bucket") as refusal:
        fetched(order_of_a_worker(), tmp_path)
    assert refusal.value.file == PATH


def test_a_worker_refuses_other_bytes_whatever_their_version(cloud: Table, tmp_path: Path) -> None:
    """As where a bucket has no versions: then the checksum alone decides."""
    started()
    put(KEY, OTHER)
    order = order_of_a_worker()
    (file,) = order.manifest.files
    files = (file.model_copy(update={"version": None}),)
    manifest = order.manifest.model_copy(update={"files": files})
    with pytest.raises(InputRefused, match="sha256"):
        fetched(order.model_copy(update={"manifest": manifest}), tmp_path)


def test_a_file_that_is_replaced_before_the_start_is_checked_again_first(
    cloud: Table, runs: Runs, tmp_path: Path
) -> None:
    """Of what was replaced in time the newest counts, and that is checked as the first was."""
    assert send("fastq_validator", put(KEY, GOOD)) == []
    event = put(KEY, OTHER)
    assert send("pipeline_orchestrator", seal_without_checksum()) == []
    assert executions() == [], "what lies there now was not checked"
    assert send("fastq_validator", event) == []
    assert send("pipeline_orchestrator", validated(PATH)) == []
    (file,) = runs.manifest("run-1", 0).files
    assert file.sha256 == hashlib.sha256(OTHER).hexdigest()
    assert fetched(order_of_a_worker(), tmp_path) == OTHER


def test_the_check_reads_the_version_that_it_names(
    cloud: Table, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The object is replaced while the validator is between looking at it and reading it."""
    event = put(KEY, GOOD)
    looked = Objects.head

    def head(self: Objects, key: str) -> Any:
        found = looked(self, key)
        if key == KEY:
            with ThreadPoolExecutor(1) as somebody:  # it is not the validator who writes
                somebody.submit(put, KEY, OTHER).result()
        return found

    monkeypatch.setattr(Objects, "head", head)
    assert send("fastq_validator", event) == []
    checked = runs.file("run-1", PATH)
    assert checked is not None and checked.sha256 == SHA256


def test_what_a_sender_says_of_versions_is_not_believed(
    cloud: Table, runs: Runs, tmp_path: Path
) -> None:
    put(KEY, OTHER)
    never_checked = boto3.client("s3").head_object(Bucket="raw", Key=KEY)["VersionId"]
    assert send("fastq_validator", put(KEY, GOOD)) == []
    assert send("pipeline_orchestrator", seal_without_checksum(version=never_checked)) == []
    (file,) = runs.manifest("run-1", 0).files
    assert file.version not in (None, never_checked)
    assert fetched(order_of_a_worker(), tmp_path) == GOOD


def test_a_run_whose_start_is_repeated_keeps_what_was_checked_then(
    cloud: Table, runs: Runs
) -> None:
    version = started()
    assert send("fastq_validator", put(KEY, OTHER)) == []
    for _ in range(2):
        assert send("pipeline_orchestrator", created(s3_keys.seal_key("run-1"))) == []
    assert [f.version for f in runs.manifest("run-1", 0).files] == [version]
    assert len(executions()) == 1
