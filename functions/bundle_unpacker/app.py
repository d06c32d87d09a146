"""Unpacks a run archive, wherever it is uploaded, into a run or its next revision, and seals it."""

from porewatch.adapters.ledger.retention import Endings
from porewatch.domain.errors import MessageRefused
from porewatch.edge import wiring
from porewatch.edge.envelopes import StoredObject, stored_object
from porewatch.edge.queue import on_queue
from porewatch.usecases.intake.answer_object import notify_bad_key
from porewatch.usecases.intake.claim_run_archive import UnpackContext
from porewatch.usecases.intake.handle_run_archive import handle_run_archive


def unpack(upload: StoredObject, error: Exception | None = None) -> None:
    endings = Endings(wiring.table())
    context = UnpackContext(
        wiring.raw(), wiring.runs(), wiring.manifests(), endings, wiring.admission()
    )
    handle_run_archive(upload.key, error, context)


def bad_key(upload: StoredObject, refusal: MessageRefused) -> None:
    notify_bad_key(upload.key, refusal, inbox=wiring.inbox(), notices=wiring.notices())


lambda_handler = on_queue(stored_object, again=wiring.again, last=unpack, bad_key=bad_key)(unpack)
