"""Each sample policy allows what its person's commands call, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from porewatch.domain import s3_keys
from porewatch_cli.stack import find_stack
from porewatch_cli.submit import upload
from porewatch_cli.submit.upload import (
    Upload,
    send_all,
)
from porewatch_local.stack_template.template import as_list
from porewatch_worker.references.building.build import build_bundle
from tests.cli.people import (
    HERE,
    REGION,
    STACK,
    TABLE,
    Request,
    a_stack,
    calls_of,
    calls_while,
    decide,
    filled,
)
from tests.judges import judges
from tests.worker.bundles import folder_with_two_viruses

POLICIES = Path(__file__).parents[2] / "docs/policies"
PEOPLE = ("reader", "submitter", "sequencer", "operator")
RUN = "run-1"
VERBS: dict[str, tuple[str, ...]] = {
    "list": ("list",),
    "watch": ("watch", RUN),
    "report": ("report", RUN, "--out", "OUT"),
    "compare": ("compare", RUN, RUN, "--out", "OUT"),
    "cost": ("cost", RUN),
    "logs": ("logs", RUN),
    "audit": ("audit", RUN),
    "alerts": ("alerts",),
    "submit": ("submit", "READS"),
    "submit a tar": ("submit", "TAR"),
    "references list": ("references", "list"),
    "references default": ("references", "default"),
    "choose": ("references", "default", "demo@1"),
    "push": ("references", "push", "pig@1", "--replace", "--references", "BUNDLES"),
    "doctor": ("doctor",),
    "cancel": ("cancel", RUN),
    "hold": ("hold", RUN, "--reason", "r"),
    "delete": ("delete", RUN, "--yes", RUN),
    "ack": ("ack", RUN, "donor 7", "PCV2", "--name", "ada"),
    "redrive": ("redrive",),
    "redrive --move": ("redrive", "--move"),
    "reap": ("reap",),
    "registry rebuild": ("registry", "rebuild"),
}
READ = ("list", "watch", "report", "cost", "alerts")
MAY: dict[str, tuple[str, ...]] = {
    "reader": (*READ, "compare", "logs", "audit"),
    "submitter": (*READ, "submit", "submit a tar", "references list", "references default"),
    "sequencer": ("send",),
    "operator": tuple(name for name in VERBS if not name.startswith("submit")),
}
UNSEEN = {
    "s3:ListBucket": "without it S3 answers `forbidden` for what is not there",
    "servicequotas:GetAWSDefaultServiceQuota": "called only where a quota was never changed",
}
"""Actions that no recorded call needs, and why they are there."""


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Request]]:
    """The calls of each verb, each in a stack of its own; `send`: what the sequencer's PC does."""
    home = tmp_path_factory.mktemp("asked")
    read = "@r{n}\n" + "ACGT" * 10 + "\n+\n" + "I" * 40 + "\n"
    (home / "a.fastq").write_text("".join(read.format(n=n) for n in range(100)))
    (home / "a.tar").write_bytes(b"\0" * 20_000)
    build_bundle(folder_with_two_viruses(home / "fasta"), home / "bundles", "pig", "1")
    names = {"READS": "a.fastq", "TAR": "a.tar", "BUNDLES": "bundles", "OUT": "out"}
    paths = {name: str(home / path) for name, path in names.items()}
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 256)  # as S3 has, with megabytes
        patch.setattr(upload.send, "__kwdefaults__", {**SEND, "part_bytes": 1 << 10})
        for name, verb in VERBS.items():
            with a_stack() as outputs:
                arguments = [paths.get(argument, argument) for argument in verb]
                both = [*calls_of(outputs, *arguments), *calls_of(outputs, *arguments)]
                found[name] = list(dict.fromkeys(both))  # the second time much is there already
        with a_stack() as outputs:
            found["send"] = calls_while(outputs, partial(copied, home / "a.fastq"))
    return found


SEND: dict[str, Any] = dict(upload.send.__kwdefaults__ or {})


def copied(reads: Path) -> None:
    """A folder of MinKNOW's is copied below runs/, whatever of it is not there yet."""
    stack = find_stack(STACK, region=REGION)
    there = {head.key for head in stack.bucket("Raw").keys(s3_keys.raw_key("new", ""))}
    key = s3_keys.raw_key("new", "fastq/a.fastq")
    send_all([Upload(reads, "raw", key, "0" * 64)], there, s3=stack.s3, advance=lambda _n: None)
    key = s3_keys.raw_key("new", "final_summary_1.txt")
    stack.s3.put_object(Bucket="raw", Key=key, Body=b"")


