"""The client secret comes from Secrets Manager, and a new one is seen within ten minutes."""

from __future__ import annotations

from datetime import timedelta

import boto3
import pytest

from porewatch.adapters.people import client_secret as module
from porewatch.adapters.people.client_secret import client_secret
from porewatch.domain import base
from porewatch.domain.errors import ConfigurationRefused
from porewatch.edge import wiring
from porewatch.settings import settings
from tests.mocked import REGION, mocked_aws


def made(text: str) -> str:
    secrets = boto3.client("secretsmanager", region_name=REGION)
    return secrets.create_secret(Name="sign-in", SecretString=text)["ARN"]


def test_it_is_kept_for_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    with mocked_aws():
        arn = made("first\n")
        assert client_secret(arn).get_secret_value() == "first"
        secrets = boto3.client("secretsmanager", region_name=REGION)
        secrets.put_secret_value(SecretId=arn, SecretString="second")
        later = timedelta(seconds=module.KEPT_SECONDS)
        monkeypatch.setattr(base, "clock", lambda: base.wall() + later)
        assert client_secret(arn).get_secret_value() == "second"


def test_a_public_client_has_none() -> None:
    assert client_secret("").get_secret_value() == ""


def test_an_empty_or_missing_secret_is_for_the_operator() -> None:
    with mocked_aws():
        with pytest.raises(ConfigurationRefused, match="holds no text"):
            client_secret(made(" "))
        with pytest.raises(ConfigurationRefused):
            client_secret(f"arn:aws:secretsmanager:{REGION}:123456789012:secret:gone-abcdef")


def test_a_function_gets_its_client_by_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_ISSUER", "http://192.0.2.1")
    monkeypatch.setenv("OIDC_CLIENT_ID", "c")
    settings.cache_clear()
    with pytest.raises(ConfigurationRefused) as refusal:
        wiring.oidc_client("https://porewatch.example/back")
    assert refusal.value.code == "sign_in_not_https"
    monkeypatch.setenv("OIDC_ISSUER", "https://cognito.example/pool")
    monkeypatch.setenv("OIDC_ALGORITHMS", "RS256, ES256")
    settings.cache_clear()
    wiring.oidc_client("https://porewatch.example/back")
    monkeypatch.setenv("OIDC_ALGORITHMS", "none")
    settings.cache_clear()
    with pytest.raises(ConfigurationRefused, match="OIDC_ALGORITHMS"):
        wiring.oidc_client("https://porewatch.example/back")
    settings.cache_clear()
