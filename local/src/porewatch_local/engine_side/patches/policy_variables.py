"""Variables in policies, as `${aws:userid}`, are replaced by the request's values.

Why: a worker may write below a prefix and into a partition that end in its own `aws:userid`. The
engine compares the variable's name instead: such a statement never matched, neither to allow nor to
deny. As on AWS, a variable without a value makes its statement match nothing, and a value's `*` or
`?` is no wildcard (here: matches nothing).
Source: IAM User Guide, "IAM policy elements: Variables and tags".
Delete when: the engine fills variables in by itself.
"""

from __future__ import annotations

import re
from typing import Any

from ministack.core import iam_evaluator

from ..rewriting import rewrite

_VARIABLE = re.compile(r"\$\{([^},]+)(?:,\s*'([^']*)')?\}")
_NOTHING = "\0"
"""A pattern that no ARN and no value fits."""
_LITERAL = {"*": "*", "?": "?", "$": "$"}


def filled(pattern: str, context: Any) -> str:
    """The pattern with values in the place of variables; one that fits nothing without them."""
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        name, default = found[1], found[2]
        if name in _LITERAL:
            return name
        known = iam_evaluator._resolve_condition_key(name, context)
        known = default if known is None else known
        if not isinstance(known, str) or "*" in known or "?" in known:
            missing = True
            return ""
        return known

    text = _VARIABLE.sub(value, pattern)
    return _NOTHING if missing else text


def matches_resource(context: Any, resources: list[str], others: list[str]) -> bool:
    """As the engine's `_resource_matches`, with variables filled in."""
    here = [filled(one, context) for one in resources]
    there = [filled(one, context) for one in others]
    if _NOTHING in there:
        return False
    return bool(iam_evaluator._resource_matches(context.resource_arn, here, there))


def all_filled(values: list[Any], context: Any) -> list[str]:
    return [filled(str(one), context) for one in values]


def apply() -> None:
    rewrite(
        iam_evaluator,
        "_first_match",
        (
            "_resource_matches(ctx.resource_arn, stmt.resources, stmt.not_resources)",
            "_porewatch_matches_resource(ctx, stmt.resources, stmt.not_resources)",
        ),
        _porewatch_matches_resource=matches_resource,
    )
    rewrite(
        iam_evaluator,
        "_conditions_met",
        (
            "                expected = [str(expected)]\n",
            "                expected = [str(expected)]\n"
            "            expected = _porewatch_all_filled(expected, ctx)\n",
        ),
        _porewatch_all_filled=all_filled,
    )