def needed(calls: dict[str, list[Request]], person: str) -> list[Request]:
    named = [one for verb in MAY[person] for one in calls[verb]]
    if person == "sequencer":  # it knows the bucket, and reads no stack for it
        named = [one for one in named if not one.action.startswith("cloudformation:")]
    return list(dict.fromkeys(named))


def test_every_verb_was_recorded(calls: dict[str, list[Request]]) -> None:
    """To its last call: or a policy would be held to half of it."""
    actions = {verb: {one.action for one in found} for verb, found in calls.items()}
    assert "s3:ListMultipartUploadParts" in actions["submit"] & actions["push"] & actions["send"]
    assert {"s3:PutObject", "s3:ListBucketMultipartUploads"} <= actions["submit a tar"]
    assert "dynamodb:PutItem" in actions["choose"]
    assert {"sqs:SendMessage", "sqs:DeleteMessage"} <= actions["redrive --move"]
    assert "sqs:GetQueueAttributes" in actions["doctor"]
    assert "kms:VerifyMac" in actions["audit"]
    for verb in ("cancel", "hold", "delete", "ack", "reap"):
        assert "lambda:InvokeFunction" in actions[verb], verb


@pytest.mark.parametrize("person", PEOPLE)
def test_every_call_of_a_persons_commands_is_allowed(
    calls: dict[str, list[Request]], person: str
) -> None:
    questions = needed(calls, person)
    answers = decide(POLICIES / f"{person}.json", questions)
    assert [one for one, yes in zip(questions, answers, strict=True) if not yes] == []


def kind(one: Request) -> tuple[str, str, str]:
    """A request whatever run, file or bundle it is about."""
    place = re.sub(r"/(runs|inbox)/.*", r"/\1/x", one.resource)
    place = re.sub(r"/bundles/[^/]+/", "/bundles/x/", place)
    return one.action, place, re.sub(r"(RUN#)[^']+", r"\1x", str(one.context))


@pytest.mark.parametrize("person", PEOPLE)
def test_what_only_others_need_is_denied(calls: dict[str, list[Request]], person: str) -> None:
    mine = {kind(one) for one in needed(calls, person)}
    others = {one for found in calls.values() for one in found if kind(one) not in mine}
    questions = sorted(one for one in others if one.action not in UNSEEN)
    assert questions
    answers = decide(POLICIES / f"{person}.json", questions)
    assert [one for one, yes in zip(questions, answers, strict=True) if yes] == []


def dangerous() -> Iterator[Request]:
    """What nobody's policy allows."""
    for life in ("raw", "results", "reports", "references"):
        bucket = f"arn:aws:s3:::{STACK}-{life}bucket-1x"
        yield Request("s3:DeleteObject", f"{bucket}/runs/run-1/a")
        yield Request("s3:DeleteObjectVersion", f"{bucket}/runs/run-1/a")
        yield Request("s3:PutBucketPolicy", bucket)
    for life in ("results", "reports"):
        yield Request("s3:PutObject", f"arn:aws:s3:::{STACK}-{life}bucket-1x/runs/run-1/r0/a.json")
    yield Request("s3:PutObject", f"arn:aws:s3:::{STACK}-rawbucket-1x/manifests/run-1/a.json")
    work = f"{STACK}-resultsbucket-1x/runs/run-1/r0/screen/e1/A:i-1/manifest.json"
    yield Request("s3:GetObject", f"arn:aws:s3:::{work}")
    yield Request("s3:GetObject", "arn:aws:s3:::other-reportsbucket-1x/runs/run-1/r0/report.json")
    for action in ("PutItem", "UpdateItem", "DeleteItem"):
        yield Request(f"dynamodb:{action}", TABLE, (("dynamodb:LeadingKeys", "RUN#run-1"),))
    yield Request("dynamodb:GetItem", TABLE, (("dynamodb:LeadingKeys", "WORKER#x"),))
    yield Request("dynamodb:Scan", TABLE)
    for action in ("GenerateMac", "Decrypt", "ScheduleKeyDeletion"):
        yield Request(f"kms:{action}", f"arn:aws:kms:{HERE}:key/1")
    yield Request("kms:VerifyMac", f"arn:aws:kms:{HERE}:key/of-somebody-else")
    yield Request("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:{STACK}-cost-tracker")
    yield Request("lambda:UpdateFunctionCode", f"arn:aws:lambda:{HERE}:function:{STACK}-run-eraser")
    yield Request("states:StartExecution", f"arn:aws:states:{HERE}:stateMachine:{STACK}-screen-run")
    for action in ("ec2:RunInstances", "ec2:TerminateInstances", "iam:PassRole"):
        yield Request(action, "*")
    yield Request("cloudformation:DeleteStack", f"arn:aws:cloudformation:{HERE}:stack/{STACK}/1")
    yield Request("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:any")


