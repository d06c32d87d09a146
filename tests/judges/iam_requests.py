"""What IAM is asked on AWS at each recorded call: actions, resources and context, in full.

Order: `Request`, `requests_of` a role's recorded calls, what one call asks, what it asks beside
itself. A call that AWS documents to need several rights (a fleet runs instances, tags them and
passes a role) is asked for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from porewatch_local.stack_template.literal_policies import (
    ARNS,
    FIXED,
    literal_policies,
    of_roles,
)
from porewatch_local.stack_template.template import (
    Template,
    folder_of,
    target,
)
from tests.calls import COMMAND, SOMEBODY, Calls
from tests.rights import TABLES

REGION, ACCOUNT, STACK = (FIXED[f"AWS::{name}"] for name in ("Region", "AccountId", "StackName"))
HERE = f"{REGION}:{ACCOUNT}"
USER_ID = "AROAWORKER:i-0123456789abcdef0"
OURS = {"aws:ResourceTag/porewatch-stack": STACK}
TAGS = {
    "aws:PrincipalTag/porewatch-run": "run-1",
    "aws:PrincipalTag/porewatch-attempt": "run-1/e1",
    "aws:PrincipalTag/porewatch-bundle": "run-1",
}
"""Of a worker's session, as recorded keys are written: `runs/RUN/e1/USER/x`, `bundles/RUN/x`."""
_FILLED = {"RUN": "run-1", "USER": USER_ID}
Context = dict[str, str | list[str]]


class Request(NamedTuple):
    """One question to IAM. `context` without what every request has."""

    action: str
    resource: str
    context: Context

    def asked_by(self, role: str) -> dict[str, Any]:
        """As the simulator wants it."""
        always = {"aws:RequestedRegion": REGION, "aws:userid": USER_ID}
        always |= TAGS if role == "worker" else {}
        return {
            "principal": f"arn:aws:iam::{ACCOUNT}:role/{role}",
            "action": self.action,
            "resource": {"resource": self.resource, "accountId": ACCOUNT},
            "contextVariables": {**always, **self.context},
        }


def requests_of(role: str, calls: Calls, template: Template) -> list[Request]:
    """What a role's recorded calls ask, each once, in order."""
    found = {
        repr(one): one
        for (of, _), (_, asks) in calls.kept.items()
        if of == role
        for asked in asks
        for one in _requests(role, asked, template)
    }
    return [found[key] for key in sorted(found)]


def callers(calls: Calls) -> list[str]:
    """The roles of the template that call AWS."""
    return sorted({role for role, _ in calls.kept} - {SOMEBODY, COMMAND})


def policies_of(role: str, template: Template) -> list[dict[str, Any]]:
    """The documents of a role, managed ones too, with every reference filled in."""
    return next(
        [_as_text(one) for one in documents]
        for name, documents in of_roles(template)
        if folder_of(name.removesuffix("Role")) == role
    )


def policy_at(resource: str, template: Template) -> dict[str, Any] | None:
    """The policy of a key, without which KMS lets IAM decide nothing. Of buckets, queues and topics
    it is left out: theirs only deny, and tests/contract/test_bucket_policies.py holds them."""
    for name, key in template.of_type("AWS::KMS::Key").items():
        if resource == ARNS["AWS::KMS::Key"].format(name=name.lower()):
            return _as_text(literal_policies(key["KeyPolicy"], template))
    return None


def _as_text(document: dict[str, Any]) -> dict[str, Any]:
    """IAM takes `Version` as text; YAML has read a date where it was not quoted. What is nothing
    on AWS (`AWS::NoValue`) is not there."""
    statements = [
        {key: value for key, value in one.items() if value is not None}
        for one in document["Statement"]
    ]
    return {**document, "Version": str(document["Version"]), "Statement": statements}


def _requests(role: str, asked: str, template: Template) -> Iterator[Request]:
    action, _, place = asked.partition(" ")
    service = action.partition(":")[0]
    known = _CALLS.get(asked, _CALLS.get(action))
    yield from (known or _OF_SERVICE.get(service, _anything))(
        action, _known(role, place, template), template
    )


def _known(role: str, place: str, template: Template) -> str:
    """A place with names as AWS has them: a variable's value is the ARN of what it names."""
    found = re.fullmatch(r"\$\{(\w+)\}", place)
    if not found:
        return "/".join(_FILLED.get(part, part) for part in place.split("/"))
    environments = {folder_of(name): f["Environment"] for name, f in template.functions.items()}
    # A worker has its variables from the launch template, under names of its own.
    own = environments[role if role in environments else "instance_monitor"]
    value = own["Variables"].get(found[1])
    if value is None:
        return f"{role} has no variable {found[1]}"
    if isinstance(value, dict) and "Fn::If" in value:
        value = value["Fn::If"][1]
    named = template.resources.get(target(value), {})
    known = ARNS.get(named.get("Type", ""))
    return (
        known.format(name=target(value).lower())
        if known
        else str(literal_policies(value, template))
    )


Asking = Callable[[str, str, Template], Iterator[Request]]


