"""The buckets' policies only deny, and hold workers to their own prefix whatever a role says."""

from __future__ import annotations

from typing import Any

import pytest

from porewatch_local.stack_template.template import (
    Template,
    as_list,
)
from tests.contract.test_template import TEMPLATE, changed
from tests.rights import golden, of_template

WORKER = {"AWS": {"Fn::GetAtt": ["WorkerRole", "Arn"]}}
OWN = "${ResultsBucket.Arn}/runs/${!aws:PrincipalTag/porewatch-attempt}/${!aws:userid}/*"
ON_CREATION = {"Bool": {"s3:ObjectCreationOperation": "true"}}
NO_NEW = {"s3:if-none-match": "true"}
OF_WORKERS: dict[str, dict[str, Any]] = {
    "WorkersWriteBelowTheirOwnPrefix": {
        "Action": "s3:PutObject",
        "NotResource": {"Fn::Sub": OWN},
    },
    "WorkersRemoveNothing": {
        "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "Resource": {"Fn::Sub": "${ResultsBucket.Arn}/*"},
    },
    "WorkersWriteResultsOnce": {
        "Action": "s3:PutObject",
        "Resource": [
            {"Fn::Sub": "${ResultsBucket.Arn}/runs/*/outputs/*"},
            {"Fn::Sub": "${ResultsBucket.Arn}/runs/*/manifest.json"},
        ],
        "Condition": {"Null": NO_NEW, **ON_CREATION},
    },
    "WorkersWriteCheckpointsOnCondition": {
        "Action": "s3:PutObject",
        "Resource": {"Fn::Sub": "${ResultsBucket.Arn}/runs/*/checkpoint/*"},
        "Condition": {"Null": {**NO_NEW, "s3:if-match": "true"}, **ON_CREATION},
    },
}

LOGGED = ("RawBucket", "ResultsBucket", "ReportsBucket", "ReferencesBucket", "AnchorsBucket")


def arn(name: str) -> object:
    """Of a bucket; the one that a stack need not have when it is there."""
    there = {"Fn::GetAtt": [name, "Arn"]}
    if name != "AnchorsBucket":
        return there
    return {"Fn::If": ["LocksAnchors", there, {"Ref": "AWS::NoValue"}]}


LOG_DELIVERY = {
    "Sid": "S3WritesLogs",
    "Effect": "Allow",
    "Principal": {"Service": "logging.s3.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": [
        {"Fn::Sub": f"${{AccessLogs.Arn}}/{name.removesuffix('Bucket').lower()}/*"}
        for name in LOGGED
    ],
    "Condition": {
        "ArnEquals": {"aws:SourceArn": [arn(name) for name in LOGGED]},
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
    },
}


def faults(template: Template) -> list[str]:
    """What is wrong with the buckets' policies, in sentences."""
    found = []
    policies = template.of_type("AWS::S3::BucketPolicy")
    for name in template.of_type("AWS::S3::Bucket"):
        statements = (
            policies.get(f"{name}Policy", {}).get("PolicyDocument", {}).get("Statement", [])
        )
        allowed = [LOG_DELIVERY] if name == "AccessLogs" else []
        allows = [s for s in statements if s["Effect"] != "Deny"]
        found += [f"{name}: {s['Sid']} allows" for s in allows if s not in allowed]
        tls = [s for s in statements if s["Sid"] == "TlsOnly" and s["Principal"] == "*"]
        if [as_list(s["Action"]) for s in tls] != [["s3:*"]]:
            found.append(f"{name}: not only TLS")
    results = policies["ResultsBucketPolicy"]["PolicyDocument"]["Statement"]
    there = {s["Sid"]: s for s in results if s["Sid"] != "TlsOnly"}
    for sid, wanted in OF_WORKERS.items():
        if there.get(sid) != {"Sid": sid, "Effect": "Deny", "Principal": WORKER, **wanted}:
            found.append(f"{sid} is not what it was")
    return found


def test_buckets_deny_what_nobody_may() -> None:
    assert faults(TEMPLATE) == []


def test_every_bucket_but_that_of_the_logs_has_its_accesses_written_below_its_own_prefix() -> None:
    buckets = TEMPLATE.of_type("AWS::S3::Bucket")
    configured = {
        name: own["LoggingConfiguration"]
        for name, own in buckets.items()
        if "LoggingConfiguration" in own
    }
    assert set(configured) == set(buckets) - {"AccessLogs"} == set(LOGGED)
    for name, logging in configured.items():
        prefix = f"{name.removesuffix('Bucket').lower()}/"
        assert logging == {
            "DestinationBucketName": {"Ref": "AccessLogs"},
            "LogFilePrefix": prefix,
        }


AT = "Resources/ResultsBucketPolicy/Properties/PolicyDocument/Statement"
LOGS = "Resources/AccessLogsPolicy/Properties/PolicyDocument/Statement/1"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Resources/RawBucketPolicy/Properties/PolicyDocument/Statement/0/Effect", "Allow"),
        ("Resources/RawBucketPolicy", None),
        (f"{LOGS}/Condition/ArnEquals", None),
        (f"{LOGS}/Condition/StringEquals", None),
        (f"{LOGS}/Resource", {"Fn::Sub": "${AccessLogs.Arn}/*"}),
        (f"{AT}/1/NotResource", {"Fn::Sub": "${ResultsBucket.Arn}/runs/*"}),
        (f"{AT}/2/Action", ["s3:DeleteObjectVersion"]),
        (f"{AT}/3/Condition/Null", None),
        (f"{AT}/4/Effect", "Allow"),
    ],
)
def test_a_policy_that_is_weaker_is_seen(path: str, value: Any) -> None:
    assert faults(changed(path, value))


ROLE = "Resources/WorkerRole/Properties/Policies/0/PolicyDocument/Statement"
SIDS = [s["Sid"] for s in TEMPLATE.body["Resources"]["WorkerRole"]["Properties"]["Policies"][0][
    "PolicyDocument"]["Statement"]]  # fmt: skip
WRITE = f"{ROLE}/{SIDS.index('WriteBelowItsOwnPrefix')}"
LIVE = f"{ROLE}/{SIDS.index('SayThatItLives')}"
READ = f"{ROLE}/{SIDS.index('ReadResults')}"
LIST = f"{ROLE}/{SIDS.index('ListItsRun')}"
STAGE = f"{ROLE}/{SIDS.index('ReadItsStage')}"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{WRITE}/Action", ["s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"]),
        (f"{WRITE}/Resource", {"Fn::Sub": "${ResultsBucket.Arn}/runs/*"}),
        (f"{READ}/Resource", {"Fn::Sub": "${ResultsBucket.Arn}/runs/*"}),
        (f"{LIST}/Condition", None),
        (f"{STAGE}/Condition/Null", None),
        (f"{LIVE}/Condition", None),
        (f"{LIVE}/Condition/Null", None),
    ],
)
def test_a_worker_that_may_more_is_seen(path: str, value: Any) -> None:
    assert of_template(TEMPLATE)["worker"] == golden()["worker"]
    assert of_template(changed(path, value))["worker"] != golden()["worker"]
