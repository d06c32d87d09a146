"""What outside judges find is corrected, or stays with a reason; and each of them can find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_template import TEMPLATE, changed
from tests.judges import judges
from tests.judges.judges import Accepted, Finding, accepted, unexpected

JUDGES = ("checkov", "parliament", "policy_sentry", "bandit", "zizmor")
SOME = {"Fn::Sub": "${ReportsBucket.Arn}/runs/*"}
SPOT = {
    "Fn::Sub": "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:spot-instances-request/*"
}
MACHINE_OF_OURS = {"ArnLike": {"ec2:LaunchTemplate": "arn:aws:ec2:*:*:launch-template/lt-1"}}


def rules(found: Iterator[Finding]) -> set[str]:
    return {one.rule for one in found}


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("parliament", lambda: judges.parliament(TEMPLATE)),
        ("policy_sentry", lambda: judges.policy_sentry(TEMPLATE)),
        ("zizmor", judges.zizmor),
        # Half a minute of parsing.
        pytest.param(
            "bandit", lambda: judges.bandit(judges.PRODUCT), marks=pytest.mark.slow, id="bandit"
        ),
    ],
)
def test_a_judge_finds_what_was_accepted_and_nothing_else(
    name: str, ask: Callable[[], Iterator[Finding]]
) -> None:
    assert unexpected(ask(), accepted(name)) == []


def test_parliament_sees_an_action_that_there_is_not() -> None:
    path = "Resources/ApiRole/Properties/Policies/0/PolicyDocument/Statement/1/Action"
    found = judges.parliament(changed(path, ["dynamodb:GetItems"]))
    assert ("UNKNOWN_ACTION", "ApiRole/ReadRuns") in {(one.rule, one.place) for one in found}


@pytest.mark.parametrize(
    ("role", "sid", "part", "value", "rule"),
    [
        ("ApiRole", "ReadRuns", "Action", ["dynamodb:GetItems"], "UNKNOWN_ACTION"),
        ("ApiRole", "TellMissingFromForbidden", "Resource", SOME, "RESOURCE_OF_ANOTHER_TYPE"),
        ("ApiRole", "ReadRuns", "Condition", MACHINE_OF_OURS, "UNKNOWN_CONDITION_KEY"),
        (
            "InstanceLauncherRole",
            "RunOurTemplateOnly",
            "Resource",
            SPOT,
            "RESOURCE_OF_ANOTHER_TYPE",
        ),
    ],
)
def test_policy_sentry_sees_a_statement_that_never_matches(
    role: str, sid: str, part: str, value: Any, rule: str
) -> None:
    """The last one is R2 of the rehearsal: a right to run machines is none on spot requests."""
    path = f"Resources/{role}/Properties/Policies/0/PolicyDocument/Statement"
    (own,) = TEMPLATE.resources[role]["Properties"]["Policies"]
    statements = own["PolicyDocument"]["Statement"]
    (at,) = (n for n, one in enumerate(statements) if one["Sid"] == sid)
    found = judges.policy_sentry(changed(f"{path}/{at}/{part}", value))
    assert (rule, f"{role}/{sid}") in {(one.rule, one.place) for one in found}


def test_bandit_sees_a_shell_and_names_its_function(tmp_path: Path) -> None:
    code = "import os\n\n\nclass A:\n    def run(self, name):\n        os.system(name)\n"
    (tmp_path / "planted.py").write_text(code + "        os.system(name)\n")
    found = [one.place for one in judges.bandit(["."], tmp_path) if one.rule == "B605"]
    assert found == ["planted.py::A.run", "planted.py::A.run (2)"]


def test_zizmor_sees_a_title_that_becomes_a_command(tmp_path: Path) -> None:
    (tmp_path / "planted.yml").write_text(
        "on: pull_request_target\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - run: echo ${{ github.event.pull_request.title }}\n"
    )
    assert {"template-injection", "dangerous-triggers"} <= rules(judges.zizmor(tmp_path))


@pytest.mark.slow
def test_checkov_finds_what_was_accepted_and_an_open_bucket_that_is_planted() -> None:
    """One call for both: it takes half a minute before it looks at anything."""
    planted = Path(__file__).parent / "planted.yaml"
    files = [*judges.STACKS, *judges.DOCKERFILES, planted.relative_to(judges.REPOSITORY).as_posix()]
    found = list(judges.checkov(files))
    open_bucket = [one for one in found if one.place.startswith(files[-1])]
    assert "CKV_AWS_20" in rules(iter(open_bucket))
    assert unexpected([one for one in found if one not in open_bucket], accepted("checkov")) == []


KNOWN = [Accepted("R1", ("a.py::*", "b.py::f"), "because")]


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        ([("R1", "a.py::g"), ("R1", "b.py::f")], []),
        ([("R1", "b.py::f")], ["no more: R1 a.py::*"]),
        (
            [("R1", "a.py::g"), ("R1", "b.py::f"), ("R2", "b.py::f")],
            ["new: R2 b.py::f: said"],
        ),
        ([("R1", "c.py::f"), ("R1", "a.py::"), ("R1", "b.py::f")], ["new: R1 c.py::f: said"]),
    ],
)
def test_a_new_finding_and_one_that_is_gone_are_both_wrong(
    found: list[tuple[str, str]], wrong: list[str]
) -> None:
    assert unexpected([Finding(*one, "said") for one in found], KNOWN) == wrong


@pytest.mark.parametrize("name", JUDGES)
def test_every_finding_that_stays_has_a_reason_and_is_told_once(name: str) -> None:
    entries = accepted(name)
    assert all(len(one.why.split()) >= 4 and one.places for one in entries)
    told = [(one.rule, place) for one in entries for place in one.places]
    assert len(told) == len(set(told))