def _anything(action: str, place: str, _template: Template) -> Iterator[Request]:
    """Of an action that knows no resource, or whose call names it."""
    yield Request(action, place or "*", {})


def _of_bucket(action: str, place: str, _template: Template) -> Iterator[Request]:
    bucket, _, key = place.partition("/")
    listed: Context = {"s3:prefix": "runs/run-1/x"} if action == "s3:ListBucket" else {}
    yield Request(action, f"arn:aws:s3:::{bucket.lower()}{'/' if key else ''}{key}", listed)


def _of_table(action: str, place: str, _template: Template) -> Iterator[Request]:
    name, _, rest = place.partition("/")
    other = name in TABLES.values()
    table = f"arn:aws:dynamodb:{HERE}:table/{name.lower() if other else 'ledger'}"
    place = rest if other else place
    if place.startswith("index/"):
        yield Request(action, f"{table}/{place}", {})
    else:
        own = place.replace("WORKER#x", f"WORKER#{USER_ID}").replace("RUN#x", "RUN#run-1")
        yield Request(action, table, {"dynamodb:LeadingKeys": [own]})


def _publish(action: str, topic: str, template: Template) -> Iterator[Request]:
    """SNS encrypts with the topic's key in the name of who publishes."""
    yield Request(action, topic, {})
    for name, told in template.of_type("AWS::SNS::Topic").items():
        if topic.endswith(f":{name.lower()}") and "KmsMasterKeyId" in told:
            key = ARNS["AWS::KMS::Key"].format(name=target(told["KmsMasterKeyId"]).lower())
            yield Request("kms:GenerateDataKey", key, {})
            yield Request("kms:Decrypt", key, {})


def _of_resource(
    resource: str, context: Context, action: str, _place: str, _template: Template
) -> Iterator[Request]:
    yield Request(action, resource, context)


def _fleet(action: str, _place: str, template: Template) -> Iterator[Request]:
    """What "Identity and Access Management for EC2 Fleet" and the launch template's own words
    need, in an account that has had no fleet and no spot machine yet."""
    yield Request(action, "*", {})
    launch = f"arn:aws:ec2:{HERE}:launch-template/workertemplate"
    known: Context = {"ec2:LaunchTemplate": launch}
    named: Context = {**known, "ec2:IsLaunchTemplateResource": "true"}
    yield Request("ec2:RunInstances", launch, known)
    for subnet in "abc":
        yield Request("ec2:RunInstances", f"arn:aws:ec2:{HERE}:subnet/subnet{subnet}", known)
    yield Request("ec2:RunInstances", f"arn:aws:ec2:{REGION}::image/{FIXED['AmiId']}", named)
    group = f"arn:aws:ec2:{HERE}:security-group/workersecuritygroup"
    yield Request("ec2:RunInstances", group, named)
    profile = ARNS["AWS::IAM::InstanceProfile"].format(name="workerprofile")
    machine: Context = {"ec2:InstanceProfile": profile, "ec2:MetadataHttpTokens": "required"}
    yield Request("ec2:RunInstances", f"arn:aws:ec2:{HERE}:instance/*", {**known, **machine})
    for made in ("volume", "network-interface"):
        yield Request("ec2:RunInstances", f"arn:aws:ec2:{HERE}:{made}/*", known)
    yield from _tags(template)
    role = ARNS["AWS::IAM::Role"].format(name="machinerole")
    yield Request("iam:PassRole", role, {"iam:PassedToService": "ec2.amazonaws.com"})
    for service, name in (("ec2fleet", "EC2Fleet"), ("spot", "EC2Spot")):
        linked = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{service}.amazonaws.com"
        context: Context = {"iam:AWSServiceName": f"{service}.amazonaws.com"}
        whole = f"{linked}/AWSServiceRoleFor{name}"
        yield Request("iam:CreateServiceLinkedRole", whole, context)


def _tags(template: Template) -> Iterator[Request]:
    """The request tags the fleet and its machine, the launch template what comes with it."""
    by: dict[str, set[str]] = {"CreateFleet": {"fleet"}, "RunInstances": {"instance"}}
    for told in template.of_type("AWS::EC2::LaunchTemplate").values():
        specified = told["LaunchTemplateData"].get("TagSpecifications", [])
        by["RunInstances"] |= {one["ResourceType"] for one in specified}
    for creates, kinds in by.items():
        for kind in sorted(kinds):
            arn = f"arn:aws:ec2:{HERE}:{kind}/*"
            yield Request("ec2:CreateTags", arn, {"ec2:CreateAction": creates})


def _schedule(action: str, _place: str, _template: Template) -> Iterator[Request]:
    yield Request(action, f"arn:aws:scheduler:{HERE}:schedule/expiries/x", {})
    role = ARNS["AWS::IAM::Role"].format(name="expiryrole")
    yield Request("iam:PassRole", role, {"iam:PassedToService": "scheduler.amazonaws.com"})


