"""A share of the requests to DynamoDB, S3 and SQS is refused as throttled, of callers that
`throttled.json` names (`porewatch_local.embedded.capacity_limits` writes it).

Why: AWS throttles who asks for much at once, and the engine never does; that work goes on all the
same is proved with refusals. Source of the codes: DynamoDB Developer Guide, "Error handling"; S3
User Guide, "Best practices design patterns"; SQS API Reference, "Common errors".
Delete when: the engine can be made to throttle.
"""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_evaluator, persistence
from ministack.core.responses import error_response_json
from ministack.services import s3

from ..rewriting import rewrite
from .request_counts import count_throttled

CODES = {"dynamodb": "ThrottlingException", "sqs": "RequestThrottled", "s3": "SlowDown"}
FRESH_S = 0.5
"""How long what the file said is believed."""

_dice = random.Random(14)  # noqa: S311 (which requests, no secret)
_read: dict[str, Any] = {"at": 0.0, "shares": {}}


def shares() -> dict[str, float]:
    """Part of a caller's ARN -> the share of his requests that is refused."""
    now = time.monotonic()
    if now - _read["at"] > FRESH_S:
        path = Path(persistence.STATE_DIR) / "throttled.json"
        _read.update(at=now, shares=json.loads(path.read_text()) if path.exists() else {})
    found: dict[str, float] = _read["shares"]
    return found


def refused(service: str, caller: str) -> Any:
    """The service's answer to a caller who is throttled; None: it goes on."""
    if service not in CODES:
        return None
    share = max((share for name, share in shares().items() if name in caller), default=0.0)
    if not share or _dice.random() >= share:
        return None
    count_throttled(caller)
    if service == "s3":
        return s3._error(CODES[service], "Please reduce your request rate.", 503)
    return error_response_json(CODES[service], "Rate exceeded.", 400)


def apply() -> None:
    rewrite(
        app,
        "_dispatch_service_request",
        (
            "    handler = SERVICE_HANDLERS.get(service)\n",
            "    if AUTH and (busy := _porewatch_busy(service, _porewatch_caller())):\n"
            "        return busy\n"
            "    handler = SERVICE_HANDLERS.get(service)\n",
        ),
        _porewatch_busy=refused,
        _porewatch_caller=iam_evaluator.caller_arn,
    )
