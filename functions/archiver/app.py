"""Archives bulky results whose time has come, brings them back, and removes what has come to its
age: every quarter of an hour it finds what is due, and does it message by message."""

from datetime import timedelta

from porewatch.adapters.archive.cold_storage import ColdStorage
from porewatch.adapters.archive.look_queue import LookQueue
from porewatch.adapters.messages.bus import Bus
from porewatch.adapters.messages.worker_queue import DeadLetters
from porewatch.domain.archive.artefact import Shelf
from porewatch.domain.archive.looks import Look
from porewatch.domain.base import now
from porewatch.domain.errors import Refused
from porewatch.edge import wiring
from porewatch.edge.event import clock, on_event
from porewatch.edge.parsers import archive_look
from porewatch.edge.queue import QueueMessage, on_queue
from porewatch.edge.task import by_trigger
from porewatch.settings import settings
from porewatch.usecases.archive.archive_context import ArchiveContext, announced
from porewatch.usecases.archive.look_at_run import Ages
from porewatch.usecases.archive.sweep_archive import SWEEP_SECONDS, sweep_archive
from porewatch.usecases.archive.take_look import take_look


def context() -> ArchiveContext:
    config, sources = settings(), wiring.storage_sources()
    names = {Shelf.RESULTS: config.results_bucket, Shelf.REPORTS: config.reports_bucket}
    shelves = {shelf: ColdStorage(name) for shelf, name in names.items()}
    looks, say = LookQueue(config.queue_url), announced(Bus(config.bus_name))
    return ArchiveContext(
        wiring.runs(),
        sources.entitlements,
        sources.archive,
        shelves,
        looks,
        say,
        wiring.inbox(),
        sources.unpaid,
        now,
    )


def put_aside(raw: QueueMessage, error: Refused) -> None:
    DeadLetters(settings().archive_dead_letters_url).put(raw.body, raw.mac, str(error))


@on_queue(archive_look, again=wiring.again, aside=put_aside)
def on_look(look: Look) -> None:
    config = settings()
    days = {Shelf.RESULTS: config.results_days, Shelf.REPORTS: config.reports_days}
    take_look(look, context(), Ages(days, ColdStorage(config.raw_bucket)))


@on_event(clock)
def on_schedule(_: None) -> None:
    sweep_archive(context(), now() + timedelta(seconds=SWEEP_SECONDS))


lambda_handler = by_trigger(queue=on_look, eventbridge=on_schedule)
