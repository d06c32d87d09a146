"""`make rehearse` against answers of the shape that AWS's own models give."""

from __future__ import annotations

import itertools
import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from porewatch.compute.layouts import profile
from porewatch_cli.operate.doctor_checks import Check, CheckVerdict
from porewatch_local.rehearsal import (
    change_set,
    policies,
)
from porewatch_local.rehearsal import rehearse as rehearsal
from porewatch_local.rehearsal.rehearse import (
    rehearse,
    table,
)
from porewatch_local.stack_template import gate
from porewatch_local.stack_template.literal_policies import (
    of_roles,
    placed,
)
from porewatch_local.stack_template.template import Template
from tests.judges import judges

ROOT = Path(__file__).parents[2]
TEMPLATE = Template.load(ROOT / "template.yaml")
RULES = [r for r in TEMPLATE.of_type("AWS::Events::Rule").values() if "EventPattern" in r]
STAGES = [stage for stage in profile("default").stages if not stage.gpu]
TYPES = sorted({name for stage in STAGES for name in stage.instance_types})
ZONES = [f"eu-west-1{letter}" for letter in "abc"]
ME = "arn:aws:iam::123456789012:user/lab"
DOCUMENTS = list(policies.documents(TEMPLATE))
CONDITIONED = [
    (role, statement)
    for role, documents in of_roles(TEMPLATE)
    for statement in policies.conditioned(placed(documents, "eu-west-1", "123456789012"))
]
NOT_REQUESTED = {"image", "change set", "launches"}


class Account:
    """The clients, each with what it answers in order."""

    def __init__(self) -> None:
        self.clients: dict[str, Any] = {}
        self.stubs: dict[str, Stubber] = {}

    def __call__(self, service: str) -> Any:
        return self._of(service)[0]

    def stub(self, service: str) -> Stubber:
        return self._of(service)[1]

    def renewed(self, service: str) -> Stubber:
        """It answers other things than it did."""
        del self.stubs[service], self.clients[service]
        return self.stub(service)

    def _of(self, service: str) -> tuple[Any, Stubber]:
        if service not in self.clients:
            made = boto3.client(  # type: ignore[call-overload]
                service,
                region_name="eu-west-1",
                aws_access_key_id="key",
                aws_secret_access_key="secret",
            )
            self.clients[service] = made
            self.stubs[service] = Stubber(made)
            self.stubs[service].activate()
        return self.clients[service], self.stubs[service]


def decided(*actions: str, decision: str = "allowed") -> dict[str, Any]:
    results = [
        {"EvalActionName": one, "EvalResourceName": "*", "EvalDecision": decision}
        for one in actions
    ]
    return {"EvaluationResults": results, "IsTruncated": False}


def add_identity(account: Account, who: str = ME) -> None:
    for _ in range(4):  # the account, whether you may deploy, and the names in policies twice
        account.stub("sts").add_response(
            "get_caller_identity", {"UserId": "A", "Account": "123456789012", "Arn": who}
        )


def add_policies(account: Account, findings: dict[int, list[dict[str, Any]]] | None = None) -> None:
    """`findings`: of the document of that number."""
    for number, (_, kind, _) in enumerate(DOCUMENTS):
        request = {"policyDocument": ANY, "policyType": "IDENTITY_POLICY"}
        if kind != "IDENTITY_POLICY":
            request |= {"policyType": "RESOURCE_POLICY"}
            request |= {"validatePolicyResourceType": kind} if kind else {}
        answer = {"findings": (findings or {}).get(number, [])}
        account.stub("accessanalyzer").add_response("validate_policy", answer, request)


def add_rights(account: Account, refused: int = -1) -> None:
    """`refused`: the number of the statement that IAM does not decide as it was meant."""
    iam = account.stub("iam")
    iam.add_response("simulate_principal_policy", decided("iam:CreateRole"))
    for number, (_, statement) in enumerate(CONDITIONED):
        request = policies.request_for(statement)
        decision = "implicitDeny" if number == refused else "allowed"
        answer = decided(*request["ActionNames"], decision=decision)
        iam.add_response("simulate_custom_policy", answer, {"PolicyInputList": ANY, **request})


