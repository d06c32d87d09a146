"""`porewatch-worker run` itself: environment, exit codes, signals, with dorado's stand-in."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from botocore.session import get_session

from porewatch.adapters import caller
from porewatch.adapters.broker.broker_client import CredentialBroker
from porewatch.domain import s3_keys
from porewatch.domain.errors import IdentityRefused, PorewatchError, StaleEpoch
from porewatch.domain.runs import InputFile, ReadKind
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.record import StageKey
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.work_order import WorkOrder
from porewatch_worker.main import METADATA_PATIENCE, main
from tests.worker.runtime_world import SECRET, World, an_order, world
from tests.worker.test_runtime_basecalling import SIGNAL

__all__ = ["world"]

pytestmark = pytest.mark.skipif(not SIGNAL.exists(), reason="needs the shared POD5 signal file")
STAGE = StageKey("run-1", 1, "screen")


@pytest.fixture
def instance(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The environment that the user-data exports, and an order to basecall one file."""
    program = tmp_path / "dorado"
    stand_in = Path(__file__).with_name("stand_in_dorado.py")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n')
    program.chmod(0o755)
    for name, value in {
        "POREWATCH_STACK": "test",
        "LEDGER_TABLE": "ledger",
        "RAW_BUCKET": "raw",
        "RESULTS_BUCKET": "results",
        "WORKER_QUEUE_URL": world.settings.worker_queue_url,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": world.metadata.endpoint,
        "POREWATCH_SCRATCH": str(tmp_path / "scratch"),
        "POREWATCH_DORADO": str(program),
        "POREWATCH_BASECALL_DEVICE": "cpu",
        "POREWATCH_BEAT_SECONDS": "0.2",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(caller, "user_id", world.cloud.user_id)  # moto has one caller
    signal_key = s3_keys.raw_key("run-1", "pod5/a.pod5")
    world.s3.put_object(Bucket="raw", Key=signal_key, Body=SIGNAL.read_bytes())
    key = s3_keys.order_key(*STAGE)
    world.s3.put_object(Bucket="results", Key=key, Body=to_basecall().canonical_json().encode())
    return world


def to_basecall() -> WorkOrder:
    file = InputFile(path="pod5/a.pod5", kind=ReadKind.POD5, size=SIGNAL.stat().st_size)
    order = an_order()
    manifest = order.manifest.model_copy(update={"files": (file,)})
    return order.model_copy(update={"manifest": manifest, "phases": (Phase.BASECALLING,)})


def test_run_does_the_stage_that_the_tags_name(instance: World) -> None:
    assert main(["run"]) == 0
    manifest = instance.manifest()
    assert isinstance(manifest, StageManifest)
    assert set(manifest.outputs) == {"bam/a.bam", "basecalling.json"}
    assert manifest.phases[0].phase is Phase.BASECALLING


def test_a_job_does_the_stage_that_its_environment_names(
    instance: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tags of a job's host are not its own: they are not even looked at."""
    epoch = instance.metadata.leaves["meta-data/tags/instance/porewatch-epoch"]
    instance.metadata.leaves.clear()
    variables = {
        "RUN": "run-1",
        "REVISION": "1",
        "STAGE": "screen",
        "EPOCH": epoch,
        "SECRET": SECRET,
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"POREWATCH_{name}", value)
    monkeypatch.setenv("AWS_BATCH_JOB_ID", "job-1")
    assert main(["run"]) == 0
    assert (instance.manifest().instance_id, instance.manifest().epoch) == ("job-1", int(epoch))


def test_a_job_without_its_id_is_not_set_up(
    instance: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("POREWATCH_RUN", "run-1")
    monkeypatch.setenv("POREWATCH_SECRET", SECRET)
    assert main(["run"]) == 2
    assert "the job's environment makes no assignment" in caplog.text
    assert SECRET not in caplog.text
    assert instance.messages() == []


def test_sigterm_ends_dorado_reports_interrupted_and_exits_0(
    instance: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POREWATCH_TEST_DORADO", "slow")
    before = signal.getsignal(signal.SIGTERM)
    threading.Timer(3.0, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    assert main(["run"]) == 0
    last = instance.messages()[-1]
    assert last.kind == "interrupted"
    assert last.last_checkpoint is None
    assert "signal SIGTERM" in instance.log(1)
    assert signal.getsignal(signal.SIGTERM) is before


def test_no_basecaller_is_refused_before_anything_is_fetched(
    instance: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POREWATCH_DORADO", "no-such-dorado")
    assert main(["run"]) == 3
    last = instance.messages()[-1]
    assert last.kind == "stage_broken"
    assert last.error == "BasecallerMissing"
    assert "Remedy: put dorado on the machine's PATH" in last.problem


def test_an_incomplete_environment_is_named(
    instance: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LEDGER_TABLE")
    monkeypatch.delenv("WORKER_QUEUE_URL")
    assert main(["run"]) == 2
    assert "LEDGER_TABLE, WORKER_QUEUE_URL" in capsys.readouterr().err
    assert instance.messages() == []


def test_credentials_are_waited_for_at_a_slow_metadata_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (*METADATA_PATIENCE, "LEDGER_TABLE"):
        monkeypatch.setenv(name, "")  # so that it is as before, afterwards
        monkeypatch.delenv(name)
    assert main(["run"]) == 2
    session = get_session()
    assert session.get_config_variable("metadata_service_timeout") == 5
    assert session.get_config_variable("metadata_service_num_attempts") == 5


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (StaleEpoch("epoch 1 is over"), 0, "exiting without a message"),
        (IdentityRefused("no machine of this stack"), 2, "no credentials for it"),
    ],
)
def test_who_gets_no_credentials_ends_and_says_why(
    instance: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: PorewatchError,
    code: int,
    told: str,
) -> None:
    def refused(*_: object) -> None:
        raise error

    monkeypatch.setenv("POREWATCH_CREDENTIAL_BROKER", "broker")
    monkeypatch.setattr(CredentialBroker, "ask", refused)
    caplog.set_level("INFO")
    assert main(["run"]) == code
    assert told in caplog.text
    assert str(error) in caplog.text
    assert instance.messages() == []
