"""What each role may do, by `contract/rights.toml`: read from the template, and asked at each call.

Order: `Right` and the table, the template's statements as rights, a call of boto3 as what IAM would
be asked, `Guard` (refuses what the table does not have, and remembers what was used).
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from porewatch_local.stack_template.template import (
    Template,
    as_list,
    folder_of,
    target,
)

GOLDEN = Path(__file__).parent / "contract" / "rights.toml"
VARIABLE = re.compile(r"\$\{aws:[^}]+\}")
"""Of policies: the caller's `aws:userid`, or a tag of its session."""
KEYS = "ForAllValues:StringLike dynamodb:LeadingKeys = "
_FUNCTION = re.compile(r"[/\\]functions[/\\]([a-z_]+)[/\\]app\.py$")


class Right(NamedTuple):
    """One action on one resource; `condition` is empty, or says when."""

    action: str
    resource: str
    condition: str = ""

    def partitions(self) -> tuple[str, ...]:
        """Patterns of the partitions it is good for; every partition without a condition. Whose
        `aws:userid` and tags they are: tests/cloud/test_workers_apart.py."""
        told = self.condition.removeprefix(KEYS).partition(" and ")[0]
        told = VARIABLE.sub("*", told)
        return tuple(told.split(" or ")) if self.condition.startswith(KEYS) else ("*",)


Table = dict[str, frozenset[Right]]
"""Role -> its rights. The role of a function is called as its folder."""


@cache
def golden() -> Table:
    """The table."""
    told: dict[str, dict[str, list[str]]] = tomllib.loads(GOLDEN.read_text(encoding="utf-8"))
    return {
        role: frozenset(
            Right(action, *place.split(" if ", 1)) for action, at in rights.items() for place in at
        )
        for role, rights in told.items()
    }


def written(table: Table) -> str:
    """The table as the text of its file, always in the same order."""
    lines = [
        "# What each role may do: action -> resources, each with its condition after `if`.",
        "# tests/contract/test_rights.py holds template.yaml to it, both ways. Calls in",
        "# tests and simulator are held to it. Change it by hand, with the template.",
    ]
    for role, rights in sorted(table.items()):
        lines += ["", f"[{role}]"]
        for action in sorted({right.action for right in rights}):
            places = sorted(
                f"{r.resource} if {r.condition}" if r.condition else r.resource
                for r in rights
                if r.action == action
            )
            told = ", ".join(json.dumps(place) for place in places)
            one = f'"{action}" = [{told}]'
            many = [f'"{action}" = [', *(f"    {json.dumps(place)}," for place in places), "]"]
            lines += [one] if len(one) <= 120 else many
    return "\n".join(lines) + "\n"


def of_template(template: Template) -> Table:
    """What the template grants each role, managed policies included."""
    managed = template.of_type("AWS::IAM::ManagedPolicy")
    table: Table = {}
    for name, role in template.of_type("AWS::IAM::Role").items():
        documents = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
        documents += [
            managed[target(p)]["PolicyDocument"] for p in role.get("ManagedPolicyArns", [])
        ]
        documents += [
            policy["PolicyDocument"]
            for policy in managed.values()
            if name in map(target, policy.get("Roles", []))
        ]
        rights = {
            Right(action, _place(resource), _condition(statement.get("Condition")))
            for document in documents
            for statement in document["Statement"]
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }
        table[folder_of(name.removesuffix("Role"))] = frozenset(rights)
    return table


def _place(resource: Any) -> str:
    """`RawBucket/runs/*` for `!Sub '${RawBucket.Arn}/runs/*'`: short enough to be read."""
    match resource:
        case {"Fn::Sub": str(text)}:
            text = text.replace("arn:${AWS::Partition}:", "")
            text = text.replace(":${AWS::Region}:", ":").replace("${AWS::AccountId}:", "")
            text = re.sub(r"\$\{(\w+)(\.\w+)?\}", r"\1", text.replace("${AWS::StackName}", "STACK"))
            return text.replace("${!", "${")  # a variable of policies, not of CloudFormation
        case {"Fn::GetAtt": [str(name), "Arn" | "Id" | "DBClusterArn"]}:
            return name
        case {"Fn::GetAtt": [str(name), *more]}:
            return ".".join([name, *more])
    return target(resource) or str(resource)


def _condition(condition: Any) -> str:
    match condition:
        case None:
            return ""
        case {"Fn::If": [name, then, {"Ref": "AWS::NoValue"}]}:
            return f"{_condition(then)} ({name})"
    return " and ".join(
        f"{operator} {key} = {' or '.join(_place(value) for value in as_list(values))}"
        for operator, pairs in condition.items()
        for key, values in pairs.items()
    )


class Asked(NamedTuple):
    """What IAM is asked at a call. `place`: partition of `table`, or `bucket/key`; empty where the
    test's names say nothing about the template's."""

    action: str
    place: str = ""
    table: str = "Ledger"


TABLES = {"people": "People"}
"""Tables of the tests, as the template calls them; every other one stands for the ledger."""


