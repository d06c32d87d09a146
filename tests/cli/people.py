"""The calls of AWS at each verb of the command, and as whom IAM would have to allow them.

A stack as moto has it, with one finished run; verbs run in it until they end or fail, and every
call on the way is kept as IAM would see it on AWS: action, resource and context.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import boto3
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from porewatch.adapters.audit.anchors import Anchors
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.bundle_store import BundleStore
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.calls.stored_bundles import StoredBundle
from porewatch.domain.rules import run_endings, stage_lifecycle
from porewatch.domain.sealing import input_file, seal
from porewatch.domain.stage.record import StageKey
from porewatch.domain.stage.spec import Phase, StageSpec
from porewatch_cli.main import app
from porewatch_worker.report.pages.run_record.audit_trail import with_trail
from tests.functional.test_finishing import a_report
from tests.judges import judges
from tests.mocked import make_buckets, make_ledger, make_mac_key, mocked_aws
from tests.rights import asked

STACK, REGION, ACCOUNT = "porewatch-dev", "eu-central-1", "123456789012"
HERE = f"{REGION}:{ACCOUNT}"
TABLE = f"arn:aws:dynamodb:{HERE}:table/{STACK}-Ledger-1X"
OF_THE_STACK = {"aws:ResourceTag/aws:cloudformation:stack-name": STACK}
QUEUES = ("Files", "Intake", "Bundles", "Worker", "Status", "Metric", "Cost", "Alert")
SPEC = StageSpec(name="screen", phases=(Phase.QUALITY_CONTROL,), instance_types=("m5.large",))
Outputs = dict[str, str]
RESOURCES = (
    {"ResourceType": "AWS::EC2::Subnet", "PhysicalResourceId": "subnet-1"},
    {"ResourceType": "AWS::EC2::VPCEndpoint", "PhysicalResourceId": "vpce-1"},
    {
        "ResourceType": "AWS::SQS::Queue",
        "PhysicalResourceId": f"https://sqs/1/{STACK}-DeadLetters-1X",
    },
)
BY_HAND = ("lambda", "service-quotas")
"""Services that are only called, and answer nothing here."""


class Request(NamedTuple):
    """One question to IAM."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


@contextmanager
def a_stack() -> Iterator[Outputs]:
    """The stack, with run-1 and its report; its outputs."""
    with mocked_aws():
        make_buckets()
        ledger = make_ledger()
        runs = RunLedger(ledger)
        key = make_mac_key()
        manifest = seal([input_file("bam/a.bam", 5)], run_id="run-1", created_at=now())
        runs.seal(manifest, sealed_by="run.json", at=now())
        runs.start(manifest, execution_arn="a", bundle="demo@1", at=now())
        report = with_trail(a_report())
        place = s3_keys.report_key("run-1", 0, "report.json")
        s3 = boto3.client("s3")
        s3.put_object(Bucket="reports", Key=place, Body=report.model_dump_json().encode())
        runs.apply(
            "run-1",
            run_endings.complete,
            0,
            report_keys={"report.json": place},
            findings=0,
            cost_usd=0,
            at=now(),
        )
        assert report.audit is not None
        stages, spec = StageLedger(ledger), SPEC
        stages.open_stage(StageKey("run-1", 0, "screen"), spec, now())
        stages.apply(
            StageKey("run-1", 0, "screen"), stage_lifecycle.claim, 1, "i-1", now(), "AROAWORKER:i-1"
        )
        log = s3_keys.attempt_prefix("run-1", 0, "screen", 1, "AROAWORKER:i-1")
        for name in ("worker.log", s3_keys.BOOT_LOG):
            s3.put_object(Bucket="results", Key=log + name, Body=b"its output")
        for ref in ("pig@1", "demo@1"):
            pointer = StoredBundle(
                ref=ref, sha256="0" * 64, synthetic=True, size=1, pushed_at=now()
            )
            BundleStore(Objects("references")).point(pointer)
        Anchors(ledger, STACK, key, boto3.client("kms")).keep("run-1", 0, report.audit.head, now())
        yield _outputs(key)


