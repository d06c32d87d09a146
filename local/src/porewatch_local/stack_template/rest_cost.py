"""What a stack costs a month at rest, from the template: `python -m
porewatch_local.stack_template.rest_cost`.

Counted is what AWS bills by the hour or the month for being there, and what the stack does by
itself: its clocks, and the polling of its queues. Prices are those of the price snapshot
(`compute/prices.json`) for its home region; nothing is taken off for AWS's free tiers. Not counted:
what is stored (a cent or two a GB), and Aurora's computing while it is awake.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from porewatch.compute.price_table import (
    HOME_REGION,
    price_list,
)
from porewatch_local.stack_template.template import Template

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "README.md"
BEGIN, END = "<!-- cost at rest -->\n", "<!-- end of cost at rest -->\n"
HOURS = 730
POLLS_A_MINUTE = 5 * 60 / 20
"""Of one queue: five readers, each waits for 20 s."""
CALL_SECONDS, CALL_GIB = 0.5, 0.5
"""Of one tick of a clock that finds nothing to do."""
CEILING_OF_A_SMALL_LAB = 36.0
"""USD a month. It was 35 before files were screened as they land, which takes a queue more."""


def _overrides(environment: str) -> dict[str, str]:
    """The parameters that a table of samconfig.toml deploys with."""
    tables = tomllib.loads((ROOT / "samconfig.toml").read_text())
    overrides = str(tables[environment]["deploy"]["parameters"]["parameter_overrides"])
    return dict(pair.split("=", 1) for pair in overrides.split())


SETS: dict[str, dict[str, str]] = {
    "small laboratory (the defaults)": {},
    "core facility (registry never sleeps)": {"RegistryMinCapacity": "0.5"},
    "with AWS Batch": {"WorkerImage": "registry/worker@sha256:" + "0" * 64},
    "development (`dev` of samconfig)": _overrides("dev"),
}
"""Name -> parameters that are not the defaults."""
GIVEN = {"AmiId": "ami-1", "NotifyEmail": "lab@example.org"}


class Line(NamedTuple):
    """`what` a month costs in USD."""

    what: str
    usd: float


def bill(template: Template, **parameters: str) -> list[Line]:
    """What the stack of these parameters costs at rest."""
    defaults = {name: str(p.get("Default", "")) for name, p in template.body["Parameters"].items()}
    holds = _conditions(template, {**defaults, **GIVEN, **parameters})
    there = {
        name: own
        for name, own in template.resources.items()
        if "Condition" not in own or holds({"Condition": own["Condition"]})
    }

    def count(kind: str, each: Callable[[Mapping[str, Any]], float] = lambda _own: 1) -> float:
        return sum(each(own) for own in there.values() if own["Type"] == kind)

    prices = price_list(HOME_REGION)
    rest, services = prices.at_rest, prices.services
    tick = services.lambda_request_million / 1e6
    tick += CALL_SECONDS * CALL_GIB * services.lambda_gib_second
    poll = services.sqs_million / 1e6
    units = float(parameters.get("RegistryMinCapacity", "0"))
    queues = count("AWS::Serverless::Function", lambda own: _polled(own, holds))
    return [
        Line(
            "interface endpoints",
            count("AWS::EC2::VPCEndpoint", _zones) * rest.endpoint_hour * HOURS,
        ),
        Line("alarms", count("AWS::CloudWatch::Alarm") * rest.alarm_month),
        Line(
            "composite alarm", count("AWS::CloudWatch::CompositeAlarm") * rest.composite_alarm_month
        ),
        Line("dashboard", count("AWS::CloudWatch::Dashboard") * rest.dashboard_month),
        Line("keys", count("AWS::KMS::Key") * rest.key_month),
        Line("secret", count("AWS::SecretsManager::Secret") * rest.secret_month),
        Line("clocks", _ticks(there.values()) * tick),
        Line("reading empty queues", queues * POLLS_A_MINUTE * 60 * HOURS * poll),
        Line("Aurora", units * rest.aurora_unit_hour * HOURS),
    ]


def _conditions(template: Template, values: Mapping[str, str]) -> Callable[[Any], bool]:
    """Whether a condition holds with these parameters."""
    conditions = template.body["Conditions"]

    def holds(condition: Any) -> bool:
        match condition:
            case {"Condition": str(name)}:
                return holds(conditions[name])
            case {"Fn::Not": [one]}:
                return not holds(one)
            case {"Fn::And": list(all_)}:
                return all(holds(one) for one in all_)
            case {"Fn::Or": list(any_)}:
                return any(holds(one) for one in any_)
            case {"Fn::Equals": [one, other]}:
                return value(one) == value(other)
        raise ValueError(f"not a condition that is known here: {condition}")

    def value(operand: Any) -> str:
        return values[operand["Ref"]] if isinstance(operand, dict) else str(operand)

    return holds


def _zones(own: Mapping[str, Any]) -> int:
    """In how many zones an endpoint is billed; gateways are free."""
    properties = own["Properties"]
    return len(properties["SubnetIds"]) if properties["VpcEndpointType"] == "Interface" else 0


def _polled(own: Mapping[str, Any], holds: Callable[[Any], bool]) -> int:
    """How many queues a function reads."""
    events = own["Properties"].get("Events", {}).values()
    read = [event["Properties"] for event in events if event["Type"] == "SQS"]
    return sum(_enabled(one.get("Enabled", True), holds) for one in read)


def _enabled(value: Any, holds: Callable[[Any], bool]) -> bool:
    match value:
        case {"Fn::If": [name, then, other]}:
            return bool(then if holds({"Condition": name}) else other)
    return bool(value)


def _ticks(resources: Any) -> float:
    """Calls a month that clocks make."""
    rates = re.findall(r"rate\((\d+) (minute|hour)s?\)", str(list(resources)))
    return sum(HOURS * (60 if unit == "minute" else 1) / int(every) for every, unit in rates)


def table(template: Template) -> str:
    """USD a month by set of parameters, as README shows it."""
    bills = {name: bill(template, **parameters) for name, parameters in SETS.items()}
    first = next(iter(bills.values()))
    rows = ["| USD a month at rest | " + " | ".join(bills) + " |", "|---|" + "---:|" * len(bills)]
    for place, line in enumerate(first):
        sums = " | ".join(f"{lines[place].usd:.2f}" for lines in bills.values())
        rows.append(f"| {line.what} | {sums} |")
    total = " | ".join(f"**{sum(one.usd for one in lines):.0f}**" for lines in bills.values())
    return "\n".join([*rows, f"| **together** | {total} |"]) + "\n"


def page() -> str:
    """README with the table of today's template."""
    before, rest = PAGE.read_text().split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + table(Template.load(ROOT / "template.yaml")) + END + after


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.exit(0)
