"""`make rehearse` against answers of the shape that AWS's own models give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from porewatch.compute.profiles import profile
from porewatch_cli.doctor import Verdict
from porewatch_local.rehearse import rehearse, table
from porewatch_local.template import Template

TEMPLATE = Template.load(Path(__file__).parents[2] / "template.yaml")
RULES = [r for r in TEMPLATE.of_type("AWS::Events::Rule").values() if "EventPattern" in r]
STAGES = [stage for stage in profile("default").stages if not stage.gpu]
TYPES = sorted({name for stage in STAGES for name in stage.instance_types})
ZONES = [f"eu-west-1{letter}" for letter in "abc"]


class Account:
    """The clients, each with what it answers in order."""

    def __init__(self) -> None:
        self.clients: dict[str, Any] = {}
        self.stubs: dict[str, Stubber] = {}

    def __call__(self, service: str) -> Any:
        return self._of(service)[0]

    def stub(self, service: str) -> Stubber:
        return self._of(service)[1]

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


def a_new_account(vcpus: float = 64, calls: int = 10) -> Account:
    account = Account()
    who = {"UserId": "A", "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/lab"}
    account.stub("sts").add_response("get_caller_identity", who)
    steps = account.stub("stepfunctions")
    for _ in TEMPLATE.state_machines:
        steps.add_response(
            "validate_state_machine_definition", {"result": "OK", "diagnostics": []},
            {"definition": ANY},
        )  # fmt: skip
    for _ in RULES:
        asked = {"EventPattern": ANY, "Event": ANY}
        account.stub("events").add_response("test_event_pattern", {"Result": False}, asked)
    ec2 = account.stub("ec2")
    shown = {"AvailabilityZones": [{"ZoneName": zone} for zone in ZONES]}
    ec2.add_response("describe_availability_zones", shown)
    pools = [{"InstanceType": n, "Location": z} for n in TYPES for z in ZONES]
    for _ in STAGES:
        answer = {"InstanceTypeOfferings": pools}
        ec2.add_response("describe_instance_type_offerings", answer)
    for _ in range(2):
        account.stub("service-quotas").add_response(
            "get_service_quota", {"Quota": {"Value": vcpus}}
        )
    account.stub("lambda").add_response(
        "get_account_settings", {"AccountLimit": {"UnreservedConcurrentExecutions": calls}}
    )
    return account


def test_an_account_that_would_do_is_told_so_and_nothing_is_made() -> None:
    account = a_new_account(calls=1000)
    found = rehearse(account, TEMPLATE)
    assert {check.verdict for check in found} == {Verdict.OK}, table(found)
    assert len(found) == 1 + len(TEMPLATE.state_machines) + len(RULES) + len(STAGES) + 2 + 1
    for stub in account.stubs.values():
        stub.assert_no_pending_responses()


def test_a_new_account_hears_what_is_narrow_and_what_to_do() -> None:
    found = {check.what: check for check in rehearse(a_new_account(vcpus=5), TEMPLATE)}
    assert found["spot vCPUs, standard types"].verdict is Verdict.FAIL
    assert found["functions at once"].verdict is Verdict.WARN
    shown = table(list(found.values()))
    assert "L-34B43A08" in shown and "L-B99A9384" in shown


def test_r1_a_rule_that_eventbridge_does_not_take_is_named() -> None:
    account = a_new_account()
    account.stubs.pop("events")
    account.clients.pop("events")
    for _ in RULES:
        account.stub("events").add_client_error(
            "test_event_pattern", "InvalidEventPatternException", "Rule is too complex"
        )
    found = [check for check in rehearse(account, TEMPLATE) if check.what.startswith("pattern")]
    assert {(check.verdict, check.told) for check in found} == {
        (Verdict.FAIL, "Rule is too complex")
    }


@pytest.mark.parametrize("service", ["sts", "stepfunctions", "events", "service-quotas", "lambda"])
def test_what_is_not_answered_is_no_ok_and_stops_nothing_else(service: str) -> None:
    account = a_new_account(calls=1000)
    del account.stubs[service], account.clients[service]
    stub, call = account.stub(service), CALLS[service]
    stub.add_client_error(call, "AccessDeniedException", "you may not")
    found = rehearse(account, TEMPLATE)
    assert [c.verdict for c in found if c.verdict is not Verdict.OK] == [Verdict.UNANSWERED]


CALLS: dict[str, str] = {
    "sts": "get_caller_identity",
    "stepfunctions": "validate_state_machine_definition",
    "events": "test_event_pattern",
    "service-quotas": "get_service_quota",
    "lambda": "get_account_settings",
}
