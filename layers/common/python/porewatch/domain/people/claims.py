"""What the authorizer says of a request, and the functions behind it believe: strings, as API
Gateway carries them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model
from porewatch.domain.people.principal import Means
from porewatch.domain.people.roles import Scope


class Claims(Model):
    """Who asks, without his roles: those are read where they are needed, as they are then."""

    means: Means = Means.NOBODY
    user_id: str = ""
    scopes: Annotated[str, Field(description="of a token, by blanks; `*`: whatever he may")] = "*"
    until: Annotated[str, Field(description="when a token expires, as ISO 8601; else empty")] = ""
    session: Annotated[str, Field(description="digest of the session, of a browser")] = ""
    csrf: Annotated[str, Field(description="what a page of this session sends with changes")] = ""

    @property
    def scope_set(self) -> frozenset[Scope] | None:
        """None: everything the user may do."""
        return None if self.scopes == "*" else frozenset(map(Scope, self.scopes.split()))


NO_CLAIMS = Claims()


def scopes_text(scopes: frozenset[Scope]) -> str:
    """As `Claims` carry them.

    >>> scopes_text(frozenset({Scope.SUBMIT, Scope.READ}))
    'read submit'
    """
    return " ".join(sorted(scope.value for scope in scopes))
