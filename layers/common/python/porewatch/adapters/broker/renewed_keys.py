"""Credentials that are renewed while they are used: boto3 asks for new ones before each request
that finds them half used up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

import boto3
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.session import get_session

from porewatch.domain.base import now
from porewatch.domain.errors import Unavailable
from porewatch.domain.machines.machine_requests import RunCredentials

log = logging.getLogger(__name__)
RENEWED_AFTER, NEEDED_AFTER = 1 / 2, 5 / 6
"""Parts of their life after which new ones are tried for, and after which requests wait for them.
"""
PAUSE_S = 15.0
"""After a failure nobody is asked for so long: requests go on under what is left of the old ones.
"""


class RenewedKeys(DeferredRefreshableCredentials):
    """What `fetch` returns, fetched on first use and again in time. Thread-safe.

    An error of `fetch` is raised by whatever request needs the credentials. `life_s`: seconds for
    which they are used, if less than they live.
    """

    def __init__(self, fetch: Callable[[], RunCredentials], life_s: float | None = None) -> None:
        super().__init__(self._renewed, _Provider.METHOD)
        self._fetch, self._life_s = fetch, life_s
        self._failed: tuple[float, Unavailable] | None = None
        self.user_id = ""
        self.renewals = 0

    def _renewed(self) -> dict[str, str]:
        if self._failed is not None and time.monotonic() - self._failed[0] < PAUSE_S:
            raise self._failed[1]
        try:
            got = self._fetch()
        except Unavailable as error:
            self._failed = time.monotonic(), error
            raise
        self._failed = None
        at = now()
        life = (got.expires_at - at).total_seconds()
        if self._life_s is not None:
            life = min(life, self._life_s)
        until = at + timedelta(seconds=life)
        self._advisory_refresh_timeout = life * (1 - RENEWED_AFTER)
        self._mandatory_refresh_timeout = life * (1 - NEEDED_AFTER)
        self.user_id, self.renewals = got.user_id, self.renewals + 1
        log.info("credentials of %s until %s", got.user_id, until)
        return {
            "access_key": got.access_key_id,
            "secret_key": got.secret_access_key,
            "token": got.session_token,
            "expiry_time": until.isoformat(),
        }

    def session(self, region: str) -> boto3.Session:
        """A session whose clients sign with these."""
        core = get_session()
        core.register_component("credential_provider", CredentialResolver([_Provider(self)]))
        return boto3.Session(botocore_session=core, region_name=region)


class _Provider(CredentialProvider):
    METHOD = "porewatch-credential-broker"

    def __init__(self, keys: RenewedKeys) -> None:
        super().__init__()
        self._keys = keys

    def load(self) -> RenewedKeys:
        return self._keys
