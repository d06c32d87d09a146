"""At the global address a young bucket of another region redirects, which ends a signed link.

Why: a link that names no region works here at once, and on AWS hours after the deploy: until the
name is known everywhere the global address answers 307 with the regional one, where the signature,
which covers the host, does not match.
Source: boto/boto3#4768; ansible-collections/community.aws#637; S3 User Guide, "Making requests",
"Temporary request redirection".
Delete when: the engine redirects.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from ministack import app
from ministack.services import s3

from ..rewriting import rewrite

YOUNG = timedelta(hours=24)
GLOBAL_HOME = "us-east-1"
_GLOBAL = re.compile(r"s3\.((?:amazonaws\.com|localhost)(?::\d+)?)")
"""The global address; on this machine, whose front door takes no other name, `s3.localhost`."""


def redirected(bucket: str, host: str, path: str, query: dict[str, Any]) -> Any:
    """The redirection, or None where the address is right or the bucket old enough."""
    home = s3.bucket_region(bucket)
    named = _GLOBAL.fullmatch(host.lower().removeprefix(f"{bucket}."))
    if not named or home in (None, GLOBAL_HOME) or not _young(bucket):
        return None
    there = f"{bucket}.s3.{home}.{named[1]}"
    query_string = urlencode(query, doseq=True)
    where = {"Location": f"//{there}{path}{'?' if query_string else ''}{query_string}"}
    message = "Please re-send this request to the specified temporary endpoint."
    return s3._error(
        "TemporaryRedirect", message, 307, path, extra={"Endpoint": there}, headers=where
    )


def _young(bucket: str) -> bool:
    made = datetime.fromisoformat(str(s3._buckets[bucket]["created"]).replace("Z", "+00:00"))
    made = made if made.tzinfo else made.replace(tzinfo=UTC)
    return datetime.now(UTC) - made < YOUNG


def apply() -> None:
    rewrite(
        app,
        "_handle_s3_vhost_request",
        (
            "    # An access point ARN is addressed as",
            "    redirected = _porewatch_redirected(bucket, host, path, query_params)\n"
            "    if redirected:\n        return redirected\n"
            "    # An access point ARN is addressed as",
        ),
        _porewatch_redirected=redirected,
    )
