"""Sign-in against the local stand-in for Globus: a real OpenID provider, as strict as Globus."""

from __future__ import annotations

import base64
import json
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import psutil
import pytest

from porewatch.adapters.people.oidc_client import OidcClient
from porewatch.adapters.people.published import Published
from porewatch.domain.base import now
from porewatch.domain.errors import ConfigurationRefused, SignInRefused
from porewatch.domain.people.oidc import Attempt, Provider
from porewatch.domain.signatures.signature import Meaning
from porewatch.domain.signatures.signing_act import SigningAct, confirmed, renewal_of
from porewatch_local import processes
from porewatch_local.embedded.identity_provider import USERS, start_identity, stop_identity
from porewatch_local.paths import Home, IdentityProvider, find_home

BACK = "http://127.0.0.1:9/sign-in/back"
AIKO, _, _, ROBIN = USERS


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    place = find_home(tmp_path_factory.mktemp("identity"))
    yield place
    stop_identity(place)


@pytest.fixture
def local(home: Home) -> IdentityProvider:
    return start_identity(home).ready()


def client_of(local: IdentityProvider, **changes: Any) -> OidcClient:
    provider = Provider.model_validate({**local.model_dump(), "redirect_uri": BACK, **changes})
    return OidcClient(provider, Published(provider.issuer))


class Browser:
    """Follows redirects with cookies, until one leads to Porewatch."""

    def __init__(self) -> None:
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()), _StopAtPorewatch()
        )

    def open(self, url: str, form: dict[str, str] | None = None) -> tuple[str, str]:
        """Where it ended, and the page there."""
        body = None if form is None else urlencode(form).encode()
        try:
            with self._opener.open(url, body, timeout=10) as reply:
                return reply.geturl(), reply.read().decode()
        except urllib.error.HTTPError as stop:
            return stop.headers.get("Location") or url, stop.read().decode()

    def choose(self, attempt: Attempt, sub: str) -> dict[str, str]:
        """The query with which the browser comes back to Porewatch."""
        url, page = self.open(attempt.url)
        (action,) = re.findall(r'action="([^"]+)"', page)
        parts = urlsplit(url)
        back, _ = self.open(f"{parts.scheme}://{parts.netloc}{action}", {"sub": sub})
        assert back.startswith(f"{BACK}?")
        return dict(parse_qsl(urlsplit(back).query))


class _StopAtPorewatch(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> urllib.request.Request | None:
        return None if args[-1].startswith(BACK) else super().redirect_request(*args)


@pytest.mark.parametrize("user", USERS, ids=lambda user: user["name"])
def test_each_person_can_sign_in(local: IdentityProvider, user: dict[str, Any]) -> None:
    client = client_of(local)
    attempt = client.begin("/runs")
    found = client.finish(attempt, Browser().choose(attempt, user["sub"]))
    assert found.model_dump(exclude={"signed_in_at"}) == {
        "issuer": local.issuer,
        "subject": user["sub"],
        "email": user["email"],
        "email_verified": user["email_verified"],
        "name": user["name"],
        "preferred_username": user["email"],
    }


def test_who_signs_in_is_asked_each_time(local: IdentityProvider) -> None:
    client, browser = client_of(local), Browser()
    for user in (AIKO, ROBIN):
        attempt = client.begin()
        query = browser.choose(attempt, str(user["sub"]))
        assert client.finish(attempt, query).subject == user["sub"]


def test_nobody_may_be_chosen(local: IdentityProvider) -> None:
    client = client_of(local)
    attempt = client.begin()
    with pytest.raises(SignInRefused) as refusal:
        client.finish(attempt, Browser().choose(attempt, ""))
    assert refusal.value.code == "sign_in_declined"


def test_a_code_serves_once(local: IdentityProvider) -> None:
    client = client_of(local)
    attempt = client.begin()
    query = Browser().choose(attempt, str(AIKO["sub"]))
    client.finish(attempt, query)
    with pytest.raises(SignInRefused) as refusal:
        client.finish(attempt, query)
    assert refusal.value.code == "sign_in_code_refused"


def test_a_code_of_one_sign_in_does_not_serve_another(local: IdentityProvider) -> None:
    client = client_of(local)
    mine, theirs = client.begin(), client.begin()
    stolen = Browser().choose(theirs, str(AIKO["sub"]))
    with pytest.raises(SignInRefused) as refusal:
        client.finish(mine, stolen)
    assert refusal.value.code == "sign_in_state_differs"
    with pytest.raises(SignInRefused) as refusal:
        client.finish(mine, {**stolen, "state": mine.state})  # PKCE
    assert refusal.value.code == "sign_in_code_refused"


# as strict as Globus


@pytest.mark.parametrize(
    "changes",
    [
        {"client_authentication": "client_secret_post"},
        {"client_authentication": "none"},
        {"client_secret": "another"},
        {"client_id": "another", "client_secret": "x"},
    ],
    ids=str,
)
def test_the_secret_has_to_come_in_the_header(
    local: IdentityProvider, changes: dict[str, Any]
) -> None:
    honest = client_of(local)
    attempt = honest.begin()
    query = Browser().choose(attempt, str(AIKO["sub"]))
    with pytest.raises(ConfigurationRefused) as refusal:
        client_of(local, **changes).finish(attempt, query)
    assert refusal.value.code == "sign_in_client_refused"


def test_it_signs_by_rs512_alone(local: IdentityProvider) -> None:
    client = client_of(local, algorithms=["RS256"])
    attempt = client.begin()
    query = Browser().choose(attempt, str(AIKO["sub"]))
    with pytest.raises(SignInRefused) as refusal:
        client.finish(attempt, query)
    assert refusal.value.code == "sign_in_token_algorithm"
    assert "'RS512'" in refusal.value.problem


def test_it_refuses_a_sign_in_without_pkce(local: IdentityProvider) -> None:
    attempt = client_of(local).begin()
    parts = urlsplit(attempt.url)
    kept = [(n, v) for n, v in parse_qsl(parts.query) if not n.startswith("code_challenge")]
    back, _ = Browser().open(parts._replace(query=urlencode(kept)).geturl())
    assert dict(parse_qsl(urlsplit(back).query))["error"] == "invalid_request"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "http://192.0.2.1/", "x:y"])
