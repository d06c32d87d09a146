"""Every alarm reads a metric that is published, and no route of the API is open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from porewatch.adapters.messages.metrics import (
    NAMESPACE,
    Metrics,
)
from porewatch.domain.base import now
from porewatch.domain.facts.metrics import (
    COUNTED,
    OUTCOMES,
    Measure,
)
from porewatch.usecases.monitoring.clean_up_orphans import COUNTED as REAPED
from porewatch.usecases.people.authorize import PUBLIC
from porewatch_local.stack_template.template import (
    Template,
    target,
)

TEMPLATE = Template.load(Path(__file__).parents[2] / "template.yaml")
ALARMS = TEMPLATE.of_type("AWS::CloudWatch::Alarm")
AWS_METRICS = {
    ("AWS/States", "ExecutionsFailed"): ({"StateMachineArn"}, "Sum"),
    ("AWS/States", "ExecutionsTimedOut"): ({"StateMachineArn"}, "Sum"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): ({"QueueName"}, "Maximum"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): ({"QueueName"}, "Maximum"),
    ("AWS/ApiGateway", "5XXError"): ({"ApiName", "Stage"}, "Sum"),
}
"""Metric -> the dimensions under which AWS publishes it (docs of each service), its statistic."""


def dimensions(alarm: dict[str, Any]) -> dict[str, Any]:
    return {one["Name"]: one["Value"] for one in alarm["Dimensions"]}


def ours() -> set[str]:
    """Metrics that the code sends by stack alone."""
    return {*COUNTED.values(), *OUTCOMES.values(), *REAPED}


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_reads_a_published_metric(name: str) -> None:
    alarm = ALARMS[name]
    metric = alarm["Namespace"], alarm["MetricName"]
    if alarm["Namespace"] == NAMESPACE:
        assert alarm["MetricName"] in ours()
        sent = Metrics("STACK", client=object())._datum(  # type: ignore[arg-type]
            Measure(name=alarm["MetricName"], value=1, at=now())
        )
        assert {one["Name"] for one in sent["Dimensions"]} == set(dimensions(alarm))
        assert dimensions(alarm)["Stack"] == {"Ref": "AWS::StackName"}
        assert alarm["Statistic"] == "Maximum"
        return
    expected, statistic = AWS_METRICS[metric]
    assert (set(dimensions(alarm)), alarm["Statistic"]) == (expected, statistic)


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_listens_to_its_own_thing_and_goes_off(name: str) -> None:
    alarm = ALARMS[name]
    given = dimensions(alarm)
    if "QueueName" in given:
        queue = name.removesuffix("Alarm").removesuffix("Age")
        assert given["QueueName"] == {"Fn::GetAtt": [queue, "QueueName"]}
    if "StateMachineArn" in given:
        assert target(given["StateMachineArn"]) == "ScreenRun"
    if "ApiName" in given:
        api = TEMPLATE.of_type("AWS::Serverless::Api")["RestApi"]
        assert (given["ApiName"], given["Stage"]) == (api["Name"], api["StageName"])
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["Threshold"] >= 1
    assert [target(action) for action in alarm["AlarmActions"]] == ["AlertTopic"]


def test_every_queue_of_dead_letters_and_every_queue_with_a_reader_has_its_alarm() -> None:
    queues = TEMPLATE.of_type("AWS::SQS::Queue")
    dead = {f"{name}Alarm" for name in queues if name.endswith("DeadLetters")}
    waiting = {f"{name}AgeAlarm" for name in queues if name.endswith("Queue")}
    assert dead | waiting <= set(ALARMS)


def test_every_route_of_the_api_needs_a_key_of_the_usage_plan() -> None:
    api = TEMPLATE.of_type("AWS::Serverless::Api")["RestApi"]
    assert api["ApiKeySourceType"] == "AUTHORIZER", "who asks decides under which key it counts"
    auth = api["Auth"]
    assert (auth["ApiKeyRequired"], auth["DefaultAuthorizer"]) == (True, "WhoAsks")
    who_asks = auth["Authorizers"]["WhoAsks"]
    assert target(who_asks["FunctionArn"]) == "Authorizer"
    assert who_asks["Identity"] == {"ReauthorizeEvery": 0}, "what was revoked ends at once"
    routes = [
        event["Properties"]
        for function in TEMPLATE.functions.values()
        for event in function.get("Events", {}).values()
        if event["Type"] in ("Api", "HttpApi")
    ]
    assert routes
    assert all(target(route["RestApiId"]) == "RestApi" for route in routes)
    unmetered = {route["Path"]: route["Auth"] for route in routes if "Auth" in route}
    assert set(unmetered) <= set(PUBLIC)
    assert all(own == {"ApiKeyRequired": False} for own in unmetered.values())
    assert TEMPLATE.of_type("AWS::Serverless::HttpApi") == {}
    assert [own for own in TEMPLATE.functions.values() if "FunctionUrlConfig" in own] == []
    plans = TEMPLATE.of_type("AWS::ApiGateway::UsagePlan")
    assert {target(stage["ApiId"]) for p in plans.values() for stage in p["ApiStages"]} == {
        "RestApi"
    }
    links = TEMPLATE.of_type("AWS::ApiGateway::UsagePlanKey").values()
    assert {target(link["KeyId"]): target(link["UsagePlanId"]) for link in links} == {
        "ApiKey": "ApiUsagePlan",
        "PeopleKey": "PeopleUsagePlan",
    }
    assert "Quota" not in plans["PeopleUsagePlan"], "one could use it up for all"
    keys = TEMPLATE.of_type("AWS::ApiGateway::ApiKey")
    assert all(key["Enabled"] is True for key in keys.values())


def test_every_request_is_logged_with_who_asked_what_and_what_was_answered() -> None:
    api = TEMPLATE.of_type("AWS::Serverless::Api")["RestApi"]
    setting = api["AccessLogSetting"]
    assert setting["DestinationArn"] == {"Fn::GetAtt": ["RestApiLog", "Arn"]}
    group = TEMPLATE.of_type("AWS::Logs::LogGroup")["RestApiLog"]
    assert group["RetentionInDays"] == {"Ref": "LogDays"}
    line = json.loads(setting["Format"])
    assert {
        "$context.requestId",
        "$context.identity.apiKeyId",
        "$context.identity.sourceIp",
        "$context.httpMethod",
        "$context.resourcePath",
        "$context.status",
        "$context.responseLatency",
    } <= set(line.values())
    assert "$context.identity.apiKey" not in line.values(), "the key itself"


def test_the_stage_waits_for_the_role_by_which_api_gateway_writes_logs() -> None:
    api = TEMPLATE.of_type("AWS::Serverless::Api")["RestApi"]
    condition, then, _ = api["Variables"]["log_role"]["Fn::If"]
    assert (condition, target(then)) == ("SetsApiLogRole", "ApiGatewayAccount")
    setting = TEMPLATE.resources["ApiGatewayAccount"]
    assert setting["Condition"] == "SetsApiLogRole"
    for name in ("ApiGatewayAccount", "ApiGatewayLogsRole"):
        assert TEMPLATE.resources[name]["DeletionPolicy"] == "Retain", name


@pytest.mark.parametrize("name", ["PhaseStateManager", "InstanceMonitor"])
def test_readers_of_heartbeats_have_room_whatever_else_is_called(name: str) -> None:
    own = TEMPLATE.functions[name]["ReservedConcurrentExecutions"]
    condition, reserved, none = own["Fn::If"]
    assert (condition, none) == ("ReservesConcurrency", {"Ref": "AWS::NoValue"})
    assert reserved == {"Ref": "HeartbeatConcurrency"} or reserved >= 2
