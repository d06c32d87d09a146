"""Sign-in by OpenID Connect, without the network: what is asked, kept, and believed of an answer.

Authorization code flow with PKCE (S256). `people.id_token` checks the claims of the ID token;
`adapters.people.oidc_client` talks to the provider.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import ConfigurationRefused, SignInRefused
from porewatch.domain.people.provider_choices import GLOBUS, Algorithm, ClientAuthentication
from porewatch.domain.reasons.reason import SignInCode, because
from porewatch.domain.visible import visible

ATTEMPT_MINUTES = 10
"""A person may have to find a password or a telephone first."""
BEGIN_AGAIN = "begin the sign-in again."
TELL_OPERATOR = "tell whoever runs this site; the page on connecting sign-in says what to set."
LONGEST_PATH = 2000
LONGEST_WORD = 100
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_SITE_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""ASCII that shows, without the backslash, which browsers take for a slash."""


def secure_address(url: str) -> str:
    """`url` when it is by https, or by http at a loopback address (the local stand-in).

    Raises ConfigurationRefused.
    """
    if not _is_secure(url):
        why = because(SignInCode.SIGN_IN_NOT_HTTPS, url=shown(url))
        raise ConfigurationRefused(why, remedy=TELL_OPERATOR)
    return url


def _is_secure(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or not url.isprintable():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


SecureAddress = Annotated[str, AfterValidator(secure_address)]


class Provider(Model):
    """An identity provider, and this site as its client.

    `issuer` exactly as the provider states it. `algorithms`: how ID tokens may be signed; Globus
    signs by RS512, Amazon Cognito by RS256.
    """

    issuer: SecureAddress = GLOBUS
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: SecretStr = SecretStr("")
    redirect_uri: SecureAddress
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("RS512",)
    client_authentication: ClientAuthentication = "client_secret_basic"
    leeway_seconds: Annotated[int, Field(ge=0, le=300)] = 60


class Endpoints(Model):
    """What the provider publishes of itself (OpenID Connect Discovery)."""

    issuer: str
    authorization_endpoint: SecureAddress
    token_endpoint: SecureAddress
    jwks_uri: SecureAddress
    userinfo_endpoint: SecureAddress | None = None
    authorization_response_iss_parameter_supported: bool = False


class Renewal(Model):
    """That somebody signs in again, for the signature `act_id` alone, whose nonce is made with
    `salt`. `asked_at`: when he was sent to the provider."""

    act_id: str
    salt: str
    asked_at: Moment
    nonce: str


class Attempt(Model):
    """A sign-in that was begun. Send the browser to `url`, and keep this for that browser alone.

    `verifier` and `nonce` are secrets until the sign-in has finished. An attempt serves once:
    forget it before `finish` is called.
    """

    issuer: str
    state: str
    nonce: str
    verifier: str
    return_to: str
    expires_at: Moment
    url: str
    renewal: Annotated[
        Renewal | None, Field(description="None: a sign-in that begins a session")
    ] = None


class Identity(Model):
    """Whom the provider vouches for. (`issuer`, `subject`) is the person for ever; the rest are
    words about them that change, and that they may have chosen themselves.

    An e-mail address proves nothing unless `email_verified`.
    """

    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""
    preferred_username: str = ""
    signed_in_at: Annotated[
        Moment | None, Field(description="when, if the provider says it of this sign-in")
    ] = None


def site_path(text: str) -> str:
    """`text` when it is a path of this site, with its query; else an open redirect would be.

    >>> site_path("/runs?state=ended")
    '/runs?state=ended'

    Raises SignInRefused.
    """
    if len(text) > LONGEST_PATH or not _SITE_PATH.fullmatch(text):
        why = because(SignInCode.SIGN_IN_RETURN_ELSEWHERE, path=shown(text))
        raise SignInRefused(why, remedy="open the page that you want after signing in.")
    return text


def new_attempt(
    provider: Provider,
    endpoints: Endpoints,
    return_to: str,
    at: datetime,
    renewal: Renewal | None = None,
) -> Attempt:
    """An attempt with new secrets of 32 random bytes each. With a `renewal` the provider asks for
    the credentials again, even of who is signed in there. Raises SignInRefused (`site_path`)."""
    path = site_path(return_to)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    again = {}
    if renewal is not None:
        nonce, again = renewal.nonce, {"prompt": "login", "max_age": "0"}
    asked = {
        **again,
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "scope": " ".join(provider.scopes),
        "state": state,
        "nonce": nonce,
        "code_challenge": unpadded(sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    joint = "&" if urlsplit(endpoints.authorization_endpoint).query else "?"
    return Attempt(
        issuer=provider.issuer,
        state=state,
        nonce=nonce,
        verifier=verifier,
        return_to=path,
        expires_at=at + timedelta(minutes=ATTEMPT_MINUTES),
        url=f"{endpoints.authorization_endpoint}{joint}{urlencode(asked)}",
        renewal=renewal,
    )


def code_of_answer(
    attempt: Attempt, endpoints: Endpoints, query: Mapping[str, str], at: datetime
) -> str:
    """The code in the query with which the browser came back. Raises SignInRefused."""
    if not same(query.get("state", ""), attempt.state):
        raise refused(SignInCode.SIGN_IN_STATE_DIFFERS)
    if at >= attempt.expires_at:
        why = because(SignInCode.SIGN_IN_TOOK_TOO_LONG, minutes=ATTEMPT_MINUTES)
        raise SignInRefused(why, remedy=BEGIN_AGAIN)
    _check_sender(attempt, endpoints, query.get("iss"))
    if error := query.get("error"):
        raise refused(SignInCode.SIGN_IN_DECLINED, error=shown(error))
    if not (code := query.get("code")):
        raise refused(SignInCode.SIGN_IN_WITHOUT_CODE)
    return code


def _check_sender(attempt: Attempt, endpoints: Endpoints, stated: str | None) -> None:
    """An answer of another provider to this attempt would bring us its codes (RFC 9207)."""
    if stated is None and not endpoints.authorization_response_iss_parameter_supported:
        stated = endpoints.issuer
    if not stated == attempt.issuer == endpoints.issuer:
        why = {"stated": shown(stated or ""), "issuer": attempt.issuer}
        raise refused(SignInCode.SIGN_IN_OTHER_ISSUER, **why)


def refused(code: SignInCode, /, **values: str) -> SignInRefused:
    """For the person who signs in: to begin again."""
    return SignInRefused(because(code, **values), remedy=BEGIN_AGAIN)


def same(given: str, kept: str) -> bool:
    """Equality in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), kept.encode())


def shown(text: str) -> str:
    """A word of somebody else for a message: what shows of it, and not much."""
    return visible(text[:LONGEST_WORD])


def unpadded(data: bytes) -> str:
    """Base64 for addresses, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()
