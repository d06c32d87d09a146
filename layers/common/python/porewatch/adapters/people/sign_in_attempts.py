"""Sign-ins that were begun, each under the digest of a secret that one browser has."""

from __future__ import annotations

from porewatch.adapters.faults import translated
from porewatch.adapters.items import Item, loaded, wire
from porewatch.adapters.people.keys import secret_key
from porewatch.adapters.table import Table
from porewatch.domain.people.oidc import Attempt
from porewatch.domain.people.secrets import Kind, digest_of, is_secret, new_secret

LOGIN = "LOGIN"


class SignInAttempts:
    """They forget themselves (TTL)."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def keep(self, attempt: Attempt) -> str:
        """Keep it; the secret, for the browser that began it."""
        secret = new_secret(Kind.LOGIN)
        ttl = int(attempt.expires_at.timestamp())
        self._table.put_new(Item.of(secret_key(digest_of(secret)), LOGIN, attempt, ttl=ttl))
        return secret

    def take(self, secret: str) -> Attempt | None:
        """The attempt, for the first who asks: it is gone then."""
        if not is_secret(Kind.LOGIN, secret):
            return None
        key = wire({"pk": secret_key(digest_of(secret)), "sk": LOGIN})
        with translated("take a sign-in"):
            reply = self._table.client.delete_item(
                TableName=self._table.name, Key=key, ReturnValues="ALL_OLD"
            )
        was = reply.get("Attributes")
        return loaded(was).model(Attempt) if was else None
