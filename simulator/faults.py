"""How AWS refuses, as botocore raises it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError


def refusal(code: str, message: str = "", *, status: int = 400, **more: Any) -> ClientError:
    """A ClientError with this code."""
    response: Any = {
        "Error": {"Code": code, "Message": message or code},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **more,
    }
    return ClientError(response, "Simulated")


def lost_answer() -> ReadTimeoutError:
    """The call was carried out; its answer is lost."""
    return ReadTimeoutError(endpoint_url="https://aws.invalid", error="read timed out")
