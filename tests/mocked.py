"""An AWS in this process (moto), shaped like the template: for unit and functional tests.

moto knows conditions, transactions, etags and tags. It does not know client tokens, full pools,
eventual consistency or IAM: what rests on those is tested against fakes of our own or the engine.
Nor does it know threads: a transaction that fails there puts back everybody's tables. So one call
runs at a time, as each call of AWS is atomic; what happens between calls is still anybody's turn.

Of IAM there is this much: a call that a function makes is refused unless its role has the right to
it (`tests.rights`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import RLock
from typing import Any
from unittest.mock import patch

import boto3
from botocore.client import BaseClient
from moto import mock_aws
from moto.core import responses as moto_responses
from moto.core import utils as moto_utils
from moto.kms import models as kms_models
from moto.kms.utils import generate_private_key as _new_kms_key

from porewatch.adapters import clients
from porewatch.adapters.items import Item
from porewatch.adapters.s3 import manifests
from porewatch.adapters.table import KIND_INDEX, Table
from porewatch.settings import settings
from tests.rights import guarded

REGION = "eu-central-1"
SURROUNDINGS = {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # two seconds for each test that touches EC2
    "STACK_NAME": "porewatch-test",
    "LEDGER_TABLE": "ledger",
    "PEOPLE_TABLE": "people",
    "API_KEY_ID": "key",
    "PEOPLE_KEY_ID": "people-key",
    "RAW_BUCKET": "raw",
    "RESULTS_BUCKET": "results",
    "REPORTS_BUCKET": "reports",
    "REPORTS_DAYS": "365",
    "REFERENCES_BUCKET": "references",
    "BUS_NAME": "porewatch",
    "DEFAULT_BUNDLE": "demo@1",
    "BASECALLING": "disabled",
    "AUDIT_KEY_ARN": "alias/audit-key",
}


def _one_call_at_a_time() -> Any:
    make_call, turn = guarded(BaseClient._make_api_call), RLock()

    def in_turn(self: BaseClient, *args: Any, **kwargs: Any) -> Any:
        with turn:
            return make_call(self, *args, **kwargs)

    return patch.object(BaseClient, "_make_api_call", in_turn)


_methods = cache(moto_utils.method_names_from_class)
"""moto looks through the class of a service at each call."""
_kept_clients: dict[str, Any] = {}


@cache
def _session() -> boto3.Session:
    """It keeps the models of the services, which take longer to read than a client to make."""
    return boto3.Session()


@cache
def _kms_key(spec: str) -> Any:
    """moto makes an RSA key of 2,048 bits for each KMS key, those for MACs included."""
    return _new_kms_key(spec)


def _kept_client() -> Callable[..., Any]:
    """Making a client takes as long as most tests; moto hangs on the class, not on the object.

    One that a test listens to or stubs is never given to another test.
    """

    def client(service: str, **options: Any) -> Any:
        key = repr((service, *((k, getattr(v, "__dict__", v)) for k, v in sorted(options.items()))))
        if key not in _kept_clients:
            made = _kept_clients[key] = _session().client(service, **options)
            for name in ("register", "register_first", "register_last"):
                _dropped_by(made.meta.events, name, key)
        return _kept_clients[key]

    return client


def _dropped_by(events: Any, name: str, key: str) -> None:
    register = getattr(events, name)

    def changed(*args: Any, **options: Any) -> Any:
        _kept_clients.pop(key, None)
        return register(*args, **options)

    setattr(events, name, changed)


@contextmanager
def mocked_aws(**more: str) -> Iterator[None]:
    """Everything below runs against moto, with settings of its own."""
    with (
        patch.dict("os.environ", {**SURROUNDINGS, **more}),
        mock_aws(),
        _one_call_at_a_time(),
        patch.object(boto3, "client", _kept_client()),
        patch.object(kms_models, "generate_private_key", _kms_key),
        patch.object(moto_responses, "method_names_from_class", _methods),
    ):
        clients.forget()
        manifests.forget()
        settings.cache_clear()
        yield
    clients.forget()
    settings.cache_clear()


def make_ledger(name: str = "ledger") -> Table:
    """The ledger table, or that of people, as template.yaml makes them; the one that is there."""
    if name in boto3.client("dynamodb").list_tables()["TableNames"]:
        return Table(name)
    text = [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk", "gsi_pk", "gsi_sk")]
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=text,
        KeySchema=_keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": KIND_INDEX,
                "KeySchema": _keys("gsi_pk", "gsi_sk"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    return Table(name)


def make_mac_key() -> str:
    """A key for messages or heads of audit trails, as template.yaml makes them; its ARN."""
    made = boto3.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    return str(made["KeyMetadata"]["Arn"])


def make_audit_key() -> None:
    """The key that signs the heads of audit trails, under the name that the settings have."""
    alias = SURROUNDINGS["AUDIT_KEY_ARN"]
    boto3.client("kms").create_alias(AliasName=alias, TargetKeyId=make_mac_key())


def make_buckets(*names: str) -> None:
    """With versions, as the template makes them."""
    s3 = boto3.client("s3")
    for name in names or ("raw", "results", "reports", "references"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def facts_in(ledger: Table, run_id: str) -> list[str]:
    """The detail types of all facts written about a run, in order of time."""
    items: list[Item] = list(ledger.query(f"RUN#{run_id}", "FACT#"))
    items.sort(key=lambda item: str(item.attributes["at"]))
    return [str(item.attributes["detail_type"]) for item in items]


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]
