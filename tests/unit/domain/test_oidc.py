"""What is asked of an identity provider, and where a person may land afterwards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from porewatch.domain.base import now
from porewatch.domain.errors import ConfigurationRefused, SignInRefused
from porewatch.domain.people.oidc import (
    Attempt,
    Endpoints,
    Provider,
    new_attempt,
    secure_address,
    site_path,
)
from porewatch.domain.people.provider_choices import GLOBUS

BACK = "https://porewatch.example/back"
GIVEN = {"client_id": "c", "client_secret": "s3cret", "redirect_uri": BACK}
ENDPOINTS = Endpoints(
    issuer=GLOBUS,
    authorization_endpoint=f"{GLOBUS}/v2/oauth2/authorize",
    token_endpoint=f"{GLOBUS}/v2/oauth2/token",
    jwks_uri=f"{GLOBUS}/jwk.json",
)


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/r-1?tab=files#log", "/a/%2F/%5C", "/a//b"])
def test_a_path_of_this_site(path: str) -> None:
    assert site_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *("", "runs", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example"),
        *("/a\\b", "https://evil.example", "https:evil.example", "javascript:alert(1)"),
        *("/a b", "/\t/evil.example", "/\n/evil.example", "/a\r\nSet-Cookie: x", "/a\x00", "/a\n"),
        *(" /a", "\t//evil.example", "/\u2215evil.example", "/ä", "/a\x7f", "/" + "a" * 2000),
    ],
)
def test_an_address_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(SignInRefused) as refusal:
        new_attempt(Provider.model_validate(GIVEN), ENDPOINTS, path, now())
    assert refusal.value.code == "sign_in_return_elsewhere"


BROWSERS_SKIP = str.maketrans("", "", "\t\r\n")


@given(st.text(alphabet="/\\.:@?#%ae \t\n\r\x00é", max_size=8))
def test_no_path_leads_to_another_host(text: str) -> None:
    """As browsers read it: without line ends and blanks in front, a backslash as a slash."""
    try:
        path = site_path(text)
    except SignInRefused:
        return
    read = path.translate(BROWSERS_SKIP).strip().replace("\\", "/")
    assert read.startswith("/")
    assert not read.startswith("//")


@pytest.mark.parametrize(
    "url",
    [GLOBUS, "https://a.example:8443/pool?x=1", "http://127.0.0.1:9000", "http://[::1]:9000",
     "http://localhost:9000"],
)  # fmt: skip
def test_a_secure_address(url: str) -> None:
    assert secure_address(url) == url


@pytest.mark.parametrize(
    "url",
    ["http://auth.globus.org", "http://127.0.0.1.evil.example", "http://localhost@evil.example",
     "https://user:word@a.example", "https://a.example/#x", "https://", "https:///path", "ftp://a",
     "", "a.example", "http://[::1", "https://a.example:x", "https://a.example/\n"],
)  # fmt: skip
def test_an_insecure_address_is_refused(url: str) -> None:
    for changes in ({"issuer": url}, {"redirect_uri": url}):
        with pytest.raises(ConfigurationRefused) as refusal:
            Provider.model_validate(GIVEN | changes)
        assert refusal.value.code == "sign_in_not_https"


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512", "RS1", ""])
def test_algorithms_without_a_key_pair_cannot_be_allowed(algorithm: str) -> None:
    with pytest.raises(ValidationError):
        Provider.model_validate(GIVEN | {"algorithms": [algorithm]})


def test_globus_by_default() -> None:
    provider = Provider.model_validate(GIVEN)
    assert provider.issuer == "https://auth.globus.org"
    assert provider.algorithms == ("RS512",)
    assert provider.client_authentication == "client_secret_basic"


def test_the_secret_does_not_show() -> None:
    provider = Provider.model_validate(GIVEN)
    assert "s3cret" not in f"{provider!r}{provider}{provider.model_dump_json()}"


def test_an_attempt_survives_being_kept() -> None:
    attempt = new_attempt(Provider.model_validate(GIVEN), ENDPOINTS, "/runs", now())
    assert Attempt.model_validate_json(attempt.model_dump_json()) == attempt


def test_an_endpoint_with_a_query_keeps_it() -> None:
    there = ENDPOINTS.model_copy(update={"authorization_endpoint": f"{GLOBUS}/a?tenant=1"})
    attempt = new_attempt(Provider.model_validate(GIVEN), there, "/", now())
    assert attempt.url.startswith(f"{GLOBUS}/a?tenant=1&response_type=code&")
