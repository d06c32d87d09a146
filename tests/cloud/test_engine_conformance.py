"""What the product relies on, proven on the engine as it is started here.

A new version of the engine must pass this file before the pin moves.
"""

from __future__ import annotations

import io
import json
import os
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from porewatch_local.embedded.clients import client
from porewatch_local.engine_side.rewriting import PatchRefused, replaced
from porewatch_local.paths import Credentials
from tests.cloud.conftest import HERE, Cloud
from tests.cloud.making import (
    allow,
    bucket,
    finished,
    function,
    named,
    role,
    run_machine,
    user,
    wait_for,
)

pytestmark = pytest.mark.cloud

FAILING = """
class SpotInterrupted(Exception):
    pass
def handler(event, context):
    raise SpotInterrupted("taken away")
"""


def _code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def test_the_class_name_of_an_exception_reaches_catch(cloud: Cloud) -> None:
    fails = function(cloud, FAILING)
    states = {
        "Work": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": fails, "Payload": {}},
            "Catch": [
                {
                    "ErrorEquals": ["SpotInterrupted"],
                    "Output": "{% $states.errorOutput %}",
                    "Next": "Again",
                }
            ],
            "End": True,
        },
        "Again": {"Type": "Succeed"},
    }
    done = finished(cloud, run_machine(cloud, states, allow("lambda:InvokeFunction")))
    assert done["status"] == "SUCCEEDED"
    caught = json.loads(done["output"])
    assert caught["Error"] == "SpotInterrupted"
    assert "taken away" in caught["Cause"]


def _waiting(queue: str, heartbeat: int) -> dict[str, Any]:
    return {
        "Wait": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Arguments": {
                "QueueUrl": queue,
                "MessageBody": {"token": "{% $states.context.Task.Token %}"},
            },
            "HeartbeatSeconds": heartbeat,
            "TimeoutSeconds": 60,
            "Catch": [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Silent"}],
            "End": True,
        },
        "Silent": {"Type": "Fail", "Error": "WorkerLost"},
    }


SLOW = """
import os, time
def handler(event, context):
    time.sleep(0.5)
    return os.getpid()
"""


def test_calls_of_a_function_wait_for_each_other_instead_of_filling_the_machine(
    cloud: Cloud,
) -> None:
    calls, most = 30, max(4, 2 * (os.cpu_count() or 1))
    slow = function(cloud, SLOW)

    def call(_: int) -> int:
        reply = cloud.client("lambda").invoke(FunctionName=slow)
        return int(json.load(reply["Payload"]))

    with ThreadPoolExecutor(calls) as pool:
        processes = set(pool.map(call, range(calls)))
    assert 1 < len(processes) <= most


def test_a_silent_worker_is_found_by_a_heartbeat_timeout(cloud: Cloud) -> None:
    queue = cloud.client("sqs").create_queue(QueueName=named("q"))["QueueUrl"]
    execution = run_machine(cloud, _waiting(queue, 1), allow("sqs:SendMessage"))
    done = finished(cloud, execution, 10)
    assert (done["status"], done["error"]) == ("FAILED", "WorkerLost")


