"""Somebody stops an execution: its run must not look alive for ever, and its sender is notified."""

from __future__ import annotations

import pytest

from porewatch.adapters.executions import Executions
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.runs import InputFile, ReadKind, RunManifest, RunState, Sample
from porewatch.domain.stage.cloud_events import PROBLEMS
from porewatch.usecases.intake.start_run import ExecutionInput
from tests.cloud.conftest import Cloud
from tests.cloud.making import named, wait_for
from tests.mocked import facts_in

pytestmark = pytest.mark.cloud


def test_a_run_whose_execution_is_stopped_fails_and_says_so_once(stack: Cloud) -> None:
    table = Table(stack.outputs["LedgerTable"], stack.client("dynamodb"))
    runs, functions = RunLedger(table), stack.client("stepfunctions")
    executions = Executions(stack.outputs["StateMachineArn"], functions)
    manifest = RunManifest(
        run_id=named("stopped"),
        created_at=now(),
        files=(InputFile(path="fastq/a.fastq", kind=ReadKind.FASTQ, size=1),),
        samples=(Sample(name="s1"),),
    )
    run_id, digest = manifest.run_id, manifest.digest()
    arn = executions.arn(run_id, digest)
    runs.seal(manifest, sealed_by="run.json", at=now())
    runs.start(manifest, execution_arn=arn, bundle="demo@1", at=now())
    order = ExecutionInput(run_id=run_id, revision=0, manifest_digest=digest, profile="default")
    executions.start(run_id, digest, order)
    functions.stop_execution(executionArn=arn, cause="the operator thought better of it.")
    wait_for(lambda: runs.get(run_id).state is RunState.FAILED, what="the end of the run")
    assert runs.get(run_id).problem == PROBLEMS["ABORTED"]
    assert facts_in(table, run_id).count("RunFailed") == 1