def a_new_account(vcpus: float = 64, calls: int = 10, vpcs: int = 1) -> Account:
    account = Account()
    add_identity(account)
    add_policies(account)
    add_rights(account)
    steps = account.stub("stepfunctions")
    for _ in TEMPLATE.state_machines:
        steps.add_response(
            "validate_state_machine_definition", {"result": "OK", "diagnostics": []},
            {"definition": ANY},
        )  # fmt: skip
    for _ in RULES:
        request = {"EventPattern": ANY, "Event": ANY}
        account.stub("events").add_response("test_event_pattern", {"Result": False}, request)
    ec2 = account.stub("ec2")
    shown = {"AvailabilityZones": [{"ZoneName": zone} for zone in ZONES]}
    ec2.add_response("describe_availability_zones", shown)
    pools = [{"InstanceType": n, "Location": z} for n in TYPES for z in ZONES]
    for _ in STAGES:
        answer = {"InstanceTypeOfferings": pools}
        ec2.add_response("describe_instance_type_offerings", answer)
    ec2.add_response("describe_vpcs", {"Vpcs": [{"VpcId": f"vpc-{n}"} for n in range(vpcs)]})
    for value in (vcpus, vcpus, 5):
        account.stub("service-quotas").add_response(
            "get_service_quota", {"Quota": {"Value": value}}
        )
    account.stub("lambda").add_response(
        "get_account_settings", {"AccountLimit": {"UnreservedConcurrentExecutions": calls}}
    )
    return account


def named(found: list[Check]) -> dict[str, Check]:
    return {check.what: check for check in found}


def test_an_account_that_would_do_passes_and_nothing_is_made() -> None:
    account = a_new_account(calls=1000)
    found = rehearse(account, TEMPLATE)
    unanswered = {check.what for check in found if check.verdict is CheckVerdict.UNANSWERED}
    assert unanswered == NOT_REQUESTED
    answered = [check for check in found if check.what not in NOT_REQUESTED]
    assert {check.verdict for check in answered} == {CheckVerdict.OK}, table(found)
    assert len(answered) == 1 + len(TEMPLATE.state_machines) + len(RULES) + len(STAGES) + 2 + 1 + 4
    for stub in account.stubs.values():
        stub.assert_no_pending_responses()
    remedies = {check.what: check.remedy for check in found if check.what in NOT_REQUESTED}
    assert "AMI=" in remedies["image"] and "BUCKET=" in remedies["change set"]
    assert "STACK=" in remedies["launches"]


def test_a_new_account_gets_what_is_narrow_and_what_to_do() -> None:
    found = named(rehearse(a_new_account(vcpus=5, vpcs=5), TEMPLATE))
    assert found["spot vCPUs, standard types"].verdict is CheckVerdict.FAIL
    assert found["concurrent executions"].verdict is CheckVerdict.WARN
    assert found["networks (VPCs)"].verdict is CheckVerdict.FAIL
    shown = table(list(found.values()))
    assert "L-34B43A08" in shown and "L-B99A9384" in shown and "L-F678F1CE" in shown


def test_a_quota_that_nobody_ever_changed_is_that_of_every_account() -> None:
    account = a_new_account(calls=1000)
    quotas = account.renewed("service-quotas")
    for value in (64, 64, 5):
        quotas.add_client_error("get_service_quota", "NoSuchResourceException")
        quotas.add_response("get_aws_default_service_quota", {"Quota": {"Value": value}})
    found = named(rehearse(account, TEMPLATE))
    assert found["spot vCPUs, standard types"].verdict is CheckVerdict.OK
    assert found["networks (VPCs)"].verdict is CheckVerdict.OK


def test_r1_a_rule_that_eventbridge_does_not_take_is_named() -> None:
    account = a_new_account()
    events = account.renewed("events")
    for _ in RULES:
        events.add_client_error(
            "test_event_pattern", "InvalidEventPatternException", "Rule is too complex"
        )
    found = [check for check in rehearse(account, TEMPLATE) if check.what.startswith("pattern")]
    assert {(check.verdict, check.told) for check in found} == {
        (CheckVerdict.FAIL, "Rule is too complex")
    }


