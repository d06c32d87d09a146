"""Ask a deployed function by the operator's own credentials, and read its answer or its error."""

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
"""As long as any function may take; asked once."""


def ask_function(stack: Stack, function: str, order: Model, answer: type[M]) -> M:
    """The answer of `function` (`leftover-reaper`) to `order`.

    Raises what the function raised, by the name of its class; NotFound when there is no such
    function; Unavailable for everything else that went wrong.
    """
    functions: Any = stack.session.client("lambda", endpoint_url=stack.endpoint, config=PATIENT)
    name = f"{stack.name}-{function}"
    try:
        reply = functions.invoke(FunctionName=name, Payload=order.canonical_json().encode())
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            remedy = "deploy the template of this version."
            raise NotFound(f"there is no function {name}.", remedy=remedy) from error
        raise Unavailable(f"{name} could not be asked: {error}") from error
    text = reply["Payload"].read()
    if reply.get("FunctionError"):
        raise _raised(name, json.loads(text))
    return answer.model_validate_json(text)


def _raised(name: str, told: dict[str, Any]) -> PorewatchError:
    message = str(told.get("errorMessage", told))
    kind = getattr(errors, str(told.get("errorType")), None)
    if isinstance(kind, type) and issubclass(kind, PorewatchError):
        return kind(message)
    return Unavailable(f"{name} failed: {message}")
