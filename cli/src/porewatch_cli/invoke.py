"""Invoke a deployed function with the operator's credentials; return its response or error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.config import Config
from botocore.exceptions import ClientError

from porewatch.domain import errors
from porewatch.domain.base import Model
from porewatch.domain.errors import NotFound, PorewatchError, Unavailable

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack

M = TypeVar("M", bound=Model)
PATIENT = Config(read_timeout=250, retries={"total_max_attempts": 1})
"""The longest timeout of a function; no retries."""


def invoke_function(stack: Stack, function: str, order: Model, response_type: type[M]) -> M:
    """The response of `function` (e.g. `leftover-reaper`) to `order`.

    Raises the error of the function, by the name of its class; NotFound when the function does not
    exist; Unavailable for any other failure.
    """
    functions: Any = stack.session.client("lambda", endpoint_url=stack.endpoint, config=PATIENT)
    name = f"{stack.name}-{function}"
    try:
        response = functions.invoke(FunctionName=name, Payload=order.canonical_json().encode())
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            remedy = "deploy the template of this version."
            raise NotFound(f"there is no function {name}.", remedy=remedy) from error
        raise Unavailable(f"{name} could not be invoked: {error}") from error
    text = response["Payload"].read()
    if response.get("FunctionError"):
        raise _raised(name, json.loads(text))
    return response_type.model_validate_json(text)


def _raised(name: str, payload: dict[str, Any]) -> PorewatchError:
    message = str(payload.get("errorMessage", payload))
    kind = getattr(errors, str(payload.get("errorType")), None)
    if isinstance(kind, type) and issubclass(kind, PorewatchError):
        return kind(message)
    return Unavailable(f"{name} failed: {message}")
