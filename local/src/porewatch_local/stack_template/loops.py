"""`Fn::ForEach` written out, as the transform AWS::LanguageExtensions does before a deployment.

`expand` takes a template in its long form and returns one without loops, without that transform
and without maps that only loops look into.
A loop's identifier replaces what it replaces on AWS: `${Name}` in the keys of the loop's body and
in `Fn::Sub`, and `Ref: Name`; other text stays. What is constant then is written as its value:
`Fn::FindInMap` of constants, `Fn::Sub` without a variable, and names in `Ref` and `Fn::GetAtt`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

TRANSFORM = "AWS::LanguageExtensions"
LOOP = "Fn::ForEach::"
SECTIONS = ("Conditions", "Resources", "Outputs")
"""Where AWS allows loops."""

Bound = Mapping[str, str]


class LoopRefused(ValueError):
    """A loop that AWS would refuse; the message names it."""


def expand(template: dict[str, Any]) -> dict[str, Any]:
    """The template with its loops written out. Raises LoopRefused."""
    maps = template.get("Mappings", {})
    plain = {
        section: dict(_members(body, {}, maps)) if section in SECTIONS else body
        for section, body in template.items()
    }
    match template.get("Transform"):
        case [*transforms]:
            plain["Transform"] = [name for name in transforms if name != TRANSFORM]
    if "Fn::FindInMap" not in str([plain.get(section) for section in SECTIONS]):
        plain.pop("Mappings", None)  # of loops only
    return plain


def _members(body: dict[str, Any], bound: Bound, maps: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The members of a section or of a loop's body, in order. Raises LoopRefused for one that is
    there twice."""
    seen = set()
    for key, value in body.items():
        for name, member in _written_out(key, value, bound, maps):
            if name in seen:
                raise LoopRefused(f"{name} is there twice; the second is in {key}")
            seen.add(name)
            yield name, member


def _written_out(
    key: str, value: Any, bound: Bound, maps: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    if not key.startswith(LOOP):
        yield _text(key, bound), _value(value, bound, maps) if bound else value
        return
    match value:
        case [str(identifier), list(items), dict(body)]:
            pass
        case _:
            raise LoopRefused(f"{key} takes an identifier, a list and a body")
    for inner in body:
        if not inner.startswith(LOOP) and f"${{{identifier}}}" not in inner:
            raise LoopRefused(f"{key}: {inner} does not hold ${{{identifier}}}")
    for item in items:
        yield from _members(body, {**bound, identifier: item}, maps)


def _value(value: Any, bound: Bound, maps: dict[str, Any]) -> Any:
    match value:
        case {"Ref": str(name)} if name in bound:
            plain: Any = bound[name]
        case {"Fn::Sub": str(text)}:
            plain = _constant_text(_text(text, bound))
        case {"Fn::Sub": [str(text), dict(variables)]}:
            plain = _sub(text, _value(variables, bound, maps), bound)
        case {"Fn::FindInMap": [*path]}:
            plain = _find(maps, _value(path, bound, maps))
        case dict():
            plain = {key: _value(inner, bound, maps) for key, inner in value.items()}
        case list():
            plain = [_value(inner, bound, maps) for inner in value]
        case _:
            plain = value
    return plain


def _sub(text: str, variables: dict[str, Any], bound: Bound) -> Any:
    """With constant variables filled in; the others stay."""
    constant = {name: value for name, value in variables.items() if isinstance(value, str)}
    filled = _text(text, {**bound, **constant})
    others = {name: value for name, value in variables.items() if name not in constant}
    return {"Fn::Sub": [filled, others]} if others else _constant_text(filled)


def _constant_text(text: str) -> Any:
    return {"Fn::Sub": text} if "${" in text else text


def _text(text: str, bound: Bound) -> str:
    for name, item in bound.items():
        text = text.replace(f"${{{name}}}", item)
    return text


def _find(maps: dict[str, Any], path: list[Any]) -> Any:
    found: Any = maps
    for step in path:
        if not isinstance(step, str):
            return {"Fn::FindInMap": path}
        if step not in found:
            raise LoopRefused(f"Mappings has no {' '.join(map(str, path))}")
        found = found[step]
    return found