CALLS: dict[str, tuple[str, int]] = {
    "accessanalyzer": ("validate_policy", 1),
    "iam": ("simulate_principal_policy", 2),
    "stepfunctions": ("validate_state_machine_definition", 1),
    "events": ("test_event_pattern", 1),
    "service-quotas": ("get_service_quota", 2),
    "lambda": ("get_account_settings", 1),
}
"""Service -> the call that is refused, and how many questions hang on the service."""


@pytest.mark.parametrize("service", CALLS)
def test_what_is_not_answered_is_no_ok_and_stops_nothing_else(service: str) -> None:
    account = a_new_account(calls=1000)
    call, questions = CALLS[service]
    stub = account.renewed(service)
    stub.add_client_error(call, "AccessDeniedException", "you may not")
    if service == "iam":
        stub.add_client_error("simulate_custom_policy", "AccessDeniedException", "you may not")
    if service == "service-quotas":
        stub.add_client_error(call, "AccessDeniedException", "you may not")
    found = [c for c in rehearse(account, TEMPLATE) if c.what not in NOT_REQUESTED]
    left = [c.verdict for c in found if c.verdict is not CheckVerdict.OK]
    assert left == [CheckVerdict.UNANSWERED] * questions


def test_what_was_found_before_a_refused_call_still_stops_the_deploy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first quota is too small, the call for the second is throttled."""
    account = a_new_account(calls=1000)
    quotas = account.renewed("service-quotas")
    quotas.add_response("get_service_quota", {"Quota": {"Value": 1}})
    for _ in range(2):
        quotas.add_client_error("get_service_quota", "ThrottlingException", "slow down")
    monkeypatch.setattr(boto3, "Session", lambda **_: Session(account))
    assert rehearsal.main([]) == 1
    output = capsys.readouterr().out
    assert "FAIL" in output and "ThrottlingException" in output


class Session:
    """Of boto3, with the clients of an account."""

    def __init__(self, account: Account) -> None:
        self.client = account


# Policies


def finding(kind: str) -> dict[str, Any]:
    return {
        "findingDetails": "The action s3:GetObjekt does not exist.",
        "findingType": kind,
        "issueCode": "INVALID_ACTION",
        "learnMoreLink": "https://docs.aws.amazon.com/IAM/",
        "locations": [],
    }


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("ERROR", CheckVerdict.FAIL), ("SECURITY_WARNING", CheckVerdict.WARN), ("SUGGESTION", None)],
)
def test_what_access_analyzer_finds_is_named_by_its_policy(
    kind: str, verdict: CheckVerdict | None
) -> None:
    account = a_new_account()
    account.renewed("accessanalyzer")
    add_policies(account, {3: [finding(kind)]})
    found = named(rehearse(account, TEMPLATE))
    check = found.get(f"policy of {DOCUMENTS[3][0]}")
    assert (check.verdict if check else None) is verdict
    assert found["policies"].told.startswith(f"{len(DOCUMENTS)} ")


def test_a_right_that_iam_does_not_grant_is_named() -> None:
    account = a_new_account()
    account.renewed("iam")
    number = next(n for n, (_, s) in enumerate(CONDITIONED) if s["Sid"] == "RunOurTemplateOnly")
    add_rights(account, refused=number)
    found = named(rehearse(account, TEMPLATE))
    check = found["right InstanceLauncherRole/RunOurTemplateOnly"]
    assert check.verdict is CheckVerdict.FAIL and "ec2:RunInstances" in check.told


def test_each_conditioned_statement_is_simulated_for_just_what_it_allows() -> None:
    """Keys, as the simulator takes them; nothing is left with a pattern or a reference in it."""
    assert len(CONDITIONED) > 30
    for role, statement in CONDITIONED:
        request = policies.request_for(statement)
        keys = {entry["ContextKeyName"] for entry in request["ContextEntries"]}
        assert keys > {"aws:userid"} and not [key for key in keys if key.startswith("Null")]
        values = [v for entry in request["ContextEntries"] for v in entry["ContextKeyValues"]]
        assert not [v for v in values if re.search(r"[*?]|\$\{", v)], (role, values)
        for resource in request["ResourceArns"]:
            assert resource == "*" or not re.search(r"[*?]|\$\{", resource), (role, resource)


def test_each_of_these_requests_is_what_its_role_allows_and_nothing_wider() -> None:
    """By the evaluator of the embedded AWS: IAM would decide the same, or the deploy is at fault.
    The same request without what the condition needs is refused, where the condition can tell."""
    meant, without = list[judges.Question](), list[judges.Question]()
    for role, documents in of_roles(TEMPLATE):
        here = placed(documents, "eu-west-1", "123456789012")
        for statement in policies.conditioned(here):
            request = policies.request_for(statement)
            # The evaluator fills in no variables of policies.
            policy = json.loads(policies.filled(json.dumps(here)))
            context = context_of(request)
            for pair in itertools.product(request["ActionNames"], request["ResourceArns"]):
                meant.append((policy, list(pair), context))
            if role == "InstanceLauncherRole" and statement["Sid"] == "RunOurTemplateOnly":
                bare = {"aws:requestedregion": "eu-west-1"}
                without.append(
                    (policy, [request["ActionNames"][0], request["ResourceArns"][0]], bare)
                )
    assert len(meant) > 60 and without
    assert [q[1] for q, a in zip(meant, judges.decisions(meant), strict=True) if a != "Allow"] == []
    assert set(judges.decisions(without)) == {"ImplicitDeny"}


def context_of(request: dict[str, Any]) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {"aws:requestedregion": "eu-west-1"}
    for entry in request["ContextEntries"]:
        values = entry["ContextKeyValues"]
        many = entry["ContextKeyType"] == "stringList"
        found[entry["ContextKeyName"].lower()] = values if many else values[0]
    return found


def test_a_caller_who_may_not_make_something_gets_its_name() -> None:
    account = a_new_account()
    iam = account.renewed("iam")
    iam.add_response(
        "simulate_principal_policy",
        decided("iam:CreateRole", decision="implicitDeny"),
        {"PolicySourceArn": ME, "ActionNames": ANY},
    )
    found = named(rehearse(account, TEMPLATE))
    assert found["may you deploy"].verdict is CheckVerdict.WARN
    assert "iam:CreateRole" in found["may you deploy"].remedy


def test_a_role_is_simulated_by_its_own_address_and_root_not_at_all() -> None:
    account = Account()
    role = "arn:aws:iam::123456789012:role/aws-reserved/sso/Lab"
    answer = {
        "Role": {
            "Path": "/aws-reserved/sso/", "RoleName": "Lab", "RoleId": "AROA0123456789ABCDEF",
            "Arn": role, "CreateDate": "2026-01-01T00:00:00Z",
        }
    }  # fmt: skip
    account.stub("iam").add_response("get_role", answer, {"RoleName": "Lab"})
    session = "arn:aws:sts::123456789012:assumed-role/Lab/ada@example.org"
    assert policies._principal(account, session) == role
    assert policies._principal(account, "arn:aws:iam::123456789012:root") is None


def test_every_kind_of_resource_has_the_action_that_makes_it() -> None:
    kinds = {resource["Type"] for resource in TEMPLATE.resources.values()}
    assert kinds == set(policies.MAKING)


def test_the_actions_that_make_things_exist() -> None:
    actions = sorted({*policies.MAKING.values(), *policies.BESIDES})
    assert judges.unknown_actions(actions) == []
    assert judges.unknown_actions(["s3:CreateBuket"]) == ["s3:CreateBuket"]


# The change set

BUCKET = "lab-artefacts"
HEX = "0f" * 16
NAME = f"{change_set.FOLDER}-{HEX}"
KEY = f"{change_set.FOLDER}/{HEX}.json"
ADDRESS = f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/{KEY}"
STACK_ID = f"arn:aws:cloudformation:eu-west-1:123456789012:stack/{NAME}/a"
SET_ID = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/rehearsal/a"
SET = {"StackName": NAME, "ChangeSetName": "rehearsal"}
WHOLE = {"Status": "CREATE_COMPLETE", "Changes": [{}]}


def change_set_checks(account: Account) -> list[Check]:
    found = list(change_set.planned(account, TEMPLATE, BUCKET, {"AmiId": "ami-1"}))
    for stub in account.stubs.values():
        stub.assert_no_pending_responses()
    return found


def add_template(account: Account, version: dict[str, str] | None = None) -> Stubber:
    """It is laid down, taken by CloudFormation, and in the end deleted; answers CloudFormation."""
    s3, place = account.stub("s3"), {"Bucket": BUCKET, "Key": KEY}
    s3.add_response("put_object", {**(version or {})}, {**place, "Body": ANY})
    s3.add_response("delete_object", {}, {**place, **(version or {})})
    cloudformation = account.stub("cloudformation")
    cloudformation.add_response("validate_template", {}, {"TemplateURL": ADDRESS})
    return cloudformation


def add_set(cloudformation: Stubber) -> None:
    request = {
        **SET, "ChangeSetType": "CREATE", "TemplateURL": ADDRESS,
        "Capabilities": list(change_set.CAPABILITIES),
        "Parameters": [{"ParameterKey": "AmiId", "ParameterValue": "ami-1"}],
    }  # fmt: skip
    answer = {"Id": SET_ID, "StackId": STACK_ID}
    cloudformation.add_response("create_change_set", answer, request)


def add_outcomes(cloudformation: Stubber, *outcomes: dict[str, Any]) -> None:
    for outcome in outcomes:
        request = SET | ({"NextToken": "2"} if outcome.get("again") else {})
        answer = {key: value for key, value in outcome.items() if key != "again"}
        cloudformation.add_response("describe_change_set", answer, request)


def add_end(cloudformation: Stubber, state: str = "REVIEW_IN_PROGRESS") -> None:
    cloudformation.add_response("delete_change_set", {}, SET)
    add_stack_in(cloudformation, state)
    if state == "REVIEW_IN_PROGRESS":
        cloudformation.add_response("delete_stack", {}, {"StackName": STACK_ID})


def add_stack_in(cloudformation: Stubber, state: str) -> None:
    stack = {
        "StackName": NAME,
        "StackId": STACK_ID,
        "CreationTime": "2026-01-01T00:00:00Z",
        "StackStatus": state,
    }
    cloudformation.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": NAME})


def verdicts(found: list[Check]) -> list[tuple[str, CheckVerdict]]:
    return [(check.what, check.verdict) for check in found]


TAKEN = ("template", CheckVerdict.OK)
UNKNOWN = ("change set", CheckVerdict.UNANSWERED)
LEFT = ("change set, left over", CheckVerdict.WARN)


@pytest.fixture(autouse=True)
def known_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(HEX))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_set, "PAUSE_SECONDS", 0)


def test_the_change_set_is_read_and_taken_away_with_what_it_hangs_on() -> None:
    account = Account()
    cloudformation = add_template(account)
    add_set(cloudformation)
    add_outcomes(
        cloudformation,
        {"Status": "CREATE_IN_PROGRESS"},
        {"Status": "CREATE_COMPLETE", "Changes": [{}] * 100, "NextToken": "2"},
        {"Status": "CREATE_COMPLETE", "Changes": [{}] * 21, "again": True},
    )
    add_end(cloudformation)
    found = change_set_checks(account)
    assert verdicts(found) == [TAKEN, ("change set", CheckVerdict.OK)]
    assert "121 resources" in found[1].told


def test_why_a_change_set_was_refused_is_shown_and_nothing_stays() -> None:
    account = Account()
    why = "Parameter validation failed: AmiId: ami-1 does not exist"
    cloudformation = add_template(account)
    add_set(cloudformation)
    add_outcomes(cloudformation, {"Status": "FAILED", "StatusReason": why})
    add_end(cloudformation)
    found = named(change_set_checks(account))
    assert (found["change set"].verdict, found["change set"].told) == (CheckVerdict.FAIL, why)


@pytest.mark.parametrize("state", ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"])
def test_a_stack_that_has_more_than_a_change_set_is_never_deleted(state: str) -> None:
    account = Account()
    cloudformation = add_template(account)
    add_set(cloudformation)
    add_outcomes(cloudformation, WHOLE)
    add_end(cloudformation, state)
    left = change_set_checks(account)[-1]
    assert left.verdict is CheckVerdict.WARN
    assert left.told == f"{STACK_ID} may be left: it is {state}", (
        "a call that was not foreseen answers else"
    )


def test_a_change_set_that_is_not_shown_and_not_deleted_is_named() -> None:
    account = Account()
    cloudformation = add_template(account)
    add_set(cloudformation)
    for call in ("describe_change_set", "delete_change_set", "describe_stacks"):
        cloudformation.add_client_error(call, "AccessDenied", "you may not")
    found = change_set_checks(account)
    assert verdicts(found) == [TAKEN, UNKNOWN, LEFT]
    assert NAME in found[-1].told


@pytest.mark.parametrize("code", ["AccessDenied", "ValidationError"])
def test_a_stack_that_cannot_be_deleted_is_named(code: str) -> None:
    account = Account()
    cloudformation = add_template(account)
    add_set(cloudformation)
    add_outcomes(cloudformation, WHOLE)
    cloudformation.add_response("delete_change_set", {}, SET)
    add_stack_in(cloudformation, "REVIEW_IN_PROGRESS")
    cloudformation.add_client_error("delete_stack", code, "it is protected")
    found = change_set_checks(account)
    assert verdicts(found) == [TAKEN, ("change set", CheckVerdict.OK), LEFT]
    assert STACK_ID in found[-1].told


def test_a_lost_answer_that_was_retried_leaves_no_stack() -> None:
    """The name is unique: what exists by it was made by the first of the two calls."""
    account = Account()
    cloudformation = add_template(account)
    cloudformation.add_client_error("create_change_set", "AlreadyExistsException", "exists")
    add_outcomes(cloudformation, WHOLE)
    add_end(cloudformation)
    assert verdicts(change_set_checks(account)) == [TAKEN, ("change set", CheckVerdict.OK)]


def test_a_change_set_that_could_not_be_made_leaves_nothing() -> None:
    account = Account()
    cloudformation = add_template(account)
    cloudformation.add_client_error("create_change_set", "AccessDenied", "you may not")
    for call in ("delete_change_set", "describe_stacks"):
        cloudformation.add_client_error(call, "ValidationError", f"{NAME} does not exist")
    assert verdicts(change_set_checks(account)) == [TAKEN, UNKNOWN]


def test_a_change_set_still_in_progress_goes_with_its_stack_and_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CloudFormation deletes none in that state, and confirms of no stack that it is gone."""
    monkeypatch.setattr(change_set, "PATIENCE_SECONDS", -1)
    account = Account()
    cloudformation = add_template(account)
    add_set(cloudformation)
    add_outcomes(cloudformation, {"Status": "CREATE_IN_PROGRESS"})
    cloudformation.add_client_error("delete_change_set", "InvalidChangeSetStatus", "in progress")
    add_stack_in(cloudformation, "REVIEW_IN_PROGRESS")
    cloudformation.add_response("delete_stack", {}, {"StackName": STACK_ID})
    found = change_set_checks(account)
    assert verdicts(found) == [TAKEN, UNKNOWN, LEFT]
    assert STACK_ID in found[-1].told and "in progress" in found[-1].told


