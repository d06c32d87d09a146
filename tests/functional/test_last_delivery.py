"""Every message about a file or tar ends in a verdict, also when working at it fails each time."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.table import Table
from porewatch.domain.errors import OutOfTime, Unavailable
from porewatch.domain.records.file_record import FileState
from porewatch.domain.runs import RunState
from porewatch.edge.queue import LAST_RECEIVE
from porewatch_local.stack_template.template import Template
from tests.functional.doors import ROOT, Context, batch, door, fact_event, keys, put, send
from tests.functional.test_bundle_unpacker import GOOD, a_tar
from tests.functional.test_bundle_unpacker import KEY as TAR
from tests.functional.test_pipeline_orchestrator import a_file, a_manifest, put_seal, validated
from tests.mocked import facts_in

KEY = "runs/run-1/fastq/a.fastq.gz"
PATH = "fastq/a.fastq.gz"
Mail = Callable[[], list[dict[str, Any]]]


def deliver(function: str, body: dict[str, Any], receives: int) -> bool:
    """Whether the queue may forget the message."""
    event = batch(body)
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(receives)
    return not door(function)(event, Context())["batchItemFailures"]


def broken(error: Exception) -> Callable[..., None]:
    def work(*_: object, **__: object) -> None:
        raise error

    return work


@pytest.mark.parametrize(
    "error", [KeyError("field"), RecursionError(), OutOfTime("it takes too long.")], ids=repr
)
def test_a_file_that_nobody_can_judge_is_set_aside_at_the_last_delivery(
    cloud: Table,
    runs: RunLedger,
    notices: Mail,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    event = put(KEY, GOOD)
    monkeypatch.setattr("porewatch.reads.check.check_stream", broken(error))
    for receives in range(1, LAST_RECEIVE):
        assert not deliver("fastq_validator", event, receives)
        assert runs.files_of("run-1") == {}
    assert not deliver("fastq_validator", event, LAST_RECEIVE), "the dead letters keep it as well"
    record = runs.files_of("run-1")[PATH]
    assert (record.state, record.code) == (FileState.QUARANTINED, "NotJudged")
    assert "could not be judged" in str(record.problem)
    assert keys("quarantine/") == [f"quarantine/{KEY}"]
    assert facts_in(cloud, "run-1") == ["FileQuarantined"]
    assert len(notices()) == 1


def test_the_run_of_such_a_file_ends_and_names_it(
    cloud: Table, runs: RunLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = put(KEY, GOOD)
    sealed = a_manifest(a_file(PATH))
    assert send("pipeline_orchestrator", put_seal(sealed)) == []
    assert runs.get("run-1").state is RunState.SEALED
    monkeypatch.setattr("porewatch.reads.check.check_stream", broken(KeyError("field")))
    deliver("fastq_validator", event, LAST_RECEIVE)
    assert send("pipeline_orchestrator", validated(PATH, "FileQuarantined")) == []
    record = runs.get("run-1")
    assert record.state is RunState.REFUSED
    assert PATH in str(record.problem)


def test_when_the_world_was_in_the_way_the_letter_waits_to_be_sent_again(
    cloud: Table, runs: RunLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = put(KEY, GOOD)
    with monkeypatch.context() as world:
        world.setattr("porewatch.reads.check.check_stream", broken(Unavailable("not now.")))
        assert not deliver("fastq_validator", event, LAST_RECEIVE)
    assert runs.files_of("run-1") == {}
    assert deliver("fastq_validator", event, 1)
    assert runs.files_of("run-1")[PATH].state is FileState.VALID


def test_a_file_that_kills_its_reader_is_set_aside_at_the_first_delivery(
    cloud: Table, runs: RunLedger, notices: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "porewatch.reads.check.scan_fastq", lambda *_, **__: os.kill(os.getpid(), signal.SIGSEGV)
    )
    assert send("fastq_validator", put(KEY, GOOD)) == []
    record = runs.files_of("run-1")[PATH]
    assert (record.state, record.code) == (FileState.QUARANTINED, "ReaderCrashed")
    assert "SIGSEGV" in str(record.problem)
    [mail] = notices()
    assert "File set aside in run run-1" in str(mail)


def test_a_bad_file_is_notified_once(cloud: Table, notices: Mail) -> None:
    assert send("fastq_validator", put(KEY, b"\x1f\x8brubbish")) == []
    assert len(notices()) == 1
    [fact] = cloud.query("RUN#run-1", "FACT#")
    detail = json.loads(str(fact.attributes["detail"]))
    assert detail["code"] == "InputRefused"
    assert send("alert_handler", fact_event("FileQuarantined", detail)) == []
    assert notices() == []


def test_a_tar_that_nobody_can_unpack_is_refused_at_the_last_delivery(
    cloud: Table, runs: RunLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = put(TAR, a_tar((PATH, GOOD)))
    monkeypatch.setattr(
        "porewatch.usecases.intake.unpack_run_archive.manifest_of", broken(KeyError("field"))
    )
    for receives in range(1, LAST_RECEIVE):
        assert not deliver("bundle_unpacker", event, receives)
        assert runs.find("run-1") is None
    assert not deliver("bundle_unpacker", event, LAST_RECEIVE)
    record = runs.get("run-1")
    assert record.state is RunState.REFUSED
    assert "could not be judged: KeyError: 'field'" in str(record.problem)
    assert keys("inbox/") == []
    assert f"quarantine/{TAR}.reason.txt" in keys("quarantine/")


def test_a_bad_tar_does_not_refuse_a_run_whose_files_arrive(cloud: Table, runs: RunLedger) -> None:
    assert send("fastq_validator", put(KEY, GOOD)) == []
    assert send("bundle_unpacker", put(TAR, b"rubbish" * 100)) == []
    assert runs.get("run-1").state is RunState.RECEIVING
    assert "ObjectAnswered" in facts_in(cloud, "run-1")
    assert keys("inbox/") == []


@pytest.mark.parametrize("queue", ["FilesQueue", "BundlesQueue"])
def test_the_last_delivery_is_the_one_before_the_dead_letters(queue: str) -> None:
    resources = Template.load(ROOT / "template.yaml").resources
    redrive = resources[queue]["Properties"]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == LAST_RECEIVE
