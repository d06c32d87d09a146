"""CloudFormation makes compute environments, queues and job definitions of AWS Batch.

Why: the engine has the API of Batch and refuses templates that name its types. Without them the
template would differ here from what is deployed on AWS.
Delete when: the engine's CloudFormation knows the three types.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.services import batch
from ministack.services.cloudformation import provisioners

from ..rewriting import PatchRefused

_AS_WRITTEN = ("Tags", "Options", "Parameters")
"""Properties whose keys are data, not names of the API."""

Made = tuple[str, dict[str, Any]]


def as_request(props: Any) -> Any:
    """A property as the API names it: the same name, the first letter small."""
    if isinstance(props, list):
        return [as_request(one) for one in props]
    if not isinstance(props, dict):
        return props
    return {
        name[0].lower() + name[1:]: value if name in _AS_WRITTEN else as_request(value)
        for name, value in props.items()
    }


def _answered(answer: Any, what: str) -> dict[str, Any]:
    status, _, body = answer
    content: dict[str, Any] = json.loads(body)
    if status != 200:
        raise ValueError(f"{what}: {content.get('message')}")
    return content


def maker(create: Callable[[Any], Any], name_field: str, arn_field: str) -> Any:
    """A resource's `create`: named after stack and resource unless it has a name."""

    def make(logical_id: str, props: dict[str, Any], stack_name: str) -> Made:
        named = {name_field: provisioners._physical_name(stack_name, logical_id)}
        answer = _answered(create({**named, **as_request(props)}), logical_id)
        attribute = arn_field[0].upper() + arn_field[1:]
        return answer[arn_field], {attribute: answer[arn_field]}

    return make


def _name(physical_id: str) -> str:
    return physical_id.rsplit("/", 1)[-1].split(":", 1)[0]


def update_environment(arn: str, old: Any, new: Any, stack: str) -> Made:
    request = {**as_request(new), "computeEnvironment": arn}
    _answered(batch._update_compute_environment(request), arn)
    return arn, {"ComputeEnvironmentArn": arn}


def update_queue(arn: str, old: Any, new: Any, stack: str) -> Made:
    request = as_request(new)
    kept = ("state", "priority", "computeEnvironmentOrder", "tags")
    batch._job_queues[_name(arn)].update({k: request[k] for k in kept if k in request})
    return arn, {"JobQueueArn": arn}


def update_definition(arn: str, old: Any, new: Any, stack: str) -> Made:
    """A changed definition is its next revision; the one before is not active any more."""
    forget_definition(arn, old)
    request = {"jobDefinitionName": _name(arn), **as_request(new)}
    answer = _answered(batch._register_job_definition(request), arn)
    return answer["jobDefinitionArn"], {"JobDefinitionArn": answer["jobDefinitionArn"]}


def forget_definition(arn: str, props: Any) -> None:
    for made in batch._job_definitions.get(_name(arn), []):
        if made["jobDefinitionArn"] == arn:
            made["status"] = "INACTIVE"


def _forgetter(store: Any) -> Callable[[str, Any], None]:
    return lambda arn, props: store.pop(_name(arn), None)


def apply() -> None:
    types = {
        "AWS::Batch::ComputeEnvironment": {
            "create": maker(
                batch._create_compute_environment,
                "computeEnvironmentName",
                "computeEnvironmentArn",
            ),
            "update": update_environment,
            "delete": _forgetter(batch._compute_envs),
        },
        "AWS::Batch::JobQueue": {
            "create": maker(batch._create_job_queue, "jobQueueName", "jobQueueArn"),
            "update": update_queue,
            "delete": _forgetter(batch._job_queues),
        },
        "AWS::Batch::JobDefinition": {
            "create": maker(
                batch._register_job_definition, "jobDefinitionName", "jobDefinitionArn"
            ),
            "update": update_definition,
            "delete": forget_definition,
        },
    }
    known = sorted(set(types) & set(provisioners._RESOURCE_HANDLERS))
    if known:
        raise PatchRefused(f"the engine's CloudFormation knows {', '.join(known)} by now")
    provisioners._RESOURCE_HANDLERS.update(types)
