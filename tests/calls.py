"""Every call of AWS that product, worker and command make while tests run, kept in a file.

Order: who calls, what is kept of a call, `Calls` and its file, `NOTED` (this process's own).

Kept are the caller's role, the operation, the members of its request (names, no values) and what
IAM is asked, without what differs from test to test. `judges/test_recorded_calls.py` holds each
against service models, rights and the network. A test that makes a call which the file lacks fails
(`tests.recording`); `pytest --record-calls` writes it down.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import validate_parameters

from tests.rights import asked

RECORDED = Path(__file__).parent / "contract" / "recorded_calls.json"
WORKER, COMMAND, SOMEBODY = "worker", "command", "somebody"
"""Callers beside functions. `somebody`: code of the layer, called by a test itself."""
_ROOT = str(Path(__file__).resolve().parents[1])
_CALLERS = (
    (re.compile(r"/functions/([a-z_]+)/app\.py$"), ""),
    (re.compile(r"/worker/src/porewatch_worker/"), WORKER),
    (re.compile(r"/cli/src/porewatch_cli/"), COMMAND),
)
_TESTS = f"{_ROOT}/tests/"
_WRAPPERS = {"calls", "mocked", "rights"}
"""Through these of the tests every call goes."""
_LAYER = "/layers/common/python/porewatch/"


def caller() -> str | None:
    """Whose code makes the call that is under way; None: a test's own. A pool's thread works for
    whom the main thread waits; the worker's code inside a function, for the function."""
    mine, main = sys._getframe(1), sys._current_frames().get(main_thread().ident or 0)
    stacks = [mine] if current_thread() is main_thread() else [mine, main]
    layer, nearest = False, None
    for path in (path for frame in stacks for path in _paths(frame)):
        for pattern, role in _CALLERS:
            if found := pattern.search(path):
                if not role:
                    return found[1]
                nearest = nearest or role
        layer = layer or _LAYER in path
        if path.startswith(_TESTS) and Path(path).stem not in _WRAPPERS:
            break  # a test, or what it put in the place of something of ours
    return nearest or (SOMEBODY if layer else None)


def _paths(frame: FrameType | None) -> Iterator[str]:
    """The files of the repository on a stack, innermost first."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_ROOT):
            yield frame.f_code.co_filename
        frame = frame.f_back


def members(shape: Shape | None, value: Any, path: str = "") -> Iterator[str]:
    """The paths of a request's members, by the shape that its service gives it."""
    match shape, value:
        case (StructureShape(), {**pairs}) if pairs:
            for name, one in pairs.items():
                yield from members(shape.members[name], one, f"{path}.{name}" if path else name)
        case (ListShape(), [_, *_]):
            for one in value:
                yield from members(shape.member, one, f"{path}[]")
        case (MapShape(), {**pairs}) if pairs:
            for one in pairs.values():
                yield from members(shape.value, one, f"{path}{{}}")
        case _ if path:
            yield path


_NAMES = {
    "run.json",
    "sample_sheet.csv",
    "results.json",
    "manifest.json",
    "registry.json",
    "current.json",
    "console.log",
    "boot.log",
    "order.json",
    "worker.log",
}
"""Of objects that a right tells apart from others of their folder."""
_FOLDERS = {"runs", "quarantine", "manifests", "bundles", "inbox", "signatures", "days"}
_USER = re.compile(r"A[A-Z0-9]{8,}:[\w.-]+")
"""`aws:userid` of a machine."""
_SUBJECTS = {
    "sqs": "QueueUrl",
    "sns": "TopicArn",
    "kms": "KeyId",
    "rds-data": "resourceArn",
    "batch": "jobQueue",
    "scheduler": "GroupName",
    "cloudwatch": "Namespace",
    "stepfunctions": "stateMachineArn",
}
"""Service -> the member of a request that names what it is about."""


def shaped(place: str) -> str:
    """A place without what differs from run to run: `RawBucket/runs/RUN/x`, `RUN#x`."""
    bucket, _, key = place.partition("/")
    if "#" in bucket or not key:
        return re.sub(r"#(request:)?.*", r"#\1x", place, flags=re.DOTALL)
    if bucket == "index":
        return place
    top, *rest = key.split("/")
    last = rest[-1] if rest else top
    name = last if last in _NAMES else "x.tar" if last.endswith(".tar") else "x"
    if not rest:
        return f"{bucket}/{name}"
    own = "e1/USER/" if any(_USER.fullmatch(one) for one in rest) else ""
    own = next((f"{part}/" for part in ("signed", "early") if part in rest[:-1]), own)
    run = "RUN/" if len(rest) > 1 else ""
    return f"{bucket}/{top if top in _FOLDERS else 'x'}/{run}{own}{name}"


