"""IAM's own answer on the template's policies, and on the credentials that are to deploy it.

Access Analyzer reads each policy as it would in the console. The simulator decides on a request for
each statement that hangs on a condition: one whose key the action does not have is never met. And
it lists the resources that the caller may not make.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from porewatch_cli.operate.doctor_checks import Check, CheckVerdict
from porewatch_local.stack_template.literal_policies import (
    attached,
    of_roles,
    placed,
    trusts,
)
from porewatch_local.stack_template.template import (
    Template,
    as_list,
)

Client = Callable[[str], Any]
Request = dict[str, Any]

ROLES, TRUSTS, BUCKETS = "IDENTITY_POLICY", "AWS::IAM::AssumeRolePolicyDocument", "AWS::S3::Bucket"
PASSED_OVER = {"aws:RequestedRegion"}
"""Keys that every request has: a statement with these alone needs no simulation."""
USER = "AROAEXAMPLE:i-1"
"""`aws:userid` of a worker."""
TAG, TAGS = "tag", re.compile(r"\$\{(aws:PrincipalTag/[^}]+)\}")
"""The value of each tag of its session; the variables of policies that are tags."""

MAKING = {
    "AWS::ApiGateway::Account": "apigateway:PATCH",
    "AWS::ApiGateway::ApiKey": "apigateway:POST",
    "AWS::ApiGateway::UsagePlan": "apigateway:POST",
    "AWS::ApiGateway::UsagePlanKey": "apigateway:POST",
    "AWS::Batch::ComputeEnvironment": "batch:CreateComputeEnvironment",
    "AWS::Batch::JobDefinition": "batch:RegisterJobDefinition",
    "AWS::Batch::JobQueue": "batch:CreateJobQueue",
    "AWS::Budgets::Budget": "budgets:ModifyBudget",
    "AWS::CloudWatch::Alarm": "cloudwatch:PutMetricAlarm",
    "AWS::CloudWatch::CompositeAlarm": "cloudwatch:PutCompositeAlarm",
    "AWS::CloudWatch::Dashboard": "cloudwatch:PutDashboard",
    "AWS::DynamoDB::Table": "dynamodb:CreateTable",
    "AWS::EC2::LaunchTemplate": "ec2:CreateLaunchTemplate",
    "AWS::EC2::RouteTable": "ec2:CreateRouteTable",
    "AWS::EC2::SecurityGroup": "ec2:CreateSecurityGroup",
    "AWS::EC2::Subnet": "ec2:CreateSubnet",
    "AWS::EC2::SubnetRouteTableAssociation": "ec2:AssociateRouteTable",
    "AWS::EC2::VPC": "ec2:CreateVpc",
    "AWS::EC2::VPCEndpoint": "ec2:CreateVpcEndpoint",
    "AWS::Events::Archive": "events:CreateArchive",
    "AWS::Events::EventBus": "events:CreateEventBus",
    "AWS::Events::Rule": "events:PutRule",
    "AWS::IAM::InstanceProfile": "iam:CreateInstanceProfile",
    "AWS::IAM::ManagedPolicy": "iam:CreatePolicy",
    "AWS::IAM::Role": "iam:CreateRole",
    "AWS::KMS::Key": "kms:CreateKey",
    "AWS::Logs::LogGroup": "logs:CreateLogGroup",
    "AWS::RDS::DBCluster": "rds:CreateDBCluster",
    "AWS::RDS::DBInstance": "rds:CreateDBInstance",
    "AWS::RDS::DBSubnetGroup": "rds:CreateDBSubnetGroup",
    "AWS::S3::Bucket": "s3:CreateBucket",
    "AWS::S3::BucketPolicy": "s3:PutBucketPolicy",
    "AWS::SES::ConfigurationSet": "ses:CreateConfigurationSet",
    "AWS::SES::ConfigurationSetEventDestination": "ses:CreateConfigurationSetEventDestination",
    "AWS::SNS::Subscription": "sns:Subscribe",
    "AWS::SNS::Topic": "sns:CreateTopic",
    "AWS::SNS::TopicPolicy": "sns:SetTopicAttributes",
    "AWS::SQS::Queue": "sqs:CreateQueue",
    "AWS::SQS::QueuePolicy": "sqs:SetQueueAttributes",
    "AWS::Scheduler::ScheduleGroup": "scheduler:CreateScheduleGroup",
    "AWS::SecretsManager::Secret": "secretsmanager:CreateSecret",
    "AWS::Serverless::Api": "apigateway:POST",
    "AWS::Serverless::Function": "lambda:CreateFunction",
    "AWS::Serverless::LayerVersion": "lambda:PublishLayerVersion",
    "AWS::Serverless::StateMachine": "states:CreateStateMachine",
    "AWS::XRay::Group": "xray:CreateGroup",
}
"""Type of resource -> the action that makes one."""
BESIDES = (
    "cloudformation:CreateChangeSet",
    "cloudformation:ExecuteChangeSet",
    "iam:AttachRolePolicy",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "lambda:CreateEventSourceMapping",
)
"""What a deploy needs besides."""


def validated(client: Client, template: Template) -> Iterator[Check]:
    """Access Analyzer's errors and security warnings, one check each; one check for all others."""
    read = 0
    here = _here(client)
    for name, kind, document in documents(template):
        read += 1
        request = {"policyDocument": json.dumps(placed(document, *here)), "policyType": ROLES}
        if kind != ROLES:
            request |= {"policyType": "RESOURCE_POLICY"}
            request |= {"validatePolicyResourceType": kind} if kind else {}
        pages = client("accessanalyzer").get_paginator("validate_policy").paginate(**request)
        for finding in (one for page in pages for one in page["findings"]):
            verdict = JUDGED.get(finding["findingType"])
            if verdict is not None:
                answer = f"{finding['issueCode']}: {finding['findingDetails']}"
                remedy = f"report it; {finding['learnMoreLink']}"
                yield Check(what=f"policy of {name}", verdict=verdict, told=answer, remedy=remedy)
    yield Check(
        what="policies", verdict=CheckVerdict.OK, told=f"{read} were read by Access Analyzer"
    )


