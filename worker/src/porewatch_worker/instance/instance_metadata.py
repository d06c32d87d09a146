"""The instance metadata service, version 2: a token first, then leaves; 404 is a normal answer.

The address comes from AWS_EC2_METADATA_SERVICE_ENDPOINT (the embedded AWS serves one per instance).
Source: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata".
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request

from porewatch.domain.errors import NotFound, Unavailable

TOKEN_SECONDS = 21600
ATTEMPTS = 3


class InstanceMetadata:
    """`endpoint` has no trailing `/latest`."""

    def __init__(self, endpoint: str, timeout_s: float = 2.0) -> None:
        self._base = endpoint.rstrip("/") + "/latest/"
        self._timeout = timeout_s
        self._token = ""
        self._token_until = 0.0

    def instance_id(self) -> str:
        return self._need("meta-data/instance-id")

    def tag(self, name: str) -> str:
        """An instance tag. NotFound when it is not set, or tags are not open to metadata."""
        return self._need(f"meta-data/tags/instance/{name}")

    def spot_action(self) -> str | None:
        """The interruption notice (JSON: action, time), or None while there is none."""
        return self.read("meta-data/spot/instance-action")

    def rebalance(self) -> str | None:
        """The rebalance recommendation (JSON: noticeTime), or None while there is none."""
        return self.read("meta-data/events/recommendations/rebalance")

    def read(self, leaf: str) -> str | None:
        """A leaf's text, or None for 404. Raises Unavailable when the service does not answer."""
        for attempt in range(ATTEMPTS):
            try:
                return self._get(leaf)
            except urllib.error.HTTPError as e:
                if e.code == 404:
                    return None
                self._token = ""  # 401: it has expired, or the service was restarted
                why: Exception = e
            except OSError as e:
                why = e
            time.sleep(0.2 * attempt)
        raise Unavailable(f"instance metadata {leaf} could not be read: {why}.") from why

    def _need(self, leaf: str) -> str:
        text = self.read(leaf)
        if text is None:
            raise NotFound(
                f"instance metadata has no {leaf}.",
                remedy="launch through the stack's launch template: it sets the tags and opens "
                "them to metadata.",
            )
        return text.strip()

    def _get(self, leaf: str) -> str:
        if not self._token or time.monotonic() > self._token_until:
            self._fetch_token()
        return self._ask(leaf, "GET", {"X-aws-ec2-metadata-token": self._token})

    def _fetch_token(self) -> None:
        wish = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_SECONDS)}
        self._token = self._ask("api/token", "PUT", wish)
        self._token_until = time.monotonic() + TOKEN_SECONDS / 2

    def _ask(self, leaf: str, method: str, headers: dict[str, str]) -> str:
        request = urllib.request.Request(self._base + leaf, method=method, headers=headers)  # noqa: S310 - our own address
        with _NO_PROXY.open(request, timeout=self._timeout) as reply:
            return str(reply.read().decode())


_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
