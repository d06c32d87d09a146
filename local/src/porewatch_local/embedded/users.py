"""IAM users of the local account: the operator, and the instance host.

The root key only makes these users. Their signatures are checked and their policies enforced.
"""

from __future__ import annotations

import contextlib
import json

from botocore.exceptions import ClientError

from porewatch_local.embedded.clients import client
from porewatch_local.paths import (
    Credentials,
    Home,
    LocalStack,
    write_private,
)

OPERATOR = "porewatch-operator"
INSTANCE_HOST = "porewatch-instance-host"  # the engine's service_trust patch knows this name

_MAY = {
    # As the administrator who deploys on AWS.
    OPERATOR: ["*"],
    INSTANCE_HOST: [
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:TerminateInstances",
        "batch:DescribeJobQueues",
        "batch:DescribeJobs",
        "batch:ListJobs",
        "ecs:SubmitTaskStateChange",
        "events:PutEvents",
        "iam:GetInstanceProfile",
        "sts:AssumeRole",
    ],
}


def user_key(home: Home, root: LocalStack, name: str) -> Credentials:
    """The access key of a local user, which is made when the account does not have it. What the
    user may is written each time, so an account of an older version gets new permissions.

    `root` is a stack whose credentials are the root key.
    """
    path = home.state / f"key-{name}.json"
    iam = client(root, "iam")
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": _MAY[name], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=policy)
    if path.exists():
        known = Credentials.model_validate_json(path.read_text())
        if _works(root, known):
            return known
    made = iam.create_access_key(UserName=name)["AccessKey"]
    key = Credentials(access_key_id=made["AccessKeyId"], secret_access_key=made["SecretAccessKey"])
    write_private(path, key.model_dump_json())
    return key


def _works(stack: LocalStack, key: Credentials) -> bool:
    try:
        client(stack, "sts", key).get_caller_identity()
    except ClientError:
        return False
    return True
