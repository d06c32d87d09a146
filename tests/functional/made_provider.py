"""An identity provider that lies as a test tells it to: it signs with keys of its own, on a port of
the loopback address. The honest one is `porewatch_local.identity`."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jws
from joserfc.jwk import RSAKey

from porewatch.adapters.people.oidc_client import OidcClient
from porewatch.adapters.people.published import Published
from porewatch.domain.base import now
from porewatch.domain.people.id_token import half_hash
from porewatch.domain.people.oidc import Attempt, Identity, Provider

CLIENT, SECRET = "porewatch", "s3cret+/="
BACK = "https://porewatch.example/sign-in/back"
ACCESS = "an access token"
HERE, OTHER, NEW = "key-1", "key-of-nobody", "key-2"


@cache
def key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class MadeProvider:
    """What it publishes and answers; tests change it."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.discovery: dict[str, Any] = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
        }
        self.keys = [key(HERE).as_dict(private=False)]
        self.key_set: object = None
        """In place of the set of `keys`."""
        self.user: dict[str, Any] = {}
        """What `/user` says."""
        self.token_status = 200
        self.tokens: dict[str, Any] | None = None
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []
        """Path, form and headers of each request."""

    def client(self, **changes: Any) -> OidcClient:
        """Our client of it, with nothing fetched yet."""
        given = {"issuer": self.issuer, "client_id": CLIENT, "client_secret": SECRET,
                 "redirect_uri": BACK}  # fmt: skip
        provider = Provider.model_validate({**given, **changes})
        return OidcClient(provider, Published(provider.issuer))

    def claims(self, attempt: Attempt, **changes: Any) -> dict[str, Any]:
        """Those of an honest token; a claim that is changed to None is left out."""
        at = int(now().timestamp())
        made = {"iss": self.issuer, "sub": "u-1", "aud": CLIENT, "exp": at + 300, "iat": at,
                "nonce": attempt.nonce, "email": "mika@lab.example", "email_verified": True,
                "name": "Mika", "preferred_username": "mika@lab.example"}  # fmt: skip
        return {name: value for name, value in {**made, **changes}.items() if value is not None}

    def answers(
        self,
        claims: dict[str, Any],
        *,
        algorithm: str = "RS512",
        kid: str | None = HERE,
        signer: RSAKey | None = None,
    ) -> None:
        """From now on, the token endpoint gives a token with these claims."""
        header = {"alg": algorithm} | ({} if kid is None else {"kid": kid})
        if algorithm in ("none", "HS512"):
            token = self._signed_without_a_key(header, claims)
        else:
            with_key = signer or key(HERE)
            token = jws.serialize_compact(header, as_json(claims), with_key, [algorithm])
        self.tokens = {"id_token": token, "access_token": ACCESS, "token_type": "Bearer"}

    def _signed_without_a_key(self, header: dict[str, str], claims: dict[str, Any]) -> str:
        """By nothing, or by HMAC with the public key, which everybody has (joserfc refuses to)."""
        text = f"{unpadded(as_json(header))}.{unpadded(as_json(claims))}"
        public = key(HERE).as_pem(private=False)
        by_hmac = header["alg"] == "HS512"
        return f"{text}.{unpadded(hmac.digest(public, text.encode(), 'sha512')) if by_hmac else ''}"

    def sign_in(self, client: OidcClient | None = None, /, **changes: Any) -> Identity:
        """A whole sign-in; `changes` are claims, or `algorithm`, `kid`, `signer`."""
        client = client or self.client()
        attempt = client.begin("/runs")
        signing = {n: changes.pop(n) for n in ("algorithm", "kid", "signer") if n in changes}
        self.answers(self.claims(attempt, **changes), **signing)
        return client.finish(attempt, {"state": attempt.state, "code": "c-1"})

    def number_of(self, path: str) -> int:
        """How often it was asked for `path`."""
        return sum(one[0] == path for one in self.asked)


def access_hash(algorithm: str = "RS512") -> str:
    return half_hash(ACCESS, algorithm)


@contextmanager
def made_provider() -> Iterator[MadeProvider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append((self.path, {}, dict(self.headers)))
            if self.path == "/.well-known/openid-configuration":
                self._answer(200, made.discovery)
            elif self.path == "/keys":
                self._answer(200, made.key_set or {"keys": made.keys})
            elif self.path == "/user":
                self._answer(200, made.user)
            elif self.path == "/elsewhere":
                self.send_response(302)
                self.send_header("Location", f"{made.issuer}/keys")
                self.end_headers()
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(text).items()}
            made.asked.append((self.path, form, dict(self.headers)))
            self._answer(made.token_status, made.tokens or {"error": "invalid_grant"})

        def _answer(self, status: int, document: object) -> None:
            body = document if isinstance(document, bytes) else as_json(document)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = MadeProvider(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def query_of(attempt: Attempt) -> dict[str, str]:
    """What the client asks of the authorization endpoint."""
    return {n: v[0] for n, v in parse_qs(urlsplit(attempt.url).query).items()}
