"""The template gate, and what the template says that no rule of it holds. Our own rules are seen
failing in `test_template_rules`."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from porewatch.adapters.ledger.idempotency import KEPT
from porewatch.settings import EMBEDDED_ACCOUNT
from porewatch_local.paths import ACCOUNT
from porewatch_local.stack_template import gate
from porewatch_local.stack_template.template import Template

REPOSITORY = Path(__file__).parents[2]
TEMPLATE = Template.load(REPOSITORY / "template.yaml")


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


def test_no_parameter_lets_webhooks_reach_this_machine() -> None:
    """They may on the embedded AWS, by its account number; AWS gives nobody that number."""
    for name in ("Webhooks", "WebhookSender"):
        variables = TEMPLATE.functions[name]["Environment"]["Variables"]
        assert variables["ACCOUNT_ID"] == {"Ref": "AWS::AccountId"}
        assert not [name for name in variables if "LOOPBACK" in name]
    assert EMBEDDED_ACCOUNT == ACCOUNT == "000000000000"