def test_it_sends_nobody_away_from_this_machine(local: IdentityProvider, elsewhere: str) -> None:
    attempt = client_of(local).begin()
    changed = attempt.url.replace(urlencode({"x": BACK})[2:], urlencode({"x": elsewhere})[2:])
    assert changed != attempt.url
    url, page = Browser().open(changed)
    assert url == changed
    assert "invalid_redirect_uri" in page


def test_it_publishes_what_globus_does(local: IdentityProvider) -> None:
    url = f"{local.issuer}/.well-known/openid-configuration"
    with urllib.request.urlopen(url, timeout=5) as reply:
        document = json.load(reply)
    assert document["token_endpoint_auth_methods_supported"] == ["client_secret_basic"]
    assert document["id_token_signing_alg_values_supported"] == ["RS512"]
    with urllib.request.urlopen(document["jwks_uri"], timeout=5) as reply:
        (key,) = json.load(reply)["keys"]
    assert (key["alg"], key["use"], "d" in key) == ("RS512", "sig", False)
    assert len(base64.urlsafe_b64decode(key["n"] + "==")) == 256


# its life


def test_a_restart_keeps_address_key_and_secret(home: Home, local: IdentityProvider) -> None:
    client = client_of(local)
    client.begin()
    kept = (home.state / "identity-keys.json").read_text()
    assert (home.state / "identity-keys.json").stat().st_mode & 0o077 == 0
    assert stop_identity(home)
    assert not stop_identity(home)
    assert start_identity(home).ready() == local
    assert start_identity(home).ready() == local
    assert (home.state / "identity-keys.json").read_text() == kept
    attempt = client.begin()
    client.finish(attempt, Browser().choose(attempt, str(AIKO["sub"])))


def test_it_is_started_again_after_a_crash_and_elsewhere_when_its_port_is_taken(
    home: Home, local: IdentityProvider
) -> None:
    record = processes.read_record(home.state / "identity.json")
    assert record is not None
    process = psutil.Process(record.pid)
    process.kill()
    process.wait(10)  # until its last thread has let go of the port
    assert start_identity(home).ready() == local
    stop_identity(home)
    with _taken(record.port):
        other = start_identity(home).ready()
    assert other.issuer != local.issuer
    assert other.client_secret == local.client_secret


def _taken(port: int) -> socket.socket:
    """The port, as soon as the kernel gives it: connections of before may still hold it."""
    until = time.monotonic() + 60
    while True:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def test_an_old_page_says_that_its_sign_in_has_ended(local: IdentityProvider) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(f"{local.issuer}/sign-in/of-yesterday", timeout=5)
    assert refusal.value.code == 400
    assert "begin again" in refusal.value.read().decode()


def test_a_sign_in_for_a_signature_is_new_bound_to_it_and_says_when_it_was(
    local: IdentityProvider,
) -> None:
    act = SigningAct(
        act_id="x-aaaaaaaaaaaaaaaa", user_id="u-aaaaaaaaaaaaaaaa", run_id="run-1", revision=0,
        samples=("pig",), meaning=Meaning.RELEASED, report_sha256="a" * 64, audit_head="",
        made_at=now(),
    )  # fmt: skip
    client = client_of(local)
    renewal = renewal_of(act, now())
    attempt = client.begin("/web/signing/x", renewal)
    assert {"prompt": "login", "max_age": "0"}.items() <= dict(
        parse_qsl(urlsplit(attempt.url).query)
    ).items()
    identity = client.finish(attempt, Browser().choose(attempt, AIKO["sub"]))
    done = confirmed(
        act, issuer=identity.issuer, signed_in_at=identity.signed_in_at,
        asked_at=renewal.asked_at, salt=renewal.salt, nonce=attempt.nonce, at=now(),
    )  # fmt: skip
    assert done.confirmation is not None
    assert abs((done.confirmation.signed_in_at - now()).total_seconds()) < 60
    usual = client.begin("/web")
    assert "prompt" not in dict(parse_qsl(urlsplit(usual.url).query))