_PREFIX = {"stepfunctions": "states", "sesv2": "ses"}
_ONE_OF = {"SendMessageBatch": "SendMessage"}
"""Calls that need the right to another one."""
_S3 = {
    "HeadObject": "GetObject",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "ListObjectVersions": "ListBucketVersions",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
}
BUCKETS = {
    "raw": "RawBucket",
    "results": "ResultsBucket",
    "reports": "ReportsBucket",
    "references": "ReferencesBucket",
    "anchors": "AnchorsBucket",
}
"""Buckets of the tests, as the template calls them."""


def asked(service: str, operation: str, request: dict[str, Any]) -> Iterator[Asked]:
    """What a call needs, as IAM sees it (`operation` in boto3's spelling, `GetItem`)."""
    if service == "dynamodb":
        yield from _asked_of_table(operation, request)
    elif service == "s3":
        yield from _asked_of_bucket(operation, request)
    else:
        yield Asked(f"{_PREFIX.get(service, service)}:{_ONE_OF.get(operation, operation)}")
        if operation == "AssumeRole" and request.get("Tags"):
            yield Asked("sts:TagSession")


def _asked_of_table(operation: str, request: dict[str, Any]) -> Iterator[Asked]:
    if operation == "TransactWriteItems":
        for item in request["TransactItems"]:
            for verb, one in item.items():
                yield from _asked_of_table(f"{verb}Item", one)
    elif "RequestItems" in request:
        for name, some in request["RequestItems"].items():
            keys = some["Keys"] if "Keys" in some else [o["DeleteRequest"]["Key"] for o in some]
            for key in keys:
                yield Asked(f"dynamodb:{operation}", key["pk"]["S"], _table(name))
    else:
        table = _table(request.get("TableName", ""))
        if "IndexName" in request:
            yield Asked("dynamodb:Query", f"index/{request['IndexName']}", table)
        elif operation == "Query":
            partition = request["ExpressionAttributeValues"][":p"]["S"]
            yield Asked("dynamodb:Query", partition, table)
        else:
            key = request.get("Item") or request["Key"]
            yield Asked(f"dynamodb:{operation}", key["pk"]["S"], table)


def _table(name: str) -> str:
    return TABLES.get(name, "Ledger")


def _asked_of_bucket(operation: str, request: dict[str, Any]) -> Iterator[Asked]:
    bucket = BUCKETS.get(request.get("Bucket", ""), request.get("Bucket", ""))
    if operation in ("CopyObject", "UploadPartCopy"):
        source = request["CopySource"]
        yield Asked("s3:GetObject", f"{BUCKETS.get(source['Bucket'], '')}/{source['Key']}")
        operation = "PutObject"
    if operation == "DeleteObjects":
        for one in request["Delete"]["Objects"]:
            what = "DeleteObjectVersion" if "VersionId" in one else "DeleteObject"
            yield Asked(f"s3:{what}", f"{bucket}/{one['Key']}")
        return
    action = f"s3:{_S3.get(operation, operation)}"
    if action == "s3:GetObject" and "VersionId" in request:
        action = "s3:GetObjectVersion"
    yield Asked(action, f"{bucket}/{request['Key']}" if "Key" in request else bucket)


def allowed(role: str, one: Asked) -> Right | None:
    """The right in the table that a role has for this, or None."""
    return next((right for right in golden().get(role, ()) if _covers(right, one)), None)


def _covers(right: Right, one: Asked) -> bool:
    if right.action != one.action:
        return False
    if one.place.startswith("index/"):
        return right.resource == f"{one.table}/{one.place}"
    if one.action.startswith("dynamodb:"):
        there = right.resource == one.table
        return there and any(fnmatchcase(one.place, key) for key in right.partitions())
    return not one.place or fnmatchcase(one.place, VARIABLE.sub("*", right.resource))


def calling_function() -> str | None:
    """The function of ours whose `app.py` is on the stack of this thread."""
    frame = sys._getframe(1)
    while frame is not None:
        found = _FUNCTION.search(frame.f_code.co_filename)
        if found:
            return found[1]
        frame = frame.f_back  # type: ignore[assignment]
    return None


class Guard:
    """Refuses, as AWS would, what a role has no right to. `used`: the rights that were needed."""

    def __init__(self) -> None:
        self.used: dict[str, set[Right]] = {}

    def check(self, role: str, service: str, operation: str, request: dict[str, Any]) -> None:
        """Raises AccessDenied naming role, action and place."""
        for one in asked(service, operation, request):
            right = allowed(role, one)
            if right is None:
                told = f"{role} may not {one.action} {one.place} (tests/contract/rights.toml)"
                error = {"Code": "AccessDeniedException", "Message": told}
                raise ClientError({"Error": error}, operation)  # type: ignore[typeddict-item]
            self.used.setdefault(role, set()).add(right)


GUARD = Guard()
"""Of the functional tests: calls made from a function's `app.py` are held to the table."""


def guarded(call: Callable[..., Any]) -> Callable[..., Any]:
    """boto3's `_make_api_call`, but refused where the calling function has no right."""

    def make_api_call(self: Any, operation: str, request: dict[str, Any]) -> Any:
        role = calling_function()
        if role is not None:
            service = self.meta.service_model.service_name
            GUARD.check(role, service, operation, request)
        return call(self, operation, request)

    return make_api_call
