"""A request that tags as it creates needs `ec2:CreateTags`, too, on each kind that it tags.

Why: the engine checks CreateFleet and RunInstances alone, so a role that may launch but not
tag launches here and nowhere else. On AWS the tags are a permission of their own, with the creating
action in `ec2:CreateAction`.
Source: EC2 User Guide, "Grant permission to tag Amazon EC2 resources during creation".
Delete when: the engine checks it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ministack import app
from ministack.services import ec2

from ..rewriting import rewrite

CREATING = {"ec2:CreateFleet", "ec2:RunInstances"}
_KIND = re.compile(r"TagSpecifications?\.\d+\.ResourceType")


def checks(
    action: str, request: dict[str, Any], region: str, account: str
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """(action, resource, context) of each kind that a request tags, or its launch template."""
    if action not in CREATING:
        return
    kinds = {str(ec2._p(request, key)) for key in request if _KIND.fullmatch(key)}
    kinds |= {one.get("ResourceType", "") for one in _of_templates(request)}
    for kind in sorted(kinds - {""}):
        by = "CreateFleet" if kind == "fleet" else "RunInstances"
        arn = f"arn:aws:ec2:{region}:{account}:{kind}/*"
        yield "ec2:CreateTags", arn, {"ec2:CreateAction": by}


def _of_templates(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in request:
        prefix, dot, name = key.rpartition(".")
        if dot and name in ("LaunchTemplateId", "LaunchTemplateName"):
            spec = {name: ec2._p(request, key), "Version": ec2._p(request, f"{prefix}.Version")}
            yield from (ec2._resolve_launch_template_data(spec)[0] or {}).get(
                "TagSpecifications", []
            )


def apply() -> None:
    rewrite(
        app,
        "_dispatch_service_request",
        (
            '            if service == "ec2" and not denied:\n',
            '            if service == "ec2" and not denied:\n'
            "                for tag_action, tag_arn, tag_keys in _porewatch_tag_checks(\n"
            "                        iam_action, routing_params, region, get_account_id()):\n"
            "                    denied = enforce(\n"
            "                        access_key, tag_action, service, region,\n"
            "                        resource_arn=tag_arn, service_context=tag_keys,\n"
            "                    )\n"
            "                    if denied:\n"
            "                        iam_action, resource_arn = tag_action, tag_arn\n"
            "                        break\n"
            '            if service == "ec2" and not denied:\n',
        ),
        _porewatch_tag_checks=checks,
    )
