"""Every recorded call is known to the service models, allowed to its role and possible in its
network; no role and no endpoint has what no call needs, but for a written reason."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, StructureShape

from porewatch.adapters.clients import OLDEST_BOTOCORE
from porewatch_local.stack_template.gate import (
    install_linters,
    tools,
)
from porewatch_local.stack_template.template import (
    Template,
    as_list,
    folder_of,
)
from tests.calls import COMMAND, SOMEBODY, WORKER, Calls, recorded, shaped
from tests.contract.test_template import TEMPLATE, changed
from tests.judges.iam_requests import (
    HERE,
    Request,
    callers,
    covered,
    policies_of,
    policy_at,
    requests_of,
)
from tests.judges.judges import REPOSITORY, answers_of
from tests.rights import golden

CALLS = recorded()
REASONS = REPOSITORY / "tests/contract/uncalled_rights.toml"
ROLES = callers(CALLS)


# Service models


@cache
def model(oldest: bool, service: str) -> ServiceModel | None:
    """A service as the pinned botocore knows it, or as the oldest supported one does."""
    if oldest:
        (place,) = (tools(REPOSITORY) / "oldest/lib").glob("python3*/site-packages/botocore/data")
        loader = Loader(extra_search_paths=[str(place)], include_default_search_paths=False)
    else:
        loader = Loader()
    if service not in loader.list_available_services("service-2"):
        return None
    return ServiceModel(loader.load_service_model(service, "service-2"), service)


def unknown_of(calls: Calls, oldest: bool) -> Iterator[str]:
    """Operations and members of recorded calls that a model does not have."""
    for (_, called), (members, _) in sorted(calls.kept.items()):
        service, _, operation = called.partition(".")
        known = model(oldest, service)
        if known is None or operation not in known.operation_names:
            yield called
            continue
        shape = known.operation_model(operation).input_shape
        for path in sorted(members):
            if not has(shape, path.replace("[]", ".[]").replace("{}", ".{}").split(".")):
                yield f"{called} {path}"


def has(shape: Any, path: list[str]) -> bool:
    """Whether there is a member at the end of a path."""
    for part in path:
        match shape, part:
            case (ListShape(), "[]"):
                shape = shape.member
            case (MapShape(), "{}"):
                shape = shape.value
            case (StructureShape(), name) if name in shape.members:
                shape = shape.members[name]
            case _:
                return False
    return True


@pytest.mark.parametrize("oldest", [False, True], ids=["pinned", "oldest"])
def test_service_models_know_every_recorded_call(oldest: bool) -> None:
    assert list(unknown_of(CALLS, oldest)) == []


def test_the_oldest_models_are_those_of_the_oldest_botocore_that_functions_accept() -> None:
    told = (REPOSITORY / "requirements/oldest.in").read_text()
    assert told.rstrip().endswith("botocore==" + ".".join(map(str, OLDEST_BOTOCORE)))
    assert botocore.__version__ != told.rpartition("==")[2].strip()


def test_a_member_that_is_younger_than_a_model_is_seen() -> None:
    """S3's conditional delete of a directory bucket and a service that there is not."""
    young = Calls()
    young.add(
        json.dumps({"api": {"s3.GetObject": [["Bucket", "Kind"], []], "sqz.Get": [["a"], []]}})
    )
    assert list(unknown_of(young, False)) == ["s3.GetObject Kind", "sqz.Get"]


# Rights


def decided(questions: list[tuple[str, Request]], template: Template) -> list[str]:
    """What IAM answers to (role, request)s, as an outside simulator decides: `Allowed`, or not."""
    node = tools(REPOSITORY) / "node"
    install_linters(REPOSITORY, node)
    policies = {role: policies_of(role, template) for role, _ in questions}
    told = json.dumps(
        [
            [policies[role], one.asked_by(role), policy_at(one.resource, template)]
            for role, one in questions
        ]
    )
    script = str(Path(__file__).parent / "simulate_side.cjs")
    answers: list[str] = answers_of(["node", script, str(node / "node_modules")], told)
    return answers


