"""What the dashboard draws exists under just these names: a picture of nothing looks healthy."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from porewatch.adapters.messages.metrics import NAMESPACE
from porewatch_local.stack_template.template import Template

TEMPLATE = Template.load(Path(__file__).parents[2] / "template.yaml")
BODY: str = TEMPLATE.resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
WIDGETS: list[dict[str, Any]] = json.loads(BODY)["widgets"]


def rows(metric: str) -> list[list[Any]]:
    """The rows of the widget whose first row is about `metric`."""
    for widget in WIDGETS:
        found: list[list[Any]] = widget["properties"]["metrics"]
        if metric in found[0]:
            return found
    raise AssertionError(f"no widget shows {metric}")


@pytest.mark.parametrize("metric", ["Errors", "Duration"])
def test_every_function_is_drawn_by_its_own_name(metric: str) -> None:
    first, *others = rows(metric)
    assert first[:3] == ["AWS/Lambda", metric, "FunctionName"]
    assert all(row[0] == "..." for row in others)
    drawn = {re.fullmatch(r"\$\{(\w+)\}", row[-1])[1] for row in (first, *others)}  # type: ignore[index]
    assert drawn == set(TEMPLATE.functions)


def test_every_queue_and_its_dead_letters_are_drawn() -> None:
    queues = set(TEMPLATE.of_type("AWS::SQS::Queue"))
    drawn = {name for name in queues if f"${{{name}.QueueName}}" in BODY}
    assert drawn == queues


def test_a_search_names_whole_values_because_half_a_name_finds_nothing() -> None:
    searches = re.findall(r"SEARCH\('(.*?)'", BODY)
    assert searches == [f'Namespace=\\"{NAMESPACE}\\" Stack=\\"${{AWS::StackName}}\\"']
