"""Which resources hold what cannot be made again, and what would make CloudFormation replace them.

    python -m porewatch_local.stack_template.replacement        records what is new; what changed
    stays as it was

A resource is replaced when one of its create-only properties changes (by the resource schemas that
cfn-lint ships), when its type changes, and when its name in the template does. A create-only
property that refers to another resource changes when that one is replaced: so those are held, too.
`tests/contract/recorded/stateful.json` has them as they were first deployed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from porewatch_local.stack_template.gate import (
    ToolMissing,
    tools,
)
from porewatch_local.stack_template.template import Template

ROOT = Path(__file__).parents[4]
RECORD = ROOT / "tests/contract/recorded/stateful.json"
KEEPS = ("Retain", "Snapshot")
IN_FLIGHT = ("AWS::SQS::Queue", "AWS::Events::Archive")
"""Types that hold something though nobody keeps it at a replacement."""
Held = dict[str, dict[str, Any]]


def held(template: Template, known: Iterable[str] = ()) -> Held:
    """By logical id: type, condition, what becomes of it at a replacement, and the create-only
    properties; with the defaults of the parameters on which those hang. `known`: looked at as long
    as they are there, whatever the template's deletion policies are."""
    wanted = [name for name, own in template.resources.items() if _is_stateful(own)]
    wanted += [name for name in known if name in template.resources]
    found: Held = {}
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        own = template.resources[name]
        fixed = {path: _at(own.get("Properties", {}), path) for path in create_only(own["Type"])}
        fixed = {path: value for path, value in fixed.items() if value is not None}
        named = set(_references(fixed))
        parameters = template.body["Parameters"]
        found[name] = {
            "type": own["Type"],
            "condition": own.get("Condition"),
            "at_replacement": own.get("UpdateReplacePolicy"),
            "create_only": fixed,
            "defaults": {p: parameters[p].get("Default") for p in sorted(named & set(parameters))},
        }
        wanted += sorted(named & set(template.resources))
    return dict(sorted(found.items()))


def replaced(before: Held, now: Held) -> Iterator[str]:
    """What an upgrade from one to the other would replace, delete, or no longer keep."""
    for name, was in before.items():
        its = now.get(name)
        if its is None:
            yield f"{name} is gone, or has another name: it would be deleted"
            continue
        for what in ("type", "condition", "defaults"):
            if its[what] != was[what]:
                yield f"{name}: {what} was {was[what]}, is {its[what]}"
        for path in sorted({*was["create_only"], *its["create_only"]}):
            then, today = was["create_only"].get(path), its["create_only"].get(path)
            if then != today:
                yield f"{name}: {path} was {then}, is {today}; CloudFormation would replace it"
        if was["at_replacement"] in KEEPS and its["at_replacement"] not in KEEPS:
            yield f"{name} would not be kept if it were replaced"


@cache
def create_only(kind: str) -> tuple[str, ...]:
    """Paths below the properties of a type, a change of which replaces it, always or in some cases.
    Raises ToolMissing without the SAM environment."""
    folders = list((tools(ROOT) / "sam").glob("lib/*/site-packages/cfnlint/data/schemas"))
    if not folders:
        raise ToolMissing("cfn-lint is not there; `make setup` brings it.")
    names = json.loads((folders[0] / "providers/us-east-1.json").read_text())
    schema = json.loads((folders[0] / f"resources/{names[kind]}.json").read_text())
    listed = ("createOnlyProperties", "conditionalCreateOnlyProperties")
    paths = [path for one in listed for path in schema.get(one) or ()]
    return tuple(sorted(path.removeprefix("/properties/") for path in paths))


def _is_stateful(own: Mapping[str, Any]) -> bool:
    return own.get("UpdateReplacePolicy") in KEEPS or own["Type"] in IN_FLIGHT


def _at(value: Any, path: str) -> Any:
    """What lies at `A/B`, or at `A/*/B` of each of a list; None when nothing does."""
    first, _, rest = path.partition("/")
    if first == "*" and isinstance(value, list):
        found = [_at(one, rest) if rest else one for one in value]
        return found if any(one is not None for one in found) else None
    if not isinstance(value, dict) or first not in value:
        return None
    return _at(value[first], rest) if rest else value[first]


def _references(value: Any) -> Iterator[str]:
    """Names that `Ref`, `GetAtt` and `Sub` refer to."""
    match value:
        case [*items]:
            for item in items:
                yield from _references(item)
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            for part in text.split("${")[1:]:
                yield part.partition("}")[0].partition(".")[0]
        case {**pairs}:
            yield from _references(list(pairs.values()))


def recorded() -> Held:
    """As they were when each was first recorded."""
    found: Held = json.loads(RECORD.read_text())
    return found


def main() -> int:
    """Adds what is new to the record. Who means to replace something changes the record by hand,
    and describes in CHANGELOG.md how the data are moved."""
    now = held(Template.load(ROOT / "template.yaml"))
    known = recorded() if RECORD.exists() else {}
    RECORD.write_text(json.dumps({**now, **known}, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
