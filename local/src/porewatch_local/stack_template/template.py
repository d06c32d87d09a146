"""The template as plain data: CloudFormation's short tags (`!Ref`, …) in their long form, its loops
written out.

`Template.load`, then what rules and tests ask of it: resources by type, functions with their
folders, policies by role.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from porewatch_local.stack_template.loops import expand

Properties = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """Knows the tags; a key that is there twice is refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            line = node.start_mark.line + 1
            raise ValueError(f"{', '.join(sorted(twice))} is there twice, line {line}")
        return super().construct_mapping(node, deep=deep)


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    return {name: value}


_Loader.add_multi_constructor("!", _tagged)


def folder_of(logical_id: str) -> str:
    """`FastqValidator` -> `fastq_validator`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", logical_id).lower()


@dataclass(frozen=True)
class Template:
    """A SAM template and the folder it describes."""

    root: Path
    body: dict[str, Any]

    @staticmethod
    def load(path: Path) -> Template:
        return Template(path.parent, expand(yaml.load(path.read_text(), Loader=_Loader)))  # noqa: S506

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.body["Resources"]
        return found

    def of_type(self, kind: str) -> dict[str, Properties]:
        """Properties of all resources of a type, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    @property
    def functions(self) -> dict[str, Properties]:
        """Functions with what Globals gives them: maps merge, layers add up."""
        common = self.body["Globals"]["Function"]
        return {
            name: {
                **common,
                **own,
                "LoggingConfig": {**common["LoggingConfig"], **own.get("LoggingConfig", {})},
                "Environment": {"Variables": _variables(common) | _variables(own)},
                "Layers": [*common.get("Layers", []), *own.get("Layers", [])],
            }
            for name, own in self.of_type("AWS::Serverless::Function").items()
        }

    @property
    def state_machines(self) -> dict[str, dict[str, Any]]:
        """Definitions of state machines, by logical id."""
        return {
            name: json.loads((self.root / own["DefinitionUri"]).read_text())
            for name, own in self.of_type("AWS::Serverless::StateMachine").items()
        }

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every statement of what roles may do, with `role/sid`."""
        for name, role in self.of_type("AWS::IAM::Role").items():
            for policy in role.get("Policies", []):
                yield from _statements(name, policy["PolicyDocument"])
        for name, policy in self.of_type("AWS::IAM::ManagedPolicy").items():
            yield from _statements(name, policy["PolicyDocument"])


def _variables(function: Properties) -> dict[str, Any]:
    found: dict[str, Any] = function.get("Environment", {}).get("Variables", {})
    return found


def _statements(where: str, document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for statement in document["Statement"]:
        yield f"{where}/{statement.get('Sid', '?')}", statement


def as_list(value: Any) -> list[Any]:
    """IAM writes one thing as itself and several as a list."""
    return value if isinstance(value, list) else [value]


def target(value: Any) -> str:
    """The logical id behind `Ref` or `GetAtt`; '' for anything else."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return name
    return ""
