"""Sign-in against a provider that lies: every lie is refused by its code."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from joserfc.jwk import OctKey

from porewatch.adapters.people import published
from porewatch.adapters.people.provider_http import ask
from porewatch.domain import base
from porewatch.domain.base import now
from porewatch.domain.errors import (
    ConfigurationRefused,
    PorewatchError,
    SignInRefused,
    Unavailable,
)
from porewatch.domain.people.oidc import Identity
from tests.functional.made_provider import (
    ACCESS,
    BACK,
    CLIENT,
    HERE,
    NEW,
    OTHER,
    SECRET,
    MadeProvider,
    access_hash,
    key,
    made_provider,
    query_of,
    unpadded,
)


@pytest.fixture
def made() -> Iterator[MadeProvider]:
    with made_provider() as provider:
        yield provider


def hurry(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """The clock goes `by` further than it does."""
    monkeypatch.setattr(base, "clock", lambda: base.wall() + by)


def test_a_person_is_signed_in(made: MadeProvider) -> None:
    assert made.sign_in(at_hash=access_hash(), azp=CLIENT) == Identity(
        issuer=made.issuer,
        subject="u-1",
        email="mika@lab.example",
        email_verified=True,
        name="Mika",
        preferred_username="mika@lab.example",
    )


def test_what_the_provider_is_asked(made: MadeProvider) -> None:
    client = made.client()
    attempt = client.begin("/runs?state=ended")
    asked = query_of(attempt)
    assert attempt.url.startswith(f"{made.issuer}/authorize?")
    assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
    assert (asked["redirect_uri"], asked["scope"]) == (BACK, "openid email profile")
    assert (asked["state"], asked["nonce"]) == (attempt.state, attempt.nonce)
    assert asked["code_challenge_method"] == "S256"
    assert asked["code_challenge"] == unpadded(sha256(attempt.verifier.encode()).digest())
    for secret in (attempt.state, attempt.nonce, attempt.verifier):
        assert len(base64.urlsafe_b64decode(secret + "==")) == 32

    made.answers(made.claims(attempt))
    client.finish(attempt, {"state": attempt.state, "code": "c 1"})
    path, form, headers = made.asked[-2]
    assert path == "/token"
    assert form == {"grant_type": "authorization_code", "code": "c 1", "redirect_uri": BACK,
                    "code_verifier": attempt.verifier}  # fmt: skip
    wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    assert headers["Authorization"] == f"Basic {wanted}"


def test_two_attempts_share_no_secret(made: MadeProvider) -> None:
    first, second = (made.client().begin() for _ in range(2))
    secrets = {s for a in (first, second) for s in (a.state, a.nonce, a.verifier)}
    assert len(secrets) == 6


@pytest.mark.parametrize("way", ["client_secret_post", "none"])
def test_other_ways_to_authenticate_by_configuration(made: MadeProvider, way: str) -> None:
    made.sign_in(made.client(client_authentication=way))
    _, form, headers = made.asked[-2]
    assert "Authorization" not in headers
    assert form["client_id"] == CLIENT
    assert form.get("client_secret") == (SECRET if way == "client_secret_post" else None)


AT = int(base.wall().timestamp())
LIES: dict[str, tuple[str, dict[str, Any]]] = {
    "another issuer": ("issuer", {"iss": "https://evil.example"}),
    "the issuer with a slash more": ("issuer", {"iss": "http://127.0.0.1/"}),
    "another client": ("audience", {"aud": "another"}),
    "no client": ("audience", {"aud": []}),
    "several clients, and nobody says whose": ("party", {"aud": [CLIENT, "another"]}),
    "several clients, issued to another": (
        *("party", {"aud": [CLIENT, "another"], "azp": "another"}),
    ),
    "issued to another": ("party", {"azp": "another"}),
    "another nonce": ("nonce", {"nonce": "n-0"}),
    "no nonce": ("nonce", {"nonce": None}),
    "a key that is not published": ("key", {"kid": OTHER, "signer": key(OTHER)}),
    "another key under a published name": ("signature", {"signer": key(OTHER)}),
    "no signature": ("algorithm", {"algorithm": "none"}),
    "HMAC by the public key": ("algorithm", {"algorithm": "HS512"}),
    "an algorithm that is not allowed": ("algorithm", {"algorithm": "RS256"}),
    "expired": ("expired", {"exp": AT - 120, "iat": AT - 600}),
    "issued tomorrow": ("early", {"iat": AT + 86_400, "exp": AT + 90_000}),
    "valid from tomorrow": ("early", {"nbf": AT + 86_400, "exp": AT + 90_000}),
    "another access token": ("access_hash", {"at_hash": access_hash("RS256")}),
    "no subject": ("unreadable", {"sub": None}),
    "an empty subject": ("unreadable", {"sub": ""}),
    "no end": ("unreadable", {"exp": None}),
    "an end in words": ("unreadable", {"exp": "9999999999"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_lies_is_refused(made: MadeProvider, lie: str) -> None:
    code, changes = LIES[lie]
    with pytest.raises(SignInRefused) as refusal:
        made.sign_in(**changes)
    assert refusal.value.code == f"sign_in_token_{code}"
    assert refusal.value.remedy


@pytest.mark.parametrize("end", ["", ".", "a.b", "a.b.c.d", "ä.b.c"])
def test_what_is_no_token_is_refused(made: MadeProvider, end: str) -> None:
    client = made.client()
    attempt = client.begin()
    made.tokens = {"id_token": end, "access_token": ACCESS}
    with pytest.raises(SignInRefused) as refusal:
        client.finish(attempt, {"state": attempt.state, "code": "c"})
    assert refusal.value.code == "sign_in_token_unreadable"


def test_clocks_may_differ_by_a_minute(made: MadeProvider) -> None:
    at = int(base.now().timestamp())
    made.sign_in(exp=at - 30, iat=at + 30)


@pytest.mark.parametrize(
    ("code", "query"),
    [
        ("sign_in_state_differs", {"state": "another", "code": "c"}),
        ("sign_in_state_differs", {"state": "", "code": "c"}),
        ("sign_in_state_differs", {"code": "c"}),
        ("sign_in_state_differs", {"state": "é\udc80", "code": "c"}),
        ("sign_in_declined", {"error": "access_denied", "error_description": "<b>no</b>"}),
        ("sign_in_without_code", {}),
        ("sign_in_other_issuer", {"iss": "https://evil.example", "code": "c"}),
    ],
)
def test_an_answer_that_is_not_to_be_believed(
    made: MadeProvider, code: str, query: dict[str, str]
) -> None:
    client = made.client()
    attempt = client.begin()
    state = {} if code == "sign_in_state_differs" else {"state": attempt.state}
    with pytest.raises(SignInRefused) as refusal:
        client.finish(attempt, state | query)
    assert refusal.value.code == code
    assert made.number_of("/token") == 0


def test_a_provider_that_promises_to_name_itself_has_to(made: MadeProvider) -> None:
    made.discovery["authorization_response_iss_parameter_supported"] = True
    with pytest.raises(SignInRefused) as refusal:
        made.sign_in()
    assert refusal.value.code == "sign_in_other_issuer"


def test_an_attempt_ends(made: MadeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    client = made.client()
    attempt = client.begin()
    hurry(monkeypatch, timedelta(minutes=10))
    with pytest.raises(SignInRefused) as refusal:
        client.finish(attempt, {"state": attempt.state, "code": "c"})
    assert refusal.value.code == "sign_in_took_too_long"


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        ("invalid_grant", "sign_in_code_refused", SignInRefused),
        ("invalid_client", "sign_in_client_refused", ConfigurationRefused),
    ],
)
def test_a_token_endpoint_that_refuses(
    made: MadeProvider, error: str, code: str, kind: type[PorewatchError]
) -> None:
    client = made.client()
    attempt = client.begin()
    made.token_status, made.tokens = 400, {"error": error}
    with pytest.raises(kind) as refusal:
        client.finish(attempt, {"state": attempt.state, "code": "c"})
    assert refusal.value.code == code


# what it publishes


def test_discovery_that_states_another_issuer_is_refused(made: MadeProvider) -> None:
    made.discovery["issuer"] = "https://evil.example"
    with pytest.raises(ConfigurationRefused) as refusal:
        made.client().begin()
    assert refusal.value.code == "sign_in_issuer_differs"


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_an_endpoint_without_https_is_refused(made: MadeProvider, name: str) -> None:
    made.discovery[name] = "http://192.0.2.1/there"
    with pytest.raises(ConfigurationRefused) as refusal:
        made.client().begin()
    assert refusal.value.code == "sign_in_not_https"


def test_a_redirect_is_not_followed(made: MadeProvider) -> None:
    made.discovery["jwks_uri"] = f"{made.issuer}/elsewhere"
    with pytest.raises(Unavailable):
        made.sign_in()
    assert made.number_of("/keys") == 0


@pytest.mark.parametrize(
    "document", [b"[]", b"{}", b"not json", b"[" * 200_000, b" " * (2**20 + 1)]
)
def test_discovery_that_cannot_be_read(made: MadeProvider, document: Any) -> None:
    made.discovery = document
    with pytest.raises(Unavailable) as refusal:
        made.client().begin()
    assert refusal.value.code == "sign_in_provider_unreadable"


def test_a_document_without_end_is_not_read(made: MadeProvider) -> None:
    made.discovery["more"] = "x" * 2**20
    with pytest.raises(Unavailable) as refusal:
        made.client().begin()
    assert refusal.value.code == "sign_in_provider_unreadable"
    assert "more than 1,048,576 bytes" in refusal.value.problem


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "file:///etc/passwd"])
def test_nothing_else_than_https_is_asked(url: str) -> None:
    with pytest.raises(ConfigurationRefused) as refusal:
        ask(url)
    assert refusal.value.code == "sign_in_not_https"


@pytest.mark.parametrize("key_set", [[key(HERE).as_dict(private=False)], {"keys": 7}, {"x": 1}])
def test_a_key_set_that_cannot_be_read(made: MadeProvider, key_set: object) -> None:
    made.key_set = key_set
    with pytest.raises(Unavailable) as refusal:
        made.sign_in()
    assert refusal.value.code == "sign_in_provider_unreadable"


def test_a_provider_that_does_not_answer() -> None:
    with made_provider() as gone:
        client = gone.client()
    with pytest.raises(Unavailable) as refusal:
        client.begin()
    assert refusal.value.code == "sign_in_provider_silent"


def test_a_new_key_is_fetched_once_and_strangers_do_not_make_us_ask(
    made: MadeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = made.client()
    made.sign_in(client)
    made.keys.append(key(NEW).as_dict(private=False))
    made.sign_in(client, kid=NEW, signer=key(NEW))
    assert made.number_of("/keys") == 2
    for _ in range(3):
        with pytest.raises(SignInRefused):
            made.sign_in(client, kid=OTHER, signer=key(OTHER))
    assert made.number_of("/keys") == 2
    hurry(monkeypatch, published.REST + timedelta(seconds=1))
    with pytest.raises(SignInRefused):
        made.sign_in(client, kid=OTHER, signer=key(OTHER))
    assert made.number_of("/keys") == 3
    assert made.number_of("/.well-known/openid-configuration") == 1


def test_a_withdrawn_key_is_believed_for_an_hour_at_most(
    made: MadeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = made.client()
    made.sign_in(client)
    made.keys = [key(NEW).as_dict(private=False)]
    hurry(monkeypatch, published.KEPT + timedelta(seconds=1))
    with pytest.raises(SignInRefused) as refusal:
        made.sign_in(client)
    assert refusal.value.code == "sign_in_token_key"


def test_keys_that_are_not_for_signatures_are_passed_over(made: MadeProvider) -> None:
    secret = OctKey.import_key("x" * 64, {"kid": OTHER})
    made.keys += [
        {**key(NEW).as_dict(private=False), "use": "enc"},
        secret.as_dict(private=True),
        {"kty": "of tomorrow", "kid": "x"},
    ]
    made.sign_in()
    for kid in (NEW, OTHER, "x"):
        with pytest.raises(SignInRefused) as refusal:
            made.sign_in(kid=kid)
        assert refusal.value.code == "sign_in_token_key"


def test_a_token_may_name_no_key_where_there_is_one(made: MadeProvider) -> None:
    made.sign_in(kid=None)
    made.keys.append(key(NEW).as_dict(private=False))
    with pytest.raises(SignInRefused) as refusal:
        made.sign_in(kid=None)
    assert refusal.value.code == "sign_in_token_key"


# words of people


def test_words_of_people_are_shown_as_they_may_be_seen(made: MadeProvider) -> None:
    found = made.sign_in(name="Mi\u202eka\n" + "x" * 999, email=7, preferred_username=None)
    assert found.name.startswith("Mi[U+202E]ka[U+000A]xxx")
    assert (found.email, found.email_verified, found.preferred_username) == ("", False, "")


@pytest.mark.parametrize(
    ("claim", "verified"),
    [(True, True), ("true", True), (False, False), ("false", False), ("yes", False), (None, False)],
)
def test_an_address_is_verified_where_the_provider_says_so(
    made: MadeProvider, claim: Any, verified: bool
) -> None:
    assert made.sign_in(email_verified=claim).email_verified is verified


LITTLE = {"email": None, "email_verified": None, "name": None, "preferred_username": None}
MORE = {"sub": "u-1", "email": "mika@lab.example", "email_verified": True, "name": "Mika"}


def test_what_the_token_does_not_say_is_asked_for(made: MadeProvider) -> None:
    assert made.sign_in(**LITTLE).email == ""
    made.discovery["userinfo_endpoint"] = f"{made.issuer}/user"
    made.user = MORE
    at = now().replace(microsecond=0)
    little = LITTLE | {"preferred_username": "mika", "auth_time": int(at.timestamp())}
    found = made.sign_in(**little)
    assert found == Identity(
        issuer=made.issuer,
        subject="u-1",
        email="mika@lab.example",
        email_verified=True,
        name="Mika",
        preferred_username="mika",
        signed_in_at=at,
    )
    (asked,) = (headers for path, _, headers in made.asked if path == "/user")
    assert asked["Authorization"] == f"Bearer {ACCESS}"
    made.sign_in()
    assert made.number_of("/user") == 1


def test_user_information_about_another_person_is_refused(made: MadeProvider) -> None:
    made.discovery["userinfo_endpoint"] = f"{made.issuer}/user"
    made.user = MORE | {"sub": "u-2"}
    with pytest.raises(SignInRefused) as refusal:
        made.sign_in(**LITTLE)
    assert refusal.value.code == "sign_in_other_person"


@pytest.mark.parametrize("address", ["user", "nowhere"])
def test_user_information_that_cannot_be_read(made: MadeProvider, address: str) -> None:
    made.discovery["userinfo_endpoint"] = f"{made.issuer}/{address}"
    with pytest.raises(Unavailable) as refusal:
        made.sign_in(**LITTLE)
    assert refusal.value.code == "sign_in_provider_unreadable"
