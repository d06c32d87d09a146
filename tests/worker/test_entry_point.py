"""`porewatch-worker` as a plain process: the commands of an instance, a container and a person.

No AWS is there; what these tests look at is decided before or without it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from porewatch_worker import __version__

PROGRAM = str(Path(sys.executable).with_name("porewatch-worker"))
NOWHERE = "http://127.0.0.1:9"
STACK = {
    "POREWATCH_STACK": "test",
    "LEDGER_TABLE": "ledger",
    "RAW_BUCKET": "raw",
    "RESULTS_BUCKET": "results",
    "WORKER_QUEUE_URL": f"{NOWHERE}/queue",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": NOWHERE,
    "AWS_ENDPOINT_URL": NOWHERE,
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",
    "POREWATCH_PATIENCE_SECONDS": "1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
}
JOB = {
    "POREWATCH_RUN": "run-1",
    "POREWATCH_REVISION": "1",
    "POREWATCH_STAGE": "screen",
    "POREWATCH_EPOCH": "3",
    "AWS_BATCH_JOB_ID": "job-1",
    "POREWATCH_SECRET": "0000000000000000000000000000000000000000000000000000000000000000",
}


def call(scratch: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"], "POREWATCH_SCRATCH": str(scratch), **environment}
    return subprocess.run(
        [PROGRAM, *arguments], env=given, capture_output=True, text=True, timeout=120, check=False
    )


def test_it_prints_its_version(tmp_path: Path) -> None:
    done = call(tmp_path, "--version")
    assert (done.returncode, done.stdout.strip()) == (0, __version__)


def test_without_an_environment_it_names_what_is_missing_and_the_way_out(tmp_path: Path) -> None:
    done = call(tmp_path, "run")
    assert done.returncode == 2
    for name in ("POREWATCH_STACK", "LEDGER_TABLE", "RAW_BUCKET", "RESULTS_BUCKET"):
        assert name in done.stderr
    assert "Remedy: the launch template (user-data) or the job definition sets them" in done.stderr


def test_a_job_definition_that_forgot_one_variable_gets_its_name(tmp_path: Path) -> None:
    variables = {name: value for name, value in STACK.items() if name != "RESULTS_BUCKET"}
    done = call(tmp_path, "run", **variables, **JOB)
    assert done.returncode == 2
    assert "RESULTS_BUCKET." in done.stderr
    assert "LEDGER_TABLE" not in done.stderr


def test_on_an_instance_the_metadata_have_the_assignment_and_without_them_it_is_not_set_up(
    tmp_path: Path,
) -> None:
    done = call(tmp_path, "run", **STACK)
    assert done.returncode == 2
    assert "this instance has no assignment" in done.stderr
    assert "instance metadata" in done.stderr


def test_a_job_knows_its_work_without_metadata_and_fails_when_aws_does_not_answer(
    tmp_path: Path,
) -> None:
    """It does not learn who it is, and leaves nothing behind."""
    done = call(tmp_path, "run", **STACK, **JOB)
    assert done.returncode == 2
    assert "waiting for the service" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_job_with_an_epoch_that_is_none_is_not_set_up(tmp_path: Path) -> None:
    done = call(tmp_path, "run", **STACK, **{**JOB, "POREWATCH_EPOCH": "first"})
    assert done.returncode == 2
    assert "the job's environment makes no assignment" in done.stderr
