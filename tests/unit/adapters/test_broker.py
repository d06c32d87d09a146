"""The machine's side of the credential broker: what it signs, hears and renews."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.credentials import ReadOnlyCredentials

from porewatch.adapters import clients
from porewatch.adapters.broker import renewed_keys
from porewatch.adapters.broker.broker_client import _refusal
from porewatch.adapters.broker.renewed_keys import RenewedKeys
from porewatch.adapters.broker.signed_identity import endpoint_of, signed, user_id_of
from porewatch.domain.base import now
from porewatch.domain.errors import (
    ConfigurationRefused,
    IdentityRefused,
    StaleEpoch,
    Unavailable,
)
from porewatch.domain.machines.machine_requests import RunCredentials
from tests.sts_server import sts_served

KEYS = ReadOnlyCredentials("ASIAEXAMPLEEXAMPLE00", "secret", "token")


def of_life(seconds: float, number: int = 1) -> RunCredentials:
    return RunCredentials(
        access_key_id=f"ASIA{number}",
        secret_access_key="s",
        session_token="t",
        expires_at=now() + timedelta(seconds=seconds),
        user_id="AROAWORKER:i-1",
    )


class Source:
    """Gives credentials of `life_s` seconds, or raises `error`."""

    def __init__(self, life_s: float) -> None:
        self.life_s, self.asked = life_s, 0
        self.error: Exception | None = None

    def __call__(self) -> RunCredentials:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return of_life(self.life_s, self.asked)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[RenewedKeys, float], None]:
    """Lets time pass for keys."""

    def pass_by(keys: RenewedKeys, seconds: float) -> None:
        keys._time_fetcher = lambda: now() + timedelta(seconds=seconds)

    return pass_by


def key_of(keys: RenewedKeys) -> str:
    return str(keys.get_frozen_credentials().access_key)


def test_nobody_is_asked_before_they_are_needed_and_then_once() -> None:
    source = Source(3600)
    keys = RenewedKeys(source)
    assert source.asked == 0
    assert [key_of(keys), key_of(keys)] == ["ASIA1", "ASIA1"]
    assert (source.asked, keys.user_id, keys.renewals) == (1, "AROAWORKER:i-1", 1)


def test_they_are_renewed_when_half_of_their_life_is_over(later: Any) -> None:
    source = Source(3600)
    keys = RenewedKeys(source)
    key_of(keys)
    later(keys, 1790)
    assert key_of(keys) == "ASIA1"
    later(keys, 1810)
    assert key_of(keys) == "ASIA2"


def test_a_broker_that_is_away_stops_nothing_before_they_are_needed(
    later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(3600)
    keys = RenewedKeys(source)
    key_of(keys)
    source.error = Unavailable("nobody answers")
    later(keys, 2000)
    assert [key_of(keys), key_of(keys)] == ["ASIA1", "ASIA1"]
    assert source.asked == 2, "after a failure there is a pause"
    later(keys, 3100)
    with pytest.raises(Unavailable):
        key_of(keys)
    monkeypatch.setattr(renewed_keys, "PAUSE_S", 0.0)
    source.error = None
    assert key_of(keys) == "ASIA3"


def test_a_refusal_is_raised_by_the_request_that_needs_them(later: Any) -> None:
    source = Source(3600)
    keys = RenewedKeys(source)
    s3 = keys.session("eu-west-1").client("s3")
    key_of(keys)
    later(keys, 3500)
    source.error = StaleEpoch("epoch 1 is over")
    with pytest.raises(StaleEpoch):
        s3.list_buckets()


def test_clients_of_a_process_sign_with_them() -> None:
    keys = RenewedKeys(Source(3600))
    clients.use(keys.session("eu-west-1"))
    try:
        link = clients.s3().generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
        assert "ASIA1" in link
        assert clients.sqs().meta.region_name == "eu-west-1"
    finally:
        clients.forget()


@pytest.mark.parametrize(
    ("kind", "heard"),
    [
        ("StaleEpoch", StaleEpoch),
        ("IdentityRefused", IdentityRefused),
        ("MessageRefused", IdentityRefused),
        ("NotFound", IdentityRefused),
        ("ConfigurationRefused", ConfigurationRefused),
        ("Unavailable", Unavailable),
        ("Throttled", Unavailable),
        ("Sandbox.Timedout", Unavailable),
        ("Runtime.ExitError", Unavailable),
        ("KeyError", Unavailable),
        ("REMEDY", Unavailable),
        ("parts_of", Unavailable),
    ],
)
def test_what_the_broker_raises_is_what_the_worker_hears(kind: str, heard: type) -> None:
    error = _refusal(json.dumps({"errorType": kind, "errorMessage": "why"}).encode())
    assert type(error) is heard
    assert "why" in str(error)


def test_a_signature_is_sent_as_it_was_made_and_sts_says_whose_it_is() -> None:
    with sts_served() as sts:
        sts.user_id = "AROAMACHINE:i-1"
        identity = signed(KEYS, endpoint=sts.endpoint, region="eu-west-1", bound="b")
        assert user_id_of(identity, endpoint=sts.endpoint, bound="b") == "AROAMACHINE:i-1"
        (seen,) = sts.requests
    assert seen.headers["authorization"] == identity.authorization
    assert seen.headers["x-porewatch-request"] == "b"
    assert seen.headers["x-amz-security-token"] == "token"


def test_an_sts_that_does_not_answer_is_away() -> None:
    with sts_served() as sts:
        endpoint = sts.endpoint
    identity = signed(KEYS, endpoint=endpoint, region="eu-west-1", bound="b")
    with pytest.raises(Unavailable):
        user_id_of(identity, endpoint=endpoint, bound="b")


def test_the_sts_of_the_region_is_meant_where_boto3_calls_one_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Meta:
        endpoint_url, region_name = "https://sts.amazonaws.com", "eu-west-1"

    class Sts:
        meta = Meta

    assert endpoint_of(Sts()) == "https://sts.eu-west-1.amazonaws.com"  # type: ignore[arg-type]
    Meta.endpoint_url = "http://127.0.0.1:4566"
    assert endpoint_of(Sts()) == "http://127.0.0.1:4566"  # type: ignore[arg-type]
