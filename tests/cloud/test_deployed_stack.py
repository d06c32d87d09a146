"""The real template, deployed: what `up` promises about it."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

import pytest

from porewatch_local.embedded.deploy import deploy_stack
from porewatch_local.paths import LocalStack
from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud
SLOW = "slow"
"""A key of one test and its plan. The engine lists all plans, whatever the key."""


def test_the_same_source_is_not_deployed_again(stack: Cloud) -> None:
    lines: list[str] = []
    started = time.monotonic()
    again = deploy_stack(stack.home, stack.local, progress=lines.append)
    assert (again.outputs, lines) == (stack.outputs, [])
    assert time.monotonic() - started < 5


def test_local_json_says_where_everything_is(stack: Cloud) -> None:
    read = LocalStack.model_validate_json(stack.home.local_json.read_text())
    assert read.stack_name and read.outputs == stack.outputs
    assert {"LedgerTable", "StateMachineArn", "LaunchTemplateId"} <= set(read.outputs)


def test_no_policy_of_the_deployed_stack_allows_every_action(stack: Cloud) -> None:
    iam = stack.client("iam")
    seen = 0
    for role in iam.list_roles()["Roles"]:
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            policy = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                seen += 1
                for action in [actions] if isinstance(actions, str) else actions:
                    assert "*" not in action, (role["RoleName"], name, action)
    assert seen > 20


def answered(stack: Cloud, path: str, key: str = "", method: str = "GET") -> int:
    """Status of the API's answer."""
    address = stack.outputs["ApiUrl"] + path
    body = b"{}" if method not in ("GET", "HEAD") else None
    request = urllib.request.Request(address, body, {"x-api-key": key}, method=method)
    try:
        with urllib.request.urlopen(request) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


def key_of(stack: Cloud) -> str:
    gateway = stack.client("apigateway")
    found = gateway.get_api_key(apiKey=stack.outputs["ApiKeyId"], includeValue=True)
    return str(found["value"])


def test_the_api_needs_its_key(stack: Cloud) -> None:
    assert answered(stack, "/runs") == 401
    assert answered(stack, "/runs", "x" * 40) == 401
    assert answered(stack, "/runs", key_of(stack)) == 200


@pytest.mark.parametrize("path", ["/runs", "/runs/nobody", "/runs/nobody/report", "/alerts"])
def test_a_reading_route_answers_no_other_method(stack: Cloud, path: str) -> None:
    key = key_of(stack)
    orders = () if path == "/runs" else ("POST",)  # which registers a run
    for method in (*orders, "PUT", "PATCH", "DELETE", "HEAD"):
        assert answered(stack, path, key, method) in (403, 405), method


@pytest.mark.parametrize("path", ["/runs/nobody/cancel", "/alerts/nobody/pig/PERV-C/ack"])
def test_an_ordering_route_answers_post_alone_and_to_the_key_alone(stack: Cloud, path: str) -> None:
    key = key_of(stack)
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        assert answered(stack, path, key, method) in (403, 405), method
    assert answered(stack, path, method="POST") == 401


def test_a_key_of_somebody_elses_plan_opens_nothing(stack: Cloud) -> None:
    """Keys meter: who asks is said by the authorizer, which knows the stack's own key alone."""
    gateway = stack.client("apigateway")
    slow = gateway.create_api_key(name=SLOW, enabled=True)
    plan = gateway.create_usage_plan(
        name=SLOW,
        apiStages=[{"apiId": stack.outputs["ApiId"], "stage": "v1"}],
        throttle={"rateLimit": 0.01, "burstLimit": 1},
    )
    gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=slow["id"], keyType="API_KEY")
    try:
        assert answered(stack, "/runs", slow["value"]) == 401
        people = gateway.get_api_keys(includeValues=True)["items"]
        assert [
            answered(stack, "/runs", k["value"])
            for k in people
            if "people" in k.get("description", "")
        ] == [401]
        assert answered(stack, "/runs", key_of(stack)) == 200
    finally:
        gateway.delete_usage_plan_key(usagePlanId=plan["id"], keyId=slow["id"])
        gateway.delete_usage_plan(usagePlanId=plan["id"])
        gateway.delete_api_key(apiKey=slow["id"])


def test_the_throttle_of_the_template_is_deployed(stack: Cloud) -> None:
    gateway = stack.client("apigateway")
    stage = gateway.get_stage(restApiId=stack.outputs["ApiId"], stageName="v1")
    limits = stage["methodSettings"]["*/*"]
    assert (limits["throttlingRateLimit"], limits["throttlingBurstLimit"]) == (200, 400)
    plans = {
        key["id"]: plan["throttle"]
        for plan in gateway.get_usage_plans()["items"]
        for key in gateway.get_usage_plan_keys(usagePlanId=plan["id"])["items"]
    }
    assert plans[stack.outputs["ApiKeyId"]] == {"rateLimit": 20, "burstLimit": 40}


def test_the_registry_is_a_real_postgresql_under_the_stacks_secret(stack: Cloud) -> None:
    answer = stack.client("rds-data").execute_statement(
        resourceArn=stack.outputs["RegistryClusterArn"],
        secretArn=stack.outputs["RegistrySecretArn"],
        database=stack.outputs["RegistryDatabase"],
        sql="SELECT current_database(), current_user, version()",
    )
    values = [field["stringValue"] for field in answer["records"][0]]
    assert values[0] == stack.outputs["RegistryDatabase"]
    assert values[2].startswith("PostgreSQL")
