"""Loops of the template, written out as AWS's own linter does it; refused where AWS refuses."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from porewatch_local.stack_template import gate
from porewatch_local.stack_template.loops import LoopRefused, expand
from porewatch_local.stack_template.template import Template

REPOSITORY = Path(__file__).parents[2]
BY_CFN_LINT = """
import json, sys
from cfnlint.decode import decode
from cfnlint.template import Template
from cfnlint.template.transforms._language_extensions import language_extension

body, _ = decode(sys.argv[1])
wrong, plain = language_extension(Template(sys.argv[1], body, ["us-east-1"]))
assert not wrong, wrong
print(json.dumps(plain, default=str))
"""
MAPS = {"Size": {"A": {"Small": 1}, "B": {"Small": 2}}}


def looped(body: Any, over: Any = ("A", "B")) -> dict[str, Any]:
    return {"Mappings": MAPS, "Resources": {"Fn::ForEach::Some": ["Name", list(over), body]}}


def constant_variables(value: Any) -> Any:
    """cfn-lint leaves constants among the variables of `Fn::Sub`; they are filled in here."""
    match value:
        case {"Fn::Sub": [str(text), dict(variables)]} if variables:
            for name, constant in variables.items():
                text = text.replace(f"${{{name}}}", constant)
            return {"Fn::Sub": text}
        case dict():
            return {key: constant_variables(inner) for key, inner in value.items()}
        case list():
            return [constant_variables(inner) for inner in value]
    return value


def test_the_template_written_out_is_what_cfn_lint_makes_of_it() -> None:
    python = gate.tools(REPOSITORY) / "sam/bin/python"
    done = subprocess.run(
        [str(python), "-c", BY_CFN_LINT, str(REPOSITORY / "template.yaml")],
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = constant_variables(json.loads(done.stdout))

    ours = json.loads(json.dumps(Template.load(REPOSITORY / "template.yaml").body))

    assert set(ours["Resources"]) == set(theirs["Resources"])
    assert ours["Resources"] == theirs["Resources"]
    assert ours["Outputs"] == theirs["Outputs"]


def test_the_name_replaces_keys_references_and_substitutions_and_no_other_text() -> None:
    plain = expand(
        looped(
            {
                "${Name}Queue": {
                    "Ours": {"Ref": {"Fn::Sub": "${Name}Key"}},
                    "Address": {"Fn::GetAtt": [{"Fn::Sub": "${Name}Dead"}, "Arn"]},
                    "Own": {"Ref": "Name"},
                    "Size": {"Fn::FindInMap": ["Size", {"Ref": "Name"}, "Small"]},
                    "Long": {"Fn::Sub": ["${AWS::StackName}-${Part}", {"Part": {"Ref": "Name"}}]},
                    "Later": {"Fn::Sub": ["${Name}${Part}", {"Part": {"Ref": "Topic"}}]},
                    "Text": "${Name} stays",
                }
            }
        )
    )

    assert plain["Resources"] == {
        f"{name}Queue": {
            "Ours": {"Ref": f"{name}Key"},
            "Address": {"Fn::GetAtt": [f"{name}Dead", "Arn"]},
            "Own": name,
            "Size": size,
            "Long": {"Fn::Sub": f"${{AWS::StackName}}-{name}"},
            "Later": {"Fn::Sub": [f"{name}${{Part}}", {"Part": {"Ref": "Topic"}}]},
            "Text": "${Name} stays",
        }
        for name, size in (("A", 1), ("B", 2))
    }
    assert "Mappings" not in plain


def test_a_loop_in_a_loop_and_several_members_of_one_loop() -> None:
    inner = {"Fn::ForEach::Parts": ["Part", ["X", "Y"], {"${Name}${Part}": {"P": {"Ref": "Part"}}}]}
    plain = expand(looped({"${Name}": {}, **inner}))

    assert list(plain["Resources"]) == ["A", "AX", "AY", "B", "BX", "BY"]
    assert plain["Resources"]["BX"] == {"P": "X"}


@pytest.mark.parametrize(
    ("template", "why"),
    [
        (looped({"Queue": {}}), "Queue does not hold"),
        (looped({"${Name}": {}}, over=("A", "A")), "A is there twice"),
        (
            looped({"${Name}": {"S": {"Fn::FindInMap": ["Size", {"Ref": "Name"}, "Large"]}}}),
            "Mappings has no Size A Large",
        ),
        ({"Resources": {"Fn::ForEach::Some": ["Name", ["A"]]}}, "takes an identifier"),
        ({"Resources": {"A": {}, **looped({"${Name}": {}})["Resources"]}}, "A is there twice"),
    ],
)
def test_a_loop_that_aws_would_refuse_is_refused(template: dict[str, Any], why: str) -> None:
    with pytest.raises(LoopRefused, match=why):
        expand(template)


def test_a_consumer_of_facts_takes_few_lines_of_its_own() -> None:
    """The smallest one: what stands in template.yaml for it alone. Beside that, its name is in five
    lists (three loops of queues, one of log groups, the dashboard)."""
    own, inside = 0, False
    for line in (REPOSITORY / "template.yaml").read_text().splitlines():
        inside = line.startswith("  Metric") or (inside and line.startswith("    "))
        own += inside or line.startswith("    Metric")  # or a row of Mappings

    assert 35 < own <= 45
