"""Each of our own rules about the template, seen failing on a template with one thing wrong: it
names that thing and no other."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from porewatch_local.stack_template import (
    permission_rules,
    rules,
)
from porewatch_local.stack_template.template import Template
from tests.contract.test_template import REPOSITORY, TEMPLATE, changed

RULES = (*rules.RULES, *permission_rules.RULES)
Rule = Callable[[Template], Any]
SAMCONFIG = (REPOSITORY / "samconfig.toml").read_text()
STATEMENT = {"Sid": "X", "Action": "s3:GetObject", "Resource": {"Ref": "R"}}
ALL_OBJECTS = {**STATEMENT, "Resource": "*"}
EVERY_DAY = {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": "every day"}}
CLOCK = "Resources/InstanceMonitor/Properties/Events"
F = "Resources/FastqValidator/Properties"
QUEUE = f"{F}/Events/Queue/Properties"
POLICY = "Resources/ApiRole/Properties/Policies/0/PolicyDocument/Statement"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_template_keeps_our_rule(rule: Rule) -> None:
    assert list(rule(TEMPLATE)) == []


PLANTED: list[tuple[Rule, str, Any, list[str]]] = [
    (
        rules.every_folder_is_a_function_and_back,
        "Resources/Api",
        None,
        ["functions/api is not in the template"],
    ),
    (
        rules.every_folder_is_a_function_and_back,
        "Resources/NoFolder",
        {"Type": "AWS::Serverless::Function", "Properties": {}},
        ["functions/no_folder/app.py does not exist"],
    ),
    (
        rules.every_handler_exists,
        f"{F}/Handler",
        "app.no_handler",
        ["FastqValidator: app.py has no no_handler"],
    ),
    (
        rules.every_handler_exists,
        f"{F}/Handler",
        "gone.lambda_handler",
        ["FastqValidator: gone.py does not exist"],
    ),
    (
        rules.every_function_is_built_for_one_runtime,
        f"{F}/Runtime",
        "python3.12",
        ["FastqValidator is not python3.13 on arm64"],
    ),
    (
        rules.every_function_is_built_for_one_runtime,
        f"{F}/Architectures",
        ["x86_64"],
        ["FastqValidator is not python3.13 on arm64"],
    ),
    (
        rules.every_function_is_built_for_one_runtime,
        "Resources/Api/Metadata",
        None,
        ["Api is not built by make"],
    ),
    (
        rules.every_function_is_traced_and_logs_to_its_own_group,
        f"{F}/Tracing",
        "PassThrough",
        ["FastqValidator is not traced"],
    ),
    (
        rules.every_function_is_traced_and_logs_to_its_own_group,
        f"{F}/FunctionName",
        {"Fn::Sub": "${AWS::StackName}-fastq_validator"},
        ["FastqValidator is not named after its folder"],
    ),
    (
        rules.every_function_is_traced_and_logs_to_its_own_group,
        f"{F}/LoggingConfig",
        None,
        ["FastqValidator has no log group of its own"],
    ),
    (
        rules.every_function_is_traced_and_logs_to_its_own_group,
        f"{F}/LoggingConfig/LogGroup",
        {"Ref": "ApiLog"},
        ["FastqValidator has no log group of its own"],
    ),
    (
        rules.every_function_is_traced_and_logs_to_its_own_group,
        "Resources/ApiLog/Properties/RetentionInDays",
        None,
        ["the log group of Api keeps everything for ever"],
    ),
    (
        rules.every_function_finds_what_it_reads_in_its_environment,
        f"{F}/Environment/Variables/RAW_BUCKET",
        None,
        ["FastqValidator reads RAW_BUCKET, which is not set"],
    ),
    (
        rules.every_function_finds_what_it_reads_in_its_environment,
        f"{F}/Environment/Variables/RAW_BUKET",
        "typo",
        ["FastqValidator: nobody reads RAW_BUKET"],
    ),
    (
        rules.every_queue_waits_long_enough,
        f"{F}/Timeout",
        901,
        [
            "FilesQueue shows a message again after 5400 s; that must be 6 times the 901 s of "
            "FastqValidator"
        ],
    ),
    (
        rules.every_queue_waits_long_enough,
        "Resources/FilesQueue/Properties/VisibilityTimeout",
        None,
        [
            "FilesQueue shows a message again after 30 s; that must be 6 times the 900 s of "
            "FastqValidator"
        ],
    ),
    (
        rules.every_batch_can_fail_in_part,
        f"{QUEUE}/FunctionResponseTypes",
        None,
        ["FastqValidator cannot report single failures of a batch"],
    ),
    (
        rules.every_batch_can_fail_in_part,
        "Resources/FactPublisher/Properties/Events/Stream/Properties/FunctionResponseTypes",
        ["ReportNothing"],
        ["FactPublisher cannot report single failures of a batch"],
    ),
    (
        rules.every_batch_can_fail_in_part,
        f"{QUEUE}/BatchSize",
        11,
        ["FastqValidator: a batch of 11 needs a batching window"],
    ),
    (
        rules.every_schedule_can_be_read,
        f"{CLOCK}/EveryMinute/Properties/Schedule",
        "rate(1 minutes)",
        ["InstanceMonitor: 'rate(1 minutes)' is not a schedule"],
    ),
    (
        rules.every_schedule_can_be_read,
        f"{CLOCK}/EveryDay",
        EVERY_DAY,
        ["InstanceMonitor: 'every day' is not a schedule"],
    ),
    (
        rules.every_queue_has_dead_letters_and_they_are_watched,
        "Resources/FilesQueue/Properties/RedrivePolicy",
        None,
        ["FilesQueue has no dead letters"],
    ),
    (
        rules.every_queue_has_dead_letters_and_they_are_watched,
        "Resources/FilesDeadLettersAlarm",
        None,
        ["nobody watches FilesDeadLetters"],
    ),
    (
        rules.every_queue_has_dead_letters_and_they_are_watched,
        "Resources/MonitorDeadLettersAlarm",
        None,
        ["nobody watches MonitorDeadLetters"],
    ),
    (
        rules.every_queue_has_dead_letters_and_they_are_watched,
        "Resources/FilesQueueAgeAlarm/Properties/MetricName",
        "ApproximateNumberOfMessagesVisible",
        ["nobody watches the age of FilesQueue"],
    ),
    (
        rules.every_queue_has_dead_letters_and_they_are_watched,
        "Resources/FilesQueueAgeAlarm/Properties/Dimensions/0/Name",
        "TopicName",
        ["nobody watches the age of FilesQueue"],
    ),
    (
        rules.every_alarm_names_its_runbook,
        "Resources/ApiFaultsAlarm/Properties/AlarmDescription",
        "See docs/runbooks/nothing.md.",
        ["ApiFaultsAlarm names docs/runbooks/nothing.md, which does not exist"],
    ),
    (
        rules.every_alarm_names_its_runbook,
        "Resources/ApiFaultsAlarm/Properties/AlarmDescription",
        None,
        ["ApiFaultsAlarm names no runbook"],
    ),
    (
        rules.every_placeholder_of_a_state_machine_is_filled,
        "Resources/ScreenRun/Properties/DefinitionSubstitutions/ErrorHandler",
        None,
        ["ScreenRun: ${ErrorHandler} is not filled"],
    ),
    (
        rules.every_placeholder_of_a_state_machine_is_filled,
        "Resources/ScreenRun/Properties/DefinitionSubstitutions/Spare",
        "x",
        ["ScreenRun: nothing uses Spare"],
    ),
    (
        rules.every_task_outlasts_its_function,
        "Resources/ErrorHandler/Properties/Timeout",
        70,
        [
            "ScreenRun/HandleError ends after 70 s, ErrorHandler may take 70 s",
            "ScreenRun/FailRun ends after 70 s, ErrorHandler may take 70 s",
        ],
    ),
    (
        rules.every_stage_sets_every_parameter,
        "Parameters/RegistryProtection",
        None,
        [
            f"samconfig.toml: {stage} sets RegistryProtection=true, no such parameter"
            for stage in ("prod-eu", "prod-us", "prod-jp")
        ],
    ),
    (
        permission_rules.no_action_is_a_pattern,
        f"{POLICY}/0/Action",
        ["s3:Get*", "s3:PutObject", "s3:?ut"],
        ["ApiRole/Log allows s3:Get*", "ApiRole/Log allows s3:?ut"],
    ),
    (
        permission_rules.no_action_is_a_pattern,
        f"{POLICY}/0/Action",
        None,
        ["ApiRole/Log allows *"],
    ),
    (
        permission_rules.no_resource_is_everything_without_a_reason,
        f"{POLICY}/0",
        ALL_OBJECTS,
        [
            "ApiRole/X is on every resource without a condition",
            "ApiRole/X allows s3:GetObject on every resource",
        ],
    ),
    (
        permission_rules.no_resource_is_everything_without_a_reason,
        f"{POLICY}/0",
        {**ALL_OBJECTS, "Condition": {}, "Action": ["s3:GetObject", "batch:ListJobs"]},
        [
            "ApiRole/X is on every resource without a condition",
            "ApiRole/X allows s3:GetObject on every resource",
        ],
    ),
    (
        permission_rules.every_exception_is_still_needed,
        "Resources/FactPublisherRole",
        None,
        ["dynamodb:ListStreams is an exception nobody uses"],
    ),
    (
        permission_rules.every_exception_is_still_needed,
        "Resources/FactPublisherRole/Properties/Policies/0/PolicyDocument/Statement",
        [{**STATEMENT, "Action": "dynamodb:ListStreams"}],
        ["dynamodb:ListStreams is an exception nobody uses"],
    ),
    (
        permission_rules.every_function_has_a_role_of_its_own,
        f"{F}/Role",
        {"Fn::GetAtt": ["ApiRole", "Arn"]},
        ["FastqValidator does not have a role of its own"],
    ),
    (
        permission_rules.every_function_has_a_role_of_its_own,
        f"{F}/Policies",
        [],
        ["FastqValidator has policies beside its role"],
    ),
    (
        permission_rules.no_role_takes_a_policy_from_elsewhere,
        "Resources/ApiRole/Properties/ManagedPolicyArns/0",
        "arn:aws:iam::aws:policy/AdministratorAccess",
        ["ApiRole takes arn:aws:iam::aws:policy/AdministratorAccess"],
    ),
]


@pytest.mark.parametrize(
    ("rule", "path", "value", "says"),
    PLANTED,
    ids=[f"{rule.__name__}:{path}" for rule, path, *_ in PLANTED],
)
def test_a_rule_sees_what_is_planted_and_nothing_else(
    rule: Rule, path: str, value: Any, says: list[str]
) -> None:
    assert list(rule(changed(path, value))) == says


def test_every_rule_was_seen_failing() -> None:
    assert {rule for rule, *_ in PLANTED} == set(RULES)


@pytest.mark.parametrize(
    ("rule", "path", "value"),
    [
        (rules.every_batch_can_fail_in_part, f"{QUEUE}/BatchSize", 10),
        (
            rules.every_batch_can_fail_in_part,
            QUEUE,
            {
                "Queue": {"Fn::GetAtt": ["FilesQueue", "Arn"]},
                "BatchSize": 11,
                "MaximumBatchingWindowInSeconds": 5,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            },
        ),
        (rules.every_queue_waits_long_enough, f"{F}/Timeout", 900),
        (rules.every_task_outlasts_its_function, "Resources/ErrorHandler/Properties/Timeout", 69),
        (
            rules.every_function_finds_what_it_reads_in_its_environment,
            "Resources/NoFolder",
            {"Type": "AWS::Serverless::Function", "Properties": {}},
        ),
        (
            permission_rules.no_resource_is_everything_without_a_reason,
            f"{POLICY}/0",
            {**ALL_OBJECTS, "Action": "batch:ListJobs", "Condition": {"StringEquals": {"a": "b"}}},
        ),
        (
            permission_rules.no_role_takes_a_policy_from_elsewhere,
            "Resources/ApiRole/Properties/ManagedPolicyArns",
            None,
        ),
    ],
)
def test_what_is_just_allowed_is_no_breach(rule: Rule, path: str, value: Any) -> None:
    assert list(rule(changed(path, value))) == []


def test_a_handler_is_a_function_or_what_a_name_was_set_to() -> None:
    module = ast.parse("def first(): ...\nsecond = third = first\nself.fourth = 4\n")
    assert rules._defined(module) == {"first", "second", "third"}


WIRED = """
LIMIT = 3