JUDGED = {"ERROR": CheckVerdict.FAIL, "SECURITY_WARNING": CheckVerdict.WARN}


def _here(client: Client) -> tuple[str, str]:
    """Region and account of the caller."""
    sts = client("sts")
    return sts.meta.region_name, sts.get_caller_identity()["Account"]


def documents(template: Template) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Whose it is, what kind of policy, and the document."""
    for role, theirs in of_roles(template):
        yield from ((role, ROLES, document) for document in theirs)
    for role, document in trusts(template):
        yield f"{role} (trust)", TRUSTS, document
    for name, document in attached(template):
        of_bucket = template.resources[name]["Type"] == "AWS::S3::BucketPolicy"
        yield name, BUCKETS if of_bucket else "", document


def simulated(client: Client, template: Template) -> Iterator[Check]:
    """IAM's decision on what each conditioned statement of a role is there to allow."""
    here, requests = _here(client), 0
    for role, theirs in of_roles(template):
        placed_here = placed(theirs, *here)
        policies = [json.dumps(document) for document in placed_here]
        for statement in conditioned(placed_here):
            requests += 1
            pages = client("iam").get_paginator("simulate_custom_policy")
            answer = pages.paginate(PolicyInputList=policies, **request_for(statement))
            refused = [
                f"{one['EvalActionName']} on {one['EvalResourceName']}"
                for page in answer
                for one in page["EvaluationResults"]
                if one["EvalDecision"] != "allowed"
            ]
            if refused:
                yield Check(
                    what=f"right {role}/{statement['Sid']}",
                    verdict=CheckVerdict.FAIL,
                    told=f"IAM refuses {', '.join(refused)}",
                    remedy="report it: the function would be refused just so.",
                )
    yield Check(
        what="rights",
        verdict=CheckVerdict.OK,
        told=f"{requests} requests of functions and machines were decided",
    )


def conditioned(documents: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The statements that allow something on a condition which not every request meets."""
    for document in documents:
        for statement in document["Statement"]:
            keys = {key for pairs in statement.get("Condition", {}).values() for key in pairs}
            if statement["Effect"] == "Allow" and keys - PASSED_OVER:
                yield statement


def request_for(statement: dict[str, Any]) -> Request:
    """A request that the statement is meant to allow: its actions on one resource for each pattern,
    with one value for each key of its condition."""
    text = json.dumps([statement["Resource"], statement.get("Condition")])
    entries = {"aws:userid": ("string", [USER])}
    entries |= {found[1]: ("string", [TAG]) for found in TAGS.finditer(text)}
    for operator, pairs in statement.get("Condition", {}).items():
        for key, values in pairs.items():
            if operator != "Null":
                kind = "stringList" if operator.startswith("ForA") else "string"
                entries[key] = (kind, [_sample(value) for value in as_list(values)])
    return {
        "ActionNames": as_list(statement["Action"]),
        "ResourceArns": [_sample(one) for one in as_list(statement["Resource"])],
        "ContextEntries": [
            {
                "ContextKeyName": key,
                "ContextKeyType": kind,
                "ContextKeyValues": values if kind == "stringList" else values[:1],
            }
            for key, (kind, values) in entries.items()
        ],
    }


def filled(text: str) -> str:
    """A policy's text with this caller's values in the place of its variables."""
    return TAGS.sub(TAG, text.replace("${aws:userid}", USER))


def _sample(pattern: str) -> str:
    """Something that the pattern fits; `*` alone means no resource, as IAM writes it."""
    named = filled(str(pattern))
    return named if named == "*" else named.replace("*", "x").replace("?", "x")


def caller_may_deploy(client: Client, template: Template) -> Iterator[Check]:
    """Whether the caller may make each kind of resource, by their own policies and bounds."""
    who = client("sts").get_caller_identity()["Arn"]
    principal = _principal(client, who)
    if principal is None:
        answer = "you are the account's root, whom no policy binds"
        remedy = "deploy as a user or a role."
        yield Check(what="may you deploy", verdict=CheckVerdict.WARN, told=answer, remedy=remedy)
        return
    kinds = {resource["Type"] for resource in template.resources.values()}
    actions = sorted({MAKING[kind] for kind in kinds} | set(BESIDES))
    pages = client("iam").get_paginator("simulate_principal_policy")
    denied = [
        one["EvalActionName"]
        for page in pages.paginate(PolicySourceArn=principal, ActionNames=actions)
        for one in page["EvaluationResults"]
        if one["EvalDecision"] != "allowed"
    ]
    yield Check(
        what="may you deploy",
        verdict=CheckVerdict.WARN if denied else CheckVerdict.OK,
        told=f"{principal} may do {len(actions) - len(denied)} of {len(actions)} things on *",
        remedy=f"ask for {', '.join(denied)}, unless it is narrowed to what you make."
        if denied
        else "",
    )


def _principal(client: Client, who: str) -> str | None:
    """The user or role behind a caller's address, as the simulator wants it; None for root."""
    if who.endswith(":root"):
        return None
    session = re.fullmatch(r"arn:[\w-]+:sts::\d+:assumed-role/([^/]+)/.+", who)
    if session is None:
        return who
    return str(client("iam").get_role(RoleName=session[1])["Role"]["Arn"])