@pytest.mark.parametrize("person", PEOPLE)
def test_nobody_may_destroy_forge_or_look_elsewhere(person: str) -> None:
    questions = list(dangerous())
    answers = decide(POLICIES / f"{person}.json", questions)
    assert [one for one, yes in zip(questions, answers, strict=True) if yes] == []


@pytest.mark.parametrize("person", PEOPLE)
def test_a_policy_has_no_right_that_no_command_needs(
    calls: dict[str, list[Request]], person: str, tmp_path: Path
) -> None:
    """Each action of each statement: without it, some call would be refused."""
    document = json.loads((POLICIES / f"{person}.json").read_text())
    questions = needed(calls, person)
    less, taken = [], []
    for number, statement in enumerate(document["Statement"]):
        for action in as_list(statement["Action"]):
            kept = [one for one in as_list(statement["Action"]) if one != action]
            rest = [*document["Statement"]]
            rest[number : number + 1] = [{**statement, "Action": kept}] if kept else []
            path = tmp_path / f"{len(less)}.json"
            path.write_text(json.dumps({**document, "Statement": rest}))
            less.append(path)
            taken.append((statement["Sid"], action))
    useless = [
        (sid, action)
        for path, (sid, action) in zip(less, taken, strict=True)
        if action not in UNSEEN and all(decide(path, questions))
    ]
    assert useless == []


@pytest.mark.parametrize("person", PEOPLE)
def test_iam_knows_every_action_resource_and_key_of_a_policy(person: str) -> None:
    document = json.loads(filled(POLICIES / f"{person}.json"))
    named = [
        (one["Sid"], {"Version": document["Version"], "Statement": [one]})
        for one in document["Statement"]
    ]
    found = [
        *judges.of_policies(named, "parliament_side.py"),
        *judges.of_policies(named, "policy_sentry_side.py"),
    ]
    assert [one for one in found if one.rule not in HINTS] == []


HINTS: set[str] = set()


def of_files(run: str) -> list[Request]:
    """Reading and writing files of a run, and the ways to a run past its folder."""
    raw, reports = (f"arn:aws:s3:::{STACK}-{life}bucket-1x" for life in ("raw", "reports"))
    found = [Request("s3:PutObject", f"{raw}/runs/{run}/{name}") for name in ("run.json", "a.bam")]
    found += [
        Request("s3:GetObject", f"{raw}/runs/{run}/a.bam"),
        Request("s3:ListMultipartUploadParts", f"{raw}/runs/{run}/a.bam"),
        Request("s3:GetObject", f"{reports}/runs/{run}/r0/report.json"),
    ]
    return found


NARROW = re.compile(r"sed '(s#[^']+)' docs/policies/submitter\.json")


@pytest.mark.parametrize("person", ["submitter", "sequencer"])
def test_a_policy_narrowed_as_the_page_says_refuses_a_foreign_run(
    person: str, tmp_path: Path
) -> None:
    (line,) = NARROW.findall((POLICIES / "README.md").read_text())
    for life in ("raw", "reports"):
        line = line.replace(f"{life.upper()}BUCKET", f"{STACK}-{life}bucket-1x")
    whole, narrow = POLICIES / f"{person}.json", tmp_path / "narrow.json"
    narrow.write_text(
        subprocess.run(["sed", line, str(whole)], capture_output=True, text=True, check=True).stdout
    )
    foreign, own = of_files("lab-b-1"), of_files("lab-a-1")
    foreign += [
        Request("s3:PutObject", f"arn:aws:s3:::{STACK}-rawbucket-1x/{key}")
        for key in (
            "inbox/lab-b-1.tar",
            "inbox/lab-a-/lab-b-1.tar",
            "inbox/runs/lab-a-1/lab-b-1.tar",
            "runs/lab-b-1/runs/lab-a-1/run.json",
        )
    ]
    assert any(decide(whole, foreign)), "the page says so"
    assert not any(decide(narrow, foreign))
    assert decide(narrow, own) == decide(whole, own)
    listing = Request("s3:ListBucket", f"arn:aws:s3:::{STACK}-rawbucket-1x")
    if person == "sequencer":
        prefixes = ("runs/lab-a-1/", "runs/lab-b-1/", "runs/")
        requests_ = [listing._replace(context=(("s3:prefix", one),)) for one in prefixes]
        assert decide(narrow, requests_) == [True, False, False]


def test_a_page_says_who_gets_which() -> None:
    page = (POLICIES / "README.md").read_text()
    assert {path.name for path in POLICIES.glob("*.json")} == {f"{one}.json" for one in PEOPLE}
    for person in PEOPLE:
        assert f"[{person}.json]({person}.json)" in page
