"""Does an event match a pattern? EventBridge's rule for the few matchers our template uses.

A pattern lists, for each field, what it may be: a value, `{"wildcard": "runs/*/run.json"}`,
`{"anything-but": ["TierChanged", ...]}`, or
`{"anything-but": {"wildcard": ["quarantine/*", ...]}}`.
Other matchers of EventBridge are refused, so that nothing is taken for a match by mistake.
"""

from __future__ import annotations

import re
from typing import Any

Resolved = dict[str, Any]


def matches(pattern: dict[str, Any], event: Any, known: dict[str, str]) -> bool:
    """Whether `event` matches. `known` are the values behind `Ref`s of the pattern."""
    if not isinstance(event, dict):
        return False
    for field, wanted in pattern.items():
        if isinstance(wanted, dict) and "Fn::If" not in wanted:
            if not matches(wanted, event.get(field), known):
                return False
        elif not _any_fits(wanted, event.get(field), known):
            return False
    return True


def _any_fits(wanted: Any, found: Any, known: dict[str, str]) -> bool:
    """Of a list in the event, one element is enough."""
    values = found if isinstance(found, list) else [found]
    return any(_fits(one, value, known) for one in _choices(wanted) for value in values)


def _choices(wanted: Any) -> list[Any]:
    if isinstance(wanted, dict):  # Fn::If: [condition, then, else] - both are possible
        return [*wanted["Fn::If"][1], *wanted["Fn::If"][2]]
    return list(wanted)


def _fits(wanted: Any, value: Any, known: dict[str, str]) -> bool:
    match wanted:
        case {"Ref": str(name)}:
            return bool(value == known[name])
        case {"wildcard": str(text)}:
            return isinstance(value, str) and _like(text, value)
        case {"anything-but": {"wildcard": list(texts)}}:
            return isinstance(value, str) and not any(_like(text, value) for text in texts)
        case {"anything-but": list(others)} if all(isinstance(one, str) for one in others):
            return isinstance(value, str) and value not in others
        case str() | int() | bool():
            return bool(value == wanted)
    raise ValueError(f"{wanted!r} is a matcher this rule does not know")


def _like(text: str, value: str) -> bool:
    expression = ".*".join(re.escape(part) for part in text.split("*"))
    return re.fullmatch(expression, value) is not None
