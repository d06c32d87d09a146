"""Signs a person in at an OpenID provider: begin, and finish when the browser is back.

    client = OidcClient(Provider(client_id=..., client_secret=..., redirect_uri=...))
    attempt = client.begin("/runs")            # keep it for this browser; send it to attempt.url
    identity = client.finish(attempt, query)   # the query of redirect_uri; then to return_to

Each refusal has a code (`domain.reasons.sign_in_codes`) and a remedy, in one of three classes:
SignInRefused (the person begins again), Unavailable (the provider does not answer; later),
ConfigurationRefused (the operator has to correct the set-up).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from joserfc import jws
from joserfc.errors import JoseError
from pydantic import ValidationError

from porewatch.adapters.people.provider_http import ask, unreadable
from porewatch.adapters.people.published import Published, published_by
from porewatch.domain.base import now
from porewatch.domain.errors import ConfigurationRefused
from porewatch.domain.people.id_token import identity_of, with_user_information
from porewatch.domain.people.oidc import (
    TELL_OPERATOR,
    Attempt,
    Identity,
    Provider,
    Renewal,
    code_of_answer,
    new_attempt,
    refused,
    shown,
)
from porewatch.domain.reasons.reason import SignInCode, because

OUR_FAULT = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type"})
"""Errors of the token endpoint that no new sign-in corrects (RFC 6749 5.2)."""


class OidcClient:
    """Of one provider. It holds nothing of a person; one may serve all requests of a process."""

    def __init__(self, provider: Provider, published: Published | None = None) -> None:
        self._provider = provider
        self._published = published or published_by(provider.issuer)

    def begin(self, return_to: str = "/", renewal: Renewal | None = None) -> Attempt:
        """A new attempt, after which the person lands at the path `return_to` of this site.
        `renewal`: he signs in again, for one signature.

        Raises SignInRefused for an address elsewhere, Unavailable and ConfigurationRefused.
        """
        return new_attempt(self._provider, self._published.endpoints(), return_to, now(), renewal)

    def finish(self, attempt: Attempt, query: Mapping[str, str]) -> Identity:
        """Whom the provider vouches for. `query`: of the request to `redirect_uri`.

        Raises SignInRefused, Unavailable and ConfigurationRefused.
        """
        code = code_of_answer(attempt, self._published.endpoints(), query, now())
        id_token, access_token = self._exchanged(code, attempt.verifier)
        payload, algorithm = self._verified(id_token)
        identity = identity_of(
            payload,
            self._provider,
            attempt,
            algorithm=algorithm,
            access_token=access_token,
            at=now(),
        )
        return identity if identity.email else self._asked_about(identity, access_token)

    def _asked_about(self, identity: Identity, access_token: str) -> Identity:
        """Some providers put nothing but the subject into the ID token."""
        url = self._published.endpoints().userinfo_endpoint
        if url is None:
            return identity
        status, document = ask(url, headers={"Authorization": f"Bearer {access_token}"})
        if status != 200:
            raise unreadable(url, f"HTTP {status}")
        try:
            return with_user_information(identity, document)
        except ValidationError as error:
            raise unreadable(url, str(error.errors()[0]["loc"])) from error

    def _exchanged(self, code: str, verifier: str) -> tuple[str, str]:
        """ID token and access token for the code, which the provider takes once."""
        url = self._published.endpoints().token_endpoint
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._provider.redirect_uri,
            "code_verifier": verifier,
        }
        headers = {}
        secret = self._provider.client_secret.get_secret_value()
        if self._provider.client_authentication == "client_secret_basic":
            headers["Authorization"] = _basic(self._provider.client_id, secret)
        else:
            form["client_id"] = self._provider.client_id
        if self._provider.client_authentication == "client_secret_post":
            form["client_secret"] = secret
        status, document = ask(url, form=form, headers=headers)
        if status != 200:
            raise self._not_exchanged(url, status, str(document.get("error", "")))
        tokens = document.get("id_token"), document.get("access_token")
        if not (isinstance(tokens[0], str) and isinstance(tokens[1], str)):
            raise unreadable(url, "it lacks the ID token or the access token")
        return tokens[0], tokens[1]

    def _not_exchanged(self, url: str, status: int, error: str) -> Exception:
        if not error:
            return unreadable(url, f"HTTP {status}")
        if error in OUR_FAULT:
            why = because(
                SignInCode.SIGN_IN_CLIENT_REFUSED, issuer=self._provider.issuer, error=shown(error)
            )
            return ConfigurationRefused(why, remedy=TELL_OPERATOR)
        return refused(SignInCode.SIGN_IN_CODE_REFUSED, error=shown(error))

    def _verified(self, id_token: str) -> tuple[bytes, str]:
        """The claims as JSON and the algorithm, of a token that one of the provider's keys signed.

        The token's header chooses among the allowed algorithms and the published keys; it brings
        neither.
        """
        try:
            token = jws.extract_compact(id_token.encode())
            header = token.headers()
        except (JoseError, ValueError) as error:
            why = shown(str(error))
            raise refused(SignInCode.SIGN_IN_TOKEN_UNREADABLE, why=why) from error
        algorithm, kid = header.get("alg"), header.get("kid")
        allowed = self._provider.algorithms
        if algorithm not in allowed:
            raise refused(
                SignInCode.SIGN_IN_TOKEN_ALGORITHM,
                algorithm=shown(str(algorithm)),
                allowed=", ".join(allowed),
            )
        key = self._published.key(kid if isinstance(kid, str) else None)
        try:
            right = jws.validate_compact(token, key, [algorithm])
        except (JoseError, ValueError) as error:
            raise refused(SignInCode.SIGN_IN_TOKEN_SIGNATURE) from error
        if not right:
            raise refused(SignInCode.SIGN_IN_TOKEN_SIGNATURE)
        return token.payload, algorithm


def _basic(client_id: str, secret: str) -> str:
    """As they are. RFC 6749 2.3.1 would have them encoded like a form's fields, which Globus's own
    SDK does not do, and its secrets have `+` in them; those of others are the same either way."""
    return f"Basic {b64encode(f'{client_id}:{secret}'.encode()).decode()}"
