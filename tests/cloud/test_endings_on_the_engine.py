"""Hold and deletion of a run under IAM, by the commands, on S3 with versions and Object Lock."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from porewatch.adapters.s3.versions import (
    Version,
    Versions,
)
from porewatch.domain import s3_keys
from porewatch.domain.runs import RunState
from porewatch_cli import exit_codes
from tests.cloud.conftest import Cloud
from tests.cloud.lab import Lab
from tests.cloud.making import wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.slow, pytest.mark.xdist_group("end to end")]
READS = gzip.compress(b"@r1\nACGTACGT\n+\nIIIIIIII\n", mtime=0)
DONE = ["--by", "K. Mori", "--reason", "the client asked for it"]


@pytest.fixture(scope="module")
def lab(stack: Cloud) -> Lab:
    """No whole run is needed here."""
    made = Lab(stack)
    made.subscriptions  # noqa: B018 - before the first notice
    return made


def received(lab: Lab, what: str) -> str:
    """A run of one checked file and one object that is nobody's reads."""
    run_id = lab.run_id(what)
    lab.put_files(run_id, {"fastq/a.fastq.gz": READS, "odd.xyz": b"?"})
    wait_for(lambda: lab.stack.runs.files_of(run_id), 60, f"the check of {run_id}")
    wait_for(lambda: lab.stack.runs.answers(run_id), 60, f"the answer to {run_id}")
    return run_id


def versions(lab: Lab, run_id: str) -> list[tuple[str, Version]]:
    return [
        (life, version)
        for life in ("Raw", "Results", "Reports")
        for version in Versions(lab.stack.output(f"{life}BucketName"), lab.stack.s3).of("")
        if f"/{run_id}/" in version.key or f"/{run_id}." in version.key
    ]


def printed(lab: Lab, *arguments: str) -> Any:
    answer = lab.command(*arguments, "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return json.loads(answer.stdout)


def refused(lab: Lab, *arguments: str) -> str:
    answer = lab.command(*arguments)
    assert answer.returncode in (exit_codes.COMMAND_FAILED, exit_codes.REFUSED), answer.stdout
    return answer.stderr


def test_an_object_that_nothing_understands_has_its_recorded_answer(lab: Lab) -> None:
    run_id = received(lab, "odd")
    (answer,) = lab.stack.runs.answers(run_id)
    assert answer.path == "odd.xyz"
    assert answer.problem
    view = lab.find(run_id)
    assert view is not None and view.run.state is RunState.RECEIVING
    assert any("odd.xyz" in line for line in view.answer_lines)


def test_a_run_is_cancelled_held_released_and_deleted(lab: Lab) -> None:
    run_id = received(lab, "ends")
    results = lab.stack.bucket("Results")
    results.put(s3_keys.results_key(run_id, 0), b"first")
    results.put(s3_keys.results_key(run_id, 0), b"second")
    results.remove(s3_keys.results_key(run_id, 0))
    lab.put(f"quarantine/runs/{run_id}/fastq/b.fastq.gz", b"bad")

    assert "is receiving" in refused(lab, "delete", run_id, "--yes", run_id, *DONE)
    assert printed(lab, "cancel", run_id)["state"] == "cancelled"
    assert lab.command("watch", run_id).returncode == exit_codes.RUN_FAILED

    held = printed(lab, "hold", run_id, "--reason", "complaint 17", "--by", "M. Sato")
    assert held["hold"]["reason"] == "complaint 17"
    there = [(life, v) for life, v in versions(lab, run_id) if not v.marker]
    assert held["locked"] == len(there) >= 5
    for life, version in there:
        with pytest.raises(ClientError, match="AccessDenied"):
            lab.stack.s3.delete_object(
                Bucket=lab.stack.output(f"{life}BucketName"),
                Key=version.key,
                VersionId=version.number,
            )
    (listed,) = (r for r in printed(lab, "list") if r["run_id"] == run_id)
    assert listed["hold"]["by"] == "M. Sato"
    assert "legal hold" in refused(lab, "delete", run_id, "--yes", run_id, *DONE)
    assert len(versions(lab, run_id)) > len(there), "with its delete marker"
    assert lab.wait_messages(run_id, "RunHeld")

    assert printed(lab, "hold", run_id, "--release", "--reason", "closed")["hold"] is None
    seen = printed(lab, "delete", run_id, "--dry-run")
    assert seen["found"]["versions"] == len(versions(lab, run_id))
    assert "needs a confirmation" in refused(lab, "delete", run_id, *DONE)
    assert "nothing was deleted" in refused(lab, "delete", run_id, "--yes", "another", *DONE)
    assert versions(lab, run_id)

    done = printed(lab, "delete", run_id, "--yes", run_id, *DONE)
    assert (done["state"], done["more"]) == ("deleted", False)
    assert done["found"]["versions"] == seen["found"]["versions"]
    assert versions(lab, run_id) == []
    kept = {sk.split(":")[0] for sk in lab.stack.table.sort_keys(f"RUN#{run_id}")}
    assert kept == {"RUN", "FACT#RunHeld", "FACT#HoldReleased", "FACT#RunDeleted"}
    (notice,) = lab.wait_messages(run_id, "RunDeleted")
    assert "K. Mori" in notice.body and "What stays" in notice.body
    rows = "SELECT deleted_by FROM deleted_runs WHERE run_id = :r"
    assert lab.wait_rows(rows, r=run_id) == [{"deleted_by": "K. Mori"}]
    assert lab.rows("SELECT 1 FROM files WHERE run_id = :r", r=run_id) == []

    lab.put_files(run_id, {"fastq/late.fastq.gz": READS})
    lab.put_seal(run_id, lab.manifest(run_id, {"fastq/late.fastq.gz": READS}))
    (answer,) = wait_for(lambda: lab.stack.runs.answers(run_id), 60, "the answer to what is late")
    assert "was deleted" in answer.problem
    assert "was deleted" in lab.wait_messages(run_id, "ObjectAnswered")[-1].body
    run = lab.stack.runs.get(run_id)
    assert run.state is RunState.DELETED
    assert lab.executions(run_id) == []
    assert lab.command("watch", run_id).returncode == exit_codes.RUN_FAILED


def roles(lab: Lab, function: str) -> list[dict[str, Any]]:
    """The statements of a function's own policy, as deployed."""
    functions, iam = lab.cloud.client("lambda"), lab.cloud.client("iam")
    name = functions.get_function(FunctionName=f"{lab.stack.name}-{function}")["Configuration"]
    role = name["Role"].rsplit("/", 1)[-1]
    policy = iam.get_role_policy(RoleName=role, PolicyName="own")["PolicyDocument"]
    return list(policy["Statement"])


def actions(lab: Lab, function: str) -> set[str]:
    found = [statement["Action"] for statement in roles(lab, function)]
    return {a for some in found for a in ([some] if isinstance(some, str) else some)}


def test_no_role_can_delete_and_end_the_hold_that_forbids_it(lab: Lab) -> None:
    deletes, holds = {"s3:DeleteObjectVersion"}, {"s3:PutObjectLegalHold"}
    assert deletes & actions(lab, "run-eraser") and not holds & actions(lab, "run-eraser")
    assert holds & actions(lab, "run-keeper") and not deletes & actions(lab, "run-keeper")