def test_a_versioned_bucket_keeps_no_version_of_the_template() -> None:
    account = Account()
    cloudformation = add_template(account, {"VersionId": "v1"})
    add_set(cloudformation)
    add_outcomes(cloudformation, WHOLE)
    add_end(cloudformation)
    assert verdicts(change_set_checks(account)) == [TAKEN, ("change set", CheckVerdict.OK)]


def test_two_rehearsals_share_neither_object_nor_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    names: set[str] = set()
    for _ in range(2):
        account = Account()
        s3 = account.stub("s3")
        s3.add_client_error("put_object", "AccessDenied", expected_params={
            "Bucket": BUCKET, "Key": Kept(names), "Body": ANY,
        })  # fmt: skip
        with pytest.raises(ClientError):
            change_set_checks(account)
    assert len(names) == 2


class Kept:
    """Equal to every value, and keeps it."""

    def __init__(self, seen: set[str]) -> None:
        self.seen = seen

    def __eq__(self, other: object) -> bool:
        self.seen.add(str(other))
        return True

    __hash__ = object.__hash__


def test_a_template_that_stays_in_the_bucket_is_named() -> None:
    account = Account()
    s3 = account.stub("s3")
    s3.add_response("put_object", {})
    account.stub("cloudformation").add_client_error("validate_template", "Throttling", "slow down")
    s3.add_client_error("delete_object", "AccessDenied", "you may not")
    found = change_set_checks(account)
    assert verdicts(found) == [
        ("template", CheckVerdict.UNANSWERED), ("template, left over", CheckVerdict.WARN),
    ]  # fmt: skip
    assert f"s3://{BUCKET}/{KEY}" in found[-1].told