def _submit(action: str, queue: str, _template: Template) -> Iterator[Request]:
    """A job is asked for on its queue and on its definition, and tagged as it is made."""
    name = "spot" if queue.startswith("spot") else "on-demand"
    yield Request(action, f"arn:aws:batch:{HERE}:job-queue/{STACK}-{name}", {})
    for name in ("worker", "gpu-worker"):
        yield Request(action, f"arn:aws:batch:{HERE}:job-definition/{STACK}-{name}:1", {})
    tags: Context = {"aws:RequestTag/porewatch-stack": STACK}
    yield Request("batch:TagResource", f"arn:aws:batch:{HERE}:job/x", tags)


def _registry(action: str, cluster: str, _template: Template) -> Iterator[Request]:
    """The Data API reads the secret in the name of who asks."""
    yield Request(action, cluster, {})
    secret = ARNS["AWS::SecretsManager::Secret"].format(name="registrysecret")
    yield Request("secretsmanager:GetSecretValue", secret, {})
    yield Request("kms:Decrypt", ARNS["AWS::KMS::Key"].format(name="datakey"), {})


_seal = partial(
    _of_resource,
    ARNS["AWS::KMS::Key"].format(name="datakey"),
    {"kms:EncryptionContextKeys": ["webhook"]},
)
_seal_unsubscribing = partial(
    _of_resource,
    ARNS["AWS::KMS::Key"].format(name="datakey"),
    {"kms:EncryptionContextKeys": ["unsubscribe"]},
)


def _mail(action: str, _place: str, _template: Template) -> Iterator[Request]:
    """A mail is asked for on its sender's identity and on its configuration set."""
    sender: Context = {"ses:FromAddress": "mailfrom"}
    for named in ("identity/screens.example.org", "configuration-set/mailconfiguration"):
        yield Request(action, f"arn:aws:ses:{HERE}:{named}", sender)


_EXECUTION = f"arn:aws:states:{HERE}:execution:{STACK}-screen-run:x"
_OF_SERVICE: dict[str, Asking] = {"s3": _of_bucket, "dynamodb": _of_table, "rds-data": _registry}
_CALLS: dict[str, Asking] = {
    "kms:Encrypt ${MAIL_KEY_ARN}": _seal_unsubscribing,
    "kms:Decrypt ${MAIL_KEY_ARN}": _seal_unsubscribing,
    "ses:SendEmail": _mail,
    "batch:ListJobs": partial(_of_resource, "*", {}),
    "batch:SubmitJob": _submit,
    "batch:TerminateJob": partial(_of_resource, f"arn:aws:batch:{HERE}:job/x", {**OURS}),
    "cloudwatch:PutMetricData": partial(_of_resource, "*", {"cloudwatch:namespace": "Porewatch"}),
    "ec2:CreateFleet": _fleet,
    "ec2:DeleteFleets": partial(_of_resource, f"arn:aws:ec2:{HERE}:fleet/x", {**OURS}),
    "ec2:DeleteLaunchTemplateVersions": partial(
        _of_resource, f"arn:aws:ec2:{HERE}:launch-template/workertemplate", {}
    ),
    "ec2:DeleteNetworkInterface": partial(
        _of_resource, f"arn:aws:ec2:{HERE}:network-interface/x", {**OURS}
    ),
    "ec2:DeleteVolume": partial(_of_resource, f"arn:aws:ec2:{HERE}:volume/x", {**OURS}),
    "ec2:GetConsoleOutput": partial(_of_resource, f"arn:aws:ec2:{HERE}:instance/x", {**OURS}),
    "ec2:TerminateInstances": partial(_of_resource, f"arn:aws:ec2:{HERE}:instance/x", {**OURS}),
    "events:PutEvents": partial(
        _of_resource,
        ARNS["AWS::Events::EventBus"].format(name="bus"),
        {"events:source": ["porewatch"]},
    ),
    "kms:Decrypt": _seal,
    "kms:Encrypt": _seal,
    "scheduler:CreateSchedule": _schedule,
    "secretsmanager:GetSecretValue": partial(_of_resource, FIXED["StripeSecretArn"], {}),
    "sns:Publish": _publish,
    "sts:AssumeRole": partial(_of_resource, ARNS["AWS::IAM::Role"].format(name="workerrole"), {}),
    "sts:TagSession": partial(_of_resource, ARNS["AWS::IAM::Role"].format(name="workerrole"), {}),
    "states:DescribeExecution": partial(_of_resource, _EXECUTION, {}),
    "states:StopExecution": partial(_of_resource, _EXECUTION, {}),
}
"""What a call asks that is no bare action on a resource of its request. Machines, disks and jobs
are the stack's own: the product ends no other (`aws:ResourceTag/porewatch-stack`)."""


def covered(request: Request, patterns: Iterable[str]) -> bool:
    """Whether a resource of a statement stands for the request's."""
    return any(_pattern(one).fullmatch(request.resource) for one in patterns)


def _pattern(resource: str) -> re.Pattern[str]:
    text = resource.replace("${aws:userid}", USER_ID)
    for name, value in TAGS.items():
        text = text.replace(f"${{{name}}}", value)
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."))