@cache
def _variables() -> frozenset[str]:
    told = json.loads(Path(_ROOT, "events/env.json").read_text())
    return frozenset(name for one in told.values() for name in one)


def _by_variable(value: str) -> str:
    """`${NOTICE_TOPIC_ARN}` for what a function knows from its environment; else the value."""
    if value.endswith("/worker"):  # a machine has the queue's address from its launch template
        return "${WORKER_QUEUE_URL}"
    found = (name for name in sorted(_variables()) if os.environ.get(name) == value)
    return next((f"${{{name}}}" for name in found), value)


def asks(service: str, operation: str, request: dict[str, Any]) -> Iterator[str]:
    """What IAM is asked at a call: an action and its place; the action alone where the request
    names none."""
    subject = request.get(_SUBJECTS.get(service, ""), "")
    for one in asked(service, operation, request):
        place = shaped(one.place) if one.place else _by_variable(subject) if subject else ""
        if service == "dynamodb" and one.table != "Ledger":
            place = f"{one.table}/{place}"
        yield f"{one.action} {place}".rstrip()


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


class Calls:
    """(role, `service.Operation`) -> members of requests, and what IAM is asked."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], tuple[set[str], set[str]]] = {}

    def note(self, role: str, operation: OperationModel, request: dict[str, Any]) -> None:
        service = operation.service_model.service_name
        known = self._place(role, f"{service}.{operation.name}")
        known[0].update(members(operation.input_shape, request))
        asked_for = asks(service, operation.name, request)
        if role in (SOMEBODY, COMMAND):  # no role of the template
            asked_for = (one.split()[0] for one in asked_for)
        known[1].update(asked_for)

    def note_unchecked(self, role: str, service: str, name: str, request: dict[str, Any]) -> None:
        """Of a client that is none of boto3's: nobody has looked at the request yet. `name` as
        `get_item`. Raises ParamValidationError."""
        model = _model(service)
        operation = next((o for o in model.operation_names if xform_name(o) == name), None)
        if operation:  # and no transfer, which boto3 makes several calls of
            called = model.operation_model(operation)
            validate_parameters(request, called.input_shape)
            self.note(role, called, request)

    def _place(self, role: str, operation: str) -> tuple[set[str], set[str]]:
        return self.kept.setdefault((role, operation), (set(), set()))

    def add(self, text: str) -> None:
        """What another process kept, or the file says."""
        for role, operations in json.loads(text).items():
            for operation, (some, others) in operations.items():
                known = self._place(role, operation)
                known[0].update(some)
                known[1].update(others)

    @property
    def size(self) -> int:
        """It grows with whatever is new."""
        return sum(1 + len(some) + len(others) for some, others in self.kept.values())

    def beyond(self, other: Calls) -> list[str]:
        """What is here and not there, one line each. What no role of the template asks (`somebody`,
        `command`) is there when anybody asks it."""
        found = []
        for (role, operation), mine in sorted(self.kept.items()):
            theirs = other._of(role, operation)
            if not theirs:
                found.append(f"{role}: {operation}")
                continue
            for at, here in enumerate(mine):
                there = set().union(*(one[at] for one in theirs))
                found += [f"{role}: {operation} {one}" for one in sorted(here - there)]
        return found

    def _of(self, role: str, operation: str) -> list[tuple[set[str], set[str]]]:
        if role not in (SOMEBODY, COMMAND):
            return [self.kept[role, operation]] if (role, operation) in self.kept else []
        all_of_it = [known for (_, of), known in self.kept.items() if of == operation]
        return [(some, {one.split()[0] for one in asks}) for some, asks in all_of_it]

    def text(self) -> str:
        """As the file has it: two lines for each operation."""
        roles = sorted({role for role, _ in self.kept})
        parts = []
        for role in roles:
            lines = [
                f"  {json.dumps(operation)}: [\n   {json.dumps(sorted(some))},\n"
                f"   {json.dumps(sorted(others))}]"
                for (of, operation), (some, others) in sorted(self.kept.items())
                if of == role
            ]
            parts.append(f' "{role}": {{\n' + ",\n".join(lines) + "\n }")
        return "{\n" + ",\n".join(parts) + "\n}\n"


def recorded() -> Calls:
    """What the file says."""
    found = Calls()
    found.add(RECORDED.read_text(encoding="utf-8") if RECORDED.exists() else "{}")
    return found


NOTED = Calls()
"""What this process has seen."""


def noting(call: Callable[..., Any], listens: Callable[[], bool]) -> Callable[..., Any]:
    """boto3's `_make_api_call`, which notes who asks for what."""

    def make_api_call(self: Any, operation: str, request: dict[str, Any]) -> Any:
        role = caller() if listens() else None
        if role is not None:
            NOTED.note(role, self.meta.service_model.operation_model(operation), request)
        return call(self, operation, request)

    return make_api_call