def test_a_template_that_is_refused_makes_no_change_set_and_leaves_no_object() -> None:
    account = Account()
    s3 = account.stub("s3")
    s3.add_response("put_object", {})
    account.stub("cloudformation").add_client_error(
        "validate_template", "ValidationError", "Template format error"
    )
    s3.add_response("delete_object", {})
    (check,) = change_set_checks(account)
    assert (check.verdict, check.told) == (CheckVerdict.FAIL, "Template format error")


def test_the_template_of_the_change_set_is_what_sam_would_deploy(tmp_path: Path) -> None:
    """The transform takes it, and it makes the same resources."""
    body = change_set.with_code_in(TEMPLATE, BUCKET)
    text = json.dumps(body)
    assert len(text) < 1_000_000 and '"DefinitionUri"' not in text
    local = re.findall(r'"(?:CodeUri|ContentUri)": "(?!s3://)[^"]*"', text)
    assert local == []
    path, expanded = tmp_path / "template.json", tmp_path / "expanded.json"
    path.write_text(text)
    assert list(gate.expansion(path, gate.tools(ROOT) / "sam", expanded)) == []
    kept = {n for n, r in TEMPLATE.resources.items() if "LayerVersion" not in r["Type"]}
    assert kept <= set(json.loads(expanded.read_text())["Resources"])


