"""A status change of a Step Functions execution, as `ExecutionEnded`; None: a schedule, for the
sweep."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from porewatch.domain.errors import MessageRefused
from porewatch.domain.stage.cloud_events import ExecutionEnded
from porewatch.edge.envelopes import Envelope, checked

ENDED: TypeAdapter[ExecutionEnded] = TypeAdapter(ExecutionEnded)


def execution_ended(envelope: Envelope) -> ExecutionEnded | None:
    """The parser of both. MessageRefused when the event does not name its run."""
    if envelope.detail_type == "Scheduled Event":
        return None
    detail = envelope.detail or {}
    try:
        order = json.loads(detail["input"])
        fields: dict[str, Any] = {
            "run_id": order["run_id"],
            "revision": order["revision"],
            "status": detail["status"],
            "error": detail.get("error") or "",
            "cause": detail.get("cause") or "",
            "execution_arn": detail.get("executionArn") or "",
        }
    except (KeyError, TypeError, ValueError) as error:
        raise MessageRefused(
            f"a status change of an execution does not name its run: {error}."
        ) from error
    return checked(ENDED, fields, ExecutionEnded.__name__)
