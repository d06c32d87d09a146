"""Everything put together: one stack, its runs, and what happens to them until all is quiet."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from porewatch.adapters.s3 import manifests
from porewatch.domain import s3_keys
from porewatch.domain.runs import InputFile, ReadKind, RunManifest, Sample
from porewatch_worker.settings import WorkerSettings
from simulator import deployed
from simulator.asl import Machine
from simulator.batch import Batch, Hosts
from simulator.bus import Bus, Targets
from simulator.calls import Call, Client, Fate, Wire
from simulator.dynamodb import DynamoDb
from simulator.ec2 import Ec2, Instance, Surroundings
from simulator.installed import installed
from simulator.lambdas import QUEUES, Lambdas
from simulator.machine import Box, Machines, Means
from simulator.people import People
from simulator.rds import RdsData
from simulator.s3 import S3, Stored
from simulator.scheduler import START, Process, Scheduler
from simulator.simple import Kms, Recorder, Sts
from simulator.sqs import Sqs
from simulator.stepfunctions import Execution, StepFunctions
from simulator.weather import CLEAR, Weather
from simulator.work import Plan, decision

LIMIT_S = 14 * 3600.0
TAIL_S = 3 * 3600.0
VISIBLE = 4
"""Slashes in the key of a visible manifest; a draft lies deeper."""
SDK_GIVES_UP_S, SDK_WAITS_S = 3.0, 20.0
"""How long the SDK takes to give up a service that refuses, and how long it waits for an answer."""
LATE_S = 300.0
"""Longer than a second delivery or the third try of an event may be late."""
CLAIM = "FACT#StageClaimed:"
ENDS = ("completed", "failed", "refused", "cancelled")
SEAL = "run.json"
READS = b"@r1\nACGTACGTACGT\n+\nIIIIIIIIIIII\n"
Decide = Callable[[Call], Fate]


class World:
    """`decide` overrides the weather for single calls (None: the weather decides)."""

    def __init__(
        self,
        seed: int = 0,
        weather: Weather = CLEAR,
        decide: Callable[[Call], Fate | None] | None = None,
        plan: Plan | None = None,
    ) -> None:
        self.scheduler = Scheduler(seed)
        manifests.forget()  # kept by processes of another world: this one would make fewer calls
        self.weather, self._override = weather, decide
        self.always_lost: frozenset[str] = frozenset()
        """Kinds of workers' messages that never arrive."""
        self.trace: list[str] = []
        self.manifests: list[str] = []
        self.calls: list[str] = []
        self.violations: list[str] = []
        self._claims: dict[tuple[str, ...], float] = {}
        """Run, revision, stage, epoch -> when its claim reached the ledger."""
        self.scratch = Path(tempfile.mkdtemp(prefix="sim-", dir=_memory()))
        rng, now = self.scheduler.rng, self._now
        self.ledger = DynamoDb(now, lambda: rng.random() * self.weather.index_late_s, self._changed)
        self.s3 = S3(self.scheduler.clock, self._wrote)
        self.sqs = Sqs(now, self._arrived, self._loses)
        for name, reader in QUEUES.items():
            self.sqs.make(name, visibility=reader.visibility_s, tries=reader.tries)
        self.lambdas = Lambdas(self.scheduler, self.sqs, self.weather, self.log)
        self.stepfunctions = StepFunctions(self.scheduler, self._began, self._stopped)
        self.machine = Machine(
            self.scheduler,
            self.stepfunctions,
            self.lambdas.task,
            self.log,
            lambda: self.weather.gone("stepfunctions", now()),
        )
        self.plan = plan = plan or Plan()
        self.machines = Machines(
            Means(
                self.scheduler, weather, self._worker_settings(), plan, self._send_event, self.log
            )
        )
        self.ec2 = Ec2(
            Surroundings(
                now=now,
                clock=self.scheduler.clock,
                refuses=lambda purchase, _type, zone: self.weather.refuses(
                    rng, now(), purchase, zone
                ),
                shows_late=lambda: rng.random() * self.weather.shows_late_s,
                looks_late=lambda: rng.random() * self.weather.looks_late_s,
                born=self._born,
                ending=self._ending,
            )
        )
        self.batch = Batch(
            Hosts(
                now=now,
                shows_late=lambda: rng.random() * self.weather.shows_late_s,
                begun=self.machines.born,
                ending=self._ending,
            )
        )
        self.recorder, self.registry = Recorder(), RdsData()
        self.people = People(self.scheduler, self.lambdas, self.log)
        self.bus = Bus(Targets(self.sqs, self.scheduler, lambda: self.weather, self.log))
        services = {
            "dynamodb": self.ledger,
            "s3": self.s3,
            "sqs": self.sqs,
            "stepfunctions": self.stepfunctions,
            "ec2": self.ec2,
            "batch": self.batch,
            "events": self.bus,
            "sns": self.recorder,
            "cloudwatch": self.recorder,
            "sts": Sts(),
            "kms": Kms(),
            "rds-data": self.registry,
        }
        self._wire = Wire(self.scheduler, services, self._fate, self._latency, self.log)
        self.client = cache(lambda service, attempts=4: Client(self._wire, service))
        self.runs: list[str] = []
        self._executing: dict[str, Process] = {}
        for function, every_s in deployed.schedules().items():
            self._clock(function, every_s, every_s * rng.random())
        self._intake_clock(*deployed.clock_of_the_intake())

    def expected(self, run_id: str) -> str:
        """The decision that the report must have."""
        return decision(run_id, self.plan.units)

    def log(self, what: str) -> None:
        self.trace.append(f"{self.scheduler.now:9.2f} {what}")

    def submit(self, run_id: str) -> None:
        """Upload a run as `porewatch submit` does: its reads, then its seal."""
        file = InputFile(path="fastq/a.fastq", kind=ReadKind.FASTQ, size=len(READS))
        manifest = RunManifest(
            run_id=run_id, created_at=START, files=(file,), samples=(Sample(name="pig"),)
        )
        self.runs.append(run_id)
        seal = manifest.canonical_json().encode()
        put = self.s3.put_object
        if self.weather.by_tar:
            put(Bucket="raw", Key=f"inbox/{run_id}.tar", Body=_tar({file.path: READS, SEAL: seal}))
        else:
            put(Bucket="raw", Key=s3_keys.raw_key(run_id, file.path), Body=READS)
            put(Bucket="raw", Key=s3_keys.seal_key(run_id), Body=seal)
        for seconds, act in self.weather.people:
            self.scheduler.after(seconds, lambda act=act: self._act(act, run_id))

    def _act(self, act: str, run_id: str) -> None:
        """Somebody does something; `spoil`: sends a seal that is none, while the run is at work."""
        if act != "spoil":
            self.people.act(act, run_id)
        elif self.state(run_id) == "running":
            self.s3.put_object(Bucket="raw", Key=s3_keys.seal_key(run_id), Body=b"no manifest")

    def play(self) -> None:
        """Until all runs have ended, then on until everything is quiet, in calm weather."""
        with self.under_way():
            self.finish()

    @contextmanager
    def under_way(self, **more: str) -> Iterator[None]:
        """The product lives in this world."""
        try:
            more = {"EXECUTOR": self.weather.executor, **more}
            with installed(self.scheduler, self.client, **more):
                yield
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def change(self, weather: Weather) -> None:
        """From now on the weather is this."""
        self.weather = self.lambdas.weather = weather

    def advance(self, seconds: float) -> None:
        self.scheduler.run(lambda: False, self.scheduler.now + seconds)

    def finish(self) -> None:
        """To the end, and until all is quiet; dead letters are redriven."""
        self.scheduler.run(self.ended, LIMIT_S)
        self.log("the runs have ended" if self.ended() else "THE RUNS DO NOT END")
        self._calm()
        self._settle(TAIL_S)
        for _ in range(3):
            if not self.lambdas.redrive():
                break
            self._settle(TAIL_S)

    def ended(self) -> bool:
        """Every run was started and has come to an end, and so have its machines."""
        there = self.stepfunctions.executions.values()
        return all(execution.status != "RUNNING" for execution in there) and all(
            self.state(run) in ENDS for run in self.runs
        )

    def state(self, run_id: str) -> str:
        item = self.ledger.items.get(f"RUN#{run_id}", {}).get("RUN")
        return str(json.loads(item["body"]["S"])["state"]) if item else ""

    def unfinished(self, run_id: str) -> bool:
        """A revision of it came to nothing, and has not ended whole yet."""
        record = json.loads(self.ledger.items[f"RUN#{run_id}"]["RUN"]["body"]["S"])
        return bool(record["unended"])

    def quiet(self) -> bool:
        """Nothing is on its way any more, no machine lives, and all of them are on the bill."""
        if not (self.ended() and self.lambdas.idle()) or self.people.waiting:
            return False
        if any(self.unfinished(run) for run in self.runs):
            return False
        if any(instance.state != "terminated" for instance in self.instances()):
            return False
        there = [sk for run in self.runs for sk in self.ledger.items[f"RUN#{run}"]]
        paid = sum(sk.startswith("COST#") and "#~" not in sk for sk in there)
        return paid >= len(self.instances())

    def instances(self) -> list[Instance]:
        """All machines there ever were, jobs too."""
        return [box.instance for box in self.machines.boxes.values()]

    def _settle(self, seconds: float) -> None:
        """A few minutes in any case: what was sent twice or put off still comes."""
        end = self.scheduler.now + seconds
        while self.scheduler.now < end:
            self.advance(LATE_S)
            if self.quiet():
                return

    def _calm(self) -> None:
        self.change(self.weather.calm())
        if not getattr(self._override, "stays", False):
            self._override = None

    def _now(self) -> float:
        return self.scheduler.now

    def _fate(self, call: Call) -> Fate:
        if call.process.kind == "worker" and call.name in ("put_object", "upload_fileobj"):
            self._works(call.process)
        self.calls.append(f"{call.process.kind} {call.number} {call.service}.{call.name}")
        if self.weather.gone(call.service, call.at):
            return Fate.BROKEN
        if self.weather.lag(call.service, call.at) > SDK_WAITS_S:
            return Fate.ANSWER_LOST
        forced = self._override(call) if self._override else None
        return forced or self.weather.fate(self.scheduler.rng, call, self.scheduler.now)

    def _latency(self, call: Call) -> float:
        """The SDK's tries at a service that is away take their time, and so does a slow one."""
        usual = 0.004 + self.scheduler.rng.random() * 0.03
        if self.weather.gone(call.service, call.at):
            return usual + SDK_GIVES_UP_S
        return usual + min(self.weather.lag(call.service, call.at), SDK_WAITS_S)

    def _works(self, process: Process) -> None:
        """A worker that begins after another's claim has reached the ledger must not write results.
        Before that both may: each writes below a prefix of its own, and one of them is published.
        """
        mine: Box = process.box  # type: ignore[attr-defined]
        if mine.worked:
            return
        mine.worked = True
        claimed_at = self._claims.get(mine.instance.owner, float("inf"))
        if mine.began is None or mine.began <= claimed_at:
            return
        for box in self.machines.boxes.values():
            if box is not mine and box.worked and box.instance.owner == mine.instance.owner:
                both = f"{box.instance.name} and {mine.instance.name}"
                self.violations.append(f"{both} both work for {mine.instance.owner}")

    def _changed(self, change: dict[str, Any]) -> None:
        fact = "detail_type" in change["dynamodb"].get("NewImage", {})
        if fact and change["eventName"] == "INSERT":
            fact_id = change["dynamodb"]["Keys"]["sk"]["S"]
            self.log(f"fact {fact_id}")
            if fact_id.startswith(CLAIM):
                self._claims[tuple(fact_id.removeprefix(CLAIM).split(":"))] = self._now()
            self.lambdas.changed(change)

    def _wrote(self, bucket: str, key: str, stored: Stored, replaced: bool) -> None:
        if bucket == "raw":
            self.bus.object_created(bucket, key, len(stored.content), stored.etag)
        if bucket == "results" and key.endswith("/manifest.json"):
            if key.count("/") == VISIBLE:
                self.manifests.append(key)
            # Its result is there: whoever sees it first may send the machine home.
            author = json.loads(stored.content)["instance_id"]
            self.machines.boxes[author].sent_last = True

    def _arrived(self, queue: str, delay: float) -> None:
        self.lambdas.arrived(queue, delay)

    def _loses(self, queue: str, body: str) -> bool:
        """Whether a worker's message is lost (never a claim: the worker would not begin)."""
        if queue != "worker":
            return False
        message = json.loads(body)
        box = self.machines.boxes[message["instance_id"]]
        if message["kind"] in ("published", "interrupted", "stage_broken"):
            box.sent_last = True
        muted = box.muted[0] <= self.scheduler.now < box.muted[1]
        muted = muted or message["kind"] in self.always_lost
        if muted or self.scheduler.rng.random() < self.weather.lost:
            self.log(f"lost: {message['kind']} of {message['instance_id'][-3:]}")
            return True
        return False

    def _began(self, execution: Execution) -> None:
        process = Process("execution", execution.name)
        self._executing[execution.name] = process

        def body() -> None:
            self.machine.run(execution)
            self._over(execution)

        self.scheduler.start(process, body)

    def _stopped(self, execution: Execution) -> None:
        """Somebody stopped it: where it stood, it is over."""
        self.scheduler.kill(self._executing[execution.name])
        self._over(execution)

    def _over(self, execution: Execution) -> None:
        execution.ended_at = self.scheduler.clock()
        self.log(f"{execution.name} {execution.status} {execution.error} {execution.cause}")
        delivered = self.scheduler.rng.random() >= self.weather.lost_endings
        if execution.status != "SUCCEEDED" and delivered:
            self._event("error_handler", self.bus.execution_ended(execution))

    def _born(self, instance: Instance) -> None:
        twins = [
            other.name
            for other in self.ec2.instances.values()
            if other.owner == instance.owner and other.living and other is not instance
        ]
        if twins:
            self.violations.append(
                f"two machines live for {instance.owner}: {twins}, {instance.name}"
            )
        self.machines.born(instance)

    def _ending(self, instance: Instance, why: str) -> None:
        _, _, stage, epoch = instance.owner
        if self.machines.healthy(instance) and self._owns(instance):
            self.violations.append(f"{instance.name} was healthy and is killed ({stage} e{epoch})")
        self.machines.end(instance, why)

    def _owns(self, instance: Instance) -> bool:
        """Its epoch is the one that counts and is known to have it, and its run still goes on. (A
        launcher that died four times in a row gives up what it has got before anybody knows.)"""
        run, revision, stage, epoch = instance.owner
        item = self.ledger.items[f"RUN#{run}"].get(f"STAGE#{int(revision):04d}#{stage}")
        if item is None or int(item["epoch"]["N"]) != int(epoch) or self.state(run) != "running":
            return False
        record = json.loads(item["body"]["S"])
        return bool(record["instance_id"] == instance.name)

    def _send_event(self, detail_type: str, detail: dict[str, str]) -> None:
        event = self.bus.of_ec2(detail_type, detail)
        rng = self.scheduler.rng
        if rng.random() < self.weather.lost:
            self.log(f"lost: {detail_type} {detail}")
            return
        for _ in range(1 + (rng.random() < self.weather.double)):
            late = self.weather.delay(rng, 0.2, self.weather.late_s)
            self.scheduler.after(late, lambda: self._event("instance_monitor", event))

    def _event(self, function: str, event: dict[str, Any]) -> None:
        """EventBridge calls a function; when it is away, it does so later."""
        if self.weather.gone("events", self.scheduler.now):
            self.scheduler.after(60.0, lambda: self._event(function, event))
            return
        self.lambdas.event(function, event)

    def _clock(self, function: str, every_s: float, first_s: float) -> None:
        """A schedule of EventBridge, which skips what it could not call."""

        def call() -> None:
            if not self.weather.gone("events", self.scheduler.now):
                self._event(function, self.bus.clock())
            self.scheduler.after(every_s, call)

        self.scheduler.after(first_s, call)

    def _intake_clock(self, every_s: float, message: str) -> None:
        def put() -> None:
            now = self.scheduler.now
            if not any(self.weather.gone(service, now) for service in ("events", "sqs")):
                self.sqs.send_message(QueueUrl="intake", MessageBody=message)
            self.scheduler.after(every_s, put)

        self.scheduler.after(every_s * self.scheduler.rng.random(), put)

    def _worker_settings(self) -> WorkerSettings:
        return WorkerSettings(
            stack="porewatch",
            ledger_table="ledger",
            raw_bucket="raw",
            results_bucket="results",
            worker_queue_url="worker",
            scratch=self.scratch,
            beat_s=60.0,
        )


def _tar(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