def refused(template: Template, *roles: str) -> list[str]:
    questions = [(role, one) for role in roles for one in requests_of(role, CALLS, template)]
    answers = decided(questions, template)
    return [
        f"{role}: {one.action} on {one.resource}: {answer}"
        for (role, one), answer in zip(questions, answers, strict=True)
        if answer != "Allowed"
    ]


def test_iam_allows_every_recorded_call_to_its_role() -> None:
    assert refused(TEMPLATE, *ROLES) == []


def without(role: str, action: str) -> Template:
    """The template whose role may everything but one action."""
    body = copy.deepcopy(TEMPLATE.body)
    for name, told in body["Resources"].items():
        if folder_of(name.removesuffix("Role")) == role and told["Type"] == "AWS::IAM::Role":
            for policy in told["Properties"]["Policies"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    left = [one for one in as_list(statement["Action"]) if one != action]
                    statement["Action"] = left or ["sts:GetCallerIdentity"]
    return Template(TEMPLATE.root, body)


@pytest.mark.parametrize(
    ("role", "action"),
    [
        ("instance_launcher", "ec2:CreateTags"),
        ("instance_launcher", "iam:PassRole"),
        ("alert_handler", "kms:GenerateDataKey"),
        ("worker", "sqs:SendMessage"),
    ],
)
def test_a_right_that_is_missing_is_seen(role: str, action: str) -> None:
    assert any(action in one for one in refused(without(role, action), role))


def test_a_launch_that_tags_what_its_role_may_not_tag_is_refused() -> None:
    """R2 and B1 of the rehearsal: a tag on a spot request needs a right to it."""
    path = "Resources/WorkerTemplate/Properties/LaunchTemplateData/TagSpecifications"
    tagged = TEMPLATE.resources["WorkerTemplate"]["Properties"]["LaunchTemplateData"]
    more = [*tagged["TagSpecifications"], {"ResourceType": "spot-instances-request", "Tags": []}]
    (one,) = refused(changed(path, more), "instance_launcher")
    assert f"ec2:CreateTags on arn:aws:ec2:{HERE}:spot-instances-request/*" in one


def uncalled(template: Template) -> Iterator[tuple[str, str, str]]:
    """(role, action, resource) of every right that no recorded call of its role uses."""
    for name in template.of_type("AWS::IAM::Role"):
        role = folder_of(name.removesuffix("Role"))
        used: dict[str, list[Request]] = {}
        for one in requests_of(role, CALLS, template):
            used.setdefault(one.action, []).append(one)
        for document in policies_of(role, template):
            for statement in document["Statement"]:
                for action in as_list(statement["Action"]):
                    for resource in as_list(statement["Resource"]):
                        if not any(covered(one, [resource]) for one in used.get(action, ())):
                            yield role, action, resource


def unexplained(template: Template) -> list[str]:
    """Useless rights without a reason, and reasons without a useless right."""
    reasons = tomllib.loads(REASONS.read_text())["rights"]
    useless = set(uncalled(template))
    explained = {
        (at, pattern, action): {
            one for one in useless if fnmatchcase(one[0], pattern) and one[1] == action
        }
        for at, reason in enumerate(reasons)
        for pattern in reason["roles"]
        for action in reason["actions"]
    }
    bare = useless.difference(*explained.values())
    idle = [f"no more: {key[1]} {key[2]}" for key, found in explained.items() if not found]
    return sorted(f"useless: {' '.join(one)}" for one in bare) + sorted(idle)


def test_no_role_may_what_no_call_of_it_needs() -> None:
    assert unexplained(TEMPLATE) == []


def test_every_right_that_nobody_uses_has_a_reason() -> None:
    for reason in tomllib.loads(REASONS.read_text())["rights"]:
        assert len(reason["why"].split()) >= 5, reason


def test_a_right_too_many_is_seen() -> None:
    path = "Resources/ApiRole/Properties/Policies/0/PolicyDocument/Statement/0/Action"
    more = changed(path, ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DeleteLogStream"])
    assert [one.split()[:3] for one in unexplained(more)] == [
        ["useless:", "api", "logs:DeleteLogStream"]
    ]


# Network


ASKED_BY_HOSTS = {
    "ecs": "the ECS agent of a job's host",
    "ecs-agent": "the ECS agent of a job's host",
    "ecr.api": "the ECS agent asks where the worker's image is",
    "ecr.dkr": "the ECS agent pulls the worker's image",
    "logs": "the awslogs driver writes what a job prints",
}
"""Endpoints that no code of ours asks, and who does."""
ASKED_BY_MACHINES = {"lambda": "the credential broker (tests/cloud/test_credential_broker.py)"}
"""Endpoints that workers ask as the machine, before they have credentials of their own."""
WITHOUT_A_BROKER = {"sts"}
"""What workers of tests ask where there is no broker that tells them who they are."""


def endpoints(template: Template) -> set[str]:
    return {
        told["ServiceName"]["Fn::Sub"].removeprefix("com.amazonaws.${AWS::Region}.")
        for told in template.of_type("AWS::EC2::VPCEndpoint").values()
    }


def test_the_network_of_machines_has_an_endpoint_for_each_service_that_workers_call() -> None:
    called = {operation.partition(".")[0] for role, operation in CALLS.kept if role == WORKER}
    called -= WITHOUT_A_BROKER
    assert called.isdisjoint({*ASKED_BY_HOSTS, *ASKED_BY_MACHINES})
    assert endpoints(TEMPLATE) == {*called, *ASKED_BY_HOSTS, *ASKED_BY_MACHINES}


def test_functions_stand_outside_of_the_network_and_need_no_endpoint() -> None:
    assert [name for name, told in TEMPLATE.functions.items() if "VpcConfig" in told] == []


# What is recorded


def test_who_calls_is_a_role_of_the_template_or_no_function_at_all() -> None:
    there = {folder_of(name.removesuffix("Role")) for name in TEMPLATE.of_type("AWS::IAM::Role")}
    assert {role for role, _ in CALLS.kept} <= there | {SOMEBODY, COMMAND}
    assert {folder_of(name) for name in TEMPLATE.functions} <= set(ROLES)


def test_what_adapters_ask_in_their_own_tests_some_role_or_person_may() -> None:
    may = {right.action for rights in golden().values() for right in rights}
    assert sorted(actions_of(SOMEBODY) - actions_of(COMMAND) - may) == []


def actions_of(role: str) -> set[str]:
    return {one for (of, _), (_, asks) in CALLS.kept.items() if of == role for one in asks}


@pytest.mark.parametrize(
    ("place", "shape"),
    [
        ("RawBucket", "RawBucket"),
        ("RawBucket/runs/a b/fastq/x.fastq.gz", "RawBucket/runs/RUN/x"),
        ("RawBucket/runs/a/run.json", "RawBucket/runs/RUN/run.json"),
        ("RawBucket/a.tar", "RawBucket/x.tar"),
        (
            "ResultsBucket/runs/a/r0/screen/e2/AROAWORKER:i-1/log",
            "ResultsBucket/runs/RUN/e1/USER/x",
        ),
        ("INBOX#odd-name:a/b\n/c", "INBOX#x"),
        ("index/by_kind", "index/by_kind"),
        ("ACCOUNT", "ACCOUNT"),
    ],
)
def test_a_place_is_kept_without_what_differs_from_run_to_run(place: str, shape: str) -> None:
    assert shaped(place) == shape


def test_a_call_that_the_file_lacks_is_told_with_all_that_is_new() -> None:
    known, seen = Calls(), Calls()
    known.add('{"api": {"s3.GetObject": [["Bucket"], ["s3:GetObject RawBucket/x"]]}}')
    seen.add(known.text())
    assert seen.beyond(known) == []
    seen.add('{"api": {"s3.GetObject": [["Key"], []]}, "worker": {"sqs.SendMessage": [[], []]}}')
    assert seen.beyond(known) == ["api: s3.GetObject Key", "worker: sqs.SendMessage"]
    both = '{"somebody": {"s3.GetObject": [["Bucket", "VersionId"], ["s3:GetObject"]]}}'
    seen.add(both)
    assert "somebody: s3.GetObject VersionId" in seen.beyond(known)
    assert "somebody: s3.GetObject Bucket" not in seen.beyond(known)
