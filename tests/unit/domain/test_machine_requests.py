from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from porewatch.domain.errors import IdentityRefused
from porewatch.domain.machines.machine_requests import CredentialsWanted, session_tags
from porewatch.domain.machines.signed_identity import (
    DATE,
    FRESH,
    SIGNED,
    SignedIdentity,
    bound_to,
)
from porewatch.domain.stage.record import StageKey
from tests.contract.test_template import TEMPLATE

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SCOPE = "Credential=ASIAEXAMPLEEXAMPLE00/20261130/eu-west-1/sts/aws4_request"
AUTHORIZATION = f"AWS4-HMAC-SHA256 {SCOPE}, SignedHeaders={SIGNED}, Signature={'a' * 64}"
WANTED = {
    "run_id": "run-1",
    "revision": 0,
    "stage": "screen",
    "epoch": 1,
    "instance_id": "i-1",
    "nonce": "0" * 16,
}


def identity(**changes: str) -> SignedIdentity:
    fields = {"authorization": AUTHORIZATION, "date": "20261130T120000Z", "token": "t"}
    return SignedIdentity.model_validate({**fields, **changes})


@pytest.mark.parametrize(
    "authorization",
    [
        AUTHORIZATION.replace("/sts/", "/s3/"),
        AUTHORIZATION.replace(";x-porewatch-request", ""),
        AUTHORIZATION.replace("host;", ""),
        AUTHORIZATION.replace("HMAC-SHA256", "ECDSA-P256-SHA256"),
        AUTHORIZATION + "\r\nHost: attacker.example",
        AUTHORIZATION + "0",
        "Bearer x",
    ],
)
def test_only_one_shape_of_signature_is_taken(authorization: str) -> None:
    assert identity().signature == "a" * 64
    with pytest.raises(ValidationError):
        identity(authorization=authorization)


@pytest.mark.parametrize("token", ["", "a\r\nHost: x", "a b", "x" * 9000])
def test_a_token_brings_no_header_of_its_own(token: str) -> None:
    with pytest.raises(ValidationError):
        identity(token=token)


@pytest.mark.parametrize(
    ("age", "fresh"),
    [
        (timedelta(0), True),
        (FRESH, True),
        (-FRESH, True),
        (FRESH + timedelta(seconds=1), False),
        (-FRESH - timedelta(seconds=1), False),
        (timedelta(days=365), False),
    ],
)
def test_a_signature_is_good_for_a_while(age: timedelta, fresh: bool) -> None:
    signed = identity(date=(NOW - age).strftime(DATE))
    if fresh:
        signed.refuse_old(NOW)
        return
    with pytest.raises(IdentityRefused, match="which is not now"):
        signed.refuse_old(NOW)


def test_a_time_that_there_is_not_is_refused() -> None:
    with pytest.raises(IdentityRefused, match="is no time"):
        identity(date="20261340T120000Z").refuse_old(NOW)


def test_secrets_are_not_shown() -> None:
    assert "Signature" not in repr(identity())


def test_another_stack_or_text_is_another_request() -> None:
    bound = {bound_to("a", "b"), bound_to("a", "c"), bound_to("b", "b"), bound_to('a", "b', "")}
    assert len(bound) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"run_id": "*"},
        {"run_id": "a/../b"},
        {"run_id": "${aws:userid}"},
        {"stage": "screen/e1"},
        {"stage": "*"},
        {"revision": -1},
        {"instance_id": "i-1/x"},
        {"nonce": ""},
    ],
)
def test_a_request_names_nothing_that_a_policy_could_take_for_more(
    changes: dict[str, object],
) -> None:
    with pytest.raises(ValidationError):
        CredentialsWanted.model_validate({**WANTED, **changes})


def test_the_longest_names_fit_into_tags() -> None:
    """STS: a value has at most 256 characters, of a few kinds; IAM would read `*` and `?`."""
    key = StageKey("r" * 63, 10**9, "s" * 31)
    tags = session_tags(key, 10**9, f"{'b' * 41}@{'1' * 41}")
    for name, value in tags.items():
        assert re.fullmatch(r"[A-Za-z0-9_./-]{1,128}", name)
        assert re.fullmatch(r"[A-Za-z0-9_./-]{1,256}", value)


def test_the_tags_are_those_that_the_role_names() -> None:
    """A variable that nobody fills in matches nothing."""
    role = str(TEMPLATE.resources["WorkerRole"]) + str(TEMPLATE.resources["ResultsBucketPolicy"])
    named = set(re.findall(r"aws:PrincipalTag/([a-z-]+)", role))
    assert named == set(session_tags(StageKey("r", 0, "s"), 1, "b@1"))
