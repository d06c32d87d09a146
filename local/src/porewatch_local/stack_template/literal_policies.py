"""The template's policies as IAM gets them: references become names such as AWS would give."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from porewatch_local.stack_template.template import (
    Template,
    target,
)

FIXED = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "porewatch",
    "AmiId": "ami-0123456789abcdef0",
    "StripeSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:stripe-AbCdEf",
}
_HERE = "us-east-1:123456789012"
ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{_HERE}:table/{{name}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{_HERE}:{{name}}",
    "AWS::SNS::Topic": f"arn:aws:sns:{_HERE}:{{name}}",
    "AWS::KMS::Key": f"arn:aws:kms:{_HERE}:key/{{name}}",
    "AWS::Events::EventBus": f"arn:aws:events:{_HERE}:event-bus/{{name}}",
    "AWS::Events::Rule": f"arn:aws:events:{_HERE}:rule/{{name}}",
    "AWS::Serverless::Function": f"arn:aws:lambda:{_HERE}:function:{{name}}",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/{name}",
    "AWS::IAM::InstanceProfile": "arn:aws:iam::123456789012:instance-profile/{name}",
    "AWS::RDS::DBCluster": f"arn:aws:rds:{_HERE}:cluster:{{name}}",
    "AWS::SecretsManager::Secret": f"arn:aws:secretsmanager:{_HERE}:secret:{{name}}-abcdef",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{_HERE}:log-group:{{name}}:*",
}
"""What `GetAtt X.Arn` gives, by type of X."""
ATTACHED = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")


def policies(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """`resource/sid` and a policy of that one statement, of roles and of what they reach. Trust
    and key policies are left out: they name no resource."""
    named = list(template.statements())
    for kind in ATTACHED:
        for name, attached in template.of_type(kind).items():
            for statement in attached["PolicyDocument"]["Statement"]:
                named.append((f"{name}/{statement.get('Sid', '?')}", statement))
    for place, statement in named:
        yield place, {"Version": "2012-10-17", "Statement": [literal_policies(statement, template)]}


def of_roles(template: Template) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each role with the documents of all its policies."""
    managed = template.of_type("AWS::IAM::ManagedPolicy")
    for name, role in template.of_type("AWS::IAM::Role").items():
        shared = [managed[target(one)] for one in role.get("ManagedPolicyArns", [])]
        shared += [own for own in managed.values() if name in map(target, own.get("Roles", []))]
        theirs = [*role.get("Policies", []), *shared]
        yield name, [literal_policies(one["PolicyDocument"], template) for one in theirs]


def trusts(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each role with the document of who may assume it."""
    for name, role in template.of_type("AWS::IAM::Role").items():
        yield name, literal_policies(role["AssumeRolePolicyDocument"], template)


def attached(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Whole policies of buckets, queues and topics."""
    for kind in ATTACHED:
        for name, own in template.of_type(kind).items():
            yield name, literal_policies(own["PolicyDocument"], template)


def placed(value: Any, region: str, account: str) -> Any:
    """The value as it would be in that region and account."""
    match value:
        case [*items]:
            return [placed(item, region, account) for item in items]
        case {**pairs}:
            return {key: placed(one, region, account) for key, one in pairs.items()}
        case str(text):
            here, owner = FIXED["AWS::Region"], FIXED["AWS::AccountId"]
            return text.replace(here, region).replace(owner, account)
    return value


def literal_policies(value: Any, template: Template) -> Any:
    """The value with every reference filled in; of two branches, the one for AWS."""
    match value:
        case [*items]:
            return [literal_policies(item, template) for item in items]
        case {"Fn::If": [_, then, _]}:
            return literal_policies(then, template)
        case {"Ref": _} | {"Fn::GetAtt": _} | {"Fn::Sub": _}:
            return _reference(value, template)
        case {**pairs}:
            return {key: literal_policies(one, template) for key, one in pairs.items()}
    return value


def _reference(value: dict[str, Any], template: Template) -> str:
    match value:
        case {"Ref": str(name)}:
            topic = template.resources.get(name, {}).get("Type") == "AWS::SNS::Topic"
            return _arn(name, template) if topic else _named(name)
        case {"Fn::GetAtt": [name, "StreamArn"]}:
            return f"{_arn(name, template)}/stream/1"
        case {"Fn::GetAtt": [name, _]}:
            return _arn(name, template)
    text = str(value["Fn::Sub"])
    return re.sub(r"\$\{([^}]+)\}", lambda found: _filled(found[1], template), text)


def _filled(name: str, template: Template) -> str:
    if name.startswith("!"):
        return f"${{{name[1:]}}}"  # a variable of policies, not of CloudFormation
    resource, dot, _ = name.partition(".")
    return _arn(resource, template) if dot else _named(name)


def _named(name: str) -> str:
    return FIXED.get(name, name.lower())


def _arn(name: str, template: Template) -> str:
    return ARNS[template.resources[name]["Type"]].format(name=name.lower())