# Dry runs of launches


def add_stack(account: Account) -> None:
    cloudformation = account.stub("cloudformation")
    stack = {
        "StackName": "porewatch-dev",
        "CreationTime": "2026-01-01T00:00:00Z",
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [{"OutputKey": "LaunchTemplateId", "OutputValue": "lt-1"}],
    }
    cloudformation.add_response("describe_stacks", {"Stacks": [stack]})
    summary = {
        "LogicalResourceId": "SubnetA", "PhysicalResourceId": "subnet-1",
        "ResourceType": "AWS::EC2::Subnet", "LastUpdatedTimestamp": "2026-01-01T00:00:00Z",
        "ResourceStatus": "CREATE_COMPLETE",
    }  # fmt: skip
    cloudformation.add_response("list_stack_resources", {"StackResourceSummaries": [summary]})


def launches(answer: Callable[[Stubber], None]) -> list[Check]:
    account = a_new_account(calls=1000)
    add_stack(account)
    for _ in range(20):
        answer(account.stub("ec2"))
    found = rehearse(account, TEMPLATE, stack="porewatch-dev")
    return [check for check in found if check.what.startswith("launch")]


def test_each_rung_of_each_stage_is_requested_as_a_dry_run() -> None:
    found = launches(lambda ec2: ec2.add_client_error("create_fleet", "DryRunOperation"))
    assert {check.verdict for check in found} == {CheckVerdict.OK}
    assert {check.what for check in found} >= {
        f"launch for {stage.name}, rung 0 (spot)" for stage in STAGES
    }
    assert any("on-demand" in check.what for check in found)


def test_a_request_that_ec2_would_not_take_is_shown_by_its_message() -> None:
    message = "You cannot specify tags for Spot instances requests"
    found = launches(
        lambda ec2: ec2.add_client_error("create_fleet", "InvalidParameterValue", message)
    )
    assert {(c.verdict, message in c.told) for c in found} == {(CheckVerdict.FAIL, True)}


def test_a_caller_who_may_not_launch_gets_no_verdict() -> None:
    found = launches(lambda ec2: ec2.add_client_error("create_fleet", "UnauthorizedOperation"))
    assert [c.verdict for c in found] == [CheckVerdict.UNANSWERED]
    assert "credentials" in found[0].remedy


def test_nothing_is_ever_ordered() -> None:
    """Each request is a dry run."""
    account, requests = a_new_account(calls=1000), list[dict[str, Any]]()
    add_stack(account)
    ec2 = account("ec2")
    ec2.meta.events.register(
        "before-parameter-build.ec2.CreateFleet", lambda params, **_: requests.append(dict(params))
    )
    for _ in range(20):
        account.stub("ec2").add_client_error("create_fleet", "DryRunOperation")
    rehearse(account, TEMPLATE, stack="porewatch-dev")
    assert requests and all(one["DryRun"] is True for one in requests)
