"""The claims of an ID token whose signature is right: are they about this sign-in?

OpenID Connect Core 3.1.3.7, and RFC 8725.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from porewatch.domain.base import Model
from porewatch.domain.people.oidc import (
    Attempt,
    Identity,
    Provider,
    refused,
    same,
    shown,
    unpadded,
)
from porewatch.domain.reasons.reason import SignInCode
from porewatch.domain.visible import visible

LONGEST_WORDS = 320
"""Characters of a name or address that are kept (an e-mail address has no more)."""
_LAST_SECOND = 253_402_300_799


def _yes(value: object) -> object:
    """Amazon Cognito writes this claim as a string, too."""
    return value is True or value == "true"


def _words(value: object) -> object:
    """What people wrote of themselves, as others may see it."""
    return visible(value[:LONGEST_WORDS].strip()) if isinstance(value, str) else ""


Seconds = Annotated[float, Field(strict=True, ge=0, le=_LAST_SECOND)]
Words = Annotated[str, BeforeValidator(_words)]


class Profile(Model):
    """Words about a person, from the ID token or from the provider's user information."""

    sub: Annotated[str, Field(pattern=r"^[!-~][ -~]{0,254}$")]
    email: Words = ""
    email_verified: Annotated[bool, BeforeValidator(_yes)] = False
    name: Words = ""
    preferred_username: Words = ""

    def identity(self, issuer: str) -> Identity:
        return Identity(
            issuer=issuer,
            subject=self.sub,
            email=self.email,
            email_verified=self.email_verified and bool(self.email),
            name=self.name,
            preferred_username=self.preferred_username,
        )


class IdToken(Profile):
    """The claims that are read. Times are seconds since 1970."""

    iss: str
    aud: str | tuple[str, ...]
    exp: Seconds
    iat: Seconds
    nbf: Seconds | None = None
    nonce: str = ""
    auth_time: Seconds | None = None
    azp: str | None = None
    at_hash: str | None = None

    @property
    def audiences(self) -> tuple[str, ...]:
        return (self.aud,) if isinstance(self.aud, str) else self.aud


def identity_of(
    payload: bytes,
    provider: Provider,
    attempt: Attempt,
    *,
    algorithm: str,
    access_token: str,
    at: datetime,
) -> Identity:
    """Whom the token is about. `payload`: its claims as JSON, signed by `algorithm`.

    Raises SignInRefused with the first thing that is wrong.
    """
    token = _read(payload)
    _check_parties(token, provider)
    _check_times(token, at.timestamp(), provider.leeway_seconds)
    if not same(token.nonce, attempt.nonce):
        raise refused(SignInCode.SIGN_IN_TOKEN_NONCE)
    if token.at_hash is not None and not same(token.at_hash, half_hash(access_token, algorithm)):
        raise refused(SignInCode.SIGN_IN_TOKEN_ACCESS_HASH)
    signed_in_at = datetime.fromtimestamp(token.auth_time, UTC) if token.auth_time else None
    return token.identity(token.iss).model_copy(update={"signed_in_at": signed_in_at})


def with_user_information(identity: Identity, document: Mapping[str, Any]) -> Identity:
    """`identity` with what the provider's user information says of the same person (OpenID Connect
    Core 5.3.2). Raises SignInRefused when it is about another, and ValidationError."""
    found = Profile.model_validate(document)
    if found.sub != identity.subject:
        raise refused(SignInCode.SIGN_IN_OTHER_PERSON)
    more = found.identity(identity.issuer)
    return more.model_copy(
        update={
            "name": more.name or identity.name,
            "preferred_username": more.preferred_username or identity.preferred_username,
            "signed_in_at": identity.signed_in_at,  # user information does not know when
        }
    )


def half_hash(access_token: str, algorithm: str) -> str:
    """`at_hash`: the left half of the hash that the signature's algorithm names by its bits."""
    digest = hashlib.new(f"sha{algorithm[-3:]}", access_token.encode()).digest()
    return unpadded(digest[: len(digest) // 2])


def _read(payload: bytes) -> IdToken:
    try:
        return IdToken.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        why = shown(f"{where}: {first['msg']}" if where else first["msg"])
        raise refused(SignInCode.SIGN_IN_TOKEN_UNREADABLE, why=why) from error


def _check_parties(token: IdToken, provider: Provider) -> None:
    if token.iss != provider.issuer:
        raise refused(
            SignInCode.SIGN_IN_TOKEN_ISSUER, stated=shown(token.iss), issuer=provider.issuer
        )
    if provider.client_id not in token.audiences:
        raise refused(SignInCode.SIGN_IN_TOKEN_AUDIENCE)
    needed = len(token.audiences) > 1
    if (needed or token.azp is not None) and token.azp != provider.client_id:
        raise refused(SignInCode.SIGN_IN_TOKEN_PARTY, party=shown(token.azp or ""))


def _check_times(token: IdToken, at: float, leeway: int) -> None:
    if token.exp + leeway <= at:
        raise refused(SignInCode.SIGN_IN_TOKEN_EXPIRED, moment=_moment(token.exp))
    begins = max(token.iat, token.nbf or 0)
    if begins - leeway > at:
        raise refused(SignInCode.SIGN_IN_TOKEN_EARLY, moment=_moment(begins))


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
