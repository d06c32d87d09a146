"""The control plane on a mocked ledger and bucket, with stand-ins for what moto cannot play:
machines that are full, lost or reclaimed, and a state machine that remembers its answers."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.ledger.capacity_misses import Pools
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.ledger.sweep_cursor import SweepCursor
from porewatch.adapters.ledger.terminations import Kills
from porewatch.adapters.ledger.worker_notes import WorkerNotes
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.manifests import Manifests
from porewatch.adapters.table import Table
from porewatch.compute.ladder import rungs
from porewatch.compute.price_table import price_list
from porewatch.domain import s3_keys
from porewatch.domain.errors import AlreadyDone, PorewatchError, Unavailable
from porewatch.domain.rules import stage_lifecycle
from porewatch.domain.runs import InputFile, ReadKind, RunManifest, Sample
from porewatch.domain.stage.cloud_events import ExecutionEnded
from porewatch.domain.stage.instances import (
    ExecutorName,
    LaunchSpec,
    Machine,
    MachineState,
    Owner,
    Purchase,
)
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.message_proofs import derivation
from porewatch.domain.stage.record import StageKey, StageRecord
from porewatch.domain.stage.spec import LaunchRequest, Phase, StageSpec
from porewatch.domain.stage.state_machine_tasks import (
    Await,
    Decide,
    FailRun,
    Launch,
    Open,
    Opened,
    RunEnded,
)
from porewatch.usecases.instances.launch_instance import launch_instance
from porewatch.usecases.instances.stage_context import StageContext
from porewatch.usecases.monitoring.monitor_instances import MonitorContext
from porewatch.usecases.stages.answer_stage import await_stage
from porewatch.usecases.stages.close_run import close_run
from porewatch.usecases.stages.end_run import Brakes
from porewatch.usecases.stages.handle_error import decide_stage, fail_run
from porewatch.usecases.stages.open_stage import open_stage

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
RUN, REVISION, STAGE = "run-1", 0, "screen"
KEY = StageKey(RUN, REVISION, STAGE)
SPEC = StageSpec(
    name=STAGE,
    phases=(Phase.QUALITY_CONTROL, Phase.HOST_REMOVAL),
    instance_types=("m5.2xlarge", "r5.2xlarge"),
)
MANIFEST_KEY = s3_keys.manifest_key(RUN, REVISION, STAGE)


ROLE_ID = "AROAWORKER"


def user_of(machine: str) -> str:
    """`aws:userid` of the credentials of a machine."""
    return f"{ROLE_ID}:{machine}"


class Secrets:
    """Of every epoch another one, as KMS derives them."""

    def of(self, key: StageKey, epoch: int) -> str:
        return hashlib.sha256(derivation("s", key, epoch)).hexdigest()


def attempt_of(epoch: int = 1, machine: str = "i-1") -> str:
    return s3_keys.attempt_prefix(*KEY, epoch, user_of(machine))


def draft_of(epoch: int = 1, machine: str = "i-1") -> str:
    return s3_keys.draft_key(attempt_of(epoch, machine))


@dataclass
class Cloud:
    """Machines. `full` purchases have no capacity; `unreachable` answers nothing."""

    machines: dict[str, Machine] = field(default_factory=dict)
    full: dict[Purchase, PorewatchError] = field(default_factory=dict)
    unreachable: bool = False
    launches: list[LaunchSpec] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    at: datetime = START
    printed: str | None = "kernel: panic"

    def prepare(self, request: LaunchRequest) -> tuple[LaunchSpec, ...]:
        return rungs(
            request,
            launch_template_id="lt-1",
            subnet_ids=("subnet-1",),
            zones=("eu-central-1a",),
        )

    def launch(self, spec: LaunchSpec, asked: Container[ExecutorName] = ()) -> Machine:
        for machine in self.find(spec.owner):
            if machine.alive():
                return machine
        self.launches.append(spec)
        if spec.purchase in self.full:
            raise self.full[spec.purchase]
        name = f"i-{len(self.machines) + 1}"
        self.machines[name] = Machine(
            instance_id=name,
            state=MachineState.RUNNING,
            instance_type=spec.instance_types[0],
            purchase=spec.purchase,
            availability_zone="eu-central-1a",
            launched_at=self.at,
            owner=spec.owner,
            expires_at=spec.expires_at,
        )
        return self.machines[name]

    def observe(self, instance_ids: Iterable[str]) -> dict[str, Machine]:
        if self.unreachable:
            raise Unavailable("EC2 does not answer.")
        return {name: self.machines[name] for name in instance_ids if name in self.machines}

    def find(self, owner: Owner, source: ExecutorName = "ec2") -> list[Machine]:
        if source == "batch":
            return []
        return [machine for machine in self.machines.values() if machine.owner == owner]

    def inventory(self, source: ExecutorName = "ec2") -> list[Machine]:
        if source == "batch":
            return []
        return list(self.machines.values())

    def console(self, instance_id: str) -> str:
        if self.printed is None:
            raise Unavailable("EC2 does not answer.")
        return self.printed

    def terminate(self, instance_id: str) -> None:
        self.ended.append(instance_id)
        if instance_id in self.machines:
            self.lose(instance_id, "Client.UserInitiatedShutdown")

    def interrupt(self, instance_id: str) -> None:
        self.terminate(instance_id)

    def price(
        self, instance_type: str, purchase: Purchase, seconds: float, disk_gib: int = 0
    ) -> float:
        disk = price_list().disk_usd(disk_gib, seconds) if disk_gib else 0.0
        return price_list().usd(instance_type, purchase, seconds) + disk

    def lose(self, instance_id: str, why: str = "Server.InternalError") -> None:
        gone = {"state": MachineState.GONE, "why_ended": why, "ended_at": self.at}
        self.machines[instance_id] = self.machines[instance_id].model_copy(update=gone)


@dataclass
class StateMachine:
    """Records callbacks. A token can be answered once."""

    answers: list[tuple[str, str, str]] = field(default_factory=list)
    beats: list[str] = field(default_factory=list)
    over: set[str] = field(default_factory=set)

    def succeed(self, token: str, output: dict[str, str]) -> None:
        self._once(token)
        self.answers.append((token, "success", output["manifest_key"]))

    def fail(self, token: str, error: str, problem: str) -> None:
        self._once(token)
        self.answers.append((token, error, problem))

    def beat(self, token: str) -> None:
        if token in self.over:
            raise AlreadyDone("TaskTimedOut")
        self.beats.append(token)

    def _once(self, token: str) -> None:
        if token in self.over:
            raise AlreadyDone("TaskTimedOut")
        self.over.add(token)


@dataclass
class Executions:
    """Remembers which ones were stopped, and why."""

    stopped: list[tuple[str, str]] = field(default_factory=list)

    def stop(self, arn: str, cause: str) -> None:
        self.stopped.append((arn, cause))


@dataclass
class Ear:
    """The worker queue: empty, or with messages still waiting, or out of reach."""

    empty: bool | None = True

    def is_empty(self) -> bool:
        if self.empty is None:
            raise Unavailable("SQS does not answer.")
        return self.empty


class House:
    """Everything wired together, at a time that only the test moves."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.runs, self.stages = RunLedger(table), StageLedger(table)
        self.results = Objects("results")
        self.notes = WorkerNotes(table)
        self.manifests = Manifests(self.runs, Objects("raw"))
        self.cloud, self.state_machine, self.ear = Cloud(), StateMachine(), Ear()
        self.executions = Executions()
        self.now = START

    def later(self, **more: float) -> None:
        self.now += timedelta(**more)
        self.cloud.at = self.now

    def desk(self) -> StageContext:
        tokens = self.state_machine
        return StageContext(
            self.runs,
            self.manifests,
            self.stages,
            AlertLedger(self.table),
            self.results,
            tokens,  # type: ignore[arg-type]
            Secrets(),
            self.now,
        )

    def watch(self) -> MonitorContext:
        return MonitorContext(
            stack="s",
            stages=self.stages,
            results=self.results,
            callbacks=self.state_machine,  # type: ignore[arg-type]
            executor=self.cloud,
            queue=self.ear,  # type: ignore[arg-type]
            kills=Kills(self.table),
            cursor=SweepCursor(self.table),
            notes=self.notes,
            worker_role_id=ROLE_ID,
            at=self.now,
        )

    def seal(self, manifest: RunManifest | None = None) -> RunManifest:
        sealed = manifest or a_manifest()
        self.manifests.keep(sealed)
        self.runs.seal(sealed, sealed_by="run.json", at=self.now)
        self.runs.start(sealed, execution_arn="arn", bundle="demo@1", at=self.now)
        return sealed

    def open(self) -> Opened:
        task = Open(action="open", run_id=RUN, revision=REVISION, spec=SPEC)
        return open_stage(task, self.desk(), default_bundle="fallback@1")

    def launch(self, epoch: int, budget_usd: float = 25.0, spot_waits: int = 0) -> str:
        return launch_instance(
            Launch(run_id=RUN, revision=REVISION, epoch=epoch, spec=SPEC),
            stack="s",
            stages=self.stages,
            executor=self.cloud,
            budget=Budget(self.table, run_usd=budget_usd),
            pools=Pools(self.table),
            secrets=Secrets(),
            at=self.now,
            spot_waits=lambda _: spot_waits,
        ).instance_id

    def wait_again(self, epoch: int, error: PorewatchError) -> None:
        """No machine came: the state machine asks what to do, and waits."""
        of = {"run_id": RUN, "revision": REVISION, "stage": STAGE, "epoch": epoch}
        what = {"error": type(error).__name__, "cause": error.problem}
        task = Decide.model_validate({"action": "decide", **of, **what})
        assert decide_stage(task, stages=self.stages, at=self.now).decision == "retry"
        self.later(minutes=2)

    def brakes(self) -> Brakes:
        return Brakes(
            stack="s",
            runs=self.runs,
            stages=self.stages,
            executions=self.executions,  # type: ignore[arg-type]
            executor=self.cloud,
            prices=price_list().services,
            at=self.now,
        )

    def fail(self, task: FailRun) -> RunEnded:
        return fail_run(task, self.brakes())

    def close(self, ended: ExecutionEnded) -> None:
        close_run(ended, self.brakes())

    def wait(self, epoch: int, token: str) -> None:
        task = Await(
            action="await",
            run_id=RUN,
            revision=REVISION,
            stage=STAGE,
            epoch=epoch,
            task_token=token,
        )
        await_stage(task, self.desk())

    def claimed(self) -> StageRecord:
        """Epoch 1 open, launched, claimed by its machine, awaited with token `t1`."""
        self.seal()
        self.open()
        instance_id = self.launch(1)
        self.stages.apply(
            KEY, stage_lifecycle.claim, 1, instance_id, self.now, user_of(instance_id)
        )
        self.wait(1, "t1")
        return self.record()

    def record(self) -> StageRecord:
        return self.stages.get(KEY)

    def manifest(self, epoch: int = 1, **changes: object) -> StageManifest:
        manifest = StageManifest(
            run_id=RUN,
            revision=REVISION,
            stage=STAGE,
            epoch=epoch,
            fingerprint="f",
            instance_id="i-1",
            worker_version="0",
            started_at=self.now,
            finished_at=self.now,
            phases=(),
            outputs={},
        )
        return manifest.model_copy(update=changes)

    def publish(self, epoch: int = 1, **changes: object) -> str:
        """What a worker does before it reports it: its manifest lies below its prefix; its key."""
        key = draft_of(epoch)
        self.results.put_json(key, self.manifest(epoch, **changes))
        return key


def a_manifest(kind: ReadKind = ReadKind.FASTQ, bundle: str | None = None) -> RunManifest:
    name = {ReadKind.FASTQ: "fastq/a.fastq.gz", ReadKind.POD5: "pod5/a.pod5"}[kind]
    return RunManifest(
        run_id=RUN,
        created_at=START,
        bundle=bundle,
        files=(InputFile(path=name, kind=kind, size=1),),
        samples=(Sample(name="s1"),),
    )
