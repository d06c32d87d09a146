"""Machines of stages, and what they can do: the keys of the machines' role as EC2 would give them,
and those that the credential broker answers them with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from secrets import token_hex
from typing import Any

import boto3
import pytest

from porewatch.adapters.broker.broker_client import CredentialBroker
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.messages.message_keys import EpochSecrets
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.machines.machine_requests import CredentialsWanted, RunCredentials
from porewatch.domain.rules import stage_endings, stage_lifecycle
from porewatch.domain.stage.instances import Machine, MachineState
from porewatch.domain.stage.message_proofs import digest_of
from porewatch.domain.stage.record import StageKey
from porewatch.domain.stage.spec import Phase, StageSpec
from porewatch.domain.stage.work_order import StoredOrder
from porewatch_local.instance_host.config import HostConfig
from tests.cloud.conftest import Cloud

SPEC = StageSpec(name="screen", phases=(Phase.QUALITY_CONTROL,), instance_types=("m5.2xlarge",))
BUNDLE = "demo@1"


def role(stack: Cloud, logical: str) -> dict[str, Any]:
    """A role of the stack, by its name in the template."""
    resource = stack.client("cloudformation").describe_stack_resource(
        StackName=stack.local.stack_name, LogicalResourceId=logical
    )["StackResourceDetail"]
    found: dict[str, Any] = stack.client("iam").get_role(RoleName=resource["PhysicalResourceId"])[
        "Role"
    ]
    return found


def session(stack: Cloud, access_key: str, secret_key: str, token: str | None) -> boto3.Session:
    """A session of the engine under these keys."""
    made = boto3.Session(access_key, secret_key, token, region_name=stack.local.region)
    client = made.client

    def here(service: str, **more: Any) -> Any:
        return client(service, endpoint_url=stack.local.endpoint, **more)  # type: ignore[call-overload]

    made.client = here  # type: ignore[method-assign,assignment]
    return made


def session_of_role(stack: Cloud, logical: str, name: str) -> boto3.Session:
    """A session of a role that trusts EC2, as EC2 begins it for the machine `name`."""
    path = next(stack.home.root.rglob("host-config.json"))
    host = HostConfig.model_validate_json(path.read_text()).credentials
    sts = session(stack, host.access_key_id, host.secret_access_key, None).client("sts")
    got = sts.assume_role(RoleArn=role(stack, logical)["Arn"], RoleSessionName=name)["Credentials"]
    return session(stack, got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])


@dataclass
class OneMachine:
    """The machine `name` of one epoch of a stage."""

    stack: Cloud
    key: StageKey
    name: str
    epoch: int = 1

    @cached_property
    def stages(self) -> StageLedger:
        table = self.stack.outputs["LedgerTable"]
        return StageLedger(Table(table, self.stack.client("dynamodb")))

    @property
    def bucket(self) -> str:
        return self.stack.outputs["ResultsBucketName"]

    @cached_property
    def user_id(self) -> str:
        return f"{role(self.stack, 'WorkerRole')['RoleId']}:{self.name}"

    @property
    def prefix(self) -> str:
        return s3_keys.attempt_prefix(*self.key, self.epoch, self.user_id)

    @cached_property
    def secret(self) -> str:
        return self.secret_of(self.epoch)

    def secret_of(self, epoch: int) -> str:
        functions = self.stack.client("lambda")
        name = f"{self.stack.local.stack_name}-phase-state-manager"
        found = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        kms = self.stack.client("kms")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("porewatch.adapters.clients.kms", lambda: kms)
            secrets = EpochSecrets(found["MESSAGE_KEY_ARN"], self.stack.local.stack_name)
            return secrets.of(self.key, epoch)

    def launched(self) -> OneMachine:
        """With its order, and in the ledger as the machine of the stage's next epoch."""
        order = StoredOrder(
            run_id=self.key.run_id,
            revision=self.key.revision,
            stage=self.key.stage,
            phases=SPEC.phases,
            bundle=BUNDLE,
        )
        self.stack.client("s3").put_object(
            Bucket=self.bucket, Key=s3_keys.order_key(*self.key), Body=order.canonical_json()
        )
        opened = self.stages.open_stage(
            self.key, SPEC, now(), lambda epoch: digest_of(self.secret_of(epoch))
        )
        self.epoch = opened.epoch
        machine = Machine(
            instance_id=self.name,
            state=MachineState.RUNNING,
            instance_type="m5.2xlarge",
            purchase="spot",
            availability_zone="eu-central-1a",
            launched_at=now(),
        )
        self.stages.apply(self.key, stage_lifecycle.launched, self.epoch, machine, now())
        return self

    def interrupted(self) -> None:
        """Its epoch is over."""
        self.stages.apply(
            self.key, stage_endings.fail, self.epoch, "WorkerLost", "the test takes it away", now()
        )

    def abandoned(self) -> None:
        """The stage is over, so that nobody waits for it."""
        epoch = self.stages.get(self.key).epoch
        self.stages.apply(self.key, stage_endings.abandon, epoch, "the test is over", now())

    @cached_property
    def own(self) -> boto3.Session:
        """What the machine has by itself."""
        return session_of_role(self.stack, "MachineRole", self.name)

    @cached_property
    def broker(self) -> CredentialBroker:
        name = self.stack.local.stack_name
        return CredentialBroker(f"{name}-credential-broker", name, self.own)

    @property
    def wanted(self) -> CredentialsWanted:
        return CredentialsWanted(
            run_id=self.key.run_id,
            revision=self.key.revision,
            stage=self.key.stage,
            epoch=self.epoch,
            instance_id=self.name,
            nonce=token_hex(8),
        )

    def ask(self) -> RunCredentials:
        return self.broker.ask(self.wanted, self.secret)

    def worker(self) -> boto3.Session:
        """What its worker has, asked for once more."""
        got = self.ask()
        return session(self.stack, got.access_key_id, got.secret_access_key, got.session_token)