def _outputs(key: str) -> Outputs:
    """What the command reads of a deployed stack; its queues, with a dead letter each."""
    outputs = {
        "LedgerTable": "ledger",
        "AuditKeyArn": key,
        "DefaultBundle": "pig@1",
        "Basecalling": "disabled",
        "StateMachineArn": f"arn:aws:states:{HERE}:stateMachine:{STACK}-screen-run",
        "LaunchTemplateId": _launch_template(),
    }
    outputs |= {f"{one}BucketName": one.lower() for one in ("Raw", "Results", "Reports")}
    outputs |= {"ReferencesBucketName": "references"}
    sqs = boto3.client("sqs")
    for name in QUEUES:
        dead = sqs.create_queue(QueueName=f"{STACK}-{name}DeadLetters-1X")["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
        policy = {"deadLetterTargetArn": attributes["Attributes"]["QueueArn"], "maxReceiveCount": 5}
        queue = sqs.create_queue(
            QueueName=f"{STACK}-{name}Queue-1X", Attributes={"RedrivePolicy": json.dumps(policy)}
        )
        outputs[f"{name}QueueUrl"] = queue["QueueUrl"]
        sqs.send_message(QueueUrl=dead, MessageBody="{}")
    return outputs


def _launch_template() -> str:
    made = boto3.client("ec2").create_launch_template(
        LaunchTemplateName="workers", LaunchTemplateData={"ImageId": "ami-12345678"}
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def calls_of(outputs: Outputs, *arguments: str) -> list[Request]:
    """A verb's calls of AWS, in order, each once. Raises what is not caught."""

    def run() -> None:
        done = CliRunner().invoke(app, [*arguments, "--stack", STACK, "--region", REGION])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception

    return calls_while(outputs, run)


def calls_while(outputs: Outputs, run: Callable[[], object]) -> list[Request]:
    """The calls of AWS while something runs."""
    found: dict[Request, None] = {}
    call = BaseClient._make_api_call

    def kept(self: Any, operation: str, request: dict[str, Any]) -> Any:
        service = self.meta.service_model.service_name
        found.update(dict.fromkeys(requests(service, operation, request)))
        if service == "cloudformation":  # which this moto does not have
            output_list = [
                {"OutputKey": name, "OutputValue": value} for name, value in outputs.items()
            ]
            return {"Stacks": [{"Outputs": output_list}], "StackResourceSummaries": list(RESOURCES)}
        if service in BY_HAND:
            raise ClientError({"Error": {"Code": "InvalidAction", "Message": ""}}, operation)
        return call(self, operation, request)

    with patch.object(BaseClient, "_make_api_call", kept):
        run()
    return list(found)


def requests(service: str, operation: str, request: dict[str, Any]) -> Iterator[Request]:
    """A call as IAM sees it."""
    if operation == "DescribeTable":
        yield Request("dynamodb:DescribeTable", TABLE)
        return
    for one in asked(service, operation, request):
        if service == "s3":
            yield _of_s3(one.action, one.place, request)
        elif service == "dynamodb":
            yield _of_ledger(one.action, one.place, request)
        else:
            yield Request(*_elsewhere(service, operation, request))


def _of_s3(action: str, place: str, request: dict[str, Any]) -> Request:
    bucket, slash, key = place.partition("/")
    arn = f"arn:aws:s3:::{STACK}-{bucket.lower()}-1x{slash}{key}"
    context = (("s3:prefix", request.get("Prefix", "")),) if action == "s3:ListBucket" else ()
    return Request(action, arn, context)


def _of_ledger(action: str, place: str, request: dict[str, Any]) -> Request:
    if place.startswith("index/"):  # its leading key is the index's own
        kind = request["ExpressionAttributeValues"][":k"]["S"]
        return Request(action, f"{TABLE}/{place}", (("dynamodb:LeadingKeys", kind),))
    return Request(action, TABLE, (("dynamodb:LeadingKeys", place),))


def _elsewhere(service: str, operation: str, request: dict[str, Any]) -> tuple[Any, ...]:
    match service:
        case "lambda" if operation == "Invoke":
            name = request["FunctionName"]
            return "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:{name}"
        case "cloudformation":
            return f"cloudformation:{operation}", f"arn:aws:cloudformation:{HERE}:stack/{STACK}/1"
        case "sqs":
            name = request.get("QueueName") or request["QueueUrl"].rsplit("/", 1)[1]
            action = operation.removesuffix("Batch")
            return f"sqs:{action}", f"arn:aws:sqs:{HERE}:{name}"
        case "kms":
            tags = tuple(OF_THE_STACK.items())
            return f"kms:{operation}", f"arn:aws:kms:{HERE}:key/1", tags
        case "stepfunctions":
            return f"states:{operation}", request["stateMachineArn"]
        case "service-quotas":
            return f"servicequotas:{operation}", "*"
    return f"{service}:{operation}", "*"


def decide(policy: Path, questions: Sequence[Request]) -> list[bool]:
    """Whether the policy allows each of them."""
    document = json.loads(filled(policy))
    questions_ = [[[document], list(one[:2]), _context(one)] for one in questions]
    return [answer == "Allow" for answer in judges.decisions(questions_)]


def filled(policy: Path) -> str:
    """The policy for our stack."""
    names = {"STACK": STACK, "REGION": REGION, "ACCOUNT": ACCOUNT}
    text = policy.read_text()
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def _context(one: Request) -> dict[str, str | list[str]]:
    keys: dict[str, str | list[str]] = {"aws:requestedregion": REGION}
    for key, value in one.context:
        keys[key.lower()] = [value] if key == "dynamodb:LeadingKeys" else value
    return keys
