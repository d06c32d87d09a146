"""Translate AWS errors into PorewatchErrors; every adapter wraps every call in it.

    with translated("read the run", known={"NoSuchKey": lambda why: NotFound(why)}): client.get...

Codes in `known` become the error of the adapter. Throttling becomes Throttled, refusals that an
operator must fix become ConfigurationRefused, everything transient becomes Unavailable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from porewatch.domain.errors import (
    ConfigurationRefused,
    PorewatchError,
    Throttled,
    Unavailable,
)

THROTTLES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "ProvisionedThroughputExceededException",
        "LimitExceededException",
        "TransactionInProgressException",
        "TransactionConflictException",
        "TransactionCanceledException",  # failed conditions are handled before this
    }
)

Known = Mapping[str, Callable[[str], PorewatchError]]


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(doing: str, known: Known | None = None) -> Iterator[None]:
    """Run the block; `doing` ("read run-1") begins the text of every error it raises."""
    try:
        yield
    except ClientError as error:
        raise _ours(error, doing, known or {}) from error
    except (ConnectionError, HTTPClientError) as error:
        raise Unavailable(f"could not {doing}: {error}") from error


def _ours(error: ClientError, doing: str, known: Known) -> PorewatchError:
    code = code_of(error)
    detail = str(error.response.get("Error", {}).get("Message", ""))
    sentence = f"could not {doing}: {code}: {detail}"
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
    if code in known:
        return known[code](sentence)
    if code in THROTTLES:
        return Throttled(sentence)
    if 400 <= status < 500:
        return ConfigurationRefused(sentence)
    return Unavailable(sentence)
