"""What an identity provider publishes: its endpoints and its keys. Kept by the process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError
from pydantic import ValidationError

from porewatch.adapters.people.provider_http import Answer, ask, unreadable
from porewatch.domain.base import now
from porewatch.domain.errors import ConfigurationRefused
from porewatch.domain.people.oidc import TELL_OPERATOR, Endpoints, refused, shown
from porewatch.domain.reasons.reason import SignInCode, because

KEPT = timedelta(hours=1)
"""A key that the provider withdraws is believed no longer than this."""
REST = timedelta(minutes=1)
"""Between two questions for a key that we do not know: tokens name what they like."""
MOST_KEYS = 100

Key = jwk.RSAKey | jwk.ECKey


class Published:
    """Endpoints and signing keys of one issuer, fetched when they are needed."""

    def __init__(self, issuer: str, get: Callable[[str], Answer] = ask) -> None:
        self._issuer = issuer
        self._get = get
        self._endpoints: tuple[datetime, Endpoints] | None = None
        self._keys: tuple[datetime, dict[str, Key]] | None = None
        self._asked_again = datetime.min.replace(tzinfo=now().tzinfo)

    def endpoints(self) -> Endpoints:
        """Raises Unavailable, and ConfigurationRefused when the document is another issuer's."""
        if self._endpoints is None or now() - self._endpoints[0] > KEPT:
            self._endpoints = now(), self._discovered()
        return self._endpoints[1]

    def key(self, kid: str | None) -> Key:
        """The key `kid`; with no `kid`, the only one there is. An unknown one may be new: the keys
        are fetched once more, at most once a minute. Raises Unavailable, SignInRefused."""
        if self._keys is None or now() - self._keys[0] > KEPT:
            self._keys = now(), self._fetched()
        found = _chosen(self._keys[1], kid)
        if found is None and now() - self._asked_again > REST:
            self._asked_again = now()
            self._keys = now(), self._fetched()
            found = _chosen(self._keys[1], kid)
        if found is None:
            raise refused(SignInCode.SIGN_IN_TOKEN_KEY, kid=shown(kid or ""))
        return found

    def _discovered(self) -> Endpoints:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        document = self._good(url)
        try:
            found = Endpoints.model_validate(document)
        except ValidationError as error:
            raise unreadable(url, str(error.errors()[0]["loc"])) from error
        if found.issuer != self._issuer:
            why = because(
                SignInCode.SIGN_IN_ISSUER_DIFFERS, stated=shown(found.issuer), issuer=self._issuer
            )
            raise ConfigurationRefused(why, remedy=TELL_OPERATOR)
        return found

    def _fetched(self) -> dict[str, Key]:
        url = self.endpoints().jwks_uri
        listed = self._good(url).get("keys")
        if not isinstance(listed, list):
            raise unreadable(url, "it has no keys")
        made = ((str(one.get("kid", "")), _key(one)) for one in listed[:MOST_KEYS] if _signs(one))
        return {kid: key for kid, key in made if key is not None}

    def _good(self, url: str) -> dict[str, Any]:
        status, document = self._get(url)
        if status != 200:
            raise unreadable(url, f"HTTP {status}")
        return document


@cache
def published_by(issuer: str) -> Published:
    """The same for all sign-ins of this process."""
    return Published(issuer)


def _signs(one: object) -> bool:
    return isinstance(one, dict) and one.get("use", "sig") == "sig"


def _key(one: dict[str, Any]) -> Key | None:
    """A public key that a signature can be checked by. Keys of kinds that we do not know, and
    secrets (`oct`), are passed over."""
    try:
        key = jwk.import_key(one)
    except (JoseError, ValueError, TypeError):
        return None
    return key if isinstance(key, Key) else None


def _chosen(keys: dict[str, Key], kid: str | None) -> Key | None:
    if kid is None:
        return next(iter(keys.values())) if len(keys) == 1 else None
    return keys.get(kid)
