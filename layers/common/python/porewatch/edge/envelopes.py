"""Unwrap the envelopes that AWS puts around a message.

Order: `Envelope`, opening a queue body, the parsers that functions name in their decorator
(`parse_fact`, `stored_object`), and `parser_of`, which makes one out of a model.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from porewatch.domain.base import Count, Model
from porewatch.domain.errors import MessageRefused
from porewatch.domain.facts.events import FACTS
from porewatch.domain.facts.fact import Fact
from porewatch.domain.mail.suppression import DETAIL_TYPES, MailFeedback
from porewatch.domain.mail.user_occasions import USER_EVENTS, UserEvent

T = TypeVar("T")
SES = "aws.ses"
"""Source of its events on EventBridge."""


class Envelope(Model):
    """One message: `detail` is its content; the rest is empty unless EventBridge delivered it."""

    detail: Any
    detail_type: str = ""
    source: str = ""
    event_id: str = ""
    time: str = ""
    replay_name: str | None = None
    resources: tuple[str, ...] = ()


class StoredObject(Model):
    """An "Object Created" event of S3 by EventBridge (keys are not URL-encoded). `etag` without
    quotes, `size` in bytes.

    `sequencer` orders the events of one key: pad the shorter with zeros on the right, compare.
    """

    bucket: str
    key: str
    size: Count
    etag: str
    version: str | None = None
    sequencer: str | None = None
    event_id: str = ""
    time: str = ""
    replay_name: str | None = None


Parser = Callable[[Envelope], T]
Shape = type[T] | TypeAdapter[T] | Parser[T]


_SHAPE, _STORED = TypeAdapter(Envelope), TypeAdapter(StoredObject)
_NAMES = {
    "detail": "detail",
    "detail-type": "detail_type",
    "source": "source",
    "id": "event_id",
    "time": "time",
    "replay-name": "replay_name",
    "resources": "resources",
}
"""EventBridge's field name -> ours."""


def opened(payload: Any) -> Envelope:
    """Unwrap EventBridge's envelope when there is one. Raises MessageRefused for invalid fields."""
    if not (isinstance(payload, dict) and "detail-type" in payload and "detail" in payload):
        return Envelope(detail=payload)
    fields = {field: payload[name] for name, field in _NAMES.items() if name in payload}
    return checked(_SHAPE, fields, "message")


def opened_text(body: str) -> Envelope:
    """`opened`, from a queue's body. Raises MessageRefused when it is not JSON."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MessageRefused(f"a message is not JSON: {error}. It begins {body[:80]!r}.") from error
    return opened(payload)


def parser_of(shape: Shape[T]) -> Parser[T]:
    """A function of the envelope: `shape` itself, or the model `shape` read from `detail`."""
    if isinstance(shape, TypeAdapter):
        return lambda envelope: checked(shape, envelope.detail, envelope.detail_type)
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        adapter: TypeAdapter[Any] = TypeAdapter(shape)
        return lambda envelope: checked(adapter, envelope.detail, shape.__name__)
    return shape  # type: ignore[return-value]


def checked(adapter: TypeAdapter[T], value: Any, name: str) -> T:
    """`value` as the type of the adapter, or MessageRefused naming the first invalid field."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise _refused(error, name) from error


def checked_json(adapter: TypeAdapter[T], text: str, name: str) -> T:
    """JSON as the type of the adapter, and nothing converted into it; raises as `checked`."""
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        raise _refused(error, name) from error


def _refused(error: ValidationError, name: str) -> MessageRefused:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the top level"
    what = f"a {name}" if name else "a message"
    return MessageRefused(f"{what} is refused: {first['msg']} at {where}.")


def parse_fact(envelope: Envelope) -> Fact:
    """The parser for queues of facts. Unknown detail types are refused."""
    cls = FACTS.get(envelope.detail_type)
    if cls is None:
        raise MessageRefused(f"{envelope.detail_type!r} is not a known fact.")
    return checked(TypeAdapter(cls), envelope.detail, cls.__name__)


def parse_of_mail(envelope: Envelope) -> Fact | UserEvent | MailFeedback:
    """The parser for the queue of mail: facts, events about users, and what SES says of mail that
    it sent."""
    if envelope.source == SES and envelope.detail_type in DETAIL_TYPES:
        return checked(TypeAdapter(MailFeedback), envelope.detail, envelope.detail_type)
    if about_user := USER_EVENTS.get(envelope.detail_type):
        return checked(TypeAdapter(about_user), envelope.detail, envelope.detail_type)
    return parse_fact(envelope)


def stored_object(envelope: Envelope) -> StoredObject:
    """The parser for queues of S3 events."""
    try:
        found, bucket = envelope.detail["object"], envelope.detail["bucket"]["name"]
        fields = {
            "bucket": bucket,
            "key": found["key"],
            "size": found.get("size", 0),
            "etag": str(found.get("etag", "")).strip('"'),
            "version": found.get("version-id") or None,
            "sequencer": found.get("sequencer"),
            "event_id": envelope.event_id,
            "time": envelope.time,
            "replay_name": envelope.replay_name,
        }
    except (KeyError, TypeError) as error:
        raise MessageRefused(f"an event of S3 lacks {error}.") from error
    return checked(_STORED, fields, "event of S3")
