"""Least privilege, checked: single actions on single resources, and the exceptions with reasons."""

from __future__ import annotations

from collections.abc import Iterator

from porewatch_local.stack_template.template import (
    Template,
    as_list,
    target,
)

NO_RESOURCE = {
    "ec2:DescribeInstances": "AWS knows no resource for describing",
    "ec2:DescribeImages": "AWS knows no resource for describing",
    "ec2:DescribeVolumes": "AWS knows no resource for describing",
    "ec2:DescribeNetworkInterfaces": "AWS knows no resource for describing",
    "ec2:DescribeFleets": "AWS knows no resource for describing",
    "ec2:DescribeLaunchTemplateVersions": "AWS knows no resource for describing",
    "ec2:CreateFleet": "the fleet does not exist yet; RunInstances below it is narrow",
    "batch:ListJobs": "AWS knows no resource for listing jobs",
    "batch:DescribeJobs": "AWS knows no resource for describing jobs",
    "ecs:DiscoverPollEndpoint": "AWS has no resource type for this call",
    "ecr:GetAuthorizationToken": "the token is for all registries; the images are narrow",
    "states:SendTaskSuccess": "the token is the secret; AWS knows no resource for it",
    "states:SendTaskFailure": "the token is the secret; AWS knows no resource for it",
    "states:SendTaskHeartbeat": "the token is the secret; AWS knows no resource for it",
    "dynamodb:ListStreams": "AWS knows no resource for listing",
    "cloudwatch:PutMetricData": "metrics are no resources; the namespace is the condition",
    "xray:PutTraceSegments": "traces are no resources",
    "xray:PutTelemetryRecords": "traces are no resources",
    "xray:GetSamplingRules": "traces are no resources",
    "xray:GetSamplingTargets": "traces are no resources",
    "logs:CreateLogDelivery": "Step Functions' way to its log group; AWS asks for *",
    "logs:GetLogDelivery": "Step Functions' way to its log group; AWS asks for *",
    "logs:UpdateLogDelivery": "Step Functions' way to its log group; AWS asks for *",
    "logs:DeleteLogDelivery": "Step Functions' way to its log group; AWS asks for *",
    "logs:ListLogDeliveries": "Step Functions' way to its log group; AWS asks for *",
    "logs:PutResourcePolicy": "Step Functions' way to its log group; AWS asks for *",
    "logs:DescribeResourcePolicies": "Step Functions' way to its log group; AWS asks for *",
    "logs:DescribeLogGroups": "Step Functions' way to its log group; AWS asks for *",
}
"""Actions that may stand on `*`, and why; each must still carry a condition."""


def no_action_is_a_pattern(template: Template) -> Iterator[str]:
    for where, statement in template.statements():
        for action in as_list(statement.get("Action", "*")):
            if "*" in action or "?" in action:
                yield f"{where} allows {action}"


def no_resource_is_everything_without_a_reason(template: Template) -> Iterator[str]:
    for where, statement in template.statements():
        if "*" not in as_list(statement["Resource"]):
            continue
        if not statement.get("Condition"):
            yield f"{where} is on every resource without a condition"
        for action in as_list(statement["Action"]):
            if action not in NO_RESOURCE:
                yield f"{where} allows {action} on every resource"


def every_exception_is_still_needed(template: Template) -> Iterator[str]:
    used = {
        action
        for _, statement in template.statements()
        if "*" in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
    }
    for action in sorted(set(NO_RESOURCE) - used):
        yield f"{action} is an exception nobody uses"


def every_function_has_a_role_of_its_own(template: Template) -> Iterator[str]:
    for name, function in template.functions.items():
        if target(function.get("Role")) != f"{name}Role":
            yield f"{name} does not have a role of its own"
        if "Policies" in function:
            yield f"{name} has policies beside its role"


def no_role_takes_a_policy_from_elsewhere(template: Template) -> Iterator[str]:
    """AWS's ready-made policies are wide: a role may only use those of this template."""
    ours = template.of_type("AWS::IAM::ManagedPolicy")
    for name, role in template.of_type("AWS::IAM::Role").items():
        for policy in role.get("ManagedPolicyArns", []):
            if target(policy) not in ours:
                yield f"{name} takes {policy}"


RULES = (
    no_action_is_a_pattern,
    no_resource_is_everything_without_a_reason,
    every_exception_is_still_needed,
    every_function_has_a_role_of_its_own,
    no_role_takes_a_policy_from_elsewhere,
)