def test_a_worker_that_beats_may_take_its_time(cloud: Cloud) -> None:
    sqs, steps = cloud.client("sqs"), cloud.client("stepfunctions")
    queue = sqs.create_queue(QueueName=named("q"))["QueueUrl"]
    execution = run_machine(cloud, _waiting(queue, 2), allow("sqs:SendMessage"))
    message = wait_for(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    token = json.loads(message[0]["Body"])["token"]
    for _ in range(8):
        steps.send_task_heartbeat(taskToken=token)
        time.sleep(0.5)
    steps.send_task_success(taskToken=token, output='{"manifest_key": "k"}')
    done = finished(cloud, execution)
    assert done["status"] == "SUCCEEDED"
    assert json.loads(done["output"]) == {"manifest_key": "k"}


@pytest.fixture(scope="module")
def database(cloud: Cloud) -> Iterator[dict[str, str]]:
    """A cluster, its instance and its secret, made by CloudFormation as the template does."""
    stacks, name = cloud.client("cloudformation"), named("conformance")
    stacks.create_stack(StackName=name, TemplateBody=(HERE / "cluster.yaml").read_text())
    stacks.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    outputs = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    found = {o["OutputKey"]: o["OutputValue"] for o in outputs}
    yield {
        "resourceArn": found["Cluster"],
        "secretArn": found["Secret"],
        "database": "conformance",
    }
    stacks.delete_stack(StackName=name)


def _number(name: str, value: int) -> dict[str, Any]:
    return {"name": name, "value": {"longValue": value}}


def test_the_data_api_runs_on_a_real_postgresql(cloud: Cloud, database: dict[str, str]) -> None:
    sql = cloud.client("rds-data")
    version = sql.execute_statement(**database, sql="SELECT version()")["records"][0][0]
    assert version["stringValue"].startswith("PostgreSQL ")
    sql.execute_statement(**database, sql="CREATE TABLE t (id int PRIMARY KEY, doc jsonb)")
    made = sql.batch_execute_statement(
        **database,
        sql="INSERT INTO t VALUES (:id, '{\"k\": 1}')",
        parameterSets=[[_number("id", 1)], [_number("id", 2)]],
    )
    assert len(made["updateResults"]) == 2
    found = sql.execute_statement(
        **database,
        sql="SELECT id, doc->>'k' FROM t WHERE id > :low AND doc::text LIKE '%k%' ORDER BY id",
        parameters=[_number("low", 0)],
    )
    assert found["records"] == [
        [{"longValue": 1}, {"stringValue": "1"}],
        [{"longValue": 2}, {"stringValue": "1"}],
    ]


def test_a_rolled_back_transaction_leaves_nothing(cloud: Cloud, database: dict[str, str]) -> None:
    sql = cloud.client("rds-data")
    sql.execute_statement(**database, sql="CREATE TABLE IF NOT EXISTS u (id int)")
    begun = sql.begin_transaction(**database)["transactionId"]
    sql.execute_statement(**database, sql="INSERT INTO u VALUES (1)", transactionId=begun)
    target = {key: database[key] for key in ("resourceArn", "secretArn")}
    sql.rollback_transaction(**target, transactionId=begun)
    counted = sql.execute_statement(**database, sql="SELECT count(*) FROM u")
    assert counted["records"] == [[{"longValue": 0}]]


def test_the_data_api_refuses_a_secret_with_a_wrong_password(
    cloud: Cloud, database: dict[str, str]
) -> None:
    wrong = cloud.client("secretsmanager").create_secret(
        Name=named("wrong"), SecretString='{"username": "keeper", "password": "guess"}'
    )
    with pytest.raises(ClientError, match="password authentication failed"):
        cloud.client("rds-data").execute_statement(
            **{**database, "secretArn": wrong["ARN"]}, sql="SELECT 1"
        )


def test_a_manifest_is_published_by_one_conditional_put(cloud: Cloud) -> None:
    s3, room = cloud.client("s3"), bucket(cloud)
    first = s3.put_object(Bucket=room, Key="m", Body=b"1", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError) as late:
        s3.put_object(Bucket=room, Key="m", Body=b"2", IfNoneMatch="*")
    assert _code(late) == "PreconditionFailed"
    s3.put_object(Bucket=room, Key="m", Body=b"3", IfMatch=first)
    with pytest.raises(ClientError) as stale:
        s3.put_object(Bucket=room, Key="m", Body=b"4", IfMatch=first)
    assert _code(stale) == "PreconditionFailed"
    assert s3.get_object(Bucket=room, Key="m")["Body"].read() == b"3"


def test_a_user_may_do_what_the_policy_says_and_nothing_else(cloud: Cloud) -> None:
    room = bucket(cloud)
    key = user(cloud, allow("s3:PutObject", on=f"arn:aws:s3:::{room}/runs/*"))
    s3 = client(cloud.local, "s3", key)
    s3.put_object(Bucket=room, Key="runs/a", Body=b"")
    for refused in (
        lambda: s3.put_object(Bucket=room, Key="other/a", Body=b""),
        lambda: s3.get_object(Bucket=room, Key="runs/a"),
        lambda: client(cloud.local, "dynamodb", key).list_tables(),
    ):
        with pytest.raises(ClientError) as denied:
            refused()
        assert "AccessDenied" in _code(denied)


def test_a_wrong_secret_key_is_refused(cloud: Cloud) -> None:
    key = Credentials(
        access_key_id=cloud.local.credentials.access_key_id, secret_access_key="guess"
    )
    with pytest.raises(ClientError) as refused:
        client(cloud.local, "s3", key).list_buckets()
    assert _code(refused) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("key", ["test", "000000000000"])
def test_the_keys_everybody_knows_do_not_open_it(cloud: Cloud, key: str) -> None:
    known = Credentials(access_key_id=key, secret_access_key="test")
    with pytest.raises(ClientError):
        client(cloud.local, "sqs", known).list_queues()


def test_an_unsigned_request_is_refused(cloud: Cloud) -> None:
    room = bucket(cloud)
    cloud.client("s3").put_object(Bucket=room, Key="k", Body=b"private")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{cloud.local.endpoint}/{room}/k")
    assert refused.value.code == 403


TABLE_READER = """
import boto3
def handler(event, context):
    return boto3.client("dynamodb").list_tables()["TableNames"]
"""


@pytest.mark.parametrize("granted", [True, False])
def test_a_function_has_its_roles_rights_only(cloud: Cloud, granted: bool) -> None:
    statements = [allow("dynamodb:ListTables")] if granted else []
    answer = cloud.client("lambda").invoke(FunctionName=function(cloud, TABLE_READER, *statements))
    payload = json.loads(answer["Payload"].read())
    assert answer.get("FunctionError") == (None if granted else "Unhandled")
    assert granted or "AccessDenied" in payload["errorMessage"]


def test_a_role_that_trusts_ec2_is_not_for_people(cloud: Cloud) -> None:
    arn = role(cloud, "ec2.amazonaws.com")
    with pytest.raises(ClientError) as refused:
        cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")
    assert _code(refused) == "AccessDenied"


def test_a_fleet_with_the_same_client_token_launches_once(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    template = ec2.create_launch_template(
        LaunchTemplateName=named("lt"), LaunchTemplateData={"ImageId": "ami-12345678"}
    )["LaunchTemplate"]["LaunchTemplateId"]
    request = {
        "Type": "instant",
        "ClientToken": named("token"),
        "LaunchTemplateConfigs": [
            {"LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "$Latest"}}
        ],
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": 1,
            "DefaultTargetCapacityType": "spot",
        },
    }
    first, again = ec2.create_fleet(**request), ec2.create_fleet(**request)
    assert first["FleetId"] == again["FleetId"]
    ids = first["Instances"][0]["InstanceIds"]
    instance = ec2.describe_instances(InstanceIds=ids)["Reservations"][0]["Instances"][0]
    tags = {t["Key"]: t["Value"] for t in instance["Tags"]}
    assert instance["InstanceLifecycle"] == "spot"
    assert tags["aws:ec2launchtemplate:id"] == template
    assert tags["aws:ec2launchtemplate:version"] == "1"
    ec2.terminate_instances(InstanceIds=ids)


def test_only_the_loopback_address_is_bound(cloud: Cloud) -> None:
    assert set(cloud.local.pids) == {"engine", "host", "identity", "mail", "postgres", "stripe"}
    for pid in cloud.local.pids.values():
        process = psutil.Process(pid)
        for member in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # functions and machines come and go
                bound = [c for c in member.net_connections("inet") if c.status == "LISTEN"]
                assert {c.laddr.ip for c in bound} <= {"127.0.0.1"}


def test_a_patch_that_does_not_fit_stops_the_launch() -> None:
    assert replaced("a = 1", "1", "2", "here") == "a = 2"
    with pytest.raises(PatchRefused, match="found 0 times"):
        replaced("a = 3", "1", "2", "here")
    with pytest.raises(PatchRefused, match="found 2 times"):
        replaced("a = 1 + 1", "1", "2", "here")


def test_a_statement_that_waits_for_a_lock_does_not_stop_the_world(
    cloud: Cloud, database: dict[str, str]
) -> None:
    sql = cloud.client("rds-data")
    target = {key: database[key] for key in ("resourceArn", "secretArn")}
    sql.execute_statement(**database, sql="CREATE TABLE IF NOT EXISTS busy (id int PRIMARY KEY)")
    holder = sql.begin_transaction(**database)["transactionId"]
    sql.execute_statement(**database, sql="INSERT INTO busy VALUES (1)", transactionId=holder)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            sql.execute_statement,
            **database,
            sql="INSERT INTO busy VALUES (1) ON CONFLICT DO NOTHING",
        )
        time.sleep(0.5)
        assert not waiting.done()
        cloud.client("sqs").list_queues()
        sql.commit_transaction(**target, transactionId=holder)
        assert waiting.result(timeout=10)["numberOfRecordsUpdated"] == 0


def test_a_bucket_that_refuses_insecure_transport_takes_loopback_requests(cloud: Cloud) -> None:
    s3, room = cloud.client("s3"), bucket(cloud)
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{room}", f"arn:aws:s3:::{room}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=room, Policy=policy)
    s3.put_object(Bucket=room, Key="k", Body=b"")


MARKER_OF_LAYER = """
import os, time, marker
def handler(event, context):
    time.sleep(1)
    return [marker.MARKER, os.getpid(), os.path.dirname(marker.__file__)]
"""


def test_two_processes_of_a_function_share_one_unpacked_layer(cloud: Cloud) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("python/marker.py", "MARKER = 'layered'")
    functions = cloud.client("lambda")
    layer = functions.publish_layer_version(
        LayerName=named("layer"), Content={"ZipFile": packed.getvalue()}
    )["LayerVersionArn"]
    name = function(cloud, MARKER_OF_LAYER, Layers=[layer])
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(functions.invoke, FunctionName=name) for _ in range(2)]
        answers = [json.loads(call.result()["Payload"].read()) for call in calls]
    assert [marker for marker, _, _ in answers] == ["layered", "layered"]
    assert len({process for _, process, _ in answers}) == 2
    assert len({folder for _, _, folder in answers}) == 1
