"""The template gate, and each of its rules seen failing on a template with one thing wrong."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from porewatch.adapters.ledger.idempotency import KEPT
from porewatch_local.stack_template import (
    gate,
    permission_rules,
    rules,
)
from porewatch_local.stack_template.template import Template

REPOSITORY = Path(__file__).parents[2]
TEMPLATE = Template.load(REPOSITORY / "template.yaml")
RULES = (*rules.RULES, *permission_rules.RULES)
Rule = Callable[[Template], Any]


def changed(path: str, value: Any) -> Template:
    """The template with the value at `A/B/C` (list positions as numbers) replaced."""
    body = copy.deepcopy(TEMPLATE.body)
    *way, last = path.split("/")
    place: Any = body
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is None:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return Template(TEMPLATE.root, body)


SLOW_CHECKS = {"sam validate --lint", "cfn-lint of the images"}
"""Half a minute of a core, for what cfn-lint of the expansion nearly always finds as well."""


@pytest.mark.parametrize(
    "check",
    [pytest.param(c, marks=pytest.mark.slow) if c in SLOW_CHECKS else c for c in gate.CHECKS],
)
def test_the_gate_finds_nothing(check: str) -> None:
    try:
        wrong = list(gate.CHECKS[check](REPOSITORY))
    except gate.ToolMissing as missing:
        pytest.fail(f"{missing}")
    assert wrong == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_template_keeps_our_rule(rule: Rule) -> None:
    assert list(rule(TEMPLATE)) == []


F = "Resources/FastqValidator/Properties"
PLANTED = [
    (rules.every_folder_is_a_function_and_back, "Resources/Api", None),
    (rules.every_handler_exists, "Globals/Function/Handler", "app.handler"),
    (rules.every_function_is_built_for_one_runtime, f"{F}/Runtime", "python3.12"),
    (rules.every_function_is_built_for_one_runtime, "Resources/Api/Metadata", None),
    (rules.every_function_is_traced_and_logs_to_its_own_group, f"{F}/LoggingConfig", None),
    (
        rules.every_function_is_traced_and_logs_to_its_own_group,
        "Resources/ApiLog/Properties/RetentionInDays",
        None,
    ),
    (
        rules.every_function_finds_what_it_reads_in_its_environment,
        f"{F}/Environment/Variables/RAW_BUCKET",
        None,
    ),
    (
        rules.every_function_finds_what_it_reads_in_its_environment,
        f"{F}/Environment/Variables/RAW_BUKET",
        "typo",
    ),
    (rules.every_queue_waits_long_enough, f"{F}/Timeout", 901),
    (
        rules.every_batch_can_fail_in_part,
        f"{F}/Events/Queue/Properties/FunctionResponseTypes",
        None,
    ),
    (rules.every_batch_can_fail_in_part, f"{F}/Events/Queue/Properties/BatchSize", 20),
    (
        rules.every_schedule_can_be_read,
        "Resources/InstanceMonitor/Properties/Events/EveryMinute/Properties/Schedule",
        "rate(1 minutes)",
    ),
    (
        rules.every_queue_has_dead_letters_and_they_are_watched,
        "Resources/FilesQueue/Properties/RedrivePolicy",
        None,
    ),
    (
        rules.every_queue_has_dead_letters_and_they_are_watched,
        "Resources/FilesDeadLettersAlarm",
        None,
    ),
    (
        rules.every_alarm_names_its_runbook,
        "Resources/ApiFaultsAlarm/Properties/AlarmDescription",
        "See docs/runbooks/nothing.md.",
    ),
    (
        rules.every_placeholder_of_a_state_machine_is_filled,
        "Resources/ScreenRun/Properties/DefinitionSubstitutions/ErrorHandler",
        None,
    ),
    (
        rules.every_task_outlasts_its_function,
        "Resources/ErrorHandler/Properties/Timeout",
        70,
    ),
    (rules.every_stage_sets_every_parameter, "Parameters/RawDays", None),
    (
        permission_rules.no_action_is_a_pattern,
        "Resources/ApiRole/Properties/Policies/0/PolicyDocument/Statement/0/Action",
        "s3:Get*",
    ),
    (
        permission_rules.no_resource_is_everything_without_a_reason,
        "Resources/ApiRole/Properties/Policies/0/PolicyDocument/Statement/0/Resource",
        "*",
    ),
    (permission_rules.every_exception_is_still_needed, "Resources/FactPublisherRole", None),
    (
        permission_rules.every_function_has_a_role_of_its_own,
        f"{F}/Role",
        {"Fn::GetAtt": ["ApiRole", "Arn"]},
    ),
    (
        permission_rules.no_role_takes_a_policy_from_elsewhere,
        "Resources/ApiRole/Properties/ManagedPolicyArns/0",
        "arn:aws:iam::aws:policy/AdministratorAccess",
    ),
]


@pytest.mark.parametrize(
    ("rule", "path", "value"), PLANTED, ids=[f"{r.__name__}:{p}" for r, p, _ in PLANTED]
)
def test_a_rule_sees_what_is_planted(rule: Rule, path: str, value: Any) -> None:
    assert list(rule(changed(path, value)))


def test_every_rule_was_seen_failing() -> None:
    assert {rule for rule, _, _ in PLANTED} == set(RULES)


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
        ("every minute", False),
    ],
)
def test_a_schedule_is_distinguished_from_what_only_looks_like_one(text: str, right: bool) -> None:
    assert rules.is_schedule(text) is right


def test_only_named_resources_are_left_out_on_the_embedded_aws() -> None:
    """Everything else is the same there: what is tested here is what is deployed."""
    left_out = {
        resource["Type"]
        for resource in TEMPLATE.resources.values()
        if resource.get("Condition") in ("OnAws", "HasBudget", "HasBatchOnAws")
    }
    assert left_out == {
        "AWS::Budgets::Budget",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::EC2::VPCEndpoint",
        "AWS::Events::Archive",
        "AWS::XRay::Group",
    }


def test_the_linters_see_a_state_machine_with_something_wrong(tmp_path: Path) -> None:
    node = gate.tools(REPOSITORY) / "node"
    gate.install_linters(REPOSITORY, node)
    text = (REPOSITORY / "statemachine/screen_run.asl.json").read_text()
    (tmp_path / "statemachine").mkdir()
    machine = tmp_path / "statemachine/screen_run.asl.json"
    machine.write_text(
        text.replace('"MaxDelaySeconds"', '"MaxDelaySecondz"').replace("$next_stage + 1", "+")
    )
    found = list(gate.state_machine_linters(Template(tmp_path, TEMPLATE.body), node))
    assert [line for line in found if line.startswith("asl-validator")]
    assert [line for line in found if line.startswith("amazon-states-language-service")]


def test_a_fact_is_tried_for_half_a_day_and_half_as_long_as_the_stream_remembers_it() -> None:
    """What the publisher gives up on is only in the ledger: nobody would be notified of it."""
    stream = TEMPLATE.functions["FactPublisher"]["Events"]["Stream"]["Properties"]
    assert stream["MaximumRecordAgeInSeconds"] == 12 * 3600
    assert stream["MaximumRetryAttempts"] == 10_000


def test_what_was_done_once_is_remembered_longer_than_anything_can_be_replayed() -> None:
    assert KEPT.days > TEMPLATE.body["Parameters"]["ArchiveDays"]["MaxValue"]


def test_what_the_registry_is_rebuilt_from_stays_as_long_as_the_facts_that_name_it() -> None:
    tables = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())
    stages = [t for t in tables.values() if isinstance(t, dict) and "deploy" in t]
    configured = [stage["deploy"]["parameters"]["parameter_overrides"] for stage in stages]
    assert len(configured) > 3
    defaults = {name: str(p.get("Default")) for name, p in TEMPLATE.body["Parameters"].items()}
    for overrides in ["", *configured]:
        days = defaults | dict(pair.split("=", 1) for pair in overrides.split())
        assert int(days["ReportsDays"]) >= int(days["ArchiveDays"]), overrides
