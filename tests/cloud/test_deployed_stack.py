"""The real template, deployed: what `up` promises about it."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

import pytest

from porewatch_local.deploy import deploy_stack
from porewatch_local.home import LocalStack
from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud


def test_the_same_source_is_not_deployed_again(stack: Cloud) -> None:
    said: list[str] = []
    started = time.monotonic()
    again = deploy_stack(stack.home, stack.local, progress=said.append)
    assert (again.outputs, said) == (stack.outputs, [])
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


def test_the_api_needs_its_key(stack: Cloud) -> None:
    address = stack.outputs["ApiUrl"] + "/runs"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address)
    assert refused.value.code == 403
    gateway = stack.client("apigateway")
    key = gateway.get_api_key(apiKey=stack.outputs["ApiKeyId"], includeValue=True)["value"]
    request = urllib.request.Request(address, headers={"x-api-key": key})
    with urllib.request.urlopen(request) as reply:
        assert reply.status == 200


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
