"""The instance host may assume the roles that trust EC2 or ECS tasks, as those do on AWS.

Why: an instance role trusts `ec2.amazonaws.com`, a job's role `ecs-tasks.amazonaws.com`, and nobody
else. On AWS the service hands the role's credentials to the machine or the container; here the
instance host does it, through STS, with a user of its own. Only that user is treated as the
service, and only for trust policies.
Delete when: the engine serves role credentials per instance.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_evaluator

from ..rewriting import PatchRefused

HOST_USER = "porewatch-instance-host"
_SERVICES = {"ec2.amazonaws.com", "ecs-tasks.amazonaws.com"}


def _trusts_a_host(document: Any) -> bool:
    policy = json.loads(document) if isinstance(document, str) else document
    statements = policy.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        services = [services] if isinstance(services, str) else services
        if statement.get("Effect") == "Allow" and _SERVICES & set(services):
            return True
    return False


def apply() -> None:
    original = getattr(iam_evaluator, "evaluate_trust_policy", None)
    if original is None:
        raise PatchRefused("iam_evaluator.evaluate_trust_policy is gone")

    def evaluate(document: Any, caller: str, context: Any = None) -> bool:
        if caller.endswith(f":user/{HOST_USER}"):
            return _trusts_a_host(document)
        return bool(original(document, caller, context))

    iam_evaluator.evaluate_trust_policy = evaluate
