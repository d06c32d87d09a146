"""Validates every uploaded object that no other function handles, once."""

from functools import partial

from porewatch.domain.errors import MessageRefused
from porewatch.edge import wiring
from porewatch.edge.envelopes import StoredObject, stored_object
from porewatch.edge.queue import on_queue
from porewatch.reads.check import check_stream
from porewatch.usecases.intake.answer_object import notify_bad_key
from porewatch.usecases.intake.validate_file import MOST_SECONDS, Arrival, handle_object


def validate(upload: StoredObject, error: Exception | None = None) -> None:
    handle_object(
        Arrival(key=upload.key, etag=upload.etag, sequencer=upload.sequencer or upload.time),
        error,
        raw=wiring.raw(),
        runs=wiring.runs(),
        check=partial(check_stream, seconds=MOST_SECONDS),
        inbox=wiring.inbox(),
        notices=wiring.notices(),
    )


def bad_key(upload: StoredObject, refusal: MessageRefused) -> None:
    notify_bad_key(upload.key, refusal, inbox=wiring.inbox(), notices=wiring.notices())


lambda_handler = on_queue(stored_object, again=wiring.again, last=validate, bad_key=bad_key)(
    validate
)
