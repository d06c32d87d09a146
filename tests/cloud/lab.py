"""Whole runs for the end-to-end tests: sent together, awaited together, looked at from outside.

The stack is shared and fresh for each test session, so that run ids are plain names. Every test
module that has a function `send_runs(lab)` has it called before its first test runs: all runs of
all modules are under way at once, and the tests then only look.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from porewatch.adapters.registry.database import Registry
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.calls.findings import (
    Call,
    Finding,
)
from porewatch.domain.errors import NotFound
from porewatch.domain.facts.stage_facts import InstanceLaunched
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.report import Report
from porewatch.domain.runs import FINAL_STATES, RunManifest, RunState, Sample
from porewatch.domain.sealing import input_file, seal
from porewatch.domain.stage.manifest import StageManifest
from porewatch_cli.runs.run_view import RunView, look
from porewatch_cli.stack import Stack, find_stack
from porewatch_cli.submit.submit import submit
from porewatch_worker.simulate.demo import DemoSet, make_demo
from tests.cloud.conftest import Cloud
from tests.cloud.making import wait_for
from validation.shared_data import SHARED

SCALE = 0.2
PATIENCE = 400.0
"""Seconds within which all runs must have ended; they were sent together and share two cores."""


@dataclass(frozen=True)
class TopicMessage:
    """One message of a topic, as a subscriber gets it."""

    topic: str
    kind: str
    run_id: str
    subject: str
    body: str
    at: datetime


@dataclass
class Lab:
    """A laboratory that uses the deployed stack: it sends runs and reads what comes back."""

    cloud: Cloud
    selected: frozenset[str] = frozenset()
    """Parameters of the session's tests, so that no run is sent that nobody looks at."""
    shared: Path = SHARED
    tag: str = field(default_factory=lambda: uuid.uuid4().hex[:6])
    started: float = field(default_factory=time.monotonic)
    _received: list[TopicMessage] = field(default_factory=list)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(24))

    @cached_property
    def stack(self) -> Stack:
        return find_stack(folder=self.cloud.home.root)

    @cached_property
    def demo(self) -> DemoSet:
        """The demo's bundle and a fifth of its run."""
        home = self.cloud.home
        return make_demo(home.root / "demo-data", home.references, scale=SCALE)

    @cached_property
    def donor(self) -> tuple[bytes, ...]:
        """The donor's reads in twelve pieces, each a gzipped FASTQ."""
        (path,) = (self.demo.run_folder / "fastq_pass" / "barcode01").iterdir()
        lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
        size = -(-len(lines) // 4 // 12) * 4
        pieces = (lines[i : i + size] for i in range(0, len(lines), size))
        return tuple(gzip.compress(b"".join(piece), 1, mtime=0) for piece in pieces)

    @cached_property
    def subscriptions(self) -> dict[str, str]:
        """A queue behind each topic: topic's name -> address."""
        return {topic: self._subscribed(topic) for topic in ("Notice", "Alert")}

    def run_id(self, what: str) -> str:
        return f"{what}-{self.tag}"

    def later(self, act: Any, *args: Any) -> Future[Any]:
        """Do it beside everything else; the test takes the result."""
        return self._pool.submit(act, *args)

    # sending

    def submit(self, path: Path, what: str, *, bundle: str | None = None) -> str:
        """As `porewatch submit` does; the run's id."""
        run_id = self.run_id(what)
        return submit(path, stack=self.stack, run_id=run_id, bundle=bundle, quiet=True).run_id

    def put(self, key: str, content: bytes) -> None:
        """Straight into the raw bucket, past the command line's checks."""
        bucket = self.stack.output("RawBucketName")
        self.stack.s3.put_object(Bucket=bucket, Key=key, Body=content)

    def put_files(self, run_id: str, files: dict[str, bytes]) -> None:
        for path, content in files.items():
            self.put(s3_keys.raw_key(run_id, path), content)

    def manifest(
        self, run_id: str, files: dict[str, bytes], samples: Iterable[Sample] = ()
    ) -> RunManifest:
        """The manifest of these contents, by path in the run."""
        named = [input_file(path, len(content)) for path, content in files.items()]
        return seal(named, run_id=run_id, created_at=now(), samples=tuple(samples) or None)

    def put_seal(self, run_id: str, manifest: RunManifest | dict[str, Any]) -> None:
        text = json.dumps(manifest) if isinstance(manifest, dict) else manifest.canonical_json()
        self.put(s3_keys.seal_key(run_id), text.encode())

    # looking

    def find(self, run_id: str) -> RunView | None:
        try:
            return look(run_id, self.stack)
        except NotFound:
            return None

    def ended(self, run_id: str) -> RunView:
        """The run once it is over, whatever its end; or once its seal was refused."""
        left = max(1.0, self.started + PATIENCE - time.monotonic())

        def over() -> bool:
            """Reads one item: a whole view takes seven requests, and all wait for all runs."""
            run = self.stack.runs.find(run_id)
            return run is not None and (run.state in FINAL_STATES or bool(run.attempt))

        wait_for(over, left, f"the end of {run_id} ({self._state(run_id)})", every=0.5)
        return look(run_id, self.stack)

    def completed(self, run_id: str) -> RunView:
        view = self.ended(run_id)
        assert view.run.state is RunState.COMPLETED, view.run.problem
        return view

    def refused(self, run_id: str) -> RunRecord:
        """What was refused: the run, or a seal that is none, beside a run that receives files."""
        run = self.ended(run_id).run
        tried = run.attempt or run
        assert tried.state is RunState.REFUSED, (tried.state, tried.problem)
        return tried

    def _state(self, run_id: str) -> str:
        view = self.find(run_id)
        return view.run.state.value if view else "unknown"

    def report(self, run: RunRecord, name: str = "report.json") -> bytes:
        return self.stack.bucket("Reports").get(run.report_keys[name])

    def findings(self, run: RunRecord) -> Report:
        return Report.model_validate_json(self.report(run))

    def stage(self, run: RunRecord, stage: str) -> StageManifest:
        key = s3_keys.manifest_key(run.run_id, run.revision, stage)
        return self.stack.bucket("Results").get_json(key, StageManifest)

    def facts(self, run_id: str, kind: type[Any]) -> list[Any]:
        run = self.stack.runs.get(run_id)
        facts = self.stack.stages.facts(run_id, run.revision)
        return [fact for fact in facts if isinstance(fact, kind)]

    def executions(self, run_id: str) -> list[str]:
        """Names of all executions of a run, ended or not."""
        steps = self.cloud.client("stepfunctions")
        pages = steps.get_paginator("list_executions").paginate(
            stateMachineArn=self.stack.output("StateMachineArn")
        )
        names = [found["name"] for page in pages for found in page["executions"]]
        return [name for name in names if name.startswith(f"{run_id}-")]

    def machines(self, run_id: str) -> list[str]:
        """Machines of a run that AWS lists."""
        answer = self.cloud.client("ec2").describe_instances(
            Filters=[
                {"Name": "tag:porewatch-run", "Values": [run_id]},
                {"Name": "instance-state-name", "Values": ["pending", "running"]},
            ]
        )
        return [i["InstanceId"] for r in answer["Reservations"] for i in r["Instances"]]

    def launched_nothing(self, run_id: str) -> bool:
        """No execution, no machine, no intent to have one, no cost."""
        view = look(run_id, self.stack)
        found = (self.executions(run_id), self.machines(run_id), view.stages, view.costs)
        return not any(found) and not self.facts(run_id, InstanceLaunched)

    def messages(self, run_id: str, kind: str, topic: str = "Notice") -> list[TopicMessage]:
        """Notices about a run, as far as they have come."""
        self._receive()
        wanted = (topic, kind, run_id)
        return [
            message
            for message in self._received
            if (message.topic, message.kind, message.run_id) == wanted
        ]

    def wait_messages(self, run_id: str, kind: str, topic: str = "Notice") -> list[TopicMessage]:
        what = f"{kind} about {run_id or 'no run'}"
        return wait_for(lambda: self.messages(run_id, kind, topic), 60, what)

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """What the registry answers, through the Data API."""
        registry = Registry(
            self.stack.output("RegistryClusterArn"),
            self.stack.output("RegistrySecretArn"),
            self.stack.output("RegistryDatabase"),
            client=self.cloud.client("rds-data"),
        )
        return registry.execute(sql, **parameters)

    def wait_rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """The same, once there are any: the registry gets facts a moment later."""
        return wait_for(lambda: self.rows(sql, **parameters), 60, "a row in the registry")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The real `porewatch`, as somebody types it."""
        program = str(Path(sys.executable).with_name("porewatch"))
        home = {"POREWATCH_HOME": str(self.cloud.home.root)}
        return subprocess.run(
            [program, *arguments],
            env={**os.environ, **home},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def dead_letters(self, text: str) -> list[str]:
        """Dead letters of all queues that hold `text`."""
        sqs, found = self.cloud.client("sqs"), []
        for address in self._dead_letter_queues():
            messages = list(self._messages(sqs, address, VisibilityTimeout=1))
            found += [message["Body"] for message in messages if text in message["Body"]]
        return found

    def _dead_letter_queues(self) -> Iterator[str]:
        sqs = self.cloud.client("sqs")
        for address in sqs.list_queues(MaxResults=1000)["QueueUrls"]:
            if "DeadLetters" in address:
                yield address

    def _subscribed(self, topic: str) -> str:
        sqs, sns = self.cloud.client("sqs"), self.cloud.client("sns")
        address = str(sqs.create_queue(QueueName=f"{topic}-{self.tag}")["QueueUrl"])
        attributes = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=["QueueArn"])
        arn = attributes["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=address, Attributes={"Policy": policy})
        source = self.stack.output(f"{topic}TopicArn")
        sns.subscribe(TopicArn=source, Protocol="sqs", Endpoint=arn)
        return address

    def _receive(self) -> None:
        sqs = self.cloud.client("sqs")
        for topic, address in self.subscriptions.items():
            for message in self._messages(sqs, address):
                self._received.append(_topic_message(topic, json.loads(message["Body"])))
                sqs.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])

    def _messages(self, sqs: Any, address: str, **how: Any) -> Iterator[dict[str, Any]]:
        while True:
            answer = sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10, **how)
            if not answer.get("Messages"):
                return
            yield from answer["Messages"]


def _topic_message(topic: str, envelope: dict[str, Any]) -> TopicMessage:
    attributes = envelope.get("MessageAttributes", {})
    return TopicMessage(
        topic=topic,
        kind=attributes["kind"]["Value"],
        run_id=attributes.get("run_id", {}).get("Value", ""),
        subject=envelope["Subject"],
        body=envelope["Message"],
        at=datetime.fromisoformat(envelope["Timestamp"]),
    )


def found(report: Report, call: Call, sample: str | None = None) -> set[str]:
    """Codes of the panel with this call; a group is answered by its members, and left out."""
    groups = {entry.code for entry in report.panel if entry.category == "umbrella"}
    here = (f for f in report.findings if sample in (None, f.sample))
    return {f.code for f in here if f.call is call} - groups


def finding(report: Report, code: str) -> Finding:
    (one,) = (f for f in report.findings if f.code == code)
    return one
