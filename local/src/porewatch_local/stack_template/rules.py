"""What no linter knows of our template. Each rule answers one sentence for every breach.

Functions and their folders · clocks and queues · schedules · dead letters and alarms · state
machine · stages of samconfig.toml. Rules about permissions are in `permission_rules`.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from porewatch.settings import Settings
from porewatch_local.stack_template.template import (
    Template,
    folder_of,
    target,
)

RUNTIME, ARCHITECTURES = "python3.13", ["arm64"]
VISIBILITY_FACTOR = 6
BATCH_WITHOUT_WINDOW = 10
WIRING = "layers/common/python/porewatch/edge/wiring.py"
PROVIDED = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}
STAGES = {
    "local": "us-east-1",
    "dev": "eu-west-1",
    "staging": "eu-west-1",
    "prod-eu": "eu-central-1",
    "prod-us": "us-east-1",
    "prod-jp": "ap-northeast-1",
}

Breaches = Iterator[str]


def every_folder_is_a_function_and_back(template: Template) -> Breaches:
    folders = {path.parent.name for path in (template.root / "functions").glob("*/app.py")}
    wired = {folder_of(name) for name in template.functions}
    yield from (f"functions/{name} is not in the template" for name in sorted(folders - wired))
    yield from (f"functions/{name}/app.py does not exist" for name in sorted(wired - folders))


def every_handler_exists(template: Template) -> Breaches:
    for name, function in template.functions.items():
        module, handler = function["Handler"].split(".")
        path = template.root / "functions" / folder_of(name) / f"{module}.py"
        if not path.exists():
            yield f"{name}: {path.name} does not exist"
        elif handler not in _defined(ast.parse(path.read_text())):
            yield f"{name}: {path.name} has no {handler}"


def _defined(module: ast.Module) -> set[str]:
    found = {n.name for n in module.body if isinstance(n, ast.FunctionDef)}
    for node in module.body:
        if isinstance(node, ast.Assign):
            found |= {t.id for t in node.targets if isinstance(t, ast.Name)}
    return found


def every_function_is_built_for_one_runtime(template: Template) -> Breaches:
    for name, function in template.functions.items():
        if (function["Runtime"], function["Architectures"]) != (RUNTIME, ARCHITECTURES):
            yield f"{name} is not {RUNTIME} on {ARCHITECTURES[0]}"
        if template.resources[name].get("Metadata") != {"BuildMethod": "makefile"}:
            yield f"{name} is not built by make"


def every_function_is_traced_and_logs_to_its_own_group(template: Template) -> Breaches:
    groups = template.of_type("AWS::Logs::LogGroup")
    for name, function in template.functions.items():
        if function["Tracing"] != "Active":
            yield f"{name} is not traced"
        group = groups.get(target(function["LoggingConfig"].get("LogGroup")), {})
        hyphened = folder_of(name).replace("_", "-")
        if function.get("FunctionName") != {"Fn::Sub": f"${{AWS::StackName}}-{hyphened}"}:
            yield f"{name} is not named after its folder"
        if group.get("LogGroupName") != {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{hyphened}"}:
            yield f"{name} has no log group of its own"
        elif "RetentionInDays" not in group:
            yield f"the log group of {name} keeps everything for ever"


def every_function_finds_what_it_reads_in_its_environment(template: Template) -> Breaches:
    known = {field.upper() for field in Settings.model_fields} | PROVIDED
    optional = {n.upper() for n, f in Settings.model_fields.items() if not f.is_required()}
    wired = _settings_of_wiring((template.root / WIRING).read_text())
    for name, function in template.functions.items():
        given = set(function["Environment"]["Variables"])
        yield from (f"{name}: nobody reads {variable}" for variable in sorted(given - known))
        path = template.root / "functions" / folder_of(name) / "app.py"
        wanted = _settings_read(path.read_text(), wired) if path.exists() else set()
        missing = wanted - given - optional
        yield from (f"{name} reads {variable}, which is not set" for variable in sorted(missing))


def _settings_read(source: str, wired: dict[str, set[str]]) -> set[str]:
    """The settings that a handler reads: by itself, and through what it takes from `wiring`."""
    attributes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Attribute)]
    own = {attribute.attr for attribute in attributes} & set(Settings.model_fields)
    used = {a.attr for a in attributes if ast.unparse(a.value) == "wiring"}
    return {name.upper() for name in own.union(*(wired.get(name, set()) for name in used))}


def _settings_of_wiring(source: str) -> dict[str, set[str]]:
    """The settings that each function of `edge/wiring.py` reads, by itself or through others."""
    functions = {n.name: n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)}
    reads = {name: _names(node) & set(Settings.model_fields) for name, node in functions.items()}
    calls = {name: _names(node) & set(functions) - {name} for name, node in functions.items()}
    for _ in functions:  # so many steps reach the end of any chain of calls
        reads = {
            name: reads[name].union(*(reads[called] for called in calls[name])) for name in reads
        }
    return reads


def _names(node: ast.AST) -> set[str]:
    """Names and attributes below `node`."""
    return {
        n.attr if isinstance(n, ast.Attribute) else n.id
        for n in ast.walk(node)
        if isinstance(n, ast.Attribute | ast.Name)
    }


def every_queue_waits_long_enough(template: Template) -> Breaches:
    queues = template.of_type("AWS::SQS::Queue")
    for name, function in template.functions.items():
        for queue in _sources(function, "SQS"):
            visible_after = queues[target(queue["Queue"])].get("VisibilityTimeout", 30)
            if visible_after < VISIBILITY_FACTOR * function["Timeout"]:
                yield (
                    f"{target(queue['Queue'])} shows a message again after {visible_after} s; that "
                    f"must be {VISIBILITY_FACTOR} times the {function['Timeout']} s of {name}"
                )


def every_batch_can_fail_in_part(template: Template) -> Breaches:
    for name, function in template.functions.items():
        for source in (*_sources(function, "SQS"), *_sources(function, "DynamoDB")):
            if source.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
                yield f"{name} cannot report single failures of a batch"
        for queue in _sources(function, "SQS"):
            window = queue.get("MaximumBatchingWindowInSeconds")
            if queue["BatchSize"] > BATCH_WITHOUT_WINDOW and not window:
                yield f"{name}: a batch of {queue['BatchSize']} needs a batching window"


def _sources(function: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    events = function.get("Events", {}).values()
    return [event["Properties"] for event in events if event["Type"] == kind]


_RATE = re.compile(r"^rate\((?:1 (?:minute|hour|day)|(?:[2-9]|[1-9]\d+) (?:minutes|hours|days))\)$")
_FIELD = r"(?:\*|\?|L|[0-9A-Z#]+W?(?:-[0-9A-Z]+)?(?:/\d+)?|\*/\d+)(?:,[0-9A-Z]+(?:-[0-9A-Z]+)?)*"
_CRON = re.compile(rf"^cron\({_FIELD}(?: {_FIELD}){{5}}\)$")


def is_schedule(text: str) -> bool:
    """Whether EventBridge takes it: `rate(2 minutes)`, or cron with six fields, one of them `?`."""
    if _RATE.match(text):
        return True
    if not _CRON.match(text):
        return False
    fields = text.split()
    return (fields[2] == "?") != (fields[4] == "?")


def every_schedule_can_be_read(template: Template) -> Breaches:
    for name, function in template.functions.items():
        for kind, field in (("Schedule", "Schedule"), ("ScheduleV2", "ScheduleExpression")):
            for source in _sources(function, kind):
                if not is_schedule(source[field]):
                    yield f"{name}: {source[field]!r} is not a schedule"


def every_queue_has_dead_letters_and_they_are_watched(template: Template) -> Breaches:
    queues = template.of_type("AWS::SQS::Queue")
    alarms = template.of_type("AWS::CloudWatch::Alarm").values()
    watched = {
        (alarm["MetricName"], target(dimension["Value"]))
        for alarm in alarms
        for dimension in alarm["Dimensions"]
        if dimension["Name"] == "QueueName"
    }
    for name, queue in queues.items():
        if name.endswith("DeadLetters"):
            if ("ApproximateNumberOfMessagesVisible", name) not in watched:
                yield f"nobody watches {name}"
            continue
        redrive = queue.get("RedrivePolicy", {})
        if target(redrive.get("deadLetterTargetArn")) not in queues:
            yield f"{name} has no dead letters"
        if ("ApproximateAgeOfOldestMessage", name) not in watched:
            yield f"nobody watches the age of {name}"


def every_alarm_names_its_runbook(template: Template) -> Breaches:
    for name, alarm in template.of_type("AWS::CloudWatch::Alarm").items():
        named = re.search(r"docs/runbooks/[a-z-]+\.md", alarm.get("AlarmDescription", ""))
        if not named:
            yield f"{name} names no runbook"
        elif not (template.root / named[0]).exists():
            yield f"{name} names {named[0]}, which does not exist"


def every_placeholder_of_a_state_machine_is_filled(template: Template) -> Breaches:
    for name, properties in template.of_type("AWS::Serverless::StateMachine").items():
        text = (template.root / properties["DefinitionUri"]).read_text()
        used = set(re.findall(r"\$\{(\w+)\}", text))
        given = set(properties["DefinitionSubstitutions"])
        yield from (f"{name}: ${{{hole}}} is not filled" for hole in sorted(used - given))
        yield from (f"{name}: nothing uses {hole}" for hole in sorted(given - used))


def every_task_outlasts_its_function(template: Template) -> Breaches:
    for machine, definition in template.state_machines.items():
        for name, state in definition["States"].items():
            if state["Type"] != "Task":
                continue
            called = state["Arguments"]["FunctionName"].strip("${}")
            allowed, needed = state["TimeoutSeconds"], template.functions[called]["Timeout"]
            if isinstance(allowed, int) and allowed <= needed:
                yield f"{machine}/{name} ends after {allowed} s, {called} may take {needed} s"


def every_stage_sets_every_parameter(template: Template) -> Breaches:
    tables = tomllib.loads((template.root / "samconfig.toml").read_text())
    parameters = set(template.body["Parameters"])
    for stage, region in STAGES.items():
        table = tables.get(stage, {})
        common = table.get("global", {}).get("parameters", {})
        deploy = table.get("deploy", {}).get("parameters", {})
        if common.get("region") != region:
            yield f"samconfig.toml: {stage} is not in {region}"
        if not common.get("stack_name"):
            yield f"samconfig.toml: {stage} has no stack_name"
        for field in ("capabilities", "resolve_s3", "confirm_changeset", "parameter_overrides"):
            if field not in deploy:
                yield f"samconfig.toml: {stage} does not set {field}"
        for override in deploy.get("parameter_overrides", "").split():
            if override.split("=")[0] not in parameters:
                yield f"samconfig.toml: {stage} sets {override}, no such parameter"


RULES = (
    every_folder_is_a_function_and_back,
    every_handler_exists,
    every_function_is_built_for_one_runtime,
    every_function_is_traced_and_logs_to_its_own_group,
    every_function_finds_what_it_reads_in_its_environment,
    every_queue_waits_long_enough,
    every_batch_can_fail_in_part,
    every_schedule_can_be_read,
    every_queue_has_dead_letters_and_they_are_watched,
    every_alarm_names_its_runbook,
    every_placeholder_of_a_state_machine_is_filled,
    every_task_outlasts_its_function,
    every_stage_sets_every_parameter,
)
