"""The credential broker's handler. Whether STS believes a signature is asked of a loopback STS; of
the engine's, with IAM, in tests/cloud/test_credential_broker.py."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from secrets import token_hex
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.credentials import ReadOnlyCredentials

from porewatch.adapters.broker.signed_identity import signed
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.messages.message_keys import EpochSecrets
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.errors import IdentityRefused, MessageRefused, StaleEpoch, Unavailable
from porewatch.domain.machines.machine_requests import Asked, BootLog, CredentialsWanted
from porewatch.domain.machines.signed_identity import DATE, FRESH, bound_to
from porewatch.domain.rules import stage_endings
from porewatch.domain.stage.message_proofs import digest_of, proof
from porewatch.domain.stage.record import StageKey
from porewatch.domain.stage.spec import Phase, StageSpec
from porewatch.domain.stage.work_order import StoredOrder
from porewatch.settings import settings
from tests import rights
from tests.functional.doors import Context, door
from tests.functional.test_rights import on_buckets, on_ledger
from tests.mocked import make_buckets, make_ledger, make_mac_key, mocked_aws
from tests.rights import Guard
from tests.sts_server import StsServer, sts_served

KEY, MACHINE, JOB_TASK = StageKey("run-1", 0, "screen"), "i-1", "0" * 32
SPEC = StageSpec(name="screen", phases=(Phase.QUALITY_CONTROL,), instance_types=("m5.large",))
KEYS = ReadOnlyCredentials("ASIAEXAMPLEEXAMPLE00", "secret", "token")


class Broker:
    """The broker, and a machine that asks it."""

    def __init__(self, sts: StsServer) -> None:
        self.sts = sts
        self.stages = StageLedger(Table("ledger"))

    @property
    def secret(self) -> str:
        return EpochSecrets(settings().message_key_arn, settings().stack_name).of(KEY, 1)

    def text(self, **changes: Any) -> str:
        fields = {
            "run_id": KEY.run_id,
            "revision": KEY.revision,
            "stage": KEY.stage,
            "epoch": 1,
            "instance_id": MACHINE,
            "nonce": token_hex(8),
        }
        return CredentialsWanted.model_validate({**fields, **changes}).model_dump_json()

    def asked(self, text: str | None = None) -> Asked:
        text = text or self.text()
        identity = signed(
            KEYS,
            endpoint=self.sts.endpoint,
            region="eu-central-1",
            bound=bound_to(settings().stack_name, text),
        )
        return Asked(text=text, mac=proof(self.secret, text), identity=identity)

    def call(self, asked: Asked) -> Any:
        handler = door("credential_broker")
        app = handler.__wrapped__.__globals__  # type: ignore[attr-defined]
        with patch.dict(app, endpoint_of=lambda _sts: self.sts.endpoint):
            return handler(asked.model_dump(mode="json"), Context())


@pytest.fixture
def broker() -> Iterator[Broker]:
    with (
        sts_served() as sts,
        mocked_aws(
            MACHINE_ROLE_ID="AROAMACHINE",
            WORKER_ROLE_ID="AROAWORKER",
            WORKER_ROLE_ARN="arn:aws:iam::123456789012:role/worker",
        ),
    ):
        make_ledger()
        make_buckets()
        with patch.dict("os.environ", MESSAGE_KEY_ARN=make_mac_key()):
            settings.cache_clear()
            made = Broker(sts)
            made.stages.open_stage(KEY, SPEC, now(), lambda _: digest_of(made.secret))
            order = StoredOrder(
                run_id="run-1", revision=0, stage="screen", phases=SPEC.phases, bundle="demo@1"
            )
            Objects("results").put_json(s3_keys.order_key(*KEY), order)
            sts.user_id = f"AROAMACHINE:{MACHINE}"
            yield made
    settings.cache_clear()


def test_a_machine_gets_credentials_that_bear_its_session_and_its_attempt(broker: Broker) -> None:
    asked: list[dict[str, Any]] = []
    sts = boto3.client("sts")
    with patch("porewatch.adapters.clients.sts", lambda: sts):
        sts.meta.events.register(
            "before-parameter-build.sts.AssumeRole", lambda params, **_: asked.append(dict(params))
        )
        answer = broker.call(broker.asked())
    (request,) = asked
    assert answer["user_id"].endswith(f":{MACHINE}")
    assert (request["RoleSessionName"], request["DurationSeconds"]) == (MACHINE, 3600)
    assert {tag["Key"]: tag["Value"] for tag in request["Tags"]} == {
        "porewatch-run": "run-1",
        "porewatch-attempt": "run-1/r0/screen/e1",
        "porewatch-bundle": "demo/1",
    }


def test_a_job_writes_under_the_id_of_its_task(broker: Broker) -> None:
    broker.sts.user_id = f"AROAMACHINE:{JOB_TASK}"
    answer = broker.call(broker.asked(broker.text(instance_id="job-1")))
    assert answer["user_id"].endswith(f":{JOB_TASK}")


def test_an_instance_that_says_it_is_another_gets_none(broker: Broker) -> None:
    with pytest.raises(MessageRefused, match="which is another"):
        broker.call(broker.asked(broker.text(instance_id="i-2")))


@pytest.mark.parametrize("who", ["AROAWORKER:i-1", "AROAMACHINE", "AIDAUSER", "AROAMACHINE:"])
def test_who_is_no_machine_gets_none(broker: Broker, who: str) -> None:
    broker.sts.user_id = who
    with pytest.raises(IdentityRefused, match="is no machine of this stack"):
        broker.call(broker.asked())


def test_an_identity_is_good_for_one_request(broker: Broker) -> None:
    asked = broker.asked()
    broker.call(asked)
    with pytest.raises(IdentityRefused, match="used before"):
        broker.call(asked)


def test_an_old_identity_is_refused_before_anybody_is_asked(broker: Broker) -> None:
    asked = broker.asked()
    assert asked.identity is not None
    old = (now() - FRESH - timedelta(seconds=2)).strftime(DATE)
    identity = asked.identity.model_copy(update={"date": old})
    with pytest.raises(IdentityRefused, match="which is not now"):
        broker.call(asked.model_copy(update={"identity": identity}))
    assert broker.sts.requests == []


@pytest.mark.parametrize("mac", ["", "0" * 64])
def test_without_the_secret_of_its_epoch_a_machine_gets_none(broker: Broker, mac: str) -> None:
    with pytest.raises(MessageRefused, match="proof"):
        broker.call(broker.asked().model_copy(update={"mac": mac}))
    assert broker.sts.requests == []


def test_sts_is_asked_by_what_the_broker_knows_and_nothing_else(broker: Broker) -> None:
    broker.call(broker.asked())
    (seen,) = broker.sts.requests
    assert (seen.method, seen.path) == ("POST", "/")
    assert seen.body == b"Action=GetCallerIdentity&Version=2011-06-15"


def test_when_sts_is_away_the_machine_may_ask_again(broker: Broker) -> None:
    asked = broker.asked()
    broker.sts.status = 503
    with pytest.raises(Unavailable):
        broker.call(asked)
    broker.sts.status = 200
    assert broker.call(asked)["user_id"]


def test_when_sts_says_no_it_is_no(broker: Broker) -> None:
    broker.sts.status = 403
    with pytest.raises(IdentityRefused, match="SignatureDoesNotMatch"):
        broker.call(broker.asked())


@pytest.mark.parametrize("text", ["{}", "no json", '{"kind": "credentials"}', '{"kind": "keys"}'])
def test_what_is_no_request_is_refused_before_anybody_is_asked(broker: Broker, text: str) -> None:
    with pytest.raises(MessageRefused, match="is no machine's request"):
        broker.call(broker.asked(text))
    assert broker.sts.requests == []


def test_an_epoch_that_is_over_gets_none(broker: Broker) -> None:
    broker.stages.apply(KEY, stage_endings.fail, 1, "WorkerLost", "the machine is gone", now())
    with pytest.raises(StaleEpoch):
        broker.call(broker.asked())
    assert broker.sts.requests == []


def test_a_boot_log_is_kept_where_it_is_found_and_every_right_is_needed(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"kind": "boot_log", "log": base64.b64encode(b"no space left").decode()}
    wanted = CredentialsWanted.model_validate_json(broker.text()).model_dump() | fields
    text = BootLog.model_validate(wanted).model_dump_json()
    asked = Asked(text=text, mac=proof(broker.secret, text))
    guard = Guard()
    monkeypatch.setattr(rights, "GUARD", guard)
    assert broker.call(asked) is None
    broker.call(broker.asked())
    assert sorted(on_ledger("credential_broker") - guard.used["credential_broker"]) == []
    assert sorted(on_buckets("credential_broker") - guard.used["credential_broker"]) == []
    assert Objects("results").get("runs/run-1/r0/screen/e1/i-1/boot.log") == b"no space left"
    with pytest.raises(MessageRefused, match="wrong proof"):
        broker.call(asked.model_copy(update={"mac": "0" * 64}))