def last():
    return middle()

def middle():
    return first(last)

def first(_):
    return settings().raw_bucket, unknown.stack

def other():
    return results_bucket
"""


def test_a_handler_reads_what_the_wiring_it_uses_reads_however_long_the_chain() -> None:
    wired = rules._settings_of_wiring(WIRED)
    raw = {"raw_bucket"}
    assert wired == {"last": raw, "middle": raw, "first": raw, "other": {"results_bucket"}}
    handler = "wiring.last(settings().ledger_table, elsewhere.other, wiring.nothing)"
    assert rules._settings_read(handler, wired) == {"RAW_BUCKET", "LEDGER_TABLE"}


CHANGED_STAGES = [
    ('region = "us-east-1"\nstack_name = "porewatch"', 'stack_name = "porewatch"',
     ["prod-us is not in us-east-1"]),
    ('region = "us-east-1"\nstack_name = "porewatch"', 'region = "us-east-1"',
     ["prod-us has no stack_name"]),
    ('region = "us-east-1"\nstack_name = "porewatch"\n',
     'region = "us-east-2"\nstack_name = ""\n',
     ["prod-us is not in us-east-1", "prod-us has no stack_name"]),
    *(
        (f"{field} = ", f"no_{field} = ", [f"prod-us does not set {field}"])
        for field in ("capabilities", "resolve_s3", "confirm_changeset", "parameter_overrides")
    ),
    ("RawDays=", "RawDayz=", ["prod-us sets RawDayz=30, no such parameter"]),
]  # fmt: skip


@pytest.mark.parametrize(("there", "instead", "says"), CHANGED_STAGES)
def test_every_stage_says_everything(
    tmp_path: Path, there: str, instead: str, says: list[str]
) -> None:
    before, of_stage = SAMCONFIG.split("[prod-us.global", 1)
    assert there in of_stage
    text = before + "[prod-us.global" + of_stage.replace(there, instead, 1)
    (tmp_path / "samconfig.toml").write_text(text)
    found = rules.every_stage_sets_every_parameter(Template(tmp_path, TEMPLATE.body))
    assert list(found) == [f"samconfig.toml: {one}" for one in says]


def test_a_stage_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "samconfig.toml").write_text(SAMCONFIG.replace("[prod-jp.", "[prod-kr."))
    found = rules.every_stage_sets_every_parameter(Template(tmp_path, TEMPLATE.body))
    assert list(found) == [
        "samconfig.toml: prod-jp is not in ap-northeast-1",
        "samconfig.toml: prod-jp has no stack_name",
        *(
            f"samconfig.toml: prod-jp does not set {field}"
            for field in ("capabilities", "resolve_s3", "confirm_changeset", "parameter_overrides")
        ),
    ]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("rate(1 minute)", True),
        ("rate(5 minutes)", True),
        ("rate(5 minute)", False),
        ("rate(0 minutes)", False),
        ("cron(0 3 * * ? *)", True),
        ("cron(0/15 8-18 ? * MON-FRI *)", True),
        ("cron(0 3 * * *)", False),
        ("cron(0 3 * * * *)", False),
        ("cron(0 3 ? * ? *)", False),
        ("every minute", False),
    ],
)
def test_a_schedule_is_distinguished_from_what_only_looks_like_one(text: str, right: bool) -> None:
    assert rules.is_schedule(text) is right


def test_the_gateways_own_answers_are_problem_documents() -> None:
    answers = TEMPLATE.of_type("AWS::Serverless::Api")["RestApi"]["GatewayResponses"]
    assert {"UNAUTHORIZED", "ACCESS_DENIED", "THROTTLED", "DEFAULT_4XX", "DEFAULT_5XX"} <= set(
        answers
    )
    for name, answer in answers.items():
        headers = answer["ResponseParameters"]["Headers"]
        assert headers == {"content-type": "'application/problem+json'"}
        text = answer["ResponseTemplates"]["application/json"]
        # API Gateway puts the message in with its quotation marks, and the type without.
        text = text.replace("$context.error.messageString", '"m"')
        found = json.loads(text.replace("$context.error.responseType", name))
        assert found["type"] == f"urn:porewatch:problem:{found['code']}", name
        assert found.get("status") == answer.get("StatusCode"), name
        assert found["detail"] == found["problem"]
